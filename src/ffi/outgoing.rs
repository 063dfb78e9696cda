//! Section "outgoing" of the header: requests of ours.
//!
//! In the header:
//! A request of ours. Life: until its final response was delivered; an INVITE: until no 2xx can come any more; a REFER:
//! until its subscription ends.

use crate::agent::OutgoingId;
use crate::error::{Error, Result};
use crate::ffi::cell::Inner;
use crate::ffi::convert::{optional_text, write_out};
use crate::ffi::guard::{NONE, OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{set_delegate, set_user, user};
use crate::ffi::options::{optional_body, with_options};
use crate::ffi::structs::{
    sipdlg_body_t, sipdlg_delegate_t, sipdlg_message_t, sipdlg_outgoing_t, sipdlg_release_t, sipdlg_request_options_t,
    sipdlg_status_t,
};
use crate::time::Now;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Runs with the agent of a request of ours.
fn with_outgoing<T>(
    outgoing: sipdlg_outgoing_t,
    run: impl FnOnce(&mut Inner, OutgoingId, Now) -> Result<T>,
) -> Result<T> {
    handle::find(outgoing, Kind::Outgoing)?.with(|inner, now| {
        let id = inner.outgoing_id(outgoing)?;
        run(inner, id, now)
    })
}

/// Copies the delegate; NULL removes it. Sessions that exist keep what they have. To miss nothing give
/// it in the options instead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_outgoing_set_delegate(
    outgoing: sipdlg_outgoing_t,
    delegate: *const sipdlg_delegate_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { set_delegate(Kind::Outgoing, outgoing, delegate) }
}

/// Replaces and lets go of the former.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_outgoing_set_user(
    outgoing: sipdlg_outgoing_t,
    user: *mut c_void,
    release: sipdlg_release_t,
) -> sipdlg_status_t {
    set_user(Kind::Outgoing, outgoing, user, release)
}

/// The user pointer, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_outgoing_user(outgoing: sipdlg_outgoing_t) -> *mut c_void {
    user(Kind::Outgoing, outgoing)
}

/// The request as sent last; the caller must release it. SIPDLG_NONE: not sent yet (RESOLVING).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_outgoing_message(
    outgoing: sipdlg_outgoing_t,
    out: *mut *const sipdlg_message_t,
) -> sipdlg_status_t {
    guard(|| {
        if out.is_null() {
            return Err(Error::argument("out is NULL: the message could not be released"));
        }
        let message = handle::find(outgoing, Kind::Outgoing)?
            .look(|inner| Ok(inner.core.outgoing(inner.outgoing_id(outgoing)?)?.message()))?;
        let Some(message) = message else { return Ok(NONE) };
        // SAFETY: the caller promises that `out` is writable.
        unsafe { write_out(out, Arc::into_raw(message).cast()) };
        Ok(OK)
    })
}

/// enum sipdlg_outgoing_state_e.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_outgoing_state(outgoing: sipdlg_outgoing_t) -> i32 {
    guard(|| {
        handle::find(outgoing, Kind::Outgoing)?
            .look(|inner| Ok(inner.core.outgoing(inner.outgoing_id(outgoing)?)?.state() as i32))
    })
}

/// INVITE, re-INVITE: CANCEL, as soon as a 1xx is there (RFC 3261 §9.1); a 2xx that crosses is ACKed and ended with BYE
/// (re-INVITE: ACKed and kept). REJECT follows: with the peer's 487; a local 487 when a 2xx crossed, nothing came in
/// 64*T1 after the CANCEL, or the INVITE had not gone out; a local 408 when no response came at all. A retry that waits
/// is dropped, that of an UPDATE as well: REJECT with the response that it had. reason: value of a Reason header (RFC 3326),
/// "SIP;cause=600", or NULL: options.reason.
/// SIPDLG_NONE: final already, nothing sent. Errors: ERR_STATE another method, an UPDATE that does not wait; ERR_HEADER;
/// ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_outgoing_cancel(
    outgoing: sipdlg_outgoing_t,
    reason: *const c_char,
    options: *const sipdlg_request_options_t,
) -> sipdlg_status_t {
    guard(|| {
        with_outgoing(outgoing, |inner, id, now| {
            // SAFETY: the header's rule for text in.
            let reason = unsafe { optional_text(reason) };
            // SAFETY: the header's rule for structs.
            let sent = unsafe { with_options(options, inner, |core, options| core.cancel(now, id, reason, &options)) }?;
            Ok(if sent { OK } else { NONE })
        })
    })
}

/// A new body for a re-INVITE or UPDATE that waits to be sent again (after GLARE_RETRY, with or without NEEDS_BODY). It goes
/// out with it when its wait is over, at once where that is over already. May be called again: the last body counts. It may
/// become stale in its turn (NEEDS_BODY again). All else of the request stays.
/// Errors: ERR_STATE it does not wait for that; ERR_ARGUMENT no body; ERR_SYNTAX; ERR_LIMIT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_outgoing_retry(
    outgoing: sipdlg_outgoing_t,
    body: *const sipdlg_body_t,
) -> sipdlg_status_t {
    guard(|| {
        with_outgoing(outgoing, |inner, id, now| {
            // SAFETY: the caller promises that `body` is NULL or readable, and so is all that it points to.
            let body = unsafe { optional_body(body) }?.ok_or_else(|| Error::argument("body: none"))?;
            inner.core.retry(now, id, body)
        })?;
        Ok(OK)
    })
}

/// Answers CHALLENGE, at once or within 32 s. NULL user: give up, REJECT. A re-INVITE or UPDATE that may not go now waits
/// (GLARE_RETRY). Errors: ERR_STATE none waits, or these credentials were refused already; or it may not go now, nor wait
/// (NO_RETRY, a PRACK whose INVITE has its final response): call again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_outgoing_authenticate(
    outgoing: sipdlg_outgoing_t,
    user: *const c_char,
    password: *const c_char,
) -> sipdlg_status_t {
    guard(|| {
        with_outgoing(outgoing, |inner, id, now| {
            // SAFETY: the header's rule for text in.
            let (user, password) = unsafe { (optional_text(user), optional_text(password)) };
            if user.is_some() && password.is_none() {
                return Err(Error::argument("password is NULL"));
            }
            inner.core.authenticate(now, id, user, password.unwrap_or_default())
        })?;
        Ok(OK)
    })
}

/// No more events of it; a 2xx that still comes to an INVITE is ACKed and ended with BYE.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_outgoing_dispose(outgoing: sipdlg_outgoing_t) -> sipdlg_status_t {
    guard(|| {
        with_outgoing(outgoing, |inner, id, now| inner.core.dispose_outgoing(now, id))?;
        Ok(OK)
    })
}
