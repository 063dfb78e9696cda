"""What SIP.js's SessionDialog has beyond the usual call, in virtual time."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pair import ANSWER, BOB, HOLD, OFFER, Pair

import sipdlg
from sipdlg import Body, DialogState, EventFlag, EventKind, SessionState, SignalingState


def confirmed(pair: Pair) -> tuple[sipdlg.Session, sipdlg.Session]:
    pair.alice.agent.invite(BOB, body=OFFER)
    pair.exchange()
    call = pair.bob.take(EventKind.INVITE).incoming
    assert call is not None
    theirs = call.accept(body=ANSWER)
    assert theirs is not None
    pair.exchange()
    ours = pair.alice.take(EventKind.ACCEPT).session
    assert ours is not None
    pair.trace()
    return ours, theirs


def dialog_state(session: sipdlg.Session) -> DialogState:
    return DialogState(
        call_id=session.call_id,
        local_tag=session.local_tag,
        remote_tag=session.remote_tag,
        local_uri=session.local_uri,
        remote_uri=session.remote_uri,
        remote_target=session.remote_target,
        route_set=session.route_set,
        local_sequence_number=session.local_sequence_number,
        remote_sequence_number=session.remote_sequence_number,
        secure=session.secure,
        early=session.early,
        caller=True,
        offer=session.offer,
        answer=session.answer,
    )


WRONG: list[tuple[str, Any, str, type[sipdlg.SipdlgError]]] = [
    ("call_id", "", "call_id", sipdlg.BadSyntaxError),
    ("remote_target", "tel:+1", "remote_target", sipdlg.BadSyntaxError),
    ("local_sequence_number", 1 << 31, "local_sequence_number", sipdlg.ArgumentError),
    ("secure", True, "secure", sipdlg.ArgumentError),
    ("offer", None, "answer", sipdlg.ArgumentError),
]


def test_a_dialog_of_another_agent_is_taken_over() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        state = dialog_state(ours)
        with pytest.raises(sipdlg.StateError):
            sipdlg.Session.new(pair.alice.agent, state=state)
        pair.replace_alice()
        for field, value, named, kind in WRONG:
            with pytest.raises(kind, match=named):
                sipdlg.Session.new(pair.alice.agent, state=dataclasses.replace(state, **{field: value}))
        taken = sipdlg.Session.new(pair.alice.agent, state=state)
        assert dialog_state(taken) == state
        assert (taken.state, taken.signaling_state) == (SessionState.CONFIRMED, SignalingState.STABLE)
        assert taken.answer == Body(ANSWER.encode(), "application/sdp", "session")
        taken.bye()
        pair.exchange()
        pair.bob.take(EventKind.BYE).default()
        pair.exchange()
        assert pair.trace() == ["BYE", "200 BYE"]
        assert pair.alice.take(EventKind.TERMINATED).session == taken
        assert pair.bob.take(EventKind.TERMINATED).session == theirs


def test_confirm_by_hand() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        theirs = call.progress()
        pair.exchange()
        ours = pair.alice.take(EventKind.PROGRESS).session
        assert ours is not None and ours.early
        with pytest.raises(sipdlg.StateError):
            ours.info()
        with pytest.raises(sipdlg.StateError, match="no 2xx was sent"):
            theirs.confirm()
        ours.confirm()
        ours.confirm()
        assert ours.state is SessionState.CONFIRMED and not ours.early
        ours.info()
        call.accept(body=ANSWER)
        pair.exchange()
        theirs.confirm()
        theirs.reconfirm()
        assert ours.signaling_state is theirs.signaling_state is SignalingState.STABLE
        assert pair.trace() == ["INVITE", "180 INVITE", "INFO", "200 INVITE", "ACK"]


def test_rollback_and_transition_by_hand() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        before = (ours.offer, ours.answer)
        ours.signaling_state_transition(HOLD, received=False)
        assert ours.signaling_state is SignalingState.HAVE_LOCAL_OFFER
        with pytest.raises(sipdlg.StateError):
            ours.signaling_state_transition(HOLD, received=False)
        ours.signaling_state_rollback()
        ours.signaling_state_rollback()
        assert (ours.signaling_state, ours.offer, ours.answer) == (SignalingState.STABLE, *before)
        ours.signaling_state_transition(Body("hello", "text/plain"), received=True)
        ours.signaling_state_transition(None, received=True)
        assert (ours.offer, ours.answer) == before
        theirs.signaling_state_transition(HOLD, received=True)
        theirs.signaling_state_transition(ANSWER, received=False)
        assert theirs.offer == Body(HOLD.encode(), "application/sdp", "session")
        pair.exchange()
        assert pair.trace() == []


def test_a_deferred_ack() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        theirs = call.accept(body=OFFER)
        assert theirs is not None
        theirs.set_defer_ack(True)
        assert not theirs.ack_processed()
        pair.exchange()
        ours = pair.alice.take(EventKind.ACCEPT).session
        assert ours is not None
        ours.ack(body=ANSWER)
        pair.exchange()
        ours.invite(body=HOLD)
        pair.exchange()
        assert pair.trace()[-2:] == ["500 INVITE", "ACK"]
        assert theirs.ack_processed()
        assert not theirs.ack_processed()


def test_an_ack_without_a_body_is_held_too() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        theirs.set_defer_ack(True)
        ours.invite(body=HOLD)
        pair.exchange()
        again = pair.bob.take(EventKind.REINVITE).incoming
        assert again is not None
        again.accept(body=ANSWER)
        pair.exchange()
        assert theirs.ack_processed()
        assert not theirs.ack_processed()


def test_a_2xx_without_a_body_repeats_the_answer_that_was_shown() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.progress(183, body=ANSWER)
        theirs = call.accept()
        assert theirs is not None and theirs.answer == Body(ANSWER.encode(), "application/sdp", "session")
        pair.exchange()
        accepted = pair.alice.take(EventKind.ACCEPT).message
        assert accepted is not None and accepted.session_body == Body(ANSWER.encode(), "application/sdp", "session")


def test_a_request_that_the_host_matched() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        lines = [
            f"INFO {theirs.remote_target} SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-by-hand",
            "Max-Forwards: 70",
            f"From: <{theirs.local_uri}>;tag={theirs.local_tag}",
            f"To: <{theirs.remote_uri}>;tag={theirs.remote_tag}",
            f"Call-ID: {theirs.call_id}",
            "CSeq: 7 INFO",
            "Content-Length: 0",
            "",
            "",
        ]
        ours.receive_request("\r\n".join(lines).encode())
        pair.exchange()
        assert pair.alice.take(EventKind.INFO).session == ours
        assert ours.remote_sequence_number == 7
        lines[5] = "Call-ID: another"
        with pytest.raises(sipdlg.StateError, match="another dialog"):
            ours.receive_request("\r\n".join(lines).encode(), pair.alice.flow_from(pair.bob))
        with pytest.raises(sipdlg.BadSyntaxError):
            ours.receive_request(b"INFO")
        with pytest.raises(sipdlg.ArgumentError, match="NULL"):
            lines[1] = "Via: SIP/2.0/UDP bob.example.com;branch=z9hG4bK-x"
            ours.receive_request("\r\n".join(lines).encode())


def test_a_stale_offer_is_renewed() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        mine = ours.invite(body=HOLD)
        theirs.invite(body=OFFER)
        pair.exchange()
        assert not pair.alice.take(EventKind.GLARE_RETRY).flags
        pair.trace()
        pair.advance(2_000)
        asked = pair.alice.take(EventKind.REINVITE).incoming
        assert asked is not None
        asked.accept(body=ANSWER)
        pair.exchange()
        stale = pair.alice.take(EventKind.GLARE_RETRY)
        assert stale.flags == EventFlag.NEEDS_BODY and stale.outgoing == mine
        with pytest.raises(sipdlg.ArgumentError):
            mine.retry("")
        mine.retry(HOLD.replace("- 1 2", "- 1 3"))
        pair.advance(4_000)
        assert [b"- 1 3 IN" in data for data in pair.wire if data.startswith(b"INVITE sip:bob")][-1]
        again = pair.bob.take(EventKind.REINVITE).incoming
        assert again is not None
        again.accept(body=ANSWER)
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).outgoing == mine
        with pytest.raises(sipdlg.StateError):
            mine.retry(HOLD)
