"""What SIP.js's SessionDialog has beyond the usual call, in virtual time."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import Body, DialogState, EventKind, SessionState, SignalingState


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
