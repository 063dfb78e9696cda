"""Three agents on loopback UDP: alice calls bob, holds him, takes him back, sends a digit and a text, and refers him to carol; bob calls
carol, and alice hears how that went although her own call is over. Prints what each of them sees as a ladder.

    python examples/transfer_and_hold.py
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack

import sipdlg
from sipdlg import Body, Event, EventKind

NAMES = ("alice", "bob", "carol")
WIDTH = 34


def sdp(version: int = 0, direction: str = "sendrecv") -> str:
    return (
        f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
    )


class Party:
    """An agent with its address."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.agent = sipdlg.Agent(sipdlg.Config(aor=f"sip:{name}@example.com"))
        self.agent.listen("udp:127.0.0.1:0")
        self.agent.start()
        (address,) = self.agent.local_addresses()
        self.address = address.removeprefix("udp:")
        self.uri = f"sip:{name}@{self.address}"


class Ladder:
    """Draws what arrives as an arrow from who sent it."""

    def __init__(self, parties: list[Party]) -> None:
        self.places = {party.address: place for place, party in enumerate(parties)}
        print("".join(party.name.ljust(WIDTH) for party in parties).rstrip())

    def draw(self, receiver: Party, event: Event) -> None:
        message = event.message
        if message is None or message.flow is None or event.kind is EventKind.TERMINATED:
            return
        source, target = self.places[str(message.flow.remote)], self.places[receiver.address]
        text = message.method if message.status_code == 0 else f"{message.status_code} {message.method}"
        if event.kind is EventKind.NOTIFY:
            text += f" ({event.status_code})"
        between = abs(target - source) * WIDTH - 4
        shaft = f" {text} ".center(between, "-")
        arrow = f"|{shaft}>|" if target > source else f"|<{shaft}|"
        print(" " * (min(source, target) * WIDTH) + arrow)


async def seen(party: Party, ladder: Ladder) -> AsyncIterator[Event]:
    async for event in party.agent.events():
        ladder.draw(party, event)
        yield event


async def alice(me: Party, bob: Party, carol: Party, ladder: Ladder) -> int:
    """Calls, holds, ... The result is what the last NOTIFY said."""
    me.agent.invite(bob.uri, body=sdp())
    session: sipdlg.Session | None = None
    transfer: sipdlg.OutgoingRequest | None = None
    accepted, told, over = 0, 0, False
    async for event in seen(me, ladder):
        match event.kind:
            case EventKind.ACCEPT if event.session is not None:
                session = event.session
                accepted += 1
                match accepted:
                    case 1:
                        session.invite(body=sdp(1, "sendonly"))
                    case 2:
                        session.invite(body=sdp(2))
                    case 3:
                        session.info(body=Body("Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"))
                    case 4:
                        session.message(body=Body("I connect you with carol.", "text/plain"))
                    case 5:
                        transfer = session.refer(carol.uri)
                    case 6:
                        # The NOTIFYs of the transfer do not need the call any more (RFC 5057).
                        session.hangup()
            case EventKind.NOTIFY if transfer is not None and event.outgoing == transfer:
                told = event.status_code
                event.default()
            case EventKind.REJECT:
                raise SystemExit(f"step {accepted} got {event.status_code}")
            case EventKind.TERMINATED:
                over = True
            case _:
                event.default()
        if over and told >= 200:
            return told
    raise SystemExit("alice's agent ended early")


async def bob(me: Party, ladder: Ladder) -> None:
    async for event in seen(me, ladder):
        match event.kind:
            case EventKind.INVITE | EventKind.REINVITE if event.incoming is not None:
                event.incoming.accept(body=sdp())
            case EventKind.INFO | EventKind.MESSAGE if event.incoming is not None:
                event.incoming.accept()
            case EventKind.REFER if event.incoming is not None:
                # Its 200 and the NOTIFYs go out by themselves.
                me.agent.invite(None, refer=event.incoming, body=sdp())
            case _:
                event.default()


async def carol(me: Party, ladder: Ladder) -> None:
    async for event in seen(me, ladder):
        if event.kind is EventKind.INVITE and event.incoming is not None:
            event.incoming.progress(180)
            event.incoming.accept(body=sdp())
        else:
            event.default()


async def main() -> None:
    with ExitStack() as stack:
        parties = [Party(name) for name in NAMES]
        for party in parties:
            stack.enter_context(party.agent)
        ladder = Ladder(parties)
        serving = [asyncio.create_task(bob(parties[1], ladder)), asyncio.create_task(carol(parties[2], ladder))]
        told = await alice(parties[0], parties[1], parties[2], ladder)
        for session in parties[1].agent.sessions():
            session.hangup()
        while any(True for _ in parties[1].agent.sessions()):
            await asyncio.sleep(0.01)
        for party in parties:
            party.agent.close()
        await asyncio.gather(*serving)
    if told != 200:
        raise SystemExit(f"the transfer failed: {told}")
    print("hold, resume, INFO, MESSAGE, REFER: bob and carol talked, and alice was told", told)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 20))
