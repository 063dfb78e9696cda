//! Connections of the library's sockets, with peers that do what peers do.
#![cfg(feature = "runtime")]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_void};
use std::io::{Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What an agent was told: kind of event, status.
type Told = Mutex<Vec<(i32, i32)>>;

const OPTIONS: i32 = 12;
const ACCEPT: i32 = 22;
const REJECT: i32 = 24;

unsafe extern "C" fn note(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's.
    unsafe {
        (*user.cast::<Told>()).lock().expect("no panic before").push(((*event).kind, (*event).status_code));
        assert_eq!(sipdlg_event_default(event), 0);
    }
}

struct Ours {
    agent: u64,
    told: &'static Told,
    delegate: sipdlg_delegate_t,
}

impl Ours {
    /// `connections`, of one address, idle seconds, milliseconds to connect.
    fn new(limits: (u32, u32, i32, u32)) -> Self {
        let told: &'static Told = Box::leak(Box::default());
        let config = sipdlg_config_new();
        let mut agent = 0;
        // SAFETY: all zero is a delegate without functions; pointers are ours; the configuration is freed once.
        unsafe {
            assert_eq!(sipdlg_config_set_connections(config, limits.0, limits.1, limits.2, limits.3), 0);
            assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
            sipdlg_config_free(config);
            let mut delegate: sipdlg_delegate_t = mem::zeroed();
            delegate.size = size_of::<sipdlg_delegate_t>();
            delegate.user = std::ptr::from_ref(told).cast_mut().cast();
            delegate.on_options = Some(note);
            delegate.on_accept = Some(note);
            delegate.on_reject = Some(note);
            assert_eq!(sipdlg_agent_set_delegate(agent, &raw const delegate), 0);
            assert_eq!(sipdlg_agent_listen(agent, c"tcp:127.0.0.1:0".as_ptr()), 0);
            Self { agent, told, delegate }
        }
    }

    fn usual() -> Self {
        Self::new((0, 0, 0, 0))
    }

    fn address(&self) -> SocketAddr {
        let mut buffer = [0_u8; 64];
        let mut needed = 0;
        // SAFETY: the buffer is as long as said.
        let status =
            unsafe { sipdlg_agent_local_address(self.agent, 0, buffer.as_mut_ptr().cast(), 64, &raw mut needed) };
        assert_eq!(status, 0);
        let text = std::str::from_utf8(&buffer[..needed]).expect("text");
        text.strip_prefix("tcp:").expect("tcp").parse().expect("an address")
    }

    fn connect(&self) -> TcpStream {
        let peer = TcpStream::connect(self.address()).expect("connected");
        peer.set_read_timeout(Some(Duration::from_millis(1))).expect("a time-out");
        peer.set_nodelay(true).expect("no delay");
        peer
    }

    /// OPTIONS to whoever listens there.
    fn ask(&self, peer: SocketAddr) -> i32 {
        self.ask_with(peer, 0)
    }

    fn ask_with(&self, peer: SocketAddr, body: usize) -> i32 {
        let target = CString::new(format!("sip:bob@{peer};transport=tcp")).expect("text");
        let body = vec![b'x'; body];
        // SAFETY: all zero is a set of options; all pointers are ours.
        unsafe {
            let mut options: sipdlg_request_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_request_options_t>();
            options.delegate = &raw const self.delegate;
            if !body.is_empty() {
                options.body.data = body.as_ptr().cast();
                options.body.len = body.len();
                options.body.content_type = c"text/plain".as_ptr();
            }
            sipdlg_agent_request(self.agent, c"OPTIONS".as_ptr(), target.as_ptr(), &raw const options, null_mut())
        }
    }

    /// Turns until it is so, for twenty seconds at most.
    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < end, "{what}");
            assert_eq!(sipdlg_agent_run_once(self.agent, 1), 0);
        }
    }

    fn until_told(&self, event: (i32, i32), count: usize) {
        self.until("told", || self.told(event) >= count);
        assert_eq!(self.told(event), count);
    }

    fn told(&self, event: (i32, i32)) -> usize {
        self.told.lock().expect("no panic before").iter().filter(|told| **told == event).count()
    }

    /// What comes by a connection until it ends with `end`, or is over.
    fn hear(&self, peer: &mut TcpStream, end: &str) -> (String, bool) {
        let (mut text, mut over) = (String::new(), false);
        self.until(end, || {
            let mut piece = [0; 4_096];
            match peer.read(&mut piece) {
                Ok(0) => over = true,
                Ok(len) => text += &String::from_utf8_lossy(&piece[..len]),
                Err(error) => over |= error.kind() == std::io::ErrorKind::ConnectionReset,
            }
            over || !end.is_empty() && text.ends_with(end)
        });
        (text, over)
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

// SAFETY: what its pointers lead to is a mutex, or functions.
unsafe impl Sync for Ours {}

impl Drop for Ours {
    fn drop(&mut self) {
        assert_eq!(sipdlg_agent_free(self.agent), 0);
    }
}

fn options(number: usize, body: &str) -> String {
    format!(
        "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@127.0.0.1>;tag=a{number}\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {number}\r\n\
         CSeq: 1 OPTIONS\r\nContact: <sip:alice@127.0.0.1:9>\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Answers each request that a connection brings, as long as it brings any.
fn answer_all(mut peer: TcpStream) {
    let mut text = String::new();
    let mut piece = [0; 4_096];
    while let Ok(len) = peer.read(&mut piece) {
        if len == 0 {
            return;
        }
        text += &String::from_utf8_lossy(&piece[..len]);
        while let Some(end) = text.find("\r\n\r\n") {
            let head: String = text.drain(..end + 4).collect();
            let lines = head
                .split("\r\n")
                .skip(1)
                .filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)));
            let response = format!(
                "SIP/2.0 200 OK\r\n{}\r\nContent-Length: 0\r\n\r\n",
                lines.collect::<Vec<_>>().join("\r\n").replacen("\r\nCall-ID", ";tag=b\r\nCall-ID", 1)
            );
            if peer.write_all(response.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// RFC 3261 §18.3, §18.2.2: the answer goes by the connection that brought the request, in whatever pieces it came.
#[test]
fn requests_in_pieces_and_many_at_once() {
    let ours = Ours::usual();
    let mut peer = ours.connect();
    for byte in options(1, "hello").as_bytes() {
        peer.write_all(&[*byte]).expect("written");
        assert_eq!(sipdlg_agent_run_once(ours.agent, 0), 0);
    }
    let (text, _) = ours.hear(&mut peer, "\r\n\r\n");
    assert!(text.starts_with("SIP/2.0 486 "), "{text}");
    let many: String = (2..202).map(|number| options(number, "hello")).collect();
    let mut writer = peer.try_clone().expect("a clone");
    let thread = std::thread::spawn(move || writer.write_all(many.as_bytes()).expect("written"));
    let mut text = String::new();
    while text.matches("SIP/2.0 486").count() < 200 {
        text += &ours.hear(&mut peer, "\r\n\r\n").0;
    }
    thread.join().expect("written");
    assert_eq!(ours.told((OPTIONS, 0)), 201);
    assert_eq!(ours.connections(), 1);
    drop(peer);
    ours.until("the end is seen", || ours.connections() == 0);
}

/// RFC 3261 §18.1.1: one connection serves all that goes to a peer, also while it comes about.
#[test]
fn one_connection_for_all_requests() {
    let ours = Ours::usual();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for _ in 0..50 {
        assert_eq!(ours.ask(peer), 0);
    }
    let thread = std::thread::spawn(move || {
        answer_all(listener.accept().expect("a connection").0);
        listener.set_nonblocking(true).expect("set");
        assert!(listener.accept().is_err(), "a second connection");
    });
    ours.until_told((ACCEPT, 200), 50);
    for _ in 0..50 {
        assert_eq!(ours.ask(peer), 0);
    }
    ours.until_told((ACCEPT, 200), 100);
    drop(ours);
    thread.join().expect("no second connection");
}

/// RFC 3261 §8.1.3.1: at once, not after 64*T1.
#[test]
fn who_is_not_there_is_told_at_once() {
    let ours = Ours::usual();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    drop(listener);
    let before = Instant::now();
    for _ in 0..10 {
        assert_eq!(ours.ask(peer), 0);
    }
    ours.until_told((REJECT, 503), 10);
    assert!(before.elapsed() < Duration::from_secs(2));
    assert_eq!(ours.connections(), 0);
}

/// A system that does not even refuse: its queue of connections is full.
#[test]
fn who_does_not_answer_is_given_up() {
    let ours = Ours::new((0, 0, 0, 300));
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bound");
    listener.listen(0).expect("listening");
    let peer = listener.local_addr().expect("bound").as_socket().expect("an address");
    let _first = TcpStream::connect(peer).expect("connected");
    let before = Instant::now();
    assert_eq!(ours.ask(peer), 0);
    ours.until_told((REJECT, 503), 1);
    assert!((300..5_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
}

/// What is in flight is lost with its connection; the next request opens another.
#[test]
fn a_lost_connection_is_told_at_once() {
    let ours = Ours::usual();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for _ in 0..3 {
        assert_eq!(ours.ask(peer), 0);
    }
    assert_eq!(sipdlg_agent_run_once(ours.agent, 0), 0);
    let mut accepted = listener.accept().expect("a connection").0;
    ours.until("sent", || {
        accepted.set_nonblocking(true).expect("set");
        accepted.read(&mut [0; 4_096]).is_ok_and(|len| len > 0)
    });
    let before = Instant::now();
    drop(accepted);
    ours.until_told((REJECT, 503), 3);
    assert!(before.elapsed() < Duration::from_secs(2));
    assert_eq!(ours.ask(peer), 0);
    let thread = std::thread::spawn(move || answer_all(listener.accept().expect("another").0));
    ours.until_told((ACCEPT, 200), 1);
    drop(ours);
    thread.join().expect("ended");
}

/// A peer that reads nothing costs so much and no more, and holds nobody up.
#[test]
fn who_does_not_read_fills_its_own_queue() {
    let ours = Ours::usual();
    let (listener, other) = (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    let (listener, other) = (listener.expect("bound"), other.expect("bound"));
    let (peer, good) = (listener.local_addr().expect("bound"), other.local_addr().expect("bound"));
    let thread = std::thread::spawn(move || answer_all(other.accept().expect("a connection").0));
    assert_eq!(ours.ask_with(peer, 60_000), 0);
    assert_eq!(sipdlg_agent_run_once(ours.agent, 0), 0);
    let _silent = listener.accept().expect("a connection");
    let mut asked = 1;
    while ours.told((REJECT, 503)) < 5 {
        assert!(asked < 1_000, "nothing is bounded");
        assert_eq!(ours.ask_with(peer, 60_000), 0);
        assert_eq!(sipdlg_agent_run_once(ours.agent, 0), 0);
        asked += 1;
    }
    // What the kernel has taken lies beside.
    assert!(asked > 20, "{asked}");
    assert_eq!(ours.ask(good), 0);
    ours.until_told((ACCEPT, 200), 1);
    drop(ours);
    thread.join().expect("ended");
}

/// Connections that say nothing make room for those who speak, and for nobody else.
#[test]
fn the_silent_go_first() {
    let ours = Ours::new((8, 0, 0, 0));
    let mut speaker = ours.connect();
    speaker.write_all(options(1, "").as_bytes()).expect("written");
    ours.hear(&mut speaker, "\r\n\r\n");
    let mut silent: Vec<TcpStream> = (0..100).map(|_| ours.connect()).collect();
    ours.until("all are taken or not", || ours.connections() == 8);
    let mut late = ours.connect();
    late.write_all(options(2, "").as_bytes()).expect("written");
    assert!(ours.hear(&mut late, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
    speaker.write_all(options(3, "").as_bytes()).expect("written");
    assert!(ours.hear(&mut speaker, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
    assert!(ours.hear(&mut silent[0], "").1, "the oldest is closed");
    assert_eq!(ours.connections(), 8);
    // Nobody silent is left: who is there stays.
    drop(silent);
    ours.until("they are gone", || ours.connections() == 2);
    let mut speakers: Vec<TcpStream> = (10..16)
        .map(|number| {
            let mut peer = ours.connect();
            peer.write_all(options(number, "").as_bytes()).expect("written");
            ours.hear(&mut peer, "\r\n\r\n");
            peer
        })
        .collect();
    let mut refused = ours.connect();
    assert!(ours.hear(&mut refused, "").1, "there is no room");
    for (number, peer) in speakers.iter_mut().enumerate() {
        peer.write_all(options(100 + number, "").as_bytes()).expect("written");
        assert!(ours.hear(peer, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
    }
}

/// One address does not take the room of all.
#[test]
fn one_address_has_its_share() {
    let ours = Ours::new((0, 3, 0, 0));
    let peers: Vec<TcpStream> = (0..5).map(|_| ours.connect()).collect();
    ours.until("taken", || ours.connections() == 3);
    let closed = peers.into_iter().filter(|peer| {
        let mut peer = peer.try_clone().expect("a clone");
        let end = Instant::now() + Duration::from_millis(50);
        let mut over = false;
        while !over && Instant::now() < end {
            over = peer.read(&mut [0]).is_ok_and(|len| len == 0);
        }
        over
    });
    assert_eq!(closed.count(), 2);
    ours.until("gone", || ours.connections() == 0);
    let mut peer = ours.connect();
    peer.write_all(options(1, "").as_bytes()).expect("written");
    assert!(ours.hear(&mut peer, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
}

/// Who has its share takes no room of others with the rest.
#[test]
fn beyond_its_share_nobody_goes_for_it() {
    let ours = Ours::new((2, 1, 0, 0));
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    other.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).expect("bound");
    other.connect(&ours.address().into()).expect("connected");
    let mut other = TcpStream::from(other);
    other.set_read_timeout(Some(Duration::from_millis(1))).expect("a time-out");
    let _first = ours.connect();
    ours.until("both are taken", || ours.connections() == 2);
    for _ in 0..5 {
        let mut beyond = ours.connect();
        assert!(ours.hear(&mut beyond, "").1, "it is closed");
    }
    other.write_all(options(1, "").as_bytes()).expect("written");
    assert!(ours.hear(&mut other, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
}

/// Those who say nothing keep us from nobody.
#[test]
fn the_silent_go_for_our_requests() {
    let ours = Ours::new((4, 0, 0, 0));
    let silent: Vec<TcpStream> = (0..4).map(|_| ours.connect()).collect();
    ours.until("taken", || ours.connections() == 4);
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    assert_eq!(ours.ask(listener.local_addr().expect("bound")), 0);
    let thread = std::thread::spawn(move || answer_all(listener.accept().expect("a connection").0));
    ours.until_told((ACCEPT, 200), 1);
    assert_eq!(ours.connections(), 4);
    drop((ours, silent));
    thread.join().expect("ended");
}

/// What a peer has said before its end is heard, also where what waits for it can no longer be written.
#[test]
fn the_last_words_are_heard() {
    let ours = Ours::usual();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    assert_eq!(ours.ask_with(peer, 60_000), 0);
    assert_eq!(sipdlg_agent_run_once(ours.agent, 0), 0);
    let mut accepted = listener.accept().expect("a connection").0;
    for _ in 0..200 {
        assert_eq!(ours.ask_with(peer, 60_000), 0);
    }
    accepted.write_all(options(1, "").as_bytes()).expect("written");
    // With so much unread, a reset.
    drop(accepted);
    std::thread::sleep(Duration::from_millis(50));
    ours.until_told((OPTIONS, 0), 1);
}

/// Whenever a connection ends, each request on it is told what became of it, and soon: threads send while the network thread
/// reads and closes.
#[test]
fn requests_from_many_threads_over_connections_that_break() {
    const EACH: usize = 150;
    let ours = Ours::usual();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for (number, accepted) in listener.incoming().enumerate() {
            let accepted = accepted.expect("a connection");
            let breaker = socket2::Socket::from(accepted.try_clone().expect("a clone"));
            std::thread::spawn(move || answer_all(accepted));
            std::thread::sleep(Duration::from_micros(200 * (number as u64 % 16)));
            if number % 2 == 0 {
                let _ = breaker.set_linger(Some(Duration::ZERO));
            }
            let _ = breaker.shutdown(std::net::Shutdown::Both);
        }
    });
    assert_eq!(sipdlg_agent_start(ours.agent, 1, 1), 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..EACH {
                    assert_eq!(ours.ask_with(peer, number * 40), 0);
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
        }
    });
    let end = Instant::now() + Duration::from_secs(10);
    let told = || ours.told((ACCEPT, 200)) + ours.told((REJECT, 503));
    while told() < 4 * EACH {
        assert!(Instant::now() < end, "{} of {}", told(), 4 * EACH);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ours.told.lock().expect("no panic before").len(), 4 * EACH);
}

/// Where nothing more is read, nothing keeps a thread awake: a peer that goes on sending, one that only listens.
#[test]
fn connections_cost_no_turns() {
    let ours = Ours::usual();
    let mut quiet = ours.connect();
    quiet.write_all(options(1, "").as_bytes()).expect("written");
    ours.hear(&mut quiet, "\r\n\r\n");
    quiet.shutdown(std::net::Shutdown::Read).expect("shut");
    let mut broken = ours.connect();
    broken.write_all(b"OPTIONS sip:b@c SIP/2.0\r\nContent-Length: x\r\n\r\n").expect("written");
    ours.until("taken", || ours.connections() == 2);
    let (before, mut turns) = (Instant::now(), 0);
    while before.elapsed() < Duration::from_millis(500) {
        assert_eq!(sipdlg_agent_run_once(ours.agent, 100), 0);
        turns += 1;
    }
    assert!(turns < 50, "{turns}");
}

/// RFC 3261 §18.3: it is answered where it can be, and what follows cannot be told apart: the connection ends, with its
/// answer read.
#[test]
fn a_stream_that_cannot_be_read_on_ends() {
    for (text, status) in [
        (options(1, "").replace("Content-Length: 0", "Content-Length: x"), "SIP/2.0 400"),
        (options(2, "").replace("Content-Length: 0", "Content-Length: 99999999"), "SIP/2.0 513"),
        ("x".repeat(100_000), ""),
    ] {
        let ours = Ours::usual();
        let mut peer = ours.connect();
        let mut good = ours.connect();
        // More than the library will ever read.
        let _ = peer.write_all(&[text.as_bytes(), &[b'y'; 100_000]].concat());
        let (told, over) = ours.hear(&mut peer, "");
        assert!(over && told.starts_with(status), "{told}");
        good.write_all(options(3, "").as_bytes()).expect("written");
        assert!(ours.hear(&mut good, "\r\n\r\n").0.starts_with("SIP/2.0 486"));
        drop(peer);
        ours.until("closed", || ours.connections() == 1);
    }
}

#[test]
fn idle_ones_are_closed() {
    let ours = Ours::new((0, 0, 1, 0));
    let mut peer = ours.connect();
    peer.write_all(options(1, "").as_bytes()).expect("written");
    ours.hear(&mut peer, "\r\n\r\n");
    let before = Instant::now();
    assert!(ours.hear(&mut peer, "").1);
    assert!((500..5_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
    assert_eq!(ours.connections(), 0);
}

/// "can connect": nothing is listened on, and Contact has no port to be reached at.
#[test]
fn who_only_connects() {
    let ours = Ours::usual();
    let mut other = 0;
    // SAFETY: NULL is allowed; text and out-parameter are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut other), 0);
        assert_eq!(sipdlg_agent_listen(other, c"tcp:127.0.0.1".as_ptr()), 0);
        let mut buffer = [0_u8; 64];
        assert_eq!(sipdlg_agent_local_address(other, 0, buffer.as_mut_ptr().cast(), 64, null_mut()), 0);
        assert!(buffer.starts_with(b"tcp:127.0.0.1\0"));
        let target = CString::new(format!("sip:bob@{};transport=tcp", ours.address())).expect("text");
        assert_eq!(sipdlg_agent_request(other, c"OPTIONS".as_ptr(), target.as_ptr(), null(), null_mut()), 0);
    }
    ours.until("it comes", || {
        assert_eq!(sipdlg_agent_run_once(other, 1), 0);
        ours.told((OPTIONS, 0)) == 1
    });
    assert_eq!(sipdlg_agent_free(other), 0);
}
