//! Reliable provisional responses of a callee (RFC 3262 §3): one waits for its PRACK, the next wait behind it, and the 2xx
//! waits while a session description may still be on its way.
//!
//! | INVITE     | description of ours so far | a response with one is | one without     |
//! |------------|----------------------------|------------------------|-----------------|
//! | with offer | none                       | the answer             | good            |
//! | without    | none                       | the offer              | refused, §5     |
//! | any        | in a reliable response     | refused, RFC 6337 §3.1 | good            |

use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::message::rack::RAck;
use crate::message::{HeaderId, Message};
use crate::session::offer_answer::{OfferAnswer, Part, StoredBody};
use crate::slots::IncomingId;
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// How many may wait behind the unacknowledged one.
const QUEUE: usize = 16;

/// The first RSeq is drawn from 1 to this (§3).
pub const FIRST_RSEQ_MAX: u32 = 0x7fff_ffff;

/// The option tag.
pub const TAG: &[u8] = b"100rel";

/// A reliable response, written.
#[derive(Clone, Debug)]
pub struct Provisional {
    /// Its RSeq.
    pub rseq: u32,
    /// Its status.
    pub status: u16,
    /// The response.
    pub response: Bytes,
    /// The description in it, and what it is.
    pub description: Option<(Part, StoredBody)>,
}

/// The wait of an unacknowledged response.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// Repeated: the next repeat or the end of patience.
    Repeats(TimerId),
    /// Its PRACK is here and brings an offer, which the host has to answer first.
    Answering(IncomingId),
}

/// The response whose PRACK is not here.
#[derive(Clone, Debug)]
pub struct Unacknowledged {
    /// Its RSeq.
    pub rseq: u32,
    /// Its status.
    pub status: u16,
    /// The response.
    pub response: Bytes,
    /// What the description in it is.
    pub carries: Option<Part>,
    /// What it waits for.
    pub wait: Wait,
    /// The wait before the next repeat.
    pub interval: Duration,
    /// The end of patience.
    pub give_up_at: Time,
}

impl Unacknowledged {
    /// When the next repeat is due after one at `now`: the interval doubles without a cap (§3).
    pub fn next_repeat(&mut self, now: Time) -> Time {
        self.interval = self.interval.saturating_mul(2);
        now.plus(self.interval).min(self.give_up_at)
    }
}

/// A 2xx that the host gave while it must not go out yet.
#[derive(Clone, Debug)]
pub struct HeldAcceptance {
    /// Its status.
    pub status: u16,
    /// The response.
    pub response: Bytes,
}

/// The reliable responses to one INVITE or re-INVITE in one dialog.
#[derive(Clone, Debug)]
pub struct ReliableServer {
    /// The INVITE.
    pub incoming: IncomingId,
    /// Its number, which RAck names.
    pub cseq: u32,
    /// RSeq of the last response, sent or queued.
    pub last_rseq: u32,
    /// Status of the last response, sent or queued.
    pub last_status: u16,
    /// What our description in one of them, sent or queued, is.
    pub described: Option<Part>,
    /// The one that waits for its PRACK.
    pub unacknowledged: Option<Unacknowledged>,
    /// Those behind it.
    pub queue: VecDeque<Provisional>,
    /// The 2xx behind all of them.
    pub held: Option<HeldAcceptance>,
    /// The exchange before a re-INVITE that one of them described: what its rejection brings back (RFC 3261 §14.1).
    pub before: Option<OfferAnswer>,
}

/// A response that a final one left unacknowledged: its PRACK is still good (§3).
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// CSeq number of its INVITE.
    pub cseq: u32,
    /// Its RSeq.
    pub rseq: u32,
    /// Whether it carried our offer, so that a description in the PRACK is its answer, which comes too late.
    pub offered: bool,
    /// When it is forgotten.
    pub until: Time,
}

impl Left {
    /// Whether a PRACK acknowledges it.
    pub fn is_meant(&self, rack: &RAck<'_>, now: Time) -> bool {
        rack.rseq == self.rseq && rack.cseq == self.cseq && rack.method.text == b"INVITE" && now < self.until
    }
}

impl ReliableServer {
    /// For an INVITE, whose first reliable response has `rseq`.
    pub fn new(incoming: IncomingId, cseq: u32) -> Self {
        Self {
            incoming,
            cseq,
            last_rseq: 0,
            last_status: 0,
            described: None,
            unacknowledged: None,
            queue: VecDeque::new(),
            held: None,
            before: None,
        }
    }

    /// Whether a PRACK acknowledges the response that waits: all three fields count (§3), the method with its case.
    pub fn is_meant(&self, rack: &RAck<'_>) -> bool {
        self.unacknowledged.as_ref().is_some_and(|waiting| {
            matches!(waiting.wait, Wait::Repeats(_))
                && rack.rseq == waiting.rseq
                && rack.cseq == self.cseq
                && rack.method.text == b"INVITE"
        })
    }

    /// Whether a 2xx has to wait: a description of ours, offer or answer, is not acknowledged (§3).
    pub fn holds_acceptance(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|waiting| waiting.carries.is_some())
            || self.queue.iter().any(|queued| queued.description.is_some())
    }

    /// Whether a re-INVITE has changed the session before its final response: the exchange that a reliable response describes is
    /// acknowledged (RFC 6141 §3.3).
    pub fn has_executed(&self, exchange: &OfferAnswer) -> bool {
        self.before.is_some() && !self.holds_acceptance() && exchange.open_offer().is_none()
    }

    /// The timer of the repeats.
    pub fn timer(&self) -> Option<TimerId> {
        match self.unacknowledged.as_ref()?.wait {
            Wait::Repeats(timer) => Some(timer),
            Wait::Answering(_) => None,
        }
    }

    /// The PRACK whose offer the host has to answer.
    pub fn prack_to_answer(&self) -> Option<IncomingId> {
        match self.unacknowledged.as_ref()?.wait {
            Wait::Repeats(_) => None,
            Wait::Answering(prack) => Some(prack),
        }
    }

    /// What a final response leaves to be acknowledged.
    pub fn left(&self, until: Time) -> Option<Left> {
        let waiting = self.unacknowledged.as_ref()?;
        let offered = waiting.carries == Some(Part::Offer);
        Some(Left { cseq: self.cseq, rseq: waiting.rseq, offered, until })
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let waiting = self.unacknowledged.as_ref().map_or(0, |waiting| waiting.response.len());
        let queued: usize = self.queue.iter().map(|queued| size_of::<Provisional>() + queued.response.len()).sum();
        size_of::<Self>() + waiting + queued + self.held.as_ref().map_or(0, |held| held.response.len())
    }
}

/// Whether the sender of an INVITE knows reliable responses, or wants every one to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// 100rel is in neither Supported nor Require.
    Unknown,
    /// Supported.
    Supported,
    /// Required.
    Required,
}

/// What an INVITE says of 100rel.
pub fn wish_of(invite: &Message) -> Wish {
    if invite.has_token(HeaderId::Require, TAG) {
        Wish::Required
    } else if invite.has_token(HeaderId::Supported, TAG) {
        Wish::Supported
    } else {
        Wish::Unknown
    }
}

/// Whether a 101 to 199 goes out reliably (§3). `asked`: the host wants it so.
pub fn goes_reliably(wish: Wish, policy: Policy, asked: bool) -> Result<bool> {
    match (wish, policy, asked) {
        (_, Policy::Off, true) => Err(Error::state("reliable: the configuration says that RFC 3262 is off")),
        (Wish::Unknown, _, true) => Err(Error::state("reliable: the INVITE does not support 100rel (RFC 3262 3)")),
        (Wish::Supported, _, true) | (Wish::Required, ..) | (Wish::Supported, Policy::Required, _) => Ok(true),
        (Wish::Unknown | Wish::Supported, ..) => Ok(false),
    }
}

/// Whether a reliable response may be given now, and what its description would be: the table above.
pub fn send_guard(
    server: Option<&ReliableServer>,
    signaling: Option<&OfferAnswer>,
    invite_offered: bool,
    describes: bool,
) -> Result<Option<Part>> {
    if server.is_some_and(|server| server.queue.len() >= QUEUE) {
        return Err(Error::new(ErrorKind::Limit, "reliable responses: enough of them wait for a PRACK (RFC 3262 3)"));
    }
    let described = server.is_some_and(|server| server.described.is_some());
    match (described, invite_offered, describes) {
        (true, _, true) => {
            Err(Error::state("body: a reliable response has carried the description already (RFC 6337 3.1)"))
        }
        (true, _, false) | (false, true, false) => Ok(None),
        (false, true, true) => Ok(Some(Part::Answer)),
        (false, false, true) => match signaling.and_then(OfferAnswer::open_offer) {
            Some(_) => Err(Error::state("body: an offer is open and not answered yet (RFC 3264 4)")),
            None => Ok(Some(Part::Offer)),
        },
        (false, false, false) => {
            Err(Error::state("body: the INVITE brought no offer, so the first reliable response has to (RFC 3262 5)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_response_is_reliable() {
        use Policy::{Off, Required, Supported};
        let rows = [
            (Wish::Unknown, Supported, false, Some(false)),
            (Wish::Unknown, Supported, true, None),
            (Wish::Unknown, Required, false, Some(false)),
            (Wish::Supported, Supported, false, Some(false)),
            (Wish::Supported, Supported, true, Some(true)),
            (Wish::Supported, Required, false, Some(true)),
            (Wish::Supported, Off, false, Some(false)),
            (Wish::Supported, Off, true, None),
            (Wish::Required, Supported, false, Some(true)),
            (Wish::Required, Required, true, Some(true)),
        ];
        for (wish, policy, asked, expected) in rows {
            assert_eq!(goes_reliably(wish, policy, asked).ok(), expected, "{wish:?} {policy:?} {asked}");
        }
    }

    #[test]
    fn what_its_description_is() {
        let mut described = ReliableServer::new(IncomingId::from_raw(1), 1);
        described.described = Some(Part::Answer);
        for (server, offered, describes, expected) in [
            (None, true, true, Some(Some(Part::Answer))),
            (None, true, false, Some(None)),
            (None, false, true, Some(Some(Part::Offer))),
            (None, false, false, None),
            (Some(&described), true, true, None),
            (Some(&described), false, true, None),
            (Some(&described), true, false, Some(None)),
            (Some(&described), false, false, Some(None)),
        ] {
            let got = send_guard(server, Some(&OfferAnswer::default()), offered, describes);
            assert_eq!(got.ok(), expected, "{} {offered} {describes}", server.is_some());
        }
    }

    /// §3: the interval doubles, T2 is no bound.
    #[test]
    fn the_schedule_of_the_rfc() {
        let start = Time::default();
        let t1 = Duration::from_millis(500);
        let mut waiting = Unacknowledged {
            rseq: 1,
            status: 183,
            response: Bytes::from(&b""[..]),
            carries: None,
            wait: Wait::Answering(IncomingId::from_raw(1)),
            interval: t1,
            give_up_at: start.plus(t1 * 64),
        };
        let (mut at, mut schedule) = (start.plus(t1), Vec::new());
        while at < waiting.give_up_at {
            schedule.push(at.since(start).as_millis());
            at = waiting.next_repeat(at);
        }
        assert_eq!(schedule, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(at, waiting.give_up_at);
    }
}
