//! REGISTER of ours (RFC 3261 §10.2, RFC 5626 §4.2): what it asks of a registrar, and how long to wait after one that
//! failed. When it goes out again is the host's.

use crate::agent::options::RequestOptions;
use crate::agent::{Agent, OutgoingId};
use crate::config::keep_alive_s;
use crate::error::{Error, Result};
use crate::message::{Message, Registered, write};
use crate::time::Now;
use std::time::Duration;

/// What a REGISTER asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// A binding of our Contact, or that it lasts on.
    #[default]
    Bind,
    /// Its end.
    Unbind,
    /// What is bound (§10.2.3).
    Query,
}

impl Asks {
    /// From the number of `enum sipdlg_register_asks_e`.
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::Bind, Self::Unbind, Self::Query].into_iter().find(|asks| *asks as i32 == number)
    }
}

/// `sipdlg_register_t`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registering<'a> {
    /// Which.
    pub asks: Asks,
    /// How long; 0: as the registrar has it.
    pub expires_s: u32,
    /// Its number; 0: 1.
    pub cseq: u32,
    /// Which flow of the instance (RFC 5626 §4.2); 0: none.
    pub reg_id: u32,
    /// The URN of the device.
    pub instance: Option<&'a [u8]>,
}

/// What it supports, where it names its flow (RFC 5626 §4.2.1).
pub(in crate::agent) const OUTBOUND: &[u8] = b"path, outbound";
pub(in crate::agent) const OUTBOUND_TIMER: &[u8] = b"timer, path, outbound";

impl Registering<'_> {
    /// The parameters of its Contact. Errors: argument, syntax.
    pub(in crate::agent) fn contact_parameters(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match self.instance {
            None if self.reg_id > 0 => {
                return Err(Error::argument("reg_id: it is that of an instance (RFC 5626 4.2.1)"));
            }
            None => return Ok(out),
            Some(instance) => {
                let is_urn = instance.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"urn:"));
                let plain = |byte: &u8| byte.is_ascii_graphic() && !br#""<>\"#.contains(byte);
                if !is_urn || !instance.iter().all(plain) {
                    return Err(Error::syntax("instance: a URN, such as urn:uuid:... (RFC 5626 4.1)"));
                }
                out.extend_from_slice(&[b";+sip.instance=\"<", instance, b">\""].concat());
            }
        }
        if self.reg_id > 0 {
            out.extend_from_slice(b";reg-id=");
            write::number(&mut out, self.reg_id.into());
        }
        Ok(out)
    }

    /// The value of its Expires.
    pub(in crate::agent) fn expires(&self) -> Option<u32> {
        match self.asks {
            Asks::Bind => Some(self.expires_s).filter(|seconds| *seconds > 0),
            Asks::Unbind => Some(0),
            Asks::Query => None,
        }
    }
}

/// RFC 5626 §4.5: what doubles with each failure, and its bound.
const BASE_S: u32 = 30;
const MOST_S: u32 = 1_800;

impl Agent {
    /// REGISTER. To and From are the AOR; our Contact is written for the way it goes. Errors: as [`Agent::request`].
    pub fn register<'a>(
        &mut self,
        now: Now,
        registrar: &[u8],
        binding: Registering<'a>,
        options: RequestOptions<'a>,
    ) -> Result<OutgoingId> {
        self.request(now, b"REGISTER", registrar, RequestOptions { register: Some(binding), ..options })
    }

    /// How long to wait after so many registrations in a row that failed (RFC 5626 §4.5): drawn, so that those who failed
    /// together do not come again together. 0: 30 and 1800 seconds.
    pub fn backoff(&mut self, failures: u32, base_s: u32, most_s: u32) -> Duration {
        let or = |given: u32, usual: u32| u64::from(if given == 0 { usual } else { given });
        let doubled = or(base_s, BASE_S).checked_shl(failures.min(32)).unwrap_or(u64::MAX);
        let most_ms = or(most_s, MOST_S).min(doubled) * 1_000;
        Duration::from_millis(most_ms / 2 + self.random.below(most_ms / 2 + 1))
    }

    /// A 2xx to a REGISTER of ours: its connection carries a binding or no more, and is kept alive as the registrar wants it
    /// (RFC 5626 §4.4).
    pub(in crate::agent) fn registered(&mut self, request: &Message, response: &Message) {
        let Some(flow) = response.flow().copied().filter(|flow| flow.link != 0 && flow.transport.is_reliable()) else {
            return;
        };
        let found = Registered::of(Some(response), request);
        self.set_bound(flow.link, found.expires_s > 0);
        if found.expires_s > 0 && found.flow_timer_s > 0 {
            self.set_keep_alive(&flow, keep_alive_s(found.flow_timer_s).unwrap_or(0));
        }
    }
}
