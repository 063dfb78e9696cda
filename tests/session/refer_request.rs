//! A REFER and its answer, in a call, in an early dialog and out of any (RFC 3515 §2.4, RFC 5057, RFC 7647).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::refer::{CAROL, accepts, refer_of, refer_with};
use crate::common::{OFFER, seconds};
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

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

/// Without the quirk not in an early dialog; the peer's REFER is delivered there, and its NOTIFYs go out.
#[test]
fn in_an_early_dialog() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    assert_eq!(refer_with(&mut stand.alice, Some(CAROL), None, &[]).unwrap_err().kind, ErrorKind::State);
    accepts(&mut stand.alice);
    let refer = refer_of(&mut stand);
    stand.say(refer);
    stand.peer.take("200 REFER");
    stand.peer_replies("NOTIFY", 200, "");
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

/// Out of a dialog: 400 where nobody could be told, 603 by default;
/// accepted, it makes a dialog for its subscription alone.
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
    let notify = stand.peer_replies("NOTIFY", 200, "");
    assert_eq!((notify.from_tag(), notify.value("event")), (ok.to_tag(), "refer"));
    assert_eq!(stand.alice.living()[0], 0, "no session comes of it");
    let asked = stand.alice.incoming();
    let contact = format!("<{}>", stand.peer.contact);
    let subscribe =
        stand.peer.request("SUBSCRIBE").with("Contact", contact).with("Event", "refer").with("Expires", "60");
    stand.say(subscribe);
    stand.peer.take("200 SUBSCRIBE");
    stand.peer_replies("NOTIFY", 200, "");
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
