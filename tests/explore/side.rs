//! A side: an agent and its host. What it does is remembered: an agent is a function of its state and its inputs, and there
//! are far fewer states of a side than of two sides with a link between them.

use crate::acts::{Act, NAMES, description, sdp};
use crate::common::sip::Sip;
use crate::past::{Message, Past};
use crate::plans::Plan;
use crate::state::{Scribe, digest};
use sipdlg::agent::event::flag;
use sipdlg::agent::{Agent, Event, EventKind, IncomingId, OutgoingId, RequestOptions, ResponseOptions, SessionId};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::{Now, Time};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub const START: u64 = 1_000_000;
const ADDRESSES: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];
/// Of so many sides that are told to be the same as one before, one is held against it.
const SAMPLE: u128 = 8;

pub fn address(side: u8) -> SocketAddr {
    ADDRESSES[usize::from(side)].parse().expect("an address")
}

/// What a host knows, and has done.
#[derive(Clone, Debug, Default)]
pub struct Host {
    pub session: Option<SessionId>,
    /// The INVITE that waits for its answer.
    pub invite: Option<IncomingId>,
    /// The re-INVITE or UPDATE that does.
    pub change: Option<IncomingId>,
    /// The INVITE of ours.
    pub outgoing: Option<OutgoingId>,
    /// A bit for each act that was done.
    pub done: u32,
    /// How many requests a timer sent.
    pub by_timer: u32,
}

/// What comes to a side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A message, by its digest.
    Receive(Message),
    /// Time, in which no timer comes due.
    Pass(u64),
    /// Time, at the end of which one does.
    Tick(u64),
    Act(Act),
    /// All that lives is hung up.
    HangUp,
}

/// What comes of it.
#[derive(Clone)]
pub struct Outcome {
    pub sent: Arc<[Message]>,
    pub then: Arc<Side>,
}

/// A side as it is.
pub struct Side {
    life: Life,
    pub fingerprint: u128,
    /// How long it is until the next timer.
    pub next: Option<u64>,
    /// Sessions, incoming, outgoing, transactions, timers.
    pub living: [u64; 5],
    /// The call stands, and nothing is under way.
    pub is_quiet: bool,
    /// What came of what; `None`: an act that was refused.
    after: Mutex<HashMap<Input, Option<Outcome>>>,
}

#[derive(Clone)]
struct Life {
    agent: Agent,
    host: Host,
    number: u8,
    now: u64,
}

/// All sides that there were.
pub struct Stock<'a> {
    pub plan: &'a Plan,
    without_timers: bool,
    known: Mutex<HashMap<u128, Arc<Side>>>,
    twins: Mutex<Vec<(Life, Arc<Side>)>>,
    /// What a side saw and did that the wire checker has nothing to say against.
    legal: Mutex<HashSet<(u128, u64)>>,
    /// Inputs that were worked out.
    worked: AtomicUsize,
}

fn clock(now: u64) -> Now {
    Now { monotonic: Time::from_micros(now), unix_us: now }
}

impl Life {
    fn new(number: u8, plan: &Plan) -> Self {
        let mut config = Config::default();
        config.set_aor(format!("sip:{}@example.com", NAMES[usize::from(number)]).as_bytes()).expect("an AOR");
        (plan.configure)(&mut config, number);
        let mut agent = Agent::new(config, [number + 1; 32], clock(START));
        let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(address(number)), None) };
        agent.add_transport(&flow, None).expect("a transport");
        Self { agent, host: Host::default(), number, now: START }
    }

    /// What the next input draws depends on nothing but what it is: equal states go on alike, and what happens in another
    /// order gets the same names.
    fn reseed(&mut self, kind: &str, of: &[u8]) {
        let mut text = vec![self.number];
        text.extend_from_slice(kind.as_bytes());
        text.extend_from_slice(of);
        let half = digest(&text).to_le_bytes();
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&half);
        seed[16..].copy_from_slice(&half);
        self.agent.reseed(seed);
    }

    /// Alice's INVITE.
    fn invite(&mut self, plan: &Plan) -> Vec<Message> {
        let offer = description(0, "-Invite");
        let body = if plan.offers { sdp(&offer) } else { None };
        let options = RequestOptions { body, ..RequestOptions::default() };
        let target = format!("sip:bob@{}", ADDRESSES[1]);
        self.reseed("invite", b"");
        let outgoing = self.agent.invite(clock(self.now), Some(target.as_bytes()), options);
        self.host.outgoing = Some(outgoing.expect("an INVITE goes out"));
        self.settle(plan, false)
    }

    /// What is sent; `None`: an act that the agent refuses.
    fn input(&mut self, input: &Input, plan: &Plan) -> Option<Vec<Message>> {
        match input {
            Input::Receive(message) => {
                self.reseed("receive", &message.bytes);
                let (own, other) = (address(self.number), address(1 - self.number));
                let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(own), Some(other)) };
                self.agent.receive(clock(self.now), &flow, &message.bytes).expect("a datagram is never refused");
            }
            Input::Pass(span) => self.now += span,
            Input::Tick(span) => {
                self.now += span;
                self.reseed("tick", &self.host.by_timer.to_le_bytes());
                self.agent.handle_timeout(clock(self.now));
                return Some(self.settle(plan, true));
            }
            Input::Act(act) => {
                self.reseed("act", format!("{act:?}").as_bytes());
                act.perform(self.number, &mut self.agent, &self.host, clock(self.now)).ok()?;
                self.host.done |= act.bit();
            }
            Input::HangUp => {
                self.reseed("end", b"");
                let mut at = None;
                while let Some(id) = self.agent.next_session(at) {
                    let done = self.agent.hangup(clock(self.now), id, 0, RequestOptions::default());
                    done.expect("a hang-up is always legal");
                    at = Some(id);
                }
            }
        }
        Some(self.settle(plan, false))
    }

    /// Takes out all that the agent lets out; its host sees every event at once.
    fn settle(&mut self, plan: &Plan, by_timer: bool) -> Vec<Message> {
        let repeated = self.agent.stats().retransmissions_sent;
        let (mut sent, mut requests) = (Vec::new(), 0);
        for round in 0.. {
            assert!(round < 1_000, "{} never falls silent", NAMES[usize::from(self.number)]);
            let mut busy = false;
            while let Some(transmit) = self.agent.poll_transmit() {
                busy = true;
                assert_eq!(transmit.flow.remote, Some(address(1 - self.number)), "nobody else is there");
                requests += u32::from(!transmit.bytes.starts_with(b"SIP/2.0") && !transmit.bytes.starts_with(b"ACK"));
                let sip = Sip::parse(&transmit.bytes).map(Arc::new);
                sent.push(Message { digest: digest(&transmit.bytes), bytes: transmit.bytes, sip });
            }
            while let Some(event) = self.agent.poll_event() {
                busy = true;
                self.handle(plan, &event);
            }
            if !busy {
                break;
            }
        }
        if by_timer && self.agent.stats().retransmissions_sent == repeated {
            self.host.by_timer += requests;
        }
        self.forget_the_gone();
        self.check();
        sent
    }

    /// What holds after every step, whatever the hosts and the link do.
    fn check(&self) {
        let (name, living) = (NAMES[usize::from(self.number)], self.living());
        let [sessions, incoming, outgoing, transactions, timers] = living;
        assert!(sessions <= 1, "{name} has {sessions} sessions of one call");
        assert!(incoming <= 4 && outgoing <= 6 && transactions <= 16 && timers <= 24, "{name} holds {living:?}");
        let next = self.agent.next_timeout();
        assert_eq!(timers > 0, next.is_some(), "{name} has {timers} timers, the next comes due at {next:?}");
        assert!(!self.agent.has_output(), "{name} has more to say");
    }

    fn living(&self) -> [u64; 5] {
        let stats = self.agent.stats();
        [stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers]
    }

    fn is_quiet(&self) -> bool {
        let [sessions, incoming, outgoing, transactions, _] = self.living();
        let state = self.agent.next_session(None).and_then(|id| self.agent.session(id).ok());
        let state = state.map(|session| (session.state(), session.signaling_state()));
        sessions == 1
            && incoming + outgoing + transactions == 0
            && state == Some((SessionState::Confirmed, SignalingState::Stable))
    }

    fn handle(&mut self, plan: &Plan, event: &Event) {
        let now = clock(self.now);
        let (agent, host) = (&mut self.agent, &mut self.host);
        host.session = event.session.or(host.session);
        // An answer says which offer it answers.
        let body = event.message.as_ref().and_then(|message| message.session_body());
        let asked = body.map(|body| String::from_utf8_lossy(body.content).into_owned()).unwrap_or_default();
        let asked = asked.lines().nth(1).and_then(|line| line.split(' ').next()).unwrap_or_default().replace("o=", "");
        let answer = description(self.number, &format!("-to-{asked}"));
        let with_answer = ResponseOptions { body: sdp(&answer), ..ResponseOptions::default() };
        let offers = body.is_some();
        let result = match (event.kind, event.incoming) {
            (EventKind::Invite, Some(id)) if plan.answers_at_once => agent.accept(now, id, 200, &with_answer).map(drop),
            (EventKind::Invite, Some(id)) => {
                host.invite = Some(id);
                Ok(())
            }
            (EventKind::Reinvite, Some(id)) if plan.deliberates => {
                host.change = Some(id);
                Ok(())
            }
            (EventKind::Update, Some(id)) if plan.deliberates && offers => {
                host.change = Some(id);
                Ok(())
            }
            (EventKind::Reinvite, Some(id)) => agent.accept(now, id, 200, &with_answer).map(drop),
            (EventKind::Update, Some(id)) if offers => agent.accept(now, id, 200, &with_answer).map(drop),
            // What a PRACK brings may be the answer itself (RFC 3262 §5).
            (EventKind::Prack, Some(id)) if offers => agent
                .accept(now, id, 200, &with_answer)
                .or_else(|_| agent.accept(now, id, 200, &ResponseOptions::default()))
                .map(drop),
            (EventKind::Info, Some(id)) => agent.accept(now, id, 200, &ResponseOptions::default()).map(drop),
            (EventKind::Accept, _) if event.flags & flag::NEEDS_ACK != 0 => match event.session {
                Some(id) => agent.ack(now, id, &RequestOptions { body: sdp(&answer), ..RequestOptions::default() }),
                None => Ok(()),
            },
            (EventKind::Progress, _) if event.flags & flag::NEEDS_PRACK != 0 => match event.session {
                Some(id) => {
                    let body = if offers { sdp(&answer) } else { None };
                    agent.prack(now, id, RequestOptions { body, ..RequestOptions::default() }).map(drop)
                }
                None => Ok(()),
            },
            _ => agent.event_default(now, event),
        };
        // Err: it was answered meanwhile.
        drop(result);
    }

    /// Names that mean nothing any more are forgotten, so that they make no state another one.
    fn forget_the_gone(&mut self) {
        let (agent, host) = (&self.agent, &mut self.host);
        host.session = host.session.filter(|id| agent.session(*id).is_ok());
        let unanswered = |id: &IncomingId| agent.incoming(*id).is_ok_and(|incoming| incoming.message().is_ok());
        host.invite = host.invite.filter(unanswered);
        host.change = host.change.filter(unanswered);
        host.outgoing = host.outgoing.filter(|id| agent.outgoing(*id).is_ok());
    }
}

impl Side {
    pub fn host(&self) -> &Host {
        &self.life.host
    }

    /// The descriptions of both sides as this one knows them: its own first.
    pub fn descriptions(&self) -> Option<[Option<Vec<u8>>; 2]> {
        let session = self.life.agent.next_session(None).and_then(|id| self.life.agent.session(id).ok())?;
        let both = [session.local_description(), session.remote_description()];
        Some(both.map(|body| body.map(|body| body.body().content.to_vec())))
    }

    /// What comes of an input; `None`: an act that is refused.
    pub fn input(&self, input: Input, stock: &Stock<'_>, scribe: &mut Scribe) -> Option<Outcome> {
        if let Some(outcome) = self.after.lock().expect("no panic").get(&input) {
            return outcome.clone();
        }
        stock.worked.fetch_add(1, Ordering::Relaxed);
        let mut life = self.life.clone();
        let sent = life.input(&input, stock.plan);
        let outcome = match sent {
            Some(sent) => Some(Outcome { sent: sent.into(), then: stock.keep(life, scribe) }),
            None => {
                let fingerprint = scribe.fingerprint(life.now, &(&life.agent, &life.host));
                assert_eq!(fingerprint, self.fingerprint, "an act was refused and changed something: {input:?}");
                None
            }
        };
        self.after.lock().expect("no panic").insert(input, outcome.clone());
        outcome
    }
}

impl<'a> Stock<'a> {
    pub fn new(plan: &'a Plan, without_timers: bool) -> Self {
        let (known, twins, legal, worked) = Default::default();
        Self { plan, without_timers, known, twins, legal, worked }
    }

    pub fn scribe(&self) -> Scribe {
        Scribe::new(self.without_timers)
    }

    /// Both sides after alice's INVITE, and it.
    pub fn beginning(&self) -> ([Arc<Side>; 2], Vec<Message>) {
        let mut scribe = self.scribe();
        let mut alice = Life::new(0, self.plan);
        let sent = alice.invite(self.plan);
        ([self.keep(alice, &mut scribe), self.keep(Life::new(1, self.plan), &mut scribe)], sent)
    }

    /// The side that is the same, or this one.
    fn keep(&self, life: Life, scribe: &mut Scribe) -> Arc<Side> {
        let fingerprint = scribe.fingerprint(life.now, &(&life.agent, &life.host));
        let known = self.known.lock().expect("no panic").get(&fingerprint).cloned();
        if let Some(side) = known {
            if (fingerprint >> 64) % SAMPLE == 0 {
                self.twins.lock().expect("no panic").push((life, Arc::clone(&side)));
            }
            return side;
        }
        let next = life.agent.next_timeout().map(|at| at.as_micros().saturating_sub(life.now));
        let (living, is_quiet) = (life.living(), life.is_quiet());
        let side = Side { life, fingerprint, next, living, is_quiet, after: Mutex::default() };
        let mut known = self.known.lock().expect("no panic");
        Arc::clone(known.entry(fingerprint).or_insert_with(|| Arc::new(side)))
    }

    pub fn summary(&self) -> String {
        let (sides, legal) = (self.known.lock().expect("no panic").len(), self.legal.lock().expect("no panic").len());
        let worked = self.worked.load(Ordering::Relaxed);
        format!("{sides} states of a side, {worked} inputs of one, {legal} views of the wire judged\n")
    }

    /// The wire checker's opinion of a side. It judges each by what it saw and did, so that is judged once.
    pub fn judge(&self, number: u8, now: u64, past: &Past) -> Result<(), String> {
        let view = (past.view(number), now);
        if self.legal.lock().expect("no panic").contains(&view) {
            return Ok(());
        }
        let found = past.trace(now).violations_of(&|party| party == usize::from(number));
        if let Some(first) = found.first() {
            return Err(format!("the wire checker: {} {}: {}", first.rule, first.party, first.detail));
        }
        self.legal.lock().expect("no panic").insert(view);
        Ok(())
    }

    /// Sides that were told to be the same get the same inputs, and must do the same. Gives how many inputs that were.
    pub fn check_twins(&self) -> Result<usize, String> {
        let mut scribe = self.scribe();
        let mut count = 0;
        for (life, side) in self.twins.lock().expect("no panic").iter() {
            let after = side.after.lock().expect("no panic").clone();
            for (input, outcome) in after {
                let mut twin = life.clone();
                let sent = twin.input(&input, self.plan);
                let fingerprint = scribe.fingerprint(twin.now, &(&twin.agent, &twin.host));
                let same = match &outcome {
                    Some(outcome) => sent.as_deref() == Some(&*outcome.sent) && fingerprint == outcome.then.fingerprint,
                    None => sent.is_none(),
                };
                if !same {
                    let others = outcome.map(|outcome| outcome.sent);
                    return Err(format!("{input:?} to two sides that are the same: {sent:?}, {others:?}"));
                }
                count += 1;
            }
        }
        Ok(count)
    }
}
