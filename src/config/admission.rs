//! Soft limits on what peers begin: refused while the agent could still carry it, so that what stands goes on.

use super::{Config, OBJECTS};
use crate::error::{Error, Result};

/// What is taken on of peers; 0: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Living sessions beyond which no call of a peer's begins.
    pub calls: usize,
    /// Requests out of dialogs that wait for their final response.
    pub unanswered: usize,
    /// Requests out of dialogs that one address may send in a second, in the long run.
    pub address_requests: u32,
    /// The same at once.
    pub address_burst: u32,
}

/// More than one agent can take.
const REQUESTS: u32 = 1_000_000;

impl Config {
    /// 0: no limit; a burst of 0 is that of one second. Errors: argument.
    pub fn set_admission(
        &mut self,
        calls: u32,
        unanswered: u32,
        address_requests: u32,
        address_burst: u32,
    ) -> Result<()> {
        for (name, number, most) in [
            ("calls", calls, OBJECTS),
            ("unanswered", unanswered, OBJECTS),
            ("address_requests", address_requests, REQUESTS),
            ("address_burst", address_burst, REQUESTS),
        ] {
            if number > most {
                return Err(Error::argument(format!("{name}: 0 to {most}")));
            }
        }
        if address_requests == 0 && address_burst > 0 {
            return Err(Error::argument("address_burst: what is at once, of address_requests a second, which is 0"));
        }
        self.admission = Admission {
            calls: calls as usize,
            unanswered: unanswered as usize,
            address_requests,
            address_burst: if address_burst == 0 { address_requests } else { address_burst },
        };
        Ok(())
    }
}
