//! A dialog that was made elsewhere is taken over from its text (RFC 3261 §12). The agent that made it is gone; the one
//! that takes its place stands on the same address, so that the wire checker sees one party whose dialog goes on.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{Party, config};
use crate::common::properties::Properties;
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::{Attachment, EventKind, ForeignDialog, RequestOptions, SessionId};
use sipdlg::error::{ErrorKind, Result};
use sipdlg::session::SessionState::{Confirmed, Early};
use sipdlg::session::SignalingState::{HaveLocalOffer, Initial, Stable};

fn take_over(party: &mut Party, foreign: &ForeignDialog<'_>) -> Result<SessionId> {
    let now = party.now();
    party.agent.take_over(now, foreign, Attachment::default())
}

/// The party's agent is replaced by one that takes the last session over.
#[track_caller]
fn reborn(party: &mut Party, caller: bool) -> Properties {
    let before = party.properties();
    party.replace_agent(config(party.name));
    let session = take_over(party, &before.foreign(caller)).expect("the text of a dialog is good");
    party.session = Some(session);
    before
}

#[test]
fn all_properties_are_those_that_were_told() {
    let mut pair = Pair::confirmed();
    let before = reborn(&mut pair.alice, true);
    assert_eq!(pair.alice.properties(), before);
    let before = reborn(&mut pair.bob, false);
    assert_eq!(pair.bob.properties(), before);
    assert_eq!((before.local_sequence_number, before.remote_sequence_number), (None, Some(1)));
    pair.exchange();
    assert_eq!(pair.alice.kinds(), [EventKind::State], "the birth");
    assert_eq!(pair.alice.last(EventKind::State).session_state, Confirmed);
}

/// Requests both ways, re-INVITE both ways, BYE: of the caller's side, and of the callee's.
#[test]
fn the_call_goes_on() {
    for callee in [false, true] {
        let mut pair = Pair::confirmed();
        reborn(if callee { &mut pair.bob } else { &mut pair.alice }, !callee);
        pair.alice.answers(EventKind::Info, "");
        pair.bob.answers(EventKind::Info, "");
        pair.alice.info();
        pair.exchange();
        pair.bob.info();
        pair.exchange();
        assert_eq!(
            (pair.alice.statuses(EventKind::Accept).last(), pair.bob.statuses(EventKind::Accept).last()),
            (Some(&200), Some(&200))
        );
        pair.bob.answers(EventKind::Reinvite, HELD);
        pair.alice.reinvite(HOLD);
        pair.exchange();
        pair.alice.answers(EventKind::Reinvite, OFFER);
        pair.bob.reinvite(ANSWER);
        pair.exchange();
        let confirmed = (Confirmed, Stable);
        assert_eq!((pair.alice.state(), pair.bob.state()), (confirmed, confirmed));
        assert_eq!(pair.alice.properties().answer.as_deref(), Some(OFFER));
        if callee {
            pair.bob.bye()
        } else {
            pair.alice.bye()
        };
        pair.exchange();
        assert_eq!((pair.alice.count(EventKind::Terminated), pair.bob.count(EventKind::Terminated)), (1, 1));
        pair.finish();
    }
}

/// RFC 3261 §8.1.1.5: numbers are below 2^31 and do not begin anew; the last ones are kept for BYE, also when it is challenged.
#[test]
fn at_the_end_of_the_numbers_there_is_still_a_bye() {
    const LAST: u32 = 0x7fff_ffff;
    let mut stand = Stand::new();
    stand.peer_calls();
    stand.exchange();
    let before = stand.alice.properties();
    stand.alice.replace_agent(config("alice"));
    let mut foreign = before.foreign(false);
    foreign.dialog.local_sequence_number = Some(LAST - 18);
    stand.alice.session = Some(take_over(&mut stand.alice, &foreign).expect("good"));
    for number in [LAST - 17, LAST - 16] {
        stand.alice.info();
        stand.exchange();
        assert_eq!(stand.peer.take("INFO").value("cseq"), format!("{number} INFO"));
    }
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let before = stand.alice.agent.session(session).unwrap().state_text();
    for refused in [
        stand.alice.agent.info(now, session, RequestOptions::default()),
        stand.alice.agent.reinvite(now, session, RequestOptions::default()),
        stand.alice.agent.update(now, session, RequestOptions::default()),
    ] {
        assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Limit));
    }
    assert_eq!(stand.alice.agent.session(session).unwrap().state_text(), before);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.value("cseq"), format!("{} BYE", LAST - 15));
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

#[test]
fn the_peers_bye_ends_it() {
    let mut pair = Pair::confirmed();
    reborn(&mut pair.alice, true);
    pair.bob.bye();
    pair.exchange();
    assert_eq!(pair.bob.statuses(EventKind::Accept).last(), Some(&200));
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
}

/// RFC 3261 §12.2.1.1: the route set is used as it was, loose and strict.
#[test]
fn its_route_set_is_used() {
    let far = "<sip:far.example.com;lr>";
    for (first, uri, routes) in [
        ("<sip:192.0.2.2:5060;lr;near=1>", "sip:peer@192.0.2.2:5060", ["<sip:192.0.2.2:5060;lr;near=1>", far]),
        ("<sip:strict@192.0.2.2:5060>", "sip:strict@192.0.2.2:5060", [far, "<sip:peer@192.0.2.2:5060>"]),
    ] {
        let mut stand = Stand::new();
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER).with("Record-Route", far).with("Record-Route", first);
        stand.say(ok);
        reborn(&mut stand.alice, true);
        stand.alice.bye();
        stand.exchange();
        let bye = stand.peer_replies("BYE", 200, "");
        assert_eq!((bye.uri(), bye.all("route")), (uri, routes.to_vec()));
    }
}

/// RFC 3261 §15: the caller may end an early dialog by BYE. Its INVITE is elsewhere, so hang-up cannot cancel it.
#[test]
fn an_early_one_of_the_caller_ends_by_bye() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 180, "");
    let before = reborn(&mut stand.alice, true);
    assert_eq!(stand.alice.properties(), before);
    assert_eq!(stand.alice.state(), (Early, HaveLocalOffer));
    stand.alice.hangup();
    stand.exchange();
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// Empty is not zero (RFC 3261 §12.1.1).
#[test]
fn a_number_zero_is_a_number() {
    for (last, first, statuses) in [(None, 0, [200, 500]), (Some(0), 0, [500, 500]), (Some(0), 1, [200, 500])] {
        let mut stand = Stand::alice_called();
        stand.alice.answers(EventKind::Info, "");
        let mut before = stand.alice.properties();
        before.remote_sequence_number = last;
        stand.alice.replace_agent(config("alice"));
        stand.alice.session = Some(take_over(&mut stand.alice, &before.foreign(true)).expect("good"));
        for status in statuses {
            let info = stand.peer.request("INFO").set("CSeq", format!("{first} INFO"));
            stand.say(info);
            stand.peer.take(&format!("{status} INFO"));
        }
        let want = last.max(Some(first));
        assert_eq!(stand.alice.properties().remote_sequence_number, want);
    }
    // Ours: the number that follows, and any where there is none (§8.1.1.5).
    for (last, next) in [(Some(0), 1), (Some(41), 42), (None, 1)] {
        let mut stand = Stand::peer_called();
        let mut before = stand.alice.properties();
        before.local_sequence_number = last;
        stand.alice.replace_agent(config("alice"));
        stand.alice.session = Some(take_over(&mut stand.alice, &before.foreign(false)).expect("good"));
        stand.alice.info();
        stand.exchange();
        let info = stand.peer_replies("INFO", 200, "");
        assert_eq!(info.cseq(), next);
    }
}

/// A confirmed dialog without an exchange, one with, and what cannot be.
#[test]
fn what_cannot_be_is_refused_and_named() {
    let mut pair = Pair::confirmed();
    let known = pair.alice.properties();
    let error = take_over(&mut pair.alice, &known.foreign(true)).expect_err("it lives here");
    assert_eq!(error.kind, ErrorKind::State);
    let mut other = known.clone();
    other.local_tag = "another".to_owned();
    let good = other.foreign(true);
    let text = |text: &'static str| crate::common::party::sdp(text);
    let mut page = text(OFFER);
    page.as_mut().expect("a body").content_type = Some(b"text/html");
    let mut broken = text(OFFER);
    broken.as_mut().expect("a body").content_type = Some(b"text\r\nX: y");
    let rows = [
        ("early", ForeignDialog { early: true, caller: false, ..good.clone() }, ErrorKind::Argument),
        ("answer", ForeignDialog { offer: None, ..good.clone() }, ErrorKind::Argument),
        ("offer", ForeignDialog { answer: None, ..good.clone() }, ErrorKind::Argument),
        ("offer", ForeignDialog { offer: page, ..good.clone() }, ErrorKind::Argument),
        ("answer", ForeignDialog { answer: broken, ..good.clone() }, ErrorKind::Syntax),
        (
            "call_id",
            ForeignDialog { dialog: sipdlg::dialog::text::DialogText { call_id: b"", ..good.dialog }, ..good.clone() },
            ErrorKind::Syntax,
        ),
    ];
    for (name, foreign, kind) in rows {
        let error = take_over(&mut pair.alice, &foreign).expect_err(name);
        assert_eq!(error.kind, kind, "{name}: {}", error.detail);
        assert!(error.detail.starts_with(name), "{name}: {}", error.detail);
    }
    assert_eq!(pair.alice.agent.stats().sessions, 1);
    let plain = ForeignDialog { offer: None, answer: None, ..good };
    let session = take_over(&mut pair.alice, &plain).expect("a dialog without an exchange");
    assert_eq!(pair.alice.agent.session(session).unwrap().signaling_state(), Initial);
    let now = pair.alice.now();
    pair.alice.agent.dispose_session(now, session).expect("it can be forgotten");
}

#[test]
fn the_limit_of_sessions_counts_here_too() {
    let mut pair = Pair::confirmed();
    let before = pair.alice.properties();
    let mut narrow = config("alice");
    narrow.set_limits(0, 1, 0).expect("a limit");
    pair.alice.replace_agent(narrow);
    pair.alice.session = Some(take_over(&mut pair.alice, &before.foreign(true)).expect("room for one"));
    let mut other = before.clone();
    other.local_tag = "another".to_owned();
    assert_eq!(take_over(&mut pair.alice, &other.foreign(true)).expect_err("full").kind, ErrorKind::Limit);
}

/// RFC 2543: a peer without a tag.
#[test]
fn a_peer_without_a_tag() {
    let mut stand = Stand::alice_called();
    let mut before = stand.alice.properties();
    before.remote_tag.clear();
    stand.peer.local_tag.clear();
    stand.alice.replace_agent(config("alice"));
    stand.alice.session = Some(take_over(&mut stand.alice, &before.foreign(true)).expect("good"));
    // To the checker this is a dialog that nothing made.
    stand.wire.trace.allowed.extend(["dialog-exists", "no-dialog-481"]);
    stand.alice.answers(EventKind::Info, "");
    let info = stand.peer.request("INFO");
    let from = info.get("From").replace(";tag=", "");
    stand.say(info.set("From", from));
    stand.peer.take("200 INFO");
    let now = stand.alice.now();
    let session = stand.alice.session();
    stand.alice.agent.bye(now, session, RequestOptions::default()).expect("a BYE");
    stand.exchange();
    let bye = stand.peer.take("BYE");
    assert_eq!((bye.from_tag().is_some(), bye.to_tag()), (true, None));
    let done = stand.peer.reply(&bye, 200).set("To", bye.value("to").to_owned());
    stand.say(done);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}
