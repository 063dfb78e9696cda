//! Connections that are lost, and the targets that their requests go to then (RFC 3263 §4.3).

use super::failover::{FIRST, first_replies, sent, stand, to, went};
use crate::common::draft::Draft;
use crate::common::pair::{ALICE, BOB, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{ANSWER, NOTHING, OFFER, seconds};
use sipdlg::agent::{Attachment, EventKind, ForeignDialog};
use sipdlg::dialog::text::DialogText;
use sipdlg::flow::{Flow, Transport};
use std::time::Instant;

fn connection(link: u64, text: &str) -> Flow {
    Flow { transport: Transport::Tcp, link, ..to(text) }
}

/// Requests in flight on a lost connection go to the next target; those on others stay.
#[test]
fn a_lost_connection_takes_its_requests_to_the_next_target() {
    let mut stand = Stand::over(Transport::Tcp, config("alice"));
    stand.alice.on(EventKind::Resolve, |agent, now, event| {
        assert!(agent.resolved(now, event.query, &[connection(70, FIRST), connection(80, BOB)]));
    });
    stand.alice.invite("sip:bob@gw.example;transport=tcp", OFFER);
    stand.exchange();
    let now = stand.alice.now();
    assert!(!stand.alice.agent.link_closed(now, 99));
    assert!(stand.alice.agent.link_closed(now, 70));
    assert!(!stand.alice.agent.link_closed(now, 70));
    stand.exchange();
    assert_eq!(went(&stand, "INVITE"), [true, false]);
    stand.peer_replies("INVITE", 180, "");
    assert!(stand.alice.agent.link_closed(stand.alice.now(), 80));
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503], "there is no third");
}

/// The peer's messages come on a connection to the first target; a name stands in its Contact.
fn on_a_connection(contact: &str) -> Stand {
    let mut stand = Stand::over(Transport::Tcp, config("alice"));
    // What comes on the other connection, and its end, are not in the trace.
    stand.wire.trace.allowed = vec!["response-to-nothing", "dialog-cseq"];
    contact.clone_into(&mut stand.peer.contact);
    stand.peer_calls();
    // The same dialog from another link, which is no listener.
    let options = stand.peer.request("MESSAGE").with("Content-Type", "text/plain").text();
    let flow = Flow { local: ALICE.parse().ok(), ..connection(70, FIRST) };
    let now = stand.alice.now();
    stand.alice.agent.receive(now, &flow, options.as_bytes()).expect("received");
    stand.exchange();
    stand
}

#[test]
fn a_request_on_a_lost_connection_goes_by_name() {
    let mut stand = on_a_connection("sip:peer@gw.example;transport=tcp");
    let targets = [connection(0, FIRST), connection(0, BOB)];
    stand.alice.on(EventKind::Resolve, move |agent, now, event| assert!(agent.resolved(now, event.query, &targets)));
    stand.alice.options();
    stand.exchange();
    assert_eq!((went(&stand, "OPTIONS"), stand.alice.count(EventKind::Resolve)), (vec![true], 0));
    let now = stand.alice.now();
    assert!(stand.alice.agent.link_closed(now, 70));
    stand.exchange();
    assert_eq!((went(&stand, "OPTIONS"), stand.alice.count(EventKind::Resolve)), (vec![true, false], 1));
    stand.peer_replies("OPTIONS", 200, "");
    stand.alice.bye();
    stand.exchange();
    assert_eq!((went(&stand, "BYE"), stand.alice.count(EventKind::Resolve)), (vec![false], 1));
    stand.peer_replies("BYE", 200, "");
}

/// A connection that answers nothing more, or 503, is left for the name too, and not come back to.
#[test]
fn a_silent_connection_is_left_for_the_name() {
    for status in [None, Some(503)] {
        let mut stand = on_a_connection("sip:peer@gw.example;transport=tcp");
        let targets = [connection(0, FIRST), connection(0, BOB)];
        stand
            .alice
            .on(EventKind::Resolve, move |agent, now, event| assert!(agent.resolved(now, event.query, &targets)));
        stand.alice.options();
        stand.exchange();
        match status {
            Some(status) => first_replies(&mut stand, "OPTIONS", status),
            None => stand.advance(seconds(33)),
        }
        assert_eq!(went(&stand, "OPTIONS"), [true, false]);
        stand.peer_replies("OPTIONS", 200, "");
        stand.alice.bye();
        stand.exchange();
        assert_eq!(went(&stand, "BYE"), [false]);
        stand.peer_replies("BYE", 200, "");
    }
}

/// A socket that is gone leads to no target of a name any more.
#[test]
fn a_lost_socket_is_no_way_to_the_next_target() {
    let mut stand = stand();
    stand.alice.invite("sip:bob@gw.example", OFFER);
    stand.exchange();
    assert!(stand.alice.agent.link_closed(stand.alice.now(), 1));
    stand.exchange();
    assert_eq!((went(&stand, "INVITE"), stand.alice.statuses(EventKind::Reject)), (vec![true], vec![503]));
}

/// An address, or the name of a WebSocket client that nobody can look up (RFC 7118 §5): a local 503 at once. A name that leads
/// only to where it failed: what it failed with.
#[test]
fn a_lost_connection_without_another_target_is_a_503() {
    let rows: [(&str, usize); 3] = [
        ("sip:peer@192.0.2.71;transport=tcp", 0),
        ("sip:x@abc.invalid;transport=tcp", 0),
        ("sip:p@gw.example;transport=tcp", 1),
    ];
    for (contact, asked) in rows {
        let mut stand = on_a_connection(contact);
        let targets = [connection(0, FIRST)];
        stand
            .alice
            .on(EventKind::Resolve, move |agent, now, event| assert!(agent.resolved(now, event.query, &targets)));
        stand.alice.info();
        stand.exchange();
        let now = stand.alice.now();
        assert!(stand.alice.agent.link_closed(now, 70));
        stand.exchange();
        assert_eq!(
            (stand.alice.statuses(EventKind::Reject), stand.alice.count(EventKind::Resolve)),
            (vec![503], asked),
            "{contact}"
        );
        assert_eq!(stand.peer.got(), NOTHING);
    }
}

/// The peer's connection is lost behind our 2xx, and its ACK comes on another one: that is a message of the dialog like
/// others, and the way to a Contact that nobody can look up.
#[test]
fn an_ack_of_the_peers_brings_its_connection() {
    for case in ["BYE", "a BYE that waited", "lost again"] {
        let mut stand = Stand::over(Transport::Tcp, config("alice"));
        stand.peer.contact = "sip:x@abc.invalid;transport=tcp".to_owned();
        stand.alice.answers(EventKind::Invite, ANSWER);
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        comes_on(&mut stand, &connection(70, FIRST), &invite);
        assert!(stand.alice.agent.link_closed(stand.alice.now(), 70));
        let ok = sent(&stand, "200 INVITE").remove(0).1;
        stand.peer.learn(&ok);
        if case == "a BYE that waited" {
            stand.alice.hangup();
        }
        let ack = stand.peer.ack(&invite, &ok);
        comes_on(&mut stand, &connection(71, BOB), &ack);
        if case == "lost again" {
            assert!(stand.alice.agent.link_closed(stand.alice.now(), 71));
        }
        if case != "a BYE that waited" {
            stand.alice.bye();
            stand.exchange();
        }
        assert_eq!(went(&stand, "BYE"), if case == "lost again" { vec![] } else { vec![false] }, "{case}");
        stand.end_unjudged();
    }
}

/// The repeat of a 2xx after the connection of the dialog has gone: its ACK goes by the URI.
#[test]
fn an_ack_does_not_repeat_on_a_lost_connection() {
    let mut stand = Stand::over(Transport::Tcp, config("alice"));
    stand.peer.contact = format!("sip:peer@{BOB};transport=tcp");
    stand.alice.invite(&format!("{TO_BOB};transport=tcp"), OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let answer = stand.peer.reply(&invite, 200).sdp(ANSWER);
    let flow = Flow { local: ALICE.parse().ok(), ..connection(70, FIRST) };
    let now = stand.alice.now();
    stand.wire.trace.allowed = vec!["ack-unprovoked", "bye-forbidden"];
    stand.alice.agent.receive(now, &flow, answer.clone().text().as_bytes()).expect("received");
    stand.exchange();
    assert!(stand.alice.agent.link_closed(now, 70));
    stand.say(answer);
    assert_eq!(went(&stand, "ACK"), [true, false]);
    stand.alice.bye();
    stand.exchange();
    assert_eq!(went(&stand, "BYE"), [false]);
    stand.peer.take("BYE");
}

/// The peer's 2xx came on link 70, and so its ACK went there; its Contact is a name.
fn acknowledged_on_a_connection() -> (Stand, Draft) {
    let mut stand = Stand::over(Transport::Tcp, config("alice"));
    stand.peer.contact = "sip:peer@gw.example;transport=tcp".to_owned();
    stand.alice.invite(&format!("{TO_BOB};transport=tcp"), OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let answer = stand.peer.reply(&invite, 200).sdp(ANSWER);
    // The trace does not see what comes by other links.
    stand.wire.trace.allowed = vec!["ack-unprovoked", "bye-forbidden", "dialog-exists"];
    comes_on(&mut stand, &connection(70, FIRST), &answer);
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::Resolve)), (vec![true], 0));
    (stand, answer)
}

fn comes_on(stand: &mut Stand, way: &Flow, message: &Draft) {
    let flow = Flow { local: ALICE.parse().ok(), ..*way };
    let now = stand.alice.now();
    stand.alice.agent.receive(now, &flow, message.clone().text().as_bytes()).expect("received");
    stand.exchange();
}

/// The 2xx comes again on another connection: that is where its sender waits for the ACK, whatever the host said of the
/// first one; the call's later requests go there too.
#[test]
fn an_ack_goes_by_the_connection_on_which_its_2xx_comes_again() {
    for told in [false, true] {
        let (mut stand, answer) = acknowledged_on_a_connection();
        if told {
            assert!(stand.alice.agent.link_closed(stand.alice.now(), 70));
        }
        comes_on(&mut stand, &connection(71, BOB), &answer);
        assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::Resolve)), (vec![true, false], 0));
        stand.alice.bye();
        stand.exchange();
        assert_eq!(went(&stand, "BYE"), [false]);
    }
}

/// The same for a socket that is gone, and another one in its place: an address is reached by that.
#[test]
fn an_ack_leaves_a_lost_socket() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let answer = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(answer.clone());
    let socket = Flow::new(Transport::Udp, ALICE.parse().ok(), None);
    let now = stand.alice.now();
    assert!(stand.alice.agent.link_closed(now, 1));
    stand.alice.agent.add_transport(&Flow { link: 2, ..socket }, None).expect("added");
    stand.alice.agent.receive(now, &Flow { link: 2, ..to(BOB) }, answer.text().as_bytes()).expect("received");
    let ack = stand.alice.agent.poll_transmit().expect("an ACK");
    assert_eq!((ack.flow.link, ack.flow.remote), (2, BOB.parse().ok()));
}

/// It comes again by UDP: the name of the Contact has to be looked up now, and is kept.
#[test]
fn an_ack_of_a_lost_connection_asks_for_its_name() {
    let (mut stand, answer) = acknowledged_on_a_connection();
    stand.alice.hold(EventKind::Resolve);
    assert!(stand.alice.agent.link_closed(stand.alice.now(), 70));
    for _ in 0..2 {
        comes_on(&mut stand, &to(BOB), &answer);
        assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::Resolve)), (vec![true], 1));
    }
    let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
    assert!(stand.alice.agent.resolved(now, query, &[connection(0, BOB)]));
    stand.exchange();
    assert_eq!(went(&stand, "ACK"), [true, false]);
    comes_on(&mut stand, &to(BOB), &answer);
    stand.alice.bye();
    stand.exchange();
    assert_eq!((went(&stand, "ACK"), went(&stand, "BYE")), (vec![true, false, false], vec![false]));
    assert_eq!(stand.alice.count(EventKind::Resolve), 1);
}

/// The host says that the ACK could not be sent on it: the same, at once. A name that nobody can look up is told.
#[test]
fn an_ack_that_its_connection_refuses_asks_for_its_name() {
    let (mut stand, _) = acknowledged_on_a_connection();
    let targets = [connection(0, FIRST), connection(0, BOB)];
    stand.alice.on(EventKind::Resolve, move |agent, now, event| assert!(agent.resolved(now, event.query, &targets)));
    let (now, transmit) = (stand.alice.now(), stand.alice.last_transmit());
    assert!(stand.alice.agent.transmit_failed(now, transmit));
    stand.exchange();
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::Resolve)), (vec![true, true], 1));
    let (now, transmit) = (stand.alice.now(), stand.alice.last_transmit());
    assert!(stand.alice.agent.transmit_failed(now, transmit));
    stand.exchange();
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::TransportError)), (vec![true, true, false], 0));

    let (mut stand, _) = acknowledged_on_a_connection();
    stand.alice.on(EventKind::Resolve, |agent, now, event| assert!(agent.resolved(now, event.query, &[])));
    let (now, transmit) = (stand.alice.now(), stand.alice.last_transmit());
    assert!(stand.alice.agent.transmit_failed(now, transmit));
    stand.exchange();
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::TransportError)), (vec![true], 1));
}

/// A fork that nobody wants has no session; the connection of its 2xx counts all the same.
#[test]
fn the_ack_of_a_stranger_follows_its_2xx() {
    let (mut stand, _) = acknowledged_on_a_connection();
    let (_, invite) = sent(&stand, "INVITE").remove(0);
    let other = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    for (link, address) in [(80, FIRST), (81, BOB), (81, BOB)] {
        comes_on(&mut stand, &connection(link, address), &other);
    }
    assert_eq!(went(&stand, "ACK"), [true, true, false, false]);
    assert_eq!(stand.alice.count(EventKind::Resolve), 0);
    stand.end_unjudged();
}

/// RFC 5057: a time-out that leads to no other target is still a time-out, which ends the call.
#[test]
fn a_silent_connection_without_another_target_is_a_time_out() {
    let mut stand = on_a_connection("sip:p@gw.example;transport=tcp");
    stand.alice.on(EventKind::Resolve, |agent, now, event| assert!(agent.resolved(now, event.query, &[])));
    stand.alice.info();
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
}

/// A lost connection asks nobody who has nothing to do with it.
#[test]
fn a_lost_link_does_not_walk_through_all_dialogs() {
    let build = |count: u32| {
        let mut stand = Stand::over(Transport::Tcp, config("alice"));
        let now = stand.alice.now();
        for number in 0..count {
            let call_id = format!("call-{number}");
            let dialog = DialogText {
                call_id: call_id.as_bytes(),
                local_tag: b"a",
                remote_tag: b"b",
                local_uri: b"sip:alice@example.com",
                remote_uri: b"sip:bob@example.com",
                remote_target: TO_BOB.as_bytes(),
                route_set: b"",
                local_sequence_number: None,
                remote_sequence_number: None,
                secure: false,
            };
            let foreign = ForeignDialog { dialog, early: false, caller: true, offer: None, answer: None };
            stand.alice.agent.take_over(now, &foreign, Attachment::default()).expect("a dialog");
            let message = format!(
                "MESSAGE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK{number}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b\r\nTo: <sip:alice@example.com>;tag=a\r\n\
                 Call-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
            );
            let flow = Flow { local: ALICE.parse().ok(), ..connection(100 + u64::from(number % 50), BOB) };
            stand.alice.agent.receive(now, &flow, message.as_bytes()).expect("received");
        }
        stand
    };
    let mut stands = [build(10), build(20_000)];
    let mut times = [u128::MAX; 2];
    for _ in 0..5 {
        for (stand, time) in stands.iter_mut().zip(&mut times) {
            let now = stand.alice.now();
            let start = Instant::now();
            for link in 1_000..2_000 {
                assert!(!stand.alice.agent.link_closed(now, link));
            }
            *time = (*time).min(start.elapsed().as_nanos());
        }
    }
    // A walk would cost two thousand times as much.
    assert!(times[1] < times[0] * 100, "{times:?} ns");
    // A link that has dialogs takes theirs, and no others.
    let alice = &mut stands[1].alice;
    let now = alice.now();
    alice.agent.link_closed(now, 100);
    let mut at = None;
    let mut connected = [0; 2];
    while let Some(id) = alice.agent.next_session(at) {
        connected[usize::from(alice.agent.session(id).expect("lives").connection().is_some())] += 1;
        at = Some(id);
    }
    assert_eq!(connected, [400, 19_600]);
    for mut stand in stands {
        // Twenty thousand hang-ups are not what this is about.
        stand.alice.replace_agent(config("alice"));
    }
}
