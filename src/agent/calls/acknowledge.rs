//! ACK of every 2xx to our INVITEs, kept for its repeats (RFC 3261 §13.2.2.4).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::authentication::Authentication;
use crate::agent::ours::draft::Draft;
use crate::agent::ours::outgoing::{AckCourse, Kind, Outgoing, SentAck};
use crate::agent::wire::outbox::Sender;
use crate::agent::wire::resolve::{Located, Question};
use crate::agent::{Agent, Bytes, OutgoingId, SessionId};
use crate::dialog::Dialog;
use crate::dialog::sequence::LocalSequence;
use crate::error::{Error, Result};
use crate::flow::{Flow, Hop, Transport};
use crate::message::{HeaderId, Message, Method, header, write};
use crate::session::explain::Why;
use crate::session::offer_answer::StoredBody;
use crate::session::{Resolved, Session};
use crate::time::Now;
use std::sync::Arc;

/// Whose 2xx an ACK is for: that to this INVITE, in the dialog of this session, where one was made.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Acknowledging {
    pub invite: OutgoingId,
    pub session: Option<SessionId>,
}

const ACK_LOST: Why = Why::new(Reason::Transport, "an ACK of ours could not be sent (RFC 3261 18.4)");

const STRANGER: Why = Why::new(
    Reason::ForkLost,
    "a 2xx of a dialog that is not wanted, or not any more, was answered by ACK and BYE (RFC 3261 13.2.2.4)",
);

impl Acknowledging {
    pub fn sender(self) -> Sender {
        Sender::Ack { invite: self.invite, session: self.session }
    }
}

impl Agent {
    /// ACK of the 2xx that waits for the host.
    pub fn ack(&mut self, now: Now, id: SessionId, options: &RequestOptions<'_>) -> Result<()> {
        self.at(now);
        let session = self.session(id)?;
        let tag: Box<[u8]> = session.remote_tag().into();
        let body = options.body.map(Body::checked).transpose()?;
        let description = body.as_ref().and_then(StoredBody::of_local);
        let invite = session.ack_guard(description.is_some())?;
        self.acknowledge_with(invite, Some(id), &tag, None, options)?;
        self.input(id, |session, _| session.ack_sent(description));
        Ok(())
    }

    /// Sends the ACK of a 2xx and keeps it for the repeats. The dialog is the session's, an orphaned re-INVITE's, or
    /// made from the response.
    pub(in crate::agent) fn acknowledge(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        response: &Arc<Message>,
    ) {
        let tag = response.to_tag().unwrap_or_default();
        self.acknowledge_plainly(id, session, tag, Some(response));
    }

    /// The ACK that the library sends; without a way that is told.
    pub(in crate::agent) fn acknowledge_plainly(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        response: Option<&Message>,
    ) {
        if self.acknowledge_with(id, session, tag, response, &RequestOptions::default()).is_err() {
            self.objects.keep_ack(id, tag, AckCourse::Never);
            self.ack_failed(session);
        }
    }

    pub(in crate::agent) fn acknowledge_with(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        response: Option<&Message>,
        options: &RequestOptions<'_>,
    ) -> Result<()> {
        let of = Acknowledging { invite: id, session };
        let dialog = self.dialog_of_ack(of, response)?;
        let request = self.outgoing(id)?.message().ok_or_else(|| Error::state("not sent yet"))?;
        let mut draft = self.draft_in_dialog(&dialog, (Method::Ack, b"ACK"), request.cseq_number(), options)?;
        if !draft.credentials_by_host {
            draft.credentials = credentials_of(&request);
        }
        if let Some(question) = self.send_drafted_ack(of, tag, &draft, &dialog, response)? {
            self.ask_for_drafted_ack(of, tag, Box::new(draft), question);
        }
        Ok(())
    }

    /// The dialog that the ACK of a 2xx goes in.
    pub(in crate::agent) fn dialog_of_ack(&self, of: Acknowledging, response: Option<&Message>) -> Result<Dialog> {
        let outgoing = self.outgoing(of.invite)?;
        let live = of.session.and_then(|id| self.objects.sessions.get(id)).map(Session::dialog);
        let orphaned = outgoing.invite().and_then(|invite| invite.orphaned.as_deref());
        match (live.or(orphaned), response) {
            (Some(dialog), _) => Ok(dialog.clone()),
            (None, Some(response)) => {
                let request = outgoing.message().ok_or_else(|| Error::state("not sent yet"))?;
                self.dialog_of(outgoing, &request, response)
            }
            (None, None) => Err(Error::state("no dialog to acknowledge in")),
        }
    }

    /// Where the ACK of a 2xx goes, and whether by the connection that the dialog's messages came on.
    pub(in crate::agent) fn way_of_ack(
        &self,
        of: Acknowledging,
        dialog: &Dialog,
        response: Option<&Message>,
        (next_hop, sips): (&[u8], bool),
    ) -> Result<(Located<'_>, bool)> {
        let outgoing = self.outgoing(of.invite)?;
        let known = of.session.and_then(|id| self.objects.sessions.get(id));
        let stranger = response.filter(|_| known.is_none());
        let connection = stranger.and_then(|response| connection_of(response, dialog));
        let is_there = |flow: &&Flow| known.is_none_or(|session| !session.has_lost(flow));
        let fixed = outgoing.fixed_flow.as_ref().filter(is_there);
        let fixed = known.and_then(Session::way).or(fixed).or(connection);
        let came = known.and_then(Session::came_by).or(stranger.and_then(came_by));
        let resolved = known.map_or(outgoing.resolved.as_deref(), Session::resolved);
        let by_connection = match known {
            Some(session) => session.goes_by_connection(),
            None => outgoing.fixed_flow.is_none() && connection.is_some(),
        };
        Ok((self.locate(next_hop, dialog.secure || sips, fixed, came, resolved)?, by_connection))
    }

    /// Sends a drafted ACK, or gives the name that somebody must look up first.
    pub(in crate::agent) fn send_drafted_ack(
        &mut self,
        of: Acknowledging,
        tag: &[u8],
        draft: &Draft,
        dialog: &Dialog,
        response: Option<&Message>,
    ) -> Result<Option<Question>> {
        match self.way_of_ack(of, dialog, response, (&draft.next_hop, draft.is_sips()))? {
            (Located::At(hop), by_connection) => self.send_ack(of, tag, draft, hop, None, by_connection)?,
            (Located::Known(resolved), _) => {
                let resolved = resolved.clone();
                self.send_ack_by_name(of, tag, draft, resolved)?;
            }
            (Located::Ask(question), _) => return Ok(Some(question)),
        }
        Ok(None)
    }

    /// Asks where a drafted ACK goes.
    pub(in crate::agent) fn ask_for_drafted_ack(
        &mut self,
        of: Acknowledging,
        tag: &[u8],
        draft: Box<Draft>,
        question: Question,
    ) {
        let next_hop = draft.next_hop.clone();
        self.objects.keep_ack(of.invite, tag, AckCourse::Drafted(draft));
        self.ask_for_ack(of, tag, next_hop, question);
    }

    /// A 2xx that no session is made for: ACK, and with `bye` BYE (§13.2.2.4).
    pub(in crate::agent) fn acknowledge_stranger(
        &mut self,
        id: OutgoingId,
        response: &Arc<Message>,
        bye: Option<LocalSequence>,
    ) {
        self.acknowledge(id, None, response);
        if let Some(numbers) = bye {
            let winner = self.objects.outgoing.get(id).and_then(Outgoing::invite).and_then(|invite| invite.winner);
            self.act(winner, STRANGER, response.status(), Some(response));
            self.bye_to_stranger(id, response, numbers);
        }
    }

    pub(in crate::agent) fn bye_to_stranger(
        &mut self,
        id: OutgoingId,
        response: &Arc<Message>,
        mut numbers: LocalSequence,
    ) {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        let (fixed_flow, request, resolved) = (outgoing.fixed_flow, outgoing.message(), outgoing.resolved.clone());
        let inherited = outgoing.auth.as_deref().map(Authentication::inherited);
        let Some(request) = request else { return };
        let Ok(dialog) = self.dialog_of(outgoing, &request, response) else { return };
        let number = numbers.take();
        let options = RequestOptions::default();
        if let Ok(draft) = self.draft_in_dialog(&dialog, (Method::Bye, b"BYE"), number, &options) {
            let mut outgoing = Outgoing::new(Method::Bye, Kind::Other, draft);
            outgoing.silent = true;
            outgoing.fixed_flow = fixed_flow.or(connection_of(response, &dialog).copied());
            outgoing.came_by = came_by(response);
            outgoing.auth = inherited;
            let resolved = resolved.filter(|known| outgoing.draft().is_some_and(|draft| known.serves(&draft.next_hop)));
            match (self.objects.add_outgoing(outgoing), resolved) {
                (Ok(bye), Some(resolved)) => self.send_to_first(bye, resolved),
                (Ok(bye), None) => self.launch(bye),
                (Err(_), _) => {}
            }
        }
    }

    pub(in crate::agent) fn send_ack_by_name(
        &mut self,
        of: Acknowledging,
        tag: &[u8],
        draft: &Draft,
        resolved: Resolved,
    ) -> Result<()> {
        let hop = resolved.hop().ok_or_else(|| Error::state("no target"))?;
        self.send_ack(of, tag, draft, hop, Some(Box::new(resolved)), false)
    }

    /// Sends what has no transaction, and keeps it for the repeats.
    pub(in crate::agent) fn send_ack(
        &mut self,
        of: Acknowledging,
        tag: &[u8],
        draft: &Draft,
        hop: Hop,
        resolved: Option<Box<Resolved>>,
        by_connection: bool,
    ) -> Result<()> {
        let branch = self.token(b"z9hG4bK", 12);
        let local = self.transports.of_flow(&hop.flow)?;
        let mut out = Vec::with_capacity(512);
        draft.write(&mut out, &self.transports, local, &branch);
        let (mut local, mut hop, mut datagram) = (local, hop, None);
        if let Some((tcp, instead)) = self.tcp_instead(draft, local, &hop.flow, out.len()) {
            out.clear();
            draft.write(&mut out, &self.transports, tcp, &branch);
            datagram = Some(Box::new(std::mem::replace(&mut hop, instead)));
            local = tcp;
        }
        if !draft.credentials.is_empty() && self.goes_elsewhere(of.invite, &hop.flow) {
            out = header::without(&out, HeaderId::ProxyAuthorization);
        }
        let (bytes, hop) = (Bytes::from(out), local.hop(hop));
        let transmit = self.outbox.transmit(of.sender(), &bytes, &hop.flow, hop.host.as_ref());
        let left = resolved.as_ref().map_or(0, |resolved| resolved.others());
        let sent = SentAck { bytes, hop, resolved, left, by_connection, datagram, transmit, repeats: 0 };
        self.objects.keep_ack(of.invite, tag, AckCourse::Sent(sent));
        Ok(())
    }

    /// Whether an ACK goes elsewhere than its INVITE: not by the proxies that asked for credentials then, which are
    /// nobody else's to read.
    pub(in crate::agent) fn goes_elsewhere(&self, invite: OutgoingId, flow: &Flow) -> bool {
        let sent = self.objects.outgoing.get(invite).and_then(Outgoing::last_sent);
        sent.is_some_and(|sent| !sent.hop.flow.ends_with(flow))
    }

    /// An ACK could not be sent.
    pub(in crate::agent) fn ack_failed(&mut self, session: Option<SessionId>) {
        self.act(session, ACK_LOST, 0, None);
        self.tell(Event { session, reason: Reason::Transport, ..Event::new(EventKind::TransportError) });
    }
}

/// The way in a dialog that no session has, as a session has it: the connection, unless there is a route set.
fn connection_of<'a>(response: &'a Message, dialog: &Dialog) -> Option<&'a Flow> {
    response.flow().filter(|flow| flow.transport != Transport::Udp && dialog.route_set.is_empty())
}

fn came_by(response: &Message) -> Option<Transport> {
    response.flow().map(|flow| flow.transport)
}

/// RFC 3261 §22.1: the ACK to a 2xx repeats the credentials of its INVITE; it cannot be challenged. Those of proxies go
/// where the INVITE went, and nowhere else.
fn credentials_of(invite: &Message) -> Box<[u8]> {
    let mut out = Vec::new();
    for header in [HeaderId::Authorization, HeaderId::ProxyAuthorization] {
        for value in invite.fields(header) {
            write::header(&mut out, header, &[value]);
        }
    }
    out.into_boxed_slice()
}
