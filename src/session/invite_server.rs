//! What our answers to an INVITE or re-INVITE of the peer do to a session (RFC 3261 §13.3, §14.2).

use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::deed::{Clock, Deed, Deeds, Refusal};
use crate::session::offer_answer::{Carries, Party, Shown, StoredBody};
use crate::session::reason::Ending;
use crate::session::{Phase, Session};
use crate::transaction::ServerId;
use smallvec::smallvec;

/// Whether a 2xx with a description, or without, may be given to this INVITE: it answers its offer, or makes one where
/// the INVITE brought none; unless a reliable response did (RFC 3262 §5). `described`: one did.
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

/// Whether an unreliable response to this INVITE may show a description (RFC 3261 §13.2.1). `described`: a reliable one
/// has carried it.
pub fn preview_guard(invite: &Message, described: bool) -> Result<()> {
    if invite.session_body().is_none() {
        return Err(Error::state("an offer stands in a reliable response, this one is not (RFC 3261 13.2.1)"));
    }
    if described {
        return Err(Error::state("body: a reliable response has carried the answer already (RFC 6337 3.1)"));
    }
    Ok(())
}

impl Session {
    /// A tagged provisional response has gone out. `shown`: what it previews (§13.2.1).
    pub fn early(&mut self, shown: Option<Shown>) -> Deeds {
        if let Some(shown) = shown {
            self.lasting.signaling.show(Party::Local, shown);
        }
        self.rings();
        smallvec![Deed::State]
    }

    /// A tagged provisional response makes the dialog early (§12.1.1).
    pub(super) fn rings(&mut self) {
        if matches!(self.lasting.phase, Phase::Initial) {
            self.lasting.phase = Phase::Early;
        }
    }

    /// The answer to the open offer that an unreliable response has shown (§13.2.1).
    pub fn shown_answer(&self) -> Option<&Shown> {
        self.lasting.signaling.shown()
    }

    /// The description that a 2xx puts into the books, unless the host has told the answer by hand before. Errors:
    /// state, it is not our turn.
    pub fn accept_guard(&self, invite: &Message, description: Option<StoredBody>) -> Result<Option<StoredBody>> {
        let told = invite.session_body().is_some() && self.open_offer().is_none();
        let Some(description) = description.filter(|_| !told) else { return Ok(None) };
        self.lasting.signaling.would_be(Party::Local)?;
        Ok(Some(description))
    }

    /// The peer's re-INVITE got another final response than 2xx: the session is what it was before (§14.1). The
    /// re-INVITE stays until its ACK; a PRACK whose offer waits for its answer goes with it.
    pub fn their_reinvite_refused(&mut self, transaction: Option<ServerId>, clock: &mut impl Clock) -> Deeds {
        let mut deeds = Deeds::new();
        let answering = self.reliable_over(&mut deeds, clock).is_some_and(|server| server.is_answering());
        let theirs = self.running.theirs();
        theirs.note_refused(transaction);
        let carries = theirs.reinvite.take().map(|reinvite| reinvite.carries).unwrap_or_default();
        self.updates_undone(&carries, &mut deeds);
        self.lasting.signaling.undo(carries);
        let theirs = self.running.theirs();
        if let Some(prack) = theirs.prack.as_mut().filter(|_| answering) {
            // Its offer went with the re-INVITE.
            prack.carries = Carries::Nothing;
            let refusal = Box::new(Refusal { status: 488, reason: None, ending: Ending::default() });
            deeds.push(Deed::Refuse(prack.request, refusal));
        }
        self.running.tidy();
        deeds.push(Deed::State);
        deeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionState;
    use crate::session::fixture::{self, FakeClock, callee, confirmed_callee, exchange, said, sdp, section};
    use crate::session::offer_answer::Part;
    use crate::session::prack_server::Prack;
    use crate::slots::IncomingId;

    #[test]
    fn whether_a_2xx_describes() {
        // A reliable response described; the INVITE offers; the 2xx describes.
        let rows = [
            (false, "offer", true, ""),
            (false, "offer", false, "RFC 3261 13.3.1.4"),
            (false, "", true, ""),
            (false, "", false, "RFC 3261 13.2.1"),
            (true, "offer", true, "RFC 6337 3.1"),
            (true, "offer", false, ""),
            (true, "", true, "RFC 6337 3.1"),
            (true, "", false, ""),
        ];
        for (described, offer, given, expected) in rows {
            let got = description_due(&fixture::request("INVITE", 1, offer), described, given);
            assert_eq!(section(got), expected, "{described} {offer} {given}");
        }
    }

    #[test]
    fn what_a_2xx_puts_into_the_books() {
        let by_hand = |offer: &str| {
            let mut session = callee(offer);
            session.transition(Party::Local, sdp("by hand")).expect("it is our turn");
            session
        };
        type Row = (&'static str, Session, &'static str, &'static str, Result<&'static str, &'static str>);
        // The offer of the INVITE; the description for the 2xx; what the books take of it, or what forbids it.
        let rows: [Row; 7] = [
            ("RFC 3261 13.3.1.4: the answer", callee("offer"), "offer", "answer", Ok("answer")),
            ("RFC 3261 13.2.1: the offer", callee(""), "", "offer", Ok("offer")),
            ("RFC 3262 5: a reliable response had it", callee("offer"), "offer", "", Ok("")),
            ("the host told the answer by hand", by_hand("offer"), "offer", "answer", Ok("")),
            ("RFC 3264 4: our offer is open", by_hand(""), "", "offer", Err("RFC 3264 4")),
            (
                "RFC 3261 14.2: a re-INVITE's",
                {
                    let mut session = confirmed_callee();
                    fixture::reinvited(&mut session, 2, "second");
                    session
                },
                "second",
                "third",
                Ok("third"),
            ),
            ("RFC 3261 14.2: that of one without offer", confirmed_callee(), "", "second", Ok("second")),
        ];
        for (rule, session, offer, description, expected) in rows {
            let got = session.accept_guard(&fixture::request("INVITE", 1, offer), sdp(description));
            let got = got.map_err(|error| section::<()>(Err(error)));
            assert_eq!(got, expected.map(sdp).map_err(str::to_owned), "{rule}");
        }
    }

    #[test]
    fn a_provisional_response_and_what_it_shows() {
        use SessionState::{Confirmed, Early};
        let reinvited = |offer| {
            let mut session = confirmed_callee();
            fixture::reinvited(&mut session, 2, offer);
            session
        };
        let rows: [(&str, Session, &[&str], SessionState, &str); 6] = [
            ("RFC 3261 12.1.1: the dialog is early", callee("offer"), &[""], Early, "HaveRemoteOffer offer/-"),
            ("RFC 3261 13.2.1: a preview", callee("offer"), &["shown"], Early, "Stable offer/shown"),
            (
                "RFC 3261 13.2.1: only the first counts",
                callee("offer"),
                &["", "shown", "again"],
                Early,
                "Stable offer/shown",
            ),
            ("RFC 6337 3.1.1: it offers nothing", callee(""), &["shown"], Early, "Initial -/-"),
            ("RFC 3261 14.2: to a re-INVITE", reinvited("second"), &["shown"], Confirmed, "Stable second/shown"),
            ("RFC 3261 14.2: to one without offer", reinvited(""), &["shown"], Confirmed, "Stable offer/answer"),
        ];
        for (rule, mut session, responses, state, expected) in rows {
            let open = session.open_offer();
            for shown in responses {
                assert_eq!(said(&session.early(sdp(shown).map(Shown::from))), "State", "{rule}");
            }
            assert_eq!((session.state(), exchange(&session).as_str()), (state, expected), "{rule}");
            assert_eq!(session.open_offer(), open, "RFC 6337 3.1.1: nothing is completed: {rule}");
        }
    }

    #[test]
    fn a_reinvite_is_refused() {
        const PRACK: u64 = 3;
        let offering = |session: &mut Session, waits, clock: &mut FakeClock| {
            let prack = fixture::request("PRACK", 3, "fourth");
            session.their_prack_arrived(IncomingId::from_raw(PRACK), &prack, Prack::Offers(waits), clock);
        };
        type Row<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Session, &mut FakeClock), &'a str, &'a str);
        // The re-INVITE's offer; what happened since; what follows; the books.
        let rows: [Row<'_>; 6] = [
            ("RFC 3261 14.1: its offer is void", "second", &|_, _| {}, "State", "Stable offer/answer"),
            ("RFC 3261 14.1: it had none", "", &|_, _| {}, "State", "Stable offer/answer"),
            (
                "RFC 3261 14.1: with what was shown",
                "second",
                &|session, _| drop(session.early(sdp("shown").map(Shown::from))),
                "State",
                "Stable offer/answer",
            ),
            (
                "RFC 6337 3.4: with the exchange of its reliable responses",
                "second",
                &|session, clock| {
                    fixture::respond_reliably(session, 2, Some((Part::Answer, "third")), clock);
                },
                "Left 2 7, State",
                "Stable offer/answer",
            ),
            (
                "RFC 3262 5: with our offer in one",
                "",
                &|session, clock| {
                    fixture::respond_reliably(session, 2, Some((Part::Offer, "second")), clock);
                },
                "Left 2 7 offered, State",
                "Stable offer/answer",
            ),
            (
                "RFC 6337 3.4: with the offer of a PRACK that waits",
                "second",
                &|session, clock| {
                    fixture::respond_reliably(session, 2, Some((Part::Answer, "third")), clock);
                    offering(session, true, clock);
                },
                "Left 2 7, Refuse 3 488, State",
                "Stable offer/answer",
            ),
        ];
        for (rule, offer, since, expected, expected_books) in rows {
            let (mut clock, mut session) = (FakeClock::default(), confirmed_callee());
            fixture::reinvited(&mut session, 2, offer);
            since(&mut session, &mut clock);
            let transaction = ServerId::of_nobody();
            assert_eq!(said(&session.their_reinvite_refused(Some(transaction), &mut clock)), expected, "{rule}");
            assert_eq!((exchange(&session).as_str(), clock.timers()), (expected_books, 0), "{rule}");
            assert_eq!(session.reinvite_server(), None, "{rule}");
            assert_eq!(session.refused(), [transaction], "RFC 3261 14.1: it waits for its ACK: {rule}");
            // What the refusal of the PRACK owed to the books went with the re-INVITE's.
            session.transition(Party::Remote, sdp("later")).expect("no offer is open");
            session.their_prack_refused(IncomingId::from_raw(PRACK), &mut clock);
            assert_eq!((exchange(&session).as_str(), clock.timers()), ("HaveRemoteOffer later/-", 0), "{rule}");
        }
    }

    /// RFC 3262 §5: the PRACK is that of a response that an earlier final one left: its offer is none of the
    /// re-INVITE's.
    #[test]
    fn the_offer_of_a_late_prack_stays() {
        let (mut clock, mut session) = (FakeClock::default(), confirmed_callee());
        fixture::reinvited(&mut session, 2, "");
        let prack = IncomingId::from_raw(3);
        session.their_prack_arrived(prack, &fixture::request("PRACK", 3, "second"), Prack::Offers(false), &mut clock);
        assert_eq!(said(&session.their_reinvite_refused(None, &mut clock)), "State");
        assert_eq!((exchange(&session).as_str(), session.is_offering(prack)), ("HaveRemoteOffer second/-", true));
        session.their_prack_refused(prack, &mut clock);
        assert_eq!(exchange(&session), "Stable offer/answer");
    }
}
