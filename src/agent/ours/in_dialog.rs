//! Requests of ours in a dialog: INFO, MESSAGE, OPTIONS, and what all of them need.

use crate::agent::options::RequestOptions;
use crate::agent::ours::outgoing::{Kind, Outgoing};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::write;
use crate::message::{HeaderId, Method};
use crate::time::Now;

impl Agent {
    /// INFO (RFC 6086).
    pub fn info(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let session = self.session(id)?;
        session.established(self.config.takes_early())?;
        for line in &options.headers {
            let (name, value) = write::split_header_line(line)?;
            if name.id() == HeaderId::InfoPackage && !session.peer().takes_info_package(value) {
                return Err(Error::state("Info-Package: the peer's Recv-Info does not list it (RFC 6086 4.2.1)"));
            }
        }
        let request = self.draft_for_session(id, (Method::Info, b"INFO"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// MESSAGE in the dialog (RFC 3428 §4).
    pub fn message(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.established(self.config.takes_early())?;
        let request = self.draft_for_session(id, (Method::Message, b"MESSAGE"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// OPTIONS in the dialog (RFC 3261 §11).
    pub fn options(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.established(true)?;
        let request = self.draft_for_session(id, (Method::Options, b"OPTIONS"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// Drafts a request in a session's dialog and takes its number; nothing is changed when it is refused.
    pub(in crate::agent) fn draft_for_session(
        &mut self,
        id: SessionId,
        method: (Method, &[u8]),
        kind: Kind,
        mut options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.table.room()?;
        let Some(session) = self.objects.holder(id) else { return Err(self.session(id).err().unwrap_or_else(over)) };
        let mut next = session.dialog().local;
        next.room(method.0 == Method::Bye)?;
        let (draft, timed) = self.draft_in_session(Some(session), session.dialog(), method, next.take(), &options)?;
        let mut outgoing = Outgoing::new(method.0, kind, draft);
        outgoing.timed = timed;
        outgoing.session = Some(id);
        outgoing.flags = options.flags;
        outgoing.fixed_flow = options.flow;
        outgoing.attachment = std::mem::take(&mut options.attachment);
        if outgoing.attachment.user.is_none() {
            outgoing.attachment.user = session.attachment().user.clone();
        }
        let request = self.objects.add_outgoing(outgoing)?;
        if let Err(error) = self.find_way(request) {
            self.objects.outgoing.remove(request);
            return Err(error);
        }
        if let Some(session) = self.objects.holder_mut(id) {
            session.set_local_sequence(next);
            if matches!(method.0, Method::Invite | Method::Update) {
                session.set_session_terms(options.session_timer);
            }
        }
        self.give_credentials(id, &options);
        Ok(request)
    }
}

impl Agent {
    /// What the host gives with a request is its session's from then on.
    pub(in crate::agent) fn give_credentials(&mut self, id: SessionId, options: &RequestOptions<'_>) {
        if let (Some(session), false) = (self.objects.holder_mut(id), options.credentials.is_empty()) {
            session.give_credentials(options.credentials.as_slice().into());
        }
    }
}

fn over() -> Error {
    Error::state("the session is over")
}
