"""Section "options": bodies, and how a request or response differs from the usual (keyword arguments everywhere)."""

from __future__ import annotations

import ctypes as C
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from . import _ffi
from ._convert import (
    Headers,
    Octets,
    Text,
    bytes_of,
    encode,
    encode_or_none,
    fits,
    header_lines,
    instance,
    legible,
    octets,
    string_array,
    text_of,
    truth,
    utf8,
)
from ._ffi import RequestFlag, ResponseFlag
from .config import Credentials, SessionTimer, listed
from .flow import Flow, flow_struct

if TYPE_CHECKING:
    from .incoming import IncomingRequest


@dataclass(frozen=True, slots=True, weakref_slot=True, init=False)
class Body:
    """Content with its type (None: application/sdp) and disposition (None: "session" for SDP, else "render")."""

    content: Text
    content_type: str | None = None
    disposition: str | None = None

    def __init__(
        self, content: str | Octets, content_type: str | None = None, disposition: str | None = None
    ) -> None:
        # What could change later is copied now.
        kept = content if isinstance(content, str) else octets(content, "content")
        if isinstance(kept, str):
            utf8(kept, "content")  # now rather than where it is sent or printed
        for name, value in (("content", kept), ("content_type", content_type), ("disposition", disposition)):
            object.__setattr__(self, name, value)

    @property
    def data(self) -> bytes:
        """The content as bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.encode("utf-8", "surrogateescape")

    def __bytes__(self) -> bytes:
        return self.data

    def __str__(self) -> str:
        """The text, for people; `bytes(body)` is exact."""
        return legible(self.data)

    @classmethod
    def _from_c(cls, view: _ffi.BodyView) -> Body:
        return cls(bytes_of(view.content), text_of(view.content_type), text_of(view.disposition))


AnyBody = Body | str | Octets
"""A body: text, whatever has bytes, or with its type."""


class RequestArguments(TypedDict, total=False):
    """How a request differs from the usual; sipdlg_request_options_t."""

    body: AnyBody | None
    headers: Headers | None
    flags: RequestFlag
    expires_ms: int
    """INVITE: Expires, and CANCEL by ourselves then."""
    from_: Text | None
    """Out of a dialog: name-addr or URI, no tag."""
    to: Text | None
    call_id: Text | None
    flow: Flow | None
    """Send exactly there, resolve nothing."""
    refer: IncomingRequest | None
    """INVITE: the REFER that asked for it."""
    credentials: Sequence[Credentials]
    """For challenges to it; in a call, or of an INVITE, for all that follows in the call."""
    session_timer: SessionTimer | None
    """INVITE, re-INVITE, UPDATE: for the call from then on."""
    reason: Text | None
    """Value of a Reason header (RFC 3326), "Q.850;cause=16"."""


class ResponseArguments(TypedDict, total=False):
    """How a response differs from the usual; sipdlg_response_options_t."""

    body: AnyBody | None
    headers: Headers | None
    flags: ResponseFlag
    reason_phrase: Text | None
    to_tag: Text | None
    """First tagged response of a request only; another tag makes another early dialog."""
    session_timer: SessionTimer | None
    """2xx to INVITE, re-INVITE, UPDATE: for the call from then on."""
    reason: Text | None
    """Value of a Reason header (RFC 3326)."""


def body_struct(body: AnyBody | None, name: str = "body") -> _ffi.Body:
    raw = _ffi.Body()
    if body is None:
        return raw
    if not isinstance(body, Body):
        body = Body(utf8(body, name) if isinstance(body, str) else octets(body, name))
    whole = body.data
    raw.kept = data = C.create_string_buffer(whole, len(whole) + 1)
    raw.data, raw.len = C.addressof(data), len(whole)
    raw.content_type, raw.disposition = (
        encode_or_none(body.content_type, f"{name}, content_type"),
        encode_or_none(body.disposition, f"{name}, disposition"),
    )
    return raw


def request_options(arguments: RequestArguments) -> _ffi.RequestOptions | None:
    """The struct, or None for a plain request. It owns all that it points to."""
    if not arguments:
        return None
    if unknown := set(arguments) - set(RequestArguments.__annotations__):
        raise TypeError(f"unknown argument: {', '.join(sorted(unknown))}")
    raw = _ffi.RequestOptions(size=C.sizeof(_ffi.RequestOptions))
    raw.kept = body = body_struct(arguments.get("body"))
    raw.body = body
    raw.flags = fits(arguments.get("flags", 0), "flags")
    raw.expires_ms = fits(arguments.get("expires_ms", 0), "expires_ms")
    raw.headers = string_array(header_lines(arguments.get("headers")))
    raw.from_ = encode_or_none(arguments.get("from_"), "from_")
    raw.to = encode_or_none(arguments.get("to"), "to")
    raw.call_id = encode_or_none(arguments.get("call_id"), "call_id")
    if (flow := arguments.get("flow")) is not None:
        raw.flow = C.pointer(flow_struct(flow))
    if (refer := arguments.get("refer")) is not None:
        from .incoming import IncomingRequest

        raw.refer = instance(refer, IncomingRequest, "refer").token
    if known := [credentials_struct(one) for one in listed(arguments.get("credentials", ()), "credentials")]:
        raw.credentials_count = len(known)
        raw.credentials = (_ffi.Credentials * len(known))(*known)
    if (terms := arguments.get("session_timer")) is not None:
        raw.session_timer = session_timer_pointer(terms)
    raw.reason = encode_or_none(arguments.get("reason"), "reason")
    return raw


def session_timer_pointer(terms: SessionTimer) -> C._Pointer[_ffi.SessionTimer]:
    return C.pointer(_ffi.SessionTimer(*instance(terms, SessionTimer, "session_timer")._numbers()))


def credentials_struct(known: Credentials) -> _ffi.Credentials:
    known = instance(known, Credentials, "credentials")
    realm, algorithm = encode_or_none(known.realm, "realm"), encode_or_none(known.algorithm, "algorithm")
    user, secret = encode(known.user, "user"), encode(known.secret, "secret")
    return _ffi.Credentials(realm, user, secret, algorithm, truth(known.is_ha1, "is_ha1"), 0)


def response_options(arguments: ResponseArguments) -> _ffi.ResponseOptions | None:
    """The struct, or None for a plain response. It owns all that it points to."""
    if not arguments:
        return None
    if unknown := set(arguments) - set(ResponseArguments.__annotations__):
        raise TypeError(f"unknown argument: {', '.join(sorted(unknown))}")
    raw = _ffi.ResponseOptions(size=C.sizeof(_ffi.ResponseOptions))
    raw.kept = body = body_struct(arguments.get("body"))
    raw.body = body
    raw.flags = fits(arguments.get("flags", 0), "flags")
    raw.headers = string_array(header_lines(arguments.get("headers")))
    raw.reason_phrase = encode_or_none(arguments.get("reason_phrase"), "reason_phrase")
    raw.to_tag = encode_or_none(arguments.get("to_tag"), "to_tag")
    if (terms := arguments.get("session_timer")) is not None:
        raw.session_timer = session_timer_pointer(terms)
    raw.reason = encode_or_none(arguments.get("reason"), "reason")
    return raw
