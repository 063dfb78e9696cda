//! Questions and answers as bytes (RFC 1035, RFC 2308, RFC 2782, RFC 3403, RFC 6891), by `simple-dns`.

use super::record::{Answer, Found, Key, Kind, Pointer, Service};
use simple_dns::rdata::{OPT, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What we take by UDP: more is not sure to get through in one piece (RFC 9715).
pub const DATAGRAM: u16 = 1_232;
/// The shortest record behind the header has a root name and no data.
const HEADER: usize = 12;
const RECORD: usize = 11;
/// Aliases of one answer that are followed.
const ALIASES: usize = 8;
/// Records of one kind that are looked at: nobody gets to the end of so many targets.
const RECORDS: usize = 64;
/// The longest that anything is believed, and that there is nothing (RFC 2308 §5).
const LONGEST: Duration = Duration::from_secs(86_400);
const LONGEST_NOTHING: Duration = Duration::from_secs(3_600);

/// What a message means to the look-up that waits.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No answer to what was asked: a stranger's, an old one's, or no message at all. The right one may still come.
    Foreign,
    /// It does not fit: by TCP it will.
    Truncated,
    /// The server knows no EDNS (RFC 6891 §7).
    Plain,
    /// The server cannot say.
    Failed,
    Found(Found),
}

fn kind_of(kind: Kind) -> TYPE {
    match kind {
        Kind::A => TYPE::A,
        Kind::Aaaa => TYPE::AAAA,
        Kind::Srv => TYPE::SRV,
        Kind::Naptr => TYPE::NAPTR,
    }
}

/// A name as it is compared. `None`: it cannot be asked for.
pub fn canonical(name: &str) -> Option<Arc<str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let sound = name.split('.').all(|label| (1..=63).contains(&label.len())) && name.len() <= 253;
    (sound && name.bytes().all(|byte| byte.is_ascii_graphic())).then(|| name.to_ascii_lowercase().into())
}

/// The name of a record, "" for the root.
fn text(name: &Name<'_>) -> Arc<str> {
    name.to_string().to_ascii_lowercase().into()
}

/// A question. `None`: its name is none.
pub fn query(id: u16, key: &Key, edns: bool) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let kind = QTYPE::TYPE(kind_of(key.kind));
    packet.questions.push(Question::new(Name::new(&key.name).ok()?, kind, QCLASS::CLASS(CLASS::IN), false));
    if edns {
        *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: DATAGRAM, version: 0 });
    }
    packet.build_bytes_vec().ok()
}

/// The id of a message, to find who waits for it.
pub fn id(message: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*message.first()?, *message.get(1)?]))
}

/// What `message` says to the question that was asked with this id.
pub fn read(message: &[u8], id: u16, key: &Key, edns: bool) -> Verdict {
    // Some cut in the middle of a record. Who lies here makes us ask by TCP.
    if self::id(message) == Some(id) && message.get(2).is_some_and(|flags| flags & 0x82 == 0x82) {
        return Verdict::Truncated;
    }
    // The parser makes room for as many records as the header counts.
    let counts = message.get(4..HEADER).unwrap_or_default();
    let counted: usize =
        counts.chunks_exact(2).skip(1).map(|count| usize::from(count[0]) << 8 | usize::from(count[1])).sum();
    if counts.is_empty() || counted * RECORD > message.len() - HEADER {
        return if is_bare_refusal(message, id) { refusal(message, edns) } else { Verdict::Foreign };
    }
    let Ok(packet) = Packet::parse(message) else { return Verdict::Foreign };
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return Verdict::Foreign;
    }
    let asked = |question: &Question<'_>| {
        question.qtype == QTYPE::TYPE(kind_of(key.kind))
            && question.qclass == QCLASS::CLASS(CLASS::IN)
            && *text(&question.qname) == *key.name
    };
    match packet.questions.as_slice() {
        [question] if asked(question) => {}
        // Who refuses what it has not read repeats no question.
        [] if is_bare_refusal(message, id) => return refusal(message, edns),
        _ => return Verdict::Foreign,
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        RCODE::FormatError | RCODE::NotImplemented | RCODE::BADVERS if edns => return Verdict::Plain,
        _ => return Verdict::Failed,
    }
    found(&packet, key)
}

/// A header alone that says FORMERR, SERVFAIL, NOTIMP or REFUSED.
fn is_bare_refusal(message: &[u8], asked: u16) -> bool {
    let flags = |at: usize| message.get(at).copied().unwrap_or(0);
    message.len() == HEADER && id(message) == Some(asked) && flags(2) & 0x80 != 0 && flags(3) & 0x0f != 0
}

fn refusal(message: &[u8], edns: bool) -> Verdict {
    let code = message.get(3).map_or(0, |flags| flags & 0x0f);
    if edns && matches!(code, 1 | 4) { Verdict::Plain } else { Verdict::Failed }
}

fn found(packet: &Packet<'_>, key: &Key) -> Verdict {
    let mut name = Arc::clone(&key.name);
    let mut ttl = u32::MAX;
    for _ in 0..=ALIASES {
        let here = || packet.answers.iter().filter(|record| is_at(record, &name));
        let answer = gathered(here(), key.kind);
        if let Some(answer) = answer {
            let least = here().map(|record| record.ttl).chain([ttl]).min().unwrap_or(0);
            return Verdict::Found(Found { answer: Arc::new(answer), ttl: lasting(least, LONGEST) });
        }
        let alias = here().find_map(|record| match &record.rdata {
            RData::CNAME(alias) => Some((text(&alias.0), record.ttl)),
            _ => None,
        });
        let Some((to, of_alias)) = alias else {
            if name == key.name || packet.rcode() == RCODE::NameError || authority(packet).is_some() {
                return nothing(packet, ttl, name == key.name);
            }
            // What the other name has was left out.
            return Verdict::Found(Found { answer: Arc::new(Answer::Alias(name)), ttl: lasting(ttl, LONGEST) });
        };
        ttl = ttl.min(of_alias);
        name = to;
    }
    // In a circle, or as good as one.
    Verdict::Found(Found { answer: Arc::new(Answer::Nothing), ttl: lasting(ttl, LONGEST_NOTHING) })
}

/// RFC 2308: there is no such name or no such record, for as long as the SOA says.
fn nothing(packet: &Packet<'_>, ttl: u32, direct: bool) -> Verdict {
    let authority = authority(packet);
    // §2.2: a referral, or the answer of a server that is none for this name.
    let lame = packet.rcode() == RCODE::NoError
        && authority.is_none()
        && direct
        && !packet.has_flags(PacketFlag::RECURSION_AVAILABLE)
        && !packet.has_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    if lame {
        return Verdict::Failed;
    }
    let ttl = authority.and_then(|seconds| lasting(seconds.min(ttl), LONGEST_NOTHING));
    Verdict::Found(Found { answer: Arc::new(Answer::Nothing), ttl })
}

fn authority(packet: &Packet<'_>) -> Option<u32> {
    packet.name_servers.iter().find_map(|record| match &record.rdata {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}

/// RFC 2181 §8: what has the highest bit set counts as 0.
fn lasting(seconds: u32, longest: Duration) -> Option<Duration> {
    let seconds = if seconds > i32::MAX as u32 { 0 } else { seconds };
    (seconds > 0).then(|| Duration::from_secs(seconds.into()).min(longest))
}

fn is_at(record: &ResourceRecord<'_>, name: &str) -> bool {
    record.class == CLASS::IN && *text(&record.name) == *name
}

/// The records of this kind; `None`: there is none.
fn gathered<'a>(records: impl Iterator<Item = &'a ResourceRecord<'a>>, kind: Kind) -> Option<Answer> {
    let data = records.map(|record| &record.rdata);
    let some = |answer, empty: bool| (!empty).then_some(answer);
    match kind {
        Kind::A | Kind::Aaaa => {
            let addresses: Vec<IpAddr> = data
                .filter_map(|data| match (data, kind) {
                    (RData::A(address), Kind::A) => Some(IpAddr::V4(address.address.into())),
                    (RData::AAAA(address), Kind::Aaaa) => Some(IpAddr::V6(address.address.into())),
                    _ => None,
                })
                .take(RECORDS)
                .collect();
            let empty = addresses.is_empty();
            some(Answer::Addresses(addresses), empty)
        }
        Kind::Srv => {
            let services: Vec<Service> = data
                .filter_map(|data| match data {
                    RData::SRV(srv) => Some(Service {
                        priority: srv.priority,
                        weight: srv.weight,
                        port: srv.port,
                        target: text(&srv.target),
                    }),
                    _ => None,
                })
                .take(RECORDS)
                .collect();
            let empty = services.is_empty();
            some(Answer::Services(services), empty)
        }
        Kind::Naptr => {
            let mut any = false;
            let pointers: Vec<Pointer> = data
                .filter_map(|data| match data {
                    RData::NAPTR(naptr) => {
                        any = true;
                        naptr.regexp.to_string().is_empty().then(|| Pointer {
                            order: naptr.order,
                            preference: naptr.preference,
                            flags: naptr.flags.to_string().into(),
                            service: naptr.services.to_string().into(),
                            replacement: text(&naptr.replacement),
                        })
                    }
                    _ => None,
                })
                .take(RECORDS)
                .collect();
            some(Answer::Pointers(pointers), !any)
        }
    }
}

#[cfg(test)]
mod tests;
