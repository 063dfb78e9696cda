//! RFC 3261 §9 and §17 with RFC 4320 and RFC 6026: repeats, schedules, what is owed for what arrived.

use super::{TOLERANCE, View};
use crate::common::sip::{Sip, Via};
use std::collections::HashMap;

pub fn judge(view: &mut View<'_>) {
    for client in 0..view.clients.len() {
        judge_identity(view, client);
        if view.sip(view.clients[client].sends[0]).method() == "INVITE" {
            judge_timer_a(view, client);
        } else {
            judge_timer_e(view, client);
        }
        judge_cancel(view, client);
    }
    judge_acks(view);
    for line in 0..view.seen.len() {
        if view.seen[line].out && !view.sip(line).is_request() && view.of[line].is_none() {
            view.blame("response-to-nothing", line, "no request with this branch, sent-by and method came");
        }
    }
    for server in 0..view.servers.len() {
        judge_copies(view, server);
        judge_finals(view, server);
        if view.sip(view.servers[server].receipts[0]).method() == "INVITE" {
            judge_invite_server(view, server);
        } else {
            judge_non_invite_server(view, server);
        }
    }
    judge_merged(view);
}

/// Repeats are the same bytes; another request has another branch.
fn judge_identity(view: &mut View<'_>, client: usize) {
    let sends = view.clients[client].sends.clone();
    for line in sends.iter().skip(1) {
        if view.seen[*line].bytes != view.seen[sends[0]].bytes {
            view.blame("retransmission-identical", *line, "the branch was used before with other bytes");
        }
    }
    let branch = view.sip(sends[0]).branch();
    let another = view.clients[..client].iter().any(|other| view.sip(other.sends[0]).branch() == branch);
    if another && view.sip(sends[0]).method() != "CANCEL" {
        view.blame("retransmission-identical", sends[0], "another request had this branch");
    }
}

/// The difference between what was sent and what the timers ask, if any. `expected` holds times: to be there before
/// `stop`, allowed until `last`. Sends that no timer asked for must fall on one of `also`.
pub fn difference(sends: &[u64], expected: &[u64], (stop, last): (u64, u64), also: &[u64]) -> Option<String> {
    let near = |a: u64, b: u64| a.abs_diff(b) <= TOLERANCE;
    let mut left = sends.to_vec();
    for time in expected {
        match left.iter().position(|send| near(*send, *time)) {
            Some(at) if *time <= last + TOLERANCE => {
                left.remove(at);
            }
            None if *time + TOLERANCE < stop => return Some(format!("none at {} ms", time / 1_000)),
            _ => {}
        }
    }
    let mut also = also.to_vec();
    for send in left {
        match also.iter().position(|time| near(send, *time)) {
            Some(at) => {
                also.swap_remove(at);
            }
            None => return Some(format!("one at {} ms that nothing asked for", send / 1_000)),
        }
    }
    None
}

/// Times from `start` on at intervals T1, doubling up to `cap`, for 64*T1.
pub fn doubling(view: &View<'_>, start: u64, cap: u64) -> Vec<u64> {
    let (mut times, mut interval, mut at) = (Vec::new(), view.timers.t1, start);
    while at + interval < start + view.timers.patience() {
        at += interval;
        times.push(at);
        interval = (2 * interval).min(cap);
    }
    times
}

pub fn times(view: &View<'_>, lines: &[usize]) -> Vec<u64> {
    lines.iter().map(|line| view.at(*line)).collect()
}

fn judge_timer_a(view: &mut View<'_>, client: usize) {
    let sends = view.clients[client].sends.clone();
    let (first, start) = (sends[0], view.at(sends[0]));
    let expected = if view.seen[first].reliable { Vec::new() } else { doubling(view, start, u64::MAX) };
    let stop = view.clients[client].responses.first().map_or(view.end, |line| view.at(*line));
    judge_schedule(view, "timer-a", &sends, &expected, stop);
}

fn judge_timer_e(view: &mut View<'_>, client: usize) {
    let sends = view.clients[client].sends.clone();
    let (first, start) = (sends[0], view.at(sends[0]));
    let provisional =
        view.clients[client].responses.first().filter(|line| view.status(**line) < 200).map(|line| view.at(*line));
    let (mut expected, mut interval, mut at) = (Vec::new(), view.timers.t1, start);
    while !view.seen[first].reliable && at + interval < start + view.timers.patience() {
        at += interval;
        expected.push(at);
        let proceeding = provisional.is_some_and(|time| time <= at);
        interval = if proceeding { view.timers.t2 } else { (2 * interval).min(view.timers.t2) };
    }
    let stop = view.final_to(client).map_or(view.end, |line| view.at(line));
    judge_schedule(view, "timer-e", &sends, &expected, stop);
}

fn judge_schedule(view: &mut View<'_>, rule: &'static str, sends: &[usize], expected: &[u64], stop: u64) {
    if sends.iter().any(|line| view.seen[*line].failed) {
        return;
    }
    let repeats = times(view, &sends[1..]);
    if let Some(detail) = difference(&repeats, expected, (stop.min(view.end), stop), &[]) {
        let short = view.sip(sends[0]).short();
        view.blame(
            rule,
            sends[0],
            format!("repeats of {short}: {detail}; sent at {:?} ms", in_ms(&times(view, sends))),
        );
    }
}

pub fn in_ms(times: &[u64]) -> Vec<u64> {
    times.iter().map(|time| time / 1_000).collect()
}

/// RFC 3261 §9.1.
fn judge_cancel(view: &mut View<'_>, client: usize) {
    let first = view.clients[client].sends[0];
    let cancel = view.sip(first);
    if cancel.method() != "CANCEL" {
        return;
    }
    let branch = cancel.branch();
    let invite = view.clients.iter().find(|other| {
        let sip = view.sip(other.sends[0]);
        sip.method() == "INVITE" && sip.branch() == branch
    });
    let Some(invite) = invite else {
        return view.blame("cancel-form", first, "no INVITE of its branch was sent");
    };
    let request = view.sip(invite.sends[0]);
    let before: Vec<_> = invite.responses.iter().copied().filter(|line| *line < first).collect();
    if before.is_empty() {
        view.blame("cancel-after-1xx", first, "no response to the INVITE had come");
    }
    if before.iter().any(|line| view.status(*line) >= 200) {
        view.blame("cancel-after-final", first, "a final response to the INVITE had come");
    }
    for name in ["to", "from", "call-id", "route"] {
        if cancel.all(name) != request.all(name) {
            view.blame("cancel-form", first, format!("{name} is not the INVITE's"));
        }
    }
    if cancel.uri() != request.uri() || cancel.cseq() != request.cseq() || cancel.all("via") != request.all("via") {
        view.blame("cancel-form", first, "Request-URI, CSeq number or Via is not the INVITE's");
    }
    if !cancel.all("require").is_empty() || !cancel.all("proxy-require").is_empty() {
        view.blame("cancel-form", first, "Require in CANCEL");
    }
}

/// An ACK for every final response of an INVITE, for every repeat of it, and none else.
fn judge_acks(view: &mut View<'_>) {
    let mut left: Vec<usize> = view.acks_out.clone();
    for client in 0..view.clients.len() {
        let sends = view.clients[client].sends.clone();
        if view.sip(sends[0]).method() != "INVITE" {
            continue;
        }
        let responses = view.clients[client].responses.clone();
        let Some(first_final) = view.final_to(client) else { continue };
        if view.status(first_final) >= 300 {
            judge_hop_acks(view, client, &responses, first_final, &mut left);
        } else {
            judge_2xx_acks(view, client, &responses, &mut left);
        }
    }
    for line in left {
        view.blame("ack-unprovoked", line, "no final response of an INVITE that waits for it had come just now");
    }
}

/// Until when the client transaction must still know the final response: B, or 64*T1 after CANCEL, or after the BYE that
/// ended a re-INVITE's dialog.
pub fn forgotten(view: &View<'_>, client: usize, line: usize) -> bool {
    let sends = &view.clients[client].sends;
    let branch = view.sip(sends[0]).branch();
    let at = view.at(line);
    let first_response = view.clients[client].responses.first().map_or(at, |first| view.at(*first));
    let timer_b = first_response + TOLERANCE >= view.at(sends[0]) + view.timers.patience();
    let cancelled = view.clients.iter().any(|other| {
        let sip = view.sip(other.sends[0]);
        let late = at + TOLERANCE >= view.at(other.sends[0]) + view.timers.patience();
        sip.method() == "CANCEL" && sip.branch() == branch && late
    });
    let invite = view.sip(sends[0]);
    let in_its_dialog = |sip: &Sip| {
        let (from, to) = (sip.from_tag(), sip.to_tag());
        let same = (&from, &to) == (&invite.from_tag(), &invite.to_tag());
        sip.call_id() == invite.call_id() && (same || (&to, &from) == (&invite.from_tag(), &invite.to_tag()))
    };
    let left = invite.to_tag().is_some()
        && (sends[0]..line).any(|other| {
            let sip = view.sip(other);
            let late = at + TOLERANCE >= view.at(other) + view.timers.patience();
            late && sip.is_request() && sip.method() == "BYE" && in_its_dialog(sip)
        });
    timer_b || cancelled || left || sends.iter().any(|line| view.seen[*line].failed)
}

/// RFC 3261 §17.1.1.3: same branch, at once, for 32 s.
fn judge_hop_acks(view: &mut View<'_>, client: usize, responses: &[usize], first: usize, left: &mut Vec<usize>) {
    let invite = view.clients[client].sends[0];
    let request = view.sip(invite);
    let mut sent = None;
    for line in responses.iter().copied() {
        if view.status(line) < 300 {
            continue;
        }
        let at = view.at(line);
        let ack = left.iter().position(|ack| {
            let sip = view.sip(*ack);
            *ack > line && sip.branch() == request.branch() && view.at(*ack) <= at + TOLERANCE
        });
        let late = at + TOLERANCE >= view.at(first) + view.timers.patience().min(32_000_000);
        let reliable_repeat = line != first && view.seen[line].reliable;
        match ack {
            Some(place) => {
                let ack = left.remove(place);
                let sip = view.sip(ack);
                let copied = ["via", "from", "call-id", "route"].iter().all(|name| sip.all(name) == request.all(name));
                let same = sip.uri() == request.uri() && sip.cseq() == request.cseq();
                if !copied || !same || sip.value("to") != view.sip(line).value("to") {
                    view.blame(
                        "ack-form",
                        ack,
                        "Request-URI, Via, From, Call-ID, CSeq, Route of the INVITE, To of the response",
                    );
                }
                let first_ack = *sent.get_or_insert(ack);
                if view.seen[first_ack].bytes != view.seen[ack].bytes {
                    view.blame("retransmission-identical", ack, "the ACK of a repeated final response differs");
                }
            }
            None if late || reliable_repeat || forgotten(view, client, line) => {}
            None => view.blame("ack-owed", line, format!("{} to its INVITE got no ACK", view.status(line))),
        }
    }
}

/// RFC 3261 §13.2.2.4: own branch, for each tag and each repeat, for 64*T1 after the first.
fn judge_2xx_acks(view: &mut View<'_>, client: usize, responses: &[usize], left: &mut Vec<usize>) {
    let request = view.sip(view.clients[client].sends[0]);
    let successes: Vec<_> = responses.iter().copied().filter(|line| (200..300).contains(&view.status(*line))).collect();
    let Some(first) = successes.first().copied() else { return };
    let mut by_tag = HashMap::<Option<String>, Option<usize>>::new();
    for (place, line) in successes.iter().copied().enumerate() {
        let (at, tag) = (view.at(line), view.sip(line).to_tag());
        let of_dialog = |sip: &Sip| {
            sip.call_id() == request.call_id()
                && sip.to_tag() == tag
                && sip.cseq() == request.cseq()
                && sip.from_tag() == request.from_tag()
        };
        let had = by_tag.get(&tag).copied().flatten();
        // The first ACK of a dialog may wait for the host; a later one comes at once.
        let limit = if had.is_some() { at + TOLERANCE } else { view.at(first) + view.timers.patience() + TOLERANCE };
        let ack = left.iter().position(|ack| *ack > line && of_dialog(view.sip(*ack)) && view.at(*ack) <= limit);
        let late = at + TOLERANCE >= view.at(first) + view.timers.patience();
        match ack {
            Some(ack_place) => {
                let mut ack = left.remove(ack_place);
                if view.sip(ack).branch() == request.branch() {
                    view.blame("ack-form", ack, "the ACK of a 2xx has a branch of its own");
                }
                match had {
                    Some(last_ack) if view.seen[last_ack].bytes != view.seen[ack].bytes && !view.moved_on(ack) => {
                        view.blame("retransmission-identical", ack, "the ACK of a repeated 2xx differs");
                    }
                    _ => {}
                }
                // It could not be sent: the next target gets one.
                while let Some(place) = left.iter().position(|next| {
                    let same = of_dialog(view.sip(*next)) && view.at(*next) == view.at(ack);
                    view.seen[ack].failed && *next > ack && same && view.moved_on(*next)
                }) {
                    ack = left.remove(place);
                }
                by_tag.insert(tag, Some(ack));
            }
            None if late || forgotten(view, client, first) => {}
            // Repeats that came while the host had not yet acknowledged are covered by the first ACK.
            None if had.is_none() && successes[..place].iter().any(|other| view.sip(*other).to_tag() == tag) => {}
            None if had.is_some_and(|ack| ack > line) => {}
            None if had.is_none() && view.end < limit && view.end < at + view.timers.patience() => {
                if view.sip(line).sdp().is_none() || request.sdp().is_some() {
                    view.blame("ack-owed", line, "no ACK, and nothing for the host to put into it");
                }
            }
            None => view.blame("ack-owed", line, "a 2xx to its INVITE got no ACK"),
        }
    }
}

/// RFC 3261 §8.2.6.2 and §18.2, RFC 3581 §4.
fn judge_copies(view: &mut View<'_>, server: usize) {
    let (first, responses) = (view.servers[server].receipts[0], view.servers[server].responses.clone());
    let request = view.sip(first);
    let mut tag: Option<(String, u16)> = None;
    let ends = responses.iter().filter(|line| view.status(**line) == 199);
    let gone: Vec<String> = ends.filter_map(|line| view.sip(*line).to_tag()).collect();
    for line in responses {
        let response = view.sip(line);
        if !["from", "call-id", "cseq"].iter().all(|name| response.all(name) == request.all(name)) {
            view.blame("response-copies", line, "From, Call-ID or CSeq is not the request's");
        }
        let (asked, given) = (request.vias(), response.vias());
        let same = asked.len() == given.len()
            && asked.iter().zip(&given).enumerate().all(|(place, (asked, given))| match place {
                0 => asked.as_sent() == given.as_sent(),
                _ => asked == given,
            });
        if !same {
            view.blame("response-vias", line, format!("{:?} for {:?}", response.all("via"), request.all("via")));
        } else if let (Some(asked), Some(given)) = (asked.first(), given.first()) {
            judge_rport(view, line, first, asked, given);
        }
        let to = response.value("to");
        let without_tag = to.split(";tag=").next().unwrap_or_default();
        match (request.to_tag(), response.to_tag()) {
            (Some(_), _) if to != request.value("to") => view.blame("response-to-tag", line, "To is not the request's"),
            (None, _) if without_tag != request.value("to") => {
                view.blame("response-to-tag", line, "To is not the request's but for the tag")
            }
            // RFC 6228 §5: a dialog that ended with a 199 was one of several.
            (None, Some(given)) if gone.contains(&given) => {}
            (None, Some(given)) => match &tag {
                Some((former, _)) if *former != given => {
                    view.blame("response-to-tag", line, format!("tag {given} after {former}"))
                }
                Some(_) => {}
                None => tag = Some((given, view.status(line))),
            },
            _ => {}
        }
    }
}

fn judge_rport(view: &mut View<'_>, line: usize, request: usize, asked: &Via, given: &Via) {
    if view.seen[request].reliable {
        return;
    }
    // The source of any receipt will do: a repeat may come from elsewhere.
    let (source, target) = (view.seen[request].source, view.seen[line].target);
    let received = given.get("received");
    let sent_host = asked.address().map(|address| address.ip());
    if asked.has("rport") {
        if given.get("rport") != Some(source.port().to_string()) || received != Some(source.ip().to_string()) {
            view.blame("response-vias", line, "rport was asked for: source port and received must be filled in");
        }
        if target != source {
            view.blame("response-address", line, format!("went to {target}, the request came from {source}"));
        }
    } else {
        if sent_host != Some(source.ip()) && received != Some(source.ip().to_string()) {
            view.blame("response-vias", line, "sent-by is not the source: received must say it");
        }
        let port = asked.sent_by.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(5060);
        if target.ip() != source.ip() || target.port() != port {
            view.blame("response-address", line, format!("went to {target}, not to {}:{port}", source.ip()));
        }
    }
}

/// One final response, nothing after it but itself.
fn judge_finals(view: &mut View<'_>, server: usize) {
    let Some(first) = view.final_of(server) else { return };
    for line in view.servers[server].responses.clone().into_iter().filter(|line| *line > first) {
        let same = view.seen[line].bytes == view.seen[first].bytes;
        if !same {
            let (status, former) = (view.status(line), view.status(first));
            view.blame("one-final", line, format!("{status} after the final response {former}"));
        }
    }
}

fn judge_invite_server(view: &mut View<'_>, server: usize) {
    let (receipts, responses) = (view.servers[server].receipts.clone(), view.servers[server].responses.clone());
    let (first, start) = (receipts[0], view.at(receipts[0]));
    if responses.first().map_or(view.end, |line| view.at(*line)) > start + 200_000 + TOLERANCE {
        view.blame("100-within-200ms", first, "no response within 200 ms");
    }
    let Some(last) = view.final_of(server) else {
        if view.end > start + 2 * 600_000_000 {
            view.blame("final-owed", first, "INVITE never got a final response");
        }
        return judge_minutes(view, first, &responses, view.end);
    };
    judge_minutes(view, first, &responses, view.at(last));
    judge_provisional_repeats(view, &receipts, &responses, last);
    let finals: Vec<_> = responses.iter().copied().filter(|line| *line >= last).collect();
    let repeats = times(view, &finals[1..]);
    let acked = view.servers[server].acks.iter().copied().find(|line| *line > last);
    let stop = acked.map_or(view.end, |line| view.at(line));
    let failed = finals.iter().any(|line| view.seen[*line].failed);
    if view.status(last) < 300 {
        let expected = doubling(view, view.at(last), view.timers.t2);
        // Once the dialog is ended by BYE the 2xx may go on being repeated, or not.
        let bye_in = bye_after(view, last).map_or(u64::MAX, |line| view.at(line));
        if let Some(detail) = difference(&repeats, &expected, (stop.min(bye_in), stop), &[]).filter(|_| !failed) {
            view.blame(
                "2xx-schedule",
                last,
                format!("repeats: {detail}; sent at {:?} ms", in_ms(&times(view, &finals))),
            );
        }
        return;
    }
    // A final response repeats by timer G and for each repeat of the request, until the ACK.
    let asked: Vec<_> = receipts.iter().copied().filter(|line| *line > last).collect();
    let stateless = matches!(view.status(last), 400 | 500 | 503 | 513) && repeats.len() <= asked.len();
    let reliable = view.seen[last].reliable || (stateless && finals.len() <= 1 + asked.len());
    let expected = if reliable { Vec::new() } else { doubling(view, view.at(last), view.timers.t2) };
    if let Some(detail) = difference(&repeats, &expected, (stop, stop), &times(view, &asked)).filter(|_| !failed) {
        view.blame("timer-g", last, format!("repeats: {detail}; sent at {:?} ms", in_ms(&times(view, &finals))));
    }
    let due = view.at(last) + view.timers.patience();
    for line in asked {
        let (at, ended) = (view.at(line), acked.is_some_and(|ack| ack < line));
        let answered = finals.iter().any(|other| *other > line && view.at(*other) <= at + TOLERANCE);
        if !answered && !ended && at + TOLERANCE < due && !failed {
            view.blame("final-repeated", line, "a repeated INVITE got no repeated final response");
        }
    }
}

/// The first BYE in the dialog of our 2xx, of either side.
fn bye_after(view: &View<'_>, accepted: usize) -> Option<usize> {
    let response = view.sip(accepted);
    (accepted..view.seen.len()).find(|line| {
        let sip = view.sip(*line);
        let own = if view.seen[*line].out { sip.from_tag() } else { sip.to_tag() };
        sip.is_request() && sip.method() == "BYE" && own == response.to_tag()
    })
}

/// RFC 3261 §13.3.1.1: a provisional response other than 100 at least every minute.
fn judge_minutes(view: &mut View<'_>, first: usize, responses: &[usize], until: u64) {
    let (mut last, mut refresh) = (view.at(first), 60_000_000);
    for line in responses.iter().copied() {
        if view.at(line) > until {
            break;
        }
        if view.status(line) <= 100 {
            continue;
        }
        if view.at(line) > last + refresh + TOLERANCE {
            view.blame("1xx-every-minute", line, "more than a minute after the one before");
        }
        last = view.at(line);
        // RFC 3262 §3: two and a half minutes where they are reliable.
        if view.sip(line).get("rseq").is_some() {
            refresh = 150_000_000;
        }
    }
    if until > last + refresh + TOLERANCE {
        view.blame("1xx-every-minute", first, format!("none between {} and {} ms", last / 1_000, until / 1_000));
    }
}

/// RFC 3261 §17.2.1: a repeat in Proceeding gets the last provisional response again.
fn judge_provisional_repeats(view: &mut View<'_>, receipts: &[usize], responses: &[usize], last: usize) {
    for line in receipts.iter().copied().skip(1).filter(|line| *line < last) {
        let Some(former) = responses.iter().copied().rfind(|other| *other < line) else { continue };
        let again =
            responses.iter().copied().find(|other| *other > line && view.at(*other) <= view.at(line) + TOLERANCE);
        if again.is_none_or(|again| view.seen[again].bytes != view.seen[former].bytes && again < last) {
            view.blame("provisional-repeated", line, "a repeated INVITE got no repeated provisional response");
        }
    }
}

fn judge_non_invite_server(view: &mut View<'_>, server: usize) {
    let (receipts, responses) = (view.servers[server].receipts.clone(), view.servers[server].responses.clone());
    let (first, start) = (receipts[0], view.at(receipts[0]));
    let method = view.sip(first).method().to_owned();
    for line in responses.iter().copied() {
        match view.status(line) {
            100 if !view.seen[line].reliable && view.at(line) + TOLERANCE < start + 7 * view.timers.t1 => {
                view.blame("non-invite-100", line, "100 over UDP before Timer E is at T2");
            }
            101..200 => view.blame("non-invite-1xx", line, "a provisional response other than 100"),
            408 => view.blame("non-invite-408", line, "408 to a non-INVITE"),
            _ => {}
        }
    }
    let due = start + 7 * view.timers.t1;
    if responses.first().map_or(view.end, |line| view.at(*line)) > due + TOLERANCE {
        view.blame("non-invite-100", first, "unanswered, and no 100 when Timer E is at T2");
    }
    let Some(last) = view.final_of(server) else {
        if view.end > start + view.timers.patience() {
            view.blame("final-owed", first, format!("{method} never got a final response"));
        }
        return;
    };
    if view.at(last) > start + view.timers.patience() {
        view.blame("final-owed", last, format!("{method} got its final response after 64*T1"));
    }
    judge_cancel_answer(view, server, last);
    // Only a repeat of the request repeats the final response.
    let finals: Vec<_> = responses.iter().copied().filter(|line| *line >= last).collect();
    let asked: Vec<_> = receipts.iter().copied().filter(|line| *line > last).collect();
    let failed = finals.iter().any(|line| view.seen[*line].failed);
    if let Some(detail) = difference(&times(view, &finals[1..]), &[], (view.end, view.end), &times(view, &asked)) {
        view.blame("final-repeated", last, detail);
    }
    for line in asked {
        let answered = finals.iter().any(|other| *other > line && view.at(*other) <= view.at(line) + TOLERANCE);
        if !answered
            && !view.seen[line].reliable
            && view.at(line) + TOLERANCE < view.at(last) + view.timers.patience()
            && !failed
        {
            view.blame("final-repeated", line, format!("a repeated {method} got no repeated final response"));
        }
    }
}

/// RFC 3261 §9.2: matched by branch: 200, and 487 to the INVITE that has no final response; else 481.
fn judge_cancel_answer(view: &mut View<'_>, server: usize, last: usize) {
    let first = view.servers[server].receipts[0];
    let cancel = view.sip(first);
    if cancel.method() != "CANCEL" {
        return;
    }
    let via = cancel.vias().into_iter().next().map(|via| via.sent_by);
    let invite = (0..view.servers.len()).find(|other| {
        let sip = view.sip(view.servers[*other].receipts[0]);
        let before = view.servers[*other].receipts[0] < first;
        let sent_by = sip.vias().into_iter().next().map(|via| via.sent_by);
        before && sip.method() == "INVITE" && sip.branch() == cancel.branch() && sent_by == via
    });
    let status = view.status(last);
    let Some(invite) = invite else {
        if status != 481 {
            view.blame("cancel-answer", last, format!("{status} to a CANCEL of nothing"));
        }
        return;
    };
    let done = view.final_of(invite);
    let of_invite =
        view.servers[invite].responses.iter().rfind(|line| **line < first && view.sip(**line).to_tag().is_some());
    if of_invite.is_some_and(|line| view.sip(*line).to_tag() != view.sip(last).to_tag()) {
        view.blame("cancel-tag", last, "the To tag is not that of the INVITE's responses");
    }
    if done.is_none_or(|line| line > first) {
        if status != 200 {
            view.blame("cancel-answer", last, format!("{status} to a CANCEL that matched"));
        }
        match done {
            Some(line) if view.at(line) <= view.at(first) + TOLERANCE => {
                if view.status(line) != 487
                    && view.sip(line).to_tag() != view.sip(view.servers[invite].receipts[0]).to_tag()
                {
                    view.blame("cancel-answer", line, "a cancelled INVITE is answered 487");
                }
                if view.sip(line).to_tag() != view.sip(last).to_tag() {
                    view.blame("cancel-tag", last, "the To tag is not that of the INVITE's responses");
                }
            }
            _ => view.blame("cancel-answer", first, "the INVITE was not answered at once"),
        }
    }
}

/// RFC 3261 §8.2.2.2: the same request by another way.
fn judge_merged(view: &mut View<'_>) {
    let mut met = HashMap::<(Option<String>, String, String), usize>::new();
    for server in 0..view.servers.len() {
        let first = view.servers[server].receipts[0];
        let sip = view.sip(first);
        if sip.to_tag().is_some() || sip.method() == "CANCEL" {
            continue;
        }
        let key = (sip.from_tag(), sip.call_id().to_owned(), sip.value("cseq").to_owned());
        let Some(former) = met.insert(key, server) else { continue };
        let ongoing = view.final_of(former).is_none_or(|line| view.at(line) + TOLERANCE > view.at(first));
        let accepted = view.final_of(server).filter(|line| view.status(*line) < 300);
        if let (true, Some(line)) = (ongoing, accepted) {
            view.blame("merged-482", line, "the same request is being answered already, having come by another way");
        }
    }
}
