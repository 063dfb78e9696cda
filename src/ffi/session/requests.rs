//! Acts on a session, in the order of the header.

use crate::agent::{Agent, OutgoingId, RequestOptions, SessionId};
use crate::error::{Error, Result};
use crate::ffi::agent::status;
use crate::ffi::cell::Inner;
use crate::ffi::convert::{optional_text, write_out};
use crate::ffi::guard::{OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::message::message;
use crate::ffi::options::with_options;
use crate::ffi::session::with_session;
use crate::ffi::structs::{
    sipdlg_message_t, sipdlg_outgoing_t, sipdlg_request_options_t, sipdlg_session_t, sipdlg_status_t,
};
use crate::time::Now;
use std::ffi::c_char;
use std::sync::atomic::Ordering;

/// A request in a dialog, by one of the agent's functions.
type Act = fn(&mut Agent, Now, SessionId, RequestOptions<'_>) -> Result<OutgoingId>;

/// The body of each function that sends a request: one copy for all.
///
/// # Safety
/// `options` is NULL or follows the header's rule for structs; `out` is NULL or writable.
#[inline(never)]
unsafe fn send(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
    act: Act,
) -> sipdlg_status_t {
    guard(|| {
        let token = with_session(session, |inner, id, now| {
            // SAFETY: promised by the caller.
            let request = unsafe { with_options(options, inner, |core, options| act(core, now, id, options)) }?;
            Ok(inner.outgoing_token(request))
        })?;
        // SAFETY: promised by the caller.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// Ends the call, whatever its state: CANCEL, a final rejection (status_code, 0: 603), BYE, or BYE as soon as it is
/// legal. Of an INVITE's early dialogs only the last one is ended by CANCEL, and only while the INVITE has no final
/// response; the others by BYE. Of several early dialogs of the peer's INVITE one ends alone, which a caller that knows
/// it is told by 199 with the status_code in Reason (RFC 6228; reliable where it requires that, and TERMINATED waits
/// for its PRACK); the last one is ended by the rejection. Survives 401/407, time-outs and lost transports; TERMINATED always comes: with the
/// final response to what was sent, or 64*T1 (32 s) after it when the peer is silent. A second call does nothing, also
/// during TERMINATED. options: headers (Reason, ...) and body of what is sent, or NULL.
/// Errors: ERR_ARGUMENT status_code neither 0 nor 400-699.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_hangup(
    session: sipdlg_session_t,
    status_code: i32,
    options: *const sipdlg_request_options_t,
) -> sipdlg_status_t {
    guard(|| {
        let status = status(status_code)?;
        with_session(session, |inner, id, now| {
            // SAFETY: the header's rule for structs.
            unsafe { with_options(options, inner, |core, options| core.hangup(now, id, status, options)) }
        })?;
        Ok(OK)
    })
}

/// BYE, strictly (RFC 3261 §15.1.1). TERMINATED follows. Errors: ERR_STATE we are the callee and the dialog is early or
/// its ACK outstanding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_bye(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::bye) }
}

/// re-INVITE (RFC 3261 §14.1). Where a re-INVITE or UPDATE of ours waits to be sent again (GLARE_RETRY), this one waits
/// in its place: the former gets REJECT with flag LOCAL and the response that it had, then this one its GLARE_RETRY.
/// Errors: ERR_STATE early, or our INVITE has no final response (sipdlg_session_confirm()); the ACK of our 2xx is
/// outstanding, or one is owed (NEEDS_ACK); a re-INVITE is pending in either direction (the peer's until its ACK, also
/// when refused); a description while an offer is open; our UPDATE with an offer has no final response; one of ours waits
/// to be sent again, and this one is NO_RETRY, or sixteen have taken over that wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_invite(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::reinvite) }
}

/// UPDATE (RFC 3311), in early dialogs too. A session description in it is an offer, answered in the 2xx (ACCEPT; reason
/// NO_ANSWER_IN_2XX where it is not, and the offer is as if never made). Without one it moves our Contact, or keeps the
/// session alive. Where a re-INVITE or UPDATE of ours waits to be sent again, as sipdlg_session_invite().
/// Errors: ERR_STATE no dialog yet, the ACK of our 2xx is outstanding, the peer's Allow lacks UPDATE or it has answered one
/// with 405 or 501 (where it showed no Allow this one goes out), ours has no final response; a description while an offer
/// is open or an ACK due, or while an INVITE has no final response, unless reliable responses and PRACK have completed
/// its exchange (§5.1, RFC 6337 §4.3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_update(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::update) }
}

/// INFO (RFC 6086); an Info-Package header is checked against the peer's Recv-Info. Errors: ERR_STATE early (without
/// the quirk REQUESTS_IN_EARLY), package not wanted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_info(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::info) }
}

/// MESSAGE (RFC 3428 §4). Errors: ERR_STATE early (without the quirk REQUESTS_IN_EARLY).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_message(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::message) }
}

/// OPTIONS in the dialog (RFC 3261 §11).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_options(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::options) }
}

/// NOTIFY by hand; Event and Subscription-State in the headers (RFC 6665). For a REFER see sipdlg_incoming_notify().
/// Errors: ERR_ARGUMENT one of the two is missing; ERR_SYNTAX one of them; ERR_STATE early (without the quirk
/// REQUESTS_IN_EARLY), except of a REFER; Event refer where no accepted REFER has that subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_notify(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::notify) }
}

/// REFER (RFC 3515). refer_to: URI or name-addr, exactly one. `replaces` not 0: attended transfer (RFC 3891, RFC 5589
/// §7): that session is put into Refer-To's Replaces, and refer_to NULL means its remote target. A Refer-To in the
/// headers stands instead of refer_to. NOTIFY events carry the same outgoing token until the subscription ends, also
/// when the session has ended; their function is looked for in the session's delegate (ended: the last that it had),
/// then the agent's, never in that of the REFER. The subscription ends by a NOTIFY that says "terminated" (with the
/// quirk EARLY_TERMINATED not by one with a provisional code and no other reason than noresource: the final one is
/// waited for, 600 s); when no NOTIFY comes in 64*T1 after the 2xx, or after the time that the last one announced
/// (`expires`, of which 86,400 s are believed at most; 3,600 s where it says none); or with its dialog. The last event
/// says so (LAST). Header "Refer-Sub: false": no subscription, when the peer agrees (RFC 4488).
/// Errors: ERR_STATE early (without the quirk REQUESTS_IN_EARLY), or `replaces` is over or an early dialog of our own
/// INVITE; ERR_ARGUMENT no refer_to, `replaces` is this session or of another agent, or refer_to has a Replaces beside
/// it; ERR_HEADER, also two Refer-To in the headers; ERR_SYNTAX, also one there beside `replaces`, a bare `@` or `;` in
/// a header of the URI, or with `replaces` a URI that is neither sip nor sips.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_refer(
    session: sipdlg_session_t,
    refer_to: *const c_char,
    replaces: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text.
        let refer_to = unsafe { optional_text(refer_to) };
        let token = with_session(session, |inner, id, now| {
            let replaces = if replaces == 0 { None } else { Some(other_session(inner, replaces)?) };
            // SAFETY: the header's rule for structs.
            let request = unsafe {
                with_options(options, inner, |core, options| core.refer(now, id, refer_to, replaces, options))
            }?;
            Ok(inner.outgoing_token(request))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// Another session of the same agent.
fn other_session(inner: &Inner, session: sipdlg_session_t) -> Result<SessionId> {
    if handle::find(session, Kind::Session)?.token.load(Ordering::Relaxed) != inner.token {
        return Err(Error::argument("replaces is of another agent"));
    }
    inner.session_id(session)
}

/// ACK of the 2xx that waits for one (NEEDS_ACK); there is at most one. CSeq and credentials of the INVITE; repeated by
/// itself for each repeated 2xx (RFC 3261 §13.2.2.4). Not done in 64*T1: ACK, then BYE. Errors: ERR_STATE no 2xx waits;
/// its offer needs a body; a body without offer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_ack(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
) -> sipdlg_status_t {
    guard(|| {
        with_session(session, |inner, id, now| {
            // SAFETY: the header's rule for structs.
            unsafe { with_options(options, inner, |core, options| core.ack(now, id, &options)) }
        })?;
        Ok(OK)
    })
}

/// PRACK of the oldest reliable response that waits for one (NEEDS_PRACK), of the INVITE or re-INVITE; RAck by the
/// library (RFC 3262 §4). The answer where the response brought an offer; else a new offer is allowed once the first
/// exchange is complete, and answered in the 2xx (§5). Without it the callee gives up after 64*T1. One that was refused
/// by itself (488) may be sent again. Errors: ERR_STATE none waits; its offer needs a body; a
/// body while an offer is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_prack(
    session: sipdlg_session_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { send(session, options, out, Agent::prack) }
}

/// Forgets the session: no BYE; the peer's pending requests get 487; TERMINATED follows. Of several early dialogs of the
/// peer's INVITE one ends alone, as by sipdlg_session_hangup().
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_dispose(session: sipdlg_session_t) -> sipdlg_status_t {
    guard(|| {
        with_session(session, |inner, id, now| inner.core.dispose_session(now, id))?;
        Ok(OK)
    })
}

/// 1: the provisional response is next in order (and is now counted), 0: to be discarded (RFC 3262 §4). What is not
/// reliable is always 1. For stacks that use this alone: the library has counted what its events tell of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_reliable_sequence_guard(
    session: sipdlg_session_t,
    response: *const sipdlg_message_t,
) -> i32 {
    guard(|| {
        // SAFETY: the caller promises that the message lives.
        let response = unsafe { message(response) }?;
        with_session(session, |inner, id, _| inner.core.reliable_sequence_guard(id, response).map(i32::from))
    })
}
