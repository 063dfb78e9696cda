"""What is wrong raises the right exception, names its reason, and sends nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import Config, Endpoint, EventKind, Flow, Message, errors
from sipdlg._ffi import Status


def test_each_status_has_its_exception() -> None:
    assert set(errors.BY_STATUS) == {status for status in Status if status < 0}
    assert len(set(errors.BY_STATUS.values())) == len(errors.BY_STATUS)
    for status, kind in errors.BY_STATUS.items():
        error = kind(status, "why")
        assert (
            error.status == status
            and str(error).startswith(f"SIPDLG_{Status(status).name}")
            and str(error).endswith(": why")
        )
        assert isinstance(error, sipdlg.SipdlgError)


Act = Callable[[sipdlg.Agent], object]
WRONG: list[tuple[type[sipdlg.SipdlgError], Act]] = [
    (sipdlg.BadSyntaxError, lambda agent: agent.invite("no uri")),
    (sipdlg.BadSyntaxError, lambda agent: agent.invite(BOB, headers={"X-A": "1\r\nX-B: 2"})),
    (sipdlg.HeaderError, lambda agent: agent.invite(BOB, headers=["Via: SIP/2.0/UDP x"])),
    (sipdlg.LimitError, lambda agent: agent.invite(BOB, body="v=0\r\n" * 20_000)),
    (sipdlg.LimitError, lambda agent: agent.request("OPTIONS", BOB, headers={"X-Long": "x" * 70_000})),
    (sipdlg.ArgumentError, lambda agent: sipdlg.Agent(Config(message_bytes=100))),
    (sipdlg.ArgumentError, lambda agent: sipdlg.Agent(Config(sessions=1 << 22))),
    (sipdlg.ArgumentError, lambda agent: agent.invite("sip:bob\0@192.0.2.2")),
    (sipdlg.ArgumentError, lambda agent: agent.invite(BOB, expires_ms=1 << 32)),
    (sipdlg.ArgumentError, lambda agent: agent.request("INVITE", BOB)),
    (sipdlg.ArgumentError, lambda agent: sipdlg.Session(agent, agent.token).hangup(1 << 32)),
    (sipdlg.NoTransportError, lambda agent: agent.invite(BOB + ";transport=tcp")),
    (sipdlg.StateError, lambda agent: agent.add_transport(Flow(local=Endpoint("192.0.2.1", 5060), link=1))),
    (sipdlg.StateError, lambda agent: agent.start()),
    (sipdlg.KindError, lambda agent: sipdlg.Session(agent, agent.token).state),
    (sipdlg.KindError, lambda agent: sipdlg.IncomingRequest(agent, 5).accept()),
    (sipdlg.ArgumentError, lambda agent: agent.set_time(-1, 0)),
    (sipdlg.ArgumentError, lambda agent: Endpoint("localhost", 1)._to_c()),
    (sipdlg.BadSyntaxError, lambda agent: Endpoint.parse("localhost")),
    (sipdlg.BadSyntaxError, lambda agent: Message.parse(b"nonsense\r\n\r\n")),
    (sipdlg.ArgumentError, lambda agent: sipdlg.effect_of("BYE", 200)),
    (sipdlg.BadSyntaxError, lambda agent: sipdlg.Agent(Config(aor="<"))),
    (sipdlg.ArgumentError, lambda agent: sipdlg.Agent(Config(t1_ms=5000, t2_ms=100))),
    (sipdlg.ArgumentError, lambda agent: sipdlg.Agent(Config(seed=-1))),
]


@pytest.mark.parametrize(("kind", "act"), WRONG)
def test_wrong_arguments(kind: type[sipdlg.SipdlgError], act: Act) -> None:
    with Pair() as pair:
        with pytest.raises(kind) as caught:
            act(pair.alice.agent)
        assert type(caught.value) is kind and caught.value.detail
        assert pair.alice.agent.poll_transmit() is None and pair.alice.agent.stats().outgoing == 0


def test_python_mistakes_are_type_errors() -> None:
    with Pair() as pair:
        with pytest.raises(TypeError, match="unknown argument: boddy"):
            pair.alice.agent.invite(BOB, boddy=OFFER)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="headers"):
            pair.alice.agent.invite(BOB, headers="X-A: 1")


def test_wrong_moment() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        early = call.progress()
        with pytest.raises(sipdlg.StateError, match="RFC 3261"):
            early.bye()
        with pytest.raises(sipdlg.StateError):
            early.invite(body=OFFER)
        call.accept(body=ANSWER)
        with pytest.raises(sipdlg.StateError):
            call.reject()
        pair.exchange()
        ours = pair.alice.take(EventKind.ACCEPT).session
        assert ours is not None
        pair.trace()
        ours.invite(body=OFFER)
        with pytest.raises(sipdlg.StateError):
            ours.invite(body=OFFER)
        with pytest.raises(sipdlg.StateError):
            ours.ack()
        pair.exchange()
        assert pair.trace() == ["INVITE"]


def test_a_default_is_done_once() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        event = pair.bob.take(EventKind.INVITE)
        event.default()
        pair.exchange()
        assert pair.alice.take(EventKind.REJECT).status_code == 486
        pair.trace()
        event.default()
        pair.exchange()
        assert pair.trace() == []


def test_after_close_everything_is_stale() -> None:
    pair = Pair()
    pair.alice.agent.close()
    pair.alice.agent.close()
    with pytest.raises(sipdlg.StaleError):
        pair.alice.agent.invite(BOB)
    pair.bob.agent.close()


def test_system_refuses() -> None:
    with sipdlg.Agent() as agent, pytest.raises(sipdlg.SystemRefusedError) as caught:
        agent.listen("udp:192.0.2.1:5060")
    assert isinstance(caught.value, OSError) and "SIPDLG_ERR_SYSTEM" in str(caught.value)
