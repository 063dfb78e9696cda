//! Addresses that no name server is asked for: hosts(5), and names that lead nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// hosts(5), in lower case: few names of it are ever asked for, and some have a hundred thousand.
#[derive(Debug, Default)]
pub struct Hosts(Box<str>);

impl Hosts {
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    fn lines_with(&self, name: &str) -> impl Iterator<Item = &str> {
        let text = &*self.0;
        memchr::memmem::find_iter(text.as_bytes(), name.as_bytes()).filter_map(|at| {
            let begin = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
            text.get(begin..)?.lines().next()
        })
    }

    /// `None`: somebody else knows. The name is in lower case, without the last dot.
    pub fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let mut addresses = Vec::new();
        for line in self.lines_with(name) {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            // What has a zone is reached through one interface only, which a flow cannot say.
            let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
            let is_it = words.any(|word| word.strip_suffix('.').unwrap_or(word) == name);
            if is_it && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            return Some(addresses);
        }
        // Targets of records that are no names, but meant so.
        if let Ok(address) = name.parse::<IpAddr>() {
            return Some(vec![address]);
        }
        match name.rsplit('.').next() {
            // RFC 6761 §6.3, §6.4.
            Some("localhost") => Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
            Some("invalid") => Some(Vec::new()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_known_without_asking() {
        let hosts = Hosts::new(
            "127.0.0.1 localhost\n\
             192.0.2.1\tpbx pbx.example # comment pbx.other\n\
             2001:db8::1 PBX.Example. pbx.example\n\
             fe80::1%eth0 zone\n\
             nonsense nobody\n\
             192.0.2.9\n#192.0.2.2 pbx\n192.0.2.7 here.invalid",
        );
        for (name, addresses) in [
            ("pbx", Some(vec!["192.0.2.1"])),
            ("pbx.example", Some(vec!["192.0.2.1", "2001:db8::1"])),
            ("pbx.other", None),
            ("zone", None),
            ("nobody", None),
            ("localhost", Some(vec!["127.0.0.1"])),
            ("a.localhost", Some(vec!["127.0.0.1", "::1"])),
            ("abc.invalid", Some(vec![])),
            ("invalid", Some(vec![])),
            ("here.invalid", Some(vec!["192.0.2.7"])),
            ("invalid.example", None),
            ("192.0.2.3", Some(vec!["192.0.2.3"])),
        ] {
            let expected = addresses.map(|all| all.iter().map(|one| one.parse().expect("an address")).collect());
            assert_eq!(hosts.addresses(name), expected, "{name}");
        }
    }
}
