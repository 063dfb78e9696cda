//! The peer's PRACK (RFC 3262 §3, §5): what it acknowledges, and the offer or answer that it brings.
//!
//! | the response carries | PRACK with description  | without           |
//! |----------------------|-------------------------|-------------------|
//! | our offer            | the answer              | refuses INVITE    |
//! | our answer, nothing  | an offer, where none is | acknowledges      |

use crate::error::{Error, Result};
use crate::message::Message;
use crate::message::rack::RAck;
use crate::session::deed::Left;
use crate::session::deed::{Clock, Deed, Deeds, Refusal};
use crate::session::offer_answer::{Carries, Part, Party, StoredBody};
use crate::session::reason::Reason;
use crate::session::{Describing, Session};
use crate::slots::IncomingId;
use crate::time::Time;
use smallvec::smallvec;

/// What a PRACK of the peer's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prack {
    /// Its RAck names nothing that waits: 481 (§3).
    Nothing,
    /// It acknowledges a response, by its arrival.
    Acknowledges,
    /// The same of a response that a final one has overtaken.
    AcknowledgesLeft,
    /// It brings an offer: it counts when the host has answered that (§5). True: its response is repeated until then no more.
    Offers(bool),
    /// It brings an offer while one is open: a 200 would have to answer.
    OffersOutOfTurn,
    /// It lacks the answer to our offer (§5).
    LacksAnswer,
}

impl Session {
    /// What a PRACK of the peer's is (§3, §5). `left`: the response that a final one left unacknowledged in this dialog.
    pub fn prack_means(&self, request: &Message, rack: &RAck<'_>, left: Option<Left>, now: Time) -> Prack {
        let waiting = self.running.reliable_server.as_ref().and_then(|server| server.meant_by(rack));
        let left = left.filter(|left| left.is_meant(rack, now));
        let describes = request.session_body().is_some();
        match (waiting.map(|waiting| waiting.carries), left, describes) {
            (None, None, _) => Prack::Nothing,
            (Some(Some(Part::Offer)), _, false) => Prack::LacksAnswer,
            (Some(Some(Part::Offer)), _, true) | (Some(_), _, false) => Prack::Acknowledges,
            // The offer went with the final response, so there is nothing to answer any more.
            (None, Some(Left { offered: true, .. }), _) | (None, Some(_), false) => Prack::AcknowledgesLeft,
            (waiting, _, true) => match self.lasting.signaling.would_be(Party::Remote) {
                Ok(Part::Offer) => Prack::Offers(waiting.is_some()),
                _ => Prack::OffersOutOfTurn,
            },
        }
    }

    /// A PRACK of the peer's was taken. The answer to it is the host's, and what waited goes out after it.
    pub fn prack_arrived(
        &mut self,
        incoming: IncomingId,
        request: &Message,
        prack: Prack,
        clock: &mut impl Clock,
    ) -> Deeds {
        let body = request.session_body().map(|body| StoredBody::of_remote(&body));
        match prack {
            Prack::Acknowledges => {
                // Our offer stands in the response that waits.
                if let (Some(answer), Some(turn)) = (body, self.lasting.signaling.turn_to_answer(Party::Remote)) {
                    turn.take(answer);
                }
                if let Some(server) = &mut self.running.reliable_server {
                    server.acknowledged(clock);
                }
            }
            Prack::Offers(waits) => {
                let carries = body.zip(self.lasting.signaling.turn(Party::Remote).ok());
                let carries = carries.map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
                self.running.theirs().prack = Some(Describing { request: incoming, carries });
                if let Some(server) = self.running.reliable_server.as_mut().filter(|_| waits) {
                    server.answering(clock);
                }
            }
            Prack::Nothing | Prack::AcknowledgesLeft | Prack::OffersOutOfTurn | Prack::LacksAnswer => {
                return Deeds::new();
            }
        }
        smallvec![Deed::State]
    }

    /// §5: the answer to our offer had to be in the PRACK. It is acknowledged, but no exchange can end this INVITE well.
    pub fn prack_lacks_answer(&mut self, clock: &mut impl Clock) -> Deeds {
        let Some(server) = &mut self.running.reliable_server else { return Deeds::new() };
        server.acknowledged(clock);
        let reason = Some(&b"Bad Request: no answer in PRACK (RFC 3262 5)"[..]);
        let refusal = Box::new(Refusal { reason, ..*Refusal::because(Reason::NoAnswerIn2xx, 400) });
        smallvec![Deed::RefuseInvite(server.incoming, refusal)]
    }

    /// Whether this PRACK of the peer's has an offer that waits for our answer.
    pub fn is_offering(&self, prack: IncomingId) -> bool {
        let theirs = self.running.theirs.as_ref().and_then(|theirs| theirs.prack.as_ref());
        theirs.is_some_and(|offering| offering.request == prack)
    }

    /// What this PRACK owes to the books, which it does no more.
    fn take_offering(&mut self, prack: IncomingId) -> Option<Carries> {
        let offering = self.running.theirs.as_mut()?.prack.take_if(|offering| offering.request == prack)?;
        self.running.tidy();
        Some(offering.carries)
    }

    /// Whether the 2xx to a PRACK may go out (§5). `describes`: with a session description.
    pub fn accept_prack_guard(&self, prack: IncomingId, describes: bool) -> Result<()> {
        match (self.is_offering(prack), describes) {
            (true, false) => Err(Error::state("body: the PRACK's offer needs an answer in its 2xx (RFC 3262 5)")),
            (true, true) => match self.lasting.signaling.would_be(Party::Local)? {
                Part::Answer => Ok(()),
                Part::Offer => Err(Error::state("body: the PRACK's offer is not open any more (RFC 3264 4)")),
            },
            (false, true) => Err(Error::state("body: the PRACK brought no offer to answer (RFC 3262 5)")),
            (false, false) => Ok(()),
        }
    }

    /// A PRACK got its 2xx; an offer in it is answered there (§5). What waited for it goes on: the next of the queue, or the 2xx.
    pub fn prack_accepted(
        &mut self,
        prack: IncomingId,
        invite: Option<&Message>,
        answer: Option<StoredBody>,
        clock: &mut impl Clock,
    ) -> Deeds {
        let mut deeds = Deeds::new();
        if self.take_offering(prack).is_some() {
            if let (Some(answer), Some(turn)) = (answer, self.lasting.signaling.turn_to_answer(Party::Local)) {
                turn.take(answer);
            }
            deeds.push(Deed::State);
            let server = self.running.reliable_server.as_mut().filter(|server| server.is_answering());
            let Some(server) = server else { return deeds };
            server.acknowledged(clock);
        }
        if deeds.is_empty() {
            return self.go_on(invite, clock);
        }
        deeds.extend(self.go_on(invite, clock));
        deeds
    }

    /// A PRACK got another final response: its offer is void, and the response waits for another PRACK.
    pub fn prack_refused(&mut self, prack: IncomingId, clock: &mut impl Clock) -> Deeds {
        let Some(carries) = self.take_offering(prack) else { return Deeds::new() };
        self.lasting.signaling.undo(carries);
        if let Some(server) = &mut self.running.reliable_server {
            server.repeat_again(clock);
        }
        smallvec![Deed::State]
    }
}
