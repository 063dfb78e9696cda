//! All links of an agent, found by number or by where they lead: sockets of UDP, listeners, connections.

use super::addresses::Addresses;
use super::connection::Connection;
use super::epoll::{Epoll, Interest};
use super::listen::{Address, Listener};
use super::queue::{Queue, Room};
use super::sides::Sides;
use super::udp::{Socket, primary_address};
use crate::agent::Bytes;
use crate::config::{Config, Connections, Sockets};
use crate::error::{Error, Result};
use crate::flow::{Flow, LinkCounts, Transport};
use crate::time::Time;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The number of what wakes whoever waits; links begin behind it.
pub(super) const WAKE: u64 = 0;
/// Connections that are taken off a listener at once.
const ACCEPTED: usize = 64;
/// A peer that came to us and has brought no whole message for so long goes (64*T1); so does one whose connection is
/// being finished.
const SILENT: Duration = Duration::from_secs(32);
const FINISHING: Duration = Duration::from_secs(2);
/// So long nothing is taken off a listener when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// What can be written to.
pub(super) enum Way {
    Datagram(Arc<Socket>),
    Connection(Arc<Connection>),
    /// There is one when this one, which says nothing, has gone.
    After(Arc<Connection>),
}

/// What became of something at its time.
pub(super) enum Due {
    /// It goes.
    Close(Arc<Connection>),
    /// It has been silent; it goes unless somebody needs it.
    Idle(Arc<Connection>),
    /// It is asked whether it is there.
    Ask(Arc<Connection>),
}

pub(super) struct Links {
    pub epoll: Epoll,
    pub sides: Sides,
    limits: Connections,
    sockets: Sockets,
    /// How often a peer at a WebSocket is asked whether it is there.
    ping: Option<Duration>,
    table: Mutex<Table>,
    streams: AtomicBool,
    /// Connections of peers that were not taken.
    refused: AtomicU64,
    /// Messages that a full link did not take.
    full: AtomicU64,
    room: Arc<Room>,
}

#[derive(Default)]
struct Table {
    last: u64,
    /// In the order in which they were asked for.
    listened: Vec<Listened>,
    connections: HashMap<u64, Arc<Connection>>,
    /// Those that others may be sent by: all that lead there.
    by_end: HashMap<End, u64>,
    /// Those that came to us.
    of_address: Addresses,
    /// Those that came to us, the oldest first, and had not spoken when they did.
    silent: VecDeque<u64>,
    /// When to look at one again: connections, and listeners that rest.
    deadlines: BTreeSet<(Time, u64)>,
}

#[derive(Clone)]
pub(super) enum Listened {
    Datagrams(Arc<Socket>),
    Streams(Arc<Listener>),
}

impl Listened {
    fn flow(&self) -> &Flow {
        match self {
            Self::Datagrams(socket) => &socket.flow,
            Self::Streams(listener) => &listener.flow,
        }
    }
}

/// Where a connection leads.
#[derive(Clone, PartialEq, Eq, Hash)]
struct End {
    transport: Transport,
    remote: SocketAddr,
    /// Who its certificate says that is.
    name: Option<Bytes>,
}

impl End {
    fn new(transport: Transport, remote: SocketAddr, name: Option<&Bytes>) -> Self {
        Self { transport, remote, name: name.filter(|_| transport.is_secure()).cloned() }
    }
}

impl Links {
    /// None yet. Errors: system.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            epoll: Epoll::new()?,
            sides: Sides::new(config),
            limits: config.connections,
            sockets: config.sockets.clone(),
            ping: config.websocket.ping,
            table: Mutex::default(),
            streams: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            full: AtomicU64::new(0),
            room: Arc::default(),
        })
    }

    /// For what a link will not take at once.
    pub fn queue(&self) -> Queue {
        Queue::new(Arc::clone(&self.room))
    }

    /// Errors: syntax, system, unsupported.
    pub fn listen(&self, address: &str) -> Result<Flow> {
        let address = Address::parse(address)?;
        if address.port.is_some() && !self.sides.can_accept(address.transport) {
            return Err(Error::state("address: no certificate is there to be shown (sipdlg_config_set_tls())"));
        }
        let mut table = self.table.lock();
        let link = table.last + 1;
        let mut told = address.socket_address();
        if address.ip.is_unspecified() {
            told.set_ip(primary_address(address.ip.is_ipv6(), &self.sockets));
        }
        let flow = Flow { transport: address.transport, link, local: Some(told), remote: None };
        let listened = if address.transport == Transport::Udp {
            Listened::Datagrams(Arc::new(Socket::bind(address.socket_address(), flow, &self.sockets)?))
        } else {
            Listened::Streams(Arc::new(Listener::open(&address, flow, &self.sockets)?))
        };
        match &listened {
            Listened::Datagrams(socket) => self.epoll.add(socket.fd(), link, Interest::Read)?,
            Listened::Streams(listener) => {
                listener.fd().map_or(Ok(()), |fd| self.epoll.add(fd, link, Interest::Read))?;
            }
        }
        let flow = *listened.flow();
        if address.transport != Transport::Udp {
            self.streams.store(true, Ordering::Relaxed);
        }
        table.listened.push(listened);
        table.last = link;
        Ok(flow)
    }

    /// Takes back a [`Links::listen`].
    pub fn unlisten(&self, flow: &Flow) {
        let mut table = self.table.lock();
        table.listened.retain(|listened| {
            if listened.flow().link != flow.link {
                return true;
            }
            match listened {
                Listened::Datagrams(socket) => self.epoll.remove(socket.fd()),
                Listened::Streams(listener) => listener.fd().into_iter().for_each(|fd| self.epoll.remove(fd)),
            }
            false
        });
    }

    /// "udp:127.0.0.1:40712": the index-th that is listened on.
    pub fn local_address(&self, index: usize) -> Option<String> {
        self.table.lock().listened.get(index).map(|listened| match listened {
            Listened::Datagrams(socket) => format!("udp:{}", socket.bound),
            Listened::Streams(listener) => listener.text(),
        })
    }

    /// Whether there are listeners, and so may be connections.
    pub fn has_streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    /// Whether anything is listened on.
    pub fn is_open(&self) -> bool {
        !self.table.lock().listened.is_empty()
    }

    /// The index-th socket of UDP.
    pub fn socket(&self, index: usize) -> Option<Arc<Socket>> {
        self.table.lock().sockets().nth(index).cloned()
    }

    /// What is listened on by this number.
    pub fn listened(&self, link: u64) -> Option<Listened> {
        self.table.lock().listened.iter().find(|listened| listened.flow().link == link).cloned()
    }

    pub fn connection(&self, link: u64) -> Option<Arc<Connection>> {
        self.table.lock().connections.get(&link).cloned()
    }

    /// A message was not taken, so much waits for its link already.
    pub fn count_full(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }

    pub fn counts(&self) -> LinkCounts {
        LinkCounts {
            connections: self.table.lock().connections.len() as u64,
            refused: self.refused.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
        }
    }

    // ------------------------------------------------------------------ where a message goes

    /// The way of a message: by its link; with link 0 by the socket with its local address, else the first of the peer's
    /// family, or by a connection that leads there, which is opened where there is none.
    pub fn way(&self, flow: &Flow, name: Option<&Bytes>, now: Time) -> Option<Way> {
        if flow.transport == Transport::Udp {
            return self.socket_for(flow).map(Way::Datagram);
        }
        let mut table = self.table.lock();
        if flow.link != 0
            && let Some(connection) = table.connections.get(&flow.link)
        {
            return Some(Way::Connection(Arc::clone(connection)));
        }
        // One that is gone leads nowhere: who spoke by it is told so. A listener's number is that of its socket.
        if flow.link != 0 && !table.listened.iter().any(|listened| listened.flow().link == flow.link) {
            return None;
        }
        let remote = flow.remote?;
        let end = End::new(flow.transport, remote, name);
        if let Some(connection) = table.by_end.get(&end).and_then(|link| table.connections.get(link)) {
            return Some(Way::Connection(Arc::clone(connection)));
        }
        self.open(&mut table, flow, remote, name, now)
    }

    fn socket_for(&self, flow: &Flow) -> Option<Arc<Socket>> {
        let remote = flow.remote?;
        let table = self.table.lock();
        let of_family = || table.sockets().filter(|socket| socket.bound.is_ipv6() == remote.is_ipv6());
        let found = match flow.link {
            0 => of_family().find(|socket| socket.flow.local == flow.local).or_else(|| of_family().next()),
            link => of_family().find(|socket| socket.flow.link == link),
        };
        found.cloned()
    }

    /// Whether a message goes by this socket.
    pub fn goes_by(&self, flow: &Flow, socket: &Arc<Socket>) -> bool {
        (flow.link == socket.flow.link
            && flow.transport == Transport::Udp
            && flow.remote.is_some_and(|remote| remote.is_ipv6() == socket.bound.is_ipv6()))
            || flow.transport == Transport::Udp
                && self.socket_for(flow).is_some_and(|found| Arc::ptr_eq(&found, socket))
    }

    fn open(&self, table: &mut Table, flow: &Flow, remote: SocketAddr, name: Option<&Bytes>, now: Time) -> Option<Way> {
        if table.connections.len() >= self.limits.most {
            return table.oldest_silent().map(Way::After);
        }
        let streams = || {
            table.listened.iter().filter_map(|listened| match listened {
                Listened::Streams(listener) if listener.flow.transport == flow.transport => Some(listener),
                _ => None,
            })
        };
        let of_family = || streams().filter(|listener| listener.bound.is_ipv6() == remote.is_ipv6());
        let listener = of_family().find(|listener| listener.flow.local == flow.local).or_else(|| of_family().next())?;
        let (socket, local) = match listener.connect(remote, &self.sockets) {
            Err(error) if is_exhausted(&error) => return table.oldest_silent().map(Way::After),
            connected => connected.ok()?,
        };
        table.last += 1;
        let flow = Flow { transport: flow.transport, link: table.last, local: Some(local), remote: Some(remote) };
        let wire = self.sides.ours(socket, &flow, name)?;
        let connection = Arc::new(Connection::new(wire, flow, name.cloned(), true, self.queue(), now));
        connection.enter(&self.epoll).ok()?;
        table.enter(&connection, self.first_look(&connection));
        Some(Way::Connection(connection))
    }

    // ------------------------------------------------------------------ connections that come

    /// Takes those that wait. `silent` gets the connections that must go for them.
    pub fn accept(&self, listener: &Listener, now: Time, silent: &mut Vec<Arc<Connection>>) {
        for _ in 0..ACCEPTED {
            match listener.accept() {
                Ok((socket, local, remote)) => {
                    let mut table = self.table.lock();
                    let here = table.of_address.count(remote.ip());
                    let beyond = self.limits.per_address != 0 && here >= self.limits.per_address;
                    let full = table.connections.len() >= self.limits.most;
                    if !beyond && full {
                        silent.extend(table.oldest_silent());
                    }
                    if beyond || full && silent.is_empty() {
                        self.refused.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    table.last += 1;
                    let transport = listener.flow.transport;
                    let flow = Flow { transport, link: table.last, local: Some(local), remote: Some(remote) };
                    let Some(wire) = self.sides.theirs(socket, transport) else { continue };
                    let connection = Arc::new(Connection::new(wire, flow, None, false, self.queue(), now));
                    if connection.enter(&self.epoll).is_err() {
                        continue;
                    }
                    table.enter(&connection, self.first_look(&connection));
                }
                Err(error) if is_exhausted(&error) => {
                    let mut table = self.table.lock();
                    let oldest = table.oldest_silent();
                    if oldest.is_none()
                        && let Some(fd) = listener.fd()
                    {
                        self.epoll.change(fd, listener.flow.link, Interest::Nothing);
                        table.deadlines.insert((now.plus(EXHAUSTED), listener.flow.link));
                    }
                    silent.extend(oldest);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Of one connection, which is gone again.
                Err(_) => {}
            }
        }
    }

    /// It is over. False: it was already.
    pub fn forget(&self, connection: &Connection) -> bool {
        self.table.lock().forget(connection)
    }

    // ------------------------------------------------------------------ time

    /// When something is to be looked at.
    pub fn next_deadline(&self) -> Option<Time> {
        if !self.has_streams() {
            return None;
        }
        self.table.lock().deadlines.first().map(|(at, _)| *at)
    }

    /// Those whose time has come.
    pub fn due(&self, now: Time) -> Vec<Due> {
        let mut table = self.table.lock();
        let mut due = Vec::new();
        while let Some((at, link)) = table.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            table.deadlines.remove(&(at, link));
            if let Some(connection) = table.connections.get(&link).cloned() {
                match self.next_look(&connection, now) {
                    Next::Close => due.push(Due::Close(connection)),
                    Next::Idle => due.push(Due::Idle(connection)),
                    Next::Ask => due.push(Due::Ask(connection)),
                    Next::At(at) => table.look_at(&connection, at),
                    Next::Never => {}
                }
            } else if let Some(Listened::Streams(listener)) =
                table.listened.iter().find(|listened| listened.flow().link == link)
                && let Some(fd) = listener.fd()
            {
                self.epoll.change(fd, link, Interest::Read);
            }
        }
        due
    }

    fn next_look(&self, connection: &Connection, now: Time) -> Next {
        // Who has a WebSocket may wait there for calls before it says anything: whether it is there is asked.
        let asks = self.asks_at(connection);
        let is_silent = !connection.is_ours && !connection.has_spoken() && asks.is_none();
        let begins_by = self.begins_by(connection);
        if connection.is_finishing() || begins_by <= now && (connection.is_connecting() || is_silent) {
            return Next::Close;
        }
        if connection.is_connecting() || is_silent {
            return Next::At(begins_by);
        }
        let idle = self.limits.idle.map(|idle| connection.heard().plus(idle));
        if idle.is_some_and(|at| at <= now) {
            return Next::Idle;
        }
        if asks.is_some_and(|at| at <= now) {
            return Next::Ask;
        }
        idle.into_iter().chain(asks).min().map_or(Next::Never, Next::At)
    }

    /// When it must have agreed, or said something.
    fn begins_by(&self, connection: &Connection) -> Time {
        let most = if connection.is_ours { self.limits.connect } else { SILENT.min(self.limits.idle_or_ever()) };
        connection.asked().plus(most)
    }

    fn first_look(&self, connection: &Connection) -> Time {
        let begins_by = self.begins_by(connection);
        self.asks_at(connection).map_or(begins_by, |asks| begins_by.min(asks))
    }

    fn asks_at(&self, connection: &Connection) -> Option<Time> {
        self.ping.filter(|_| connection.flow.transport.is_websocket()).map(|ping| connection.asked().plus(ping))
    }

    /// An idle one stays, because somebody needs it.
    pub fn keep(&self, connection: &Connection, now: Time) {
        if let Some(idle) = self.limits.idle {
            let at = now.plus(idle);
            self.table.lock().look_at(connection, self.asks_at(connection).map_or(at, |asks| at.min(asks)));
        }
    }

    /// One was asked, and is looked at again.
    pub fn look_again(&self, connection: &Connection, now: Time) {
        if let Next::At(at) = self.next_look(connection, now) {
            self.table.lock().look_at(connection, at);
        }
    }

    /// One is to be over soon.
    pub fn finish(&self, connection: &Connection, now: Time) {
        connection.finish();
        let mut table = self.table.lock();
        table.leads_nowhere(connection);
        table.look_at(connection, now.plus(FINISHING));
    }
}

enum Next {
    Close,
    Idle,
    Ask,
    At(Time),
    Never,
}

impl Table {
    fn sockets(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.listened.iter().filter_map(|listened| match listened {
            Listened::Datagrams(socket) => Some(socket),
            Listened::Streams(_) => None,
        })
    }

    fn enter(&mut self, connection: &Arc<Connection>, deadline: Time) {
        let link = connection.link();
        if let Some(remote) = connection.flow.remote {
            // Who came to us over TLS has not been asked whether it is the one that we would ask for (RFC 5923 §5).
            if connection.is_ours || !connection.flow.transport.is_secure() {
                let end = End::new(connection.flow.transport, remote, connection.name.as_ref());
                self.by_end.insert(end, link);
            }
            if !connection.is_ours {
                self.of_address.come(remote.ip());
            }
        }
        if !connection.is_ours {
            self.pass_over_speakers();
            self.silent.push_back(link);
        }
        self.connections.insert(link, Arc::clone(connection));
        self.look_at(connection, deadline);
    }

    /// At that time, and not before; `due` has taken the former one, or this does. Nothing is looked at that has gone.
    fn look_at(&mut self, connection: &Connection, at: Time) {
        let link = connection.link();
        if self.connections.contains_key(&link) {
            self.deadlines.remove(&(connection.look_at(at), link));
            self.deadlines.insert((at, link));
        }
    }

    fn forget(&mut self, connection: &Connection) -> bool {
        if self.connections.remove(&connection.link()).is_none() {
            return false;
        }
        self.deadlines.remove(&(connection.look_at(Time::default()), connection.link()));
        self.leads_nowhere(connection);
        if let Some(remote) = connection.flow.remote
            && !connection.is_ours
        {
            self.of_address.go(remote.ip());
        }
        self.pass_over_speakers();
        true
    }

    /// Nothing new is sent by it.
    fn leads_nowhere(&mut self, connection: &Connection) {
        let Some(remote) = connection.flow.remote else { return };
        let end = End::new(connection.flow.transport, remote, connection.name.as_ref());
        if self.by_end.get(&end) == Some(&connection.link()) {
            self.by_end.remove(&end);
        }
    }

    fn pass_over_speakers(&mut self) {
        let connections = &self.connections;
        let is_silent = |link: &u64| connections.get(link).is_some_and(|connection| !connection.has_spoken());
        while self.silent.front().is_some_and(|link| !is_silent(link)) {
            self.silent.pop_front();
        }
        // Behind an old silent one speakers may gather.
        if self.silent.len() > 2 * connections.len() + ACCEPTED {
            self.silent.retain(is_silent);
        }
    }

    fn oldest_silent(&mut self) -> Option<Arc<Connection>> {
        self.pass_over_speakers();
        let link = self.silent.pop_front()?;
        self.connections.get(&link).cloned()
    }
}

/// No descriptor or no memory is left for another connection.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    let exhausted = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|number| exhausted.contains(&number))
}
