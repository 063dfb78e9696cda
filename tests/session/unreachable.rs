//! What an error of ICMP says of datagrams of ours (RFC 3261 §18.4): the request that it quotes goes elsewhere, and nothing
//! else changes.

use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use crate::failover::{FIRST, NAMED, stand, to, went};
use sipdlg::agent::EventKind;
use sipdlg::agent::event::flag;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};

/// The bytes of the last message of alice of this kind.
fn last(stand: &Stand, short: &str) -> Vec<u8> {
    let mut sent = stand.wire.trace.datagrams.iter().rev().filter(|datagram| datagram.from == 0);
    let found = sent.find(|datagram| datagram.sip.as_ref().is_ok_and(|sip| sip.short() == short));
    found.expect("one was sent").bytes.to_vec()
}

/// An error comes for what was sent to `to`; whether somebody waited for that.
fn unreachable(stand: &mut Stand, to: &Flow, quoted: &[u8]) -> bool {
    let now = stand.alice.now();
    let waited = stand.alice.agent.unreachable(now, to, quoted);
    let sent = stand.wire.trace.datagrams.iter_mut().rev();
    if let Some(datagram) = sent.filter(|_| waited).find(|datagram| datagram.bytes.starts_with(quoted)) {
        datagram.failed = true;
    }
    stand.exchange();
    waited
}

/// The same, of the whole of the last message of this kind.
fn gone(stand: &mut Stand, remote: &str, short: &str) -> bool {
    let quoted = last(stand, short);
    unreachable(stand, &to(remote), &quoted)
}

#[track_caller]
fn is_refused_here(stand: &Stand) {
    let event = stand.alice.last(EventKind::Reject);
    assert_eq!((event.status_code, event.flags & flag::LOCAL), (503, flag::LOCAL));
}

#[track_caller]
fn is_call(stand: &Stand) {
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

#[test]
fn a_request_out_of_a_dialog_is_over_at_once() {
    for invites in [true, false] {
        let mut stand = Stand::new();
        if invites {
            stand.wire.lose_all("alice", "INVITE");
            stand.alice.invite(TO_BOB, OFFER);
        } else {
            stand.wire.lose_all("alice", "OPTIONS");
            let (now, options) = (stand.alice.now(), Default::default());
            stand.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), options).expect("asked");
        }
        stand.exchange();
        assert!(gone(&mut stand, BOB, if invites { "INVITE" } else { "OPTIONS" }));
        is_refused_here(&stand);
        assert_eq!(stand.alice.living(), [0; 5]);
    }
}

/// RFC 3263 §4.3, from as little as names the branch.
#[test]
fn the_next_target_gets_it() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let quoted = last(&stand, "INVITE");
    let via_ends = memchr::memmem::find_iter(&quoted, b"\r\n").nth(1).expect("two lines") + 2;
    assert!(!unreachable(&mut stand, &to(FIRST), &quoted[..via_ends - 1]), "the branch may be cut off");
    assert!(unreachable(&mut stand, &to(FIRST), &quoted[..via_ends]));
    assert_eq!(went(&stand, "INVITE"), [true, false]);
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
    // What comes late is of a request that has gone elsewhere.
    assert!(!unreachable(&mut stand, &to(FIRST), &quoted));
    is_call(&stand);
}

/// Whoever is not on the way knows addresses, and no branch; a socket of another kind says nothing of a datagram.
#[test]
fn what_is_made_up_changes_nothing() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let quoted = last(&stand, "INVITE");
    let text = String::from_utf8(quoted.clone()).expect("text");
    let other_branch = text.replace("branch=z9hG4bK", "branch=z9hG4bKx");
    let other_method = text.replace("INVITE sip", "OPTIONS sip");
    let rows: [(Flow, &[u8]); 6] = [
        (to(BOB), &quoted),
        (Flow::new(Transport::Udp, None, None), &quoted),
        (to(FIRST), other_branch.as_bytes()),
        (to(FIRST), other_method.as_bytes()),
        (to(FIRST), b""),
        (to(FIRST), b"INVITE sip:bob@gw.example SIP/2.0\r\n"),
    ];
    for (flow, quoted) in rows {
        assert!(!unreachable(&mut stand, &flow, quoted), "{flow:?} {}", String::from_utf8_lossy(quoted));
    }
    assert_eq!(went(&stand, "INVITE"), [true]);
    assert!(gone(&mut stand, FIRST, "INVITE"));
    stand.peer_replies("INVITE", 486, "");
}

/// One that was answered has arrived, whatever became of its repeats; a refusal stands, whatever becomes of its ACK.
#[test]
fn what_has_arrived_stands() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 180, "");
    let quoted = last(&stand, "INVITE");
    let now = stand.alice.now();
    stand.alice.agent.unreachable(now, &to(BOB), &quoted);
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    let refusal = stand.peer.reply(&invite, 486);
    stand.say(refusal);
    for short in ["INVITE", "ACK"] {
        assert!(!gone(&mut stand, BOB, short), "{short}");
    }
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
    stand.advance(seconds(1));
    assert_eq!(stand.alice.count(EventKind::TransportError), 0);
}

/// RFC 5057 §5.1: a 503 ends its transaction only; the BYE that cannot arrive ends what it was to end.
#[test]
fn a_call_goes_on_but_for_its_bye() {
    let mut stand = Stand::alice_called();
    stand.wire.lose = Some(Box::new(|name, sip| name == "alice" && sip.short() != "ACK"));
    stand.alice.info();
    stand.exchange();
    assert!(gone(&mut stand, BOB, "INFO"));
    is_refused_here(&stand);
    is_call(&stand);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    assert!(gone(&mut stand, BOB, "INVITE"));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503, 503]);
    is_call(&stand);
    // The 2xx that it acknowledged comes again where it was lost.
    assert!(!gone(&mut stand, BOB, "ACK"));
    is_call(&stand);
    stand.alice.bye();
    stand.exchange();
    assert!(gone(&mut stand, BOB, "BYE"));
    assert_eq!((stand.alice.count(EventKind::Terminated), stand.alice.living()[0]), (1, 0));
    stand.end_unjudged();
}

/// It comes again by itself where it has to (RFC 3261 §17.2, §13.3.1.4).
#[test]
fn a_response_is_nobodys() {
    let mut stand = Stand::peer_called();
    assert!(!gone(&mut stand, BOB, "200 INVITE"));
    is_call(&stand);
    assert_eq!(stand.alice.count(EventKind::TransportError), 0);
}
