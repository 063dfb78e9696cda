//! An agent of the library as a party: its events recorded, its answers scripted, acts without ceremony.

use super::network::{Side, Wire};
use super::properties::Properties;
use sipdlg::agent::options::response_flag;
use sipdlg::agent::{
    Agent, Body, Event, EventKind, IncomingId, OutgoingId, RequestOptions, ResponseOptions, SessionId,
};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::{Now, Time};
use std::collections::HashMap;
use std::net::SocketAddr;

/// What a party does when an event comes.
pub type Script = Box<dyn FnMut(&mut Agent, Now, &Event)>;

/// Wall time when the virtual clock says 0: 2026-01-01.
const EPOCH_US: u64 = 1_767_225_600_000_000;

/// Something that an agent put out.
#[derive(Clone, Copy, Debug)]
pub enum Out {
    Event(usize),
    Message(usize),
}

pub struct Party {
    pub name: &'static str,
    pub agent: Agent,
    pub address: SocketAddr,
    /// Every event, in order.
    pub events: Vec<Event>,
    /// What came out, by the numbers that events and messages share: an event by its place, a message by the trace's.
    pub order: Vec<(u64, Out)>,
    /// The last INVITE or re-INVITE that came, or other request.
    pub incoming: Option<IncomingId>,
    /// The last INVITE or re-INVITE of ours.
    pub outgoing: Option<OutgoingId>,
    /// The last session of an event.
    pub session: Option<SessionId>,
    /// The name that stood beside each message that came out.
    pub hosts: Vec<Option<String>>,
    transport: Transport,
    number: usize,
    now: u64,
    scripts: HashMap<EventKind, Script>,
}

pub fn sdp(text: &str) -> Option<Body<'_>> {
    (!text.is_empty()).then_some(Body { content: text.as_bytes(), content_type: None, disposition: None })
}

/// Options of a request that carries `text` as session description; "" none.
pub fn with_sdp(text: &str) -> RequestOptions<'_> {
    RequestOptions { body: sdp(text), ..RequestOptions::default() }
}

/// The same for a response.
pub fn answer_sdp(text: &str) -> ResponseOptions<'_> {
    ResponseOptions { body: sdp(text), ..ResponseOptions::default() }
}

/// The same for a reliable provisional response (RFC 3262).
pub fn reliable(text: &str) -> ResponseOptions<'_> {
    ResponseOptions { flags: response_flag::RELIABLE, ..answer_sdp(text) }
}

/// The usual configuration of a party.
pub fn config(name: &str) -> Config {
    let mut config = Config::default();
    config.set_aor(format!("sip:{name}@example.com").as_bytes()).expect("an AOR");
    config
}

impl Party {
    /// A party on `address`, over `transport`.
    pub fn new(name: &'static str, address: &str, config: Config, wire: &mut Wire, transport: Transport) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        let number = wire.trace.party(name, address, true);
        let mut seed = [7; 32];
        seed[0] = u8::try_from(number).expect("few parties");
        seed[1] = u8::try_from(wire.random(256)).expect("a byte");
        let now = Now { monotonic: Time::from_micros(wire.now), unix_us: EPOCH_US + wire.now };
        let mut agent = Agent::new(config, seed, now);
        let flow = Flow { link: 1, ..Flow::new(transport, Some(address), None) };
        agent.add_transport(&flow, None).expect("a transport");
        let (events, order, scripts) = Default::default();
        Self {
            name,
            agent,
            address,
            events,
            order,
            incoming: None,
            outgoing: None,
            session: None,
            hosts: Vec::new(),
            transport,
            number,
            now: wire.now,
            scripts,
        }
    }

    /// Another agent in its place, on the same address; what the former knew is gone.
    pub fn replace_agent(&mut self, config: Config) {
        let now = self.now();
        let mut agent = Agent::new(config, [9; 32], now);
        let flow = Flow { link: 1, ..Flow::new(self.transport, Some(self.address), None) };
        agent.add_transport(&flow, None).expect("a transport");
        self.agent = agent;
        self.events.clear();
        self.order.clear();
        (self.incoming, self.outgoing, self.session) = (None, None, None);
    }

    /// All properties of the last session.
    #[track_caller]
    pub fn properties(&self) -> Properties {
        Properties::of(self.agent.session(self.session()).expect("a living session"))
    }

    pub fn now(&self) -> Now {
        Now { monotonic: Time::from_micros(self.now), unix_us: EPOCH_US + self.now }
    }

    /// The number of the last message that came out.
    #[track_caller]
    pub fn last_transmit(&self) -> u64 {
        let mut numbers = self.order.iter().rev();
        numbers.find(|(_, out)| matches!(out, Out::Message(_))).map(|(number, _)| *number).expect("a message")
    }

    /// What to do when such an event comes; instead of what was said before.
    pub fn on(&mut self, kind: EventKind, script: impl FnMut(&mut Agent, Now, &Event) + 'static) {
        self.scripts.insert(kind, Box::new(script));
    }

    /// Leaves such events to the test: neither script nor default.
    pub fn hold(&mut self, kind: EventKind) {
        self.on(kind, |_, _, _| {});
    }

    /// Answers INVITE with 180, and 200 with `text`.
    pub fn rings_and_answers(&mut self, text: &'static str) {
        self.on(EventKind::Invite, move |agent, now, event| {
            let incoming = event.incoming.expect("an INVITE");
            agent.progress(now, incoming, 180, &ResponseOptions::default()).expect("180 is legal");
            agent.accept(now, incoming, 200, &answer_sdp(text)).expect("200 is legal");
        });
    }

    /// Answers a kind of request with 200 and `text`.
    pub fn answers(&mut self, kind: EventKind, text: &'static str) {
        self.on(kind, move |agent, now, event| {
            let incoming = event.incoming.expect("a request");
            agent.accept(now, incoming, 200, &answer_sdp(text)).expect("200 is legal");
        });
    }

    /// Acknowledges a 2xx that carries an offer with `text`.
    pub fn answers_in_ack(&mut self, text: &'static str) {
        self.on(EventKind::Accept, move |agent, now, event| {
            if event.flags & sipdlg::agent::event::flag::NEEDS_ACK != 0 {
                agent.ack(now, event.session.expect("a session"), &with_sdp(text)).expect("the ACK is legal");
            }
        });
    }

    #[track_caller]
    pub fn session(&self) -> SessionId {
        self.session.unwrap_or_else(|| panic!("{} has no session", self.name))
    }

    #[track_caller]
    pub fn incoming(&self) -> IncomingId {
        self.incoming.unwrap_or_else(|| panic!("{} got no request", self.name))
    }

    /// State of the last session.
    pub fn state(&self) -> (SessionState, SignalingState) {
        match self.session.map(|id| self.agent.session(id)) {
            Some(Ok(session)) => (session.state(), session.signaling_state()),
            Some(Err(_)) => (SessionState::Terminated, SignalingState::Closed),
            None => (SessionState::Initial, SignalingState::Initial),
        }
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        self.events.iter().map(|event| event.kind).collect()
    }

    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    /// The last event of a kind.
    #[track_caller]
    pub fn last(&self, kind: EventKind) -> &Event {
        let found = self.events.iter().rev().find(|event| event.kind == kind);
        found.unwrap_or_else(|| panic!("{} had no {kind:?}, only {:?}", self.name, self.kinds()))
    }

    /// Status codes of events of a kind.
    pub fn statuses(&self, kind: EventKind) -> Vec<u16> {
        self.events.iter().filter(|event| event.kind == kind).map(|event| event.status_code).collect()
    }

    #[track_caller]
    pub fn invite(&mut self, target: &str, text: &str) -> OutgoingId {
        self.invite_with(target, with_sdp(text))
    }

    #[track_caller]
    pub fn invite_with(&mut self, target: &str, options: RequestOptions<'_>) -> OutgoingId {
        let now = self.now();
        let outgoing = self.agent.invite(now, Some(target.as_bytes()), options).expect("an INVITE goes out");
        self.outgoing = Some(outgoing);
        outgoing
    }

    #[track_caller]
    pub fn reinvite(&mut self, text: &str) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        let outgoing = self.agent.reinvite(now, session, with_sdp(text)).expect("a re-INVITE is legal");
        self.outgoing = Some(outgoing);
        outgoing
    }

    #[track_caller]
    pub fn update(&mut self, text: &str) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        let outgoing = self.agent.update(now, session, with_sdp(text)).expect("an UPDATE is legal");
        self.outgoing = Some(outgoing);
        outgoing
    }

    /// An UPDATE that is refused: the section that says why.
    #[track_caller]
    pub fn update_refused(&mut self, text: &str) -> String {
        let (now, session) = (self.now(), self.session());
        let error = self.agent.update(now, session, with_sdp(text)).expect_err("the UPDATE is not legal");
        assert_eq!(error.kind, sipdlg::error::ErrorKind::State, "{error}");
        error.detail.into_owned()
    }

    #[track_caller]
    pub fn info(&mut self) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        let body = Body { content: b"Signal=5\r\n", content_type: Some(b"application/dtmf-relay"), disposition: None };
        let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
        self.agent.info(now, session, options).expect("an INFO is legal")
    }

    #[track_caller]
    pub fn message(&mut self, text: &str) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        let body = Body { content: text.as_bytes(), content_type: Some(b"text/plain"), disposition: None };
        let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
        self.agent.message(now, session, options).expect("a MESSAGE is legal")
    }

    /// REFER to a URI.
    #[track_caller]
    pub fn refer(&mut self, to: &str) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        let refer = self.agent.refer(now, session, Some(to.as_bytes()), None, RequestOptions::default());
        refer.expect("a REFER is legal")
    }

    /// The progress of what the last REFER asked for.
    #[track_caller]
    pub fn notify(&mut self, status: u16) {
        let (now, incoming) = (self.now(), self.incoming());
        self.agent.incoming_notify(now, incoming, status, None).expect("a NOTIFY is legal");
    }

    #[track_caller]
    pub fn options(&mut self) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        self.agent.options(now, session, RequestOptions::default()).expect("an OPTIONS is legal")
    }

    #[track_caller]
    pub fn bye(&mut self) -> OutgoingId {
        let (now, session) = (self.now(), self.session());
        self.agent.bye(now, session, RequestOptions::default()).expect("a BYE is legal")
    }

    #[track_caller]
    pub fn hangup(&mut self) {
        let (now, session) = (self.now(), self.session());
        self.agent.hangup(now, session, 0, RequestOptions::default()).expect("a hangup is always legal");
    }

    #[track_caller]
    pub fn cancel(&mut self) -> bool {
        let (now, outgoing) = (self.now(), self.outgoing.expect("an INVITE"));
        self.agent.cancel(now, outgoing, None, &RequestOptions::default()).expect("a CANCEL is legal")
    }

    #[track_caller]
    pub fn ack(&mut self, text: &str) {
        let (now, session) = (self.now(), self.session());
        self.agent.ack(now, session, &with_sdp(text)).expect("an ACK is owed");
    }

    #[track_caller]
    pub fn progress(&mut self, status: u16, text: &str) {
        let (now, incoming) = (self.now(), self.incoming());
        self.agent.progress(now, incoming, status, &answer_sdp(text)).expect("a provisional response is legal");
    }

    #[track_caller]
    pub fn accept(&mut self, text: &str) {
        let (now, incoming) = (self.now(), self.incoming());
        self.agent.accept(now, incoming, 200, &answer_sdp(text)).expect("a 200 is legal");
    }

    #[track_caller]
    pub fn reject(&mut self, status: u16) {
        let (now, incoming) = (self.now(), self.incoming());
        self.agent.reject(now, incoming, status, &ResponseOptions::default()).expect("a rejection is legal");
    }

    /// Ends every session that still lives, and every INVITE that has no session yet:
    /// after a 100 it would wait for ever.
    pub fn hangup_all(&mut self) {
        let now = self.now();
        let waiting: Vec<_> = self
            .events
            .iter()
            .filter(|event| event.kind == EventKind::Trying)
            .filter_map(|event| event.outgoing)
            .collect();
        for outgoing in waiting {
            // Err: ended, or no INVITE.
            drop(self.agent.cancel(now, outgoing, None, &RequestOptions::default()));
        }
        let mut at = None;
        while let Some(session) = self.agent.next_session(at) {
            self.agent.hangup(now, session, 0, RequestOptions::default()).expect("a hangup is always legal");
            at = Some(session);
        }
    }

    /// Living sessions, incoming, outgoing, transactions, timers.
    pub fn living(&self) -> [u64; 5] {
        let stats = self.agent.stats();
        [stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers]
    }

    /// An event came.
    pub fn hear(&mut self, event: Event) {
        self.order.push((event.id, Out::Event(self.events.len())));
        self.session = event.session.or(self.session);
        if event.incoming.is_some() && event.kind != EventKind::Cancel {
            self.incoming = event.incoming;
        }
        let now = self.now();
        match self.scripts.get_mut(&event.kind) {
            Some(script) => script(&mut self.agent, now, &event),
            // Err: the request was answered meanwhile.
            None => drop(self.agent.event_default(now, &event)),
        }
        self.events.push(event);
    }
}

impl Side for Party {
    fn number(&self) -> usize {
        self.number
    }

    fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    fn receive(&mut self, source: SocketAddr, bytes: &[u8]) {
        let flow = Flow { link: 1, ..Flow::new(self.transport, Some(self.address), Some(source)) };
        let now = self.now();
        self.agent.receive(now, &flow, bytes).expect("a datagram is never refused");
    }

    fn handle_timeout(&mut self) {
        let now = self.now();
        self.agent.handle_timeout(now);
    }

    fn next_timeout(&self) -> Option<u64> {
        self.agent.next_timeout().map(Time::as_micros)
    }

    fn drain(&mut self, wire: &mut Wire) -> bool {
        let mut busy = false;
        loop {
            let mut more = false;
            while let Some(transmit) = self.agent.poll_transmit() {
                more = true;
                let target = transmit.flow.remote.expect("a message goes somewhere");
                let reliable = transmit.flow.transport.is_reliable();
                self.order.push((transmit.id, Out::Message(wire.trace.datagrams.len())));
                self.hosts.push(transmit.host.as_deref().map(|host| String::from_utf8_lossy(host).into_owned()));
                if !wire.send(self.number, target, transmit.bytes.clone(), reliable) {
                    let now = self.now();
                    self.agent.transmit_failed(now, transmit.id);
                }
            }
            while let Some(event) = self.agent.poll_event() {
                more = true;
                self.hear(event);
            }
            if !more {
                return busy;
            }
            busy = true;
        }
    }
}
