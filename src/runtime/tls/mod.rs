//! TLS of connections: whose certificates are shown and trusted (`settings`), whom they name (`names`), and the bytes of one
//! connection (`stream`).

pub(super) mod names;
mod settings;
pub(super) mod stream;

pub use settings::{Settings, Tls, Verify};
