//! ACK of every 2xx to our INVITEs, kept for its repeats (RFC 3261 §13.2.2.4).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::authentication::Authentication;
use crate::agent::ours::draft::Draft;
use crate::agent::ours::launch::sender_of;
use crate::agent::ours::outgoing::{Kind, Outgoing};
use crate::agent::wire::resolve::Located;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::dialog::Dialog;
use crate::dialog::id::is_same_tag;
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use crate::message::{HeaderId, Message, Method, write};
use crate::session::Session;
use crate::session::offer_answer::StoredBody;
use crate::time::Now;
use std::sync::Arc;

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
            self.objects.keep_ack(id, tag, None);
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
        let outgoing = self.outgoing(id)?;
        let request = outgoing.message().ok_or_else(|| Error::state("not sent yet"))?;
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        let live = session.and_then(|id| self.objects.sessions.get(id)).map(|session| session.dialog().clone());
        let orphaned = outgoing.invite().and_then(|invite| invite.orphaned.as_deref().cloned());
        let dialog = match (live.or(orphaned), response) {
            (Some(dialog), _) => dialog,
            (None, Some(response)) => Dialog::of_caller(&request, response, secure)?,
            (None, None) => return Err(Error::state("no dialog to acknowledge in")),
        };
        let mut draft = self.draft_in_dialog(&dialog, (Method::Ack, b"ACK"), request.cseq_number(), options)?;
        if !draft.credentials_by_host {
            draft.credentials = credentials_of(&request);
        }
        let known = session.and_then(|id| self.objects.sessions.get(id));
        let stranger = response.filter(|_| known.is_none());
        let connection = stranger.and_then(|response| connection_of(response, &dialog));
        let fixed = known.and_then(|session| session.way()).or(outgoing.fixed_flow.as_ref()).or(connection);
        let came = known.and_then(|session| session.came_by()).or(stranger.and_then(came_by));
        let way = self.locate(&draft.next_hop, fixed, came, known.and_then(|session| session.resolved()));
        match way? {
            Located::At(flow) => self.send_kept_ack(id, session, tag, &draft, &flow),
            Located::Ask(question) => {
                self.objects.keep_ack(id, tag, None);
                self.ask_for_ack(id, session, tag, draft, question);
                Ok(())
            }
        }
    }

    /// A 2xx that no session is made for: ACK, and with `bye` BYE (§13.2.2.4).
    pub(in crate::agent) fn acknowledge_stranger(&mut self, id: OutgoingId, response: &Arc<Message>, bye: bool) {
        self.acknowledge(id, None, response);
        let Some(outgoing) = self.objects.outgoing.get(id).filter(|_| bye) else { return };
        let secure = outgoing.invite().is_some_and(|invite| invite.secure);
        let (fixed_flow, request) = (outgoing.fixed_flow, outgoing.message());
        let inherited = outgoing.auth.as_deref().map(Authentication::inherited);
        let Some(request) = request else { return };
        let Ok(mut dialog) = Dialog::of_caller(&request, response, secure) else { return };
        let number = dialog.local.take();
        let options = RequestOptions::default();
        if let Ok(draft) = self.draft_in_dialog(&dialog, (Method::Bye, b"BYE"), number, &options) {
            let mut outgoing = Outgoing::new(Method::Bye, Kind::Other, draft);
            outgoing.silent = true;
            outgoing.fixed_flow = fixed_flow.or(connection_of(response, &dialog).copied());
            outgoing.came_by = came_by(response);
            outgoing.auth = inherited;
            if let Ok(bye) = self.objects.add_outgoing(outgoing) {
                self.launch(bye);
            }
        }
    }

    pub(in crate::agent) fn send_kept_ack(
        &mut self,
        id: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        draft: &Draft,
        flow: &Flow,
    ) -> Result<()> {
        let sent = self.send_ack(session, draft, flow)?;
        self.objects.keep_ack(id, tag, Some(sent));
        Ok(())
    }

    /// Whether this 2xx was seen before: its ACK goes out again, or is still the host's to send.
    pub(in crate::agent) fn repeat_ack(&mut self, id: OutgoingId, response: &Message) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return true };
        let Some(invite) = outgoing.invite() else { return true };
        let tag = response.to_tag().unwrap_or_default();
        if let Some(kept) = invite.acks.iter().find(|kept| is_same_tag(&kept.to_tag, tag)) {
            let session = invite.winner.or(outgoing.session);
            if let Some((bytes, flow)) = kept.sent.clone() {
                self.outbox.retransmissions_sent += 1;
                self.outbox.transmit(sender_of(session), &bytes, &flow);
            }
            return true;
        }
        let owes = |session: &Session| {
            is_same_tag(session.remote_tag(), tag) && session.owed_ack().is_some_and(|owed| owed.outgoing == id)
        };
        let sessions = invite.sessions.iter().copied().chain(outgoing.session);
        sessions.filter_map(|id| self.objects.sessions.get(id)).any(owes)
    }

    /// An ACK could not be sent.
    pub(in crate::agent) fn ack_failed(&mut self, session: Option<SessionId>) {
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

/// RFC 3261 §22.1: the ACK to a 2xx repeats the credentials of its INVITE; it cannot be challenged.
fn credentials_of(invite: &Message) -> Box<[u8]> {
    let mut out = Vec::new();
    for header in [HeaderId::Authorization, HeaderId::ProxyAuthorization] {
        for value in invite.fields(header) {
            write::header(&mut out, header, &[value]);
        }
    }
    out.into_boxed_slice()
}
