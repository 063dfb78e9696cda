//! The end of a call that came to alice.

use super::{Row, begin};
use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{answer_sdp, reliable};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::{EventKind, ResponseOptions, SessionId};
use sipdlg::session::SessionState;

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

pub fn early(stand: &mut Stand) -> Draft {
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

pub fn called(stand: &mut Stand) {
    stand.peer_calls();
    begin(stand);
}

/// The peer acknowledges what its INVITE was refused with.
pub fn acknowledge(stand: &mut Stand, invite: &Draft) {
    let refused = stand.peer.inbox.iter().find(|sip| sip.cseq_method() == "INVITE").cloned().expect("an answer");
    let ack = stand.peer.ack(invite, &refused);
    stand.say(ack);
}

pub fn peer_says(stand: &mut Stand, method: &str) {
    let request = stand.peer.request(method);
    stand.say(request);
}

pub fn info_fails(stand: &mut Stand) {
    stand.alice.info();
    stand.exchange();
    stand.peer_replies("INFO", 481, "");
}

pub fn peer_takes_bye(stand: &mut Stand) {
    stand.peer_replies("BYE", 200, "");
}

pub const CALLED: [Row; 26] = [
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
        "the peer's Expires passes",
        |stand| {
            stand.alice.hold(EventKind::Invite);
            let invite = stand.peer.request("INVITE").with("Expires", "1").sdp(OFFER);
            stand.say(invite.clone());
            ring(stand, None);
            begin(stand);
            stand.advance(seconds(2));
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
