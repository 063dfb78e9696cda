//! re-INVITEs of ours that are sent again by themselves after a 491, or a 500 with Retry-After (RFC 3261 §14.1).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::methods::effect_of_answer;
use crate::agent::options::request_flag;
use crate::agent::ours::outgoing::{Cancelling, Kind, Outgoing, Waiting};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::Result;
use crate::message::Message;
use crate::session::offer_answer::StoredBody;
use crate::session::reinvite::Around;
use crate::session::usage::Effect;
use crate::session::{Session, glare};
use std::sync::Arc;
use std::time::Duration;

/// How often one request is sent again. Two sides that meet by chance are apart after one or two; a peer that refuses
/// for ever is not asked for ever.
const ROUNDS: u8 = 16;

impl Agent {
    /// A refusal that is dealt with: the request waits to be sent again. False: it is the final answer.
    pub(in crate::agent) fn retried(&mut self, id: OutgoingId, refusal: &Arc<Message>) -> bool {
        let Some(session) = self.may_retry(id, refusal.status()) else { return false };
        let Some(role) = self.objects.sessions.get(session).map(Session::role) else { return false };
        let Some(wait) = glare::wait(role, refusal, &mut self.random) else { return false };
        self.input(session, |session, _| session.our_reinvite_waits(id));
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.retries = outgoing.retries.saturating_add(1);
        }
        self.wait_to_retry(id, session, wait, refusal);
        true
    }

    /// The session in which a refused request may be sent again.
    fn may_retry(&self, id: OutgoingId, status: u16) -> Option<SessionId> {
        let outgoing = self.objects.outgoing.get(id)?;
        let Kind::Reinvite(invite) = &outgoing.kind else { return None };
        let wanted = self.config.glare_retry && outgoing.flags & request_flag::NO_RETRY == 0;
        let session =
            outgoing.session.filter(|id| self.objects.sessions.get(*id).is_some_and(|known| !known.is_terminated()))?;
        let harmless = effect_of_answer(&self.config, b"INVITE", status, false) == Effect::Transaction;
        let may = wanted && harmless && outgoing.retries < ROUNDS && matches!(invite.cancelling, Cancelling::No);
        may.then_some(session)
    }

    fn wait_to_retry(&mut self, id: OutgoingId, session: SessionId, wait: Duration, refusal: &Arc<Message>) {
        let timer = self.arm(wait, Timeout::Outgoing(id, OutgoingTimer::Retry));
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.wait(Waiting::Glare { refusal: Arc::clone(refusal), timer });
        }
        let event = Event {
            session: Some(session),
            message: Some(Arc::clone(refusal)),
            reason: Reason::GlareRetry,
            delay_us: u64::try_from(wait.as_micros()).unwrap_or(u64::MAX),
            ..Event::new(EventKind::GlareRetry)
        };
        self.tell_fate(id, event);
    }

    /// The wait is over. RFC 5407 §3.3.1: what the peer does meanwhile comes first; then another wait.
    pub(in crate::agent) fn retry_due(&mut self, id: OutgoingId) {
        let Some(refusal) = self.forget_retry(id) else { return };
        let Some(session) = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session) else { return };
        let sent = self.objects.outgoing.get(id).and_then(Outgoing::message);
        let offer = sent.as_ref().and_then(|sent| sent.session_body()).map(|offer| StoredBody::of_remote(&offer));
        if self.reinvite_may_go(session, offer.is_some()).and_then(|()| self.table.room()).is_ok() {
            return self.send_again(id, session, offer);
        }
        let Some(role) = self.objects.sessions.get(session).map(Session::role) else { return };
        let wait = glare::after_491(role, &mut self.random);
        self.wait_to_retry(id, session, wait, &refusal);
    }

    /// Whether an INVITE may go out in the dialog now (§14.1).
    pub(in crate::agent) fn reinvite_may_go(&self, id: SessionId, has_offer: bool) -> Result<()> {
        let session = self.session(id)?;
        session.our_reinvite_guard(has_offer, self.outside(session))
    }

    /// What a session does not know of the INVITEs around it.
    pub(in crate::agent) fn outside(&self, session: &Session) -> Around {
        Around {
            invite_pends: self.objects.initial_invite_pends(session),
            refused_waits: session.refused().is_some_and(|refused| self.table.waits_for_ack(refused)),
        }
    }

    /// A new request: another branch, the next number, the target where it is now; all that the host gave as it was.
    fn send_again(&mut self, id: OutgoingId, session: SessionId, offer: Option<StoredBody>) {
        let Some(known) = self.objects.sessions.get_mut(session) else { return };
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if let Some(draft) = outgoing.draft_mut() {
            draft.cseq = known.take_number();
            draft.retarget(known.dialog());
        }
        self.input(session, |session, _| session.our_reinvite_sent(id, offer));
        self.authorize(id);
        self.launch(id);
    }

    /// The refusal of a request that waits becomes its final answer. Nothing when none waits.
    pub(in crate::agent) fn retry_given_up(&mut self, id: OutgoingId) {
        let Some(refusal) = self.forget_retry(id) else { return };
        let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
        if let Some(session) = session.and_then(|id| self.objects.sessions.get_mut(id)) {
            session.retry_called_off(id);
        }
        self.invite_rejected(id, refusal.status(), Some(&refusal));
    }

    fn forget_retry(&mut self, id: OutgoingId) -> Option<Arc<Message>> {
        let outgoing = self.objects.outgoing.get_mut(id)?;
        let Waiting::Glare { .. } = outgoing.waiting()? else { return None };
        let Some(Waiting::Glare { refusal, timer }) = outgoing.wait_over() else { return None };
        self.stop(Some(timer));
        Some(refusal)
    }
}
