//! Requests of ours: what was asked for becomes a draft, a draft finds its way, an answer its meaning. Challenges and
//! refusals that pass are dealt with. What INVITE has beyond that is in `calls`.

pub(in crate::agent) mod answered;
pub(in crate::agent) mod auth;
pub(in crate::agent) mod authentication;
mod broken_response;
pub(in crate::agent) mod change;
pub(in crate::agent) mod draft;
pub(in crate::agent) mod failover;
pub(in crate::agent) mod in_dialog;
pub(in crate::agent) mod launch;
pub(in crate::agent) mod out_of_dialog;
pub(in crate::agent) mod outgoing;
pub mod register;
pub(in crate::agent) mod retry;
mod size;
pub(in crate::agent) mod timed;
mod unreachable;
