"""Enumerations that print as names: Python's own IntEnum prints as a number."""

from __future__ import annotations

from enum import IntEnum, IntFlag

_NUMERIC = frozenset("bcdoxXneEfFgG%")


class Number(IntEnum):
    """An int whose text is its name; `f"{kind:d}"` is the number."""

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return int.__format__(self, spec) if spec[-1:] in _NUMERIC else format(str(self), spec)


class Bits(IntFlag):
    """As Number; "RELIABLE|LAST"."""

    def __str__(self) -> str:
        return self.name or str(self.value)

    def __format__(self, spec: str) -> str:
        return int.__format__(self, spec) if spec[-1:] in _NUMERIC else format(str(self), spec)
