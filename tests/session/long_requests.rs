//! Requests that are too long for a datagram (RFC 3261 §18.1.1).

use crate::common::linked::{Linked, Out};
use crate::common::pair::ALICE;
use crate::common::party::config;
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};

/// Alice has UDP, and TCP on the same port.
fn both(config: Config) -> Linked {
    let mut linked = Linked::over(Transport::Udp, config);
    let tcp = Flow { link: 2, ..Flow::new(Transport::Tcp, ALICE.parse().ok(), None) };
    linked.alice.agent.add_transport(&tcp, None).expect("a transport");
    linked
}

fn sized(bytes: u32) -> Config {
    let mut config = config("alice");
    config.set_datagram_bytes(bytes).expect("a setting");
    config
}

/// A body that makes an INVITE longer than 1,300 bytes.
fn long() -> String {
    format!("{OFFER}{}", "a=candidate:1 1 udp 2113937151 192.0.2.1 54400 typ host\r\n".repeat(20))
}

fn invites(linked: &mut Linked, target: &str, body: &str) -> Out {
    linked.alice.invite(target, body);
    linked.settle();
    linked.take("INVITE")
}

const BOB: &str = "sip:bob@192.0.2.2";

/// The transport, that in the top Via (§18.1.1), and how Contact says it.
fn ways(out: &Out) -> (Transport, String, bool) {
    let via = out.sip.value("via").split(' ').next().expect("a Via").to_owned();
    (out.flow.transport, via, out.sip.value("contact").contains("transport=tcp"))
}

#[test]
fn a_long_request_goes_by_tcp() {
    let udp = (Transport::Udp, "SIP/2.0/UDP".to_owned(), false);
    let tcp = (Transport::Tcp, "SIP/2.0/TCP".to_owned(), true);
    for (bytes, target, body, expected) in [
        (1_300, BOB, OFFER.to_owned(), &udp),
        (1_300, BOB, long(), &tcp),
        (0, BOB, long(), &udp),
        (3_000, BOB, long(), &udp),
        (548, BOB, OFFER.to_owned(), &tcp),
        (1_300, "sip:bob@192.0.2.2;transport=udp", long(), &udp),
        (1_300, "sip:bob@192.0.2.2;transport=tcp", long(), &tcp),
    ] {
        let mut linked = both(sized(bytes));
        let out = invites(&mut linked, target, &body);
        assert_eq!(&ways(&out), expected, "{bytes} {target} {}", body.len());
        assert_eq!(out.flow.remote, "192.0.2.2:5060".parse().ok());
    }
    // Its exact length counts.
    let mut linked = both(sized(0));
    let length = u32::try_from(invites(&mut linked, BOB, OFFER).sip_len()).expect("short");
    for (bytes, transport) in [(length, Transport::Udp), (length - 1, Transport::Tcp)] {
        let mut linked = both(sized(bytes));
        assert_eq!(invites(&mut linked, BOB, OFFER).flow.transport, transport);
    }
}

/// Where nobody takes TCP here, the host has said which socket, or where exactly, it goes by UDP.
#[test]
fn who_wants_udp_gets_it() {
    let mut linked = Linked::over(Transport::Udp, config("alice"));
    assert_eq!(invites(&mut linked, BOB, &long()).flow.transport, Transport::Udp);
    let there = Flow::new(Transport::Udp, None, "192.0.2.2:5060".parse().ok());
    let socket = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), None) };
    for flow in [Flow { link: 1, ..there }, socket] {
        let mut linked = both(config("alice"));
        let body = long();
        let options = RequestOptions { flow: Some(flow), ..crate::common::party::with_sdp(&body) };
        linked.alice.invite_with(BOB, options);
        linked.settle();
        assert_eq!(linked.take("INVITE").flow.transport, Transport::Udp, "{flow:?}");
    }
}

/// A connection that is refused, or lost: the same target by UDP, with another branch, and not asked again for a while.
#[test]
fn a_refused_connection_leads_back_to_udp() {
    for lost in [false, true] {
        let mut linked = both(config("alice"));
        let first = invites(&mut linked, BOB, &long());
        assert_eq!(ways(&first).0, Transport::Tcp);
        if lost {
            let flow = Flow { link: 50, ..first.flow };
            assert!(linked.alice.agent.transmit_goes_by(first.id, &flow));
            linked.lose(50);
        } else {
            let now = linked.alice.now();
            assert!(linked.alice.agent.transmit_failed(now, first.id));
            linked.settle();
        }
        let second = linked.take("INVITE");
        assert_eq!(ways(&second), (Transport::Udp, "SIP/2.0/UDP".to_owned(), false));
        assert_eq!(first.sip.value("cseq"), second.sip.value("cseq"));
        assert_ne!(first.sip.branch(), second.sip.branch());
        assert!(linked.alice.statuses(EventKind::Reject).is_empty());
        // It fails there too: that is the end.
        let now = linked.alice.now();
        assert!(linked.alice.agent.transmit_failed(now, second.id));
        linked.settle();
        assert_eq!(linked.alice.statuses(EventKind::Reject), [503]);
        assert_eq!(invites(&mut linked, BOB, &long()).flow.transport, Transport::Udp);
        assert_eq!(invites(&mut linked, "sip:bob@192.0.2.3", &long()).flow.transport, Transport::Tcp);
        linked.pass(seconds(601));
        linked.sent.clear();
        assert_eq!(invites(&mut linked, BOB, &long()).flow.transport, Transport::Tcp);
    }
}

/// The targets of a name: each by TCP first, then by UDP, before the next.
#[test]
fn each_target_is_tried_both_ways() {
    let mut linked = both(config("alice"));
    let targets = ["192.0.2.71:5060", "192.0.2.72:5060"];
    linked.alice.on(EventKind::Resolve, move |agent, now, event| {
        let flows = targets.map(|text| Flow::new(Transport::Udp, None, text.parse().ok()));
        assert!(agent.resolved(now, event.query, &flows));
    });
    linked.alice.invite("sip:bob@gw.example", &long());
    linked.settle();
    let mut tried = Vec::new();
    while let Some(at) = linked.sent.iter().position(|out| out.sip.short() == "INVITE") {
        let out = linked.sent.remove(at);
        tried.push((out.flow.transport, out.flow.remote.map(|remote| remote.to_string())));
        let now = linked.alice.now();
        linked.alice.agent.transmit_failed(now, out.id);
        linked.settle();
    }
    let both = |text: &str| [(Transport::Tcp, Some(text.to_owned())), (Transport::Udp, Some(text.to_owned()))];
    assert_eq!(tried, [both(targets[0]), both(targets[1])].concat());
    assert_eq!(linked.alice.statuses(EventKind::Reject), [503]);
}

/// The call goes on by the connection that its INVITE has opened; one that began by UDP goes back to it.
#[test]
fn the_call_goes_on() {
    let mut linked = both(config("alice"));
    linked.alice.invite(BOB, &long());
    linked.settle();
    let invite = linked.take("INVITE");
    let came = Flow { link: 50, ..invite.flow };
    assert!(linked.alice.agent.transmit_goes_by(invite.id, &came));
    linked.peer.learn(&invite.sip);
    let answer = linked.peer.reply(&invite.sip, 200).sdp(ANSWER);
    linked.comes_by(&came, &answer);
    assert_eq!(linked.take("ACK").flow.link, 50);
    linked.alice.info();
    linked.settle();
    assert_eq!(linked.take("INFO").flow.link, 50);

    let mut linked = both(config("alice"));
    linked.call(1);
    linked.alice.reinvite(&long());
    linked.settle();
    let reinvite = linked.take("INVITE");
    assert_eq!(ways(&reinvite).0, Transport::Tcp);
    let now = linked.alice.now();
    assert!(linked.alice.agent.transmit_failed(now, reinvite.id));
    linked.settle();
    assert_eq!(ways(&linked.take("INVITE")).0, Transport::Udp);
    assert!(linked.act().starts_with("a long request goes by UDP"), "{}", linked.act());
    linked.alice.bye();
    linked.settle();
    assert_eq!(ways_of_bye(&mut linked), Transport::Udp);
}

fn ways_of_bye(linked: &mut Linked) -> Transport {
    linked.take("BYE").flow.transport
}

/// A CANCEL goes the way of its INVITE; one that is cancelled is not tried by UDP.
#[test]
fn a_cancel_follows_its_invite() {
    let mut linked = both(config("alice"));
    linked.alice.invite(BOB, &long());
    linked.settle();
    let invite = linked.take("INVITE");
    let came = Flow { link: 50, ..invite.flow };
    assert!(linked.alice.agent.transmit_goes_by(invite.id, &came));
    let trying = linked.peer.reply(&invite.sip, 100);
    linked.comes_by(&came, &trying);
    linked.alice.cancel();
    linked.settle();
    let cancel = linked.take("CANCEL");
    assert_eq!((cancel.flow.transport, cancel.sip.branch()), (Transport::Tcp, invite.sip.branch()));
    linked.lose(50);
    assert_eq!(linked.went("INVITE"), Vec::<u64>::new());
}

/// An ACK with a long answer, and its way back.
#[test]
fn a_long_ack_goes_by_tcp() {
    let mut linked = both(config("alice"));
    linked.alice.invite(BOB, "");
    linked.settle();
    let invite = linked.take("INVITE");
    assert_eq!(invite.flow.transport, Transport::Udp);
    linked.peer.learn(&invite.sip);
    linked.alice.hold(EventKind::Accept);
    let offer = linked.peer.reply(&invite.sip, 200).sdp(OFFER);
    linked.comes(1, &offer);
    linked.alice.ack(&long());
    linked.settle();
    let ack = linked.take("ACK");
    assert_eq!((ack.flow.transport, ack.sip.value("via").starts_with("SIP/2.0/TCP")), (Transport::Tcp, true));
    let now = linked.alice.now();
    assert!(linked.alice.agent.transmit_failed(now, ack.id));
    linked.settle();
    let ack = linked.take("ACK");
    assert_eq!((ack.flow.transport, ack.sip.value("via").starts_with("SIP/2.0/UDP")), (Transport::Udp, true));
    assert_eq!(linked.events(EventKind::TransportError).len(), 0);
    linked.comes(1, &offer);
    assert_eq!(linked.take("ACK").flow.transport, Transport::Udp, "the repeat of its 2xx");
}
