//! re-INVITE and UPDATE of ours, whichever it is: the host's, and those by which the library brings both sides together
//! again. What the two have of their own is in `calls`.

use crate::agent::event::{Event, EventKind};
use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::outgoing::Kind;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::Result;
use crate::message::Method;
use crate::session::change::By;
use crate::session::explain::Why;
use crate::session::offer_answer::StoredBody;
use crate::session::reason::Reason;

const RESYNCED: Why =
    Why::new(Reason::SentAgain, "the description of before a failed re-INVITE was sent again (RFC 6141 3.4)");

impl Agent {
    /// A re-INVITE or UPDATE of the host's, with this offer: it goes out, or waits in the place of one that waits to be
    /// sent again.
    pub(in crate::agent) fn change(
        &mut self,
        by: By,
        id: SessionId,
        offer: Option<StoredBody>,
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.change_as(false, by, id, offer, options)
    }

    /// The same; `resync`: it is the library's own, of which the host hears nothing, and goes out when it may.
    fn change_as(
        &mut self,
        resync: bool,
        by: By,
        id: SessionId,
        offer: Option<StoredBody>,
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        let former = self.wait_for(by, id, options.flags)?;
        let behind = match self.waits_for_refresh(by, id, offer.is_some()) {
            _ if former.is_some() => false,
            Err(_) if resync && self.session(id)?.behind_refresh().is_none() => true,
            behind => behind?,
        };
        let number = self.session(id)?.dialog().local;
        let request = self.draft_change(by, id, options)?;
        if let Some(outgoing) = self.objects.outgoing.get_mut(request) {
            (outgoing.silent, outgoing.resync) = (resync, resync);
        }
        match former {
            Some(former) => {
                // It takes its number when it goes out.
                if let Some(session) = self.objects.sessions.get_mut(id) {
                    session.set_local_sequence(number);
                }
                self.take_over_wait(by, former, request, offer);
            }
            None if behind => {
                if let Some(session) = self.objects.sessions.get_mut(id) {
                    session.set_local_sequence(number);
                }
                self.wait_for_refresh(request, id, offer);
            }
            None => {
                self.input(id, |session, _| session.our_change_sent(by, request, offer));
                self.launch(request);
            }
        }
        Ok(request)
    }

    /// Drafts one and takes its number; nothing is changed when it is refused.
    pub(in crate::agent) fn draft_change(
        &mut self,
        by: By,
        id: SessionId,
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        let (method, kind) = match by {
            By::Update => ((Method::Update, &b"UPDATE"[..]), Kind::Update),
            By::Reinvite => ((Method::Invite, &b"INVITE"[..]), Kind::Reinvite(Box::default())),
        };
        self.draft_for_session(id, method, kind, options)
    }

    /// A re-INVITE of ours failed after something of it was executed: both sides come together by the description of
    /// before (RFC 6141 §3.4), which the host sends, or the library where it is to. `tried`: it was the library's that failed.
    pub(in crate::agent) fn resync(&mut self, id: SessionId, tried: bool) {
        let Some(session) = self.objects.sessions.get(id).filter(|session| !session.is_leaving()) else { return };
        let by = if session.peer().takes_update() { By::Update } else { By::Reinvite };
        let former = session.local_description().cloned().filter(|_| self.config.resync && !tried);
        let free = session.retries().next().is_none();
        self.tell(Event { session: Some(id), ..Event::new(EventKind::Resync) });
        let Some(former) = former.filter(|_| free) else { return };
        let options = RequestOptions { body: Some(Body::as_it_was(&former)), ..RequestOptions::default() };
        // Where it cannot go the host has to.
        if self.change_as(true, by, id, Some(former.clone()), options).is_ok() {
            self.act(Some(id), RESYNCED, 0, None);
        }
    }

    /// The session of our UPDATE, where that was to bring both sides together and, answered so, does not; and whether it
    /// was the library's.
    pub(in crate::agent) fn repairs_nothing(&self, id: OutgoingId, status: u16) -> Option<(SessionId, bool)> {
        let outgoing = self.objects.outgoing.get(id).filter(|_| status >= 200)?;
        let (session, tried) = (outgoing.session?, outgoing.resync);
        let fails =
            tried && status >= 300 || self.objects.sessions.get(session)?.our_update_repairs_nothing(id, status);
        fails.then_some((session, tried))
    }
}
