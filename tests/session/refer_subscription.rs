//! The subscription that a REFER makes: whether there is one, how long it lives, what ends it (RFC 4488, RFC 6665).

use crate::common::pair::{Pair, Stand};
use crate::common::party::config;
use crate::common::refer::{CAROL, accepts, notify_of, refer_of, refer_with};
use crate::common::seconds;
use sipdlg::agent::event::flag;
use sipdlg::agent::{EventKind, OutgoingId, Reason, ResponseOptions};
use sipdlg::config::quirk;
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SessionState;
use sipdlg::time::Now;

/// RFC 4488 §4: Refer-Sub: false asks; only the 2xx grants.
#[test]
fn refer_without_a_subscription() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    let refer = refer_with(&mut pair.alice, Some(CAROL), None, &[b"Refer-Sub: false"]).unwrap();
    pair.exchange();
    assert_eq!(pair.since(4), ["alice REFER", "bob 200 REFER"]);
    assert_eq!(pair.wire.trace.messages("bob", "200 REFER")[0].value("refer-sub"), "false");
    assert!(pair.alice.agent.outgoing(refer).is_err());
    assert_eq!(pair.bob.living()[1], 0);
    // The host may say it itself.
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        let headers = vec![&b"Refer-Sub: false"[..]];
        let options = ResponseOptions { headers, ..ResponseOptions::default() };
        agent.accept(now, event.incoming.unwrap(), 0, &options).unwrap();
    });
    refer_with(&mut pair.alice, Some(CAROL), None, &[b"Refer-Sub: false"]).unwrap();
    pair.exchange();
    assert_eq!(pair.since(6), ["alice REFER", "bob 200 REFER"]);
    assert_eq!(pair.wire.trace.messages("bob", "200 REFER")[1].all("refer-sub"), ["false"]);
    // The callee may want one all the same.
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        let headers = vec![&b"Refer-Sub: true"[..]];
        let options = ResponseOptions { headers, ..ResponseOptions::default() };
        agent.accept(now, event.incoming.unwrap(), 0, &options).unwrap();
    });
    let refer = refer_with(&mut pair.alice, Some(CAROL), None, &[b"Refer-Sub: false"]).unwrap();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Notify), [100]);
    assert!(pair.alice.agent.outgoing(refer).is_ok());
}

#[test]
fn a_refer_sub_that_nobody_asked_for_grants_nothing() {
    let mut stand = Stand::alice_called();
    let refer = stand.alice.refer(CAROL);
    stand.exchange();
    let asked = stand.peer.take("REFER");
    let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>").with("Refer-Sub", "false");
    stand.say(ok);
    assert!(stand.alice.agent.outgoing(refer).is_ok());
}

/// RFC 5057 §5.5, RFC 5407 §3.3.3: the subscription outlives the BYE, on both sides.
#[test]
fn the_subscription_outlives_the_call() {
    for alice_hangs_up in [true, false] {
        let mut pair = Pair::confirmed();
        accepts(&mut pair.bob);
        let refer = pair.alice.refer(CAROL);
        pair.exchange();
        let asked = pair.bob.incoming();
        if alice_hangs_up {
            pair.alice.hangup();
        } else {
            pair.bob.hangup();
        }
        pair.exchange();
        assert_eq!((pair.alice.count(EventKind::Terminated), pair.bob.count(EventKind::Terminated)), (1, 1));
        assert_eq!((pair.alice.living()[0], pair.bob.living()[0]), (0, 0));
        assert_eq!(pair.bob.agent.session(pair.bob.session()).unwrap_err().kind, ErrorKind::Stale);
        pair.advance(seconds(60));
        let now = pair.bob.now();
        pair.bob.agent.incoming_notify(now, asked, 180, None).unwrap();
        pair.exchange();
        pair.bob.agent.incoming_notify(now, asked, 200, Some(b"Fine")).unwrap();
        pair.exchange();
        assert_eq!(pair.alice.statuses(EventKind::Notify), [100, 180, 200]);
        let last = pair.alice.last(EventKind::Notify);
        assert_eq!((last.session, last.outgoing), (None, Some(refer)));
        assert_eq!(pair.wire.trace.messages("bob", "NOTIFY")[2].body, "SIP/2.0 200 Fine\r\n");
        assert_eq!(pair.wire.trace.messages("alice", "200 NOTIFY").len(), 3);
        assert!(pair.alice.agent.outgoing(refer).is_err());
        assert!(pair.bob.agent.incoming(asked).is_err());
        let rest = pair.sent();
        pair.run_until_idle();
        assert_eq!(pair.since(rest), Vec::<String>::new());
    }
}

/// RFC 5057 §5.3: a NOTIFY that the host still looks at is not of the call, so the end of that does not answer it.
#[test]
fn a_notify_that_waits_outlives_the_call_too() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    pair.alice.hold(EventKind::Notify);
    pair.alice.refer(CAROL);
    pair.exchange();
    let waiting = pair.alice.incoming();
    pair.alice.hangup();
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("alice", "487 NOTIFY").len(), 0);
    pair.alice.incoming = Some(waiting);
    pair.alice.accept("");
    pair.exchange();
    assert_eq!(pair.wire.trace.messages("alice", "200 NOTIFY").len(), 1);
}

/// Nothing but NOTIFY and SUBSCRIBE passes in the dialog of a call that is over (RFC 5407 §3.2).
#[test]
fn all_else_gets_481_after_the_call() {
    let mut stand = Stand::peer_called();
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer.take("200 REFER");
    stand.peer_replies("NOTIFY", 200, "");
    let asked = stand.alice.incoming();
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    for method in ["INFO", "OPTIONS", "MESSAGE", "NOTIFY"] {
        let request = stand.peer.request(method).with("Event", "refer").with("Subscription-State", "active;expires=9");
        stand.say(request);
        stand.peer.take(&format!("481 {method}"));
    }
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer.take("481 REFER");
    stand.alice.incoming = Some(asked);
    stand.alice.notify(503);
    stand.exchange();
    assert_eq!(stand.peer.take("NOTIFY").value("subscription-state"), "terminated;reason=noresource");
}

/// RFC 6665 §4.2.2: expiry is told, reason timeout; then there is no subscription any more.
#[test]
fn a_subscription_expires() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    let refer = pair.alice.refer(CAROL);
    pair.exchange();
    let asked = pair.bob.incoming();
    pair.advance(seconds(599));
    assert_eq!(pair.wire.trace.messages("bob", "NOTIFY").len(), 1);
    pair.advance(seconds(2));
    let last = pair.wire.trace.messages("bob", "NOTIFY").pop().unwrap();
    assert_eq!(last.value("subscription-state"), "terminated;reason=timeout");
    assert_eq!(last.body, "SIP/2.0 100 Trying\r\n");
    assert!(pair.bob.agent.incoming(asked).is_err());
    assert!(pair.alice.agent.outgoing(refer).is_err());
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

/// A referrer that hears nothing more lets go: no NOTIFY in 64*T1 (RFC 6665 timer N), none after what was announced.
#[test]
fn a_silent_notifier_is_not_waited_for() {
    // What is believed of what a NOTIFY announces: a day at most; an hour where it announces nothing.
    for announced in [
        None,
        Some((";expires=100", 100)),
        Some(("", 3_600)),
        Some((";expires=86400", 86_400)),
        Some((";expires=86401", 86_400)),
        Some((";expires=4294967295", 86_400)),
    ] {
        let mut stand = Stand::alice_called();
        let refer = stand.alice.refer(CAROL);
        stand.exchange();
        let asked = stand.peer.take("REFER");
        let ok = stand.peer.reply(&asked, 202).with("Contact", "<sip:peer@192.0.2.2:5060>");
        stand.say(ok);
        assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 202], "RFC 7647 §5: treated as 200");
        let patience = match announced {
            None => seconds(32),
            Some((parameter, expires)) => {
                let notify = notify_of(&mut stand, "refer", &format!("active{parameter}"), "SIP/2.0 100 Trying");
                stand.say(notify);
                stand.peer.take("200 NOTIFY");
                seconds(expires + 32)
            }
        };
        stand.advance(patience - seconds(1));
        assert!(stand.alice.agent.outgoing(refer).is_ok(), "{announced:?}");
        assert_eq!(stand.alice.statuses(EventKind::Notify), announced.map_or(vec![], |_| vec![100]), "{announced:?}");
        stand.advance(seconds(2));
        assert!(stand.alice.agent.outgoing(refer).is_err(), "{announced:?}");
        lost(&stand, refer, Reason::None);
        let late = notify_of(&mut stand, "refer", "terminated;reason=noresource", "SIP/2.0 200 OK");
        stand.say(late);
        stand.peer.take("481 NOTIFY");
        assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    }
}

/// The last event says that nothing follows, and no NOTIFY did.
#[track_caller]
fn lost(stand: &Stand, refer: OutgoingId, reason: Reason) {
    let told = stand.alice.last(EventKind::Notify);
    assert_eq!((told.flags, told.outgoing, told.reason, told.status_code), (flag::LAST, Some(refer), reason, 0));
    assert!(told.incoming.is_none() && told.message.is_none());
}

/// RFC 5057 §5.1: a failure that hits the dialog ends every subscription in it, also that of a REFER which is unanswered
/// yet; the call may be over before.
#[test]
fn the_end_of_the_dialog_is_told() {
    for (accepted, hung_up) in [(true, false), (false, false), (true, true)] {
        let mut stand = Stand::alice_called();
        let refer = stand.alice.refer(CAROL);
        stand.exchange();
        let asked = stand.peer.take("REFER");
        let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>");
        if accepted {
            stand.say(ok.clone());
        }
        if hung_up {
            let theirs = refer_of(&mut stand);
            accepts(&mut stand.alice);
            stand.say(theirs);
            stand.peer.take("200 REFER");
            let bye = stand.peer.request("BYE");
            stand.say(bye);
            assert_eq!(stand.alice.count(EventKind::Terminated), 1);
            stand.peer_replies("NOTIFY", 404, "");
            lost(&stand, refer, Reason::DialogGone);
            assert!(stand.alice.agent.outgoing(refer).is_err());
            continue;
        }
        stand.alice.message("x");
        stand.exchange();
        stand.peer_replies("MESSAGE", 404, "");
        lost(&stand, refer, Reason::DialogGone);
        assert_eq!(stand.alice.agent.outgoing(refer).is_ok(), !accepted, "it has its answer to come");
        stand.peer_replies("BYE", 200, "");
        if !accepted {
            stand.say(ok);
            assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 200]);
            assert!(stand.alice.agent.outgoing(refer).is_err());
        }
    }
}

/// RFC 6665 §4.1.3, and the quirk: "terminated" with a provisional code, as SIP.js says it, ends nothing; the final code
/// does. What says why is believed.
#[test]
fn terminated_too_early() {
    // Subscription-State, fragment, whether the subscription goes on with the quirk.
    let rows = [
        ("terminated", "SIP/2.0 180 Ringing\r\n", true),
        ("Terminated;reason=NoResource", "SIP/2.0 100 Trying\r\n", true),
        ("terminated;x=y", "sip/2.0 183 Session Progress\n", true),
        ("terminated;reason=timeout", "SIP/2.0 100 Trying\r\n", false),
        ("terminated;reason=rejected", "SIP/2.0 180 Ringing\r\n", false),
        ("terminated", "SIP/2.0 200 OK\r\n", false),
        ("terminated;reason=noresource", "SIP/2.0 503 Service Unavailable\r\n", false),
        ("terminated", "what", false),
    ];
    for (state, fragment, goes_on) in rows {
        for quirk_on in [true, false] {
            let mut config = config("alice");
            if !quirk_on {
                config.set_tolerance(quirk::ALL & !quirk::OFF & !quirk::EARLY_TERMINATED).unwrap();
            }
            let mut stand = Stand::with(config);
            stand.peer_calls();
            let refer = stand.alice.refer(CAROL);
            stand.exchange();
            let asked = stand.peer.take("REFER");
            let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>");
            stand.say(ok);
            let notify = notify_of(&mut stand, "refer", state, fragment);
            stand.say(notify);
            stand.peer.take("200 NOTIFY");
            let lives = goes_on && quirk_on;
            let row = format!("{state} {fragment} {quirk_on}");
            assert_eq!(stand.alice.agent.outgoing(refer).is_ok(), lives, "{row}");
            assert_eq!(stand.alice.last(EventKind::Notify).flags, if lives { 0 } else { flag::LAST }, "{row}");
            let counted = stand.alice.agent.stats().quirks[quirk::EARLY_TERMINATED.trailing_zeros() as usize];
            assert_eq!(counted, u64::from(lives), "{row}");
            // Ringing may take its time.
            stand.advance(seconds(300));
            let notify = notify_of(&mut stand, "refer", "terminated", "SIP/2.0 200 OK\r\n");
            stand.say(notify);
            stand.peer.take(if lives { "200 NOTIFY" } else { "481 NOTIFY" });
            let told = stand.alice.last(EventKind::Notify);
            assert_eq!((told.status_code, told.outgoing), (200, Some(refer).filter(|_| lives)), "{row}");
            assert_eq!(told.flags, if lives { flag::LAST } else { 0 }, "{row}");
            assert!(stand.alice.agent.outgoing(refer).is_err(), "{row}");
        }
    }
}

/// Nothing follows the early word: the end is told all the same, also past the call.
#[test]
fn terminated_too_early_and_then_nothing() {
    for hung_up in [false, true] {
        let mut stand = Stand::alice_called();
        let refer = stand.alice.refer(CAROL);
        stand.exchange();
        let asked = stand.peer.take("REFER");
        let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>");
        stand.say(ok);
        if hung_up {
            stand.alice.hangup();
            stand.exchange();
            stand.peer_replies("BYE", 200, "");
        }
        let notify = notify_of(&mut stand, "refer", "terminated", "SIP/2.0 180 Ringing\r\n");
        stand.say(notify);
        stand.advance(seconds(631));
        assert_eq!(stand.alice.last(EventKind::Notify).flags, 0);
        stand.advance(seconds(2));
        lost(&stand, refer, Reason::None);
        assert!(stand.alice.agent.outgoing(refer).is_err());
        assert_eq!(stand.alice.last(EventKind::Notify).session.is_none(), hung_up);
    }
}

/// The event that tells the end is not taken back when the host looks away for so long that the NOTIFY gets its default.
#[test]
fn the_last_word_waits_for_the_host() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    let refer = pair.alice.refer(CAROL);
    pair.exchange();
    for status in [180, 200] {
        pair.bob.notify(status);
        let now = pair.bob.now();
        let notify = pair.bob.agent.poll_transmit().expect("a NOTIFY");
        let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(pair.alice.address), Some(pair.bob.address)) };
        pair.alice.agent.receive(now, &flow, &notify.bytes).expect("taken");
    }
    let now = pair.alice.now();
    pair.alice.agent.handle_timeout(Now { monotonic: now.monotonic.plus(seconds(40)), ..now });
    let told: Vec<_> = std::iter::from_fn(|| pair.alice.agent.poll_event()).map(|event| event.status_code).collect();
    assert_eq!(told, [200], "that of 180 is taken back");
    assert!(pair.alice.agent.outgoing(refer).is_err());
    pair.end_unjudged();
}

/// RFC 3515 §2.4.4: SUBSCRIBE refreshes or ends the subscription; of a REFER that was never accepted it gets 403.
#[test]
fn the_referrer_may_refresh_or_end_its_subscription() {
    let mut stand = Stand::peer_called();
    let subscribe = |stand: &mut Stand, event: &str, expires: &str| {
        let contact = format!("<{}>", stand.peer.contact);
        let subscribe = stand.peer.request("SUBSCRIBE").with("Contact", contact).with("Event", event);
        stand.say(subscribe.with("Expires", expires));
    };
    subscribe(&mut stand, "refer", "60");
    stand.peer.take("403 SUBSCRIBE");
    subscribe(&mut stand, "dialog", "60");
    assert_eq!(stand.peer.take("489 SUBSCRIBE").value("allow-events"), "refer");
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer_replies("NOTIFY", 200, "");
    let asked = stand.alice.incoming();
    stand.advance(seconds(500));
    subscribe(&mut stand, "refer", "200");
    assert_eq!(stand.peer.take("200 SUBSCRIBE").value("expires"), "200");
    assert_eq!(stand.peer_replies("NOTIFY", 200, "").value("subscription-state"), "active;expires=200");
    stand.advance(seconds(150));
    assert!(stand.alice.agent.incoming(asked).is_ok());
    subscribe(&mut stand, "refer", "0");
    assert_eq!(stand.peer.take("200 SUBSCRIBE").value("expires"), "0");
    assert_eq!(stand.peer_replies("NOTIFY", 200, "").value("subscription-state"), "terminated;reason=timeout");
    assert!(stand.alice.agent.incoming(asked).is_err());
    subscribe(&mut stand, "refer", "60");
    stand.peer.take("403 SUBSCRIBE");
}

/// What a peer may hold in one dialog has an end, however many REFERs wait for the host.
#[test]
fn subscriptions_have_a_limit() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Refer);
    for _ in 0..20 {
        let refer = refer_of(&mut stand);
        stand.say(refer);
    }
    let asked: Vec<_> = stand.alice.events.iter().filter(|event| event.kind == EventKind::Refer).cloned().collect();
    let now = stand.alice.now();
    let taken = asked.iter().map(|event| {
        stand
            .alice
            .agent
            .accept(now, event.incoming.unwrap(), 0, &ResponseOptions::default())
            .map_err(|error| error.kind)
    });
    let taken: Vec<_> = taken.collect();
    assert_eq!((taken.iter().filter(|taken| taken.is_ok()).count(), taken.last()), (16, Some(&Err(ErrorKind::Limit))));
    stand.exchange();
}

/// The host forgets its REFER: what still comes gets 481, which ends it on the other side.
#[test]
fn a_disposed_refer_hears_nothing() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    let refer = pair.alice.refer(CAROL);
    pair.exchange();
    let now = pair.alice.now();
    pair.alice.agent.dispose_outgoing(now, refer).unwrap();
    pair.bob.notify(180);
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Notify), [100, 180], "the REFER is gone");
    assert!(pair.alice.last(EventKind::Notify).outgoing.is_none());
    assert_eq!(pair.wire.trace.messages("alice", "481 NOTIFY").len(), 1);
    assert_eq!(pair.bob.living()[1], 0);
}
