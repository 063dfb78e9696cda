//! Section "session" of the header.
//!
//! In the header:
//! What sends a request in the dialog takes its options without from, to, call_id and refer (ERR_ARGUMENT), and besides
//! what its comment lists gives ERR_STATE when the session is over or Initial, ERR_SYNTAX, ERR_HEADER, ERR_LIMIT,
//! ERR_NO_TRANSPORT.

pub mod birth;
pub mod offer_answer;
pub mod properties;
pub mod requests;

// Last in the header, too.
pub mod by_hand;

use crate::agent::SessionId;
use crate::error::Result;
use crate::ffi::cell::Inner;
use crate::ffi::handle::{self, Kind};
use crate::ffi::structs::sipdlg_session_t;
use crate::session::Session;
use crate::time::Now;

/// Runs with the agent of a session, to act.
pub(crate) fn with_session<T>(
    session: sipdlg_session_t,
    run: impl FnOnce(&mut Inner, SessionId, Now) -> Result<T>,
) -> Result<T> {
    handle::find(session, Kind::Session)?.with(|inner, now| {
        let id = inner.session_id(session)?;
        run(inner, id, now)
    })
}

/// Runs with a session, to read.
pub(crate) fn look<T>(session: sipdlg_session_t, read: impl FnOnce(&Session) -> Result<T>) -> Result<T> {
    handle::find(session, Kind::Session)?.look(|inner| read(inner.core.session(inner.session_id(session)?)?))
}
