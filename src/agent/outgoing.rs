//! A request of ours and what is known of its fate.

use crate::agent::auth::Authentication;
use crate::agent::request::Draft;
use crate::agent::retry::Retry;
use crate::attachment::{Attachment, Unseen};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::message::{Message, Method};
use crate::session::reason::Reason;
use crate::session::reliable_client::Acknowledged;
use crate::slots::{IncomingId, SessionId};
use crate::timer::TimerId;
use crate::transaction::{Bytes, ClientId};
use smallvec::SmallVec;
use std::sync::Arc;

/// The numbers are those of `enum sipdlg_outgoing_state_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OutgoingState {
    /// Its target's name is being looked up.
    Resolving = 0,
    /// Sent, no response yet.
    Calling = 1,
    /// A provisional response is there.
    Proceeding = 2,
    /// It will be sent again.
    WaitingRetry = 3,
    /// A final response is there, received or made here.
    Completed = 4,
}

/// An ACK to a 2xx, kept to answer each repeat of it (RFC 3261 §13.2.2.4).
#[derive(Clone, Debug)]
pub struct KeptAck {
    /// Whose 2xx.
    pub to_tag: Box<[u8]>,
    /// The ACK and its way; `None` while the way is looked up, and when there is none.
    pub sent: Option<(Bytes, Flow)>,
}

/// An early dialog of ours that ended before its 2xx.
#[derive(Clone, Debug)]
pub struct EndedFork {
    /// Whose.
    pub to_tag: Box<[u8]>,
    /// The host forgot it, so that no BYE tells the callee.
    pub forgotten: bool,
}

/// How far a CANCEL is (RFC 3261 §9.1).
#[derive(Clone, Debug, Default)]
pub enum Cancelling {
    /// Nobody wants one.
    #[default]
    No,
    /// Wanted; it goes out with the first provisional response. Its extra header lines.
    Wanted(Box<[u8]>),
    /// On its way.
    Sent,
    /// No CANCEL, but a 2xx that still comes is acknowledged and ended.
    Abandoned,
}

/// What an INVITE or re-INVITE of ours holds beyond other requests.
#[derive(Clone, Debug, Default)]
pub struct InviteClient {
    /// Sessions that its responses made, one per To tag; of a re-INVITE none.
    pub sessions: SmallVec<[SessionId; 1]>,
    /// The session whose 2xx came first.
    pub winner: Option<SessionId>,
    /// ACKs of the 2xx that were seen and are not owed by the host.
    pub acks: SmallVec<[KeptAck; 1]>,
    /// CANCEL.
    pub cancelling: Cancelling,
    /// Why it was cancelled.
    pub cancel_reason: Reason,
    /// Dialogs that ended: a 2xx of theirs makes no session.
    pub ended: Vec<EndedFork>,
    /// The host was told how it ended.
    pub fate_told: bool,
    /// Whether it goes over TLS to a sips URI.
    pub secure: bool,
    /// Expires of the host's.
    pub expires: Option<TimerId>,
    /// The REFER that asked for it, until the final answer was told.
    pub refer: Option<IncomingId>,
    /// After CANCEL (§9.1), and after the session of a re-INVITE: the end of patience for a final response.
    pub give_up: Option<TimerId>,
    /// The dialog of a re-INVITE whose session ended first: a late 2xx is still acknowledged (RFC 5407 §3.2.3).
    pub orphaned: Option<Box<Dialog>>,
}

/// Where the subscription of a REFER of ours stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subscribed {
    /// No final response, no NOTIFY.
    #[default]
    Asked,
    /// Accepted; the first NOTIFY is waited for.
    Accepted,
    /// It lives; the NOTIFY may have overtaken the response.
    Notified,
    /// Over.
    Over,
}

/// What a REFER of ours holds beyond other requests.
#[derive(Clone, Debug, Default)]
pub struct Subscriber {
    /// Its subscription.
    pub state: Subscribed,
    /// The REFER says Refer-Sub: false (RFC 4488).
    pub unwanted: bool,
    /// The end of patience for a NOTIFY.
    pub timer: Option<TimerId>,
}

/// What kind of request.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Makes dialogs.
    Invite(Box<InviteClient>),
    /// Changes a session.
    Reinvite(Box<InviteClient>),
    /// Ends a session.
    Bye,
    /// Acknowledges a reliable provisional response.
    Prack(Acknowledged),
    /// Asks the peer for a request, and subscribes to its progress.
    Refer(Box<Subscriber>),
    /// Tells the progress of what this REFER asked for.
    Notify(IncomingId),
    /// Any other.
    Other,
}

/// A request of ours.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(super) method: Method,
    pub(super) state: OutgoingState,
    pub(super) kind: Kind,
    /// Of a request in a dialog.
    pub(super) session: Option<SessionId>,
    /// Bits of [`crate::agent::options::request_flag`].
    pub(super) flags: u32,
    pub(super) attachment: Attachment,
    /// What it is written from, until its final response.
    pub(super) draft: Option<Box<Draft>>,
    pub(super) sent: Option<Bytes>,
    pub(super) flow: Option<Flow>,
    /// The host's choice of way.
    pub(super) fixed_flow: Option<Flow>,
    pub(super) transaction: Option<ClientId>,
    /// The host hears nothing of it: disposed, or made by the library.
    pub(super) silent: bool,
    /// It goes when its last event was delivered.
    pub(super) over: bool,
    /// Events about it that wait.
    pub(super) unseen: Unseen,
    /// What was done about challenges; `None`: nothing.
    pub(super) auth: Option<Box<Authentication>>,
    /// What was done about 491 and the like; `None`: nothing.
    pub(super) retry: Option<Box<Retry>>,
}

impl Outgoing {
    pub(super) fn new(method: Method, kind: Kind, draft: Draft) -> Self {
        Self {
            method,
            state: OutgoingState::Resolving,
            kind,
            session: None,
            flags: 0,
            attachment: Attachment::default(),
            draft: Some(Box::new(draft)),
            sent: None,
            flow: None,
            fixed_flow: None,
            transaction: None,
            silent: false,
            over: false,
            unseen: Unseen::default(),
            auth: None,
            retry: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> OutgoingState {
        self.state
    }

    /// The request as sent last; `None` before.
    pub fn message(&self) -> Option<Arc<Message>> {
        Message::parse(self.sent.as_ref()?, self.flow).ok().map(Arc::new)
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    pub(super) fn invite(&self) -> Option<&InviteClient> {
        match &self.kind {
            Kind::Invite(invite) | Kind::Reinvite(invite) => Some(invite),
            Kind::Bye | Kind::Prack(_) | Kind::Refer(_) | Kind::Notify(_) | Kind::Other => None,
        }
    }

    /// Whether it goes on when its session is over.
    pub(super) fn outlives_session(&self) -> bool {
        matches!(self.kind, Kind::Bye | Kind::Notify(_))
    }

    pub(super) fn invite_mut(&mut self) -> Option<&mut InviteClient> {
        match &mut self.kind {
            Kind::Invite(invite) | Kind::Reinvite(invite) => Some(invite),
            Kind::Bye | Kind::Prack(_) | Kind::Refer(_) | Kind::Notify(_) | Kind::Other => None,
        }
    }

    pub(super) fn is_initial_invite(&self) -> bool {
        matches!(self.kind, Kind::Invite(_))
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.sent.as_ref().map_or(0, |sent| sent.len())
    }
}
