//! Via (RFC 3261 §20.42, RFC 3581).

use super::grammar::{self, Parameters, TOKEN, host_port, is_token, take, trim_start};
use crate::error::{Error, Result};
use std::net::{IpAddr, SocketAddr};

/// The rport parameter (RFC 3581).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there.
    Absent,
    /// There without a value: the client asks for the port that its request came from.
    Asked,
    /// Filled in.
    Port(u16),
}

/// One Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, ... as written.
    pub transport: &'a [u8],
    /// Host and port as written.
    pub sent_by: &'a [u8],
    /// Host; an IPv6 reference with its brackets.
    pub host: &'a [u8],
    /// Port.
    pub port: Option<u16>,
    /// The transaction's name (RFC 3261 §8.1.1.7).
    pub branch: Option<&'a [u8]>,
    /// Where the request came from (RFC 3261 §18.2.1), as written.
    pub received: Option<&'a [u8]>,
    /// RFC 3581.
    pub rport: Rport,
    /// Where the response is to go (RFC 3261 §18.2.2).
    pub maddr: Option<&'a [u8]>,
    /// For multicast.
    pub ttl: Option<u8>,
    /// All parameters as written, from the first `;`.
    pub parameters: &'a [u8],
}

impl<'a> Via<'a> {
    /// Reads one value. Parameters that have a meaning are checked; one that stands twice is refused.
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        Self::read(value).map_err(Error::syntax)
    }

    #[inline]
    pub(crate) fn read(value: &'a [u8]) -> Result<Self, &'static str> {
        const PROTOCOL: &str = "Via: SIP/2.0/transport (RFC 3261 20.42)";
        const SENT_BY: &str = "Via: sent-by is host or host:port (RFC 3261 20.42)";
        const PARAMETER: &str = "Via: parameter (RFC 3261 20.42)";
        let rest = protocol(value).ok_or(PROTOCOL)?;
        let (transport, rest) = take(rest, TOKEN);
        let start = trim_start(rest);
        if transport.is_empty() || start.len() == rest.len() {
            return Err(PROTOCOL);
        }
        let (host, port, rest) = host_port(start).ok_or(SENT_BY)?;
        let sent_by = start.get(..start.len() - rest.len()).ok_or(SENT_BY)?;
        let parameters = trim_start(rest);
        let mut via = Self {
            transport,
            sent_by,
            host,
            port,
            branch: None,
            received: None,
            rport: Rport::Absent,
            maddr: None,
            ttl: None,
            parameters,
        };
        let mut list = Parameters::new(parameters);
        while let Some(parameter) = list.step() {
            let parameter = parameter.ok_or(PARAMETER)?;
            let slot = match parameter.name.len() {
                6 if parameter.is(b"branch") => &mut via.branch,
                8 if parameter.is(b"received") => &mut via.received,
                5 if parameter.is(b"maddr") => &mut via.maddr,
                5 if parameter.is(b"rport") => {
                    if via.rport != Rport::Absent {
                        return Err("Via: rport twice (RFC 3261 7.3.1)");
                    }
                    via.rport = match parameter.value {
                        None => Rport::Asked,
                        Some(digits) => Rport::Port(grammar::port(digits).ok_or("Via: rport is a port (RFC 3581 3)")?),
                    };
                    continue;
                }
                3 if parameter.is(b"ttl") => {
                    let number = parameter.value.and_then(|digits| grammar::decimal(digits, 255));
                    via.ttl = Some(number.ok_or("Via: ttl is 0 to 255 (RFC 3261 25.1)")? as u8);
                    continue;
                }
                _ => continue,
            };
            if slot.is_some() {
                return Err("Via: a parameter twice (RFC 3261 7.3.1)");
            }
            *slot = Some(parameter.value.ok_or("Via: branch, received and maddr have a value (RFC 3261 20.42)")?);
        }
        if via.branch.is_some_and(|branch| branch.first() == Some(&b'"')) {
            return Err("Via: branch is a token (RFC 3261 25.1)");
        }
        Ok(via)
    }

    /// Transport, host and port of a value that does not read, whatever its version and parameters: where its sender
    /// can be told so (RFC 4475 §3.1.2.1, §3.1.2.16).
    #[cold]
    pub(crate) fn salvage(value: &'a [u8]) -> Option<Self> {
        let end = grammar::find(b';', value).unwrap_or(value.len());
        let mut pieces = value.get(..end)?.splitn(3, |byte| *byte == b'/');
        let (name, _version, rest) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let (transport, rest) = take(trim_start(rest), TOKEN);
        let start = trim_start(rest);
        let (host, port, rest) = host_port(start)?;
        let whole = grammar::trim(name).eq_ignore_ascii_case(b"SIP") && trim_start(rest).is_empty();
        whole.then_some(Self {
            transport,
            sent_by: start.get(..start.len() - rest.len())?,
            host,
            port,
            branch: None,
            received: None,
            rport: Rport::Absent,
            maddr: None,
            ttl: None,
            parameters: b"",
        })
    }

    /// The first value of a field, and what follows it, beginning with the comma.
    #[inline]
    pub(crate) fn split(field: &[u8]) -> (&[u8], &[u8]) {
        if grammar::find(b',', field).is_none() {
            return (field, b"");
        }
        let (first, rest) = field.split_at(grammar::list_value(field, true).min(field.len()));
        (grammar::trim_end(first), rest)
    }

    /// Whether the host is the address `ip` (RFC 3261 §18.2.1: else `received` must be added).
    pub fn is_sent_by(&self, ip: IpAddr) -> bool {
        grammar::host_ip(self.host) == Some(ip.to_canonical())
    }
}

/// What `maddr` of the top Via means for the responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maddr {
    /// Nothing: there is none, or it is the address that the request came from.
    Usual,
    /// They go to another address.
    Followed,
    /// It names another address, or none, and is not followed.
    Ignored,
}

/// Where a response to a request with this top Via goes over a datagram transport (RFC 3261 §18.2.2, RFC 3581 §4), when
/// it came from `source`; `port` is that of sent-by. `follow`: whether another address in `maddr` counts.
pub(super) fn response_address(
    maddr: Option<&[u8]>,
    rport: bool,
    port: u16,
    mut source: SocketAddr,
    follow: impl FnOnce(IpAddr) -> bool,
) -> (SocketAddr, Maddr) {
    let named = maddr.map(|maddr| grammar::host_ip(maddr).map(|ip| ip.to_canonical()));
    let same = Some(source.ip().to_canonical());
    let meaning = match named {
        None => Maddr::Usual,
        Some(ip) if ip == same => Maddr::Usual,
        Some(Some(ip)) if follow(ip) => return (SocketAddr::new(ip, port), Maddr::Followed),
        Some(_) => Maddr::Ignored,
    };
    // RFC 3581 §4: rport counts where no maddr does. The scope of a link-local address must survive, hence not
    // `SocketAddr::new`.
    if !rport || named == Some(same) {
        source.set_port(port);
    }
    (source, meaning)
}

/// What follows `SIP/2.0/`, with blanks around the slashes tolerated as the grammar has them.
#[inline]
fn protocol(value: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = value.strip_prefix(b"SIP/2.0/") {
        if !rest.first().is_some_and(|byte| grammar::is(*byte, grammar::BLANK)) {
            return Some(rest);
        }
    }
    let (name, rest) = take(value, TOKEN);
    let (version, rest) = take(trim_start(trim_start(rest).strip_prefix(b"/")?), TOKEN);
    let rest = trim_start(trim_start(rest).strip_prefix(b"/")?);
    (is_token(name) && name.eq_ignore_ascii_case(b"SIP") && version == b"2.0").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good() {
        let via = Via::parse(
            b"SIP / 2.0 / UDP  first.example.com : 4000 ;ttl=16 ;maddr=224.2.0.1 ;Branch=z9hG4bKa7c6a8dlze.1;x",
        )
        .unwrap();
        assert_eq!((via.transport, via.host, via.port), (&b"UDP"[..], &b"first.example.com"[..], Some(4000)));
        assert_eq!(via.sent_by, b"first.example.com : 4000");
        assert_eq!((via.ttl, via.maddr), (Some(16), Some(&b"224.2.0.1"[..])));
        assert_eq!((via.branch, via.rport), (Some(&b"z9hG4bKa7c6a8dlze.1"[..]), Rport::Absent));
        let via = Via::parse(b"sip/2.0/TLS [2001:db8::9:1]:5061;rport;received=2001:db8::1;branch=z9hG4bK1").unwrap();
        assert_eq!((via.host, via.port, via.rport), (&b"[2001:db8::9:1]"[..], Some(5061), Rport::Asked));
        assert_eq!(via.received, Some(&b"2001:db8::1"[..]));
        let via = Via::parse(b"SIP/2.0/X-new h;rport=99").unwrap();
        assert_eq!((via.transport, via.rport, via.branch), (&b"X-new"[..], Rport::Port(99), None));
    }

    #[test]
    fn bad() {
        for text in [
            "",
            "SIP/2.0",
            "SIP/2.0/",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP ;branch=1",
            "SIP/2.0/UDP h:",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h x",
            "SIP/2.0/UDP h;",
            "SIP/2.0/UDP h;;branch=1",
            "SIP/2.0/UDP h;branch",
            "SIP/2.0/UDP h;branch=",
            "SIP/2.0/UDP h;branch=a;branch=b",
            "SIP/2.0/UDP h;branch=\"a\"",
            "SIP/2.0/UDP h;rport=x",
            "SIP/2.0/UDP h;rport;rport",
            "SIP/2.0/UDP h;ttl=256",
            "SIP/2.0/UDP h;received",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP ::1",
            "SIP/2.0/UDP h,",
        ] {
            assert!(Via::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn where_responses_go() {
        let source: SocketAddr = "192.0.2.9:4444".parse().unwrap();
        for (text, followed, ignored) in [
            ("SIP/2.0/UDP h;branch=1", "192.0.2.9:5060", "192.0.2.9:5060"),
            ("SIP/2.0/UDP h:5080;branch=1", "192.0.2.9:5080", "192.0.2.9:5080"),
            ("SIP/2.0/UDP h:5080;rport", "192.0.2.9:4444", "192.0.2.9:4444"),
            ("SIP/2.0/UDP h:5080;maddr=192.0.2.9", "192.0.2.9:5080", "192.0.2.9:5080"),
            ("SIP/2.0/UDP h:5080;maddr=192.0.2.9;rport", "192.0.2.9:5080", "192.0.2.9:5080"),
            ("SIP/2.0/UDP h;maddr=[::ffff:192.0.2.9];rport", "192.0.2.9:5060", "192.0.2.9:5060"),
            ("SIP/2.0/UDP h:5080;maddr=192.0.2.3", "192.0.2.3:5080", "192.0.2.9:5080"),
            ("SIP/2.0/UDP h;maddr=192.0.2.3;rport", "192.0.2.3:5060", "192.0.2.9:4444"),
            ("SIP/2.0/UDP h;maddr=[2001:db8::3]", "[2001:db8::3]:5060", "192.0.2.9:5060"),
            ("SIP/2.0/UDP h:5080;maddr=a.example", "192.0.2.9:5080", "192.0.2.9:5080"),
        ] {
            let via = Via::parse(text.as_bytes()).unwrap();
            let port = via.port.unwrap_or(5060);
            let to = |follow| response_address(via.maddr, via.rport != Rport::Absent, port, source, |_| follow).0;
            assert_eq!(
                (to(true).to_string(), to(false).to_string()),
                (followed.to_owned(), ignored.to_owned()),
                "{text}"
            );
        }
        // Link-local: the scope of the source is that of the answer.
        let source: SocketAddr = "[fe80::1%7]:4444".parse().unwrap();
        let to = response_address(Some(b"[fe80::1]"), false, 5060, source, |_| false);
        assert_eq!(to, ("[fe80::1%7]:5060".parse().unwrap(), Maddr::Usual));
    }
}
