//! What the peer of a session can, by its last INVITE, re-INVITE or 2xx.

use crate::message::{HeaderId, Message};

/// What the peer told of itself.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// RFC 6086: names of the packages that it takes, with commas between; `None`: it never spoke of packages.
    recv_info: Option<Box<[u8]>>,
    update: Takes,
}

/// Whether the peer takes a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Takes {
    /// It has not said.
    #[default]
    Unknown,
    /// Its Allow lists it.
    Yes,
    /// Its Allow does not.
    No,
    /// It answered 405 or 501, whatever its Allow says.
    Never,
}

/// A package without its parameters (RFC 6086 §9).
fn name_of(package: &[u8]) -> &[u8] {
    package.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

impl Peer {
    /// Learns from an INVITE or a response that establishes or changes the session (RFC 6086 §5.2).
    pub fn learn(&mut self, message: &Message) {
        self.learn_methods(message);
        if message.header(HeaderId::RecvInfo).is_some() {
            // A quoted parameter may have commas of its own.
            let packages: Vec<&[u8]> = message.values(HeaderId::RecvInfo).map(name_of).collect();
            self.recv_info = Some(packages.join(&b","[..]).into_boxed_slice());
        }
    }

    /// Learns what any message of the peer's that has an Allow says of UPDATE (RFC 3311 §5.1).
    pub fn learn_methods(&mut self, message: &Message) {
        if self.update != Takes::Never && message.header(HeaderId::Allow).is_some() {
            let listed = message.values(HeaderId::Allow).any(|method| method == b"UPDATE");
            self.update = if listed { Takes::Yes } else { Takes::No };
        }
    }

    /// It has refused an UPDATE: 405 and 501 speak of all of them (RFC 3261 §21.4.6, §21.5.2).
    pub fn refuses_update(&mut self, status: u16, refusal: &Message) {
        match status {
            405 | 501 => self.update = Takes::Never,
            _ => self.learn_methods(refusal),
        }
    }

    /// Whether an UPDATE may be sent: it has not said that it takes none.
    pub fn may_take_update(&self) -> bool {
        matches!(self.update, Takes::Unknown | Takes::Yes)
    }

    /// Whether it has said that it takes UPDATE.
    pub fn takes_update(&self) -> bool {
        self.update == Takes::Yes
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.recv_info.as_ref().map_or(0, |listed| listed.len())
    }

    /// Whether an INFO of `package` may be sent (RFC 6086 §4.2.1).
    pub fn takes_info_package(&self, package: &[u8]) -> bool {
        let (listed, asked) = (self.recv_info.as_deref().unwrap_or_default(), name_of(package));
        !asked.is_empty() && listed.split(|byte| *byte == b',').any(|name| name.eq_ignore_ascii_case(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    #[test]
    fn the_packages_that_it_takes() {
        // Header lines of each message, the package, whether an INFO of it may be sent.
        let rows: [(&[&str], &str, bool); 15] = [
            // RFC 6086 §4.2.1: only what the peer has listed.
            (&[], "foo", false),
            (&[], "", false),
            (&[""], "foo", false),
            (&["Recv-Info: foo\r\n"], "foo", true),
            (&["Recv-Info: foo\r\n"], "bar", false),
            (&["Recv-Info: foobar\r\n"], "foo", false),
            // RFC 3261 §7.3.1: a list, on one line or several; names in any case.
            (&["Recv-Info: foo, bar\r\n"], "bar", true),
            (&["Recv-Info: foo\r\nRecv-Info: bar\r\n"], "foo", true),
            (&["Recv-Info: foo\r\nRecv-Info: bar\r\n"], "bar", true),
            (&["Recv-Info: Foo\r\n"], "fOO", true),
            // RFC 6086 §9: parameters are not the name, in neither header.
            (&["Recv-Info: foo;a=b , bar\r\n"], "foo", true),
            (&["Recv-Info: foo;a=\"b,bar,c\"\r\n"], "bar", false),
            (&["Recv-Info: foo\r\n"], "foo;a=b", true),
            // RFC 6086 §5.2.2: a new list replaces the former, an empty one too; a message without one leaves it.
            (&["Recv-Info: foo\r\n", ""], "foo", true),
            (&["Recv-Info: foo\r\n", "Recv-Info:\r\n"], "foo", false),
        ];
        for (messages, package, expected) in rows {
            let mut peer = Peer::default();
            for lines in messages {
                peer.learn(&fixture::response(200, 1, lines, ""));
            }
            assert_eq!(peer.takes_info_package(package.as_bytes()), expected, "{messages:?} {package}");
        }
    }
}
