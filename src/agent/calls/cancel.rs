//! CANCEL, both ways (RFC 3261 §9).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::fault::{Counter, Fault};
use crate::agent::options::RequestOptions;
use crate::agent::ours::outgoing::{Cancelling, Outgoing, OutgoingState, Sent, Waiting};
use crate::agent::theirs::stateless::{Tag, own_tag};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::words::face::TIMER;
use crate::agent::words::fits;
use crate::agent::words::headers::HostHeaders;
use crate::agent::words::response::Answer;
use crate::agent::{Agent, Bytes, IncomingId, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::{HeaderId, Message, header, write};
use crate::session::Origin;
use crate::session::change::By;
use crate::session::explain::Why;
use crate::session::reason::Ending;
use crate::time::Now;
use std::sync::Arc;

const EXPIRED: Why =
    Why::new(Reason::Cancelled, "an INVITE of ours was cancelled: its Expires has passed (RFC 3261 13.2.1)");
const GIVEN_UP: Why =
    Why::new(Reason::Cancelled, "an INVITE of ours is waited for no more: no final response came (RFC 3261 9.1)");

impl Agent {
    /// CANCEL of an INVITE or re-INVITE of ours (§9.1). False: final already, nothing sent.
    pub fn cancel(
        &mut self,
        now: Now,
        id: OutgoingId,
        reason: Option<&[u8]>,
        options: &RequestOptions<'_>,
    ) -> Result<bool> {
        self.at(now);
        let host = HostHeaders::read(&options.headers, true)?.and_reason(reason.or(options.reason))?;
        let mut lines = Vec::new();
        host.write(&mut lines, b"");
        fits::within(self.config.limits.message_bytes, lines.len())?;
        self.cancel_with(id, lines.into_boxed_slice(), Reason::Cancelled)
    }

    pub(in crate::agent) fn cancel_with(&mut self, id: OutgoingId, lines: Box<[u8]>, reason: Reason) -> Result<bool> {
        let outgoing = self.objects.outgoing.living_mut(id)?;
        let state = outgoing.state();
        let waits = matches!(outgoing.waiting(), Some(Waiting::Glare(_) | Waiting::Refresh(_)));
        if outgoing.changes() == Some(By::Update) && waits {
            // To the peer it is over.
            self.retry_given_up(id);
            return Ok(true);
        }
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
                OutgoingState::WaitingRetry => {
                    self.challenge_given_up(id);
                    self.retry_given_up(id);
                }
                OutgoingState::Resolving => {
                    self.queries.drop_of(id, &mut self.wheel);
                    self.invite_rejected(id, 487, None);
                }
                _ => {}
            }
        }
        Ok(true)
    }

    pub(in crate::agent) fn send_wanted_cancel(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let Some(Sent { bytes: sent, hop }) = outgoing.last_sent().cloned() else { return };
        let Some(invite) = outgoing.invite_mut() else { return };
        let Cancelling::Wanted(lines) = &mut invite.cancelling else { return };
        let mut lines = std::mem::take(lines).into_vec();
        invite.cancelling = Cancelling::Sent;
        let Ok(request) = Message::parse(&sent, None) else { return };
        // RFC 4028 §7.1: in every request but ACK.
        if request.has_token(HeaderId::Supported, TIMER) && header::in_lines(&lines, HeaderId::Supported).is_none() {
            write::header(&mut lines, HeaderId::Supported, &[TIMER]);
        }
        let mut out = Vec::with_capacity(512);
        write::cancel_for(&mut out, &request, &lines);
        let branch = request.branch().unwrap_or_default();
        let (table, mut effects) = self.transactions();
        // Its own answer does not matter: the INVITE's final response comes, or patience ends.
        let _ = table.start_client(&mut effects, Bytes::from(out), branch, b"CANCEL", hop, 0);
        let give_up = self.arm(self.config.timers.patience(), Timeout::Outgoing(id, OutgoingTimer::CancelGivenUp));
        let old = self
            .objects
            .outgoing
            .get_mut(id)
            .and_then(Outgoing::invite_mut)
            .and_then(|invite| invite.give_up.replace(give_up));
        self.stop(old);
    }

    /// §9.1: no final response in 64*T1 after CANCEL: the INVITE is over.
    pub(in crate::agent) fn cancel_given_up(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let client = outgoing.client();
        let Some(invite) = outgoing.invite_mut() else { return };
        invite.give_up = None;
        let status = if matches!(invite.cancelling, Cancelling::Sent) { 487 } else { 408 };
        if let Some(client) = client {
            let (table, mut effects) = self.transactions();
            table.give_up(&mut effects, client);
        }
        self.act_for(id, GIVEN_UP, status, None);
        self.invite_rejected(id, status, None);
    }

    /// The time that the host gave an INVITE is over. It may be answered or cancelled already.
    pub(in crate::agent) fn expired(&mut self, id: OutgoingId) {
        let wanted = |outgoing: &Outgoing| {
            let invite = outgoing.invite().is_some_and(|invite| matches!(invite.cancelling, Cancelling::No));
            invite && outgoing.state() != OutgoingState::Completed
        };
        if self.objects.outgoing.get(id).is_some_and(wanted) {
            self.act_for(id, EXPIRED, 0, None);
        }
        let _ = self.cancel_with(id, Box::default(), Reason::Cancelled);
    }

    /// An early dialog, or one that was confirmed by hand, ends by BYE while its INVITE is unanswered.
    pub(in crate::agent) fn watch_deserted_invite(&mut self, id: SessionId) {
        let Some(session) = self.objects.sessions.get(id).filter(|session| self.objects.initial_invite_pends(session))
        else {
            return;
        };
        if let Some(invite) = session.origin().and_then(Origin::outgoing) {
            self.arm(self.config.timers.patience(), Timeout::Outgoing(invite, OutgoingTimer::Deserted));
        }
    }

    /// The host has ended every early dialog, and in 64*T1 neither a final response nor another fork came: RFC 3261
    /// gives an INVITE that was answered provisionally no time-out, so it is cancelled.
    pub(in crate::agent) fn invite_deserted(&mut self, id: OutgoingId) {
        let Some(invite) = self.objects.outgoing.get(id).and_then(Outgoing::invite) else { return };
        if self.objects.is_deserted(invite) {
            // Answered meanwhile: then there is nothing to cancel.
            let _ = self.cancel_with(id, Box::default(), Reason::LocalHangup);
        }
    }

    /// CANCEL (§9.2): 200 to it, 487 to what it cancels, unless that is answered.
    pub(in crate::agent) fn cancel_arrived(&mut self, cancel: &Arc<Message>) {
        if let Err(fault) = self.memory_for(cancel) {
            return self.refuse_for_limit(cancel, fault);
        }
        let Some(invite) = self.table.find_cancelled(cancel) else {
            if let Err(fault) = self.admission_for(cancel) {
                return self.refuse_for_limit(cancel, fault);
            }
            let rule = "the branch is that of no request that is here (RFC 3261 9.2)";
            return self.refuse(cancel, &Answer::plain(481), Fault::new(Counter::Unknown, "Via", rule));
        };
        let id = self.table.server_owner(invite).map(IncomingId::from_raw);
        let incoming = id.and_then(|id| self.objects.incoming.get(id));
        // The To tag is that of the INVITE's responses.
        let session = incoming.and_then(|incoming| incoming.session);
        let tag: Option<Tag> =
            session.and_then(|id| self.objects.sessions.get(id)).map(|session| session.local_tag().into());
        let tag = tag.unwrap_or_else(|| own_tag(self.objects.keys, cancel));
        let answered = id.is_none_or(|id| self.objects.is_answered(id));
        self.answer_by_rule(cancel, &Answer::plain(200), &tag);
        let Some(id) = id.filter(|_| !answered) else { return };
        let ending = Ending { status_code: 487, ..Ending::by(Reason::Cancelled, cancel) };
        self.tell(Event {
            incoming: Some(id),
            session,
            message: Some(Arc::clone(cancel)),
            ..Event::new(EventKind::Cancel)
        });
        if self.accept_executed(id) {
            return;
        }
        // The INVITE is unanswered, so its transaction takes the response.
        let in_dialog = self
            .objects
            .incoming
            .get(id)
            .is_some_and(|incoming| incoming.message().is_ok_and(|invite| invite.to_tag().is_some()));
        let _ = self.refuse_request(id, Answer::plain(487), Some(&*tag).filter(|_| !in_dialog), ending);
    }
}
