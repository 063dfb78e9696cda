//! INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2 (its figure 5 anew).

use std::time::Duration;

use super::timers::{Actions, Environment, Input, Letter, Tell, Wire};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The INVITE was sent, nothing came back; `interval` is what timer A runs now.
    Calling {
        /// Timer A.
        interval: Duration,
    },
    /// A provisional response came.
    Proceeding,
    /// A final response other than 2xx came; it is acknowledged as often as it is repeated, until timer D.
    Completed,
    /// A 2xx came; every 2xx goes up until timer M.
    Accepted,
    /// Over.
    Terminated,
}

/// The user hands the INVITE down.
pub fn start(environment: &Environment) -> (State, Actions) {
    let interval = environment.first(Letter::A);
    let actions = Actions::NONE.send(Wire::New).start(Letter::B, environment.first(Letter::B));
    let actions = if environment.reliable { actions } else { actions.start(Letter::A, interval) };
    (State::Calling { interval }, actions)
}

impl State {
    /// One input. What no arrow of the figure takes changes nothing.
    #[must_use]
    pub fn handle(self, input: Input, environment: &Environment) -> (Self, Actions) {
        match (self, input) {
            // Timer A fires: reset A, INVITE sent. It doubles without a cap (§17.1.1.2).
            (Self::Calling { interval }, Input::Timer(Letter::A)) => {
                let interval = interval.saturating_mul(2);
                (Self::Calling { interval }, Actions::NONE.send(Wire::Again).start(Letter::A, interval))
            }
            // Timer B fires: inform TU.
            (Self::Calling { .. }, Input::Timer(Letter::B)) => (Self::Terminated, Actions::END.tell(Tell::TimedOut)),
            // 1xx: 1xx to TU. Neither A nor B runs from now on.
            (Self::Calling { .. } | Self::Proceeding, Input::Response(100..=199)) => {
                (Self::Proceeding, Actions::END.tell(Tell::PassUp))
            }
            // 2xx: 2xx to TU (RFC 6026).
            (Self::Calling { .. } | Self::Proceeding, Input::Response(200..=299)) => {
                let actions = Actions::NONE.stop_repeat().start(Letter::M, environment.first(Letter::M));
                (Self::Accepted, actions.tell(Tell::PassUp))
            }
            // 300-699: ACK sent, response to TU.
            (Self::Calling { .. } | Self::Proceeding, Input::Response(300..=699)) => {
                let actions = Actions::END.send(Wire::Ack).tell(Tell::PassUp);
                match environment.first(Letter::D) {
                    Duration::ZERO => (Self::Terminated, actions),
                    d => (Self::Completed, actions.start(Letter::D, d)),
                }
            }
            // 300-699: ACK sent. Not passed up again.
            (Self::Completed, Input::Response(300..=699)) => (Self::Completed, Actions::NONE.send(Wire::Again)),
            // Timer D fires.
            (Self::Completed, Input::Timer(Letter::D)) => (Self::Terminated, Actions::END),
            // Transport error: inform TU. None leads out of Proceeding, for that INVITE has arrived; nor out of Accepted:
            // the ACK to a 2xx is not the transaction's.
            (Self::Calling { .. }, Input::TransportError)
            | (Self::Calling { .. } | Self::Proceeding | Self::Completed, Input::LinkLost) => {
                (Self::Terminated, Actions::END.tell(Tell::TransportError))
            }
            (Self::Completed, Input::TransportError) => (Self::Terminated, Actions::END.tell(Tell::AckFailed)),
            // 2xx: 2xx to TU (RFC 6026).
            (Self::Accepted, Input::Response(200..=299)) => (Self::Accepted, Actions::NONE.tell(Tell::PassUp)),
            // Timer M fires.
            (Self::Accepted, Input::Timer(Letter::M)) => (Self::Terminated, Actions::END),
            _ => (self, Actions::NONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimerValues;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const CALLING: State = State::Calling { interval: ms(500) };
    const UDP: Environment =
        Environment { timers: TimerValues { t1: ms(500), t2: ms(4_000), t4: ms(5_000) }, reliable: false };
    const TCP: Environment = Environment { reliable: true, ..UDP };

    /// One row for each arrow of the figure, and for what must not be one.
    #[test]
    fn arrows() {
        use Input::{LinkLost, Response, Timer, TransportError};
        use State::{Accepted, Completed, Proceeding, Terminated};
        let up = Actions::NONE.tell(Tell::PassUp);
        let accepted = up.stop_repeat().start(Letter::M, ms(32_000));
        let rejected = Actions::END.send(Wire::Ack).tell(Tell::PassUp);
        let completed = rejected.start(Letter::D, ms(32_000));
        let failed = Actions::END.tell(Tell::TransportError);
        for (state, input, environment, next, actions) in [
            (
                CALLING,
                Timer(Letter::A),
                UDP,
                State::Calling { interval: ms(1_000) },
                Actions::NONE.send(Wire::Again).start(Letter::A, ms(1_000)),
            ),
            (CALLING, Timer(Letter::B), UDP, Terminated, Actions::END.tell(Tell::TimedOut)),
            (CALLING, Timer(Letter::B), TCP, Terminated, Actions::END.tell(Tell::TimedOut)),
            (CALLING, TransportError, UDP, Terminated, failed),
            (CALLING, TransportError, TCP, Terminated, failed),
            (CALLING, LinkLost, TCP, Terminated, failed),
            (CALLING, Response(100), UDP, Proceeding, Actions::END.tell(Tell::PassUp)),
            (CALLING, Response(199), TCP, Proceeding, Actions::END.tell(Tell::PassUp)),
            (CALLING, Response(200), UDP, Accepted, accepted),
            (CALLING, Response(299), TCP, Accepted, accepted),
            (CALLING, Response(300), UDP, Completed, completed),
            (CALLING, Response(699), TCP, Terminated, rejected),
            (Proceeding, Response(180), UDP, Proceeding, Actions::END.tell(Tell::PassUp)),
            (Proceeding, Response(202), UDP, Accepted, accepted),
            (Proceeding, Response(200), TCP, Accepted, accepted),
            (Proceeding, Response(486), UDP, Completed, completed),
            (Proceeding, Response(486), TCP, Terminated, rejected),
            (Proceeding, LinkLost, UDP, Terminated, failed),
            (Completed, Response(486), UDP, Completed, Actions::NONE.send(Wire::Again)),
            (Completed, TransportError, UDP, Terminated, Actions::END.tell(Tell::AckFailed)),
            (Completed, LinkLost, UDP, Terminated, failed),
            (Completed, Timer(Letter::D), UDP, Terminated, Actions::END),
            (Accepted, Response(200), UDP, Accepted, up),
            (Accepted, Response(200), TCP, Accepted, up),
            (Accepted, Timer(Letter::M), UDP, Terminated, Actions::END),
            (Accepted, Timer(Letter::M), TCP, Terminated, Actions::END),
            // No arrows.
            (Proceeding, TransportError, UDP, Proceeding, Actions::NONE),
            (Proceeding, Timer(Letter::A), UDP, Proceeding, Actions::NONE),
            (Proceeding, Timer(Letter::B), UDP, Proceeding, Actions::NONE),
            (Completed, Response(180), UDP, Completed, Actions::NONE),
            (Completed, Response(200), UDP, Completed, Actions::NONE),
            (Accepted, Response(180), UDP, Accepted, Actions::NONE),
            (Accepted, Response(486), UDP, Accepted, Actions::NONE),
            (Accepted, TransportError, UDP, Accepted, Actions::NONE),
            (Accepted, LinkLost, TCP, Accepted, Actions::NONE),
            (CALLING, Input::Ack, UDP, CALLING, Actions::NONE),
            (CALLING, Response(99), UDP, CALLING, Actions::NONE),
            (CALLING, Response(700), UDP, CALLING, Actions::NONE),
            (Terminated, Response(200), UDP, Terminated, Actions::NONE),
        ] {
            assert_eq!(state.handle(input, &environment), (next, actions), "{state:?} {input:?}");
        }
    }

    #[test]
    fn the_start_arms_a_and_b_or_only_b() {
        let sent = Actions::NONE.send(Wire::New).start(Letter::B, ms(32_000));
        assert_eq!(start(&UDP), (CALLING, sent.start(Letter::A, ms(500))));
        assert_eq!(start(&TCP), (CALLING, sent));
    }

    /// §17.1.1.2: 500 ms, 1 s, 2 s, 4 s, 8 s, 16 s: seven INVITEs in 32 s.
    #[test]
    fn timer_a_doubles_without_a_cap() {
        let (mut state, mut sum, mut sent) = (start(&UDP).0, ms(0), Vec::new());
        let mut interval = ms(500);
        while sum + interval < ms(32_000) {
            sum += interval;
            let (next, actions) = state.handle(Input::Timer(Letter::A), &UDP);
            assert_eq!(actions.send, Wire::Again);
            let crate::transaction::timers::Change::Start(Letter::A, after) = actions.repeat else { panic!() };
            sent.push(sum.as_millis());
            (state, interval) = (next, after);
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    }
}
