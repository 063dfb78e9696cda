//! Which reliable responses the caller acknowledges, in which order, and by which PRACK (RFC 3262 §4).

use crate::common::draft::Draft;
use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::reliable_callee::{
    Lines, accept, books, called, knows_password, progress, reinvited, stable, target_of,
};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::agent::event::flag;
use sipdlg::session::{SessionState, SignalingState};

/// §4: RAck from RSeq and CSeq of the response; an ordinary request in the dialog. Pattern 3 of RFC 6337: the answer is
/// in the reliable response, the 2xx needs none.
#[test]
fn a_reliable_183_with_the_answer_is_acknowledged_at_once() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 4_711, ANSWER);
    let prack = stand.peer_replies("PRACK", 200, "");
    assert_eq!(prack.value("rack"), format!("4711 {} INVITE", invite.cseq()));
    assert_eq!((prack.cseq(), prack.to_tag()), (invite.cseq() + 1, Some(stand.peer.local_tag.clone())));
    assert_eq!(prack.body, "");
    let event = stand.alice.last(EventKind::Progress);
    assert_eq!((event.flags, event.signaling_state), (flag::RELIABLE, SignalingState::Stable));
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Stable));
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert_eq!(stand.alice.count(EventKind::Accept), 1, "nobody hears of an automatic PRACK's 200");
}

#[test]
fn the_first_rseq_sets_the_order_and_the_next_is_one_higher() {
    let (mut stand, invite) = called(OFFER);
    for rseq in [9, 10, 11] {
        progress(&mut stand, &invite, 180, rseq, "");
        let prack = stand.peer_replies("PRACK", 200, "");
        assert_eq!(prack.value("rack"), format!("{rseq} {} INVITE", invite.cseq()));
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 3]);
}

/// §4: repeats, gaps and what is older are neither acknowledged nor processed.
#[test]
fn repeats_gaps_and_older_ones_are_discarded() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 20, "");
    stand.peer_replies("PRACK", 200, "");
    for rseq in [20, 22, 19, 1, u32::MAX] {
        stand.peer.contact = format!("sip:elsewhere@{BOB}");
        progress(&mut stand, &invite, 183, rseq, ANSWER);
        assert_eq!(stand.peer.got(), NOTHING, "RSeq {rseq}");
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180]);
    assert_eq!(books(&stand).0, SignalingState::HaveLocalOffer);
    assert_eq!(target_of(&stand), format!("sip:peer@{BOB}"));
    progress(&mut stand, &invite, 183, 21, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// §3: no number follows 2^32-1; a 0 is none.
#[test]
fn the_order_does_not_wrap() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, u32::MAX, "");
    stand.peer_replies("PRACK", 200, "");
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(stand.peer.got(), NOTHING);
}

/// RFC 3262 erratum 4600: every To tag counts by itself.
#[test]
fn every_early_dialog_has_an_order_of_its_own() {
    let (mut stand, invite) = called(OFFER);
    for (tag, rseq, answer) in [("one", 1, ANSWER), ("two", 500, HELD), ("one", 2, ""), ("two", 501, "")] {
        let draft = stand.peer.reply_as(&invite, 183, tag).reliable(rseq);
        stand.say(if answer.is_empty() { draft } else { draft.sdp(answer) });
        let prack = stand.peer_replies("PRACK", 200, "");
        assert_eq!((prack.to_tag().as_deref(), prack.value("rack")), (Some(tag), &*format!("{rseq} 1 INVITE")));
    }
    let answers: Vec<_> = (stand.alice.events.iter())
        .filter(|event| event.kind == EventKind::Progress)
        .filter_map(|event| event.session)
        .map(|id| stand.alice.agent.session(id).unwrap().answer().unwrap().content().to_vec())
        .collect();
    assert_eq!(answers[..2], [ANSWER.as_bytes(), HELD.as_bytes()], "and an exchange of its own");
    let ok = stand.peer.reply_as(&invite, 200, "two");
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    assert_eq!(books(&stand), stable(OFFER, HELD));
}

/// Pattern 3 in a re-INVITE, with an order of its own; RFC 6141 §4: the target moves with the reliable response.
#[test]
fn a_reliable_response_to_a_reinvite_is_acknowledged() {
    let (mut stand, invite) = reinvited(HOLD);
    stand.peer.contact = format!("sip:moved@{BOB}");
    progress(&mut stand, &invite, 183, 77, HELD);
    let prack = stand.peer_replies("PRACK", 200, "");
    assert_eq!(prack.value("rack"), format!("77 {} INVITE", invite.cseq()));
    assert_eq!((prack.uri(), prack.cseq()), (&*format!("sip:moved@{BOB}"), invite.cseq() + 1));
    assert_eq!(books(&stand), stable(HOLD, HELD));
    progress(&mut stand, &invite, 183, 77, HELD);
    assert_eq!(stand.peer.got(), NOTHING);
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(books(&stand), stable(HOLD, HELD));
    stand.alice.reinvite(OFFER);
    stand.exchange();
    let again = stand.peer.take("INVITE");
    progress(&mut stand, &again, 183, 5, ANSWER);
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), format!("5 {} INVITE", again.cseq()));
    accept(&mut stand, &again, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// Require without RSeq, RSeq without Require, RSeq 0, and a 100 are not reliable, whatever they claim.
#[test]
fn what_is_not_reliable_is_not_acknowledged() {
    let (mut stand, invite) = called(OFFER);
    let with = |draft: Draft, lines: &[(&str, &str)]| {
        lines.iter().fold(draft, |draft, (name, value)| draft.with(name, *value)).sdp(ANSWER)
    };
    let rows: [(u16, Lines); 5] = [
        (183, &[("Require", "100rel")]),
        (183, &[("RSeq", "1")]),
        (183, &[("Require", "100rel"), ("RSeq", "0")]),
        (183, &[("Require", "100rel"), ("RSeq", "4294967296")]),
        (100, &[("Require", "100rel"), ("RSeq", "1")]),
    ];
    for (status, lines) in rows {
        let draft = with(stand.peer.reply(&invite, status), lines);
        stand.say(draft);
        assert_eq!(stand.peer.got(), NOTHING, "{lines:?}");
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [183; 4]);
    assert!(stand.alice.events.iter().all(|event| event.flags == 0));
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Stable));
    // The option tag is a token: case does not matter, and others may stand beside it.
    let draft = with(stand.peer.reply(&invite, 183), &[("Require", "timer, 100REL"), ("RSeq", "7")]);
    stand.say(draft);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// §4: after a final response it may be discarded; a 2xx is acknowledged by ACK alone.
#[test]
fn a_reliable_response_after_the_final_one_is_discarded() {
    let (mut stand, invite) = called(OFFER);
    accept(&mut stand, &invite, ANSWER);
    stand.peer.take("ACK");
    progress(&mut stand, &invite, 183, 1, HELD);
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.count(EventKind::Progress), 0);
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// RFC 3261 §12.1: a provisional response without To tag makes no dialog, so there is none to send a PRACK in.
#[test]
fn a_reliable_response_without_tag_cannot_be_acknowledged() {
    let (mut stand, invite) = called(OFFER);
    let draft = stand.peer.reply(&invite, 183).set("To", invite.value("to"));
    stand.say(draft.reliable(1));
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.last(EventKind::Progress).flags, 0);
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    stand.peer.take("ACK");
}

/// RFC 6141 §4.2, §4.9: a reliable response moves the remote target, an unreliable one never.
#[test]
fn only_a_reliable_response_moves_the_remote_target() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    stand.peer.contact = format!("sip:second@{BOB}");
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    assert_eq!(target_of(&stand), format!("sip:peer@{BOB}"));
    stand.peer.contact = format!("sip:third@{BOB}");
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(target_of(&stand), format!("sip:third@{BOB}"));
    assert_eq!(stand.peer_replies("PRACK", 200, "").uri(), format!("sip:third@{BOB}"));
}

/// RFC 3261 §22: a PRACK may be challenged; its RAck stays, its CSeq number is the dialog's next.
#[test]
fn a_challenged_prack_goes_out_again() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    progress(&mut stand, &invite, 183, 8, ANSWER);
    let first = stand.peer.take("PRACK");
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let draft = stand.peer.reply(&first, 407).with("Proxy-Authenticate", challenge);
    stand.say(draft);
    let second = stand.peer_replies("PRACK", 200, "");
    assert_eq!((second.value("rack"), second.cseq()), (first.value("rack"), first.cseq() + 1));
    assert!(second.get("proxy-authorization").is_some());
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(stand.peer_replies("PRACK", 200, "").cseq(), second.cseq() + 1, "one allocator");
}

/// RFC 3261 §22.2: the INVITE that follows a 401 makes new dialogs, with a new order.
#[test]
fn the_order_begins_anew_with_the_invite_after_a_challenge() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    progress(&mut stand, &invite, 183, 900, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let draft = stand.peer.reply(&invite, 401).with("WWW-Authenticate", challenge);
    stand.say(draft);
    let again = stand.peer.take("INVITE");
    stand.peer.local_tag = "later".to_owned();
    progress(&mut stand, &again, 183, 3, HELD);
    let prack = stand.peer_replies("PRACK", 200, "");
    assert_eq!((prack.value("rack"), prack.cseq()), (&*format!("3 {} INVITE", again.cseq()), again.cseq() + 1));
    assert_eq!(books(&stand), stable(OFFER, HELD));
}

/// The PRACKs without answer are bounded: beyond, responses are not taken, and come again.
#[test]
fn only_some_pracks_are_under_way() {
    let (mut stand, invite) = called(OFFER);
    for rseq in 1..=20 {
        progress(&mut stand, &invite, 180, rseq, "");
    }
    assert_eq!(stand.peer.got(), ["PRACK"; 8]);
    stand.peer_replies("PRACK", 200, "");
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(stand.peer.got(), ["PRACK"; 8]);
    while !stand.peer.got().is_empty() {
        stand.peer_replies("PRACK", 200, "");
    }
    stand.wire.trace.allowed.push("prack-owed");
}

/// The guard by itself, for stacks that use nothing else.
#[test]
fn the_sequence_guard_counts() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    let session = stand.alice.session();
    let mut guard = |status: u16, lines: &[(&str, &str)]| {
        let draft = stand.peer.reply(&invite, status);
        let draft = lines.iter().fold(draft, |draft, (name, value)| draft.with(name, *value));
        let message = sipdlg::message::Message::parse(draft.text().as_bytes(), None).expect("a message");
        stand.alice.agent.reliable_sequence_guard(session, &message).expect("the session lives")
    };
    let tag = ("Require", "100rel");
    let rows: [(u16, Lines, bool); 9] = [
        (100, &[tag, ("RSeq", "4")], true),
        (180, &[], true),
        (180, &[tag, ("RSeq", "4")], true),
        (180, &[tag, ("RSeq", "4")], false),
        (183, &[tag, ("RSeq", "6")], false),
        (183, &[tag, ("RSeq", "5")], true),
        (200, &[tag, ("RSeq", "1")], true),
        (180, &[("Require", "timer, 100rel"), ("RSeq", "6")], true),
        (180, &[("Require", "100REL"), ("RSeq", "1")], false),
    ];
    for (status, lines, expected) in rows {
        assert_eq!(guard(status, lines), expected, "{status} {lines:?}");
    }
}
