//! sipdlg: a SIP session-dialog engine behind a C ABI.
//!
//! The floors, each using only the floors below it: `ffi`, `runtime`, `agent`, `session`, `dialog` and `transaction`,
//! `config`, `message`, then `timer`, `time`, `slots`, `attachment`, `hash`, `random`, `flow`, `error`. The public face of
//! the library is its C header (`include/sipdlg.h`); the modules are public so that the project's own tests reach every
//! floor.
#![deny(unsafe_code)]

pub mod agent;
pub mod attachment;
pub mod config;
pub mod dialog;
pub mod error;
pub mod ffi;
pub mod flow;
pub mod hash;
pub mod message;
pub mod random;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod session;
pub mod slots;
pub mod time;
pub mod timer;
pub mod transaction;
