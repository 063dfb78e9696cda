//! Section "incoming" of the header: requests of the peer.
//!
//! In the header:
//! A request of the peer. Life: until the final response and, for an INVITE, its ACK or time-out; an accepted REFER:
//! until its subscription ends, also past its session: by a NOTIFY with a final code; after 600 s, unless the peer
//! refreshes it; by the peer's SUBSCRIBE with Expires 0; by a NOTIFY that gets 481 or no answer (RFC 6665 §4.2.2). No
//! event tells of that, ERR_STALE does. May be answered inside the callback or later. Unanswered after the answer
//! time-out: an INVITE gets 480 (487 when its Expires passed), others their default.

use crate::agent::{IncomingId, SessionId};
use crate::error::{Error, Result};
use crate::ffi::agent::status;
use crate::ffi::cell::Inner;
use crate::ffi::convert::{optional_text, text, text_list, write_optional, write_out};
use crate::ffi::guard::{OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{set_delegate, set_user, user};
use crate::ffi::options::response_options;
use crate::ffi::structs::{
    sipdlg_delegate_t, sipdlg_incoming_t, sipdlg_message_t, sipdlg_release_t, sipdlg_response_options_t,
    sipdlg_session_t, sipdlg_status_t,
};
use crate::time::Now;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Runs with the agent of a request of the peer.
fn with_incoming<T>(
    incoming: sipdlg_incoming_t,
    run: impl FnOnce(&mut Inner, IncomingId, Now) -> Result<T>,
) -> Result<T> {
    handle::find(incoming, Kind::Incoming)?.with(|inner, now| {
        let id = inner.incoming_id(incoming)?;
        run(inner, id, now)
    })
}

/// Copies the delegate: for CANCEL and TRANSPORT_ERROR of this request, and for the session of an INVITE. NULL removes
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_set_delegate(
    incoming: sipdlg_incoming_t,
    delegate: *const sipdlg_delegate_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { set_delegate(Kind::Incoming, incoming, delegate) }
}

/// An INVITE's session starts with it. Replaces and lets go of the former.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_incoming_set_user(
    incoming: sipdlg_incoming_t,
    user: *mut c_void,
    release: sipdlg_release_t,
) -> sipdlg_status_t {
    set_user(Kind::Incoming, incoming, user, release)
}

/// The user pointer, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_incoming_user(incoming: sipdlg_incoming_t) -> *mut c_void {
    user(Kind::Incoming, incoming)
}

/// The request, for as long as the caller wants: it must release it. Errors: ERR_STATE an INVITE that has its final
/// response is not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_message(
    incoming: sipdlg_incoming_t,
    out: *mut *const sipdlg_message_t,
) -> sipdlg_status_t {
    guard(|| {
        if out.is_null() {
            return Err(Error::argument("out is NULL: the message could not be released"));
        }
        let message = handle::find(incoming, Kind::Incoming)?
            .look(|inner| Ok(Arc::clone(inner.core.incoming(inner.incoming_id(incoming)?)?.message()?)))?;
        // SAFETY: the caller promises that `out` is writable.
        unsafe { write_out(out, Arc::into_raw(message).cast()) };
        Ok(OK)
    })
}

/// The session of an in-dialog request, or the one made for an INVITE; else SIPDLG_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_session(
    incoming: sipdlg_incoming_t,
    out: *mut sipdlg_session_t,
) -> sipdlg_status_t {
    guard(|| {
        let session = handle::find(incoming, Kind::Incoming)?.look(|inner| {
            let session = inner.core.session_of_incoming(inner.incoming_id(incoming)?)?;
            Ok(session.map(|id| inner.session_token(id)))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, session) })
    })
}

/// 100 now; by itself after 200 ms. Errors: ERR_STATE answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_trying(
    incoming: sipdlg_incoming_t,
    options: *const sipdlg_response_options_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs.
        let options = unsafe { response_options(options) }?;
        with_incoming(incoming, |inner, id, now| inner.core.trying(now, id, &options))?;
        Ok(OK)
    })
}

/// The token of the session that a response made; 0 none.
fn session_token(inner: &mut Inner, session: Option<SessionId>) -> sipdlg_session_t {
    session.map_or(0, |id| inner.session_token(id))
}

/// 101-199 (0: 180) to an INVITE. `session` gets the early session. Reliable ones queue behind an unacknowledged one
/// (RFC 3262 §3). Errors: ERR_STATE answered or accepted, or not an INVITE (RFC 4320 §4.1); an offer in a response that
/// is not reliable (RFC 3261 §13.2.1); a description after a reliable one (RFC 6337 §3.1); a first reliable response
/// without the offer that the INVITE lacks (RFC 3262 §5); reliable where the peer does not support it or our policy is
/// OFF; to_tag in a dialog, or of one that is over; a 199 with a description, or where the INVITE's Supported lacks it
/// (RFC 6228 §5; it ends nothing here, sipdlg_session_hangup() sends one by itself). ERR_ARGUMENT status_code; ERR_HEADER; ERR_SYNTAX; ERR_LIMIT
/// sessions (only of a further to_tag: an INVITE has its place), or 16 responses queue already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_progress(
    incoming: sipdlg_incoming_t,
    status_code: i32,
    options: *const sipdlg_response_options_t,
    session: *mut sipdlg_session_t,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        // SAFETY: the header's rule for structs.
        let options = unsafe { response_options(options) }?;
        let token = with_incoming(incoming, |inner, id, now| {
            let session = inner.core.progress(now, id, status, &options)?;
            Ok(session_token(inner, session))
        })?;
        // SAFETY: the caller promises that `session`, when not NULL, is writable.
        unsafe { write_out(session, token) };
        Ok(OK)
    })
}

/// 2xx (0: 200). `session`: of an INVITE. Without a body where an answer was given in a reliable 1xx; with one that is
/// the answer, or the offer. After an answer in an unreliable 1xx no body means that one again, as it was (RFC 3261
/// §13.2.1). Held back while a reliable 1xx with a description is unacknowledged, and sent after the answer to its
/// PRACK; meanwhile the session is early still, and ends with PRACK_TIMEOUT when no PRACK comes, with 487 when the
/// INVITE's Expires passes. To a REFER: its subscription begins, NOTIFY of "100 Trying" follows, see
/// sipdlg_incoming_notify(); none where the REFER has "Refer-Sub: false" (RFC 4488).
/// Errors: ERR_STATE answered; answer or offer missing (RFC 3261 §13.3.1.4), or given already (RFC 3262 §5); a PRACK's
/// offer without answer; Replaces with early-only, and that call was answered (RFC 3891 §3); 202 to a REFER
/// (RFC 7647 §5); a body to a MESSAGE (RFC 3428 §7). ERR_ARGUMENT status_code; ERR_HEADER; ERR_SYNTAX; ERR_LIMIT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_accept(
    incoming: sipdlg_incoming_t,
    status_code: i32,
    options: *const sipdlg_response_options_t,
    session: *mut sipdlg_session_t,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        // SAFETY: the header's rule for structs.
        let options = unsafe { response_options(options) }?;
        let token = with_incoming(incoming, |inner, id, now| {
            let session = inner.core.accept(now, id, status, &options)?;
            Ok(session_token(inner, session))
        })?;
        // SAFETY: the caller promises that `session`, when not NULL, is writable.
        unsafe { write_out(session, token) };
        Ok(OK)
    })
}

/// 3xx (0: 302) with contacts, URIs or name-addrs, NULL at the end (NULL: none). Errors: ERR_STATE; ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_redirect(
    incoming: sipdlg_incoming_t,
    status_code: i32,
    contacts: *const *const c_char,
    options: *const sipdlg_response_options_t,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        // SAFETY: the header's rules for lists and structs.
        let (contacts, options) = unsafe { (text_list(contacts), response_options(options)?) };
        with_incoming(incoming, |inner, id, now| inner.core.redirect(now, id, status, &contacts, &options))?;
        Ok(OK)
    })
}

/// 4xx-6xx (0: 480). Errors: ERR_STATE answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_reject(
    incoming: sipdlg_incoming_t,
    status_code: i32,
    options: *const sipdlg_response_options_t,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        // SAFETY: the header's rule for structs.
        let options = unsafe { response_options(options) }?;
        with_incoming(incoming, |inner, id, now| inner.core.reject(now, id, status, &options))?;
        Ok(OK)
    })
}

/// 401 with a challenge for each of the algorithms, the strongest first (RFC 7616, RFC 8760); comma separated, NULL:
/// "SHA-256, MD5". The request that the caller sends again: sipdlg_message_check_digest(). A nonce is good for this
/// agent, realm and algorithm and for 300 s; "stale=true" where the request's own is too old or used. A BYE has ended
/// its session when it is told, challenged or not. Errors: ERR_STATE answered, or a PRACK without offer, which gets 2xx
/// (RFC 3262 §3); ERR_ARGUMENT an unknown algorithm; ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_challenge(
    incoming: sipdlg_incoming_t,
    realm: *const c_char,
    algorithms: *const c_char,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text.
        let (realm, algorithms) = unsafe { (text(realm, "realm")?, optional_text(algorithms)) };
        with_incoming(incoming, |inner, id, now| inner.core.challenge(now, id, realm, algorithms))?;
        Ok(OK)
    })
}

/// An accepted REFER: NOTIFY with "SIP/2.0 status_code reason" (RFC 3515 §2.4.5), reason_phrase NULL: by the code; a
/// final code ends the subscription and the token. The NOTIFY of "100 Trying" goes out with the 2xx. Not needed with
/// options.refer. Of more than 8 NOTIFYs under way only the newest waits.
/// Errors: ERR_ARGUMENT status_code not 100 to 699; ERR_STATE not a REFER with a subscription; ERR_SYNTAX; ERR_LIMIT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_incoming_notify(
    incoming: sipdlg_incoming_t,
    status_code: i32,
    reason_phrase: *const c_char,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        // SAFETY: the header's rule for text.
        let reason = unsafe { optional_text(reason_phrase) };
        with_incoming(incoming, |inner, id, now| inner.core.incoming_notify(now, id, status, reason))?;
        Ok(OK)
    })
}

/// Answers with the default now. Nothing when answered.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_incoming_dispose(incoming: sipdlg_incoming_t) -> sipdlg_status_t {
    guard(|| {
        with_incoming(incoming, |inner, id, now| inner.core.dispose_incoming(now, id))?;
        Ok(OK)
    })
}
