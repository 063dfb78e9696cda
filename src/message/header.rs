//! Header names: ids, compact forms, long forms, and which of them hold comma lists.

/// How the values of a header are written (RFC 3261 §7.3.1, §25.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// A line is one value, whatever commas it has.
    Single,
    /// A line is one name-addr or addr-spec.
    Address,
    /// A line is a comma list.
    List,
    /// A line is a comma list of name-addr.
    Addresses,
}

macro_rules! headers {
    ($($id:ident, $name:literal, $compact:expr, $grammar:ident;)*) => {
        /// The headers that have a number. All others are [`HeaderId::Other`] and are found by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderId {
            $(#[doc = concat!("`", $name, "`")] $id,)*
            /// A header without a number.
            Other,
        }

        /// In the order of the numbers, which is also the order in which names of one length are tried.
        static HEADERS: &[(HeaderId, &str, Option<u8>, Grammar)] =
            &[$((HeaderId::$id, $name, $compact, Grammar::$grammar),)*];
    };
}

headers! {
    // Those with keys, which the parser looks at by itself: up to Content-Length.
    Via, "Via", Some(b'v'), List;
    From, "From", Some(b'f'), Address;
    To, "To", Some(b't'), Address;
    CallId, "Call-ID", Some(b'i'), Single;
    CSeq, "CSeq", None, Single;
    MaxForwards, "Max-Forwards", None, Single;
    ContentLength, "Content-Length", Some(b'l'), Single;
    // The others, of one length the frequent ones first.
    Contact, "Contact", Some(b'm'), Addresses;
    ContentType, "Content-Type", Some(b'c'), Single;
    Route, "Route", None, Addresses;
    RecordRoute, "Record-Route", None, Addresses;
    Allow, "Allow", None, List;
    Supported, "Supported", Some(b'k'), List;
    Require, "Require", None, List;
    UserAgent, "User-Agent", None, Single;
    Server, "Server", None, Single;
    Accept, "Accept", None, List;
    SessionExpires, "Session-Expires", Some(b'x'), Single;
    MinSe, "Min-SE", None, Single;
    RSeq, "RSeq", None, Single;
    RAck, "RAck", None, Single;
    Expires, "Expires", None, Single;
    Event, "Event", Some(b'o'), Single;
    Reason, "Reason", None, List;
    Authorization, "Authorization", None, Single;
    ProxyAuthorization, "Proxy-Authorization", None, Single;
    WwwAuthenticate, "WWW-Authenticate", None, Single;
    ProxyAuthenticate, "Proxy-Authenticate", None, Single;
    ProxyRequire, "Proxy-Require", None, List;
    Unsupported, "Unsupported", None, List;
    ReferTo, "Refer-To", Some(b'r'), Address;
    ReferredBy, "Referred-By", Some(b'b'), Address;
    ReferSub, "Refer-Sub", None, Single;
    Replaces, "Replaces", None, Single;
    SubscriptionState, "Subscription-State", None, Single;
    AllowEvents, "Allow-Events", Some(b'u'), List;
    RecvInfo, "Recv-Info", None, List;
    InfoPackage, "Info-Package", None, Single;
    AcceptEncoding, "Accept-Encoding", None, List;
    AcceptLanguage, "Accept-Language", None, List;
    AlertInfo, "Alert-Info", None, List;
    AuthenticationInfo, "Authentication-Info", None, Single;
    CallInfo, "Call-Info", None, List;
    ContentDisposition, "Content-Disposition", None, Single;
    ContentEncoding, "Content-Encoding", Some(b'e'), List;
    ContentLanguage, "Content-Language", None, List;
    Date, "Date", None, Single;
    ErrorInfo, "Error-Info", None, List;
    InReplyTo, "In-Reply-To", None, List;
    MimeVersion, "MIME-Version", None, Single;
    MinExpires, "Min-Expires", None, Single;
    Organization, "Organization", None, Single;
    Priority, "Priority", None, Single;
    ReplyTo, "Reply-To", None, Address;
    RetryAfter, "Retry-After", None, Single;
    Subject, "Subject", Some(b's'), Single;
    Timestamp, "Timestamp", None, Single;
    Warning, "Warning", None, List;
    Path, "Path", None, Addresses;
    ServiceRoute, "Service-Route", None, Addresses;
    PAssertedIdentity, "P-Asserted-Identity", None, Addresses;
    PPreferredIdentity, "P-Preferred-Identity", None, Addresses;
    PAssociatedUri, "P-Associated-URI", None, Addresses;
    PCalledPartyId, "P-Called-Party-ID", None, Address;
    PAccessNetworkInfo, "P-Access-Network-Info", None, List;
    PChargingVector, "P-Charging-Vector", None, Single;
    Privacy, "Privacy", None, Single;
    Identity, "Identity", Some(b'y'), Single;
    IdentityInfo, "Identity-Info", Some(b'n'), Single;
    TargetDialog, "Target-Dialog", None, Single;
    Join, "Join", None, Single;
    HistoryInfo, "History-Info", None, Addresses;
    Diversion, "Diversion", None, Addresses;
    Geolocation, "Geolocation", None, Addresses;
    GeolocationRouting, "Geolocation-Routing", None, Single;
    GeolocationError, "Geolocation-Error", None, Single;
    AcceptContact, "Accept-Contact", Some(b'a'), List;
    RejectContact, "Reject-Contact", Some(b'j'), List;
    RequestDisposition, "Request-Disposition", Some(b'd'), List;
    SipEtag, "SIP-ETag", None, Single;
    SipIfMatch, "SIP-If-Match", None, Single;
    SuppressIfMatch, "Suppress-If-Match", None, Single;
    SecurityClient, "Security-Client", None, List;
    SecurityServer, "Security-Server", None, List;
    SecurityVerify, "Security-Verify", None, List;
    ResourcePriority, "Resource-Priority", None, List;
    AcceptResourcePriority, "Accept-Resource-Priority", None, List;
    AnswerMode, "Answer-Mode", None, Single;
    PrivAnswerMode, "Priv-Answer-Mode", None, Single;
    FlowTimer, "Flow-Timer", None, Single;
    FeatureCaps, "Feature-Caps", None, List;
    MaxBreadth, "Max-Breadth", None, Single;
    SessionId, "Session-ID", None, Single;
    UserToUser, "User-to-User", None, List;
    ReferEventsAt, "Refer-Events-At", None, Single;
    ContentId, "Content-ID", None, Single;
}

/// Names of up to this length are compared as two words.
const SHORT: usize = 16;
/// The longest name with a number.
const LONGEST: usize = 24;

/// A name in two little-endian words, lower case, filled up with zeros.
#[derive(Clone, Copy)]
struct Entry {
    words: [u64; 2],
    id: HeaderId,
}

/// Names by length: `ranges[n]` is where those of length `n` begin and end.
struct Names {
    entries: [Entry; HEADERS.len()],
    ranges: [(u8, u8); LONGEST + 1],
}

static NAMES: Names = names();
static COMPACT: [HeaderId; 256] = compact();

const fn names() -> Names {
    let mut names =
        Names { entries: [Entry { words: [0; 2], id: HeaderId::Other }; HEADERS.len()], ranges: [(0, 0); LONGEST + 1] };
    let (mut length, mut filled) = (0, 0);
    while length <= LONGEST {
        let start = filled as u8;
        let mut i = 0;
        while i < HEADERS.len() {
            let name = HEADERS[i].1.as_bytes();
            if name.len() == length {
                let mut j = 0;
                while j < name.len() && j < SHORT {
                    names.entries[filled].words[j / 8] |= (name[j].to_ascii_lowercase() as u64) << (j % 8 * 8);
                    j += 1;
                }
                names.entries[filled].id = HEADERS[i].0;
                filled += 1;
            }
            i += 1;
        }
        names.ranges[length] = (start, filled as u8);
        length += 1;
    }
    assert!(filled == HEADERS.len(), "LONGEST is too small");
    names
}

const fn compact() -> [HeaderId; 256] {
    let mut table = [HeaderId::Other; 256];
    let mut i = 0;
    while i < HEADERS.len() {
        if let Some(letter) = HEADERS[i].2 {
            table[letter as usize] = HEADERS[i].0;
            table[letter.to_ascii_uppercase() as usize] = HEADERS[i].0;
        }
        i += 1;
    }
    table
}

/// Letters to lower case. Bit 0x20 is set only where bit 0x40 is, so that no control character becomes a `-`.
#[inline]
const fn lower(word: u64) -> u64 {
    word | ((word & 0x4040_4040_4040_4040) >> 1)
}

/// The low `bytes` bytes of a word.
#[inline]
const fn low(word: u64, bytes: usize) -> u64 {
    if bytes >= 8 { word } else { word & !(u64::MAX << (bytes * 8)) }
}

/// Where the first colon is among the eight bytes of a word.
#[inline]
const fn colon(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let x = word ^ (ONES * b':' as u64);
    let found = x.wrapping_sub(ONES) & !x & (ONES << 7);
    if found == 0 { None } else { Some(found.trailing_zeros() as usize / 8) }
}

/// The header line at the beginning of `text`: id, and length of the name up to the colon. `None`: no colon at all.
/// Inlined always: a call for each line of a message would cost 2% of reading it.
#[inline(always)]
pub(crate) fn scan_name(text: &[u8]) -> Option<(HeaderId, usize)> {
    if let Some(chunk) = text.first_chunk::<16>() {
        let chunk = u128::from_le_bytes(*chunk);
        let (first, second) = (chunk as u64, (chunk >> 64) as u64);
        if let Some(length) = colon(first) {
            return Some((lookup([low(lower(first), length), 0], length, text), length));
        }
        if let Some(rest) = colon(second) {
            let length = 8 + rest;
            return Some((lookup([lower(first), low(lower(second), rest)], length, text), length));
        }
    }
    let length = memchr::memchr(b':', text)?;
    Some((HeaderId::from_name(text.get(..length)?), length))
}

/// Whose a line is that we wrote.
pub fn of_line(line: &[u8]) -> HeaderId {
    HeaderId::from_name(line.split(|byte| *byte == b':').next().unwrap_or_default())
}

/// The value of a header in lines that we wrote, and all that follows it.
pub fn in_lines(mut lines: &[u8], id: HeaderId) -> Option<&[u8]> {
    while !lines.starts_with(b"\r\n") {
        if let Some((found, length)) = scan_name(lines)
            && found == id
        {
            return lines.get(length + 2..);
        }
        lines = lines.get(memchr::memchr(b'\n', lines)? + 1..)?;
    }
    None
}

/// A message that we wrote without a header.
pub fn without(message: &[u8], id: HeaderId) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    let mut rest = message;
    while !rest.is_empty() && !rest.starts_with(b"\r\n") {
        let (line, after) = rest.split_at(memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1));
        if scan_name(line).is_none_or(|(found, _)| found != id) {
            out.extend_from_slice(line);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// `words` holds the first 16 bytes of the name in lower case; `text` begins with the name.
#[inline]
fn lookup(words: [u64; 2], length: usize, text: &[u8]) -> HeaderId {
    if length == 1 {
        return text.first().map_or(HeaderId::Other, |letter| COMPACT[usize::from(*letter)]);
    }
    let Some((start, end)) = NAMES.ranges.get(length) else { return HeaderId::Other };
    let entries = NAMES.entries.get(usize::from(*start)..usize::from(*end)).unwrap_or_default();
    for entry in entries {
        if entry.words == words
            && (length <= SHORT
                || text.get(..length).is_some_and(|n| n.eq_ignore_ascii_case(entry.id.name().as_bytes())))
        {
            return entry.id;
        }
    }
    HeaderId::Other
}

impl HeaderId {
    /// Its bit in a set of headers. Some rare ones share theirs: a set says for certain only what is absent.
    #[inline]
    pub(super) const fn bit(self) -> u64 {
        1 << (self as u8 % 64)
    }

    /// By long or compact name, in any case.
    pub fn from_name(name: &[u8]) -> Self {
        let mut words = [0u64; 2];
        for (word, chunk) in words.iter_mut().zip(name.chunks(8)) {
            let mut bytes = [0u8; 8];
            bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = from.to_ascii_lowercase());
            *word = u64::from_le_bytes(bytes);
        }
        lookup(words, name.len(), name)
    }

    #[inline]
    fn row(self) -> Option<&'static (HeaderId, &'static str, Option<u8>, Grammar)> {
        HEADERS.get(usize::from(self as u8))
    }

    /// The long name; empty for [`HeaderId::Other`].
    #[inline]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// Whether a message has one line of it at most. Credentials and challenges are one a realm (RFC 3261 §20.7),
    /// Identity one a kind of PASSporT (RFC 8224 §4).
    pub fn stands_once(self) -> bool {
        let many = matches!(
            self,
            Self::Authorization
                | Self::ProxyAuthorization
                | Self::WwwAuthenticate
                | Self::ProxyAuthenticate
                | Self::Identity
                | Self::IdentityInfo
                | Self::Other
        );
        !many && matches!(self.grammar(), Grammar::Single | Grammar::Address)
    }

    /// How its values are written. A header without a number is one value a line, for its grammar is not known.
    pub fn grammar(self) -> Grammar {
        self.row().map_or(Grammar::Single, |row| row.3)
    }
}

/// A header by number or by name.
#[derive(Clone, Copy, Debug)]
pub enum HeaderName<'a> {
    /// One that has a number.
    Known(HeaderId),
    /// One that has none, by its name in any case.
    Other(&'a [u8]),
}

impl<'a> HeaderName<'a> {
    /// As it is written.
    #[inline]
    pub fn text(self) -> &'a [u8] {
        match self {
            Self::Known(id) => id.name().as_bytes(),
            Self::Other(name) => name,
        }
    }

    /// The number, [`HeaderId::Other`] for one without.
    pub fn id(self) -> HeaderId {
        match self {
            Self::Known(id) => id,
            Self::Other(_) => HeaderId::Other,
        }
    }
}

impl From<HeaderId> for HeaderName<'static> {
    #[inline]
    fn from(id: HeaderId) -> Self {
        Self::Known(id)
    }
}

impl<'a> From<&'a [u8]> for HeaderName<'a> {
    fn from(name: &'a [u8]) -> Self {
        match HeaderId::from_name(name) {
            HeaderId::Other => Self::Other(name),
            id => Self::Known(id),
        }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for HeaderName<'a> {
    fn from(name: &'a [u8; N]) -> Self {
        Self::from(name.as_slice())
    }
}

impl<'a> From<&'a str> for HeaderName<'a> {
    fn from(name: &'a str) -> Self {
        Self::from(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_every_way() {
        for (number, (id, name, compact, _)) in HEADERS.iter().enumerate() {
            assert_eq!(*id as usize, number);
            let mut names = vec![name.to_string(), name.to_uppercase(), name.to_lowercase()];
            names.extend(compact.map(|letter| char::from(letter).to_string()));
            names.extend(compact.map(|letter| char::from(letter).to_uppercase().to_string()));
            for name in names {
                assert_eq!(HeaderId::from_name(name.as_bytes()), *id, "{name}");
                for tail in [": x", ": a value that is long enough: for the words\r\n"] {
                    assert_eq!(scan_name(format!("{name}{tail}").as_bytes()), Some((*id, name.len())), "{name}{tail}");
                }
            }
        }
    }

    #[test]
    fn no_other_name_is_taken_for_a_known_one() {
        for name in [
            "",
            "z",
            "Vi",
            "Viaa",
            "Call\rID",
            "Call_ID",
            "Subscription-Statf",
            "X-A-Name-Longer-Than-Any-That-Has-A-Number",
            "T\u{f}",
        ] {
            assert_eq!(HeaderId::from_name(name.as_bytes()), HeaderId::Other, "{name}");
            let line = format!("{name}: and some more text behind it");
            assert_eq!(scan_name(line.as_bytes()), Some((HeaderId::Other, name.len())), "{name}");
        }
        assert_eq!(scan_name(b"no colon"), None);
        assert_eq!(scan_name(b"no colon in a longer line either"), None);
    }

    #[test]
    fn names_are_unique() {
        for (i, (_, name, compact, _)) in HEADERS.iter().enumerate() {
            for (_, other, letter, _) in &HEADERS[..i] {
                assert!(!name.eq_ignore_ascii_case(other), "{name}");
                assert!(compact.is_none() || compact != letter, "{name} {other}");
            }
        }
    }

    #[test]
    fn lists() {
        let is_list = |id: HeaderId| matches!(id.grammar(), Grammar::List | Grammar::Addresses);
        for id in [HeaderId::Via, HeaderId::Contact, HeaderId::Route, HeaderId::Supported, HeaderId::Warning] {
            assert!(is_list(id), "{id:?}");
        }
        for id in [
            HeaderId::Subject,
            HeaderId::Date,
            HeaderId::UserAgent,
            HeaderId::Authorization,
            HeaderId::WwwAuthenticate,
            HeaderId::CallId,
            HeaderId::From,
            HeaderId::Other,
        ] {
            assert!(!is_list(id), "{id:?}");
        }
    }
}
