//! WWW-Authenticate, Proxy-Authenticate, and the other headers of a scheme and a comma list of parameters (RFC 3261
//! §20.44, RFC 7616 §3.3).

use super::grammar::{Parameter, TOKEN, is_token, list_value, split_once, take, trim, trim_start, unquote};
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Parameters of one challenge; the RFCs know a dozen.
const PARAMETERS: usize = 64;

/// A challenge, or credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// `Digest`, as written.
    pub scheme: &'a [u8],
    /// `name=value, name="value"`, as written.
    pub parameters: &'a [u8],
}

impl<'a> Challenge<'a> {
    /// Reads a value. Every parameter has been seen to be `name=value`, and to stand there once (RFC 7616 §3.3: which
    /// of two counts is for an attacker to choose).
    pub fn parse(value: &'a [u8]) -> Result<Self> {
        let bad = || Error::syntax("challenge: scheme name=value, name=\"value\" (RFC 3261 25.1)");
        let (scheme, rest) = take(value, TOKEN);
        let parameters = trim_start(rest);
        if scheme.is_empty() || parameters.len() == rest.len() {
            return Err(bad());
        }
        let challenge = Self { scheme, parameters };
        let mut names = SmallVec::<[&[u8]; 16]>::new();
        for piece in challenge.pieces() {
            let parameter = read(piece).ok_or_else(bad)?;
            if names.len() == PARAMETERS {
                return Err(Error::syntax("challenge: more parameters than anybody needs"));
            }
            if names.iter().any(|name| name.eq_ignore_ascii_case(parameter.name)) {
                return Err(Error::syntax("challenge: a parameter stands there twice (RFC 7616 3.3)"));
            }
            names.push(parameter.name);
        }
        if names.is_empty() { Err(bad()) } else { Ok(challenge) }
    }

    /// Whether a value is of a scheme other than Digest, whatever follows it: a token (RFC 8898), base64, nothing.
    pub fn is_of_others(value: &[u8]) -> bool {
        let scheme = take(value, TOKEN).0;
        !scheme.is_empty() && !scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// Whether it is of this scheme, in any case.
    pub fn is_scheme(&self, scheme: &[u8]) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        self.pieces().filter_map(read)
    }

    /// A parameter by name, without quotes and escapes.
    pub fn parameter(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        self.parameters().find(|parameter| parameter.is(name))?.value.map(unquote)
    }

    /// Whether `stale=true`: the nonce was old, the credentials were right (RFC 7616 §3.3).
    pub fn is_stale(&self) -> bool {
        self.parameter(b"stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    /// Whether the list in the quoted `qop` has this value.
    pub fn has_qop(&self, qop: &[u8]) -> bool {
        self.parameter(b"qop")
            .is_some_and(|list| list.split(|byte| *byte == b',').any(|one| trim(one).eq_ignore_ascii_case(qop)))
    }

    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.parameters;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(list_value(rest, false).min(rest.len()));
                rest = after.get(1..).unwrap_or_default();
                let piece = trim(piece);
                if !piece.is_empty() {
                    return Some(piece);
                }
            }
            None
        })
    }
}

fn read(piece: &[u8]) -> Option<Parameter<'_>> {
    let (name, value) = split_once(piece, b'=')?;
    let (name, value) = (trim(name), trim(value));
    let well_formed = match super::grammar::quoted(value) {
        Some((_, rest)) => rest.is_empty(),
        // Tokens, and the base64 of schemes other than Digest.
        None => !value.is_empty() && value.iter().all(u8::is_ascii_graphic) && !value.contains(&b'"'),
    };
    (is_token(name) && well_formed).then_some(Parameter { name, value: Some(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good() {
        let challenge = Challenge::parse(
            br#"Digest realm="at\"l,anta", qop="auth,auth-int" ,nonce="f8=4", opaque="", stale=TRUE, algorithm=SHA-256"#,
        )
        .unwrap();
        assert!(challenge.is_scheme(b"digest") && challenge.is_stale());
        assert!(challenge.has_qop(b"auth") && challenge.has_qop(b"AUTH-INT") && !challenge.has_qop(b"a"));
        for (name, value) in [("realm", "at\"l,anta"), ("NONCE", "f8=4"), ("opaque", ""), ("algorithm", "SHA-256")] {
            assert_eq!(challenge.parameter(name.as_bytes()).as_deref(), Some(value.as_bytes()), "{name}");
        }
        assert_eq!(challenge.parameter(b"domain"), None);
        assert_eq!(challenge.parameters().count(), 6);
    }

    #[test]
    fn schemes_of_others() {
        for (text, expected) in [
            ("Bearer a.b-c", true),
            ("Basic QWxhZGRpbjpvcGVu", true),
            ("Negotiate", true),
            ("Digestive x=1", true),
            ("digest", false),
            ("DIGEST realm", false),
            ("", false),
            ("\u{1}", false),
        ] {
            assert_eq!(Challenge::is_of_others(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn bad() {
        for text in [
            "",
            "Digest",
            "Digest ",
            "Digest realm",
            "Digest realm=",
            "Digest realm=\"x",
            "Digest realm=\"x\" y",
            "Digest =x",
            "Digest ,",
            "Digest a b=c",
            "Digest realm=\"a\", nonce=\"n\", realm=\"b\"",
            "Digest realm=\"a\", nonce=\"n\", Nonce=\"n\"",
            "Digest x=1, nonce=\"n\", X=2",
        ] {
            assert!(Challenge::parse(text.as_bytes()).is_err(), "{text}");
        }
        let many = |count| (0..count).fold("Digest ".to_owned(), |text, number| format!("{text}p{number}=1,"));
        assert!(Challenge::parse(many(PARAMETERS).as_bytes()).is_ok());
        assert!(Challenge::parse(many(PARAMETERS + 1).as_bytes()).is_err());
    }
}
