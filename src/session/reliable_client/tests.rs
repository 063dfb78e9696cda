//! The order of reliable responses, their PRACKs, the exchange that they carry.

use super::*;
use crate::session::SignalingState::{self, HaveLocalOffer, HaveRemoteOffer, Initial, Stable};
use crate::session::fixture::reliably::books;
use crate::session::fixture::{self, FakeClock, sdp};
use crate::session::invite_client::{HostAcks, Taken};
use crate::session::reason::{Ending, Reason};
use std::sync::Arc;

const RELIABLE: &str = "Require: 100rel\r\nRSeq: ";

fn reliable(rseq: u32, number: u32, sdp: &str) -> Arc<Message> {
    fixture::response(183, number, &format!("{RELIABLE}{rseq}\r\n"), sdp)
}

fn prack_response(status: u16, sdp: &str) -> Arc<Message> {
    fixture::message(&format!("SIP/2.0 {status} Whatever"), "9 PRACK", "", sdp)
}

fn of(rseq: u32, cseq: u32) -> Acknowledged {
    Acknowledged { rseq, cseq }
}

/// The INVITE with this number.
fn invite(number: u32) -> OutgoingId {
    OutgoingId::from_raw(number.into())
}

/// A PRACK.
fn prack() -> OutgoingId {
    OutgoingId::from_raw(9)
}

/// Takes a reliable response to INVITE `number`.
fn take(session: &mut Session, rseq: u32, number: u32, sdp: &str, manual: bool) -> Option<Prack> {
    session.take_reliable(invite(number), &reliable(rseq, number, sdp), rseq, manual)
}

/// RSeq of the response whose PRACK the host sends, or what forbids it.
fn guard(session: &Session, describes: bool) -> Result<u32, String> {
    session.our_prack_guard(describes).map(|of| of.rseq).map_err(|error| error.detail.into_owned())
}

type Books = (SignalingState, &'static str, &'static str);

#[track_caller]
fn assert_books(session: &Session, (state, offer, answer): Books, row: &str) {
    assert_eq!(books(session), (state, offer.to_owned(), answer.to_owned()), "{row}");
}

#[test]
fn what_a_reliable_response_is() {
    let rows = [
        ("7.1: from 1", 183, "1 INVITE", "Require: 100rel\r\nRSeq: 1\r\n", Some(1)),
        ("7.1: to 2^32 - 1", 183, "1 INVITE", "Require: 100rel\r\nRSeq: 4294967295\r\n", Some(u32::MAX)),
        ("7.1: not 0", 183, "1 INVITE", "Require: 100rel\r\nRSeq: 0\r\n", None),
        ("7.1: not 2^32", 183, "1 INVITE", "Require: 100rel\r\nRSeq: 4294967296\r\n", None),
        ("7.1: one number", 183, "1 INVITE", "Require: 100rel\r\nRSeq: 1 2\r\n", None),
        ("3: it has RSeq", 183, "1 INVITE", "Require: 100rel\r\n", None),
        ("3: it requires 100rel", 183, "1 INVITE", "RSeq: 1\r\n", None),
        ("3: to support it is not enough", 183, "1 INVITE", "Supported: 100rel\r\nRSeq: 1\r\n", None),
        ("3: beside others", 183, "1 INVITE", "Require: timer, 100rel\r\nRSeq: 1\r\n", Some(1)),
        ("3: never 100", 100, "1 INVITE", "Require: 100rel\r\nRSeq: 1\r\n", None),
        ("3: the first", 101, "1 INVITE", "Require: 100rel\r\nRSeq: 1\r\n", Some(1)),
        ("3: the last", 199, "1 INVITE", "Require: 100rel\r\nRSeq: 1\r\n", Some(1)),
        ("3: none that is final", 200, "1 INVITE", "Require: 100rel\r\nRSeq: 1\r\n", None),
        ("3: to INVITE alone", 183, "1 PRACK", "Require: 100rel\r\nRSeq: 1\r\n", None),
    ];
    for (row, status, cseq, lines, expected) in rows {
        let response = fixture::message(&format!("SIP/2.0 {status} Whatever"), cseq, lines, "");
        assert_eq!(rseq_of(&response), expected, "{row}");
    }
}

/// RFC 3262 §4. RSeq and CSeq number of responses in the order in which they come, and whether each is next.
#[test]
fn the_order_of_reliable_responses() {
    type Came = (u32, u32, bool);
    let rows: [(&str, &[Came]); 10] = [
        ("the first sets the order", &[(7, 1, true)]),
        ("the next is one higher", &[(7, 1, true), (8, 1, true), (9, 1, true)]),
        ("a repeat", &[(7, 1, true), (7, 1, false)]),
        ("a gap", &[(7, 1, true), (9, 1, false)]),
        ("what is out of order does not count", &[(7, 1, true), (9, 1, false), (8, 1, true), (9, 1, true)]),
        ("an older one", &[(7, 1, true), (8, 1, true), (7, 1, false)]),
        ("a later INVITE has an order of its own", &[(7, 1, true), (3, 2, true), (8, 2, false), (4, 2, true)]),
        ("that of an earlier INVITE is over", &[(7, 2, true), (8, 1, false), (8, 2, true)]),
        ("no wrap to 1", &[(u32::MAX, 1, true), (1, 1, false)]),
        ("nor a stop at the end", &[(u32::MAX, 1, true), (u32::MAX, 1, false)]),
    ];
    for (row, came) in rows {
        let mut session = fixture::caller("");
        for (rseq, number, next) in came {
            let got = session.reliable_sequence_guard(&reliable(*rseq, *number, ""));
            assert_eq!(got, *next, "{row}: {rseq} of {number}");
            // What is not reliable has no order.
            assert!(session.reliable_sequence_guard(&fixture::response(180, *number, "", "")), "{row}");
        }
    }
}

#[test]
fn what_a_reliable_response_brings() {
    type Row = (&'static str, fn() -> Session, u32, &'static str, bool, Option<Prack>, Books);
    let shown: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        session.previewed(&fixture::response(183, 1, "", "shown"));
        session
    };
    let answered: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 6, 1, "answer", false);
        session
    };
    let now = |cseq| Some(Prack::Now(of(7, cseq)));
    let offering: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 6, 1, "answer", true);
        session.our_prack_sent(prack(), sdp("second"), true);
        session
    };
    let answering: fn() -> Session = || {
        let mut session = fixture::caller("");
        take(&mut session, 6, 1, "offer", false);
        session.our_prack_sent(prack(), sdp("answer"), true);
        session
    };
    let rows: [Row; 15] = [
        ("5: no answer to the offer of a PRACK", offering, 1, "other", false, now(1), {
            (HaveLocalOffer, "second", "")
        }),
        ("6337 3.1.1: no second offer after PRACK's answer", answering, 1, "other", false, now(1), {
            (Stable, "offer", "answer")
        }),
        ("4: PRACK at once", || fixture::caller("offer"), 1, "", false, now(1), (HaveLocalOffer, "offer", "")),
        ("4: or by the host", || fixture::caller("offer"), 1, "", true, Some(Prack::ByHost), {
            (HaveLocalOffer, "offer", "")
        }),
        ("5: the answer to INVITE's offer", || fixture::caller("offer"), 1, "answer", false, now(1), {
            (Stable, "offer", "answer")
        }),
        ("5: the same by the host", || fixture::caller("offer"), 1, "answer", true, Some(Prack::ByHost), {
            (Stable, "offer", "answer")
        }),
        ("5: nothing", || fixture::caller(""), 1, "", false, now(1), (Initial, "", "")),
        ("5: the offer, to be answered in PRACK", || fixture::caller(""), 1, "offer", false, Some(Prack::ByHost), {
            (HaveRemoteOffer, "offer", "")
        }),
        ("3261 13.2.1: what was shown is the answer", shown, 1, "other", false, now(1), { (Stable, "offer", "shown") }),
        ("6337 3.1.1: the exchange is complete", answered, 1, "other", false, now(1), (Stable, "offer", "answer")),
        ("4: a repeat", || answered_at(7), 1, "other", false, None, (Stable, "offer", "answer")),
        ("4: a gap", || answered_at(5), 1, "other", false, None, (Stable, "offer", "answer")),
        (
            "5: the answer to re-INVITE's offer",
            || fixture::reliably::reinviting("second"),
            2,
            "reply",
            false,
            now(2),
            { (Stable, "second", "reply") },
        ),
        (
            "5: re-INVITE brought no offer",
            || fixture::reliably::reinviting(""),
            2,
            "second",
            false,
            Some(Prack::ByHost),
            { (HaveRemoteOffer, "second", "") },
        ),
        ("4: nothing to a re-INVITE", || fixture::reliably::reinviting(""), 2, "", false, now(2), {
            (Stable, "offer", "answer")
        }),
    ];
    for (row, session, number, sdp, manual, expected, after) in rows {
        let mut session = session();
        assert_eq!(take(&mut session, 7, number, sdp, manual), expected, "{row}");
        assert_books(&session, after, row);
        let offers = after.0 == HaveRemoteOffer;
        let host = if expected == Some(Prack::ByHost) { Some(7) } else { None };
        assert_eq!(guard(&session, offers).ok(), host, "{row}");
    }
    // The answer closes the exchange, be it one that was shown.
    let mut session = shown();
    assert_eq!(session.open_offer(), Some(Party::Local));
    take(&mut session, 7, 1, "other", false);
    assert_eq!(session.open_offer(), None);
}

fn answered_at(rseq: u32) -> Session {
    let mut session = fixture::caller("offer");
    take(&mut session, rseq, 1, "answer", false);
    session
}

/// RFC 6337 §3.1.1: once reliable responses carry the exchange, an unreliable one shows nothing.
#[test]
fn a_preview_is_none_beside_reliable_responses() {
    let mut session = answered_at(6);
    take(&mut session, 7, 1, "", true);
    session.our_prack_sent(prack(), sdp("second"), true);
    session.previewed(&fixture::response(183, 1, "", "shown"));
    assert_books(&session, (HaveLocalOffer, "second", ""), "the offer of PRACK is open");
    let mut session = fixture::caller("offer");
    take(&mut session, 6, 1, "", false);
    session.previewed(&fixture::response(183, 1, "", "shown"));
    assert_books(&session, (Stable, "offer", "shown"), "they carried nothing");
    assert!(!session.exchanges_reliably());
}

/// RFC 6141 §4.2, §4.9: a reliable response moves the target, one that is out of order does not.
#[test]
fn a_reliable_response_moves_the_target() {
    let mut session = fixture::caller("offer");
    for (rseq, host, target) in [(7, "one", "sip:one"), (7, "two", "sip:one"), (8, "three", "sip:three")] {
        let lines = format!("Contact: <sip:{host}>\r\n{RELIABLE}{rseq}\r\n");
        let response = fixture::message("SIP/2.0 183 Whatever", "1 INVITE", &lines, "");
        session.take_reliable(invite(1), &response, rseq, false);
        assert_eq!(session.remote_target(), target.as_bytes());
    }
}

/// §4 lets a caller discard: it is repeated, and taken when there is room.
#[test]
fn so_many_wait_for_their_prack() {
    let mut session = fixture::caller("offer");
    for rseq in 1..=8 {
        assert_eq!(take(&mut session, rseq, 1, "", true), Some(Prack::ByHost), "{rseq}");
    }
    assert_eq!(take(&mut session, 9, 1, "", true), None, "full");
    session.our_prack_sent(prack(), None, true);
    assert_eq!(take(&mut session, 9, 1, "", true), None, "a PRACK under way takes its place");
    session.our_prack_answered(prack(), of(1, 1), Some(&prack_response(200, "")), false);
    assert_eq!(take(&mut session, 9, 1, "", true), Some(Prack::ByHost), "room");
    assert_eq!(take(&mut session, 10, 1, "", true), None, "full again");
    assert_eq!(take(&mut session, 1, 2, "", true), Some(Prack::ByHost), "another INVITE has its own");
    assert_eq!(guard(&session, false), Ok(1), "and what waited before it does no more");
}

#[test]
fn when_the_host_sends_prack() {
    type Row = (&'static str, fn() -> Session, bool, Result<u32, &'static str>);
    let plain: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "", true);
        session
    };
    let offered: fn() -> Session = || {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        session
    };
    let complete: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "answer", true);
        session
    };
    let left: fn() -> Session = || {
        let mut session = answered_at(7);
        session.leave_prack_to_host(of(7, 1));
        session
    };
    let describing: fn() -> Session = || {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        take(&mut session, 8, 1, "", true);
        session.our_prack_sent(prack(), sdp("answer"), true);
        session
    };
    let ours_open: fn() -> Session = || {
        let mut session = answered_at(6);
        take(&mut session, 7, 1, "", true);
        session.transition(Party::Local, sdp("by hand")).expect("legal");
        session
    };
    let theirs_open: fn() -> Session = || {
        let mut session = answered_at(6);
        take(&mut session, 7, 1, "", true);
        session.transition(Party::Remote, sdp("by hand")).expect("legal");
        session
    };
    let two: fn() -> Session = || {
        let mut session = answered_at(7);
        take(&mut session, 8, 1, "", true);
        take(&mut session, 9, 1, "", true);
        session
    };
    let at_once: fn() -> Session = || {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        assert_eq!(take(&mut session, 8, 1, "", false), Some(Prack::Now(of(8, 1))));
        session.our_prack_sent(prack(), None, false);
        session
    };
    let over: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        session.end(Ending::because(Reason::RemoteBye), &mut FakeClock::default());
        take(&mut session, 7, 1, "", true);
        session
    };
    let rows: [Row; 18] = [
        ("no response", || fixture::caller("offer"), false, Err("waits for a PRACK (RFC 3262 4)")),
        ("its PRACK went at once", || answered_at(7), false, Err("waits for a PRACK (RFC 3262 4)")),
        ("the session is over", over, false, Err("waits for a PRACK (RFC 3262 4)")),
        ("no offer, no answer", plain, false, Ok(7)),
        ("the oldest", two, false, Ok(8)),
        ("which could not be sent at once", left, false, Ok(7)),
        ("an offer, its answer", offered, true, Ok(7)),
        ("an offer that waits while a later PRACK went at once", at_once, true, Ok(7)),
        ("an offer, no answer", offered, false, Err("its answer belongs into the PRACK (RFC 3262 5)")),
        ("an offer before the first exchange is complete", plain, true, Err("is not complete (RFC 3262 5)")),
        ("an offer after that", complete, true, Ok(7)),
        ("none", complete, false, Ok(7)),
        ("while a PRACK describes", describing, true, Err("has no response yet (RFC 6337 3.1)")),
        ("none meanwhile", describing, false, Ok(8)),
        ("an offer while ours is open", ours_open, true, Err("not answered yet (RFC 3264 4)")),
        ("none while ours is open", ours_open, false, Ok(7)),
        ("to an offer from elsewhere", theirs_open, true, Err("did not come in this response (RFC 3262 5)")),
        ("none to it", theirs_open, false, Ok(7)),
    ];
    for (row, session, describes, expected) in rows {
        match (guard(&session(), describes), expected) {
            (Err(why), Err(expected)) => assert!(why.ends_with(expected), "{row}: {why}"),
            (got, expected) => assert_eq!(got, expected.map_err(str::to_owned), "{row}"),
        }
    }
}

/// RFC 3262 §5, RFC 6337 §2.3: what the PRACK says stands with its 2xx, and is as if never made without.
#[test]
fn what_the_response_to_prack_means() {
    /// A second offer in the PRACK of 7, beside which 8 waits.
    fn offering() -> Session {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "answer", true);
        take(&mut session, 8, 1, "", true);
        session.our_prack_sent(prack(), sdp("second"), true);
        assert_books(&session, (HaveLocalOffer, "second", ""), "the offer goes out");
        session
    }
    /// The answer in the PRACK of 7, beside which 8 waits.
    fn answering() -> Session {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        take(&mut session, 8, 1, "", true);
        session.our_prack_sent(prack(), sdp("answer"), true);
        assert_books(&session, (Stable, "offer", "answer"), "the answer goes out");
        session
    }
    /// The same where the host has told the answer by hand before.
    fn told_by_hand() -> Session {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        session.transition(Party::Local, sdp("answer")).expect("legal");
        session.our_prack_sent(prack(), sdp("answer"), true);
        session
    }
    fn plain() -> Session {
        let mut session = answered_at(6);
        take(&mut session, 7, 1, "", true);
        take(&mut session, 8, 1, "", true);
        session.our_prack_sent(prack(), None, true);
        session
    }
    fn confirmed(mut session: Session) -> Session {
        session.confirmed_by(invite(1), &fixture::response(200, 1, "", ""), HostAcks::Answers);
        session
    }
    type Answered = Option<(u16, &'static str)>;
    type Row = (&'static str, fn() -> Session, Answered, bool, Books, Option<(u32, bool)>);
    const FIRST: Books = (Stable, "offer", "answer");
    let rows: [Row; 15] = [
        ("the answer to its offer", offering, Some((200, "reply")), false, (Stable, "second", "reply"), {
            Some((8, false))
        }),
        ("its offer unanswered", offering, Some((200, "")), false, FIRST, Some((8, false))),
        ("its offer refused", offering, Some((488, "")), false, FIRST, Some((8, false))),
        ("refused with a description", offering, Some((488, "no answer")), false, FIRST, Some((8, false))),
        ("no response to its offer", offering, None, false, FIRST, Some((8, false))),
        ("its offer refused, PRACK again", offering, Some((488, "")), true, FIRST, Some((7, false))),
        ("the answer taken", answering, Some((200, "")), false, FIRST, Some((8, false))),
        ("taken, so not again", answering, Some((200, "")), true, FIRST, Some((8, false))),
        ("the answer refused, PRACK again", answering, Some((500, "")), true, (HaveRemoteOffer, "offer", ""), {
            Some((7, true))
        }),
        ("the same once told by hand", told_by_hand, Some((500, "")), true, FIRST, Some((7, true))),
        ("the answer refused for good", answering, Some((500, "")), false, FIRST, Some((8, false))),
        ("no description, PRACK again", plain, None, true, FIRST, Some((7, false))),
        ("no description, for good", plain, Some((500, "")), false, FIRST, Some((8, false))),
        ("not again once INVITE is accepted", || confirmed(plain()), Some((500, "")), true, FIRST, None),
        ("its offer refused after INVITE's 2xx", || confirmed(offering()), Some((488, "")), true, FIRST, None),
    ];
    for (row, session, answered, again, after, waits) in rows {
        let mut session = session();
        let response = answered.map(|(status, sdp)| prack_response(status, sdp));
        let deeds = session.our_prack_answered(prack(), of(7, 1), response.as_deref(), again);
        assert!(matches!(&deeds[..], [Deed::State]), "{row}: {deeds:?}");
        assert_books(&session, after, row);
        let needs = [false, true].map(|describes| guard(&session, describes).ok());
        // What may be sent: a description where the response brought an offer, else none.
        match waits {
            Some((rseq, true)) => assert_eq!(needs, [None, Some(rseq)], "{row}"),
            Some((rseq, false)) => assert_eq!(needs[0], Some(rseq), "{row}"),
            None => assert_eq!(needs, [None, None], "{row}"),
        }
    }
}

/// Another PRACK's response does not answer the offer of the one that describes.
#[test]
fn each_prack_has_its_own_response() {
    let mut session = answered_at(6);
    take(&mut session, 7, 1, "", true);
    session.our_prack_sent(OutgoingId::from_raw(8), None, false);
    session.our_prack_sent(prack(), sdp("second"), true);
    session.our_prack_answered(OutgoingId::from_raw(8), of(6, 1), Some(&prack_response(200, "other")), false);
    assert_books(&session, (HaveLocalOffer, "second", ""), "of the first");
    session.our_prack_answered(prack(), of(7, 1), Some(&prack_response(200, "reply")), false);
    assert_books(&session, (Stable, "second", "reply"), "of the second");
    assert_eq!(guard(&session, false).ok(), None);
}

/// The PRACK of an earlier INVITE is not sent again, whatever waits for one now.
#[test]
fn a_prack_of_an_earlier_invite_is_not_sent_again() {
    let mut session = pracked_with_answer();
    session.confirmed_by(invite(1), &fixture::response(200, 1, "", ""), HostAcks::Answers);
    session.our_change_sent(By::Reinvite, invite(2), None);
    take(&mut session, 3, 2, "", true);
    session.our_prack_answered(prack(), of(7, 1), Some(&prack_response(500, "")), true);
    assert_eq!(guard(&session, false), Ok(3));
}

fn pracked_with_answer() -> Session {
    let mut session = fixture::caller("");
    take(&mut session, 7, 1, "offer", false);
    session.our_prack_sent(prack(), sdp("answer"), true);
    session
}

/// RFC 3262 §4, RFC 6337 §3.1.1: what INVITE's 2xx finds.
#[test]
fn the_2xx_after_reliable_responses() {
    type Row = (&'static str, fn() -> Session, &'static str, Taken, Books);
    let plain: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "", true);
        session
    };
    let complete: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "answer", true);
        session
    };
    let pracked: fn() -> Session = pracked_with_answer;
    let offered: fn() -> Session = || {
        let mut session = fixture::caller("");
        take(&mut session, 7, 1, "offer", false);
        session
    };
    let refused: fn() -> Session = || {
        let mut session = pracked_with_answer();
        session.our_prack_answered(prack(), of(7, 1), Some(&prack_response(500, "")), true);
        session
    };
    let offering: fn() -> Session = || {
        let mut session = fixture::caller("offer");
        take(&mut session, 7, 1, "answer", true);
        session.our_prack_sent(prack(), sdp("second"), true);
        session
    };
    let acked = Taken::Acknowledge;
    let rows: [Row; 10] = [
        ("the answer", plain, "answer", acked, (Stable, "offer", "answer")),
        ("none", plain, "", Taken::Unanswered, (HaveLocalOffer, "offer", "")),
        ("answered before", complete, "", acked, (Stable, "offer", "answer")),
        ("answered before, said again", complete, "other", acked, (Stable, "offer", "answer")),
        ("answered in PRACK", pracked, "", acked, (Stable, "offer", "answer")),
        ("no second offer after PRACK's answer", pracked, "other", acked, (Stable, "offer", "answer")),
        ("an offer that no PRACK answers any more", offered, "", acked, (Initial, "", "")),
        ("the 2xx offers instead", offered, "other", Taken::ByHost, (HaveRemoteOffer, "other", "")),
        ("the same once PRACK's answer was refused", refused, "other", Taken::ByHost, {
            (HaveRemoteOffer, "other", "")
        }),
        ("no answer to the offer of a PRACK", offering, "other", acked, (HaveLocalOffer, "second", "")),
    ];
    for (row, session, sdp, taken, after) in rows {
        let mut session = session();
        let response = fixture::response(200, 1, "", sdp);
        assert_eq!(session.confirmed_by(invite(1), &response, HostAcks::Answers), taken, "{row}");
        assert_books(&session, after, row);
        assert_eq!([false, true].map(|describes| guard(&session, describes).ok()), [None, None], "{row}");
        assert!(!session.exchanges_reliably(), "{row}");
    }
}

/// RFC 3261 §22.2: a re-INVITE that is sent again begins anew, on the books before the first one.
#[test]
fn a_reinvite_that_goes_out_again() {
    type Row = (&'static str, &'static str, &'static str, Books, Books);
    const OLD: Books = (Stable, "offer", "answer");
    let rows: [Row; 4] = [
        ("nothing came", "second", "", (HaveLocalOffer, "second", ""), (Stable, "second", "later")),
        ("its answer came", "second", "reply", (HaveLocalOffer, "second", ""), (Stable, "second", "later")),
        ("no offer, nothing came", "", "", OLD, (HaveRemoteOffer, "later", "")),
        ("no offer, one came", "", "theirs", OLD, (HaveRemoteOffer, "later", "")),
    ];
    for (row, offer, came, again, after) in rows {
        let mut session = fixture::reliably::reinviting(offer);
        take(&mut session, 7, 2, came, true);
        session.our_reinvite_restarted(sdp(offer));
        assert_books(&session, again, row);
        assert_eq!([false, true].map(|describes| guard(&session, describes).ok()), [None, None], "{row}");
        let response = reliable(3, 3, "later");
        assert!(session.take_reliable(invite(2), &response, 3, false).is_some(), "{row}");
        assert_books(&session, after, row);
        session.our_change_undone(By::Reinvite, invite(2));
        assert_books(&session, OLD, row);
    }
}

#[test]
fn what_the_host_has_closed_by_hand_no_reinvite_offers_again() {
    let mut session = fixture::reliably::reinviting("second");
    session.transition(Party::Remote, sdp("by hand")).expect("legal");
    session.our_reinvite_restarted(sdp("second"));
    assert_books(&session, (Stable, "second", "by hand"), "nothing came");
}

/// RFC 3261 §14.1, RFC 6337 §3.4: with a re-INVITE fails what its reliable responses and their PRACKs said.
#[test]
fn a_reinvite_that_fails() {
    type Row = (&'static str, &'static str, &'static str, Option<&'static str>);
    let rows: [Row; 6] = [
        ("its offer", "second", "", None),
        ("its offer and the answer", "second", "reply", None),
        ("and a further offer in PRACK", "second", "reply", Some("third")),
        ("the offer of a response", "", "theirs", None),
        ("and its answer in PRACK", "", "theirs", Some("ours")),
        ("nothing", "", "", None),
    ];
    for (row, offer, came, pracked) in rows {
        let mut session = fixture::reliably::reinviting(offer);
        take(&mut session, 7, 2, came, true);
        if let Some(description) = pracked {
            session.our_prack_sent(prack(), sdp(description), true);
        }
        session.our_change_undone(By::Reinvite, invite(2));
        for refused in [false, true] {
            assert_books(&session, (Stable, "offer", "answer"), row);
            assert_eq!([false, true].map(|describes| guard(&session, describes).ok()), [None, None], "{row}");
            // The response to its PRACK comes too late to mean anything.
            let response = if refused { prack_response(488, "") } else { prack_response(200, "late") };
            let mut late = session.clone();
            late.our_prack_answered(prack(), of(7, 2), Some(&response), true);
            assert_books(&late, (Stable, "offer", "answer"), row);
        }
    }
}

/// RFC 3262 §5: the PRACK of an earlier INVITE is no part of it.
#[test]
fn a_prack_of_an_earlier_invite_outlives_a_reinvite_that_fails() {
    for responded in [false, true] {
        for (status, sdp_of, after) in
            [(200, "reply", (Stable, "second", "reply")), (488, "", (Stable, "offer", "answer"))]
        {
            let mut session = fixture::caller("offer");
            take(&mut session, 7, 1, "answer", true);
            session.our_prack_sent(prack(), sdp("second"), true);
            session.confirmed_by(invite(1), &fixture::response(200, 1, "", ""), HostAcks::Answers);
            session.our_change_sent(By::Reinvite, invite(2), None);
            if responded {
                take(&mut session, 3, 2, "", true);
            }
            session.our_change_undone(By::Reinvite, invite(2));
            assert_books(&session, (HaveLocalOffer, "second", ""), "it is under way");
            session.our_prack_answered(prack(), of(7, 1), Some(&prack_response(status, sdp_of)), false);
            assert_books(&session, after, "it has its response");
        }
    }
}
