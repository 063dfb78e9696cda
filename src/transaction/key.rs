//! How messages find their transaction (RFC 3261 §17.1.3, §17.2.3), without stored text.
//!
//! A key is 128 bits of SipHash-1-3 over the identifying fields, under a secret of the agent. Two different
//! transactions of an agent with a billion of them meet in one key with a chance below 2^-68, and a peer that does not
//! know the secret can do nothing about it, so the tables hold keys only and never compare text.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::num::NonZeroU64;

use crate::hash::FieldHasher;
pub use crate::message::keys::{Key, RequestKeys};
use crate::random::Random;

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

/// A key is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, low: u64) {
        self.0 = low;
    }
}

/// A table by keys. Its order means nothing: it is never walked.
pub type ByKey<V> = std::collections::HashMap<Key, V, BuildHasherDefault<Identity>>;

/// What identifies a request that was received.
#[derive(Clone, Copy, Debug)]
pub struct RequestFields<'a> {
    /// As on the request line.
    pub method: &'a [u8],
    /// As on the request line.
    pub request_uri: &'a [u8],
    /// Of the top Via.
    pub branch: Option<&'a [u8]>,
    /// Of the top Via.
    pub host: &'a [u8],
    /// Of the top Via.
    pub port: Option<u16>,
    /// The port that the transport of the top Via means when it names none.
    pub default_port: u16,
    /// The top Via as it stands; read only when the branch is not unique.
    pub via: &'a [u8],
    /// Tag of From.
    pub from_tag: Option<&'a [u8]>,
    /// Tag of To.
    pub to_tag: Option<&'a [u8]>,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
}

impl RequestFields<'_> {
    fn unique_branch(&self) -> Option<&[u8]> {
        self.branch.filter(|branch| is_unique(branch))
    }

    /// The method of the transaction that the request belongs to: ACK belongs to its INVITE.
    pub fn transaction_method(&self) -> &[u8] {
        if self.method == b"ACK" { b"INVITE" } else { self.method }
    }
}

/// Whether a branch has the magic cookie of RFC 3261 §8.1.1.7, and more.
pub fn is_unique(branch: &[u8]) -> bool {
    const COOKIE: &[u8] = b"z9hG4bK";
    let same = |start: &[u8]| start == COOKIE || start.eq_ignore_ascii_case(COOKIE);
    branch.len() > COOKIE.len() && branch.get(..COOKIE.len()).is_some_and(same)
}

/// Makes keys under one secret.
#[derive(Clone)]
pub struct Keys {
    secret: (u64, u64),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys")
    }
}

/// The tables that the kinds of keys belong to; none of one kind equals one of another.
#[derive(Clone, Copy)]
enum Domain {
    Client,
    Server,
    OldServerBase,
    OldServer,
    Merged,
}

impl Keys {
    /// Keys under a secret drawn from `random`.
    pub fn new(random: &mut Random) -> Self {
        Self { secret: random.hash_keys() }
    }

    /// §17.1.3: branch and method of CSeq.
    pub fn client(&self, branch: &[u8], method: &[u8]) -> Key {
        key_of(self.start(Domain::Client).token(branch).field(method))
    }

    /// §17.2.3: branch, sent-by and method; `method` because an ACK or CANCEL looks for its INVITE. Without the magic
    /// cookie: the rules for RFC 2543.
    pub fn server(&self, request: &RequestFields<'_>, method: &[u8]) -> Key {
        match request.unique_branch() {
            Some(branch) => {
                let port = request.port.unwrap_or(request.default_port);
                let mut hasher = self.start(Domain::Server);
                hasher.token(branch).token(request.host).number(u32::from(port)).field(method);
                key_of(&hasher)
            }
            None => self.old_server(self.old_base(request), method, request.to_tag),
        }
    }

    /// Of a request without the magic cookie: what all requests of its transaction share, whatever their To tag
    /// (Request-URI, From tag, Call-ID, CSeq number, top Via).
    pub fn old_server_base(&self, request: &RequestFields<'_>) -> Option<Key> {
        request.unique_branch().is_none().then(|| self.old_base(request))
    }

    /// The base with a To tag: that of the request itself, or for the ACK that of our final response.
    pub fn old_server(&self, base: Key, method: &[u8], to_tag: Option<&[u8]>) -> Key {
        let mut hasher = self.start(Domain::OldServer);
        hasher.bytes(&base.high.get().to_le_bytes()).bytes(&base.low.to_le_bytes()).field(method);
        if let Some(tag) = to_tag {
            hasher.token(tag);
        }
        key_of(&hasher)
    }

    /// §8.2.2.2: From tag, Call-ID and CSeq of a request without a To tag; none for ACK and CANCEL, which are never
    /// merged.
    pub fn merged(&self, request: &RequestFields<'_>) -> Option<Key> {
        if request.to_tag.is_some() || matches!(request.method, b"ACK" | b"CANCEL") {
            return None;
        }
        let mut hasher = self.start(Domain::Merged);
        hasher.token(request.from_tag.unwrap_or_default()).field(request.call_id);
        Some(key_of(hasher.number(request.cseq).field(request.method)))
    }

    /// What finds the transaction of a request, and its like on another path.
    pub fn of_request(&self, request: &RequestFields<'_>) -> RequestKeys {
        RequestKeys { server: self.server(request, request.transaction_method()), merged: self.merged(request) }
    }

    fn old_base(&self, request: &RequestFields<'_>) -> Key {
        let mut hasher = self.start(Domain::OldServerBase);
        hasher.field(request.request_uri).token(request.from_tag.unwrap_or_default()).field(request.call_id);
        hasher.number(request.cseq);
        // All of a Via is tokens and host names, but what stands in quotes.
        let quotes = memchr::memchr(b'"', request.via).is_some();
        key_of(if quotes { hasher.field(request.via) } else { hasher.token(request.via) })
    }

    #[inline]
    fn start(&self, domain: Domain) -> FieldHasher {
        let mut hasher = FieldHasher::new(self.secret);
        hasher.bytes(&[domain as u8]);
        hasher
    }
}

fn key_of(hasher: &FieldHasher) -> Key {
    let hash = hasher.finish();
    Key { high: NonZeroU64::new(hash.h1).unwrap_or(NonZeroU64::MIN), low: hash.h2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(&mut Random::from_seed([1; 32]))
    }

    const INVITE: RequestFields<'static> = RequestFields {
        method: b"INVITE",
        request_uri: b"sip:bob@example.com",
        branch: Some(b"z9hG4bKnashds8"),
        host: b"pc33.example.com",
        port: None,
        default_port: 5060,
        via: b"SIP/2.0/UDP pc33.example.com;branch=z9hG4bKnashds8",
        from_tag: Some(b"1928"),
        to_tag: None,
        call_id: b"a84b4c76e66710",
        cseq: 314,
    };
    const OLD: RequestFields<'static> = RequestFields { branch: None, via: b"SIP/2.0/UDP pc33.example.com", ..INVITE };

    #[test]
    fn a_client_key_is_branch_and_method() {
        let keys = keys();
        assert_eq!(keys.client(b"z9hG4bKa", b"INVITE"), keys.client(b"z9hG4bKa", b"INVITE"));
        assert_ne!(keys.client(b"z9hG4bKa", b"INVITE"), keys.client(b"z9hG4bKa", b"CANCEL"));
        assert_eq!(keys.client(b"z9hG4bKa", b"INVITE"), keys.client(b"Z9Hg4bKA", b"INVITE"), "a token");
        assert_ne!(keys.client(b"z9hG4bKa", b"INVITE"), keys.client(b"z9hG4bKa", b"invite"), "a method");
        assert_ne!(keys.client(b"z9hG4bKaI", b"NVITE"), keys.client(b"z9hG4bKa", b"INVITE"));
        let other = Keys::new(&mut Random::from_seed([2; 32]));
        assert_ne!(keys.client(b"z9hG4bKa", b"INVITE"), other.client(b"z9hG4bKa", b"INVITE"));
    }

    /// Each row: a change of the request, and whether the key stays the same.
    #[test]
    fn a_server_key_is_branch_sent_by_and_method() {
        let keys = keys();
        let key = |request: RequestFields<'_>| keys.server(&request, request.transaction_method());
        for (changed, same) in [
            (RequestFields { method: b"ACK", ..INVITE }, true),
            (RequestFields { host: b"PC33.Example.com", ..INVITE }, true),
            (RequestFields { branch: Some(b"Z9hG4bKNASHDS8"), ..INVITE }, true),
            (RequestFields { method: b"invite", ..INVITE }, false),
            (RequestFields { port: Some(5060), ..INVITE }, true),
            (RequestFields { to_tag: Some(b"x"), cseq: 1, call_id: b"y", request_uri: b"sip:c@d", ..INVITE }, true),
            (RequestFields { method: b"BYE", ..INVITE }, false),
            (RequestFields { host: b"pc34.example.com", ..INVITE }, false),
            (RequestFields { port: Some(5061), ..INVITE }, false),
            (RequestFields { default_port: 5061, ..INVITE }, false),
            (RequestFields { branch: Some(b"z9hG4bKnashds9"), ..INVITE }, false),
        ] {
            assert_eq!(key(INVITE) == key(changed), same, "{changed:?}");
        }
        let cancel = RequestFields { method: b"CANCEL", ..INVITE };
        assert_eq!(keys.server(&cancel, b"INVITE"), key(INVITE));
        assert_ne!(key(cancel), key(INVITE));
    }

    #[test]
    fn without_the_cookie_the_old_rules_count() {
        let keys = keys();
        let key = |request: RequestFields<'_>| keys.server(&request, request.transaction_method());
        for (changed, same) in [
            (RequestFields { branch: Some(b"1"), ..OLD }, true),
            (RequestFields { branch: Some(b"z9hG4bK"), ..OLD }, true),
            (RequestFields { host: b"other", ..OLD }, true),
            (RequestFields { via: b"SIP/2.0/udp PC33.example.com", ..OLD }, true),
            (RequestFields { method: b"BYE", ..OLD }, false),
            (RequestFields { request_uri: b"sip:Bob@example.com", ..OLD }, false),
            (RequestFields { call_id: b"A84b4c76e66710", ..OLD }, false),
            (RequestFields { via: b"SIP/2.0/UDP pc34.example.com", ..OLD }, false),
            (RequestFields { request_uri: b"sip:carol@example.com", ..OLD }, false),
            (RequestFields { from_tag: None, ..OLD }, false),
            (RequestFields { to_tag: Some(b"x"), ..OLD }, false),
            (RequestFields { to_tag: Some(b""), ..OLD }, false),
            (RequestFields { call_id: b"other", ..OLD }, false),
            (RequestFields { cseq: 315, ..OLD }, false),
        ] {
            assert_eq!(key(OLD) == key(changed), same, "{changed:?}");
        }
        let base = keys.old_server_base(&OLD).unwrap();
        let ack = RequestFields { method: b"ACK", to_tag: Some(b"ours"), ..OLD };
        assert_eq!(keys.old_server(base, b"INVITE", Some(b"ours")), key(ack));
        assert_eq!(keys.old_server_base(&INVITE), None);
    }

    #[test]
    fn merged_requests_share_from_tag_call_id_and_cseq() {
        let keys = keys();
        for (changed, same) in [
            (RequestFields { branch: Some(b"z9hG4bKother"), host: b"proxy2", request_uri: b"sip:x@y", ..INVITE }, true),
            (RequestFields { from_tag: Some(b"1929"), ..INVITE }, false),
            (RequestFields { call_id: b"A84b4c76e66710", ..INVITE }, false),
            (RequestFields { call_id: b"b84b4c76e66710", ..INVITE }, false),
            (RequestFields { cseq: 315, ..INVITE }, false),
            (RequestFields { method: b"OPTIONS", ..INVITE }, false),
        ] {
            assert_eq!(keys.merged(&INVITE) == keys.merged(&changed), same, "{changed:?}");
        }
        for never in [
            RequestFields { to_tag: Some(b"x"), ..INVITE },
            RequestFields { method: b"ACK", ..INVITE },
            RequestFields { method: b"CANCEL", ..INVITE },
        ] {
            assert_eq!(keys.merged(&never), None);
        }
    }
}
