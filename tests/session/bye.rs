//! BYE and the end of a dialog (RFC 3261 §15, RFC 5407 §2, §3.1, §3.2).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn bye_ends_the_session_at_once_for_the_sender() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    assert_eq!(pair.alice.state(), (SessionState::Terminated, SignalingState::Closed));
    pair.exchange();
    assert_eq!(pair.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::RemoteBye);
    assert_eq!(pair.bob.count(EventKind::Bye), 1);
}

/// RFC 5407 §3.2.1.
#[test]
fn crossing_byes_both_get_200() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    pair.bob.bye();
    pair.exchange();
    assert_eq!(pair.since(4), ["alice BYE", "bob BYE", "bob 200 BYE", "alice 200 BYE"]);
    assert_eq!((pair.alice.count(EventKind::Terminated), pair.bob.count(EventKind::Terminated)), (1, 1));
}

/// RFC 5407 §3.2.2: after our BYE, requests of the usage get 481.
#[test]
fn a_reinvite_that_crosses_our_bye_gets_481() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    pair.bob.reinvite(HOLD);
    pair.exchange();
    let statuses: Vec<_> = pair.wire.trace.sent_by("alice").split_off(2);
    assert_eq!(statuses, ["BYE", "481 INVITE"]);
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// RFC 5407 §3.2.3: the 2xx to our re-INVITE that comes after our BYE is acknowledged.
#[test]
fn a_2xx_after_our_bye_is_acknowledged() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.cseq(), invite.cseq() + 1);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").cseq(), invite.cseq());
    let done = stand.peer.reply(&bye, 200);
    stand.say(done);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// RFC 3261 §15.1.2: pending requests of the peer are answered when its BYE comes; 487.
#[test]
fn a_bye_answers_what_was_pending() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(invite.clone());
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    let mut got = stand.peer.got();
    got.sort();
    assert_eq!(got, ["200 BYE", "487 INVITE"]);
    let refused = stand.peer.inbox.iter().find(|sip| sip.short() == "487 INVITE").unwrap().clone();
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
    let late = stand.alice.agent.accept(stand.alice.now(), stand.alice.incoming(), 200, &Default::default());
    assert!(late.is_err());
}

/// ... and when we end the call ourselves.
#[test]
fn our_bye_answers_what_was_pending() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(invite.clone());
    stand.alice.bye();
    stand.exchange();
    let refused =
        stand.peer.inbox.iter().find(|sip| sip.cseq_method() == "INVITE" && !sip.is_request()).unwrap().clone();
    assert!(matches!(refused.status(), Some(481 | 487)), "{}", refused.start);
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
    stand.peer_replies("BYE", 200, "");
}

/// RFC 5407 §2: no new request in the dialog after BYE; the API says so and sends nothing.
#[test]
fn nothing_is_sent_in_a_dead_dialog() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    let (now, session) = (pair.alice.now(), pair.alice.session());
    for refused in [
        pair.alice.agent.bye(now, session, RequestOptions::default()).err(),
        pair.alice.agent.reinvite(now, session, RequestOptions::default()).err(),
        pair.alice.agent.info(now, session, RequestOptions::default()).err(),
        pair.alice.agent.options(now, session, RequestOptions::default()).err(),
    ] {
        assert!(matches!(refused.expect("refused").kind, ErrorKind::State | ErrorKind::Stale));
    }
    pair.exchange();
    assert_eq!(pair.since(4), ["alice BYE", "bob 200 BYE"]);
}

/// RFC 3261 §12.2.2, §15.1.2: no dialog, 481; to every method that needs one.
#[test]
fn requests_of_no_dialog_get_481() {
    let mut stand = Stand::new();
    stand.peer.remote_tag = "nobody".to_owned();
    for method in ["BYE", "INFO", "INVITE", "OPTIONS"] {
        let request = stand.peer.request(method);
        stand.say(request.clone());
        let gone = stand.peer.take(&format!("481 {method}"));
        if method == "INVITE" {
            let ack = stand.peer.ack(&request, &gone);
            stand.say(ack);
        }
    }
    let ack = stand.peer.request("ACK");
    stand.say(ack);
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "an ACK is never answered");
    assert_eq!(stand.alice.events.len(), 0);
}

/// RFC 3261 §15.1.2: BYE without any tag is no BYE of a dialog either.
#[test]
fn a_bye_outside_any_dialog_gets_481() {
    let mut stand = Stand::new();
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("481 BYE");
}

/// RFC 3261 §12.2.2: a lower CSeq is answered 500 and changes nothing; gaps are fine.
#[test]
fn a_lower_cseq_gets_500_and_a_gap_is_fine() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Info, "");
    stand.peer.cseq = 50;
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.peer.take("200 INFO");
    assert_eq!(stand.alice.agent.session(stand.alice.session()).unwrap().remote_sequence_number(), Some(51));
    stand.peer.cseq = 20;
    for method in ["INFO", "BYE"] {
        let old = stand.peer.request(method);
        stand.say(old);
        stand.peer.take(&format!("500 {method}"));
    }
    let old = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(old.clone());
    let refused = stand.peer.take("500 INVITE");
    let ack = stand.peer.ack(&old, &refused);
    stand.say(ack);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    assert_eq!(stand.alice.agent.session(stand.alice.session()).unwrap().remote_sequence_number(), Some(51));
    assert_eq!((stand.alice.count(EventKind::Info), stand.alice.count(EventKind::Bye)), (1, 0));
}

/// RFC 3261 §12.2.2: the number of an earlier request on a new branch is out of order too.
#[test]
fn an_equal_cseq_gets_500() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Info, "");
    let first = stand.peer.request("INFO");
    stand.say(first);
    stand.peer.take("200 INFO");
    stand.peer.cseq -= 1;
    let equal = stand.peer.request("INFO");
    stand.say(equal);
    stand.peer.take("500 INFO");
    assert_eq!(stand.alice.count(EventKind::Info), 1);
}

/// CSeq 0 is a number.
#[test]
fn a_dialog_may_start_at_cseq_0() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    stand.alice.answers(EventKind::Info, "");
    let invite = stand.peer.request("INVITE").set("CSeq", "0 INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.agent.session(stand.alice.session()).unwrap().remote_sequence_number(), Some(0));
    stand.peer.cseq = 0;
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.peer.take("200 INFO");
}

/// RFC 3261 §15.1.1: no answer to the BYE: over all the same, after timer F and not later.
#[test]
fn an_unanswered_bye_ends_all_the_same() {
    let mut pair = Pair::confirmed();
    pair.wire.lose_all("alice", "BYE");
    pair.alice.bye();
    pair.advance(seconds(33));
    let start = 3;
    let times: Vec<_> = pair.wire.trace.times("alice", "BYE").iter().map(|at| at - start).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §15.1.1: the caller may end an early dialog by BYE; the callee must not.
#[test]
fn only_the_caller_may_bye_an_early_dialog() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    let refused = pair.bob.agent.bye(pair.bob.now(), pair.bob.session(), RequestOptions::default());
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    pair.alice.bye();
    pair.exchange();
    let bob = pair.wire.trace.sent_by("bob");
    assert!(bob.contains(&"200 BYE".to_owned()) && bob.contains(&"487 INVITE".to_owned()), "{bob:?}");
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// RFC 5407 §3.1.3: the caller's BYE of the early dialog crosses the 200: ACK, no session.
#[test]
fn a_bye_of_the_early_dialog_that_crosses_the_200() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair.alice.bye();
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.wire.trace.sent_by("alice"), ["INVITE", "BYE", "ACK"]);
    assert!(pair.wire.trace.sent_by("bob").contains(&"200 BYE".to_owned()));
    assert_eq!((pair.alice.state().0, pair.bob.state().0), (SessionState::Terminated, SessionState::Terminated));
}

/// RFC 5407 §3.1.6: BYE before the ACK: 200; the repeated 200 to the INVITE is still acknowledged.
#[test]
fn a_bye_that_overtakes_the_ack() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.advance(seconds(40));
    assert_eq!(stand.alice.count(EventKind::AckTimeout), 0);
    assert_eq!(stand.peer.inbox.iter().filter(|sip| sip.is_request()).count(), 0, "no BYE after BYE");
}

/// RFC 3261 §8.2.7, §17.2.2: the repeated BYE gets the same 200, from the transaction.
#[test]
fn a_repeated_bye_gets_its_200_again() {
    let mut stand = Stand::peer_called();
    let bye = stand.peer.request("BYE");
    stand.say(bye.clone());
    let ok = stand.peer.take("200 BYE");
    stand.advance(ms(500));
    stand.say(bye);
    assert_eq!(stand.peer.take("200 BYE"), ok);
    assert_eq!(stand.alice.count(EventKind::Bye), 1);
}

/// RFC 5407 §3.2.4, the caller's side: the callee's BYE crosses the ACK that still owes the answer.
/// 200; the ACK goes all the same.
#[test]
fn a_bye_that_crosses_the_ack() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Accept);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok.clone());
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    let mut got = stand.peer.got();
    got.sort();
    assert_eq!(got, ["200 BYE", "ACK"]);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
    stand.peer.inbox.clear();
    stand.say(ok);
    assert_eq!(stand.peer.got(), ["ACK"], "a repeated 2xx is acknowledged after the end too");
}
