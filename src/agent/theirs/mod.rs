//! Requests of the peer: found, checked at one door, handed to the host, answered. What INVITE has beyond that is in
//! `calls`.

pub(in crate::agent) mod admission;
pub(in crate::agent) mod admit;
pub(in crate::agent) mod answer;
pub(in crate::agent) mod challenge;
pub(in crate::agent) mod default_answer;
pub(in crate::agent) mod incoming;
pub(in crate::agent) mod nonces;
pub(in crate::agent) mod request;
pub(in crate::agent) mod stateless;
