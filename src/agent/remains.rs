//! What remains of a session that has said TERMINATED: its dialog, while subscriptions of REFERs live in it (RFC 5057 §5.5,
//! RFC 5407 §3.3.3). The session's token has ended; nothing but NOTIFY and SUBSCRIBE passes here.

use crate::agent::{Agent, IncomingId, SessionId};
use crate::error::Result;
use crate::session::Session;
use crate::session::refer::Referrals;

impl Agent {
    /// The living session of a request of the peer; of an INVITE the one that was made for it. A REFER may outlive it.
    pub fn session_of_incoming(&self, id: IncomingId) -> Result<Option<SessionId>> {
        Ok(self.incoming(id)?.session.filter(|session| self.sessions.get(*session).is_some()))
    }

    /// The dialog of a session, also after its end.
    pub(super) fn dialog_holder(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id).or_else(|| self.remains.get(&id.raw()).map(|remains| &**remains))
    }

    /// The same, to be changed.
    pub(super) fn dialog_holder_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        match self.sessions.get_mut(id) {
            Some(session) => Some(session),
            None => self.remains.get_mut(&id.raw()).map(|remains| &mut **remains),
        }
    }

    /// What a dialog knows of REFERs.
    pub(super) fn referrals(&self, id: SessionId) -> Option<&Referrals> {
        self.dialog_holder(id)?.referrals()
    }

    /// The same, made where there is none yet.
    pub(super) fn referrals_mut(&mut self, id: SessionId) -> Option<&mut Referrals> {
        self.dialog_holder_mut(id).map(Session::referrals_mut)
    }

    /// Whether subscriptions need the dialog.
    pub(super) fn is_referring(&self, id: SessionId) -> bool {
        self.dialog_holder(id).is_some_and(Session::is_referring)
    }

    /// TERMINATED was delivered.
    pub(super) fn remove_session(&mut self, id: SessionId) {
        let referring = self.is_referring(id);
        let Some(mut session) = self.sessions.remove(id) else { return };
        if referring {
            if self.remains.len() < self.config.limits.sessions {
                session.forget_descriptions();
                self.remains.insert(id.raw(), Box::new(session));
                return;
            }
            // No room: as if the peer's dialog had gone.
            self.remains.insert(id.raw(), Box::new(session));
            self.forget_dialog(id);
            self.end_referrals(id);
            self.remains.remove(&id.raw());
        }
    }

    /// Lets go of a dialog whose session is over and that no subscription needs any more.
    pub(super) fn let_dialog_go(&mut self, id: SessionId) {
        if self.is_referring(id) {
            return;
        }
        if self.dialog_holder(id).is_some_and(Session::is_gone) {
            self.forget_dialog(id);
            self.remains.remove(&id.raw());
        }
    }

    /// No message finds the dialog any more.
    pub(super) fn forget_dialog(&mut self, id: SessionId) {
        let Some(key) = self.dialog_holder(id).map(|holder| holder.key(self.dialog_keys)) else { return };
        self.dialogs.remove(&key);
        if self.dialogs.capacity() > 1_024 && self.dialogs.len() < self.dialogs.capacity() / 8 {
            self.dialogs.shrink_to(self.dialogs.len() * 2);
        }
    }
}
