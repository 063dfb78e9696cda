//! A description in an unreliable provisional response is a preview of the answer (RFC 3261 §13.2.1, RFC 6337 §3.1.1).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::answer_sdp;
use crate::common::{ANSWER, HELD, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn a_preview_in_183_leaves_the_offer_open() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(183, ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Early, SignalingState::HaveLocalOffer));
    assert_eq!(pair.bob.state(), (SessionState::Early, SignalingState::HaveRemoteOffer));
    assert_eq!(pair.alice.last(EventKind::Progress).message.as_ref().unwrap().body(), ANSWER.as_bytes());
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// An unreliable provisional response can carry no offer.
#[test]
fn no_description_goes_out_before_the_2xx_of_an_offerless_invite() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.answers_in_ack(ANSWER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    let refused = pair.bob.agent.progress(pair.bob.now(), pair.bob.incoming(), 183, &answer_sdp(OFFER));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    pair.bob.accept(OFFER);
    pair.exchange();
    assert_eq!(pair.alice.state().1, SignalingState::Stable);
}

/// ... and one that comes is no offer.
#[test]
fn a_description_in_an_unreliable_183_to_an_offerless_invite_is_no_offer() {
    let mut stand = Stand::new();
    stand.alice.answers_in_ack(ANSWER);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Initial));
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(ANSWER));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// Every 1xx with another To tag has an early dialog and an answer of its own.
#[test]
fn the_answer_in_the_2xx_counts_not_the_preview() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.signaling_state(), SignalingState::Stable);
    assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
}
