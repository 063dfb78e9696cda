//! RFC 3262 §4, §5: the caller's PRACKs.

use super::{TOLERANCE, View};
use crate::common::sip::Sip;

/// How soon a host is expected to acknowledge what the library leaves to it.
const PATIENCE: u64 = 500_000;

/// RSeq of a reliable provisional response to an INVITE.
pub fn rseq_of(sip: &Sip) -> Option<u32> {
    let reliable = sip.all("require").iter().any(|tag| tag.eq_ignore_ascii_case("100rel"));
    let provisional = sip.status().is_some_and(|status| (101..200).contains(&status)) && sip.method() == "INVITE";
    sip.value("rseq").parse().ok().filter(|rseq| reliable && provisional && *rseq > 0)
}

/// Whether a reliable response that came was next in order in its dialog, and before any final one.
pub fn is_in_order(view: &View<'_>, line: usize) -> bool {
    let (Some(client), Some(rseq)) = (view.of[line], rseq_of(view.sip(line))) else { return false };
    let tag = view.sip(line).to_tag();
    let mut last: Option<u32> = None;
    for former in view.clients[client].responses.iter().copied().take_while(|former| *former <= line) {
        let sip = view.sip(former);
        if view.status(former) >= 200 {
            return false;
        }
        let Some(number) = rseq_of(sip).filter(|_| sip.to_tag() == tag) else { continue };
        let next = last.is_none_or(|last| last.checked_add(1) == Some(number));
        if former == line {
            return next && number == rseq;
        }
        if next {
            last = Some(number);
        }
    }
    false
}

/// RSeq and CSeq number of a RAck, whose method has to be INVITE.
fn rack_of(sip: &Sip) -> Option<(u32, u32)> {
    let mut parts = sip.value("rack").split_whitespace();
    let numbers = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next() == Some("INVITE") && parts.next().is_none()).then_some(numbers)
}

fn same_dialog(prack: &Sip, response: &Sip) -> bool {
    prack.call_id() == response.call_id()
        && prack.from_tag() == response.from_tag()
        && prack.to_tag() == response.to_tag()
}

/// The response that a PRACK sent at `line` speaks of.
fn acknowledged_by(view: &View<'_>, line: usize) -> Option<usize> {
    let prack = view.sip(line);
    let (rseq, cseq) = rack_of(prack)?;
    (0..line).find(|former| {
        let seen = &view.seen[*former];
        !seen.out && same_dialog(prack, seen.sip) && seen.sip.cseq() == cseq && rseq_of(seen.sip) == Some(rseq)
    })
}

pub fn judge(view: &mut View<'_>) {
    for line in 0..view.seen.len() {
        let seen = &view.seen[line];
        let is_request = seen.sip.is_request();
        match (seen.out, is_request) {
            (true, true) if seen.sip.method() == "PRACK" && view.is_first(line) => judge_prack(view, line),
            (false, false) if is_in_order(view, line) => judge_response(view, line),
            _ => {}
        }
    }
}

fn judge_prack(view: &mut View<'_>, line: usize) {
    let prack = view.sip(line);
    let Some(response) = acknowledged_by(view, line) else {
        return view.blame("prack-rack", line, format!("no response that came is {:?}", prack.value("rack")));
    };
    if !is_in_order(view, response) {
        view.blame("prack-order", line, format!("{} was not next in order", prack.value("rack")));
    }
    let again = (0..view.clients.len()).any(|other| {
        let first = view.clients[other].sends[0];
        let former = view.sip(first);
        // One that was refused, or never left, may follow itself: with credentials (RFC 3261 §22.2),
        // without its offer (RFC 6337 §2.3).
        let refused = view.final_to(other).is_some_and(|last| last < line && view.status(last) >= 300);
        first < line
            && former.method() == "PRACK"
            && same_dialog(former, prack)
            && rack_of(former) == rack_of(prack)
            && !refused
            && !view.seen[first].failed
    });
    if again {
        view.blame("prack-once", line, format!("{} is acknowledged already", prack.value("rack")));
    }
    if prack.sdp().is_none() && brings_offer(view, response) {
        view.blame("prack-answer", line, "the response brought an offer, its PRACK brings no answer");
    }
}

/// Whether a response is the first reliable one with a description, to an INVITE without.
fn brings_offer(view: &View<'_>, line: usize) -> bool {
    let Some(client) = view.of[line] else { return false };
    let offers = |line: usize| view.sip(line).sdp().is_some() && is_in_order(view, line);
    let same_tag = |other: usize| view.sip(other).to_tag() == view.sip(line).to_tag();
    let mut former = view.clients[client].responses.iter().take_while(|former| **former < line);
    view.sip(view.clients[client].sends[0]).sdp().is_none()
        && offers(line)
        && !former.any(|former| same_tag(*former) && offers(*former))
}

/// §4: what came in order is acknowledged, unless the INVITE or the dialog ends first.
fn judge_response(view: &mut View<'_>, line: usize) {
    let Some(client) = view.of[line] else { return };
    let due = view.at(line) + PATIENCE + TOLERANCE;
    let sip = view.sip(line);
    let over = (line..view.seen.len()).any(|later| {
        let seen = &view.seen[later];
        let ends = view.of[later] == Some(client) && !seen.out && view.status(later) >= 200;
        let bye = seen.sip.method() == "BYE"
            && (same_dialog(seen.sip, sip)
                || seen.sip.from_tag() == sip.to_tag() && seen.sip.to_tag() == sip.from_tag());
        seen.at <= due && (ends || bye)
    });
    let bye_before = (0..line).any(|former| {
        let seen = &view.seen[former];
        seen.sip.method() == "BYE" && seen.sip.is_request() && seen.out && same_dialog(seen.sip, sip)
    });
    let acknowledged = (line..view.seen.len()).any(|later| {
        let seen = &view.seen[later];
        seen.out
            && seen.at <= due
            && seen.sip.is_request()
            && seen.sip.method() == "PRACK"
            && acknowledged_by(view, later) == Some(line)
    });
    if !acknowledged && !over && !bye_before && due < view.end {
        view.blame("prack-owed", line, format!("RSeq {} has no PRACK", sip.value("rseq")));
    }
}
