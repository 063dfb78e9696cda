//! Sockets to name servers: a few of UDP a server, each from a port of its own, and connections for what does not fit.

use super::super::epoll::{Epoll, Interest, Ready};
use crate::error::Result;
use crate::random::Random;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// The number of what wakes the thread; sockets begin behind it.
pub const WAKE: u64 = 0;
/// Sockets of UDP that are open for one server; beyond, questions share them. Who wants to slip in an answer has to guess
/// port and id.
const PORTS: usize = 32;
/// Connections at a time.
const STREAMS: usize = 32;
/// Datagrams that are read of one socket before the others have their turn.
const READ: usize = 64;

/// A question that was sent: by which socket, under which id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub socket: u64,
    pub id: u16,
    pub edns: bool,
}

/// What has come.
#[derive(Debug)]
pub struct Came {
    /// The look-up that waits for it.
    pub look_up: u64,
    pub server: usize,
    pub id: u16,
    /// `None`: the server cannot be reached, or the connection has ended.
    pub message: Option<Vec<u8>>,
    pub by_stream: bool,
}

pub struct Sockets {
    epoll: Epoll,
    last: u64,
    datagrams: HashMap<u64, Datagrams>,
    of_server: HashMap<usize, Vec<u64>>,
    streams: HashMap<u64, Stream>,
}

struct Datagrams {
    socket: UdpSocket,
    server: usize,
    /// Who waits, by id.
    waiting: HashMap<u16, u64>,
}

struct Stream {
    socket: Socket,
    server: usize,
    look_up: u64,
    id: u16,
    out: Vec<u8>,
    written: usize,
    came: Vec<u8>,
}

impl Sockets {
    /// Errors: system.
    pub fn new(wake: &impl AsRawFd) -> Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(wake.as_raw_fd(), WAKE, Interest::Read)?;
        let (datagrams, of_server, streams) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { epoll, last: WAKE, datagrams, of_server, streams })
    }

    /// Waits; whoever has something stands in `ready`. Errors: system.
    pub fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> Result<()> {
        self.epoll.wait(timeout, ready)
    }

    // ------------------------------------------------------------------ UDP

    /// A socket to ask a server by, with an id that nobody waits for on it. The question follows by [`Sockets::send`].
    pub fn reserve(
        &mut self,
        (server, address): (usize, SocketAddr),
        look_up: u64,
        edns: bool,
        random: &mut Random,
    ) -> io::Result<Sent> {
        let open = self.of_server.get(&server).map_or(0, Vec::len);
        let fresh = if open < PORTS { Some(self.open(server, address)) } else { None };
        let socket = match fresh {
            Some(Ok(number)) => number,
            Some(Err(error)) if open == 0 => return Err(error),
            // No more descriptors, or enough: a question more for one that is there.
            _ => {
                let at = random.below(open as u64) as usize;
                let shared = self.of_server.get(&server).and_then(|numbers| numbers.get(at));
                *shared.ok_or(io::ErrorKind::NotFound)?
            }
        };
        let waiting = &mut self.datagrams.get_mut(&socket).ok_or(io::ErrorKind::NotFound)?.waiting;
        loop {
            let id = random.next_u64() as u16;
            if let Entry::Vacant(place) = waiting.entry(id) {
                place.insert(look_up);
                return Ok(Sent { socket, id, edns });
            }
        }
    }

    fn open(&mut self, server: usize, address: SocketAddr) -> io::Result<u64> {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // A port of the system's choice; connected, so that nothing comes from elsewhere but by a lie about its source.
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(address)?;
        socket.set_nonblocking(true)?;
        let number = self.last + 1;
        let added = self.epoll.add(socket.as_raw_fd(), number, Interest::Read);
        added.map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
        self.last = number;
        self.datagrams.insert(number, Datagrams { socket, server, waiting: HashMap::new() });
        self.of_server.entry(server).or_default().push(number);
        Ok(number)
    }

    /// Errors: the server cannot be reached.
    pub fn send(&self, sent: Sent, question: &[u8]) -> io::Result<()> {
        let datagrams = self.datagrams.get(&sent.socket).ok_or(io::ErrorKind::NotFound)?;
        match datagrams.socket.send(question) {
            // As good as lost: it is sent again.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(drop),
        }
    }

    /// Nobody waits for this one any more; a socket that nobody waits for is closed.
    pub fn release(&mut self, sent: Sent) {
        let Some(datagrams) = self.datagrams.get_mut(&sent.socket) else { return };
        datagrams.waiting.remove(&sent.id);
        if !datagrams.waiting.is_empty() {
            return;
        }
        let server = datagrams.server;
        self.epoll.remove(datagrams.socket.as_raw_fd());
        self.datagrams.remove(&sent.socket);
        if let Some(numbers) = self.of_server.get_mut(&server) {
            numbers.retain(|number| *number != sent.socket);
        }
    }

    // ------------------------------------------------------------------ TCP

    /// Asks by a connection of its own; its number. Errors: the server cannot be reached, or too many are open.
    pub fn connect(
        &mut self,
        (server, address): (usize, SocketAddr),
        look_up: u64,
        id: u16,
        question: &[u8],
    ) -> io::Result<u64> {
        if self.streams.len() >= STREAMS {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        let length = u16::try_from(question.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let socket =
            Socket::new(Domain::for_address(address), Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let number = self.last + 1;
        let added = self.epoll.add(socket.as_raw_fd(), number, Interest::Write);
        added.map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
        self.last = number;
        let out = [&length.to_be_bytes(), question].concat();
        self.streams.insert(number, Stream { socket, server, look_up, id, out, written: 0, came: Vec::new() });
        Ok(number)
    }

    pub fn close(&mut self, stream: u64) {
        if let Some(stream) = self.streams.remove(&stream) {
            self.epoll.remove(stream.socket.as_raw_fd());
        }
    }

    // ------------------------------------------------------------------ what comes

    /// What a socket has that is ready.
    pub fn came(&mut self, ready: &Ready, buffer: &mut [u8], came: &mut Vec<Came>) {
        if let Some(datagrams) = self.datagrams.get(&ready.number) {
            datagrams.read(buffer, came);
        } else if let Some(stream) = self.streams.get_mut(&ready.number) {
            let message = match stream.go_on(ready, buffer) {
                Ok(None) => {
                    if stream.written == stream.out.len() {
                        self.epoll.change(stream.socket.as_raw_fd(), ready.number, Interest::Read);
                    }
                    return;
                }
                Ok(message) => message,
                Err(_) => None,
            };
            let Stream { look_up, server, id, .. } = *stream;
            self.close(ready.number);
            came.push(Came { look_up, server, id, message, by_stream: true });
        }
    }
}

impl Datagrams {
    fn read(&self, buffer: &mut [u8], came: &mut Vec<Came>) {
        let server = self.server;
        for _ in 0..READ {
            match self.socket.recv(buffer) {
                Ok(len) => {
                    let message = buffer.get(..len).unwrap_or_default();
                    let waits = super::wire::id(message).and_then(|id| Some((id, *self.waiting.get(&id)?)));
                    if let Some((id, look_up)) = waits {
                        came.push(Came { look_up, server, id, message: Some(message.to_vec()), by_stream: false });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nobody is there: ICMP said so of what went by this socket.
                Err(_) => {
                    let waiting = self.waiting.iter();
                    came.extend(waiting.map(|(id, look_up)| Came {
                        look_up: *look_up,
                        server,
                        id: *id,
                        message: None,
                        by_stream: false,
                    }));
                    return;
                }
            }
        }
    }
}

impl Stream {
    /// Writes, then reads. The answer, when all of it is there. Errors: the connection is over.
    fn go_on(&mut self, ready: &Ready, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        if ready.writable {
            while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
                match (&self.socket).write(rest) {
                    Ok(len) => self.written += len,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        // What is longer than a message may be is read in pieces, by many turns.
        match (&self.socket).read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => {
                self.came.extend_from_slice(buffer.get(..len).unwrap_or_default());
                Ok(self.whole())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let length = u16::from_be_bytes([*self.came.first()?, *self.came.get(1)?]);
        self.came.get(2..2 + usize::from(length)).map(<[u8]>::to_vec)
    }
}
