//! The caller hangs up the forks of its INVITE, whatever state each is in: BYE ends one of them, CANCEL the last of an
//! INVITE that is still open (RFC 3261 §9.1, §15), and all have said TERMINATED as soon as the peer has answered.

use crate::common::by_hand::ByHand;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::{EventKind, Reason, RequestOptions, SessionId};
use sipdlg::config::ForkPolicy;

const TAGS: [&str; 3] = ["one", "two", "three"];

/// States of the forks: E early, A answered by a 2xx, C confirmed by hand (its 2xx was seen elsewhere), L left by BYE,
/// which is not answered, H left and over. What their hang-ups send, in this order: B BYE, C CANCEL, - nothing.
const TWO: [(&str, &str); 25] = [
    ("EE", "BC"),
    ("EA", "BB"),
    ("EC", "BB"),
    ("EL", "C-"),
    ("EH", "C-"),
    ("AE", "BB"),
    ("AA", "BB"),
    ("AC", "BB"),
    ("AL", "B-"),
    ("AH", "B-"),
    ("CE", "BC"),
    ("CA", "BB"),
    ("CC", "BB"),
    ("CL", "B-"),
    ("CH", "B-"),
    ("LE", "-C"),
    ("LA", "-B"),
    ("LC", "-B"),
    ("LL", "--"),
    ("LH", "--"),
    ("HE", "-C"),
    ("HA", "-B"),
    ("HC", "-B"),
    ("HL", "--"),
    ("HH", "--"),
];

/// The same of three.
const THREE: [(&str, &str); 27] = [
    ("EEE", "BBC"),
    ("EEA", "BBB"),
    ("EEH", "BC-"),
    ("EAE", "BBB"),
    ("EAA", "BBB"),
    ("EAH", "BB-"),
    ("EHE", "B-C"),
    ("EHA", "B-B"),
    ("EHH", "C--"),
    ("AEE", "BBB"),
    ("AEA", "BBB"),
    ("AEH", "BB-"),
    ("AAE", "BBB"),
    ("AAA", "BBB"),
    ("AAH", "BB-"),
    ("AHE", "B-B"),
    ("AHA", "B-B"),
    ("AHH", "B--"),
    ("HEE", "-BC"),
    ("HEA", "-BB"),
    ("HEH", "-C-"),
    ("HAE", "-BB"),
    ("HAA", "-BB"),
    ("HAH", "-B-"),
    ("HHE", "--C"),
    ("HHA", "--B"),
    ("HHH", "---"),
];

struct Forks {
    stand: Stand,
    invite: Sip,
    sessions: Vec<SessionId>,
}

impl Forks {
    /// The peer rings with a tag for each letter, and does what the letters say.
    fn in_states(states: &str, policy: ForkPolicy) -> Self {
        let mut alice = config("alice");
        alice.fork_policy = policy;
        let mut stand = Stand::with(alice);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let mut forks = Self { stand, invite, sessions: Vec::new() };
        for tag in &TAGS[..states.len()] {
            forks.replies(180, tag);
            forks.sessions.push(forks.stand.alice.last(EventKind::Progress).session.unwrap());
        }
        for (at, state) in states.chars().enumerate() {
            let (now, session) = (forks.stand.alice.now(), forks.sessions[at]);
            let agent = &mut forks.stand.alice.agent;
            match state {
                'L' | 'H' => drop(agent.bye(now, session, RequestOptions::default()).unwrap()),
                'C' => agent.confirm_session(now, session).unwrap(),
                _ => {}
            }
            forks.stand.exchange();
            if state == 'H' {
                forks.stand.peer_replies("BYE", 200, "");
            }
        }
        for (at, _) in states.chars().enumerate().filter(|(_, state)| *state == 'A') {
            forks.replies(200, TAGS[at]);
            assert_eq!(forks.stand.peer.got().last().map(String::as_str), Some("ACK"), "{states}");
        }
        // What a fork that is left was sent is answered in the end.
        forks.stand.peer.inbox.retain(|sip| sip.method() == "BYE");
        forks
    }

    fn replies(&mut self, status: u16, tag: &str) {
        let draft = self.stand.peer.reply_as(&self.invite, status, tag);
        self.stand.say(if status == 200 { draft.sdp(ANSWER) } else { draft });
    }

    /// Hangs up this fork: what went out.
    fn hangup(&mut self, at: usize) -> String {
        let (now, before) = (self.stand.alice.now(), self.stand.peer.inbox.len());
        // Stale: its TERMINATED was delivered.
        drop(self.stand.alice.agent.hangup(now, self.sessions[at], 0, RequestOptions::default()));
        self.stand.exchange();
        let sent: Vec<_> = self.stand.peer.inbox.iter().skip(before).collect();
        for bye in sent.iter().filter(|sip| sip.method() == "BYE") {
            assert_eq!(bye.to_tag().as_deref(), Some(TAGS[at]), "a BYE ends its own fork");
        }
        let letters: String = sent.iter().map(|sip| sip.method().chars().next().unwrap_or('?')).collect();
        if letters.is_empty() { "-".to_owned() } else { letters }
    }

    /// The peer answers all that it was sent, and its INVITE where that is open.
    fn answer_all(&mut self, open: bool) {
        for request in std::mem::take(&mut self.stand.peer.inbox) {
            let answer = self.stand.peer.reply(&request, 200);
            self.stand.say(answer);
        }
        if open {
            self.replies(487, TAGS[0]);
        }
    }
}

fn check(states: &str, order: &[usize], expected: &str, policy: ForkPolicy) {
    let row = format!("{states} {order:?} {policy:?}");
    let mut forks = Forks::in_states(states, policy);
    let before = forks.stand.wire.now;
    let sent: Vec<String> = order.iter().map(|at| forks.hangup(*at)).collect();
    assert_eq!(sent.concat(), expected, "{row}");
    forks.answer_all(!states.contains('A'));
    let ended: Vec<_> = forks.stand.alice.events.iter().filter(|event| event.kind == EventKind::Terminated).collect();
    assert_eq!(ended.len(), states.len(), "{row}: each has said TERMINATED");
    assert!(ended.iter().all(|event| event.reason == Reason::LocalHangup), "{row}");
    assert!(forks.stand.wire.now - before < 100_000, "{row}: at once");
}

#[test]
fn each_pair_of_states_of_two_forks() {
    for (states, expected) in TWO {
        check(states, &[0, 1], expected, ForkPolicy::All);
        if states.matches('A').count() < 2 {
            check(states, &[0, 1], expected, ForkPolicy::First);
        }
        // The other order is that of the mirrored row.
        let mirrored: String = states.chars().rev().collect();
        let (_, expected) = TWO.into_iter().find(|(states, _)| *states == mirrored).expect("a row");
        check(states, &[1, 0], expected, ForkPolicy::All);
    }
}

#[test]
fn each_triple_of_states_of_three_forks() {
    for (states, expected) in THREE {
        check(states, &[0, 1, 2], expected, ForkPolicy::All);
        if states.matches('A').count() < 2 {
            check(states, &[0, 1, 2], expected, ForkPolicy::First);
        }
    }
}

/// A 2xx of a fork that was hung up meanwhile (RFC 5407 §3.1.3): acknowledged, and BYE is not sent twice.
#[test]
fn a_2xx_of_a_loser_that_was_hung_up_is_acknowledged() {
    let mut forks = Forks::in_states("AE", ForkPolicy::First);
    assert_eq!(forks.hangup(1), "B");
    forks.stand.peer_replies("BYE", 200, "");
    forks.replies(200, "two");
    assert_eq!(forks.stand.peer.got(), ["ACK"]);
    forks.stand.peer.inbox.clear();
    assert_eq!(forks.hangup(0), "B");
    forks.stand.peer_replies("BYE", 200, "");
}

/// A fork that begins to ring when the CANCEL is out.
#[test]
fn a_fork_that_rings_on_after_the_cancel_gets_no_second_one() {
    let mut forks = Forks::in_states("E", ForkPolicy::First);
    assert_eq!(forks.hangup(0), "C");
    forks.replies(180, "two");
    forks.sessions.push(forks.stand.alice.last(EventKind::Progress).session.unwrap());
    assert_eq!(forks.hangup(1), "B", "the CANCEL is out; this one is ended by itself");
    assert_eq!(forks.hangup(0), "-");
    forks.answer_all(true);
    assert_eq!(forks.stand.alice.count(EventKind::Terminated), 2);
}
