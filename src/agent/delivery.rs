//! Events on their way to the host: queued, taken back, delivered. Objects live as long as the last event that names
//! them.

use crate::agent::event::{Event, EventKind};
use crate::agent::objects::Removed;
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::message::{HeaderId, Message};
use std::sync::Arc;

/// The event that the host is looking at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivering {
    /// Its number.
    pub id: u64,
    /// Its default was done.
    pub defaulted: bool,
    session: Option<SessionId>,
    incoming: Option<IncomingId>,
    outgoing: Option<OutgoingId>,
    terminated: bool,
}

impl Agent {
    /// The next event. With this call the event before it is over, and objects that ended with it are gone.
    pub fn poll_event(&mut self) -> Option<Event> {
        let last = std::mem::take(&mut self.delivering);
        self.let_go(last);
        let event = self.outbox.next_event()?;
        self.delivering = Delivering::of(&event);
        Some(event)
    }

    /// Queues an event about objects, which then outlive it. Of STATE and PROGRESS only some wait for one object; then
    /// the newest takes the place of the last.
    pub(super) fn tell(&mut self, mut event: Event) -> u64 {
        if event.text.is_none() && event.tells_reason() {
            event.text = event.message.as_deref().and_then(reason_in);
        }
        let number = self.outbox.next_number();
        let stale = self.objects.enlist(&mut event, number);
        self.outbox.event(event, number);
        if let Some(stale) = stale {
            self.take_back(stale);
        }
        number
    }

    /// Tells STATE when the state is not what was told last; the first one is the birth. What it makes stale follows.
    pub(super) fn note_state(&mut self, id: SessionId) {
        let Some(session) = self.objects.sessions.get_mut(id) else { return };
        let (news, stale) = (session.news().is_some(), session.stale_retry());
        if news {
            self.tell(Event { session: Some(id), ..Event::new(EventKind::State) });
        }
        if let Some(stale) = stale {
            self.ask_for_body(stale);
        }
    }

    /// Takes an event back that nobody has seen.
    pub(super) fn take_back(&mut self, number: u64) {
        if let Some(event) = self.outbox.take_back(number) {
            self.let_go(Delivering { terminated: false, ..Delivering::of(&event) });
        }
    }

    /// An event was delivered: what ended with it goes.
    fn let_go(&mut self, last: Delivering) {
        self.objects.discharge(last.session, last.incoming, last.outgoing);
        if let Some(id) = last.session.filter(|_| last.terminated)
            && let Removed::WithoutRoom = self.objects.remove_session(id)
        {
            // As if the peer's dialog had gone.
            self.objects.forget_dialog(id);
            self.end_referrals(id);
            self.objects.drop_remains(id);
        }
    }
}

/// The value of the Reason header (RFC 3326), of several lines as one list (RFC 3261 §7.3.1).
fn reason_in(message: &Message) -> Option<Arc<[u8]>> {
    let mut lines = message.fields(HeaderId::Reason);
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(first.into()) };
    Some([first, second].into_iter().chain(lines).collect::<Vec<_>>().join(&b", "[..]).into())
}

impl Delivering {
    fn of(event: &Event) -> Self {
        Self {
            id: event.id,
            defaulted: false,
            session: event.session,
            incoming: event.incoming,
            outgoing: event.outgoing,
            terminated: event.kind == EventKind::Terminated,
        }
    }
}
