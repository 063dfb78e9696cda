//! What the behaviour tests share: a message reader of their own, the wire checker, two agents in memory, a scripted peer.
#![allow(dead_code, missing_docs)]

pub mod sip;
pub mod wire;
