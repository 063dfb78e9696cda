//! The table of offers and answers, turns, what is undone.

use super::*;
use Party::{Local, Remote};

impl OfferAnswer {
    fn apply(&mut self, party: Party, body: StoredBody) -> Result<Part> {
        let turn = self.turn(party)?;
        let part = turn.part();
        turn.take(body);
        Ok(part)
    }
}

fn body(text: &str) -> StoredBody {
    StoredBody::new(text.as_bytes(), SDP)
}

#[test]
fn the_table() {
    use SignalingState::{Closed, HaveLocalOffer, HaveRemoteOffer, Initial, Stable};
    type Row = (&'static [Party], Party, Result<SignalingState, ()>, SignalingState);
    let rows: [Row; 8] = [
        (&[], Local, Ok(HaveLocalOffer), Initial),
        (&[], Remote, Ok(HaveRemoteOffer), Initial),
        (&[Local], Local, Err(()), Initial),
        (&[Local], Remote, Ok(Stable), Stable),
        (&[Remote], Local, Ok(Stable), Stable),
        (&[Remote], Remote, Err(()), Initial),
        (&[Local, Remote], Local, Ok(HaveLocalOffer), Stable),
        (&[Local, Remote], Remote, Ok(HaveRemoteOffer), Stable),
    ];
    for (before, party, expected, after_rollback) in rows {
        let mut exchange = OfferAnswer::default();
        for earlier in before {
            exchange.apply(*earlier, body("v=0")).expect("legal");
        }
        let was = exchange.signaling_state();
        let got = exchange.apply(party, body("v=1"));
        match expected {
            Ok(state) => assert_eq!((got.is_ok(), exchange.signaling_state()), (true, state)),
            Err(()) => assert_eq!((got.is_ok(), exchange.signaling_state()), (false, was)),
        }
        exchange.rollback();
        assert_eq!(exchange.signaling_state(), after_rollback, "{before:?} {party:?}");
        exchange.close();
        assert_eq!(exchange.signaling_state(), Closed);
        assert!(exchange.apply(Local, body("v=0")).is_err() && exchange.apply(Remote, body("v=0")).is_err());
    }
}

#[test]
fn a_rollback_by_hand_hides_an_offer_that_a_message_carries() {
    for history in [false, true] {
        let mut exchange = OfferAnswer::default();
        if history {
            exchange.apply(Local, body("offer")).expect("legal");
            exchange.apply(Remote, body("answer")).expect("legal");
        }
        let (before, state) = (exchange.clone(), exchange.signaling_state());
        exchange.apply(Remote, body("second")).expect("legal");
        exchange.rollback_by_hand();
        exchange.rollback_by_hand();
        assert_eq!(
            (exchange.signaling_state(), exchange.offer(), exchange.answer()),
            (state, before.offer(), before.answer())
        );
        assert!(exchange.apply(Remote, body("third")).is_err(), "to the peer it is open");
        let mut answered = exchange.clone();
        assert_eq!(answered.apply(Local, body("reply")), Ok(Part::Answer));
        assert_eq!((answered.offer(), answered.answer()), (Some(&body("second")), Some(&body("reply"))));
        exchange.rollback();
        assert_eq!((exchange.open_offer(), exchange.signaling_state()), (None, state));
    }
}

#[test]
fn a_preview_is_the_answer_and_closes_nothing() {
    for (offerer, answerer) in [(Local, Remote), (Remote, Local)] {
        let mut exchange = OfferAnswer::default();
        exchange.show(answerer, body("no offer yet"));
        assert_eq!(exchange.signaling_state(), SignalingState::Initial);
        exchange.apply(offerer, body("offer")).expect("legal");
        exchange.show(offerer, body("no answer to itself"));
        assert_eq!(exchange.preview(), None);
        exchange.show(answerer, body("first"));
        exchange.show(answerer, body("second"));
        assert_eq!((exchange.signaling_state(), exchange.open_offer()), (SignalingState::Stable, Some(offerer)));
        assert_eq!(exchange.answer(), Some(&body("first")));
        assert!(exchange.apply(offerer, body("another offer")).is_err());
        let mut back = exchange.clone();
        back.rollback();
        assert_eq!((back.signaling_state(), back.answer()), (SignalingState::Initial, None));
        assert_eq!(exchange.apply(answerer, body("third")), Ok(Part::Answer));
        assert_eq!((exchange.open_offer(), exchange.answer()), (None, Some(&body("first"))));
    }
}

#[test]
fn what_the_host_opened_by_hand_it_rolls_back_for_good() {
    let mut exchange = OfferAnswer::default();
    exchange.apply_by_hand(Local, body("offer")).expect("legal");
    assert_eq!(exchange.signaling_state(), SignalingState::HaveLocalOffer);
    assert!(exchange.apply_by_hand(Local, body("again")).is_err());
    exchange.rollback_by_hand();
    assert_eq!((exchange.open_offer(), exchange.signaling_state()), (None, SignalingState::Initial));
    exchange.apply(Local, body("offer")).expect("legal");
    exchange.rollback_by_hand();
    exchange.apply_by_hand(Local, body("another")).expect("as SIP.js from Initial");
    assert_eq!(exchange.offer(), Some(&body("another")));
    exchange.close();
    exchange.rollback_by_hand();
    assert!(exchange.apply_by_hand(Remote, body("late")).is_err());
}

#[test]
fn rollback_gives_the_former_exchange_back() {
    let mut exchange = OfferAnswer::default();
    for (party, text) in [(Local, "offer"), (Remote, "answer"), (Remote, "second")] {
        exchange.apply(party, body(text)).expect("legal");
    }
    assert_eq!((exchange.offer(), exchange.answer()), (Some(&body("second")), None));
    exchange.rollback();
    assert_eq!((exchange.offer(), exchange.answer()), (Some(&body("offer")), Some(&body("answer"))));
}

/// Books in each state, by name.
fn in_state(name: &str) -> OfferAnswer {
    let mut books = OfferAnswer::default();
    let told: &[(Party, &str)] = match name {
        "Initial" => &[],
        "HaveLocalOffer" | "shown" => &[(Local, "offer")],
        "HaveRemoteOffer" | "undone" => &[(Remote, "offer")],
        "Stable" | "Closed" => &[(Local, "offer"), (Remote, "answer")],
        "Stable, HaveLocalOffer" => &[(Local, "offer"), (Remote, "answer"), (Local, "second")],
        "Stable, HaveRemoteOffer" => &[(Local, "offer"), (Remote, "answer"), (Remote, "second")],
        _ => panic!("{name}"),
    };
    for (party, text) in told {
        books.apply(*party, body(text)).expect("legal");
    }
    match name {
        "shown" => books.show(Remote, body("shown")),
        "undone" => books.rollback_by_hand(),
        "Closed" => books.close(),
        _ => {}
    }
    books
}

type Told = (SignalingState, Option<Party>, Option<StoredBody>, Option<StoredBody>);

fn told(books: &OfferAnswer) -> Told {
    (books.signaling_state(), books.open_offer(), books.offer().cloned(), books.answer().cloned())
}

/// RFC 3264 §4: what a description of ours and of the peer's would be.
#[test]
fn whose_turn_it_is() {
    use Part::{Answer, Offer};
    let rows = [
        ("Initial", Some(Offer), Some(Offer)),
        ("HaveLocalOffer", None, Some(Answer)),
        ("HaveRemoteOffer", Some(Answer), None),
        ("shown", None, Some(Answer)),
        ("undone", Some(Answer), None),
        ("Stable", Some(Offer), Some(Offer)),
        ("Stable, HaveLocalOffer", None, Some(Answer)),
        ("Stable, HaveRemoteOffer", Some(Answer), None),
        ("Closed", None, None),
    ];
    for (name, local, remote) in rows {
        for (party, part) in [(Local, local), (Remote, remote)] {
            let (mut books, before) = (in_state(name), told(&in_state(name)));
            assert_eq!(books.would_be(party).ok(), part, "{name} {party:?}");
            assert_eq!(books.turn(party).ok().map(|turn| turn.part()), part, "{name} {party:?}");
            assert_eq!(books.turn_to_answer(party).is_some(), part == Some(Answer), "{name} {party:?}");
            assert_eq!(books.turn_to_offer(party).is_some(), part == Some(Offer), "{name} {party:?}");
            assert_eq!(told(&books), before, "{name} {party:?}: a turn that is not taken changes nothing");
        }
    }
}

/// RFC 3264 §4: what is in the books once a turn is taken, or carried.
#[test]
fn what_a_turn_puts_into_the_books() {
    use SignalingState::{HaveLocalOffer, HaveRemoteOffer, Stable};
    let rows = [
        ("Initial", Local, (HaveLocalOffer, Some(Local), "new", "")),
        ("Initial", Remote, (HaveRemoteOffer, Some(Remote), "new", "")),
        ("HaveLocalOffer", Remote, (Stable, None, "offer", "new")),
        ("HaveRemoteOffer", Local, (Stable, None, "offer", "new")),
        // RFC 3261 13.2.1: it is what was shown.
        ("shown", Remote, (Stable, None, "offer", "shown")),
        // To the peer the offer was open.
        ("undone", Local, (Stable, None, "offer", "new")),
        ("Stable", Local, (HaveLocalOffer, Some(Local), "new", "")),
        ("Stable", Remote, (HaveRemoteOffer, Some(Remote), "new", "")),
        ("Stable, HaveLocalOffer", Remote, (Stable, None, "second", "new")),
        ("Stable, HaveRemoteOffer", Local, (Stable, None, "second", "new")),
    ];
    for (name, party, (state, open, offer, answer)) in rows {
        let expected = (state, open, Some(body(offer)), (!answer.is_empty()).then(|| body(answer)));
        let (mut taken, mut carried) = (in_state(name), in_state(name));
        taken.turn(party).expect("legal").take(body("new"));
        assert_eq!(told(&taken), expected, "{name} {party:?}");
        let carries = carried.turn(party).expect("legal").carry(body("new"));
        assert_eq!(told(&carried), expected, "{name} {party:?}");
        assert_eq!(carries.is_offer(), open.is_some(), "{name} {party:?}");
        assert_eq!(matches!(carries, Carries::Answer(_)), open.is_none(), "{name} {party:?}");
    }
    assert!(!Carries::Nothing.is_offer());
}

/// RFC 3261 §14.1, RFC 6337 §3.4: a message that fails takes back what it brought, with all that was built on it.
#[test]
fn undo_restores_the_exchange_before() {
    type Step = fn(&mut OfferAnswer, Party);
    fn other(party: Party) -> Party {
        if party == Local { Remote } else { Local }
    }
    let steps: [(&str, Step); 8] = [
        ("open", |_, _| ()),
        ("shown", |books, by| books.show(other(by), body("shown"))),
        ("undone by hand", |books, _| books.rollback_by_hand()),
        ("rolled back", |books, _| books.rollback()),
        ("answered", |books, by| drop(books.apply(other(by), body("reply")))),
        ("answered, offered again", |books, by| {
            books.apply(other(by), body("reply")).expect("legal");
            books.apply(other(by), body("third")).expect("legal");
        }),
        ("answered, offered again, rolled back", |books, by| {
            books.apply(other(by), body("reply")).expect("legal");
            books.apply(other(by), body("third")).expect("legal");
            books.rollback();
        }),
        ("answered, offered and answered again", |books, by| {
            for (party, text) in [(other(by), "reply"), (by, "third"), (other(by), "fourth")] {
                books.apply(party, body(text)).expect("legal");
            }
        }),
    ];
    for name in ["Initial", "Stable"] {
        for party in [Local, Remote] {
            for (row, step) in steps {
                let mut books = in_state(name);
                let carries = books.turn_to_offer(party).expect("legal").carry(body("second"));
                step(&mut books, party);
                books.undo(carries);
                assert_eq!(told(&books), told(&in_state(name)), "{name} {party:?} {row}");
                books.rollback();
                assert_eq!(told(&books), told(&in_state(name)), "{name} {party:?} {row}: none is open");
            }
        }
    }
}

#[test]
fn what_undo_leaves() {
    // The host has closed the exchange by hand: no message has, so none undoes it.
    for name in ["Initial", "Stable"] {
        let mut books = in_state(name);
        let carries = books.turn_to_offer(Local).expect("legal").carry(body("second"));
        books.apply_by_hand(Remote, body("by hand")).expect("legal");
        let stands = told(&books);
        assert_eq!(stands.3, Some(body("by hand")));
        books.undo(carries);
        assert_eq!(told(&books), stands, "{name}: by hand");
        // A later exchange by messages is one like any other.
        let carries = books.turn_to_offer(Remote).expect("legal").carry(body("third"));
        books.apply(Local, body("reply")).expect("legal");
        books.undo(carries);
        assert_eq!(told(&books), stands, "{name}: the one after that");
        let carries = books.turn_to_offer(Local).expect("legal").carry(body("fourth"));
        books.close();
        books.undo(carries);
        assert_eq!(books.signaling_state(), SignalingState::Closed, "{name}");
    }
    // The answer alone: its offer is open again.
    for name in ["HaveLocalOffer", "HaveRemoteOffer", "Stable, HaveLocalOffer", "Stable, HaveRemoteOffer", "shown"] {
        let mut books = in_state(name);
        let party = if books.would_be(Local).is_ok() { Local } else { Remote };
        let carries = books.turn_to_answer(party).expect("legal").carry(body("reply"));
        assert_eq!(books.open_offer(), None, "{name}");
        books.undo(carries);
        assert_eq!(told(&books), told(&in_state(name)), "{name}");
        // And what was before that is still known.
        books.rollback();
        let before = if name.starts_with("Stable") { "Stable" } else { "Initial" };
        assert_eq!(told(&books), told(&in_state(before)), "{name}");
    }
    for name in ["Initial", "HaveLocalOffer", "undone", "Stable", "Closed"] {
        let mut books = in_state(name);
        books.undo(Carries::Nothing);
        assert_eq!(told(&books), told(&in_state(name)), "{name}");
    }
}

#[test]
fn a_session_that_is_taken_over_resumes() {
    let rows = [
        (None, None, SignalingState::Initial),
        (Some("offer"), None, SignalingState::HaveLocalOffer),
        (Some("offer"), Some("answer"), SignalingState::Stable),
        (None, Some("answer"), SignalingState::Initial),
    ];
    for (offer, answer, state) in rows {
        let mut books = in_state("HaveRemoteOffer");
        books.resume(offer.map(body), answer.map(body));
        assert_eq!(books.signaling_state(), state);
        assert_eq!(books.offer().cloned(), offer.map(body));
        assert_eq!(books.answer().cloned(), offer.and(answer).map(body));
    }
}

/// What is kept of an early answer costs a usual call nothing more than the description.
#[test]
fn an_answer_that_was_shown_takes_no_more_than_its_description() {
    assert_eq!(size_of::<Shown>(), size_of::<StoredBody>());
    let plain = Body { content: b"v=0", content_type: SDP, disposition: None };
    assert!(matches!(Shown::by_local(&plain, b""), Some(Shown::Plain(_))));
    assert!(Shown::by_local(&Body { content_type: b"text/plain", ..plain }, b"X: y\r\n").is_none());
}
