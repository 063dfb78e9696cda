//! Two hosts that do anything at any time, also what is forbidden, over a bad network: what the agents refuse sends
//! nothing, what they send is legal, every call ends.

use crate::common::pair::{Pair, TO_ALICE, TO_BOB};
use crate::common::party::{Party, answer_sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::event::flag;
use sipdlg::agent::options::{request_flag, response_flag};
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions, SessionId};
use std::collections::BTreeMap;
use std::time::Duration;

const DESCRIPTIONS: [&str; 5] = ["", OFFER, ANSWER, HOLD, HELD];

/// What the library leaves to its host: that the answer is the one that an unreliable response showed
/// (RFC 3261 §13.2.1). A host between two calls passes on what the other side says. And that a response whose PRACK is
/// the host's is acknowledged at all.
pub const TOLERATED: [&str; 2] = ["preview-equals-answer", "prack-owed"];

/// What a host may do next.
pub struct Host<'a> {
    pub party: &'a mut Party,
    pub target: &'static str,
    /// Whether an act was accepted, by name.
    pub done: &'a mut BTreeMap<&'static str, u32>,
}

impl Host<'_> {
    pub fn note<T, E>(&mut self, act: &'static str, result: Result<T, E>) {
        *self.done.entry(if result.is_ok() { act } else { "refused" }).or_default() += 1;
    }

    pub fn act(&mut self, dice: &mut dyn FnMut(u64) -> usize) {
        let now = self.party.now();
        let text = DESCRIPTIONS[dice(5)];
        let session = pick(&sessions(self.party), dice);
        let incoming = pick(&tokens(self.party, |event| event.incoming), dice);
        let outgoing = pick(&tokens(self.party, |event| event.outgoing), dice);
        let agent = &mut self.party.agent;
        let plain = ResponseOptions::default();
        match (dice(24), session, incoming, outgoing) {
            (0 | 1, ..) => {
                let flags = [0, 0, request_flag::MANUAL_PRACK][dice(3)];
                let options = RequestOptions { flags, ..with_sdp(text) };
                let result = agent.invite(now, Some(self.target.as_bytes()), options);
                self.note("invite", result);
            }
            (2..=4, _, Some(id), _) => {
                let reliable = dice(2) == 0;
                let flags = if reliable { response_flag::RELIABLE } else { 0 };
                let options = ResponseOptions { flags, ..answer_sdp(text) };
                let result = agent.progress(now, id, [180, 183][dice(2)], &options);
                self.note(if reliable { "progress reliably" } else { "progress" }, result);
            }
            (5..=8, _, Some(id), _) => {
                let result = agent.accept(now, id, 200, &answer_sdp(text));
                self.note("accept", result);
            }
            (9, _, Some(id), _) => {
                let result = agent.reject(now, id, [404, 486, 488, 500, 603][dice(5)], &plain);
                self.note("reject", result);
            }
            (10, _, _, Some(id)) => {
                let result = agent.cancel(now, id, None, &RequestOptions::default());
                self.note("cancel", result);
            }
            (11..=13, Some(id), ..) => {
                let result = agent.reinvite(now, id, with_sdp(text));
                self.note("reinvite", result);
            }
            (14, Some(id), ..) => {
                let result = agent.info(now, id, RequestOptions::default());
                self.note("info", result);
            }
            (15, Some(id), ..) => {
                let result = agent.options(now, id, RequestOptions::default());
                self.note("options", result);
            }
            (16 | 17, Some(id), ..) => {
                let result = agent.ack(now, id, &with_sdp(text));
                self.note("ack", result);
            }
            (18, Some(id), ..) => {
                let result = agent.bye(now, id, RequestOptions::default());
                self.note("bye", result);
            }
            (19, Some(id), ..) => {
                let result = agent.hangup(now, id, 0, RequestOptions::default());
                self.note("hangup", result);
            }
            (20..=23, Some(id), ..) => {
                let result = agent.prack(now, id, with_sdp(text));
                self.note("prack", result);
            }
            _ => {}
        }
    }
}

pub fn pick<T: Copy>(from: &[T], dice: &mut dyn FnMut(u64) -> usize) -> Option<T> {
    (!from.is_empty()).then(|| from[dice(from.len() as u64)])
}

pub fn sessions(party: &Party) -> Vec<SessionId> {
    let (mut found, mut at) = (Vec::new(), None);
    while let Some(session) = party.agent.next_session(at) {
        found.push(session);
        at = Some(session);
    }
    found
}

/// Tokens of the last events.
pub fn tokens<T>(party: &Party, token: impl Fn(&sipdlg::agent::Event) -> Option<T>) -> Vec<T> {
    party.events.iter().rev().take(12).filter_map(token).collect()
}

pub fn hold_everything(party: &mut Party) {
    for kind in [EventKind::Invite, EventKind::Reinvite, EventKind::Info, EventKind::Options, EventKind::AckTimeout] {
        party.hold(kind);
    }
    // What a PRACK offers is answered in every second one; else by default.
    let mut offers = 0;
    party.on(EventKind::Prack, move |agent, now, event| {
        offers += 1;
        let incoming = event.incoming.expect("a PRACK");
        if offers % 2 == 0 || agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).is_err() {
            drop(agent.event_default(now, event));
        }
    });
    // The ACK that carries an answer is the host's in three of four calls.
    let mut count = 0;
    party.on(EventKind::Accept, move |agent, now, event| {
        count += 1;
        if count % 4 == 0 && event.flags & flag::NEEDS_ACK != 0 {
            drop(agent.event_default(now, event));
        }
    });
}

fn run(seed: u64, steps: usize, done: &mut BTreeMap<&'static str, u32>) {
    let mut pair = Pair::seeded(seed);
    pair.wire.loss = [0, 50, 200, 400][usize::try_from(seed % 4).expect("small")];
    pair.wire.duplication = 30;
    pair.wire.delay = (1_000, 300_000);
    pair.wire.trace.allowed.extend(TOLERATED);
    hold_everything(&mut pair.alice);
    hold_everything(&mut pair.bob);
    pair.alice.invite(TO_BOB, OFFER);
    for _ in 0..steps {
        let wire = &mut pair.wire;
        let mut dice = |below: u64| usize::try_from(wire.random(below)).expect("small");
        let (party, target) = if dice(2) == 0 { (&mut pair.alice, TO_BOB) } else { (&mut pair.bob, TO_ALICE) };
        Host { party, target, done }.act(&mut dice);
        let longest = [10, 100, 500, 3_000][dice(4)];
        let span = Duration::from_millis(dice(longest) as u64);
        pair.advance(span);
    }
    pair.finish();
}

#[test]
fn whatever_the_hosts_do_the_wire_is_legal() {
    let mut done = BTreeMap::new();
    for seed in 0..400 {
        run(seed, 60, &mut done);
    }
    let first = ["invite", "progress", "progress reliably", "prack", "accept", "reject", "cancel"];
    for act in first.into_iter().chain(["reinvite", "info", "options", "ack", "bye", "hangup"]) {
        assert!(done.get(act).is_some_and(|count| *count > 20), "{act} is tried: {done:?}");
    }
}
