//! All transactions of an agent.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::key::{ByKey, Key, Keys, RequestKeys};
pub use super::state::{ClientState, ServerState};
use super::timers::{Actions, Change, Environment, Input, Letter, Tell, Wire};
use super::{Bytes, ClientId, Outcome, ServerId, Sink, Timer, TransactionId};
use super::{invite_client, invite_server, messages, non_invite_client, non_invite_server};
use crate::config::TimerValues;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{ByLink, Flow, Hop, Transport};
use crate::held::{self, Held, Ledger};
use crate::message::{Message, Method};
use crate::random::Random;
use crate::shrink::Shrink;
use crate::timer::TimerId;
use crate::timer::slab::Slab;

/// Counted since the table was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests, ACKs and responses sent again.
    pub retransmissions_sent: u64,
    /// Requests and final responses that were absorbed.
    pub retransmissions_received: u64,
}

/// The timers that run: a transaction never has two that repeat, nor two that end.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    repeat: Option<TimerId>,
    end: Option<TimerId>,
}

#[derive(Clone, Debug)]
struct Client {
    key: Key,
    state: ClientState,
    running: Running,
    owner: u64,
    hop: Hop,
    /// The request while it may have to be sent again or acknowledged, then the ACK while it may.
    sent: Option<Bytes>,
}

#[derive(Clone, Debug)]
struct Server {
    key: Key,
    merged: Option<Key>,
    state: ServerState,
    running: Running,
    owner: u64,
    flow: Flow,
    /// Until something was answered: the 100 is made from it.
    request: Option<Arc<Message>>,
    /// The last response while it may have to be sent again.
    sent: Option<Bytes>,
    old: Option<Box<Old>>,
}

impl Held for Client {
    /// The request is its owner's; the ACK that stands in its place, or what nobody owns, is held here.
    fn held(&self) -> usize {
        let owned = self.owner != 0 && self.state.is_waiting();
        if owned { 0 } else { held::shared_or_none(self.sent.as_ref()) }
    }
}

impl Held for Server {
    /// The request is that of the object that answers it.
    fn held(&self) -> usize {
        let old = self.old.as_ref().map_or(0, |old| size_of_val(&**old));
        held::shared_or_none(self.sent.as_ref()) + old
    }
}

/// What one transaction takes, apart from its bytes to be sent again.
#[cfg(test)]
pub(crate) const CLIENT_BYTES: usize = size_of::<Client>();
/// The same.
#[cfg(test)]
pub(crate) const SERVER_BYTES: usize = size_of::<Server>();

/// Of an INVITE without the magic cookie (RFC 2543): its ACK has the To tag of our final response, so it is found by a
/// second key, known once that response is sent.
#[derive(Clone, Copy, Debug)]
struct Old {
    base: Key,
    ack: Option<Key>,
}

/// The transactions of one agent, found by keys; the timers of all of them run in the wheel of the floor above.
#[derive(Clone, Debug)]
pub struct Table {
    keys: Keys,
    timers: TimerValues,
    limit: usize,
    clients: Slab<Client>,
    servers: Slab<Server>,
    client_by_key: ByKey<ClientId>,
    clients_by_link: ByLink<ClientId>,
    servers_by_link: ByLink<ServerId>,
    /// Those whose connection is gone, and who lead nowhere else.
    stranded: BTreeSet<ServerId>,
    /// Links of UDP: a few sockets carry all there is, so that their clients are walked through.
    datagram_links: Vec<u64>,
    server_by_key: ByKey<ServerId>,
    server_by_merged: ByKey<ServerId>,
    /// What those of servers hold beside their places; that of clients.
    ledger: Ledger,
    held_by_clients: usize,
    counters: Counters,
}

impl Table {
    /// An empty table for at most `limit` transactions at a time, client and server together.
    pub fn new(random: &mut Random, timers: TimerValues, limit: usize) -> Self {
        Self {
            keys: Keys::new(random),
            timers,
            limit,
            clients: Slab::new(),
            servers: Slab::new(),
            client_by_key: ByKey::default(),
            clients_by_link: ByLink::default(),
            servers_by_link: ByLink::default(),
            stranded: BTreeSet::new(),
            datagram_links: Vec::new(),
            server_by_key: ByKey::default(),
            server_by_merged: ByKey::default(),
            ledger: Ledger::default(),
            held_by_clients: 0,
            counters: Counters::default(),
        }
    }

    /// How many transactions live.
    pub const fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Whether none lives.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back the room that nothing needs now.
    pub fn trim(&mut self) {
        self.clients.trim();
        self.servers.trim();
        self.client_by_key.fit();
        self.server_by_key.fit();
        self.server_by_merged.fit();
        self.ledger.trim();
    }

    /// What was counted.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// A timer came due that [`Sink::arm`] was asked for.
    pub fn timer_due(&mut self, sink: &mut impl Sink, timer: Timer) -> Outcome {
        match timer.transaction {
            TransactionId::Client(id) => self.client_input(sink, id, Input::Timer(timer.letter), None),
            TransactionId::Server(id) => self.server_input(sink, id, Input::Timer(timer.letter)),
        }
    }

    // Client transactions.

    /// Sends `request` and waits for its responses. `branch` and `method` are those of its Via and CSeq; a CANCEL has
    /// the branch of its INVITE. Never for ACK. Errors: limit; state when the branch is in use.
    pub fn start_client(
        &mut self,
        sink: &mut impl Sink,
        request: Bytes,
        branch: &[u8],
        method: &[u8],
        hop: Hop,
        owner: u64,
    ) -> Result<ClientId> {
        self.room()?;
        let key = self.keys.client(branch, method);
        if self.client_by_key.contains_key(&key) {
            return Err(Error::state("RFC 3261 8.1.1.7: this branch is in use"));
        }
        let environment = Environment { timers: self.timers, reliable: hop.flow.transport.is_reliable() };
        let (state, actions) = if method == b"INVITE" {
            let (state, actions) = invite_client::start(&environment);
            (ClientState::Invite(state), actions)
        } else {
            let (state, actions) = non_invite_client::start(&environment);
            (ClientState::NonInvite(state), actions)
        };
        let running = Running::default();
        let client = Client { key, state, running, owner, hop: hop.clone(), sent: Some(Arc::clone(&request)) };
        self.held_by_clients += client.held();
        let id = ClientId(self.clients.insert(client));
        self.client_by_key.insert(key, id);
        self.note_link(&hop.flow, id);
        let transaction = TransactionId::Client(id);
        if let Some(client) = self.clients.get_mut(id.0) {
            client.running.change(sink, transaction, actions);
        }
        sink.send(transaction, &request, &hop.flow, hop.host.as_ref(), false);
        Ok(id)
    }

    /// The transaction that a response belongs to (§17.1.3).
    pub fn find_client(&self, response: &Message) -> Option<ClientId> {
        let key = self.keys.client(response.branch()?, response.cseq_method().text);
        self.client_by_key.get(&key).copied()
    }

    /// A response arrived. Tells PassUp or nothing; the ACK to 300-699 is sent here.
    pub fn client_response(&mut self, sink: &mut impl Sink, id: ClientId, response: &Message) -> Outcome {
        self.client_input(sink, id, Input::Response(response.status()), Some(response))
    }

    /// What was sent last could not be sent. Tells TransportError, or nothing where the failure does not matter.
    pub fn client_transport_error(&mut self, sink: &mut impl Sink, id: ClientId) -> Outcome {
        self.client_input(sink, id, Input::TransportError, None)
    }

    /// The link that its request went by is gone. Tells like a failed transmit.
    pub fn client_link_lost(&mut self, sink: &mut impl Sink, id: ClientId) -> Outcome {
        self.client_input(sink, id, Input::LinkLost, None)
    }

    /// Ends a transaction at once, silently: an INVITE without a final response 64*T1 after its CANCEL (§9.1), or one
    /// that nobody waits for any more. False when it had ended.
    pub fn give_up(&mut self, sink: &mut impl Sink, id: ClientId) -> bool {
        let Some(client) = self.clients.get_mut(id.0) else { return false };
        client.running.change(sink, TransactionId::Client(id), Actions::END);
        self.remove_client(id);
        true
    }

    /// The number given at the start.
    pub fn client_owner(&self, id: ClientId) -> Option<u64> {
        self.clients.get(id.0).map(|client| client.owner)
    }

    /// The request, or its ACK, while it may have to be sent again.
    pub fn client_sent(&self, id: ClientId) -> Option<&Bytes> {
        self.clients.get(id.0)?.sent.as_ref()
    }

    /// What is held for a peer.
    pub fn share(&self, peer: IpAddr) -> usize {
        self.ledger.share(peer)
    }

    /// From now on the ledger knows the shares of peers. Before the first transaction.
    pub fn with_shares(&mut self) {
        self.ledger.with_shares();
    }

    /// Bytes of all that is here.
    pub fn bytes(&self) -> usize {
        let keys = held::table(&self.client_by_key) + held::table(&self.server_by_key);
        let places = self.clients.bytes() + self.servers.bytes();
        let held = self.ledger.total() + self.held_by_clients + self.ledger.bytes();
        held + places
            + keys
            + held::table(&self.server_by_merged)
            + self.clients_by_link.bytes()
            + self.servers_by_link.bytes()
            + self.stranded.len() * 2 * size_of::<ServerId>()
            + held::list(&self.datagram_links)
    }

    fn client_input(
        &mut self,
        sink: &mut impl Sink,
        id: ClientId,
        input: Input,
        response: Option<&Message>,
    ) -> Outcome {
        let Some(client) = self.clients.get_mut(id.0) else { return Outcome::default() };
        let before = client.held();
        client.running.came_due(input);
        let environment = Environment { timers: self.timers, reliable: client.hop.flow.transport.is_reliable() };
        let waited = client.state.is_waiting();
        let (state, actions) = client.state.handle(input, &environment);
        client.state = state;
        let transaction = TransactionId::Client(id);
        client.running.change(sink, transaction, actions);
        match actions.send {
            Wire::Again => {
                if let Some(bytes) = &client.sent {
                    sink.send(transaction, bytes, &client.hop.flow, client.hop.host.as_ref(), true);
                    self.counters.retransmissions_sent += 1;
                }
            }
            Wire::Ack => {
                let ack =
                    client.sent.as_deref().zip(response).and_then(|(invite, response)| messages::ack(invite, response));
                if let Some(ack) = &ack {
                    sink.send(transaction, ack, &client.hop.flow, client.hop.host.as_ref(), false);
                }
                client.sent = ack;
            }
            Wire::Nothing | Wire::New | Wire::Trying => {}
        }
        if matches!(input, Input::Response(200..)) && !waited && actions.tell == Tell::Nothing {
            self.counters.retransmissions_received += 1;
        }
        if !state.may_send() {
            client.sent = None;
        }
        self.held_by_clients = self.held_by_clients.saturating_sub(before).saturating_add(client.held());
        let outcome = Outcome { owner: client.owner, tell: actions.tell, ended: state.is_terminated() };
        if outcome.ended {
            self.remove_client(id);
        }
        outcome
    }

    fn remove_client(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(id.0) {
            self.held_by_clients = self.held_by_clients.saturating_sub(client.held());
            forget(&mut self.client_by_key, client.key, id);
            if client.hop.flow.transport != Transport::Udp {
                self.clients_by_link.remove(client.hop.flow.link, id);
            }
        }
    }

    // Server transactions.

    /// The transaction that a request repeats, or that an ACK belongs to (§17.2.3).
    pub fn find_server(&self, request: &Message) -> Option<ServerId> {
        self.server_by_key.get(&self.keys_of(request).server).copied()
    }

    /// The INVITE that a CANCEL means (§9.2).
    pub fn find_cancelled(&self, cancel: &Message) -> Option<ServerId> {
        self.server_by_key.get(&self.keys.server(&messages::fields(cancel), b"INVITE")).copied()
    }

    /// Whether a request that belongs to no transaction came before on another path (§8.2.2.2): 482.
    pub fn find_merged(&self, request: &Message) -> bool {
        self.keys_of(request).merged.is_some_and(|key| self.server_by_merged.contains_key(&key))
    }

    /// Hashes the keys of a request that was just received, so that all that follows finds them done.
    pub fn stamp(&self, request: &mut Message) {
        request.set_hashed(self.keys.of_request(&messages::fields(request)));
    }

    fn keys_of(&self, request: &Message) -> RequestKeys {
        request.hashed().copied().unwrap_or_else(|| self.keys.of_request(&messages::fields(request)))
    }

    /// A request that [`Table::find_server`] does not know. Never for ACK. Responses go to `flow`. Errors: limit; state
    /// when it is known.
    pub fn start_server(
        &mut self,
        sink: &mut impl Sink,
        request: &Arc<Message>,
        flow: Flow,
        owner: u64,
    ) -> Result<ServerId> {
        self.room()?;
        let RequestKeys { server: key, merged } = self.keys_of(request);
        if self.server_by_key.contains_key(&key) {
            return Err(Error::state("RFC 3261 17.2.3: a transaction of this request lives"));
        }
        let environment = Environment { timers: self.timers, reliable: flow.transport.is_reliable() };
        let (state, actions) = if request.method() == Method::Invite {
            let (state, actions) = invite_server::start(&environment);
            (ServerState::Invite(state), actions)
        } else {
            let (state, actions) = non_invite_server::start(&environment);
            (ServerState::NonInvite(state), actions)
        };
        let server = Server {
            key,
            merged,
            state,
            running: Running::default(),
            owner,
            flow,
            request: Some(Arc::clone(request)),
            sent: None,
            old: self.old(request),
        };
        let held = server.held();
        let id = ServerId(self.servers.insert(server));
        if let Some(peer) = flow.remote {
            self.ledger.owned_by(id.0.index(), peer.ip());
        }
        self.ledger.change(id.0.index(), 0, held);
        if flow.transport != Transport::Udp {
            self.servers_by_link.insert(flow.link, id);
        }
        self.server_by_key.insert(key, id);
        if let Some(merged) = merged {
            // The first keeps the place: those that are answered 482 end sooner or later than it.
            self.server_by_merged.entry(merged).or_insert(id);
        }
        if let Some(server) = self.servers.get_mut(id.0) {
            server.running.change(sink, TransactionId::Server(id), actions);
        }
        Ok(id)
    }

    /// The request of a transaction again, or its ACK. Tells PassUp for an ACK in Accepted, which the session matches
    /// by its dialog; everything else is absorbed, and answered with the last response where there was one.
    pub fn server_request(&mut self, sink: &mut impl Sink, id: ServerId, request: &Message) -> Outcome {
        if request.method() == Method::Ack {
            return self.server_input(sink, id, Input::Ack);
        }
        self.counters.retransmissions_received += 1;
        self.server_input(sink, id, Input::Request)
    }

    /// Sends a response. Errors: stale; state where RFC 3261 §17.2 or RFC 4320 forbids it, and nothing is sent. A 2xx
    /// to an INVITE may be sent again and again; its repeats are the session's.
    pub fn respond(&mut self, sink: &mut impl Sink, id: ServerId, status: u16, response: Bytes) -> Result<Outcome> {
        let Some(server) = self.servers.get_mut(id.0) else {
            return Err(Error::new(ErrorKind::Stale, "the server transaction has ended"));
        };
        let before = server.held();
        let environment = Environment { timers: self.timers, reliable: server.flow.transport.is_reliable() };
        let repeated = server.state == ServerState::Invite(invite_server::State::Accepted);
        let (state, actions) = server.state.respond(status, &environment)?;
        server.state = state;
        let transaction = TransactionId::Server(id);
        server.running.change(sink, transaction, actions);
        sink.send(transaction, &response, &server.flow, None, repeated);
        self.counters.retransmissions_sent += u64::from(repeated);
        server.request = None;
        if let (Some(old), 300..) = (&mut server.old, status) {
            let ack = self.keys.old_server(old.base, b"INVITE", messages::to_tag(&response).as_deref());
            old.ack = Some(ack);
            self.server_by_key.insert(ack, id);
        }
        server.sent = state.may_send().then_some(response);
        self.ledger.change(id.0.index(), before, server.held());
        let outcome = Outcome { owner: server.owner, tell: actions.tell, ended: state.is_terminated() };
        if outcome.ended {
            self.remove_server(id);
        }
        Ok(outcome)
    }

    /// Where it is.
    pub fn server_state(&self, id: ServerId) -> Option<ServerState> {
        self.servers.get(id.0).map(|server| server.state)
    }

    /// Whether it refused an INVITE whose ACK is not here.
    pub fn waits_for_ack(&self, id: ServerId) -> bool {
        matches!(self.server_state(id), Some(ServerState::Invite(invite_server::State::Completed { .. })))
    }

    /// The number given at the start.
    pub fn server_owner(&self, id: ServerId) -> Option<u64> {
        self.servers.get(id.0).map(|server| server.owner)
    }

    fn server_input(&mut self, sink: &mut impl Sink, id: ServerId, input: Input) -> Outcome {
        let Some(server) = self.servers.get_mut(id.0) else { return Outcome::default() };
        let before = server.held();
        server.running.came_due(input);
        let environment = Environment { timers: self.timers, reliable: server.flow.transport.is_reliable() };
        let (state, actions) = server.state.handle(input, &environment);
        server.state = state;
        let transaction = TransactionId::Server(id);
        server.running.change(sink, transaction, actions);
        match actions.send {
            Wire::Again => {
                if let Some(bytes) = &server.sent {
                    sink.send(transaction, bytes, &server.flow, None, true);
                    self.counters.retransmissions_sent += 1;
                }
            }
            Wire::Trying => {
                if let Some(request) = server.request.take() {
                    let trying = messages::trying(&request);
                    sink.send(transaction, &trying, &server.flow, None, false);
                    server.sent = Some(trying);
                }
            }
            Wire::Nothing | Wire::New | Wire::Ack => {}
        }
        if !state.may_send() {
            server.sent = None;
        }
        self.ledger.change(id.0.index(), before, server.held());
        let outcome = Outcome { owner: server.owner, tell: actions.tell, ended: state.is_terminated() };
        if outcome.ended {
            self.remove_server(id);
        }
        outcome
    }

    fn remove_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.remove(id.0) else { return };
        self.ledger.gone(id.0.index(), server.held());
        if server.flow.transport != Transport::Udp {
            self.servers_by_link.remove(server.flow.link, id);
            self.stranded.remove(&id);
        }
        forget(&mut self.server_by_key, server.key, id);
        if let Some(ack) = server.old.and_then(|old| old.ack) {
            forget(&mut self.server_by_key, ack, id);
        }
        if let Some(merged) = server.merged {
            forget(&mut self.server_by_merged, merged, id);
        }
    }

    fn old(&self, request: &Message) -> Option<Box<Old>> {
        if request.method() != Method::Invite {
            return None;
        }
        self.keys.old_server_base(&messages::fields(request)).map(|base| Box::new(Old { base, ack: None }))
    }

    /// There is room for one more. Errors: limit.
    pub fn room(&self) -> Result<()> {
        if self.len() < self.limit {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, "transactions: the limit is reached"))
    }
}

/// Takes a key out if it still leads to `id`, and gives back what the table no longer needs.
fn forget<V: PartialEq>(table: &mut ByKey<V>, key: Key, id: V) {
    if table.get(&key) == Some(&id) {
        table.remove(&key);
        table.ease();
    }
}

impl Running {
    /// The timer that came due is gone by itself.
    fn came_due(&mut self, input: Input) {
        if let Input::Timer(letter) = input {
            *self.place(letter) = None;
        }
    }

    fn place(&mut self, letter: Letter) -> &mut Option<TimerId> {
        if letter.is_repeat() { &mut self.repeat } else { &mut self.end }
    }

    fn change(&mut self, sink: &mut impl Sink, transaction: TransactionId, actions: Actions) {
        for (place, change) in [(&mut self.repeat, actions.repeat), (&mut self.end, actions.end)] {
            if change == Change::Keep {
                continue;
            }
            if let Some(running) = place.take() {
                sink.stop(running);
            }
            if let Change::Start(letter, after) = change {
                *place = Some(sink.arm(after, Timer { transaction, letter }));
            }
        }
    }
}

mod links;
mod unreached;

#[cfg(test)]
mod tests;
