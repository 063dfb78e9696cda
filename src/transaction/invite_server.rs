//! INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1 (its figure 7 anew).

use std::time::Duration;

use super::timers::{Actions, Environment, Input, Letter, Tell, Wire};
use crate::error::{Error, Result};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The user has not answered finally.
    Proceeding,
    /// A final response other than 2xx was sent; `interval` is what timer G runs now. Until the ACK, or timer H.
    Completed {
        /// Timer G.
        interval: Duration,
    },
    /// The ACK came; repeats of it are absorbed until timer I.
    Confirmed,
    /// A 2xx was sent; the user repeats it, ACKs go up, INVITEs are absorbed, until timer L.
    Accepted,
    /// Over.
    Terminated,
}

/// The INVITE arrived. The 100 is ours if the user says nothing for 200 ms.
pub fn start(environment: &Environment) -> (State, Actions) {
    let actions = Actions::NONE.start(Letter::Trying, environment.first(Letter::Trying));
    (State::Proceeding, actions.tell(Tell::PassUp))
}

impl State {
    /// One input. What no arrow of the figure takes changes nothing; a transport error never does (RFC 6026 §7.1).
    #[must_use]
    pub fn handle(self, input: Input, environment: &Environment) -> (Self, Actions) {
        match (self, input) {
            // INVITE: send the last response again, in Proceeding the provisional one.
            (Self::Proceeding | Self::Completed { .. }, Input::Request) => (self, Actions::NONE.send(Wire::Again)),
            // §17.2.1: 100 if the user does not answer within 200 ms.
            (Self::Proceeding, Input::Timer(Letter::Trying)) => (self, Actions::NONE.send(Wire::Trying)),
            // Timer G fires: send response.
            (Self::Completed { interval }, Input::Timer(Letter::G)) => {
                let interval = environment.doubled(interval);
                (Self::Completed { interval }, Actions::NONE.send(Wire::Again).start(Letter::G, interval))
            }
            // Timer H fires: inform TU.
            (Self::Completed { .. }, Input::Timer(Letter::H)) => (Self::Terminated, Actions::END.tell(Tell::TimedOut)),
            // ACK.
            (Self::Completed { .. }, Input::Ack) => match environment.first(Letter::I) {
                Duration::ZERO => (Self::Terminated, Actions::END),
                i => (Self::Confirmed, Actions::END.start(Letter::I, i)),
            },
            // Timer I fires.
            (Self::Confirmed, Input::Timer(Letter::I)) => (Self::Terminated, Actions::END),
            // ACK: ACK to TU (RFC 6026).
            (Self::Accepted, Input::Ack) => (self, Actions::NONE.tell(Tell::PassUp)),
            // Timer L fires.
            (Self::Accepted, Input::Timer(Letter::L)) => (Self::Terminated, Actions::END),
            _ => (self, Actions::NONE),
        }
    }

    /// The user responds. Errors: state after a final response, except for further 2xx after a 2xx; argument for a
    /// status that is none.
    pub fn respond(self, status: u16, environment: &Environment) -> Result<(Self, Actions)> {
        match (self, status) {
            // 1xx from TU: send response.
            (Self::Proceeding, 100..=199) => Ok((self, Actions::NONE.stop_repeat().send(Wire::New))),
            // 2xx from TU: send response (RFC 6026).
            (Self::Proceeding, 200..=299) => {
                let actions = Actions::NONE.stop_repeat().start(Letter::L, environment.first(Letter::L));
                Ok((Self::Accepted, actions.send(Wire::New)))
            }
            // 300-699 from TU: send response.
            (Self::Proceeding, 300..=699) => {
                let interval = environment.first(Letter::G);
                let actions = Actions::NONE.send(Wire::New).start(Letter::H, environment.first(Letter::H));
                let actions = match environment.reliable {
                    true => actions.stop_repeat(),
                    false => actions.start(Letter::G, interval),
                };
                Ok((Self::Completed { interval }, actions))
            }
            // 2xx from TU: send response (RFC 6026).
            (Self::Accepted, 200..=299) => Ok((self, Actions::NONE.send(Wire::New))),
            (_, 100..=699) => Err(Error::state("RFC 3261 17.2.1: the INVITE has its final response")),
            _ => Err(Error::argument("status: 100 to 699")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimerValues;
    use crate::error::ErrorKind;
    use crate::transaction::timers::Change;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const COMPLETED: State = State::Completed { interval: ms(500) };
    const UDP: Environment =
        Environment { timers: TimerValues { t1: ms(500), t2: ms(4_000), t4: ms(5_000) }, reliable: false };
    const TCP: Environment = Environment { reliable: true, ..UDP };

    /// One row for each arrow of the figure that something other than the user takes, and for what must not be one.
    #[test]
    fn arrows() {
        use Input::{Ack, Request, Timer, TransportError};
        use State::{Accepted, Confirmed, Proceeding, Terminated};
        let again = Actions::NONE.send(Wire::Again);
        for (state, input, environment, next, actions) in [
            (Proceeding, Request, UDP, Proceeding, again),
            (Proceeding, Request, TCP, Proceeding, again),
            (Proceeding, Timer(Letter::Trying), UDP, Proceeding, Actions::NONE.send(Wire::Trying)),
            (Proceeding, Timer(Letter::Trying), TCP, Proceeding, Actions::NONE.send(Wire::Trying)),
            (COMPLETED, Request, UDP, COMPLETED, again),
            (COMPLETED, Request, TCP, COMPLETED, again),
            (
                COMPLETED,
                Timer(Letter::G),
                UDP,
                State::Completed { interval: ms(1_000) },
                again.start(Letter::G, ms(1_000)),
            ),
            (COMPLETED, Timer(Letter::H), UDP, Terminated, Actions::END.tell(Tell::TimedOut)),
            (COMPLETED, Timer(Letter::H), TCP, Terminated, Actions::END.tell(Tell::TimedOut)),
            (COMPLETED, Ack, UDP, Confirmed, Actions::END.start(Letter::I, ms(5_000))),
            (COMPLETED, Ack, TCP, Terminated, Actions::END),
            (Confirmed, Timer(Letter::I), UDP, Terminated, Actions::END),
            (Accepted, Ack, UDP, Accepted, Actions::NONE.tell(Tell::PassUp)),
            (Accepted, Ack, TCP, Accepted, Actions::NONE.tell(Tell::PassUp)),
            (Accepted, Request, UDP, Accepted, Actions::NONE),
            (Accepted, Timer(Letter::L), UDP, Terminated, Actions::END),
            (Accepted, Timer(Letter::L), TCP, Terminated, Actions::END),
            // No arrows.
            (Confirmed, Ack, UDP, Confirmed, Actions::NONE),
            (Confirmed, Request, UDP, Confirmed, Actions::NONE),
            (Proceeding, Ack, UDP, Proceeding, Actions::NONE),
            (Proceeding, TransportError, UDP, Proceeding, Actions::NONE),
            (COMPLETED, TransportError, UDP, COMPLETED, Actions::NONE),
            (Confirmed, TransportError, UDP, Confirmed, Actions::NONE),
            (Accepted, TransportError, UDP, Accepted, Actions::NONE),
            (Accepted, Timer(Letter::Trying), UDP, Accepted, Actions::NONE),
            (Terminated, Request, UDP, Terminated, Actions::NONE),
        ] {
            assert_eq!(state.handle(input, &environment), (next, actions), "{state:?} {input:?}");
        }
    }

    /// The arrows that the user takes.
    #[test]
    fn responses() {
        use State::{Accepted, Confirmed, Proceeding, Terminated};
        let sent = Actions::NONE.send(Wire::New);
        let accepted = sent.stop_repeat().start(Letter::L, ms(32_000));
        let rejected = sent.start(Letter::H, ms(32_000));
        for (state, status, environment, next, actions) in [
            (Proceeding, 100, UDP, Proceeding, sent.stop_repeat()),
            (Proceeding, 199, TCP, Proceeding, sent.stop_repeat()),
            (Proceeding, 200, UDP, Accepted, accepted),
            (Proceeding, 299, TCP, Accepted, accepted),
            (Proceeding, 300, UDP, COMPLETED, rejected.start(Letter::G, ms(500))),
            (Proceeding, 699, TCP, COMPLETED, rejected.stop_repeat()),
            (Accepted, 200, UDP, Accepted, sent),
            (Accepted, 200, TCP, Accepted, sent),
        ] {
            assert_eq!(state.respond(status, &environment), Ok((next, actions)), "{state:?} {status}");
        }
        for (state, status, kind) in [
            (Accepted, 180, ErrorKind::State),
            (Accepted, 486, ErrorKind::State),
            (COMPLETED, 180, ErrorKind::State),
            (COMPLETED, 200, ErrorKind::State),
            (COMPLETED, 486, ErrorKind::State),
            (Confirmed, 200, ErrorKind::State),
            (Terminated, 200, ErrorKind::State),
            (Proceeding, 99, ErrorKind::Argument),
            (Proceeding, 700, ErrorKind::Argument),
        ] {
            assert_eq!(state.respond(status, &UDP).unwrap_err().kind, kind, "{state:?} {status}");
        }
    }

    #[test]
    fn the_start_arms_the_100() {
        let actions = Actions::NONE.tell(Tell::PassUp).start(Letter::Trying, ms(200));
        assert_eq!(start(&UDP), (State::Proceeding, actions));
        assert_eq!(start(&TCP), (State::Proceeding, actions));
    }

    /// §17.2.1: 500 ms, 1 s, 2 s, 4 s, 4 s, ... within 64*T1.
    #[test]
    fn timer_g_doubles_up_to_t2() {
        let mut state = State::Proceeding.respond(486, &UDP).unwrap().0;
        let (mut sum, mut interval, mut sent) = (ms(0), ms(500), Vec::new());
        while sum + interval < ms(32_000) {
            sum += interval;
            let (next, actions) = state.handle(Input::Timer(Letter::G), &UDP);
            let Change::Start(Letter::G, after) = actions.repeat else { panic!() };
            sent.push(sum.as_millis());
            (state, interval) = (next, after);
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    }
}
