//! INVITE and re-INVITE of the peer: provisional and final answers, CANCEL, ACK (RFC 3261 §9.2, §13.3, §14.2).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::incoming::{Incoming, InviteServer, Kind};
use crate::agent::options::{Body, RequestOptions, ResponseOptions, response_flag};
use crate::agent::response::{Answer, checked_status, wants_recv_info};
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::{Agent, IncomingId, SessionId};
use crate::attachment::Attachment;
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind, Result};
use crate::message::uri::Scheme;
use crate::message::write;
use crate::message::{self, HeaderId, Message, Method};
use crate::session::ack::Accepted;
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::reinvite::{self, Arrival};
use crate::session::{Origin, Phase, Role, Session, SessionState};
use crate::time::Now;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// A tag of ours, beside the session that it belongs to; on the stack, for ours are short.
type Tag = SmallVec<[u8; 32]>;

/// RFC 3261 §13.3.1.1: a pending INVITE gets a provisional response at least every minute.
const PROVISIONAL_REFRESH: Duration = Duration::from_secs(60);

impl Agent {
    /// Stores a request of the peer and starts its transaction; at a limit it is answered 503.
    pub(super) fn add_incoming(
        &mut self,
        request: &Arc<Message>,
        kind: Kind,
        session: Option<SessionId>,
    ) -> Option<IncomingId> {
        let flow = Self::reply_flow(request)?;
        let user = session.and_then(|id| self.sessions.get(id)).and_then(|session| session.attachment.user.clone());
        let (patience, piece) = match request.method() {
            Method::Invite => (self.config.invite_answer_timeout, PROVISIONAL_REFRESH),
            _ => (self.config.other_answer_timeout, Duration::MAX),
        };
        let incoming = Incoming {
            message: Arc::clone(request),
            method: request.method(),
            kind,
            session,
            transaction: None,
            answered: false,
            attachment: Attachment { delegate: None, user },
            answer: None,
            patience_ends: self.now.monotonic.plus(patience),
            provisional: None,
            over: false,
            waiting: 0,
            event: 0,
        };
        let Some(id) = self.incoming.insert_with(|_| incoming) else {
            self.refuse_for_limit(request);
            return None;
        };
        let (table, mut effects) = self.transactions();
        match table.start_server(&mut effects, request, flow, id.raw()) {
            Ok(transaction) => {
                let answer = self.arm(patience.min(piece), Timeout::Incoming(id, IncomingTimer::Answer));
                if let Some(incoming) = self.incoming.get_mut(id) {
                    incoming.transaction = Some(transaction);
                    incoming.answer = Some(answer);
                }
                Some(id)
            }
            Err(_) => {
                self.incoming.remove(id);
                self.refuse_for_limit(request);
                None
            }
        }
    }

    /// A new call.
    pub(super) fn invite_arrived(&mut self, request: Arc<Message>) {
        if self.sessions.len() >= self.config.limits.sessions {
            return self.refuse_for_limit(&request);
        }
        if !has_good_contact(&request) {
            let answer = Answer {
                reason: Some(b"Bad Request: INVITE without a good Contact (RFC 3261 8.1.1.8)"),
                ..Answer::plain(400)
            };
            return self.refuse(&request, &answer);
        }
        let Some(id) = self.add_incoming(&request, Kind::Invite(Box::default()), None) else { return };
        self.counters.calls_received += 1;
        if let Some(seconds) = expires_of(&request) {
            let timer =
                self.arm(Duration::from_secs(u64::from(seconds)), Timeout::Incoming(id, IncomingTimer::Expires));
            if let Some(invite) = self.incoming.get_mut(id).and_then(Incoming::invite_mut) {
                invite.expires = Some(timer);
            }
        }
        self.tell_request(Event { incoming: Some(id), message: Some(request), ..Event::new(EventKind::Invite) });
    }

    /// An INVITE in a dialog (§14.2; RFC-NOTES §3).
    pub(super) fn reinvite_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.sessions.get(id) else { return };
        match reinvite::arrival(session) {
            Arrival::Pending => return self.refuse(&request, &Answer::plain(491)),
            Arrival::RetryLater => {
                let lines = self.retry_after_line();
                return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(500) });
            }
            Arrival::Process => {}
        }
        let Some(incoming) = self.add_incoming(&request, Kind::Reinvite, Some(id)) else { return };
        if let Some(session) = self.sessions.get_mut(id) {
            if let Some(offer) = request.session_body() {
                // `arrival` let nothing through that could be refused here.
                let _ = session.signaling.apply(Party::Remote, StoredBody::of_remote(&offer));
            }
            session.reinvite_server = Some(incoming);
            session.pending.push(incoming);
        }
        self.note_state(id);
        self.tell_request(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Reinvite)
        });
    }

    /// The session of a live INVITE, before any response.
    pub fn session_for_invite(&mut self, now: Now, id: IncomingId) -> Result<SessionId> {
        self.at(now);
        let incoming = self.incoming(id)?;
        if incoming.answered {
            return Err(Error::state("the INVITE is answered"));
        }
        let Kind::Invite(invite) = &incoming.kind else { return Err(Error::state("not an INVITE out of a dialog")) };
        match self.living_session(invite) {
            Some(session) => Ok(session),
            None => self.early_session(id, None),
        }
    }

    fn living_session(&self, invite: &InviteServer) -> Option<SessionId> {
        let lives = |id: &SessionId| self.sessions.get(*id).is_some_and(|session| !session.is_terminated());
        invite.sessions.iter().copied().find(lives)
    }

    /// The session with this To tag, made where there is none yet.
    fn early_session(&mut self, id: IncomingId, to_tag: Option<&[u8]>) -> Result<SessionId> {
        let incoming = self.incoming(id)?;
        let Kind::Invite(invite) = &incoming.kind else { return Err(Error::state("not an INVITE out of a dialog")) };
        let known = match to_tag {
            Some(tag) => invite
                .sessions
                .iter()
                .copied()
                .find(|id| self.sessions.get(*id).is_some_and(|session| session.local_tag() == tag)),
            None => self.living_session(invite),
        };
        if let Some(known) = known {
            return if self.session(known)?.is_terminated() {
                Err(Error::state("to_tag: this dialog is over"))
            } else {
                Ok(known)
            };
        }
        if self.sessions.len() >= self.config.limits.sessions {
            return Err(Error::new(ErrorKind::Limit, "sessions: the limit is reached"));
        }
        let (request, attachment) = (Arc::clone(&incoming.message), incoming.attachment.clone());
        let tag: Box<[u8]> = match to_tag {
            Some(tag) => {
                write::check_token(tag)?;
                tag.into()
            }
            None => self.token(b"", 10),
        };
        let dialog = Dialog::of_callee(&request, &tag)?;
        let mut session = Session::new(dialog, Role::Callee, Phase::Initial, Some(Origin::Incoming(id)), attachment);
        session.peer.learn(&request);
        session.came_on(request.flow());
        if let Some(offer) = request.session_body() {
            session.signaling.apply(Party::Remote, StoredBody::of_remote(&offer))?;
        }
        let made = self.add_session(session)?;
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.session = incoming.session.or(Some(made));
            if let Some(invite) = incoming.invite_mut() {
                invite.sessions.push(made);
            }
        }
        Ok(made)
    }

    /// 100 now.
    pub fn trying(&mut self, now: Now, id: IncomingId, options: &ResponseOptions<'_>) -> Result<()> {
        self.at(now);
        self.unanswered(id)?;
        let answer = Answer::of_host(100, options, false)?;
        self.respond_to(id, &answer, None).map(|_| ())
    }

    /// The request, as long as it may be answered.
    pub(super) fn unanswered(&self, id: IncomingId) -> Result<&Incoming> {
        let incoming = self.incoming(id)?;
        if incoming.answered { Err(Error::state("the request is answered")) } else { Ok(incoming) }
    }

    /// 101 to 199 to an INVITE or re-INVITE (0: 180). Of an INVITE it gives the early session.
    pub fn progress(
        &mut self,
        now: Now,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<Option<SessionId>> {
        self.at(now);
        let incoming = self.unanswered(id)?;
        if !incoming.is_invite() {
            return Err(Error::state("only an INVITE gets provisional responses beyond 100 (RFC 4320 4.1)"));
        }
        let request = Arc::clone(&incoming.message);
        let initial = matches!(incoming.kind, Kind::Invite(_));
        let status = checked_status(status, 180, 101..=199)?;
        if options.flags & response_flag::RELIABLE != 0 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "reliable provisional responses (RFC 3262) are not there yet",
            ));
        }
        let mut answer = Answer::of_host(status, options, true)?;
        let describes = answer.body.as_ref().is_some_and(|body| body.view().session().is_some());
        if describes && request.session_body().is_none() {
            return Err(Error::state("an offer stands in a reliable response, this one is not (RFC 3261 13.2.1)"));
        }
        if options.to_tag.is_some() && !initial {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        let session = if initial { Some(self.early_session(id, options.to_tag)?) } else { None };
        let tag: Tag =
            session.and_then(|id| self.sessions.get(id)).map_or_else(Tag::new, |session| session.local_tag().into());
        answer.dialog = true;
        answer.abilities = options.body.is_some();
        let bytes = self.respond_to(id, &answer, Some(&*tag).filter(|_| initial))?;
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.provisional = Some(bytes);
        }
        if let Some(session) = session {
            self.early(session);
        }
        Ok(session)
    }

    fn early(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && matches!(session.phase, Phase::Initial)
        {
            session.phase = Phase::Early;
        }
        self.note_state(id);
    }

    /// Each minute of a pending INVITE the last provisional response goes out again (§13.3.1.1); 183 where the host gave
    /// none, since a 100 does not count.
    fn repeat_provisional(&mut self, id: IncomingId) {
        let Some(incoming) = self.incoming.get(id) else { return };
        match (incoming.provisional.clone(), incoming.transaction) {
            (Some(bytes), Some(transaction)) => {
                self.outbox.retransmissions_sent += 1;
                // The INVITE is unanswered, so its transaction takes the response.
                let _ = self.respond(transaction, 183, bytes);
            }
            _ => {
                let now = self.now;
                // Beyond the limit of sessions there is no early dialog; then the caller hears nothing.
                let _ = self.progress(now, id, 183, &ResponseOptions::default());
            }
        }
    }

    /// 2xx (0: 200). Of an INVITE it gives the session.
    pub fn accept(
        &mut self,
        now: Now,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<Option<SessionId>> {
        self.at(now);
        let incoming = self.unanswered(id)?;
        let status = checked_status(status, 200, 200..=299)?;
        match &incoming.kind {
            Kind::Invite(_) => self.accept_invite(id, status, options).map(Some),
            Kind::Reinvite => self.accept_reinvite(id, status, options),
            Kind::Other => {
                let asks = incoming.method == Method::Options;
                let mut answer = Answer::of_host(status, options, incoming.session.is_some())?;
                // §11.2: what an OPTIONS asks for.
                answer.abilities = asks;
                answer.accept = asks;
                self.finish(id, answer, options.to_tag)?;
                Ok(None)
            }
        }
    }

    fn accept_invite(&mut self, id: IncomingId, status: u16, options: &ResponseOptions<'_>) -> Result<SessionId> {
        let answer = Answer::of_host(status, options, true)?;
        let description = describe(answer.body.as_ref());
        let request = Arc::clone(&self.incoming(id)?.message);
        description_due(&request, description.is_some())?;
        let session = self.early_session(id, options.to_tag)?;
        let tag: Tag = self.session(session)?.local_tag().into();
        self.send_2xx(id, session, answer, description, Some(&tag))?;
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.session = Some(session);
        }
        if let Some(session) = self.sessions.get_mut(session) {
            session.phase = Phase::AckWait;
        }
        let others = self.incoming.get(id).map(|incoming| match &incoming.kind {
            Kind::Invite(invite) => invite.sessions.iter().copied().filter(|other| *other != session).collect(),
            _ => Vec::new(),
        });
        for other in others.unwrap_or_default() {
            self.end_session(other, Ending::because(Reason::ForkLost));
            self.finish_session(other);
        }
        self.note_state(session);
        Ok(session)
    }

    fn accept_reinvite(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<Option<SessionId>> {
        let Some(session) = self.incoming(id)?.session else { return Ok(None) };
        if options.to_tag.is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        let answer = Answer::of_host(status, options, true)?;
        let description = describe(answer.body.as_ref());
        let request = Arc::clone(&self.incoming(id)?.message);
        description_due(&request, description.is_some())?;
        self.send_2xx(id, session, answer, description, None)?;
        if let Some(session) = self.sessions.get_mut(session) {
            // RFC 6141 §4: the peer's target moves when its refresh is accepted.
            session.dialog.refresh_target(&request);
            session.peer.learn(&request);
            session.resolved = session.resolved.take().filter(|known| *known.next_hop == *session.dialog.remote_target);
        }
        self.note_state(session);
        Ok(Some(session))
    }

    /// The 2xx to an INVITE or re-INVITE, repeated from here until its ACK (§13.3.1.4). Changes nothing when refused.
    fn send_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        mut answer: Answer<'_>,
        description: Option<StoredBody>,
        to_tag: Option<&[u8]>,
    ) -> Result<()> {
        let incoming = self.incoming(id)?;
        let (cseq, request) = (incoming.message.cseq_number(), Arc::clone(&incoming.message));
        let flow = Self::reply_flow(&request).ok_or_else(|| Error::state("the request has no way back"))?;
        answer.dialog = true;
        answer.abilities = true;
        answer.recv_info = wants_recv_info(&request);
        let carried_offer = description.is_some() && request.session_body().is_none();
        if description.is_some() {
            self.session(session)?.signaling.would_be(Party::Local)?;
        }
        let response = self.respond_to(id, &answer, to_tag)?;
        let timers = self.config.timers;
        let timer = self.arm(timers.t1, Timeout::Accepted(session, cseq));
        let give_up_at = self.now.monotonic.plus(timers.patience());
        if let Some(session) = self.sessions.get_mut(session) {
            if let Some(description) = description {
                // Asked above.
                let _ = session.signaling.apply(Party::Local, description);
            }
            session.pending.retain(|pending| *pending != id);
            session.accepted.push(Box::new(Accepted {
                incoming: id,
                cseq,
                response,
                flow,
                interval: timers.t1,
                timer,
                give_up_at,
                carried_offer,
            }));
        }
        self.answered_finally(id);
        Ok(())
    }

    /// Marks a request answered and stops what waited for the answer.
    pub(super) fn answered_finally(&mut self, id: IncomingId) {
        let Some(incoming) = self.incoming.get_mut(id) else { return };
        incoming.answered = true;
        let session = incoming.session;
        incoming.provisional = None;
        let timers = [incoming.answer.take(), incoming.invite_mut().and_then(|invite| invite.expires.take())];
        for timer in timers {
            self.stop(timer);
        }
        if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
            session.pending.retain(|pending| *pending != id);
        }
    }

    /// A final response to a request that is no accepted INVITE.
    pub(super) fn finish(&mut self, id: IncomingId, answer: Answer<'_>, to_tag: Option<&[u8]>) -> Result<()> {
        let incoming = self.unanswered(id)?;
        let in_dialog = incoming.message.to_tag().is_some();
        if in_dialog && to_tag.is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        if let Some(tag) = to_tag {
            write::check_token(tag)?;
        }
        let own: Option<Box<[u8]>> = match incoming.session.and_then(|id| self.sessions.get(id)) {
            _ if in_dialog || to_tag.is_some() => None,
            Some(session) => Some(session.local_tag().into()),
            None => Some(self.token(b"", 10)),
        };
        self.respond_to(id, &answer, to_tag.or(own.as_deref()))?;
        self.answered_finally(id);
        let Some(incoming) = self.incoming.get_mut(id) else { return Ok(()) };
        let (method, session) = (incoming.method, incoming.session);
        if !incoming.is_invite() {
            incoming.over = true;
            self.drop_incoming_if_over(id);
            if method == Method::Bye
                && let Some(session) = session
            {
                self.finish_session(session);
            }
        }
        Ok(())
    }

    /// 3xx (0: 302) with contacts.
    pub fn redirect(
        &mut self,
        now: Now,
        id: IncomingId,
        status: u16,
        contacts: &[&[u8]],
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        self.at(now);
        let status = checked_status(status, 302, 300..=399)?;
        let mut lines = Vec::new();
        for contact in contacts {
            write::check_line(contact)?;
            let parsed = message::NameAddr::parse(contact)?;
            parsed.parse_uri()?;
            if contact.ends_with(b">") || contact.contains(&b'<') {
                write::header(&mut lines, HeaderId::Contact, &[contact]);
            } else {
                write::header(&mut lines, HeaderId::Contact, &[b"<", contact, b">"]);
            }
        }
        let answer = Answer { lines: &lines, ..Answer::of_host(status, options, false)? };
        self.refuse_request(
            id,
            answer,
            options.to_tag,
            Ending { status_code: status, ..Ending::because(Reason::Rejected) },
        )
    }

    /// 4xx to 6xx (0: 480).
    pub fn reject(&mut self, now: Now, id: IncomingId, status: u16, options: &ResponseOptions<'_>) -> Result<()> {
        self.at(now);
        let status = checked_status(status, 480, 400..=699)?;
        let answer = Answer::of_host(status, options, false)?;
        self.refuse_request(
            id,
            answer,
            options.to_tag,
            Ending { status_code: status, ..Ending::because(Reason::Rejected) },
        )
    }

    /// A final response other than 2xx, and what it ends.
    pub(super) fn refuse_request(
        &mut self,
        id: IncomingId,
        mut answer: Answer<'_>,
        to_tag: Option<&[u8]>,
        ending: Ending,
    ) -> Result<()> {
        self.unanswered(id)?;
        if answer.status == 405 {
            answer.abilities = true;
        }
        if answer.status == 408 && !self.incoming(id)?.is_invite() {
            return Err(Error::state("a request other than INVITE is never answered 408 (RFC 4320 4.2)"));
        }
        self.finish(id, answer, to_tag)?;
        let Some(incoming) = self.incoming.get(id) else { return Ok(()) };
        match &incoming.kind {
            Kind::Invite(invite) => {
                for session in invite.sessions.clone() {
                    self.end_session(session, ending.clone());
                    self.finish_session(session);
                }
            }
            Kind::Reinvite => {
                if let Some(session) = incoming.session {
                    self.reinvite_refused(session);
                }
            }
            Kind::Other => {}
        }
        Ok(())
    }

    /// The session is what it was before the peer's re-INVITE (§14.1); the re-INVITE stays until its ACK.
    fn reinvite_refused(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && session.signaling.open_offer() == Some(Party::Remote)
        {
            session.signaling.rollback();
        }
        self.note_state(id);
    }

    /// CANCEL (§9.2): 200 to it, 487 to what it cancels, unless that is answered.
    pub(super) fn cancel_arrived(&mut self, cancel: &Arc<Message>) {
        let Some(invite) = self.table.find_cancelled(cancel) else {
            return self.refuse(cancel, &Answer::plain(481));
        };
        let id = self.table.server_owner(invite).map(IncomingId::from_raw);
        let incoming = id.and_then(|id| self.incoming.get(id));
        // The To tag is that of the INVITE's responses.
        let session = incoming.and_then(|incoming| incoming.session);
        let tag: Option<Box<[u8]>> =
            session.and_then(|id| self.sessions.get(id)).map(|session| session.local_tag().into());
        let tag = tag.unwrap_or_else(|| self.token(b"", 10));
        let answered = self.incoming_is_answered(id);
        self.answer_by_rule(cancel, &Answer::plain(200), &tag);
        let Some(id) = id.filter(|_| !answered) else { return };
        let ending = Ending { status_code: 487, ..Ending::by(Reason::Cancelled, cancel) };
        self.tell(Event {
            incoming: Some(id),
            session,
            message: Some(Arc::clone(cancel)),
            ..Event::new(EventKind::Cancel)
        });
        // The INVITE is unanswered, so its transaction takes the response.
        let in_dialog = self.incoming.get(id).is_some_and(|incoming| incoming.message.to_tag().is_some());
        let _ = self.refuse_request(id, Answer::plain(487), Some(&*tag).filter(|_| !in_dialog), ending);
    }

    fn incoming_is_answered(&self, id: Option<IncomingId>) -> bool {
        id.and_then(|id| self.incoming.get(id)).is_none_or(|incoming| incoming.answered)
    }

    /// The ACK of a 2xx of ours, found by its number (RFC 5407 §3.1.4), not by the latest.
    pub(super) fn ack_of_2xx(&mut self, id: SessionId, ack: &Arc<Message>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let number = ack.cseq_number();
        let Some(at) = session.accepted.iter().position(|accepted| accepted.cseq == number) else { return };
        let accepted = session.accepted.remove(at);
        let answer = ack.session_body();
        if accepted.carried_offer {
            match &answer {
                Some(answer) => {
                    let _ = session.signaling.apply(Party::Remote, StoredBody::of_remote(answer));
                }
                None => session.signaling.rollback(),
            }
        }
        let unanswered = accepted.carried_offer && answer.is_none();
        self.acknowledged(id, &accepted);
        self.tell(Event { session: Some(id), message: Some(Arc::clone(ack)), ..Event::new(EventKind::Ack) });
        let Some(session) = self.sessions.get(id) else { return };
        if unanswered && session.offer().is_none() && session.deferred_bye.is_none() {
            // RFC 3261 §13.2.2.4: the answer had to be in the ACK, and there is no earlier exchange to fall back to.
            self.end_with_bye(id, Ending::because(Reason::NoAnswerIn2xx));
        } else {
            self.send_deferred_bye(id);
        }
    }

    /// A 2xx of ours is no longer repeated: its ACK came, or its time is over.
    fn acknowledged(&mut self, id: SessionId, accepted: &Accepted) {
        self.stop(Some(accepted.timer));
        let mut confirmed = false;
        if let Some(session) = self.sessions.get_mut(id) {
            if session.reinvite_server == Some(accepted.incoming) {
                session.reinvite_server = None;
            }
            confirmed = matches!(session.phase, Phase::AckWait);
            if confirmed {
                session.phase = Phase::Confirmed;
                session.origin = None;
            }
        }
        self.counters.calls_confirmed += u64::from(confirmed);
        self.note_state(id);
        self.incoming_over(accepted.incoming);
    }

    pub(super) fn incoming_over(&mut self, id: IncomingId) {
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.over = true;
            self.drop_incoming_if_over(id);
        }
    }

    /// The 2xx goes out again, or no ACK will come (§13.3.1.4).
    pub(super) fn accepted_due(&mut self, id: SessionId, cseq: u32) {
        let (timers, now) = (self.config.timers, self.now.monotonic);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(at) = session.accepted.iter().position(|accepted| accepted.cseq == cseq) else { return };
        let Some(accepted) = session.accepted.get_mut(at) else { return };
        if now < accepted.give_up_at {
            let next = now.plus(accepted.next_interval(&timers)).min(accepted.give_up_at);
            accepted.timer = self.wheel.arm(next, Timeout::Accepted(id, cseq));
            self.outbox.retransmissions_sent += 1;
            self.outbox.transmit(crate::agent::outbox::Sender::Session(id), &accepted.response, &accepted.flow);
            return;
        }
        let accepted = session.accepted.remove(at);
        if accepted.carried_offer {
            session.signaling.rollback();
        }
        self.acknowledged(id, &accepted);
        if self.sessions.get(id).is_some_and(|session| session.deferred_bye.is_some()) {
            self.send_deferred_bye(id);
        } else {
            self.tell(Event { session: Some(id), reason: Reason::AckTimeout, ..Event::new(EventKind::AckTimeout) });
        }
    }

    /// A server transaction is over, or the ACK of its refusal came.
    pub(super) fn server_ended(&mut self, id: IncomingId) {
        let Some(incoming) = self.incoming.get(id) else { return };
        if !incoming.answered {
            return;
        }
        let session = incoming.session;
        if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
            // An accepted one ends with the ACK of its 2xx, not with its transaction.
            if session.accepted.iter().any(|accepted| accepted.incoming == id) {
                return;
            }
            if session.reinvite_server == Some(id) {
                session.reinvite_server = None;
            }
        }
        self.incoming_over(id);
    }

    /// The host's time to answer is over, or the peer's Expires.
    pub(super) fn answer_time_over(&mut self, id: IncomingId, timer: IncomingTimer) {
        let now = self.now.monotonic;
        let Some(incoming) = self.incoming.get_mut(id) else { return };
        let left = incoming.patience_ends.since(now);
        match timer {
            IncomingTimer::Answer => incoming.answer = None,
            IncomingTimer::Expires => drop(incoming.invite_mut().and_then(|invite| invite.expires.take())),
        }
        if timer == IncomingTimer::Answer && !left.is_zero() {
            self.repeat_provisional(id);
            let answer = self.arm(left.min(PROVISIONAL_REFRESH), Timeout::Incoming(id, IncomingTimer::Answer));
            if let Some(incoming) = self.incoming.get_mut(id) {
                incoming.answer = Some(answer);
            }
            return;
        }
        if self.incoming.get(id).is_some_and(|incoming| matches!(incoming.kind, Kind::Invite(_))) {
            // §13.3.1: 487 when Expires passed.
            let status = if timer == IncomingTimer::Expires { 487 } else { 480 };
            let ending = Ending { status_code: status, ..Ending::because(Reason::AnswerTimeout) };
            let _ = self.refuse_request(id, Answer::plain(status), None, ending);
        } else {
            self.default_answer(id);
        }
        // A host that looks away does not make the queue grow.
        if let Some(event) = self.incoming.get(id).map(|incoming| incoming.event) {
            self.take_back(event);
        }
    }

    /// Hands a request of the peer up.
    pub(super) fn tell_request(&mut self, event: Event) {
        let incoming = event.incoming;
        let id = self.tell(event);
        if let Some(incoming) = incoming.and_then(|incoming| self.incoming.get_mut(incoming)) {
            incoming.event = id;
        }
    }

    /// Answers with the default now; nothing when answered.
    pub fn dispose_incoming(&mut self, now: Now, id: IncomingId) -> Result<()> {
        self.at(now);
        if !self.incoming(id)?.answered {
            self.default_answer(id);
        }
        Ok(())
    }

    pub(super) fn hang_up_by_refusing(
        &mut self,
        id: SessionId,
        status: u16,
        options: &RequestOptions<'_>,
    ) -> Result<()> {
        let session = self.session(id)?;
        let Some(Origin::Incoming(invite)) = session.origin else {
            return Err(Error::state("the INVITE is answered"));
        };
        let response = ResponseOptions {
            headers: options.headers.clone(),
            body: options.body.map(|body| Body { ..body }),
            ..ResponseOptions::default()
        };
        let status = checked_status(status, 603, 400..=699)?;
        let answer = Answer::of_host(status, &response, false)?;
        self.refuse_request(
            invite,
            answer,
            None,
            Ending { status_code: status, ..Ending::because(Reason::LocalHangup) },
        )
    }

    /// Stores a session and makes its dialog known.
    pub(super) fn add_session(&mut self, mut session: Session) -> Result<SessionId> {
        let key = session.dialog.names.key(self.dialog_keys);
        session.key = key;
        if self.dialogs.contains_key(&key) {
            return Err(Error::state("the dialog is there already"));
        }
        let id = self
            .sessions
            .insert_with(|_| session)
            .ok_or_else(|| Error::new(ErrorKind::Limit, "sessions: no slot is free"))?;
        self.dialogs.insert(key, id);
        Ok(id)
    }

    /// Whether the session waits for the ACK of its first 2xx.
    pub(super) fn waits_for_ack(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| session.state() == SessionState::AckWait)
    }
}

/// §8.1.1.8: exactly one SIP or SIPS URI; RFC 5630 §5.1: SIPS when the Request-URI is.
fn has_good_contact(request: &Message) -> bool {
    let Some(Ok(contact)) = request.contact() else { return false };
    match contact.parse_uri().map(|uri| uri.scheme) {
        Ok(Scheme::Sips) => true,
        Ok(Scheme::Sip) => !request.uri().is_some_and(message::uri::is_sips),
        _ => false,
    }
}

/// A 2xx to an INVITE answers its offer, or makes one where the INVITE brought none.
fn description_due(request: &Message, given: bool) -> Result<()> {
    match (request.session_body(), given) {
        (_, true) => Ok(()),
        (Some(_), false) => Err(Error::state("body: the INVITE's offer needs an answer (RFC 3261 13.3.1.4)")),
        (None, false) => Err(Error::state("body: the INVITE brought no offer, so the 2xx has to (RFC 3261 13.2.1)")),
    }
}

fn describe(body: Option<&message::Body<'_>>) -> Option<StoredBody> {
    body.and_then(StoredBody::of_local)
}

fn expires_of(request: &Message) -> Option<u32> {
    let text = std::str::from_utf8(request.header(HeaderId::Expires)?).ok()?;
    text.trim().parse().ok()
}
