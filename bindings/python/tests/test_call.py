"""Two agents that the test drives itself, in virtual time."""

from __future__ import annotations

import gc
import warnings

import pytest
from pair import ALICE, ANSWER, BOB, HOLD, OFFER, Pair

import sipdlg
from sipdlg import Body, EventFlag, EventKind, OutgoingState, Reason, ResponseFlag, SessionState, SignalingState


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


def test_reliable_provisional_responses() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        early = call.progress(183, body=ANSWER, flags=ResponseFlag.RELIABLE)
        with pytest.raises(sipdlg.StateError):
            call.accept(body=ANSWER)
        assert call.accept() == early
        assert (early.state, early.signaling_state) == (SessionState.EARLY, SignalingState.STABLE)
        pair.exchange()
        prack = pair.bob.take(EventKind.PRACK)
        assert prack.session == early and prack.incoming is not None
        prack.incoming.accept()
        pair.exchange()
        assert pair.alice.take(EventKind.PROGRESS).flags & EventFlag.RELIABLE
        assert early.state is SessionState.CONFIRMED
        assert pair.trace() == ["INVITE", "183 INVITE", "PRACK", "200 PRACK", "200 INVITE", "ACK"]


def test_call_hold_info_bye() -> None:
    with Pair() as pair:
        outgoing = pair.alice.agent.invite(BOB, body=OFFER, headers={"X-Order": "first", "X-Bytes": b"\xff"})
        assert outgoing.state is OutgoingState.CALLING
        pair.exchange()
        invite = pair.bob.take(EventKind.INVITE)
        assert invite.incoming is not None and invite.message is not None
        assert invite.message.session_body == Body(OFFER.encode(), "application/sdp", "session")
        assert invite.message.header("x-order") == "first"
        assert invite.message.header("X-Bytes") == "\udcff"
        assert invite.incoming.message.uri == BOB

        early = invite.incoming.progress(headers=[("X-Mood", "ringing")])
        pair.exchange()
        progress = pair.alice.take(EventKind.PROGRESS)
        assert progress.status_code == 180 and progress.outgoing == outgoing
        assert early.state is SessionState.EARLY and early.early

        theirs = invite.incoming.accept(body=Body(ANSWER.encode(), "application/sdp"))
        assert theirs == early
        pair.exchange()
        accept = pair.alice.take(EventKind.ACCEPT)
        ours = accept.session
        assert ours is not None and accept.message is not None
        assert accept.message.status_code == 200 and accept.message.reason_phrase == "OK"
        assert pair.trace() == ["INVITE", "180 INVITE", "200 INVITE", "ACK"]
        assert ours.state is theirs.state is SessionState.CONFIRMED
        assert ours.signaling_state is SignalingState.STABLE
        assert ours.call_id == theirs.call_id and ours.local_tag == theirs.remote_tag
        assert ours.id == ours.call_id + ours.local_tag + ours.remote_tag
        assert (ours.local_uri, ours.remote_uri, ours.route_set, ours.secure) == (ALICE, BOB, "", False)
        assert ours.remote_target.startswith("sip:bob@192.0.2.2")
        assert ours.local_sequence_number == theirs.remote_sequence_number
        assert theirs.local_sequence_number is None
        assert ours.offer is not None and ours.offer.data == OFFER.encode()
        assert ours.answer is not None and bytes(ours.answer) == ANSWER.encode()
        assert list(pair.alice.agent.sessions()) == [ours]
        assert "confirmed" in ours.state_text.lower()

        hold = ours.invite(body=HOLD)
        assert ours.reinvite_client == hold
        pair.exchange()
        again = pair.bob.take(EventKind.REINVITE).incoming
        assert again is not None and theirs.reinvite_server == again and again.session == theirs
        again.accept(body=ANSWER)
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).outgoing == hold
        assert ours.offer is not None and ours.offer.data == HOLD.encode()
        assert pair.trace() == ["INVITE", "200 INVITE", "ACK"]

        info = ours.info(body=Body("Signal=5", "application/dtmf-relay"))
        pair.exchange()
        asked = pair.bob.take(EventKind.INFO)
        assert asked.message is not None and asked.incoming is not None
        assert asked.message.body == Body(b"Signal=5", "application/dtmf-relay", "render")
        assert asked.incoming.accept() is None
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).outgoing == info

        ours.message(body=Body("Hello", "text/plain"))
        pair.exchange()
        told = pair.bob.take(EventKind.MESSAGE)
        assert told.session == theirs and told.message is not None and told.message.body == Body(b"Hello", "text/plain", "render")
        told.default()
        pair.exchange()
        pair.alice.take(EventKind.ACCEPT)
        assert pair.trace() == ["INFO", "200 INFO", "MESSAGE", "200 MESSAGE"]

        bye = theirs.bye(headers=["Reason: SIP;cause=200"])
        pair.exchange()
        pair.alice.take(EventKind.BYE).default()
        pair.exchange()
        assert pair.bob.take(EventKind.ACCEPT).outgoing == bye
        assert pair.alice.take(EventKind.TERMINATED).reason is Reason.REMOTE_BYE
        assert pair.trace() == ["BYE", "200 BYE"]
        pair.advance(64_000)
        stats = pair.alice.agent.stats()
        assert (stats.sessions, stats.transactions, stats.calls_placed) == (0, 0, 1)
        with pytest.raises(sipdlg.StaleError):
            ours.state


def test_a_day_passes_in_virtual_time() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        pair.advance(24 * 3600 * 1000)
        assert pair.trace() == [] and pair.alice.agent.next_timeout() is None
        ours.hangup()
        pair.exchange()
        pair.bob.take(EventKind.BYE).default()
        pair.advance(64_000)
        assert pair.alice.take(EventKind.TERMINATED).reason is Reason.LOCAL_HANGUP


def test_late_offer_is_acknowledged_by_hand() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.accept(body=OFFER)
        pair.exchange()
        accept = pair.alice.take(EventKind.ACCEPT)
        assert accept.flags & sipdlg.EventFlag.NEEDS_ACK and accept.session is not None
        accept.session.ack(body=ANSWER)
        pair.exchange()
        ack = pair.bob.take(EventKind.ACK)
        assert ack.message is not None and ack.message.session_body is not None
        assert ack.message.session_body.data == ANSWER.encode()


def test_reject_redirect_cancel() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.reject(486, reason_phrase="Not now")
        pair.exchange()
        reject = pair.alice.take(EventKind.REJECT)
        assert reject.message is not None
        assert (reject.status_code, reject.message.reason_phrase) == (486, "Not now")

        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.redirect(["sip:carol@192.0.2.3", '"Dan" <sip:dan@192.0.2.4>'])
        pair.exchange()
        redirect = pair.alice.take(EventKind.REDIRECT)
        assert redirect.message is not None and redirect.message.header_count("Contact") == 2
        contact = redirect.message.name_addr("m", 1)
        assert contact is not None and (contact.display_name, contact.user) == ("Dan", "dan")

        outgoing = pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.progress()
        pair.exchange()
        assert outgoing.cancel("changed my mind")
        pair.exchange()
        assert pair.bob.take(EventKind.CANCEL).incoming == call
        assert pair.alice.take(EventKind.REJECT).status_code == 487


def test_a_name_is_resolved_by_the_host() -> None:
    with Pair() as pair:
        pair.alice.agent.invite("sip:bob@example.com", body=OFFER)
        pair.exchange()
        resolve = pair.alice.take(EventKind.RESOLVE)
        assert resolve.text == "example.com"
        assert pair.alice.agent.resolved(resolve.query, [sipdlg.Flow(remote=pair.bob.here)])
        pair.exchange()
        assert pair.bob.take(EventKind.INVITE)
        assert not pair.alice.agent.resolved(resolve.query, [])


def test_the_same_seed_gives_the_same_bytes() -> None:
    def run() -> list[bytes]:
        with Pair() as pair:
            pair.alice.agent.invite(BOB, body=OFFER)
            pair.exchange()
            return list(pair.wire)

    assert run() == run()


def test_with_hangs_up_a_session_and_answers_a_request() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        with ours:
            pass
        pair.exchange()
        assert pair.trace() == ["BYE"]
        bye = pair.bob.take(EventKind.BYE).incoming
        assert bye is not None
        with bye:
            pass
        pair.exchange()
        assert pair.trace() == ["200 BYE"]
        pair.advance(64_000)
        ours.close()
        bye.close()


def test_the_garbage_collector_sends_nothing() -> None:
    with Pair() as pair:
        ours, theirs = confirmed(pair)
        outgoing = ours.info(body=Body("x", "text/plain"))
        pair.exchange()
        pair.trace()
        pair.alice.events.clear()
        pair.bob.events.clear()
        token = ours.token
        del ours, theirs, outgoing
        gc.collect()
        pair.exchange()
        assert pair.trace() == []
        assert sipdlg.Session(pair.alice.agent, token).state is SessionState.CONFIRMED


def test_a_forgotten_agent_is_ended_with_a_warning() -> None:
    agent = sipdlg.Agent()
    token = agent.token
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del agent
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    other = sipdlg.Agent()
    other.token, kept = token, other.token
    with pytest.raises(sipdlg.StaleError):
        other.stats()
    other.token = kept
    other.close()


def test_messages_outlive_their_agent() -> None:
    with Pair() as pair:
        pair.alice.agent.invite(BOB, body=OFFER)
        pair.exchange()
        message = pair.bob.take(EventKind.INVITE).message
    assert message is not None
    with message:
        assert message.cseq is not None and message.cseq[1] == "INVITE"
        via = message.via()
        assert via is not None and (via.transport, via.host) == ("UDP", "192.0.2.1")
        assert message.via(7) is None
        assert message.flow is not None and message.flow.remote == sipdlg.Endpoint("192.0.2.1", 5060)
        assert bytes(message).startswith(b"INVITE sip:bob@192.0.2.2 SIP/2.0\r\n")
    with pytest.raises(sipdlg.StaleError):
        message.method


def test_the_rest_of_the_acts() -> None:
    with Pair() as pair:
        agent = pair.alice.agent
        agent.request("OPTIONS", BOB, from_="sip:x@192.0.2.1", to="sip:y@192.0.2.2", call_id="mine")
        pair.exchange()
        asked = pair.bob.take(EventKind.OPTIONS)
        assert asked.message is not None and asked.message.header("i") == "mine"
        pair.bob.agent.reply_stateless(asked.message, 503, headers={"Retry-After": "5"})
        pair.exchange()
        reject = pair.alice.take(EventKind.REJECT)
        assert reject.message is not None and reject.message.header("Retry-After") == "5"

        outgoing = agent.invite(BOB, body=OFFER)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.trying()
        early = sipdlg.Session.new(pair.bob.agent, call)
        assert early.remote_uri == ALICE and call.session == early
        call.accept(body=ANSWER)
        pair.exchange()
        ours = pair.alice.take(EventKind.ACCEPT).session
        assert ours is not None and outgoing.message is not None and outgoing.message.method == "INVITE"
        ours.set_flow(sipdlg.Flow(remote=pair.bob.here))
        ours.options()
        pair.exchange()
        pair.bob.take(EventKind.OPTIONS).default()
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT)
        pair.trace()
        ours.dispose()
        outgoing.close()
        pair.exchange()
        assert pair.trace() == []
        assert pair.alice.take(EventKind.TERMINATED).reason is Reason.DISPOSED
        assert not agent.transmit_failed(1 << 40) and not agent.link_closed(9)
        agent.wake()
        agent.trim()


def test_reliable_responses_as_caller() -> None:
    """RFC 3262: the offer in a reliable 183, the answer in its PRACK."""
    with Pair() as pair:
        pair.alice.agent.invite(BOB)
        pair.exchange()
        call = pair.bob.take(EventKind.INVITE).incoming
        assert call is not None
        call.progress(183, body=OFFER, flags=sipdlg.ResponseFlag.RELIABLE)
        pair.exchange()
        progress = pair.alice.take(EventKind.PROGRESS)
        early, message = progress.session, progress.message
        assert early is not None and message is not None
        assert progress.flags == sipdlg.EventFlag.RELIABLE | sipdlg.EventFlag.NEEDS_PRACK
        assert not early.reliable_sequence_guard(message)
        with pytest.raises(sipdlg.StateError):
            early.prack()
        rack = f"{message.header('RSeq')} 1 INVITE"
        prack = early.prack(body=ANSWER, headers={"RAck": rack})
        pair.exchange()
        asked = pair.bob.take(EventKind.PRACK)
        assert asked.message is not None and asked.message.header("RAck") == rack
        asked.default()
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).outgoing == prack
        assert early.answer is not None and bytes(early.answer) == ANSWER.encode()
        call.accept()
        pair.exchange()
        assert pair.alice.take(EventKind.ACCEPT).session == early
        assert pair.trace() == ["INVITE", "183 INVITE", "PRACK", "200 PRACK", "200 INVITE", "ACK"]
        early.close()


def test_library() -> None:
    assert sipdlg.version() == "0.1.0" and sipdlg.abi_version() == sipdlg.ABI_VERSION
    assert sipdlg.status_text(-4).startswith("SIPDLG_ERR_STATE")
    assert sipdlg.effect_of("INFO", 481) is sipdlg.Effect.USAGE
    assert sipdlg.effect_of("INFO", 486) is sipdlg.Effect.TRANSACTION
    assert str(sipdlg.Endpoint.parse("[2001:db8::1%2]:5060")) == "[2001:db8::1%2]:5060"
    assert sipdlg.Endpoint.parse("192.0.2.1") == sipdlg.Endpoint("192.0.2.1")
