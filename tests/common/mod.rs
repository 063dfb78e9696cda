//! What the behaviour tests share: a message reader of their own, the wire checker,
//! two agents in memory, a scripted peer.
#![allow(dead_code, missing_docs)]

pub mod by_hand;
pub mod counting;
pub mod draft;
pub mod linked;
pub mod lone;
pub mod network;
pub mod pair;
pub mod party;
pub mod peer;
pub mod properties;
pub mod refer;
pub mod reliable_callee;
pub mod reliable_caller;
pub mod session_timer;
pub mod sip;
pub mod views;
pub mod wire;

use std::time::Duration;

/// An offer that a test sends first.
pub const OFFER: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
/// The answer to it.
pub const ANSWER: &str = "v=0\r\no=bob 2 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n";
/// A later offer.
pub const HOLD: &str =
    "v=0\r\no=alice 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n";
/// The answer to that.
pub const HELD: &str = "v=0\r\no=bob 2 2 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\na=recvonly\r\n";

/// What a peer got to which nothing was sent.
pub const NOTHING: [&str; 0] = [];

pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
