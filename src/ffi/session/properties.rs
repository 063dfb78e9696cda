//! The properties of a session, in the order of the header.

use crate::config::Refresher;
use crate::ffi::convert::{borrowed, fill_struct, give_text, optional_flow, room, write_optional, write_out};
use crate::ffi::guard::{NONE, OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{set_delegate, set_user, user};
use crate::ffi::session::offer_answer::give_body;
use crate::ffi::session::{look, with_session};
use crate::ffi::structs::{
    sipdlg_body_view_t, sipdlg_delegate_t, sipdlg_explain_entry_t, sipdlg_flow_t, sipdlg_incoming_t, sipdlg_outgoing_t,
    sipdlg_release_t, sipdlg_session_t, sipdlg_status_t,
};
use crate::session::Session;
use crate::session::offer_answer::Party;
use crate::session::session_timer::Interval;
use std::borrow::Cow;
use std::ffi::{c_char, c_void};

/// The body of each function that gives a text: one copy for all.
///
/// # Safety
/// The header's rule for text out.
#[inline(never)]
unsafe fn text_out(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    read: fn(&Session) -> Cow<'_, [u8]>,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: promised by the caller.
        look(session, |session| unsafe { give_text(&read(session), buffer, capacity, needed) })?;
        Ok(OK)
    })
}

/// The body of each function that returns a number.
#[inline(never)]
fn number(session: sipdlg_session_t, read: fn(&Session) -> i32) -> i32 {
    guard(|| look(session, |session| Ok(read(session))))
}

/// Copies the delegate; NULL removes it (then the agent's serves).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_set_delegate(
    session: sipdlg_session_t,
    delegate: *const sipdlg_delegate_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { set_delegate(Kind::Session, session, delegate) }
}

/// Replaces the user pointer; this session lets go of the former one.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_set_user(
    session: sipdlg_session_t,
    user: *mut c_void,
    release: sipdlg_release_t,
) -> sipdlg_status_t {
    set_user(Kind::Session, session, user, release)
}

/// The user pointer, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_user(session: sipdlg_session_t) -> *mut c_void {
    user(Kind::Session, session)
}

/// enum sipdlg_session_state_e.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_state(session: sipdlg_session_t) -> i32 {
    number(session, |session| session.state() as i32)
}

/// enum sipdlg_signaling_state_e. STABLE also when an unreliable 1xx has shown the answer: it counts whatever
/// later responses say (RFC 3261 §13.2.1), but a new offer is refused until a reliable message has closed the
/// exchange (RFC 6337 §3.1.1).
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_signaling_state(session: sipdlg_session_t) -> i32 {
    number(session, |session| session.signaling_state() as i32)
}

/// 1 early, 0 confirmed.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_early(session: sipdlg_session_t) -> i32 {
    number(session, |session| i32::from(session.is_early()))
}

/// 1 when established by sips over TLS (RFC 3261 §12.1).
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_session_secure(session: sipdlg_session_t) -> i32 {
    number(session, |session| i32::from(session.is_secure()))
}

/// One line of all properties, for logs. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_state_text(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.state_text().into_bytes().into()) }
}

/// The current offer (HAVE_LOCAL_OFFER, HAVE_REMOTE_OFFER, STABLE), copied into the buffer, to which `out` then points.
/// SIPDLG_NONE: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_offer(
    session: sipdlg_session_t,
    out: *mut sipdlg_body_view_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text out, and for `out`.
        look(session, |session| unsafe { give_body(session.offer(), out, buffer, capacity, needed) })
    })
}

/// The current answer (STABLE only). As offer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_answer(
    session: sipdlg_session_t,
    out: *mut sipdlg_body_view_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text out, and for `out`.
        look(session, |session| unsafe { give_body(session.answer(), out, buffer, capacity, needed) })
    })
}

/// The session timer (RFC 4028): its interval, who refreshes (enum sipdlg_refresher_e, LOCAL or REMOTE), and how long until
/// the session expires. SIPDLG_NONE: there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_interval(
    session: sipdlg_session_t,
    interval_s: *mut u32,
    refresher: *mut i32,
    left_us: *mut u64,
) -> sipdlg_status_t {
    guard(|| {
        let interval = with_session(session, |inner, id, now| Ok(inner.core.session(id)?.interval(now.monotonic)))?;
        let Some(Interval { agreed, left }) = interval else { return Ok(NONE) };
        let local = agreed.refresher == Party::Local;
        // SAFETY: the caller promises that the three, when not NULL, are writable.
        unsafe {
            write_out(interval_s, agreed.interval_s);
            write_out(refresher, if local { Refresher::Local } else { Refresher::Remote } as i32);
            write_out(left_us, u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        }
        Ok(OK)
    })
}

/// Our re-INVITE that is pending, or SIPDLG_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_reinvite_client(
    session: sipdlg_session_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    guard(|| {
        let token = with_session(session, |inner, id, _| {
            let pending = inner.core.session(id)?.reinvite_of_host();
            Ok(pending.map(|id| inner.outgoing_token(id)))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, token) })
    })
}

/// The peer's re-INVITE that is pending (until its ACK), or SIPDLG_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_reinvite_server(
    session: sipdlg_session_t,
    out: *mut sipdlg_incoming_t,
) -> sipdlg_status_t {
    guard(|| {
        let token = with_session(session, |inner, id, _| {
            let pending = inner.core.session(id)?.reinvite_server();
            Ok(pending.map(|id| inner.incoming_token(id)))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, token) })
    })
}

/// Call-ID + local tag + remote tag. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_id(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.id().into()) }
}

/// Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_call_id(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.call_id().into()) }
}

/// Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_local_tag(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.local_tag().into()) }
}

/// Text out. "" when the peer (RFC 2543) has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_remote_tag(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.remote_tag().into()) }
}

/// Text out. See sipdlg_config_set_connected_identity().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_local_uri(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.local_uri().into()) }
}

/// Text out. See sipdlg_config_set_connected_identity().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_remote_uri(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.remote_uri().into()) }
}

/// Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_remote_target(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.remote_target().into()) }
}

/// A Route header value, "" when empty. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_route_set(
    session: sipdlg_session_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { text_out(session, buffer, capacity, needed, |session| session.route_set()) }
}

/// SIPDLG_NONE: empty (RFC 3261 §12.1.1).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_local_sequence_number(
    session: sipdlg_session_t,
    out: *mut u32,
) -> sipdlg_status_t {
    guard(|| {
        let value = look(session, |session| Ok(session.local_sequence_number()))?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, value) })
    })
}

/// SIPDLG_NONE: empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_remote_sequence_number(
    session: sipdlg_session_t,
    out: *mut u32,
) -> sipdlg_status_t {
    guard(|| {
        let value = look(session, |session| Ok(session.remote_sequence_number()))?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, value) })
    })
}

/// What the library did by itself in or about the session: the `index`-th last act, 0 the newest; SIPDLG_NONE beyond. 16
/// are kept, and cost nothing before the first. An act is what a host may wonder about: a retry, a refresh, credentials,
/// the next target, a refusal or a default, what was given up, and last the end; not ACKs, PRACKs, 100s and repeats. What
/// was done for our INVITE before a session was there is its sessions' too. The rest goes to the log only
/// (sipdlg_config_set_log()): what is about no session, or about one that has gone. Readable as long as the token is,
/// during TERMINATED too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_explain(
    session: sipdlg_session_t,
    index: u32,
    out: *mut sipdlg_explain_entry_t,
) -> sipdlg_status_t {
    guard(|| {
        let act = handle::find(session, Kind::Session)?
            .look(|inner| inner.core.session_act(inner.session_id(session)?, index as usize))?;
        // SAFETY: the caller promises that `out` is NULL or points to a struct that begins with `size`.
        unsafe { room(out) }?;
        let Some(act) = act else { return Ok(NONE) };
        let entry = sipdlg_explain_entry_t {
            size: size_of::<sipdlg_explain_entry_t>(),
            unix_us: act.unix_us,
            reason: act.why().reason as i32,
            status_code: i32::from(act.status),
            rfc: borrowed(Some(act.why().rfc().as_bytes())),
            text: borrowed(Some(act.why().text().as_bytes())),
        };
        // SAFETY: as above.
        unsafe { fill_struct(out, &entry) }?;
        Ok(OK)
    })
}

/// Where requests in the dialog go now, whatever their URI says: as set, or the connection that the dialog's messages came
/// on. SIPDLG_NONE: by URI, also because the link is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_flow(session: sipdlg_session_t, out: *mut sipdlg_flow_t) -> sipdlg_status_t {
    guard(|| {
        let flow = look(session, |session| Ok(session.way().map(sipdlg_flow_t::from)))?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, flow) })
    })
}

/// Where requests in the dialog go from now on, whatever their URI says (NAT, RFC 5626); NULL: by URI again, also when its
/// link is closed. By itself: while remote target is the next hop and the dialog's messages come on a connection, that
/// connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_set_flow(
    session: sipdlg_session_t,
    flow: *const sipdlg_flow_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `flow` is NULL or readable.
        let flow = unsafe { optional_flow(flow) }?;
        with_session(session, |inner, id, _| inner.core.set_flow(id, flow))?;
        Ok(OK)
    })
}
