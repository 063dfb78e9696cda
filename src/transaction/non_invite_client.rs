//! Non-INVITE client transaction: RFC 3261 §17.1.2, figure 6.

use std::time::Duration;

use super::timers::{Actions, Environment, Input, Letter, Tell, Wire};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The request was sent, nothing came back; `interval` is what timer E runs now.
    Trying {
        /// Timer E.
        interval: Duration,
    },
    /// A provisional response came; timer E runs T2.
    Proceeding,
    /// A final response came; repeats are absorbed until timer K.
    Completed,
    /// Over.
    Terminated,
}

/// The user hands the request down.
pub fn start(environment: &Environment) -> (State, Actions) {
    let interval = environment.first(Letter::E);
    let actions = Actions::NONE.send(Wire::New).start(Letter::F, environment.first(Letter::F));
    let actions = if environment.reliable { actions } else { actions.start(Letter::E, interval) };
    (State::Trying { interval }, actions)
}

impl State {
    /// One input. What no arrow of the figure takes changes nothing.
    #[must_use]
    pub fn handle(self, input: Input, environment: &Environment) -> (Self, Actions) {
        match (self, input) {
            // Timer E: send request, min(2*E, T2).
            (Self::Trying { interval }, Input::Timer(Letter::E)) => {
                let interval = environment.doubled(interval);
                (Self::Trying { interval }, Actions::NONE.send(Wire::Again).start(Letter::E, interval))
            }
            // Timer E: send request; from the first provisional response on always T2.
            (Self::Proceeding, Input::Timer(Letter::E)) => {
                (self, Actions::NONE.send(Wire::Again).start(Letter::E, environment.timers.t2))
            }
            // Timer F or transport error: inform TU.
            (Self::Trying { .. } | Self::Proceeding, Input::Timer(Letter::F)) => {
                (Self::Terminated, Actions::END.tell(Tell::TimedOut))
            }
            (Self::Trying { .. } | Self::Proceeding, Input::TransportError | Input::LinkLost) => {
                (Self::Terminated, Actions::END.tell(Tell::TransportError))
            }
            // 1xx: response to TU. E and F run on.
            (Self::Trying { .. } | Self::Proceeding, Input::Response(100..=199)) => {
                (Self::Proceeding, Actions::NONE.tell(Tell::PassUp))
            }
            // 200-699: response to TU.
            (Self::Trying { .. } | Self::Proceeding, Input::Response(200..=699)) => {
                let actions = Actions::END.tell(Tell::PassUp);
                match environment.first(Letter::K) {
                    Duration::ZERO => (Self::Terminated, actions),
                    k => (Self::Completed, actions.start(Letter::K, k)),
                }
            }
            // Timer K.
            (Self::Completed, Input::Timer(Letter::K)) => (Self::Terminated, Actions::END),
            _ => (self, Actions::NONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimerValues;
    use crate::transaction::timers::Change;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const TRYING: State = State::Trying { interval: ms(500) };
    const UDP: Environment =
        Environment { timers: TimerValues { t1: ms(500), t2: ms(4_000), t4: ms(5_000) }, reliable: false };
    const TCP: Environment = Environment { reliable: true, ..UDP };

    /// One row for each arrow of the figure, and for what must not be one.
    #[test]
    fn arrows() {
        use Input::{LinkLost, Response, Timer, TransportError};
        use State::{Completed, Proceeding, Terminated};
        let up = Actions::NONE.tell(Tell::PassUp);
        let over = Actions::END.tell(Tell::PassUp);
        let completed = over.start(Letter::K, ms(5_000));
        let again = Actions::NONE.send(Wire::Again);
        let failed = Actions::END.tell(Tell::TransportError);
        let timed_out = Actions::END.tell(Tell::TimedOut);
        for (state, input, environment, next, actions) in [
            (TRYING, Timer(Letter::E), UDP, State::Trying { interval: ms(1_000) }, again.start(Letter::E, ms(1_000))),
            (TRYING, Timer(Letter::F), UDP, Terminated, timed_out),
            (TRYING, Timer(Letter::F), TCP, Terminated, timed_out),
            (TRYING, TransportError, UDP, Terminated, failed),
            (TRYING, TransportError, TCP, Terminated, failed),
            (TRYING, Response(100), UDP, Proceeding, up),
            (TRYING, Response(183), TCP, Proceeding, up),
            (TRYING, Response(200), UDP, Completed, completed),
            (TRYING, Response(200), TCP, Terminated, over),
            (TRYING, Response(699), UDP, Completed, completed),
            (Proceeding, Timer(Letter::E), UDP, Proceeding, again.start(Letter::E, ms(4_000))),
            (Proceeding, Timer(Letter::F), UDP, Terminated, timed_out),
            (Proceeding, Timer(Letter::F), TCP, Terminated, timed_out),
            (Proceeding, TransportError, UDP, Terminated, failed),
            (Proceeding, LinkLost, TCP, Terminated, failed),
            (TRYING, LinkLost, TCP, Terminated, failed),
            (Proceeding, Response(100), UDP, Proceeding, up),
            (Proceeding, Response(100), TCP, Proceeding, up),
            (Proceeding, Response(481), UDP, Completed, completed),
            (Proceeding, Response(481), TCP, Terminated, over),
            (Completed, Timer(Letter::K), UDP, Terminated, Actions::END),
            // No arrows.
            (Completed, Response(200), UDP, Completed, Actions::NONE),
            (Completed, TransportError, UDP, Completed, Actions::NONE),
            (Completed, LinkLost, UDP, Completed, Actions::NONE),
            (Completed, Timer(Letter::E), UDP, Completed, Actions::NONE),
            (TRYING, Response(700), UDP, TRYING, Actions::NONE),
            (Terminated, Response(200), UDP, Terminated, Actions::NONE),
        ] {
            assert_eq!(state.handle(input, &environment), (next, actions), "{state:?} {input:?}");
        }
    }

    #[test]
    fn the_start_arms_e_and_f_or_only_f() {
        let sent = Actions::NONE.send(Wire::New).start(Letter::F, ms(32_000));
        assert_eq!(start(&UDP), (TRYING, sent.start(Letter::E, ms(500))));
        assert_eq!(start(&TCP), (TRYING, sent));
    }

    /// The times of the repeats within 64*T1, with a provisional response before repeat number `proceeding`.
    fn repeats(proceeding: usize) -> Vec<u128> {
        let (mut state, mut sum, mut interval, mut sent) = (start(&UDP).0, ms(0), ms(500), Vec::new());
        while sum + interval < ms(32_000) {
            sum += interval;
            if sent.len() == proceeding {
                state = state.handle(Input::Response(100), &UDP).0;
            }
            let (next, actions) = state.handle(Input::Timer(Letter::E), &UDP);
            let Change::Start(Letter::E, after) = actions.repeat else { panic!() };
            assert_eq!(actions.send, Wire::Again);
            sent.push(sum.as_millis());
            (state, interval) = (next, after);
        }
        sent
    }

    /// §17.1.2.2: 500 ms, 1 s, 2 s, 4 s, 4 s, ...; in Proceeding always 4 s.
    #[test]
    fn timer_e_doubles_up_to_t2() {
        assert_eq!(repeats(99), [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!(repeats(0), [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    }
}
