use super::*;
use crate::session::SignalingState::{self, HaveLocalOffer, HaveRemoteOffer, Stable};
use crate::session::fixture::reliably::{books, follows, pracked, queue};
use crate::session::fixture::{self, FakeClock, request, sdp};
use crate::session::prack_server::Prack;
use crate::session::reason::Ending;
use crate::session::{Session, SessionState};

type Books = (SignalingState, &'static str, &'static str);

const OLD: Books = (Stable, "offer", "answer");
const ANSWER: Option<(Part, &str)> = Some((Part::Answer, "answer"));
const OFFER: Option<(Part, &str)> = Some((Part::Offer, "offer"));

#[track_caller]
fn assert_books(session: &Session, (state, offer, answer): Books, row: &str) {
    assert_eq!(books(session), (state, offer.to_owned(), answer.to_owned()), "{row}");
}

/// The re-INVITE of the peer's, in sessions that `fixture::reinvited` makes.
fn reinvite() -> IncomingId {
    IncomingId::from_raw(2)
}

fn acknowledged(session: &mut Session, number: u32, clock: &mut FakeClock) -> String {
    pracked(session, number, Prack::Acknowledges, "", "", clock)
}

#[test]
fn when_a_response_is_reliable() {
    use Policy::{Off, Required, Supported};
    let rows = [
        (Wish::Unknown, Supported, false, Some(false)),
        (Wish::Unknown, Supported, true, None),
        (Wish::Unknown, Required, false, Some(false)),
        (Wish::Supported, Supported, false, Some(false)),
        (Wish::Supported, Supported, true, Some(true)),
        (Wish::Supported, Required, false, Some(true)),
        (Wish::Supported, Off, false, Some(false)),
        (Wish::Supported, Off, true, None),
        (Wish::Required, Supported, false, Some(true)),
        (Wish::Required, Required, true, Some(true)),
    ];
    for (wish, policy, asked, expected) in rows {
        assert_eq!(goes_reliably(wish, policy, asked).ok(), expected, "{wish:?} {policy:?} {asked}");
    }
}

#[test]
fn what_its_description_is() {
    let incoming = IncomingId::from_raw(1);
    let mut described = fixture::callee("");
    let server = ReliableServer { described: Some(Part::Answer), ..ReliableServer::new(incoming, 1) };
    described.running.reliable_server = Some(Box::new(server));
    for (server, offered, describes, expected) in [
        (None, true, true, Some(Some(Part::Answer))),
        (None, true, false, Some(None)),
        (None, false, true, Some(Some(Part::Offer))),
        (None, false, false, None),
        (Some(&described), true, true, None),
        (Some(&described), false, true, None),
        (Some(&described), true, false, Some(None)),
        (Some(&described), false, false, Some(None)),
    ] {
        let got = provisional_guard(server, incoming, offered, describes).map(|(part, _)| part);
        assert_eq!(got.ok(), expected, "{} {offered} {describes}", server.is_some());
    }
}

/// §3: the interval doubles, T2 is no bound; after 64*T1 the INVITE is refused.
#[test]
fn the_schedule_of_the_rfc() {
    let mut clock = FakeClock::default();
    let mut session = fixture::callee("offer");
    queue(&mut session, 1, 7, None, &mut clock);
    for at in [500, 1_500, 3_500, 7_500, 15_500, 31_500] {
        let deeds = session.woken(clock.wait(), &mut clock);
        assert_eq!((&*follows(&deeds), clock.milliseconds()), ("Again 183/7", at));
    }
    let end = session.woken(clock.wait(), &mut clock);
    assert_eq!((&*follows(&end), clock.milliseconds()), ("RefuseInvite 504 PrackTimeout", 32_000));
    assert_eq!(clock.timers(), 0);
}

/// §3: one waits for its PRACK, the next wait behind it. RFC 3264: a description counts when it goes out.
#[test]
fn the_next_goes_out_after_the_prack() {
    let mut clock = FakeClock::default();
    let mut session = fixture::callee("offer");
    assert_eq!(session.state(), SessionState::Initial);
    assert_eq!(queue(&mut session, 1, 7, None, &mut clock), "Respond 183/7; State");
    assert_eq!((session.state(), clock.timers()), (SessionState::Early, 1));
    assert_eq!(queue(&mut session, 1, 8, ANSWER, &mut clock), "");
    assert_eq!(queue(&mut session, 1, 9, None, &mut clock), "");
    assert_books(&session, (HaveRemoteOffer, "offer", ""), "it waits");
    assert_eq!(clock.timers(), 1);
    assert_eq!(acknowledged(&mut session, 1, &mut clock), "Respond 183/8; State");
    assert_books(&session, OLD, "it is out");
    assert_eq!(clock.timers(), 1);
    assert_eq!(acknowledged(&mut session, 1, &mut clock), "Respond 183/9; State");
    assert_eq!(acknowledged(&mut session, 1, &mut clock), "");
    assert_eq!(clock.timers(), 0);
    assert_eq!(queue(&mut session, 1, 10, None, &mut clock), "Respond 183/10; State");
    // Each has its own time.
    let repeated = session.woken(clock.wait(), &mut clock);
    assert_eq!((&*follows(&repeated), clock.milliseconds()), ("Again 183/10", 500));
}

#[test]
fn the_first_is_told_and_so_many_wait() {
    let (mut clock, incoming) = (FakeClock::default(), fixture::incoming());
    let mut session = fixture::callee("offer");
    assert_eq!(session.responding_reliably_to(), None);
    for rseq in 7..24 {
        assert_eq!(provisional_guard(Some(&session), incoming, true, false).map(|_| ()), Ok(()), "{rseq}");
        let provisional = Provisional { rseq, status: 183, response: Bytes::from(&b""[..]), description: None };
        let (_, first) = session.queue_reliably(incoming, &request("INVITE", 1, ""), provisional, &mut clock);
        assert_eq!((first, session.responding_reliably_to()), (rseq == 7, Some(incoming)));
    }
    // 3: one waits for its PRACK, 16 behind it.
    let full = provisional_guard(Some(&session), incoming, true, false).map_err(|error| error.kind);
    assert_eq!(full, Err(ErrorKind::Limit));
    acknowledged(&mut session, 1, &mut clock);
    assert_eq!(provisional_guard(Some(&session), incoming, true, false), Ok((None, Some(23))));
    assert_eq!(provisional_guard(Some(&session), reinvite(), true, false), Ok((None, None)), "of another INVITE");
}

/// What our description in a reliable response does to the books.
#[test]
fn what_a_reliable_response_says() {
    type Row = (&'static str, fn() -> Session, u32, Option<(Part, &'static str)>, Books);
    let told: fn() -> Session = || {
        let mut session = fixture::callee("offer");
        session.transition(Party::Local, sdp("by hand")).expect("legal");
        session
    };
    let rows: [Row; 8] = [
        ("5: nothing", || fixture::callee("offer"), 1, None, (HaveRemoteOffer, "offer", "")),
        ("5: the answer", || fixture::callee("offer"), 1, ANSWER, OLD),
        ("5: the answer, told by hand before", told, 1, ANSWER, (Stable, "offer", "by hand")),
        ("5: the offer", || fixture::callee(""), 1, OFFER, (HaveLocalOffer, "offer", "")),
        (
            "5: nothing to a re-INVITE",
            || fixture::reliably::reinvited("second"),
            2,
            None,
            (HaveRemoteOffer, "second", ""),
        ),
        (
            "5: the answer to a re-INVITE",
            || fixture::reliably::reinvited("second"),
            2,
            ANSWER,
            (Stable, "second", "answer"),
        ),
        ("5: the offer to a re-INVITE", || fixture::reliably::reinvited(""), 2, Some((Part::Offer, "ours")), {
            (HaveLocalOffer, "ours", "")
        }),
        ("5: no offer that was none when it was queued", || fixture::callee("offer"), 1, OFFER, {
            (HaveRemoteOffer, "offer", "")
        }),
    ];
    for (row, session, number, said, after) in rows {
        let mut session = session();
        queue(&mut session, number, 7, said, &mut FakeClock::default());
        assert_books(&session, after, row);
    }
}

/// RFC 6141 §4.3: a reliable response to a re-INVITE moves the target, when it goes out.
#[test]
fn a_reliable_response_moves_the_target() {
    for (row, number, target) in [("INVITE made it", 1, &b"sip:a@h"[..]), ("re-INVITE", 2, b"sip:moved")] {
        let mut session = if number == 1 { fixture::callee("offer") } else { fixture::reliably::reinvited("second") };
        let invite =
            fixture::message("INVITE sip:c@d SIP/2.0", &format!("{number} INVITE"), "Contact: <sip:moved>\r\n", "");
        assert_eq!(session.remote_target(), b"sip:a@h", "{row}");
        let provisional = Provisional { rseq: 7, status: 183, response: Bytes::from(&b""[..]), description: None };
        let incoming = IncomingId::from_raw(number);
        session.queue_reliably(incoming, &invite, provisional, &mut FakeClock::default());
        assert_eq!(session.remote_target(), target, "{row}");
    }
}

/// RFC 3262 §3: the 2xx waits for the PRACK of a description, offer or answer.
#[test]
fn when_the_2xx_waits() {
    type Said = Option<(Part, &'static str)>;
    type Row = (&'static str, &'static str, &'static [Said], usize, bool);
    let rows: [Row; 8] = [
        ("nothing is reliable", "offer", &[], 0, false),
        ("no description", "offer", &[None], 0, false),
        ("the answer", "offer", &[ANSWER], 0, true),
        ("the offer", "", &[OFFER], 0, true),
        ("the answer behind another", "offer", &[None, ANSWER], 0, true),
        ("the answer is acknowledged", "offer", &[ANSWER], 1, false),
        ("another behind that", "offer", &[ANSWER, None], 1, false),
        ("only what is before the answer is acknowledged", "offer", &[None, ANSWER], 1, true),
    ];
    for (row, offer, responses, acknowledges, holds) in rows {
        let mut clock = FakeClock::default();
        let mut session = fixture::callee(offer);
        for (rseq, said) in (7..).zip(responses) {
            queue(&mut session, 1, rseq, *said, &mut clock);
        }
        for _ in 0..acknowledges {
            acknowledged(&mut session, 1, &mut clock);
        }
        let response = Bytes::from(&b"2xx"[..]);
        assert!(!session.hold_2xx(reinvite(), 200, &response), "{row}: of another INVITE");
        assert_eq!(session.hold_2xx(fixture::incoming(), 200, &response), holds, "{row}");
        assert_eq!(
            session.reliable_server(fixture::incoming()).is_some_and(ReliableServer::is_accepted),
            holds,
            "{row}"
        );
    }
}

/// RFC 3262 §3: it goes out after the answer to that PRACK, and before what is queued without a description.
#[test]
fn the_2xx_goes_out_after_the_prack() {
    let response = Bytes::from(&b"2xx"[..]);
    let mut clock = FakeClock::default();
    let mut session = fixture::callee("offer");
    for (rseq, said) in [(7, None), (8, ANSWER), (9, None)] {
        queue(&mut session, 1, rseq, said, &mut clock);
    }
    assert!(session.hold_2xx(fixture::incoming(), 202, &response));
    assert_eq!(acknowledged(&mut session, 1, &mut clock), "Respond 183/8; State");
    // The PRACK is here, but has no answer yet.
    let arrived = session.their_prack_arrived(reinvite(), &request("PRACK", 9, ""), Prack::Acknowledges, &mut clock);
    assert_eq!((&*follows(&arrived), clock.timers()), ("State", 0));
    let accepted = session.their_prack_accepted(reinvite(), None, None, &mut clock);
    assert_eq!(follows(&accepted), "Accept 202 2xx");
    assert_eq!(follows(&session.their_prack_accepted(reinvite(), None, None, &mut clock)), "", "once");
}

/// RFC 6141 §3.3: once the exchange of its reliable responses is acknowledged, only a 2xx says what is so.
#[test]
fn what_a_reinvite_has_executed() {
    type Row = (&'static str, fn() -> Session, u32, Option<(Part, &'static str)>, Option<&'static str>, bool);
    let rows: [Row; 8] = [
        ("the answer waits for its PRACK", || fixture::reliably::reinvited("second"), 2, ANSWER, None, false),
        ("the answer is acknowledged", || fixture::reliably::reinvited("second"), 2, ANSWER, Some(""), true),
        ("nothing is described", || fixture::reliably::reinvited("second"), 2, None, Some(""), false),
        ("nor where it brought nothing", || fixture::reliably::reinvited(""), 2, None, Some(""), false),
        ("the offer waits for its PRACK", || fixture::reliably::reinvited(""), 2, OFFER, None, false),
        ("the offer is answered", || fixture::reliably::reinvited(""), 2, OFFER, Some("theirs"), true),
        ("INVITE may be refused", || fixture::callee("offer"), 1, ANSWER, Some(""), false),
        ("nor is anything else", || fixture::callee(""), 1, OFFER, Some("theirs"), false),
    ];
    for (row, session, number, said, prack, executed) in rows {
        let (mut session, mut clock) = (session(), FakeClock::default());
        queue(&mut session, number, 7, said, &mut clock);
        if let Some(answer) = prack {
            pracked(&mut session, number, Prack::Acknowledges, answer, "", &mut clock);
        }
        assert_eq!(session.has_executed(IncomingId::from_raw(number.into())), executed, "{row}");
        assert!(!session.has_executed(IncomingId::from_raw(3)), "{row}: of another one");
    }
    let (mut session, mut clock) = (fixture::reliably::reinvited(""), FakeClock::default());
    queue(&mut session, 2, 7, OFFER, &mut clock);
    session.their_prack_lacks_answer(&mut clock);
    assert!(!session.has_executed(reinvite()), "the offer is acknowledged, not answered");
}

/// RFC 3262 §3: what a final response leaves unacknowledged is repeated no more, but its PRACK is still good for 64*T1.
#[test]
fn what_a_final_response_leaves() {
    type Row = (&'static str, &'static str, Option<(Part, &'static str)>, Option<Prack>, &'static str);
    let rows: [Row; 6] = [
        ("no description", "offer", None, None, "Left 7 1"),
        ("the answer", "offer", ANSWER, None, "Left 7 1"),
        ("the offer", "", OFFER, None, "Left 7 1 offered"),
        ("acknowledged", "offer", ANSWER, Some(Prack::Acknowledges), ""),
        ("its PRACK offers, and waits for the host", "offer", ANSWER, Some(Prack::Offers(true)), "Left 7 1"),
        ("acknowledged, no description", "offer", None, Some(Prack::Acknowledges), ""),
    ];
    for (row, offer, said, prack, left) in rows {
        let mut clock = FakeClock::default();
        let mut session = fixture::callee(offer);
        queue(&mut session, 1, 7, said, &mut clock);
        queue(&mut session, 1, 8, None, &mut clock);
        if let Some(prack) = prack {
            let description = if prack == Prack::Acknowledges { "" } else { "third" };
            session.their_prack_arrived(reinvite(), &request("PRACK", 9, description), prack, &mut clock);
        }
        clock.pass(100);
        let mut accepted = session.clone();
        let deeds = accepted.accepted(fixture::sent_2xx(""), &mut clock);
        assert_eq!(follows(&deeds), left, "{row}");
        assert_eq!((clock.timers(), accepted.responding_reliably_to()), (1, None), "{row}: that of the 2xx runs");
        if let [Deed::Left(left)] = &deeds[..] {
            assert_eq!(left.until.since(Time::default()), Duration::from_millis(32_100), "{row}");
        }
        let ended = follows(&session.end(Ending::because(Reason::RemoteBye), &mut FakeClock::default()));
        assert!(ended.starts_with(left), "{row}: {ended}");
        assert_eq!(ended.contains("Left"), !left.is_empty(), "{row}: {ended}");
    }
}

/// RFC 3262 §3: which PRACK that is. All three fields of RAck count, the method with its case.
#[test]
fn which_prack_is_of_what_was_left() {
    let until = Time::default().plus(Duration::from_secs(32));
    let left = Left { cseq: 1, rseq: 7, offered: false, until };
    for (rack, milliseconds, meant) in [
        ("7 1 INVITE", 0, true),
        ("8 1 INVITE", 0, false),
        ("7 2 INVITE", 0, false),
        ("7 1 invite", 0, false),
        ("7 1 OPTIONS", 0, false),
        ("7 1 INVITE", 31_999, true),
        ("7 1 INVITE", 32_000, false),
    ] {
        let now = Time::default().plus(Duration::from_millis(milliseconds));
        let rack = RAck::parse(rack.as_bytes()).expect("a RAck");
        assert_eq!(left.is_meant(&rack, now), meant, "{rack:?} {milliseconds}");
    }
}

/// RFC 3262 §3, §7.1.
#[test]
fn the_next_rseq() {
    let mut random = Random::from_seed([3; 32]);
    type Row = (&'static str, Option<u32>, Option<&'static str>, Result<u32, ErrorKind>);
    let rows: [Row; 13] = [
        ("the host's first", None, Some("1"), Ok(1)),
        ("the last that may be first", None, Some("2147483647"), Ok(0x7fff_ffff)),
        ("too high for the first", None, Some("2147483648"), Err(ErrorKind::Header)),
        ("from 1", None, Some("0"), Err(ErrorKind::Header)),
        ("no number", None, Some("x"), Err(ErrorKind::Header)),
        ("one higher", Some(7), None, Ok(8)),
        ("the host's next", Some(7), Some("8"), Ok(8)),
        ("a repeat", Some(7), Some("7"), Err(ErrorKind::Header)),
        ("a gap", Some(7), Some("9"), Err(ErrorKind::Header)),
        ("later ones go on", Some(0x7fff_ffff), None, Ok(0x8000_0000)),
        ("the last one", Some(u32::MAX - 1), None, Ok(u32::MAX)),
        ("no wrap", Some(u32::MAX), None, Err(ErrorKind::Limit)),
        ("no wrap by the host", Some(u32::MAX), Some("1"), Err(ErrorKind::Limit)),
    ];
    for (row, former, host, expected) in rows {
        let got = next_rseq(former, host.map(str::as_bytes), &mut random).map_err(|error| error.kind);
        assert_eq!(got, expected, "{row}");
    }
    let drawn: Vec<u32> = (0..1_000).filter_map(|_| next_rseq(None, None, &mut random).ok()).collect();
    assert_eq!(drawn.iter().filter(|rseq| (1..=0x7fff_ffff).contains(*rseq)).count(), 1_000);
    // Uniform: half of them are in the upper half.
    assert!((400..600).contains(&drawn.iter().filter(|rseq| **rseq > 0x3fff_ffff).count()));
}

/// RFC 3261 §14.1, RFC 6337 §3.4: with the peer's re-INVITE fails what its reliable responses and their PRACKs said.
#[test]
fn a_reinvite_that_is_refused_restores_the_books() {
    type Row = (&'static str, &'static str, Option<(Part, &'static str)>, Option<(Prack, &'static str)>, &'static str);
    let rows: [Row; 6] = [
        ("its offer", "second", None, None, "Left 7 2; State"),
        ("its offer, answered", "second", Some((Part::Answer, "reply")), None, "Left 7 2; State"),
        ("its offer, answered, acknowledged", "second", ANSWER, Some((Prack::Acknowledges, "")), "State"),
        ("our offer", "", Some((Part::Offer, "ours")), None, "Left 7 2 offered; State"),
        ("our offer, answered", "", Some((Part::Offer, "ours")), Some((Prack::Acknowledges, "theirs")), "State"),
        ("the offer of a PRACK", "second", ANSWER, Some((Prack::Offers(true), "third")), {
            "Left 7 2; Refuse 488; State"
        }),
    ];
    for (row, offer, said, prack, follow) in rows {
        let (mut session, mut clock) = (fixture::reliably::reinvited(offer), FakeClock::default());
        queue(&mut session, 2, 7, said, &mut clock);
        if let Some((prack, description)) = prack {
            let request = request("PRACK", 9, description);
            session.their_prack_arrived(IncomingId::from_raw(9), &request, prack, &mut clock);
        }
        assert_eq!(follows(&session.their_reinvite_refused(None, &mut clock)), follow, "{row}");
        assert_books(&session, OLD, row);
        assert_eq!((clock.timers(), session.responding_reliably_to()), (0, None), "{row}");
        // The PRACK is refused with it, and touches nothing any more.
        session.their_prack_refused(IncomingId::from_raw(9), &mut clock);
        assert_books(&session, OLD, row);
        assert_eq!(clock.timers(), 0, "{row}");
    }
}

/// RFC 3262 §3: a proxy's timer C is refreshed by a new response, unless one is being repeated anyway.
#[test]
fn what_refreshes_the_proxies() {
    let mut clock = FakeClock::default();
    let mut session = fixture::callee("offer");
    queue(&mut session, 1, 7, None, &mut clock);
    let refresh = |session: &Session| session.reliable_server(fixture::incoming()).and_then(ReliableServer::refresh);
    assert_eq!(refresh(&session), None);
    acknowledged(&mut session, 1, &mut clock);
    assert_eq!(refresh(&session), Some(183));
}

/// RFC 3262 §3, §4: what an INVITE says of 100rel.
#[test]
fn what_the_invite_wishes() {
    for (lines, wish) in [
        ("", Wish::Unknown),
        ("Supported: timer\r\n", Wish::Unknown),
        ("Supported: timer, 100rel\r\n", Wish::Supported),
        ("Require: 100rel\r\n", Wish::Required),
        ("Supported: 100rel\r\nRequire: 100rel\r\n", Wish::Required),
    ] {
        let invite = fixture::message("INVITE sip:c@d SIP/2.0", "1 INVITE", lines, "");
        assert_eq!(wish_of(&invite), wish, "{lines}");
    }
}
