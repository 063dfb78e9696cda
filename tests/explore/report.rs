//! What a search says.

use crate::acts::{NAMES, Step};
use crate::plans::Plan;
use crate::search::{Finding, Outcome};
use crate::side::Stock;
use crate::world::World;
use std::fmt::Write;
use std::time::Duration;

/// One paragraph.
pub fn summary(plan: &Plan, stock: &Stock<'_>, outcome: &Outcome, took: Duration) -> String {
    let Outcome { states, merged, refused, depth, longest: (time, steps), .. } = outcome;
    let mut text = format!(
        "{}: {states} states, {merged} merged, {refused} acts refused, depth {depth}, {:.1} s\n  {}",
        plan.name,
        took.as_secs_f64(),
        stock.summary()
    );
    for (faults, (states, whole)) in outcome.by_faults.iter().enumerate() {
        let whole = if *whole { "all schedules" } else { "not all schedules: the bound on states" };
        let _ = writeln!(text, "  {faults} faults of the link: {states} states, {whole}");
    }
    let _ = writeln!(text, "  the longest way to the end: {steps} steps, {:.1} s", *time as f64 / 1e6);
    text
}

/// How to get to a fault, step by step, with what each message was.
pub fn ladder(plan: &Plan, finding: &Finding) -> String {
    let stock = Stock::new(plan, false);
    let mut scribe = stock.scribe();
    let mut text = format!("{}: {}\n", plan.name, finding.what);
    let mut world = World::new(&stock);
    let mut told = 0;
    let mut write = |world: &World, text: &mut String| {
        let trace = world.past.trace(world.now);
        for datagram in trace.datagrams.iter().skip(told) {
            let short = datagram.sip.as_ref().map_or("(unreadable)".to_owned(), |sip| sip.short());
            let cseq = datagram.sip.as_ref().map_or("", |sip| sip.value("cseq"));
            let _ = writeln!(
                text,
                "{:>12.3} s       {} -> {}: {short} ({cseq})",
                datagram.at as f64 / 1e6,
                NAMES[datagram.from],
                NAMES[1 - datagram.from]
            );
        }
        told = trace.datagrams.len();
    };
    write(&world, &mut text);
    for step in &finding.steps {
        let what = match step {
            Step::Deliver(to) | Step::Lose(to) | Step::Repeat(to) | Step::Delay(to) => {
                world.link[usize::from(*to)].front().map(|flight| format!("{:?}", flight.message))
            }
            Step::Late(at) => world.late.get(usize::from(*at)).map(|(_, flight)| format!("{:?}", flight.message)),
            _ => None,
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.step(*step, &stock, &mut scribe)));
        let what = what.map_or_else(String::new, |what| format!(": {what}"));
        let _ = writeln!(text, "{:>12.3} s  {step}{what}", world.now as f64 / 1e6);
        match result {
            Ok(true) => write(&world, &mut text),
            Ok(false) => text.push_str("      refused\n"),
            Err(_) => {
                text.push_str("      panic\n");
                break;
            }
        }
    }
    text
}
