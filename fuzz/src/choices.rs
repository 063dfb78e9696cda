//! The bytes of an input as choices; when they are used up every choice is the first.

use std::cell::RefCell;
use std::rc::Rc;

struct Left {
    bytes: Vec<u8>,
    at: usize,
}

/// Shared by all who choose.
#[derive(Clone)]
pub struct Choices(Rc<RefCell<Left>>);

impl Choices {
    pub fn new(bytes: &[u8]) -> Self {
        Self(Rc::new(RefCell::new(Left { bytes: bytes.to_vec(), at: 0 })))
    }

    pub fn is_over(&self) -> bool {
        let left = self.0.borrow();
        left.at >= left.bytes.len()
    }

    pub fn byte(&self) -> u8 {
        let mut left = self.0.borrow_mut();
        let byte = left.bytes.get(left.at).copied().unwrap_or_default();
        left.at += 1;
        byte
    }

    pub fn number(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Below `sides`: by one byte where that is enough.
    pub fn below(&self, sides: usize) -> usize {
        let wide = if sides > 256 { 2 } else { 1 };
        (0..wide).fold(0, |sum, _| sum << 8 | usize::from(self.byte())) % sides.max(1)
    }

    pub fn yes(&self) -> bool {
        self.byte() % 2 == 1
    }

    pub fn of<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// One of them, or none where there is none.
    pub fn any<T: Copy>(&self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| self.of(from))
    }
}
