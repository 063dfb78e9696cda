//! Replaces (RFC 3891 §6.1).

use super::grammar::{self, Parameters, is_token, trim};
use crate::error::{Error, Result};

/// A Replaces value: the dialog that shall be replaced, from the view of who gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Its Call-ID.
    pub call_id: &'a [u8],
    /// The tag of who gets it.
    pub to_tag: &'a [u8],
    /// The tag of the other side; "0" stands for none too (RFC 3891 §4).
    pub from_tag: &'a [u8],
    /// Only when the dialog is early.
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// Reads a value.
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        const FORM: &str = "Replaces: call-id;to-tag=x;from-tag=y (RFC 3891 6.1)";
        let bad = || Error::syntax(FORM);
        let (call_id, parameters) =
            value.split_at_checked(grammar::find(b';', value).unwrap_or(value.len())).ok_or_else(bad)?;
        let call_id = trim(call_id);
        if call_id.is_empty() || call_id.iter().any(|byte| byte.is_ascii_whitespace()) {
            return Err(bad());
        }
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for parameter in Parameters::new(parameters) {
            let parameter = parameter?;
            let tag = || parameter.value.filter(|value| is_token(value)).ok_or_else(bad);
            // §6.1: each exactly once.
            let place = match parameter.name {
                name if name.eq_ignore_ascii_case(b"to-tag") => &mut to_tag,
                name if name.eq_ignore_ascii_case(b"from-tag") => &mut from_tag,
                name if name.eq_ignore_ascii_case(b"early-only") => {
                    early_only = true;
                    continue;
                }
                _ => continue,
            };
            if place.replace(tag()?).is_some() {
                return Err(bad());
            }
        }
        let (to_tag, from_tag) = to_tag.zip(from_tag).ok_or_else(bad)?;
        Ok(Self { call_id, to_tag, from_tag, early_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces() {
        let read = Replaces::parse(b"98732@sip.example.com ;from-tag=r33th4x0r;to-tag=ff87ff;x=y").unwrap();
        let (call_id, to_tag, from_tag) = (&b"98732@sip.example.com"[..], &b"ff87ff"[..], &b"r33th4x0r"[..]);
        assert_eq!(read, Replaces { call_id, to_tag, from_tag, early_only: false });
        assert!(Replaces::parse(b"a;to-tag=1;from-tag=2;early-only").unwrap().early_only);
        for bad in [
            "",
            ";to-tag=1;from-tag=2",
            "a",
            "a;to-tag=1",
            "a;from-tag=1",
            "a;to-tag=1;to-tag=2;from-tag=3",
            "a;to-tag;from-tag=3",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;from-tag=2;",
        ] {
            assert!(Replaces::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
