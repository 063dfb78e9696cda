//! PRACKs that the caller's host sends itself: which response they mean, and how many may wait (RFC 3262 §4).

use crate::common::draft::Draft;
use crate::common::network::Side;
use crate::common::pair::{ALICE, BOB, Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::reliable_callee::{called, manually, prack, progress, refused};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::event::{Reason, flag};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SessionState;

#[test]
fn with_manual_prack_the_host_acknowledges_the_oldest() {
    let (mut stand, invite) = manually(OFFER);
    for rseq in [1, 2] {
        progress(&mut stand, &invite, 180, rseq, "");
        assert_eq!(stand.alice.last(EventKind::Progress).flags, flag::RELIABLE | flag::NEEDS_PRACK);
    }
    assert_eq!(stand.peer.got(), NOTHING);
    for rseq in [1, 2] {
        prack(&mut stand, "");
        assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), format!("{rseq} 1 INVITE"));
    }
    assert_eq!(refused(&mut stand, with_sdp("")), ErrorKind::State);
}

#[test]
fn the_configuration_may_leave_every_prack_to_the_host() {
    let mut config = config("alice");
    config.manual_prack = true;
    let mut stand = Stand::with(config);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    assert_eq!(stand.peer.got(), NOTHING);
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
}

/// RAck is the library's; a right one is taken, another refused.
#[test]
fn a_rack_of_the_host_has_to_be_right() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 6, "");
    for wrong in ["RAck: 7 1 INVITE", "RAck: 6 2 INVITE", "RAck: 6 1 invite", "RAck: x", "rack: 6 1"] {
        let options = RequestOptions { headers: vec![wrong.as_bytes()], ..RequestOptions::default() };
        assert_eq!(refused(&mut stand, options), ErrorKind::Header, "{wrong}");
    }
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let headers: Vec<&[u8]> = vec![b"RAck: 6 1 INVITE", b"X-Host: yes"];
    let options = RequestOptions { headers, ..RequestOptions::default() };
    stand.alice.agent.prack(now, session, options).expect("it is right");
    stand.exchange();
    let prack = stand.peer_replies("PRACK", 200, "");
    assert_eq!((prack.all("rack"), prack.value("x-host")), (vec!["6 1 INVITE"], "yes"));
}

/// However many provisional responses the host has not looked at: what it has to acknowledge is told.
#[test]
fn the_event_of_a_response_that_waits_is_not_replaced() {
    let (mut stand, invite) = manually(OFFER);
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(ALICE.parse().unwrap()), Some(BOB.parse().unwrap())) };
    let now = stand.alice.now();
    let (peer, trace, at) = (stand.peer.number(), &mut stand.wire.trace, stand.wire.now);
    // All at once: the host does not look at events in between.
    let mut arrives = |draft: Draft| {
        let number = trace.sent(at, peer, ALICE.parse().unwrap(), draft.text().into_bytes().into(), false);
        trace.delivered(at, number);
        stand.alice.agent.receive(now, &flow, draft.text().as_bytes()).expect("a datagram");
    };
    let ringing = stand.peer.reply(&invite, 180);
    for _ in 0..20 {
        arrives(ringing.clone());
    }
    arrives(stand.peer.reply(&invite, 183).reliable(1));
    for _ in 0..20 {
        arrives(ringing.clone());
    }
    stand.exchange();
    let flags: Vec<_> =
        stand.alice.events.iter().filter(|event| event.status_code == 183).map(|event| event.flags).collect();
    assert_eq!(flags, [flag::RELIABLE | flag::NEEDS_PRACK]);
    assert!(stand.alice.count(EventKind::Progress) < 20, "the others replace each other");
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
}

/// What the host does not acknowledge is bounded: beyond, responses are not taken, and come again.
#[test]
fn only_some_responses_wait_for_the_host() {
    let (mut stand, invite) = manually(OFFER);
    stand.wire.trace.allowed.push("prack-owed");
    for rseq in 1..=20 {
        progress(&mut stand, &invite, 180, rseq, "");
    }
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 8]);
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 200, "");
    progress(&mut stand, &invite, 180, 9, "");
    assert_eq!(stand.alice.statuses(EventKind::Progress), [180; 9]);
}

/// A host that never acknowledges: the callee gives up after 64*T1 with a 5xx (§3), which ends the call.
#[test]
fn a_response_that_the_host_forgets_ends_with_the_callees_patience() {
    let (mut stand, invite) = called("");
    stand.wire.trace.allowed.push("prack-owed");
    progress(&mut stand, &invite, 183, 1, OFFER);
    stand.advance(seconds(32));
    assert_eq!(stand.peer.got(), NOTHING, "nothing goes out by itself");
    let sorry = stand.peer.reply(&invite, 504);
    stand.say(sorry);
    stand.peer.take("ACK");
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code), (Reason::Rejected, 504));
}

/// A failure that means the PRACK alone leaves the dialog; the host's may be sent again.
#[test]
fn a_503_to_a_prack_means_the_prack_alone() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    prack(&mut stand, "");
    stand.peer_replies("PRACK", 503, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
    assert_eq!(stand.alice.state().0, SessionState::Early);
    prack(&mut stand, "");
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), "1 1 INVITE");
}

/// A session that the host forgot; its PRACK under way ends unheard.
#[test]
fn a_session_may_be_disposed_while_its_prack_is_under_way() {
    let (mut stand, invite) = manually(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    prack(&mut stand, HOLD);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.dispose_session(now, session).expect("it lives");
    stand.exchange();
    stand.peer_replies("PRACK", 200, HELD);
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
    let gone = stand.peer.reply(&invite, 486);
    stand.say(gone);
    stand.peer.take("ACK");
}
