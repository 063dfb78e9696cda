//! The form of each message, by itself.

use super::View;
use crate::common::sip::{Sip, uri_of};
use std::collections::BTreeSet;

pub fn judge(view: &mut View<'_>) {
    let mut allowed = BTreeSet::new();
    let mut refused = Vec::new();
    for line in 0..view.seen.len() {
        if !view.seen[line].out {
            continue;
        }
        let sip = view.sip(line);
        for (rule, detail) in faults(sip) {
            view.blame(rule, line, detail);
        }
        if sip.is_request() {
            judge_request(view, line);
        } else {
            judge_response(view, line);
            if matches!(sip.status(), Some(405 | 501)) {
                refused.push((sip.cseq_method().to_owned(), line));
            }
        }
        allowed.extend(sip.all("allow").into_iter().map(str::to_owned));
    }
    for (method, line) in refused {
        if allowed.contains(&method) {
            view.blame("allow-405", line, format!("{method} is in its Allow"));
        }
    }
}

fn faults(sip: &Sip) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    for name in ["from", "to", "call-id", "cseq"] {
        let count = sip.all(name).len();
        if count != 1 {
            faults.push(("mandatory-headers", format!("{count} {name} headers")));
        }
    }
    if sip.all("via").is_empty() || sip.vias().len() != sip.all("via").len() {
        faults.push(("mandatory-headers", format!("Via {:?}", sip.all("via"))));
    }
    let lengths = sip.all("content-length");
    if lengths.len() > 1 || lengths.iter().any(|length| length.parse() != Ok(sip.body.len())) {
        faults.push(("content-length", format!("{lengths:?} for a body of {} bytes", sip.body.len())));
    }
    if !sip.body.is_empty() && sip.all("content-type").len() != 1 {
        faults.push(("content-type", "a body without exactly one Content-Type".to_owned()));
    }
    if sip.is_request() && sip.cseq() > 0x7fff_ffff {
        faults.push(("cseq-range", format!("CSeq {:?}", sip.value("cseq"))));
    }
    faults
}

fn judge_request(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    if sip.cseq_method() != sip.start.split(' ').next().unwrap_or_default() {
        view.blame("cseq-method", line, format!("CSeq {:?}", sip.value("cseq")));
    }
    let forwards = sip.all("max-forwards");
    if forwards.len() != 1 || forwards.iter().any(|value| value.parse::<u8>().is_err()) {
        view.blame("max-forwards", line, format!("{forwards:?}"));
    }
    if sip.from_tag().is_none_or(|tag| tag.is_empty()) {
        view.blame("from-tag", line, sip.value("from"));
    }
    if sip.vias().len() != 1 {
        view.blame("mandatory-headers", line, "a user agent's request has one Via");
    }
    if !sip.branch().starts_with("z9hG4bK") {
        view.blame("branch-cookie", line, sip.branch());
    }
    if matches!(sip.method(), "INVITE" | "UPDATE") {
        let contacts = sip.all("contact");
        if contacts.len() != 1 || !is_sip(&uri_of(contacts[0])) {
            let rule = if sip.method() == "UPDATE" { "update-contact" } else { "contact" };
            view.blame(rule, line, format!("{} with Contact {contacts:?}", sip.method()));
        }
    }
}

fn judge_response(view: &mut View<'_>, line: usize) {
    let (sip, status) = (view.sip(line), view.status(line));
    if sip.cseq_method() == "ACK" {
        view.blame("response-to-ack", line, "an ACK is never answered");
    }
    let tagged_1xx = (101..200).contains(&status) && sip.to_tag().is_some();
    // RFC 6141 §4.4: in a dialog only a reliable response refreshes the target.
    let request = view.of[line].and_then(|of| view.servers[of].receipts.first().copied());
    let in_dialog = request.is_some_and(|request| view.sip(request).to_tag().is_some());
    let names_target = tagged_1xx && (!in_dialog || sip.get("rseq").is_some());
    let accepts = (200..300).contains(&status);
    let invite = sip.cseq_method() == "INVITE" && (names_target || accepts);
    if invite || sip.cseq_method() == "UPDATE" && accepts {
        let contacts = sip.all("contact");
        if contacts.len() != 1 || !is_sip(&uri_of(contacts[0])) {
            let rule = if invite { "contact" } else { "update-contact" };
            view.blame(rule, line, format!("{} with Contact {contacts:?}", sip.short()));
        }
    }
    if status > 100 && sip.to_tag().is_none_or(|tag| tag.is_empty()) {
        view.blame("response-to-tag", line, sip.value("to"));
    }
    if status == 405 && sip.all("allow").is_empty() {
        view.blame("allow-405", line, "405 without Allow");
    }
    if status == 420 && sip.all("unsupported").is_empty() {
        view.blame("unsupported-420", line, "420 without Unsupported");
    }
    let hints = ["accept", "accept-encoding", "accept-language"];
    if status == 415 && hints.iter().all(|hint| sip.all(hint).is_empty()) {
        view.blame("accept-415", line, "415 without Accept, Accept-Encoding or Accept-Language");
    }
}

fn is_sip(uri: &str) -> bool {
    let scheme = uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
    scheme == "sip" || scheme == "sips"
}
