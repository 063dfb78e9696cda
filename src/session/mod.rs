//! SessionDialog: the INVITE usage of a dialog.

pub mod ack;
pub mod glare;
pub mod offer_answer;
pub mod peer;
pub mod reason;
pub mod refer;
pub mod reinvite;
pub mod reliable_client;
pub mod reliable_server;
pub mod terminate;
pub mod usage;

use crate::attachment::Attachment;
use crate::dialog::Dialog;
use crate::dialog::id::DialogKeys;
use crate::flow::{Flow, Transport};
use crate::message::digest::Credentials;
use crate::slots::{IncomingId, OutgoingId};
use ack::{Accepted, AckProcessing, Refresh};
use glare::Glare;
use offer_answer::{OfferAnswer, StoredBody};
use peer::Peer;
use reason::Ending;
use refer::Referrals;
use reliable_client::ReliableClient;
use reliable_server::ReliableServer;
use smallvec::SmallVec;

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

/// Who sent the INVITE that made the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We did.
    Caller,
    /// The peer did.
    Callee,
}

/// The INVITE that made the session, while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Ours.
    Outgoing(OutgoingId),
    /// The peer's.
    Incoming(IncomingId),
}

/// Where the session stands. Each phase holds what only it needs.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Made for a live INVITE of the peer, nothing answered.
    Initial,
    /// Between a tagged provisional response and the final one.
    Early,
    /// Callee: 2xx sent, no ACK came. The 2xx is in [`Session::accepted`] until its time is over.
    AckWait,
    /// Both sides have it.
    Confirmed,
    /// Over: nothing more is allowed. Its last event may still be owed.
    Terminated(Ending),
}

/// A 2xx to our INVITE whose ACK is left to the host.
#[derive(Clone, Copy, Debug)]
pub struct OwedAck {
    /// The INVITE.
    pub outgoing: OutgoingId,
    /// Whether the 2xx brought an offer.
    pub answer_due: bool,
}

/// A hang-up that waits for its BYE to become legal.
#[derive(Clone, Debug)]
pub struct DeferredBye {
    /// Why the session ends.
    pub ending: Ending,
    /// Header lines and body of the host's for the BYE, ready to be written.
    pub tail: Option<Box<[u8]>>,
}

/// One INVITE usage of a dialog.
#[derive(Clone, Debug)]
pub struct Session {
    /// The dialog.
    pub dialog: Dialog,
    /// Who called.
    pub role: Role,
    /// Where it stands.
    pub phase: Phase,
    /// Offer and answer.
    pub signaling: OfferAnswer,
    /// Reliable responses to our INVITE or re-INVITE (RFC 3262).
    pub reliable_client: Option<Box<ReliableClient>>,
    /// Reliable responses to the peer's INVITE or re-INVITE, until its final response (RFC 3262).
    pub reliable_server: Option<Box<ReliableServer>>,
    /// The INVITE that made it, while it lives.
    pub origin: Option<Origin>,
    /// 2xx of ours that wait for their ACK, of INVITE and re-INVITE.
    pub accepted: SmallVec<[Box<Accepted>; 1]>,
    /// Our re-INVITE that is pending.
    pub reinvite_client: Option<OutgoingId>,
    /// The peer's re-INVITE that is pending, until its ACK.
    pub reinvite_server: Option<IncomingId>,
    /// A 2xx of the peer whose ACK the host owes.
    pub owed_ack: Option<OwedAck>,
    /// Who says that the body of an ACK is worked off.
    pub ack_processing: AckProcessing,
    /// A hang-up that waits.
    pub deferred_bye: Option<Box<DeferredBye>>,
    /// The BYE of ours that is under way.
    pub bye: Option<OutgoingId>,
    /// The peer's requests that wait for the host's answer.
    pub pending: SmallVec<[IncomingId; 1]>,
    /// What the peer can.
    pub peer: Peer,
    /// Where requests go whatever the URI says (`set_flow`).
    pub fixed_flow: Option<Box<Flow>>,
    /// The connection that the dialog's messages came on: it serves while the remote target is the next hop.
    pub connection: Option<Box<Flow>>,
    /// Where the next hop's name led, until it fails or moves.
    pub resolved: Option<Box<Resolved>>,
    /// Credentials that its requests were challenged for: those of proxies go with every later request (RFC 3261 §22.3).
    pub credentials: Option<Box<KnownCredentials>>,
    /// What it knows of REFERs; `None`: there was none.
    pub referrals: Option<Box<Referrals>>,
    /// The host's.
    pub attachment: Attachment,
    /// What the last STATE event told.
    pub told: Option<(SessionState, SignalingState)>,
    /// TERMINATED is due, but a 2xx of ours still waits for its ACK.
    pub finish_owed: bool,
    /// TERMINATED was put out: nothing more is said of it.
    pub said_terminated: bool,
    /// What re-INVITEs that met left behind.
    pub glare: Option<Box<Glare>>,
    /// Events that wait.
    pub waiting: u16,
    /// The last STATE event, to be replaced while nobody has seen it.
    pub last_state_event: u64,
}

/// What a call was challenged for. Few calls are: one word of the session holds it.
#[derive(Clone, Debug)]
pub struct KnownCredentials(pub Vec<Credentials>);

/// Where a host name led.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The next hop's URI that was asked for.
    pub next_hop: Box<[u8]>,
    /// The answer.
    pub flow: Flow,
}

impl Session {
    /// A session of `dialog` in `phase`.
    pub fn new(dialog: Dialog, role: Role, phase: Phase, origin: Option<Origin>, attachment: Attachment) -> Self {
        Self {
            dialog,
            role,
            phase,
            signaling: OfferAnswer::default(),
            reliable_client: None,
            reliable_server: None,
            origin,
            accepted: SmallVec::new(),
            reinvite_client: None,
            reinvite_server: None,
            owed_ack: None,
            ack_processing: AckProcessing::AtOnce,
            deferred_bye: None,
            bye: None,
            pending: SmallVec::new(),
            peer: Peer::default(),
            fixed_flow: None,
            connection: None,
            resolved: None,
            credentials: None,
            referrals: None,
            attachment,
            told: None,
            finish_owed: false,
            said_terminated: false,
            glare: None,
            waiting: 0,
            last_state_event: 0,
        }
    }

    /// Where requests in the dialog go whatever the URI says: the host's word, or the connection.
    pub fn way(&self) -> Option<&Flow> {
        let connection = || self.connection.as_deref().filter(|_| self.dialog.route_set.is_empty());
        self.fixed_flow.as_deref().or_else(connection)
    }

    /// Takes note of the way of a message of the peer.
    pub fn came_on(&mut self, flow: Option<&Flow>) {
        self.connection = flow.filter(|flow| flow.transport != Transport::Udp).copied().map(Box::new);
    }

    /// What finds it in the agent's table; made anew each time, for it is asked for at birth and end alone.
    pub fn key(&self, keys: DialogKeys) -> u128 {
        self.dialog.names.key(keys)
    }

    /// SessionState.
    pub fn state(&self) -> SessionState {
        match self.phase {
            Phase::Initial => SessionState::Initial,
            Phase::Early => SessionState::Early,
            Phase::AckWait => SessionState::AckWait,
            Phase::Confirmed => SessionState::Confirmed,
            Phase::Terminated(_) => SessionState::Terminated,
        }
    }

    /// Callee: the first 2xx still waits for its ACK. After 64*T1 it does not, though the state stays AckWait (RFC 3261
    /// §13.3.1.4).
    pub fn waits_for_ack(&self) -> bool {
        matches!(self.phase, Phase::AckWait)
            && self.accepted.iter().any(|accepted| self.origin == Some(Origin::Incoming(accepted.incoming)))
    }

    /// SignalingState: the committed one.
    pub fn signaling_state(&self) -> SignalingState {
        self.signaling.signaling_state()
    }

    /// Whether no 2xx has confirmed it.
    pub fn is_early(&self) -> bool {
        matches!(self.phase, Phase::Initial | Phase::Early)
    }

    /// Whether it is over.
    pub fn is_terminated(&self) -> bool {
        matches!(self.phase, Phase::Terminated(_))
    }

    /// Established by sips over TLS (RFC 3261 §12.1).
    pub fn is_secure(&self) -> bool {
        self.dialog.secure
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        self.dialog.names.call_id()
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        self.dialog.names.local_tag()
    }

    /// The peer's tag, empty when it has none.
    pub fn remote_tag(&self) -> &[u8] {
        self.dialog.names.remote_tag()
    }

    /// Our URI.
    pub fn local_uri(&self) -> &[u8] {
        self.dialog.names.local_uri()
    }

    /// The peer's URI.
    pub fn remote_uri(&self) -> &[u8] {
        self.dialog.names.remote_uri()
    }

    /// Where the peer wants its requests.
    pub fn remote_target(&self) -> &[u8] {
        &self.dialog.remote_target
    }

    /// A Route header value.
    pub fn route_set(&self) -> Vec<u8> {
        self.dialog.route_set.text()
    }

    /// Call-ID + local tag + remote tag.
    pub fn id(&self) -> Vec<u8> {
        self.dialog.id()
    }

    /// Of our last request; empty is not zero.
    pub fn local_sequence_number(&self) -> Option<u32> {
        self.dialog.local.last()
    }

    /// Of the peer's last request.
    pub fn remote_sequence_number(&self) -> Option<u32> {
        self.dialog.remote.last()
    }

    /// The current offer.
    pub fn offer(&self) -> Option<&StoredBody> {
        self.signaling.offer()
    }

    /// The current answer.
    pub fn answer(&self) -> Option<&StoredBody> {
        self.signaling.answer()
    }

    /// The ACK of the 2xx to our re-INVITE is out, or the host's word for it: it is pending no more.
    pub fn acknowledged(&mut self, id: OutgoingId) {
        if self.reinvite_client == Some(id) {
            self.reinvite_client = None;
        }
    }

    /// Our re-INVITE that is pending, until its ACK.
    pub fn reinvite_client(&self) -> Option<OutgoingId> {
        self.reinvite_client
    }

    /// The peer's re-INVITE that is pending, until it is refused or the ACK of its 2xx is here.
    pub fn reinvite_server(&self) -> Option<IncomingId> {
        self.reinvite_server
    }

    /// An INVITE of the peer came, newer than those that wait for their ACK (RFC 6141 §5.4).
    pub fn newer_invite_came(&mut self) {
        for accepted in self.accepted.iter_mut().filter(|accepted| accepted.refresh == Refresh::Moved) {
            accepted.refresh = Refresh::Superseded;
        }
    }

    /// Our re-INVITE that was refused and waits to be sent again.
    pub fn retry(&self) -> Option<OutgoingId> {
        self.glare.as_ref()?.retry
    }

    /// Takes note of it.
    pub fn set_retry(&mut self, retry: Option<OutgoingId>) {
        if retry.is_some() || self.glare.is_some() {
            self.glare.get_or_insert_default().retry = retry;
        }
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Why it ended.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.phase {
            Phase::Terminated(ending) => Some(ending),
            _ => None,
        }
    }

    /// All properties in one line, for logs.
    pub fn state_text(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        format!(
            "{:?} {:?} {:?} call-id={} local-tag={} remote-tag={} local-uri={} remote-uri={} remote-target={} \
             route-set=[{}] cseq={}/{} secure={} early={} reinvite={}",
            self.role,
            self.state(),
            self.signaling_state(),
            text(self.call_id()),
            text(self.local_tag()),
            text(self.remote_tag()),
            text(self.local_uri()),
            text(self.remote_uri()),
            text(self.remote_target()),
            text(&self.route_set()),
            number(self.local_sequence_number()),
            number(self.remote_sequence_number()),
            self.dialog.secure,
            self.is_early(),
            match (self.reinvite_client, self.reinvite_server) {
                (None, None) => "none",
                (Some(_), None) => "ours",
                (None, Some(_)) => "theirs",
                (Some(_), Some(_)) => "both",
            },
        )
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let accepted: usize =
            self.accepted.iter().map(|accepted| size_of::<Accepted>() + accepted.response.len()).sum();
        let reliable = self.reliable_server.as_ref().map_or(0, |server| server.bytes());
        size_of::<Self>() + self.dialog.heap_bytes() + self.signaling.heap_bytes() + accepted + reliable
    }
}
