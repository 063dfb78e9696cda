//! Lost messages of every kind, one at a time: the call ends as if nothing had been lost.

use crate::common::pair::{Pair, TO_BOB};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::EventKind;
use sipdlg::session::{SessionState, SignalingState};

fn scripted() -> Pair {
    let mut pair = Pair::new();
    pair.bob.rings_and_answers(ANSWER);
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.bob.answers(EventKind::Info, "");
    pair
}

/// Every message of a call with hold and INFO is lost once, twice, four times.
#[test]
fn each_message_may_be_lost_up_to_four_times() {
    let messages = [
        ("alice", "INVITE"),
        ("bob", "180 INVITE"),
        ("bob", "200 INVITE"),
        ("alice", "ACK"),
        ("alice", "INFO"),
        ("bob", "200 INFO"),
        ("alice", "BYE"),
        ("bob", "200 BYE"),
    ];
    for (name, short) in messages {
        for count in [1, 2, 4] {
            let mut pair = scripted();
            pair.wire.lose_next(name, short, count);
            pair.alice.invite(TO_BOB, OFFER);
            pair.advance(seconds(20));
            let good = (SessionState::Confirmed, SignalingState::Stable);
            assert_eq!((pair.alice.state(), pair.bob.state()), (good, good), "{count} of {name}'s {short} lost");
            pair.alice.reinvite(HOLD);
            pair.advance(seconds(20));
            pair.alice.info();
            pair.advance(seconds(20));
            assert_eq!((pair.alice.state(), pair.bob.state()), (good, good), "{count} of {name}'s {short} lost");
            pair.alice.bye();
            pair.advance(seconds(20));
            assert_eq!((pair.bob.count(EventKind::Terminated), pair.bob.count(EventKind::Info)), (1, 1));
        }
    }
}

/// RFC 3261 §17.2.1: the INVITE's repeat gets the last provisional response again.
#[test]
fn a_lost_180_is_repeated_for_the_repeated_invite() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.wire.lose_next("bob", "180 INVITE", 1);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.advance(ms(600));
    assert_eq!(pair.wire.trace.times("bob", "180 INVITE"), [1, 501]);
    assert_eq!(pair.bob.count(EventKind::Invite), 1, "a repeat is absorbed");
    assert_eq!(pair.bob.agent.stats().retransmissions_received, 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
}

#[test]
fn lost_cancel_and_lost_487() {
    for (name, short) in [("alice", "CANCEL"), ("bob", "200 CANCEL"), ("bob", "487 INVITE"), ("alice", "ACK")] {
        let mut pair = Pair::new();
        pair.bob.hold(EventKind::Invite);
        pair.wire.lose_next(name, short, 2);
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        pair.bob.progress(180, "");
        pair.exchange();
        pair.alice.cancel();
        pair.advance(seconds(20));
        assert_eq!(pair.alice.statuses(EventKind::Reject), [487], "{short} lost");
        assert_eq!(pair.bob.count(EventKind::Cancel), 1);
    }
}

/// Every message twice, and late copies between.
#[test]
fn duplicates_change_nothing() {
    let mut pair = scripted();
    pair.wire.duplication = 1_000;
    pair.wire.delay = (1_000, 30_000);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(5));
    pair.alice.reinvite(HOLD);
    pair.advance(seconds(5));
    pair.alice.info();
    pair.advance(seconds(5));
    pair.bob.bye();
    pair.advance(seconds(5));
    let kinds = [EventKind::Invite, EventKind::Reinvite, EventKind::Info, EventKind::Terminated];
    assert_eq!(kinds.map(|kind| pair.bob.count(kind)), [1, 1, 1, 1]);
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
}

/// RFC 4320 §4.1: a slow answer to a non-INVITE gets a 100 at 3.5 s, not before.
#[test]
fn a_slow_info_gets_100_at_3500_ms() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Info);
    pair.alice.info();
    pair.advance(seconds(10));
    let start = pair.wire.trace.times("bob", "200 INVITE")[0];
    let trying = pair.wire.trace.times("bob", "100 INFO");
    assert!(!trying.is_empty() && trying[0] >= start + 3_500, "{trying:?}");
    pair.bob.accept("");
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Accept), [200, 200]);
}

/// The same configuration, seed and inputs give byte-identical outputs.
#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut pair = Pair::seeded(99);
        (pair.wire.loss, pair.wire.delay) = (200, (1_000, 50_000));
        pair.bob.rings_and_answers(ANSWER);
        pair.bob.answers(EventKind::Reinvite, HELD);
        pair.alice.invite(TO_BOB, OFFER);
        pair.advance(seconds(40));
        pair.alice.hangup_all();
        pair.run_until_idle();
        pair.wire.trace.datagrams.iter().map(|datagram| (datagram.at, datagram.bytes.clone())).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
