//! A table of things with short names: an index and a generation. It gives its memory back in pieces.

/// Entries of one piece; one bit each in a word tells which are taken.
const PIECE: usize = 64;

/// The name of an entry. It stays unknown for ever once the entry is removed (until 2^32 insertions later).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// Its place; of two living entries never the same.
    pub const fn index(self) -> u32 {
        self.index
    }
}

#[derive(Clone, Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

#[derive(Clone, Debug)]
struct Piece<T> {
    taken: u64,
    /// Either `PIECE` entries or none, when the memory was given back.
    entries: Vec<Entry<T>>,
}

/// A slab with generations. Inserting takes the lowest free place, so that what lives long gathers at the bottom and
/// the pieces above it can be given back after a peak.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    pieces: Vec<Piece<T>>,
    /// No piece below this one has a free place.
    first_free: usize,
    /// Pieces with memory and without entries: one is kept, so that a call that comes and goes allocates nothing.
    idle: usize,
    len: usize,
    generation: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Self { pieces: Vec::new(), first_free: 0, idle: 0, len: 0, generation: 0 }
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

    /// Takes `value` in and names it.
    pub fn insert(&mut self, value: T) -> Key {
        let at = self.free_piece();
        let generation = self.generation;
        self.generation = self.generation.wrapping_add(1);
        let mut index = at * PIECE;
        if let Some(piece) = self.pieces.get_mut(at) {
            if piece.entries.is_empty() {
                piece.entries.resize_with(PIECE, || Entry { generation: 0, value: None });
            } else if piece.taken == 0 {
                self.idle -= 1;
            }
            let place = piece.taken.trailing_ones() as usize;
            if let Some(entry) = piece.entries.get_mut(place) {
                *entry = Entry { generation, value: Some(value) };
                piece.taken |= 1 << place;
                self.len += 1;
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
        piece.taken &= !(1 << place);
        self.len -= 1;
        self.first_free = self.first_free.min(at);
        if piece.taken == 0 {
            if self.idle == 0 {
                self.idle = 1;
            } else {
                piece.entries = Vec::new();
                self.give_back();
            }
        }
        Some(value)
    }

    /// The lowest piece with a free place; a new one when all are full.
    fn free_piece(&mut self) -> usize {
        let full = self.pieces.iter().skip(self.first_free).take_while(|piece| piece.taken == u64::MAX).count();
        self.first_free += full;
        if self.first_free == self.pieces.len() {
            self.pieces.push(Piece { taken: 0, entries: Vec::new() });
        }
        self.first_free
    }

    fn give_back(&mut self) {
        while self.pieces.last().is_some_and(|piece| piece.entries.is_empty()) {
            self.pieces.pop();
        }
        if self.pieces.len() < self.pieces.capacity() / 4 {
            self.pieces.shrink_to(self.pieces.len() * 2);
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
}
