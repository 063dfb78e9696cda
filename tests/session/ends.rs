//! The order in which a host hears of an end, one row for each row of the header's table ("How a session ends", at
//! `sipdlg_event_kind_e`) and more: what caused it, STATE, TERMINATED.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, reliable};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::{EventKind, ResponseOptions, SessionId};
use sipdlg::config::{Config, quirk};
use sipdlg::session::{SessionState, SignalingState};

/// What happens; what alice's host hears from then on, in this order.
type Row = (&'static str, fn(&mut Stand), &'static str);

fn alice() -> Config {
    let mut alice = config("alice");
    alice.set_tolerance(quirk::REQUESTS_IN_EARLY).unwrap();
    alice
}

/// From here on it counts.
fn begin(stand: &mut Stand) {
    stand.alice.events.clear();
    stand.peer.inbox.clear();
}

// ---------------------------------------------------------------------- alice is called

fn invited(stand: &mut Stand, text: &str) -> Draft {
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").with("Supported", "100rel");
    let invite = if text.is_empty() { invite } else { invite.sdp(text) };
    stand.say(invite.clone());
    invite
}

fn ring(stand: &mut Stand, to_tag: Option<&[u8]>) -> SessionId {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let options = ResponseOptions { to_tag, ..answer_sdp(ANSWER) };
    let session = stand.alice.agent.progress(now, incoming, 183, &options).unwrap().unwrap();
    stand.exchange();
    let ringing = stand.peer.take("183 INVITE");
    stand.peer.learn(&ringing);
    stand.alice.session = Some(session);
    session
}

fn early(stand: &mut Stand) -> Draft {
    let invite = invited(stand, OFFER);
    ring(stand, None);
    begin(stand);
    invite
}

/// The 2xx is out, without its ACK.
fn accepted(stand: &mut Stand, offer: &str, text: &str) -> (Draft, Sip) {
    let invite = invited(stand, offer);
    stand.alice.accept(text);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    begin(stand);
    (invite, ok)
}

fn called(stand: &mut Stand) {
    stand.peer_calls();
    begin(stand);
}

/// The peer acknowledges what its INVITE was refused with.
fn acknowledge(stand: &mut Stand, invite: &Draft) {
    let refused = stand.peer.inbox.iter().find(|sip| sip.cseq_method() == "INVITE").cloned().expect("an answer");
    let ack = stand.peer.ack(invite, &refused);
    stand.say(ack);
}

fn peer_says(stand: &mut Stand, method: &str) {
    let request = stand.peer.request(method);
    stand.say(request);
}

fn info_fails(stand: &mut Stand) {
    stand.alice.info();
    stand.exchange();
    stand.peer_replies("INFO", 481, "");
}

fn peer_takes_bye(stand: &mut Stand) {
    stand.peer_replies("BYE", 200, "");
}

const CALLED: [Row; 25] = [
    (
        "the peer's BYE, early",
        |stand| {
            let invite = early(stand);
            peer_says(stand, "BYE");
            acknowledge(stand, &invite);
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE in one of two early dialogs",
        |stand| {
            invited(stand, OFFER);
            let other = ring(stand, Some(b"other"));
            ring(stand, Some(b"this"));
            begin(stand);
            peer_says(stand, "BYE");
            assert_eq!(stand.alice.agent.session(other).unwrap().state(), SessionState::Early);
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE, early, and our INFO is unanswered",
        |stand| {
            let invite = early(stand);
            stand.alice.info();
            stand.exchange();
            peer_says(stand, "BYE");
            acknowledge(stand, &invite);
            stand.peer_replies("INFO", 200, "");
        },
        "Bye State Terminated Accept",
    ),
    (
        "the peer's BYE, early, while the 2xx waits for a PRACK",
        |stand| {
            let invite = invited(stand, OFFER);
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            stand.alice.session = stand.alice.agent.progress(now, incoming, 183, &reliable(ANSWER)).unwrap();
            stand.alice.accept("");
            stand.exchange();
            let ringing = stand.peer.take("183 INVITE");
            stand.peer.learn(&ringing);
            begin(stand);
            peer_says(stand, "BYE");
            acknowledge(stand, &invite);
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE before its ACK",
        |stand| {
            let (invite, ok) = accepted(stand, OFFER, ANSWER);
            peer_says(stand, "BYE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE",
        |stand| {
            called(stand);
            peer_says(stand, "BYE");
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE, and its re-INVITE is unanswered",
        |stand| {
            called(stand);
            stand.alice.hold(EventKind::Reinvite);
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            begin(stand);
            peer_says(stand, "BYE");
            acknowledge(stand, &invite);
        },
        "Bye State Terminated",
    ),
    (
        "the peer's BYE, and our re-INVITE waits to be sent again",
        |stand| {
            called(stand);
            stand.alice.reinvite(HOLD);
            stand.exchange();
            stand.peer_replies("INVITE", 491, "");
            begin(stand);
            peer_says(stand, "BYE");
        },
        "Bye State Reject Terminated",
    ),
    (
        "the peer's CANCEL",
        |stand| {
            let invite = early(stand);
            let cancel = stand.peer.cancel(&invite);
            stand.say(cancel);
            acknowledge(stand, &invite);
        },
        "Cancel State Terminated",
    ),
    (
        "the host rejects",
        |stand| {
            let invite = early(stand);
            stand.alice.reject(486);
            stand.exchange();
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "the host redirects",
        |stand| {
            let invite = early(stand);
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            stand.alice.agent.redirect(now, incoming, 302, &[TO_BOB.as_bytes()], &Default::default()).unwrap();
            stand.exchange();
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "the host hangs up, early",
        |stand| {
            let invite = early(stand);
            stand.alice.hangup();
            stand.exchange();
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "the host does not answer in time",
        |stand| {
            let invite = early(stand);
            stand.advance(seconds(200));
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "the host accepts in another early dialog",
        |stand| {
            let invite = invited(stand, OFFER);
            let this = ring(stand, Some(b"this"));
            let other = ring(stand, Some(b"other"));
            begin(stand);
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            let options = ResponseOptions { to_tag: Some(b"other"), ..answer_sdp(ANSWER) };
            stand.alice.agent.accept(now, incoming, 200, &options).unwrap();
            stand.exchange();
            let ok = stand.peer.take("200 INVITE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            stand.alice.events.retain(|event| event.session != Some(other));
            stand.alice.session = Some(this);
        },
        "State Terminated",
    ),
    (
        "no PRACK comes",
        |stand| {
            let invite = invited(stand, OFFER);
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            stand.alice.session = stand.alice.agent.progress(now, incoming, 183, &reliable(ANSWER)).unwrap();
            stand.exchange();
            begin(stand);
            stand.advance(seconds(33));
            stand.peer.inbox.retain(|sip| sip.status() == Some(504));
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "a request of ours fails, early",
        |stand| {
            let invite = early(stand);
            info_fails(stand);
            acknowledge(stand, &invite);
        },
        "Reject State Terminated",
    ),
    (
        "a request of ours fails before the ACK",
        |stand| {
            let (invite, ok) = accepted(stand, OFFER, ANSWER);
            info_fails(stand);
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            peer_takes_bye(stand);
        },
        "Reject State Ack State Terminated",
    ),
    (
        "a request of ours fails",
        |stand| {
            called(stand);
            info_fails(stand);
            peer_takes_bye(stand);
        },
        "Reject State Terminated",
    ),
    (
        "no ACK comes",
        |stand| {
            accepted(stand, OFFER, ANSWER);
            stand.advance(seconds(33));
            peer_takes_bye(stand);
        },
        "AckTimeout State Terminated",
    ),
    (
        "the ACK lacks the answer",
        |stand| {
            let (invite, ok) = accepted(stand, "", OFFER);
            let ack = stand.peer.ack(&invite, &ok);
            stand.wire.trace.allowed.push("offer-answer");
            stand.say(ack);
            peer_takes_bye(stand);
        },
        "State Ack State Terminated",
    ),
    (
        "the host hangs up before the ACK",
        |stand| {
            let (invite, ok) = accepted(stand, OFFER, ANSWER);
            stand.alice.hangup();
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            peer_takes_bye(stand);
        },
        "State Ack State Terminated",
    ),
    (
        "the host hangs up",
        |stand| {
            called(stand);
            stand.alice.hangup();
            stand.exchange();
            peer_takes_bye(stand);
        },
        "State Terminated",
    ),
    (
        "the host forgets it, early",
        |stand| {
            let invite = early(stand);
            stand.alice.agent.dispose_session(stand.alice.now(), stand.alice.session()).unwrap();
            stand.exchange();
            acknowledge(stand, &invite);
        },
        "State Terminated",
    ),
    (
        "the host forgets it",
        |stand| {
            called(stand);
            stand.alice.agent.dispose_session(stand.alice.now(), stand.alice.session()).unwrap();
            stand.exchange();
        },
        "State Terminated",
    ),
    (
        "another call takes its place",
        |stand| {
            called(stand);
            let session = stand.alice.session();
            let replaces = {
                let session = stand.alice.agent.session(session).unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let (ours, theirs) = (text(session.local_tag()), text(session.remote_tag()));
                format!("{};to-tag={ours};from-tag={theirs}", text(session.call_id()))
            };
            let call_id = std::mem::replace(&mut stand.peer.call_id, "other".to_owned());
            let ours = std::mem::take(&mut stand.peer.remote_tag);
            let invite = stand.peer.request("INVITE").with("Replaces", replaces).sdp(OFFER);
            stand.say(invite.clone());
            let ok = stand.peer.take("200 INVITE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            (stand.peer.call_id, stand.peer.remote_tag) = (call_id, ours);
            stand.peer.inbox.retain(|sip| sip.method() == "BYE");
            peer_takes_bye(stand);
            stand.alice.events.retain(|event| event.session == Some(session));
            stand.alice.session = Some(session);
        },
        "State Terminated",
    ),
];

// ---------------------------------------------------------------------- alice calls

fn calling(stand: &mut Stand, text: &str) -> Sip {
    stand.alice.invite(TO_BOB, text);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    invite
}

fn replies(stand: &mut Stand, invite: &Sip, status: u16, tag: &str) {
    let draft = stand.peer.reply_as(invite, status, tag);
    stand.say(if status == 200 { draft.sdp(ANSWER) } else { draft });
}

fn ringing(stand: &mut Stand) -> Sip {
    let invite = calling(stand, OFFER);
    replies(stand, &invite, 180, "one");
    begin(stand);
    invite
}

fn calls(stand: &mut Stand) {
    let invite = calling(stand, OFFER);
    replies(stand, &invite, 200, "peer-tag");
    stand.peer.take("ACK");
    begin(stand);
}

fn bye_early(stand: &mut Stand) -> (Sip, Draft) {
    let invite = ringing(stand);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply(&bye, 200);
    (invite, ok)
}

const CALLS: [Row; 20] = [
    (
        "its INVITE is rejected",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 486, "one");
        },
        "Reject State Terminated",
    ),
    (
        "its INVITE is redirected",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 302, "one");
        },
        "Redirect State Terminated",
    ),
    (
        "its INVITE is rejected, and it has two early dialogs",
        |stand| {
            let invite = calling(stand, OFFER);
            for tag in ["one", "two"] {
                replies(stand, &invite, 180, tag);
            }
            begin(stand);
            replies(stand, &invite, 486, "one");
        },
        "Reject State Terminated State Terminated",
    ),
    (
        "the host cancels",
        |stand| {
            let invite = ringing(stand);
            stand.alice.cancel();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated",
    ),
    (
        "the host hangs up, early",
        |stand| {
            let invite = ringing(stand);
            stand.alice.hangup();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated",
    ),
    (
        "the host cancels, and the 2xx crosses",
        |stand| {
            let invite = ringing(stand);
            stand.alice.cancel();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 200, "one");
            peer_takes_bye(stand);
        },
        "State Reject State Terminated",
    ),
    (
        "the host sends BYE, early; 487 follows",
        |stand| {
            let (invite, ok) = bye_early(stand);
            stand.say(ok);
            replies(stand, &invite, 487, "one");
        },
        "State Accept Terminated Reject",
    ),
    (
        "the host sends BYE, early; 487 comes first",
        |stand| {
            let (invite, ok) = bye_early(stand);
            replies(stand, &invite, 487, "one");
            stand.say(ok);
        },
        "State Reject Accept Terminated",
    ),
    (
        "another fork is answered",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 200, "two");
            begin(stand);
            stand.advance(seconds(33));
        },
        "State Terminated",
    ),
    (
        "another fork is answered, then this one",
        |stand| {
            let invite = calling(stand, OFFER);
            for (status, tag) in [(180, "one"), (180, "two"), (200, "two")] {
                replies(stand, &invite, status, tag);
            }
            begin(stand);
            replies(stand, &invite, 200, "one");
            peer_takes_bye(stand);
        },
        "State Terminated",
    ),
    (
        "the 2xx lacks the answer",
        |stand| {
            let invite = ringing(stand);
            let draft = stand.peer.reply_as(&invite, 200, "one");
            stand.wire.trace.allowed.push("offer-answer");
            stand.say(draft);
            peer_takes_bye(stand);
        },
        "State Accept State Terminated",
    ),
    (
        "nobody gives the answer that the ACK has to bring",
        |stand| {
            stand.alice.hold(EventKind::Accept);
            let invite = calling(stand, "");
            let draft = stand.peer.reply(&invite, 200).sdp(OFFER);
            stand.say(draft);
            begin(stand);
            stand.wire.trace.allowed.push("offer-answer");
            stand.advance(seconds(33));
            peer_takes_bye(stand);
        },
        "State Terminated",
    ),
    (
        "a request of its own fails, early",
        |stand| {
            let invite = ringing(stand);
            info_fails(stand);
            peer_takes_bye(stand);
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated Reject",
    ),
    (
        "the peer's BYE, early",
        |stand| {
            let invite = ringing(stand);
            stand.wire.trace.allowed.push("bye-from-early-callee");
            "one".clone_into(&mut stand.peer.local_tag);
            peer_says(stand, "BYE");
            replies(stand, &invite, 487, "one");
        },
        "Bye State Terminated Reject",
    ),
    (
        "the peer's BYE",
        |stand| {
            calls(stand);
            peer_says(stand, "BYE");
        },
        "Bye State Terminated",
    ),
    (
        "the host sends BYE",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            peer_takes_bye(stand);
        },
        "State Accept Terminated",
    ),
    (
        "the host sends BYE, which is refused",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            stand.peer_replies("BYE", 481, "");
        },
        "State Reject Terminated",
    ),
    (
        "the host sends BYE, which nobody answers",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.advance(seconds(33));
        },
        "State Reject Terminated",
    ),
    (
        "the host sends BYE, and the peer's crosses",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            let bye = stand.peer.take("BYE");
            peer_says(stand, "BYE");
            let ok = stand.peer.reply(&bye, 200);
            stand.say(ok);
        },
        "State Accept Terminated",
    ),
    (
        "the host hangs up, and the BYE cannot be sent",
        |stand| {
            calls(stand);
            stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "BYE"));
            stand.alice.hangup();
            stand.exchange();
        },
        "State Terminated",
    ),
];

fn check(rows: &[Row]) {
    for (name, happens, expected) in rows {
        let mut stand = Stand::with(alice());
        stand.wire.trace.allowed.push("response-to-tag");
        happens(&mut stand);
        let events = &stand.alice.events;
        let kinds: Vec<String> = events.iter().map(|event| format!("{:?}", event.kind)).collect();
        assert_eq!(kinds.join(" "), *expected, "{name}");
        for (at, event) in events.iter().enumerate().filter(|(_, event)| event.kind == EventKind::Terminated) {
            let over = (SessionState::Terminated, SignalingState::Closed);
            let session = event.session.expect("TERMINATED names its session");
            let of_it = |event: &&sipdlg::agent::Event| event.session == Some(session);
            assert!(!events[at + 1..].iter().any(|event| of_it(&event)), "{name}: the last event of it");
            let state = events[..at].iter().filter(of_it).rfind(|event| event.kind == EventKind::State);
            let state = state.expect("STATE comes before");
            assert_eq!((state.session_state, state.signaling_state), over, "{name}");
            let bye = events[..at].iter().find(|event| event.kind == EventKind::Bye);
            if let Some(bye) = bye {
                assert_eq!(bye.session, Some(session), "{name}");
                assert_eq!((bye.session_state, bye.signaling_state), over, "{name}: the state after it");
            }
        }
    }
}

#[test]
fn the_end_of_a_call_that_came() {
    check(&CALLED);
}

#[test]
fn the_end_of_a_call_that_went_out() {
    check(&CALLS);
}

/// The host looks at the peer's BYE for as long as it likes: TERMINATED waits for its answer, early or not.
#[test]
fn terminated_waits_for_the_answer_to_the_bye() {
    for is_early in [true, false] {
        let mut stand = Stand::with(alice());
        stand.alice.hold(EventKind::Bye);
        let invite = if is_early { Some(early(&mut stand)) } else { None };
        if !is_early {
            called(&mut stand);
        }
        peer_says(&mut stand, "BYE");
        if let Some(invite) = &invite {
            stand.peer.inbox.retain(|sip| sip.cseq_method() == "INVITE");
            acknowledge(&mut stand, invite);
        }
        stand.peer.inbox.clear();
        assert_eq!(stand.alice.kinds(), [EventKind::Bye, EventKind::State], "early: {is_early}");
        stand.alice.accept("");
        stand.exchange();
        stand.peer.take("200 BYE");
        assert_eq!(stand.alice.kinds(), [EventKind::Bye, EventKind::State, EventKind::Terminated], "early: {is_early}");
    }
}
