//! What hangs on an object beside its own: what the host hung on it, and events about it that nobody has seen.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Something of the host's: carried, counted and let go of, never looked into.
pub type Opaque = Arc<dyn Any + Send + Sync>;

/// What the host hung on an object. A session starts with that of its INVITE; a request in a dialog starts with the
/// user data of its session. Counting is `Arc`'s: what is shared goes when the last holder has ended.
#[derive(Clone, Default)]
pub struct Attachment {
    /// Who hears of it.
    pub delegate: Option<Opaque>,
    /// The host's own.
    pub user: Option<Opaque>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Attachment({}, {})", self.delegate.is_some(), self.user.is_some())
    }
}

/// How many events may wait for one object before those of which only the newest counts replace each other.
const PATIENT: u16 = 16;

/// Events about an object that the host has not seen: it lives as long as there are some. Eight bytes, for there are
/// millions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseen {
    count: u16,
    /// The number of the last one that may be taken back, in 48 bits: a million events a second for nine years.
    high: u16,
    low: u32,
}

impl Unseen {
    /// One more is queued. `newest`: of its kind only the newest counts; `replaceable`: it may be taken back later.
    /// Gives the one whose place it takes, because so many wait.
    pub fn one_more(&mut self, number: u64, newest: bool, replaceable: bool) -> Option<u64> {
        let stale = (newest && self.count >= PATIENT).then_some(self.last());
        if replaceable {
            (self.high, self.low) = ((number >> 32) as u16, number as u32);
        }
        self.count = self.count.saturating_add(1);
        stale
    }

    /// One was seen, or taken back.
    pub fn one_less(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Whether all were seen.
    pub fn is_none(self) -> bool {
        self.count == 0
    }

    /// The number of the last one that may be taken back.
    pub fn last(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}
