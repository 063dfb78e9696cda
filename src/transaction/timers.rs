//! The timers of RFC 3261 §17 (table 4) with RFC 6026 and RFC 4320, by their letters; and what a machine asks for.

use std::time::Duration;

use crate::config::TimerValues;

/// Why a timer of a transaction runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Letter {
    /// INVITE client: sends the request again. T1, doubling without a cap.
    A,
    /// INVITE client: no response came. 64*T1.
    B,
    /// INVITE client, Completed: waits for repeated finals. At least 32 s.
    D,
    /// Non-INVITE client: sends the request again. T1, doubling up to T2; T2 once there was a provisional response.
    E,
    /// Non-INVITE client: no final response came. 64*T1.
    F,
    /// INVITE server: sends the final response again. T1, doubling up to T2.
    G,
    /// INVITE server: no ACK came. 64*T1.
    H,
    /// INVITE server, Confirmed: waits for repeated ACKs. T4.
    I,
    /// Non-INVITE server, Completed: waits for repeated requests. 64*T1.
    J,
    /// Non-INVITE client, Completed: waits for repeated finals. T4.
    K,
    /// INVITE server, Accepted (RFC 6026). 64*T1.
    L,
    /// INVITE client, Accepted (RFC 6026). 64*T1.
    M,
    /// Server: the 100 that we send ourselves (200 ms, RFC 3261 §17.2.1; 3.5 s for non-INVITE, RFC 4320 §4.1).
    Trying,
}

impl Letter {
    /// Whether it repeats something; the others end a state. A transaction never has two of one sort running.
    pub const fn is_repeat(self) -> bool {
        matches!(self, Self::A | Self::E | Self::G | Self::Trying)
    }
}

/// What all machines know of their surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// T1, T2, T4.
    pub timers: TimerValues,
    /// Whether the transport repeats what is lost: then A, E, G do not run and D, I, J, K are zero.
    pub reliable: bool,
}

/// Timer D: "at least 32 seconds" on unreliable transports.
const LEAST_D: Duration = Duration::from_secs(32);

/// RFC 3261 §17.2.1.
const INVITE_TRYING: Duration = Duration::from_millis(200);

impl Environment {
    /// How long a timer runs when it is first started.
    pub fn first(&self, letter: Letter) -> Duration {
        let zero_if_reliable = |span| if self.reliable { Duration::ZERO } else { span };
        match letter {
            Letter::A | Letter::E | Letter::G => self.timers.t1,
            Letter::B | Letter::F | Letter::H | Letter::L | Letter::M => self.timers.patience(),
            Letter::D => zero_if_reliable(self.timers.patience().max(LEAST_D)),
            Letter::I | Letter::K => zero_if_reliable(self.timers.t4),
            Letter::J => zero_if_reliable(self.timers.patience()),
            Letter::Trying => INVITE_TRYING,
        }
    }

    /// The interval after `interval`, doubled up to T2 (timers E and G).
    pub fn doubled(&self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.timers.t2)
    }

    /// RFC 4320 §4.1: when the client's timer E has grown to T2: 3.5 s with the usual T1 and T2.
    pub fn non_invite_trying(&self) -> Duration {
        let (mut sum, mut interval) = (Duration::ZERO, self.timers.t1);
        while interval < self.timers.t2 && !interval.is_zero() {
            sum += interval;
            interval = interval.saturating_mul(2);
        }
        sum
    }
}

/// What comes into a machine besides the user's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Client: a response of this status arrived.
    Response(u16),
    /// Server: the request arrived again.
    Request,
    /// Server: an ACK arrived.
    Ack,
    /// A timer came due.
    Timer(Letter),
    /// The transport could not send.
    TransportError,
    /// Client: the connection that the request went by is gone, and with it the way of its responses.
    LinkLost,
}

/// What a machine wants done, in this order: stop timers, start timers, send, tell the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// The repeating timer (A, E, G, Trying).
    pub repeat: Change,
    /// The timer that ends the state (all other letters).
    pub end: Change,
    /// What goes onto the wire.
    pub send: Wire,
    /// What the transaction user learns.
    pub tell: Tell,
}

/// What becomes of a timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is stopped, if it runs.
    Stop,
    /// It is started anew.
    Start(Letter, Duration),
}

/// What goes onto the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Nothing.
    #[default]
    Nothing,
    /// The user's request or response, for the first time.
    New,
    /// What was sent last, again; nothing when nothing was sent.
    Again,
    /// Client: the ACK to a final response other than 2xx, made from it.
    Ack,
    /// Server: a 100 (Trying) that we make ourselves.
    Trying,
}

/// What the transaction user learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tell {
    /// Nothing.
    #[default]
    Nothing,
    /// The message that came in.
    PassUp,
    /// Timer B, F or H: the peer did not answer.
    TimedOut,
    /// The request could not be sent, or the link of its responses is gone.
    TransportError,
    /// The ACK to a final response other than 2xx could not be sent.
    AckFailed,
}

impl Actions {
    /// Nothing at all.
    pub const NONE: Self = Self { repeat: Change::Keep, end: Change::Keep, send: Wire::Nothing, tell: Tell::Nothing };

    /// Everything that ends a transaction on the spot.
    pub const END: Self = Self { repeat: Change::Stop, end: Change::Stop, ..Self::NONE };

    /// Starts a timer.
    #[must_use]
    pub const fn start(mut self, letter: Letter, after: Duration) -> Self {
        if letter.is_repeat() {
            self.repeat = Change::Start(letter, after);
        } else {
            self.end = Change::Start(letter, after);
        }
        self
    }

    /// Stops the repeating timer.
    #[must_use]
    pub const fn stop_repeat(mut self) -> Self {
        self.repeat = Change::Stop;
        self
    }

    /// Sends.
    #[must_use]
    pub const fn send(mut self, send: Wire) -> Self {
        self.send = send;
        self
    }

    /// Tells the user.
    #[must_use]
    pub const fn tell(mut self, tell: Tell) -> Self {
        self.tell = tell;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(reliable: bool) -> Environment {
        Environment { timers: TimerValues::default(), reliable }
    }

    /// RFC 3261 table 4 and RFC 6026 §7.1: letter, first value in ms on UDP, on TCP.
    #[test]
    fn the_table_of_timers() {
        for (letter, unreliable, reliable) in [
            (Letter::A, 500, 500),
            (Letter::B, 32_000, 32_000),
            (Letter::D, 32_000, 0),
            (Letter::E, 500, 500),
            (Letter::F, 32_000, 32_000),
            (Letter::G, 500, 500),
            (Letter::H, 32_000, 32_000),
            (Letter::I, 5_000, 0),
            (Letter::J, 32_000, 0),
            (Letter::K, 5_000, 0),
            (Letter::L, 32_000, 32_000),
            (Letter::M, 32_000, 32_000),
            (Letter::Trying, 200, 200),
        ] {
            assert_eq!(environment(false).first(letter), Duration::from_millis(unreliable), "{letter:?}");
            assert_eq!(environment(true).first(letter), Duration::from_millis(reliable), "{letter:?}");
        }
    }

    #[test]
    fn timer_d_is_never_below_32_seconds() {
        let timers = TimerValues { t1: Duration::from_millis(100), ..TimerValues::default() };
        assert_eq!(Environment { timers, reliable: false }.first(Letter::D), Duration::from_secs(32));
        let timers = TimerValues { t1: Duration::from_secs(1), ..TimerValues::default() };
        assert_eq!(Environment { timers, reliable: false }.first(Letter::D), Duration::from_secs(64));
    }

    #[test]
    fn the_100_of_a_non_invite_waits_until_timer_e_is_t2() {
        assert_eq!(environment(false).non_invite_trying(), Duration::from_millis(3_500));
        let timers = TimerValues { t1: Duration::ZERO, ..TimerValues::default() };
        assert_eq!(Environment { timers, reliable: false }.non_invite_trying(), Duration::ZERO);
    }
}
