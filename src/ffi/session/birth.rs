//! How a session comes to be by the host's will: for a live INVITE, or from the text of a foreign dialog.

use crate::agent::{Attachment, ForeignDialog};
use crate::dialog::text::DialogText;
use crate::error::{Error, ErrorKind, Result};
use crate::ffi::agent::with_agent;
use crate::ffi::convert::{boolean, optional_text, read_struct, text, write_out};
use crate::ffi::guard::{OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::copy_delegate;
use crate::ffi::options::body;
use crate::ffi::structs::{
    sipdlg_agent_t, sipdlg_body_t, sipdlg_delegate_t, sipdlg_dialog_state_t, sipdlg_incoming_t, sipdlg_session_t,
    sipdlg_status_t,
};
use std::ptr;

/// A session before any response: either of a live incoming INVITE (state NULL), to know its tags and to set its
/// delegate first; or of a foreign dialog (initial_request 0), confirmed or early, which takes part from
/// now on. STATE tells its birth. SIP.js: constructor(initialTransaction, core, state, delegate). delegate
/// NULL: the INVITE's, or none.
/// Of a foreign dialog the local_uri and remote_uri are URIs or name-addrs without tag; remote_tag NULL or "": the peer
/// has none (RFC 2543). The INVITE of an early one stays where it was sent: its final response does not come here, so
/// that sipdlg_session_confirm() tells of a 2xx, and an end is a BYE; an offer without answer is the one of that
/// INVITE. What the peer can (Recv-Info) is known again with its next INVITE or 2xx.
/// Errors: ERR_ARGUMENT both or none, a number or combination that cannot be; ERR_SYNTAX; ERR_LIMIT; ERR_STATE the
/// INVITE is answered, or the dialog is there already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_session_new(
    agent: sipdlg_agent_t,
    initial_request: sipdlg_incoming_t,
    state: *const sipdlg_dialog_state_t,
    delegate: *const sipdlg_delegate_t,
    out: *mut sipdlg_session_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs.
        let state = unsafe { read_struct(state) }?;
        if (initial_request == 0) != state.is_some() {
            return Err(Error::argument("either initial_request or state"));
        }
        let token = match &state {
            // SAFETY: the header's rule for structs and text.
            Some(state) => unsafe { take_over(agent, state, delegate) }?,
            // SAFETY: the header's rule for structs.
            None => unsafe { of_invite(agent, initial_request, delegate) }?,
        };
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// # Safety
/// `delegate` is NULL or readable for its `size`.
unsafe fn of_invite(
    agent: sipdlg_agent_t,
    initial_request: sipdlg_incoming_t,
    delegate: *const sipdlg_delegate_t,
) -> Result<sipdlg_session_t> {
    // SAFETY: promised by the caller.
    let delegate = unsafe { copy_delegate(delegate) }?;
    if !ptr::eq(handle::find(initial_request, Kind::Incoming)?, handle::find(agent, Kind::Agent)?) {
        return Err(Error::argument("initial_request is of another agent"));
    }
    with_agent(agent, |inner, now| {
        let incoming = inner.incoming_id(initial_request)?;
        let id = inner.core.session_for_invite(now, incoming)?;
        if delegate.is_some() {
            inner.core.attachment_mut(crate::agent::Named::Session(id))?.delegate = delegate;
        }
        Ok(inner.session_token(id))
    })
}

/// # Safety
/// What `state` points to is readable; `delegate` is NULL or readable for its `size`.
unsafe fn take_over(
    agent: sipdlg_agent_t,
    state: &sipdlg_dialog_state_t,
    delegate: *const sipdlg_delegate_t,
) -> Result<sipdlg_session_t> {
    // SAFETY: promised by the caller.
    let (delegate, foreign) = unsafe { (copy_delegate(delegate)?, foreign(state)?) };
    let attachment = Attachment { delegate, user: None };
    with_agent(agent, |inner, now| {
        let id = inner.core.take_over(now, &foreign, attachment)?;
        Ok(inner.session_token(id))
    })
}

/// # Safety
/// What `state` points to is readable for `'a`.
unsafe fn foreign<'a>(state: &sipdlg_dialog_state_t) -> Result<ForeignDialog<'a>> {
    if state.reserved != 0 {
        return Err(Error::argument("state.reserved is not 0"));
    }
    let number = |has: i32, number: u32, name| Ok(boolean(has, name)?.then_some(number));
    // SAFETY: promised by the caller.
    unsafe {
        Ok(ForeignDialog {
            dialog: DialogText {
                call_id: text(state.call_id, "call_id")?,
                local_tag: text(state.local_tag, "local_tag")?,
                remote_tag: optional_text(state.remote_tag).unwrap_or_default(),
                local_uri: text(state.local_uri, "local_uri")?,
                remote_uri: text(state.remote_uri, "remote_uri")?,
                remote_target: text(state.remote_target, "remote_target")?,
                route_set: optional_text(state.route_set).unwrap_or_default(),
                local_sequence_number: number(
                    state.has_local_sequence_number,
                    state.local_sequence_number,
                    "has_local_sequence_number",
                )?,
                remote_sequence_number: number(
                    state.has_remote_sequence_number,
                    state.remote_sequence_number,
                    "has_remote_sequence_number",
                )?,
                secure: boolean(state.secure, "secure")?,
            },
            early: boolean(state.early, "early")?,
            caller: boolean(state.caller, "caller")?,
            offer: body_named(&state.offer, "offer")?,
            answer: body_named(&state.answer, "answer")?,
        })
    }
}

/// # Safety
/// As [`body`].
unsafe fn body_named<'a>(given: &sipdlg_body_t, name: &'static str) -> Result<Option<crate::agent::Body<'a>>> {
    // SAFETY: promised by the caller.
    unsafe { body(given) }.map_err(|error| Error::new(ErrorKind::Argument, format!("{name}: {}", error.detail)))
}
