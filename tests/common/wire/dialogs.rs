//! RFC 3261 §12 to §15, RFC 3264, RFC 5407, RFC 6141: a replay of each dialog as one party saw it.

use super::prack::is_in_order;
use super::transactions::forgotten;
use super::{TOLERANCE, View};
use crate::common::sip::{Sip, is_loose, uri_address, uri_of};
use std::collections::HashMap;

/// Call-ID, local tag, remote tag.
type Key = (String, String, String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Invite {
    Ours(usize),
    Theirs(usize),
}

/// An offer that waits for its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Open {
    ours: bool,
    invite: Invite,
    /// Ours, in a 2xx: closed by ACK or 64*T1 after this.
    sent_at: u64,
}

struct Dialog {
    founded_by: Invite,
    local_uri: String,
    remote_uri: String,
    local_cseq: Option<u32>,
    target: Option<String>,
    routes: Vec<String>,
    /// Line of the first 2xx.
    confirmed: Option<usize>,
    ack_seen: bool,
    ack_sent: bool,
    own_bye: Option<usize>,
    bye_came: Option<usize>,
    bye_answered: bool,
    bye_challenged: bool,
    /// A non-2xx final response ended it while early.
    ended: bool,
    open: Option<Open>,
    /// The INVITE of ours whose exchange reliable responses have completed.
    settled: Option<usize>,
    /// The INVITE of theirs whose description of ours went in a reliable response.
    given: Option<usize>,
    /// Description in an unreliable provisional response of ours.
    preview: Option<String>,
    /// An ACK without the answer was sent: BYE has to follow.
    owes_bye: Option<usize>,
}

struct Replay<'v, 'a> {
    view: &'v mut View<'a>,
    dialogs: HashMap<Key, Dialog>,
}

pub fn judge(view: &mut View<'_>) {
    let mut replay = Replay { view, dialogs: HashMap::new() };
    for line in 0..replay.view.seen.len() {
        let (out, request) = (replay.view.seen[line].out, replay.view.sip(line).is_request());
        match (out, request) {
            (true, true) => replay.request_out(line),
            (true, false) => replay.response_out(line),
            (false, true) => replay.request_in(line),
            (false, false) => replay.response_in(line),
        }
    }
    let living = replay.dialogs.values().filter(|dialog| dialog.own_bye.is_none() && dialog.bye_came.is_none());
    let owed: Vec<_> = living.filter_map(|dialog| dialog.owes_bye).collect();
    for line in owed {
        replay.view.blame("answer-missing", line, "an ACK without the answer to the 2xx's offer, and no BYE");
    }
}

fn tag(value: Option<String>) -> String {
    value.unwrap_or_default()
}

/// The key as the sender of the request sees it.
fn key_of(sip: &Sip) -> Key {
    (sip.call_id().to_owned(), tag(sip.from_tag()), tag(sip.to_tag()))
}

fn swapped(key: Key) -> Key {
    (key.0, key.2, key.1)
}

/// Codes of the checks that come before the dialog's own (RFC 3261 §8.2) and of limits.
fn refused_before(status: u16) -> bool {
    matches!(status, 400 | 401 | 405 | 407 | 413 | 415 | 416 | 420 | 482 | 500 | 501 | 503 | 513)
}

impl Replay<'_, '_> {
    fn request_out(&mut self, line: usize) {
        let sip = self.view.sip(line);
        match sip.method() {
            "ACK" => return self.ack_out(line),
            "CANCEL" => return self.same_hop(line),
            _ if !self.view.is_first(line) => return,
            _ => {}
        }
        if sip.to_tag().is_none() {
            return self.judge_hop(line, sip, None);
        }
        let key = key_of(sip);
        let Some(dialog) = self.dialogs.get(&key) else {
            return self.view.blame("dialog-exists", line, "no message had made a dialog with these tags");
        };
        // RFC 5057 §5.5: the subscriptions of REFERs outlive the INVITE's usage.
        let outlives = matches!(sip.method(), "NOTIFY" | "SUBSCRIBE");
        if dialog.ended && !outlives {
            self.view.blame("dialog-exists", line, "the early dialog had ended with its INVITE");
        }
        let mut faults = Vec::new();
        if dialog.local_cseq.is_some_and(|former| sip.cseq() != former + 1) {
            faults.push(("dialog-cseq", format!("{} after {:?}", sip.cseq(), dialog.local_cseq)));
        }
        if uri_of(sip.value("from")) != dialog.local_uri || uri_of(sip.value("to")) != dialog.remote_uri {
            faults.push(("dialog-uris", format!("From {}, To {}", sip.value("from"), sip.value("to"))));
        }
        let again = sip.method() == "BYE" && dialog.bye_challenged && !dialog.bye_answered;
        if (dialog.own_bye.is_some() || dialog.bye_answered) && !again && !outlives {
            faults.push(("mortal", format!("{} after BYE", sip.method())));
        }
        faults.extend(route_faults(sip, dialog));
        if sip.method() == "BYE" {
            faults.extend(self.bye_fault(line, dialog));
        }
        if sip.method() == "INVITE" {
            faults.extend(self.reinvite_fault(line, &key, dialog));
            faults.extend(self.wait_fault(line, &key, dialog));
            if sip.sdp().is_some() && self.offer_open(line, dialog) {
                faults.push(("one-offer", "an offer while another waits for its answer".to_owned()));
            }
        }
        if sip.method() == "PRACK" && sip.sdp().is_some() && dialog.open.is_some_and(|open| open.ours) {
            faults.push(("one-offer", "an offer in PRACK while another waits for its answer".to_owned()));
        }
        let strict = dialog.routes.first().is_some_and(|route| !is_loose(route));
        for (rule, detail) in faults {
            self.view.blame(rule, line, detail);
        }
        self.judge_hop(line, sip, strict.then_some(sip.uri()));
        let client = self.view.of[line];
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        dialog.local_cseq = Some(sip.cseq());
        match sip.method() {
            "BYE" => (dialog.own_bye, dialog.bye_challenged) = (Some(line), false),
            "INVITE" if sip.sdp().is_some() => {
                dialog.open = client.map(|client| Open { ours: true, invite: Invite::Ours(client), sent_at: u64::MAX });
            }
            "PRACK" if sip.sdp().is_some() => match (dialog.open, client) {
                (Some(Open { ours: false, invite: Invite::Ours(invite), .. }), _) => {
                    (dialog.open, dialog.settled) = (None, Some(invite));
                }
                (None, Some(client)) => {
                    dialog.open = Some(Open { ours: true, invite: Invite::Ours(client), sent_at: u64::MAX });
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Whether an offer of this dialog is open now.
    fn offer_open(&self, line: usize, dialog: &Dialog) -> bool {
        let patience = self.view.timers.patience();
        dialog.open.is_some_and(|open| self.view.at(line) + TOLERANCE < open.sent_at.saturating_add(patience))
    }

    fn bye_fault(&self, line: usize, dialog: &Dialog) -> Option<(&'static str, String)> {
        let fault = match (dialog.founded_by, dialog.confirmed) {
            (Invite::Theirs(_), None) => "callee in an early dialog",
            (Invite::Theirs(_), Some(accepted)) => {
                let expired = self.view.at(line) + TOLERANCE >= self.view.at(accepted) + self.view.timers.patience();
                if dialog.ack_seen || expired {
                    return None;
                }
                "callee before the ACK or 64*T1"
            }
            (Invite::Ours(_), Some(_)) if !dialog.ack_sent => "caller before the ACK of its own",
            (Invite::Ours(_), _) => return None,
        };
        Some(("bye-forbidden", fault.to_owned()))
    }

    /// RFC 3261 §14.1.
    fn reinvite_fault(&self, line: usize, key: &Key, dialog: &Dialog) -> Option<(&'static str, String)> {
        let fault = if dialog.confirmed.is_none() {
            "in an early dialog"
        } else if self.ours_pending(line, key).is_some() {
            "while an INVITE of its own has no final response"
        } else if self.theirs_pending(line, key, true).is_some() {
            "while the peer's INVITE is not over"
        } else {
            return None;
        };
        Some(("reinvite-forbidden", fault.to_owned()))
    }

    /// RFC 3261 §14.1: the owner of the Call-ID lets at least 2.1 s pass before what got a 491 goes out again.
    fn wait_fault(&self, line: usize, key: &Key, dialog: &Dialog) -> Option<(&'static str, String)> {
        let view = &self.view;
        let same = |first: usize| key_of(view.sip(first)) == *key && view.sip(first).sdp() == view.sip(line).sdp();
        let refused = |client: &usize| {
            let first = view.clients[*client].sends[0];
            view.sip(first).method() == "INVITE" && first < line && same(first)
        };
        let refusals = (0..view.clients.len()).filter(refused).filter_map(|client| view.final_to(client));
        let last = refusals.filter(|last| *last < line && view.status(*last) == 491).max()?;
        let waited = view.at(line) - view.at(last);
        let owner = matches!(dialog.founded_by, Invite::Ours(_));
        (owner && waited + TOLERANCE < 2_100_000)
            .then(|| ("glare-wait", format!("the owner of the Call-ID waited {} ms only", waited / 1_000)))
    }

    /// Our INVITE in a dialog that had no final response and was not given up before `line`.
    fn ours_pending(&self, line: usize, key: &Key) -> Option<usize> {
        let (view, now, patience) = (&self.view, self.view.at(line), self.view.timers.patience());
        (0..view.clients.len()).find(|client| {
            let sends = &view.clients[*client].sends;
            let responses = &view.clients[*client].responses;
            let sip = view.sip(sends[0]);
            if sip.method() != "INVITE" || sends[0] >= line || key_of(sip) != *key {
                return false;
            }
            let answered = responses.iter().any(|response| *response < line && view.status(*response) >= 200);
            let silent = !responses.iter().any(|response| *response < line);
            let given_up = (silent && view.at(sends[0]) + patience <= now)
                || self.cancelled_before(sip, now.saturating_sub(patience));
            !answered && !given_up && !view.seen[sends[0]].failed
        })
    }

    fn cancelled_before(&self, invite: &Sip, time: u64) -> bool {
        self.view.clients.iter().any(|other| {
            let sip = self.view.sip(other.sends[0]);
            sip.method() == "CANCEL" && sip.branch() == invite.branch() && self.view.at(other.sends[0]) <= time
        })
    }

    /// The peer's INVITE in a dialog that had no final response before `line`; with `unacknowledged`, also one that waits for ACK.
    fn theirs_pending(&self, line: usize, key: &Key, unacknowledged: bool) -> Option<usize> {
        let (view, now, patience) = (&self.view, self.view.at(line), self.view.timers.patience());
        (0..view.servers.len()).find(|server| {
            let receipts = &view.servers[*server].receipts;
            let sip = view.sip(receipts[0]);
            if sip.method() != "INVITE" || receipts[0] >= line || view.of[line] == Some(*server) && !view.seen[line].out
            {
                return false;
            }
            let last = view.final_of(*server).filter(|last| *last < line);
            let mut own = swapped(key_of(sip));
            if own.1.is_empty() {
                own.1 = tag(last.and_then(|last| view.sip(last).to_tag()));
            }
            let acked = view.servers[*server].acks.iter().any(|ack| *ack < line);
            let waits = unacknowledged && !acked && last.is_some_and(|last| view.at(last) + patience > now + TOLERANCE);
            own == *key && (last.is_none() || waits)
        })
    }

    /// CANCEL and the ACK to a non-2xx go where the INVITE went.
    fn same_hop(&mut self, line: usize) {
        let sip = self.view.sip(line);
        let invite = (self.view.clients.iter())
            .map(|client| client.sends[0])
            .find(|first| self.view.sip(*first).method() == "INVITE" && self.view.sip(*first).branch() == sip.branch());
        if let Some(invite) = invite {
            let (target, expected) = (self.view.seen[line].target, self.view.seen[invite].target);
            if target != expected {
                self.view.blame("next-hop", line, format!("went to {target}, the INVITE to {expected}"));
            }
        }
    }

    /// RFC 3261 §8.1.2: to the first Route, else to the Request-URI.
    fn judge_hop(&mut self, line: usize, sip: &Sip, strict: Option<&str>) {
        let hop = strict.map(str::to_owned).or_else(|| sip.get("route").filter(|route| is_loose(route)).map(uri_of));
        let hop = hop.unwrap_or_else(|| sip.uri().to_owned());
        let target = self.view.seen[line].target;
        if let Some(expected) = uri_address(&hop).filter(|expected| *expected != target) {
            self.view.blame("next-hop", line, format!("went to {target}, not to {expected}"));
        }
    }

    fn ack_out(&mut self, line: usize) {
        let sip = self.view.sip(line);
        let invite = (0..self.view.clients.len()).find(|client| {
            let first = self.view.sip(self.view.clients[*client].sends[0]);
            let same_call = tag(first.from_tag()) == tag(sip.from_tag())
                && first.to_tag().is_none_or(|to| Some(to) == sip.to_tag());
            first.method() == "INVITE" && first.cseq() == sip.cseq() && same_call
        });
        let Some(client) = invite else { return };
        let request = self.view.sip(self.view.clients[client].sends[0]);
        if request.branch() == sip.branch() {
            return self.same_hop(line);
        }
        let key = key_of(sip);
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        let answers_offer = dialog.open.is_some_and(|open| !open.ours && open.invite == Invite::Ours(client));
        let repeat = self
            .view
            .acks_out
            .iter()
            .any(|other| *other < line && self.view.seen[*other].bytes == self.view.seen[line].bytes);
        if repeat {
            return;
        }
        dialog.ack_sent = true;
        let mut faults: Vec<_> = route_faults(sip, dialog).collect();
        match (answers_offer, sip.sdp().is_some()) {
            (true, true) => dialog.open = None,
            (true, false) => (dialog.open, dialog.owes_bye) = (None, Some(line)),
            (false, true) => {
                faults.push(("answer-unasked", "a description in an ACK where the 2xx had no offer".to_owned()))
            }
            (false, false) => {}
        }
        let strict = dialog.routes.first().is_some_and(|route| !is_loose(route));
        for (rule, detail) in faults {
            self.view.blame(rule, line, detail);
        }
        self.judge_hop(line, sip, strict.then_some(sip.uri()));
    }

    fn response_in(&mut self, line: usize) {
        let Some(client) = self.view.of[line] else { return };
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let request = self.view.sip(self.view.clients[client].sends[0]);
        let over = self.view.final_to(client).filter(|last| *last < line);
        let given_up = request.method() == "INVITE" && forgotten(self.view, client, line);
        if over.is_some_and(|last| self.view.status(last) >= 300) || given_up {
            return;
        }
        if request.to_tag().is_none() && request.method() == "INVITE" {
            return self.initial_response_in(line, client);
        }
        let in_order = is_in_order(self.view, line);
        let Some(dialog) = self.dialogs.get_mut(&key_of(request)) else { return };
        if in_order {
            dialog.reliable_in(request, response, client);
        }
        if over.is_some() || status < 200 {
            return;
        }
        match (request.method(), status) {
            ("BYE", 401 | 407) => dialog.bye_challenged = true,
            ("INVITE", 200..300) => {
                dialog.target = response.contact().or(dialog.target.take());
                dialog.ack_sent = true;
                dialog.accepted_in(request, response, client);
            }
            ("PRACK", _) if dialog.open.is_some_and(|open| open.invite == Invite::Ours(client)) => dialog.open = None,
            ("UPDATE" | "REFER" | "NOTIFY" | "SUBSCRIBE", 200..300) => {
                dialog.target = response.contact().or(dialog.target.take());
            }
            ("INVITE", _) if dialog.open.is_some_and(|open| open.invite == Invite::Ours(client)) => dialog.open = None,
            _ => {}
        }
    }

    fn initial_response_in(&mut self, line: usize, client: usize) {
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let request = self.view.sip(self.view.clients[client].sends[0]);
        if status >= 300 {
            for dialog in self.dialogs.values_mut() {
                dialog.ended |= dialog.founded_by == Invite::Ours(client) && dialog.confirmed.is_none();
            }
            return;
        }
        if status == 100 || (response.to_tag().is_none() && status < 200) {
            return;
        }
        let routes: Vec<String> = response.all("record-route").into_iter().rev().map(str::to_owned).collect();
        let offered =
            request.sdp().is_some().then_some(Open { ours: true, invite: Invite::Ours(client), sent_at: u64::MAX });
        let key = (request.call_id().to_owned(), tag(request.from_tag()), tag(response.to_tag()));
        // An INVITE that was sent again for a challenge may get the tag of the first one again: another dialog.
        self.dialogs
            .retain(|other, dialog| !(*other == key && dialog.ended && dialog.founded_by != Invite::Ours(client)));
        let in_order = is_in_order(self.view, line);
        let dialog = self.dialogs.entry(key).or_insert_with(|| Dialog {
            target: response.contact(),
            routes: routes.clone(),
            local_cseq: Some(request.cseq()),
            open: offered,
            ..Dialog::new(Invite::Ours(client), uri_of(request.value("from")), uri_of(request.value("to")))
        });
        if status >= 200 && dialog.confirmed.is_none() {
            dialog.confirmed = Some(line);
            dialog.routes = routes;
            dialog.target = response.contact().or(dialog.target.take());
            dialog.accepted_in(request, response, client);
        } else if in_order {
            dialog.reliable_in(request, response, client);
        }
    }

    fn request_in(&mut self, line: usize) {
        let (sip, of) = (self.view.sip(line), self.view.of[line]);
        let Some(dialog) = self.dialogs.get_mut(&swapped(key_of(sip))) else { return };
        match sip.method() {
            "ACK" => {
                let Some(server) = of else { return };
                dialog.ack_seen |= dialog.founded_by == Invite::Theirs(server);
                if dialog.open.is_some_and(|open| open.ours && open.invite == Invite::Theirs(server)) {
                    dialog.open = None;
                }
            }
            "BYE" => {
                dialog.bye_came.get_or_insert(line);
            }
            "INVITE" if self.view.is_first(line) && sip.sdp().is_some() && dialog.open.is_none() => {
                dialog.open = of.map(|server| Open { ours: false, invite: Invite::Theirs(server), sent_at: u64::MAX });
            }
            // RFC 3262 §5: the answer to the offer in our 1xx, or an offer.
            "PRACK" if self.view.is_first(line) && sip.sdp().is_some() => match dialog.open {
                Some(Open { ours: true, invite: Invite::Theirs(invite), .. }) if dialog.given == Some(invite) => {
                    dialog.open = None;
                }
                None => {
                    let theirs = |server| Open { ours: false, invite: Invite::Theirs(server), sent_at: u64::MAX };
                    dialog.open = of.map(theirs);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn response_out(&mut self, line: usize) {
        let Some(server) = self.view.of[line] else { return };
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let receipt = self.view.servers[server].receipts[0];
        let request = self.view.sip(receipt);
        let repeat = self.view.final_of(server).is_some_and(|last| last < line);
        if repeat || status == 100 || request.method() == "CANCEL" {
            return;
        }
        if request.to_tag().is_none() {
            if request.method() == "REFER" && (200..300).contains(&status) {
                // RFC 3515 §2.4.4: a dialog for its subscription; no call is in it.
                let key = (request.call_id().to_owned(), tag(response.to_tag()), tag(request.from_tag()));
                let (local, remote) = (uri_of(request.value("to")), uri_of(request.value("from")));
                let dialog = Dialog {
                    target: request.contact(),
                    routes: request.all("record-route").into_iter().map(str::to_owned).collect(),
                    bye_came: Some(line),
                    ..Dialog::new(Invite::Theirs(server), local, remote)
                };
                self.dialogs.insert(key, dialog);
            } else if request.method() == "INVITE" && status < 300 {
                self.initial_response_out(line, server, request, response);
            } else if request.method() == "INVITE" {
                for dialog in self.dialogs.values_mut() {
                    dialog.ended |= dialog.founded_by == Invite::Theirs(server) && dialog.confirmed.is_none();
                }
            }
            return;
        }
        let key = swapped(key_of(request));
        if status >= 200 {
            self.judge_final(line, server, receipt, &key);
        }
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        match (request.method(), status) {
            ("INVITE", _) => self.description_out(line, server, &key),
            ("PRACK", 200..) if dialog.open.is_some_and(|open| open.invite == Invite::Theirs(server)) => {
                dialog.open = None;
                // One that comes after the end of its dialog is acknowledged, and no more.
                if status < 300 && response.sdp().is_none() && !dialog.is_over() {
                    self.view.blame("answer-missing", line, "2xx to a PRACK with an offer");
                }
            }
            ("PRACK", 200..300) if response.sdp().is_some() => {
                self.view.blame("answer-unasked", line, "a description in the 2xx to a PRACK without offer");
            }
            ("BYE", 200..300) => dialog.bye_answered = true,
            _ => {}
        }
        if let Some(dialog) = self.dialogs.get_mut(&key) {
            let refreshes = matches!(request.method(), "INVITE" | "UPDATE" | "REFER" | "NOTIFY" | "SUBSCRIBE");
            // RFC 6141 §4: a 2xx, or a reliable provisional response.
            let reliable = status < 200 && response.get("rseq").is_some();
            if refreshes && (reliable || (200..300).contains(&status)) {
                dialog.target = request.contact().or(dialog.target.take());
            }
        }
    }

    fn initial_response_out(&mut self, line: usize, server: usize, request: &Sip, response: &Sip) {
        if response.all("record-route") != request.all("record-route") {
            self.view.blame("record-route-copied", line, format!("{:?}", response.all("record-route")));
        }
        let offered =
            request.sdp().is_some().then_some(Open { ours: false, invite: Invite::Theirs(server), sent_at: u64::MAX });
        let key = (request.call_id().to_owned(), tag(response.to_tag()), tag(request.from_tag()));
        let dialog = self.dialogs.entry(key.clone()).or_insert_with(|| Dialog {
            target: request.contact(),
            routes: request.all("record-route").into_iter().map(str::to_owned).collect(),
            open: offered,
            ..Dialog::new(Invite::Theirs(server), uri_of(request.value("to")), uri_of(request.value("from")))
        });
        if response.status().is_some_and(|status| status >= 200) {
            dialog.confirmed.get_or_insert(line);
        }
        self.description_out(line, server, &key);
    }

    /// What a response of ours to an INVITE does to offer and answer.
    fn description_out(&mut self, line: usize, server: usize, key: &Key) {
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let request = self.view.sip(self.view.servers[server].receipts[0]);
        let own = Invite::Theirs(server);
        let at = self.view.at(line);
        let patience = self.view.timers.patience();
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        let other = dialog
            .open
            .is_some_and(|open| open.invite != own && at + TOLERANCE < open.sent_at.saturating_add(patience));
        let mut fault = None;
        let (reliable, given) = (response.get("rseq").is_some(), dialog.given == Some(server));
        match (status, request.sdp().is_some(), response.sdp()) {
            (101..200, _, None) => {}
            (101..200, ..) if reliable && given => {}
            (101..300, _, Some(_)) if given => {
                fault = Some(("answer-unasked", "a reliable response had the description"))
            }
            (200..300, _, None) if given => {}
            (101..200, offered, Some(sdp)) if reliable => {
                if dialog.preview.take().is_some_and(|preview| preview != sdp) {
                    fault = Some(("preview-equals-answer", "the answer is not what the provisional response said"));
                } else if other || !offered && dialog.open.is_some() {
                    fault = Some(("one-offer", "a description while another offer is open"));
                }
                dialog.given = Some(server);
                dialog.open = (!offered).then_some(Open { ours: true, invite: own, sent_at: u64::MAX });
            }
            (101..200, true, Some(sdp)) => match &dialog.preview {
                Some(former) if former != sdp => {
                    fault = Some(("preview-equals-answer", "another description than before"))
                }
                _ => dialog.preview = Some(sdp.to_owned()),
            },
            (101..200, false, Some(_)) => {
                if response.get("rseq").is_none() {
                    fault =
                        Some(("answer-unasked", "a description in an unreliable response to an INVITE without offer"));
                }
            }
            (200..300, true, sdp) => {
                let preview = dialog.preview.take();
                fault = match sdp {
                    None => Some(("answer-missing", "2xx without the answer")),
                    Some(_) if other => Some(("one-offer", "answered while another offer is open")),
                    Some(sdp) if preview.is_some_and(|preview| preview != sdp) => {
                        Some(("preview-equals-answer", "the answer is not what the provisional response said"))
                    }
                    Some(_) => None,
                };
                dialog.open = None;
            }
            (200..300, false, sdp) => {
                fault = match sdp {
                    None => Some(("offer-missing", "2xx to an INVITE without offer brings none")),
                    Some(_) if other => Some(("one-offer", "an offer while another waits for its answer")),
                    Some(_) => None,
                };
                dialog.open = Some(Open { ours: true, invite: own, sent_at: at });
            }
            _ => {
                dialog.preview = None;
                if dialog.open.is_some_and(|open| open.invite == own) {
                    dialog.open = None;
                }
            }
        }
        if let Some((rule, detail)) = fault {
            self.view.blame(rule, line, detail);
        }
    }

    /// The final response to a request in a dialog, against what the dialog was when the request came.
    fn judge_final(&mut self, line: usize, server: usize, receipt: usize, key: &Key) {
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let request = self.view.sip(receipt);
        let method = request.method();
        let Some(dialog) = self.dialogs.get(key) else {
            if status != 481 && !refused_before(status) {
                self.view.blame("no-dialog-481", line, format!("{status} to a {method} of no dialog"));
            }
            return;
        };
        let mortal = dialog.own_bye.is_some_and(|bye| bye < receipt)
            || dialog.bye_came.is_some_and(|bye| bye < receipt && method != "BYE");
        let accepted = (200..300).contains(&status);
        // RFC 3262 §3: a late PRACK is still good; `prack-481` judges it.
        if mortal && !matches!(method, "BYE" | "PRACK" | "NOTIFY" | "SUBSCRIBE") && accepted {
            self.view.blame("mortal-answer", line, format!("{status} to a {method} that came after BYE"));
        }
        let troubled = dialog.ended || self.had_trouble(line, key);
        if method == "BYE" && !mortal && !troubled && !accepted && !refused_before(status) {
            self.view.blame("bye-answer", line, format!("{status} to the BYE of a living dialog"));
        }
        if status == 481
            && !mortal
            && !troubled
            && method != "BYE"
            && method != "PRACK"
            && dialog.bye_came.is_none()
            && dialog.own_bye.is_none()
            // RFC 6665 §4.1.3: that says that there is no subscription.
            && method != "NOTIFY"
        {
            self.view.blame("no-dialog-481", line, format!("481 to a {method} of a living dialog"));
        }
        if method == "INVITE" && !mortal && !refused_before(status) || method == "INVITE" && status == 500 {
            if self.ours_pending(receipt, key).is_some() && status != 491 && status != 500 && status != 481 {
                self.view.blame("glare-491", line, format!("{status} while an INVITE of its own was pending"));
            } else if self.earlier_pending(receipt, server, key) {
                let wait =
                    response.value("retry-after").split([' ', ';', '(']).next().and_then(|wait| wait.parse().ok());
                if status != 481 && (status != 500 || wait.is_none_or(|wait: u32| wait > 10)) {
                    let detail = format!(
                        "{status}, Retry-After {wait:?}, while the peer's earlier INVITE had no final response"
                    );
                    self.view.blame("overlap-500", line, detail);
                }
            }
        }
        // RFC 3262 §3: a PRACK that comes after the end is still good, though its dialog counts no more.
        if accepted && method != "OPTIONS" && !(mortal && method == "PRACK") {
            self.judge_order(line, server, receipt);
        }
    }

    /// The peer's INVITE before this one had no final response when this one came.
    fn earlier_pending(&self, receipt: usize, server: usize, key: &Key) -> bool {
        self.theirs_pending(receipt, key, false).is_some_and(|other| other != server)
    }

    /// Whether a request of ours in the dialog went wrong, so that it may have ended without BYE (RFC 5057).
    fn had_trouble(&self, line: usize, key: &Key) -> bool {
        (0..self.view.clients.len()).any(|client| {
            let first = self.view.clients[client].sends[0];
            let sip = self.view.sip(first);
            let good = self.view.final_to(client).is_some_and(|last| last < line && self.view.status(last) < 300);
            let pending = self.view.at(first) + self.view.timers.patience() > self.view.at(line);
            let failed = self.view.final_to(client).is_some_and(|last| last < line && self.view.status(last) >= 300);
            key_of(sip) == *key && first < line && sip.method() != "CANCEL" && !good && (failed || !pending)
        })
    }

    /// RFC 3261 §12.2.2: what comes with a lower number than something that was processed is out of order.
    fn judge_order(&mut self, line: usize, server: usize, receipt: usize) {
        let request = self.view.sip(receipt);
        let key = key_of(request);
        let higher = (0..self.view.servers.len()).find(|other| {
            let first = self.view.servers[*other].receipts[0];
            let sip = self.view.sip(first);
            let passed = self.view.final_of(*other).is_some_and(|last| self.view.status(last) < 300);
            let counted = !matches!(sip.method(), "OPTIONS" | "CANCEL");
            *other != server
                && first < receipt
                && passed
                && counted
                && key_of(sip) == key
                && sip.cseq() >= request.cseq()
        });
        if let Some(other) = higher {
            let former = self.view.sip(self.view.servers[other].receipts[0]).value("cseq");
            self.view.blame("remote-cseq", line, format!("accepted {} after {former}", request.value("cseq")));
        }
    }
}

impl Dialog {
    fn new(founded_by: Invite, local_uri: String, remote_uri: String) -> Self {
        Self {
            founded_by,
            local_uri,
            remote_uri,
            local_cseq: None,
            target: None,
            routes: Vec::new(),
            confirmed: None,
            ack_seen: false,
            ack_sent: false,
            own_bye: None,
            bye_came: None,
            bye_answered: false,
            bye_challenged: false,
            ended: false,
            open: None,
            settled: None,
            given: None,
            preview: None,
            owes_bye: None,
        }
    }

    fn is_over(&self) -> bool {
        self.ended || self.own_bye.is_some() || self.bye_came.is_some()
    }

    /// A reliable provisional response to an INVITE of ours, in order (RFC 6141 §4.2, RFC 3262 §5).
    fn reliable_in(&mut self, request: &Sip, response: &Sip, client: usize) {
        self.target = response.contact().or(self.target.take());
        if response.sdp().is_none() || self.settled == Some(client) {
            return;
        }
        match self.open {
            Some(open) if open.ours && open.invite == Invite::Ours(client) => {
                (self.open, self.settled) = (None, Some(client));
            }
            None if request.sdp().is_none() => {
                self.open = Some(Open { ours: false, invite: Invite::Ours(client), sent_at: u64::MAX });
            }
            _ => {}
        }
    }

    /// A 2xx to an INVITE of ours: it answers, or brings the offer, unless reliable responses have done so.
    fn accepted_in(&mut self, request: &Sip, response: &Sip, client: usize) {
        if self.settled != Some(client) {
            let offers = request.sdp().is_none() && response.sdp().is_some();
            self.open = offers.then_some(Open { ours: false, invite: Invite::Ours(client), sent_at: u64::MAX });
        }
    }
}

/// RFC 3261 §12.2.1.1: Request-URI and Route from remote target and route set.
fn route_faults(sip: &Sip, dialog: &Dialog) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let plain = |uri: &str| uri.split('?').next().unwrap_or_default().to_owned();
    let mut routes = dialog.routes.clone();
    let mut uri = dialog.target.clone();
    if routes.first().is_some_and(|route| !is_loose(route)) {
        let first = routes.remove(0);
        routes.extend(uri.map(|target| format!("<{target}>")));
        uri = Some(uri_of(&first));
    }
    let mut faults = Vec::new();
    if let Some(uri) = uri.filter(|uri| plain(uri) != sip.uri()) {
        faults.push(("dialog-target", format!("Request-URI {}, not {uri}", sip.uri())));
    }
    if sip.all("route") != routes {
        faults.push(("dialog-routes", format!("Route {:?}, not {routes:?}", sip.all("route"))));
    }
    faults.into_iter()
}
