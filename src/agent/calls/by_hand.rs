//! What the host does past the messages (`session/by_hand`), and a message that it matched itself.

use crate::agent::wire::outbox::Direction;
use crate::agent::{Agent, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use crate::message::{Message, Rport, host_ip};
use crate::session::Session;
use crate::time::Now;
use std::net::SocketAddr;
use std::sync::Arc;

impl Agent {
    /// An act of the host's on a session by hand (`session/by_hand`); STATE follows where it changes that. Errors:
    /// those of the act.
    pub fn by_hand<T>(&mut self, now: Now, id: SessionId, act: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        self.at(now);
        let done = act(self.objects.sessions.living_mut(id)?)?;
        self.note_state(id);
        Ok(done)
    }

    /// Where requests in the dialog go from now on; `None`: by URI again.
    pub fn set_flow(&mut self, id: SessionId, flow: Option<Flow>) -> Result<()> {
        if let Some(flow) = &flow {
            self.session(id)?;
            self.transports.of_flow(flow)?;
        }
        self.objects.sessions.living_mut(id)?.set_flow(flow);
        self.connection_noted(id);
        Ok(())
    }

    /// A request that the host has matched to this dialog. `flow` `None`: the dialog's connection, else the way back
    /// that the topmost Via tells. Errors: syntax, argument, limit; state, of another dialog, or the session has said
    /// TERMINATED.
    pub fn receive_request(&mut self, now: Now, id: SessionId, flow: Option<&Flow>, data: &[u8]) -> Result<()> {
        self.at(now);
        let session = self.session(id)?;
        if session.is_gone() {
            return Err(Error::state("the session is over"));
        }
        if data.len() > self.config.limits.message_bytes {
            return Err(Error::new(ErrorKind::Limit, "data: longer than a message may be (sipdlg_config_set_limits)"));
        }
        let flow = match flow {
            Some(flow) => *flow,
            None => self.way_back(session, data)?,
        };
        let mut message = self.read_message(&flow, data).map_err(|malformed| Error::syntax(malformed.rule))?;
        if !message.is_request() {
            return Err(Error::argument("data: a response; this takes requests"));
        }
        let ours = (session.call_id(), session.local_tag(), session.remote_tag());
        let theirs = (message.call_id(), message.to_tag().unwrap_or_default(), message.from_tag().unwrap_or_default());
        if ours != theirs {
            return Err(Error::state("data: Call-ID or tags of another dialog (RFC 3261 12.2.2)"));
        }
        self.outbox.witness(Direction::In, &flow, data);
        self.table.stamp(Arc::make_mut(&mut message));
        self.request_arrived(message);
        Ok(())
    }

    /// How a request came that nobody tells the flow of.
    fn way_back(&self, session: &Session, data: &[u8]) -> Result<Flow> {
        if let Some(connection) = session.connection() {
            return Ok(*connection);
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
}
