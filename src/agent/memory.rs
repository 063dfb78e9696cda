//! What the agent holds for its peers, and what it takes on no more when that is enough.

use crate::agent::Agent;
use crate::agent::fault::{Counter, Fault};
use crate::held;
use crate::message::{Message, Method};

/// Of a full agent the dialogs that stand may hold a quarter more, so that a flood of calls does not stop them.
const RESERVE: usize = 4;
/// What is held is reckoned at least when it may have grown by this part of the limit.
const STEPS: usize = 64;
/// A BYE, ACK or CANCEL of at most so many bytes takes less than what the end of its call gives back.
const SHORT: usize = 4_096;
/// More than what a message makes an agent hold, in message lengths.
const TIMES: usize = 16;

impl Agent {
    /// The bytes of its objects, tables and queues.
    pub(super) fn held(&mut self) -> usize {
        self.objects.held() + self.own_bytes()
    }

    /// The same, of an agent that stays as it is.
    pub(super) fn would_hold(&self) -> usize {
        self.objects.would_hold() + self.own_bytes()
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
            + self.keep_alives.bytes()
            + self.left_responses.bytes()
            + self.nonces.as_ref().map_or(0, |nonces| nonces.bytes())
            + self.admission.as_ref().map_or(0, |admission| admission.bytes())
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
    /// sends it; a request in a dialog that is here from the reserve too. A short BYE, ACK or CANCEL of a call frees more
    /// than it takes.
    pub(super) fn memory_for(&mut self, request: &Message) -> Result<(), Fault> {
        let limits = self.config.limits;
        let Some(held) = self.reckoned(limits.memory_bytes, limits.address_bytes > 0) else { return Ok(()) };
        let dialog = self.objects.dialog_of(request);
        let frees = match request.method() {
            Method::Bye | Method::Ack => dialog.is_some_and(|dialog| self.objects.lives(dialog)),
            Method::Cancel => self.table.find_cancelled(request).is_some(),
            _ => false,
        };
        if frees && request.bytes().len() <= SHORT {
            return Ok(());
        }
        let reserve = |bytes: usize| if frees || dialog.is_some() { bytes / RESERVE } else { 0 };
        let fits = |held: usize, limit: usize| held < limit.saturating_add(reserve(limit));
        if !fits(held, limits.memory_bytes) {
            return Err(Fault::new(Counter::Memory, "", "the bound in bytes is reached (RFC 3261 21.5.4)"));
        }
        if limits.address_bytes == 0 {
            return Ok(());
        }
        let Some(peer) = request.flow().and_then(|flow| flow.remote) else { return Ok(()) };
        let share = self.objects.share(peer.ip()) + self.table.share(peer.ip());
        if fits(share, limits.address_bytes) {
            return Ok(());
        }
        Err(Fault::new(Counter::Memory, "", "the bound in bytes of one address is reached (RFC 3261 21.5.4)"))
    }

    /// Whether another dialog of an INVITE of ours may be held: the first is the host's own call, the others the peer's
    /// doing.
    pub(super) fn memory_for_fork(&mut self) -> bool {
        let limit = self.config.limits.memory_bytes;
        self.reckoned(limit, false).is_none_or(|held| held < limit)
    }

    /// Whether a stream may keep half a message of so many bytes: those on which no dialog goes get no more than a part
    /// together, and that is always one message.
    pub(super) fn memory_for_half(&self, link: u64, bytes: usize) -> bool {
        let limits = self.config.limits;
        let most = (limits.memory_bytes / RESERVE).max(2 * limits.message_bytes);
        self.half_messages.saturating_add(bytes) <= most || self.objects.is_on_link(link)
    }
}
