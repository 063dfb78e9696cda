//! REFER, both ways (RFC 3515, RFC 3891, RFC 3892, RFC 4488).

use crate::agent::event::{Event, EventKind};
use crate::agent::fault::{Counter, Fault};
use crate::agent::options::{RequestOptions, ResponseOptions};
use crate::agent::ours::outgoing::{Kind, Subscriber};
use crate::agent::refer::subscriber::is_false;
use crate::agent::theirs::incoming::{Kind as IncomingKind, ReferServer};
use crate::agent::theirs::stateless::{Tag, own_tag};
use crate::agent::words::response::{Answer, retry_after_line};
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind, Result};
use crate::message::uri::escape_header;
use crate::message::{HeaderId, Message, Method, NameAddr, Uri, write};
use crate::session::{Role, Session, SessionState};
use crate::time::Now;
use std::sync::Arc;

impl Agent {
    /// REFER in the dialog. `replaces`: an attended transfer (RFC 5589 §7): that session goes into the Refer-To, and
    /// without a
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
                if by_host.is_some() {
                    return Err(Error::new(ErrorKind::Header, "Refer-To: stands once (RFC 3515 2.4.2)"));
                }
                if replaces.is_some() {
                    return Err(Error::syntax("Refer-To: a REFER has exactly one (RFC 3515 2.4.2)"));
                }
                own_refer_target(value)?;
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
        let mut line = b"Refer-To: ".to_vec();
        let Some(replaced) = replaced else {
            let (address, _) = own_refer_target(text)?;
            // A name-addr goes as it is.
            if address.is_bare(text) {
                line.extend_from_slice(&[b"<", text, b">"].concat());
            } else {
                line.extend_from_slice(text);
            }
            return Ok(Some(line));
        };
        let uri = match refer_to {
            Some(text) => own_refer_target(text)?.1,
            None => Uri::received(text)?,
        };
        if !uri.is_sip() {
            return Err(Error::syntax("refer_to: with replaces a sip or sips URI, as others have no headers"));
        }
        match (replaced.state(), replaced.role()) {
            (SessionState::Terminated, _) => return Err(Error::state("replaces: the session is over")),
            (SessionState::Initial, _) | (SessionState::Early, Role::Caller) => {
                return Err(Error::state("replaces: only its caller may have an early dialog replaced (RFC 3891 3)"));
            }
            _ => {}
        }
        if uri.header(b"Replaces").is_some() {
            return Err(Error::argument("refer_to: it has a Replaces already"));
        }
        line.push(b'<');
        line.extend_from_slice(uri.text.strip_suffix(b"?").unwrap_or(uri.text));
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

    /// A REFER of the peer's, in a dialog.
    pub(in crate::agent) fn refer_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(referrals) = self.objects.referrals_mut(id) else { return };
        let first = referrals.received();
        if let Some((header, reason)) = fault_of(&request) {
            return self.refuse_malformed(&request, header, reason);
        }
        if self.objects.referrals(id).is_some_and(|referrals| !referrals.has_room()) {
            let lines = retry_after_line(&mut self.random);
            let fault =
                Fault::new(Counter::Limit, "", "subscriptions of the dialog: the limit is reached (RFC 3261 21.5.1)");
            return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(500) }, fault);
        }
        let kind = IncomingKind::Refer(Box::new(ReferServer { first, notifier: None }));
        self.hand_up_as(Event::new(EventKind::Refer), Some(id), request, kind);
    }

    /// One out of every dialog; accepted, it makes one for its subscription (RFC 3515 §2.4.4).
    pub(in crate::agent) fn stray_refer_arrived(&mut self, request: Arc<Message>) {
        let unreachable = Dialog::of_callee(&request, b"x").is_err();
        let no_contact = ("Contact", "Bad Request: REFER without a good Contact (RFC 3515 2.2)");
        if let Some((header, reason)) = fault_of(&request).or(unreachable.then_some(no_contact)) {
            return self.refuse_malformed(&request, header, reason);
        }
        let kind = IncomingKind::Refer(Box::new(ReferServer { first: true, notifier: None }));
        self.hand_up_as(Event::new(EventKind::Refer), None, request, kind);
    }

    /// 2xx to a REFER: its subscription begins, unless the REFER wants none (RFC 4488).
    pub(in crate::agent) fn accept_refer(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        let incoming = self.incoming(id)?.unanswered()?;
        if status == 202 {
            return Err(Error::state("status_code: 202 is not sent any more (RFC 7647 5)"));
        }
        let (request, session, attachment) =
            (Arc::clone(incoming.message()?), incoming.session, incoming.attachment.clone());
        if options.to_tag.is_some() && request.to_tag().is_some() {
            return Err(Error::state("to_tag: the dialog has one"));
        }
        options.to_tag.map(write::check_to_tag).transpose()?;
        let tag = match request.to_tag() {
            Some(_) => None,
            None => Some(options.to_tag.map_or_else(|| own_tag(self.objects.keys, &request), Tag::from)),
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
                let mut holder = Session::of_subscription(dialog, &request, attachment);
                if self.config.ways.peers {
                    holder.follows(request.flow());
                }
                Some(self.objects.add_remains(holder)?)
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
}

/// What a REFER lacks to be one (RFC 3515 §2.4.2, RFC 3892 §3).
pub(in crate::agent) fn fault_of(request: &Message) -> Option<(&'static str, &'static str)> {
    let mut fields = request.fields(HeaderId::ReferTo);
    match (fields.next(), fields.next()) {
        (Some(_), None) if refer_target(request).is_ok() => {}
        (Some(_), None) => return Some(("Refer-To", "Bad Request: Refer-To is no URI (RFC 3515 2.1)")),
        _ => return Some(("Refer-To", "Bad Request: exactly one Refer-To (RFC 3515 2.4.2)")),
    }
    if request.fields(HeaderId::ReferredBy).nth(1).is_some() {
        return Some(("Referred-By", "Bad Request: more than one Referred-By (RFC 3892 3)"));
    }
    None
}

/// The URI of the Refer-To, as the host sees it too.
pub(in crate::agent) fn refer_target(request: &Message) -> Result<Uri<'_>> {
    request.read_uri(NameAddr::of_refer_to(request.header(HeaderId::ReferTo).unwrap_or_default())?.uri)
}

/// What of the host's becomes one: what peers write bare is escaped (RFC 3261 §19.1.1).
fn own_refer_target(text: &[u8]) -> Result<(NameAddr<'_>, Uri<'_>)> {
    let (address, uri) = NameAddr::of_host(text)?;
    if uri.headers.iter().any(|byte| matches!(byte, b'@' | b';')) {
        return Err(Error::syntax("Refer-To: `@` and `;` in a header of a URI are escaped (RFC 3261 19.1.1)"));
    }
    Ok((address, uri))
}

/// RFC 3891 §4: "0" where the peer has no tag.
fn tag_or_zero(tag: &[u8]) -> &[u8] {
    if tag.is_empty() { b"0" } else { tag }
}
