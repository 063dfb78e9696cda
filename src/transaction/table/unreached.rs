//! Requests that an error of ICMP sends back.

use super::Table;
use crate::flow::Transport;
use crate::transaction::{ClientId, Outcome, Sink};
use std::net::SocketAddr;

impl Table {
    /// The request of this branch and method did not arrive where it was sent. It must have gone there and wait for its
    /// answer: what else becomes of it stands. Tells like a failed transmit.
    pub fn client_unreached(
        &mut self,
        sink: &mut impl Sink,
        (branch, method): (&[u8], &[u8]),
        remote: SocketAddr,
    ) -> Option<(ClientId, Outcome)> {
        let id = *self.client_by_key.get(&self.keys.client(branch, method))?;
        let client = self.clients.get(id.0)?;
        let flow = &client.hop.flow;
        let went_there = flow.transport == Transport::Udp && flow.remote == Some(remote);
        (went_there && client.state.is_waiting()).then(|| (id, self.client_transport_error(sink, id)))
    }
}
