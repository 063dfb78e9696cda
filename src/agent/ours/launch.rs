//! Requests of ours: from a draft to bytes on a flow.

use crate::agent::ours::draft::Draft;
use crate::agent::ours::outgoing::{Outgoing, OutgoingState, Sent};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::wire::resolve::Located;
use crate::agent::{Agent, Bytes, OutgoingId};
use crate::error::{Error, Result};
use crate::flow::Hop;
use crate::session::{Resolved, Session};
use std::time::Duration;

impl Agent {
    /// Finds the way of a drafted request and sends it, or asks for the way.
    pub(in crate::agent) fn launch(&mut self, id: OutgoingId) {
        let by_connection = self.goes_by_connection(id);
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            (outgoing.resolved, outgoing.left, outgoing.failed) = (None, 0, 0);
            (outgoing.by_connection, outgoing.datagram) = (by_connection, None);
        }
        match self.find_way(id) {
            Ok(Located::At(hop)) => self.send_request(id, hop),
            Ok(Located::Known(resolved)) => {
                let resolved = Box::new(resolved.clone());
                self.send_to_first(id, resolved);
            }
            Ok(Located::Ask(question)) => self.ask(id, question),
            Err(_) if self.may_wait_for_connection(id) => self.wait_for_connection(id),
            Err(_) => self.request_failed(id, 503),
        }
    }

    /// Where a drafted request goes.
    pub(in crate::agent) fn find_way(&self, id: OutgoingId) -> Result<Located<'_>> {
        let outgoing = self.outgoing(id)?;
        let draft = outgoing.draft().ok_or_else(|| Error::state("the request is answered"))?;
        let session = outgoing.session.and_then(|id| self.objects.holder(id));
        let secure = draft.is_sips() || session.is_some_and(|session| session.dialog().secure);
        if let Some(fixed) = &outgoing.fixed_flow {
            return self.locate(&draft.next_hop, secure, Some(fixed), outgoing.came_by, None);
        }
        let came = session.and_then(Session::came_by).or(outgoing.came_by);
        let (way, known) = (session.and_then(Session::way), session.and_then(Session::resolved));
        self.locate(&draft.next_hop, secure, way, came, known)
    }

    fn goes_by_connection(&self, id: OutgoingId) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id).filter(|outgoing| outgoing.fixed_flow.is_none()) else {
            return false;
        };
        outgoing.session.and_then(|id| self.objects.holder(id)).is_some_and(Session::goes_by_connection)
    }

    /// Sends a drafted request to the first target of a name; the others follow if it fails.
    pub(in crate::agent) fn send_to_first(&mut self, id: OutgoingId, resolved: Box<Resolved>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let Some(hop) = resolved.hop() else { return };
        outgoing.left = resolved.others();
        outgoing.resolved = Some(resolved);
        outgoing.by_connection = false;
        self.send_request(id, hop);
    }

    /// Writes a drafted request for its way and hands it to a transaction.
    pub(in crate::agent) fn send_request(&mut self, id: OutgoingId, hop: Hop) {
        self.authorize(id, &hop.flow);
        let branch = self.token(b"z9hG4bK", 12);
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        let asked = hop.flow;
        let sent = self.write_request(id, hop, &branch, &mut out);
        self.scratch = out;
        let started = sent.and_then(|(bytes, hop, method)| {
            let (table, mut effects) = self.transactions();
            let (copy, way) = (Bytes::clone(&bytes), hop.clone());
            let client = table.start_client(&mut effects, copy, &branch, &method, way, id.raw())?;
            Ok((client, bytes, hop))
        });
        match started {
            Ok((client, bytes, hop)) => {
                if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
                    let secure = outgoing.draft().is_some_and(Draft::is_sips) && hop.flow.transport.is_secure();
                    if hop.flow.transport != asked.transport {
                        let host = hop.host.clone();
                        outgoing.datagram = Some(Box::new(Hop { flow: asked, host }));
                    }
                    outgoing.sent(Sent { bytes, hop }, client);
                    if let Some(invite) = outgoing.invite_mut() {
                        invite.secure = secure;
                    }
                }
            }
            Err(_) => self.try_failed(id, 503),
        }
    }

    fn write_request(
        &self,
        id: OutgoingId,
        hop: Hop,
        branch: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(Bytes, Hop, Box<[u8]>)> {
        let outgoing = self.outgoing(id)?;
        let draft = outgoing.draft().ok_or_else(|| Error::state("the request is answered"))?;
        let local = self.transports.of_flow(&hop.flow)?;
        draft.write(out, &self.transports, local, branch);
        if let Some((local, hop)) = self.tcp_instead(draft, local, &hop.flow, out.len()) {
            out.clear();
            draft.write(out, &self.transports, local, branch);
            return Ok((Bytes::from(&out[..]), hop, draft.method_name.clone()));
        }
        Ok((Bytes::from(&out[..]), local.hop(hop), draft.method_name.clone()))
    }

    /// Arms the host's Expires of an INVITE of ours (RFC 3261 §13.2.1).
    pub(in crate::agent) fn arm_expires(&mut self, id: OutgoingId, expires_ms: u32) {
        let waits = self.objects.outgoing.get(id).is_some_and(|outgoing| outgoing.state() != OutgoingState::Completed);
        if expires_ms > 0 && waits {
            let after = Duration::from_millis(u64::from(expires_ms));
            let timer = self.arm(after, Timeout::Outgoing(id, OutgoingTimer::Expires));
            if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
                invite.expires = Some(timer);
            }
        }
    }
}
