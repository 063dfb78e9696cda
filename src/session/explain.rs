//! What the library did by itself about a session: the last acts, each with its reason and its rule, for a host that asks
//! why. Nothing is held where nothing was done.

use super::Session;
use super::reason::{Ending, Reason};
use crate::held;
use crate::time::Now;
use std::collections::VecDeque;

/// So many are kept, the last.
pub const KEPT: usize = 16;

/// Why the library does something by itself: what a program reads, and a sentence that ends with its section, in
/// parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// The code.
    pub reason: Reason,
    /// The sentence and its section.
    pub rule: &'static str,
}

impl Why {
    /// A rule is ASCII: "what is so (RFC 3261 14.1)".
    pub const fn new(reason: Reason, rule: &'static str) -> Self {
        Self { reason, rule }
    }

    /// The sentence.
    pub fn text(&self) -> &'static str {
        self.parts().0
    }

    /// The section: "RFC 3261 14.1".
    pub fn rfc(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (&'static str, &'static str) {
        let parts = self.rule.rsplit_once(" (").and_then(|(text, rfc)| Some((text, rfc.strip_suffix(')')?)));
        parts.unwrap_or((self.rule, ""))
    }
}

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, in microseconds since 1970.
    pub unix_us: u64,
    // Flat, for it is kept.
    rule: &'static str,
    /// Of the response that was sent, received or made here; 0 none.
    pub status: u16,
    reason: Reason,
}

impl Act {
    /// Done at this moment.
    pub const fn new(unix_us: u64, why: Why, status: u16) -> Self {
        Self { unix_us, rule: why.rule, status, reason: why.reason }
    }

    /// Why.
    pub const fn why(&self) -> Why {
        Why { reason: self.reason, rule: self.rule }
    }
}

/// The last acts.
#[derive(Clone, Debug, Default)]
pub struct Acts {
    last: VecDeque<Act>,
    /// The end of the session stands among them.
    has_end: bool,
}

impl Acts {
    /// One more.
    pub fn add(&mut self, act: Act) {
        if self.last.len() >= KEPT {
            self.last.pop_front();
        }
        self.last.push_back(act);
    }

    /// Bytes on the heap, its own place included.
    pub fn held(&self) -> usize {
        size_of::<Self>() + held::queue(&self.last)
    }
}

impl Session {
    /// Something was done by itself. The end of the session comes before what follows it.
    pub fn did(&mut self, act: Act, now: Now) {
        let end = self.end_of_it(now);
        let acts = self.running.acts.get_or_insert_default();
        if let Some(end) = end {
            acts.has_end = true;
            acts.add(end);
        }
        acts.add(act);
    }

    /// What was done for the INVITE that made it.
    pub fn inherit_acts(&mut self, of_invite: Option<Box<Acts>>) {
        self.running.acts = of_invite;
    }

    /// The `index`-th last act, 0 the newest.
    pub fn act(&self, index: usize, now: Now) -> Option<Act> {
        let kept = |index: usize| {
            let last = &self.running.acts.as_ref()?.last;
            last.get(last.len().checked_sub(index + 1)?).copied()
        };
        match (self.end_of_it(now), index) {
            (_, KEPT..) => None,
            (None, _) => kept(index),
            (end, 0) => end,
            (_, _) => kept(index - 1),
        }
    }

    /// The end, while it does not stand among the acts: most calls end without any, and nothing is made for that.
    fn end_of_it(&self, now: Now) -> Option<Act> {
        if self.running.acts.as_ref().is_some_and(|acts| acts.has_end) {
            return None;
        }
        let Ending { reason, status_code: status, ended_ms, .. } = self.ending()?;
        // Whole milliseconds only: not before what came before it in the same one.
        let last = self.running.acts.as_ref().and_then(|acts| acts.last.back()).map_or(0, |act| act.unix_us);
        let ago_us = u64::from(now.monotonic.as_millis().wrapping_sub(*ended_ms)) * 1_000;
        let why = Why { reason: *reason, rule: reason.of_an_end()? };
        let unix_us = now.unix_us.saturating_sub(ago_us);
        let unix_us = if last.saturating_sub(unix_us) < 1_000 { unix_us.max(last) } else { unix_us };
        Some(Act::new(unix_us, why, *status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::{self, FakeClock};
    use crate::time::Time;

    fn now(seconds: u64) -> Now {
        Now { monotonic: Time::from_micros(seconds * 1_000_000), unix_us: (1_000 + seconds) * 1_000_000 }
    }

    fn act(status: u16, seconds: u64) -> Act {
        let why = Why::new(Reason::GlareRetry, "it waits (RFC 3261 14.1)");
        Act::new(now(seconds).unix_us, why, status)
    }

    fn statuses(session: &Session, at: Now) -> Vec<(u16, u64)> {
        let acts = (0..).map_while(|index| session.act(index, at));
        acts.map(|act| (act.status, act.unix_us / 1_000_000 - 1_000)).collect()
    }

    #[test]
    fn a_rule_is_a_sentence_and_a_section() {
        for (rule, text, rfc) in [
            ("the session is over (RFC 3261 15)", "the session is over", "RFC 3261 15"),
            ("one (two) three (RFC 3261 13.3.1.4, 17.1.1.3)", "one (two) three", "RFC 3261 13.3.1.4, 17.1.1.3"),
            ("no section", "no section", ""),
        ] {
            let why = Why::new(Reason::None, rule);
            assert_eq!((why.text(), why.rfc()), (text, rfc));
        }
    }

    /// Nothing is held before the first; then the last sixteen.
    #[test]
    fn the_last_sixteen_are_kept() {
        let mut session = fixture::confirmed_caller();
        let nothing = crate::held::Held::held(&session);
        assert_eq!(statuses(&session, now(0)), []);
        for status in 1..=20 {
            session.did(act(status, u64::from(status)), now(u64::from(status)));
        }
        let expected: Vec<_> = (5..=20).rev().map(|status| (status, u64::from(status))).collect();
        assert_eq!(statuses(&session, now(60)), expected);
        let most = size_of::<Acts>() + KEPT * size_of::<Act>();
        assert_eq!((crate::held::Held::held(&session) - nothing, size_of::<Act>()), (most, 32));
    }

    /// The end takes no place of its own until something follows it, and keeps its time and its turn.
    #[test]
    fn the_end_stands_where_it_came() {
        let mut session = fixture::confirmed_caller();
        let ending = Ending { status_code: 99, ..Ending::because(Reason::DialogGone) };
        let mut clock = FakeClock::at(now(3).monotonic);
        session.end(ending, &mut clock);
        assert_eq!(statuses(&session, now(5)), [(99, 3)]);
        assert!(session.running.acts.is_none());
        session.did(act(1, 6), now(6));
        session.did(act(2, 7), now(7));
        assert_eq!(statuses(&session, now(9)), [(2, 7), (1, 6), (99, 3)]);
        for status in 3..=20 {
            session.did(act(status, 8), now(8));
        }
        assert_eq!(statuses(&session, now(9)).len(), KEPT);
        // Of a session with sixteen acts, the end is one of them.
        let mut full = fixture::confirmed_caller();
        (0..20).for_each(|status| full.did(act(status, 1), now(1)));
        full.end(Ending::because(Reason::RemoteBye), &mut clock);
        assert_eq!((statuses(&full, now(4)).len(), statuses(&full, now(4))[0]), (KEPT, (0, 3)));
    }
}
