//! Messages: bytes to a [`Message`], and back.
//!
//! A [`Message`] is one copy of the datagram with the ranges of its header lines and the keys of its transaction and
//! dialog. Everything else is read from those ranges when it is asked for.

mod grammar;

pub mod address;
pub mod authorization;
pub mod body;
pub mod challenge;
pub mod client_name;
pub mod digest;
pub mod glance;
pub mod cseq;
pub mod header;
pub mod keys;
pub mod lists;
mod mend;
pub mod method;
pub(crate) mod next_hop;
mod parse;
pub mod rack;
pub mod reason;
pub mod redact;
pub mod registered;
pub mod replaces;
pub mod secret;
pub mod session_expires;
pub mod status;
pub mod subscription;
pub mod uri;
mod values;
pub mod via;
pub mod write;

pub use address::NameAddr;
pub use body::{Body, BodyView};
pub use challenge::Challenge;
pub use client_name::ClientName;
pub use cseq::CSeq;
pub(crate) use grammar::host_ip;
pub(crate) use grammar::is_token;
pub use grammar::{Parameter, Parameters};
pub use header::{HeaderId, HeaderName};
pub use mend::ANONYMOUS;
pub use method::{Method, MethodName};
pub use parse::Malformed;
pub use rack::RAck;
pub use registered::Registered;
pub use replaces::Replaces;
pub use session_expires::{Refresher, SessionExpires, min_se_of};
pub use status::reason_phrase;
pub use subscription::{EventName, SubscriptionState};
pub use uri::{Scheme, Uri};
pub use values::{Fields, Values};
pub(crate) use values::{list_of, routes_of};
pub use via::{Maddr, Rport, Via};

use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::held;
use keys::RequestKeys;
use smallvec::SmallVec;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A range of a message's text.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// Of what is not there.
    const NONE: Self = Self { start: u32::MAX, length: 0 };

    /// Where `part` is in `text`, of which it must be a piece.
    #[inline]
    fn of(part: &[u8], text: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        match (u32::try_from(start), u32::try_from(part.len())) {
            (Ok(start), Ok(length)) => Self { start, length },
            _ => Self::NONE,
        }
    }

    #[inline]
    fn get(self, text: &[u8]) -> Option<&[u8]> {
        text.get(self.start as usize..)?.get(..self.length as usize)
    }
}

/// A header line.
#[derive(Clone, Copy, Debug)]
struct Field {
    /// Where the line begins.
    name: u32,
    /// Of the value.
    length: u32,
    /// From the beginning of the line to the value.
    offset: u16,
    name_length: u8,
    id: HeaderId,
}

/// What the start line says.
#[derive(Clone, Copy, Debug)]
enum Start {
    Request { name: Span, uri: Span },
    Response { status: u16, reason: Span },
}

/// What the topmost Via says, as far as transactions and responses ask for it.
#[derive(Clone, Copy, Debug)]
struct TopVia {
    branch: Span,
    sent_by: Span,
    /// The length of the host in `sent_by`.
    host: u16,
    port: Option<u16>,
    maddr: Span,
    /// Whether there is rport, with a value or without.
    rport: bool,
    /// Whether there is received.
    received: bool,
}

impl TopVia {
    /// Of a message without one.
    const NONE: Self = Self {
        branch: Span::NONE,
        sent_by: Span::NONE,
        host: 0,
        port: None,
        maddr: Span::NONE,
        rport: false,
        received: false,
    };
}

/// A parsed, immutable message.
///
/// [`Message::parse`] has checked the framing and the headers that every message must have (RFC 3261 §8.1.1, §20). All
/// other headers are checked when they are read.
#[derive(Clone)]
pub struct Message {
    /// The message; a fold's CR LF are two spaces, so that ranges are the same as in `wire`.
    text: Vec<u8>,
    /// The bytes as they came, when there was a fold.
    wire: Option<Box<[u8]>>,
    fields: SmallVec<[Field; 16]>,
    /// The bits of the headers that are there: most look-ups are for headers that are not.
    present: u64,
    start: Start,
    via: TopVia,
    from_uri: Span,
    from_tag: Span,
    to_uri: Span,
    to_tag: Span,
    call_id: Span,
    cseq_name: Span,
    cseq_method: Method,
    cseq: u32,
    method: Method,
    body: u32,
    flow: Option<Flow>,
    hashed: Option<RequestKeys>,
    hash_in_user_refused: bool,
    leads_nowhere: bool,
    /// The display name of From or To lacks its quotes.
    unquoted_name: bool,
}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Message")
            .field("text", &String::from_utf8_lossy(&self.text))
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}

/// What names a message's transaction (RFC 3261 §17.1.3, §17.2.3) and dialog (§12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys<'a> {
    /// Of the topmost Via.
    pub branch: Option<&'a [u8]>,
    /// Host and port of the topmost Via as written; empty in a malformed message without one.
    pub sent_by: &'a [u8],
    /// Of From.
    pub from_tag: Option<&'a [u8]>,
    /// Of To.
    pub to_tag: Option<&'a [u8]>,
    /// Empty in a malformed message without one.
    pub call_id: &'a [u8],
    /// The number of CSeq.
    pub cseq: u32,
    /// The method of CSeq.
    pub cseq_method: MethodName<'a>,
}

impl Message {
    /// Reads a datagram (RFC 3261 §7, §18.3) that came on `flow`.
    ///
    /// Line ends before the start line are skipped, bytes beyond Content-Length ignored. Refused are: CR or LF that end
    /// no line, NUL in a header without a backslash before it, a body shorter than Content-Length, more than 256 header
    /// lines, and everything that [`Malformed`] names.
    pub fn parse(data: &[u8], flow: Option<Flow>) -> Result<Self, Malformed> {
        parse::parse(data, flow)
    }

    /// [`Message::parse`], read in the place where it will be shared. `unquoted`: display names in From and To may lack
    /// their quotes.
    pub fn receive(data: &[u8], flow: Flow, unquoted: bool) -> Result<Arc<Self>, Malformed> {
        parse::receive(data, flow, unquoted)
    }

    /// A response that [`Message::parse`] refuses, as it was meant: without lines that are no header, Vias below the
    /// topmost, second To lines and what stands behind the first tag of To. `from` (a good value) stands instead of its
    /// From, whatever that says; `unquoted` as for [`Message::receive`]. `None`: it is none, or more is wrong.
    pub fn mended(data: &[u8], flow: Flow, from: &[u8], unquoted: bool) -> Option<Self> {
        mend::response(data, flow, from, unquoted)
    }

    /// Bytes held where it is shared.
    pub fn held(&self) -> usize {
        let wire = self.wire.as_ref().map_or(0, |wire| wire.len());
        held::COUNTED + size_of::<Self>() + held::list(&self.text) + wire + held::spilled(&self.fields)
    }

    /// Whether it is a request.
    #[inline]
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request; of a response that of CSeq.
    #[inline]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The name of [`Message::method`].
    #[inline]
    pub fn method_text(&self) -> &[u8] {
        match self.start {
            Start::Request { name, .. } => self.text(name),
            Start::Response { .. } => self.text(self.cseq_name),
        }
    }

    /// The Request-URI.
    #[inline]
    pub fn uri(&self) -> Option<&[u8]> {
        match self.start {
            Start::Request { uri, .. } => uri.get(&self.text),
            Start::Response { .. } => None,
        }
    }

    /// The status code, 0 of a request.
    #[inline]
    pub fn status(&self) -> u16 {
        match self.start {
            Start::Request { .. } => 0,
            Start::Response { status, .. } => status,
        }
    }

    /// The reason phrase of a response.
    pub fn reason(&self) -> Option<&[u8]> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => reason.get(&self.text),
        }
    }

    /// Everything that names its transaction and dialog.
    pub fn keys(&self) -> Keys<'_> {
        Keys {
            branch: self.branch(),
            sent_by: self.sent_by(),
            from_tag: self.from_tag(),
            to_tag: self.to_tag(),
            call_id: self.call_id(),
            cseq: self.cseq,
            cseq_method: self.cseq_method(),
        }
    }

    /// The branch of the topmost Via.
    #[inline]
    pub fn branch(&self) -> Option<&[u8]> {
        self.via.branch.get(&self.text)
    }

    /// Host and port of the topmost Via as written.
    #[inline]
    pub fn sent_by(&self) -> &[u8] {
        self.text(self.via.sent_by)
    }

    /// The host of the topmost Via, an IPv6 reference with its brackets.
    #[inline]
    pub fn sent_by_host(&self) -> &[u8] {
        self.sent_by().get(..usize::from(self.via.host)).unwrap_or_default()
    }

    /// The port of the topmost Via.
    #[inline]
    pub fn sent_by_port(&self) -> Option<u16> {
        self.via.port
    }

    /// Where responses to this request go over a datagram transport (RFC 3261 §18.2.2, RFC 3581 §4), and what `maddr`
    /// meant for it; `follow`: whether an address there other than the source's counts. `None`: not received from an
    /// address, or without a good Via.
    pub fn response_address(&self, follow: impl FnOnce(IpAddr) -> bool) -> Option<(SocketAddr, Maddr)> {
        let flow = self.flow.as_ref()?;
        self.via.sent_by.get(&self.text)?;
        let port = self.via.port.unwrap_or(flow.transport.default_port());
        Some(via::response_address(self.via.maddr.get(&self.text), self.via.rport, port, flow.remote?, follow))
    }

    /// Where the responses go whose connection is gone: another is opened to where the request came from, at the port of
    /// sent-by (RFC 3261 §18.2.2). Of a request or of a response to it. `None`: nobody takes one there, as WebSocket
    /// clients (RFC 7118 §5).
    pub fn way_back(&self, flow: &Flow) -> Option<Flow> {
        let via = self.via(0)?.ok().filter(|via| flow.transport.is_stream() && !next_hop::is_nowhere(via.host))?;
        let remote = SocketAddr::new(flow.remote?.ip(), via.port.unwrap_or(flow.transport.default_port()));
        Some(Flow { link: 0, remote: Some(remote), ..*flow })
    }

    /// Whether the topmost Via goes into a response as it is: nothing in it is to be added or replaced
    /// (RFC 3261 §18.2.1, RFC 3581 §4).
    fn via_stands(&self) -> bool {
        match self.flow.as_ref().and_then(|flow| flow.remote) {
            None => true,
            Some(remote) => {
                let TopVia { rport, received, .. } = self.via;
                !rport && !received && grammar::host_ip(self.sent_by_host()) == Some(remote.ip().to_canonical())
            }
        }
    }

    /// The URI of From.
    #[inline]
    pub fn from_uri(&self) -> Option<&[u8]> {
        self.from_uri.get(&self.text)
    }

    /// The URI of To.
    #[inline]
    pub fn to_uri(&self) -> Option<&[u8]> {
        self.to_uri.get(&self.text)
    }

    /// The tag of From.
    #[inline]
    pub fn from_tag(&self) -> Option<&[u8]> {
        self.from_tag.get(&self.text)
    }

    /// The tag of To.
    #[inline]
    pub fn to_tag(&self) -> Option<&[u8]> {
        self.to_tag.get(&self.text)
    }

    /// Call-ID.
    #[inline]
    pub fn call_id(&self) -> &[u8] {
        self.text(self.call_id)
    }

    /// The number of CSeq.
    #[inline]
    pub fn cseq_number(&self) -> u32 {
        self.cseq
    }

    /// The method of CSeq.
    #[inline]
    pub fn cseq_method(&self) -> MethodName<'_> {
        MethodName { method: self.cseq_method, text: self.text(self.cseq_name) }
    }

    /// CSeq.
    pub fn cseq(&self) -> CSeq<'_> {
        CSeq { number: self.cseq, method: self.cseq_method() }
    }

    /// The value of the first line of a header, without blanks at its ends, folds as spaces.
    pub fn header<'n>(&self, name: impl Into<HeaderName<'n>>) -> Option<&[u8]> {
        self.fields(name).next()
    }

    /// The values of all lines of a header, one a line.
    pub fn fields<'n>(&self, name: impl Into<HeaderName<'n>>) -> Fields<'_, 'n> {
        Fields::new(self, name.into())
    }

    /// The values of all lines of a header by any name, compact or long, in any case.
    pub fn named<'n>(&self, name: &'n [u8]) -> Fields<'_, 'n> {
        self.fields(name)
    }

    /// The single values of a header: comma lists are taken apart where its grammar has them (RFC 3261 §7.3.1).
    pub fn values<'n>(&self, name: impl Into<HeaderName<'n>>) -> Values<'_, 'n> {
        Values::new(self, name.into())
    }

    /// All header lines in order: number, name as written, value.
    pub fn all_fields(&self) -> impl Iterator<Item = (HeaderId, &[u8], &[u8])> {
        self.fields.iter().map(|field| (field.id, self.name_of(field), self.value_of(field)))
    }

    /// The `index`-th value of a header, read as an address. `None`: there is no such value.
    pub fn name_addr<'n>(&self, name: impl Into<HeaderName<'n>>, index: usize) -> Option<Result<NameAddr<'_>>> {
        let name = name.into();
        let value = self.values(name).nth(index)?;
        if self.unquoted_name && matches!(name.id(), HeaderId::From | HeaderId::To) {
            return Some(NameAddr::read(value).or_else(|_| NameAddr::read_unquoted(value)).map_err(Error::syntax));
        }
        Some(if name.id() == HeaderId::ReferTo { NameAddr::of_refer_to(value) } else { NameAddr::parse(value) })
    }

    /// The `index`-th Via, 0 the topmost. `None`: there are fewer.
    pub fn via(&self, index: usize) -> Option<Result<Via<'_>>> {
        self.values(HeaderId::Via).nth(index).map(Via::parse)
    }

    /// Whether one of the values of a header is `token` in any case, parameters aside.
    pub fn has_token<'n>(&self, name: impl Into<HeaderName<'n>>, token: &[u8]) -> bool {
        self.values(name).any(|value| {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            value.get(..end).is_some_and(|value| grammar::trim_end(value).eq_ignore_ascii_case(token))
        })
    }

    /// The body.
    #[inline]
    pub fn body(&self) -> &[u8] {
        self.text.get(self.body as usize..).unwrap_or_default()
    }

    /// Content-Type as written.
    pub fn content_type(&self) -> Option<&[u8]> {
        self.header(HeaderId::ContentType)
    }

    /// The body with its type and disposition; `None` when it is empty.
    pub fn body_view(&self) -> Option<BodyView<'_>> {
        if self.body().is_empty() {
            return None;
        }
        let content_type = self.content_type().unwrap_or_default();
        Some(BodyView::new(self.body(), content_type, self.header(HeaderId::ContentDisposition)))
    }

    /// The part of the body whose disposition is `session` (RFC 3261 §20.11), in a multipart too (RFC 5621).
    pub fn session_body(&self) -> Option<BodyView<'_>> {
        self.body_view()?.session()
    }

    /// Of a request that an agent received: its keys in that agent's tables, hashed once.
    #[inline]
    pub(crate) fn hashed(&self) -> Option<&RequestKeys> {
        self.hashed.as_ref()
    }

    /// See [`Message::hashed`].
    pub(crate) fn set_hashed(&mut self, keys: RequestKeys) {
        self.hashed = Some(keys);
    }

    /// The flow on which it came.
    #[inline]
    pub fn flow(&self) -> Option<&Flow> {
        self.flow.as_ref()
    }

    /// The bytes as they came, from the start line to the end of the body.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.wire.as_deref().unwrap_or(&self.text)
    }

    #[inline]
    fn text(&self, span: Span) -> &[u8] {
        span.get(&self.text).unwrap_or_default()
    }

    #[inline]
    fn name_of(&self, field: &Field) -> &[u8] {
        self.text(Span { start: field.name, length: u32::from(field.name_length) })
    }

    #[inline]
    fn value_of(&self, field: &Field) -> &[u8] {
        self.text(Span { start: field.name.saturating_add(u32::from(field.offset)), length: field.length })
    }

    /// The header line as written (folds as spaces), without its end.
    #[inline]
    fn line_of(&self, field: &Field) -> &[u8] {
        let length = field.length.saturating_add(u32::from(field.offset));
        self.text(Span { start: field.name, length })
    }

    /// [`Message::line_of`] with its end, when that follows at once: then it is copied in one piece.
    #[inline]
    fn whole_line_of(&self, field: &Field) -> Option<&[u8]> {
        let length = field.length.saturating_add(u32::from(field.offset)).saturating_add(2);
        Span { start: field.name, length }.get(&self.text).filter(|line| line.ends_with(b"\r\n"))
    }

    /// Whether the display name of From or To lacks its quotes: the quirk, where [`Message::receive`] takes it.
    pub fn has_unquoted_name(&self) -> bool {
        self.unquoted_name
    }

    /// Its agent does not tolerate the quirk HASH_IN_USER.
    pub fn refuse_hash_in_user(&mut self) {
        self.hash_in_user_refused = true;
    }

    /// Its agent has no socket that reaches where it names.
    pub fn lead_nowhere(&mut self) {
        self.leads_nowhere = true;
    }

    /// Whether its agent has said so.
    pub fn leads_nowhere(&self) -> bool {
        self.leads_nowhere
    }

    /// Whether there is a `#` anywhere before the body.
    pub fn has_hash(&self) -> bool {
        self.text.get(..self.body as usize).is_some_and(|head| memchr::memchr(b'#', head).is_some())
    }

    /// Reads a URI of this message: with an unescaped `#` in its user where that is tolerated.
    pub fn read_uri<'a>(&self, text: &'a [u8]) -> Result<Uri<'a>> {
        if self.hash_in_user_refused { Uri::parse(text) } else { Uri::received(text) }
    }
}
