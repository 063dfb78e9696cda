"""Links of a host: lost, moved, told."""

from __future__ import annotations

import pytest
import sipdlg
from pair import ANSWER, OFFER
from sipdlg import Agent, Config, Endpoint, EventKind, Flow, Reason, Transport

HERE = Endpoint("192.0.2.1", 5060)


def at(link: int) -> Flow:
    return Flow(Transport.WSS, HERE, Endpoint("192.0.2.2", 40_000 + link), link)


INVITE = f"""INVITE sip:alice@192.0.2.1 SIP/2.0
Via: SIP/2.0/WSS abcdefgh0123.invalid;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:bob@example.com>;tag=b
To: <sip:alice@example.com>
Call-ID: c1
CSeq: 1 INVITE
Contact: <sip:x@abcdefgh0123.invalid;transport=ws>
Content-Type: application/sdp
Content-Length: {len(OFFER)}

""".replace("\n", "\r\n") + OFFER


def called() -> tuple[Agent, sipdlg.Session]:
    agent = Agent(Config(aor="sip:alice@example.com", seed=1, manual_clock=True))
    agent.add_transport(Flow(Transport.WSS, HERE, link=1))
    agent.receive(at(70), INVITE.encode())
    event = agent.poll_event()
    assert event is not None and event.incoming is not None
    session = event.incoming.accept(body=ANSWER)
    assert session is not None
    return agent, session


def take(agent: Agent, kind: EventKind) -> sipdlg.Event:
    return next(event for event in agent.poll_events() if event.kind is kind)


def test_a_lost_link_and_another() -> None:
    agent, session = called()
    with agent:
        assert session.flow == at(70)
        assert agent.link_closed(70)
        event = take(agent, EventKind.LINK_LOST)
        assert (event.session, event.query, event.reason) == (session, 70, Reason.TRANSPORT)
        assert session.flow is None
        assert agent.move_link(70, at(71)) == 1 and agent.move_link(70, at(71)) == 0
        assert session.flow == at(71)
        session.set_flow(at(72))
        assert session.flow == at(72)
        with pytest.raises(sipdlg.ArgumentError):
            agent.move_link(0, at(71))


def test_the_host_says_by_which_connection() -> None:
    with Agent(Config(seed=1, manual_clock=True)) as agent:
        agent.add_transport(Flow(Transport.TCP, HERE, link=1))
        agent.invite("sip:bob@192.0.2.2;transport=tcp", body=OFFER)
        out = agent.poll_transmit()
        assert out is not None and out.flow.link == 0
        assert agent.transmit_goes_by(out.id, Flow(Transport.TCP, HERE, out.flow.remote, 9))
        assert agent.link_closed(9)
        assert not agent.transmit_goes_by(out.id, Flow(Transport.TCP, HERE, out.flow.remote, 9))
