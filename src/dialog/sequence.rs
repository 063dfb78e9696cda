//! Sequence numbers (RFC 3261 §12.1, §12.2). Empty is not zero: 0 is a number.

use crate::error::{Error, ErrorKind, Result};

/// §8.1.1.5: they are below 2^31.
const LAST: u32 = 0x7fff_ffff;
/// The last ones are for BYE, which may have to be sent again.
const FOR_BYE: u32 = 16;

/// Numbers of our requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalSequence(Option<u32>);

impl LocalSequence {
    /// Nothing sent yet.
    pub const EMPTY: Self = Self(None);

    /// Of a dialog whose request had this number.
    pub fn starting_at(number: u32) -> Self {
        Self(Some(number))
    }

    /// The last number used.
    pub fn last(self) -> Option<u32> {
        self.0
    }

    /// Whether there is a number for another request. Errors: limit.
    pub fn room(self, is_bye: bool) -> Result<()> {
        let left = self.0.map_or(LAST, |last| LAST.saturating_sub(last));
        if left > if is_bye { 0 } else { FOR_BYE } {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, "CSeq: no number is left but for BYE (RFC 3261 8.1.1.5)"))
    }

    /// The next number, used from now on (§12.2.1.1: one higher; a first one of our choice when empty, §8.1.1.5). They
    /// do not begin anew.
    pub fn take(&mut self) -> u32 {
        let next = self.0.map_or(1, |last| last.saturating_add(1).min(LAST));
        self.0 = Some(next);
        next
    }
}

/// Numbers of the peer's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteSequence(Option<u32>);

impl RemoteSequence {
    /// Nothing received yet.
    pub const EMPTY: Self = Self(None);

    /// Of a dialog whose request had this number.
    pub fn starting_at(number: u32) -> Self {
        Self(Some(number))
    }

    /// The last number seen.
    pub fn last(self) -> Option<u32> {
        self.0
    }

    /// Takes a request's number when it is in order (§12.2.2: higher, gaps are fine). An equal one on a new branch is
    /// out of order.
    #[must_use]
    pub fn accept(&mut self, number: u32) -> bool {
        if self.0.is_some_and(|last| number <= last) {
            return false;
        }
        self.0 = Some(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_numbers_rise_and_zero_is_a_number() {
        let mut remote = RemoteSequence::EMPTY;
        assert!(remote.accept(0));
        assert!(!remote.accept(0));
        assert!(remote.accept(5));
        assert!(!remote.accept(4));
        assert!(!remote.accept(5));
        assert!(remote.accept(u32::MAX >> 1));
    }

    #[test]
    fn local_numbers_are_contiguous() {
        let mut local = LocalSequence::starting_at(7);
        assert_eq!((local.take(), local.take(), local.last()), (8, 9, Some(9)));
        let mut empty = LocalSequence::EMPTY;
        assert_eq!(empty.take(), 1);
    }
}
