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
    /// It brings an offer: it counts when the host has answered that (§5). True: its response is repeated until then no
    /// more.
    Offers(bool),
    /// It brings an offer while one is open: a 200 would have to answer.
    OffersOutOfTurn,
    /// It lacks the answer to our offer (§5).
    LacksAnswer,
}

impl Session {
    /// What a PRACK of the peer's is (§3, §5). `left`: the response that a final one left unacknowledged in this
    /// dialog.
    pub fn their_prack_means(&self, request: &Message, rack: &RAck<'_>, left: Option<Left>, now: Time) -> Prack {
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
                // To the peer its former one is open, whatever the host has told by hand.
                Ok(Part::Offer) if self.has_offering() => Prack::OffersOutOfTurn,
                Ok(Part::Offer) => Prack::Offers(waiting.is_some()),
                _ => Prack::OffersOutOfTurn,
            },
        }
    }

    /// A PRACK of the peer's was taken. The answer to it is the host's, and what waited goes out after it.
    pub fn their_prack_arrived(
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
                let before = self.lasting.signaling.mark();
                let carries = body.zip(self.lasting.signaling.turn(Party::Remote).ok());
                let carries = carries.map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
                self.running.theirs().prack = Some(Describing { request: incoming, carries, before });
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

    /// §5: the answer to our offer had to be in the PRACK. It is acknowledged, but no exchange can end this INVITE
    /// well.
    pub fn their_prack_lacks_answer(&mut self, clock: &mut impl Clock) -> Deeds {
        let Some(server) = &mut self.running.reliable_server else { return Deeds::new() };
        server.acknowledged(clock);
        let reason = Some(&b"Bad Request: no answer in PRACK (RFC 3262 5)"[..]);
        let refusal = Box::new(Refusal { reason, ..*Refusal::because(Reason::NoAnswerIn2xx, 400) });
        smallvec![Deed::RefuseInvite(server.incoming, refusal)]
    }

    fn has_offering(&self) -> bool {
        self.running.theirs.as_ref().is_some_and(|theirs| theirs.prack.is_some())
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

    /// A PRACK got its 2xx; an offer in it is answered there (§5). What waited for it goes on: the next of the queue,
    /// or the 2xx.
    pub fn their_prack_accepted(
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
    pub fn their_prack_refused(&mut self, prack: IncomingId, clock: &mut impl Clock) -> Deeds {
        let Some(carries) = self.take_offering(prack) else { return Deeds::new() };
        self.lasting.signaling.undo(carries);
        if let Some(server) = &mut self.running.reliable_server {
            server.repeat_again(clock);
        }
        smallvec![Deed::State]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SignalingState::{self, HaveLocalOffer, HaveRemoteOffer, Stable};
    use crate::session::fixture::reliably::{books, follows, pracked, queue};
    use crate::session::fixture::{self, FakeClock, request, sdp};
    use crate::session::reliable_server::ReliableServer;
    use crate::transaction::Bytes;
    use std::time::Duration;

    type Books = (SignalingState, &'static str, &'static str);
    type Said = Option<(Part, &'static str)>;

    const OLD: Books = (Stable, "offer", "answer");
    const ANSWER: Said = Some((Part::Answer, "answer"));
    const OFFER: Said = Some((Part::Offer, "offer"));

    #[track_caller]
    fn assert_books(session: &Session, (state, offer, answer): Books, row: &str) {
        assert_eq!(books(session), (state, offer.to_owned(), answer.to_owned()), "{row}");
    }

    fn prack() -> IncomingId {
        IncomingId::from_raw(9)
    }

    /// 183 with RSeq 7 waits for its PRACK.
    fn responded(offer: &str, said: Said, clock: &mut FakeClock) -> Session {
        let mut session = fixture::callee(offer);
        queue(&mut session, 1, 7, said, clock);
        session
    }

    fn arrives(session: &mut Session, prack_is: Prack, said: &str, clock: &mut FakeClock) -> String {
        follows(&session.their_prack_arrived(prack(), &request("PRACK", 9, said), prack_is, clock))
    }

    fn means(session: &Session, rack: &str, said: &str, left: Option<Left>, now: Time) -> Prack {
        let rack = RAck::parse(rack.as_bytes()).expect("a RAck");
        session.their_prack_means(&request("PRACK", 9, said), &rack, left, now)
    }

    /// RFC 3262 §3, §5.
    #[test]
    fn what_a_prack_is() {
        type Row = (&'static str, &'static str, Said, &'static str, &'static str, Prack);
        let rows: [Row; 11] = [
            ("3: another response", "offer", ANSWER, "8 1 INVITE", "", Prack::Nothing),
            ("3: one before it", "offer", ANSWER, "6 1 INVITE", "", Prack::Nothing),
            ("3: another INVITE", "offer", ANSWER, "7 2 INVITE", "", Prack::Nothing),
            ("3: another method", "offer", ANSWER, "7 1 OPTIONS", "", Prack::Nothing),
            ("3261 7.1: a method has its case", "offer", ANSWER, "7 1 Invite", "", Prack::Nothing),
            ("3: no description", "offer", None, "7 1 INVITE", "", Prack::Acknowledges),
            ("3: our answer", "offer", ANSWER, "7 1 INVITE", "", Prack::Acknowledges),
            ("5: the answer to our offer", "", OFFER, "7 1 INVITE", "theirs", Prack::Acknowledges),
            ("5: our offer, no answer", "", OFFER, "7 1 INVITE", "", Prack::LacksAnswer),
            ("5: an offer after our answer", "offer", ANSWER, "7 1 INVITE", "second", Prack::Offers(true)),
            ("3264 4: INVITE's offer is open", "offer", None, "7 1 INVITE", "second", Prack::OffersOutOfTurn),
        ];
        for (row, offer, said, rack, brings, expected) in rows {
            let session = responded(offer, said, &mut FakeClock::default());
            assert_eq!(means(&session, rack, brings, None, Time::default()), expected, "{row}");
        }
        let mut clock = FakeClock::default();
        assert_eq!(means(&fixture::callee("offer"), "7 1 INVITE", "", None, Time::default()), Prack::Nothing);
        let mut queued = responded("offer", ANSWER, &mut clock);
        queue(&mut queued, 1, 8, None, &mut clock);
        assert_eq!(means(&queued, "8 1 INVITE", "", None, Time::default()), Prack::Nothing, "it is not out");
        let mut offering = queued.clone();
        arrives(&mut queued, Prack::Acknowledges, "", &mut clock);
        assert_eq!(means(&queued, "7 1 INVITE", "", None, Time::default()), Prack::Nothing, "it is acknowledged");
        arrives(&mut offering, Prack::Offers(true), "second", &mut FakeClock::default());
        assert_eq!(means(&offering, "7 1 INVITE", "", None, Time::default()), Prack::Nothing, "its PRACK is here");
    }

    /// RFC 3262 §3: of a response that a final one has overtaken.
    #[test]
    fn what_a_late_prack_is() {
        type Row = (&'static str, fn() -> Session, bool, &'static str, &'static str, u64, Prack);
        let done = fixture::confirmed_callee;
        let open: fn() -> Session = || fixture::reliably::reinvited("second");
        let ours: fn() -> Session = || fixture::reliably::reinviting("second");
        let rows: [Row; 10] = [
            ("3: it is still good", done, false, "7 1 INVITE", "", 31_999, Prack::AcknowledgesLeft),
            ("3: for 64*T1", done, false, "7 1 INVITE", "", 32_000, Prack::Nothing),
            ("3: another response", done, false, "8 1 INVITE", "", 0, Prack::Nothing),
            ("3: another INVITE", done, false, "7 2 INVITE", "", 0, Prack::Nothing),
            ("3: a method has its case", done, false, "7 1 invite", "", 0, Prack::Nothing),
            ("5: it brings an offer", done, false, "7 1 INVITE", "second", 0, Prack::Offers(false)),
            ("3264 4: while one is open", open, false, "7 1 INVITE", "third", 0, Prack::OffersOutOfTurn),
            ("3264 4: or ours", ours, false, "7 1 INVITE", "third", 0, Prack::OffersOutOfTurn),
            ("5: the answer to an offer that is void", done, true, "7 1 INVITE", "late", 0, Prack::AcknowledgesLeft),
            ("5: that answer is not missed", done, true, "7 1 INVITE", "", 0, Prack::AcknowledgesLeft),
        ];
        for (row, session, offered, rack, said, milliseconds, expected) in rows {
            let until = Time::default().plus(Duration::from_secs(32));
            let left = Some(Left { cseq: 1, rseq: 7, offered, until });
            let now = Time::default().plus(Duration::from_millis(milliseconds));
            assert_eq!(means(&session(), rack, said, left, now), expected, "{row}");
        }
    }

    /// RFC 3264 §4: the peer knows nothing of an answer by hand until its PRACK is answered.
    #[test]
    fn an_answer_by_hand_does_not_make_room_for_a_second_offer() {
        let mut clock = FakeClock::default();
        let mut session = fixture::confirmed_callee();
        let left =
            || Some(Left { cseq: 1, rseq: 7, offered: false, until: Time::default().plus(Duration::from_secs(32)) });
        arrives(&mut session, Prack::Offers(false), "second", &mut clock);
        let answer = sdp("answer").expect("a description");
        session.lasting.signaling.turn_to_answer(Party::Local).expect("it is ours").take(answer);
        assert_eq!(means(&session, "7 1 INVITE", "third", left(), Time::default()), Prack::OffersOutOfTurn);
        session.running.theirs().prack = None;
        assert_eq!(means(&session, "7 1 INVITE", "third", left(), Time::default()), Prack::Offers(false));
    }

    /// RFC 3262 §3, §5: what its arrival does, before it is answered.
    #[test]
    fn what_arrives_with_a_prack() {
        type Row = (&'static str, &'static str, Said, Prack, &'static str, &'static str, Books, usize);
        let rows: [Row; 8] = [
            ("3: no repeats", "offer", ANSWER, Prack::Acknowledges, "", "State", OLD, 0),
            ("5: the answer", "", OFFER, Prack::Acknowledges, "answer", "State", OLD, 0),
            (
                "5: an offer, no repeats",
                "offer",
                ANSWER,
                Prack::Offers(true),
                "second",
                "State",
                { (HaveRemoteOffer, "second", "") },
                0,
            ),
            (
                "5: an offer, but of another",
                "offer",
                ANSWER,
                Prack::Offers(false),
                "second",
                "State",
                { (HaveRemoteOffer, "second", "") },
                1,
            ),
            ("3: nothing", "offer", ANSWER, Prack::Nothing, "second", "", OLD, 1),
            ("3: of one that was left", "offer", ANSWER, Prack::AcknowledgesLeft, "second", "", OLD, 1),
            (
                "3264 4: out of turn",
                "offer",
                None,
                Prack::OffersOutOfTurn,
                "second",
                "",
                { (HaveRemoteOffer, "offer", "") },
                1,
            ),
            ("5: the answer is missed", "", OFFER, Prack::LacksAnswer, "", "", (HaveLocalOffer, "offer", ""), 1),
        ];
        for (row, offer, said, prack_is, brings, follow, after, timers) in rows {
            let mut clock = FakeClock::default();
            let mut session = responded(offer, said, &mut clock);
            assert_eq!(arrives(&mut session, prack_is, brings, &mut clock), follow, "{row}");
            assert_books(&session, after, row);
            assert_eq!(clock.timers(), timers, "{row}");
            assert_eq!(session.is_offering(prack()), matches!(prack_is, Prack::Offers(_)), "{row}");
            assert!(!session.is_offering(fixture::incoming()), "{row}");
        }
    }

    /// RFC 3262 §5: no exchange can end this INVITE well.
    #[test]
    fn a_prack_without_its_answer_refuses_invite() {
        let mut clock = FakeClock::default();
        let mut session = responded("", OFFER, &mut clock);
        let deeds = session.their_prack_lacks_answer(&mut clock);
        assert_eq!(follows(&deeds), "RefuseInvite 400 NoAnswerIn2xx");
        let [Deed::RefuseInvite(invite, refusal)] = &deeds[..] else { panic!("{deeds:?}") };
        assert_eq!(
            (*invite, refusal.reason),
            (fixture::incoming(), Some(&b"Bad Request: no answer in PRACK (RFC 3262 5)"[..]))
        );
        assert_eq!(clock.timers(), 0, "it is acknowledged");
        assert_eq!(means(&session, "7 1 INVITE", "", None, Time::default()), Prack::Nothing);
        let deeds = fixture::callee("").their_prack_lacks_answer(&mut clock);
        assert_eq!(follows(&deeds), "", "the INVITE is over");
    }

    #[test]
    fn when_a_prack_may_be_accepted() {
        type Row = (&'static str, Prack, fn(&mut Session), bool, Result<(), &'static str>);
        let by_hand: fn(&mut Session) = |session| session.transition(Party::Local, sdp("by hand")).expect("legal");
        let ours: fn(&mut Session) = |session| {
            session.rollback().expect("it lives");
            session.transition(Party::Local, sdp("ours")).expect("legal");
        };
        let hidden: fn(&mut Session) = |session| session.rollback().expect("it lives");
        let as_it_is: fn(&mut Session) = |_| ();
        let rows: [Row; 7] = [
            ("no offer, no answer", Prack::Acknowledges, as_it_is, false, Ok(())),
            ("no offer, an answer", Prack::Acknowledges, as_it_is, true, Err("no offer to answer (RFC 3262 5)")),
            ("an offer, its answer", Prack::Offers(true), as_it_is, true, Ok(())),
            (
                "an offer, no answer",
                Prack::Offers(true),
                as_it_is,
                false,
                Err("needs an answer in its 2xx (RFC 3262 5)"),
            ),
            ("an offer that was rolled back by hand", Prack::Offers(true), hidden, true, Ok(())),
            (
                "an offer that was answered by hand",
                Prack::Offers(true),
                by_hand,
                true,
                Err("not open any more (RFC 3264 4)"),
            ),
            ("one of ours instead", Prack::Offers(true), ours, true, Err("not answered yet (RFC 3264 4)")),
        ];
        for (row, prack_is, then, describes, expected) in rows {
            let mut clock = FakeClock::default();
            let mut session = responded("offer", ANSWER, &mut clock);
            arrives(&mut session, prack_is, if prack_is == Prack::Acknowledges { "" } else { "second" }, &mut clock);
            then(&mut session);
            match (session.accept_prack_guard(prack(), describes), expected) {
                (Err(error), Err(expected)) => assert!(error.detail.ends_with(expected), "{row}: {error}"),
                (got, expected) => assert_eq!(got.is_ok(), expected.is_ok(), "{row}"),
            }
            assert!(session.accept_prack_guard(fixture::incoming(), false).is_ok(), "{row}: another PRACK");
        }
    }

    /// RFC 3262 §5: the answer in the 2xx to PRACK, and what waited for it.
    #[test]
    fn what_follows_the_2xx_to_a_prack() {
        type Row = (&'static str, Prack, bool, bool, &'static str, Books);
        const SECOND: Books = (Stable, "second", "reply");
        let rows: [Row; 7] = [
            ("nothing waited", Prack::Acknowledges, false, false, "", OLD),
            ("the next of the queue", Prack::Acknowledges, true, false, "Respond 183/8; State", OLD),
            ("the 2xx before it", Prack::Acknowledges, true, true, "Accept 200 2xx", OLD),
            ("its offer is answered", Prack::Offers(true), false, false, "State", SECOND),
            ("then the next of the queue", Prack::Offers(true), true, false, "State; Respond 183/8; State", SECOND),
            ("or the 2xx", Prack::Offers(true), true, true, "State; Accept 200 2xx", SECOND),
            ("of another, so these wait on", Prack::Offers(false), true, true, "State", SECOND),
        ];
        for (row, prack_is, queued, held, follow, after) in rows {
            let mut clock = FakeClock::default();
            let mut session = responded("offer", ANSWER, &mut clock);
            if queued {
                queue(&mut session, 1, 8, None, &mut clock);
            }
            assert_eq!(held, held && session.hold_2xx(fixture::incoming(), 200, &Bytes::from(&b"2xx"[..])), "{row}");
            let (said, answer) = if prack_is == Prack::Acknowledges { ("", "") } else { ("second", "reply") };
            assert_eq!(pracked(&mut session, 1, prack_is, said, answer, &mut clock), follow, "{row}");
            assert_books(&session, after, row);
            assert!(!session.is_offering(prack()), "{row}");
            let server = session.reliable_server(fixture::incoming());
            assert!(!server.is_some_and(ReliableServer::is_answering), "{row}");
        }
    }

    /// RFC 3262 §3, RFC 6337 §2.3: a refused PRACK's offer is void, and its response is repeated again.
    #[test]
    fn what_follows_the_refusal_of_a_prack() {
        // The PRACK comes at 500 ms. How long the host takes, what the next timer brings, and when.
        let rows = [
            ("the interval goes on", 0, "Again 183/7", 1_500),
            ("from the refusal", 10_000, "Again 183/7", 11_500),
            ("until 64*T1", 31_000, "RefuseInvite 504 PrackTimeout", 32_000),
            ("at once beyond that", 40_000, "RefuseInvite 504 PrackTimeout", 40_500),
        ];
        for (row, milliseconds, follow, at) in rows {
            let mut clock = FakeClock::default();
            let mut session = responded("offer", ANSWER, &mut clock);
            session.woken(clock.wait(), &mut clock);
            arrives(&mut session, Prack::Offers(true), "second", &mut clock);
            assert_eq!(clock.timers(), 0, "{row}");
            clock.pass(milliseconds);
            assert_eq!(follows(&session.their_prack_refused(prack(), &mut clock)), "State", "{row}");
            assert_books(&session, OLD, row);
            assert_eq!(means(&session, "7 1 INVITE", "", None, clock.now()), Prack::Acknowledges, "{row}");
            assert_eq!(follows(&session.their_prack_refused(prack(), &mut clock)), "", "{row}: once");
            assert_eq!(clock.timers(), 1, "{row}");
            let deeds = session.woken(clock.wait(), &mut clock);
            assert_eq!((&*follows(&deeds), clock.milliseconds()), (follow, at), "{row}");
        }
        let mut clock = FakeClock::default();
        let mut session = responded("offer", ANSWER, &mut clock);
        arrives(&mut session, Prack::Offers(false), "second", &mut clock);
        session.their_prack_refused(prack(), &mut clock);
        assert_books(&session, OLD, "of another response");
        assert_eq!(clock.timers(), 1, "of another response: this one was repeated all the time");
    }
}
