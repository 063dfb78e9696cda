//! What is held on the heap and for whom, in bytes as an allocator is asked for them.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use smallvec::{Array, SmallVec};

use crate::shrink::Shrink;

/// What an `Arc` takes beside its value.
pub const COUNTED: usize = 2 * size_of::<usize>();

/// An object of an agent.
pub trait Held {
    /// All that goes with it when it goes, its own place included. What two objects share is the one's alone.
    fn held(&self) -> usize;
}

/// Bytes behind an `Arc`.
pub fn shared(bytes: &[u8]) -> usize {
    (COUNTED + bytes.len()).next_multiple_of(align_of::<usize>())
}

/// The same, where there are some.
pub fn shared_or_none(bytes: Option<&std::sync::Arc<[u8]>>) -> usize {
    bytes.map_or(0, |bytes| shared(bytes))
}

/// A list.
pub fn list<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

/// A queue.
pub fn queue<T>(queue: &VecDeque<T>) -> usize {
    queue.capacity() * size_of::<T>()
}

/// A short list, of which the first entries take nothing.
pub fn spilled<A: Array>(list: &SmallVec<A>) -> usize {
    if list.spilled() { list.capacity() * size_of::<A::Item>() } else { 0 }
}

/// A hash table: one byte of control for each bucket, of which seven of eight are used at most. Their number is a power of
/// two; what was removed may leave less room than that says.
pub fn table<K, V, S>(table: &HashMap<K, V, S>) -> usize {
    let buckets = match table.capacity() {
        0 => return 0,
        1..=3 => 4,
        4..=7 => 8,
        many => many.saturating_mul(8).div_ceil(7).next_power_of_two(),
    };
    (buckets * size_of::<(K, V)>()).next_multiple_of(CONTROLS) + buckets + CONTROLS
}

/// Control bytes that are read at a time.
const CONTROLS: usize = 16;

/// The sum over the objects of a table, kept up to date by it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    total: usize,
    /// `None`: nobody wants to know.
    shares: Option<Shares>,
}

/// What is held for each peer.
#[derive(Clone, Debug, Default)]
struct Shares {
    /// By peer.
    sums: HashMap<u128, usize>,
    /// By the place of an object.
    owners: HashMap<u32, u128>,
}

impl Ledger {
    /// From now on it knows the shares of peers too. Before the first object.
    pub fn with_shares(&mut self) {
        self.shares.get_or_insert_default();
    }

    /// The sum.
    pub fn total(&self) -> usize {
        self.total
    }

    /// What is held for a peer.
    pub fn share(&self, peer: IpAddr) -> usize {
        self.shares.as_ref().and_then(|shares| shares.sums.get(&share_of(peer))).copied().unwrap_or(0)
    }

    /// What is at this place is held for a peer. Before it is counted.
    pub fn owned_by(&mut self, place: u32, peer: IpAddr) {
        if let Some(shares) = &mut self.shares {
            shares.owners.insert(place, share_of(peer));
        }
    }

    /// The object at this place held `before` bytes and holds `now`.
    pub fn change(&mut self, place: u32, before: usize, now: usize) {
        self.total = self.total.saturating_sub(before).saturating_add(now);
        let Some(shares) = &mut self.shares else { return };
        let Some(peer) = shares.owners.get(&place) else { return };
        let sum = shares.sums.entry(*peer).or_default();
        *sum = sum.saturating_sub(before).saturating_add(now);
        if *sum == 0 {
            shares.sums.remove(peer);
            shares.sums.ease();
        }
    }

    /// The object at this place, which held so much, is gone.
    pub fn gone(&mut self, place: u32, held: usize) {
        self.change(place, held, 0);
        if let Some(shares) = &mut self.shares {
            shares.owners.remove(&place);
            shares.owners.ease();
        }
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        if let Some(shares) = &mut self.shares {
            shares.sums.fit();
            shares.owners.fit();
        }
    }

    /// Its own memory.
    pub fn bytes(&self) -> usize {
        self.shares.as_ref().map_or(0, |shares| table(&shares.sums) + table(&shares.owners))
    }
}

/// One share: an IPv4 address, or the 64 bits of a network of IPv6, of which one host has all addresses (RFC 6177).
pub fn share_of(peer: IpAddr) -> u128 {
    match peer.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64 | 1 << 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_addresses_and_networks() {
        let mut ledger = Ledger::default();
        ledger.with_shares();
        let peers =
            ["192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"];
        let address = |peer: &str| peer.parse::<IpAddr>().expect("an address");
        let sizes = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
        for (place, size) in (0..).zip(sizes) {
            // The last one is nobody's.
            if let Some(peer) = peers.get(place as usize) {
                ledger.owned_by(place, address(peer));
            }
            ledger.change(place, 0, size);
        }
        let share = |ledger: &Ledger, peer: &str| ledger.share(address(peer));
        let of_four = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|peer| share(&ledger, peer));
        let of_six = ["2001:db8::77", "2001:db8:0:1::", "2001:db8:0:2::1"].map(|peer| share(&ledger, peer));
        assert_eq!((ledger.total(), of_four, of_six), (1_111_111, [101, 10, 0], [11_000, 100_000, 0]));
        ledger.change(0, 1, 5);
        assert_eq!((ledger.total(), share(&ledger, "192.0.2.1")), (1_111_115, 105));
        for (place, size) in (0..).zip([5, 10, 100, 1_000, 10_000, 100_000, 1_000_000]) {
            ledger.gone(place, size);
        }
        let left = ledger.shares.map(|shares| (shares.sums.len(), shares.owners.len()));
        assert_eq!((ledger.total, left), (0, Some((0, 0))));
    }
}
