//! Each rule with small breaches of it in a legal call.

use crate::ladders::*;

pub type Breach = (&'static str, fn() -> Vec<Line>, fn(&mut Vec<Line>));

fn replace(lines: &mut [Line], at: usize, old: &str, new: &str) {
    assert!(lines[at].2.contains(old), "{old:?} is not in {:?}", lines[at].2);
    lines[at].2 = lines[at].2.replace(old, new);
}

/// Each rule with a small breach of it.
pub const BREACHES: &[Breach] = &[
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
    ("ack-owed", forgotten_reinvite, |lines| lines[8..].iter_mut().for_each(|line| line.0 -= 200)),
    ("ack-owed", forgotten_reinvite, |lines| drop(lines.drain(6..8))),
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
    ("2xx-schedule", late_repeat, |lines| lines[12..].iter_mut().for_each(|line| line.0 -= 10)),
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
    ("dialog-uris", renamed_call, |lines| replace(lines, 10, "From: <sip:al@", "From: <sip:alice@")),
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
    ("prack-2xx", forgotten_prack, |lines| lines[4..].iter_mut().for_each(|line| line.0 -= 10)),
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
    ("update-contact", updated_call, |lines| replace(lines, 4, "Contact: <sip:alice@192.0.2.1:5060>\r\n", "")),
    ("update-contact", updated_call, |lines| replace(lines, 5, "Contact: <sip:bob@192.0.2.2:5060>\r\n", "")),
    ("update-overlap", updated_call, |lines| lines[11].0 = 1_100),
    ("update-allow", updated_call, |lines| replace(lines, 1, ", UPDATE", "")),
    ("update-allow", updated_call, |lines| replace(lines, 5, "200 OK", "501 Never")),
    ("update-offer", updated_call, |lines| lines[4].0 = 5),
    ("update-offer", updated_call, |lines| lines[6].0 = 3),
    ("update-offer", late_offer, |lines| {
        let invite = lines[0].2.clone();
        lines.push(Line(1, "bob", response("180 Ringing", &invite, "b1", ""), false));
        lines[1].0 = 50;
        lines[2].0 = 60;
        lines.push(Line(10, "alice", request("alice", "UPDATE", 2, "3", "b1", OFFER), false));
    }),
    ("update-491", updated_call, |lines| replace(lines, 14, "491 Request Pending", "488 No")),
    ("update-491", updated_call, |lines| {
        lines[15].2 = response("200 OK", &lines[13].2, "", ANSWER);
    }),
    ("update-500", overlapping_updates, |lines| replace(lines, 19, "Retry-After: 3\r\n", "")),
    ("update-500", overlapping_updates, |lines| replace(lines, 19, "Retry-After: 3", "Retry-After: 11")),
    ("update-500", overlapping_updates, |lines| lines[19].2 = response("200 OK", &lines[18].2, "", "")),
    ("update-500", updated_call, |lines| {
        // Bob's offer behind the one in his INVITE.
        lines.truncate(12);
        let invite = request("bob", "INVITE", 71, "11", "a1", OFFER);
        let update = request("bob", "UPDATE", 72, "12", "a1", OFFER);
        lines.push(Line(300, "bob", invite.clone(), false));
        lines.push(Line(302, "bob", update.clone(), false));
        lines.push(Line(304, "alice", response("200 OK", &update, "", ANSWER), false));
    }),
    ("update-491", updated_call, |lines| {
        // Bob's re-INVITE meets the offer of alice's UPDATE.
        lines.truncate(13);
        let invite = request("bob", "INVITE", 71, "11", "a1", OFFER);
        lines.push(Line(1_000, "bob", invite.clone(), false));
        lines.push(Line(1_002, "alice", response("200 OK", &invite, "", ANSWER), false));
    }),
    ("update-500", updated_call, |lines| {
        // It comes while his own is not answered.
        lines.truncate(17);
        let invite = request("bob", "INVITE", 73, "11", "a1", OFFER);
        lines.push(Line(1_502, "bob", invite.clone(), false));
        lines.push(Line(1_504, "alice", response("200 OK", &invite, "", ANSWER), false));
    }),
    ("glare-wait", updated_call, |lines| {
        lines.push(Line(1_600, "alice", request("alice", "UPDATE", 6, "11", "b1", OFFER), false));
    }),
    ("one-offer", updated_call, |lines| {
        lines.push(Line(1_505, "alice", request("alice", "UPDATE", 6, "11", "b1", ANSWER), false));
    }),
    ("answer-missing", updated_call, |lines| lines[5].2 = response("200 OK", &lines[4].2, "", "")),
    ("answer-unasked", updated_call, |lines| lines[11].2 = response("200 OK", &lines[10].2, "", ANSWER)),
    ("session-expires", timed_call, |lines| replace(lines, 0, "Expires: 100", "Expires: 60")),
    ("session-expires", timed_call, |lines| replace(lines, 0, "Expires: 100", "Expires: soon")),
    ("session-expires", timed_call, |lines| replace(lines, 0, "Expires: 100", "Expires: 100\r\nSession-Expires: 100")),
    ("session-expires", timed_call, |lines| replace(lines, 4, "refresher=uac", "refresher=bob")),
    ("session-expires", timed_call, |lines| replace(lines, 4, ";refresher=uac", "")),
    ("session-expires", timed_call, |lines| replace(lines, 1, "Min-SE: 200", "Min-SE: 200\r\nSession-Expires: 200")),
    ("session-expires", basic_call, |lines| replace(lines, 4, "CSeq", "Session-Expires: 200\r\nCSeq")),
    ("min-se", timed_call, |lines| replace(lines, 4, "CSeq", "Min-SE: 200\r\nCSeq")),
    ("min-se", timed_call, |lines| replace(lines, 0, "CSeq", "Min-SE: 89\r\nCSeq")),
    ("min-se", timed_call, |lines| replace(lines, 0, "CSeq", "Min-SE: 90\r\nMin-SE: 95\r\nCSeq")),
    ("timer-supported", timed_call, |lines| replace(lines, 6, "Supported: timer\r\n", "")),
    ("422-form", timed_call, |lines| replace(lines, 1, "Min-SE: 200\r\n", "")),
    ("422-form", timed_call, |lines| replace(lines, 1, "Min-SE: 200", "Min-SE: 100")),
    ("422-form", timed_call, |lines| replace(lines, 0, "Supported: timer\r\n", "")),
    ("422-form", timed_call, |lines| replace(lines, 0, "Session-Expires: 100\r\n", "")),
    ("session-expires-2xx", timed_call, |lines| replace(lines, 4, "Expires: 200", "Expires: 201")),
    ("session-expires-2xx", timed_call, |lines| replace(lines, 4, "Expires: 200", "Expires: 199")),
    ("session-refresher", timed_call, |lines| replace(lines, 7, "refresher=uac", "refresher=uas")),
    ("session-refresher", timed_call, |lines| replace(lines, 3, "Supported: timer\r\n", "")),
    ("timer-required", timed_call, |lines| replace(lines, 4, "Require: timer\r\n", "")),
    ("min-se-kept", timed_call, |lines| replace(lines, 3, "Min-SE: 200", "Min-SE: 150")),
    ("min-se-kept", timed_call, |lines| replace(lines, 3, "Expires: 200", "Expires: 199")),
    ("min-se-kept", timed_call, |lines| replace(lines, 10, "Min-SE: 200\r\n", "")),
    // The last BYE comes 400 s later than it did: alice had to refresh before it.
    ("refresh-owed", timed_call, |lines| {
        drop(lines.drain(6..12));
        lines[6..].iter_mut().for_each(|line| line.0 += 400_000);
    }),
    // Bob had to.
    ("refresh-owed", timed_call, |lines| {
        drop(lines.drain(10..12));
        lines[10..].iter_mut().for_each(|line| line.0 += 400_000);
    }),
    // Nothing came of bob, and alice waited longer than she had to.
    ("expiry-bye", timed_call, |lines| {
        drop(lines.drain(10..12));
        lines[10..].iter_mut().for_each(|line| line.0 += 60_000);
    }),
    ("199-form", forked_call, |lines| replace(lines, 3, "Reason: SIP;cause=486;text=\"Busy Here\"\r\n", "")),
    ("199-form", forked_call, |lines| replace(lines, 3, ";tag=b2", "")),
    ("199-form", forked_call, |lines| {
        let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{ANSWER}", ANSWER.len());
        replace(lines, 3, "Content-Length: 0\r\n\r\n", &body);
    }),
    ("199-supported", forked_call, |lines| replace(lines, 0, "Supported: 199\r\n", "")),
    ("199-order", forked_call, |lines| drop(lines.remove(2))),
    ("199-order", forked_call, |lines| {
        let again = lines[2].2.clone().replace("180 Ringing", "183 Progress");
        lines.push(Line(20, "bob", again, false));
    }),
    ("dialog-exists", forked_call, |lines| {
        lines.push(Line(20, "alice", request("alice", "BYE", 2, "3", "b2", ""), false));
    }),
    ("digest-cancel", cancelled_call, |lines| lines[2].2 = with(&lines[2].2, &credentials("n1", 1, INVITE_1))),
];
