"""repr and str: they tell what it is and how it stands, raise nothing, and show no secret."""

from __future__ import annotations

import ast
import json
import time

import pytest
from confirmed import confirmed
from pair import BOB, Pair
from runtime import started

import sipdlg
from sipdlg import Config, Credentials, EventFlag, EventKind, Message, Quirk, Reason, Status

SECRET = "hunter2"


def test_numbers_print_as_names() -> None:
    assert f"{EventKind.INVITE} {Reason.REMOTE_BYE!s} {str(Status.ERR_STATE)}" == "INVITE REMOTE_BYE ERR_STATE"
    assert f"{EventKind.BYE:>5}|{EventKind.BYE:d}|{EventKind.BYE:02x}|{EventKind.BYE:5}" == "  BYE|5|05|BYE  "
    assert "%d %s" % (EventKind.BYE, EventKind.BYE) == "5 BYE"
    assert str(EventFlag.LAST | EventFlag.LOCAL) == "LOCAL|LAST" and f"{Quirk.HASH_IN_USER}" == "HASH_IN_USER"
    assert str(EventFlag(0)) == "0" and f"{EventFlag.LAST:d}" == "64"
    assert repr(EventKind.INVITE) == "<EventKind.INVITE: 1>" and json.dumps(EventKind.INVITE) == "1"
    assert int(EventKind.INVITE) == 1


def test_events() -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        assert accepted.session is not None and accepted.outgoing is not None and asked.incoming is not None
        assert repr(asked) == f"<sipdlg.Event {asked.id} INVITE incoming={asked.incoming.token:#x}>"
        text = repr(accepted)
        assert text.startswith(f"<sipdlg.Event {accepted.id} ACCEPT 200 method=INVITE ") and str(accepted) == text
        assert f"session={accepted.session.token:#x}" in text and f"outgoing={accepted.outgoing.token:#x}" in text
        accepted.session.hangup()
        pair.exchange()
        states = repr(pair.bob.events)
        pair.bob.take(EventKind.BYE).default()
        pair.exchange()
        over = pair.bob.take(EventKind.TERMINATED)
        assert "STATE CONFIRMED session=" in states
        assert "TERMINATED reason=REMOTE_BYE session=" in repr(over).replace(" method=BYE", "")


def test_handles() -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        session, incoming, outgoing = accepted.session, asked.incoming, accepted.outgoing
        assert session is not None and incoming is not None and outgoing is not None
        assert repr(session) == f"<sipdlg.Session {session.token:#x} CONFIRMED {session.call_id!r}>"
        assert str(session) == session.state_text
        info = session.info()
        assert repr(info) == f"<sipdlg.OutgoingRequest {info.token:#x} INFO CALLING>"
        pair.exchange()
        theirs = pair.bob.take(EventKind.INFO).incoming
        assert theirs is not None and repr(theirs) == f"<sipdlg.IncomingRequest {theirs.token:#x} INFO>"
        session.hangup()
        pair.exchange()
        pair.advance(64_000)
    for ended in (session, incoming, outgoing, info, theirs):
        assert repr(ended) == str(ended) == f"<sipdlg.{type(ended).__name__} {ended.token:#x} ended>"


def test_agents() -> None:
    agent = sipdlg.Agent()
    name = f"<sipdlg.Agent {agent.token:#x}"
    assert repr(agent) == f"{name} not started>" and agent.started is False
    agent.listen("udp:127.0.0.1:0")
    (address,) = agent.local_addresses()
    assert repr(agent) == f"{name} {address} not started>"
    agent.start()
    assert repr(agent) == str(agent) == f"{name} {address} started>" and agent.started
    agent.stop()
    assert repr(agent) == f"{name} {address} not started>"
    agent.close()
    assert repr(agent) == f"{name} closed>" and agent.closed
    with Pair() as pair:
        assert "on the host's network" in repr(pair.alice.agent)


def test_configurations_show_what_differs_and_no_secret() -> None:
    known = Credentials(realm="r", user="u", secret=SECRET)
    assert repr(known) == "Credentials(realm='r', user='u', secret=***)"
    assert repr(Config()) == "Config()"
    config = Config(
        aor=f"Alice <sip:alice:{SECRET}@example.org>",
        contact=f"sip:alice:{SECRET}@192.0.2.1".encode(),
        route_set=f"<sip:proxy;lr>, <SIPS:p:{SECRET}@[2001:db8::1]>",
        credentials=(known,),
        t1_ms=100,
    )
    for text in (repr(config), str(config), f"{config}", repr([config]), repr(config.credentials)):
        assert SECRET not in text
    assert "t1_ms=100" in repr(config) and "alice:***@example.org" in repr(config) and "user='u'" in repr(config)
    assert "seed" not in repr(config)


def message(uri: str = "sip:bob@192.0.2.2", more: str = "") -> Message:
    lines = [
        f"OPTIONS {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
        "From: <sip:a@b>;tag=1",
        "To: <sip:b@b>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        *([more] if more else []),
        "Content-Type: application/x",
        "Content-Length: 3",
    ]
    return Message.parse("\r\n".join([*lines, "", ""]).encode() + b"\xff\0!")


def test_messages() -> None:
    assert repr(message()) == "<sipdlg.Message 'OPTIONS sip:bob@192.0.2.2 SIP/2.0'>"
    text = str(message())
    assert text.startswith("OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: ") and text.endswith("\r\n\r\n\\xff\\x00!")
    assert text.encode("utf-8")
    assert "\\x1b[2J" in str(message(more="X: \x1b[2J")) and "\x1b" not in str(message(more="X: \x1b[2J\x85"))
    assert len(repr(message("sip:" + "x" * 50_000 + "@h"))) < 300
    closed = message()
    closed.close()
    assert repr(closed) == str(closed) == "<sipdlg.Message, closed>"


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "PROXY-AUTHORIZATION "])
@pytest.mark.parametrize("value", [f'Digest username="u",\r\n response="{SECRET}"', f"Basic {SECRET}", f'Digest response="{SECRET}", qop=auth'])
def test_messages_show_no_credentials(name: str, value: str) -> None:
    shown = message(more=f"{name}: {value}")
    assert SECRET in bytes(shown).decode("latin-1")
    assert SECRET not in str(shown) and SECRET not in repr(shown)
    assert f"{name}: {value.split()[0]} ***\r\nContent-Type" in str(shown)


def test_messages_show_no_password_of_a_uri() -> None:
    shown = message(f"sip:bob:{SECRET}@192.0.2.2", f"Contact: <sips:a:{SECRET}@h;x=y>")
    assert SECRET not in str(shown) and SECRET not in repr(shown)
    assert repr(shown) == "<sipdlg.Message 'OPTIONS sip:bob:***@192.0.2.2 SIP/2.0'>"
    assert "sip:bob@192.0.2.2:5060" in repr(message("sip:bob@192.0.2.2:5060"))


def test_what_a_peer_wrote_is_printed_in_no_time() -> None:
    """A word is looked at once: 60 kB of the worst take milliseconds, not minutes."""
    begun = time.monotonic()
    for hostile in ("sip:a:" * 10_000, "sip:a:" * 10_000 + "@", "a" * 60_000, ":@" * 30_000, "sip:" * 15_000 + ":@"):
        str(message(more=f"X-Hostile: {hostile}"))
        str(message(more="Authorization: x\r\n" + " \r\n" * 100 + f" {hostile}"))
    assert time.monotonic() - begun < 5


def test_an_empty_authorization_hides_nothing_else() -> None:
    assert "Content-Length: 3" in str(message(more="Authorization:")) and "***" not in str(message(more="Authorization:"))


def test_sessions_show_no_password_of_a_uri() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body="v=0", from_=f"sip:alice:{SECRET}@192.0.2.1")
        pair.exchange()
        asked = pair.bob.take(EventKind.INVITE).incoming
        assert asked is not None
        session = asked.accept(body="v=0")
        assert session is not None and SECRET not in str(session) + repr(session)


def test_parts_show_no_password_of_a_uri() -> None:
    address = message(more=f"Contact: <sips:a:{SECRET}@h;x=y>;q=1").name_addr("Contact")
    assert address is not None and SECRET in address.uri and address.user == "a"
    assert SECRET not in repr(address) and "sips:a:***@h;x=y" in repr(address) and "parameters=';q=1'" in repr(address)
    state = sipdlg.DialogState(
        call_id="c",
        local_tag="l",
        remote_tag="r",
        local_uri=f"sip:a:{SECRET}@h",
        remote_uri=f"sip:b:{SECRET}@h",
        remote_target=f"sip:b:{SECRET}@h".encode(),
    )
    assert SECRET not in repr(state) and "local_uri='sip:a:***@h'" in repr(state)


def test_transmits() -> None:
    with Pair() as pair:
        pair.alice.agent.request("OPTIONS", f"sip:bob:{SECRET}@192.0.2.2", headers={"Authorization": f"Digest {SECRET}"})
        out = pair.alice.agent.poll_transmit()
        assert out is not None and SECRET.encode() in out.data and SECRET not in repr(out) + str(out)
        line = "'OPTIONS sip:bob:***@192.0.2.2 SIP/2.0'"
        way = "UDP at 192.0.2.1:5060 to 192.0.2.2:5060 link 1"
        assert repr(out) == f"<sipdlg.Transmit {out.id} {line} {len(out.data)} bytes {way}>"


def test_flows_and_bodies() -> None:
    flow = sipdlg.Flow(sipdlg.Transport.TLS, sipdlg.Endpoint("::1", 5061))
    assert str(flow) == "TLS at [::1]:5061" and str(sipdlg.Flow()) == "UDP"
    assert str(sipdlg.Body("v=0\r\n")) == "v=0\r\n" and str(sipdlg.Body(b"\xff\0\x1b")) == "\\xff\\x00\\x1b"
    body = sipdlg.Body("x", "a/b")
    assert ast.literal_eval(repr(body.content)) == "x" and "a/b" in repr(body)


def test_events_of_the_runtime() -> None:
    with started() as agent:
        agent.request("OPTIONS", f"sip:{agent.local_addresses()[0].removeprefix('udp:')}")
        assert all(repr(event) for event in agent.poll_events())
