//! What SIP.js's SessionDialog lets its user do past the messages, in the order of the header.

use crate::ffi::convert::{boolean, bytes, optional_flow};
use crate::ffi::guard::{NONE, OK, guard};
use crate::ffi::options::optional_body;
use crate::ffi::session::with_session;
use crate::ffi::structs::{sipdlg_body_t, sipdlg_flow_t, sipdlg_session_t, sipdlg_status_t};
use crate::session::Session;
use crate::session::offer_answer::{Party, StoredBody};
use std::ffi::c_void;

/// 1: after each ACK event, with a body or without, a re-INVITE of the peer is answered 500 + Retry-After until
/// sipdlg_session_ack_processed() (RFC 6337 §4.3). 0, the default: at once; it also lets go of one that waits. (SIP.js:
/// onAck returns a promise.) Errors: ERR_STATE the session is over.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_set_defer_ack(session: sipdlg_session_t, on: i32) -> sipdlg_status_t {
    guard(|| {
        let on = boolean(on, "on")?;
        with_session(session, |inner, id, now| inner.core.by_hand(now, id, |session| session.set_defer_ack(on)))?;
        Ok(OK)
    })
}

/// See sipdlg_session_set_defer_ack(). SIPDLG_NONE: nothing waits. Errors: ERR_STATE the session is over.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_ack_processed(session: sipdlg_session_t) -> sipdlg_status_t {
    guard(|| {
        let waited = with_session(session, |inner, id, now| inner.core.by_hand(now, id, Session::ack_processed))?;
        Ok(if waited { OK } else { NONE })
    })
}

/// SIP.js compatibility: the caller's early session becomes confirmed by hand, without a message, for hosts that saw
/// the 2xx elsewhere. Nothing when confirmed. The INVITE goes on: its 2xx is acknowledged and brings the answer as
/// ever, a final response other than 2xx ends the session, and until then no re-INVITE goes either way
/// (RFC 3261 §14.1). Where we are callee there is nothing to do by hand: sipdlg_incoming_accept() sends the 2xx and
/// repeats it until its ACK. An early dialog that was taken over (sipdlg_session_new()) has no INVITE here: this is its
/// only way to Confirmed. Errors: ERR_STATE we are callee and no 2xx was sent; the session is over.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_confirm(session: sipdlg_session_t) -> sipdlg_status_t {
    guard(|| {
        with_session(session, |inner, id, now| inner.core.by_hand(now, id, Session::confirm))?;
        Ok(OK)
    })
}

/// SIP.js compatibility (reConfirm): the 2xx of the peer's re-INVITE is repeated until its ACK.
/// sipdlg_incoming_accept() does that already, so nothing is left to do; nothing, too, without a re-INVITE.
/// Errors: ERR_STATE a re-INVITE is pending and no 2xx was sent to it; the session is over.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_reconfirm(session: sipdlg_session_t) -> sipdlg_status_t {
    guard(|| {
        with_session(session, |inner, id, now| inner.core.by_hand(now, id, Session::reconfirm))?;
        Ok(OK)
    })
}

/// A request that the host has matched to this dialog itself: all bytes of one message, as received on `flow`. NULL:
/// on the dialog's connection, else over UDP or WebSocket as its topmost Via says. Retransmissions are absorbed, ACK
/// and CANCEL do what they do elsewhere. A request refused by rule is answered, changes nothing but the remote
/// sequence number, and is SIPDLG_OK. Errors: ERR_SYNTAX; ERR_ARGUMENT a response, or no way back is known;
/// ERR_NO_TRANSPORT that way has no socket; ERR_LIMIT longer than a message may be; ERR_STATE Call-ID or tags are not
/// of this dialog, or TERMINATED was told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_receive_request(
    session: sipdlg_session_t,
    flow: *const sipdlg_flow_t,
    data: *const c_void,
    len: usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers and bytes in.
        let (flow, data) = unsafe { (optional_flow(flow)?, bytes(data, len, "data")?) };
        with_session(session, |inner, id, now| inner.core.receive_request(now, id, flow.as_ref(), data))?;
        Ok(OK)
    })
}

/// Back to the offer and answer before the open offer, or to Initial when there was none. Nothing when no offer is
/// open. An offer that an unanswered message carries stays open to the peer: the answer to it still counts when it
/// comes or goes, and no other offer is sent meanwhile. Errors: ERR_STATE the session is over.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_signaling_state_rollback(session: sipdlg_session_t) -> sipdlg_status_t {
    guard(|| {
        with_session(session, |inner, id, now| inner.core.by_hand(now, id, Session::rollback))?;
        Ok(OK)
    })
}

/// Applies a session description by hand: `received` 1 from the peer, 0 ours. Sends nothing. A body that
/// is none, or that is no session description, changes nothing. Errors: ERR_STATE not legal now
/// (RFC 3264 §4), or the session is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_signaling_state_transition(
    session: sipdlg_session_t,
    body: *const sipdlg_body_t,
    received: i32,
) -> sipdlg_status_t {
    guard(|| {
        let party = if boolean(received, "received")? { Party::Remote } else { Party::Local };
        // SAFETY: the caller promises that `body` is NULL or readable, and so is all that it points to.
        let body = unsafe { optional_body(body) }?;
        with_session(session, |inner, id, now| {
            let body = body.map(crate::agent::Body::checked).transpose()?;
            let description = body.as_ref().and_then(StoredBody::of_local);
            inner.core.by_hand(now, id, |session| session.transition(party, description))
        })?;
        Ok(OK)
    })
}
