//! Breadth first: states with fewer faults of the link before states with more, then by steps. So the first trace to a
//! fault is the shortest of those with the fewest faults.

use crate::acts::Step;
use crate::end::{self, Standing};
use crate::side::Stock;
use crate::state::Scribe;
use crate::world::World;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Faults of the link in a run.
    pub faults: u8,
    /// States that are gone on from; the others are only drained.
    pub states: usize,
    pub threads: usize,
}

/// What went wrong, and how to get there.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub states: usize,
    /// Steps to a state that was there already.
    pub merged: usize,
    /// Acts that the library refused.
    pub refused: usize,
    /// The longest way to a state.
    pub depth: usize,
    /// By number of faults: states, and whether all of them were gone on from.
    pub by_faults: Vec<(usize, bool)>,
    /// The longest time and the most steps to the end.
    pub longest: (u64, usize),
    pub finding: Option<Finding>,
}

struct Node {
    parent: u32,
    step: Step,
    depth: u16,
    faults: u8,
    /// What comes next when nothing new is done, and how long it takes.
    next: Option<(u128, u64)>,
}

/// A state that is gone on from.
struct Expanded {
    next: Option<(u128, u64)>,
    refused: usize,
    edges: Vec<(Step, u128, Option<World>)>,
    finding: Option<(String, Vec<Step>)>,
}

pub struct Search<'a> {
    stock: &'a Stock<'a>,
    bounds: Bounds,
    known: HashMap<u128, u32>,
    nodes: Vec<Node>,
    queues: Vec<Vec<(u32, World)>>,
    outcome: Outcome,
}

const BATCH: usize = 4_096;
const ROOT: u32 = u32::MAX;

impl<'a> Search<'a> {
    pub fn new(stock: &'a Stock<'a>, bounds: Bounds) -> Self {
        let queues = (0..=bounds.faults).map(|_| Vec::new()).collect();
        Self { stock, bounds, known: HashMap::new(), nodes: Vec::new(), queues, outcome: Outcome::default() }
    }

    pub fn run(mut self) -> Outcome {
        let first = World::new(self.stock);
        let fingerprint = first.fingerprint();
        self.note(fingerprint, first, ROOT, Step::Tick(0), 0, 0);
        let mut left = Vec::new();
        let mut expanded = 0;
        for faults in 0..=self.bounds.faults {
            let mut whole = true;
            let mut level = std::mem::take(&mut self.queues[usize::from(faults)]);
            while !level.is_empty() {
                // What was reached with fewer faults since stands elsewhere.
                level.retain(|(node, _)| self.nodes[*node as usize].faults == faults);
                level.sort_by_key(|(node, _)| self.nodes[*node as usize].depth);
                let depth = level.first().map_or(0, |(node, _)| self.nodes[*node as usize].depth);
                let end = level.partition_point(|(node, _)| self.nodes[*node as usize].depth == depth);
                let mut later = level.split_off(end);
                while !level.is_empty() {
                    let rest = level.split_off(BATCH.min(level.len()));
                    let batch = std::mem::replace(&mut level, rest);
                    if expanded >= self.bounds.states {
                        whole = false;
                        left.extend(batch);
                        continue;
                    }
                    expanded += batch.len();
                    if self.expand_all(batch, faults) {
                        return self.outcome;
                    }
                }
                level = std::mem::take(&mut self.queues[usize::from(faults)]);
                level.append(&mut later);
            }
            let states = self.nodes.iter().filter(|node| node.faults == faults).count();
            self.outcome.by_faults.push((states, whole));
        }
        self.outcome.states = self.nodes.len();
        self.outcome.depth = self.nodes.iter().map(|node| usize::from(node.depth)).max().unwrap_or(0);
        self.drain_all(left);
        if self.outcome.finding.is_none() {
            self.follow();
        }
        self.outcome
    }

    /// A state was reached.
    fn note(&mut self, fingerprint: u128, world: World, parent: u32, step: Step, depth: u16, faults: u8) {
        let number = match self.known.get(&fingerprint) {
            // With fewer faults than before.
            Some(number) if self.nodes[*number as usize].faults > faults => {
                let node = &mut self.nodes[*number as usize];
                (node.parent, node.step, node.depth, node.faults) = (parent, step, depth, faults);
                *number
            }
            Some(_) => {
                self.outcome.merged += 1;
                return;
            }
            None => {
                let number = u32::try_from(self.nodes.len()).expect("they fit");
                self.nodes.push(Node { parent, step, depth, faults, next: None });
                self.known.insert(fingerprint, number);
                number
            }
        };
        self.queues[usize::from(faults)].push((number, world));
    }

    /// Goes on from each. True: something was found.
    fn expand_all(&mut self, batch: Vec<(u32, World)>, faults: u8) -> bool {
        let results = self.in_parallel(batch, |search, world, memory| search.expand(world, faults, memory));
        for (number, expanded) in results {
            let depth = self.nodes[number as usize].depth + 1;
            if let Some((what, more)) = expanded.finding {
                let mut steps = self.path(number);
                steps.extend(more);
                self.outcome.finding = Some(Finding { what, steps });
                self.outcome.states = self.nodes.len();
                self.outcome.depth = usize::from(depth);
                return true;
            }
            self.nodes[number as usize].next = expanded.next;
            self.outcome.refused += expanded.refused;
            for (step, fingerprint, world) in expanded.edges {
                match world {
                    Some(world) => {
                        let faults = faults + u8::from(step.is_fault());
                        self.note(fingerprint, world, number, step, depth, faults);
                    }
                    None => self.outcome.merged += 1,
                }
            }
        }
        false
    }

    fn path(&self, mut number: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        while number != ROOT {
            let node = &self.nodes[number as usize];
            if node.parent != ROOT {
                steps.push(node.step);
            }
            number = node.parent;
        }
        steps.reverse();
        steps
    }

    /// The results in the order of the batch.
    fn in_parallel<T: Send>(
        &self,
        batch: Vec<(u32, World)>,
        work: impl Fn(&Self, World, &mut Memory) -> T + Sync,
    ) -> Vec<(u32, T)> {
        let batch: Vec<_> = batch.into_iter().map(|entry| Mutex::new(Some(entry))).collect();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.bounds.threads {
                scope.spawn(|| {
                    let mut memory = Memory { scribe: self.stock.scribe(), good: HashSet::new() };
                    let mut mine = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(entry) = batch.get(at) else { break };
                        let Some((number, world)) = entry.lock().expect("no panic").take() else { break };
                        mine.push((at, number, work(self, world, &mut memory)));
                    }
                    done.lock().expect("no panic").extend(mine);
                });
            }
        });
        let mut done = done.into_inner().expect("no panic");
        done.sort_by_key(|(at, ..)| *at);
        done.into_iter().map(|(_, number, result)| (number, result)).collect()
    }

    fn expand(&self, world: World, faults: u8, memory: &mut Memory) -> Expanded {
        let mut expanded = Expanded { next: None, refused: 0, edges: Vec::new(), finding: None };
        let over = world.is_over(self.stock);
        let goes = match end::standing(&world) {
            Standing::Goes(step) => Some(step),
            Standing::Quiet => {
                expanded.finding = self.drain(world.clone(), memory);
                None
            }
            Standing::Empty => None,
            Standing::Stuck(what) => {
                expanded.finding = Some((what, Vec::new()));
                None
            }
        };
        if expanded.finding.is_some() {
            return expanded;
        }
        let steps =
            if over { goes.into_iter().collect() } else { world.steps(self.stock, faults < self.bounds.faults) };
        for step in steps {
            let mut then = world.clone();
            let result = guarded(|| {
                if !then.step(step, self.stock, &mut memory.scribe) {
                    return Ok(None);
                }
                for side in (0..2).filter(|side| then.past.view(*side) != world.past.view(*side)) {
                    self.stock.judge(side, then.now, &then.past)?;
                }
                Ok(Some(then.fingerprint()))
            });
            match result {
                Ok(None) => expanded.refused += 1,
                Ok(Some(fingerprint)) => {
                    if goes == Some(step) {
                        expanded.next = Some((fingerprint, then.now - world.now));
                    }
                    let faults = faults + u8::from(step.is_fault());
                    let known = self.known.get(&fingerprint).map(|number| self.nodes[*number as usize].faults);
                    let news = known.is_none_or(|known| known > faults);
                    expanded.edges.push((step, fingerprint, news.then_some(then)));
                }
                Err(what) => {
                    expanded.finding = Some((what, vec![step]));
                    return expanded;
                }
            }
        }
        expanded
    }

    /// What is wrong on the way to the end, and the way.
    fn drain(&self, mut world: World, memory: &mut Memory) -> Option<(String, Vec<Step>)> {
        let mut trail = Vec::new();
        let Memory { scribe, good } = memory;
        let result = guarded(|| end::drain(&mut world, self.stock, good, scribe, &mut trail));
        result.err().map(|what| (what, trail))
    }

    /// What was not gone on from is followed to its end.
    fn drain_all(&mut self, left: Vec<(u32, World)>) {
        let results = self.in_parallel(left, |search, world, memory| search.drain(world, memory));
        let found = results.into_iter().find_map(|(number, result)| Some((number, result?)));
        if let Some((number, (what, more))) = found {
            let mut steps = self.path(number);
            steps.extend(more);
            self.outcome.finding = Some(Finding { what, steps });
        }
    }

    /// From each state what comes next leads to an end: no circle, and not for ever.
    fn follow(&mut self) {
        // Time and steps to the end, once known.
        let mut ends: Vec<Option<(u64, usize)>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let (mut at, mut way) = (start, Vec::new());
            let mut end = loop {
                if let Some(end) = ends[at] {
                    break end;
                }
                if way.len() > self.nodes.len() {
                    let steps = self.path(start as u32);
                    self.outcome.finding = Some(Finding { what: "it goes round in a circle".to_owned(), steps });
                    return;
                }
                way.push(at);
                let Some((next, _)) = self.nodes[at].next else { break (0, 0) };
                at = self.known[&next] as usize;
            };
            for at in way.into_iter().rev() {
                if let Some((_, time)) = self.nodes[at].next {
                    end = (end.0 + time, end.1 + 1);
                }
                ends[at] = Some(end);
            }
        }
        let longest = ends.iter().flatten().max().copied().unwrap_or_default();
        self.outcome.longest = longest;
    }
}

/// What a worker keeps from state to state.
struct Memory {
    scribe: Scribe,
    good: HashSet<u128>,
}

/// A panic is a finding as well.
fn guarded<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    })
}
