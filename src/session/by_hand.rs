//! What SIP.js's SessionDialog lets its user do past the messages. The library does all this by itself; whoever calls
//! it answers for what it means to the peer.

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

    /// The 2xx of the peer's re-INVITE is repeated from the moment it is sent: there is nothing left to do. Errors:
    /// state, no 2xx was sent.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::{self, FakeClock};
    use crate::session::terminate::{Cancels, Hangup};
    use crate::slots::IncomingId;

    fn early_callee() -> Session {
        let mut session = fixture::callee("offer");
        session.early(None);
        session
    }

    /// The 2xx is out; no ACK.
    fn accepted() -> Session {
        let mut session = fixture::callee("offer");
        session.accepted(fixture::sent_2xx("answer"), &mut FakeClock::default());
        session
    }

    /// The peer's re-INVITE is here.
    fn reinvited() -> Session {
        let mut session = fixture::confirmed_callee();
        session.their_reinvite_arrived(reinvite(), &fixture::request("INVITE", 2, "second"));
        session
    }

    fn reinvite() -> IncomingId {
        IncomingId::from_raw(2)
    }

    #[test]
    fn nothing_by_hand_when_it_is_over() {
        type Act = fn(&mut Session) -> Result<()>;
        let acts: [(&str, Act); 8] = [
            ("confirm", Session::confirm),
            ("reconfirm", Session::reconfirm),
            ("rollback", Session::rollback),
            ("transition", |session| session.transition(Party::Local, fixture::sdp("offer"))),
            ("transition, no description", |session| session.transition(Party::Local, None)),
            ("defer", |session| session.set_defer_ack(true)),
            ("defer no more", |session| session.set_defer_ack(false)),
            ("processed", |session| session.ack_processed().map(drop)),
        ];
        for (row, act) in acts {
            assert!(act(&mut fixture::confirmed_caller()).is_ok(), "{row}");
            for mut session in
                [fixture::mortal(fixture::confirmed_caller()), fixture::gone(fixture::confirmed_caller())]
            {
                assert_eq!(act(&mut session), Err(Error::state("the session is over")), "{row}");
                assert_eq!(session.lasting.ack_processing, AckProcessing::AtOnce, "{row}");
            }
        }
    }

    #[test]
    fn confirm_in_each_state() {
        use SessionState::{AckWait, Confirmed, Early, Initial};
        // What it says and the state after it; what hangup would do then.
        let rows: [(Session, bool, SessionState, Hangup); 6] = [
            // RFC 3261 §13.3.1.4: the 2xx confirms, and it is repeated until its ACK.
            (fixture::callee("offer"), false, Initial, Hangup::Reject),
            (early_callee(), false, Early, Hangup::Reject),
            // §15: no BYE before the ACK, whatever the host says.
            (accepted(), true, AckWait, Hangup::ByeLater),
            (fixture::confirmed_callee(), true, Confirmed, Hangup::Bye),
            (fixture::caller("offer"), true, Confirmed, Hangup::Bye),
            (fixture::confirmed_caller(), true, Confirmed, Hangup::Bye),
        ];
        for (mut session, confirms, state, hangup) in rows {
            let row = session.state_text();
            assert_eq!((session.confirm().is_ok(), session.state()), (confirms, state), "{row}");
            assert_eq!(session.hangup(Cancels::This), hangup, "{row}");
        }
    }

    /// RFC 3261 §13.3.1.4: a 2xx is repeated from the moment it is sent.
    #[test]
    fn reconfirm_in_each_state() {
        let mut clock = FakeClock::default();
        let (mut accepted, mut acknowledged, mut refused) = (reinvited(), reinvited(), reinvited());
        for session in [&mut accepted, &mut acknowledged] {
            session.accepted(fixture::sent_2xx_to(reinvite(), 2, "reply"), &mut clock);
        }
        acknowledged.ack_arrived(&fixture::request("ACK", 2, ""), &mut clock);
        refused.their_reinvite_refused(None, &mut clock);
        for (row, mut session, expected) in [
            ("no re-INVITE", fixture::confirmed_callee(), true),
            ("no 2xx", reinvited(), false),
            ("2xx", accepted, true),
            ("2xx and ACK", acknowledged, true),
            ("refused", refused, true),
        ] {
            assert_eq!(session.reconfirm().is_ok(), expected, "{row}");
        }
    }

    #[test]
    fn descriptions_by_hand() {
        use Party::{Local, Remote};
        let offered = |party| {
            let mut session = fixture::confirmed_caller();
            session.transition(party, fixture::sdp("hand")).expect("legal");
            session
        };
        let rows: [(Session, Party, &str, bool, &str); 10] = [
            // RFC 3264 §4: who has no offer open may make one, the other one answers it.
            (fixture::caller(""), Local, "x", true, "HaveLocalOffer x/- open"),
            (fixture::caller(""), Remote, "x", true, "HaveRemoteOffer x/- open"),
            (fixture::confirmed_caller(), Local, "x", true, "HaveLocalOffer x/- open"),
            (fixture::confirmed_caller(), Remote, "x", true, "HaveRemoteOffer x/- open"),
            (offered(Local), Remote, "x", true, "Stable hand/x"),
            (offered(Remote), Local, "x", true, "Stable hand/x"),
            (offered(Local), Local, "x", false, "HaveLocalOffer hand/- open"),
            (offered(Remote), Remote, "x", false, "HaveRemoteOffer hand/- open"),
            (fixture::caller("offer"), Remote, "x", true, "Stable offer/x"),
            // It brings none.
            (offered(Local), Local, "", true, "HaveLocalOffer hand/- open"),
        ];
        for (mut session, party, text, expected, books) in rows {
            let row = format!("{} {party:?} {text:?}", fixture::books(&session));
            assert_eq!(session.transition(party, fixture::sdp(text)).is_ok(), expected, "{row}");
            assert_eq!(fixture::books(&session), books, "{row}");
        }
    }

    #[test]
    fn rollback_in_each_state() {
        let mut by_hand = fixture::confirmed_caller();
        by_hand.transition(Party::Local, fixture::sdp("hand")).expect("legal");
        for (mut session, books) in [
            (fixture::caller(""), "Initial -/-"),
            (fixture::confirmed_caller(), "Stable offer/answer"),
            (by_hand, "Stable offer/answer"),
            // To the peer the offer is open as long as its message is unanswered.
            (fixture::caller("offer"), "Initial -/- open"),
            (fixture::callee("offer"), "Initial -/- open"),
            (reinvited(), "Stable offer/answer open"),
        ] {
            let row = fixture::books(&session);
            assert_eq!(session.rollback(), Ok(()), "{row}");
            assert_eq!(fixture::books(&session), books, "{row}");
        }
    }

    /// RFC 6337 §4.3: no re-INVITE while the body of an ACK is worked off.
    #[test]
    fn who_says_that_an_ack_is_worked_off() {
        use AckProcessing::{AtOnce, Deferred, Waiting};
        for (before, on, off, processed, waits) in [
            (AtOnce, Deferred, AtOnce, AtOnce, false),
            (Deferred, Deferred, AtOnce, Deferred, false),
            (Waiting, Waiting, AtOnce, Deferred, true),
        ] {
            let session = || {
                let mut session = fixture::confirmed_callee();
                session.lasting.ack_processing = before;
                session
            };
            for (defer, expected) in [(true, on), (false, off)] {
                let mut session = session();
                assert_eq!(session.set_defer_ack(defer), Ok(()));
                assert_eq!(session.lasting.ack_processing, expected, "{before:?} {defer}");
            }
            let mut session = session();
            assert_eq!(session.ack_processed(), Ok(waits), "{before:?}");
            assert_eq!(session.lasting.ack_processing, processed, "{before:?}");
        }
    }
}
