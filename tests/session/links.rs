//! Links of a host: dialogs hear that theirs is gone, go to another, and what is in flight goes with them.

use crate::common::linked::Linked;
use crate::common::party::{config, with_sdp};
use crate::common::{HELD, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::{EventKind, Reason};
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SessionState;

fn called(transport: Transport) -> Linked {
    let mut linked = Linked::over(transport, config("alice"));
    linked.call(70);
    linked
}

/// The host of each session on it is told, by which link, once, and the call goes on.
#[test]
fn a_lost_link_is_told_to_its_sessions() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        let mut linked = called(transport);
        let first = linked.alice.session();
        linked.another("second");
        linked.call(70);
        let second = linked.alice.session();
        linked.another("third");
        linked.peer.contact = "sip:y@abcdefgh0123.invalid".to_owned();
        linked.call(71);
        assert!(linked.lose(70));
        let told: Vec<_> =
            linked.events(EventKind::LinkLost).iter().map(|event| (event.session, event.query)).collect();
        assert_eq!(told, [(Some(first), 70), (Some(second), 70)]);
        let last = linked.alice.last(EventKind::LinkLost);
        assert_eq!((last.reason, last.session_state), (Reason::Transport, SessionState::Confirmed));
        assert!(!linked.lose(70), "nothing is on it any more");
        assert_eq!((linked.events(EventKind::LinkLost).len(), linked.names()), (2, vec![]));
    }
}

/// A session that is over has nothing to hear of it, and one whose way was set hears it as well.
#[test]
fn who_hears_of_a_lost_link() {
    let mut linked = called(Transport::Ws);
    linked.alice.hangup();
    linked.settle();
    linked.lose(70);
    assert_eq!(linked.events(EventKind::LinkLost).len(), 0);

    let mut linked = called(Transport::Ws);
    let (session, set) = (linked.alice.session(), linked.connection(90));
    linked.alice.agent.set_flow(session, Some(set)).expect("a flow");
    assert!(linked.lose(90));
    assert_eq!(linked.alice.last(EventKind::LinkLost).query, 90);
    let flow = linked.alice.agent.session(session).expect("it lives").way().copied();
    assert_eq!(flow, Some(linked.connection(70)), "what the peer came on is there still");
    assert!(linked.lose(70));
    assert_eq!(linked.events(EventKind::LinkLost).len(), 2);
    assert!(linked.alice.agent.session(session).expect("it lives").way().is_none());

    // Set over a link of UDP too.
    let mut linked = Linked::over(Transport::Udp, config("alice"));
    linked.call(1);
    let (session, set) = (linked.alice.session(), linked.connection(1));
    assert!(linked.alice.agent.session(session).expect("it lives").way().is_none());
    linked.alice.agent.set_flow(session, Some(set)).expect("a flow");
    linked.lose(1);
    assert_eq!(linked.alice.last(EventKind::LinkLost).query, 1);
}

/// A host that leaves events unread has one of them for each session.
#[test]
fn losses_that_nobody_reads_do_not_pile_up() {
    let mut linked = called(Transport::Tcp);
    let events = linked.alice.events.len();
    for link in 71..99 {
        let (now, flow) = (linked.alice.now(), linked.connection(link));
        // Refused by rule, so nothing else is told of it.
        let info = linked.peer.request("INFO").with("Info-Package", "nobody").text();
        linked.alice.agent.receive(now, &flow, info.as_bytes()).expect("received");
        assert!(linked.alice.agent.link_closed(now, link));
    }
    linked.settle();
    let told: Vec<_> = linked.alice.events[events..].iter().map(|event| (event.kind, event.query)).collect();
    assert_eq!(told, [(EventKind::LinkLost, 98)]);
}

/// All dialogs of a link go to another, before and after the first one is known to be gone.
#[test]
fn dialogs_move_to_another_link() {
    for lost in [false, true] {
        let mut linked = called(Transport::Wss);
        linked.another("second");
        linked.call(70);
        linked.another("third");
        linked.peer.contact = "sip:y@abcdefgh0123.invalid".to_owned();
        linked.call(71);
        if lost {
            linked.lose(70);
        }
        let (now, to) = (linked.alice.now(), linked.connection(72));
        assert_eq!(linked.alice.agent.move_link(now, 70, &to).expect("moved"), 2);
        assert_eq!(linked.alice.agent.move_link(now, 70, &to).expect("moved"), 0);
        if !lost {
            assert!(!linked.lose(70), "no dialog is on it");
        }
        linked.alice.hangup_all();
        linked.settle();
        let mut went = linked.went("BYE");
        went.sort_unstable();
        assert_eq!(went, [71, 72, 72]);
        assert!(linked.lose(72), "requests of theirs are on it");
    }
}

#[test]
fn what_is_no_move_is_refused() {
    let mut linked = called(Transport::Tcp);
    let (now, to) = (linked.alice.now(), linked.connection(72));
    let nowhere = Flow { remote: None, ..to };
    let other = Flow { transport: Transport::Tls, ..to };
    let agent = &mut linked.alice.agent;
    for (link, to, kind) in
        [(0, to, ErrorKind::Argument), (70, nowhere, ErrorKind::Argument), (70, other, ErrorKind::NoTransport)]
    {
        assert_eq!(agent.move_link(now, link, &to).expect_err("no move").kind, kind);
    }
    assert_eq!(agent.move_link(now, 99, &to).expect("nobody"), 0);
}

/// RFC 3261 §8.1.3.1: a request in flight on a lost link goes on by the connection that its dialog has by then, the same
/// for all methods; its own only where there is none.
#[test]
fn what_is_in_flight_goes_where_its_dialog_is() {
    for method in ["INFO", "OPTIONS", "UPDATE", "INVITE", "BYE"] {
        for moved in ["before", "by the peer", "not"] {
            let mut linked = called(Transport::Ws);
            match method {
                "INFO" => drop(linked.alice.info()),
                "OPTIONS" => drop(linked.alice.options()),
                "UPDATE" => drop(linked.alice.update(HOLD)),
                "INVITE" => drop(linked.alice.reinvite(HOLD)),
                _ => drop(linked.alice.bye()),
            }
            linked.settle();
            let first = linked.take(method);
            assert_eq!(first.flow.link, 70);
            match moved {
                "before" => {
                    let (now, to) = (linked.alice.now(), linked.connection(71));
                    linked.alice.agent.move_link(now, 70, &to).expect("moved");
                }
                "by the peer" if method != "BYE" => {
                    let info = linked.peer.request("INFO");
                    linked.comes(71, &info);
                }
                _ => {}
            }
            linked.lose(70);
            let statuses = linked.alice.statuses(EventKind::Reject);
            if moved == "not" || method == "BYE" && moved == "by the peer" {
                assert_eq!((linked.went(method), statuses), (vec![], vec![503]), "{method} {moved}");
                continue;
            }
            let second = linked.take(method);
            assert_eq!((second.flow.link, statuses), (71, vec![]), "{method} {moved}");
            assert!(linked.act().starts_with("the request goes by the way"), "{}", linked.act());
            assert_eq!(first.sip.value("cseq"), second.sip.value("cseq"));
            assert_ne!(first.sip.branch(), second.sip.branch());
            let reply = linked.peer.reply(&second.sip, 200);
            linked.comes(
                71,
                &if method == "INFO" || method == "OPTIONS" || method == "BYE" { reply } else { reply.sdp(HELD) },
            );
            if method == "INVITE" {
                assert_eq!(linked.went("ACK"), [71]);
            }
        }
    }
}

/// The host says of another socket's request with link 0 by which connection it went: it is lost with that.
#[test]
fn a_host_says_by_which_connection_a_request_goes() {
    let mut linked = Linked::over(Transport::Tcp, config("alice"));
    linked.alice.invite("sip:bob@192.0.2.2;transport=tcp", OFFER);
    linked.settle();
    let invite = linked.take("INVITE");
    assert_eq!(invite.flow.link, 0);
    let flow = Flow { link: 33, ..invite.flow };
    assert!(linked.alice.agent.transmit_goes_by(invite.id, &flow));
    assert!(!linked.alice.agent.transmit_goes_by(invite.id, &flow), "it is known");
    assert!(!linked.alice.agent.transmit_goes_by(invite.id + 1_000, &flow));
    assert!(linked.alice.agent.needs_link(33));
    linked.lose(33);
    assert_eq!(linked.alice.statuses(EventKind::Reject), [503]);
}

/// The ACK that the connection refuses goes by the one that the dialog has since.
#[test]
fn an_ack_goes_where_its_dialog_is() {
    let mut linked = Linked::over(Transport::Ws, config("alice"));
    let (now, to) = (linked.alice.now(), linked.connection(70));
    let options = sipdlg::agent::RequestOptions { flow: Some(to), ..with_sdp(OFFER) };
    linked.alice.invite_with("sip:x@abcdefgh0123.invalid;transport=ws", options);
    linked.settle();
    let invite = linked.take("INVITE").sip;
    linked.peer.learn(&invite);
    let answer = linked.peer.reply(&invite, 200).sdp(crate::common::ANSWER);
    linked.comes(70, &answer);
    let ack = linked.take("ACK");
    assert_eq!(ack.flow.link, 70);
    let to = linked.connection(71);
    linked.alice.agent.move_link(now, 70, &to).expect("moved");
    assert!(linked.alice.agent.transmit_failed(now, ack.id));
    linked.settle();
    assert_eq!((linked.went("ACK"), linked.events(EventKind::TransportError).len()), (vec![71], 0));
    linked.pass(seconds(1));
    assert_eq!(linked.names(), NOTHING);
}
