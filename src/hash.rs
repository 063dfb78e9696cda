//! Keyed hashes that stand for names: of transactions, of dialogs.

use siphasher::sip128::{Hash128, SipHasher13};
use std::hash::Hasher;

/// Room for the fields of nearly every name.
const ROOM: usize = 192;
/// Bytes of a token that are brought to lower case at a time: as many as one instruction takes.
const PIECE: usize = 16;

/// SipHash-1-3 over fields. They are gathered in one piece first: a piece costs a fraction of what SipHash costs field
/// by field.
#[derive(Debug)]
pub struct FieldHasher {
    hasher: SipHasher13,
    gathered: [u8; ROOM],
    used: usize,
}

impl FieldHasher {
    /// Under a secret.
    #[inline]
    pub fn new(secret: (u64, u64)) -> Self {
        Self { hasher: SipHasher13::new_with_keys(secret.0, secret.1), gathered: [0; ROOM], used: 0 }
    }

    /// Adds bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match self.gathered.get_mut(self.used..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.used += bytes.len();
            }
            None => self.long(bytes),
        }
        self
    }

    #[cold]
    fn long(&mut self, bytes: &[u8]) {
        self.hasher.write(self.gathered.get(..self.used).unwrap_or_default());
        self.hasher.write(bytes);
        self.used = 0;
    }

    /// Adds bytes led by their length, so that no field runs into the next.
    #[inline]
    pub fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u32).bytes(bytes)
    }

    /// [`FieldHasher::field`] of a text whose case means nothing (RFC 3261 §7.3.1: tokens, host names).
    #[inline]
    pub fn token(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u32);
        let padded = bytes.len().next_multiple_of(PIECE);
        let Some(room) = self.gathered.get_mut(self.used..).and_then(|room| room.get_mut(..padded)) else {
            return self.bytes(&bytes.to_ascii_lowercase());
        };
        if let Some(place) = room.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        // What the last piece has beyond them is written over by what comes next.
        for piece in room.chunks_exact_mut(PIECE) {
            if let Ok(piece) = <&mut [u8; PIECE]>::try_from(piece) {
                *piece = piece.map(|byte| byte | u8::from(byte.is_ascii_uppercase()) << 5);
            }
        }
        self.used += bytes.len();
        self
    }

    /// Adds a number.
    #[inline]
    pub fn number(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    /// The hash of all that was added.
    pub fn finish(&self) -> Hash128 {
        self.hasher.hash(self.gathered.get(..self.used).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_longer_than_the_room_count_too() {
        let long = [b'a'; 1_000];
        let hash = |fields: &[&[u8]]| {
            let mut hasher = FieldHasher::new((1, 2));
            for field in fields {
                hasher.field(field);
            }
            hasher.finish()
        };
        let text = |fields: &[&[u8]]| {
            let mut whole = Vec::new();
            for field in fields {
                whole.extend_from_slice(&(field.len() as u32).to_le_bytes());
                whole.extend_from_slice(field);
            }
            SipHasher13::new_with_keys(1, 2).hash(&whole)
        };
        for fields in [
            &[&b"x"[..], b"", b"yz"][..],
            &[&long, b"x"],
            &[b"x", &long, b"x"],
            &[&long[..150], &long[..40], &long[..3]],
        ] {
            assert_eq!(hash(fields), text(fields));
        }
        assert_ne!(hash(&[&long[..999]]), hash(&[&long]));
    }

    #[test]
    fn the_case_of_a_token_means_nothing() {
        let fields = |names: &[&[u8]]| {
            let mut hasher = FieldHasher::new((1, 2));
            for name in names {
                hasher.field(name);
            }
            hasher.finish()
        };
        let every: Vec<u8> = (0..=255).collect();
        for bytes in every.chunks(23) {
            let hash = FieldHasher::new((1, 2)).token(bytes).finish();
            assert_eq!(hash, fields(&[&bytes.to_ascii_lowercase()]), "{bytes:?}");
        }
        for length in [0, 1, 7, 15, 16, 17, 23, 160, 161, 176, 177, 180, 184, 188, 189, 192, 300] {
            let (upper, lower) = (vec![b'Q'; length], vec![b'q'; length]);
            for before in [&b""[..], b"AbC"] {
                let mut hasher = FieldHasher::new((1, 2));
                let hash = hasher.field(before).token(&upper).field(b"Z").token(b"Z").finish();
                assert_eq!(hash, fields(&[before, &lower, b"Z", b"z"]), "{length}");
            }
        }
    }
}
