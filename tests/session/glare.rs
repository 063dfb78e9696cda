//! re-INVITEs that meet each other (RFC 3261 §14, RFC 5407 §3.3.1).

use crate::common::pair::{Pair, Stand};
use crate::common::party::{Party, sdp, with_sdp};
use crate::common::{HELD, HOLD, OFFER, ms, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::session::{SessionState, SignalingState};

const LATER: &str = "v=0\r\no=alice 1 4 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);

#[test]
fn no_retry_hands_the_491_up() {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { flags: request_flag::NO_RETRY, ..with_sdp(HOLD) };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), ["ACK"]);
}

/// RFC 3261 §14.2: a second INVITE before the first has its final response gets 500 with Retry-After of 0 to 10 s.
#[test]
fn an_overlapping_invite_gets_500_with_retry_after() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let first = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(first.clone());
    let second = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(second.clone());
    let refused = stand.peer.take("500 INVITE");
    let wait: u32 = refused.value("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "RFC 3261 §20.33 wants a positive number");
    let ack = stand.peer.ack(&second, &refused);
    stand.say(ack);
    stand.alice.accept(HELD);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    assert_eq!(ok.cseq(), 2);
    let ack = stand.peer.ack(&first, &ok);
    stand.say(ack);
    assert_eq!(stand.alice.state(), GOOD);
}

/// A peer that acknowledges nothing makes us repeat 16 of its 2xx and no more; each ACK makes room for one.
#[test]
fn so_many_2xx_wait_for_their_acks_and_no_more() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Reinvite, HELD);
    let mut offers = Vec::new();
    for _ in 0..16 {
        offers.push(stand.peer.request("INVITE").sdp(HOLD));
        stand.say(offers.last().expect("one").clone());
    }
    let oks: Vec<_> = (0..16).map(|_| stand.peer.take("200 INVITE")).collect();
    let refused = |stand: &mut Stand| {
        let one_more = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(one_more.clone());
        let got = stand.peer.got();
        if got != ["500 INVITE"] {
            return false;
        }
        let refusal = stand.peer.take("500 INVITE");
        assert!(refusal.get("retry-after").is_some());
        let ack = stand.peer.ack(&one_more, &refusal);
        stand.say(ack);
        true
    };
    assert!(refused(&mut stand) && refused(&mut stand));
    assert_eq!(stand.alice.agent.stats().refused_state, 2);
    let ack = stand.peer.ack(&offers[3], &oks[3]);
    stand.say(ack);
    assert!(!refused(&mut stand), "there is room again");
    stand.peer.take("200 INVITE");
    assert!(refused(&mut stand));
    stand.end_unjudged();
}

/// RFC 5407 §3.3.1: the retry is dropped when the call ended meanwhile.
#[test]
fn a_retry_does_not_outlive_the_call() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    stand.peer.cseq = 100;
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// While our INVITE is pending, theirs gets 491; ours goes on.
#[test]
fn an_invite_that_meets_ours_gets_491() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    let ok = stand.peer.reply(&ours, 200).sdp(HELD);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
    assert_eq!(stand.alice.count(EventKind::Reinvite), 0);
}

/// The same where no offer is open: what counts is the INVITE in progress, not the offer.
#[test]
fn an_invite_that_meets_ours_gets_491_also_without_offers() {
    let mut stand = Stand::alice_called();
    stand.alice.answers_in_ack(HELD);
    stand.alice.reinvite("");
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE");
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
    let ok = stand.peer.reply(&ours, 200).sdp(HOLD);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(HELD));
    assert_eq!(stand.alice.state(), GOOD);
}

/// Two offerless re-INVITEs cross: both get 491.
#[test]
fn offerless_reinvites_that_cross_both_get_491() {
    let mut pair = Pair::confirmed();
    for party in [&mut pair.alice, &mut pair.bob] {
        party.answers(EventKind::Reinvite, HOLD);
        party.answers_in_ack(HELD);
        party.reinvite("");
    }
    pair.exchange();
    assert_eq!(pair.since(4)[2..4], ["bob 491 INVITE", "alice 491 INVITE"]);
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
}

/// 500 with Retry-After is tried again after that time; 0 is accepted.
#[test]
fn a_500_with_retry_after_is_tried_again() {
    for wait in [0, 3] {
        let mut stand = Stand::alice_called();
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let again = stand.peer.take("INVITE");
        let busy = stand.peer.reply(&again, 500).with("Retry-After", wait.to_string());
        stand.say(busy);
        stand.peer.take("ACK");
        assert_eq!(stand.alice.count(EventKind::GlareRetry), 1);
        if wait > 0 {
            stand.advance(ms(wait * 1_000 - 100));
            assert_eq!(stand.peer.got(), Vec::<String>::new());
        }
        stand.advance(ms(200));
        stand.peer_replies("INVITE", 200, HELD);
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// A retry that waits can be called off: REJECT with the 491, nothing is sent.
#[test]
fn a_waiting_retry_can_be_cancelled() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    stand.alice.cancel();
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 3261 §14.1: a 491 to the retry starts again; the retry is a new request with the next CSeq.
#[test]
fn each_491_is_tried_again() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    for round in 0..3 {
        let again = stand.peer_replies("INVITE", 491, "");
        assert_eq!((again.cseq(), again.sdp()), (2 + round, Some(HOLD)));
        stand.peer.take("ACK");
        stand.advance(ms(4_100));
    }
    stand.peer_replies("INVITE", 200, HELD);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// What it sends again has a later offer where it answered meanwhile (RFC 3264 §8).
fn renews(party: &mut Party) {
    party.on(EventKind::GlareRetry, |agent, now, event| {
        if event.flags & flag::NEEDS_BODY != 0 {
            agent.retry(now, event.outgoing.unwrap(), sdp(LATER).unwrap()).unwrap();
        }
    });
}

/// RFC 3261 §14.1: both sides re-INVITE at once; each gets 491; the owner of the Call-ID retries after 2.1 to 4 s, the
/// other within 2 s, so that exactly one of them succeeds first.
#[test]
fn glare_resolves_by_call_id_ownership() {
    let mut pair = Pair::confirmed();
    pair.alice.answers(EventKind::Reinvite, HELD);
    pair.bob.answers(EventKind::Reinvite, HELD);
    renews(&mut pair.alice);
    pair.alice.reinvite(HOLD);
    pair.bob.reinvite(HOLD);
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("alice", "491 INVITE").len(), 1);
    assert_eq!(pair.wire.trace.messages("bob", "491 INVITE").len(), 1);
    assert_eq!((pair.alice.count(EventKind::GlareRetry), pair.bob.count(EventKind::GlareRetry)), (1, 1));
    let (owner, other) =
        (pair.alice.last(EventKind::GlareRetry).delay_us, pair.bob.last(EventKind::GlareRetry).delay_us);
    assert!((2_100_000..=4_000_000).contains(&owner), "the owner of the Call-ID waits {owner} µs");
    assert!(other <= 2_000_000, "the other waits {other} µs");
    assert!(owner % 10_000 == 0 && other % 10_000 == 0, "in units of 10 ms");
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD), "as if never issued");
    let sent = pair.sent();
    pair.advance(seconds(5));
    let rest = ["bob INVITE", "alice 200 INVITE", "bob ACK", "alice INVITE", "bob 200 INVITE", "alice ACK"];
    assert_eq!(pair.since(sent), rest);
    assert_eq!(
        (pair.alice.statuses(EventKind::Accept), pair.bob.statuses(EventKind::Accept)),
        (vec![200, 200], vec![200])
    );
    assert_eq!(
        pair.alice.count(EventKind::Reject) + pair.bob.count(EventKind::Reject),
        0,
        "what is tried again is not rejected"
    );
}

/// Many seeds: the two waits never meet, and the windows are kept.
#[test]
fn glare_waits_lie_in_their_windows_for_many_seeds() {
    let mut waits = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let mut pair = Pair::seeded(seed);
        pair.call();
        pair.alice.reinvite(HOLD);
        pair.bob.reinvite(HOLD);
        pair.exchange();
        let (owner, other) =
            (pair.alice.last(EventKind::GlareRetry).delay_us, pair.bob.last(EventKind::GlareRetry).delay_us);
        assert!((2_100_000..=4_000_000).contains(&owner) && other <= 2_000_000);
        waits.insert(owner);
        pair.advance(seconds(5));
        assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    }
    assert!(waits.len() > 20, "the waits differ: {waits:?}");
}

/// RFC 3261 §14.1: our 491 waits for its ACK, so does a re-INVITE of ours.
#[test]
fn a_reinvite_waits_for_the_ack_of_our_491() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let glare = stand.peer.take("491 INVITE");
    let no = stand.peer.reply(&ours, 488);
    stand.say(no);
    let early = stand.alice.agent.reinvite(stand.alice.now(), stand.alice.session(), with_sdp(HOLD));
    assert_eq!(early.unwrap_err().kind, sipdlg::error::ErrorKind::State);
    let ack = stand.peer.ack(&theirs, &glare);
    stand.say(ack);
}

/// Alice's re-INVITE was refused with 491 and waits; the peer holds its own cards.
fn waiting() -> Stand {
    let mut stand = Stand::alice_called();
    refuse_with_491(&mut stand);
    stand
}

fn refuse_with_491(stand: &mut Stand) {
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
}

/// RFC 5407 §3.3.1: while the peer's re-INVITE is pending the retry waits on,
/// and then goes where the peer has moved to.
#[test]
fn a_retry_waits_for_the_peers_reinvite_and_follows_its_target() {
    let mut stand = waiting();
    stand.alice.hold(EventKind::Reinvite);
    renews(&mut stand.alice);
    stand.peer.contact = "sip:peer@192.0.2.2:5060;moved".to_owned();
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    stand.advance(seconds(5));
    assert_eq!(stand.peer.got(), ["100 INVITE"], "theirs is unanswered");
    stand.alice.accept(HELD);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let retries = stand.alice.count(EventKind::GlareRetry);
    assert!(retries >= 2, "each wait is told");
    let ack = stand.peer.ack(&theirs, &ok);
    stand.say(ack);
    stand.advance(ms(4_000));
    let again = stand.peer_replies("INVITE", 200, HELD);
    assert_eq!((again.cseq(), again.sdp(), again.uri()), (3, Some(LATER), "sip:peer@192.0.2.2:5060;moved"));
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// The same for a 2xx of ours that waits for its ACK, and for a refusal of ours that does.
#[test]
fn a_retry_waits_for_the_peers_ack() {
    for refuses in [false, true] {
        let mut stand = waiting();
        renews(&mut stand.alice);
        if !refuses {
            stand.alice.answers(EventKind::Reinvite, HELD);
        }
        let theirs = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(theirs.clone());
        let response = stand.peer.take(if refuses { "488 INVITE" } else { "200 INVITE" });
        stand.advance(seconds(6));
        assert!(stand.peer.got().iter().all(|short| *short == response.short()), "{:?}", stand.peer.got());
        let ack = stand.peer.ack(&theirs, &response);
        stand.say(ack);
        stand.advance(ms(4_000));
        stand.peer_replies("INVITE", 200, HELD);
        stand.peer.take("ACK");
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// What waits is ours to send, so another re-INVITE is refused until it is called off;
/// other requests go, and the retry takes the number after theirs.
#[test]
fn only_a_reinvite_without_retries_is_refused_while_one_waits() {
    let mut stand = waiting();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { flags: request_flag::NO_RETRY, ..with_sdp(HOLD) };
    let refused = stand.alice.agent.reinvite(now, session, options);
    assert_eq!(refused.unwrap_err().kind, sipdlg::error::ErrorKind::State);
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!(info.cseq(), 3);
    stand.advance(ms(4_000));
    assert_eq!(stand.peer.take("INVITE").cseq(), 4);
    let waits = stand.alice.outgoing.unwrap();
    assert_eq!(stand.alice.agent.session(session).unwrap().reinvite_client(), Some(waits));
}

/// Called off, the way is free at once.
#[test]
fn after_the_cancellation_of_a_retry_another_reinvite_may_go() {
    let mut stand = waiting();
    assert!(stand.alice.cancel());
    assert!(!stand.alice.cancel(), "final already");
    stand.alice.reinvite(HELD);
    stand.exchange();
    let again = stand.peer_replies("INVITE", 200, HOLD);
    assert_eq!((again.cseq(), again.sdp()), (3, Some(HELD)));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
}

/// The host hears of the end of what it waits for, before the end of the session.
#[test]
fn the_end_of_the_call_rejects_what_waits() {
    let mut stand = waiting();
    stand.alice.hangup();
    stand.exchange();
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    let kinds = stand.alice.kinds();
    let place = |kind| kinds.iter().position(|other| *other == kind).unwrap();
    assert!(place(EventKind::Reject) < place(EventKind::Terminated));
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}

/// A peer that refuses for ever is not asked for ever.
#[test]
fn the_retries_are_counted() {
    let mut stand = waiting();
    for _ in 0..15 {
        stand.advance(ms(4_000));
        stand.peer_replies("INVITE", 491, "");
        stand.peer.take("ACK");
    }
    stand.advance(ms(4_000));
    let last = stand.peer.take("INVITE");
    assert_eq!(stand.alice.statuses(EventKind::Reject), Vec::<u16>::new());
    let glare = stand.peer.reply(&last, 491);
    stand.say(glare);
    stand.peer.take("ACK");
    stand.advance(seconds(60));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    assert_eq!(stand.alice.state(), GOOD);
}

/// Header lines, body and the host's pointer go with each attempt.
#[test]
fn a_retry_carries_what_the_host_gave() {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { headers: vec![b"Subject: hold"], ..with_sdp(HOLD) };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let outgoing = stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    let first = stand.peer_replies("INVITE", 491, "");
    stand.advance(ms(4_000));
    let second = stand.peer_replies("INVITE", 200, HELD);
    let same = ["subject", "from", "to", "call-id", "contact", "allow", "supported", "content-type"];
    assert!(same.iter().all(|name| first.all(name) == second.all(name)));
    assert_eq!((second.value("subject"), second.sdp(), second.cseq()), ("hold", Some(HOLD), first.cseq() + 1));
    assert_ne!(first.branch(), second.branch());
    assert_eq!(stand.alice.last(EventKind::Accept).outgoing, Some(outgoing));
}

/// The host's Expires counts from the first attempt on.
#[test]
fn expires_ends_a_wait() {
    let mut stand = Stand::alice_called();
    let options = RequestOptions { expires_ms: 1_000, ..with_sdp(HOLD) };
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.reinvite(now, session, options).unwrap();
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
}

/// A Retry-After that is long is the host's to wait for; 503 is no glare.
#[test]
fn what_is_no_glare_is_handed_up() {
    for (status, wait) in [(500, "33"), (503, "33"), (500, "soon"), (486, "2")] {
        let mut stand = Stand::alice_called();
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let again = stand.peer.take("INVITE");
        let no = stand.peer.reply(&again, status).with("Retry-After", wait);
        stand.say(no);
        assert_eq!(stand.alice.statuses(EventKind::Reject), [status]);
        stand.advance(seconds(40));
        assert_eq!(stand.peer.got(), ["ACK"]);
    }
}
