//! UPDATEs that meet each other, an INVITE or a PRACK (RFC 3311 §5.2, RFC 6337 §4.3, RFC 5407 §3.3.2).

use crate::common::pair::{Pair, Stand};
use crate::common::party::{reliable, with_sdp};
use crate::common::reliable_callee::{called, progress};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms, reliable_caller, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
const LATER: &str = "v=0\r\no=alice 1 4 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// The peer's UPDATE, and what it is answered.
#[track_caller]
fn updates(stand: &mut Stand, offer: &str) -> Sip {
    let update = stand.peer.request("UPDATE");
    let number = update.get("CSeq").to_owned();
    stand.say(if offer.is_empty() { update } else { update.sdp(offer) });
    let at = stand.peer.inbox.iter().rposition(|sip| sip.status().is_some() && sip.value("cseq") == number);
    stand.peer.inbox.remove(at.expect("an answer")).expect("it is there")
}

#[track_caller]
fn retry_later(answer: &Sip) {
    assert_eq!(answer.status(), Some(500));
    let wait: u32 = answer.value("retry-after").parse().expect("a number");
    assert!((1..=10).contains(&wait), "RFC 3311 §5.2, RFC 3261 §20.33");
}

/// RFC 3264 §4: a re-INVITE without an offer asks for one, which would cross that of our UPDATE and get no answer.
#[test]
fn no_reinvite_asks_for_an_offer_while_our_update_has_one_open() {
    let mut stand = Stand::alice_called();
    stand.alice.answers_in_ack(ANSWER);
    stand.alice.update(HOLD);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let refused = stand.alice.agent.reinvite(now, session, with_sdp("")).expect_err("an offer is open");
    assert_eq!(refused.kind, ErrorKind::State, "{refused}");
    stand.exchange();
    stand.peer_replies("UPDATE", 200, HELD);
    stand.alice.reinvite("");
    stand.exchange();
    stand.peer_replies("INVITE", 200, LATER);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(ANSWER));
    assert_eq!(stand.alice.state(), GOOD);
}

/// §5.2: the UPDATE before it is not answered, with or without offers.
#[test]
fn one_that_overlaps_gets_500() {
    for (first, second) in [("", ""), (HOLD, ""), ("", HOLD), (HOLD, LATER)] {
        let mut stand = Stand::alice_called();
        stand.alice.hold(EventKind::Update);
        let update = stand.peer.request("UPDATE");
        stand.say(if first.is_empty() { update } else { update.sdp(first) });
        retry_later(&updates(&mut stand, second));
        stand.alice.accept(if first.is_empty() { "" } else { HELD });
        stand.exchange();
        stand.peer.take("200 UPDATE");
        assert_eq!(stand.alice.count(EventKind::Update), 1);
    }
}

/// §5.2: an offer of ours is open.
#[test]
fn an_offer_that_meets_ours_gets_491() {
    for reinvite in [false, true] {
        let mut stand = Stand::alice_called();
        let ours = if reinvite { "INVITE" } else { "UPDATE" };
        match reinvite {
            true => stand.alice.reinvite(HOLD),
            false => stand.alice.update(HOLD),
        };
        stand.exchange();
        assert_eq!(updates(&mut stand, LATER).status(), Some(491), "{ours}");
        assert_eq!(updates(&mut stand, "").status(), Some(200), "RFC 5407 §3.3.2");
        stand.peer_replies(ours, 200, HELD);
        stand.peer.inbox.clear();
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// RFC 6337 §4.3: our INVITE without an offer gets one in its responses, so no other is taken.
#[test]
fn an_offer_that_meets_our_invite_without_one_gets_491() {
    let mut stand = Stand::alice_called();
    stand.alice.answers_in_ack(HELD);
    stand.alice.reinvite("");
    stand.exchange();
    assert_eq!(updates(&mut stand, LATER).status(), Some(491));
    stand.alice.hold(EventKind::Accept);
    stand.peer_replies("INVITE", 200, HOLD);
    assert_eq!(updates(&mut stand, LATER).status(), Some(491), "UAS-IcU: the ACK with the answer is owed");
    stand.alice.ack(HELD);
    stand.exchange();
    stand.peer.take("ACK");
    assert_eq!(updates(&mut stand, "").status(), Some(200));
}

/// §5.2: its own offer is not answered.
#[test]
fn an_offer_behind_its_own_gets_500() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::Reinvite);
    let invite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(invite.clone());
    let held = stand.alice.incoming;
    retry_later(&updates(&mut stand, LATER));
    assert_eq!(updates(&mut stand, "").status(), Some(200));
    stand.alice.incoming = held;
    stand.alice.accept(HELD);
    stand.exchange();
    retry_later(&updates(&mut stand, LATER));
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.alice.answers(EventKind::Update, HELD);
    assert_eq!(updates(&mut stand, LATER).status(), Some(200));
}

/// RFC 6337 §4.3: the peer's INVITE has no exchange yet; then a reliable answer that waits for its PRACK.
#[test]
fn an_offer_before_the_first_exchange_gets_500() {
    for offer in [OFFER, ""] {
        let mut stand = Stand::new();
        reliable_caller::called(&mut stand, "Supported", offer);
        reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let response = reliable_caller::take(&mut stand, "183 INVITE");
        let first = updates(&mut stand, HOLD);
        match offer.is_empty() {
            true => assert_eq!(first.status(), Some(491), "our offer is open"),
            false => retry_later(&first),
        }
        let prack = reliable_caller::prack_of(&mut stand, reliable_caller::rseq(&response), response.cseq());
        stand.say(if offer.is_empty() { prack.sdp(HELD) } else { prack });
        stand.peer.take("200 PRACK");
        stand.alice.answers(EventKind::Update, HELD);
        assert_eq!(updates(&mut stand, HOLD).status(), Some(200));
        stand.alice.hangup();
        stand.exchange();
        stand.peer.inbox.clear();
    }
}

/// The same where we called.
#[test]
fn an_offer_of_the_callee_before_the_first_exchange_gets_491() {
    let (mut stand, invite) = called("");
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    assert_eq!(updates(&mut stand, HOLD).status(), Some(491));
    progress(&mut stand, &invite, 183, 1, OFFER);
    assert_eq!(updates(&mut stand, HOLD).status(), Some(491), "UAS-IcU: the PRACK with the answer is owed");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.prack(now, session, crate::common::party::with_sdp(ANSWER)).expect("legal");
    stand.exchange();
    stand.peer_replies("PRACK", 200, "");
    stand.alice.answers(EventKind::Update, HELD);
    assert_eq!(updates(&mut stand, HOLD).status(), Some(200));
    let ok = stand.peer.reply(&invite, 200);
    stand.say(ok);
    stand.peer.take("ACK");
}

/// RFC 5407 §3.3.1 for UPDATE: both get 491, and each comes again in its turn.
#[test]
fn two_that_cross_both_come_again() {
    let mut pair = Pair::confirmed();
    for party in [&mut pair.alice, &mut pair.bob] {
        party.answers(EventKind::Update, HELD);
        party.update(HOLD);
    }
    pair.exchange();
    assert_eq!(pair.since(4)[2..4], ["bob 491 UPDATE", "alice 491 UPDATE"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    let waits = [&pair.alice, &pair.bob].map(|party| party.last(EventKind::GlareRetry).delay_us);
    assert!((2_100_000..=4_000_000).contains(&waits[0]), "the owner of the Call-ID: {waits:?}");
    assert!(waits[1] <= 2_000_000, "the other: {waits:?}");
    pair.advance(seconds(5));
    for party in [&pair.alice, &pair.bob] {
        assert_eq!((party.state(), party.statuses(EventKind::Accept).last()), (GOOD, Some(&200)));
    }
}

/// RFC 5407 §3.3.2: with offers both get 491; one without is taken.
#[test]
fn an_update_that_crosses_a_reinvite() {
    for offer in [HOLD, ""] {
        let mut pair = Pair::confirmed();
        pair.alice.answers(EventKind::Update, if offer.is_empty() { "" } else { HELD });
        pair.bob.answers(EventKind::Reinvite, HELD);
        pair.alice.reinvite(HOLD);
        pair.bob.update(offer);
        pair.exchange();
        let expected = if offer.is_empty() { "200 UPDATE" } else { "491 UPDATE" };
        assert!(pair.since(4).contains(&format!("alice {expected}")), "{:?}", pair.since(4));
        let expected = if offer.is_empty() { "200 INVITE" } else { "491 INVITE" };
        assert!(pair.since(4).contains(&format!("bob {expected}")), "{:?}", pair.since(4));
        pair.alice.answers(EventKind::Update, HELD);
        pair.advance(seconds(6));
        assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    }
}

/// RFC 3261 §14.1: what is retried, and when.
#[test]
fn a_refusal_for_now_is_tried_again() {
    for (status, wait) in [(500, Some("3")), (503, Some("3")), (491, None)] {
        let mut stand = Stand::alice_called();
        stand.alice.update(HOLD);
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        let busy = stand.peer.reply(&update, status);
        stand.say(match wait {
            Some(wait) => busy.with("Retry-After", wait),
            None => busy,
        });
        assert_eq!(stand.alice.count(EventKind::GlareRetry), 1, "{status}");
        assert_eq!(stand.alice.state(), GOOD, "as if never made");
        if wait.is_some() {
            stand.advance(ms(2_900));
            assert_eq!(stand.peer.got(), NOTHING);
        }
        stand.advance(ms(4_100));
        let again = stand.peer_replies("UPDATE", 200, HELD);
        assert_eq!((again.cseq(), again.sdp()), (update.cseq() + 1, Some(HOLD)));
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// A change that waits is called off, by the host or by the end of the call.
#[test]
fn a_wait_may_be_called_off() {
    for hangs_up in [false, true] {
        let mut stand = Stand::alice_called();
        stand.alice.update(HOLD);
        stand.exchange();
        stand.peer_replies("UPDATE", 491, "");
        if hangs_up {
            stand.alice.hangup();
            stand.exchange();
            stand.peer_replies("BYE", 200, "");
        } else {
            assert!(stand.alice.cancel());
            stand.exchange();
        }
        assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
        stand.advance(seconds(10));
        assert_eq!(stand.peer.got(), NOTHING);
    }
}

/// A newer wish of the host's takes over the wait of the former one, whichever they are.
#[test]
fn a_newer_wish_takes_over_the_wait() {
    for (first, second) in [("INVITE", "INVITE"), ("INVITE", "UPDATE"), ("UPDATE", "INVITE"), ("UPDATE", "UPDATE")] {
        let mut stand = Stand::alice_called();
        let change = |stand: &mut Stand, method: &str, offer: &str| match method {
            "INVITE" => stand.alice.reinvite(offer),
            _ => stand.alice.update(offer),
        };
        let former = change(&mut stand, first, HOLD);
        stand.exchange();
        let refused = stand.peer_replies(first, 491, "");
        stand.peer.inbox.clear();
        let due = stand.alice.last(EventKind::GlareRetry).delay_us;
        stand.advance(ms(1_000));
        stand.alice.events.clear();
        let newer = change(&mut stand, second, LATER);
        stand.exchange();
        assert_eq!(stand.alice.kinds(), [EventKind::Reject, EventKind::GlareRetry], "{first} {second}");
        let reject = stand.alice.last(EventKind::Reject);
        assert_eq!((reject.outgoing, reject.status_code), (Some(former), 491));
        assert!(reject.flags & flag::LOCAL != 0 && reject.message.is_some());
        let waits = stand.alice.last(EventKind::GlareRetry);
        assert_eq!(waits.outgoing, Some(newer));
        assert!((due - 1_005_000..=due - 1_000_000).contains(&waits.delay_us), "of {due}: {}", waits.delay_us);
        assert_eq!(stand.peer.got(), NOTHING);
        stand.advance(seconds(4));
        let again = stand.peer_replies(second, 200, HELD);
        assert_eq!((again.sdp(), again.cseq()), (Some(LATER), refused.cseq() + 1), "RFC 3261 §12.2.1.1: no gap");
        stand.peer.inbox.clear();
        stand.advance(seconds(40));
        assert_eq!((stand.peer.got(), stand.alice.state()), (Vec::new(), GOOD));
        assert_eq!(stand.alice.statuses(EventKind::Accept), [200]);
    }
}

/// RFC 3261 §14.1, RFC 3311 §5.2: it waits in no place that another of its kind has, which is under way.
#[test]
fn no_newer_wish_beside_one_of_its_kind() {
    for (first, offer, second) in [("INVITE", HOLD, "UPDATE"), ("UPDATE", "", "INVITE")] {
        let mut stand = Stand::alice_called();
        let change = |stand: &mut Stand, method: &str, offer: &str| match method {
            "INVITE" => stand.alice.reinvite(offer),
            _ => stand.alice.update(offer),
        };
        change(&mut stand, first, offer);
        stand.exchange();
        let request = stand.peer.take(first);
        change(&mut stand, second, "");
        stand.exchange();
        stand.peer_replies(second, 491, "");
        stand.peer.inbox.clear();
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let newer = match first {
            "INVITE" => stand.alice.agent.reinvite(now, session, with_sdp(LATER)),
            _ => stand.alice.agent.update(now, session, with_sdp(LATER)),
        };
        assert_eq!(newer.map_err(|error| error.kind), Err(ErrorKind::State), "{first}");
        assert_eq!(stand.alice.count(EventKind::Reject), 0, "what waits goes on");
        let ok = stand.peer.reply(&request, 200);
        stand.say(if offer.is_empty() { ok } else { ok.sdp(HELD) });
        assert_eq!((stand.alice.state(), stand.alice.statuses(EventKind::Accept)), (GOOD, vec![200, 200]), "{first}");
        stand.peer.inbox.clear();
        stand.advance(seconds(5));
        stand.peer_replies(second, 200, if second == "INVITE" { LATER } else { "" });
        stand.peer.inbox.clear();
    }
}

/// A host that asks anew whenever it hears of the last one's end gets nowhere, and does not stay there for ever.
#[test]
fn a_wait_is_taken_over_sixteen_times() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    stand.alice.on(EventKind::Reject, |agent, now, event| {
        // Nothing comes of it in the end.
        let _ = agent.update(now, event.session.expect("it lives"), crate::common::party::with_sdp(LATER));
    });
    stand.alice.update(LATER);
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Reject), 15, "the first refusal counts");
    stand.advance(seconds(4));
    assert_eq!(stand.peer_replies("UPDATE", 200, HELD).sdp(), Some(LATER));
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 6337 §3.4: with a re-INVITE fails what an UPDATE inside it has offered, and its answer means nothing.
#[test]
fn a_reinvite_that_fails_takes_the_update_inside_it_along() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    progress(&mut stand, &invite, 183, 1, HELD);
    stand.peer_replies("PRACK", 200, "");
    stand.alice.update(LATER);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    let refused = stand.peer.reply(&invite, 488);
    stand.say(refused);
    stand.peer.take("ACK");
    let books = |stand: &Stand| {
        let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
        String::from_utf8_lossy(session.offer().expect("one").content()).into_owned()
    };
    assert_eq!((stand.alice.state(), books(&stand)), (GOOD, OFFER.to_owned()));
    let ok = stand.peer.reply(&update, 200).sdp(HELD);
    stand.say(ok);
    assert_eq!((stand.alice.state(), books(&stand)), (GOOD, OFFER.to_owned()));
    stand.alice.update(LATER);
    stand.exchange();
    stand.peer_replies("UPDATE", 488, "");
    assert_eq!(books(&stand), OFFER);
}

/// The same where that UPDATE is refused after the re-INVITE, or is the peer's and waits for the host.
#[test]
fn an_update_that_is_open_when_its_reinvite_fails_leaves_nothing() {
    for ours in [true, false] {
        let mut stand = Stand::alice_called();
        stand.alice.hold(EventKind::Update);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        progress(&mut stand, &invite, 183, 1, HELD);
        stand.peer_replies("PRACK", 200, "");
        let update = if ours {
            stand.alice.update(LATER);
            stand.exchange();
            Some(stand.peer.take("UPDATE"))
        } else {
            let update = stand.peer.request("UPDATE").sdp(LATER);
            stand.say(update);
            None
        };
        let refused = stand.peer.reply(&invite, 488);
        stand.say(refused);
        stand.peer.take(if ours { "ACK" } else { "488 UPDATE" });
        if let Some(update) = update {
            let refused = stand.peer.reply(&update, 488);
            stand.say(refused);
        }
        let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
        let books = [session.offer(), session.answer()].map(|body| body.map(|body| body.content().to_vec()));
        assert_eq!(books, [OFFER, ANSWER].map(|body| Some(body.as_bytes().to_vec())), "ours: {ours}");
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// RFC 5407 §3.2.2 for UPDATE: what meets our BYE gets 481.
#[test]
fn one_that_meets_our_bye_gets_481() {
    let mut stand = Stand::alice_called();
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(updates(&mut stand, HOLD).status(), Some(481));
    stand.peer_replies("BYE", 200, "");
}

/// What only the peer's Expires or CANCEL of its INVITE ends.
#[test]
fn an_early_update_survives_nothing_of_a_cancelled_invite() {
    let mut stand = Stand::new();
    let invite = reliable_caller::called(&mut stand, "Supported", OFFER);
    reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let response = reliable_caller::take(&mut stand, "183 INVITE");
    reliable_caller::prack(&mut stand, &response);
    stand.alice.hold(EventKind::Update);
    let update = stand.peer.request("UPDATE").sdp(HOLD);
    stand.say(update);
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
    let refused = stand.peer.take("487 INVITE");
    stand.peer.take("487 UPDATE");
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    assert!(stand.alice.agent.accept(now, incoming, 200, &ResponseOptions::default()).is_err());
}
