//! What the responses to an INVITE or re-INVITE of ours do to a session (RFC 3261 §13.2.2, §14.1).

use crate::message::Message;
use crate::session::ack::OwedAck;
use crate::session::deed::{Clock, Deed, Deeds};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::{Ending, Reason};
use crate::session::{Origin, Phase, Session};
use crate::slots::OutgoingId;
use smallvec::smallvec;

/// Which ACKs of a 2xx the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAcks {
    /// None: nobody wants the call.
    None,
    /// That with the answer to the offer in the 2xx.
    Answers,
    /// Every one.
    All,
}

/// What a 2xx leaves to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The ACK goes out.
    Acknowledge,
    /// The same, but the 2xx lacks the answer to our offer.
    Unanswered,
    /// The host sends the ACK.
    ByHost,
}

impl Session {
    /// Whether this INVITE of ours carried an offer.
    pub(super) fn was_offered(&self, invite: OutgoingId) -> bool {
        match (&self.running.ours, self.running.origin) {
            (Some(ours), _) if ours.request == invite => ours.carries.is_offer(),
            (_, Some(Origin::Outgoing { invite: origin, offered })) => origin == invite && offered,
            _ => false,
        }
    }

    /// The answer in an unreliable provisional response is a preview (§13.2.1, RFC 6337 §3.1.1): it completes nothing.
    pub fn previewed(&mut self, response: &Message) -> Deeds {
        // Once reliable responses carry the exchange, an offer that is open is not the INVITE's (RFC 3262 §5).
        let Some(body) = response.session_body().filter(|_| !self.exchanges_reliably()) else { return Deeds::new() };
        self.lasting.signaling.show(Party::Remote, StoredBody::of_remote(&body));
        smallvec![Deed::State]
    }

    /// The 2xx confirms the session (§13.2.2.4).
    pub fn confirmed_by(&mut self, invite: OutgoingId, response: &Message, by_host: HostAcks) -> Taken {
        self.lasting.phase = Phase::Confirmed;
        self.lasting.dialog.confirm_by(response);
        self.came_on(response.flow());
        self.lasting.peer.learn(response);
        let body = response.session_body().map(|body| StoredBody::of_remote(&body));
        if self.reliable_accepted() {
            // RFC 6337 §3.1.1: the exchange was completed by reliable responses, what the 2xx says is no part of it.
            return self.host_owes(invite, by_host, false);
        }
        let shown = || self.lasting.signaling.preview().cloned();
        match (self.open_offer(), self.answer().is_some()) {
            (Some(Party::Local), _) => {
                let Some(answer) = body.or_else(shown) else { return Taken::Unanswered };
                if let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Remote) {
                    turn.take(answer);
                }
                self.host_owes(invite, by_host, false)
            }
            (None, false) => {
                let offer = body.zip(self.lasting.signaling.turn_to_offer(Party::Remote));
                let answer_due = offer.map(|(offer, turn)| turn.take(offer)).is_some();
                self.host_owes(invite, by_host, answer_due)
            }
            _ => self.host_owes(invite, by_host, false),
        }
    }

    /// A fork that the host saw early answers after another one did (fork policy FIRST): ACK and BYE follow.
    pub fn fork_lost(&mut self, response: &Message) {
        self.lasting.phase = Phase::Confirmed;
        self.lasting.dialog.confirm_by(response);
    }

    /// The 2xx to our re-INVITE (§14.1). An offer that it does not answer is as if never made.
    pub fn reinvite_accepted(&mut self, invite: OutgoingId, response: &Message, by_host: HostAcks) -> Taken {
        self.refreshed(response);
        self.lasting.peer.learn(response);
        let body = response.session_body().map(|body| StoredBody::of_remote(&body));
        let body = body.or_else(|| self.lasting.signaling.preview().cloned());
        if self.reliable_accepted() {
            // RFC 6337 §3.1.1: the exchange was completed by reliable responses.
            return self.host_owes(invite, by_host, false);
        }
        match (self.was_offered(invite), body) {
            (true, Some(answer)) => {
                if let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Remote) {
                    turn.take(answer);
                }
                self.host_owes(invite, by_host, false)
            }
            (true, None) => {
                let carries = self.running.ours.as_mut().map(|ours| std::mem::take(&mut ours.carries));
                self.lasting.signaling.undo(carries.unwrap_or_default());
                match self.host_owes(invite, by_host, false) {
                    Taken::Acknowledge => Taken::Unanswered,
                    by_host => by_host,
                }
            }
            (false, offer) => {
                let offer = offer.zip(self.lasting.signaling.turn(Party::Remote).ok());
                let answer_due = offer.map(|(offer, turn)| turn.take(offer)).is_some();
                self.host_owes(invite, by_host, answer_due)
            }
        }
    }

    /// The session is over, the 2xx to our re-INVITE is acknowledged all the same (RFC 5407 §3.2.3): by the host, where it wants to
    /// and the dialog is Mortal yet.
    pub fn reinvite_accepted_too_late(&mut self, invite: OutgoingId, by_host: HostAcks) -> Taken {
        let by_host = if self.is_gone() { HostAcks::None } else { by_host };
        self.host_owes(invite, by_host, false)
    }

    fn host_owes(&mut self, outgoing: OutgoingId, by_host: HostAcks, answer_due: bool) -> Taken {
        let owes = match by_host {
            HostAcks::None => false,
            HostAcks::Answers => answer_due,
            HostAcks::All => true,
        };
        if !owes {
            self.our_reinvite_over(outgoing);
            return Taken::Acknowledge;
        }
        self.running.owed_ack = Some(OwedAck { outgoing, answer_due });
        Taken::ByHost
    }

    /// No 2xx of our INVITE can come any more. §13.2.2.4: early dialogs end 64*T1 after the first 2xx; an ACK that the host owes
    /// still is sent now, and BYE.
    pub fn invite_over(&mut self, invite: OutgoingId, clock: &mut impl Clock) -> Deeds {
        if self.running.origin.and_then(Origin::outgoing) == Some(invite) {
            self.running.origin = None;
        }
        if self.is_early() {
            let mut deeds = self.end(Ending::because(Reason::ForkLost), clock);
            deeds.push(Deed::Finish);
            return deeds;
        }
        if self.running.owed_ack.is_none_or(|owed| owed.outgoing != invite) {
            return Deeds::new();
        }
        let mut deeds: Deeds = self.acknowledge_owed().into_iter().collect();
        if !self.is_terminated() {
            deeds.extend(self.leave(Ending::because(Reason::AckTimeout)));
        }
        deeds
    }
}
