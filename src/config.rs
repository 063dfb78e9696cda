//! Settings of an agent: plain values, checked by whoever sets them through the methods here.

mod admission;
mod connections;
mod name_servers;
mod session_timer;
mod ways;
mod sockets;
mod websocket;

use crate::error::{Error, Result};
use crate::message::digest::Algorithm;
use crate::message::redact;
pub use crate::message::secret::Secret;
use crate::message::{NameAddr, is_token, list_of, routes_of};
pub use admission::Admission;
pub use connections::Connections;
pub use session_timer::{Refresher, SessionTimer};
pub use sockets::Sockets;
pub(crate) use sockets::keep_alive_s;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;
pub use ways::Ways;
pub use websocket::WebSocket;

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

/// How much is logged (`enum sipdlg_log_level_e`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum LogLevel {
    #[default]
    Off = 0,
    Error = 1,
    Warn = 2,
    Info = 3,
    /// One line a message.
    Debug = 4,
}

impl LogLevel {
    /// From the number of `enum sipdlg_log_level_e`.
    pub fn from_number(number: i32) -> Option<Self> {
        let levels = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug];
        levels.into_iter().find(|level| *level as i32 == number)
    }
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
    /// An unescaped `#` in the user of a URI.
    pub const HASH_IN_USER: u32 = 32;
    /// A display name with `&`, `,`, `(`, `)` and without quotes.
    pub const UNQUOTED_NAME: u32 = 64;
    /// A response with a broken From, To, Via or line.
    pub const BROKEN_RESPONSE: u32 = 128;
    /// A response goes to any address that `maddr` of the top Via names.
    pub const MADDR_ELSEWHERE: u32 = 256;
    /// A subscription of a REFER that a NOTIFY of a provisional response terminates.
    pub const EARLY_TERMINATED: u32 = 512;
    /// What changes what the host sees, or lets a peer aim at others; only where it asks for them.
    pub const OFF: u32 = PRACK_UNASKED | REQUESTS_IN_EARLY | MADDR_ELSEWHERE;
    /// Every one.
    pub const ALL: u32 = 1023;
}

/// What a failed request in a dialog ends (RFC 5057); the numbers are those of `enum sipdlg_effect_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Effect {
    /// The request only.
    Transaction = 0,
    /// The usage that the request belongs to.
    Usage = 1,
    /// The dialog and every usage of it.
    Dialog = 2,
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
    /// Bytes held for all peers.
    pub memory_bytes: usize,
    /// Bytes held for the calls of one address; 0: as many as there are.
    pub address_bytes: usize,
}

/// What a limit of one message may be. RFC 3261 §18.1.1: 1,300 bytes go over any path by UDP.
const MESSAGE_BYTES: RangeInclusive<u32> = 1_300..=16 << 20;
/// The least that an agent may be given: what a few calls take.
const MEMORY_BYTES: usize = 64 << 10;
/// Ids of one kind of object ([`crate::slots::INDEX_BITS`]).
const OBJECTS: u32 = (1 << crate::slots::INDEX_BITS) - 1;

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 65_535,
            sessions: 100_000,
            transactions: OBJECTS as usize,
            early_dialogs: 32,
            memory_bytes: 1 << 30,
            address_bytes: 0,
        }
    }
}

/// The identity of who has none (RFC 3261 §8.1.1.3).
pub const NOBODY: &[u8] = b"sip:anonymous@anonymous.invalid";

/// Everything that an agent is told at its birth.
#[derive(Clone, Debug)]
pub struct Config {
    /// From of what we send: the name-addr's text, without tag. Set by [`Config::set_aor`].
    pub aor: Vec<u8>,
    /// Contact as given, or `None`: made from the AOR's user and the transport in use.
    pub contact: Option<Vec<u8>>,
    /// It says that requests in its dialogs are to come by their flow (RFC 5626 §4.3).
    pub outbound: bool,
    /// User-Agent and Server; empty sends none.
    pub user_agent: Vec<u8>,
    /// Option tags for Supported beyond those that settings imply.
    pub supported: Vec<Vec<u8>>,
    /// Methods in Allow; others are answered 405.
    pub allow: Vec<Vec<u8>>,
    /// Preloaded routes: values of a Route header, first hop first.
    pub route_set: Vec<Vec<u8>>,
    /// Digest credentials, one a realm.
    pub credentials: Vec<Secret>,
    /// The weakest hash whose challenges are answered.
    pub digest_minimum: Algorithm,
    /// T1, T2, T4.
    pub timers: TimerValues,
    /// Time the host may take to answer an INVITE.
    pub invite_answer_timeout: Duration,
    /// Time the host may take to answer any other request.
    pub other_answer_timeout: Duration,
    /// Upper bounds.
    pub limits: Limits,
    /// What is taken on of peers below them.
    pub admission: Admission,
    /// Connections of the library's sockets.
    pub connections: Connections,
    /// Which ways messages take.
    pub ways: Ways,
    /// Whom the library's own resolver asks; none: whom the system names.
    pub name_servers: Vec<SocketAddr>,
    /// Their packets.
    pub sockets: Sockets,
    /// So often connections of ours are kept alive, in seconds; 0: never (RFC 5626 §4.4).
    pub keep_alive_s: u32,
    /// Those of them that are WebSockets.
    pub websocket: WebSocket,
    /// What to do with a second 2xx.
    pub fork_policy: ForkPolicy,
    /// RFC 3262: reliable provisional responses.
    pub reliable: Policy,
    /// RFC 4028: session timers.
    pub session_timer: SessionTimer,
    /// The host sends every PRACK.
    pub manual_prack: bool,
    /// 491 and 500 with Retry-After are retried (RFC 3261 §14.1).
    pub glare_retry: bool,
    /// After a failed re-INVITE that had changed the session the former description is sent (RFC 6141 §3.4).
    pub resync: bool,
    /// RFC 4916: callers are told who answered.
    pub connected_identity: bool,
    /// RFC 5630: whether calls to sips and to sip are taken.
    pub sips: Policy,
    /// What the host has instead of RFC 5057's table: method, status, effect.
    pub effects: Vec<(Vec<u8>, u16, Effect)>,
    /// RFC 6086: packages that we take; `None`: the mechanism is not supported.
    pub info_packages: Option<Vec<Vec<u8>>>,
    /// Bits of [`quirk`] that are tolerated.
    pub tolerance: u32,
    /// Seed of tags, branches and random waits; `None`: from the operating system, taken by `ffi`.
    pub seed: Option<u64>,
    /// Time is what the host says (`ffi`); the core never reads a clock.
    pub manual_clock: bool,
    /// Lines up to this level are made.
    pub log_level: LogLevel,
    /// Messages that pass are kept to be seen.
    pub trace: bool,
    /// What a trace leaves out: bits of [`redact`].
    pub redact: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aor: NOBODY.to_vec(),
            contact: None,
            outbound: false,
            user_agent: concat!("sipdlg/", env!("CARGO_PKG_VERSION")).as_bytes().to_vec(),
            supported: Vec::new(),
            allow: [
                "INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE", "INFO", "MESSAGE", "NOTIFY", "REFER", "OPTIONS",
            ]
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect(),
            route_set: Vec::new(),
            credentials: Vec::new(),
            digest_minimum: Algorithm::Md5,
            timers: TimerValues::default(),
            invite_answer_timeout: Duration::from_secs(180),
            other_answer_timeout: Duration::from_secs(16),
            limits: Limits::default(),
            admission: Admission::default(),
            connections: Connections::default(),
            ways: Ways::default(),
            name_servers: Vec::new(),
            sockets: Sockets::default(),
            keep_alive_s: 0,
            websocket: WebSocket::default(),
            fork_policy: ForkPolicy::First,
            reliable: Policy::Supported,
            session_timer: SessionTimer::default(),
            manual_prack: false,
            glare_retry: true,
            resync: false,
            connected_identity: false,
            sips: Policy::Supported,
            effects: Vec::new(),
            info_packages: None,
            tolerance: quirk::ALL & !quirk::OFF,
            seed: None,
            manual_clock: false,
            log_level: LogLevel::Off,
            trace: false,
            redact: redact::CREDENTIALS | redact::KEYS,
        }
    }
}

impl Config {
    /// Identity: a name-addr or a URI, no tag. Errors: syntax.
    pub fn set_aor(&mut self, name_addr: &[u8]) -> Result<()> {
        let text = line(name_addr, "aor")?;
        let (address, _) = NameAddr::of_host(text)?;
        if !address.parameters.is_empty() {
            return Err(Error::syntax(
                "aor: without parameters, as the tag of From is made for each dialog (RFC 3261 19.3)",
            ));
        }
        self.aor = text.to_vec();
        Ok(())
    }

    /// Contact: a name-addr or a URI. Errors: syntax.
    pub fn set_contact(&mut self, name_addr: &[u8]) -> Result<()> {
        let text = line(name_addr, "contact")?;
        if !NameAddr::of_host(text)?.1.is_sip() {
            return Err(Error::syntax("contact: a sip or sips URI (RFC 3261 8.1.1.8)"));
        }
        self.contact = Some(text.to_vec());
        Ok(())
    }

    /// User-Agent and Server. Errors: syntax when it holds a line end.
    pub fn set_user_agent(&mut self, value: &[u8]) -> Result<()> {
        self.user_agent = line(value, "user agent")?.to_vec();
        Ok(())
    }

    /// Option tags, comma separated. Errors: syntax.
    pub fn set_supported(&mut self, tags: &[u8]) -> Result<()> {
        self.supported = tokens(tags, "supported", <[u8]>::eq_ignore_ascii_case)?;
        Ok(())
    }

    /// Methods, comma separated; they are case-sensitive (RFC 3261 §7.1). Errors: syntax.
    pub fn set_allow(&mut self, methods: &[u8]) -> Result<()> {
        self.allow = tokens(methods, "allow", |one, other| one == other)?;
        Ok(())
    }

    /// A Route header value; empty: none. Errors: syntax.
    pub fn set_route_set(&mut self, routes: &[u8]) -> Result<()> {
        let text = line(routes, "route set")?;
        self.route_set = routes_of(text)?.into_iter().map(<[u8]>::to_vec).collect();
        Ok(())
    }

    /// Milliseconds; 0 keeps one. Errors: argument when T1 would be longer than T2.
    pub fn set_timers(&mut self, t1_ms: u32, t2_ms: u32, t4_ms: u32) -> Result<()> {
        let timers = TimerValues {
            t1: milliseconds(t1_ms, self.timers.t1),
            t2: milliseconds(t2_ms, self.timers.t2),
            t4: milliseconds(t4_ms, self.timers.t4),
        };
        if timers.t1 > timers.t2 {
            return Err(Error::argument("timers: T1 is longer than T2, where its doubling ends (RFC 3261 17.1.2.1)"));
        }
        self.timers = timers;
        Ok(())
    }

    /// Milliseconds; 0 keeps one.
    pub fn set_answer_timeouts(&mut self, invite_ms: u32, other_ms: u32) -> Result<()> {
        self.invite_answer_timeout = milliseconds(invite_ms, self.invite_answer_timeout);
        self.other_answer_timeout = milliseconds(other_ms, self.other_answer_timeout);
        Ok(())
    }

    /// 0 keeps one. Errors: argument for a message shorter than any UDP peer may send (RFC 3261 §18.1.1) or longer than
    /// 16 MiB, and for more objects than there are ids.
    pub fn set_limits(&mut self, message_bytes: u32, sessions: u32, transactions: u32) -> Result<()> {
        let limit = |name: &str, number: u32, now: usize, range: RangeInclusive<u32>| match number {
            0 => Ok(now),
            number if range.contains(&number) => Ok(number as usize),
            _ => Err(Error::argument(format!("{name}: 0, or {} to {}", range.start(), range.end()))),
        };
        let now = self.limits;
        self.limits = Limits {
            message_bytes: limit("message_bytes", message_bytes, now.message_bytes, MESSAGE_BYTES)?,
            sessions: limit("sessions", sessions, now.sessions, 1..=OBJECTS)?,
            transactions: limit("transactions", transactions, now.transactions, 1..=OBJECTS)?,
            ..now
        };
        Ok(())
    }

    /// Bytes held for peers, in all and for one address; 0 keeps one. Errors: argument.
    pub fn set_memory(&mut self, total_bytes: u64, address_bytes: u64) -> Result<()> {
        let limit = |name: &str, number: u64, now: usize| match usize::try_from(number) {
            Ok(0) => Ok(now),
            Ok(number) if number >= MEMORY_BYTES => Ok(number),
            _ => Err(Error::argument(format!("{name}: 0, or at least {MEMORY_BYTES}"))),
        };
        let memory_bytes = limit("total_bytes", total_bytes, self.limits.memory_bytes)?;
        let address_bytes = limit("per_address_bytes", address_bytes, self.limits.address_bytes)?;
        self.limits = Limits { memory_bytes, address_bytes, ..self.limits };
        Ok(())
    }

    /// Digest credentials for a realm (`None`: any), instead of former ones for it. `secret`: a password, or with
    /// `is_ha1` the hexadecimal H(A1) of `algorithm` (`None`: MD5). Errors: syntax for line ends, argument for an
    /// unknown algorithm and an H(A1) without realm or of the wrong length.
    pub fn add_credentials(
        &mut self,
        realm: Option<&[u8]>,
        user: &[u8],
        secret: &[u8],
        is_ha1: bool,
        algorithm: Option<&[u8]>,
    ) -> Result<()> {
        let secret = Secret::new(realm, user, secret, is_ha1, algorithm)?;
        self.credentials.retain(|former| former.realm != secret.realm || former.ha1_of != secret.ha1_of);
        self.credentials.push(secret);
        Ok(())
    }

    /// Challenges by weaker hashes are passed over; `None`: none is. Errors: argument for an unknown one.
    pub fn set_digest_minimum(&mut self, algorithm: Option<&[u8]>) -> Result<()> {
        self.digest_minimum = Algorithm::of_host(algorithm)?;
        Ok(())
    }

    /// What a failure ends, instead of what RFC 5057's table says. `status` 0: no response. Errors: syntax, the method
    /// is no token; argument, the status is no failure.
    pub fn set_effect(&mut self, method: &[u8], status: u16, effect: Effect) -> Result<()> {
        if !is_token(method) {
            return Err(Error::syntax("method: not a token (RFC 3261 7.1)"));
        }
        if !matches!(status, 0 | 300..=699) {
            return Err(Error::argument(format!("status_code {status} is neither 0 nor a failure")));
        }
        self.effects.retain(|(known, code, _)| *known != method || *code != status);
        self.effects.push((method.to_vec(), status, effect));
        Ok(())
    }

    /// Whether requests go out in early dialogs that peers may not expect there.
    pub fn takes_early(&self) -> bool {
        self.tolerance & quirk::REQUESTS_IN_EARLY != 0
    }

    /// What the host said that a failure ends.
    pub fn effect_of(&self, method: &[u8], status: u16) -> Option<Effect> {
        let own = self.effects.iter().find(|(known, code, _)| *known == method && *code == status);
        own.map(|(.., effect)| *effect)
    }

    /// Packages, comma separated; empty: an empty Recv-Info; `None`: no support. Errors: syntax.
    pub fn set_info_packages(&mut self, packages: Option<&[u8]>) -> Result<()> {
        let tokens = packages.map(|packages| tokens(packages, "info packages", <[u8]>::eq_ignore_ascii_case));
        self.info_packages = tokens.transpose()?;
        Ok(())
    }

    /// Bits of [`quirk`]. Errors: argument for unknown bits.
    pub fn set_tolerance(&mut self, quirks: u32) -> Result<()> {
        if quirks & !quirk::ALL != 0 {
            return Err(Error::argument(format!("quirks: unknown bits {:#x}", quirks & !quirk::ALL)));
        }
        self.tolerance = quirks;
        Ok(())
    }
}

/// What goes into a header line must not end it. Blanks at the ends are no part of it.
fn line<'a>(text: &'a [u8], name: &'static str) -> Result<&'a [u8]> {
    if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Error::syntax(format!("{name}: CR, LF or NUL")));
    }
    Ok(text.trim_ascii())
}

/// A comma list of tokens, each once.
fn tokens(text: &[u8], name: &'static str, same: impl Fn(&[u8], &[u8]) -> bool) -> Result<Vec<Vec<u8>>> {
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    for token in list_of(line(text, name)?) {
        if !is_token(token) {
            return Err(Error::syntax(format!("{name}: a comma list of tokens (RFC 3261 25.1)")));
        }
        if !tokens.iter().any(|known| same(known, token)) {
            tokens.push(token.to_vec());
        }
    }
    Ok(tokens)
}

fn milliseconds(number: u32, now: Duration) -> Duration {
    if number == 0 { now } else { Duration::from_millis(number.into()) }
}

#[cfg(test)]
mod tests;
