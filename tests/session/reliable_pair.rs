//! Reliable provisional responses between two agents (RFC 3262, RFC 6337 patterns 3, 4, 5),
//! on a good and on a bad network.

use crate::common::pair::{Pair, TO_BOB};
use crate::common::party::{Party, answer_sdp, config, reliable, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::{Reason, flag};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{Agent, Event, EventKind, RequestOptions, ResponseOptions};
use sipdlg::config::Policy;
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::Now;

/// Where offer and answer are (RFC 6337 table 1).
#[derive(Clone, Copy, Debug)]
enum Pattern {
    /// Offer in the INVITE, answer in a reliable response.
    Three,
    /// Offer in a reliable response, answer in its PRACK.
    Four,
    /// As three; then an offer in the PRACK, answer in its 2xx.
    Five,
}

const PATTERNS: [Pattern; 3] = [Pattern::Three, Pattern::Four, Pattern::Five];

impl Pattern {
    /// INVITE or re-INVITE, the callee's description, what the PRACK carries.
    fn descriptions(self, offer: &'static str, answer: &'static str) -> [&'static str; 3] {
        match self {
            Self::Three => [offer, answer, ""],
            Self::Four => ["", offer, answer],
            Self::Five => [offer, answer, FURTHER_OFFER],
        }
    }

    fn outcome(self, offer: &'static str, answer: &'static str) -> [&'static str; 2] {
        match self {
            Self::Three | Self::Four => [offer, answer],
            Self::Five => [FURTHER_OFFER, FURTHER_ANSWER],
        }
    }
}

const FURTHER_OFFER: &str = "v=0\r\no=alice 1 7 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
const FURTHER_ANSWER: &str = "v=0\r\no=bob 1 7 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

/// Bob: a reliable 183 with `text`, a reliable 180, the 200 without a description; a further offer is answered.
fn answers(bob: &mut Party, kind: EventKind, text: &'static str) {
    bob.on(kind, move |agent, now, event| {
        let incoming = event.incoming.expect("an INVITE");
        agent.progress(now, incoming, 183, &reliable(text)).expect("183 is legal");
        agent.progress(now, incoming, 180, &reliable("")).expect("it queues");
        agent.accept(now, incoming, 200, &ResponseOptions::default()).expect("it is held back");
    });
    bob.on(EventKind::Prack, |agent, now, event| {
        let incoming = event.incoming.expect("a PRACK");
        let offers = event.message.as_ref().is_some_and(|message| message.session_body().is_some());
        let text = if offers && event.signaling_state == SignalingState::HaveRemoteOffer { FURTHER_ANSWER } else { "" };
        agent.accept(now, incoming, 200, &answer_sdp(text)).expect("200 is legal");
    });
}

/// Alice: each PRACK that is the host's, the first of a call with `text`.
fn acknowledges(alice: &mut Party, text: &'static str) {
    let mut described = false;
    alice.on(EventKind::Progress, move |agent, now, event| {
        if event.flags & flag::NEEDS_PRACK != 0 {
            let session = event.session.expect("an early dialog");
            let text = if std::mem::replace(&mut described, true) { "" } else { text };
            agent.prack(now, session, with_sdp(text)).expect("the PRACK is legal");
        }
    });
}

#[track_caller]
fn books(party: &Party) -> [String; 2] {
    let session = party.agent.session(party.session()).expect("it lives");
    [session.offer(), session.answer()]
        .map(|body| String::from_utf8_lossy(body.expect("a description").content()).into_owned())
}

fn call(pair: &mut Pair, pattern: Pattern) {
    let [invite, progress, prack] = pattern.descriptions(OFFER, ANSWER);
    answers(&mut pair.bob, EventKind::Invite, progress);
    acknowledges(&mut pair.alice, prack);
    let flags = if matches!(pattern, Pattern::Five) { request_flag::MANUAL_PRACK } else { 0 };
    pair.alice.invite_with(TO_BOB, RequestOptions { flags, ..with_sdp(invite) });
}

#[test]
fn the_patterns_between_two_agents() {
    for pattern in PATTERNS {
        let mut pair = Pair::new();
        call(&mut pair, pattern);
        pair.exchange();
        let confirmed = (SessionState::Confirmed, SignalingState::Stable);
        assert_eq!((pair.alice.state(), pair.bob.state()), (confirmed, confirmed), "{pattern:?}");
        assert_eq!(books(&pair.alice), pattern.outcome(OFFER, ANSWER), "{pattern:?}");
        assert_eq!(books(&pair.bob), books(&pair.alice), "{pattern:?}");
        assert_eq!(pair.wire.trace.messages("alice", "PRACK").len(), 1, "the 2xx leaves the queue behind");
        assert!(pair.wire.trace.messages("bob", "200 INVITE").iter().all(|ok| ok.body.is_empty()));
    }
}

#[test]
fn the_patterns_in_a_reinvite_between_two_agents() {
    for pattern in PATTERNS {
        let mut pair = Pair::confirmed();
        let [invite, progress, prack] = pattern.descriptions(HOLD, HELD);
        answers(&mut pair.bob, EventKind::Reinvite, progress);
        acknowledges(&mut pair.alice, prack);
        let flags = if matches!(pattern, Pattern::Five) { request_flag::MANUAL_PRACK } else { 0 };
        let (now, session) = (pair.alice.now(), pair.alice.session());
        let options = RequestOptions { flags, ..with_sdp(invite) };
        pair.alice.agent.reinvite(now, session, options).expect("a re-INVITE is legal");
        pair.exchange();
        assert_eq!(books(&pair.alice), pattern.outcome(HOLD, HELD), "{pattern:?}");
        assert_eq!(books(&pair.bob), books(&pair.alice), "{pattern:?}");
        assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    }
}

/// A third of all messages lost, some twice, many out of order: what comes through is the same.
#[test]
fn the_patterns_on_a_bad_network() {
    let mut confirmed = 0;
    for seed in 0..150 {
        let pattern = PATTERNS[usize::try_from(seed % 3).expect("small")];
        let mut pair = Pair::seeded(seed);
        pair.wire.loss = 300;
        pair.wire.duplication = 50;
        pair.wire.delay = (1_000, 400_000);
        call(&mut pair, pattern);
        pair.advance(seconds(40));
        if pair.alice.state().0 == SessionState::Confirmed && pair.bob.state().0 == SessionState::Confirmed {
            confirmed += 1;
            assert_eq!(books(&pair.alice), pattern.outcome(OFFER, ANSWER), "{pattern:?}");
            assert_eq!(books(&pair.bob), books(&pair.alice), "{pattern:?}");
        }
        pair.finish();
    }
    assert!(confirmed > 130, "{confirmed} of 150");
}

/// §3: nobody acknowledges; after 64*T1 the callee gives up, and the call is over on both sides.
#[test]
fn a_host_that_never_acknowledges_loses_the_call() {
    let mut pair = Pair::new();
    pair.wire.trace.allowed.push("prack-owed");
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.progress(now, event.incoming.expect("an INVITE"), 183, &reliable(OFFER)).expect("183 is legal");
    });
    pair.alice.invite(TO_BOB, "");
    pair.advance(ms(31_900));
    assert_eq!(pair.alice.state(), (SessionState::Early, SignalingState::HaveRemoteOffer));
    pair.advance(ms(200));
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::PrackTimeout);
    let ended = pair.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code / 100), (Reason::Rejected, 5));
}

/// §4: who cannot do without says so in Require; who does not speak it answers 420.
#[test]
fn reliable_responses_may_be_required() {
    for (policy, outcome) in [(Policy::Supported, SessionState::Early), (Policy::Off, SessionState::Initial)] {
        let (mut alice, mut bob) = (config("alice"), config("bob"));
        alice.reliable = Policy::Required;
        bob.reliable = policy;
        let mut pair = Pair::with(alice, bob);
        pair.bob.on(EventKind::Invite, |agent, now, event| {
            agent.progress(now, event.incoming.expect("an INVITE"), 180, &ResponseOptions::default()).expect("legal");
        });
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        let invite = &pair.wire.trace.messages("alice", "INVITE")[0];
        assert_eq!(invite.all("require"), ["100rel"]);
        assert!(invite.all("supported").contains(&"100rel"));
        assert_eq!(pair.alice.state().0, outcome, "{policy:?}");
        match policy {
            Policy::Off => assert_eq!(pair.alice.statuses(EventKind::Reject), [420]),
            _ => assert_eq!(pair.alice.last(EventKind::Progress).flags, flag::RELIABLE),
        }
    }
}

/// Bob answers every third call by pattern 3, 4 or 5; the rest without reliable responses.
fn answer_reliably(agent: &mut Agent, now: Now, event: &Event, count: u32) {
    let incoming = event.incoming.expect("an INVITE");
    let offered = event.message.as_ref().is_some_and(|message| message.session_body().is_some());
    let description = if offered { ANSWER } else { OFFER };
    let ringing = if offered { "" } else { description };
    agent.progress(now, incoming, 180, &reliable(ringing)).expect("legal");
    if offered && count % 2 == 0 {
        agent.progress(now, incoming, 183, &reliable(description)).expect("it queues");
        agent.progress(now, incoming, 182, &reliable("")).expect("it queues");
        agent.accept(now, incoming, 200, &answer_sdp("")).expect("OK, but later");
    } else if offered {
        agent.accept(now, incoming, 200, &answer_sdp(description)).expect("nothing is held back");
    } else {
        agent.accept(now, incoming, 200, &answer_sdp("")).expect("OK, but later");
    }
}

fn reliable_pair(seed: u64) -> Pair {
    let mut pair = Pair::seeded(seed);
    let mut count = 0;
    pair.bob.on(EventKind::Invite, move |agent, now, event| {
        count += 1;
        answer_reliably(agent, now, event, count);
    });
    pair.alice.on(EventKind::Progress, |agent, now, event| {
        if event.flags & flag::NEEDS_PRACK != 0 {
            // Err: a repeat of it has been answered.
            drop(agent.prack(now, event.session.expect("a session"), with_sdp(ANSWER)));
        }
    });
    pair
}

/// Both halves together, patterns 3 and 4.
#[test]
fn two_agents_agree() {
    let mut pair = reliable_pair(1);
    for offer in [OFFER, OFFER, ""] {
        pair.alice.invite(TO_BOB, offer);
        pair.exchange();
        let good = (SessionState::Confirmed, SignalingState::Stable);
        assert_eq!((pair.alice.state(), pair.bob.state()), (good, good), "\n{}", pair.wire.trace.ladder(None));
        pair.alice.hangup();
        pair.exchange();
    }
    assert_eq!(pair.bob.count(EventKind::Prack), 4, "the 182 behind the accepted one is not sent any more");
}

/// The same with a fifth of all messages lost, some twice, many out of order: every call ends legally.
#[test]
fn two_agents_agree_over_a_bad_network() {
    let mut confirmed = 0;
    for seed in 1..=20 {
        let mut pair = reliable_pair(seed);
        pair.wire.loss = 200;
        pair.wire.duplication = 50;
        pair.wire.delay = (1_000, 400_000);
        for call in 0..10 {
            pair.alice.invite(TO_BOB, if call % 3 == 2 { "" } else { OFFER });
            pair.advance(ms(200));
        }
        pair.advance(seconds(60));
        confirmed += pair.bob.agent.stats().calls_confirmed;
        pair.finish();
    }
    assert!(confirmed > 150, "the test tests something: {confirmed}");
}
