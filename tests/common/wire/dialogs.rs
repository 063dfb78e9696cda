//! RFC 3261 §12 to §15, RFC 3264, RFC 5407, RFC 6141: a replay of each dialog as one party saw it.

mod reach;
mod requests;
mod responses;
mod update;

use super::View;
use super::prack::is_in_order;
use super::transactions::forgotten;
use crate::common::sip::{Sip, uri_of};
use reach::{leads_nowhere, target_in};
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
    /// RSeq of a response of ours with a description, whose PRACK is not here.
    unacknowledged: Option<String>,
    /// The offer that was open when an UPDATE or INVITE of theirs (its server transaction) came with another.
    met: HashMap<usize, Open>,
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
            (true, true) if replay.view.moved_on(line) => replay.moved_on(line),
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

impl Replay<'_, '_> {
    /// The request was judged when it went to its first target; what it offers is open again.
    fn moved_on(&mut self, line: usize) {
        let (sip, client) = (self.view.sip(line), self.view.of[line]);
        let Some(dialog) = self.dialogs.get_mut(&key_of(sip)) else { return };
        if let (Some(client), "INVITE" | "UPDATE", Some(_)) = (client, sip.method(), sip.sdp()) {
            dialog.open = Some(Open { ours: true, invite: Invite::Ours(client), sent_at: u64::MAX });
        }
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
                dialog.follow(response);
                dialog.ack_sent = true;
                dialog.accepted_in(request, response, client);
            }
            ("PRACK", _) if dialog.open.is_some_and(|open| open.invite == Invite::Ours(client)) => dialog.open = None,
            ("UPDATE" | "REFER" | "NOTIFY" | "SUBSCRIBE", 200..300) => {
                dialog.follow(response);
                if request.method() == "UPDATE" {
                    dialog.local_uri = uri_of(request.value("from"));
                }
            }
            ("INVITE", _) if dialog.open.is_some_and(|open| open.invite == Invite::Ours(client)) => dialog.open = None,
            _ => {}
        }
        if request.method() == "UPDATE" {
            dialog.open.take_if(|open| open.invite == Invite::Ours(client));
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
        let in_order = is_in_order(self.view, line);
        let key = (request.call_id().to_owned(), tag(request.from_tag()), tag(response.to_tag()));
        // RFC 6228 §4: a 199 makes no dialog, but for its PRACK.
        if status == 199 && !in_order && !self.dialogs.contains_key(&key) {
            return;
        }
        let mut routes: Vec<String> = response.all("record-route").into_iter().rev().map(str::to_owned).collect();
        let mut target = target_in(response, &routes);
        // Then it goes as the INVITE went.
        let nowhere = leads_nowhere(response, &routes);
        if nowhere || target.is_none() {
            target = Some(request.uri().to_owned());
        }
        if nowhere {
            routes = request.all("route").into_iter().map(str::to_owned).collect();
        }
        let offered =
            request.sdp().is_some().then_some(Open { ours: true, invite: Invite::Ours(client), sent_at: u64::MAX });
        // An INVITE that was sent again for a challenge may get the tag of the first one again: another dialog.
        self.dialogs
            .retain(|other, dialog| !(*other == key && dialog.ended && dialog.founded_by != Invite::Ours(client)));
        let dialog = self.dialogs.entry(key).or_insert_with(|| Dialog {
            target,
            routes: routes.clone(),
            local_cseq: Some(request.cseq()),
            open: offered,
            ..Dialog::new(Invite::Ours(client), uri_of(request.value("from")), uri_of(request.value("to")))
        });
        dialog.ended |= status == 199;
        if status >= 200 && dialog.confirmed.is_none() {
            (dialog.confirmed, dialog.ended) = (Some(line), false);
            if !nowhere {
                dialog.routes = routes;
                dialog.follow(response);
            }
            dialog.accepted_in(request, response, client);
        } else if in_order {
            dialog.reliable_in(request, response, client);
        }
    }

    fn request_in(&mut self, line: usize) {
        let (sip, of) = (self.view.sip(line), self.view.of[line]);
        let key = swapped(key_of(sip));
        if let (Some(server), "UPDATE", true, true) = (of, sip.method(), self.view.is_first(line), sip.sdp().is_some())
        {
            return self.update_offered(line, server, &key);
        }
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        if sip.method() == "PRACK" {
            dialog.acknowledged(sip);
        }
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
            "INVITE" if self.view.is_first(line) && sip.sdp().is_some() => {
                dialog.met.extend(of.zip(dialog.open));
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
            unacknowledged: None,
            met: HashMap::new(),
            owes_bye: None,
        }
    }

    fn is_over(&self) -> bool {
        self.ended || self.own_bye.is_some() || self.bye_came.is_some()
    }

    /// A reliable provisional response to an INVITE of ours, in order (RFC 6141 §4.2, RFC 3262 §5).
    fn reliable_in(&mut self, request: &Sip, response: &Sip, client: usize) {
        self.follow(response);
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
