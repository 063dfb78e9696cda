//! How a call ends (RFC 3261 §15): what BYE may do, and what `hangup` does by role and state.

use crate::error::{Error, Result};
use crate::session::{Role, Session, SessionState};

/// What `hangup` does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// CANCEL of our INVITE (§9.1), as soon as a provisional response is there.
    Cancel,
    /// BYE in the dialog.
    Bye,
    /// A final response to the peer's INVITE.
    Reject,
    /// BYE once the ACK is here or its time is over (§15: the callee must not send it before).
    ByeLater,
    /// It is over already, or ending.
    Nothing,
}

/// The table: role and state decide. `other_forks`: our INVITE has further early dialogs, which a CANCEL would end too. That
/// of a dialog that was taken over is elsewhere: only BYE is left.
pub fn hangup(session: &Session, other_forks: bool) -> Hangup {
    match (session.role, session.state()) {
        (_, SessionState::Terminated) => Hangup::Nothing,
        (_, SessionState::AckWait) if session.waits_for_ack() => Hangup::ByeLater,
        (_, SessionState::AckWait | SessionState::Confirmed) => Hangup::Bye,
        (Role::Callee, SessionState::Initial | SessionState::Early) => Hangup::Reject,
        (Role::Caller, SessionState::Early) if other_forks || session.origin.is_none() => Hangup::Bye,
        (Role::Caller, SessionState::Initial | SessionState::Early) => Hangup::Cancel,
    }
}

/// Whether a BYE may be sent now (§15.1.1).
pub fn bye_guard(session: &Session) -> Result<()> {
    match (session.role, session.state()) {
        (_, SessionState::Terminated) => Err(Error::state("the session is over")),
        (_, SessionState::Initial) => Err(Error::state("there is no dialog yet (RFC 3261 15)")),
        (Role::Callee, SessionState::Early) => {
            Err(Error::state("the callee of an early dialog rejects the INVITE instead of sending BYE (RFC 3261 15)"))
        }
        (_, SessionState::AckWait) if session.waits_for_ack() => {
            Err(Error::state("the callee sends no BYE before the ACK of its 2xx or 64*T1 (RFC 3261 15)"))
        }
        (Role::Caller, SessionState::Early) | (_, SessionState::AckWait | SessionState::Confirmed) => Ok(()),
    }
}
