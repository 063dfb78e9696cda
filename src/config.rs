//! Settings of an agent: plain values, checked by whoever sets them through the methods here.

use crate::error::{Error, Result};
use std::time::Duration;

/// What to do with a mechanism (`enum sipdlg_policy_e`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Not spoken of, refused when required.
    Off,
    /// Offered and used when the peer can.
    Supported,
    /// Demanded of the peer.
    Required,
}

/// What to do with a second 2xx to an INVITE (`enum sipdlg_fork_policy_e`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkPolicy {
    /// It is acknowledged, then ended with BYE.
    First,
    /// Another ACCEPT event.
    All,
}

/// Deviations of the peer that are tolerated and counted (`enum sipdlg_quirk_e`); each is one bit.
pub mod quirk {
    /// A provisional response with a To tag and without Contact.
    pub const ONE_XX_WITHOUT_CONTACT: u32 = 1;
    /// A provisional response other than 100 without a To tag.
    pub const ONE_XX_WITHOUT_TAG: u32 = 2;
    /// The only early dialog's To tag is another one in the 2xx.
    pub const TAG_CHANGED_BY_2XX: u32 = 4;
    /// A PRACK that acknowledges nothing reaches the host.
    pub const PRACK_UNASKED: u32 = 8;
    /// INFO, MESSAGE, NOTIFY, REFER of ours in an early dialog.
    pub const REQUESTS_IN_EARLY: u32 = 16;
}

/// T1, T2 and T4 of RFC 3261 §17.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerValues {
    /// Round-trip estimate.
    pub t1: Duration,
    /// Longest interval between repeats of a non-INVITE request and of INVITE responses.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl TimerValues {
    /// 64*T1: the patience of RFC 3261.
    pub fn patience(&self) -> Duration {
        self.t1.saturating_mul(64)
    }
}

impl Default for TimerValues {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// Upper bounds; what lies beyond is refused, answered 503 or dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one message.
    pub message_bytes: usize,
    /// Living sessions.
    pub sessions: usize,
    /// Living transactions, client and server together.
    pub transactions: usize,
    /// Early dialogs of one INVITE of ours.
    pub early_dialogs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 65_535, sessions: 100_000, transactions: 200_000, early_dialogs: 32 }
    }
}

/// Everything that an agent is told at its birth.
#[derive(Clone, Debug)]
pub struct Config {
    /// From of what we send: the name-addr's text, without tag. Set by [`Config::set_aor`].
    pub aor: Vec<u8>,
    /// Contact as given, or `None`: made from the AOR's user and the transport in use.
    pub contact: Option<Vec<u8>>,
    /// User-Agent and Server; empty sends none.
    pub user_agent: Vec<u8>,
    /// Option tags for Supported beyond those that settings imply.
    pub supported: Vec<Vec<u8>>,
    /// Methods in Allow; others are answered 405.
    pub allow: Vec<Vec<u8>>,
    /// Preloaded routes: values of a Route header, first hop first.
    pub route_set: Vec<Vec<u8>>,
    /// T1, T2, T4.
    pub timers: TimerValues,
    /// Time the host may take to answer an INVITE.
    pub invite_answer_timeout: Duration,
    /// Time the host may take to answer any other request.
    pub other_answer_timeout: Duration,
    /// Upper bounds.
    pub limits: Limits,
    /// What to do with a second 2xx.
    pub fork_policy: ForkPolicy,
    /// RFC 6086: packages that we take; `None`: the mechanism is not supported.
    pub info_packages: Option<Vec<Vec<u8>>>,
    /// Bits of [`quirk`] that are tolerated.
    pub tolerance: u32,
    /// Seed of tags, branches and random waits; `None`: from the operating system, taken by `ffi`.
    pub seed: Option<u64>,
    /// Time is what the host says (`ffi`); the core never reads a clock.
    pub manual_clock: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aor: b"sip:anonymous@anonymous.invalid".to_vec(),
            contact: None,
            user_agent: concat!("sipdlg/", env!("CARGO_PKG_VERSION")).as_bytes().to_vec(),
            supported: Vec::new(),
            allow: ["INVITE", "ACK", "CANCEL", "BYE", "INFO", "OPTIONS"]
                .iter()
                .map(|name| name.as_bytes().to_vec())
                .collect(),
            route_set: Vec::new(),
            timers: TimerValues::default(),
            invite_answer_timeout: Duration::from_secs(180),
            other_answer_timeout: Duration::from_secs(16),
            limits: Limits::default(),
            fork_policy: ForkPolicy::First,
            info_packages: None,
            tolerance: quirk::ONE_XX_WITHOUT_CONTACT | quirk::ONE_XX_WITHOUT_TAG | quirk::TAG_CHANGED_BY_2XX,
            seed: None,
            manual_clock: false,
        }
    }
}

impl Config {
    /// Identity: a name-addr or a URI, no tag. Errors: syntax.
    pub fn set_aor(&mut self, name_addr: &[u8]) -> Result<()> {
        let _ = name_addr;
        Err(Error::argument("being written"))
    }
    /// Contact: a name-addr or a URI. Errors: syntax.
    pub fn set_contact(&mut self, name_addr: &[u8]) -> Result<()> {
        let _ = name_addr;
        Err(Error::argument("being written"))
    }
    /// User-Agent and Server. Errors: syntax when it holds a line end.
    pub fn set_user_agent(&mut self, value: &[u8]) -> Result<()> {
        let _ = value;
        Err(Error::argument("being written"))
    }
    /// Option tags, comma separated. Errors: syntax.
    pub fn set_supported(&mut self, tags: &[u8]) -> Result<()> {
        let _ = tags;
        Err(Error::argument("being written"))
    }
    /// Methods, comma separated. Errors: syntax.
    pub fn set_allow(&mut self, methods: &[u8]) -> Result<()> {
        let _ = methods;
        Err(Error::argument("being written"))
    }
    /// A Route header value. Errors: syntax.
    pub fn set_route_set(&mut self, routes: &[u8]) -> Result<()> {
        let _ = routes;
        Err(Error::argument("being written"))
    }
    /// Milliseconds; 0 keeps one.
    pub fn set_timers(&mut self, t1_ms: u32, t2_ms: u32, t4_ms: u32) -> Result<()> {
        let _ = (t1_ms, t2_ms, t4_ms);
        Err(Error::argument("being written"))
    }
    /// Milliseconds; 0 keeps one.
    pub fn set_answer_timeouts(&mut self, invite_ms: u32, other_ms: u32) -> Result<()> {
        let _ = (invite_ms, other_ms);
        Err(Error::argument("being written"))
    }
    /// 0 keeps one.
    pub fn set_limits(&mut self, message_bytes: u32, sessions: u32, transactions: u32) -> Result<()> {
        let _ = (message_bytes, sessions, transactions);
        Err(Error::argument("being written"))
    }
    /// Packages, comma separated; empty: an empty Recv-Info; `None`: no support. Errors: syntax.
    pub fn set_info_packages(&mut self, packages: Option<&[u8]>) -> Result<()> {
        let _ = packages;
        Err(Error::argument("being written"))
    }
    /// Bits of [`quirk`]. Errors: argument for unknown bits.
    pub fn set_tolerance(&mut self, quirks: u32) -> Result<()> {
        let _ = quirks;
        Err(Error::argument("being written"))
    }
}
