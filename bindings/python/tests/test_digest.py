"""Digest: credentials for one call, and callers that are challenged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pair import ANSWER, BOB, OFFER, Pair

import sipdlg
from sipdlg import Config, Credentials, Digest, EventKind

REALM = "example.com"
EXAMPLE = Path(__file__).parent.parent / "examples" / "challenge.py"
ALICES = Credentials(realm=REALM, user="alice", secret="wonderland")


def incoming(pair: Pair, kind: EventKind = EventKind.INVITE) -> sipdlg.IncomingRequest:
    pair.exchange()
    request = pair.bob.take(kind).incoming
    assert request is not None
    return request


def test_a_caller_is_challenged() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER, credentials=[ALICES])
        first = incoming(pair)
        with first.message as invite:
            assert invite.digest_username(REALM) is None
        assert first.check_digest(ALICES) is Digest.MISSING
        first.challenge(REALM)
        second = incoming(pair)
        with second.message as invite:
            assert invite.digest_username(REALM) == "alice"
            assert invite.digest_username("another") is None
            assert "SHA-256" in (invite.header("Authorization") or "")
            assert invite.check_digest(pair.bob.agent, Credentials(realm=REALM, user="alice", secret="x")) is Digest.WRONG
            assert invite.check_digest(pair.bob.agent, Credentials(realm="another", user="alice", secret="x")) is Digest.MISSING
            assert invite.check_digest(pair.bob.agent, ALICES) is Digest.GOOD
            assert invite.check_digest(pair.bob.agent, ALICES) is Digest.STALE
            with pytest.raises(sipdlg.ArgumentError):
                invite.check_digest(pair.bob.agent, Credentials(user="alice", secret="wonderland"))
        second.accept(body=ANSWER)
        pair.exchange()
        session = pair.alice.take(EventKind.ACCEPT).session
        assert session is not None
        # What the call was given for serves its BYE.
        session.hangup()
        bye = incoming(pair, EventKind.BYE)
        bye.challenge(REALM, "MD5")
        pair.exchange()
        assert pair.trace()[-4:] == ["BYE", "401 BYE", "BYE", "481 BYE"]


def test_refusals() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        request = incoming(pair)
        for realm, algorithms, error in (
            ("a\r\nb", None, sipdlg.BadSyntaxError),
            ("a", "SHA-1", sipdlg.ArgumentError),
            ("a\0b", None, sipdlg.ArgumentError),
        ):
            with pytest.raises(error):
                request.challenge(realm, algorithms)
        request.reject()
        with pytest.raises(sipdlg.SipdlgError):
            request.challenge("a")
        with pytest.raises(sipdlg.ArgumentError):
            pair.alice.agent.invite(BOB, credentials=[Credentials(user="alice", secret="x", is_ha1=True)])
        with pytest.raises(sipdlg.ArgumentError), sipdlg.Agent(Config(digest_minimum="SHA-1")):
            pass


def test_the_example() -> None:
    output = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, timeout=60, check=True).stdout
    assert output == (
        "bob: somebody: missing, asked for a password\nbob: alice may call\n"
        "bob: somebody: missing, asked for a password\nbob: alice: wrong, asked for a password\nalice: 200 401\n"
    )


def test_a_secret_is_not_shown() -> None:
    assert "wonderland" not in repr(ALICES)
    assert "wonderland" not in repr(Config(credentials=(ALICES,)))


def test_weak_challenges_are_left_out() -> None:
    with Pair() as pair:
        strict = Config(aor="sip:alice@192.0.2.1", seed=1, manual_clock=True, digest_minimum="SHA-256")
        pair.alice.agent.close()
        pair.alice.agent = sipdlg.Agent(strict)
        pair.alice.agent.add_transport(sipdlg.Flow(sipdlg.Transport.UDP, pair.alice.here, link=1))
        pair.set_time()
        for algorithms, invites in (("MD5", 1), ("MD5, SHA-256", 2)):
            pair.alice.agent.invite(BOB, body=OFFER, credentials=[ALICES])
            incoming(pair).challenge(REALM, algorithms)
            pair.exchange()
            assert pair.trace().count("INVITE") == invites
            if invites == 1:
                assert pair.alice.take(EventKind.REJECT).status_code == 401
            else:
                incoming(pair).reject(486)
                pair.exchange()
