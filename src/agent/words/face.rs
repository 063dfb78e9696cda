//! What the agent tells of itself in every message, written once.

use crate::agent::words::headers::HostHeaders;
use crate::agent::words::response::Answer;
use crate::config::{Config, Policy, SessionTimer};
use crate::message::{HeaderId, write};

/// Ready header lines.
#[derive(Clone, Debug)]
pub struct Face {
    /// `Allow: ...`.
    pub allow_line: Box<[u8]>,
    /// Tags of Supported, comma separated; without and with `timer`.
    supported: [Box<[u8]>; 2],
    /// `Supported: ...`, empty when there is none: what stands where the host adds nothing.
    pub supported_line: Box<[u8]>,
    /// `User-Agent: ...`, or empty.
    pub user_agent_line: Box<[u8]>,
    /// `Server: ...`, or empty.
    pub server_line: Box<[u8]>,
    /// `Recv-Info: ...`, empty when packages are not supported.
    pub recv_info_line: Box<[u8]>,
    allowed: Vec<Vec<u8>>,
    /// RFC 4028.
    pub session_timer: SessionTimer,
    /// RFC 3262: off where Allow lacks PRACK, since nothing could be acknowledged then.
    pub reliable: Policy,
}

/// The option tag of reliable provisional responses, which their setting implies.
const RELIABLE: &[u8] = b"100rel";
/// That of session timers.
pub const TIMER: &[u8] = b"timer";

impl Face {
    /// Of a configuration.
    pub fn new(config: &Config) -> Self {
        let allowed = config.allow.clone();
        let prack = allowed.iter().any(|name| name == b"PRACK");
        let reliable = if prack { config.reliable } else { Policy::Off };
        let implied = (reliable != Policy::Off).then(|| RELIABLE.to_vec());
        let own = config.supported.iter().filter(|tag| !tag.eq_ignore_ascii_case(RELIABLE)).cloned();
        let mut supported: Vec<Vec<u8>> = implied.into_iter().chain(own).collect();
        // RFC 3891; RFC 4488: a REFER without a subscription is understood; RFC 6228.
        let implied = [("INVITE", "replaces"), ("REFER", "norefersub"), ("INVITE", "199")];
        for (_, tag) in implied.iter().filter(|(method, _)| allowed.iter().any(|name| name == method.as_bytes())) {
            if !supported.iter().any(|known| known.eq_ignore_ascii_case(tag.as_bytes())) {
                supported.push(tag.as_bytes().to_vec());
            }
        }
        let from_change = &b"from-change"[..];
        if config.connected_identity && !supported.iter().any(|known| known.eq_ignore_ascii_case(from_change)) {
            supported.push(from_change.to_vec());
        }
        let line = |name: &str, value: &[u8]| [name.as_bytes(), b": ", value, b"\r\n"].concat().into_boxed_slice();
        let agent_line =
            |name| if config.user_agent.is_empty() { Box::default() } else { line(name, &config.user_agent) };
        let mut with_timer = supported.clone();
        if !supported.iter().any(|known| known.eq_ignore_ascii_case(TIMER)) {
            with_timer.push(TIMER.to_vec());
        }
        let supported = [supported, with_timer].map(|tags| tags.join(&b", "[..]).into_boxed_slice());
        let [without, with] = &supported;
        let mut supported_line = Vec::new();
        let ours = if config.session_timer.is_on() { with } else { without };
        HostHeaders::default().write(&mut supported_line, ours);
        Self {
            allow_line: line("Allow", &allowed.join(&b", "[..])),
            supported,
            supported_line: supported_line.into_boxed_slice(),
            user_agent_line: agent_line("User-Agent"),
            server_line: agent_line("Server"),
            recv_info_line: config
                .info_packages
                .as_ref()
                .map_or_else(Box::default, |packages| line("Recv-Info", &packages.join(&b", "[..]))),
            session_timer: config.session_timer,
            reliable,
            allowed,
        }
    }

    /// Tags of Supported, comma separated; with `timer` where session timers are spoken of.
    pub fn supported(&self, timer: bool) -> &[u8] {
        let [without, with] = &self.supported;
        if timer { with } else { without }
    }

    /// At most so many bytes of them stand in one message.
    pub fn bytes(&self) -> usize {
        let lines =
            [&self.allow_line, &self.supported_line, &self.user_agent_line, &self.server_line, &self.recv_info_line];
        lines.iter().map(|line| line.len()).sum()
    }

    /// Whether the method stands in Allow. Methods are case-sensitive (RFC 3261 §7.1).
    pub fn allows(&self, method: &[u8]) -> bool {
        self.allowed.iter().any(|name| name == method)
    }

    /// Whether an option tag stands in Supported.
    pub fn supports(&self, tag: &[u8]) -> bool {
        let ours = self.supported(self.session_timer.is_on());
        crate::agent::words::headers::tags(ours).any(|known| known.eq_ignore_ascii_case(tag))
    }

    /// A 469 always tells what would be taken; nothing at all is an empty Recv-Info (RFC 6086 §5.2.2).
    pub fn recv_info_of_469(&self) -> Vec<u8> {
        let line = if self.recv_info_line.is_empty() { &b"Recv-Info: \r\n"[..] } else { &self.recv_info_line };
        line.to_vec()
    }

    /// 489, with the packages that are known (RFC 6665 §8.3.2).
    pub fn bad_event(&self, lines: &mut Vec<u8>) -> Answer<'static> {
        if self.allows(b"REFER") {
            write::header(lines, HeaderId::AllowEvents, &[b"refer"]);
        }
        Answer::plain(489)
    }
}
