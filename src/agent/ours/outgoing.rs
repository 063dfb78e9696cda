//! A request of ours and what is known of its fate.

mod held;

use crate::agent::ours::authentication::Authentication;
use crate::agent::ours::draft::Draft;
use crate::agent::ours::timed::Timed;
use crate::attachment::{Attachment, Unseen};
use crate::dialog::Dialog;
use crate::dialog::sequence::LocalSequence;
use crate::flow::{Flow, Hop, Transport};
use crate::message::{Message, Method};
use crate::session::Resolved;
use crate::session::change::By;
use crate::session::explain::Acts;
use crate::session::offer_answer::{Standing, StoredBody};
use crate::session::reason::Reason;
use crate::session::reliable_client::Acknowledged;
use crate::slots::{IncomingId, SessionId};
use crate::time::Time;
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
    /// The name in its way is being looked up.
    pub asked: bool,
    /// How far it is.
    pub course: AckCourse,
}

/// How far the ACK to a 2xx is.
#[derive(Clone, Debug)]
pub enum AckCourse {
    /// It cannot be written.
    Never,
    /// Its way is looked up, or none was found yet.
    Drafted(Box<Draft>),
    /// It went out.
    Sent(SentAck),
}

/// An ACK as it went out.
#[derive(Clone, Debug)]
pub struct SentAck {
    /// The message.
    pub bytes: Bytes,
    /// Its way.
    pub hop: Hop,
    /// Where its name led, what serves first; `None`: an address.
    pub resolved: Option<Box<Resolved>>,
    /// How many of those were not tried yet.
    pub left: usize,
    /// It went by the connection that the dialog's messages came on.
    pub by_connection: bool,
    /// It is too long for UDP and went by TCP instead of so.
    pub datagram: Option<Box<Hop>>,
    /// The number of its last transmit.
    pub transmit: u64,
    /// How often it was repeated.
    pub repeats: u32,
}

/// An early dialog of ours that ended before its 2xx.
#[derive(Clone, Debug)]
pub struct EndedFork {
    /// Whose.
    pub to_tag: Box<[u8]>,
    /// Where the numbers of its requests stand, for the BYE after a 2xx; `None`: one has gone out.
    pub untold: Option<LocalSequence>,
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
    /// What the library did for it by itself, for the sessions that it makes; `None`: nothing.
    pub acts: Option<Box<Acts>>,
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
    /// Who hears that it ended without one, where the session is gone.
    pub heard_by: Attachment,
}

/// What kind of request.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Makes dialogs.
    Invite(Box<InviteClient>),
    /// Changes a session.
    Reinvite(Box<InviteClient>),
    /// The same by UPDATE.
    Update,
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

/// A request as it went out.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message.
    pub bytes: Bytes,
    /// Its way.
    pub hop: Hop,
}

/// A re-INVITE or UPDATE that waits to be sent again.
#[derive(Clone, Debug)]
pub struct Glare {
    /// What it was refused with; `None`: by nobody, it may not go out now.
    pub refusal: Option<Arc<Message>>,
    /// Its offer, or that of the new body.
    pub offer: Option<StoredBody>,
    /// When it may go.
    pub due: Time,
    /// Then, or when the host's time for a new body is over.
    pub timer: TimerId,
    /// The host was asked for a new body and gave none yet.
    pub asked: bool,
}

/// Why a request that was refused waits to be sent again.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// The host is asked for credentials for this realm.
    Challenge { response: Arc<Message>, realm: Box<[u8]>, timer: TimerId },
    /// 491, or 500 with Retry-After (RFC 3261 §14.1).
    Glare(Glare),
    /// Our refresh of the session is under way (RFC 4028 §10).
    Refresh(Behind),
}

/// A re-INVITE or UPDATE that goes out after a refresh of ours, or when what is under way is over.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Its offer.
    pub offer: Option<StoredBody>,
    /// What it was written beside; `None`: not to be told apart from our refresh.
    pub beside: Option<Standing>,
    /// The refresh is over, but something else came between: the next try.
    pub timer: Option<TimerId>,
}

/// How far a request is.
#[derive(Clone, Debug)]
enum Course {
    /// Its way is looked for; `sent`: it goes out once more.
    Resolving { draft: Box<Draft>, sent: Option<Sent> },
    /// On its way; `answered`: by a provisional response.
    Sent { draft: Box<Draft>, sent: Sent, client: Option<ClientId>, answered: bool },
    /// It will be sent again. What still becomes of a transaction that was refused for glare is nobody's; that of a
    /// challenge may fail yet.
    Waiting { draft: Box<Draft>, sent: Option<Sent>, client: Option<ClientId>, why: Box<Waiting> },
    /// It has its final response, received or made here.
    Done { sent: Option<Sent>, client: Option<ClientId> },
}

/// A request of ours.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(in crate::agent) method: Method,
    pub(in crate::agent) kind: Kind,
    /// Of a request in a dialog.
    pub(in crate::agent) session: Option<SessionId>,
    /// Bits of [`crate::agent::options::request_flag`].
    pub(in crate::agent) flags: u32,
    pub(in crate::agent) attachment: Attachment,
    course: Course,
    /// The host's choice of way.
    pub(in crate::agent) fixed_flow: Option<Flow>,
    /// How the message came that its target is from, where no session tells that.
    pub(in crate::agent) came_by: Option<Transport>,
    /// Where its name led, what it goes to first; `None`: an address, or the way is not known.
    pub(in crate::agent) resolved: Option<Box<Resolved>>,
    /// How many of those were not tried yet.
    pub(in crate::agent) left: usize,
    /// It goes by the connection of its dialog.
    pub(in crate::agent) by_connection: bool,
    /// It is too long for UDP and went by TCP instead of so.
    pub(in crate::agent) datagram: Option<Box<Hop>>,
    /// What it gets where no other target is found for one that failed; 0: none has failed.
    pub(in crate::agent) failed: u16,
    /// The host hears nothing of it: disposed, or made by the library.
    pub(in crate::agent) silent: bool,
    /// It goes when its last event was delivered.
    pub(in crate::agent) over: bool,
    /// It refreshes the session (RFC 4028 §10): none of the host's.
    pub(in crate::agent) refresh: bool,
    /// It is to bring both sides together again (RFC 6141 §3.4): none of the host's.
    pub(in crate::agent) resync: bool,
    /// How often it was sent again after a 491 or the like.
    pub(in crate::agent) retries: u8,
    /// Events about it that wait.
    pub(in crate::agent) unseen: Unseen,
    /// What was done about challenges; `None`: nothing.
    pub(in crate::agent) auth: Option<Box<Authentication>>,
    /// What it asks of the session timer; `None`: nothing.
    pub(in crate::agent) timed: Option<Box<Timed>>,
}

impl Outgoing {
    pub(in crate::agent) fn new(method: Method, kind: Kind, draft: Draft) -> Self {
        Self {
            method,
            kind,
            session: None,
            flags: 0,
            attachment: Attachment::default(),
            course: Course::Resolving { draft: Box::new(draft), sent: None },
            fixed_flow: None,
            came_by: None,
            resolved: None,
            left: 0,
            by_connection: false,
            datagram: None,
            failed: 0,
            silent: false,
            over: false,
            refresh: false,
            resync: false,
            retries: 0,
            unseen: Unseen::default(),
            auth: None,
            timed: None,
        }
    }

    // ------------------------------------------------------------------ its course

    /// Where it stands.
    pub fn state(&self) -> OutgoingState {
        match &self.course {
            Course::Resolving { .. } => OutgoingState::Resolving,
            Course::Sent { answered: false, .. } => OutgoingState::Calling,
            Course::Sent { answered: true, .. } => OutgoingState::Proceeding,
            Course::Waiting { .. } => OutgoingState::WaitingRetry,
            Course::Done { .. } => OutgoingState::Completed,
        }
    }

    /// What it is written from, until its final response.
    pub(in crate::agent) fn draft(&self) -> Option<&Draft> {
        match &self.course {
            Course::Resolving { draft, .. } | Course::Sent { draft, .. } | Course::Waiting { draft, .. } => Some(draft),
            Course::Done { .. } => None,
        }
    }

    /// The same, to be changed.
    pub(in crate::agent) fn draft_mut(&mut self) -> Option<&mut Draft> {
        match &mut self.course {
            Course::Resolving { draft, .. } | Course::Sent { draft, .. } | Course::Waiting { draft, .. } => Some(draft),
            Course::Done { .. } => None,
        }
    }

    /// As it went out last; `None` before.
    pub(in crate::agent) fn last_sent(&self) -> Option<&Sent> {
        match &self.course {
            Course::Sent { sent, .. } => Some(sent),
            Course::Resolving { sent, .. } | Course::Waiting { sent, .. } | Course::Done { sent, .. } => sent.as_ref(),
        }
    }

    /// Its transaction, while that lives.
    pub(in crate::agent) fn client(&self) -> Option<ClientId> {
        match &self.course {
            Course::Sent { client, .. } | Course::Waiting { client, .. } | Course::Done { client, .. } => *client,
            Course::Resolving { .. } => None,
        }
    }

    /// Why it waits to be sent again.
    pub(in crate::agent) fn waiting(&self) -> Option<&Waiting> {
        match &self.course {
            Course::Waiting { why, .. } => Some(why),
            _ => None,
        }
    }

    /// The re-INVITE that waits to be sent again.
    pub(in crate::agent) fn glare_mut(&mut self) -> Option<&mut Glare> {
        match &mut self.course {
            Course::Waiting { why, .. } => match &mut **why {
                Waiting::Glare(glare) => Some(glare),
                Waiting::Challenge { .. } | Waiting::Refresh(_) => None,
            },
            _ => None,
        }
    }

    fn turn(&mut self, next: impl FnOnce(Course) -> Course) {
        let course = std::mem::replace(&mut self.course, Course::Done { sent: None, client: None });
        self.course = next(course);
    }

    /// It went out.
    pub(in crate::agent) fn sent(&mut self, sent: Sent, client: ClientId) {
        self.turn(|course| match course {
            Course::Resolving { draft, .. } => Course::Sent { draft, sent, client: Some(client), answered: false },
            other => other,
        });
    }

    /// A provisional response is there.
    pub(in crate::agent) fn proceeding(&mut self) {
        if let Course::Sent { answered, .. } = &mut self.course {
            *answered = true;
        }
    }

    /// It will be sent again.
    pub(in crate::agent) fn wait(&mut self, why: Waiting) {
        self.turn(|course| match course {
            Course::Resolving { draft, sent } => Course::Waiting { draft, sent, client: None, why: Box::new(why) },
            Course::Sent { draft, sent, client, .. } => {
                let client = client.filter(|_| matches!(why, Waiting::Challenge { .. }));
                Course::Waiting { draft, sent: Some(sent), client, why: Box::new(why) }
            }
            other => other,
        });
    }

    /// It waits no more.
    pub(in crate::agent) fn wait_over(&mut self) -> Option<Waiting> {
        let mut over = None;
        self.turn(|course| match course {
            Course::Waiting { draft, sent, why, .. } => {
                over = Some(*why);
                Course::Resolving { draft, sent }
            }
            other => other,
        });
        over
    }

    /// It goes out again, by a way that is looked for.
    pub(in crate::agent) fn again(&mut self) {
        self.turn(|course| match course {
            Course::Sent { draft, sent, .. } => Course::Resolving { draft, sent: Some(sent) },
            other => other,
        });
    }

    /// It has its final response. Gives the timer of what it waited for.
    #[must_use]
    pub(in crate::agent) fn done(&mut self) -> Option<TimerId> {
        let mut timer = None;
        self.turn(|course| match course {
            Course::Sent { sent, client, .. } => Course::Done { sent: Some(sent), client },
            Course::Resolving { sent, .. } => Course::Done { sent, client: None },
            Course::Waiting { sent, client, why, .. } => {
                timer = match *why {
                    Waiting::Challenge { timer, .. } | Waiting::Glare(Glare { timer, .. }) => Some(timer),
                    Waiting::Refresh(Behind { timer, .. }) => timer,
                };
                Course::Done { sent, client }
            }
            done => done,
        });
        timer
    }

    /// Its transaction is over.
    pub(in crate::agent) fn client_ended(&mut self) {
        if let Course::Sent { client, .. } | Course::Waiting { client, .. } | Course::Done { client, .. } =
            &mut self.course
        {
            *client = None;
        }
    }

    // ------------------------------------------------------------------ what it is

    /// The request as sent last; `None` before.
    pub fn message(&self) -> Option<Arc<Message>> {
        let sent = self.last_sent()?;
        Message::parse(&sent.bytes, Some(sent.hop.flow)).ok().map(Arc::new)
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Who hears that the subscription of this REFER has ended without a NOTIFY, beyond its session.
    pub fn subscriber_attachment(&self) -> Option<&Attachment> {
        match &self.kind {
            Kind::Refer(subscriber) => Some(&subscriber.heard_by),
            _ => None,
        }
    }

    pub(in crate::agent) fn invite(&self) -> Option<&InviteClient> {
        match &self.kind {
            Kind::Invite(invite) | Kind::Reinvite(invite) => Some(invite),
            Kind::Update | Kind::Bye | Kind::Prack(_) | Kind::Refer(_) | Kind::Notify(_) | Kind::Other => None,
        }
    }

    pub(in crate::agent) fn invite_mut(&mut self) -> Option<&mut InviteClient> {
        match &mut self.kind {
            Kind::Invite(invite) | Kind::Reinvite(invite) => Some(invite),
            Kind::Update | Kind::Bye | Kind::Prack(_) | Kind::Refer(_) | Kind::Notify(_) | Kind::Other => None,
        }
    }

    /// By which of the two ways it changes its session.
    pub(in crate::agent) fn changes(&self) -> Option<By> {
        match &self.kind {
            Kind::Reinvite(_) => Some(By::Reinvite),
            Kind::Update => Some(By::Update),
            _ => None,
        }
    }

    /// Whether it goes on when its session is over.
    pub(in crate::agent) fn outlives_session(&self) -> bool {
        matches!(self.kind, Kind::Bye | Kind::Notify(_))
    }

    pub(in crate::agent) fn is_initial_invite(&self) -> bool {
        matches!(self.kind, Kind::Invite(_))
    }
}
