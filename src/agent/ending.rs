//! The end of sessions: hang-up, what an end does to what is pending, TERMINATED.

use crate::agent::event::{Event, EventKind};
use crate::agent::headers::HostHeaders;
use crate::agent::options::RequestOptions;
use crate::agent::request::OwnLines;
use crate::agent::response::Answer;
use crate::agent::{Agent, IncomingId, SessionId};
use crate::error::Result;
use crate::flow::Flow;
use crate::message::Method;
use crate::session::reason::{Ending, Reason};
use crate::session::terminate::{self, Hangup};
use crate::session::{DeferredBye, Origin, Phase};
use crate::time::Now;
use smallvec::SmallVec;

impl Agent {
    /// Ends the call, whatever its state (`session/terminate` has the table). TERMINATED always comes; a second call
    /// does nothing.
    pub fn hangup(&mut self, now: Now, id: SessionId, status: u16, options: RequestOptions<'_>) -> Result<()> {
        self.at(now);
        // Checked before anything is done, whatever will be sent.
        options.check_in_dialog()?;
        let host = HostHeaders::read(&options.headers, true)?;
        let body = options.body.map(crate::agent::options::Body::checked).transpose()?;
        if status != 0 && !(400..=699).contains(&status) {
            return Err(crate::error::Error::argument("status_code: 0 or 400 to 699"));
        }
        let session = self.session(id)?;
        if !options.headers.is_empty() || body.is_some() {
            // As in the BYE, which is the longest of what may be sent.
            self.draft_in_dialog(&session.dialog, (crate::message::Method::Bye, b"BYE"), 1, &options)?;
        }
        match terminate::hangup(session, self.has_other_forks(id)) {
            Hangup::Nothing => Ok(()),
            Hangup::Bye => {
                let ending = Ending::because(Reason::LocalHangup);
                if self.start_bye(id, options, ending.clone(), true, None).is_err() {
                    // What the host gave is good, so there is no room or no way: the peer will not hear of it.
                    self.end_session(id, ending);
                    self.finish_session(id);
                }
                Ok(())
            }
            Hangup::Reject => self.hang_up_by_refusing(id, status, &options),
            Hangup::ByeLater => {
                let tail = self.tail(&host, OwnLines::default(), body.as_ref());
                if let Some(session) = self.sessions.get_mut(id)
                    && session.deferred_bye.is_none()
                {
                    let ending = Ending::because(Reason::LocalHangup);
                    session.deferred_bye = Some(Box::new(DeferredBye { ending, tail: Some(tail) }));
                }
                Ok(())
            }
            Hangup::Cancel => {
                let Some(Origin::Outgoing(invite)) = session.origin else { return Ok(()) };
                let mut lines = Vec::new();
                host.write(&mut lines, b"");
                self.cancel_with(invite, lines.into_boxed_slice(), Reason::LocalHangup).map(|_| ())
            }
        }
    }

    /// The BYE that an end had to wait with (RFC 3261 §15): the ACK is here, or its time is over. That of a re-INVITE which
    /// overtook it does not count.
    pub(super) fn send_deferred_bye(&mut self, id: SessionId) {
        if self.waits_for_ack(id) {
            return;
        }
        let Some(session) = self.sessions.get_mut(id).filter(|session| !session.is_terminated()) else { return };
        if let Some(deferred) = session.deferred_bye.take() {
            self.end_with_bye_of(id, deferred.ending, deferred.tail);
        }
    }

    /// The session ends by a decision of the library: BYE, of which the host hears TERMINATED only. The callee's waits for
    /// the ACK as a hang-up does.
    pub(super) fn end_with_bye(&mut self, id: SessionId, ending: Ending) {
        if self.waits_for_ack(id) {
            if let Some(session) = self.sessions.get_mut(id)
                && session.deferred_bye.is_none()
            {
                session.deferred_bye = Some(Box::new(DeferredBye { ending, tail: None }));
            }
            return;
        }
        self.end_with_bye_of(id, ending, None);
    }

    fn end_with_bye_of(&mut self, id: SessionId, ending: Ending, tail: Option<Box<[u8]>>) {
        if self.start_bye(id, RequestOptions::default(), ending.clone(), true, tail).is_err() {
            self.end_session(id, ending);
            self.finish_session(id);
        }
    }

    /// The session is over: 2xx are repeated no more unless the peer ended it, the peer's pending requests get 487 (RFC 3261
    /// §15.1.2), the dialog is Mortal until it has said TERMINATED.
    pub(super) fn end_session(&mut self, id: SessionId, ending: Ending) {
        let Some(session) = self.sessions.get(id).filter(|session| !session.is_terminated()) else { return };
        let forgotten = session.is_early() && ending.reason == Reason::Disposed;
        self.note_ended_fork(id, forgotten);
        // RFC 3261 §13.2.2.4: every 2xx is acknowledged, whoever ends the call.
        self.acknowledge_owed(id);
        let was_accepted = self.reliable_over(id).is_some_and(|server| server.held.is_some());
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.phase = Phase::Terminated(ending.clone());
        session.signaling.close();
        session.reliable_client = None;
        session.deferred_bye = None;
        // RFC 5407 §3.1.3: the caller's BYE may have crossed a 2xx that was lost; its INVITE ends by the ACK of a repeat.
        let accepted = match ending.reason {
            Reason::RemoteBye => SmallVec::new(),
            _ => std::mem::take(&mut session.accepted),
        };
        let pending = std::mem::take(&mut session.pending);
        let (origin, retry) = (session.origin, session.retry());
        for accepted in accepted {
            self.stop(Some(accepted.timer));
            self.incoming_over(accepted.incoming);
        }
        if let Some(retry) = retry {
            self.retry_given_up(retry);
        }
        // A NOTIFY belongs to a subscription, which lives on (RFC 5057 §5.3): it keeps its time.
        let lives_on = |id: &IncomingId| self.incoming.get(*id).is_some_and(|pending| pending.method == Method::Notify);
        let (kept, pending): (Vec<_>, Vec<_>) = pending.into_iter().partition(lives_on);
        if let Some(session) = self.sessions.get_mut(id) {
            session.pending.extend(kept);
        }
        for incoming in pending {
            let _ = self.refuse_request(incoming, Answer::plain(487), None, ending.clone());
        }
        // An INVITE that is still unanswered has no session any more (RFC 5407 appendix A).
        if let Some(Origin::Incoming(invite)) = origin
            && self.incoming.get(invite).is_some_and(|incoming| !incoming.answered)
        {
            if !self.has_other_dialogs(invite, id) {
                let _ = self.refuse_request(invite, Answer::plain(487), None, ending);
            } else if was_accepted {
                self.acceptance_is_void(invite);
            }
        }
        self.note_state(id);
    }

    /// Says TERMINATED, once. From now on the dialog is unknown, unless subscriptions of REFERs live in it; the session goes
    /// with the event.
    pub(super) fn finish_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.said_terminated || !session.is_terminated() {
            return;
        }
        if !session.accepted.is_empty() {
            session.finish_owed = true;
            return;
        }
        self.acknowledge_owed(id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let ending = session.ending().cloned().unwrap_or_default();
        let key = session.key(self.dialog_keys);
        let reinvite = session.reinvite_client.map(|reinvite| (reinvite, session.dialog.clone()));
        if !self.is_referring(id) {
            self.forget_dialog(key);
        }
        if let Some((reinvite, dialog)) = reinvite {
            self.orphan_reinvite(reinvite, dialog);
        }
        self.tell(Event {
            session: Some(id),
            reason: ending.reason,
            status_code: ending.status_code,
            text: ending
                .message
                .as_ref()
                .and_then(|message| message.header(crate::message::HeaderId::Reason))
                .map(Into::into),
            message: ending.message,
            ..Event::new(EventKind::Terminated)
        });
        if let Some(session) = self.sessions.get_mut(id) {
            session.said_terminated = true;
        }
    }

    /// Where requests in the dialog go from now on; `None`: by URI again.
    pub fn set_flow(&mut self, id: SessionId, flow: Option<Flow>) -> Result<()> {
        if let Some(flow) = &flow {
            self.session(id)?;
            self.transports.of_flow(flow)?;
        }
        self.session_mut(id)?.fixed_flow = flow.map(Box::new);
        Ok(())
    }

    /// Forgets the session: no BYE.
    pub fn dispose_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.at(now);
        if self.session(id)?.is_terminated() {
            return Err(crate::error::Error::state("the session is over"));
        }
        self.end_session(id, Ending::because(Reason::Disposed));
        self.end_referrals(id);
        self.finish_session(id);
        Ok(())
    }
}
