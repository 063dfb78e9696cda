//! CANCEL (RFC 3261 §9).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn cancel_after_180_is_answered_200_and_487() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    assert!(pair.alice.cancel());
    pair.exchange();
    let ladder = pair.since(2);
    assert_eq!(ladder[0], "alice CANCEL");
    assert_eq!(ladder.last().unwrap(), "alice ACK");
    assert!(ladder.contains(&"bob 200 CANCEL".to_owned()) && ladder.contains(&"bob 487 INVITE".to_owned()));
    assert_eq!(pair.bob.count(EventKind::Cancel), 1);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [487]);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::Cancelled);
    let late = pair.bob.agent.accept(pair.bob.now(), pair.bob.incoming(), 200, &ResponseOptions::default());
    assert!(late.is_err());
}

/// RFC 3261 §9.1: no CANCEL before a provisional response; it goes out with the first one.
#[test]
fn cancel_waits_for_the_first_provisional_response() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert!(pair.alice.cancel());
    pair.advance(ms(199));
    assert_eq!(pair.wire.trace.sent_by("alice"), ["INVITE"]);
    pair.advance(ms(10));
    assert_eq!(pair.wire.trace.sent_by("alice"), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [487]);
}

#[test]
fn cancel_before_a_final_response_is_forgotten() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.alice.cancel();
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
    let late =
        stand.alice.agent.cancel(stand.alice.now(), stand.alice.outgoing.unwrap(), None, &RequestOptions::default());
    assert!(!matches!(late, Ok(true)));
}

/// RFC 3261 §9.1, design: who cancels does not want the call whose 200 crosses the CANCEL.
#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair.alice.cancel();
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.wire.trace.sent_by("alice"), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert!(pair.wire.trace.sent_by("bob").contains(&"200 CANCEL".to_owned()), "RFC 5407 §3.1.2");
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// Nothing comes for 64*T1 after the CANCEL: the INVITE is over (RFC 3261 §9.1).
#[test]
fn a_cancelled_invite_ends_64_t1_after_the_cancel() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    stand.alice.cancel();
    stand.exchange();
    let cancel = stand.peer_replies("CANCEL", 200, "");
    assert_eq!(cancel.branch(), invite.branch());
    stand.advance(seconds(31));
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    stand.advance(seconds(2));
    assert_eq!(stand.alice.count(EventKind::Reject), 1);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// A second CANCEL is not sent; a 481 to the first changes nothing.
#[test]
fn one_cancel_is_enough_and_its_own_answer_does_not_matter() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    stand.alice.cancel();
    stand.exchange();
    stand.peer_replies("CANCEL", 481, "");
    drop(stand.alice.agent.cancel(stand.alice.now(), stand.alice.outgoing.unwrap(), None, &RequestOptions::default()));
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    let done = stand.peer.reply(&invite, 487);
    stand.say(done);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
}

#[test]
fn a_cancel_of_nothing_gets_481() {
    let mut stand = Stand::new();
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    stand.peer.take("481 CANCEL");
}

/// RFC 3261 §9.2: no effect after a final response, but a 200.
#[test]
fn a_cancel_after_the_final_response_changes_nothing() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    assert_eq!(stand.peer.take("200 CANCEL").to_tag(), ok.to_tag());
    assert_eq!(stand.alice.count(EventKind::Cancel), 0);
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

#[test]
fn a_cancelled_reinvite_leaves_the_call_as_it_was() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.advance(ms(300));
    pair.alice.cancel();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [487]);
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable));
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.offer().unwrap().content(), OFFER.as_bytes());
    }
}

/// RFC 3261 §9.1: only INVITE is cancelled.
#[test]
fn only_invite_can_be_cancelled() {
    let mut pair = Pair::confirmed();
    let info = pair.alice.info();
    let refused = pair.alice.agent.cancel(pair.alice.now(), info, None, &RequestOptions::default());
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    pair.exchange();
}

/// An INVITE whose Expires passed is cancelled by ourselves (RFC 3261 §13.2.1).
#[test]
fn expires_cancels() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    let options = RequestOptions { expires_ms: 5_000, ..crate::common::party::with_sdp(OFFER) };
    pair.alice.invite_with(TO_BOB, options);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("alice", "INVITE")[0].value("expires"), "5");
    pair.advance(seconds(6));
    assert_eq!(pair.alice.statuses(EventKind::Reject), [487]);
    assert!(pair.bob.agent.session(pair.bob.session()).is_err());
}

/// RFC 3261 §9.2: the 200 to a CANCEL carries the To tag of the INVITE's responses, also when a rejection crossed it.
#[test]
fn the_200_to_a_cancel_has_the_tag_of_the_rejection() {
    let mut stand = Stand::new();
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let busy = stand.peer.take("486 INVITE");
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    assert_eq!(stand.peer.take("200 CANCEL").to_tag(), busy.to_tag());
    let ack = stand.peer.ack(&invite, &busy);
    stand.say(ack);
}
