//! A request of the peer that waits for its answer, or whose answer waits for its ACK.

use crate::attachment::Attachment;
use crate::message::{Message, Method};
use crate::slots::SessionId;
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::{Bytes, ServerId};
use smallvec::SmallVec;
use std::sync::Arc;

/// What a new INVITE holds beyond other requests.
#[derive(Clone, Debug, Default)]
pub struct InviteServer {
    /// Sessions that our responses made, one per To tag.
    pub sessions: SmallVec<[SessionId; 1]>,
    /// The peer's Expires.
    pub expires: Option<TimerId>,
}

/// What kind of request.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A new call.
    Invite(Box<InviteServer>),
    /// A change of a session.
    Reinvite,
    /// Any other.
    Other,
}

/// A request of the peer.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub(super) message: Arc<Message>,
    pub(super) method: Method,
    pub(super) kind: Kind,
    pub(super) session: Option<SessionId>,
    pub(super) transaction: Option<ServerId>,
    /// A final response was given.
    pub(super) answered: bool,
    pub(super) attachment: Attachment,
    /// The host's time to answer; of an INVITE it runs in pieces of a minute.
    pub(super) answer: Option<TimerId>,
    /// When that time is over.
    pub(super) patience_ends: Time,
    /// The last provisional response beyond 100, to be repeated.
    pub(super) provisional: Option<Bytes>,
    /// It goes when its last event was delivered.
    pub(super) over: bool,
    pub(super) waiting: u16,
    /// The event that handed it up: taken back when nobody has seen it and the default has answered.
    pub(super) event: u64,
}

impl Incoming {
    /// The request.
    pub fn message(&self) -> &Arc<Message> {
        &self.message
    }

    /// Of a request in a dialog its session; of an INVITE the one that was made for it.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    pub(super) fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }

    pub(super) fn invite_mut(&mut self) -> Option<&mut InviteServer> {
        match &mut self.kind {
            Kind::Invite(invite) => Some(invite),
            Kind::Reinvite | Kind::Other => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Message>() + self.message.bytes().len()
    }
}
