//! What the objects of an agent hold.

use super::Objects;
use crate::held;
use crate::shrink::Shrink;
use std::net::IpAddr;

impl Objects {
    /// What the objects hold.
    pub fn held(&mut self) -> usize {
        let slots = self.sessions.ledger().total() + self.incoming.ledger().total() + self.outgoing.ledger().total();
        slots + self.remains.held()
    }

    /// The same, which leaves all as it is.
    pub fn would_hold(&self) -> usize {
        let slots = self.sessions.would_hold() + self.incoming.would_hold() + self.outgoing.would_hold();
        slots + self.remains.would_hold()
    }

    /// The same, reckoned anew.
    pub fn bytes(&self) -> usize {
        self.sessions.bytes() + self.incoming.bytes() + self.outgoing.bytes() + self.remains.bytes()
    }

    /// What they hold for a peer.
    pub fn share(&mut self, peer: IpAddr) -> usize {
        self.sessions.ledger().share(peer) + self.incoming.ledger().share(peer)
    }

    /// From now on shares of peers are known. Before the first object.
    pub fn with_shares(&mut self) {
        self.sessions.with_shares();
        self.incoming.with_shares();
    }

    /// The tables themselves.
    pub fn own_bytes(&self) -> usize {
        self.sessions.own_bytes()
            + self.incoming.own_bytes()
            + self.outgoing.own_bytes()
            + self.remains.own_bytes()
            + held::table(&self.dialogs)
            + self.places.bytes()
    }

    /// Gives back the room that nothing needs now.
    pub fn trim(&mut self) {
        self.sessions.trim();
        self.incoming.trim();
        self.outgoing.trim();
        self.remains.trim();
        self.dialogs.fit();
        self.places.trim();
    }
}
