//! Every schedule of a call: two agents over a link that may lose, repeat or reorder each message, hosts that act at any
//! moment, time that passes at any step. docs/design.md says when two states are the same, and why that is sound.
//!
//! `make explore` goes deep. `SIPDLG_EXPLORE_THREADS=n`; `SIPDLG_EXPLORE_PLAN=part of a name`;
//! `SIPDLG_EXPLORE_FAULTS=n` and `SIPDLG_EXPLORE_STATES=n` go elsewhere than usual.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod acts;
mod end;
mod past;
mod plans;
mod report;
mod search;
mod side;
mod state;
mod world;

use plans::Plan;
use search::{Bounds, Search};
use side::Stock;
use std::time::Instant;

/// How far a plan is followed, and how many states are the least there.
struct Row {
    plan: &'static Plan,
    faults: u8,
    states: usize,
    least: usize,
}

/// About ten minutes of a processor.
const DEEP: [Row; 8] = [
    Row { plan: &plans::SIMPLE, faults: 3, states: 400_000, least: 260_000 },
    Row { plan: &plans::SET_UP, faults: 2, states: 300_000, least: 1_150_000 },
    Row { plan: &plans::EARLY, faults: 1, states: 60_000, least: 305_000 },
    Row { plan: &plans::CHANGES, faults: 1, states: 60_000, least: 290_000 },
    Row { plan: &plans::DELIBERATE, faults: 1, states: 60_000, least: 90_000 },
    Row { plan: &plans::LATE_OFFER, faults: 1, states: 60_000, least: 220_000 },
    Row { plan: &plans::REFRESH, faults: 1, states: 60_000, least: 100_000 },
    Row { plan: &plans::CALL, faults: 1, states: 20_000, least: 115_000 },
];

/// Explores; fails when something is found, when fewer states are there than once were, or when two sides that were told
/// to be the same are not.
fn explore(row: &Row) {
    let start = Instant::now();
    let blind = number("SIPDLG_EXPLORE_WITHOUT_TIMERS", 0) != 0;
    let stock = Stock::new(row.plan, blind);
    let bounds = Bounds {
        faults: u8::try_from(number("SIPDLG_EXPLORE_FAULTS", usize::from(row.faults))).expect("few faults"),
        states: number("SIPDLG_EXPLORE_STATES", row.states),
        threads: number("SIPDLG_EXPLORE_THREADS", 2),
    };
    let outcome = Search::new(&stock, bounds).run();
    print!("{}", report::summary(row.plan, &stock, &outcome, start.elapsed()));
    if let Some(finding) = &outcome.finding {
        panic!("\n{}", report::ladder(row.plan, finding));
    }
    if blind {
        return;
    }
    match stock.check_twins() {
        Ok(inputs) => println!("  {inputs} inputs given to sides that were told to be the same as others"),
        Err(what) => panic!("{what}"),
    }
    assert!(outcome.states >= row.least, "{} states, {} are the least", outcome.states, row.least);
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_refreshed_call_over_a_link_with_one_fault() {
    explore(&Row { plan: &plans::SIMPLE, faults: 1, states: 100_000, least: 2_900 });
}

#[test]
fn every_schedule_of_the_set_up_of_a_call() {
    explore(&Row { plan: &plans::SET_UP, faults: 0, states: 100_000, least: 16_000 });
}

#[test]
#[ignore = "minutes: make explore"]
fn deep() {
    let wanted = std::env::var("SIPDLG_EXPLORE_PLAN").unwrap_or_default();
    for row in DEEP.iter().filter(|row| row.plan.name.contains(&wanted)) {
        explore(row);
        // The states of a row are gigabytes, which the allocator would keep beside those of the next.
        #[cfg(target_env = "gnu")]
        // SAFETY: no pointer is involved.
        unsafe {
            libc::malloc_trim(0)
        };
    }
}
