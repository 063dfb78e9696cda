//! Requests of ours that are too long for a datagram go by TCP, and come back where that is refused (RFC 3261 §18.1.1).

use crate::agent::ours::draft::Draft;
use crate::agent::wire::transport::LocalTransport;
use crate::agent::{Agent, OutgoingId};
use crate::flow::{Flow, Hop, Transport};
use crate::message::{Uri, next_hop};
use crate::session::explain::Why;
use crate::session::reason::Reason;

pub(in crate::agent) const BY_DATAGRAM: Why = Why::new(
    Reason::Transport,
    "a long request goes by UDP after all, for its target takes no TCP connection (RFC 3261 18.1.1)",
);

impl Agent {
    /// A request of so many bytes would go by UDP. Where it goes instead: by TCP to the same place, where there is a socket
    /// for that, neither the URI nor the host wants UDP, and nobody has refused a connection there lately.
    pub(in crate::agent) fn tcp_instead(
        &self,
        draft: &Draft,
        by: &LocalTransport,
        asked: &Flow,
        bytes: usize,
    ) -> Option<(&LocalTransport, Hop)> {
        if by.flow.transport != Transport::Udp || self.config.ways.datagram_bytes.is_none_or(|most| bytes <= most) {
            return None;
        }
        if asked.link != 0 || asked.local.is_some() {
            return None;
        }
        let flow = Flow { transport: Transport::Tcp, ..*asked };
        let local = self.transports.of_flow(&flow).ok()?;
        let uri = Uri::received(&draft.next_hop).ok()?;
        let wants_udp = next_hop::transport(&uri).is_some();
        if wants_udp || self.transports.refuses_tcp(asked.remote?, self.now.monotonic) {
            return None;
        }
        let host = next_hop::name(&uri).map(Into::into);
        Some((local, local.hop(Hop { flow, host })))
    }

    /// A request that went by TCP for its size could not be sent so: the same target by UDP. Nothing where it was taken:
    /// `answered`, or silence.
    pub(in crate::agent) fn by_datagram_after_all(
        &mut self,
        id: OutgoingId,
        status: u16,
        answered: bool,
    ) -> Option<Hop> {
        let datagram = self.objects.outgoing.get_mut(id)?.datagram.take()?;
        if answered || status != 503 {
            return None;
        }
        self.takes_no_tcp(&datagram);
        Some(*datagram)
    }

    /// No connection was to be had to where long requests would go by UDP.
    pub(in crate::agent) fn takes_no_tcp(&mut self, datagram: &Hop) {
        if let Some(remote) = datagram.flow.remote {
            self.transports.note_refusal(remote, self.now.monotonic);
        }
    }
}
