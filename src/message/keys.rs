//! What the transactions hashed of a received message: the message carries it, and reads nothing in it.

use std::num::NonZeroU64;

/// A hashed identity: 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Never 0, so that no key at all takes no more room.
    pub high: NonZeroU64,
    /// The other half.
    pub low: u64,
}

/// The keys of a request that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKeys {
    /// RFC 3261 §17.2.3: of the transaction that it makes, repeats or (ACK) belongs to.
    pub server: Key,
    /// RFC 3261 §8.2.2.2.
    pub merged: Option<Key>,
}
