//! WebSockets of the library's sockets (RFC 7118), with `tungstenite` or raw bytes at the other end.
#![cfg(all(feature = "runtime", feature = "websocket"))]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::incoming::sipdlg_incoming_accept;
use sipdlg::ffi::message::sipdlg_message_flow;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_char, c_void};
use std::io::{Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const INVITE: i32 = 1;
const OPTIONS: i32 = 12;
const ACCEPT: i32 = 22;
const REJECT: i32 = 24;
/// Nothing takes longer.
const LONG: Duration = Duration::from_secs(20);

/// What an agent was told: kind of event, status, link of its message.
#[derive(Default)]
struct Told(Mutex<Vec<(i32, i32, u64)>>);

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
struct Ours {
    agent: u64,
    told: &'static Told,
    delegate: sipdlg_delegate_t,
}

// SAFETY: what its pointers lead to is a mutex, or functions.
unsafe impl Sync for Ours {}

impl Ours {
    fn new(listen: &str, set: impl FnOnce(*mut sipdlg_config_t)) -> Self {
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

    fn usual() -> Self {
        Self::new("ws:127.0.0.1:0", |_| {})
    }

    /// Pings each so many seconds.
    fn pinging(listen: &str, seconds: i32) -> Self {
        // SAFETY: texts may be NULL.
        Self::new(listen, |config| unsafe {
            assert_eq!(sipdlg_config_set_websocket(config, null(), null(), seconds), 0)
        })
    }

    fn address(&self) -> SocketAddr {
        let mut buffer = [0_u8; 64];
        let mut needed = 0;
        // SAFETY: the buffer is as long as said.
        let status =
            unsafe { sipdlg_agent_local_address(self.agent, 0, buffer.as_mut_ptr().cast(), 64, &raw mut needed) };
        assert_eq!(status, 0);
        let text = std::str::from_utf8(&buffer[..needed]).expect("text");
        text.strip_prefix("ws:").expect("ws").parse().expect("an address")
    }

    fn connect(&self) -> Raw {
        let peer = TcpStream::connect(self.address()).expect("connected");
        peer.set_read_timeout(Some(LONG)).expect("a time-out");
        peer.set_nodelay(true).expect("no delay");
        Raw { peer, masks: true }
    }

    /// Upgraded.
    fn open(&self) -> Raw {
        let mut raw = self.connect();
        raw.write(upgrade("/", "").as_bytes());
        let head = raw.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw
    }

    /// OPTIONS to whoever listens there.
    fn ask(&self, peer: SocketAddr) -> i32 {
        let target = CString::new(format!("sip:bob@{peer};transport=ws")).expect("text");
        // SAFETY: all zero is a set of options; all pointers are ours.
        unsafe {
            let mut options: sipdlg_request_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_request_options_t>();
            options.delegate = &raw const self.delegate;
            sipdlg_agent_request(self.agent, c"OPTIONS".as_ptr(), target.as_ptr(), &raw const options, null_mut())
        }
    }

    fn upgrade_header(&self, link: u64, name: Option<&str>, index: u32) -> Result<String, i32> {
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

    fn told(&self, kind: i32, status: i32) -> usize {
        let told = self.told.0.lock().expect("no panic before");
        told.iter().filter(|told| (told.0, told.1) == (kind, status)).count()
    }

    /// The links that events of this kind came by.
    fn links(&self, kind: i32) -> Vec<u64> {
        let told = self.told.0.lock().expect("no panic before");
        told.iter().filter(|told| told.0 == kind).map(|told| told.2).collect()
    }

    fn connections(&self) -> u64 {
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
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// A peer that writes and reads frames by hand.
struct Raw {
    peer: TcpStream,
    /// It is the client.
    masks: bool,
}

impl Raw {
    fn write(&mut self, data: &[u8]) {
        self.peer.write_all(data).expect("written");
    }

    /// One frame; `first`: its first byte.
    fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
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

    fn send(&mut self, first: u8, payload: &[u8]) {
        let frame = self.frame(first, payload);
        self.write(&frame);
    }

    fn exactly(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut data = vec![0; len];
        self.peer.read_exact(&mut data).ok().map(|()| data)
    }

    /// The next frame: its first byte and what it has; `None`: the end.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
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
    fn text(&mut self) -> String {
        let (first, payload) = self.next().expect("a frame");
        assert_eq!(first, 0x81, "{}", String::from_utf8_lossy(&payload));
        String::from_utf8(payload).expect("UTF-8")
    }

    /// The code with which the connection is closed, and then it ends.
    fn closed(&mut self) -> u16 {
        let (first, payload) = self.next().expect("a last word");
        assert_eq!(first, 0x88, "{}", String::from_utf8_lossy(&payload));
        assert!(self.next().is_none());
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// A head of HTTP.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(self.exactly(1).unwrap_or_else(|| panic!("the end: {head}"))[0]));
        }
        head
    }
}

fn upgrade(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: sip.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp, sip\r\n\
         {lines}\r\n"
    )
}

/// Without Content-Length: the message ends where the WebSocket's does.
fn request(method: &str, number: usize, body: &str) -> String {
    format!(
        "{method} sip:bob@sip.example SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK-{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@sip.example>;tag=a{number}\r\nTo: <sip:bob@sip.example>\r\nCall-ID: {number}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:alice@df7jal23ls0d.invalid;transport=ws>\r\nContent-Type: text/plain\r\n\r\n{body}"
    )
}

/// One message each way is one of SIP (RFC 7118 §5.2).
#[test]
fn a_call_comes_by_a_websocket() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    peer.send(0x81, request("INVITE", 1, "").as_bytes());
    let mut text = peer.text();
    if text.starts_with("SIP/2.0 100") {
        text = peer.text();
    }
    assert!(text.starts_with("SIP/2.0 486 "), "{text}");
    assert!(text.contains("Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK-1;received=127.0.0.1"), "{text}");
    assert_eq!((ours.told(INVITE, 0), ours.connections()), (1, 1));
}

/// What is no upgrade to SIP is refused with a status that says why, and the connection ends.
#[test]
fn who_does_not_ask_for_sip_is_refused() {
    let ours = Ours::usual();
    let good = upgrade("/", "");
    for (request, status, line) in [
        (good.replace("Sec-WebSocket-Protocol: xmpp, sip\r\n", ""), 400, ""),
        (good.replace("xmpp, sip", "xmpp"), 400, ""),
        (good.replace("xmpp, sip", "sips, soap"), 400, ""),
        (good.replace("Upgrade: websocket\r\n", ""), 426, "Upgrade: websocket\r\n"),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), 426, "Upgrade: websocket\r\n"),
        (good.replace("keep-alive, Upgrade", "keep-alive"), 426, "Upgrade: websocket\r\n"),
        (good.replace("Version: 13", "Version: 8"), 426, "Sec-WebSocket-Version: 13\r\n"),
        (good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400, ""),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400, ""),
        (good.replace("GET /", "POST /"), 405, "Allow: GET\r\n"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 505, ""),
        (request("OPTIONS", 1, ""), 400, ""),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n".to_owned(), 400, ""),
        (upgrade("/", &"A: b\r\n".repeat(200)), 431, ""),
        (upgrade("/", &format!("Cookie: {}\r\n", "x".repeat(20_000))), 431, ""),
        // TLS, where there is none.
        ("\u{16}\u{3}\u{1}\u{2}\0".to_owned(), 400, ""),
    ] {
        let mut peer = ours.connect();
        peer.write(request.as_bytes());
        let head = peer.head();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains(line), "{request}\n{head}");
        // Its body, and the end.
        let mut rest = Vec::new();
        assert!(peer.peer.read_to_end(&mut rest).is_ok() && rest.len() > 1, "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", rest.len())), "{head}");
    }
    until("all have gone", || ours.connections() == 0);
    assert_eq!(ours.told(OPTIONS, 0), 0);
}

/// RFC 7118 §4.1: in whatever case; what is chosen is what was offered.
#[test]
fn the_subprotocol_is_chosen_as_offered() {
    let ours = Ours::usual();
    for (offered, chosen) in [("sip", "sip"), ("xmpp,SIP", "SIP"), ("a\r\nSec-WebSocket-Protocol: sip", "sip")] {
        let mut peer = ours.connect();
        peer.write(upgrade("/", "").replace("xmpp, sip", offered).as_bytes());
        let head = peer.head().to_lowercase();
        let line = format!("\r\nsec-websocket-protocol: {}\r\n", chosen.to_lowercase());
        assert!(head.starts_with("http/1.1 101 ") && head.contains(&line), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    }
}

/// While the connection lives the host reads where a page comes from, and who it says that it is.
#[test]
fn the_upgrade_is_readable() {
    let ours = Ours::usual();
    let mut peer = ours.connect();
    let lines = "Origin: https://phone.example\r\nCookie: session=1\r\nCookie: theme=dark\r\nX-Real-IP: 192.0.2.9\r\n";
    peer.write(upgrade("/sip?room=7", lines).as_bytes());
    peer.head();
    peer.send(0x81, request("OPTIONS", 1, "").as_bytes());
    peer.text();
    let link = ours.links(OPTIONS)[0];
    for (name, index, value) in [
        (None, 0, Ok("/sip?room=7")),
        (None, 1, Err(1)),
        (Some("Origin"), 0, Ok("https://phone.example")),
        (Some("origin"), 1, Err(1)),
        (Some("Cookie"), 0, Ok("session=1")),
        (Some("cookie"), 1, Ok("theme=dark")),
        (Some("x-real-ip"), 0, Ok("192.0.2.9")),
        (Some("Host"), 0, Ok("sip.example")),
        (Some("Authorization"), 0, Err(1)),
        (Some("no token"), 0, Err(1)),
    ] {
        assert_eq!(ours.upgrade_header(link, name, index), value.map(str::to_owned), "{name:?} {index}");
    }
    assert_eq!(ours.upgrade_header(link + 1, None, 0), Err(-2));
    drop(peer);
    until("the end is seen", || ours.connections() == 0);
    assert_eq!(ours.upgrade_header(link, None, 0), Err(-2));
}

/// Whatever pieces the bytes come in: one at a time, or all at once.
#[test]
fn pieces_of_any_size() {
    let ours = Ours::usual();
    let body = "x".repeat(200);
    let mut peer = ours.connect();
    for byte in upgrade("/", "").as_bytes() {
        peer.write(&[*byte]);
    }
    assert!(peer.head().starts_with("HTTP/1.1 101 "));
    for byte in peer.frame(0x81, request("OPTIONS", 1, &body).as_bytes()) {
        peer.write(&[byte]);
    }
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    // And a client that does not wait for the answer.
    let mut peer = ours.connect();
    let mut all = upgrade("/", "").into_bytes();
    for number in 2..202 {
        all.extend(peer.frame(0x82, request("OPTIONS", number, &body).as_bytes()));
    }
    let mut writer = peer.peer.try_clone().expect("a clone");
    let thread = std::thread::spawn(move || writer.write_all(&all).expect("written"));
    peer.head();
    for _ in 2..202 {
        assert!(peer.text().starts_with("SIP/2.0 200 "));
    }
    thread.join().expect("written");
    assert_eq!((ours.told(OPTIONS, 0), ours.connections()), (201, 2));
}

/// RFC 6455 §5.4: control frames may come between the parts of a message; parts may be empty.
#[test]
fn parts_are_put_together() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    let text = request("OPTIONS", 1, &"x".repeat(3_000));
    let (first, rest) = text.as_bytes().split_at(1_000);
    peer.send(0x01, first);
    peer.send(0x89, b"there?");
    assert_eq!(peer.next(), Some((0x8a, b"there?".to_vec())), "a ping is answered at once");
    peer.send(0x00, b"");
    peer.send(0x8a, b"");
    for part in rest.chunks(999) {
        peer.send(0x00, part);
    }
    peer.send(0x80, b"");
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    // The next begins anew.
    peer.send(0x81, request("OPTIONS", 2, "").as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    assert_eq!(ours.told(OPTIONS, 0), 2);
}

/// RFC 7118 §5.4, RFC 5626 §3.5.1.
#[test]
fn a_keep_alive_is_answered() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    for kind in [0x81, 0x82] {
        peer.send(kind, b"\r\n\r\n");
        assert_eq!(peer.next(), Some((0x81, b"\r\n".to_vec())));
    }
    // A pong, and nothing at all, are not.
    peer.send(0x81, b"\r\n");
    peer.send(0x81, b"");
    peer.send(0x81, request("OPTIONS", 1, "").as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
}

/// RFC 7118 §5.2: text is UTF-8; what is not goes and comes as binary.
#[test]
fn what_is_no_utf_8_is_binary() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    let text = request("OPTIONS", 1, "").replace("<sip:alice@sip.example>;tag", "\"Zoé\" <sip:alice@sip.example>;tag");
    peer.send(0x82, text.as_bytes());
    assert!(peer.text().contains("Zoé"));
    let latin: Vec<u8> = text.replace("-1\r", "-2\r").chars().map(|letter| letter as u8).collect();
    peer.send(0x82, &latin);
    let (first, payload) = peer.next().expect("an answer");
    assert!(first == 0x82 && payload.windows(3).any(|part| part == b"Zo\xe9"));
    // As text it breaks RFC 6455 §8.1.
    peer.send(0x81, &latin);
    assert_eq!(peer.closed(), 1007);
}

/// A message or frame beyond the limit closes with 1009, as soon as it is known; one that fits does not.
#[test]
fn too_long_closes_with_1009() {
    let set = |config| assert_eq!(unsafe_limits(config, 2_000), 0);
    let ours = Ours::new("ws:127.0.0.1:0", set);
    let fits = |number: usize| {
        let head = request("OPTIONS", number, "").len();
        request("OPTIONS", number, &"x".repeat(2_000 - head))
    };
    let mut peer = ours.open();
    peer.send(0x81, fits(1).as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    for (number, first) in [(2, 0x81), (3, 0x01)] {
        let mut peer = ours.open();
        let frame = peer.frame(first, format!("{} ", fits(number)).as_bytes());
        // Of the frame no more than its length has come.
        peer.write(&frame[..8]);
        assert_eq!(peer.closed(), 1009);
    }
    let mut peer = ours.open();
    let text = fits(4);
    peer.send(0x01, text.as_bytes());
    peer.send(0x00, b"");
    peer.send(0x80, b" ");
    assert_eq!(peer.closed(), 1009);
    // A length of 2^63 and more.
    let mut peer = ours.open();
    peer.write(&[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
    assert_eq!(peer.closed(), 1009);
    assert_eq!(ours.told(OPTIONS, 0), 1);
}

fn unsafe_limits(config: *mut sipdlg_config_t, bytes: u32) -> i32 {
    // SAFETY: the configuration lives, and is this thread's.
    unsafe { sipdlg_config_set_limits(config, bytes, 0, 0) }
}

/// RFC 6455 §5: what is no frame of a client's ends the connection, and no other.
#[test]
fn broken_frames_close_with_1002() {
    let ours = Ours::usual();
    let mut good = ours.open();
    let options = request("OPTIONS", 1, "");
    let plain = |peer: &mut Raw, first: u8, payload: &[u8]| {
        peer.masks = false;
        peer.send(first, payload);
        peer.masks = true;
    };
    let cases: [&dyn Fn(&mut Raw); 9] = [
        &|peer| plain(peer, 0x81, options.as_bytes()),
        &|peer| plain(peer, 0x89, b""),
        &|peer| peer.send(0xc1, options.as_bytes()),
        &|peer| peer.send(0x83, options.as_bytes()),
        &|peer| peer.send(0x8b, b""),
        &|peer| peer.send(0x80, options.as_bytes()),
        &|peer| peer.send(0x09, b""),
        &|peer| peer.send(0x89, &[b'x'; 126]),
        &|peer| {
            peer.send(0x01, options.as_bytes());
            peer.send(0x81, options.as_bytes());
        },
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut peer = ours.open();
        case(&mut peer);
        assert_eq!(peer.closed(), 1002, "{number}");
    }
    good.send(0x81, options.as_bytes());
    assert!(good.text().starts_with("SIP/2.0 200 "));
    until("they have gone", || ours.connections() == 1);
}

/// RFC 6455 §5.5.1: a close is answered with its code, and we end the connection.
#[test]
fn a_close_is_answered() {
    let ours = Ours::usual();
    for code in [1000_u16, 1001, 4000] {
        let mut peer = ours.open();
        peer.send(0x81, request("OPTIONS", code.into(), "").as_bytes());
        peer.text();
        peer.send(0x88, &code.to_be_bytes());
        assert_eq!(peer.closed(), code);
    }
    until("they have gone", || ours.connections() == 0);
    // Whom nobody needs is told that we go.
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1:0", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 0, 0, 1, 0), 0);
    });
    assert_eq!(ours.open().closed(), 1001);
}

/// Pings of ours find dead peers, and keep those who answer, though they say nothing.
#[test]
fn the_dead_are_found() {
    let ours = Ours::pinging("ws:127.0.0.1:0", 1);
    let (mut alive, mut dead) = (ours.open(), ours.open());
    let before = Instant::now();
    for _ in 0..3 {
        assert_eq!(alive.next(), Some((0x89, Vec::new())));
        alive.send(0x8a, b"");
    }
    assert_eq!(dead.next(), Some((0x89, Vec::new())));
    assert_eq!(dead.closed(), 1001);
    assert!((2_500..9_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
    // A message is an answer as well.
    assert_eq!(alive.next(), Some((0x89, Vec::new())));
    alive.send(0x81, request("OPTIONS", 1, "").as_bytes());
    alive.text();
    assert_eq!(alive.next(), Some((0x89, Vec::new())));
    assert_eq!(ours.connections(), 1);
}

/// Who says nothing makes room for newcomers, the oldest first, upgraded or not.
#[test]
fn the_silent_make_room() {
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1:0", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 4, 0, 0, 0), 0);
    });
    let mut speaker = ours.open();
    speaker.send(0x81, request("OPTIONS", 1, "").as_bytes());
    speaker.text();
    let mut silent: Vec<Raw> = (0..3).map(|_| ours.open()).collect();
    let mut late: Vec<Raw> = (0..3).map(|_| ours.open()).collect();
    for peer in &mut silent {
        assert_eq!(peer.closed(), 1001);
    }
    for (number, peer) in late.iter_mut().chain([&mut speaker]).enumerate() {
        peer.send(0x81, request("OPTIONS", 10 + number, "").as_bytes());
        assert!(peer.text().starts_with("SIP/2.0 200 "));
    }
}

/// Half messages take so much together and no more; who has a whole one goes on.
#[test]
fn half_messages_are_bounded() {
    let ours = Ours::usual();
    let mut good = ours.open();
    let halves: Vec<Raw> = (0..300)
        .map(|number| {
            let mut peer = ours.open();
            let mut frame = peer.frame(0x82, &[b'x'; 65_000]);
            frame.truncate(64_000);
            // One that is closed meanwhile takes no more.
            let _ = peer.peer.write_all(&frame);
            if number % 2 == 1 {
                let frame = peer.frame(0x02, &[b'x'; 60_000]);
                let mut peer = ours.open();
                let _ = peer.peer.write_all(&frame);
                return peer;
            }
            peer
        })
        .collect();
    until("some have gone", || ours.connections() < 280);
    good.send(0x81, request("OPTIONS", 1, &"x".repeat(2_000)).as_bytes());
    assert!(good.text().starts_with("SIP/2.0 200 "));
    drop(halves);
    until("all have gone", || ours.connections() == 1);
}

// ------------------------------------------------------------------ as client

/// A server that takes the next connection: its request, and the connection.
fn accept(listener: &TcpListener) -> (String, Raw) {
    let (peer, _) = listener.accept().expect("a connection");
    peer.set_read_timeout(Some(LONG)).expect("a time-out");
    let mut raw = Raw { peer, masks: false };
    (raw.head(), raw)
}

/// What a server answers to a request.
fn agree(head: &str) -> String {
    let key = head.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("a key");
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
         Sec-WebSocket-Protocol: sip\r\nSet-Cookie: a=b\r\n\r\n"
    )
}

fn ok(request: &str) -> String {
    let lines = request.split("\r\n").skip(1);
    let lines =
        lines.filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)));
    let lines = lines.collect::<Vec<_>>().join("\r\n").replacen("\r\nCall-ID", ";tag=b\r\nCall-ID", 1);
    format!("SIP/2.0 200 OK\r\n{lines}\r\n\r\n")
}

/// RFC 7118 §5: masked, with the subprotocol, and a name that nobody has; one connection serves all that waits for it.
#[test]
fn we_connect() {
    let headers = [c"Origin: https://us.example".as_ptr(), c"Cookie: id=7".as_ptr(), null()];
    // SAFETY: texts and list live.
    let ours = Ours::new("ws:127.0.0.1", |config| unsafe {
        assert_eq!(sipdlg_config_set_websocket(config, c"/sip?x".as_ptr(), headers.as_ptr(), 1), 0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for _ in 0..20 {
        assert_eq!(ours.ask(peer), 0);
    }
    let (head, mut raw) = accept(&listener);
    assert!(head.starts_with("GET /sip?x HTTP/1.1\r\n"), "{head}");
    for line in [
        &format!("Host: {peer}")[..],
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: sip",
        "Origin: https://us.example",
        "Cookie: id=7",
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}\n{head}");
    }
    for byte in agree(&head).as_bytes() {
        raw.write(&[*byte]);
    }
    let mut names = Vec::new();
    for _ in 0..20 {
        let text = raw.text();
        let via =
            text.split("Via: SIP/2.0/WS ").nth(1).and_then(|via| via.split(';').next()).expect("a Via").to_owned();
        assert!(via.ends_with(".invalid"), "{text}");
        names.push(via);
        let answer = ok(&text);
        raw.send(0x81, answer.as_bytes());
    }
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    until("answered", || ours.told(ACCEPT, 200) == 20);
    assert_eq!(ours.connections(), 1);
    let link = ours.links(ACCEPT)[0];
    assert_eq!(ours.upgrade_header(link, Some("set-cookie"), 0), Ok("a=b".to_owned()));
    assert_eq!(ours.upgrade_header(link, None, 0), Err(1));
    // We ask whether it is there, too; what is silent is lost.
    assert_eq!(raw.next(), Some((0x89, Vec::new())));
    assert_eq!(ours.ask(peer), 0);
    raw.text();
    until("lost", || ours.told(REJECT, 503) == 1);
    // And the next request opens another one.
    let other = Ours::new("ws:127.0.0.1", |_| {});
    assert_eq!(other.ask(peer), 0);
    let (head, mut raw) = accept(&listener);
    assert!(head.starts_with("GET / HTTP/1.1\r\n") && !head.contains("Origin"), "{head}");
    raw.write(agree(&head).as_bytes());
    assert!(!raw.text().contains(&names[0]), "another agent has another name");
}

/// What is no WebSocket for SIP is none; what waits for it fails at once.
#[test]
fn servers_that_do_not_agree() {
    let ours = Ours::new("ws:127.0.0.1", |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    let changes: [&dyn Fn(String) -> String; 11] = [
        &|good| good.replace("Sec-WebSocket-Protocol: sip\r\n", ""),
        &|good| good.replace("Protocol: sip", "Protocol: xmpp"),
        &|good| good.replace("Protocol: sip", "Protocol: sip, xmpp"),
        &|good| good.replace("Accept: ", "Accept: x"),
        &|good| good.replace("Upgrade: websocket", "Upgrade: h2c"),
        &|good| good.replace("Connection: Upgrade", "Connection: close"),
        &|good| good.replace("Set-Cookie: a=b", "Sec-WebSocket-Extensions: permessage-deflate"),
        &|_| "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned(),
        &|_| "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned(),
        &|_| "SIP/2.0 400 Bad Request\r\n\r\n".to_owned(),
        &|_| format!("HTTP/1.1 101 Switching Protocols\r\nA: {}", "x".repeat(20_000)),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(ours.ask(peer), 0);
        let (head, mut raw) = accept(&listener);
        let before = Instant::now();
        raw.write(change(agree(&head)).as_bytes());
        until(&format!("refused {number}"), || ours.told(REJECT, 503) == number + 1);
        assert!(before.elapsed() < Duration::from_secs(2), "{number}");
        assert!(raw.next().is_none(), "nothing of ours goes there");
    }
    // A server that masks (RFC 6455 §5.1).
    assert_eq!(ours.ask(peer), 0);
    let (head, mut raw) = accept(&listener);
    raw.write(agree(&head).as_bytes());
    raw.text();
    let frame = Raw { peer: raw.peer.try_clone().expect("a clone"), masks: true }.frame(0x81, b"SIP/2.0 200 OK");
    raw.write(&frame);
    assert_eq!(raw.closed(), 1002);
    until("lost", || ours.told(REJECT, 503) == changes.len() + 1);
    assert_eq!(ours.told(ACCEPT, 200), 0);
}

/// A peer that connects, and then says nothing, gets so long and no longer.
#[test]
fn a_server_that_never_agrees() {
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 0, 0, 0, 300), 0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let before = Instant::now();
    assert_eq!(ours.ask(listener.local_addr().expect("bound")), 0);
    let (_, _raw) = accept(&listener);
    until("given up", || ours.told(REJECT, 503) == 1);
    assert!((300..5_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
}

/// What was sent or waits on a connection that ends has failed: with a last word, or without.
#[test]
fn what_never_went_out_has_failed() {
    let ours = Ours::new("ws:127.0.0.1", |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for (round, says_so) in [true, false, true].into_iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(ours.ask(peer), 0);
        }
        let (head, mut raw) = accept(&listener);
        raw.write(agree(&head).as_bytes());
        raw.text();
        let before = Instant::now();
        if says_so {
            raw.send(0x88, &1001_u16.to_be_bytes());
            while raw.next().is_some_and(|(first, _)| first != 0x88) {}
        }
        drop(raw);
        until("failed", || ours.told(REJECT, 503) == 3 * (round + 1));
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    }
}

// ------------------------------------------------------------------ calls whose connection is lost

const ACK: i32 = 14;
const TERMINATED: i32 = 33;
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

unsafe extern "C" fn take(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: all zero is a set of options; the description is static.
    unsafe {
        let mut options: sipdlg_response_options_t = mem::zeroed();
        options.size = size_of::<sipdlg_response_options_t>();
        options.body.data = SDP.as_ptr().cast();
        options.body.len = SDP.len();
        assert_eq!(sipdlg_incoming_accept((*event).incoming, 200, &raw const options, null_mut()), 0);
        hear(user, event);
    }
}

unsafe extern "C" fn hear(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's.
    unsafe { (*user.cast::<Told>()).0.lock().expect("no panic before").push(((*event).kind, 0, 0)) };
}

/// Takes calls, with short timers: 64*T1 is 1.28 s.
fn callee() -> Ours {
    // SAFETY: the configuration lives.
    let set = |config| unsafe { assert_eq!(sipdlg_config_set_timers(config, 20, 40, 50), 0) };
    let mut ours = Ours::new("ws:127.0.0.1:0", set);
    ours.delegate.on_invite = Some(take);
    ours.delegate.on_ack = Some(hear);
    ours.delegate.on_terminated = Some(hear);
    // SAFETY: it lives for the call.
    assert_eq!(unsafe { sipdlg_agent_set_delegate(ours.agent, &raw const ours.delegate) }, 0);
    ours
}

fn in_dialog(method: &str, number: usize, sequence: usize, tag: &str) -> String {
    let text = request(method, number, "")
        .replace("To: <sip:bob@sip.example>", &format!("To: <sip:bob@sip.example>;tag={tag}"));
    let text = text.replace("CSeq: 1 ", &format!("CSeq: {sequence} "));
    text.replace(";branch=z9hG4bK-", &format!(";branch=z9hG4bK-{method}-")).replace("Content-Type: text/plain\r\n", "")
}

fn tag(response: &str) -> String {
    response
        .split("To: <sip:bob@sip.example>;tag=")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next())
        .expect("a tag")
        .to_owned()
}

/// The 200, and all that comes before it.
fn answer(peer: &mut Raw) -> String {
    loop {
        let text = peer.text();
        if text.starts_with("SIP/2.0 200 ") {
            return text;
        }
    }
}

/// A page that is loaded anew goes on by another connection, whatever the former one had half said.
#[test]
fn calls_outlive_their_connection() {
    let ours = callee();
    for (number, (ack_on_first, half_a_bye)) in [(false, false), (true, false), (true, true)].into_iter().enumerate() {
        let mut first = ours.open();
        first.send(0x81, request("INVITE", number, SDP).replace("text/plain", "application/sdp").as_bytes());
        let tag = tag(&answer(&mut first));
        if ack_on_first {
            first.send(0x81, in_dialog("ACK", number, 1, &tag).as_bytes());
            until("confirmed", || ours.told(ACK, 0) == number + 1);
        }
        if half_a_bye {
            let frame = first.frame(0x81, in_dialog("BYE", number, 2, &tag).as_bytes());
            first.write(&frame[..frame.len() / 2]);
        }
        drop(first);
        until("the end is seen", || ours.connections() == 0);
        let mut second = ours.open();
        if !ack_on_first {
            second.send(0x81, in_dialog("ACK", number, 1, &tag).as_bytes());
            until("confirmed", || ours.told(ACK, 0) == number + 1);
        }
        second.send(0x81, in_dialog("BYE", number, 2, &tag).as_bytes());
        assert!(answer(&mut second).contains("CSeq: 2 BYE"));
        until("over", || ours.told(TERMINATED, 0) == number + 1);
        drop(second);
        until("the end is seen", || ours.connections() == 0);
    }
}

/// Nobody comes back: half an INVITE is none, and a call without ACK ends at its time.
#[test]
fn calls_whose_peer_is_gone() {
    let ours = callee();
    let invite = request("INVITE", 1, SDP).replace("text/plain", "application/sdp");
    let mut peer = ours.open();
    let frame = peer.frame(0x81, invite.as_bytes());
    peer.write(&frame[..frame.len() - 1]);
    drop(peer);
    until("the end is seen", || ours.connections() == 0);
    assert_eq!(ours.told(INVITE, 0), 0);
    let mut peer = ours.open();
    peer.send(0x81, invite.as_bytes());
    drop(peer);
    until("over", || ours.told(TERMINATED, 0) == 1);
    assert_eq!((ours.told(INVITE, 0), ours.told(ACK, 0)), (1, 0));
}
