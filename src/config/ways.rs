//! Which ways messages take beyond what URIs say.

use super::Config;
use crate::error::{Error, Result};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What `sipdlg_config_set_reconnect`, `_set_datagram_bytes` and `_set_nat` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// So long a request in a dialog whose link is lost waits for another; zero: it fails at once.
    pub reconnect: Duration,
    /// A client that names itself in a request takes its dialogs to the connection of that.
    pub by_name: bool,
    /// Longer requests go by TCP where they would have gone by UDP; `None`: none do.
    pub datagram_bytes: Option<usize>,
    /// Our Contact over UDP has the address that responses say we are seen at.
    pub own: bool,
    /// Requests in a dialog go where its messages come from, over UDP too.
    pub peers: bool,
}

impl Default for Ways {
    fn default() -> Self {
        Self { reconnect: Duration::ZERO, by_name: true, datagram_bytes: Some(1_300), own: false, peers: false }
    }
}

/// An hour: nobody waits longer for a page.
const RECONNECT_MS: u32 = 3_600_000;
/// From what fits into any IPv4 datagram to the largest there is.
const DATAGRAM_BYTES: RangeInclusive<u32> = 548..=65_535;

impl Config {
    /// Errors: argument.
    pub fn set_reconnect(&mut self, wait_ms: u32, by_name: bool) -> Result<()> {
        if wait_ms > RECONNECT_MS {
            return Err(Error::argument(format!("wait_ms: 0 to {RECONNECT_MS}")));
        }
        (self.ways.reconnect, self.ways.by_name) = (Duration::from_millis(wait_ms.into()), by_name);
        Ok(())
    }

    /// 0: none goes by TCP for its size. Errors: argument.
    pub fn set_datagram_bytes(&mut self, bytes: u32) -> Result<()> {
        self.ways.datagram_bytes = match bytes {
            0 => None,
            bytes if DATAGRAM_BYTES.contains(&bytes) => Some(bytes as usize),
            _ => {
                let (least, most) = (DATAGRAM_BYTES.start(), DATAGRAM_BYTES.end());
                return Err(Error::argument(format!("bytes: 0, or {least} to {most}")));
            }
        };
        Ok(())
    }

    /// Behind a NAT of ours, and peers behind theirs.
    pub fn set_nat(&mut self, own: bool, peers: bool) -> Result<()> {
        (self.ways.own, self.ways.peers) = (own, peers);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken() {
        let mut config = Config::default();
        assert!(config.set_reconnect(3_600_001, true).is_err());
        assert!([1, 547, 65_536].into_iter().all(|bytes| config.set_datagram_bytes(bytes).is_err()));
        assert_eq!(config.ways, Ways::default(), "a refusal changes nothing");
        config.set_reconnect(3_600_000, false).expect("an hour");
        config.set_datagram_bytes(548).expect("any datagram");
        assert_eq!((config.ways.reconnect, config.ways.datagram_bytes), (Duration::from_secs(3_600), Some(548)));
        config.set_datagram_bytes(0).expect("never");
        assert_eq!(config.ways.datagram_bytes, None);
    }
}
