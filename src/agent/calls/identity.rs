//! Connected identity (RFC 4916): the caller is told by UPDATE who answered; the rules are in `session/identity`.

use crate::agent::options::RequestOptions;
use crate::agent::{Agent, SessionId};
use crate::config::NOBODY;
use crate::dialog::id::AddressText;
use crate::message::{HeaderId, Message, NameAddr};
use crate::session::Session;
use crate::session::change::By;

impl Agent {
    /// The ACK of our 2xx is here: the caller that takes another identity is told ours, which is not the one that it
    /// called (RFC 4916 §4).
    pub(in crate::agent) fn tell_identity(&mut self, id: SessionId) {
        if !self.objects.sessions.get_mut(id).is_some_and(Session::identity_due) {
            return;
        }
        let Ok((aor, _)) = NameAddr::of_host(&self.config.aor) else { return };
        let Some(session) = self.objects.sessions.get_mut(id) else { return };
        let former = session.come_from(AddressText { address: &self.config.aor, uri: aor.uri });
        let update = self.draft_change(By::Update, id, RequestOptions::default());
        if let Some(session) = self.objects.sessions.get_mut(id) {
            // It is ours when the caller has accepted it.
            session.go_by(former);
        }
        // Without room or way the call goes on as it is.
        let Ok(update) = update else { return };
        if let Some(outgoing) = self.objects.outgoing.get_mut(update) {
            outgoing.silent = true;
            if let Some(draft) = outgoing.draft_mut() {
                draft.tells_identity = true;
            }
        }
        self.input(id, |session, _| session.our_change_sent(By::Update, update, None));
        self.launch(update);
    }

    /// Whether a caller is to be told who answered: it takes another identity than the one that it called, and we have
    /// one (RFC 4916 §4).
    pub(in crate::agent) fn owes_identity(&self, invite: &Message) -> bool {
        let own = || NameAddr::of_host(&self.config.aor).is_ok_and(|(aor, _)| Some(aor.uri) != invite.to_uri());
        self.config.connected_identity
            && self.config.aor != NOBODY
            && invite.has_token(HeaderId::Supported, b"from-change")
            && own()
    }
}
