//! Tables of ACK: a row is a state, an input, and what follows.

use super::*;
use crate::session::change::By;
use crate::session::fixture::{self, FakeClock, callee, caller, confirmed_callee, exchange, said, section};
use crate::session::invite_client::{HostAcks, Taken};
use crate::session::reinvite::{Around, Arrival};
use crate::session::{SessionState, SignalingState};

const HUNG_UP: Reason = Reason::LocalHangup;

pub(in crate::session) fn ack(session: &mut Session, number: u32, body: &str, clock: &mut FakeClock) -> String {
    said(&session.ack_arrived(&fixture::request("ACK", number, body), clock))
}

/// A callee whose first 2xx waits for its ACK.
pub(in crate::session) fn accepted(offer: &str, description: &str, clock: &mut FakeClock) -> Session {
    let mut session = callee(offer);
    session.accepted(fixture::sent_2xx(description), clock);
    session
}

/// The peer's re-INVITE of this number is accepted.
pub(in crate::session) fn reaccept(
    session: &mut Session,
    number: u32,
    [offer, description]: [&str; 2],
    clock: &mut FakeClock,
) {
    let id = fixture::reinvited(session, number, offer);
    session.answered(id);
    session.accepted(fixture::sent_2xx_to(id, number, description), clock);
}

/// A callee's confirmed session, whose peer's re-INVITE 2 is accepted.
fn reaccepted(descriptions: [&str; 2], clock: &mut FakeClock) -> Session {
    let mut session = confirmed_callee();
    reaccept(&mut session, 2, descriptions, clock);
    session
}

/// The same of a re-INVITE that comes from elsewhere.
fn reaccepted_moved(clock: &mut FakeClock) -> Session {
    let mut session = confirmed_callee();
    let id = fixture::reinvited(&mut session, 2, "");
    session.answered(id);
    let lines = "Contact: <sip:a@elsewhere>\r\nRecv-Info: dtmf\r\n";
    let request = fixture::message("INVITE sip:c@d SIP/2.0", "2 INVITE", lines, "");
    session.accepted(Sent2xx { request: &request, ..fixture::sent_2xx_to(id, 2, "") }, clock);
    session
}

/// A callee whose peer said BYE before the ACK.
fn ended(clock: &mut FakeClock) -> Session {
    let mut session = accepted("offer", "answer", clock);
    session.end(Ending::because(Reason::RemoteBye), clock);
    session
}

/// The first word that is no repeat.
pub(in crate::session) fn give_up(session: &mut Session, clock: &mut FakeClock) -> String {
    loop {
        let deeds = session.woken(clock.wait(), clock);
        if !matches!(&deeds[..], [Deed::Repeat(_)]) {
            return said(&deeds);
        }
    }
}

/// Hangs up while the ACK is not here (§15).
fn hang_up(session: &mut Session) {
    assert_eq!(said(&session.leave(Ending::because(HUNG_UP))), "");
}

/// §13.3.1.4: T1, doubling to T2, until 64*T1.
#[test]
fn the_schedule_of_the_rfc() {
    let mut clock = FakeClock::default();
    let mut session = accepted("v=0", "v=0", &mut clock);
    let mut schedule = Vec::new();
    let end = loop {
        let deeds = session.woken(clock.wait(), &mut clock);
        match &deeds[..] {
            [Deed::Repeat(_)] => schedule.push(clock.milliseconds()),
            _ => break said(&deeds),
        }
    };
    assert_eq!(schedule, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!((clock.milliseconds(), clock.timers()), (32_000, 0));
    assert_eq!(end, "State, Over 1, AckTimedOut");
}

/// §13.3.1.4: each 2xx goes out again until its own ACK.
#[test]
fn each_2xx_is_repeated_by_itself() {
    let (mut clock, mut session) = (FakeClock::default(), callee(""));
    for (number, response) in [(1, &b"first"[..]), (2, b"second")] {
        let id = IncomingId::from_raw(number.into());
        session.accepted(Sent2xx { response: response.into(), ..fixture::sent_2xx_to(id, number, "") }, &mut clock);
    }
    let mut repeats = [(); 2].map(|()| said(&session.woken(clock.wait(), &mut clock)));
    repeats.sort_unstable();
    assert_eq!(repeats, ["Repeat first", "Repeat second"]);
    ack(&mut session, 1, "", &mut clock);
    assert_eq!([(); 2].map(|()| said(&session.woken(clock.wait(), &mut clock))), ["Repeat second"; 2]);
}

#[test]
fn what_a_2xx_of_ours_does() {
    type Row = (&'static str, fn(&mut FakeClock) -> Session, &'static str, SessionState, &'static str);
    use SessionState::{AckWait, Confirmed};
    let rows: [Row; 5] = [
        (
            "RFC 3261 13.3.1.4: the answer is final",
            |clock| accepted("offer", "answer", clock),
            "a@h",
            AckWait,
            "Stable offer/answer",
        ),
        (
            "RFC 3261 13.2.1: the offer is open until the ACK",
            |clock| accepted("", "offer", clock),
            "a@h",
            AckWait,
            "HaveLocalOffer offer/-",
        ),
        (
            "RFC 6141 4: the re-INVITE's refresh is accepted",
            reaccepted_moved,
            "a@elsewhere",
            Confirmed,
            "Stable offer/answer",
        ),
        (
            "RFC 3261 14.2: the answer to the re-INVITE",
            |clock| reaccepted(["second", "third"], clock),
            "a@h",
            Confirmed,
            "Stable second/third",
        ),
        (
            "RFC 3261 14.2: an offer where the re-INVITE has none",
            |clock| reaccepted(["", "second"], clock),
            "a@h",
            Confirmed,
            "HaveLocalOffer second/-",
        ),
    ];
    for (rule, session, target, state, expected) in rows {
        let mut clock = FakeClock::default();
        let session = session(&mut clock);
        assert_eq!(session.remote_target(), format!("sip:{target}").as_bytes(), "{rule}");
        assert_eq!((session.state(), exchange(&session).as_str(), clock.timers()), (state, expected, 1), "{rule}");
        assert_eq!(session.peer().takes_info_package(b"dtmf"), target == "a@elsewhere", "RFC 6086 5.2: {rule}");
        assert_eq!(session.waits_for_acks(true), session.signaling_state() == SignalingState::HaveLocalOffer, "{rule}");
    }
}

#[test]
fn a_2xx_ends_reliable_responses() {
    let mut clock = FakeClock::default();
    let mut session = callee("");
    fixture::respond_reliably(&mut session, 1, Some((Part::Offer, "offer")), &mut clock);
    let deeds = session.accepted(fixture::sent_2xx(""), &mut clock);
    assert_eq!((said(&deeds).as_str(), clock.timers()), ("Left 1 7 offered", 1), "RFC 3262 3: its PRACK is still good");
}

#[test]
fn the_ack_of_the_first_2xx() {
    type Row = (&'static str, [&'static str; 3], bool, &'static str, &'static str);
    // The descriptions in INVITE, 2xx and ACK; whether a BYE waits; what follows beside the confirmation; the books.
    let rows: [Row; 8] = [
        (
            "RFC 3261 13.3.1.4: it confirms the session",
            ["offer", "answer", ""],
            false,
            "Acknowledged",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 13.2.1: the answer to the 2xx",
            ["", "offer", "answer"],
            false,
            "Acknowledged",
            "Stable offer/answer",
        ),
        (
            "RFC 3264 4: no offer is open, the body answers nothing",
            ["offer", "answer", "other"],
            false,
            "Acknowledged",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 13.2.2.4: the answer is missing, nothing to fall back to",
            ["", "offer", ""],
            false,
            "Acknowledged NoAnswerIn2xx, Bye NoAnswerIn2xx",
            "Initial -/-",
        ),
        (
            "RFC 3261 15: BYE waited for it",
            ["offer", "answer", ""],
            true,
            "Acknowledged, Bye LocalHangup",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 15: the same with an answer",
            ["", "offer", "answer"],
            true,
            "Acknowledged, Bye LocalHangup",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 15: one BYE, the first reason",
            ["", "offer", ""],
            true,
            "Acknowledged NoAnswerIn2xx, Bye LocalHangup",
            "Initial -/-",
        ),
        ("RFC 3264: no descriptions at all", ["", "", ""], false, "Acknowledged", "Initial -/-"),
    ];
    for (rule, [offer, in_2xx, in_ack], hung_up, then, expected) in rows {
        let mut clock = FakeClock::default();
        let mut session = accepted(offer, in_2xx, &mut clock);
        if hung_up {
            hang_up(&mut session);
        }
        let got = ack(&mut session, 1, in_ack, &mut clock);
        assert_eq!(got, format!("Confirmed, State, Over 1, {then}"), "{rule}");
        assert_eq!((exchange(&session).as_str(), session.state()), (expected, SessionState::Confirmed), "{rule}");
        assert_eq!((session.origin(), clock.timers()), (None, 0), "{rule}");
        assert_eq!(ack(&mut session, 1, in_ack, &mut clock), "", "{rule}: repeats are absorbed");
    }
}

/// What the host has told by hand stands.
#[test]
fn an_answer_told_by_hand_is_not_told_again() {
    let mut clock = FakeClock::default();
    let mut session = accepted("", "offer", &mut clock);
    session.transition(Party::Remote, fixture::sdp("by hand")).expect("the offer is open");
    assert_eq!(ack(&mut session, 1, "answer", &mut clock), "Confirmed, State, Over 1, Acknowledged");
    assert_eq!(exchange(&session), "Stable offer/by hand");
}

#[test]
fn the_ack_of_a_reinvite() {
    let rows = [
        ("RFC 3261 14.2: it ends the re-INVITE", ["second", "third", ""], "Acknowledged", "Stable second/third"),
        ("RFC 3261 13.2.1: the answer to the 2xx", ["", "second", "third"], "Acknowledged", "Stable second/third"),
        (
            "RFC 3261 14.1: unanswered, the former exchange stands, and the session",
            ["", "second", ""],
            "Acknowledged NoAnswerIn2xx",
            "Stable offer/answer",
        ),
    ];
    for (rule, [offer, in_2xx, in_ack], then, expected) in rows {
        let (mut clock, mut session) = (FakeClock::default(), confirmed_callee());
        reaccept(&mut session, 2, [offer, in_2xx], &mut clock);
        assert_eq!(ack(&mut session, 2, in_ack, &mut clock), format!("State, Over 2, {then}"), "{rule}");
        assert_eq!(
            (exchange(&session).as_str(), session.reinvite_server(), clock.timers()),
            (expected, None, 0),
            "{rule}"
        );
    }
}

/// RFC 5407 §3.1.4: not the latest 2xx is acknowledged but the one with the number.
#[test]
fn an_ack_is_found_by_its_number() {
    let first = "Confirmed, State, Over 1, Acknowledged, Bye LocalHangup";
    let second = "State, Over 2, Acknowledged";
    let rows: [(&str, &[(u32, &str)]); 4] = [
        ("RFC 5407 3.1.4: the ACK of the re-INVITE overtakes, BYE waits for the other", &[(2, second), (1, first)]),
        ("RFC 3261 13.3.1.4: in order", &[(1, first), (2, second)]),
        ("RFC 3261 13.3.1.4: repeats are absorbed", &[(2, second), (2, ""), (1, first), (1, ""), (2, "")]),
        ("RFC 3261 17.1.1.3: the number of no INVITE", &[(3, "")]),
    ];
    for (rule, acks) in rows {
        let mut clock = FakeClock::default();
        let mut session = accepted("offer", "answer", &mut clock);
        reaccept(&mut session, 2, ["", ""], &mut clock);
        hang_up(&mut session);
        let mut waiting = vec![1, 2];
        for (number, expected) in acks {
            assert_eq!(ack(&mut session, *number, "", &mut clock), *expected, "{rule}: ACK {number}");
            waiting.retain(|one| one != number);
            for one in [1, 2] {
                let is_accepted = session.is_accepted(IncomingId::from_raw(one.into()));
                assert_eq!(is_accepted, waiting.contains(&one), "{rule}: {one} after ACK {number}");
            }
            assert_eq!(clock.timers(), waiting.len(), "{rule}: ACK {number}");
        }
    }
}

/// RFC 6337 §4.3 (UAS-IsI): no re-INVITE while the ACK is not worked off, whatever it brings (SIP.js).
#[test]
fn an_ack_that_takes_its_time() {
    for (deferred, offer, body, meets) in [
        (true, "", "answer", Arrival::RetryLater),
        (true, "offer", "", Arrival::RetryLater),
        (false, "offer", "", Arrival::Process),
        (false, "", "answer", Arrival::Process),
    ] {
        let mut clock = FakeClock::default();
        let mut session = accepted(offer, "description", &mut clock);
        session.set_defer_ack(deferred).expect("it lives");
        ack(&mut session, 1, body, &mut clock);
        assert_eq!(session.their_reinvite_meets(Around::default()), meets, "{deferred} {body}");
        assert_eq!(session.ack_processed(), Ok(meets == Arrival::RetryLater), "{deferred} {body}");
        assert_eq!(session.their_reinvite_meets(Around::default()), Arrival::Process, "{deferred} {body}");
    }
}

#[test]
fn no_ack_comes() {
    type Row = (&'static str, fn(&mut FakeClock) -> Session, &'static str, &'static str);
    let rows: [Row; 10] = [
        (
            "RFC 3261 13.3.1.4: the host decides",
            |clock| accepted("offer", "answer", clock),
            "State, Over 1, AckTimedOut",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 13.2.1: with the answer goes the offer",
            |clock| accepted("", "offer", clock),
            "State, Over 1, AckTimedOut",
            "Initial -/-",
        ),
        (
            "RFC 3261 15: BYE waits no longer",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                hang_up(&mut session);
                session
            },
            "State, Over 1, Bye LocalHangup",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 14.2: of a re-INVITE",
            |clock| reaccepted(["", "second"], clock),
            "State, Over 2, AckTimedOut",
            "Stable offer/answer",
        ),
        (
            "RFC 6141 5.4: the peer has moved, but sent no newer INVITE",
            reaccepted_moved,
            "State, Over 2, AckTimedOut",
            "Stable offer/answer",
        ),
        (
            "RFC 6141 5.4: it has moved, and sent one",
            |clock| {
                let mut session = reaccepted_moved(clock);
                session.newer_invite_came();
                session
            },
            "State, Over 2",
            "Stable offer/answer",
        ),
        (
            "RFC 6141 5.4: it has sent one from where it was",
            |clock| {
                let mut session = reaccepted(["", ""], clock);
                session.newer_invite_came();
                session
            },
            "State, Over 2, AckTimedOut",
            "Stable offer/answer",
        ),
        (
            "RFC 3261 13.3.1.4: that of the INVITE is none that moved",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                session.newer_invite_came();
                session
            },
            "State, Over 1, AckTimedOut",
            "Stable offer/answer",
        ),
        ("RFC 5407 3.1.3: the peer's BYE is not answered yet", ended, "State, Over 1", "Closed -/-"),
        (
            "RFC 5407 3.1.3: only the ACK kept it",
            |clock| {
                let mut session = ended(clock);
                session.finish();
                session
            },
            "State, Over 1, Finish",
            "Closed -/-",
        ),
    ];
    for (rule, session, expected, expected_books) in rows {
        let mut clock = FakeClock::default();
        let mut session = session(&mut clock);
        assert_eq!(give_up(&mut session, &mut clock), expected, "{rule}");
        assert_eq!((exchange(&session).as_str(), clock.timers()), (expected_books, 0), "{rule}");
        assert_eq!(session.reinvite_server(), None, "{rule}");
        assert_eq!([1, 2].map(|number| ack(&mut session, number, "", &mut clock)), ["", ""], "{rule}: too late");
    }
}

/// §13.3.1.4: what follows where the host says nothing to ACK_TIMEOUT.
#[test]
fn the_host_leaves_it_to_the_default() {
    let mut clock = FakeClock::default();
    let mut session = accepted("offer", "answer", &mut clock);
    assert_eq!(said(&session.ack_never_came()), "", "RFC 3261 15: the ACK may still come");
    assert!(session.lasting.deferred_bye.is_none(), "and is waited for");
    give_up(&mut session, &mut clock);
    assert_eq!(said(&session.ack_never_came()), "Bye AckTimeout");
    session.end(Ending::because(HUNG_UP), &mut clock);
    assert_eq!(said(&session.ack_never_came()), "", "it is over");
}

#[test]
fn the_ack_when_the_session_is_over() {
    let rows = [
        ("RFC 5407 3.1.3: the peer's BYE is not answered yet", false, "State, Over 1"),
        ("RFC 5407 3.1.3: nothing else is under way", true, "State, Over 1, Finish"),
    ];
    for (rule, finished, expected) in rows {
        let mut clock = FakeClock::default();
        let mut session = accepted("", "offer", &mut clock);
        session.end(Ending::because(Reason::RemoteBye), &mut clock);
        assert_eq!(said(&session.woken(clock.wait(), &mut clock)), "Repeat 2xx", "{rule}");
        if finished {
            assert_eq!(said(&session.finish()), "", "{rule}");
        }
        assert_eq!(ack(&mut session, 1, "answer", &mut clock), expected, "{rule}");
        assert_eq!((session.state(), clock.timers()), (SessionState::Terminated, 0), "{rule}");
    }
}

// ---------------------------------------------------------------------- caller

/// A caller whose host owes the ACK of its INVITE.
pub(in crate::session) fn owing(offer: &str, in_2xx: &str) -> Session {
    let mut session = caller(offer);
    let taken = session.confirmed_by(fixture::outgoing(), &fixture::response(200, 1, "", in_2xx), HostAcks::All);
    assert_eq!(taken, Taken::ByHost);
    session
}

/// The same of its re-INVITE 2, whose 2xx came before the session was over, or after.
fn reowing(too_late: bool) -> Session {
    let (mut session, reinvite) = (fixture::confirmed_caller(), OutgoingId::from_raw(2));
    session.our_change_sent(By::Reinvite, reinvite, None);
    let taken = if too_late {
        session.end(Ending::because(HUNG_UP), &mut FakeClock::default());
        session.our_reinvite_accepted(reinvite, &fixture::response(200, 2, "", ""), HostAcks::All)
    } else {
        session.our_reinvite_accepted(reinvite, &fixture::response(200, 2, "", "second"), HostAcks::All)
    };
    assert_eq!(taken, Taken::ByHost);
    session
}

#[test]
fn which_ack_the_host_may_send() {
    type Row = (&'static str, Session, [Result<u64, &'static str>; 2]);
    // Whose ACK goes out, or what forbids it: without a description, and with one.
    let rows: [Row; 6] = [
        ("RFC 3261 13.2.2.4: none is owed", fixture::confirmed_caller(), [Err("RFC 3261 13.2.2.4"); 2]),
        ("RFC 3264: no offer waits", owing("offer", "answer"), [Ok(1), Err("RFC 3264")]),
        ("RFC 3261 13.2.1: the offer of the 2xx waits", owing("", "offer"), [Err("RFC 3261 13.2.1"), Ok(1)]),
        ("RFC 3261 14.1: of a re-INVITE", reowing(false), [Err("RFC 3261 13.2.1"), Ok(2)]),
        ("RFC 5407 3.2.3: in the Mortal state", reowing(true), [Ok(2), Err("RFC 3264")]),
        (
            "RFC 5407 2: in the Morgue",
            {
                let mut session = reowing(true);
                session.terminated_told();
                session
            },
            [Err("RFC 3261 13.2.2.4"); 2],
        ),
    ];
    for (rule, session, expected) in rows {
        for (describes, expected) in [false, true].into_iter().zip(expected) {
            let guard = session.ack_guard(describes);
            let got = guard.as_ref().map(|id| id.raw()).map_err(|error| section::<()>(Err(error.clone())));
            assert_eq!(got, expected.map_err(str::to_owned), "{rule}: {describes}");
        }
    }
}

#[test]
fn the_ack_goes_out() {
    let rows: [(&str, Session, &str, &str); 4] = [
        ("RFC 3261 13.2.2.4: nothing to answer", owing("offer", "answer"), "", "Stable offer/answer"),
        ("RFC 3261 13.2.1: with the answer", owing("", "offer"), "answer", "Stable offer/answer"),
        ("RFC 3261 14.1: of a re-INVITE", reowing(false), "third", "Stable second/third"),
        (
            "what the host told by hand stands",
            {
                let mut session = owing("", "offer");
                session.transition(Party::Local, fixture::sdp("by hand")).expect("the offer is open");
                session
            },
            "answer",
            "Stable offer/by hand",
        ),
    ];
    for (rule, mut session, answer, expected) in rows {
        assert_eq!(said(&session.ack_sent(fixture::sdp(answer))), "State", "{rule}");
        assert_eq!((exchange(&session).as_str(), session.reinvite_client()), (expected, None), "{rule}");
        assert_eq!(session.owed_ack().map(|owed| owed.outgoing), None, "{rule}: once");
    }
}

/// The host wants the session ended, or let 64*T1 pass (§13.2.2.4).
#[test]
fn the_library_acknowledges_what_is_owed() {
    for (mut session, expected) in
        [(owing("", "offer"), "Acknowledge 1"), (reowing(false), "Acknowledge 2"), (fixture::confirmed_caller(), "")]
    {
        let deeds: Deeds = session.acknowledge_owed().into_iter().collect();
        assert_eq!((said(&deeds).as_str(), session.reinvite_client()), (expected, None));
        assert!(session.acknowledge_owed().is_none(), "once");
    }
}
