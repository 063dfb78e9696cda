//! Arming and stopping a timer with 1,000 and with 1,000,000 others alive. The budget: at most 1.5 times.
//!
//! `cargo bench --bench timer`. Each figure is the best of eleven rounds, in nanoseconds for one arm and one stop.

use std::hint::black_box;
use std::time::Instant;

use sipdlg::random::Random;
use sipdlg::time::Time;
use sipdlg::timer::{TimerId, Wheel};

const ROUND: usize = 200_000;

/// How long timers run, in microseconds: what transactions and sessions use.
const SPANS: [u64; 6] = [200_000, 500_000, 4_000_000, 5_000_000, 32_000_000, 1_800_000_000];

struct Bench {
    wheel: Wheel<[u32; 4]>,
    alive: Vec<TimerId>,
    random: Random,
    now: u64,
}

impl Bench {
    /// A wheel in which `live` timers run, armed over the last 32 s.
    fn new(live: usize) -> Self {
        let now = 1 << 40;
        let mut bench = Self {
            wheel: Wheel::new(Time::from_micros(now)),
            alive: Vec::new(),
            random: Random::from_seed([7; 32]),
            now,
        };
        for _ in 0..live {
            let ahead = bench.random.below(32_000_000);
            let id = bench.arm(ahead);
            bench.alive.push(id);
        }
        bench
    }

    fn arm(&mut self, ahead: u64) -> TimerId {
        let at = self.now + SPANS[self.random.below(6) as usize] + ahead;
        self.wheel.arm(Time::from_micros(at), [0; 4])
    }

    /// A transaction: its timer is armed, and stopped a moment later.
    fn arm_and_stop(&mut self) {
        let mut last = [None; 16];
        for number in 0..ROUND {
            self.now += 3;
            let id = self.arm(0);
            if let Some(old) = last[number % 16].replace(id) {
                black_box(self.wheel.stop(old));
            }
        }
        for id in last.into_iter().flatten() {
            self.wheel.stop(id);
        }
    }

    /// Any timer is stopped and armed anew: every stop is a cache miss when there are many.
    fn move_any(&mut self) {
        for _ in 0..ROUND {
            self.now += 3;
            let any = self.random.below(self.alive.len() as u64) as usize;
            black_box(self.wheel.stop(self.alive[any]));
            let id = self.arm(0);
            self.alive[any] = id;
        }
    }

    /// The earliest comes due and is armed anew.
    fn come_due(&mut self) {
        for _ in 0..ROUND {
            let Some((at, value)) = self.wheel.pop_due(Time::from_micros(u64::MAX)) else { break };
            self.now = at.as_micros();
            black_box(value);
            self.arm(0);
        }
    }
}

fn measure(name: &str, act: fn(&mut Bench)) {
    let figures: Vec<f64> = [1_000, 1_000_000]
        .iter()
        .map(|live| {
            let mut bench = Bench::new(*live);
            let round = |bench: &mut Bench| {
                let start = Instant::now();
                act(bench);
                start.elapsed().as_nanos() as f64 / ROUND as f64
            };
            (0..11).map(|_| round(&mut bench)).fold(f64::MAX, f64::min)
        })
        .collect();
    println!("{name:24} {:8.1} {:8.1} {:6.2}", figures[0], figures[1], figures[1] / figures[0]);
}

fn main() {
    println!("{:24} {:>8} {:>8} {:>6}", "ns", "1,000", "1,000,000", "ratio");
    measure("arm and stop", Bench::arm_and_stop);
    measure("stop any, arm", Bench::move_any);
    measure("come due, arm", Bench::come_due);
}
