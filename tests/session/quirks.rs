//! Each quirk of `sipdlg_config_set_tolerance()`, on and off: what the peer does, what comes of it, what is counted; and that
//! docs/quirks.md lists the same ones with the same defaults.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::config::quirk;
use sipdlg::flow::{Flow, Transport};

const CAROL: &str = "sip:carol@example.com";

/// Name in the header, bit, what happens, what is seen with it and without it.
type Row = (&'static str, u32, fn(&mut Stand) -> String, &'static str, &'static str);

const ROWS: &[Row] = &[
    ("1XX_WITHOUT_CONTACT", quirk::ONE_XX_WITHOUT_CONTACT, ringing_without_contact, "180", ""),
    ("1XX_WITHOUT_TAG", quirk::ONE_XX_WITHOUT_TAG, ringing_without_tag, "180", ""),
    ("TAG_CHANGED_BY_2XX", quirk::TAG_CHANGED_BY_2XX, another_tag_in_the_2xx, "the same session", "another session"),
    ("PRACK_UNASKED", quirk::PRACK_UNASKED, prack_of_nothing, "481 PRACK, told", "481 PRACK"),
    ("REQUESTS_IN_EARLY", quirk::REQUESTS_IN_EARLY, info_while_it_rings, "INFO", "refused"),
    ("HASH_IN_USER", quirk::HASH_IN_USER, hash_in_contact, "sip:a#1@192.0.2.2:5060", TO_BOB),
    ("UNQUOTED_NAME", quirk::UNQUOTED_NAME, name_without_quotes, "200 INVITE", "400 INVITE"),
    ("BROKEN_RESPONSE", quirk::BROKEN_RESPONSE, second_via_in_response, "486", ""),
    ("MADDR_ELSEWHERE", quirk::MADDR_ELSEWHERE, maddr_of_a_third, "192.0.2.77:5060", "192.0.2.2:5060"),
    ("EARLY_TERMINATED", quirk::EARLY_TERMINATED, terminated_while_it_rings, "waits", "over"),
];

fn invited(stand: &mut Stand) -> crate::common::sip::Sip {
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer.take("INVITE")
}

/// The statuses that alice's host hears of.
fn progress(stand: &mut Stand, response: Draft) -> String {
    stand.say(response);
    stand.alice.statuses(EventKind::Progress).iter().map(u16::to_string).collect()
}

fn ringing_without_contact(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let ringing = stand.peer.reply(&invite, 180).without("Contact");
    progress(stand, ringing)
}

fn ringing_without_tag(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let ringing = stand.peer.reply(&invite, 180).set("To", invite.value("to"));
    progress(stand, ringing)
}

fn another_tag_in_the_2xx(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    let early = stand.alice.last(EventKind::Progress).session;
    let ok = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    stand.say(ok);
    let same = stand.alice.last(EventKind::Accept).session == early;
    if same { "the same session" } else { "another session" }.to_owned()
}

fn prack_of_nothing(stand: &mut Stand) -> String {
    stand.wire.trace.allowed.push("prack-481");
    stand.peer_calls();
    let prack = stand.peer.request("PRACK").with("RAck", "1 1 INVITE");
    stand.say(prack);
    let told = if stand.alice.count(EventKind::Prack) > 0 { ", told" } else { "" };
    format!("{}{told}", stand.peer.got().join(" "))
}

fn info_while_it_rings(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    let session = stand.alice.last(EventKind::Progress).session.unwrap();
    let now = stand.alice.now();
    if stand.alice.agent.info(now, session, Default::default()).is_err() {
        return "refused".to_owned();
    }
    stand.exchange();
    stand.peer.got().join(" ")
}

fn hash_in_contact(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let ok = stand.peer.reply(&invite, 200).set("Contact", "<sip:a#1@192.0.2.2:5060>").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK").uri().to_owned()
}

fn name_without_quotes(stand: &mut Stand) -> String {
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let from = format!("Smith, John {}", invite.get("From"));
    stand.say(invite.set("From", from));
    stand.peer.got().join(" ")
}

fn second_via_in_response(stand: &mut Stand) -> String {
    let invite = invited(stand);
    let mut busy = stand.peer.reply(&invite, 486);
    busy.headers.insert(1, ("Via".to_owned(), "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKother".to_owned()));
    stand.say(busy);
    stand.alice.statuses(EventKind::Reject).iter().map(u16::to_string).collect()
}

fn maddr_of_a_third(stand: &mut Stand) -> String {
    let options = stand.peer.request("OPTIONS").set("Via", "SIP/2.0/UDP 192.0.2.2;maddr=192.0.2.77;branch=z9hG4bKm");
    let now = stand.alice.now();
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(stand.alice.address), Some(stand.peer.address)) };
    stand.alice.agent.receive(now, &flow, options.text().as_bytes()).unwrap();
    while let Some(event) = stand.alice.agent.poll_event() {
        stand.alice.agent.event_default(now, &event).unwrap();
    }
    stand.alice.agent.poll_transmit().and_then(|answer| answer.flow.remote).unwrap().to_string()
}

fn terminated_while_it_rings(stand: &mut Stand) -> String {
    stand.peer_calls();
    let refer = stand.alice.refer(CAROL);
    stand.exchange();
    let asked = stand.peer.take("REFER");
    let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>");
    stand.say(ok);
    let notify = stand.peer.request("NOTIFY").with("Contact", "<sip:peer@192.0.2.2:5060>").with("Event", "refer");
    let notify = notify.with("Subscription-State", "terminated").content("message/sipfrag", "SIP/2.0 100 Trying\r\n");
    stand.say(notify);
    if stand.alice.agent.outgoing(refer).is_ok() { "waits" } else { "over" }.to_owned()
}

#[test]
fn each_quirk_on_and_off() {
    assert_eq!(ROWS.iter().fold(0, |bits, row| bits | row.1), quirk::ALL, "a row for each");
    for (name, bit, play, with, without) in ROWS {
        for (tolerance, wanted) in [(quirk::ALL & !quirk::OFF | bit, with), (quirk::ALL & !quirk::OFF & !bit, without)]
        {
            let mut alice = config("alice");
            alice.set_tolerance(tolerance).unwrap();
            let mut stand = Stand::with(alice);
            assert_eq!(play(&mut stand), *wanted, "{name}, tolerance {tolerance:#x}");
            let counted = stand.alice.agent.stats().quirks;
            let on = tolerance & bit != 0;
            // What we do ourselves is no deviation of the peer.
            let is_ours = *bit == quirk::REQUESTS_IN_EARLY;
            for (place, count) in counted.iter().enumerate() {
                let wanted = on && !is_ours && place == bit.trailing_zeros() as usize;
                assert_eq!(*count, u64::from(wanted), "{name}: quirks[{place}], tolerance {tolerance:#x}");
            }
            let now = stand.alice.now();
            if let Some(invite) = stand.alice.outgoing {
                // Where it was dropped, nobody has answered the INVITE.
                let _ = stand.alice.agent.cancel(now, invite, None, &Default::default());
            }
            stand.end_unjudged();
        }
    }
}

/// One row of the table for each bit, with its number and its default.
#[test]
fn the_document_says_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/quirks.md");
    let text = std::fs::read_to_string(path).expect("docs/quirks.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), ROWS.len(), "{rows:#?}");
    for (row, (name, bit, ..)) in rows.iter().zip(ROWS) {
        let default = if bit & quirk::OFF == 0 { "on" } else { "off" };
        let start = format!("| `{name}` | {bit} | {default} | `quirks[{}]` |", bit.trailing_zeros());
        let start =
            if *bit == quirk::REQUESTS_IN_EARLY { start.replace("`quirks[4]`", "none: it is ours") } else { start };
        assert!(row.starts_with(&start), "{row}\nwanted: {start}");
    }
}
