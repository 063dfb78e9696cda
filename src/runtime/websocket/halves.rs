//! Messages of WebSockets that are not whole: what they take together is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes for those without a call together, or twice the longest message.
const TOGETHER: usize = 16 << 20;
/// Each has this much.
const OWN: usize = 4 << 10;

/// What those of one agent take.
#[derive(Debug)]
pub struct Halves {
    bytes: AtomicUsize,
    most: usize,
}

impl Halves {
    pub fn new(message_bytes: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), most: TOGETHER.max(2 * message_bytes) }
    }
}

/// The part of one connection.
pub(super) struct Half {
    all: Arc<Halves>,
    own: usize,
}

impl Half {
    pub fn new(all: Arc<Halves>) -> Self {
        Self { all, own: 0 }
    }

    /// It takes so much now.
    pub fn set(&mut self, bytes: usize) {
        self.all.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.all.bytes.fetch_sub(self.own, Ordering::Relaxed);
        self.own = bytes;
    }

    /// There is no room for what it takes.
    pub fn is_too_much(&self) -> bool {
        self.own > OWN && self.all.bytes.load(Ordering::Relaxed) > self.all.most
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_little_always_may() {
        let all = Arc::new(Halves::new(1_000));
        let mut halves: Vec<Half> = (0..300).map(|_| Half::new(Arc::clone(&all))).collect();
        for half in &mut halves {
            half.set(64 << 10);
        }
        assert_eq!(halves.iter().filter(|half| half.is_too_much()).count(), 300);
        halves[0].set(OWN);
        assert!(!halves[0].is_too_much() && halves[1].is_too_much());
        halves.truncate(200);
        assert!(!halves[1].is_too_much(), "what has gone takes nothing");
        drop(halves);
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }
}
