//! Targets and hosts that are not `sip:user@192.0.2.1`: tel URIs (RFC 3966),
//! IPv6 references (RFC 5118), through the agent.

use crate::common::network::Wire;
use crate::common::pair::Stand;
use crate::common::party::{Party, config, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SessionState::Confirmed;
use sipdlg::session::SignalingState::Stable;

const NUMBER: &str = "tel:+1-201-555-0123";

/// A tel URI leads nowhere by itself: it needs a route, or a flow.
#[test]
fn a_call_to_a_number() {
    let mut stand = Stand::new();
    let now = stand.alice.now();
    let nowhere = stand.alice.agent.invite(now, Some(NUMBER.as_bytes()), with_sdp(OFFER));
    assert_eq!(nowhere.expect_err("no way").kind, ErrorKind::Unsupported);
    stand.exchange();
    assert_eq!((stand.peer.got(), stand.alice.agent.stats().outgoing), (Vec::new(), 0));

    let proxy = Flow::new(Transport::Udp, None, "192.0.2.2:5060".parse().ok());
    let by_flow = sipdlg::agent::RequestOptions { flow: Some(proxy), ..with_sdp(OFFER) };
    let mut routed = config("alice");
    routed.set_route_set(b"<sip:192.0.2.2:5060;lr>").expect("a route");
    for (mut stand, options) in [(stand, by_flow), (Stand::with(routed), with_sdp(OFFER))] {
        stand.alice.invite_with(NUMBER, options);
        stand.exchange();
        let invite = stand.peer_replies("INVITE", 200, ANSWER);
        assert_eq!((invite.uri(), invite.value("to")), (NUMBER, format!("<{NUMBER}>").as_str()));
        let ack = stand.peer.take("ACK");
        assert_eq!(ack.uri(), "sip:peer@192.0.2.2:5060", "the target is the Contact");
        let properties = stand.alice.properties();
        assert_eq!((properties.remote_uri.as_str(), properties.state), (NUMBER, Confirmed));
        let bye = stand.peer.request("BYE");
        stand.say(bye);
        stand.peer.take("200 BYE");
    }
}

#[test]
fn a_call_to_our_number_from_a_number() {
    let mut stand = Stand::new();
    stand.alice.rings_and_answers(ANSWER);
    stand.peer.local_uri = "tel:7042;phone-context=example.com".to_owned();
    stand.peer.remote_uri = NUMBER.to_owned();
    let invite = stand.peer.request("INVITE").request_uri(NUMBER).sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let properties = stand.alice.properties();
    assert_eq!(
        (properties.local_uri.as_str(), properties.remote_uri.as_str()),
        (NUMBER, "tel:7042;phone-context=example.com")
    );
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!(bye.uri(), "sip:peer@192.0.2.2:5060");
    // A number that is none.
    stand.peer.remote_tag.clear();
    stand.peer.call_id.push('2');
    let options = stand.peer.request("OPTIONS").request_uri("tel:nobody");
    stand.say(options);
    stand.peer.take("400 OPTIONS");
}

/// A whole call between IPv6 hosts: Via, Contact, route set and Request-URIs carry references,
/// responses find their way.
#[test]
fn a_call_between_ipv6_hosts() {
    let mut wire = Wire::new(1);
    let mut alice = Party::new("alice", "[2001:db8::1]:5060", config("alice"), &mut wire, Transport::Udp);
    let mut bob = Party::new("bob", "[2001:db8::2]:5070", config("bob"), &mut wire, Transport::Udp);
    bob.rings_and_answers(ANSWER);
    bob.answers(EventKind::Reinvite, HELD);
    bob.answers(EventKind::Info, "");
    alice.invite("sip:bob@[2001:DB8:0:0::2]:5070;transport=udp", OFFER);
    wire.exchange(&mut [&mut alice, &mut bob]);
    assert_eq!((alice.state(), bob.state()), ((Confirmed, Stable), (Confirmed, Stable)));
    assert_eq!(alice.properties().remote_target, "sip:bob@[2001:db8::2]:5070");
    assert_eq!(bob.properties().remote_target, "sip:alice@[2001:db8::1]:5060");
    alice.info();
    alice.reinvite(HOLD);
    wire.exchange(&mut [&mut alice, &mut bob]);
    assert_eq!(bob.properties().answer.as_deref(), Some(HELD));
    bob.bye();
    wire.run_until_idle(&mut [&mut alice, &mut bob], crate::common::seconds(120));
    assert_eq!((alice.count(EventKind::Terminated), bob.count(EventKind::Terminated)), (1, 1));
    wire.trace.check();
    assert_eq!((alice.living(), bob.living()), ([0; 5], [0; 5]));
    let invite: &Sip = wire.trace.datagrams[0].sip.as_ref().expect("it parses");
    assert!(invite.value("via").contains("UDP [2001:db8::1]:5060;"), "{}", invite.value("via"));
    assert_eq!(invite.contact().as_deref(), Some("sip:alice@[2001:db8::1]:5060"));
}

/// Without rport the response goes to the address in Via's sent-by port; `received` is written without brackets
/// (RFC 5118 §4.5), and an IPv4 host is not reached from an IPv6 socket.
#[test]
fn ipv6_in_via() {
    let mut wire = Wire::new(1);
    let mut alice = Party::new("alice", "[2001:db8::1]:5060", config("alice"), &mut wire, Transport::Udp);
    let now = alice.now();
    let flow = Flow {
        link: 1,
        ..Flow::new(Transport::Udp, "[2001:db8::1]:5060".parse().ok(), "[2001:db8::9]:40000".parse().ok())
    };
    let options = "OPTIONS sip:alice@[2001:db8::1] SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::7]:5062;branch=z9hG4bKx\r\n\
         Max-Forwards: 70\r\nFrom: <sip:p@[2001:db8::7]>;tag=1\r\nTo: <sip:alice@[2001:db8::1]>\r\nCall-ID: x@[2001:db8::7]\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    alice.agent.receive(now, &flow, options.as_bytes()).expect("a datagram");
    while let Some(event) = alice.agent.poll_event() {
        alice.agent.event_default(now, &event).expect("the default");
    }
    let answer = alice.agent.poll_transmit().expect("an answer");
    assert_eq!(answer.flow.remote, "[2001:db8::9]:5062".parse().ok());
    let sip = Sip::parse(&answer.bytes).expect("it parses");
    assert!(sip.value("via").ends_with(";received=2001:db8::9"), "{}", sip.value("via"));
    let refused = alice.agent.invite(now, Some(b"sip:bob@192.0.2.2"), with_sdp(OFFER));
    assert_eq!(refused.expect_err("another family").kind, ErrorKind::NoTransport);
    for broken in ["sip:bob@[2001:db8::2", "sip:bob@2001:db8::2", "sip:bob@[2001:db8::g]", "sip:bob@[192.0.2.2]"] {
        let refused = alice.agent.invite(now, Some(broken.as_bytes()), with_sdp(OFFER));
        assert_eq!(refused.expect_err(broken).kind, ErrorKind::Syntax, "{broken}");
    }
}
