//! Reliable provisional responses to the peer's INVITE, and its PRACKs (RFC 3262 §3, §5); the rules are in
//! `session/reliable_server` and `session/prack_server`.

use crate::agent::event::{Event, EventKind};
use crate::agent::fault::{Counter, Fault};
use crate::agent::options::{ResponseOptions, response_flag};
use crate::agent::theirs::incoming::{Acknowledges, Kind};
use crate::agent::theirs::stateless::Tag;
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::words::response::{Answer, wants_recv_info};
use crate::agent::{Agent, IncomingId, SessionId};
use crate::config::quirk;
use crate::error::{Error, ErrorKind, Result};
use crate::held;
use crate::message::rack::RAck;
use crate::message::{HeaderId, Message, write};
use crate::session::Session;
use crate::session::deed::Left;
use crate::session::offer_answer::StoredBody;
use crate::session::prack_server::Prack;
use crate::session::reliable_server::{Provisional, TAG, goes_reliably, next_rseq, provisional_guard, wish_of};
use crate::shrink::Shrink;
use crate::time::Time;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// Responses that a final one left unacknowledged, by dialog; also of dialogs that are gone. Forgotten after 64*T1.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct LeftResponses {
    by_dialog: HashMap<u128, Left, BuildHasherDefault<crate::transaction::key::Identity>>,
    order: VecDeque<(Time, u128)>,
}

impl LeftResponses {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        held::table(&self.by_dialog) + held::queue(&self.order)
    }

    fn forget(&mut self, now: Time, limit: usize) {
        while let Some((until, key)) = self.order.front().copied()
            && (until <= now || self.order.len() > limit)
        {
            self.order.pop_front();
            if self.by_dialog.get(&key).is_some_and(|left| left.until <= until) {
                self.by_dialog.remove(&key);
            }
        }
        self.order.ease();
        self.by_dialog.ease();
    }

    /// Gives back what nothing needs now.
    pub(in crate::agent) fn trim(&mut self) {
        self.order.fit();
        self.by_dialog.fit();
    }

    pub(in crate::agent) fn keep(&mut self, key: u128, left: Left, now: Time, limit: usize) {
        self.by_dialog.insert(key, left);
        self.order.push_back((left.until, key));
        self.forget(now, limit);
    }
}

impl Agent {
    // ------------------------------------------------------------------ responses

    /// Whether a 101 to 199 to `request` is reliable.
    pub(in crate::agent) fn is_reliable(
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

    /// A reliable 101 to 199: it goes out now, or behind the one that waits for its PRACK (§3).
    pub(in crate::agent) fn progress_reliably(
        &mut self,
        id: IncomingId,
        answer: Answer<'_>,
        to_tag: Option<&[u8]>,
    ) -> Result<Option<SessionId>> {
        let incoming = self.incoming(id)?;
        let request = Arc::clone(incoming.message()?);
        let initial = matches!(incoming.kind, Kind::Invite(_));
        let known = if initial { self.objects.known_session(incoming, to_tag) } else { incoming.session };
        let description = answer.body.as_ref().and_then(StoredBody::of_local);
        let of = known.and_then(|id| self.objects.sessions.get(id));
        let (part, former) = provisional_guard(of, id, request.session_body().is_some(), description.is_some())?;
        let rseq = next_rseq(former, answer.host.get(HeaderId::RSeq), &mut self.random)?;
        let session = if initial {
            self.early_session(id, to_tag)?
        } else {
            known.ok_or_else(|| Error::state("the session is over"))?
        };
        let mut lines = Vec::with_capacity(64);
        if !answer.host.requires(TAG) {
            write::header(&mut lines, HeaderId::Require, &[TAG]);
        }
        if !answer.host.has(HeaderId::RSeq) {
            write::number_header(&mut lines, HeaderId::RSeq, u64::from(rseq));
        }
        let recv_info = wants_recv_info(&request);
        let answer = Answer { lines: &lines, dialog: true, abilities: true, recv_info, ..answer };
        let tag: Option<Tag> = if initial { Some(self.session(session)?.local_tag().into()) } else { None };
        let response = self.write_response(&request, &answer, tag.as_deref());
        let provisional = Provisional { rseq, status: answer.status, response, description: part.zip(description) };
        let queued = self.decide(session, |known, clock| known.queue_reliably(id, &request, provisional, clock));
        if let Some((mut deeds, first)) = queued {
            self.carry_out(session, &mut deeds);
            if first {
                self.restart_answer_timer(id);
            }
        }
        Ok(Some(session))
    }

    /// The host's time to answer goes on, with the refreshes that suit its responses.
    pub(in crate::agent) fn restart_answer_timer(&mut self, id: IncomingId) {
        let (now, refresh) = (self.now.monotonic, self.objects.provisional_refresh(id));
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let left = incoming.patience_ends.since(now);
        let old = incoming.answer.take();
        self.stop(old);
        let timer = self.arm(left.min(refresh), Timeout::Incoming(id, IncomingTimer::Answer));
        if let Some(incoming) = self.objects.incoming.get_mut(id) {
            incoming.answer = Some(timer);
        }
    }

    /// A new reliable response for the proxies on the way, unless one is being repeated anyway. False: none of this
    /// INVITE's is reliable.
    pub(in crate::agent) fn refresh_reliably(&mut self, id: IncomingId) -> bool {
        let session = self.objects.incoming.get(id).and_then(|incoming| incoming.session);
        let Some(server) = self.objects.reliable_server(id, session) else { return false };
        if let Some(status) = server.refresh() {
            let answer = Answer::plain(status);
            let tag: Option<Tag> =
                session.and_then(|id| self.objects.sessions.get(id)).map(|session| session.local_tag().into());
            let initial =
                self.objects.incoming.get(id).is_some_and(|incoming| matches!(incoming.kind, Kind::Invite(_)));
            // Where no number is left the caller hears nothing.
            let _ = self.progress_reliably(id, answer, tag.as_deref().filter(|_| initial));
        }
        true
    }

    // ------------------------------------------------------------------ PRACK

    /// PRACK in a dialog of ours (§3, §5).
    pub(in crate::agent) fn prack_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.objects.sessions.get(id) else { return };
        let left = self.left_responses.by_dialog.get(&session.key(self.objects.keys)).copied();
        let prack = match request.header(HeaderId::RAck).map(RAck::parse) {
            Some(Ok(rack)) => session.their_prack_means(&request, &rack, left, self.now.monotonic),
            Some(Err(_)) => return self.refuse(&request, &Answer::plain(400), NO_RACK),
            None => Prack::Nothing,
        };
        let kind = match prack {
            Prack::Nothing if !self.tolerates(quirk::PRACK_UNASKED) => {
                return self.refuse(&request, &Answer::plain(481), UNASKED);
            }
            // Hosts that want to see it say so.
            Prack::Nothing => {
                self.counters.count_quirk(quirk::PRACK_UNASKED);
                Kind::Prack(Acknowledges::Nothing)
            }
            Prack::OffersOutOfTurn => {
                return self.refuse(&request, &Answer { lines: NO_OFFER_NOW, ..Answer::plain(488) }, OUT_OF_TURN);
            }
            Prack::LacksAnswer => {
                self.settle(&request, &Answer::plain(200));
                return self.input(id, |session, clock| session.their_prack_lacks_answer(clock));
            }
            Prack::Acknowledges | Prack::AcknowledgesLeft | Prack::Offers(_) => Kind::Prack(Acknowledges::Response),
        };
        let Some(incoming) = self.take_in(&request, kind, Some(id)) else { return };
        if prack == Prack::AcknowledgesLeft
            && let Some(key) = self.objects.sessions.get(id).map(|session| session.key(self.objects.keys))
        {
            self.left_responses.by_dialog.remove(&key);
        }
        self.input(id, |session, clock| session.their_prack_arrived(incoming, &request, prack, clock));
        let event = Event { incoming: Some(incoming), session: Some(id), ..Event::new(EventKind::Prack) };
        self.tell(Event { message: Some(request), ..event });
    }

    /// 2xx to a PRACK: an offer in it is answered there (§5).
    pub(in crate::agent) fn accept_prack(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        let answer = Answer::of_host(status, options, true)?;
        let description = answer.body.as_ref().and_then(StoredBody::of_local);
        let session = self.incoming(id)?.session.ok_or_else(|| Error::state("the session is over"))?;
        self.session(session)?.accept_prack_guard(id, description.is_some())?;
        let acknowledges = matches!(self.incoming(id)?.kind, Kind::Prack(Acknowledges::Response));
        self.finish(id, answer, options.to_tag)?;
        if acknowledges {
            self.prack_answered(session, id, description);
        }
        Ok(())
    }

    /// A PRACK of the peer's that acknowledges something has its answer: what waited for it goes on.
    pub(in crate::agent) fn prack_answered(
        &mut self,
        session: SessionId,
        prack: IncomingId,
        description: Option<StoredBody>,
    ) {
        let invite = self.objects.sessions.get(session).and_then(Session::responding_reliably_to);
        let invite = invite.and_then(|id| self.objects.incoming.get(id)?.message().ok()).cloned();
        self.input(session, |known, clock| known.their_prack_accepted(prack, invite.as_deref(), description, clock));
    }

    /// A PRACK of the 199 with which its dialog ended (RFC 6228 §5). False: it is none.
    pub(in crate::agent) fn farewell_prack(&mut self, id: SessionId, request: &Arc<Message>) -> bool {
        if request.method() != crate::message::Method::Prack {
            return false;
        }
        let Some(rack) = request.header(HeaderId::RAck).and_then(|value| RAck::parse(value).ok()) else { return false };
        let acknowledged = self.decide(id, |session, clock| session.farewell_acknowledged(&rack, clock));
        let Some(mut deeds) = acknowledged.flatten() else { return false };
        self.settle(request, &Answer::plain(200));
        self.carry_out(id, &mut deeds);
        true
    }

    /// A PRACK whose dialog is over: 200 where it acknowledges what the final response left (§3). False: it does not.
    pub(in crate::agent) fn late_prack(&mut self, request: &Arc<Message>) -> bool {
        if request.method() != crate::message::Method::Prack {
            return false;
        }
        let Some(tag) = request.to_tag() else { return false };
        let key = self.objects.keys.key(request.call_id(), tag, request.from_tag().unwrap_or_default());
        let Some(rack) = request.header(HeaderId::RAck).and_then(|value| RAck::parse(value).ok()) else { return false };
        let now = self.now.monotonic;
        if !self.left_responses.by_dialog.get(&key).is_some_and(|left| left.is_meant(&rack, now)) {
            return false;
        }
        self.left_responses.by_dialog.remove(&key);
        self.settle(request, &Answer::plain(200));
        true
    }
}

const NO_RACK: Fault =
    Fault::new(Counter::Malformed, "RAck", "RAck has a number, a CSeq number and a method (RFC 3262 7.2)");
const UNASKED: Fault = Fault::new(Counter::Unknown, "RAck", "no response of ours waits for the PRACK (RFC 3262 3)");
const OUT_OF_TURN: Fault = Fault::new(Counter::State, "Content-Type", "an offer is open already (RFC 3264 4)");

/// §21.4.26: 488 says in Warning what is wrong.
const NO_OFFER_NOW: &[u8] = b"Warning: 399 sipdlg \"an offer is open already (RFC 3264 4)\"\r\n";
