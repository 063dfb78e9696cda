//! Responses of ours whose connection is gone (RFC 3261 §18.2.2).

use crate::common::linked::Linked;
use crate::common::party::{answer_sdp, config};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::EventKind;
use sipdlg::flow::Transport;
use std::net::SocketAddr;

fn address(text: &str) -> Option<SocketAddr> {
    Some(text.parse().expect("an address"))
}

/// A client's INVITE on link 70, that waits for alice.
fn ringing(transport: Transport, sent_by: &str) -> Linked {
    let mut linked = Linked::over(transport, config("alice"));
    linked.alice.hold(EventKind::Invite);
    let branch = linked.peer.branch();
    let via = format!("SIP/2.0/{} {sent_by};branch={branch};rport", transport.via_name());
    let invite = linked.peer.request("INVITE").sdp(OFFER).set("Via", via);
    linked.comes(70, &invite);
    linked.sent.clear();
    linked
}

/// Another connection is opened: to where the request came from, at the port of sent-by; the same for its repeats.
#[test]
fn a_response_opens_another_connection() {
    for (transport, sent_by, expected) in [
        (Transport::Tcp, "192.0.2.2:5070", "192.0.2.2:5070"),
        (Transport::Tcp, "10.0.0.9", "192.0.2.2:5060"),
        (Transport::Tls, "phone.example:5071", "192.0.2.2:5071"),
        (Transport::Tls, "phone.example", "192.0.2.2:5061"),
    ] {
        for status in [200, 486] {
            let mut linked = ringing(transport, sent_by);
            linked.lose(70);
            linked.alice.progress(180, "");
            if status == 200 {
                linked.alice.accept(ANSWER);
            } else {
                linked.alice.reject(status);
            }
            linked.settle();
            for short in ["180 INVITE", &format!("{status} INVITE")] {
                let out = linked.take(short);
                assert_eq!((out.flow.link, out.flow.remote), (0, address(expected)), "{sent_by} {short}");
            }
            linked.pass(ms(600));
            if status == 200 {
                let out = linked.take("200 INVITE");
                assert_eq!((out.flow.link, out.flow.remote), (0, address(expected)), "{sent_by} again");
            }
        }
    }
}

/// Lost between the 2xx and its ACK: the repeats go elsewhere, in the first call and in a re-INVITE.
#[test]
fn the_repeats_of_a_2xx_leave_a_lost_connection() {
    let mut linked = ringing(Transport::Tcp, "192.0.2.2:5070");
    linked.alice.accept(ANSWER);
    linked.settle();
    assert_eq!(linked.went("200 INVITE"), [70]);
    linked.lose(70);
    linked.pass(ms(600));
    let out = linked.take("200 INVITE");
    assert_eq!((out.flow.link, out.flow.remote), (0, address("192.0.2.2:5070")));

    let mut linked = Linked::over(Transport::Wss, config("alice"));
    linked.call(70);
    linked.alice.answers(EventKind::Reinvite, HELD);
    let invite = linked.peer.request("INVITE").sdp(HOLD);
    linked.comes(70, &invite);
    assert_eq!(linked.went("200 INVITE"), [70]);
    linked.lose(70);
    linked.pass(ms(1_600));
    assert_eq!(linked.names(), Vec::<String>::new(), "nobody opens a connection to a page");
    let info = linked.peer.request("INFO");
    linked.comes(71, &info);
    linked.pass(seconds(3));
    assert_eq!(linked.went("200 INVITE"), [71], "it has come back");
    let now = linked.alice.now();
    let to = linked.connection(72);
    linked.alice.agent.move_link(now, 71, &to).expect("moved");
    linked.pass(seconds(4));
    assert_eq!(linked.went("200 INVITE"), [71, 72][1..], "and is elsewhere again");
}

/// The host only says that the message could not be sent: the next repeat goes elsewhere.
#[test]
fn a_repeat_that_fails_leaves_its_connection() {
    let mut linked = ringing(Transport::Tcp, "192.0.2.2:5070");
    linked.alice.accept(ANSWER);
    linked.pass(ms(600));
    let (first, again) = (linked.take("200 INVITE"), linked.take("200 INVITE"));
    assert_eq!((first.flow.link, again.flow.link), (70, 70));
    let now = linked.alice.now();
    assert!(linked.alice.agent.transmit_failed(now, again.id));
    linked.settle();
    assert_eq!(linked.events(EventKind::TransportError).len(), 1);
    linked.pass(ms(1_100));
    assert_eq!(linked.take("200 INVITE").flow.link, 0);
}

/// A page that comes back while alice rings gets her answer on its new connection; and that to a request in the dialog.
#[test]
fn a_page_that_comes_back_gets_its_answer() {
    let mut linked = ringing(Transport::Wss, "abcdefgh0123.invalid");
    linked.alice.progress(180, "");
    linked.settle();
    linked.sent.clear();
    linked.lose(70);
    let now = linked.alice.now();
    let to = linked.connection(71);
    assert_eq!(linked.alice.agent.move_link(now, 70, &to).expect("moved"), 1);
    let incoming = linked.alice.incoming.expect("an INVITE");
    linked.alice.agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).expect("accepted");
    linked.pass(ms(600));
    assert_eq!(linked.went("200 INVITE"), [71, 71]);

    let mut linked = Linked::over(Transport::Wss, config("alice"));
    linked.call(70);
    linked.alice.hold(EventKind::Message);
    let message = linked.peer.request("MESSAGE").content("text/plain", "x");
    linked.comes(70, &message);
    let incoming = linked.alice.incoming.expect("a MESSAGE");
    linked.lose(70);
    let info = linked.peer.request("INFO");
    linked.comes(71, &info);
    let now = linked.alice.now();
    linked.alice.agent.accept(now, incoming, 200, &Default::default()).expect("accepted");
    linked.settle();
    assert_eq!(linked.went("200 MESSAGE"), [71]);
}

/// It is answered on a connection that lives, whatever else its dialog came on since.
#[test]
fn a_standing_connection_gets_its_response() {
    let mut linked = ringing(Transport::Tcp, "192.0.2.2:5070");
    linked.alice.progress(180, "");
    linked.settle();
    let now = linked.alice.now();
    let to = linked.connection(71);
    linked.alice.agent.move_link(now, 99, &to).expect("nobody");
    linked.alice.accept(ANSWER);
    linked.pass(ms(600));
    assert_eq!(linked.went("200 INVITE"), [70, 70]);
    assert!(linked.alice.agent.needs_link(70));
}
