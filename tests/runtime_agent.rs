//! Agents as a host drives them: callbacks and threads, wake-ups, the event descriptor, the end of an agent.
#![cfg(feature = "runtime")]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::incoming::*;
use sipdlg::ffi::library::sipdlg_last_error;
use sipdlg::ffi::outgoing::*;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::session::properties::*;
use sipdlg::ffi::session::requests::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_void};
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const OK: i32 = 0;
const NONE: i32 = 1;
const ARGUMENT: i32 = -1;
const STALE: i32 = -2;
const KIND: i32 = -3;
const STATE: i32 = -4;
const SYNTAX: i32 = -5;
const BUSY: i32 = -10;
const UNSUPPORTED: i32 = -11;
const SYSTEM: i32 = -12;
const FORKED: i32 = -15;

/// What a test does in a callback.
type Act = Box<dyn Fn(&sipdlg_event_t) + Send + Sync>;

unsafe extern "C" fn call(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is an `Act` that outlives the agent, `event` is the library's.
    unsafe { (*user.cast::<Act>())(&*event) }
}

/// An agent whose every OPTIONS goes to `act`. Its act is leaked: callbacks of other threads may hold it to the end.
fn agent(act: impl Fn(&sipdlg_event_t) + Send + Sync + 'static) -> sipdlg_agent_t {
    let mut agent = 0;
    // SAFETY: NULL is allowed, and the out-parameter is ours.
    assert_eq!(unsafe { sipdlg_agent_new(null(), &raw mut agent) }, OK);
    let act: Act = Box::new(act);
    // SAFETY: all zero is a delegate without functions.
    let mut delegate: sipdlg_delegate_t = unsafe { mem::zeroed() };
    delegate.size = size_of::<sipdlg_delegate_t>();
    delegate.user = Box::into_raw(Box::new(act)).cast();
    delegate.on_options = Some(call);
    // SAFETY: the delegate is complete.
    assert_eq!(unsafe { sipdlg_agent_set_delegate(agent, &raw const delegate) }, OK);
    agent
}

fn listen(agent: sipdlg_agent_t, address: &str) -> i32 {
    let address = CString::new(address).expect("text");
    // SAFETY: a text.
    unsafe { sipdlg_agent_listen(agent, address.as_ptr()) }
}

/// The number with which the text of the last error ends.
fn errno() -> i32 {
    let mut buffer = [0_u8; 256];
    let mut needed = 0;
    // SAFETY: the buffer is as long as said.
    assert_eq!(unsafe { sipdlg_last_error(buffer.as_mut_ptr().cast(), buffer.len(), &raw mut needed) }, OK);
    let text = std::str::from_utf8(&buffer[..needed]).expect("text");
    let number = text.rsplit_once("(os error ").and_then(|(_, end)| end.strip_suffix(')'));
    number.expect("errno at the end").parse().expect("a number")
}

fn local_address(agent: sipdlg_agent_t) -> SocketAddr {
    let mut buffer = [0_u8; 64];
    let mut needed = 0;
    // SAFETY: the buffer is as long as said.
    let status =
        unsafe { sipdlg_agent_local_address(agent, 0, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut needed) };
    assert_eq!(status, OK);
    let text = std::str::from_utf8(&buffer[..needed]).expect("text");
    text.strip_prefix("udp:").expect("udp").parse().expect("an address")
}

/// A peer on loopback that asks OPTIONS.
struct Peer {
    socket: UdpSocket,
    asked: AtomicUsize,
}

impl Peer {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        Self { socket, asked: AtomicUsize::new(0) }
    }

    fn request(&self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let (from, number) = (self.socket.local_addr().expect("bound"), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.asked.fetch_add(1, Ordering::Relaxed);
        format!(
            "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@127.0.0.1>;tag=a{number}\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: call-{number}\r\n\
             CSeq: 1 OPTIONS\r\nContact: <sip:alice@{from}>\r\nContent-Length: 0\r\n\r\n"
        )
    }

    fn ask(&self, agent: sipdlg_agent_t) {
        self.socket.send_to(self.request().as_bytes(), local_address(agent)).expect("sent");
    }

    /// One answer, or a failure of the test after 20 s.
    fn answer(&self) -> String {
        let mut buffer = [0; 2_048];
        let len = self.socket.recv(&mut buffer).expect("an answer");
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    }
}

/// The default, from inside a callback: an answer.
fn answer(event: &sipdlg_event_t) {
    // SAFETY: the library's event.
    assert_eq!(unsafe { sipdlg_event_default(event) }, OK);
}

/// Gives the agent one OPTIONS without any socket of the library.
fn receive(agent: sipdlg_agent_t) {
    static ONCE: Mutex<Vec<sipdlg_agent_t>> = Mutex::new(Vec::new());
    let v4 =
        |port| sipdlg_endpoint_t { ip: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], scope: 0, port, family: 4 };
    let flow = sipdlg_flow_t { transport: 1, reserved: 0, link: 7, local: v4(5060), remote: v4(5061) };
    let mut known = ONCE.lock().expect("no panic before");
    if !known.contains(&agent) {
        // SAFETY: a flow; no sent-by.
        assert_eq!(unsafe { sipdlg_agent_add_transport(agent, &raw const flow, null()) }, OK);
        known.push(agent);
    }
    let request = Peer::new().request();
    // SAFETY: flow and bytes of ours.
    let status = unsafe { sipdlg_agent_receive(agent, &raw const flow, request.as_ptr().cast(), request.len()) };
    assert_eq!(status, OK);
}

/// Takes all transmits; how many.
fn drain_transmits(agent: sipdlg_agent_t) -> usize {
    // SAFETY: all zero is a transmit.
    let mut transmit: sipdlg_transmit_t = unsafe { mem::zeroed() };
    transmit.size = size_of::<sipdlg_transmit_t>();
    let mut count = 0;
    // SAFETY: its size is set.
    while unsafe { sipdlg_agent_poll_transmit(agent, &raw mut transmit) } == OK {
        count += 1;
    }
    count
}

fn event() -> sipdlg_event_t {
    // SAFETY: all zero is an event.
    let mut event: sipdlg_event_t = unsafe { mem::zeroed() };
    event.size = size_of::<sipdlg_event_t>();
    event
}

fn event_fd(agent: sipdlg_agent_t) -> i32 {
    let mut fd = -1;
    // SAFETY: the out-parameter is ours.
    assert_eq!(unsafe { sipdlg_agent_event_fd(agent, &raw mut fd) }, OK);
    fd
}

fn is_readable(fd: i32, timeout_ms: i32) -> bool {
    let mut polled = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut polled, 1, timeout_ms) == 1 }
}

#[test]
fn run_once_receives_delivers_and_sends() {
    for any in ["udp:127.0.0.1:0", "udp:0.0.0.0:0"] {
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&seen);
        let agent = agent(move |event| {
            counter.fetch_add(1, Ordering::SeqCst);
            answer(event);
        });
        assert_eq!(listen(agent, any), OK);
        let peer = Peer::new();
        let to = SocketAddr::new("127.0.0.1".parse().expect("an address"), local_address(agent).port());
        for _ in 0..3 {
            peer.socket.send_to(peer.request().as_bytes(), to).expect("sent");
        }
        while seen.load(Ordering::SeqCst) < 3 {
            assert_eq!(sipdlg_agent_run_once(agent, 10_000), OK);
        }
        for _ in 0..3 {
            assert!(peer.answer().contains("OPTIONS"));
        }
        assert_eq!(sipdlg_agent_free(agent), OK);
    }
}

#[test]
fn an_agent_without_sockets_waits_too() {
    let agent = agent(|_| ());
    assert_eq!(sipdlg_agent_run_once(agent, 0), OK);
    assert_eq!(sipdlg_agent_run_once(agent, -2), ARGUMENT);
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn listen_says_what_is_wrong() {
    let agent = agent(|_| ());
    assert_eq!(listen(agent, "udp:nowhere"), SYNTAX);
    let no_certificate = if cfg!(all(feature = "tls", feature = "websocket")) { STATE } else { UNSUPPORTED };
    assert_eq!(listen(agent, "wss:127.0.0.1:0"), no_certificate);
    assert_eq!(listen(agent, "udp:192.0.2.1:0"), SYSTEM);
    assert_eq!(errno(), libc::EADDRNOTAVAIL);
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    assert_eq!(listen(agent, &format!("udp:{}", local_address(agent))), SYSTEM);
    assert_eq!(errno(), libc::EADDRINUSE);
    // SAFETY: NULL asks for nothing.
    assert_eq!(unsafe { sipdlg_agent_local_address(agent, 1, null_mut(), 0, null_mut()) }, NONE);
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn wake_ends_a_wait_and_is_not_lost_before_one() {
    let agent = agent(|_| ());
    assert_eq!(sipdlg_agent_wake(agent), OK);
    assert_eq!(sipdlg_agent_run_once(agent, -1), OK);
    let (ready, go) = channel();
    let waiter = thread::spawn(move || {
        ready.send(()).expect("a listener");
        sipdlg_agent_run_once(agent, -1)
    });
    go.recv().expect("started");
    assert_eq!(sipdlg_agent_wake(agent), OK);
    assert_eq!(waiter.join().expect("no panic"), OK);
    assert_eq!(sipdlg_agent_free(agent), OK);
    assert_eq!(sipdlg_agent_wake(agent), STALE);
    assert_eq!(sipdlg_agent_wake(0), KIND);
}

#[test]
fn who_drives_is_one_at_a_time() {
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&statuses);
    let agent = agent(move |event| {
        let mut polled = self::event();
        let mut seen = seen.lock().expect("no panic before");
        seen.push(sipdlg_agent_dispatch(event.agent));
        seen.push(sipdlg_agent_run_once(event.agent, 0));
        // SAFETY: its size is set.
        seen.push(unsafe { sipdlg_agent_poll_event(event.agent, &raw mut polled) });
        seen.push(sipdlg_agent_start(event.agent, 1, 1));
        let agent = event.agent;
        seen.push(thread::spawn(move || sipdlg_agent_dispatch(agent)).join().expect("no panic"));
    });
    receive(agent);
    assert_eq!(sipdlg_agent_dispatch(agent), OK);
    assert_eq!(*statuses.lock().expect("no panic before"), [BUSY; 5]);
    assert_eq!(sipdlg_agent_start(agent, 0, 1), ARGUMENT);
    assert_eq!(sipdlg_agent_start(agent, 2, 1), UNSUPPORTED);
    assert_eq!(sipdlg_agent_start(agent, 1, 2), ARGUMENT);
    for _ in 0..3 {
        assert_eq!(sipdlg_agent_start(agent, 1, 1), OK);
        assert_eq!(sipdlg_agent_start(agent, 1, 1), STATE);
        assert_eq!(sipdlg_agent_dispatch(agent), BUSY);
        assert_eq!(sipdlg_agent_run_once(agent, 0), BUSY);
        assert_eq!(sipdlg_agent_stop(agent), OK);
        assert_eq!(sipdlg_agent_stop(agent), OK);
        assert_eq!(sipdlg_agent_dispatch(agent), OK);
    }
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn a_manual_clock_is_not_for_the_runtime() {
    let config = sipdlg_config_new();
    // SAFETY: the configuration is a new one.
    assert_eq!(unsafe { sipdlg_config_set_manual_clock(config, 1) }, OK);
    let mut agent = 0;
    // SAFETY: as above.
    unsafe {
        assert_eq!(sipdlg_agent_new(config, &raw mut agent), OK);
        sipdlg_config_free(config);
    }
    assert_eq!(sipdlg_agent_start(agent, 1, 1), STATE);
    assert_eq!(sipdlg_agent_run_once(agent, 0), STATE);
    assert_eq!(sipdlg_agent_set_time(agent, 5, 6), OK);
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn a_delivery_thread_delivers_in_order_and_never_twice_at_once() {
    let inside = AtomicBool::new(false);
    let last = AtomicU64::new(0);
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let here = thread::current().id();
    let agent = agent(move |event| {
        assert!(!inside.swap(true, Ordering::SeqCst));
        assert_ne!(thread::current().id(), here);
        assert!(last.swap(event.id, Ordering::SeqCst) < event.id);
        answer(event);
        counter.fetch_add(1, Ordering::SeqCst);
        inside.store(false, Ordering::SeqCst);
    });
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    assert_eq!(sipdlg_agent_start(agent, 1, 1), OK);
    let peer = Peer::new();
    for _ in 0..200 {
        peer.ask(agent);
        assert!(peer.answer().contains("OPTIONS"));
    }
    assert_eq!(seen.load(Ordering::SeqCst), 200);
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn threads_without_delivery_leave_events_to_the_host() {
    let here = thread::current().id();
    let agent = agent(move |event| {
        assert_eq!(thread::current().id(), here);
        answer(event);
    });
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    let fd = event_fd(agent);
    assert_eq!(sipdlg_agent_start(agent, 1, 0), OK);
    let peer = Peer::new();
    for _ in 0..3 {
        assert!(!is_readable(fd, 0));
        peer.ask(agent);
        assert!(is_readable(fd, 20_000));
        assert_eq!(sipdlg_agent_dispatch(agent), OK);
        assert!(peer.answer().contains("OPTIONS"));
    }
    // The same by polling.
    peer.ask(agent);
    assert!(is_readable(fd, 20_000));
    let mut event = event();
    // SAFETY: its size is set.
    while unsafe { sipdlg_agent_poll_event(agent, &raw mut event) } == OK {
        // SAFETY: the event is the one that was polled.
        unsafe { sipdlg_event_default(&raw const event) };
    }
    assert!(peer.answer().contains("OPTIONS"));
    assert!(!is_readable(fd, 0));
    assert_eq!(sipdlg_agent_free(agent), OK);
}

#[test]
fn the_event_descriptor_is_readable_while_output_waits() {
    let agent = agent(answer);
    receive(agent);
    let fd = event_fd(agent);
    assert_eq!(event_fd(agent), fd);
    assert!(is_readable(fd, 0), "made after the output");
    assert_eq!(sipdlg_agent_dispatch(agent), OK);
    assert!(is_readable(fd, 0), "a transmit waits");
    assert_eq!(drain_transmits(agent), 1);
    assert!(!is_readable(fd, 0));
    receive(agent);
    assert!(is_readable(fd, 0));
    assert_eq!(sipdlg_agent_dispatch(agent), OK);
    drain_transmits(agent);
    assert!(!is_readable(fd, 0));
    assert_eq!(sipdlg_agent_wake(agent), OK);
    assert!(is_readable(fd, 0), "woken");
    let mut event = event();
    // SAFETY: its size is set.
    assert_eq!(unsafe { sipdlg_agent_poll_event(agent, &raw mut event) }, NONE);
    assert!(!is_readable(fd, 0), "once");
    assert_eq!(sipdlg_agent_free(agent), OK);
}

static RELEASED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

unsafe extern "C" fn release(user: *mut c_void) {
    RELEASED.lock().expect("no panic before").push(user as usize);
}

fn released(number: usize) -> usize {
    RELEASED.lock().expect("no panic before").iter().filter(|user| **user == number).count()
}

#[test]
fn user_pointers_are_released_once() {
    let agent = agent(|_| ());
    let user = |number: usize| number as *mut c_void;
    assert_eq!(sipdlg_agent_set_user(agent, user(101), Some(release)), OK);
    assert_eq!(sipdlg_agent_user(agent), user(101));
    assert_eq!(sipdlg_agent_set_user(agent, user(102), Some(release)), OK);
    assert_eq!(released(101), 0, "runs where callbacks run");
    assert_eq!(sipdlg_agent_dispatch(agent), OK);
    assert_eq!((released(101), released(102)), (1, 0));
    assert_eq!(sipdlg_agent_free(agent), OK);
    assert_eq!((released(101), released(102)), (1, 1));
    assert_eq!(sipdlg_agent_user(agent), null_mut());
    assert_eq!(sipdlg_agent_set_user(agent, user(103), Some(release)), STALE);
    assert_eq!(released(103), 0, "never when the call fails");
}

#[test]
fn free_inside_a_callback_takes_effect_when_it_returns() {
    let drive: [fn(sipdlg_agent_t); 2] =
        [|agent| assert_eq!(sipdlg_agent_dispatch(agent), OK), |agent| assert_eq!(sipdlg_agent_run_once(agent, 0), OK)];
    for (number, drive) in (201..).zip(drive) {
        let agent = agent(move |event| {
            assert_eq!(sipdlg_agent_free(event.agent), OK);
            assert_eq!(released(number), 0);
            assert_eq!(sipdlg_agent_set_user(event.agent, number as *mut c_void, Some(release)), OK, "not yet");
        });
        receive(agent);
        receive(agent);
        drive(agent);
        assert_eq!(released(number), 1);
        assert_eq!(sipdlg_agent_free(agent), STALE);
        assert_eq!(sipdlg_agent_dispatch(agent), STALE);
    }
}

#[test]
fn free_inside_a_callback_of_the_delivery_thread() {
    let (sender, ended) = channel::<()>();
    unsafe extern "C" fn tell(user: *mut c_void) {
        // SAFETY: the box was given away by the test for this one call.
        let sender = unsafe { Box::from_raw(user.cast::<Sender<()>>()) };
        sender.send(()).expect("a listener");
    }
    let agent = agent(|event| assert_eq!(sipdlg_agent_free(event.agent), OK));
    assert_eq!(sipdlg_agent_set_user(agent, Box::into_raw(Box::new(sender)).cast(), Some(tell)), OK);
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    assert_eq!(sipdlg_agent_start(agent, 1, 1), OK);
    Peer::new().ask(agent);
    ended.recv_timeout(Duration::from_secs(20)).expect("released");
    assert_eq!(sipdlg_agent_dispatch(agent), STALE);
}

/// A callback that says that it runs and stays until it is let go.
fn gate() -> (impl Fn(&sipdlg_event_t) + Send + Sync + 'static, Receiver<()>, Sender<()>, Arc<AtomicBool>) {
    let ((entered, inside), (open, gate)) = (channel(), channel::<()>());
    let returned = Arc::new(AtomicBool::new(false));
    let (gate, flag) = (Mutex::new(gate), Arc::clone(&returned));
    let act = move |_: &sipdlg_event_t| {
        entered.send(()).expect("a listener");
        gate.lock().expect("no panic before").recv().expect("let go");
        flag.store(true, Ordering::SeqCst);
    };
    (act, inside, open, returned)
}

#[test]
fn free_waits_for_a_callback_of_another_thread() {
    let (act, inside, open, returned) = gate();
    let agent = agent(act);
    receive(agent);
    let driver = thread::spawn(move || sipdlg_agent_dispatch(agent));
    inside.recv().expect("in the callback");
    let freer = thread::spawn(move || {
        let status = sipdlg_agent_free(agent);
        (status, returned.load(Ordering::SeqCst))
    });
    open.send(()).expect("a listener");
    assert_eq!(freer.join().expect("no panic"), (OK, true));
    assert_eq!(driver.join().expect("no panic"), OK);
    assert_eq!(sipdlg_agent_free(agent), STALE);
}

#[test]
fn free_never_waits_inside_a_callback_of_another_agent() {
    let (act, inside, open, _) = gate();
    let slow = agent(act);
    receive(slow);
    let driver = thread::spawn(move || sipdlg_agent_dispatch(slow));
    inside.recv().expect("in the callback");
    let idle = agent(|_| ());
    let other = agent(move |_| {
        // Would never return if it waited: the gate is opened after it.
        assert_eq!(sipdlg_agent_free(slow), OK);
        assert_eq!(sipdlg_agent_free(idle), OK);
    });
    receive(other);
    assert_eq!(sipdlg_agent_dispatch(other), OK);
    assert_eq!(sipdlg_agent_free(idle), STALE);
    open.send(()).expect("a listener");
    assert_eq!(driver.join().expect("no panic"), OK);
    assert_eq!(sipdlg_agent_free(slow), STALE);
    assert_eq!(sipdlg_agent_free(other), OK);
}

#[test]
fn free_ends_a_wait_of_another_thread() {
    let agent = agent(|_| ());
    let (ready, go) = channel();
    let waiter = thread::spawn(move || {
        ready.send(()).expect("a listener");
        sipdlg_agent_run_once(agent, -1)
    });
    go.recv().expect("started");
    assert_eq!(sipdlg_agent_free(agent), OK);
    let status = waiter.join().expect("no panic");
    assert!(status == OK || status == STALE, "{status}");
}

#[test]
fn tokens_are_checked_and_never_good_again() {
    let mut stats: sipdlg_stats_t = {
        // SAFETY: all zero is a value.
        unsafe { mem::zeroed() }
    };
    stats.size = size_of::<sipdlg_stats_t>();
    let mut old = Vec::new();
    for _ in 0..50 {
        let agent = agent(|_| ());
        assert!(!old.contains(&agent));
        assert_eq!(sipdlg_session_state(agent), KIND);
        assert_eq!(sipdlg_incoming_dispose(agent), KIND);
        assert_eq!(sipdlg_outgoing_state(agent), KIND);
        assert_eq!(sipdlg_session_dispose(agent), KIND);
        for former in &old {
            // SAFETY: its size is set.
            assert_eq!(unsafe { sipdlg_agent_stats(*former, &raw mut stats) }, STALE);
        }
        assert_eq!(sipdlg_agent_free(agent), OK);
        old.push(agent);
    }
    for wild in [0, 1, u64::MAX, 1 << 62, 1 << 63, 3 << 62 | 1 << 52 | 1 << 22] {
        // SAFETY: its size is set.
        assert_eq!(unsafe { sipdlg_agent_stats(wild, &raw mut stats) }, KIND, "{wild:x}");
        assert!([KIND, STALE].contains(&sipdlg_session_state(wild)), "{wild:x}");
        assert!([KIND, STALE].contains(&sipdlg_agent_free(wild)), "{wild:x}");
    }
}

#[test]
fn a_child_process_cannot_use_an_inherited_agent() {
    let agent = agent(|_| ());
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    assert_eq!(sipdlg_agent_start(agent, 1, 1), OK);
    // SAFETY: the child calls this library and _exit only.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut own = 0;
        // SAFETY: out-parameters of ours.
        let good = unsafe {
            sipdlg_agent_dispatch(agent) == FORKED
                && sipdlg_agent_wake(agent) == FORKED
                && sipdlg_agent_run_once(agent, -1) == FORKED
                && sipdlg_agent_stop(agent) == FORKED
                && sipdlg_agent_free(agent) == OK
                && sipdlg_agent_free(agent) == STALE
                && sipdlg_agent_new(null(), &raw mut own) == OK
                && own != agent
                && sipdlg_agent_run_once(own, 0) == OK
                && sipdlg_agent_free(own) == OK
        };
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(if good { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    assert_eq!(sipdlg_agent_wake(agent), OK, "the parent's goes on");
    assert_eq!(sipdlg_agent_free(agent), OK);
}

/// Several threads call into an agent while its threads run, and it is freed under them.
#[test]
fn many_threads_at_once() {
    for deliver in [0, 1, 0, 1] {
        let agent = agent(answer);
        assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
        assert_eq!(sipdlg_agent_start(agent, 1, deliver), OK);
        let answered = Arc::new(AtomicUsize::new(0));
        let peers: Vec<_> = (0..2)
            .map(|_| {
                let answered = Arc::clone(&answered);
                thread::spawn(move || {
                    let peer = Peer::new();
                    for _ in 0..50 {
                        peer.ask(agent);
                        assert!(peer.answer().contains("OPTIONS"));
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let callers: Vec<_> = (0..3)
            .map(|_| {
                thread::spawn(move || {
                    let mut calls = 0;
                    loop {
                        let mut next = 0;
                        // SAFETY: the out-parameter is ours.
                        let status = unsafe { sipdlg_agent_next_session(agent, 0, &raw mut next) };
                        if deliver == 0 {
                            sipdlg_agent_dispatch(agent);
                        }
                        sipdlg_agent_wake(agent);
                        calls += 1;
                        if status == STALE {
                            return calls;
                        }
                        assert!(status == NONE || status == OK, "{status}");
                    }
                })
            })
            .collect();
        for peer in peers {
            peer.join().expect("no panic");
        }
        assert_eq!(answered.load(Ordering::SeqCst), 100);
        assert_eq!(sipdlg_agent_free(agent), OK);
        for caller in callers {
            assert!(caller.join().expect("no panic") > 0);
        }
    }
}

/// The first answers and takes its time; the second does not return before the peer has that answer.
#[test]
fn a_message_does_not_wait_for_the_callbacks_after_a_slow_one() {
    let (arrived, arrival) = channel::<()>();
    let (told, result) = channel();
    let (arrival, calls) = (Mutex::new(arrival), AtomicUsize::new(0));
    let agent = agent(move |event| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(20) {
                thread::yield_now();
            }
            answer(event);
        } else {
            let arrival = arrival.lock().expect("no panic before");
            told.send(arrival.recv_timeout(Duration::from_secs(10)).is_ok()).expect("a listener");
            answer(event);
        }
    });
    assert_eq!(listen(agent, "udp:127.0.0.1:0"), OK);
    let peer = Peer::new();
    peer.ask(agent);
    peer.ask(agent);
    assert_eq!(sipdlg_agent_start(agent, 1, 1), OK);
    let reader = thread::spawn(move || {
        assert!(peer.answer().contains("OPTIONS"));
        arrived.send(()).expect("a listener");
        assert!(peer.answer().contains("OPTIONS"));
    });
    assert_eq!(result.recv(), Ok(true));
    reader.join().expect("no panic");
    assert_eq!(sipdlg_agent_free(agent), OK);
}

/// A release function that tells the name of its thread.
unsafe extern "C" fn tell(user: *mut c_void) {
    // SAFETY: the box was given away by the test for this one call.
    let sender = unsafe { Box::from_raw(user.cast::<Sender<Option<String>>>()) };
    sender.send(thread::current().name().map(str::to_owned)).expect("a listener");
}

/// An agent with that release function.
fn telling(agent: sipdlg_agent_t) -> Receiver<Option<String>> {
    let (sender, ended) = channel::<Option<String>>();
    assert_eq!(sipdlg_agent_set_user(agent, Box::into_raw(Box::new(sender)).cast(), Some(tell)), OK);
    ended
}

/// Where only the network's thread drives, they run inside the call that frees; inside a callback of another agent,
/// which cannot wait, on a thread of their own.
#[test]
fn free_leaves_nothing_of_the_host_to_the_network_thread() {
    for deliver in [0, 1] {
        for _ in 0..50 {
            let freed = agent(|_| ());
            let ended = telling(freed);
            assert_eq!(sipdlg_agent_start(freed, 1, deliver), OK);
            assert_eq!(sipdlg_agent_free(freed), OK);
            let name = ended.try_recv().expect("released when free returns");
            assert_eq!(name.as_deref(), thread::current().name());

            let freed = agent(|_| ());
            let ended = telling(freed);
            assert_eq!(sipdlg_agent_start(freed, 1, deliver), OK);
            let other = agent(move |_| assert_eq!(sipdlg_agent_free(freed), OK));
            receive(other);
            assert_eq!(sipdlg_agent_dispatch(other), OK);
            let name = ended.recv_timeout(Duration::from_secs(20)).expect("released");
            assert_ne!(name.as_deref(), Some("sipdlg-network"));
            assert_eq!(sipdlg_agent_free(other), OK);
        }
    }
}

/// Release functions are the host's: they run where callbacks run, never on the thread of the network.
#[test]
fn free_inside_a_callback_leaves_nothing_of_the_host_to_the_network_thread() {
    for deliver in [0, 1] {
        for _ in 0..100 {
            let agent = agent(|event| assert_eq!(sipdlg_agent_free(event.agent), OK));
            let ended = telling(agent);
            receive(agent);
            assert_eq!(sipdlg_agent_start(agent, 1, deliver), OK);
            if deliver == 0 {
                assert_eq!(sipdlg_agent_dispatch(agent), OK);
            }
            let name = ended.recv_timeout(Duration::from_secs(20)).expect("released");
            assert_ne!(name.as_deref(), Some("sipdlg-network"));
        }
    }
}

/// A stop or an end that comes while the threads are being started is not forgotten.
#[test]
fn free_and_stop_while_another_thread_starts() {
    for round in 0..300 {
        let agent = agent(|_| ());
        let starter = thread::spawn(move || sipdlg_agent_start(agent, 1, 1));
        let stopper = (round % 2 == 0).then(|| thread::spawn(move || sipdlg_agent_stop(agent)));
        receive(agent);
        if let Some(stopper) = stopper {
            assert_eq!(stopper.join().expect("no panic"), OK);
        }
        assert_eq!(sipdlg_agent_free(agent), OK);
        let status = starter.join().expect("no panic");
        assert!([OK, STALE, BUSY].contains(&status), "{status}");
    }
}
