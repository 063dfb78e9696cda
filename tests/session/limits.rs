//! Upper bounds: what lies beyond is refused, answered 503 or 513, or dropped; nothing grows.

use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, with_sdp};
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::error::ErrorKind;

fn limited(bytes: u32, sessions: u32, transactions: u32) -> Config {
    let mut config = config("alice");
    config.set_limits(bytes, sessions, transactions).unwrap();
    config
}

/// Sessions: the next INVITE gets 503, the next call of ours is refused.
#[test]
fn no_more_sessions_than_the_limit() {
    let mut stand = Stand::with(limited(0, 3, 0));
    stand.alice.answers(EventKind::Invite, ANSWER);
    for call in 0..5 {
        stand.peer.call_id = format!("call{call}");
        stand.peer.local_tag = format!("tag{call}");
        stand.peer.remote_tag = String::new();
        stand.peer.target = "sip:alice@192.0.2.1:5060".to_owned();
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(invite.clone());
        let expected = if call < 3 { "200 INVITE" } else { "503 INVITE" };
        let answer = stand.peer.take(expected);
        stand.peer.target = answer.contact().unwrap_or_else(|| stand.peer.target.clone());
        let ack = stand.peer.ack(&invite, &answer);
        stand.say(ack);
    }
    assert_eq!(stand.alice.agent.stats().sessions, 3);
    assert_eq!(stand.alice.agent.stats().answered_limit, 2);
    let refused = stand.alice.agent.invite(stand.alice.now(), Some(TO_BOB.as_bytes()), with_sdp(OFFER));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Limit);
}

/// An INVITE of another call, with its own tags.
fn another_invite(stand: &mut Stand, call: &str) -> Draft {
    stand.peer.call_id = call.to_owned();
    stand.peer.local_tag = format!("{call}-tag");
    stand.peer.remote_tag = String::new();
    stand.peer.target = "sip:alice@192.0.2.1:5060".to_owned();
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    invite
}

fn acknowledge(stand: &mut Stand, invite: &Draft, status: &str) {
    let answer = stand.peer.take(status);
    stand.peer.target = answer.contact().unwrap_or_else(|| stand.peer.target.clone());
    let ack = stand.peer.ack(invite, &answer);
    stand.say(ack);
}

/// An INVITE that the host was told of has its place: the next one gets 503 at arrival and no host hears of it.
#[test]
fn an_invite_that_was_told_is_not_refused_for_the_limit() {
    let mut stand = Stand::with(limited(0, 2, 0));
    stand.alice.hold(EventKind::Invite);
    let mut waiting = Vec::new();
    for call in ["one", "two"] {
        waiting.push((another_invite(&mut stand, call), stand.alice.incoming()));
    }
    assert_eq!(stand.alice.agent.stats().sessions, 0);
    let third = another_invite(&mut stand, "three");
    acknowledge(&mut stand, &third, "503 INVITE");
    assert_eq!(stand.alice.count(EventKind::Invite), 2, "it is not told");
    let refused = stand.alice.agent.invite(stand.alice.now(), Some(TO_BOB.as_bytes()), with_sdp(OFFER));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Limit, "nor is a place given to a call of ours");
    for (invite, incoming) in waiting {
        let now = stand.alice.now();
        stand.alice.agent.progress(now, incoming, 180, &Default::default()).unwrap();
        let other = ResponseOptions { to_tag: Some(b"other"), ..ResponseOptions::default() };
        let refused = stand.alice.agent.progress(now, incoming, 180, &other);
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Limit, "one place, not two");
        stand.alice.agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).unwrap();
        stand.exchange();
        acknowledge(&mut stand, &invite, "200 INVITE");
    }
    assert_eq!((stand.alice.agent.stats().sessions, stand.alice.agent.stats().answered_limit), (2, 1));
}

/// However the INVITE ends, its place is free again, once.
#[test]
fn the_place_of_an_invite_is_given_back() {
    type End = fn(&mut Stand, &Draft);
    let ends: [(&str, End, &str); 7] = [
        ("rejected", |stand, _| stand.alice.reject(486), "486 INVITE"),
        (
            "redirected",
            |stand, _| {
                let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
                stand.alice.agent.redirect(now, incoming, 302, &[TO_BOB.as_bytes()], &Default::default()).unwrap();
            },
            "302 INVITE",
        ),
        (
            "left to its default",
            |stand, _| {
                let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
                stand.alice.agent.dispose_incoming(now, incoming).unwrap();
            },
            "486 INVITE",
        ),
        (
            "cancelled",
            |stand, invite| {
                let cancel = stand.peer.cancel(invite);
                stand.say(cancel);
            },
            "487 INVITE",
        ),
        ("not answered in time", |stand, _| stand.advance(seconds(200)), "480 INVITE"),
        (
            "rejected after it rang",
            |stand, _| {
                stand.alice.progress(180, "");
                stand.alice.reject(486);
            },
            "486 INVITE",
        ),
        (
            "its session was asked for",
            |stand, _| {
                let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
                stand.alice.session = Some(stand.alice.agent.session_for_invite(now, incoming).unwrap());
                stand.alice.hangup();
            },
            "603 INVITE",
        ),
    ];
    for (row, end, answer) in ends {
        let mut stand = Stand::with(limited(0, 1, 0));
        stand.alice.hold(EventKind::Invite);
        for round in 0..3 {
            let invite = another_invite(&mut stand, &format!("call{round}"));
            assert_eq!(stand.alice.count(EventKind::Invite), round + 1, "{row}");
            end(&mut stand, &invite);
            stand.exchange();
            acknowledge(&mut stand, &invite, answer);
        }
        let one = another_invite(&mut stand, "one");
        let two = another_invite(&mut stand, "two");
        acknowledge(&mut stand, &two, "503 INVITE");
        stand.alice.reject(486);
        stand.exchange();
        acknowledge(&mut stand, &one, "486 INVITE");
    }
}

/// A call of ours that was let out makes its session with the first 2xx (RFC 3261 §13.2.2.4), however many came in meanwhile.
#[test]
fn a_call_that_went_out_is_not_refused_when_it_is_answered() {
    let mut stand = Stand::with(limited(0, 1, 0));
    stand.alice.answers(EventKind::Invite, ANSWER);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let trying = stand.peer.reply(&ours, 100);
    stand.say(trying);
    stand.peer.call_id = "other".to_owned();
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let answer = stand.peer.reply(&ours, 200).sdp(ANSWER);
    stand.say(answer);
    stand.peer.take("ACK");
    assert_eq!((stand.alice.count(EventKind::Accept), stand.alice.agent.stats().sessions), (1, 2));
    assert_eq!(stand.alice.agent.stats().calls_confirmed, 2);
}

/// Transactions: what comes beyond is answered 503 without one, or dropped and counted; the calls that stand go on.
#[test]
fn no_more_transactions_than_the_limit() {
    let mut stand = Stand::with(limited(0, 0, 10));
    stand.alice.hold(EventKind::Options);
    for _ in 0..40 {
        let options = stand.peer.request("OPTIONS");
        let call_id = format!("other{}", stand.peer.cseq);
        stand.peer.send(options.set("Call-ID", call_id));
    }
    stand.exchange();
    let stats = stand.alice.agent.stats();
    assert!(stats.transactions <= 10, "{stats:?}");
    assert_eq!(stats.answered_limit + stats.dropped_limit, 30, "{stats:?}");
    let refused = stand.peer.inbox.iter().filter(|sip| sip.status() == Some(503)).count();
    assert_eq!(refused as u64, stats.answered_limit);
    stand.advance(seconds(60));
    stand.alice.events.clear();
    let options = stand.peer.request("OPTIONS").set("Call-ID", "later");
    stand.say(options);
    assert_eq!(stand.alice.count(EventKind::Options), 1, "room again");
}

/// A message beyond the limit: 513 or dropped, never kept.
#[test]
fn no_larger_message_than_the_limit() {
    let mut stand = Stand::with(limited(2_000, 0, 0));
    let options = stand.peer.request("OPTIONS").content("text/plain", &"x".repeat(3_000));
    stand.say(options);
    let stats = stand.alice.agent.stats();
    let answers = stand.peer.got();
    assert!(answers == ["513 OPTIONS"] || (answers.is_empty() && stats.dropped_limit == 1), "{answers:?} {stats:?}");
    assert_eq!(stand.alice.events.len(), 0);
}

/// The undelivered events of a call that no one polls stay bounded while its peer talks on.
#[test]
fn a_flood_of_provisional_responses_keeps_the_queue_small() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = stand.peer.reply(&invite, 180).text();
    let flow =
        sipdlg::flow::Flow::new(sipdlg::flow::Transport::Udp, Some(stand.alice.address), Some(stand.peer.address));
    let now = stand.alice.now();
    for _ in 0..1_000 {
        stand.alice.agent.receive(now, &flow, ringing.as_bytes()).unwrap();
    }
    let mut events = 0;
    while stand.alice.agent.poll_event().is_some() {
        events += 1;
    }
    assert!(events <= 32, "{events} events of one early dialog");
    stand.wire.trace.allowed.push("cancel-after-1xx"); // these responses are not in the trace
    stand.alice.cancel();
    stand.exchange();
    stand.peer.take("CANCEL");
    let done = stand.peer.reply(&invite, 487);
    stand.say(done);
}

/// Bytes held are given back.
#[test]
fn memory_is_given_back() {
    let mut pair = Pair::new();
    pair.alice.agent.trim();
    let empty = pair.alice.agent.stats().bytes;
    pair.call();
    assert!(pair.alice.agent.stats().bytes > empty);
    pair.alice.bye();
    pair.run_until_idle();
    // What is left are tables for so many objects, and what transmits that fail late are known by.
    let left = pair.alice.agent.stats().bytes;
    pair.alice.agent.trim();
    let trimmed = pair.alice.agent.stats().bytes;
    assert!(trimmed < left && left < empty + 24_000, "{empty}, {left}, {trimmed}");
    let stats = pair.alice.agent.stats();
    assert_eq!((stats.calls_placed, stats.calls_confirmed, stats.calls_received), (1, 1, 0));
    let stats = pair.bob.agent.stats();
    assert_eq!((stats.calls_placed, stats.calls_confirmed, stats.calls_received), (0, 1, 1));
}
