//! The agent: who gets this message, what the user asked for. The only object that the floors above drive.
//!
//! A value: no lock, no clock, no socket, no randomness of its own. In: [`Agent::receive`], [`Agent::handle_timeout`]
//! and the acts of the user, each with the time. Out: [`Agent::poll_event`], [`Agent::poll_transmit`],
//! [`Agent::next_timeout`]. Mutate as often as you like, then drain both queues to empty before asking for the next
//! time-out: that is the whole contract. The same configuration, seed and inputs give byte-identical outputs.

pub mod event;
pub mod options;

mod accepted;
mod acknowledge;
mod answer;
mod auth;
mod by_hand;
mod cancel;
mod carry_out;
mod default_answer;
mod dispatch;
mod ending;
mod face;
mod fits;
mod headers;
mod in_dialog;
mod incoming;
mod invite_client;
mod invite_server;
mod out_of_dialog;
mod outbox;
mod outgoing;
mod refer;
mod reliable_client;
mod reliable_server;
mod remains;
mod replace;
mod request;
mod resolve;
mod response;
mod retry;
#[cfg(test)]
mod sizes;
mod stateless;
mod stream;
mod subscription;
mod takeover;
mod timeout;
mod transport;

pub use crate::attachment::Attachment;
pub use crate::session::Session;
pub use crate::slots::{IncomingId, OutgoingId, SessionId};
pub use crate::transaction::Bytes;
pub use event::{Event, EventKind, Reason};
pub use incoming::Incoming;
pub use options::{Body, RequestOptions, ResponseOptions};
pub use outbox::Transmit;
pub use outgoing::{Outgoing, OutgoingState};
pub use takeover::ForeignDialog;

use crate::config::{Config, LogLevel};
use crate::dialog::id::DialogKeys;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::Flow;
use crate::random::Random;
use crate::slots::{Id, IncomingKind, OutgoingKind, SessionKind, Slots};
use crate::time::{Now, Time};
use crate::timer::{TimerId, Wheel};
use crate::transaction::key::Identity;
use crate::transaction::table::Table;
use crate::transaction::{Sink, Timer, TransactionId};
use face::Face;
use outbox::{Outbox, Sender};
use resolve::Queries;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::time::Duration;
use timeout::Timeout;
use transport::Transports;

/// Counters since the start, and what lives now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stats {
    pub sessions: u64,
    pub incoming: u64,
    pub outgoing: u64,
    pub transactions: u64,
    pub timers: u64,
    /// Held by all of them, reckoned.
    pub bytes: u64,
    pub messages_received: u64,
    pub messages_sent: u64,
    pub retransmissions_received: u64,
    pub retransmissions_sent: u64,
    pub dropped_malformed: u64,
    pub dropped_limit: u64,
    pub answered_limit: u64,
    pub calls_placed: u64,
    pub calls_received: u64,
    pub calls_confirmed: u64,
    /// By bit number of [`crate::config::quirk`].
    pub quirks: [u64; 32],
}

/// How many events may wait for one object before STATE and PROGRESS replace each other.
const PATIENT_EVENTS: u16 = 16;

/// The objects of the event that the host is looking at: they outlive it.
#[derive(Clone, Copy, Debug, Default)]
struct Delivering {
    id: u64,
    /// Its default was done.
    defaulted: bool,
    session: Option<SessionId>,
    incoming: Option<IncomingId>,
    outgoing: Option<OutgoingId>,
    terminated: bool,
}

/// A SIP user agent without sockets and clock.
#[derive(Clone, Debug)]
pub struct Agent {
    config: Config,
    face: Face,
    now: Now,
    random: Random,
    dialog_keys: DialogKeys,
    wheel: Wheel<Timeout>,
    table: Table,
    transports: Transports,
    queries: Queries,
    streams: HashMap<u64, stream::Stream, BuildHasherDefault<Identity>>,
    sessions: Slots<SessionKind, Session>,
    incoming: Slots<IncomingKind, Incoming>,
    outgoing: Slots<OutgoingKind, Outgoing>,
    /// By the raw id that the session had.
    remains: HashMap<u64, Box<Session>, BuildHasherDefault<Identity>>,
    dialogs: HashMap<u128, SessionId, BuildHasherDefault<Identity>>,
    outbox: Outbox,
    delivering: Delivering,
    left_responses: reliable_server::LeftResponses,
    /// Whether somebody answers INVITEs, so that an OPTIONS out of a dialog is told so.
    takes_calls: bool,
    counters: Stats,
    scratch: Vec<u8>,
}

/// What the transactions may do to the agent: send, and set timers.
struct Effects<'a> {
    wheel: &'a mut Wheel<Timeout>,
    outbox: &'a mut Outbox,
    now: Time,
}

impl Sink for Effects<'_> {
    fn send(&mut self, from: TransactionId, bytes: &Bytes, flow: &Flow, retransmission: bool) {
        if retransmission {
            self.outbox.retransmissions_sent += 1;
        }
        self.outbox.transmit(Sender::Transaction(from), bytes, flow);
    }

    fn arm(&mut self, after: Duration, timer: Timer) -> TimerId {
        self.wheel.arm(self.now.plus(after), Timeout::Transaction(timer))
    }

    fn stop(&mut self, timer: TimerId) {
        self.wheel.stop(timer);
    }
}

impl Agent {
    /// A new agent. `seed` is all the randomness that it will ever have.
    pub fn new(config: Config, seed: [u8; 32], now: Now) -> Self {
        let mut random = Random::from_seed(seed);
        let (first, second) = random.hash_keys();
        let outbox = Outbox::new(config.log_level, now.unix_us);
        Self {
            face: Face::new(&config),
            table: Table::new(&mut random, config.timers, config.limits.transactions),
            config,
            now,
            random,
            dialog_keys: DialogKeys(first, second),
            wheel: Wheel::new(now.monotonic),
            transports: Transports::default(),
            queries: Queries::default(),
            streams: HashMap::default(),
            sessions: Slots::default(),
            incoming: Slots::default(),
            outgoing: Slots::default(),
            remains: HashMap::default(),
            dialogs: HashMap::default(),
            outbox,
            delivering: Delivering::default(),
            left_responses: reliable_server::LeftResponses::default(),
            takes_calls: true,
            counters: Stats::default(),
            scratch: Vec::new(),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Says that there is a socket: transport, local and link of `flow`. `sent_by`: `host[:port]` for Via and Contact
    /// instead of the local address.
    pub fn add_transport(&mut self, flow: &Flow, sent_by: Option<&[u8]>) -> Result<()> {
        self.transports.add(&self.config, flow, sent_by)
    }

    /// Whether somebody answers INVITEs: an OPTIONS out of a dialog gets what an INVITE would get (RFC 3261 §11.2).
    pub fn set_takes_calls(&mut self, takes_calls: bool) {
        self.takes_calls = takes_calls;
    }

    /// When [`Agent::handle_timeout`] is due; `None` when no timer runs.
    pub fn next_timeout(&self) -> Option<Time> {
        self.wheel.next()
    }

    /// Whether events wait.
    pub fn has_events(&self) -> bool {
        self.outbox.has_events()
    }

    /// Whether transmits wait.
    pub fn has_transmits(&self) -> bool {
        !self.outbox.transmits.is_empty()
    }

    /// Whether anything waits to go out.
    pub fn has_output(&self) -> bool {
        self.has_events() || self.has_transmits()
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.transmits.pop_front()
    }

    /// The next log line.
    pub fn poll_log(&mut self) -> Option<(LogLevel, String)> {
        self.outbox.log.pop_front()
    }

    /// The next event. With this call the event before it is over, and objects that ended with it are gone.
    pub fn poll_event(&mut self) -> Option<Event> {
        let last = std::mem::take(&mut self.delivering);
        self.let_go(last);
        let event = self.outbox.next_event()?;
        self.delivering = Delivering {
            id: event.id,
            defaulted: false,
            session: event.session,
            incoming: event.incoming,
            outgoing: event.outgoing,
            terminated: event.kind == EventKind::Terminated,
        };
        Some(event)
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let held = self.sessions.iter().map(Session::bytes).sum::<usize>()
            + self.remains.values().map(|remains| remains.bytes()).sum::<usize>()
            + self.incoming.iter().map(Incoming::bytes).sum::<usize>()
            + self.outgoing.iter().map(Outgoing::bytes).sum::<usize>()
            + self.table.bytes();
        Stats {
            sessions: self.sessions.len() as u64,
            incoming: self.incoming.len() as u64,
            outgoing: self.outgoing.len() as u64,
            transactions: self.table.len() as u64,
            timers: self.wheel.len() as u64,
            bytes: held as u64,
            messages_sent: self.outbox.messages_sent,
            retransmissions_received: self.table.counters().retransmissions_received,
            retransmissions_sent: self.outbox.retransmissions_sent,
            ..self.counters
        }
    }

    /// How many sessions and transactions live; unlike [`Agent::stats`] it costs nothing to ask.
    pub fn live(&self) -> usize {
        self.sessions.len() + self.table.len()
    }

    /// The living session after `previous` (`None`: the first), in no particular order.
    pub fn next_session(&self, previous: Option<SessionId>) -> Option<SessionId> {
        self.sessions.next(previous)
    }

    /// A session; good until its TERMINATED was delivered.
    pub fn session(&self, id: SessionId) -> Result<&Session> {
        self.sessions.get(id).ok_or_else(|| gone(&self.sessions, id, "session"))
    }

    /// A request of the peer.
    pub fn incoming(&self, id: IncomingId) -> Result<&Incoming> {
        self.incoming.get(id).ok_or_else(|| gone(&self.incoming, id, "incoming request"))
    }

    /// A request of ours.
    pub fn outgoing(&self, id: OutgoingId) -> Result<&Outgoing> {
        self.outgoing.get(id).ok_or_else(|| gone(&self.outgoing, id, "outgoing request"))
    }

    /// The host's, of a session.
    pub fn session_attachment_mut(&mut self, id: SessionId) -> Result<&mut Attachment> {
        self.session_mut(id).map(Session::attachment_mut)
    }

    /// The host's, of a request of the peer.
    pub fn incoming_attachment_mut(&mut self, id: IncomingId) -> Result<&mut Attachment> {
        self.incoming_mut(id).map(|incoming| &mut incoming.attachment)
    }

    /// The host's, of a request of ours.
    pub fn outgoing_attachment_mut(&mut self, id: OutgoingId) -> Result<&mut Attachment> {
        self.outgoing_mut(id).map(|outgoing| &mut outgoing.attachment)
    }

    fn session_mut(&mut self, id: SessionId) -> Result<&mut Session> {
        if self.sessions.get(id).is_none() {
            return Err(gone(&self.sessions, id, "session"));
        }
        self.sessions.get_mut(id).ok_or_else(|| Error::new(ErrorKind::Stale, "the session has ended"))
    }

    fn incoming_mut(&mut self, id: IncomingId) -> Result<&mut Incoming> {
        if self.incoming.get(id).is_none() {
            return Err(gone(&self.incoming, id, "incoming request"));
        }
        self.incoming.get_mut(id).ok_or_else(|| Error::new(ErrorKind::Stale, "the incoming request has ended"))
    }

    fn outgoing_mut(&mut self, id: OutgoingId) -> Result<&mut Outgoing> {
        if self.outgoing.get(id).is_none() {
            return Err(gone(&self.outgoing, id, "outgoing request"));
        }
        self.outgoing.get_mut(id).ok_or_else(|| Error::new(ErrorKind::Stale, "the outgoing request has ended"))
    }

    /// Takes the time of a call.
    fn at(&mut self, now: Now) {
        self.now = now;
        self.outbox.unix_us = now.unix_us;
    }

    /// The transactions, and what they may do.
    fn transactions(&mut self) -> (&mut Table, Effects<'_>) {
        let effects = Effects { wheel: &mut self.wheel, outbox: &mut self.outbox, now: self.now.monotonic };
        (&mut self.table, effects)
    }

    fn arm(&mut self, after: Duration, timeout: Timeout) -> TimerId {
        self.wheel.arm(self.now.monotonic.plus(after), timeout)
    }

    fn stop(&mut self, timer: Option<TimerId>) {
        if let Some(timer) = timer {
            self.wheel.stop(timer);
        }
    }

    /// A fresh token for tags, branches and Call-IDs.
    fn token(&mut self, prefix: &[u8], entropy: usize) -> Box<[u8]> {
        let mut token = Vec::with_capacity(prefix.len() + entropy.saturating_mul(8).div_ceil(5));
        token.extend_from_slice(prefix);
        self.random.token(&mut token, entropy);
        token.into_boxed_slice()
    }

    /// Queues an event about objects, which then outlive it. A session that has said TERMINATED is not named again. Of
    /// STATE and PROGRESS at most [`PATIENT_EVENTS`] wait for one object; then the newest takes the place of the last.
    fn tell(&mut self, mut event: Event) -> u64 {
        event.session = event.session.filter(|id| self.sessions.get(*id).is_some_and(|session| !session.is_gone()));
        let kind = event.kind;
        let needs_prack = event.flags & event::flag::NEEDS_PRACK != 0;
        let (session, outgoing) = (event.session, event.outgoing);
        if let Some(stale) = self.overtaken(kind, session, outgoing) {
            self.take_back(stale);
        }
        if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
            event.session_state = session.state();
            event.signaling_state = session.signaling_state();
            session.queued.waiting = session.queued.waiting.saturating_add(1);
        }
        if let Some(incoming) = event.incoming.and_then(|id| self.incoming.get_mut(id)) {
            event.method = event.method.or(Some(incoming.method));
            incoming.waiting = incoming.waiting.saturating_add(1);
        }
        if let Some(outgoing) = outgoing.and_then(|id| self.outgoing.get_mut(id)) {
            event.method = event.method.or(Some(outgoing.method));
            outgoing.waiting = outgoing.waiting.saturating_add(1);
        }
        let id = self.outbox.event(event);
        match (
            kind,
            session.and_then(|id| self.sessions.get_mut(id)),
            outgoing.and_then(|id| self.outgoing.get_mut(id)),
        ) {
            (EventKind::State, Some(session), _) => session.queued.last_state = id,
            // What the host has to acknowledge is not replaced.
            (EventKind::Progress | EventKind::Trying | EventKind::GlareRetry, _, Some(outgoing)) if !needs_prack => {
                outgoing.last_progress_event = id;
            }
            _ => {}
        }
        id
    }

    /// The undelivered event that a new one of its kind replaces.
    fn overtaken(&self, kind: EventKind, session: Option<SessionId>, outgoing: Option<OutgoingId>) -> Option<u64> {
        match kind {
            EventKind::State => {
                let session = self.sessions.get(session?)?;
                (session.queued.waiting >= PATIENT_EVENTS).then_some(session.queued.last_state)
            }
            EventKind::Progress | EventKind::Trying | EventKind::GlareRetry => {
                let outgoing = self.outgoing.get(outgoing?)?;
                (outgoing.waiting >= PATIENT_EVENTS).then_some(outgoing.last_progress_event)
            }
            _ => None,
        }
    }

    /// Takes an event back that nobody has seen.
    fn take_back(&mut self, id: u64) {
        if let Some(event) = self.outbox.take_back(id) {
            let Event { session, incoming, outgoing, .. } = event;
            self.let_go(Delivering { session, incoming, outgoing, ..Delivering::default() });
        }
    }

    /// An event was delivered: what ended with it goes.
    fn let_go(&mut self, last: Delivering) {
        if let Some(id) = last.session
            && let Some(session) = self.sessions.get_mut(id)
        {
            session.queued.waiting = session.queued.waiting.saturating_sub(1);
            if last.terminated {
                self.remove_session(id);
            }
        }
        if let Some(id) = last.incoming
            && let Some(incoming) = self.incoming.get_mut(id)
        {
            incoming.waiting = incoming.waiting.saturating_sub(1);
            self.drop_incoming_if_over(id);
        }
        if let Some(id) = last.outgoing
            && let Some(outgoing) = self.outgoing.get_mut(id)
        {
            outgoing.waiting = outgoing.waiting.saturating_sub(1);
            self.drop_outgoing_if_over(id);
        }
    }

    fn drop_incoming_if_over(&mut self, id: IncomingId) {
        if self.incoming.get(id).is_some_and(|incoming| incoming.over && incoming.waiting == 0) {
            self.incoming.remove(id);
        }
    }

    fn drop_outgoing_if_over(&mut self, id: OutgoingId) {
        if self.outgoing.get(id).is_some_and(|outgoing| outgoing.over && outgoing.waiting == 0) {
            self.outgoing.remove(id);
        }
    }

    /// Tells STATE when the state is not what was told last; the first one is the birth.
    fn note_state(&mut self, id: SessionId) {
        if self.sessions.get_mut(id).and_then(Session::news).is_some() {
            self.tell(Event { session: Some(id), ..Event::new(EventKind::State) });
        }
    }
}

/// Why an id is no good: ended, or never one.
fn gone<K, T>(slots: &Slots<K, T>, id: Id<K>, what: &str) -> Error {
    if slots.ever(id) {
        Error::new(ErrorKind::Stale, format!("the {what} has ended"))
    } else {
        Error::new(ErrorKind::Kind, format!("not a token of this agent's {what}s"))
    }
}
