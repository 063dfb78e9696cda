//! What the agent tells the host, in order.

use crate::flow::Transport;
use crate::message::{Message, Method};
pub use crate::session::reason::Reason;
use crate::session::{SessionState, SignalingState};
use crate::slots::{IncomingId, OutgoingId, SessionId};
use std::sync::Arc;

/// Kinds of events; the numbers are those of `enum sipdlg_event_kind_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum EventKind {
    Invite = 1,
    Reinvite = 2,
    Update = 3,
    Prack = 4,
    Bye = 5,
    Info = 6,
    Message = 7,
    Notify = 8,
    Refer = 9,
    Subscribe = 10,
    Register = 11,
    Options = 12,
    Request = 13,
    Ack = 14,
    Cancel = 15,
    Trying = 20,
    Progress = 21,
    Accept = 22,
    Redirect = 23,
    Reject = 24,
    Challenge = 25,
    State = 30,
    AckTimeout = 31,
    GlareRetry = 32,
    Terminated = 33,
    Resync = 34,
    Resolve = 40,
    TransportError = 41,
    LinkLost = 42,
}

impl EventKind {
    /// In the order of the functions of a delegate.
    pub const ALL: [Self; 29] = [
        Self::Invite,
        Self::Reinvite,
        Self::Update,
        Self::Prack,
        Self::Bye,
        Self::Info,
        Self::Message,
        Self::Notify,
        Self::Refer,
        Self::Subscribe,
        Self::Register,
        Self::Options,
        Self::Request,
        Self::Ack,
        Self::Cancel,
        Self::Trying,
        Self::Progress,
        Self::Accept,
        Self::Redirect,
        Self::Reject,
        Self::Challenge,
        Self::State,
        Self::AckTimeout,
        Self::GlareRetry,
        Self::Terminated,
        Self::Resolve,
        Self::TransportError,
        Self::Resync,
        Self::LinkLost,
    ];
}

impl EventKind {
    /// Whether it hands a request of the peer's up.
    pub fn is_request(self) -> bool {
        self <= Self::Request
    }

    /// Whether it tells the fate of a request of ours (TRYING to CHALLENGE, GLARE_RETRY).
    pub fn is_fate(self) -> bool {
        matches!(
            self,
            Self::Trying
                | Self::Progress
                | Self::Accept
                | Self::Redirect
                | Self::Reject
                | Self::Challenge
                | Self::GlareRetry
        )
    }
}

/// Bits of `enum sipdlg_event_flag_e`.
pub mod flag {
    /// `status_code` was made here; there is no message.
    pub const LOCAL: u32 = 1;
    /// PROGRESS that wants a PRACK.
    pub const RELIABLE: u32 = 2;
    /// ... which the library leaves to the host.
    pub const NEEDS_PRACK: u32 = 4;
    /// ACCEPT whose ACK is left to the host.
    pub const NEEDS_ACK: u32 = 8;
    /// INVITE whose Replaces says early-only.
    pub const EARLY_ONLY: u32 = 16;
    /// GLARE_RETRY whose request is sent only with a new body.
    pub const NEEDS_BODY: u32 = 32;
    /// NOTIFY with which the subscription of our REFER ends.
    pub const LAST: u32 = 64;
}

/// What happened; the fields are those of `sipdlg_event_t`.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Event {
    pub kind: EventKind,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Rises; one counter with [`crate::agent::Transmit::id`].
    pub id: u64,
    pub session: Option<SessionId>,
    pub incoming: Option<IncomingId>,
    pub outgoing: Option<OutgoingId>,
    pub replaces: Option<SessionId>,
    pub message: Option<Arc<Message>>,
    /// Of the request that this is about.
    pub method: Option<Method>,
    /// 0: none.
    pub status_code: u16,
    pub reason: Reason,
    /// Of `session`, as it was when the event arose.
    pub session_state: SessionState,
    pub signaling_state: SignalingState,
    /// RESOLVE: asked for by the URI.
    pub transport: Option<Transport>,
    /// GLARE_RETRY.
    pub delay_us: u64,
    /// RESOLVE; LINK_LOST: the link.
    pub query: u64,
    /// RESOLVE: host; CHALLENGE: realm; where `tells_reason`: value of the Reason header.
    pub text: Option<Arc<[u8]>>,
    /// RESOLVE: 0 none.
    pub port: u16,
    /// RESOLVE: sips.
    pub secure: bool,
}

impl Event {
    /// Whether it tells the value of the Reason header of its message (RFC 3326; of provisional responses RFC 6228).
    pub(crate) fn tells_reason(&self) -> bool {
        match self.kind {
            EventKind::Bye | EventKind::Cancel | EventKind::Redirect | EventKind::Reject | EventKind::Terminated => {
                true
            }
            EventKind::Progress => self.status_code == 199,
            _ => false,
        }
    }

    pub(crate) fn new(kind: EventKind) -> Self {
        Self {
            kind,
            flags: 0,
            id: 0,
            session: None,
            incoming: None,
            outgoing: None,
            replaces: None,
            message: None,
            method: None,
            status_code: 0,
            reason: Reason::None,
            session_state: SessionState::Initial,
            signaling_state: SignalingState::Initial,
            transport: None,
            delay_us: 0,
            query: 0,
            text: None,
            port: 0,
            secure: false,
        }
    }
}
