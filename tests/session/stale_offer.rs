//! A re-INVITE that waits to be sent again and whose offer is not the last description of ours any more (RFC 3264 §8, RFC
//! 5407 §3.3.1): it goes out with a new body or not at all.

use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand};
use crate::common::party::{answer_sdp, config, sdp, with_sdp};
use crate::common::reliable_callee::knows_password;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::{Body, EventKind, OutgoingState, Reason, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::offer_answer::{Party as Whose, StoredBody};
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
/// What alice answers meanwhile, and what she then wants.
const THIRD: &str = "v=0\r\no=alice 1 3 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const FOURTH: &str = "v=0\r\no=alice 1 4 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=inactive\r\n";
const FIFTH: &str = "v=0\r\no=alice 1 5 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=inactive\r\n";

/// Alice's re-INVITE with this body was refused and waits; GLARE_RETRY is the test's.
fn waiting(text: &str) -> Stand {
    refused(text, |refusal| refusal, 491)
}

fn refused(text: &str, with: impl Fn(Draft) -> Draft, status: u16) -> Stand {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::GlareRetry);
    stand.alice.reinvite(text);
    stand.exchange();
    let sent = stand.peer.take("INVITE");
    let refusal = with(stand.peer.reply(&sent, status));
    stand.say(refusal);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.last(EventKind::GlareRetry).flags, 0);
    stand
}

/// The peer's re-INVITE; the ACK has `ack`.
fn reinvited(stand: &mut Stand, offer: &str, answer: &'static str, ack: &str) {
    stand.alice.answers(EventKind::Reinvite, answer);
    let theirs = stand.peer.request("INVITE");
    let theirs = if offer.is_empty() { theirs } else { theirs.sdp(offer) };
    stand.say(theirs.clone());
    let ok = stand.peer.take("200 INVITE");
    let draft = stand.peer.ack(&theirs, &ok);
    stand.say(if ack.is_empty() { draft } else { draft.sdp(ack) });
}

/// An exchange.
fn exchanged(stand: &mut Stand) {
    reinvited(stand, OFFER, THIRD, "");
}

#[track_caller]
fn renew(stand: &mut Stand, text: &str) -> Result<(), ErrorKind> {
    let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.expect("a re-INVITE"));
    let done = stand.alice.agent.retry(now, outgoing, sdp(text).expect("a body")).map_err(|error| error.kind);
    stand.exchange();
    done
}

/// The last GLARE_RETRY asks for a body.
#[track_caller]
fn asks(stand: &Stand) {
    let event = stand.alice.last(EventKind::GlareRetry);
    assert_eq!((event.flags, event.status_code, event.reason), (flag::NEEDS_BODY, 491, Reason::GlareRetry));
    assert_eq!((event.outgoing, event.session), (stand.alice.outgoing, stand.alice.session));
    assert!((4_000_000..=8_000_000).contains(&event.delay_us), "{}", event.delay_us);
}

/// Refused for good with what it was refused with first; nothing was sent, the way is free.
#[track_caller]
fn given_up(stand: &mut Stand) {
    assert_eq!(stand.peer.got(), NOTHING);
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags, event.outgoing), (491, 0, stand.alice.outgoing));
    assert!(event.message.is_some());
    assert_eq!(stand.alice.count(EventKind::Reject), 1);
    assert_eq!(stand.alice.state(), GOOD);
    stand.alice.reinvite(FIFTH);
    stand.exchange();
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FIFTH));
}

/// However an exchange is completed meanwhile, or begun and taken back: without a new body nothing is sent.
#[test]
fn a_stale_offer_is_not_sent() {
    type Way = (&'static str, fn(&mut Stand));
    let ways: [Way; 5] = [
        ("their offer", exchanged),
        ("our offer", |stand| reinvited(stand, "", THIRD, ANSWER)),
        ("our offer, not answered", |stand| reinvited(stand, "", THIRD, "")),
        ("an answer that was shown, then refused", |stand| {
            stand.alice.hold(EventKind::Reinvite);
            let theirs = stand.peer.request("INVITE").sdp(OFFER);
            stand.say(theirs.clone());
            stand.alice.progress(183, THIRD);
            stand.alice.reject(488);
            stand.exchange();
            let no = stand.peer.take("488 INVITE");
            let ack = stand.peer.ack(&theirs, &no);
            stand.say(ack);
        }),
        ("by hand", |stand| {
            let (now, session) = (stand.alice.now(), stand.alice.session());
            for (whose, text) in [(Whose::Local, THIRD), (Whose::Remote, ANSWER)] {
                let body = sdp(text).unwrap().checked().unwrap();
                let act =
                    |session: &mut sipdlg::session::Session| session.transition(whose, StoredBody::of_local(&body));
                stand.alice.agent.by_hand(now, session, act).unwrap();
            }
            stand.exchange();
        }),
    ];
    for (way, act) in ways {
        for by_default in [false, true] {
            println!("{way}, default {by_default}");
            let mut stand = waiting(HOLD);
            if by_default {
                stand.alice.on(EventKind::GlareRetry, |agent, now, event| agent.event_default(now, event).unwrap());
            }
            act(&mut stand);
            asks(&stand);
            assert_eq!(stand.alice.count(EventKind::GlareRetry), 2, "told once");
            if !by_default {
                let delay = ms(stand.alice.last(EventKind::GlareRetry).delay_us / 1_000);
                stand.advance(delay - ms(10));
                assert_eq!(stand.alice.count(EventKind::Reject), 0);
                assert_eq!(
                    stand.alice.agent.outgoing(stand.alice.outgoing.unwrap()).unwrap().state(),
                    OutgoingState::WaitingRetry
                );
                stand.advance(ms(20));
            }
            given_up(&mut stand);
        }
    }
}

/// Nothing of ours came after its offer: it goes out as it was, and nobody is asked.
#[test]
fn what_is_not_stale_is_sent_as_it_was() {
    let nothing: fn(&mut Stand) = |_| {};
    let refuse: fn(&mut Stand) = |stand| {
        stand.alice.on(EventKind::Reinvite, |agent, now, event| {
            agent.reject(now, event.incoming.unwrap(), 488, &Default::default()).unwrap();
        });
        let theirs = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(theirs.clone());
        let no = stand.peer.take("488 INVITE");
        let ack = stand.peer.ack(&theirs, &no);
        stand.say(ack);
    };
    for (text, act) in [(HOLD, nothing), (HOLD, refuse), ("", nothing), ("", exchanged as fn(&mut Stand))] {
        let mut stand = waiting(text);
        if text.is_empty() {
            stand.alice.answers_in_ack(FOURTH);
        }
        act(&mut stand);
        stand.advance(ms(4_100));
        let again = stand.peer_replies("INVITE", 200, HELD);
        assert_eq!(again.sdp(), Some(text).filter(|text| !text.is_empty()));
        assert_eq!(stand.alice.count(EventKind::GlareRetry), 1);
    }
}

/// With a new body it goes out at its time, which is not sooner for that; all else is as it was.
#[test]
fn a_new_body_goes_out() {
    for late in [false, true] {
        let mut stand = Stand::alice_called();
        stand.alice.hold(EventKind::GlareRetry);
        let options = RequestOptions { headers: vec![b"Subject: hold", b"X-Content-Length: 7"], ..with_sdp(HOLD) };
        let (now, session) = (stand.alice.now(), stand.alice.session());
        stand.alice.outgoing = Some(stand.alice.agent.reinvite(now, session, options).unwrap());
        stand.exchange();
        let first = stand.peer_replies("INVITE", 491, "");
        stand.peer.take("ACK");
        let due = stand.alice.last(EventKind::GlareRetry).delay_us / 1_000;
        exchanged(&mut stand);
        asks(&stand);
        if late {
            stand.advance(ms(due + 3_900));
            assert_eq!(stand.peer.got(), NOTHING);
            renew(&mut stand, FOURTH).unwrap();
        } else {
            renew(&mut stand, FOURTH).unwrap();
            stand.advance(ms(due - 10));
            assert_eq!(stand.peer.got(), NOTHING, "RFC 3261 14.1: it waits its time");
            stand.advance(ms(20));
        }
        let again = stand.peer_replies("INVITE", 200, HELD);
        assert_eq!((again.sdp(), again.cseq()), (Some(FOURTH), first.cseq() + 1));
        let same =
            ["subject", "x-content-length", "from", "to", "call-id", "contact", "allow", "supported", "content-type"];
        assert!(same.iter().all(|name| first.all(name) == again.all(name)));
        assert_eq!(again.all("content-length").len(), 1);
        assert_eq!(stand.alice.last(EventKind::Accept).outgoing, stand.alice.outgoing);
        assert_eq!(stand.alice.state(), GOOD);
        assert_eq!(renew(&mut stand, FIFTH), Err(ErrorKind::State), "answered");
    }
}

/// A body of another kind, with a disposition: its lines are the new ones.
#[test]
fn the_lines_of_the_body_are_those_of_the_new_one() {
    let mut stand = waiting(HOLD);
    let body = Body { content: b"what", content_type: Some(b"application/x-sdp"), disposition: Some(b"session") };
    let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.unwrap());
    stand.alice.agent.retry(now, outgoing, body).unwrap();
    stand.advance(ms(4_100));
    let again = stand.peer_replies("INVITE", 200, HELD);
    assert_eq!((again.body.as_str(), again.all("content-type")), ("what", vec!["application/x-sdp"]));
    assert_eq!((again.all("content-disposition"), again.all("content-length")), (vec!["session"], vec!["4"]));
}

/// Given before it is asked for, and more than once: the last counts, until it is stale as well.
#[test]
fn a_body_before_it_is_asked_for() {
    let mut stand = waiting(HOLD);
    renew(&mut stand, THIRD).unwrap();
    renew(&mut stand, FOURTH).unwrap();
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FOURTH));
    // Stale again.
    let mut stand = waiting(HOLD);
    renew(&mut stand, FOURTH).unwrap();
    exchanged(&mut stand);
    asks(&stand);
    renew(&mut stand, FIFTH).unwrap();
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FIFTH));
    // From the function that answers the peer.
    let mut stand = waiting(HOLD);
    let outgoing = stand.alice.outgoing.unwrap();
    stand.alice.on(EventKind::Reinvite, move |agent, now, event| {
        agent.accept(now, event.incoming.unwrap(), 200, &answer_sdp(THIRD)).unwrap();
        agent.retry(now, outgoing, sdp(FOURTH).unwrap()).unwrap();
    });
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&theirs, &ok);
    stand.say(ack);
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FOURTH));
}

/// The peer's next re-INVITE comes between the new body and its turn: the wait goes on, and that body is stale too.
#[test]
fn the_peer_comes_again() {
    let mut stand = waiting(HOLD);
    exchanged(&mut stand);
    renew(&mut stand, FOURTH).unwrap();
    stand.alice.hold(EventKind::Reinvite);
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    stand.advance(seconds(9));
    assert_eq!(stand.alice.last(EventKind::GlareRetry).flags, 0, "the peer's is open");
    assert_eq!(renew(&mut stand, FOURTH), Ok(()), "also then");
    assert_eq!(stand.peer.got(), ["100 INVITE"]);
    stand.alice.accept(THIRD);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    asks(&stand);
    let ack = stand.peer.ack(&theirs, &ok);
    stand.say(ack);
    renew(&mut stand, FIFTH).unwrap();
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FIFTH));
    assert_eq!(stand.alice.state(), GOOD);
}

/// The new body is refused as the first one was: each round for itself.
#[test]
fn round_after_round() {
    let mut stand = waiting(HOLD);
    for text in [FOURTH, FIFTH] {
        exchanged(&mut stand);
        asks(&stand);
        renew(&mut stand, text).unwrap();
        stand.advance(ms(4_100));
        assert_eq!(stand.peer_replies("INVITE", 491, "").sdp(), Some(text));
        stand.peer.take("ACK");
        assert_eq!(stand.alice.last(EventKind::GlareRetry).flags, 0);
    }
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FIFTH), "no exchange since");
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
}

/// 500 with Retry-After waits in the same way, and is told with its 500.
#[test]
fn a_500_with_retry_after_too() {
    for renews in [false, true] {
        let mut stand = refused(HOLD, |refusal| refusal.with("Retry-After", "7"), 500);
        exchanged(&mut stand);
        let event = stand.alice.last(EventKind::GlareRetry);
        assert_eq!((event.flags, event.status_code), (flag::NEEDS_BODY, 500));
        assert!((10_900_000..=11_000_000).contains(&event.delay_us), "{}", event.delay_us);
        if renews {
            renew(&mut stand, FOURTH).unwrap();
        }
        stand.advance(ms(6_990));
        assert_eq!(stand.peer.got(), NOTHING);
        stand.advance(ms(4_100));
        if renews {
            assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FOURTH));
        } else {
            assert_eq!((stand.alice.statuses(EventKind::Reject), stand.peer.got()), (vec![500], vec![]));
        }
    }
}

/// Called off while it waits for its body: by the host, by the end of the call, by a host that does not listen.
#[test]
fn it_is_called_off() {
    let mut stand = waiting(HOLD);
    exchanged(&mut stand);
    assert!(stand.alice.cancel());
    assert_eq!(renew(&mut stand, FOURTH), Err(ErrorKind::State));
    given_up(&mut stand);
    let mut stand = waiting(HOLD);
    exchanged(&mut stand);
    stand.alice.hangup();
    stand.exchange();
    assert_eq!(stand.alice.statuses(EventKind::Reject), [491]);
    stand.peer_replies("BYE", 200, "");
    for disposed_first in [true, false] {
        let mut stand = waiting(HOLD);
        let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.unwrap());
        if disposed_first {
            stand.alice.agent.dispose_outgoing(now, outgoing).unwrap();
            exchanged(&mut stand);
        } else {
            exchanged(&mut stand);
            stand.alice.agent.dispose_outgoing(now, outgoing).unwrap();
        }
        stand.exchange();
        assert!(stand.alice.agent.outgoing(outgoing).is_err());
        assert_eq!(stand.alice.count(EventKind::Reject), 0);
        stand.advance(seconds(10));
        assert_eq!(stand.peer.got(), NOTHING);
        stand.alice.reinvite(FOURTH);
        stand.exchange();
        stand.peer_replies("INVITE", 200, HELD);
    }
}

/// A challenge of the retry is answered with the new body.
#[test]
fn a_challenge_of_the_retry() {
    let mut alice = config("alice");
    alice.add_credentials(Some(b"example.com"), b"alice", b"wonderland", false, None).unwrap();
    let mut stand = Stand::with(alice);
    knows_password(&mut stand);
    stand.alice.hold(EventKind::GlareRetry);
    stand.peer_calls();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    exchanged(&mut stand);
    renew(&mut stand, FOURTH).unwrap();
    stand.advance(ms(4_100));
    let again = stand.peer.take("INVITE");
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\"";
    let unauthorized = stand.peer.reply(&again, 401).with("WWW-Authenticate", challenge);
    stand.say(unauthorized);
    stand.peer.take("ACK");
    let authorized = stand.peer_replies("INVITE", 200, HELD);
    assert_eq!((again.sdp(), authorized.sdp()), (Some(FOURTH), Some(FOURTH)));
    assert!(authorized.get("authorization").is_some());
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 3262 §5: a PRACK of the re-INVITE itself had a later offer; then the re-INVITE failed for now.
#[test]
fn an_offer_in_its_own_prack() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::GlareRetry);
    let flags = sipdlg::agent::options::request_flag::MANUAL_PRACK;
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { flags, ..with_sdp(HOLD) };
    stand.alice.outgoing = Some(stand.alice.agent.reinvite(now, session, options).unwrap());
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let progress = stand.peer.reply(&invite, 183).reliable(1).sdp(HELD);
    stand.say(progress);
    stand.alice.agent.prack(now, session, with_sdp(THIRD)).unwrap();
    stand.exchange();
    stand.peer_replies("PRACK", 200, HELD);
    let glare = stand.peer.reply(&invite, 491);
    stand.say(glare);
    stand.peer.take("ACK");
    asks(&stand);
    assert_eq!(stand.alice.count(EventKind::GlareRetry), 1);
    renew(&mut stand, FOURTH).unwrap();
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(FOURTH));
}

/// What is refused changes nothing.
#[test]
fn when_there_is_nothing_to_renew() {
    let mut stand = Stand::alice_called();
    stand.alice.hold(EventKind::GlareRetry);
    stand.alice.reinvite(HOLD);
    assert_eq!(renew(&mut stand, FOURTH), Err(ErrorKind::State), "sent");
    stand.peer_replies("INVITE", 491, "");
    stand.peer.take("ACK");
    let (now, outgoing) = (stand.alice.now(), stand.alice.outgoing.unwrap());
    let long = "x".repeat(70_000);
    for (content, content_type, kind) in [
        ("", None, ErrorKind::Argument),
        ("x", Some("a\r\nb"), ErrorKind::Syntax),
        ("x", Some("sdp"), ErrorKind::Syntax),
        (&long, None, ErrorKind::Limit),
    ] {
        let body =
            Body { content: content.as_bytes(), content_type: content_type.map(str::as_bytes), disposition: None };
        assert_eq!(stand.alice.agent.retry(now, outgoing, body).unwrap_err().kind, kind);
    }
    stand.advance(ms(4_100));
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).sdp(), Some(HOLD));
    let info = stand.alice.info();
    assert_eq!(stand.alice.agent.retry(now, info, sdp(HOLD).unwrap()).unwrap_err().kind, ErrorKind::State);
    stand.exchange();
    stand.peer_replies("INFO", 200, "");
}

/// Both sides retry and renew, in either role: the versions of each side only rise.
#[test]
fn two_agents_meet_again_and_again() {
    for seed in 0..10 {
        let mut pair = Pair::seeded(seed);
        pair.call();
        for (party, first) in [(&mut pair.alice, 10), (&mut pair.bob, 20)] {
            let mut version = first;
            let mut next = move || {
                version += 1;
                format!("v=0\r\no=x {first} {version} IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
            };
            party.reinvite(&next());
            let next = std::rc::Rc::new(std::cell::RefCell::new(next));
            let answer = std::rc::Rc::clone(&next);
            party.on(EventKind::Reinvite, move |agent, now, event| {
                let text = answer.borrow_mut()();
                agent.accept(now, event.incoming.unwrap(), 200, &answer_sdp(&text)).unwrap();
            });
            party.on(EventKind::GlareRetry, move |agent, now, event| {
                if event.flags & flag::NEEDS_BODY != 0 {
                    let text = next.borrow_mut()();
                    agent.retry(now, event.outgoing.unwrap(), sdp(&text).unwrap()).unwrap();
                }
            });
        }
        pair.exchange();
        pair.advance(seconds(20));
        for name in ["alice", "bob"] {
            let sent = pair.wire.trace.messages_from(name);
            let versions: Vec<u32> = sent
                .iter()
                .filter_map(|sip| sip.sdp()?.split(' ').nth(2)?.parse().ok())
                .filter(|version| *version > 9)
                .collect();
            assert!(versions.len() >= 3 && versions.is_sorted(), "{name} {versions:?}");
        }
        let accepted = |party: &crate::common::party::Party| party.statuses(EventKind::Accept);
        assert_eq!((accepted(&pair.alice), accepted(&pair.bob)), (vec![200, 200], vec![200]));
    }
}
