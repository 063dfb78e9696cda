//! RFC 3261 §13.3.1.4 and §13.2.2.4: the 2xx is repeated until its ACK, the ACK for each repeat of the 2xx.

use crate::common::by_hand::ByHand;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

/// When a 2xx first sent at 0 is sent again.
const SCHEDULE: [u64; 10] = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

#[test]
fn the_2xx_is_repeated_until_the_ack_then_no_more() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    pair.wire.lose_next("alice", "ACK", 3);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(60));
    assert_eq!(pair.wire.trace.times("bob", "200 INVITE"), [1, 501, 1_501, 3_501]);
    assert_eq!(pair.wire.trace.times("alice", "ACK"), [2, 502, 1_502, 3_502]);
    assert_eq!(pair.bob.count(EventKind::Ack), 1);
    assert_eq!(pair.bob.state().0, SessionState::Confirmed);
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200], "repeats of the 2xx are no news");
}

#[test]
fn without_ack_the_call_is_ended_by_bye_after_64_t1() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    pair.wire.lose_all("alice", "ACK");
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(ms(31_900));
    assert_eq!(pair.bob.state().0, SessionState::AckWait);
    let refused = pair.bob.agent.bye(pair.bob.now(), pair.bob.session(), RequestOptions::default());
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State, "RFC 3261 §15: no BYE before the ACK");
    pair.advance(seconds(10));
    let mut repeats: Vec<_> = SCHEDULE.iter().map(|at| at + 1).collect();
    repeats.insert(0, 1);
    assert_eq!(pair.wire.trace.times("bob", "200 INVITE"), repeats);
    assert_eq!(pair.bob.count(EventKind::AckTimeout), 1);
    assert_eq!(pair.wire.trace.times("bob", "BYE"), [32_001]);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::AckTimeout);
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
}

/// A host that takes ACK_TIMEOUT decides itself: the session waits on, BYE is legal (RFC 3261 §15).
#[test]
fn after_64_t1_without_ack_the_host_may_send_bye() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    pair.bob.hold(EventKind::AckTimeout);
    pair.wire.lose_all("alice", "ACK");
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(31));
    let session = pair.bob.session();
    let early = pair.bob.agent.bye(pair.bob.now(), session, RequestOptions::default());
    assert_eq!(early.unwrap_err().kind, ErrorKind::State);
    pair.advance(seconds(2));
    assert_eq!(pair.bob.count(EventKind::AckTimeout), 1);
    assert_eq!(pair.bob.state().0, SessionState::AckWait);
    pair.bob.bye();
    pair.exchange();
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// RFC 3261 §14.2 and §13.3.1.4 for a re-INVITE: its 2xx is repeated likewise.
#[test]
fn the_2xx_of_a_reinvite_is_repeated_too() {
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.wire.lose_next("alice", "ACK", 2);
    pair.alice.reinvite(HOLD);
    pair.advance(seconds(10));
    assert_eq!(
        pair.since(4),
        ["alice INVITE", "bob 200 INVITE", "alice ACK", "bob 200 INVITE", "alice ACK", "bob 200 INVITE", "alice ACK"]
    );
    assert_eq!(pair.bob.state().0, SessionState::Confirmed);
}

#[test]
fn a_reinvite_without_ack_ends_the_call() {
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.wire.lose_all("alice", "ACK");
    pair.alice.reinvite(HOLD);
    pair.advance(seconds(40));
    assert_eq!(pair.bob.count(EventKind::AckTimeout), 1);
    assert_eq!(pair.wire.trace.sent_by("bob").last().unwrap(), "BYE");
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §13.2.2.4: for 64*T1 after the first 2xx each repeat is acknowledged, also after a BYE.
#[test]
fn each_repeated_2xx_is_acknowledged_even_after_bye() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok.clone());
    let first = stand.peer.take("ACK");
    assert_ne!(first.branch(), invite.branch());
    assert_eq!(first.cseq(), invite.cseq());
    stand.advance(ms(500));
    stand.say(ok.clone());
    assert_eq!(stand.peer.take("ACK"), first);
    stand.alice.bye();
    stand.exchange();
    stand.peer_replies("BYE", 200, "");
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK"), first);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 5407 §3.1.1: the INVITE's repeat after our 200 is absorbed.
#[test]
fn a_repeated_invite_after_the_200_is_absorbed() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.say(invite.clone());
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.count(EventKind::Invite), 1);
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.say(invite);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// RFC 3261 §13.3.1.4, RFC 5407 §3.1.4: the ACK is known by the INVITE's CSeq number, whatever came meanwhile.
#[test]
fn an_ack_with_another_cseq_does_not_count() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let right = stand.peer.ack(&invite, &ok);
    let wrong = right.clone().set("CSeq", "77 ACK").set("Via", stand.peer.via());
    stand.say(wrong);
    assert_eq!(stand.alice.state().0, SessionState::AckWait);
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.say(right);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    assert_eq!(stand.alice.count(EventKind::Ack), 1);
}

/// The ACK of a 2xx whose branch is (wrongly) the INVITE's must be passed up all the same (RFC 6026 §7.1).
#[test]
fn an_ack_with_the_invites_branch_counts() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok).set("Via", invite.get("Via"));
    stand.say(ack);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

/// RFC 3261 §13.3.1.4, RFC 5407 §3.1.3: the caller's BYE crossed our 200, which was lost: it goes on being repeated
/// until its ACK, or the caller's INVITE never ends.
#[test]
fn the_2xx_goes_on_being_repeated_after_the_callers_bye() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair.wire.lose_next("bob", "200 INVITE", 1);
    pair.alice.bye();
    pair.bob.accept(ANSWER);
    pair.advance(seconds(5));
    assert!(pair.wire.trace.sent_by("alice").contains(&"ACK".to_owned()));
    assert_eq!(pair.wire.trace.messages("bob", "200 INVITE").len(), 2);
}

/// RFC 6337 §4.3 (UAS-IsI): while an ACK is worked off, a re-INVITE gets 500 with Retry-After.
#[test]
fn a_deferred_ack_holds_reinvites_off() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, OFFER);
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE");
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let session = stand.alice.session();
    let now = stand.alice.now();
    stand.alice.agent.set_defer_ack(now, session, true).expect("a living session");
    assert!(!stand.alice.agent.ack_processed(now, session).expect("a living session"), "none waits");
    let ack = stand.peer.ack(&invite, &ok).sdp(ANSWER);
    stand.say(ack.clone());
    assert_eq!(stand.alice.count(EventKind::Ack), 1);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    let before = stand.alice.properties();
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(reinvite.clone());
    let later = stand.peer.take("500 INVITE");
    let wait: u32 = later.value("retry-after").parse().expect("a number");
    assert!((1..=10).contains(&wait));
    let acked = stand.peer.ack(&reinvite, &later);
    stand.say(acked);
    let mut after = stand.alice.properties();
    assert_eq!(after.remote_sequence_number, Some(2));
    (after.remote_sequence_number, after.state_text) = (before.remote_sequence_number, before.state_text.clone());
    assert_eq!(after, before);
    assert!(stand.alice.agent.ack_processed(now, session).expect("a living session"));
    assert!(!stand.alice.agent.ack_processed(now, session).expect("a living session"));
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(reinvite.clone());
    assert_eq!(stand.alice.count(EventKind::Reinvite), 1);
    stand.alice.accept(HELD);
    stand.exchange();
    let held = stand.peer.take("200 INVITE");
    // One without a body is held as well (SIP.js).
    let ack = stand.peer.ack(&reinvite, &held);
    stand.say(ack.clone());
    let refused = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(refused.clone());
    let later = stand.peer.take("500 INVITE");
    let acked = stand.peer.ack(&refused, &later);
    stand.say(acked);
    assert!(stand.alice.agent.ack_processed(now, session).expect("a living session"));
    stand.say(ack);
    assert!(!stand.alice.agent.ack_processed(now, session).expect("a living session"), "a repeated ACK is nothing new");
    // Turned off, what waits is let go.
    let late = stand.peer.request("INVITE");
    stand.say(late.clone());
    stand.alice.accept(OFFER);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&late, &ok).sdp(ANSWER);
    stand.say(ack);
    stand.alice.agent.set_defer_ack(now, session, false).expect("a living session");
    assert!(!stand.alice.agent.ack_processed(now, session).expect("a living session"));
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(reinvite.clone());
    stand.alice.reject(488);
    stand.exchange();
    let refused = stand.peer.take("488 INVITE");
    let ack = stand.peer.ack(&reinvite, &refused);
    stand.say(ack);
}
