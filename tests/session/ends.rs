//! The order in which a host hears of an end, one row for each row of the header's table ("How a session ends", at
//! `sipdlg_event_kind_e`) and more: what caused it, STATE, TERMINATED.

pub mod called;
pub mod calls;

use crate::common::pair::Stand;
use crate::common::party::config;
use crate::common::reliable_callee::knows_password;
use called::{CALLED, acknowledge, called, early, peer_says};
use calls::CALLS;
use sipdlg::agent::EventKind;
use sipdlg::config::{Config, quirk};
use sipdlg::session::{SessionState, SignalingState};

/// What happens; what alice's host hears from then on, in this order.
pub type Row = (&'static str, fn(&mut Stand), &'static str);

pub fn alice() -> Config {
    let mut alice = config("alice");
    alice.set_tolerance(quirk::REQUESTS_IN_EARLY).unwrap();
    alice.add_credentials(None, b"alice", b"wonderland", false, None).unwrap();
    alice
}

/// From here on it counts.
fn begin(stand: &mut Stand) {
    stand.alice.events.clear();
    stand.peer.inbox.clear();
}

fn check(rows: &[Row]) {
    for (name, happens, expected) in rows {
        let mut stand = Stand::with(alice());
        stand.wire.trace.allowed.push("response-to-tag");
        knows_password(&mut stand);
        happens(&mut stand);
        let events = &stand.alice.events;
        let kinds: Vec<String> = events.iter().map(|event| format!("{:?}", event.kind)).collect();
        assert_eq!(kinds.join(" "), *expected, "{name}");
        for (at, event) in events.iter().enumerate().filter(|(_, event)| event.kind == EventKind::Terminated) {
            let over = (SessionState::Terminated, SignalingState::Closed);
            let session = event.session.expect("TERMINATED names its session");
            let of_it = |event: &&sipdlg::agent::Event| event.session == Some(session);
            assert!(!events[at + 1..].iter().any(|event| of_it(&event)), "{name}: the last event of it");
            let state = events[..at].iter().filter(of_it).rfind(|event| event.kind == EventKind::State);
            let state = state.expect("STATE comes before");
            assert_eq!((state.session_state, state.signaling_state), over, "{name}");
            let bye = events[..at].iter().find(|event| event.kind == EventKind::Bye);
            if let Some(bye) = bye {
                assert_eq!(bye.session, Some(session), "{name}");
                assert_eq!((bye.session_state, bye.signaling_state), over, "{name}: the state after it");
            }
        }
    }
}

#[test]
fn the_end_of_a_call_that_came() {
    check(&CALLED);
}

#[test]
fn the_end_of_a_call_that_went_out() {
    check(&CALLS);
}

/// The host looks at the peer's BYE for as long as it likes: TERMINATED waits for its answer, early or not.
#[test]
fn terminated_waits_for_the_answer_to_the_bye() {
    for is_early in [true, false] {
        let mut stand = Stand::with(alice());
        stand.alice.hold(EventKind::Bye);
        let invite = if is_early { Some(early(&mut stand)) } else { None };
        if !is_early {
            called(&mut stand);
        }
        peer_says(&mut stand, "BYE");
        if let Some(invite) = &invite {
            stand.peer.inbox.retain(|sip| sip.cseq_method() == "INVITE");
            acknowledge(&mut stand, invite);
        }
        stand.peer.inbox.clear();
        assert_eq!(stand.alice.kinds(), [EventKind::Bye, EventKind::State], "early: {is_early}");
        stand.alice.accept("");
        stand.exchange();
        stand.peer.take("200 BYE");
        assert_eq!(stand.alice.kinds(), [EventKind::Bye, EventKind::State, EventKind::Terminated], "early: {is_early}");
    }
}
