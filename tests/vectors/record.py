"""Recordings: what was seen, with random values replaced by symbols."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from script import Json, Text, encode

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class Symbols:
    """Random values get names like <tag-1>, by first appearance; what the script itself gave stays."""

    def __init__(self, script: str, credentials: Json | None) -> None:
        self._script = script
        self._credentials = credentials or {}
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def name(self, kind: str, value: str) -> str:
        if value in self._script:
            return value
        if (kind, value) not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[kind, value] = f"<{kind}-{self._counts[kind]}>"
        return self._names[kind, value]

    def message(self, text: Text) -> Json:
        """Start line, headers by name in alphabetical order, body."""
        headers: dict[str, list[str]] = {}
        for name, value in text.headers:
            headers.setdefault(name, []).append(self._header(name.lower(), value, text))
        message: Json = {"start": text.start, "headers": dict(sorted(headers.items())), "body": text.body or None}
        length = text.header("Content-Length")
        if length is not None and int(length) != len(encode(text.body)):
            message["content_length_wrong"] = True
        return message

    def _header(self, name: str, value: str, text: Text) -> str:
        match name:
            case "via":
                return self._part(r"(;branch=)([^;]+)", "branch", value)
            case "from" | "to":
                return self._part(r"(;tag=)([^;>\s]+)", "tag", value)
            case "call-id":
                return self.name("call-id", value)
            case "retry-after" if value.isdecimal() and int(value) <= 10:
                return "<0..10>"
            case "authorization" | "proxy-authorization":
                return self._digest(value, text)
        return value

    def _part(self, pattern: str, kind: str, value: str) -> str:
        return re.sub(pattern, lambda match: match[1] + self.name(kind, match[2]), value, count=1)

    def _digest(self, value: str, text: Text) -> str:
        """The parameters in alphabetical order; the response computed again."""
        found = re.finditer(r'([a-z]+)=(?:"([^"]*)"|([^,\s]+))', value.removeprefix("Digest").lstrip())
        p = {match[1]: match[2] if match[2] is not None else match[3] for match in found}

        def digest(words: str) -> str:
            return hashlib.new(HASHES.get(p.get("algorithm", "MD5"), "md5"), encode(words)).hexdigest()

        secret = digest(f"{self._credentials.get('username')}:{p.get('realm')}:{self._credentials.get('password')}")
        # RFC 3261 §22.1: an ACK repeats the credentials of its INVITE.
        method = "INVITE" if text.method == "ACK" else text.method
        asked = digest(f"{method}:{p.get('uri')}")
        counted = f"{p.get('nc')}:{p.get('cnonce')}:{p.get('qop')}:" if "qop" in p else ""
        right = digest(f"{secret}:{p.get('nonce')}:{counted}{asked}")
        if "cnonce" in p:
            p["cnonce"] = self.name("cnonce", p["cnonce"])
        p["response"] = "<digest-correct>" if p.get("response") == right else "<digest-WRONG>"
        return "Digest " + ", ".join(f"{name}={p[name]}" for name in sorted(p))


class Recorder:
    """Collects what happens in a step. Numbers that the library gave put messages and callbacks into their order."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.sent: list[Text] = []
        """The messages of this step, for labels."""
        self._seen: dict[bytes, int] = {}
        self._count = 0
        self._out: list[tuple[int, Json]] = []
        self._callbacks: list[tuple[int, Json]] = []

    def message(self, order: int, at: float, data: bytes, failed: bool) -> None:
        self._count += 1
        text = Text.split(data)
        self.sent.append(text)
        entry: Json = {"n": 0, "id": self._count, "t": at}
        if data in self._seen:
            entry |= {"repeat_of": self._seen[data], "start": text.start}
        else:
            self._seen[data] = self._count
            entry |= self.symbols.message(text)
        if failed:
            entry["transport_failed"] = True
        self._out.append((order, entry))

    def callback(self, order: int, at: float, name: str, **more: Any) -> None:
        given = {key: value for key, value in more.items() if value is not None}
        self._callbacks.append((order, {"n": 0, "t": at, "name": name} | given))

    def take(self) -> Json:
        """The messages and callbacks of the step; the next one begins."""
        for n, (_, entry) in enumerate(sorted([*self._out, *self._callbacks], key=lambda one: one[0])):
            entry["n"] = n
        taken: Json = {
            "out": [entry for _, entry in sorted(self._out, key=lambda one: one[0])],
            "callbacks": [entry for _, entry in sorted(self._callbacks, key=lambda one: one[0])],
        }
        self._out, self._callbacks, self.sent = [], [], []
        return taken


def expand(recording: Json) -> Json:
    """Repeats get headers and body of what they repeat."""
    by_id = {message["id"]: message for step in recording["steps"] for message in step["out"]}
    for message in by_id.values():
        if "repeat_of" in message:
            first = by_id[message["repeat_of"]]
            message |= {"headers": first["headers"], "body": first["body"]}
    return recording
