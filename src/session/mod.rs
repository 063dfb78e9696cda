//! SessionDialog: the INVITE usage of a dialog.

pub mod usage;

/// SessionState of SIP.js; the numbers are those of `enum sipdlg_session_state_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SessionState {
    /// Made for an INVITE, no response yet.
    Initial = 0,
    /// A provisional response made the dialog.
    Early = 1,
    /// Callee: 2xx sent, its ACK not here.
    AckWait = 2,
    /// The session stands.
    Confirmed = 3,
    /// It is over.
    Terminated = 4,
}

/// SignalingState of SIP.js (RFC 3264, RFC 6337 §2.2); the numbers are those of `enum sipdlg_signaling_state_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SignalingState {
    /// No exchange yet.
    Initial = 0,
    /// Our offer is open.
    HaveLocalOffer = 1,
    /// The peer's offer is open.
    HaveRemoteOffer = 2,
    /// Offer and answer are exchanged.
    Stable = 3,
    /// The session is over.
    Closed = 4,
}
