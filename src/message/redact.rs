//! What a trace leaves out: credentials, media keys, identities. Reads lines, not messages: what no parser understands is
//! left out as well, and where it is not clear what a piece is, it is taken for a secret.
//!
//! In the header of a message another text takes the place; in its body as many letters, so that Content-Length holds.

use super::HeaderId;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

/// Values of Authorization and Proxy-Authorization but what is no secret, `response`, `cnonce`, `rspauth` anywhere,
/// passwords of URIs.
pub const CREDENTIALS: u32 = 1;
/// SDES keys (RFC 4568), `k=`, `a=key-mgmt`, `a=ice-pwd`.
pub const KEYS: u32 = 2;
/// Users of URIs, display names, `username`, Identity, what SDP says of a person.
pub const IDENTITIES: u32 = 4;
/// All of them.
pub const ALL: u32 = 7;

/// URIs that name somebody.
const SCHEMES: [&str; 6] = ["sip", "sips", "tel", "im", "pres", "mailto"];
/// Parameters of credentials that are no secret.
const OPEN: [&str; 8] = ["realm", "username", "uri", "nonce", "algorithm", "qop", "nc", "opaque"];
/// Headers whose values are somebody, beside those of [`is_somebody`].
const SOMEBODY: [&str; 5] =
    ["remote-party-id", "p-served-user", "p-profile-key", "p-user-database", "p-asserted-service-user"];
/// The longest name of a parameter that is looked for.
const LONGEST: usize = 24;

/// A message without what `what` names.
pub fn redact(message: &[u8], what: u32) -> Cow<'_, [u8]> {
    if what & ALL == 0 {
        return Cow::Borrowed(message);
    }
    let mut redactor = Redactor { what, body: false, out: Vec::with_capacity(message.len() + 64) };
    let mut rest = message;
    let (mut begun, mut after_credentials) = (false, false);
    while !rest.is_empty() {
        let (line, after) = logical_line(rest, !redactor.body);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            redactor.body |= begun;
        } else {
            begun = true;
            after_credentials = redactor.line(text, after_credentials);
        }
        redactor.out.extend_from_slice(line.get(text.len()..).unwrap_or_default());
        rest = after;
    }
    Cow::Owned(redactor.out)
}

/// A line with its end, which may be CR LF or one of them; `folds`: with those that go on with it.
fn logical_line(text: &[u8], folds: bool) -> (&[u8], &[u8]) {
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        end += match memchr::memchr2(b'\r', b'\n', rest) {
            Some(at) if rest.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let goes_on = folds && matches!(text.get(end), Some(b' ' | b'\t'));
        if !goes_on {
            return text.split_at(end.min(text.len()));
        }
    }
}

struct Redactor {
    what: u32,
    body: bool,
    out: Vec<u8>,
}

/// Pieces of a line that are left out, in order.
type Hidden = SmallVec<[(Range<usize>, Filler); 4]>;

/// What takes the place of a text.
#[derive(Clone, Copy)]
enum Filler {
    Word,
    Number,
    Quoted,
}

impl Redactor {
    fn leaves_out(&self, what: u32) -> bool {
        self.what & what != 0
    }

    fn keep(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn hide(&mut self, text: &[u8], filler: Filler) {
        match (self.body, filler) {
            _ if text.is_empty() => {}
            (false, Filler::Word) => self.keep(b"redacted"),
            (false, Filler::Number) => self.keep(b"0"),
            (false, Filler::Quoted) => self.keep(b"\"redacted\""),
            (true, Filler::Number) => self.out.resize(self.out.len() + text.len(), b'0'),
            (true, Filler::Word) => self.out.resize(self.out.len() + text.len(), b'X'),
            (true, Filler::Quoted) => {
                let quoted = text.len() > 1 && text.starts_with(b"\"") && text.ends_with(b"\"");
                let letter = |at| if quoted && (at == 0 || at == text.len() - 1) { b'"' } else { b'X' };
                self.out.extend((0..text.len()).map(letter));
            }
        }
    }

    /// A line, which may be folded; whether it was one of credentials.
    fn line(&mut self, text: &[u8], after_credentials: bool) -> bool {
        let name = header_name(text);
        if self.leaves_out(CREDENTIALS) {
            if let Some(end) = credentials_begin(text) {
                self.keep(part(text, 0..end));
                self.credentials(part(text, end..text.len()));
                return true;
            }
            // What should have been folded.
            if after_credentials && name.is_none() && !self.body {
                self.hide(text, Filler::Word);
                return true;
            }
        }
        let mut hidden = SmallVec::new();
        if self.leaves_out(KEYS) {
            media_keys(text, &mut hidden);
        }
        if self.leaves_out(IDENTITIES) {
            match self.whole_identity(text, name) {
                Some(whole) => hidden.push((whole, Filler::Word)),
                None => display_names(text, name, &mut hidden),
            }
            hidden.sort_by_key(|(range, _)| range.start);
        }
        self.words(text, &hidden);
        false
    }

    /// What is somebody from end to end: a PASSporT (RFC 8224), the person of a description (RFC 4566 section 5).
    fn whole_identity(&self, text: &[u8], name: Option<&[u8]>) -> Option<Range<usize>> {
        if self.body {
            return match text.get(..2)? {
                b"o=" => {
                    let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
                    (part(text, 2..end) != b"-").then_some(2..end)
                }
                b"e=" | b"p=" => Some(2..text.len()),
                _ => None,
            };
        }
        let name = name.filter(|name| HeaderId::from_name(name) == HeaderId::Identity)?;
        let start = blank_from(text, memchr::memchr(b':', part(text, name.len()..text.len()))? + name.len() + 1);
        let end = memchr::memchr(b';', part(text, start..text.len())).map_or(text.len(), |at| start + at);
        Some(start..end)
    }

    /// All of a line that is no credentials: URIs and parameters, wherever they stand. `hidden`: what is known already.
    fn words(&mut self, text: &[u8], hidden: &[(Range<usize>, Filler)]) {
        let mut hidden = hidden.iter();
        let mut next = hidden.next();
        let mut kept = 0;
        let mut hide = |redactor: &mut Self, range: &Range<usize>, filler| {
            let start = range.start.max(kept);
            if range.end > start {
                redactor.keep(part(text, kept..start));
                redactor.hide(part(text, start..range.end), filler);
                kept = range.end;
            }
            kept
        };
        let mut done = 0;
        let mut ahead = Ahead::new(text);
        for at in memchr::memchr2_iter(b':', b'=', text).chain([text.len()]) {
            while let Some((range, filler)) = next.filter(|(range, _)| range.start <= at) {
                done = hide(self, range, *filler);
                next = hidden.next();
            }
            if at < done {
                continue;
            }
            let found = match text.get(at) {
                Some(b':') => self.in_uri(&mut ahead, at),
                Some(_) => self.in_parameter(&mut ahead, at),
                None => None,
            };
            for (range, filler) in found.into_iter().flatten() {
                done = hide(self, &range, filler);
            }
        }
        self.keep(part(text, done..text.len()));
    }

    /// User and password of the URI whose scheme ends at a colon.
    fn in_uri(&self, ahead: &mut Ahead<'_>, colon: usize) -> Option<[(Range<usize>, Filler); 2]> {
        let text = ahead.text;
        let scheme = scheme_before(text, colon)?;
        let start = colon + 1;
        if scheme == "tel" {
            let rest = part(text, start..text.len()).iter().take_while(|byte| !b";>?,<\"& \t\r\n".contains(byte));
            let end = if self.leaves_out(IDENTITIES) { start + rest.count() } else { start };
            return Some([(start..end, Filler::Number), (end..end, Filler::Word)]);
        }
        let end = ahead.end_of_uri(start);
        let first = Some(ahead.at_sign(start)).filter(|first| *first < end)?;
        // An unescaped one in the password.
        let host = ahead.end_of_host(first).min(end);
        let user = start + memchr::memrchr(b'@', part(text, start..host))?;
        let colon = memchr::memchr(b':', part(text, start..user)).map(|at| start + at);
        let password = colon.map_or(user..user, |colon| colon + 1..user);
        let user = if self.leaves_out(IDENTITIES) { start..colon.unwrap_or(user) } else { start..start };
        let password = if self.leaves_out(CREDENTIALS | IDENTITIES) { password } else { user.end..user.end };
        Some([(user, Filler::Word), (password, Filler::Word)])
    }

    /// The value of the parameter whose name ends at an equals sign, where it is a secret.
    fn in_parameter(&self, ahead: &mut Ahead<'_>, equals: usize) -> Option<[(Range<usize>, Filler); 2]> {
        let text = ahead.text;
        let before = part(text, equals.saturating_sub(LONGEST)..equals).trim_ascii_end();
        let name =
            before.iter().rposition(|byte| !is_token(*byte)).map_or(before, |at| part(before, at + 1..before.len()));
        let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        let hidden = if is(&["response", "cnonce", "rspauth", "password"]) || ends_with(name, "authorization") {
            self.leaves_out(CREDENTIALS)
        } else if is(&["username"]) {
            self.leaves_out(IDENTITIES)
        } else if is(&["replaces", "join", "target-dialog", "call-id", "in-reply-to", "branch", "tag"]) {
            false
        } else {
            // The user of an escaped URI, in the header part of another one.
            self.leaves_out(IDENTITIES) && ahead.escaped_user(equals) < ahead.end_of_value(equals)
        };
        let (value, _) = if hidden { value_at(text, equals + 1) } else { return None };
        Some([(value.clone(), Filler::Word), (value.end..value.end, Filler::Word)])
    }

    /// What follows the name and colon of credentials (RFC 7616 section 3.4): only what is known to be no secret stays.
    fn credentials(&mut self, value: &[u8]) {
        let start = blank_from(value, 0);
        let word = value.iter().skip(start).position(|byte| !is_token(*byte)).map_or(value.len(), |len| start + len);
        let known = |known: &&str| part(value, start..word).eq_ignore_ascii_case(known.as_bytes());
        let scheme = ["Digest", "Basic", "Bearer"].into_iter().find(known);
        let Some(scheme) = scheme else {
            self.keep(part(value, 0..start));
            return self.hide(part(value, start..value.len()), Filler::Word);
        };
        self.keep(part(value, 0..word));
        let rest = part(value, word..value.len());
        if scheme != "Digest" || self.body {
            let start = blank_from(rest, 0);
            self.keep(part(rest, 0..start));
            return self.hide(part(rest, start..rest.len()), Filler::Word);
        }
        let (mut at, mut first) = (0, true);
        while at < rest.len() {
            let Some(begin) = rest.iter().skip(at).position(|byte| !b", \t\r\n".contains(byte)) else { break };
            at += begin;
            let end = rest.iter().skip(at).position(|byte| !is_token(*byte)).map_or(rest.len(), |len| at + len);
            let name = part(rest, at..end);
            let equals = blank_from(rest, end);
            let (value, whole) = if rest.get(equals) == Some(&b'=') {
                value_at(rest, equals + 1)
            } else {
                let garbage = rest.iter().skip(at + 1).position(|byte| *byte == b',');
                (at..garbage.map_or(rest.len(), |len| at + 1 + len), false)
            };
            let open = whole.then(|| OPEN.iter().find(|open| name.eq_ignore_ascii_case(open.as_bytes()))).flatten();
            self.keep(if first { b" " } else { b", " });
            first = false;
            let text = part(rest, value.clone());
            match open.filter(|_| !mentions_secret(text)) {
                Some(open) => {
                    // With quotes that are written anew: what stands around them is not looked at.
                    let quoted = rest.get(value.start.wrapping_sub(1)) == Some(&b'"');
                    let quote: &[u8] = if quoted { b"\"" } else { b"" };
                    self.keep(name);
                    self.keep(b"=");
                    self.keep(quote);
                    if *open == "username" && self.leaves_out(IDENTITIES) {
                        self.hide(b"x", Filler::Word);
                    } else {
                        self.words(text, &[]);
                    }
                    self.keep(quote);
                }
                None => {
                    let secret =
                        ["response", "cnonce"].into_iter().find(|secret| name.eq_ignore_ascii_case(secret.as_bytes()));
                    self.keep(secret.unwrap_or("x").as_bytes());
                    self.keep(b"=\"redacted\"");
                }
            }
            at = value.end.max(at + 1) + usize::from(rest.get(value.end) == Some(&b'"'));
        }
    }
}

/// Where things stand in a line from some place on, each looked for once, so that a line costs by its length whatever it
/// is made of.
struct Ahead<'a> {
    text: &'a [u8],
    found: [usize; 5],
}

impl<'a> Ahead<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, found: [0; 5] }
    }

    /// `from` is never 0.
    fn find(&mut self, what: usize, from: usize, find: impl FnOnce(&[u8]) -> Option<usize>) -> usize {
        let Some(found) = self.found.get_mut(what) else { return self.text.len() };
        if *found < from {
            *found = find(part(self.text, from..self.text.len())).map_or(self.text.len(), |at| from + at);
        }
        *found
    }

    fn end_of_uri(&mut self, from: usize) -> usize {
        self.find(0, from, |text| text.iter().position(|byte| b" \t\r\n<>\"".contains(byte)))
    }

    fn at_sign(&mut self, from: usize) -> usize {
        self.find(1, from, |text| memchr::memchr(b'@', text))
    }

    fn end_of_host(&mut self, from: usize) -> usize {
        self.find(2, from, |text| text.iter().position(|byte| b",;?".contains(byte)))
    }

    fn end_of_value(&mut self, from: usize) -> usize {
        self.find(3, from, |text| text.iter().position(|byte| b",;&> \t\r\n\"".contains(byte)))
    }

    fn escaped_user(&mut self, from: usize) -> usize {
        self.find(4, from, |text| memchr::memmem::find(text, b"%40"))
    }
}

fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Where text begins behind blanks.
fn blank_from(text: &[u8], at: usize) -> usize {
    text.iter().skip(at).position(|byte| !b" \t\r\n".contains(byte)).map_or(text.len(), |blanks| at + blanks)
}

fn ends_with(text: &[u8], end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

/// Where a text of small letters begins, in whatever letters.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text)
        .find(|at| text.get(*at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)))
}

fn mentions_secret(text: &[u8]) -> bool {
    find(text, b"response").is_some() || find(text, b"cnonce").is_some()
}

/// The name of a header line.
fn header_name(text: &[u8]) -> Option<&[u8]> {
    let name = part(text, 0..memchr::memchr(b':', text)?).trim_ascii_end();
    (!name.is_empty() && name.iter().all(|byte| is_token(*byte))).then_some(name)
}

/// Where the value of credentials begins, with a colon or without.
fn credentials_begin(text: &[u8]) -> Option<usize> {
    const WORD: &[u8] = b"authorization";
    let colon = memchr::memchr(b':', text).unwrap_or(text.len());
    // Not a parameter of the name, which `in_parameter` finds, nor text behind another header's name.
    let head = part(text, 0..colon);
    let end = find(head, WORD)? + WORD.len();
    let name_only = head.iter().take(end).all(|byte| is_token(*byte) || b" \t\"".contains(byte));
    if !name_only {
        return None;
    }
    if part(head, end..head.len()).trim_ascii().is_empty() && colon < text.len() { Some(colon + 1) } else { Some(end) }
}

/// The keys of a line of SDP: behind each "inline:" up to what follows a key, else all that may be one.
fn media_keys(text: &[u8], hidden: &mut Hidden) {
    let mut at = 0;
    while let Some(inline) = find(part(text, at..text.len()), b"inline:") {
        let start = at + inline + 7;
        let len = text.iter().skip(start).position(|byte| b"| \t;,\r\n".contains(byte));
        at = len.map_or(text.len(), |len| start + len);
        hidden.push((start..at, Filler::Word));
    }
    if at > 0 {
        return;
    }
    let blank = blank_from(text, 0);
    let line = part(text, blank..text.len());
    let starts = |with: &[u8]| line.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    let behind = |byte: u8| memchr::memchr(byte, line).map_or(line.len(), |at| at + 1);
    let behind_word = |count: usize| {
        let blanks = line.iter().enumerate().filter(|(_, byte)| b" \t".contains(byte));
        blanks.map(|(at, _)| at + 1).nth(count)
    };
    let key = if starts(b"a=crypto") {
        // Tag and suite are none.
        behind_word(1).or_else(|| behind_word(0)).unwrap_or_else(|| behind(b':'))
    } else if starts(b"a=key-mgmt") {
        behind_word(0).unwrap_or_else(|| behind(b':'))
    } else if starts(b"a=ice-pwd") {
        behind(b':')
    } else if starts(b"k=") {
        memchr::memchr(b':', line).map_or(2, |at| at + 1)
    } else {
        return;
    };
    hidden.push((blank + key..text.len(), Filler::Word));
}

/// The scheme that ends at a colon; whatever stands before it.
fn scheme_before(text: &[u8], colon: usize) -> Option<&'static str> {
    SCHEMES.into_iter().find(|scheme| ends_with(part(text, 0..colon), scheme))
}

/// The value that begins here, without its quotes; whether it is a whole one.
fn value_at(text: &[u8], at: usize) -> (Range<usize>, bool) {
    let start = blank_from(text, at);
    if text.get(start) == Some(&b'"') {
        let mut escaped = false;
        let end = text.iter().skip(start + 1).position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        return end.map_or((start + 1..text.len(), false), |len| (start + 1..start + 1 + len, true));
    }
    let len = text.iter().skip(start).position(|byte| b",;&> \t\r\n\"".contains(byte));
    let end = len.map_or(text.len(), |len| start + len);
    (start.min(end)..end, text.get(end) != Some(&b'"'))
}

/// Whether a header's value is somebody, also without a URI.
fn is_somebody(name: &[u8]) -> bool {
    use HeaderId::{
        Contact, Diversion, From, HistoryInfo, PAssertedIdentity, PAssociatedUri, PCalledPartyId, PPreferredIdentity,
        ReferTo, ReferredBy, ReplyTo, To,
    };
    let known = [
        From,
        To,
        Contact,
        ReferTo,
        ReferredBy,
        ReplyTo,
        PAssertedIdentity,
        PPreferredIdentity,
        PAssociatedUri,
        PCalledPartyId,
        HistoryInfo,
        Diversion,
    ];
    known.contains(&HeaderId::from_name(name))
        || SOMEBODY.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Display names, in order; of a header that is somebody also what should have been a URI.
fn display_names(text: &[u8], name: Option<&[u8]>, hidden: &mut Hidden) {
    let mut push = |from: usize, to: usize| {
        let start = blank_from(text, from).min(to);
        let end = start + part(text, start..to).trim_ascii_end().len();
        if end > start {
            hidden.push((start..end, Filler::Quoted));
        }
    };
    let start = name.and_then(|name| Some(memchr::memchr(b':', part(text, name.len()..text.len()))? + name.len() + 1));
    let is_address = |at: usize| {
        let colon = memchr::memchr(b':', part(text, at..text.len().min(at + 8))).map(|len| at + len);
        colon.is_some_and(|colon| {
            SCHEMES.iter().any(|known| part(text, at + 1..colon).eq_ignore_ascii_case(known.as_bytes()))
        })
    };
    // A URI at the beginning of a line is no header.
    let is_scheme = |name: &[u8]| SCHEMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let start = start.filter(|_| !name.is_some_and(is_scheme)).unwrap_or(0);
    // An odd quote says nothing about what is quoted.
    let quotes = part(text, start..text.len()).iter().filter(|byte| **byte == b'"').count() % 2 == 0;
    let (mut at, mut element, mut found, mut quoted) = (start, start, false, false);
    // Of the element: its first letter, and whether it has a URI.
    let (mut first, mut has_uri) = (None, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' if quotes => quoted = !quoted,
            _ if quoted => {}
            b'<' if is_address(at) => {
                push(element, at);
                found = true;
                at = memchr::memchr(b'>', part(text, at..text.len())).map_or(text.len(), |len| at + len);
                element = at + 1;
                (first, has_uri) = (None, false);
            }
            b',' if has_uri || matches!(first, None | Some(b';')) => {
                element = at + 1;
                (first, has_uri) = (None, false);
            }
            b':' => has_uri |= scheme_before(text, at).is_some(),
            _ => {}
        }
        if first.is_none() && at >= element && !byte.is_ascii_whitespace() {
            first = Some(*byte);
        }
        at += 1;
    }
    if !found && name.is_some_and(is_somebody) {
        let uri = memchr::memchr_iter(b':', part(text, start..text.len()))
            .find_map(|colon| scheme_before(text, start + colon).map(|scheme| start + colon - scheme.len()));
        let end = uri
            .unwrap_or_else(|| memchr::memchr(b';', part(text, start..text.len())).map_or(text.len(), |at| start + at));
        if part(text, start..end).trim_ascii() != b"*" {
            push(start, end);
        }
    }
}

#[cfg(test)]
mod tests;
