//! RFC 3264 and RFC 6337: each pattern in a call, each way in which its answer never comes,
//! and what is no offer at all.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::{Agent, Body, EventKind, Reason, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::Now;

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

/// Both sides hold this pair.
#[track_caller]
fn agree(pair: &Pair, offer: &str, answer: &str) {
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        let content =
            |body: Option<&sipdlg::session::offer_answer::StoredBody>| body.map(|body| body.content().to_vec());
        assert_eq!(party.state(), GOOD, "{}", party.name);
        assert_eq!(content(session.offer()).as_deref(), Some(offer.as_bytes()), "{}", party.name);
        assert_eq!(content(session.answer()).as_deref(), Some(answer.as_bytes()), "{}", party.name);
    }
}

/// Pattern 1, offer in INVITE, answer in 2xx: initial, then established, from either side.
#[test]
fn pattern_1() {
    let mut pair = Pair::confirmed();
    agree(&pair, OFFER, ANSWER);
    pair.bob.answers(EventKind::Reinvite, HELD);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    agree(&pair, HOLD, HELD);
    pair.alice.answers(EventKind::Reinvite, ANSWER);
    pair.bob.reinvite(OFFER);
    pair.exchange();
    agree(&pair, OFFER, ANSWER);
}

/// Pattern 2, offer in 2xx, answer in ACK: initial, then established, from either side.
#[test]
fn pattern_2() {
    let mut pair = Pair::new();
    pair.bob.rings_and_answers(OFFER);
    pair.alice.answers_in_ack(ANSWER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    agree(&pair, OFFER, ANSWER);
    pair.bob.answers(EventKind::Reinvite, HOLD);
    pair.alice.answers_in_ack(HELD);
    pair.alice.reinvite("");
    pair.exchange();
    agree(&pair, HOLD, HELD);
    pair.alice.answers(EventKind::Reinvite, OFFER);
    pair.bob.answers_in_ack(ANSWER);
    pair.bob.reinvite("");
    pair.exchange();
    agree(&pair, OFFER, ANSWER);
}

/// No answer in the 2xx to the first offer: there is no session to go back to, so ACK and BYE.
#[test]
fn no_answer_in_the_first_2xx_ends_the_call() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, "");
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::NoAnswerIn2xx);
}

/// No answer in the first ACK: the same at the callee.
#[test]
fn no_answer_in_the_first_ack_ends_the_call() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, OFFER);
    let invite = stand.peer.request("INVITE");
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Ack).reason, Reason::NoAnswerIn2xx);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::NoAnswerIn2xx);
}

/// No ACK at all to a 2xx that offers: BYE after 64*T1.
#[test]
fn no_ack_to_the_first_offer_ends_the_call() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, OFFER);
    let invite = stand.peer.request("INVITE");
    stand.say(invite);
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    stand.advance(seconds(33));
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::AckTimeout);
}

/// A final response other than 2xx to an offer: Initial again with the early dialog's end, or the former pair.
#[test]
fn a_rejected_offer_is_as_if_never_made() {
    let mut pair = Pair::confirmed();
    pair.alice.reinvite(HOLD);
    pair.flush();
    assert_eq!(pair.alice.state().1, SignalingState::HaveLocalOffer);
    pair.exchange();
    agree(&pair, OFFER, ANSWER);
    let mut pair = Pair::new();
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [486]);
}

/// The host never answers theirs: the default refuses, and the offer is gone.
#[test]
fn an_offer_that_the_host_never_answers_is_refused() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.advance(seconds(181));
    assert_eq!(pair.alice.statuses(EventKind::Reject), [488]);
    agree(&pair, OFFER, ANSWER);
}

/// RFC 3264 §4: no second offer of ours while one is open, whoever opened it;
/// refused with nothing sent and nothing changed.
#[test]
fn a_second_offer_is_refused_while_one_is_open() {
    // Ours, in a re-INVITE; then theirs, in one; then ours, in a 2xx that waits for its ACK.
    type Opening = fn(&mut Stand);
    let openings: [(Opening, SignalingState); 3] = [
        (
            |stand| {
                stand.alice.reinvite(HOLD);
                stand.exchange();
            },
            SignalingState::HaveLocalOffer,
        ),
        (
            |stand| {
                stand.alice.hold(EventKind::Reinvite);
                let invite = stand.peer.request("INVITE").sdp(HOLD);
                stand.say(invite);
            },
            SignalingState::HaveRemoteOffer,
        ),
        (
            |stand| {
                stand.alice.answers(EventKind::Reinvite, HOLD);
                let invite = stand.peer.request("INVITE");
                stand.say(invite);
            },
            SignalingState::HaveLocalOffer,
        ),
    ];
    for (open, state) in openings {
        let mut stand = Stand::peer_called();
        open(&mut stand);
        stand.peer.inbox.clear();
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let before = stand.alice.agent.session(session).unwrap().local_sequence_number();
        let refused = stand.alice.agent.reinvite(now, session, with_sdp(OFFER)).unwrap_err();
        assert_eq!((refused.kind, refused.detail.contains("RFC 3261 14.1")), (ErrorKind::State, true), "{refused:?}");
        stand.exchange();
        assert_eq!(stand.peer.got(), Vec::<String>::new());
        assert_eq!(stand.alice.state().1, state);
        assert_eq!(stand.alice.agent.session(session).unwrap().local_sequence_number(), before);
    }
}

const TEXT: &[u8] = b"text/plain";

/// A body that is no session description never touches the state: by its type, or by its disposition.
#[test]
fn what_is_no_description_is_no_offer() {
    let bodies = [
        Body { content: b"hello", content_type: Some(TEXT), disposition: None },
        Body { content: HOLD.as_bytes(), content_type: None, disposition: Some(b"render") },
    ];
    for body in bodies {
        let mut pair = Pair::confirmed();
        let (now, session) = (pair.alice.now(), pair.alice.session());
        let options = || RequestOptions { body: Some(body), ..RequestOptions::default() };
        pair.alice.agent.info(now, session, options()).unwrap();
        pair.exchange();
        agree(&pair, OFFER, ANSWER);
        pair.bob.answers(EventKind::Reinvite, HOLD);
        pair.alice.answers_in_ack(HELD);
        pair.alice.agent.reinvite(now, session, options()).unwrap();
        pair.flush();
        assert_eq!(pair.alice.state(), GOOD, "no offer of ours");
        pair.exchange();
        if body.disposition.is_some() {
            agree(&pair, HOLD, HELD);
        } else {
            // A text is nothing that an INVITE's body may be (RFC 3261 §8.2.3).
            assert_eq!(pair.alice.statuses(EventKind::Reject), [469, 415]);
            agree(&pair, OFFER, ANSWER);
        }
    }
}

/// An SDP in a request that carries no offers (INFO) is the application's.
#[test]
fn an_sdp_in_an_info_is_none_of_the_sessions() {
    let mut pair = Pair::confirmed();
    let (now, session) = (pair.alice.now(), pair.alice.session());
    pair.alice.agent.info(now, session, with_sdp(HOLD)).unwrap();
    pair.flush();
    assert_eq!(pair.alice.state(), GOOD);
    pair.exchange();
    agree(&pair, OFFER, ANSWER);
}

fn multipart(sdp: &str) -> Vec<u8> {
    format!(
        "preamble\r\n--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n--cut\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n--cut--\r\n"
    )
    .into_bytes()
}

const MULTIPART: &[u8] = b"multipart/mixed;boundary=cut";

/// The session part of a multipart body is the offer, and the answer, in both directions.
#[test]
fn the_session_part_of_a_multipart_body_counts() {
    let mut pair = Pair::confirmed();
    pair.bob.on(EventKind::Reinvite, |agent: &mut Agent, now: Now, event| {
        let offer = event.message.as_ref().and_then(|message| message.session_body()).expect("the session part");
        assert_eq!(offer.content, HOLD.as_bytes());
        let content = multipart(HELD);
        let body = Body { content: &content, content_type: Some(MULTIPART), disposition: None };
        let options = ResponseOptions { body: Some(body), ..ResponseOptions::default() };
        agent.accept(now, event.incoming.expect("an INVITE"), 200, &options).expect("the answer is in it");
    });
    let content = multipart(HOLD);
    let body = Body { content: &content, content_type: Some(MULTIPART), disposition: None };
    let (now, session) = (pair.alice.now(), pair.alice.session());
    let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
    pair.alice.agent.reinvite(now, session, options).unwrap();
    pair.flush();
    assert_eq!(pair.alice.state().1, SignalingState::HaveLocalOffer);
    pair.exchange();
    agree(&pair, HOLD, HELD);
}

/// A multipart without a session part is no answer: refused with nothing sent.
#[test]
fn a_multipart_without_session_part_answers_nothing() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let content = b"--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n--cut--\r\n";
    let body = Body { content, content_type: Some(MULTIPART), disposition: None };
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    let sent = pair.sent();
    let options = ResponseOptions { body: Some(body), ..ResponseOptions::default() };
    let refused = pair.bob.agent.accept(now, incoming, 200, &options).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::State);
    pair.exchange();
    assert_eq!(pair.since(sent), Vec::<String>::new());
    assert_eq!(pair.bob.state().1, SignalingState::HaveRemoteOffer);
    pair.bob.accept(HELD);
    pair.exchange();
    agree(&pair, HOLD, HELD);
}

/// An answer where none is due, an offer where one is there: refused with nothing sent.
#[test]
fn an_ack_must_carry_what_is_due() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::Accept);
    stand.alice.reinvite("");
    stand.exchange();
    stand.peer_replies("INVITE", 200, HOLD);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let text = Body { content: b"hello", content_type: Some(TEXT), disposition: None };
    for options in [RequestOptions::default(), RequestOptions { body: Some(text), ..RequestOptions::default() }] {
        assert_eq!(stand.alice.agent.ack(now, session, &options).unwrap_err().kind, ErrorKind::State);
    }
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    stand.alice.ack(HELD);
    stand.exchange();
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    let again = stand.alice.agent.ack(now, session, &with_sdp(HELD));
    assert_eq!(again.unwrap_err().kind, ErrorKind::State);
    assert_eq!(stand.alice.state(), GOOD);
    let (now, incoming) = (stand.alice.now(), sipdlg::agent::IncomingId::from_raw(1));
    assert!(stand.alice.agent.accept(now, incoming, 200, &answer_sdp(HELD)).is_err(), "no request of theirs waits");
}
