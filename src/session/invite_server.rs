//! What our answers to an INVITE or re-INVITE of the peer do to a session (RFC 3261 §13.3, §14.2).

use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::deed::{Clock, Deed, Deeds, Refusal};
use crate::session::offer_answer::{Carries, Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::{Phase, Session};
use crate::transaction::ServerId;
use smallvec::smallvec;

/// Whether a 2xx with a description, or without, may be given to this INVITE: it answers its offer, or makes one where the INVITE
/// brought none; unless a reliable response did (RFC 3262 §5). `described`: one did.
pub fn description_due(invite: &Message, described: bool, given: bool) -> Result<()> {
    match (described, invite.session_body(), given) {
        (true, _, true) => {
            Err(Error::state("body: a reliable response has carried the description already (RFC 6337 3.1)"))
        }
        (true, _, false) | (false, _, true) => Ok(()),
        (false, Some(_), false) => Err(Error::state("body: the INVITE's offer needs an answer (RFC 3261 13.3.1.4)")),
        (false, None, false) => {
            Err(Error::state("body: the INVITE brought no offer, so the 2xx has to (RFC 3261 13.2.1)"))
        }
    }
}

impl Session {
    /// A tagged provisional response has gone out. `shown`: what it previews (§13.2.1).
    pub fn early(&mut self, shown: Option<StoredBody>) -> Deeds {
        if let Some(shown) = shown {
            self.lasting.signaling.show(Party::Local, shown);
        }
        if matches!(self.lasting.phase, Phase::Initial) {
            self.lasting.phase = Phase::Early;
        }
        smallvec![Deed::State]
    }

    /// The description that a 2xx puts into the books, unless the host has told the answer by hand before. Errors: state, it is not
    /// our turn.
    pub fn accept_guard(&self, invite: &Message, description: Option<StoredBody>) -> Result<Option<StoredBody>> {
        let told = invite.session_body().is_some() && self.open_offer().is_none();
        let Some(description) = description.filter(|_| !told) else { return Ok(None) };
        self.lasting.signaling.would_be(Party::Local)?;
        Ok(Some(description))
    }

    /// The peer's re-INVITE got another final response than 2xx: the session is what it was before (§14.1). The re-INVITE stays until
    /// its ACK; a PRACK whose offer waits for its answer goes with it.
    pub fn reinvite_refused(&mut self, transaction: Option<ServerId>, clock: &mut impl Clock) -> Deeds {
        let mut deeds = Deeds::new();
        let answering = self.reliable_over(&mut deeds, clock).is_some_and(|server| server.is_answering());
        let theirs = self.running.theirs();
        theirs.refused = transaction;
        self.lasting.signaling.undo(theirs.reinvite.take().map(|reinvite| reinvite.carries).unwrap_or_default());
        if let Some(prack) = theirs.prack.as_mut().filter(|_| answering) {
            // Its offer went with the re-INVITE.
            prack.carries = Carries::Nothing;
            let refusal = Refusal { status: 488, reason: None, ending: Ending::default() };
            deeds.push(Deed::Refuse(prack.request, refusal));
        }
        deeds.push(Deed::State);
        deeds
    }
}
