//! Keyed hashes that stand for names: of transactions, of dialogs.

use siphasher::sip128::{Hash128, SipHasher13};
use std::hash::Hasher;

/// Room for the fields of nearly every name.
const ROOM: usize = 192;

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
        let whole_words = bytes.len().next_multiple_of(8);
        let Some(room) = self.gathered.get_mut(self.used..).and_then(|room| room.get_mut(..whole_words)) else {
            return self.bytes(&bytes.to_ascii_lowercase());
        };
        if let Some(place) = room.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        // What the last word has beyond them is written over by what comes next.
        for word in room.chunks_exact_mut(8) {
            if let Ok(bytes) = <[u8; 8]>::try_from(&*word) {
                word.copy_from_slice(&lower(u64::from_le_bytes(bytes)).to_le_bytes());
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

/// Eight bytes with ASCII letters in lower case, all others as they are.
#[inline]
const fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let low = word & !HIGH;
    // The high bit of each byte: at least `A`, beyond `Z`.
    let (from_a, beyond_z) = (low + ONES * (0x80 - b'A' as u64), low + ONES * (0x7f - b'Z' as u64));
    word | ((from_a & !beyond_z & !word & HIGH) >> 2)
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
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([b'Z', byte, b'[', byte, b'A', 0xc4, byte, b'@']);
            let bytes = word.to_le_bytes().map(|byte| byte.to_ascii_lowercase());
            assert_eq!(lower(word), u64::from_le_bytes(bytes), "{byte}");
        }
        let fields = |names: &[&[u8]]| {
            let mut hasher = FieldHasher::new((1, 2));
            for name in names {
                hasher.field(name);
            }
            hasher.finish()
        };
        for length in [0, 1, 7, 8, 9, 23, 180, 184, 185, 188, 189, 192, 300] {
            let (upper, lower) = (vec![b'Q'; length], vec![b'q'; length]);
            for before in [&b""[..], b"AbC"] {
                let mut hasher = FieldHasher::new((1, 2));
                let hash = hasher.field(before).token(&upper).field(b"Z").token(b"Z").finish();
                assert_eq!(hash, fields(&[before, &lower, b"Z", b"z"]), "{length}");
            }
        }
    }
}
