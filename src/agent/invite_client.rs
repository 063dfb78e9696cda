//! INVITE and re-INVITE of ours: forks, ACK of every 2xx, CANCEL (RFC 3261 §9.1, §13.2, §14.1).

use crate::agent::event::{Event, EventKind, Reason, flag};
use crate::agent::headers::HostHeaders;
use crate::agent::options::{Body, RequestOptions, request_flag};
use crate::agent::outgoing::{Cancelling, EndedFork, InviteClient, KeptAck, Kind, Outgoing, OutgoingState};
use crate::agent::request::{Draft, Identity, OwnLines, sender_of};
use crate::agent::resolve::Located;
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, Bytes, OutgoingId, SessionId};
use crate::config::{ForkPolicy, quirk};
use crate::dialog::Dialog;
use crate::dialog::route_set::{RouteSet, as_request_uri};
use crate::error::{Error, ErrorKind, Result};
use crate::message::write;
use crate::message::{HeaderId, Message, Method, NameAddr, Uri};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::{Origin, OwedAck, Phase, Role, Session};
use crate::time::Now;
use std::sync::Arc;

/// How a 2xx found its session.
enum Found {
    /// The session with its To tag.
    Session(SessionId),
    /// One whose dialog ended already: acknowledged, no session (RFC 5407 §3.1.3). `forgotten`: without BYE.
    Ended { forgotten: bool },
    /// None.
    No,
}

impl Agent {
    /// INVITE out of a dialog (§13.2).
    pub fn invite(&mut self, now: Now, target: Option<&[u8]>, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        if options.refer.is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "options.refer: REFER (RFC 3515) is not there yet"));
        }
        let target = target.ok_or_else(|| Error::argument("target: NULL"))?;
        if self.sessions.len() >= self.config.limits.sessions {
            return Err(Error::new(ErrorKind::Limit, "sessions: the limit is reached"));
        }
        let offered = match options.body.map(Body::checked).transpose()? {
            Some(body) => body.view().session().is_some(),
            None => false,
        };
        let expires_ms = options.expires_ms;
        let invite = InviteClient { offered, ..InviteClient::default() };
        let id =
            self.start_out_of_dialog((Method::Invite, b"INVITE"), target, options, Kind::Invite(Box::new(invite)))?;
        self.counters.calls_placed += 1;
        self.arm_expires(id, expires_ms);
        Ok(id)
    }

    /// Drafts a request out of a dialog (§8.1.1) and sends it.
    pub(super) fn start_out_of_dialog(
        &mut self,
        method: (Method, &[u8]),
        target: &[u8],
        options: RequestOptions<'_>,
        kind: Kind,
    ) -> Result<OutgoingId> {
        self.room_for_request()?;
        write::check_line(target)?;
        Uri::parse(target)?;
        let host = HostHeaders::read(&options.headers, false)?;
        let body = options.body.map(Body::checked).transpose()?;
        let from = checked_address(options.from.unwrap_or(&self.config.aor))?.to_vec();
        let to = checked_address(options.to.unwrap_or(target))?.to_vec();
        if let Some(call_id) = options.call_id {
            write::check_line(call_id)?;
            if call_id.is_empty() || call_id.iter().any(u8::is_ascii_whitespace) {
                return Err(Error::syntax("call_id: word [@word] (RFC 3261 25.1)"));
            }
        }
        let call_id: Box<[u8]> = options.call_id.map_or_else(|| self.token(b"", 16), Box::from);
        let from_tag = self.token(b"", 10);
        let expires_s = (options.expires_ms > 0).then(|| options.expires_ms.div_ceil(1_000));
        let own = OwnLines { expires_s, recv_info: method.0 == Method::Invite, ..OwnLines::of(method.0) };
        let tail = self.tail(&host, own, body.as_ref());
        let routes = RouteSet::new(self.config.route_set.iter().map(|route| &route[..]));
        let request_uri = as_request_uri(target);
        let destination = routes.destination(&request_uri);
        let identity = Identity { from: &from, from_tag: &from_tag, to: &to, to_tag: b"", call_id: &call_id };
        let draft = Draft::new(method, &destination, &identity, 1, &host, tail);
        let mut outgoing = Outgoing::new(method.0, kind, draft);
        outgoing.flags = options.flags;
        outgoing.attachment = options.attachment;
        outgoing.fixed_flow = options.flow;
        let id = self.add_outgoing(outgoing)?;
        // What can be known at once is told at once.
        if let Err(error) = self.find_way(id) {
            self.outgoing.remove(id);
            return Err(error);
        }
        self.launch(id);
        Ok(id)
    }

    /// A response to an INVITE or re-INVITE of ours.
    pub(super) fn invite_answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        match response.status() {
            100 => {
                self.proceeding(id);
                let session = self.outgoing.get(id).and_then(|outgoing| outgoing.session);
                self.tell_fate(
                    id,
                    Event { session, message: Some(Arc::clone(response)), ..Event::new(EventKind::Trying) },
                );
            }
            101..=199 => self.invite_progressed(id, response),
            200..=299 => self.invite_accepted(id, response),
            _ => self.invite_rejected(id, response.status(), Some(response)),
        }
    }

    /// The first provisional response frees a CANCEL that waits (§9.1).
    fn proceeding(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        if outgoing.state == OutgoingState::Calling {
            outgoing.state = OutgoingState::Proceeding;
        }
        self.send_wanted_cancel(id);
    }

    fn invite_progressed(&mut self, id: OutgoingId, response: &Arc<Message>) {
        self.proceeding(id);
        let Some(outgoing) = self.outgoing.get(id) else { return };
        let session = match &outgoing.kind {
            Kind::Reinvite(_) => outgoing.session,
            Kind::Invite(_) => match response.to_tag() {
                Some(_) => match self.early_fork(id, response) {
                    Ok(session) => session,
                    // Beyond the limit of early dialogs, or no dialog can be made of it: nobody hears of it.
                    Err(_) => return,
                },
                None if self.config.tolerance & quirk::ONE_XX_WITHOUT_TAG == 0 => return,
                None => {
                    self.count_quirk(quirk::ONE_XX_WITHOUT_TAG);
                    None
                }
            },
            Kind::Bye | Kind::Other => None,
        };
        if let Some(session) = session {
            self.note_preview(session, response);
        }
        self.tell_fate(id, Event { session, message: Some(Arc::clone(response)), ..Event::new(EventKind::Progress) });
    }

    fn count_quirk(&mut self, bit: u32) {
        if let Some(counter) = self.counters.quirks.get_mut(bit.trailing_zeros() as usize) {
            *counter += 1;
        }
    }

    /// The answer in an unreliable provisional response is a preview (§13.2.1): it completes nothing.
    fn note_preview(&mut self, id: SessionId, response: &Message) {
        if let Some(session) = self.sessions.get_mut(id)
            && session.preview.is_none()
            && session.signaling.open_offer() == Some(Party::Local)
            && let Some(body) = response.session_body()
        {
            session.preview = Some(Box::new(StoredBody::of_remote(&body)));
        }
    }

    fn find_fork(&self, id: OutgoingId, tag: &[u8]) -> Found {
        let Some(invite) = self.outgoing.get(id).and_then(Outgoing::invite) else { return Found::No };
        if let Some(ended) = invite.ended.iter().find(|ended| *ended.to_tag == *tag) {
            return Found::Ended { forgotten: ended.forgotten };
        }
        let is_it = |id: &&SessionId| self.sessions.get(**id).is_some_and(|session| session.remote_tag() == tag);
        invite.sessions.iter().find(is_it).map_or(Found::No, |session| Found::Session(*session))
    }

    /// The early session of a provisional response's To tag (§12.1.2); `None`: one that the host ended.
    fn early_fork(&mut self, id: OutgoingId, response: &Arc<Message>) -> Result<Option<SessionId>> {
        match self.find_fork(id, response.to_tag().unwrap_or_default()) {
            Found::Session(session) => return Ok(Some(session)),
            Found::Ended { .. } => return Ok(None),
            Found::No => {}
        }
        let outgoing = self.outgoing(id)?;
        let living = outgoing.invite().map_or(0, |invite| invite.sessions.len());
        if living >= self.config.limits.early_dialogs || self.sessions.len() >= self.config.limits.sessions {
            return Err(Error::new(ErrorKind::Limit, "early dialogs: the limit is reached"));
        }
        if response.contact().is_none_or(|contact| contact.is_err()) {
            if self.config.tolerance & quirk::ONE_XX_WITHOUT_CONTACT == 0 {
                return Err(Error::syntax("Contact: missing in a response that makes a dialog (RFC 3261 12.1.1)"));
            }
            self.count_quirk(quirk::ONE_XX_WITHOUT_CONTACT);
        }
        let session = self.new_fork(id, response, Phase::Early)?;
        self.note_state(session);
        Ok(Some(session))
    }

    fn new_fork(&mut self, id: OutgoingId, response: &Message, phase: Phase) -> Result<SessionId> {
        let outgoing = self.outgoing(id)?;
        let request = outgoing.message().ok_or_else(|| Error::state("not sent yet"))?;
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        let attachment = outgoing.attachment.clone();
        let dialog = Dialog::of_caller(&request, response, secure)?;
        let mut session = Session::new(dialog, Role::Caller, phase, Some(Origin::Outgoing(id)), attachment);
        session.came_on(response.flow());
        if let Some(offer) = request.session_body() {
            session.signaling.apply(Party::Local, StoredBody::of_remote(&offer))?;
        }
        let made = self.add_session(session)?;
        if let Some(invite) = self.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
            invite.sessions.push(made);
        }
        Ok(made)
    }

    /// A 2xx: every To tag's is acknowledged, every repeat answered with the same ACK (§13.2.2.4).
    fn invite_accepted(&mut self, id: OutgoingId, response: &Arc<Message>) {
        if self.repeat_ack(id, response) {
            return;
        }
        if self.too_many_forks(id, response) {
            self.counters.dropped_limit += 1;
            return;
        }
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        outgoing.state = OutgoingState::Completed;
        outgoing.draft = None;
        let mut timers = [None, None];
        if let Some(invite) = outgoing.invite_mut() {
            timers = [invite.expires.take(), invite.give_up.take()];
        }
        for timer in timers {
            self.stop(timer);
        }
        match self.outgoing.get(id).map(|outgoing| (outgoing.is_initial_invite(), outgoing.session)) {
            Some((true, _)) => self.initial_accepted(id, response),
            Some((false, session)) => self.reinvite_accepted(id, session, response),
            None => {}
        }
    }

    /// Whether this is a 2xx of yet another To tag, when as many as may be early dialogs of one INVITE were answered.
    fn too_many_forks(&self, id: OutgoingId, response: &Message) -> bool {
        let Some(invite) = self.outgoing.get(id).and_then(Outgoing::invite) else { return false };
        let owes = |id: &&SessionId| self.sessions.get(**id).is_some_and(|session| session.owed_ack.is_some());
        let answered = invite.acks.len() + invite.sessions.iter().filter(owes).count();
        answered >= self.config.limits.early_dialogs
            && matches!(self.find_fork(id, response.to_tag().unwrap_or_default()), Found::No)
    }

    /// Whether this 2xx was seen before: its ACK goes out again, or is still the host's to send.
    fn repeat_ack(&mut self, id: OutgoingId, response: &Message) -> bool {
        let Some(outgoing) = self.outgoing.get(id) else { return true };
        let Some(invite) = outgoing.invite() else { return true };
        let tag = response.to_tag().unwrap_or_default();
        if let Some(kept) = invite.acks.iter().find(|kept| *kept.to_tag == *tag) {
            let session = invite.winner.or(outgoing.session);
            if let Some((bytes, flow)) = kept.sent.clone() {
                self.outbox.retransmissions_sent += 1;
                self.outbox.transmit(sender_of(session), &bytes, &flow);
            }
            return true;
        }
        let owes =
            |session: &Session| session.remote_tag() == tag && session.owed_ack.is_some_and(|owed| owed.outgoing == id);
        let sessions = invite.sessions.iter().copied().chain(outgoing.session);
        sessions.filter_map(|id| self.sessions.get(id)).any(owes)
    }

    fn initial_accepted(&mut self, id: OutgoingId, response: &Arc<Message>) {
        let tag = response.to_tag().unwrap_or_default();
        let Some(invite) = self.outgoing.get(id).and_then(Outgoing::invite) else { return };
        let unwanted = !matches!(invite.cancelling, Cancelling::No);
        let (winner, only) = (invite.winner, invite.sessions.first().copied().filter(|_| invite.sessions.len() == 1));
        let first_policy = self.config.fork_policy == ForkPolicy::First;
        match self.find_fork(id, tag) {
            Found::Ended { forgotten } => self.acknowledge_stranger(id, response, forgotten),
            Found::Session(session) if winner.is_some() && first_policy => self.fork_lost(id, session, response),
            Found::Session(session) => self.confirm(id, session, response, unwanted),
            Found::No if winner.is_some() && (first_policy || self.sessions.len() >= self.config.limits.sessions) => {
                self.acknowledge_stranger(id, response, true);
            }
            Found::No => match only.filter(|_| winner.is_none()).filter(|only| self.same_callee(*only, response)) {
                Some(session) => {
                    self.count_quirk(quirk::TAG_CHANGED_BY_2XX);
                    self.change_remote_tag(session, tag);
                    self.confirm(id, session, response, unwanted);
                }
                None => match self.new_fork(id, response, Phase::Early) {
                    Ok(session) => self.confirm(id, session, response, unwanted),
                    Err(_) => self.acknowledge_stranger(id, response, true),
                },
            },
        }
    }

    /// The quirk: a callee that changes its tag. The same Contact as in its early dialog says that it is the same one,
    /// not another fork.
    fn same_callee(&self, id: SessionId, response: &Message) -> bool {
        let contact = crate::dialog::target::contact_uri(response);
        self.config.tolerance & quirk::TAG_CHANGED_BY_2XX != 0
            && self
                .sessions
                .get(id)
                .is_some_and(|session| session.is_early() && contact == Some(session.remote_target()))
    }

    fn change_remote_tag(&mut self, id: SessionId, tag: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.dialog.names = session.dialog.names.with_remote_tag(tag);
        let old = std::mem::replace(&mut session.key, session.dialog.names.key(self.dialog_keys));
        let new = session.key;
        self.dialogs.remove(&old);
        self.dialogs.insert(new, id);
    }

    /// The 2xx confirms the session. `unwanted`: the host cancelled, so it ends with BYE at once.
    fn confirm(&mut self, id: OutgoingId, session_id: SessionId, response: &Arc<Message>, unwanted: bool) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        let manual = outgoing.flags & request_flag::MANUAL_ACK != 0;
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.winner = invite.winner.or(Some(session_id));
        let Some(session) = self.sessions.get_mut(session_id) else { return };
        session.phase = Phase::Confirmed;
        session.dialog.confirm_by(response);
        session.came_on(response.flow());
        session.peer.learn(response);
        let preview = session.preview.take();
        let body = response.session_body().map(|body| StoredBody::of_remote(&body));
        let mut answer_due = false;
        let mut unanswered = false;
        if session.signaling.open_offer() == Some(Party::Local) {
            match body.or(preview.map(|preview| *preview)) {
                Some(answer) => drop(session.signaling.apply(Party::Remote, answer)),
                None => unanswered = true,
            }
        } else if session.signaling.would_be(Party::Remote).is_ok()
            && session.answer().is_none()
            && let Some(offer) = body
        {
            answer_due = session.signaling.apply(Party::Remote, offer).is_ok();
        }
        self.counters.calls_confirmed += 1;
        self.note_state(session_id);
        if unwanted || unanswered {
            let reason = if unanswered && !unwanted { Reason::NoAnswerIn2xx } else { self.cancel_reason(id) };
            self.acknowledge(id, Some(session_id), response);
            if unwanted {
                // The 2xx of another fork may have told it.
                if !self.is_fate_told(id) {
                    self.tell_fate(id, Event { status_code: 487, flags: flag::LOCAL, ..Event::new(EventKind::Reject) });
                }
            } else {
                self.tell_accept(id, session_id, response, 0);
            }
            return self.end_with_bye(session_id, Ending::by(reason, response));
        }
        if answer_due || manual {
            if let Some(session) = self.sessions.get_mut(session_id) {
                session.owed_ack = Some(OwedAck { outgoing: id, answer_due });
            }
            return self.tell_accept(id, session_id, response, flag::NEEDS_ACK);
        }
        self.acknowledge(id, Some(session_id), response);
        self.tell_accept(id, session_id, response, 0);
    }

    fn tell_accept(&mut self, id: OutgoingId, session: SessionId, response: &Arc<Message>, flags: u32) {
        let event = Event {
            session: Some(session),
            flags,
            message: Some(Arc::clone(response)),
            ..Event::new(EventKind::Accept)
        };
        self.tell_fate(id, event);
    }

    fn cancel_reason(&self, id: OutgoingId) -> Reason {
        self.outgoing.get(id).and_then(Outgoing::invite).map_or(Reason::Cancelled, |invite| invite.cancel_reason)
    }

    /// A fork that the host saw early answers after another one did: ACK, then BYE (fork policy FIRST).
    fn fork_lost(&mut self, id: OutgoingId, session_id: SessionId, response: &Arc<Message>) {
        let again = self.sessions.get(session_id).is_none_or(|session| !session.is_early());
        if again {
            return;
        }
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.phase = Phase::Confirmed;
            session.dialog.confirm_by(response);
        }
        self.acknowledge(id, Some(session_id), response);
        self.end_with_bye(session_id, Ending::by(Reason::ForkLost, response));
    }

    /// The 2xx to our re-INVITE (§14.1).
    fn reinvite_accepted(&mut self, id: OutgoingId, session: Option<SessionId>, response: &Arc<Message>) {
        let living = session.filter(|id| self.sessions.get(*id).is_some_and(|session| !session.is_terminated()));
        let Some(session_id) = living else {
            // RFC 5407 §3.2.3: the session is over, the 2xx is acknowledged all the same.
            self.acknowledge(id, session, response);
            return self.tell_fate(id, Event { message: Some(Arc::clone(response)), ..Event::new(EventKind::Accept) });
        };
        let manual = self.outgoing.get(id).is_some_and(|outgoing| outgoing.flags & request_flag::MANUAL_ACK != 0);
        let offered = self.outgoing.get(id).and_then(Outgoing::invite).is_some_and(|invite| invite.offered);
        let Some(session) = self.sessions.get_mut(session_id) else { return };
        session.reinvite_client = None;
        session.dialog.refresh_target(response);
        session.peer.learn(response);
        let preview = session.preview.take().map(|preview| *preview);
        let body = response.session_body().map(|body| StoredBody::of_remote(&body)).or(preview);
        let mut answer_due = false;
        match (offered, body) {
            (true, Some(answer)) => drop(session.signaling.apply(Party::Remote, answer)),
            // An offer that the 2xx does not answer is as if never made.
            (true, None) => session.signaling.rollback(),
            (false, Some(offer)) => answer_due = session.signaling.apply(Party::Remote, offer).is_ok(),
            (false, None) => {}
        }
        self.note_state(session_id);
        if answer_due || manual {
            if let Some(session) = self.sessions.get_mut(session_id) {
                session.owed_ack = Some(OwedAck { outgoing: id, answer_due });
            }
            return self.tell_accept(id, session_id, response, flag::NEEDS_ACK);
        }
        self.acknowledge(id, Some(session_id), response);
        self.tell_accept(id, session_id, response, 0);
    }

    /// A final response other than 2xx, received or (`response` `None`) made here.
    pub(super) fn invite_rejected(&mut self, id: OutgoingId, status: u16, response: Option<&Arc<Message>>) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        outgoing.state = OutgoingState::Completed;
        outgoing.draft = None;
        let session = outgoing.session;
        let reinvite = matches!(outgoing.kind, Kind::Reinvite(_));
        let Some(invite) = outgoing.invite_mut() else { return };
        let forks = std::mem::take(&mut invite.sessions);
        let cancelled = !matches!(invite.cancelling, Cancelling::No);
        let reason = if cancelled { invite.cancel_reason } else { Reason::Rejected };
        let timers = [invite.expires.take(), invite.give_up.take()];
        for timer in timers {
            self.stop(timer);
        }
        if let Some(session) = session.filter(|_| reinvite) {
            self.reinvite_undone(id, session);
        }
        let kind = if (300..400).contains(&status) { EventKind::Redirect } else { EventKind::Reject };
        let flags = if response.is_none() { flag::LOCAL } else { 0 };
        self.tell_fate(
            id,
            Event { session, status_code: status, flags, message: response.cloned(), ..Event::new(kind) },
        );
        if let Some(session) = session.filter(|_| reinvite) {
            self.reinvite_failed(id, session, status, response);
        } else {
            // §13.2.2.3: all early dialogs end.
            for fork in forks {
                self.end_session(fork, Ending { reason, status_code: status, message: response.cloned() });
                self.finish_session(fork);
            }
        }
        self.outgoing_over(id);
    }

    /// The session is as if the re-INVITE had never been (§14.1).
    fn reinvite_undone(&mut self, id: OutgoingId, session_id: SessionId) {
        let offered = self.outgoing.get(id).and_then(Outgoing::invite).is_some_and(|invite| invite.offered);
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.reinvite_client = None;
            session.preview = None;
            if offered && session.signaling.open_offer() == Some(Party::Local) {
                session.signaling.rollback();
            }
        }
        self.note_state(session_id);
    }

    /// Whether the failure of a re-INVITE tells that the usage is gone (RFC 5057). Cancelled before it went out: the peer
    /// has failed in nothing.
    fn reinvite_failed(&mut self, id: OutgoingId, session: SessionId, status: u16, response: Option<&Arc<Message>>) {
        let Some(outgoing) = self.outgoing.get(id) else { return };
        let cancelled = outgoing.invite().is_some_and(|invite| !matches!(invite.cancelling, Cancelling::No));
        if outgoing.sent.is_some() || !cancelled {
            self.failure_in_dialog(session, b"INVITE", status, response);
        }
    }

    /// Sends the ACK of a 2xx and keeps it for the repeats. The dialog is the session's, an orphaned re-INVITE's, or made
    /// from the response.
    fn acknowledge(&mut self, id: OutgoingId, session: Option<SessionId>, response: &Arc<Message>) {
        let tag = response.to_tag().unwrap_or_default();
        self.acknowledge_plainly(id, session, tag, Some(response));
    }

    /// The ACK that the library sends; without a way that is told.
    fn acknowledge_plainly(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        response: Option<&Message>,
    ) {
        if self.acknowledge_with(id, session, tag, response, &RequestOptions::default()).is_err() {
            self.keep_ack(id, tag, None);
            self.ack_failed(session);
        }
    }

    /// An ACK could not be sent.
    pub(super) fn ack_failed(&mut self, session: Option<SessionId>) {
        self.tell(Event { session, reason: Reason::Transport, ..Event::new(EventKind::TransportError) });
    }

    fn acknowledge_with(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        response: Option<&Message>,
        options: &RequestOptions<'_>,
    ) -> Result<()> {
        let outgoing = self.outgoing(id)?;
        let request = outgoing.message().ok_or_else(|| Error::state("not sent yet"))?;
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        let live = session.and_then(|id| self.sessions.get(id)).map(|session| session.dialog.clone());
        let orphaned = outgoing.invite().and_then(|invite| invite.orphaned.as_deref().cloned());
        let dialog = match (live.or(orphaned), response) {
            (Some(dialog), _) => dialog,
            (None, Some(response)) => Dialog::of_caller(&request, response, secure)?,
            (None, None) => return Err(Error::state("no dialog to acknowledge in")),
        };
        let draft = self.draft_in_dialog(&dialog, (Method::Ack, b"ACK"), request.cseq_number(), options)?;
        let known = session.and_then(|id| self.sessions.get(id));
        let fixed = known.and_then(|session| session.way()).or(outgoing.fixed_flow.as_ref());
        let way = self.locate(&draft.next_hop, fixed, known.and_then(|session| session.resolved.as_deref()));
        match way? {
            Located::At(flow) => self.send_kept_ack(id, session, tag, &draft, &flow),
            Located::Ask(question) => {
                self.keep_ack(id, tag, None);
                self.ask_for_ack(id, session, tag, draft, question);
                Ok(())
            }
        }
    }

    pub(super) fn send_kept_ack(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        draft: &Draft,
        flow: &crate::flow::Flow,
    ) -> Result<()> {
        let sent = self.send_ack(session, draft, flow)?;
        self.keep_ack(id, tag, Some(sent));
        Ok(())
    }

    /// The 2xx of this To tag was seen; what its repeats are answered with.
    fn keep_ack(&mut self, id: OutgoingId, tag: &[u8], sent: Option<(Bytes, crate::flow::Flow)>) {
        let Some(invite) = self.outgoing.get_mut(id).and_then(Outgoing::invite_mut) else { return };
        match invite.acks.iter_mut().find(|kept| *kept.to_tag == *tag) {
            Some(kept) => kept.sent = sent,
            None => invite.acks.push(KeptAck { to_tag: tag.into(), sent }),
        }
    }

    /// A 2xx that no session is made for: ACK, and with `bye` BYE (§13.2.2.4).
    fn acknowledge_stranger(&mut self, id: OutgoingId, response: &Arc<Message>, bye: bool) {
        self.acknowledge(id, None, response);
        let Some(outgoing) = self.outgoing.get(id).filter(|_| bye) else { return };
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        let (fixed_flow, request) = (outgoing.fixed_flow, outgoing.message());
        let Some(request) = request else { return };
        let Ok(mut dialog) = Dialog::of_caller(&request, response, secure) else { return };
        let number = dialog.local.take();
        let options = RequestOptions::default();
        if let Ok(draft) = self.draft_in_dialog(&dialog, (Method::Bye, b"BYE"), number, &options) {
            let mut outgoing = Outgoing::new(Method::Bye, Kind::Other, draft);
            outgoing.silent = true;
            outgoing.fixed_flow = fixed_flow;
            if let Ok(bye) = self.add_outgoing(outgoing) {
                self.launch(bye);
            }
        }
    }

    /// ACK of the 2xx that waits for the host.
    pub fn ack(&mut self, now: Now, id: SessionId, options: &RequestOptions<'_>) -> Result<()> {
        self.at(now);
        let session = self.session(id)?;
        let owed = session.owed_ack.filter(|_| !session.is_terminated());
        let owed = owed.ok_or_else(|| Error::state("no 2xx waits for an ACK (RFC 3261 13.2.2.4)"))?;
        let tag: Box<[u8]> = session.remote_tag().into();
        let body = options.body.map(Body::checked).transpose()?;
        let description = body.as_ref().and_then(StoredBody::of_local);
        match (owed.answer_due, &description) {
            (true, None) => {
                return Err(Error::state(
                    "body: the 2xx brought an offer, its answer belongs into the ACK (RFC 3261 13.2.1)",
                ));
            }
            (false, Some(_)) => return Err(Error::state("body: there is no offer to answer (RFC 3264)")),
            _ => {}
        }
        self.acknowledge_with(owed.outgoing, Some(id), &tag, None, options)?;
        if let Some(session) = self.sessions.get_mut(id) {
            session.owed_ack = None;
            if let Some(answer) = description {
                session.signaling.apply(Party::Local, answer)?;
            }
        }
        self.note_state(id);
        Ok(())
    }

    /// The host owes an ACK but wants the session ended, or let 64*T1 pass: the ACK goes without an answer.
    pub(super) fn acknowledge_owed(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(owed) = session.owed_ack.take() else { return };
        let tag: Box<[u8]> = session.remote_tag().into();
        self.acknowledge_plainly(owed.outgoing, Some(id), &tag, None);
    }

    /// CANCEL of an INVITE or re-INVITE of ours (§9.1). False: final already, nothing sent.
    pub fn cancel(
        &mut self,
        now: Now,
        id: OutgoingId,
        reason: Option<&[u8]>,
        options: &RequestOptions<'_>,
    ) -> Result<bool> {
        self.at(now);
        let host = HostHeaders::read(&options.headers, true)?;
        let mut lines = Vec::new();
        if let Some(reason) = reason {
            write::check_line(reason)?;
            write::header(&mut lines, HeaderId::Reason, &[reason]);
        }
        host.write(&mut lines, b"");
        self.cancel_with(id, lines.into_boxed_slice(), Reason::Cancelled)
    }

    pub(super) fn cancel_with(&mut self, id: OutgoingId, lines: Box<[u8]>, reason: Reason) -> Result<bool> {
        let outgoing = self.outgoing_mut(id)?;
        let state = outgoing.state;
        let Some(invite) = outgoing.invite_mut() else {
            return Err(Error::state("only INVITE is cancelled (RFC 3261 9.1)"));
        };
        if state == OutgoingState::Completed {
            return Ok(false);
        }
        if matches!(invite.cancelling, Cancelling::No | Cancelling::Abandoned) {
            invite.cancelling = Cancelling::Wanted(lines);
            invite.cancel_reason = reason;
            match state {
                OutgoingState::Proceeding => self.send_wanted_cancel(id),
                OutgoingState::Resolving => {
                    self.drop_queries_of(id);
                    self.invite_rejected(id, 487, None);
                }
                _ => {}
            }
        }
        Ok(true)
    }

    fn send_wanted_cancel(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        let (Some(sent), Some(flow)) = (outgoing.sent.clone(), outgoing.flow) else { return };
        let Some(invite) = outgoing.invite_mut() else { return };
        let Cancelling::Wanted(lines) = &mut invite.cancelling else { return };
        let lines = std::mem::take(lines);
        invite.cancelling = Cancelling::Sent;
        let Ok(request) = Message::parse(&sent, None) else { return };
        let mut out = Vec::with_capacity(512);
        write::cancel_for(&mut out, &request, &lines);
        let branch = request.branch().unwrap_or_default();
        let (table, mut effects) = self.transactions();
        // Its own answer does not matter: the INVITE's final response comes, or patience ends.
        let _ = table.start_client(&mut effects, Bytes::from(out), branch, b"CANCEL", flow, 0);
        let give_up = self.arm(self.config.timers.patience(), Timeout::Outgoing(id, OutgoingTimer::CancelGivenUp));
        let old =
            self.outgoing.get_mut(id).and_then(Outgoing::invite_mut).and_then(|invite| invite.give_up.replace(give_up));
        self.stop(old);
    }

    /// §9.1: no final response in 64*T1 after CANCEL: the INVITE is over.
    pub(super) fn cancel_given_up(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        let client = outgoing.transaction;
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.give_up = None;
        let status = if matches!(invite.cancelling, Cancelling::Sent) { 487 } else { 408 };
        if let Some(client) = client {
            let (table, mut effects) = self.transactions();
            table.give_up(&mut effects, client);
        }
        self.invite_rejected(id, status, None);
    }

    /// The session of a re-INVITE is over: a late 2xx is still acknowledged in its dialog (RFC 5407 §3.2.3), but a peer
    /// that has answered with a provisional response only is not waited for any longer than after a CANCEL.
    pub(super) fn orphan_reinvite(&mut self, id: OutgoingId, dialog: Dialog) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        let waits = outgoing.state != OutgoingState::Completed;
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.orphaned = Some(Box::new(dialog));
        if waits && invite.give_up.is_none() {
            let patience = self.config.timers.patience();
            let give_up = self.arm(patience, Timeout::Outgoing(id, OutgoingTimer::CancelGivenUp));
            if let Some(invite) = self.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
                invite.give_up = Some(give_up);
            }
        }
    }

    /// The client transaction of an INVITE is over: no 2xx can come any more.
    pub(super) fn invite_client_ended(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get_mut(id) else { return };
        if outgoing.state != OutgoingState::Completed {
            return;
        }
        let session = outgoing.session;
        let Some(invite) = outgoing.invite_mut() else { return };
        let forks = std::mem::take(&mut invite.sessions);
        for fork in forks.into_iter().chain(session) {
            let Some(session) = self.sessions.get_mut(fork) else { continue };
            if session.origin == Some(Origin::Outgoing(id)) {
                session.origin = None;
            }
            if session.is_early() {
                // §13.2.2.4: early dialogs end 64*T1 after the first 2xx.
                self.end_session(fork, Ending::because(Reason::ForkLost));
                self.finish_session(fork);
            } else if session.owed_ack.is_some_and(|owed| owed.outgoing == id) {
                self.acknowledge_owed(fork);
                self.end_with_bye(fork, Ending::because(Reason::AckTimeout));
            }
        }
        if !self.is_fate_told(id) {
            // Its only 2xx were of dialogs that had ended before.
            self.tell_fate(id, Event { status_code: 487, flags: flag::LOCAL, ..Event::new(EventKind::Reject) });
        }
        self.outgoing_over(id);
    }

    /// Whether our INVITE has other early dialogs than this.
    pub(super) fn has_other_forks(&self, id: SessionId) -> bool {
        let Some(Origin::Outgoing(outgoing)) = self.sessions.get(id).and_then(|session| session.origin) else {
            return false;
        };
        let Some(invite) = self.outgoing.get(outgoing).and_then(Outgoing::invite) else { return false };
        invite
            .sessions
            .iter()
            .any(|other| *other != id && self.sessions.get(*other).is_some_and(|session| !session.is_terminated()))
    }

    fn is_fate_told(&self, id: OutgoingId) -> bool {
        self.outgoing.get(id).and_then(Outgoing::invite).is_none_or(|invite| invite.fate_told)
    }

    /// Remembers that a dialog ended: a 2xx of it is acknowledged and makes no session.
    pub(super) fn note_ended_fork(&mut self, id: SessionId, forgotten: bool) {
        let Some(session) = self.sessions.get(id) else { return };
        let Some(Origin::Outgoing(outgoing)) = session.origin else { return };
        let tag: Box<[u8]> = session.remote_tag().into();
        if let Some(invite) = self.outgoing.get_mut(outgoing).and_then(Outgoing::invite_mut) {
            invite.ended.push(EndedFork { to_tag: tag, forgotten });
        }
    }
}

/// A name-addr or URI without tag, for From and To.
fn checked_address(text: &[u8]) -> Result<&[u8]> {
    write::check_line(text)?;
    if !text.contains(&b'<') {
        Uri::parse(text)?;
        return Ok(text);
    }
    let address = NameAddr::parse(text)?;
    address.parse_uri()?;
    if address.parameters.is_empty() {
        Ok(text)
    } else {
        Err(Error::syntax("from, to: a name-addr without parameters; the tag is the library's"))
    }
}
