//! The names of a dialog (RFC 3261 §12): Call-ID, tags, both addresses, in one block of text, for they hardly ever
//! change.

use crate::error::{Error, Result};
use crate::hash::FieldHasher;
use crate::message::{HeaderId, Message, NameAddr};

/// Keys of the hash that finds dialogs: secret, so that no peer can choose two names that meet.
#[derive(Clone, Copy)]
pub struct DialogKeys(pub u64, pub u64);

impl std::fmt::Debug for DialogKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DialogKeys")
    }
}

impl DialogKeys {
    /// 128 bits that stand for Call-ID, local tag and remote tag; tags are tokens, in any case (RFC 3261 §7.3.1).
    pub fn key(self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> u128 {
        FieldHasher::new((self.0, self.1)).field(call_id).token(local_tag).token(remote_tag).finish().as_u128()
    }
}

/// Whether two tags name the same (RFC 3261 §7.3.1: tokens, in any case).
#[inline]
pub fn is_same_tag(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// One block of text with its pieces.
#[derive(Clone, Debug)]
pub struct Names {
    text: Box<[u8]>,
    /// Ends of Call-ID, local tag, remote tag, local address; the remote address ends with the text.
    ends: [u32; 4],
    local_uri: (u32, u32),
    remote_uri: (u32, u32),
}

/// An address as From and To carry it: `"Alice" <sip:alice@example.com>`, and where its URI stands.
#[derive(Clone, Copy, Debug)]
pub struct AddressText<'a> {
    /// What stands before the header's parameters.
    pub address: &'a [u8],
    /// The URI, part of `address`.
    pub uri: &'a [u8],
}

impl<'a> AddressText<'a> {
    /// Of From.
    pub fn of_from(message: &'a Message) -> Result<Self> {
        Self::of(message, HeaderId::From, message.from_uri())
    }

    /// Of To.
    pub fn of_to(message: &'a Message) -> Result<Self> {
        Self::of(message, HeaderId::To, message.to_uri())
    }

    fn of(message: &'a Message, header: HeaderId, uri: Option<&'a [u8]>) -> Result<Self> {
        let (value, uri) = message.header(header).zip(uri).ok_or_else(|| Error::syntax("address missing"))?;
        // A name that lacks its quotes is not repeated in requests of ours; the URI is all that counts there
        // (§12.2.1.1).
        if message.has_unquoted_name() && NameAddr::parse(value).is_err() {
            return Ok(Self { address: uri, uri });
        }
        Ok(Self { address: address_part(value, uri), uri })
    }
}

/// Where `part` begins in `whole`, when it is a piece of it.
fn offset_of(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

fn address_part<'a>(value: &'a [u8], uri: &'a [u8]) -> &'a [u8] {
    let end = offset_of(value, uri).saturating_add(uri.len());
    match value.get(end) {
        Some(b'>') => value.get(..end + 1).unwrap_or(uri),
        _ => uri,
    }
}

impl Names {
    /// Packs the names.
    pub fn new(
        call_id: &[u8],
        local_tag: &[u8],
        remote_tag: &[u8],
        local: AddressText<'_>,
        remote: AddressText<'_>,
    ) -> Self {
        let parts = [call_id, local_tag, remote_tag, local.address, remote.address];
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut ends = [0; 5];
        for (part, end) in parts.iter().zip(&mut ends) {
            text.extend_from_slice(part);
            *end = text.len() as u32;
        }
        let uri_in = |start: u32, address: AddressText<'_>| {
            let from = start + offset_of(address.address, address.uri) as u32;
            (from, from + address.uri.len() as u32)
        };
        Self {
            local_uri: uri_in(ends[2], local),
            remote_uri: uri_in(ends[3], remote),
            ends: [ends[0], ends[1], ends[2], ends[3]],
            text: text.into_boxed_slice(),
        }
    }

    fn slice(&self, from: u32, to: u32) -> &[u8] {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        self.slice(0, self.ends[0])
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        self.slice(self.ends[0], self.ends[1])
    }

    /// The peer's tag; empty when it has none (RFC 2543).
    pub fn remote_tag(&self) -> &[u8] {
        self.slice(self.ends[1], self.ends[2])
    }

    /// Our name-addr, as From carries it.
    pub fn local_address(&self) -> &[u8] {
        self.slice(self.ends[2], self.ends[3])
    }

    /// The peer's name-addr, as To carries it.
    pub fn remote_address(&self) -> &[u8] {
        self.slice(self.ends[3], self.text.len() as u32)
    }

    /// Our URI.
    pub fn local_uri(&self) -> &[u8] {
        self.slice(self.local_uri.0, self.local_uri.1)
    }

    /// The peer's URI.
    pub fn remote_uri(&self) -> &[u8] {
        self.slice(self.remote_uri.0, self.remote_uri.1)
    }

    /// The same names with another tag of the peer.
    pub fn with_remote_tag(&self, tag: &[u8]) -> Self {
        let local = AddressText { address: self.local_address(), uri: self.local_uri() };
        let remote = AddressText { address: self.remote_address(), uri: self.remote_uri() };
        Self::new(self.call_id(), self.local_tag(), tag, local, remote)
    }

    /// The same names with another address of ours.
    pub fn with_local_address(&self, local: AddressText<'_>) -> Self {
        let remote = AddressText { address: self.remote_address(), uri: self.remote_uri() };
        Self::new(self.call_id(), self.local_tag(), self.remote_tag(), local, remote)
    }

    /// The same names with another address of the peer's.
    pub fn with_remote_address(&self, remote: AddressText<'_>) -> Self {
        let local = AddressText { address: self.local_address(), uri: self.local_uri() };
        Self::new(self.call_id(), self.local_tag(), self.remote_tag(), local, remote)
    }

    /// What finds this dialog.
    pub fn key(&self, keys: DialogKeys) -> u128 {
        keys.key(self.call_id(), self.local_tag(), self.remote_tag())
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.text.len()
    }
}
