//! Transfers: REFER and the subscriptions that it makes (RFC 3515), the INVITE that one asks for, INVITE with Replaces
//! (RFC 3891).

pub(in crate::agent) mod asked;
pub(in crate::agent) mod notifier;
pub(in crate::agent) mod replace;
pub(in crate::agent) mod request;
pub(in crate::agent) mod subscriber;
