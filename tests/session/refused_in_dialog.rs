//! A request of the peer that is refused changes nothing but the remote sequence number, once the
//! CSeq check was passed (RFC 3261 §12.2.2, RFC 5057 §5.1): all properties compared before and after,
//! for every kind of refusal, in every state.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::peer::Peer;
use crate::common::properties::Properties;
use crate::common::{ANSWER, HOLD, OFFER};
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::error::ErrorKind;

/// Whether the request's number counts afterwards.
#[derive(Clone, Copy, PartialEq)]
enum Number {
    /// Refused before the CSeq check, or by it.
    Stays,
    /// Refused later.
    Counts,
}
use Number::{Counts, Stays};

#[track_caller]
fn unchanged(what: &str, before: &Properties, after: &Properties, number: u32, counts: Number) {
    let expected = if counts == Counts { Some(number) } else { before.remote_sequence_number };
    assert_eq!(after.remote_sequence_number, expected, "{what}: the remote sequence number");
    let same = |properties: &Properties| Properties {
        remote_sequence_number: None,
        state_text: String::new(),
        ..properties.clone()
    };
    assert_eq!(same(after), same(before), "{what}");
}

type Make = fn(&mut Peer) -> Draft;

/// Refused whatever the state of the session.
const ALWAYS: [(&str, Make, u16, Number); 20] = [
    ("unknown method", |peer| peer.request("FETCH"), 501, Stays),
    ("method that is not in Allow", |peer| peer.request("PUBLISH"), 405, Stays),
    ("REGISTER", |peer| peer.request("REGISTER"), 405, Stays),
    ("SUBSCRIBE", |peer| peer.request("SUBSCRIBE").with("Event", "dialog"), 489, Counts),
    ("scheme", |peer| peer.request("INFO").request_uri("mailto:alice@example.com"), 416, Stays),
    ("Require", |peer| peer.request("INFO").with("Require", "foo"), 420, Stays),
    ("Require in a re-INVITE", |peer| peer.request("INVITE").with("Require", "foo").sdp(HOLD), 420, Stays),
    ("body of a re-INVITE", |peer| peer.request("INVITE").content("application/x-what", "what"), 415, Stays),
    ("body of an UPDATE", |peer| peer.request("UPDATE").content("application/x-what", "what"), 415, Stays),
    ("coding", |peer| peer.request("INFO").with("Content-Encoding", "gzip").content("text/plain", "zip"), 415, Stays),
    ("bad Max-Forwards", |peer| peer.request("INFO").set("Max-Forwards", "many"), 400, Stays),
    ("another Call-ID", |peer| peer.request("INFO").set("Call-ID", "another"), 481, Stays),
    ("another tag of ours", |peer| peer.request("INFO").set("To", "<sip:alice@example.com>;tag=x"), 481, Stays),
    ("another tag of theirs", |peer| peer.request("BYE").set("From", "<sip:peer@example.com>;tag=x"), 481, Stays),
    ("an old BYE", |peer| peer.request("BYE").set("CSeq", "1 BYE"), 500, Stays),
    ("an old INFO", |peer| peer.request("INFO").set("CSeq", "0 INFO"), 500, Stays),
    ("an old re-INVITE", |peer| peer.request("INVITE").set("CSeq", "1 INVITE").sdp(HOLD), 500, Stays),
    (
        "the same number again",
        |peer| {
            let cseq = peer.cseq;
            peer.request("MESSAGE").set("CSeq", format!("{cseq} MESSAGE"))
        },
        500,
        Stays,
    ),
    ("INFO of no package", |peer| peer.request("INFO").with("Info-Package", "foo"), 469, Counts),
    ("too long", |peer| peer.request("INFO").content("text/plain", &"x".repeat(70_000)), 513, Stays),
];

/// Sends what is refused, and compares.
#[track_caller]
fn refused(stand: &mut Stand, state: &str, row: (&str, Make, u16, Number)) {
    let (name, make, status, counts) = row;
    let what = format!("{state}: {name}");
    let before = stand.alice.properties();
    let last = stand.peer.cseq;
    let request = make(&mut stand.peer);
    let number = request.get("CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let method = request.get("CSeq").split(' ').nth(1).unwrap_or_default().to_owned();
    stand.say(request.clone());
    assert!(stand.peer.got().contains(&format!("{status} {method}")), "{what}: {status}, got {:?}", stand.peer.got());
    let response = stand.peer.take(&format!("{status} {method}"));
    if method == "INVITE" {
        let ack = stand.peer.ack(&request, &response);
        stand.say(ack);
    }
    unchanged(&what, &before, &stand.alice.properties(), number, counts);
    if counts == Stays {
        stand.peer.cseq = last;
    }
}

#[track_caller]
fn all_refused(stand: &mut Stand, state: &str) {
    stand.wire.trace.allowed.extend(["response-to-nothing", "no-dialog-481"]);
    for row in ALWAYS {
        refused(stand, state, row);
    }
    let quiet = !stand
        .alice
        .kinds()
        .iter()
        .any(|kind| matches!(kind, EventKind::Reinvite | EventKind::Info | EventKind::Message));
    assert!(quiet, "{state}: no host hears of it");
}

/// Left to their defaults, which refuse.
const BY_DEFAULT: [(&str, Make, u16, Number); 2] = [
    ("re-INVITE", |peer| peer.request("INVITE").set("Contact", "<sip:moved@192.0.2.2:5060>").sdp(HOLD), 488, Counts),
    ("INFO", |peer| peer.request("INFO").content("text/plain", "x"), 469, Counts),
];

#[test]
fn in_a_confirmed_dialog() {
    for callee in [true, false] {
        let mut stand = if callee { Stand::peer_called() } else { Stand::alice_called() };
        if !callee {
            // So that there is a number to be behind of.
            let options = stand.peer.request("MESSAGE");
            stand.say(options);
            stand.peer.take("200 MESSAGE");
        }
        stand.alice.events.clear();
        all_refused(&mut stand, if callee { "callee" } else { "caller" });
        for row in BY_DEFAULT {
            refused(&mut stand, "confirmed", row);
        }
        // By the host: the offer is rolled back, the target has not moved.
        for status in [404, 480, 486, 488, 500, 603] {
            stand.alice.on(EventKind::Reinvite, move |agent, now, event| {
                let incoming = event.incoming.expect("a re-INVITE");
                agent.reject(now, incoming, status, &ResponseOptions::default()).expect("legal");
            });
            let row = BY_DEFAULT[0];
            refused(&mut stand, "by the host", (row.0, row.1, status, Counts));
        }
        stand.alice.on(EventKind::Reinvite, |agent, now, event| {
            let incoming = event.incoming.expect("a re-INVITE");
            agent.redirect(now, incoming, 302, &[b"sip:c@d"], &ResponseOptions::default()).expect("legal");
        });
        refused(&mut stand, "redirected", ("re-INVITE", BY_DEFAULT[0].1, 302, Counts));
        stand.alice.on(EventKind::Info, |agent, now, event| {
            agent.reject(now, event.incoming.expect("an INFO"), 403, &ResponseOptions::default()).expect("legal");
        });
        refused(&mut stand, "by the host", ("INFO", BY_DEFAULT[1].1, 403, Counts));
        // After all of that it is a session like any other.
        let bye = stand.peer.request("BYE");
        stand.say(bye);
        stand.peer.take("200 BYE");
    }
}

#[test]
fn in_the_callees_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let call = stand.alice.incoming();
    stand.alice.progress(180, "");
    stand.exchange();
    let ringing = stand.peer.take("180 INVITE");
    stand.peer.learn(&ringing);
    stand.alice.events.clear();
    all_refused(&mut stand, "early callee");
    // RFC 3261 §14.2: its first INVITE has no final response.
    refused(&mut stand, "early callee", ("INVITE", BY_DEFAULT[0].1, 500, Counts));
    refused(&mut stand, "early callee", ("INFO", BY_DEFAULT[1].1, 469, Counts));
    let now = stand.alice.now();
    stand.alice.agent.reject(now, call, 486, &ResponseOptions::default()).expect("unanswered");
    stand.exchange();
    let busy = stand.peer.take("486 INVITE");
    let ack = stand.peer.ack(&invite, &busy);
    stand.say(ack);
}

#[test]
fn in_the_callers_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    stand.peer.cseq = 5;
    let message = stand.peer.request("MESSAGE");
    stand.say(message);
    stand.peer.take("200 MESSAGE");
    stand.alice.events.clear();
    all_refused(&mut stand, "early caller");
    refused(&mut stand, "early caller", ("INVITE", BY_DEFAULT[0].1, 491, Counts));
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    stand.peer.take("ACK");
}

/// Glare (RFC 3261 §14.2): ours pending 491, theirs pending 500.
#[test]
fn while_a_reinvite_is_pending() {
    let mut stand = Stand::peer_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    stand.alice.events.clear();
    all_refused(&mut stand, "our re-INVITE pending");
    refused(&mut stand, "our re-INVITE pending", ("INVITE", BY_DEFAULT[0].1, 491, Counts));
    let refusal = stand.peer.reply(&ours, 488);
    stand.say(refusal);
    stand.peer.take("ACK");

    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    // One that is old as well is refused for that, without Retry-After.
    stand.wire.trace.allowed.push("overlap-500");
    let theirs = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(theirs.clone());
    let pending = stand.alice.incoming();
    stand.alice.events.clear();
    all_refused(&mut stand, "their re-INVITE pending");
    refused(&mut stand, "their re-INVITE pending", ("INVITE", BY_DEFAULT[0].1, 500, Counts));
    stand.alice.incoming = Some(pending);
    stand.alice.accept(ANSWER);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&theirs, &ok);
    stand.say(ack);
}

/// Nothing that is refused out of a dialog makes one.
#[test]
fn out_of_a_dialog() {
    let mut stand = Stand::with({
        let mut config = config("alice");
        config.set_allow(b"INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, MESSAGE").expect("methods");
        config
    });
    for (make, status) in [
        ((|peer| peer.request("BYE")) as Make, 481),
        (|peer| peer.request("INFO"), 481),
        (|peer| peer.request("INVITE").with("Require", "foo").sdp(OFFER), 420),
        (|peer| peer.request("INVITE").set("Contact", "*").sdp(OFFER), 400),
        (|peer| peer.request("INVITE").content("application/x-what", "what"), 415),
        (|peer| peer.request("INVITE").sdp(OFFER), 486),
    ] {
        let request = make(&mut stand.peer);
        let method = request.get("CSeq").split(' ').nth(1).unwrap_or_default().to_owned();
        stand.say(request.clone());
        let response = stand.peer.take(&format!("{status} {method}"));
        if method == "INVITE" {
            let ack = stand.peer.ack(&request, &response);
            stand.say(ack);
        }
        assert_eq!(stand.alice.agent.stats().sessions, 0, "{status} {method}");
        stand.peer.call_id.push('x');
    }
}

/// RFC 3261 §14.1: a re-INVITE that is refused at the door waits for its ACK as any other, and so does ours meanwhile.
#[test]
fn ours_waits_for_the_ack_of_a_reinvite_that_the_door_refused() {
    let mut stand = Stand::peer_called();
    let refused = stand.peer.request("INVITE").sdp(HOLD).with("Require", "nonsense");
    stand.say(refused.clone());
    let answer = stand.peer.take("420 INVITE");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let error = stand.alice.agent.reinvite(now, session, with_sdp(HOLD)).expect_err("the ACK is not here");
    assert_eq!(error.kind, ErrorKind::State);
    let ack = stand.peer.ack(&refused, &answer);
    stand.say(ack);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 488, "");
}
