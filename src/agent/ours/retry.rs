//! re-INVITEs and UPDATEs of ours that are sent again by themselves after a 491, or a 500 or 503 with Retry-After (RFC
//! 3261 §14.1, RFC 3311 §5.1), and whether one that goes out once more for another reason may go now: after a challenge or
//! 422, to the next target, or when its way has been looked up.

use crate::agent::event::{Event, EventKind, Reason, flag};
use crate::agent::methods::effect_of_answer;
use crate::agent::options::{Body, request_flag};
use crate::agent::ours::draft::Draft;
use crate::agent::ours::outgoing::{Cancelling, Glare, Kind, Outgoing, Waiting};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::change::By;
use crate::session::explain::Why;
use crate::session::offer_answer::StoredBody;
use crate::session::reinvite::Around;
use crate::session::usage::Effect;
use crate::session::{Session, glare};
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

/// How often one request is sent again. Two sides that meet by chance are apart after one or two; a peer that refuses
/// for ever is not asked for ever.
pub(in crate::agent) const ROUNDS: u8 = 16;

/// How long a new body is waited for beyond the moment when the request may go.
const BODY_PATIENCE: Duration = Duration::from_secs(4);

/// The status, made here, of a request that may not go out now and was not refused.
pub(in crate::agent) const NOT_NOW: u16 = 491;

/// What becomes of a request that goes out once more, or late.
pub(in crate::agent) enum Turn {
    /// It goes out.
    Now,
    /// Not now: it may wait.
    Later(By, SessionId),
    /// Not now, and it may not wait. Why.
    Never(Error),
}

const REINVITE_WAITS: Why =
    Why::new(Reason::GlareRetry, "the re-INVITE is sent again after a wait that chance has chosen (RFC 3261 14.1)");
const UPDATE_WAITS: Why =
    Why::new(Reason::GlareRetry, "the UPDATE is sent again after a wait that chance has chosen (RFC 3311 5.1)");
const WAITS_FOR_BODY: Why = Why::new(
    Reason::GlareRetry,
    "a later description of ours has gone out, so the request is sent again with a new one only (RFC 3264 8)",
);
const LAPSES: Why = Why::new(
    Reason::GlareRetry,
    "the request that waits may not go any more, or got no new description: it has its refusal (RFC 3261 14.1)",
);

impl Agent {
    /// A refusal that is dealt with: the request waits to be sent again. False: it is the final answer.
    pub(in crate::agent) fn retried(&mut self, id: OutgoingId, refusal: &Arc<Message>) -> bool {
        let Some((session, by)) = self.may_wait(id).filter(|_| self.is_harmless(id, refusal.status())) else {
            return false;
        };
        let Some(role) = self.objects.sessions.get(session).map(Session::role) else { return false };
        let Some(wait) = glare::wait(role, refusal, &mut self.random) else { return false };
        self.wait_once_more(by, id, session, wait, Some(refusal));
        true
    }

    /// Whether a request that was refused, that a target has failed, or whose way was looked up, goes out now. What
    /// changes the session is asked what a new one would be.
    pub(in crate::agent) fn turn_of(&self, id: OutgoingId) -> Turn {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return Turn::Now };
        let session = outgoing.session.and_then(|id| Some((id, self.objects.sessions.get(id)?)));
        let Some((session_id, session)) = session.filter(|(_, session)| !session.is_terminated()) else {
            return Turn::Now;
        };
        let may = match (&outgoing.kind, outgoing.changes()) {
            (Kind::Prack(of), _) => {
                let describes = outgoing.draft().and_then(Draft::description).is_some();
                session.our_prack_again_guard(id, *of, describes)
            }
            (_, Some(by)) => session.our_change_again_guard(by, id, self.outside(session)),
            (_, None) => Ok(()),
        };
        match (may, self.may_wait(id)) {
            (Ok(()), _) => Turn::Now,
            (Err(_), Some((_, by))) if session.may_take(by) => Turn::Later(by, session_id),
            (Err(error), _) => Turn::Never(error),
        }
    }

    /// A request that may not go out now waits as after a 491. `refusal`: what it has, should nothing come of it.
    pub(in crate::agent) fn wait_for_turn(
        &mut self,
        by: By,
        id: OutgoingId,
        session: SessionId,
        refusal: Option<&Arc<Message>>,
    ) {
        let Some(role) = self.objects.sessions.get(session).map(Session::role) else { return };
        let wait = glare::after_491(role, &mut self.random);
        self.wait_once_more(by, id, session, wait, refusal);
    }

    fn wait_once_more(
        &mut self,
        by: By,
        id: OutgoingId,
        session: SessionId,
        wait: Duration,
        refusal: Option<&Arc<Message>>,
    ) {
        let offer = self.objects.outgoing.get(id).and_then(Outgoing::draft).and_then(Draft::description);
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.retries = outgoing.retries.saturating_add(1);
        }
        self.wait_to_retry(id, wait, refusal, offer);
        self.input(session, |session, _| session.our_change_waits(by, id));
        // A PRACK of it may have made its offer stale: that was told instead.
        if !self.needs_body(id) {
            self.tell_retry(id, session, wait, refusal, 0);
        }
    }

    /// Whether this status ends nothing but the request.
    fn is_harmless(&self, id: OutgoingId, status: u16) -> bool {
        let method = self.objects.outgoing.get(id).map(|outgoing| outgoing.method.name().as_bytes());
        method.is_some_and(|method| effect_of_answer(&self.config, method, status, false) == Effect::Transaction)
    }

    /// The session in which a request may wait to be sent again.
    fn may_wait(&self, id: OutgoingId) -> Option<(SessionId, By)> {
        let outgoing = self.objects.outgoing.get(id)?;
        let by = outgoing.changes()?;
        let called_off = outgoing.invite().is_some_and(|invite| !matches!(invite.cancelling, Cancelling::No));
        let wanted = self.config.glare_retry && outgoing.flags & request_flag::NO_RETRY == 0;
        let session =
            outgoing.session.filter(|id| self.objects.sessions.get(*id).is_some_and(|known| !known.is_terminated()))?;
        let may = wanted && outgoing.retries < ROUNDS && !called_off;
        may.then_some((session, by))
    }

    fn wait_to_retry(
        &mut self,
        id: OutgoingId,
        wait: Duration,
        refusal: Option<&Arc<Message>>,
        offer: Option<StoredBody>,
    ) {
        let timer = self.arm(wait, Timeout::Outgoing(id, OutgoingTimer::Retry));
        let (refusal, due) = (refusal.cloned(), self.now.monotonic.plus(wait));
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.wait(Waiting::Glare(Glare { refusal, offer, due, timer, asked: false }));
        }
    }

    fn tell_retry(
        &mut self,
        id: OutgoingId,
        session: SessionId,
        wait: Duration,
        refusal: Option<&Arc<Message>>,
        flags: u32,
    ) {
        let update = self.objects.outgoing.get(id).and_then(Outgoing::changes) == Some(By::Update);
        let why = match flags & flag::NEEDS_BODY {
            0 if update => UPDATE_WAITS,
            0 => REINVITE_WAITS,
            _ => WAITS_FOR_BODY,
        };
        let (status_code, local) = refusal.map_or((NOT_NOW, flag::LOCAL), |refusal| (refusal.status(), 0));
        self.act(Some(session), why, status_code, refusal.map(|refusal| &**refusal));
        let event = Event {
            session: Some(session),
            message: refusal.cloned(),
            status_code,
            reason: Reason::GlareRetry,
            delay_us: u64::try_from(wait.as_micros()).unwrap_or(u64::MAX),
            flags: flags | local,
            ..Event::new(EventKind::GlareRetry)
        };
        self.tell_fate(id, event);
    }

    /// A description of ours came after the offer of a request that waits: the host is asked for a new one, once. A host
    /// that does not listen gives none.
    pub(in crate::agent) fn ask_for_body(&mut self, id: OutgoingId) {
        let now = self.now.monotonic;
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let (silent, session) = (outgoing.silent, outgoing.session);
        let Some(glare) = outgoing.glare_mut().filter(|glare| !glare.asked) else { return };
        if silent {
            return self.retry_lapses(id);
        }
        glare.asked = true;
        let (refusal, due, former) = (glare.refusal.clone(), glare.due, glare.timer);
        let patience = due.since(now).saturating_add(BODY_PATIENCE);
        self.stop(Some(former));
        self.arm_retry(id, patience);
        if let Some(session) = session {
            self.tell_retry(id, session, patience, refusal.as_ref(), flag::NEEDS_BODY);
        }
    }

    fn arm_retry(&mut self, id: OutgoingId, after: Duration) {
        let timer = self.arm(after, Timeout::Outgoing(id, OutgoingTimer::Retry));
        if let Some(glare) = self.objects.outgoing.get_mut(id).and_then(Outgoing::glare_mut) {
            glare.timer = timer;
        }
    }

    /// Whether a request waits for a new body.
    pub(in crate::agent) fn needs_body(&self, id: OutgoingId) -> bool {
        let waiting = self.objects.outgoing.get(id).and_then(Outgoing::waiting);
        matches!(waiting, Some(Waiting::Glare(glare)) if glare.asked)
    }

    /// A new body for a re-INVITE or UPDATE that waits to be sent again; it goes out as soon as it may. Errors: state, it does not
    /// wait for that; argument, there is none; syntax; limit.
    pub fn retry(&mut self, now: Now, id: OutgoingId, body: Body<'_>) -> Result<()> {
        self.at(now);
        let outgoing = self.outgoing(id)?;
        let (Some(Waiting::Glare(glare)), Some(draft)) = (outgoing.waiting(), outgoing.draft()) else {
            return Err(Error::state("the request does not wait to be sent again after a 491 or 500 (RFC 3261 14.1)"));
        };
        let body = body.checked()?;
        if body.content.is_empty() {
            return Err(Error::argument("body: none"));
        }
        let draft = draft.with_body(&body);
        self.request_fits(&draft)?;
        let (asked, former, due, session) = (glare.asked, glare.timer, glare.due, outgoing.session);
        let offer = StoredBody::of_local(&body);
        if let Some(session) = session.and_then(|id| self.objects.sessions.get_mut(id)) {
            session.retry_renewed(id, offer.is_some());
        }
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return Ok(()) };
        if let Some(written) = outgoing.draft_mut() {
            *written = draft;
        }
        if let Some(glare) = outgoing.glare_mut() {
            glare.offer = offer;
            glare.asked = false;
        }
        if due <= self.now.monotonic {
            self.retry_due(id);
        } else if asked {
            self.stop(Some(former));
            self.arm_retry(id, due.since(self.now.monotonic));
        }
        Ok(())
    }

    /// The wait is over. RFC 5407 §3.3.1: what the peer does meanwhile comes first; then another wait.
    pub(in crate::agent) fn retry_due(&mut self, id: OutgoingId) {
        if self.is_behind_refresh(id) {
            return self.go_on_behind_refresh(id);
        }
        if self.needs_body(id) {
            return self.retry_lapses(id);
        }
        let changes = |outgoing: &Outgoing| Some((outgoing.session?, outgoing.changes()?));
        let Some((session, by)) = self.objects.outgoing.get(id).and_then(changes) else { return };
        if self.objects.sessions.get_mut(session).and_then(Session::stale_retry) == Some(id) {
            return self.ask_for_body(id);
        }
        if self.objects.sessions.get(session).is_some_and(|session| !session.may_take(by)) {
            return self.retry_lapses(id);
        }
        let Some(Glare { refusal, offer, .. }) = self.forget_retry(id) else { return };
        if self.change_may_go(by, session, offer.is_some()).and_then(|()| self.table.room()).is_ok() {
            return self.send_again(by, id, session, offer);
        }
        let Some(role) = self.objects.sessions.get(session).map(Session::role) else { return };
        let wait = glare::after_491(role, &mut self.random);
        self.wait_to_retry(id, wait, refusal.as_ref(), offer);
        self.tell_retry(id, session, wait, refusal.as_ref(), 0);
    }

    /// Whether an INVITE or UPDATE may go out in the dialog now (§14.1, RFC 3311 §5.1).
    pub(in crate::agent) fn change_may_go(&self, by: By, id: SessionId, has_offer: bool) -> Result<()> {
        let session = self.session(id)?;
        match by {
            By::Reinvite => session.our_reinvite_guard(has_offer, self.outside(session)),
            By::Update => session.our_update_guard(has_offer, self.outside(session)),
        }
    }

    /// The wait that a new request of the host's takes over, with the one that waits. Errors: state, the new one says
    /// NO_RETRY, one of its kind is under way, or its dialog will not take it then either.
    pub(in crate::agent) fn wait_for(&self, by: By, id: SessionId, flags: u32) -> Result<Option<OutgoingId>> {
        let session = self.session(id)?;
        let Some(former) = session.retries().next() else { return Ok(None) };
        if flags & request_flag::NO_RETRY != 0 {
            return Err(Error::state(
                "our re-INVITE or UPDATE waits to be sent again; its cancellation stops it (RFC 3261 14.1)",
            ));
        }
        session.takes_newer(by)?;
        // A host that wants another one each time it hears of the last gets nowhere.
        if self.objects.outgoing.get(former).is_some_and(|former| former.retries >= ROUNDS) {
            return Err(Error::state("sixteen requests have taken over this wait already (RFC 3261 14.1)"));
        }
        Ok(Some(former))
    }

    /// A newer request of the host's waits instead of `former`, whose refusal is its final answer.
    pub(in crate::agent) fn take_over_wait(
        &mut self,
        by: By,
        former: OutgoingId,
        id: OutgoingId,
        offer: Option<StoredBody>,
    ) {
        let waiting = self.objects.outgoing.get(former).and_then(Outgoing::waiting);
        let Some(Waiting::Glare(Glare { refusal, due, .. })) = waiting.cloned() else { return };
        let Some(session) = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session) else { return };
        let others = self.objects.sessions.get(session).map(|session| session.retries().collect::<Vec<_>>());
        let rounds = self.objects.outgoing.get(former).map_or(0, |former| former.retries);
        // RFC 3311 §5.2: who we are is told after the newer one, not in its place.
        let owed = self.objects.sessions.get_mut(session).is_some_and(Session::hold_identity);
        let mut executed = false;
        for former in others.unwrap_or_default() {
            // The newer one brings together what they left apart.
            executed |= self.retry_rejected(former, flag::LOCAL).is_some();
        }
        if let Some(newer) = self.objects.outgoing.get_mut(id) {
            newer.retries = rounds.saturating_add(1);
        }
        let wait = due.since(self.now.monotonic);
        self.wait_to_retry(id, wait, refusal.as_ref(), offer.clone());
        self.input(session, |session, _| session.our_change_waits_instead(by, id, offer.is_some(), executed));
        self.tell_retry(id, session, wait, refusal.as_ref(), 0);
        if let Some(known) = self.objects.sessions.get_mut(session).filter(|_| owed) {
            known.owe_identity();
            self.tell_identity(session);
        }
    }

    /// What a session does not know of the INVITEs around it.
    pub(in crate::agent) fn outside(&self, session: &Session) -> Around {
        Around {
            invite_pends: self.objects.initial_invite_pends(session),
            refused_waits: session.refused().iter().any(|refused| self.table.waits_for_ack(*refused)),
        }
    }

    /// A new request: another branch, the next number, the target where it is now; all that the host gave as it was.
    pub(in crate::agent) fn send_again(
        &mut self,
        by: By,
        id: OutgoingId,
        session: SessionId,
        offer: Option<StoredBody>,
    ) {
        let Some(known) = self.objects.sessions.get_mut(session) else { return };
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if let Some(draft) = outgoing.draft_mut() {
            draft.cseq = known.take_number();
            draft.retarget(known.dialog());
        }
        self.asks_anew(id);
        self.input(session, |session, _| session.our_change_sent(by, id, offer));
        self.launch(id);
    }

    /// The refusal of a request that waits becomes its final answer, which neither side has asked for.
    fn retry_lapses(&mut self, id: OutgoingId) {
        if let Some(outgoing) = self.objects.outgoing.get(id)
            && let Some(Waiting::Glare(Glare { refusal, .. })) = outgoing.waiting()
        {
            let (session, refusal) = (outgoing.session, refusal.clone());
            self.act(session, LAPSES, refusal.as_ref().map_or(NOT_NOW, |it| it.status()), refusal.as_deref());
        }
        self.retry_given_up(id);
    }

    /// The refusal of a request that waits becomes its final answer. Nothing when none waits.
    pub(in crate::agent) fn retry_given_up(&mut self, id: OutgoingId) {
        // What was to bring both sides together is given up when they have come together without it.
        let needless = self.objects.outgoing.get(id).is_none_or(|outgoing| outgoing.resync);
        if let Some(session) = self.retry_rejected(id, 0).filter(|_| !needless) {
            self.resync(session, false);
        }
    }

    /// The same; the session, where something of the request was executed and nothing brings both sides together yet.
    fn retry_rejected(&mut self, id: OutgoingId, flags: u32) -> Option<SessionId> {
        let tried = std::mem::take(&mut self.objects.outgoing.get_mut(id)?.resync);
        if self.forget_refresh(id).is_some() {
            // It never went out.
            self.request_failed(id, 487);
            return None;
        }
        let Glare { refusal, .. } = self.forget_retry(id)?;
        let outgoing = self.objects.outgoing.get(id)?;
        let (session, is_invite) = (outgoing.session, outgoing.invite().is_some());
        let known = session.and_then(|id| self.objects.sessions.get_mut(id));
        // What it had exchanged would have come together by its retry (RFC 6141 §3.4).
        let executed = known.is_some_and(|session| session.retry_called_off(id));
        match refusal {
            Some(refusal) if is_invite => self.invite_rejected_as(id, refusal.status(), Some(&refusal), flags),
            Some(refusal) => self.other_answered_as(id, &refusal, flags),
            None => self.request_failed(id, NOT_NOW),
        }
        session.filter(|_| executed || tried)
    }

    fn forget_retry(&mut self, id: OutgoingId) -> Option<Glare> {
        let outgoing = self.objects.outgoing.get_mut(id)?;
        outgoing.glare_mut()?;
        let Some(Waiting::Glare(glare)) = outgoing.wait_over() else { return None };
        self.stop(Some(glare.timer));
        Some(glare)
    }
}
