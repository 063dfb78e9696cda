//! The door: what a new request of the peer's is refused for before anybody hears of it, in the order of RFC 3261 §8.2, for INVITE,
//! re-INVITE and all others alike.

use crate::agent::SessionId;
use crate::agent::objects::Objects;
use crate::agent::words::face::Face;
use crate::agent::words::response::Answer;
use crate::config::Policy;
use crate::message::uri::Scheme;
use crate::message::{HeaderId, Message, Method, Uri, write};
use crate::session::reliable_server::{Wish, wish_of};
use crate::transaction::table::Table;

/// Where a request goes that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Admitted {
    /// Into this dialog.
    Dialog(SessionId),
    /// It names a dialog that is not here: 481, unless it is a PRACK of one that has gone.
    Unknown,
    /// It is of no dialog.
    Outside,
}

/// A refusal by rule.
#[derive(Debug, Default)]
pub(in crate::agent) struct Refused {
    status: u16,
    reason: Option<&'static [u8]>,
    /// Allow and Supported.
    abilities: bool,
    lines: Vec<u8>,
}

impl Refused {
    fn plain(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// What is answered.
    pub fn answer(&self) -> Answer<'_> {
        Answer { reason: self.reason, abilities: self.abilities, lines: &self.lines, ..Answer::plain(self.status) }
    }
}

/// What the checks look at.
pub(in crate::agent) struct Door<'a> {
    pub face: &'a Face,
    pub table: &'a Table,
    pub objects: &'a Objects,
}

type Check = fn(&Door<'_>, &Message) -> Option<Refused>;

/// In the order of §8.2.
const CHECKS: [Check; 7] = [method, scheme, merged, extensions, reliability, replaces, body];

impl Door<'_> {
    /// Where a request goes that no transaction knows, neither ACK nor CANCEL; or what it is answered.
    pub fn admit(&self, request: &Message) -> Result<Admitted, Refused> {
        match CHECKS.iter().find_map(|check| check(self, request)) {
            Some(refused) => Err(refused),
            None if request.to_tag().is_none() => Ok(Admitted::Outside),
            None => Ok(self.objects.dialog_of(request).map_or(Admitted::Unknown, Admitted::Dialog)),
        }
    }
}

/// §8.2.1: 405 where the method is known to the library but not allowed here, 501 where it is unknown to it.
fn method(door: &Door<'_>, request: &Message) -> Option<Refused> {
    // RFC 3515 §2.4.4: who takes REFER answers for its subscriptions, though no SUBSCRIBE makes one.
    let of_refer = request.method() == Method::Subscribe && door.face.allows(b"REFER");
    if door.face.allows(request.method_text()) || of_refer {
        return None;
    }
    let known = request.method() != Method::Other;
    Some(Refused { abilities: known, ..Refused::plain(if known { 405 } else { 501 }) })
}

/// §8.2.2.1.
fn scheme(_: &Door<'_>, request: &Message) -> Option<Refused> {
    match Uri::parse(request.uri().unwrap_or_default()).map(|uri| uri.scheme) {
        Ok(Scheme::Sip | Scheme::Sips | Scheme::Tel) => None,
        Ok(Scheme::Other) => Some(Refused::plain(416)),
        Err(_) => Some(Refused::plain(400)),
    }
}

/// §8.2.2.2: a request that came on two ways.
fn merged(door: &Door<'_>, request: &Message) -> Option<Refused> {
    (request.to_tag().is_none() && door.table.find_merged(request)).then(|| Refused::plain(482))
}

/// §8.2.2.3.
fn extensions(door: &Door<'_>, request: &Message) -> Option<Refused> {
    let mut unsupported = request.values(HeaderId::Require).filter(|tag| !door.face.supports(tag)).peekable();
    unsupported.peek()?;
    let tags: Vec<&[u8]> = unsupported.collect();
    let mut lines = Vec::new();
    write::header(&mut lines, HeaderId::Unsupported, &[&tags.join(&b", "[..])]);
    Some(Refused { lines, ..Refused::plain(420) })
}

/// §8.2.4, §21.4.16: a call without RFC 3262, where the configuration wants it. A change of a call that stands is not refused for that.
fn reliability(door: &Door<'_>, request: &Message) -> Option<Refused> {
    let call = request.method() == Method::Invite && request.to_tag().is_none();
    if !call || door.face.reliable != Policy::Required || wish_of(request) != Wish::Unknown {
        return None;
    }
    Some(Refused { lines: b"Require: 100rel\r\n".to_vec(), ..Refused::plain(421) })
}

/// RFC 3891 §3: in no other request.
fn replaces(_: &Door<'_>, request: &Message) -> Option<Refused> {
    let other = request.method() != Method::Invite && request.header(HeaderId::Replaces).is_some();
    other.then(|| Refused::plain(400))
}

/// §8.2.3: a body that cannot be understood and is not optional.
fn body(_: &Door<'_>, request: &Message) -> Option<Refused> {
    if request.body().is_empty() {
        return None;
    }
    let disposition = request.header(HeaderId::ContentDisposition).unwrap_or_default();
    let optional = disposition
        .split(|byte| *byte == b';')
        .skip(1)
        .any(|parameter| parameter.trim_ascii().eq_ignore_ascii_case(b"handling=optional"));
    if optional {
        return None;
    }
    let mut lines = Vec::new();
    if request.values(HeaderId::ContentEncoding).any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        write::header(&mut lines, HeaderId::AcceptEncoding, &[b"identity"]);
        return Some(Refused { lines, ..Refused::plain(415) });
    }
    // An INVITE's body is its session description; the bodies of other requests are the host's to judge.
    let view = request.body_view()?;
    let content_type = view.content_type.get(..10).unwrap_or_default();
    if request.method() != Method::Invite || view.is_sdp() || content_type.eq_ignore_ascii_case(b"multipart/") {
        return None;
    }
    write::header(&mut lines, HeaderId::Accept, &[b"application/sdp, multipart/mixed, multipart/alternative"]);
    Some(Refused { lines, ..Refused::plain(415) })
}
