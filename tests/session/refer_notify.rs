//! The NOTIFYs of a REFER: what they tell, whose they are, how many there may be (RFC 3515 §2.4.4 to §2.4.6).

use crate::common::pair::{Pair, Stand};
use crate::common::party::{Party, config};
use crate::common::refer::{CAROL, accepts, notify_of, refer_of};
use crate::common::seconds;
use sipdlg::agent::EventKind;
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

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

/// RFC 3515 §2.4.6: the second REFER of a dialog and those after it are told apart by `id`,
/// whatever became of the first.
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
        got.push(stand.peer_replies("NOTIFY", 200, "").body);
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
    let again = stand.peer_replies("NOTIFY", 200, "");
    assert!(again.get("authorization").is_some());
    assert_eq!(again.cseq(), notify.cseq() + 1);
}
