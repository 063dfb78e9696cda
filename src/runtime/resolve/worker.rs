//! The loop of the resolver's thread: all look-ups side by side, none waits for another.

use super::super::PAUSE;
use super::super::epoll::Ready;
use super::super::links::is_exhausted;
use super::Shared;
use super::cache::Cache;
use super::record::{Answer, Found, Key};
use super::rules::{self, Known, Question, Targets};
use super::sockets::{Came, Sent, Sockets, WAKE};
use super::source::Source;
use super::wire::{self, Verdict};
use crate::error::Result;
use crate::flow::Flow;
use crate::random::Random;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// An answer is given by then, with what is known: before the agent's own patience ends.
const PATIENCE: Duration = Duration::from_secs(30);
/// When the best target is known no more than this is waited for the others (RFC 8305 §3 in spirit).
const GRACE: Duration = Duration::from_millis(500);
/// Look-ups at a time; beyond, a name counts as without records.
const LOOK_UPS: usize = 4_096;
/// Tries that go out at once, and the pause after them: a server takes so many before its socket is full, and what it loses
/// would be asked again two seconds later.
const BURST: usize = 32;
const PACE: Duration = Duration::from_millis(2);
/// The longest datagram that is read, and a piece of a connection.
const BUFFER: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Task(u64),
    LookUp(u64),
}

/// A question and what was found for it.
struct Task {
    question: Question,
    names: Vec<Arc<str>>,
    seed: u64,
    answers: Vec<(Key, Arc<Answer>)>,
    due: Instant,
    /// The best target is known.
    headed: bool,
}

/// One record type of one name, for all who want it.
struct LookUp {
    key: Key,
    waiting: Vec<u64>,
    /// Indices of servers.
    order: Vec<usize>,
    /// How many tries there were; each goes to the next server.
    tries: usize,
    /// Servers that cannot say: one bit each.
    failed: u32,
    sent: Vec<Sent>,
    stream: Option<u64>,
    due: Instant,
}

impl LookUp {
    /// Whom the last try went to.
    fn current(&self) -> Option<usize> {
        self.order.get(self.tries.checked_sub(1)?.checked_rem(self.order.len())?).copied()
    }

    fn has_failed(&self, server: usize) -> bool {
        self.failed & 1 << server != 0
    }
}

pub struct Worker<A> {
    shared: Arc<Shared>,
    answer: A,
    source: Source,
    cache: Cache,
    sockets: Sockets,
    random: Random,
    tasks: HashMap<u64, Task>,
    look_ups: HashMap<u64, LookUp>,
    of_key: HashMap<Key, u64>,
    deadlines: BTreeSet<(Instant, Due)>,
    /// Tasks that know more than before.
    ready: Vec<u64>,
    /// Look-ups whose next try is due, and how many tries may go out until then.
    later: VecDeque<u64>,
    left: usize,
    paced: Instant,
    last: u64,
}

/// What a task has, what the cache has, and what of both was used.
struct View<'a> {
    task: &'a Task,
    source: &'a Source,
    cache: &'a Cache,
    now: Instant,
    used: RefCell<Vec<(Key, Arc<Answer>)>>,
}

impl Known for View<'_> {
    fn answer(&self, key: &Key) -> Option<Arc<Answer>> {
        let known = |all: &[(Key, Arc<Answer>)]| {
            all.iter().find(|(known, _)| known == key).map(|(_, answer)| Arc::clone(answer))
        };
        let had = known(&self.task.answers).or_else(|| known(&self.used.borrow()));
        had.or_else(|| {
            let answer = self.cache.get(key, self.now)?;
            self.used.borrow_mut().push((key.clone(), Arc::clone(&answer)));
            Some(answer)
        })
    }

    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        self.source.hosts().addresses(name)
    }
}

impl<A: Fn(u64, &[Flow])> Worker<A> {
    /// Errors: system.
    pub fn new(shared: Arc<Shared>, answer: A, source: Source, random: Random) -> Result<Self> {
        let sockets = Sockets::new(&shared.wake)?;
        Ok(Self {
            shared,
            answer,
            source,
            cache: Cache::default(),
            sockets,
            random,
            tasks: HashMap::new(),
            look_ups: HashMap::new(),
            of_key: HashMap::new(),
            deadlines: BTreeSet::new(),
            ready: Vec::new(),
            later: VecDeque::new(),
            left: BURST,
            paced: Instant::now(),
            last: 0,
        })
    }

    /// Until it is over. `has_memory`: whether there is some to go on with.
    pub fn run(&mut self, has_memory: impl Fn() -> bool) {
        let (mut ready, mut came, mut buffer) = (Vec::new(), Vec::new(), vec![0; BUFFER]);
        while !self.shared.over.load(Ordering::SeqCst) {
            if !has_memory() {
                thread::sleep(PAUSE);
                continue;
            }
            let next = self.deadlines.first().map(|(at, _)| *at);
            let next = next.into_iter().chain((!self.later.is_empty()).then_some(self.paced)).min();
            let wait = next.map(|at| at.saturating_duration_since(Instant::now()));
            if self.sockets.wait(wait, &mut ready).is_err() {
                thread::sleep(PAUSE);
                continue;
            }
            self.turn(&ready, &mut came, &mut buffer);
        }
    }

    fn turn(&mut self, ready: &[Ready], came: &mut Vec<Came>, buffer: &mut [u8]) {
        let now = Instant::now();
        if ready.iter().any(|one| one.number == WAKE) {
            for question in self.shared.take() {
                self.begin(question, now);
            }
        }
        for one in ready.iter().filter(|one| one.number != WAKE) {
            self.sockets.came(one, buffer, came);
            for came in came.drain(..) {
                self.came(came, now);
            }
        }
        if now >= self.paced {
            (self.left, self.paced) = (BURST, now + PACE);
            for number in self.later.drain(..self.later.len().min(BURST)).collect::<Vec<_>>() {
                self.try_next(number, now);
            }
        }
        while let Some((at, due)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, due));
            match due {
                Due::Task(number) => self.conclude(number, now),
                Due::LookUp(number) => self.was_silent(number, now),
            }
        }
        while !self.ready.is_empty() {
            let mut ready = std::mem::take(&mut self.ready);
            ready.sort_unstable();
            ready.dedup();
            ready.into_iter().for_each(|number| self.advance(number, now));
        }
    }

    // ------------------------------------------------------------------ questions

    fn begin(&mut self, question: Question, now: Instant) {
        if self.source.refresh(now) {
            self.ask_anew(now);
        }
        self.last += 1;
        let number = self.last;
        let names = self.source.servers().settings.names(&question.host);
        let (seed, due) = (self.random.next_u64(), now + PATIENCE);
        self.deadlines.insert((due, Due::Task(number)));
        self.tasks.insert(number, Task { question, names, seed, answers: Vec::new(), due, headed: false });
        self.ready.push(number);
    }

    fn targets(&mut self, number: u64, now: Instant) -> Option<Targets> {
        let task = self.tasks.get(&number)?;
        let used = RefCell::default();
        let view = View { task, source: &self.source, cache: &self.cache, now, used };
        let targets = rules::targets(&task.question, &task.names, &view, task.seed);
        let used = view.used.into_inner();
        self.tasks.get_mut(&number)?.answers.extend(used);
        Some(targets)
    }

    /// A task knows more than before.
    fn advance(&mut self, number: u64, now: Instant) {
        let Some(targets) = self.targets(number, now) else { return };
        if targets.wanted.is_empty() {
            return self.end(number, &targets.flows);
        }
        if targets.headed
            && let Some(task) = self.tasks.get_mut(&number).filter(|task| !task.headed)
        {
            task.headed = true;
            self.deadlines.remove(&(task.due, Due::Task(number)));
            task.due = task.due.min(now + GRACE);
            self.deadlines.insert((task.due, Due::Task(number)));
        }
        for key in targets.wanted {
            self.want(key, number, now);
        }
    }

    /// Its time is over: what is known is the answer.
    fn conclude(&mut self, number: u64, now: Instant) {
        if let Some(targets) = self.targets(number, now) {
            self.end(number, &targets.flows);
        }
    }

    fn end(&mut self, number: u64, flows: &[Flow]) {
        let Some(task) = self.tasks.remove(&number) else { return };
        self.deadlines.remove(&(task.due, Due::Task(number)));
        self.shared.open.fetch_sub(1, Ordering::SeqCst);
        (self.answer)(task.question.query, flows);
    }

    // ------------------------------------------------------------------ look-ups

    fn want(&mut self, key: Key, task: u64, now: Instant) {
        if let Some(look_up) = self.of_key.get(&key).and_then(|number| self.look_ups.get_mut(number)) {
            if !look_up.waiting.contains(&task) {
                look_up.waiting.push(task);
            }
            return;
        }
        self.last += 1;
        let number = self.last;
        let full = self.look_ups.len() >= LOOK_UPS;
        let order = if full { Vec::new() } else { self.source.servers().order(now) };
        self.of_key.insert(key.clone(), number);
        let waiting = vec![task];
        let look_up = LookUp { key, waiting, order, tries: 0, failed: 0, sent: Vec::new(), stream: None, due: now };
        self.look_ups.insert(number, look_up);
        self.try_next(number, now);
    }

    /// The next server gets the question, until one takes it; when all have been asked, nobody knows.
    fn try_next(&mut self, number: u64, now: Instant) {
        loop {
            let attempts = self.source.servers().settings.attempts as usize;
            let Some(look_up) = self.look_ups.get_mut(&number) else { return };
            if self.left == 0 {
                self.deadlines.remove(&(look_up.due, Due::LookUp(number)));
                return self.later.push_back(number);
            }
            if look_up.tries >= look_up.order.len() * attempts {
                return self.answered(number, &Found { answer: Arc::new(Answer::Nothing), ttl: None });
            }
            look_up.tries += 1;
            self.left -= 1;
            let Some(server) = look_up.current().filter(|server| !look_up.has_failed(*server)) else { continue };
            match self.ask(number, server) {
                Err(error) if !is_exhausted(&error) => self.server_failed(number, server),
                // Without a descriptor one may be there at the next try.
                _ => return self.wait_for(number, now),
            }
        }
    }

    fn ask(&mut self, number: u64, server: usize) -> io::Result<()> {
        let Some(look_up) = self.look_ups.get_mut(&number) else { return Ok(()) };
        let servers = self.source.servers();
        let address = servers.address(server).ok_or(io::ErrorKind::NotFound)?;
        let sent = self.sockets.reserve((server, address), number, !servers.is_plain(server), &mut self.random)?;
        look_up.sent.push(sent);
        let question = wire::query(sent.id, &look_up.key, sent.edns).ok_or(io::ErrorKind::InvalidInput)?;
        self.sockets.send(sent, &question)
    }

    fn wait_for(&mut self, number: u64, now: Instant) {
        let due = now + self.source.servers().settings.timeout;
        let Some(look_up) = self.look_ups.get_mut(&number) else { return };
        self.deadlines.remove(&(look_up.due, Due::LookUp(number)));
        look_up.due = due;
        self.deadlines.insert((due, Due::LookUp(number)));
    }

    fn server_failed(&mut self, number: u64, server: usize) {
        if let Some(look_up) = self.look_ups.get_mut(&number) {
            look_up.failed |= 1 << server;
        }
    }

    /// A try has had its time. What it has asked may still be answered.
    fn was_silent(&mut self, number: u64, now: Instant) {
        let Some(look_up) = self.look_ups.get_mut(&number) else { return };
        if let Some(stream) = look_up.stream.take() {
            self.sockets.close(stream);
        }
        if let Some(server) = look_up.current() {
            self.source.servers_mut().was_silent(server, now);
        }
        self.try_next(number, now);
    }

    fn came(&mut self, came: Came, now: Instant) {
        let Came { look_up: number, server, id, message, by_stream } = came;
        let Some(look_up) = self.look_ups.get_mut(&number) else { return };
        let edns = look_up.sent.iter().any(|sent| sent.id == id && sent.edns);
        if by_stream {
            look_up.stream = None;
        }
        let verdict = message.map_or(Verdict::Failed, |message| wire::read(&message, id, &look_up.key, edns));
        if !matches!(verdict, Verdict::Foreign | Verdict::Failed) {
            self.source.servers_mut().answered(server);
        }
        match verdict {
            Verdict::Found(found) => {
                self.cache.put(&look_up.key, &found, now);
                self.answered(number, &found);
            }
            Verdict::Truncated if !by_stream => self.ask_by_stream(number, server, id, edns, now),
            Verdict::Plain if !by_stream => {
                self.source.servers_mut().knows_no_edns(server);
                match self.ask(number, server) {
                    Ok(()) => self.wait_for(number, now),
                    Err(_) => self.try_other(number, server, now),
                }
            }
            Verdict::Foreign if !by_stream => {}
            _ => self.try_other(number, server, now),
        }
    }

    /// This one cannot say. The others are asked at once, unless one is being asked already.
    fn try_other(&mut self, number: u64, server: usize, now: Instant) {
        self.server_failed(number, server);
        if self.look_ups.get(&number).and_then(LookUp::current) == Some(server) {
            self.try_next(number, now);
        }
    }

    /// RFC 7766 §5: what was cut comes whole by TCP.
    fn ask_by_stream(&mut self, number: u64, server: usize, id: u16, edns: bool, now: Instant) {
        let Some(look_up) = self.look_ups.get_mut(&number).filter(|look_up| look_up.stream.is_none()) else { return };
        let address = self.source.servers().address(server);
        let question = wire::query(id, &look_up.key, edns);
        let (Some(address), Some(question)) = (address, question) else { return };
        match self.sockets.connect((server, address), number, id, &question) {
            Ok(stream) => {
                look_up.stream = Some(stream);
                self.wait_for(number, now);
            }
            // Another try finds one free.
            Err(error) if is_exhausted(&error) => {}
            Err(_) => self.try_other(number, server, now),
        }
    }

    fn answered(&mut self, number: u64, found: &Found) {
        let Some(look_up) = self.look_ups.remove(&number) else { return };
        self.deadlines.remove(&(look_up.due, Due::LookUp(number)));
        self.of_key.remove(&look_up.key);
        self.give_up(look_up.sent, look_up.stream);
        for waiting in look_up.waiting {
            if let Some(task) = self.tasks.get_mut(&waiting) {
                task.answers.push((look_up.key.clone(), Arc::clone(&found.answer)));
                self.ready.push(waiting);
            }
        }
    }

    fn give_up(&mut self, sent: Vec<Sent>, stream: Option<u64>) {
        sent.into_iter().for_each(|sent| self.sockets.release(sent));
        if let Some(stream) = stream {
            self.sockets.close(stream);
        }
    }

    /// Other servers: what the former ones were asked, these are.
    fn ask_anew(&mut self, now: Instant) {
        self.cache.clear();
        let order = self.source.servers().order(now);
        let mut numbers: Vec<u64> = self.look_ups.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            let Some(look_up) = self.look_ups.get_mut(&number) else { continue };
            let (sent, stream) = (std::mem::take(&mut look_up.sent), look_up.stream.take());
            (look_up.order, look_up.tries, look_up.failed) = (order.clone(), 0, 0);
            self.give_up(sent, stream);
            self.try_next(number, now);
        }
    }
}
