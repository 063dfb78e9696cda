//! When a change of ours that was refused, or found no target, may go out once more.

use super::*;
use crate::message::Message;
use crate::session::fixture::{self, FakeClock, request, sdp};
use crate::slots::IncomingId;

const REINVITE: u64 = 2;
const UPDATE: u64 = 3;

fn ours(by: By) -> OutgoingId {
    OutgoingId::from_raw(if by == By::Reinvite { REINVITE } else { UPDATE })
}

fn sent(mut session: Session, by: By, offer: &str) -> Session {
    session.our_change_sent(by, ours(by), sdp(offer));
    session
}

/// A callee whose reliable answer was acknowledged, so that it may send UPDATE with an offer.
fn early() -> Session {
    let mut session = fixture::callee("offer");
    session.early(None);
    let mut clock = FakeClock::default();
    let answer = Some((crate::session::offer_answer::Part::Answer, "answer"));
    fixture::reliably::queue(&mut session, 1, 7, answer, &mut clock);
    session
}

/// Our re-INVITE, whose exchange a reliable response has completed.
fn inside(offer: &str) -> Session {
    let mut session = sent(fixture::confirmed_caller(), By::Reinvite, offer);
    session.take_reliable(ours(By::Reinvite), &fixture::reliable(2, 1, "reply"), 1, false).expect("in order");
    session
}

fn peers_update(offer: &str) -> std::sync::Arc<Message> {
    request("UPDATE", 5, offer)
}

/// RFC 3261 §14.1, RFC 3311 §5.1, RFC 6337 §4.3. Itself is no reason; all else is, as for a new one.
#[test]
fn what_a_new_one_is_asked() {
    type Act = fn(&mut Session);
    let nothing: Act = |_| ();
    let update: Act = |session| drop(session.our_change_sent(By::Update, ours(By::Update), sdp("third")));
    let bare: Act = |session| drop(session.our_change_sent(By::Update, ours(By::Update), None));
    let theirs: Act = |session| drop(session.their_update_arrived(IncomingId::from_raw(8), &peers_update("third")));
    let their_bare: Act = |session| drop(session.their_update_arrived(IncomingId::from_raw(8), &peers_update("")));
    let begun_anew: Act = |session| session.our_reinvite_restarted(sdp("second"));
    let accepted: Act = |session| {
        session.their_reinvite_arrived(IncomingId::from_raw(2), &request("INVITE", 2, ""));
        session.accepted(fixture::sent_2xx_to(IncomingId::from_raw(2), 2, ""), &mut FakeClock::default());
    };
    let met = Around { refused_waits: true, ..Around::default() };
    let pends = Around { invite_pends: true, ..Around::default() };
    let alone = Around::default();
    let confirmed: fn() -> Session = fixture::confirmed_caller;
    // What it is, inside what, what came since, what is around, and the section that forbids it; "": nothing does.
    type Row = (&'static str, Session, By, Act, Around, &'static str);
    let rows: [Row; 15] = [
        ("alone", sent(confirmed(), By::Reinvite, "second"), By::Reinvite, nothing, alone, ""),
        ("without offer", sent(confirmed(), By::Reinvite, ""), By::Reinvite, nothing, alone, ""),
        ("a refused one waits", sent(confirmed(), By::Reinvite, "second"), By::Reinvite, nothing, met, "RFC 3261 14.1"),
        ("the INVITE pends", sent(confirmed(), By::Reinvite, "second"), By::Reinvite, nothing, pends, "RFC 3261 14.1"),
        ("our UPDATE inside", inside("second"), By::Reinvite, update, alone, "RFC 3264 4"),
        ("without offer inside", inside("second"), By::Reinvite, bare, alone, ""),
        ("the peer's inside", inside("second"), By::Reinvite, theirs, alone, "RFC 3264 4"),
        ("theirs without offer", inside("second"), By::Reinvite, their_bare, alone, ""),
        ("UPDATE", sent(confirmed(), By::Update, "second"), By::Update, nothing, met, ""),
        ("a 2xx waits", sent(confirmed(), By::Update, "second"), By::Update, accepted, alone, "RFC 6337 4.3"),
        ("and the UPDATE has no offer", sent(confirmed(), By::Update, ""), By::Update, accepted, alone, ""),
        ("inside", sent(inside("second"), By::Update, "third"), By::Update, nothing, alone, ""),
        ("it begins anew", sent(inside("second"), By::Update, "third"), By::Update, begun_anew, alone, "RFC 3311 5.1"),
        ("the same without offer", sent(inside("second"), By::Update, ""), By::Update, begun_anew, alone, ""),
        ("unacknowledged", sent(early(), By::Update, "second"), By::Update, nothing, alone, "RFC 3311 5.1"),
    ];
    for (row, mut session, by, act, outside, section) in rows {
        act(&mut session);
        let before = fixture::books(&session);
        let asked = session.our_change_again_guard(by, ours(by), outside);
        let detail = asked.err().map_or(String::new(), |error| error.detail.into_owned());
        assert!(if section.is_empty() { detail.is_empty() } else { detail.contains(section) }, "{row}: {detail:?}");
        assert_eq!(fixture::books(&session), before, "{row}: asked, not done");
    }
}
