//! INVITE with Replaces (RFC 3891 §3): which session it means, and its end when the INVITE is accepted.

use crate::agent::event::{Event, EventKind, Reason, flag};
use crate::agent::fault::{Counter, Fault};
use crate::agent::theirs::admit::Refused;
use crate::agent::{Agent, IncomingId, SessionId};
use crate::error::{Error, Result};
use crate::message::{HeaderId, Message, Replaces};
use crate::session::reason::Ending;
use crate::session::terminate::Hangup;
use crate::session::{Origin, Role, SessionState};

/// The session that an INVITE shall replace.
#[derive(Clone, Copy)]
pub(in crate::agent) struct Replaced {
    /// Which.
    pub session: SessionId,
    /// Only while it is early.
    pub early_only: bool,
}

impl Agent {
    /// The table of §3: the session that the INVITE means, `None` when it has no Replaces; else what it is answered.
    pub(in crate::agent) fn replaced_by(&self, request: &Message) -> std::result::Result<Option<Replaced>, Refused> {
        let mut fields = request.fields(HeaderId::Replaces);
        let Some(value) = fields.next() else { return Ok(None) };
        let bad = |reason| Refused::malformed("Replaces", reason);
        let no = |status, counter, rule| Refused::plain(status, Fault::new(counter, "Replaces", rule));
        let unknown = || no(481, Counter::Unknown, "names no session that it may replace (RFC 3891 3)");
        if fields.next().is_some() || request.header(HeaderId::Join).is_some() {
            return Err(bad("Bad Request: one Replaces, and no Join beside it (RFC 3891 3)"));
        }
        let Ok(replaces) = Replaces::parse(value) else {
            return Err(bad("Bad Request: Replaces: call-id;to-tag=x;from-tag=y (RFC 3891 6.1)"));
        };
        let found = self.objects.dialog_named(&replaces).and_then(|id| Some((id, self.objects.holder(id)?)));
        let Some((session, holder)) = found else { return Err(unknown()) };
        match (holder.state(), holder.role()) {
            (SessionState::Terminated, _) => Err(no(603, Counter::State, "that session is over (RFC 3891 3)")),
            // An early dialog is replaced by who called.
            (SessionState::Initial | SessionState::Early, Role::Callee) => Err(unknown()),
            (SessionState::AckWait | SessionState::Confirmed, _) if replaces.early_only => {
                Err(no(486, Counter::State, "early-only, and that session is confirmed (RFC 3891 3)"))
            }
            _ => Ok(Some(Replaced { session, early_only: replaces.early_only })),
        }
    }

    /// The INVITE may be accepted: with early-only the other call must not have been answered meanwhile.
    pub(in crate::agent) fn may_replace(&self, id: IncomingId) -> Result<()> {
        let Some((session, true)) = self.objects.replaced_by(id) else { return Ok(()) };
        if self.session(session)?.is_early() {
            return Ok(());
        }
        Err(Error::state("Replaces: early-only, and that call was answered meanwhile (RFC 3891 3)"))
    }

    /// The INVITE was accepted: the session in whose place it comes ends, by BYE or by CANCEL.
    pub(in crate::agent) fn end_replaced(&mut self, id: IncomingId) {
        let Some((old, _)) = self.objects.replaced_by(id) else { return };
        let Some(session) = self.objects.sessions.get(old) else { return };
        let ending = Ending::because(Reason::Replaced);
        match session.hangup(self.objects.cancels(old)) {
            Hangup::Cancel => {
                if let Some(invite) = session.origin().and_then(Origin::outgoing) {
                    // It has no final response yet.
                    let _ = self.cancel_with(invite, Box::default(), Reason::Replaced);
                }
            }
            Hangup::Bye | Hangup::ByeLater => self.end_with_bye(old, ending),
            // Its own INVITE of the peer's is never replaced early.
            Hangup::Reject | Hangup::Nothing => {}
        }
    }
}

impl Replaced {
    /// What its event says of it.
    pub(in crate::agent) fn event(replaced: Option<&Self>) -> Event {
        let early_only = replaced.is_some_and(|replaced| replaced.early_only);
        Event {
            replaces: replaced.map(|replaced| replaced.session),
            flags: if early_only { flag::EARLY_ONLY } else { 0 },
            ..Event::new(EventKind::Invite)
        }
    }
}
