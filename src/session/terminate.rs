//! How a call ends (RFC 3261 §15): what BYE may do, what `hangup` does by role and state, and the way from the last
//! word to TERMINATED.

use crate::error::{Error, Result};
use crate::message::Method;
use crate::session::deed::{Clock, Deed, Deeds, DeferredBye, Refusal, also};
use crate::session::reason::{Ending, Reason};
use crate::session::{Origin, Phase, Role, Session, SessionState};
use smallvec::smallvec;

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

/// What a CANCEL of our INVITE would do now, as one of its early dialogs sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancels {
    /// End this dialog.
    This,
    /// End others too, which live beside it.
    Others,
    /// Nothing: the INVITE has its final response, or is elsewhere (a dialog that was taken over).
    Nothing,
}

impl Session {
    /// The table: role and state decide, and for an early dialog of our INVITE what a CANCEL would do.
    pub fn hangup(&self, cancels: Cancels) -> Hangup {
        match (self.role(), self.state()) {
            (_, SessionState::Terminated) => Hangup::Nothing,
            (_, SessionState::AckWait) if self.waits_for_ack() => Hangup::ByeLater,
            (_, SessionState::AckWait | SessionState::Confirmed) => Hangup::Bye,
            (Role::Callee, SessionState::Initial | SessionState::Early) => Hangup::Reject,
            (Role::Caller, SessionState::Initial | SessionState::Early) => match cancels {
                Cancels::This => Hangup::Cancel,
                Cancels::Others | Cancels::Nothing => Hangup::Bye,
            },
        }
    }

    /// Whether a BYE may be sent now (§15.1.1).
    pub fn bye_guard(&self) -> Result<()> {
        match (self.role(), self.state()) {
            (_, SessionState::Terminated) => Err(Error::state("the session is over")),
            (_, SessionState::Initial) => Err(Error::state("there is no dialog yet (RFC 3261 15)")),
            (Role::Callee, SessionState::Early) => Err(Error::state(
                "the callee of an early dialog rejects the INVITE instead of sending BYE (RFC 3261 15)",
            )),
            (_, SessionState::AckWait) if self.waits_for_ack() => {
                Err(Error::state("the callee sends no BYE before the ACK of its 2xx or 64*T1 (RFC 3261 15)"))
            }
            (Role::Caller, SessionState::Early) | (_, SessionState::AckWait | SessionState::Confirmed) => Ok(()),
        }
    }

    /// It ends by BYE as soon as that is legal: the callee's waits for the ACK (§15). The first reason counts.
    pub fn leave(&mut self, ending: Ending) -> Deeds {
        self.leave_with(DeferredBye { ending, wanted: None })
    }

    /// The same with what the host wants in the BYE.
    pub fn leave_with(&mut self, bye: DeferredBye) -> Deeds {
        if !self.waits_for_ack() {
            return smallvec![Deed::Bye(Box::new(bye))];
        }
        self.lasting.deferred_bye.get_or_insert_with(|| Box::new(bye));
        Deeds::new()
    }

    /// A request in the dialog failed so that the usage is gone (RFC 5057). It is left by BYE (§12.2.1.2), which the
    /// callee of an early dialog may not send (§15): there the INVITE is refused, for the peer knows no dialog in which
    /// it could be accepted.
    pub fn usage_failed(&mut self, ending: Ending) -> Deeds {
        if self.is_terminated() {
            return Deeds::new();
        }
        match self.running.origin.and_then(Origin::incoming).filter(|_| self.is_early()) {
            Some(invite) => {
                smallvec![Deed::RefuseInvite(invite, Box::new(Refusal { status: 500, reason: None, ending }))]
            }
            None => self.leave(ending),
        }
    }

    /// The BYE that an end had to wait with (§15): the ACK is here, or its time is over. That of a re-INVITE which
    /// overtook it does not count.
    pub(super) fn deferred_bye(&mut self) -> Option<Deed> {
        if self.waits_for_ack() || self.is_terminated() {
            return None;
        }
        self.lasting.deferred_bye.take().map(Deed::Bye)
    }

    /// The session is over: 2xx are repeated no more unless the peer ended it, the peer's pending requests get 487
    /// (§15.1.2), the dialog is Mortal until it has said TERMINATED.
    pub fn end(&mut self, ending: Ending, clock: &mut impl Clock) -> Deeds {
        if self.is_terminated() {
            return Deeds::new();
        }
        let ending = Ending { ended_ms: clock.now().as_millis(), ..ending };
        let mut deeds = Deeds::new();
        if let Some(Origin::Outgoing { invite, .. }) = self.running.origin {
            let untold = matches!(ending.reason, Reason::Disposed | Reason::Rejected);
            deeds.push(Deed::ForkEnded(invite, self.is_early() && untold));
        }
        // §13.2.2.4: every 2xx is acknowledged, whoever ends the call.
        also(&mut deeds, self.acknowledge_owed());
        let was_accepted = self.reliable_over(&mut deeds, clock).is_some_and(|server| server.is_accepted());
        if ending.reason == Reason::RemoteBye {
            // RFC 5407 §3.1.3: the caller's BYE may have crossed a 2xx that was lost; its INVITE ends by the ACK of a
            // repeat.
            self.keep_accepted();
        } else {
            deeds.extend(self.drop_accepted(clock));
        }
        self.lasting.phase = Phase::Mortal(ending.clone());
        self.lasting.signaling.close();
        self.lasting.deferred_bye = None;
        self.stop_session_timer(clock);
        self.running.reliable_client = None;
        deeds.extend(self.retries().chain(self.behind_refresh()).map(Deed::GiveUpRetry));
        let refusal = || Box::new(Refusal { status: 487, reason: None, ending: ending.clone() });
        // A NOTIFY belongs to a subscription, which lives on (RFC 5057 §5.3): it keeps its time.
        for pending in self.running.pending.iter().filter(|pending| pending.method != Method::Notify) {
            deeds.push(Deed::Refuse(pending.request, refusal()));
        }
        self.running.pending.retain(|pending| pending.method == Method::Notify);
        if let Some(invite) = self.running.origin.and_then(Origin::incoming) {
            // An INVITE that is still unanswered has no session any more (RFC 5407 appendix A).
            deeds.push(Deed::LeaveInvite(invite, was_accepted));
        }
        deeds.push(Deed::State);
        deeds
    }

    /// Nothing is under way any more: TERMINATED, once, as soon as no 2xx of ours waits for its ACK, and no reliable 199
    /// for its PRACK.
    pub fn finish(&mut self) -> Deeds {
        let (Phase::Mortal(ending) | Phase::Due(ending)) = &self.lasting.phase else { return Deeds::new() };
        let ending = ending.clone();
        if !self.lasting.accepted.is_empty() || self.running.reliable_server.is_some() {
            self.lasting.phase = Phase::Due(ending);
            return Deeds::new();
        }
        let mut deeds: Deeds = self.acknowledge_owed().into_iter().collect();
        let reinvite = self.reinvite_client().map(|reinvite| Box::new((reinvite, self.dialog().clone())));
        deeds.push(Deed::Terminated(ending, reinvite));
        deeds
    }

    /// TERMINATED is told: nothing more is said of it.
    pub fn terminated_told(&mut self) {
        if let Phase::Mortal(ending) | Phase::Due(ending) = &self.lasting.phase {
            self.lasting.phase = Phase::Gone(ending.clone());
        }
    }

    /// What TERMINATED waited for is over.
    pub(super) fn finish_if_due(&mut self) -> Option<Deed> {
        matches!(self.lasting.phase, Phase::Due(_)).then_some(Deed::Finish)
    }
}

#[cfg(test)]
mod tests;
