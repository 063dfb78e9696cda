//! What SIP.js's SessionDialog lets its user do past the messages, and a message that the user matched itself. The library
//! does all this by itself; whoever calls it answers for what it means to the peer.

use crate::agent::options::Body;
use crate::agent::outgoing::OutgoingState;
use crate::agent::{Agent, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use crate::message::{Message, Rport, host_ip};
use crate::session::ack::AckProcessing;
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::{Origin, Phase, Role, Session, SessionState};
use crate::time::Now;
use std::net::SocketAddr;
use std::sync::Arc;

impl Agent {
    /// Early to confirmed without a message; nothing when confirmed. Errors: state, we are callee and no 2xx was sent.
    pub fn confirm_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.at(now);
        let session = self.living_mut(id)?;
        match (session.role, session.state()) {
            // The 2xx is out and repeated (RFC 3261 §13.3.1.4), or acknowledged.
            (_, SessionState::AckWait | SessionState::Confirmed) => {}
            (Role::Callee, _) => {
                return Err(Error::state(
                    "no 2xx was sent: accepting the INVITE sends it and repeats it (RFC 3261 13.3.1.4)",
                ));
            }
            (Role::Caller, _) => session.phase = Phase::Confirmed,
        }
        self.note_state(id);
        Ok(())
    }

    /// The 2xx of the peer's re-INVITE is repeated from the moment it is sent: there is nothing left to do. Errors: state, no
    /// 2xx was sent.
    pub fn reconfirm_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.at(now);
        let session = self.living_mut(id)?;
        match session.reinvite_server {
            Some(reinvite) if !session.accepted.iter().any(|accepted| accepted.incoming == reinvite) => Err(
                Error::state("no 2xx was sent: accepting the re-INVITE sends it and repeats it (RFC 3261 13.3.1.4)"),
            ),
            _ => Ok(()),
        }
    }

    /// Back to the exchange before the open offer; nothing when none is open.
    pub fn rollback(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.at(now);
        self.living_mut(id)?.signaling.rollback_by_hand();
        self.note_state(id);
        Ok(())
    }

    /// Applies a session description. A body that is none changes nothing. Errors: state, not legal now.
    pub fn transition(&mut self, now: Now, id: SessionId, party: Party, body: Option<Body<'_>>) -> Result<()> {
        self.at(now);
        let body = body.map(Body::checked).transpose()?;
        let session = self.living_mut(id)?;
        if let Some(description) = body.as_ref().and_then(StoredBody::of_local) {
            session.signaling.apply_by_hand(party, description)?;
        }
        self.note_state(id);
        Ok(())
    }

    /// Whether [`Agent::ack_processed`] says when the body of an ACK is worked off.
    pub fn set_defer_ack(&mut self, id: SessionId, on: bool) -> Result<()> {
        let session = self.living_mut(id)?;
        session.ack_processing = match (on, session.ack_processing) {
            (false, _) => AckProcessing::AtOnce,
            (true, AckProcessing::AtOnce) => AckProcessing::Deferred,
            (true, waiting) => waiting,
        };
        Ok(())
    }

    /// The body of the last ACK is worked off. False: none waits.
    pub fn ack_processed(&mut self, id: SessionId) -> Result<bool> {
        let session = self.living_mut(id)?;
        let waits = session.ack_processing == AckProcessing::Waiting;
        if waits {
            session.ack_processing = AckProcessing::Deferred;
        }
        Ok(waits)
    }

    /// A request that the host has matched to this dialog. `flow` `None`: the dialog's connection, else the way back that the
    /// topmost Via tells. Errors: syntax, argument, limit; state, of another dialog, or the session has said TERMINATED.
    pub fn receive_request(&mut self, now: Now, id: SessionId, flow: Option<&Flow>, data: &[u8]) -> Result<()> {
        self.at(now);
        let session = self.session(id)?;
        if session.said_terminated {
            return Err(Error::state("the session is over"));
        }
        if data.len() > self.config.limits.message_bytes {
            return Err(Error::new(ErrorKind::Limit, "data: longer than a message may be (sipdlg_config_set_limits)"));
        }
        let flow = match flow {
            Some(flow) => *flow,
            None => self.way_back(session, data)?,
        };
        let mut message = Message::receive(data, flow).map_err(|malformed| Error::syntax(malformed.rule))?;
        if !message.is_request() {
            return Err(Error::argument("data: a response; this takes requests"));
        }
        let ours = (session.call_id(), session.local_tag(), session.remote_tag());
        let theirs = (message.call_id(), message.to_tag().unwrap_or_default(), message.from_tag().unwrap_or_default());
        if ours != theirs {
            return Err(Error::state("data: Call-ID or tags of another dialog (RFC 3261 12.2.2)"));
        }
        self.counters.messages_received += 1;
        if self.outbox.log_level >= crate::config::LogLevel::Debug {
            self.outbox.log_message("<-", &flow, data);
        }
        self.table.stamp(Arc::make_mut(&mut message));
        self.request_arrived(message);
        Ok(())
    }

    /// How a request came that nobody tells the flow of.
    fn way_back(&self, session: &Session, data: &[u8]) -> Result<Flow> {
        if let Some(connection) = &session.connection {
            return Ok(**connection);
        }
        let message = Message::parse(data, None).map_err(|malformed| Error::syntax(malformed.rule))?;
        let via = message.via(0).and_then(Result::ok).ok_or_else(|| Error::syntax("Via (RFC 3261 8.1.1.7)"))?;
        let transport = (1..=5)
            .filter_map(Transport::from_number)
            .find(|transport| via.transport.eq_ignore_ascii_case(transport.via_name().as_bytes()))
            .filter(|transport| !transport.is_stream());
        let port = match via.rport {
            Rport::Port(port) => Some(port),
            Rport::Absent | Rport::Asked => via.port,
        };
        let ip = via.received.or(Some(via.host)).and_then(host_ip);
        match (transport, ip) {
            (Some(transport), Some(ip)) => {
                let remote = Some(SocketAddr::new(ip, port.unwrap_or(transport.default_port())));
                let local = self.transports.of_flow(&Flow::new(transport, None, remote))?.flow;
                Ok(Flow { remote, ..local })
            }
            _ => Err(Error::argument("flow: NULL, and neither the dialog nor the Via tells the way back")),
        }
    }

    /// Whether our INVITE that made a session confirmed by hand has no final response yet (RFC 3261 §14.1).
    pub(super) fn initial_invite_pends(&self, session: &Session) -> bool {
        let Some(Origin::Outgoing(invite)) = session.origin else { return false };
        self.outgoing.get(invite).is_some_and(|outgoing| outgoing.state != OutgoingState::Completed)
    }

    fn living_mut(&mut self, id: SessionId) -> Result<&mut Session> {
        let session = self.session_mut(id)?;
        if session.is_terminated() { Err(Error::state("the session is over")) } else { Ok(session) }
    }
}
