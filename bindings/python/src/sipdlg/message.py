"""Section "message": what was received or sent. Read-only; from any thread."""

from __future__ import annotations

import ctypes as C
import re
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from . import _ffi
from ._convert import (
    NONE,
    Octets,
    Text,
    brief,
    bytes_of,
    encode,
    encode_or_none,
    fits,
    hide,
    instance,
    legible,
    octets,
    shown,
    text_of,
    text_or_none,
    truth,
)
from ._ffi import Digest
from ._handle import unpicklable
from ._loader import lib
from .config import Credentials
from .errors import ArgumentError, StaleError, check
from .flow import Flow
from .options import Body

if TYPE_CHECKING:
    from .agent import Agent



@dataclass(frozen=True, slots=True, weakref_slot=True)
class Registered:
    """What came of a REGISTER; sipdlg_registered_t."""

    expires_s: int
    """For how long our Contact is bound; 0: it is not."""
    refresh_s: int
    """When to register again."""
    min_expires_s: int
    retry_after_s: int
    flow_timer_s: int
    next_cseq: int
    bindings: int
    outbound: bool


CREDENTIALS = re.compile(
    r"(?im)^((?:Proxy-)?Authorization[ \t]*:(?:[ \t]|\r?\n[ \t])*[^\s,]+)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*"
)
"""What follows the scheme in an Authorization header, folded lines too."""


@dataclass(frozen=True, slots=True, weakref_slot=True, repr=False)
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

    def __repr__(self) -> str:
        return shown(self)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Via:
    """The parts of a Via. What is not there is "" or 0."""

    transport: str
    host: str
    branch: str
    received: str
    port: int
    rport: int


class _Kept:
    """One reference to a message of the library, released with this object: after the last thread that reads, whoever
    closes meanwhile."""

    __slots__ = ("_as_parameter_",)
    _release = lib.sipdlg_message_release

    def __init__(self, pointer: int) -> None:
        self._as_parameter_ = pointer

    def __del__(self) -> None:
        self._release(self._as_parameter_)


class Message:
    """A parsed, immutable message. Kept until `close()`, the end of a `with`, or the garbage collector; may outlive
    its agent. A copy is closed by itself."""

    _kept: _Kept | None

    def __init__(self, *arguments: object) -> None:
        """Refused: messages come from events, requests and `parse`."""
        raise TypeError("a sipdlg.Message comes from an event, a request or Message.parse")

    @classmethod
    def parse(cls, data: Octets) -> Self:
        """Parses a whole message. BadSyntaxError names header and rule."""
        given, out = octets(data, "data"), C.c_void_p()
        check(lib.sipdlg_message_parse(given, len(given), C.byref(out)))
        return cls._owned(out.value)

    @classmethod
    def _owned(cls, pointer: int | None) -> Self:
        """Takes over one reference."""
        message = cls.__new__(cls)
        message._kept = _Kept(pointer) if pointer else None
        return message

    @classmethod
    def _borrowed(cls, pointer: int) -> Self:
        check(lib.sipdlg_message_retain(pointer))
        return cls._owned(pointer)

    def close(self) -> None:
        """Lets go of the message. A second call does nothing."""
        self._kept = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __copy__(self) -> Self:
        twin = self.__class__.__new__(self.__class__)
        twin.__dict__.update(self.__dict__)
        return twin

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise unpicklable(self, "send bytes(message) and parse them there")

    def __repr__(self) -> str:
        try:
            line = legible(bytes(self).partition(b"\r\n")[0])
        except StaleError:
            return "<sipdlg.Message, closed>"
        return f"<sipdlg.Message {brief(line)}>"

    def __str__(self) -> str:
        """The text, for people: without passwords of URIs and credentials. `bytes(message)` has all."""
        try:
            text = legible(bytes(self))
        except StaleError:
            return repr(self)
        return CREDENTIALS.sub(r"\1 ***", hide(text))

    @property
    def _live(self) -> _Kept:
        """To be held, not only passed, for as long as what the library lent is read."""
        kept = self._kept
        if kept is None:
            raise StaleError(_ffi.Status.ERR_STALE, "the message was closed")
        return kept

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
        return check(lib.sipdlg_message_header_count(self._live, encode(name, "name")))

    def header(self, name: Text, index: int = 0) -> str | None:
        """The index-th value of a header, unfolded; any case, compact or long name."""
        kept, view = self._live, _ffi.Str()
        status = check(lib.sipdlg_message_header(kept, encode(name, "name"), fits(index, "index"), C.byref(view)))
        return None if status == NONE else text_of(view)

    def headers(self, name: Text) -> list[str]:
        """All values of a header."""
        return [value for index in range(self.header_count(name)) if (value := self.header(name, index)) is not None]

    def name_addr(self, name: Text, index: int = 0) -> NameAddr | None:
        """The index-th value of a header with addresses."""
        kept, raw = self._live, _ffi.NameAddr()
        given = encode(name, "name"), fits(index, "index")
        if check(lib.sipdlg_message_name_addr(kept, *given, C.byref(raw))) == NONE:
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
        kept, number, method = self._live, C.c_uint32(), _ffi.Str()
        status = check(lib.sipdlg_message_cseq(kept, C.byref(number), C.byref(method)))
        return None if status == NONE else (number.value, text_of(method))

    def via(self, index: int = 0) -> Via | None:
        """The index-th Via, 0 the topmost."""
        kept, raw = self._live, _ffi.Via()
        if check(lib.sipdlg_message_via(kept, fits(index, "index"), C.byref(raw))) == NONE:
            return None
        return Via(
            text_of(raw.transport),
            text_of(raw.host),
            text_of(raw.branch),
            text_of(raw.received),
            raw.port,
            raw.rport,
        )

    def registered(self, response: Message | None) -> Registered:
        """Of a REGISTER of ours: what came of it; None: no response."""
        kept, raw = self._live, _ffi.Registered(size=C.sizeof(_ffi.Registered))
        answer = None if response is None else instance(response, Message, "response")._live
        check(lib.sipdlg_message_registered(answer, kept, C.byref(raw)))
        return Registered(
            raw.expires_s,
            raw.refresh_s,
            raw.min_expires_s,
            raw.retry_after_s,
            raw.flow_timer_s,
            raw.next_cseq,
            raw.bindings,
            raw.outbound != 0,
        )

    @property
    def body(self) -> Body | None:
        """The body, all of it."""
        kept, view = self._live, _ffi.BodyView()
        status = check(lib.sipdlg_message_body(kept, C.byref(view)))
        return None if status == NONE else Body._from_c(view)

    @property
    def session_body(self) -> Body | None:
        """The part of the body with disposition "session"."""
        kept, view = self._live, _ffi.BodyView()
        status = check(lib.sipdlg_message_session_body(kept, C.byref(view)))
        return None if status == NONE else Body._from_c(view)

    def __bytes__(self) -> bytes:
        """The bytes as they were on the wire."""
        kept, view = self._live, _ffi.Str()
        check(lib.sipdlg_message_bytes(kept, C.byref(view)))
        return bytes_of(view)

    def digest_username(self, realm: Text) -> str | None:
        """The user name in the Digest credentials for a realm; None: there are none."""
        return text_or_none(lib.sipdlg_message_digest_username, self._live, encode(realm, "realm"))

    def check_digest(self, agent: Agent, credentials: Credentials) -> Digest:
        """What the Digest credentials for a realm are worth, when these are those of the caller; `agent` has challenged
        the request. GOOD once."""
        known = instance(credentials, Credentials, "credentials")
        if known.realm is None:
            raise ArgumentError(_ffi.Status.ERR_ARGUMENT, "credentials: a caller is known in one realm, not in any")
        texts = (encode(known.realm, "realm"), encode(known.user, "user"), encode(known.secret, "secret"))
        algorithm, is_ha1 = encode_or_none(known.algorithm, "algorithm"), truth(known.is_ha1, "is_ha1")
        from .agent import Agent

        kept, challenger = self._live, instance(agent, Agent, "agent").token
        return Digest(check(lib.sipdlg_message_check_digest(kept, *texts, is_ha1, algorithm, challenger)))

    @property
    def flow(self) -> Flow | None:
        """The flow on which it was received."""
        raw = _ffi.Flow()
        status = check(lib.sipdlg_message_flow(self._live, C.byref(raw)))
        return None if status == NONE else Flow._from_c(raw)

    def _text(self, function: object) -> str | None:
        kept, view = self._live, _ffi.Str()
        assert callable(function)
        return None if check(function(kept, C.byref(view))) == NONE else text_of(view)
