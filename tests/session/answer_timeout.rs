//! A host that does not answer (RFC 3261 §13.3.1, design D16).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::{ANSWER, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::SessionState;

/// An INVITE gets 480 after the answer time-out.
#[test]
fn an_unanswered_invite_gets_480() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.advance(seconds(179));
    assert_eq!(pair.alice.count(EventKind::Reject), 0);
    pair.advance(seconds(2));
    assert_eq!(pair.wire.trace.times("bob", "480 INVITE"), [180_001]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [480]);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::AnswerTimeout);
}

#[test]
fn the_answer_timeout_is_configured() {
    let mut slow = config("bob");
    slow.set_answer_timeouts(7_000, 2_000).unwrap();
    let mut pair = Pair::with(config("alice"), slow);
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(8));
    assert_eq!(pair.wire.trace.times("bob", "480 INVITE"), [7_001]);
}

/// RFC 3261 §13.3.1: when its Expires passed, 487.
#[test]
fn an_invite_whose_expires_passed_gets_487() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").with("Expires", "5").sdp(OFFER);
    stand.say(invite.clone());
    stand.advance(ms(4_900));
    assert_eq!(stand.peer.got(), ["100 INVITE"]);
    stand.advance(ms(200));
    let expired = stand.peer.take("487 INVITE");
    let ack = stand.peer.ack(&invite, &expired);
    stand.say(ack);
}

/// RFC 3261 §13.3.1: Expires counts no more once the INVITE is answered.
#[test]
fn expires_does_not_end_an_answered_call() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").with("Expires", "5").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.advance(seconds(10));
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

/// Any other request gets its default after 16 s: half of the peer's patience.
#[test]
fn an_unanswered_info_gets_its_default() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Info);
    pair.alice.info();
    pair.flush();
    let start = pair.wire.trace.times("alice", "INFO")[0];
    pair.advance(seconds(17));
    assert_eq!(pair.wire.trace.times("bob", "469 INFO")[0], start + 16_001);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [469]);
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

#[test]
fn an_unanswered_bye_gets_200_and_an_unanswered_options_too() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Bye);
    pair.bob.hold(EventKind::Options);
    pair.alice.options();
    pair.advance(seconds(17));
    pair.alice.bye();
    pair.advance(seconds(17));
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200, 200, 200]);
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// dispose: the default now.
#[test]
fn a_disposed_request_gets_its_default() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    pair.bob.agent.dispose_incoming(now, incoming).unwrap();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [486]);
}

/// A disposed INVITE of ours: no more events; a 2xx that still comes is acknowledged and ended.
#[test]
fn a_disposed_invite_ends_what_still_comes() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    let outgoing = pair.alice.invite_with(TO_BOB, with_sdp(OFFER));
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    let now = pair.alice.now();
    pair.alice.agent.dispose_outgoing(now, outgoing).unwrap();
    pair.bob.accept(ANSWER);
    pair.exchange();
    pair.advance(seconds(1));
    let alice = pair.wire.trace.sent_by("alice");
    assert!(alice.contains(&"ACK".to_owned()) && alice.contains(&"BYE".to_owned()), "{alice:?}");
    assert_eq!(pair.alice.count(EventKind::Accept), 0);
}

/// A disposed session leaves without BYE; the peer's next request gets 481.
#[test]
fn a_disposed_session_is_forgotten() {
    let mut stand = Stand::peer_called();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.dispose_session(now, session).unwrap();
    stand.exchange();
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Disposed);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    stand.wire.trace.allowed.push("bye-answer");
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("481 BYE");
    let refused = stand.alice.agent.info(now, session, RequestOptions::default());
    assert!(refused.is_err());
}

/// A re-INVITE that no one answers: a final response all the same; the call stands.
#[test]
fn an_unanswered_reinvite_is_answered_in_the_end() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(OFFER);
    pair.advance(seconds(200));
    assert_eq!(pair.alice.count(EventKind::Reject), 1);
    assert_eq!((pair.alice.state().0, pair.bob.state().0), (SessionState::Confirmed, SessionState::Confirmed));
}
