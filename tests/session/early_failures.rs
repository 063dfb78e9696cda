//! A request of ours in an early dialog fails so that the dialog or its INVITE usage is gone (RFC 3261 §12.2.1.2, RFC
//! 5057 §5): the callee, who may send no BYE there (RFC 3261 §15), refuses the INVITE; the caller ends the fork by BYE.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, reliable, with_sdp};
use crate::common::{ANSWER, OFFER, ms, seconds};
use sipdlg::agent::{EventKind, IncomingId, Reason, RequestOptions, ResponseOptions, SessionId};
use sipdlg::config::{Effect, quirk};
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

/// Alice, who may send any request in an early dialog.
fn stand() -> Stand {
    let mut alice = config("alice");
    alice.set_tolerance(quirk::REQUESTS_IN_EARLY).unwrap();
    alice.set_effect(b"INFO", 488, Effect::Usage).unwrap();
    let mut stand = Stand::with(alice);
    stand.alice.hold(EventKind::Invite);
    // Its two early dialogs of one INVITE have two tags.
    stand.wire.trace.allowed.push("response-to-tag");
    stand
}

/// The peer has called; the INVITE is the host's.
fn invited(stand: &mut Stand) -> (Draft, IncomingId) {
    let invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(OFFER);
    stand.say(invite.clone());
    (invite, stand.alice.incoming())
}

fn ring(stand: &mut Stand, to_tag: Option<&[u8]>) -> SessionId {
    let options = ResponseOptions { to_tag, ..answer_sdp(ANSWER) };
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let session = stand.alice.agent.progress(now, incoming, 183, &options).unwrap().unwrap();
    stand.alice.session = Some(session);
    stand.exchange();
    let ringing = stand.peer.take("183 INVITE");
    stand.peer.learn(&ringing);
    session
}

fn send(stand: &mut Stand, method: &str) {
    match method {
        "INFO" => drop(stand.alice.info()),
        "MESSAGE" => drop(stand.alice.message("x")),
        "OPTIONS" => drop(stand.alice.options()),
        _ => drop(stand.alice.refer(TO_BOB)),
    }
    stand.exchange();
}

/// The peer's answer; 0: none, until alice gives up.
fn answer(stand: &mut Stand, method: &str, status: u16) {
    let request = stand.peer.take(method);
    if status == 0 {
        return stand.advance(seconds(33));
    }
    let answer = stand.peer.reply(&request, status);
    stand.say(answer);
    stand.advance(ms(100));
}

#[test]
fn the_callee_refuses_its_invite() {
    // RFC 5057 §5.1: the method, its answer, whether the INVITE usage ends by it. INFO 488: the host's own word.
    const ROWS: [(&str, u16, bool); 26] = [
        ("INFO", 481, true),
        ("INFO", 408, true),
        ("INFO", 0, true),
        ("INFO", 404, true),
        ("INFO", 410, true),
        ("INFO", 480, true),
        ("INFO", 482, true),
        ("INFO", 483, true),
        ("INFO", 502, true),
        ("INFO", 604, true),
        ("INFO", 488, true),
        ("INFO", 405, false),
        ("INFO", 469, false),
        ("INFO", 500, false),
        ("INFO", 501, false),
        ("INFO", 503, false),
        ("INFO", 603, false),
        ("OPTIONS", 404, true),
        ("OPTIONS", 604, true),
        ("OPTIONS", 481, false),
        ("OPTIONS", 0, false),
        ("MESSAGE", 410, true),
        ("MESSAGE", 408, false),
        ("REFER", 404, true),
        // §5.3: it says that the subscription is gone.
        ("REFER", 481, false),
        ("REFER", 603, false),
    ];
    for (method, status, ends) in ROWS {
        let mut stand = stand();
        let (invite, incoming) = invited(&mut stand);
        let session = ring(&mut stand, None);
        send(&mut stand, method);
        stand.alice.events.clear();
        answer(&mut stand, method, status);
        let row = format!("{method} {status}");
        let refused = stand.peer.inbox.iter().find(|sip| sip.short() == "500 INVITE").cloned();
        assert_eq!(refused.is_some(), ends, "{row}: {:?}", stand.peer.got());
        let kinds = stand.alice.kinds();
        assert_eq!(kinds.first(), Some(&EventKind::Reject), "{row}");
        if !ends {
            assert_eq!(kinds.len(), 1, "{row}");
            assert_eq!(stand.alice.agent.session(session).unwrap().state(), SessionState::Early, "{row}");
            continue;
        }
        assert_eq!(kinds[1..], [EventKind::State, EventKind::Terminated], "{row}");
        let ended = stand.alice.last(EventKind::Terminated);
        let told = if status == 0 { 408 } else { status };
        assert_eq!(
            (ended.session, ended.reason, ended.status_code),
            (Some(session), Reason::DialogGone, told),
            "{row}"
        );
        assert_eq!(ended.message.as_ref().map(|message| message.status()), (status != 0).then_some(status), "{row}");
        let now = stand.alice.now();
        let late = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(ANSWER));
        assert_eq!(late.unwrap_err().kind, ErrorKind::State, "{row}");
        let ack = stand.peer.ack(&invite, &refused.unwrap());
        stand.say(ack);
        stand.advance(seconds(70));
        assert_eq!(stand.alice.living(), [0; 5], "{row}");
        assert!(!stand.peer.got().contains(&"BYE".to_owned()), "RFC 3261 15: {row}");
    }
}

/// RFC 3261 §12.1: one early dialog of several is over; the INVITE goes on in the other, whichever it is.
#[test]
fn the_callee_goes_on_in_another_early_dialog() {
    for lost in 0..2 {
        let mut stand = stand();
        let (invite, incoming) = invited(&mut stand);
        let sessions = [ring(&mut stand, Some(b"one")), ring(&mut stand, Some(b"two"))];
        let (lost, left) = (sessions[lost], sessions[1 - lost]);
        stand.alice.session = Some(lost);
        send(&mut stand, "INFO");
        answer(&mut stand, "INFO", 481);
        let ended = stand.alice.last(EventKind::Terminated);
        assert_eq!((ended.session, ended.reason), (Some(lost), Reason::DialogGone));
        assert_eq!(stand.peer.got(), Vec::<String>::new(), "the INVITE is not refused");
        assert_eq!(stand.alice.agent.session(left).unwrap().state(), SessionState::Early);
        let now = stand.alice.now();
        assert_eq!(stand.alice.agent.session_of_incoming(incoming).unwrap(), Some(left));
        assert_eq!(stand.alice.agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).unwrap(), Some(left));
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        stand.peer.learn(&ok);
        let ack = stand.peer.ack(&invite, &ok);
        stand.say(ack);
        assert_eq!(stand.alice.agent.session(left).unwrap().state(), SessionState::Confirmed);
    }
}

/// ... and when that one's request fails too, the INVITE is refused.
#[test]
fn the_callee_refuses_its_invite_with_the_last_early_dialog() {
    let mut stand = stand();
    let (invite, _) = invited(&mut stand);
    for tag in [&b"one"[..], b"two"] {
        ring(&mut stand, Some(tag));
    }
    for event in stand.alice.events.clone() {
        let Some(session) = event.session.filter(|_| event.kind == EventKind::State) else { continue };
        stand.alice.session = Some(session);
        send(&mut stand, "INFO");
        assert!(!stand.peer.got().contains(&"500 INVITE".to_owned()));
        answer(&mut stand, "INFO", 481);
    }
    let refused = stand.peer.take("500 INVITE");
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
    assert_eq!(stand.alice.count(EventKind::Terminated), 2);
}

/// RFC 3262 §3: a reliable response that waits for its PRACK, and a 2xx that waits behind it, go with the dialog; the
/// PRACK that still comes is good.
#[test]
fn what_waited_for_a_prack_goes_with_the_dialog() {
    for accepted in [false, true] {
        let mut stand = stand();
        let (invite, incoming) = invited(&mut stand);
        let now = stand.alice.now();
        stand.alice.session = stand.alice.agent.progress(now, incoming, 183, &reliable(ANSWER)).unwrap();
        if accepted {
            stand.alice.agent.accept(now, incoming, 200, &ResponseOptions::default()).unwrap();
        }
        stand.exchange();
        let ringing = stand.peer.take("183 INVITE");
        stand.peer.learn(&ringing);
        send(&mut stand, "INFO");
        answer(&mut stand, "INFO", 481);
        let refused = stand.peer.take("500 INVITE");
        let ack = stand.peer.ack(&invite, &refused);
        stand.say(ack);
        let rack = format!("{} {} INVITE", ringing.value("rseq"), ringing.cseq());
        let prack = stand.peer.request("PRACK").with("RAck", rack);
        stand.say(prack);
        stand.peer.take("200 PRACK");
        stand.advance(seconds(70));
        assert_eq!(stand.peer.got(), Vec::<String>::new(), "no 2xx, no repeat");
        assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
    }
}

/// The caller: that fork ends by BYE, at once; the INVITE and the other fork go on.
#[test]
fn the_caller_ends_that_fork_by_bye() {
    for status in [481, 408, 404, 0] {
        let mut stand = stand();
        let now = stand.alice.now();
        stand.alice.agent.invite(now, Some(TO_BOB.as_bytes()), with_sdp(OFFER)).unwrap();
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let mut sessions = Vec::new();
        for tag in ["one", "two"] {
            let ringing = stand.peer.reply_as(&invite, 180, tag);
            stand.say(ringing);
            sessions.push(stand.alice.last(EventKind::Progress).session.unwrap());
        }
        stand.alice.session = Some(sessions[0]);
        send(&mut stand, "INFO");
        stand.alice.events.clear();
        answer(&mut stand, "INFO", status);
        assert_eq!(stand.peer.take("BYE").to_tag().as_deref(), Some("one"), "{status}");
        assert_eq!(stand.alice.kinds()[..2], [EventKind::Reject, EventKind::State], "{status}");
        assert!(!stand.peer.got().contains(&"CANCEL".to_owned()), "{status}");
        let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
        stand.say(ok);
        stand.peer.take("ACK");
        assert_eq!(stand.alice.agent.session(sessions[1]).unwrap().state(), SessionState::Confirmed, "{status}");
    }
}

/// An INVITE that is answered is not refused once more. (Of a 2xx that is out `hangup.rs` tells.)
#[test]
fn a_host_that_rejected_meanwhile_is_not_overruled() {
    let mut stand = stand();
    let (invite, incoming) = invited(&mut stand);
    ring(&mut stand, None);
    send(&mut stand, "INFO");
    let now = stand.alice.now();
    stand.alice.agent.reject(now, incoming, 486, &ResponseOptions::default()).unwrap();
    stand.exchange();
    answer(&mut stand, "INFO", 481);
    let refused = stand.peer.inbox.iter().find(|sip| sip.cseq_method() == "INVITE").cloned().unwrap();
    assert_eq!(refused.status(), Some(486));
    let ack = stand.peer.ack(&invite, &refused);
    stand.say(ack);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Rejected);
    let late = stand.alice.agent.info(stand.alice.now(), stand.alice.session(), RequestOptions::default());
    assert_eq!(late.unwrap_err().kind, ErrorKind::Stale);
}
