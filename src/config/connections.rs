//! Connections of the library's sockets: how many, and for how long.

use crate::config::Config;
use crate::error::{Error, Result};
use std::time::Duration;

/// What `sipdlg_config_set_connections` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// At a time, of either side's making.
    pub most: usize,
    /// That one address may have made; 0: as many as there may be.
    pub per_address: u32,
    /// One on which no call is goes when its peer has been silent for so long; `None`: never.
    pub idle: Option<Duration>,
    /// In which a peer has to answer, encryption agreed upon.
    pub connect: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self { most: 10_000, per_address: 0, idle: Some(Duration::from_secs(900)), connect: Duration::from_secs(5) }
    }
}

impl Connections {
    /// When one without calls has been silent for too long.
    pub fn idle_or_ever(&self) -> Duration {
        self.idle.unwrap_or(Duration::MAX)
    }
}

/// Descriptors of a process are numbers of this size at most.
const MOST: u32 = 1 << 20;

impl Config {
    /// 0 keeps a default; `idle_s` -1: never. Errors: argument.
    pub fn set_connections(&mut self, most: u32, per_address: u32, idle_s: i32, connect_ms: u32) -> Result<()> {
        if most > MOST {
            return Err(Error::argument(format!("connections is {most}; it must be at most {MOST}")));
        }
        let idle = match idle_s {
            -1 => None,
            0 => Connections::default().idle,
            seconds => Some(Duration::from_secs(
                u64::try_from(seconds)
                    .map_err(|_| Error::argument(format!("idle_s is {seconds}; it must be -1 or not negative")))?,
            )),
        };
        let default = Connections::default();
        self.connections = Connections {
            most: if most == 0 { default.most } else { most as usize },
            per_address,
            idle,
            connect: if connect_ms == 0 { default.connect } else { Duration::from_millis(connect_ms.into()) },
        };
        Ok(())
    }
}
