use super::*;
use crate::session::SignalingState;
use crate::session::fixture::{self, FakeClock, request, response, sdp, section};
use crate::session::invite_client::HostAcks;
use crate::session::prack_server::Prack;
use crate::session::reinvite::Arrival::{Pending, Process, RetryLater};

const NOTHING_AROUND: Around = Around { invite_pends: false, refused_waits: false };

fn ours() -> OutgoingId {
    OutgoingId::from_raw(7)
}

fn theirs() -> IncomingId {
    IncomingId::from_raw(8)
}

fn update(offer: &str) -> std::sync::Arc<Message> {
    fixture::message("UPDATE sip:c@d SIP/2.0", "5 UPDATE", "Contact: <sip:a@h2>\r\n", offer)
}

fn answer(status: u16, lines: &str, sdp: &str) -> std::sync::Arc<Message> {
    fixture::message(&format!("SIP/2.0 {status} Whatever"), "5 UPDATE", lines, sdp)
}

/// An early callee whose reliable response has this description, acknowledged or not.
fn early_callee(offer: &str, description: Option<(Part, &str)>, acknowledged: bool) -> Session {
    let mut clock = FakeClock::default();
    let mut session = fixture::callee(offer);
    fixture::respond_reliably(&mut session, 1, description, &mut clock);
    if acknowledged {
        let body = if offer.is_empty() { "answer" } else { "" };
        let prack = request("PRACK", 2, body);
        session.their_prack_arrived(IncomingId::from_raw(9), &prack, Prack::Acknowledges, &mut clock);
    }
    session
}

/// An early caller whose INVITE had this offer, and that took a reliable response with this description.
fn early_caller(offer: &str, description: &str) -> Session {
    let mut session = fixture::caller(offer);
    session.take_reliable(fixture::outgoing(), &fixture::reliable(1, 1, description), 1, false).expect("in order");
    session
}

fn with(mut session: Session, act: impl FnOnce(&mut Session)) -> Session {
    act(&mut session);
    session
}

/// §5.1, RFC 6337 §3.1, §4.3.
#[test]
fn when_one_may_be_sent() {
    let answered = Some((Part::Answer, "answer"));
    let offered = Some((Part::Offer, "offer"));
    let prack = OutgoingId::from_raw(3);
    type Row = (&'static str, Session, &'static str, &'static str);
    // What forbids one without an offer, and one with.
    let rows: [Row; 20] = [
        ("a call that stands", fixture::confirmed_caller(), "", ""),
        ("the callee's", fixture::confirmed_callee(), "", ""),
        ("no dialog", fixture::callee("offer"), "RFC 3261 12", "RFC 3261 12"),
        ("over", fixture::mortal(fixture::confirmed_caller()), "the session is over", "the session is over"),
        ("our offer is open", fixture::caller("offer"), "", "RFC 3264 4"),
        ("the first exchange has not begun", fixture::caller(""), "", "RFC 3311 5.1"),
        ("the answer came reliably", early_caller("offer", "answer"), "", ""),
        (
            "RFC 6337 3.1: its PRACK has no answer",
            with(early_caller("offer", "answer"), |session| drop(session.our_prack_sent(prack, None, false))),
            "",
            "RFC 3311 5.1",
        ),
        ("the offer waits for the PRACK", early_caller("", "offer"), "", "RFC 3311 5.1"),
        (
            "the peer's offer is open",
            with(fixture::callee("offer"), |session| drop(session.early(None))),
            "",
            "RFC 3311 5.1",
        ),
        ("our answer waits for its PRACK", early_callee("offer", answered, false), "", "RFC 3311 5.1"),
        ("the PRACK is here", early_callee("offer", answered, true), "", ""),
        ("our offer waits for its answer", early_callee("", offered, false), "", "RFC 3264 4"),
        ("the answer is here", early_callee("", offered, true), "", ""),
        (
            "the 2xx waits for its ACK",
            with(fixture::callee("offer"), |session| {
                session.accepted(fixture::sent_2xx("answer"), &mut FakeClock::default());
            }),
            "RFC 6337 4.3",
            "RFC 6337 4.3",
        ),
        (
            "our re-INVITE has no exchange",
            with(fixture::confirmed_caller(), |session| {
                session.our_change_sent(By::Reinvite, OutgoingId::from_raw(2), None);
            }),
            "",
            "RFC 3311 5.1",
        ),
        (
            "the peer's has none",
            with(fixture::confirmed_callee(), |session| _ = fixture::reinvited(session, 2, "")),
            "",
            "RFC 3311 5.1",
        ),
        (
            "an ACK is owed",
            with(fixture::caller("offer"), |session| {
                session.confirmed_by(fixture::outgoing(), &response(200, 1, "", "answer"), HostAcks::All);
            }),
            "",
            "RFC 6337 4.3",
        ),
        (
            "the peer's UPDATE with an offer waits",
            with(fixture::confirmed_callee(), |session| drop(session.their_update_arrived(theirs(), &update("x")))),
            "",
            "RFC 3311 5.1",
        ),
        (
            "ours has no answer",
            with(fixture::confirmed_caller(), |session| drop(session.our_change_sent(By::Update, ours(), None))),
            "RFC 3311 5.2",
            "RFC 3311 5.2",
        ),
    ];
    for (row, session, without, with_offer) in rows {
        assert_eq!(section(session.our_update_guard(false, NOTHING_AROUND)), without, "{row}, without an offer");
        assert_eq!(section(session.our_update_guard(true, NOTHING_AROUND)), with_offer, "{row}, with an offer");
    }
    let by_hand = with(fixture::caller("offer"), |session| {
        session.confirm().expect("legal");
        session.transition(Party::Remote, sdp("answer")).expect("legal");
    });
    let around = Around { invite_pends: true, ..NOTHING_AROUND };
    assert_eq!(section(by_hand.our_update_guard(true, around)), "RFC 3311 5.1", "confirmed by hand");
}

/// §5.2, RFC 6337 §4.3: the table at the head of the file.
#[test]
fn what_one_that_arrives_meets() {
    let answered = Some((Part::Answer, "answer"));
    let reinviting = |offer: &str| {
        let mut session = fixture::confirmed_caller();
        session.our_change_sent(By::Reinvite, OutgoingId::from_raw(2), sdp(offer));
        session
    };
    let reinvited =
        |offer: &str| with(fixture::confirmed_callee(), |session| _ = fixture::reinvited(session, 2, offer));
    let updated = |offer: &str| {
        with(fixture::confirmed_callee(), |session| drop(session.their_update_arrived(theirs(), &update(offer))))
    };
    let accepted = |offer: &str, body: &str| {
        with(fixture::callee(offer), |session| {
            drop(session.accepted(fixture::sent_2xx(body), &mut FakeClock::default()))
        })
    };
    // With an offer, without.
    let rows: [(&str, Session, Arrival, Arrival); 16] = [
        ("a call that stands", fixture::confirmed_caller(), Process, Process),
        ("its UPDATE waits", updated(""), RetryLater, RetryLater),
        ("its UPDATE with an offer waits", updated("x"), RetryLater, RetryLater),
        ("our INVITE's offer is open", fixture::caller("offer"), Pending, Process),
        ("our INVITE had none", fixture::caller(""), Pending, Process),
        ("we owe a PRACK with the answer", early_caller("", "offer"), Pending, Process),
        ("our INVITE is answered reliably", early_caller("offer", "answer"), Process, Process),
        ("our re-INVITE's offer is open", reinviting("x"), Pending, Process),
        ("our re-INVITE has none", reinviting(""), Pending, Process),
        ("its INVITE's offer is open", early_callee("offer", None, false), RetryLater, Process),
        ("our answer waits for its PRACK", early_callee("offer", answered, false), RetryLater, Process),
        ("our answer is acknowledged", early_callee("offer", answered, true), Process, Process),
        ("our 2xx with the answer waits", accepted("offer", "answer"), RetryLater, Process),
        ("our 2xx with an offer waits", accepted("", "offer"), Pending, Process),
        ("its re-INVITE's offer is open", reinvited("x"), RetryLater, Process),
        ("its re-INVITE had none", reinvited(""), RetryLater, Process),
    ];
    for (row, session, offer, without) in rows {
        assert_eq!(session.their_update_meets(true, NOTHING_AROUND), offer, "{row}, with an offer");
        assert_eq!(session.their_update_meets(false, NOTHING_AROUND), without, "{row}, without an offer");
    }
    let owed = with(fixture::caller(""), |session| {
        session.confirmed_by(fixture::outgoing(), &response(200, 1, "", "offer"), HostAcks::Answers);
    });
    assert_eq!(owed.their_update_meets(true, NOTHING_AROUND), Pending, "RFC 6337 4.3: UAS-IcU");
}

/// §5.1: what the answers to ours do to the books.
#[test]
fn the_answers_to_ours() {
    use SignalingState::Stable;
    let rows = [
        ("pattern 6", "second", 200, "reply", "Stable second/reply", Updated::Done),
        ("no answer", "second", 200, "", "Stable offer/answer", Updated::Unanswered),
        ("nothing was offered", "", 200, "reply", "Stable offer/answer", Updated::Done),
        ("refused", "second", 488, "", "Stable offer/answer", Updated::Done),
        ("refused with a body", "second", 488, "reply", "Stable offer/answer", Updated::Done),
    ];
    for (row, offer, status, body, books, expected) in rows {
        let mut session = fixture::confirmed_caller();
        session.our_change_sent(By::Update, ours(), sdp(offer));
        assert_eq!(session.update_client(), Some(ours()));
        let response = answer(status, "", body);
        let updated = match status {
            200 => session.our_update_accepted(ours(), &response).1,
            _ => {
                session.our_update_refused(ours(), status, Some(&response));
                Updated::Done
            }
        };
        assert_eq!((updated, fixture::books(&session)), (expected, books.to_owned()), "{row}");
        assert_eq!((session.update_client(), session.signaling_state()), (None, Stable), "{row}");
    }
    let mut over = fixture::confirmed_caller();
    over.our_change_sent(By::Update, ours(), sdp("second"));
    let mut over = fixture::mortal(over);
    assert!(over.our_update_accepted(ours(), &answer(200, "", "reply")).0.is_empty(), "RFC 5407 3.2");
}

/// §5.2: what our answers to the peer's do, and which may be given.
#[test]
fn our_answers_to_theirs() {
    let arrived = |offer: &str| {
        let mut session = fixture::confirmed_callee();
        session.their_update_arrived(theirs(), &update(offer));
        assert_eq!((session.update_server(), session.pending()), (Some(theirs()), 1));
        session
    };
    for (offer, body, expected) in [("x", "y", ""), ("x", "", "RFC 3311 5.2"), ("", "y", "RFC 3311 5.2"), ("", "", "")]
    {
        let guard = arrived(offer).accept_update_guard(theirs(), sdp(body));
        assert_eq!(section(guard), expected, "{offer:?} {body:?}");
    }
    let mut session = arrived("x");
    session.their_update_accepted(theirs(), &update("x"), sdp("y"));
    assert_eq!(fixture::books(&session), "Stable x/y");
    assert_eq!((session.remote_target(), session.update_server()), (&b"sip:a@h2"[..], None));
    let mut session = arrived("x");
    session.their_update_refused(theirs());
    assert_eq!(fixture::books(&session), "Stable offer/answer");
    assert_eq!((session.remote_target(), session.update_server()), (&b"sip:a@h"[..], None), "RFC 6141 4.4");
    // The host has told the answer by hand.
    let mut session = arrived("x");
    session.transition(Party::Local, sdp("y")).expect("legal");
    assert_eq!(session.accept_update_guard(theirs(), sdp("z")), Ok(None));
    session.their_update_refused(theirs());
    assert_eq!(fixture::books(&session), "Stable x/y");
}

/// RFC 6337 §3.4: what was offered inside a re-INVITE that fails.
#[test]
fn with_a_reinvite_fails_what_is_open_inside_it() {
    let reinvite = OutgoingId::from_raw(2);
    let mut session = fixture::confirmed_caller();
    session.our_change_sent(By::Reinvite, reinvite, sdp("second"));
    session.take_reliable(reinvite, &fixture::reliable(2, 1, "reply"), 1, false).expect("in order");
    let mut inside = session.clone();
    session.our_change_sent(By::Update, ours(), sdp("third"));
    session.our_change_undone(By::Reinvite, reinvite);
    assert_eq!(fixture::books(&session), "Stable offer/answer");
    session.our_change_undone(By::Update, ours());
    assert_eq!(fixture::books(&session), "Stable offer/answer", "not that of the re-INVITE");
    inside.their_update_arrived(theirs(), &update("third"));
    assert_eq!(fixture::said(&inside.our_change_undone(By::Reinvite, reinvite)), "Refuse 8 488, State");
    assert!(!inside.is_offered_by(theirs()));
}

/// §5.1, RFC 3261 §21.4.6: what the peer has said of itself.
#[test]
fn whether_the_peer_takes_it() {
    const LISTS: &str = "Allow: INVITE, UPDATE\r\n";
    const LACKS: &str = "Allow: INVITE\r\n";
    // What its responses said, in their order; whether it may be asked.
    type Row = (&'static [(u16, &'static str)], bool, bool);
    let rows: [Row; 9] = [
        (&[], true, false),
        (&[(200, LISTS)], true, true),
        (&[(200, LACKS)], false, false),
        (&[(200, "Allow: \r\n")], false, false),
        (&[(200, "Allow: update\r\n")], false, false),
        (&[(200, LACKS), (200, LISTS)], true, true),
        (&[(200, LISTS), (405, "")], false, false),
        (&[(200, LISTS), (501, ""), (200, LISTS)], false, false),
        (&[(200, LISTS), (488, ""), (200, "")], true, true),
    ];
    for (responses, may, lists) in rows {
        let mut session = fixture::confirmed_caller();
        for (status, lines) in responses {
            session.our_change_sent(By::Update, ours(), None);
            match status {
                200 => drop(session.our_update_accepted(ours(), &answer(200, lines, ""))),
                _ => drop(session.our_update_refused(ours(), *status, Some(&answer(*status, lines, "")))),
            }
        }
        assert_eq!((session.takes_update().is_ok(), session.peer().takes_update()), (may, lists), "{responses:?}");
    }
}

/// What is held and reckoned (`src/held.rs`) follows what is there.
#[test]
fn nothing_is_kept_where_nothing_is_under_way() {
    let mut session = fixture::confirmed_caller();
    session.our_change_sent(By::Update, ours(), sdp("second"));
    session.their_update_arrived(theirs(), &update(""));
    assert!(session.running.ours.is_some() && session.running.theirs.is_some());
    session.our_change_undone(By::Update, ours());
    session.their_update_refused(theirs());
    assert!(session.running.ours.is_none() && session.running.theirs.is_none());
}
