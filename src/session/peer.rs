//! What the peer of a session can, by its last INVITE, re-INVITE or 2xx.

use crate::message::{HeaderId, Message};

/// What the peer told of itself.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// RFC 6086: packages that it takes; `None`: it never spoke of packages.
    recv_info: Option<Box<[u8]>>,
}

impl Peer {
    /// Learns from an INVITE or a response that establishes or changes the session (RFC 6086 §5.2).
    pub fn learn(&mut self, message: &Message) {
        let mut values = message.fields(HeaderId::RecvInfo).peekable();
        if values.peek().is_some() {
            let packages: Vec<&[u8]> = values.collect();
            self.recv_info = Some(packages.join(&b","[..]).into_boxed_slice());
        }
    }

    /// Whether an INFO of `package` may be sent (RFC 6086 §4.2.1).
    pub fn takes_info_package(&self, package: &[u8]) -> bool {
        let listed = self.recv_info.as_deref().unwrap_or_default();
        listed.split(|byte| *byte == b',').any(|value| {
            let name = value.split(|byte| *byte == b';').next().unwrap_or_default();
            name.trim_ascii().eq_ignore_ascii_case(package)
        })
    }
}
