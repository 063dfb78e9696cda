//! What waits at the callee behind an unacknowledged response, and what does not (RFC 3262 §3).

use crate::common::pair::Stand;
use crate::common::party::reliable;
use crate::common::reliable_caller::{EARLY, accept, acknowledge, called, prack, prack_of, progress, rseq, take};
use crate::common::{ANSWER, HELD, NOTHING, OFFER, seconds};
use sipdlg::agent::{EventKind, Reason, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

/// §3: the next waits for the PRACK of the one before; numbers rise by one; descriptions take effect when they go out.
#[test]
fn responses_queue_behind_the_unacknowledged_one() {
    let mut stand = Stand::new();
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &reliable("")).expect("legal");
    progress(&mut stand, 183, &reliable(ANSWER)).expect("it queues");
    progress(&mut stand, 182, &reliable("")).expect("it queues");
    let refused = progress(&mut stand, 183, &reliable(HELD)).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::State, "the answer is in the queue");
    assert_eq!(accept(&mut stand, ANSWER).unwrap_err().kind, ErrorKind::State, "the answer is in the queue");
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::HaveRemoteOffer));
    let first = take(&mut stand, "180 INVITE");
    assert_eq!(stand.peer.got(), NOTHING);
    prack(&mut stand, &first);
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::Stable));
    let second = take(&mut stand, "183 INVITE");
    prack(&mut stand, &second);
    let third = take(&mut stand, "182 INVITE");
    assert_eq!([rseq(&second), rseq(&third)], [rseq(&first) + 1, rseq(&first) + 2]);
    accept(&mut stand, "").expect("an unacknowledged response without description holds nothing back");
    acknowledge(&mut stand, &invite);
    let late = prack_of(&mut stand, rseq(&third), third.cseq());
    stand.say(late);
    stand.peer.take("200 PRACK");
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), NOTHING, "§3: after a final response nothing is repeated");
}

#[test]
fn the_queue_has_an_end() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    let outcomes: Vec<_> =
        (0..40).map(|_| progress(&mut stand, 180, &reliable("")).map_err(|error| error.kind)).collect();
    assert_eq!(outcomes[39], Err(ErrorKind::Limit));
    assert!(outcomes[..10].iter().all(Result::is_ok));
}

/// §3: a 2xx waits while a description is unacknowledged, in front of it or in the queue.
#[test]
fn the_2xx_waits_for_the_prack_of_a_description() {
    let mut stand = Stand::new();
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &reliable("")).expect("legal");
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    accept(&mut stand, "").expect("OK, but later");
    let first = take(&mut stand, "180 INVITE");
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.state(), (EARLY, SignalingState::HaveRemoteOffer), "the truth");
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let agent = &mut stand.alice.agent;
    let plain = ResponseOptions::default();
    let refused = [
        agent.accept(now, incoming, 200, &plain).map(drop),
        agent.progress(now, incoming, 180, &plain).map(drop),
        agent.reject(now, incoming, 486, &plain),
        agent.redirect(now, incoming, 302, &[b"sip:carol@example.com"], &plain),
        agent.trying(now, incoming, &plain),
    ];
    assert!(refused.iter().all(|done| done.as_ref().is_err_and(|error| error.kind == ErrorKind::State)));
    prack(&mut stand, &first);
    let second = take(&mut stand, "183 INVITE");
    stand.advance(seconds(3));
    assert!(stand.peer.got().iter().all(|short| short == "183 INVITE"), "{:?}", stand.peer.got());
    stand.peer.inbox.clear();
    prack(&mut stand, &second);
    assert_eq!(stand.alice.state(), (SessionState::AckWait, SignalingState::Stable));
    acknowledge(&mut stand, &invite);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// ... and without that PRACK the call is lost.
#[test]
fn a_2xx_whose_prack_never_comes_is_no_2xx() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    accept(&mut stand, "").expect("OK, but later");
    stand.advance(seconds(33));
    assert!(!stand.peer.got().contains(&"200 INVITE".to_owned()));
    stand.peer.take("504 INVITE");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::PrackTimeout);
}

/// §3: other final responses go at once, with nothing repeated after, and a late PRACK is still answered 200.
#[test]
fn other_finals_go_at_once_and_a_late_prack_is_good() {
    for accepted in [false, true] {
        let mut stand = Stand::new();
        let invite = called(&mut stand, "Supported", OFFER);
        progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let first = take(&mut stand, "183 INVITE");
        if accepted {
            accept(&mut stand, "").expect("OK, but later");
            stand.alice.hangup();
            stand.exchange();
        } else {
            stand.alice.reject(486);
            stand.exchange();
        }
        let refused = stand.peer.take(if accepted { "603 INVITE" } else { "486 INVITE" });
        let ack = stand.peer.ack(&invite, &refused);
        stand.say(ack);
        stand.advance(seconds(3));
        assert_eq!(stand.peer.got(), NOTHING);
        prack(&mut stand, &first);
        let again = prack_of(&mut stand, rseq(&first), first.cseq());
        stand.say(again);
        stand.peer.take("481 PRACK");
        stand.finish();
    }
}

/// CANCEL, BYE, dispose and Expires while one is unacknowledged and a 2xx waits behind it.
#[test]
fn every_end_ends_it() {
    for end in ["CANCEL", "BYE", "dispose", "expires"] {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Invite);
        let mut invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(OFFER);
        if end == "expires" {
            invite = invite.with("Expires", "10");
        }
        stand.say(invite.clone());
        progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let first = take(&mut stand, "183 INVITE");
        accept(&mut stand, "").expect("OK, but later");
        match end {
            "CANCEL" => {
                let cancel = stand.peer.cancel(&invite);
                stand.say(cancel);
                stand.peer.take("200 CANCEL");
            }
            "BYE" => {
                let bye = stand.peer.request("BYE");
                stand.say(bye);
            }
            "dispose" => {
                let (now, session) = (stand.alice.now(), stand.alice.session());
                stand.alice.agent.dispose_session(now, session).expect("it lives");
                stand.exchange();
            }
            _ => stand.advance(seconds(10)),
        }
        let refused = stand.peer.take("487 INVITE");
        let ack = stand.peer.ack(&invite, &refused);
        stand.say(ack);
        stand.peer.inbox.clear();
        prack(&mut stand, &first);
        stand.advance(seconds(40));
        assert_eq!(stand.peer.got(), NOTHING, "{end}");
        stand.finish();
    }
}
