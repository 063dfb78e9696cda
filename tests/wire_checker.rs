//! The wire checker finds each broken rule, and finds nothing in a legal ladder.

mod common;

use common::wire::{RULES, Secret, Timers, Trace, Violation};
use std::collections::BTreeSet;

const TIMERS: Timers = Timers { t1: 500_000, t2: 4_000_000 };
const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\n";
const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 192.0.2.2\r\n";

/// A message on a ladder: ms, sender, text, lost.
#[derive(Clone)]
struct Line(u64, &'static str, String, bool);

/// Stands in a message that goes to an address where no one is.
const ASTRAY: &str = "Astray: yes";

fn message(start: &str, headers: &[&str], body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{start}\r\n{}\r\n{kind}Content-Length: {}\r\n\r\n{body}", headers.join("\r\n"), body.len())
}

/// A request of alice or bob in the call; `to_tag` empty: outside the dialog.
fn request(from: &str, method: &str, cseq: u32, branch: &str, to_tag: &str, body: &str) -> String {
    let (own, other, host, to_host) = match from {
        "alice" => ("alice", "bob", "192.0.2.1", "192.0.2.2"),
        _ => ("bob", "alice", "192.0.2.2", "192.0.2.1"),
    };
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let own_tag = if own == "alice" { "a1" } else { "b1" };
    let contact = if method == "INVITE" { format!("Contact: <sip:{own}@{host}:5060>\r\n") } else { String::new() };
    let headers = [
        &format!("Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{branch};rport"),
        "Max-Forwards: 70",
        &format!("From: <sip:{own}@example.com>;tag={own_tag}"),
        &format!("To: <sip:{other}@example.com>{tag}"),
        "Call-ID: c1",
        &format!("CSeq: {cseq} {method}"),
        &format!("{contact}User-Agent: t"),
    ];
    message(&format!("{method} sip:{other}@{to_host}:5060 SIP/2.0"), &headers, body)
}

/// The response of the peer to one of these.
fn response(status: &str, request: &str, to_tag: &str, body: &str) -> String {
    let line = |name: &str| request.split("\r\n").find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    let (user, host, other) = if request.contains("192.0.2.1:5060;branch") {
        ("bob", "192.0.2.2", "192.0.2.1")
    } else {
        ("alice", "192.0.2.1", "192.0.2.2")
    };
    let to = line("To: ");
    let to = if to.contains(";tag=") || to_tag.is_empty() { to } else { format!("{to};tag={to_tag}") };
    let contact = format!("Contact: <sip:{user}@{host}:5060>");
    let via = line("Via: ").replace(";rport", &format!(";rport=5060;received={other}"));
    message(
        &format!("SIP/2.0 {status}"),
        &[&via, &line("From: "), &to, &line("Call-ID: "), &line("CSeq: "), &contact],
        body,
    )
}

/// INVITE, 180, 200, ACK, INFO, re-INVITE by bob, OPTIONS, BYE: everything legal.
fn basic_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let invite = request("alice", "INVITE", 1, "1", "", OFFER);
    say(0, "alice", invite.clone());
    say(2, "bob", response("180 Ringing", &invite, "b1", ""));
    say(900, "bob", response("200 OK", &invite, "b1", ANSWER));
    say(901, "alice", request("alice", "ACK", 1, "2", "b1", ""));
    let info = request("alice", "INFO", 2, "3", "b1", "");
    say(1_000, "alice", info.clone());
    say(1_001, "bob", response("200 OK", &info, "", ""));
    let again = request("bob", "INVITE", 70, "4", "a1", OFFER);
    say(1_100, "bob", again.clone());
    say(1_101, "alice", response("200 OK", &again, "", ANSWER));
    say(1_102, "bob", request("bob", "ACK", 70, "5", "a1", ""));
    let options = request("bob", "OPTIONS", 71, "6", "a1", "");
    say(1_200, "bob", options.clone());
    say(1_201, "alice", response("200 OK", &options, "", ""));
    let bye = request("bob", "BYE", 72, "7", "a1", "");
    say(1_300, "bob", bye.clone());
    say(1_301, "alice", response("200 OK", &bye, "", ""));
    lines
}

/// INVITE without offer, offer in the 200, answer in the ACK; a CANCEL and a rejection follow on other calls.
fn late_offer() -> Vec<Line> {
    let invite = request("alice", "INVITE", 1, "1", "", "");
    vec![
        Line(0, "alice", invite.clone(), false),
        Line(2, "bob", response("200 OK", &invite, "b1", OFFER), false),
        Line(5, "alice", request("alice", "ACK", 1, "2", "b1", ANSWER), false),
    ]
}

/// With 183 and 180, both reliable and acknowledged.
fn reliable_call() -> Vec<Line> {
    let with = |text: String, lines: &str| text.replace("Call-ID: c1", &format!("{lines}\r\nCall-ID: c1"));
    let invite = with(request("alice", "INVITE", 1, "1", "", OFFER), "Supported: 100rel");
    let prack = |cseq, branch, rack: &str| with(request("alice", "PRACK", cseq, branch, "b1", ""), rack);
    let pracks = [prack(2, "2", "RAck: 7 1 INVITE"), prack(3, "3", "RAck: 8 1 INVITE")];
    let progress = with(response("183 Session Progress", &invite, "b1", ANSWER), "Require: 100rel\r\nRSeq: 7");
    let ringing = with(response("180 Ringing", &invite, "b1", ""), "Require: 100rel\r\nRSeq: 8");
    vec![
        Line(0, "alice", invite.clone(), false),
        Line(2, "bob", progress, false),
        Line(4, "alice", pracks[0].clone(), false),
        Line(6, "bob", response("200 OK", &pracks[0], "", ""), false),
        Line(8, "bob", ringing, false),
        Line(10, "alice", pracks[1].clone(), false),
        Line(12, "bob", response("200 OK", &pracks[1], "", ""), false),
        Line(20, "bob", response("200 OK", &invite, "b1", ""), false),
        Line(22, "alice", request("alice", "ACK", 1, "4", "b1", ""), false),
    ]
}

/// The same INVITE without offer, whose 183 brings it.
fn reliable_offer() -> Vec<Line> {
    let mut lines = reliable_call();
    lines[0].2 = lines[0].2.replace(OFFER, "").replace("Content-Type: application/sdp\r\n", "");
    lines[0].2 = lines[0].2.replace(&format!("Length: {}", OFFER.len()), "Length: 0");
    lines[2].2 = lines[2].2.replace(
        "Content-Length: 0\r\n\r\n",
        &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}", OFFER.len()),
    );
    lines
}

fn cancelled_call() -> Vec<Line> {
    let invite = request("alice", "INVITE", 1, "1", "", OFFER);
    let cancel = request("alice", "CANCEL", 1, "1", "", "");
    let ack = request("alice", "ACK", 1, "1", "b1", "");
    vec![
        Line(0, "alice", invite.clone(), false),
        Line(2, "bob", response("180 Ringing", &invite, "b1", ""), false),
        Line(100, "alice", cancel.clone(), false),
        Line(101, "bob", response("200 OK", &cancel, "b1", ""), false),
        Line(101, "bob", response("487 Request Terminated", &invite, "b1", ""), false),
        Line(102, "alice", ack, false),
    ]
}

/// Alice's INVITE meets silence twice, bob's 486 is lost twice, alice's OPTIONS is lost once.
fn lossy_rejection() -> Vec<Line> {
    let invite = request("alice", "INVITE", 1, "1", "", OFFER);
    let trying = response("100 Trying", &invite, "", "");
    let busy = response("486 Busy Here", &invite, "b1", "");
    let ack = request("alice", "ACK", 1, "1", "b1", "");
    let mut lines = vec![
        Line(0, "alice", invite.clone(), true),
        Line(500, "alice", invite.clone(), true),
        Line(1_500, "alice", invite, false),
        Line(1_501, "bob", trying, false),
        Line(1_600, "bob", busy.clone(), true),
        Line(2_100, "bob", busy.clone(), true),
        Line(3_100, "bob", busy, false),
        Line(3_101, "alice", ack, false),
    ];
    let options = request("alice", "OPTIONS", 9, "9", "", "");
    lines.push(Line(4_000, "alice", options.clone(), true));
    lines.push(Line(4_500, "alice", options.clone(), false));
    lines.push(Line(4_501, "bob", response("200 OK", &options, "b9", ""), false));
    lines
}

/// Alice's Proxy-Authorization; the responses were computed elsewhere.
fn credentials(nonce: &str, count: u32, response: &str) -> String {
    format!(
        "Proxy-Authorization: Digest username=\"alice\", realm=\"example.com\", nonce=\"{nonce}\", \
         uri=\"sip:bob@192.0.2.2:5060\", response=\"{response}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc={count:08x}, \
         opaque=\"o\""
    )
}

const INVITE_1: &str = "a774b6f6f0fe5756d0bdddefab6c1693e15db8e94ae734a38077a51c6d57c99f";
const INFO_2: &str = "0a5b5602cc6ae77f9c0d2d0b8b10cacbf4fae749f02a3ce64e4e7445f33022d8";
const INFO_1_STALE: &str = "4a1c47b05ebcd786849cd99ac1ae311a50e041610513159cc5fe56ef877896f9";
const BYE_2_STALE: &str = "e0c6c7b61354b29225b27d1db45f8cd2a790840fa785bffbe3aa80013f29cc3b";
const INVITE_AGAIN: &str = "1d71faef63d0cd869455ee8a560e41609588a3898e6d85ef5b2952df236dcc33";

/// With a header line more.
fn with(text: &str, line: &str) -> String {
    text.replacen("CSeq: ", &format!("{line}\r\nCSeq: "), 1)
}

fn challenge(nonce: &str, more: &str) -> String {
    format!("Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"{nonce}\", opaque=\"o\", qop=\"auth\"{more}")
}

/// INVITE, 407, INVITE again, 200; INFO, 407 (stale), INFO again; BYE.
fn challenged_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let invite = request("alice", "INVITE", 1, "1", "", OFFER);
    say(0, "alice", invite.clone());
    let unauthorized = response("407 Proxy Authentication Required", &invite, "b0", "");
    let unauthorized = with(&unauthorized, &challenge("n0", ", algorithm=WHIRL-9"));
    let unauthorized = with(&unauthorized, &challenge("n1", ", algorithm=SHA-256"));
    say(2, "bob", with(&unauthorized, &challenge("n2", "")));
    say(4, "alice", request("alice", "ACK", 1, "1", "b0", ""));
    let invite = with(&request("alice", "INVITE", 2, "2", "", OFFER), &credentials("n1", 1, INVITE_1));
    say(5, "alice", invite.clone());
    say(7, "bob", response("200 OK", &invite, "b1", ANSWER));
    say(9, "alice", with(&request("alice", "ACK", 2, "3", "b1", ""), &credentials("n1", 1, INVITE_1)));
    let info = with(&request("alice", "INFO", 3, "4", "b1", ""), &credentials("n1", 2, INFO_2));
    say(20, "alice", info.clone());
    let stale = response("407 Proxy Authentication Required", &info, "", "");
    say(22, "bob", with(&stale, &challenge("n3", ", algorithm=SHA-256, stale=true")));
    let info = with(&request("alice", "INFO", 4, "5", "b1", ""), &credentials("n3", 1, INFO_1_STALE));
    say(24, "alice", info.clone());
    say(26, "bob", response("200 OK", &info, "", ""));
    let bye = with(&request("alice", "BYE", 5, "6", "b1", ""), &credentials("n3", 2, BYE_2_STALE));
    say(30, "alice", bye.clone());
    say(32, "bob", response("200 OK", &bye, "", ""));
    lines
}

/// The same refused twice, the second time by the same realm.
fn refused_twice() -> Vec<Line> {
    let mut lines = challenged_call();
    drop(lines.drain(4..));
    let again = response("407 Proxy Authentication Required", &lines[3].2, "b0", "");
    lines.push(Line(7, "bob", with(&again, &challenge("n9", ", algorithm=SHA-256")), false));
    lines.push(Line(9, "alice", request("alice", "ACK", 2, "2", "b0", ""), false));
    lines
}

fn reliable(rseq: u32, invite: &str, body: &str) -> String {
    with(&response("183 Progress", invite, "b1", body), &format!("Require: 100rel\r\nRSeq: {rseq}"))
}

fn prack(cseq: u32, branch: &str, rack: &str, body: &str) -> String {
    with(&request("alice", "PRACK", cseq, branch, "b1", body), &format!("RAck: {rack}"))
}

/// INVITE; two reliable responses, the second with the answer; its PRACK with a further offer, answered in the 200.
fn acknowledged_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let invite = with(&request("alice", "INVITE", 1, "1", "", OFFER), "Supported: 100rel");
    say(0, "alice", invite.clone());
    say(2, "bob", reliable(70, &invite, ""));
    let first = prack(2, "2", "70 1 INVITE", "");
    say(4, "alice", first.clone());
    say(6, "bob", response("200 OK", &first, "", ""));
    say(20, "bob", reliable(71, &invite, ANSWER));
    let second = prack(3, "3", "71 1 INVITE", OFFER);
    say(22, "alice", second.clone());
    say(24, "bob", response("200 OK", &second, "", ANSWER));
    say(900, "bob", response("200 OK", &invite, "b1", ""));
    say(902, "alice", request("alice", "ACK", 1, "4", "b1", ""));
    lines
}

/// INVITE without offer; it comes in a reliable response, its answer in the PRACK.
fn late_offer_acknowledged() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let invite = with(&request("alice", "INVITE", 1, "1", "", ""), "Supported: 100rel");
    say(0, "alice", invite.clone());
    say(2, "bob", reliable(70, &invite, OFFER));
    let answer = prack(2, "2", "70 1 INVITE", ANSWER);
    say(4, "alice", answer.clone());
    say(6, "bob", response("200 OK", &answer, "", ""));
    say(900, "bob", response("200 OK", &invite, "b1", ""));
    say(902, "alice", request("alice", "ACK", 1, "4", "b1", ""));
    lines
}

/// NOTIFY of bob's about a REFER of alice's.
fn notify(cseq: u32, branch: &str, event: &str, state: &str, fragment: &str) -> String {
    let text = request("bob", "NOTIFY", cseq, branch, "a1", fragment).replace("application/sdp", "message/sipfrag");
    let lines = ["Contact: <sip:bob@192.0.2.2:5060>", event, state];
    lines.iter().fold(text, |text, line| with(&text, line))
}

/// A call in which alice refers bob twice; the second NOTIFYs come after BYE (RFC 5057 §5.5).
fn transfer() -> Vec<Line> {
    let mut lines = basic_call();
    drop(lines.drain(4..));
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let refer = |cseq, branch| {
        let refer = with(&request("alice", "REFER", cseq, branch, "b1", ""), "Refer-To: <sip:carol@example.com>");
        with(&refer, "Contact: <sip:alice@192.0.2.1:5060>")
    };
    let first = refer(2, "3");
    say(1_000, "alice", first.clone());
    say(1_002, "bob", response("200 OK", &first, "", ""));
    let trying = notify(70, "4", "Event: refer", "Subscription-State: active;expires=60", "SIP/2.0 100 Trying");
    say(1_002, "bob", trying.clone());
    say(1_004, "alice", response("200 OK", &trying, "", ""));
    let done = notify(71, "5", "Event: refer", "Subscription-State: terminated;reason=noresource", "SIP/2.0 200 OK");
    say(1_100, "bob", done.clone());
    say(1_102, "alice", response("200 OK", &done, "", ""));
    let second = refer(3, "6");
    say(1_200, "alice", second.clone());
    say(1_202, "bob", response("200 OK", &second, "", ""));
    let trying = notify(72, "7", "Event: refer;id=3", "Subscription-State: active;expires=60", "SIP/2.0 100 Trying");
    say(1_202, "bob", trying.clone());
    say(1_204, "alice", response("200 OK", &trying, "", ""));
    let bye = request("alice", "BYE", 4, "8", "b1", "");
    say(1_300, "alice", bye.clone());
    say(1_302, "bob", response("200 OK", &bye, "", ""));
    let over = "Subscription-State: terminated;reason=noresource";
    let done = notify(73, "9", "Event: refer;id=3", over, "SIP/2.0 486 Busy Here");
    say(1_400, "bob", done.clone());
    say(1_402, "alice", response("200 OK", &done, "", ""));
    lines
}

fn judge(lines: &[Line], end: u64) -> (Trace, Vec<Violation>) {
    let mut trace = Trace::new(TIMERS);
    let addresses =
        ["192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.9:5060"].map(|text| text.parse().expect("an address"));
    trace.party("alice", addresses[0], true);
    let [realm, user, password] = ["example.com", "alice", "wonderland"].map(str::to_owned);
    trace.secrets.push(Secret { realm, user, password });
    trace.party("bob", addresses[1], true);
    let mut lines = lines.to_vec();
    lines.sort_by_key(|line| line.0);
    let mut flying: Vec<(u64, usize)> = Vec::new();
    for Line(at, from, text, lost) in lines {
        // Everything arrives 1 ms later; what arrived and what is sent at the same time: arrivals first.
        let (landed, still): (Vec<_>, Vec<_>) = flying.into_iter().partition(|(due, _)| *due <= at * 1_000);
        landed.iter().for_each(|(at, datagram)| trace.delivered(*at, *datagram));
        flying = still;
        let party = usize::from(from == "bob");
        let target = if text.contains(ASTRAY) { addresses[2] } else { addresses[1 - party] };
        let datagram = trace.sent(at * 1_000, party, target, text.into_bytes().into(), false);
        if !lost {
            flying.push((at * 1_000 + 1_000, datagram));
        }
    }
    flying.iter().for_each(|(at, datagram)| trace.delivered(*at, *datagram));
    trace.end = trace.end.max(end * 1_000);
    let found = trace.violations();
    (trace, found)
}

#[test]
fn legal_ladders_are_clean() {
    let plain = [basic_call(), late_offer(), cancelled_call(), lossy_rejection(), challenged_call(), refused_twice()];
    let reliable = [acknowledged_call(), late_offer_acknowledged(), reliable_call(), reliable_offer()];
    for lines in plain.into_iter().chain(reliable).chain([transfer()]) {
        let (trace, found) = judge(&lines, 40_000);
        assert_eq!(found, [], "{}", trace.ladder(None));
    }
}

type Breach = (&'static str, fn() -> Vec<Line>, fn(&mut Vec<Line>));

fn replace(lines: &mut [Line], at: usize, old: &str, new: &str) {
    assert!(lines[at].2.contains(old), "{old:?} is not in {:?}", lines[at].2);
    lines[at].2 = lines[at].2.replace(old, new);
}

/// Each rule with a small breach of it.
const BREACHES: &[Breach] = &[
    ("parses", basic_call, |lines| replace(lines, 4, "\r\n\r\n", "\r\n")),
    ("mandatory-headers", basic_call, |lines| replace(lines, 4, "Call-ID: c1\r\n", "Call-ID: c1\r\nCall-ID: c1\r\n")),
    ("content-length", basic_call, |lines| replace(lines, 4, "Length: 0", "Length: 7")),
    ("content-type", basic_call, |lines| replace(lines, 0, "Content-Type: application/sdp\r\n", "")),
    ("max-forwards", basic_call, |lines| replace(lines, 4, "Max-Forwards: 70\r\n", "")),
    ("from-tag", basic_call, |lines| replace(lines, 0, ";tag=a1", "")),
    ("cseq-method", basic_call, |lines| replace(lines, 4, "2 INFO", "2 MESSAGE")),
    ("cseq-range", basic_call, |lines| replace(lines, 4, "CSeq: 2 ", "CSeq: 2147483648 ")),
    ("branch-cookie", basic_call, |lines| replace(lines, 4, "z9hG4bK3", "3")),
    ("contact", basic_call, |lines| replace(lines, 0, "Contact: <sip:alice@192.0.2.1:5060>\r\n", "")),
    ("contact", basic_call, |lines| replace(lines, 2, "Contact: <sip:bob@192.0.2.2:5060>\r\n", "")),
    ("allow-405", basic_call, |lines| replace(lines, 5, "200 OK", "405 Method Not Allowed")),
    ("allow-405", basic_call, |lines| {
        replace(lines, 5, "200 OK", "405 Method Not Allowed");
        replace(lines, 5, "Contact", "Allow: INVITE, INFO\r\nContact");
    }),
    ("unsupported-420", basic_call, |lines| replace(lines, 5, "200 OK", "420 Bad Extension")),
    ("accept-415", basic_call, |lines| replace(lines, 5, "200 OK", "415 Unsupported Media Type")),
    ("retransmission-identical", lossy_rejection, |lines| replace(lines, 1, "User-Agent: t", "User-Agent: u")),
    ("retransmission-identical", basic_call, |lines| replace(lines, 11, "z9hG4bK7", "z9hG4bK4")),
    ("timer-a", lossy_rejection, |lines| lines[1].0 = 600),
    ("timer-a", lossy_rejection, |lines| drop(lines.remove(1))),
    ("timer-a", basic_call, |lines| lines.insert(1, Line(500, "alice", lines[0].2.clone(), false))),
    ("timer-e", lossy_rejection, |lines| lines[9].0 = 4_600),
    ("timer-g", lossy_rejection, |lines| lines[5].0 = 2_200),
    ("timer-g", lossy_rejection, |lines| drop(lines.remove(5))),
    ("timer-g", cancelled_call, |lines| lines.push(Line(602, "bob", lines[4].2.clone(), false))),
    ("cancel-after-1xx", cancelled_call, |lines| lines[1].3 = true),
    ("cancel-after-final", cancelled_call, |lines| lines[2].0 = 103),
    ("cancel-form", cancelled_call, |lines| replace(lines, 2, "CSeq: 1 ", "CSeq: 2 ")),
    ("cancel-form", cancelled_call, |lines| replace(lines, 2, "z9hG4bK1", "z9hG4bKx")),
    ("cancel-form", cancelled_call, |lines| replace(lines, 2, "Max-Forwards", "Require: x\r\nMax-Forwards")),
    ("cancel-answer", cancelled_call, |lines| replace(lines, 3, "200 OK", "481 Gone")),
    ("cancel-answer", cancelled_call, |lines| drop(lines.drain(4..))),
    ("cancel-tag", cancelled_call, |lines| replace(lines, 3, "tag=b1", "tag=b2")),
    ("ack-owed", basic_call, |lines| drop(lines.remove(3))),
    ("ack-owed", cancelled_call, |lines| drop(lines.remove(5))),
    ("ack-owed", basic_call, |lines| {
        lines[3].3 = true;
        lines.insert(4, Line(1_400, "bob", lines[2].2.clone(), false));
    }),
    ("ack-unprovoked", basic_call, |lines| lines.push(Line(1_350, "alice", lines[3].2.clone(), false))),
    ("ack-form", cancelled_call, |lines| replace(lines, 5, "CSeq: 1 ACK", "CSeq: 2 ACK")),
    ("ack-form", basic_call, |lines| replace(lines, 3, "z9hG4bK2", "z9hG4bK1")),
    ("response-to-nothing", basic_call, |lines| replace(lines, 5, "z9hG4bK3", "z9hG4bK8")),
    ("response-to-ack", basic_call, |lines| {
        let ack = lines[3].2.clone();
        lines.push(Line(950, "bob", response("200 OK", &ack, "", ""), false));
    }),
    ("response-vias", basic_call, |lines| replace(lines, 5, ";received=192.0.2.1", "")),
    ("response-vias", basic_call, |lines| replace(lines, 5, "From: ", "Via: SIP/2.0/UDP x;branch=z9hG4bK3\r\nFrom: ")),
    ("response-address", basic_call, |lines| replace(lines, 5, "CSeq", &format!("{ASTRAY}\r\nCSeq"))),
    ("response-copies", basic_call, |lines| replace(lines, 5, "CSeq: 2", "CSeq: 3")),
    ("response-to-tag", basic_call, |lines| replace(lines, 1, "tag=b1", "tag=b0")),
    ("response-to-tag", basic_call, |lines| replace(lines, 5, ";tag=b1", "")),
    ("one-final", basic_call, |lines| {
        let info = lines[4].2.clone();
        lines.insert(6, Line(1_050, "bob", response("500 No", &info, "", ""), false));
    }),
    ("final-owed", basic_call, |lines| drop(lines.remove(5))),
    ("final-repeated", lossy_rejection, |lines| {
        let options = lines[8].2.clone();
        lines.push(Line(4_502, "alice", options, false));
    }),
    ("final-repeated", basic_call, |lines| lines.push(Line(1_050, "bob", lines[5].2.clone(), false))),
    ("provisional-repeated", lossy_rejection, |lines| {
        lines[2].3 = false;
        lines.insert(3, Line(1_550, "alice", lines[0].2.clone(), false));
    }),
    ("2xx-schedule", basic_call, |lines| drop(lines.drain(3..))),
    ("2xx-schedule", basic_call, |lines| lines.push(Line(1_400, "bob", lines[2].2.clone(), true))),
    ("100-within-200ms", basic_call, |lines| drop(lines.remove(1))),
    ("1xx-every-minute", basic_call, |lines| lines[2..].iter_mut().for_each(|line| line.0 += 61_000)),
    ("non-invite-1xx", basic_call, |lines| {
        let info = lines[4].2.clone();
        lines.insert(5, Line(1_001, "bob", response("180 Ringing", &info, "", ""), false));
    }),
    ("non-invite-100", basic_call, |lines| {
        let info = lines[4].2.clone();
        lines.insert(5, Line(1_001, "bob", response("100 Trying", &info, "", ""), false));
    }),
    ("non-invite-100", basic_call, |lines| lines[5].0 = 4_600),
    ("non-invite-408", basic_call, |lines| replace(lines, 5, "200 OK", "408 Late")),
    ("merged-482", basic_call, |lines| {
        let copy = lines[0].2.replace("z9hG4bK1", "z9hG4bKm");
        lines.insert(1, Line(1, "alice", copy.clone(), false));
        lines.insert(4, Line(903, "bob", response("200 OK", &copy, "b2", ANSWER), false));
    }),
    ("dialog-exists", basic_call, |lines| replace(lines, 4, "tag=b1", "tag=bx")),
    ("dialog-exists", cancelled_call, |lines| {
        lines.push(Line(200, "alice", request("alice", "INFO", 2, "3", "b1", ""), false));
    }),
    ("dialog-cseq", basic_call, |lines| replace(lines, 4, "CSeq: 2", "CSeq: 3")),
    ("dialog-cseq", basic_call, |lines| replace(lines, 9, "CSeq: 71", "CSeq: 70")),
    ("dialog-uris", basic_call, |lines| replace(lines, 4, "To: <sip:bob@example.com>", "To: <sip:bob@192.0.2.2>")),
    ("dialog-target", basic_call, |lines| replace(lines, 4, "INFO sip:bob@192.0.2.2:5060", "INFO sip:bob@example.com")),
    ("dialog-routes", basic_call, |lines| replace(lines, 4, "Max-", "Route: <sip:192.0.2.2:5060;lr>\r\nMax-")),
    ("dialog-routes", basic_call, |lines| replace(lines, 2, "CSeq", "Record-Route: <sip:192.0.2.9;lr>\r\nCSeq")),
    ("next-hop", basic_call, |lines| {
        replace(lines, 0, "INVITE sip:bob@192.0.2.2:5060", "INVITE sip:bob@192.0.2.2:5070")
    }),
    ("record-route-copied", basic_call, |lines| replace(lines, 0, "CSeq", "Record-Route: <sip:192.0.2.2;lr>\r\nCSeq")),
    ("remote-cseq", basic_call, |lines| {
        replace(lines, 11, "CSeq: 72", "CSeq: 60");
        replace(lines, 12, "CSeq: 72", "CSeq: 60");
    }),
    ("bye-forbidden", basic_call, |lines| {
        drop(lines.drain(2..));
        lines.push(Line(10, "bob", request("bob", "BYE", 1, "7", "a1", ""), false));
    }),
    ("bye-forbidden", basic_call, |lines| {
        drop(lines.drain(3..));
        lines.push(Line(910, "bob", request("bob", "BYE", 1, "7", "a1", ""), false));
    }),
    ("bye-forbidden", basic_call, |lines| {
        drop(lines.drain(3..));
        lines.push(Line(910, "alice", request("alice", "BYE", 2, "7", "b1", ""), false));
    }),
    ("mortal", basic_call, |lines| lines.push(Line(1_310, "bob", request("bob", "INFO", 73, "8", "a1", ""), false))),
    ("mortal", basic_call, |lines| lines.push(Line(1_310, "alice", request("alice", "BYE", 3, "8", "b1", ""), false))),
    ("mortal-answer", basic_call, |lines| {
        let info = request("alice", "INFO", 3, "8", "b1", "");
        lines.push(Line(1_300, "alice", info.clone(), false));
        lines.push(Line(1_302, "bob", response("200 OK", &info, "", ""), false));
    }),
    ("bye-answer", basic_call, |lines| replace(lines, 12, "200 OK", "481 Gone")),
    ("no-dialog-481", basic_call, |lines| {
        replace(lines, 4, "tag=b1", "tag=bx");
        replace(lines, 5, "tag=b1", "tag=bx");
    }),
    ("no-dialog-481", basic_call, |lines| replace(lines, 5, "200 OK", "481 Gone")),
    ("reinvite-forbidden", basic_call, |lines| {
        lines.push(Line(10, "alice", request("alice", "INVITE", 2, "8", "b1", ""), false));
    }),
    ("reinvite-forbidden", basic_call, |lines| {
        lines.push(Line(1_100, "bob", request("bob", "INVITE", 71, "8", "a1", ""), false));
    }),
    ("glare-491", basic_call, |lines| {
        let crossing = request("alice", "INVITE", 3, "8", "b1", OFFER);
        lines.push(Line(1_100, "alice", crossing.clone(), false));
        lines.push(Line(1_105, "bob", response("200 OK", &crossing, "", ANSWER), false));
    }),
    ("glare-wait", basic_call, |lines| {
        lines.retain(|line| line.0 < 1_200);
        for (at, number) in [(1_200, 3), (3_100, 4)] {
            let invite = request("alice", "INVITE", number, &format!("g{number}"), "b1", OFFER);
            let glare = response("491 Pending", &invite, "", "");
            lines.push(Line(at, "alice", invite.clone(), false));
            lines.push(Line(at + 1, "bob", glare, false));
            let ack = invite.replace("INVITE sip", "ACK sip").replace("3 INVITE", "3 ACK").replace("4 INVITE", "4 ACK");
            lines.push(Line(at + 2, "alice", ack.replace(OFFER, ""), false));
        }
    }),
    ("overlap-500", basic_call, |lines| {
        lines[7].0 = 1_150;
        lines[8].0 = 1_151;
        let second = request("bob", "INVITE", 71, "8", "a1", "");
        lines.push(Line(1_120, "bob", second.clone(), false));
        lines.push(Line(1_121, "alice", response("500 Busy", &second, "", ""), false));
    }),
    ("one-offer", basic_call, |lines| {
        lines.push(Line(10, "alice", request("alice", "INVITE", 2, "8", "b1", OFFER), false));
    }),
    ("answer-missing", basic_call, |lines| lines[2].2 = response("200 OK", &lines[0].2, "b1", "")),
    ("answer-missing", late_offer, |lines| lines[2].2 = request("alice", "ACK", 1, "2", "b1", "")),
    ("offer-missing", late_offer, |lines| lines[1].2 = response("200 OK", &lines[0].2, "b1", "")),
    ("answer-unasked", basic_call, |lines| lines[3].2 = request("alice", "ACK", 1, "2", "b1", ANSWER)),
    ("answer-unasked", late_offer, |lines| {
        lines.insert(1, Line(1, "bob", response("183 Progress", &lines[0].2, "b1", OFFER), false));
    }),
    ("preview-equals-answer", basic_call, |lines| lines[1].2 = response("183 Progress", &lines[0].2, "b1", OFFER)),
    ("refer-to", transfer, |lines| replace(lines, 4, "Refer-To: <sip:carol@example.com>\r\n", "")),
    ("refer-to", transfer, |lines| replace(lines, 4, "Refer-To", "Refer-To: <sip:x@y>\r\nRefer-To")),
    ("refer-contact", transfer, |lines| replace(lines, 4, "Contact: <sip:alice@192.0.2.1:5060>\r\n", "")),
    ("refer-contact", transfer, |lines| replace(lines, 5, "Contact: <sip:bob@192.0.2.2:5060>\r\n", "")),
    ("refer-202", transfer, |lines| replace(lines, 5, "200 OK", "202 Accepted")),
    ("refer-sub", transfer, |lines| replace(lines, 5, "Contact", "Refer-Sub: false\r\nContact")),
    ("notify-at-once", transfer, |lines| drop(lines.drain(6..8))),
    ("notify-at-once", transfer, |lines| drop(lines.drain(12..14))),
    ("notify-form", transfer, |lines| replace(lines, 6, ";expires=60", "")),
    ("notify-form", transfer, |lines| replace(lines, 6, "Event: refer\r\n", "")),
    ("notify-form", transfer, |lines| replace(lines, 8, "message/sipfrag", "text/plain")),
    ("notify-form", transfer, |lines| replace(lines, 6, "Contact: <sip:bob@192.0.2.2:5060>\r\n", "")),
    ("notify-subscription", transfer, |lines| replace(lines, 12, "refer;id=3", "refer")),
    ("notify-subscription", transfer, |lines| replace(lines, 12, "refer;id=3", "refer;id=4")),
    ("notify-subscription", transfer, |lines| replace(lines, 5, "200 OK", "603 Decline")),
    ("notify-subscription", transfer, |lines| {
        replace(lines, 6, "active;expires=60", "terminated;reason=noresource");
    }),
    ("notify-unasked", transfer, |lines| lines.retain(|line| !line.2.starts_with("REFER"))),
    ("reliable-form", reliable_call, |lines| replace(lines, 0, "Supported: 100rel\r\n", "")),
    ("reliable-form", reliable_call, |lines| replace(lines, 1, "Require: 100rel\r\n", "")),
    ("reliable-form", reliable_call, |lines| replace(lines, 1, "RSeq: 7\r\n", "")),
    ("reliable-form", reliable_call, |lines| replace(lines, 7, "CSeq", "Require: 100rel\r\nRSeq: 9\r\nCSeq")),
    ("reliable-form", reliable_call, |lines| {
        replace(lines, 0, "Supported", "Require");
        lines.insert(1, Line(1, "bob", response("180 Ringing", &lines[0].2, "b1", ""), false));
    }),
    ("rseq-order", reliable_call, |lines| replace(lines, 4, "RSeq: 8", "RSeq: 9")),
    ("rseq-order", reliable_call, |lines| {
        replace(lines, 1, "RSeq: 7", "RSeq: 2147483648");
        replace(lines, 2, "RAck: 7", "RAck: 2147483648");
    }),
    ("reliable-queue", reliable_call, |lines| lines[4].0 = 3),
    ("reliable-final", reliable_call, |lines| {
        let late = lines[4].2.replace("RSeq: 8", "RSeq: 9");
        lines.push(Line(30, "bob", late, false));
    }),
    ("reliable-schedule", reliable_call, |lines| lines.insert(2, Line(3, "bob", lines[1].2.clone(), false))),
    ("reliable-schedule", reliable_call, |lines| lines[2..].iter_mut().for_each(|line| line.0 += 600)),
    ("reliable-timeout", reliable_call, |lines| drop(lines.drain(5..))),
    ("2xx-held", reliable_call, |lines| {
        lines[7].0 = 3;
        lines[8].0 = 5;
    }),
    ("prack-481", reliable_call, |lines| replace(lines, 2, "RAck: 7 1 INVITE", "RAck: 7 2 INVITE")),
    ("prack-481", reliable_call, |lines| replace(lines, 2, "RAck: 7 1 INVITE", "RAck: 7 1 invite")),
    ("prack-2xx", reliable_call, |lines| replace(lines, 3, "200 OK", "481 Gone")),
    ("answer-unasked", reliable_call, |lines| lines[7].2 = response("200 OK", &lines[0].2, "b1", ANSWER)),
    ("answer-unasked", reliable_call, |lines| lines[3].2 = response("200 OK", &lines[2].2, "", ANSWER)),
    ("answer-missing", reliable_call, |lines| {
        let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}", OFFER.len());
        replace(lines, 2, "Content-Length: 0\r\n\r\n", &body);
    }),
    ("offer-missing", reliable_offer, |lines| {
        replace(lines, 1, ANSWER, "");
        replace(lines, 1, "Content-Type: application/sdp\r\n", "");
        replace(lines, 1, &format!("Length: {}", ANSWER.len()), "Length: 0");
    }),
    ("digest-form", challenged_call, |lines| replace(lines, 6, "qop=auth", "qop=\"auth\"")),
    ("digest-form", challenged_call, |lines| replace(lines, 6, "nc=00000002", "nc=2")),
    ("digest-form", challenged_call, |lines| replace(lines, 6, "uri=\"sip:bob@", "uri=\"sip:carol@")),
    ("digest-form", challenged_call, |lines| replace(lines, 6, ", nc=00000002", "")),
    ("digest-form", challenged_call, |lines| lines[6].2 = with(&lines[6].2, &credentials("n1", 3, INFO_2))),
    ("digest-answer", challenged_call, |lines| replace(lines, 6, "\"n1\"", "\"n8\"")),
    ("digest-answer", challenged_call, |lines| replace(lines, 3, "\"n1\"", "\"n2\"")),
    ("digest-answer", challenged_call, |lines| replace(lines, 3, "opaque=\"o\"", "opaque=\"p\"")),
    ("digest-answer", challenged_call, |lines| replace(lines, 7, ", qop=\"auth\"", "")),
    ("digest-response", challenged_call, |lines| replace(lines, 6, INFO_2, INVITE_1)),
    ("digest-nc", challenged_call, |lines| replace(lines, 6, "nc=00000002", "nc=00000001")),
    ("digest-nc", challenged_call, |lines| replace(lines, 8, "nc=00000001", "nc=00000003")),
    ("digest-resubmission", challenged_call, |lines| replace(lines, 3, "CSeq: 2", "CSeq: 3")),
    ("digest-resubmission", challenged_call, |lines| replace(lines, 3, "From: <sip:alice@", "From: <sip:al@")),
    ("digest-again", refused_twice, |lines| {
        let again = with(&request("alice", "INVITE", 3, "9", "", OFFER), &credentials("n9", 1, INVITE_AGAIN));
        lines.push(Line(10, "alice", again, false));
    }),
    ("digest-elsewhere", challenged_call, |lines| lines[6].2 = with(&lines[6].2, ASTRAY)),
    ("digest-ack", challenged_call, |lines| lines[5].2 = request("alice", "ACK", 2, "3", "b1", "")),
    ("prack-rack", acknowledged_call, |lines| replace(lines, 2, "RAck: 70 1 INVITE", "RAck: 70 2 INVITE")),
    ("prack-rack", acknowledged_call, |lines| replace(lines, 2, "RAck: 70 1 INVITE", "RAck: 70 1 invite")),
    ("prack-rack", acknowledged_call, |lines| replace(lines, 2, "RAck: 70 1 INVITE", "RAck: 69 1 INVITE")),
    ("prack-order", acknowledged_call, |lines| {
        replace(lines, 4, "RSeq: 71", "RSeq: 72");
        replace(lines, 5, "RAck: 71", "RAck: 72");
    }),
    ("prack-once", acknowledged_call, |lines| {
        let again = prack(4, "9", "71 1 INVITE", "");
        lines.push(Line(40, "alice", again.clone(), false));
        lines.push(Line(42, "bob", response("481 Gone", &again, "", ""), false));
    }),
    ("prack-owed", acknowledged_call, |lines| drop(lines.drain(5..7))),
    ("prack-answer", late_offer_acknowledged, |lines| lines[2].2 = prack(2, "2", "70 1 INVITE", "")),
    ("one-offer", acknowledged_call, |lines| lines[2].2 = prack(2, "2", "70 1 INVITE", OFFER)),
    ("dialog-target", acknowledged_call, |lines| replace(lines, 4, "Contact: <sip:bob@", "Contact: <sip:robert@")),
    ("digest-cancel", cancelled_call, |lines| lines[2].2 = with(&lines[2].2, &credentials("n1", 1, INVITE_1))),
];

#[test]
fn each_breach_is_found() {
    let mut missed = Vec::new();
    for (number, (rule, ladder, breach)) in BREACHES.iter().enumerate() {
        let mut lines = ladder();
        breach(&mut lines);
        let (_, found) = judge(&lines, 40_000);
        if !found.iter().any(|violation| violation.rule == *rule) {
            let other: Vec<_> = found.iter().map(|violation| violation.rule).collect();
            missed.push(format!("{number} {rule}: found only {other:?}"));
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}

#[test]
fn each_rule_has_a_breach() {
    let tried: BTreeSet<_> = BREACHES.iter().map(|(rule, ..)| *rule).collect();
    let untried: Vec<_> = RULES.iter().map(|(rule, _)| *rule).filter(|rule| !tried.contains(rule)).collect();
    assert_eq!(untried, Vec::<&str>::new());
}

#[test]
#[should_panic(expected = "ack-owed [RFC 3261 §13.2.2.4, §17.1.1.3] alice")]
fn a_broken_rule_is_told_with_section_and_ladder() {
    let mut lines = basic_call();
    lines.remove(3);
    judge(&lines, 40_000).0.check();
}
