//! One connection: what waits to be written, what is read, how far it is.

use super::epoll::{Epoll, Interest};
use super::queue::Queue;
use super::wire::{Came, Wire};
use crate::agent::{Bytes, Transmit};
use crate::flow::Flow;
use crate::time::Time;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Messages of one system call.
const VECTORS: usize = 32;

/// A connection of either side's making. Anyone may send; one thread at a time reads.
pub(super) struct Connection {
    /// Its link, and both ends.
    pub flow: Flow,
    /// Whom we asked for; `None`: an address, or the peer came to us.
    pub name: Option<Bytes>,
    /// We opened it.
    pub is_ours: bool,
    fd: RawFd,
    /// The peer has brought a whole message.
    has_spoken: AtomicBool,
    /// When it last brought anything, in microseconds.
    heard: AtomicU64,
    /// When it is looked at next. Whose deadlines these are has it.
    looked_at: AtomicU64,
    /// When it was last asked whether it is there, or began.
    asked: AtomicU64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    /// What waits is written, nothing is read any more.
    Finishing,
    Closed,
}

struct State {
    wire: Wire,
    phase: Phase,
    queue: Queue,
    /// So much of the first that waits is written.
    written: usize,
    interest: Interest,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is written, or will be.
    Yes,
    /// Too much waits already.
    Full,
    /// The connection is over.
    Closed,
}

impl Connection {
    /// `connecting`: we open it, and the peer has not answered yet. The set does not know it yet.
    pub fn new(wire: Wire, flow: Flow, name: Option<Bytes>, connecting: bool, queue: Queue, now: Time) -> Self {
        let is_ours = connecting;
        let (phase, interest) =
            if connecting { (Phase::Connecting, Interest::Write) } else { (Phase::Open, Interest::Read) };
        let fd = wire.socket().as_raw_fd();
        let state = State { wire, phase, queue, written: 0, interest };
        Self {
            flow,
            name,
            is_ours,
            fd,
            has_spoken: AtomicBool::new(false),
            heard: AtomicU64::new(now.as_micros()),
            looked_at: AtomicU64::new(0),
            asked: AtomicU64::new(now.as_micros()),
            state: Mutex::new(state),
        }
    }

    pub fn link(&self) -> u64 {
        self.flow.link
    }

    /// Makes the set know it. Errors: system.
    pub fn enter(&self, epoll: &Epoll) -> crate::error::Result<()> {
        let interest = self.state.lock().interest;
        epoll.add(self.fd, self.link(), interest)
    }

    /// The peer has not answered, or not agreed to how bytes are hidden.
    pub fn is_connecting(&self) -> bool {
        let state = self.state.lock();
        state.phase == Phase::Connecting || state.wire.is_handshaking()
    }

    /// Whom the peer's certificate names.
    pub fn peer(&self) -> Vec<String> {
        self.state.lock().wire.peer()
    }

    /// A header of the upgrade as the peer has sent it, the index-th of its name; without one: the path.
    pub fn upgrade_header(&self, name: Option<&str>, index: usize) -> Option<Vec<u8>> {
        self.state.lock().wire.upgrade_header(name, index)
    }

    pub fn has_spoken(&self) -> bool {
        self.has_spoken.load(Ordering::Relaxed)
    }

    /// The peer has brought something; `whole`: a message.
    pub fn hear(&self, now: Time, whole: bool) {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        if whole {
            self.has_spoken.store(true, Ordering::Relaxed);
        }
    }

    /// When it last brought anything; when it began.
    pub fn heard(&self) -> Time {
        Time::from_micros(self.heard.load(Ordering::Relaxed))
    }

    /// Notes when it is looked at next; what was noted before.
    pub fn look_at(&self, at: Time) -> Time {
        Time::from_micros(self.looked_at.swap(at.as_micros(), Ordering::Relaxed))
    }

    /// When it was last asked whether it is there; when it began.
    pub fn asked(&self) -> Time {
        Time::from_micros(self.asked.load(Ordering::Relaxed))
    }

    /// Asks the peer whether it is there. False: it has been silent since it was asked.
    pub fn ask(&self, epoll: &Epoll, now: Time) -> bool {
        self.asked.store(now.as_micros(), Ordering::Relaxed);
        let mut state = self.state.lock();
        let is_there = state.phase != Phase::Open || state.wire.ask();
        self.adjust(epoll, &mut state);
        is_there
    }

    /// What is not whole takes more than there is room for.
    pub fn holds_too_much(&self) -> bool {
        self.state.lock().wire.holds_too_much()
    }

    /// Writes a message, or as much as goes, and keeps the rest.
    pub fn send(&self, epoll: &Epoll, transmit: Transmit) -> Taken {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed || state.wire.is_over() {
            return Taken::Closed;
        }
        let was_empty = state.queue.is_empty();
        if !state.queue.push(transmit) {
            return Taken::Full;
        }
        if was_empty && state.phase != Phase::Connecting {
            // A broken connection tells the reader.
            let _ = state.write();
        }
        self.adjust(epoll, &mut state);
        Taken::Yes
    }

    /// It takes something, or has connected. Errors: it is broken.
    pub fn go_on(&self, epoll: &Epoll) -> io::Result<()> {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return Ok(());
        }
        if state.phase == Phase::Connecting {
            if let Some(error) = state.wire.socket().take_error()? {
                return Err(error);
            }
            state.phase = Phase::Open;
        }
        state.write()?;
        self.adjust(epoll, &mut state);
        Ok(())
    }

    /// Reads what is there; `None`: nothing now. `from_socket` false: only what was read off the socket before. Errors: it is
    /// broken.
    pub fn read(&self, epoll: &Epoll, buffer: &mut Vec<u8>, from_socket: bool) -> io::Result<Option<Came>> {
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Open | Phase::Finishing) {
            return Ok(None);
        }
        let handshaking = state.wire.is_handshaking();
        let read = match state.wire.read(buffer, from_socket) {
            Ok(came) => Ok(Some(came)),
            Err(error) if is_momentary(&error) => Ok(None),
            Err(error) => Err(error),
        };
        if handshaking && !state.wire.is_handshaking() {
            // What has waited for this.
            state.write()?;
        }
        self.adjust(epoll, &mut state);
        read
    }

    /// Nothing more is taken from the peer; what waits still goes out.
    pub fn finish(&self) {
        let mut state = self.state.lock();
        if state.phase != Phase::Closed {
            state.phase = Phase::Finishing;
        }
    }

    /// What never went out, and never will.
    #[cfg(feature = "websocket")]
    pub fn take_unsent(&self) -> Queue {
        self.state.lock().queue.take()
    }

    /// What it brings is still taken.
    pub fn is_open(&self) -> bool {
        self.state.lock().phase == Phase::Open
    }

    pub fn is_finishing(&self) -> bool {
        self.state.lock().phase == Phase::Finishing
    }

    /// While finishing: when all has gone the peer is told so. What it still says is thrown away; that the system does
    /// not throw away what we said it must be read.
    pub fn shut(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Finishing && state.queue.is_empty() && !state.wire.wants_write() {
            state.wire.say_goodbye();
            let _ = state.wire.socket().shutdown(std::net::Shutdown::Write);
        }
    }

    /// It is over. What never went out, the oldest first.
    pub fn close(&self, epoll: &Epoll) -> Queue {
        let mut state = self.state.lock();
        if state.phase != Phase::Closed {
            epoll.remove(self.fd);
            if state.phase != Phase::Connecting {
                state.wire.say_goodbye();
            }
            let _ = state.wire.socket().shutdown(std::net::Shutdown::Both);
            state.phase = Phase::Closed;
        }
        state.queue.take()
    }

    fn adjust(&self, epoll: &Epoll, state: &mut State) {
        let connecting = state.phase == Phase::Connecting;
        let waits = !state.queue.is_empty() && !state.wire.is_handshaking();
        let wanted = Interest::of(!connecting, connecting || waits || state.wire.wants_write());
        if state.phase != Phase::Closed && wanted != state.interest {
            state.interest = wanted;
            epoll.change(self.fd, self.link(), wanted);
        }
    }
}

impl State {
    fn write(&mut self) -> io::Result<()> {
        match self.wire.flush() {
            Err(error) if is_momentary(&error) => return Ok(()),
            flushed => flushed?,
        }
        if self.wire.is_handshaking() {
            return Ok(());
        }
        while !self.queue.is_empty() {
            let mut skip = self.written;
            let messages = self.queue.iter().take(VECTORS);
            let slices: SmallVec<[IoSlice<'_>; VECTORS]> = messages
                .map(|transmit| IoSlice::new(transmit.bytes.get(std::mem::take(&mut skip)..).unwrap_or_default()))
                .collect();
            let wrote = self.wire.write(&slices);
            drop(slices);
            match wrote {
                Ok(count) => self.wrote(count),
                Err(error) if is_momentary(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// So many bytes of what waits have gone.
    fn wrote(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.queue.first_len()
            && self.written >= first
        {
            self.written -= first;
            self.queue.pop();
        }
    }
}

fn is_momentary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
