//! The smallest pieces of RFC 3261 §25.1: character classes, tokens, quoted strings, hosts, parameters.

use crate::error::{Error, Result};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `token`.
pub(crate) const TOKEN: u8 = 1;
/// Host names and IPv4 addresses; the underscore is no letter of RFC 1123, but real.
pub(crate) const HOST: u8 = 2;
/// `unreserved` and `user-unreserved`, and bytes beyond ASCII, which pass through.
pub(crate) const USER: u8 = 4;
/// What stands in a header parameter's value outside quotes. Wider than the grammar (tags with `@`, `/` or `=` are
/// seen): every visible byte that separates nothing.
pub(crate) const VALUE: u8 = 8;
/// `0` to `9`.
pub(crate) const DIGIT: u8 = 16;
/// Space and tab; folds are spaces already.
pub(crate) const BLANK: u8 = 32;
/// `paramchar` and `hnv-unreserved` of URIs without the escapes.
pub(crate) const URI_PARAMETER: u8 = 64;

static CLASS: [u8; 256] = classes();

const fn has(set: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        let letter = byte.is_ascii_alphanumeric();
        let mut class = 0;
        if letter || has(b"-.!%*_+`'~", byte) {
            class |= TOKEN;
        }
        if letter || has(b"-._", byte) {
            class |= HOST;
        }
        if letter || has(b"-_.!~*'()&=+$,;?/", byte) || byte >= 0x80 {
            class |= USER;
        }
        if (byte > 0x20 && byte != 0x7f) && !has(b"\",;<>", byte) {
            class |= VALUE;
        }
        if byte.is_ascii_digit() {
            class |= DIGIT;
        }
        if has(b" \t", byte) {
            class |= BLANK;
        }
        if letter || has(b"-_.!~*'()[]/:&+$?", byte) || byte >= 0x80 {
            class |= URI_PARAMETER;
        }
        table[i] = class;
        i += 1;
    }
    table
}

/// Whether a byte belongs to one of the classes.
#[inline]
pub(crate) fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// Whether every byte belongs to the classes. True of nothing.
#[inline]
pub(crate) fn all(text: &[u8], class: u8) -> bool {
    text.iter().all(|byte| is(*byte, class))
}

/// Whether there is no blank and no control character.
#[inline]
pub(crate) fn is_visible(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte below 0x21, or zero after the exclusive or.
    let bad = |chunk: &[u8; 8]| {
        let word = u64::from_le_bytes(*chunk);
        let delete = word ^ (ONES * 0x7f);
        (word.wrapping_sub(ONES * 0x21) & !word) | (delete.wrapping_sub(ONES) & !delete)
    };
    let Some(last) = text.last_chunk::<8>() else { return text.iter().all(|byte| *byte > b' ' && *byte != 0x7f) };
    // The last eight may have been looked at before.
    let mut found = bad(last);
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        found |= bad(chunk);
        rest = after;
    }
    found & (ONES << 7) == 0
}

/// A `token` of at least one byte.
#[inline]
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && all(text, TOKEN)
}

/// The longest beginning made of the classes, and what follows.
#[inline]
pub(crate) fn take(text: &[u8], class: u8) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !is(*byte, class)).unwrap_or(text.len());
    text.split_at(length)
}

/// Without blanks at the beginning.
#[inline]
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is(*first, BLANK) {
            break;
        }
        text = rest;
    }
    text
}

/// Without blanks at the end.
#[inline]
pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text {
        if !is(*last, BLANK) {
            break;
        }
        text = rest;
    }
    text
}

/// Without blanks at both ends.
#[inline]
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Where the first `byte` is. Eight bytes a step, written out: what is looked for in a header value is near, and
/// calling `memchr` costs more than the way there.
#[inline]
pub(crate) fn find(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let x = u64::from_le_bytes(*chunk) ^ (ONES * u64::from(byte));
        let found = x.wrapping_sub(ONES) & !x & (ONES << 7);
        if found != 0 {
            return Some(text.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    rest.iter().position(|other| *other == byte).map(|at| text.len() - rest.len() + at)
}

/// The text before and after the first `byte`.
#[inline]
pub(crate) fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = find(byte, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `1*DIGIT` not above `limit`. Leading zeros are numbers too (RFC 4475 §3.1.1.1).
pub(crate) fn decimal(text: &[u8], limit: u64) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        if number > limit {
            return None;
        }
    }
    Some(number)
}

/// `delta-seconds` and the like, up to 2^32-1.
pub(crate) fn decimal_u32(text: &[u8]) -> Option<u32> {
    decimal(text, u64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok())
}

/// A port: 1 to 65535.
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    decimal(text, 65535).and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0)
}

/// A quoted string at the beginning: what is between the quotes, still escaped, and what follows.
pub(crate) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
        match inner.get(at) {
            Some(b'"') => return Some((inner.get(..at)?, inner.get(at + 1..)?)),
            _ => at += 2,
        }
    }
}

/// The meaning of a value that may be a quoted string: without quotes and escapes.
pub(crate) fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let Some((inner, _)) = quoted(text) else { return Cow::Borrowed(text) };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(*byte),
        }
    }
    Cow::Owned(plain)
}

/// `host` at the beginning (an IPv6 reference keeps its brackets), and what follows.
#[inline]
pub(crate) fn host(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.first() == Some(&b'[') {
        let end = memchr::memchr(b']', text)?;
        ipv6(text.get(1..end)?)?;
        return text.split_at_checked(end + 1);
    }
    let (host, rest) = take(text, HOST);
    (!host.is_empty()).then_some((host, rest))
}

/// `hostport` with blanks around the colon (RFC 3261 §25.1 COLON): host, port, what follows.
#[inline]
pub(crate) fn host_port(text: &[u8]) -> Option<(&[u8], Option<u16>, &[u8])> {
    let (host, rest) = host(text)?;
    let Some(after) = trim_start(rest).strip_prefix(b":") else { return Some((host, None, rest)) };
    let (digits, rest) = take(trim_start(after), DIGIT);
    Some((host, Some(port(digits)?), rest))
}

/// Four numbers up to 255 without leading zeros. Written out, for it is asked of the Via of every request.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut octet, mut digits, mut dots) = (0u32, 0u32, 0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' if digits == 0 || octet != 0 => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
                if octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                address = address << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    (digits > 0 && dots == 3).then(|| Ipv4Addr::from(address << 8 | octet))
}

fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| ipv6_of_rfc3261(text))
}

/// RFC 5118 §4.10: by the grammar of RFC 3261 a third colon may stand before an IPv4 address; it must be tolerated.
#[cold]
fn ipv6_of_rfc3261(text: &str) -> Option<Ipv6Addr> {
    let (hex, v4) = text.split_once(":::")?;
    v4.parse::<Ipv4Addr>().ok()?;
    format!("{hex}::{v4}").parse().ok()
}

/// The address that a host text is, when it is one.
pub(crate) fn host_ip(host: &[u8]) -> Option<IpAddr> {
    if let Some(inner) = host.strip_prefix(b"[") {
        return ipv6(inner.strip_suffix(b"]")?).map(IpAddr::V6);
    }
    if !host.first()?.is_ascii_digit() {
        // A bare IPv6 address is no host, but the `received` parameter holds one (RFC 3261 §25.1 via-received).
        return ipv6(host).map(IpAddr::V6);
    }
    ipv4(host).map(IpAddr::V4).or_else(|| ipv6(host).map(IpAddr::V6))
}

/// One `;name=value` of a header or a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// As written; compare without case.
    pub name: &'a [u8],
    /// As written, a quoted string with its quotes; `None` for a bare name.
    pub value: Option<&'a [u8]>,
}

impl<'a> Parameter<'a> {
    /// Whether this is the parameter `name`, in any case.
    #[inline]
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The parameters of a header value: `;name=value;name="value";name`.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// `text` begins with the first `;` or is empty.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The first parameter of this name that is written as it should be.
    pub fn find(self, name: &[u8]) -> Option<Parameter<'a>> {
        self.filter_map(Result::ok).find(|parameter| parameter.is(name))
    }

    /// The next parameter without the weight of an error: `Some(None)` is a bad one.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<Option<Parameter<'a>>> {
        self.rest = trim_start(self.rest);
        if self.rest.is_empty() {
            return None;
        }
        let parameter = self.parse();
        if parameter.is_none() {
            self.rest = b"";
        }
        Some(parameter)
    }

    #[inline]
    fn parse(&mut self) -> Option<Parameter<'a>> {
        let after = trim_start(self.rest.strip_prefix(b";")?);
        let (name, rest) = take(after, TOKEN);
        if name.is_empty() {
            return None;
        }
        let Some(after) = trim_start(rest).strip_prefix(b"=") else {
            self.rest = trim_start(rest);
            return Some(Parameter { name, value: None });
        };
        let after = trim_start(after);
        let (value, rest) = if after.first() == Some(&b'"') {
            let (_, rest) = quoted(after)?;
            after.split_at_checked(after.len() - rest.len())?
        } else {
            take(after, VALUE)
        };
        if value.is_empty() {
            return None;
        }
        self.rest = trim_start(rest);
        Some(Parameter { name, value: Some(value) })
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let bad = || Error::syntax("parameter: ;name=value (RFC 3261 25.1 generic-param)");
        self.step().map(|parameter| parameter.ok_or_else(bad))
    }
}

/// Where a comma list's first value ends: quoted strings and `<>` hide commas, as do comments where a header has them.
pub(crate) fn list_value(text: &[u8], comments: bool) -> usize {
    let mut at = 0;
    let mut depth = 0usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b',' if depth == 0 => return at,
            b'"' if depth == 0 => match text.get(at..).and_then(quoted) {
                Some((_, rest)) => {
                    at = text.len() - rest.len();
                    continue;
                }
                None => return text.len(),
            },
            b'<' if depth == 0 => match text.get(at..).and_then(|rest| memchr::memchr(b'>', rest)) {
                Some(length) => at += length,
                None => return text.len(),
            },
            b'(' if comments => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'\\' if depth > 0 => at += 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (text, limit, number) in [
            ("0", 10, Some(0)),
            ("0010", 10, Some(10)),
            ("11", 10, None),
            ("", 10, None),
            ("+1", 10, None),
            ("-1", 10, None),
            ("1 ", 10, None),
            ("18446744073709551615", u64::MAX, Some(u64::MAX)),
            ("18446744073709551616", u64::MAX, None),
        ] {
            assert_eq!(decimal(text.as_bytes(), limit), number, "{text}");
        }
    }

    #[test]
    fn the_first_of_a_byte() {
        for length in 0..20 {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                text[at] = b';';
                assert_eq!((find(b';', &text), find(b';', &text[..at])), (Some(at), None));
                text.push(b';');
                assert_eq!(find(b';', &text), Some(at));
                // Neighbours in the word that differ by one, in which a carry could run.
                text[at] = b':';
                assert_eq!((find(b';', &text), find(b':', &text)), (Some(length), Some(at)));
            }
        }
        assert_eq!((find(0, b"\x01\x80\x00"), find(0x80, &[0; 16]), find(0xff, &[0xfe; 16])), (Some(2), None, None));
    }

    #[test]
    fn quoted_strings() {
        assert_eq!(quoted(br#""a\"b" c"#), Some((&br#"a\"b"#[..], &b" c"[..])));
        assert_eq!(quoted(br#""""#), Some((&b""[..], &b""[..])));
        assert_eq!(quoted(br#""a\""#), None);
        assert_eq!(quoted(br#""a\"#), None);
        assert_eq!(quoted(b"a"), None);
        assert_eq!(&*unquote(br#""a\"b\\""#), br#"a"b\"#);
        assert_eq!(&*unquote(b"plain"), b"plain");
    }

    #[test]
    fn visible() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    assert_eq!(is_visible(&text), byte > b' ' && byte != 0x7f, "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn hosts_and_ports() {
        type Row = (&'static str, Option<(&'static str, Option<u16>, &'static str)>);
        let rows: [Row; 9] = [
            ("a.example:5060;x", Some(("a.example", Some(5060), ";x"))),
            ("a : 5 ;x", Some(("a", Some(5), " ;x"))),
            ("192.0.2.1", Some(("192.0.2.1", None, ""))),
            ("[2001:db8::1]:5061", Some(("[2001:db8::1]", Some(5061), ""))),
            ("[2001:db8::g]", None),
            ("a:", None),
            ("a:0", None),
            ("a:65536", None),
            (":5060", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(host, port, rest)| (host.as_bytes(), port, rest.as_bytes()));
            assert_eq!(host_port(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(host_ip(b"[::1]"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(host_ip(b"::1"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(host_ip(b"2001:db8::1"), "2001:db8::1".parse().ok());
        assert_eq!(host_ip(b"[2001:db8:::192.0.2.1]"), "2001:db8::192.0.2.1".parse().ok());
        for text in ["[2001:db8:::1]", "[:::1:2]", "[1:::192.0.2.1:2]", "[1::2:::192.0.2.1]", "[::::192.0.2.1]"] {
            assert_eq!(host_ip(text.as_bytes()), None, "{text}");
        }
        assert_eq!(host_ip(b"127.0.0.1"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        for text in
            ["127.0.0.256", "127.0.0.01", "127.0.0", "127.0.0.", "127..0.1", "127.0.0.1.", "127.0.0.1.1", "0.0.0.1000"]
        {
            assert_eq!((host_ip(text.as_bytes()), text.parse::<IpAddr>().ok()), (None, None), "{text}");
        }
        assert_eq!(host_ip(b"255.0.10.9"), "255.0.10.9".parse().ok());
        assert_eq!(host_ip(b"a.example"), None);
    }

    #[test]
    fn parameters() {
        let good = Parameters::new(br#" ; a = 1 ;b;c="x;y" ;d=[::1]:5"#);
        let read: Vec<_> = good.map(|parameter| parameter.map(|p| (p.name, p.value)).ok()).collect();
        assert_eq!(
            read,
            [
                Some((&b"a"[..], Some(&b"1"[..]))),
                Some((&b"b"[..], None)),
                Some((&b"c"[..], Some(&b"\"x;y\""[..]))),
                Some((&b"d"[..], Some(&b"[::1]:5"[..])))
            ]
        );
        assert_eq!(good.find(b"C").and_then(|p| p.value), Some(&b"\"x;y\""[..]));
        for bad in [";", ";;a", ";a=", ";a=\"x", "a", ";a b", ";a=1 2", ";=1", ";a=1,"] {
            assert!(Parameters::new(bad.as_bytes()).any(|parameter| parameter.is_err()), "{bad}");
        }
    }

    #[test]
    fn lists() {
        for (text, comments, first) in [
            ("a, b", false, "a"),
            (r#""a,b" <x,y>, c"#, false, r#""a,b" <x,y>"#),
            ("a (b,c), d", true, "a (b,c)"),
            ("a (b, d", false, "a (b"),
            (r#""a, b"#, false, r#""a, b"#),
            ("<a, b", false, "<a, b"),
            ("", false, ""),
        ] {
            assert_eq!(&text[..list_value(text.as_bytes(), comments)], first, "{text}");
        }
    }
}
