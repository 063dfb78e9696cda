//! re-INVITE: when one may be sent, and what one that arrives meets (RFC 3261 §14, RFC 6337 §4.3, RFC 5407 §3.1).

use crate::error::{Error, Result};
use crate::session::ack::AckProcessing;
use crate::session::offer_answer::Party;
use crate::session::{Role, Session, SessionState};

/// Whether we may send an INVITE in the dialog now (§14.1). `has_offer`: it carries a session description.
pub fn send_guard(session: &Session, has_offer: bool) -> Result<()> {
    match session.state() {
        SessionState::Terminated => return Err(Error::state("the session is over")),
        SessionState::Initial | SessionState::Early => {
            return Err(Error::state("a re-INVITE needs a confirmed dialog (RFC 3261 14.1)"));
        }
        SessionState::AckWait if session.waits_for_ack() => {
            return Err(Error::state("the INVITE still waits for its ACK (RFC 3261 14.1)"));
        }
        SessionState::AckWait | SessionState::Confirmed => {}
    }
    if session.reinvite_client.is_some() {
        return Err(Error::state("our re-INVITE is pending (RFC 3261 14.1)"));
    }
    if session.reinvite_server.is_some() || !session.accepted.is_empty() {
        return Err(Error::state("the peer's re-INVITE is pending (RFC 3261 14.1)"));
    }
    if session.owed_ack.is_some() {
        return Err(Error::state("an ACK is owed (RFC 3261 14.1)"));
    }
    if has_offer && session.signaling.open_offer().is_some() {
        return Err(Error::state("an offer is open and not answered yet (RFC 3264 4)"));
    }
    Ok(())
}

/// What an INVITE that arrives in the dialog meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It goes to the host.
    Process,
    /// 491: ours is in progress, or our ACK with an answer is owed (§14.2).
    Pending,
    /// 500 with Retry-After: the peer's earlier INVITE has no final response, or the answer to our offer is not here.
    RetryLater,
}

/// The table of RFC 3261 §14.2, RFC 6337 §4.3 and RFC 5407 §3.1.
pub fn arrival(session: &Session) -> Arrival {
    let our_offer_waits = session.accepted.iter().any(|accepted| accepted.carried_offer);
    match session.state() {
        SessionState::Initial | SessionState::Early if session.role == Role::Caller => Arrival::Pending,
        SessionState::Initial | SessionState::Early => Arrival::RetryLater,
        _ if session.reinvite_client.is_some() || session.owed_ack.is_some() => Arrival::Pending,
        _ if our_offer_waits || session.ack_processing == AckProcessing::Waiting => Arrival::RetryLater,
        // §14.2: until its final response, not until the ACK of that.
        _ if session.reinvite_server.is_some_and(|id| session.pending.contains(&id)) => Arrival::RetryLater,
        _ if session.signaling.open_offer() == Some(Party::Local) => Arrival::Pending,
        _ if session.signaling.open_offer() == Some(Party::Remote) => Arrival::RetryLater,
        _ => Arrival::Process,
    }
}
