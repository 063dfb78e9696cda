//! A table of things with short names: an index and a generation. It gives its memory back in pieces.

use crate::held;
use std::fmt;

/// Entries of one piece; one bit each in a word tells which are taken.
const PIECE: usize = 64;

/// The name of an entry. It stays unknown for ever once the entry is removed (until 2^32 insertions later).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// Its place; of two living entries never the same.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of two living entries the one that was inserted later has the higher one.
    pub(super) const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{}.{}", self.index, self.generation)
    }
}

#[derive(Clone)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

#[derive(Clone)]
struct Piece<T> {
    taken: u64,
    /// Either `PIECE` entries or none, when the memory was given back.
    entries: Vec<Entry<T>>,
}

/// A slab with generations. Inserting takes the lowest free place, so that what lives long gathers at the bottom and
/// the pieces above it can be given back after a peak.
#[derive(Clone)]
pub struct Slab<T> {
    pieces: Vec<Piece<T>>,
    /// Which pieces have a free place.
    open: Open,
    /// Pieces with memory.
    filled: usize,
    /// Pieces with memory and without entries: one is kept, so that a call that comes and goes allocates nothing.
    idle: usize,
    len: usize,
    generation: u32,
}

/// What lives, the oldest first; not how it is stored.
impl<T: fmt::Debug> fmt::Debug for Slab<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pieces: _, open: _, filled: _, idle: _, len: _, generation: _ } = self;
        let mut living: Vec<_> = self.iter().collect();
        living.sort_by_key(|(key, _)| key.generation);
        formatter.debug_list().entries(living).finish()
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Self { pieces: Vec::new(), open: Open::new(), filled: 0, idle: 0, len: 0, generation: 0 }
    }

    /// How many entries live.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none lives.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many entries the memory held now would take.
    pub fn capacity(&self) -> usize {
        self.pieces.iter().map(|piece| piece.entries.len()).sum()
    }

    /// Bytes of its own memory.
    pub fn bytes(&self) -> usize {
        self.filled * PIECE * size_of::<Entry<T>>() + held::list(&self.pieces) + self.open.bytes()
    }

    /// Takes `value` in and names it.
    pub fn insert(&mut self, value: T) -> Key {
        let at = self.free_piece();
        let generation = self.generation;
        self.generation = self.generation.wrapping_add(1);
        let mut index = at * PIECE;
        if let Some(piece) = self.pieces.get_mut(at) {
            if piece.entries.is_empty() {
                piece.entries.resize_with(PIECE, || Entry { generation: 0, value: None });
                self.filled += 1;
            } else if piece.taken == 0 {
                self.idle -= 1;
            }
            let place = piece.taken.trailing_ones() as usize;
            if let Some(entry) = piece.entries.get_mut(place) {
                *entry = Entry { generation, value: Some(value) };
                piece.taken |= 1 << place;
                self.len += 1;
            }
            if piece.taken == u64::MAX {
                self.open.remove(at);
            }
            index += place;
        }
        Key { index: index as u32, generation }
    }

    /// The entry of that name.
    pub fn get(&self, key: Key) -> Option<&T> {
        let (at, place) = split(key.index);
        let entry = self.pieces.get(at)?.entries.get(place)?;
        if entry.generation == key.generation { entry.value.as_ref() } else { None }
    }

    /// All living entries with their names, lowest place first.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let pieces = self.pieces.iter().enumerate();
        pieces.flat_map(|(at, piece)| {
            piece.entries.iter().enumerate().filter_map(move |(place, entry)| {
                let index = u32::try_from(at * PIECE + place).ok()?;
                Some((Key { index, generation: entry.generation }, entry.value.as_ref()?))
            })
        })
    }

    /// The entry of that name, to be changed.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (at, place) = split(key.index);
        let entry = self.pieces.get_mut(at)?.entries.get_mut(place)?;
        if entry.generation == key.generation { entry.value.as_mut() } else { None }
    }

    /// The entry at a place, whatever its generation: for lists inside the slab.
    pub fn at(&self, index: u32) -> Option<&T> {
        let (at, place) = split(index);
        self.pieces.get(at)?.entries.get(place)?.value.as_ref()
    }

    /// The entry at a place, to be changed.
    pub fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        let (at, place) = split(index);
        self.pieces.get_mut(at)?.entries.get_mut(place)?.value.as_mut()
    }

    /// Takes the entry of that name out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.remove_at(key.index)
    }

    /// Takes the entry at a place out.
    pub fn remove_at(&mut self, index: u32) -> Option<T> {
        let (at, place) = split(index);
        let piece = self.pieces.get_mut(at)?;
        let value = piece.entries.get_mut(place)?.value.take()?;
        if piece.taken == u64::MAX {
            self.open.insert(at);
        }
        piece.taken &= !(1 << place);
        self.len -= 1;
        if piece.taken == 0 {
            if self.idle == 0 {
                self.idle = 1;
            } else {
                piece.entries = Vec::new();
                self.filled -= 1;
                self.give_back();
            }
        }
        Some(value)
    }

    /// Gives back what is idle and empty.
    pub fn trim(&mut self) {
        for piece in self.pieces.iter_mut().filter(|piece| piece.taken == 0 && !piece.entries.is_empty()) {
            piece.entries = Vec::new();
            self.filled -= 1;
        }
        self.idle = 0;
        self.give_back();
        self.pieces.shrink_to_fit();
    }

    /// The lowest piece with a free place; a new one when all are full.
    fn free_piece(&mut self) -> usize {
        if let Some(lowest) = self.open.lowest() {
            return lowest;
        }
        self.pieces.push(Piece { taken: 0, entries: Vec::new() });
        self.open.insert(self.pieces.len() - 1);
        self.pieces.len() - 1
    }

    fn give_back(&mut self) {
        while self.pieces.last().is_some_and(|piece| piece.entries.is_empty()) {
            self.pieces.pop();
            self.open.remove(self.pieces.len());
        }
        if self.pieces.len() < self.pieces.capacity() / 4 {
            self.pieces.shrink_to(self.pieces.len() * 2);
        }
    }
}

/// A set of small numbers whose lowest is found by two words: a bit for each number, a bit for each word with bits.
#[derive(Clone)]
struct Open {
    words: Vec<u64>,
    summary: Vec<u64>,
}

impl Open {
    const fn new() -> Self {
        Self { words: Vec::new(), summary: Vec::new() }
    }

    fn bytes(&self) -> usize {
        held::list(&self.words) + held::list(&self.summary)
    }

    /// One word of the summary stands for 64*64 numbers: for a million entries of the slab there are four.
    fn lowest(&self) -> Option<usize> {
        let (at, summary) = self.summary.iter().enumerate().find(|(_, summary)| **summary != 0)?;
        let word = at * 64 + summary.trailing_zeros() as usize;
        Some(word * 64 + self.words.get(word)?.trailing_zeros() as usize)
    }

    fn insert(&mut self, number: usize) {
        let word = number / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
            self.summary.resize(word / 64 + 1, 0);
        }
        if let (Some(bits), Some(summary)) = (self.words.get_mut(word), self.summary.get_mut(word / 64)) {
            *bits |= 1 << (number % 64);
            *summary |= 1 << (word % 64);
        }
    }

    fn remove(&mut self, number: usize) {
        let word = number / 64;
        if let (Some(bits), Some(summary)) = (self.words.get_mut(word), self.summary.get_mut(word / 64)) {
            *bits &= !(1 << (number % 64));
            if *bits == 0 {
                *summary &= !(1 << (word % 64));
            }
        }
    }
}

const fn split(index: u32) -> (usize, usize) {
    (index as usize / PIECE, index as usize % PIECE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_name_stays_unknown() {
        let mut slab = Slab::new();
        let one = slab.insert("one");
        assert_eq!(slab.remove(one), Some("one"));
        let two = slab.insert("two");
        assert_eq!(two.index(), one.index());
        assert_eq!(slab.get(one), None);
        assert_eq!(slab.get_mut(one), None);
        assert_eq!(slab.remove(one), None);
        assert_eq!((slab.get(two), slab.len()), (Some(&"two"), 1));
    }

    #[test]
    fn memory_comes_back_although_old_entries_live() {
        let mut slab = Slab::new();
        let keys: Vec<Key> = (0..10_000).map(|number| slab.insert(number)).collect();
        assert!(slab.capacity() >= 10_000);
        for (number, key) in keys.iter().enumerate() {
            if number != 5_000 {
                assert_eq!(slab.remove(*key), Some(number));
            }
        }
        assert_eq!((slab.len(), slab.get(keys[5_000])), (1, Some(&5_000)));
        assert!(slab.capacity() <= 2 * PIECE, "{}", slab.capacity());
        assert!(slab.pieces.len() <= 5_000 / PIECE + 1);
        assert_eq!(slab.remove(keys[5_000]), Some(5_000));
        assert!(slab.is_empty() && slab.capacity() <= PIECE);
        // And everything is taken up again.
        let again: Vec<Key> = (0..300).map(|number| slab.insert(number)).collect();
        assert!(again.iter().enumerate().all(|(number, key)| slab.get(*key) == Some(&number)));
    }

    /// Against a map: random insertions and removals in a population that grows and shrinks; always the lowest place.
    #[test]
    fn the_slab_agrees_with_a_map() {
        let mut random = crate::random::Random::from_seed([6; 32]);
        let (mut slab, mut model) = (Slab::new(), std::collections::BTreeMap::new());
        let mut gone = Vec::new();
        for number in 0..24_000u64 {
            let grows = (number / 3_000) % 2 == 0;
            if model.is_empty() || random.below(10) < if grows { 7 } else { 3 } {
                let lowest = (0..).zip(model.keys()).find(|(place, index)| place != *index);
                let lowest = lowest.map_or(model.len() as u32, |(place, _)| place);
                let key = slab.insert(number);
                assert_eq!(key.index(), lowest);
                assert!(model.insert(key.index(), (key, number)).is_none());
            } else {
                let from = random.below(model.len() as u64) as usize;
                let (index, (key, value)) = model.iter().nth(from).map(|(index, entry)| (*index, *entry)).unwrap();
                assert_eq!(slab.remove(key), Some(value));
                model.remove(&index);
                gone.push(key);
            }
            assert_eq!(slab.len(), model.len());
            if let Some(key) = gone.get(random.below(gone.len() as u64) as usize) {
                assert_eq!(slab.get(*key), None);
            }
        }
        assert!(model.values().all(|(key, value)| slab.get(*key) == Some(value)));
    }
}
