//! Session timers (RFC 4028): what a 2xx to an INVITE or UPDATE makes of them, when a refresh is due, and when nobody
//! has refreshed.
//!
//! | we answer: the request has `timer`, and refresher | in our 2xx          | Require: timer |
//! |---------------------------------------------------|---------------------|----------------|
//! | no, whatever                                      | uas                 | no             |
//! | yes, none                                         | uas or uac, by wish | yes            |
//! | yes, uac or uas                                   | the same            | yes            |
//!
//! | a 2xx to us has Session-Expires     | then                                                |
//! |-------------------------------------|-----------------------------------------------------|
//! | yes                                 | that, refreshed by whom it says, by us where nobody |
//! | no, but we asked for one            | what we asked for, refreshed by us                  |
//! | no, nor had our request             | none, also in the midst of a call                   |

use crate::config::{Refresher as Wish, SessionTimer as Terms};
use crate::message::{HeaderId, Message, Refresher, SessionExpires, min_se_of};
use crate::session::Session;
use crate::session::change::By;
use crate::session::deed::{Clock, Deed, Deeds, DeferredBye, Wake, Wanted};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::{Ending, Reason};
use crate::slots::OutgoingId;
use crate::time::Time;
use crate::timer::TimerId;
use smallvec::smallvec;
use std::time::Duration;

/// The least that we refresh by, whatever a peer says.
const FASTEST_S: u32 = 10;
/// RFC 4028 §10: who does not refresh ends the session so long before its time, or a third of the interval.
const MARGIN_S: u32 = 32;
/// How often one refresh is tried again when the peer says so; then each wait is half of the time that is left.
const ROUNDS: u8 = 16;
/// Waits that are shorter end the trying.
const SHORTEST_WAIT: Duration = Duration::from_secs(4);
/// What the BYE says of it (RFC 3326).
const EXPIRED: &[u8] = b"Reason: SIP;cause=408;text=\"Session expired\"";

/// What holds from a 2xx on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The interval.
    pub interval_s: u32,
    /// Who refreshes.
    pub refresher: Party,
}

/// What a request of ours asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Nothing: none is wanted.
    #[default]
    Nothing,
    /// Nothing, for there is no session yet.
    Early,
    /// This.
    For(SessionExpires),
}

/// What a 2xx makes of the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does not speak of it.
    Stays,
    /// There is none from now on.
    Off,
    /// This one runs.
    On(Agreed),
}

impl From<Option<Agreed>> for Verdict {
    fn from(agreed: Option<Agreed>) -> Self {
        agreed.map_or(Self::Off, Self::On)
    }
}

/// What we answer to a request of the peer's (§9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Session-Expires.
    pub agreed: Agreed,
    /// Require: timer.
    pub required: bool,
}

/// What stands in a request of ours (§7.1, §7.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// Session-Expires.
    pub interval: Option<SessionExpires>,
    /// Min-SE; 0: none.
    pub min_se_s: u32,
}

impl Asking {
    /// An INVITE out of a dialog.
    pub fn at_first(terms: &Terms) -> (Self, Asked) {
        if !terms.is_on() {
            return (Self::default(), Asked::Nothing);
        }
        let asking = Self::wished(terms).with_least(terms, 0);
        (asking, asking.asked())
    }

    fn asked(self) -> Asked {
        self.interval.map_or(Asked::Nothing, Asked::For)
    }

    fn wished(terms: &Terms) -> Self {
        let wished = match terms.refresher {
            Wish::Any => None,
            Wish::Local => Some(Refresher::Uac),
            Wish::Remote => Some(Refresher::Uas),
        };
        let interval = terms.wanted_s().map(|seconds| SessionExpires { seconds, refresher: wished });
        Self { interval, min_se_s: 0 }
    }

    /// Min-SE stands where it is not the default, or was spoken of.
    fn with_least(mut self, terms: &Terms, learned_s: u32) -> Self {
        let own_s = if terms.min_se_s > Terms::LEAST_S { terms.min_se_s } else { 0 };
        self.min_se_s = own_s.max(learned_s);
        if let Some(interval) = &mut self.interval {
            interval.seconds = interval.seconds.max(self.min_se_s).max(Terms::LEAST_S);
        }
        self
    }
}

/// Whether a request says that it understands 422 (§9).
pub fn speaks_of_timer(request: &Message) -> bool {
    request.has_token(HeaderId::Supported, b"timer") || request.has_token(HeaderId::Require, b"timer")
}

/// The table of a 2xx to us (§7.2).
pub fn read_2xx(terms: &Terms, asked: Asked, response: &Message) -> Verdict {
    if !terms.is_on() {
        return Verdict::Off;
    }
    match (SessionExpires::said_by(response), asked) {
        (Some(said), _) => {
            let refresher = if said.refresher == Some(Refresher::Uas) { Party::Remote } else { Party::Local };
            // Below 90 s it is against §4, but the peer means it: it ends a call that is not refreshed by then. Its own
            // refreshes are waited for as long as the RFC has it.
            let least_s = if refresher == Party::Local { FASTEST_S } else { Terms::LEAST_S };
            Verdict::On(Agreed { interval_s: said.seconds.max(least_s), refresher })
        }
        (None, Asked::For(asked)) => Verdict::On(Agreed { interval_s: asked.seconds, refresher: Party::Local }),
        (None, Asked::Early) => Verdict::Stays,
        (None, Asked::Nothing) => Verdict::Off,
    }
}

/// What runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    since: Time,
    /// The refresh, or the end.
    timer: TimerId,
    interval_s: u32,
    refresher: Party,
    /// How often the refresh was tried again.
    tries: u8,
}

impl Agreed {
    /// §10: for how long nobody has to refresh before it is over.
    fn patience(&self) -> Duration {
        match self.refresher {
            Party::Local => seconds(self.interval_s),
            Party::Remote => seconds(self.interval_s) - self.margin(),
        }
    }

    /// §10: how long before its time who does not refresh ends it.
    fn margin(&self) -> Duration {
        seconds(MARGIN_S.min(self.interval_s / 3))
    }
}

impl Running {
    fn agreed(&self) -> Agreed {
        Agreed { interval_s: self.interval_s, refresher: self.refresher }
    }

    fn ends_at(&self) -> Time {
        self.since.plus(self.agreed().patience())
    }

    fn left(&self, now: Time) -> Duration {
        self.since.plus(seconds(self.interval_s)).since(now)
    }

    /// Until the peer ends it.
    fn left_to_refresh(&self, now: Time) -> Duration {
        self.left(now).saturating_sub(self.agreed().margin())
    }

    /// Whether a refresh can wait for nothing more.
    fn is_short(&self, now: Time) -> bool {
        let interval = seconds(self.interval_s);
        self.left(now) < interval / 4 || self.left_to_refresh(now) < interval / 8
    }
}

/// What a session knows of its timer. Few calls have one: one word of the session holds it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionTimer {
    /// The host's for this call.
    terms: Option<Terms>,
    /// The largest Min-SE that was seen; 0: none (§7.4).
    min_se_s: u32,
    running: Option<Running>,
}

/// The timer of a session as a host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// What holds.
    pub agreed: Agreed,
    /// Until the session expires.
    pub left: Duration,
}

impl Session {
    // ------------------------------------------------------------------ what is wanted

    /// The host's terms for this call.
    pub fn session_terms(&self) -> Option<Terms> {
        self.lasting.timer.as_ref()?.terms
    }

    /// The host has given some.
    pub fn set_session_terms(&mut self, terms: Option<Terms>) {
        if terms.is_some() {
            self.lasting.timer.get_or_insert_default().terms = terms;
        }
    }

    /// A Min-SE of the peer's, in a request or a 422: refreshes repeat the largest (§7.4).
    pub fn learn_min_se(&mut self, min_se_s: Option<u32>) {
        if let Some(min_se_s) = min_se_s.filter(|seconds| *seconds > 0) {
            let timer = self.lasting.timer.get_or_insert_default();
            timer.min_se_s = timer.min_se_s.max(min_se_s);
        }
    }

    /// The same of a request, taken or not.
    pub fn learn_min_se_of(&mut self, request: &Message) {
        self.learn_min_se(min_se_of(request));
    }

    fn running(&self) -> Option<&Running> {
        self.lasting.timer.as_ref()?.running.as_ref()
    }

    /// What an INVITE or UPDATE of ours in the dialog says (§7.4). `anew`: the host has other terms from now on.
    pub fn asks_for_refresh(&self, terms: &Terms, anew: bool) -> (Asking, Asked) {
        if !terms.is_on() {
            return (Asking::default(), Asked::Nothing);
        }
        let learned_s = self.lasting.timer.as_ref().map_or(0, |timer| timer.min_se_s);
        if self.is_early() {
            return (Asking::default().with_least(terms, learned_s), Asked::Early);
        }
        let mut asking = Asking::wished(terms);
        if let Some(running) = self.running().filter(|_| !anew || terms.chosen_s().is_none()) {
            let refresher = if running.refresher == Party::Local { Refresher::Uac } else { Refresher::Uas };
            asking.interval = Some(SessionExpires { seconds: running.interval_s, refresher: Some(refresher) });
        }
        let asking = asking.with_least(terms, learned_s);
        (asking, asking.asked())
    }

    /// What a 2xx to an INVITE or UPDATE of the peer's says (§9): never more than it asked for, never less than its
    /// Min-SE. `None`: nothing.
    pub fn answers_with(&self, terms: &Terms, request: &Message) -> Option<Answered> {
        if !terms.is_on() {
            return None;
        }
        // Less than 90 from who does not know 422 is as if unsaid (§4).
        let asked = SessionExpires::asked_by(request).ok()?.filter(|asked| asked.seconds >= Terms::LEAST_S);
        let least_s = min_se_of(request).unwrap_or(0).max(terms.min_se_s);
        let interval_s = match asked {
            Some(asked) => {
                let lowered = terms.chosen_s().map_or(asked.seconds, |chosen_s| chosen_s.max(least_s));
                asked.seconds.min(lowered)
            }
            None => terms.wanted_s()?.max(least_s),
        };
        let required = speaks_of_timer(request);
        let refresher = match (required, asked.and_then(|asked| asked.refresher)) {
            (false, _) | (true, Some(Refresher::Uas)) => Party::Local,
            (true, Some(Refresher::Uac)) => Party::Remote,
            (true, None) => match terms.refresher {
                Wish::Local => Party::Local,
                Wish::Remote => Party::Remote,
                Wish::Any => self.running().map_or(Party::Remote, |running| running.refresher),
            },
        };
        Some(Answered { agreed: Agreed { interval_s, refresher }, required })
    }

    // ------------------------------------------------------------------ its clock

    /// What holds now.
    pub fn interval(&self, now: Time) -> Option<Interval> {
        let running = self.running()?;
        Some(Interval { agreed: running.agreed(), left: running.left(now) })
    }

    /// A 2xx to an INVITE or UPDATE came or went: the timer begins anew, or is off (§7.2, §9).
    pub fn session_timer_is(&mut self, verdict: Verdict, clock: &mut impl Clock) {
        if self.is_early() || self.is_terminated() || verdict == Verdict::Stays {
            return;
        }
        self.stop_session_timer(clock);
        let Verdict::On(agreed) = verdict else { return };
        let Agreed { interval_s, refresher } = agreed;
        let due = match refresher {
            // §7.4, §10: at half the interval.
            Party::Local => seconds(interval_s) / 2,
            Party::Remote => agreed.patience(),
        };
        let since = clock.now();
        let timer = clock.arm(since.plus(due), Wake::SessionTimer);
        self.lasting.timer.get_or_insert_default().running =
            Some(Running { since, timer, interval_s, refresher, tries: 0 });
    }

    /// There is none any more.
    pub(super) fn stop_session_timer(&mut self, clock: &mut impl Clock) {
        let Some(timer) = &mut self.lasting.timer else { return };
        if let Some(running) = timer.running.take() {
            clock.stop(running.timer);
        }
        self.lasting.timer.take_if(|timer| timer.terms.is_none() && timer.min_se_s == 0);
    }

    /// A refresh is due, or the session is over because there was none (§10).
    pub(super) fn session_timer_due(&mut self, clock: &mut impl Clock) -> Deeds {
        let running = self.lasting.timer.as_mut().and_then(|timer| timer.running.as_mut());
        let Some(running) = running else { return Deeds::new() };
        let ends_at = running.ends_at();
        if clock.now() >= ends_at {
            self.lasting.timer.take();
            let (ending, wanted) = (Ending::because(Reason::SessionExpired), Some(Wanted::line(EXPIRED)));
            return self.leave_with(DeferredBye { ending, wanted });
        }
        running.timer = clock.arm(ends_at, Wake::SessionTimer);
        smallvec![Deed::Refresh]
    }

    /// Our refresh goes out after this.
    fn refresh_after(&mut self, wait: Duration, clock: &mut impl Clock) {
        let running = self.lasting.timer.as_mut().and_then(|timer| timer.running.as_mut());
        let Some(running) = running.filter(|running| running.refresher == Party::Local) else { return };
        clock.stop(running.timer);
        running.timer = clock.arm(clock.now().plus(wait).min(running.ends_at()), Wake::SessionTimer);
    }

    /// Something that is under way forbids the refresh now, or makes it needless.
    pub fn refresh_put_off(&mut self, clock: &mut impl Clock) {
        let Some(running) = self.running() else { return };
        let left = running.left(clock.now());
        self.refresh_after((left / 8).clamp(Duration::from_secs(1), Duration::from_secs(10)), clock);
    }

    /// Our refresh was refused, and the session lives on (§10). `wait`: what the refusal says of another try.
    pub fn refresh_failed(&mut self, by: By, status: u16, wait: Option<Duration>, clock: &mut impl Clock) -> Deeds {
        let running = self.lasting.timer.as_mut().and_then(|timer| timer.running.as_mut());
        let Some(running) = running.filter(|running| running.refresher == Party::Local) else {
            return Deeds::new();
        };
        if by == By::Update && matches!(status, 405 | 501) {
            // Re-INVITE serves instead.
            return smallvec![Deed::Refresh];
        }
        running.tries = running.tries.saturating_add(1);
        let left = running.left_to_refresh(clock.now());
        let wait = wait.filter(|_| running.tries <= ROUNDS).unwrap_or(left / 2).max(Duration::from_secs(1));
        if left / 2 >= SHORTEST_WAIT && wait < left {
            self.refresh_after(wait, clock);
        }
        Deeds::new()
    }

    /// Our refresh that is under way.
    pub fn refresh_under_way(&self) -> Option<OutgoingId> {
        let ours = [By::Update, By::Reinvite].into_iter().filter_map(|by| self.running.our(by));
        ours.filter(|ours| ours.is_refresh()).map(|ours| ours.request).next()
    }

    /// Whether our refresh may go out beside what the host has under way, or waiting: the 2xx to that refreshes as well,
    /// so only where time grows short.
    pub fn refresh_guard(&self, by: By, now: Time) -> bool {
        let of_host = self.running.ours.as_ref().is_some_and(|ours| ours.is_of_host());
        let short = self.running().is_some_and(|running| running.is_short(now));
        self.refresh_under_way().is_none() && (!of_host || short && self.running.our(by).is_none())
    }

    /// What answers a re-INVITE of the peer's that repeats its description: ours as it was.
    pub fn answer_to_repeat(&self, request: &Message) -> Option<StoredBody> {
        let offer = StoredBody::of_remote(&request.session_body()?);
        self.lasting.signaling.local_beside(&offer).cloned()
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests;
