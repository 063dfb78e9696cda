//! Our sockets as the core knows them: what stands in Via and Contact, and which one reaches a target.

use crate::agent::Bytes;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Hop, Reach, Transport};
use crate::message::{NameAddr, Uri, write};
use crate::time::Time;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A socket that the host told of.
#[derive(Clone, Debug)]
pub struct LocalTransport {
    /// Transport, local address and link; no remote.
    pub flow: Flow,
    /// `host[:port]` of Via.
    pub sent_by: Box<[u8]>,
    /// The host's, so that it stands whatever peers see.
    is_given: bool,
    /// Where peers see us; `None`: at our own address, or nobody has said. And whether a registrar has.
    seen: Option<SocketAddr>,
    by_registrar: bool,
    /// The whole Contact line with its line end, by `ContactKind`.
    sip_contact: Box<[u8]>,
    tls_contact: Box<[u8]>,
    sips_contact: Box<[u8]>,
}

/// Which URI our Contact has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    Sip,
    /// A SIP URI with `transport=tls`.
    Tls,
    Sips,
}

impl ContactKind {
    /// `says_tls`: the peer writes `transport=tls` itself. RFC 5630 §3.1.4 wants it of nobody, but who writes it takes
    /// `transport=tcp` for TCP in the clear, and would find nobody there.
    pub fn of(transport: Transport, sips: bool, says_tls: impl FnOnce() -> bool) -> Self {
        match transport {
            _ if sips => Self::Sips,
            Transport::Tls if says_tls() => Self::Tls,
            _ => Self::Sip,
        }
    }
}

impl LocalTransport {
    /// Whether both have an address of the same family, or one has none.
    fn is_beside(&self, other: &Self) -> bool {
        match (self.flow.local, other.flow.local) {
            (Some(one), Some(other)) => one.is_ipv4() == other.is_ipv4(),
            _ => true,
        }
    }
}

impl LocalTransport {
    /// A way as a message goes out through this socket. A connection keeps the host's number.
    pub fn hop(&self, hop: Hop) -> Hop {
        let Hop { flow, host } = hop;
        let link = if flow.link != 0 || flow.transport != Transport::Udp { flow.link } else { self.flow.link };
        Hop { flow: Flow { link, local: flow.local.or(self.flow.local), ..flow }, host }
    }

    /// Our Via of a request that goes out through this socket.
    pub fn write_via(&self, out: &mut Vec<u8>, branch: &[u8]) {
        let kind = self.flow.transport;
        write::via(out, kind.via_name().as_bytes(), &self.sent_by, branch, kind == Transport::Udp);
    }

    /// A request of ours with another Via, which is the first line after its start line.
    pub fn with_via(&self, request: &[u8], branch: &[u8]) -> Bytes {
        let mut lines = memchr::memmem::find_iter(request, b"\r\n").map(|at| at + 2);
        let (start, rest) = (lines.next().unwrap_or(0), lines.next().unwrap_or(0));
        let mut out = Vec::with_capacity(request.len() + 64);
        out.extend_from_slice(request.get(..start).unwrap_or_default());
        self.write_via(&mut out, branch);
        out.extend_from_slice(request.get(rest..).unwrap_or_default());
        Bytes::from(out)
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Transports {
    list: Vec<LocalTransport>,
    /// Who took no TCP connection for a long request, and until when it is not asked again.
    no_tcp: VecDeque<(SocketAddr, Time)>,
}

/// So many are known, and for so long: a connection that nobody answers costs seconds.
const REFUSALS: usize = 64;
const REFUSED: Duration = Duration::from_secs(600);

impl Transports {
    /// Adds one (`sent_by`: instead of the local address, for NAT and RFC 7118).
    pub fn add(&mut self, config: &Config, flow: &Flow, sent_by: Option<&[u8]>) -> Result<()> {
        let same = |known: &LocalTransport| known.flow.transport == flow.transport && known.flow.local == flow.local;
        if self.list.iter().any(same) {
            return Err(Error::state("this transport and local address is there already"));
        }
        let is_given = sent_by.is_some();
        let sent_by: Box<[u8]> = match (sent_by, flow.local) {
            (Some(text), _) => checked_sent_by(text)?.into(),
            (None, Some(local)) => local_text(local).into_bytes().into_boxed_slice(),
            (None, None) => {
                return Err(Error::argument("flow: a local address or sent_by is needed for Via and Contact"));
            }
        };
        let [sip_contact, tls_contact, sips_contact] = contact_lines(config, flow.transport, &sent_by);
        let flow = Flow { remote: None, ..*flow };
        let (seen, by_registrar) = (None, false);
        let added =
            LocalTransport { flow, sent_by, is_given, seen, by_registrar, sip_contact, tls_contact, sips_contact };
        self.list.push(added);
        Ok(())
    }

    /// A response that came by `flow` says that our request was seen to come from there (RFC 3261 §18.2.1, RFC 3581 §4):
    /// Contact over that socket says so. `registrar`: its word counts more than that of any peer who is asked something.
    pub fn seen_at(&mut self, config: &Config, flow: &Flow, at: SocketAddr, registrar: bool) {
        let Ok(found) = self.of_flow(flow).map(|local| local.flow) else { return };
        let is_it = |local: &&mut LocalTransport| local.flow == found && !local.is_given;
        let Some(local) = self.list.iter_mut().find(is_it) else { return };
        if local.by_registrar && !registrar {
            return;
        }
        local.by_registrar |= registrar;
        let seen = Some(at).filter(|at| Some(*at) != local.flow.local);
        if local.seen == seen {
            return;
        }
        local.seen = seen;
        let text = seen.map(|seen| local_text(seen).into_bytes());
        [local.sip_contact, local.tls_contact, local.sips_contact] =
            contact_lines(config, local.flow.transport, text.as_deref().unwrap_or(&local.sent_by));
    }

    /// Where peers see the socket that a message went by.
    pub fn seen(&self, flow: &Flow) -> Result<Option<SocketAddr>> {
        Ok(self.of_flow(flow)?.seen)
    }

    /// Forgets those of a link.
    pub fn remove(&mut self, link: u64) -> bool {
        let before = self.list.len();
        self.list.retain(|known| known.flow.link != link);
        before != self.list.len()
    }

    /// Whether this is the way of a socket that was known, and is not any more. Of a connection only the host knows.
    pub fn is_gone(&self, flow: &Flow) -> bool {
        let is_it = |known: &LocalTransport| known.flow.transport == flow.transport && known.flow.link == flow.link;
        flow.transport == Transport::Udp && flow.link != 0 && !self.list.iter().any(is_it)
    }

    /// The most that a transport's sent-by in Via and its Contact line take.
    pub fn longest_lines(&self) -> usize {
        let lines =
            |known: &LocalTransport| known.sent_by.len() + known.sip_contact.len().max(known.sips_contact.len());
        self.list.iter().map(lines).max().unwrap_or(0)
    }

    /// The Contact line of a message that goes by `local`. SIPS is reached where TLS is, whatever way the message goes.
    pub fn contact_line<'a>(&'a self, local: &'a LocalTransport, kind: ContactKind) -> &'a [u8] {
        match kind {
            ContactKind::Sip => return &local.sip_contact,
            ContactKind::Tls => return &local.tls_contact,
            ContactKind::Sips => {}
        }
        let secure = || self.list.iter().find(|known| known.flow.transport.is_secure() && known.is_beside(local));
        let local = if local.flow.transport.is_secure() { local } else { secure().unwrap_or(local) };
        &local.sips_contact
    }

    /// The Contact line of what answers a message that came by `flow`. Its socket may be gone while a connection of it
    /// lives on: then the address to which it came (RFC 3261 §12.1.1: what makes or moves a dialog has a Contact).
    pub fn write_contact(&self, out: &mut Vec<u8>, config: &Config, flow: &Flow, kind: ContactKind) {
        match (self.of_flow(flow), flow.local) {
            (Ok(local), _) => out.extend_from_slice(self.contact_line(local, kind)),
            (Err(_), Some(local)) => {
                let sent_by = local_text(local).into_bytes();
                out.extend_from_slice(&contact_line(config, flow.transport, &sent_by, kind));
            }
            (Err(_), None) => {}
        }
    }

    /// Whether a long request need not try TCP there.
    pub fn refuses_tcp(&self, remote: SocketAddr, now: Time) -> bool {
        self.no_tcp.iter().any(|(known, until)| *known == remote && *until > now)
    }

    /// A TCP connection was not to be had there.
    pub fn note_refusal(&mut self, remote: SocketAddr, now: Time) {
        self.no_tcp.retain(|(known, until)| *known != remote && *until > now);
        if self.no_tcp.len() >= REFUSALS {
            self.no_tcp.pop_front();
        }
        self.no_tcp.push_back((remote, now.plus(REFUSED)));
    }

    /// Whether one has this address.
    pub fn is_local(&self, ip: IpAddr) -> bool {
        self.list.iter().any(|known| known.flow.local.is_some_and(|local| local.ip() == ip))
    }

    /// Whether there is one of this kind.
    pub fn has(&self, transport: Transport) -> bool {
        self.list.iter().any(|known| known.flow.transport == transport)
    }

    /// The transport that the parameter of a SIP URI means. `tcp` and `ws` are said of TLS and WSS too (RFC 5630
    /// §3.1.4, RFC 7118 §5): they mean these where the dialog's messages `came` so, and `ws` where there is no other.
    pub fn meant(&self, parameter: Transport, came: Option<Transport>) -> Transport {
        let (encrypted, alone) = match parameter {
            Transport::Tcp => (Transport::Tls, false),
            Transport::Ws => (Transport::Wss, !self.has(Transport::Ws)),
            other => return other,
        };
        if (came == Some(encrypted) || alone) && self.has(encrypted) { encrypted } else { parameter }
    }

    /// RFC 3263 §4.1 without NAPTR: TLS for sips, else UDP; where that was not added, what was.
    pub fn usual(&self, secure: bool) -> Transport {
        let none = if secure { Transport::Tls } else { Transport::Udp };
        Transport::by_preference(secure).iter().copied().find(|kind| self.has(*kind)).unwrap_or(none)
    }

    /// Where all of them lead.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        for known in &self.list {
            reach.add(known.flow.transport, known.flow.local);
        }
        reach
    }

    /// The one that a message came through, or must go through.
    pub fn of_flow(&self, flow: &Flow) -> Result<&LocalTransport> {
        let same_kind = || self.list.iter().filter(|known| known.flow.transport == flow.transport);
        let family = |known: &&LocalTransport| match (known.flow.local, flow.remote) {
            (Some(local), Some(remote)) => local.is_ipv4() == remote.is_ipv4(),
            _ => true,
        };
        same_kind()
            .find(|known| flow.link != 0 && known.flow.link == flow.link)
            .or_else(|| same_kind().find(|known| flow.local.is_some() && known.flow.local == flow.local))
            .or_else(|| same_kind().find(family))
            .ok_or_else(|| Error::new(ErrorKind::NoTransport, NO_TRANSPORT))
    }
}

const NO_TRANSPORT: &str = "no socket of this agent reaches the target (transport, address family): \
    sipdlg_agent_listen() or sipdlg_agent_add_transport() comes first";

fn local_text(local: SocketAddr) -> String {
    // RFC 3261 §25.1: an IPv6 reference has no zone, and no port is 0: who only connects has none to be reached at.
    let host = match local {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    if local.port() == 0 { host } else { format!("{host}:{}", local.port()) }
}

fn checked_sent_by(text: &[u8]) -> Result<&[u8]> {
    let uri = [b"sip:", text].concat();
    match Uri::parse(&uri) {
        Ok(uri) if uri.user.is_none() && uri.parameters.is_empty() && uri.headers.is_empty() => Ok(text),
        _ => Err(Error::syntax("sent_by: host or host:port (RFC 3261 18.1.1)")),
    }
}

fn contact_lines(config: &Config, transport: Transport, sent_by: &[u8]) -> [Box<[u8]>; 3] {
    [ContactKind::Sip, ContactKind::Tls, ContactKind::Sips]
        .map(|kind| contact_line(config, transport, sent_by, kind).into_boxed_slice())
}

/// Contact as configured, or the AOR's user at this transport (RFC 3261 §8.1.1.8).
fn contact_line(config: &Config, transport: Transport, sent_by: &[u8], kind: ContactKind) -> Vec<u8> {
    let mut line = b"Contact: ".to_vec();
    match &config.contact {
        Some(contact) if contact.contains(&b'<') => line.extend_from_slice(contact),
        Some(uri) => line.extend_from_slice(&[b"<", &uri[..], b">"].concat()),
        None => {
            let user = NameAddr::of_host(&config.aor).ok().and_then(|(_, uri)| uri.user).unwrap_or_default();
            line.extend_from_slice(if kind == ContactKind::Sips { b"<sips:" } else { b"<sip:" });
            line.extend_from_slice(user);
            if !user.is_empty() {
                line.push(b'@');
            }
            line.extend_from_slice(sent_by);
            // RFC 5630 §3.1.4: else never tls or wss. A SIPS URI means TLS by itself (RFC 3261 §19.1.2).
            let parameter: &[u8] = match transport {
                Transport::Udp => b"",
                Transport::Tls if kind == ContactKind::Tls => b";transport=tls",
                Transport::Tls if kind == ContactKind::Sips => b"",
                Transport::Tcp | Transport::Tls => b";transport=tcp",
                Transport::Ws | Transport::Wss => b";transport=ws",
            };
            line.extend_from_slice(parameter);
            if config.outbound {
                line.extend_from_slice(b";ob");
            }
            line.push(b'>');
        }
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that only connects has no port to be reached at, and none is written (RFC 3261 §25.1).
    #[test]
    fn sent_by() {
        for (local, text) in [
            ("192.0.2.1:5060", "192.0.2.1:5060"),
            ("192.0.2.1:0", "192.0.2.1"),
            ("[2001:db8::1]:5061", "[2001:db8::1]:5061"),
            ("[fe80::1%3]:0", "[fe80::1]"),
        ] {
            assert_eq!(local_text(local.parse().unwrap()), text, "{local}");
        }
    }
}
