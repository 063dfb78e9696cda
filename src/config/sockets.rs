//! Packets of the library's sockets: what routers are told of them, and which way they take.

use crate::config::Config;
use crate::error::{Error, Result};

/// What `sipdlg_config_set_sockets` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// The network interface that all of them go by; `None`: as routed.
    pub interface: Option<Box<[u8]>>,
    /// The code point of RFC 2474; 0: the usual one.
    pub dscp: u8,
    /// The place in the queues of the host; 0: as the system has it.
    pub priority: u8,
}

/// Six bits.
const CODE_POINTS: u32 = 63;
/// Beyond it is for the privileged (socket(7)).
const PRIORITY: u32 = 6;
/// IFNAMSIZ without the NUL.
const INTERFACE: usize = 15;
/// Longer is no interval of keep-alives.
const KEEP_ALIVE_S: u32 = 86_400;

impl Config {
    /// Errors: argument.
    pub fn set_sockets(&mut self, interface: Option<&[u8]>, dscp: u32, priority: u32) -> Result<()> {
        for (name, number, most) in [("dscp", dscp, CODE_POINTS), ("priority", priority, PRIORITY)] {
            if number > most {
                return Err(Error::argument(format!("{name} is {number}; it must be at most {most}")));
            }
        }
        if interface.is_some_and(|name| name.is_empty() || name.len() > INTERFACE || name.contains(&b'/')) {
            return Err(Error::argument("interface: the name of a network interface, such as eth0"));
        }
        self.sockets = Sockets { interface: interface.map(Box::from), dscp: dscp as u8, priority: priority as u8 };
        Ok(())
    }

    /// 0: none. Errors: argument.
    pub fn set_keep_alive(&mut self, every_s: u32) -> Result<()> {
        self.keep_alive_s = keep_alive_s(every_s)?;
        Ok(())
    }
}

/// An interval that is one. Errors: argument.
pub(crate) fn keep_alive_s(every_s: u32) -> Result<u32> {
    match every_s {
        0..=KEEP_ALIVE_S => Ok(every_s),
        _ => Err(Error::argument(format!("every_s is {every_s}; it must be at most {KEEP_ALIVE_S}"))),
    }
}
