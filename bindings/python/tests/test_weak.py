"""Everything can be referred to weakly."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from confirmed import confirmed
from pair import Pair

import sipdlg


def test_weak_references() -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        assert accepted.message is not None and accepted.session is not None
        values: list[Any] = [
            sipdlg.Body("x"),
            sipdlg.Config(),
            sipdlg.Credentials(user="u", secret="s"),
            sipdlg.Flow(),
            sipdlg.Endpoint(),
            accepted.message.name_addr("From"),
            accepted.message.via(),
            pair.alice.agent.stats(),
            accepted.message,
            accepted.session,
            accepted.outgoing,
            asked.incoming,
            accepted,
            pair.alice.agent,
        ]
        for value in values:
            assert value is not None and weakref.ref(value)() is value


def test_a_handle_serves_as_weak_key() -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        assert accepted.session is not None
        notes = weakref.WeakKeyDictionary({accepted.session: "call"})
        (same,) = pair.alice.agent.sessions()
        assert notes[same] == "call"
        del same
        accepted.session = None
        gc.collect()
        assert not notes
