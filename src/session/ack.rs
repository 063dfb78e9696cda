//! The 2xx of a callee until its ACK (RFC 3261 §13.3.1.4).

use crate::config::TimerValues;
use crate::flow::Flow;
use crate::slots::IncomingId;
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::Bytes;
use std::time::Duration;

/// Whether the host takes its time with the description in an ACK (SIP.js: onAck returns a promise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckProcessing {
    /// With the ACK's arrival it is done.
    #[default]
    AtOnce,
    /// It says when; nothing waits now.
    Deferred,
    /// An ACK with a body waits for it: no re-INVITE meanwhile (RFC 6337 §4.3, UAS-IsI).
    Waiting,
}

/// A 2xx to an INVITE that waits for its ACK: repeated at T1, doubling to T2, on every transport, until 64*T1.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The INVITE or re-INVITE.
    pub incoming: IncomingId,
    /// Its number, which is the ACK's (RFC 5407 §3.1.4).
    pub cseq: u32,
    /// The response.
    pub response: Bytes,
    /// Where it goes.
    pub flow: Flow,
    /// The wait before the next repeat.
    pub interval: Duration,
    /// The next repeat, or the end of patience.
    pub timer: TimerId,
    /// The end of patience.
    pub give_up_at: Time,
    /// Whether the response carried the offer, so that the ACK owes the answer.
    pub carried_offer: bool,
    /// What the request meant for the peer's target.
    pub refresh: Refresh,
}

/// What an accepted request did to the remote target (RFC 6141 §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// It stayed.
    #[default]
    None,
    /// It moved, so that the peer may have left the place where the 2xx goes.
    Moved,
    /// It moved, and a newer INVITE came from there: that no ACK comes ends nothing.
    Superseded,
}

impl Accepted {
    /// The wait after this repeat.
    pub fn next_interval(&mut self, timers: &TimerValues) -> Duration {
        self.interval = (self.interval * 2).min(timers.t2.max(timers.t1));
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;
    use crate::timer::Wheel;

    #[test]
    fn the_schedule_of_the_rfc() {
        let timers = TimerValues::default();
        let mut accepted = Accepted {
            incoming: IncomingId::from_raw(1),
            cseq: 1,
            response: Bytes::from(&b""[..]),
            flow: Flow::new(Transport::Udp, None, None),
            interval: timers.t1,
            timer: Wheel::new(Time::default()).arm(Time::default(), ()),
            give_up_at: Time::default(),
            carried_offer: false,
            refresh: Refresh::None,
        };
        let (mut at, mut schedule) = (accepted.interval, Vec::new());
        while at < timers.patience() {
            schedule.push(at.as_millis());
            at += accepted.next_interval(&timers);
        }
        assert_eq!(schedule, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    }
}
