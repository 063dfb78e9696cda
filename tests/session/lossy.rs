//! A thousand calls over a bad network: a fifth of all messages lost, some twice, many out of order. Every call ends
//! legally, the wire checker judges all of it, and nothing stays behind.

use crate::common::pair::{Pair, TO_BOB};
use crate::common::party::{answer_sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::{Agent, EventKind, IncomingId, RequestOptions, ResponseOptions, SessionId};
use sipdlg::session::SessionState;
use std::time::Duration;

const CALLS: usize = 1_000;
/// Calls that run at the same time, in one pair.
const TOGETHER: usize = 50;

fn bad_network(seed: u64) -> Pair {
    let mut pair = Pair::seeded(seed);
    pair.wire.loss = 200;
    pair.wire.duplication = 50;
    pair.wire.delay = (1_000, 400_000);
    pair
}

fn refusal(call: u64) -> Option<u16> {
    [486, 603, 480].get(usize::try_from(call % 11).expect("small")).copied()
}

/// Bob's answers: most calls ring and are accepted, some are rejected; re-INVITE and INFO are accepted.
fn script(pair: &mut Pair) {
    let mut count = 0;
    pair.bob.on(EventKind::Invite, move |agent, now, event| {
        count += 1;
        let incoming = event.incoming.expect("an INVITE");
        if count % 3 > 0 {
            agent.progress(now, incoming, 180, &ResponseOptions::default()).expect("180 is legal");
        }
        match refusal(count) {
            Some(status) => agent.reject(now, incoming, status, &ResponseOptions::default()).expect("legal"),
            None if count % 5 == 0 => {}
            None => drop(agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).expect("200 is legal")),
        }
    });
    for party in [&mut pair.alice, &mut pair.bob] {
        party.answers(EventKind::Reinvite, HELD);
        party.answers(EventKind::Info, "");
    }
}

fn confirmed(agent: &Agent) -> Vec<SessionId> {
    let (mut found, mut at) = (Vec::new(), None);
    while let Some(session) = agent.next_session(at) {
        if agent.session(session).is_ok_and(|session| session.state() == SessionState::Confirmed) {
            found.push(session);
        }
        at = Some(session);
    }
    found
}

#[test]
fn a_thousand_calls_at_a_fifth_lost() {
    let mut seen = [0; 4];
    for batch in 0..CALLS / TOGETHER {
        let mut pair = bad_network(batch as u64 + 1);
        script(&mut pair);
        let mut ringing: Vec<IncomingId> = Vec::new();
        for call in 0..TOGETHER {
            pair.alice.invite(TO_BOB, OFFER);
            pair.advance(ms(100));
            if call % 7 == 3 {
                pair.advance(ms(300));
                let (now, outgoing) = (pair.alice.now(), pair.alice.outgoing.expect("just placed"));
                // Err: it has ended.
                drop(pair.alice.agent.cancel(now, outgoing, None, &RequestOptions::default()));
            }
        }
        pair.advance(seconds(5));
        // Some calls of both sides are changed, crossing each other; INFO goes between.
        for (turn, party) in [&mut pair.alice, &mut pair.bob].into_iter().enumerate() {
            for (number, session) in confirmed(&party.agent).into_iter().enumerate() {
                let now = party.now();
                match (number + turn) % 4 {
                    0 => drop(party.agent.reinvite(now, session, with_sdp(HOLD))),
                    1 => drop(party.agent.info(now, session, RequestOptions::default())),
                    _ => {}
                }
            }
        }
        pair.advance(seconds(20));
        ringing.extend(
            pair.bob.events.iter().filter(|event| event.kind == EventKind::Invite).filter_map(|event| event.incoming),
        );
        for incoming in ringing {
            // Those that still ring; Err: answered.
            drop(pair.bob.agent.accept(pair.bob.now(), incoming, 200, &answer_sdp(ANSWER)));
        }
        pair.advance(seconds(2));
        for (number, session) in confirmed(&pair.alice.agent).into_iter().enumerate() {
            if number % 3 < 2 {
                pair.alice.agent.hangup(pair.alice.now(), session, 0, RequestOptions::default()).expect("always legal");
            }
        }
        for (number, session) in confirmed(&pair.bob.agent).into_iter().enumerate() {
            if number % 3 > 0 {
                pair.bob.agent.hangup(pair.bob.now(), session, 0, RequestOptions::default()).expect("always legal");
            }
        }
        pair.advance(Duration::from_secs(120));
        let stats = pair.bob.agent.stats();
        seen[0] += stats.calls_confirmed;
        seen[1] += stats.retransmissions_received;
        seen[2] += pair.alice.count(EventKind::Reject) as u64;
        seen[3] += pair.alice.statuses(EventKind::Reject).iter().filter(|status| **status == 487).count() as u64;
        pair.finish();
    }
    assert!(seen[0] > 500 && seen[1] > 500 && seen[2] > 200 && seen[3] > 20, "the test tests something: {seen:?}");
}

/// Half of everything is lost: calls may fail, but each ends.
#[test]
fn calls_at_a_half_lost() {
    for seed in 0..40 {
        let mut pair = bad_network(1_000 + seed);
        pair.wire.loss = 500;
        script(&mut pair);
        for _ in 0..5 {
            pair.alice.invite(TO_BOB, OFFER);
            pair.advance(seconds(1));
        }
        pair.advance(seconds(30));
        pair.alice.hangup_all();
        pair.finish();
    }
}
