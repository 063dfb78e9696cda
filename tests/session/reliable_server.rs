//! Reliable provisional responses of the callee (RFC 3262), one test a rule.

use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::flag::NEEDS_PRACK;
use sipdlg::agent::options::response_flag::RELIABLE;
use sipdlg::agent::{Agent, Event, EventKind, Reason, ResponseOptions};
use sipdlg::config::{Policy, quirk};
use sipdlg::error::{ErrorKind, Result};
use sipdlg::flow::Transport;
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::Now;

fn reliable(text: &str) -> ResponseOptions<'_> {
    ResponseOptions { flags: RELIABLE, ..answer_sdp(text) }
}

fn progress(stand: &mut Stand, status: u16, options: &ResponseOptions<'_>) -> Result<()> {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let done = stand.alice.agent.progress(now, incoming, status, options);
    stand.exchange();
    done.map(drop)
}

fn accept(stand: &mut Stand, text: &str) -> Result<()> {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let done = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(text));
    stand.exchange();
    done.map(drop)
}

/// The peer's INVITE with `tag` in a header, held by alice's host.
fn called(stand: &mut Stand, header: &str, text: &str) -> Draft {
    stand.alice.hold(EventKind::Invite);
    stand.alice.hold(EventKind::Reinvite);
    let mut invite = stand.peer.request("INVITE").with(header, "100rel");
    if !text.is_empty() {
        invite = invite.sdp(text);
    }
    stand.say(invite.clone());
    stand.peer.inbox.retain(|sip| sip.status() != Some(100));
    invite
}

fn stand() -> Stand {
    Stand::new()
}

/// Takes a reliable response, from which the peer learns the dialog.
#[track_caller]
fn take(stand: &mut Stand, short: &str) -> Sip {
    let sip = stand.peer.take(short);
    assert_eq!(sip.all("require"), ["100rel"], "RFC 3262 §3");
    stand.peer.learn(&sip);
    sip
}

fn rseq(sip: &Sip) -> u32 {
    sip.value("rseq").parse().expect("a RSeq")
}

fn prack_of(stand: &mut Stand, rseq: u32, cseq: u32) -> Draft {
    stand.peer.request("PRACK").with("RAck", format!("{rseq} {cseq} INVITE"))
}

/// PRACK of a response, and what it is answered.
#[track_caller]
fn prack(stand: &mut Stand, response: &Sip) {
    let prack = prack_of(stand, rseq(response), response.cseq());
    let invite = stand.alice.incoming;
    stand.say(prack);
    stand.alice.incoming = invite;
    let done = stand.peer.inbox.iter().position(|sip| sip.short() == "200 PRACK");
    stand.peer.inbox.remove(done.unwrap_or_else(|| panic!("no 200 to the PRACK, only {:?}", stand.peer.got())));
}

#[track_caller]
fn acknowledge(stand: &mut Stand, invite: &Draft) {
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(invite, &ok);
    stand.say(ack);
}

const EARLY: SessionState = SessionState::Early;
const NOTHING: [&str; 0] = [];

/// Pattern 3: offer in the INVITE, answer in the reliable 183, none in the 200.
#[test]
fn a_183_with_the_answer_is_acknowledged_and_the_200_brings_none() {
    let mut stand = stand();
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

/// §3: an INVITE that requires 100rel has every provisional response reliable; one that does not know it none.
#[test]
fn what_the_invite_says_decides() {
    let mut stand = stand();
    called(&mut stand, "Require", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    let ringing = take(&mut stand, "180 INVITE");
    prack(&mut stand, &ringing);
    stand.finish();

    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    assert!(stand.peer.take("180 INVITE").all("require").is_empty(), "nobody asked for it");
    stand.finish();

    let mut stand = Stand::new();
    called(&mut stand, "X-Other", OFFER);
    let refused = progress(&mut stand, 183, &reliable(ANSWER)).unwrap_err();
    assert!(refused.kind == ErrorKind::State && refused.detail.contains("3262"), "{refused:?}");
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.stats().sessions, 0, "a refused call changes nothing");
}

#[test]
fn policies() {
    let set = |policy| {
        let mut config = config("alice");
        config.reliable = policy;
        Stand::with(config)
    };
    let mut stand = set(Policy::Required);
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    let ringing = take(&mut stand, "180 INVITE");
    prack(&mut stand, &ringing);
    stand.finish();

    let mut stand = set(Policy::Required);
    called(&mut stand, "X-Other", OFFER);
    let refused = stand.peer.take("421 INVITE");
    assert_eq!(refused.all("require"), ["100rel"]);
    stand.finish();

    let mut stand = set(Policy::Off);
    called(&mut stand, "Require", OFFER);
    assert_eq!(stand.peer.take("420 INVITE").all("unsupported"), ["100rel"]);
    stand.finish();

    let mut stand = set(Policy::Off);
    called(&mut stand, "Supported", OFFER);
    assert_eq!(progress(&mut stand, 180, &reliable("")).unwrap_err().kind, ErrorKind::State);
    stand.finish();

    // Where Allow lacks PRACK nothing could be acknowledged.
    let mut config = config("alice");
    config.set_allow(b"INVITE, ACK, CANCEL, BYE").expect("methods");
    let mut stand = Stand::with(config);
    called(&mut stand, "Supported", OFFER);
    assert_eq!(progress(&mut stand, 180, &reliable("")).unwrap_err().kind, ErrorKind::State);
    assert!(!stand.wire.trace.messages_from("alice").iter().any(|sip| sip.all("supported").contains(&"100rel")));
}

/// §3: 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, no cap at T2, on any transport; then 5xx.
#[test]
fn it_is_repeated_until_64_t1_and_then_the_invite_is_rejected() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut stand = Stand::over(transport, config("alice"));
        called(&mut stand, "Supported", OFFER);
        progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let first = take(&mut stand, "183 INVITE");
        let mut at = 0;
        for due in [500, 1_500, 3_500, 7_500, 15_500, 31_500] {
            stand.advance(ms(due - at - 10));
            assert_eq!(stand.peer.got(), NOTHING, "before {due}");
            stand.advance(ms(20));
            assert_eq!(stand.peer.take("183 INVITE"), first, "at {due}");
            at = due + 10;
        }
        stand.advance(ms(32_010 - at));
        stand.peer.take("504 INVITE");
        let end = stand.alice.last(EventKind::Terminated);
        assert_eq!((end.reason, end.status_code), (Reason::PrackTimeout, 504));
        stand.finish();
    }
}

#[test]
fn the_prack_stops_the_repeats() {
    let mut stand = stand();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got(), ["183 INVITE", "183 INVITE"]);
    stand.peer.inbox.clear();
    prack(&mut stand, &first);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), NOTHING);
}

/// §3: dialog, RSeq, CSeq number and method, each counts; else 481, and the response goes on being repeated.
#[test]
fn a_prack_of_nothing_is_answered_481() {
    let mut stand = stand();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    let (good, cseq) = (rseq(&first), first.cseq());
    for rack in [
        format!("{} {cseq} INVITE", good + 1),
        format!("{good} {} INVITE", cseq + 1),
        format!("{good} {cseq} invite"),
        format!("{good} {cseq} UPDATE"),
    ] {
        let prack = stand.peer.request("PRACK").with("RAck", rack.clone());
        stand.say(prack);
        assert_eq!(stand.peer.got(), ["481 PRACK"], "{rack}");
        stand.peer.inbox.clear();
    }
    for rack in ["", "1", "1 2", "x 1 INVITE", "1 x INVITE"] {
        let prack = stand.peer.request("PRACK").with("RAck", rack);
        stand.say(prack);
        assert_eq!(stand.peer.got(), ["400 PRACK"], "{rack}");
        stand.peer.inbox.clear();
    }
    let bare = stand.peer.request("PRACK");
    stand.say(bare);
    stand.peer.take("481 PRACK");
    assert_eq!(stand.alice.count(EventKind::Prack), 0);
    stand.advance(ms(500));
    stand.peer.take("183 INVITE");
    prack(&mut stand, &first);
    let again = prack_of(&mut stand, good, cseq);
    stand.say(again);
    stand.peer.take("481 PRACK");
}

/// The quirk PRACK_UNASKED: the host sees it; 481 by default.
#[test]
fn a_prack_of_nothing_reaches_a_host_that_wants_it() {
    let mut config = config("alice");
    config.tolerance |= quirk::PRACK_UNASKED;
    let mut stand = Stand::with(config);
    stand.wire.trace.allowed.push("prack-481");
    stand.peer_calls();
    let prack = prack_of(&mut stand, 1, 1);
    stand.say(prack);
    stand.peer.take("481 PRACK");
    stand.alice.answers(EventKind::Prack, "");
    let prack = prack_of(&mut stand, 1, 1);
    stand.say(prack);
    stand.peer.take("200 PRACK");
    assert_eq!(stand.alice.agent.stats().quirks[3], 2);
}

/// §3: the next waits for the PRACK of the one before; numbers rise by one; descriptions take effect when they go out.
#[test]
fn responses_queue_behind_the_unacknowledged_one() {
    let mut stand = stand();
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
    let mut stand = stand();
    called(&mut stand, "Supported", OFFER);
    let outcomes: Vec<_> =
        (0..40).map(|_| progress(&mut stand, 180, &reliable("")).map_err(|error| error.kind)).collect();
    assert_eq!(outcomes[39], Err(ErrorKind::Limit));
    assert!(outcomes[..10].iter().all(Result::is_ok));
}

/// §3: a 2xx waits while a description is unacknowledged, in front of it or in the queue.
#[test]
fn the_2xx_waits_for_the_prack_of_a_description() {
    let mut stand = stand();
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
    let mut stand = stand();
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
        let mut stand = stand();
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
        let mut stand = stand();
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

/// Pattern 4: without an offer in the INVITE the first reliable response brings it, and its PRACK the answer.
#[test]
fn the_offer_in_the_183_is_answered_in_its_prack() {
    let mut stand = stand();
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
    let mut stand = stand();
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
    let mut stand = stand();
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
    let mut stand = stand();
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
    let mut stand = stand();
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

/// A re-INVITE has its own numbers; a reliable response moves the target (RFC 6141 §4), and its rejection brings the former
/// exchange back (RFC 3261 §14.1).
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
        prack(&mut stand, &first);
        let offer = if accepted {
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

/// §3: a host may number them where the numbers are right.
#[test]
fn the_hosts_own_numbers_are_checked() {
    let mut stand = stand();
    called(&mut stand, "Supported", OFFER);
    let with = |lines: &[&'static str]| ResponseOptions {
        headers: lines.iter().map(|line| line.as_bytes()).collect(),
        ..ResponseOptions::default()
    };
    for lines in [
        &["Require: 100rel", "RSeq: 0"][..],
        &["Require: 100rel", "RSeq: 2147483648"],
        &["Require: 100rel", "RSeq: x"],
        &["Require: 100rel", "RSeq: 1", "RSeq: 1"],
        &["RSeq: 1"],
        &["RAck: 1 1 INVITE"],
    ] {
        assert_eq!(progress(&mut stand, 180, &with(lines)).unwrap_err().kind, ErrorKind::Header, "{lines:?}");
    }
    assert_eq!(stand.peer.got(), NOTHING);
    progress(&mut stand, 180, &with(&["Require: 100rel", "RSeq: 7"])).expect("any number to begin with");
    for wrong in ["RSeq: 7", "RSeq: 9"] {
        let refused = progress(&mut stand, 180, &with(&["Require: 100rel", wrong])).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Header);
    }
    progress(&mut stand, 181, &with(&["RSeq: 8", "Require: 100rel, 100rel"])).expect("one more");
    let first = take(&mut stand, "180 INVITE");
    assert_eq!(rseq(&first), 7);
    prack(&mut stand, &first);
    assert_eq!(rseq(&stand.peer.take("181 INVITE")), 8);
}

/// §3, RFC 3261 §13.3.1.1: where they are reliable, one in two and a half minutes keeps the proxies patient.
#[test]
fn a_waiting_invite_gets_a_new_one_after_two_and_a_half_minutes() {
    let mut stand = stand();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &reliable("")).expect("legal");
    let first = take(&mut stand, "180 INVITE");
    prack(&mut stand, &first);
    stand.advance(seconds(149));
    assert_eq!(stand.peer.got(), NOTHING);
    stand.advance(seconds(2));
    let second = take(&mut stand, "180 INVITE");
    assert_eq!(rseq(&second), rseq(&first) + 1);
    prack(&mut stand, &second);
}

/// Bob answers every third call by pattern 3, 4 or 5; the rest without reliable responses.
fn answer_reliably(agent: &mut Agent, now: Now, event: &Event, count: u32) {
    let incoming = event.incoming.expect("an INVITE");
    let offered = event.message.as_ref().is_some_and(|message| message.session_body().is_some());
    let description = if offered { ANSWER } else { OFFER };
    let ringing = if offered { "" } else { description };
    agent.progress(now, incoming, 180, &reliable(ringing)).expect("legal");
    if offered && count % 2 == 0 {
        agent.progress(now, incoming, 183, &reliable(description)).expect("it queues");
        agent.progress(now, incoming, 182, &reliable("")).expect("it queues");
        agent.accept(now, incoming, 200, &answer_sdp("")).expect("OK, but later");
    } else if offered {
        agent.accept(now, incoming, 200, &answer_sdp(description)).expect("nothing is held back");
    } else {
        agent.accept(now, incoming, 200, &answer_sdp("")).expect("OK, but later");
    }
}

fn reliable_pair(seed: u64) -> Pair {
    let mut pair = Pair::seeded(seed);
    let mut count = 0;
    pair.bob.on(EventKind::Invite, move |agent, now, event| {
        count += 1;
        answer_reliably(agent, now, event, count);
    });
    pair.alice.on(EventKind::Progress, |agent, now, event| {
        if event.flags & NEEDS_PRACK != 0 {
            // Err: a repeat of it has been answered.
            drop(agent.prack(now, event.session.expect("a session"), with_sdp(ANSWER)));
        }
    });
    pair
}

/// Both halves together, patterns 3 and 4.
#[test]
fn two_agents_agree() {
    let mut pair = reliable_pair(1);
    for offer in [OFFER, OFFER, ""] {
        pair.alice.invite(TO_BOB, offer);
        pair.exchange();
        let good = (SessionState::Confirmed, SignalingState::Stable);
        assert_eq!((pair.alice.state(), pair.bob.state()), (good, good), "\n{}", pair.wire.trace.ladder(None));
        pair.alice.hangup();
        pair.exchange();
    }
    assert_eq!(pair.bob.count(EventKind::Prack), 4, "the 182 behind the accepted one is not sent any more");
}

/// The same with a fifth of all messages lost, some twice, many out of order: every call ends legally.
#[test]
fn two_agents_agree_over_a_bad_network() {
    let mut confirmed = 0;
    for seed in 1..=20 {
        let mut pair = reliable_pair(seed);
        pair.wire.loss = 200;
        pair.wire.duplication = 50;
        pair.wire.delay = (1_000, 400_000);
        for call in 0..10 {
            pair.alice.invite(TO_BOB, if call % 3 == 2 { "" } else { OFFER });
            pair.advance(ms(200));
        }
        pair.advance(seconds(60));
        confirmed += pair.bob.agent.stats().calls_confirmed;
        pair.finish();
    }
    assert!(confirmed > 150, "the test tests something: {confirmed}");
}
