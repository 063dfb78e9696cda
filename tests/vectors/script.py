"""Scripts: their messages as text, and the variables in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

VARIABLE = re.compile(r"\$\{([^}]+)\}")
EXPRESSION = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_.-]+?)(?:\+(\d+))?")
FROM_PARTS = {
    "from": ("From", "whole"),
    "from_tag": ("From", "tag"),
    "from_uri": ("From", "uri"),
    "to": ("To", "whole"),
    "to_tag": ("To", "tag"),
    "to_uri": ("To", "uri"),
    "contact": ("Contact", "whole"),
    "contact_uri": ("Contact", "uri"),
    "call_id": ("Call-ID", "whole"),
    "via": ("Via", "whole"),
    "rseq": ("RSeq", "whole"),
}


class ScriptError(Exception):
    """The script asks for what is not there: an unknown label, a header that a message lacks, an unknown step."""


@dataclass(frozen=True)
class Text:
    """A message split into lines; nothing is understood."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def split(cls, data: bytes) -> Text:
        head, _, body = decode(data).partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return cls(start, [(name.strip(), value.strip()) for name, _, value in pairs], body)

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Of a request; of a response that of its CSeq."""
        if not self.is_response:
            return self.start.split(" ")[0]
        return (self.header("CSeq") or "").partition(" ")[2]

    @property
    def status(self) -> int | None:
        return int(self.start.split(" ")[1]) if self.is_response else None

    def header(self, name: str) -> str | None:
        """The first header line of that name."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)

    def field(self, name: str) -> str | None:
        """The value of ${label.NAME}."""
        if name.startswith("header."):
            return self.header(name.removeprefix("header."))
        if name in FROM_PARTS:
            header, part = FROM_PARTS[name]
            value = self.header(header)
            return value if value is None or part == "whole" else (tag_of if part == "tag" else uri_of)(value)
        match name:
            case "start":
                return self.start
            case "method":
                return self.method
            case "uri":
                return None if self.is_response else self.start.split(" ")[1]
            case "status":
                return None if self.status is None else str(self.status)
            case "branch":
                found = re.search(r";branch=([^;]+)", self.header("Via") or "")
                return found[1] if found else None
            case "cseq":
                return (self.header("CSeq") or "").split(" ")[0]
        return None


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def uri_of(value: str) -> str:
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.split(";")[0].strip()


def tag_of(value: str) -> str | None:
    found = re.search(r";\s*tag=([^;>\s]+)", value)
    return found[1] if found else None


def substitute(text: str, labels: Mapping[str, Text]) -> str:
    """${label.field} and ${label.field+N} replaced."""

    def value(match: re.Match[str]) -> str:
        parts = EXPRESSION.fullmatch(match[1])
        if parts is None:
            raise ScriptError(f"bad variable {match[1]}")
        if parts[1] not in labels:
            raise ScriptError(f"unknown label {parts[1]}")
        found = labels[parts[1]].field(parts[2])
        if found is None:
            raise ScriptError(f"no value for {match[1]}")
        return str(int(found) + int(parts[3])) if parts[3] else found

    return VARIABLE.sub(value, text)


def build(template: Json, labels: Mapping[str, Text]) -> bytes:
    """The bytes of a message of the script; Content-Length is added."""
    lines = [template["start"], *template.get("headers", [])]
    body = encode(substitute(template.get("body") or "", labels))
    head = "".join(substitute(line, labels) + "\r\n" for line in lines)
    return encode(f"{head}Content-Length: {len(body)}\r\n\r\n") + body
