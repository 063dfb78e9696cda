//! REFER, both ways, and the subscription that it makes (RFC 3515, RFC 4488, RFC 6665, RFC 7647).

use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand, TO_ALICE, TO_BOB};
use crate::common::party::{Party, config, with_sdp};
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, OutgoingId, RequestOptions, ResponseOptions, SessionId};
use sipdlg::error::{ErrorKind, Result};
use sipdlg::flow::Transport;
use sipdlg::session::SessionState;

const CAROL: &str = "sip:carol@example.com";

fn accepts(party: &mut Party) {
    party.answers(EventKind::Refer, "");
}

fn refer_with(
    party: &mut Party,
    to: Option<&str>,
    replaces: Option<SessionId>,
    headers: &[&[u8]],
) -> Result<OutgoingId> {
    let options = RequestOptions { headers: headers.to_vec(), ..RequestOptions::default() };
    let (now, session) = (party.now(), party.session());
    party.agent.refer(now, session, to.map(str::as_bytes), replaces, options)
}

/// REFER of the peer in alice's call.
fn refer_of(stand: &mut Stand) -> Draft {
    let contact = format!("<{}>", stand.peer.contact);
    stand.peer.request("REFER").with("Contact", contact).with("Refer-To", format!("<{CAROL}>"))
}

/// Who refers, and who is asked.
fn roles(pair: &mut Pair, alice_refers: bool) -> (&mut Party, &mut Party) {
    if alice_refers { (&mut pair.alice, &mut pair.bob) } else { (&mut pair.bob, &mut pair.alice) }
}

/// RFC 3515 §4.1: 200, NOTIFY at once, the final NOTIFY ends the subscription and with it both tokens.
#[test]
fn a_transfer_is_told_step_by_step() {
    for alice_refers in [true, false] {
        let mut pair = Pair::confirmed();
        let (referrer, referee) = roles(&mut pair, alice_refers);
        accepts(referee);
        let refer = referrer.refer(CAROL);
        pair.exchange();
        let (referrer, referee) = roles(&mut pair, alice_refers);
        let asked = referee.last(EventKind::Refer).clone();
        assert_eq!(asked.session, referee.session);
        let told = referrer.last(EventKind::Notify);
        assert_eq!((told.outgoing, told.session, told.status_code), (Some(refer), referrer.session, 100));
        referee.notify(180);
        referee.notify(200);
        let now = referee.now();
        let gone = referee.agent.incoming_notify(now, asked.incoming.unwrap(), 180, None).unwrap_err();
        assert_eq!(gone.kind, ErrorKind::Stale, "a final code ends the token");
        pair.exchange();
        let (referrer, referee) = roles(&mut pair, alice_refers);
        assert_eq!(referrer.statuses(EventKind::Notify), [100, 180, 200]);
        assert!(referrer.events.iter().filter(|e| e.kind == EventKind::Notify).all(|e| e.outgoing == Some(refer)));
        assert_eq!(referrer.agent.outgoing(refer).unwrap_err().kind, ErrorKind::Stale);
        assert_eq!(referrer.statuses(EventKind::Accept).last(), Some(&200));
        assert_eq!((referrer.state().0, referee.state().0), (SessionState::Confirmed, SessionState::Confirmed));
        let (one, other) = if alice_refers { ("alice", "bob") } else { ("bob", "alice") };
        let wire = &pair.wire.trace;
        assert_eq!(wire.messages(one, "REFER")[0].value("refer-to"), format!("<{CAROL}>"));
        let notifies = wire.messages(other, "NOTIFY");
        let states: Vec<_> = notifies.iter().map(|notify| notify.value("subscription-state")).collect();
        assert_eq!(
            states,
            ["active;expires=600", "active;expires=599", "terminated;reason=noresource"],
            "whole seconds"
        );
        let bodies: Vec<_> = notifies.iter().map(|notify| notify.body.as_str()).collect();
        assert_eq!(bodies, ["SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n"]);
        assert!(notifies.iter().all(|notify| notify.value("event") == "refer"));
        assert_eq!(wire.messages(one, "200 NOTIFY").len(), 3);
    }
}

/// RFC 5057 §5.6: 603 is the safest refusal.
#[test]
fn without_a_taker_it_is_declined() {
    let mut pair = Pair::confirmed();
    let refer = pair.alice.refer(CAROL);
    pair.exchange();
    assert_eq!(pair.since(4), ["alice REFER", "bob 603 REFER"]);
    assert_eq!(pair.alice.statuses(EventKind::Reject), [603]);
    assert_eq!(pair.alice.agent.outgoing(refer).unwrap_err().kind, ErrorKind::Stale);
    assert_eq!(pair.alice.state().0, SessionState::Confirmed);
}

/// RFC 3515 §2.4.2: exactly one Refer-To, before any host; nothing changes but the number.
#[test]
fn a_malformed_refer_gets_400_before_any_host() {
    let mut stand = Stand::peer_called();
    accepts(&mut stand.alice);
    let before = stand.alice.agent.session(stand.alice.session()).unwrap().state_text();
    let number = stand.peer.cseq;
    for values in [&[][..], &["<sip:a@b>", "<sip:c@d>"], &["<sip:a@b>, <sip:c@d>"], &["carol"], &["<sip:@@>"]] {
        let mut refer = refer_of(&mut stand).without("Refer-To");
        for value in values {
            refer = refer.with("Refer-To", *value);
        }
        stand.say(refer);
        stand.peer.take("400 REFER");
    }
    let refer = refer_of(&mut stand).with("Referred-By", "<sip:a@b>").with("Referred-By", "<sip:c@d>");
    stand.say(refer);
    stand.peer.take("400 REFER");
    assert_eq!(stand.alice.count(EventKind::Refer), 0);
    let after = stand.alice.agent.session(stand.alice.session()).unwrap().state_text();
    let counted = |text: &str, number: u32| text.replace(&format!("/{number} secure"), "/N secure");
    assert_eq!(counted(&after, stand.peer.cseq), counted(&before, number));
}

/// RFC 3515 §2.4.6: the second REFER of a dialog and those after it are told apart by `id`, whatever became of the first.
#[test]
fn later_refers_carry_an_id() {
    let mut pair = Pair::confirmed();
    pair.alice.refer(CAROL);
    pair.exchange();
    accepts(&mut pair.bob);
    let second = pair.alice.refer(CAROL);
    let third = pair.alice.refer("sip:dave@example.com");
    pair.exchange();
    let events: Vec<_> =
        pair.wire.trace.messages("bob", "NOTIFY").iter().map(|notify| notify.value("event").to_owned()).collect();
    assert_eq!(events, ["refer;id=3", "refer;id=4"]);
    let named: Vec<_> =
        pair.alice.events.iter().filter(|e| e.kind == EventKind::Notify).filter_map(|e| e.outgoing).collect();
    assert_eq!(named, [second, third]);
    pair.bob.notify(486);
    pair.exchange();
    assert_eq!(pair.alice.last(EventKind::Notify).outgoing, Some(third));
    assert!(pair.alice.agent.outgoing(second).is_ok());
    assert!(pair.alice.agent.outgoing(third).is_err());
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
    let notify = stand.peer.take("NOTIFY");
    let ok = stand.peer.reply(&notify, 200);
    stand.say(ok);
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
    for announced in [None, Some(100)] {
        let mut stand = Stand::alice_called();
        let refer = stand.alice.refer(CAROL);
        stand.exchange();
        let asked = stand.peer.take("REFER");
        let ok = stand.peer.reply(&asked, 202).with("Contact", "<sip:peer@192.0.2.2:5060>");
        stand.say(ok);
        assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 202], "RFC 7647 §5: treated as 200");
        let patience = match announced {
            None => seconds(32),
            Some(expires) => {
                let notify = notify_of(&mut stand, "refer", &format!("active;expires={expires}"), "SIP/2.0 100 Trying");
                stand.say(notify);
                stand.peer.take("200 NOTIFY");
                seconds(expires + 32)
            }
        };
        stand.advance(patience - seconds(1));
        assert!(stand.alice.agent.outgoing(refer).is_ok(), "{announced:?}");
        stand.advance(seconds(2));
        assert!(stand.alice.agent.outgoing(refer).is_err(), "{announced:?}");
        let late = notify_of(&mut stand, "refer", "terminated;reason=noresource", "SIP/2.0 200 OK");
        stand.say(late);
        stand.peer.take("481 NOTIFY");
        assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    }
}

fn notify_of(stand: &mut Stand, event: &str, state: &str, fragment: &str) -> Draft {
    let contact = format!("<{}>", stand.peer.contact);
    let notify = stand.peer.request("NOTIFY").with("Contact", contact).with("Event", event);
    notify.with("Subscription-State", state).content("message/sipfrag;version=2.0", fragment)
}

/// RFC 3515 §2.4.4: the NOTIFY may overtake the 2xx, and even end the subscription before.
#[test]
fn a_notify_may_overtake_the_2xx() {
    let mut stand = Stand::alice_called();
    let refer = stand.alice.refer(CAROL);
    stand.exchange();
    let asked = stand.peer.take("REFER");
    for (state, fragment) in
        [("active;expires=60", "SIP/2.0 100 Trying"), ("terminated;reason=noresource", "SIP/2.0 200 OK")]
    {
        let notify = notify_of(&mut stand, "refer", state, fragment);
        stand.say(notify);
        stand.peer.take("200 NOTIFY");
        assert_eq!(stand.alice.last(EventKind::Notify).outgoing, Some(refer));
        assert!(stand.alice.agent.outgoing(refer).is_ok(), "its answer is still to come");
    }
    let ok = stand.peer.reply(&asked, 200).with("Contact", "<sip:peer@192.0.2.2:5060>");
    stand.say(ok);
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 200]);
    assert!(stand.alice.agent.outgoing(refer).is_err());
}

/// RFC 6665 §4.2.2: codes that say that nobody listens end the subscription; others do not.
#[test]
fn the_answer_to_a_notify_may_end_the_subscription() {
    for (status, ends) in
        [(481, true), (489, true), (405, true), (404, true), (500, false), (486, false), (302, false), (0, true)]
    {
        let mut stand = Stand::peer_called();
        accepts(&mut stand.alice);
        let refer = refer_of(&mut stand);
        stand.say(refer);
        stand.peer.take("200 REFER");
        let notify = stand.peer.take("NOTIFY");
        if status == 0 {
            stand.advance(seconds(33));
        } else {
            let answer = stand.peer.reply(&notify, status);
            stand.say(answer);
        }
        let asked = stand.alice.incoming();
        assert_eq!(stand.alice.agent.incoming(asked).is_err(), ends, "{status}");
        // 404 speaks of the whole dialog (RFC 5057 §5.1).
        let state = if status == 404 { SessionState::Terminated } else { SessionState::Confirmed };
        assert_eq!(stand.alice.state().0, state, "{status}");
    }
}

/// RFC 5057 §5.3: 481 or silence to a REFER ends what the REFER asked for, not the call; 404 ends the dialog.
#[test]
fn a_failed_refer_leaves_the_call() {
    for (status, state) in [
        (481, SessionState::Confirmed),
        (0, SessionState::Confirmed),
        (302, SessionState::Confirmed),
        (404, SessionState::Terminated),
    ] {
        let mut stand = Stand::alice_called();
        let refer = stand.alice.refer(CAROL);
        stand.exchange();
        let asked = stand.peer.take("REFER");
        if status == 0 {
            stand.advance(seconds(33));
        } else {
            let answer = stand.peer.reply(&asked, status);
            stand.say(answer);
        }
        assert!(stand.alice.agent.outgoing(refer).is_err(), "{status}");
        assert_eq!(stand.alice.state().0, state, "{status}");
    }
}

/// RFC 5407 §3.3.3: REFER meets BYE: 481, and nothing is left.
#[test]
fn refer_meets_bye() {
    let mut pair = Pair::confirmed();
    accepts(&mut pair.bob);
    pair.alice.refer(CAROL);
    pair.bob.hangup();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [481]);
    pair.run_until_idle();
    assert_eq!((pair.alice.living(), pair.bob.living()), ([0; 5], [0; 5]));
}

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
    let answer = |stand: &mut Stand| {
        let notify = stand.peer.take("NOTIFY");
        let ok = stand.peer.reply(&notify, 200);
        stand.say(ok);
        notify
    };
    answer(&mut stand);
    let asked = stand.alice.incoming();
    stand.advance(seconds(500));
    subscribe(&mut stand, "refer", "200");
    assert_eq!(stand.peer.take("200 SUBSCRIBE").value("expires"), "200");
    assert_eq!(answer(&mut stand).value("subscription-state"), "active;expires=200");
    stand.advance(seconds(150));
    assert!(stand.alice.agent.incoming(asked).is_ok());
    subscribe(&mut stand, "refer", "0");
    assert_eq!(stand.peer.take("200 SUBSCRIBE").value("expires"), "0");
    assert_eq!(answer(&mut stand).value("subscription-state"), "terminated;reason=timeout");
    assert!(stand.alice.agent.incoming(asked).is_err());
    subscribe(&mut stand, "refer", "60");
    stand.peer.take("403 SUBSCRIBE");
}

/// RFC 3891 §6.1, RFC 5589 §7: the tags as the target of the transfer sees them; escaped.
#[test]
fn attended_transfer_puts_replaces_into_refer_to() {
    let mut pair = Pair::confirmed();
    let first = pair.alice.session();
    pair.call();
    let consulted = pair.alice.session();
    pair.alice.session = Some(first);
    assert_eq!(refer_with(&mut pair.alice, None, Some(first), &[]).unwrap_err().kind, ErrorKind::Argument);
    refer_with(&mut pair.alice, None, Some(consulted), &[]).unwrap();
    refer_with(&mut pair.alice, Some("<sip:bob@example.com?Subject=x>"), Some(consulted), &[]).unwrap();
    pair.exchange();
    let session = pair.alice.agent.session(consulted).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (call_id, theirs, ours) = (text(session.call_id()), text(session.remote_tag()), text(session.local_tag()));
    let replaces = format!("Replaces={call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}");
    let target = text(session.remote_target());
    let refers = pair.wire.trace.messages("alice", "REFER");
    assert_eq!(refers[0].value("refer-to"), format!("<{target}?{replaces}>"));
    assert_eq!(refers[1].value("refer-to"), format!("<sip:bob@example.com?Subject=x&{replaces}>"));
}

/// What may stand in Refer-To; a refused call sends nothing and takes no number.
#[test]
fn refer_to_is_checked() {
    let mut pair = Pair::confirmed();
    let before = pair.alice.agent.session(pair.alice.session()).unwrap().state_text();
    let syntax = ErrorKind::Syntax;
    type Row = (Option<&'static str>, &'static [&'static [u8]], ErrorKind);
    let rows: [Row; 8] = [
        (None, &[], ErrorKind::Argument),
        (Some(""), &[], syntax),
        (Some("carol"), &[], syntax),
        (Some("<sip:a@b>, <sip:c@d>"), &[], syntax),
        (Some("sip:a@b\r\nX: y"), &[], syntax),
        (Some("<sip:a@b"), &[], syntax),
        (None, &[b"Refer-To: <sip:a@b>", b"Refer-To: <sip:c@d>"], syntax),
        (None, &[b"Refer-To: x"], syntax),
    ];
    for (to, headers, kind) in rows {
        let refused = refer_with(&mut pair.alice, to, None, headers).unwrap_err();
        assert_eq!(refused.kind, kind, "{to:?} {headers:?}: {}", refused.detail);
    }
    assert_eq!(pair.alice.agent.session(pair.alice.session()).unwrap().state_text(), before);
    assert!(!pair.alice.agent.has_output());
    refer_with(&mut pair.alice, Some("sip:c@d?Subject=x"), None, &[]).unwrap();
    refer_with(&mut pair.alice, Some("\"Carol\" <sip:c@d>"), None, &[]).unwrap();
    refer_with(&mut pair.alice, None, None, &[b"Refer-To: <tel:+1-201-555>", b"Referred-By: <sip:alice@example.com>"])
        .unwrap();
    pair.exchange();
    let sent: Vec<_> =
        pair.wire.trace.messages("alice", "REFER").iter().map(|refer| refer.value("refer-to").to_owned()).collect();
    assert_eq!(sent, ["<sip:c@d?Subject=x>", "\"Carol\" <sip:c@d>", "<tel:+1-201-555>"]);
}

/// Without the quirk not in an early dialog; the peer's REFER is delivered there, and its NOTIFYs go out.
#[test]
fn in_an_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    assert_eq!(refer_with(&mut stand.alice, Some(CAROL), None, &[]).unwrap_err().kind, ErrorKind::State);
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer.take("200 REFER");
    let notify = stand.peer.take("NOTIFY");
    let ok = stand.peer.reply(&notify, 200);
    stand.say(ok);
    // The INVITE fails: the subscription stays.
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    stand.peer.take("ACK");
    stand.alice.notify(200);
    stand.exchange();
    assert_eq!(stand.peer.take("NOTIFY").body, "SIP/2.0 200 OK\r\n");
}

/// A 202 is not sent any more (RFC 7647 §5); other answers are the host's.
#[test]
fn the_host_may_not_send_202() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Refer);
    pair.alice.refer(CAROL);
    pair.exchange();
    let (now, asked) = (pair.bob.now(), pair.bob.incoming());
    let refused = pair.bob.agent.accept(now, asked, 202, &ResponseOptions::default()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::State);
    assert_eq!(pair.bob.agent.incoming_notify(now, asked, 100, None).unwrap_err().kind, ErrorKind::State);
    pair.bob.reject(429);
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [429]);
}

/// Progress that comes faster than it is answered: few NOTIFYs are on their way, the newest is never lost.
#[test]
fn progress_does_not_flood() {
    let mut stand = Stand::peer_called();
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    for status in (180..190).cycle().take(100) {
        stand.alice.notify(status);
    }
    stand.exchange();
    let mut got = Vec::new();
    while stand.peer.got().contains(&"NOTIFY".to_owned()) {
        let notify = stand.peer.take("NOTIFY");
        got.push(notify.body.clone());
        let ok = stand.peer.reply(&notify, 200);
        stand.say(ok);
    }
    assert!(got.len() <= 12, "{}", got.len());
    assert_eq!(
        got.last().unwrap(),
        "SIP/2.0 189 Unknown\r\n".replace("Unknown", sipdlg::message::reason_phrase(189)).as_str()
    );
}

/// Each SUBSCRIBE brings a NOTIFY, but a peer that answers none of them is not sent ever more.
#[test]
fn refreshes_do_not_flood() {
    let mut stand = Stand::peer_called();
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    for _ in 0..100 {
        let contact = format!("<{}>", stand.peer.contact);
        let subscribe = stand.peer.request("SUBSCRIBE").with("Contact", contact).with("Event", "refer");
        stand.say(subscribe.with("Expires", "300"));
    }
    let sent = stand.peer.got().iter().filter(|got| *got == "NOTIFY").count();
    assert!((2..=8).contains(&sent), "{sent}");
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
    assert_eq!(pair.alice.statuses(EventKind::Notify), [100, 0], "the REFER is gone");
    assert!(pair.alice.last(EventKind::Notify).outgoing.is_none());
    assert_eq!(pair.wire.trace.messages("alice", "481 NOTIFY").len(), 1);
    assert_eq!(pair.bob.living()[1], 0);
}

/// RFC 3261 §22: NOTIFY after the end of the call may be challenged like any other request.
#[test]
fn a_notify_after_bye_answers_a_challenge() {
    let mut alice = config("alice");
    alice.add_credentials(None, b"alice", b"secret", false, None).unwrap();
    let mut stand = Stand::with(alice);
    stand.peer_calls();
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    let asked = stand.alice.incoming();
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    stand.alice.incoming = Some(asked);
    stand.alice.notify(200);
    stand.exchange();
    let notify = stand.peer.take("NOTIFY");
    let challenge = stand.peer.reply(&notify, 401).with("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
    stand.say(challenge);
    let again = stand.peer.take("NOTIFY");
    assert!(again.get("authorization").is_some());
    assert_eq!(again.cseq(), notify.cseq() + 1);
    let ok = stand.peer.reply(&again, 200);
    stand.say(ok);
}

/// RFC 3515 §2.1, RFC 3892: the INVITE that a REFER asks for, and its progress.
#[test]
fn an_invite_is_tied_to_its_refer() {
    let mut pair = Pair::confirmed();
    let call = pair.alice.session();
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        let options = RequestOptions { refer: event.incoming, ..with_sdp(OFFER) };
        agent.invite(now, None, options).unwrap();
    });
    pair.alice.on(EventKind::Invite, |agent, now, event| {
        let incoming = event.incoming.unwrap();
        agent.progress(now, incoming, 180, &ResponseOptions::default()).unwrap();
        agent.accept(now, incoming, 200, &crate::common::party::answer_sdp(ANSWER)).unwrap();
    });
    let to = format!("<{TO_ALICE};method=INVITE>");
    refer_with(&mut pair.alice, Some(&to), None, &[b"Referred-By: <sip:alice@example.com>;x=y"]).unwrap();
    pair.exchange();
    let wire = &pair.wire.trace;
    let invite = &wire.messages("bob", "INVITE")[0];
    assert_eq!(invite.uri(), TO_ALICE);
    assert_eq!(invite.value("referred-by"), "<sip:alice@example.com>;x=y");
    assert_eq!(wire.messages("bob", "200 REFER").len(), 1);
    let bodies: Vec<_> = wire.messages("bob", "NOTIFY").iter().map(|notify| notify.body.clone()).collect();
    assert_eq!(bodies, ["SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n"]);
    assert_eq!(pair.alice.statuses(EventKind::Notify), [100, 180, 200]);
    assert!(pair.alice.events.iter().filter(|e| e.kind == EventKind::Notify).all(|e| e.session == Some(call)));
}

/// It fails: rejected, unanswered, cancelled. Each is the last NOTIFY.
#[test]
fn the_failure_of_a_tied_invite_is_told() {
    for (uri, fragment) in
        [(TO_ALICE, "SIP/2.0 486 Busy Here\r\n"), ("sip:nobody@192.0.2.77", "SIP/2.0 503 Service Unavailable\r\n")]
    {
        let mut pair = Pair::confirmed();
        pair.bob.on(EventKind::Refer, |agent, now, event| {
            agent.invite(now, None, RequestOptions { refer: event.incoming, ..with_sdp(OFFER) }).unwrap();
        });
        pair.alice.refer(uri);
        pair.advance(seconds(40));
        let last = pair.wire.trace.messages("bob", "NOTIFY").pop().unwrap();
        assert_eq!((last.body.as_str(), last.value("subscription-state")), (fragment, "terminated;reason=noresource"));
        assert_eq!(pair.bob.living()[1], 0);
    }
}

/// What options.refer is refused for; nothing is sent, the REFER waits on.
#[test]
fn a_wrong_refer_is_refused() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Refer);
    pair.bob.hold(EventKind::Info);
    pair.alice.refer("<sip:a@b;method=BYE>");
    pair.exchange();
    let (now, refer) = (pair.bob.now(), pair.bob.incoming());
    pair.alice.info();
    pair.exchange();
    let info = pair.bob.incoming();
    let tied = |refer| RequestOptions { refer: Some(refer), ..with_sdp(OFFER) };
    assert_eq!(pair.bob.agent.invite(now, None, tied(refer)).unwrap_err().kind, ErrorKind::State);
    assert_eq!(pair.bob.agent.invite(now, None, tied(info)).unwrap_err().kind, ErrorKind::Argument);
    assert_eq!(pair.bob.agent.invite(now, None, with_sdp(OFFER)).unwrap_err().kind, ErrorKind::Argument);
    assert!(!pair.bob.agent.has_output());
    pair.bob.incoming = Some(refer);
    pair.bob.reject(0);
    assert_eq!(pair.bob.agent.invite(now, Some(b"sip:a@b"), tied(refer)).unwrap_err().kind, ErrorKind::Stale);
    pair.bob.incoming = Some(info);
    pair.bob.accept("");
}

/// Out of a dialog: 400 where nobody could be told, 603 by default; accepted, it makes a dialog for its subscription alone.
#[test]
fn a_refer_out_of_a_dialog() {
    let mut stand = Stand::new();
    let refer = refer_of(&mut stand).without("Contact");
    stand.say(refer);
    stand.peer.take("400 REFER");
    let refer = refer_of(&mut stand).without("Refer-To");
    stand.say(refer);
    stand.peer.take("400 REFER");
    assert_eq!(stand.alice.count(EventKind::Refer), 0);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer.take("603 REFER");
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    let ok = stand.peer.take("200 REFER");
    assert_eq!(stand.alice.last(EventKind::Refer).session, None);
    stand.peer.learn(&ok);
    let notify = stand.peer.take("NOTIFY");
    assert_eq!((notify.from_tag(), notify.value("event")), (ok.to_tag(), "refer"));
    let answer = stand.peer.reply(&notify, 200);
    stand.say(answer);
    assert_eq!(stand.alice.living()[0], 0, "no session comes of it");
    let asked = stand.alice.incoming();
    let contact = format!("<{}>", stand.peer.contact);
    let subscribe =
        stand.peer.request("SUBSCRIBE").with("Contact", contact).with("Event", "refer").with("Expires", "60");
    stand.say(subscribe);
    stand.peer.take("200 SUBSCRIBE");
    let notify = stand.peer.take("NOTIFY");
    let answer = stand.peer.reply(&notify, 200);
    stand.say(answer);
    for method in ["INFO", "INVITE"] {
        let mut request = stand.peer.request(method);
        if method == "INVITE" {
            request = request.sdp(OFFER);
        }
        stand.say(request.clone());
        let gone = stand.peer.take(&format!("481 {method}"));
        if method == "INVITE" {
            let ack = stand.peer.ack(&request, &gone);
            stand.say(ack);
        }
    }
    stand.alice.incoming = Some(asked);
    stand.alice.notify(200);
    stand.exchange();
    assert_eq!(stand.peer.take("NOTIFY").body, "SIP/2.0 200 OK\r\n");
    let late = stand.peer.request("SUBSCRIBE").with("Event", "refer");
    stand.say(late);
    stand.peer.take("481 SUBSCRIBE");
}

/// The whole of an attended transfer (RFC 5589 §7): bob takes alice's place in her call to carol.
#[test]
fn an_attended_transfer_ends_both_calls_of_the_transferor() {
    let mut pair = Pair::confirmed();
    let first = pair.alice.session();
    let mut carol = Party::new("carol", "192.0.2.3:5060", config("carol"), &mut pair.wire, Transport::Udp);
    carol.answers(EventKind::Invite, ANSWER);
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        agent.invite(now, None, RequestOptions { refer: event.incoming, ..with_sdp(OFFER) }).unwrap();
    });
    pair.alice.invite("sip:carol@192.0.2.3:5060", OFFER);
    pair.wire.exchange(&mut [&mut pair.alice, &mut pair.bob, &mut carol]);
    let second = pair.alice.session();
    assert_ne!(first, second);
    pair.alice.session = Some(first);
    refer_with(&mut pair.alice, None, Some(second), &[]).unwrap();
    pair.wire.exchange(&mut [&mut pair.alice, &mut pair.bob, &mut carol]);
    assert_eq!(pair.alice.statuses(EventKind::Notify).last(), Some(&200));
    assert_eq!(carol.last(EventKind::Terminated).reason, sipdlg::agent::Reason::Replaced);
    assert_eq!(pair.alice.last(EventKind::Terminated).session, Some(second), "the call that was replaced is over");
    assert_eq!(pair.wire.trace.messages("bob", "INVITE").len(), 1);
    assert_eq!(carol.living()[0], 1);
    pair.alice.hangup_all();
    pair.bob.hangup_all();
    pair.wire.run_until_idle(&mut [&mut pair.alice, &mut pair.bob, &mut carol], seconds(700));
    assert_eq!(carol.living(), [0; 5]);
}
