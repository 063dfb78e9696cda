//! Requests that are refused before any host hears of them (RFC 3261 §8.2, in its order).

use crate::common::draft::Draft;
use crate::common::pair::Stand;
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;

/// Sends a request, takes its final response, acknowledges it where it is an INVITE's.
#[track_caller]
fn refused(stand: &mut Stand, request: Draft, status: u16) -> Sip {
    let method = request.get("CSeq").split(' ').nth(1).unwrap().to_owned();
    stand.say(request.clone());
    let response = stand.peer.take(&format!("{status} {method}"));
    if method == "INVITE" {
        let ack = stand.peer.ack(&request, &response);
        stand.say(ack);
    }
    assert_eq!(stand.alice.events.len(), 0, "no host hears of it");
    response
}

#[test]
fn a_known_method_that_is_not_in_allow_gets_405() {
    let mut stand = Stand::new();
    for method in ["REGISTER", "PUBLISH"] {
        let request = stand.peer.request(method);
        let response = refused(&mut stand, request, 405);
        assert!(response.all("allow").contains(&"INVITE"));
        assert!(!response.all("allow").contains(&method));
    }
}

#[test]
fn an_unknown_method_gets_501() {
    let mut stand = Stand::new();
    let request = stand.peer.request("FETCH");
    refused(&mut stand, request, 501);
}

#[test]
fn a_scheme_that_is_not_sip_gets_416() {
    let mut stand = Stand::new();
    for uri in ["mailto:alice@example.com", "http://192.0.2.1/", "urnservice:sos"] {
        let request = stand.peer.request("OPTIONS").request_uri(uri);
        refused(&mut stand, request, 416);
    }
}

#[test]
fn a_required_extension_that_is_not_there_gets_420() {
    let mut stand = Stand::new();
    let request = stand.peer.request("INVITE").with("Require", "foo, bar").sdp(OFFER);
    let response = refused(&mut stand, request, 420);
    assert_eq!(response.all("unsupported"), ["foo", "bar"]);
}

/// RFC 3261 §8.2.2.3: Require is ignored in CANCEL (and ACK).
#[test]
fn require_in_cancel_is_ignored() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let cancel = stand.peer.cancel(&invite).with("Require", "foo");
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
}

#[test]
fn a_body_that_is_not_understood_gets_415() {
    let mut stand = Stand::new();
    let request = stand.peer.request("INVITE").content("application/x-unknown", "what");
    let response = refused(&mut stand, request, 415);
    assert!(response.all("accept").contains(&"application/sdp"));
    let request = stand.peer.request("INVITE").with("Content-Encoding", "gzip").sdp("zip");
    let response = refused(&mut stand, request, 415);
    assert!(response.get("accept-encoding").is_some());
}

/// ... unless its handling is optional (RFC 3261 §8.2.3, §20.11).
#[test]
fn an_optional_body_is_let_through() {
    for disposition in ["render;handling=optional", "Render ; Handling = OPTIONAL ; x"] {
        let mut stand = Stand::new();
        stand.alice.answers(EventKind::Invite, OFFER);
        let invite = stand.peer.request("INVITE").with("Content-Disposition", disposition);
        let invite = invite.content("application/x-unknown", "what");
        stand.say(invite.clone());
        let ok = stand.peer.take("200 INVITE");
        stand.peer.learn(&ok);
        let ack = stand.peer.ack(&invite, &ok).sdp(ANSWER);
        stand.say(ack);
    }
}

/// RFC 3261 §8.2.2.2: the same request by two ways.
#[test]
fn a_merged_request_gets_482() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let again = invite.clone().set("Via", stand.peer.via());
    stand.say(again.clone());
    let merged = stand.peer.take("482 INVITE");
    let ack = stand.peer.ack(&again, &merged);
    stand.say(ack);
    assert_eq!(stand.alice.count(EventKind::Invite), 1);
    stand.alice.reject(486);
    stand.exchange();
    let busy = stand.peer.take("486 INVITE");
    let ack = stand.peer.ack(&invite, &busy);
    stand.say(ack);
}

/// RFC 3261 §8.1.1.6, §16.3: Max-Forwards 0 that has arrived is accepted.
#[test]
fn max_forwards_0_is_accepted() {
    let mut stand = Stand::new();
    let options = stand.peer.request("OPTIONS").set("Max-Forwards", "0");
    stand.say(options);
    let answer = stand.peer.inbox.pop_front().unwrap();
    assert_ne!(answer.status(), Some(483));
}

/// What is malformed and can be answered is answered 400.
#[test]
fn an_answerable_malformed_request_gets_400() {
    let mut stand = Stand::new();
    // CSeq with another method is copied; what does not read is replaced, for it would make the answer malformed.
    stand.wire.trace.allowed.extend(["response-to-nothing", "response-copies"]);
    for (name, value) in [
        ("CSeq", "1 INVITE"),
        ("CSeq", "4294967296 OPTIONS"),
        ("From", "no address"),
        ("Max-Forwards", "many"),
        ("Content-Length", "-5"),
    ] {
        let request = stand.peer.request("OPTIONS").set(name, value);
        stand.say(request);
        let answer = stand.peer.inbox.pop_front().unwrap_or_else(|| panic!("{name}: {value} got no answer"));
        assert_eq!(answer.status(), Some(400), "{name}: {value} got {}", answer.start);
    }
    assert_eq!(stand.alice.events.len(), 0);
}

/// What cannot be answered is counted and dropped.
#[test]
fn garbage_is_counted_and_dropped() {
    let mut stand = Stand::new();
    let mut count = 0;
    for text in [
        "",
        "\r\n\r\n",
        "\0\0\0\0",
        "HELLO",
        "INVITE sip:a@b SIP/2.0\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n",
        "\r\n\r\n\r\nX",
    ] {
        stand.peer.send_bytes(text.as_bytes().to_vec());
        // Line ends alone keep a path through a NAT open.
        count += u64::from(!text.is_empty() && !text.starts_with('\r'));
    }
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.events.len(), 0);
    assert!(stand.alice.agent.stats().dropped_malformed >= count, "{:?}", stand.alice.agent.stats());
}

/// The order of the checks: method before Require, Require before body.
#[test]
fn the_first_fault_decides() {
    let mut stand = Stand::new();
    let request = stand.peer.request("FETCH").with("Require", "foo");
    refused(&mut stand, request, 501);
    let request = stand.peer.request("OPTIONS").request_uri("mailto:alice@example.com").with("Require", "foo");
    refused(&mut stand, request, 416);
    let request = stand.peer.request("INVITE").with("Require", "foo").content("application/x-unknown", "what");
    refused(&mut stand, request, 420);
    stand.peer.remote_tag = "nobody".to_owned();
    let request = stand.peer.request("INFO").with("Require", "foo");
    refused(&mut stand, request, 420);
}

/// Allow says what is so: a method that the host took out gets 405.
#[test]
fn allow_is_the_hosts() {
    let mut config = config("alice");
    config.set_allow(b"INVITE, ACK, CANCEL, BYE").unwrap();
    let mut stand = Stand::with(config);
    for method in ["INFO", "OPTIONS"] {
        let request = stand.peer.request(method);
        let response = refused(&mut stand, request, 405);
        assert_eq!(response.all("allow"), ["INVITE", "ACK", "CANCEL", "BYE"]);
    }
}

/// A response to nothing is dropped.
#[test]
fn stray_responses_are_dropped() {
    let mut stand = Stand::new();
    stand.peer.send_text(
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=${branch}\nFrom: <sip:alice@example.com>;tag=x\n\
         To: <sip:bob@example.com>;tag=y\nCall-ID: ${call_id}\nCSeq: 1 INVITE\nContact: <${contact}>\nContent-Length: 0\n\n",
    );
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.events.len(), 0);
}

/// RFC 3261 §8.1.1.8: exactly one Contact that can be reached.
#[test]
fn an_invite_whose_contact_cannot_be_used_gets_400() {
    let mut stand = Stand::new();
    for contact in ["<sip:@@@>", "*", "<mailto:peer@example.com>"] {
        let invite = stand.peer.request("INVITE").set("Contact", contact).sdp(OFFER);
        refused(&mut stand, invite, 400);
    }
    let invite = stand.peer.request("INVITE").without("Contact").sdp(OFFER);
    refused(&mut stand, invite, 400);
}
