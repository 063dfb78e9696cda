//! Offers and answers that the caller finds in reliable responses and puts into PRACKs (RFC 3262 §5, RFC 6337).

use crate::common::pair::Stand;
use crate::common::party::with_sdp;
use crate::common::reliable_callee::{accept, books, called, manually, prack, progress, refused, reinvited, stable};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER};
use sipdlg::agent::event::flag;
use sipdlg::agent::{Body, EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

/// Pattern 3: after a reliable answer later descriptions mean nothing.
#[test]
fn descriptions_after_a_complete_exchange_are_ignored() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    stand.peer_replies("PRACK", 200, HOLD);
    progress(&mut stand, &invite, 183, 2, HELD);
    stand.peer_replies("PRACK", 200, "");
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    accept(&mut stand, &invite, HELD);
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(stand.alice.last(EventKind::Accept).flags, 0);
}

/// A preview does not complete the exchange, a reliable response after it does;
/// what the preview showed stays the answer (RFC 3261 §13.2.1).
#[test]
fn a_reliable_response_closes_the_exchange_that_a_preview_left_open() {
    let (mut stand, invite) = called(OFFER);
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    assert_eq!(books(&stand), stable(OFFER, HELD));
    let open = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().open_offer();
    assert!(open(&stand).is_some());
    progress(&mut stand, &invite, 183, 1, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    assert!(open(&stand).is_none());
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, HELD));
}

/// Pattern 4: INVITE without offer; it comes in the reliable response, its answer is in the PRACK.
#[test]
fn an_offer_in_a_reliable_response_is_answered_in_its_prack() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 30, OFFER);
    let event = stand.alice.last(EventKind::Progress);
    assert_eq!(event.flags, flag::RELIABLE | flag::NEEDS_PRACK);
    assert_eq!(event.signaling_state, SignalingState::HaveRemoteOffer);
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State, "the answer belongs into it");
    let outgoing = prack(&mut stand, ANSWER);
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    let prack = stand.peer_replies("PRACK", 200, "");
    assert_eq!((prack.value("rack"), prack.sdp()), (&*format!("30 {} INVITE", invite.cseq()), Some(ANSWER)));
    let told = stand.alice.last(EventKind::Accept);
    assert_eq!((told.outgoing, told.status_code), (Some(outgoing), 200), "a PRACK of the host's tells its fate");
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert_eq!(refused(&mut stand, with_sdp(ANSWER)), ErrorKind::State, "none waits any more");
}

/// Reliable responses without a description go on by themselves beside the one that waits for its answer.
#[test]
fn the_offer_may_come_in_a_later_reliable_response() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 180, 1, "");
    stand.peer_replies("PRACK", 200, "");
    progress(&mut stand, &invite, 183, 2, OFFER);
    assert_eq!(stand.peer.got(), NOTHING);
    progress(&mut stand, &invite, 180, 3, HOLD);
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), "3 1 INVITE");
    prack(&mut stand, ANSWER);
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), "2 1 INVITE");
    assert_eq!(books(&stand), stable(OFFER, ANSWER), "the second description was none of the exchange");
}

/// Pattern 4 in a re-INVITE.
#[test]
fn a_reinvite_without_offer_gets_it_in_a_reliable_response() {
    let (mut stand, invite) = reinvited("");
    progress(&mut stand, &invite, 183, 1, HOLD);
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(HOLD.to_owned()), None));
    prack(&mut stand, HELD);
    assert_eq!(stand.peer_replies("PRACK", 200, "").sdp(), Some(HELD));
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// Pattern 5: a further offer in the PRACK, answered in its 2xx.
#[test]
fn a_prack_may_carry_a_further_offer() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    assert_eq!(stand.alice.last(EventKind::Progress).flags, flag::RELIABLE | flag::NEEDS_PRACK);
    prack(&mut stand, HOLD);
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    let prack = stand.peer_replies("PRACK", 200, HELD);
    assert_eq!((prack.value("rack"), prack.sdp()), ("1 1 INVITE", Some(HOLD)));
    assert_eq!(stand.alice.last(EventKind::Accept).signaling_state, SignalingState::Stable);
    assert_eq!(books(&stand), stable(HOLD, HELD));
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// A description in an unreliable response shows no answer to the offer in a PRACK.
#[test]
fn an_unreliable_description_is_no_answer_to_the_offer_in_prack() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let preview = stand.peer.reply(&invite, 183).sdp(ANSWER);
    stand.say(preview);
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    stand.peer_replies("PRACK", 200, HELD);
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// The 2xx of the INVITE overtakes that of the PRACK with the offer.
#[test]
fn the_2xx_of_the_invite_may_overtake_that_of_the_prack() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let prack = stand.peer.take("PRACK");
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::HaveLocalOffer));
    let ok = stand.peer.reply(&prack, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(books(&stand), stable(HOLD, HELD));
    assert_eq!(stand.peer.got(), NOTHING, "no BYE");
}

/// RFC 6337 §2.3: 488 to a PRACK with an offer: as if never made; the response is acknowledged without.
#[test]
fn a_refused_offer_in_prack_is_rolled_back_and_the_prack_sent_again_without() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    let first = prack(&mut stand, HOLD);
    stand.peer_replies("PRACK", 488, "");
    let told = stand.alice.last(EventKind::Reject);
    assert_eq!((told.outgoing, told.status_code, told.signaling_state), (Some(first), 488, SignalingState::Stable));
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(stand.alice.state().0, SessionState::Early);
    prack(&mut stand, "");
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), "1 1 INVITE");
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State);
}

/// A 2xx to a PRACK with an offer that answers nothing: as if the offer had never been.
#[test]
fn an_offer_in_prack_that_nobody_answers_is_rolled_back() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// An answer that the callee does not take: the offer is open again, and so is the PRACK.
#[test]
fn a_refused_answer_in_prack_may_be_given_again() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    prack(&mut stand, HELD);
    stand.peer_replies("PRACK", 500, "");
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(OFFER.to_owned()), None));
    prack(&mut stand, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// RFC 3264 §4: no offer while one is open.
#[test]
fn no_offer_in_prack_before_the_first_exchange_is_complete() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State);
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
    let (mut stand, invite) = manually("");
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State, "the first offer is the callee's");
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
}

/// ... nor before the PRACK with the answer, or with an offer, was answered.
#[test]
fn no_offer_in_prack_while_another_prack_with_a_description_is_under_way() {
    let (mut stand, invite) = manually("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    prack(&mut stand, ANSWER);
    let first = stand.peer.take("PRACK");
    progress(&mut stand, &invite, 180, 2, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State);
    let ok = stand.peer.reply(&first, 200);
    stand.say(ok);
    prack(&mut stand, HOLD);
    let second = stand.peer.take("PRACK");
    progress(&mut stand, &invite, 180, 3, "");
    assert_eq!(refused(&mut stand, with_sdp(HELD)), ErrorKind::State);
    let ok = stand.peer.reply(&second, 200).sdp(HELD);
    stand.say(ok);
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// A body that is no session description is none of offer and answer.
#[test]
fn a_body_that_is_no_description_is_not_the_answer() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    let body = Body { content: b"hello", content_type: Some(b"text/plain"), disposition: None };
    let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
    assert_eq!(refused(&mut stand, options), ErrorKind::State);
    prack(&mut stand, ANSWER);
    stand.peer_replies("PRACK", 200, "");
}

/// RFC 3262 §3 forbids it, but a 2xx comes while its offer waits: nobody will answer that offer; the call stands.
#[test]
fn a_2xx_that_comes_while_the_offer_waits_brings_the_offer_again() {
    let (mut stand, invite) = called("");
    stand.alice.hold(EventKind::Accept);
    progress(&mut stand, &invite, 183, 1, OFFER);
    accept(&mut stand, &invite, HOLD);
    assert_eq!(stand.alice.last(EventKind::Accept).flags, flag::NEEDS_ACK);
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(HOLD.to_owned()), None));
    stand.alice.ack(HELD);
    stand.exchange();
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!(books(&stand), stable(HOLD, HELD));
    assert_eq!(refused(&mut stand, with_sdp(ANSWER)), ErrorKind::State);
}
