"""What the library drops or refuses by itself is counted, each kind of rule in a field of its own."""

from __future__ import annotations

import pytest

from sipdlg import Agent, Config, Endpoint, Flow, Transport


@pytest.mark.parametrize(
    ("change", "counter"),
    [
        (("OPTIONS sip", "hello"), "dropped_malformed"),
        (("1 OPTIONS", "1 INVITE"), "refused_malformed"),
        (("OPTIONS", "FOO"), "refused_method"),
        (("sip:bob@192.0.2.1 SIP", "mailto:bob@192.0.2.1 SIP"), "refused_scheme"),
        (("CSeq", "Require: foo\r\nCSeq"), "refused_extension"),
        (("192.0.2.1>\r\n", "192.0.2.1>;tag=b\r\n"), "refused_unknown"),
        (("OPTIONS", "ACK"), "dropped_ack"),
        (("OPTIONS", "NOTIFY"), "refused_default"),
        (("OPTIONS sip:bob@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK"), "dropped_response"),
    ],
)
def test_each_rule_has_a_counter(change: tuple[str, str], counter: str) -> None:
    text = (
        "OPTIONS sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n"
        "From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    with Agent(Config(manual_clock=True)) as agent:
        flow = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060), 1)
        agent.add_transport(flow)
        agent.receive(flow, text.replace(*change).encode())
        for event in agent.poll_events():
            event.default()
        stats = agent.stats()
        names = [name for name in dir(stats) if name.startswith(("dropped_", "refused_", "answered_limit", "ignored_"))]
        assert len(names) == 23
        assert {name: getattr(stats, name) for name in names if getattr(stats, name)} == {counter: 1}


@pytest.mark.parametrize(
    ("config", "counter"),
    [
        (Config(manual_clock=True, calls=1), "refused_calls"),
        (Config(manual_clock=True, unanswered=1), "refused_unanswered"),
        (Config(manual_clock=True, address_requests=1), "refused_rate"),
        (Config(manual_clock=True, address_requests=1, address_burst=1), "refused_rate"),
        (Config(manual_clock=True, sessions=1), "refused_sessions"),
    ],
)
def test_what_peers_may_begin_is_limited(config: Config, counter: str) -> None:
    with Agent(config) as agent:
        flow = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060), 1)
        agent.add_transport(flow)
        for call in ("a", "b"):
            agent.receive(
                flow,
                f"INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-{call}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n"
                "Contact: <sip:alice@192.0.2.9>\r\nContent-Length: 0\r\n\r\n".encode(),
            )
        assert len(list(agent.poll_events())) == 1
        stats = agent.stats()
        assert (getattr(stats, counter), stats.answered_limit) == (1, 1)
