//! What SIP.js's SessionDialog lets its user do past the messages: confirm, reConfirm, rollback, transition, a deferred
//! ACK, a request that the user matched itself, dispose.

use crate::common::by_hand::ByHand;
use crate::common::pair::{ALICE, BOB, Pair, Stand, TO_BOB};
use crate::common::party::{Party, answer_sdp, config, sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::{Attachment, Body, EventKind, Reason, RequestOptions, ResponseOptions};
use sipdlg::error::{ErrorKind, Result};
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SessionState::{AckWait, Confirmed, Early, Terminated};
use sipdlg::session::SignalingState::{Closed, HaveLocalOffer, HaveRemoteOffer, Initial, Stable};
use sipdlg::session::offer_answer::Party::{Local, Remote};

fn confirm(party: &mut Party) -> Result<()> {
    let (now, session) = (party.now(), party.session());
    party.agent.confirm_session(now, session)
}

fn reconfirm(party: &mut Party) -> Result<()> {
    let (now, session) = (party.now(), party.session());
    party.agent.reconfirm_session(now, session)
}

fn rollback(party: &mut Party) -> Result<()> {
    let (now, session) = (party.now(), party.session());
    party.agent.rollback(now, session)
}

#[track_caller]
fn is_state(result: Result<()>) {
    let error = result.expect_err("forbidden now");
    assert_eq!(error.kind, ErrorKind::State, "{}", error.detail);
    assert!(!error.detail.is_empty());
}

/// Alice called, the peer rings.
fn ringing(stand: &mut Stand) -> crate::common::sip::Sip {
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 180, "")
}

#[test]
fn the_caller_confirms_by_hand_and_the_2xx_comes_later() {
    let mut stand = Stand::new();
    let invite = ringing(&mut stand);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    assert_eq!(
        stand.alice.agent.info(now, session, RequestOptions::default()).expect_err("early").kind,
        ErrorKind::State
    );
    confirm(&mut stand.alice).expect("by hand");
    let after = stand.alice.properties();
    assert_eq!((after.state, after.early, after.signaling_state), (Confirmed, false, HaveLocalOffer));
    confirm(&mut stand.alice).expect("nothing");
    assert_eq!(stand.alice.properties(), after);
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::State), 2);
    stand.alice.info();
    stand.exchange();
    stand.peer_replies("INFO", 200, "");
    // RFC 3261 §14.1: the INVITE is still in progress, for both.
    let refused = stand.alice.agent.reinvite(now, session, RequestOptions::default());
    assert_eq!(refused.expect_err("our INVITE pends").kind, ErrorKind::State);
    let reinvite = stand.peer.request("INVITE");
    stand.say(reinvite.clone());
    let pending = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&reinvite, &pending);
    stand.say(ack);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(stand.alice.properties().answer.as_deref(), Some(HELD));
}

/// RFC 3261 §13.2.2.3: what the host confirmed never was.
#[test]
fn a_rejection_ends_what_was_confirmed_by_hand() {
    let mut stand = Stand::new();
    let invite = ringing(&mut stand);
    confirm(&mut stand.alice).expect("by hand");
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Rejected);
}

/// ... and when it is ended while the INVITE has no final response,
/// that is cancelled after 64*T1 as for an early dialog.
#[test]
fn an_invite_left_behind_is_cancelled() {
    let mut stand = Stand::new();
    let invite = ringing(&mut stand);
    confirm(&mut stand.alice).expect("by hand");
    stand.alice.bye();
    stand.exchange();
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
    stand.advance(seconds(33));
    stand.peer_replies("CANCEL", 200, "");
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
}

#[test]
fn the_callee_has_nothing_to_confirm_by_hand() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    let session = pair.bob.agent.session_for_invite(now, incoming).expect("the INVITE lives");
    pair.bob.session = Some(session);
    is_state(confirm(&mut pair.bob));
    pair.bob.progress(180, "");
    pair.exchange();
    let before = pair.bob.properties();
    is_state(confirm(&mut pair.bob));
    assert_eq!((pair.bob.properties(), before.state), (before.clone(), Early));
    pair.wire.lose_next("alice", "ACK", 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.bob.state().0, AckWait);
    confirm(&mut pair.bob).expect("the 2xx is out");
    assert_eq!(pair.bob.state().0, AckWait, "until the ACK of its repeat");
    pair.advance(seconds(1));
    assert_eq!(pair.bob.state().0, Confirmed);
    confirm(&mut pair.bob).expect("nothing");
    pair.bob.on(EventKind::Terminated, |agent, now, event| {
        let session = event.session.expect("a session");
        is_state(agent.confirm_session(now, session));
        is_state(agent.reconfirm_session(now, session));
        is_state(agent.rollback(now, session));
        is_state(agent.transition(now, session, Local, sdp(OFFER)));
        is_state(agent.set_defer_ack(now, session, true));
        is_state(agent.ack_processed(now, session).map(drop));
        is_state(agent.receive_request(now, session, None, b"INFO sip:a SIP/2.0\r\n\r\n"));
        is_state(agent.dispose_session(now, session));
    });
    pair.alice.bye();
    pair.exchange();
    assert_eq!(pair.bob.count(EventKind::Terminated), 1);
}

#[test]
fn reconfirm_finds_the_2xx_on_its_way() {
    let mut pair = Pair::confirmed();
    reconfirm(&mut pair.bob).expect("no re-INVITE, nothing");
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    is_state(reconfirm(&mut pair.bob));
    pair.wire.lose_next("alice", "ACK", 1);
    pair.bob.accept(HELD);
    pair.exchange();
    reconfirm(&mut pair.bob).expect("the 2xx is out");
    let before = pair.sent();
    pair.advance(seconds(1));
    assert!(pair.since(before).iter().any(|line| line.contains("200")), "it is repeated by itself");
    reconfirm(&mut pair.bob).expect("nothing");
}

/// A dialog that was taken over early is confirmed by hand: its 2xx came elsewhere.
#[test]
fn an_early_dialog_from_elsewhere_is_confirmed() {
    let mut stand = Stand::new();
    ringing(&mut stand);
    let early = stand.alice.properties();
    stand.alice.replace_agent(config("alice"));
    let now = stand.alice.now();
    let session =
        stand.alice.agent.take_over(now, &early.foreign(true), Attachment::default()).expect("early of the caller");
    stand.alice.session = Some(session);
    confirm(&mut stand.alice).expect("by hand");
    stand.alice.agent.transition(now, session, Remote, sdp(ANSWER)).expect("the answer of the 2xx");
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!(info.cseq(), 2);
    // To the checker the INVITE has no 2xx.
    stand.wire.trace.allowed.extend(["reinvite-forbidden", "one-offer"]);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(stand.alice.properties().answer.as_deref(), Some(HELD));
}

/// Rolled back while our re-INVITE is under way: the books are those before, until its answer comes.
#[test]
fn rollback_of_our_open_offer() {
    let mut pair = Pair::confirmed();
    let before = pair.alice.properties();
    rollback(&mut pair.alice).expect("nothing");
    assert_eq!(pair.alice.properties(), before);
    for accepted in [false, true] {
        pair.bob.hold(EventKind::Reinvite);
        pair.alice.reinvite(HOLD);
        pair.exchange();
        assert_eq!(pair.alice.state().1, HaveLocalOffer);
        rollback(&mut pair.alice).expect("an offer is open");
        let undone = pair.alice.properties();
        assert_eq!(
            (undone.signaling_state, undone.offer, undone.answer),
            (Stable, before.offer.clone(), before.answer.clone())
        );
        if accepted {
            pair.bob.accept(HELD)
        } else {
            pair.bob.reject(488)
        };
        pair.exchange();
        let after = pair.alice.properties();
        let want =
            if accepted { (Some(HOLD), Some(HELD)) } else { (before.offer.as_deref(), before.answer.as_deref()) };
        assert_eq!((after.signaling_state, after.offer.as_deref(), after.answer.as_deref()), (Stable, want.0, want.1));
    }
}

/// Rolled back while the peer's re-INVITE waits: a 200 of ours answers its offer all the same.
#[test]
fn rollback_of_the_peers_open_offer() {
    for accepted in [false, true] {
        let mut pair = Pair::confirmed();
        let before = pair.bob.properties();
        pair.bob.hold(EventKind::Reinvite);
        pair.alice.reinvite(HOLD);
        pair.exchange();
        assert_eq!(pair.bob.state().1, HaveRemoteOffer);
        rollback(&mut pair.bob).expect("an offer is open");
        assert_eq!(pair.bob.state().1, Stable);
        assert_eq!(pair.bob.properties().offer, before.offer);
        if accepted {
            pair.bob.accept(HELD)
        } else {
            pair.bob.reject(488)
        };
        pair.exchange();
        let after = pair.bob.properties();
        let want =
            if accepted { (Some(HOLD), Some(HELD)) } else { (before.offer.as_deref(), before.answer.as_deref()) };
        assert_eq!((after.signaling_state, after.offer.as_deref(), after.answer.as_deref()), (Stable, want.0, want.1));
    }
}

/// Without an earlier exchange it goes back to Initial; the 2xx still brings the answer.
/// So do late offers, on either side.
#[test]
fn rollback_without_history() {
    let mut stand = Stand::new();
    let invite = ringing(&mut stand);
    rollback(&mut stand.alice).expect("an offer is open");
    assert_eq!((stand.alice.state().1, stand.alice.properties().offer), (Initial, None));
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    assert_eq!(stand.alice.properties().offer.as_deref(), Some(OFFER));

    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, OFFER);
    pair.alice.hold(EventKind::Accept);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    assert_eq!((pair.alice.state().1, pair.bob.state().1), (HaveRemoteOffer, HaveLocalOffer));
    rollback(&mut pair.alice).expect("an offer is open");
    rollback(&mut pair.bob).expect("an offer is open");
    assert_eq!((pair.alice.state().1, pair.bob.state().1), (Initial, Initial));
    pair.alice.ack(ANSWER);
    pair.exchange();
    assert_eq!((pair.alice.state(), pair.bob.state()), ((Confirmed, Stable), (Confirmed, Stable)));
}

/// The table of RFC 3264 by hand; nothing is sent.
#[test]
fn transitions_by_hand() {
    let mut pair = Pair::confirmed();
    let (sent, now, session) = (pair.sent(), pair.alice.now(), pair.alice.session());
    let text = Body { content: b"hello", content_type: Some(b"text/plain"), disposition: None };
    let broken = Body { content: b"x", content_type: Some(b"a/b\r\nX: y"), disposition: None };
    let before = pair.alice.properties();
    let agent = &mut pair.alice.agent;
    agent.transition(now, session, Local, None).expect("a body that is none");
    agent.transition(now, session, Local, Some(text)).expect("no session description");
    assert_eq!(agent.transition(now, session, Local, Some(broken)).expect_err("a line end").kind, ErrorKind::Syntax);
    assert_eq!(pair.alice.properties(), before);
    let rows = [
        (Local, HOLD, true, HaveLocalOffer, HOLD, None),
        (Local, OFFER, false, HaveLocalOffer, HOLD, None),
        (Remote, HELD, true, Stable, HOLD, Some(HELD)),
        (Remote, OFFER, true, HaveRemoteOffer, OFFER, None),
        (Remote, HOLD, false, HaveRemoteOffer, OFFER, None),
        (Local, ANSWER, true, Stable, OFFER, Some(ANSWER)),
        (Remote, HOLD, true, HaveRemoteOffer, HOLD, None),
    ];
    for (party, body, legal, state, offer, answer) in rows {
        let result = pair.alice.agent.transition(now, session, party, sdp(body));
        assert_eq!(result.is_ok(), legal);
        result.map_or_else(|error| assert_eq!(error.kind, ErrorKind::State), drop);
        let after = pair.alice.properties();
        assert_eq!(
            (after.signaling_state, after.offer.as_deref(), after.answer.as_deref()),
            (state, Some(offer), answer)
        );
    }
    rollback(&mut pair.alice).expect("the offer that was opened by hand");
    assert_eq!(pair.alice.properties().answer.as_deref(), Some(ANSWER));
    pair.exchange();
    assert_eq!(pair.sent(), sent, "nothing was sent");
    assert_eq!(pair.alice.last(EventKind::State).signaling_state, Stable);
    // It is a session like any other afterwards.
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    assert_eq!(pair.alice.properties().answer.as_deref(), Some(HELD));
}

/// The answer told by hand before the message that carries it: it is not taken for a new offer.
#[test]
fn an_answer_told_by_hand_first() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let (now, alice, bob) = (pair.alice.now(), pair.alice.session(), pair.bob.session());
    pair.alice.agent.transition(now, alice, Remote, sdp(HELD)).expect("the answer");
    pair.bob.agent.transition(now, bob, Local, sdp(HELD)).expect("the answer");
    pair.bob.accept(HELD);
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        assert_eq!((party.state().1, party.properties().answer.as_deref()), (Stable, Some(HELD)));
    }
}

/// A request that the host matched itself does what one that arrives does.
#[test]
fn a_request_that_the_host_matched() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Info, "");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), BOB.parse().ok()) };
    // On a flow, and on the one that its Via tells. The checker sees responses to what nobody sent.
    stand.wire.trace.allowed.extend(["response-to-nothing", "no-dialog-481", "one-final"]);
    for flow in [Some(&flow), None] {
        let info = stand.peer.request("INFO").text();
        stand.alice.agent.receive_request(now, session, flow, info.as_bytes()).expect("of this dialog");
        stand.exchange();
        stand.peer.take("200 INFO");
        // Repeated: absorbed, answered again.
        stand.alice.agent.receive_request(now, session, flow, info.as_bytes()).expect("of this dialog");
        stand.exchange();
        stand.peer.take("200 INFO");
    }
    assert_eq!(stand.alice.count(EventKind::Info), 2);
    // Refused by a rule: answered, and nothing but the number has changed.
    let before = stand.alice.properties();
    assert_eq!(before.remote_sequence_number, Some(3));
    let old = stand.peer.request("INFO").set("CSeq", "2 INFO").text();
    stand.alice.agent.receive_request(now, session, None, old.as_bytes()).expect("refused by rule");
    let odd = stand.peer.request("FETCH").text();
    stand.alice.agent.receive_request(now, session, None, odd.as_bytes()).expect("refused by rule");
    stand.exchange();
    assert_eq!(stand.peer.got(), ["500 INFO", "501 FETCH"]);
    assert_eq!(stand.alice.properties(), before);
    // What is no request of this dialog: refused, nothing sent, nothing changed.
    stand.peer.inbox.clear();
    let good = stand.peer.request("INFO");
    let other = |name: &str, value: &str| good.clone().set(name, value).text();
    let answer = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
         Call-ID: x\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n";
    let long = good.clone().content("text/plain", &"x".repeat(70_000)).text();
    let rows = [
        (other("Call-ID", "another"), ErrorKind::State),
        (other("To", "<sip:alice@example.com>;tag=another"), ErrorKind::State),
        (other("To", "<sip:alice@example.com>"), ErrorKind::State),
        (other("From", "<sip:peer@example.com>;tag=another"), ErrorKind::State),
        (other("CSeq", "x INFO"), ErrorKind::Syntax),
        (other("Via", "SIP/2.0/UDP peer.example.com;branch=z9hG4bKy"), ErrorKind::Argument),
        (other("Via", "SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKy"), ErrorKind::Argument),
        ("INFO".to_owned(), ErrorKind::Syntax),
        (String::new(), ErrorKind::Syntax),
        (answer.to_owned(), ErrorKind::Argument),
        (long, ErrorKind::Limit),
    ];
    for (text, kind) in rows {
        let error = stand
            .alice
            .agent
            .receive_request(now, session, None, text.as_bytes())
            .expect_err(&text[..text.len().min(80)]);
        assert_eq!(error.kind, kind, "{} {}", error.detail, &text[..text.len().min(300)]);
        assert!(!error.detail.is_empty());
    }
    stand.exchange();
    assert_eq!((stand.peer.got(), stand.alice.properties()), (Vec::new(), before));
    // A whole re-INVITE with its ACK, and BYE.
    stand.alice.answers(EventKind::Reinvite, HELD);
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.alice.agent.receive_request(now, session, None, reinvite.text().as_bytes()).expect("of this dialog");
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&reinvite, &ok).text();
    stand.alice.agent.receive_request(now, session, None, ack.as_bytes()).expect("of this dialog");
    assert_eq!((stand.alice.state(), stand.alice.properties().reinvite_server), ((Confirmed, Stable), None));
    let bye = stand.peer.request("BYE").text();
    stand.alice.agent.receive_request(now, session, Some(&flow), bye.as_bytes()).expect("of this dialog");
    stand.exchange();
    stand.peer.take("200 BYE");
    assert_eq!((stand.alice.count(EventKind::Terminated), stand.alice.state()), (1, (Terminated, Closed)));
}

/// dispose: no BYE; what the peer waits for is answered 487, what it sends later 481.
#[test]
fn dispose_answers_what_waits() {
    let mut stand = Stand::peer_called();
    // To the checker the dialog still lives, for nothing on the wire ended it.
    stand.wire.trace.allowed.push("no-dialog-481");
    for kind in [EventKind::Info, EventKind::Reinvite, EventKind::Options] {
        stand.alice.hold(kind);
    }
    let info = stand.peer.request("INFO");
    stand.say(info);
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(reinvite.clone());
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.dispose_session(now, session).expect("a living session");
    stand.exchange();
    stand.peer.take("487 INFO");
    let gone = stand.peer.take("487 INVITE");
    let ack = stand.peer.ack(&reinvite, &gone);
    stand.say(ack);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Disposed);
    assert_eq!(stand.alice.agent.dispose_session(now, session).expect_err("gone").kind, ErrorKind::Stale);
    let info = stand.peer.request("INFO");
    stand.say(info);
    stand.peer.take("481 INFO");
    stand.run_until_idle();
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "no BYE");
}

/// Disposed before any 2xx: the INVITE is answered 487, from Initial and from Early.
#[test]
fn dispose_of_an_unanswered_call() {
    for rings in [false, true] {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(invite.clone());
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let session = stand.alice.agent.session_for_invite(now, incoming).expect("the INVITE lives");
        if rings {
            stand.alice.progress(180, "");
        }
        stand.alice.agent.dispose_session(now, session).expect("a living session");
        stand.exchange();
        let gone = stand.peer.take("487 INVITE");
        let ack = stand.peer.ack(&invite, &gone);
        stand.say(ack);
        assert_eq!(stand.alice.count(EventKind::Terminated), 1);
        let answered = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(ANSWER));
        assert!(answered.is_err(), "answered already");
    }
}

/// Disposed after the 2xx: it is repeated no more.
#[test]
fn dispose_before_the_ack() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite);
    stand.peer.take("200 INVITE");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    // The host lets the peer alone with it.
    stand.wire.trace.allowed.push("2xx-schedule");
    stand.alice.agent.dispose_session(now, session).expect("a living session");
    stand.run_until_idle();
    assert_eq!((stand.peer.got(), stand.alice.count(EventKind::Terminated)), (Vec::new(), 1));
}

/// A session made for a live INVITE ends with it, however that ends.
#[test]
fn a_session_that_never_rang() {
    for way in 0..5 {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Invite);
        let mut invite = stand.peer.request("INVITE").sdp(OFFER);
        if way == 4 {
            invite = invite.with("Expires", "5");
        }
        stand.say(invite.clone());
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let session = stand.alice.agent.session_for_invite(now, incoming).expect("the INVITE lives");
        assert_eq!(stand.alice.agent.session_for_invite(now, incoming).expect("again"), session);
        let status = match way {
            0 => {
                stand.alice.reject(486);
                486
            }
            1 => {
                stand.alice.agent.hangup(now, session, 0, with_sdp("")).expect("always");
                603
            }
            2 => {
                stand.alice.agent.dispose_incoming(now, incoming).expect("the default");
                486
            }
            3 => {
                let cancel = stand.peer.cancel(&invite);
                stand.say(cancel);
                487
            }
            _ => {
                stand.advance(seconds(6));
                487
            }
        };
        stand.exchange();
        let gone = stand.peer.take(&format!("{status} INVITE"));
        let ack = stand.peer.ack(&invite, &gone);
        stand.say(ack);
        assert_eq!(stand.alice.count(EventKind::Terminated), 1, "{way}");
        let late = stand.alice.agent.session_for_invite(now, incoming).map(drop);
        assert!(late.is_err());
        let refused = stand.alice.agent.accept(now, incoming, 0, &ResponseOptions::default());
        assert!(refused.is_err());
    }
}

/// What the host has closed by hand stands when the re-INVITE around it fails, also where it has opened another offer since.
#[test]
fn an_exchange_that_was_closed_by_hand_outlives_its_reinvite() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let reinvite = stand.peer.take("INVITE");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.transition(now, session, Remote, sdp(HELD)).expect("the answer");
    stand.alice.agent.transition(now, session, Local, sdp(OFFER)).expect("a new offer");
    let refusal = stand.peer.reply(&reinvite, 488);
    stand.say(refusal);
    let after = stand.alice.properties();
    assert_eq!((after.offer.as_deref(), after.answer.as_deref()), (Some(HOLD), Some(HELD)));
    assert_eq!(after.signaling_state, Stable);
}
