//! What a host does by hand, as the functions of the C ABI do it.

use sipdlg::agent::{Agent, Body, SessionId};
use sipdlg::error::Result;
use sipdlg::session::Session;
use sipdlg::session::offer_answer::{Party, StoredBody};
use sipdlg::time::Now;

pub trait ByHand {
    fn confirm_session(&mut self, now: Now, id: SessionId) -> Result<()>;
    fn reconfirm_session(&mut self, now: Now, id: SessionId) -> Result<()>;
    fn rollback(&mut self, now: Now, id: SessionId) -> Result<()>;
    fn transition(&mut self, now: Now, id: SessionId, party: Party, body: Option<Body<'_>>) -> Result<()>;
    fn set_defer_ack(&mut self, now: Now, id: SessionId, on: bool) -> Result<()>;
    fn ack_processed(&mut self, now: Now, id: SessionId) -> Result<bool>;
}

impl ByHand for Agent {
    fn confirm_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.by_hand(now, id, Session::confirm)
    }

    fn reconfirm_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.by_hand(now, id, Session::reconfirm)
    }

    fn rollback(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.by_hand(now, id, Session::rollback)
    }

    fn transition(&mut self, now: Now, id: SessionId, party: Party, body: Option<Body<'_>>) -> Result<()> {
        let body = body.map(Body::checked).transpose()?;
        let description = body.as_ref().and_then(StoredBody::of_local);
        self.by_hand(now, id, |session| session.transition(party, description))
    }

    fn set_defer_ack(&mut self, now: Now, id: SessionId, on: bool) -> Result<()> {
        self.by_hand(now, id, |session| session.set_defer_ack(on))
    }

    fn ack_processed(&mut self, now: Now, id: SessionId) -> Result<bool> {
        self.by_hand(now, id, Session::ack_processed)
    }
}
