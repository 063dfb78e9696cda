//! An agent with a hundred calls that stand, in virtual time, and what each message costs it: the processor time of this
//! thread, so that what else the machine does is not counted.

use crate::counting;
use sipdlg::agent::{Agent, Body, EventKind, RequestOptions, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

pub const CALLS: usize = 100;
pub const SDP: &str = "v=0\r\no=x 1 1 IN IP4 203.0.113.9\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const TO: &str = "<sip:alice@example.com>";
pub const CONTACT: &str = "Contact: <sip:x@203.0.113.9>\r\n";

/// What the host does with an INVITE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Accepts,
    Rings,
    Waits,
    Rejects,
}

/// A message, and the link that it comes on: 1 is UDP, all others TCP.
pub type Input = (u64, Vec<u8>);

pub struct House {
    pub agent: Agent,
    micros: u64,
    pub answers: Answers,
    /// Whether the host looks at its events.
    pub polls: bool,
    /// Call-ID, To with our tag, last CSeq.
    calls: Vec<(String, String, u32)>,
    /// Nanoseconds of all messages, and how many.
    messages: (u64, u64),
    /// Of all timers that fired.
    timers: (u64, u64),
    infos: Vec<u64>,
    /// Bytes that the allocator had given out: before the flood, and most.
    base: isize,
    top: isize,
}

/// What a flood did.
pub struct Result {
    pub message_ns: f64,
    pub timer_ns: f64,
    pub timers: u64,
    /// Nanoseconds, sorted.
    pub infos: Vec<u64>,
    /// Beyond what was held before: at the top, after the last timer, and when room was given back.
    pub top: isize,
    pub after: isize,
    pub trimmed: isize,
    pub left: [u64; 5],
    pub refused: u64,
}

impl House {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(mut config: Config) -> Self {
        config.set_aor(b"sip:alice@example.com").expect("an address");
        let mut agent = Agent::new(config, [3; 32], Now::default());
        let local: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
        for (link, transport) in [(1, Transport::Udp), (2, Transport::Tcp)] {
            agent.add_transport(&Flow { link, ..Flow::new(transport, Some(local), None) }, None).expect("a transport");
        }
        let mut house = Self {
            agent,
            micros: 0,
            answers: Answers::Accepts,
            polls: true,
            calls: Vec::new(),
            messages: (0, 0),
            timers: (0, 0),
            infos: Vec::with_capacity(1 << 16),
            base: 0,
            top: 0,
        };
        for number in 0..CALLS {
            let name = format!("call-{number}");
            let to = house.call(&name, 1);
            house.calls.push((name, to, 1));
        }
        house.pass(40_000_000);
        house.agent.trim();
        house.base = counting::held();
        house.top = house.base;
        (house.messages, house.timers) = ((0, 0), (0, 0));
        house
    }

    fn now(&self) -> Now {
        Now { monotonic: Time::from_micros(self.micros), unix_us: self.micros }
    }

    /// A call of a peer's stands; To with our tag.
    pub fn call(&mut self, name: &str, link: u64) -> String {
        self.receive(link, with_sdp(&request("INVITE", name, TO, 1, CONTACT)).as_bytes());
        let sent = self.settle();
        let ok = sent.iter().find(|text| text.starts_with("SIP/2.0 200")).expect("it is accepted");
        let to = value(ok, "To").to_owned();
        self.receive(link, request("ACK", name, &to, 1, "").as_bytes());
        self.settle();
        to
    }

    pub fn receive(&mut self, link: u64, bytes: &[u8]) {
        let [local, remote] = ["192.0.2.1:5060", "203.0.113.9:5060"].map(|text| text.parse().ok());
        let transport = if link == 1 { Transport::Udp } else { Transport::Tcp };
        let now = self.now();
        // Whoever floods a stream may lose it.
        let _ = self.agent.receive(now, &Flow { link, ..Flow::new(transport, local, remote) }, bytes);
    }

    /// What the agent sends, as text.
    pub fn settle(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        self.drain(|bytes| sent.push(String::from_utf8_lossy(bytes).into_owned()));
        sent
    }

    fn drain(&mut self, mut sent: impl FnMut(&[u8])) {
        loop {
            while let Some(transmit) = self.agent.poll_transmit() {
                sent(&transmit.bytes);
            }
            if !self.polls {
                return;
            }
            let Some(event) = self.agent.poll_event() else { return };
            let now = self.now();
            let (kind, incoming) = (event.kind, event.incoming);
            match (kind, incoming, self.answers) {
                (EventKind::Invite, Some(_), Answers::Waits) => {}
                (EventKind::Invite, Some(id), Answers::Rings) => {
                    let _ = self.agent.progress(now, id, 180, &ResponseOptions::default());
                }
                (EventKind::Invite | EventKind::Reinvite | EventKind::Update, Some(id), Answers::Accepts) => {
                    let body = Body { content: SDP.as_bytes(), content_type: None, disposition: None };
                    let body = event.message.as_ref().and_then(|message| message.body_view()).map(|_| body);
                    let _ = self.agent.accept(now, id, 200, &ResponseOptions { body, ..ResponseOptions::default() });
                }
                (EventKind::Refer, Some(id), _) => {
                    let _ = self.agent.accept(now, id, 200, &ResponseOptions::default());
                }
                _ => drop(self.agent.event_default(now, &event)),
            }
        }
    }

    /// A call of our own; its INVITE.
    pub fn invite(&mut self) -> String {
        let now = self.now();
        let body = Body { content: SDP.as_bytes(), content_type: None, disposition: None };
        let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
        self.agent.invite(now, Some(b"sip:bob@203.0.113.9"), options).expect("it goes out");
        self.settle().into_iter().find(|text| text.starts_with("INVITE")).expect("an INVITE")
    }

    /// Ends all calls but the hundred.
    pub fn hang_up_others(&mut self) {
        let mut last = None;
        let mut all = Vec::new();
        while let Some(id) = self.agent.next_session(last) {
            last = Some(id);
            all.push(id);
        }
        let others = all
            .into_iter()
            .filter(|id| self.agent.session(*id).is_ok_and(|session| !session.call_id().starts_with(b"call-")));
        for id in others.collect::<Vec<_>>() {
            let now = self.now();
            let _ = self.agent.hangup(now, id, 0, RequestOptions::default());
            self.drain(|_| {});
            // Else all their timers would be due at once, and count as one.
            self.pass(100);
        }
    }

    pub fn close(&mut self, link: u64) {
        let now = self.now();
        let before = cpu();
        self.agent.link_closed(now, link);
        self.drain(|_| {});
        self.messages.0 += cpu() - before;
    }

    /// The flood: so many messages, `each` microseconds apart, an INFO in a call that stands after every tenth.
    pub fn flood(&mut self, count: usize, each: u64, make: &mut dyn FnMut(usize) -> Input) {
        const PIECE: usize = 10;
        for start in (0..count).step_by(PIECE) {
            let texts: Vec<Input> = (start..count.min(start + PIECE)).map(&mut *make).collect();
            // What the harness itself holds is not the agent's.
            let own = texts.iter().map(|(_, text)| text.capacity() as isize).sum::<isize>();
            let before = cpu();
            for (link, text) in &texts {
                self.receive(*link, text);
                self.drain(|_| {});
            }
            self.messages.0 += cpu() - before;
            self.messages.1 += texts.len() as u64;
            self.top = self.top.max(counting::held() - own);
            drop(texts);
            self.info(start / PIECE % CALLS);
            self.pass(each * PIECE as u64);
        }
    }

    /// An INFO in a call that stands is answered at once, or when the host looks.
    fn info(&mut self, call: usize) {
        let polls = self.polls;
        let Some((name, to, cseq)) = self.calls.get_mut(call) else { return };
        *cseq += 1;
        let text = request("INFO", name, to, *cseq, "");
        let mut answered = false;
        let before = cpu();
        self.receive(1, text.as_bytes());
        self.drain(|bytes| answered |= bytes.starts_with(b"SIP/2.0 200"));
        self.infos.push(cpu() - before);
        assert!(answered || !polls, "INFO of {call} has no answer");
    }

    /// Time passes.
    pub fn pass(&mut self, micros: u64) {
        let end = self.micros + micros;
        let before = cpu();
        let mut fired = 0;
        while let Some(due) = self.agent.next_timeout().map(Time::as_micros).filter(|due| *due <= end) {
            self.micros = self.micros.max(due);
            let now = self.now();
            self.agent.handle_timeout(now);
            self.drain(|_| {});
            fired += 1;
        }
        if fired > 0 {
            self.timers = (self.timers.0 + cpu() - before, self.timers.1 + fired);
            self.top = self.top.max(counting::held());
        }
        self.micros = end;
    }

    /// All of it is over.
    pub fn end(mut self) -> Result {
        self.polls = true;
        self.settle();
        for _ in 0..100 {
            self.pass(10_000_000);
        }
        let stats = self.agent.stats();
        // The list of what INFO took is the harness's, and as large as ever.
        let after = counting::held() - self.base;
        self.agent.trim();
        let trimmed = counting::held() - self.base;
        self.infos.sort_unstable();
        let per = |(nanos, count): (u64, u64)| nanos as f64 / count.max(1) as f64;
        Result {
            message_ns: per(self.messages),
            timer_ns: per(self.timers),
            timers: self.timers.1,
            infos: std::mem::take(&mut self.infos),
            top: self.top - self.base,
            after,
            trimmed,
            left: [stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers],
            refused: stats.answered_limit + stats.dropped_limit,
        }
    }
}

/// Nanoseconds that this thread has had of a processor.
pub fn cpu() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of our own.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn request(method: &str, call: &str, to: &str, cseq: u32, more: &str) -> String {
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK-{call}-{cseq}-{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=f{call}\r\nTo: {to}\r\nCall-ID: {call}\r\n\
         CSeq: {cseq} {method}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

pub fn with_sdp(request: &str) -> String {
    let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    request.replace("Content-Length: 0\r\n\r\n", &body)
}

/// The value of a header, as the library writes it.
pub fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default()
}
