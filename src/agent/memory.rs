//! What the agent holds for its peers, and what it takes on no more when that is enough.

use crate::agent::Agent;
use crate::held;
use crate::message::{Message, Method};

/// Of a full agent the dialogs that stand may hold a quarter more, so that a flood of calls does not stop them.
const RESERVE: usize = 4;

impl Agent {
    /// The bytes of its objects, tables and queues.
    pub(super) fn held(&mut self) -> usize {
        self.objects.held() + self.own_bytes()
    }

    /// The same, reckoned anew from every object.
    pub(super) fn held_now(&self) -> usize {
        self.objects.bytes() + self.own_bytes()
    }

    fn own_bytes(&self) -> usize {
        self.objects.own_bytes()
            + self.table.bytes()
            + self.wheel.bytes()
            + self.outbox.bytes()
            + self.queries.bytes()
            + self.left_responses.bytes()
            + self.nonces.as_ref().map_or(0, |nonces| nonces.bytes())
            + held::table(&self.streams)
            + self.half_messages
            + self.scratch.capacity()
    }

    /// Whether a new request of the peer's may be held: a call while there is room in all, and in the share of who
    /// sends it; a request in a dialog from the reserve too. BYE, ACK and CANCEL free more than they take.
    pub(super) fn has_memory_for(&mut self, request: &Message) -> bool {
        if matches!(request.method(), Method::Bye | Method::Ack | Method::Cancel) {
            return true;
        }
        let limits = self.config.limits;
        let reserve = |bytes: usize| if request.to_tag().is_some() { bytes / RESERVE } else { 0 };
        debug_assert!(self.objects.sessions.len() > 32 || self.held() == self.held_now(), "the books are wrong");
        let fits = |held: usize, limit: usize| held < limit.saturating_add(reserve(limit));
        if !fits(self.held(), limits.memory_bytes) {
            return false;
        }
        if limits.address_bytes == 0 {
            return true;
        }
        let Some(peer) = request.flow().and_then(|flow| flow.remote) else { return true };
        let share = self.objects.share(peer.ip()) + self.table.share(peer.ip());
        fits(share, limits.address_bytes)
    }
}
