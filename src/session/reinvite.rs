//! re-INVITE: when one may be sent, what one that arrives meets (RFC 3261 §14, RFC 6337 §4.3, RFC 5407 §3.1), and the
//! books of those that are pending, ours and the peer's.

use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::ack::AckProcessing;
use crate::session::change::By;
use crate::session::deed::{Deed, Deeds};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::{Describing, Role, Session, SessionState, Theirs};
use crate::slots::{IncomingId, OutgoingId};
use crate::transaction::ServerId;
use smallvec::smallvec;

/// So many 2xx to re-INVITEs may wait for their ACK, and so many refusals: a peer whose ACKs are lost has one or two.
const UNACKNOWLEDGED: usize = 16;

/// What decides about INVITEs in the dialog and is known outside of the session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around {
    /// Our INVITE, of a session that was confirmed by hand, has no final response.
    pub invite_pends: bool,
    /// An INVITE of the peer's that was refused waits for its ACK.
    pub refused_waits: bool,
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

impl Theirs {
    /// Numbers may overtake each other, so an earlier one may wait longer.
    pub(super) fn note_refused(&mut self, transaction: Option<ServerId>) {
        if self.refused.len() >= UNACKNOWLEDGED {
            self.refused.remove(0);
        }
        self.refused.extend(transaction);
    }
}

impl Session {
    // ------------------------------------------------------------------ ours

    /// Whether we may send an INVITE in the dialog now (§14.1). `has_offer`: it carries a session description.
    pub fn our_reinvite_guard(&self, has_offer: bool, outside: Around) -> Result<()> {
        self.takes_reinvite()?;
        if self.reinvite_client().is_some() {
            return Err(Error::state("our re-INVITE is pending (RFC 3261 14.1)"));
        }
        if self.reinvite_server().is_some() || self.waits_for_acks(false) {
            return Err(Error::state("the peer's re-INVITE is pending (RFC 3261 14.1)"));
        }
        if self.running.owed_ack.is_some() {
            return Err(Error::state("an ACK is owed (RFC 3261 14.1)"));
        }
        // One without a description asks for an offer, which would cross that of our UPDATE.
        let of_update = self.running.our(By::Update).is_some_and(|ours| !ours.waits() && ours.offers());
        if has_offer && self.lasting.signaling.open_offer().is_some() || of_update {
            return Err(Error::state("an offer is open and not answered yet (RFC 3264 4)"));
        }
        if outside.invite_pends {
            return Err(Error::state("our INVITE has no final response (RFC 3261 14.1)"));
        }
        if outside.refused_waits {
            return Err(Error::state("the INVITE of the peer that was refused waits for its ACK (RFC 3261 14.1)"));
        }
        Ok(())
    }

    /// Whether the dialog takes any re-INVITE of ours.
    pub fn takes_reinvite(&self) -> Result<()> {
        match self.state() {
            SessionState::Terminated => Err(Error::state("the session is over")),
            SessionState::Initial | SessionState::Early => {
                Err(Error::state("a re-INVITE needs a confirmed dialog (RFC 3261 14.1)"))
            }
            SessionState::AckWait if self.waits_for_ack() => {
                Err(Error::state("the INVITE still waits for its ACK (RFC 3261 14.1)"))
            }
            SessionState::AckWait | SessionState::Confirmed => Ok(()),
        }
    }

    /// Our re-INVITE that is pending, until its ACK.
    pub fn reinvite_client(&self) -> Option<OutgoingId> {
        self.running.our(By::Reinvite).filter(|ours| !ours.waits()).map(|ours| ours.request)
    }

    /// The same, where it is the host's.
    pub fn reinvite_of_host(&self) -> Option<OutgoingId> {
        self.reinvite_client().filter(|ours| self.refresh_under_way() != Some(*ours))
    }

    /// The ACK of the 2xx to it is out, or the host's word for it: it is pending no more.
    pub(super) fn our_reinvite_over(&mut self, request: OutgoingId) {
        self.running.take_ours(By::Reinvite, request);
    }

    // ------------------------------------------------------------------ the peer's

    /// The table of RFC 3261 §14.2, RFC 6337 §4.3 and RFC 5407 §3.1.
    pub fn their_reinvite_meets(&self, outside: Around) -> Arrival {
        match self.state() {
            SessionState::Initial | SessionState::Early if self.role() == Role::Caller => Arrival::Pending,
            SessionState::Initial | SessionState::Early => Arrival::RetryLater,
            _ if self.reinvite_client().is_some() || self.running.owed_ack.is_some() => Arrival::Pending,
            _ if self.waits_for_acks(true) || self.lasting.ack_processing == AckProcessing::Waiting => {
                Arrival::RetryLater
            }
            _ if self.lasting.accepted.len() >= UNACKNOWLEDGED => Arrival::RetryLater,
            // §14.2: until its final response, not until the ACK of that.
            _ if self.running.pending.iter().any(|one| Some(one.request) == self.reinvite_server()) => {
                Arrival::RetryLater
            }
            _ if self.lasting.signaling.open_offer() == Some(Party::Local) => Arrival::Pending,
            _ if self.lasting.signaling.open_offer() == Some(Party::Remote) => Arrival::RetryLater,
            _ if outside.invite_pends => Arrival::Pending,
            _ => Arrival::Process,
        }
    }

    /// The peer's re-INVITE that is pending, until it is refused or the ACK of its 2xx is here.
    pub fn reinvite_server(&self) -> Option<IncomingId> {
        Some(self.running.theirs.as_ref()?.reinvite.as_ref()?.request)
    }

    /// An INVITE of the peer's goes to the host. `their_reinvite_meets` let nothing through that the books could refuse.
    pub fn their_reinvite_arrived(&mut self, request: IncomingId, invite: &Message) -> Deeds {
        self.waits(request, invite.method());
        let before = self.lasting.signaling.mark();
        let turn = self.lasting.signaling.turn(Party::Remote).ok();
        let offer = invite.session_body().map(|offer| StoredBody::of_remote(&offer));
        let carries = offer.zip(turn).map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
        self.running.theirs().reinvite = Some(Describing { request, carries, before });
        smallvec![Deed::State]
    }

    /// One was refused by a rule: another of ours waits for its ACK (§14.1).
    pub fn their_reinvite_refused_by_rule(&mut self, transaction: Option<ServerId>) {
        self.running.theirs().note_refused(transaction);
    }

    /// The INVITEs of the peer's that were refused last, the newest at the end.
    pub fn refused(&self) -> &[ServerId] {
        self.running.theirs.as_ref().map(|theirs| &theirs.refused[..]).unwrap_or_default()
    }

    /// The ACK of its 2xx is here, or its time is over; or the transaction of its refusal is.
    pub(super) fn their_reinvite_over(&mut self, request: IncomingId) {
        if let Some(theirs) = &mut self.running.theirs {
            theirs.reinvite.take_if(|reinvite| reinvite.request == request);
            self.running.tidy();
        }
    }

    /// The transaction of a request of the peer's is over. False: an accepted one ends with the ACK of its 2xx instead.
    #[must_use]
    pub fn transaction_over(&mut self, request: IncomingId) -> bool {
        if self.is_accepted(request) {
            return false;
        }
        self.their_reinvite_over(request);
        true
    }
}

#[cfg(test)]
mod tests;
