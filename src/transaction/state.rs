//! Where a transaction is, whichever of the four machines it has.

use super::timers::{Actions, Environment, Input};
use super::{invite_client, invite_server, non_invite_client, non_invite_server};
use crate::error::Result;

/// Where a client transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Of an INVITE.
    Invite(invite_client::State),
    /// Of any other request.
    NonInvite(non_invite_client::State),
}

/// Where a server transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// Of an INVITE.
    Invite(invite_server::State),
    /// Of any other request.
    NonInvite(non_invite_server::State),
}

impl ClientState {
    pub(super) fn handle(self, input: Input, environment: &Environment) -> (Self, Actions) {
        match self {
            Self::Invite(state) => {
                let (state, actions) = state.handle(input, environment);
                (Self::Invite(state), actions)
            }
            Self::NonInvite(state) => {
                let (state, actions) = state.handle(input, environment);
                (Self::NonInvite(state), actions)
            }
        }
    }

    /// No final response came yet.
    pub const fn is_waiting(self) -> bool {
        use invite_client::State as Invite;
        use non_invite_client::State as NonInvite;
        matches!(
            self,
            Self::Invite(Invite::Calling { .. } | Invite::Proceeding)
                | Self::NonInvite(NonInvite::Trying { .. } | NonInvite::Proceeding)
        )
    }

    /// The request or its ACK may have to be sent again.
    pub(super) const fn may_send(self) -> bool {
        self.is_waiting() || matches!(self, Self::Invite(invite_client::State::Completed))
    }

    pub(super) const fn is_terminated(self) -> bool {
        matches!(
            self,
            Self::Invite(invite_client::State::Terminated) | Self::NonInvite(non_invite_client::State::Terminated)
        )
    }
}

impl ServerState {
    pub(super) fn handle(self, input: Input, environment: &Environment) -> (Self, Actions) {
        match self {
            Self::Invite(state) => {
                let (state, actions) = state.handle(input, environment);
                (Self::Invite(state), actions)
            }
            Self::NonInvite(state) => {
                let (state, actions) = state.handle(input, environment);
                (Self::NonInvite(state), actions)
            }
        }
    }

    pub(super) fn respond(self, status: u16, environment: &Environment) -> Result<(Self, Actions)> {
        Ok(match self {
            Self::Invite(state) => {
                let (state, actions) = state.respond(status, environment)?;
                (Self::Invite(state), actions)
            }
            Self::NonInvite(state) => {
                let (state, actions) = state.respond(status, environment)?;
                (Self::NonInvite(state), actions)
            }
        })
    }

    /// No final response was sent yet.
    pub const fn is_waiting(self) -> bool {
        use non_invite_server::State as NonInvite;
        matches!(
            self,
            Self::Invite(invite_server::State::Proceeding) | Self::NonInvite(NonInvite::Trying | NonInvite::Proceeding)
        )
    }

    /// The last response may have to be sent again.
    pub(super) const fn may_send(self) -> bool {
        self.is_waiting()
            || matches!(
                self,
                Self::Invite(invite_server::State::Completed { .. })
                    | Self::NonInvite(non_invite_server::State::Completed)
            )
    }

    pub(super) const fn is_terminated(self) -> bool {
        matches!(
            self,
            Self::Invite(invite_server::State::Terminated) | Self::NonInvite(non_invite_server::State::Terminated)
        )
    }
}
