//! The 2xx to an INVITE of the peer's goes out (RFC 3261 §13.3.1.4); its life until the ACK is in `session/ack`.

use crate::agent::response::{Answer, wants_recv_info};
use crate::agent::stateless::reply_flow;
use crate::agent::{Agent, Bytes, IncomingId, SessionId};
use crate::error::{Error, Result};
use crate::session::ack::Sent2xx;
use crate::session::offer_answer::StoredBody;
use std::sync::Arc;

impl Agent {
    /// The 2xx to an INVITE or re-INVITE. It waits while a reliable response with a description is unacknowledged (RFC 3262
    /// §3). Changes nothing when refused.
    pub(super) fn send_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        mut answer: Answer<'_>,
        description: Option<StoredBody>,
        to_tag: Option<&[u8]>,
    ) -> Result<()> {
        let request = Arc::clone(self.incoming(id)?.message());
        answer.dialog = true;
        answer.abilities = true;
        answer.recv_info = wants_recv_info(&request);
        let description = self.session(session)?.accept_guard(&request, description)?;
        let (status, response) = (answer.status, self.write_response(&request, &answer, to_tag));
        if self.objects.sessions.get_mut(session).is_some_and(|session| session.hold_2xx(id, status, &response)) {
            self.acceptance_waits(id, session);
            return Ok(());
        }
        self.deliver_2xx(id, session, status, response, description)
    }

    /// The 2xx goes out, and is repeated until its ACK.
    pub(super) fn deliver_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        status: u16,
        response: Bytes,
        description: Option<StoredBody>,
    ) -> Result<()> {
        let incoming = self.incoming(id)?;
        let request = Arc::clone(incoming.message());
        let flow = reply_flow(&request).ok_or_else(|| Error::state("the request has no way back"))?;
        let transaction =
            incoming.transaction.ok_or_else(|| Error::state("the request has no transaction any more"))?;
        self.respond(transaction, status, Bytes::clone(&response))?;
        let sent = Sent2xx { incoming: id, request: &request, response, flow, description };
        self.input(session, |session, clock| session.accepted(sent, clock));
        self.answered_finally(id);
        self.forks_lost(id, session);
        self.note_state(session);
        self.end_replaced(id);
        Ok(())
    }

    /// The host has accepted; the 2xx waits for the PRACK of a description.
    fn acceptance_waits(&mut self, id: IncomingId, session: SessionId) {
        let answer = self.objects.incoming.get_mut(id).and_then(|incoming| {
            incoming.session = Some(session);
            incoming.answer.take()
        });
        self.stop(answer);
    }
}
