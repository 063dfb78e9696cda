//! What a session holds.

use super::{Phase, Running, Session};
use crate::held::{self, Held};
use crate::message::{Message, Method};
use crate::session::reason::Ending;
use std::sync::Arc;

impl Held for Session {
    fn held(&self) -> usize {
        let lasting = &self.lasting;
        let phase = match &lasting.phase {
            Phase::AckWait(Some(accepted)) => accepted.held(),
            Phase::Mortal(ending) | Phase::Due(ending) => ending.heap_bytes(false),
            Phase::Gone(ending) => ending.heap_bytes(true),
            Phase::Initial | Phase::Early | Phase::AckWait(None) | Phase::Confirmed => 0,
        };
        let accepted: usize = lasting.accepted.iter().map(|accepted| accepted.held()).sum();
        let credentials = lasting.credentials.as_ref().map_or(0, |known| {
            let texts: usize = known.asked.iter().map(|asked| asked.heap_bytes()).sum();
            size_of_val(&**known) + held::list(&known.asked) + texts
        });
        size_of::<Self>()
            + lasting.dialog.heap_bytes()
            + lasting.signaling.heap_bytes()
            + lasting.peer.heap_bytes()
            + phase
            + held::spilled(&lasting.accepted)
            + accepted
            + credentials
            + lasting.timer.as_ref().map_or(0, |timer| size_of_val(&**timer))
            + lasting.deferred_bye.as_ref().map_or(0, |bye| bye.held())
            + self.running.heap_bytes()
    }
}

impl Running {
    fn heap_bytes(&self) -> usize {
        let theirs = self.theirs.as_ref().map_or(0, |theirs| {
            let describing = [&theirs.reinvite, &theirs.prack, &theirs.update].into_iter().flatten();
            let carried = describing.map(|describing| describing.carries.heap_bytes()).sum::<usize>();
            size_of_val(&**theirs) + held::spilled(&theirs.refused) + carried
        });
        self.ours.as_ref().map_or(0, |ours| ours.held())
            + theirs
            + held::spilled(&self.pending)
            + self.reliable_client.as_ref().map_or(0, |client| client.held())
            + self.reliable_server.as_ref().map_or(0, |server| server.held())
            + self.fixed_flow.as_ref().map_or(0, |flow| size_of_val(&**flow))
            + self.connection.as_ref().map_or(0, |connection| size_of_val(&**connection))
            + self.resolved.as_ref().map_or(0, |resolved| resolved.held())
            + self.referrals.as_ref().map_or(0, |referrals| referrals.held())
            + self.acts.as_ref().map_or(0, |acts| acts.held())
    }
}

impl Ending {
    /// A BYE that ended the session is held with its answer until that is told.
    pub fn heap_bytes(&self, told: bool) -> usize {
        let own = |message: &&Arc<Message>| told || !message.is_request() || message.method() == Method::Cancel;
        self.message.as_ref().filter(own).map_or(0, |message| message.held())
    }
}
