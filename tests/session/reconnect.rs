//! A client whose connection is lost comes back on another one: its dialogs go there, and requests wait for it.

use crate::common::linked::Linked;
use crate::common::party::config;
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::EventKind;
use sipdlg::config::Config;
use sipdlg::flow::Transport;
use sipdlg::session::SessionState;

fn patient(wait_ms: u32) -> Config {
    let mut config = config("alice");
    config.set_reconnect(wait_ms, true).expect("a setting");
    config
}

fn called(config: Config) -> Linked {
    let mut linked = Linked::over(Transport::Wss, config);
    linked.call(70);
    linked
}

/// A request of the client's out of its dialogs, with or without Contact.
fn outside(linked: &mut Linked, method: &str, sent_by: &str, contact: &str) -> crate::common::draft::Draft {
    linked.another("outside");
    let branch = linked.peer.branch();
    let draft = linked.peer.request(method).set("Via", format!("SIP/2.0/WSS {sent_by};branch={branch}"));
    let draft = draft.set("Call-ID", format!("out-{branch}")).without("Contact");
    if contact.is_empty() { draft } else { draft.with("Contact", format!("<{contact}>")) }
}

/// Alice's BYE goes by this link; none: it is not sent.
#[track_caller]
fn bye_goes_by(linked: &mut Linked, links: &[u64], case: &str) {
    linked.alice.hangup_all();
    linked.settle();
    let mut went = linked.went("BYE");
    went.sort_unstable();
    assert_eq!(went, links, "{case}");
}

const NAME: &str = "abcdefgh0123.invalid";
const CONTACT: &str = "sip:x@abcdefgh0123.invalid;transport=ws";

/// RFC 7118 §5: any request of the client that names it, also one that is refused, takes its dialogs to its connection.
#[test]
fn a_client_takes_its_dialogs_with_it() {
    for (method, sent_by, contact) in [
        ("REGISTER", NAME, CONTACT),
        ("REGISTER", "another.invalid", "sip:x@ABCDEFGH0123.invalid;transport=ws;ob"),
        ("OPTIONS", NAME, ""),
        ("MESSAGE", "ABCDEFGH0123.INVALID", ""),
        ("OPTIONS", NAME, "sip:x@example.com;gr=1"),
    ] {
        let mut linked = called(config("alice"));
        linked.another("second");
        linked.call(70);
        linked.lose(70);
        let request = outside(&mut linked, method, sent_by, contact);
        linked.comes(71, &request);
        bye_goes_by(&mut linked, &[71, 71], method);
    }
}

/// Neither another client, nor one of several that share a name, nor one that comes in the clear; and not when that is
/// not wanted.
#[test]
fn nobody_else_takes_dialogs() {
    let unwanted = || {
        let mut config = config("alice");
        config.set_reconnect(0, false).expect("a setting");
        config
    };
    for (sent_by, contact, mine, config) in [
        ("0123abcdefgh.invalid", "", CONTACT, config("alice")),
        (NAME, "sip:y@abcdefgh0123.invalid;transport=ws", CONTACT, config("alice")),
        ("192.0.2.2", "sip:x@192.0.2.2", CONTACT, config("alice")),
        (NAME, CONTACT, "sip:x@192.0.2.2;transport=ws", config("alice")),
        (NAME, CONTACT, CONTACT, unwanted()),
    ] {
        let mut linked = Linked::over(Transport::Wss, config);
        mine.clone_into(&mut linked.peer.contact);
        linked.call(70);
        linked.lose(70);
        let request = outside(&mut linked, "REGISTER", sent_by, contact);
        linked.comes(71, &request);
        let went = if mine == CONTACT { vec![] } else { vec![0] };
        bye_goes_by(&mut linked, &went, contact);
    }
    // A name that two clients have means neither.
    let mut linked = called(config("alice"));
    linked.another("second");
    "sip:y@abcdefgh0123.invalid;transport=ws".clone_into(&mut linked.peer.contact);
    linked.call(70);
    linked.lose(70);
    let request = outside(&mut linked, "OPTIONS", NAME, "");
    linked.comes(71, &request);
    bye_goes_by(&mut linked, &[], "a shared name");
    // Nothing leaves TLS.
    let mut linked = called(config("alice"));
    linked.lose(70);
    let mut clear = linked.connection(71);
    let ws = sipdlg::flow::Flow { transport: Transport::Ws, link: 2, remote: None, ..clear };
    linked.alice.agent.add_transport(&ws, None).expect("a transport");
    clear.transport = Transport::Ws;
    let request = outside(&mut linked, "REGISTER", NAME, CONTACT);
    linked.comes_by(&clear, &request);
    bye_goes_by(&mut linked, &[], "in the clear");
}

/// What stands on its connection is taken by a client only whose request the host has accepted.
#[test]
fn a_standing_dialog_is_taken_with_the_hosts_word() {
    for accepted in [false, true] {
        let mut linked = called(config("alice"));
        linked.alice.on(EventKind::Message, move |agent, now, event| {
            let (incoming, options) = (event.incoming.expect("a request"), Default::default());
            if accepted {
                agent.accept(now, incoming, 200, &options).expect("accepted");
            } else {
                agent.reject(now, incoming, 403, &options).expect("refused");
            }
        });
        let request = outside(&mut linked, "MESSAGE", NAME, "").content("text/plain", "x");
        linked.comes(71, &request);
        bye_goes_by(&mut linked, &[if accepted { 71 } else { 70 }], "standing");
    }
}

/// Any message of the dialog in its order, on another connection, moves it.
#[test]
fn a_message_of_the_dialog_moves_it() {
    for method in ["INFO", "OPTIONS", "UPDATE", "INVITE", "MESSAGE"] {
        let mut linked = called(config("alice"));
        linked.alice.answers(EventKind::Reinvite, HELD);
        let request = linked.peer.request(method);
        linked.comes(71, &if method == "INVITE" { request.sdp(HOLD) } else { request });
        linked.sent.clear();
        linked.alice.info();
        linked.settle();
        assert_eq!(linked.went("INFO"), [71], "{method}");
    }
    // An old one, which anybody may have recorded, does not.
    let mut linked = called(config("alice"));
    let info = linked.peer.request("INFO");
    linked.comes(70, &info);
    linked.peer.cseq -= 1;
    for method in ["OPTIONS", "INFO"] {
        let old = linked.peer.request(method);
        linked.peer.cseq -= 1;
        linked.comes(71, &old);
    }
    linked.sent.clear();
    linked.alice.info();
    linked.settle();
    assert_eq!(linked.went("INFO"), [70]);
}

/// Requests of a dialog without a connection go out when it has one, each method; the client may come back in any way.
#[test]
fn requests_wait_for_the_client() {
    for method in ["INFO", "OPTIONS", "UPDATE", "INVITE", "BYE"] {
        for back in ["by name", "in the dialog", "by the host", "by a flow"] {
            if method == "BYE" && back == "in the dialog" {
                continue;
            }
            let mut linked = called(patient(30_000));
            linked.lose(70);
            match method {
                "INFO" => drop(linked.alice.info()),
                "OPTIONS" => drop(linked.alice.options()),
                "UPDATE" => drop(linked.alice.update(HOLD)),
                "INVITE" => drop(linked.alice.reinvite(HOLD)),
                _ => drop(linked.alice.bye()),
            }
            linked.pass(seconds(29));
            assert!(linked.sent.is_empty(), "{method} {:?}", linked.names());
            assert_eq!(linked.events(EventKind::Resolve).len(), 0, "nobody can look it up");
            let (now, session, to) = (linked.alice.now(), linked.alice.session(), linked.connection(71));
            match back {
                "by name" => {
                    let request = outside(&mut linked, "OPTIONS", NAME, "");
                    linked.comes(71, &request);
                }
                "in the dialog" => {
                    let info = linked.peer.request("INFO");
                    linked.comes(71, &info);
                }
                "by the host" => drop(linked.alice.agent.move_link(now, 70, &to).expect("moved")),
                _ => linked.alice.agent.set_flow(session, Some(to)).expect("a flow"),
            }
            linked.settle();
            assert_eq!(
                (linked.went(method), linked.alice.statuses(EventKind::Reject)),
                (vec![71], vec![]),
                "{method} {back}"
            );
        }
    }
}

/// It does not come: the local 503, after that time and not before; TERMINATED follows a BYE all the same.
#[test]
fn nobody_waits_for_ever() {
    let mut linked = called(patient(5_000));
    linked.lose(70);
    linked.alice.info();
    linked.pass(ms(4_999));
    assert!(linked.act().starts_with("the request waits"), "{}", linked.act());
    assert!(linked.alice.statuses(EventKind::Reject).is_empty());
    linked.pass(ms(2));
    assert_eq!(linked.alice.statuses(EventKind::Reject), [503]);
    linked.alice.hangup();
    linked.pass(ms(4_999));
    assert_eq!(linked.events(EventKind::Terminated).len(), 0);
    linked.pass(ms(2));
    assert_eq!(linked.events(EventKind::Terminated).len(), 1);
    linked.pass(seconds(33));
    assert_eq!(linked.alice.living(), [0; 5]);
}

/// What was in flight on the lost connection waits as well, and goes out with another branch.
#[test]
fn what_was_in_flight_waits_too() {
    for method in ["INFO", "UPDATE", "INVITE", "BYE"] {
        let mut linked = called(patient(30_000));
        match method {
            "INFO" => drop(linked.alice.info()),
            "UPDATE" => drop(linked.alice.update(HOLD)),
            "INVITE" => drop(linked.alice.reinvite(HOLD)),
            _ => drop(linked.alice.bye()),
        }
        linked.settle();
        let first = linked.take(method);
        linked.lose(70);
        linked.pass(seconds(10));
        assert_eq!((linked.names(), linked.alice.statuses(EventKind::Reject)), (vec![], vec![]), "{method}");
        let request = outside(&mut linked, "OPTIONS", NAME, "");
        linked.comes(71, &request);
        let second = linked.take(method);
        assert_eq!((second.flow.link, second.sip.value("cseq")), (71, first.sip.value("cseq")), "{method}");
        assert_ne!(second.sip.branch(), first.sip.branch());
    }
}

/// RFC 3261 §12.2.2: what was in flight goes out before what came later, and none is out of order.
#[test]
fn what_waited_goes_out_in_order() {
    let mut linked = called(patient(30_000));
    linked.alice.info();
    linked.settle();
    linked.sent.clear();
    linked.lose(70);
    linked.alice.info();
    linked.alice.info();
    let request = outside(&mut linked, "OPTIONS", NAME, "");
    linked.comes(71, &request);
    let numbers: Vec<u32> = (0..3).map(|_| linked.take("INFO").sip.cseq()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}

/// A peer that says where it can be reached is tried there first; it waits when that fails.
#[test]
fn an_address_is_tried_before_anything_waits() {
    let mut linked = Linked::over(Transport::Tcp, patient(30_000));
    linked.peer.contact = "sip:peer@192.0.2.2:5066;transport=tcp".to_owned();
    linked.call(70);
    linked.alice.info();
    linked.settle();
    assert_eq!(linked.went("INFO"), [70]);
    linked.lose(70);
    let tried = linked.take("INFO");
    assert_eq!((tried.flow.link, tried.flow.remote), (0, "192.0.2.2:5066".parse().ok()));
    let now = linked.alice.now();
    assert!(linked.alice.agent.transmit_failed(now, tried.id));
    linked.pass(seconds(20));
    assert!(linked.alice.statuses(EventKind::Reject).is_empty());
    let to = linked.connection(71);
    let now = linked.alice.now();
    linked.alice.agent.move_link(now, 70, &to).expect("moved");
    linked.settle();
    assert_eq!(linked.went("INFO"), [71]);
}

/// The peer ends the call while a request of ours waits; a re-INVITE of the peer's comes first (RFC 3261 §14.1).
#[test]
fn what_happens_while_a_request_waits() {
    let mut linked = called(patient(30_000));
    linked.lose(70);
    linked.alice.info();
    linked.settle();
    let bye = linked.peer.request("BYE");
    linked.comes(71, &bye);
    assert_eq!(linked.events(EventKind::Terminated).len(), 1);
    linked.pass(seconds(40));
    assert_eq!(linked.alice.living(), [0; 5]);

    let mut linked = called(patient(30_000));
    linked.alice.hold(EventKind::Reinvite);
    linked.lose(70);
    linked.alice.info();
    linked.alice.reinvite(HOLD);
    linked.settle();
    assert_eq!(linked.alice.state().0, SessionState::Confirmed);
    let invite = linked.peer.request("INVITE").sdp(OFFER);
    linked.comes(71, &invite);
    assert_eq!(linked.went("491 INVITE"), [71], "ours is under way, though nobody has seen it");
    assert_eq!((linked.went("INFO"), linked.went("INVITE")), (vec![71], vec![71]));
}

/// The host's ACK of a 2xx that came before the connection was lost.
#[test]
fn an_ack_waits_for_the_client() {
    let mut linked = Linked::over(Transport::Ws, patient(20_000));
    let to = linked.connection(70);
    let options = sipdlg::agent::RequestOptions { flow: Some(to), ..Default::default() };
    linked.alice.invite_with(CONTACT, options);
    linked.settle();
    let invite = linked.take("INVITE").sip;
    linked.peer.learn(&invite);
    let offer = linked.peer.reply(&invite, 200).sdp(OFFER);
    linked.alice.hold(EventKind::Accept);
    linked.comes(70, &offer);
    linked.lose(70);
    linked.alice.ack(ANSWER);
    linked.pass(seconds(10));
    assert_eq!(linked.names(), Vec::<String>::new());
    let request = outside(&mut linked, "OPTIONS", NAME, "");
    linked.comes(71, &request);
    assert_eq!(linked.went("ACK"), [71]);
}
