//! The C ABI as a program could misuse it: living, stale and random tokens, structs of any size with any tail, texts of
//! any bytes, NULL where a pointer may be missing. Each call gives one of the documented values, and nothing is read or
//! written outside of what was handed in (AddressSanitizer looks on in the fuzzer).
//!
//! What the header asks of every program is kept: a pointer that is not NULL points to as much as is said, what the
//! program owns is freed once.

mod calls;
mod hand;

use hand::Hand;

/// Most calls of one input.
const CALLS: usize = 200;

pub fn run(data: &[u8]) {
    let mut hand = Hand::new(data);
    for _ in 0..CALLS {
        if hand.choices.is_over() {
            break;
        }
        calls::turn(&mut hand);
    }
    hand.let_all_go();
}
