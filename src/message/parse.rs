//! The one pass over a message: framing (RFC 3261 §7, §18.3), header ranges, keys, mandatory headers.

use super::cseq::CSeq;
use super::grammar::{self, is_token, trim_end, trim_start};
use super::header::{HeaderId, scan_name};
use super::lists::HEADER_LINES;
use super::method::Method;
use super::via::{Rport, Via};
use super::{Field, Message, NameAddr, Span, Start, TopVia};
use crate::flow::Flow;
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

/// The rule of a request of another version, which may be answered 505 (RFC 3261 §21.5.6).
const RULE_VERSION: &str = "SIP-Version is SIP/2.0 (RFC 3261 7.1)";

/// The rule of a message that is too long in another way than by its bytes: 513 (RFC 3261 §21.5.7).
const RULE_LINES: &str = "at most 256 header lines (a limit of this library)";

const RULE_CRLF: &str = "lines end with CR LF and hold neither of them nor NUL (RFC 3261 7)";

/// Why bytes are no message.
#[derive(Clone, Debug)]
pub struct Malformed {
    /// The request, when its start line and header lines could be split: try [`Malformed::answerable`].
    pub message: Option<Box<Message>>,
    /// The header at fault; empty for the start line and the framing.
    pub header: &'static str,
    /// The rule that is broken, with its section.
    pub rule: &'static str,
}

impl Malformed {
    /// The request that can be answered statelessly with [`Malformed::status`]: not an ACK, and with all the headers
    /// that a response must repeat (RFC 3261 §8.2.6.2).
    pub fn answerable(&self) -> Option<&Message> {
        let message = self.message.as_deref()?;
        let has = |id| message.header(id).is_some_and(|value| !value.is_empty());
        let copied = [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq].into_iter().all(has);
        (message.is_request() && message.method() != Method::Ack && copied && !message.sent_by().is_empty())
            .then_some(message)
    }

    /// The same as its answer repeats it: with nothing that would make the answer malformed.
    pub fn to_answer(&self) -> Option<Message> {
        super::mend::request(self.answerable()?)
    }

    /// The status to answer: 505 for another version, 513 for too many lines, else 400.
    pub fn status(&self) -> u16 {
        match self.rule {
            RULE_VERSION => 505,
            RULE_LINES => 513,
            _ => 400,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.header.is_empty() {
            return formatter.write_str(self.rule);
        }
        write!(formatter, "{}: {}", self.header, self.rule)
    }
}

impl std::error::Error for Malformed {}

/// A broken rule: header, rule.
type Broken = (&'static str, &'static str);

/// What the pass over the header lines has met so far.
struct Pass {
    /// Display names in From and To may lack their quotes.
    unquoted: bool,
    via: bool,
    from: bool,
    to: bool,
    call_id: bool,
    cseq: bool,
    max_forwards: bool,
    content_length: Option<u32>,
    /// The first rule that was broken; the pass goes on, so that a request can be answered.
    broken: Option<Broken>,
}

/// Why reading stopped short.
enum Fault {
    /// Lines could not be told apart.
    Framing(&'static str),
    /// All lines were read, and this is the first rule that was broken.
    Broken(Broken),
}

pub(super) fn parse(data: &[u8], flow: Option<Flow>) -> Result<Message, Malformed> {
    let mut message = Message::unread(flow);
    match message.read(data, false) {
        Ok(()) => Ok(message),
        Err(fault) => Err(malformed(fault, message)),
    }
}

pub(super) fn receive(data: &[u8], flow: Flow, unquoted: bool) -> Result<Arc<Message>, Malformed> {
    let mut message = Arc::new(Message::unread(Some(flow)));
    // Nobody else has it yet, so that nothing is cloned.
    match Arc::make_mut(&mut message).read(data, unquoted) {
        Ok(()) => Ok(message),
        Err(fault) => Err(malformed(fault, Arc::unwrap_or_clone(message))),
    }
}

#[cold]
fn malformed(fault: Fault, message: Message) -> Malformed {
    match fault {
        Fault::Framing(rule) => Malformed { message: None, header: "", rule },
        Fault::Broken((header, rule)) => {
            Malformed { message: message.is_request().then(|| Box::new(message)), header, rule }
        }
    }
}

/// Where the line ends that goes on at `from`: the place of its CR LF.
///
/// Sixteen bytes a step, looking for control characters, of which a tab is the only usual one in a line: a third of the
/// instructions of three-byte `memchr`, whose start costs more than lines of this length.
#[inline]
pub(super) fn line_end(text: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // The high bit of every byte below 0x20 is set, of some beyond ASCII too, and of none that is neither.
    let suspicious = |word: u64| word.wrapping_sub(ONES * 0x20);
    let mut rest = text.get(from..)?;
    loop {
        while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
            let chunk = u128::from_le_bytes(*chunk);
            let (low, high) = (chunk as u64, (chunk >> 64) as u64);
            if (suspicious(low) | suspicious(high)) & HIGH != 0 {
                let (low, high) = (suspicious(low) & !low & HIGH, suspicious(high) & !high & HIGH);
                if low | high != 0 {
                    let bit = if low != 0 { low.trailing_zeros() } else { 64 + high.trailing_zeros() };
                    rest = rest.get(bit as usize / 8..)?;
                    break;
                }
            }
            rest = after;
        }
        if rest.len() < 16 {
            rest = rest.get(rest.iter().position(|byte| *byte < b' ')?..)?;
        }
        match rest {
            [b'\r', b'\n', ..] => return Some(text.len() - rest.len()),
            // RFC 3261 §25.1 quoted-pair: any ASCII but CR and LF may follow a backslash (RFC 4475 §3.1.1.2).
            [0, after @ ..] if text.get(..text.len() - rest.len()).is_some_and(|before| before.ends_with(b"\\")) => {
                rest = after;
            }
            [b'\r' | b'\n' | 0, ..] => return None,
            _ => rest = rest.get(1..)?,
        }
    }
}

#[inline]
fn number(at: usize) -> u32 {
    // The whole text is known to be shorter than 2^32.
    at as u32
}

impl Message {
    /// Nothing yet.
    fn unread(flow: Option<Flow>) -> Self {
        Self {
            text: Vec::new(),
            wire: None,
            fields: SmallVec::new(),
            start: Start::Response { status: 0, reason: Span::NONE },
            present: 0,
            via: TopVia::NONE,
            from_uri: Span::NONE,
            from_tag: Span::NONE,
            to_uri: Span::NONE,
            to_tag: Span::NONE,
            call_id: Span::NONE,
            cseq_name: Span::NONE,
            cseq_method: Method::Other,
            cseq: 0,
            method: Method::Other,
            body: 0,
            flow,
            hashed: None,
            hash_in_user_refused: false,
            leads_nowhere: false,
            unquoted_name: false,
        }
    }

    fn read(&mut self, mut data: &[u8], unquoted: bool) -> Result<(), Fault> {
        // RFC 3261 §7.5: empty lines before the start line.
        while let Some(rest) = data.strip_prefix(b"\r\n") {
            data = rest;
        }
        if u32::try_from(data.len()).is_err() {
            return Err(Fault::Framing("a message is shorter than 4 GiB"));
        }
        let mut pass = Pass {
            unquoted,
            via: false,
            from: false,
            to: false,
            call_id: false,
            cseq: false,
            max_forwards: false,
            content_length: None,
            broken: None,
        };
        let mut text = data.to_vec();
        self.split(&mut text, data, &mut pass).map_err(Fault::Framing)?;
        self.text = text;
        check_mandatory(&mut pass);
        self.cut_body(&mut pass);
        pass.broken.map_or(Ok(()), |broken| Err(Fault::Broken(broken)))
    }

    /// Start line and header lines of `text`, which was copied from `wire`.
    fn split(&mut self, text: &mut [u8], wire: &[u8], pass: &mut Pass) -> Result<(), &'static str> {
        let end = line_end(text, 0).ok_or(RULE_CRLF)?;
        if let Err(rule) = self.start_line(text, end, pass) {
            self.crooked_request_line(text, end, pass, rule)?;
        }
        let mut at = end + 2;
        let mut lines = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            if let [b'\r', b'\n', ..] = rest {
                self.body = number(at + 2);
                return Ok(());
            }
            let Some((mut id, mut name_length)) = scan_name(rest) else {
                return Err(if rest.is_empty() { "an empty line ends the headers (RFC 3261 7)" } else { RULE_CRLF });
            };
            let after_colon = at + name_length + 1;
            let mut end = line_end(text, after_colon).ok_or(RULE_CRLF)?;
            while let Some(b' ' | b'\t') = text.get(end + 2) {
                self.unfold(text, end, wire);
                end = line_end(text, end + 3).ok_or(RULE_CRLF)?;
            }
            if id == HeaderId::Other {
                (id, name_length) = other_name(text.get(at..at + name_length).unwrap_or_default())?;
            }
            if lines == HEADER_LINES {
                pass.broken = pass.broken.or(Some(("", RULE_LINES)));
                // What the answer repeats is wanted still.
                if id > HeaderId::ContentLength || self.present & id.bit() != 0 {
                    at = end + 2;
                    continue;
                }
            } else {
                lines += 1;
            }
            let value = trimmed(text, after_colon, end);
            let offset = u16::try_from((value.start as usize).wrapping_sub(at));
            let (Ok(offset), Ok(name_length)) = (offset, u8::try_from(name_length)) else {
                return Err("a header name is at most 255 bytes long (a limit of this library)");
            };
            self.fields.push(Field { name: number(at), length: value.length, offset, name_length, id });
            self.present |= id.bit();
            // The headers with keys have the lowest numbers.
            if id <= HeaderId::ContentLength {
                if let Err(broken) = self.take_key(text, id, value, pass) {
                    pass.broken = pass.broken.or(Some(broken));
                }
            }
            at = end + 2;
        }
    }

    /// Writes spaces over the line end of a fold (RFC 3261 §7.3.1).
    #[cold]
    fn unfold(&mut self, text: &mut [u8], end: usize, wire: &[u8]) {
        if self.wire.is_none() {
            self.wire = Some(wire.into());
        }
        if let Some(fold) = text.get_mut(end..end + 2) {
            fold.fill(b' ');
        }
    }

    /// Keeps what the line says when it is one of the headers that every message has.
    fn take_key(&mut self, text: &[u8], id: HeaderId, span: Span, pass: &mut Pass) -> Result<(), Broken> {
        let once = |seen: &mut bool, header| {
            if std::mem::replace(seen, true) { Err((header, "stands once (RFC 3261 7.3.1, table 2)")) } else { Ok(()) }
        };
        let value = span.get(text).unwrap_or_default();
        match id {
            HeaderId::Via if !pass.via => {
                pass.via = true;
                let mut rest = value;
                // Every value of the first line is checked, the topmost one is kept.
                loop {
                    let (first, more) = Via::split(rest);
                    let via = match Via::read(first) {
                        Ok(via) => via,
                        Err(rule) => return Err(self.salvage_via(text, first, rule)),
                    };
                    if self.via.sent_by.get(text).is_none() {
                        self.via = top_via(text, &via)?;
                    }
                    let Some(more) = more.strip_prefix(b",") else { break };
                    rest = trim_start(more);
                }
            }
            HeaderId::From => {
                once(&mut pass.from, "From")?;
                let from = self.address(value, pass).map_err(|rule| ("From", rule))?;
                self.from_uri = Span::of(from.uri, text);
                self.from_tag = from.tag.map_or(Span::NONE, |tag| Span::of(tag, text));
            }
            HeaderId::To => {
                once(&mut pass.to, "To")?;
                let to = self.address(value, pass).map_err(|rule| ("To", rule))?;
                self.to_uri = Span::of(to.uri, text);
                self.to_tag = to.tag.map_or(Span::NONE, |tag| Span::of(tag, text));
            }
            HeaderId::CallId => {
                once(&mut pass.call_id, "Call-ID")?;
                if value.is_empty() || !grammar::is_visible(value) {
                    return Err(("Call-ID", "is without blanks (RFC 3261 25.1 callid)"));
                }
                self.call_id = span;
            }
            HeaderId::CSeq => {
                once(&mut pass.cseq, "CSeq")?;
                let Ok(CSeq { number, method }) = CSeq::parse(value) else {
                    return Err(("CSeq", "is a number below 2^31 and a method (RFC 3261 8.1.1.5, 20.16)"));
                };
                let span = Span::of(method.text, text);
                self.cseq = number;
                (self.cseq_method, self.cseq_name) = (method.method, span);
                match self.start {
                    Start::Request { name, .. } if name.get(text) != Some(method.text) => {
                        return Err(("CSeq", "has the method of the request (RFC 3261 8.1.1.5)"));
                    }
                    Start::Request { .. } => {}
                    Start::Response { .. } => self.method = method.method,
                }
            }
            HeaderId::MaxForwards => {
                once(&mut pass.max_forwards, "Max-Forwards")?;
                if grammar::decimal(value, 255).is_none() {
                    return Err(("Max-Forwards", "is 0 to 255 (RFC 3261 20.22)"));
                }
            }
            HeaderId::ContentLength => {
                let length = grammar::decimal_u32(value);
                // A second one is refused even when it says the same: whoever disagrees about the end of a
                // message can be made to see another message.
                if pass.content_length.is_some() {
                    return Err(("Content-Length", "stands once (RFC 3261 7.3.1, 18.3)"));
                }
                pass.content_length = length;
                if length.is_none() {
                    return Err(("Content-Length", "is a number without sign (RFC 3261 20.14)"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// From or To.
    #[inline]
    fn address<'a>(&mut self, value: &'a [u8], pass: &Pass) -> Result<NameAddr<'a>, &'static str> {
        match NameAddr::read(value) {
            Err(rule) if pass.unquoted => {
                let address = NameAddr::read_unquoted(value).map_err(|_| rule)?;
                self.unquoted_name = true;
                Ok(address)
            }
            read => read,
        }
    }

    /// Keeps of a top Via that does not read what an answer needs.
    #[cold]
    fn salvage_via(&mut self, text: &[u8], value: &[u8], rule: &'static str) -> Broken {
        if self.via.sent_by.get(text).is_none() {
            if let Some(Ok(via)) = Via::salvage(value).map(|via| top_via(text, &via)) {
                self.via = via;
            }
        }
        ("Via", rule)
    }

    /// A start line that broke `rule` but begins and ends as a request's does: the Request-URI stands in <>, or there
    /// are blanks in it, around it or behind the version. It is answered 400 (RFC 4475 §3.1.2.7 to §3.1.2.10).
    #[cold]
    fn crooked_request_line(
        &mut self,
        text: &[u8],
        end: usize,
        pass: &mut Pass,
        rule: &'static str,
    ) -> Result<(), &'static str> {
        let line = text.get(..end).unwrap_or_default();
        let (name, rest) = grammar::split_once(line, b' ').ok_or(rule)?;
        let uri = trim_end(rest).strip_suffix(b" SIP/2.0").map(grammar::trim).ok_or(rule)?;
        if !is_token(name) || uri.is_empty() {
            return Err(rule);
        }
        pass.broken = Some(("", rule));
        self.method = Method::from_name(name);
        self.start = Start::Request { name: Span::of(name, text), uri: Span::of(uri, text) };
        Ok(())
    }

    fn start_line(&mut self, text: &[u8], end: usize, pass: &mut Pass) -> Result<(), &'static str> {
        const RULE_RESPONSE: &str = "a response begins SIP/2.0 code phrase (RFC 3261 7.2)";
        const RULE_REQUEST: &str = "a request begins Method Request-URI SIP/2.0 (RFC 3261 7.1)";
        let line = text.get(..end).unwrap_or_default();
        if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            let (version, rest) = grammar::split_once(line, b' ').ok_or(RULE_RESPONSE)?;
            if !version.eq_ignore_ascii_case(b"SIP/2.0") {
                return Err(RULE_VERSION);
            }
            let (code, reason) = match rest.split_first_chunk::<3>() {
                Some((code, [])) => (code, &rest[rest.len()..]),
                Some((code, [b' ', reason @ ..])) => (code, reason),
                _ => return Err(RULE_RESPONSE),
            };
            let status = grammar::decimal(code, 699).filter(|code| *code >= 100).ok_or(RULE_RESPONSE)?;
            self.start = Start::Response { status: status as u16, reason: Span::of(reason, text) };
            return Ok(());
        }
        let (name, rest) = grammar::split_once(line, b' ').ok_or(RULE_REQUEST)?;
        let (uri, version) = grammar::split_once(rest, b' ').ok_or(RULE_REQUEST)?;
        if !is_token(name) || !super::uri::is_absolute(uri) {
            return Err(RULE_REQUEST);
        }
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            // SIP/3.0 may be answered (§21.5.6), GET / HTTP/1.1 may not.
            let number =
                version.get(..4).filter(|sip| sip.eq_ignore_ascii_case(b"SIP/")).and_then(|_| version.get(4..));
            let (major, minor) = number.and_then(|number| grammar::split_once(number, b'.')).ok_or(RULE_REQUEST)?;
            if grammar::decimal_u32(major).is_none() || grammar::decimal_u32(minor).is_none() {
                return Err(RULE_REQUEST);
            }
            pass.broken = Some(("", RULE_VERSION));
        }
        self.method = Method::from_name(name);
        self.start = Start::Request { name: Span::of(name, text), uri: Span::of(uri, text) };
        Ok(())
    }

    /// RFC 3261 §18.3: what is beyond Content-Length is ignored, without it the rest is the body.
    fn cut_body(&mut self, pass: &mut Pass) {
        let Some(length) = pass.content_length else { return };
        let end = (self.body as usize).saturating_add(length as usize);
        if end > self.text.len() {
            pass.broken =
                pass.broken.or(Some(("Content-Length", "is not above the length of the body (RFC 3261 18.3)")));
        } else if end < self.text.len() {
            self.text.truncate(end);
            if let Some(wire) = &self.wire {
                self.wire = wire.get(..end).map(Into::into);
            }
        }
    }
}

/// What is kept of the topmost Via.
#[inline]
fn top_via(text: &[u8], via: &Via<'_>) -> Result<TopVia, Broken> {
    let span = |part: Option<&[u8]>| part.map_or(Span::NONE, |part| Span::of(part, text));
    Ok(TopVia {
        branch: span(via.branch),
        sent_by: Span::of(via.sent_by, text),
        host: u16::try_from(via.host.len()).map_err(|_| ("Via", "a host is shorter than 64 KiB"))?,
        port: via.port,
        maddr: span(via.maddr),
        rport: via.rport != Rport::Absent,
        received: via.received.is_some(),
    })
}

fn check_mandatory(pass: &mut Pass) {
    for (seen, header) in
        [(pass.via, "Via"), (pass.from, "From"), (pass.to, "To"), (pass.call_id, "Call-ID"), (pass.cseq, "CSeq")]
    {
        if !seen {
            pass.broken = pass.broken.or(Some((header, "is in every message (RFC 3261 8.1.1)")));
        }
    }
}

/// A name that has no number as it stands: a token, which blanks before the colon may hide (HCOLON).
#[cold]
fn other_name(name: &[u8]) -> Result<(HeaderId, usize), &'static str> {
    let name = trim_end(name);
    if !is_token(name) {
        return Err("a header name is a token before a colon (RFC 3261 7.3.1)");
    }
    Ok((HeaderId::from_name(name), name.len()))
}

/// The value between `from` and `to` without the blanks around it.
#[inline]
fn trimmed(text: &[u8], from: usize, to: usize) -> Span {
    let value = text.get(from..to).unwrap_or_default();
    let value = match value {
        // As nearly all are: one space before, none behind.
        [b' ', rest @ ..] if matches!(rest, [first, .., last] if *first > b' ' && *last > b' ') => rest,
        _ => trim_end(trim_start(value)),
    };
    Span::of(value, text)
}
