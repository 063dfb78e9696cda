//! Reliable provisional responses, the caller's side (RFC 3262 §4, §5): a callee that says what the test writes.

use crate::common::draft::Draft;
use crate::common::network::Side;
use crate::common::pair::{ALICE, BOB, Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::sip::Sip;
use crate::common::wire::Secret;
use crate::common::{ANSWER, HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::{Reason, flag};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{Body, EventKind, OutgoingId, RequestOptions, SessionId};
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};

const NOTHING: [&str; 0] = [];

/// Header lines.
type Lines<'a> = &'a [(&'a str, &'a str)];

/// State, offer and answer.
type Books = (SignalingState, Option<String>, Option<String>);

/// The peer is called; its responses are its own affair.
fn called(text: &'static str) -> (Stand, Sip) {
    called_with(with_sdp(text))
}

fn called_with(options: RequestOptions<'_>) -> (Stand, Sip) {
    let mut stand = Stand::new();
    stand.alice.invite_with(TO_BOB, options);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (stand, invite)
}

/// The wire checker knows alice's password.
fn knows_password(stand: &mut Stand) {
    let [realm, user, password] = ["example.com", "alice", "wonderland"].map(str::to_owned);
    stand.wire.trace.secrets.push(Secret { realm, user, password });
}

/// The host sends every PRACK.
fn manually(text: &'static str) -> (Stand, Sip) {
    called_with(RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(text) })
}

fn reliable(draft: Draft, rseq: u32) -> Draft {
    draft.with("Require", "100rel").with("RSeq", rseq.to_string())
}

/// A reliable response reaches alice.
fn progress(stand: &mut Stand, invite: &Sip, status: u16, rseq: u32, text: &str) {
    let draft = reliable(stand.peer.reply(invite, status), rseq);
    let draft = if text.is_empty() { draft } else { draft.sdp(text) };
    stand.say(draft);
}

/// The peer answers the PRACK that it got.
#[track_caller]
fn answer_prack(stand: &mut Stand, status: u16, text: &str) -> Sip {
    let prack = stand.peer.take("PRACK");
    let draft = stand.peer.reply(&prack, status);
    let draft = if text.is_empty() { draft } else { draft.sdp(text) };
    stand.say(draft);
    prack
}

fn accept(stand: &mut Stand, invite: &Sip, text: &str) {
    let draft = stand.peer.reply(invite, 200);
    let draft = if text.is_empty() { draft } else { draft.sdp(text) };
    stand.say(draft);
}

#[track_caller]
fn prack(stand: &mut Stand, text: &str) -> OutgoingId {
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let outgoing = stand.alice.agent.prack(now, session, with_sdp(text)).expect("a PRACK is legal");
    stand.exchange();
    outgoing
}

/// The PRACK of the host's is refused, and nothing happens.
#[track_caller]
fn refused(stand: &mut Stand, options: RequestOptions<'_>) -> ErrorKind {
    let (now, id) = (stand.alice.now(), stand.alice.session());
    let before = stand.alice.agent.session(id).unwrap().state_text();
    let error = stand.alice.agent.prack(now, id, options).expect_err("the PRACK is not legal");
    stand.exchange();
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.session(id).unwrap().state_text(), before);
    error.kind
}

#[track_caller]
fn books(stand: &Stand) -> Books {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    let text = |body: &sipdlg::session::offer_answer::StoredBody| String::from_utf8_lossy(body.content()).into_owned();
    (session.signaling_state(), session.offer().map(text), session.answer().map(text))
}

fn stable(offer: &str, answer: &str) -> Books {
    (SignalingState::Stable, Some(offer.to_owned()), Some(answer.to_owned()))
}

fn target_of(stand: &Stand) -> String {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    String::from_utf8_lossy(session.remote_target()).into_owned()
}

// -------------------------------------------------------------------- order, RFC 3262 §4

/// §4: RAck from RSeq and CSeq of the response; an ordinary request in the dialog. Pattern 3 of RFC 6337: the answer is in
/// the reliable response, the 2xx needs none.
#[test]
fn a_reliable_183_with_the_answer_is_acknowledged_at_once() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 4_711, ANSWER);
    let prack = answer_prack(&mut stand, 200, "");
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
        let prack = answer_prack(&mut stand, 200, "");
        assert_eq!(prack.value("rack"), format!("{rseq} {} INVITE", invite.cseq()));
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 3]);
}

/// §4: repeats, gaps and what is older are neither acknowledged nor processed.
#[test]
fn repeats_gaps_and_older_ones_are_discarded() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 20, "");
    answer_prack(&mut stand, 200, "");
    for rseq in [20, 22, 19, 1, u32::MAX] {
        stand.peer.contact = format!("sip:elsewhere@{BOB}");
        progress(&mut stand, &invite, 183, rseq, ANSWER);
        assert_eq!(stand.peer.got(), NOTHING, "RSeq {rseq}");
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180]);
    assert_eq!(books(&stand).0, SignalingState::HaveLocalOffer);
    assert_eq!(target_of(&stand), format!("sip:peer@{BOB}"));
    progress(&mut stand, &invite, 183, 21, ANSWER);
    answer_prack(&mut stand, 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// §3: no number follows 2^32-1; a 0 is none.
#[test]
fn the_order_does_not_wrap() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, u32::MAX, "");
    answer_prack(&mut stand, 200, "");
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(stand.peer.got(), NOTHING);
}

/// RFC 3262 erratum 4600: every To tag counts by itself.
#[test]
fn every_early_dialog_has_an_order_of_its_own() {
    let (mut stand, invite) = called(OFFER);
    for (tag, rseq, answer) in [("one", 1, ANSWER), ("two", 500, HELD), ("one", 2, ""), ("two", 501, "")] {
        let draft = reliable(stand.peer.reply_as(&invite, 183, tag), rseq);
        stand.say(if answer.is_empty() { draft } else { draft.sdp(answer) });
        let prack = answer_prack(&mut stand, 200, "");
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
    answer_prack(&mut stand, 200, "");
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
    stand.say(reliable(draft, 1));
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
    assert_eq!(answer_prack(&mut stand, 200, "").uri(), format!("sip:third@{BOB}"));
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
    let second = answer_prack(&mut stand, 200, "");
    assert_eq!((second.value("rack"), second.cseq()), (first.value("rack"), first.cseq() + 1));
    assert!(second.get("proxy-authorization").is_some());
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(answer_prack(&mut stand, 200, "").cseq(), second.cseq() + 1, "one allocator");
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
    answer_prack(&mut stand, 200, "");
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let draft = stand.peer.reply(&invite, 401).with("WWW-Authenticate", challenge);
    stand.say(draft);
    let again = stand.peer.take("INVITE");
    stand.peer.local_tag = "later".to_owned();
    progress(&mut stand, &again, 183, 3, HELD);
    let prack = answer_prack(&mut stand, 200, "");
    assert_eq!((prack.value("rack"), prack.cseq()), (&*format!("3 {} INVITE", again.cseq()), again.cseq() + 1));
    assert_eq!(books(&stand), stable(OFFER, HELD));
}

// -------------------------------------------------------------------- descriptions, RFC 3262 §5, RFC 6337

/// Pattern 3: after a reliable answer later descriptions mean nothing.
#[test]
fn descriptions_after_a_complete_exchange_are_ignored() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    answer_prack(&mut stand, 200, HOLD);
    progress(&mut stand, &invite, 183, 2, HELD);
    answer_prack(&mut stand, 200, "");
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    accept(&mut stand, &invite, HELD);
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(stand.alice.last(EventKind::Accept).flags, 0);
}

/// A preview does not complete the exchange, a reliable response after it does; what the preview showed stays the answer (RFC
/// 3261 §13.2.1).
#[test]
fn a_reliable_response_closes_the_exchange_that_a_preview_left_open() {
    let (mut stand, invite) = called(OFFER);
    let preview = stand.peer.reply(&invite, 183).sdp(HELD);
    stand.say(preview);
    assert_eq!(books(&stand), stable(OFFER, HELD));
    let open = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().signaling.open_offer();
    assert!(open(&stand).is_some());
    progress(&mut stand, &invite, 183, 1, ANSWER);
    answer_prack(&mut stand, 200, "");
    assert!(open(&stand).is_none());
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, HELD));
}

/// Pattern 4: INVITE without offer; it comes in the reliable response, its answer is in the PRACK.
#[test]
fn an_offer_in_a_reliable_response_is_answered_in_its_prack() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 30, OFFER);
    let event = stand.alice.last(EventKind::Progress);
    assert_eq!(event.flags, flag::RELIABLE | flag::NEEDS_PRACK);
    assert_eq!(event.signaling_state, SignalingState::HaveRemoteOffer);
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State, "the answer belongs into it");
    let outgoing = prack(&mut stand, ANSWER);
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    let prack = answer_prack(&mut stand, 200, "");
    assert_eq!((prack.value("rack"), prack.sdp()), (&*format!("30 {} INVITE", invite.cseq()), Some(ANSWER)));
    let told = stand.alice.last(EventKind::Accept);
    assert_eq!((told.outgoing, told.status_code), (Some(outgoing), 200), "a PRACK of the host's tells its fate");
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert_eq!(refused(&mut stand, with_sdp(ANSWER)), ErrorKind::State, "none waits any more");
}

/// Reliable responses without a description go on by themselves beside the one that waits for its answer.
#[test]
fn the_offer_may_come_in_a_later_reliable_response() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 180, 1, "");
    answer_prack(&mut stand, 200, "");
    progress(&mut stand, &invite, 183, 2, OFFER);
    assert_eq!(stand.peer.got(), NOTHING);
    progress(&mut stand, &invite, 180, 3, HOLD);
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), "3 1 INVITE");
    prack(&mut stand, ANSWER);
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), "2 1 INVITE");
    assert_eq!(books(&stand), stable(OFFER, ANSWER), "the second description was none of the exchange");
}

/// Pattern 5: a further offer in the PRACK, answered in its 2xx.
#[test]
fn a_prack_may_carry_a_further_offer() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    assert_eq!(stand.alice.last(EventKind::Progress).flags, flag::RELIABLE | flag::NEEDS_PRACK);
    prack(&mut stand, HOLD);
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    let prack = answer_prack(&mut stand, 200, HELD);
    assert_eq!((prack.value("rack"), prack.sdp()), ("1 1 INVITE", Some(HOLD)));
    assert_eq!(stand.alice.last(EventKind::Accept).signaling_state, SignalingState::Stable);
    assert_eq!(books(&stand), stable(HOLD, HELD));
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// A description in an unreliable response shows no answer to the offer in a PRACK.
#[test]
fn an_unreliable_description_is_no_answer_to_the_offer_in_prack() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let preview = stand.peer.reply(&invite, 183).sdp(ANSWER);
    stand.say(preview);
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    answer_prack(&mut stand, 200, HELD);
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// The 2xx of the INVITE overtakes that of the PRACK with the offer.
#[test]
fn the_2xx_of_the_invite_may_overtake_that_of_the_prack() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let prack = stand.peer.take("PRACK");
    accept(&mut stand, &invite, "");
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::HaveLocalOffer));
    let ok = stand.peer.reply(&prack, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(books(&stand), stable(HOLD, HELD));
    assert_eq!(stand.peer.got(), NOTHING, "no BYE");
}

/// RFC 6337 §2.3: 488 to a PRACK with an offer: as if never made; the response is acknowledged without.
#[test]
fn a_refused_offer_in_prack_is_rolled_back_and_the_prack_sent_again_without() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    let first = prack(&mut stand, HOLD);
    answer_prack(&mut stand, 488, "");
    let told = stand.alice.last(EventKind::Reject);
    assert_eq!((told.outgoing, told.status_code, told.signaling_state), (Some(first), 488, SignalingState::Stable));
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(stand.alice.state().0, SessionState::Early);
    prack(&mut stand, "");
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), "1 1 INVITE");
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State);
}

/// A 2xx to a PRACK with an offer that answers nothing: as if the offer had never been.
#[test]
fn an_offer_in_prack_that_nobody_answers_is_rolled_back() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    answer_prack(&mut stand, 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// An answer that the callee does not take: the offer is open again, and so is the PRACK.
#[test]
fn a_refused_answer_in_prack_may_be_given_again() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    prack(&mut stand, HELD);
    answer_prack(&mut stand, 500, "");
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(OFFER.to_owned()), None));
    prack(&mut stand, ANSWER);
    answer_prack(&mut stand, 200, "");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// RFC 3264 §4: no offer while one is open.
#[test]
fn no_offer_in_prack_before_the_first_exchange_is_complete() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State);
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
    let (mut stand, invite) = manually("");
    progress(&mut stand, &invite, 180, 1, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State, "the first offer is the callee's");
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
}

/// ... nor before the PRACK with the answer, or with an offer, was answered.
#[test]
fn no_offer_in_prack_while_another_prack_with_a_description_is_under_way() {
    let (mut stand, invite) = manually("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    prack(&mut stand, ANSWER);
    let first = stand.peer.take("PRACK");
    progress(&mut stand, &invite, 180, 2, "");
    assert_eq!(refused(&mut stand, with_sdp(HOLD)), ErrorKind::State);
    let ok = stand.peer.reply(&first, 200);
    stand.say(ok);
    prack(&mut stand, HOLD);
    let second = stand.peer.take("PRACK");
    progress(&mut stand, &invite, 180, 3, "");
    assert_eq!(refused(&mut stand, with_sdp(HELD)), ErrorKind::State);
    let ok = stand.peer.reply(&second, 200).sdp(HELD);
    stand.say(ok);
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// A body that is no session description is none of offer and answer.
#[test]
fn a_body_that_is_no_description_is_not_the_answer() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    let body = Body { content: b"hello", content_type: Some(b"text/plain"), disposition: None };
    let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
    assert_eq!(refused(&mut stand, options), ErrorKind::State);
    prack(&mut stand, ANSWER);
    answer_prack(&mut stand, 200, "");
}

/// RFC 3262 §3 forbids it, but a 2xx comes while its offer waits: nobody will answer that offer; the call stands.
#[test]
fn a_2xx_that_comes_while_the_offer_waits_brings_the_offer_again() {
    let (mut stand, invite) = called("");
    stand.alice.hold(EventKind::Accept);
    progress(&mut stand, &invite, 183, 1, OFFER);
    accept(&mut stand, &invite, HOLD);
    assert_eq!(stand.alice.last(EventKind::Accept).flags, flag::NEEDS_ACK);
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(HOLD.to_owned()), None));
    stand.alice.ack(HELD);
    stand.exchange();
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!(books(&stand), stable(HOLD, HELD));
    assert_eq!(refused(&mut stand, with_sdp(ANSWER)), ErrorKind::State);
}

// -------------------------------------------------------------------- the host's PRACK

#[test]
fn with_manual_prack_the_host_acknowledges_the_oldest() {
    let (mut stand, invite) = manually(OFFER);
    for rseq in [1, 2] {
        progress(&mut stand, &invite, 180, rseq, "");
        assert_eq!(stand.alice.last(EventKind::Progress).flags, flag::RELIABLE | flag::NEEDS_PRACK);
    }
    assert_eq!(stand.peer.got(), NOTHING);
    for rseq in [1, 2] {
        prack(&mut stand, "");
        assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), format!("{rseq} 1 INVITE"));
    }
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State);
}

#[test]
fn the_configuration_may_leave_every_prack_to_the_host() {
    let mut config = config("alice");
    config.manual_prack = true;
    let mut stand = Stand::with(config);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    assert_eq!(stand.peer.got(), NOTHING);
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
}

/// RAck is the library's; a right one is taken, another refused.
#[test]
fn a_rack_of_the_host_has_to_be_right() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 6, "");
    for wrong in ["RAck: 7 1 INVITE", "RAck: 6 2 INVITE", "RAck: 6 1 invite", "RAck: x", "rack: 6 1"] {
        let options = RequestOptions { headers: vec![wrong.as_bytes()], ..RequestOptions::default() };
        assert_eq!(refused(&mut stand, options), ErrorKind::Header, "{wrong}");
    }
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let headers: Vec<&[u8]> = vec![b"RAck: 6 1 INVITE", b"X-Host: yes"];
    let options = RequestOptions { headers, ..RequestOptions::default() };
    stand.alice.agent.prack(now, session, options).expect("it is right");
    stand.exchange();
    let prack = answer_prack(&mut stand, 200, "");
    assert_eq!((prack.all("rack"), prack.value("x-host")), (vec!["6 1 INVITE"], "yes"));
}

/// However many provisional responses the host has not looked at: what it has to acknowledge is told.
#[test]
fn the_event_of_a_response_that_waits_is_not_replaced() {
    let (mut stand, invite) = manually(OFFER);
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(ALICE.parse().unwrap()), Some(BOB.parse().unwrap())) };
    let now = stand.alice.now();
    let (peer, trace, at) = (stand.peer.number(), &mut stand.wire.trace, stand.wire.now);
    // All at once: the host does not look at events in between.
    let mut arrives = |draft: Draft| {
        let number = trace.sent(at, peer, ALICE.parse().unwrap(), draft.text().into_bytes().into(), false);
        trace.delivered(at, number);
        stand.alice.agent.receive(now, &flow, draft.text().as_bytes()).expect("a datagram");
    };
    let ringing = stand.peer.reply(&invite, 180);
    for _ in 0..20 {
        arrives(ringing.clone());
    }
    arrives(reliable(stand.peer.reply(&invite, 183), 1));
    for _ in 0..20 {
        arrives(ringing.clone());
    }
    stand.exchange();
    let flags: Vec<_> =
        stand.alice.events.iter().filter(|event| event.status_code == 183).map(|event| event.flags).collect();
    assert_eq!(flags, [flag::RELIABLE | flag::NEEDS_PRACK]);
    assert!(stand.alice.count(EventKind::Progress) < 20, "the others replace each other");
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
}

/// What the host does not acknowledge is bounded: beyond, responses are not taken, and come again.
#[test]
fn only_some_responses_wait_for_the_host() {
    let (mut stand, invite) = manually(OFFER);
    stand.wire.trace.allowed.push("prack-owed");
    for rseq in 1..=20 {
        progress(&mut stand, &invite, 180, rseq, "");
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 8]);
    prack(&mut stand, "");
    answer_prack(&mut stand, 200, "");
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 9]);
}

/// ... and so are PRACKs without answer.
#[test]
fn only_some_pracks_are_under_way() {
    let (mut stand, invite) = called(OFFER);
    for rseq in 1..=20 {
        progress(&mut stand, &invite, 180, rseq, "");
    }
    assert_eq!(stand.peer.got(), ["PRACK"; 8]);
    answer_prack(&mut stand, 200, "");
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(stand.peer.got(), ["PRACK"; 8]);
    while !stand.peer.got().is_empty() {
        answer_prack(&mut stand, 200, "");
    }
    stand.wire.trace.allowed.push("prack-owed");
}

/// A host that never acknowledges: the callee gives up after 64*T1 with a 5xx (§3), which ends the call.
#[test]
fn a_response_that_the_host_forgets_ends_with_the_callees_patience() {
    let (mut stand, invite) = called("");
    stand.wire.trace.allowed.push("prack-owed");
    progress(&mut stand, &invite, 183, 1, OFFER);
    stand.advance(seconds(32));
    assert_eq!(stand.peer.got(), NOTHING, "nothing goes out by itself");
    let sorry = stand.peer.reply(&invite, 504);
    stand.say(sorry);
    stand.peer.take("ACK");
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code), (Reason::Rejected, 504));
}

// -------------------------------------------------------------------- a PRACK that fails

/// RFC 5057, RFC 3261 §12.2.1.2: 481 ends the usage; the caller may leave an early dialog by BYE (§15), the INVITE goes on
/// for other forks.
#[test]
fn a_481_to_a_prack_ends_its_early_dialog() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply_as(&invite, 180, "other");
    stand.say(ringing);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    answer_prack(&mut stand, 481, "");
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.to_tag(), Some(stand.peer.local_tag.clone()));
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code), (Reason::DialogGone, 481));
    assert_eq!(stand.alice.count(EventKind::Reject), 0, "the automatic PRACK is silent");
    let ok = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("other"));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// A PRACK that nobody answers.
#[test]
fn a_prack_that_times_out_ends_its_early_dialog() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    stand.advance(ms(31_900));
    assert_eq!(stand.alice.state().0, SessionState::Early);
    assert!(stand.peer.got().iter().all(|short| short == "PRACK"));
    stand.advance(ms(200));
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
}

/// A failure that means the PRACK alone leaves the dialog; the host's may be sent again.
#[test]
fn a_503_to_a_prack_means_the_prack_alone() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    prack(&mut stand, "");
    answer_prack(&mut stand, 503, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
    assert_eq!(stand.alice.state().0, SessionState::Early);
    prack(&mut stand, "");
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), "1 1 INVITE");
}

/// The INVITE has its 2xx meanwhile: the session is confirmed, and a PRACK that was never answered ends it.
#[test]
fn a_prack_that_fails_after_the_2xx_ends_the_session() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    let prack = stand.peer.take("PRACK");
    accept(&mut stand, &invite, ANSWER);
    stand.peer.take("ACK");
    let gone = stand.peer.reply(&prack, 481);
    stand.say(gone);
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
}

// -------------------------------------------------------------------- the end

/// RFC 3261 §9.1: the CANCEL does not touch the dialog; what comes before its 487 is acknowledged.
#[test]
fn reliable_responses_are_acknowledged_after_a_cancel() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    answer_prack(&mut stand, 200, "");
    stand.alice.hangup();
    stand.exchange();
    let cancel = stand.peer.take("CANCEL");
    let ok = stand.peer.reply(&cancel, 200);
    stand.say(ok);
    progress(&mut stand, &invite, 183, 2, ANSWER);
    answer_prack(&mut stand, 200, "");
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 5407 §2: an early dialog that was ended by BYE sends nothing new.
#[test]
fn a_dialog_that_was_left_acknowledges_nothing() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    answer_prack(&mut stand, 200, "");
    let session: SessionId = stand.alice.session();
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    progress(&mut stand, &invite, 183, 2, ANSWER);
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    progress(&mut stand, &invite, 183, 3, ANSWER);
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.prack(stand.alice.now(), session, with_sdp("")).unwrap_err().kind, ErrorKind::Stale);
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
}

/// A session that the host forgot; its PRACK under way ends unheard.
#[test]
fn a_session_may_be_disposed_while_its_prack_is_under_way() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.dispose_session(now, session).expect("it lives");
    stand.exchange();
    answer_prack(&mut stand, 200, HELD);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
    let gone = stand.peer.reply(&invite, 486);
    stand.say(gone);
    stand.peer.take("ACK");
}

// -------------------------------------------------------------------- re-INVITE

/// The peer's response to alice's re-INVITE.
#[track_caller]
fn reinvited(text: &'static str) -> (Stand, Sip) {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(text);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    (stand, invite)
}

/// Pattern 3 in a re-INVITE, with an order of its own; RFC 6141 §4: the target moves with the reliable response.
#[test]
fn a_reliable_response_to_a_reinvite_is_acknowledged() {
    let (mut stand, invite) = reinvited(HOLD);
    stand.peer.contact = format!("sip:moved@{BOB}");
    progress(&mut stand, &invite, 183, 77, HELD);
    let prack = answer_prack(&mut stand, 200, "");
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
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), format!("5 {} INVITE", again.cseq()));
    accept(&mut stand, &again, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
}

/// Pattern 4 in a re-INVITE.
#[test]
fn a_reinvite_without_offer_gets_it_in_a_reliable_response() {
    let (mut stand, invite) = reinvited("");
    progress(&mut stand, &invite, 183, 1, HOLD);
    assert_eq!(books(&stand), (SignalingState::HaveRemoteOffer, Some(HOLD.to_owned()), None));
    prack(&mut stand, HELD);
    assert_eq!(answer_prack(&mut stand, 200, "").sdp(), Some(HELD));
    accept(&mut stand, &invite, "");
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// RFC 3261 §14.1, RFC 6337 §3.4: a re-INVITE that fails leaves the session as it was, even after exchanges were complete.
/// RFC 6141 §4.4: the target stays where the reliable response has moved it.
#[test]
fn a_reinvite_that_fails_after_its_exchange_is_undone() {
    for further in ["", "a=further\r\n"] {
        let (mut stand, invite) = {
            let mut stand = Stand::alice_called();
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let options = RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(HOLD) };
            stand.alice.agent.reinvite(now, session, options).expect("a re-INVITE is legal");
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            (stand, invite)
        };
        stand.peer.contact = format!("sip:moved@{BOB}");
        progress(&mut stand, &invite, 183, 1, HELD);
        prack(&mut stand, further);
        answer_prack(&mut stand, 200, further);
        let no = stand.peer.reply(&invite, 488);
        stand.say(no);
        stand.peer.take("ACK");
        assert_eq!(books(&stand), stable(OFFER, ANSWER));
        assert_eq!(target_of(&stand), format!("sip:moved@{BOB}"));
        assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    }
}

/// The same with an offer that nobody has answered yet.
#[test]
fn a_reinvite_that_fails_while_its_offer_waits_is_undone() {
    let (mut stand, invite) = reinvited("");
    progress(&mut stand, &invite, 183, 1, HOLD);
    let no = stand.peer.reply(&invite, 500);
    stand.say(no);
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(refused(&mut stand, with_sdp(HELD)), ErrorKind::State);
}

/// RFC 3261 §22.2: a 401 after the exchange: the re-INVITE goes out again with its offer, which is open again.
#[test]
fn a_reinvite_that_is_challenged_after_its_exchange_begins_anew() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    accept(&mut stand, &invite, ANSWER);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let first = stand.peer.take("INVITE");
    progress(&mut stand, &first, 183, 10, ANSWER);
    answer_prack(&mut stand, 200, "");
    assert_eq!(books(&stand), stable(HOLD, ANSWER));
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let draft = stand.peer.reply(&first, 401).with("WWW-Authenticate", challenge);
    stand.say(draft);
    let again = stand.peer.take("INVITE");
    assert_eq!(again.sdp(), Some(HOLD));
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    progress(&mut stand, &again, 183, 4, HELD);
    assert_eq!(answer_prack(&mut stand, 200, "").value("rack"), format!("4 {} INVITE", again.cseq()));
    accept(&mut stand, &again, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}

/// RFC 5057: the PRACK of a re-INVITE belongs to the INVITE usage.
#[test]
fn a_408_to_the_prack_of_a_reinvite_ends_the_session() {
    let (mut stand, invite) = reinvited(HOLD);
    progress(&mut stand, &invite, 183, 1, HELD);
    answer_prack(&mut stand, 408, "");
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
}

// -------------------------------------------------------------------- the guard alone

/// For stacks that use it alone.
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
