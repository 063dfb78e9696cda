//! Session timers (RFC 4028): what our 2xx says, what the peer's does, refreshes, and what waits behind one; the rules are
//! in `session/session_timer`.

use crate::agent::options::{Body, RequestOptions, ResponseOptions, request_flag};
use crate::agent::ours::outgoing::{Behind, Outgoing, Waiting};
use crate::agent::ours::retry::ROUNDS;
use crate::agent::theirs::incoming::Kind as IncomingKind;
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::config::SessionTimer;
use crate::error::Result;
use crate::message::{HeaderId, Message, Method, Refresher, SessionExpires, header};
use crate::session::change::By;
use crate::session::explain::Why;
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::Reason;
use crate::session::session_timer::{Agreed, Verdict, read_2xx};
use crate::session::{Session, glare};
use crate::timer::TimerId;
use std::sync::Arc;

pub(in crate::agent) const REFRESHED: Why = Why::new(Reason::Refreshed, "the session was refreshed (RFC 4028 10)");
const NOT_REFRESHED: Why = Why::new(Reason::Refreshed, "the session could not be refreshed (RFC 4028 10)");

impl Agent {
    fn session_terms(&self, session: &Session) -> SessionTimer {
        session.session_terms().unwrap_or(self.config.session_timer)
    }

    pub(in crate::agent) fn session_timer_is(&mut self, id: SessionId, verdict: Verdict) {
        self.decide(id, |session, clock| session.session_timer_is(verdict, clock));
    }

    /// A 2xx to an INVITE or UPDATE of ours.
    pub(in crate::agent) fn session_timer_by(&mut self, id: OutgoingId, session: SessionId, response: &Message) {
        let asked = self.objects.outgoing.get(id).map(Outgoing::asked).unwrap_or_default();
        let Some(known) = self.objects.sessions.get(session) else { return };
        let verdict = read_2xx(&self.session_terms(known), asked, response);
        self.session_timer_is(session, verdict);
    }

    /// Writes into our 2xx what holds from then on. What the host has written there itself stands.
    pub(in crate::agent) fn answer_session_timer(
        &mut self,
        id: SessionId,
        request: &Message,
        answer: &mut Answer<'_>,
    ) -> Verdict {
        let Some(session) = self.objects.sessions.get_mut(id) else { return Verdict::Stays };
        session.set_session_terms(answer.terms);
        answer.terms = session.session_terms();
        let terms = answer.terms.unwrap_or(self.config.session_timer);
        if session.is_early() && request.method() == Method::Update {
            return Verdict::Stays;
        }
        if let Some(own) = answer.host.get(HeaderId::SessionExpires) {
            return verdict_of(&terms, SessionExpires::parse(own).ok());
        }
        answer.session_timer = session.answers_with(&terms, request);
        answer.session_timer.map(|answered| answered.agreed).into()
    }

    /// The same of a 2xx that was written before, and has waited.
    pub(in crate::agent) fn session_timer_in(&self, id: SessionId, response: &[u8]) -> Verdict {
        let Some(session) = self.objects.sessions.get(id) else { return Verdict::Stays };
        // It is read again only where it says anything of this.
        let says = header::in_lines(response, HeaderId::SessionExpires).is_some();
        let written = says.then(|| Message::parse(response, None).ok()).flatten();
        verdict_of(&self.session_terms(session), written.as_ref().and_then(SessionExpires::said_by))
    }

    /// A re-INVITE of the peer's that only repeats its description, as a refresh does, gets ours as it was (RFC 4028
    /// §7.4). False: it is another, or a 2xx cannot be given.
    pub(in crate::agent) fn accept_repeat(&mut self, id: IncomingId) -> bool {
        let Some(incoming) = self.objects.incoming.get(id).filter(|incoming| !incoming.answered) else { return false };
        let (IncomingKind::Reinvite, Some(session), Ok(request)) =
            (&incoming.kind, incoming.session, incoming.message())
        else {
            return false;
        };
        let Some(answer) = self.objects.sessions.get(session).and_then(|known| known.answer_to_repeat(request)) else {
            return false;
        };
        let (now, body) = (self.now, Some(Body::as_it_was(&answer)));
        self.accept(now, id, 200, &ResponseOptions { body, ..ResponseOptions::default() }).is_ok()
    }

    // ------------------------------------------------------------------ refreshes

    /// A refresh is due (§10): by UPDATE without an offer where the peer allows it, else by re-INVITE.
    pub(in crate::agent) fn refresh_session(&mut self, id: SessionId) {
        if self.send_refresh(id).is_none() {
            self.decide(id, |session, clock| session.refresh_put_off(clock));
        }
    }

    fn send_refresh(&mut self, id: SessionId) -> Option<()> {
        let session = self.objects.sessions.get(id)?;
        let peer = session.peer();
        let repeated = session.local_description().cloned();
        // Without a description to repeat a re-INVITE would ask for a new one.
        let by_update = peer.takes_update() || repeated.is_none() && peer.may_take_update();
        let by = if by_update { By::Update } else { By::Reinvite };
        if by == By::Reinvite && repeated.is_none() {
            // Its 2xx would bring an offer that nobody answers.
            return None;
        }
        let repeated = repeated.filter(|_| by == By::Reinvite);
        if !session.refresh_guard(by, self.now.monotonic) {
            return None;
        }
        self.change_may_go(by, id, repeated.is_some()).ok()?;
        let options = RequestOptions {
            flags: request_flag::NO_RETRY,
            body: repeated.as_ref().map(Body::as_it_was),
            ..RequestOptions::default()
        };
        let request = self.draft_change(by, id, options).ok()?;
        if let Some(outgoing) = self.objects.outgoing.get_mut(request) {
            (outgoing.silent, outgoing.refresh) = (true, true);
        }
        if let Some(session) = self.objects.sessions.get_mut(id) {
            session.our_refresh_sent(by, request, repeated);
        }
        self.launch(request);
        Some(())
    }

    /// Our refresh got another final response than 2xx, or none.
    pub(in crate::agent) fn refresh_failed(
        &mut self,
        id: SessionId,
        by: By,
        status: u16,
        response: Option<&Arc<Message>>,
    ) {
        let Some(session) = self.objects.sessions.get(id) else { return };
        let refusal = response.map(|response| &**response);
        let role = session.role();
        self.act(Some(id), NOT_REFRESHED, status, refusal);
        let wait = response.and_then(|refusal| glare::wait(role, refusal, &mut self.random));
        self.input(id, |session, clock| {
            let mut deeds = session.refresh_over();
            deeds.extend(session.refresh_failed(by, status, wait, clock));
            deeds
        });
    }

    // ------------------------------------------------------------------ a change of the host's behind one

    /// Whether a change of the host's has to wait for the end of a refresh, of which the host knows nothing. Errors:
    /// state, something else forbids it.
    pub(in crate::agent) fn waits_for_refresh(&self, by: By, id: SessionId, has_offer: bool) -> Result<bool> {
        let Err(error) = self.change_may_go(by, id, has_offer) else { return Ok(false) };
        let session = self.session(id)?;
        if session.refresh_under_way().is_none() || session.behind_refresh().is_some() {
            return Err(error);
        }
        session.takes_behind_refresh(by)?;
        Ok(true)
    }

    /// It waits: for the end of the refresh or, where none is under way, as after a 491.
    pub(in crate::agent) fn wait_for_refresh(&mut self, id: OutgoingId, session: SessionId, offer: Option<StoredBody>) {
        let Some(known) = self.objects.sessions.get(session) else { return };
        let (beside, free) = (known.stands_beside(), known.refresh_under_way().is_none());
        let timer = if free { self.arm_behind(id, session) } else { None };
        self.wait_behind(id, session, Behind { offer, beside, timer });
    }

    fn arm_behind(&mut self, id: OutgoingId, session: SessionId) -> Option<TimerId> {
        let role = self.objects.sessions.get(session).map(Session::role)?;
        let wait = glare::after_491(role, &mut self.random);
        Some(self.arm(wait, Timeout::Outgoing(id, OutgoingTimer::Retry)))
    }

    fn wait_behind(&mut self, id: OutgoingId, session: SessionId, behind: Behind) {
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.wait(Waiting::Refresh(behind));
        }
        if let Some(session) = self.objects.sessions.get_mut(session) {
            session.our_change_waits_behind(id);
        }
    }

    /// Whether it does.
    pub(in crate::agent) fn is_behind_refresh(&self, id: OutgoingId) -> bool {
        matches!(self.objects.outgoing.get(id).and_then(Outgoing::waiting), Some(Waiting::Refresh(_)))
    }

    /// It waits no more.
    pub(in crate::agent) fn forget_refresh(&mut self, id: OutgoingId) -> Option<Behind> {
        if !self.is_behind_refresh(id) {
            return None;
        }
        let outgoing = self.objects.outgoing.get_mut(id)?;
        let (session, Some(Waiting::Refresh(behind))) = (outgoing.session, outgoing.wait_over()) else { return None };
        self.stop(behind.timer);
        if let Some(session) = session.and_then(|id| self.objects.sessions.get_mut(id)) {
            session.waits_behind_no_more(id);
        }
        Some(behind)
    }

    /// The refresh is over: it goes out, unless something of the peer's came between.
    pub(in crate::agent) fn go_on_behind_refresh(&mut self, id: OutgoingId) {
        let Some(Behind { offer, beside, .. }) = self.forget_refresh(id) else { return };
        let changes = |outgoing: &Outgoing| Some((outgoing.session?, outgoing.changes()?, outgoing.retries));
        let Some((session, by, tries)) = self.objects.outgoing.get(id).and_then(changes) else { return };
        let Some(known) = self.objects.sessions.get(session) else { return };
        let now = known.stands_beside();
        if offer.is_some() && beside.is_some() && now.is_some() && beside != now {
            // A later description of ours is out (RFC 3264 §8), and both sides have come together by it.
            if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
                outgoing.resync = false;
            }
            return self.request_failed(id, 491);
        }
        // One that the host wanted later may wait to be sent again.
        let free = known.retries().next().is_none();
        if free && self.change_may_go(by, session, offer.is_some()).and_then(|()| self.table.room()).is_ok() {
            return self.send_again(by, id, session, offer);
        }
        if tries >= ROUNDS {
            return self.request_failed(id, 491);
        }
        let timer = self.arm_behind(id, session);
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.retries += 1;
        }
        self.wait_behind(id, session, Behind { offer, beside: beside.or(now), timer });
    }
}

/// What a 2xx of ours says.
fn verdict_of(terms: &SessionTimer, said: Option<SessionExpires>) -> Verdict {
    let said = said.filter(|said| terms.is_on() && said.seconds > 0);
    said.map_or(Verdict::Off, |said| {
        let refresher = if said.refresher == Some(Refresher::Uac) { Party::Remote } else { Party::Local };
        Verdict::On(Agreed { interval_s: said.seconds, refresher })
    })
}
