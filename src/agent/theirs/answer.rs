//! Requests of the peer from arrival to final answer: kept, answered by the host, or by time.

use crate::agent::event::Reason;
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::objects::PROVISIONAL_REFRESH;
use crate::agent::options::ResponseOptions;
use crate::agent::theirs::incoming::{Acknowledges, Incoming, Kind};
use crate::agent::theirs::stateless::{TRANSACTIONS, Tag, own_tag};
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::words::response::{Answer, checked_status};
use crate::agent::{Agent, IncomingId, SessionId};
use crate::attachment::Attachment;
use crate::error::{Error, Result};
use crate::message::write;
use crate::message::{self, HeaderId, Message, Method};
use crate::session::explain::Why;
use crate::session::reason::Ending;
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

const REQUESTS: Fault = Fault::new(Counter::Limit, "", "requests: the limit is reached (RFC 3261 21.5.4)");
/// Refusals that nobody asked for.
pub(in crate::agent) const NO_ANSWER: Fault =
    Fault::new(Counter::Default, "", "the host has no answer to the request (RFC 3261 8.2)");
const TOO_LATE: Fault = Fault::new(Counter::Default, "", "the host did not answer in time (RFC 3261 13.3.1)")
    .because(Reason::AnswerTimeout);
const EXPIRED: Why = Why::new(Reason::AnswerTimeout, "the INVITE's Expires has passed (RFC 3261 13.3.1)");

impl Agent {
    /// Stores a request of the peer and starts its transaction; at a limit it is answered 503.
    pub(in crate::agent) fn add_incoming(
        &mut self,
        request: &Arc<Message>,
        kind: Kind,
        session: Option<SessionId>,
    ) -> Option<IncomingId> {
        let flow = self.answer_flow(request)?;
        // Where the session is gone, nobody else would know its functions.
        let attachment = Attachment {
            delegate: session.and_then(|id| self.objects.delegate_of_gone(id)),
            user: session.and_then(|id| self.objects.holder(id)).and_then(|session| session.attachment().user.clone()),
        };
        let (patience, piece) = match request.method() {
            Method::Invite => (self.config.invite_answer_timeout, PROVISIONAL_REFRESH),
            _ => (self.config.other_answer_timeout, Duration::MAX),
        };
        let patience_ends = self.now.monotonic.plus(patience);
        let incoming = Box::new(Incoming::new(request, kind, session, attachment, patience_ends));
        let Some(id) = self.objects.add_incoming(incoming) else {
            self.refuse_for_limit(request, REQUESTS);
            return None;
        };
        let (table, mut effects) = self.transactions();
        match table.start_server(&mut effects, request, flow, id.raw()) {
            Ok(transaction) => {
                let answer = self.arm(patience.min(piece), Timeout::Incoming(id, IncomingTimer::Answer));
                if let Some(incoming) = self.objects.incoming.get_mut(id) {
                    incoming.transaction = Some(transaction);
                    incoming.answer = Some(answer);
                }
                Some(id)
            }
            Err(_) => {
                self.objects.remove_incoming(id);
                self.refuse_for_limit(request, TRANSACTIONS);
                None
            }
        }
    }

    /// The request, as long as the host may answer it: not while its acceptance waits for a PRACK (RFC 3262 §3).
    pub(in crate::agent) fn open_request(&self, id: IncomingId) -> Result<&Incoming> {
        let incoming = self.incoming(id)?.unanswered()?;
        if self.objects.has_accepted(id) {
            return Err(Error::state("the request is accepted; its 2xx waits for a PRACK (RFC 3262 3)"));
        }
        Ok(incoming)
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
        let incoming = self.open_request(id)?;
        let status = checked_status(status, 200, 200..=299)?;
        match &incoming.kind {
            Kind::Invite(_) => self.accept_invite(id, status, options).map(Some),
            Kind::Reinvite => self.accept_reinvite(id, status, options),
            Kind::Update => self.accept_update(id, status, options).map(|()| None),
            Kind::Refer(_) => self.accept_refer(id, status, options).map(|()| None),
            Kind::Prack(_) => self.accept_prack(id, status, options).map(|()| None),
            Kind::Notify { .. } | Kind::Other => {
                if incoming.method == Method::Message && options.body.is_some() {
                    return Err(Error::state("body: a 2xx to MESSAGE has none (RFC 3428 7)"));
                }
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
        self.open_request(id)?;
        self.may_refuse(id)?;
        let status = checked_status(status, 302, 300..=399)?;
        let mut lines = Vec::new();
        for contact in contacts {
            write::check_line(contact)?;
            let (address, _) = message::NameAddr::of_host(contact)?;
            // §20.10: a URI needs the brackets where it has a comma, question mark or semicolon.
            if address.is_bare(contact) && contact.iter().any(|byte| matches!(byte, b',' | b'?' | b';')) {
                write::header(&mut lines, HeaderId::Contact, &[b"<", contact, b">"]);
            } else {
                write::header(&mut lines, HeaderId::Contact, &[contact]);
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
        self.open_request(id)?;
        self.may_refuse(id)?;
        let status = checked_status(status, 480, 400..=699)?;
        let answer = Answer::of_host(status, options, false)?;
        self.refuse_request(
            id,
            answer,
            options.to_tag,
            Ending { status_code: status, ..Ending::because(Reason::Rejected) },
        )
    }

    /// RFC 6141 §3.3: a re-INVITE of which something was executed is accepted, and undone by UPDATE.
    fn may_refuse(&self, id: IncomingId) -> Result<()> {
        if self.objects.has_executed(id) {
            return Err(Error::state(
                "the re-INVITE has changed the session already: accept it, and undo it by UPDATE (RFC 6141 3.3)",
            ));
        }
        Ok(())
    }

    /// A final response to a request that is no accepted INVITE.
    pub(in crate::agent) fn finish(&mut self, id: IncomingId, answer: Answer<'_>, to_tag: Option<&[u8]>) -> Result<()> {
        let incoming = self.incoming(id)?.unanswered()?;
        let in_dialog = incoming.message()?.to_tag().is_some();
        if in_dialog && to_tag.is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        if let Some(tag) = to_tag {
            write::check_to_tag(tag)?;
        }
        let own: Option<Tag> = match incoming.session.and_then(|id| self.objects.sessions.get(id)) {
            _ if in_dialog || to_tag.is_some() => None,
            Some(session) => Some(session.local_tag().into()),
            None => Some(own_tag(self.objects.keys, incoming.message()?)),
        };
        self.respond_to(id, &answer, to_tag.or(own.as_deref()))?;
        self.answered_finally(id);
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return Ok(()) };
        let (method, session) = (incoming.method, incoming.session);
        let refreshes = answer.status < 300 && matches!(method, Method::Notify | Method::Subscribe);
        let message = incoming.message().ok().filter(|_| refreshes).cloned();
        incoming.let_message_go();
        if let (Some(message), Some(holder)) = (message, session.and_then(|id| self.objects.holder_mut(id))) {
            // RFC 6665 §3: both are target refresh requests (RFC 6141 §4: moved when accepted).
            holder.refreshed(&message);
        }
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return Ok(()) };
        if !incoming.is_invite() {
            self.objects.incoming_over(id);
            if method == Method::Bye
                && let Some(session) = session
            {
                self.finish_session(session);
            }
        }
        Ok(())
    }

    /// A final response other than 2xx, and what it ends.
    pub(in crate::agent) fn refuse_request(
        &mut self,
        id: IncomingId,
        mut answer: Answer<'_>,
        to_tag: Option<&[u8]>,
        ending: Ending,
    ) -> Result<()> {
        let incoming = self.incoming(id)?.unanswered()?;
        let prack = incoming.session.filter(|_| matches!(incoming.kind, Kind::Prack(Acknowledges::Response)));
        let update = incoming.session.filter(|_| matches!(incoming.kind, Kind::Update));
        if answer.status == 405 {
            answer.abilities = true;
        }
        if answer.status == 408 && !self.incoming(id)?.is_invite() {
            return Err(Error::state("a request other than INVITE is never answered 408 (RFC 4320 4.2)"));
        }
        self.finish(id, answer, to_tag)?;
        if let Some(session) = prack {
            if self.objects.sessions.get(session).is_some_and(|session| session.is_offering(id)) {
                self.input(session, |session, clock| session.their_prack_refused(id, clock));
            } else {
                // What waited for the PRACK follows its answer, whatever that is.
                self.prack_answered(session, id, None);
            }
        }
        if let Some(session) = update {
            self.input(session, |session, _| session.their_update_refused(id));
        }
        let Some(incoming) = self.objects.incoming.get(id) else { return Ok(()) };
        match &incoming.kind {
            Kind::Invite(invite) => {
                for session in invite.sessions.clone() {
                    self.end_and_finish(session, ending.clone());
                }
            }
            Kind::Reinvite => {
                if let Some(session) = incoming.session {
                    let transaction = incoming.transaction;
                    self.input(session, |session, clock| session.their_reinvite_refused(transaction, clock));
                }
            }
            Kind::Update | Kind::Refer(_) | Kind::Notify { .. } | Kind::Prack(_) | Kind::Other => {}
        }
        Ok(())
    }

    /// A re-INVITE of the peer's that has changed the session already gets 2xx: an error would say that nothing was
    /// changed (RFC 6141 §3.3, §3.8). False: it has not, or a 2xx cannot be given.
    pub(in crate::agent) fn accept_executed(&mut self, id: IncomingId) -> bool {
        let now = self.now;
        self.objects.has_executed(id) && self.accept(now, id, 200, &ResponseOptions::default()).is_ok()
    }

    /// Marks a request answered and stops what waited for the answer.
    pub(in crate::agent) fn answered_finally(&mut self, id: IncomingId) {
        self.objects.use_place(id);
        self.objects.work_done(id);
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        incoming.answered = true;
        let session = incoming.session;
        incoming.provisional = None;
        let timers = [incoming.answer.take(), incoming.invite_mut().and_then(|invite| invite.expires.take())];
        for timer in timers {
            self.stop(timer);
        }
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.answered(id);
        }
    }

    /// A server transaction is over, or the ACK of its refusal came.
    pub(in crate::agent) fn server_ended(&mut self, id: IncomingId) {
        let Some(incoming) = self.objects.incoming.get(id) else { return };
        // An accepted REFER lives as long as its subscription.
        if !incoming.answered || incoming.notifier().is_some() {
            return;
        }
        let session = incoming.session;
        if let Some(session) = session.and_then(|id| self.objects.sessions.get_mut(id)) {
            if !session.transaction_over(id) {
                return;
            }
        }
        self.objects.incoming_over(id);
    }

    /// The host's time to answer is over, or the peer's Expires.
    pub(in crate::agent) fn answer_time_over(&mut self, id: IncomingId, timer: IncomingTimer) {
        let now = self.now.monotonic;
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let left = incoming.patience_ends.since(now);
        match timer {
            IncomingTimer::Answer => incoming.answer = None,
            IncomingTimer::Subscription => return,
            IncomingTimer::Expires => drop(incoming.invite_mut().and_then(|invite| invite.expires.take())),
        }
        if timer == IncomingTimer::Answer && !left.is_zero() {
            self.repeat_provisional(id);
            let answer =
                self.arm(left.min(self.objects.provisional_refresh(id)), Timeout::Incoming(id, IncomingTimer::Answer));
            if let Some(incoming) = self.objects.incoming.get_mut(id) {
                incoming.answer = Some(answer);
            }
            return;
        }
        if self.objects.incoming.get(id).is_some_and(|incoming| matches!(incoming.kind, Kind::Invite(_))) {
            // §13.3.1: 487 when Expires passed.
            let status = if timer == IncomingTimer::Expires { 487 } else { 480 };
            let ending = Ending { status_code: status, ..Ending::because(Reason::AnswerTimeout) };
            match (timer, self.objects.incoming.get(id).and_then(|incoming| incoming.message().ok()).cloned()) {
                (IncomingTimer::Expires, invite) => self.act(None, EXPIRED, status, invite.as_deref()),
                _ => self.unanswered(id, status, TOO_LATE),
            }
            let _ = self.refuse_request(id, Answer::plain(status), None, ending);
        } else if self.objects.is_offered_by_update(id) {
            // RFC 3311 §5.2: whoever would have to be asked was not there in time.
            let ending = Ending { status_code: 504, ..Ending::because(Reason::AnswerTimeout) };
            self.unanswered(id, 504, TOO_LATE);
            let _ = self.refuse_request(id, Answer::plain(504), None, ending);
        } else {
            self.default_answer(id);
        }
        // A host that looks away does not make the queue grow.
        if let Some(unseen) = self.objects.incoming.get(id).map(|incoming| incoming.unseen) {
            self.take_back(unseen.last());
        }
    }

    /// A request that the host has left alone is refused.
    pub(in crate::agent) fn unanswered(&mut self, id: IncomingId, status: u16, fault: Fault) {
        if let Some(request) = self.objects.incoming.get(id).and_then(|incoming| incoming.message().ok()).cloned() {
            self.fault(fault, &request, Done::Answered(status));
        }
    }

    /// Each minute of a pending INVITE the last provisional response goes out again (§13.3.1.1); 183 where the host
    /// gave none, since a 100 does not count.
    pub(in crate::agent) fn repeat_provisional(&mut self, id: IncomingId) {
        if self.refresh_reliably(id) {
            return;
        }
        let Some(incoming) = self.objects.incoming.get(id) else { return };
        match (incoming.provisional.clone(), incoming.transaction) {
            (Some(bytes), Some(transaction)) => {
                self.outbox.retransmissions_sent += 1;
                // The INVITE is unanswered, so its transaction takes the response.
                let _ = self.respond(transaction, 183, bytes);
            }
            _ => {
                let now = self.now;
                // Where it cannot be sent the caller hears nothing.
                let _ = self.progress(now, id, 183, &ResponseOptions::default());
            }
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

    /// 100 now.
    pub fn trying(&mut self, now: Now, id: IncomingId, options: &ResponseOptions<'_>) -> Result<()> {
        self.at(now);
        self.open_request(id)?;
        let answer = Answer::of_host(100, options, false)?;
        self.respond_to(id, &answer, None).map(|_| ())
    }
}
