"""What the library did by itself is told afterwards, as small objects, the newest first."""

from __future__ import annotations

import pytest
from confirmed import confirmed
from pair import Pair

import sipdlg
from sipdlg import Act, EventKind, Reason


def test_a_session_tells_what_was_done() -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        ours, theirs = accepted.session, pair.bob.take(EventKind.STATE).session
        assert ours is not None and theirs is not None
        assert ours.explain() == theirs.explain() == []
        pair.advance(1000)
        ours.message(headers={"Require": "foo"})
        pair.exchange()
        when = 1_700_000_000_000_000 + pair.now
        rule = Act(when, Reason.REFUSED_BY_RULE, 420, "RFC 3261 8.2.2.3", "an extension that is not supported")
        assert theirs.explain() == [rule]
        assert theirs.explain()[0].reason is Reason.REFUSED_BY_RULE
        for _ in range(20):
            ours.message(headers={"Require": "foo"})
            pair.exchange()
        assert theirs.explain() == [rule] * 16
        pair.advance(1000)
        ours.hangup()
        pair.exchange()
        bye = pair.bob.take(EventKind.BYE)
        assert [act.reason for act in theirs.explain()] == [Reason.REMOTE_BYE] + [Reason.REFUSED_BY_RULE] * 15
        bye.default()
        pair.exchange()
        assert pair.bob.take(EventKind.TERMINATED).session == theirs
        with pytest.raises(sipdlg.StaleError):
            theirs.explain()


def test_the_end_is_told_during_terminated() -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        ours = accepted.session
        assert ours is not None
        ours.hangup()
        # STATE and the BYE are there, TERMINATED is not: the BYE has no answer.
        assert [(act.reason, act.status_code, act.rfc) for act in ours.explain()] == [(Reason.LOCAL_HANGUP, 0, "RFC 3261 15")]
        assert ours.explain()[0].text == "the host ended the call"
