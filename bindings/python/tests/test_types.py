"""A value of a wrong type is a TypeError that names the parameter, and no secret; nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from confirmed import confirmed
from pair import BOB, Pair

import sipdlg
from sipdlg import Agent, Body, Config, Credentials, DialogState, Endpoint, Flow, Message, Session

Act = Callable[[Any, Any, Any], object]  # agent, session, request of the peer's
STATE: dict[str, Any] = {name: "x" for name in ("call_id", "local_tag", "remote_tag", "local_uri", "remote_uri", "remote_target")}
MESSAGE = Message.parse(
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def config(**settings: Any) -> Act:
    return lambda agent, session, incoming: Agent(Config(**settings))


WRONG: list[tuple[str, Act]] = [
    ("target: str or bytes", lambda agent, session, incoming: agent.invite(5)),
    ("target: str or bytes", lambda agent, session, incoming: agent.request("OPTIONS", None)),
    ("method: str or bytes", lambda agent, session, incoming: agent.request(sipdlg.Method.OPTIONS, BOB)),
    ("headers: a mapping or a list", lambda agent, session, incoming: agent.invite(BOB, headers=5)),
    ("headers: a mapping or a list", lambda agent, session, incoming: agent.invite(BOB, headers="X-A: 1")),
    ("headers: a pair", lambda agent, session, incoming: agent.invite(BOB, headers=[5])),
    ("headers: a pair", lambda agent, session, incoming: agent.invite(BOB, headers=[("X-A",)])),
    ("headers, Max-Forwards: str or bytes", lambda agent, session, incoming: agent.invite(BOB, headers={"Max-Forwards": 70})),
    ("headers, a name: str or bytes", lambda agent, session, incoming: agent.invite(BOB, headers={7: "x"})),
    ("body: ", lambda agent, session, incoming: agent.invite(BOB, body={})),
    ("body, content_type: str or bytes", lambda agent, session, incoming: agent.invite(BOB, body=Body(b"", 5))),  # type: ignore[arg-type]
    ("flags: int", lambda agent, session, incoming: agent.invite(BOB, flags="x")),
    ("expires_ms: int", lambda agent, session, incoming: agent.invite(BOB, expires_ms=1.5)),
    ("from_: str or bytes", lambda agent, session, incoming: agent.invite(BOB, from_=5)),
    ("to: str or bytes", lambda agent, session, incoming: agent.invite(BOB, to=5)),
    ("call_id: str or bytes", lambda agent, session, incoming: agent.invite(BOB, call_id=5)),
    ("flow: Flow", lambda agent, session, incoming: agent.invite(BOB, flow="udp:1.2.3.4:5")),
    ("refer: IncomingRequest", lambda agent, session, incoming: agent.invite(None, refer=session)),
    ("flow: Flow", lambda agent, session, incoming: agent.add_transport("udp:1.2.3.4:5")),
    ("sent_by: str or bytes", lambda agent, session, incoming: agent.add_transport(Flow(), 5)),
    ("local: Endpoint", lambda agent, session, incoming: agent.add_transport(Flow(local="1.2.3.4"))),  # type: ignore[arg-type]
    ("remote: Endpoint", lambda agent, session, incoming: agent.receive(Flow(remote=("1.2.3.4", 5)), b"")),  # type: ignore[arg-type]
    ("transport: int", lambda agent, session, incoming: agent.receive(Flow("udp"), b"")),  # type: ignore[arg-type]
    ("host: str", lambda agent, session, incoming: agent.receive(Flow(local=Endpoint(b"::1")), b"")),  # type: ignore[arg-type]
    ("port: int", lambda agent, session, incoming: agent.receive(Flow(local=Endpoint("::1", "5060")), b"")),  # type: ignore[arg-type]
    ("scope: int", lambda agent, session, incoming: agent.receive(Flow(local=Endpoint("::1", 1, "lo")), b"")),  # type: ignore[arg-type]
    ("link: int", lambda agent, session, incoming: agent.receive(Flow(link=None), b"")),  # type: ignore[arg-type]
    ("link: int", lambda agent, session, incoming: agent.link_closed("1")),
    ("link: int", lambda agent, session, incoming: agent.move_link("1", Flow())),
    ("to: Flow", lambda agent, session, incoming: agent.move_link(1, None)),
    ("id: int", lambda agent, session, incoming: agent.transmit_goes_by("1", Flow())),
    ("flow: Flow", lambda agent, session, incoming: agent.transmit_goes_by(1, "udp")),
    ("data: bytes, or an object that holds some,", lambda agent, session, incoming: agent.receive(Flow(), "text")),
    ("monotonic_us: int", lambda agent, session, incoming: agent.set_time(1.0, 1)),
    ("unix_us: int", lambda agent, session, incoming: agent.set_time(1, 1.0)),
    ("id: int", lambda agent, session, incoming: agent.transmit_failed(None)),
    ("query: int", lambda agent, session, incoming: agent.resolved("q", [])),
    ("targets: a list", lambda agent, session, incoming: agent.resolved(1, 5)),
    ("targets: Flow", lambda agent, session, incoming: agent.resolved(1, [BOB])),
    ("request: Message", lambda agent, session, incoming: agent.reply_stateless(incoming, 200)),
    ("status_code: int", lambda agent, session, incoming: agent.reply_stateless(MESSAGE, "200")),
    ("address: str or bytes", lambda agent, session, incoming: agent.listen(("127.0.0.1", 5060))),
    ("workers: int", lambda agent, session, incoming: agent.start("1")),
    ("config: Config", lambda agent, session, incoming: Agent({"aor": "sip:a@b"})),  # type: ignore[arg-type]
    ("token: int", lambda agent, session, incoming: Session(agent, "x")),  # type: ignore[arg-type]
    ("agent: Agent", lambda agent, session, incoming: Session.new(session, incoming)),
    ("initial_request: IncomingRequest", lambda agent, session, incoming: Session.new(agent, session)),
    ("state: DialogState", lambda agent, session, incoming: Session.new(agent, state=STATE)),  # type: ignore[arg-type]
    *(
        (f"{name}: str or bytes", lambda agent, session, incoming, name=name: Session.new(agent, state=DialogState(**{**STATE, name: 5})))
        for name in STATE
    ),
    ("secure: bool", lambda agent, session, incoming: Session.new(agent, state=DialogState(**STATE, secure="no"))),  # type: ignore[arg-type]
    ("local_sequence_number: int", lambda agent, session, incoming: Session.new(agent, state=DialogState(**STATE, local_sequence_number="1"))),  # type: ignore[arg-type]
    ("offer: bytes", lambda agent, session, incoming: Session.new(agent, state=DialogState(**STATE, offer=5))),  # type: ignore[arg-type]
    ("status_code: int", lambda agent, session, incoming: session.hangup("486")),
    ("refer_to: str or bytes", lambda agent, session, incoming: session.refer(5)),
    ("replaces: Session", lambda agent, session, incoming: session.refer(replaces=incoming)),
    ("flow: Flow", lambda agent, session, incoming: session.set_flow("udp")),
    ("on: bool", lambda agent, session, incoming: session.set_defer_ack("no")),
    ("response: Message", lambda agent, session, incoming: session.reliable_sequence_guard(b"")),
    ("data: bytes", lambda agent, session, incoming: session.receive_request("INFO")),
    ("flow: Flow", lambda agent, session, incoming: session.receive_request(b"INFO", 5)),
    ("body: bytes", lambda agent, session, incoming: session.signaling_state_transition(5, True)),
    ("received: bool", lambda agent, session, incoming: session.signaling_state_transition("v=0", "yes")),
    ("status_code: int", lambda agent, session, incoming: incoming.accept("200")),
    ("status_code: int", lambda agent, session, incoming: incoming.progress(180.0)),
    ("status_code: int", lambda agent, session, incoming: incoming.reject(None)),
    ("status_code: int", lambda agent, session, incoming: incoming.notify("200")),
    ("reason: str or bytes", lambda agent, session, incoming: incoming.notify(200, 5)),
    ("contacts: a list", lambda agent, session, incoming: incoming.redirect("sip:a@b")),
    ("contacts: a list", lambda agent, session, incoming: incoming.redirect(5)),
    ("contacts: str or bytes", lambda agent, session, incoming: incoming.redirect([5])),
    ("reason_phrase: str or bytes", lambda agent, session, incoming: incoming.accept(reason_phrase=5)),
    ("to_tag: str or bytes", lambda agent, session, incoming: incoming.accept(to_tag=5)),
    ("reason: str or bytes", lambda agent, session, incoming: session.invite(body="v=0").cancel(5)),
    ("body: bytes", lambda agent, session, incoming: sipdlg.OutgoingRequest(agent, 1).retry(5)),  # type: ignore[arg-type]
    ("user: str or bytes", lambda agent, session, incoming: sipdlg.OutgoingRequest(agent, 1).authenticate(5)),  # type: ignore[arg-type]
    ("password: str or bytes", lambda agent, session, incoming: sipdlg.OutgoingRequest(agent, 1).authenticate("u", 4711)),  # type: ignore[arg-type]
    ("name: str or bytes", lambda agent, session, incoming: MESSAGE.header(5)),  # type: ignore[arg-type]
    ("index: int", lambda agent, session, incoming: MESSAGE.header("Via", "0")),  # type: ignore[arg-type]
    ("name: str or bytes", lambda agent, session, incoming: MESSAGE.headers(None)),  # type: ignore[arg-type]
    ("name: str or bytes", lambda agent, session, incoming: MESSAGE.name_addr(5)),  # type: ignore[arg-type]
    ("index: int", lambda agent, session, incoming: MESSAGE.via(1.0)),  # type: ignore[arg-type]
    ("data: bytes", lambda agent, session, incoming: Message.parse("OPTIONS")),  # type: ignore[arg-type]
    ("text: str or bytes", lambda agent, session, incoming: Endpoint.parse(5)),  # type: ignore[arg-type]
    ("method: str or bytes", lambda agent, session, incoming: sipdlg.effect_of(5, 486)),  # type: ignore[arg-type]
    ("status_code: int", lambda agent, session, incoming: sipdlg.effect_of("BYE", "486")),  # type: ignore[arg-type]
    ("status: int", lambda agent, session, incoming: sipdlg.status_text("x")),  # type: ignore[arg-type]
    *(
        (f"{name}: str or bytes", config(**{name: 5}))
        for name in ("aor", "contact", "user_agent", "supported", "allow", "route_set", "info_packages")
    ),
    *(
        (f"{name}: int", config(**{name: "1"}))
        for name in (
            *("t1_ms", "t2_ms", "t4_ms", "invite_timeout_ms", "other_timeout_ms", "message_bytes", "sessions"),
            *("transactions", "reliable", "fork_policy", "tolerance", "seed"),
        )
    ),
    *((f"{name}: bool", config(**{name: "no"})) for name in ("manual_prack", "glare_retry", "connected_identity", "manual_clock")),
    ("credentials: a tuple or list", config(credentials=Credentials(user="u", secret="hunter2"))),
    ("credentials: Credentials", config(credentials=[("u", "hunter2")])),
    ("secret: str or bytes", config(credentials=[Credentials(user="u", secret=4711)])),  # type: ignore[arg-type]
    ("user: str or bytes", config(credentials=[Credentials(user=None, secret="hunter2")])),  # type: ignore[arg-type]
    ("realm: str or bytes", config(credentials=[Credentials(realm=5, user="u", secret="hunter2")])),  # type: ignore[arg-type]
    ("is_ha1: bool", config(credentials=[Credentials(user="u", secret="hunter2", is_ha1="no")])),  # type: ignore[arg-type]
    ("algorithm: str or bytes", config(credentials=[Credentials(user="u", secret="hunter2", algorithm=5)])),  # type: ignore[arg-type]
    ("effects: a tuple or list", config(effects=5)),
    ("effects: tuples of method, status code and effect", config(effects=[("BYE", 486)])),
    ("effects, effect: int", config(effects=[("BYE", 486, "USAGE")])),
]


@pytest.mark.parametrize(("said", "act"), WRONG, ids=[f"{at}-{said}" for at, (said, _) in enumerate(WRONG)])
def test_wrong_types(said: str, act: Act) -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        pair.trace()
        with pytest.raises(TypeError, match=f"^{re.escape(said)}.*expected, not ") as caught:
            act(pair.alice.agent, accepted.session, asked.incoming)
        assert type(caught.value) is TypeError
        assert "hunter2" not in str(caught.value) and "4711" not in str(caught.value)


def test_messages_are_not_made_by_hand() -> None:
    with pytest.raises(TypeError, match="Message.parse"):
        Message(4711)
    with pytest.raises(TypeError, match="Message.parse"):
        Message()


def test_what_is_no_text_is_named_too() -> None:
    with Pair() as pair:
        for wrong in ("a\0b", "a\ud800b", b"a\0b"):
            with pytest.raises(sipdlg.ArgumentError, match="target: "):
                pair.alice.agent.invite(wrong)
        with pytest.raises(sipdlg.ArgumentError, match="secret: ") as caught:
            Agent(Config(credentials=(Credentials(user="u", secret="hunter2\0"),)))
        assert "hunter2" not in str(caught.value)


class Index:
    """A number of another library."""

    def __index__(self) -> int:
        return 486


def test_numbers_of_other_libraries_and_yes_and_no_are_taken() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB)
        pair.exchange()
        asked = pair.bob.take(sipdlg.EventKind.INVITE).incoming
        assert asked is not None
        asked.reject(Index())  # type: ignore[arg-type]
        pair.exchange()
        assert pair.alice.take(sipdlg.EventKind.REJECT).status_code == 486
    Agent(Config(manual_prack=1, glare_retry=0)).close()  # type: ignore[arg-type]


HUGE = 10**5000
"""Python refuses to write it in decimal."""

OUT_OF_RANGE: list[tuple[str, Act]] = [
    ("link", lambda agent, session, incoming: agent.link_closed(HUGE)),
    ("link", lambda agent, session, incoming: agent.link_closed(-HUGE)),
    ("link", lambda agent, session, incoming: agent.link_closed(-1)),
    ("status_code", lambda agent, session, incoming: sipdlg.effect_of("BYE", -HUGE)),
    ("status", lambda agent, session, incoming: sipdlg.status_text(HUGE)),
    ("token", lambda agent, session, incoming: sipdlg.Session(agent, HUGE)),
    ("seed", config(seed=HUGE)),
    ("t1_ms", config(t1_ms=HUGE)),
    ("flags", lambda agent, session, incoming: session.info(flags=HUGE)),
    ("port", lambda agent, session, incoming: agent.receive(Flow(local=Endpoint("127.0.0.1", HUGE)), b"x")),
    ("body", lambda agent, session, incoming: session.info(body="\ud800")),
    ("content", lambda agent, session, incoming: Body("\ud800")),
    ("body, content_type", lambda agent, session, incoming: session.info(body=Body("x", "\ud800"))),
    ("headers, a name", lambda agent, session, incoming: session.info(headers={"\ud800": "x"})),
    *(
        (repr(host), lambda agent, session, incoming, host=host: agent.receive(Flow(local=Endpoint(host, 1)), b"x"))
        for host in ("\ud800", "\udcff", "127.0.0.1\0", "::1\0", "1", "\u0661")
    ),
]


@pytest.mark.parametrize(("said", "act"), OUT_OF_RANGE, ids=[f"{at}-{said!a}" for at, (said, _) in enumerate(OUT_OF_RANGE)])
def test_values_that_no_argument_can_have(said: str, act: Act) -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        with pytest.raises(sipdlg.ArgumentError) as caught:
            act(pair.alice.agent, accepted.session, asked.incoming)
        assert caught.value.detail.startswith(said) and len(caught.value.detail) < 200
