//! Tokens, and the one table that finds the agent of a token.
//!
//! A token: 2 bits kind, 10 bits agent slot, 4 bits shard (0 until there are shards), 22 bits index, 26 bits
//! generation. An agent's generation counts its slot's tenants. An object's counts on where the objects of the slot's
//! tenants before ended, so that a token is never good for another object than its own.
//!
//! The place of an agent is made when its slot is first used and never freed, only emptied: a look-up reads one pointer
//! and one number, locks nothing and counts nothing.

use crate::error::{Error, ErrorKind, Result};
use crate::ffi::cell::AgentCell;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};

const GENERATION_BITS: u32 = 26;
const INDEX_BITS: u32 = 22;
const SHARD_BITS: u32 = 4;
const SLOT_BITS: u32 = 10;
const SLOT_SHIFT: u32 = GENERATION_BITS + INDEX_BITS + SHARD_BITS;
const KIND_SHIFT: u32 = SLOT_SHIFT + SLOT_BITS;
/// The highest generation.
pub(crate) const LAST_GENERATION: u32 = (1 << GENERATION_BITS) - 1;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;
/// Slots; 0 is never used, so that no token is 0.
const SLOTS: usize = 1 << SLOT_BITS;

/// What a token is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Agent = 0,
    Session = 1,
    Incoming = 2,
    Outgoing = 3,
}

/// The token of an agent.
pub(crate) fn agent_token(slot: u16, generation: u32) -> u64 {
    u64::from(slot) << SLOT_SHIFT | u64::from(generation) << INDEX_BITS
}

/// The token of an object of an agent: `raw` is the core's id.
pub(crate) fn object_token(kind: Kind, slot: u16, base: u32, raw: u64) -> u64 {
    let (index, generation) = parts(raw);
    let generation = generation.wrapping_add(base) & LAST_GENERATION;
    u64::from(kind as u8) << KIND_SHIFT | u64::from(slot) << SLOT_SHIFT | u64::from(generation) << INDEX_BITS | index
}

/// Index and generation of the core's id.
pub(crate) fn parts(raw: u64) -> (u64, u32) {
    (raw & INDEX_MASK, (raw >> INDEX_BITS) as u32 & LAST_GENERATION)
}

/// The core's id of a token, unless a former tenant of the slot gave it out.
pub(crate) fn core_id(token: u64, base: u32) -> Result<u64> {
    let (index, generation) = parts(token);
    match generation.checked_sub(base) {
        None | Some(0) => Err(stale()),
        Some(generation) => Ok(u64::from(generation) << INDEX_BITS | index),
    }
}

/// ERR_STALE.
pub(crate) fn stale() -> Error {
    Error::new(ErrorKind::Stale, "the object has ended")
}

fn wrong_kind(token: u64, kind: Kind) -> Error {
    let name = match kind {
        Kind::Agent => "an agent",
        Kind::Session => "a session",
        Kind::Incoming => "an incoming request",
        Kind::Outgoing => "an outgoing request",
    };
    Error::new(
        ErrorKind::Kind,
        if token == 0 { format!("0 is no token of {name}") } else { format!("not a token of {name}") },
    )
}

struct Slot {
    cell: AtomicPtr<AgentCell>,
    state: AtomicU8,
}

const FREE: u8 = 0;
const TAKEN: u8 = 1;
const RETIRED: u8 = 2;

static TABLE: [Slot; SLOTS] =
    [const { Slot { cell: AtomicPtr::new(std::ptr::null_mut()), state: AtomicU8::new(FREE) } }; SLOTS];

/// The place of a slot, if it was ever used.
fn place(slot: usize) -> Option<&'static AgentCell> {
    let cell = TABLE.get(slot)?.cell.load(Ordering::Acquire);
    // SAFETY: a pointer in the table comes from a leaked box and is good for ever.
    unsafe { cell.as_ref() }
}

/// The place that a token names, once its kind is right. Whether its agent is there the place must say.
pub(crate) fn find(token: u64, kind: Kind) -> Result<&'static AgentCell> {
    let shard = token >> (GENERATION_BITS + INDEX_BITS) & ((1 << SHARD_BITS) - 1);
    let of_agent = kind == Kind::Agent;
    if token >> KIND_SHIFT != u64::from(kind as u8)
        || shard != 0
        || parts(token).1 == 0
        || of_agent && parts(token).0 != 0
    {
        return Err(wrong_kind(token, kind));
    }
    let slot = (token >> SLOT_SHIFT) as usize & (SLOTS - 1);
    let cell = place(slot).ok_or_else(|| wrong_kind(token, kind))?;
    if of_agent && cell.token.load(Ordering::Relaxed) != token {
        return Err(if parts(token).1 <= cell.tenants.load(Ordering::Relaxed) {
            stale()
        } else {
            wrong_kind(token, kind)
        });
    }
    Ok(cell)
}

/// sipdlg_agent_wake(): no lock, no allocation, no thread-local; the status.
pub(crate) fn wake(token: u64) -> i32 {
    let slot = (token >> SLOT_SHIFT) as usize;
    // Another kind has bits above the slot's, and with them no place.
    match place(slot).filter(|_| parts(token).0 == 0) {
        Some(cell) => cell.wake(token),
        None => -3,
    }
}

/// Takes the lowest free slot for a new agent. Errors: limit.
pub(crate) fn claim() -> Result<&'static AgentCell> {
    for (number, slot) in TABLE.iter().enumerate().skip(1) {
        if slot.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            continue;
        }
        if let Some(cell) = place(number) {
            if cell.is_stuck() {
                release(number as u16, true);
                continue;
            }
            return Ok(cell);
        }
        let cell: &'static AgentCell = Box::leak(Box::new(AgentCell::new(number as u16)));
        slot.cell.store(std::ptr::from_ref(cell).cast_mut(), Ordering::Release);
        return Ok(cell);
    }
    Err(Error::new(ErrorKind::Limit, "1,023 agents live"))
}

/// Gives a slot back; `for_ever`: its generations are used up, or what is in it cannot be reached any more.
pub(crate) fn release(slot: u16, for_ever: bool) {
    if let Some(slot) = TABLE.get(usize::from(slot)) {
        slot.state.store(if for_ever { RETIRED } else { FREE }, Ordering::Release);
    }
}

/// A number that this process has and its children have not. It never is 0.
#[cfg(target_os = "linux")]
pub(crate) fn process_stamp() -> u64 {
    let page = PAGE.load(Ordering::Acquire);
    // SAFETY: the page is mapped for ever, and zeroed by the kernel in a child, which is as good as a store of 0.
    match unsafe { page.as_ref() } {
        Some(stamp) => match stamp.load(Ordering::Relaxed) {
            0 => mark(stamp),
            stamp => stamp,
        },
        None => first_stamp(),
    }
}

#[cfg(target_os = "linux")]
static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(std::ptr::null_mut());

/// This process had no stamp: the nanosecond serves, which no other process of its family took.
#[cfg(target_os = "linux")]
fn mark(stamp: &AtomicU64) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec. Safe in a signal handler.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    let mine = (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64) | 1;
    match stamp.compare_exchange(0, mine, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => mine,
        Err(another) => another,
    }
}

/// Maps the page that the kernel wipes in children. Where it cannot be had the process id serves.
#[cfg(target_os = "linux")]
fn first_stamp() -> u64 {
    let size = std::mem::size_of::<AtomicU64>();
    // SAFETY: a new private mapping; the advice is for it alone.
    let page = unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if page == libc::MAP_FAILED {
            return std::process::id().into();
        }
        if libc::madvise(page, size, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, size);
            return std::process::id().into();
        }
        page.cast::<AtomicU64>()
    };
    let stored = PAGE.compare_exchange(std::ptr::null_mut(), page, Ordering::AcqRel, Ordering::Acquire);
    if stored.is_err() {
        // SAFETY: our own mapping, which nobody else has seen.
        unsafe { libc::munmap(page.cast(), size) };
    }
    process_stamp()
}

/// A number that this process has and its children have not. It never is 0.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_stamp() -> u64 {
    std::process::id().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_what_it_was_made_of() {
        for (slot, base, raw) in [(1, 0, 1 << 22), (1_023, 77, (5 << 22) | 0x3f_ffff), (512, 1 << 25, (9 << 22) | 1)] {
            for kind in [Kind::Session, Kind::Incoming, Kind::Outgoing] {
                let token = object_token(kind, slot, base, raw);
                assert_eq!(core_id(token, base).ok(), Some(raw));
                assert_eq!(token >> KIND_SHIFT, kind as u64);
                assert_eq!(token >> SLOT_SHIFT & 0x3ff, u64::from(slot));
            }
        }
        assert_ne!(agent_token(1, 1), 0);
    }

    #[test]
    fn the_tenant_before_left_only_stale_tokens() {
        let old = object_token(Kind::Session, 3, 0, (4 << 22) | 2);
        assert_eq!(core_id(old, 4).map_err(|error| error.kind), Err(ErrorKind::Stale));
        assert_eq!(core_id(old, 9).map_err(|error| error.kind), Err(ErrorKind::Stale));
    }

    #[test]
    fn what_never_was_a_token_is_of_no_kind() {
        for token in [0, 1, u64::MAX, 1 << SLOT_SHIFT, agent_token(1_023, 5) | 1] {
            for kind in [Kind::Agent, Kind::Session, Kind::Incoming, Kind::Outgoing] {
                assert_eq!(
                    find(token, kind).err().map(|error| error.kind),
                    Some(ErrorKind::Kind),
                    "{token:x} {kind:?}"
                );
            }
        }
    }

    #[test]
    fn the_stamp_is_of_this_process() {
        assert_ne!(process_stamp(), 0);
        assert_eq!(process_stamp(), process_stamp());
    }
}
