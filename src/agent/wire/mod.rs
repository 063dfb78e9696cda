//! Where messages come from and go to: our sockets, the look-up of names, streams, what waits to go out.
//! No request is understood here.

pub(in crate::agent) mod events;
pub(in crate::agent) mod keep_alive;
mod links;
pub(in crate::agent) mod outbox;
pub(in crate::agent) mod resolve;
pub(in crate::agent) mod stream;
pub(in crate::agent) mod transport;
