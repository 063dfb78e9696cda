//! Section "trace" of the header: what passes, shown to the host.
//!
//! In the header:
//! Every message that the agent receives or sends, by a function of the host or polled. A message is shown when it comes or
//! is made, whatever becomes of it: refused, dropped, retransmitted, never sent; out of a stream or TLS by itself and in
//! plain. Not shown: keep-alives, and datagrams that were dropped unread (dropped_behind). Whoever does not ask pays nothing.

#![allow(non_camel_case_types, missing_docs)]

use crate::config::LogLevel;
use crate::error::Error;
use crate::ffi::agent::with_agent;
use crate::ffi::cell::Polled;
use crate::ffi::config::{set, sipdlg_config_t};
use crate::ffi::convert::{fill_struct, room};
use crate::ffi::guard::{NONE, OK, guard};
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t, sipdlg_trace_entry_t, sipdlg_trace_t};
use crate::message::redact;
use std::ffi::c_void;

/// What an entry of a trace is; bits of sipdlg_config_set_trace_ring().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_trace_kind_e {
    SIPDLG_TRACE_MESSAGE = 1,
    /// of the log
    SIPDLG_TRACE_LINE = 2,
}

/// Which way a message went.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_direction_e {
    SIPDLG_DIRECTION_NONE = 0,
    SIPDLG_DIRECTION_IN = 1,
    SIPDLG_DIRECTION_OUT = 2,
}

/// What a trace or capture leaves out; bits of sipdlg_config_set_redact().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_redact_e {
    /// Authorization, Proxy-Authorization but for realm, username, uri, nonce, algorithm, qop, nc, opaque; response, cnonce,
    /// rspauth wherever they stand; passwords of URIs
    SIPDLG_REDACT_CREDENTIALS = 1,
    /// keys of SDES (a=crypto), k=, a=key-mgmt, a=ice-pwd
    SIPDLG_REDACT_KEYS = 2,
    /// users of URIs, display names, username, Identity, the person in o=, e= and p=
    SIPDLG_REDACT_IDENTITIES = 4,
}

const ENTRIES: u32 = 1_024;
const BYTES: u32 = 1 << 20;

/// Calls a function with each message (see sipdlg_trace_t). Default none. `user` must outlive the agents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_trace(
    config: *mut sipdlg_config_t,
    trace: sipdlg_trace_t,
    user: *mut c_void,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            (config.watching.function, config.watching.user) = (trace, user);
            Ok(())
        })
    }
}

/// Keeps what sipdlg_agent_poll_trace() gives: `kinds` of enum sipdlg_trace_kind_e, lines up to a level (enum
/// sipdlg_log_level_e), at most so many entries (0: 1,024) and bytes (0: 1 MiB). Where there is no room the oldest are lost,
/// and counted. kinds 0, the default: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_trace_ring(
    config: *mut sipdlg_config_t,
    kinds: u32,
    level: i32,
    entries: u32,
    bytes: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            let [message, line] =
                [sipdlg_trace_kind_e::SIPDLG_TRACE_MESSAGE as u32, sipdlg_trace_kind_e::SIPDLG_TRACE_LINE as u32];
            if kinds & !(message | line) != 0 {
                return Err(Error::argument(format!("kinds is {kinds}")));
            }
            let level = LogLevel::from_number(level).ok_or_else(|| Error::argument(format!("level is {level}")))?;
            let or = |number: u32, default: u32| if number == 0 { default } else { number } as usize;
            config.watching.polled = (kinds != 0).then(|| Polled {
                messages: kinds & message != 0,
                level: if kinds & line != 0 { level } else { LogLevel::Off },
                entries: or(entries, ENTRIES),
                bytes: or(bytes, BYTES),
            });
            Ok(())
        })
    }
}

/// What traces and captures leave out (enum sipdlg_redact_e). Default CREDENTIALS and KEYS. Of a broken message rather too
/// much is left out. A header gets another text, a body as many letters, so a message stays one. IDENTITIES also counts for
/// the DEBUG lines of the log, which never have the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_redact(config: *mut sipdlg_config_t, redact: u32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            if redact & !redact::ALL != 0 {
                return Err(Error::argument(format!("redact is {redact}")));
            }
            config.core.redact = redact;
            Ok(())
        })
    }
}

/// The oldest entry of the ring, borrowed until the next call of this; SIPDLG_NONE: there is none. One thread at a time, with
/// run_once and start as well. Nothing wakes a host for it: look when other things are done, or by a timer.
/// Errors: ERR_STATE the configuration asked for no ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_poll_trace(
    agent: sipdlg_agent_t,
    out: *mut sipdlg_trace_entry_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs. Before anything is taken from the ring.
        unsafe { room(out) }?.ok_or_else(|| Error::argument("out is NULL"))?;
        let taps = with_agent(agent, |inner, _| Ok(inner.taps()))?;
        if taps.watching().polled.is_none() {
            return Err(Error::state("the configuration asked for no ring of a trace"));
        }
        let Some(entry) = taps.poll() else { return Ok(NONE) };
        // SAFETY: the header's rule for structs.
        unsafe { fill_struct(out, &entry) }?;
        Ok(OK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_core() {
        assert_eq!(redact::CREDENTIALS, sipdlg_redact_e::SIPDLG_REDACT_CREDENTIALS as u32);
        assert_eq!(redact::KEYS, sipdlg_redact_e::SIPDLG_REDACT_KEYS as u32);
        assert_eq!(redact::IDENTITIES, sipdlg_redact_e::SIPDLG_REDACT_IDENTITIES as u32);
    }
}
