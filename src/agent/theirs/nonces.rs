//! Nonces of our challenges that need no table (RFC 7616 §3.3, §5.4): each says when it was made, and a keyed hash that
//! it is ours. What is remembered is which counts were used with those that somebody answered.

use crate::message::digest::Algorithm;
use crate::random::Random;
use crate::time::Time;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a nonce is good.
pub const LIFE: Duration = Duration::from_secs(300);
/// Nonces whose counts are remembered.
const REMEMBERED: usize = 65_536;
/// Bytes of the hash that a nonce carries.
const HASH: usize = 16;

/// What a nonce of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nonce {
    made: Time,
    salt: u64,
}

/// Counts that were used with a nonce.
#[derive(Clone, Copy, Debug)]
struct Used {
    highest: u32,
    /// Bit n: `highest - n`.
    window: u64,
}

impl Used {
    fn has(&self, count: u32) -> bool {
        let back = self.highest.wrapping_sub(count);
        count <= self.highest && (back >= u64::BITS || self.window >> back & 1 == 1)
    }

    fn add(&mut self, count: u32) {
        if let Some(ahead) = count.checked_sub(self.highest) {
            self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
        } else {
            self.window |= 1u64.checked_shl(self.highest.wrapping_sub(count)).unwrap_or(0);
        }
    }
}

/// The key of an agent, and what was used.
#[derive(Clone)]
pub struct Nonces {
    key: Zeroizing<[u8; 64]>,
    used: BTreeMap<Nonce, Used>,
    /// Nonces up to this one count as old: their counts are remembered no more.
    forgotten: Option<Nonce>,
}

impl Nonces {
    /// Bytes held, about: nodes of a tree are two thirds full.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.used.len() * size_of::<(Nonce, Used)>() * 3 / 2
    }

    /// With a key of its own.
    pub fn new(random: &mut Random) -> Self {
        let mut key = Zeroizing::new([0; 64]);
        for piece in key.chunks_exact_mut(8) {
            piece.copy_from_slice(&random.next_u64().to_le_bytes());
        }
        Self { key, used: BTreeMap::new(), forgotten: None }
    }

    /// A nonce for a challenge of a realm by an algorithm, good for nothing else.
    pub fn make(&self, random: &mut Random, now: Time, realm: &[u8], algorithm: Algorithm) -> String {
        let nonce = Nonce { made: now, salt: random.next_u64() };
        let hash = self.keyed(nonce, realm, algorithm).finalize().into_bytes();
        let mut text = format!("{:016x}{:016x}", nonce.made.as_micros(), nonce.salt);
        for byte in hash.iter().take(HASH) {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn keyed(&self, nonce: Nonce, realm: &[u8], algorithm: Algorithm) -> Hmac<Sha256> {
        let mut hash = <Hmac<Sha256> as hmac::digest::KeyInit>::new((&*self.key).into());
        hash.update(&nonce.made.as_micros().to_le_bytes());
        hash.update(&nonce.salt.to_le_bytes());
        hash.update(&[algorithm as u8]);
        hash.update(realm);
        hash
    }

    /// A nonce that was made here for this realm and algorithm.
    pub fn read(&self, text: &[u8], realm: &[u8], algorithm: Algorithm) -> Option<Nonce> {
        // As we write them: a number that merely means the same is none of ours.
        let is_ours = text.len() == 32 + 2 * HASH && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let text = std::str::from_utf8(text).ok().filter(|_| is_ours)?;
        let number = |at: usize| u64::from_str_radix(text.get(at..at + 16)?, 16).ok();
        let nonce = Nonce { made: Time::from_micros(number(0)?), salt: number(16)? };
        let hash = [number(32)?.to_be_bytes(), number(48)?.to_be_bytes()].concat();
        self.keyed(nonce, realm, algorithm).verify_truncated_left(&hash).ok()?;
        Some(nonce)
    }

    /// Whether a nonce of ours cannot be used with this count: it is too old, or the count was used.
    pub fn is_stale(&self, nonce: Nonce, count: u32, now: Time) -> bool {
        now.since(nonce.made) >= LIFE
            || self.forgotten.is_some_and(|forgotten| nonce <= forgotten)
            || self.used.get(&nonce).is_some_and(|used| used.has(count))
    }

    /// Forgets those whose life is over.
    pub fn trim(&mut self, now: Time) {
        while let Some(first) = self.used.first_entry().filter(|first| now.since(first.key().made) >= LIFE) {
            first.remove();
        }
    }

    /// Uses a nonce with a count; false: it is stale. The same request does not get through twice (RFC 7616 §5.6).
    pub fn spend(&mut self, nonce: Nonce, count: u32, now: Time) -> bool {
        self.trim(now);
        if self.is_stale(nonce, count, now) {
            return false;
        }
        if let Some(used) = self.used.get_mut(&nonce) {
            used.add(count);
            return true;
        }
        self.used.insert(nonce, Used { highest: count, window: 1 });
        if self.used.len() > REMEMBERED {
            self.forgotten = self.used.pop_first().map(|(oldest, _)| oldest);
        }
        true
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Nonces({})", self.used.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn nonces() -> (Nonces, Random) {
        let mut random = Random::from_seed([7; 32]);
        (Nonces::new(&mut random), random)
    }

    #[test]
    fn a_nonce_is_for_its_agent_realm_and_algorithm() {
        let (nonces, mut random) = nonces();
        let (others, _) = (Nonces::new(&mut random), ());
        let text = nonces.make(&mut random, at(5), b"r", Algorithm::Sha256);
        assert_ne!(text, nonces.make(&mut random, at(5), b"r", Algorithm::Sha256), "each is new");
        let read = |nonces: &Nonces, text: &str, realm: &str, algorithm| {
            nonces.read(text.as_bytes(), realm.as_bytes(), algorithm).is_some()
        };
        assert!(read(&nonces, &text, "r", Algorithm::Sha256));
        assert!(!read(&others, &text, "r", Algorithm::Sha256));
        assert!(!read(&nonces, &text, "s", Algorithm::Sha256));
        assert!(!read(&nonces, &text, "r", Algorithm::Md5), "no way down");
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert!(nonces.read(&changed, b"r", Algorithm::Sha256).is_none(), "{at}");
        }
        let signed = text.replacen('0', "+", 1);
        for broken in [
            &signed,
            &text.to_ascii_uppercase(),
            "",
            "x",
            &text[1..],
            &format!("{text}0"),
            &text.replacen(|_: char| true, "\u{e4}", 2),
        ] {
            assert!(!read(&nonces, broken, "r", Algorithm::Sha256), "{broken}");
        }
    }

    #[test]
    fn each_count_is_good_once_while_the_nonce_lives() {
        let (mut nonces, _) = nonces();
        let nonce = Nonce { made: at(10), salt: 1 };
        let rows = [
            (10, 1, true),
            (10, 1, false),
            (11, 3, true),
            (11, 2, true),
            (12, 2, false),
            (12, 3, false),
            (12, 0, true),
            (12, 0, false),
            (12, 100, true),
            (12, 37, true),
            (12, 37, false),
            // Too far back to be remembered.
            (12, 36, false),
            (309, u32::MAX, true),
            (309, 100, false),
            (310, 101, false),
        ];
        for (seconds, count, expected) in rows {
            assert_eq!(nonces.is_stale(nonce, count, at(seconds)), !expected, "{seconds} {count}");
            assert_eq!(nonces.spend(nonce, count, at(seconds)), expected, "{seconds} {count}");
        }
        assert!(nonces.used.is_empty(), "what is too old needs no memory");
    }

    #[test]
    fn what_is_remembered_no_more_is_old() {
        let (mut nonces, _) = nonces();
        let nonce = |salt| Nonce { made: at(1), salt };
        for salt in 0..REMEMBERED as u64 {
            assert!(nonces.spend(nonce(salt + 10), 1, at(2)));
        }
        assert!(nonces.spend(nonce(u64::MAX), 1, at(2)));
        assert_eq!(nonces.used.len(), REMEMBERED);
        assert!(!nonces.spend(nonce(10), 2, at(2)), "its counts are forgotten");
        assert!(!nonces.spend(nonce(1), 1, at(2)), "older ones too");
        assert!(nonces.spend(nonce(11), 2, at(2)));
        assert!(!nonces.spend(nonce(11), 2, at(2)));
    }
}
