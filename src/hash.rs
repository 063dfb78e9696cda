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

    /// [`FieldHasher::field`] of a text whose case means nothing.
    #[inline]
    pub fn field_in_lower_case(&mut self, bytes: &[u8]) -> &mut Self {
        if bytes.iter().any(u8::is_ascii_uppercase) {
            self.field(&bytes.to_ascii_lowercase())
        } else {
            self.field(bytes)
        }
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
        assert_eq!(FieldHasher::new((1, 2)).field_in_lower_case(b"aBc").finish(), hash(&[b"abc"]));
    }
}
