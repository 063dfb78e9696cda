//! Where a response goes, and what it writes into Via (RFC 3261 §18.2, RFC 3581).

use crate::common::OFFER;
use crate::common::pair::Stand;
use sipdlg::agent::EventKind;

/// RFC 3581 §4: an empty rport is filled in, and received always goes with it.
#[test]
fn rport_and_received_are_filled_in() {
    let mut stand = Stand::new();
    let via = format!("SIP/2.0/UDP 10.0.0.9:5999;branch={};rport", stand.peer.branch());
    let options = stand.peer.request("OPTIONS").set("Via", via);
    stand.say(options);
    let answer = stand.peer.inbox.pop_front().expect("it came back to where the request came from");
    let via = &answer.vias()[0];
    assert_eq!((via.get("rport").as_deref(), via.get("received").as_deref()), (Some("5060"), Some("192.0.2.2")));
    assert_eq!(via.sent_by, "10.0.0.9:5999");
}

/// RFC 3261 §18.2.1: received when sent-by is another host, or a name; the port is sent-by's.
#[test]
fn received_is_added_without_rport() {
    for host in ["10.0.0.9", "phone.example.com"] {
        let mut stand = Stand::new();
        let via = format!("SIP/2.0/UDP {host};branch={}", stand.peer.branch());
        let options = stand.peer.request("OPTIONS").set("Via", via);
        stand.say(options);
        let answer = stand.peer.inbox.pop_front().expect("it went to the source address, port 5060");
        assert_eq!(answer.vias()[0].get("received").as_deref(), Some("192.0.2.2"));
    }
}

/// Neither where neither is needed.
#[test]
fn a_plain_via_comes_back_as_it_was() {
    let mut stand = Stand::new();
    let via = format!("SIP/2.0/UDP 192.0.2.2:5060;branch={};x=\"y, z\"", stand.peer.branch());
    let options = stand.peer.request("OPTIONS").set("Via", via.clone());
    stand.say(options);
    let answer = stand.peer.inbox.pop_front().unwrap();
    assert_eq!(answer.all("via"), [via]);
}

/// All Vias come back, in order.
#[test]
fn every_via_comes_back() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let top = stand.peer.via();
    let mut invite = stand.peer.request("INVITE").set("Via", top).sdp(OFFER);
    invite.headers.insert(1, ("v".to_owned(), "SIP / 2.0 / TCP p1.example.com;branch=z9hG4bKone".to_owned()));
    invite
        .headers
        .insert(2, ("Via".to_owned(), "SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKtwo,SIP/2.0/UDP 10.1.1.2".to_owned()));
    stand.say(invite.clone());
    stand.alice.reject(404);
    stand.exchange();
    let answer = stand.peer.take("404 INVITE");
    let hosts: Vec<_> = answer.vias().iter().map(|via| via.sent_by.clone()).collect();
    assert_eq!(hosts, ["192.0.2.2:5060", "p1.example.com", "10.1.1.1", "10.1.1.2"]);
    let ack = stand.peer.ack(&invite, &answer);
    stand.say(ack);
}

/// RFC 3261 §17.2.3: a request without the magic cookie is matched by RFC 2543's rules.
#[test]
fn a_branch_without_the_cookie_is_matched_by_rfc_2543() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").set("Via", "SIP/2.0/UDP 192.0.2.2:5060").sdp(OFFER);
    stand.say(invite.clone());
    stand.say(invite.clone());
    assert_eq!(stand.alice.count(EventKind::Invite), 1, "the repeat is absorbed");
    stand.alice.reject(486);
    stand.exchange();
    let busy = stand.peer.take("486 INVITE");
    let ack = stand.peer.ack(&invite, &busy);
    stand.say(ack);
    stand.advance(crate::common::seconds(2));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "the ACK stopped the repeats");
}
