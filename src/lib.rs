//! sipdlg: a SIP session-dialog engine behind a C ABI.
//!
//! `CONTRIBUTING.md` has the map of its floors, each using only those below it. The public face of the library is its C
//! header (`include/sipdlg.h`); the modules are public so that the project's own tests reach every floor.
#![deny(unsafe_code)]

pub mod agent;
pub mod attachment;
#[cfg(feature = "capture")]
pub mod capture;
pub mod config;
pub mod dialog;
pub mod error;
pub mod ffi;
pub mod flow;
pub mod hash;
pub mod held;
pub mod message;
pub mod random;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod session;
pub mod shrink;
pub mod slots;
pub mod time;
pub mod timer;
pub mod transaction;
