//! name-addr and addr-spec with header parameters: From, To, Contact, Route, Refer-To, ... (RFC 3261 §20.10, §25.1).

use super::grammar::{self, BLANK, Parameter, Parameters, TOKEN, is, quoted, trim, trim_start, unquote};
use super::uri::{self, Uri};
use crate::error::{Error, Result};
use std::borrow::Cow;

/// One address value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// As written, with its quotes; empty when there is none.
    pub display_name: &'a [u8],
    /// The URI as written, without `<>`.
    pub uri: &'a [u8],
    /// The header parameters as written, from the first `;`.
    pub parameters: &'a [u8],
    /// The tag (RFC 3261 §19.3).
    pub tag: Option<&'a [u8]>,
}

/// Display name, URI, and what stands behind.
type Parts<'a> = (&'a [u8], &'a [u8], &'a [u8]);

impl<'a> NameAddr<'a> {
    /// Reads one value. The URI is only seen to have a scheme; [`NameAddr::parse_uri`] reads it.
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        Self::read(value).map_err(Error::syntax)
    }

    #[inline]
    pub(crate) fn read(value: &'a [u8]) -> Result<Self, &'static str> {
        Self::read_as::<false>(value)
    }

    /// [`NameAddr::read`] of a value whose display name lacks its quotes: it may have `&`, `,`, `(` and `)`.
    #[cold]
    pub(crate) fn read_unquoted(value: &'a [u8]) -> Result<Self, &'static str> {
        Self::read_as::<true>(value)
    }

    /// The URI of a value, whatever its header parameters are worth.
    pub fn uri_of(value: &'a [u8]) -> Option<&'a [u8]> {
        Self::parts::<false>(value).ok().map(|(_, uri, _)| uri)
    }

    #[inline]
    fn read_as<const UNQUOTED: bool>(value: &'a [u8]) -> Result<Self, &'static str> {
        let (display_name, uri, rest) = Self::parts::<UNQUOTED>(value)?;
        let parameters = trim_start(rest);
        let mut tag = None;
        let mut list = Parameters::new(parameters);
        while let Some(parameter) = list.step() {
            let parameter = parameter.ok_or("name-addr: parameter (RFC 3261 25.1 generic-param)")?;
            if parameter.name.len() == 3 && parameter.is(b"tag") {
                match parameter.value {
                    Some(value) if value.first() != Some(&b'"') && tag.is_none() => tag = Some(value),
                    _ => return Err("name-addr: one tag, a token (RFC 3261 25.1 tag-param)"),
                }
            }
        }
        Ok(Self { display_name, uri, parameters, tag })
    }

    #[inline]
    pub(super) fn parts<const UNQUOTED: bool>(value: &'a [u8]) -> Result<Parts<'a>, &'static str> {
        const BRACKETS: &str = "name-addr: display name and <URI> (RFC 3261 25.1)";
        let (display_name, uri, rest) = if value.first() == Some(&b'"') {
            let (_, rest) = quoted(value).ok_or("name-addr: quoted string without an end (RFC 3261 25.1)")?;
            let name = value.get(..value.len() - rest.len()).ok_or(BRACKETS)?;
            let inner = trim_start(rest).strip_prefix(b"<").ok_or(BRACKETS)?;
            let (uri, rest) = grammar::split_once(inner, b'>').ok_or(BRACKETS)?;
            (name, uri, rest)
        } else if let Some((name, inner)) = grammar::split_once(value, b'<').filter(|(name, _)| may_be_a_name(name)) {
            let name = trim(name);
            // *(token LWS); bytes beyond ASCII are tolerated, for UTF-8 names without quotes are common.
            let unquoted = |byte: &u8| UNQUOTED && matches!(byte, b'&' | b',' | b'(' | b')');
            if !name.iter().all(|byte| is(*byte, TOKEN | BLANK) || *byte >= 0x80 || unquoted(byte)) {
                return Err("name-addr: display name is tokens or a quoted string (RFC 3261 25.1)");
            }
            let (uri, rest) = grammar::split_once(inner, b'>').ok_or(BRACKETS)?;
            (name, uri, rest)
        } else {
            // RFC 3261 §20: without <> every parameter is the header's, and the URI has no `,` `?` `;`.
            let end = grammar::find(b';', value).unwrap_or(value.len());
            let (uri, rest) = value.split_at_checked(end).ok_or(BRACKETS)?;
            let uri = trim(uri);
            if uri.iter().any(|byte| matches!(byte, b',' | b'?' | b'"' | b'<' | b'>')) {
                return Err("addr-spec: a URI with , ? or ; stands in <> (RFC 3261 20)");
            }
            (&b""[..], uri, rest)
        };
        if !uri::is_absolute(uri) {
            return Err("name-addr: the URI has no scheme, or blanks (RFC 3261 25.1)");
        }
        Ok((display_name, uri, rest))
    }

    /// What the host gives for an address: a URI alone, with all that may stand in one, or a name-addr.
    pub fn of_host(text: &'a [u8]) -> Result<(Self, Uri<'a>)> {
        // No URI has one.
        if text.contains(&b'<') {
            let address = Self::parse(text)?;
            return Ok((address, address.parse_uri()?));
        }
        let uri = Uri::parse(text)?;
        Ok((Self { display_name: b"", uri: text, parameters: b"", tag: None }, uri))
    }

    /// A Refer-To. Without brackets it may have headers, as peers write a Replaces: then all of it is the URI, since no
    /// parameter of a header has a `?`. What could be part of a user there is refused, for it reads in two ways.
    pub fn of_refer_to(value: &'a [u8]) -> Result<Self> {
        let plain = value.split(|byte| *byte == b'"').next().unwrap_or_default();
        let user = plain.split(|byte| *byte == b'@').next().unwrap_or_default();
        if plain.contains(&b'<') {
            return Self::parse(value);
        }
        if user.len() < plain.len() && user.iter().any(|byte| matches!(byte, b',' | b'?' | b';')) {
            return Err(Error::syntax("addr-spec: a URI with , ? or ; in its user stands in <> (RFC 3261 20)"));
        }
        if !plain.contains(&b'?') {
            return Self::parse(value);
        }
        Uri::received(value)?;
        Ok(Self { display_name: b"", uri: value, parameters: b"", tag: None })
    }

    /// Whether it is a URI without brackets.
    pub fn is_bare(&self, text: &[u8]) -> bool {
        self.uri.len() == text.len()
    }

    /// The URI, read.
    pub fn parse_uri(&self) -> Result<Uri<'a>> {
        Uri::parse(self.uri)
    }

    /// The display name without quotes and escapes.
    pub fn display_text(&self) -> Cow<'a, [u8]> {
        unquote(self.display_name)
    }

    /// The header parameters.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters::new(self.parameters)
    }

    /// A header parameter by name.
    pub fn parameter(&self, name: &[u8]) -> Option<Parameter<'a>> {
        self.parameters().find(name)
    }
}

/// A `<` behind a `;` or a quote is in a parameter of an address without brackets.
fn may_be_a_name(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b';' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good() {
        type Row = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);
        let rows: [Row; 14] = [
            (
                r#""A. G. Bell" <sip:agb@bell.example> ;tag=a48s"#,
                r#""A. G. Bell""#,
                "sip:agb@bell.example",
                ";tag=a48s",
                Some("a48s"),
            ),
            (
                "sip:+12125551212@phone2net.example;tag=887s",
                "",
                "sip:+12125551212@phone2net.example",
                ";tag=887s",
                Some("887s"),
            ),
            (
                "Anonymous Caller<sip:c8o@a.example;lr>;x=\"y;z\";TAG=h",
                "Anonymous Caller",
                "sip:c8o@a.example;lr",
                ";x=\"y;z\";TAG=h",
                Some("h"),
            ),
            ("<sip:a@b?X=1,2>", "", "sip:a@b?X=1,2", "", None),
            (r#""J \"<> R" <tel:+1-201>"#, r#""J \"<> R""#, "tel:+1-201", "", None),
            (r#"""<sip:a@b>"#, r#""""#, "sip:a@b", "", None),
            ("J\u{fc}rgen <sip:j@b>", "J\u{fc}rgen", "sip:j@b", "", None),
            ("sip:a@b", "", "sip:a@b", "", None),
            ("sip:a@b ; tag = x", "", "sip:a@b", "; tag = x", Some("x")),
            (
                "sip:x@h;+sip.instance=\"<urn:gsma:imei:1>\";audio;tag=t",
                "",
                "sip:x@h",
                ";+sip.instance=\"<urn:gsma:imei:1>\";audio;tag=t",
                Some("t"),
            ),
            ("sip:x@h;x=\"a<b\"", "", "sip:x@h", ";x=\"a<b\"", None),
            (r#""A <sip:evil@e>, \"B\"" <sip:x@h>"#, r#""A <sip:evil@e>, \"B\"""#, "sip:x@h", "", None),
            ("<sip:a?b;c@h>", "", "sip:a?b;c@h", "", None),
            ("<urn:service:sos>;tag=a@b/c=", "", "urn:service:sos", ";tag=a@b/c=", Some("a@b/c=")),
        ];
        for (text, name, uri, parameters, tag) in rows {
            let read = NameAddr::parse(text.as_bytes()).unwrap();
            let tag = tag.map(str::as_bytes);
            assert_eq!(
                (read.display_name, read.uri, read.parameters, read.tag),
                (name.as_bytes(), uri.as_bytes(), parameters.as_bytes(), tag),
                "{text}"
            );
        }
        assert_eq!(&*NameAddr::parse(br#""J \"R" <tel:1>"#).unwrap().display_text(), br#"J "R"#);
    }

    #[test]
    fn a_name_without_its_quotes() {
        for (text, name) in [("Smith, John <sip:a@b>;tag=1", "Smith, John"), ("A & B (x)<sip:a@b>", "A & B (x)")] {
            assert!(NameAddr::read(text.as_bytes()).is_err(), "{text}");
            assert_eq!(NameAddr::read_unquoted(text.as_bytes()).unwrap().display_name, name.as_bytes());
        }
        for text in ["a@b <sip:a@b>", "a; b <sip:a@b>", "a \"b\" <sip:a@b>", "sip:a@b, <sip:c@d>", "Smith, John"] {
            assert!(NameAddr::read_unquoted(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn of_a_refer() {
        for (text, uri, parameters) in [
            ("sip:a@b", "sip:a@b", ""),
            ("sip:a@b;x=y", "sip:a@b", ";x=y"),
            ("sip:a@b;x=\"y?@<\"", "sip:a@b", ";x=\"y?@<\""),
            ("sip:b;x=\"y@z\"", "sip:b", ";x=\"y@z\""),
            ("sip:a@b?X=y", "sip:a@b?X=y", ""),
            ("sip:a@b;x=y?Replaces=c@d;to-tag=1", "sip:a@b;x=y?Replaces=c@d;to-tag=1", ""),
            ("sip:b?Replaces=c%40d", "sip:b?Replaces=c%40d", ""),
            ("\"a?b@c\" <sip:a?b;c@d?X=y>;x=y", "sip:a?b;c@d?X=y", ";x=y"),
            ("A <sip:a@b>", "sip:a@b", ""),
        ] {
            let read = NameAddr::of_refer_to(text.as_bytes()).unwrap();
            assert_eq!((read.uri, read.parameters), (uri.as_bytes(), parameters.as_bytes()), "{text}");
        }
        for text in [
            "",
            "sip:a?b@c",
            "sip:a;b@c",
            "sip:a;x=y@c",
            "sip:a,b@c",
            "sip:a?Replaces=b@c;to-tag=1",
            "sip:a;x=y?z@c",
            "sip:a@b?x",
            "sip:a@b?X=y@z",
            "sip:a@b?X=y;z",
            "sip:a@b?X=\"y\"",
            "a?X=y",
            "a, b <sip:a@b>",
        ] {
            assert!(NameAddr::of_refer_to(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn of_the_host() {
        for (text, uri, bare) in [
            ("sip:*67?5@h;x=y?Subject=z", "sip:*67?5@h;x=y?Subject=z", true),
            ("\"a <b>\" <sip:c?d@e>;q=1", "sip:c?d@e", false),
            ("sip:a@b;x=\"<y>\"", "sip:a@b", false),
        ] {
            let (address, read) = NameAddr::of_host(text.as_bytes()).unwrap();
            assert_eq!(
                (address.uri, read.text, address.is_bare(text.as_bytes())),
                (uri.as_bytes(), uri.as_bytes(), bare)
            );
        }
        for text in ["", "a", "sip:a@b;x=\"y\"", "sip:1#2@h", "<sip:1#2@h>", "<sip:a@b:0>", "sip:a@b,sip:c@d"] {
            assert!(NameAddr::of_host(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn bad() {
        for text in [
            "",
            "*",
            "<>",
            "alice",
            "alice <sip:a@b",
            "\"alice <sip:a@b>",
            "\"alice\" sip:a@b",
            "a,b <sip:a@b>",
            "a@b <sip:a@b>",
            "<sip:a@b>;tag",
            "<sip:a@b>;tag=",
            "<sip:a@b>;tag=a;tag=b",
            "<sip:a@b>;tag=\"a\"",
            "<sip:a@b>;",
            "<sip:a@b> x",
            "<sip:a@b>>",
            "sip:a@b?Subject=x",
            "sip:a@b,c",
            "<sip:a b@c>",
            "<:a>",
            "<1sip:a>",
            "x; <sip:a@b>",
            "sip:a@b<c>;x",
            "x \"y\" <sip:a@b>",
        ] {
            assert!(NameAddr::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
