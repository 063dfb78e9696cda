"""REFER: what the referrer and the referred one see, past the end of the call; the example."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pair import ALICE, ANSWER, OFFER, Pair
from test_call import confirmed

import sipdlg
from sipdlg import Body, EventKind

CAROL = "sip:carol@192.0.2.1:5060"
EXAMPLE = Path(__file__).parent.parent / "examples" / "transfer_and_hold.py"


def told(pair: Pair, refer: sipdlg.OutgoingRequest) -> int:
    """The next NOTIFY that alice gets, answered."""
    event = pair.alice.take(EventKind.NOTIFY)
    assert event.outgoing == refer
    event.default()
    pair.exchange()
    return event.status_code


def test_a_refer_and_its_notifies_outlive_the_call() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        with pytest.raises(sipdlg.BadSyntaxError):
            ours.refer("carol")
        refer = ours.refer(CAROL, headers=["Referred-By: <sip:alice@192.0.2.1>"])
        pair.exchange()
        asked = pair.bob.take(EventKind.REFER)
        assert asked.session == theirs and asked.incoming is not None and asked.message is not None
        to = asked.message.name_addr("Refer-To")
        assert to is not None and to.uri == CAROL
        assert asked.incoming.accept() is None
        pair.exchange()
        assert told(pair, refer) == 100
        assert pair.trace() == ["REFER", "200 REFER", "NOTIFY", "200 NOTIFY"]

        ours.bye()
        pair.exchange()
        pair.bob.take(EventKind.BYE).default()
        pair.exchange()
        pair.alice.take(EventKind.TERMINATED)
        asked.incoming.notify(180)
        pair.exchange()
        assert told(pair, refer) == 180
        assert asked.incoming.session is None
        asked.incoming.notify(486, "Elsewhere")
        pair.exchange()
        assert told(pair, refer) == 486
        with pytest.raises(sipdlg.StaleError):
            asked.incoming.notify(200)
        with pytest.raises(sipdlg.StaleError):
            refer.state


def test_notify_by_hand_and_an_attended_transfer() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        other, _ = confirmed(pair)
        with pytest.raises(sipdlg.ArgumentError):
            theirs.notify()
        theirs.notify(headers=["Event: weather", "Subscription-State: active;expires=60"], body=Body("rain", "text/plain"))
        pair.exchange()
        event = pair.alice.take(EventKind.NOTIFY)
        assert event.session == ours and event.outgoing is None and event.status_code == 0
        event.default()
        pair.exchange()
        assert pair.bob.take(EventKind.REJECT).status_code == 489

        ours.refer(replaces=other)
        pair.exchange()
        asked = pair.bob.take(EventKind.REFER)
        assert asked.message is not None
        to = asked.message.name_addr("Refer-To")
        assert to is not None and to.uri_headers.startswith("Replaces=") and to.uri.split("?")[0] == other.remote_target
        asked.default()
        pair.exchange()
        assert pair.alice.take(EventKind.REJECT).status_code == 603


def test_an_invite_tied_to_its_refer() -> None:
    with Pair() as pair:
        ours, _ = confirmed(pair)
        refer = ours.refer(ALICE + ":5060")
        pair.exchange()
        asked = pair.bob.take(EventKind.REFER).incoming
        assert asked is not None
        pair.bob.agent.invite(None, refer=asked, body=OFFER)
        pair.exchange()
        assert told(pair, refer) == 100
        call = pair.alice.take(EventKind.INVITE).incoming
        assert call is not None
        call.accept(body=ANSWER)
        pair.exchange()
        assert told(pair, refer) == 200


def test_the_example() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "NOTIFY (200)" in done.stdout and done.stdout.endswith("alice was told 200\n")
