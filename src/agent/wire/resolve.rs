//! Where a URI leads (RFC 3263). The core knows addresses only; names are the host's to look up.

use crate::agent::calls::acknowledge::Acknowledging;
use crate::agent::event::{Event, EventKind};
use crate::agent::ours::retry::{NOT_NOW, Turn};
use crate::agent::timeout::Timeout;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Hop, Transport};
use crate::held;
use crate::message::{Uri, host_ip, next_hop};
use crate::session::explain::Why;
use crate::session::reason::Reason;
use crate::session::{Resolved, Session};
use crate::shrink::Shrink;
use crate::time::Now;
use crate::timer::{TimerId, Wheel};
use crate::transaction::key::Identity;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take; then the name counts as not found.
const PATIENCE: Duration = Duration::from_secs(32);

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Question {
    host: Arc<[u8]>,
    port: u16,
    transport: Option<Transport>,
    secure: bool,
    /// The socket that it has to go through, where that is chosen.
    socket: Option<Flow>,
}

impl Question {
    /// The Contact of a WebSocket client names nobody.
    pub fn is_nowhere(&self) -> bool {
        next_hop::is_nowhere(&self.host)
    }
}

/// Where a request goes.
#[derive(Debug)]
pub(in crate::agent) enum Located<'a> {
    /// There.
    At(Hop),
    /// Where its name led before.
    Known(&'a Resolved),
    /// Somebody must look up a name first.
    Ask(Question),
}

/// What the answer is for.
#[derive(Clone, Debug)]
pub(in crate::agent) enum Waiter {
    /// A request that was drafted.
    Request(OutgoingId),
    /// The ACK to a 2xx of this To tag.
    Ack { of: Acknowledging, tag: Box<[u8]>, next_hop: Box<[u8]> },
}

#[derive(Clone, Debug)]
struct Query {
    waiters: SmallVec<[Waiter; 1]>,
    /// The dialog in which it was asked.
    session: Option<SessionId>,
    /// `None`: its peer is to bring a connection, and nobody is asked.
    question: Option<Question>,
    timer: TimerId,
}

/// Names that are being looked up.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Queries {
    open: HashMap<u64, Query, BuildHasherDefault<Identity>>,
    /// Which of them a request waits for, by its raw id; those of a dialog, by its; the newest for a name.
    of_request: HashMap<u64, u64, BuildHasherDefault<Identity>>,
    of_session: HashMap<u64, SmallVec<[u64; 2]>, BuildHasherDefault<Identity>>,
    of_host: HashMap<Arc<[u8]>, u64>,
    /// Bytes that they hold beside their places.
    texts: usize,
    /// How many wait for a connection.
    waits: usize,
    last: u64,
}

impl Query {
    /// Bytes beside its place: an ACK's draft is held by its INVITE.
    fn held(&self) -> usize {
        let waiters = self.waiters.iter().map(|waiter| match waiter {
            Waiter::Request(_) => 0,
            Waiter::Ack { tag, next_hop, .. } => tag.len() + next_hop.len(),
        });
        let host = self.question.as_ref().map_or(0, |question| held::shared(&question.host));
        host + held::spilled(&self.waiters) + waiters.sum::<usize>()
    }
}

impl Queries {
    /// Forgets what was asked for a request that is over.
    pub fn drop_of(&mut self, outgoing: OutgoingId, wheel: &mut Wheel<Timeout>) {
        let Some(number) = self.of_request.remove(&outgoing.raw()) else { return };
        self.of_request.ease();
        let Some(query) = self.open.get_mut(&number) else { return };
        self.texts -= query.held();
        query.waiters.retain(|waiter| !matches!(waiter, Waiter::Request(id) if *id == outgoing));
        self.texts += query.held();
        if query.waiters.is_empty()
            && let Some(query) = self.take(number)
        {
            wheel.stop(query.timer);
        }
    }

    fn put(&mut self, number: u64, query: Query) {
        self.texts += query.held();
        self.note_waiters(number, &query.waiters);
        if let Some(session) = query.session {
            self.of_session.entry(session.raw()).or_default().push(number);
        }
        match &query.question {
            Some(question) => drop(self.of_host.insert(Arc::clone(&question.host), number)),
            None => self.waits += 1,
        }
        self.open.insert(number, query);
    }

    fn join(&mut self, number: u64, waiter: Waiter) {
        self.note_waiters(number, std::slice::from_ref(&waiter));
        let Some(query) = self.open.get_mut(&number) else { return };
        self.texts -= query.held();
        query.waiters.push(waiter);
        self.texts += query.held();
    }

    fn note_waiters(&mut self, number: u64, waiters: &[Waiter]) {
        for waiter in waiters {
            if let Waiter::Request(id) = waiter {
                self.of_request.insert(id.raw(), number);
            }
        }
    }

    /// Takes a look-up out of all tables.
    fn take(&mut self, number: u64) -> Option<Query> {
        let query = self.open.remove(&number)?;
        self.texts -= query.held();
        for waiter in &query.waiters {
            if let Waiter::Request(id) = waiter {
                self.of_request.remove(&id.raw());
            }
        }
        if let Some(session) = query.session
            && let Some(all) = self.of_session.get_mut(&session.raw())
        {
            all.retain(|other| *other != number);
            if all.is_empty() {
                self.of_session.remove(&session.raw());
            }
        }
        match &query.question {
            Some(question) if self.of_host.get(&question.host) == Some(&number) => {
                self.of_host.remove(&question.host);
            }
            Some(_) => {}
            None => self.waits -= 1,
        }
        self.open.ease();
        self.of_request.ease();
        self.of_session.ease();
        self.of_host.ease();
        Some(query)
    }

    /// Whether anything waits for a connection.
    pub fn wait_for_connections(&self) -> bool {
        self.waits > 0
    }

    /// A dialog has a connection: what waited for that.
    pub fn connection_came(&mut self, session: SessionId, wheel: &mut Wheel<Timeout>) -> Vec<Waiter> {
        let mut all = self.of_session.get(&session.raw()).cloned().unwrap_or_default();
        all.retain(|number| self.open.get(number).is_some_and(|query| query.question.is_none()));
        let taken = all.into_iter().filter_map(|number| self.take(number));
        let waiters = taken.flat_map(|query| {
            wheel.stop(query.timer);
            query.waiters
        });
        waiters.collect()
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        self.open.fit();
        self.of_request.fit();
        self.of_session.fit();
        self.of_host.fit();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let finders = held::table(&self.of_request) + held::table(&self.of_session) + held::table(&self.of_host);
        held::table(&self.open) + finders + self.texts
    }

    /// A look-up under way that answers this question too: one of the same dialog. Who is `silent` joins the newest for
    /// the name, for no host looks for its RESOLVE.
    fn same(&self, question: &Question, session: Option<SessionId>, silent: bool) -> Option<u64> {
        let asks = |number: &&u64| self.open.get(number).is_some_and(|query| query.question.as_ref() == Some(question));
        let of_session = session.and_then(|session| self.of_session.get(&session.raw()));
        let of_session = of_session.and_then(|all| all.iter().find(asks));
        of_session.or_else(|| self.of_host.get(&question.host).filter(|_| silent).filter(asks)).copied()
    }
}

const WAITS: Why =
    Why::new(Reason::Transport, "the request waits until its dialog has a connection again (RFC 7118 5)");

impl Agent {
    /// Where `uri` leads. `secure`: the request or its dialog is sips, so that no hop goes in the clear, whatever `uri`
    /// says (RFC 3261 §26.2.2). `fixed`: the host's word counts more; without remote it chooses the socket only. `came`: how
    /// the dialog's messages came. `known`: what an earlier look-up gave.
    pub(in crate::agent) fn locate<'a>(
        &self,
        uri: &[u8],
        secure: bool,
        fixed: Option<&Flow>,
        came: Option<Transport>,
        known: Option<&'a Resolved>,
    ) -> Result<Located<'a>> {
        if let Some(flow) = fixed.filter(|flow| flow.remote.is_some()) {
            let host = Uri::received(uri).ok().and_then(|uri| next_hop::name(&uri).map(Arc::from));
            return Ok(Located::At(Hop { flow: *flow, host }));
        }
        if let Some(known) = known.filter(|known| known.serves(uri)) {
            return Ok(Located::Known(known));
        }
        let parsed = Uri::received(uri)?;
        let secure = secure || parsed.is_sips();
        if !parsed.is_sip() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "only sip and sips URIs lead somewhere; give a flow or a route",
            ));
        }
        let named = match next_hop::transport(&parsed) {
            Some(name) => Some(Transport::named(name, secure).ok_or_else(|| {
                Error::new(ErrorKind::NoTransport, "transport: the URI asks for one that SIP does not know")
            })?),
            None => None,
        };
        let asked = named.map(|named| self.transports.meant(named, fixed.map(|flow| flow.transport).or(came)));
        let host = next_hop::host(&parsed);
        let (link, local) = fixed.map_or((0, None), |flow| (flow.link, flow.local));
        let Some(ip) = host_ip(host) else {
            let transport = asked.or(fixed.map(|flow| flow.transport));
            let (host, port) = (host.into(), parsed.port.unwrap_or(0));
            return Ok(Located::Ask(Question { host, port, transport, secure, socket: fixed.copied() }));
        };
        let transport = asked.or(fixed.map(|flow| flow.transport)).unwrap_or_else(|| self.transports.usual(secure));
        let remote = SocketAddr::new(ip, parsed.port.unwrap_or(transport.default_port()));
        let flow = Flow { transport, link, local, remote: Some(remote) };
        self.transports.of_flow(&flow)?;
        // The host of a URI with maddr may be a name all the same.
        let host = if host == parsed.host { None } else { next_hop::name(&parsed).map(Arc::from) };
        Ok(Located::At(Hop { flow, host }))
    }

    /// Asks the host where a request's name leads.
    pub(in crate::agent) fn ask(&mut self, id: OutgoingId, question: Question) {
        let outgoing = self.objects.outgoing.get(id);
        let session = outgoing.and_then(|outgoing| outgoing.session);
        // It is held, though nothing passes yet.
        self.outbox.passed += outgoing.and_then(|outgoing| outgoing.draft()).map_or(0, |draft| draft.held()) as u64;
        self.open_query(Waiter::Request(id), id, session, question);
    }

    /// Asks where an ACK goes.
    pub(in crate::agent) fn ask_for_ack(
        &mut self,
        of: Acknowledging,
        tag: &[u8],
        next_hop: Box<[u8]>,
        question: Question,
    ) {
        if let Some(kept) = self.objects.kept_ack(of.invite, tag) {
            kept.asked = true;
        }
        let waiter = Waiter::Ack { of, tag: tag.into(), next_hop };
        self.open_query(waiter, of.invite, of.session, question);
    }

    fn open_query(&mut self, waiter: Waiter, id: OutgoingId, session: Option<SessionId>, question: Question) {
        let waits = question.is_nowhere()
            && !self.config.ways.reconnect.is_zero()
            && session.and_then(|id| self.objects.holder(id)).is_some_and(Session::awaits_connection);
        if waits {
            return self.open_wait(waiter, session);
        }
        let silent = self.objects.outgoing.get(id).is_none_or(|outgoing| outgoing.silent);
        if let Some(query) = self.queries.same(&question, session, silent) {
            return self.queries.join(query, waiter);
        }
        self.queries.last += 1;
        let query = self.queries.last;
        let timer = self.arm(PATIENCE, Timeout::Query(query));
        self.tell(Event {
            outgoing: Some(id).filter(|_| !silent),
            query,
            text: Some(Arc::clone(&question.host)),
            port: question.port,
            transport: question.transport,
            secure: question.secure,
            ..Event::new(EventKind::Resolve)
        });
        let waiters = smallvec![waiter];
        self.queries.put(query, Query { waiters, session, question: Some(question), timer });
    }

    /// Waits for the peer of a dialog to come on a connection.
    pub(in crate::agent) fn open_wait(&mut self, waiter: Waiter, session: Option<SessionId>) {
        if let Waiter::Request(id) = waiter {
            self.act_for(id, WAITS, 0, None);
        }
        self.queries.last += 1;
        let query = self.queries.last;
        let timer = self.arm(self.config.ways.reconnect, Timeout::Query(query));
        self.queries.put(query, Query { waiters: smallvec![waiter], session, question: None, timer });
    }

    /// Answers RESOLVE: where to, best first. False: no one waits any more.
    pub fn resolved(&mut self, now: Now, query: u64, targets: &[Flow]) -> bool {
        self.at(now);
        let asked = self.queries.open.get(&query).is_some_and(|query| query.question.is_some());
        asked && self.query_answered(query, targets)
    }

    pub(in crate::agent) fn query_answered(&mut self, query: u64, targets: &[Flow]) -> bool {
        let Some(open) = self.queries.take(query) else { return false };
        self.stop(Some(open.timer));
        let question = open.question.as_ref();
        let usable = targets.iter().filter_map(|target| self.usable(question?, target));
        let usable: Vec<Flow> = usable.collect();
        let host = question.map_or_else(|| Arc::from(&b""[..]), |question| Arc::clone(&question.host));
        let mut waited = false;
        for waiter in open.waiters {
            waited |= match waiter {
                Waiter::Request(id) => self.request_resolved(id, &host, &usable),
                Waiter::Ack { of, tag, next_hop } => {
                    let answer = Resolved::new(&next_hop, &host, usable.iter().copied());
                    self.ack_resolved(of, &tag, answer);
                    true
                }
            };
        }
        waited
    }

    /// A request's name was looked up. False: nobody waits for it.
    fn request_resolved(&mut self, id: OutgoingId, host: &Arc<[u8]>, usable: &[Flow]) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return false };
        let (session, failed, chosen) = (outgoing.session, outgoing.failed, outgoing.fixed_flow.is_some());
        if !self.objects.may_go_out(outgoing) {
            // RFC 5407 §2: nothing new goes out in a dialog that is Mortal.
            self.request_failed(id, if failed == 0 { 481 } else { failed });
            return true;
        }
        let Some(draft) = outgoing.draft() else { return false };
        let answer = Resolved::new(&draft.next_hop, host, usable.iter().copied());
        // Not once more to where it has failed.
        let tried = outgoing.last_sent().map(|sent| sent.hop.flow).filter(|_| failed != 0);
        let answer = match tried {
            Some(tried) => answer.and_then(|answer| answer.without(&tried)),
            None => answer,
        };
        match answer {
            Some(resolved) => {
                if !chosen {
                    self.objects.note_resolved(session, &resolved);
                }
                match self.turn_of(id) {
                    Turn::Now => {
                        if let Some(session) = session {
                            self.rename(id, session);
                        }
                        self.send_to_first(id, Box::new(resolved));
                    }
                    Turn::Later(by, session) => self.wait_for_turn(by, id, session, None),
                    Turn::Never(_) => self.request_failed(id, NOT_NOW),
                }
            }
            None => self.request_failed(id, if failed == 0 { 503 } else { failed }),
        }
        true
    }

    /// A target of an answer as a flow, when a transport of ours reaches it. Port 0 asks for that of the URI, else of
    /// the transport.
    fn usable(&self, question: &Question, target: &Flow) -> Option<Flow> {
        let remote = target.remote?;
        let flow = question.socket.unwrap_or(*target);
        // The chosen socket has one family.
        if flow.local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4()) {
            return None;
        }
        // RFC 3261 §26.2.2: a SIPS URI is reached over TLS at every hop, or not at all.
        if question.secure && !flow.transport.is_secure() {
            return None;
        }
        let port = match (remote.port(), question.port) {
            (0, 0) => flow.transport.default_port(),
            (0, port) | (port, _) => port,
        };
        let mut remote = remote;
        remote.set_port(port);
        let flow = Flow { remote: Some(remote), ..flow };
        self.transports.of_flow(&flow).is_ok().then_some(flow)
    }
}
