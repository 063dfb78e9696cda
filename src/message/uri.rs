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
}

/// Whether a URI that was read before is a SIPS URI.
pub fn is_sips(uri: &[u8]) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
}

/// Whether `text` is a scheme, a colon and something visible (RFC 3261 §25.1 absoluteURI, not looked at closely).
#[inline]
pub(crate) fn is_absolute(text: &[u8]) -> bool {
    let Some((scheme, rest)) = grammar::split_once(text, b':') else { return false };
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && grammar::all(scheme, TOKEN)
        && !rest.is_empty()
        && grammar::is_visible(rest)
}

impl<'a> Uri<'a> {
    /// Reads a URI that stands alone or came out of `<>`.
    pub fn parse(text: &'a [u8]) -> Result<Self> {
        Self::read(text).map_err(Error::syntax)
    }

    fn read(text: &'a [u8]) -> Result<Self, &'static str> {
        const ABSOLUTE: &str = "URI: begins with a scheme, as in sip:user@host, no <> around it (RFC 3261 §25.1)";
        const HOST: &str = "URI: host or host:port (RFC 3261 §19.1.1)";
        let (scheme_text, opaque) = grammar::split_once(text, b':').filter(|_| is_absolute(text)).ok_or(ABSOLUTE)?;
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
        };
        match scheme {
            Scheme::Other => return Ok(uri),
            Scheme::Tel => {
                let end = grammar::find(b';', opaque).unwrap_or(opaque.len());
                let (number, parameters) = opaque.split_at_checked(end).ok_or(ABSOLUTE)?;
                if !is_phone_number(number) {
                    return Err("tel: digits and visual separators (RFC 3966 §3)");
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
                        return Err("URI: user (RFC 3261 §25.1)");
                    }
                    if !password.is_none_or(|password| is_escaped_text(password, USER)) {
                        return Err("URI: password (RFC 3261 §25.1)");
                    }
                    (uri.user, uri.password, rest) = (Some(user), password, after);
                }
                let (host, after) = grammar::host(rest).ok_or(HOST)?;
                uri.host = host;
                rest = after;
                if let Some(after) = rest.strip_prefix(b":") {
                    let (digits, after) = take(after, DIGIT);
                    uri.port = Some(grammar::port(digits).ok_or("URI: port is 1 to 65535 (RFC 3261 §19.1.1)")?);
                    rest = after;
                }
                let end = grammar::find(b'?', rest).unwrap_or(rest.len());
                (uri.parameters, rest) = rest.split_at_checked(end).ok_or(HOST)?;
                if !uri.parameters.is_empty() && uri.parameters.first() != Some(&b';') {
                    return Err(HOST);
                }
                if let Some(headers) = rest.strip_prefix(b"?") {
                    uri.headers = headers;
                    if !pieces(headers, b'&').all(|header| is_pair(header, true)) {
                        return Err("URI: headers are name=value&name=value (RFC 3261 §19.1.1)");
                    }
                }
            }
        }
        if !uri.parameters.is_empty() {
            let list = uri.parameters.get(1..).unwrap_or_default();
            if !pieces(list, b';').all(|parameter| is_pair(parameter, false)) {
                return Err("URI: parameters are ;name=value (RFC 3261 §19.1.1)");
            }
        }
        Ok(uri)
    }

    /// Whether it is sip or sips.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The parameters in order, still escaped.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + Clone + use<'a> {
        pieces(self.parameters.get(1..).unwrap_or_default(), b';').filter(|piece| !piece.is_empty()).map(pair)
    }

    /// A parameter by name.
    pub fn parameter(&self, name: &[u8]) -> Option<Parameter<'a>> {
        self.parameters().find(|parameter| parameter.is(name))
    }

    /// The headers in order, still escaped.
    pub fn headers(&self) -> impl Iterator<Item = Parameter<'a>> + Clone + use<'a> {
        pieces(self.headers, b'&').filter(|piece| !piece.is_empty()).map(pair)
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
    left.parameters().all(|parameter| match right.parameter(parameter.name) {
        Some(other) => same_value(Some(parameter), Some(other)),
        None => !IN_BOTH.iter().any(|name| parameter.is(name)),
    })
}

fn same_headers(left: &Uri<'_>, right: &Uri<'_>) -> bool {
    left.headers()
        .all(|header| right.headers().any(|other| header.is(other.name) && same_value(Some(header), Some(other))))
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

/// `name=value`; a parameter may lack the value and its `=`, a header only the value.
fn is_pair(text: &[u8], header: bool) -> bool {
    let Parameter { name, value } = pair(text);
    !name.is_empty()
        && is_escaped_text(name, URI_PARAMETER)
        // The equals sign inside a value is not in the grammar, but is seen (`;ob=x=`), and harms nobody.
        && match value {
            Some(value) => {
                (header || !value.is_empty())
                    && value.split(|byte| *byte == b'=').all(|piece| is_escaped_text(piece, URI_PARAMETER | TOKEN))
            }
            None => !header,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        let (left, right) = (Uri::parse(left.as_bytes()).unwrap(), Uri::parse(right.as_bytes()).unwrap());
        assert_eq!(left.equivalent(&right), right.equivalent(&left), "equivalence is symmetric");
        left.equivalent(&right)
    }

    /// The table of RFC 3261 §19.1.4, and one row for each of its rules.
    #[test]
    fn equivalence() {
        let equal = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("SIP:a@b", "sip:a@b"),
            ("sip:[2001:db8::1]", "sip:[2001:DB8:0::1]"),
            ("sip:a%40b@c", "sip:a%40b@c"),
            ("tel:+1-201-555", "tel:+1201555"),
            ("tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22"),
            ("tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358-555-1234567;isub=1411;postd=pp22"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"),
            ("tel:863-1234;phone-context=+1-914-555", "tel:8631234;phone-context=+1914555"),
            ("tel:7042;phone-context=example.com", "TEL:7042;phone-context=EXAMPLE.com"),
            ("tel:+1-201;ext=1-2", "tel:+1201;EXT=12"),
            ("urn:service:sos", "URN:service:sos"),
        ];
        for (left, right) in equal {
            assert!(same(left, right), "{left} {right}");
        }
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
            ("sip:a@b", "sip:b"),
            ("sip:a:p@b", "sip:a@b"),
            ("sip:a:p@b", "sip:a:P@b"),
            ("sip:a@b", "sip:a@b;user=phone"),
            ("sip:a@b", "sip:a@b;ttl=1"),
            ("sip:a@b", "sip:a@b;method=INVITE"),
            ("sip:a@b", "sip:a@b;maddr=1.2.3.4"),
            ("sip:a%3bb@c", "sip:a;b@c"),
            ("sip:a@b;lr", "sip:a@b;lr=true"),
            ("tel:+1201", "tel:1201"),
            ("tel:1201;phone-context=a", "tel:1201"),
            ("tel:1201;phone-context=a-b.example", "tel:1201;phone-context=ab.example"),
            ("tel:1201;phone-context=+1", "tel:1201;phone-context=1"),
            ("tel:+1201;ext=12", "tel:+1201"),
            ("urn:service:sos", "urn:service:SOS"),
        ];
        for (left, right) in different {
            assert!(!same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn parts() {
        let uri = Uri::parse(b"sips:al%20ice;x=1:s%3acret@[2001:db8::1]:5061;transport=tcp;lr?Subject=a%20b&Priority=")
            .unwrap();
        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!((uri.user, uri.password), (Some(&b"al%20ice;x=1"[..]), Some(&b"s%3acret"[..])));
        assert_eq!((uri.host, uri.port), (&b"[2001:db8::1]"[..], Some(5061)));
        assert_eq!(uri.host_ip(), "2001:db8::1".parse().ok());
        assert_eq!((uri.parameters, uri.headers), (&b";transport=tcp;lr"[..], &b"Subject=a%20b&Priority="[..]));
        assert_eq!(uri.parameter(b"Transport").and_then(|p| p.value), Some(&b"tcp"[..]));
        assert_eq!(uri.parameter(b"lr"), Some(Parameter { name: b"lr", value: None }));
        assert_eq!(uri.parameter(b"maddr"), None);
        assert_eq!(uri.headers().count(), 2);
        assert_eq!(&*unescape(uri.user.unwrap()), b"al ice;x=1");
        let uri = Uri::parse(b"tel:7042;phone-context=example.com").unwrap();
        assert_eq!((uri.scheme, uri.user, uri.host), (Scheme::Tel, Some(&b"7042"[..]), &b""[..]));
        let uri = Uri::parse(b"urn:service:sos?x").unwrap();
        assert_eq!((uri.scheme, uri.opaque), (Scheme::Other, &b"service:sos?x"[..]));
        assert_eq!(Uri::parse(b"sip:host").unwrap().user, None);
    }

    #[test]
    fn good_and_bad() {
        for good in [
            "sip:a@b",
            "sip:b",
            "sip:1_2@b_c.d",
            "sip:user;par=u%40example.net@example.com",
            "sip:a@b;lr;x=[y]",
            "sip:a@b?X=",
            "tel:*21#",
            "sip:j\u{fc}@b",
            "sip:+1(2)3@b;user=phone",
            "mailto:a@b",
            "sip:a:@b",
            // Tolerated: separators behind which nothing stands.
            "sip:a@b;",
            "sip:a@b?",
            "tel:1;",
        ] {
            assert!(Uri::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "sip",
            "sip:",
            ":a",
            "a b:c",
            "sip:@b",
            "sip:a@",
            "sip:a@b:0",
            "sip:a@b:65536",
            "sip:a@b:",
            "sip:a@b:5x",
            "sip:a@b@c",
            "sip:a%4@b",
            "sip:a%zz@b",
            "sip:a@b;;x",
            "sip:a@b;=1",
            "sip:a@b;x=",
            "sip:a@b?x",
            "sip:a@b?=1",
            "sip:a@[::1",
            "sip:a@[x]",
            "sip:a b@c",
            "sip:a\"@c",
            "tel:",
            "tel:+",
            "tel:+1a",
            "tel:x-y",
            "sip:a@b/c",
            "sip:a[@b",
        ] {
            assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn many_parameters_are_not_compared() {
        let text = |last: &str| format!("sip:b{}{last}", (0..65).map(|i| format!(";p{i}")).collect::<String>());
        assert!(same(&text(";x"), &text(";x")));
        assert!(!same(&text(";x"), &text(";y")));
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        let every: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        escape_header(&mut out, &every);
        assert_eq!(&*unescape(&out), every);
        assert!(out.iter().all(|byte| byte.is_ascii_graphic()));
        out.splice(0..0, *b"sip:b?Replaces=");
        let uri = Uri::parse(&out).unwrap();
        assert_eq!(&*unescape(uri.headers().next().unwrap().value.unwrap()), every);
    }
}
