//! Requests of ours before their way is known, which decides Via and Contact: what is asked for is checked and drafted
//! first.

use crate::agent::Agent;
use crate::agent::methods::rules;
use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::register::{OUTBOUND, OUTBOUND_TIMER};
use crate::agent::ours::timed::{Timed, TimerLines};
use crate::agent::wire::transport::{ContactKind, LocalTransport, Transports};
use crate::agent::words::face::TIMER;
use crate::agent::words::headers::HostHeaders;
use crate::agent::words::response::write_session_expires;
use crate::config::Policy;
use crate::dialog::Dialog;
use crate::dialog::id::Names;
use crate::dialog::route_set::Destination;
use crate::error::Result;
use crate::message::uri::is_sips;
use crate::message::{self, HeaderId, Method, header, next_hop, write};
use crate::session::Session;
use crate::session::offer_answer::StoredBody;
use crate::session::session_timer::Asking;

/// A request without what its way decides.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(in crate::agent) method_name: Box<[u8]>,
    pub(in crate::agent) request_uri: Box<[u8]>,
    /// The URI of the first element on the way.
    pub(in crate::agent) next_hop: Box<[u8]>,
    /// Route lines.
    routes: Box<[u8]>,
    /// Max-Forwards, From, To, Call-ID lines.
    identity: Box<[u8]>,
    pub(in crate::agent) cseq: u32,
    own_contact: bool,
    /// It has a SIPS URI (RFC 3261 §8.1.1.8).
    sips_contact: bool,
    /// Of a REGISTER: what its Contact has beyond the URI.
    binding: Option<Box<[u8]>>,
    /// Its From is what it tells, and not the dialog's yet (RFC 4916 §4).
    pub(in crate::agent) tells_identity: bool,
    /// The host writes Authorization or Proxy-Authorization, so it answers challenges itself.
    pub(in crate::agent) credentials_by_host: bool,
    /// Authorization and Proxy-Authorization lines of ours.
    pub(in crate::agent) credentials: Box<[u8]>,
    /// All other header lines, the blank line, the body.
    pub(in crate::agent) tail: Box<[u8]>,
}

/// Which of our own lines a request carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnLines {
    pub allow: bool,
    pub supported: bool,
    /// 100rel may be required (RFC 3262 §4).
    pub reliable: bool,
    pub recv_info: bool,
    pub accept: bool,
    pub expires_s: Option<u32>,
    /// A REGISTER that names its flow (RFC 5626 §4.2.1).
    pub flow: bool,
    pub timer: TimerLines,
}

impl OwnLines {
    /// By method: INVITE and UPDATE tell what we can (RFC 3261 §13.2.1, RFC 3311 §5.1), OPTIONS asks for it (§11.1).
    pub(in crate::agent) fn of(method: Method) -> Self {
        match method {
            Method::Invite => Self { allow: true, supported: true, reliable: true, ..Self::default() },
            Method::Update => Self { allow: true, supported: true, ..Self::default() },
            Method::Options => Self { accept: true, ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// Who sends to whom, in a dialog or out of one.
pub struct Identity<'a> {
    pub from: &'a [u8],
    pub from_tag: &'a [u8],
    pub to: &'a [u8],
    pub to_tag: &'a [u8],
    pub call_id: &'a [u8],
}

impl<'a> Identity<'a> {
    /// In a dialog (RFC 3261 §12.2.1.1).
    pub(in crate::agent) fn of_dialog(dialog: &'a Dialog) -> Self {
        let names = &dialog.names;
        Self {
            from: names.local_address(),
            from_tag: names.local_tag(),
            to: names.remote_address(),
            to_tag: names.remote_tag(),
            call_id: names.call_id(),
        }
    }
}

impl Draft {
    pub(in crate::agent) fn new(
        method: (Method, &[u8]),
        destination: &Destination<'_>,
        identity: &Identity<'_>,
        cseq: u32,
        host: &HostHeaders<'_>,
        tail: Box<[u8]>,
    ) -> Self {
        let mut lines = Vec::with_capacity(256);
        if !host.has(HeaderId::MaxForwards) {
            write::number_header(&mut lines, HeaderId::MaxForwards, 70);
        }
        write_address(&mut lines, HeaderId::From, identity.from, identity.from_tag);
        write_address(&mut lines, HeaderId::To, identity.to, identity.to_tag);
        write::header(&mut lines, HeaderId::CallId, &[identity.call_id]);
        let own_contact = rules(method.0).refreshes_target && !host.has(HeaderId::Contact);
        Self {
            method_name: method.1.into(),
            request_uri: destination.request_uri.as_ref().into(),
            next_hop: destination.next_hop.as_ref().into(),
            routes: route_lines(destination),
            identity: lines.into_boxed_slice(),
            cseq,
            own_contact,
            sips_contact: own_contact && destination.is_sips(),
            binding: None,
            tells_identity: false,
            credentials_by_host: host.has(HeaderId::Authorization) || host.has(HeaderId::ProxyAuthorization),
            credentials: Box::default(),
            tail,
        }
    }

    /// `local`: which of the transports it goes by.
    pub(in crate::agent) fn write(
        &self,
        out: &mut Vec<u8>,
        transports: &Transports,
        local: &LocalTransport,
        branch: &[u8],
    ) {
        write::request_line(out, &self.method_name, &self.request_uri);
        local.write_via(out, branch);
        out.extend_from_slice(&self.routes);
        out.extend_from_slice(&self.identity);
        write::cseq(out, self.cseq, &self.method_name);
        if self.own_contact {
            let says_tls = || next_hop::says_tls(&self.next_hop);
            let kind = ContactKind::of(local.flow.transport, self.sips_contact, says_tls);
            let line = transports.contact_line(local, kind);
            match &self.binding {
                None => out.extend_from_slice(line),
                Some(parameters) => write_binding(out, line, parameters),
            }
        }
        out.extend_from_slice(&self.credentials);
        out.extend_from_slice(&self.tail);
    }

    /// A REGISTER that binds our Contact, with these parameters, or ends its binding.
    pub(in crate::agent) fn registers(&mut self, destination: &Destination<'_>, parameters: Vec<u8>) {
        self.own_contact = true;
        self.sips_contact = destination.is_sips();
        self.binding = Some(parameters.into_boxed_slice());
    }

    /// The value of From and all that follows it.
    pub(in crate::agent) fn own_from(&self) -> Option<&[u8]> {
        header::in_lines(&self.identity, HeaderId::From)
    }

    /// Sends it where the dialog leads now, between whom it is now.
    pub(in crate::agent) fn retarget(&mut self, dialog: &Dialog) {
        let destination = dialog.route_set.destination(&dialog.remote_target);
        self.request_uri = destination.request_uri.as_ref().into();
        self.next_hop = destination.next_hop.as_ref().into();
        self.routes = route_lines(&destination);
        self.sips_contact = destination.is_sips() || dialog.secure;
        self.rename(&dialog.names);
    }

    /// From and To of a request that goes out once more, or late, are the dialog's of now (RFC 3261 §12.2.1.1): either
    /// side may have another identity since (RFC 4916 §4).
    pub(in crate::agent) fn rename(&mut self, names: &Names) {
        let mut lines = Vec::with_capacity(self.identity.len());
        for line in self.identity.split_inclusive(|byte| *byte == b'\n') {
            match header::of_line(line) {
                HeaderId::From if !self.tells_identity => {
                    write_address(&mut lines, HeaderId::From, names.local_address(), names.local_tag());
                }
                HeaderId::To => write_address(&mut lines, HeaderId::To, names.remote_address(), names.remote_tag()),
                _ => lines.extend_from_slice(line),
            }
        }
        self.identity = lines.into_boxed_slice();
    }

    /// The same with another body: the lines that speak of the former go with it.
    pub(in crate::agent) fn with_body(&self, body: &message::Body<'_>) -> Self {
        let of_body = [HeaderId::ContentType, HeaderId::ContentDisposition, HeaderId::ContentLength];
        let mut tail = self.lines_without(&of_body, body.content.len());
        write::finish(&mut tail, Some(body));
        Self { tail: tail.into_boxed_slice(), ..self.clone() }
    }

    /// It asks for another interval (RFC 4028 §7.3).
    pub(in crate::agent) fn ask_for(&mut self, asking: Asking) {
        let mut tail = self.lines_without(&[HeaderId::SessionExpires, HeaderId::MinSe], self.body().len());
        write_asking(&mut tail, asking);
        tail.extend_from_slice(b"\r\n");
        tail.extend_from_slice(self.body());
        self.tail = tail.into_boxed_slice();
    }

    /// The header lines of its tail but these; with room for as many bytes again, and more.
    fn lines_without(&self, unwanted: &[HeaderId], more: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.tail.len() + more);
        let lines = self.tail.split_inclusive(|byte| *byte == b'\n').take_while(|line| *line != b"\r\n");
        let wanted = lines.filter(|line| !unwanted.contains(&header::of_line(line)));
        wanted.for_each(|line| out.extend_from_slice(line));
        out
    }

    /// Bytes of what does not depend on its way.
    pub(in crate::agent) fn bytes(&self) -> usize {
        let pieces =
            [&self.routes, &self.identity, &self.credentials, &self.tail, &self.request_uri, &self.method_name];
        pieces.iter().map(|piece| piece.len()).sum::<usize>() + self.binding.as_ref().map_or(0, |piece| piece.len())
    }

    /// Its body.
    pub(in crate::agent) fn body(&self) -> &[u8] {
        let blank = memchr::memmem::find(&self.tail, b"\r\n\r\n").map_or(self.tail.len(), |at| at + 4);
        self.tail.get(blank..).unwrap_or_default()
    }

    /// The session description in its body.
    pub(in crate::agent) fn description(&self) -> Option<StoredBody> {
        let content = Some(self.body()).filter(|content| !content.is_empty())?;
        let value = |id| header::in_lines(&self.tail, id)?.split(|byte| *byte == b'\r').next();
        let content_type = value(HeaderId::ContentType)?;
        let disposition = value(HeaderId::ContentDisposition);
        StoredBody::of_local(&message::Body { content, content_type, disposition })
    }

    /// Whether it goes to a sips URI.
    pub(in crate::agent) fn is_sips(&self) -> bool {
        is_sips(&self.request_uri)
    }
}

/// Our Contact line with other parameters. `ob` speaks of dialogs (RFC 5626 §4.3).
fn write_binding(out: &mut Vec<u8>, line: &[u8], parameters: &[u8]) {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    match line.strip_suffix(b";ob>") {
        Some(line) => out.extend_from_slice(&[line, b">"].concat()),
        None => out.extend_from_slice(line),
    }
    out.extend_from_slice(parameters);
    out.extend_from_slice(b"\r\n");
}

/// Session-Expires and Min-SE (RFC 4028 §7.1).
fn write_asking(out: &mut Vec<u8>, asking: Asking) {
    if let Some(interval) = asking.interval {
        write_session_expires(out, interval);
    }
    if asking.min_se_s > 0 {
        write::number_header(out, HeaderId::MinSe, u64::from(asking.min_se_s));
    }
}

fn route_lines(destination: &Destination<'_>) -> Box<[u8]> {
    let mut lines = Vec::new();
    for route in &destination.routes {
        write::header(&mut lines, HeaderId::Route, &[&route[..]]);
    }
    lines.into_boxed_slice()
}

/// `From: <address>;tag=tag`; an addr-spec is put in brackets, a missing tag left out.
fn write_address(out: &mut Vec<u8>, header: HeaderId, address: &[u8], tag: &[u8]) {
    out.extend_from_slice(header.name().as_bytes());
    out.extend_from_slice(b": ");
    if address.ends_with(b">") {
        out.extend_from_slice(address);
    } else {
        out.push(b'<');
        out.extend_from_slice(address);
        out.push(b'>');
    }
    if !tag.is_empty() {
        out.extend_from_slice(b";tag=");
        out.extend_from_slice(tag);
    }
    out.extend_from_slice(b"\r\n");
}

impl Agent {
    /// Header lines beyond the identity, and the body.
    pub(in crate::agent) fn tail(
        &self,
        host: &HostHeaders<'_>,
        own: OwnLines,
        body: Option<&message::Body<'_>>,
    ) -> Box<[u8]> {
        let mut out = Vec::with_capacity(256 + body.map_or(0, |body| body.content.len()));
        if own.allow && !host.has(HeaderId::Allow) {
            out.extend_from_slice(&self.face.allow_line);
        }
        let timer = own.timer.supported;
        host.write(
            &mut out,
            match own.supported {
                true => self.face.supported(timer),
                // RFC 4028 §7.1: in every request but ACK.
                false if own.flow && timer => OUTBOUND_TIMER,
                false if own.flow => OUTBOUND,
                false if timer => TIMER,
                false => b"",
            },
        );
        // RFC 3262 §4: the callee has to speak it.
        if own.reliable && self.face.reliable == Policy::Required && !host.requires(b"100rel") {
            write::header(&mut out, HeaderId::Require, &[b"100rel"]);
        }
        if own.timer.required && !host.requires(TIMER) {
            write::header(&mut out, HeaderId::Require, &[TIMER]);
        }
        write_asking(&mut out, own.timer.asking);
        if own.recv_info && !host.has(HeaderId::RecvInfo) {
            out.extend_from_slice(&self.face.recv_info_line);
        }
        if own.accept && !host.has(HeaderId::Accept) {
            write::header(&mut out, HeaderId::Accept, &[b"application/sdp"]);
        }
        if let Some(seconds) = own.expires_s.filter(|_| !host.has(HeaderId::Expires)) {
            write::number_header(&mut out, HeaderId::Expires, u64::from(seconds));
        }
        if !host.has(HeaderId::UserAgent) {
            out.extend_from_slice(&self.face.user_agent_line);
        }
        write::finish(&mut out, body);
        out.into_boxed_slice()
    }

    /// Drafts a request in a dialog; `cseq` is its number.
    pub(in crate::agent) fn draft_in_dialog(
        &self,
        dialog: &Dialog,
        method: (Method, &[u8]),
        cseq: u32,
        options: &RequestOptions<'_>,
    ) -> Result<Draft> {
        Ok(self.draft_in_session(None, dialog, method, cseq, options)?.0)
    }

    /// The same with what it asks of the session timer.
    pub(in crate::agent) fn draft_in_session(
        &self,
        session: Option<&Session>,
        dialog: &Dialog,
        method: (Method, &[u8]),
        cseq: u32,
        options: &RequestOptions<'_>,
    ) -> Result<(Draft, Option<Box<Timed>>)> {
        options.check_in_dialog()?;
        let host = HostHeaders::of_request(method.0, &options.headers, true)?.and_reason(options.reason)?;
        let body = options.body.map(Body::checked).transpose()?;
        let (timer, timed) = self.asks(method.0, session, &host, options.session_timer);
        let tail = self.tail(&host, OwnLines { timer, ..OwnLines::of(method.0) }, body.as_ref());
        let destination = dialog.route_set.destination(&dialog.remote_target);
        let mut draft = Draft::new(method, &destination, &Identity::of_dialog(dialog), cseq, &host, tail);
        // RFC 5630 §5.1.1.2: in a dialog that sips made it stays so.
        draft.sips_contact |= dialog.secure;
        self.request_fits(&draft)?;
        Ok((draft, timed))
    }
}
