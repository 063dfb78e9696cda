"""Compares two recordings step by step: random values up to renaming; reason phrases, error texts and a few headers not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from record import expand
from script import Json

IGNORED = {"user-agent", "supported", "allow", "accept", "max-forwards", "content-length"}
SYMBOL = re.compile(r"<(tag|branch|call-id|cnonce)-\d+>")


class Names:
    """Which symbol of one recording stands for which of the other; one to one."""

    def __init__(self) -> None:
        self._there: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def same(self, expected: Any, got: Any) -> bool:
        if not isinstance(expected, str) or not isinstance(got, str):
            return same_json(expected, got)
        if self._shape(expected) != self._shape(got):
            return False
        pairs = zip(SYMBOL.finditer(expected), SYMBOL.finditer(got), strict=True)
        return all(self._pair(one[0], other[0]) for one, other in pairs)

    def _shape(self, text: str) -> str:
        return " ".join(SYMBOL.sub(r"<\1>", text).split())

    def _pair(self, one: str, other: str) -> bool:
        if one not in self._there and other not in self._back:
            self._there[one], self._back[other] = other, one
        return self._there.get(one) == other


def same_json(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


def differences(expected: Json, got: Json, skip: Collection[int] = ()) -> Iterator[str]:
    """One line for each difference; the steps in `skip` are not looked at."""
    expected, got = expand(expected), expand(got)
    names = Names()
    if len(expected["steps"]) != len(got["steps"]):
        yield f"{len(expected['steps'])} steps expected, {len(got['steps'])} recorded"
    for number, (one, other) in enumerate(zip(expected["steps"], got["steps"], strict=False)):
        if number in skip:
            continue
        for what, wanted, found in in_step(one, other, names):
            yield f"step {number} ({one['step']}) {what}: expected {show(wanted)} got {show(found)}"


def in_step(expected: Json, got: Json, names: Names) -> Iterator[tuple[str, Any, Any]]:
    yield from in_messages(expected["out"], got["out"], names)
    wanted, found = callbacks(expected), callbacks(got)
    if not same_json(wanted, found):
        yield "callbacks", wanted, found
    if ("error" in expected) != ("error" in got):
        yield "error", expected.get("error"), got.get("error")
    if not same_json(expected.get("returned"), got.get("returned")):
        yield "returned", expected.get("returned"), got.get("returned")
    yield from in_dialogs(expected["dialogs"], got["dialogs"], names)


def in_messages(expected: list[Json], got: list[Json], names: Names) -> Iterator[tuple[str, Any, Any]]:
    if len(expected) != len(got):
        wanted, found = ([f"{message['start']} @{message['t']}" for message in side] for side in (expected, got))
        yield "messages sent", wanted, found
        return
    for number, (one, other) in enumerate(zip(expected, got, strict=True)):
        if not names.same(start(one), start(other)):
            yield f"message {number} start", one["start"], other["start"]
        for part, name in (("t", "time"), ("body", "body")):
            if one[part] != other[part]:
                yield f"message {number} {name}", one[part], other[part]
        mine, theirs = headers(one), headers(other)
        for name in dict.fromkeys([*mine, *theirs]):
            values, others = mine.get(name, []), theirs.get(name, [])
            if len(values) != len(others) or not all(map(names.same, values, others)):
                yield f"message {number} {name}", values, others


def in_dialogs(expected: Json, got: Json, names: Names) -> Iterator[tuple[str, Any, Any]]:
    for label in dict.fromkeys([*expected, *got]):
        if label not in expected or label not in got:
            wanted, found = ("present" if label in side else "absent" for side in (expected, got))
            yield f"dialog {label}", wanted, found
            continue
        one, other = expected[label], got[label]
        for name, value in one.items():
            if name in other and not names.same(value, other[name]):
                yield f"dialog {label} {name}", value, other[name]


def start(message: Json) -> str:
    """The start line, of a response without its reason phrase."""
    line: str = message["start"]
    return " ".join(line.split(" ")[:2]) if line.startswith("SIP/2.0 ") else line


def headers(message: Json) -> dict[str, list[str]]:
    return {name.lower(): values for name, values in message["headers"].items() if name.lower() not in IGNORED}


def callbacks(step: Json) -> list[list[Any]]:
    """Of each callback what counts."""
    keys = []
    for one in step["callbacks"]:
        message = one.get("message") or {}
        what = message.get("status") or message.get("method") or ""
        keys.append(
            [one["name"], one.get("dialog") or "", one.get("request") or "", what, message.get("body") or "", one["t"]]
        )
    return keys


def show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
