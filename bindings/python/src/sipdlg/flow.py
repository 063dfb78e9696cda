"""Endpoints and flows: the ways that messages come and go."""

from __future__ import annotations

import ctypes as C
import socket
from dataclasses import dataclass
from typing import Any

from . import _convert, _ffi
from ._ffi import Transport
from ._loader import lib
from .errors import ArgumentError, check


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Endpoint:
    """IP address and port. `host` is a literal, "192.0.2.1" or "2001:db8::1"; "" is none."""

    host: str = ""
    port: int = 0
    scope: int = 0

    @classmethod
    def parse(cls, text: _convert.Text) -> Endpoint:
        """From "192.0.2.1:5060" or "[2001:db8::1%2]:5060"."""
        raw = _ffi.Endpoint()
        check(lib.sipdlg_endpoint_parse(_convert.encode(text, "text"), C.byref(raw)))
        return cls._from_c(raw)

    def __str__(self) -> str:
        return _convert.text(lib.sipdlg_endpoint_text, C.byref(self._to_c())) if self.host else ""

    @classmethod
    def _from_c(cls, raw: _ffi.Endpoint) -> Endpoint:
        if raw.family == 0:
            return cls()
        data = bytes(raw.ip)
        host = (
            socket.inet_ntop(socket.AF_INET6, data) if raw.family == 6 else socket.inet_ntop(socket.AF_INET, data[:4])
        )
        return cls(host, raw.port, raw.scope)

    def _to_c(self) -> _ffi.Endpoint:
        raw = _ffi.Endpoint()
        if not _convert.instance(self.host, str, "host"):
            return raw
        six = ":" in self.host
        try:
            data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, self.host)
        except (OSError, ValueError):  # also what is no text, or has a NUL inside
            raise ArgumentError(_ffi.Status.ERR_ARGUMENT, f"{self.host!r} is no IP address") from None
        raw.ip[: len(data)] = list(data)
        raw.port, raw.scope = _convert.fits(self.port, "port", 16), _convert.fits(self.scope, "scope")
        raw.family = 6 if six else 4
        return raw


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Flow:
    """The way a message came or must go. `link` is the host's own number for a socket or connection; 0: any."""

    transport: Transport = Transport.UDP
    local: Endpoint = Endpoint()
    remote: Endpoint = Endpoint()
    link: int = 0

    def __str__(self) -> str:
        ways = [f"{self.transport}", *(f"{word} {end}" for word, end in (("at", self.local), ("to", self.remote)) if end.host)]
        return " ".join([*ways, f"link {self.link}"] if self.link else ways)

    @classmethod
    def _from_c(cls, raw: _ffi.Flow) -> Flow:
        return cls(Transport(raw.transport), Endpoint._from_c(raw.local), Endpoint._from_c(raw.remote), raw.link)

    def _to_c(self) -> _ffi.Flow:
        return _ffi.Flow(
            _convert.fits(self.transport, "transport", 31),
            0,
            _convert.fits(self.link, "link", 64),
            _convert.instance(self.local, Endpoint, "local")._to_c(),
            _convert.instance(self.remote, Endpoint, "remote")._to_c(),
        )


def flow_struct(flow: Flow, name: str = "flow") -> _ffi.Flow:
    return _convert.instance(flow, Flow, name)._to_c()


def flow_reference(flow: Flow | None) -> Any:
    """By reference, or NULL."""
    return None if flow is None else C.byref(flow_struct(flow))


@dataclass(frozen=True, slots=True, weakref_slot=True, repr=False)
class Transmit:
    """A message to put on the wire. `id` is for `Agent.transmit_failed`; `host` is the TLS server name or WS Host."""

    id: int
    data: bytes
    flow: Flow
    host: str

    def __repr__(self) -> str:
        line = _convert.brief(_convert.legible(self.data.partition(b"\r\n")[0]))
        return f"<sipdlg.Transmit {self.id} {line} {len(self.data)} bytes {self.flow}>"

    @classmethod
    def _from_c(cls, raw: _ffi.Transmit) -> Transmit:
        return cls(raw.id, C.string_at(raw.data, raw.len), Flow._from_c(raw.flow), _convert.text_of(raw.host))
