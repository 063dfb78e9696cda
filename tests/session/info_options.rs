//! INFO (RFC 6086) and OPTIONS (RFC 3261 §11), in both directions.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::SessionState;

#[test]
fn info_goes_both_ways() {
    let mut pair = Pair::confirmed();
    pair.alice.answers(EventKind::Info, "");
    pair.bob.answers(EventKind::Info, "");
    pair.alice.info();
    pair.exchange();
    pair.bob.info();
    pair.exchange();
    assert_eq!(pair.since(4), ["alice INFO", "bob 200 INFO", "bob INFO", "alice 200 INFO"]);
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200, 200]);
    assert_eq!(pair.wire.trace.messages("alice", "INFO")[0].value("content-type"), "application/dtmf-relay");
}

/// RFC 6086 §4.2.2: one without package and body, as old exchanges send each half minute, is in order; also in an early
/// dialog, where ours waits for the answer, and where packages are known.
#[test]
fn a_bare_info_gets_200_by_default() {
    for packages in [None, Some(&b"dtmf"[..])] {
        let mut config = config("alice");
        config.set_info_packages(packages).unwrap();
        let mut stand = Stand::with(config);
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(invite.clone());
        let call = stand.alice.incoming();
        stand.alice.progress(180, "");
        stand.exchange();
        let ringing = stand.peer.take("180 INVITE");
        stand.peer.learn(&ringing);
        let info = stand.peer.request("INFO");
        stand.say(info);
        assert_eq!(stand.peer.take("200 INFO").get("recv-info"), None);
        stand.alice.incoming = Some(call);
        stand.alice.accept(ANSWER);
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        let ack = stand.peer.ack(&invite, &ok);
        stand.say(ack);
        let info = stand.peer.request("INFO");
        stand.say(info);
        stand.peer.take("200 INFO");
        assert_eq!((stand.alice.count(EventKind::Info), stand.alice.state().0), (2, SessionState::Confirmed));
        // An empty package is none that we know.
        let info = stand.peer.request("INFO").with("Info-Package", "");
        stand.say(info);
        stand.peer.take("469 INFO");
    }
}

/// Design §8: an INFO with a body that no host takes gets 469 with Recv-Info; only that transaction fails.
#[test]
fn info_without_a_taker_gets_469() {
    let mut pair = Pair::confirmed();
    pair.alice.info();
    pair.exchange();
    assert_eq!(pair.since(4), ["alice INFO", "bob 469 INFO"]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [469]);
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

/// RFC 6086 §4.2.2, §5.2.3: an unlisted package gets 469 with the list, before any host; a listed one reaches the host.
#[test]
fn packages_are_checked_against_recv_info() {
    let mut config = config("alice");
    config.set_info_packages(Some(b"dtmf")).unwrap();
    let mut stand = Stand::with(config);
    stand.peer_calls();
    stand.alice.answers(EventKind::Info, "");
    let foreign = stand.peer.request("INFO").with("Info-Package", "other");
    stand.say(foreign);
    assert_eq!(stand.peer.take("469 INFO").all("recv-info"), ["dtmf"]);
    assert_eq!(stand.alice.count(EventKind::Info), 0);
    let listed = stand.peer.request("INFO").with("Info-Package", "dtmf");
    stand.say(listed);
    stand.peer.take("200 INFO");
    assert_eq!(stand.alice.count(EventKind::Info), 1);
}

/// INFO may go while a re-INVITE is pending (RFC 3261 §14.1 forbids only INVITE).
#[test]
fn info_passes_a_pending_reinvite() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.bob.on(EventKind::Info, |agent, now, event| {
        agent.accept(now, event.incoming.unwrap(), 200, &Default::default()).unwrap();
    });
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let reinvite = pair.bob.incoming();
    pair.alice.info();
    pair.exchange();
    assert_eq!(pair.since(5), ["alice INFO", "bob 200 INFO"]);
    pair.bob.incoming = Some(reinvite);
    pair.bob.accept(HELD);
    pair.exchange();
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

#[test]
fn options_in_a_dialog_is_answered_by_itself() {
    let mut pair = Pair::confirmed();
    pair.bob.options();
    pair.exchange();
    assert_eq!(pair.since(4), ["bob OPTIONS", "alice 200 OPTIONS"]);
    let answer = &pair.wire.trace.messages("alice", "200 OPTIONS")[0];
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"] {
        assert!(answer.all("allow").contains(&method), "Allow lacks {method}");
    }
    assert!(answer.get("accept").is_some(), "RFC 3261 §11.2");
}

/// RFC 3261 §11.2, §12.2.2: OPTIONS has no effect on the dialog; its CSeq is neither checked nor kept.
#[test]
fn options_does_not_touch_the_remote_sequence_number() {
    let mut stand = Stand::peer_called();
    let before = stand.alice.agent.session(stand.alice.session()).unwrap().remote_sequence_number();
    let mut options = stand.peer.request("OPTIONS");
    options = options.set("CSeq", "900 OPTIONS");
    stand.say(options);
    stand.peer.take("200 OPTIONS");
    let low = stand.peer.request("OPTIONS").set("CSeq", "0 OPTIONS");
    stand.say(low);
    stand.peer.take("200 OPTIONS");
    let after = stand.alice.agent.session(stand.alice.session()).unwrap().remote_sequence_number();
    assert_eq!(before, after);
    stand.alice.answers(EventKind::Info, "");
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.peer.take("200 INFO");
}

/// RFC 3261 §11.2: outside a dialog the answer is what an INVITE would get.
#[test]
fn options_outside_a_dialog() {
    let mut pair = Pair::new();
    let now = pair.alice.now();
    pair.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), RequestOptions::default()).unwrap();
    pair.exchange();
    assert_eq!(pair.wire.trace.lines().len(), 2);
    assert_eq!(pair.bob.count(EventKind::Options), 1);
    let answer = &pair.wire.trace.messages_from("bob")[0];
    assert!(!answer.all("allow").is_empty());
    assert_eq!(pair.bob.living()[0], 0, "no dialog comes of it");
}

/// The host decides where it wants to.
#[test]
fn options_may_be_answered_by_the_host() {
    let mut pair = Pair::new();
    pair.bob.on(EventKind::Options, |agent, now, event| {
        agent.reject(now, event.incoming.unwrap(), 486, &Default::default()).unwrap();
    });
    let now = pair.alice.now();
    pair.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), RequestOptions::default()).unwrap();
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice OPTIONS", "bob 486 OPTIONS"]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [486]);
}

/// RFC 5057 §5.1: 481 and time-out to INFO end the usage; 469 and 500 do not.
#[test]
fn an_info_that_gets_481_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.info();
    stand.exchange();
    stand.peer_replies("INFO", 481, "");
    stand.peer.take("BYE");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

#[test]
fn an_info_without_any_answer_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.info();
    stand.advance(seconds(33));
    assert_eq!(stand.wire.trace.messages("alice", "INFO").len(), 11);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 5057 §5.3: OPTIONS belongs to no usage; a time-out of it has no effect.
#[test]
fn an_options_without_any_answer_leaves_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.options();
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}
