//! UPDATE of both sides, early and confirmed (RFC 3311, RFC 6337 pattern 6).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, reliable, with_sdp};
use crate::common::reliable_callee::{called, progress};
use crate::common::reliable_caller;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::event::{Reason, flag};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
const MOVED: &str = "<sip:peer@192.0.2.2:5099>";

#[track_caller]
fn books(party: &crate::common::party::Party) -> [String; 2] {
    let session = party.agent.session(party.session()).expect("it lives");
    [session.offer(), session.answer()]
        .map(|body| body.map_or_else(String::new, |body| String::from_utf8_lossy(body.content()).into_owned()))
}

/// Pattern 6, in both directions.
#[test]
fn an_offer_is_answered_in_the_2xx() {
    for bob_asks in [false, true] {
        let mut pair = Pair::confirmed();
        let (asks, answers) = match bob_asks {
            true => (&mut pair.bob, &mut pair.alice),
            false => (&mut pair.alice, &mut pair.bob),
        };
        answers.answers(EventKind::Update, HELD);
        asks.update(HOLD);
        assert_eq!(asks.state().1, SignalingState::HaveLocalOffer);
        pair.exchange();
        let from = if bob_asks { "bob" } else { "alice" };
        assert_eq!(pair.since(4)[0], format!("{from} UPDATE"));
        assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
        assert_eq!(
            (books(&pair.alice), books(&pair.bob)),
            ([HOLD, HELD].map(Into::into), [HOLD, HELD].map(Into::into))
        );
        let asks = if bob_asks { &pair.bob } else { &pair.alice };
        assert_eq!(asks.statuses(EventKind::Accept).last(), Some(&200));
    }
}

/// §5.1, §5.2: what a request and its 2xx say.
#[test]
fn it_says_where_we_are_and_what_we_can() {
    let mut stand = Stand::alice_called();
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    assert!(update.contact().is_some() && update.sdp().is_none());
    assert!(update.all("allow").contains(&"UPDATE"));
    assert!(!update.all("require").contains(&"100rel"), "RFC 3262 §4: in INVITE only");
    let ok = stand.peer.reply(&update, 200);
    stand.say(ok);
    stand.peer.cseq = 100;
    let update = stand.peer.request("UPDATE");
    stand.say(update);
    let ok = stand.peer.take("200 UPDATE");
    assert!(ok.contact().is_some() && ok.sdp().is_none());
    assert!(ok.all("allow").contains(&"UPDATE"));
}

/// §5.1: an UPDATE is none of the INVITEs that need 100rel.
#[test]
fn no_update_requires_100rel() {
    let mut config = config("alice");
    config.reliable = sipdlg::config::Policy::Required;
    let mut stand = Stand::with(config);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    stand.peer.take("ACK");
    stand.alice.update("");
    stand.exchange();
    assert_eq!(stand.peer_replies("UPDATE", 200, "").all("require"), NOTHING);
}

/// §5.1: before the exchange is complete by reliable responses and PRACK no offer goes out, an UPDATE without one does.
#[test]
fn an_early_caller_offers_after_the_reliable_answer() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3264 4)"));
    stand.alice.update("");
    stand.exchange();
    stand.peer_replies("UPDATE", 200, "");
    let shown = stand.peer.reply(&invite, 183).sdp(ANSWER);
    stand.say(shown);
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3264 4)"), "RFC 6337 §3.1.1: shown is not answered");
    progress(&mut stand, &invite, 183, 1, ANSWER);
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"), "RFC 6337 §3.1: the PRACK has no 2xx");
    stand.peer_replies("PRACK", 200, "");
    stand.alice.update(HOLD);
    stand.exchange();
    stand.peer_replies("UPDATE", 200, HELD);
    assert_eq!(books(&stand.alice), [HOLD, HELD]);
    let ok = stand.peer.reply(&invite, 200);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!((stand.alice.state(), books(&stand.alice)), (GOOD, [HOLD, HELD].map(Into::into)));
}

/// The same of a call whose offer came in the reliable response (pattern 4).
#[test]
fn an_early_caller_offers_after_its_answer_in_prack() {
    let (mut stand, invite) = called("");
    progress(&mut stand, &invite, 183, 1, OFFER);
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"));
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.prack(now, session, with_sdp(ANSWER)).expect("it is legal");
    stand.exchange();
    stand.peer_replies("PRACK", 200, "");
    stand.alice.update(HOLD);
    stand.exchange();
    stand.peer_replies("UPDATE", 200, HELD);
    assert_eq!(books(&stand.alice), [HOLD, HELD]);
    let ok = stand.peer.reply(&invite, 200);
    stand.say(ok);
    stand.peer.take("ACK");
}

/// §5.1: the callee waits for the PRACK, and for its own 2xx to it.
#[test]
fn an_early_callee_offers_after_the_prack() {
    let mut stand = Stand::new();
    let invite = reliable_caller::called(&mut stand, "Supported", OFFER);
    reliable_caller::progress(&mut stand, 180, &ResponseOptions::default()).expect("legal");
    stand.peer.take("180 INVITE");
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"));
    reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let progress = reliable_caller::take(&mut stand, "183 INVITE");
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"));
    stand.alice.hold(EventKind::Prack);
    let held = stand.alice.incoming;
    let prack = reliable_caller::prack_of(&mut stand, reliable_caller::rseq(&progress), progress.cseq());
    stand.say(prack);
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"), "its PRACK has no answer");
    stand.alice.accept("");
    stand.alice.incoming = held;
    stand.exchange();
    stand.peer.take("200 PRACK");
    stand.alice.update(HOLD);
    stand.exchange();
    stand.peer_replies("UPDATE", 200, HELD);
    assert_eq!(books(&stand.alice), [HOLD, HELD]);
    reliable_caller::accept(&mut stand, "").expect("legal");
    reliable_caller::acknowledge(&mut stand, &invite);
    assert_eq!(stand.alice.state(), GOOD);
}

/// The callee of an INVITE that has no final answer takes an UPDATE of each kind.
#[test]
fn an_early_callee_takes_an_update() {
    let mut stand = Stand::new();
    let invite = reliable_caller::called(&mut stand, "Supported", OFFER);
    reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let progress = reliable_caller::take(&mut stand, "183 INVITE");
    reliable_caller::prack(&mut stand, &progress);
    let held = stand.alice.incoming;
    stand.alice.answers(EventKind::Update, HELD);
    let update = stand.peer.request("UPDATE").sdp(HOLD);
    stand.say(update);
    assert_eq!(stand.peer.take("200 UPDATE").sdp(), Some(HELD));
    stand.alice.incoming = held;
    reliable_caller::accept(&mut stand, "").expect("legal");
    reliable_caller::acknowledge(&mut stand, &invite);
    assert_eq!((stand.alice.state(), books(&stand.alice)), (GOOD, [HOLD, HELD].map(Into::into)));
}

/// RFC 6141 §4: the target moves with what is accepted, on both sides, and not with what is refused.
#[test]
fn it_moves_the_target() {
    let target = |stand: &Stand| {
        let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
        String::from_utf8_lossy(session.remote_target()).into_owned()
    };
    for (status, moves) in [(200, true), (488, false)] {
        let mut stand = Stand::alice_called();
        let before = target(&stand);
        stand.alice.on(EventKind::Update, move |agent, now, event| {
            let incoming = event.incoming.expect("an UPDATE");
            match status {
                200 => drop(agent.accept(now, incoming, 200, &ResponseOptions::default()).expect("legal")),
                _ => agent.reject(now, incoming, status, &ResponseOptions::default()).expect("legal"),
            }
        });
        let update = stand.peer.request("UPDATE").set("Contact", MOVED);
        stand.say(update);
        stand.peer.take(&format!("{status} UPDATE"));
        assert_eq!(target(&stand) == "sip:peer@192.0.2.2:5099", moves);
        assert_eq!(target(&stand) == before, !moves);
    }
    for (status, moves) in [(200, true), (488, false)] {
        let mut stand = Stand::alice_called();
        stand.alice.update("");
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        let reply = stand.peer.reply(&update, status).set("Contact", MOVED);
        stand.say(reply);
        assert_eq!(target(&stand) == "sip:peer@192.0.2.2:5099", moves);
    }
}

/// §5.1: what a refusal, silence or a 2xx without the answer leave.
#[test]
fn an_offer_that_is_not_answered_was_never_made() {
    for status in [200, 400, 488, 603] {
        let mut stand = Stand::alice_called();
        stand.alice.update(HOLD);
        stand.exchange();
        stand.peer_replies("UPDATE", status, "");
        assert_eq!((stand.alice.state(), books(&stand.alice)), (GOOD, [OFFER, ANSWER].map(Into::into)), "{status}");
        if status == 200 {
            assert_eq!(stand.alice.last(EventKind::Accept).reason, Reason::NoAnswerIn2xx);
        } else {
            assert_eq!(stand.alice.statuses(EventKind::Reject), [status]);
        }
        stand.alice.update(HOLD);
        stand.exchange();
        stand.peer_replies("UPDATE", 200, HELD);
        assert_eq!(books(&stand.alice), [HOLD, HELD], "{status}");
    }
}

/// RFC 3261 §12.2.1.2, RFC 5057: 408, 481 and silence end the call.
#[test]
fn a_dialog_that_is_gone_is_left_by_bye() {
    for status in [481, 408] {
        let mut stand = Stand::alice_called();
        stand.alice.update("");
        stand.exchange();
        stand.peer_replies("UPDATE", status, "");
        stand.peer_replies("BYE", 481, "");
        assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
    }
    let mut stand = Stand::alice_called();
    stand.alice.update("");
    stand.advance(seconds(33));
    stand.peer.inbox.retain(|sip| sip.short() != "UPDATE");
    stand.peer_replies("BYE", 481, "");
    let terminated = stand.alice.last(EventKind::Terminated);
    assert_eq!((terminated.reason, terminated.status_code), (Reason::DialogGone, 408));
}

/// §5.2: nobody answers.
#[test]
fn defaults() {
    let mut stand = Stand::alice_called();
    let update = stand.peer.request("UPDATE");
    stand.say(update);
    assert_eq!(stand.peer.take("200 UPDATE").sdp(), None);
    let update = stand.peer.request("UPDATE").sdp(HOLD);
    stand.say(update);
    let refused = stand.peer.take("488 UPDATE");
    assert!(refused.value("warning").starts_with("399 "));
    assert_eq!(books(&stand.alice), [OFFER, ANSWER]);
}

/// §5.2: who has to be asked is not asked for ever; it gets 504 where there is an offer.
#[test]
fn an_offer_that_the_host_leaves_gets_504() {
    for (offer, status) in [(HOLD, 504), ("", 200)] {
        let mut stand = Stand::alice_called();
        stand.alice.hold(EventKind::Update);
        let update = stand.peer.request("UPDATE");
        stand.say(if offer.is_empty() { update } else { update.sdp(offer) });
        stand.advance(ms(15_900));
        assert_eq!(stand.peer.got(), ["100 UPDATE"], "RFC 4320 §4.2");
        stand.advance(ms(200));
        stand.peer.take("100 UPDATE");
        stand.peer.take(&format!("{status} UPDATE"));
        assert_eq!((stand.alice.state(), books(&stand.alice)), (GOOD, [OFFER, ANSWER].map(Into::into)));
    }
}

/// §5.2: a 2xx answers an offer, and offers nothing.
#[test]
fn what_a_2xx_has_to_carry() {
    for (offer, body, section) in [(HOLD, "", "(RFC 3311 5.2)"), ("", HELD, "(RFC 3311 5.2)")] {
        let mut stand = Stand::alice_called();
        stand.alice.hold(EventKind::Update);
        let update = stand.peer.request("UPDATE");
        stand.say(if offer.is_empty() { update } else { update.sdp(offer) });
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let error = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(body)).expect_err("it is not legal");
        assert!(error.kind == ErrorKind::State && error.detail.ends_with(section), "{error}");
        assert_eq!(stand.peer.got(), NOTHING);
        stand.alice.accept(if offer.is_empty() { "" } else { HELD });
        stand.exchange();
        stand.peer.take("200 UPDATE");
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// §5.1: a peer that shows what it takes is believed; one that shows nothing is asked, and its 405 or 501 remembered.
#[test]
fn only_a_peer_that_may_take_it_is_asked() {
    let called = |allow: Option<&str>| {
        let mut stand = Stand::new();
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(match allow {
            Some(allow) => ok.with("Allow", allow),
            None => ok,
        });
        stand.peer.take("ACK");
        stand
    };
    for allow in ["INVITE, ACK, BYE", "update", ""] {
        assert!(called(Some(allow)).alice.update_refused("").ends_with("(RFC 3311 5.1)"), "{allow}");
    }
    for allow in [Some("INVITE,UPDATE, ACK"), None] {
        let mut stand = called(allow);
        for status in [400, 405] {
            stand.alice.update("");
            stand.exchange();
            stand.peer_replies("UPDATE", status, "");
        }
        assert!(stand.alice.update_refused("").ends_with("(RFC 3311 5.1)"));
        assert_eq!(stand.alice.state(), GOOD);
    }
    let mut stand = called(None);
    stand.alice.update("");
    stand.exchange();
    stand.peer_replies("UPDATE", 501, "");
    // Whatever it says later.
    let info = stand.peer.request("UPDATE").with("Allow", "INVITE, UPDATE");
    stand.peer.cseq = 50;
    stand.say(info);
    stand.peer.take("200 UPDATE");
    assert!(stand.alice.update_refused("").ends_with("(RFC 3311 5.1)"));
}

/// §5.1, RFC 6337 §4.3: host calls in the wrong state.
#[test]
fn an_update_that_may_not_go_is_refused() {
    // The ACK of our 2xx is not here.
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    assert!(stand.alice.update_refused("").ends_with("(RFC 6337 4.3)"));
    stand.peer_acknowledges(&invite);
    // Ours has no final response.
    stand.alice.update("");
    assert!(stand.alice.update_refused("").ends_with("(RFC 3311 5.2)"));
    stand.exchange();
    stand.peer_replies("UPDATE", 200, "");
    // The peer's offer is open.
    stand.alice.hold(EventKind::Update);
    let update = stand.peer.request("UPDATE").sdp(HOLD);
    stand.say(update);
    assert!(stand.alice.update_refused(OFFER).ends_with("(RFC 3311 5.1)"));
    stand.alice.accept(HELD);
    stand.exchange();
    stand.peer.take("200 UPDATE");
    // A 2xx with an offer waits for the host's ACK.
    let mut stand = Stand::alice_called();
    stand.alice.reinvite("");
    stand.exchange();
    assert!(stand.alice.update_refused(HOLD).ends_with("(RFC 3311 5.1)"), "our re-INVITE is not answered");
    stand.alice.hold(EventKind::Accept);
    stand.peer_replies("INVITE", 200, HOLD);
    assert!(stand.alice.update_refused(OFFER).ends_with("(RFC 3311 5.1)"));
    stand.alice.ack(HELD);
    stand.exchange();
    stand.peer.take("ACK");
    stand.alice.hangup();
    stand.exchange();
    assert!(stand.alice.update_refused("").contains("over"));
    stand.peer_replies("BYE", 200, "");
}

/// RFC 3261 §22.2: a challenge is answered, with the offer as it was.
#[test]
fn a_challenge_is_answered() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("they are good");
    let mut stand = Stand::with(config);
    crate::common::reliable_callee::knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    stand.peer.take("ACK");
    stand.alice.update(HOLD);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    let challenge = "Digest realm=\"example.com\", nonce=\"abc\", qop=\"auth\", algorithm=SHA-256";
    let refused = stand.peer.reply(&update, 401).with("WWW-Authenticate", challenge);
    stand.say(refused);
    let again = stand.peer_replies("UPDATE", 200, HELD);
    assert_eq!((again.cseq(), again.sdp()), (update.cseq() + 1, Some(HOLD)));
    assert_eq!((stand.alice.state(), books(&stand.alice)), (GOOD, [HOLD, HELD].map(Into::into)));
}

/// §5.1: no dialog, no UPDATE; out of order; no Contact that can be used.
#[test]
fn a_bad_update_gets_a_clear_answer() {
    let mut stand = Stand::new();
    let update = stand.peer.request("UPDATE");
    stand.say(update);
    stand.peer.take("481 UPDATE");
    let mut stand = Stand::alice_called();
    let update = stand.peer.request("UPDATE").set("Contact", "<tel:+1>");
    stand.say(update);
    stand.peer.take("400 UPDATE");
    let update = stand.peer.request("UPDATE").without("Contact");
    stand.say(update);
    stand.peer.take("200 UPDATE");
    stand.peer.cseq -= 2;
    let update = stand.peer.request("UPDATE");
    stand.say(update);
    stand.peer.take("500 UPDATE");
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 3261 §15.1.2: the peer's BYE ends what waits.
#[test]
fn a_bye_ends_an_update_that_waits() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::Update);
    let update = stand.peer.request("UPDATE").sdp(HOLD);
    stand.say(update);
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("487 UPDATE");
    stand.peer.take("200 BYE");
}

/// What comes of ours when the call ends first.
#[test]
fn an_update_of_ours_may_outlast_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.update(HOLD);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    let ok = stand.peer.reply(&update, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.alice.statuses(EventKind::Accept).last(), Some(&200));
}

/// The library tells a host that wants no retries of the refusal alone.
#[test]
fn no_retry_hands_the_491_up() {
    let mut stand = Stand::alice_called();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { flags: request_flag::NO_RETRY, ..with_sdp(HOLD) };
    stand.alice.agent.update(now, session, options).expect("legal");
    stand.exchange();
    stand.peer_replies("UPDATE", 491, "");
    let reject = stand.alice.last(EventKind::Reject);
    assert_eq!((reject.status_code, reject.flags & flag::LOCAL), (491, 0));
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), NOTHING);
}

/// RFC 3261 §8.2.3: a body that is no session description, and that nobody need understand, is no offer.
#[test]
fn a_body_that_is_optional_is_left() {
    let mut stand = Stand::alice_called();
    let update = stand.peer.request("UPDATE").with("Content-Disposition", "signal;handling=optional");
    stand.say(update.content("application/x-what", "what"));
    stand.peer.take("200 UPDATE");
    let update = stand.peer.request("UPDATE").content("application/x-what", "what");
    stand.say(update);
    assert!(stand.peer.take("415 UPDATE").value("accept").contains("application/sdp"));
}
