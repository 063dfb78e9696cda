//! What a session wants done. The session decides and keeps its books; the floor above carries out, in the order in
//! which the deeds stand, which is the order in which a host sees them.
//!
//! Three kinds of questions reach a session. A guard says whether an act may be done, and gives a `Result`. What a
//! message of the peer's meets (`reinvite::Arrival`, `prack_server::Prack`) or leaves to do (`invite_client::Taken`) is
//! a verdict, where the request decides with the session. Every input gives deeds. Beside them stand here the clock of
//! a session, what wakes it, and what deeds carry.

use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::message::Message;
use crate::message::rack::RAck;
use crate::session::reason::{Ending, Reason};
use crate::slots::{IncomingId, OutgoingId};
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::Bytes;
use smallvec::SmallVec;
use std::sync::Arc;

/// What follows from one input.
pub type Deeds = SmallVec<[Deed; 4]>;

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Deed {
    /// STATE, unless it was told already.
    State,
    /// The session stands: it is counted.
    Confirmed,
    /// ACK: the ACK of a 2xx of ours is here. NO_ANSWER_IN_2XX where it lacks the answer.
    Acknowledged(Arc<Message>, Reason),
    /// ACK_TIMEOUT: the host decides (RFC 3261 §13.3.1.4).
    AckTimedOut,
    /// A request of the peer's has had all that it was due.
    Over(IncomingId),
    /// A final response to a request of the peer's that waits.
    Refuse(IncomingId, Box<Refusal>),
    /// The INVITE of the peer's that made the session has no other dialog left: it is refused so. Else the session
    /// alone ends.
    RefuseInvite(IncomingId, Box<Refusal>),
    /// The session is over, and with it the INVITE of the peer's that made it, where that is unanswered and has no
    /// other dialog. True: its 2xx waited for a PRACK, and is void now.
    LeaveInvite(IncomingId, bool),
    /// A response to an INVITE of the peer's that waits goes out; true: again.
    Respond(IncomingId, u16, Bytes, bool),
    /// The 2xx that waited for a PRACK goes out.
    Accept(IncomingId, u16, Bytes),
    /// A 2xx goes out again.
    Repeat(Box<(Bytes, Flow)>),
    /// A final response left this one unacknowledged: its PRACK is still good (RFC 3262 §3).
    Left(Left),
    /// ACK of a 2xx, without an answer, because the host gives none (RFC 3261 §13.2.2.4).
    Acknowledge(OutgoingId),
    /// An early dialog of our INVITE is over: a 2xx of it makes no session. True: no BYE tells the callee, for the host
    /// forgot it, or it was ended by a 199 (RFC 6228 §4).
    ForkEnded(OutgoingId, bool),
    /// The refusal of our re-INVITE that waited to be sent again becomes its final answer.
    GiveUpRetry(OutgoingId),
    /// A refresh of the session, of which the host hears nothing (RFC 4028 §10).
    Refresh,
    /// The host's change that waited for the end of a refresh goes out.
    GoOn(OutgoingId),
    /// BYE; the session is over with it.
    Bye(Box<DeferredBye>),
    /// The session has ended: TERMINATED is due.
    Finish,
    /// TERMINATED; the re-INVITE of ours that goes on without it, with the dialog for its ACK.
    Terminated(Ending, Option<Box<(OutgoingId, Dialog)>>),
}

/// A BYE that goes out, at once or when it becomes legal.
#[derive(Clone, Debug)]
pub struct DeferredBye {
    /// Why the session ends.
    pub ending: Ending,
    /// What the host wants in it.
    pub wanted: Option<Wanted>,
}

impl DeferredBye {
    /// Bytes held.
    pub fn held(&self) -> usize {
        let wanted = self.wanted.as_ref().map_or(0, |wanted| {
            let texts = [&wanted.body, &wanted.content_type, &wanted.disposition].into_iter().flatten();
            let lines = wanted.headers.iter().chain(texts).map(|text| text.len());
            size_of_val(&*wanted.headers) + lines.sum::<usize>()
        });
        size_of::<Self>() + wanted + self.ending.heap_bytes(false)
    }
}

/// Header lines and body of the host's for a BYE that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// "Name: value" lines.
    pub headers: Box<[Box<[u8]>]>,
    /// The body; `None`: none.
    pub body: Option<Box<[u8]>>,
    /// Its Content-Type; `None`: application/sdp.
    pub content_type: Option<Box<[u8]>>,
    /// Its Content-Disposition.
    pub disposition: Option<Box<[u8]>>,
}

impl Wanted {
    /// One header line.
    pub fn line(line: &[u8]) -> Self {
        Self { headers: Box::new([line.into()]), ..Self::default() }
    }
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

/// A final response that the session wants given.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// `None`: by the status.
    pub reason: Option<&'static [u8]>,
    /// Why the sessions end that it ends.
    pub ending: Ending,
}

impl Refusal {
    /// With this status, which the endings tell too.
    pub fn because(reason: Reason, status: u16) -> Box<Self> {
        Box::new(Self { status, reason: None, ending: Ending { status_code: status, ..Ending::because(reason) } })
    }
}

/// One thing more, if there is one.
pub(super) fn also(deeds: &mut Deeds, more: Option<Deed>) {
    if let Some(more) = more {
        deeds.push(more);
    }
}

/// Which timer of a session is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A 2xx that waits for its ACK: to be repeated, or given up (RFC 3261 §13.3.1.4). The number is its CSeq's.
    Accepted(u32),
    /// A reliable response that waits for its PRACK: to be repeated, or given up (RFC 3262 §3).
    Reliable,
    /// A refresh is due, or the end without one (RFC 4028 §10).
    SessionTimer,
}

/// The time as a session sees it, and its timers.
pub trait Clock {
    /// Now.
    fn now(&self) -> Time;
    /// T1, T2 and what follows from them.
    fn values(&self) -> &crate::config::TimerValues;
    /// Wakes the session then.
    fn arm(&mut self, at: Time, wake: Wake) -> TimerId;
    /// Does not.
    fn stop(&mut self, timer: TimerId);
}
