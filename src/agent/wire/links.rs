//! Sockets and connections of the host: which of them a message goes by, which is gone, and what comes back on another.

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::ours::outgoing::Cancelling;
use crate::agent::ours::retry::{NOT_NOW, Turn};
use crate::agent::wire::outbox::Sender;
use crate::agent::wire::resolve::Waiter;
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use crate::message::{ClientName, Message, Rport, host_ip};
use crate::session::Session;
use crate::session::reason::Ending;
use crate::shrink::Shrink;
use crate::time::Now;
use crate::transaction::{ServerId, TransactionId};
use std::net::SocketAddr;

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
        self.objects.is_on_link(link)
            || self.is_bound_by(link)
            || !self.table.clients_on(link).is_empty()
            || self.table.is_answered_on(link)
    }

    /// Says that a socket or connection is gone. False: not known.
    pub fn link_closed(&mut self, now: Now, link: u64) -> bool {
        self.at(now);
        let half = self.take_stream(link).is_some();
        self.streams.ease();
        let bound = self.flow_gone(link);
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
        let servers = self.table.servers_lose(link);
        known || half || bound || servers || !lost.is_empty() || !clients.is_empty()
    }

    /// The host hears that the link is gone by which a registrar has its Contact.
    pub(in crate::agent) fn tell_binding_lost(&mut self, link: u64) {
        self.tell(Event { reason: Reason::Transport, query: link, ..Event::new(EventKind::LinkLost) });
    }

    /// The host of a session hears that its link is gone. Of several losses that it has not seen yet the last counts.
    fn tell_link_lost(&mut self, id: SessionId, link: u64) {
        if !self.objects.lives(id) {
            return;
        }
        let event =
            Event { session: Some(id), reason: Reason::Transport, query: link, ..Event::new(EventKind::LinkLost) };
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
        let moved = self.objects.move_link(link, to);
        for id in &moved {
            self.connection_came(*id);
        }
        Ok(moved.len())
    }

    /// A request of a client that nobody can look up shows where it is now: its dialogs go there. `proved`: the host has
    /// accepted the request.
    #[inline]
    pub(in crate::agent) fn client_came(&mut self, request: &Message, proved: bool) {
        if self.objects.has_clients() && self.config.ways.by_name {
            self.client_is_at(request, proved);
        }
    }

    #[cold]
    fn client_is_at(&mut self, request: &Message, proved: bool) {
        let Some(flow) = request.flow().copied().filter(|flow| flow.transport != Transport::Udp) else { return };
        let Some(client) = ClientName::of_request(request) else { return };
        for id in self.objects.dialogs_of(&client) {
            let Some(holder) = self.objects.holder_mut(id).filter(|holder| holder.may_be_taken(&flow, proved)) else {
                continue;
            };
            holder.came_on(Some(&flow));
            self.connection_noted(id);
        }
    }

    /// A response says from where our request was seen to come.
    #[cold]
    pub(in crate::agent) fn seen_by(&mut self, flow: &Flow, response: &Message) {
        let Some(Ok(via)) = response.via(0) else { return };
        let ip = match (via.received.map(host_ip), via.rport) {
            (Some(received), _) => received,
            // What it saw is what we say.
            (None, Rport::Port(_)) => host_ip(via.host),
            (None, Rport::Absent | Rport::Asked) => None,
        };
        let port = match via.rport {
            Rport::Port(port) => port,
            Rport::Absent | Rport::Asked => via.port.unwrap_or(flow.transport.default_port()),
        };
        if let Some(ip) = ip {
            let registrar = response.cseq_method().text == b"REGISTER";
            self.transports.seen_at(&self.config, flow, SocketAddr::new(ip, port), registrar);
        }
    }

    /// Where peers see the socket of a flow, unless that is at its own address. Errors: no transport.
    pub fn seen_at(&self, flow: &Flow) -> Result<Option<SocketAddr>> {
        self.transports.seen(flow)
    }

    /// A response has no way: its dialog may have a connection by now.
    #[cold]
    pub(in crate::agent) fn response_has_way(&mut self, transaction: ServerId) {
        let owner = self.table.server_owner(transaction).map(IncomingId::from_raw);
        let session = owner.and_then(|id| self.objects.incoming.get(id)?.session);
        let way = session.and_then(|id| self.objects.holder(id)).and_then(Session::connection).copied();
        if let (true, Some(way)) = (self.table.is_stranded(transaction), way) {
            self.table.server_goes(transaction, way);
        }
    }

    /// A dialog's messages may come by another connection now.
    #[inline]
    pub(in crate::agent) fn connection_noted(&mut self, id: SessionId) {
        self.objects.note_connection(id);
        if self.queries.wait_for_connections() {
            self.connection_came(id);
        }
    }

    /// What waited for a connection of this dialog goes out, if there is one.
    fn connection_came(&mut self, id: SessionId) {
        if self.objects.holder(id).is_none_or(|holder| holder.way().is_none()) {
            return;
        }
        for waiter in self.queries.connection_came(id, &mut self.wheel) {
            match waiter {
                Waiter::Request(request) => self.request_has_way(request, id),
                Waiter::Ack { of, tag, .. } => self.ack_has_way(of, &tag),
            }
        }
    }

    fn request_has_way(&mut self, id: OutgoingId, session: SessionId) {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        if !self.objects.may_go_out(outgoing) {
            // RFC 5407 §2: nothing new goes out in a dialog that is Mortal.
            let status = if outgoing.failed == 0 { 481 } else { outgoing.failed };
            return self.request_failed(id, status);
        }
        match self.turn_of(id) {
            Turn::Now => {
                self.rename(id, session);
                self.renumber(id);
                self.launch(id);
            }
            Turn::Later(by, session) => self.wait_for_turn(by, id, session, None),
            Turn::Never(_) => self.request_failed(id, NOT_NOW),
        }
    }

    /// Whether a request in a dialog waits until that has a connection, which its peer is to bring.
    pub(in crate::agent) fn may_wait_for_connection(&self, id: OutgoingId) -> bool {
        if self.config.ways.reconnect.is_zero() {
            return false;
        }
        let Some(outgoing) = self.objects.outgoing.get(id).filter(|outgoing| outgoing.fixed_flow.is_none()) else {
            return false;
        };
        let called_off = outgoing.invite().is_some_and(|invite| !matches!(invite.cancelling, Cancelling::No));
        let holder = outgoing.session.and_then(|id| self.objects.holder(id));
        !called_off && self.objects.may_go_out(outgoing) && holder.is_some_and(Session::awaits_connection)
    }

    /// It does.
    pub(in crate::agent) fn wait_for_connection(&mut self, id: OutgoingId) {
        let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
        self.open_wait(Waiter::Request(id), session);
    }

    /// A request whose try failed for want of a connection waits for another. False: it does not.
    pub(in crate::agent) fn waits_for_another(&mut self, id: OutgoingId) -> bool {
        if !self.may_wait_for_connection(id) {
            return false;
        }
        self.forget_challenge(id);
        self.start_anew(id, &Ending { status_code: 503, ..Ending::because(Reason::Transport) });
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.failed = 503;
        }
        self.wait_for_connection(id);
        true
    }
}
