//! Peers that are not there, as ICMP says of closed ports on loopback (RFC 3261 §18.4).
#![cfg(all(feature = "runtime", target_os = "linux"))]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::session::requests::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CString, c_void};
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ACCEPT: i32 = 22;
const REJECT: i32 = 24;
const TERMINATED: i32 = 33;
const RESOLVE: i32 = 40;

/// What an agent was told, and where every name leads.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<(i32, i32)>>,
    session: Mutex<sipdlg_session_t>,
    targets: Mutex<Vec<sipdlg_flow_t>>,
}

unsafe extern "C" fn note(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's.
    let (told, event) = unsafe { (&*user.cast::<Told>(), &*event) };
    if event.kind == RESOLVE {
        let targets = told.targets.lock().expect("no panic before");
        // SAFETY: so many flows.
        assert_eq!(unsafe { sipdlg_agent_resolved(event.agent, event.query, targets.as_ptr(), targets.len()) }, 0);
        return;
    }
    if event.session != 0 {
        *told.session.lock().expect("no panic before") = event.session;
    }
    told.events.lock().expect("no panic before").push((event.kind, event.status_code));
    // SAFETY: the library's event.
    assert_eq!(unsafe { sipdlg_event_default(event) }, 0);
}

struct Ours {
    agent: sipdlg_agent_t,
    told: &'static Told,
    delegate: sipdlg_delegate_t,
}

impl Ours {
    fn new(address: &str) -> Option<Self> {
        let told: &'static Told = Box::leak(Box::default());
        let (mut agent, address) = (0, CString::new(address).expect("text"));
        // SAFETY: all zero is a delegate without functions; pointers are ours.
        unsafe {
            assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
            let mut delegate: sipdlg_delegate_t = mem::zeroed();
            delegate.size = size_of::<sipdlg_delegate_t>();
            delegate.user = std::ptr::from_ref(told).cast_mut().cast();
            delegate.on_accept = Some(note);
            delegate.on_reject = Some(note);
            delegate.on_terminated = Some(note);
            delegate.on_resolve = Some(note);
            assert_eq!(sipdlg_agent_set_delegate(agent, &raw const delegate), 0);
            let ours = Self { agent, told, delegate };
            (sipdlg_agent_listen(agent, address.as_ptr()) == 0).then_some(ours)
        }
    }

    fn ask(&self, method: &str, target: &str) {
        let (method, target) = (CString::new(method).expect("text"), CString::new(target).expect("text"));
        // SAFETY: all zero is a set of options; all pointers are ours.
        let status = unsafe {
            let mut options: sipdlg_request_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_request_options_t>();
            options.delegate = &raw const self.delegate;
            if method.as_bytes() == b"INVITE" {
                let sdp = c"v=0\r\n";
                options.body.data = sdp.as_ptr().cast();
                options.body.len = sdp.to_bytes().len();
                options.body.content_type = c"application/sdp".as_ptr();
                sipdlg_agent_invite(self.agent, target.as_ptr(), &raw const options, null_mut())
            } else {
                sipdlg_agent_request(self.agent, method.as_ptr(), target.as_ptr(), &raw const options, null_mut())
            }
        };
        assert_eq!(status, 0);
    }

    /// Turns until it was told so; how long that took.
    fn until_told(&self, event: (i32, i32), mut meanwhile: impl FnMut()) -> Duration {
        let begin = Instant::now();
        while !self.told(event) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{event:?}: {:?}", self.told.events);
            assert_eq!(sipdlg_agent_run_once(self.agent, 10), 0);
            meanwhile();
        }
        self.told.events.lock().expect("no panic before").clear();
        begin.elapsed()
    }

    fn told(&self, event: (i32, i32)) -> bool {
        self.told.events.lock().expect("no panic before").contains(&event)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        assert_eq!(sipdlg_agent_free(self.agent), 0);
    }
}

/// Sooner than T1, and long before 64*T1.
const AT_ONCE: Duration = Duration::from_millis(400);

/// A port on which nobody listens any more.
fn nobody(ip: &str) -> SocketAddr {
    UdpSocket::bind(format!("{ip}:0")).expect("a socket").local_addr().expect("bound")
}

/// Answers all that waits with 200.
fn answer(peer: &UdpSocket) {
    let mut buffer = [0; 4_096];
    while let Ok((len, from)) = peer.recv_from(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..len]).into_owned();
        if request.starts_with("ACK") {
            continue;
        }
        let is_invite = request.starts_with("INVITE");
        let mut reply = "SIP/2.0 200 OK\r\n".to_owned();
        for line in request.split("\r\n").take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            if ["Via", "From", "Call-ID", "CSeq"].contains(&name) {
                reply += &format!("{line}\r\n");
            } else if name == "To" {
                reply += &format!("{line}{}\r\n", if line.contains("tag=") { "" } else { ";tag=peer" });
            }
        }
        let contact = peer.local_addr().expect("bound");
        reply += &format!("Contact: <sip:peer@{contact}>\r\n");
        let body = if is_invite { "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n" } else { "\r\n" };
        peer.send_to((reply + body).as_bytes(), from).expect("sent");
    }
}

fn peer(ip: &str) -> UdpSocket {
    let peer = UdpSocket::bind(format!("{ip}:0")).expect("a socket");
    peer.set_nonblocking(true).expect("it does not block");
    peer
}

#[test]
fn nobody_there_is_a_503_at_once() {
    for ip in ["127.0.0.1", "[::1]"] {
        let Some(ours) = Ours::new(&format!("udp:{ip}:0")) else {
            assert_ne!(ip, "127.0.0.1");
            continue;
        };
        for method in ["INVITE", "OPTIONS"] {
            ours.ask(method, &format!("sip:bob@{}", nobody(ip)));
            let took = ours.until_told((REJECT, 503), || {});
            assert!(took < AT_ONCE, "{ip} {method}: {took:?}");
        }
    }
}

/// An error for one peer is none for another, whatever is sent at the same time.
#[test]
fn others_are_not_touched() {
    let ours = Ours::new("udp:127.0.0.1:0").expect("a socket");
    let peer = peer("127.0.0.1");
    for _ in 0..20 {
        for number in 0..10 {
            let to = if number % 2 == 0 { nobody("127.0.0.1") } else { peer.local_addr().expect("bound") };
            ours.ask("OPTIONS", &format!("sip:bob@{to}"));
        }
        let count = |told: (i32, i32)| {
            ours.told.events.lock().expect("no panic before").iter().filter(|event| **event == told).count()
        };
        let begin = Instant::now();
        while count((REJECT, 503)) < 5 || count((ACCEPT, 200)) < 5 {
            assert!(begin.elapsed() < AT_ONCE, "{:?}", ours.told.events);
            assert_eq!(sipdlg_agent_run_once(ours.agent, 10), 0);
            answer(&peer);
        }
        assert_eq!((count((REJECT, 503)), count((ACCEPT, 200))), (5, 5));
        ours.told.events.lock().expect("no panic before").clear();
    }
}

#[test]
fn the_next_target_is_tried_at_once() {
    for method in ["INVITE", "OPTIONS"] {
        let ours = Ours::new("udp:127.0.0.1:0").expect("a socket");
        let peer = peer("127.0.0.1");
        for target in [nobody("127.0.0.1"), peer.local_addr().expect("bound")] {
            // SAFETY: all zero is a flow, of which these are read.
            let mut flow: sipdlg_flow_t = unsafe { mem::zeroed() };
            flow.transport = 1;
            flow.remote = sipdlg_endpoint_t {
                ip: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                scope: 0,
                port: target.port(),
                family: 4,
            };
            ours.told.targets.lock().expect("no panic before").push(flow);
        }
        ours.ask(method, "sip:bob@gw.example");
        let took = ours.until_told((ACCEPT, 200), || answer(&peer));
        assert!(took < AT_ONCE, "{method}: {took:?}");
    }
}

/// It ends no call by itself; the BYE that follows ends it at once.
#[test]
fn a_peer_that_is_gone_in_a_call() {
    let ours = Ours::new("udp:127.0.0.1:0").expect("a socket");
    let peer = peer("127.0.0.1");
    ours.ask("INVITE", &format!("sip:bob@{}", peer.local_addr().expect("bound")));
    ours.until_told((ACCEPT, 200), || answer(&peer));
    let session = *ours.told.session.lock().expect("no panic before");
    let end = Instant::now() + Duration::from_millis(100);
    while Instant::now() < end {
        assert_eq!(sipdlg_agent_run_once(ours.agent, 10), 0);
        answer(&peer);
    }
    drop(peer);
    // SAFETY: all zero is a set of options; all pointers are ours.
    let info = || unsafe {
        let mut options: sipdlg_request_options_t = mem::zeroed();
        options.size = size_of::<sipdlg_request_options_t>();
        options.delegate = &raw const ours.delegate;
        sipdlg_session_info(session, &raw const options, null_mut())
    };
    for _ in 0..2 {
        assert_eq!(info(), 0, "the call is there");
        let took = ours.until_told((REJECT, 503), || {});
        assert!(took < AT_ONCE, "{took:?}");
    }
    // SAFETY: no options.
    assert_eq!(unsafe { sipdlg_session_hangup(session, 0, null()) }, 0);
    let begin = Instant::now();
    let ended = || ours.told.events.lock().expect("no panic before").iter().any(|event| event.0 == TERMINATED);
    while !ended() {
        assert!(begin.elapsed() < AT_ONCE);
        assert_eq!(sipdlg_agent_run_once(ours.agent, 10), 0);
    }
}
