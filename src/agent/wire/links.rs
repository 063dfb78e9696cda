//! Sockets and connections of the host: which of them a message goes by, which is gone, and what comes back on another.

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::wire::outbox::Sender;
use crate::agent::{Agent, SessionId};
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::shrink::Shrink;
use crate::time::Now;
use crate::transaction::TransactionId;

impl Agent {
    /// Says by which connection a request with link 0 goes: what is in flight on it is lost with it, and its ACK or repeat
    /// goes there too. False: no transaction waits for it any more.
    pub fn transmit_goes_by(&mut self, id: u64, flow: &Flow) -> bool {
        match self.outbox.sender_is(id) {
            Some(Sender::Transaction(TransactionId::Client(client))) => self.table.client_goes_by(client, flow),
            _ => false,
        }
    }

    /// Whether dialogs or requests in flight need a connection.
    pub fn needs_link(&self, link: u64) -> bool {
        self.objects.is_on_link(link) || !self.table.clients_on(link).is_empty()
    }

    /// Says that a socket or connection is gone. False: not known.
    pub fn link_closed(&mut self, now: Now, link: u64) -> bool {
        self.at(now);
        let half = self.take_stream(link).is_some();
        self.streams.ease();
        let known = self.transports.remove(link);
        let lost = self.objects.link_closed(link);
        for id in &lost {
            self.tell_link_lost(*id, link);
        }
        let clients = self.table.clients_on(link);
        for client in &clients {
            let (table, mut effects) = self.transactions();
            let outcome = table.client_link_lost(&mut effects, *client);
            self.transaction_told(TransactionId::Client(*client), outcome);
        }
        known || half || !lost.is_empty() || !clients.is_empty()
    }

    /// The host of a session hears that its link is gone. Of several losses that it has not seen yet the last counts.
    fn tell_link_lost(&mut self, id: SessionId, link: u64) {
        if !self.objects.lives(id) {
            return;
        }
        let event = Event {
            session: Some(id),
            reason: Reason::Transport,
            query: link,
            ..Event::new(EventKind::LinkLost)
        };
        let number = self.tell(event);
        if let Some(session) = self.objects.sessions.get_mut(id) {
            let former = session.link_lost_told(number);
            self.take_back(former);
        }
    }

    /// Dialogs that come and go by a link, or did when it was lost, do so by another flow from now on. Gives how many.
    pub fn move_link(&mut self, now: Now, link: u64, to: &Flow) -> Result<usize> {
        self.at(now);
        if link == 0 || to.remote.is_none() {
            return Err(Error::argument("link is 0, or `to` has no remote"));
        }
        self.transports.of_flow(to)?;
        Ok(self.objects.move_link(link, to).len())
    }
}
