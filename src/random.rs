//! Randomness that can be replayed: ChaCha8 keyed by the 32 bytes of the configuration.
//!
//! Tags, branches, Call-IDs and the keys of the hash tables come from here. The core never asks the operating system:
//! the same seed and the same calls give the same bytes.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Lower case, because some peers fold the case of tags; 32 letters, so that five bits make one; all are good in a
/// token.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Letters that one draw of 64 bits gives.
const LETTERS_PER_DRAW: usize = 12;

/// The source of everything that a peer must not guess.
#[derive(Clone)]
pub struct Random {
    stream: ChaCha8Rng,
}

impl Random {
    /// The stream that belongs to `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { stream: ChaCha8Rng::from_seed(seed) }
    }

    /// A seed made of one number, for tests and replays: as guessable as the number.
    pub fn seed_from_number(number: u64) -> [u8; 32] {
        // SplitMix64, written out so that a recorded run outlives changes of the crates below.
        let mut seed = [0; 32];
        let mut state = number;
        for part in seed.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            part.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        seed
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number in `0..bound`, each equally likely; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Lemire's multiplication: the low half decides whether the draw would favour small results.
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// Appends a lower-case SIP token that holds at least `entropy` random bytes.
    pub fn token(&mut self, out: &mut Vec<u8>, entropy: usize) {
        let mut letters = entropy.saturating_mul(8).div_ceil(5);
        while letters > 0 {
            let mut bits = self.next_u64();
            for _ in 0..letters.min(LETTERS_PER_DRAW) {
                out.push(ALPHABET[(bits & 31) as usize]);
                bits >>= 5;
            }
            letters = letters.saturating_sub(LETTERS_PER_DRAW);
        }
    }

    /// The two halves of a key for SipHash.
    pub fn hash_keys(&mut self) -> (u64, u64) {
        (self.next_u64(), self.next_u64())
    }
}

/// Says nothing of the stream: whoever reads a log must not learn the next tag.
impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let seed = Random::seed_from_number(7);
        let (mut one, mut two) = (Random::from_seed(seed), Random::from_seed(seed));
        assert_eq!((one.next_u64(), one.hash_keys()), (two.next_u64(), two.hash_keys()));
        assert_ne!(seed, Random::seed_from_number(8));
        assert_ne!(one.next_u64(), Random::from_seed(Random::seed_from_number(8)).next_u64());
    }

    #[test]
    fn a_clone_goes_on_like_its_original() {
        let mut one = Random::from_seed([1; 32]);
        one.next_u64();
        let mut two = one.clone();
        assert_eq!(one.next_u64(), two.next_u64());
    }

    #[test]
    fn tokens_are_lower_case_tokens_of_the_asked_entropy() {
        let mut random = Random::from_seed([2; 32]);
        for (entropy, letters) in [(0, 0), (1, 2), (5, 8), (8, 13), (10, 16), (16, 26)] {
            let mut out = b"z9hG4bK".to_vec();
            random.token(&mut out, entropy);
            let token = out.strip_prefix(b"z9hG4bK").unwrap();
            assert_eq!(token.len(), letters);
            assert!(token.iter().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(byte)));
        }
    }

    #[test]
    fn below_stays_below_and_reaches_every_number() {
        let mut random = Random::from_seed([3; 32]);
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
        // Without rejection one in three results of this bound would come twice as often.
        let mut thirds = [0u32; 3];
        for _ in 0..30_000 {
            thirds[(random.below(3 << 62) % 3) as usize] += 1;
        }
        assert!(thirds.iter().all(|count| (9_600..10_400).contains(count)), "{thirds:?}");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
        assert!(random.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn debug_says_no_secret() {
        assert_eq!(format!("{:?}", Random::from_seed([4; 32])), "Random");
    }
}
