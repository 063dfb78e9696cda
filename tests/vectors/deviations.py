"""Where the library does what an RFC says and SIP.js does not: assertions over a recording, from deviations.toml."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import expand
from script import Json

ALLOWED = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.Compare,
    ast.cmpop,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.List,
)
FUNCTIONS = ("sent", "times", "header", "uri", "called", "refused", "returned", "prop", "content")


class DeviationError(Exception):
    """deviations.toml says something that cannot be judged."""


@dataclass(frozen=True)
class Deviation:
    """An entry."""

    script: str
    section: str
    reason: str
    assertion: str
    steps: frozenset[int]
    """Steps that are not compared, beside those that the script lists."""

    def holds(self, recording: Json) -> bool:
        """Whether the assertion is true of a recording."""
        tree = ast.parse(self.assertion.strip(), mode="eval")
        for node in ast.walk(tree):
            if not isinstance(node, ALLOWED) or isinstance(node, ast.Name) and node.id not in FUNCTIONS:
                raise DeviationError(f"{self.script}: {ast.unparse(node)} has no place in an assertion")
        seen = Seen(expand(recording)["steps"])
        names: dict[str, Callable[..., Any]] = {name: getattr(seen, name) for name in FUNCTIONS}
        found: object = eval(compile(tree, self.script, "eval"), {"__builtins__": {}}, names)
        if not isinstance(found, bool):
            raise DeviationError(f"{self.script}: the assertion gives {found!r}, not true or false")
        return found


class Seen:
    """What an assertion may ask of a recording. `step` is a number; `what` is "INVITE", "200" or "200 BYE"."""

    def __init__(self, steps: list[Json]) -> None:
        self._steps = steps

    def _step(self, step: int) -> Json:
        if not 0 <= step < len(self._steps):
            raise DeviationError(f"there is no step {step}")
        return self._steps[step]

    def _messages(self, step: int, what: str | None) -> list[Json]:
        return [message for message in self._step(step)["out"] if what is None or is_like(message, what)]

    def sent(self, step: int, what: str | None = None) -> int:
        """How many messages were sent."""
        return len(self._messages(step, what))

    def times(self, step: int, what: str | None = None) -> list[float]:
        """When they were sent, in ms from the beginning of the script."""
        return [message["t"] for message in self._messages(step, what)]

    def header(self, step: int, what: str, name: str) -> str:
        """The lines of a header of the first such message, "" where there is none."""
        for message in self._messages(step, what)[:1]:
            for found, values in message["headers"].items():
                if found.lower() == name.lower():
                    return ", ".join(values)
        return ""

    def uri(self, step: int, what: str) -> str:
        """The Request-URI of the first such request, "" where there is none."""
        return next((str(message["start"]).split(" ")[1] for message in self._messages(step, what)), "")

    def called(self, step: int, name: str, status: int | None = None) -> int:
        """How often a callback was called."""
        calls = [call for call in self._step(step)["callbacks"] if call["name"] == name]
        return len([call for call in calls if status in (None, (call.get("message") or {}).get("status"))])

    def refused(self, step: int) -> bool:
        """Whether the call of the step failed."""
        return "error" in self._step(step)

    def returned(self, step: int) -> Any:
        return self._step(step).get("returned")

    def prop(self, step: int, dialog: str, name: str) -> Any:
        """A property after the step, None where there is no such dialog."""
        return self._step(step)["dialogs"].get(dialog, {}).get(name)

    def content(self, step: int, dialog: str, name: str) -> str:
        """The text of offer or answer, "" where there is none."""
        body = self.prop(step, dialog, name)
        return str(body["content"]) if body else ""


def is_like(message: Json, what: str) -> bool:
    words = message["start"].split(" ")
    if words[0] != "SIP/2.0":
        return bool(words[0] == what)
    status, _, method = what.partition(" ")
    cseq = " ".join(message["headers"]["CSeq"]).split(" ")[-1]
    return bool(words[1] == status) and method in ("", cseq)


def load(file: Path) -> list[Deviation]:
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("deviation", [])
    return [
        Deviation(
            script=entry["script"],
            section=entry["section"],
            reason=entry["reason"],
            assertion=entry["assert"],
            steps=frozenset(entry.get("steps", [])),
        )
        for entry in entries
    ]


def judge(deviation: Deviation, expected: Json, got: Json) -> str | None:
    """What is wrong with an entry: the assertion must be true of our recording and false of SIP.js's."""
    if deviation.holds(expected):
        return f"deviation ({deviation.section}): SIP.js's own recording satisfies it: {deviation.assertion.strip()}"
    if not deviation.holds(got):
        return f"deviation ({deviation.section}) is not so: {deviation.assertion.strip()}"
    return None
