//! A session of a dialog that was made elsewhere (RFC 3261 §12): it takes part from now on.

use crate::agent::options::Body;
use crate::agent::{Agent, Attachment, SessionId};
use crate::dialog::text::DialogText;
use crate::error::{Error, Result};
use crate::session::offer_answer::StoredBody;
use crate::session::{Role, Session};
use crate::time::Now;

/// What `sipdlg_dialog_state_t` tells.
#[derive(Clone, Debug)]
pub struct ForeignDialog<'a> {
    /// The dialog.
    pub dialog: DialogText<'a>,
    /// No 2xx has confirmed it.
    pub early: bool,
    /// We sent the INVITE.
    pub caller: bool,
    /// Of the last exchange.
    pub offer: Option<Body<'a>>,
    /// The answer to it.
    pub answer: Option<Body<'a>>,
}

impl Agent {
    /// Makes the session of a foreign dialog. Errors: syntax and argument, naming the field; state, the dialog is here
    /// already; limit.
    pub fn take_over(&mut self, now: Now, foreign: &ForeignDialog<'_>, attachment: Attachment) -> Result<SessionId> {
        self.at(now);
        // It is held, though nothing passes.
        self.outbox.passed += size_of::<Session>() as u64;
        let dialog = foreign.dialog.read()?;
        if foreign.early && !foreign.caller {
            // The callee's early dialog is nothing without its INVITE, which is answered elsewhere (RFC 3261 §12.3).
            return Err(Error::argument("early: needs caller; the callee's INVITE cannot be taken over"));
        }
        let offer = foreign.offer.map(|body| description(body, "offer")).transpose()?;
        let answer = foreign.answer.map(|body| description(body, "answer")).transpose()?;
        if answer.is_some() && offer.is_none() {
            return Err(Error::argument("answer: there is no offer (RFC 3264 4)"));
        }
        if offer.is_some() && answer.is_none() && !foreign.early {
            return Err(Error::argument("offer: it has no answer, and only an INVITE's may be open (RFC 3261 13.2.1)"));
        }
        self.objects.room_for_session()?;
        let role = if foreign.caller { Role::Caller } else { Role::Callee };
        let mut session = Session::taken_over(dialog, role, foreign.early, offer, answer, attachment);
        if self.config.ways.peers {
            session.follows(None);
        }
        let id = self.objects.add_session(session)?;
        self.note_state(id);
        Ok(id)
    }
}

fn description(body: Body<'_>, name: &'static str) -> Result<StoredBody> {
    let named = |error: Error| Error::new(error.kind, format!("{name}: {}", error.detail));
    let body = body.checked().map_err(named)?;
    StoredBody::of_local(&body).ok_or_else(|| Error::argument(format!("{name}: no session description (RFC 3264 4)")))
}
