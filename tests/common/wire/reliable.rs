//! RFC 3262 §3, §5: the callee's reliable provisional responses, and what it says to PRACKs.

use super::transactions::{difference, doubling, in_ms, times};
use super::{TOLERANCE, View};
use crate::common::sip::Sip;

/// Whether a message names 100rel in a header.
fn names_100rel(sip: &Sip, header: &str) -> bool {
    sip.all(header).iter().any(|tag| tag.eq_ignore_ascii_case("100rel"))
}

/// RSeq of a response.
fn rseq(sip: &Sip) -> Option<u32> {
    sip.get("rseq")?.parse().ok()
}

/// The first line of each reliable response to one INVITE in one dialog, in order, and the lines of its repeats.
struct Reliable {
    first: usize,
    repeats: Vec<usize>,
    /// The PRACK that came for it.
    prack: Option<usize>,
}

pub fn judge(view: &mut View<'_>) {
    for server in 0..view.servers.len() {
        let method = view.sip(view.servers[server].receipts[0]).method();
        match method {
            "INVITE" => judge_invite(view, server),
            "PRACK" => judge_prack(view, server),
            _ => judge_form(view, server, false),
        }
    }
}

/// §3, §7.1: what may be reliable, and how it says so.
fn judge_form(view: &mut View<'_>, server: usize, invite: bool) {
    let request = view.sip(view.servers[server].receipts[0]);
    let (wanted, required) = (names_100rel(request, "supported"), names_100rel(request, "require"));
    for line in view.servers[server].responses.clone() {
        let (sip, provisional) = (view.sip(line), (101..200).contains(&view.status(line)));
        // 421 tells what is missing.
        let says = names_100rel(sip, "require") && view.status(line) != 421;
        let fault = match (says, sip.get("rseq").is_some()) {
            (false, false) if required && invite && provisional => "the INVITE requires 100rel",
            (false, false) => continue,
            (true, false) => "Require: 100rel without RSeq",
            (false, true) => "RSeq without Require: 100rel",
            (true, true) if !invite || !provisional => "only 101 to 199 to an INVITE is reliable",
            (true, true) if !wanted && !required => "the INVITE does not know 100rel",
            (true, true) if rseq(sip).is_none_or(|rseq| rseq == 0) => "RSeq is no number from 1 on",
            (true, true) => continue,
        };
        view.blame("reliable-form", line, fault);
    }
}

fn judge_invite(view: &mut View<'_>, server: usize) {
    judge_form(view, server, true);
    let last = view.final_of(server);
    let mut tags: Vec<_> = view.servers[server].responses.iter().map(|line| view.sip(*line).to_tag()).collect();
    tags.sort();
    tags.dedup();
    for tag in tags {
        judge_dialog(view, server, tag.as_ref(), last);
    }
}

fn judge_dialog(view: &mut View<'_>, server: usize, tag: Option<&String>, last: Option<usize>) {
    let request = view.sip(view.servers[server].receipts[0]);
    let mut all: Vec<Reliable> = Vec::new();
    for line in view.servers[server].responses.clone() {
        let sip = view.sip(line);
        let Some(number) = rseq(sip).filter(|_| sip.to_tag().as_ref() == tag && view.status(line) < 200) else {
            continue;
        };
        let same = |known: &&mut Reliable| rseq(view.sip(known.first)) == Some(number);
        if let Some(known) = all.iter_mut().find(same) {
            known.repeats.push(line);
            if view.seen[line].bytes != view.seen[known.first].bytes {
                view.blame("rseq-order", line, format!("RSeq {number} again, in another response"));
            }
            continue;
        }
        match all.last() {
            None if number > 0x7fff_ffff => view.blame("rseq-order", line, format!("{number} is no first RSeq")),
            None if request.sdp().is_none() && sip.sdp().is_none() => {
                view.blame("offer-missing", line, "the first reliable response to an INVITE without offer brings none");
            }
            None => {}
            Some(former) => {
                let before = rseq(view.sip(former.first)).unwrap_or_default();
                if before.checked_add(1) != Some(number) {
                    view.blame("rseq-order", line, format!("{number} after {before}"));
                }
                if former.prack.is_none_or(|prack| prack > line) {
                    view.blame("reliable-queue", line, format!("RSeq {before} is not acknowledged yet"));
                }
            }
        }
        if last.is_some_and(|last| last < line) {
            view.blame("reliable-final", line, "a new reliable response after the final one");
        }
        let prack = prack_for(view, line);
        all.push(Reliable { first: line, repeats: Vec::new(), prack });
    }
    for reliable in &all {
        judge_repeats(view, reliable, last);
    }
    let accepted = last.filter(|last| (200..300).contains(&view.status(*last)));
    let waits = |reliable: &&Reliable| {
        let described = view.sip(reliable.first).sdp().is_some();
        described && accepted.is_some_and(|accepted| reliable.prack.is_none_or(|prack| prack > accepted))
    };
    if let (Some(accepted), Some(waiting)) = (accepted, all.iter().find(waits))
        && view.sip(accepted).to_tag().as_ref() == tag
    {
        let detail =
            format!("a 2xx while RSeq {:?} with a description is unacknowledged", view.sip(waiting.first).get("rseq"));
        view.blame("2xx-held", accepted, detail);
    }
}

/// Whether a PRACK speaks of a response.
fn means(prack: &Sip, response: &Sip) -> bool {
    prack.call_id() == response.call_id()
        && prack.to_tag() == response.to_tag()
        && prack.from_tag() == response.from_tag()
        && prack.value("rack").split_whitespace().collect::<Vec<_>>()
            == [response.value("rseq"), &response.cseq().to_string(), "INVITE"]
}

/// The first PRACK for a response that came after it and was not refused.
fn prack_for(view: &View<'_>, line: usize) -> Option<usize> {
    let response = view.sip(line);
    let pracks = view.servers.iter().enumerate().filter_map(|(server, known)| {
        let receipt = *known.receipts.first()?;
        let good = view.sip(receipt).method() == "PRACK" && receipt > line && means(view.sip(receipt), response);
        let refused = view.final_of(server).is_some_and(|last| view.status(last) >= 300);
        (good && !refused).then_some(receipt)
    });
    pracks.min()
}

/// §3: T1, doubling without a cap, until the PRACK, a final response or 64*T1; then a 5xx.
fn judge_repeats(view: &mut View<'_>, reliable: &Reliable, last: Option<usize>) {
    let start = view.at(reliable.first);
    let due = start + view.timers.patience();
    // A PRACK with an offer stops them while the host looks at it.
    let offers = (reliable.first..view.seen.len()).any(|line| {
        let sip = view.sip(line);
        !view.seen[line].out && sip.method() == "PRACK" && sip.sdp().is_some() && means(sip, view.sip(reliable.first))
    });
    let stops = [reliable.prack, last].into_iter().flatten().map(|line| view.at(line));
    let stop = stops.chain([due, view.end]).min().unwrap_or(due);
    let server = view.of[reliable.first];
    let asked: Vec<_> = server.map(|server| view.servers[server].receipts[1..].to_vec()).unwrap_or_default();
    let repeats = times(view, &reliable.repeats);
    let expected = doubling(view, start, u64::MAX);
    if let Some(detail) = difference(&repeats, &expected, (stop, stop), &times(view, &asked)).filter(|_| !offers) {
        let detail = format!("{detail}; sent at {} and {:?} ms", start / 1_000, in_ms(&repeats));
        view.blame("reliable-schedule", reliable.first, detail);
    }
    let over = reliable.prack.into_iter().chain(last).any(|line| view.at(line) <= due + TOLERANCE);
    if !over && !offers && due + TOLERANCE < view.end {
        view.blame("reliable-timeout", reliable.first, "no PRACK for 64*T1, and no final response");
    }
}

/// When the INVITE of a reliable response got its final one.
fn overtaken_at(view: &View<'_>, line: usize) -> Option<u64> {
    view.final_of(view.of[line]?).map(|last| view.at(last))
}

/// §3: 2xx to a PRACK of a response that waits, else 481; a bad RAck, a wrong number and the like come first.
fn judge_prack(view: &mut View<'_>, server: usize) {
    judge_form(view, server, false);
    let receipt = view.servers[server].receipts[0];
    let Some(last) = view.final_of(server) else { return };
    let (prack, status, patience) = (view.sip(receipt), view.status(last), view.timers.patience());
    let meant = (0..receipt).find(|line| {
        let seen = &view.seen[*line];
        seen.out && view.status(*line) < 200 && rseq(seen.sip).is_some() && means(prack, seen.sip)
    });
    match meant {
        None if (200..300).contains(&status) => view.blame("prack-481", last, "2xx to a PRACK of nothing"),
        // Another one came before.
        Some(line) if prack_for(view, line).is_some_and(|first| first < receipt) => {}
        // A final response has overtaken it, and whoever could repeat that has given up.
        Some(line) if overtaken_at(view, line).is_some_and(|at| view.at(receipt) + TOLERANCE >= at + patience) => {}
        Some(_) if prack.sdp().is_none() && matches!(status, 481 | 488) => {
            view.blame("prack-2xx", last, format!("{status} to the PRACK of a response that waits"));
        }
        _ => {}
    }
}
