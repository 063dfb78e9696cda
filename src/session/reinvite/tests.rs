//! When a re-INVITE may go, what one meets, the books of both sides.

use super::*;
use crate::session::fixture::{self, FakeClock, request};
use crate::session::invite_client::HostAcks;

type Made = fn() -> Session;
/// `Ok`: one may go.
type Guarded = Result<(), &'static str>;

/// Our re-INVITE.
fn ours() -> OutgoingId {
    OutgoingId::from_raw(2)
}

/// The peer's.
fn theirs() -> IncomingId {
    IncomingId::from_raw(2)
}

/// A callee's session after its first 2xx, with this description.
fn accepted(offer: &str, description: &str) -> Session {
    let mut session = fixture::callee(offer);
    session.accepted(fixture::sent_2xx(description), &mut FakeClock::default());
    session
}

/// The same when no ACK came (RFC 3261 §13.3.1.4).
fn given_up(offer: &str) -> Session {
    let (mut session, mut clock) = (fixture::callee(offer), FakeClock::default());
    session.accepted(fixture::sent_2xx("v=0"), &mut clock);
    while session.waits_for_ack() {
        session.woken(clock.wait(), &mut clock);
    }
    session
}

fn early_callee() -> Session {
    let mut session = fixture::callee("");
    session.early(None);
    session
}

fn caller_who_owes(offer: &str, body: &str) -> Session {
    let mut session = fixture::caller(offer);
    session.confirmed_by(fixture::outgoing(), &fixture::response(200, 1, "", body), HostAcks::All);
    session
}

fn reinviting(offer: &str) -> Session {
    let mut session = fixture::confirmed_caller();
    session.our_change_sent(By::Reinvite, ours(), fixture::sdp(offer));
    session
}

fn updating(offer: &str) -> Session {
    let mut session = fixture::confirmed_caller();
    session.our_change_sent(By::Update, ours(), fixture::sdp(offer));
    session
}

fn waiting() -> Session {
    let mut session = reinviting("second");
    session.our_change_waits(By::Reinvite, ours());
    session
}

fn reinvited(offer: &str) -> Session {
    let mut session = fixture::confirmed_caller();
    session.their_reinvite_arrived(theirs(), &request("INVITE", 2, offer));
    session
}

/// The peer's re-INVITE has a 2xx; no ACK.
fn our_reinvite_accepted(offer: &str, description: &str) -> Session {
    let mut session = reinvited(offer);
    session.accepted(fixture::sent_2xx_to(theirs(), 2, description), &mut FakeClock::default());
    session.answered(theirs());
    session
}

/// So many re-INVITEs of the peer have a 2xx; no ACK.
fn accepted_often(count: u64) -> Session {
    let mut session = fixture::confirmed_caller();
    for number in 2..2 + count {
        let id = IncomingId::from_raw(number);
        session.their_reinvite_arrived(id, &request("INVITE", number as u32, "second"));
        session.accepted(fixture::sent_2xx_to(id, number as u32, "reply"), &mut FakeClock::default());
        session.answered(id);
    }
    session
}

fn reinvite_acknowledged(description: &str, ack: &str) -> Session {
    let mut session = our_reinvite_accepted("", description);
    session.ack_arrived(&request("ACK", 2, ack), &mut FakeClock::default());
    session
}

fn their_reinvite_refused() -> Session {
    let mut session = reinvited("second");
    session.their_reinvite_refused(None, &mut FakeClock::default());
    session.answered(theirs());
    session
}

/// A re-INVITE of the peer's overtook the ACK of another one's 2xx, and was refused.
fn overtaken() -> Session {
    let mut session = our_reinvite_accepted("second", "reply");
    session.their_reinvite_arrived(IncomingId::from_raw(3), &request("INVITE", 3, ""));
    session.their_reinvite_refused(None, &mut FakeClock::default());
    session.answered(IncomingId::from_raw(3));
    session
}

fn offered_by_hand(party: Party) -> Session {
    let mut session = fixture::confirmed_caller();
    session.transition(party, fixture::sdp("hand")).expect("legal");
    session
}

fn works_off_an_ack() -> Session {
    let mut session = fixture::confirmed_callee();
    session.set_defer_ack(true).expect("it is not over");
    session.their_reinvite_arrived(theirs(), &request("INVITE", 2, ""));
    session.accepted(fixture::sent_2xx_to(theirs(), 2, "second"), &mut FakeClock::default());
    session.answered(theirs());
    session.ack_arrived(&request("ACK", 2, "reply"), &mut FakeClock::default());
    session
}

const NONE: Around = Around { invite_pends: false, refused_waits: false };
const INVITE_PENDS: Around = Around { invite_pends: true, refused_waits: false };
const REFUSED_WAITS: Around = Around { invite_pends: false, refused_waits: true };

/// RFC 3261 §14.1.
#[test]
fn when_a_reinvite_may_be_sent() {
    let rows: [(&str, Made, bool, Around, Guarded); 27] = [
        ("callee, no response", || fixture::callee("offer"), false, NONE, Err("needs a confirmed dialog")),
        ("callee, early", early_callee, false, NONE, Err("needs a confirmed dialog")),
        ("caller, early", || fixture::caller("offer"), false, NONE, Err("needs a confirmed dialog")),
        ("2xx without ACK", || accepted("o", "a"), true, NONE, Err("the INVITE still waits for its ACK")),
        // §13.3.1.4: its time is over.
        ("no ACK came", || given_up("offer"), true, NONE, Ok(())),
        ("caller, confirmed", fixture::confirmed_caller, true, NONE, Ok(())),
        ("callee, confirmed", fixture::confirmed_callee, true, NONE, Ok(())),
        ("ours", || reinviting("second"), false, NONE, Err("our re-INVITE is pending")),
        ("ours without offer", || reinviting(""), true, NONE, Err("our re-INVITE is pending")),
        ("ours was refused for now", waiting, true, NONE, Ok(())),
        ("theirs", || reinvited("second"), false, NONE, Err("the peer's re-INVITE is pending")),
        ("theirs, 2xx", || our_reinvite_accepted("o", "a"), true, NONE, Err("the peer's re-INVITE is pending")),
        ("theirs, 2xx, a newer one", overtaken, true, NONE, Err("the peer's re-INVITE is pending")),
        ("theirs, ACK", || reinvite_acknowledged("o", "a"), true, NONE, Ok(())),
        ("theirs, refused", their_reinvite_refused, true, NONE, Ok(())),
        ("theirs, refused, no ACK", their_reinvite_refused, true, REFUSED_WAITS, Err("refused waits for its ACK")),
        ("ACK owed", || caller_who_owes("offer", "answer"), true, NONE, Err("an ACK is owed")),
        ("ACK with answer owed", || caller_who_owes("", "offer"), false, NONE, Err("an ACK is owed")),
        // RFC 3264 §4.
        ("our offer", || offered_by_hand(Party::Local), true, NONE, Err("an offer is open")),
        ("their offer", || offered_by_hand(Party::Remote), true, NONE, Err("an offer is open")),
        ("our offer, one without", || offered_by_hand(Party::Local), false, NONE, Ok(())),
        ("their offer, one without", || offered_by_hand(Party::Remote), false, NONE, Ok(())),
        ("our UPDATE's offer, one without", || updating("second"), false, NONE, Err("an offer is open")),
        ("our UPDATE without, one without", || updating(""), false, NONE, Ok(())),
        ("confirmed by hand", fixture::confirmed_caller, true, INVITE_PENDS, Err("our INVITE has no final")),
        ("BYE", || fixture::mortal(fixture::confirmed_caller()), false, NONE, Err("the session is over")),
        ("over", || fixture::gone(fixture::confirmed_caller()), false, NONE, Err("the session is over")),
    ];
    for (row, session, has_offer, outside, expected) in rows {
        let got = session().our_reinvite_guard(has_offer, outside).map_err(|error| error.detail);
        match (&got, expected) {
            (Ok(()), Ok(())) => {}
            (Err(detail), Err(part)) => assert!(detail.contains(part), "{row}: {detail}"),
            _ => panic!("{row}: {got:?}"),
        }
    }
}

/// RFC 3261 §14.2, RFC 6337 §4.3, RFC 5407 §3.1.
#[test]
fn what_a_reinvite_meets() {
    use Arrival::{Pending, Process, RetryLater};
    let rows: [(&str, Made, Around, Arrival); 25] = [
        // RFC 3261 §14.2: ours is in progress; the peer's has no final response.
        ("caller, early", || fixture::caller("offer"), NONE, Pending),
        ("callee, no response", || fixture::callee(""), NONE, RetryLater),
        ("callee, early", early_callee, NONE, RetryLater),
        ("ours", || reinviting("second"), NONE, Pending),
        ("ours without offer", || reinviting(""), NONE, Pending),
        ("ours was refused for now", waiting, NONE, Process),
        ("theirs", || reinvited("second"), NONE, RetryLater),
        ("theirs without offer", || reinvited(""), NONE, RetryLater),
        ("theirs, refused", their_reinvite_refused, NONE, Process),
        ("theirs, refused, no ACK", their_reinvite_refused, REFUSED_WAITS, Process),
        ("confirmed by hand", fixture::confirmed_caller, INVITE_PENDS, Pending),
        // RFC 5407 §3.1.4: the exchange is complete, the ACK is lost or late.
        ("2xx with the answer", || accepted("offer", "answer"), NONE, Process),
        ("theirs, 2xx with the answer", || our_reinvite_accepted("second", "reply"), NONE, Process),
        ("theirs, 15 of them", || accepted_often(15), NONE, Process),
        ("theirs, 16 of them", || accepted_often(16), NONE, RetryLater),
        // RFC 6337 §4.3: the answer belongs into the ACK.
        ("2xx with an offer", || accepted("", "offer"), NONE, RetryLater),
        ("theirs, 2xx with an offer", || our_reinvite_accepted("", "second"), NONE, RetryLater),
        ("theirs, ACK", || reinvite_acknowledged("second", "reply"), NONE, Process),
        // RFC 6337 §4.3: the answer in the ACK is worked off yet.
        ("ACK worked off", works_off_an_ack, NONE, RetryLater),
        // RFC 6337 §4.3: the ACK of ours is not out.
        ("ACK owed", || caller_who_owes("offer", "answer"), NONE, Pending),
        ("ACK with answer owed", || caller_who_owes("", "offer"), NONE, Pending),
        // RFC 6337 §4.3: an exchange that no INVITE carries.
        ("our offer", || offered_by_hand(Party::Local), NONE, Pending),
        ("their offer", || offered_by_hand(Party::Remote), NONE, RetryLater),
        ("caller, confirmed", fixture::confirmed_caller, NONE, Process),
        ("callee, confirmed", fixture::confirmed_callee, NONE, Process),
    ];
    for (row, session, outside, expected) in rows {
        assert_eq!(session().their_reinvite_meets(outside), expected, "{row}");
    }
}

/// What happens to our re-INVITE.
#[derive(Clone, Copy, Debug)]
enum Step {
    Sent(&'static str),
    /// An unreliable 18x shows an answer.
    Shown,
    /// A reliable 18x has the answer.
    Answered,
    Waits,
    Undone,
    CalledOff,
    OtherUndone,
    OtherCalledOff,
    /// The host tells this by hand.
    ByHand(Party),
}

/// RFC 3261 §14.1: with its failure the session is as if it had never been, once.
#[test]
fn the_books_of_our_reinvite() {
    use Step::{Answered, ByHand, CalledOff, OtherCalledOff, OtherUndone, Sent, Shown, Undone, Waits};
    let other = OutgoingId::from_raw(3);
    let before = "Stable offer/answer";
    let open = "HaveLocalOffer second/- open";
    // The steps, the books after them, whether it is pending, whether it waits.
    let rows: [(&[Step], &str, bool, bool); 19] = [
        (&[], before, false, false),
        (&[Sent("second")], open, true, false),
        (&[Sent("")], before, true, false),
        (&[Sent("second"), Undone], before, false, false),
        (&[Sent(""), Undone], before, false, false),
        (&[Sent("second"), OtherUndone], open, true, false),
        (&[Sent("second"), Shown], "Stable second/shown open", true, false),
        (&[Sent("second"), Shown, Undone], before, false, false),
        // RFC 6337 §3.4: what reliable responses have exchanged fails with it.
        (&[Sent("second"), Answered], "Stable second/reliable", true, false),
        (&[Sent("second"), Answered, Undone], before, false, false),
        (&[Sent("second"), Waits], before, false, true),
        (&[Sent("second"), Waits, Undone], before, false, true),
        (&[Sent("second"), Waits, ByHand(Party::Local), Undone], "HaveLocalOffer hand/- open", false, true),
        (&[Sent("second"), Waits, CalledOff], before, false, false),
        (&[Sent("second"), Waits, OtherCalledOff], before, false, true),
        (&[Sent("second"), CalledOff], open, true, false),
        (&[Sent("second"), Waits, Sent("third")], "HaveLocalOffer third/- open", true, false),
        (&[Sent("second"), Waits, Sent("third"), Undone], before, false, false),
        // What the host has closed by hand stands.
        (&[Sent("second"), ByHand(Party::Remote), Undone], "Stable second/hand", false, false),
    ];
    for (steps, books, pending, waits) in rows {
        let mut session = fixture::confirmed_caller();
        for step in steps {
            let deeds = match step {
                Sent(offer) => session.our_change_sent(By::Reinvite, ours(), fixture::sdp(offer)),
                Shown => session.previewed(&fixture::response(183, 2, "", "shown")),
                Waits => session.our_change_waits(By::Reinvite, ours()),
                Undone => session.our_change_undone(By::Reinvite, ours()),
                OtherUndone => session.our_change_undone(By::Reinvite, other),
                Answered => {
                    let response = fixture::reliable(2, 1, "reliable");
                    session.take_reliable(ours(), &response, 1, false).expect("in order");
                    continue;
                }
                CalledOff | OtherCalledOff => {
                    session.retry_called_off(if matches!(step, CalledOff) { ours() } else { other });
                    continue;
                }
                ByHand(party) => {
                    session.transition(*party, fixture::sdp("hand")).expect("legal");
                    continue;
                }
            };
            assert_eq!(fixture::names(&deeds), "State", "{steps:?} {step:?}");
        }
        assert_eq!(fixture::books(&session), books, "{steps:?}");
        let expected = (pending.then(ours), waits.then(ours));
        assert_eq!((session.reinvite_client(), session.retries().next()), expected, "{steps:?}");
        let reliably = matches!(steps.last(), Some(Answered));
        assert_eq!(session.exchanges_reliably(), reliably, "{steps:?}");
    }
}

/// RFC 3261 §14.2; a refused one is undone (§14.1).
#[test]
fn the_books_of_theirs() {
    for (offer, books) in [("second", "HaveRemoteOffer second/- open"), ("", "Stable offer/answer")] {
        let mut session = fixture::confirmed_callee();
        let deeds = session.their_reinvite_arrived(theirs(), &request("INVITE", 2, offer));
        assert_eq!((&*fixture::names(&deeds), &*fixture::books(&session)), ("State", books), "{offer:?}");
        assert_eq!((session.pending(), session.reinvite_server()), (1, Some(theirs())), "{offer:?}");
        session.their_reinvite_refused(None, &mut FakeClock::default());
        assert_eq!(fixture::books(&session), "Stable offer/answer", "{offer:?}");
    }
}

/// RFC 3261 §13.3.1.4: the 2xx is repeated by the session, after the transaction; so it ends with the ACK.
#[test]
fn when_their_transaction_is_over() {
    let other = IncomingId::from_raw(3);
    let rows: [(&str, Made, IncomingId, bool, bool); 7] = [
        ("no response", || reinvited("second"), theirs(), true, false),
        ("another one", || reinvited("second"), other, true, true),
        ("2xx", || our_reinvite_accepted("second", "reply"), theirs(), false, true),
        ("2xx, another one", || our_reinvite_accepted("second", "reply"), other, true, true),
        ("ACK", || reinvite_acknowledged("second", "reply"), theirs(), true, false),
        ("the INVITE, 2xx", || accepted("offer", "answer"), fixture::incoming(), false, false),
        ("the INVITE, ACK", fixture::confirmed_callee, fixture::incoming(), true, false),
    ];
    for (row, session, ended, over, pending) in rows {
        let mut session = session();
        assert_eq!(session.transaction_over(ended), over, "{row}");
        assert_eq!(session.reinvite_server().is_some(), pending, "{row}");
        assert_eq!(session.running.theirs.is_some(), pending, "{row}: nothing is kept where nothing is under way");
    }
}

/// RFC 3264 §8: an offer of ours is not sent after a later description of ours, whatever became of that.
#[test]
fn which_retry_is_stale() {
    type Act = fn(&mut Session);
    let send: Act = |session| drop(session.our_change_sent(By::Reinvite, ours(), fixture::sdp("second")));
    let send_without: Act = |session| drop(session.our_change_sent(By::Reinvite, ours(), None));
    let waits: Act = |session| drop(session.our_change_waits(By::Reinvite, ours()));
    let offered: Act = |session| drop(session.their_reinvite_arrived(theirs(), &request("INVITE", 2, "theirs")));
    let asked: Act = |session| drop(session.their_reinvite_arrived(theirs(), &request("INVITE", 2, "")));
    let accepted: Act = |session| {
        session.accepted(fixture::sent_2xx_to(theirs(), 2, "reply"), &mut FakeClock::default());
        session.answered(theirs());
    };
    let acknowledged: Act = |session| drop(session.ack_arrived(&request("ACK", 2, ""), &mut FakeClock::default()));
    let answered: Act = |session| drop(session.ack_arrived(&request("ACK", 2, "x"), &mut FakeClock::default()));
    let refused: Act = |session| {
        session.their_reinvite_refused(None, &mut FakeClock::default());
        session.answered(theirs());
    };
    let shown: Act = |session| session.lasting.signaling.show(Party::Local, fixture::sdp("shown").expect("one"));
    let ours_by_hand: Act = |session| session.transition(Party::Local, fixture::sdp("hand")).expect("legal");
    let theirs_by_hand: Act = |session| session.transition(Party::Remote, fixture::sdp("hand")).expect("legal");
    let rolled_back: Act = |session| session.rollback().expect("it is not over");
    let renewed: Act = |session| session.retry_renewed(ours(), true);
    let renewed_without: Act = |session| session.retry_renewed(ours(), false);
    let reliable: Act = |session| {
        session.take_reliable(ours(), &fixture::reliable(2, 1, "reliable"), 1, false).expect("in order");
    };
    let prack: Act = |session| drop(session.our_prack_sent(OutgoingId::from_raw(3), fixture::sdp("third"), true));
    let bare_prack: Act = |session| drop(session.our_prack_sent(OutgoingId::from_raw(3), None, false));
    // What happens, and after which of these steps it is stale.
    let rows: [(&str, &[Act], &[usize]); 18] = [
        ("it waits", &[send, waits], &[]),
        ("theirs, answered", &[send, waits, offered, accepted, acknowledged], &[3, 4]),
        ("theirs, refused", &[send, waits, offered, refused], &[]),
        ("theirs, shown an answer and refused", &[send, waits, offered, shown, refused], &[4]),
        ("theirs without offer", &[send, waits, asked, accepted, answered], &[4]),
        ("theirs without offer and answer", &[send, waits, asked, accepted, acknowledged], &[4]),
        ("ours has no offer", &[send_without, waits, offered, accepted, acknowledged], &[]),
        ("by hand, ours", &[send, waits, ours_by_hand, theirs_by_hand], &[3]),
        ("by hand, theirs", &[send, waits, theirs_by_hand, ours_by_hand], &[3]),
        ("by hand and taken back", &[send, waits, ours_by_hand, rolled_back], &[3]),
        ("theirs by hand and taken back", &[send, waits, theirs_by_hand, rolled_back], &[]),
        ("its answer was told by hand", &[send, theirs_by_hand, waits], &[]),
        ("an exchange before it", &[offered, accepted, acknowledged, send, waits], &[]),
        ("a new body", &[send, waits, offered, accepted, renewed, acknowledged], &[3]),
        ("a new body before", &[send, waits, renewed, offered, accepted], &[4]),
        ("no offer any more", &[send, waits, renewed_without, offered, accepted], &[]),
        ("answered reliably", &[send, reliable, bare_prack, waits], &[]),
        ("an offer in its PRACK", &[send, reliable, prack, waits], &[3]),
    ];
    for (row, acts, expected) in rows {
        let mut session = fixture::confirmed_caller();
        let mut stale = Vec::new();
        for (step, act) in acts.iter().enumerate() {
            act(&mut session);
            stale.extend(session.stale_retry().map(|retry| (step, retry)));
        }
        let expected: Vec<_> = expected.iter().map(|step| (*step, ours())).collect();
        assert_eq!(stale, expected, "{row}");
    }
}
