"""Why things end (RFC 3326), one of several early dialogs (RFC 6228), who answered (RFC 4916), SIPS (RFC 5630)."""

from __future__ import annotations

import pytest
from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import EventKind, Policy, Reason

WHY = "Q.850;cause=17"


def test_one_of_several_early_dialogs_ends() -> None:
    with Pair(connected_identity=True) as pair:
        pair.alice.agent.invite(BOB, body=OFFER, to="sip:desk@example.com")
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        busy, _ = (call.progress(to_tag=tag) for tag in ("one", "two"))
        pair.exchange()
        assert busy is not None
        busy.hangup(486, reason=WHY)
        pair.exchange()
        while (event := pair.alice.take(EventKind.PROGRESS)).status_code != 199:
            pass
        assert event.text == f'{WHY}, SIP;cause=486;text="Busy Here"'
        ended = pair.alice.take(EventKind.TERMINATED)
        assert (ended.reason, ended.status_code, ended.text) == (Reason.REJECTED, 486, event.text)
        assert call.accept(body=ANSWER) is not None
        pair.exchange()
        ours = pair.alice.take(EventKind.ACCEPT).session
        assert ours is not None
        pair.alice.take(EventKind.UPDATE).default()
        pair.exchange()
        assert ours.remote_uri == BOB
        ours.bye(reason=WHY)
        pair.exchange()
        assert pair.bob.take(EventKind.BYE).text == WHY


def test_a_refusal_and_a_cancel_say_why() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        with pytest.raises(sipdlg.BadSyntaxError):
            call.reject(486, reason="two\nlines")
        call.reject(486, reason=WHY)
        pair.exchange()
        assert pair.alice.take(EventKind.REJECT).text == WHY
        for by_name in (False, True):
            invite = pair.alice.agent.invite(BOB, body=OFFER)
            pair.exchange()
            call = pair.bob.take(EventKind.INVITE).incoming
            assert call is not None
            call.progress()
            pair.exchange()
            assert invite.cancel(reason=WHY) if by_name else invite.cancel(WHY)
            pair.exchange()
            assert pair.bob.take(EventKind.CANCEL).text == WHY


def test_only_calls_to_sips() -> None:
    with Pair(sips=Policy.REQUIRED) as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        refused = pair.alice.take(EventKind.REJECT)
        assert refused.status_code == 480
        assert refused.message is not None
        assert refused.message.header("Warning") == '381 sipdlg "SIPS Required"'
