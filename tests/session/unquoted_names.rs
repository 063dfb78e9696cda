//! The quirk UNQUOTED_NAME: display names with `&`, `,`, `(` and `)` that lack their quotes (RFC 3261 §25.1 display-name).

use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::config::quirk;
use sipdlg::message::HeaderId;

const NAMES: [&str; 4] = ["Smith, John", "A & B", "Desk (2nd floor)", "a,&(b"];

fn stand(tolerated: bool) -> Stand {
    let mut alice = config("alice");
    if !tolerated {
        alice.set_tolerance(quirk::ALL & !quirk::UNQUOTED_NAME).unwrap();
    }
    Stand::with(alice)
}

fn counted(stand: &Stand) -> u64 {
    stand.alice.agent.stats().quirks[6]
}

/// Taken, counted, readable, repeated in responses as it came, and left out where we write the address anew.
#[test]
fn of_a_caller() {
    for name in NAMES {
        for header in ["From", "To"] {
            let mut stand = stand(true);
            stand.alice.answers(EventKind::Invite, ANSWER);
            let invite = stand.peer.request("INVITE").sdp(OFFER);
            let value = format!("{name} {}", invite.get(header));
            let invite = invite.set(header, &*value);
            stand.say(invite.clone());
            let ok = stand.peer_acknowledges(&invite);
            assert!(ok.value(&header.to_lowercase()).starts_with(&*value), "{}", ok.value("from"));
            assert_eq!(counted(&stand), 1, "{header} {name}");
            let message = stand.alice.last(EventKind::Invite).message.clone().unwrap();
            let id = if header == "From" { HeaderId::From } else { HeaderId::To };
            let seen = message.name_addr(id, 0).unwrap().unwrap();
            assert_eq!(String::from_utf8_lossy(seen.display_name), name);
            stand.alice.bye();
            stand.exchange();
            let bye = stand.peer_replies("BYE", 200, "");
            assert!(bye.value("to").starts_with("<sip:peer@"), "{}", bye.value("to"));
            assert!(bye.value("from").starts_with("<sip:alice@"), "{}", bye.value("from"));
        }
    }
}

/// Without the quirk as every other malformed From.
#[test]
fn it_is_refused_where_it_is_not_tolerated() {
    for header in ["From", "To"] {
        let mut stand = stand(false);
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        let value = format!("Smith, John {}", invite.get(header));
        stand.say(invite.set(header, value));
        assert_eq!((stand.peer.got(), counted(&stand)), (vec!["400 INVITE".to_owned()], 0));
        // The answer repeats no address that does not read.
        stand.end_unjudged();
    }
}

/// A gateway that writes a name into To of its responses; beside a broken line too (BROKEN_RESPONSE).
#[test]
fn of_a_callee() {
    for broken in [false, true] {
        let mut stand = stand(true);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        let named = format!("Smith, John {}{}", ok.get("To"), if broken { ";tag=second" } else { "" });
        stand.say(ok.set("To", named));
        stand.peer.take("ACK");
        assert_eq!((counted(&stand), stand.alice.agent.stats().quirks[7]), (1, u64::from(broken)));
        stand.alice.bye();
        stand.exchange();
        stand.peer_replies("BYE", 200, "");
    }
}

/// Other headers with addresses keep their rule: a comma there begins another value.
#[test]
fn in_no_other_header() {
    let mut stand = stand(true);
    let invite = stand.peer.request("INVITE").set("Contact", "Smith, John <sip:peer@192.0.2.2>").sdp(OFFER);
    stand.say(invite);
    assert_eq!(stand.peer.got(), ["400 INVITE"]);
}
