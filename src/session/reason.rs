//! Why the library did something by itself.

use crate::message::Message;
use std::sync::Arc;

/// Why the library did something by itself; the numbers are those of `enum sipdlg_reason_e`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Nothing to tell.
    #[default]
    None = 0,
    /// The host ended the call.
    LocalHangup = 1,
    /// The peer sent BYE.
    RemoteBye = 2,
    /// The INVITE got a final response other than 2xx.
    Rejected = 3,
    /// The INVITE was cancelled.
    Cancelled = 4,
    /// No ACK came (RFC 3261 §13.3.1.4).
    AckTimeout = 5,
    /// The session timer ran out (RFC 4028).
    SessionExpired = 6,
    /// 408, 481 or no answer in the dialog (RFC 5057).
    DialogGone = 7,
    /// Another fork answered.
    ForkLost = 8,
    /// Another call took its place (RFC 3891).
    Replaced = 9,
    /// The host forgot it.
    Disposed = 10,
    /// The host did not answer in time.
    AnswerTimeout = 11,
    /// A reliable response was never acknowledged (RFC 3262).
    PrackTimeout = 12,
    /// An exchange that had to end with this message did not.
    NoAnswerIn2xx = 13,
    /// 491 or 500 with Retry-After.
    GlareRetry = 20,
    /// 401 or 407.
    Authenticated = 21,
    /// A session timer's refresh.
    Refreshed = 22,
    /// A rule of an RFC refused the peer's request.
    RefusedByRule = 23,
    /// Nobody answered, so the default did.
    DefaultAnswer = 24,
    /// The transport failed.
    Transport = 25,
}

/// Why a session ended, for its TERMINATED.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The cause.
    pub reason: Reason,
    /// Of the response that ended it, or made here; 0 none.
    pub status_code: u16,
    /// The BYE, CANCEL or response that ended it.
    pub message: Option<Arc<Message>>,
}

impl Ending {
    /// An ending that no message tells of.
    pub fn because(reason: Reason) -> Self {
        Self { reason, ..Self::default() }
    }

    /// An ending by a message; of a response the status code is its.
    pub fn by(reason: Reason, message: &Arc<Message>) -> Self {
        Self { reason, status_code: message.status(), message: Some(Arc::clone(message)) }
    }
}
