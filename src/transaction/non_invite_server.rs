//! Non-INVITE server transaction: RFC 3261 §17.2.2, figure 8, with RFC 4320.

use std::time::Duration;

use super::timers::{Actions, Environment, Input, Letter, Tell, Wire};
use crate::error::{Error, Result};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The user has not answered.
    Trying,
    /// A 100 was sent.
    Proceeding,
    /// A final response was sent; it is repeated for each repeat of the request until timer J.
    Completed,
    /// Over.
    Terminated,
}

/// The request arrived. RFC 4320 §4.1: a 100 is ours when the client's timer E has grown to T2 and no answer is there.
pub fn start(environment: &Environment) -> (State, Actions) {
    let actions = Actions::NONE.start(Letter::Trying, environment.non_invite_trying());
    (State::Trying, actions.tell(Tell::PassUp))
}

impl State {
    /// One input. What no arrow of the figure takes changes nothing; a transport error never does (RFC 6026 §7.1).
    #[must_use]
    pub fn handle(self, input: Input, _environment: &Environment) -> (Self, Actions) {
        match (self, input) {
            // Request: send the response again. In Trying it is absorbed.
            (Self::Proceeding | Self::Completed, Input::Request) => (self, Actions::NONE.send(Wire::Again)),
            // RFC 4320 §4.1: the 100 on any transport.
            (Self::Trying, Input::Timer(Letter::Trying)) => (Self::Proceeding, Actions::NONE.send(Wire::Trying)),
            // Timer J fires.
            (Self::Completed, Input::Timer(Letter::J)) => (Self::Terminated, Actions::END),
            _ => (self, Actions::NONE),
        }
    }

    /// The user responds. Errors: state after a final response, for a 100 over UDP before its time, for other
    /// provisional responses, for 408 (all RFC 4320); argument for a status that is none.
    pub fn respond(self, status: u16, environment: &Environment) -> Result<(Self, Actions)> {
        match (self, status) {
            (_, 408) => Err(Error::state("RFC 4320 4.2: no 408 to a non-INVITE request")),
            (_, 101..=199) => {
                Err(Error::state("RFC 4320 4.1: no provisional response but 100 to a non-INVITE request"))
            }
            // RFC 4320 §4.1: over UDP only when our own 100 is due, which leads to Proceeding.
            (Self::Trying, 100) if !environment.reliable => {
                Err(Error::state("RFC 4320 4.1: no 100 to a non-INVITE request yet"))
            }
            // 1xx from TU: send response.
            (Self::Trying | Self::Proceeding, 100) => {
                Ok((Self::Proceeding, Actions::NONE.stop_repeat().send(Wire::New)))
            }
            // 200-699 from TU: send response.
            (Self::Trying | Self::Proceeding, 200..=699) => {
                let actions = Actions::END.send(Wire::New);
                Ok(match environment.first(Letter::J) {
                    Duration::ZERO => (Self::Terminated, actions),
                    j => (Self::Completed, actions.start(Letter::J, j)),
                })
            }
            (_, 100..=699) => Err(Error::state("RFC 3261 17.2.2: the request has its final response")),
            _ => Err(Error::argument("status: 100 to 699")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimerValues;
    use crate::error::ErrorKind;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const UDP: Environment =
        Environment { timers: TimerValues { t1: ms(500), t2: ms(4_000), t4: ms(5_000) }, reliable: false };
    const TCP: Environment = Environment { reliable: true, ..UDP };

    /// One row for each arrow of the figure that something other than the user takes, and for what must not be one.
    #[test]
    fn arrows() {
        use Input::{Ack, Request, Timer, TransportError};
        use State::{Completed, Proceeding, Terminated, Trying};
        let again = Actions::NONE.send(Wire::Again);
        for (state, input, environment, next, actions) in [
            (Trying, Timer(Letter::Trying), UDP, Proceeding, Actions::NONE.send(Wire::Trying)),
            (Trying, Timer(Letter::Trying), TCP, Proceeding, Actions::NONE.send(Wire::Trying)),
            (Proceeding, Request, UDP, Proceeding, again),
            (Proceeding, Request, TCP, Proceeding, again),
            (Completed, Request, UDP, Completed, again),
            (Completed, Timer(Letter::J), UDP, Terminated, Actions::END),
            // No arrows.
            (Trying, Request, UDP, Trying, Actions::NONE),
            (Trying, Request, TCP, Trying, Actions::NONE),
            (Trying, TransportError, UDP, Trying, Actions::NONE),
            (Proceeding, TransportError, UDP, Proceeding, Actions::NONE),
            (Completed, TransportError, UDP, Completed, Actions::NONE),
            (Completed, Ack, UDP, Completed, Actions::NONE),
            (Completed, Timer(Letter::Trying), UDP, Completed, Actions::NONE),
            (Terminated, Request, UDP, Terminated, Actions::NONE),
        ] {
            assert_eq!(state.handle(input, &environment), (next, actions), "{state:?} {input:?}");
        }
    }

    /// The arrows that the user takes.
    #[test]
    fn responses() {
        use State::{Completed, Proceeding, Terminated, Trying};
        let over = Actions::END.send(Wire::New);
        let completed = over.start(Letter::J, ms(32_000));
        let trying = Actions::NONE.stop_repeat().send(Wire::New);
        for (state, status, environment, next, actions) in [
            (Trying, 100, TCP, Proceeding, trying),
            (Proceeding, 100, UDP, Proceeding, trying),
            (Proceeding, 100, TCP, Proceeding, trying),
            (Trying, 200, UDP, Completed, completed),
            (Trying, 200, TCP, Terminated, over),
            (Trying, 699, UDP, Completed, completed),
            (Proceeding, 481, UDP, Completed, completed),
            (Proceeding, 481, TCP, Terminated, over),
        ] {
            assert_eq!(state.respond(status, &environment), Ok((next, actions)), "{state:?} {status}");
        }
        for (state, status, environment, kind) in [
            (Trying, 100, UDP, ErrorKind::State),
            (Trying, 180, UDP, ErrorKind::State),
            (Trying, 183, TCP, ErrorKind::State),
            (Trying, 408, UDP, ErrorKind::State),
            (Proceeding, 408, TCP, ErrorKind::State),
            (Completed, 100, UDP, ErrorKind::State),
            (Completed, 200, UDP, ErrorKind::State),
            (Terminated, 200, TCP, ErrorKind::State),
            (Trying, 99, UDP, ErrorKind::Argument),
            (Trying, 700, UDP, ErrorKind::Argument),
        ] {
            assert_eq!(state.respond(status, &environment).unwrap_err().kind, kind, "{state:?} {status}");
        }
    }

    #[test]
    fn the_start_arms_the_100_of_rfc_4320() {
        let actions = Actions::NONE.tell(Tell::PassUp).start(Letter::Trying, ms(3_500));
        assert_eq!(start(&UDP), (State::Trying, actions));
        assert_eq!(start(&TCP), (State::Trying, actions));
    }
}
