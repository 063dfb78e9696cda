//! Requests of ours: from a draft to bytes on a flow.

use crate::agent::ours::draft::Draft;
use crate::agent::ours::outgoing::{Outgoing, OutgoingState, Sent};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::wire::outbox::Sender;
use crate::agent::wire::resolve::Located;
use crate::agent::{Agent, Bytes, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use std::time::Duration;

impl Agent {
    /// Finds the way of a drafted request and sends it, or asks for the way.
    pub(in crate::agent) fn launch(&mut self, id: OutgoingId) {
        match self.find_way(id) {
            Ok(Located::At(flow)) => self.send_request(id, &flow),
            Ok(Located::Ask(question)) => self.ask(id, question),
            Err(_) => self.request_failed(id, 503),
        }
    }

    /// Where a drafted request goes.
    pub(in crate::agent) fn find_way(&self, id: OutgoingId) -> Result<Located> {
        let outgoing = self.outgoing(id)?;
        let draft = outgoing.draft().ok_or_else(|| Error::state("the request is answered"))?;
        let session = outgoing.session.and_then(|id| self.objects.holder(id));
        let fixed = outgoing.fixed_flow.as_ref().or(session.and_then(|session| session.way()));
        let known = session.and_then(|session| session.resolved());
        let came = session.and_then(|session| session.came_by()).or(outgoing.came_by);
        self.locate(&draft.next_hop, fixed, came, known)
    }

    /// Writes a drafted request for its way and hands it to a transaction.
    pub(in crate::agent) fn send_request(&mut self, id: OutgoingId, flow: &Flow) {
        let branch = self.token(b"z9hG4bK", 12);
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        let sent = self.write_request(id, flow, &branch, &mut out);
        self.scratch = out;
        let started = sent.and_then(|(bytes, flow, method)| {
            let (table, mut effects) = self.transactions();
            let client = table.start_client(&mut effects, Bytes::clone(&bytes), &branch, &method, flow, id.raw())?;
            Ok((client, bytes, flow))
        });
        match started {
            Ok((client, bytes, flow)) => {
                if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
                    let sips = outgoing.draft().is_some_and(Draft::is_sips);
                    outgoing.sent(Sent { bytes, flow }, client);
                    if let Some(invite) = outgoing.invite_mut() {
                        invite.secure = sips && flow.transport.is_secure();
                    }
                }
            }
            Err(_) => self.request_failed(id, 503),
        }
    }

    fn write_request(
        &self,
        id: OutgoingId,
        flow: &Flow,
        branch: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(Bytes, Flow, Box<[u8]>)> {
        let outgoing = self.outgoing(id)?;
        let draft = outgoing.draft().ok_or_else(|| Error::state("the request is answered"))?;
        let local = self.transports.of_flow(flow)?;
        draft.write(out, &self.transports, local, branch);
        let link = if flow.link != 0 || flow.transport != Transport::Udp { flow.link } else { local.flow.link };
        let flow = Flow { link, local: flow.local.or(local.flow.local), ..*flow };
        Ok((Bytes::from(&out[..]), flow, draft.method_name.clone()))
    }

    /// Sends what has no transaction: the ACK to a 2xx. Gives the bytes and the way, for repeats.
    pub(in crate::agent) fn send_ack(
        &mut self,
        session: Option<SessionId>,
        draft: &Draft,
        flow: &Flow,
    ) -> Result<(Bytes, Flow)> {
        let branch = self.token(b"z9hG4bK", 12);
        let local = self.transports.of_flow(flow)?;
        let mut out = Vec::with_capacity(512);
        draft.write(&mut out, &self.transports, local, &branch);
        let link = if flow.link != 0 || flow.transport != Transport::Udp { flow.link } else { local.flow.link };
        let flow = Flow { link, local: flow.local.or(local.flow.local), ..*flow };
        let bytes = Bytes::from(out);
        self.outbox.transmit(sender_of(session), &bytes, &flow);
        Ok((bytes, flow))
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

pub(in crate::agent) fn sender_of(session: Option<SessionId>) -> Sender {
    session.map_or(Sender::Nobody, Sender::Session)
}
