"""Section "message": what was received or sent. Read-only; from any thread."""

from __future__ import annotations

import ctypes as C
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from . import _ffi
from ._convert import NONE, Text, bytes_of, encode, fits, text_of
from ._loader import lib
from .errors import StaleError, check
from .flow import Flow
from .options import Body


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The parts of From, To, Contact, Route, ... What is not there is "" or, a port, 0."""

    display_name: str
    uri: str
    scheme: str
    user: str
    host: str
    uri_parameters: str
    uri_headers: str
    parameters: str
    tag: str
    port: int


@dataclass(frozen=True, slots=True)
class Via:
    """The parts of a Via. What is not there is "" or 0."""

    transport: str
    host: str
    branch: str
    received: str
    port: int
    rport: int


class Message:
    """A parsed, immutable message. Kept until `close()`, the end of a `with`, or the garbage collector; may outlive
    its agent."""

    def __init__(self, pointer: int) -> None:
        """Takes over one reference. Messages come from events, requests and `parse`."""
        self._pointer: int | None = pointer

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parses a whole message. BadSyntaxError names header and rule."""
        out = C.c_void_p()
        check(lib.sipdlg_message_parse(data, len(data), C.byref(out)))
        return cls(out.value or 0)

    @classmethod
    def _borrowed(cls, pointer: int) -> Self:
        check(lib.sipdlg_message_retain(pointer))
        return cls(pointer)

    def close(self) -> None:
        """Lets go of the message. A second call does nothing."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            lib.sipdlg_message_release(pointer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self.close()

    def __repr__(self) -> str:
        if self._pointer is None:
            return "<sipdlg.Message, closed>"
        line = bytes(self).partition(b"\r\n")[0].decode("utf-8", "replace")
        return f"<sipdlg.Message {line!r}>"

    @property
    def _live(self) -> int:
        if not self._pointer:
            raise StaleError(_ffi.Status.ERR_STALE, "the message was closed")
        return self._pointer

    @property
    def status_code(self) -> int:
        """0 for a request, else 100 to 699."""
        return check(lib.sipdlg_message_status_code(self._live))

    @property
    def method(self) -> str:
        """Method of a request; of a response: that of CSeq."""
        return self._text(lib.sipdlg_message_method) or ""

    @property
    def uri(self) -> str | None:
        """Request-URI; None for a response."""
        return self._text(lib.sipdlg_message_uri)

    @property
    def reason_phrase(self) -> str | None:
        """None for a request."""
        return self._text(lib.sipdlg_message_reason_phrase)

    def header_count(self, name: Text) -> int:
        """How many values a header has, comma lists by value."""
        return check(lib.sipdlg_message_header_count(self._live, encode(name)))

    def header(self, name: Text, index: int = 0) -> str | None:
        """The index-th value of a header, unfolded; any case, compact or long name."""
        view = _ffi.Str()
        status = check(lib.sipdlg_message_header(self._live, encode(name), fits(index, "index"), C.byref(view)))
        return None if status == NONE else text_of(view)

    def headers(self, name: Text) -> list[str]:
        """All values of a header."""
        return [value for index in range(self.header_count(name)) if (value := self.header(name, index)) is not None]

    def name_addr(self, name: Text, index: int = 0) -> NameAddr | None:
        """The index-th value of a header with addresses."""
        raw = _ffi.NameAddr()
        if check(lib.sipdlg_message_name_addr(self._live, encode(name), fits(index, "index"), C.byref(raw))) == NONE:
            return None
        return NameAddr(
            text_of(raw.display_name),
            text_of(raw.uri),
            text_of(raw.scheme),
            text_of(raw.user),
            text_of(raw.host),
            text_of(raw.uri_parameters),
            text_of(raw.uri_headers),
            text_of(raw.parameters),
            text_of(raw.tag),
            raw.port,
        )

    @property
    def cseq(self) -> tuple[int, str] | None:
        """CSeq number and method."""
        number, method = C.c_uint32(), _ffi.Str()
        status = check(lib.sipdlg_message_cseq(self._live, C.byref(number), C.byref(method)))
        return None if status == NONE else (number.value, text_of(method))

    def via(self, index: int = 0) -> Via | None:
        """The index-th Via, 0 the topmost."""
        raw = _ffi.Via()
        if check(lib.sipdlg_message_via(self._live, fits(index, "index"), C.byref(raw))) == NONE:
            return None
        return Via(
            text_of(raw.transport),
            text_of(raw.host),
            text_of(raw.branch),
            text_of(raw.received),
            raw.port,
            raw.rport,
        )

    @property
    def body(self) -> Body | None:
        """The body, all of it."""
        view = _ffi.BodyView()
        status = check(lib.sipdlg_message_body(self._live, C.byref(view)))
        return None if status == NONE else Body._from_c(view)

    @property
    def session_body(self) -> Body | None:
        """The part of the body with disposition "session"."""
        view = _ffi.BodyView()
        status = check(lib.sipdlg_message_session_body(self._live, C.byref(view)))
        return None if status == NONE else Body._from_c(view)

    def __bytes__(self) -> bytes:
        """The bytes as they were on the wire."""
        view = _ffi.Str()
        check(lib.sipdlg_message_bytes(self._live, C.byref(view)))
        return bytes_of(view)

    @property
    def flow(self) -> Flow | None:
        """The flow on which it was received."""
        raw = _ffi.Flow()
        status = check(lib.sipdlg_message_flow(self._live, C.byref(raw)))
        return None if status == NONE else Flow._from_c(raw)

    def _text(self, function: object) -> str | None:
        view = _ffi.Str()
        assert callable(function)
        return None if check(function(self._live, C.byref(view))) == NONE else text_of(view)
