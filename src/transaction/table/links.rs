//! By which sockets and connections requests and responses go, and what becomes of them when one is gone.

use super::Table;
use crate::flow::{Flow, Transport};
use crate::message::Message;
use crate::transaction::{ClientId, ServerId};

/// Sockets of UDP that are told apart.
const DATAGRAM_LINKS: usize = 16;

impl Table {
    // Clients.

    /// Those whose request goes through a link of the host's, or went.
    pub fn clients_on(&self, link: u64) -> Vec<ClientId> {
        // A datagram link beyond those that are told apart may be any.
        if !self.datagram_links.contains(&link) && self.datagram_links.len() < DATAGRAM_LINKS {
            return self.clients_by_link.on(link).collect();
        }
        self.clients.iter().filter(|(_, client)| client.hop.flow.link == link).map(|(key, _)| ClientId(key)).collect()
    }

    /// Its request, which was for any connection, goes by this one. False: it has ended, or has one.
    pub fn client_goes_by(&mut self, id: ClientId, flow: &Flow) -> bool {
        let Some(client) = self.clients.get_mut(id.0) else { return false };
        let known = &mut client.hop.flow;
        if known.link != 0 || known.transport != flow.transport || known.transport == Transport::Udp {
            return false;
        }
        (known.link, known.local) = (flow.link, flow.local);
        self.clients_by_link.insert(flow.link, id);
        true
    }

    pub(super) fn note_link(&mut self, flow: &Flow, id: ClientId) {
        if flow.transport != Transport::Udp {
            self.clients_by_link.insert(flow.link, id);
        } else if !self.datagram_links.contains(&flow.link) && self.datagram_links.len() < DATAGRAM_LINKS {
            self.datagram_links.push(flow.link);
        }
    }

    // Servers.

    /// Where its responses go.
    pub fn server_flow(&self, id: ServerId) -> Option<&Flow> {
        self.servers.get(id.0).map(|server| &server.flow)
    }

    /// Responses that would go by a link, which is gone, go to where their requests came from (RFC 3261 §18.2.2), or
    /// nowhere. False: there are none.
    pub fn servers_lose(&mut self, link: u64) -> bool {
        let on: Vec<ServerId> = self.servers_by_link.on(link).collect();
        let mut lost = false;
        for id in on {
            let Some(server) = self.servers.get(id.0) else { continue };
            let back = match (&server.request, &server.sent) {
                (Some(request), _) => request.way_back(&server.flow),
                (None, Some(sent)) => Message::parse(sent, None).ok().and_then(|sent| sent.way_back(&server.flow)),
                // Nothing of it goes out any more.
                (None, None) => continue,
            };
            lost |= !self.stranded.contains(&id);
            match back {
                Some(back) => self.server_goes(id, back),
                None => drop(self.stranded.insert(id)),
            }
        }
        lost
    }

    /// Whether responses go by a link.
    pub fn is_answered_on(&self, link: u64) -> bool {
        let mut on = self.servers_by_link.on(link).filter_map(|id| self.servers.get(id.0));
        on.any(|server| server.request.is_some() || server.sent.is_some())
    }

    /// Whether responses have no way.
    pub fn has_stranded(&self) -> bool {
        !self.stranded.is_empty()
    }

    /// Whether those to this request have none.
    pub fn is_stranded(&self, id: ServerId) -> bool {
        self.stranded.contains(&id)
    }

    /// Its responses go there from now on.
    pub fn server_goes(&mut self, id: ServerId, flow: Flow) {
        let Some(server) = self.servers.get_mut(id.0) else { return };
        self.servers_by_link.remove(server.flow.link, id);
        self.servers_by_link.insert(flow.link, id);
        self.stranded.remove(&id);
        server.flow = flow;
    }
}
