//! UPDATE (RFC 3311), ours and the peer's; the rules are in `session/update`.

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::fault::{Counter, Fault};
use crate::agent::options::{Body, RequestOptions, ResponseOptions};
use crate::agent::ours::outgoing::Outgoing;
use crate::agent::theirs::incoming::Kind as IncomingKind;
use crate::agent::words::response::{Answer, retry_after_line, wants_recv_info};
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::change::By;
use crate::session::offer_answer::StoredBody;
use crate::session::reinvite::Arrival;
use crate::session::update::Updated;
use crate::time::Now;
use std::sync::Arc;

const GLARE: Fault = Fault::new(Counter::State, "CSeq", "an offer or answer of ours is due (RFC 3311 5.2)");
const OVERLAP: Fault =
    Fault::new(Counter::State, "CSeq", "the UPDATE or offer before it is not answered (RFC 3311 5.2)");

impl Agent {
    /// UPDATE in a dialog, early or not (§5.1).
    pub fn update(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let body = options.body.map(Body::checked).transpose()?;
        let offer = body.as_ref().and_then(StoredBody::of_local);
        self.change(By::Update, id, offer, options)
    }

    /// What the final response to a request of ours, or none, means where it is an UPDATE: the reason of its ACCEPT.
    pub(in crate::agent) fn update_done(
        &mut self,
        id: OutgoingId,
        status: u16,
        response: Option<&Arc<Message>>,
    ) -> Reason {
        let update = self.objects.outgoing.get(id).filter(|outgoing| outgoing.changes() == Some(By::Update));
        let Some(session) = update.and_then(|update| update.session) else { return Reason::None };
        let sent = update.filter(|_| self.config.connected_identity && status < 300).and_then(Outgoing::message);
        // RFC 5057 §5.5: NOTIFYs may still follow in the dialog when the call has ended.
        if let (Some(sent), Some(session)) = (sent, self.objects.holder_mut(session)) {
            session.our_identity_taken(&sent);
        }
        match response.filter(|_| status < 300) {
            Some(response) => {
                let mut updated = Updated::Done;
                self.input(session, |session, _| {
                    let (deeds, outcome) = session.our_update_accepted(id, response);
                    updated = outcome;
                    deeds
                });
                self.session_timer_by(id, session, response);
                self.input(session, |session, _| session.refresh_over());
                if updated == Updated::Unanswered { Reason::NoAnswerIn2xx } else { Reason::None }
            }
            None => {
                let response = response.map(|response| &**response);
                self.input(session, |session, _| session.our_update_refused(id, status, response));
                Reason::None
            }
        }
    }

    /// An UPDATE in a dialog (§5.2).
    pub(in crate::agent) fn update_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.objects.sessions.get(id) else { return };
        match session.their_update_meets(request.session_body().is_some(), self.outside(session)) {
            Arrival::Pending => return self.refuse(&request, &Answer::plain(491), GLARE),
            Arrival::RetryLater => {
                let lines = retry_after_line(&mut self.random);
                return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(500) }, OVERLAP);
            }
            Arrival::Process => {}
        }
        let Some(incoming) = self.add_incoming(&request, IncomingKind::Update, Some(id)) else { return };
        self.input(id, |session, _| session.their_update_arrived(incoming, &request));
        self.tell(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Update)
        });
    }

    /// 2xx to an UPDATE: an offer in it is answered there (§5.2).
    pub(in crate::agent) fn accept_update(
        &mut self,
        id: IncomingId,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        let mut answer = Answer::of_host(status, options, true)?;
        let description = answer.body.as_ref().and_then(StoredBody::of_local);
        let incoming = self.incoming(id)?;
        let request = Arc::clone(incoming.message()?);
        let session = incoming.session.ok_or_else(|| Error::state("the session is over"))?;
        let description = self.session(session)?.accept_update_guard(id, description)?;
        answer.dialog = true;
        answer.abilities = true;
        let verdict = self.answer_session_timer(session, &request, &mut answer);
        answer.recv_info = wants_recv_info(&request);
        self.finish(id, answer, options.to_tag)?;
        self.input(session, |session, _| session.their_update_accepted(id, &request, description));
        self.session_timer_is(session, verdict);
        Ok(())
    }
}
