//! The wire checker finds each broken rule, and finds nothing in a legal ladder.

#[path = "../common/mod.rs"]
mod common;

mod breaches;
mod ladders;

use breaches::BREACHES;
use common::wire::{RULES, Secret, Timers, Trace, Violation};
use ladders::*;
use std::collections::BTreeSet;

const TIMERS: Timers = Timers { t1: 500_000, t2: 4_000_000 };

fn judge(lines: &[Line], end: u64) -> (Trace, Vec<Violation>) {
    let mut trace = Trace::new(TIMERS);
    let addresses =
        ["192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.9:5060"].map(|text| text.parse().expect("an address"));
    trace.party("alice", addresses[0], true);
    let [realm, user, password] = ["example.com", "alice", "wonderland"].map(str::to_owned);
    trace.secrets.push(Secret { realm, user, password });
    trace.party("bob", addresses[1], true);
    let mut lines = lines.to_vec();
    lines.sort_by_key(|line| line.0);
    let mut flying: Vec<(u64, usize)> = Vec::new();
    for Line(at, from, text, lost) in lines {
        // Everything arrives 1 ms later; what arrived and what is sent at the same time: arrivals first.
        let (landed, still): (Vec<_>, Vec<_>) = flying.into_iter().partition(|(due, _)| *due <= at * 1_000);
        landed.iter().for_each(|(at, datagram)| trace.delivered(*at, *datagram));
        flying = still;
        let party = usize::from(from == "bob");
        let target = if text.contains(ASTRAY) { addresses[2] } else { addresses[1 - party] };
        let datagram = trace.sent(at * 1_000, party, target, text.into_bytes().into(), false);
        if !lost {
            flying.push((at * 1_000 + 1_000, datagram));
        }
    }
    flying.iter().for_each(|(at, datagram)| trace.delivered(*at, *datagram));
    trace.end = trace.end.max(end * 1_000);
    let found = trace.violations();
    (trace, found)
}

#[test]
fn legal_ladders_are_clean() {
    let plain = [basic_call(), late_offer(), cancelled_call(), lossy_rejection(), challenged_call(), refused_twice()];
    let reliable = [acknowledged_call(), late_offer_acknowledged(), reliable_call(), reliable_offer()];
    let late = [forgotten_prack(), forgotten_reinvite(), renamed_call()];
    for lines in
        plain.into_iter().chain(reliable).chain(late).chain([transfer(), updated_call(), timed_call(), forked_call()])
    {
        let (trace, found) = judge(&lines, 40_000);
        assert_eq!(found, [], "{}", trace.ladder(None));
    }
    for (lines, to_blame) in [(overlapping_updates(), "bob"), (late_repeat(), "alice")] {
        let (trace, found) = judge(&lines, 40_000);
        assert!(found.iter().all(|violation| violation.party == to_blame), "{found:?}\n{}", trace.ladder(None));
    }
}

#[test]
fn each_breach_is_found() {
    let mut missed = Vec::new();
    for (number, (rule, ladder, breach)) in BREACHES.iter().enumerate() {
        let mut lines = ladder();
        breach(&mut lines);
        let (_, found) = judge(&lines, 40_000);
        if !found.iter().any(|violation| violation.rule == *rule) {
            let other: Vec<_> = found.iter().map(|violation| violation.rule).collect();
            missed.push(format!("{number} {rule}: found only {other:?}"));
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}

#[test]
fn each_rule_has_a_breach() {
    let tried: BTreeSet<_> = BREACHES.iter().map(|(rule, ..)| *rule).collect();
    let untried: Vec<_> = RULES.iter().map(|(rule, _)| *rule).filter(|rule| !tried.contains(rule)).collect();
    assert_eq!(untried, Vec::<&str>::new());
}

#[test]
#[should_panic(expected = "ack-owed [RFC 3261 §13.2.2.4, §17.1.1.3] alice")]
fn a_broken_rule_is_told_with_section_and_ladder() {
    let mut lines = basic_call();
    lines.remove(3);
    judge(&lines, 40_000).0.check();
}
