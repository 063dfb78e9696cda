//! What happens in a world: acts of the hosts, fates of messages, the passing of time.

use sipdlg::agent::options::response_flag;
use sipdlg::agent::{Agent, Body, RequestOptions, ResponseOptions};
use sipdlg::error::{Error, ErrorKind, Result};
use sipdlg::time::Now;
use std::fmt;

use crate::side::Host;

/// An act of a host. Each is done once in a run at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Act {
    /// 180, unreliable unless the caller wants it otherwise.
    Ring,
    /// 183 with the answer, by RFC 3262.
    RingReliably,
    /// 180 without a body, by RFC 3262.
    RingAgain,
    Accept,
    Reject,
    /// CANCEL, where the INVITE has no final response.
    Cancel,
    Reinvite,
    /// Without an offer.
    ReinviteBare,
    Update,
    Info,
    /// By whatever is legal: CANCEL, a refusal, BYE.
    Hangup,
    /// 200 to the re-INVITE or UPDATE that waits for its answer.
    AcceptChange,
    /// 488 to it.
    RefuseChange,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The oldest message on the way to a side arrives.
    Deliver(u8),
    /// One that is late arrives.
    Late(u8),
    /// Time passes up to the next time-out of a side.
    Tick(u8),
    /// A host does something.
    Act(u8, Act),
    /// The oldest message on the way to a side is lost.
    Lose(u8),
    /// It arrives, and comes again whenever it likes.
    Repeat(u8),
    /// It is overtaken by whatever likes to.
    Delay(u8),
}

impl Step {
    /// Whether the link does what it should not.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Lose(_) | Self::Repeat(_) | Self::Delay(_))
    }
}

pub const NAMES: [&str; 2] = ["alice", "bob"];

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |side: &u8| NAMES[usize::from(*side)];
        match self {
            Self::Deliver(side) => write!(out, "{} gets the next message", name(side)),
            Self::Late(at) => write!(out, "late message {at} arrives"),
            Self::Tick(side) => write!(out, "time passes to {}'s next time-out", name(side)),
            Self::Act(side, act) => write!(out, "{}'s host: {act:?}", name(side)),
            Self::Lose(side) => write!(out, "FAULT the next message to {} is lost", name(side)),
            Self::Repeat(side) => write!(out, "FAULT the next message to {} arrives, and will again", name(side)),
            Self::Delay(side) => write!(out, "FAULT the next message to {} is late", name(side)),
        }
    }
}

/// A description that tells who wrote it and when.
pub fn description(side: u8, of: &str) -> String {
    let name = NAMES[usize::from(side)];
    format!("v=0\r\no={name}{of} 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
}

pub fn sdp(text: &str) -> Option<Body<'_>> {
    Some(Body { content: text.as_bytes(), content_type: None, disposition: None })
}

impl Act {
    /// One of [`Host::done`].
    pub fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Does it. Errors: it is not legal now, or there is nothing to do it to; then nothing has changed.
    pub fn perform(self, side: u8, agent: &mut Agent, host: &Host, now: Now) -> Result<()> {
        let nothing = || Error::new(ErrorKind::State, "nothing to do it to");
        let session = || host.session.ok_or_else(nothing);
        let waiting = || host.invite.ok_or_else(nothing);
        let change = || host.change.ok_or_else(nothing);
        let offer = description(side, &format!("-{self:?}"));
        let asks = RequestOptions { body: sdp(&offer), ..RequestOptions::default() };
        let answers = |text| ResponseOptions { body: sdp(text), ..ResponseOptions::default() };
        let plain = ResponseOptions::default();
        match self {
            Self::Ring => agent.progress(now, waiting()?, 180, &plain).map(drop),
            Self::RingReliably => {
                let options = ResponseOptions { flags: response_flag::RELIABLE, ..answers(&offer) };
                agent.progress(now, waiting()?, 183, &options).map(drop)
            }
            Self::RingAgain => {
                let options = ResponseOptions { flags: response_flag::RELIABLE, ..plain };
                agent.progress(now, waiting()?, 180, &options).map(drop)
            }
            Self::Accept => {
                // What a reliable response answered is answered.
                let id = waiting()?;
                let open = agent.session_of_incoming(id)?.and_then(|id| agent.session(id).ok());
                let answered = open.is_some_and(|session| session.local_description().is_some());
                agent.accept(now, id, 200, &if answered { plain } else { answers(&offer) }).map(drop)
            }
            Self::Reject => agent.reject(now, waiting()?, 486, &plain).map(drop),
            Self::Cancel => {
                let id = host.outgoing.ok_or_else(nothing)?;
                let done = agent.cancel(now, id, None, &RequestOptions::default())?;
                if done { Ok(()) } else { Err(nothing()) }
            }
            Self::Reinvite => agent.reinvite(now, session()?, asks).map(drop),
            Self::ReinviteBare => agent.reinvite(now, session()?, RequestOptions::default()).map(drop),
            Self::Update => agent.update(now, session()?, asks).map(drop),
            Self::Info => agent.info(now, session()?, RequestOptions::default()).map(drop),
            Self::Hangup => match host.session {
                Some(id) => agent.hangup(now, id, 0, RequestOptions::default()),
                None => Err(nothing()),
            },
            Self::AcceptChange => agent.accept(now, change()?, 200, &answers(&offer)).map(drop),
            Self::RefuseChange => agent.reject(now, change()?, 488, &plain).map(drop),
        }
    }
}
