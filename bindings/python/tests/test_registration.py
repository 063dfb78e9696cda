"""REGISTER of ours, flows that are kept alive, what did not arrive; and the example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pair import BOB, OFFER, Pair

import sipdlg
from sipdlg import Config, Endpoint, EventKind, Flow, RegisterAsks, Transport

EXAMPLE = Path(__file__).parent.parent / "examples" / "phone.py"
URN = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


def registered(pair: Pair, status: int, headers: list[str], **binding: object) -> tuple[sipdlg.Registered, str]:
    """What came of a REGISTER that bob answers so, and its Contact. "OURS" there is our Contact."""
    request = pair.alice.agent.register(BOB, call_id="boot", **binding)  # type: ignore[arg-type]
    sent = request.message
    assert sent is not None
    pair.exchange()
    asked = pair.bob.take(EventKind.REGISTER).incoming
    assert asked is not None
    with asked.message as message:
        contact = message.header("Contact") or ""
    lines = [line.replace("OURS", contact) for line in headers]
    if status < 300:
        asked.accept(status, headers=lines)
    else:
        asked.reject(status, headers=lines)
    pair.exchange()
    event = pair.alice.events.pop()
    assert event.outgoing == request and event.message is not None
    with sent, event.message as response:
        return sent.registered(response), contact


def test_what_came_of_it() -> None:
    with Pair(allow="INVITE, ACK, BYE, REGISTER") as pair:
        found, contact = registered(pair, 200, ["Contact: OURS;expires=600", "Contact: <sip:x@y>"], expires_s=900, reg_id=1, instance=URN)
        assert (found.expires_s, found.refresh_s, found.bindings, found.next_cseq, found.outbound) == (600, 300, 2, 2, False)
        assert contact == f'<sip:alice@192.0.2.1:5060>;+sip.instance="<{URN}>";reg-id=1'
        found, _ = registered(pair, 423, ["Min-Expires: 1800", "Retry-After: 7"], cseq=found.next_cseq)
        assert (found.min_expires_s, found.retry_after_s, found.expires_s, found.next_cseq) == (1800, 7, 0, 3)
        found, contact = registered(pair, 200, [], asks=RegisterAsks.QUERY, cseq=found.next_cseq)
        assert (found.next_cseq, found.expires_s, contact) == (4, 0, "")
        for wrong in ({"asks": 3}, {"expires_s": -1}, {"reg_id": 1}, {"instance": "no urn"}):
            with pytest.raises(sipdlg.SipdlgError):
                pair.alice.agent.register(BOB, **wrong)


def test_no_answer_at_all() -> None:
    with Pair() as pair:
        sent = pair.alice.agent.register(BOB, cseq=9).message
        assert sent is not None
        with sent:
            assert sent.registered(None).next_cseq == 10
            with pytest.raises(sipdlg.ArgumentError):
                sent.registered(sent)


def test_instances_and_waits() -> None:
    urns = {sipdlg.new_instance() for _ in range(10)}
    assert len(urns) == 10
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", urn) for urn in urns)
    with sipdlg.Agent() as agent:
        waits = {agent.backoff_ms(2) for _ in range(100)}
        assert all(60_000 <= wait <= 120_000 for wait in waits) and len(waits) > 50
        assert 1_000 <= agent.backoff_ms(20, base_s=1, most_s=2) <= 2_000


def test_a_flow_is_kept_alive() -> None:
    flow = Flow(Transport.TCP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.2", 5060), 7)
    with sipdlg.Agent(Config(manual_clock=True)) as agent:
        agent.add_transport(Flow(Transport.TCP, Endpoint("192.0.2.1", 5060)))
        agent.keep_alive(flow, 30)
        agent.set_time(31_000_000, 31_000_000)
        agent.handle_timeout()
        ping = agent.poll_transmit()
        assert ping is not None and (ping.data, ping.flow) == (b"\r\n\r\n", flow)
        agent.set_time(42_000_000, 42_000_000)
        agent.handle_timeout()
        end = agent.poll_transmit()
        assert end is not None and (end.data, end.flow) == (b"", flow)
        with pytest.raises(sipdlg.ArgumentError):
            agent.keep_alive(Flow(Transport.TCP), 30)


def test_what_did_not_arrive() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        out = pair.alice.agent.poll_transmit()
        assert out is not None
        assert not pair.alice.agent.unreachable(out.flow, out.data[:40])
        assert pair.alice.agent.unreachable(out.flow, out.data)
        pair.exchange()
        assert pair.alice.take(EventKind.REJECT).status_code == 503


def test_settings() -> None:
    with sipdlg.Agent(Config(interface="none0", dscp=40, priority=5, keep_alive_s=60, outbound=True)) as agent:
        with pytest.raises(sipdlg.SystemRefusedError, match="interface: "):
            agent.listen("udp:127.0.0.1:0")
    for wrong in ({"dscp": 64}, {"priority": 7}, {"interface": ""}, {"keep_alive_s": 86_401}):
        with pytest.raises(sipdlg.ArgumentError):
            sipdlg.Agent(Config(**wrong))


def test_the_example() -> None:
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "registrar: alice for 2 s",
        "alice: registered for 2 s, again in 1 s",
        "registrar: alice for 2 s",
        "alice: registered for 2 s, again in 1 s",
        "registrar: alice for 0 s",
        "alice: unregistered",
    ]
