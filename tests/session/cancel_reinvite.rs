//! CANCEL of a re-INVITE, both ways: what it asks for is as if never asked (RFC 3261 §9, §14.1).

use crate::common::pair::{Pair, Stand};
use crate::common::party::{answer_sdp, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::options::response_flag;
use sipdlg::agent::{EventKind, Reason, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

/// Alice's re-INVITE is out, nothing came for it.
fn reinviting() -> (Stand, Sip) {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    (stand, invite)
}

#[track_caller]
fn reply(stand: &mut Stand, request: &Sip, status: u16) {
    let draft = stand.peer.reply(request, status);
    stand.say(draft);
}

#[track_caller]
fn descriptions(stand: &Stand) -> (String, String) {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    let text = |body: Option<&sipdlg::session::offer_answer::StoredBody>| {
        String::from_utf8(body.expect("a description").content().to_vec()).unwrap()
    };
    (text(session.offer()), text(session.answer()))
}

/// §9.1: not before a provisional response; 100 is one. Then 487, and all is as it was.
#[test]
fn ours_waits_for_a_provisional_response() {
    let (mut stand, invite) = reinviting();
    assert!(stand.alice.cancel());
    stand.advance(seconds(1));
    assert!(stand.peer.got().iter().all(|short| short == "INVITE"), "{:?}", stand.peer.got());
    reply(&mut stand, &invite, 100);
    let cancel = stand.peer_replies("CANCEL", 200, "");
    assert_eq!((cancel.cseq(), cancel.branch(), cancel.uri()), (invite.cseq(), invite.branch(), invite.uri()));
    reply(&mut stand, &invite, 487);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
    assert_eq!(stand.alice.state(), GOOD);
    assert_eq!(descriptions(&stand), (OFFER.to_owned(), ANSWER.to_owned()));
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!((session.reinvite_client(), session.local_sequence_number()), (None, Some(2)));
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let next = stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(next.cseq(), 3, "a CANCEL takes no number");
}

/// A final response without any provisional one: no CANCEL goes out, and the 2xx counts.
#[test]
fn a_2xx_before_any_provisional_response_is_kept() {
    let (mut stand, invite) = reinviting();
    assert!(stand.alice.cancel());
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 200]);
    assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (HOLD.to_owned(), HELD.to_owned())));
}

/// The 2xx that crosses the CANCEL is acknowledged and kept: the change was made, the call goes on.
#[test]
fn a_2xx_that_crosses_the_cancel_is_kept() {
    let (mut stand, invite) = reinviting();
    reply(&mut stand, &invite, 183);
    assert!(stand.alice.cancel());
    stand.exchange();
    let cancel = stand.peer.take("CANCEL");
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    stand.peer.send(ok);
    reply(&mut stand, &cancel, 200);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!((stand.alice.count(EventKind::Reject), stand.alice.statuses(EventKind::Accept)), (0, vec![200, 200]));
    assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (HOLD.to_owned(), HELD.to_owned())));
}

/// The same where the 2xx brings the offer: the host answers it in the ACK.
#[test]
fn a_2xx_with_an_offer_that_crosses_the_cancel_is_answered() {
    let mut stand = Stand::alice_called();
    stand.alice.answers_in_ack(HELD);
    stand.alice.reinvite("");
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 100, "");
    stand.alice.cancel();
    stand.exchange();
    stand.peer.take("CANCEL");
    let ok = stand.peer.reply(&invite, 200).sdp(HOLD);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!(stand.alice.state(), GOOD);
}

/// §9.1: 64*T1 after the CANCEL without a final response the INVITE is over; the call is not.
#[test]
fn a_cancelled_one_that_is_never_answered_ends() {
    let (mut stand, invite) = reinviting();
    reply(&mut stand, &invite, 180);
    stand.alice.cancel();
    stand.exchange();
    stand.peer_replies("CANCEL", 200, "");
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
    assert_eq!(stand.alice.state(), GOOD);
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// A 481 to the CANCEL says nothing of the dialog (RFC 5057 §5.2); a 491 to the INVITE is not retried.
#[test]
fn what_answers_the_cancel_does_not_matter() {
    let (mut stand, invite) = reinviting();
    reply(&mut stand, &invite, 100);
    stand.alice.cancel();
    stand.exchange();
    stand.peer_replies("CANCEL", 481, "");
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    reply(&mut stand, &invite, 491);
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!((stand.alice.count(EventKind::GlareRetry), stand.alice.statuses(EventKind::Reject)), (0, vec![491]));
    assert_eq!(stand.alice.state(), GOOD);
}

#[test]
fn expires_cancels_a_reinvite() {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { expires_ms: 2_000, ..with_sdp(HOLD) };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    stand.advance(seconds(3));
    stand.peer_replies("CANCEL", 200, "");
    reply(&mut stand, &invite, 487);
    assert_eq!(stand.alice.state(), GOOD);
}

/// The peer's: 200 and 487 by themselves, CANCEL told, the offer gone; what the host still says is refused.
#[test]
fn theirs_is_answered_by_itself() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(invite.clone());
    assert_eq!(stand.alice.state().1, SignalingState::HaveRemoteOffer);
    let before = descriptions_before(&stand);
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    assert_eq!(stand.peer.got(), ["200 CANCEL", "487 INVITE"]);
    let told = stand.alice.last(EventKind::Cancel);
    assert_eq!((told.incoming, told.session), (Some(stand.alice.incoming()), Some(stand.alice.session())));
    assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (OFFER.to_owned(), ANSWER.to_owned())));
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let late = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(HELD));
    assert_eq!(late.unwrap_err().kind, ErrorKind::State);
    let terminated = stand.peer.take("487 INVITE");
    let ack = stand.peer.ack(&invite, &terminated);
    stand.say(ack);
    assert_eq!(descriptions_before(&stand), before, "but the remote CSeq nothing has changed");
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// All that a refused request must leave as it was.
fn descriptions_before(stand: &Stand) -> (Vec<u8>, Vec<u8>, Option<u32>) {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    (session.remote_target().to_vec(), session.route_set().to_vec(), session.local_sequence_number())
}

/// §9.2: after our final response a CANCEL has no effect but its own 200.
#[test]
fn a_cancel_after_our_2xx_changes_nothing() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Reinvite, HELD);
    let invite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.count(EventKind::Cancel), 0);
    assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (HOLD.to_owned(), HELD.to_owned())));
}

/// Both ends are the library.
#[test]
fn a_cancelled_reinvite_leaves_both_as_they_were() {
    for ring in [false, true] {
        let mut pair = Pair::confirmed();
        pair.bob.hold(EventKind::Reinvite);
        pair.alice.reinvite(HOLD);
        pair.exchange();
        if ring {
            pair.bob.progress(180, "");
        }
        pair.advance(seconds(1));
        pair.alice.cancel();
        pair.exchange();
        assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
        assert_eq!((pair.alice.statuses(EventKind::Reject), pair.bob.count(EventKind::Cancel)), (vec![487], 1));
        for party in [&pair.alice, &pair.bob] {
            let session = party.agent.session(party.session()).unwrap();
            assert_eq!(
                (session.offer().unwrap().content(), session.answer().unwrap().content()),
                (OFFER.as_bytes(), ANSWER.as_bytes())
            );
        }
        pair.bob.answers(EventKind::Reinvite, HELD);
        pair.alice.reinvite(HOLD);
        pair.exchange();
        assert_eq!(pair.alice.statuses(EventKind::Accept), [200, 200]);
    }
}

/// Hung up while the CANCEL is out: BYE, whatever the INVITE gets.
#[test]
fn a_hangup_after_the_cancel() {
    let (mut stand, invite) = reinviting();
    reply(&mut stand, &invite, 180);
    stand.alice.cancel();
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(stand.peer.got(), ["CANCEL", "BYE"]);
    stand.peer_replies("BYE", 200, "");
    let ok = stand.peer.reply(&invite, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

/// Their re-INVITE, whose answer went in a reliable response.
fn answered_reliably(stand: &mut Stand, acknowledged: bool) -> crate::common::draft::Draft {
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(HOLD);
    stand.say(invite.clone());
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let options = ResponseOptions { flags: response_flag::RELIABLE, ..answer_sdp(HELD) };
    stand.alice.agent.progress(now, incoming, 183, &options).unwrap();
    stand.exchange();
    let progress = stand.peer.take("183 INVITE");
    if acknowledged {
        let rack = format!("{} {}", progress.value("rseq"), invite.get("CSeq"));
        let prack = stand.peer.request("PRACK").with("RAck", rack);
        stand.say(prack);
        stand.peer.take("200 PRACK");
    }
    stand.alice.incoming = Some(incoming);
    invite
}

/// RFC 6141 §3.8: a change that was executed stays, so the cancelled re-INVITE is answered 200;
/// one that was not gets 487.
#[test]
fn what_was_executed_is_not_cancelled() {
    for (executed, status, pair) in [(true, "200 INVITE", (HOLD, HELD)), (false, "487 INVITE", (OFFER, ANSWER))] {
        let mut stand = Stand::peer_called();
        let invite = answered_reliably(&mut stand, executed);
        let cancel = stand.peer.cancel(&invite);
        stand.say(cancel);
        assert_eq!(stand.peer.got(), ["200 CANCEL", status]);
        assert_eq!(stand.alice.count(EventKind::Cancel), 1);
        let done = stand.peer.take(status);
        let ack = stand.peer.ack(&invite, &done);
        stand.say(ack);
        assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (pair.0.to_owned(), pair.1.to_owned())));
    }
}

/// ... and where the host never gives its final answer the default is 200 likewise (RFC 6141 §3.3).
#[test]
fn what_was_executed_is_accepted_in_the_end() {
    let mut stand = Stand::peer_called();
    let invite = answered_reliably(&mut stand, true);
    stand.advance(seconds(181));
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    assert_eq!((stand.alice.state(), descriptions(&stand)), (GOOD, (HOLD.to_owned(), HELD.to_owned())));
}
