//! MESSAGE (RFC 3428), in the dialog and out of one.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::seconds;
use sipdlg::agent::{Body, EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

#[test]
fn message_goes_both_ways() {
    let mut pair = Pair::confirmed();
    pair.alice.answers(EventKind::Message, "");
    pair.bob.answers(EventKind::Message, "");
    pair.alice.message("Hello");
    pair.exchange();
    pair.bob.message("World");
    pair.exchange();
    assert_eq!(pair.since(4), ["alice MESSAGE", "bob 200 MESSAGE", "bob MESSAGE", "alice 200 MESSAGE"]);
    let sent = &pair.wire.trace.messages("alice", "MESSAGE")[0];
    assert_eq!((sent.value("content-type"), sent.body.as_str()), ("text/plain", "Hello"));
    assert!(sent.get("contact").is_none(), "RFC 3428 §10: no Contact in a MESSAGE");
    let came = pair.bob.last(EventKind::Message);
    assert_eq!((came.session, came.message.as_ref().unwrap().body()), (pair.bob.session, &b"Hello"[..]));
}

/// Nobody takes it: 200 without a body, which RFC 3428 §7 forbids.
#[test]
fn a_message_without_a_taker_gets_200_without_body() {
    let mut pair = Pair::confirmed();
    pair.alice.message("Hello");
    pair.exchange();
    let answer = &pair.wire.trace.messages("bob", "200 MESSAGE")[0];
    assert!(answer.body.is_empty());
    assert!(answer.get("contact").is_none(), "RFC 3428 §7: no dialog, no Contact");
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200, 200]);
}

/// RFC 3428 §7.
#[test]
fn a_2xx_to_a_message_has_no_body() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Message);
    pair.alice.message("Hello");
    pair.exchange();
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    let body = Body { content: b"Hello yourself", content_type: Some(b"text/plain"), disposition: None };
    let options = ResponseOptions { body: Some(body), ..ResponseOptions::default() };
    assert_eq!(pair.bob.agent.accept(now, incoming, 0, &options).unwrap_err().kind, ErrorKind::State);
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("bob", "200 MESSAGE").len(), 0);
    pair.bob.agent.accept(now, incoming, 0, &ResponseOptions::default()).unwrap();
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("bob", "200 MESSAGE").len(), 1);
}

/// Out of a dialog it makes none.
#[test]
fn a_message_out_of_a_dialog_makes_none() {
    let mut pair = Pair::new();
    let now = pair.alice.now();
    let body = Body { content: b"Hello", content_type: Some(b"text/plain"), disposition: None };
    let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
    pair.alice.agent.request(now, b"MESSAGE", TO_BOB.as_bytes(), options).unwrap();
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice MESSAGE", "bob 200 MESSAGE"]);
    assert_eq!(pair.bob.last(EventKind::Message).session, None);
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200]);
    assert_eq!((pair.alice.living()[0], pair.bob.living()[0]), (0, 0));
}

/// In an early dialog: ours only with the quirk; the peer's is delivered.
#[test]
fn in_an_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, crate::common::OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let before = stand.alice.agent.session(session).unwrap().state_text();
    let refused = stand.alice.agent.message(now, session, RequestOptions::default()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::State);
    assert_eq!(stand.alice.agent.session(session).unwrap().state_text(), before, "no number is taken");
    let theirs = stand.peer.request("MESSAGE").content("text/plain", "x");
    stand.say(theirs);
    stand.peer.take("200 MESSAGE");
    assert_eq!(stand.alice.last(EventKind::Message).session, Some(session));
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
}

#[test]
fn in_an_early_dialog_with_the_quirk() {
    let mut alice = config("alice");
    alice.set_tolerance(sipdlg::config::quirk::REQUESTS_IN_EARLY).unwrap();
    let mut pair = Pair::with(alice, config("bob"));
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.progress(now, event.incoming.unwrap(), 180, &Default::default()).unwrap();
    });
    pair.alice.invite(TO_BOB, crate::common::OFFER);
    pair.exchange();
    pair.alice.message("Hello");
    pair.exchange();
    assert_eq!(pair.since(2), ["alice MESSAGE", "bob 200 MESSAGE"]);
}

/// RFC 5057 §5.3: MESSAGE belongs to no usage; neither silence nor 481 ends the call, 404 does.
#[test]
fn only_codes_that_hit_the_dialog_end_the_call() {
    for (status, state) in [
        (481, SessionState::Confirmed),
        (302, SessionState::Confirmed),
        (486, SessionState::Confirmed),
        (404, SessionState::Terminated),
    ] {
        let mut stand = Stand::alice_called();
        stand.alice.message("x");
        stand.exchange();
        stand.peer_replies("MESSAGE", status, "");
        assert_eq!(stand.alice.state().0, state, "{status}");
    }
    let mut stand = Stand::alice_called();
    stand.alice.message("x");
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

/// RFC 3261 §12.2.1.1: a dialog's names are fixed, so what would change them is refused and named.
#[test]
fn names_of_the_host_are_refused_in_a_dialog() {
    let mut pair = Pair::confirmed();
    let (now, session) = (pair.alice.now(), pair.alice.session());
    let rows = [
        ("from", RequestOptions { from: Some(b"sip:x@example.com"), ..RequestOptions::default() }),
        ("to", RequestOptions { to: Some(b"sip:x@example.com"), ..RequestOptions::default() }),
        ("call_id", RequestOptions { call_id: Some(b"x"), ..RequestOptions::default() }),
    ];
    let before = pair.alice.agent.session(session).unwrap().state_text();
    for (name, options) in rows {
        let agent = &mut pair.alice.agent;
        for refused in [
            agent.message(now, session, options.clone()),
            agent.info(now, session, options.clone()),
            agent.reinvite(now, session, options.clone()),
            agent.bye(now, session, options.clone()),
            agent.options(now, session, options.clone()),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Argument);
            assert!(error.detail.contains(name), "{}", error.detail);
        }
    }
    assert_eq!(pair.alice.agent.session(session).unwrap().state_text(), before);
    assert!(!pair.alice.agent.has_output());
}
