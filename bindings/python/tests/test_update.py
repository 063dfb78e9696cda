"""UPDATE both ways, and a newer wish that takes over the wait of the former."""

from __future__ import annotations

import pytest
from pair import ANSWER, BOB, HOLD, OFFER, Pair

import sipdlg
from sipdlg import EventFlag, EventKind, OutgoingState, Session


def call(pair: Pair) -> tuple[Session, Session]:
    """alice's session and bob's."""
    pair.alice.agent.invite(BOB, body=OFFER)
    pair.exchange()
    incoming = pair.bob.take(EventKind.INVITE).incoming
    assert incoming is not None
    theirs = incoming.accept(body=ANSWER)
    pair.exchange()
    ours = pair.alice.take(EventKind.ACCEPT).session
    assert ours is not None and theirs is not None
    return ours, theirs


def test_an_offer_is_answered() -> None:
    with Pair(resync=True) as pair:
        ours, theirs = call(pair)
        ours.update(body=HOLD)
        pair.exchange()
        event = pair.bob.take(EventKind.UPDATE)
        assert event.incoming is not None
        with pytest.raises(sipdlg.StateError, match="RFC 3311 5.2"):
            event.incoming.accept()
        event.incoming.accept(body=ANSWER)
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).status_code == 200
        assert theirs.signaling_state == ours.signaling_state == sipdlg.SignalingState.STABLE


def test_one_at_a_time() -> None:
    with Pair() as pair:
        ours, _ = call(pair)
        ours.update()
        with pytest.raises(sipdlg.StateError, match="RFC 3311 5.2"):
            ours.update()
        pair.exchange()


def test_a_newer_wish_waits_instead() -> None:
    with Pair() as pair:
        ours, theirs = call(pair)
        former = ours.update(body=HOLD)
        theirs.update(body=HOLD)
        pair.exchange()
        assert pair.alice.take(EventKind.GLARE_RETRY).outgoing == former
        newer = ours.invite(body=HOLD)
        pair.exchange()
        rejected = pair.alice.take(EventKind.REJECT)
        assert (rejected.outgoing, rejected.status_code) == (former, 491)
        assert rejected.flags & EventFlag.LOCAL
        assert newer.state == OutgoingState.WAITING_RETRY
        assert newer.cancel()
