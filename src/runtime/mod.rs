//! The optional floor with sockets and threads: UDP and connections, one worker, one delivery thread, one resolver thread.
//!
//! It drives an agent that it does not own: [`Host`] is what it needs of the floor above.
#![allow(unsafe_code)]

mod addresses;
mod backlog;
mod connection;
mod datagrams;
mod epoll;
mod links;
mod listen;
mod network;
mod options;
mod pages;
mod queue;
mod resolve;
mod send;
mod sides;
mod streams;
mod threads;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod trim;
mod turn;
mod udp;
mod unreached;
#[cfg(feature = "websocket")]
mod websocket;
mod wire;

pub use network::Network;
pub use resolve::{Question, Resolver};
pub use threads::Threads;
pub(crate) use threads::{DELIVERY_STACK, spawn};

use crate::agent::Agent;
use crate::time::Now;
use std::time::Duration;

/// How long a thread waits for what the system has not got: memory, a socket that works.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Who owns the agent and its lock. It lives as long as the process.
pub trait Host: Send + Sync + 'static {
    /// Runs with the agent locked and the clocks read; `None` when the agent is over. Calls nothing of the host's:
    /// locks of the runtime may be held.
    fn with_agent<T>(&'static self, run: impl FnOnce(&mut Agent, Now) -> T) -> Option<T>;

    /// Delivers the events that wait, with nothing locked. Only its driver calls it.
    fn deliver(&'static self);

    /// Hands on the log lines that [`Host::with_agent`] left, with nothing locked.
    fn log(&'static self);

    /// A peak of calls is over: gives back what it has left, with nothing of the agent's locked.
    fn trim(&'static self);

    /// Whether there is memory to go on with.
    fn has_memory(&self) -> bool;

    /// Whether a delivery has something to do even without events.
    fn is_owed(&'static self) -> bool;

    /// The calling thread of the runtime ends; `delivered`: it was the one that ran callbacks.
    fn leave(&'static self, delivered: bool);

    /// Whether the running or next turn is to return at once.
    fn is_woken(&self) -> bool;

    /// A turn returns.
    fn clear_woken(&self);
}
