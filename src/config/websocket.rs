//! WebSockets of the library's sockets (RFC 7118).

use crate::config::{Config, line};
use crate::error::{Error, Result};
use crate::message::is_token;
use std::time::Duration;

/// What `sipdlg_config_set_websocket` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocket {
    /// What is asked for when we connect.
    pub path: Vec<u8>,
    /// Header lines of that request: Origin, Cookie, Authorization.
    pub headers: Vec<Vec<u8>>,
    /// How often a peer is asked whether it is there; `None`: never.
    pub ping: Option<Duration>,
}

impl Default for WebSocket {
    fn default() -> Self {
        // Proxies commonly forget a connection after a minute of silence.
        Self { path: b"/".to_vec(), headers: Vec::new(), ping: Some(Duration::from_secs(25)) }
    }
}

/// What the library writes itself.
const OURS: [&[u8]; 8] = [
    b"Host",
    b"Connection",
    b"Upgrade",
    b"Content-Length",
    b"Sec-WebSocket-Key",
    b"Sec-WebSocket-Version",
    b"Sec-WebSocket-Protocol",
    b"Sec-WebSocket-Extensions",
];

impl Config {
    /// `None`: "/"; `ping_s` 0: the default, -1: never. Errors: syntax, argument.
    pub fn set_websocket(&mut self, path: Option<&[u8]>, headers: &[&[u8]], ping_s: i32) -> Result<()> {
        let mut wanted = WebSocket::default();
        if let Some(path) = path {
            // RFC 9112 §3.2.1.
            if !path.starts_with(b"/") || !path.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
                return Err(Error::syntax("path: begins with /, without blanks"));
            }
            wanted.path = path.to_vec();
        }
        for header in headers {
            let text = line(header, "headers")?;
            let name = text.split(|byte| *byte == b':').next().filter(|name| name.len() < text.len());
            match name {
                Some(name) if is_token(name) && !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) => {}
                _ => return Err(Error::syntax("headers: Name: value, and none that the library writes itself")),
            }
            wanted.headers.push(text.to_vec());
        }
        wanted.ping = match ping_s {
            -1 => None,
            0 => wanted.ping,
            seconds => Some(Duration::from_secs(
                u64::try_from(seconds)
                    .map_err(|_| Error::argument(format!("ping_s is {seconds}; it must be -1 or not negative")))?,
            )),
        };
        self.websocket = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let mut config = Config::default();
        for (path, headers, ping_s, good) in [
            (None, vec![], 0, true),
            (Some(&b"/ws?token=1"[..]), vec![&b"Origin: https://example.com"[..], b"Cookie: a=b; c=d"], 10, true),
            (None, vec![], -1, true),
            (Some(b"ws"), vec![], 0, false),
            (Some(b"/a b"), vec![], 0, false),
            (Some(b"/a#b"), vec![], 0, false),
            (None, vec![b"Host: other"], 0, false),
            (None, vec![b"sec-websocket-protocol: xmpp"], 0, false),
            (None, vec![b"Origin: a\r\nCookie: b"], 0, false),
            (None, vec![b"Origin"], 0, false),
            (None, vec![b"a b: c"], 0, false),
            (None, vec![], -2, false),
        ] {
            let before = config.websocket.clone();
            let set = config.set_websocket(path, &headers, ping_s);
            assert_eq!(set.is_ok(), good, "{path:?} {headers:?} {ping_s}");
            assert!(good || config.websocket == before, "an error changes nothing");
        }
    }
}
