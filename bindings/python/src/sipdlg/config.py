"""Section "config": the settings of an agent."""

from __future__ import annotations

import ctypes as C
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from . import _ffi
from ._convert import (
    Headers,
    T,
    Text,
    code,
    decode,
    encode,
    encode_or_none,
    fits,
    header_lines,
    hide,
    instance,
    string_array,
    truth,
    wrong,
)
from ._ffi import Effect, ForkPolicy, LogLevel, Policy, Quirk, Redact, Refresher, Status, TlsVerify, TraceKind
from ._loader import lib
from .errors import NoMemoryError, check

Papers = Text | os.PathLike[str] | os.PathLike[bytes]
"""PEM, or the path of a file with PEM."""


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, repr=False)
class Credentials:
    """For digest: `secret` is a password, or with `is_ha1` the hexadecimal HA1 of `algorithm`."""

    realm: Text | None = None
    """None: any; an HA1 is for one."""
    user: Text
    secret: Text = field(repr=False)
    is_ha1: bool = False
    algorithm: Text | None = None

    def __repr__(self) -> str:
        return _differing(self)


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, repr=False)
class SessionTimer:
    """Session timers (RFC 4028), of all calls or of one."""

    policy: Policy = Policy.SUPPORTED
    interval_s: int = 0
    """What is asked for; 0: nothing, with REQUIRED 1800."""
    min_se_s: int = 0
    """The least that a peer may ask for; 0: 90."""
    refresher: Refresher = Refresher.ANY
    """The wish."""

    def __repr__(self) -> str:
        return _differing(self)

    def _numbers(self) -> tuple[int, int, int, int]:
        policy, refresher = fits(self.policy, "policy", 31), fits(self.refresher, "refresher", 31)
        return policy, fits(self.interval_s, "interval_s"), fits(self.min_se_s, "min_se_s"), refresher


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, repr=False)
class Tls:
    """Certificates for TLS of the library's sockets. A text with "-----BEGIN " is PEM itself; any other, and a path, a file
    with PEM, read once."""

    certificates: Papers | None = None
    """Our chain, our own first; None: none, then connections are only opened."""
    key: Papers | None = field(default=None, repr=False)
    """Its private key, not encrypted."""
    authorities: Papers | None = None
    """Whom we trust; None: whom the system trusts."""
    verify: TlsVerify = TlsVerify.NAME
    """What is asked of those that we connect to."""
    clients: Policy = Policy.OFF
    """Whether those that connect to us show a certificate of `authorities`, and must."""
    only_tls13: bool = False

    def __repr__(self) -> str:
        return _differing(self)

    def _to_c(self) -> _ffi.Tls:
        return _ffi.Tls(
            C.sizeof(_ffi.Tls),
            _papers(self.certificates, "certificates"),
            _papers(self.key, "key"),
            _papers(self.authorities, "authorities"),
            fits(self.verify, "verify", 31),
            fits(self.clients, "clients", 31),
            truth(self.only_tls13, "only_tls13"),
        )


def _papers(given: Papers | None, name: str) -> bytes | None:
    return encode_or_none(os.fsencode(given) if isinstance(given, os.PathLike) else given, name)


def tls_struct(tls: Tls | None) -> Any:
    """For a `const sipdlg_tls_t *`."""
    return None if tls is None else C.byref(instance(tls, Tls, "tls")._to_c())


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, repr=False)
class Config:
    """None, and 0 of times and limits, keep the library's default; sipdlg.h says what that is. Other values shown here are
    the default. One configuration may make many agents."""

    aor: Text | None = None
    """From of what we send: a name-addr or URI."""
    contact: Text | None = None
    user_agent: Text | None = None
    """User-Agent and Server; "" sends none."""
    supported: Text | None = None
    allow: Text | None = None
    route_set: Text | None = None
    t1_ms: int = 0
    t2_ms: int = 0
    t4_ms: int = 0
    invite_timeout_ms: int = 0
    """Time to answer an INVITE."""
    other_timeout_ms: int = 0
    """Time to answer any other request."""
    message_bytes: int = 0
    sessions: int = 0
    transactions: int = 0
    memory_bytes: int = 0
    """Held in all; new requests beyond get 503."""
    address_bytes: int = 0
    """Held for one IP address, or /64 of IPv6."""
    calls: int = 0
    """Sessions beyond which no INVITE of a peer's is taken; 0, as of the next three: no limit."""
    unanswered: int = 0
    """Requests out of dialogs without final response, ringing calls too, beyond which none is taken."""
    address_requests: int = 0
    """Requests out of dialogs that one IP address, or /64 of IPv6, may send in a second."""
    address_burst: int = 0
    """The same at once; 0: as many as in a second."""
    connections: int = 0
    """Of the library's sockets at a time; 0: 10000."""
    address_connections: int = 0
    """That one address may have made; 0: any number."""
    idle_s: int = 0
    """When one that nobody needs is closed; 0: after 900 s, -1: never."""
    connect_ms: int = 0
    """In which a peer has to answer; 0: 5000."""
    reconnect_ms: int = 0
    """So long a request in a dialog whose link is lost waits for another; 0: it fails at once."""
    reconnect_by_name: bool = True
    """A client whose host is `*.invalid` takes its dialogs with it when it comes back with any request."""
    datagram_bytes: int = 1300
    """Longer requests go by TCP where they would go by UDP; 0: none do."""
    nat_own: bool = False
    """Our Contact over UDP says where we are seen (`Agent.seen_at`)."""
    nat_peers: bool = False
    """Requests in a dialog go where its messages come from, over UDP too."""
    resolver: Text | None = None
    """Name servers, "127.0.0.1:5353,[::1]:53"; None: those of /etc/resolv.conf."""
    interface: Text | None = None
    """The network interface that the library's sockets go by; None: as routed."""
    dscp: int = 0
    """Of their packets, 1 to 63; 0: the usual."""
    priority: int = 0
    """In the queues of the host, 1 to 6; 0: the usual."""
    keep_alive_s: int = 0
    """So often connections that the library opens are kept alive (RFC 5626); 0: never."""
    outbound: bool = False
    """Our Contact in dialogs says `ob` (RFC 5626 section 4.3)."""
    tls: Tls | None = None
    """None: no certificate of ours; whom the system trusts."""
    websocket_path: Text | None = None
    """What is asked for when we open a WebSocket; None: "/"."""
    websocket_headers: Headers | None = None
    """Of the same request: Origin, Cookie, Authorization."""
    websocket_ping_s: int = 0
    """How often a peer at a WebSocket is asked whether it is there; 0: each 25 s, -1: never."""
    reliable: Policy = Policy.SUPPORTED
    """Provisional responses by RFC 3262."""
    manual_prack: bool = False
    """The host sends every PRACK."""
    session_timer: SessionTimer | None = None
    fork_policy: ForkPolicy | None = None
    resync: bool = False
    """After RESYNC the library sends the description of before."""
    glare_retry: bool = True
    """491 and 500 with Retry-After are retried; per request: `RequestFlag.NO_RETRY`."""
    connected_identity: bool = False
    """Callers are told who answered (RFC 4916)."""
    sips: Policy = Policy.SUPPORTED
    """Calls to SIPS URIs: OFF refuses them, REQUIRED those to SIP URIs (RFC 5630)."""
    effects: tuple[tuple[Text, int, Effect], ...] = ()
    """What failures end, instead of what `effect_of` says: method, status code, effect."""
    info_packages: Text | None = None
    credentials: tuple[Credentials, ...] = ()
    digest_minimum: Text | None = None
    """The weakest algorithm whose challenges are answered: "MD5", "SHA-256", "SHA-512-256"; None: any."""
    tolerance: Quirk | None = None
    seed: int | None = None
    """The same seed and inputs give the same bytes."""
    manual_clock: bool = False
    """Time is what `Agent.set_time` says."""
    trace: TraceKind | None = None
    """What is kept for `Agent.poll_trace`: messages, lines of the log, both; None: nothing."""
    trace_level: LogLevel = LogLevel.INFO
    """Lines up to this level."""
    trace_entries: int = 0
    trace_bytes: int = 0
    """How much is kept; the oldest are lost beyond."""
    redact: Redact | None = None
    """What traces and captures leave out; None: credentials and media keys."""

    def __repr__(self) -> str:
        return _differing(self)

    @contextmanager
    def _made(self) -> Iterator[C.c_void_p]:
        raw = lib.sipdlg_config_new()
        if not raw:
            raise NoMemoryError(Status.ERR_NO_MEMORY)
        config = C.c_void_p(raw)
        try:
            self._fill(config)
            yield config
        finally:
            lib.sipdlg_config_free(config)

    def _fill(self, config: C.c_void_p) -> None:
        for function, name in (
            (lib.sipdlg_config_set_aor, "aor"),
            (lib.sipdlg_config_set_contact, "contact"),
            (lib.sipdlg_config_set_user_agent, "user_agent"),
            (lib.sipdlg_config_set_supported, "supported"),
            (lib.sipdlg_config_set_allow, "allow"),
            (lib.sipdlg_config_set_route_set, "route_set"),
            (lib.sipdlg_config_set_resolver, "resolver"),
            (lib.sipdlg_config_set_info_packages, "info_packages"),
            (lib.sipdlg_config_set_digest_minimum, "digest_minimum"),
        ):
            if (text := getattr(self, name)) is not None:
                check(function(config, encode(text, name)))
        for known in listed(self.credentials, "credentials"):
            known = instance(known, Credentials, "credentials")
            texts = (encode_or_none(known.realm, "realm"), encode(known.user, "user"), encode(known.secret, "secret"))
            algorithm = encode_or_none(known.algorithm, "algorithm")
            check(lib.sipdlg_config_add_credentials(config, *texts, truth(known.is_ha1, "is_ha1"), algorithm))
        check(lib.sipdlg_config_set_timers(config, *numbers(t1_ms=self.t1_ms, t2_ms=self.t2_ms, t4_ms=self.t4_ms)))
        timeouts = numbers(invite_timeout_ms=self.invite_timeout_ms, other_timeout_ms=self.other_timeout_ms)
        check(lib.sipdlg_config_set_answer_timeouts(config, *timeouts))
        limits = numbers(message_bytes=self.message_bytes, sessions=self.sessions, transactions=self.transactions)
        check(lib.sipdlg_config_set_limits(config, *limits))
        memory = [fits(getattr(self, name), name, 64) for name in ("memory_bytes", "address_bytes")]
        check(lib.sipdlg_config_set_memory(config, *memory))
        rates = numbers(address_requests=self.address_requests, address_burst=self.address_burst)
        check(lib.sipdlg_config_set_admission(config, *numbers(calls=self.calls, unanswered=self.unanswered), *rates))
        shares = numbers(connections=self.connections, address_connections=self.address_connections)
        times = (fits(self.idle_s, "idle_s", 31), fits(self.connect_ms, "connect_ms", 32))
        check(lib.sipdlg_config_set_connections(config, *shares, *times))
        wait = fits(self.reconnect_ms, "reconnect_ms", 32)
        check(lib.sipdlg_config_set_reconnect(config, wait, truth(self.reconnect_by_name, "reconnect_by_name")))
        check(lib.sipdlg_config_set_datagram_bytes(config, fits(self.datagram_bytes, "datagram_bytes", 32)))
        check(lib.sipdlg_config_set_nat(config, truth(self.nat_own, "nat_own"), truth(self.nat_peers, "nat_peers")))
        wishes = numbers(dscp=self.dscp, priority=self.priority)
        check(lib.sipdlg_config_set_sockets(config, encode_or_none(self.interface, "interface"), *wishes))
        check(lib.sipdlg_config_set_keep_alive(config, fits(self.keep_alive_s, "keep_alive_s")))
        check(lib.sipdlg_config_set_outbound(config, truth(self.outbound, "outbound")))
        if self.tls is not None:
            check(lib.sipdlg_config_set_tls(config, tls_struct(self.tls)))
        if self.websocket_path is not None or self.websocket_headers is not None or self.websocket_ping_s != 0:
            path = encode_or_none(self.websocket_path, "websocket_path")
            headers = string_array(header_lines(self.websocket_headers))
            ping = fits(self.websocket_ping_s, "websocket_ping_s", 31)
            check(lib.sipdlg_config_set_websocket(config, path, headers, ping))
        check(lib.sipdlg_config_set_reliable(config, fits(self.reliable, "reliable", 31), truth(self.manual_prack, "manual_prack")))
        if self.session_timer is not None:
            terms = instance(self.session_timer, SessionTimer, "session_timer")._numbers()
            check(lib.sipdlg_config_set_session_timer(config, *terms))
        for function, name, bits in (
            (lib.sipdlg_config_set_fork_policy, "fork_policy", 31),
            (lib.sipdlg_config_set_tolerance, "tolerance", 32),
            (lib.sipdlg_config_set_seed, "seed", 64),
            (lib.sipdlg_config_set_redact, "redact", 32),
        ):
            if (number := getattr(self, name)) is not None:
                check(function(config, fits(number, name, bits)))
        check(lib.sipdlg_config_set_resync(config, truth(self.resync, "resync")))
        check(lib.sipdlg_config_set_glare_retry(config, truth(self.glare_retry, "glare_retry")))
        check(lib.sipdlg_config_set_connected_identity(config, truth(self.connected_identity, "connected_identity")))
        check(lib.sipdlg_config_set_sips(config, fits(self.sips, "sips", 31)))
        for row in listed(self.effects, "effects"):
            if not isinstance(row, tuple | list) or len(row) != 3:
                raise wrong("effects", "tuples of method, status code and effect", row)
            method, status, effect = encode(row[0], "effects, method"), code(row[1], "effects, status_code"), row[2]
            check(lib.sipdlg_config_set_effect(config, method, status, fits(effect, "effects, effect", 31)))
        if self.trace is not None:
            kinds, level = fits(self.trace, "trace"), fits(self.trace_level, "trace_level", 31)
            room = numbers(trace_entries=self.trace_entries, trace_bytes=self.trace_bytes)
            check(lib.sipdlg_config_set_trace_ring(config, kinds, level, *room))
        check(lib.sipdlg_config_set_manual_clock(config, truth(self.manual_clock, "manual_clock")))


def listed(values: Iterable[T], name: str) -> Iterable[T]:
    """The list, if it is one."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise wrong(name, "a tuple or list", values)
    return values


def _differing(settings: Credentials | SessionTimer | Tls | Config) -> str:
    """What differs from the default, and no secret."""
    shown = []
    for one in fields(settings):
        value = getattr(settings, one.name)
        if not one.repr:
            shown.append(f"{one.name}=***")
        elif value is not one.default and value != one.default:
            text = decode(value) if isinstance(value, bytes) else value
            shown.append(f"{one.name}={hide(repr(text))}")
    return f"{type(settings).__name__}({', '.join(shown)})"


def numbers(**values: int) -> list[int]:
    return [fits(value, name) for name, value in values.items()]
