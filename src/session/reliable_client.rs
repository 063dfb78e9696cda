//! The caller's side of reliable provisional responses (RFC 3262 §4, §5): their order, those whose PRACK is the host's to
//! send, and the exchange of descriptions that they carry.

use crate::error::{Error, Result};
use crate::message::rack::parse_rseq;
use crate::message::{HeaderId, Message, Method};
use crate::session::Session;
use crate::session::offer_answer::{OfferAnswer, Part, Party, StoredBody};
use crate::slots::OutgoingId;

/// Reliable responses of one INVITE that may wait for their PRACK, or whose PRACK may wait for its answer. Beyond they are
/// not taken; the callee sends them again.
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
pub struct Waiting {
    /// What it says.
    pub of: Acknowledged,
    /// It carried an offer, whose answer belongs into the PRACK (§5).
    pub offer: bool,
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

/// What a PRACK carries.
#[derive(Clone, Debug)]
pub enum Carried {
    /// No description.
    Nothing,
    /// The answer to the response's offer; the books before it.
    Answer(Box<OfferAnswer>),
    /// A further offer, answered in its 2xx.
    Offer,
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
    /// The books before the exchange of a re-INVITE, should it fail (RFC 3261 §14.1).
    before: Option<Box<OfferAnswer>>,
    /// The PRACK with a description that has no answer.
    describing: Option<OutgoingId>,
}

impl ReliableClient {
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
            *self = Self { invite: Some(of.cseq), describing: self.describing, ..Self::default() };
        }
        self.last = of.rseq;
    }
}

impl Session {
    /// Whether a provisional response is next in order, which it then is counted as; what is not reliable always is.
    pub fn reliable_sequence_guard(&mut self, response: &Message) -> bool {
        let Some(rseq) = rseq_of(response) else { return true };
        let of = Acknowledged { rseq, cseq: response.cseq_number() };
        let client = self.reliable_client.get_or_insert_default();
        let next = client.is_next(of);
        if next {
            client.count(of);
        }
        next
    }

    /// Takes a reliable response. `offered`: the INVITE carried an offer; `manual`: the host sends every PRACK. `None`: it
    /// is repeated or out of order, or too many wait, and is discarded (§4).
    pub fn take_reliable(&mut self, response: &Message, rseq: u32, offered: bool, manual: bool) -> Option<Prack> {
        let of = Acknowledged { rseq, cseq: response.cseq_number() };
        if self.reliable_client.as_ref().is_some_and(|client| client.is_full(of))
            || !self.reliable_sequence_guard(response)
        {
            return None;
        }
        // RFC 6141 §4.2, §4.9: what is reliable moves the target.
        self.dialog.refresh_target(response);
        self.came_on(response.flow());
        self.peer.learn(response);
        let offer = self.take_description(response, offered);
        let client = self.reliable_client.as_mut()?;
        if offer || manual {
            client.waiting.push(Waiting { of, offer });
            return Some(Prack::ByHost);
        }
        Some(Prack::Now(of))
    }

    /// The description of a reliable response is the answer to the INVITE's offer, or the offer that the INVITE left out
    /// (§5, RFC 6337 patterns 3 and 4). True: an offer, to be answered in the PRACK.
    fn take_description(&mut self, response: &Message, offered: bool) -> bool {
        let early = self.is_early();
        let Some(client) = self.reliable_client.as_mut() else { return false };
        let Some(body) = response.session_body().filter(|_| client.exchange == Exchange::Untouched) else {
            return false;
        };
        let (part, exchange) =
            if offered { (Part::Answer, Exchange::Complete) } else { (Part::Offer, Exchange::Offered) };
        if self.signaling.would_be(Party::Remote).ok() != Some(part) {
            return false;
        }
        if !early {
            let mut before = self.signaling.clone();
            before.rollback();
            client.before = Some(Box::new(before));
        }
        client.exchange = exchange;
        // Asked above.
        let _ = self.signaling.apply(Party::Remote, StoredBody::of_remote(&body));
        part == Part::Offer
    }

    /// The library could not send the PRACK of this response: now it is the host's.
    pub fn leave_prack_to_host(&mut self, of: Acknowledged) {
        if let Some(client) = &mut self.reliable_client {
            client.waiting.push(Waiting { of, offer: false });
        }
    }

    /// Whether the INVITE's exchange is complete, or under way in reliable responses: no other response touches it.
    pub fn exchanges_reliably(&self) -> bool {
        self.reliable_client.as_ref().is_some_and(|client| client.exchange != Exchange::Untouched)
    }

    /// The oldest response that waits for the host's PRACK.
    pub fn oldest_unacknowledged(&self) -> Option<Waiting> {
        self.reliable_client.as_ref()?.waiting.first().copied()
    }

    /// What a PRACK of the host's carries, or why it must not (§5).
    pub fn prack_guard(&self, waiting: &Waiting, describes: bool) -> Result<Carried> {
        let Some(client) = &self.reliable_client else { return Ok(Carried::Nothing) };
        match (waiting.offer, describes) {
            (false, false) => Ok(Carried::Nothing),
            (true, true) => Ok(Carried::Answer(Box::new(self.signaling.clone()))),
            (true, false) => {
                Err(Error::state("body: the response brought an offer, its answer belongs into the PRACK (RFC 3262 5)"))
            }
            (false, true) if client.exchange != Exchange::Complete => {
                Err(Error::state("body: the first exchange is not complete (RFC 3262 5)"))
            }
            (false, true) if client.describing.is_some() => {
                Err(Error::state("body: the PRACK with the answer has no response yet (RFC 6337 3.1)"))
            }
            (false, true) => self.signaling.would_be(Party::Local).and_then(|part| match part {
                Part::Offer => Ok(Carried::Offer),
                Part::Answer => Err(Error::state("body: the open offer did not come in this response (RFC 3262 5)")),
            }),
        }
    }

    /// The PRACK `id` goes out. `by_host`: it is that of the oldest response that waits.
    pub fn pracked(&mut self, id: OutgoingId, carried: &Carried, body: Option<StoredBody>, by_host: bool) {
        let Some(client) = &mut self.reliable_client else { return };
        client.under_way = client.under_way.saturating_add(1);
        if by_host && !client.waiting.is_empty() {
            client.waiting.remove(0);
        }
        match carried {
            Carried::Nothing => return,
            Carried::Answer(_) => client.exchange = Exchange::Complete,
            Carried::Offer => {}
        }
        client.describing = Some(id);
        if let Some(body) = body {
            // The guard has asked.
            let _ = self.signaling.apply(Party::Local, body);
        }
    }

    /// The PRACK `id` of `of` has its final response: 2xx with its description, or another one. `again`: the response that it
    /// acknowledged waits for the host's PRACK once more, where that is possible.
    pub fn prack_answered(
        &mut self,
        id: OutgoingId,
        of: Acknowledged,
        carried: &Carried,
        response: Option<&Message>,
        again: bool,
    ) {
        let Some(client) = &mut self.reliable_client else { return };
        let pending = client.invite == Some(of.cseq);
        if pending {
            client.under_way = client.under_way.saturating_sub(1);
        }
        let accepted = response.is_some_and(|response| response.status() < 300);
        let again = again && pending && !accepted;
        let describing = client.describing == Some(id);
        if describing {
            client.describing = None;
        }
        if again {
            client.waiting.insert(0, Waiting { of, offer: matches!(carried, Carried::Answer(_)) });
        }
        match carried {
            Carried::Offer if describing => match response.filter(|_| accepted).and_then(Message::session_body) {
                Some(answer) => drop(self.signaling.apply(Party::Remote, StoredBody::of_remote(&answer))),
                // RFC 6337 §2.3: refused, or not answered: as if never made.
                None => self.signaling.rollback(),
            },
            Carried::Answer(before) if describing && again => {
                client.exchange = Exchange::Offered;
                self.signaling = OfferAnswer::clone(before);
            }
            _ => {}
        }
        self.forget_reliable_client();
    }

    /// The INVITE has a 2xx: what still waits is discarded (§4). True: its exchange was completed before.
    pub fn reliable_accepted(&mut self) -> bool {
        let Some(client) = &mut self.reliable_client else { return false };
        let (exchange, describing) = (client.exchange, client.describing);
        **client = ReliableClient { describing, ..ReliableClient::default() };
        if exchange == Exchange::Offered {
            // §3 forbids a 2xx now; nobody will answer this offer.
            self.signaling.rollback();
        }
        self.forget_reliable_client();
        exchange == Exchange::Complete
    }

    /// The re-INVITE goes out again, with `offer` (RFC 3261 §22.2): its exchange and its order begin anew.
    pub fn reliable_restarted(&mut self, offer: Option<StoredBody>) {
        let touched = self.exchanges_reliably();
        self.reliable_undone();
        if let Some(offer) = offer.filter(|_| touched) {
            // The books are what they were before the first one.
            let _ = self.signaling.apply(Party::Local, offer);
        }
    }

    /// The re-INVITE has failed: offers and answers are what they were before it (RFC 3261 §14.1, RFC 6337 §3.4).
    pub fn reliable_undone(&mut self) {
        let Some(client) = &mut self.reliable_client else { return };
        let describing = client.describing.filter(|_| client.before.is_none());
        let failed = std::mem::replace(&mut **client, ReliableClient { describing, ..ReliableClient::default() });
        if let Some(before) = failed.before {
            self.signaling = *before;
        }
        self.forget_reliable_client();
    }

    fn forget_reliable_client(&mut self) {
        let idle = |client: &ReliableClient| client.invite.is_none() && client.describing.is_none();
        if self.reliable_client.as_deref().is_some_and(idle) {
            self.reliable_client = None;
        }
    }
}
