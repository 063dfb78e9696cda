//! Session timers (RFC 4028): Session-Expires, Min-SE, `timer`, 422; refreshes that are due and the BYE where none came.

use super::{TOLERANCE, View};
use crate::common::sip::Sip;

/// No interval is shorter, in s (§4, §5).
const FLOOR: u64 = 90;
const SECOND: u64 = 1_000_000;

/// The Session-Expires of a message.
struct Expires {
    seconds: u64,
    refresher: Option<String>,
}

/// `None`: it has none, more than one, or one that is no number.
fn expires(sip: &Sip) -> Option<Expires> {
    let [value] = sip.all("session-expires")[..] else { return None };
    let mut parts = value.split(';');
    let seconds = parts.next()?.trim().parse::<u32>().ok()?;
    let refresher = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim().to_ascii_lowercase())
    });
    Some(Expires { seconds: seconds.into(), refresher })
}

fn min_se(sip: &Sip) -> Option<u64> {
    let [value] = sip.all("min-se")[..] else { return None };
    value.split(';').next()?.trim().parse::<u32>().ok().map(u64::from)
}

/// Whether the sender of a request knows `timer`.
fn knows_timer(request: &Sip) -> bool {
    timer_in(request, "supported") || timer_in(request, "require")
}

/// Whether a header lists `timer`.
fn timer_in(sip: &Sip, header: &str) -> bool {
    sip.all(header).iter().any(|tag| tag.eq_ignore_ascii_case("timer"))
}

/// Whether a method establishes or refreshes the session.
fn sets(sip: &Sip) -> bool {
    matches!(sip.method(), "INVITE" | "UPDATE")
}

pub fn judge(view: &mut View<'_>) {
    for line in (0..view.seen.len()).filter(|line| view.seen[*line].out).collect::<Vec<_>>() {
        judge_form(view, line);
    }
    for server in 0..view.servers.len() {
        let first = view.servers[server].receipts[0];
        let Some(last) = view.final_of(server).filter(|_| sets(view.sip(first))) else { continue };
        match view.status(last) {
            422 => judge_422(view, first, last),
            200..300 => judge_2xx(view, first, last),
            _ => {}
        }
    }
    for client in 0..view.clients.len() {
        judge_min_se(view, view.clients[client].sends[0]);
    }
    judge_refreshes(view);
}

/// §4, §5, §7.1: where the headers stand, with what.
fn judge_form(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    let (status, intervals, minima) = (sip.status(), sip.all("session-expires"), sip.all("min-se"));
    let accepts = status.is_some_and(|status| (200..300).contains(&status));
    if !intervals.is_empty() {
        let fault = match expires(sip) {
            _ if !sets(sip) || status.is_some() && !accepts => Some("only in INVITE, UPDATE and their 2xx"),
            None => Some("not one number"),
            Some(it) if status.is_none() && it.seconds < FLOOR => Some("below 90 s"),
            Some(Expires { refresher: Some(who), .. }) if who != "uac" && who != "uas" => Some("refresher unknown"),
            Some(Expires { refresher: None, .. }) if accepts => Some("a 2xx says who refreshes"),
            Some(_) => None,
        };
        if let Some(fault) = fault {
            view.blame("session-expires", line, format!("{intervals:?}: {fault}"));
        }
    }
    if !minima.is_empty() {
        let fault = match min_se(sip) {
            _ if !sets(sip) || status.is_some_and(|status| status != 422) => "only in INVITE, UPDATE and 422",
            None => "not one number",
            Some(seconds) if seconds < FLOOR => "below 90 s",
            Some(_) => "",
        };
        if !fault.is_empty() {
            view.blame("min-se", line, format!("{minima:?}: {fault}"));
        }
    }
    let speaks = !intervals.is_empty() || !minima.is_empty() || timer_in(sip, "require");
    if status.is_none() && sets(sip) && speaks && !timer_in(sip, "supported") {
        view.blame("timer-supported", line, "a request with a session timer without Supported: timer");
    }
}

/// §6, §9: a 422 names a minimum above what was asked for, and goes to callers that know what to do with it.
fn judge_422(view: &mut View<'_>, request: usize, line: usize) {
    let (asked, minimum) = (view.sip(request), min_se(view.sip(line)));
    let fault = match (expires(asked), minimum) {
        (_, None) => "no Min-SE".to_owned(),
        _ if !knows_timer(asked) => "the peer does not support timer".to_owned(),
        (Some(it), Some(minimum)) if it.seconds >= minimum => format!("{} s are not below {minimum}", it.seconds),
        (None, _) if asked.get("session-expires").is_none() => "no Session-Expires was asked for".to_owned(),
        _ => return,
    };
    view.blame("422-form", line, fault);
}

/// §9 and its table 2: what a 2xx makes of what was asked for.
fn judge_2xx(view: &mut View<'_>, request: usize, line: usize) {
    let (asked, response) = (view.sip(request), view.sip(line));
    let Some(granted) = expires(response) else { return };
    let known = knows_timer(asked);
    // What may not stand there (§4) binds nobody.
    if let Some(asked_for) = expires(asked).filter(|asked| asked.seconds >= FLOOR) {
        let least = min_se(asked).unwrap_or(FLOOR).max(FLOOR).min(asked_for.seconds);
        if granted.seconds > asked_for.seconds || granted.seconds < least {
            let detail = format!("{} s where {} to {} were asked for", granted.seconds, least, asked_for.seconds);
            view.blame("session-expires-2xx", line, detail);
        }
        let wished = asked_for.refresher.filter(|who| matches!(&**who, "uac" | "uas"));
        if known && wished.is_some() && wished != granted.refresher {
            let detail = format!("{:?} where {wished:?} was asked for", granted.refresher);
            view.blame("session-refresher", line, detail);
        }
    }
    let caller = granted.refresher.as_deref() == Some("uac");
    if !known && (caller || timer_in(response, "require")) {
        view.blame("session-refresher", line, "the peer does not support timer");
    } else if caller && !timer_in(response, "require") {
        view.blame("timer-required", line, "the caller refreshes, and no Require: timer says so");
    }
}

/// §7.1, §7.4: what asks for an interval after a 422, or in a call where the peer has named a minimum, keeps to the highest.
fn judge_min_se(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    let Some(asked) = expires(sip).filter(|_| sets(sip)) else { return };
    let came = (0..line).filter(|former| !view.seen[*former].out).map(|former| view.sip(former));
    let counts = |other: &Sip| sets(other) && other.status().is_none_or(|status| status == 422);
    let Some(highest) = came.filter(|other| counts(other)).filter_map(min_se).max() else { return };
    if asked.seconds < highest || min_se(sip).is_none_or(|own| own < highest) {
        let detail = format!("{} s, Min-SE {:?}, where the peer named {highest}", asked.seconds, min_se(sip));
        view.blame("min-se-kept", line, detail);
    }
}

/// What a 2xx left in a dialog.
struct Running {
    line: usize,
    /// `None`: no timer, or one that nobody can say.
    timer: Option<(u64, bool)>,
    /// Of the dialog, our own first.
    tags: (String, String),
}

/// Every 2xx to INVITE or UPDATE, in order (§7.2, §9: each one counts anew).
fn running(view: &View<'_>) -> Vec<Running> {
    let mut all: Vec<Running> = Vec::new();
    for line in 0..view.seen.len() {
        let (sip, out) = (view.sip(line), view.seen[line].out);
        let Some(of) = view.of[line].filter(|_| sets(sip) && (200..300).contains(&view.status(line))) else { continue };
        let (from, to) = (sip.from_tag().unwrap_or_default(), sip.to_tag().unwrap_or_default());
        let request = view.sip(if out { view.servers[of].receipts[0] } else { view.clients[of].sends[0] });
        let repeats = |former: &Running| view.of[former.line] == Some(of) && view.seen[former.line].out == out;
        let tags = if out { (to, from) } else { (from, to) };
        if all.iter().any(|former| repeats(former) && former.tags == tags) {
            continue;
        }
        // §7.2: there is no session before the INVITE is accepted.
        if sip.method() == "UPDATE" && !all.iter().any(|former| former.tags == tags) {
            continue;
        }
        let known = out || knows_timer(request);
        let timer = expires(sip).filter(|_| known).and_then(|it| match it.refresher.as_deref() {
            Some("uac") => Some((it.seconds, !out)),
            Some("uas") => Some((it.seconds, out)),
            _ => None,
        });
        all.push(Running { line, timer, tags });
    }
    all
}

/// §10: who refreshes does so in time; who does not says BYE a little before the end where nothing came.
fn judge_refreshes(view: &mut View<'_>) {
    let all = running(view);
    for (number, one) in all.iter().enumerate() {
        let Some((seconds, ours)) = one.timer else { continue };
        // Who sends less than the least (§4) is asked to keep to it, not cut off by it.
        let interval = if ours { seconds } else { seconds.max(FLOOR) } * SECOND;
        let due = view.at(one.line) + interval - (32 * SECOND).min(interval / 3);
        let renewed = all[number + 1..].iter().any(|next| next.tags == one.tags && view.at(next.line) <= due);
        if renewed || due + TOLERANCE >= view.end {
            continue;
        }
        let inside = |line: &usize| {
            let (seen, sip) = (&view.seen[*line], view.sip(*line));
            let (from, to) = (sip.from_tag().unwrap_or_default(), sip.to_tag().unwrap_or_default());
            let own = if seen.out == sip.is_request() { (from, to) } else { (to, from) };
            own == one.tags && *line > one.line && seen.at <= due + TOLERANCE
        };
        let lines: Vec<usize> = (0..view.seen.len()).filter(inside).collect();
        let ends = |line: &&usize| {
            let gone = matches!(view.sip(**line).status(), Some(404 | 408 | 410 | 416 | 480..=485 | 501 | 502 | 604));
            view.sip(**line).method() == "BYE" || gone || view.seen[**line].failed
        };
        let asks = |line: &&usize| view.sip(**line).is_request() && sets(view.sip(**line));
        let tried = lines.iter().rev().find(asks).copied();
        let over = lines.iter().any(|line| ends(&line));
        match tried {
            _ if over => {}
            // It has no answer yet, or was refused for now.
            Some(tried) if ours || view.at(tried) + view.timers.patience() > due => {}
            _ if ours => view.blame("refresh-owed", one.line, format!("no refresh within {seconds} s")),
            _ => view.blame("expiry-bye", one.line, format!("no BYE, and no refresh within {seconds} s")),
        }
    }
}
