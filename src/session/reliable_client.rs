//! The caller's side of reliable provisional responses (RFC 3262 §4, §5): their order, those whose PRACK is the host's
//! to send, and the exchange of descriptions that they carry.

use crate::error::{Error, Result};
use crate::held;
use crate::message::rack::parse_rseq;
use crate::message::{HeaderId, Message, Method};
use crate::session::Session;
use crate::session::change::By;
use crate::session::deed::{Deed, Deeds};
use crate::session::offer_answer::{Carries, Part, Party, StoredBody};
use crate::slots::OutgoingId;
use smallvec::smallvec;

/// Reliable responses of one INVITE that may wait for their PRACK, or whose PRACK may wait for its answer. Beyond they
/// are not taken; the callee sends them again.
const OPEN: usize = 8;

/// The RSeq of a reliable provisional response to an INVITE (§3, §7.1). `None`: it is not one, whatever else it claims.
pub fn rseq_of(response: &Message) -> Option<u32> {
    if !(101..=199).contains(&response.status())
        || response.method() != Method::Invite
        || !response.has_token(HeaderId::Require, b"100rel")
    {
        return None;
    }
    parse_rseq(response.header(HeaderId::RSeq)?).ok().filter(|rseq| *rseq > 0)
}

/// Which response a PRACK acknowledges: what RAck says (§7.2). The method is INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// RSeq.
    pub rseq: u32,
    /// CSeq number of the INVITE.
    pub cseq: u32,
}

/// A reliable response whose PRACK is the host's to send.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// What it says.
    of: Acknowledged,
    /// It carried an offer, whose answer belongs into the PRACK (§5).
    offer: bool,
}

/// The first exchange of an INVITE, as far as reliable responses and their PRACKs carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Exchange {
    /// They have carried no description.
    #[default]
    Untouched,
    /// The offer in a response waits for the answer in its PRACK.
    Offered,
    /// Complete: descriptions in later responses mean nothing (RFC 6337 §3.1.1).
    Complete,
}

/// Who sends the PRACK of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prack {
    /// The library, at once.
    Now(Acknowledged),
    /// The host.
    ByHost,
}

/// Reliable responses to our INVITE or re-INVITE in one dialog.
#[derive(Clone, Debug, Default)]
pub struct ReliableClient {
    /// CSeq number of the INVITE; `None`: it has its final response.
    invite: Option<u32>,
    /// The last RSeq in order.
    last: u32,
    waiting: Vec<Waiting>,
    /// PRACKs without answer.
    under_way: usize,
    exchange: Exchange,
    /// The PRACK with a description that has no response.
    describing: Option<Describing>,
}

/// A PRACK with a description, and what that owes to the books.
#[derive(Clone, Debug)]
struct Describing {
    prack: OutgoingId,
    /// To the peer it is the answer to its response's offer, also where the host has told it by hand before.
    answers: bool,
    carries: Carries,
}

impl ReliableClient {
    /// Bytes held.
    pub fn held(&self) -> usize {
        let describing = self.describing.as_ref().map_or(0, |describing| describing.carries.heap_bytes());
        size_of::<Self>() + held::list(&self.waiting) + describing
    }

    /// §4: the first number sets the order of the INVITE in this dialog, the next one must be one higher.
    fn is_next(&self, of: Acknowledged) -> bool {
        match self.invite {
            Some(invite) if invite > of.cseq => false,
            Some(invite) if invite == of.cseq => self.last.checked_add(1) == Some(of.rseq),
            _ => true,
        }
    }

    fn is_full(&self, of: Acknowledged) -> bool {
        self.invite == Some(of.cseq) && self.waiting.len().saturating_add(self.under_way) >= OPEN
    }

    fn count(&mut self, of: Acknowledged) {
        if self.invite != Some(of.cseq) {
            // Another INVITE has an order of its own.
            *self = Self { invite: Some(of.cseq), describing: self.describing.take(), ..Self::default() };
        }
        self.last = of.rseq;
    }
}

impl Session {
    /// Whether a provisional response is next in order, which it then is counted as; what is not reliable always is.
    pub fn reliable_sequence_guard(&mut self, response: &Message) -> bool {
        let Some(rseq) = rseq_of(response) else { return true };
        let of = Acknowledged { rseq, cseq: response.cseq_number() };
        let client = self.running.reliable_client.get_or_insert_default();
        let next = client.is_next(of);
        if next {
            client.count(of);
        }
        next
    }

    /// Whether a reliable response that was not taken is no repeat: one before it is missing, or too many wait.
    pub fn has_missed(&self, response: &Message, rseq: u32) -> bool {
        let client = self.running.reliable_client.as_ref();
        client.is_some_and(|client| client.invite == Some(response.cseq_number()) && rseq > client.last)
    }

    /// Takes a reliable response to this INVITE. `manual`: the host sends every PRACK. `None`: it is repeated or out of
    /// order, or too many wait, and is discarded (§4).
    pub fn take_reliable(&mut self, invite: OutgoingId, response: &Message, rseq: u32, manual: bool) -> Option<Prack> {
        let of = Acknowledged { rseq, cseq: response.cseq_number() };
        if self.running.reliable_client.as_ref().is_some_and(|client| client.is_full(of))
            || !self.reliable_sequence_guard(response)
        {
            return None;
        }
        // RFC 6141 §4.2, §4.9: what is reliable moves the target.
        self.refreshed(response);
        self.came_on(response.flow());
        if self.is_early() {
            self.lasting.peer.learn(response);
        } else {
            // RFC 6086 §5.2: what a re-INVITE changes is so with its 2xx, which says the same.
            self.lasting.peer.learn_methods(response);
        }
        // RFC 6228 §4: a 199 describes nothing.
        let offer = response.status() != 199 && self.take_description(invite, response);
        let client = self.running.reliable_client.as_mut()?;
        if offer || manual {
            client.waiting.push(Waiting { of, offer });
            return Some(Prack::ByHost);
        }
        Some(Prack::Now(of))
    }

    /// The description of a reliable response is the answer to the INVITE's offer, or the offer that the INVITE left
    /// out (§5, RFC 6337 patterns 3 and 4). True: an offer, to be answered in the PRACK.
    fn take_description(&mut self, invite: OutgoingId, response: &Message) -> bool {
        let offered = self.was_offered(invite);
        let Some(client) = self.running.reliable_client.as_mut() else { return false };
        let Some(body) = response.session_body().filter(|_| client.exchange == Exchange::Untouched) else {
            return false;
        };
        let body = StoredBody::of_remote(&body);
        if offered {
            let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Remote) else { return false };
            client.exchange = Exchange::Complete;
            turn.take(body);
            return false;
        }
        let Some(turn) = self.lasting.signaling.turn_to_offer(Party::Remote) else { return false };
        client.exchange = Exchange::Offered;
        // With the re-INVITE fails what its responses offered.
        match self.running.our_mut(By::Reinvite) {
            Some(ours) if ours.request == invite => ours.carries = turn.carry(body),
            _ => turn.take(body),
        }
        true
    }

    /// The library could not send the PRACK of this response: now it is the host's.
    pub fn leave_prack_to_host(&mut self, of: Acknowledged) {
        if let Some(client) = &mut self.running.reliable_client {
            client.waiting.push(Waiting { of, offer: false });
        }
    }

    /// Whether the INVITE's exchange is complete, or under way in reliable responses: no other response touches it.
    pub fn exchanges_reliably(&self) -> bool {
        self.running.reliable_client.as_ref().is_some_and(|client| client.exchange != Exchange::Untouched)
    }

    /// Whether reliable responses to our INVITE have completed its exchange (§5, RFC 3311 §5.1).
    pub(super) fn is_described_to_us(&self) -> bool {
        self.running.reliable_client.as_ref().is_some_and(|client| client.exchange == Exchange::Complete)
    }

    /// Whether the answer to the offer of a reliable response is to go into a PRACK of ours yet.
    pub(super) fn owes_prack_with_answer(&self) -> bool {
        let client = self.running.reliable_client.as_ref();
        client.is_some_and(|client| client.waiting.iter().any(|waiting| waiting.offer))
    }

    /// Whether a PRACK of ours has no final response.
    pub(super) fn has_pracks_under_way(&self) -> bool {
        self.running.reliable_client.as_ref().is_some_and(|client| client.under_way > 0)
    }

    /// The response whose PRACK the host sends, or why it must not (§5). `describes`: with a session description.
    pub fn our_prack_guard(&self, describes: bool) -> Result<Acknowledged> {
        let client = self.running.reliable_client.as_deref().filter(|_| !self.is_terminated());
        let Some((client, waiting)) = client.and_then(|client| Some((client, client.waiting.first()?))) else {
            return Err(Error::state("no reliable response waits for a PRACK (RFC 3262 4)"));
        };
        match (waiting.offer, describes) {
            (false, false) | (true, true) => Ok(waiting.of),
            (true, false) => {
                Err(Error::state("body: the response brought an offer, its answer belongs into the PRACK (RFC 3262 5)"))
            }
            (false, true) if client.exchange != Exchange::Complete => {
                Err(Error::state("body: the first exchange is not complete (RFC 3262 5)"))
            }
            (false, true) if client.describing.is_some() => {
                Err(Error::state("body: the PRACK with the answer has no response yet (RFC 6337 3.1)"))
            }
            (false, true) => match self.lasting.signaling.would_be(Party::Local)? {
                Part::Offer => Ok(waiting.of),
                Part::Answer => Err(Error::state("body: the open offer did not come in this response (RFC 3262 5)")),
            },
        }
    }

    /// Whether the PRACK `id` of `of` may go out once more: as long as its INVITE has no final response (§4), and with a
    /// description while that stands in the books. `describes`: with one.
    pub fn our_prack_again_guard(&self, id: OutgoingId, of: Acknowledged, describes: bool) -> Result<()> {
        let client = self.running.reliable_client.as_deref().filter(|client| client.invite == Some(of.cseq));
        let stands = |client: &ReliableClient| client.describing.as_ref().is_some_and(|known| known.prack == id);
        if client.is_some_and(|client| !describes || stands(client)) {
            return Ok(());
        }
        Err(Error::state("the INVITE of the PRACK has its final response (RFC 3262 4)"))
    }

    /// The PRACK `id` goes out. `by_host`: it is that of the oldest response that waits.
    pub fn our_prack_sent(&mut self, id: OutgoingId, description: Option<StoredBody>, by_host: bool) -> Deeds {
        let Some(client) = &mut self.running.reliable_client else { return Deeds::new() };
        client.under_way = client.under_way.saturating_add(1);
        let answers = by_host && !client.waiting.is_empty() && client.waiting.remove(0).offer;
        if answers {
            client.exchange = Exchange::Complete;
        }
        if let Some(description) = description {
            if !answers {
                self.our_reinvite_overtaken();
            }
            let books = &mut self.lasting.signaling;
            // `None`: the host has told it by hand before.
            let turn = if answers { books.turn_to_answer(Party::Local) } else { books.turn_to_offer(Party::Local) };
            let carries = turn.map(|turn| turn.carry(description)).unwrap_or_default();
            if let Some(client) = &mut self.running.reliable_client {
                client.describing = Some(Describing { prack: id, answers, carries });
            }
        }
        smallvec![Deed::State]
    }

    /// The PRACK `id` of `of` has its final response: 2xx with its description, or another one. `again`: the response
    /// that it acknowledged waits for the host's PRACK once more, where that is possible.
    pub fn our_prack_answered(
        &mut self,
        id: OutgoingId,
        of: Acknowledged,
        response: Option<&Message>,
        again: bool,
    ) -> Deeds {
        let Some(client) = &mut self.running.reliable_client else { return smallvec![Deed::State] };
        let pending = client.invite == Some(of.cseq);
        if pending {
            client.under_way = client.under_way.saturating_sub(1);
        }
        let accepted = response.filter(|response| response.status() < 300);
        let again = again && pending && accepted.is_none();
        let described = client.describing.take_if(|describing| describing.prack == id);
        if again {
            let offer = described.as_ref().is_some_and(|described| described.answers);
            if offer {
                client.exchange = Exchange::Offered;
            }
            client.waiting.insert(0, Waiting { of, offer });
        }
        let books = &mut self.lasting.signaling;
        match (described.map(|described| described.carries), accepted.and_then(Message::session_body)) {
            (Some(Carries::Offer(_)), Some(answer)) => {
                if let Some(turn) = books.turn_to_answer(Party::Remote) {
                    turn.take(StoredBody::of_remote(&answer));
                }
            }
            // RFC 6337 §2.3: refused, or not answered: as if never made.
            (Some(offer @ Carries::Offer(_)), None) => books.undo(offer),
            (Some(answer @ Carries::Answer(_)), _) if again => books.undo(answer),
            _ => {}
        }
        self.forget_reliable_client();
        smallvec![Deed::State]
    }

    /// The INVITE has a 2xx: what still waits is discarded (§4). True: its exchange was completed before.
    pub(super) fn reliable_accepted(&mut self) -> bool {
        let Some(client) = &mut self.running.reliable_client else { return false };
        let ended = std::mem::take(&mut **client);
        client.describing = ended.describing;
        if ended.exchange == Exchange::Offered {
            // §3 forbids a 2xx now; nobody will answer this offer, and it was not the re-INVITE's.
            self.lasting.signaling.rollback();
            if let Some(ours) = self.running.our_mut(By::Reinvite) {
                ours.carries = Carries::Nothing;
            }
        }
        self.forget_reliable_client();
        ended.exchange == Exchange::Complete
    }

    /// Our re-INVITE goes out again, with `offer` (RFC 3261 §22.2): its exchange and its order begin anew.
    pub fn our_reinvite_restarted(&mut self, offer: Option<StoredBody>) {
        let touched = self.exchanges_reliably();
        self.reliable_failed();
        let Some(ours) = self.running.our_mut(By::Reinvite).filter(|_| touched) else { return };
        self.lasting.signaling.undo(std::mem::take(&mut ours.carries));
        // The books are what they were before the first one.
        let turn = self.lasting.signaling.turn(Party::Local).ok();
        ours.carries = offer.zip(turn).map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
        if ours.is_refresh() {
            self.lasting.signaling.hide();
        }
    }

    /// The re-INVITE has failed, and with it what its reliable responses and their PRACKs said (RFC 3261 §14.1, RFC
    /// 6337 §3.4).
    pub(super) fn reliable_failed(&mut self) {
        let Some(client) = &mut self.running.reliable_client else { return };
        let failed = std::mem::take(&mut **client);
        // What a PRACK of this INVITE owes is undone with the INVITE; one that is left of an earlier INVITE goes on.
        client.describing = failed.describing.filter(|_| failed.exchange == Exchange::Untouched);
        self.forget_reliable_client();
    }

    fn forget_reliable_client(&mut self) {
        let idle = |client: &mut Box<ReliableClient>| client.invite.is_none() && client.describing.is_none();
        self.running.reliable_client.take_if(idle);
    }
}

#[cfg(test)]
mod tests;
