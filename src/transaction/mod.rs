//! Transactions: RFC 3261 §17 with RFC 6026 (Accepted) and RFC 4320 (non-INVITE).
//!
//! Four pure machines (`*_client`, `*_server`): a state and an input give a state and [`timers::Actions`]. The
//! `table::Table` owns all transactions of an agent, finds them by hashed keys ([`key`]), and carries the actions out
//! through a [`Sink`] that the floor above provides: nothing here knows a clock, a wheel or a socket. Reliable
//! provisional responses and the repeats of a 2xx belong to the session.

pub mod invite_client;
pub mod invite_server;
pub mod key;
mod messages;
pub mod non_invite_client;
pub mod non_invite_server;
pub mod state;
pub mod table;
pub mod timers;

use std::sync::Arc;
use std::time::Duration;

use crate::flow::Flow;
use crate::timer;
use crate::timer::slab::Key as Slot;

pub use timers::{Letter, Tell};

/// A message as it goes onto the wire, shared between the queue and whoever may have to send it again.
pub type Bytes = Arc<[u8]>;

/// A client transaction; stale once it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Slot);

/// A server transaction; stale once it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(Slot);

#[cfg(test)]
impl ServerId {
    /// One that no table knows.
    pub(crate) fn of_nobody() -> Self {
        Self(timer::slab::Slab::default().insert(()))
    }
}

/// Either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransactionId {
    /// We sent the request.
    Client(ClientId),
    /// We received it.
    Server(ServerId),
}

/// What the floor above keeps in its wheel for a transaction and hands to [`table::Table::timer_due`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timer {
    /// Whose.
    pub transaction: TransactionId,
    /// Why.
    pub letter: Letter,
}

/// What a table needs of the floor above.
pub trait Sink {
    /// Puts bytes onto the wire. A failure is reported later, to [`table::Table::client_transport_error`].
    /// `host` is the name of who is there. `retransmission` tells repeats from what is sent for the first time.
    fn send(&mut self, from: TransactionId, bytes: &Bytes, flow: &Flow, host: Option<&Arc<[u8]>>, retransmission: bool);
    /// Arms a timer.
    fn arm(&mut self, after: Duration, timer: Timer) -> timer::TimerId;
    /// Stops a timer, which may have come due.
    fn stop(&mut self, timer: timer::TimerId);
}

/// What came of an input: what the owner of the transaction learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The number given at the start; 0 when the transaction is unknown.
    pub owner: u64,
    /// Whether the message goes up, or what went wrong.
    pub tell: Tell,
    /// The transaction is over and its id stale. May be so together with any `tell`.
    pub ended: bool,
}
