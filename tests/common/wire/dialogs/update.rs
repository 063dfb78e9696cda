//! UPDATE (RFC 3311, RFC 6337 §4.3): when one may go, with an offer or without, and what one that came is answered.

use super::{Dialog, Invite, Key, Open, Replay, key_of};
use crate::common::sip::Sip;
use crate::common::wire::TOLERANCE;

type Fault = (&'static str, String);

impl Replay<'_, '_> {
    /// What is wrong with an UPDATE of ours (§5.1).
    pub(super) fn update_faults(&self, line: usize, key: &Key, dialog: &Dialog) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.waits_at(line, key, "UPDATE") {
            faults.push(("update-overlap", "while an UPDATE of its own has no final response".to_owned()));
        }
        if let Some(detail) = self.unwanted(line, key) {
            faults.push(("update-allow", detail));
        }
        if self.view.sip(line).sdp().is_none() {
            return faults;
        }
        if self.offer_open(line, dialog) {
            faults.push(("one-offer", "an offer in UPDATE while another waits for its answer".to_owned()));
        }
        // A dialog that a 2xx made is not early; its exchange is that of the 2xx and the ACK.
        let early = dialog.founded_by;
        let pending = match early {
            invite if dialog.confirmed.is_none() => Some(invite),
            _ => (self.ours_pending(line, key).map(Invite::Ours))
                .or_else(|| self.theirs_pending(line, key, false).map(Invite::Theirs)),
        };
        let fault = match pending {
            Some(Invite::Ours(client)) if dialog.settled != Some(client) => "no reliable response has completed",
            Some(Invite::Ours(_)) if self.waits_at(line, key, "PRACK") => "no 2xx to its PRACK has come in",
            Some(Invite::Theirs(server)) if dialog.given != Some(server) => "no reliable response of its own completed",
            Some(Invite::Theirs(_)) if dialog.unacknowledged.is_some() => "no PRACK has completed",
            _ => return faults,
        };
        faults.push(("update-offer", format!("an offer in UPDATE where {fault} the exchange of the INVITE")));
        faults
    }

    /// Whether a request of ours in a dialog waits for its final response.
    fn waits_at(&self, line: usize, key: &Key, method: &str) -> bool {
        let (view, now) = (&self.view, self.view.at(line));
        view.clients.iter().enumerate().any(|(client, known)| {
            let first = known.sends[0];
            let sip = view.sip(first);
            first < line
                && sip.method() == method
                && key_of(sip) == *key
                && view.final_to(client).is_none_or(|last| last > line)
                && view.at(first) + view.timers.patience() > now + TOLERANCE
                && !view.seen[first].failed
        })
    }

    /// That the peer takes no UPDATE: each Allow of its in the dialog says so, or a 405 or 501 to one.
    fn unwanted(&self, line: usize, key: &Key) -> Option<String> {
        let view = &self.view;
        let (mut shown, mut listed) = (false, false);
        for former in (0..line).filter(|former| !view.seen[*former].out) {
            let sip = view.sip(former);
            let own = if sip.is_request() { sip.to_tag() } else { sip.from_tag() };
            let peer = if sip.is_request() { sip.from_tag() } else { sip.to_tag() };
            // The INVITE that founds the dialog has no tag of ours.
            let ours = own.is_none_or(|own| own == key.1);
            if !ours || peer.unwrap_or_default() != key.2 {
                continue;
            }
            if sip.method() == "UPDATE" && matches!(sip.status(), Some(405 | 501)) {
                return Some(format!("the peer had answered {} to one", sip.status().unwrap_or_default()));
            }
            let allow = sip.all("allow");
            shown |= !allow.is_empty();
            listed |= allow.contains(&"UPDATE");
        }
        (shown && !listed).then(|| "no Allow of the peer's lists it".to_owned())
    }

    /// What is wrong with the final response to an UPDATE of the peer's (§5.2).
    pub(super) fn update_answer_fault(&self, line: usize, server: usize, receipt: usize, key: &Key) -> Option<Fault> {
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let request = self.view.sip(receipt);
        let dialog = self.dialogs.get(key)?;
        let overlaps = self.view.servers.iter().enumerate().any(|(other, known)| {
            let first = known.receipts[0];
            let sip = self.view.sip(first);
            other != server
                && first < receipt
                && sip.method() == "UPDATE"
                && key_of(sip) == key_of(request)
                && sip.cseq() < request.cseq()
                && self.view.final_of(other).is_none_or(|last| last > receipt)
        });
        let expected: &[u16] = match dialog.met.get(&server) {
            _ if overlaps => &[500],
            None => return None,
            // RFC 6337 §4.3: our offer in a response to the peer's INVITE waits for ACK or PRACK.
            Some(Open { ours: true, invite: Invite::Theirs(_), .. }) => &[491, 500],
            Some(Open { ours: true, .. } | Open { invite: Invite::Ours(_), .. }) => &[491],
            Some(Open { ours: false, .. }) => &[500],
        };
        // What comes before, and the end of the dialog.
        if matches!(status, 400 | 401 | 405 | 407 | 413 | 415 | 420..=422 | 481 | 487 | 501 | 503 | 513) {
            return None;
        }
        if !expected.contains(&status) {
            let rule = if expected[0] == 500 { "update-500" } else { "update-491" };
            return Some((rule, format!("{status}, not {expected:?}: {}", before(overlaps))));
        }
        let wait = response.value("retry-after").split([' ', ';', '(']).next().and_then(|wait| wait.parse().ok());
        (status == 500 && wait.is_none_or(|wait: u32| wait > 10))
            .then(|| ("update-500", format!("Retry-After {:?}, not 0 to 10", response.get("retry-after"))))
    }

    /// What an INVITE of the peer's with an offer has to be answered instead of 2xx, for an UPDATE's was open (RFC 6337
    /// §4.3).
    pub(super) fn met_update(&self, server: usize, key: &Key) -> Option<&'static str> {
        let met = self.dialogs.get(key)?.met.get(&server)?;
        let (line, rule) = match met.invite {
            Invite::Ours(client) => (self.view.clients[client].sends[0], "update-491"),
            Invite::Theirs(server) => (self.view.servers[server].receipts[0], "update-500"),
        };
        (self.view.sip(line).method() == "UPDATE").then_some(rule)
    }

    /// What the final response to an UPDATE of the peer's does to offer and answer.
    pub(super) fn update_answered(&mut self, line: usize, server: usize, key: &Key) {
        let (response, status) = (self.view.sip(line), self.view.status(line));
        let offered = self.view.sip(self.view.servers[server].receipts[0]).sdp().is_some();
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        if dialog.open.is_some_and(|open| open.invite == Invite::Theirs(server)) {
            dialog.open = None;
        }
        if dialog.is_over() || !(200..300).contains(&status) {
            return;
        }
        match (offered, response.sdp().is_some()) {
            (true, false) => self.view.blame("answer-missing", line, "2xx to an UPDATE with an offer"),
            (false, true) => {
                self.view.blame("answer-unasked", line, "a description in the 2xx to an UPDATE without offer");
            }
            _ => {}
        }
    }

    /// An UPDATE of the peer's with an offer: it is open, or meets another.
    pub(super) fn update_offered(&mut self, line: usize, server: usize, key: &Key) {
        let Some(dialog) = self.dialogs.get(key) else { return };
        let open = dialog.open.filter(|_| self.offer_open(line, dialog));
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        match open {
            Some(open) => drop(dialog.met.insert(server, open)),
            None => {
                dialog.open = Some(Open { ours: false, invite: Invite::Theirs(server), sent_at: u64::MAX });
            }
        }
    }
}

impl Dialog {
    /// A description of ours in a reliable response waits for its PRACK.
    pub(super) fn described(&mut self, response: &Sip) {
        self.unacknowledged = response.get("rseq").map(str::to_owned);
    }

    /// A PRACK of the peer's came.
    pub(super) fn acknowledged(&mut self, prack: &Sip) {
        let number = prack.value("rack").split_whitespace().next().map(str::to_owned);
        self.unacknowledged.take_if(|waiting| number.as_ref() == Some(waiting));
    }
}

fn before(overlaps: bool) -> &'static str {
    if overlaps { "the UPDATE before it was not answered" } else { "another offer was open" }
}
