//! The targets of a name, one after the other (RFC 3263 §4.3): in a dialog; the ACK of a 2xx.

use super::failover::{FIRST, finds, first_replies, refusing, sent, stand, to, went};
use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::Party;
use crate::common::{ANSWER, HOLD, OFFER, ms, seconds};
use sipdlg::agent::{EventKind, OutgoingId, Reason};
use sipdlg::session::{SessionState, SignalingState};

/// Alice called an address; the peer's Contact is a name with two targets, of which the first works at the ACK.
fn called_by_alice(stand: &mut Stand) {
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
}

fn refuse_the_first(stand: &mut Stand) {
    stand.wire.unreachable.push(FIRST.parse().expect("an address"));
}

type Act = fn(&mut Party) -> OutgoingId;

/// Every kind of request, as caller and as callee.
#[test]
fn requests_in_a_dialog_go_to_the_next() {
    let rows: [(&str, Act); 6] = [
        ("OPTIONS", Party::options),
        ("INFO", Party::info),
        ("MESSAGE", |alice| alice.message("hello")),
        ("REFER", |alice| alice.refer("sip:carol@192.0.2.9")),
        ("INVITE", |alice| alice.reinvite(HOLD)),
        ("BYE", Party::bye),
    ];
    for (method, act) in rows {
        for caller in [true, false] {
            let mut stand = stand();
            if caller {
                called_by_alice(&mut stand);
            } else {
                stand.peer_calls();
            }
            refuse_the_first(&mut stand);
            let before = sent(&stand, method).len();
            act(&mut stand.alice);
            stand.exchange();
            let all = sent(&stand, method).split_off(before);
            let firsts: Vec<bool> = all.iter().map(|(first, _)| *first).collect();
            assert_eq!(firsts, [true, false], "{method} {caller}");
            assert_eq!((all[0].1.cseq(), all[0].1.sdp()), (all[1].1.cseq(), all[1].1.sdp()), "{method}");
            stand.peer_replies(
                method,
                if method == "REFER" { 603 } else { 200 },
                if method == "INVITE" { ANSWER } else { "" },
            );
            assert_eq!(stand.alice.count(EventKind::Resolve), 1, "{method}");
            if method != "BYE" {
                // The dialog stays with the target that answered.
                stand.alice.options();
                stand.exchange();
                assert_eq!(went(&stand, "OPTIONS").last(), Some(&false), "{method}");
                stand.peer_replies("OPTIONS", 200, "");
            }
        }
    }
}

/// A silent target, and one that says 503.
#[test]
fn a_bye_reaches_the_peer_whatever_the_first_target_does() {
    for status in [None, Some(503)] {
        let mut stand = stand();
        called_by_alice(&mut stand);
        stand.alice.bye();
        stand.exchange();
        match status {
            Some(status) => first_replies(&mut stand, "BYE", status),
            None => stand.advance(seconds(33)),
        }
        stand.peer_replies("BYE", 200, "");
        assert_eq!(
            (stand.alice.statuses(EventKind::Accept).pop(), stand.alice.count(EventKind::Reject)),
            (Some(200), 0)
        );
        stand.exchange();
        assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
    }
}

/// A hang-up, of whose BYE the host hears nothing.
#[test]
fn a_hang_up_reaches_the_peer() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    refuse_the_first(&mut stand);
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(went(&stand, "BYE"), [true, false]);
    assert_eq!(stand.alice.count(EventKind::Terminated), 0, "it is under way");
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

/// §15: the callee's BYE waits for the ACK, and takes the same way then.
#[test]
fn a_bye_that_waited_goes_to_the_next() {
    let mut stand = refusing();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(went(&stand, "BYE"), []);
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!(went(&stand, "BYE"), [true, false]);
    stand.peer_replies("BYE", 200, "");
}

#[test]
fn a_prack_and_a_notify_go_to_the_next() {
    let mut stand = refusing();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = stand.peer.reply(&invite, 180).reliable(1);
    stand.say(ringing);
    assert_eq!(went(&stand, "PRACK"), [true, false]);
    let pracks = sent(&stand, "PRACK");
    assert_eq!(pracks[0].1.get("rack"), pracks[1].1.get("rack"));
    stand.peer_replies("PRACK", 200, "");
    let answer = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(answer);
    stand.peer.take("ACK");
    stand.alice.answers(EventKind::Refer, "");
    let refer =
        stand.peer.request("REFER").with("Contact", "<sip:peer@gw.example>").with("Refer-To", "<sip:c@192.0.2.9>");
    // It goes straight to the target that answered.
    stand.say(refer);
    assert_eq!(went(&stand, "NOTIFY"), [false]);
    stand.peer_replies("NOTIFY", 200, "");
    stand.alice.notify(200);
    stand.exchange();
    stand.peer_replies("NOTIFY", 200, "");
}

/// What its own books say is kept: the offer that is under way is the same one.
#[test]
fn a_reinvite_that_moves_on_changes_nothing() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    first_replies(&mut stand, "INVITE", 503);
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::HaveLocalOffer));
    let (_, second) = sent(&stand, "INVITE").pop().expect("another");
    assert_eq!(second.sdp(), Some(HOLD));
    stand.peer_replies("INVITE", 503, "");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
}

/// RFC 3261 §12.2.2: what another request has overtaken would be out of order, so it takes the next number.
#[test]
fn a_request_that_was_overtaken_takes_a_new_number() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    stand.alice.options();
    stand.alice.info();
    stand.exchange();
    stand.advance(seconds(33));
    let last = |short: &str| sent(&stand, short).pop().map(|(first, sip)| (first, sip.cseq()));
    assert_eq!((last("OPTIONS"), last("INFO")), (Some((false, 4)), Some((false, 5))));
    for method in ["OPTIONS", "INFO"] {
        stand.peer_replies(method, 200, "");
    }
}

/// RFC 5407 §2: nothing but its BYE goes out in a dialog that is Mortal.
#[test]
fn nothing_moves_on_in_a_dialog_that_is_over() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    let info = stand.alice.info();
    stand.exchange();
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.advance(seconds(40));
    assert!(went(&stand, "INFO").iter().all(|first| *first));
    assert!(stand.alice.events.iter().any(|event| event.outgoing == Some(info) && event.status_code == 408));
}

/// An unreachable farm: looked up again by the next request.
#[test]
fn a_name_is_asked_for_again_when_all_its_targets_failed() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    stand.wire.unreachable = [FIRST, BOB].map(|text| text.parse().expect("an address")).to_vec();
    stand.alice.options();
    stand.exchange();
    assert_eq!((went(&stand, "OPTIONS"), stand.alice.statuses(EventKind::Reject)), (vec![true, false], vec![503]));
    stand.wire.unreachable.clear();
    finds(&mut stand.alice, &[BOB]);
    stand.alice.options();
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Resolve), 2);
    stand.peer_replies("OPTIONS", 200, "");
}

// ---------------------------------------------------------------------- the ACK of a 2xx

#[test]
fn an_ack_that_the_first_refuses_goes_to_the_next_at_once() {
    let mut stand = refusing();
    called_by_alice(&mut stand);
    let acks = sent(&stand, "ACK");
    assert_eq!(went(&stand, "ACK"), [true, false]);
    assert_ne!(acks[0].1.branch(), acks[1].1.branch());
    assert_eq!(stand.alice.count(EventKind::TransportError), 0);
    // A repeat of the 2xx is answered by the ACK that arrived, byte by byte; later requests go there too.
    let invite = sent(&stand, "INVITE").remove(0).1;
    let repeat = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(repeat);
    let acks = sent(&stand, "ACK");
    assert_eq!((acks.len(), acks[2].0, acks[2].1.branch()), (3, false, acks[1].1.branch()));
    stand.alice.bye();
    stand.exchange();
    assert_eq!(went(&stand, "BYE"), [false]);
    stand.peer_replies("BYE", 200, "");
}

/// With the answer of the host in it.
#[test]
fn an_ack_of_the_hosts_is_the_same_at_the_next() {
    let mut stand = refusing();
    stand.alice.hold(EventKind::Accept);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    stand.peer_replies("INVITE", 200, OFFER);
    stand.alice.ack(ANSWER);
    stand.exchange();
    let acks = sent(&stand, "ACK");
    assert_eq!(went(&stand, "ACK"), [true, false]);
    assert_eq!(acks[1].1.sdp(), Some(ANSWER));
}

/// Nobody says that the first is dead: once the ACK may have been lost by chance, then the others take turns.
#[test]
fn an_ack_leaves_a_silent_target() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    let invite = sent(&stand, "INVITE").remove(0).1;
    for _ in 0..3 {
        stand.advance(ms(500));
        let repeat = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(repeat);
    }
    assert_eq!(went(&stand, "ACK"), [true, true, false, true]);
    let acks = sent(&stand, "ACK");
    assert_eq!(acks[0].1.branch(), acks[1].1.branch());
}

/// The number of a transmit is that of one ACK: what was sent again since has not failed.
#[test]
fn the_failure_of_an_old_ack_comes_too_late() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    let first = stand.alice.last_transmit();
    let invite = sent(&stand, "INVITE").remove(0).1;
    let repeat = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(repeat);
    let (now, second) = (stand.alice.now(), stand.alice.last_transmit());
    assert!(!stand.alice.agent.transmit_failed(now, first));
    stand.exchange();
    assert_eq!(went(&stand, "ACK"), [true, true]);
    // The trace does not know that it failed.
    stand.wire.trace.allowed = vec!["ack-unprovoked"];
    assert!(stand.alice.agent.transmit_failed(now, second));
    stand.exchange();
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::TransportError)), (vec![true, true, false], 0));
}

/// What another request has found out counts for the ACK.
#[test]
fn a_repeated_ack_goes_where_the_dialog_goes() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    refuse_the_first(&mut stand);
    stand.alice.options();
    stand.exchange();
    stand.peer_replies("OPTIONS", 200, "");
    let invite = sent(&stand, "INVITE").remove(0).1;
    let repeat = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(repeat);
    assert_eq!(went(&stand, "ACK"), [true, false]);
}

#[test]
fn an_ack_that_nobody_takes_is_told_and_tried_again() {
    let mut stand = stand();
    stand.wire.unreachable = [FIRST, BOB].map(|text| text.parse().expect("an address")).to_vec();
    stand.wire.unreachable.remove(1);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.wire.unreachable.push(BOB.parse().expect("an address"));
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let answer = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(answer.clone());
    assert_eq!((went(&stand, "ACK"), stand.alice.count(EventKind::TransportError)), (vec![true, false], 1));
    stand.wire.unreachable.clear();
    stand.say(answer);
    assert_eq!(went(&stand, "ACK").len(), 3);
}

/// A look-up that fails is no end: each repeat of the 2xx asks again, and the ACK is the one that was to go out, with
/// the host's answer in it. Only one is asked at a time.
#[test]
fn an_ack_whose_name_was_not_found_is_asked_for_again() {
    for by_host in [false, true] {
        let mut stand = stand();
        stand.alice.hold(EventKind::Resolve);
        if by_host {
            stand.alice.hold(EventKind::Accept);
        }
        stand.alice.invite(TO_BOB, if by_host { "" } else { OFFER });
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let answer = stand.peer.reply(&invite, 200).sdp(if by_host { OFFER } else { ANSWER });
        stand.say(answer.clone());
        if by_host {
            stand.alice.ack(ANSWER);
            stand.exchange();
        }
        for asked in 1..=3 {
            stand.advance(seconds(1));
            stand.say(answer.clone());
            assert_eq!(stand.alice.count(EventKind::Resolve), asked, "a repeat asks nobody twice");
            let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
            assert!(stand.alice.agent.resolved(now, query, &[]));
            stand.say(answer.clone());
            assert_eq!(stand.alice.count(EventKind::TransportError), asked);
        }
        assert_eq!((stand.alice.count(EventKind::Resolve), went(&stand, "ACK")), (4, vec![]));
        let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
        assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]));
        stand.exchange();
        assert_eq!(stand.peer.take("ACK").sdp(), by_host.then_some(ANSWER));
        stand.say(answer);
        assert_eq!((stand.peer.got(), stand.alice.count(EventKind::Resolve)), (vec!["ACK".to_owned()], 4));
    }
}

/// Neither ACK nor BYE had a way, and the call has no session any more. The ACK that finds one when the 2xx comes again
/// has the BYE behind it: it would keep up a call in which nobody is.
#[test]
fn a_bye_follows_the_late_ack_of_a_call_without_session() {
    for case in ["hung up", "disposed", "lost"] {
        let (mut stand, lost) = (stand(), case == "lost");
        stand.alice.hold(EventKind::Resolve);
        if lost {
            stand.peer.contact = format!("sip:peer@{BOB}");
        }
        called_by_alice(&mut stand);
        let invite = sent(&stand, "INVITE").remove(0).1;
        let answer = if lost { stand.peer.reply_as(&invite, 200, "other") } else { stand.peer.reply(&invite, 200) };
        let answer = answer.set("Contact", "<sip:peer@gw.example>").sdp(ANSWER);
        match case {
            "hung up" => stand.alice.hangup(),
            "disposed" => {
                let (now, session) = (stand.alice.now(), stand.alice.session());
                stand.alice.agent.dispose_session(now, session).expect("disposed");
            }
            _ => stand.say(answer.clone()),
        }
        stand.exchange();
        let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
        assert!(stand.alice.agent.resolved(now, query, &[]));
        stand.exchange();
        stand.peer.inbox.clear();
        stand.say(answer.clone());
        let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
        assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]), "{case}");
        stand.exchange();
        assert_eq!(stand.peer.got(), ["ACK", "BYE"], "{case}");
        stand.say(answer);
        assert_eq!(stand.peer.got(), ["ACK", "BYE", "ACK"], "{case}");
        stand.peer_replies("BYE", 200, "");
    }
}

/// The ACK and the BYE of the same moment wait for one answer, and leave in order.
#[test]
fn one_look_up_serves_ack_and_bye() {
    let mut stand = stand();
    stand.alice.hold(EventKind::Resolve);
    called_by_alice(&mut stand);
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Resolve), 1);
    let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
    assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]));
    assert!(!stand.alice.agent.resolved(now, query, &[to(BOB)]));
    stand.exchange();
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.count(EventKind::Resolve), 1);
}

/// The same for a fork that nobody wants: no session, its BYE is the library's.
#[test]
fn one_look_up_serves_the_ack_and_bye_of_a_stranger() {
    let mut stand = stand();
    called_by_alice(&mut stand);
    stand.alice.hold(EventKind::Resolve);
    let invite = sent(&stand, "INVITE").remove(0).1;
    let asked = stand.alice.count(EventKind::Resolve);
    let other = stand.peer.reply_as(&invite, 200, "other").set("Contact", "<sip:peer@other.example>").sdp(ANSWER);
    stand.say(other);
    assert_eq!(stand.alice.count(EventKind::Resolve), asked + 1);
    stand.peer.inbox.clear();
    let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
    assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]));
    stand.exchange();
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 200, "");
}

/// Where the name is that of the INVITE, nothing is looked up at all.
#[test]
fn a_stranger_is_reached_where_the_invite_was_answered() {
    let mut stand = refusing();
    stand.alice.invite("sip:bob@gw.example", OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    let invite = sent(&stand, "INVITE").remove(1).1;
    let other = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    stand.say(other);
    assert_eq!((went(&stand, "ACK"), went(&stand, "BYE")), (vec![false, false], vec![false]));
    assert_eq!(stand.alice.count(EventKind::Resolve), 1);
    stand.peer_replies("BYE", 200, "");
}

/// Who waits for the answer of another's question gets it when that one is called off.
#[test]
fn a_look_up_outlives_the_request_that_asked() {
    let mut stand = stand();
    stand.peer_calls();
    stand.alice.hold(EventKind::Resolve);
    stand.alice.reinvite(HOLD);
    stand.alice.info();
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Resolve), 1);
    stand.alice.cancel();
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
    let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
    assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]));
    stand.exchange();
    stand.peer_replies("INFO", 200, "");
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200]);
}
