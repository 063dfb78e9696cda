//! Reliable provisional responses to the peer's INVITE, and its PRACKs (RFC 3262 §3, §5); the rules are in
//! `session/reliable_server`.

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::incoming::{Acknowledges, Kind};
use crate::agent::options::{ResponseOptions, response_flag};
use crate::agent::response::{Answer, wants_recv_info};
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::{Agent, IncomingId, SessionId};
use crate::config::quirk;
use crate::error::{Error, ErrorKind, Result};
use crate::message::rack::{RAck, parse_rseq};
use crate::message::{HeaderId, Message, write};
use crate::session::offer_answer::{Part, Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::reliable_server::{
    FIRST_RSEQ_MAX, HeldAcceptance, Left, Provisional, ReliableServer, TAG, Unacknowledged, Wait, goes_reliably,
    send_guard, wish_of,
};
use crate::time::Time;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

/// RFC 3262 §3: where responses are reliable, one each two and a half minutes is enough for the proxies' timer C.
const RELIABLE_REFRESH: Duration = Duration::from_secs(150);

/// Responses that a final one left unacknowledged, by dialog; also of dialogs that are gone. Forgotten after 64*T1.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftResponses {
    by_dialog: HashMap<u128, Left, BuildHasherDefault<crate::transaction::key::Identity>>,
    order: VecDeque<(Time, u128)>,
}

impl LeftResponses {
    fn forget(&mut self, now: Time, limit: usize) {
        while let Some((until, key)) = self.order.front().copied()
            && (until <= now || self.order.len() > limit)
        {
            self.order.pop_front();
            if self.by_dialog.get(&key).is_some_and(|left| left.until <= until) {
                self.by_dialog.remove(&key);
            }
        }
    }

    fn keep(&mut self, key: u128, left: Left, now: Time, limit: usize) {
        self.by_dialog.insert(key, left);
        self.order.push_back((left.until, key));
        self.forget(now, limit);
    }
}

impl Agent {
    // ------------------------------------------------------------------ responses

    /// Whether a 101 to 199 to `request` is reliable.
    pub(super) fn is_reliable(
        &self,
        request: &Message,
        options: &ResponseOptions<'_>,
        answer: &Answer<'_>,
    ) -> Result<bool> {
        let asked = options.flags & response_flag::RELIABLE != 0 || answer.host.requires(TAG);
        let reliable = goes_reliably(wish_of(request), self.face.reliable, asked)?;
        if !reliable && answer.host.has(HeaderId::RSeq) {
            return Err(Error::new(ErrorKind::Header, "RSeq: this response is not reliable (RFC 3262 7.1)"));
        }
        Ok(reliable)
    }

    /// The reliable responses to this INVITE in one of its dialogs.
    pub(super) fn reliable_server(&self, id: IncomingId, session: Option<SessionId>) -> Option<&ReliableServer> {
        let server = self.sessions.get(session?)?.reliable_server.as_deref();
        server.filter(|server| server.incoming == id)
    }

    /// A reliable 101 to 199: it goes out now, or behind the one that waits for its PRACK (§3).
    pub(super) fn progress_reliably(
        &mut self,
        id: IncomingId,
        answer: Answer<'_>,
        to_tag: Option<&[u8]>,
    ) -> Result<Option<SessionId>> {
        let incoming = self.incoming(id)?;
        let request = Arc::clone(&incoming.message);
        let initial = matches!(incoming.kind, Kind::Invite(_));
        let known = if initial { self.known_session(incoming, to_tag) } else { incoming.session };
        let server = self.reliable_server(id, known);
        let description = answer.body.as_ref().and_then(StoredBody::of_local);
        let signaling = known.and_then(|id| self.sessions.get(id)).map(|session| &session.signaling);
        let part = send_guard(server, signaling, request.session_body().is_some(), description.is_some())?;
        let former = server.map(|server| server.last_rseq);
        let rseq = self.next_rseq(former, answer.host.get(HeaderId::RSeq))?;
        let session = if initial {
            self.early_session(id, to_tag)?
        } else {
            known.ok_or_else(|| Error::state("the session is over"))?
        };
        let mut lines = Vec::new();
        if !answer.host.requires(TAG) {
            write::header(&mut lines, HeaderId::Require, &[TAG]);
        }
        if !answer.host.has(HeaderId::RSeq) {
            write::number_header(&mut lines, HeaderId::RSeq, u64::from(rseq));
        }
        let recv_info = wants_recv_info(&request);
        let answer = Answer { lines: &lines, dialog: true, abilities: true, recv_info, ..answer };
        let tag: Option<Box<[u8]>> = if initial { Some(self.session(session)?.local_tag().into()) } else { None };
        let response = self.write_response(&request, &answer, tag.as_deref());
        let provisional = Provisional { rseq, status: answer.status, response, description: part.zip(description) };
        let Some(known) = self.sessions.get_mut(session) else { return Ok(None) };
        let cseq = request.cseq_number();
        let first = known.reliable_server.as_ref().is_none_or(|server| server.incoming != id);
        if first {
            known.reliable_server = Some(Box::new(ReliableServer::new(id, cseq)));
        }
        if let Some(server) = &mut known.reliable_server {
            (server.last_rseq, server.last_status) = (rseq, provisional.status);
            server.described = server.described.or(part);
            server.queue.push_back(provisional);
        }
        self.send_queued(session);
        if first {
            self.restart_answer_timer(id);
        }
        Ok(Some(session))
    }

    /// The number of the next reliable response; the host may write it where it is right.
    fn next_rseq(&mut self, former: Option<u32>, host: Option<&[u8]>) -> Result<u32> {
        let host = host.map(|value| parse_rseq(value).map_err(|error| Error::new(ErrorKind::Header, error.detail)));
        match (former, host.transpose()?) {
            (None, None) => {
                let drawn = self.random.below(u64::from(FIRST_RSEQ_MAX));
                Ok(u32::try_from(drawn).unwrap_or(0).saturating_add(1))
            }
            (None, Some(rseq)) if (1..=FIRST_RSEQ_MAX).contains(&rseq) => Ok(rseq),
            (None, Some(_)) => Err(Error::new(ErrorKind::Header, "RSeq: the first is 1 to 2^31 - 1 (RFC 3262 3)")),
            (Some(former), host) => {
                // §3: it does not wrap around.
                let next = former.checked_add(1);
                let next = next.ok_or_else(|| Error::new(ErrorKind::Limit, "RSeq: no number is left (RFC 3262 3)"))?;
                match host {
                    Some(rseq) if rseq != next => {
                        Err(Error::new(ErrorKind::Header, format!("RSeq: the next is {next} (RFC 3262 3)")))
                    }
                    _ => Ok(next),
                }
            }
        }
    }

    /// The first of the queue goes out when none is unacknowledged (§3).
    fn send_queued(&mut self, id: SessionId) {
        let (t1, now, patience) = (self.config.timers.t1, self.now.monotonic, self.config.timers.patience());
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(server) = &mut session.reliable_server else { return };
        if server.unacknowledged.is_some() {
            return;
        }
        let Some(Provisional { rseq, status, response, description }) = server.queue.pop_front() else { return };
        let incoming = server.incoming;
        let carries = description.as_ref().map(|(part, _)| *part);
        server.unacknowledged = Some(Unacknowledged {
            rseq,
            status,
            response: response.clone(),
            carries,
            wait: Wait::Repeats(self.wheel.arm(now.plus(t1), Timeout::Reliable(id))),
            interval: t1,
            give_up_at: now.plus(patience),
        });
        let request = self.incoming.get_mut(incoming).map(|incoming| {
            incoming.provisional = None;
            (Arc::clone(&incoming.message), incoming.transaction)
        });
        let Some((request, transaction)) = request else { return };
        let reinvite = request.to_tag().is_some();
        if let Some((part, body)) = description {
            let mut before = session.signaling.clone();
            before.rollback();
            if let Some(server) = session.reliable_server.as_mut().filter(|_| reinvite) {
                server.before.get_or_insert(before);
            }
            // The guard looked when it was queued. Unless the host told the description by hand meanwhile.
            let expected = match part {
                Part::Answer => Some(Party::Remote),
                Part::Offer => None,
            };
            if session.signaling.open_offer() == expected {
                let _ = session.signaling.apply(Party::Local, body);
            }
        }
        if reinvite {
            // RFC 6141 §4.3: a reliable response takes the refresh of the target over.
            session.dialog.refresh_target(&request);
            session.resolved = session.resolved.take().filter(|known| *known.next_hop == *session.dialog.remote_target);
        }
        if let Some(transaction) = transaction {
            // The INVITE is unanswered, so its transaction takes the response.
            let _ = self.respond(transaction, status, response);
        }
        self.early(id);
    }

    /// The unacknowledged response goes out again, or no PRACK will come: 5xx to the INVITE (§3).
    pub(super) fn reliable_due(&mut self, id: SessionId) {
        let now = self.now.monotonic;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(server) = &mut session.reliable_server else { return };
        let incoming = server.incoming;
        let Some(waiting) = server.unacknowledged.as_mut() else { return };
        if now < waiting.give_up_at {
            let next = waiting.next_repeat(now);
            waiting.wait = Wait::Repeats(self.wheel.arm(next, Timeout::Reliable(id)));
            let (status, response) = (waiting.status, waiting.response.clone());
            if let Some(transaction) = self.incoming.get(incoming).and_then(|incoming| incoming.transaction) {
                self.outbox.retransmissions_sent += 1;
                let _ = self.respond(transaction, status, response);
            }
            return;
        }
        let ending = Ending { status_code: 504, ..Ending::because(Reason::PrackTimeout) };
        if self.has_other_dialogs(incoming, id) {
            // Another To tag of ours may still go on.
            self.end_session(id, ending);
            self.finish_session(id);
        } else {
            let _ = self.refuse_request(incoming, Answer::plain(504), None, ending);
        }
    }

    /// How often an INVITE that waits gets a provisional response (RFC 3261 §13.3.1.1, RFC 3262 §3).
    pub(super) fn provisional_refresh(&self, id: IncomingId) -> Duration {
        let session = self.incoming.get(id).and_then(|incoming| incoming.session);
        match self.reliable_server(id, session) {
            Some(_) => RELIABLE_REFRESH,
            None => super::answer::PROVISIONAL_REFRESH,
        }
    }

    fn restart_answer_timer(&mut self, id: IncomingId) {
        let (now, refresh) = (self.now.monotonic, self.provisional_refresh(id));
        let Some(incoming) = self.incoming.get_mut(id) else { return };
        let left = incoming.patience_ends.since(now);
        let old = incoming.answer.take();
        self.stop(old);
        let timer = self.arm(left.min(refresh), Timeout::Incoming(id, IncomingTimer::Answer));
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.answer = Some(timer);
        }
    }

    /// A new reliable response for the proxies on the way, unless one is being repeated anyway. False: none of this INVITE's is
    /// reliable.
    pub(super) fn refresh_reliably(&mut self, id: IncomingId) -> bool {
        let session = self.incoming.get(id).and_then(|incoming| incoming.session);
        let Some(server) = self.reliable_server(id, session) else { return false };
        if server.unacknowledged.is_none() {
            let answer = Answer::plain(server.last_status);
            let tag: Option<Box<[u8]>> =
                session.and_then(|id| self.sessions.get(id)).map(|session| session.local_tag().into());
            let initial = self.incoming.get(id).is_some_and(|incoming| matches!(incoming.kind, Kind::Invite(_)));
            // Where no number is left the caller hears nothing.
            let _ = self.progress_reliably(id, answer, tag.as_deref().filter(|_| initial));
        }
        true
    }

    // ------------------------------------------------------------------ the final response

    /// Whether a re-INVITE of the peer has changed the session already, so that only a 2xx says what is so (RFC 6141 §3.3).
    pub(super) fn has_executed(&self, id: IncomingId) -> bool {
        let session = self.incoming.get(id).and_then(|incoming| incoming.session);
        let Some(known) = session.and_then(|id| self.sessions.get(id)) else { return false };
        self.reliable_server(id, session).is_some_and(|server| server.has_executed(&known.signaling))
    }

    /// Whether the host has accepted this INVITE and its 2xx waits for a PRACK.
    pub(super) fn is_accepted(&self, id: IncomingId) -> bool {
        let session = self.incoming.get(id).and_then(|incoming| incoming.session);
        self.reliable_server(id, session).is_some_and(|server| server.held.is_some())
    }

    /// The 2xx waits for the PRACK of a description (§3).
    pub(super) fn hold_2xx(&mut self, id: IncomingId, session: SessionId, held: HeldAcceptance) {
        let answer = self.incoming.get_mut(id).and_then(|incoming| {
            incoming.session = Some(session);
            incoming.answer.take()
        });
        self.stop(answer);
        if let Some(server) = self.sessions.get_mut(session).and_then(|session| session.reliable_server.as_mut()) {
            server.held = Some(held);
        }
    }

    /// The dialog whose 2xx was held is over, others of the INVITE live: the host may answer it again, in its time.
    pub(super) fn acceptance_is_void(&mut self, id: IncomingId) {
        let Some(Kind::Invite(invite)) = self.incoming.get(id).map(|incoming| &incoming.kind) else { return };
        let living = self.living_session(invite, None);
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.session = living;
        }
        self.restart_answer_timer(id);
    }

    /// The INVITE has its final response, or the dialog is over: nothing is repeated or new; a PRACK is still good (§3).
    pub(super) fn reliable_over(&mut self, id: SessionId) -> Option<Box<ReliableServer>> {
        let session = self.sessions.get_mut(id)?;
        let server = session.reliable_server.take()?;
        let key = session.key(self.dialog_keys);
        self.stop(server.timer());
        let now = self.now.monotonic;
        if let Some(left) = server.left(now.plus(self.config.timers.patience())) {
            self.left_responses.keep(key, left, now, self.config.limits.sessions);
        }
        Some(server)
    }

    // ------------------------------------------------------------------ PRACK

    /// PRACK in a dialog of ours (§3, §5).
    pub(super) fn prack_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let meaning = match request.header(HeaderId::RAck).map(RAck::parse) {
            Some(Ok(rack)) => self.meaning_of(id, &rack),
            Some(Err(_)) => return self.refuse(&request, &Answer::plain(400)),
            None => Meaning::Nothing,
        };
        let description = request.session_body().map(|body| StoredBody::of_remote(&body));
        match (meaning, description) {
            (Meaning::Nothing, _) => self.prack_of_nothing(id, request),
            (Meaning::Waiting(Some(Part::Offer)), None) => self.prack_without_answer(id, &request),
            (Meaning::Waiting(Some(Part::Offer)), answer) => self.prack_takes_effect(id, request, answer),
            (Meaning::Waiting(_), None) => self.prack_takes_effect(id, request, None),
            (Meaning::Waiting(_), Some(offer)) => self.prack_with_offer(id, request, offer, true),
            // The offer went with the final response, so there is nothing to answer any more.
            (Meaning::Left { offered: true }, _) | (_, None) => self.prack_of_left(id, request),
            (Meaning::Left { .. }, Some(offer)) => self.prack_with_offer(id, request, offer, false),
        }
    }

    fn meaning_of(&self, id: SessionId, rack: &RAck<'_>) -> Meaning {
        let Some(session) = self.sessions.get(id) else { return Meaning::Nothing };
        let waiting = session.reliable_server.as_ref().filter(|server| server.is_meant(rack));
        if let Some(waiting) = waiting.and_then(|server| server.unacknowledged.as_ref()) {
            return Meaning::Waiting(waiting.carries);
        }
        let left = self.left_responses.by_dialog.get(&session.key(self.dialog_keys));
        let left = left.filter(|left| left.is_meant(rack, self.now.monotonic));
        left.map_or(Meaning::Nothing, |left| Meaning::Left { offered: left.offered })
    }

    /// §3: 481; hosts that want to see it say so.
    fn prack_of_nothing(&mut self, id: SessionId, request: Arc<Message>) {
        if self.config.tolerance & quirk::PRACK_UNASKED == 0 {
            return self.refuse(&request, &Answer::plain(481));
        }
        self.count_quirk(quirk::PRACK_UNASKED);
        if let Some(incoming) = self.take_in(&request, Kind::Prack(Acknowledges::Nothing), Some(id)) {
            self.tell_prack(id, incoming, request);
        }
    }

    /// A response that a final one left behind is acknowledged. One to a later INVITE that waits is not (all of RAck counts).
    fn prack_of_left(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(incoming) = self.take_in(&request, Kind::Prack(Acknowledges::Response), Some(id)) else { return };
        if let Some(session) = self.sessions.get(id) {
            self.left_responses.by_dialog.remove(&session.key(self.dialog_keys));
        }
        self.tell_prack(id, incoming, request);
    }

    /// The response is acknowledged, now; the answer to the PRACK is the host's, and what waited goes out after it.
    fn prack_takes_effect(&mut self, id: SessionId, request: Arc<Message>, answer: Option<StoredBody>) {
        let Some(incoming) = self.take_in(&request, Kind::Prack(Acknowledges::Response), Some(id)) else { return };
        if let (Some(answer), Some(session)) = (answer, self.sessions.get_mut(id)) {
            // Our offer stands in the response that waits.
            let _ = session.signaling.apply(Party::Remote, answer);
        }
        self.drop_acknowledged(id);
        self.note_state(id);
        self.tell_prack(id, incoming, request);
    }

    /// §5: the PRACK brings the next offer. The response counts as acknowledged when the host has answered it: a UAC whose
    /// offer is refused sends another PRACK (RFC 6337 §2.3). `waits`: the response is one that waits, not one that was left.
    fn prack_with_offer(&mut self, id: SessionId, request: Arc<Message>, offer: StoredBody, waits: bool) {
        let Some(session) = self.sessions.get(id) else { return };
        if session.signaling.would_be(Party::Remote) != Ok(Part::Offer) {
            // Theirs or ours is open; a 200 would have to answer.
            return self.refuse(&request, &Answer { lines: NO_OFFER_NOW, ..Answer::plain(488) });
        }
        let Some(incoming) = self.take_in(&request, Kind::Prack(Acknowledges::WithOffer), Some(id)) else { return };
        let mut timer = None;
        if let Some(session) = self.sessions.get_mut(id) {
            let _ = session.signaling.apply(Party::Remote, offer);
            if let Some(server) = session.reliable_server.as_mut().filter(|_| waits)
                && let Some(waiting) = &mut server.unacknowledged
                && let Wait::Repeats(repeats) = std::mem::replace(&mut waiting.wait, Wait::Answering(incoming))
            {
                timer = Some(repeats);
            }
        }
        self.stop(timer);
        self.note_state(id);
        self.tell_prack(id, incoming, request);
    }

    /// §5: the answer to our offer had to be in the PRACK. It is acknowledged, but no exchange can end this INVITE well.
    fn prack_without_answer(&mut self, id: SessionId, request: &Arc<Message>) {
        self.refuse(request, &Answer::plain(200));
        self.drop_acknowledged(id);
        let server = self.sessions.get(id).and_then(|session| session.reliable_server.as_ref());
        let Some(invite) = server.map(|server| server.incoming) else { return };
        let ending = Ending { status_code: 400, ..Ending::because(Reason::NoAnswerIn2xx) };
        let answer = Answer { reason: Some(b"Bad Request: no answer in PRACK (RFC 3262 5)"), ..Answer::plain(400) };
        if self.has_other_dialogs(invite, id) {
            self.end_session(id, ending);
            self.finish_session(id);
        } else {
            let _ = self.refuse_request(invite, answer, None, ending);
        }
    }

    fn tell_prack(&mut self, id: SessionId, incoming: IncomingId, request: Arc<Message>) {
        self.tell_request(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Prack)
        });
    }

    /// What waited is acknowledged.
    fn drop_acknowledged(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(server) = &mut session.reliable_server else { return };
        let timer = server.timer();
        server.unacknowledged = None;
        self.stop(timer);
    }

    /// The next of the queue, or the 2xx that waited.
    pub(super) fn go_on(&mut self, id: SessionId) {
        let Some(server) = self.sessions.get_mut(id).and_then(|session| session.reliable_server.as_mut()) else {
            return;
        };
        if server.held.is_some() && !server.holds_acceptance() {
            let incoming = server.incoming;
            if let Some(HeldAcceptance { status, response }) = server.held.take() {
                // The INVITE is unanswered, so its transaction takes the response.
                let _ = self.deliver_2xx(incoming, id, status, response, None);
            }
            return;
        }
        self.send_queued(id);
    }

    /// 2xx to a PRACK: an offer in it is answered there (§5).
    pub(super) fn accept_prack(
        &mut self,
        id: IncomingId,
        acknowledges: Acknowledges,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        let answer = Answer::of_host(status, options, true)?;
        let description = answer.body.as_ref().and_then(StoredBody::of_local);
        let session = self.incoming(id)?.session.ok_or_else(|| Error::state("the session is over"))?;
        match (acknowledges, &description) {
            (Acknowledges::WithOffer, None) => {
                return Err(Error::state("body: the PRACK's offer needs an answer in its 2xx (RFC 3262 5)"));
            }
            (Acknowledges::WithOffer, Some(_)) => {
                if self.session(session)?.signaling.would_be(Party::Local)? != Part::Answer {
                    return Err(Error::state("body: the PRACK's offer is not open any more (RFC 3264 4)"));
                }
            }
            (_, Some(_)) => return Err(Error::state("body: the PRACK brought no offer to answer (RFC 3262 5)")),
            (_, None) => {}
        }
        self.finish(id, answer, options.to_tag)?;
        if let (Some(description), Some(known)) = (description, self.sessions.get_mut(session)) {
            let _ = known.signaling.apply(Party::Local, description);
            self.note_state(session);
            if self.is_answering(session, id) {
                self.drop_acknowledged(session);
                self.go_on(session);
            }
        }
        Ok(())
    }

    fn is_answering(&self, session: SessionId, prack: IncomingId) -> bool {
        let server = self.sessions.get(session).and_then(|session| session.reliable_server.as_ref());
        let waiting = server.and_then(|server| server.unacknowledged.as_ref());
        waiting.is_some_and(|waiting| matches!(waiting.wait, Wait::Answering(answering) if answering == prack))
    }

    /// A PRACK got another final response: its offer is void, and the response waits for another PRACK.
    pub(super) fn prack_refused(&mut self, id: SessionId, prack: IncomingId) {
        let now = self.now.monotonic;
        let answering = self.is_answering(id, prack);
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.signaling.open_offer() == Some(Party::Remote) {
            session.signaling.rollback();
        }
        if let Some(server) = session.reliable_server.as_mut().filter(|_| answering)
            && let Some(waiting) = &mut server.unacknowledged
        {
            let next = now.plus(waiting.interval).min(waiting.give_up_at.max(now));
            waiting.wait = Wait::Repeats(self.wheel.arm(next, Timeout::Reliable(id)));
        }
        self.note_state(id);
    }

    /// A PRACK whose dialog is over: 200 where it acknowledges what the final response left (§3). False: it does not.
    pub(super) fn late_prack(&mut self, request: &Arc<Message>) -> bool {
        if request.method() != crate::message::Method::Prack {
            return false;
        }
        let Some(tag) = request.to_tag() else { return false };
        let key = self.dialog_keys.key(request.call_id(), tag, request.from_tag().unwrap_or_default());
        let Some(rack) = request.header(HeaderId::RAck).and_then(|value| RAck::parse(value).ok()) else { return false };
        let now = self.now.monotonic;
        if !self.left_responses.by_dialog.get(&key).is_some_and(|left| left.is_meant(&rack, now)) {
            return false;
        }
        self.left_responses.by_dialog.remove(&key);
        self.refuse(request, &Answer::plain(200));
        true
    }
}

/// §21.4.26: 488 says in Warning what is wrong.
const NO_OFFER_NOW: &[u8] = b"Warning: 399 sipdlg \"an offer is open already (RFC 3264 4)\"\r\n";

/// What a RAck names.
#[derive(Clone, Copy)]
enum Meaning {
    /// The response that waits, and what its description is.
    Waiting(Option<Part>),
    /// One that a final response left unacknowledged.
    Left {
        /// It carried our offer.
        offered: bool,
    },
    Nothing,
}
