//! New calls by the sockets of the library, as fast as loopback brings them, and INFO in a hundred calls meanwhile.

use crate::house::{CALLS, CONTACT, TO, request, value, with_sdp};
use sipdlg::ffi::agent::*;
use sipdlg::ffi::incoming::{sipdlg_incoming_accept, sipdlg_incoming_reject};
use sipdlg::ffi::message::sipdlg_message_header;
use sipdlg::ffi::runtime::*;
use sipdlg::ffi::structs::*;
use std::ffi::{CStr, c_void};
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Of the flood, and of the quiet time before it.
const LASTS: Duration = Duration::from_secs(4);
/// RFC 3261 §17.1.2.1, timer E: an INFO without answer comes again.
const T1: Duration = Duration::from_millis(500);

unsafe extern "C" fn on_invite(_: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: the library's event; NULL is allowed.
    unsafe {
        let event = &*event;
        if is_of_ours(event.message) {
            let body = sipdlg_body_t {
                data: ANSWER.as_ptr().cast(),
                len: ANSWER.count_bytes(),
                content_type: null(),
                disposition: null(),
            };
            let mut options: sipdlg_response_options_t = mem::zeroed();
            options.size = size_of::<sipdlg_response_options_t>();
            options.body = body;
            sipdlg_incoming_accept(event.incoming, 200, &raw const options, null_mut());
        } else {
            sipdlg_incoming_reject(event.incoming, 486, null());
        }
    }
}

const ANSWER: &CStr = c"v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

unsafe fn is_of_ours(message: *const sipdlg_message_t) -> bool {
    // SAFETY: the message of an event, and a text of ours.
    unsafe {
        let mut text: sipdlg_str_t = mem::zeroed();
        sipdlg_message_header(message, c"Call-ID".as_ptr(), 0, &raw mut text);
        !text.data.is_null() && std::slice::from_raw_parts(text.data.cast::<u8>(), text.len).starts_with(b"call-")
    }
}

/// How long INFOs took, sorted, in microseconds.
pub struct Meanwhile {
    pub quiet: Vec<u64>,
    pub flooded: Vec<u64>,
    pub sent: u64,
    pub received: u64,
    pub dropped: u64,
}

pub fn run() -> Meanwhile {
    let mut agent = 0;
    // SAFETY: NULL is allowed; texts, structs and out-parameters are ours.
    let to = unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
        let mut delegate: sipdlg_delegate_t = mem::zeroed();
        delegate.size = size_of::<sipdlg_delegate_t>();
        delegate.on_invite = Some(on_invite);
        assert_eq!(sipdlg_agent_set_delegate(agent, &raw const delegate), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        let (mut buffer, mut needed) = ([0_u8; 64], 0);
        sipdlg_agent_local_address(agent, 0, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut needed);
        assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
        let text = std::str::from_utf8(&buffer[..needed]).expect("text").strip_prefix("udp:").expect("udp");
        text.parse::<SocketAddr>().expect("an address")
    };
    let mut talker = Talker::new(to);
    talker.call();
    let quiet = talker.talk(Instant::now() + LASTS / 4);
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flooder = thread::spawn({
        let (over, sent) = (Arc::clone(&over), Arc::clone(&sent));
        move || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let from = socket.local_addr().expect("bound").to_string();
            while !over.load(Ordering::Relaxed) {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                let text = with_sdp(&request("INVITE", &format!("n{number}"), TO, 1, CONTACT));
                // The system may have no room for it.
                let _ = socket.send_to(text.replace("203.0.113.9", &from).as_bytes(), to);
            }
        }
    });
    let flooded = talker.talk(Instant::now() + LASTS);
    over.store(true, Ordering::Relaxed);
    flooder.join().expect("it has not panicked");
    // SAFETY: an out-parameter of ours.
    let stats = unsafe {
        let mut stats: sipdlg_stats_t = mem::zeroed();
        stats.size = size_of::<sipdlg_stats_t>();
        assert_eq!(sipdlg_agent_stats(agent, &raw mut stats), 0);
        stats
    };
    assert_eq!(sipdlg_agent_free(agent), 0);
    Meanwhile {
        quiet,
        flooded,
        sent: sent.load(Ordering::Relaxed),
        received: stats.messages_received,
        dropped: stats.dropped_behind,
    }
}

/// A peer with a hundred calls.
struct Talker {
    socket: UdpSocket,
    from: String,
    calls: Vec<(String, u32)>,
}

impl Talker {
    fn new(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(to).expect("a local peer");
        socket.set_read_timeout(Some(T1)).expect("a time-out");
        let from = socket.local_addr().expect("bound").to_string();
        Self { socket, from, calls: Vec::new() }
    }

    fn say(&self, text: &str) {
        self.socket.send(text.replace("203.0.113.9", &self.from).as_bytes()).expect("sent");
    }

    /// Waits for a response like this; `None`: it does not come in T1.
    fn hear(&self, start: &str, cseq: &str, call: &str) -> Option<String> {
        let mut buffer = [0; 4_096];
        let since = Instant::now();
        while since.elapsed() < T1 {
            let Ok(len) = self.socket.recv(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            if text.starts_with(start) && value(&text, "CSeq") == cseq && value(&text, "Call-ID") == call {
                return Some(text);
            }
        }
        None
    }

    fn call(&mut self) {
        for number in 0..CALLS {
            let name = format!("call-{number}");
            self.say(&with_sdp(&request("INVITE", &name, TO, 1, CONTACT)));
            let ok = self.hear("SIP/2.0 200", "1 INVITE", &name).expect("it is accepted");
            let to = value(&ok, "To").to_owned();
            self.say(&request("ACK", &name, &to, 1, ""));
            self.calls.push((to, 1));
        }
    }

    /// An INFO after the other, a millisecond apart; how long each took until its answer.
    fn talk(&mut self, until: Instant) -> Vec<u64> {
        let mut took = Vec::new();
        while Instant::now() < until {
            let number = took.len() % CALLS;
            let Some((to, cseq)) = self.calls.get_mut(number) else { break };
            *cseq += 1;
            let (name, cseq) = (format!("call-{number}"), *cseq);
            let text = request("INFO", &name, to, cseq, "");
            let since = Instant::now();
            for _ in 0..20 {
                self.say(&text);
                if self.hear("SIP/2.0 200", &format!("{cseq} INFO"), &name).is_some() {
                    break;
                }
            }
            took.push(since.elapsed().as_micros() as u64);
            thread::sleep(Duration::from_millis(1));
        }
        took.sort_unstable();
        took
    }
}
