//! An agent with threads of its own, and a peer that writes and reads frames by hand.

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::message::sipdlg_message_flow;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_char, c_void};
use std::io::{Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub const INVITE: i32 = 1;
pub const OPTIONS: i32 = 12;
pub const ACCEPT: i32 = 22;
pub const REJECT: i32 = 24;
/// Nothing takes longer.
pub const LONG: Duration = Duration::from_secs(20);

/// What an agent was told: kind of event, status, link of its message.
#[derive(Default)]
pub struct Told(pub Mutex<Vec<(i32, i32, u64)>>);

unsafe extern "C" fn note(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's; all zero is a flow.
    unsafe {
        let mut flow: sipdlg_flow_t = mem::zeroed();
        if !(*event).message.is_null() {
            sipdlg_message_flow((*event).message, &raw mut flow);
        }
        let told = ((*event).kind, (*event).status_code, flow.link);
        (*user.cast::<Told>()).0.lock().expect("no panic before").push(told);
        assert_eq!(sipdlg_event_default(event), 0);
    }
}

/// An agent with threads of its own.
pub struct Ours {
    pub agent: u64,
    pub told: &'static Told,
    pub delegate: sipdlg_delegate_t,
}

// SAFETY: what its pointers lead to is a mutex, or functions.
unsafe impl Sync for Ours {}

impl Ours {
    pub fn new(listen: &str, set: impl FnOnce(*mut sipdlg_config_t)) -> Self {
        let told: &'static Told = Box::leak(Box::default());
        let listen = CString::new(listen).expect("text");
        let config = sipdlg_config_new();
        set(config);
        let mut agent = 0;
        // SAFETY: all zero is a delegate without functions; pointers are ours; the configuration is freed once.
        unsafe {
            assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
            sipdlg_config_free(config);
            let mut delegate: sipdlg_delegate_t = mem::zeroed();
            delegate.size = size_of::<sipdlg_delegate_t>();
            delegate.user = std::ptr::from_ref(told).cast_mut().cast();
            delegate.on_options = Some(note);
            delegate.on_invite = Some(note);
            delegate.on_accept = Some(note);
            delegate.on_reject = Some(note);
            assert_eq!(sipdlg_agent_set_delegate(agent, &raw const delegate), 0);
            assert_eq!(sipdlg_agent_listen(agent, listen.as_ptr()), 0);
            assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
            Self { agent, told, delegate }
        }
    }

    pub fn usual() -> Self {
        Self::new("ws:127.0.0.1:0", |_| {})
    }

    /// Pings each so many seconds.
    pub fn pinging(listen: &str, seconds: i32) -> Self {
        // SAFETY: texts may be NULL.
        Self::new(listen, |config| unsafe {
            assert_eq!(sipdlg_config_set_websocket(config, null(), null(), seconds), 0)
        })
    }

    pub fn address(&self) -> SocketAddr {
        let mut buffer = [0_u8; 64];
        let mut needed = 0;
        // SAFETY: the buffer is as long as said.
        let status =
            unsafe { sipdlg_agent_local_address(self.agent, 0, buffer.as_mut_ptr().cast(), 64, &raw mut needed) };
        assert_eq!(status, 0);
        let text = std::str::from_utf8(&buffer[..needed]).expect("text");
        text.strip_prefix("ws:").expect("ws").parse().expect("an address")
    }

    pub fn connect(&self) -> Raw {
        let peer = TcpStream::connect(self.address()).expect("connected");
        peer.set_read_timeout(Some(LONG)).expect("a time-out");
        peer.set_nodelay(true).expect("no delay");
        Raw { peer, masks: true }
    }

    /// Upgraded.
    pub fn open(&self) -> Raw {
        let mut raw = self.connect();
        raw.write(upgrade("/", "").as_bytes());
        let head = raw.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw
    }

    /// OPTIONS to whoever listens there.
    pub fn ask(&self, peer: SocketAddr) -> i32 {
        let target = CString::new(format!("sip:bob@{peer};transport=ws")).expect("text");
        // SAFETY: all zero is a set of options; all pointers are ours.
        unsafe {
            let mut options: sipdlg_request_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_request_options_t>();
            options.delegate = &raw const self.delegate;
            sipdlg_agent_request(self.agent, c"OPTIONS".as_ptr(), target.as_ptr(), &raw const options, null_mut())
        }
    }

    pub fn upgrade_header(&self, link: u64, name: Option<&str>, index: u32) -> Result<String, i32> {
        let mut buffer = [0_u8; 256];
        let mut needed = 0;
        let name = name.map(|name| CString::new(name).expect("text"));
        let name: *const c_char = name.as_ref().map_or(null(), |name| name.as_ptr());
        let out = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as said, the name outlives the call.
        match unsafe { sipdlg_agent_upgrade_header(self.agent, link, name, index, out, 256, &raw mut needed) } {
            0 => Ok(String::from_utf8_lossy(&buffer[..needed]).into_owned()),
            status => Err(status),
        }
    }

    pub fn told(&self, kind: i32, status: i32) -> usize {
        let told = self.told.0.lock().expect("no panic before");
        told.iter().filter(|told| (told.0, told.1) == (kind, status)).count()
    }

    /// The links that events of this kind came by.
    pub fn links(&self, kind: i32) -> Vec<u64> {
        let told = self.told.0.lock().expect("no panic before");
        told.iter().filter(|told| told.0 == kind).map(|told| told.2).collect()
    }

    pub fn connections(&self) -> u64 {
        // SAFETY: a struct of numbers.
        let mut stats: sipdlg_stats_t = unsafe { mem::zeroed() };
        stats.size = size_of::<sipdlg_stats_t>();
        // SAFETY: the size says how much may be written.
        assert_eq!(unsafe { sipdlg_agent_stats(self.agent, &raw mut stats) }, 0);
        stats.connections
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        assert_eq!(sipdlg_agent_free(self.agent), 0);
    }
}

/// Waits until it is so.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// A peer that writes and reads frames by hand.
pub struct Raw {
    pub peer: TcpStream,
    /// It is the client.
    pub masks: bool,
}

impl Raw {
    pub fn write(&mut self, data: &[u8]) {
        self.peer.write_all(data).expect("written");
    }

    /// One frame; `first`: its first byte.
    pub fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = if self.masks { 0x80 } else { 0 };
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(mask | len as u8),
            len @ 126..=65_535 => {
                frame.push(mask | 126);
                frame.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                frame.push(mask | 127);
                frame.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        if self.masks {
            let key = [1, 2, 3, 4];
            frame.extend_from_slice(&key);
            frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        } else {
            frame.extend_from_slice(payload);
        }
        frame
    }

    pub fn send(&mut self, first: u8, payload: &[u8]) {
        let frame = self.frame(first, payload);
        self.write(&frame);
    }

    pub fn exactly(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut data = vec![0; len];
        self.peer.read_exact(&mut data).ok().map(|()| data)
    }

    /// The next frame: its first byte and what it has; `None`: the end.
    pub fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let start = self.exactly(2)?;
        let is_masked = start[1] & 0x80 != 0;
        assert_eq!(is_masked, !self.masks, "RFC 6455 5.1: who is client masks, nobody else");
        let len = match start[1] & 0x7f {
            126 => self.exactly(2)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            127 => self.exactly(8)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            len => usize::from(len),
        };
        let key = if is_masked { self.exactly(4)? } else { vec![0; 4] };
        let payload = self.exactly(len)?;
        Some((start[0], payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()))
    }

    /// The next message, which is one of text.
    pub fn text(&mut self) -> String {
        let (first, payload) = self.next().expect("a frame");
        assert_eq!(first, 0x81, "{}", String::from_utf8_lossy(&payload));
        String::from_utf8(payload).expect("UTF-8")
    }

    /// The code with which the connection is closed, and then it ends.
    pub fn closed(&mut self) -> u16 {
        let (first, payload) = self.next().expect("a last word");
        assert_eq!(first, 0x88, "{}", String::from_utf8_lossy(&payload));
        assert!(self.next().is_none());
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// A head of HTTP.
    pub fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(self.exactly(1).unwrap_or_else(|| panic!("the end: {head}"))[0]));
        }
        head
    }
}

pub fn upgrade(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: sip.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp, sip\r\n\
         {lines}\r\n"
    )
}

/// Without Content-Length: the message ends where the WebSocket's does.
pub fn request(method: &str, number: usize, body: &str) -> String {
    format!(
        "{method} sip:bob@sip.example SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK-{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@sip.example>;tag=a{number}\r\nTo: <sip:bob@sip.example>\r\nCall-ID: {number}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:alice@df7jal23ls0d.invalid;transport=ws>\r\nContent-Type: text/plain\r\n\r\n{body}"
    )
}
