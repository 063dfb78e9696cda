//! Route sets, loose and strict (RFC 3261 §12.2.1.1, §16.12), and the remote target (RFC 6141 §4).
//! The peer plays the proxies' part too: what goes to one of them is addressed to the peer.

use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::{EventKind, RequestOptions};

const NEAR: &str = "<sip:192.0.2.2:5060;lr;near=1>";
const FAR: &str = "<sip:far.example.com;lr>";
const STRICT: &str = "<sip:strict@192.0.2.2:5060>";

fn called_through(stand: &mut Stand, routes: &[&str]) {
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let mut ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    for route in routes {
        ok = ok.with("Record-Route", *route);
    }
    stand.say(ok);
}

/// RFC 3261 §12.1.2: the caller's route set is the response's Record-Route, reversed.
#[test]
fn the_caller_reverses_record_route() {
    let mut stand = Stand::new();
    called_through(&mut stand, &[FAR, NEAR]);
    let ack = stand.peer.take("ACK");
    assert_eq!(ack.uri(), "sip:peer@192.0.2.2:5060");
    assert_eq!(ack.all("route"), [NEAR, FAR]);
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!((info.uri(), info.all("route")), ("sip:peer@192.0.2.2:5060", vec![NEAR, FAR]));
}

/// RFC 3261 §12.1.1: the callee keeps the request's order and copies it into its responses.
#[test]
fn the_callee_keeps_the_order_of_record_route() {
    let mut stand = Stand::new();
    stand.alice.rings_and_answers(ANSWER);
    let invite = stand.peer.request("INVITE").with("Record-Route", format!("{NEAR}, {FAR}")).sdp(OFFER);
    stand.say(invite.clone());
    let ringing = stand.peer.take("180 INVITE");
    assert_eq!(ringing.all("record-route"), [NEAR, FAR]);
    let ok = stand.peer.take("200 INVITE");
    assert_eq!(ok.all("record-route"), [NEAR, FAR]);
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!((bye.uri(), bye.all("route")), ("sip:peer@192.0.2.2:5060", vec![NEAR, FAR]));
}

/// RFC 3261 §12.2.1.1: the first route lacks lr: it becomes the Request-URI, the target goes to the end.
#[test]
fn a_strict_router_takes_the_request_uri() {
    let mut stand = Stand::new();
    called_through(&mut stand, &[FAR, STRICT]);
    let ack = stand.peer.take("ACK");
    assert_eq!(ack.uri(), "sip:strict@192.0.2.2:5060");
    assert_eq!(ack.all("route"), [FAR, "<sip:peer@192.0.2.2:5060>"]);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!((bye.uri(), bye.all("route")), ("sip:strict@192.0.2.2:5060", vec![FAR, "<sip:peer@192.0.2.2:5060>"]));
}

/// RFC 3261 §8.1.2, §12.1.2: a preloaded route is used for the INVITE and replaced by the
/// dialog's, even by an empty one.
#[test]
fn a_preloaded_route_does_not_outlive_the_invite() {
    let mut stand = Stand::with({
        let mut config = config("alice");
        config.set_route_set(NEAR.as_bytes()).unwrap();
        config
    });
    stand.alice.invite("sip:bob@example.com", OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    assert_eq!((invite.uri(), invite.all("route")), ("sip:bob@example.com", vec![NEAR]));
    stand.alice.cancel();
    stand.exchange();
    assert_eq!(stand.peer.take("CANCEL").all("route"), [NEAR], "RFC 3261 §9.1");
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").all("route"), Vec::<&str>::new());
}

/// RFC 3261 §17.1.1.3: the ACK to a rejection carries the INVITE's Route.
#[test]
fn the_ack_of_a_rejection_goes_the_invites_way() {
    let mut stand = Stand::with({
        let mut config = config("alice");
        config.set_route_set(NEAR.as_bytes()).unwrap();
        config
    });
    stand.alice.invite("sip:bob@example.com", OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let busy = stand.peer.reply(&invite, 486).with("Record-Route", FAR);
    stand.say(busy);
    let ack = stand.peer.take("ACK");
    assert_eq!((ack.uri(), ack.all("route")), (invite.uri(), vec![NEAR]));
}

/// RFC 3261 §13.2.2.4: the 2xx's Record-Route replaces that of the 1xx; later ones are ignored (§12.2).
#[test]
fn the_route_set_is_that_of_the_2xx_and_stays() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = stand.peer.reply(&invite, 180).with("Record-Route", FAR);
    stand.say(ringing);
    let ok = stand.peer.reply(&invite, 200).with("Record-Route", NEAR).sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").all("route"), [NEAR]);
    stand.alice.answers(EventKind::Reinvite, HELD);
    let again = stand.peer.request("INVITE").with("Record-Route", FAR).sdp(HOLD);
    stand.say(again.clone());
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&again, &ok);
    stand.say(ack);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!(bye.all("route"), [NEAR]);
}

/// RFC 6141 §4: our 2xx to a re-INVITE moves the target; our error does not.
#[test]
fn the_peers_reinvite_moves_the_target_when_we_accept() {
    for accepted in [true, false] {
        let mut stand = Stand::peer_called();
        if accepted {
            stand.alice.answers(EventKind::Reinvite, HELD);
        }
        let moved = stand.peer.request("INVITE").set("Contact", "<sip:moved@192.0.2.2:5060>").sdp(HOLD);
        stand.say(moved.clone());
        let answer = stand.peer.take(if accepted { "200 INVITE" } else { "488 INVITE" });
        let ack = stand.peer.ack(&moved, &answer);
        stand.say(ack);
        stand.alice.info();
        stand.exchange();
        let info = stand.peer_replies("INFO", 200, "");
        assert_eq!(info.uri(), if accepted { "sip:moved@192.0.2.2:5060" } else { "sip:peer@192.0.2.2:5060" });
    }
}

/// RFC 6141 §4: while the re-INVITE waits for us, the target is still the old one.
#[test]
fn the_target_does_not_move_before_we_answer() {
    let mut stand = Stand::peer_called();
    stand.alice.hold(EventKind::Reinvite);
    let moved = stand.peer.request("INVITE").set("Contact", "<sip:moved@192.0.2.2:5060>").sdp(HOLD);
    stand.say(moved.clone());
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!(info.uri(), "sip:peer@192.0.2.2:5060");
    stand.alice.accept(HELD);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&moved, &ok);
    stand.say(ack);
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.remote_target(), b"sip:moved@192.0.2.2:5060");
}

/// RFC 6141 §4: the 2xx to our re-INVITE moves it; an unreliable 1xx and an error do not.
#[test]
fn the_2xx_to_our_reinvite_moves_the_target() {
    let mut stand = Stand::alice_called();
    stand.peer.contact = "sip:moved@192.0.2.2:5060".to_owned();
    let target = |stand: &Stand| {
        let session = stand.alice.agent.session(stand.alice.session()).unwrap();
        String::from_utf8(session.remote_target().to_vec()).unwrap()
    };
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    assert_eq!(target(&stand), "sip:peer@192.0.2.2:5060");
    let no = stand.peer.reply(&invite, 488).with("Contact", "<sip:moved@192.0.2.2:5060>");
    stand.say(no);
    assert_eq!(target(&stand), "sip:peer@192.0.2.2:5060");
    assert_eq!(stand.peer.take("ACK").uri(), "sip:peer@192.0.2.2:5060");
    stand.alice.reinvite(HOLD);
    stand.exchange();
    stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(target(&stand), "sip:moved@192.0.2.2:5060");
    assert_eq!(stand.peer.take("ACK").uri(), "sip:moved@192.0.2.2:5060");
}

/// INFO is no target refresh request.
#[test]
fn an_info_does_not_move_the_target() {
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Info, "");
    let info = stand.peer.request("INFO").with("Contact", "<sip:moved@192.0.2.2:5060>");
    stand.say(info);
    stand.peer.take("200 INFO");
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.remote_target(), b"sip:peer@192.0.2.2:5060");
}

/// A host may not write Route in a dialog.
#[test]
fn the_host_cannot_break_the_route_set() {
    let mut stand = Stand::alice_called();
    let headers: Vec<&[u8]> = vec![b"Route: <sip:192.0.2.9;lr>"];
    let refused =
        stand.alice.agent.info(stand.alice.now(), stand.alice.session(), RequestOptions { headers, ..with_sdp("") });
    assert!(refused.is_err());
    stand.exchange();
    assert_eq!(stand.peer.got(), Vec::<String>::new());
}
