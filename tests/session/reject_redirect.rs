//! Final responses that end a call before it began (RFC 3261 §13.2.2.2, §13.2.2.3, §17.1.1.3).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::config::quirk;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn busy_here() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair.bob.reject(486);
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice INVITE", "bob 180 INVITE", "bob 486 INVITE", "alice ACK"]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [486]);
    assert_eq!(pair.alice.last(EventKind::Terminated).reason, Reason::Rejected);
    assert_eq!(pair.bob.count(EventKind::Terminated), 1);
    assert_eq!(pair.bob.count(EventKind::Ack), 0, "the ACK of a rejection is the transaction's");
}

/// No host: the default of INVITE is 486.
#[test]
fn without_a_host_an_invite_is_busy() {
    let mut pair = Pair::new();
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice INVITE", "bob 486 INVITE", "alice ACK"]);
}

#[test]
fn moved_temporarily_names_contacts() {
    let mut pair = Pair::new();
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        let contacts: [&[u8]; 3] = [b"sip:bob@192.0.2.7", b"<sip:bob@192.0.2.8>;q=0.5", b"sip:bob@192.0.2.9;x"];
        agent.redirect(now, event.incoming.unwrap(), 0, &contacts, &ResponseOptions::default()).unwrap();
    });
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice INVITE", "bob 302 INVITE", "alice ACK"]);
    let response = &pair.wire.trace.messages("bob", "302 INVITE")[0];
    assert_eq!(response.all("contact"), ["sip:bob@192.0.2.7", "<sip:bob@192.0.2.8>;q=0.5", "<sip:bob@192.0.2.9;x>"]);
    assert_eq!(pair.alice.statuses(EventKind::Redirect), [302]);
    assert_eq!(pair.alice.count(EventKind::Reject), 0);
}

/// RFC 3261 §14.1: the session is as if the re-INVITE had not been; whether to follow is the host's to say.
#[test]
fn a_redirected_reinvite_leaves_the_call_as_it_was() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let reinvite = stand.peer.take("INVITE");
    let moved = stand.peer.reply(&reinvite, 302).set("Contact", "<sip:x@192.0.2.9>");
    stand.say(moved);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.statuses(EventKind::Redirect), [302]);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// RFC 3261 §17.2.1: timer G until the ACK; §17.1.1.2: each repeat is acknowledged.
#[test]
fn a_rejection_is_repeated_until_its_ack() {
    let mut pair = Pair::new();
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.reject(now, event.incoming.unwrap(), 603, &ResponseOptions::default()).unwrap();
    });
    pair.wire.lose_next("alice", "ACK", 2);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(10));
    assert_eq!(pair.wire.trace.times("bob", "603 INVITE"), [1, 501, 1_501]);
    assert_eq!(pair.wire.trace.times("alice", "ACK"), [2, 502, 1_502]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [603]);
}

/// Timer H: no ACK ever; the server side still ends.
#[test]
fn a_rejection_that_is_never_acknowledged_ends_after_64_t1() {
    let mut pair = Pair::new();
    pair.wire.lose_all("alice", "ACK");
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(60));
    assert_eq!(pair.wire.trace.messages("bob", "486 INVITE").len(), 11);
    assert_eq!(pair.bob.living(), [0; 5]);
}

/// A rejection ends early dialogs on both sides at once (RFC 3261 §12.3).
#[test]
fn a_rejection_ends_the_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    stand.alice.progress(180, "");
    stand.exchange();
    let ringing = stand.peer.take("180 INVITE");
    stand.peer.learn(&ringing);
    stand.alice.reject(480);
    stand.exchange();
    let rejected = stand.peer.take("480 INVITE");
    assert_eq!(rejected.to_tag(), ringing.to_tag());
    let ack = stand.peer.ack(&invite, &rejected);
    stand.say(ack);
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.peer.take("481 INFO");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §8.1.3.2: unknown codes are x00 and 183.
#[test]
fn unknown_codes_are_taken_by_their_class() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let odd = stand.peer.reply(&invite, 199 - 12);
    stand.say(odd);
    assert_eq!(stand.alice.state().0, SessionState::Early);
    let odd = stand.peer.reply(&invite, 677);
    stand.say(odd);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [677]);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §17.1.1.2: Timer B; no response at all is a 408 made here.
#[test]
fn silence_is_a_local_408_after_64_t1() {
    let mut pair = Pair::new();
    pair.wire.lose_all("alice", "INVITE");
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(ms(31_999));
    assert_eq!(pair.alice.count(EventKind::Reject), 0);
    pair.advance(ms(2));
    assert_eq!(pair.wire.trace.times("alice", "INVITE"), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    let event = pair.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & sipdlg::agent::event::flag::LOCAL), (408, 1));
    assert!(event.message.is_none());
}

/// RFC 3261 §8.1.3.3: a response with two Vias is not ours. (With the quirk: `broken_responses`.)
#[test]
fn a_response_with_two_vias_is_discarded() {
    let mut alice = config("alice");
    alice.tolerance &= !quirk::BROKEN_RESPONSE;
    let mut stand = Stand::with(alice);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let mut busy = stand.peer.reply(&invite, 486);
    busy.headers.insert(1, ("Via".to_owned(), "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKother".to_owned()));
    stand.say(busy);
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
}
