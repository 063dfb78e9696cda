//! UPDATE (RFC 3311): when one may be sent, what one that arrives meets (§5, RFC 6337 §4.3), and its books, ours and the
//! peer's.
//!
//! | an offer in ours needs                | one of the peer's with an offer meets          |               |
//! |---------------------------------------|------------------------------------------------|---------------|
//! | no offer open, no ACK owed            | its UPDATE that waits (with or without offer)  | 500           |
//! | the first exchange of an INVITE that  | an offer of ours; an ACK or PRACK that we owe  | 491           |
//! | is not answered: complete, reliably   | its own offer; one of ours that is not         | 500           |
//! |                                       | acknowledged                                   |               |
//!
//! Without an offer one goes out whenever a dialog is there, and is taken (RFC 5407 §3.3.2).

use crate::error::{Error, Result};
use crate::message::{Message, Method};
use crate::session::change::By;
use crate::session::deed::{Deed, Deeds};
use crate::session::offer_answer::{Part, Party, StoredBody};
use crate::session::reinvite::{Around, Arrival};
use crate::session::{Describing, Origin, Session, SessionState};
use crate::slots::{IncomingId, OutgoingId};
use smallvec::smallvec;

/// What a 2xx to our UPDATE leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// What was asked for.
    Done,
    /// It lacks the answer: the offer is as if never made.
    Unanswered,
}

impl Session {
    // ------------------------------------------------------------------ ours

    /// Whether we may send an UPDATE now (§5.1). `has_offer`: it carries a session description.
    pub fn our_update_guard(&self, has_offer: bool, outside: Around) -> Result<()> {
        self.takes_update()?;
        if self.update_client().is_some() {
            return Err(Error::state("our UPDATE has no final response (RFC 3311 5.2)"));
        }
        if !has_offer {
            return Ok(());
        }
        if self.lasting.signaling.would_be(Party::Local)? == Part::Answer {
            return Err(Error::state("the peer's offer is open and not answered yet (RFC 3311 5.1)"));
        }
        if self.running.owed_ack.is_some() {
            return Err(Error::state("an ACK is owed (RFC 6337 4.3)"));
        }
        if self.waits_for_acks(false) {
            return Err(Error::state("the peer's re-INVITE waits for its ACK (RFC 6337 4.3)"));
        }
        let complete = match (self.our_invite_pends(outside), self.their_invite()) {
            (false, None) => !self.is_early() || self.answer().is_some(),
            // RFC 6337 §3.1: and the 2xx to each PRACK is here, or out.
            (true, _) => self.is_described_to_us() && !self.has_pracks_under_way(),
            (false, Some(invite)) => self.is_described_by_us(invite) && !self.has_prack_waiting(),
        };
        if complete {
            return Ok(());
        }
        Err(Error::state("the exchange of the INVITE is not complete by reliable responses and PRACK (RFC 3311 5.1)"))
    }

    /// Whether the dialog and the peer take any UPDATE of ours.
    pub fn takes_update(&self) -> Result<()> {
        match self.state() {
            SessionState::Terminated => return Err(Error::state("the session is over")),
            SessionState::Initial => return Err(Error::state("there is no dialog yet (RFC 3261 12)")),
            SessionState::AckWait if self.waits_for_ack() => {
                return Err(Error::state("the INVITE still waits for its ACK (RFC 6337 4.3)"));
            }
            SessionState::Early | SessionState::AckWait | SessionState::Confirmed => {}
        }
        if self.lasting.peer.may_take_update() {
            return Ok(());
        }
        Err(Error::state("the peer does not allow UPDATE (RFC 3311 5.1)"))
    }

    /// Whether an INVITE of ours in this dialog has no final response.
    fn our_invite_pends(&self, outside: Around) -> bool {
        let initial = self.is_early() && self.running.origin.and_then(Origin::outgoing).is_some();
        initial || outside.invite_pends || self.reinvite_client().is_some()
    }

    /// The INVITE of the peer's that has no final response.
    fn their_invite(&self) -> Option<IncomingId> {
        let initial = self.running.origin.and_then(Origin::incoming).filter(|_| self.is_early());
        let waits = |request: &IncomingId| self.running.pending.iter().any(|pending| pending.request == *request);
        initial.or(self.reinvite_server().filter(waits))
    }

    /// Our UPDATE that has no final response.
    pub fn update_client(&self) -> Option<OutgoingId> {
        self.running.our(By::Update).filter(|ours| !ours.waits()).map(|ours| ours.request)
    }

    /// The 2xx to our UPDATE (§5.1). When the session is over it changes nothing.
    pub fn our_update_accepted(&mut self, update: OutgoingId, response: &Message) -> (Deeds, Updated) {
        let Some(ours) = self.running.take_ours(By::Update, update).filter(|_| !self.is_terminated()) else {
            return (Deeds::new(), Updated::Done);
        };
        self.lasting.peer.learn(response);
        let answer = response.session_body().map(|body| StoredBody::of_remote(&body));
        let updated = match (ours.carries.is_offer(), answer) {
            (true, Some(answer)) => {
                if let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Remote) {
                    turn.take(answer);
                }
                Updated::Done
            }
            (true, None) => {
                self.lasting.signaling.undo(ours.carries);
                Updated::Unanswered
            }
            (false, _) => Updated::Done,
        };
        (smallvec![Deed::State], updated)
    }

    /// Our UPDATE got another final response, or none: the session is as if it had never been (§5.1).
    pub fn our_update_refused(&mut self, update: OutgoingId, status: u16, response: Option<&Message>) -> Deeds {
        if let Some(response) = response {
            self.lasting.peer.refuses_update(status, response);
        }
        self.our_change_undone(By::Update, update)
    }

    /// Whether a PRACK of the peer's waits for the host.
    fn has_prack_waiting(&self) -> bool {
        self.running.pending.iter().any(|pending| pending.method == Method::Prack)
    }

    // ------------------------------------------------------------------ the peer's

    /// What an UPDATE that arrives meets (§5.2, RFC 6337 §4.3).
    pub fn their_update_meets(&self, has_offer: bool, outside: Around) -> Arrival {
        let theirs = self.running.theirs.as_deref();
        if theirs.is_some_and(|theirs| theirs.update.is_some()) {
            return Arrival::RetryLater;
        }
        if !has_offer {
            return Arrival::Process;
        }
        match self.open_offer() {
            _ if self.running.owed_ack.is_some() || self.owes_prack_with_answer() => Arrival::Pending,
            Some(Party::Local) => Arrival::Pending,
            Some(Party::Remote) => Arrival::RetryLater,
            None if self.our_invite_pends(outside) && !self.is_described_to_us() => Arrival::Pending,
            None if self.waits_for_acks(false) => Arrival::RetryLater,
            None => match self.their_invite() {
                Some(invite) if !self.is_described_by_us(invite) => Arrival::RetryLater,
                _ => Arrival::Process,
            },
        }
    }

    /// The peer's UPDATE that waits for the host.
    pub fn update_server(&self) -> Option<IncomingId> {
        Some(self.running.theirs.as_ref()?.update.as_ref()?.request)
    }

    /// Whether this UPDATE of the peer's brought an offer, which waits for our answer.
    pub fn is_offered_by(&self, update: IncomingId) -> bool {
        let theirs = self.running.theirs.as_ref().and_then(|theirs| theirs.update.as_ref());
        theirs.is_some_and(|theirs| theirs.request == update && theirs.carries.is_offer())
    }

    /// An UPDATE of the peer's goes to the host. `their_update_meets` let nothing through that the books could refuse.
    pub fn their_update_arrived(&mut self, request: IncomingId, update: &Message) -> Deeds {
        self.waits(request, update.method());
        let before = self.lasting.signaling.mark();
        let offer = update.session_body().map(|offer| StoredBody::of_remote(&offer));
        let turn = self.lasting.signaling.turn_to_offer(Party::Remote);
        let carries = offer.zip(turn).map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
        self.running.theirs().update = Some(Describing { request, carries, before });
        smallvec![Deed::State]
    }

    /// The answer that a 2xx to an UPDATE puts into the books, unless the host has told it by hand before. Errors:
    /// state, the answer is missing, or there is nothing to answer (§5.2).
    pub fn accept_update_guard(&self, update: IncomingId, body: Option<StoredBody>) -> Result<Option<StoredBody>> {
        match (self.is_offered_by(update), body) {
            (true, None) => Err(Error::state("body: the UPDATE's offer needs an answer in its 2xx (RFC 3311 5.2)")),
            (true, Some(_)) if self.open_offer().is_none() => Ok(None),
            (true, Some(answer)) => match self.lasting.signaling.would_be(Party::Local)? {
                Part::Answer => Ok(Some(answer)),
                Part::Offer => Err(Error::state("body: the UPDATE's offer is not open any more (RFC 3264 4)")),
            },
            (false, Some(_)) => Err(Error::state("body: the UPDATE brought no offer to answer (RFC 3311 5.2)")),
            (false, None) => Ok(None),
        }
    }

    /// An UPDATE of the peer's got its 2xx: its target counts from now on (RFC 6141 §4), and the answer stands.
    pub fn their_update_accepted(&mut self, id: IncomingId, update: &Message, answer: Option<StoredBody>) -> Deeds {
        self.take_update(id);
        if self.is_terminated() {
            return Deeds::new();
        }
        if let (Some(answer), Some(turn)) = (answer, self.lasting.signaling.turn_to_answer(Party::Local)) {
            turn.take(answer);
        }
        self.refreshed(update);
        self.lasting.peer.learn(update);
        self.take_their_identity(update);
        smallvec![Deed::State]
    }

    /// It got another final response: its offer is void.
    pub fn their_update_refused(&mut self, id: IncomingId) -> Deeds {
        if let Some(update) = self.take_update(id) {
            self.lasting.signaling.undo(update.carries);
        }
        smallvec![Deed::State]
    }

    fn take_update(&mut self, id: IncomingId) -> Option<Describing> {
        let update = self.running.theirs.as_mut()?.update.take_if(|update| update.request == id);
        self.running.tidy();
        update
    }
}

#[cfg(test)]
mod tests;
