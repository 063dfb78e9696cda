//! The order in which a host sees events and messages leave is a promise (STATE before ACK before TERMINATED, the 200
//! to a PRACK before the 2xx that waited for it) that no test of the wire sees. So that a change of the inside shows
//! whether it changed any of it, runs of two agents with hosts that do anything are recorded: order and kinds, no
//! bytes.
//!
//! `order.txt` has a digest a run. A change that is wanted is recorded anew with `SIPDLG_RECORD_ORDER=1`, and said in
//! its commit;
//! `SIPDLG_ORDER_TEXTS=folder` writes what the digests are made of, to be compared with that of another version.

use crate::common::pair::{Pair, TO_ALICE, TO_BOB};
use crate::common::party::{Out, Party, answer_sdp};
use crate::common::{ANSWER, OFFER};
use crate::random_acts::{Host, hold_everything};
use crate::rarer_acts::rarer_act;
use sipdlg::agent::{EventKind, ResponseOptions};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

const RUNS: u64 = 1_000;
const STEPS: usize = 80;
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/session/order.txt");

/// One party's events and messages, a line each, as they arose.
fn text_of(party: &Party, pair: &Pair) -> String {
    let mut order = party.order.clone();
    order.sort_by_key(|(number, _)| *number);
    let mut text = String::new();
    for (_, out) in order {
        match out {
            Out::Event(at) => {
                let event = &party.events[at];
                let about = [event.session.is_some(), event.incoming.is_some(), event.outgoing.is_some()];
                let about: String = about.iter().zip("sio".chars()).filter(|(is, _)| **is).map(|(_, of)| of).collect();
                writeln!(
                    text,
                    "{} event {:?} {about} {:?} {:?} {} {:?} {}",
                    party.name,
                    event.kind,
                    event.session_state,
                    event.signaling_state,
                    event.status_code,
                    event.reason,
                    event.flags
                )
            }
            Out::Message(at) => {
                let datagram = &pair.wire.trace.datagrams[at];
                let sip = datagram.sip.as_ref().expect("what an agent sends parses");
                let body = if sip.body.is_empty() { "" } else { " body" };
                writeln!(text, "{} {} {}{body}", party.name, datagram.at, sip.short())
            }
        }
        .expect("a string takes it");
    }
    text
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn run(seed: u64, done: &mut BTreeMap<&'static str, u32>) -> String {
    let configured = |name| {
        let mut config = crate::common::party::config(name);
        match seed % 6 {
            1 => config.add_credentials(None, b"user", b"secret", false, None).expect("credentials"),
            2 | 5 => config.reliable = sipdlg::config::Policy::Required,
            _ => {}
        }
        config
    };
    let mut pair = Pair::over(sipdlg::flow::Transport::Udp, configured("alice"), configured("bob"), seed);
    pair.wire.loss = [0, 30, 100, 300][usize::try_from(seed % 4).expect("small")];
    pair.wire.duplication = 30;
    pair.wire.delay = (1_000, 200_000);
    hold_everything(&mut pair.alice);
    hold_everything(&mut pair.bob);
    if seed % 4 < 2 {
        pair.bob.on(EventKind::Invite, |agent, now, event| {
            let incoming = event.incoming.expect("an INVITE");
            // Err: where a reliable response has to carry a description.
            drop(agent.progress(now, incoming, 180, &ResponseOptions::default()));
            drop(agent.accept(now, incoming, 200, &answer_sdp(ANSWER)));
        });
    }
    pair.alice.hold(EventKind::Refer);
    pair.alice.hold(EventKind::Challenge);
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        drop(agent.accept(now, event.incoming.expect("a REFER"), 200, &ResponseOptions::default()));
    });
    pair.alice.invite(TO_BOB, if seed % 5 == 0 { "" } else { OFFER });
    for _ in 0..STEPS {
        let wire = &mut pair.wire;
        let mut dice = |below: u64| usize::try_from(wire.random(below)).expect("small");
        let (party, target) = if dice(2) == 0 { (&mut pair.alice, TO_BOB) } else { (&mut pair.bob, TO_ALICE) };
        let mut host = Host { party, target, done };
        match dice(3) {
            0 => rarer_act(&mut host, &mut dice),
            _ => host.act(&mut dice),
        }
        let longest = [10, 100, 500, 3_000][dice(4)];
        let span = Duration::from_millis(dice(longest) as u64);
        pair.advance(span);
    }
    pair.end_unjudged();
    text_of(&pair.alice, &pair) + &text_of(&pair.bob, &pair)
}

#[test]
fn events_and_messages_come_in_the_recorded_order() {
    let mut done = BTreeMap::new();
    let texts: Vec<String> = (0..RUNS).map(|seed| run(seed, &mut done)).collect();
    for act in ["refer", "notify", "challenge", "redirect", "authenticate", "confirm", "prack", "fork", "cancel"] {
        assert!(done.get(act).is_some_and(|count| *count > 10), "{act} is tried: {done:?}");
    }
    if let Some(folder) = std::env::var_os("SIPDLG_ORDER_TEXTS") {
        std::fs::create_dir_all(&folder).expect("a folder");
        for (seed, text) in texts.iter().enumerate() {
            std::fs::write(std::path::Path::new(&folder).join(format!("{seed}.txt")), text).expect("a file");
        }
    }
    let now: String = texts.iter().enumerate().map(|(seed, text)| format!("{seed} {:016x}\n", digest(text))).collect();
    if std::env::var_os("SIPDLG_RECORD_ORDER").is_some() {
        std::fs::write(RECORDED, &now).expect("a file");
    }
    let recorded = std::fs::read_to_string(RECORDED).expect("the recording");
    let changed: Vec<&str> = now.lines().filter(|line| !recorded.lines().any(|known| known == *line)).collect();
    assert!(changed.is_empty() && recorded.lines().count() == now.lines().count(), "runs that changed: {changed:?}");
}
