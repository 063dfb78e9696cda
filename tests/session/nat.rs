//! NAT over UDP: where we are seen, and where a peer's messages come from.

use crate::common::linked::Linked;
use crate::common::pair::ALICE;
use crate::common::party::config;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};

fn behind(own: bool, peers: bool) -> Config {
    let mut config = config("alice");
    config.set_nat(own, peers).expect("a setting");
    config
}

/// Alice asks; the answer says that she was seen elsewhere.
fn asks(linked: &mut Linked, method: &str, seen: &str) {
    let now = linked.alice.now();
    let target = b"sip:registrar@192.0.2.2";
    linked.alice.agent.request(now, method.as_bytes(), target, RequestOptions::default()).expect("a request");
    linked.settle();
    let request = linked.take(method).sip;
    let via = request.value("via").replace(";rport", seen);
    let reply = linked.peer.reply(&request, 200).set("Via", via);
    linked.comes(1, &reply);
}

/// The host and port of the Contact of an INVITE that alice sends now.
fn contact(linked: &mut Linked) -> String {
    linked.alice.invite("sip:bob@192.0.2.2", OFFER);
    linked.settle();
    let contact = linked.take("INVITE").sip.contact().expect("a Contact");
    contact.replace("sip:alice@", "")
}

/// RFC 3261 §18.2.1, RFC 3581 §4: `received` and `rport` of a response; Via stays (RFC 3581 §3).
#[test]
fn contact_says_where_we_are_seen() {
    for (seen, expected) in [
        (";received=198.51.100.7;rport=40123", "198.51.100.7:40123"),
        (";rport=40123", "192.0.2.1:40123"),
        (";received=198.51.100.7", "198.51.100.7:5060"),
        (";received=2001:db8::7;rport=40123", "[2001:db8::7]:40123"),
        (";rport=5060", ALICE),
        (";received=192.0.2.1;rport=5060", ALICE),
        ("", ALICE),
        (";received=nobody.example;rport=40123", ALICE),
    ] {
        let mut linked = Linked::over(Transport::Udp, behind(true, false));
        asks(&mut linked, "OPTIONS", seen);
        assert_eq!(contact(&mut linked), expected, "{seen}");
        let known = linked.alice.agent.seen_at(&linked.connection(1)).expect("a socket");
        assert_eq!(
            known.map(|known| known.to_string()),
            Some(expected.to_owned()).filter(|text| text != ALICE),
            "{seen}"
        );
        let mut linked = Linked::over(Transport::Udp, behind(false, false));
        asks(&mut linked, "OPTIONS", seen);
        assert_eq!(contact(&mut linked), ALICE, "not wanted");
    }
}

/// In responses of ours as well; Via and what the host gave stay as they are.
#[test]
fn what_is_seen_goes_into_responses_and_no_further() {
    let mut linked = Linked::over(Transport::Udp, behind(true, false));
    asks(&mut linked, "OPTIONS", ";received=198.51.100.7;rport=40123");
    linked.alice.answers(EventKind::Invite, ANSWER);
    let invite = linked.peer.request("INVITE").sdp(OFFER);
    linked.comes(1, &invite);
    assert_eq!(linked.take("200 INVITE").sip.contact().as_deref(), Some("sip:alice@198.51.100.7:40123"));
    linked.alice.invite("sip:bob@192.0.2.2", OFFER);
    linked.settle();
    assert!(linked.take("INVITE").sip.value("via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;"));

    let mut given = behind(true, false);
    given.set_contact(b"sip:alice@phone.example").expect("a Contact");
    let mut linked = Linked::over(Transport::Udp, given);
    asks(&mut linked, "OPTIONS", ";received=198.51.100.7;rport=40123");
    linked.alice.invite("sip:bob@192.0.2.2", OFFER);
    linked.settle();
    assert_eq!(linked.take("INVITE").sip.contact().as_deref(), Some("sip:alice@phone.example"));

    let mut linked = Linked::over(Transport::Udp, behind(true, false));
    let now_gone = linked.lose(1);
    assert!(now_gone);
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), None) };
    linked.alice.agent.add_transport(&flow, Some(b"nat.example:6000")).expect("a transport");
    asks(&mut linked, "OPTIONS", ";received=198.51.100.7;rport=40123");
    assert_eq!(contact(&mut linked), "nat.example:6000");
}

/// What a registrar has said is not changed by whoever answers something; a registrar may say otherwise, and that there
/// is no NAT any more.
#[test]
fn a_registrar_counts_most() {
    let mut linked = Linked::over(Transport::Udp, behind(true, false));
    asks(&mut linked, "REGISTER", ";received=198.51.100.7;rport=40123");
    asks(&mut linked, "OPTIONS", ";received=203.0.113.66;rport=666");
    assert_eq!(contact(&mut linked), "198.51.100.7:40123");
    asks(&mut linked, "REGISTER", ";received=198.51.100.8;rport=40124");
    assert_eq!(contact(&mut linked), "198.51.100.8:40124");
    asks(&mut linked, "REGISTER", ";rport=5060");
    assert_eq!(contact(&mut linked), ALICE);
}

/// Requests in the dialog go where its messages come from, whatever its Contact says; later ones from elsewhere move
/// that. Without the setting they go by the Contact.
#[test]
fn a_peer_behind_a_nat_is_reached() {
    for follow in [true, false] {
        let mut linked = Linked::over(Transport::Udp, behind(false, follow));
        linked.peer.contact = "sip:peer@10.0.0.5:5060".to_owned();
        linked.call(1);
        let first = linked.connection(1);
        let expected = |flow: &Flow| if follow { flow.remote } else { "10.0.0.5:5060".parse().ok() };
        linked.alice.info();
        linked.settle();
        let info = linked.take("INFO");
        assert_eq!((info.flow.remote, info.flow.link), (expected(&first), 1));
        linked.replies(1, &info.sip, 200);
        let session = linked.alice.session();
        let known = linked.alice.agent.session(session).expect("it lives").way().copied();
        assert_eq!(known, follow.then_some(first));
        // The NAT has given it another port, which its next message shows.
        let elsewhere = Flow { remote: "192.0.2.2:49999".parse().ok(), ..first };
        linked.alice.answers(EventKind::Reinvite, HELD);
        let invite = linked.peer.request("INVITE").sdp(HOLD);
        linked.comes_by(&elsewhere, &invite);
        let ok = linked.take("200 INVITE");
        assert_eq!(ok.flow.remote, elsewhere.remote, "rport");
        let ack = linked.peer.ack(&invite, &ok.sip);
        linked.comes_by(&elsewhere, &ack);
        linked.alice.bye();
        linked.settle();
        assert_eq!(linked.take("BYE").flow.remote, expected(&elsewhere));
    }
}

/// As caller: where the 2xx came from gets the ACK. With a route set the proxy is the next hop.
#[test]
fn a_callee_behind_a_nat_is_reached() {
    for (route, acknowledged) in [("", "192.0.2.2:40001"), ("<sip:192.0.2.9;lr>", "192.0.2.9:5060")] {
        let mut linked = Linked::over(Transport::Udp, behind(false, true));
        linked.peer.contact = "sip:peer@10.0.0.5:5060".to_owned();
        linked.alice.invite("sip:bob@192.0.2.2", OFFER);
        linked.settle();
        let invite = linked.take("INVITE").sip;
        linked.peer.learn(&invite);
        let mut answer = linked.peer.reply(&invite, 200).sdp(ANSWER);
        if !route.is_empty() {
            answer = answer.with("Record-Route", route);
        }
        linked.comes(1, &answer);
        assert_eq!(linked.take("ACK").flow.remote, acknowledged.parse().ok(), "{route}");
        linked.alice.bye();
        linked.settle();
        assert_eq!(linked.take("BYE").flow.remote, acknowledged.parse().ok(), "{route}");
    }
}

/// It does not answer there: that is a time-out as elsewhere, and the socket's end is a lost link.
#[test]
fn a_peer_that_was_followed_may_be_lost() {
    let mut linked = Linked::over(Transport::Udp, behind(false, true));
    linked.call(1);
    linked.alice.info();
    linked.pass(seconds(33));
    assert_eq!(linked.alice.statuses(EventKind::Reject), [408]);

    let mut linked = Linked::over(Transport::Udp, behind(false, true));
    linked.call(1);
    linked.lose(1);
    assert_eq!(linked.alice.last(EventKind::LinkLost).query, 1);
}
