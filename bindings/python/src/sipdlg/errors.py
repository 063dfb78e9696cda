"""An exception per status code. Its text is for people: the status, then what exactly was wrong."""

from __future__ import annotations

import ctypes as C
import os
import re

from ._ffi import Status
from ._loader import lib


class SipdlgError(Exception):
    """What the library refused. Nothing was sent, nothing changed."""

    def __init__(self, status: int, detail: str = "") -> None:
        text: bytes = lib.sipdlg_status_text(status)
        meaning = text.decode("utf-8", "replace")
        super().__init__(f"{meaning}: {detail}" if detail else meaning)
        self.status = status
        """The number; one of `Status`, if this package knows it."""
        self.detail = detail
        """The library's last_error text."""

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.status, self.detail), self.__dict__


class ArgumentError(SipdlgError, ValueError):
    """ERR_ARGUMENT: a number out of range, an unknown enumeration value, a NUL inside text."""


class StaleError(SipdlgError):
    """ERR_STALE: the object has ended."""


class KindError(SipdlgError, TypeError):
    """ERR_KIND: not a token of this kind, or never one."""


class StateError(SipdlgError):
    """ERR_STATE: a protocol rule forbids it now."""


class BadSyntaxError(SipdlgError, ValueError):
    """ERR_SYNTAX: a URI, header, message or text form that does not parse."""


class HeaderError(SipdlgError, ValueError):
    """ERR_HEADER: a header that only the library writes, or one that may stand once given twice."""


class StructError(SipdlgError):
    """ERR_STRUCT: the library does not know this layout."""


class BufferTooSmallError(SipdlgError):
    """ERR_BUFFER; this package asks again with a larger one by itself."""


class LimitError(SipdlgError):
    """ERR_LIMIT: a configured limit is reached."""


class BusyError(SipdlgError):
    """ERR_BUSY: the agent is already being driven."""


class UnsupportedError(SipdlgError):
    """ERR_UNSUPPORTED: this build or this platform lacks it."""


class SystemRefusedError(SipdlgError, OSError):
    """ERR_SYSTEM: the operating system refused; `errno` and `strerror` say why, as in any OSError."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(status, detail)
        # The header promises the number at the end of the text.
        if found := re.search(r"\(os error (\d+)\)$", detail):
            self.errno = int(found[1])
            self.strerror = os.strerror(self.errno)

    def __str__(self) -> str:
        return str(self.args[0])


class NoTransportError(SipdlgError):
    """ERR_NO_TRANSPORT: no transport was added that can reach the target."""


class CorruptError(SipdlgError, ValueError):
    """ERR_CORRUPT: snapshot or recording with a wrong checksum, version or content."""


class ForkedError(SipdlgError):
    """ERR_FORKED: the agent belongs to the parent process."""


class NoMemoryError(SipdlgError, MemoryError):
    """ERR_NO_MEMORY."""


class DefunctError(SipdlgError):
    """ERR_DEFUNCT: the agent caught a defect of its own and does nothing any more."""


BY_STATUS: dict[int, type[SipdlgError]] = {
    Status.ERR_ARGUMENT: ArgumentError,
    Status.ERR_STALE: StaleError,
    Status.ERR_KIND: KindError,
    Status.ERR_STATE: StateError,
    Status.ERR_SYNTAX: BadSyntaxError,
    Status.ERR_HEADER: HeaderError,
    Status.ERR_STRUCT: StructError,
    Status.ERR_BUFFER: BufferTooSmallError,
    Status.ERR_LIMIT: LimitError,
    Status.ERR_BUSY: BusyError,
    Status.ERR_UNSUPPORTED: UnsupportedError,
    Status.ERR_SYSTEM: SystemRefusedError,
    Status.ERR_NO_TRANSPORT: NoTransportError,
    Status.ERR_CORRUPT: CorruptError,
    Status.ERR_FORKED: ForkedError,
    Status.ERR_NO_MEMORY: NoMemoryError,
    Status.ERR_DEFUNCT: DefunctError,
}


def last_error() -> str:
    """The calling thread's last failure in words. Cut rather than asked twice: it must not fail itself."""
    buffer = C.create_string_buffer(1024)
    lib.sipdlg_last_error(buffer, len(buffer), None)
    return buffer.value.decode("utf-8", "replace")


def check(status: int) -> int:
    """Raises for a negative status; gives the others back. Call it on the thread that made the call, right after it."""
    if status < 0:
        raise BY_STATUS.get(status, SipdlgError)(status, last_error())
    return status
