//! The races of RFC 5407, figure by figure, between two agents: alice called, bob was called. What is lost or crosses is
//! made so by the wire; each list is what both sides sent, in its order.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{Party, answer_sdp, config};
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

/// Alice has called, bob rings; bob's host holds the INVITE.
fn ringing(offer: &str) -> Pair {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, offer);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    pair
}

#[track_caller]
fn sent(pair: &Pair, from: usize, expected: &[&str]) {
    assert_eq!(pair.since(from), expected, "\n{}", pair.wire.trace.ladder(None));
}

#[track_caller]
fn ended(party: &Party, reason: Reason) {
    assert_eq!(party.last(EventKind::Terminated).reason, reason, "{}", party.name);
}

/// §3.1.1: the callee gets the INVITE again while its 200 waits for the ACK: it is absorbed.
#[test]
fn s3_1_1_invite_again_in_moratorium() {
    let mut pair = Pair::new();
    pair.wire.lose_next("bob", "180 INVITE", 1);
    pair.wire.lose_next("bob", "200 INVITE", 1);
    pair.bob.rings_and_answers(ANSWER);
    pair.alice.invite(TO_BOB, OFFER);
    pair.advance(seconds(2));
    let lines = pair.since(0);
    assert_eq!(lines[..3], ["alice INVITE", "bob 180 INVITE", "bob 200 INVITE"]);
    // Timer A of alice and the repeat of bob's 200 are due at the same time.
    let mut rest = lines[3..].to_vec();
    rest.sort();
    assert_eq!(rest, ["alice ACK", "alice INVITE", "bob 200 INVITE"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    assert_eq!(pair.bob.count(EventKind::Invite), 1);
}

/// §3.1.2: CANCEL crosses the 200: it has no effect, and the caller leaves by BYE.
#[test]
fn s3_1_2_cancel_in_moratorium() {
    let mut pair = ringing(OFFER);
    pair.bob.accept(ANSWER);
    assert!(pair.alice.cancel());
    pair.exchange();
    let mut lines = pair.since(2);
    lines[..2].sort();
    assert_eq!(lines[..2], ["alice CANCEL", "bob 200 INVITE"]);
    lines[2..].sort();
    assert_eq!(lines[2..], ["alice ACK", "alice BYE", "bob 200 BYE", "bob 200 CANCEL"]);
    let at = |line: &str| pair.since(2).iter().position(|sent| sent == line);
    assert!(at("alice ACK") < at("alice BYE"), "RFC 3261 §13.2.2.4");
    ended(&pair.alice, Reason::Cancelled);
    ended(&pair.bob, Reason::RemoteBye);
}

/// §3.1.3: the caller's BYE of the early dialog crosses the 200: ACK, no session.
#[test]
fn s3_1_3_bye_in_moratorium() {
    let mut pair = ringing(OFFER);
    pair.bob.accept(ANSWER);
    pair.alice.bye();
    pair.exchange();
    let mut lines = pair.since(2);
    lines[..2].sort();
    assert_eq!(lines[..2], ["alice BYE", "bob 200 INVITE"]);
    lines[2..].sort();
    assert_eq!(lines[2..], ["alice ACK", "bob 200 BYE"]);
    pair.advance(seconds(40));
    assert_eq!((pair.alice.count(EventKind::Accept), pair.bob.count(EventKind::Terminated)), (1, 1));
    assert_eq!(pair.alice.last(EventKind::Accept).method, Some(sipdlg::message::Method::Bye));
    ended(&pair.bob, Reason::RemoteBye);
}

/// §3.1.4: a re-INVITE overtakes the lost ACK; the exchange is complete, so it is taken. The late ACK counts by its
/// number.
#[test]
fn s3_1_4_reinvite_in_moratorium() {
    let mut pair = ringing(OFFER);
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.wire.lose_next("alice", "ACK", 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
    pair.alice.reinvite(HOLD);
    pair.exchange();
    sent(&pair, 2, &["bob 200 INVITE", "alice ACK", "alice INVITE", "bob 200 INVITE", "alice ACK"]);
    pair.advance(seconds(1));
    sent(&pair, 7, &["bob 200 INVITE", "alice ACK"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
}

/// §3.1.5: the ACK with the answer is lost, and a re-INVITE or UPDATE with an offer comes: not now; later it is taken.
#[test]
fn s3_1_5_offer_before_the_answer_in_ack() {
    for update in [false, true] {
        let mut pair = ringing("");
        pair.bob.answers(EventKind::Reinvite, HELD);
        pair.bob.answers(EventKind::Update, HELD);
        pair.alice.answers_in_ack(ANSWER);
        pair.wire.lose_next("alice", "ACK", 1);
        pair.bob.accept(OFFER);
        pair.exchange();
        match update {
            true => pair.alice.update(HOLD),
            false => pair.alice.reinvite(HOLD),
        };
        pair.exchange();
        match update {
            true => sent(&pair, 2, &["bob 200 INVITE", "alice ACK", "alice UPDATE", "bob 491 UPDATE"]),
            // RFC 3261 §14.2 as well as the 491 of the figure.
            false => sent(&pair, 2, &["bob 200 INVITE", "alice ACK", "alice INVITE", "bob 500 INVITE", "alice ACK"]),
        }
        pair.advance(seconds(15));
        assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
        assert_eq!(pair.alice.statuses(EventKind::Accept).last(), Some(&200));
        assert_eq!(pair.alice.count(EventKind::Reject), 0);
    }
}

/// §3.1.6: BYE before the ACK: 200; the repeated 200 of the INVITE is still acknowledged, and revives nothing.
#[test]
fn s3_1_6_bye_of_an_established_call_in_moratorium() {
    let mut pair = ringing(OFFER);
    pair.wire.lose_next("alice", "ACK", 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
    pair.alice.bye();
    pair.exchange();
    sent(&pair, 2, &["bob 200 INVITE", "alice ACK", "alice BYE", "bob 200 BYE"]);
    pair.advance(seconds(40));
    sent(&pair, 6, &["bob 200 INVITE", "alice ACK"]);
    ended(&pair.alice, Reason::LocalHangup);
    ended(&pair.bob, Reason::RemoteBye);
}

/// §3.2.1: BYE crosses BYE: both get 200.
#[test]
fn s3_2_1_bye_crosses_bye() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    pair.bob.bye();
    pair.exchange();
    sent(&pair, 4, &["alice BYE", "bob BYE", "bob 200 BYE", "alice 200 BYE"]);
    ended(&pair.alice, Reason::LocalHangup);
    ended(&pair.bob, Reason::LocalHangup);
}

/// §3.2.2: a re-INVITE (and an UPDATE) meets our BYE: 481.
#[test]
fn s3_2_2_reinvite_in_mortal_state() {
    for update in [false, true] {
        let mut pair = Pair::confirmed();
        pair.alice.bye();
        match update {
            true => pair.bob.update(HOLD),
            false => pair.bob.reinvite(HOLD),
        };
        pair.exchange();
        let method = if update { "UPDATE" } else { "INVITE" };
        let mut lines = pair.since(4);
        lines.sort();
        let mut expected = vec![
            "alice BYE".to_owned(),
            format!("alice 481 {method}"),
            "bob 200 BYE".to_owned(),
            format!("bob {method}"),
        ];
        if !update {
            expected.push("bob ACK".to_owned());
        }
        expected.sort();
        assert_eq!(lines, expected);
        ended(&pair.alice, Reason::LocalHangup);
        ended(&pair.bob, Reason::RemoteBye);
        assert_eq!(pair.alice.count(EventKind::Reinvite) + pair.alice.count(EventKind::Update), 0);
    }
}

/// §3.2.3: the 200 to our re-INVITE comes after our BYE: it is acknowledged.
#[test]
fn s3_2_3_ok_of_a_reinvite_in_mortal_state() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    pair.bob.accept(HELD);
    pair.alice.bye();
    pair.exchange();
    let mut lines = pair.since(5);
    lines.retain(|line| line != "bob 100 INVITE");
    lines.sort();
    assert_eq!(lines, ["alice ACK", "alice BYE", "bob 200 BYE", "bob 200 INVITE"]);
    ended(&pair.alice, Reason::LocalHangup);
    ended(&pair.bob, Reason::RemoteBye);
}

/// §3.2.4: the callee's BYE crosses the ACK. RFC 3261 §15 forbids a callee of ours to send it, so the peer is one.
#[test]
fn s3_2_4_ack_in_mortal_state() {
    let mut stand = Stand::new();
    stand.alice.answers_in_ack(ANSWER);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.peer.send(ok);
    let bye = stand.peer.request("BYE");
    stand.peer.send(bye);
    stand.exchange();
    assert_eq!(stand.peer.take("ACK").sdp(), Some(ANSWER));
    stand.peer.take("200 BYE");
    ended(&stand.alice, Reason::RemoteBye);
    // And ours waits for the ACK, whose answer counts no more once it is over.
    let mut pair = ringing("");
    pair.alice.answers_in_ack(ANSWER);
    pair.bob.accept(OFFER);
    pair.bob.hangup();
    pair.exchange();
    sent(&pair, 2, &["bob 200 INVITE", "alice ACK", "bob BYE", "alice 200 BYE"]);
}

/// §3.3.1: re-INVITE crosses re-INVITE: both get 491; each comes again in its turn.
#[test]
fn s3_3_1_reinvite_crosses_reinvite() {
    let mut pair = Pair::confirmed();
    for party in [&mut pair.alice, &mut pair.bob] {
        party.answers(EventKind::Reinvite, HELD);
        party.reinvite(HOLD);
        let mut renewed = false;
        party.on(EventKind::GlareRetry, move |agent, now, event| {
            let asked = event.flags & sipdlg::agent::event::flag::NEEDS_BODY != 0;
            if asked && !std::mem::replace(&mut renewed, true) {
                let body = answer_sdp(OFFER).body.expect("one");
                agent.retry(now, event.outgoing.expect("one"), body).expect("legal");
            }
        });
    }
    pair.exchange();
    sent(&pair, 4, &["alice INVITE", "bob INVITE", "bob 491 INVITE", "alice 491 INVITE", "alice ACK", "bob ACK"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    pair.advance(seconds(6));
    // Bob, who does not own the Call-ID, comes first.
    sent(&pair, 10, &["bob INVITE", "alice 200 INVITE", "bob ACK", "alice INVITE", "bob 200 INVITE", "alice ACK"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
}

/// §3.3.2: UPDATE crosses re-INVITE, with offers both get 491.
#[test]
fn s3_3_2_update_crosses_reinvite() {
    let mut pair = Pair::confirmed();
    pair.alice.answers(EventKind::Update, HELD);
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.alice.reinvite(HOLD);
    pair.bob.update(HOLD);
    pair.exchange();
    let mut lines = pair.since(4);
    lines.sort();
    let expected = ["alice 491 UPDATE", "alice ACK", "alice INVITE", "bob 491 INVITE", "bob UPDATE"];
    assert_eq!(lines, expected);
    pair.advance(ms(2_050));
    assert_eq!(pair.bob.statuses(EventKind::Accept), [200]);
    // Without an offer both are taken.
    let mut pair = Pair::confirmed();
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.alice.reinvite(HOLD);
    pair.bob.update("");
    pair.exchange();
    let mut lines = pair.since(4);
    lines.sort();
    let expected = ["alice 200 UPDATE", "alice ACK", "alice INVITE", "bob 200 INVITE", "bob UPDATE"];
    assert_eq!(lines, expected);
}

/// §3.3.3: REFER meets BYE: 481; nothing is left.
#[test]
fn s3_3_3_refer_in_mortal_state() {
    let mut pair = Pair::confirmed();
    pair.alice.bye();
    pair.bob.refer("sip:carol@192.0.2.3");
    pair.exchange();
    let mut lines = pair.since(4);
    lines.sort();
    assert_eq!(lines, ["alice 481 REFER", "alice BYE", "bob 200 BYE", "bob REFER"]);
    assert_eq!(pair.bob.statuses(EventKind::Reject), [481]);
}

/// Appendix A: BYE in an early dialog ends that one; other forks may still answer.
#[test]
fn appendix_a_bye_of_an_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    for tag in ["one", "two"] {
        let ringing = stand.peer.reply_as(&invite, 180, tag);
        stand.say(ringing);
    }
    let first =
        stand.alice.events.iter().find(|event| event.kind == EventKind::Progress).and_then(|event| event.session);
    let (now, first) = (stand.alice.now(), first.expect("an early dialog"));
    stand.alice.agent.bye(now, first, RequestOptions::default()).expect("legal");
    stand.exchange();
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.to_tag().as_deref(), Some("one"));
    let ok = stand.peer.reply_as(&bye, 200, "one");
    stand.say(ok);
    ended(&stand.alice, Reason::LocalHangup);
    let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    assert_eq!(stand.alice.state(), GOOD);
    // The callee answers the INVITE that its caller has left.
    let mut pair = ringing(OFFER);
    pair.alice.bye();
    pair.exchange();
    sent(&pair, 2, &["alice BYE", "bob 487 INVITE", "bob 200 BYE", "alice ACK"]);
}

/// Appendix B: BYE right behind a re-INVITE: whichever comes first, both end.
#[test]
fn appendix_b_bye_behind_a_reinvite() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.alice.bye();
    pair.exchange();
    let mut lines = pair.since(4);
    lines.sort();
    assert_eq!(lines, ["alice ACK", "alice BYE", "alice INVITE", "bob 200 BYE", "bob 487 INVITE"]);
    // The BYE overtakes it: the INVITE goes on in the Mortal state, to its 481 or 500.
    let mut pair = Pair::confirmed();
    pair.wire.lose_next("alice", "INVITE", 1);
    pair.alice.reinvite(HOLD);
    pair.alice.bye();
    pair.advance(seconds(2));
    let lines = pair.since(4);
    assert_eq!(lines[..4], ["alice INVITE", "alice BYE", "bob 200 BYE", "alice INVITE"], "{lines:?}");
    assert!(["bob 481 INVITE", "bob 500 INVITE"].contains(&lines[4].as_str()), "{lines:?}");
    assert_eq!(lines[5], "alice ACK");
    ended(&pair.alice, Reason::LocalHangup);
    ended(&pair.bob, Reason::RemoteBye);
}

/// Appendix D: our BYE is challenged: it goes again with credentials, in the Mortal state.
#[test]
fn appendix_d_bye_is_challenged() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("they are good");
    let mut stand = Stand::with(config);
    crate::common::reliable_callee::knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    stand.peer.take("ACK");
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let refused = stand.peer.reply(&bye, 407);
    stand.say(
        refused
            .with("Proxy-Authenticate", "Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\""),
    );
    let again = stand.peer_replies("BYE", 200, "");
    assert_eq!(again.cseq(), bye.cseq() + 1);
    ended(&stand.alice, Reason::LocalHangup);
}

/// Appendix E: a 2xx with a new To tag after the first: ACK, then BYE; one more provisional response makes nothing.
#[test]
fn appendix_e_late_to_tags() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply_as(&invite, 200, "one").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    let ringing = stand.peer.reply_as(&invite, 180, "two");
    stand.say(ringing);
    let late = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(late);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.to_tag().as_deref(), Some("two"));
    let ok = stand.peer.reply_as(&bye, 200, "two");
    stand.say(ok);
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::Terminated)), (GOOD, 0));
    stand.alice.hangup();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply_as(&bye, 200, "one");
    stand.say(ok);
}
