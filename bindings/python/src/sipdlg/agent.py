"""Sections "agent" and "runtime": who gets this message; sockets and a thread of the library."""

from __future__ import annotations

import asyncio
import ctypes as C
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, Unpack

from . import _ffi
from ._convert import NONE, Text, code, encode, encode_or_none, fits, text_of, text_or_none, token, token_or_none
from ._ffi import Quirk
from ._loader import lib
from .config import Config
from .errors import check
from .event import Event
from .flow import Flow, Transmit
from .message import Message
from .options import RequestArguments, ResponseArguments, request_options, response_options
from .outgoing import OutgoingRequest
from .session import Session

NO_TIMEOUT = 2**64 - 1


@dataclass(frozen=True, slots=True)
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


class Agent:
    """An agent. Events are polled, never called back.

    `close()` and the end of a `with` end it at once: nothing is sent, so hang up first. So does the garbage collector,
    with a ResourceWarning.
    """

    token = 0
    _closed = True  # until it is made

    def __init__(self, config: Config | None = None) -> None:
        self._waiting: tuple[asyncio.AbstractEventLoop, int, asyncio.Future[None]] | None = None
        out = C.c_uint64()
        with (config or Config())._made() as raw:
            check(lib.sipdlg_agent_new(raw, C.byref(out)))
        self.token = out.value
        self._closed = False

    def close(self) -> None:
        """Ends the agent; `events()` of it ends too. Call it on the thread of the loop that reads them. A second call
        does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._waiting is not None:
            loop, fd, ready = self._waiting
            loop.remove_reader(fd)
            if not ready.done():
                ready.set_result(None)
        check(lib.sipdlg_agent_free(self.token))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed:
            name = repr(self)
            self._closed = True
            lib.sipdlg_agent_free(self.token)
            warnings.warn(f"{name} was not closed", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        return f"<sipdlg.Agent {self.token:#x}{', closed' if self._closed else ''}>"

    # ---- the host's network and clock

    def add_transport(self, flow: Flow, sent_by: Text | None = None) -> None:
        """Says that the host has a socket: transport, local and link of `flow`."""
        check(lib.sipdlg_agent_add_transport(self.token, C.byref(flow._to_c()), encode_or_none(sent_by)))

    def link_closed(self, link: int) -> bool:
        """Says that a socket or connection is gone. False: not known."""
        return check(lib.sipdlg_agent_link_closed(self.token, fits(link, "link", 64))) != NONE

    def receive(self, flow: Flow, data: bytes) -> None:
        """Bytes from the network: a whole datagram, or any piece of a stream. The peer's errors raise nothing."""
        check(lib.sipdlg_agent_receive(self.token, C.byref(flow._to_c()), data, len(data)))

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
        raw = _ffi.Transmit(size=C.sizeof(_ffi.Transmit))
        if check(lib.sipdlg_agent_poll_transmit(self.token, C.byref(raw))) == NONE:
            return None
        return Transmit(raw.id, C.string_at(raw.data, raw.len), Flow._from_c(raw.flow), text_of(raw.host))

    def transmit_failed(self, id: int) -> bool:
        """Says that a message could not be sent. False: no one waits for it any more."""
        return check(lib.sipdlg_agent_transmit_failed(self.token, fits(id, "id", 64))) != NONE

    def resolved(self, query: int, targets: Sequence[Flow]) -> bool:
        """Answers RESOLVE: transport and remote of each count, best first; none: not found. False: no one waits."""
        array = (_ffi.Flow * len(targets))(*(target._to_c() for target in targets))
        return check(lib.sipdlg_agent_resolved(self.token, fits(query, "query", 64), array, len(targets))) != NONE

    # ---- events

    def poll_event(self) -> Event | None:
        """The next event. No default is done until `Event.default` or the answer time-out. One thread at a time."""
        raw = _ffi.Event(size=C.sizeof(_ffi.Event))
        if check(lib.sipdlg_agent_poll_event(self.token, C.byref(raw))) == NONE:
            return None
        return Event(self, raw)

    def poll_events(self) -> Iterator[Event]:
        """Events until none is left."""
        while (event := self.poll_event()) is not None:
            yield event

    def event_fd(self) -> int:
        """Readable while events or transmits wait. Never read, write or close it."""
        out = C.c_int32()
        check(lib.sipdlg_agent_event_fd(self.token, C.byref(out)))
        return out.value

    def wake(self) -> None:
        """Makes the event fd readable once."""
        check(lib.sipdlg_agent_wake(self.token))

    async def events(self) -> AsyncIterator[Event]:
        """Events as they come, for asyncio, after `start`; until the agent is closed. One reader at a time."""
        while not self._closed:
            for _ in range(64):
                if self._closed or (event := self.poll_event()) is None:
                    break
                yield event
            else:
                await asyncio.sleep(0)  # stay fair to the loop
                continue
            if not self._closed:
                await self._readable()

    async def _readable(self) -> None:
        if self._waiting is not None:
            raise RuntimeError("another task reads this agent's events")
        loop, fd = asyncio.get_running_loop(), self.event_fd()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(fd, lambda: None if ready.done() else ready.set_result(None))
        self._waiting = loop, fd, ready
        try:
            await ready
        finally:
            self._waiting = None
            if not self._closed:
                loop.remove_reader(fd)

    # ---- requests out of a dialog, sessions

    def invite(self, target: Text | None, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """INVITE. Sessions appear in PROGRESS and ACCEPT. target None with `refer`: its Refer-To."""
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        made = token(lib.sipdlg_agent_invite, self.token, encode_or_none(target), reference)
        return OutgoingRequest(self, made)

    def request(self, method: Text, target: Text, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """Any other request out of a dialog."""
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        made = token(lib.sipdlg_agent_request, self.token, encode(method), encode(target), reference)
        return OutgoingRequest(self, made)

    def reply_stateless(self, request: Message, status_code: int, **options: Unpack[ResponseArguments]) -> None:
        """Answers a request without a transaction."""
        raw = response_options(options)
        reference = C.byref(raw) if raw is not None else None
        check(lib.sipdlg_agent_reply_stateless(self.token, request._live, code(status_code), reference))

    def sessions(self) -> Iterator[Session]:
        """All sessions, in no particular order; they may come and go meanwhile."""
        previous = 0
        while (found := token_or_none(lib.sipdlg_agent_next_session, self.token, previous)) is not None:
            yield Session(self, found)
            previous = found

    def stats(self) -> Stats:
        """Counters, and what lives now."""
        raw = _ffi.Stats(size=C.sizeof(_ffi.Stats))
        check(lib.sipdlg_agent_stats(self.token, C.byref(raw)))
        numbers = {name: getattr(raw, name) for name in Stats.__slots__ if name != "quirks"}
        return Stats(**numbers, quirks={quirk: raw.quirks[quirk.bit_length() - 1] for quirk in Quirk})

    # ---- the library's network

    def listen(self, address: Text) -> None:
        """Opens a socket: "udp:127.0.0.1:5070"; port 0: any."""
        check(lib.sipdlg_agent_listen(self.token, encode(address)))

    def local_addresses(self) -> list[str]:
        """What is listened on: "udp:127.0.0.1:40712"."""
        found: list[str] = []
        while (address := text_or_none(lib.sipdlg_agent_local_address, self.token, len(found))) is not None:
            found.append(address)
        return found

    def start(self, workers: int = 1) -> None:
        """Network and timers on a thread of the library; events wait to be polled, never in callbacks. This version has
        one worker."""
        check(lib.sipdlg_agent_start(self.token, fits(workers, "workers"), 0))

    def stop(self) -> None:
        """Ends the threads; sessions stay."""
        check(lib.sipdlg_agent_stop(self.token))
