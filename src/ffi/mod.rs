//! The C ABI: one file per section of the header, in its order. Each function converts, makes one call, converts back;
//! no SIP decision is taken here.
#![allow(unsafe_code)]
// The contract at the head of the header is the "# Safety" of every export; its doc comment is the header's text.
#![allow(clippy::missing_safety_doc)]

// What the sections share; exports nothing.
#[cfg(not(all(feature = "runtime", feature = "capture")))]
mod absent;
mod cell;
mod clock;
mod convert;
pub mod enums;
mod guard;
mod handle;
mod host;
mod reserve;
mod sockaddr;
pub mod structs;
mod tls;

// The sections, in the order of the header.
pub mod library;
pub mod config;
pub mod event;
mod options;
pub mod agent;
pub mod flows;
pub mod message;
pub mod registration;
pub mod session;
pub mod incoming;
pub mod outgoing;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(not(feature = "runtime"))]
mod no_runtime;
pub mod trace;
#[cfg(feature = "capture")]
pub mod capture;
#[cfg(not(feature = "capture"))]
mod no_capture;
