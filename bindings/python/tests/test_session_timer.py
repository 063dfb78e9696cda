"""Session timers: settings, options, and what a session tells."""

from __future__ import annotations

import pytest
from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import Config, EventKind, Interval, Policy, Refresher, SessionTimer

ASKED = SessionTimer(interval_s=600, refresher=Refresher.LOCAL)


def test_a_call_is_refreshed() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER, session_timer=ASKED)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        with call.message as invite:
            assert invite.header("Session-Expires") == "600;refresher=uac"
        theirs = call.accept(body=ANSWER, session_timer=SessionTimer(interval_s=300))
        assert theirs is not None
        assert theirs.interval == Interval(300, Refresher.REMOTE, 300_000_000)
        pair.exchange()
        ours = pair.alice.take(EventKind.ACCEPT).session
        assert ours is not None
        assert ours.interval == Interval(300, Refresher.LOCAL, 300_000_000)
        theirs.hangup()
        pair.exchange()


def test_without_one() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER, session_timer=SessionTimer(policy=Policy.OFF))
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        with call.message as invite:
            assert "timer" not in (invite.header("Supported") or "")
        session = call.accept(body=ANSWER)
        assert session is not None
        assert session.interval is None
        pair.exchange()


def test_terms_are_checked() -> None:
    assert repr(ASKED) == "SessionTimer(interval_s=600, refresher=<Refresher.LOCAL: 1>)"
    for bad in (SessionTimer(min_se_s=89), SessionTimer(interval_s=89), SessionTimer(interval_s=100, min_se_s=101)):
        with pytest.raises(sipdlg.ArgumentError):
            sipdlg.Agent(Config(session_timer=bad))
        with Pair() as pair, pytest.raises(sipdlg.ArgumentError):
            pair.alice.agent.invite(BOB, session_timer=bad)
    with sipdlg.Agent(Config(session_timer=SessionTimer(policy=Policy.REQUIRED))):
        pass
