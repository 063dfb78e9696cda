//! re-INVITEs that meet each other (RFC 3261 §14, RFC 5407 §3.3.1).

use crate::common::pair::{Pair, Stand};
use crate::common::party::with_sdp;
use crate::common::{HELD, HOLD, OFFER, seconds};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

#[test]
fn no_retry_hands_the_491_up() {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { flags: request_flag::NO_RETRY, ..with_sdp(HOLD) };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    let again = stand.peer.take("INVITE");
    let glare = stand.peer.reply(&again, 491);
    stand.say(glare);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), ["ACK"]);
}

/// RFC 3261 §14.2: a second INVITE before the first has its final response gets 500 with Retry-After of 0 to 10 s.
#[test]
fn an_overlapping_invite_gets_500_with_retry_after() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let first = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(first.clone());
    let second = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(second.clone());
    let refused = stand.peer.take("500 INVITE");
    let wait: u32 = refused.value("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "RFC 3261 §20.33 wants a positive number");
    let ack = stand.peer.ack(&second, &refused);
    stand.say(ack);
    stand.alice.accept(HELD);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    assert_eq!(ok.cseq(), 2);
    let ack = stand.peer.ack(&first, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 5407 §3.3.1: the retry is dropped when the call ended meanwhile.
#[test]
fn a_retry_does_not_outlive_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let again = stand.peer.take("INVITE");
    let glare = stand.peer.reply(&again, 491);
    stand.say(glare);
    stand.peer.take("ACK");
    stand.peer.cseq = 100;
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// While our INVITE is pending, theirs gets 491; ours goes on.
#[test]
fn an_invite_that_meets_ours_gets_491() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    let ok = stand.peer.reply(&ours, 200).sdp(HELD);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
    assert_eq!(stand.alice.count(EventKind::Reinvite), 0);
}

/// The same where no offer is open: what counts is the INVITE in progress, not the offer.
#[test]
fn an_invite_that_meets_ours_gets_491_also_without_offers() {
    let mut stand = Stand::alice_called();
    stand.alice.answers_in_ack(HELD);
    stand.alice.reinvite("");
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE");
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    let ok = stand.peer.reply(&ours, 200).sdp(HOLD);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!(stand.alice.state(), GOOD);
}

/// Two offerless re-INVITEs cross: both get 491.
#[test]
fn offerless_reinvites_that_cross_both_get_491() {
    let mut pair = Pair::confirmed();
    for party in [&mut pair.alice, &mut pair.bob] {
        party.answers(EventKind::Reinvite, HOLD);
        party.answers_in_ack(HELD);
        party.reinvite("");
    }
    pair.exchange();
    assert_eq!(pair.since(4)[2..4], ["bob 491 INVITE", "alice 491 INVITE"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
}

/// RFC 3261 §14.1: our 491 waits for its ACK, so does a re-INVITE of ours.
#[test]
fn a_reinvite_waits_for_the_ack_of_our_491() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let no = stand.peer.reply(&ours, 488);
    stand.say(no);
    let early = stand.alice.agent.reinvite(stand.alice.now(), stand.alice.session(), with_sdp(HOLD));
    assert_eq!(early.unwrap_err().kind, sipdlg::error::ErrorKind::State);
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
}
