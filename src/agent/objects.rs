//! What lives in an agent: sessions with their dialogs, requests of ours and of the peer's. Found by number, dialogs by
//! their names; what there is room for, and the facts that need more than one object to be told.

use crate::agent::event::{Event, EventKind, flag};
use crate::agent::ours::outgoing::{AckCourse, EndedFork, InviteClient, KeptAck, Outgoing, OutgoingState};
use crate::agent::remains::Remains;
use crate::agent::theirs::incoming::{Incoming, InviteServer, Kind as IncomingKind};
use crate::agent::{IncomingId, OutgoingId, SessionId};
use crate::attachment::Opaque;
use crate::dialog::id::{DialogKeys, is_same_tag};
use crate::dialog::sequence::LocalSequence;
use crate::dialog::target::Contact;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{HeaderId, Message, Replaces};
use crate::session::reason::Reason;
use crate::session::refer::Referrals;
use crate::session::reliable_server::ReliableServer;
use crate::session::terminate::Cancels;
use crate::session::{Origin, Resolved, Session};
use crate::shrink::Shrink;
use crate::slots::{IncomingKind as Incomings, OutgoingKind as Outgoings, SessionKind as Sessions, Slots};
use crate::transaction::key::Identity;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::time::Duration;

mod held;
mod places;

use places::Places;

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    pub sessions: Slots<Sessions, Session>,
    pub incoming: Slots<Incomings, Incoming>,
    pub outgoing: Slots<Outgoings, Outgoing>,
    /// What remains of sessions that have said TERMINATED: their dialogs, while subscriptions of REFERs live in them
    /// (RFC 5057 §5.5, RFC 5407 §3.3.3). By the raw id that the session had, whose token has ended; nothing but NOTIFY
    /// and SUBSCRIBE passes there.
    remains: Remains,
    dialogs: HashMap<u128, SessionId, BuildHasherDefault<Identity>>,
    places: Places,
    /// What finds dialogs.
    pub keys: DialogKeys,
    /// How many sessions there may be.
    limit: usize,
    /// Places kept for INVITEs of the peer that were let in and have no session yet.
    kept: usize,
    /// Requests of the peer out of dialogs that have no final response.
    unanswered: usize,
}

/// RFC 3261 §13.3.1.1: a pending INVITE gets a provisional response at least every minute.
pub(super) const PROVISIONAL_REFRESH: Duration = Duration::from_secs(60);

/// RFC 3262 §3: where responses are reliable, one each two and a half minutes is enough for the proxies' timer C.
const RELIABLE_REFRESH: Duration = Duration::from_secs(150);

/// How a 2xx found its session.
pub(super) enum Found {
    /// The session with its To tag.
    Session(SessionId),
    /// One whose dialog ended already: acknowledged, no session (RFC 5407 §3.1.3). `untold`: without BYE.
    Ended { untold: Option<LocalSequence> },
    /// None.
    No,
}

/// What became of a session whose TERMINATED was delivered.
pub(super) enum Removed {
    /// It is gone, or its dialog remains.
    Gone,
    /// Subscriptions want its dialog kept, but there is no room: they end.
    WithoutRoom,
}

impl Objects {
    pub fn new(keys: DialogKeys, limit: usize) -> Self {
        Self {
            sessions: Slots::default(),
            incoming: Slots::default(),
            outgoing: Slots::default(),
            remains: Remains::default(),
            dialogs: HashMap::default(),
            places: Places::default(),
            keys,
            limit,
            kept: 0,
            unanswered: 0,
        }
    }

    /// A session that was just made takes from the share of who sent this.
    pub fn held_for_sender(&mut self, id: SessionId, request: &Message) {
        if let Some(peer) = request.flow().and_then(|flow| flow.remote) {
            self.sessions.owned_by(id, peer.ip());
        }
    }

    /// A request of the peer's; `None`: there is no place.
    pub fn add_incoming(&mut self, incoming: Box<Incoming>) -> Option<IncomingId> {
        let peer = incoming.message().ok().and_then(|message| message.flow()?.remote);
        let is_work = incoming.is_work;
        let id = self.incoming.insert(incoming)?;
        self.unanswered += usize::from(is_work);
        if let Some(peer) = peer {
            self.incoming.owned_by(id, peer.ip());
        }
        Some(id)
    }

    /// It has its final response.
    pub fn work_done(&mut self, id: IncomingId) {
        if let Some(incoming) = self.incoming.get_mut(id) {
            self.unanswered -= usize::from(std::mem::take(&mut incoming.is_work));
        }
    }

    /// It is gone, answered or not.
    pub fn remove_incoming(&mut self, id: IncomingId) {
        let is_work = self.incoming.remove(id).is_some_and(|incoming| incoming.is_work);
        self.unanswered -= usize::from(is_work);
    }

    /// Requests of the peer out of dialogs that have no final response.
    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    // ------------------------------------------------------------------ sessions and their dialogs

    /// Living sessions, and those that INVITEs of the peer were promised.
    pub fn calls(&self) -> usize {
        self.sessions.len() + self.kept
    }

    /// There is room for one more.
    pub fn room_for_session(&self) -> Result<()> {
        if self.calls() < self.limit {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, "sessions: the limit is reached"))
    }

    /// An INVITE of the peer was let in: what the host is told of it may be accepted.
    pub fn keep_place(&mut self, invite: IncomingId) {
        if let Some(invite) = self.incoming.get_mut(invite).and_then(Incoming::invite_mut) {
            invite.has_place = true;
            self.kept += 1;
        }
    }

    /// Its first session takes the place, or its answer gives it back.
    pub fn use_place(&mut self, invite: IncomingId) {
        if let Some(invite) = self.incoming.get_mut(invite).and_then(Incoming::invite_mut)
            && std::mem::take(&mut invite.has_place)
        {
            self.kept -= 1;
        }
    }

    /// Stores a session and makes its dialog known. Whether there is room was asked where that counts: the first 2xx to
    /// an INVITE of ours makes its session always. Errors: state, the dialog is there already.
    pub fn add_session(&mut self, session: Box<Session>) -> Result<SessionId> {
        let key = session.key(self.keys);
        if self.dialogs.contains_key(&key) {
            return Err(Error::state("the dialog is there already"));
        }
        let id = self.sessions.insert(session);
        let id = id.ok_or_else(|| Error::new(ErrorKind::Limit, "sessions: no slot is free"))?;
        self.dialogs.insert(key, id);
        self.note_connection(id);
        Ok(id)
    }

    /// Stores a dialog that never was a session's: its number is one that none has.
    pub fn add_remains(&mut self, holder: Box<Session>) -> Result<SessionId> {
        let full = || Error::new(ErrorKind::Limit, "sessions: the limit is reached");
        if self.sessions.len() + self.remains.len() >= self.limit {
            return Err(full());
        }
        let id = self.add_session(holder)?;
        let holder = self.sessions.remove(id).ok_or_else(full)?;
        self.remains.insert(id, holder);
        Ok(id)
    }

    /// The dialog of a session, also after its end.
    pub fn holder(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id).or_else(|| self.remains.get(id))
    }

    /// The same, to be changed.
    pub fn holder_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        match self.sessions.get_mut(id) {
            Some(session) => Some(session),
            None => self.remains.get_mut(id),
        }
    }

    /// Who hears of what comes in the dialog of a session that no event names any more: the last delegate that it had.
    pub fn delegate_of_gone(&self, id: SessionId) -> Option<Opaque> {
        self.holder(id).filter(|holder| holder.is_gone())?.attachment().delegate.clone()
    }

    /// What a dialog knows of REFERs.
    pub fn referrals(&self, id: SessionId) -> Option<&Referrals> {
        self.holder(id)?.referrals()
    }

    /// The same, made where there is none yet.
    pub fn referrals_mut(&mut self, id: SessionId) -> Option<&mut Referrals> {
        self.holder_mut(id).map(Session::referrals_mut)
    }

    /// The dialog of these names (RFC 3261 §12).
    pub fn dialog(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> Option<SessionId> {
        self.dialogs.get(&self.keys.key(call_id, local_tag, remote_tag)).copied()
    }

    /// The dialog of a request of the peer.
    pub fn dialog_of(&self, request: &Message) -> Option<SessionId> {
        self.dialog(request.call_id(), request.to_tag()?, request.from_tag().unwrap_or_default())
    }

    /// The quirk: a callee that changes its tag.
    pub fn change_remote_tag(&mut self, id: SessionId, tag: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        self.dialogs.remove(&session.key(self.keys));
        session.change_remote_tag(tag);
        self.dialogs.insert(session.key(self.keys), id);
    }

    /// No message finds the dialog any more.
    pub fn forget_dialog(&mut self, id: SessionId) {
        let Some(key) = self.holder(id).map(|holder| holder.key(self.keys)) else { return };
        self.dialogs.remove(&key);
        self.dialogs.ease();
    }

    /// TERMINATED was delivered.
    pub fn remove_session(&mut self, id: SessionId) -> Removed {
        let Some(session) = self.sessions.remove(id) else { return Removed::Gone };
        if !session.is_referring() {
            self.note_connection(id);
            return Removed::Gone;
        }
        let room = self.remains.len() < self.limit;
        self.remains.insert(id, session);
        if room { Removed::Gone } else { Removed::WithoutRoom }
    }

    /// There was no room for what remains.
    pub fn drop_remains(&mut self, id: SessionId) {
        self.remains.remove(id);
        self.note_connection(id);
    }

    /// Lets go of a dialog whose session is over and that no subscription needs any more.
    pub fn let_dialog_go(&mut self, id: SessionId) {
        if self.holder(id).is_some_and(|holder| holder.is_gone() && !holder.is_referring()) {
            self.forget_dialog(id);
            self.drop_remains(id);
        }
    }

    // ------------------------------------------------------------------ the dialogs of one INVITE

    /// Whether it is not over.
    pub fn lives(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| !session.is_terminated())
    }

    /// A session of the peer's INVITE that is not over, other than `but`.
    pub fn living_session(&self, invite: &InviteServer, but: Option<SessionId>) -> Option<SessionId> {
        invite.sessions.iter().copied().find(|id| Some(*id) != but && self.lives(*id))
    }

    /// A dialog of the peer's INVITE that goes on without this one.
    pub fn other_dialog(&self, incoming: IncomingId, id: SessionId) -> Option<SessionId> {
        match &self.incoming.get(incoming)?.kind {
            IncomingKind::Invite(invite) => self.living_session(invite, Some(id)),
            _ => None,
        }
    }

    /// The session with this To tag, or the one that there is; also an ended one.
    pub fn known_session(&self, incoming: &Incoming, to_tag: Option<&[u8]>) -> Option<SessionId> {
        let IncomingKind::Invite(invite) = &incoming.kind else { return incoming.session };
        let Some(tag) = to_tag else { return self.living_session(invite, None) };
        let has_tag =
            |id: &SessionId| self.sessions.get(*id).is_some_and(|session| is_same_tag(session.local_tag(), tag));
        invite.sessions.iter().copied().find(has_tag)
    }

    /// What a CANCEL of our INVITE would do now, as this dialog of it sees it.
    pub fn cancels(&self, id: SessionId) -> Cancels {
        let origin = self.sessions.get(id).and_then(Session::origin).and_then(Origin::outgoing);
        let open = origin.and_then(|invite| self.outgoing.get(invite));
        let open = open.filter(|invite| invite.state() != OutgoingState::Completed).and_then(Outgoing::invite);
        match open {
            None => Cancels::Nothing,
            Some(invite) if invite.sessions.iter().any(|other| *other != id && self.lives(*other)) => Cancels::Others,
            Some(_) => Cancels::This,
        }
    }

    /// Whether the host has ended every early dialog of an INVITE of ours. None at all: it is to be answered yet.
    pub fn is_deserted(&self, invite: &InviteClient) -> bool {
        !invite.sessions.is_empty() && !invite.sessions.iter().any(|session| self.lives(*session))
    }

    /// Whether our INVITE that made a session confirmed by hand has no final response yet (RFC 3261 §14.1).
    pub fn initial_invite_pends(&self, session: &Session) -> bool {
        let invite = session.origin().and_then(Origin::outgoing).and_then(|invite| self.outgoing.get(invite));
        invite.is_some_and(|invite| invite.state() != OutgoingState::Completed)
    }

    /// The dialog of a response to our INVITE, by its To tag.
    pub fn find_fork(&self, id: OutgoingId, tag: &[u8]) -> Found {
        let Some(invite) = self.outgoing.get(id).and_then(Outgoing::invite) else { return Found::No };
        if let Some(ended) = invite.ended.iter().find(|ended| is_same_tag(&ended.to_tag, tag)) {
            return Found::Ended { untold: ended.untold };
        }
        let is_it =
            |id: &&SessionId| self.sessions.get(**id).is_some_and(|session| is_same_tag(session.remote_tag(), tag));
        invite.sessions.iter().find(is_it).map_or(Found::No, |session| Found::Session(*session))
    }

    /// Whether this is a 2xx of yet another To tag, when as many as may be early dialogs of one INVITE were answered.
    pub fn too_many_forks(&self, id: OutgoingId, response: &Message, limit: usize) -> bool {
        let Some(invite) = self.outgoing.get(id).and_then(Outgoing::invite) else { return false };
        let owes = |id: &&SessionId| self.sessions.get(**id).is_some_and(|session| session.owed_ack().is_some());
        let answered = invite.acks.len() + invite.sessions.iter().filter(owes).count();
        answered >= limit && matches!(self.find_fork(id, response.to_tag().unwrap_or_default()), Found::No)
    }

    /// The quirk: a callee that changes its tag. The same Contact as in its early dialog says that it is the same one,
    /// not another fork.
    pub fn is_same_callee(&self, id: SessionId, response: &Message) -> bool {
        let same = |session: &Session| match session.dialog().target_in(response) {
            Contact::At(target) => *target == *session.remote_target(),
            Contact::Missing | Contact::Nowhere => false,
        };
        self.sessions.get(id).is_some_and(|session| session.is_early() && same(session))
    }

    /// An early dialog of our INVITE ended: a 2xx of it is acknowledged and makes no session.
    pub fn fork_ended(&mut self, invite: OutgoingId, id: SessionId, untold: bool) {
        let (session, invite) = (self.sessions.get(id), self.outgoing.get_mut(invite).and_then(Outgoing::invite_mut));
        let Some((session, invite)) = session.zip(invite) else { return };
        let untold = untold.then_some(session.dialog().local);
        invite.ended.push(EndedFork { to_tag: session.remote_tag().into(), untold });
    }

    /// The 2xx of this To tag was seen; what its repeats are answered with.
    pub fn keep_ack(&mut self, id: OutgoingId, tag: &[u8], course: AckCourse) {
        match self.kept_ack(id, tag) {
            Some(kept) => kept.course = course,
            None => {
                if let Some(invite) = self.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
                    invite.acks.push(KeptAck { to_tag: tag.into(), asked: false, course });
                }
            }
        }
    }

    /// The ACK to the 2xx of this To tag.
    pub fn kept_ack(&mut self, id: OutgoingId, tag: &[u8]) -> Option<&mut KeptAck> {
        let invite = self.outgoing.get_mut(id).and_then(Outgoing::invite_mut)?;
        invite.acks.iter_mut().find(|kept| is_same_tag(&kept.to_tag, tag))
    }

    /// Whether the host was told how our INVITE ended.
    pub fn is_fate_told(&self, id: OutgoingId) -> bool {
        self.outgoing.get(id).and_then(Outgoing::invite).is_none_or(|invite| invite.fate_told)
    }

    /// Why our INVITE was cancelled.
    pub fn cancel_reason(&self, id: OutgoingId) -> Reason {
        self.outgoing.get(id).and_then(Outgoing::invite).map_or(Reason::Cancelled, |invite| invite.cancel_reason)
    }

    /// The session that a Replaces means (RFC 3891 §4: tag 0 stands for none too).
    pub fn dialog_named(&self, replaces: &Replaces<'_>) -> Option<SessionId> {
        let find = |ours: &[u8], theirs: &[u8]| self.dialog(replaces.call_id, ours, theirs);
        let none = || if replaces.from_tag == b"0" { find(replaces.to_tag, b"") } else { None };
        find(replaces.to_tag, replaces.from_tag).or_else(none)
    }

    /// The session that the peer's INVITE replaces, while it lives, and whether only while that is early; whether it
    /// may be replaced at all was judged when the INVITE came.
    pub fn replaced_by(&self, id: IncomingId) -> Option<(SessionId, bool)> {
        let incoming = self.incoming.get(id).filter(|incoming| matches!(incoming.kind, IncomingKind::Invite(_)))?;
        let replaces = Replaces::parse(incoming.message().ok()?.header(HeaderId::Replaces)?).ok()?;
        let session = self.dialog_named(&replaces)?;
        self.lives(session).then_some((session, replaces.early_only))
    }

    // ------------------------------------------------------------------ requests

    /// Stores a request of ours.
    pub fn add_outgoing(&mut self, outgoing: Outgoing) -> Result<OutgoingId> {
        let id = self.outgoing.insert(Box::new(outgoing));
        id.ok_or_else(|| Error::new(ErrorKind::Limit, "outgoing requests: no slot is free"))
    }

    /// A name once looked up is kept for the dialog.
    pub fn note_resolved(&mut self, session: Option<SessionId>, resolved: &Resolved) {
        if let Some(session) = session.and_then(|id| self.holder_mut(id)) {
            session.set_resolved(Some(resolved.clone()));
        }
    }

    /// Whether a request of ours may go out (again): in a Mortal dialog only what outlives the session (RFC 5407 §2).
    pub fn may_go_out(&self, outgoing: &Outgoing) -> bool {
        match outgoing.session.map(|session| self.holder(session)) {
            None => true,
            Some(None) => outgoing.outlives_session(),
            Some(Some(session)) => outgoing.outlives_session() || !session.is_terminated(),
        }
    }

    /// Whether a request of the peer's has its final response.
    pub fn is_answered(&self, id: IncomingId) -> bool {
        self.incoming.get(id).is_none_or(|incoming| incoming.answered)
    }

    fn session_of(&self, id: IncomingId) -> Option<&Session> {
        self.incoming.get(id)?.session.and_then(|id| self.sessions.get(id))
    }

    /// The reliable responses to the peer's INVITE in one of its dialogs.
    pub fn reliable_server(&self, id: IncomingId, session: Option<SessionId>) -> Option<&ReliableServer> {
        self.sessions.get(session?)?.reliable_server(id)
    }

    /// Whether a re-INVITE of the peer has changed the session already, so that only a 2xx says what is so (RFC 6141
    /// §3.3).
    pub fn has_executed(&self, id: IncomingId) -> bool {
        self.session_of(id).is_some_and(|session| session.has_executed(id))
    }

    /// Whether this is an UPDATE of the peer's whose offer waits for our answer.
    pub fn is_offered_by_update(&self, id: IncomingId) -> bool {
        self.session_of(id).is_some_and(|session| session.is_offered_by(id))
    }

    /// Whether the host has accepted this INVITE and its 2xx waits for a PRACK.
    pub fn has_accepted(&self, id: IncomingId) -> bool {
        let server = self.session_of(id).and_then(|session| session.reliable_server(id));
        server.is_some_and(ReliableServer::is_accepted)
    }

    /// How often an INVITE that waits gets a provisional response.
    pub fn provisional_refresh(&self, id: IncomingId) -> Duration {
        match self.session_of(id).and_then(|session| session.reliable_server(id)) {
            Some(_) => RELIABLE_REFRESH,
            None => PROVISIONAL_REFRESH,
        }
    }

    /// A NOTIFY of a REFER's subscription goes out.
    pub fn notify_leaves(&mut self, refer: IncomingId, session: SessionId) {
        if let Some(notifier) = self.incoming.get_mut(refer).and_then(Incoming::notifier_mut) {
            notifier.under_way = notifier.under_way.saturating_add(1);
        }
        if let Some(referrals) = self.referrals_mut(session) {
            referrals.notifies(true);
        }
    }

    // ------------------------------------------------------------------ events keep them

    /// An event of this number is queued: its objects outlive it, and it tells their state. A session that has said
    /// TERMINATED is not named again. Gives the undelivered event that this one replaces.
    pub fn enlist(&mut self, event: &mut Event, number: u64) -> Option<u64> {
        let mut stale = None;
        if let Some(session) = event.session.and_then(|id| self.sessions.get_mut(id)) {
            if session.is_gone() {
                event.session = None;
            } else {
                event.session_state = session.state();
                event.signaling_state = session.signaling_state();
                let state = event.kind == EventKind::State;
                stale = session.unseen_mut().one_more(number, state, state);
            }
        } else {
            event.session = None;
        }
        if let Some(incoming) = event.incoming.and_then(|id| self.incoming.get_mut(id)) {
            event.method = event.method.or(Some(incoming.method));
            // That which hands it up is taken back where nobody has seen it when the default has answered.
            // One that tells an end is not.
            let replaceable = event.kind.is_request() && event.flags & flag::LAST == 0;
            incoming.unseen.one_more(number, false, replaceable);
        }
        if let Some(outgoing) = event.outgoing.and_then(|id| self.outgoing.get_mut(id)) {
            event.method = event.method.or(Some(outgoing.method));
            let progress = matches!(event.kind, EventKind::Progress | EventKind::Trying | EventKind::GlareRetry);
            // What the host has to acknowledge is not replaced.
            let replaceable = progress && event.flags & flag::NEEDS_PRACK == 0;
            stale = outgoing.unseen.one_more(number, progress, replaceable).or(stale);
        }
        stale
    }

    /// Nothing more comes of a request of the peer's: it goes with its last event.
    pub fn incoming_over(&mut self, id: IncomingId) {
        if let Some(incoming) = self.incoming.get_mut(id) {
            incoming.over = true;
            if incoming.unseen.is_none() {
                self.remove_incoming(id);
            }
        }
    }

    /// The same of one of ours.
    pub fn outgoing_over(&mut self, id: OutgoingId) {
        if let Some(outgoing) = self.outgoing.get_mut(id) {
            outgoing.over = true;
            if outgoing.unseen.is_none() {
                self.outgoing.remove(id);
            }
        }
    }

    /// An event was seen, or taken back: requests that ended with it go.
    pub fn discharge(
        &mut self,
        session: Option<SessionId>,
        incoming: Option<IncomingId>,
        outgoing: Option<OutgoingId>,
    ) {
        if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
            session.unseen_mut().one_less();
        }
        if let Some((id, incoming)) = incoming.and_then(|id| Some((id, self.incoming.get_mut(id)?))) {
            incoming.unseen.one_less();
            if incoming.over && incoming.unseen.is_none() {
                self.remove_incoming(id);
            }
        }
        if let Some((id, outgoing)) = outgoing.and_then(|id| Some((id, self.outgoing.get_mut(id)?))) {
            outgoing.unseen.one_less();
            if outgoing.over && outgoing.unseen.is_none() {
                self.outgoing.remove(id);
            }
        }
    }
}
