//! Offers and answers in the callee's reliable responses and in the PRACKs that it gets (RFC 3262 §5, RFC 6337).

use crate::common::pair::Stand;
use crate::common::party::reliable;
use crate::common::reliable_caller::{EARLY, accept, acknowledge, called, prack, prack_of, progress, rseq, take};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::{EventKind, Reason};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

/// Pattern 3: offer in the INVITE, answer in the reliable 183, none in the 200.
#[test]
fn a_183_with_the_answer_is_acknowledged_and_the_200_brings_none() {
    let mut stand = Stand::new();
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("the peer supports it");
    let progress = take(&mut stand, "183 INVITE");
    assert!((1..=0x7fff_ffff).contains(&rseq(&progress)) && progress.sdp() == Some(ANSWER));
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::Stable));
    prack(&mut stand, &progress);
    assert_eq!(stand.alice.count(EventKind::Prack), 1);
    assert_eq!(accept(&mut stand, ANSWER).unwrap_err().kind, ErrorKind::State, "the answer was given");
    accept(&mut stand, "").expect("the answer was given");
    assert_eq!(stand.peer.inbox[0].sdp(), None);
    acknowledge(&mut stand, &invite);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// Pattern 4: without an offer in the INVITE the first reliable response brings it, and its PRACK the answer.
#[test]
fn the_offer_in_the_183_is_answered_in_its_prack() {
    let mut stand = Stand::new();
    let invite = called(&mut stand, "Supported", "");
    let bare = progress(&mut stand, 180, &reliable("")).unwrap_err();
    assert!(bare.kind == ErrorKind::State && bare.detail.contains("3262 5"), "{bare:?}");
    progress(&mut stand, 183, &reliable(OFFER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::HaveLocalOffer));
    accept(&mut stand, "").expect("the offer was given");
    let answer = prack_of(&mut stand, rseq(&first), first.cseq()).sdp(ANSWER);
    stand.say(answer);
    let told = stand.alice.last(EventKind::Prack);
    assert_eq!((told.session_state, told.signaling_state), (EARLY, SignalingState::Stable));
    assert_eq!(stand.alice.state(), (SessionState::AckWait, SignalingState::Stable));
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
    assert_eq!(stand.peer.inbox.iter().find(|sip| sip.short() == "200 INVITE").unwrap().sdp(), None);
    acknowledge(&mut stand, &invite);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// §5: a PRACK that owes the answer and brings none is acknowledged, and ends the INVITE.
#[test]
fn a_prack_without_the_answer_ends_the_invite() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", "");
    progress(&mut stand, 183, &reliable(OFFER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    prack(&mut stand, &first);
    stand.peer.take("400 INVITE");
    let end = stand.alice.last(EventKind::Terminated);
    assert_eq!((end.reason, end.status_code), (Reason::NoAnswerIn2xx, 400));
    stand.finish();

    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let again = stand.peer.request("INVITE").with("Supported", "100rel");
    stand.say(again.clone());
    progress(&mut stand, 183, &reliable(HOLD)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    prack(&mut stand, &first);
    let refused = stand.peer.take("400 INVITE");
    let ack = stand.peer.ack(&again, &refused);
    stand.say(ack);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.offer().unwrap().content(), OFFER.as_bytes(), "as before the re-INVITE");
}

/// Pattern 5: a new offer in the PRACK, answered in its 2xx.
#[test]
fn an_offer_in_the_prack_is_answered_in_its_200() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Prack);
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let invited = stand.alice.incoming();
    let first = take(&mut stand, "183 INVITE");
    accept(&mut stand, "").expect("OK, but later");
    let offer = prack_of(&mut stand, rseq(&first), first.cseq()).sdp(HOLD);
    stand.say(offer);
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::HaveRemoteOffer));
    assert_eq!(accept(&mut stand, "").unwrap_err().kind, ErrorKind::State, "its offer needs an answer");
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got(), NOTHING, "neither the 183 again nor the 200 of the INVITE");
    accept(&mut stand, HELD).expect("the answer");
    assert_eq!(stand.peer.got(), ["200 PRACK", "200 INVITE"]);
    assert_eq!(stand.peer.take("200 PRACK").sdp(), Some(HELD));
    stand.alice.incoming = Some(invited);
    acknowledge(&mut stand, &invite);
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(
        (session.offer().unwrap().content(), session.answer().unwrap().content()),
        (HOLD.as_bytes(), HELD.as_bytes())
    );
}

/// The default is 488 to an offer; RFC 6337 §2.3: the UAC then sends another PRACK.
#[test]
fn a_refused_offer_in_a_prack_leaves_the_response_to_another() {
    let mut stand = Stand::new();
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let invited = stand.alice.incoming();
    let first = take(&mut stand, "183 INVITE");
    let offer = prack_of(&mut stand, rseq(&first), first.cseq()).sdp(HOLD);
    stand.say(offer);
    assert!(!stand.peer.take("488 PRACK").value("warning").is_empty());
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::Stable));
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.offer().unwrap().content(), OFFER.as_bytes());
    stand.advance(ms(600));
    stand.peer.take("183 INVITE");
    prack(&mut stand, &first);
    stand.alice.incoming = Some(invited);
    accept(&mut stand, "").expect("legal");
    acknowledge(&mut stand, &invite);
}

/// RFC 6337 §3: an offer while another is open is never answered 200; nothing changes.
#[test]
fn a_second_offer_in_a_prack_is_refused() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &reliable("")).expect("legal");
    let first = take(&mut stand, "180 INVITE");
    let offer = prack_of(&mut stand, rseq(&first), first.cseq()).sdp(HOLD);
    stand.say(offer);
    stand.peer.take("488 PRACK");
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::HaveRemoteOffer));
    assert_eq!(stand.alice.count(EventKind::Prack), 0);
    stand.advance(ms(600));
    stand.peer.take("180 INVITE");
    prack(&mut stand, &first);
}

/// A re-INVITE has its own numbers; a reliable response moves the target (RFC 6141 §4), and while its description is
/// not acknowledged a rejection brings the former exchange back (RFC 3261 §14.1).
#[test]
fn a_reinvite_has_reliable_responses_too() {
    for accepted in [true, false] {
        let mut stand = Stand::peer_called();
        stand.alice.hold(EventKind::Reinvite);
        let again = stand.peer.request("INVITE").with("Supported", "100rel").sdp(HOLD);
        let again = again.set("Contact", "<sip:peer2@192.0.2.2:5060>");
        stand.say(again.clone());
        let target = |stand: &Stand| {
            String::from_utf8_lossy(stand.alice.agent.session(stand.alice.session()).unwrap().remote_target())
                .into_owned()
        };
        assert_eq!(target(&stand), "sip:peer@192.0.2.2:5060");
        progress(&mut stand, 183, &reliable(HELD)).expect("legal");
        assert_eq!(target(&stand), "sip:peer2@192.0.2.2:5060");
        let first = take(&mut stand, "183 INVITE");
        let offer = if accepted {
            prack(&mut stand, &first);
            accept(&mut stand, "").expect("legal");
            acknowledge(&mut stand, &again);
            HOLD
        } else {
            stand.alice.reject(488);
            stand.exchange();
            let refused = stand.peer.take("488 INVITE");
            let ack = stand.peer.ack(&again, &refused);
            stand.say(ack);
            OFFER
        };
        assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
        let session = stand.alice.agent.session(stand.alice.session()).unwrap();
        assert_eq!(session.offer().unwrap().content(), offer.as_bytes());
        assert_eq!(target(&stand), "sip:peer2@192.0.2.2:5060");
        stand.finish();
    }
}
