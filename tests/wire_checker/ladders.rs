//! Legal calls.

pub const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\n";
pub const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 192.0.2.2\r\n";

/// A message on a ladder: ms, sender, text, lost.
#[derive(Clone)]
pub struct Line(pub u64, pub &'static str, pub String, pub bool);

/// Stands in a message that goes to an address where no one is.
pub const ASTRAY: &str = "Astray: yes";

pub fn message(start: &str, headers: &[&str], body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{start}\r\n{}\r\n{kind}Content-Length: {}\r\n\r\n{body}", headers.join("\r\n"), body.len())
}

/// A request of alice or bob in the call; `to_tag` empty: outside the dialog.
pub fn request(from: &str, method: &str, cseq: u32, branch: &str, to_tag: &str, body: &str) -> String {
    let (own, other, host, to_host) = match from {
        "alice" => ("alice", "bob", "192.0.2.1", "192.0.2.2"),
        _ => ("bob", "alice", "192.0.2.2", "192.0.2.1"),
    };
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let own_tag = if own == "alice" { "a1" } else { "b1" };
    let contact = if matches!(method, "INVITE" | "UPDATE") {
        format!("Contact: <sip:{own}@{host}:5060>\r\n")
    } else {
        String::new()
    };
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
pub fn response(status: &str, request: &str, to_tag: &str, body: &str) -> String {
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
pub fn basic_call() -> Vec<Line> {
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
pub fn late_offer() -> Vec<Line> {
    let invite = request("alice", "INVITE", 1, "1", "", "");
    vec![
        Line(0, "alice", invite.clone(), false),
        Line(2, "bob", response("200 OK", &invite, "b1", OFFER), false),
        Line(5, "alice", request("alice", "ACK", 1, "2", "b1", ANSWER), false),
    ]
}

/// With 183 and 180, both reliable and acknowledged.
pub fn reliable_call() -> Vec<Line> {
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
pub fn reliable_offer() -> Vec<Line> {
    let mut lines = reliable_call();
    lines[0].2 = lines[0].2.replace(OFFER, "").replace("Content-Type: application/sdp\r\n", "");
    lines[0].2 = lines[0].2.replace(&format!("Length: {}", OFFER.len()), "Length: 0");
    lines[2].2 = lines[2].2.replace(
        "Content-Length: 0\r\n\r\n",
        &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}", OFFER.len()),
    );
    lines
}

pub fn cancelled_call() -> Vec<Line> {
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
pub fn lossy_rejection() -> Vec<Line> {
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
pub fn credentials(nonce: &str, count: u32, response: &str) -> String {
    format!(
        "Proxy-Authorization: Digest username=\"alice\", realm=\"example.com\", nonce=\"{nonce}\", \
         uri=\"sip:bob@192.0.2.2:5060\", response=\"{response}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc={count:08x}, \
         opaque=\"o\""
    )
}

pub const INVITE_1: &str = "a774b6f6f0fe5756d0bdddefab6c1693e15db8e94ae734a38077a51c6d57c99f";
pub const INFO_2: &str = "0a5b5602cc6ae77f9c0d2d0b8b10cacbf4fae749f02a3ce64e4e7445f33022d8";
pub const INFO_1_STALE: &str = "4a1c47b05ebcd786849cd99ac1ae311a50e041610513159cc5fe56ef877896f9";
pub const BYE_2_STALE: &str = "e0c6c7b61354b29225b27d1db45f8cd2a790840fa785bffbe3aa80013f29cc3b";
pub const INVITE_AGAIN: &str = "1d71faef63d0cd869455ee8a560e41609588a3898e6d85ef5b2952df236dcc33";

/// With a header line more.
pub fn with(text: &str, line: &str) -> String {
    text.replacen("CSeq: ", &format!("{line}\r\nCSeq: "), 1)
}

pub fn challenge(nonce: &str, more: &str) -> String {
    format!("Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"{nonce}\", opaque=\"o\", qop=\"auth\"{more}")
}

/// INVITE, 407, INVITE again, 200; INFO, 407 (stale), INFO again; BYE.
pub fn challenged_call() -> Vec<Line> {
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

/// The same with an UPDATE that tells alice's other identity before the INFO goes out again.
pub fn renamed_call() -> Vec<Line> {
    let renamed = |text: String| text.replace("From: <sip:alice@", "From: <sip:al@");
    let mut lines = challenged_call();
    drop(lines.drain(8..));
    lines[4].2 = with(&lines[4].2, "Allow: INVITE, ACK, BYE, UPDATE");
    let update = renamed(request("alice", "UPDATE", 4, "5", "b1", ""));
    lines.insert(7, Line(21, "alice", update.clone(), false));
    lines.push(Line(23, "bob", response("200 OK", &update, "", ""), false));
    let info = with(&request("alice", "INFO", 5, "6", "b1", ""), &credentials("n3", 1, INFO_1_STALE));
    lines.push(Line(30, "alice", renamed(info.clone()), false));
    lines.push(Line(32, "bob", renamed(response("200 OK", &info, "", "")), false));
    lines
}

/// The same refused twice, the second time by the same realm.
pub fn refused_twice() -> Vec<Line> {
    let mut lines = challenged_call();
    drop(lines.drain(4..));
    let again = response("407 Proxy Authentication Required", &lines[3].2, "b0", "");
    lines.push(Line(7, "bob", with(&again, &challenge("n9", ", algorithm=SHA-256")), false));
    lines.push(Line(9, "alice", request("alice", "ACK", 2, "2", "b0", ""), false));
    lines
}

pub fn reliable(rseq: u32, invite: &str, body: &str) -> String {
    with(&response("183 Progress", invite, "b1", body), &format!("Require: 100rel\r\nRSeq: {rseq}"))
}

pub fn prack(cseq: u32, branch: &str, rack: &str, body: &str) -> String {
    with(&request("alice", "PRACK", cseq, branch, "b1", body), &format!("RAck: {rack}"))
}

/// INVITE; two reliable responses, the second with the answer; its PRACK with a further offer, answered in the 200.
pub fn acknowledged_call() -> Vec<Line> {
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

/// INVITE; a reliable response that the 2xx overtakes; its PRACK comes when all is long given up.
pub fn forgotten_prack() -> Vec<Line> {
    let invite = with(&request("alice", "INVITE", 1, "1", "", OFFER), "Supported: 100rel");
    let prack = prack(2, "3", "70 1 INVITE", "");
    vec![
        Line(0, "alice", invite.clone(), false),
        Line(2, "bob", reliable(70, &invite, ""), false),
        Line(20, "bob", response("200 OK", &invite, "b1", ANSWER), false),
        Line(22, "alice", request("alice", "ACK", 1, "2", "b1", ""), false),
        Line(32_020, "alice", prack.clone(), false),
        Line(32_022, "bob", response("481 Gone", &prack, "", ""), false),
    ]
}

/// No 2xx arrives; a repeat of the INVITE comes when its transaction has ended, and makes another dialog. Alice sends it
/// too late; the network could be that slow.
pub fn late_repeat() -> Vec<Line> {
    let invite = request("alice", "INVITE", 1, "1", "", OFFER);
    let accepted = response("200 OK", &invite, "b1", ANSWER);
    let repeats = [2, 502, 1_502, 3_502].into_iter().chain((7_502..32_000).step_by(4_000));
    let mut lines = vec![Line(0, "alice", invite.clone(), false)];
    lines.extend(repeats.map(|at| Line(at, "bob", accepted.clone(), true)));
    lines.push(Line(32_002, "alice", invite.clone(), false));
    lines.push(Line(32_004, "bob", response("200 OK", &invite, "b2", ANSWER), false));
    lines.push(Line(32_006, "alice", request("alice", "ACK", 1, "2", "b2", ""), false));
    lines
}

/// A call that ends by BYE beside a re-INVITE, which is refused when its sender has given it up.
pub fn forgotten_reinvite() -> Vec<Line> {
    let mut lines = basic_call();
    drop(lines.drain(4..));
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let again = request("alice", "INVITE", 2, "3", "b1", OFFER);
    say(1_000, "alice", again.clone());
    say(1_002, "bob", response("100 Trying", &again, "", ""));
    let bye = request("alice", "BYE", 3, "4", "b1", "");
    say(1_100, "alice", bye.clone());
    say(1_102, "bob", response("200 OK", &bye, "", ""));
    for at in [33_200, 33_700, 34_700, 36_700] {
        say(at, "bob", response("487 Request Terminated", &again, "", ""));
    }
    lines
}

/// INVITE without offer; it comes in a reliable response, its answer in the PRACK.
pub fn late_offer_acknowledged() -> Vec<Line> {
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

/// UPDATEs of both sides, early and confirmed; two with offers meet, and bob's comes again.
pub fn updated_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let update =
        |from, cseq, branch, body| request(from, "UPDATE", cseq, branch, if from == "bob" { "a1" } else { "b1" }, body);
    let invite =
        with(&request("alice", "INVITE", 1, "1", "", OFFER), "Supported: 100rel\r\nAllow: INVITE, ACK, UPDATE");
    say(0, "alice", invite.clone());
    say(2, "bob", with(&reliable(7, &invite, ANSWER), "Allow: INVITE, ACK, UPDATE"));
    let prack = prack(2, "2", "7 1 INVITE", "");
    say(4, "alice", prack.clone());
    say(6, "bob", response("200 OK", &prack, "", ""));
    let first = update("alice", 3, "3", OFFER);
    say(10, "alice", first.clone());
    say(12, "bob", response("200 OK", &first, "", ANSWER));
    let second = update("bob", 70, "4", OFFER);
    say(20, "bob", second.clone());
    say(22, "alice", response("200 OK", &second, "", ANSWER));
    say(100, "bob", response("200 OK", &invite, "b1", ""));
    say(102, "alice", request("alice", "ACK", 1, "5", "b1", ""));
    let third = update("alice", 4, "6", "");
    say(200, "alice", third.clone());
    say(202, "bob", response("200 OK", &third, "", ""));
    let (hers, his) = (update("alice", 5, "7", OFFER), update("bob", 71, "8", OFFER));
    say(1_000, "alice", hers.clone());
    say(1_000, "bob", his.clone());
    say(1_001, "bob", response("491 Request Pending", &hers, "", ""));
    say(1_001, "alice", response("491 Request Pending", &his, "", ""));
    let again = update("bob", 72, "9", OFFER);
    say(1_500, "bob", again.clone());
    say(1_510, "alice", response("200 OK", &again, "", ANSWER));
    lines
}

/// The same, where bob does not wait for the last answer; alice's to that is right.
pub fn overlapping_updates() -> Vec<Line> {
    let mut lines = updated_call();
    let early = request("bob", "UPDATE", 73, "10", "a1", "");
    lines.push(Line(1_502, "bob", early.clone(), false));
    lines.push(Line(1_503, "alice", with(&response("500 Later", &early, "", ""), "Retry-After: 3"), false));
    lines
}

/// A session timer: 422 and a longer interval, a refresh of alice's, one that hands the task to bob, one of his.
pub fn timed_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let asks = |text: String, interval: &str| with(&text, &format!("Supported: timer\r\nSession-Expires: {interval}"));
    let grants = |text: String, interval: &str| with(&text, &format!("Require: timer\r\nSession-Expires: {interval}"));
    let invite = asks(request("alice", "INVITE", 1, "1", "", OFFER), "100");
    say(0, "alice", invite.clone());
    say(2, "bob", with(&response("422 Session Interval Too Small", &invite, "b0", ""), "Min-SE: 200"));
    say(4, "alice", request("alice", "ACK", 1, "1", "b0", ""));
    let invite = asks(request("alice", "INVITE", 2, "2", "", OFFER), "200\r\nMin-SE: 200");
    say(6, "alice", invite.clone());
    say(8, "bob", grants(response("200 OK", &invite, "b1", ANSWER), "200;refresher=uac"));
    say(10, "alice", request("alice", "ACK", 2, "3", "b1", ""));
    let update =
        |from, cseq, branch| request(from, "UPDATE", cseq, branch, if from == "bob" { "a1" } else { "b1" }, "");
    let refresh = asks(update("alice", 3, "4"), "200;refresher=uac\r\nMin-SE: 200");
    say(100_000, "alice", refresh.clone());
    say(100_002, "bob", grants(response("200 OK", &refresh, "", ""), "200;refresher=uac"));
    let refresh = asks(update("alice", 4, "5"), "200;refresher=uas\r\nMin-SE: 200");
    say(200_000, "alice", refresh.clone());
    say(200_002, "bob", grants(response("200 OK", &refresh, "", ""), "200;refresher=uas"));
    let refresh = asks(update("bob", 70, "6"), "200;refresher=uac\r\nMin-SE: 200");
    say(300_000, "bob", refresh.clone());
    say(300_002, "alice", grants(response("200 OK", &refresh, "", ""), "200;refresher=uac"));
    let bye = request("alice", "BYE", 5, "7", "b1", "");
    say(310_000, "alice", bye.clone());
    say(310_002, "bob", response("200 OK", &bye, "", ""));
    lines
}

/// Two early dialogs of bob's; the second ends with a 199, the first is accepted.
pub fn forked_call() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |at, from, text: String| lines.push(Line(at, from, text, false));
    let invite = with(&request("alice", "INVITE", 1, "1", "", OFFER), "Supported: 199");
    say(0, "alice", invite.clone());
    say(2, "bob", response("180 Ringing", &invite, "b1", ""));
    say(4, "bob", response("180 Ringing", &invite, "b2", ""));
    let ended = response("199 Early Dialog Terminated", &invite, "b2", "");
    say(10, "bob", with(&ended, "Reason: SIP;cause=486;text=\"Busy Here\""));
    say(900, "bob", response("200 OK", &invite, "b1", ANSWER));
    say(902, "alice", request("alice", "ACK", 1, "2", "b1", ""));
    lines
}

/// NOTIFY of bob's about a REFER of alice's.
pub fn notify(cseq: u32, branch: &str, event: &str, state: &str, fragment: &str) -> String {
    let text = request("bob", "NOTIFY", cseq, branch, "a1", fragment).replace("application/sdp", "message/sipfrag");
    let lines = ["Contact: <sip:bob@192.0.2.2:5060>", event, state];
    lines.iter().fold(text, |text, line| with(&text, line))
}

/// A call in which alice refers bob twice; the second NOTIFYs come after BYE (RFC 5057 §5.5).
pub fn transfer() -> Vec<Line> {
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
