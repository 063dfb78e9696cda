//! `sipdlg_session_new` of a live INVITE of the peer's: a session before any response (RFC 3261 §12.1.1).

use crate::common::pair::Stand;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::session::SessionState::{AckWait, Confirmed, Early, Initial};
use sipdlg::session::SignalingState::{self, Stable};

/// The session of an INVITE that nothing was said to yet: its birth is told, once, and what becomes of it as ever.
#[test]
fn a_session_asked_for_before_any_response_tells_its_birth() {
    for offer in [OFFER, ""] {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE");
        let invite = if offer.is_empty() { invite } else { invite.sdp(offer) };
        stand.say(invite.clone());
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let session = stand.alice.agent.session_for_invite(now, incoming).expect("an INVITE that waits");
        assert_eq!(stand.alice.agent.session_for_invite(now, incoming).expect("the same"), session);
        stand.alice.progress(180, "");
        assert_eq!(stand.alice.agent.session_for_invite(now, incoming).expect("the same"), session);
        stand.alice.accept(if offer.is_empty() { OFFER } else { ANSWER });
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        stand.peer.learn(&ok);
        let ack = stand.peer.ack(&invite, &ok);
        stand.say(if offer.is_empty() { ack.sdp(ANSWER) } else { ack });
        let told: Vec<_> = stand.alice.events.iter().filter(|event| event.kind == EventKind::State).collect();
        assert!(told.iter().all(|event| event.session == Some(session)));
        let told: Vec<_> = told.iter().map(|event| (event.session_state, event.signaling_state)).collect();
        let (born, answered) = match offer {
            "" => (SignalingState::Initial, SignalingState::HaveLocalOffer),
            _ => (SignalingState::HaveRemoteOffer, Stable),
        };
        let mut expected = vec![(Initial, born), (Early, born), (AckWait, answered), (Confirmed, Stable)];
        expected.dedup();
        assert_eq!(told, expected, "{offer:?}");
        assert_eq!(stand.alice.kinds()[1], EventKind::State, "right after the INVITE");
    }
}
