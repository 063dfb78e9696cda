"""Two agents in one process, wired in memory, in virtual time."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from sipdlg import Agent, Config, Endpoint, Event, Flow, Transport

OFFER = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
HOLD = OFFER.replace("- 1 1", "- 1 2") + "a=sendonly\r\n"
ANSWER = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n"
ALICE, BOB = "sip:alice@192.0.2.1", "sip:bob@192.0.2.2"


class Side:
    """An agent, and its events that the test has not looked at."""

    def __init__(self, aor: str, host: str, seed: int, **settings: Any) -> None:
        self.agent = Agent(Config(aor=aor, seed=seed, manual_clock=True, **settings))
        self.here = Endpoint(host, 5060)
        self.agent.add_transport(Flow(Transport.UDP, self.here, link=1))
        self.events: list[Event] = []

    def flow_from(self, other: Side) -> Flow:
        """The way from the other side to here."""
        return Flow(Transport.UDP, self.here, other.here, 1)

    def take(self, kind: int) -> Event:
        """The first event of a kind; those before it are dropped."""
        while self.events:
            event = self.events.pop(0)
            if event.kind == kind:
                return event
        raise AssertionError(f"no event {kind!r}")


class Pair:
    """alice and bob."""

    def __init__(self, **settings: Any) -> None:
        """settings: of both."""
        self.now = 1_000_000
        self.wire: list[bytes] = []
        self.alice, self.bob = Side(ALICE, "192.0.2.1", 1, **settings), Side(BOB, "192.0.2.2", 2, **settings)
        self.sides = (self.alice, self.bob)
        self.set_time()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for side in self.sides:
            side.agent.close()

    def replace_alice(self) -> None:
        """Another agent at alice's address; what the former knew is gone."""
        self.alice.agent.close()
        self.alice = Side(ALICE, "192.0.2.1", 3)
        self.sides = (self.alice, self.bob)
        self.set_time()

    def set_time(self) -> None:
        for side in self.sides:
            side.agent.set_time(self.now, 1_700_000_000_000_000 + self.now)

    def exchange(self) -> None:
        """Carries messages and takes events until nothing is left to do now."""
        busy = True
        while busy:
            busy = False
            for side in self.sides:
                for event in side.agent.poll_events():
                    side.events.append(event)
                    busy = True
                while (out := side.agent.poll_transmit()) is not None:
                    busy = True
                    self.wire.append(out.data)
                    to = next(other for other in self.sides if other.here == out.flow.remote)
                    to.agent.receive(Flow(out.flow.transport, to.here, side.here, 1), out.data)

    def advance(self, ms: int) -> None:
        """Lets time pass, each timer at its moment."""
        end = self.now + ms * 1000
        self.exchange()
        while True:
            delays = [delay for side in self.sides if (delay := side.agent.next_timeout()) is not None]
            self.now = min([end, *(self.now + delay for delay in delays)])
            self.set_time()
            for side in self.sides:
                side.agent.handle_timeout()
            self.exchange()
            if self.now == end:
                return

    def trace(self) -> list[str]:
        """What went over the wire since the last call: "INVITE", "200 INVITE"."""
        lines = []
        for data in self.wire:
            words = data.split(b"\r\n", 1)[0].decode().split()
            method = next(line for line in data.split(b"\r\n") if line.startswith(b"CSeq:")).split()[2].decode()
            lines.append(f"{words[1]} {method}" if words[0] == "SIP/2.0" else words[0])
        self.wire.clear()
        return lines
