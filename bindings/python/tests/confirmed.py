"""Two sides with a call between them."""

from __future__ import annotations

from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import EventKind


def confirmed(pair: Pair) -> tuple[sipdlg.Event, sipdlg.Event]:
    """The INVITE as bob saw it, and its ACCEPT."""
    pair.alice.agent.invite(BOB, body=OFFER)
    pair.exchange()
    asked = pair.bob.take(EventKind.INVITE)
    assert asked.incoming is not None
    asked.incoming.accept(body=ANSWER)
    pair.exchange()
    return asked, pair.alice.take(EventKind.ACCEPT)
