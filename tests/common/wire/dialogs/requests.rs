//! What a party may send in a dialog, when, and where to (RFC 3261 §8.1.2, §12.2.1, §14.1, §15).

use super::reach::bare;
use super::{Dialog, Invite, Key, Open, Replay, key_of, swapped, tag};
use crate::common::sip::{Sip, is_loose, uri_address, uri_of};
use crate::common::wire::TOLERANCE;

impl Replay<'_, '_> {
    pub(super) fn request_out(&mut self, line: usize) {
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
        if dialog.ended && !outlives && !self.is_after_199(line) {
            self.view.blame("dialog-exists", line, "the early dialog had ended with its INVITE");
        }
        let mut faults = Vec::new();
        if dialog.local_cseq.is_some_and(|former| sip.cseq() != former + 1) {
            faults.push(("dialog-cseq", format!("{} after {:?}", sip.cseq(), dialog.local_cseq)));
        }
        // RFC 4916 §4: an UPDATE may tell another identity.
        let from_stays = sip.method() == "UPDATE" || uri_of(sip.value("from")) == dialog.local_uri;
        if !from_stays || uri_of(sip.value("to")) != dialog.remote_uri {
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
        if sip.method() == "UPDATE" {
            faults.extend(self.update_faults(line, &key, dialog));
        }
        if matches!(sip.method(), "INVITE" | "UPDATE") {
            faults.extend(self.wait_fault(line, &key, dialog));
        }
        if sip.method() == "INVITE" {
            faults.extend(self.reinvite_fault(line, &key, dialog));
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
            // One that did not leave may go elsewhere.
            "UPDATE" if sip.sdp().is_none() || self.view.seen[line].failed => {}
            "INVITE" | "UPDATE" if sip.sdp().is_some() => {
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
    pub(super) fn offer_open(&self, line: usize, dialog: &Dialog) -> bool {
        let (now, patience) = (self.view.at(line), self.view.timers.patience());
        dialog.open.is_some_and(|open| {
            let given_up = match open.invite {
                Invite::Ours(client) if open.ours => self.given_up(client, line),
                Invite::Ours(_) | Invite::Theirs(_) => false,
            };
            !given_up && now + TOLERANCE < open.sent_at.saturating_add(patience)
        })
    }

    /// Whether a request of ours has had no response in 64*T1.
    fn given_up(&self, client: usize, line: usize) -> bool {
        let (view, known) = (&self.view, &self.view.clients[client]);
        let silent = !known.responses.iter().any(|response| *response < line);
        silent && view.at(known.sends[0]) + view.timers.patience() <= view.at(line)
    }

    /// RFC 6228 §4: a reliable 199 gets its PRACK, though its dialog has ended.
    fn is_after_199(&self, line: usize) -> bool {
        let (sip, came) = (self.view.sip(line), |former: &usize| !self.view.seen[*former].out);
        let mut responses = (0..line).filter(came).filter(|former| self.view.status(*former) == 199);
        sip.method() == "PRACK" && responses.any(|former| self.view.sip(former).to_tag() == sip.to_tag())
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
            view.sip(first).method() == view.sip(line).method() && first < line && same(first)
        };
        let refusals = (0..view.clients.len()).filter(refused).filter_map(|client| view.final_to(client));
        let last = refusals.filter(|last| *last < line && view.status(*last) == 491).max()?;
        let waited = view.at(line) - view.at(last);
        let owner = matches!(dialog.founded_by, Invite::Ours(_));
        (owner && waited + TOLERANCE < 2_100_000)
            .then(|| ("glare-wait", format!("the owner of the Call-ID waited {} ms only", waited / 1_000)))
    }

    /// Our INVITE in a dialog that had no final response and was not given up before `line`.
    pub(super) fn ours_pending(&self, line: usize, key: &Key) -> Option<usize> {
        let (view, now, patience) = (&self.view, self.view.at(line), self.view.timers.patience());
        (0..view.clients.len()).find(|client| {
            let sends = &view.clients[*client].sends;
            let responses = &view.clients[*client].responses;
            let sip = view.sip(sends[0]);
            if sip.method() != "INVITE" || sends[0] >= line || key_of(sip) != *key {
                return false;
            }
            let answered = responses.iter().any(|response| *response < line && view.status(*response) >= 200);
            let given_up = self.given_up(*client, line) || self.cancelled_before(sip, now.saturating_sub(patience));
            !answered && !given_up && !view.seen[sends[0]].failed
        })
    }

    fn cancelled_before(&self, invite: &Sip, time: u64) -> bool {
        self.view.clients.iter().any(|other| {
            let sip = self.view.sip(other.sends[0]);
            sip.method() == "CANCEL" && sip.branch() == invite.branch() && self.view.at(other.sends[0]) <= time
        })
    }

    /// The peer's INVITE in a dialog that had no final response before `line`;
    /// with `unacknowledged`, also one that waits for ACK.
    pub(super) fn theirs_pending(&self, line: usize, key: &Key, unacknowledged: bool) -> Option<usize> {
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
        // Of those that went to one target after the other the last.
        let invite = (0..self.view.clients.len()).rev().find(|client| {
            let sent = self.view.clients[*client].sends[0];
            let first = self.view.sip(sent);
            let same_call = tag(first.from_tag()) == tag(sip.from_tag())
                && first.to_tag().is_none_or(|to| Some(to) == sip.to_tag());
            sent < line && first.method() == "INVITE" && first.cseq() == sip.cseq() && same_call
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
}

/// RFC 3261 §12.2.1.1: Request-URI and Route from remote target and route set.
fn route_faults(sip: &Sip, dialog: &Dialog) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let mut routes = dialog.routes.clone();
    let mut uri = dialog.target.clone();
    if routes.first().is_some_and(|route| !is_loose(route)) {
        let first = routes.remove(0);
        routes.extend(uri.map(|target| format!("<{target}>")));
        uri = Some(bare(&uri_of(&first), &["method"]));
    }
    let mut faults = Vec::new();
    if let Some(uri) = uri.filter(|uri| uri != sip.uri()) {
        faults.push(("dialog-target", format!("Request-URI {}, not {uri}", sip.uri())));
    }
    if sip.all("route") != routes {
        faults.push(("dialog-routes", format!("Route {:?}, not {routes:?}", sip.all("route"))));
    }
    faults.into_iter()
}
