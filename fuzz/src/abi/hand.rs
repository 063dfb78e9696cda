//! What a program of any bytes hands to the library.

use crate::choices::Choices;
use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new, sipdlg_agent_poll_event};
use sipdlg::ffi::config::{
    sipdlg_config_free, sipdlg_config_new, sipdlg_config_set_manual_clock, sipdlg_config_set_seed, sipdlg_config_t,
};
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::message::sipdlg_message_release;
use sipdlg::ffi::structs::*;
use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

/// So long is every buffer that is handed in, whatever is said of it.
pub const ROOM: usize = 2_048;

/// Texts that mean something, to be changed.
const TEXTS: [&str; 40] = [
    "sip:bob@192.0.2.2",
    "sip:alice@192.0.2.1:5060",
    "<sip:bob@[2001:db8::1];transport=tcp>",
    "\"A B\" <sips:a@b.example>",
    "tel:+1",
    "urn:service:sos",
    "sip:bob@gw.example.org",
    "192.0.2.1:5060",
    "[::1]:5060",
    "x.invalid",
    "INVITE",
    "OPTIONS",
    "MESSAGE",
    "SUBSCRIBE",
    "FOO",
    "Via",
    "From",
    "Contact",
    "i",
    "X-Any: value",
    "Subject: a\r\nb",
    "Require: 100rel",
    "RSeq: 1",
    "Event: refer",
    "Subscription-State: active",
    "Content-Length: 1",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"",
    "application/sdp",
    "multipart/mixed;boundary=b",
    "session",
    "MD5",
    "SHA-256, MD5",
    "realm",
    "user",
    "0123456789abcdef0123456789abcdef",
    "SIP;cause=200;text=\"x\"",
    "<sip:p.example;lr>, <sip:q.example>",
    "tag",
    "z9hG4bK",
    "",
];

const BODIES: [&str; 3] = ["v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", "--b\r\n\r\nx\r\n--b--\r\n", ""];

/// Messages to an agent; `$` is replaced by a byte of the input.
const MESSAGES: [&str; 8] = [
    "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK$;rport\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b$\r\n\
     To: <sip:alice@example.com>\r\nCall-ID: c$\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.2>\r\nSupported: 100rel, timer\r\n\
     Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
    "CANCEL sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK$;rport\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b$\r\n\
     To: <sip:alice@example.com>\r\nCall-ID: c$\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKo$\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b$\r\n\
     To: <sip:alice@example.com>\r\nCall-ID: o$\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    "REFER sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKr$\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b$\r\n\
     To: <sip:alice@example.com>\r\nCall-ID: r$\r\nCSeq: 1 REFER\r\nContact: <sip:bob@192.0.2.2>\r\nRefer-To: <sip:c@192.0.2.3>\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK$\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n\
     CSeq: 1 INVITE\r\nRSeq: 1\r\nContact: <sip:c@d>\r\nContent-Length: 0\r\n\r\n",
    "\r\n\r\n",
    "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\n\r\n",
    "",
];

/// Something that starts with its size.
pub trait Sized_ {
    fn size_mut(&mut self) -> &mut usize;
}

macro_rules! sized {
    ($($name:ty),*) => { $(impl Sized_ for $name { fn size_mut(&mut self) -> &mut usize { &mut self.size } })* };
}
sized!(
    sipdlg_event_t,
    sipdlg_delegate_t,
    sipdlg_request_options_t,
    sipdlg_response_options_t,
    sipdlg_transmit_t,
    sipdlg_stats_t,
    sipdlg_dialog_state_t,
    sipdlg_trace_entry_t
);

pub struct Hand {
    pub choices: Choices,
    /// Freed at the end: all of it was only borrowed.
    buffers: Vec<Box<[u64]>>,
    pub configs: Vec<*mut sipdlg_config_t>,
    pub agents: Vec<u64>,
    /// Tokens that were given, living or not, of all kinds.
    pub tokens: [Vec<u64>; 4],
    pub messages: Vec<*const sipdlg_message_t>,
    pub event: Option<Box<sipdlg_event_t>>,
    pub now: u64,
}

unsafe extern "C" fn called(_: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: the event that the library hands to a callback.
    unsafe {
        sipdlg_event_default(event);
    }
}

pub unsafe extern "C" fn released(_: *mut c_void) {}

/// Reads all that it is lent.
pub unsafe extern "C" fn seen(_: *mut c_void, entry: *const sipdlg_trace_entry_t) {
    let entry = unsafe { &*entry };
    let data = unsafe { std::slice::from_raw_parts(entry.data.data.cast::<u8>(), entry.data.len) };
    assert!(entry.kind == 1 && data.iter().any(|byte| !matches!(byte, b'\r' | b'\n')));
}

impl Hand {
    pub fn new(data: &[u8]) -> Self {
        let mut hand = Self {
            choices: Choices::new(data),
            buffers: Vec::new(),
            configs: Vec::new(),
            agents: Vec::new(),
            tokens: Default::default(),
            messages: Vec::new(),
            event: None,
            now: 0,
        };
        hand.new_config();
        hand.new_agent();
        hand
    }

    pub fn new_config(&mut self) {
        let config = sipdlg_config_new();
        // SAFETY: a new configuration.
        unsafe {
            sipdlg_config_set_manual_clock(config, 1);
            sipdlg_config_set_seed(config, 1);
        }
        self.configs.push(config);
    }

    pub fn new_agent(&mut self) -> i32 {
        let mut agent = 0;
        let Some(config) = self.configs.last() else { return 0 };
        // SAFETY: a living configuration; the out-parameter is ours.
        let status = unsafe { sipdlg_agent_new(*config, &raw mut agent) };
        if status == 0 && self.agents.len() < 3 {
            self.agents.push(agent);
            self.tokens[0].push(agent);
        } else if status == 0 {
            sipdlg_agent_free(agent);
        }
        status
    }

    /// A buffer of its own, so that a byte beyond it is found.
    fn room(&mut self) -> *mut u8 {
        self.buffers.push(vec![0; ROOM / 8].into_boxed_slice());
        self.buffers.last_mut().expect("just pushed").as_mut_ptr().cast()
    }

    fn filled(&mut self, bytes: &[u8]) -> *mut u8 {
        let at = self.room();
        let len = bytes.len().min(ROOM - 1);
        // SAFETY: the room is longer, and ours.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), len) };
        at
    }

    fn words(&mut self) -> Vec<u8> {
        let mut text = self.choices.of(&TEXTS).as_bytes().to_vec();
        for _ in 0..self.choices.below(4).saturating_sub(2) {
            let at = self.choices.below(text.len() + 1);
            let byte = self.choices.byte();
            text.insert(at, byte);
        }
        text
    }

    /// Text that ends with NUL, or NULL.
    pub fn text(&mut self) -> *const c_char {
        if self.choices.below(8) == 7 {
            return null();
        }
        let words = self.words();
        self.filled(&words).cast()
    }

    /// A list of texts that ends with NULL, or NULL.
    pub fn texts(&mut self) -> *const *const c_char {
        if self.choices.below(3) > 0 {
            return null();
        }
        let at = self.room().cast::<*const c_char>();
        for place in 0..self.choices.below(4) {
            let text = self.text();
            // SAFETY: the room has more places, all NULL before.
            unsafe { at.add(place).write(text) };
        }
        at
    }

    /// Bytes of a message, and how many of them count.
    pub fn bytes(&mut self) -> (*const c_void, usize) {
        let byte = self.choices.byte() % 8;
        let mut text = self.choices.of(&MESSAGES).replace('$', &byte.to_string()).into_bytes();
        for _ in 0..self.choices.below(4).saturating_sub(1) {
            let at = self.choices.below(text.len().max(257)).min(text.len());
            let byte = self.choices.byte();
            text.insert(at, byte);
        }
        let len = if self.choices.below(8) == 7 { self.choices.below(ROOM) } else { text.len().min(ROOM - 1) };
        if self.choices.below(16) == 15 {
            return (null(), self.choices.of(&[0, 1]));
        }
        (self.filled(&text).cast_const().cast(), len)
    }

    /// Room for text, how much of it is said to be there, and where its length goes.
    pub fn buffer(&mut self) -> (*mut c_char, usize, *mut usize) {
        let capacity = self.choices.of(&[ROOM, 0, 1, 2, 30]);
        let at = if self.choices.below(8) == 7 && capacity == 0 { null_mut() } else { self.room().cast() };
        (at, capacity, self.out())
    }

    /// Where something of any type is written, or NULL.
    pub fn out<T>(&mut self) -> *mut T {
        const { assert!(size_of::<T>() <= ROOM) };
        if self.choices.below(8) == 7 { null_mut() } else { self.room().cast() }
    }

    pub fn number(&mut self) -> u32 {
        self.choices.of(&[0, 1, 2, 3, 90, 500, 1_300, 65_535, 1 << 22, i32::MAX as u32, u32::MAX])
    }

    pub fn signed(&mut self) -> i32 {
        self.choices.of(&[0, 1, 2, 3, 100, 180, 183, 200, 302, 401, 486, 600, 699, 700, -1, i32::MIN, i32::MAX])
    }

    pub fn large(&mut self) -> u64 {
        match self.choices.below(4) {
            0 => self.choices.number(),
            other => [0, 1, 1 << 20][other - 1],
        }
    }

    /// Mostly one of the kind: 0 agents, 1 sessions, 2 incoming, 3 outgoing.
    pub fn token(&mut self, kind: usize) -> u64 {
        let kind = if self.choices.below(12) == 11 { self.choices.below(4) } else { kind };
        match self.choices.below(16) {
            15 => self.choices.number(),
            14 => 0,
            13 => self.choices.any(&self.tokens[kind]).unwrap_or_default() ^ (1 << self.choices.below(64)),
            // The newest are the likeliest to live.
            12.. => self.choices.any(&self.tokens[kind]).unwrap_or_default(),
            _ if kind == 0 => self.choices.any(&self.agents).unwrap_or_default(),
            _ => {
                let known = &self.tokens[kind];
                self.choices.any(&known[known.len().saturating_sub(3)..]).unwrap_or_default()
            }
        }
    }

    pub fn agent(&mut self) -> u64 {
        self.token(0)
    }

    pub fn session(&mut self) -> u64 {
        self.token(1)
    }

    pub fn incoming(&mut self) -> u64 {
        self.token(2)
    }

    pub fn outgoing(&mut self) -> u64 {
        self.token(3)
    }

    pub fn config(&mut self) -> *mut sipdlg_config_t {
        if self.choices.below(16) == 15 { null_mut() } else { self.choices.any(&self.configs).unwrap_or(null_mut()) }
    }

    pub fn message(&mut self) -> *const sipdlg_message_t {
        if self.choices.below(16) == 15 { null() } else { self.choices.any(&self.messages).unwrap_or(null()) }
    }

    /// Keeps what a function gave as a token.
    pub fn keep(&mut self, kind: usize, status: i32, out: *const u64) {
        if status == 0 && !out.is_null() {
            // SAFETY: one of our buffers, written by the library.
            let token = unsafe { out.read() };
            if token != 0 && self.tokens[kind].len() < 64 {
                self.tokens[kind].push(token);
            }
        }
    }

    /// A struct in a longer room, with a size that is right, wrong or impossible, and a tail; or NULL.
    pub fn sized<T: Sized_>(&mut self, mut filled: T) -> *mut T {
        const { assert!(size_of::<T>() + 64 <= ROOM) };
        if self.choices.below(8) == 7 {
            return null_mut();
        }
        let right = size_of::<T>();
        let size = match self.choices.below(12) {
            10 => self.choices.of(&[0, 4, 8, 16, right - 8, right + 8, right + 64, ROOM]),
            11 => self.choices.of(&[usize::MAX, ROOM + 1, 1 << 16]),
            _ => right,
        };
        *filled.size_mut() = size;
        let at = self.room();
        // SAFETY: the room is longer than the struct and aligned for it.
        unsafe {
            at.cast::<T>().write(filled);
            if self.choices.below(8) == 7 {
                at.add(right + 8 * self.choices.below(4)).write(self.choices.byte());
            }
        }
        at.cast()
    }

    pub fn body(&mut self) -> sipdlg_body_t {
        if self.choices.below(3) == 0 {
            return sipdlg_body_t { data: null(), len: 0, content_type: null(), disposition: null() };
        }
        let content = self.choices.of(&BODIES);
        let data = self.filled(content.as_bytes()).cast_const().cast();
        let len = if self.choices.below(8) == 7 { self.choices.below(ROOM) } else { content.len() };
        let (content_type, disposition) =
            if self.choices.yes() { (self.text(), self.text()) } else { (null(), null()) };
        sipdlg_body_t { data, len, content_type, disposition }
    }

    pub fn body_pointer(&mut self) -> *const sipdlg_body_t {
        let body = self.body();
        let at = self.out::<sipdlg_body_t>();
        if !at.is_null() {
            // SAFETY: our room.
            unsafe { at.write(body) };
        }
        at
    }

    pub fn endpoint(&mut self) -> sipdlg_endpoint_t {
        let mut ip = [0; 16];
        ip[..4].copy_from_slice(&[192, 0, 2, self.choices.byte() % 4]);
        let family = self.choices.of(&[4, 4, 4, 6, 0, 5]);
        sipdlg_endpoint_t { ip, scope: 0, port: self.choices.of(&[5060, 0, 65_535]), family }
    }

    pub fn endpoint_pointer(&mut self) -> *const sipdlg_endpoint_t {
        let endpoint = self.endpoint();
        let at = self.out::<sipdlg_endpoint_t>();
        if !at.is_null() {
            // SAFETY: our room.
            unsafe { at.write(endpoint) };
        }
        at
    }

    pub fn flow(&mut self) -> *const sipdlg_flow_t {
        let transport = self.choices.of(&[1, 1, 1, 2, 3, 4, 5, 0, 6, -1]);
        let link = self.choices.of(&[1, 2, 3, 0, u64::MAX]);
        let flow = sipdlg_flow_t { transport, reserved: 0, link, local: self.endpoint(), remote: self.endpoint() };
        let at = self.out::<sipdlg_flow_t>();
        if !at.is_null() {
            // SAFETY: our room.
            unsafe { at.write(flow) };
        }
        at
    }

    fn terms(&mut self) -> *const sipdlg_session_timer_t {
        if self.choices.below(3) > 0 {
            return null();
        }
        let (policy, refresher) = (self.choices.of(&[0, 1, 2, 3]), self.choices.of(&[0, 1, 2, 3]));
        let terms = sipdlg_session_timer_t { policy, interval_s: self.number(), min_se_s: self.number(), refresher };
        let at = self.out::<sipdlg_session_timer_t>();
        if !at.is_null() {
            // SAFETY: our room.
            unsafe { at.write(terms) };
        }
        at
    }

    pub fn delegate(&mut self) -> *const sipdlg_delegate_t {
        if self.choices.below(3) == 0 {
            return null();
        }
        // SAFETY: all zero is a delegate without functions.
        let mut delegate: sipdlg_delegate_t = unsafe { std::mem::zeroed() };
        delegate.on_invite = Some(called);
        delegate.on_terminated = self.choices.yes().then_some(called as _);
        self.sized(delegate)
    }

    pub fn request_options(&mut self) -> *const sipdlg_request_options_t {
        if self.choices.below(3) == 0 {
            return null();
        }
        // SAFETY: all zero are options that say nothing.
        let mut options: sipdlg_request_options_t = unsafe { std::mem::zeroed() };
        options.flags = self.choices.of(&[0, 0, 1, 2, 4, 8, 15, 16, u32::MAX]);
        options.expires_ms = self.choices.of(&[0, 0, 1, 1_000, u32::MAX]);
        options.headers = self.texts();
        options.body = self.body();
        if self.choices.below(4) == 3 {
            (options.from, options.to, options.call_id) = (self.text(), self.text(), self.text());
        }
        if self.choices.below(4) == 3 {
            options.flow = self.flow();
            options.delegate = self.delegate();
            options.release = Some(released);
            options.refer = self.incoming();
            options.reason = self.text();
            options.session_timer = self.terms();
        }
        if self.choices.below(8) == 7 {
            let credentials = sipdlg_credentials_t {
                realm: self.text(),
                user: self.text(),
                secret: self.text(),
                algorithm: self.text(),
                is_ha1: self.choices.of(&[0, 1, 2]),
                reserved: 0,
            };
            let at = self.room().cast::<sipdlg_credentials_t>();
            // SAFETY: our room.
            unsafe { at.write(credentials) };
            (options.credentials, options.credentials_count) = (at, self.choices.of(&[1, 1, 0]));
        }
        self.sized(options)
    }

    pub fn response_options(&mut self) -> *const sipdlg_response_options_t {
        if self.choices.below(3) == 0 {
            return null();
        }
        // SAFETY: all zero are options that say nothing.
        let mut options: sipdlg_response_options_t = unsafe { std::mem::zeroed() };
        options.flags = self.choices.of(&[0, 0, 1, 2, u32::MAX]);
        options.headers = self.texts();
        options.body = self.body();
        if self.choices.below(4) == 3 {
            (options.reason_phrase, options.to_tag, options.reason) = (self.text(), self.text(), self.text());
            options.session_timer = self.terms();
        }
        self.sized(options)
    }

    pub fn dialog_state(&mut self) -> *const sipdlg_dialog_state_t {
        // SAFETY: all zero is a state that says nothing.
        let mut state: sipdlg_dialog_state_t = unsafe { std::mem::zeroed() };
        (state.call_id, state.local_tag, state.remote_tag) = (self.text(), self.text(), self.text());
        (state.local_uri, state.remote_uri, state.remote_target) = (self.text(), self.text(), self.text());
        state.route_set = self.text();
        (state.local_sequence_number, state.has_local_sequence_number) = (self.number(), self.choices.of(&[0, 1, 2]));
        (state.remote_sequence_number, state.has_remote_sequence_number) = (self.number(), self.choices.of(&[0, 1, 2]));
        (state.secure, state.early, state.caller) =
            (self.choices.of(&[0, 1, 2]), self.choices.of(&[0, 1]), self.choices.of(&[0, 1]));
        (state.offer, state.answer) = (self.body(), self.body());
        self.sized(state)
    }

    /// Takes the next event of an agent, and its tokens.
    pub fn poll(&mut self) -> i32 {
        // SAFETY: all zero is an event; the size is set.
        let mut event: Box<sipdlg_event_t> = unsafe { Box::new(std::mem::zeroed()) };
        event.size = size_of::<sipdlg_event_t>();
        let agent = self.agent();
        // SAFETY: an event of ours.
        let status = unsafe { sipdlg_agent_poll_event(agent, &raw mut *event) };
        if status == 0 {
            for (kind, token) in [(1, event.session), (2, event.incoming), (3, event.outgoing)] {
                self.keep(kind, 0, &raw const token);
            }
            self.event = Some(event);
        }
        status
    }

    /// Frees what the program owns; then what it only lent.
    pub fn let_all_go(&mut self) {
        for message in self.messages.drain(..) {
            // SAFETY: retained or parsed, and not released yet.
            unsafe { sipdlg_message_release(message) };
        }
        for agent in self.agents.drain(..) {
            assert_eq!(sipdlg_agent_free(agent), 0, "a living agent is freed");
        }
        for config in self.configs.drain(..) {
            // SAFETY: new, and not freed yet.
            unsafe { sipdlg_config_free(config) };
        }
    }
}
