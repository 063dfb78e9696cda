//! Where a URI leads (RFC 3263). The core knows addresses only; names are the host's to look up.

use crate::agent::event::{Event, EventKind};
use crate::agent::ours::draft::Draft;
use crate::agent::timeout::Timeout;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use crate::message::uri::Scheme;
use crate::message::{Uri, host_ip};
use crate::session::{Resolved, Session};
use crate::time::Now;
use crate::timer::{TimerId, Wheel};
use crate::transaction::key::Identity;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take; then the name counts as not found.
const PATIENCE: Duration = Duration::from_secs(32);

/// What to look up.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Question {
    host: Arc<[u8]>,
    port: u16,
    transport: Option<Transport>,
    secure: bool,
}

/// Where a request goes.
#[derive(Debug)]
pub(in crate::agent) enum Located {
    /// There.
    At(Flow),
    /// Somebody must look up a name first.
    Ask(Question),
}

/// What the answer is for.
#[derive(Clone, Debug)]
enum Waiter {
    /// A request that was drafted.
    Request(OutgoingId),
    /// The ACK to a 2xx of this To tag.
    Ack { invite: OutgoingId, session: Option<SessionId>, tag: Box<[u8]>, draft: Box<Draft> },
}

#[derive(Clone, Debug)]
struct Query {
    waiter: Waiter,
    question: Question,
    timer: TimerId,
}

impl Query {
    fn is_of(&self, id: OutgoingId) -> bool {
        matches!(self.waiter, Waiter::Request(outgoing) if outgoing == id)
    }
}

/// Names that are being looked up.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Queries {
    open: HashMap<u64, Query, BuildHasherDefault<Identity>>,
    last: u64,
}

impl Queries {
    /// Forgets what was asked for a request that is over.
    pub fn drop_of(&mut self, outgoing: OutgoingId, wheel: &mut Wheel<Timeout>) {
        self.open.retain(|_, query| {
            let drops = query.is_of(outgoing);
            if drops {
                wheel.stop(query.timer);
            }
            !drops
        });
    }
}

impl Agent {
    /// Where `uri` leads. `fixed`: the host's word counts more; without remote it chooses the socket only. `came`: how
    /// the dialog's messages came. `known`: what an earlier look-up for the same hop gave.
    pub(in crate::agent) fn locate(
        &self,
        uri: &[u8],
        fixed: Option<&Flow>,
        came: Option<Transport>,
        known: Option<&Resolved>,
    ) -> Result<Located> {
        if let Some(flow) = fixed.filter(|flow| flow.remote.is_some()) {
            return Ok(Located::At(*flow));
        }
        if let Some(known) = known.filter(|known| *known.next_hop == *uri) {
            return Ok(Located::At(known.flow));
        }
        let parsed = Uri::received(uri)?;
        let secure = parsed.scheme == Scheme::Sips;
        if !parsed.is_sip() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "only sip and sips URIs lead somewhere; give a flow or a route",
            ));
        }
        let named = match parsed.parameter(b"transport").and_then(|parameter| parameter.value) {
            Some(name) => Some(Transport::named(name, secure).ok_or_else(|| {
                Error::new(ErrorKind::NoTransport, "transport: the URI asks for one that SIP does not know")
            })?),
            None => None,
        };
        let asked = named.map(|named| self.transports.meant(named, fixed.map(|flow| flow.transport).or(came)));
        let host = parsed.parameter(b"maddr").and_then(|parameter| parameter.value).unwrap_or(parsed.host);
        let (link, local) = fixed.map_or((0, None), |flow| (flow.link, flow.local));
        let Some(ip) = host_ip(host) else {
            let transport = asked.or(fixed.map(|flow| flow.transport));
            return Ok(Located::Ask(Question { host: host.into(), port: parsed.port.unwrap_or(0), transport, secure }));
        };
        let transport = asked.or(fixed.map(|flow| flow.transport)).unwrap_or_else(|| self.transports.usual(secure));
        let remote = SocketAddr::new(ip, parsed.port.unwrap_or(transport.default_port()));
        let flow = Flow { transport, link, local, remote: Some(remote) };
        self.transports.of_flow(&flow)?;
        Ok(Located::At(flow))
    }

    /// Asks the host where a request's name leads.
    pub(in crate::agent) fn ask(&mut self, outgoing: OutgoingId, question: Question) {
        self.open_query(Waiter::Request(outgoing), outgoing, question);
    }

    /// Asks where an ACK goes.
    pub(in crate::agent) fn ask_for_ack(
        &mut self,
        invite: OutgoingId,
        session: Option<SessionId>,
        tag: &[u8],
        draft: Draft,
        question: Question,
    ) {
        let waiter = Waiter::Ack { invite, session, tag: tag.into(), draft: Box::new(draft) };
        self.open_query(waiter, invite, question);
    }

    fn open_query(&mut self, waiter: Waiter, outgoing: OutgoingId, question: Question) {
        self.queries.last += 1;
        let query = self.queries.last;
        let timer = self.arm(PATIENCE, Timeout::Query(query));
        self.tell(Event {
            outgoing: Some(outgoing)
                .filter(|id| self.objects.outgoing.get(*id).is_some_and(|outgoing| !outgoing.silent)),
            query,
            text: Some(Arc::clone(&question.host)),
            port: question.port,
            transport: question.transport,
            secure: question.secure,
            ..Event::new(EventKind::Resolve)
        });
        self.queries.open.insert(query, Query { waiter, question, timer });
    }

    /// Answers RESOLVE: where to, best first. False: no one waits any more.
    pub fn resolved(&mut self, now: Now, query: u64, targets: &[Flow]) -> bool {
        self.at(now);
        self.query_answered(query, targets)
    }

    pub(in crate::agent) fn query_answered(&mut self, query: u64, targets: &[Flow]) -> bool {
        let Some(open) = self.queries.open.remove(&query) else { return false };
        self.stop(Some(open.timer));
        let usable = targets.iter().find_map(|target| self.usable(&open, target));
        match open.waiter {
            Waiter::Request(id) => {
                let Some(outgoing) = self.objects.outgoing.get(id) else { return false };
                let hop = outgoing.draft().map(|draft| draft.next_hop.clone());
                let session = outgoing.session;
                let over = session.is_some_and(|id| self.objects.holder(id).is_none_or(Session::is_terminated));
                if over && !outgoing.outlives_session() {
                    // RFC 5407 §2: nothing new goes out in a dialog that is Mortal.
                    self.request_failed(id, 481);
                    return true;
                }
                match usable {
                    Some(flow) => {
                        self.objects.note_resolved(session, hop, flow);
                        self.send_request(id, &flow);
                    }
                    None => self.request_failed(id, 503),
                }
            }
            Waiter::Ack { invite, session, tag, draft } => {
                let Some(flow) = usable else {
                    self.ack_failed(session);
                    return true;
                };
                self.objects.note_resolved(session, Some(draft.next_hop.clone()), flow);
                // The INVITE may be over; then nobody repeats the 2xx either.
                if self.send_kept_ack(invite, session, &tag, &draft, &flow).is_err() {
                    self.ack_failed(session);
                }
            }
        }
        true
    }

    /// A target of an answer as a flow, when a transport of ours reaches it. Port 0 asks for that of the URI, else of
    /// the transport.
    fn usable(&self, query: &Query, target: &Flow) -> Option<Flow> {
        let remote = target.remote?;
        let fixed = match &query.waiter {
            Waiter::Request(id) => self.objects.outgoing.get(*id).and_then(|outgoing| outgoing.fixed_flow),
            Waiter::Ack { .. } => None,
        };
        let flow = fixed.unwrap_or(*target);
        // RFC 3261 §26.2.2: a SIPS URI is reached over TLS at every hop, or not at all.
        if query.question.secure && !flow.transport.is_secure() {
            return None;
        }
        let port = match (remote.port(), query.question.port) {
            (0, 0) => flow.transport.default_port(),
            (0, port) | (port, _) => port,
        };
        let mut remote = remote;
        remote.set_port(port);
        let flow = Flow { remote: Some(remote), ..flow };
        self.transports.of_flow(&flow).is_ok().then_some(flow)
    }
}
