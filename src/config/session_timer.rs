//! What is wanted of session timers (RFC 4028).

use super::Policy;
use crate::error::{Error, Result};

/// Who is to refresh a session (`enum sipdlg_refresher_e`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The peer may choose; where it leaves that to us, the one who did so far, and the peer at first.
    Any,
    /// We.
    Local,
    /// The peer.
    Remote,
}

/// What is wanted of session timers (RFC 4028), for all calls or for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// REQUIRED: callers without it are refused, and one is always asked for.
    pub policy: Policy,
    interval_s: u32,
    /// The least that a peer may ask for.
    pub min_se_s: u32,
    /// The wish.
    pub refresher: Refresher,
}

impl SessionTimer {
    /// RFC 4028 §4: the least there is.
    pub const LEAST_S: u32 = 90;
    /// RFC 4028 §4: what is asked for where the host says nothing.
    const USUAL_S: u32 = 1_800;

    /// `interval_s`: what is asked for; 0: nothing, and 1800 where it is REQUIRED. `min_se_s` 0: 90. Errors: argument,
    /// less than 90, or an interval below the least.
    pub fn new(policy: Policy, interval_s: u32, min_se_s: u32, refresher: Refresher) -> Result<Self> {
        let min_se_s = if min_se_s == 0 { Self::LEAST_S } else { min_se_s };
        if min_se_s < Self::LEAST_S {
            return Err(Error::argument("min_se_s: 0, or at least 90 (RFC 4028 5)"));
        }
        if interval_s != 0 && interval_s < min_se_s {
            return Err(Error::argument("interval_s: 0, or at least min_se_s (RFC 4028 5)"));
        }
        Ok(Self { policy, interval_s, min_se_s, refresher })
    }

    /// Whether session timers are spoken of.
    pub fn is_on(&self) -> bool {
        self.policy != Policy::Off
    }

    /// The interval that the host has set.
    pub fn chosen_s(&self) -> Option<u32> {
        (self.is_on() && self.interval_s != 0).then_some(self.interval_s)
    }

    /// The interval to ask for.
    pub fn wanted_s(&self) -> Option<u32> {
        let required = (self.policy == Policy::Required).then_some(Self::USUAL_S.max(self.min_se_s));
        self.chosen_s().or(required)
    }
}

impl Default for SessionTimer {
    fn default() -> Self {
        Self { policy: Policy::Supported, interval_s: 0, min_se_s: Self::LEAST_S, refresher: Refresher::Any }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn session_timers() {
        use Policy::{Off, Required, Supported};
        // Policy, interval, least; the least that counts, what is asked for; `None`: refused.
        let rows = [
            (Supported, 0, 0, Some((90, None))),
            (Supported, 300, 0, Some((90, Some(300)))),
            (Supported, 300, 300, Some((300, Some(300)))),
            (Required, 0, 0, Some((90, Some(1800)))),
            (Required, 0, 3600, Some((3600, Some(3600)))),
            (Required, 300, 0, Some((90, Some(300)))),
            (Off, 300, 0, Some((90, None))),
            (Supported, 0, 89, None),
            (Supported, 89, 0, None),
            (Supported, 300, 301, None),
            (Off, 1, 0, None),
        ];
        for (policy, interval_s, min_se_s, expected) in rows {
            let made = SessionTimer::new(policy, interval_s, min_se_s, Refresher::Any);
            let made = made.map(|made| (made.min_se_s, made.wanted_s()));
            assert_eq!(made.as_ref().ok(), expected.as_ref(), "{policy:?} {interval_s} {min_se_s}");
            assert!(made.is_ok() || made.is_err_and(|error| error.kind == ErrorKind::Argument));
        }
    }
}
