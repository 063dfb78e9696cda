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
    /// Sent again with what the refusal asked for, or as it was before.
    SentAgain = 26,
}

impl Reason {
    /// As the header has it, without its prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::LocalHangup => "LOCAL_HANGUP",
            Self::RemoteBye => "REMOTE_BYE",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::AckTimeout => "ACK_TIMEOUT",
            Self::SessionExpired => "SESSION_EXPIRED",
            Self::DialogGone => "DIALOG_GONE",
            Self::ForkLost => "FORK_LOST",
            Self::Replaced => "REPLACED",
            Self::Disposed => "DISPOSED",
            Self::AnswerTimeout => "ANSWER_TIMEOUT",
            Self::PrackTimeout => "PRACK_TIMEOUT",
            Self::NoAnswerIn2xx => "NO_ANSWER_IN_2XX",
            Self::GlareRetry => "GLARE_RETRY",
            Self::Authenticated => "AUTHENTICATED",
            Self::Refreshed => "REFRESHED",
            Self::RefusedByRule => "REFUSED_BY_RULE",
            Self::DefaultAnswer => "DEFAULT_ANSWER",
            Self::Transport => "TRANSPORT",
            Self::SentAgain => "SENT_AGAIN",
        }
    }

    /// The rule by which a session ends for it; `None`: for this none does.
    pub fn of_an_end(self) -> Option<&'static str> {
        Some(match self {
            Self::LocalHangup => "the host ended the call (RFC 3261 15)",
            Self::RemoteBye => "the peer sent BYE (RFC 3261 15.1.2)",
            Self::Rejected => "the INVITE, or this dialog of it, was refused (RFC 3261 13.2.2.3, 13.3.1.3)",
            Self::Cancelled => "the INVITE was cancelled (RFC 3261 9)",
            Self::AckTimeout => "no ACK came, so the call was left (RFC 3261 13.3.1.4)",
            Self::SessionExpired => "no refresh was agreed in time (RFC 4028 10)",
            Self::DialogGone => "a request of ours got an answer, or none, that ends the call (RFC 5057 5.1)",
            Self::ForkLost => "another dialog of the INVITE was the first to be confirmed (RFC 3261 13.2.2.4)",
            Self::Replaced => "another call took its place (RFC 3891 3)",
            Self::Disposed => "the host let it go without a word to the peer (RFC 3261 12.3)",
            Self::AnswerTimeout => "the host did not answer the INVITE in time (RFC 3261 13.3.1)",
            Self::PrackTimeout => "a reliable response was never acknowledged (RFC 3262 3)",
            Self::NoAnswerIn2xx => "the message that had to bring the answer did not (RFC 3261 13.2.1)",
            Self::Authenticated => "the INVITE was sent again with credentials (RFC 3261 22.2)",
            Self::RefusedByRule => "the 2xx names no way to send requests (RFC 3261 12.1.2)",
            Self::DefaultAnswer => "the host had no answer, so the default was done (RFC 3261 8.2)",
            Self::None | Self::GlareRetry | Self::Refreshed | Self::SentAgain | Self::Transport => return None,
        })
    }
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
    /// When, in milliseconds of monotonic time; as many as fit.
    pub ended_ms: u32,
}

impl Ending {
    /// An ending that no message tells of.
    pub fn because(reason: Reason) -> Self {
        Self { reason, ..Self::default() }
    }

    /// An ending by a message; of a response the status code is its.
    pub fn by(reason: Reason, message: &Arc<Message>) -> Self {
        Self { reason, status_code: message.status(), message: Some(Arc::clone(message)), ended_ms: 0 }
    }
}
