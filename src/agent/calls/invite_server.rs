//! INVITE and re-INVITE of the peer: their sessions, provisional answers, acceptance (RFC 3261 §13.3, §14.2).

use crate::agent::calls::ending::knows_199;
use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::options::ResponseOptions;
use crate::agent::refer::replace::Replaced;
use crate::agent::theirs::incoming::{Incoming, Kind};
use crate::agent::theirs::stateless::{SESSIONS, Tag, own_tag};
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::words::response::{Answer, checked_status, retry_after_line, wants_recv_info};
use crate::agent::{Agent, Bytes, IncomingId, SessionId};
use crate::dialog::Dialog;
use crate::dialog::target::{self, Contact};
use crate::error::{Error, Result};
use crate::message::uri::is_sips;
use crate::message::write;
use crate::message::{self, HeaderId, Message, header};
use crate::session::Session;
use crate::session::ack::Sent2xx;
use crate::session::invite_server::{description_due, preview_guard};
use crate::session::offer_answer::{Shown, StoredBody};
use crate::session::reason::Ending;
use crate::session::reinvite::Arrival;
use crate::session::reliable_server::ReliableServer;
use crate::time::Now;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

const GLARE: Fault = Fault::new(Counter::State, "CSeq", "an INVITE of ours is in progress (RFC 3261 14.2)");
const OVERLAP: Fault = Fault::new(Counter::State, "CSeq", "the INVITE before it is not over (RFC 3261 14.2)");

impl Agent {
    /// A new call.
    pub(in crate::agent) fn invite_arrived(&mut self, request: Arc<Message>) {
        if self.objects.room_for_session().is_err() {
            return self.refuse_for_limit(&request, SESSIONS);
        }
        if !has_good_contact(&request) {
            let reason = "Bad Request: INVITE without a good Contact (RFC 3261 8.1.1.8, 12.1.1)";
            return self.refuse_malformed(&request, "Contact", reason);
        }
        let replaced = match self.replaced_by(&request) {
            Ok(replaced) => replaced,
            Err(refused) => return self.refuse(&request, &refused.answer(), refused.fault),
        };
        let Some(id) = self.add_incoming(&request, Kind::Invite(Box::default()), None) else { return };
        self.objects.keep_place(id);
        if let Some(session) = replaced.and_then(|replaced| self.objects.sessions.get_mut(replaced.session)) {
            session.referrals_mut().heir = Some(id);
        }
        self.counters.calls_received += 1;
        if let Some(seconds) = expires_of(&request) {
            let timer =
                self.arm(Duration::from_secs(u64::from(seconds)), Timeout::Incoming(id, IncomingTimer::Expires));
            if let Some(invite) = self.objects.incoming.get_mut(id).and_then(Incoming::invite_mut) {
                invite.expires = Some(timer);
            }
        }
        let event = Replaced::event(replaced.as_ref());
        self.tell(Event { incoming: Some(id), message: Some(request), ..event });
    }

    /// An INVITE in a dialog (§14.2).
    pub(in crate::agent) fn reinvite_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.objects.sessions.get(id) else { return };
        let meets = session.their_reinvite_meets(self.outside(session));
        if let Some(session) = self.objects.sessions.get_mut(id) {
            session.newer_invite_came();
        }
        match meets {
            Arrival::Pending => return self.refuse_reinvite(id, &request, &Answer::plain(491), GLARE),
            Arrival::RetryLater => {
                let lines = retry_after_line(&mut self.random);
                return self.refuse_reinvite(id, &request, &Answer { lines: &lines, ..Answer::plain(500) }, OVERLAP);
            }
            Arrival::Process => {}
        }
        let Some(incoming) = self.add_incoming(&request, Kind::Reinvite, Some(id)) else { return };
        self.input(id, |session, _| session.their_reinvite_arrived(incoming, &request));
        self.tell(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Reinvite)
        });
    }

    /// A re-INVITE that a rule refuses: ours waits for its ACK (§14.1).
    pub(in crate::agent) fn refuse_reinvite(
        &mut self,
        id: SessionId,
        request: &Arc<Message>,
        answer: &Answer<'_>,
        fault: Fault,
    ) {
        self.fault(fault, request, Done::Answered(answer.status));
        let refused = self.answer_by_rule(request, answer, b"");
        if let Some(session) = self.objects.sessions.get_mut(id) {
            session.their_reinvite_refused_by_rule(refused);
        }
    }

    /// The session of a live INVITE, before any response.
    pub fn session_for_invite(&mut self, now: Now, id: IncomingId) -> Result<SessionId> {
        self.at(now);
        let incoming = self.incoming(id)?;
        if incoming.answered {
            return Err(Error::state("the INVITE is answered"));
        }
        let Kind::Invite(invite) = &incoming.kind else { return Err(Error::state("not an INVITE out of a dialog")) };
        match self.objects.living_session(invite, None) {
            Some(session) => Ok(session),
            None => {
                let session = self.early_session(id, None)?;
                self.note_state(session);
                Ok(session)
            }
        }
    }

    /// The session with this To tag, made where there is none yet.
    pub(in crate::agent) fn early_session(&mut self, id: IncomingId, to_tag: Option<&[u8]>) -> Result<SessionId> {
        let incoming = self.incoming(id)?;
        if !matches!(incoming.kind, Kind::Invite(_)) {
            return Err(Error::state("not an INVITE out of a dialog"));
        }
        if let Some(known) = self.objects.known_session(incoming, to_tag) {
            return if self.session(known)?.is_terminated() {
                Err(Error::state("to_tag: this dialog is over"))
            } else {
                Ok(known)
            };
        }
        let has_place = matches!(&incoming.kind, Kind::Invite(invite) if invite.has_place);
        let (request, attachment) = (Arc::clone(incoming.message()?), incoming.attachment.clone());
        if !has_place {
            self.objects.room_for_session()?;
        }
        let tag: Tag = match to_tag {
            Some(tag) => {
                write::check_to_tag(tag)?;
                tag.into()
            }
            None => own_tag(self.objects.keys, &request),
        };
        let dialog = Dialog::of_callee(&request, &tag)?;
        let mut session = Session::of_callee(dialog, id, &request, attachment);
        if self.config.ways.peers {
            session.follows(request.flow());
        }
        if self.owes_identity(&request) {
            session.owe_identity();
        }
        let made = self.objects.add_session(session)?;
        self.objects.held_for_sender(made, &request);
        self.objects.use_place(id);
        if let Some(incoming) = self.objects.incoming.get_mut(id) {
            incoming.session = incoming.session.or(Some(made));
            if let Some(invite) = incoming.invite_mut() {
                invite.sessions.push(made);
            }
        }
        Ok(made)
    }

    /// 101 to 199 to an INVITE or re-INVITE (0: 180). Gives the session.
    pub fn progress(
        &mut self,
        now: Now,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<Option<SessionId>> {
        self.at(now);
        let incoming = self.open_request(id)?;
        if !incoming.is_invite() {
            return Err(Error::state("only an INVITE gets provisional responses beyond 100 (RFC 4320 4.1)"));
        }
        let request = Arc::clone(incoming.message()?);
        let initial = matches!(incoming.kind, Kind::Invite(_));
        let known = self.objects.known_session(incoming, options.to_tag);
        let status = checked_status(status, 180, 101..=199)?;
        let mut answer = Answer::provisional(status, options)?;
        let reliable = self.is_reliable(&request, options, &answer)?;
        let description = answer.body.as_ref().is_some_and(|body| body.view().session().is_some());
        if !reliable && description {
            preview_guard(&request, self.has_described(id, known))?;
        }
        if options.to_tag.is_some() && !initial {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        if status == 199 && !(initial && knows_199(&request)) {
            return Err(Error::state("199: only to an INVITE whose Supported has it (RFC 6228 5)"));
        }
        if status == 199 && description {
            return Err(Error::state("body: a 199 describes nothing (RFC 6228 5)"));
        }
        self.answer_fits(&request, &answer)?;
        if reliable {
            return self.progress_reliably(id, answer, options.to_tag);
        }
        let session = if initial { Some(self.early_session(id, options.to_tag)?) } else { None };
        let tag: Tag = session
            .and_then(|id| self.objects.sessions.get(id))
            .map_or_else(Tag::new, |session| session.local_tag().into());
        // RFC 6141 §4.4: in the dialog an unreliable response refreshes no target.
        answer.dialog = initial;
        // RFC 4916 §4: what makes the dialog says that its identities may change.
        answer.abilities = options.body.is_some() || (initial && self.config.connected_identity);
        let bytes = self.respond_to(id, &answer, Some(&*tag).filter(|_| initial))?;
        // What ends a dialog refreshes none.
        if let Some(incoming) = self.objects.incoming.get_mut(id).filter(|_| status != 199) {
            incoming.provisional = Some(bytes);
        }
        let of = session.or_else(|| self.objects.incoming.get(id)?.session);
        if let Some(of) = of {
            let shown = answer.body.as_ref().and_then(|body| Shown::by_local(body, &answer.host.of_body()));
            self.input(of, |session, _| session.early(shown));
        }
        Ok(session.or(known))
    }

    pub(in crate::agent) fn accept_invite(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<SessionId> {
        let incoming = self.incoming(id)?;
        let request = Arc::clone(incoming.message()?);
        let known = self.objects.known_session(incoming, options.to_tag);
        let described = self.has_described(id, known);
        let answer = Answer::of_host(status, options, true)?;
        let shown = self.shown_answer(known, described, &answer);
        let answer = answer.or_shown(shown.as_ref());
        let description = describe(answer.body.as_ref());
        description_due(&request, described, description.is_some())?;
        self.may_replace(id)?;
        self.answer_fits(&request, &answer)?;
        let session = self.early_session(id, options.to_tag)?;
        let tag: Tag = self.session(session)?.local_tag().into();
        self.send_2xx(id, session, answer, description, Some(&tag))?;
        Ok(session)
    }

    pub(in crate::agent) fn accept_reinvite(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<Option<SessionId>> {
        let Some(session) = self.incoming(id)?.session else { return Ok(None) };
        if options.to_tag.is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        let described = self.has_described(id, Some(session));
        let answer = Answer::of_host(status, options, true)?;
        let shown = self.shown_answer(Some(session), described, &answer);
        let answer = answer.or_shown(shown.as_ref());
        let description = describe(answer.body.as_ref());
        let request = Arc::clone(self.incoming(id)?.message()?);
        description_due(&request, described, description.is_some())?;
        self.answer_fits(&request, &answer)?;
        self.send_2xx(id, session, answer, description, None)?;
        Ok(Some(session))
    }

    /// Whether a reliable response to an INVITE has carried our description.
    fn has_described(&self, id: IncomingId, session: Option<SessionId>) -> bool {
        self.objects.reliable_server(id, session).is_some_and(ReliableServer::has_described)
    }

    /// §13.2.1: a 2xx to which the host gives no body repeats the answer that an unreliable response has shown, as it
    /// stood there; none where a reliable one has carried it (`described`).
    fn shown_answer(&self, session: Option<SessionId>, described: bool, answer: &Answer<'_>) -> Option<Shown> {
        if described || answer.body.is_some() {
            return None;
        }
        let shown = self.objects.sessions.get(session?)?.shown_answer().cloned()?;
        Some(shown.without(|line| answer.host.has(header::of_line(line))))
    }

    /// The 2xx to an INVITE or re-INVITE. It waits while a reliable response with a description is unacknowledged (RFC
    /// 3262 §3). Changes nothing when refused.
    pub(in crate::agent) fn send_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        mut answer: Answer<'_>,
        description: Option<StoredBody>,
        to_tag: Option<&[u8]>,
    ) -> Result<()> {
        let request = Arc::clone(self.incoming(id)?.message()?);
        answer.dialog = true;
        answer.abilities = true;
        answer.recv_info = wants_recv_info(&request);
        let description = self.session(session)?.accept_guard(&request, description)?;
        let verdict = self.answer_session_timer(session, &request, &mut answer);
        let (status, response) = (answer.status, self.write_response(&request, &answer, to_tag));
        if self.objects.sessions.get_mut(session).is_some_and(|session| session.hold_2xx(id, status, &response)) {
            self.acceptance_waits(id, session);
            return Ok(());
        }
        self.deliver_2xx(id, session, status, response, description)?;
        self.session_timer_is(session, verdict);
        Ok(())
    }

    /// The 2xx goes out, and is repeated until its ACK.
    pub(in crate::agent) fn deliver_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        status: u16,
        response: Bytes,
        description: Option<StoredBody>,
    ) -> Result<()> {
        let incoming = self.incoming(id)?;
        let request = Arc::clone(incoming.message()?);
        let transaction =
            incoming.transaction.ok_or_else(|| Error::state("the request has no transaction any more"))?;
        self.respond(transaction, status, Bytes::clone(&response))?;
        let flow = self.table.server_flow(transaction).copied();
        let flow = flow.ok_or_else(|| Error::state("the request has no way back"))?;
        let sent = Sent2xx { incoming: id, request: &request, response, flow: &flow, description };
        self.input(session, |session, clock| session.accepted(sent, clock));
        self.client_came(&request, true);
        self.answered_finally(id);
        self.forks_lost(id, session);
        self.note_state(session);
        self.end_replaced(id);
        if let Some(incoming) = self.objects.incoming.get_mut(id) {
            incoming.let_message_go();
        }
        Ok(())
    }

    /// The host has accepted; the 2xx waits for the PRACK of a description.
    fn acceptance_waits(&mut self, id: IncomingId, session: SessionId) {
        let answer = self.objects.incoming.get_mut(id).and_then(|incoming| {
            incoming.session = Some(session);
            incoming.answer.take()
        });
        self.stop(answer);
    }

    /// An INVITE was accepted in this dialog: the others of it end.
    pub(in crate::agent) fn forks_lost(&mut self, id: IncomingId, session: SessionId) {
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let Kind::Invite(invite) = &incoming.kind else { return };
        let others: SmallVec<[SessionId; 1]> =
            invite.sessions.iter().copied().filter(|other| *other != session).collect();
        incoming.session = Some(session);
        for other in others {
            self.end_and_finish(other, Ending::because(Reason::ForkLost));
        }
    }
}

/// §8.1.1.8: exactly one SIP or SIPS URI, that requests can be sent to by Record-Route; RFC 5630 §5.1: SIPS when the
/// Request-URI is.
fn has_good_contact(request: &Message) -> bool {
    let one = request.values(HeaderId::Contact).nth(1).is_none();
    match target::reach_of(request) {
        (_, Contact::At(uri)) => one && (is_sips(&uri) || !request.uri().is_some_and(is_sips)),
        (_, Contact::Missing | Contact::Nowhere) => false,
    }
}

fn describe(body: Option<&message::Body<'_>>) -> Option<StoredBody> {
    body.and_then(StoredBody::of_local)
}

fn expires_of(request: &Message) -> Option<u32> {
    let text = std::str::from_utf8(request.header(HeaderId::Expires)?).ok()?;
    text.trim().parse().ok()
}
