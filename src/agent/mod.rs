//! The agent: who gets this message, what the user asked for. The only object that the floors above drive.
//!
//! A value: no lock, no clock, no socket, no randomness of its own. In: [`Agent::receive`], [`Agent::handle_timeout`]
//! and the acts of the user, each with the time. Out: [`Agent::poll_event`], [`Agent::poll_transmit`],
//! [`Agent::next_timeout`]. Mutate as often as you like, then drain both queues to empty before asking for the next
//! time-out: that is the whole contract. The same configuration, seed and inputs give byte-identical outputs.

pub mod event;
mod explain;
mod fault;
mod memory;
pub mod options;

mod calls;
mod carry_out;
mod delivery;
mod dispatch;
mod methods;
mod objects;
mod ours;
mod refer;
mod remains;
#[cfg(test)]
mod sizes;
mod theirs;
mod timeout;
mod trim;
mod wire;
mod words;

pub use crate::attachment::Attachment;
pub use crate::session::Session;
pub use crate::session::explain::Act;
pub use crate::slots::{IncomingId, OutgoingId, SessionId};
pub use crate::transaction::Bytes;
pub use calls::takeover::ForeignDialog;
pub use event::{Event, EventKind, Reason};
pub use methods::effect_of;
pub use options::{Body, RequestOptions, ResponseOptions};
pub use ours::outgoing::{Outgoing, OutgoingState};
pub use ours::register::{Asks, Registering};
pub use theirs::challenge::Digest;
pub use theirs::incoming::Incoming;
pub use wire::outbox::{Direction, Seen, Transmit, What};

use crate::config::{Config, LogLevel};
use crate::dialog::id::DialogKeys;
use crate::error::Result;
use crate::flow::{Flow, Reach};
use crate::random::Random;
use crate::time::{Now, Time};
use crate::timer::{TimerId, Wheel};
use crate::transaction::key::Identity;
use crate::transaction::table::Table;
use crate::transaction::{Sink, Timer, TransactionId};
use delivery::Delivering;
use objects::Objects;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::time::Duration;
use timeout::Timeout;
use wire::outbox::{Outbox, Sender};
use wire::resolve::Queries;
use wire::transport::Transports;
use words::face::Face;

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
    /// Requests that were not answered where `maddr` says.
    pub maddr_ignored: u64,
    pub refused_malformed: u64,
    pub refused_method: u64,
    pub refused_scheme: u64,
    pub refused_extension: u64,
    pub refused_content: u64,
    pub refused_merged: u64,
    pub refused_unknown: u64,
    pub refused_order: u64,
    pub refused_state: u64,
    pub refused_memory: u64,
    pub refused_default: u64,
    pub dropped_response: u64,
    pub dropped_ack: u64,
    pub dropped_stream: u64,
    pub ignored_challenges: u64,
    pub refused_sessions: u64,
    pub refused_calls: u64,
    pub refused_unanswered: u64,
    pub refused_rate: u64,
    pub dropped_behind: u64,
}

impl Stats {
    /// A deviation of a peer was tolerated.
    fn count_quirk(&mut self, bit: u32) {
        if let Some(counter) = self.quirks.get_mut(bit.trailing_zeros() as usize) {
            *counter += 1;
        }
    }
}

/// An object that a host can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A session.
    Session(SessionId),
    /// A request of the peer.
    Incoming(IncomingId),
    /// A request of ours.
    Outgoing(OutgoingId),
}

/// A SIP user agent without sockets and clock.
#[derive(Clone, Debug)]
pub struct Agent {
    config: Config,
    face: Face,
    now: Now,
    random: Random,
    wheel: Wheel<Timeout>,
    table: Table,
    transports: Transports,
    queries: Queries,
    keep_alives: wire::keep_alive::KeepAlives,
    streams: HashMap<u64, wire::stream::Stream, BuildHasherDefault<Identity>>,
    /// Bytes of the messages in them that are not whole.
    half_messages: usize,
    /// When what is held was reckoned, in bytes that had passed; how many more may pass until it has to be again.
    reckoned_at: u64,
    unreckoned: u64,
    objects: Objects,
    outbox: Outbox,
    delivering: Delivering,
    left_responses: calls::reliable_server::LeftResponses,
    /// `None`: all is let in.
    admission: Option<Box<theirs::admission::Admission>>,
    /// Of challenges of ours; `None`: there was none.
    nonces: Option<Box<theirs::nonces::Nonces>>,
    /// Whether somebody answers INVITEs, so that an OPTIONS out of a dialog is told so.
    takes_calls: bool,
    counters: Stats,
    faults: fault::Faults,
    scratch: Vec<u8>,
}

/// What the transactions may do to the agent: send, and set timers.
struct Effects<'a> {
    wheel: &'a mut Wheel<Timeout>,
    outbox: &'a mut Outbox,
    now: Time,
}

impl Sink for Effects<'_> {
    fn send(&mut self, from: TransactionId, bytes: &Bytes, flow: &Flow, host: Option<&Bytes>, retransmission: bool) {
        if retransmission {
            self.outbox.retransmissions_sent += 1;
        }
        self.outbox.transmit(Sender::Transaction(from), bytes, flow, host);
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
        let outbox = Outbox::new(&config, now.unix_us);
        let mut table = Table::new(&mut random, config.timers, config.limits.transactions);
        let mut objects = Objects::new(DialogKeys(first, second), config.limits.sessions);
        if config.limits.address_bytes > 0 {
            table.with_shares();
            objects.with_shares();
        }
        let admission = theirs::admission::Admission::new(config.admission, &mut random);
        Self {
            face: Face::new(&config),
            table,
            objects,
            config,
            now,
            random,
            wheel: Wheel::new(now.monotonic),
            transports: Transports::default(),
            queries: Queries::default(),
            keep_alives: wire::keep_alive::KeepAlives::default(),
            streams: HashMap::default(),
            half_messages: 0,
            reckoned_at: 0,
            unreckoned: 0,
            outbox,
            delivering: Delivering::default(),
            left_responses: calls::reliable_server::LeftResponses::default(),
            admission,
            nonces: None,
            takes_calls: true,
            counters: Stats::default(),
            faults: fault::Faults::default(),
            scratch: Vec::new(),
        }
    }

    /// All that is drawn from now on comes from another seed: so agents that are the same but for their past go on
    /// alike, which only tests want.
    #[doc(hidden)]
    pub fn reseed(&mut self, seed: [u8; 32]) {
        self.random = Random::from_seed(seed);
    }

    /// Says that there is a socket: transport, local and link of `flow`. `sent_by`: `host[:port]` for Via and Contact
    /// instead of the local address.
    pub fn add_transport(&mut self, flow: &Flow, sent_by: Option<&[u8]>) -> Result<()> {
        // RFC 7118 §5: who cannot be reached but by its own connections has a name that nobody has (RFC 2606).
        let nowhere =
            sent_by.is_none() && flow.transport.is_websocket() && flow.local.is_some_and(|own| own.port() == 0);
        let mut name = Vec::new();
        if nowhere {
            self.random.token(&mut name, 12);
            name.extend_from_slice(b".invalid");
        }
        self.transports.add(&self.config, flow, sent_by.or(Some(&name[..]).filter(|_| nowhere)))
    }

    /// Which transports and address families the sockets reach: what else a name has is no target.
    pub fn reach(&self) -> Reach {
        self.transports.reach()
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
        self.outbox.next_transmit()
    }

    /// The next message that passed, where somebody wants to see them, or line of the log.
    pub fn poll_seen(&mut self) -> Option<Seen> {
        self.outbox.next_seen()
    }

    /// The next log line; messages before it are passed over.
    pub fn poll_log(&mut self) -> Option<(LogLevel, String)> {
        std::iter::from_fn(|| self.poll_seen()).find_map(|seen| match seen.what {
            What::Line(level, line) => Some((level, line)),
            What::Message(..) => None,
        })
    }

    /// Whether messages that pass are kept for [`Agent::poll_seen`].
    pub fn set_traced(&mut self, traced: bool) {
        self.outbox.set_traced(traced);
    }

    /// Messages of peers so far, and the settings; unlike [`Agent::stats`] they cost nothing to ask.
    pub fn messages_received(&self) -> u64 {
        self.outbox.messages_received
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            sessions: self.objects.sessions.len() as u64,
            incoming: self.objects.incoming.len() as u64,
            outgoing: self.objects.outgoing.len() as u64,
            transactions: self.table.len() as u64,
            timers: self.wheel.len() as u64,
            bytes: self.would_hold() as u64,
            messages_received: self.outbox.messages_received,
            messages_sent: self.outbox.messages_sent,
            retransmissions_received: self.table.counters().retransmissions_received,
            retransmissions_sent: self.outbox.retransmissions_sent,
            ..self.counters
        };
        self.faults.tell(&mut stats);
        stats
    }

    /// How many sessions and transactions live; unlike [`Agent::stats`] it costs nothing to ask.
    pub fn live(&self) -> usize {
        self.objects.sessions.len() + self.table.len()
    }

    /// The living session after `previous` (`None`: the first), in no particular order.
    pub fn next_session(&self, previous: Option<SessionId>) -> Option<SessionId> {
        self.objects.sessions.next(previous)
    }

    /// A session; good until its TERMINATED was delivered.
    pub fn session(&self, id: SessionId) -> Result<&Session> {
        self.objects.sessions.living(id)
    }

    /// The `index`-th last act of the library by itself in or about a session, 0 the newest.
    pub fn session_act(&self, id: SessionId, index: usize) -> Result<Option<Act>> {
        Ok(self.session(id)?.act(index, self.now))
    }

    /// A request of the peer.
    pub fn incoming(&self, id: IncomingId) -> Result<&Incoming> {
        self.objects.incoming.living(id)
    }

    /// The living session of a request of the peer; of an INVITE the one that was made for it. A REFER may outlive it.
    pub fn session_of_incoming(&self, id: IncomingId) -> Result<Option<SessionId>> {
        Ok(self.incoming(id)?.session.filter(|session| self.objects.sessions.get(*session).is_some()))
    }

    /// A request of ours.
    pub fn outgoing(&self, id: OutgoingId) -> Result<&Outgoing> {
        self.objects.outgoing.living(id)
    }

    /// What the host hung on an object.
    pub fn attachment_mut(&mut self, of: Named) -> Result<&mut Attachment> {
        match of {
            Named::Session(id) => self.objects.sessions.living_mut(id).map(Session::attachment_mut),
            Named::Incoming(id) => self.objects.incoming.living_mut(id).map(|incoming| &mut incoming.attachment),
            Named::Outgoing(id) => self.objects.outgoing.living_mut(id).map(|outgoing| &mut outgoing.attachment),
        }
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
}
