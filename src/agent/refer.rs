//! REFER, both ways (RFC 3515, RFC 3891, RFC 3892, RFC 4488), and the INVITE that one asks for.

use crate::agent::event::{Event, EventKind, flag};
use crate::agent::incoming::{Incoming, Kind as IncomingKind, ReferServer};
use crate::agent::options::{RequestOptions, ResponseOptions};
use crate::agent::outgoing::{Kind, Outgoing, Subscriber};
use crate::agent::response::{Answer, retry_after_line};
use crate::agent::stateless::own_tag;
use crate::agent::subscription::is_false;
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind, Result};
use crate::message::uri::{escape_header, unescape};
use crate::message::{HeaderId, Message, Method, NameAddr, Replaces, Uri, write};
use crate::session::{Role, Session, SessionState};
use crate::time::Now;
use std::sync::Arc;

/// What a REFER asks an INVITE for.
pub(super) struct Asked {
    /// The Request-URI and To.
    pub target: Vec<u8>,
    /// Replaces and Referred-By, as header lines.
    pub lines: Vec<Vec<u8>>,
}

impl Agent {
    // ------------------------------------------------------------------ ours

    /// REFER in the dialog. `replaces`: an attended transfer (RFC 5589 §7): that session goes into the Refer-To, and without a
    /// `refer_to` its remote target is the URI.
    pub fn refer(
        &mut self,
        now: Now,
        id: SessionId,
        refer_to: Option<&[u8]>,
        replaces: Option<SessionId>,
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.established(self.config.takes_early())?;
        let own = self.refer_to_line(id, refer_to, replaces, &options)?;
        let mut unwanted = false;
        for line in &options.headers {
            let (name, value) = write::split_header_line(line)?;
            unwanted |= name.id() == HeaderId::ReferSub && is_false(value);
        }
        let mut options = options;
        options.headers.extend(own.as_deref());
        let kind = Kind::Refer(Box::new(Subscriber { unwanted, ..Subscriber::default() }));
        let request = self.draft_for_session(id, (Method::Refer, b"REFER"), kind, options)?;
        if let Some(referrals) = self.objects.referrals_mut(id) {
            referrals.sent(request);
        }
        self.launch(request);
        Ok(request)
    }

    /// The Refer-To line; `None`: the host's stands.
    fn refer_to_line(
        &self,
        id: SessionId,
        refer_to: Option<&[u8]>,
        replaces: Option<SessionId>,
        options: &RequestOptions<'_>,
    ) -> Result<Option<Vec<u8>>> {
        let mut by_host = None;
        for line in &options.headers {
            let (name, value) = write::split_header_line(line)?;
            if name.id() == HeaderId::ReferTo {
                if by_host.is_some() || replaces.is_some() {
                    return Err(Error::syntax("Refer-To: a REFER has exactly one (RFC 3515 2.4.2)"));
                }
                refer_target(value)?;
                by_host = Some(value);
            }
        }
        if by_host.is_some() {
            return Ok(None);
        }
        let replaced = match replaces {
            Some(replaced) if replaced == id => {
                return Err(Error::argument("replaces: the session that is transferred cannot replace itself"));
            }
            Some(replaced) => Some(self.session(replaced)?),
            None => None,
        };
        let text = match (refer_to, replaced) {
            (Some(text), _) => text,
            (None, Some(replaced)) => replaced.remote_target(),
            (None, None) => return Err(Error::argument("refer_to: NULL")),
        };
        write::check_line(text)?;
        let uri = refer_target(text)?;
        let mut line = b"Refer-To: ".to_vec();
        let Some(replaced) = replaced else {
            // A name-addr goes as it is.
            if text.contains(&b'<') {
                line.extend_from_slice(text);
            } else {
                line.extend_from_slice(&[b"<", text, b">"].concat());
            }
            return Ok(Some(line));
        };
        match (replaced.state(), replaced.role()) {
            (SessionState::Terminated, _) => return Err(Error::state("replaces: the session is over")),
            (SessionState::Initial, _) | (SessionState::Early, Role::Caller) => {
                return Err(Error::state("replaces: only its caller may have an early dialog replaced (RFC 3891 3)"));
            }
            _ => {}
        }
        if uri.headers().any(|header| header.is(b"Replaces")) {
            return Err(Error::argument("refer_to: it has a Replaces already"));
        }
        line.push(b'<');
        line.extend_from_slice(uri.text);
        line.extend_from_slice(if uri.headers.is_empty() { b"?Replaces=" } else { b"&Replaces=" });
        // RFC 3891 §6.1: the tags as the one who gets it sees them.
        let value = [
            replaced.call_id(),
            b";to-tag=",
            tag_or_zero(replaced.remote_tag()),
            b";from-tag=",
            tag_or_zero(replaced.local_tag()),
        ];
        escape_header(&mut line, &value.concat());
        line.push(b'>');
        Ok(Some(line))
    }

    // ------------------------------------------------------------------ the peer's

    /// A REFER of the peer's, in a dialog.
    pub(super) fn refer_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(referrals) = self.objects.referrals_mut(id) else { return };
        let first = referrals.received();
        if let Some(reason) = fault_of(&request) {
            return self.refuse(&request, &Answer { reason: Some(reason), ..Answer::plain(400) });
        }
        if self.objects.referrals(id).is_some_and(|referrals| !referrals.has_room()) {
            let lines = retry_after_line(&mut self.random);
            return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(500) });
        }
        let kind = IncomingKind::Refer(Box::new(ReferServer { first, notifier: None }));
        self.hand_up_as(Event::new(EventKind::Refer), Some(id), request, kind);
    }

    /// One out of every dialog; accepted, it makes one for its subscription (RFC 3515 §2.4.4).
    pub(super) fn stray_refer_arrived(&mut self, request: Arc<Message>) {
        let unreachable = Dialog::of_callee(&request, b"x").is_err();
        let reason =
            fault_of(&request).or(unreachable.then_some(b"Bad Request: REFER without a good Contact (RFC 3515 2.2)"));
        if let Some(reason) = reason {
            return self.refuse(&request, &Answer { reason: Some(reason), ..Answer::plain(400) });
        }
        let kind = IncomingKind::Refer(Box::new(ReferServer { first: true, notifier: None }));
        self.hand_up_as(Event::new(EventKind::Refer), None, request, kind);
    }

    /// 2xx to a REFER: its subscription begins, unless the REFER wants none (RFC 4488).
    pub(super) fn accept_refer(&mut self, id: IncomingId, status: u16, options: &ResponseOptions<'_>) -> Result<()> {
        let incoming = self.incoming(id)?.unanswered()?;
        if status == 202 {
            return Err(Error::state("status_code: 202 is not sent any more (RFC 7647 5)"));
        }
        let (request, session, attachment) =
            (Arc::clone(&incoming.message), incoming.session, incoming.attachment.clone());
        if options.to_tag.is_some() && request.to_tag().is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        options.to_tag.map(write::check_to_tag).transpose()?;
        let tag = match request.to_tag() {
            Some(_) => None,
            None => Some(options.to_tag.map_or_else(|| own_tag(self.objects.keys, &request), Box::from)),
        };
        let mut answer = Answer::of_host(status, options, true)?;
        // RFC 3515 §2.4.1: Contact in the 2xx.
        answer.dialog = true;
        // RFC 4488 §4: granted where the 2xx says so, in the host's words or ours.
        let word = answer.host.get(HeaderId::ReferSub);
        let unwanted = request.header(HeaderId::ReferSub).is_some_and(is_false) && word.is_none_or(is_false);
        let full = session.and_then(|id| self.objects.referrals(id)).is_some_and(|referrals| !referrals.has_room());
        if full && !unwanted {
            return Err(Error::new(ErrorKind::Limit, "subscriptions of REFERs: enough of them live in the dialog"));
        }
        if unwanted && word.is_none() {
            answer.lines = b"Refer-Sub: false\r\n";
        }
        let session = match &tag {
            Some(tag) if !unwanted => {
                let dialog = Dialog::of_callee(&request, tag)?;
                Some(self.objects.add_remains(Session::of_subscription(dialog, &request, attachment))?)
            }
            _ => session,
        };
        if let Err(error) = self.respond_to(id, &answer, tag.as_deref()) {
            if let Some(made) = session.filter(|_| tag.is_some()) {
                self.objects.let_dialog_go(made);
            }
            return Err(error);
        }
        self.answered_finally(id);
        if let Some(incoming) = self.objects.incoming.get_mut(id) {
            incoming.session = session;
        }
        if let Some(holder) = session.and_then(|id| self.objects.holder_mut(id)) {
            holder.refreshed(&request);
        }
        match session {
            Some(session) if !unwanted => self.start_notifying(id, session),
            _ => self.objects.incoming_over(id),
        }
        Ok(())
    }

    // ------------------------------------------------------------------ the INVITE that a REFER asks for

    /// What the INVITE takes from the REFER that asked for it.
    pub(super) fn asked_by(&self, id: IncomingId, options: &RequestOptions<'_>) -> Result<Asked> {
        let incoming = self.incoming(id)?;
        let refused = incoming.answered && incoming.notifier().is_none();
        if incoming.method != Method::Refer {
            return Err(Error::argument("options.refer: not a REFER"));
        }
        if refused {
            return Err(Error::state("options.refer: the REFER was refused, or its subscription is over"));
        }
        let request = &incoming.message;
        let value = request.header(HeaderId::ReferTo).unwrap_or_default();
        let uri = refer_target(value)?;
        let method = uri.parameter(b"method").and_then(|parameter| parameter.value);
        if method.is_some_and(|method| method != b"INVITE") {
            return Err(Error::state("options.refer: its Refer-To asks for another method (RFC 3515 2.1)"));
        }
        let given = |id: HeaderId| {
            options.headers.iter().any(|line| write::split_header_line(line).is_ok_and(|(name, _)| name.id() == id))
        };
        let mut lines = Vec::new();
        for header in uri.headers().filter(|header| header.is(b"Replaces") && !given(HeaderId::Replaces)) {
            let value = unescape(header.value.unwrap_or_default());
            Replaces::parse(&value)?;
            write::check_line(&value)?;
            lines.push([b"Replaces: ", &*value].concat());
        }
        // RFC 3892 §2.2: unchanged.
        if let Some(referred_by) = request.header(HeaderId::ReferredBy).filter(|_| !given(HeaderId::ReferredBy)) {
            lines.push([b"Referred-By: ", referred_by].concat());
        }
        Ok(Asked { target: bare(&uri), lines })
    }

    /// An INVITE of ours goes out because of a REFER, which is accepted with it.
    pub(super) fn tie_to_refer(&mut self, id: OutgoingId, refer: IncomingId) -> Result<()> {
        if !self.incoming(refer)?.answered {
            self.accept_refer(refer, 200, &ResponseOptions::default())?;
        }
        // A REFER that wants no subscription hears nothing.
        let hears = self.objects.incoming.get(refer).is_some_and(|incoming| incoming.notifier().is_some());
        if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
            invite.refer = Some(refer).filter(|_| hears);
        }
        Ok(())
    }

    /// What becomes of the INVITE is told to who asked for it (RFC 3515 §2.4.5).
    pub(super) fn tell_referrer(&mut self, id: OutgoingId, event: &Event) {
        let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) else { return };
        let Some(refer) = invite.refer else { return };
        let status = match event.kind {
            EventKind::Trying | EventKind::Progress => event.status_code,
            EventKind::Accept | EventKind::Redirect | EventKind::Reject => {
                invite.refer = None;
                // No answer at all: it failed.
                if event.flags & flag::LOCAL != 0 && event.status_code == 408 { 503 } else { event.status_code }
            }
            _ => return,
        };
        let said = self
            .objects
            .incoming
            .get(refer)
            .and_then(Incoming::notifier)
            .is_some_and(|notifier| notifier.last.0 == status);
        if !said {
            self.notify_progress(refer, status, event.message.as_ref().and_then(|message| message.reason()));
        }
    }
}

/// What a REFER lacks to be one (RFC 3515 §2.4.2, RFC 3892 §3).
pub(super) fn fault_of(request: &Message) -> Option<&'static [u8]> {
    let mut fields = request.fields(HeaderId::ReferTo);
    match (fields.next(), fields.next()) {
        (Some(value), None) if refer_target(value).is_ok() => {}
        (Some(_), None) => return Some(b"Bad Request: Refer-To is no URI (RFC 3515 2.1)"),
        _ => return Some(b"Bad Request: exactly one Refer-To (RFC 3515 2.4.2)"),
    }
    if request.fields(HeaderId::ReferredBy).nth(1).is_some() {
        return Some(b"Bad Request: more than one Referred-By (RFC 3892 3)");
    }
    None
}

/// The URI of a Refer-To, or of what shall become one.
fn refer_target(text: &[u8]) -> Result<Uri<'_>> {
    if text.contains(&b'<') { NameAddr::parse(text)?.parse_uri() } else { Uri::parse(text) }
}

/// RFC 3891 §4: "0" where the peer has no tag.
fn tag_or_zero(tag: &[u8]) -> &[u8] {
    if tag.is_empty() { b"0" } else { tag }
}

/// A URI as the target of an INVITE: without headers and `method` (RFC 3261 §19.1.5).
fn bare(uri: &Uri<'_>) -> Vec<u8> {
    let without_headers = uri.text.split(|byte| *byte == b'?').next().unwrap_or_default();
    let Some(head) = without_headers.len().checked_sub(uri.parameters.len()) else { return uri.text.to_vec() };
    let mut bare = without_headers.get(..head).unwrap_or_default().to_vec();
    for parameter in uri.parameters().filter(|parameter| !parameter.is(b"method")) {
        bare.push(b';');
        bare.extend_from_slice(parameter.name);
        if let Some(value) = parameter.value {
            bare.push(b'=');
            bare.extend_from_slice(value);
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_the_uri_alone() {
        for (text, wanted) in [
            ("<sip:carol@example.com>", "sip:carol@example.com"),
            ("<sip:c@d;method=INVITE;x=y?Replaces=a%3Bb>", "sip:c@d;x=y"),
            ("\"C\" <sips:c@d:5061;lr>;p=q", "sips:c@d:5061;lr"),
            ("<tel:+1-201;phone-context=x>", "tel:+1-201;phone-context=x"),
        ] {
            let uri = refer_target(text.as_bytes()).unwrap();
            assert_eq!(bare(&uri), wanted.as_bytes(), "{text}");
        }
    }
}
