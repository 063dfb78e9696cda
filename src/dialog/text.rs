//! The state of a dialog as text (RFC 3261 §12): how one comes from another product.

use crate::dialog::Dialog;
use crate::dialog::id::{AddressText, Names};
use crate::dialog::route_set::RouteSet;
use crate::dialog::sequence::{LocalSequence, RemoteSequence};
use crate::error::{Error, Result};
use crate::message::uri::is_sips;
use crate::message::{NameAddr, Uri, is_token, routes_of, write};

/// RFC 3261 §8.1.1.5: a sequence number is below 2^31.
const NUMBERS: u32 = 1 << 31;

/// What RFC 3261 §12 calls the state of a dialog. Nothing of it was checked.
#[derive(Clone, Copy, Debug)]
pub struct DialogText<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Our tag.
    pub local_tag: &'a [u8],
    /// The peer's; empty when it has none (RFC 2543).
    pub remote_tag: &'a [u8],
    /// Our URI or name-addr, without tag.
    pub local_uri: &'a [u8],
    /// The peer's.
    pub remote_uri: &'a [u8],
    /// Where the peer wants its requests.
    pub remote_target: &'a [u8],
    /// A Route header value, first hop first; may be empty.
    pub route_set: &'a [u8],
    /// Of our last request; `None`: empty.
    pub local_sequence_number: Option<u32>,
    /// Of the peer's last request; `None`: empty.
    pub remote_sequence_number: Option<u32>,
    /// Established by sips over TLS (§12.1).
    pub secure: bool,
}

impl DialogText<'_> {
    /// The dialog. Errors: syntax or argument; the detail names the field.
    pub fn read(&self) -> Result<Dialog> {
        check_call_id(self.call_id)?;
        if !is_token(self.local_tag) {
            return Err(Error::syntax("local_tag: a token (RFC 3261 25.1)"));
        }
        if !self.remote_tag.is_empty() && !is_token(self.remote_tag) {
            return Err(Error::syntax("remote_tag: a token, or empty where the peer has none (RFC 3261 12.1)"));
        }
        let local = address(self.local_uri, "local_uri")?;
        let remote = address(self.remote_uri, "remote_uri")?;
        let target = named("remote_target", uri_of(self.remote_target))?;
        if !target.is_sip() {
            return Err(Error::syntax("remote_target: a sip or sips URI (RFC 3261 12.1.1)"));
        }
        // RFC 5630 §5.1: the remote target of a dialog that sips made is sips.
        if self.secure && !is_sips(self.remote_target) {
            return Err(Error::argument("secure: the remote target is no sips URI (RFC 3261 12.1)"));
        }
        named("route_set", write::check_line(self.route_set))?;
        let routes = named("route_set", routes_of(self.route_set.trim_ascii()))?;
        if self.local_sequence_number.is_some_and(|number| number >= NUMBERS - 1) {
            return Err(Error::argument(
                "local_sequence_number: below 2^31 - 1, for a next one follows (RFC 3261 8.1.1.5)",
            ));
        }
        if self.remote_sequence_number.is_some_and(|number| number >= NUMBERS) {
            return Err(Error::argument("remote_sequence_number: below 2^31 (RFC 3261 8.1.1.5)"));
        }
        Ok(Dialog {
            names: Names::new(self.call_id, self.local_tag, self.remote_tag, local, remote),
            local: self.local_sequence_number.map_or(LocalSequence::EMPTY, LocalSequence::starting_at),
            remote: self.remote_sequence_number.map_or(RemoteSequence::EMPTY, RemoteSequence::starting_at),
            route_set: RouteSet::new(routes),
            remote_target: target.as_target().into(),
            secure: self.secure,
        })
    }
}

/// RFC 3261 §25.1: `word [ "@" word ]`, here any visible text, as Call-IDs are found.
fn check_call_id(call_id: &[u8]) -> Result<()> {
    if call_id.is_empty() || !call_id.iter().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::syntax("call_id: word [@word] (RFC 3261 25.1)"));
    }
    Ok(())
}

fn uri_of(text: &[u8]) -> Result<Uri<'_>> {
    write::check_line(text)?;
    Uri::parse(text)
}

fn address<'a>(text: &'a [u8], name: &'static str) -> Result<AddressText<'a>> {
    named(name, write::check_line(text))?;
    let (read, _) = named(name, NameAddr::of_host(text))?;
    if !read.parameters.is_empty() {
        return Err(Error::syntax(format!(
            "{name}: a URI or name-addr without parameters; tags have their own fields"
        )));
    }
    Ok(AddressText { address: text, uri: read.uri })
}

/// Names the field that a refusal is about.
fn named<T>(name: &'static str, result: Result<T>) -> Result<T> {
    result.map_err(|error| Error::new(error.kind, format!("{name}: {}", error.detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const GOOD: DialogText<'_> = DialogText {
        call_id: b"a84b4c76e66710@pc33.example.com",
        local_tag: b"1928301774",
        remote_tag: b"a6c85cf",
        local_uri: b"\"Alice\" <sip:alice@example.com>",
        remote_uri: b"sip:bob@example.net",
        remote_target: b"sip:bob@[2001:db8::9]:5070;transport=tcp",
        route_set: b"<sip:p1.example;lr>, <sip:p2.example>",
        local_sequence_number: Some(0),
        remote_sequence_number: None,
        secure: false,
    };

    #[test]
    fn what_is_given_is_what_it_becomes() {
        let dialog = GOOD.read().unwrap();
        let names = &dialog.names;
        assert_eq!(names.local_address(), b"\"Alice\" <sip:alice@example.com>");
        assert_eq!(
            (names.local_uri(), names.remote_uri()),
            (&b"sip:alice@example.com"[..], &b"sip:bob@example.net"[..])
        );
        assert_eq!(dialog.id(), b"a84b4c76e66710@pc33.example.com1928301774a6c85cf");
        assert_eq!((dialog.local.last(), dialog.remote.last()), (Some(0), None));
        assert_eq!(dialog.route_set.text(), GOOD.route_set);
        assert_eq!(&*dialog.remote_target, GOOD.remote_target);
        let old = DialogText { remote_tag: b"", local_uri: b"tel:+1-201-555-0123", route_set: b"", ..GOOD };
        let old = old.read().unwrap();
        assert_eq!((old.names.remote_tag(), old.names.local_uri()), (&b""[..], &b"tel:+1-201-555-0123"[..]));
        assert!(old.route_set.is_empty());
        let secure = DialogText { secure: true, remote_target: b"SIPS:bob@192.0.2.9", ..GOOD };
        assert!(secure.read().unwrap().secure);
    }

    #[test]
    fn each_field_is_checked_and_named() {
        let rows: [(&str, DialogText<'_>, ErrorKind); 22] = [
            ("call_id", DialogText { call_id: b"", ..GOOD }, ErrorKind::Syntax),
            ("call_id", DialogText { call_id: b"a b", ..GOOD }, ErrorKind::Syntax),
            ("call_id", DialogText { call_id: b"a\r\nX: y", ..GOOD }, ErrorKind::Syntax),
            ("local_tag", DialogText { local_tag: b"", ..GOOD }, ErrorKind::Syntax),
            ("local_tag", DialogText { local_tag: b"a;b", ..GOOD }, ErrorKind::Syntax),
            ("remote_tag", DialogText { remote_tag: b"a\r\nb", ..GOOD }, ErrorKind::Syntax),
            ("local_uri", DialogText { local_uri: b"", ..GOOD }, ErrorKind::Syntax),
            ("local_uri", DialogText { local_uri: b"alice", ..GOOD }, ErrorKind::Syntax),
            ("local_uri", DialogText { local_uri: b"<sip:a@b>;tag=1", ..GOOD }, ErrorKind::Syntax),
            ("remote_uri", DialogText { remote_uri: b"<sip:a@b>\r\nX: y", ..GOOD }, ErrorKind::Syntax),
            ("remote_uri", DialogText { remote_uri: b"<sip:a@b", ..GOOD }, ErrorKind::Syntax),
            ("remote_target", DialogText { remote_target: b"", ..GOOD }, ErrorKind::Syntax),
            ("remote_target", DialogText { remote_target: b"tel:+1", ..GOOD }, ErrorKind::Syntax),
            ("remote_target", DialogText { remote_target: b"<sip:a@b>", ..GOOD }, ErrorKind::Syntax),
            ("remote_target", DialogText { remote_target: b"sip:a@b\n", ..GOOD }, ErrorKind::Syntax),
            ("route_set", DialogText { route_set: b"sip:p1;lr", ..GOOD }, ErrorKind::Syntax),
            ("route_set", DialogText { route_set: b"<sip:p1;lr>,", ..GOOD }, ErrorKind::Syntax),
            ("route_set", DialogText { route_set: b"<sip:p1;lr>\r\nX: y", ..GOOD }, ErrorKind::Syntax),
            ("local_sequence", DialogText { local_sequence_number: Some(1 << 31), ..GOOD }, ErrorKind::Argument),
            ("remote_sequence", DialogText { remote_sequence_number: Some(u32::MAX), ..GOOD }, ErrorKind::Argument),
            ("secure", DialogText { secure: true, ..GOOD }, ErrorKind::Argument),
            ("remote_uri", DialogText { remote_uri: b"http:/ /x", ..GOOD }, ErrorKind::Syntax),
        ];
        for (name, text, kind) in rows {
            let error = text.read().expect_err(name);
            assert_eq!(error.kind, kind, "{name}: {}", error.detail);
            assert!(error.detail.starts_with(name), "{name}: {}", error.detail);
        }
    }
}
