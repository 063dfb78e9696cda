//! RFC 3515, RFC 4488, RFC 6665, RFC 7647: REFER and the subscription that it makes.

use super::{TOLERANCE, View};
use crate::common::sip::Sip;

pub fn judge(view: &mut View<'_>) {
    for line in 0..view.seen.len() {
        let (out, sip) = (view.seen[line].out, view.sip(line));
        let first = sip.is_request() && view.is_first(line);
        match (out, sip.is_request(), sip.method()) {
            (true, true, "REFER") if first => judge_refer(view, line),
            (true, true, "NOTIFY") if first => judge_notify(view, line),
            (true, true, "SUBSCRIBE") if first && sip.all("contact").len() != 1 => {
                view.blame("refer-contact", line, "SUBSCRIBE without one Contact");
            }
            (true, false, "REFER") => judge_answer(view, line),
            (true, false, "NOTIFY") => judge_notify_answer(view, line),
            _ => {}
        }
    }
}

/// Call-ID, our tag, the peer's.
type Dialog = (String, Option<String>, Option<String>);

fn sent_in(sip: &Sip) -> Dialog {
    (sip.call_id().to_owned(), sip.from_tag(), sip.to_tag())
}

fn received_in(sip: &Sip) -> Dialog {
    (sip.call_id().to_owned(), sip.to_tag(), sip.from_tag())
}

fn accepted(status: u16) -> bool {
    (200..300).contains(&status)
}

fn no_subscription(sip: &Sip) -> bool {
    sip.get("refer-sub").is_some_and(|value| value.eq_ignore_ascii_case("false"))
}

/// Event package and id.
fn event_of(sip: &Sip) -> (&str, Option<&str>) {
    let mut parts = sip.value("event").split(';').map(str::trim);
    (parts.next().unwrap_or_default(), parts.find_map(|part| part.strip_prefix("id=")))
}

fn is_over(notify: &Sip) -> bool {
    notify.value("subscription-state").starts_with("terminated")
}

fn judge_refer(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    if sip.all("refer-to").len() != 1 {
        view.blame("refer-to", line, format!("{:?}", sip.all("refer-to")));
    }
    if sip.all("contact").len() != 1 {
        view.blame("refer-contact", line, "REFER without one Contact");
    }
}

/// Our response to a REFER.
fn judge_answer(view: &mut View<'_>, line: usize) {
    let (sip, status) = (view.sip(line), view.status(line));
    let Some(server) = view.of[line] else { return };
    let refer = view.sip(view.servers[server].receipts[0]);
    if status == 202 {
        view.blame("refer-202", line, "202 to a REFER");
    }
    if !accepted(status) || view.final_of(server) != Some(line) {
        return;
    }
    if refer.all("refer-to").len() != 1 {
        view.blame("refer-to", line, format!("accepted with Refer-To {:?}", refer.all("refer-to")));
    }
    if sip.all("contact").len() != 1 {
        view.blame("refer-contact", line, "2xx to a REFER without one Contact");
    }
    if no_subscription(sip) {
        if !no_subscription(refer) {
            view.blame("refer-sub", line, "Refer-Sub: false that nobody asked for");
        }
        return;
    }
    // RFC 3515 §2.4.4: NOTIFY at once.
    let own = if refer.to_tag().is_some() {
        received_in(refer)
    } else {
        (received_in(refer).0, sip.to_tag(), refer.from_tag())
    };
    let at = view.at(line);
    let told = (line..view.seen.len()).any(|other| {
        let sip = view.sip(other);
        let is_notify = view.seen[other].out && sip.is_request() && sip.method() == "NOTIFY";
        is_notify && sent_in(sip) == own && view.at(other) <= at + TOLERANCE
    });
    if !told {
        view.blame("notify-at-once", line, "no NOTIFY follows the acceptance");
    }
}

/// A NOTIFY of ours: its form, and whether it has a subscription.
fn judge_notify(view: &mut View<'_>, line: usize) {
    let sip = view.sip(line);
    if sip.all("event").len() != 1 || sip.all("subscription-state").len() != 1 || sip.all("contact").len() != 1 {
        view.blame("notify-form", line, "Event, Subscription-State and Contact stand in it once each");
        return;
    }
    let (package, id) = event_of(sip);
    if package != "refer" {
        return;
    }
    if !sip.value("content-type").starts_with("message/sipfrag") || !sip.body.starts_with("SIP/2.0 ") {
        view.blame("notify-form", line, "its body is a message/sipfrag with a status line");
    }
    let state = sip.value("subscription-state");
    if !is_over(sip) && !state.contains(";expires=") {
        view.blame("notify-form", line, format!("{state} without expires"));
    }
    // REFERs that came before in this dialog: the order, the number, whether accepted.
    let own = sent_in(sip);
    let mut refers = Vec::new();
    for server in 0..view.servers.len() {
        let receipt = view.servers[server].receipts[0];
        let refer = view.sip(receipt);
        let answer = view.final_of(server).filter(|answer| *answer < line);
        let tag = refer.to_tag().or_else(|| answer.and_then(|answer| view.sip(answer).to_tag()));
        if refer.method() == "REFER" && receipt < line && (received_in(refer).0, tag, refer.from_tag()) == own {
            let lives =
                answer.is_some_and(|answer| accepted(view.status(answer)) && !no_subscription(view.sip(answer)));
            refers.push((receipt, refer.cseq().to_string(), lives));
        }
    }
    refers.sort_unstable();
    let found = match id {
        Some(id) => refers.iter().find(|(_, cseq, _)| cseq == id),
        None => refers.first(),
    };
    let over = (0..line).any(|other| {
        let former = view.sip(other);
        view.seen[other].out
            && former.is_request()
            && former.method() == "NOTIFY"
            && sent_in(former) == own
            && former.branch() != sip.branch()
            && event_of(former) == (package, id)
            && is_over(former)
            // Unless it was sent again with credentials.
            && !challenged(view, other)
    });
    if !found.is_some_and(|(_, _, lives)| *lives) || over {
        view.blame("notify-subscription", line, format!("no REFER has the subscription {:?}", sip.value("event")));
    }
}

fn challenged(view: &View<'_>, line: usize) -> bool {
    let answer = view.of[line].and_then(|client| view.final_to(client));
    answer.is_some_and(|answer| matches!(view.status(answer), 401 | 407))
}

/// Our answer to a NOTIFY: 2xx to one of event refer needs a REFER of ours.
fn judge_notify_answer(view: &mut View<'_>, line: usize) {
    let Some(server) = view.of[line] else { return };
    let receipt = view.servers[server].receipts[0];
    let notify = view.sip(receipt);
    if !accepted(view.status(line)) || event_of(notify).0 != "refer" {
        return;
    }
    let dialog = received_in(notify);
    let asked = view.clients.iter().any(|client| {
        let refer = view.sip(client.sends[0]);
        let same = (refer.call_id(), refer.from_tag()) == (dialog.0.as_str(), dialog.1.clone());
        refer.method() == "REFER" && client.sends[0] < receipt && same
    });
    if !asked {
        view.blame("notify-unasked", line, "accepted without a REFER of ours");
    }
}
