//! A connection that carries WebSocket messages (RFC 6455), each of them one of SIP (RFC 7118 §5): its upgrade (`upgrade`), and
//! what is not whole (`halves`). Frames are read by `tungstenite`, one at a time and only when all of one is there, so that a
//! connection on which nothing is under way holds no buffer.

mod halves;
mod upgrade;

use super::wire::{Came, Wire};
use crate::agent::Bytes;
use crate::config;
use crate::flow::Flow;
use halves::{Half, Halves};
use std::io::{self, Cursor, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::sync::Arc;
use tungstenite::error::Error;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};
use upgrade::Head;

/// So much is kept here that the socket does not take; the rest stays in the queue.
const BUFFERED: usize = 16 << 10;
/// A control frame has no more (RFC 6455 §5.5).
const CONTROL: u64 = 125;
/// A message in parts is read in steps of at least this.
const STEP: usize = 1 << 10;

/// What all of one agent have in common.
pub(super) struct Settings {
    /// What we ask for.
    config: config::WebSocket,
    /// The longest message.
    most: usize,
    halves: Arc<Halves>,
}

impl Settings {
    pub fn new(config: &config::Config) -> Self {
        let most = config.limits.message_bytes;
        Self { config: config.websocket.clone(), most, halves: Arc::new(Halves::new(most)) }
    }
}

/// A wire, and what is around its messages.
pub(super) struct WebSocket {
    inner: Wire,
    role: Role,
    phase: Phase,
    most: usize,
    /// Read off the wire, and from here on not understood yet.
    unread: Vec<u8>,
    at: usize,
    /// Of a message in several frames those that have come, and their bytes.
    parts: Option<Box<WebSocketContext>>,
    parts_len: usize,
    /// What the wire has not taken.
    out: Vec<u8>,
    /// The peer's half of the upgrade.
    head: Box<[u8]>,
    /// A ping went out, and nothing has come since.
    asked: bool,
    half: Half,
}

enum Phase {
    /// The peer's request, or with a key the answer to ours, is awaited. Up to here it was looked at.
    Upgrading(Option<String>, usize),
    Open,
    /// Either side has said its last word.
    Over,
}

impl WebSocket {
    /// The peer has connected.
    pub fn accept(inner: Wire, settings: &Settings) -> Self {
        Self::new(inner, Role::Server, None, settings)
    }

    /// We connect. `name`: whom we asked for, where that was no address.
    pub fn connect(inner: Wire, settings: &Settings, flow: &Flow, name: Option<&Bytes>) -> Self {
        let (request, key) = upgrade::request(&settings.config, name.map(|name| &name[..]), flow);
        Self { out: request, ..Self::new(inner, Role::Client, Some(key), settings) }
    }

    fn new(inner: Wire, role: Role, key: Option<String>, settings: &Settings) -> Self {
        Self {
            inner,
            role,
            phase: Phase::Upgrading(key, 0),
            most: settings.most,
            unread: Vec::new(),
            at: 0,
            parts: None,
            parts_len: 0,
            out: Vec::new(),
            head: Box::default(),
            asked: false,
            half: Half::new(Arc::clone(&settings.halves)),
        }
    }

    /// What it is around.
    pub fn inner(&self) -> &Wire {
        &self.inner
    }

    /// Both sides have not agreed yet.
    pub fn is_handshaking(&self) -> bool {
        matches!(self.phase, Phase::Upgrading(..)) || self.inner.is_handshaking()
    }

    /// A last word was said: no message goes out any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Something waits for the socket.
    pub fn wants_write(&self) -> bool {
        self.inner.wants_write() || !self.inner.is_handshaking() && !self.out.is_empty()
    }

    /// What is not whole takes more than there is room for.
    pub fn holds_too_much(&self) -> bool {
        self.half.is_too_much()
    }

    /// A header of the peer's half of the upgrade, the index-th of its name; without one: the path that it asked for.
    pub fn header(&self, name: Option<&str>, index: usize) -> Option<Vec<u8>> {
        upgrade::header(&self.head, name, index)
    }

    // ------------------------------------------------------------------ out

    /// What waits goes out, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()?;
        if self.inner.is_handshaking() {
            return Ok(());
        }
        while !self.out.is_empty() {
            let wrote = self.inner.write(&[IoSlice::new(&self.out)])?;
            if wrote == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            self.out.drain(..wrote.min(self.out.len()));
        }
        self.out = Vec::new();
        self.inner.flush()
    }

    /// Each slice is a message. So many bytes of them are taken, whole ones, and go out by [`WebSocket::flush`].
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_over() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let mut taken = 0;
        for message in slices {
            if self.out.len() >= BUFFERED {
                break;
            }
            // RFC 7118 §5.2.
            let kind = if std::str::from_utf8(message).is_ok() { Data::Text } else { Data::Binary };
            self.frame(OpCode::Data(kind), message)?;
            taken += message.len();
        }
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ if taken == 0 => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(taken),
        }
    }

    /// Asks the peer whether it is there (RFC 6455 §5.5.2). False: it was asked before, and has said nothing since.
    pub fn ask(&mut self) -> bool {
        if !matches!(self.phase, Phase::Open) {
            return true;
        }
        if mem::replace(&mut self.asked, true) {
            return false;
        }
        let asked = self.frame(OpCode::Control(Control::Ping), b"").and_then(|()| self.flush());
        asked.map_or_else(|error| error.kind() == ErrorKind::WouldBlock, |()| true)
    }

    /// The other side is told that nothing more comes.
    pub fn say_goodbye(&mut self) {
        if matches!(self.phase, Phase::Open) {
            self.close(CloseCode::Away);
        }
        let _ = self.flush();
        self.inner.say_goodbye();
    }

    /// RFC 6455 §7.4.1.
    fn close(&mut self, code: CloseCode) {
        // Without randomness the end of the connection has to do.
        let _ = self.frame(OpCode::Control(Control::Close), &u16::from(code).to_be_bytes());
        self.phase = Phase::Over;
        self.parts = None;
    }

    /// RFC 6455 §5.2, §5.3: a client's mask is new for each frame, and nobody can guess it. Errors: no randomness.
    fn frame(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut mask = None;
        if self.role == Role::Client {
            let mut random = [0; 4];
            getrandom::fill(&mut random).map_err(|_| ErrorKind::Other)?;
            mask = Some(random);
        }
        let header = FrameHeader { is_final: true, opcode, mask, ..FrameHeader::default() };
        header.format(payload.len() as u64, &mut self.out).map_err(io::Error::other)?;
        match mask {
            Some(mask) => self.out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key)),
            None => self.out.extend_from_slice(payload),
        }
        Ok(())
    }

    // ------------------------------------------------------------------ in

    /// The next message, from the beginning of `buffer`. `from_socket` false: of what was read off the socket before.
    pub fn read(&mut self, buffer: &mut Vec<u8>, from_socket: bool) -> io::Result<Came> {
        let came = self.read_on(buffer, from_socket);
        // What answers it.
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        self.settle();
        came
    }

    fn read_on(&mut self, buffer: &mut Vec<u8>, from_socket: bool) -> io::Result<Came> {
        let mut from_socket = from_socket;
        loop {
            if let Some(came) = self.understand(buffer)? {
                return Ok(came);
            }
            let count = self.inner.read_bytes(buffer, from_socket)?;
            if count == 0 {
                return Ok(Came::End);
            }
            if self.is_over() {
                return Ok(Came::Data(count));
            }
            self.asked = false;
            self.unread.drain(..mem::take(&mut self.at).min(self.unread.len()));
            self.unread.extend_from_slice(buffer.get(..count).unwrap_or_default());
            // Once; it tells of the rest again.
            from_socket = false;
        }
    }

    /// What is not whole keeps only the room that it needs.
    fn settle(&mut self) {
        if self.at >= self.unread.len() {
            (self.unread, self.at) = (Vec::new(), 0);
        } else if self.unread.capacity() / 4 > STEP.max(self.unread.len() - self.at) {
            self.unread.drain(..mem::take(&mut self.at));
            self.unread.shrink_to_fit();
        }
        self.half.set(self.unread.capacity() + self.parts_len);
    }

    /// Goes on in what was read; `None`: nothing of it is whole. Errors: a server that does not agree.
    fn understand(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Came>> {
        if let Phase::Upgrading(key, seen) = &mut self.phase {
            // Where no line ends nothing is new, but that it may be no HTTP, or too much.
            let begun = mem::replace(seen, self.unread.len());
            let ends_line = self.unread.get(begun..).unwrap_or_default().contains(&b'\n');
            if self.unread.is_empty() || begun > 0 && !ends_line && self.unread.len() <= upgrade::HEAD {
                return Ok(None);
            }
            let head = match key {
                None => upgrade::answer(&self.unread),
                Some(key) => upgrade::check(&self.unread, key)?,
            };
            match head {
                Head::Incomplete => return Ok(None),
                Head::Refused(answer) => {
                    self.out.extend_from_slice(&answer);
                    self.phase = Phase::Over;
                    return Ok(Some(Came::Over));
                }
                Head::Good(len, answer) => {
                    self.out.extend_from_slice(&answer);
                    self.phase = Phase::Open;
                    self.head = self.unread.get(..len).unwrap_or_default().into();
                    self.at = len;
                }
            }
        }
        while matches!(self.phase, Phase::Open) {
            let came = match self.whole_frame() {
                Ok(None) => return Ok(None),
                Ok(Some(len)) => self.take(len, buffer),
                Err(code) => Err(code),
            };
            match came {
                Ok(None) => {}
                Ok(came) => return Ok(came),
                Err(code) => {
                    self.close(code);
                    return Ok(Some(Came::Over));
                }
            }
        }
        Ok(None)
    }

    /// How long the frame is that begins what is unread; `None`: not all of it is there. Errors: it is none, or too long.
    fn whole_frame(&self) -> Result<Option<usize>, CloseCode> {
        let rest = self.unread.get(self.at..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        let Some((header, len)) = FrameHeader::parse(&mut cursor).map_err(|_| CloseCode::Protocol)? else {
            return Ok(None);
        };
        let is_control = matches!(header.opcode, OpCode::Control(_));
        if is_control && len > CONTROL {
            return Err(CloseCode::Protocol);
        }
        let len = usize::try_from(len).ok().filter(|len| *len <= self.most).ok_or(CloseCode::Size)?;
        let whole = usize::try_from(cursor.position()).unwrap_or(usize::MAX).saturating_add(len);
        Ok((whole <= rest.len()).then_some(whole))
    }

    /// Takes that frame. Errors: why the connection has to end.
    fn take(&mut self, len: usize, buffer: &mut Vec<u8>) -> Result<Option<Came>, CloseCode> {
        let had_parts = self.parts.is_some();
        let mut context = self.parts.take().unwrap_or_else(|| {
            let config = WebSocketConfig::default()
                .read_buffer_size(len.max(STEP))
                .write_buffer_size(0)
                .max_message_size(Some(self.most))
                .max_frame_size(Some(self.most));
            Box::new(WebSocketContext::new(self.role, Some(config)))
        });
        let frame = self.unread.get(self.at..).and_then(|rest| rest.get(..len)).unwrap_or_default();
        self.at += len;
        let mut fed = Fed { frame, out: &mut self.out };
        let message = match context.read(&mut fed) {
            Ok(Message::Text(text)) => tungstenite::Bytes::from(text),
            Ok(Message::Binary(bytes)) => bytes,
            Ok(Message::Close(_)) => {
                // The answer of the same code.
                let _ = context.flush(&mut fed);
                self.phase = Phase::Over;
                return Ok(Some(Came::Over));
            }
            Ok(other) => {
                let _ = context.flush(&mut fed);
                self.parts = had_parts.then_some(context);
                return Ok(matches!(other, Message::Ping(_)).then_some(Came::Sign));
            }
            // All is read and nothing told: a part.
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.parts = Some(context);
                self.parts_len += len;
                return Ok(None);
            }
            Err(Error::Capacity(_)) => return Err(CloseCode::Size),
            Err(Error::Utf8(_)) => return Err(CloseCode::Invalid),
            Err(_) => return Err(CloseCode::Protocol),
        };
        self.parts_len = 0;
        if message.is_empty() {
            return Ok(None);
        }
        buffer.clear();
        buffer.extend_from_slice(&message);
        Ok(Some(Came::Data(message.len())))
    }
}

/// One frame to be read, and where an answer to it goes.
struct Fed<'a> {
    frame: &'a [u8],
    out: &'a mut Vec<u8>,
}

impl Read for Fed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The end of the frame is not that of the connection.
        if self.frame.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.frame.read(buffer) }
    }
}

impl Write for Fed<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Answers to pings that a peer does not read are not kept (RFC 6455 §5.5.3).
        if self.out.len() < BUFFERED {
            self.out.extend_from_slice(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
