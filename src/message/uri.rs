//! URIs (RFC 3261 §19.1, RFC 3966). Schemes other than sip, sips and tel are kept as they are.

use super::grammar::{self, DIGIT, Parameter, TOKEN, URI_PARAMETER, USER, is, take};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::net::IpAddr;

/// The schemes that the engine tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RFC 3261 §19.1.
    Sip,
    /// RFC 3261 §19.1, RFC 5630.
    Sips,
    /// RFC 3966.
    Tel,
    /// Any other; the rest of the URI is [`Uri::opaque`].
    Other,
}

/// A URI, read.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// All of it as written.
    pub text: &'a [u8],
    /// For decisions.
    pub scheme: Scheme,
    /// As written.
    pub scheme_text: &'a [u8],
    /// User, still escaped; of tel the number.
    pub user: Option<&'a [u8]>,
    /// Password, still escaped.
    pub password: Option<&'a [u8]>,
    /// Host, an IPv6 reference with its brackets; empty unless sip or sips.
    pub host: &'a [u8],
    /// Port.
    pub port: Option<u16>,
    /// Parameters as written, from the first `;`.
    pub parameters: &'a [u8],
    /// Headers as written, without the `?`.
    pub headers: &'a [u8],
    /// What follows the scheme's colon.
    pub opaque: &'a [u8],
    /// Of sip and sips: all before the parameters.
    pub plain: &'a [u8],
    /// The user has a `#` that is not escaped. Only [`Uri::received`] takes it.
    pub hash_in_user: bool,
}

const USER_RULE: &str = "URI: user (RFC 3261 25.1)";

/// Whether a URI that was read before is a SIPS URI.
pub fn is_sips(uri: &[u8]) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
}

/// Whether `text` is a scheme, a colon and something visible (RFC 3261 §25.1 absoluteURI, not looked at closely).
#[inline]
pub(crate) fn is_absolute(text: &[u8]) -> bool {
    split_scheme(text).is_some()
}

/// `scheme` `:` what follows it, as [`is_absolute`] wants it.
#[inline]
fn split_scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (scheme, rest) = match text {
        // Nearly all of them.
        [b's', b'i', b'p', b':', rest @ ..] => (text.get(..3)?, rest),
        _ => {
            let (scheme, rest) = grammar::split_once(text, b':')?;
            if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !grammar::all(scheme, TOKEN) {
                return None;
            }
            (scheme, rest)
        }
    };
    (!rest.is_empty() && grammar::is_visible(rest)).then_some((scheme, rest))
}

impl<'a> Uri<'a> {
    /// Reads a URI that stands alone or came out of `<>`.
    pub fn parse(text: &'a [u8]) -> Result<Self> {
        let uri = Self::received(text)?;
        if uri.hash_in_user { Err(Error::syntax(USER_RULE)) } else { Ok(uri) }
    }

    /// Reads one of a peer's, which may have an unescaped `#` in its user: feature codes and prefixes are written so.
    pub fn received(text: &'a [u8]) -> Result<Self> {
        Self::read(text).map_err(Error::syntax)
    }

    fn read(text: &'a [u8]) -> Result<Self, &'static str> {
        const ABSOLUTE: &str = "URI: begins with a scheme, as in sip:user@host, no <> around it (RFC 3261 25.1)";
        const HOST: &str = "URI: host or host:port (RFC 3261 19.1.1)";
        let (scheme_text, opaque) = split_scheme(text).ok_or(ABSOLUTE)?;
        let scheme = match scheme_text {
            name if name.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
            name if name.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            name if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            _ => Scheme::Other,
        };
        let mut uri = Self {
            text,
            scheme,
            scheme_text,
            user: None,
            password: None,
            host: b"",
            port: None,
            parameters: b"",
            headers: b"",
            opaque,
            plain: b"",
            hash_in_user: false,
        };
        match scheme {
            Scheme::Other => return Ok(uri),
            Scheme::Tel => {
                let end = grammar::find(b';', opaque).unwrap_or(opaque.len());
                let (number, parameters) = opaque.split_at_checked(end).ok_or(ABSOLUTE)?;
                if !is_phone_number(number) {
                    return Err("tel: digits and visual separators (RFC 3966 3)");
                }
                uri.user = Some(number);
                uri.parameters = parameters;
            }
            Scheme::Sip | Scheme::Sips => {
                let mut rest = opaque;
                // No other part may hold an `@` that is not escaped.
                if let Some((user_info, after)) = grammar::split_once(opaque, b'@') {
                    let (user, password) = match grammar::split_once(user_info, b':') {
                        Some((user, password)) => (user, Some(password)),
                        None => (user_info, None),
                    };
                    if user.is_empty() || !is_escaped_text(user, USER) {
                        if user.is_empty() || !user.split(|byte| *byte == b'#').all(|part| is_escaped_text(part, USER))
                        {
                            return Err(USER_RULE);
                        }
                        uri.hash_in_user = true;
                    }
                    if !password.is_none_or(|password| is_escaped_text(password, USER)) {
                        return Err("URI: password (RFC 3261 25.1)");
                    }
                    (uri.user, uri.password, rest) = (Some(user), password, after);
                }
                let (host, after) = grammar::host(rest).ok_or(HOST)?;
                uri.host = host;
                rest = after;
                if let Some(after) = rest.strip_prefix(b":") {
                    let (digits, after) = take(after, DIGIT);
                    uri.port = Some(grammar::port(digits).ok_or("URI: port is 1 to 65535 (RFC 3261 19.1.1)")?);
                    rest = after;
                }
                uri.plain = text.get(..text.len() - rest.len()).ok_or(HOST)?;
                let end = grammar::find(b'?', rest).unwrap_or(rest.len());
                (uri.parameters, rest) = rest.split_at_checked(end).ok_or(HOST)?;
                if !uri.parameters.is_empty() && uri.parameters.first() != Some(&b';') {
                    return Err(HOST);
                }
                if let Some(headers) = rest.strip_prefix(b"?") {
                    uri.headers = headers;
                    if !pieces(headers, b'&').all(|header| is_pair(header, true)) {
                        return Err("URI: headers are name=value&name=value (RFC 3261 19.1.1)");
                    }
                }
            }
        }
        if !uri.parameters.is_empty() {
            let list = uri.parameters.get(1..).unwrap_or_default();
            if !pieces(list, b';').all(|parameter| is_pair(parameter, false)) {
                return Err("URI: parameters are ;name=value (RFC 3261 19.1.1)");
            }
            // It is dialled instead of the host.
            let is_host = |value| grammar::host(value).is_some_and(|(_, rest)| rest.is_empty());
            if uri.is_sip() && uri.parameter(b"maddr").is_some_and(|maddr| !maddr.value.is_some_and(is_host)) {
                return Err("URI: maddr is a host (RFC 3261 25.1)");
            }
        }
        Ok(uri)
    }

    /// Whether it is sip or sips.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// Whether it is sips.
    pub fn is_sips(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// Whether its `method` asks for another one than this (RFC 3261 §19.1.5).
    pub fn asks_for_other(&self, method: &[u8]) -> bool {
        let other = |name: &[u8]| *unescape(name) != *method;
        self.parameter(b"method").is_some_and(|parameter| parameter.value.is_none_or(other))
    }

    /// The parameters in order, still escaped.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + Clone + use<'a> {
        pieces(self.parameters.get(1..).unwrap_or_default(), b';').filter(|piece| !piece.is_empty()).map(pair)
    }

    /// A parameter by name.
    pub fn parameter(&self, name: &[u8]) -> Option<Parameter<'a>> {
        self.parameters().find(|parameter| is_named(parameter, name))
    }

    /// The headers in order, still escaped.
    pub fn headers(&self) -> impl Iterator<Item = Parameter<'a>> + Clone + use<'a> {
        pieces(self.headers, b'&').filter(|piece| !piece.is_empty()).map(pair)
    }

    /// A header by name.
    pub fn header(&self, name: &[u8]) -> Option<Parameter<'a>> {
        self.headers().find(|header| is_named(header, name))
    }

    /// Without what may not stand in a Request-URI: headers and `method` (RFC 3261 §19.1.1, table 1).
    pub fn as_request_uri(&self) -> Cow<'a, [u8]> {
        self.with_parameters(|parameter| !is_named(parameter, b"method"))
    }

    /// Without what may not stand in the Contact of a dialog: `ttl` beside those (table 1).
    pub fn as_target(&self) -> Cow<'a, [u8]> {
        self.with_parameters(|parameter| !is_named(parameter, b"method") && !is_named(parameter, b"ttl"))
    }

    /// Who it names, as To says it: scheme, user, host and `user`, nothing of the way there (table 1). A tel URI keeps
    /// all: its parameters are the number's.
    pub fn as_identity(&self) -> Cow<'a, [u8]> {
        if !self.is_sip() {
            return Cow::Borrowed(self.text);
        }
        let mut text = [self.scheme_text, b":"].concat();
        if let Some(user) = self.user {
            text.extend_from_slice(&[user, b"@"].concat());
        }
        text.extend_from_slice(self.host);
        self.write_parameters(&mut text, |parameter| is_named(parameter, b"user"));
        Cow::Owned(text)
    }

    /// Without headers, and only with the parameters that `keep` wants. Of other schemes than sip and sips all.
    fn with_parameters(&self, keep: impl Fn(&Parameter<'a>) -> bool) -> Cow<'a, [u8]> {
        if !self.is_sip() {
            return Cow::Borrowed(self.text);
        }
        if self.parameters().all(|parameter| keep(&parameter)) {
            let length = self.plain.len() + self.parameters.len();
            return Cow::Borrowed(self.text.get(..length).unwrap_or(self.text));
        }
        let mut text = self.plain.to_vec();
        self.write_parameters(&mut text, keep);
        Cow::Owned(text)
    }

    fn write_parameters(&self, out: &mut Vec<u8>, keep: impl Fn(&Parameter<'a>) -> bool) {
        for piece in pieces(self.parameters.get(1..).unwrap_or_default(), b';').filter(|piece| keep(&pair(piece))) {
            out.push(b';');
            out.extend_from_slice(piece);
        }
    }

    /// The address that the host is, when it is one.
    pub fn host_ip(&self) -> Option<IpAddr> {
        grammar::host_ip(self.host)
    }

    /// Whether two URIs are the same by the rules of their scheme: RFC 3261 §19.1.4, RFC 3966 §4; byte by byte after
    /// the scheme for others.
    ///
    /// Every parameter is looked for in the other URI: beyond 64 of them, which only an attacker sends, URIs are the
    /// same only byte by byte.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        const MAX_PAIRS: usize = 64;
        if self.text == other.text {
            return true;
        }
        let pairs = |uri: &Uri<'_>| uri.parameters().count().max(uri.headers().count());
        if pairs(self) > MAX_PAIRS || pairs(other) > MAX_PAIRS {
            return false;
        }
        if self.scheme != other.scheme || !self.scheme_text.eq_ignore_ascii_case(other.scheme_text) {
            return false;
        }
        match self.scheme {
            Scheme::Other => self.opaque == other.opaque,
            Scheme::Tel => {
                let digits = |uri: &Uri<'_>| phone_digits(uri.user.unwrap_or_default());
                let same = |name: &[u8]| same_tel_parameter(self.parameter(name), other.parameter(name));
                digits(self) == digits(other)
                    && self.parameters().all(|parameter| same(parameter.name))
                    && other.parameters().all(|parameter| same(parameter.name))
            }
            Scheme::Sip | Scheme::Sips => {
                same_user(self.user, other.user)
                    && same_user(self.password, other.password)
                    && same_host(self, other)
                    && self.port == other.port
                    && same_parameters(self, other)
                    && same_parameters(other, self)
                    && same_headers(self, other)
                    && same_headers(other, self)
            }
        }
    }
}

/// Every parameter of `left` that `right` has too must match; some must be in both.
fn same_parameters(left: &Uri<'_>, right: &Uri<'_>) -> bool {
    // §19.1.4 names user, ttl, method and maddr; the transport is in the text before ("The same is true for ...") and
    // in the examples.
    const IN_BOTH: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];
    left.parameters().all(|parameter| match right.parameter(&unescape(parameter.name)) {
        Some(other) => same_value(Some(parameter), Some(other)),
        None => !IN_BOTH.iter().any(|name| is_named(&parameter, name)),
    })
}

fn same_headers(left: &Uri<'_>, right: &Uri<'_>) -> bool {
    left.headers().all(|header| {
        right.headers().any(|other| is_named(&header, &unescape(other.name)) && same_value(Some(header), Some(other)))
    })
}

fn same_value(left: Option<Parameter<'_>>, right: Option<Parameter<'_>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => match (left.value, right.value) {
            (Some(left), Some(right)) => normal(left).eq_ignore_ascii_case(&normal(right)),
            (None, None) => true,
            _ => false,
        },
        (None, None) => true,
        _ => false,
    }
}

/// RFC 3966 §4: numbers in parameters are compared without their visual separators too.
fn same_tel_parameter(left: Option<Parameter<'_>>, right: Option<Parameter<'_>>) -> bool {
    if let (Some(Parameter { name, value: Some(a) }), Some(Parameter { value: Some(b), .. })) = (left, right) {
        let global = a.starts_with(b"+") && b.starts_with(b"+");
        if name.eq_ignore_ascii_case(b"ext") || (global && name.eq_ignore_ascii_case(b"phone-context")) {
            return phone_digits(a) == phone_digits(b);
        }
    }
    same_value(left, right)
}

/// Without visual separators, in lower case.
fn phone_digits(number: &[u8]) -> Vec<u8> {
    number.iter().filter(|byte| !b"-.()".contains(byte)).map(u8::to_ascii_lowercase).collect()
}

fn same_user(left: Option<&[u8]>, right: Option<&[u8]>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => normal(left) == normal(right),
        (None, None) => true,
        _ => false,
    }
}

fn same_host(left: &Uri<'_>, right: &Uri<'_>) -> bool {
    match (left.host_ip(), right.host_ip()) {
        (Some(left), Some(right)) => left == right,
        _ => left.host.eq_ignore_ascii_case(right.host),
    }
}

/// Escapes of characters outside `reserved` (RFC 2396 §2.2) resolved; those of reserved ones in lower case hex.
fn normal(text: &[u8]) -> Cow<'_, [u8]> {
    if grammar::find(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match hex_escape(*first, after) {
            Some((byte, after)) => {
                if b";/?:@&=+$,%".contains(&byte) {
                    escape_byte(&mut plain, byte);
                } else {
                    plain.push(byte);
                }
                rest = after;
            }
            None => plain.push(*first),
        }
    }
    Cow::Owned(plain)
}

fn hex_escape(first: u8, rest: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], after) = rest.split_first_chunk::<2>().filter(|_| first == b'%')?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4 | digit(*low)?, after))
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// Text with its `%HH` resolved.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if grammar::find(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        (rest, _) = match hex_escape(*first, after) {
            Some((byte, after)) => (after, plain.push(byte)),
            None => (after, plain.push(*first)),
        };
    }
    Cow::Owned(plain)
}

/// Writes `text` so that it may stand as the value of a header of a URI, as in `Refer-To: <sip:..?Replaces=...>`.
pub fn escape_header(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/:$".contains(byte) {
            out.push(*byte);
        } else {
            escape_byte(out, *byte);
        }
    }
}

/// Whether a parameter or header of a URI is `name`, in any case: what is escaped is what it stands for (RFC 3261 §19.1.4).
#[inline]
pub fn is_named(part: &Parameter<'_>, name: &[u8]) -> bool {
    part.is(name) || (part.name.len() > name.len() && unescape(part.name).eq_ignore_ascii_case(name))
}

/// Bytes of the class and valid escapes only.
fn is_escaped_text(text: &[u8], class: u8) -> bool {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'%' => match hex_escape(*first, after) {
                Some((_, after)) => after,
                None => return false,
            },
            byte if is(*byte, class) => after,
            _ => return false,
        };
    }
    true
}

fn is_phone_number(number: &[u8]) -> bool {
    let (global, digits) = match number.strip_prefix(b"+") {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let separator = |byte: &u8| b"-.()".contains(byte);
    digits.iter().any(|byte| !separator(byte))
        && digits.iter().all(|byte| {
            byte.is_ascii_digit() || separator(byte) || (!global && (byte.is_ascii_hexdigit() || b"*#".contains(byte)))
        })
}

/// Pieces between separators; none of nothing.
fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> + Clone {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        match grammar::split_once(text, separator) {
            Some((piece, after)) => {
                rest = Some(after);
                Some(piece)
            }
            None => rest.take(),
        }
    })
}

fn pair(text: &[u8]) -> Parameter<'_> {
    match grammar::split_once(text, b'=') {
        Some((name, value)) => Parameter { name, value: Some(value) },
        None => Parameter { name: text, value: None },
    }
}

/// `name=value`; a parameter may lack the value and its `=`, a header only the value. In a Replaces peers write the `@`
/// of the Call-ID and the `;` of the tags as they are.
fn is_pair(text: &[u8], header: bool) -> bool {
    let Parameter { name, value } = pair(text);
    let replaces = header && is_named(&Parameter { name, value }, b"Replaces");
    !name.is_empty()
        && is_escaped_text(name, URI_PARAMETER)
        // The equals sign inside a value is not in the grammar, but is seen (`;ob=x=`), and harms nobody.
        && match value {
            Some(value) => {
                (header || !value.is_empty())
                    && value
                        .split(|byte| *byte == b'=' || replaces && matches!(byte, b'@' | b';'))
                        .all(|piece| is_escaped_text(piece, URI_PARAMETER | TOKEN))
            }
            None => !header,
        }
}

#[cfg(test)]
mod tests;
