//! How many connections each address has made.

use crate::held::share_of;
use std::collections::HashMap;
use std::net::IpAddr;

/// By address, or network of IPv6, of which one host has all addresses.
#[derive(Default)]
pub(super) struct Addresses(HashMap<u128, u32>);

impl Addresses {
    pub fn count(&self, peer: IpAddr) -> u32 {
        self.0.get(&share_of(peer)).copied().unwrap_or(0)
    }

    pub fn come(&mut self, peer: IpAddr) {
        *self.0.entry(share_of(peer)).or_default() += 1;
    }

    pub fn go(&mut self, peer: IpAddr) {
        let share = share_of(peer);
        if let Some(count) = self.0.get_mut(&share) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut addresses = Addresses::default();
        let peers = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1"];
        peers.iter().for_each(|peer| addresses.come(ip(peer)));
        let counts = |addresses: &Addresses| peers.map(|peer| addresses.count(ip(peer)));
        assert_eq!(counts(&addresses), [2, 2, 1, 2, 2, 1]);
        addresses.go(ip("2001:db8::77"));
        assert_eq!(counts(&addresses), [2, 2, 1, 1, 1, 1]);
        peers[..4].iter().for_each(|peer| addresses.go(ip(peer)));
        assert_eq!((counts(&addresses), addresses.0.len()), ([0, 0, 0, 0, 0, 1], 1));
    }
}
