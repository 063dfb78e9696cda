"""Sections "agent" and "runtime": who gets this message; sockets and a thread of the library."""

from __future__ import annotations

import asyncio
import ctypes as C
import os
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from . import _ffi, _process
from ._convert import (
    NONE,
    Octets,
    T,
    Text,
    code,
    encode,
    encode_or_none,
    fits,
    instance,
    octets,
    text_or_none,
    token,
    token_or_none,
    wrong,
)
from ._ffi import Quirk, RegisterAsks
from ._handle import unpicklable
from ._loader import lib
from ._wait import Wait
from .config import Config, Tls, tls_struct
from .errors import BusyError, SipdlgError, StaleError, StateError, check
from .event import Event
from .flow import Endpoint, Flow, Transmit, flow_struct
from .message import Message
from .options import RequestArguments, ResponseArguments, request_options, response_options
from .outgoing import OutgoingRequest
from .session import Session
from .trace import TraceEntry

NO_TIMEOUT = 2**64 - 1
EVENT, TRANSMIT, TRACE = C.sizeof(_ffi.Event), C.sizeof(_ffi.Transmit), C.sizeof(_ffi.TraceEntry)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Stats:
    """Counters since the start, and what lives now."""

    sessions: int
    incoming: int
    outgoing: int
    transactions: int
    timers: int
    bytes: int
    messages_received: int
    messages_sent: int
    retransmissions_received: int
    retransmissions_sent: int
    dropped_malformed: int
    dropped_limit: int
    answered_limit: int
    calls_placed: int
    calls_received: int
    calls_confirmed: int
    longest_callback_us: int
    quirks: dict[Quirk, int]
    maddr_ignored: int
    refused_malformed: int
    refused_method: int
    refused_scheme: int
    refused_extension: int
    refused_content: int
    refused_merged: int
    refused_unknown: int
    refused_order: int
    refused_state: int
    refused_memory: int
    refused_default: int
    dropped_response: int
    dropped_ack: int
    dropped_stream: int
    ignored_challenges: int
    refused_sessions: int
    refused_calls: int
    refused_unanswered: int
    refused_rate: int
    dropped_behind: int
    trace_lost: int
    capture_lost: int
    connections: int
    connections_refused: int
    transmits_full: int


class Agent:
    """An agent. Events are polled, never called back.

    `close()` and the end of a `with` end it at once: nothing is sent, so hang up first. So does the garbage collector,
    with a ResourceWarning. There is one owner: an agent is neither copied nor pickled.
    """

    token = 0
    _closed = True  # no reader goes on
    _freed = True  # until it is made
    _started = False
    _hosted = False  # the host has a network of its own
    _listening = False
    _taking = False  # a thread copies what is borrowed until the next call
    _to_free = False  # by that thread
    _c_free: Callable[[int], int] = lib.sipdlg_agent_free

    def __init__(self, config: Config | None = None) -> None:
        self._lock = threading.RLock()
        self._forks = _process.forks
        self._waiting: Wait | None = None
        out = C.c_uint64()
        with instance(Config() if config is None else config, Config, "config")._made() as raw:
            check(lib.sipdlg_agent_new(raw, C.byref(out)))
        self.token = out.value
        self._closed = self._freed = False

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        return self._closed

    @property
    def started(self) -> bool:
        """Whether the library's thread runs."""
        return self._started and not self._closed

    def close(self) -> None:
        """Ends the agent, from any thread and whatever became of the loop that read its events; `events()` of it ends
        too, and the event fd becomes readable once more. A second call does nothing."""
        if self._is_foreign():
            # The lock may be held for ever: its holder did not come along.
            self._closed = True
            if not self._freed:
                self._c_free(self.token)
                self._freed = True
            return
        with self._lock:
            self._closed = True
            if self._taking:  # this thread, interrupted
                self._to_free = True
            elif not self._freed:  # also one that was interrupted before
                self._free()

    def _free(self) -> None:
        # Who waits on the descriptor, in a loop or by itself, looks up and finds the agent closed.
        lib.sipdlg_agent_wake(self.token)
        status = self._c_free(self.token)
        self._freed = True
        if self._waiting is not None and self._waiting.loop.is_closed():
            self._waiting.end()
        if status != _ffi.Status.ERR_STALE:
            check(status)

    def _is_foreign(self) -> bool:
        """In a child after fork(): what is here is a memory of the parent's."""
        return self._forks != _process.forks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Names of the module may be gone when the interpreter ends.
    def __del__(self, process: Any = _process, warn: Callable[..., None] = warnings.warn) -> None:
        if not self._freed:
            self._closed = True
            self._c_free(self.token)
            self._freed = True
            if self._forks == process.forks:
                text = f"<sipdlg.Agent {self.token:#x}> was not closed"
                warn(text, ResourceWarning, stacklevel=2, source=self)

    def __copy__(self) -> NoReturn:
        raise TypeError("a sipdlg.Agent cannot be copied: closing one would end both; pass it on as it is")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise unpicklable(self, "make one there from the same Config")

    def __repr__(self) -> str:
        return f"<sipdlg.Agent {self.token:#x} {self._told()}>"

    def _told(self) -> str:
        if self._closed:
            return "closed"
        if self._is_foreign():
            return "of another process"
        state = "started" if self._started else "on the host's network" if self._hosted else "not started"
        try:
            # Asked of an agent without a socket this would open its network.
            return " ".join([*(self.local_addresses() if self._listening else ()), state])
        except SipdlgError as error:
            return type(error).__name__

    # ---- the host's network and clock

    def add_transport(self, flow: Flow, sent_by: Text | None = None) -> None:
        """Says that the host has a socket: transport, local and link of `flow`."""
        raw = C.byref(flow_struct(flow))
        check(lib.sipdlg_agent_add_transport(self.token, raw, encode_or_none(sent_by, "sent_by")))
        self._hosted = True

    def link_closed(self, link: int) -> bool:
        """Says that a socket or connection is gone. False: not known."""
        return check(lib.sipdlg_agent_link_closed(self.token, fits(link, "link", 64))) != NONE

    def seen_at(self, flow: Flow) -> Endpoint | None:
        """Where peers see the socket that a flow goes by (`Config.nat_own`). None: at its own address."""
        out = _ffi.Endpoint()
        status = check(lib.sipdlg_agent_seen_at(self.token, C.byref(flow_struct(flow)), C.byref(out)))
        return None if status == NONE else Endpoint._from_c(out)

    def move_link(self, link: int, to: Flow) -> int:
        """Moves all dialogs of one link, closed or not, to another flow. How many."""
        out = C.c_size_t()
        check(lib.sipdlg_agent_move_link(self.token, fits(link, "link", 64), C.byref(flow_struct(to, "to")), C.byref(out)))
        return out.value

    def receive(self, flow: Flow, data: Octets) -> None:
        """Bytes from the network: a whole datagram, or any piece of a stream. The peer's errors raise nothing."""
        given = octets(data, "data")
        check(lib.sipdlg_agent_receive(self.token, C.byref(flow_struct(flow)), given, len(given)))

    def handle_timeout(self) -> None:
        """Carries out all timers that are due."""
        check(lib.sipdlg_agent_handle_timeout(self.token))

    def next_timeout(self) -> int | None:
        """Microseconds until `handle_timeout` is due; 0 also while events or transmits wait; None: no timer runs."""
        out = C.c_uint64()
        check(lib.sipdlg_agent_next_timeout(self.token, C.byref(out)))
        return None if out.value == NO_TIMEOUT else out.value

    def set_time(self, monotonic_us: int, unix_us: int) -> None:
        """Manual clock only. Then call `handle_timeout`."""
        check(
            lib.sipdlg_agent_set_time(self.token, fits(monotonic_us, "monotonic_us", 64), fits(unix_us, "unix_us", 64))
        )

    def poll_transmit(self) -> Transmit | None:
        """The next message to send. One thread at a time."""
        return self._undisturbed(self._take_transmit)

    def _take_transmit(self) -> Transmit | None:
        raw = _ffi.Transmit(size=TRANSMIT)
        if check(lib.sipdlg_agent_poll_transmit(self.token, C.byref(raw))) == NONE:
            return None
        return Transmit._from_c(raw)

    def transmit_failed(self, id: int) -> bool:
        """Says that a message could not be sent. False: no one waits for it any more."""
        return check(lib.sipdlg_agent_transmit_failed(self.token, fits(id, "id", 64))) != NONE

    def transmit_goes_by(self, id: int, flow: Flow) -> bool:
        """Says by which connection a request with link 0 goes. False: no one waits to hear that."""
        raw = C.byref(flow_struct(flow))
        return check(lib.sipdlg_agent_transmit_goes_by(self.token, fits(id, "id", 64), raw)) != NONE

    def resolved(self, query: int, targets: Iterable[Flow]) -> bool:
        """Answers RESOLVE: transport and remote of each count, best first; none: not found. False: no one waits."""
        if not isinstance(targets, Iterable):
            raise wrong("targets", "a list", targets)
        flows = [flow_struct(target, "targets") for target in targets]
        array = (_ffi.Flow * len(flows))(*flows)
        return check(lib.sipdlg_agent_resolved(self.token, fits(query, "query", 64), array, len(flows))) != NONE

    # ---- events

    def poll_event(self) -> Event | None:
        """The next event. No default is done until `Event.default` or the answer time-out. One thread at a time."""
        return self._undisturbed(self._take_event)

    def _take_event(self) -> Event | None:
        raw = _ffi.Event(size=EVENT)
        return None if check(lib.sipdlg_agent_poll_event(self.token, C.byref(raw))) == NONE else Event(self, raw)

    def _undisturbed(self, take: Callable[[], T]) -> T:
        """Copies what the library lends: no other thread takes the next meanwhile, and none ends the agent."""
        if self._forks != _process.forks:
            return take()  # which is refused; the lock may be held for ever
        with self._lock:
            if self._taking:
                raise BusyError(_ffi.Status.ERR_BUSY, "this thread was interrupted while it took the one before")
            self._taking = True
            try:
                return take()
            finally:
                self._taking = False
                if self._to_free and not self._freed:
                    self._free()

    def poll_events(self) -> Iterator[Event]:
        """Events until none is left, or the agent is closed meanwhile."""
        event = self.poll_event()
        while event is not None:
            yield event
            event = self._unless_closed(self.poll_event)

    def poll_trace(self) -> TraceEntry | None:
        """The oldest message or line that `Config.trace` has kept. Works with `start` too; nothing wakes a host for it.
        StateError where the configuration keeps nothing."""
        return self._undisturbed(self._take_trace)

    def _take_trace(self) -> TraceEntry | None:
        raw = _ffi.TraceEntry(size=TRACE)
        return None if check(lib.sipdlg_agent_poll_trace(self.token, C.byref(raw))) == NONE else TraceEntry._from_c(raw)

    def poll_traces(self) -> Iterator[TraceEntry]:
        """Entries until none is left, or the agent is closed meanwhile."""
        while (entry := self._unless_closed(self.poll_trace)) is not None:
            yield entry

    def capture_pcap(self, path: Text | os.PathLike[str] | None) -> None:
        """Writes every message from now on into a new pcap file; None: no more."""
        name = os.fspath(path) if isinstance(path, os.PathLike) else path
        check(lib.sipdlg_agent_capture_pcap(self.token, encode_or_none(name, "path")))

    def capture_hep(self, address: Text | None, capture_id: int = 0, password: Text | None = None) -> None:
        """Sends every message from now on as HEP3 to the collector at "host:port"; None: no more."""
        texts = encode_or_none(address, "address"), fits(capture_id, "capture_id"), encode_or_none(password, "password")
        check(lib.sipdlg_agent_capture_hep(self.token, *texts))

    def event_fd(self) -> int:
        """Readable while events or transmits wait. Never read, write or close it."""
        out = C.c_int32()
        check(lib.sipdlg_agent_event_fd(self.token, C.byref(out)))
        return out.value

    def wake(self) -> None:
        """Makes the event fd readable once."""
        check(lib.sipdlg_agent_wake(self.token))

    def trim(self) -> None:
        """Gives memory back after a peak of calls, for hosts with their own sockets; `start()` does it by itself."""
        check(lib.sipdlg_agent_trim(self.token))

    async def events(self) -> AsyncIterator[Event]:
        """Events as they come, for asyncio; until the agent is closed. StateError where nothing would ever come, because
        the agent is not started; a wait that runs goes on through `stop` and `start`. One reader at a time; one whose
        loop does not run any more gives way to the next."""
        while not self._closed:
            for _ in range(64):
                if (event := self._unless_closed(self.poll_event)) is None:
                    break
                yield event
            else:
                await asyncio.sleep(0)  # stay fair to the loop
                continue
            await self._readable()

    def _unless_closed(self, call: Callable[[], T]) -> T | None:
        """None also where another thread closes the agent now."""
        try:
            return None if self._closed else call()
        except StaleError:
            if self._closed:
                return None
            raise

    async def _readable(self) -> None:
        if self._closed:
            return
        if not (self._started or self._hosted):
            raise StateError(_ffi.Status.ERR_STATE, "the agent is not started, so no event will come: call start() first")
        former = self._waiting
        if former is not None and former.lives():
            raise RuntimeError("another task reads this agent's events")
        loop = asyncio.get_running_loop()  # refused where there is none, before there is something to close
        fd = self._unless_closed(lambda: self._undisturbed(lambda: os.dup(self.event_fd())))
        if fd is None:
            return
        wait = self._waiting = Wait(loop, fd)
        if former is not None:
            former.lose()
        try:
            await wait.ready
            if self._waiting is not wait and not self._closed:
                raise RuntimeError("another loop reads this agent's events since this one stopped")
        finally:
            wait.end()
            if self._waiting is wait:
                self._waiting = None

    # ---- requests out of a dialog, sessions

    def invite(self, target: Text | None, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """INVITE. Sessions appear in PROGRESS and ACCEPT. target None with `refer`: its Refer-To."""
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        made = token(lib.sipdlg_agent_invite, self.token, encode_or_none(target, "target"), reference)
        return OutgoingRequest(self, made)

    def request(self, method: Text, target: Text, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """Any other request out of a dialog."""
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        given = encode(method, "method"), encode(target, "target")
        made = token(lib.sipdlg_agent_request, self.token, *given, reference)
        return OutgoingRequest(self, made)

    def register(
        self,
        registrar: Text,
        *,
        asks: RegisterAsks = RegisterAsks.BIND,
        expires_s: int = 0,
        cseq: int = 0,
        reg_id: int = 0,
        instance: Text | None = None,
        **options: Unpack[RequestArguments],
    ) -> OutgoingRequest:
        """REGISTER; what came of it says `Message.registered` of the request. `cseq`: the `next_cseq` from there."""
        size, urn = C.sizeof(_ffi.Register), encode_or_none(instance, "instance")
        number = fits(asks, "asks", 31)
        terms = [fits(value, name) for name, value in (("expires_s", expires_s), ("cseq", cseq), ("reg_id", reg_id))]
        given = encode(registrar, "registrar"), C.byref(_ffi.Register(size, number, *terms, urn))
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        return OutgoingRequest(self, token(lib.sipdlg_agent_register, self.token, *given, reference))

    def backoff_ms(self, failures: int, *, base_s: int = 0, most_s: int = 0) -> int:
        """How long to wait after so many registrations in a row that failed (RFC 5626 section 4.5); drawn."""
        delay = C.c_uint64()
        terms = [fits(value, name) for name, value in (("failures", failures), ("base_s", base_s), ("most_s", most_s))]
        check(lib.sipdlg_agent_backoff(self.token, *terms, C.byref(delay)))
        return delay.value

    def keep_alive(self, flow: Flow, every_s: int) -> None:
        """Keeps a flow alive (RFC 5626 section 4.4); 0: no more. Without an answer a `Transmit` without data says: close it."""
        check(lib.sipdlg_agent_keep_alive(self.token, C.byref(flow_struct(flow)), fits(every_s, "every_s")))

    def unreachable(self, flow: Flow, data: Octets) -> bool:
        """Says that a datagram to `flow.remote` did not arrive, of which ICMP quotes this. False: nobody waits for it."""
        whole = octets(data, "data")
        return check(lib.sipdlg_agent_unreachable(self.token, C.byref(flow_struct(flow)), whole, len(whole))) != NONE

    def reply_stateless(self, request: Message, status_code: int, **options: Unpack[ResponseArguments]) -> None:
        """Answers a request without a transaction."""
        raw = response_options(options)
        reference = C.byref(raw) if raw is not None else None
        kept = instance(request, Message, "request")._live
        check(lib.sipdlg_agent_reply_stateless(self.token, kept, code(status_code), reference))

    def sessions(self) -> Iterator[Session]:
        """All sessions, in no particular order; they may come and go meanwhile, and the agent be closed."""
        found = self._next_session(0)
        while found is not None:
            yield Session(self, found)
            previous = found
            found = self._unless_closed(lambda: self._next_session(previous))

    def _next_session(self, previous: int) -> int | None:
        return token_or_none(lib.sipdlg_agent_next_session, self.token, previous)

    def stats(self) -> Stats:
        """Counters, and what lives now."""
        raw = _ffi.Stats(size=C.sizeof(_ffi.Stats))
        check(lib.sipdlg_agent_stats(self.token, C.byref(raw)))
        numbers = {one.name: getattr(raw, one.name) for one in fields(Stats) if one.name != "quirks"}
        return Stats(**numbers, quirks={quirk: raw.quirks[quirk.bit_length() - 1] for quirk in Quirk})

    # ---- the library's network

    def listen(self, address: Text) -> None:
        """Opens a socket: "udp:127.0.0.1:5070", "wss:[::]:443"; port 0: any; without, of all but UDP: only to connect."""
        check(lib.sipdlg_agent_listen(self.token, encode(address, "address")))
        self._listening = True

    def local_addresses(self) -> list[str]:
        """What is listened on: "udp:127.0.0.1:40712"."""
        found: list[str] = []
        while (address := text_or_none(lib.sipdlg_agent_local_address, self.token, len(found))) is not None:
            found.append(address)
        return found

    def set_tls(self, tls: Tls | None) -> None:
        """Other certificates from now on; what is connected stays. On an error those before remain."""
        check(lib.sipdlg_agent_set_tls(self.token, tls_struct(tls)))

    def peer_names(self, link: int) -> list[str]:
        """Whom the certificate of the peer at a connection (`link` of `Message.flow`) names: "sip:example.com" or
        "example.com"; nobody without one."""
        number = fits(link, "link", 64)
        found: list[str] = []
        while (name := text_or_none(lib.sipdlg_agent_peer_name, self.token, number, len(found))) is not None:
            found.append(name)
        return found

    def upgrade_headers(self, link: int, name: Text) -> list[str]:
        """The headers of this name in the request by which a peer has opened the WebSocket `link` (of `Message.flow`):
        "Origin", "Cookie"; of one that we have opened, in the peer's response."""
        (number, text) = (fits(link, "link", 64), encode(name, "name"))
        found: list[str] = []
        while (value := text_or_none(lib.sipdlg_agent_upgrade_header, self.token, number, text, len(found))) is not None:
            found.append(value)
        return found

    def upgrade_path(self, link: int) -> str | None:
        """The path that a peer has asked for by that request, with its query."""
        return text_or_none(lib.sipdlg_agent_upgrade_header, self.token, fits(link, "link", 64), None, 0)

    def start(self, workers: int = 1) -> None:
        """Network and timers on a thread of the library; events wait to be polled, never in callbacks. This version has
        one worker."""
        given = fits(workers, "workers")
        self._begin_or_end(lambda: lib.sipdlg_agent_start(self.token, given, 0), True)

    def stop(self) -> None:
        """Ends the threads; sessions stay."""
        self._begin_or_end(lambda: lib.sipdlg_agent_stop(self.token), False)

    def _begin_or_end(self, call: Callable[[], int], started: bool) -> None:
        """One thread at a time, so that what is remembered is what the last call has done."""
        with nullcontext() if self._is_foreign() else self._lock:
            check(call())
            self._started = started
