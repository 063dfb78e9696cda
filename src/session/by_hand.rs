//! What SIP.js's SessionDialog lets its user do past the messages. The library does all this by itself; whoever calls it answers
//! for what it means to the peer.

use crate::error::{Error, Result};
use crate::session::ack::AckProcessing;
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::{Phase, Role, Session, SessionState};

impl Session {
    fn living(&mut self) -> Result<&mut Self> {
        if self.is_terminated() { Err(Error::state("the session is over")) } else { Ok(self) }
    }

    /// Early to confirmed without a message; nothing when confirmed. Errors: state, we are callee and no 2xx was sent.
    pub fn confirm(&mut self) -> Result<()> {
        let session = self.living()?;
        match (session.role(), session.state()) {
            // The 2xx is out and repeated (RFC 3261 §13.3.1.4), or acknowledged.
            (_, SessionState::AckWait | SessionState::Confirmed) => {}
            (Role::Callee, _) => {
                return Err(Error::state(
                    "no 2xx was sent: accepting the INVITE sends it and repeats it (RFC 3261 13.3.1.4)",
                ));
            }
            (Role::Caller, _) => session.lasting.phase = Phase::Confirmed,
        }
        Ok(())
    }

    /// The 2xx of the peer's re-INVITE is repeated from the moment it is sent: there is nothing left to do. Errors: state, no
    /// 2xx was sent.
    pub fn reconfirm(&mut self) -> Result<()> {
        let session = self.living()?;
        match session.reinvite_server() {
            Some(reinvite) if !session.is_accepted(reinvite) => Err(Error::state(
                "no 2xx was sent: accepting the re-INVITE sends it and repeats it (RFC 3261 13.3.1.4)",
            )),
            _ => Ok(()),
        }
    }

    /// Back to the exchange before the open offer; nothing when none is open.
    pub fn rollback(&mut self) -> Result<()> {
        self.living()?.lasting.signaling.rollback_by_hand();
        Ok(())
    }

    /// Applies a session description. Errors: state, not legal now.
    pub fn transition(&mut self, party: Party, description: Option<StoredBody>) -> Result<()> {
        let session = self.living()?;
        if let Some(description) = description {
            session.lasting.signaling.apply_by_hand(party, description)?;
        }
        Ok(())
    }

    /// Whether [`Session::ack_processed`] says when the body of an ACK is worked off.
    pub fn set_defer_ack(&mut self, on: bool) -> Result<()> {
        let processing = &mut self.living()?.lasting.ack_processing;
        *processing = match (on, *processing) {
            (false, _) => AckProcessing::AtOnce,
            (true, AckProcessing::AtOnce) => AckProcessing::Deferred,
            (true, waiting) => waiting,
        };
        Ok(())
    }

    /// The body of the last ACK is worked off. False: none waits.
    pub fn ack_processed(&mut self) -> Result<bool> {
        let processing = &mut self.living()?.lasting.ack_processing;
        let waits = *processing == AckProcessing::Waiting;
        if waits {
            *processing = AckProcessing::Deferred;
        }
        Ok(waits)
    }
}
