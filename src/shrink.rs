//! Tables that give back the room that a peak has left in them.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash};

/// Up to so many places nothing is given back.
const KEEP: usize = 256;
/// A table that holds less than this part of its places gives back; it keeps twice what it holds, so that the work of
/// moving is paid for by the removals before, and a table that fills again does not grow at once.
const PART: usize = 8;

/// A table with more room than it may need.
pub trait Shrink {
    /// After a removal: gives back what is far too much.
    fn ease(&mut self);
    /// Gives back all that is not needed now.
    fn fit(&mut self);
}

/// How many places `len` entries are left with, when they have far too many.
fn fewer(len: usize, places: usize) -> Option<usize> {
    (places > KEEP && len < places / PART).then(|| (len * 2).max(KEEP / 2))
}

impl<K: Eq + Hash, V, S: BuildHasher> Shrink for HashMap<K, V, S> {
    #[inline]
    fn ease(&mut self) {
        if let Some(places) = fewer(self.len(), self.capacity()) {
            self.shrink_to(places);
        }
    }

    fn fit(&mut self) {
        self.shrink_to_fit();
    }
}

impl<T> Shrink for VecDeque<T> {
    #[inline]
    fn ease(&mut self) {
        if let Some(places) = fewer(self.len(), self.capacity()) {
            self.shrink_to(places);
        }
    }

    fn fit(&mut self) {
        self.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shrinks_as_it_empties_and_seldom() {
        let mut table: HashMap<u32, u64> = (0..100_000).map(|number| (number, 0)).collect();
        let mut queue: VecDeque<u32> = (0..100_000).collect();
        let mut moved = 0;
        for number in 0..100_000 {
            table.remove(&number);
            queue.pop_front();
            let before = table.capacity();
            table.ease();
            moved += if table.capacity() < before { table.len() } else { 0 };
            queue.ease();
        }
        assert!(table.capacity() <= KEEP && queue.capacity() <= KEEP, "{} {}", table.capacity(), queue.capacity());
        assert!(moved < 100_000 / 4, "{moved} entries were moved for 100,000 removals");
        table.fit();
        queue.fit();
        assert_eq!((table.capacity(), queue.capacity()), (0, 0));
    }

    #[test]
    fn a_table_that_comes_and_goes_keeps_its_room() {
        let mut queue = VecDeque::new();
        let mut shrunk = 0;
        for _ in 0..1_000 {
            queue.extend(0..KEEP);
            while queue.pop_front().is_some() {
                let before = queue.capacity();
                queue.ease();
                shrunk += usize::from(queue.capacity() < before);
            }
        }
        assert_eq!(shrunk, 0);
    }
}
