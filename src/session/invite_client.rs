//! What the responses to an INVITE or re-INVITE of ours do to a session (RFC 3261 §13.2.2, §14.1).

use crate::message::Message;
use crate::session::ack::OwedAck;
use crate::session::change::By;
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
    /// The ACK goes where requests went before, and BYE follows: no request can be sent where the 2xx says.
    Unreachable,
}

impl Session {
    /// Whether this INVITE of ours carried an offer.
    pub(super) fn was_offered(&self, invite: OutgoingId) -> bool {
        match (self.running.our(By::Reinvite), self.running.origin) {
            (Some(ours), _) if ours.request == invite => ours.carries.is_offer(),
            (_, Some(Origin::Outgoing { invite: origin, offered })) => origin == invite && offered,
            _ => false,
        }
    }

    /// The answer in an unreliable provisional response is a preview (§13.2.1, RFC 6337 §3.1.1): it completes nothing.
    pub fn previewed(&mut self, response: &Message) -> Deeds {
        self.lasting.peer.learn_methods(response);
        // Once reliable responses carry the exchange, an offer that is open is not the INVITE's (RFC 3262 §5).
        let Some(body) = response.session_body().filter(|_| !self.exchanges_reliably()) else { return Deeds::new() };
        self.lasting.signaling.show(Party::Remote, StoredBody::of_remote(&body));
        smallvec![Deed::State]
    }

    /// The 2xx confirms the session (§13.2.2.4).
    pub fn confirmed_by(&mut self, invite: OutgoingId, response: &Message, by_host: HostAcks) -> Taken {
        self.lasting.phase = Phase::Confirmed;
        let reached = self.lasting.dialog.confirm_by(response);
        self.came_on(response.flow());
        self.lasting.peer.learn(response);
        if !reached {
            return Taken::Unreachable;
        }
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
        // Where it names no good way, the ACK and the BYE go where its early dialog led.
        let _ = self.lasting.dialog.confirm_by(response);
    }

    /// The 2xx to our re-INVITE (§14.1). An offer that it does not answer is as if never made. When the session is over
    /// it is acknowledged all the same (RFC 5407 §3.2.3): by the host, where it wants to and the dialog is Mortal yet.
    pub fn our_reinvite_accepted(&mut self, invite: OutgoingId, response: &Message, by_host: HostAcks) -> Taken {
        if self.is_terminated() {
            let by_host = if self.is_gone() || by_host != HostAcks::All { HostAcks::None } else { by_host };
            return self.host_owes(invite, by_host, false);
        }
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
                let ours = self.running.our_mut(By::Reinvite);
                let carries = ours.map(|ours| std::mem::take(&mut ours.carries));
                self.lasting.signaling.undo(carries.unwrap_or_default());
                match self.host_owes(invite, by_host, false) {
                    Taken::Acknowledge => Taken::Unanswered,
                    by_host => by_host,
                }
            }
            (false, offer) => {
                let offered = offer.is_some();
                let offer = offer.zip(self.lasting.signaling.turn_to_offer(Party::Remote));
                let answer_due = offer.map(|(offer, turn)| turn.take(offer)).is_some();
                match self.host_owes(invite, by_host, answer_due) {
                    // It crosses an offer that is open (RFC 3264 §4): its exchange does not end.
                    Taken::Acknowledge if offered && !answer_due && self.open_offer().is_some() => Taken::Unanswered,
                    taken => taken,
                }
            }
        }
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

    /// No 2xx of our INVITE can come any more. §13.2.2.4: early dialogs end 64*T1 after the first 2xx; an ACK that the
    /// host owes still is sent now, and BYE.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionState;
    use crate::session::fixture::{self, FakeClock, reliable, response};

    /// What the provisional responses did.
    #[derive(Clone, Copy, Debug)]
    enum Before {
        /// They had no description.
        Nothing,
        /// An unreliable one had "shown".
        Shown,
        /// A reliable one had "reliable"; where that was an offer, the PRACK had "prack".
        Complete,
        /// The same, and a PRACK has the offer "ours", which is not answered.
        PrackOffers,
        /// A reliable one had the offer "reliable", and there was no PRACK.
        Offered,
    }

    /// Taken, and whether the ACK that the host owes has the answer.
    type Outcome = (Taken, Option<bool>);
    const ACK: Outcome = (Taken::Acknowledge, None);
    const UNANSWERED: Outcome = (Taken::Unanswered, None);
    const HOST: Outcome = (Taken::ByHost, Some(false));
    const HOST_ANSWERS: Outcome = (Taken::ByHost, Some(true));

    /// The offer in the INVITE, what was before, the description in the 2xx; the books after it; what follows with
    /// [`HostAcks::None`], `Answers` and `All`.
    type Row = (&'static str, Before, &'static str, &'static str, [Outcome; 3]);
    const HOST_ACKS: [HostAcks; 3] = [HostAcks::None, HostAcks::Answers, HostAcks::All];

    fn second() -> OutgoingId {
        OutgoingId::from_raw(2)
    }

    fn prack() -> OutgoingId {
        OutgoingId::from_raw(3)
    }

    fn provisional(session: &mut Session, invite: OutgoingId, number: u32, before: Before) {
        match before {
            Before::Nothing => {}
            Before::Shown => {
                session.previewed(&response(183, number, "", "shown"));
            }
            Before::Complete | Before::PrackOffers | Before::Offered => {
                let was_offered = session.was_offered(invite);
                session.take_reliable(invite, &reliable(number, 1, "reliable"), 1, false).expect("in order");
                if !matches!(before, Before::Offered) && !was_offered {
                    session.our_prack_sent(prack(), fixture::sdp("prack"), true);
                }
                if matches!(before, Before::PrackOffers) {
                    session.take_reliable(invite, &reliable(number, 2, ""), 2, true).expect("in order");
                    session.our_prack_sent(prack(), fixture::sdp("ours"), true);
                }
            }
        }
    }

    fn owed(session: &Session) -> Option<bool> {
        session.owed_ack().map(|owed| owed.answer_due)
    }

    /// Our re-INVITE is out, with this offer ("": none).
    fn reinviting(offer: &str) -> Session {
        let mut session = fixture::confirmed_caller();
        session.our_change_sent(By::Reinvite, second(), fixture::sdp(offer));
        session
    }

    #[test]
    fn the_2xx_to_an_invite() {
        use Before::{Complete, Nothing, Offered, PrackOffers, Shown};
        let rows: [Row; 15] = [
            // §13.2.1: the 2xx has the answer to the offer in the INVITE.
            ("offer", Nothing, "answer", "Stable offer/answer", [ACK, ACK, HOST]),
            // §13.2.2.4: without one it is acknowledged all the same, and left by BYE.
            ("offer", Nothing, "", "HaveLocalOffer offer/- open", [UNANSWERED; 3]),
            // §13.2.1: the first answer counts, later ones are ignored.
            ("offer", Shown, "", "Stable offer/shown", [ACK, ACK, HOST]),
            ("offer", Shown, "answer", "Stable offer/shown", [ACK, ACK, HOST]),
            // RFC 6337 §3.1.1: a reliable response has completed the exchange.
            ("offer", Complete, "", "Stable offer/reliable", [ACK, ACK, HOST]),
            ("offer", Complete, "answer", "Stable offer/reliable", [ACK, ACK, HOST]),
            // RFC 3262 §5: the offer of a PRACK is answered in the 2xx of the PRACK.
            ("offer", PrackOffers, "", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            ("offer", PrackOffers, "answer", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            ("", PrackOffers, "late", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            // §13.2.1: the offer is in the 2xx, its answer in the ACK.
            ("", Nothing, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            ("", Nothing, "", "Initial -/-", [ACK, ACK, HOST]),
            // §13.2.1: what an unreliable response shows is no offer.
            ("", Shown, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            // RFC 3262 §5: the offer was in the reliable response, its answer in the PRACK.
            ("", Complete, "late", "Stable reliable/prack", [ACK, ACK, HOST]),
            // RFC 3262 §3 forbids such a 2xx; nobody answers the offer that it overtook.
            ("", Offered, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            ("", Offered, "", "Initial -/-", [ACK, ACK, HOST]),
        ];
        for (offer, before, body, books, outcomes) in rows {
            for (by_host, outcome) in HOST_ACKS.into_iter().zip(outcomes) {
                let row = format!("{offer:?} {before:?} {body:?} {by_host:?}");
                let mut session = fixture::caller(offer);
                provisional(&mut session, fixture::outgoing(), 1, before);
                let taken = session.confirmed_by(fixture::outgoing(), &response(200, 1, "", body), by_host);
                assert_eq!((taken, owed(&session)), outcome, "{row}");
                assert_eq!(fixture::books(&session), books, "{row}");
                assert_eq!(session.state(), SessionState::Confirmed, "{row}");
            }
        }
    }

    #[test]
    fn the_2xx_to_a_reinvite() {
        use Before::{Complete, Nothing, Offered, PrackOffers, Shown};
        let rows: [Row; 15] = [
            // §14.1: as the 2xx to an INVITE.
            ("second", Nothing, "reply", "Stable second/reply", [ACK, ACK, HOST]),
            // §14.1: an offer that is not answered is as if never made.
            ("second", Nothing, "", "Stable offer/answer", [UNANSWERED, UNANSWERED, HOST]),
            ("second", Shown, "", "Stable second/shown", [ACK, ACK, HOST]),
            ("second", Shown, "reply", "Stable second/shown", [ACK, ACK, HOST]),
            // RFC 6337 §3.1.1.
            ("second", Complete, "", "Stable second/reliable", [ACK, ACK, HOST]),
            ("second", Complete, "reply", "Stable second/reliable", [ACK, ACK, HOST]),
            // RFC 3262 §5.
            ("second", PrackOffers, "", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            ("second", PrackOffers, "reply", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            ("", PrackOffers, "late", "HaveLocalOffer ours/- open", [ACK, ACK, HOST]),
            // §13.2.1: the offer is in the 2xx, its answer in the ACK.
            ("", Nothing, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            ("", Nothing, "", "Stable offer/answer", [ACK, ACK, HOST]),
            ("", Shown, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            // RFC 3262 §5.
            ("", Complete, "late", "Stable reliable/prack", [ACK, ACK, HOST]),
            // RFC 3262 §3.
            ("", Offered, "theirs", "HaveRemoteOffer theirs/- open", [ACK, HOST_ANSWERS, HOST_ANSWERS]),
            ("", Offered, "", "Stable offer/answer", [ACK, ACK, HOST]),
        ];
        for (offer, before, body, books, outcomes) in rows {
            for (by_host, outcome) in HOST_ACKS.into_iter().zip(outcomes) {
                let row = format!("{offer:?} {before:?} {body:?} {by_host:?}");
                let mut session = reinviting(offer);
                provisional(&mut session, second(), 2, before);
                let taken = session.our_reinvite_accepted(second(), &response(200, 2, "", body), by_host);
                assert_eq!((taken, owed(&session)), outcome, "{row}");
                assert_eq!(fixture::books(&session), books, "{row}");
                // §14.1: it is pending until its ACK.
                let pending = (taken == Taken::ByHost).then(second);
                assert_eq!(session.reinvite_client(), pending, "{row}");
            }
        }
    }

    /// RFC 3264 §4: an offer in it that crosses ours is none, and the host hears of it.
    #[test]
    fn the_offer_of_a_2xx_to_a_reinvite_that_crosses_ours() {
        for (body, outcomes) in [("theirs", [UNANSWERED, UNANSWERED, HOST]), ("", [ACK, ACK, HOST])] {
            for (by_host, outcome) in HOST_ACKS.into_iter().zip(outcomes) {
                let mut session = reinviting("");
                session.transition(Party::Local, fixture::sdp("ours")).expect("none is open");
                let taken = session.our_reinvite_accepted(second(), &response(200, 2, "", body), by_host);
                assert_eq!((taken, owed(&session)), outcome, "{body:?} {by_host:?}");
                assert_eq!(fixture::books(&session), "HaveLocalOffer ours/- open");
            }
        }
    }

    /// RFC 5407 §3.2.3.
    #[test]
    fn the_2xx_to_a_reinvite_when_the_session_is_over() {
        type Over = fn(Session) -> Session;
        for (over, outcomes) in [(fixture::mortal as Over, [ACK, ACK, HOST]), (fixture::gone as Over, [ACK; 3])] {
            for (by_host, outcome) in HOST_ACKS.into_iter().zip(outcomes) {
                let mut session = over(reinviting("second"));
                let taken = session.our_reinvite_accepted(second(), &fixture::response(200, 2, "", ""), by_host);
                let row = format!("{by_host:?}, gone: {}", session.is_gone());
                assert_eq!((taken, owed(&session)), outcome, "{row}");
                assert_eq!(session.reinvite_client(), (taken == Taken::ByHost).then(second), "{row}");
            }
        }
    }

    /// What a 2xx tells beside its description: the target (RFC 6141 §4.7), the route set (§13.2.2.4: of the INVITE
    /// alone), Recv-Info (RFC 6086 §5.2).
    #[test]
    fn what_a_2xx_tells_beside() {
        type Input = fn(&mut Session, &Message);
        type Row = (&'static str, Session, u32, Input, &'static [u8], bool);
        let moved = |number| {
            let lines = "Record-Route: <sip:p;lr>\r\nRecv-Info: x\r\nContact: <sip:new@h>\r\n";
            fixture::message("SIP/2.0 200 OK", &format!("{number} INVITE"), lines, "")
        };
        let rows: [Row; 3] = [
            (
                "INVITE",
                fixture::caller(""),
                1,
                |session, ok| {
                    session.confirmed_by(fixture::outgoing(), ok, HostAcks::Answers);
                },
                b"<sip:p;lr>",
                true,
            ),
            ("fork", fixture::caller(""), 1, Session::fork_lost, b"<sip:p;lr>", false),
            (
                "re-INVITE",
                reinviting(""),
                2,
                |session, ok| {
                    session.our_reinvite_accepted(second(), ok, HostAcks::Answers);
                },
                b"",
                true,
            ),
        ];
        for (row, mut session, number, input, route_set, learns) in rows {
            input(&mut session, &moved(number));
            assert_eq!(session.state(), SessionState::Confirmed, "{row}");
            assert_eq!(session.remote_target(), b"sip:new@h", "{row}");
            assert_eq!(session.route_set(), route_set, "{row}");
            assert_eq!(session.peer().takes_info_package(b"x"), learns, "{row}");
        }
    }

    /// Fork policy FIRST: BYE follows, so nothing is exchanged and the host owes nothing.
    #[test]
    fn a_lost_fork_exchanges_nothing() {
        let mut session = fixture::caller("offer");
        session.fork_lost(&response(200, 1, "", "answer"));
        assert_eq!(fixture::books(&session), "HaveLocalOffer offer/- open");
        assert_eq!((session.state(), owed(&session)), (SessionState::Confirmed, None));
        assert!(session.bye_guard().is_ok());
    }

    #[test]
    fn what_an_unreliable_response_shows() {
        use Before::{Complete, Nothing, PrackOffers, Shown};
        for (offer, before, body, books, deeds) in [
            // §13.2.1: the first description is the answer, and completes nothing.
            ("offer", Nothing, "answer", "Stable offer/answer open", "State"),
            ("offer", Shown, "answer", "Stable offer/shown open", "State"),
            ("offer", Nothing, "", "HaveLocalOffer offer/- open", ""),
            // §13.2.1: there is no offer that it could answer.
            ("", Nothing, "answer", "Initial -/-", "State"),
            // RFC 3262 §5: the exchange is that of reliable responses.
            ("offer", Complete, "answer", "Stable offer/reliable", ""),
            ("offer", PrackOffers, "answer", "HaveLocalOffer ours/- open", ""),
        ] {
            let mut session = fixture::caller(offer);
            provisional(&mut session, fixture::outgoing(), 1, before);
            let got = session.previewed(&response(183, 1, "", body));
            let row = format!("{offer:?} {before:?} {body:?}");
            assert_eq!((&*fixture::books(&session), &*fixture::names(&got)), (books, deeds), "{row}");
        }
    }

    #[test]
    fn no_2xx_can_come_any_more() {
        let acked_by_host = || {
            let mut session = fixture::caller("offer");
            session.confirmed_by(fixture::outgoing(), &response(200, 1, "", "answer"), HostAcks::All);
            session
        };
        let reinvite_acked_by_host = || {
            let mut session = reinviting("second");
            session.our_reinvite_accepted(second(), &response(200, 2, "", "reply"), HostAcks::All);
            session
        };
        let too_late = || {
            let mut session = fixture::mortal(reinviting("second"));
            session.our_reinvite_accepted(second(), &fixture::response(200, 2, "", ""), HostAcks::All);
            session
        };
        let by_hand = || {
            let mut session = fixture::caller("offer");
            session.confirm().expect("we are caller");
            session
        };
        let first = fixture::outgoing;
        // The session, whose INVITE it was, what follows, why the session ends, whether an ACK is owed still.
        for (session, invite, deeds, reason, owes) in [
            // §13.2.2.4: an early dialog ends 64*T1 after the first 2xx.
            (fixture::caller("offer"), first(), "State Finish", Some(Reason::ForkLost), false),
            (fixture::confirmed_caller(), first(), "", None, false),
            (by_hand(), first(), "", None, false),
            // §13.2.2.4: the ACK that the host owes is sent now, and BYE.
            (acked_by_host(), first(), "Acknowledge Bye", Some(Reason::AckTimeout), false),
            (acked_by_host(), second(), "", None, true),
            (reinvite_acked_by_host(), second(), "Acknowledge Bye", Some(Reason::AckTimeout), false),
            (reinvite_acked_by_host(), first(), "", None, true),
            // RFC 5407 §3.2.3: over it is already.
            (too_late(), second(), "Acknowledge", Some(Reason::RemoteBye), false),
        ] {
            let mut session = session;
            let origin = session.origin().filter(|origin| origin.outgoing() != Some(invite));
            let row = format!("{} {invite:?}", session.state_text());
            let got = session.invite_over(invite, &mut FakeClock::default());
            assert_eq!(fixture::names(&got), deeds, "{row}");
            let bye = got.iter().find_map(|deed| match deed {
                Deed::Bye(bye) => Some(bye.ending.reason),
                _ => None,
            });
            assert_eq!(bye.or(session.ending().map(|ending| ending.reason)), reason, "{row}");
            assert_eq!((session.owed_ack().is_some(), session.origin()), (owes, origin), "{row}");
            assert_eq!(session.reinvite_client().is_some(), owes && invite == first(), "{row}");
        }
    }
}
