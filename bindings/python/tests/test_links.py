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


def called(config: Config | None = None) -> tuple[Agent, sipdlg.Session]:
    agent = Agent(config or Config(aor="sip:alice@example.com", seed=1, manual_clock=True))
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


def test_a_page_comes_back() -> None:
    config = Config(aor="sip:alice@example.com", seed=1, manual_clock=True, reconnect_ms=30_000)
    agent, session = called(config)
    with agent:
        agent.link_closed(70)
        for _ in agent.poll_events():
            pass
        session.options()
        while agent.poll_transmit() is not None:
            pass
        options = INVITE.partition("Contact")[0].replace("INVITE", "OPTIONS").replace("c1", "c2")
        agent.receive(at(71), (options.replace("z9hG4bK1", "z9hG4bK2") + "Content-Length: 0\r\n\r\n").encode())
        out = agent.poll_transmit()
        assert out is not None and out.flow.link == 71 and out.data.startswith(b"OPTIONS")


def test_seen_elsewhere() -> None:
    with Agent(Config(seed=1, manual_clock=True, nat_own=True, nat_peers=True, datagram_bytes=0)) as agent:
        flow = Flow(Transport.UDP, HERE, Endpoint("192.0.2.2", 5060), 1)
        agent.add_transport(flow)
        assert agent.seen_at(flow) is None
        agent.request("REGISTER", "sip:192.0.2.2")
        out = agent.poll_transmit()
        assert out is not None
        lines = out.data.replace(b";rport", b";received=198.51.100.7;rport=40123").split(b"\r\n")
        kept = [line for line in lines if line.partition(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
        agent.receive(flow, b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]))
        assert agent.seen_at(flow) == Endpoint("198.51.100.7", 40123)
        with pytest.raises(sipdlg.NoTransportError):
            agent.seen_at(Flow(Transport.TLS, HERE))


def test_the_host_says_by_which_connection() -> None:
    with Agent(Config(seed=1, manual_clock=True)) as agent:
        agent.add_transport(Flow(Transport.TCP, HERE, link=1))
        agent.invite("sip:bob@192.0.2.2;transport=tcp", body=OFFER)
        out = agent.poll_transmit()
        assert out is not None and out.flow.link == 0
        assert agent.transmit_goes_by(out.id, Flow(Transport.TCP, HERE, out.flow.remote, 9))
        assert agent.link_closed(9)
        assert not agent.transmit_goes_by(out.id, Flow(Transport.TCP, HERE, out.flow.remote, 9))
