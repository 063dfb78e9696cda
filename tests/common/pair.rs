//! Two agents, or an agent and a scripted peer, in memory, with virtual time.
//!
//! Whoever drops one of these has it finished: living sessions are hung up, time passes until all is idle, the wire
//! checker judges the trace, and nothing may be left alive in the agents.

use super::network::{Side, Wire};
use super::party::{Party, config};
use super::peer::Peer;
use super::sip::Sip;
use super::{ANSWER, OFFER, seconds};
use sipdlg::config::Config;
use sipdlg::flow::Transport;
use std::time::Duration;

pub const ALICE: &str = "192.0.2.1:5060";
pub const BOB: &str = "192.0.2.2:5060";
pub const TO_BOB: &str = "sip:bob@192.0.2.2:5060";
pub const TO_ALICE: &str = "sip:alice@192.0.2.1:5060";

/// How long everything may take to end.
const PATIENCE: Duration = seconds(7_200);

/// Alice and bob, both agents of the library.
pub struct Pair {
    pub alice: Party,
    pub bob: Party,
    pub wire: Wire,
    finished: bool,
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

impl Pair {
    pub fn new() -> Self {
        Self::with(config("alice"), config("bob"))
    }

    pub fn with(alice: Config, bob: Config) -> Self {
        Self::over(Transport::Udp, alice, bob, 1)
    }

    pub fn seeded(seed: u64) -> Self {
        Self::over(Transport::Udp, config("alice"), config("bob"), seed)
    }

    pub fn over(transport: Transport, alice: Config, bob: Config, seed: u64) -> Self {
        let mut wire = Wire::new(seed);
        let alice = Party::new("alice", ALICE, alice, &mut wire, transport);
        let bob = Party::new("bob", BOB, bob, &mut wire, transport);
        Self { alice, bob, wire, finished: false }
    }

    /// After INVITE with offer, 180, 200 with answer, ACK.
    pub fn confirmed() -> Self {
        let mut pair = Self::new();
        pair.call();
        pair
    }

    /// Alice calls, bob rings and answers.
    #[track_caller]
    pub fn call(&mut self) {
        self.bob.rings_and_answers(ANSWER);
        self.alice.invite(TO_BOB, OFFER);
        self.exchange();
        let confirmed = (sipdlg::session::SessionState::Confirmed, sipdlg::session::SignalingState::Stable);
        assert_eq!(
            (self.alice.state(), self.bob.state()),
            (confirmed, confirmed),
            "\n{}",
            self.wire.trace.ladder(None)
        );
    }

    /// Forgets events and scripts' past; the trace stays.
    pub fn forget_events(&mut self) {
        self.alice.events.clear();
        self.bob.events.clear();
    }

    /// What was sent since `from` lines of [`super::wire::Trace::lines`].
    pub fn since(&self, from: usize) -> Vec<String> {
        self.wire.trace.lines().split_off(from)
    }

    /// How many messages were sent so far.
    pub fn sent(&self) -> usize {
        self.wire.trace.datagrams.len()
    }

    pub fn exchange(&mut self) {
        self.wire.exchange(&mut [&mut self.alice, &mut self.bob]);
    }

    pub fn advance(&mut self, span: Duration) {
        self.wire.advance(&mut [&mut self.alice, &mut self.bob], span);
    }

    pub fn run_until_idle(&mut self) {
        self.wire.run_until_idle(&mut [&mut self.alice, &mut self.bob], PATIENCE);
    }

    /// Lets out what the last acts made, delivers nothing.
    pub fn flush(&mut self) {
        self.wire.settle(&mut [&mut self.alice, &mut self.bob]);
    }

    /// Ends everything and judges it.
    #[track_caller]
    pub fn finish(mut self) {
        self.close();
    }

    /// The same without the judge: for hosts that do by hand what is theirs to answer for.
    #[track_caller]
    pub fn end_unjudged(&mut self) {
        self.finished = true;
        self.end();
    }

    #[track_caller]
    fn end(&mut self) {
        self.flush();
        self.alice.hangup_all();
        self.bob.hangup_all();
        self.run_until_idle();
    }

    #[track_caller]
    fn close(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.end();
        self.wire.trace.check();
        check_empty(&self.alice, &self.wire);
        check_empty(&self.bob, &self.wire);
    }
}

#[track_caller]
fn check_empty(party: &Party, wire: &Wire) {
    let living = party.living();
    let text = "living sessions, incoming, outgoing, transactions, timers";
    assert_eq!(living, [0; 5], "{} keeps {text}\n{}", party.name, wire.trace.ladder(None));
}

impl Drop for Pair {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.close();
        }
    }
}

/// Alice, an agent of the library, and a peer that says what the test writes.
pub struct Stand {
    pub alice: Party,
    pub peer: Peer,
    pub wire: Wire,
    finished: bool,
}

impl Default for Stand {
    fn default() -> Self {
        Self::new()
    }
}

impl Stand {
    pub fn new() -> Self {
        Self::with(config("alice"))
    }

    pub fn with(alice: Config) -> Self {
        Self::over(Transport::Udp, alice)
    }

    pub fn over(transport: Transport, alice: Config) -> Self {
        let mut wire = Wire::new(1);
        let alice = Party::new("alice", ALICE, alice, &mut wire, transport);
        let peer = Peer::new("peer", BOB, ALICE, &mut wire, transport);
        Self { alice, peer, wire, finished: false }
    }

    /// Alice called, the peer answered: the peer is callee.
    #[track_caller]
    pub fn alice_called() -> Self {
        let mut stand = Self::new();
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 200, ANSWER);
        stand.peer.take("ACK");
        stand
    }

    /// The peer called, alice answered and was acknowledged.
    #[track_caller]
    pub fn peer_called() -> Self {
        let mut stand = Self::new();
        stand.peer_calls();
        stand
    }

    /// The peer calls, alice answers and is acknowledged.
    #[track_caller]
    pub fn peer_calls(&mut self) {
        self.alice.answers(sipdlg::agent::EventKind::Invite, ANSWER);
        let invite = self.peer.request("INVITE").sdp(OFFER);
        self.say(invite.clone());
        self.peer_acknowledges(&invite);
    }

    /// The peer takes the 200 to its INVITE, and the dialog from it, and acknowledges.
    #[track_caller]
    pub fn peer_acknowledges(&mut self, invite: &super::draft::Draft) -> Sip {
        let ok = self.peer.take("200 INVITE");
        self.peer.learn(&ok);
        let ack = self.peer.ack(invite, &ok);
        self.say(ack);
        ok
    }

    pub fn exchange(&mut self) {
        self.wire.exchange(&mut [&mut self.alice, &mut self.peer]);
    }

    pub fn advance(&mut self, span: Duration) {
        self.wire.advance(&mut [&mut self.alice, &mut self.peer], span);
    }

    pub fn run_until_idle(&mut self) {
        self.wire.run_until_idle(&mut [&mut self.alice, &mut self.peer], PATIENCE);
    }

    /// Sends and delivers, and what follows from it.
    pub fn say(&mut self, draft: super::draft::Draft) {
        self.peer.send(draft);
        self.exchange();
    }

    /// The peer takes the request that it got and replies, with `text` as session description; "" none.
    /// From an INVITE it learns the dialog.
    #[track_caller]
    pub fn peer_replies(&mut self, method: &str, status: u16, text: &str) -> Sip {
        let request = self.peer.take(method);
        if method == "INVITE" {
            self.peer.learn(&request);
        }
        let draft = self.peer.reply(&request, status);
        self.say(if text.is_empty() { draft } else { draft.sdp(text) });
        request
    }

    #[track_caller]
    pub fn finish(mut self) {
        self.close();
    }

    /// Ends everything without the judge: for settings that it does not know of.
    #[track_caller]
    pub fn end_unjudged(&mut self) {
        self.finished = true;
        self.end();
        check_empty(&self.alice, &self.wire);
    }

    #[track_caller]
    fn end(&mut self) {
        self.wire.settle(&mut [&mut self.alice as &mut dyn Side]);
        self.alice.hangup_all();
        self.run_until_idle();
    }

    #[track_caller]
    fn close(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.end();
        self.wire.trace.check();
        check_empty(&self.alice, &self.wire);
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.close();
        }
    }
}
