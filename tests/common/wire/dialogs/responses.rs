//! What a party may answer in a dialog (RFC 3261 §12.1.1, §12.2.2, §13.3.1, §14.2, §15.1.2), with what description.

use super::reach::target_in;
use super::{Dialog, Invite, Key, Open, Replay, key_of, swapped, tag};
use crate::common::sip::{Sip, uri_of};
use crate::common::wire::TOLERANCE;

/// Codes of the checks that come before the dialog's own (RFC 3261 §8.2) and of limits.
fn refused_before(status: u16) -> bool {
    matches!(status, 400 | 401 | 405 | 407 | 413 | 415 | 416 | 420..=422 | 482 | 500 | 501 | 503 | 513)
}

impl Replay<'_, '_> {
    pub(super) fn response_out(&mut self, line: usize) {
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
                    target: target_in(
                        request,
                        &request.all("record-route").into_iter().map(str::to_owned).collect::<Vec<_>>(),
                    ),
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
        if request.method() == "UPDATE" && status >= 200 {
            self.update_answered(line, server, &key);
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
                dialog.follow(request);
            }
            // RFC 4916 §4.
            if matches!(request.method(), "INVITE" | "UPDATE") && (200..300).contains(&status) {
                dialog.remote_uri = uri_of(request.value("from"));
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
            target: target_in(request, &request.all("record-route").into_iter().map(str::to_owned).collect::<Vec<_>>()),
            routes: request.all("record-route").into_iter().map(str::to_owned).collect(),
            open: offered,
            ..Dialog::new(Invite::Theirs(server), uri_of(request.value("to")), uri_of(request.value("from")))
        });
        dialog.ended |= response.status() == Some(199);
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
                dialog.described(response);
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
        if method == "UPDATE" && !mortal && !dialog.ended {
            let fault = self.update_answer_fault(line, server, receipt, key);
            fault.into_iter().for_each(|(rule, detail)| self.view.blame(rule, line, detail));
        }
        if method == "INVITE" && accepted {
            let fault = self.met_update(server, key);
            fault.into_iter().for_each(|rule| self.view.blame(rule, line, "the offer of an UPDATE was open"));
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
