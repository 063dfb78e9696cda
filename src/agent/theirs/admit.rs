//! The door: what a new request of the peer's is refused for before anybody hears of it, in the order of RFC 3261 §8.2,
//! for INVITE, re-INVITE and all others alike.

use crate::agent::SessionId;
use crate::agent::fault::{Counter, Fault};
use crate::agent::methods::rules;
use crate::agent::objects::Objects;
use crate::agent::words::face::Face;
use crate::agent::words::response::Answer;
use crate::config::Policy;
use crate::dialog::target::Contact;
use crate::message::uri::Scheme;
use crate::message::{HeaderId, Message, Method, Parameters, SessionExpires, write};
use crate::session::Session;
use crate::session::reliable_server::{Wish, wish_of};
use crate::session::session_timer::speaks_of_timer;
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
#[derive(Debug)]
pub(in crate::agent) struct Refused {
    status: u16,
    pub fault: Fault,
    reason: Option<&'static [u8]>,
    /// Allow and Supported.
    abilities: bool,
    lines: Vec<u8>,
}

impl Refused {
    /// By the status alone.
    pub fn plain(status: u16, fault: Fault) -> Self {
        Self { status, fault, reason: None, abilities: false, lines: Vec::new() }
    }

    /// 400, with the reason phrase that says so.
    pub fn malformed(header: &'static str, reason: &'static str) -> Self {
        Self { reason: Some(reason.as_bytes()), ..Self::plain(400, Fault::said(Counter::Malformed, header, reason)) }
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
    pub sips: Policy,
}

const NO_SIPS: &[u8] = b"Warning: 380 sipdlg \"SIPS Not Allowed\"\r\n";
const ONLY_SIPS: &[u8] = b"Warning: 381 sipdlg \"SIPS Required\"\r\n";

type Checked = Result<(), Refused>;

impl Door<'_> {
    /// Where a request goes that no transaction knows, neither ACK nor CANCEL; or what it is answered. The checks are
    /// those of §8.2 and what stands beside them, in that order.
    pub fn admit(&self, request: &Message) -> Result<Admitted, Refused> {
        lists(request)?;
        self.method(request)?;
        scheme(request)?;
        self.security(request)?;
        self.merged(request)?;
        self.extensions(request)?;
        self.reliability(request)?;
        self.session_timer(request)?;
        replaces(request)?;
        body(request)?;
        if request.to_tag().is_none() {
            return Ok(Admitted::Outside);
        }
        let Some(session) = self.objects.dialog_of(request) else { return Ok(Admitted::Unknown) };
        self.target(session, request)?;
        Ok(Admitted::Dialog(session))
    }

    /// §12.2.2: what would move the target has a Contact that requests can be sent to, or none.
    fn target(&self, session: SessionId, request: &Message) -> Checked {
        let moves = rules(request.method()).refreshes_target;
        let Some(holder) = self.objects.holder(session).filter(|_| moves) else { return Ok(()) };
        if holder.dialog().target_in(request) != Contact::Nowhere {
            return Ok(());
        }
        let reason = "Bad Request: Contact is no URI that a request can be sent to (RFC 3261 12.2.2)";
        Err(Refused::malformed("Contact", reason))
    }

    /// §8.2.1: 405 where the method is known to the library but not allowed here, 501 where it is unknown to it.
    fn method(&self, request: &Message) -> Checked {
        // RFC 3515 §2.4.4: who takes REFER answers for its subscriptions, though no SUBSCRIBE makes one.
        let of_refer = || request.method() == Method::Subscribe && self.face.allows(b"REFER");
        if self.face.allows(request.method_text()) || of_refer() {
            return Ok(());
        }
        let known = request.method() != Method::Other;
        let rule = if known {
            "the method is not allowed here (RFC 3261 8.2.1)"
        } else {
            "the method is unknown (RFC 3261 21.5.2)"
        };
        let fault = Fault::new(Counter::Method, "method", rule);
        Err(Refused { abilities: known, ..Refused::plain(if known { 405 } else { 501 }, fault) })
    }

    /// RFC 5630 §5.1.2: whether SIPS is wanted is a question of the call; what it made goes on.
    fn security(&self, request: &Message) -> Checked {
        if self.sips == Policy::Supported || request.to_tag().is_some() {
            return Ok(());
        }
        let scheme = request.read_uri(request.uri().unwrap_or_default()).map(|uri| uri.scheme);
        let (warning, rule) = match (self.sips, scheme) {
            (Policy::Off, Ok(Scheme::Sips)) => (NO_SIPS, "sips is not allowed here (RFC 5630 5.1.2)"),
            (Policy::Required, Ok(Scheme::Sip)) => (ONLY_SIPS, "sips is required here (RFC 5630 5.1.2)"),
            _ => return Ok(()),
        };
        let fault = Fault::new(Counter::Scheme, "Request-URI", rule);
        Err(Refused { lines: warning.to_vec(), ..Refused::plain(480, fault) })
    }

    /// §8.2.2.2: a request that came on two ways.
    fn merged(&self, request: &Message) -> Checked {
        let merged = request.to_tag().is_none() && self.table.find_merged(request);
        if !merged {
            return Ok(());
        }
        let rule = "the same request came by another way (RFC 3261 8.2.2.2)";
        Err(Refused::plain(482, Fault::new(Counter::Merged, "Via", rule)))
    }

    /// §8.2.2.3.
    fn extensions(&self, request: &Message) -> Checked {
        let mut unsupported = request.values(HeaderId::Require).filter(|tag| !self.face.supports(tag)).peekable();
        if unsupported.peek().is_none() {
            return Ok(());
        }
        let tags: Vec<&[u8]> = unsupported.collect();
        let mut lines = Vec::new();
        write::header(&mut lines, HeaderId::Unsupported, &[&tags.join(&b", "[..])]);
        let fault = Fault::new(Counter::Extension, "Require", "an extension that is not supported (RFC 3261 8.2.2.3)");
        Err(Refused { lines, ..Refused::plain(420, fault) })
    }

    /// §8.2.4, §21.4.16: a call without RFC 3262, where the configuration wants it. A change of a call that stands is
    /// not refused for that.
    fn reliability(&self, request: &Message) -> Checked {
        if self.face.reliable != Policy::Required || !is_new_call(request) || wish_of(request) != Wish::Unknown {
            return Ok(());
        }
        let fault = Fault::new(Counter::Extension, "Supported", "100rel is required here (RFC 3261 21.4.16)");
        Err(Refused { lines: b"Require: 100rel\r\n".to_vec(), ..Refused::plain(421, fault) })
    }

    /// RFC 4028 §9: what is no time, 400; a caller without it, where the configuration wants it, 421; too short a time
    /// of who understands that, 422.
    fn session_timer(&self, request: &Message) -> Checked {
        if !matches!(request.method(), Method::Invite | Method::Update) {
            return Ok(());
        }
        let required = self.face.session_timer.policy == Policy::Required;
        if required && is_new_call(request) && !speaks_of_timer(request) {
            let fault = Fault::new(Counter::Extension, "Supported", "timer is required here (RFC 3261 21.4.16)");
            return Err(Refused { lines: b"Require: timer\r\n".to_vec(), ..Refused::plain(421, fault) });
        }
        if request.header(HeaderId::SessionExpires).is_none() {
            return Ok(());
        }
        let session = request.to_tag().and_then(|_| self.objects.dialog_of(request));
        let known = session.and_then(|id| self.objects.holder(id)).and_then(Session::session_terms);
        let terms = known.unwrap_or(self.face.session_timer);
        if !terms.is_on() {
            return Ok(());
        }
        let Ok(asked) = SessionExpires::asked_by(request) else {
            let reason = "Bad Request: Session-Expires is one number of seconds (RFC 4028 4)";
            return Err(Refused::malformed("Session-Expires", reason));
        };
        if asked.is_none_or(|asked| asked.seconds >= terms.min_se_s) || !speaks_of_timer(request) {
            return Ok(());
        }
        let mut lines = Vec::new();
        write::number_header(&mut lines, HeaderId::MinSe, u64::from(terms.min_se_s));
        let fault =
            Fault::new(Counter::Extension, "Session-Expires", "the interval is less than is taken here (RFC 4028 9)");
        Err(Refused { lines, ..Refused::plain(422, fault) })
    }
}

fn is_new_call(request: &Message) -> bool {
    request.method() == Method::Invite && request.to_tag().is_none()
}

/// §21.5.7: more in one list than anyone means.
fn lists(request: &Message) -> Checked {
    match request.too_long() {
        Some((header, reason)) => {
            let fault = Fault::said(Counter::Limit, header, reason);
            Err(Refused { reason: Some(reason.as_bytes()), ..Refused::plain(513, fault) })
        }
        None => Ok(()),
    }
}

/// §8.2.2.1. A service, an emergency among them, is called by a URN (RFC 5031 §2, RFC 6881 §7); which ones is the
/// host's.
fn scheme(request: &Message) -> Checked {
    match request.read_uri(request.uri().unwrap_or_default()) {
        Ok(uri) if uri.scheme != Scheme::Other || uri.scheme_text.eq_ignore_ascii_case(b"urn") => Ok(()),
        Ok(_) => {
            let rule = "the scheme is neither sip nor sips nor urn (RFC 3261 8.2.2.1)";
            Err(Refused::plain(416, Fault::new(Counter::Scheme, "Request-URI", rule)))
        }
        Err(_) => {
            Err(Refused::plain(400, Fault::new(Counter::Malformed, "Request-URI", "that is no URI (RFC 3261 19.1.1)")))
        }
    }
}

/// RFC 3891 §3: in no other request.
fn replaces(request: &Message) -> Checked {
    let other = request.method() != Method::Invite && request.header(HeaderId::Replaces).is_some();
    let fault = Fault::new(Counter::Malformed, "Replaces", "Replaces stands in an INVITE only (RFC 3891 3)");
    if other { Err(Refused::plain(400, fault)) } else { Ok(()) }
}

/// §8.2.3: a body that cannot be understood and is not optional.
fn body(request: &Message) -> Checked {
    if request.body().is_empty() {
        return Ok(());
    }
    let disposition = request.header(HeaderId::ContentDisposition).unwrap_or_default();
    let parameters = disposition.get(disposition.iter().position(|byte| *byte == b';').unwrap_or(disposition.len())..);
    let handling = Parameters::new(parameters.unwrap_or_default()).find(b"handling");
    if handling.and_then(|handling| handling.value).is_some_and(|value| value.eq_ignore_ascii_case(b"optional")) {
        return Ok(());
    }
    let mut lines = Vec::new();
    if request.values(HeaderId::ContentEncoding).any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        write::header(&mut lines, HeaderId::AcceptEncoding, &[b"identity"]);
        let fault =
            Fault::new(Counter::Content, "Content-Encoding", "a content coding other than identity (RFC 3261 8.2.3)");
        return Err(Refused { lines, ..Refused::plain(415, fault) });
    }
    // The body of an INVITE or UPDATE is its session description; those of other requests are the host's to judge.
    let Some(view) = request.body_view() else { return Ok(()) };
    let content_type = view.content_type.get(..10).unwrap_or_default();
    let describes = matches!(request.method(), Method::Invite | Method::Update);
    if !describes || view.is_sdp() || content_type.eq_ignore_ascii_case(b"multipart/") {
        return Ok(());
    }
    write::header(&mut lines, HeaderId::Accept, &[b"application/sdp, multipart/mixed, multipart/alternative"]);
    let fault = Fault::new(Counter::Content, "Content-Type", "the body is no session description (RFC 3261 8.2.3)");
    Err(Refused { lines, ..Refused::plain(415, fault) })
}
