//! Messages that nobody of the call sent, made from those that went by: repeated, turned round, changed, answered.

use super::verdict::Law;
use super::world::World;
use crate::choices::Choices;
use crate::common::draft::Draft;
use crate::common::pair::BOB;
use crate::common::{ANSWER, HOLD, OFFER};
use std::net::SocketAddr;

const METHODS: [&str; 16] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "PRACK",
    "UPDATE",
    "INFO",
    "MESSAGE",
    "OPTIONS",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "REGISTER",
    "PUBLISH",
    "FOO",
    "invite",
];

const STATUSES: [&str; 32] = [
    "100", "180", "183", "199", "200", "202", "204", "299", "300", "302", "380", "400", "401", "404", "405", "407",
    "408", "412", "415", "420", "421", "422", "423", "481", "482", "486", "487", "488", "491", "500", "503", "603",
];

/// Lines that mean something to somebody.
const LINES: [(&str, &str); 60] = [
    ("Require", "100rel"),
    ("Require", "foo"),
    ("Require", "timer"),
    ("Supported", "100rel, timer, replaces, 199"),
    ("Supported", ""),
    ("RSeq", "1"),
    ("RSeq", "2"),
    ("RSeq", "2147483647"),
    ("RSeq", "4294967295"),
    ("RSeq", "0"),
    ("RAck", "1 1 INVITE"),
    ("RAck", "1 2 INVITE"),
    ("RAck", "4294967295 4294967295 FOO"),
    ("Session-Expires", "90"),
    ("Session-Expires", "1800;refresher=uac"),
    ("Session-Expires", "1800;refresher=uas"),
    ("Session-Expires", "4294967295"),
    ("Session-Expires", "1"),
    ("Session-Expires", "x"),
    ("Min-SE", "90"),
    ("Min-SE", "3600"),
    ("Min-SE", "4294967295"),
    ("Contact", "<sip:carol@192.0.2.9>"),
    ("Contact", "<sip:carol@gw.example.org;transport=tcp>"),
    ("Contact", "*"),
    ("Contact", "<tel:1>"),
    ("Contact", "<sips:carol@192.0.2.9>"),
    ("Record-Route", "<sip:192.0.2.9;lr>"),
    ("Record-Route", "<sip:p.example.org>, <sip:192.0.2.9;lr>"),
    ("Route", "<sip:192.0.2.9;lr>"),
    ("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother"),
    ("Via", "SIP/2.0/UDP 192.0.2.9"),
    ("Refer-To", "<sip:carol@192.0.2.3>"),
    ("Refer-To", "<sip:carol@192.0.2.3?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"),
    ("Refer-Sub", "false"),
    ("Replaces", "a;to-tag=b;from-tag=c"),
    ("Event", "refer"),
    ("Event", "refer;id=1"),
    ("Event", "presence"),
    ("Subscription-State", "active;expires=60"),
    ("Subscription-State", "terminated;reason=noresource"),
    ("Subscription-State", "terminated"),
    ("Expires", "0"),
    ("Expires", "4294967295"),
    ("Expires", "30"),
    ("Retry-After", "1"),
    ("Retry-After", "4294967295"),
    ("Retry-After", "10 (later)"),
    ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""),
    ("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"m\", algorithm=SHA-256"),
    ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"o\", stale=true"),
    ("Authorization", "Digest username=\"user\", realm=\"here\", nonce=\"n\", uri=\"sip:a\", response=\"0\""),
    ("Content-Type", "message/sipfrag"),
    ("Content-Type", "multipart/mixed;boundary=b"),
    ("Content-Disposition", "early-session"),
    ("Content-Encoding", "gzip"),
    ("Max-Forwards", "0"),
    ("Allow", "INVITE, ACK, BYE"),
    ("Info-Package", "keys"),
    ("Reason", "SIP;cause=200"),
];

const BODIES: [&str; 6] =
    [OFFER, ANSWER, HOLD, "", "SIP/2.0 200 OK\r\n", "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n"];

/// As long as a message may be under way twice.
const FRESH: u64 = 4_000_000;

/// One message to alice or bob.
pub fn lie(world: &mut World) {
    let choices = world.choices.clone();
    let count = world.trace().datagrams.len();
    if count == 0 {
        return;
    }
    // The newest are the likeliest.
    let back = choices.below(if choices.yes() { 4 } else { count });
    let datagram = &world.trace().datagrams[count - 1 - back.min(count - 1)];
    // What comes again after its transaction is new to its receiver, and its answers are not those that went before.
    let unfit = datagram.reliable || datagram.to.is_none() || !world.trace().parties[datagram.from].judged;
    let first = world.trace().datagrams.iter().find(|it| it.bytes == datagram.bytes).map_or(0, |it| it.at);
    if world.law == Law::Repeats && (unfit || first + FRESH < world.pair.wire.now) {
        return;
    }
    let bytes = datagram.bytes.clone();
    let from = world.trace().parties[datagram.from].address;
    let to_bob = datagram.target == address(BOB);
    let what = choices.below(8);
    if what == 0 || world.law == Law::Repeats {
        // As it was.
        return world.tell(to_bob, usize::from(!to_bob), &bytes);
    }
    if what == 1 && world.law == Law::None {
        let garbled = garble(&bytes, &choices);
        return world.tell(to_bob ^ (choices.below(8) == 7), usize::from(!to_bob), &garbled);
    }
    let Some(mut draft) = read(&bytes) else { return };
    let is_response = draft.start.starts_with("SIP/2.0 ");
    let mut to_bob = to_bob;
    match what {
        2 | 3 if !is_response => {
            draft = answer(&draft, &choices);
            to_bob = from == address(BOB);
        }
        4 | 5 => {
            draft = turned_round(&draft, &choices);
            to_bob = from == address(BOB);
        }
        _ => {}
    }
    for _ in 0..choices.below(4) {
        draft = changed(draft, &choices, to_bob);
    }
    let liar = if choices.below(8) == 7 { 2 } else { usize::from(!to_bob) };
    let text = draft.text();
    world.tell(to_bob, liar, text.as_bytes());
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// What can be read as text, without Content-Length, which is made anew.
fn read(bytes: &[u8]) -> Option<Draft> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut draft = Draft::new(lines.next()?);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if !name.eq_ignore_ascii_case("Content-Length") {
            draft = draft.with(name, value.trim());
        }
    }
    body.clone_into(&mut draft.body);
    Some(draft)
}

/// Some response to a request.
fn answer(request: &Draft, choices: &Choices) -> Draft {
    let status = choices.of(&STATUSES);
    let mut response = Draft::new(format!("SIP/2.0 {status} Said"));
    for (name, value) in &request.headers {
        if ["Via", "From", "To", "Call-ID", "CSeq", "Record-Route"].contains(&name.as_str()) {
            response = response.with(name, value.clone());
        }
    }
    if !response.get("To").contains(";tag=") {
        let to = format!("{};tag={}", response.get("To"), choices.of(&["f1", "f2", "f3", "F1"]));
        response = response.set("To", to);
    }
    if choices.below(4) < 3 {
        response = response.with(
            "Contact",
            choices.of(&["<sip:bob@192.0.2.2:5060>", "<sip:alice@192.0.2.1:5060>", "<sip:b@gw.example.org>"]),
        );
    }
    if choices.below(3) == 2 {
        response = response.reliable(u32::from(choices.byte() % 4));
    }
    match choices.below(3) {
        0 => response,
        body => response.sdp([ANSWER, OFFER][body - 1]),
    }
}

/// A request of the other side in the same dialog, or of the same one: of any method.
fn turned_round(seen: &Draft, choices: &Choices) -> Draft {
    let is_response = seen.start.starts_with("SIP/2.0 ");
    let number: u32 = seen.get("CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(1);
    let method = choices.of(&METHODS);
    // Whoever got a response sends the next request; whoever got a request sends one the other way.
    let (from, to) = if is_response { ("From", "To") } else { ("To", "From") };
    let uri = seen.get("Contact").trim_matches(['<', '>']).to_owned();
    let uri = if uri.is_empty() { "sip:x@192.0.2.1".to_owned() } else { uri };
    let next = number.wrapping_add(choices.of(&[1, 0, 2, 100, u32::MAX, 1 << 30]));
    let branch = format!("z9hG4bKlie{}", choices.byte());
    let mut draft = Draft::new(format!("{method} {uri} SIP/2.0"))
        .with(
            "Via",
            format!("SIP/2.0/UDP {};branch={branch};rport", if from == "To" { "192.0.2.2" } else { "192.0.2.1" }),
        )
        .with("Max-Forwards", "70")
        .with("From", seen.get(from))
        .with("To", seen.get(to))
        .with("Call-ID", seen.get("Call-ID"))
        .with("CSeq", format!("{next} {method}"))
        .with(
            "Contact",
            choices.of(&["<sip:alice@192.0.2.1:5060>", "<sip:bob@192.0.2.2:5060>", "<sip:c@gw.example.org>"]),
        );
    match method {
        "PRACK" => {
            let rseq = if seen.get("RSeq").is_empty() { "1" } else { seen.get("RSeq") };
            draft = draft.with("RAck", format!("{rseq} {number} INVITE"));
        }
        "REFER" => draft = draft.with("Refer-To", "<sip:carol@192.0.2.3>"),
        "NOTIFY" => {
            draft = draft
                .with("Event", "refer")
                .with("Subscription-State", choices.of(&["active;expires=60", "terminated;reason=noresource"]));
            return draft.content("message/sipfrag", choices.of(&["SIP/2.0 100 Trying\r\n", "SIP/2.0 200 OK\r\n"]));
        }
        "SUBSCRIBE" => draft = draft.with("Event", "refer").with("Expires", choices.of(&["60", "0"])),
        _ => {}
    }
    match choices.below(3) {
        0 => draft,
        body => draft.sdp([OFFER, ANSWER][body - 1]),
    }
}

/// One change.
fn changed(draft: Draft, choices: &Choices, to_bob: bool) -> Draft {
    let is_response = draft.start.starts_with("SIP/2.0 ");
    match choices.below(14) {
        0 if is_response => Draft { start: format!("SIP/2.0 {} Changed", choices.of(&STATUSES)), ..draft },
        0 => {
            let method = choices.of(&METHODS);
            let rest = draft.start.split_once(' ').map_or(String::new(), |(_, rest)| rest.to_owned());
            let number = draft.get("CSeq").split(' ').next().unwrap_or("1").to_owned();
            Draft { start: format!("{method} {rest}"), ..draft }.set("CSeq", format!("{number} {method}"))
        }
        1 => {
            let cseq = draft.get("CSeq").to_owned();
            let (number, method) = cseq.split_once(' ').unwrap_or(("1", "INVITE"));
            let number: u32 = number.parse().unwrap_or(1);
            let step = choices.of(&[1, u32::MAX, 2, 1 << 30, (1 << 31) - 3]);
            draft.set("CSeq", format!("{} {method}", number.wrapping_add(step)))
        }
        2 => {
            let via = draft.get("Via").to_owned();
            let (before, after) = via.split_once("branch=").unwrap_or((&via, ""));
            let rest = after.find([';', ',']).map_or("", |at| &after[at..]);
            let via = format!("{before}branch=z9hG4bKnew{}{rest}", choices.byte() % 8);
            draft.set("Via", via)
        }
        3 => retagged(draft, "To", choices),
        4 => retagged(draft, "From", choices),
        5 => {
            let (name, value) = choices.of(&LINES);
            draft.with(name, value)
        }
        6 => {
            let (name, value) = choices.of(&LINES);
            draft.set(name, value)
        }
        7 if !draft.headers.is_empty() => {
            let name = draft.headers[choices.below(draft.headers.len())].0.clone();
            draft.without(&name)
        }
        8 if !draft.headers.is_empty() => {
            let (name, value) = draft.headers[choices.below(draft.headers.len())].clone();
            draft.with(&name, value)
        }
        9 => draft.content("application/sdp", choices.of(&BODIES)),
        10 => draft.content(
            choices.of(&["application/sdp", "text/plain", "message/sipfrag", "multipart/mixed;boundary=b"]),
            choices.of(&BODIES),
        ),
        11 => {
            let call_id = choices.of(&["another", "a b", "x@y"]);
            draft.set("Call-ID", call_id)
        }
        12 if !is_response => {
            let uri = choices.of(&[
                "sip:alice@192.0.2.1:5060",
                "sip:bob@192.0.2.2:5060",
                "tel:+1",
                "sips:alice@192.0.2.1",
                "urn:service:sos",
            ]);
            draft.request_uri(uri)
        }
        // In a dialog of the receiver's, from the point of view of its peer.
        _ => {
            let (from, to) = (draft.get("From").to_owned(), draft.get("To").to_owned());
            if to_bob { draft.set("From", to).set("To", from) } else { draft }
        }
    }
}

fn retagged(draft: Draft, name: &str, choices: &Choices) -> Draft {
    let value = draft.get(name).to_owned();
    let (before, _) = value.split_once(";tag=").unwrap_or((&value, ""));
    let value = match choices.below(6) {
        0 => before.to_owned(),
        other => format!("{before};tag={}", ["", "f1", "f2", "f3", "one"][other - 1]),
    };
    draft.set(name, value)
}

/// The bytes with some taken away and some put in.
fn garble(bytes: &[u8], choices: &Choices) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=choices.below(4) {
        let at = choices.below(bytes.len().max(257)).min(bytes.len());
        let end = (at + choices.below(4)).min(bytes.len());
        let put: Vec<u8> = (0..choices.below(4)).map(|_| choices.byte()).collect();
        bytes.splice(at..end, put);
    }
    bytes
}
