//! The ways of a dialog's requests: the host's word, and the connection that its messages come on.

use super::Session;
use crate::flow::{Flow, Transport};
use crate::message::ClientName;

/// A connection. It is remembered when it is lost: what came by it tells how URIs are meant, and who asks for its dialogs
/// finds them.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    flow: Flow,
    open: bool,
    /// The number of the event that told its end; 0: none.
    told: u64,
}

impl Session {
    /// Where requests in the dialog go whatever the URI says: the host's word, or the connection.
    pub fn way(&self) -> Option<&Flow> {
        let connection = || self.connection().filter(|_| self.lasting.dialog.route_set.is_empty());
        self.running.fixed_flow.as_deref().or_else(connection)
    }

    /// Whether that is the connection.
    pub fn goes_by_connection(&self) -> bool {
        self.running.fixed_flow.is_none() && self.way().is_some()
    }

    /// The connection that the dialog's messages came on.
    pub fn connection(&self) -> Option<&Flow> {
        self.running.connection.as_deref().filter(|known| known.open).map(|known| &known.flow)
    }

    /// The transport that the dialog's messages came by, unless that is UDP.
    pub fn came_by(&self) -> Option<Transport> {
        self.running.connection.as_deref().map(|known| known.flow.transport)
    }

    /// The links of the connection, lost ones too, and of the host's word; 0: none.
    pub fn links(&self) -> [u64; 2] {
        let connection = self.running.connection.as_deref().map_or(0, |known| known.flow.link);
        [connection, self.running.fixed_flow.as_deref().map_or(0, |flow| flow.link)]
    }

    /// Whether its messages come or go by this link now.
    pub fn is_on(&self, link: u64) -> bool {
        let set = self.running.fixed_flow.as_deref();
        self.connection().into_iter().chain(set).any(|flow| flow.link == link)
    }

    /// Takes note of the way of a message of the peer.
    pub fn came_on(&mut self, flow: Option<&Flow>) {
        if flow == self.connection() {
            return;
        }
        let connection = flow.filter(|flow| flow.transport != Transport::Udp || self.lasting.follows);
        if connection.is_some() || self.running.connection.is_some() {
            self.connect(connection.copied());
        }
    }

    /// Requests go where its messages come from, from this one on (RFC 3581 §9: what a NAT lets in).
    pub fn follows(&mut self, flow: Option<&Flow>) {
        self.lasting.follows = true;
        self.came_on(flow);
    }

    fn connect(&mut self, flow: Option<Flow>) {
        let told = self.running.connection.as_deref().map_or(0, |known| known.told);
        self.running.connection = flow.map(|flow| Box::new(Connection { flow, open: true, told }));
    }

    /// Whether this connection was the dialog's, and is gone.
    pub fn has_lost(&self, flow: &Flow) -> bool {
        let known = || self.running.connection.as_deref();
        flow.transport != Transport::Udp && known().is_some_and(|known| !known.open && known.flow.link == flow.link)
    }

    /// A link is gone: messages go by their URIs again. False: they did not go or come by it.
    pub fn link_closed(&mut self, link: u64) -> bool {
        if !self.is_on(link) {
            return false;
        }
        self.repeats_lost(Some(link));
        if self.connection().is_some_and(|connection| connection.link == link) {
            self.connection_failed();
        }
        if let Some(set) = self.running.fixed_flow.take_if(|set| set.link == link) {
            self.running.resolved = None;
            // It leads nowhere, but what there was may come back.
            self.running.connection.get_or_insert_with(|| Box::new(Connection { flow: *set, open: false, told: 0 }));
        }
        true
    }

    /// The connection leads nowhere: messages go by their URIs, until another one brings some.
    pub fn connection_failed(&mut self) {
        if let Some(connection) = &mut self.running.connection {
            connection.open = false;
        }
    }

    /// What comes and goes by this link does so by that flow from now on; what it was lost with, too. False: nothing does.
    pub fn moves(&mut self, link: u64, to: &Flow) -> bool {
        self.repeats_move(link, to);
        let [connection, set] = self.links().map(|known| known == link);
        if connection {
            self.connect(Some(*to));
        }
        if set {
            self.set_flow(Some(*to));
        }
        connection || set
    }

    /// The client at its end, where its requests can only go by a connection: others cannot look it up.
    pub fn client_name(&self) -> Option<ClientName> {
        let dialog = &self.lasting.dialog;
        if dialog.route_set.is_empty() { ClientName::of_uri(&dialog.remote_target) } else { None }
    }

    /// Whether requests have to wait for its peer to come on a connection: the last one is lost, or there was none and
    /// its target is nowhere.
    pub fn awaits_connection(&self) -> bool {
        let lost = self.running.connection.as_deref().is_some_and(|known| !known.open);
        self.way().is_none() && self.lasting.dialog.route_set.is_empty() && (lost || self.client_name().is_some())
    }

    /// Whether it may be taken to another connection by a client that shows its name there. `proved`: the host has taken
    /// the client's request; without that only what is lost may. Nothing leaves what is encrypted.
    pub fn may_be_taken(&self, to: &Flow, proved: bool) -> bool {
        let Some(known) = self.running.connection.as_deref() else { return false };
        let may = self.running.fixed_flow.is_none() && (proved || !known.open);
        may && known.flow != *to && (to.transport.is_secure() || !known.flow.transport.is_secure())
    }

    /// Its lost link was told by the event of this number. Gives that of the event that did so before; 0: none.
    pub fn link_lost_told(&mut self, number: u64) -> u64 {
        let connection = self.running.connection.as_deref_mut();
        connection.map_or(0, |known| std::mem::replace(&mut known.told, number))
    }

    /// Where requests go from now on; `None`: by URI again.
    pub fn set_flow(&mut self, flow: Option<Flow>) {
        self.running.fixed_flow = flow.map(Box::new);
        // What was found was found for another socket.
        self.running.resolved = None;
    }
}
