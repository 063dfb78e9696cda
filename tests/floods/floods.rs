//! `make floods`: what a flood costs, at one size and at ten times that. Each line says what a message and a timer cost,
//! what was held at the top and afterwards, and how long INFO took in a hundred calls that stood meanwhile. Fails where
//! ten times as many calls, forks, links or bytes make each message dear, where something is left, or where a call that
//! stands waits.
//!
//! `cargo bench --bench floods -- TEXT`: those whose name has the text.

#[path = "../common/counting.rs"]
mod counting;
mod headers;
mod house;
mod kinds;
#[cfg(feature = "runtime")]
mod sockets;

use house::{CALLS, Result};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// At ten times the size a message may cost so many times as much: larger tables fit no cache, but what is quadratic costs
/// ten times as much.
const RATIO: f64 = 4.0;
/// The same of a header that is ten times as long: ten times as much is right.
const HEADER_RATIO: f64 = 25.0;
/// So long INFO may take of a processor, in microseconds, 99 of 100.
const INFO_US: u64 = 1_000;
/// What may be held at the top: the bound that is the default, and a quarter.
const TOP: isize = (1 << 30) / 4 * 5;
/// What may be left when all is over and room was given back.
const LEFT: isize = 1 << 20;

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut wrong = Vec::new();
    println!(
        "{:<38} {:>7} {:>9} {:>6} {:>9} {:>6} {:>9} {:>9} {:>8} {:>15}",
        "flood", "size", "ns/msg", "ratio", "ns/timer", "ratio", "top kB", "after kB", "refused", "INFO us p50/p99"
    );
    for (name, flood, size, of) in kinds::FLOODS.iter().filter(|(name, ..)| name.contains(&wanted)) {
        let (mut few, mut many) = (flood(*size), flood(size * 10));
        if ratio(&few, &many) > RATIO {
            // Another process has had the caches: once more.
            (few, many) = (flood(*size), flood(size * 10));
        }
        line(name, *size, &few, None, of);
        line("", size * 10, &many, Some(&few), of);
        let ratio = ratio(&few, &many);
        if ratio > RATIO {
            wrong.push(format!("{name}: at ten times the {of} a message costs {ratio:.1} times as much"));
        }
        judge(name, &few, &mut wrong);
        judge(name, &many, &mut wrong);
    }
    for (place, name) in headers::PLACES.iter().enumerate().filter(|_| "headers".contains(&wanted)) {
        let mut worst = (0.0, "");
        let mut dearest = (0.0, "");
        for (shape, shape_name) in headers::shapes() {
            let (few, many) = (headers::headers(place, shape, 6_000), headers::headers(place, shape, 60_000));
            let ratio = many.message_ns / few.message_ns;
            if ratio > worst.0 {
                worst = (ratio, shape_name);
            }
            if many.message_ns > dearest.0 {
                dearest = (many.message_ns, shape_name);
            }
            judge(&format!("headers, {name}, {shape_name}"), &few, &mut wrong);
            judge(&format!("headers, {name}, {shape_name}"), &many, &mut wrong);
        }
        println!(
            "headers of 60 kB, {name:<19} dearest {:>8.0} ns ({}), worst ratio {:.1} ({})",
            dearest.0, dearest.1, worst.0, worst.1
        );
        if worst.0 > HEADER_RATIO {
            wrong.push(format!("headers, {name}, {}: ten times as long cost {:.1} times as much", worst.1, worst.0));
        }
    }
    #[cfg(feature = "runtime")]
    if "sockets".contains(&wanted) {
        let met = sockets::run();
        println!(
            "by sockets: INFO us p50/p99: quiet {}/{}, beside {} new calls ({} messages taken, {} dropped) {}/{}",
            at(&met.quiet, 50),
            at(&met.quiet, 99),
            met.sent,
            met.received,
            met.dropped,
            at(&met.flooded, 50),
            at(&met.flooded, 99)
        );
    }
    for line in &wrong {
        println!("WRONG {line}");
    }
    println!("floods: {}", if wrong.is_empty() { "passed" } else { "FAILED" });
    ExitCode::from(u8::from(!wrong.is_empty()))
}

fn ratio(few: &Result, many: &Result) -> f64 {
    let timers = if few.timers > 1_000 { many.timer_ns / few.timer_ns } else { 0.0 };
    (many.message_ns / few.message_ns).max(timers)
}

fn line(name: &str, size: usize, result: &Result, former: Option<&Result>, of: &str) {
    let ratio =
        |now: f64, before: Option<f64>| before.map_or_else(String::new, |before| format!("{:.1}", now / before));
    println!(
        "{:<38} {:>7} {:>9.0} {:>6} {:>9.0} {:>6} {:>9} {:>9} {:>8} {:>9}/{:<5} {of}",
        name,
        size,
        result.message_ns,
        ratio(result.message_ns, former.map(|former| former.message_ns)),
        result.timer_ns,
        ratio(result.timer_ns, former.map(|former| former.timer_ns)),
        result.top / 1_024,
        result.after / 1_024,
        result.refused,
        at(&result.infos, 50) / 1_000,
        at(&result.infos, 99) / 1_000,
    );
}

fn judge(name: &str, result: &Result, wrong: &mut Vec<String>) {
    let p99 = at(&result.infos, 99) / 1_000;
    if p99 > INFO_US {
        wrong.push(format!("{name}: INFO took {p99} us"));
    }
    if result.left != [CALLS as u64, 0, 0, 0, 0] {
        wrong.push(format!("{name}: sessions, incoming, outgoing, transactions, timers are left: {:?}", result.left));
    }
    if result.top > TOP {
        wrong.push(format!("{name}: {} bytes at the top", result.top));
    }
    if result.trimmed > LEFT {
        wrong.push(format!("{name}: {} bytes are left", result.trimmed));
    }
}

/// The so many-th of a hundred.
fn at(sorted: &[u64], percent: usize) -> u64 {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}
