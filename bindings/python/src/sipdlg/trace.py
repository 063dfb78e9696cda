"""Section "trace": what passes, as it is polled."""

from __future__ import annotations

from dataclasses import dataclass

from . import _ffi
from ._convert import bytes_of
from ._ffi import Direction, LogLevel, TraceKind
from .flow import Flow


@dataclass(frozen=True, slots=True, weakref_slot=True)
class TraceEntry:
    """A message that passed, or a line of the log (sipdlg_trace_entry_t)."""

    id: int
    """Rises by one with each, lost ones too."""
    lost: int
    """How many were lost right before this one."""
    unix_us: int
    kind: TraceKind
    direction: Direction
    level: LogLevel
    """Of a line."""
    flow: Flow | None
    """Of a message."""
    data: bytes
    """The message, or the line."""

    def __str__(self) -> str:
        return self.data.decode("utf-8", "backslashreplace")

    @classmethod
    def _from_c(cls, raw: _ffi.TraceEntry) -> TraceEntry:
        kind = TraceKind(raw.kind)
        flow = Flow._from_c(raw.flow) if kind is TraceKind.MESSAGE else None
        direction, level = Direction(raw.direction), LogLevel(raw.level)
        return cls(raw.id, raw.lost, raw.unix_us, kind, direction, level, flow, bytes_of(raw.data))
