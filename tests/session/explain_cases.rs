//! What the library does by itself, and what is told of it: the tables of `explain`.

use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::{reliable, with_sdp};
use crate::common::reliable_callee::progress;
use crate::common::session_timer::{WITH_UPDATE, asking};
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use crate::failover::{FIRST, NAMED, finds};
use crate::fault_cases::hears;
use sipdlg::agent::{Body, EventKind, RequestOptions};
use sipdlg::config::Config;

/// What happens, and what is told of it: reason, status, section; the newest first.
pub type Row = (&'static str, fn(&mut Config), fn(&mut Stand), &'static [&'static str]);

pub const USUAL: fn(&mut Config) = |_| {};

pub fn says(stand: &mut Stand, method: &str, lines: &[(&str, &str)], body: Option<(&str, &str)>) {
    let request = lines.iter().fold(stand.peer.request(method), |draft, (name, value)| draft.with(name, *value));
    stand.say(match body {
        Some((kind, text)) => request.content(kind, text),
        None => request,
    });
}

/// Alice calls and is answered with these lines.
pub fn calls(stand: &mut Stand, lines: &[(&str, &str)]) {
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = lines.iter().fold(stand.peer.reply(&invite, 200), |ok, (name, value)| ok.with(name, *value));
    stand.say(ok.sdp(ANSWER));
    stand.peer.take("ACK");
}

/// Her re-INVITE is refused.
pub fn refused(stand: &mut Stand, status: u16, lines: &[(&str, &str)]) {
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let refusal = lines.iter().fold(stand.peer.reply(&invite, status), |draft, (name, value)| draft.with(name, *value));
    stand.say(refusal);
}

const CHALLENGE: &str = "Digest realm=\"example.com\", nonce=\"n\", algorithm=MD5";

pub const ROWS: &[Row] = &[
    // ------------------------------------------------------------------ ours, sent again
    (
        "a re-INVITE meets another",
        USUAL,
        |stand| {
            calls(stand, &[]);
            refused(stand, 491, &[]);
        },
        &["GLARE_RETRY 491 RFC 3261 14.1"],
    ),
    (
        "a re-INVITE comes too early",
        USUAL,
        |stand| {
            calls(stand, &[]);
            refused(stand, 500, &[("Retry-After", "2")]);
        },
        &["GLARE_RETRY 500 RFC 3261 14.1"],
    ),
    (
        "an UPDATE meets another",
        USUAL,
        |stand| {
            calls(stand, &[("Allow", WITH_UPDATE)]);
            stand.alice.update(HOLD);
            stand.exchange();
            stand.peer_replies("UPDATE", 491, "");
        },
        &["GLARE_RETRY 491 RFC 3311 5.1"],
    ),
    (
        "an offer that waits is overtaken by an answer",
        USUAL,
        |stand| {
            calls(stand, &[]);
            refused(stand, 491, &[]);
            stand.alice.hold(EventKind::GlareRetry);
            stand.alice.answers(EventKind::Reinvite, HELD);
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            let ok = stand.peer.take("200 INVITE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
        },
        &["GLARE_RETRY 491 RFC 3264 8", "GLARE_RETRY 491 RFC 3261 14.1"],
    ),
    (
        "an offer that was overtaken gets no successor",
        USUAL,
        |stand| {
            calls(stand, &[]);
            refused(stand, 491, &[]);
            stand.alice.hold(EventKind::GlareRetry);
            stand.alice.answers(EventKind::Reinvite, HELD);
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            let ok = stand.peer.take("200 INVITE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            stand.advance(seconds(9));
        },
        &["GLARE_RETRY 491 RFC 3261 14.1", "GLARE_RETRY 491 RFC 3264 8", "GLARE_RETRY 491 RFC 3261 14.1"],
    ),
    (
        "an INFO is challenged",
        USUAL,
        |stand| {
            calls(stand, &[]);
            stand.alice.info();
            stand.exchange();
            let info = stand.peer.take("INFO");
            let challenge = stand.peer.reply(&info, 401).with("WWW-Authenticate", CHALLENGE);
            stand.say(challenge);
            stand.peer_replies("INFO", 200, "");
        },
        &["AUTHENTICATED 401 RFC 3261 22.2"],
    ),
    (
        "the INVITE was challenged before there was a session",
        USUAL,
        |stand| {
            stand.alice.invite(TO_BOB, OFFER);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            let challenge = stand.peer.reply(&invite, 407).with("Proxy-Authenticate", CHALLENGE);
            stand.say(challenge);
            stand.peer.take("ACK");
            stand.peer_replies("INVITE", 200, ANSWER);
        },
        &["AUTHENTICATED 407 RFC 3261 22.2"],
    ),
    (
        "the INVITE went to the next target",
        USUAL,
        |stand| {
            finds(&mut stand.alice, &[FIRST, BOB]);
            stand.wire.unreachable.push(FIRST.parse().unwrap());
            stand.alice.invite(NAMED, OFFER);
            stand.exchange();
            stand.peer_replies("INVITE", 200, ANSWER);
        },
        &["TRANSPORT 503 RFC 3263 4.3"],
    ),
    (
        "an ACK went to the next target",
        USUAL,
        |stand| {
            finds(&mut stand.alice, &[FIRST, BOB]);
            stand.peer.contact = "sip:peer@gw.example".to_owned();
            stand.wire.unreachable.push(FIRST.parse().unwrap());
            calls(stand, &[]);
        },
        &["TRANSPORT 0 RFC 3263 4.3"],
    ),
    (
        "a re-INVITE asks for too short an interval",
        |config| config.session_timer = asking(600),
        |stand| {
            calls(stand, &[("Session-Expires", "600;refresher=uac")]);
            refused(stand, 422, &[("Min-SE", "900")]);
            stand.peer.take("ACK");
            let invite = stand.peer.take("INVITE");
            let ok = stand.peer.reply(&invite, 200).with("Session-Expires", "900;refresher=uac").sdp(HELD);
            stand.say(ok);
        },
        &["SENT_AGAIN 422 RFC 4028 7.3"],
    ),
    (
        "a re-INVITE fails after it was executed",
        |config| config.resync = true,
        |stand| {
            calls(stand, &[("Allow", "INVITE, UPDATE, ACK, BYE, PRACK")]);
            stand.alice.reinvite(HOLD);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            progress(stand, &invite, 183, 1, HELD);
            stand.peer_replies("PRACK", 200, "");
            let refusal = stand.peer.reply(&invite, 488);
            stand.say(refusal);
            stand.peer_replies("UPDATE", 200, ANSWER);
        },
        &["SENT_AGAIN 0 RFC 6141 3.4"],
    ),
    // ------------------------------------------------------------------ refreshes
    (
        "a refresh",
        |config| config.session_timer = asking(600),
        |stand| {
            calls(stand, &[("Session-Expires", "600;refresher=uac")]);
            stand.advance(seconds(300));
            let invite = stand.peer.take("INVITE");
            let ok = stand.peer.reply(&invite, 200).with("Session-Expires", "600;refresher=uac").sdp(ANSWER);
            stand.say(ok);
        },
        &["REFRESHED 200 RFC 4028 10"],
    ),
    (
        "a refresh by UPDATE that is refused, then one that is not",
        |config| config.session_timer = asking(600),
        |stand| {
            calls(stand, &[("Session-Expires", "600;refresher=uac"), ("Allow", WITH_UPDATE)]);
            stand.advance(seconds(300));
            stand.peer_replies("UPDATE", 500, "");
            stand.advance(seconds(160));
            let update = stand.peer.take("UPDATE");
            let ok = stand.peer.reply(&update, 200).with("Session-Expires", "600;refresher=uac");
            stand.say(ok);
        },
        &["REFRESHED 200 RFC 4028 10", "REFRESHED 500 RFC 4028 10"],
    ),
    // ------------------------------------------------------------------ refused by rule
    (
        "an INFO of another package",
        USUAL,
        |stand| {
            stand.peer_calls();
            says(stand, "INFO", &[("Info-Package", "foo")], None);
        },
        &["REFUSED_BY_RULE 469 RFC 6086 4.2.2"],
    ),
    (
        "a request out of order",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.peer.cseq = 0;
            says(stand, "MESSAGE", &[], None);
            stand.peer.cseq = 1;
        },
        &["REFUSED_BY_RULE 500 RFC 3261 12.2.2"],
    ),
    (
        "a re-INVITE meets ours",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.reinvite(HOLD);
            stand.exchange();
            let ours = stand.peer.take("INVITE");
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            let refusal = stand.peer.take("491 INVITE");
            let ack = stand.peer.ack(&invite, &refusal);
            stand.say(ack);
            let ok = stand.peer.reply(&ours, 200).sdp(HELD);
            stand.say(ok);
        },
        &["REFUSED_BY_RULE 491 RFC 3261 14.2"],
    ),
    (
        "an extension that nobody has, and a broken request",
        USUAL,
        |stand| {
            stand.peer_calls();
            says(stand, "MESSAGE", &[("Require", "foo")], None);
            let broken = stand.peer.request("MESSAGE").set("Max-Forwards", "many");
            hears(stand, broken.text().as_bytes());
        },
        &["REFUSED_BY_RULE 400 RFC 3261 21.4.1", "REFUSED_BY_RULE 420 RFC 3261 8.2.2.3"],
    ),
    (
        "a provisional response out of order",
        USUAL,
        |stand| {
            calls(stand, &[]);
            stand.alice.reinvite(HOLD);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            progress(stand, &invite, 180, 1, "");
            stand.peer_replies("PRACK", 200, "");
            progress(stand, &invite, 180, 3, "");
            let ok = stand.peer.reply(&invite, 200).sdp(HELD);
            stand.say(ok);
        },
        &["REFUSED_BY_RULE 180 RFC 3262 4"],
    ),
    (
        "a PRACK of the library's is refused",
        USUAL,
        |stand| {
            calls(stand, &[]);
            stand.alice.reinvite(HOLD);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            progress(stand, &invite, 180, 1, "");
            stand.peer_replies("PRACK", 500, "");
            let ok = stand.peer.reply(&invite, 200).sdp(HELD);
            stand.say(ok);
        },
        &["PRACK_TIMEOUT 500 RFC 3262 3"],
    ),
    // ------------------------------------------------------------------ defaults
    (
        "what nobody answers",
        USUAL,
        |stand| {
            stand.peer_calls();
            says(stand, "INFO", &[], Some(("text/plain", "1")));
            says(stand, "MESSAGE", &[], Some(("text/plain", "1")));
            says(stand, "OPTIONS", &[], None);
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            let refusal = stand.peer.take("488 INVITE");
            let ack = stand.peer.ack(&invite, &refusal);
            stand.say(ack);
        },
        &["DEFAULT_ANSWER 488 RFC 3261 8.2", "DEFAULT_ANSWER 200 RFC 3261 8.2", "DEFAULT_ANSWER 469 RFC 3261 8.2"],
    ),
    (
        "an offer of an UPDATE waits too long",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Update);
            says(stand, "UPDATE", &[], Some(("application/sdp", HOLD)));
            stand.advance(seconds(40));
        },
        &["ANSWER_TIMEOUT 504 RFC 3261 13.3.1"],
    ),
    // ------------------------------------------------------------------ given up
    (
        "no ACK to the 2xx of a re-INVITE",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::AckTimeout);
            stand.alice.answers(EventKind::Reinvite, HELD);
            says(stand, "INVITE", &[], Some(("application/sdp", HOLD)));
            stand.advance(seconds(33));
        },
        &["ACK_TIMEOUT 0 RFC 3261 13.3.1.4"],
    ),
    (
        "no PRACK in a re-INVITE",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Reinvite);
            let invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(HOLD);
            stand.say(invite.clone());
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            stand.alice.agent.progress(now, incoming, 183, &reliable(HELD)).unwrap();
            stand.advance(seconds(33));
            let refusal = stand.peer.take("504 INVITE");
            let ack = stand.peer.ack(&invite, &refusal);
            stand.say(ack);
        },
        &["PRACK_TIMEOUT 504 RFC 3262 3"],
    ),
    (
        "a re-INVITE of ours has waited long enough",
        USUAL,
        |stand| {
            calls(stand, &[]);
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let options = RequestOptions { expires_ms: 1_000, ..with_sdp(HOLD) };
            stand.alice.agent.reinvite(now, session, options).unwrap();
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            let ringing = stand.peer.reply(&invite, 180);
            stand.say(ringing);
            stand.advance(seconds(2));
            stand.peer_replies("CANCEL", 200, "");
            let over = stand.peer.reply(&invite, 487);
            stand.say(over);
        },
        &["CANCELLED 0 RFC 3261 13.2.1"],
    ),
    (
        "a later 2xx lacks the answer",
        USUAL,
        |stand| {
            calls(stand, &[]);
            stand.wire.trace.allowed.push("offer-answer");
            stand.alice.reinvite(HOLD);
            stand.exchange();
            stand.peer_replies("INVITE", 200, "");
        },
        &["NO_ANSWER_IN_2XX 200 RFC 3261 13.2.1"],
    ),
    (
        "a 2xx of a fork that is not wanted",
        USUAL,
        |stand| {
            stand.alice.invite(TO_BOB, OFFER);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            stand.peer.learn(&invite);
            for tag in ["peer-tag", "other"] {
                let ok = stand.peer.reply_as(&invite, 200, tag).sdp(ANSWER);
                stand.say(ok);
            }
            stand.peer_replies("BYE", 200, "");
        },
        &["FORK_LOST 200 RFC 3261 13.2.2.4"],
    ),
    (
        "an INFO finds no way",
        USUAL,
        |stand| {
            calls(stand, &[]);
            stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "INFO"));
            stand.alice.info();
            stand.exchange();
            stand.wire.fail = None;
        },
        &["TRANSPORT 503 RFC 3261 8.1.3.1"],
    ),
    (
        "a response cannot be sent",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Reinvite);
            let invite = stand.peer.request("INVITE").sdp(HOLD);
            stand.say(invite.clone());
            stand.alice.progress(180, "");
            stand.exchange();
            let (now, id) = (stand.alice.now(), stand.alice.last_transmit());
            assert!(stand.alice.agent.transmit_failed(now, id));
            stand.alice.accept(HELD);
            stand.exchange();
            let ok = stand.peer.take("200 INVITE");
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
        },
        &["TRANSPORT 0 RFC 3261 18.4"],
    ),
    ("a call without anything", USUAL, |stand| stand.peer_calls(), &[]),
];

/// What happens without a session, or before there is one, and what its line says.
pub type Line = (&'static str, fn(&mut Stand), &'static [&'static str]);

pub const LINES: &[Line] = &[
    (
        "an INVITE is challenged",
        |stand| {
            stand.alice.invite(TO_BOB, OFFER);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", CHALLENGE);
            stand.say(challenge);
            stand.peer.take("ACK");
            stand.peer_replies("INVITE", 486, "");
        },
        &["401 to INVITE | Call-ID ", "| done after 401 | ", "(RFC 3261 22.2) | AUTHENTICATED"],
    ),
    (
        "a MESSAGE goes unanswered",
        |stand| {
            let body = Body { content: b"hi", content_type: Some(b"text/plain"), disposition: None };
            let (now, options) = (stand.alice.now(), RequestOptions { body: Some(body), ..RequestOptions::default() });
            stand.alice.agent.request(now, b"MESSAGE", TO_BOB.as_bytes(), options).unwrap();
            stand.advance(seconds(33));
        },
        &["MESSAGE | Call-ID ", "| done after 408 | ", "(RFC 3261 8.1.3.1) | TRANSPORT"],
    ),
    (
        "a MESSAGE that nobody takes",
        |stand| says(stand, "MESSAGE", &[], Some(("text/plain", "hi"))),
        &["MESSAGE | Call-ID peer-call | done after 200 | ", "(RFC 3261 8.2) | DEFAULT_ANSWER"],
    ),
    (
        "an INVITE whose Expires passes, and nobody has rung",
        |stand| {
            stand.alice.hold(EventKind::Invite);
            let invite = stand.peer.request("INVITE").with("Expires", "1").sdp(OFFER);
            stand.say(invite.clone());
            stand.advance(seconds(2));
            let refusal = stand.peer.take("487 INVITE");
            let ack = stand.peer.ack(&invite, &refusal);
            stand.say(ack);
        },
        &["INVITE | Call-ID peer-call | done after 487 | ", "(RFC 3261 13.3.1) | ANSWER_TIMEOUT"],
    ),
    (
        "an INVITE that nobody looks at",
        |stand| {
            stand.alice.hold(EventKind::Invite);
            let invite = stand.peer.request("INVITE").sdp(OFFER);
            stand.say(invite.clone());
            stand.advance(seconds(181));
            let refusal = stand.peer.take("480 INVITE");
            let ack = stand.peer.ack(&invite, &refusal);
            stand.say(ack);
        },
        &["INVITE | Call-ID peer-call | answered 480 | ", "(RFC 3261 13.3.1) | ANSWER_TIMEOUT"],
    ),
    (
        "a stray request",
        |stand| says(stand, "BYE", &[], None),
        &["BYE | Call-ID peer-call | answered 481 | To: ", "(RFC 3261 12.2.2) | REFUSED_BY_RULE"],
    ),
    ("noise", |stand| hears(stand, b"hello"), &["bytes | Call-ID - | dropped | ", " | REFUSED_BY_RULE"]),
];
