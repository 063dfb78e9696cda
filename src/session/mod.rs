//! SessionDialog: the INVITE usage of a dialog.

pub mod ack;
pub mod by_hand;
pub mod change;
pub mod deed;
pub mod explain;
pub mod farewell;
#[cfg(test)]
mod fixture;
pub mod glare;
mod held;
mod identity;
pub mod invite_client;
pub mod invite_server;
pub mod offer_answer;
pub mod peer;
mod properties;
pub mod prack_server;
pub mod reason;
pub mod refer;
pub mod reinvite;
pub mod reliable_client;
pub mod reliable_server;
pub mod resolved;
pub mod session_timer;
pub mod terminate;
pub mod update;
pub mod usage;
mod way;

use crate::attachment::{Attachment, Unseen};
use crate::dialog::Dialog;
use crate::dialog::id::DialogKeys;
use crate::dialog::sequence::LocalSequence;
use crate::flow::Flow;
use crate::message::digest::Credentials;
use crate::message::secret::Secret;
use crate::message::{Message, Method};
use crate::slots::{IncomingId, OutgoingId};
use crate::transaction::ServerId;
use ack::{Accepted, AckProcessing, OwedAck};
use change::Ours;
use deed::DeferredBye;
use deed::{Clock, Deeds, Wake};
use explain::Acts;
use offer_answer::{Carries, Mark, OfferAnswer, Party, StoredBody};
use peer::Peer;
use reason::Ending;
use refer::Referrals;
use reliable_client::ReliableClient;
use reliable_server::ReliableServer;
pub use resolved::Resolved;
use session_timer::SessionTimer;
use smallvec::SmallVec;
use std::sync::Arc;
use way::Connection;

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
    Outgoing {
        /// Which.
        invite: OutgoingId,
        /// Whether it carries an offer.
        offered: bool,
    },
    /// The peer's.
    Incoming(IncomingId),
}

impl Origin {
    /// Ours.
    pub fn outgoing(self) -> Option<OutgoingId> {
        match self {
            Self::Outgoing { invite, .. } => Some(invite),
            Self::Incoming(_) => None,
        }
    }

    /// The peer's.
    pub fn incoming(self) -> Option<IncomingId> {
        match self {
            Self::Outgoing { .. } => None,
            Self::Incoming(invite) => Some(invite),
        }
    }
}

/// Where the session stands. Each phase holds what only it needs.
#[derive(Clone, Debug)]
enum Phase {
    /// Made for a live INVITE of the peer, nothing answered.
    Initial,
    /// Between a tagged provisional response and the final one.
    Early,
    /// Callee: 2xx sent, no ACK came. `None`: its time is over (RFC 3261 §13.3.1.4).
    AckWait(Option<Box<Accepted>>),
    /// Both sides have it.
    Confirmed,
    /// Over: nothing more is allowed (RFC 5407 §2). TERMINATED is not due yet: our BYE, or our answer to the peer's, is
    /// under way.
    Mortal(Ending),
    /// TERMINATED is due, but a 2xx of ours still waits for its ACK, or a reliable 199 for its PRACK.
    Due(Ending),
    /// TERMINATED was told.
    Gone(Ending),
}

/// What lasts: what a snapshot of the session would hold. Each 2xx that waits has its ids and its timer apart.
#[derive(Clone, Debug)]
struct Lasting {
    dialog: Dialog,
    role: Role,
    phase: Phase,
    signaling: OfferAnswer,
    peer: Peer,
    /// 2xx of ours to re-INVITEs that wait for their ACK; once the session is over, that to the INVITE too.
    accepted: SmallVec<[Box<Accepted>; 1]>,
    /// Who says that the body of an ACK is worked off.
    ack_processing: AckProcessing,
    /// Credentials that its requests were challenged for: those of proxies go with every later request (RFC 3261
    /// §22.3); and those that the host gave for the call.
    credentials: Option<Box<KnownCredentials>>,
    /// RFC 4028; `None`: nothing was said of it.
    timer: Option<Box<SessionTimer>>,
    /// A hang-up that waits.
    deferred_bye: Option<Box<DeferredBye>>,
    /// The caller is to be told who answered (RFC 4916).
    owes_identity: bool,
    /// Requests go where its messages come from, over UDP too.
    follows: bool,
    /// What the last STATE event told, so that it is not told again.
    told: Option<(SessionState, SignalingState)>,
}

/// What runs: what names other objects of this agent, its sockets and its host.
#[derive(Clone, Debug)]
struct Running {
    /// The INVITE that made it, while it lives.
    origin: Option<Origin>,
    /// Our re-INVITE, until its ACK; our UPDATE.
    ours: Option<Box<Ours>>,
    /// What the peer has under way here; `None`: nothing.
    theirs: Option<Box<Theirs>>,
    /// A 2xx of the peer whose ACK the host owes.
    owed_ack: Option<OwedAck>,
    /// The peer's requests that wait for the host's answer.
    pending: SmallVec<[Pending; 1]>,
    /// Reliable responses to our INVITE or re-INVITE (RFC 3262).
    reliable_client: Option<Box<ReliableClient>>,
    /// Reliable responses to the peer's INVITE or re-INVITE, until its final response (RFC 3262).
    reliable_server: Option<Box<ReliableServer>>,
    /// Where requests go whatever the URI says (`set_flow`).
    fixed_flow: Option<Box<Flow>>,
    /// The connection that the dialog's messages came on: it serves while the remote target is the next hop.
    connection: Option<Box<Connection>>,
    /// Where the next hop's name led, until it fails or moves.
    resolved: Option<Box<Resolved>>,
    /// What it knows of REFERs; `None`: there was none.
    referrals: Option<Box<Referrals>>,
    /// What the library did by itself; `None`: nothing.
    acts: Option<Box<Acts>>,
    /// The host's.
    attachment: Attachment,
    unseen: Unseen,
}

/// One INVITE usage of a dialog.
#[derive(Clone, Debug)]
pub struct Session {
    lasting: Lasting,
    running: Running,
}

/// Requests of the peer's that touch the exchange of descriptions.
#[derive(Clone, Debug, Default)]
struct Theirs {
    /// Its re-INVITE, until it is refused or the ACK of its 2xx is here.
    reinvite: Option<Describing>,
    /// Its re-INVITEs that were refused last: another of ours waits for their ACKs (RFC 3261 §14.1).
    refused: SmallVec<[ServerId; 1]>,
    /// Its PRACK whose offer waits for our answer (RFC 3262 §5).
    prack: Option<Describing>,
    /// Its UPDATE that waits for our answer (RFC 3311 §5.2).
    update: Option<Describing>,
}

/// A request of the peer's, and what that owes to the books.
#[derive(Clone, Debug)]
struct Describing {
    request: IncomingId,
    carries: Carries,
    /// The last exchange before it.
    before: Mark,
}

impl Running {
    fn theirs(&mut self) -> &mut Theirs {
        self.theirs.get_or_insert_default()
    }

    /// The peer's re-INVITE.
    fn their_reinvite(&mut self) -> Option<&mut Describing> {
        self.theirs.as_mut()?.reinvite.as_mut()
    }

    /// Nothing is kept where nothing is under way.
    fn tidy(&mut self) {
        self.theirs.take_if(|theirs| {
            let [reinvite, prack, update] = [&theirs.reinvite, &theirs.prack, &theirs.update];
            theirs.refused.is_empty() && reinvite.is_none() && prack.is_none() && update.is_none()
        });
    }
}

/// A request of the peer's that waits for the host's answer.
#[derive(Clone, Copy, Debug)]
struct Pending {
    request: IncomingId,
    method: Method,
}

/// What a call was challenged for, and what the host gave for it. Few calls are: one word of the session holds it.
#[derive(Clone, Debug)]
pub struct KnownCredentials {
    asked: Vec<Credentials>,
    given: Option<Arc<[Secret]>>,
}

impl Session {
    fn new(dialog: Dialog, role: Role, phase: Phase, origin: Option<Origin>, attachment: Attachment) -> Box<Self> {
        // Where it stays, for it is large.
        Box::new(Self {
            lasting: Lasting {
                dialog,
                role,
                phase,
                signaling: OfferAnswer::default(),
                peer: Peer::default(),
                accepted: SmallVec::new(),
                ack_processing: AckProcessing::AtOnce,
                credentials: None,
                timer: None,
                deferred_bye: None,
                owes_identity: false,
                follows: false,
                told: None,
            },
            running: Running {
                origin,
                ours: None,
                theirs: None,
                owed_ack: None,
                pending: SmallVec::new(),
                reliable_client: None,
                reliable_server: None,
                fixed_flow: None,
                connection: None,
                resolved: None,
                referrals: None,
                acts: None,
                attachment,
                unseen: Unseen::default(),
            },
        })
    }

    /// The caller's, made by a response to `invite` (RFC 3261 §12.1.2); early until a 2xx is taken.
    pub fn of_caller(
        dialog: Dialog,
        invite: OutgoingId,
        request: &Message,
        response: &Message,
        attachment: Attachment,
    ) -> Box<Self> {
        let offer = request.session_body();
        let origin = Origin::Outgoing { invite, offered: offer.is_some() };
        let mut session = Self::new(dialog, Role::Caller, Phase::Early, Some(origin), attachment);
        session.came_on(response.flow());
        session.lasting.peer.learn_methods(response);
        if let (Some(offer), Ok(turn)) = (offer, session.lasting.signaling.turn(Party::Local)) {
            turn.take(StoredBody::of_remote(&offer));
        }
        session
    }

    /// The callee's, for an INVITE before any response (§12.1.1).
    pub fn of_callee(dialog: Dialog, invite: IncomingId, request: &Message, attachment: Attachment) -> Box<Self> {
        let origin = Some(Origin::Incoming(invite));
        let mut session = Self::new(dialog, Role::Callee, Phase::Initial, origin, attachment);
        session.lasting.peer.learn(request);
        session.learn_min_se_of(request);
        session.came_on(request.flow());
        if let (Some(offer), Ok(turn)) = (request.session_body(), session.lasting.signaling.turn(Party::Remote)) {
            turn.take(StoredBody::of_remote(&offer));
        }
        session
    }

    /// Of a dialog that was made elsewhere: it begins where another product stopped.
    pub fn taken_over(
        dialog: Dialog,
        role: Role,
        early: bool,
        offer: Option<StoredBody>,
        answer: Option<StoredBody>,
        attachment: Attachment,
    ) -> Box<Self> {
        let phase = if early { Phase::Early } else { Phase::Confirmed };
        let mut session = Self::new(dialog, role, phase, None, attachment);
        session.lasting.signaling.resume(offer, answer);
        session
    }

    /// No session: a dialog for the subscription of a REFER alone (RFC 3515 §2.4.4).
    pub fn of_subscription(dialog: Dialog, request: &Message, attachment: Attachment) -> Box<Self> {
        let mut holder = Self::new(dialog, Role::Callee, Phase::Gone(Ending::default()), None, attachment);
        holder.lasting.signaling.close();
        holder.came_on(request.flow());
        holder
    }

    // ------------------------------------------------------------------ its dialog and its ways

    /// The dialog.
    pub fn dialog(&self) -> &Dialog {
        &self.lasting.dialog
    }

    /// Its sequence numbers go on from here: the request that took the next one goes out.
    pub fn set_local_sequence(&mut self, sequence: LocalSequence) {
        self.lasting.dialog.local = sequence;
    }

    /// The next number of a request of ours.
    pub fn take_number(&mut self) -> u32 {
        self.lasting.dialog.local.take()
    }

    /// A request of the peer's came; false: out of order (RFC 3261 §12.2.2).
    #[must_use]
    pub fn in_order(&mut self, request: &Message) -> bool {
        self.lasting.dialog.remote.accept(request.cseq_number())
    }

    /// Whether its number is higher than that of the peer's last request.
    pub fn is_newer(&self, request: &Message) -> bool {
        self.lasting.dialog.remote.last().is_none_or(|last| request.cseq_number() > last)
    }

    /// The message moves the remote target (RFC 6141 §4). True: it is another now.
    pub fn refreshed(&mut self, message: &Message) -> bool {
        let moved = self.lasting.dialog.refresh_target(message);
        if moved && self.lasting.dialog.route_set.is_empty() {
            // A name that led to the old one may lead elsewhere when the peer comes back to it.
            let target = &self.lasting.dialog.remote_target;
            self.running.resolved.take_if(|known| !known.serves(target));
        }
        moved
    }

    /// The quirk: the callee has changed its tag.
    pub fn change_remote_tag(&mut self, tag: &[u8]) {
        self.lasting.dialog.names = self.lasting.dialog.names.with_remote_tag(tag);
    }

    /// Where a name led that was looked up for it.
    pub fn resolved(&self) -> Option<&Resolved> {
        self.running.resolved.as_deref()
    }

    /// Our INVITE went by name: who answered it gets the dialog's requests first, where they go by that name too.
    pub fn answered_by(&mut self, resolved: Option<&Resolved>) {
        let Some(resolved) = resolved.filter(|_| self.running.resolved.is_none()) else { return };
        if resolved.serves(&self.lasting.dialog.route_set.destination(&self.lasting.dialog.remote_target).next_hop) {
            self.set_resolved(Some(resolved.clone()));
        }
    }

    /// A target of a name failed: later requests go to the next one first.
    pub fn target_failed(&mut self, target: &Flow) {
        if let Some(resolved) = &mut self.running.resolved {
            resolved.failed(target);
        }
    }

    /// A name was looked up, or has to be looked up again.
    pub fn set_resolved(&mut self, resolved: Option<Resolved>) {
        self.running.resolved = resolved.map(Box::new);
    }

    /// What its requests were challenged for.
    pub fn credentials(&self) -> &[Credentials] {
        self.lasting.credentials.as_deref().map(|known| &known.asked[..]).unwrap_or_default()
    }

    /// The same, to be counted or renewed.
    pub fn take_credentials(&mut self) -> Vec<Credentials> {
        self.lasting.credentials.as_deref_mut().map(|known| std::mem::take(&mut known.asked)).unwrap_or_default()
    }

    /// Keeps them.
    pub fn keep_credentials(&mut self, asked: Vec<Credentials>) {
        match &mut self.lasting.credentials {
            Some(known) => known.asked = asked,
            None if asked.is_empty() => {}
            none => *none = Some(Box::new(KnownCredentials { asked, given: None })),
        }
    }

    /// What the host gave for its challenges.
    pub fn given_credentials(&self) -> Option<&Arc<[Secret]>> {
        self.lasting.credentials.as_deref()?.given.as_ref()
    }

    /// The host gives them from now on; what it gave and what served for their realms before is forgotten. What it gave
    /// for others stays: a call does not go over to another account there.
    pub fn give_credentials(&mut self, given: Arc<[Secret]>) {
        let mut asked = self.take_credentials();
        asked.retain(|known| !given.iter().any(|secret| secret.is_for(&known.realm)));
        let former = self.given_credentials().into_iter().flat_map(|former| former.iter());
        let kept: Vec<_> = former.filter(|former| !given.iter().any(|secret| secret.stands_for(former))).collect();
        let given = if kept.is_empty() { given } else { given.iter().chain(kept).cloned().collect() };
        self.lasting.credentials = Some(Box::new(KnownCredentials { asked, given: Some(given) }));
    }

    /// What it knows of REFERs.
    pub fn referrals(&self) -> Option<&Referrals> {
        self.running.referrals.as_deref()
    }

    /// The same, made where there is nothing yet.
    pub fn referrals_mut(&mut self) -> &mut Referrals {
        self.running.referrals.get_or_insert_default()
    }

    /// Whether subscriptions of REFERs need its dialog.
    pub fn is_referring(&self) -> bool {
        self.referrals().is_some_and(Referrals::is_alive)
    }

    /// The host's.
    pub fn attachment(&self) -> &Attachment {
        &self.running.attachment
    }

    /// The host's, to be changed.
    pub fn attachment_mut(&mut self) -> &mut Attachment {
        &mut self.running.attachment
    }

    /// Events about it that wait.
    pub fn unseen_mut(&mut self) -> &mut Unseen {
        &mut self.running.unseen
    }

    /// What the peer can.
    pub fn peer(&self) -> &Peer {
        &self.lasting.peer
    }

    /// What finds it in the agent's table; made anew each time, for it is asked for at birth and end alone.
    pub fn key(&self, keys: DialogKeys) -> u128 {
        self.lasting.dialog.names.key(keys)
    }

    /// A timer of the session is due.
    pub fn woken(&mut self, wake: Wake, clock: &mut impl Clock) -> Deeds {
        match wake {
            Wake::Accepted(cseq) => self.accepted_due(cseq, clock),
            Wake::Reliable => self.reliable_due(clock),
            Wake::SessionTimer => self.session_timer_due(clock),
        }
    }

    // ------------------------------------------------------------------ requests of the peer that wait

    /// How many wait for the host's answer.
    pub fn pending(&self) -> usize {
        self.running.pending.len()
    }

    /// One more does.
    pub fn waits(&mut self, request: IncomingId, method: Method) {
        self.running.pending.push(Pending { request, method });
    }

    /// It was answered.
    pub fn answered(&mut self, request: IncomingId) {
        self.running.pending.retain(|pending| pending.request != request);
    }
}

#[cfg(test)]
mod tests;
