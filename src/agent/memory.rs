//! What the agent holds for its peers, and what it takes on no more when that is enough.

use crate::agent::Agent;
use crate::agent::fault::{Counter, Fault};
use crate::held;
use crate::message::{Message, Method};

/// Of a full agent the dialogs that stand may hold a quarter more, so that a flood of calls does not stop them.
const RESERVE: usize = 4;
/// What is held is reckoned at least when it may have grown by this part of the limit.
const STEPS: usize = 64;
/// More than what a message makes an agent hold, in message lengths.
const TIMES: usize = 16;

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

    /// What is held; `None`: so few bytes came and went since it was reckoned last that there is room, for no message
    /// makes anyone hold that many times its length.
    fn reckoned(&mut self, limit: usize, always: bool) -> Option<usize> {
        let since = self.outbox.passed.saturating_sub(self.reckoned_at);
        let doubtful = since >= self.unreckoned || self.half_messages > limit / STEPS;
        debug_assert!(self.objects.sessions.len() > 32 || self.held() == self.held_now(), "the books are wrong");
        if !doubtful && !always {
            debug_assert!(self.held() < limit, "a message made more than it may");
            return None;
        }
        let held = self.held();
        self.reckoned_at = self.outbox.passed;
        self.unreckoned = (limit.saturating_sub(held).min(limit / STEPS) / TIMES) as u64;
        Some(held)
    }

    /// Whether a new request of the peer's may be held: a call while there is room in all, and in the share of who
    /// sends it; a request in a dialog from the reserve too. BYE, ACK and CANCEL free more than they take.
    pub(super) fn memory_for(&mut self, request: &Message) -> Result<(), Fault> {
        if matches!(request.method(), Method::Bye | Method::Ack | Method::Cancel) {
            return Ok(());
        }
        let limits = self.config.limits;
        let reserve = |bytes: usize| if request.to_tag().is_some() { bytes / RESERVE } else { 0 };
        let fits = |held: usize, limit: usize| held < limit.saturating_add(reserve(limit));
        let Some(held) = self.reckoned(limits.memory_bytes, limits.address_bytes > 0) else { return Ok(()) };
        if !fits(held, limits.memory_bytes) {
            return Err(Fault::new(Counter::Memory, "", "the bound in bytes is reached (RFC 3261 §21.5.4)"));
        }
        if limits.address_bytes == 0 {
            return Ok(());
        }
        let Some(peer) = request.flow().and_then(|flow| flow.remote) else { return Ok(()) };
        let share = self.objects.share(peer.ip()) + self.table.share(peer.ip());
        if fits(share, limits.address_bytes) {
            return Ok(());
        }
        Err(Fault::new(Counter::Memory, "", "the bound in bytes of one address is reached (RFC 3261 §21.5.4)"))
    }
}
