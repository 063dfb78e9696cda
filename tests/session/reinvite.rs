//! re-INVITE in both directions (RFC 3261 §14, RFC 6141).

use crate::common::pair::{Pair, Stand};
use crate::common::party::with_sdp;
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, OutgoingId, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

#[test]
fn either_side_may_change_the_session() {
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.alice.answers(EventKind::Reinvite, ANSWER);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    assert_eq!(pair.since(4), ["alice INVITE", "bob 200 INVITE", "alice ACK"]);
    pair.bob.reinvite(OFFER);
    pair.exchange();
    assert_eq!(pair.since(7), ["bob INVITE", "alice 200 INVITE", "bob ACK"]);
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), GOOD);
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(
            (session.offer().unwrap().content(), session.answer().unwrap().content()),
            (OFFER.as_bytes(), ANSWER.as_bytes())
        );
        assert!(session.reinvite_client().is_none() && session.reinvite_server().is_none());
    }
    let kinds = [EventKind::Invite, EventKind::Reinvite];
    assert_eq!(kinds.map(|kind| pair.bob.count(kind)), [1, 1]);
}

/// RFC 3261 §14.1: a rejected re-INVITE leaves the session as if never issued.
#[test]
fn a_rejected_reinvite_changes_nothing() {
    let mut pair = Pair::confirmed();
    pair.alice.reinvite(HOLD);
    pair.exchange();
    assert_eq!(pair.since(4), ["alice INVITE", "bob 488 INVITE", "alice ACK"]);
    assert!(
        pair.wire.trace.messages("bob", "488 INVITE")[0].get("warning").is_some(),
        "RFC 3261 §14.2: 488 with Warning"
    );
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), GOOD);
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(
            (session.offer().unwrap().content(), session.answer().unwrap().content()),
            (OFFER.as_bytes(), ANSWER.as_bytes())
        );
    }
}

#[test]
fn the_pending_reinvite_is_visible_on_both_sides() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    let outgoing = pair.alice.reinvite(HOLD);
    pair.exchange();
    let alice = pair.alice.agent.session(pair.alice.session()).unwrap();
    let bob = pair.bob.agent.session(pair.bob.session()).unwrap();
    assert_eq!(alice.reinvite_client(), Some(outgoing));
    assert_eq!(bob.reinvite_server(), Some(pair.bob.incoming()));
    assert_eq!(
        (alice.signaling_state(), bob.signaling_state()),
        (SignalingState::HaveLocalOffer, SignalingState::HaveRemoteOffer)
    );
    pair.bob.accept(HELD);
    pair.exchange();
}

/// RFC 6141 §4.4: a target moves by a reliable response; an unreliable one to a re-INVITE has no Contact.
#[test]
fn an_unreliable_response_to_a_reinvite_refreshes_no_target() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.bob.accept(HELD);
    pair.exchange();
    let ringing = pair.wire.trace.messages("bob", "180 INVITE");
    assert!(ringing.last().unwrap().get("contact").is_none());
    assert!(pair.wire.trace.messages("bob", "200 INVITE")[1].get("contact").is_some());
}

/// RFC 3261 §14.1: not while an INVITE is pending in either direction, nor early.
#[test]
fn a_second_reinvite_is_refused_while_one_is_pending() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let sent = pair.sent();
    for party in [&mut pair.alice, &mut pair.bob] {
        let (now, session) = (party.now(), party.session());
        let refused = party.agent.reinvite(now, session, with_sdp(HOLD));
        assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    }
    pair.exchange();
    assert_eq!(pair.since(sent), Vec::<String>::new(), "what is refused sends nothing");
    pair.bob.accept(HELD);
    pair.exchange();
    assert_eq!(pair.alice.state(), GOOD);
}

/// RFC 3261 §14.1 with RFC 6026: the callee waits for the ACK of its 2xx.
#[test]
fn the_callee_waits_for_the_ack_before_it_reinvites() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let refused = stand.alice.agent.reinvite(stand.alice.now(), stand.alice.session(), with_sdp(HOLD));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, HELD);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 5407 §3.1.4: the re-INVITE overtakes (or replaces) the lost ACK; the exchange is complete, so it is processed.
#[test]
fn a_reinvite_before_the_ack_is_processed() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    stand.alice.answers(EventKind::Reinvite, HELD);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let second = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(second.clone());
    let held = stand.peer.take("200 INVITE");
    assert_eq!(held.cseq(), 2);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let ack = stand.peer.ack(&second, &held);
    stand.say(ack);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "both ACKs counted");
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 5407 §3.1.5, RFC 3261 §14.2: our offer in the 2xx waits for the ACK: 491, or 500 with Retry-After.
#[test]
fn a_reinvite_before_the_ack_with_the_answer_is_refused() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, OFFER);
    let invite = stand.peer.request("INVITE");
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let second = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(second.clone());
    let refused = stand.peer.inbox.pop_front().unwrap();
    assert!(matches!(refused.status(), Some(491 | 500)), "{}", refused.start);
    let ack = stand.peer.ack(&second, &refused);
    stand.say(ack);
    let ack = stand.peer.ack(&invite, &ok).sdp(ANSWER);
    stand.say(ack);
    assert_eq!(stand.alice.state(), GOOD);
    assert_eq!(stand.alice.count(EventKind::Reinvite), 0);
}

/// RFC 5057, RFC 3261 §14.1: 481 and time-out end the dialog, with BYE.
#[test]
fn a_reinvite_that_gets_481_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 481, "");
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 481, "");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

#[test]
fn a_reinvite_without_any_answer_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
    stand.peer.take("BYE");
}

/// RFC 3261 §14.1: 488 and the like leave the session.
#[test]
fn other_rejections_leave_the_call() {
    for status in [403, 488, 500, 503, 603] {
        let mut stand = Stand::alice_called();
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let again = stand.peer_replies("INVITE", status, "");
        assert_eq!(stand.peer.got(), ["ACK"]);
        assert_eq!(stand.alice.state(), GOOD, "after {status}");
        stand.alice.info();
        stand.exchange();
        let info = stand.peer_replies("INFO", 200, "");
        assert_eq!(info.cseq(), again.cseq() + 1);
    }
}

/// RFC 3261 §14.1: the INVITE server transaction of a refused re-INVITE lives until its ACK.
#[test]
fn a_reinvite_waits_for_the_ack_of_a_refusal() {
    let mut stand = Stand::peer_called();
    let theirs = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(theirs.clone());
    let refused = stand.peer.take("488 INVITE");
    assert_eq!(stand.alice.agent.session(stand.alice.session()).unwrap().reinvite_server(), None);
    let early = stand.alice.agent.reinvite(stand.alice.now(), stand.alice.session(), with_sdp(HOLD));
    assert_eq!(early.unwrap_err().kind, ErrorKind::State);
    let ack = stand.peer.ack(&theirs, &refused);
    stand.say(ack);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 3261 §14.1, §12.2.2: also one that is refused for its order; of two that overtook each other each has an ACK of
/// its own, and either may be lost.
#[test]
fn a_reinvite_waits_for_the_acks_of_refusals_that_overtook_each_other() {
    for lost in [0, 1] {
        let mut stand = Stand::peer_called();
        let [older, newer] = [HELD, HOLD].map(|offer| stand.peer.request("INVITE").sdp(offer));
        stand.say(newer.clone());
        let rejected = stand.peer.take("488 INVITE");
        stand.say(older.clone());
        let late = stand.peer.take("500 INVITE");
        let mut acks = [stand.peer.ack(&newer, &rejected), stand.peer.ack(&older, &late)];
        if lost == 0 {
            acks.reverse();
        }
        for ack in acks {
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let early = stand.alice.agent.reinvite(now, session, with_sdp(HOLD));
            assert_eq!(early.unwrap_err().kind, ErrorKind::State, "{lost}");
            stand.say(ack);
        }
        stand.alice.reinvite(HOLD);
        stand.exchange();
        stand.peer_replies("INVITE", 200, HELD);
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// alice has called; her re-INVITE leaves its ACK to the host.
fn reinvited_with_manual_ack() -> (Stand, Sip, OutgoingId) {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { flags: request_flag::MANUAL_ACK, ..with_sdp(HOLD) };
    let reinvite = stand.alice.agent.reinvite(stand.alice.now(), stand.alice.session(), options).unwrap();
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    (stand, invite, reinvite)
}

#[test]
fn our_reinvite_is_pending_until_its_ack() {
    let (mut stand, invite, reinvite) = reinvited_with_manual_ack();
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    stand.say(ok);
    let pending = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().reinvite_client();
    assert_eq!((pending(&stand), stand.alice.state()), (Some(reinvite), GOOD));
    stand.alice.ack("");
    stand.exchange();
    stand.peer.take("ACK");
    assert_eq!(pending(&stand), None);
}

/// RFC 5407 §3.2.3: the 200 that crosses our BYE is acknowledged, by the host where it wants to.
#[test]
fn a_2xx_that_crosses_our_bye_is_acknowledged() {
    for by_host in [true, false] {
        let (mut stand, invite, reinvite) = reinvited_with_manual_ack();
        stand.alice.bye();
        stand.exchange();
        let bye = stand.peer.take("BYE");
        let ok = stand.peer.reply(&invite, 200).sdp(HELD);
        stand.say(ok.clone());
        let accept = stand.alice.last(EventKind::Accept);
        assert_eq!((accept.session, accept.flags), (Some(stand.alice.session()), flag::NEEDS_ACK));
        let session = stand.alice.agent.session(stand.alice.session()).unwrap();
        assert_eq!(session.reinvite_client(), Some(reinvite));
        if by_host {
            stand.alice.ack("");
            stand.exchange();
            stand.peer.take("ACK");
            stand.say(ok.clone());
            stand.peer.take("ACK");
        }
        let done = stand.peer.reply(&bye, 200);
        stand.say(done);
        if !by_host {
            stand.peer.take("ACK");
        }
        assert_eq!(stand.alice.count(EventKind::Terminated), 1);
        assert!(stand.alice.agent.session(stand.alice.session()).is_err());
        stand.say(ok);
        stand.peer.take("ACK");
        stand.finish();
    }
}
