//! Calls to services, emergency ones among them, by their URN (RFC 5031, RFC 6881).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::uri_of;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::session::{SessionState, SignalingState};

/// RFC 5031 §2, RFC 6881 §7: a service is called by its URN, which the host judges; then the dialog goes by its Contacts.
#[test]
fn a_service_is_called_by_its_urn() {
    for uri in ["urn:service:sos", "URN:service:sos.police", "urn:nena:service:responder.psap"] {
        let mut stand = Stand::new();
        (stand.peer.target, stand.peer.remote_uri) = (uri.to_owned(), uri.to_owned());
        for method in ["OPTIONS", "MESSAGE"] {
            let outside = stand.peer.request(method);
            stand.say(outside);
        }
        assert_eq!((stand.alice.count(EventKind::Options), stand.alice.count(EventKind::Message)), (1, 1));
        stand.peer.inbox.clear();
        stand.peer_calls();
        assert_eq!(stand.alice.last(EventKind::Invite).message.as_ref().unwrap().uri(), Some(uri.as_bytes()));
        assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
        stand.alice.info();
        stand.exchange();
        let info = stand.peer_replies("INFO", 200, "");
        assert_eq!((info.uri(), uri_of(info.value("from"))), (stand.peer.contact.as_str(), uri.to_owned()));
    }
}

/// One that is cancelled.
#[test]
fn a_call_to_a_service_is_cancelled_by_its_urn() {
    let mut stand = Stand::new();
    stand.peer.target = "urn:service:sos".to_owned();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
    let refused = stand.peer.take("487 INVITE");
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
}

/// And we call one, by the route that leads to whoever knows it.
#[test]
fn a_service_is_called_by_route() {
    let mut alice = config("alice");
    alice.set_route_set(format!("<{TO_BOB};lr>").as_bytes()).expect("a route");
    let mut pair = Pair::with(alice, config("bob"));
    pair.bob.rings_and_answers(ANSWER);
    pair.alice.invite("urn:service:sos", OFFER);
    pair.exchange();
    assert_eq!((pair.alice.state().0, pair.bob.state().0), (SessionState::Confirmed, SessionState::Confirmed));
    assert_eq!(pair.wire.trace.messages("alice", "INVITE")[0].uri(), "urn:service:sos");
}
