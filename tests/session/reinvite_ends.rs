//! How a re-INVITE ends, in both directions, and what is left of it (RFC 3261 §14, RFC 5057, RFC 6141).

use crate::common::pair::Stand;
use crate::common::party::{answer_sdp, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::effect_of;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, Reason, RequestOptions};
use sipdlg::session::usage::Effect;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

/// The last pair of offer and answer.
#[track_caller]
fn pair_of(stand: &Stand) -> (String, String) {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    let text = |body: Option<&sipdlg::session::offer_answer::StoredBody>| {
        String::from_utf8(body.expect("a description").content().to_vec()).unwrap()
    };
    (text(session.offer()), text(session.answer()))
}

fn first_pair() -> (String, String) {
    (OFFER.to_owned(), ANSWER.to_owned())
}

fn target(stand: &Stand) -> String {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    String::from_utf8(session.remote_target().to_vec()).unwrap()
}

/// Alice called and re-INVITEs with an offer.
fn reinviting() -> (Stand, Sip) {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    (stand, invite)
}

// ------------------------------------------------------------------ ours

/// 3xx: told, nothing is followed, the session is what it was.
#[test]
fn a_redirection_is_told_and_not_followed() {
    let (mut stand, invite) = reinviting();
    let moved = stand.peer.reply(&invite, 302).with("Contact", "<sip:elsewhere@192.0.2.2:5060>");
    stand.say(moved);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), ["ACK"]);
    let told = stand.alice.last(EventKind::Redirect);
    assert_eq!((told.status_code, told.session), (302, Some(stand.alice.session())));
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()));
    assert_eq!(target(&stand), "sip:peer@192.0.2.2:5060", "the Contact of a 3xx is no remote target");
}

/// Provisional responses are told with the session; a description in an unreliable one lasts no longer than its INVITE.
#[test]
fn provisional_responses_are_told_and_change_nothing() {
    let (mut stand, invite) = reinviting();
    for (status, sdp) in [(180, ""), (183, HELD), (182, "")] {
        let draft = stand.peer.reply(&invite, status).set("Contact", "<sip:moved@192.0.2.2:5060>");
        stand.say(if sdp.is_empty() { draft } else { draft.sdp(sdp) });
        let told = stand.alice.last(EventKind::Progress);
        assert_eq!((told.status_code, told.session), (status, Some(stand.alice.session())));
        // RFC 3261 §13.2.1: what the first description says is the answer, though only the 2xx makes it so for good.
        let shown = if status == 180 { SignalingState::HaveLocalOffer } else { SignalingState::Stable };
        assert_eq!(stand.alice.state(), (SessionState::Confirmed, shown));
        assert_eq!(target(&stand), "sip:peer@192.0.2.2:5060", "RFC 6141 §4.7");
    }
    let no = stand.peer.reply(&invite, 488);
    stand.say(no);
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()));
    // The preview of the one that failed is not the answer of the next one.
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, "");
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()));
}

/// A 2xx that does not answer our offer: acknowledged, told with its reason, and the offer is as if never made.
#[test]
fn a_2xx_without_the_answer_goes_back_to_the_former_pair() {
    let (mut stand, invite) = reinviting();
    let ok = stand.peer.reply(&invite, 200);
    stand.say(ok);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), ["ACK"], "the call goes on");
    let told = stand.alice.last(EventKind::Accept);
    assert_eq!((told.status_code, told.reason), (200, Reason::NoAnswerIn2xx));
    assert_eq!((told.session_state, told.signaling_state), GOOD);
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()));
}

/// Each 2xx is acknowledged, and each repeat of it, whether or not anyone wants to know.
#[test]
fn a_disposed_reinvite_is_acknowledged_all_the_same() {
    let (mut stand, invite) = reinviting();
    let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.unwrap());
    stand.alice.agent.dispose_outgoing(now, outgoing).unwrap();
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    for _ in 0..3 {
        stand.say(ok.clone());
        stand.peer.take("ACK");
    }
    assert_eq!(stand.alice.count(EventKind::Accept), 1, "of the call only");
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, (HOLD.to_owned(), HELD.to_owned())));
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.reinvite_client(), None);
}

/// ... and one whose 2xx brings an offer that nobody hears of: the default of such an ACCEPT.
#[test]
fn an_offer_to_a_disposed_reinvite_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite("");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.unwrap());
    stand.alice.agent.dispose_outgoing(now, outgoing).unwrap();
    let ok = stand.peer.reply(&invite, 200).sdp(HOLD);
    stand.say(ok);
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DefaultAnswer);
}

/// MANUAL_ACK of a disposed one: the library acknowledges.
#[test]
fn a_disposed_reinvite_with_manual_ack_is_acknowledged() {
    let mut stand = Stand::alice_called();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { flags: request_flag::MANUAL_ACK, ..with_sdp(HOLD) };
    let outgoing = stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.alice.agent.dispose_outgoing(now, outgoing).unwrap();
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.state(), GOOD);
}

/// The host forgets the answer to the offer in a 2xx: ACK without it and BYE after 64*T1.
#[test]
fn an_answer_that_the_host_forgets_ends_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::Accept);
    stand.alice.reinvite("");
    stand.exchange();
    stand.peer_replies("INVITE", 200, HOLD);
    assert_eq!(stand.alice.state().1, SignalingState::HaveRemoteOffer);
    stand.advance(ms(32_100));
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::AckTimeout);
}

/// RFC 5057 §5.1 for INVITE: each code leaves the call or ends it by BYE, as the table says; a redirection leaves it.
#[test]
fn each_failure_ends_what_rfc_5057_says() {
    for status in (300..=310).chain(400..=494).chain(500..=513).chain([580]).chain(600..=607) {
        if matches!(status, 401 | 407 | 491) {
            continue;
        }
        let (mut stand, invite) = reinviting();
        let no = stand.peer.reply(&invite, status);
        stand.say(no);
        let ends = status >= 400 && effect_of(b"INVITE", status) != Effect::Transaction;
        let expected: &[&str] = if ends { &["ACK", "BYE"] } else { &["ACK"] };
        assert_eq!(stand.peer.got(), expected, "after {status}");
        if ends {
            stand.peer_replies("BYE", 200, "");
            let told = stand.alice.last(EventKind::Terminated);
            assert_eq!((told.reason, told.status_code), (Reason::DialogGone, status));
        } else {
            assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()), "after {status}");
        }
    }
}

/// The host's word on what a failure ends stands before the table's.
#[test]
fn the_host_may_say_what_a_failure_ends() {
    let mut config = crate::common::party::config("alice");
    config.set_effect(b"INVITE", 481, Effect::Transaction).unwrap();
    config.set_effect(b"INVITE", 488, Effect::Dialog).unwrap();
    config.set_effect(b"INVITE", 302, Effect::Usage).unwrap();
    config.set_effect(b"INVITE", 0, Effect::Transaction).unwrap();
    for (status, ends) in [(481, false), (488, true), (302, true), (480, true)] {
        let mut stand = Stand::with(config.clone());
        alice_calls(&mut stand);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        stand.peer_replies("INVITE", status, "");
        assert_eq!(stand.peer.got().contains(&"BYE".to_owned()), ends, "after {status}");
    }
    let mut stand = Stand::with(config);
    alice_calls(&mut stand);
    stand.alice.reinvite(HOLD);
    stand.advance(seconds(33));
    assert_eq!((stand.alice.statuses(EventKind::Reject), stand.alice.state()), (vec![408], GOOD));
}

fn alice_calls(stand: &mut Stand) {
    stand.alice.invite(crate::common::pair::TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    stand.peer.take("ACK");
}

/// RFC 6141 §4.7: the ACK of the 2xx that moved the target goes there already.
#[test]
fn the_ack_goes_to_the_target_of_the_2xx() {
    let (mut stand, invite) = reinviting();
    let ok = stand.peer.reply(&invite, 200).set("Contact", "<sip:moved@192.0.2.2:5060>").sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").uri(), "sip:moved@192.0.2.2:5060");
    assert_eq!(target(&stand), "sip:moved@192.0.2.2:5060");
}

// ------------------------------------------------------------------ theirs

/// §14.2 table: our ACK with the answer is still owed, so theirs gets 491.
#[test]
fn an_invite_before_our_ack_with_the_answer_gets_491() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::Accept);
    stand.alice.reinvite("");
    stand.exchange();
    stand.peer_replies("INVITE", 200, HOLD);
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    stand.alice.ack(HELD);
    stand.exchange();
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::Reinvite)), (GOOD, 0));
}

/// The table's rows of an early dialog: their INVITE has no final response (500), or ours has none (491).
#[test]
fn an_invite_in_an_early_dialog_is_refused() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let first = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(first.clone());
    stand.alice.progress(180, "");
    stand.exchange();
    let ringing = stand.peer.take("180 INVITE");
    stand.peer.learn(&ringing);
    let second = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(second.clone());
    let refused = stand.peer.take("500 INVITE");
    assert!((1..=10).contains(&refused.value("retry-after").parse::<u32>().unwrap()));
    let ack = stand.peer.ack(&second, &refused);
    stand.say(ack);
    stand.alice.accept(ANSWER);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&first, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.state(), GOOD);

    let mut stand = Stand::new();
    stand.alice.invite(crate::common::pair::TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    let theirs = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// The two ACKs come in the other order: each is known by its number (RFC 5407 §3.1.4).
#[test]
fn acks_in_the_wrong_order_both_count() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Reinvite, HELD);
    let (first, ok1) = their_reinvite(&mut stand, HOLD);
    let (second, ok2) = their_reinvite(&mut stand, OFFER);
    for (invite, ok) in [(&second, &ok2), (&first, &ok1)] {
        let ack = stand.peer.ack(invite, ok);
        stand.say(ack);
    }
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::Ack)), (GOOD, 3));
    assert_eq!(pair_of(&stand), (OFFER.to_owned(), HELD.to_owned()));
}

fn their_reinvite(stand: &mut Stand, sdp: &str) -> (crate::common::draft::Draft, Sip) {
    let draft = stand.peer.request("INVITE");
    let invite = if sdp.is_empty() { draft } else { draft.sdp(sdp) };
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    (invite, ok)
}

/// RFC 3261 §14.2, §13.3.1.4: no ACK for 64*T1: told, and BYE by default.
#[test]
fn a_2xx_of_ours_that_is_never_acknowledged_ends_the_call() {
    for (sdp, answer) in [(HOLD, HELD), ("", HOLD)] {
        let mut stand = Stand::peer_called();
        stand.alice.answers(EventKind::Reinvite, answer);
        their_reinvite(&mut stand, sdp);
        stand.advance(ms(31_900));
        assert_eq!(stand.alice.count(EventKind::AckTimeout), 0);
        stand.advance(ms(200));
        assert_eq!(stand.alice.count(EventKind::AckTimeout), 1);
        stand.peer_replies("BYE", 200, "");
        assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::AckTimeout);
    }
}

/// ... unless the host takes the time-out on itself: the call stands, an offer without its answer is gone.
#[test]
fn a_host_may_go_on_without_the_ack() {
    for (sdp, answer, pair) in [(HOLD, HELD, (HOLD, HELD)), ("", HOLD, (OFFER, ANSWER))] {
        let mut stand = Stand::peer_called();
        stand.alice.hold(EventKind::AckTimeout);
        stand.alice.answers(EventKind::Reinvite, answer);
        their_reinvite(&mut stand, sdp);
        stand.advance(seconds(40));
        assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, (pair.0.to_owned(), pair.1.to_owned())));
        stand.alice.reinvite(HOLD);
        stand.exchange();
        stand.peer_replies("INVITE", 200, HELD);
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// RFC 6141 §5.4: the peer moved by its re-INVITE, lost our 2xx at its old place,
/// and came again from the new one: no BYE.
#[test]
fn a_peer_that_moved_on_need_not_acknowledge() {
    for (moves, comes_again, survives) in [(true, true, true), (true, false, false), (false, true, false)] {
        let mut stand = Stand::peer_called();
        stand.alice.answers(EventKind::Reinvite, HELD);
        if moves {
            stand.peer.contact = "sip:moved@192.0.2.2:5060".to_owned();
        }
        their_reinvite(&mut stand, HOLD);
        if comes_again {
            let (second, ok) = their_reinvite(&mut stand, HOLD);
            let ack = stand.peer.ack(&second, &ok);
            stand.say(ack);
        }
        stand.advance(seconds(33));
        assert_eq!(stand.alice.count(EventKind::AckTimeout), usize::from(!survives), "{moves} {comes_again}");
        if survives {
            assert_eq!(stand.alice.state(), GOOD);
        } else {
            stand.peer.take("BYE");
        }
    }
}

/// The ACK that owes the answer to our offer and has none: told with its reason; the former pair stands.
#[test]
fn an_ack_without_the_answer_goes_back_to_the_former_pair() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Reinvite, HOLD);
    let (invite, ok) = their_reinvite(&mut stand, "");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "the call goes on");
    assert_eq!(stand.alice.last(EventKind::Ack).reason, Reason::NoAnswerIn2xx);
    assert_eq!((stand.alice.state(), pair_of(&stand)), (GOOD, first_pair()));
}

/// RFC 6141 §4.6: what we refuse moves no target; what we accept moves it, and a later refusal does not move it back.
#[test]
fn a_refused_reinvite_leaves_the_target() {
    let mut stand = Stand::peer_called();
    stand.peer.contact = "sip:moved@192.0.2.2:5060".to_owned();
    let refuse = |stand: &mut Stand| {
        stand.alice.hold(EventKind::Reinvite);
        let invite = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(invite.clone());
        stand.alice.progress(183, "");
        stand.alice.reject(488);
        stand.exchange();
        let no = stand.peer.take("488 INVITE");
        let ack = stand.peer.ack(&invite, &no);
        stand.say(ack);
    };
    refuse(&mut stand);
    assert_eq!((target(&stand), stand.alice.state()), ("sip:peer@192.0.2.2:5060".to_owned(), GOOD));
    stand.alice.answers(EventKind::Reinvite, HELD);
    let (invite, ok) = their_reinvite(&mut stand, HOLD);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.peer.contact = "sip:again@192.0.2.2:5060".to_owned();
    refuse(&mut stand);
    assert_eq!(target(&stand), "sip:moved@192.0.2.2:5060");
}

/// A refused one changes nothing but the remote number: all properties are compared.
#[test]
fn a_refused_reinvite_changes_only_the_remote_number() {
    let mut stand = Stand::peer_called();
    let properties = |stand: &Stand| {
        let session = stand.alice.agent.session(stand.alice.session()).unwrap();
        let text = session.state_text();
        let (known, number) = text.rsplit_once("cseq=").unwrap();
        (known.to_owned(), number.to_owned(), pair_of(stand), session.reinvite_server())
    };
    let before = properties(&stand);
    let invite = stand.peer.request("INVITE").set("Contact", "<sip:moved@192.0.2.2:5060>").sdp(HOLD);
    stand.say(invite.clone());
    let no = stand.peer.take("488 INVITE");
    let ack = stand.peer.ack(&invite, &no);
    stand.say(ack);
    let after = properties(&stand);
    assert_eq!((&before.0, &before.2, before.3), (&after.0, &after.2, after.3));
    assert_ne!(before.1, after.1);
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    assert!(stand.alice.agent.accept(now, incoming, 200, &answer_sdp(HELD)).is_err(), "answered already");
}
