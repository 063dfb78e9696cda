//! A request of the peer that waits for its answer, or whose answer waits for its ACK.

use crate::attachment::{Attachment, Unseen};
use crate::error::{Error, Result};
use crate::held::{self, Held};
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
    /// A place is kept for its first session.
    pub has_place: bool,
}

/// What a REFER holds beyond other requests.
#[derive(Clone, Debug)]
pub struct ReferServer {
    /// The first of its dialog: its NOTIFYs go without id (RFC 3515 §2.4.6).
    pub first: bool,
    /// Its subscription, from acceptance to end.
    pub notifier: Option<Notifier>,
}

/// A subscription that we notify.
#[derive(Clone, Debug)]
pub struct Notifier {
    /// Expiry.
    pub timer: TimerId,
    /// When that is.
    pub expires_at: Time,
    /// Code and phrase that it tells now.
    pub last: (u16, Box<[u8]>),
    /// NOTIFYs on their way.
    pub under_way: u8,
    /// What it tells now was not sent yet.
    pub waits: bool,
}

/// What kind of request.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A new call.
    Invite(Box<InviteServer>),
    /// A change of a session.
    Reinvite,
    /// The same by UPDATE.
    Update,
    /// Asks for a request of ours.
    Refer(Box<ReferServer>),
    /// Tells of a subscription; its default answer was clear when it came.
    Notify {
        /// Its status code.
        default: u16,
    },
    /// An acknowledgement of a reliable response of ours (RFC 3262).
    Prack(Acknowledges),
    /// Any other.
    Other,
}

/// What a PRACK does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledges {
    /// It acknowledges nothing; a tolerated deviation.
    Nothing,
    /// It acknowledges a response. What an offer in it owes is in the session's books.
    Response,
}

/// A request of the peer.
#[derive(Clone, Debug)]
pub struct Incoming {
    message: Option<Arc<Message>>,
    pub(in crate::agent) method: Method,
    pub(in crate::agent) kind: Kind,
    pub(in crate::agent) session: Option<SessionId>,
    pub(in crate::agent) transaction: Option<ServerId>,
    /// A final response was given.
    pub(in crate::agent) answered: bool,
    /// It is out of a dialog, and counted among those without a final response.
    pub(in crate::agent) is_work: bool,
    pub(in crate::agent) attachment: Attachment,
    /// The host's time to answer; of an INVITE it runs in pieces of a minute.
    pub(in crate::agent) answer: Option<TimerId>,
    /// When that time is over.
    pub(in crate::agent) patience_ends: Time,
    /// The last provisional response beyond 100, to be repeated.
    pub(in crate::agent) provisional: Option<Bytes>,
    /// It goes when its last event was delivered.
    pub(in crate::agent) over: bool,
    /// Events about it that wait.
    pub(in crate::agent) unseen: Unseen,
}

impl Incoming {
    /// One that has come.
    pub(in crate::agent) fn new(
        request: &Arc<Message>,
        kind: Kind,
        session: Option<SessionId>,
        attachment: Attachment,
        patience_ends: Time,
    ) -> Self {
        Self {
            message: Some(Arc::clone(request)),
            method: request.method(),
            kind,
            session,
            transaction: None,
            answered: false,
            is_work: session.is_none(),
            attachment,
            answer: None,
            patience_ends,
            provisional: None,
            over: false,
            unseen: Unseen::default(),
        }
    }

    /// The request. Errors: state, an INVITE has its final response, which is all that is still needed of it.
    pub fn message(&self) -> Result<&Arc<Message>> {
        self.message.as_ref().ok_or_else(|| Error::state("the request is answered, and not kept any more"))
    }

    pub(in crate::agent) fn cseq(&self) -> Option<u32> {
        self.message.as_ref().map(|message| message.cseq_number())
    }

    /// An INVITE lives until its ACK; the request itself is not needed for that.
    pub(in crate::agent) fn let_message_go(&mut self) {
        if self.is_invite() {
            self.message = None;
        }
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// The request, as long as it may be answered.
    pub(in crate::agent) fn unanswered(&self) -> Result<&Self> {
        if self.answered { Err(Error::state("the request is answered")) } else { Ok(self) }
    }

    pub(in crate::agent) fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }

    pub(in crate::agent) fn invite_mut(&mut self) -> Option<&mut InviteServer> {
        match &mut self.kind {
            Kind::Invite(invite) => Some(invite),
            Kind::Reinvite | Kind::Update | Kind::Refer(_) | Kind::Notify { .. } | Kind::Prack(_) | Kind::Other => None,
        }
    }

    /// The subscription of an accepted REFER, while it lives.
    pub(in crate::agent) fn notifier(&self) -> Option<&Notifier> {
        match &self.kind {
            Kind::Refer(refer) => refer.notifier.as_ref(),
            _ => None,
        }
    }

    pub(in crate::agent) fn notifier_mut(&mut self) -> Option<&mut Notifier> {
        match &mut self.kind {
            Kind::Refer(refer) => refer.notifier.as_mut(),
            _ => None,
        }
    }
}

impl Held for Incoming {
    fn held(&self) -> usize {
        let kind = match &self.kind {
            Kind::Invite(invite) => size_of_val(&**invite) + held::spilled(&invite.sessions),
            Kind::Refer(refer) => {
                size_of_val(&**refer) + refer.notifier.as_ref().map_or(0, |notifier| notifier.last.1.len())
            }
            Kind::Reinvite | Kind::Update | Kind::Notify { .. } | Kind::Prack(_) | Kind::Other => 0,
        };
        // Its responses are its transaction's.
        size_of::<Self>() + kind + self.message.as_ref().map_or(0, |message| message.held())
    }
}
