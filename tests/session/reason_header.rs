//! Reason (RFC 3326): written by option, and told by the events.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::reliable_callee::called;
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;

const HANGUP: &str = "Q.850;cause=16;text=\"Terminated\"";

fn because(reason: &str) -> RequestOptions<'_> {
    RequestOptions { reason: Some(reason.as_bytes()), ..RequestOptions::default() }
}

#[track_caller]
fn text(event: &sipdlg::agent::Event) -> &str {
    std::str::from_utf8(event.text.as_deref().unwrap_or_default()).expect("text")
}

/// In BYE, by hang-up or strictly: BYE and TERMINATED tell it.
#[test]
fn a_bye_says_why() {
    for strictly in [false, true] {
        let mut pair = Pair::confirmed();
        let (now, session) = (pair.alice.now(), pair.alice.session());
        if strictly {
            pair.alice.agent.bye(now, session, because(HANGUP)).expect("it is legal");
        } else {
            pair.alice.agent.hangup(now, session, 0, because(HANGUP)).expect("it is legal");
        }
        pair.exchange();
        assert_eq!(text(pair.bob.last(EventKind::Bye)), HANGUP);
        assert_eq!(text(pair.bob.last(EventKind::Terminated)), HANGUP);
        assert_eq!(text(pair.alice.last(EventKind::Terminated)), "", "the peer gave none");
    }
}

/// The callee's BYE, which waits for the ACK.
#[test]
fn a_bye_that_waits_says_why() {
    let mut stand = Stand::new();
    stand.alice.rings_and_answers(ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { headers: vec![b"X-Why: so"], ..because(HANGUP) };
    stand.alice.agent.hangup(now, session, 0, options).expect("it is legal");
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!((bye.all("reason"), bye.get("x-why")), (vec![HANGUP], Some("so")));
}

/// In CANCEL: by hang-up, by the option of a cancel, by its own parameter, which counts before the option.
#[test]
fn a_cancel_says_why() {
    for (by_hangup, parameter, option, expected) in [
        (true, "", HANGUP, HANGUP),
        (false, "", HANGUP, HANGUP),
        (false, "SIP;cause=600", HANGUP, "SIP;cause=600"),
        (false, "SIP;cause=600", "", "SIP;cause=600"),
    ] {
        let mut pair = Pair::new();
        pair.bob.on(EventKind::Invite, |agent, now, event| {
            agent.progress(now, event.incoming.expect("one"), 180, &ResponseOptions::default()).expect("legal");
        });
        let invite = pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        let (now, session) = (pair.alice.now(), pair.alice.session());
        let options = RequestOptions {
            reason: Some(option.as_bytes()).filter(|reason| !reason.is_empty()),
            ..RequestOptions::default()
        };
        if by_hangup {
            pair.alice.agent.hangup(now, session, 0, options).expect("it is legal");
        } else {
            let parameter = (!parameter.is_empty()).then_some(parameter.as_bytes());
            pair.alice.agent.cancel(now, invite, parameter, &options).expect("it is legal");
        }
        pair.exchange();
        assert_eq!(text(pair.bob.last(EventKind::Cancel)), expected);
        assert_eq!(text(pair.bob.last(EventKind::Terminated)), expected);
    }
}

/// In responses: a refusal, a redirection, one by hang-up.
#[test]
fn a_refusal_says_why() {
    for status in [302, 486, 603] {
        let mut pair = Pair::new();
        pair.bob.on(EventKind::Invite, move |agent, now, event| {
            let invite = event.incoming.expect("an INVITE");
            let options = ResponseOptions { reason: Some(HANGUP.as_bytes()), ..ResponseOptions::default() };
            match status {
                302 => agent.redirect(now, invite, 302, &[b"sip:carol@example.com"], &options).expect("legal"),
                486 => agent.reject(now, invite, 486, &options).expect("legal"),
                _ => {
                    let session = agent.session_for_invite(now, invite).expect("legal");
                    agent.hangup(now, session, 0, because(HANGUP)).expect("legal");
                }
            }
        });
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        let kind = if status == 302 { EventKind::Redirect } else { EventKind::Reject };
        assert_eq!((pair.alice.last(kind).status_code, text(pair.alice.last(kind))), (status, HANGUP));
    }
}

/// RFC 3326 §2: one value a protocol, in a list or on lines of their own: as they came, in one list.
#[test]
fn several_reasons_are_one_list() {
    for lines in [&["SIP;cause=200;text=\"a, b\",Q.850 ;cause=16"][..], &["SIP;cause=200", "Q.850;cause=16"]] {
        let mut stand = Stand::alice_called();
        let mut bye = stand.peer.request("BYE");
        for line in lines {
            bye = bye.with("Reason", *line);
        }
        stand.say(bye);
        stand.peer.take("200 BYE");
        assert_eq!(text(stand.alice.last(EventKind::Bye)), lines.join(", "));
        assert_eq!(text(stand.alice.last(EventKind::Terminated)), lines.join(", "));
    }
    // Those of the host's header and option both go out.
    let mut stand = Stand::alice_called();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { headers: vec![b"Reason: SIP;cause=200"], ..because(HANGUP) };
    stand.alice.agent.bye(now, session, options).expect("it is legal");
    stand.exchange();
    assert_eq!(stand.peer_replies("BYE", 200, "").all("reason"), ["SIP;cause=200", HANGUP]);
}

/// Other events tell none, though their messages have one.
#[test]
fn only_ends_tell_a_reason() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply(&invite, 180).with("Reason", HANGUP);
    stand.say(ringing);
    assert_eq!(text(stand.alice.last(EventKind::Progress)), "");
    let ok = stand.peer.reply(&invite, 200).with("Reason", HANGUP).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(text(stand.alice.last(EventKind::Accept)), "");
    stand.advance(seconds(1));
}

/// What breaks the line is refused, and nothing is sent.
#[test]
fn a_bad_reason_is_refused() {
    for reason in ["SIP;cause=200\r\nX: y", "\n", "SIP;cause=200\r"] {
        let mut stand = Stand::alice_called();
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let refused = stand.alice.agent.bye(now, session, because(reason)).expect_err("it is bad");
        assert_eq!(refused.kind, ErrorKind::Syntax, "{reason:?}");
        let refused = stand.alice.agent.hangup(now, session, 0, because(reason)).expect_err("it is bad");
        assert_eq!(refused.kind, ErrorKind::Syntax, "{reason:?}");
        let invite = stand.alice.reinvite("");
        let refused = stand.alice.agent.cancel(now, invite, Some(reason.as_bytes()), &RequestOptions::default());
        assert_eq!(refused.expect_err("it is bad").kind, ErrorKind::Syntax, "{reason:?}");
        stand.exchange();
        assert_eq!(stand.peer.got(), ["INVITE"]);
        stand.peer_replies("INVITE", 488, "");
    }
    // None at all is none.
    let mut stand = Stand::alice_called();
    let (now, session) = (stand.alice.now(), stand.alice.session());
    stand.alice.agent.bye(now, session, because("")).expect("it is legal");
    stand.exchange();
    assert_eq!(stand.peer_replies("BYE", 200, "").get("reason"), None);
}
