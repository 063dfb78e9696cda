//! Calls: INVITE both ways with its forks, ACK, CANCEL, PRACK and BYE. What a message means for a session is in
//! `session`; here is which session it reaches, and what is written.

pub(in crate::agent) mod ack_again;
pub(in crate::agent) mod acknowledge;
pub(in crate::agent) mod by_hand;
pub(in crate::agent) mod cancel;
pub(in crate::agent) mod ending;
pub(in crate::agent) mod identity;
pub(in crate::agent) mod invite_client;
pub(in crate::agent) mod invite_server;
pub(in crate::agent) mod reliable_client;
pub(in crate::agent) mod reliable_server;
pub(in crate::agent) mod session_timer;
pub(in crate::agent) mod takeover;
pub(in crate::agent) mod update;
