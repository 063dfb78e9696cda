//! Reliable provisional responses where INVITEs, forks and the host's own word cross (RFC 3262, RFC 3261 §13).

use crate::common::by_hand::ByHand;
use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::options::response_flag::RELIABLE;
use sipdlg::agent::{EventKind, Reason, ResponseOptions};
use sipdlg::session::offer_answer::Party;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

fn progress(stand: &mut Stand, status: u16, text: &str, to_tag: Option<&[u8]>) {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let options = ResponseOptions { flags: RELIABLE, to_tag, ..answer_sdp(text) };
    stand.alice.agent.progress(now, incoming, status, &options).expect("legal");
    stand.exchange();
}

fn accept(stand: &mut Stand, text: &str, to_tag: Option<&[u8]>) {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let options = ResponseOptions { to_tag, ..answer_sdp(text) };
    stand.alice.agent.accept(now, incoming, 200, &options).expect("legal");
    stand.exchange();
}

/// The peer's INVITE, held by alice's host.
fn invited(stand: &mut Stand, text: &str) -> Draft {
    stand.alice.hold(EventKind::Invite);
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(text);
    stand.say(invite.clone());
    stand.peer.inbox.retain(|sip| sip.status() != Some(100));
    invite
}

/// The peer's PRACK, which does not change what alice's host holds.
fn prack(stand: &mut Stand, of: &Sip) {
    let rack = format!("{} {} INVITE", of.value("rseq"), of.cseq());
    let (prack, held) = (stand.peer.request("PRACK").with("RAck", rack), stand.alice.incoming);
    stand.say(prack);
    stand.alice.incoming = held;
}

fn acknowledge(stand: &mut Stand, invite: &Draft, response: &Sip) {
    let ack = stand.peer.ack(invite, response);
    stand.say(ack);
}

/// RFC 3262 §3: a PRACK that acknowledges gets a 2xx, though the call ends before the host has given one. One with an
/// offer would need an answer there (§5).
#[test]
fn a_prack_that_waits_for_its_host_is_accepted_when_the_call_ends() {
    for (offer, end, answered) in [
        ("", "CANCEL", "200 PRACK"),
        ("", "hang-up", "200 PRACK"),
        ("", "BYE", "200 PRACK"),
        (HOLD, "CANCEL", "487 PRACK"),
        (HOLD, "hang-up", "487 PRACK"),
    ] {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Prack);
        let invite = invited(&mut stand, OFFER);
        let held = stand.alice.incoming;
        progress(&mut stand, 183, ANSWER, None);
        let ringing = stand.peer.take("183 INVITE");
        stand.peer.learn(&ringing);
        let rack = format!("{} {} INVITE", ringing.value("rseq"), ringing.cseq());
        let prack = stand.peer.request("PRACK").with("RAck", rack);
        stand.say(if offer.is_empty() { prack } else { prack.sdp(offer) });
        stand.alice.incoming = held;
        match end {
            "CANCEL" => {
                let cancel = stand.peer.cancel(&invite);
                stand.say(cancel);
            }
            "BYE" => {
                accept(&mut stand, "", None);
                let ok = stand.peer.take("200 INVITE");
                acknowledge(&mut stand, &invite, &ok);
                let bye = stand.peer.request("BYE");
                stand.say(bye);
            }
            _ => {
                stand.alice.hangup();
                stand.exchange();
            }
        }
        let shorts = stand.peer.got();
        assert!(shorts.iter().any(|short| short == answered), "{end}: {shorts:?}");
        if end != "BYE" {
            let refused = shorts.iter().find(|short| short.ends_with(" INVITE")).expect("a final response").clone();
            let refused = stand.peer.take(&refused);
            acknowledge(&mut stand, &invite, &refused);
        }
    }
}

/// RFC 3262 §3: all of RAck counts. The PRACK of what a refused re-INVITE left says nothing of the next one's.
#[test]
fn a_late_prack_does_not_release_the_2xx_of_the_next_reinvite() {
    let mut stand = Stand::peer_called();
    let first = invited(&mut stand, HOLD);
    progress(&mut stand, 183, HELD, None);
    let left = stand.peer.take("183 INVITE");
    stand.alice.reject(488);
    stand.exchange();
    let refused = stand.peer.take("488 INVITE");
    acknowledge(&mut stand, &first, &refused);

    let second = invited(&mut stand, HOLD);
    progress(&mut stand, 183, HELD, None);
    let waiting = stand.peer.take("183 INVITE");
    accept(&mut stand, "", None);
    prack(&mut stand, &left);
    stand.peer.take("200 PRACK");
    assert!(!stand.peer.got().contains(&"200 INVITE".to_owned()), "the 2xx waits for its own");
    prack(&mut stand, &waiting);
    stand.peer.take("200 PRACK");
    let ok = stand.peer.take("200 INVITE");
    acknowledge(&mut stand, &second, &ok);
    assert_eq!(stand.alice.state(), GOOD);
    // Once is enough for what was left.
    prack(&mut stand, &left);
    stand.peer.take("481 PRACK");
}

/// The 2xx goes out after the answer to the PRACK, whenever the host gives it.
#[test]
fn the_2xx_follows_the_hosts_answer_to_the_prack() {
    let mut stand = Stand::new();
    let invite = invited(&mut stand, OFFER);
    stand.alice.hold(EventKind::Prack);
    progress(&mut stand, 183, ANSWER, None);
    let waiting = stand.peer.take("183 INVITE");
    stand.peer.learn(&waiting);
    accept(&mut stand, "", None);
    prack(&mut stand, &waiting);
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "nothing is repeated, nothing answered");
    let (now, held) = (stand.alice.now(), stand.alice.last(EventKind::Prack).incoming.expect("a request"));
    stand.alice.agent.accept(now, held, 200, &ResponseOptions::default()).expect("200");
    stand.exchange();
    assert_eq!(stand.peer.got(), ["200 PRACK", "200 INVITE"]);
    let ok = stand.peer.take("200 INVITE");
    acknowledge(&mut stand, &invite, &ok);
    assert_eq!(stand.alice.state(), GOOD);
}

/// The dialog whose 2xx was held ends, another of the INVITE lives: the INVITE has its time to be answered again.
#[test]
fn an_acceptance_that_dies_with_its_fork_leaves_the_invite_its_time() {
    let mut stand = Stand::new();
    // The host speaks for two callees here, as a proxy would show them.
    stand.wire.trace.allowed.extend(["response-to-tag", "reliable-timeout"]);
    invited(&mut stand, OFFER);
    progress(&mut stand, 183, ANSWER, Some(b"one"));
    progress(&mut stand, 180, "", Some(b"two"));
    let two = stand.peer.take("180 INVITE");
    stand.peer.learn(&two);
    prack(&mut stand, &two);
    stand.peer.take("200 PRACK");
    accept(&mut stand, "", Some(b"one"));
    stand.advance(seconds(33));
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::PrackTimeout);
    assert!(!stand.peer.got().iter().any(|got| got.ends_with("200 INVITE") || got.starts_with("504")));
    stand.advance(seconds(180));
    assert!(stand.peer.got().contains(&"480 INVITE".to_owned()), "{:?}", stand.peer.got());
    assert_eq!(stand.alice.count(EventKind::Terminated), 2);
}

/// What the host told by hand before is not told twice by the response.
#[test]
fn an_answer_told_by_hand_is_no_new_offer_in_the_response() {
    let mut stand = Stand::new();
    let invite = invited(&mut stand, OFFER);
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let session = stand.alice.agent.session_for_invite(now, incoming).expect("a session");
    stand.alice.agent.transition(now, session, Party::Local, sdp(ANSWER)).expect("the answer");
    progress(&mut stand, 183, ANSWER, None);
    assert_eq!(stand.alice.agent.session(session).unwrap().signaling_state(), SignalingState::Stable);
    let waiting = stand.peer.take("183 INVITE");
    stand.peer.learn(&waiting);
    prack(&mut stand, &waiting);
    accept(&mut stand, "", None);
    let ok = stand.peer.take("200 INVITE");
    acknowledge(&mut stand, &invite, &ok);
    assert_eq!(stand.alice.state(), GOOD);
    let open = stand.alice.agent.session(session).unwrap().open_offer();
    assert_eq!(open, None);
}

/// A PRACK that could not be sent is the host's to send again: the transport failed, not the dialog.
#[test]
fn a_prack_that_could_not_be_sent_may_be_sent_again() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let offer = stand.peer.reply(&invite, 183).reliable(1).sdp(OFFER);
    stand.say(offer);
    let mut left = 1;
    stand.wire.fail = Some(Box::new(move |_, sip| {
        let hit = left > 0 && sip.method() == "PRACK";
        left -= i32::from(hit);
        hit
    }));
    let with_answer = || sipdlg::agent::RequestOptions { body: sdp(ANSWER), ..Default::default() };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.prack(now, session, with_answer()).expect("the answer is due");
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
    let now = stand.alice.now();
    stand.alice.agent.prack(now, session, with_answer()).expect("once more");
    stand.exchange();
    let again = stand.peer_replies("PRACK", 200, "");
    assert_eq!(again.sdp(), Some(ANSWER));
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Stable));
}

/// RFC 3261 §14.1: a refused re-INVITE that waits is sent again, even if the ACK of its refusal never left.
#[test]
fn an_ack_of_a_491_that_fails_stops_no_retry() {
    let mut pair = Pair::confirmed();
    // A transaction ends when its ACK cannot be sent (RFC 3261 figure 5).
    pair.wire.trace.allowed.push("ack-owed");
    let mut glare = 1;
    pair.bob.on(EventKind::Reinvite, move |agent, now, event| {
        let id = event.incoming.expect("a request");
        if glare > 0 {
            glare -= 1;
            agent.reject(now, id, 491, &ResponseOptions::default()).expect("491");
        } else {
            agent.accept(now, id, 200, &answer_sdp(HELD)).map(drop).expect("200");
        }
    });
    let mut left = 1;
    pair.wire.fail = Some(Box::new(move |party, sip| {
        let hit = left > 0 && party == "alice" && sip.method() == "ACK" && sip.cseq() == 2;
        left -= i32::from(hit);
        hit
    }));
    pair.alice.reinvite(HOLD);
    pair.exchange();
    assert_eq!(pair.alice.count(EventKind::GlareRetry), 1);
    pair.advance(seconds(5));
    assert_eq!(pair.alice.count(EventKind::Reject), 0);
    assert_eq!(pair.alice.statuses(EventKind::Accept).len(), 2);
    let session = pair.alice.agent.session(pair.alice.session()).unwrap();
    assert_eq!(session.answer().unwrap().content(), HELD.as_bytes());
}

/// RFC 3261 §13.2.2.4: every 2xx is acknowledged, also that of a fork which the host confirmed by hand.
#[test]
fn the_2xx_of_a_fork_confirmed_by_hand_is_acknowledged() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    for tag in ["one", "two"] {
        let ringing = stand.peer.reply_as(&invite, 180, tag);
        stand.say(ringing);
    }
    let one = stand.alice.events.iter().find(|event| event.kind == EventKind::Progress).and_then(|event| event.session);
    let now = stand.alice.now();
    stand.alice.agent.confirm_session(now, one.expect("a fork")).expect("early");
    for tag in ["two", "one"] {
        let ok = stand.peer.reply_as(&invite, 200, tag).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some(tag));
    }
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!(bye.to_tag().as_deref(), Some("one"));
}
