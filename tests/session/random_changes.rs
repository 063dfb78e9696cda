//! Two hosts that change a call at any time, by re-INVITE and UPDATE, with session timers, retries, and what the library
//! sends by itself, over a bad network: what goes out is legal, the call goes on or ends, and nothing is left.

use crate::common::pair::Pair;
use crate::common::party::{Party, answer_sdp, config, sdp, with_sdp};
use crate::common::session_timer::terms;
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use crate::random_acts::{pick, sessions, tokens};
use sipdlg::agent::options::{request_flag, response_flag};
use sipdlg::agent::{Body, EventKind, RequestOptions, ResponseOptions};
use sipdlg::config::{Config, Policy, Refresher, SessionTimer};
use sipdlg::flow::Transport;
use std::collections::BTreeMap;
use std::time::Duration;

const DESCRIPTIONS: [&str; 5] = ["", OFFER, ANSWER, HOLD, HELD];

type Dice<'a> = &'a mut dyn FnMut(u64) -> usize;

fn some_terms(dice: Dice<'_>) -> SessionTimer {
    let policy = [Policy::Supported, Policy::Supported, Policy::Required, Policy::Off][dice(4)];
    let least = [0, 90, 120][dice(3)];
    let refresher = [Refresher::Any, Refresher::Local, Refresher::Remote][dice(3)];
    terms(policy, [0, 120, 200][dice(3)], least, refresher)
}

fn some_config(name: &str, dice: Dice<'_>) -> Config {
    let mut config = Config { session_timer: some_terms(dice), ..config(name) };
    if !config.session_timer.is_on() {
        // What it refuses by 420 tells it nothing (Min-SE), though the host may want timers later.
        config.session_timer = SessionTimer::default();
    }
    config.resync = dice(2) == 0;
    config.connected_identity = dice(2) == 0;
    if dice(4) == 0 {
        config.allow.retain(|method| method != b"UPDATE");
    }
    config
}

fn act(party: &mut Party, dice: Dice<'_>, done: &mut BTreeMap<&'static str, u32>) {
    let now = party.now();
    let text = DESCRIPTIONS[dice(5)];
    let session = pick(&sessions(party), dice);
    let incoming = pick(&tokens(party, |event| event.incoming), dice);
    let outgoing = pick(&tokens(party, |event| event.outgoing), dice);
    let agent = &mut party.agent;
    let session_timer = (dice(8) == 0).then(|| some_terms(dice));
    let flags = if dice(8) == 0 { request_flag::NO_RETRY } else { 0 };
    let options = || RequestOptions { session_timer, flags, ..with_sdp(text) };
    let (name, good) = match (dice(40), session, incoming, outgoing) {
        (0..=7, Some(id), ..) => ("reinvite", agent.reinvite(now, id, options()).is_ok()),
        (8..=17, Some(id), ..) => ("update", agent.update(now, id, options()).is_ok()),
        (18..=25, _, Some(id), _) => {
            let options = ResponseOptions { session_timer, ..answer_sdp(text) };
            ("accept", agent.accept(now, id, 200, &options).is_ok())
        }
        (26 | 27, _, Some(id), _) => {
            let status = [488, 491, 500, 503, 404][dice(5)];
            let later: Vec<&[u8]> = if dice(2) == 0 { vec![b"Retry-After: 3"] } else { Vec::new() };
            let options = ResponseOptions { headers: later, ..ResponseOptions::default() };
            ("reject", agent.reject(now, id, status, &options).is_ok())
        }
        (28..=30, _, Some(id), _) => {
            let options = ResponseOptions { flags: response_flag::RELIABLE, ..answer_sdp(text) };
            ("progress", agent.progress(now, id, 183, &options).is_ok())
        }
        (31, _, _, Some(id)) => ("cancel", agent.cancel(now, id, None, &RequestOptions::default()).is_ok()),
        (32 | 33, _, _, Some(id)) => {
            let body = sdp(if text.is_empty() { HELD } else { text });
            (
                "retry",
                agent
                    .retry(now, id, body.unwrap_or(Body { content: b"", content_type: None, disposition: None }))
                    .is_ok(),
            )
        }
        (34, _, _, Some(id)) => ("dispose", agent.dispose_outgoing(now, id).is_ok()),
        (35 | 36, Some(id), ..) => {
            ("ack", agent.ack(now, id, &with_sdp(if text.is_empty() { ANSWER } else { text })).is_ok())
        }
        (37, Some(id), ..) => {
            ("prack", agent.prack(now, id, with_sdp(if text.is_empty() { ANSWER } else { text })).is_ok())
        }
        (38, Some(id), ..) => ("info", agent.info(now, id, RequestOptions::default()).is_ok()),
        (39, Some(id), ..) if dice(6) == 0 => ("hangup", agent.hangup(now, id, 0, RequestOptions::default()).is_ok()),
        _ => return,
    };
    *done.entry(if good { name } else { "refused" }).or_default() += 1;
}

/// In turn: left to the test, or answered by default.
fn hold_some(party: &mut Party) {
    for kind in [EventKind::Reinvite, EventKind::Update, EventKind::GlareRetry, EventKind::Accept] {
        let mut count = 0;
        party.on(kind, move |agent, now, event| {
            count += 1;
            if count % 3 == 0 {
                drop(agent.event_default(now, event));
            }
        });
    }
}

fn run(seed: u64, steps: usize, done: &mut BTreeMap<&'static str, u32>) {
    let mut random = crate::common::network::Wire::new(seed);
    let mut dice = |below: u64| usize::try_from(random.random(below)).expect("small");
    let (alice, bob) = (some_config("alice", &mut dice), some_config("robert", &mut dice));
    let mut pair = Pair::over(Transport::Udp, alice, bob, seed);
    // What is left to the host: PRACKs with an answer; and a re-INVITE that it holds keeps one of ours from going out. An
    // UPDATE that another request has overtaken gets 500, whatever offer is open.
    pair.wire.trace.allowed.extend(["prack-owed", "refresh-owed", "update-491"]);
    pair.bob.rings_and_answers(ANSWER);
    pair.alice.invite("sip:bob@192.0.2.2:5060", OFFER);
    pair.exchange();
    pair.wire.loss = [0, 0, 100, 300][usize::try_from(seed % 4).expect("small")];
    pair.wire.duplication = 30;
    pair.wire.delay = (1_000, 300_000);
    hold_some(&mut pair.alice);
    hold_some(&mut pair.bob);
    for _ in 0..steps {
        let party = if dice(2) == 0 { &mut pair.alice } else { &mut pair.bob };
        act(party, &mut dice, done);
        let longest = [10, 100, 1_000, 5_000, 40_000][dice(5)];
        pair.advance(Duration::from_millis(dice(longest) as u64));
    }
    pair.finish();
}

#[test]
fn whatever_the_hosts_change_the_wire_is_legal() {
    let mut done = BTreeMap::new();
    for seed in 0..300 {
        run(seed, 120, &mut done);
    }
    for act in ["reinvite", "update", "accept", "reject", "progress", "cancel", "retry", "hangup"] {
        assert!(done.get(act).is_some_and(|count| *count > 10), "{act} is tried: {done:?}");
    }
}
