//! Reliable provisional responses of a callee (RFC 3262 §3): one waits for its PRACK, the next wait behind it, and the
//! 2xx waits while a session description may still be on its way.
//!
//! | INVITE     | description of ours so far | a response with one is | one without     |
//! |------------|----------------------------|------------------------|-----------------|
//! | with offer | none                       | the answer             | good            |
//! | without    | none                       | the offer              | refused, §5     |
//! | any        | in a reliable response     | refused, RFC 6337 §3.1 | good            |

use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::held;
use crate::message::rack::{RAck, parse_rseq};
use crate::message::{HeaderId, Message};
use crate::random::Random;
use crate::session::deed::{Clock, Deed, Deeds, Left, Refusal, Wake, also};
use crate::session::offer_answer::{Part, Party, StoredBody};
use crate::session::reason::Reason;
use crate::session::{Phase, Session};
use crate::slots::IncomingId;
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::Bytes;
use smallvec::smallvec;
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
enum Wait {
    /// Repeated: the next repeat or the end of patience.
    Repeats(TimerId),
    /// Its PRACK is here and brings an offer, which the host has to answer first.
    Answering,
}

/// The response whose PRACK is not here.
#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    rseq: u32,
    status: u16,
    response: Bytes,
    /// What the description in it is.
    pub(super) carries: Option<Part>,
    wait: Wait,
    /// The wait before the next repeat.
    interval: Duration,
    /// The end of patience.
    give_up_at: Time,
}

impl Unacknowledged {
    /// When the next repeat is due after one at `now`: the interval doubles without a cap (§3).
    fn next_repeat(&mut self, now: Time) -> Time {
        self.interval = self.interval.saturating_mul(2);
        now.plus(self.interval).min(self.give_up_at)
    }
}

/// A 2xx that the host gave while it must not go out yet.
#[derive(Clone, Debug)]
struct Held {
    status: u16,
    response: Bytes,
}

/// The reliable responses to one INVITE or re-INVITE in one dialog.
#[derive(Clone, Debug)]
pub struct ReliableServer {
    pub(super) incoming: IncomingId,
    /// The INVITE's number, which RAck names.
    cseq: u32,
    /// Of the last response, sent or queued.
    last_rseq: u32,
    last_status: u16,
    /// What our description in one of them, sent or queued, is.
    described: Option<Part>,
    /// The one that waits for its PRACK.
    unacknowledged: Option<Unacknowledged>,
    /// Those behind it.
    queue: VecDeque<Provisional>,
    /// The 2xx behind all of them.
    held: Option<Held>,
}

impl ReliableServer {
    fn new(incoming: IncomingId, cseq: u32) -> Self {
        Self {
            incoming,
            cseq,
            last_rseq: 0,
            last_status: 0,
            described: None,
            unacknowledged: None,
            queue: VecDeque::new(),
            held: None,
        }
    }

    /// The response that a PRACK acknowledges: all three fields count (§3), the method with its case.
    pub(super) fn meant_by(&self, rack: &RAck<'_>) -> Option<&Unacknowledged> {
        self.unacknowledged.as_ref().filter(|waiting| {
            matches!(waiting.wait, Wait::Repeats(_))
                && rack.rseq == waiting.rseq
                && rack.cseq == self.cseq
                && rack.method.text == b"INVITE"
        })
    }

    /// Its PRACK is here: none waits any more.
    pub(super) fn acknowledged(&mut self, clock: &mut impl Clock) {
        if let Some(timer) = self.timer() {
            clock.stop(timer);
        }
        self.unacknowledged = None;
    }

    /// Its PRACK is here and brings an offer: it is repeated no more.
    pub(super) fn answering(&mut self, clock: &mut impl Clock) {
        if let Some(waiting) = &mut self.unacknowledged
            && let Wait::Repeats(timer) = std::mem::replace(&mut waiting.wait, Wait::Answering)
        {
            clock.stop(timer);
        }
    }

    /// That PRACK was refused: it is repeated until another comes.
    pub(super) fn repeat_again(&mut self, clock: &mut impl Clock) {
        if let Some(waiting) = &mut self.unacknowledged
            && matches!(waiting.wait, Wait::Answering)
        {
            let now = clock.now();
            let next = now.plus(waiting.interval).min(waiting.give_up_at.max(now));
            waiting.wait = Wait::Repeats(clock.arm(next, Wake::Reliable));
        }
    }

    /// Whether a 2xx has to wait: a description of ours, offer or answer, is not acknowledged (§3).
    pub fn holds_acceptance(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|waiting| waiting.carries.is_some())
            || self.queue.iter().any(|queued| queued.description.is_some())
    }

    /// Whether the host has accepted, and the 2xx waits.
    pub fn is_accepted(&self) -> bool {
        self.held.is_some()
    }

    /// Whether none waits for its PRACK.
    pub(super) fn is_idle(&self) -> bool {
        self.unacknowledged.is_none() && self.queue.is_empty()
    }

    /// The number of the last one.
    pub(super) fn last_rseq(&self) -> u32 {
        self.last_rseq
    }

    /// Whether the offer of a PRACK waits for its answer.
    pub fn is_answering(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|waiting| matches!(waiting.wait, Wait::Answering))
    }

    /// Whether one of them has carried our description.
    pub fn has_described(&self) -> bool {
        self.described.is_some()
    }

    /// The status of a response that refreshes the wait of the proxies (§3); `None`: one is being repeated anyway.
    pub fn refresh(&self) -> Option<u16> {
        self.unacknowledged.is_none().then_some(self.last_status)
    }

    /// The timer of the repeats.
    fn timer(&self) -> Option<TimerId> {
        match self.unacknowledged.as_ref()?.wait {
            Wait::Repeats(timer) => Some(timer),
            Wait::Answering => None,
        }
    }

    /// What a final response leaves to be acknowledged.
    fn left(&self, until: Time) -> Option<Left> {
        let waiting = self.unacknowledged.as_ref()?;
        let offered = waiting.carries == Some(Part::Offer);
        Some(Left { cseq: self.cseq, rseq: waiting.rseq, offered, until })
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        // The one that is repeated is the transaction's.
        let queued = self.queue.iter().map(|queued| {
            let description = queued.description.as_ref().map_or(0, |(_, body)| body.heap_bytes());
            held::shared(&queued.response) + description
        });
        let last = self.held.as_ref().map_or(0, |held| held::shared(&held.response));
        size_of::<Self>() + held::queue(&self.queue) + queued.sum::<usize>() + last
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

/// The number of the next reliable response; the host may write it where it is right. `former`: the last one's.
pub fn next_rseq(former: Option<u32>, host: Option<&[u8]>, random: &mut Random) -> Result<u32> {
    let host = host.map(|value| parse_rseq(value).map_err(|error| Error::new(ErrorKind::Header, error.detail)));
    match (former, host.transpose()?) {
        (None, None) => {
            let drawn = random.below(u64::from(FIRST_RSEQ_MAX));
            Ok(u32::try_from(drawn).unwrap_or(0).saturating_add(1))
        }
        (None, Some(rseq)) if (1..=FIRST_RSEQ_MAX).contains(&rseq) => Ok(rseq),
        (None, Some(_)) => Err(Error::new(ErrorKind::Header, "RSeq: the first is 1 to 2^31 - 1 (RFC 3262 3)")),
        (Some(former), host) => {
            // §3: it does not wrap around.
            let next = former.checked_add(1);
            let next = next.ok_or_else(|| Error::new(ErrorKind::Limit, "RSeq: no number is left (RFC 3262 3)"))?;
            match host {
                Some(rseq) if rseq != next => {
                    Err(Error::new(ErrorKind::Header, format!("RSeq: the next is {next} (RFC 3262 3)")))
                }
                _ => Ok(next),
            }
        }
    }
}

/// Whether a reliable response to an INVITE may be given now in its session (`None`: there is none yet), and what its
/// description would be: the table above. Gives the last RSeq too.
pub fn provisional_guard(
    session: Option<&Session>,
    incoming: IncomingId,
    invite_offered: bool,
    describes: bool,
) -> Result<(Option<Part>, Option<u32>)> {
    let server = session.and_then(|session| session.reliable_server(incoming));
    if server.is_some_and(|server| server.queue.len() >= QUEUE) {
        return Err(Error::new(ErrorKind::Limit, "reliable responses: enough of them wait for a PRACK (RFC 3262 3)"));
    }
    let former = server.map(|server| server.last_rseq);
    let part = match (server.is_some_and(ReliableServer::has_described), invite_offered, describes) {
        (true, _, true) => {
            return Err(Error::state("body: a reliable response has carried the description already (RFC 6337 3.1)"));
        }
        (true, _, false) | (false, true, false) => None,
        (false, true, true) => Some(Part::Answer),
        (false, false, true) if session.and_then(Session::open_offer).is_some() => {
            return Err(Error::state("body: an offer is open and not answered yet (RFC 3264 4)"));
        }
        (false, false, true) => Some(Part::Offer),
        (false, false, false) => {
            return Err(Error::state(
                "body: the INVITE brought no offer, so the first reliable response has to (RFC 3262 5)",
            ));
        }
    };
    Ok((part, former))
}

impl Session {
    // ------------------------------------------------------------------ responses

    /// The INVITE of the peer's that has reliable responses.
    pub fn responding_reliably_to(&self) -> Option<IncomingId> {
        self.running.reliable_server.as_ref().map(|server| server.incoming)
    }

    /// The reliable responses to this INVITE.
    pub fn reliable_server(&self, incoming: IncomingId) -> Option<&ReliableServer> {
        self.running.reliable_server.as_deref().filter(|server| server.incoming == incoming)
    }

    /// A reliable response goes out now, or behind the one that waits for its PRACK (§3). `provisional_guard` has
    /// asked. True: it is the first.
    pub fn queue_reliably(
        &mut self,
        incoming: IncomingId,
        invite: &Message,
        provisional: Provisional,
        clock: &mut impl Clock,
    ) -> (Deeds, bool) {
        let first = self.reliable_server(incoming).is_none();
        if first {
            self.running.reliable_server = Some(Box::new(ReliableServer::new(incoming, invite.cseq_number())));
        }
        if let Some(server) = &mut self.running.reliable_server {
            (server.last_rseq, server.last_status) = (provisional.rseq, provisional.status);
            server.described = server.described.or(provisional.description.as_ref().map(|(part, _)| *part));
            if server.unacknowledged.is_some() || !server.queue.is_empty() {
                server.queue.push_back(provisional);
                return (self.send_queued(invite, clock), first);
            }
        }
        (self.send_reliably(provisional, invite, clock), first)
    }

    /// The first of the queue goes out when none is unacknowledged (§3).
    pub(super) fn send_queued(&mut self, invite: &Message, clock: &mut impl Clock) -> Deeds {
        let server = self.running.reliable_server.as_mut().filter(|server| server.unacknowledged.is_none());
        match server.and_then(|server| server.queue.pop_front()) {
            Some(provisional) => self.send_reliably(provisional, invite, clock),
            None => Deeds::new(),
        }
    }

    fn send_reliably(&mut self, provisional: Provisional, invite: &Message, clock: &mut impl Clock) -> Deeds {
        let Some(server) = &mut self.running.reliable_server else { return Deeds::new() };
        let Provisional { rseq, status, response, description } = provisional;
        let (now, t1, patience) = (clock.now(), clock.values().t1, clock.values().patience());
        let incoming = server.incoming;
        server.unacknowledged = Some(Unacknowledged {
            rseq,
            status,
            response: Bytes::clone(&response),
            carries: description.as_ref().map(|(part, _)| *part),
            wait: Wait::Repeats(clock.arm(now.plus(t1), Wake::Reliable)),
            interval: t1,
            give_up_at: now.plus(patience),
        });
        if let Some((part, body)) = description {
            self.describe_reliably(part, body);
        }
        if invite.to_tag().is_some() {
            // RFC 6141 §4.3: a reliable response takes the refresh of the target over.
            self.refreshed(invite);
        }
        self.rings();
        smallvec![Deed::Respond(incoming, status, response, false), Deed::State]
    }

    /// The guard looked when the description was queued; unless the host has told it by hand meanwhile.
    fn describe_reliably(&mut self, part: Part, body: StoredBody) {
        let reinvite = self.running.their_reinvite();
        match part {
            Part::Answer => {
                if let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Local) {
                    turn.take(body);
                }
            }
            Part::Offer => match (self.lasting.signaling.turn_to_offer(Party::Local), reinvite) {
                // With the peer's re-INVITE fails what we offered in its responses.
                (Some(turn), Some(reinvite)) => reinvite.carries = turn.carry(body),
                (Some(turn), None) => turn.take(body),
                (None, _) => {}
            },
        }
    }

    /// The unacknowledged response goes out again, or no PRACK will come: 5xx to the INVITE (§3).
    pub(super) fn reliable_due(&mut self, clock: &mut impl Clock) -> Deeds {
        let Some(server) = &mut self.running.reliable_server else { return Deeds::new() };
        let incoming = server.incoming;
        let Some(waiting) = server.unacknowledged.as_mut() else { return Deeds::new() };
        let now = clock.now();
        if now >= waiting.give_up_at && matches!(self.lasting.phase, Phase::Due(_)) {
            return self.farewell_over(clock);
        }
        if now >= waiting.give_up_at {
            return smallvec![Deed::RefuseInvite(incoming, Refusal::because(Reason::PrackTimeout, 504))];
        }
        let next = waiting.next_repeat(now);
        waiting.wait = Wait::Repeats(clock.arm(next, Wake::Reliable));
        smallvec![Deed::Respond(incoming, waiting.status, Bytes::clone(&waiting.response), true)]
    }

    // ------------------------------------------------------------------ the final response

    /// Whether a re-INVITE of the peer has changed the session before its final response, so that only a 2xx says what
    /// is so: an exchange inside it, by reliable responses, PRACK or UPDATE, is complete and acknowledged (RFC 6141
    /// §3.2, §3.3).
    pub fn has_executed(&self, incoming: IncomingId) -> bool {
        let theirs = self.running.theirs.as_ref().and_then(|theirs| theirs.reinvite.as_ref());
        let Some(reinvite) = theirs.filter(|reinvite| reinvite.request == incoming) else { return false };
        let held = self.reliable_server(incoming).is_some_and(ReliableServer::holds_acceptance);
        !held && self.lasting.signaling.has_moved_since(&reinvite.before)
    }

    /// Whether reliable responses to this INVITE have completed its exchange, with the PRACK of our description.
    pub(super) fn is_described_by_us(&self, incoming: IncomingId) -> bool {
        self.reliable_server(incoming).is_some_and(|server| server.has_described() && !server.holds_acceptance())
    }

    /// The 2xx waits for the PRACK of a description (§3). False: it goes out now.
    pub fn hold_2xx(&mut self, incoming: IncomingId, status: u16, response: &Bytes) -> bool {
        let server = self.running.reliable_server.as_mut().filter(|server| server.incoming == incoming);
        let Some(server) = server.filter(|server| server.holds_acceptance()) else { return false };
        server.held = Some(Held { status, response: Bytes::clone(response) });
        true
    }

    /// A PRACK has its answer: what waited for it goes out, the 2xx or the next of the queue.
    pub(super) fn go_on(&mut self, invite: Option<&Message>, clock: &mut impl Clock) -> Deeds {
        let Some(server) = &mut self.running.reliable_server else { return Deeds::new() };
        if !server.holds_acceptance()
            && let Some(Held { status, response }) = server.held.take()
        {
            return smallvec![Deed::Accept(server.incoming, status, response)];
        }
        invite.map_or_else(Deeds::new, |invite| self.send_queued(invite, clock))
    }

    /// The INVITE has its final response, or the dialog is over: nothing is repeated or new; a PRACK is still good
    /// (§3).
    pub(super) fn reliable_over(&mut self, deeds: &mut Deeds, clock: &mut impl Clock) -> Option<Box<ReliableServer>> {
        let server = self.running.reliable_server.take()?;
        if let Some(timer) = server.timer() {
            clock.stop(timer);
        }
        also(deeds, server.left(clock.now().plus(clock.values().patience())).map(Deed::Left));
        Some(server)
    }
}

#[cfg(test)]
mod tests;
