//! Whose time an agent lives in, and where its log lines go: what the host chose once for the whole agent.

use crate::config::LogLevel;
use crate::ffi::config::sipdlg_config_t;
use crate::ffi::structs::sipdlg_log_t;
use crate::time::{Now, Time};
use std::ffi::c_void;

/// Whose time it is.
pub(crate) enum Clock {
    /// The system's; wall time is the monotonic one and what was seen between them lately.
    System { offset_us: u64, seen: u64 },
    /// The host's.
    Manual(Now),
}

impl Clock {
    /// Both clocks now.
    pub(crate) fn now(&mut self) -> Now {
        match self {
            Self::Manual(now) => *now,
            Self::System { offset_us, seen } => {
                let monotonic = micros(libc::CLOCK_MONOTONIC);
                // The wall clock may be set; a tenth of a second late is early enough to see it.
                if monotonic.saturating_sub(*seen) >= 100_000 || *seen == 0 {
                    *offset_us = micros(libc::CLOCK_REALTIME).saturating_sub(monotonic);
                    *seen = monotonic;
                }
                Now { monotonic: Time::from_micros(monotonic), unix_us: monotonic.saturating_add(*offset_us) }
            }
        }
    }

    /// The system's, not read yet.
    pub(crate) fn system() -> Self {
        Self::System { offset_us: 0, seen: 0 }
    }
}

/// A clock of the system in microseconds.
pub(crate) fn micros(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    (time.tv_sec as u64).saturating_mul(1_000_000).saturating_add(time.tv_nsec as u64 / 1_000)
}

/// Where log lines go.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    pub(crate) function: sipdlg_log_t,
    pub(crate) user: *mut c_void,
    pub(crate) level: LogLevel,
}

impl Log {
    /// Nowhere.
    pub(crate) const NONE: Self = Self { function: None, user: std::ptr::null_mut(), level: LogLevel::Off };

    /// Where a configuration says.
    pub(crate) fn of(config: &sipdlg_config_t) -> Self {
        let (function, user) = config.log;
        Self { function, user, level: config.core.log_level }
    }
}

// SAFETY: the pointer is only handed back to the host, who promised that it outlives the agents.
unsafe impl Send for Log {}
