"""Section "config": the settings of an agent."""

from __future__ import annotations

import ctypes as C
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ._convert import Text, code, encode, encode_or_none, fits
from ._ffi import Effect, ForkPolicy, Policy, Quirk, Status
from ._loader import lib
from .errors import NoMemoryError, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """For digest: `secret` is a password, or with `is_ha1` the hexadecimal HA1 of `algorithm`."""

    realm: Text | None = None
    """None: any."""
    user: Text
    secret: Text = field(repr=False)
    is_ha1: bool = False
    algorithm: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
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
    reliable: Policy = Policy.SUPPORTED
    """Provisional responses by RFC 3262."""
    manual_prack: bool = False
    """The host sends every PRACK."""
    fork_policy: ForkPolicy | None = None
    glare_retry: bool = True
    """491 and 500 with Retry-After are retried; per request: `RequestFlag.NO_RETRY`."""
    effects: tuple[tuple[Text, int, Effect], ...] = ()
    """What failures end, instead of what `effect_of` says: method, status code, effect."""
    info_packages: Text | None = None
    credentials: tuple[Credentials, ...] = ()
    tolerance: Quirk | None = None
    seed: int | None = None
    """The same seed and inputs give the same bytes."""
    manual_clock: bool = False
    """Time is what `Agent.set_time` says."""

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
        for function, text in (
            (lib.sipdlg_config_set_aor, self.aor),
            (lib.sipdlg_config_set_contact, self.contact),
            (lib.sipdlg_config_set_user_agent, self.user_agent),
            (lib.sipdlg_config_set_supported, self.supported),
            (lib.sipdlg_config_set_allow, self.allow),
            (lib.sipdlg_config_set_route_set, self.route_set),
            (lib.sipdlg_config_set_info_packages, self.info_packages),
        ):
            if text is not None:
                check(function(config, encode(text)))
        for known in self.credentials:
            texts = (encode_or_none(known.realm), encode(known.user), encode(known.secret))
            algorithm = encode_or_none(known.algorithm)
            check(lib.sipdlg_config_add_credentials(config, *texts, known.is_ha1, algorithm))
        check(lib.sipdlg_config_set_timers(config, *numbers(t1_ms=self.t1_ms, t2_ms=self.t2_ms, t4_ms=self.t4_ms)))
        timeouts = numbers(invite_timeout_ms=self.invite_timeout_ms, other_timeout_ms=self.other_timeout_ms)
        check(lib.sipdlg_config_set_answer_timeouts(config, *timeouts))
        limits = numbers(message_bytes=self.message_bytes, sessions=self.sessions, transactions=self.transactions)
        check(lib.sipdlg_config_set_limits(config, *limits))
        check(lib.sipdlg_config_set_reliable(config, fits(self.reliable, "reliable", 31), self.manual_prack))
        for function, number, bits in (
            (lib.sipdlg_config_set_fork_policy, self.fork_policy, 31),
            (lib.sipdlg_config_set_tolerance, self.tolerance, 32),
            (lib.sipdlg_config_set_seed, self.seed, 64),
        ):
            if number is not None:
                check(function(config, fits(number, "seed, fork_policy or tolerance", bits)))
        check(lib.sipdlg_config_set_glare_retry(config, self.glare_retry))
        for method, status, effect in self.effects:
            check(lib.sipdlg_config_set_effect(config, encode(method), code(status), fits(effect, "effect", 31)))
        check(lib.sipdlg_config_set_manual_clock(config, self.manual_clock))


def numbers(**values: int) -> list[int]:
    return [fits(value, name) for name, value in values.items()]
