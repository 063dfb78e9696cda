//! What a request of ours asks of the session timer (RFC 4028 §7), and 422, which asks for more (§6, §7.3).

use crate::agent::Agent;
use crate::agent::OutgoingId;
use crate::agent::options::request_flag;
use crate::agent::ours::outgoing::{Cancelling, Outgoing};
use crate::agent::ours::retry::Turn;
use crate::agent::words::headers::HostHeaders;
use crate::config::{Policy, SessionTimer};
use crate::message::{HeaderId, Message, Method, SessionExpires, min_se_of};
use crate::session::Session;
use crate::session::explain::Why;
use crate::session::reason::{Ending, Reason};
use crate::session::session_timer::{Asked, Asking};
use std::sync::Arc;

/// How often one request is sent again for 422.
const ROUNDS: u8 = 3;
/// The largest Min-SE that is believed: a day.
const LARGEST_S: u32 = 86_400;

/// What of it stands in a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimerLines {
    /// `timer` in Supported.
    pub supported: bool,
    /// Require: timer.
    pub required: bool,
    /// Session-Expires and Min-SE, unless the host writes them.
    pub asking: Asking,
}

/// What is kept of it with the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timed {
    /// The host's for this call.
    pub terms: Option<SessionTimer>,
    /// What its 2xx answers.
    pub asked: Asked,
    /// A Min-SE that a 422 wanted; 0: none did.
    pub learned_s: u32,
    /// The host wrote Session-Expires or Min-SE.
    by_host: bool,
    /// How often it was sent again for 422.
    rounds: u8,
}

const ASKS_FOR_MORE: Why =
    Why::new(Reason::SentAgain, "the request was sent again with the interval that its 422 wants (RFC 4028 7.3)");

impl Agent {
    /// What a request of ours asks for. `given`: by the host with it.
    pub(in crate::agent) fn asks(
        &self,
        method: Method,
        session: Option<&Session>,
        host: &HostHeaders<'_>,
        given: Option<SessionTimer>,
    ) -> (TimerLines, Option<Box<Timed>>) {
        let terms = given.or(session.and_then(Session::session_terms)).unwrap_or(self.config.session_timer);
        let mut lines = TimerLines { supported: terms.is_on() && method != Method::Ack, ..TimerLines::default() };
        if !matches!(method, Method::Invite | Method::Update) {
            return (lines, None);
        }
        lines.required = terms.policy == Policy::Required;
        let (mut asking, mut asked) = match session {
            Some(session) => session.asks_for_refresh(&terms, given.is_some()),
            None => Asking::at_first(&terms),
        };
        let own = host.get(HeaderId::SessionExpires);
        if let Some(own) = own {
            asking.interval = None;
            if asked != Asked::Early {
                let own = SessionExpires::parse(own).ok().filter(|own| own.seconds > 0);
                asked = own.map_or(Asked::Nothing, Asked::For);
            }
        }
        let own_min = host.has(HeaderId::MinSe);
        if own_min {
            asking.min_se_s = 0;
        }
        lines.asking = asking;
        let by_host = own.is_some() || own_min;
        let kept = given.is_some() || asked != Asked::Nothing || by_host;
        (lines, kept.then(|| Box::new(Timed { terms: given, asked, learned_s: 0, by_host, rounds: 0 })))
    }

    /// A 422 that is dealt with: the request went out again and asks for what it wants. False: it is the final answer.
    pub(in crate::agent) fn asked_for_more(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        if response.status() != 422 {
            return false;
        }
        let Some(min_se_s) = min_se_of(response).filter(|seconds| *seconds <= LARGEST_S) else { return false };
        let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
        if let Some(session) = session.and_then(|id| self.objects.sessions.get_mut(id)) {
            // §7.4: whatever becomes of this one.
            session.learn_min_se(Some(min_se_s));
        }
        if !self.may_ask_for(id, min_se_s) {
            return false;
        }
        match self.turn_of(id) {
            Turn::Now => {}
            // It will ask for what the session has learned.
            Turn::Later(by, session) => {
                self.wait_for_turn(by, id, session, Some(response));
                return true;
            }
            Turn::Never(_) => return false,
        }
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return false };
        let Some(timed) = outgoing.timed.as_deref_mut() else { return false };
        let Asked::For(interval) = &mut timed.asked else { return false };
        interval.seconds = min_se_s;
        let asking = Asking { interval: Some(*interval), min_se_s };
        timed.learned_s = min_se_s;
        timed.rounds += 1;
        if let Some(draft) = outgoing.draft_mut() {
            draft.ask_for(asking);
        }
        self.send_once_more(id, &Ending::by(Reason::Rejected, response));
        self.act_for(id, ASKS_FOR_MORE, response.status(), Some(response));
        true
    }

    /// A change of ours has waited, and asks for what holds by now (§7.4): a session timer that it does not speak of would
    /// be off.
    pub(in crate::agent) fn asks_anew(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.objects.outgoing.get(id).filter(|outgoing| outgoing.changes().is_some()) else {
            return;
        };
        let Some(session) = outgoing.session.and_then(|id| self.objects.sessions.get(id)) else { return };
        let timed = outgoing.timed.as_deref().copied().unwrap_or_default();
        if timed.by_host {
            return;
        }
        let terms = timed.terms.or(session.session_terms()).unwrap_or(self.config.session_timer);
        let (asking, asked) = session.asks_for_refresh(&terms, timed.terms.is_some());
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if asked != Asked::Nothing || outgoing.timed.is_some() {
            outgoing.timed = Some(Box::new(Timed { asked, ..timed }));
        }
        if let Some(draft) = outgoing.draft_mut() {
            draft.ask_for(asking);
        }
    }

    /// Whether a request is sent again with such an interval. One that asked for as much is refused for nothing.
    fn may_ask_for(&self, id: OutgoingId, min_se_s: u32) -> bool {
        let Some((outgoing, timed)) =
            self.objects.outgoing.get(id).and_then(|outgoing| Some((outgoing, outgoing.timed.as_deref()?)))
        else {
            return false;
        };
        let too_brief = matches!(timed.asked, Asked::For(asked) if asked.seconds < min_se_s);
        let wanted = outgoing.flags & request_flag::NO_RETRY == 0 || outgoing.refresh;
        let called_off = outgoing.invite().is_some_and(|invite| !matches!(invite.cancelling, Cancelling::No));
        let may = wanted && !called_off && self.objects.may_go_out(outgoing);
        too_brief && may && !timed.by_host && timed.rounds < ROUNDS
    }
}

impl Outgoing {
    /// What its 2xx answers.
    pub(in crate::agent) fn asked(&self) -> Asked {
        self.timed.as_ref().map_or(Asked::Nothing, |timed| timed.asked)
    }
}
