//! Offer in the 2xx, answer in the ACK (RFC 3261 §13.2.1, RFC 6337 pattern 2).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::with_sdp;
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn offer_in_200_answer_in_ack() {
    let mut pair = Pair::new();
    pair.bob.rings_and_answers(OFFER);
    pair.alice.answers_in_ack(ANSWER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    assert_eq!(pair.wire.trace.lines(), ["alice INVITE", "bob 180 INVITE", "bob 200 INVITE", "alice ACK"]);
    assert_ne!(pair.alice.last(EventKind::Accept).flags & flag::NEEDS_ACK, 0);
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable));
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.offer().unwrap().content(), OFFER.as_bytes());
        assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
    }
}

/// The host takes its time; each repeated 2xx waits with it, and later repeats get the same ACK.
#[test]
fn the_ack_may_come_late_and_is_then_repeated() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Accept);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok.clone());
    stand.advance(seconds(1));
    stand.say(ok.clone());
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.state().1, SignalingState::HaveRemoteOffer);
    stand.alice.ack(ANSWER);
    stand.exchange();
    let ack = stand.peer.take("ACK");
    assert_eq!(ack.sdp(), Some(ANSWER));
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK"), ack);
    assert_eq!(stand.alice.state().1, SignalingState::Stable);
    let again = stand.alice.agent.ack(stand.alice.now(), stand.alice.session(), &with_sdp(ANSWER));
    assert_eq!(again.unwrap_err().kind, ErrorKind::State);
}

/// RFC 3261 §13.2.2.4: an ACK to an offer must answer it.
#[test]
fn an_ack_without_the_answer_is_refused() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Accept);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    stand.peer_replies("INVITE", 200, OFFER);
    let empty = stand.alice.agent.ack(stand.alice.now(), stand.alice.session(), &RequestOptions::default());
    assert_eq!(empty.unwrap_err().kind, ErrorKind::State);
    stand.alice.ack(ANSWER);
    stand.exchange();
    stand.peer.take("ACK");
}

/// No host answers the offer: ACK, then BYE (the default of an ACCEPT that needs an ACK).
#[test]
fn an_offer_that_no_one_answers_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, OFFER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    assert_eq!(pair.wire.trace.sent_by("alice")[..3], ["INVITE", "ACK", "BYE"]);
    assert_eq!(pair.bob.state().0, SessionState::Terminated);
}

/// ... and so does one that the host forgot for 64*T1.
#[test]
fn an_ack_that_the_host_forgets_is_sent_with_bye_after_64_t1() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Accept);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    stand.peer_replies("INVITE", 200, OFFER);
    stand.advance(ms(31_900));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    stand.advance(ms(200));
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
}

#[test]
fn a_reinvite_without_offer_asks_for_one() {
    let mut pair = Pair::confirmed();
    pair.alice.answers(EventKind::Reinvite, HOLD);
    pair.bob.answers_in_ack(HELD);
    pair.bob.reinvite("");
    pair.exchange();
    assert_eq!(pair.since(4), ["bob INVITE", "alice 200 INVITE", "bob ACK"]);
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.signaling_state(), SignalingState::Stable);
        assert_eq!(session.answer().unwrap().content(), HELD.as_bytes());
    }
}

/// RFC 3261 §14.1 and RFC 6337: no re-INVITE while our own offer in a 2xx waits for the ACK.
#[test]
fn nothing_is_offered_while_the_2xx_waits_for_its_ack() {
    let mut pair = Pair::new();
    pair.bob.answers(EventKind::Invite, OFFER);
    pair.alice.hold(EventKind::Accept);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    let refused = pair.bob.agent.reinvite(pair.bob.now(), pair.bob.session(), with_sdp(HOLD));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    let refused = pair.alice.agent.reinvite(pair.alice.now(), pair.alice.session(), with_sdp(HOLD));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    pair.alice.ack(ANSWER);
    pair.exchange();
    assert_eq!(pair.bob.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// RFC 3261 §13.2.1: the 2xx to an INVITE without offer must bring one.
#[test]
fn a_200_without_the_offer_is_refused() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.answers_in_ack(ANSWER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    let empty = pair.bob.agent.accept(pair.bob.now(), pair.bob.incoming(), 200, &Default::default());
    assert_eq!(empty.unwrap_err().kind, ErrorKind::State);
    pair.bob.accept(OFFER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}
