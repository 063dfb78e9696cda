//! A call from INVITE to BYE, in both roles (RFC 3261 §13, §15).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::EventKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn invite_180_200_ack_bye() {
    let mut pair = Pair::new();
    pair.bob.rings_and_answers(ANSWER);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice INVITE", "bob 180 INVITE", "bob 200 INVITE", "alice ACK"]);
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable));
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.offer().unwrap().content(), OFFER.as_bytes());
        assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
        assert!(!session.is_early());
    }
    assert_eq!(pair.alice.statuses(EventKind::Progress), [180]);
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200]);
    assert_eq!(pair.bob.count(EventKind::Ack), 1);
    pair.advance(seconds(60));
    pair.alice.bye();
    pair.exchange();
    assert_eq!(pair.since(4), ["alice BYE", "bob 200 BYE"]);
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
    assert_eq!(pair.bob.count(EventKind::Terminated), 1);
}

#[test]
fn the_callee_may_end_it() {
    let mut pair = Pair::confirmed();
    pair.bob.bye();
    pair.exchange();
    assert_eq!(pair.since(4), ["bob BYE", "alice 200 BYE"]);
    assert_eq!(pair.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §12.1: both sides hold the same dialog, mirrored.
#[test]
fn the_two_dialogs_mirror_each_other() {
    let pair = Pair::confirmed();
    let alice = pair.alice.agent.session(pair.alice.session()).unwrap();
    let bob = pair.bob.agent.session(pair.bob.session()).unwrap();
    assert_eq!(alice.call_id(), bob.call_id());
    assert_eq!((alice.local_tag(), alice.remote_tag()), (bob.remote_tag(), bob.local_tag()));
    assert_eq!((alice.local_uri(), alice.remote_uri()), (bob.remote_uri(), bob.local_uri()));
    assert_eq!(alice.local_sequence_number(), bob.remote_sequence_number());
    assert_eq!((alice.remote_sequence_number(), bob.local_sequence_number()), (None, None));
    assert!(!alice.is_secure() && !bob.is_secure());
    assert!(alice.remote_target().starts_with(b"sip:") && alice.remote_target().ends_with(b"192.0.2.2:5060"));
}

/// RFC 3261 §17.2.1: 100 after 200 ms of silence, by itself and without a To tag of its own choosing.
#[test]
fn a_slow_host_is_covered_by_100_trying() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(ms(200));
    assert_eq!(pair.wire.trace.sent_by("bob"), Vec::<String>::new());
    pair.advance(ms(1));
    assert_eq!(pair.wire.trace.times("bob", "100 INVITE"), [201]);
    pair.advance(seconds(5));
    assert_eq!(pair.alice.count(EventKind::Trying), 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// RFC 3261 §13.3.1.1: a provisional response at least every minute, so that no proxy gives up.
#[test]
fn a_long_ring_is_renewed_every_minute() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.advance(seconds(170));
    assert_eq!(pair.wire.trace.times("bob", "180 INVITE"), [1, 60_001, 120_001]);
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

#[test]
fn a_whole_call_with_hold_and_info() {
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.bob.answers(EventKind::Info, "");
    pair.alice.reinvite(HOLD);
    pair.exchange();
    pair.alice.info();
    pair.exchange();
    pair.bob.bye();
    pair.exchange();
    let rest =
        ["alice INVITE", "bob 200 INVITE", "alice ACK", "alice INFO", "bob 200 INFO", "bob BYE", "alice 200 BYE"];
    assert_eq!(pair.since(4), rest);
}

/// RFC 3261 §8.1.1: what an INVITE of ours must and should say.
#[test]
fn an_invite_says_who_where_and_what() {
    let mut stand = Stand::new();
    stand.alice.invite("sip:bob@192.0.2.2:5060;x=y", OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 486, "");
    assert_eq!(invite.start, "INVITE sip:bob@192.0.2.2:5060;x=y SIP/2.0");
    assert_eq!(invite.value("max-forwards"), "70");
    assert!(invite.value("from").starts_with("<sip:alice@example.com>;tag="));
    assert!(invite.to_tag().is_none());
    assert!(invite.contact().unwrap().starts_with("sip:alice@192.0.2.1"));
    assert!(invite.all("allow").contains(&"INVITE") && invite.all("allow").contains(&"BYE"));
    assert!(invite.all("allow").contains(&"UPDATE"), "RFC 3311 §4: carriers end calls where it is missing");
    assert_eq!(invite.sdp(), Some(OFFER));
    stand.peer.take("ACK");
}

/// RFC 3261 §13.3.1.4: what a 2xx of ours must say.
#[test]
fn a_2xx_carries_contact_allow_and_answer() {
    let mut stand = Stand::new();
    stand.alice.rings_and_answers(ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ringing = stand.peer.take("180 INVITE");
    let ok = stand.peer.take("200 INVITE");
    assert_eq!(ringing.to_tag(), ok.to_tag());
    assert!(ok.contact().unwrap().starts_with("sip:alice@192.0.2.1"));
    assert!(ok.all("allow").contains(&"BYE"));
    assert_eq!(ok.sdp(), Some(ANSWER));
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 3261 §13.3.1.1: the provisional response at least every minute comes also where the host says
/// nothing, for a re-INVITE too.
#[test]
fn a_silent_host_is_covered_every_minute() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(130));
    pair.bob.accept(ANSWER);
    pair.exchange();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.advance(seconds(130));
    pair.bob.accept(HELD);
    pair.exchange();
}
