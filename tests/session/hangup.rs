//! `hangup`: what is legal now, later, never (RFC 3261 §9.1, §15; RFC 5407).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::SessionState;

/// UAC, 1xx seen: CANCEL; 487 ends it.
#[test]
fn the_caller_in_an_early_dialog_cancels() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair.alice.hangup();
    pair.exchange();
    assert_eq!(pair.wire.trace.sent_by("alice"), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(pair.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

/// UAC, one early dialog of several: BYE on that one, the INVITE goes on.
#[test]
fn one_of_several_early_dialogs_is_ended_by_bye() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let mut sessions = Vec::new();
    for tag in ["one", "two"] {
        let ringing = stand.peer.reply_as(&invite, 180, tag);
        stand.say(ringing);
        sessions.push(stand.alice.last(EventKind::Progress).session.unwrap());
    }
    stand.alice.session = Some(sessions[0]);
    stand.alice.hangup();
    stand.exchange();
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!(bye.to_tag().as_deref(), Some("one"));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "no CANCEL: it would kill all forks");
    let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.agent.session(sessions[1]).unwrap().state(), SessionState::Confirmed);
}

/// ... and a 2xx with the tag of the dialog that was ended is acknowledged, no session (RFC 5407 §3.1.3).
#[test]
fn a_2xx_of_an_ended_fork_is_acknowledged() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    for tag in ["one", "two"] {
        let ringing = stand.peer.reply_as(&invite, 180, tag);
        stand.say(ringing);
    }
    stand.alice.hangup();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    let done = stand.peer.reply(&bye, 200);
    stand.say(done);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.count(EventKind::Accept), 0, "no session comes of it");
}

/// UAC and UAS confirmed: BYE.
#[test]
fn a_confirmed_call_is_ended_by_bye() {
    let mut pair = Pair::confirmed();
    pair.bob.hangup();
    pair.bob.hangup();
    pair.exchange();
    assert_eq!(pair.since(4), ["bob BYE", "alice 200 BYE"], "a second hangup does nothing");
}

/// With a re-INVITE of ours pending: BYE now; its 2xx is acknowledged, a waiting retry dropped.
#[test]
fn hangup_during_our_reinvite() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.advance(ms(300));
    pair.alice.hangup();
    pair.exchange();
    let alice = pair.wire.trace.sent_by("alice");
    assert!(alice.ends_with(&["BYE".to_owned(), "ACK".to_owned()]), "{alice:?}");
    assert!(pair.wire.trace.sent_by("bob").contains(&"487 INVITE".to_owned()));
    pair.advance(seconds(10));
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
}

/// With a request of theirs held: BYE, and the held one is answered.
#[test]
fn hangup_during_their_reinvite() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    pair.bob.hangup();
    pair.exchange();
    let bob = pair.since(5);
    assert!(bob.contains(&"bob BYE".to_owned()));
    assert!(bob.iter().any(|line| line == "bob 487 INVITE" || line == "bob 481 INVITE"), "{bob:?}");
    assert_eq!((pair.alice.state().0, pair.bob.state().0), (SessionState::Terminated, SessionState::Terminated));
}

/// UAS, no final response: 603, or what the host says.
#[test]
fn the_callee_in_an_early_dialog_rejects() {
    for (status, expected) in [(0, "bob 603 INVITE"), (486, "bob 486 INVITE")] {
        let mut pair = Pair::new();
        pair.bob.hold(EventKind::Invite);
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        pair.bob.progress(180, "");
        pair.exchange();
        let (now, session) = (pair.bob.now(), pair.bob.session());
        pair.bob.agent.hangup(now, session, status, RequestOptions::default()).unwrap();
        pair.exchange();
        assert_eq!(pair.since(2), [expected, "alice ACK"]);
    }
}

/// UAS, 2xx sent, no ACK: nothing now, BYE with the ACK.
#[test]
fn the_callee_before_the_ack_waits_for_it() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    pair.wire.lose_next("alice", "ACK", 2);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.hangup();
    pair.advance(ms(1_400));
    assert_eq!(pair.wire.trace.sent_by("bob"), ["200 INVITE", "200 INVITE"]);
    pair.advance(ms(200));
    assert_eq!(pair.wire.trace.sent_by("bob"), ["200 INVITE", "200 INVITE", "200 INVITE", "BYE"]);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

/// ... or after 64*T1.
#[test]
fn the_callee_before_the_ack_waits_at_most_64_t1() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    pair.wire.lose_all("alice", "ACK");
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.hangup();
    pair.advance(seconds(33));
    assert_eq!(pair.wire.trace.times("bob", "BYE"), [32_001]);
    assert_eq!(pair.wire.trace.times("bob", "200 INVITE").len(), 11, "the 2xx goes on being repeated");
}

/// UAC, 2xx with an offer seen, ACK owed: ACK, then BYE.
#[test]
fn the_caller_that_owes_an_answer_acknowledges_then_ends() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, OFFER);
    pair.alice.hold(EventKind::Accept);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    pair.alice.hangup();
    pair.exchange();
    assert_eq!(pair.wire.trace.sent_by("alice")[..3], ["INVITE", "ACK", "BYE"]);
}

/// BYE: 408, 481, any error, no answer: the end.
#[test]
fn whatever_comes_for_the_bye_it_is_the_end() {
    for status in [200, 403, 408, 481, 500, 0] {
        let mut stand = Stand::alice_called();
        stand.alice.hangup();
        stand.exchange();
        let bye = stand.peer.take("BYE");
        if status > 0 {
            let answer = stand.peer.reply(&bye, status);
            stand.say(answer);
        }
        stand.advance(seconds(33));
        assert_eq!(stand.alice.count(EventKind::Terminated), 1);
        assert_eq!(stand.alice.living(), [0; 5], "after {status}");
    }
}

/// Transport loss: the end.
#[test]
fn a_bye_that_cannot_be_sent_is_the_end() {
    let mut stand = Stand::alice_called();
    stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "BYE"));
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// A token is good until TERMINATED was delivered; in it, every act is a state error.
#[test]
fn after_the_end_acts_are_refused() {
    let mut pair = Pair::confirmed();
    let session = pair.alice.session();
    pair.alice.on(EventKind::Terminated, |agent, now, event| {
        let session = event.session.unwrap();
        assert_eq!(agent.session(session).unwrap().state(), SessionState::Terminated);
        assert!(!agent.session(session).unwrap().call_id().is_empty());
        let refused = agent.info(now, session, RequestOptions::default());
        assert_eq!(refused.unwrap_err().kind, sipdlg::error::ErrorKind::State);
        assert!(agent.hangup(now, session, 0, RequestOptions::default()).is_ok(), "nothing, OK");
    });
    pair.bob.hangup();
    pair.exchange();
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
    let stale = pair.alice.agent.session(session);
    assert_eq!(stale.err().map(|error| error.kind), Some(sipdlg::error::ErrorKind::Stale));
}

/// A request in the dialog fails while the 2xx waits for its ACK: the BYE waits for it too (RFC 3261 §15).
#[test]
fn a_failed_info_before_the_ack_ends_the_call_only_after_it() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    stand.alice.info();
    stand.exchange();
    stand.peer_replies("INFO", 481, "");
    assert!(!stand.peer.got().contains(&"BYE".to_owned()), "no BYE before the ACK");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.peer_replies("BYE", 200, "");
}

/// The caller ends its only early dialog by BYE, the INVITE's final response never comes: it is not kept for ever.
#[test]
fn an_invite_whose_early_dialog_was_ended_is_not_kept_for_ever() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 180, "");
    stand.alice.bye();
    stand.exchange();
    stand.peer_replies("BYE", 200, "");
    stand.advance(seconds(70));
    assert_eq!(stand.alice.living(), [0; 5]);
}
