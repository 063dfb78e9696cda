//! A description in an unreliable provisional response is a preview of the answer (RFC 3261 §13.2.1, RFC 6337 §3.1.1).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::answer_sdp;
use crate::common::{ANSWER, HELD, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn a_preview_in_183_is_the_answer_and_leaves_the_offer_open() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(183, ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Early, SignalingState::Stable));
    assert_eq!(pair.bob.state(), (SessionState::Early, SignalingState::Stable));
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
        assert!(session.open_offer().is_some(), "no new offer before a reliable response (RFC 6337 §3.1.1)");
    }
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
    let invite = stand.peer_replies("INVITE", 183, HELD);
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Initial));
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(ANSWER));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// The caller takes the first description for the answer and ignores those of later responses.
#[test]
fn the_preview_stays_the_answer_whatever_the_2xx_says() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 183, HELD);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.signaling_state(), SignalingState::Stable);
    assert_eq!(session.answer().unwrap().content(), HELD.as_bytes());
}

/// Every 1xx with another To tag has an early dialog and an answer of its own.
#[test]
fn each_fork_has_its_own_preview() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let mut forks = Vec::new();
    for (tag, shown) in [("fork-a", Some(HELD)), ("fork-b", Some(ANSWER)), ("fork-c", None)] {
        let reply = stand.peer.reply_as(&invite, 183, tag);
        stand.say(if let Some(shown) = shown { reply.sdp(shown) } else { reply });
        forks.push((stand.alice.last(EventKind::Progress).session.unwrap(), shown));
    }
    for (id, shown) in forks {
        let session = stand.alice.agent.session(id).unwrap();
        assert_eq!(session.answer().map(|answer| answer.content()), shown.map(str::as_bytes));
        let expected = if shown.is_some() { SignalingState::Stable } else { SignalingState::HaveLocalOffer };
        assert_eq!(session.signaling_state(), expected);
    }
}

/// A re-INVITE's preview goes with its rejection (§14.1).
#[test]
fn a_preview_in_a_re_invite_goes_with_its_rejection() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HELD);
    pair.exchange();
    pair.bob.progress(183, HELD);
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state().1, SignalingState::Stable);
        assert_eq!(party.agent.session(party.session()).unwrap().answer().unwrap().content(), HELD.as_bytes());
    }
    pair.bob.reject(488);
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(
            (session.offer().unwrap().content(), session.answer().unwrap().content()),
            (OFFER.as_bytes(), ANSWER.as_bytes())
        );
    }
}
