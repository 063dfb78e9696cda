//! INVITE and re-INVITE of ours: forks, what their responses do to sessions (RFC 3261 §13.2, §14.1).

use crate::agent::calls::session_timer::REFRESHED;
use crate::agent::event::{Event, EventKind, Reason, flag};
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::objects::Found;
use crate::agent::options::{Body, RequestOptions, request_flag};
use crate::agent::ours::out_of_dialog::host_target;
use crate::agent::ours::outgoing::{Cancelling, Kind, Outgoing, OutgoingState};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::config::{ForkPolicy, quirk};
use crate::dialog::Dialog;
use crate::dialog::sequence::LocalSequence;
use crate::dialog::target::{self, Contact};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::Transport;
use crate::message::reason::sip_cause;
use crate::message::uri::is_sips;
use crate::message::{Message, Method, Uri};
use crate::session::Session;
use crate::session::change::By;
use crate::session::invite_client::{HostAcks, Taken};
use crate::session::offer_answer::StoredBody;
use crate::session::reason::Ending;
use crate::session::reliable_client::rseq_of;
use crate::time::Now;
use std::sync::Arc;

const FORKS: Fault = Fault::new(Counter::Beyond, "To", "dialogs of one INVITE: the limit is reached (RFC 3261 12.1)");
const NO_FORK: Fault = Fault::new(Counter::Response, "To", "a 199 of no dialog that is here (RFC 6228 4)");
const NO_DIALOG: Fault =
    Fault::new(Counter::Response, "Contact", "no dialog can be made of the response (RFC 3261 12.1.1)");

impl Agent {
    /// INVITE out of a dialog (§13.2).
    pub fn invite(&mut self, now: Now, target: Option<&[u8]>, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let refer = options.refer;
        let asked = refer.map(|refer| self.asked_by(refer, &options)).transpose()?;
        let target = match (target, &asked) {
            (Some(target), _) => host_target(target)?,
            (None, Some(asked)) => Uri::received(&asked.target)?,
            (None, None) => return Err(Error::argument("target: NULL")),
        };
        self.objects.room_for_session()?;
        options.body.map(Body::checked).transpose()?;
        let expires_ms = options.expires_ms;
        let mut options = options;
        options.headers.extend(asked.iter().flat_map(|asked| &asked.lines).map(|line| &line[..]));
        let kind = Kind::Invite(Box::default());
        let id = self.draft_out_of_dialog((Method::Invite, b"INVITE"), &target, options, kind)?;
        if let Some(refer) = refer
            && let Err(error) = self.tie_to_refer(id, refer)
        {
            self.objects.outgoing.remove(id);
            return Err(error);
        }
        self.launch(id);
        self.counters.calls_placed += 1;
        self.arm_expires(id, expires_ms);
        Ok(id)
    }

    /// re-INVITE (RFC 3261 §14.1).
    pub fn reinvite(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let body = options.body.map(Body::checked).transpose()?;
        let offer = body.as_ref().and_then(StoredBody::of_local);
        let expires_ms = options.expires_ms;
        let request = self.change(By::Reinvite, id, offer, options)?;
        self.arm_expires(request, expires_ms);
        Ok(request)
    }

    /// A response to an INVITE or re-INVITE of ours.
    pub(in crate::agent) fn invite_answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        match response.status() {
            100 => {
                self.proceeding(id);
                let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
                self.tell_fate(
                    id,
                    Event { session, message: Some(Arc::clone(response)), ..Event::new(EventKind::Trying) },
                );
            }
            101..=299 => {
                let unreachable = self.has_no_way(id, response).then(|| {
                    let mut unreachable = Message::clone(response);
                    unreachable.lead_nowhere();
                    Arc::new(unreachable)
                });
                let response = unreachable.as_ref().unwrap_or(response);
                if response.status() < 200 {
                    self.invite_progressed(id, response);
                } else {
                    self.invite_accepted(id, response);
                }
            }
            _ if self.dealt_with(id, response) => {}
            _ => self.invite_rejected(id, response.status(), Some(response)),
        }
    }

    /// Whether a response that may make a dialog names a way that no socket of ours goes: another transport, another
    /// family of addresses. It counts as one that names none (`dialog/target`).
    fn has_no_way(&self, id: OutgoingId, response: &Message) -> bool {
        let outgoing = self.objects.outgoing.get(id).filter(|outgoing| outgoing.is_initial_invite());
        let Some((outgoing, invite)) = outgoing.and_then(|outgoing| Some((outgoing, outgoing.invite()?))) else {
            return false;
        };
        let (routes, Contact::At(target)) = target::reach_of(response) else { return false };
        let destination = routes.destination(&target);
        let connection = response.flow().filter(|flow| flow.transport != Transport::Udp);
        let way = outgoing.fixed_flow.as_ref().or(connection.filter(|_| routes.is_empty()));
        let (secure, came) = (invite.secure || is_sips(&target), connection.map(|flow| flow.transport));
        self.locate(&destination.next_hop, secure, way, came, None).is_err()
    }

    /// The first provisional response frees a CANCEL that waits (§9.1).
    fn proceeding(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        outgoing.proceeding();
        self.send_wanted_cancel(id);
    }

    fn invite_progressed(&mut self, id: OutgoingId, response: &Arc<Message>) {
        self.proceeding(id);
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        // In the dialog there is no other that could be meant.
        let ends_fork = response.status() == 199 && outgoing.is_initial_invite();
        if ends_fork && self.ends_nothing(id, response) {
            return self.fault(NO_FORK, response, Done::Dropped);
        }
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        let session = match &outgoing.kind {
            Kind::Reinvite(_) => outgoing.session,
            Kind::Invite(_) => match response.to_tag() {
                Some(_) => match self.early_fork(id, response) {
                    Ok(session) => session,
                    // Nobody hears of it.
                    Err(error) => {
                        let fault = if error.kind == ErrorKind::Limit { FORKS } else { NO_DIALOG };
                        return self.fault(fault, response, Done::Dropped);
                    }
                },
                None if !self.tolerates(quirk::ONE_XX_WITHOUT_TAG) => {
                    let fault = Fault::new(Counter::Response, "To", "no tag, and not 100 (RFC 3261 8.2.6.2)");
                    return self.fault(fault, response, Done::Dropped);
                }
                None => {
                    self.counters.count_quirk(quirk::ONE_XX_WITHOUT_TAG);
                    None
                }
            },
            Kind::Update | Kind::Bye | Kind::Prack(_) | Kind::Refer(_) | Kind::Notify(_) | Kind::Other => None,
        };
        let flags = match session {
            Some(session) => match self.provisional_in_dialog(id, session, response) {
                Some(flags) => flags,
                None => return,
            },
            None => 0,
        };
        let message = Some(Arc::clone(response));
        self.tell_fate(id, Event { session, flags, message, ..Event::new(EventKind::Progress) });
        if let Some(session) = session.filter(|_| ends_fork) {
            self.fork_terminated(session, response);
        }
    }

    /// RFC 6228 §4: a 199 of a To tag whose dialog is not here, or not any more, is dropped. A reliable one makes it, for its
    /// PRACK.
    fn ends_nothing(&self, id: OutgoingId, response: &Message) -> bool {
        let known = |tag| matches!(self.objects.find_fork(id, tag), Found::Session(_));
        rseq_of(response).is_none() && !response.to_tag().is_some_and(known)
    }

    /// RFC 6228 §4: a 199 ends its early dialog, without BYE; the INVITE goes on. Why is what its Reason says.
    fn fork_terminated(&mut self, id: SessionId, response: &Arc<Message>) {
        if self.objects.sessions.get(id).is_some_and(Session::is_early) {
            let status_code = sip_cause(response).unwrap_or(response.status());
            self.end_and_finish(id, Ending { status_code, ..Ending::by(Reason::Rejected, response) });
        }
    }

    /// The early session of a provisional response's To tag (§12.1.2); `None`: one that the host ended.
    fn early_fork(&mut self, id: OutgoingId, response: &Arc<Message>) -> Result<Option<SessionId>> {
        match self.objects.find_fork(id, response.to_tag().unwrap_or_default()) {
            Found::Session(session) => return Ok(Some(session)),
            Found::Ended { .. } => return Ok(None),
            Found::No => {}
        }
        let outgoing = self.outgoing(id)?;
        let living = outgoing.invite().map_or(0, |invite| invite.sessions.len());
        let full = self.objects.room_for_session().is_err() || living > 0 && !self.memory_for_fork();
        if living >= self.config.limits.early_dialogs || full {
            return Err(Error::new(ErrorKind::Limit, "early dialogs: the limit is reached"));
        }
        if !matches!(target::reach_of(response), (_, Contact::At(_))) {
            if !self.tolerates(quirk::ONE_XX_WITHOUT_CONTACT) {
                return Err(Error::syntax("Contact: missing in a response that makes a dialog (RFC 3261 12.1.1)"));
            }
            self.counters.count_quirk(quirk::ONE_XX_WITHOUT_CONTACT);
        }
        let session = self.new_fork(id, response)?;
        self.note_state(session);
        Ok(Some(session))
    }

    fn new_fork(&mut self, id: OutgoingId, response: &Message) -> Result<SessionId> {
        let outgoing = self.outgoing(id)?;
        let request = outgoing.message().ok_or_else(|| Error::state("not sent yet"))?;
        let attachment = outgoing.attachment.clone();
        let dialog = self.dialog_of(outgoing, &request, response)?;
        self.count_odd_addresses(response);
        let outgoing = self.outgoing(id)?;
        let mut session = Session::of_caller(dialog, id, &request, response, attachment);
        if self.config.ways.peers {
            session.follows(response.flow());
        }
        if let Some(auth) = &outgoing.auth {
            if let Some(given) = auth.given() {
                session.give_credentials(Arc::clone(given));
            }
            session.keep_credentials(auth.credentials.clone());
        }
        if let Some(timed) = &outgoing.timed {
            session.set_session_terms(timed.terms);
            session.learn_min_se(Some(timed.learned_s));
        }
        session.answered_by(outgoing.resolved.as_deref());
        session.inherit_acts(outgoing.invite().and_then(|invite| invite.acts.clone()));
        let made = self.objects.add_session(session)?;
        if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
            invite.sessions.push(made);
        }
        Ok(made)
    }

    /// The dialog that `response` makes of an INVITE of ours, which is `request`.
    pub(super) fn dialog_of(&self, outgoing: &Outgoing, request: &Message, response: &Message) -> Result<Dialog> {
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        Dialog::of_caller(request, response, secure, &self.config.route_set)
    }

    /// A 2xx: every To tag's is acknowledged, every repeat answered with the same ACK (§13.2.2.4).
    fn invite_accepted(&mut self, id: OutgoingId, response: &Arc<Message>) {
        if self.repeat_ack(id, response) {
            return;
        }
        if self.objects.too_many_forks(id, response, self.config.limits.early_dialogs) {
            return self.fault(FORKS, response, Done::Dropped);
        }
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let waited = outgoing.done();
        let mut timers = [waited, None, None];
        if let Some(invite) = outgoing.invite_mut() {
            timers = [waited, invite.expires.take(), invite.give_up.take()];
        }
        for timer in timers {
            self.stop(timer);
        }
        match self.objects.outgoing.get(id).map(|outgoing| (outgoing.is_initial_invite(), outgoing.session)) {
            Some((true, _)) => self.initial_accepted(id, response),
            Some((false, session)) => self.reinvite_accepted(id, session, response),
            None => {}
        }
    }

    fn initial_accepted(&mut self, id: OutgoingId, response: &Arc<Message>) {
        let tag = response.to_tag().unwrap_or_default();
        let Some(invite) = self.objects.outgoing.get(id).and_then(Outgoing::invite) else { return };
        let unwanted = !matches!(invite.cancelling, Cancelling::No);
        let (winner, only) = (invite.winner, invite.sessions.first().copied().filter(|_| invite.sessions.len() == 1));
        let tolerated = self.tolerates(quirk::TAG_CHANGED_BY_2XX);
        let first_policy = self.config.fork_policy == ForkPolicy::First;
        let fresh = Some(LocalSequence::starting_at(response.cseq_number()));
        match self.objects.find_fork(id, tag) {
            Found::Ended { untold } => self.acknowledge_stranger(id, response, untold),
            Found::Session(session) if winner.is_some() && first_policy => self.fork_lost(id, session, response),
            Found::Session(session) => self.confirm(id, session, response, unwanted),
            Found::No
                if winner.is_some()
                    && (first_policy || self.objects.room_for_session().is_err() || !self.memory_for_fork()) =>
            {
                self.acknowledge_stranger(id, response, fresh);
            }
            Found::No => match only
                .filter(|_| winner.is_none())
                .filter(|only| tolerated && self.objects.is_same_callee(*only, response))
            {
                Some(session) => {
                    self.counters.count_quirk(quirk::TAG_CHANGED_BY_2XX);
                    self.objects.change_remote_tag(session, tag);
                    self.confirm(id, session, response, unwanted);
                }
                None => match self.new_fork(id, response) {
                    Ok(session) => self.confirm(id, session, response, unwanted),
                    Err(_) => self.acknowledge_stranger(id, response, fresh),
                },
            },
        }
    }

    /// The 2xx confirms the session. `unwanted`: the host cancelled, so it ends with BYE at once.
    fn confirm(&mut self, id: OutgoingId, session_id: SessionId, response: &Arc<Message>, unwanted: bool) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let manual = outgoing.flags & request_flag::MANUAL_ACK != 0;
        let resolved = outgoing.resolved.clone();
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.winner = invite.winner.or(Some(session_id));
        let Some(session) = self.objects.sessions.get_mut(session_id) else { return };
        let by_host = if unwanted { HostAcks::None } else { host_acks(manual) };
        let taken = session.confirmed_by(id, response, by_host);
        session.answered_by(resolved.as_deref());
        self.connection_noted(session_id);
        self.counters.calls_confirmed += 1;
        self.session_timer_by(id, session_id, response);
        self.note_state(session_id);
        if unwanted {
            let reason = self.objects.cancel_reason(id);
            self.acknowledge_taken(id, session_id, response, taken);
            // The 2xx of another fork may have told it.
            if !self.objects.is_fate_told(id) {
                self.tell_fate(id, Event { status_code: 487, flags: flag::LOCAL, ..Event::new(EventKind::Reject) });
            }
            return self.end_with_bye(session_id, Ending::by(reason, response));
        }
        self.acknowledge_taken(id, session_id, response, taken);
        let flags = if taken == Taken::ByHost { flag::NEEDS_ACK } else { 0 };
        self.tell_accept(id, Some(session_id), response, flags, Reason::None);
        match taken {
            Taken::Unanswered => self.end_with_bye(session_id, Ending::by(Reason::NoAnswerIn2xx, response)),
            Taken::Unreachable => self.end_with_bye(session_id, Ending::by(Reason::RefusedByRule, response)),
            Taken::Acknowledge | Taken::ByHost => {}
        }
    }

    /// The ACK of a 2xx goes out, unless it is the host's to send.
    fn acknowledge_taken(&mut self, id: OutgoingId, session: SessionId, response: &Arc<Message>, taken: Taken) {
        if taken != Taken::ByHost {
            self.acknowledge(id, Some(session), response);
        }
    }

    fn tell_accept(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        response: &Arc<Message>,
        flags: u32,
        reason: Reason,
    ) {
        let message = Some(Arc::clone(response));
        self.tell_unanswered(session, reason, response);
        self.tell_fate(id, Event { session, flags, message, reason, ..Event::new(EventKind::Accept) });
    }

    /// A fork that the host saw early answers after another one did: ACK, then BYE (fork policy FIRST).
    fn fork_lost(&mut self, id: OutgoingId, session_id: SessionId, response: &Arc<Message>) {
        // Confirmed it may be by the host's word only; repeats of its 2xx do not come here.
        let over = self.objects.sessions.get(session_id).is_none_or(|session| session.is_terminated());
        if over {
            return;
        }
        if let Some(session) = self.objects.sessions.get_mut(session_id) {
            session.fork_lost(response);
        }
        self.acknowledge(id, Some(session_id), response);
        self.end_with_bye(session_id, Ending::by(Reason::ForkLost, response));
    }

    /// The 2xx to our re-INVITE (§14.1). RFC 5407 §3.2.3: it is acknowledged when the session is over too.
    fn reinvite_accepted(&mut self, id: OutgoingId, session: Option<SessionId>, response: &Arc<Message>) {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        let (silent, refresh) = (outgoing.silent, outgoing.refresh);
        let manual = outgoing.flags & request_flag::MANUAL_ACK != 0 && !silent;
        let Some((session_id, known)) = session.and_then(|id| Some((id, self.objects.sessions.get_mut(id)?))) else {
            self.acknowledge(id, session, response);
            return self.tell_accept(id, session, response, 0, Reason::None);
        };
        let former = known.remote_description().filter(|_| refresh).cloned();
        let taken = known.our_reinvite_accepted(id, response, host_acks(manual));
        let moved = refresh && known.remote_description() != former.as_ref();
        self.session_timer_by(id, session_id, response);
        self.note_state(session_id);
        self.acknowledge_taken(id, session_id, response, taken);
        if moved {
            // All that a host has to hear of a refresh.
            let message = Some(Arc::clone(response));
            let event = Event { session, message, reason: Reason::Refreshed, ..Event::new(EventKind::State) };
            self.tell(event);
        }
        if refresh {
            self.act(session, REFRESHED, response.status(), Some(response));
            self.input(session_id, |session, _| session.refresh_over());
        }
        match taken {
            // Nobody hears of the offer: the default of such an ACCEPT, which acknowledges first.
            Taken::ByHost if silent => self.end_with_bye(session_id, Ending::because(Reason::DefaultAnswer)),
            Taken::ByHost => self.tell_accept(id, session, response, flag::NEEDS_ACK, Reason::None),
            Taken::Unanswered => self.tell_accept(id, session, response, 0, Reason::NoAnswerIn2xx),
            Taken::Acknowledge | Taken::Unreachable => self.tell_accept(id, session, response, 0, Reason::None),
        }
    }

    /// A final response other than 2xx, received or (`response` `None`) made here.
    pub(in crate::agent) fn invite_rejected(&mut self, id: OutgoingId, status: u16, response: Option<&Arc<Message>>) {
        let flags = if response.is_none() { flag::LOCAL } else { 0 };
        self.invite_rejected_as(id, status, response, flags);
    }

    /// The same, with the flags of its event.
    pub(in crate::agent) fn invite_rejected_as(
        &mut self,
        id: OutgoingId,
        status: u16,
        response: Option<&Arc<Message>>,
        flags: u32,
    ) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let waited = outgoing.done();
        let session = outgoing.session;
        let (reinvite, refresh) = (matches!(outgoing.kind, Kind::Reinvite(_)), outgoing.refresh);
        let tried = outgoing.resync;
        let went_out = outgoing.last_sent().is_some();
        let Some(invite) = outgoing.invite_mut() else { return };
        let forks = std::mem::take(&mut invite.sessions);
        let cancelled = !matches!(invite.cancelling, Cancelling::No);
        let reason = if cancelled { invite.cancel_reason } else { Reason::Rejected };
        let timers = [waited, invite.expires.take(), invite.give_up.take()];
        for timer in timers {
            self.stop(timer);
        }
        let changed = session.filter(|_| reinvite);
        let known = changed.and_then(|id| self.objects.sessions.get(id));
        let executed = known.is_some_and(|session| session.our_change_has_executed(By::Reinvite, id));
        if let Some(session) = changed {
            self.input(session, |session, _| session.our_change_undone(By::Reinvite, id));
        }
        let kind = if (300..400).contains(&status) { EventKind::Redirect } else { EventKind::Reject };
        self.tell_fate(
            id,
            Event { session, status_code: status, flags, message: response.cloned(), ..Event::new(kind) },
        );
        if let Some(session) = changed {
            // Cancelled before it went out: the peer has failed in nothing.
            if went_out || !cancelled {
                self.failure_in_dialog(session, b"INVITE", status, response);
            }
            if refresh {
                self.refresh_failed(session, By::Reinvite, status, response);
            }
            // A refresh repeats what stands on our side.
            if (executed || tried) && !refresh {
                self.resync(session, tried);
            }
        } else {
            // §13.2.2.3: all early dialogs end.
            for fork in forks {
                self.end_and_finish(
                    fork,
                    Ending { reason, status_code: status, message: response.cloned(), ended_ms: 0 },
                );
            }
        }
        self.outgoing_over(id);
    }

    /// The session of a re-INVITE is over: a late 2xx is still acknowledged in its dialog (RFC 5407 §3.2.3), but a peer
    /// that has answered with a provisional response only is not waited for any longer than after a CANCEL.
    pub(in crate::agent) fn orphan_reinvite(&mut self, id: OutgoingId, dialog: Dialog) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let waits = outgoing.state() != OutgoingState::Completed;
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.orphaned = Some(Box::new(dialog));
        if waits && invite.give_up.is_none() {
            let patience = self.config.timers.patience();
            let give_up = self.arm(patience, Timeout::Outgoing(id, OutgoingTimer::CancelGivenUp));
            if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
                invite.give_up = Some(give_up);
            }
        }
    }

    /// The client transaction of an INVITE is over: no 2xx can come any more.
    pub(in crate::agent) fn invite_client_ended(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if outgoing.state() != OutgoingState::Completed {
            return;
        }
        let session = outgoing.session;
        let Some(invite) = outgoing.invite_mut() else { return };
        let forks = std::mem::take(&mut invite.sessions);
        for fork in forks.into_iter().chain(session) {
            self.input(fork, |session, clock| session.invite_over(id, clock));
        }
        if !self.objects.is_fate_told(id) {
            // Its only 2xx were of dialogs that had ended before.
            self.tell_fate(id, Event { status_code: 487, flags: flag::LOCAL, ..Event::new(EventKind::Reject) });
        }
        self.outgoing_over(id);
    }
}

/// Which ACKs are the host's; `manual`: it asked for all.
fn host_acks(manual: bool) -> HostAcks {
    if manual { HostAcks::All } else { HostAcks::Answers }
}
