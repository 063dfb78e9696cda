//! Objects with generations: an id is never good for another object than the one it was given for.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZeroU64;

use crate::error::{Error, ErrorKind, Result};
use crate::held::{self, Held, Ledger};

/// Marks the ids of sessions.
#[derive(Clone, Debug)]
pub enum SessionKind {}
/// Marks the ids of the peer's requests.
#[derive(Clone, Debug)]
pub enum IncomingKind {}
/// Marks the ids of our requests.
#[derive(Clone, Debug)]
pub enum OutgoingKind {}

/// A marker of ids that errors can name.
pub trait Kind {
    /// What people call one of them.
    const NAME: &'static str;
}
impl Kind for SessionKind {
    const NAME: &'static str = "session";
}
impl Kind for IncomingKind {
    const NAME: &'static str = "incoming request";
}
impl Kind for OutgoingKind {
    const NAME: &'static str = "outgoing request";
}

/// A session.
pub type SessionId = Id<SessionKind>;
/// A request of the peer.
pub type IncomingId = Id<IncomingKind>;
/// A request of ours.
pub type OutgoingId = Id<OutgoingKind>;

/// Bits of an id that say which slot.
pub const INDEX_BITS: u32 = 22;
/// Bits of an id that say which tenant of the slot.
pub const GENERATION_BITS: u32 = 26;

const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;
const LAST_GENERATION: u32 = (1 << GENERATION_BITS) - 1;
/// Up to so many slots nothing is given back.
const KEEP: usize = 1_024;
/// A table with fewer living objects than this part of its slots gives back.
const PART: usize = 8;
/// A slot with so many tenants is not given back: all new ones would begin there.
const OLD: u32 = LAST_GENERATION / 2;
/// A freed slot waits until so many others were freed, so that an old id meets a gap before it meets a stranger's slot.
const WAITING: usize = 64;

/// The id of an object of kind `K`: never 0, at most 48 bits wide.
pub struct Id<K> {
    raw: NonZeroU64,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The 48 bits, for the floors above; never 0.
    pub fn raw(self) -> u64 {
        self.raw.get()
    }

    /// From bits that may be anything. 0 becomes one that no object ever has, so that no id is as small as an id.
    pub fn from_raw(raw: u64) -> Self {
        Self { raw: NonZeroU64::new(raw).unwrap_or(NonZeroU64::MAX), kind: PhantomData }
    }

    fn new(index: u32, generation: u32) -> Self {
        Self::from_raw(u64::from(generation) << INDEX_BITS | u64::from(index))
    }

    fn index(self) -> usize {
        (self.raw.get() & INDEX_MASK) as usize
    }

    fn generation(self) -> u32 {
        (self.raw.get() >> INDEX_BITS) as u32
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<K> Eq for Id<K> {}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
/// The first letter of what it names, slot, tenant: `s0.1`.
impl<K: Kind> std::fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = K::NAME.chars().next().unwrap_or_default();
        write!(formatter, "{letter}{}.{}", self.index(), self.generation())
    }
}

#[derive(Clone)]
struct Slot<T> {
    generation: u32,
    /// What the ledger knows of its tenant, and whether that may have changed since ([`STALE`]).
    held: u32,
    value: Option<Box<T>>,
}

/// The tenant was handed out to be changed.
const STALE: u32 = 1 << 31;

impl<T> Slot<T> {
    /// Whether a tenant of this generation is here or was.
    fn ever(&self, generation: u32) -> bool {
        generation > 0 && generation <= self.generation
    }
}

/// A table of objects of one kind. `K` is the marker of its ids.
#[derive(Clone)]
pub struct Slots<K, T> {
    slots: Vec<Slot<T>>,
    free: VecDeque<u32>,
    len: usize,
    /// The generation of a new slot: beyond all that slots had which were given back.
    first: u32,
    /// How many slots there ever were.
    ever: usize,
    /// So many removals, or fewer living than that: then it is worth looking again what can be given back.
    rest: usize,
    below: usize,
    /// What its objects hold.
    ledger: Ledger,
    /// Those of which the ledger does not know yet.
    stale: Vec<u32>,
    kind: PhantomData<fn() -> K>,
}

/// What lives, by id; neither how it is stored nor what it holds.
impl<K: Kind, T: std::fmt::Debug> std::fmt::Debug for Slots<K, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { slots, free: _, len: _, first: _, ever: _, rest: _, below: _, ledger: _, stale: _, kind: _ } = self;
        let living = slots.iter().enumerate().filter_map(|(index, slot)| {
            let value = slot.value.as_ref()?;
            Some((Id::<K>::new(index as u32, slot.generation), value))
        });
        formatter.debug_list().entries(living).finish()
    }
}

impl<K, T> Default for Slots<K, T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: VecDeque::new(),
            len: 0,
            first: 1,
            ever: 0,
            rest: 0,
            below: 0,
            ledger: Ledger::default(),
            stale: Vec::new(),
            kind: PhantomData,
        }
    }
}

impl<K, T> Slots<K, T> {
    /// Objects that live now.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The object, unless it has ended.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        self.slots.get(id.index()).filter(|slot| slot.generation == id.generation())?.value.as_deref()
    }

    /// The object, unless it has ended.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index()).filter(|slot| slot.generation == id.generation())?;
        if slot.held & STALE == 0 && slot.value.is_some() {
            slot.held |= STALE;
            self.stale.push(id.index() as u32);
        }
        slot.value.as_deref_mut()
    }

    /// Gives back the room that nothing needs now.
    pub fn trim(&mut self) {
        self.give_back(0);
        self.slots.shrink_to_fit();
        self.free.shrink_to_fit();
        self.ledger.trim();
    }

    /// Gives back the empty slots behind the last living object, but for the first `keep`. The lowest are used next.
    fn give_back(&mut self, keep: usize) {
        while self.slots.len() > keep
            && let Some(slot) = self.slots.last().filter(|slot| slot.value.is_none() && slot.generation < OLD)
        {
            self.first = self.first.max(slot.generation);
            self.slots.pop();
        }
        self.slots.shrink_to(self.slots.len().max(keep));
        let there = self.slots.len();
        self.stale.retain(|index| (*index as usize) < there);
        self.stale.shrink_to_fit();
        let vacant = |slot: &Slot<T>| slot.value.is_none() && slot.generation <= LAST_GENERATION;
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| vacant(slot));
        self.free = slots.filter_map(|(index, _)| u32::try_from(index).ok()).collect();
    }

    /// All living objects.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_deref())
    }

    /// Whether an object with this id ever lived here, so that "ended" and "never one" can be told apart.
    pub fn ever(&self, id: Id<K>) -> bool {
        match self.slots.get(id.index()) {
            Some(slot) => slot.ever(id.generation()),
            None => id.index() < self.ever && id.generation() > 0 && id.generation() < self.first,
        }
    }

    /// The living object in the first slot after that of `previous` (`None`: the first of all).
    pub fn next(&self, previous: Option<Id<K>>) -> Option<Id<K>> {
        let start = previous.map_or(0, |id| id.index().saturating_add(1));
        let living = self.slots.iter().enumerate().skip(start).find(|(_, slot)| slot.value.is_some());
        living.map(|(index, slot)| Id::new(index as u32, slot.generation))
    }
}

impl<K, T: Held> Slots<K, T> {
    /// Stores an object; `None` when every slot is taken.
    pub fn insert(&mut self, value: Box<T>) -> Option<Id<K>> {
        let index = if self.free.len() > WAITING || self.slots.len() > INDEX_MASK as usize {
            self.free.pop_front()?
        } else {
            self.slots.push(Slot { generation: self.first, held: 0, value: None });
            self.ever = self.ever.max(self.slots.len());
            u32::try_from(self.slots.len() - 1).ok()?
        };
        let slot = self.slots.get_mut(index as usize)?;
        let id = Id::new(index, slot.generation);
        slot.value = Some(value);
        if slot.held & STALE == 0 {
            slot.held = STALE;
            self.stale.push(index);
        }
        self.len += 1;
        Some(id)
    }

    /// Ends an object. Its slot waits in line; a slot whose generations are used up is retired.
    pub fn remove(&mut self, id: Id<K>) -> Option<Box<T>> {
        let slot = self.slots.get_mut(id.index()).filter(|slot| slot.generation == id.generation())?;
        let value = slot.value.take()?;
        self.ledger.gone(id.index() as u32, (slot.held & !STALE) as usize);
        slot.held &= STALE;
        self.len -= 1;
        slot.generation += 1;
        if slot.generation <= LAST_GENERATION {
            self.free.push_back(id.index() as u32);
        }
        self.rest = self.rest.saturating_sub(1);
        let sparse = self.slots.len() > KEEP && self.len < self.slots.len() / PART;
        if sparse && (self.rest == 0 || self.len < self.below) {
            self.give_back(KEEP);
            // Where one that lives on was in the way: the others gather below it meanwhile, and it may end.
            self.rest = self.slots.len() / 4;
            self.below = if self.len == 0 { 0 } else { self.len / 2 + 1 };
        }
        Some(value)
    }

    /// What its objects hold now.
    pub fn ledger(&mut self) -> &Ledger {
        for index in self.stale.drain(..) {
            let Some(slot) = self.slots.get_mut(index as usize) else { continue };
            let before = (slot.held & !STALE) as usize;
            slot.held = 0;
            if let Some(value) = &slot.value {
                let now = value.held().min((STALE - 1) as usize);
                self.ledger.change(index, before, now);
                slot.held = now as u32;
            }
        }
        &self.ledger
    }

    /// What [`Slots::ledger`] would say, which stays as it is.
    pub fn would_hold(&self) -> usize {
        let stale = self.stale.iter().filter_map(|index| self.slots.get(*index as usize));
        stale.fold(self.ledger.total(), |sum, slot| {
            let now = slot.value.as_ref().map_or(0, |value| value.held());
            sum.saturating_sub((slot.held & !STALE) as usize).saturating_add(now)
        })
    }

    /// An object that was just stored is held for a peer.
    pub fn owned_by(&mut self, id: Id<K>, peer: IpAddr) {
        self.ledger.owned_by(id.index() as u32, peer);
    }

    /// From now on the ledger knows the shares of peers. Before the first object.
    pub fn with_shares(&mut self) {
        self.ledger.with_shares();
    }

    /// What its objects hold, reckoned anew.
    pub fn bytes(&self) -> usize {
        self.iter().map(Held::held).sum()
    }

    /// The table without its objects.
    pub fn own_bytes(&self) -> usize {
        held::list(&self.slots) + held::queue(&self.free) + held::list(&self.stale) + self.ledger.bytes()
    }
}

impl<K: Kind, T> Slots<K, T> {
    /// The object. Errors: stale when it has ended; kind when no object of this table ever had the id.
    pub fn living(&self, id: Id<K>) -> Result<&T> {
        self.get(id).ok_or_else(|| gone::<K>(self.ever(id)))
    }

    /// As [`Slots::living`].
    pub fn living_mut(&mut self, id: Id<K>) -> Result<&mut T> {
        let ever = self.ever(id);
        self.get_mut(id).ok_or_else(|| gone::<K>(ever))
    }
}

/// Why an id finds nothing: its object has ended, or there never was one.
#[cold]
fn gone<K: Kind>(ever: bool) -> Error {
    if ever {
        Error::new(ErrorKind::Stale, format!("the {} has ended", K::NAME))
    } else {
        Error::new(ErrorKind::Kind, format!("not a token of this agent's {}s", K::NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Test;

    impl Kind for Test {
        const NAME: &'static str = "test";
    }

    impl Held for u32 {
        fn held(&self) -> usize {
            *self as usize
        }
    }

    /// The ledger knows what was stored, changed and removed, whenever it is asked.
    #[test]
    fn the_ledger_follows_its_objects() {
        let mut slots = Slots::<Test, u32>::default();
        let ids: Vec<_> = [1, 10, 100].into_iter().filter_map(|held| slots.insert(Box::new(held))).collect();
        assert_eq!(slots.ledger().total(), 111);
        *slots.get_mut(ids[1]).expect("it lives") = 20;
        slots.remove(ids[0]);
        assert_eq!(slots.ledger().total(), 120);
        *slots.get_mut(ids[2]).expect("it lives") = 200;
        slots.remove(ids[2]);
        slots.insert(Box::new(1_000));
        assert_eq!(slots.ledger().total(), 1_020);
        assert_eq!(slots.bytes(), 1_020);
    }

    #[test]
    fn an_ended_id_is_never_good_again() {
        let mut slots = Slots::<Test, u32>::default();
        let mut old = Vec::new();
        for round in 0..1_000 {
            let id = slots.insert(Box::new(round)).expect("room");
            assert_eq!(slots.get(id), Some(&round));
            assert_eq!(slots.remove(id).as_deref(), Some(&round));
            old.push(id);
            assert!(old.iter().all(|id| slots.get(*id).is_none() && slots.ever(*id)));
            assert_eq!(slots.remove(id), None);
        }
        assert!(slots.slots.len() <= WAITING + 2, "slots are used again: {}", slots.slots.len());
        assert!(!slots.ever(Id::from_raw(0)));
        assert!(!slots.ever(Id::new(9_999, 1)));
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_retired() {
        let mut slots = Slots::<Test, u32>::default();
        let id = slots.insert(Box::new(1)).expect("room");
        slots.slots[0].generation = LAST_GENERATION;
        assert_eq!(slots.get(id), None);
        let last = Id::new(0, LAST_GENERATION);
        assert_eq!(slots.remove(last).as_deref(), Some(&1));
        assert!(slots.free.is_empty());
        assert_eq!(slots.get(last), None);
    }

    #[test]
    fn slots_are_given_back_as_they_empty() {
        let mut slots = Slots::<SessionKind, u32>::default();
        let ids: Vec<_> = (0..50_000).filter_map(|n| slots.insert(Box::new(n))).collect();
        // One in the way lives on for a while.
        for (_, id) in ids.iter().enumerate().filter(|(at, _)| *at != 40_000) {
            assert!(slots.remove(*id).is_some());
        }
        assert!(slots.slots.len() <= 40_001 && slots.slots.capacity() <= 50_000);
        assert_eq!(slots.living(ids[40_000]), Ok(&40_000));
        assert!(slots.remove(ids[40_000]).is_some());
        slots.trim();
        assert_eq!((slots.slots.capacity(), slots.free.capacity()), (0, 0));
        // What was given out stays stale, before and after others live there.
        let again: Vec<_> = (0..60_000).filter_map(|n| slots.insert(Box::new(n))).collect();
        for (old, new) in ids.iter().zip(&again) {
            assert_ne!(old, new);
            assert_eq!(slots.living(*old).map_err(|error| error.kind), Err(ErrorKind::Stale));
        }
        for id in again {
            slots.remove(id);
        }
        assert!(slots.slots.len() <= KEEP && slots.slots.capacity() <= KEEP && slots.free.capacity() <= KEEP);
        for id in ids {
            assert_eq!(slots.living(id).map_err(|error| error.kind), Err(ErrorKind::Stale));
        }
        assert_eq!(slots.living(Id::new(59_999, 9)).map_err(|error| error.kind), Err(ErrorKind::Kind));
        assert_eq!(slots.living(Id::new(60_001, 1)).map_err(|error| error.kind), Err(ErrorKind::Kind));
    }

    /// Calls come and go after a peak: they gather at the bottom, whatever slots the peak left.
    #[test]
    fn what_comes_after_a_peak_gathers_below() {
        let mut slots = Slots::<Test, u32>::default();
        let mut living: VecDeque<_> = (0..50_000).filter_map(|n| slots.insert(Box::new(n))).collect();
        while living.len() > 100 {
            slots.remove(living.pop_front().expect("one"));
        }
        for n in 0..40_000 {
            living.extend(slots.insert(Box::new(n)));
            slots.remove(living.pop_front().expect("one"));
        }
        assert!(slots.slots.len() < 5_000, "{}", slots.slots.len());
    }

    #[test]
    fn an_id_that_finds_nothing_is_stale_or_of_no_object_here() {
        let mut slots = Slots::<SessionKind, u32>::default();
        let id = slots.insert(Box::new(7)).expect("room");
        assert_eq!(slots.living(id), Ok(&7));
        *slots.living_mut(id).expect("it lives") += 1;
        assert_eq!(slots.living(id), Ok(&8));
        slots.remove(id);
        let stale = Error::new(ErrorKind::Stale, "the session has ended");
        let never = Error::new(ErrorKind::Kind, "not a token of this agent's sessions");
        for (id, error) in [
            (id, &stale),
            (Id::new(0, 3), &never),
            (Id::new(0, 0), &never),
            (Id::new(1, 1), &never),
            (Id::from_raw(0), &never),
        ] {
            assert_eq!(slots.living(id), Err(error.clone()), "{id:?}");
            assert_eq!(slots.living_mut(id), Err(error.clone()), "{id:?}");
        }
    }

    #[test]
    fn the_first_tenant_of_a_slot_stays_stale_when_another_lives_there() {
        let mut slots = Slots::<OutgoingKind, u32>::default();
        let first = slots.insert(Box::new(0)).expect("room");
        slots.remove(first);
        let tenant = loop {
            let id = slots.insert(Box::new(1)).expect("room");
            if id.index() == first.index() {
                break id;
            }
            slots.remove(id);
        };
        assert_eq!(slots.living_mut(tenant), Ok(&mut 1));
        assert_eq!(slots.living(first).map_err(|error| error.detail), Err("the outgoing request has ended".into()));
    }

    #[test]
    fn next_walks_the_living() {
        let mut slots = Slots::<Test, u32>::default();
        let ids: Vec<_> = (0..5).filter_map(|n| slots.insert(Box::new(n))).collect();
        slots.remove(ids[1]);
        let mut seen = Vec::new();
        let mut at = None;
        while let Some(id) = slots.next(at) {
            seen.push(id);
            at = Some(id);
        }
        assert_eq!(seen, [ids[0], ids[2], ids[3], ids[4]]);
        assert_eq!(slots.next(Some(ids[1])), Some(ids[2]));
    }
}
