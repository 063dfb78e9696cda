//! Whom the library's own resolver asks.

use crate::config::Config;
use crate::error::{Error, Result};
use std::net::{IpAddr, SocketAddr};

/// More would not be reached in the time that a request has.
const MOST: usize = 8;
/// Where no port is given (RFC 1035 §4.2).
const PORT: u16 = 53;

impl Config {
    /// "192.0.2.53,127.0.0.1:5353,[2001:db8::53]:53"; `None`: whom the system names. Errors: syntax.
    pub fn set_name_servers(&mut self, addresses: Option<&[u8]>) -> Result<()> {
        let wrong =
            || Error::syntax("resolver: 1 to 8 of 192.0.2.53, 192.0.2.53:53, [2001:db8::53]:53, between commas");
        let servers = match addresses {
            Some(text) => {
                let text = std::str::from_utf8(text).map_err(|_| wrong())?;
                text.split(',').map(|one| address(one.trim()).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?
            }
            None => Vec::new(),
        };
        if servers.len() > MOST {
            return Err(wrong());
        }
        self.name_servers = servers;
        Ok(())
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().ok().filter(|ip| bare == text || ip.is_ipv6());
    let address = text.parse().ok().or(ip.map(|ip| SocketAddr::new(ip, PORT)))?;
    (address.port() != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_name_servers() {
        let mut config = Config::default();
        for (text, expected) in [
            ("127.0.0.1:5353,[::1]:53", &["127.0.0.1:5353", "[::1]:53"][..]),
            (" 192.0.2.53 , 2001:db8::53,[2001:db8::54]", &["192.0.2.53:53", "[2001:db8::53]:53", "[2001:db8::54]:53"]),
        ] {
            assert_eq!(config.set_name_servers(Some(text.as_bytes())), Ok(()), "{text}");
            let servers: Vec<String> = config.name_servers.iter().map(ToString::to_string).collect();
            assert_eq!(servers, expected, "{text}");
        }
        let before = config.name_servers.clone();
        let nine = ["192.0.2.1"; 9].join(",");
        for text in
            ["", ",", "192.0.2.1,", "localhost", "192.0.2.1:0", "192.0.2.1:x", "[192.0.2.1]", "::1:53:", "[::1", &nine]
        {
            assert!(config.set_name_servers(Some(text.as_bytes())).is_err(), "{text}");
        }
        assert!(config.set_name_servers(Some(b"\xff")).is_err());
        assert_eq!(config.name_servers, before);
        assert_eq!(config.set_name_servers(None), Ok(()));
        assert!(config.name_servers.is_empty());
    }
}
