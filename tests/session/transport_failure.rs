//! Sends that fail and names that do not resolve (RFC 3261 §8.1.3.1, RFC 3263 §4.3, RFC 6026 §7.1).

use crate::common::pair::{BOB, Pair, Stand, TO_BOB};
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::EventKind;
use sipdlg::agent::event::flag;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};

/// A request that cannot be sent: 503 made here, at once.
#[test]
fn an_invite_that_cannot_be_sent_gets_a_local_503() {
    let mut stand = Stand::new();
    stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "INVITE"));
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & flag::LOCAL), (503, flag::LOCAL));
    assert_eq!(stand.alice.living(), [0; 5]);
}

/// RFC 6026 §7.1: the server side never drops its state for it; the host hears.
#[test]
fn a_response_that_cannot_be_sent_is_told_and_sent_again() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    let mut left = 1;
    pair.wire.fail = Some(Box::new(move |_, sip| {
        let hit = left > 0 && sip.status() == Some(200);
        left -= i32::from(hit);
        hit
    }));
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(2));
    assert_eq!(pair.bob.count(EventKind::TransportError), 1);
    assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// No arrow leaves Accepted: a failed ACK leaves the call alive, and the next 2xx gets it again.
#[test]
fn an_ack_that_cannot_be_sent_is_told_and_sent_again() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, ANSWER);
    let mut left = 1;
    pair.wire.fail = Some(Box::new(move |_, sip| {
        let hit = left > 0 && sip.method() == "ACK";
        left -= i32::from(hit);
        hit
    }));
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(2));
    assert_eq!(pair.alice.count(EventKind::TransportError), 1);
    assert_eq!(pair.bob.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// RFC 3261 §8.1.3.1: a 503, which ends its transaction only (RFC 5057 §5.1).
#[test]
fn a_reinvite_that_cannot_be_sent_leaves_the_call_as_it_was() {
    let mut stand = Stand::alice_called();
    stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "INVITE" && sip.to_tag().is_some()));
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & flag::LOCAL), (503, flag::LOCAL));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert!(!stand.peer.got().contains(&"BYE".to_owned()));
}

#[test]
fn a_name_is_asked_for_and_the_first_target_is_used() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.invite("sip:bob@example.net", OFFER);
    stand.exchange();
    let ask = stand.alice.last(EventKind::Resolve);
    assert_eq!(ask.text.as_deref(), Some(b"example.net".as_slice()));
    assert_eq!((ask.port, ask.secure, ask.transport), (0, false, None));
    let query = ask.query;
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "nothing goes out before");
    let target = Flow::new(Transport::Udp, None, Some(BOB.parse().unwrap()));
    let now = stand.alice.now();
    assert!(stand.alice.agent.resolved(now, query, &[target]));
    assert!(!stand.alice.agent.resolved(now, query, &[target]), "no one waits any more");
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 486, "");
    assert_eq!(invite.uri(), "sip:bob@example.net");
    assert_eq!(stand.peer.got(), ["ACK"]);
}

/// RFC 3261 §26.2.2: a SIPS URI is not reached in the clear, whatever the resolver says.
#[test]
fn a_target_without_tls_is_none_for_sips() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.invite("sips:bob@example.net", OFFER);
    stand.exchange();
    let ask = stand.alice.last(EventKind::Resolve);
    assert!(ask.secure);
    let query = ask.query;
    let target = Flow::new(Transport::Udp, None, Some(BOB.parse().unwrap()));
    let now = stand.alice.now();
    assert!(stand.alice.agent.resolved(now, query, &[target]));
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & flag::LOCAL), (503, flag::LOCAL));
}

/// RFC 3261 §8.1.3.1, design D10: no target, a local 503.
#[test]
fn a_name_that_is_not_found_gets_a_local_503() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.invite("sip:bob@nowhere.example.net", OFFER);
    stand.exchange();
    let query = stand.alice.last(EventKind::Resolve).query;
    let now = stand.alice.now();
    stand.alice.agent.resolved(now, query, &[]);
    stand.exchange();
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & flag::LOCAL), (503, flag::LOCAL));
}

/// No resolver: the default of RESOLVE is "no target".
#[test]
fn without_a_resolver_a_name_is_not_found() {
    let mut stand = Stand::new();
    stand.alice.invite("sip:bob@example.net", OFFER);
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
}

/// A name that no one answers for 32 s is not found.
#[test]
fn a_resolver_that_never_answers_is_given_up() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.invite("sip:bob@example.net", OFFER);
    stand.advance(seconds(31));
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    stand.advance(seconds(2));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
    assert_eq!(stand.alice.living(), [0; 5]);
}

/// Cancelled while the name is asked for: at once, local 487, nothing is sent.
#[test]
fn an_invite_that_is_resolving_can_be_cancelled() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.invite("sip:bob@example.net", OFFER);
    stand.exchange();
    stand.alice.cancel();
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// Over a reliable transport: no timers A, E, G; the 2xx is repeated all the same.
#[test]
fn a_reliable_transport_repeats_nothing_but_the_2xx() {
    let mut stand = Stand::over(Transport::Ws, crate::common::party::config("alice"));
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got(), ["200 INVITE", "200 INVITE", "200 INVITE"]);
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.alice.info();
    stand.advance(seconds(10));
    assert_eq!(stand.wire.trace.messages("alice", "INFO").len(), 1);
    stand.peer_replies("INFO", 200, "");
}

/// A transport that fails while the host is asked for credentials ends the request at once; nothing waits for an answer any more.
#[test]
fn a_lost_transport_ends_a_request_that_waits_for_credentials() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Challenge);
    let invite = stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let sent = stand.peer.take("INVITE");
    let challenge = stand.peer.reply(&sent, 401).with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"");
    stand.say(challenge);
    assert_eq!(stand.alice.count(EventKind::Challenge), 1);
    let now = stand.alice.now();
    assert!(stand.alice.agent.link_closed(now, 1));
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
    assert!(stand.alice.agent.authenticate(now, invite, Some(b"user"), b"secret").is_err(), "it has ended");
}

/// A name that led to the peer is asked for again when its target has moved away and back (RFC 6141 §4).
#[test]
fn a_name_is_asked_for_again_after_the_target_moved() {
    let mut stand = Stand::new();
    stand.peer.contact = "sip:peer@name.example".to_owned();
    stand.peer_calls();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.hold(EventKind::Reinvite);
    stand.alice.options();
    stand.exchange();
    let query = stand.alice.last(EventKind::Resolve).query;
    let way = Flow::new(Transport::Udp, None, Some(BOB.parse().expect("an address")));
    let now = stand.alice.now();
    assert!(stand.alice.agent.resolved(now, query, &[way]));
    stand.exchange();
    stand.peer_replies("OPTIONS", 200, "");
    for contact in [TO_BOB, "sip:peer@name.example"] {
        stand.peer.contact = contact.to_owned();
        let reinvite = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(reinvite.clone());
        stand.alice.accept(HELD);
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        let ack = stand.peer.ack(&reinvite, &ok);
        stand.say(ack);
    }
    let asked = stand.alice.count(EventKind::Resolve);
    stand.alice.options();
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Resolve), asked + 1);
}

/// RFC 3261 §12.1.1, RFC 3311 §5.2, RFC 3515 §2.2: what makes a dialog or moves its target names a Contact, also when
/// the listener is closed and only its connections live on.
#[test]
fn a_connection_outlives_its_listener_with_a_contact() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut stand = Stand::over(transport, crate::common::party::config("alice"));
        stand.peer_calls();
        let now = stand.alice.now();
        assert!(stand.alice.agent.link_closed(now, 1));
        let expected = stand.wire.trace.messages("alice", "200 INVITE")[0].contact();
        assert!(expected.is_some());
        for (method, kind) in [("INVITE", EventKind::Reinvite), ("UPDATE", EventKind::Update)] {
            stand.alice.answers(kind, HELD);
            let request = stand.peer.request(method).sdp(HOLD);
            stand.say(request.clone());
            let ok = stand.peer.take(&format!("200 {method}"));
            assert_eq!(ok.contact(), expected, "{method} over {transport:?}");
            if method == "INVITE" {
                let ack = stand.peer.ack(&request, &ok);
                stand.say(ack);
            }
        }
        stand.alice.answers(EventKind::Refer, "");
        let refer = stand.peer.request("REFER").with("Refer-To", "<sip:carol@192.0.2.3>").with("Refer-Sub", "false");
        stand.say(refer.with("Contact", "<sip:peer@192.0.2.2>"));
        assert_eq!(stand.peer.take("200 REFER").contact(), expected);
        let bye = stand.peer.request("BYE");
        stand.say(bye);
        stand.finish();
    }
}
