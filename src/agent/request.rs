//! Requests of ours: from what was asked for to bytes on a flow.
//!
//! A request is drafted first and written once its way is known, because the way decides Via and Contact.

use crate::agent::headers::HostHeaders;
use crate::agent::options::{Body, RequestOptions};
use crate::agent::outgoing::{Outgoing, OutgoingState};
use crate::agent::resolve::Located;
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::transport::LocalTransport;
use crate::agent::{Agent, Bytes, OutgoingId, SessionId};
use crate::config::Policy;
use crate::dialog::Dialog;
use crate::dialog::route_set::Destination;
use crate::dialog::target::refreshes_target;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use crate::message::write;
use crate::message::{self, HeaderId, Method};
use std::time::Duration;

/// A request without what its way decides.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) method_name: Box<[u8]>,
    pub(super) request_uri: Box<[u8]>,
    /// The URI of the first element on the way.
    pub(super) next_hop: Box<[u8]>,
    /// Route lines.
    routes: Box<[u8]>,
    /// Max-Forwards, From, To, Call-ID lines.
    identity: Box<[u8]>,
    pub(super) cseq: u32,
    own_contact: bool,
    /// The host writes Authorization or Proxy-Authorization, so it answers challenges itself.
    pub(super) credentials_by_host: bool,
    /// Authorization and Proxy-Authorization lines of ours.
    pub(super) credentials: Box<[u8]>,
    /// All other header lines, the blank line, the body.
    pub(super) tail: Box<[u8]>,
}

/// Which of our own lines a request carries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnLines {
    pub allow: bool,
    pub supported: bool,
    pub recv_info: bool,
    pub accept: bool,
    pub expires_s: Option<u32>,
}

impl OwnLines {
    /// By method: INVITE tells what we can (RFC 3261 §13.2.1), OPTIONS asks for it (§11.1).
    pub(super) fn of(method: Method) -> Self {
        match method {
            Method::Invite => Self { allow: true, supported: true, ..Self::default() },
            Method::Options => Self { accept: true, ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// Who sends to whom, in a dialog or out of one.
pub(super) struct Identity<'a> {
    pub from: &'a [u8],
    pub from_tag: &'a [u8],
    pub to: &'a [u8],
    pub to_tag: &'a [u8],
    pub call_id: &'a [u8],
}

impl<'a> Identity<'a> {
    /// In a dialog (RFC 3261 §12.2.1.1).
    pub(super) fn of_dialog(dialog: &'a Dialog) -> Self {
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
    pub(super) fn new(
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
        Self {
            method_name: method.1.into(),
            request_uri: destination.request_uri.as_ref().into(),
            next_hop: destination.next_hop.as_ref().into(),
            routes: route_lines(destination),
            identity: lines.into_boxed_slice(),
            cseq,
            own_contact: refreshes_target(method.0) && !host.has(HeaderId::Contact),
            credentials_by_host: host.has(HeaderId::Authorization) || host.has(HeaderId::ProxyAuthorization),
            credentials: Box::default(),
            tail,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, transport: &LocalTransport, branch: &[u8]) {
        write::request_line(out, &self.method_name, &self.request_uri);
        let kind = transport.flow.transport;
        write::via(out, kind.via_name().as_bytes(), &transport.sent_by, branch, kind == Transport::Udp);
        out.extend_from_slice(&self.routes);
        out.extend_from_slice(&self.identity);
        write::cseq(out, self.cseq, &self.method_name);
        if self.own_contact {
            out.extend_from_slice(&transport.contact_line);
        }
        out.extend_from_slice(&self.credentials);
        out.extend_from_slice(&self.tail);
    }

    /// Sends it where the dialog leads now.
    pub(super) fn retarget(&mut self, dialog: &Dialog) {
        let destination = dialog.route_set.destination(&dialog.remote_target);
        self.request_uri = destination.request_uri.as_ref().into();
        self.next_hop = destination.next_hop.as_ref().into();
        self.routes = route_lines(&destination);
    }

    /// Bytes of what does not depend on its way.
    pub(super) fn bytes(&self) -> usize {
        let pieces =
            [&self.routes, &self.identity, &self.credentials, &self.tail, &self.request_uri, &self.method_name];
        pieces.iter().map(|piece| piece.len()).sum()
    }

    /// Whether it goes to a sips URI.
    pub(super) fn is_sips(&self) -> bool {
        self.request_uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
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
    pub(super) fn tail(&self, host: &HostHeaders<'_>, own: OwnLines, body: Option<&message::Body<'_>>) -> Box<[u8]> {
        let mut out = Vec::with_capacity(256 + body.map_or(0, |body| body.content.len()));
        if own.allow && !host.has(HeaderId::Allow) {
            out.extend_from_slice(&self.face.allow_line);
        }
        host.write(&mut out, if own.supported { &self.face.supported } else { b"" });
        // RFC 3262 §4: the callee has to speak it.
        if own.supported && self.face.reliable == Policy::Required && !host.requires(b"100rel") {
            write::header(&mut out, HeaderId::Require, &[b"100rel"]);
        }
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
    pub(super) fn draft_in_dialog(
        &self,
        dialog: &Dialog,
        method: (Method, &[u8]),
        cseq: u32,
        options: &RequestOptions<'_>,
    ) -> Result<Draft> {
        options.check_in_dialog()?;
        let host = HostHeaders::read(&options.headers, true)?;
        let body = options.body.map(Body::checked).transpose()?;
        let tail = self.tail(&host, OwnLines::of(method.0), body.as_ref());
        let destination = dialog.route_set.destination(&dialog.remote_target);
        let draft = Draft::new(method, &destination, &Identity::of_dialog(dialog), cseq, &host, tail);
        self.request_fits(&draft)?;
        Ok(draft)
    }

    /// A request may start: there is room and a transport.
    pub(super) fn room_for_request(&self) -> Result<()> {
        if self.table.len() >= self.config.limits.transactions {
            return Err(Error::new(ErrorKind::Limit, "transactions: the limit is reached"));
        }
        Ok(())
    }

    /// Stores a request of ours.
    pub(super) fn add_outgoing(&mut self, outgoing: Outgoing) -> Result<OutgoingId> {
        self.objects
            .outgoing
            .insert_with(|_| outgoing)
            .ok_or_else(|| Error::new(ErrorKind::Limit, "outgoing requests: no slot is free"))
    }

    /// Finds the way of a drafted request and sends it, or asks for the way.
    pub(super) fn launch(&mut self, id: OutgoingId) {
        match self.find_way(id) {
            Ok(Located::At(flow)) => self.send_request(id, &flow),
            Ok(Located::Ask(question)) => self.ask(id, question),
            Err(_) => self.request_failed(id, 503),
        }
    }

    /// Where a drafted request goes.
    pub(super) fn find_way(&self, id: OutgoingId) -> Result<Located> {
        let outgoing = self.outgoing(id)?;
        let Some(draft) = &outgoing.draft else { return Err(Error::state("the request is answered")) };
        let session = outgoing.session.and_then(|id| self.objects.holder(id));
        let fixed = outgoing.fixed_flow.as_ref().or(session.and_then(|session| session.way()));
        let known = session.and_then(|session| session.resolved());
        self.locate(&draft.next_hop, fixed, known)
    }

    /// Writes a drafted request for its way and hands it to a transaction.
    pub(super) fn send_request(&mut self, id: OutgoingId, flow: &Flow) {
        let branch = self.token(b"z9hG4bK", 12);
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        let sent = self.write_request(id, flow, &branch, &mut out);
        self.scratch = out;
        let started = sent.and_then(|(bytes, flow, method)| {
            let (table, mut effects) = self.transactions();
            let client = table.start_client(&mut effects, Bytes::clone(&bytes), &branch, &method, flow, id.raw())?;
            Ok((client, bytes, flow))
        });
        match started {
            Ok((client, bytes, flow)) => {
                if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
                    outgoing.transaction = Some(client);
                    outgoing.sent = Some(bytes);
                    outgoing.flow = Some(flow);
                    outgoing.state = OutgoingState::Calling;
                    let secure =
                        outgoing.draft.as_ref().is_some_and(|draft| draft.is_sips()) && flow.transport.is_secure();
                    if let Some(invite) = outgoing.invite_mut() {
                        invite.secure = secure;
                    }
                }
            }
            Err(_) => self.request_failed(id, 503),
        }
    }

    fn write_request(
        &self,
        id: OutgoingId,
        flow: &Flow,
        branch: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(Bytes, Flow, Box<[u8]>)> {
        let outgoing = self.outgoing(id)?;
        let Some(draft) = &outgoing.draft else { return Err(Error::state("the request is answered")) };
        let local = self.transports.of_flow(flow)?;
        draft.write(out, local, branch);
        let link = if flow.link != 0 || flow.transport != Transport::Udp { flow.link } else { local.flow.link };
        let flow = Flow { link, local: flow.local.or(local.flow.local), ..*flow };
        Ok((Bytes::from(&out[..]), flow, draft.method_name.clone()))
    }

    /// Sends what has no transaction: the ACK to a 2xx. Gives the bytes and the way, for repeats.
    pub(super) fn send_ack(&mut self, session: Option<SessionId>, draft: &Draft, flow: &Flow) -> Result<(Bytes, Flow)> {
        let branch = self.token(b"z9hG4bK", 12);
        let local = self.transports.of_flow(flow)?;
        let mut out = Vec::with_capacity(512);
        draft.write(&mut out, local, &branch);
        let link = if flow.link != 0 || flow.transport != Transport::Udp { flow.link } else { local.flow.link };
        let flow = Flow { link, local: flow.local.or(local.flow.local), ..*flow };
        let bytes = Bytes::from(out);
        self.outbox.transmit(sender_of(session), &bytes, &flow);
        Ok((bytes, flow))
    }

    /// Arms the host's Expires of an INVITE of ours (RFC 3261 §13.2.1).
    pub(super) fn arm_expires(&mut self, id: OutgoingId, expires_ms: u32) {
        let waits = self.objects.outgoing.get(id).is_some_and(|outgoing| outgoing.state != OutgoingState::Completed);
        if expires_ms > 0 && waits {
            let after = Duration::from_millis(u64::from(expires_ms));
            let timer = self.arm(after, Timeout::Outgoing(id, OutgoingTimer::Expires));
            if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
                invite.expires = Some(timer);
            }
        }
    }
}

pub(super) fn sender_of(session: Option<SessionId>) -> crate::agent::outbox::Sender {
    session.map_or(crate::agent::outbox::Sender::Nobody, crate::agent::outbox::Sender::Session)
}
