"""maddr in the top Via: not followed to a third party, unless the quirk says so; counted either way."""

from __future__ import annotations

import pytest

from sipdlg import Agent, Config, Endpoint, Flow, Quirk, Transport


@pytest.mark.parametrize(
    ("tolerance", "maddr", "to", "ignored", "followed"),
    [
        (None, "192.0.2.9", "192.0.2.9", 0, 0),
        (None, "192.0.2.77", "192.0.2.9", 1, 0),
        (Quirk.MADDR_ELSEWHERE, "192.0.2.77", "192.0.2.77", 0, 1),
        (Quirk.MADDR_ELSEWHERE, "victim.example", "192.0.2.9", 1, 0),
    ],
)
def test_maddr(tolerance: Quirk | None, maddr: str, to: str, ignored: int, followed: int) -> None:
    with Agent(Config(manual_clock=True, tolerance=tolerance)) as agent:
        flow = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060), 1)
        agent.add_transport(flow)
        text = (
            f"OPTIONS sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK-1;maddr={maddr}\r\nMax-Forwards: 70\r\n"
            "From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        agent.receive(flow, text.encode())
        for event in agent.poll_events():
            event.default()
        answer = agent.poll_transmit()
        assert answer is not None and answer.flow.remote == Endpoint(to, 5060)
        stats = agent.stats()
        assert (stats.maddr_ignored, stats.quirks[Quirk.MADDR_ELSEWHERE]) == (ignored, followed)
