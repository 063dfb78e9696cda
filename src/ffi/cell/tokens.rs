//! The tokens of an agent's objects: the core's ids, counted on from tenant to tenant of the place.

use super::Inner;
use crate::agent::{IncomingId, OutgoingId, SessionId};
use crate::error::Result;
use crate::ffi::handle::{Kind, core_id, object_token, parts};

impl Inner {
    fn give(&mut self, kind: Kind, raw: u64) -> u64 {
        let generation = parts(raw).1.saturating_add(self.base);
        self.highest = self.highest.max(generation);
        object_token(kind, self.slot, self.base, raw)
    }

    /// The token of a session.
    pub(crate) fn session_token(&mut self, id: SessionId) -> u64 {
        self.give(Kind::Session, id.raw())
    }

    /// The token of a request of the peer.
    pub(crate) fn incoming_token(&mut self, id: IncomingId) -> u64 {
        self.give(Kind::Incoming, id.raw())
    }

    /// The token of a request of ours.
    pub(crate) fn outgoing_token(&mut self, id: OutgoingId) -> u64 {
        self.give(Kind::Outgoing, id.raw())
    }

    /// The session of a token that [`handle::find`] brought here.
    pub(crate) fn session_id(&self, token: u64) -> Result<SessionId> {
        core_id(token, self.base).map(SessionId::from_raw)
    }

    /// The request of the peer of a token that [`handle::find`] brought here.
    pub(crate) fn incoming_id(&self, token: u64) -> Result<IncomingId> {
        core_id(token, self.base).map(IncomingId::from_raw)
    }

    /// The request of ours of a token that [`handle::find`] brought here.
    pub(crate) fn outgoing_id(&self, token: u64) -> Result<OutgoingId> {
        core_id(token, self.base).map(OutgoingId::from_raw)
    }
}
