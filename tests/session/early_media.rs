//! A description in an unreliable provisional response is a preview of the answer (RFC 3261 §13.2.1, RFC 6337 §3.1.1).

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, reliable, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::{Body, EventKind, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

#[test]
fn a_preview_in_183_is_the_answer_and_leaves_the_offer_open() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(183, ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Early, SignalingState::Stable));
    assert_eq!(pair.bob.state(), (SessionState::Early, SignalingState::Stable));
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(session.answer().unwrap().content(), ANSWER.as_bytes());
        assert!(session.open_offer().is_some(), "no new offer before a reliable response (RFC 6337 §3.1.1)");
    }
    assert_eq!(pair.alice.last(EventKind::Progress).message.as_ref().unwrap().body(), ANSWER.as_bytes());
    pair.bob.accept(ANSWER);
    pair.exchange();
    assert_eq!(pair.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// An unreliable provisional response can carry no offer.
#[test]
fn no_description_goes_out_before_the_2xx_of_an_offerless_invite() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.answers_in_ack(ANSWER);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    let refused = pair.bob.agent.progress(pair.bob.now(), pair.bob.incoming(), 183, &answer_sdp(OFFER));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::State);
    pair.bob.accept(OFFER);
    pair.exchange();
    assert_eq!(pair.alice.state().1, SignalingState::Stable);
}

/// ... and one that comes is no offer.
#[test]
fn a_description_in_an_unreliable_183_to_an_offerless_invite_is_no_offer() {
    let mut stand = Stand::new();
    stand.alice.answers_in_ack(ANSWER);
    stand.alice.invite(TO_BOB, "");
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 183, HELD);
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Initial));
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").sdp(), Some(ANSWER));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// The caller takes the first description for the answer and ignores those of later responses.
#[test]
fn the_preview_stays_the_answer_whatever_the_2xx_says() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 183, HELD);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    assert_eq!(session.signaling_state(), SignalingState::Stable);
    assert_eq!(session.answer().unwrap().content(), HELD.as_bytes());
}

/// Every 1xx with another To tag has an early dialog and an answer of its own.
#[test]
fn each_fork_has_its_own_preview() {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let mut forks = Vec::new();
    for (tag, shown) in [("fork-a", Some(HELD)), ("fork-b", Some(ANSWER)), ("fork-c", None)] {
        let reply = stand.peer.reply_as(&invite, 183, tag);
        stand.say(if let Some(shown) = shown { reply.sdp(shown) } else { reply });
        forks.push((stand.alice.last(EventKind::Progress).session.unwrap(), shown));
    }
    for (id, shown) in forks {
        let session = stand.alice.agent.session(id).unwrap();
        assert_eq!(session.answer().map(|answer| answer.content()), shown.map(str::as_bytes));
        let expected = if shown.is_some() { SignalingState::Stable } else { SignalingState::HaveLocalOffer };
        assert_eq!(session.signaling_state(), expected);
    }
}

/// A re-INVITE's preview goes with its rejection (§14.1).
#[test]
fn a_preview_in_a_re_invite_goes_with_its_rejection() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.reinvite(HELD);
    pair.exchange();
    pair.bob.progress(183, HELD);
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state().1, SignalingState::Stable);
        assert_eq!(party.agent.session(party.session()).unwrap().answer().unwrap().content(), HELD.as_bytes());
    }
    pair.bob.reject(488);
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        let session = party.agent.session(party.session()).unwrap();
        assert_eq!(
            (session.offer().unwrap().content(), session.answer().unwrap().content()),
            (OFFER.as_bytes(), ANSWER.as_bytes())
        );
    }
}

/// What bob's host says to an INVITE: provisional responses, reliable or not, and what they describe.
type Said = &'static [(u16, bool, &'static str)];

/// RFC 3261 §13.2.1: the 2xx to which the host gives no body repeats the answer that was shown, for INVITE and
/// re-INVITE. What it gives goes out as it is.
#[test]
fn a_2xx_without_a_body_repeats_the_answer_that_was_shown() {
    // The offer; what was said before; the body of accept(); that of the 2xx, `None`: refused.
    let rows: [(&str, Said, &str, Option<&str>); 11] = [
        (HOLD, &[(183, false, HELD)], "", Some(HELD)),
        (HOLD, &[(180, false, ""), (183, false, HELD), (180, false, "")], "", Some(HELD)),
        // Only the first is the answer.
        (HOLD, &[(183, false, HELD), (183, false, ANSWER)], "", Some(HELD)),
        (HOLD, &[(183, false, HELD)], HELD, Some(HELD)),
        (HOLD, &[(183, false, HELD)], ANSWER, Some(ANSWER)),
        (HOLD, &[(180, false, "")], "", None),
        (HOLD, &[], "", None),
        // RFC 6337 §3.1: a reliable response has carried it, and the 2xx carries none.
        (HOLD, &[(183, true, HELD)], "", Some("")),
        (HOLD, &[(183, false, HELD), (183, true, HELD)], "", Some("")),
        (HOLD, &[(183, false, HELD), (180, true, "")], "", Some(HELD)),
        // The offer is ours to make.
        ("", &[(180, false, "")], "", None),
    ];
    for is_reinvite in [false, true] {
        for (offer, said, given, expected) in rows {
            let row = format!("{offer:?} {said:?} {given:?}, re-INVITE: {is_reinvite}");
            let mut pair = if is_reinvite { Pair::confirmed() } else { Pair::new() };
            pair.wire.trace.allowed.push("preview-equals-answer");
            for kind in [EventKind::Invite, EventKind::Reinvite] {
                pair.bob.hold(kind);
            }
            pair.alice.answers_in_ack(ANSWER);
            if is_reinvite {
                pair.alice.reinvite(offer);
            } else {
                pair.alice.invite(TO_BOB, offer);
            }
            pair.exchange();
            let incoming = pair.bob.incoming();
            for (status, is_reliable, text) in said {
                let options = if *is_reliable { reliable(text) } else { answer_sdp(text) };
                pair.bob.agent.progress(pair.bob.now(), incoming, *status, &options).expect(&row);
                pair.exchange();
            }
            let accepted = pair.bob.agent.accept(pair.bob.now(), incoming, 200, &answer_sdp(given));
            pair.exchange();
            let Some(expected) = expected else {
                assert_eq!(accepted.unwrap_err().kind, ErrorKind::State, "{row}");
                pair.bob.agent.reject(pair.bob.now(), incoming, 488, &ResponseOptions::default()).expect(&row);
                pair.exchange();
                continue;
            };
            accepted.expect(&row);
            let ok = pair.alice.last(EventKind::Accept).message.clone().expect("a 2xx");
            assert_eq!(String::from_utf8_lossy(ok.body()), expected, "{row}");
            let shown = said.iter().find(|(.., text)| !text.is_empty()).map_or(given, |(.., text)| text);
            for party in [&pair.alice, &pair.bob] {
                assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable), "{row}");
                assert_eq!(party.properties().answer.as_deref(), Some(shown), "{row}");
            }
        }
    }
}

/// RFC 6337 §3.1: a reliable response that waits behind another will carry the answer: the 2xx has none.
#[test]
fn an_answer_that_a_reliable_response_will_carry_is_not_repeated() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    for options in [answer_sdp(ANSWER), reliable(""), reliable(ANSWER)] {
        pair.bob.agent.progress(now, incoming, 183, &options).unwrap();
    }
    pair.bob.accept("");
    pair.exchange();
    assert_eq!(pair.alice.last(EventKind::Accept).message.as_ref().unwrap().body(), b"");
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable));
    }
}

/// Each early dialog repeats what it has shown itself.
#[test]
fn each_fork_repeats_its_own_answer() {
    for (tag, expected) in [("a", Some(HELD)), ("b", Some(ANSWER)), ("c", None), ("d", None)] {
        let mut stand = Stand::new();
        stand.wire.trace.allowed.push("response-to-tag");
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").sdp(OFFER);
        stand.say(invite.clone());
        let incoming = stand.alice.incoming();
        for (tag, shown) in [("a", HELD), ("b", ANSWER), ("c", "")] {
            let options = ResponseOptions { to_tag: Some(tag.as_bytes()), ..answer_sdp(shown) };
            stand.alice.agent.progress(stand.alice.now(), incoming, 183, &options).unwrap();
        }
        stand.exchange();
        let options = ResponseOptions { to_tag: Some(tag.as_bytes()), ..ResponseOptions::default() };
        let accepted = stand.alice.agent.accept(stand.alice.now(), incoming, 200, &options);
        assert_eq!(accepted.is_ok(), expected.is_some(), "{tag}");
        stand.exchange();
        if let Some(expected) = expected {
            let ok = stand.peer.take("200 INVITE");
            assert_eq!((ok.to_tag().as_deref(), ok.sdp()), (Some(tag), Some(expected)));
            stand.peer.learn(&ok);
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
        } else {
            stand.alice.reject(486);
            stand.exchange();
            let refused = stand.peer.take("486 INVITE");
            let ack = stand.peer.ack(&invite, &refused);
            stand.say(ack);
        }
    }
}

/// A description of another type is repeated with its type and disposition; a body that is none answers nothing.
#[test]
fn what_is_repeated_says_what_it_is() {
    let mut pair = Pair::new();
    // The checker takes nothing but SDP for an answer.
    pair.wire.trace.allowed.push("answer-missing");
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite_with(TO_BOB, with_sdp(OFFER));
    pair.exchange();
    let described = Body { content: b"x", content_type: Some(b"application/x"), disposition: Some(b"session") };
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    let options = ResponseOptions { body: Some(described), ..ResponseOptions::default() };
    pair.bob.agent.progress(now, incoming, 183, &options).unwrap();
    let text = Body { content: b"x", content_type: Some(b"text/plain"), disposition: None };
    let options = ResponseOptions { body: Some(text), ..ResponseOptions::default() };
    assert_eq!(pair.bob.agent.accept(now, incoming, 200, &options).unwrap_err().kind, ErrorKind::State);
    pair.bob.accept("");
    pair.exchange();
    let ok = pair.alice.last(EventKind::Accept).message.clone().expect("a 2xx");
    let session = ok.session_body().expect("a description");
    assert_eq!((session.content, session.content_type), (&b"x"[..], &b"application/x"[..]));
}

/// What spoke of it in the 183 speaks of it in the 2xx, and a multipart is repeated whole; in an INVITE and a re-INVITE.
#[test]
fn what_is_repeated_is_as_it_was() {
    const MIXED: &str = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    type Row =
        (Option<&'static str>, Option<&'static str>, &'static str, &'static [&'static str], &'static [&'static str]);
    // Type, disposition, content and header lines of the 183; what the host gives for the 2xx.
    let rows: [Row; 8] = [
        (None, None, HELD, &[], &[]),
        (None, Some("session;handling=required"), HELD, &[], &[]),
        (Some("application/SDP;x=y"), None, HELD, &[], &[]),
        (Some("application/sdp;charset=\"utf-8\""), Some("session;handling=optional"), HELD, &[], &[]),
        (None, None, HELD, &["Content-Language: en, de", "Content-Encoding: identity", "X-More: y"], &[]),
        (None, None, HELD, &["Content-Language: en", "content-id: <1@a>"], &["CONTENT-LANGUAGE: de", "X-More: z"]),
        (Some("multipart/mixed;boundary=b"), None, MIXED, &["MIME-Version: 1.0"], &[]),
        (Some("multipart/mixed;boundary=\"b\""), Some("session"), MIXED, &[], &["MIME-Version: 1.0"]),
    ];
    let of_body =
        ["Content-Type", "Content-Disposition", "Content-Language", "Content-Encoding", "MIME-Version", "Content-ID"];
    for is_reinvite in [false, true] {
        for (content_type, disposition, content, lines, given) in rows {
            let row = format!("{content_type:?} {disposition:?} {lines:?} {given:?}, re-INVITE: {is_reinvite}");
            let mut pair = if is_reinvite { Pair::confirmed() } else { Pair::new() };
            for kind in [EventKind::Invite, EventKind::Reinvite] {
                pair.bob.hold(kind);
            }
            if is_reinvite {
                pair.alice.reinvite(HOLD);
            } else {
                pair.alice.invite(TO_BOB, HOLD);
            }
            pair.exchange();
            let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
            let body = Body {
                content: content.as_bytes(),
                content_type: content_type.map(str::as_bytes),
                disposition: disposition.map(str::as_bytes),
            };
            let bytes = |lines: &[&'static str]| lines.iter().map(|line| line.as_bytes()).collect();
            let options = ResponseOptions { body: Some(body), headers: bytes(lines), ..ResponseOptions::default() };
            pair.bob.agent.progress(now, incoming, 183, &options).expect(&row);
            pair.exchange();
            let options = ResponseOptions { headers: bytes(given), ..ResponseOptions::default() };
            pair.bob.agent.accept(now, incoming, 200, &options).expect(&row);
            pair.exchange();
            let messages =
                [EventKind::Progress, EventKind::Accept].map(|kind| pair.alice.last(kind).message.clone().unwrap());
            let [shown, ok] = messages.each_ref();
            assert_eq!((ok.body(), ok.body().len()), (shown.body(), content.len()), "{row}");
            for header in of_body {
                let values = |message: &sipdlg::message::Message| {
                    message.values(header).map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
                };
                let own = |line: &&&str| line.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case(header));
                match given.iter().find(own) {
                    Some(line) => assert_eq!(values(ok), [line.split(": ").nth(1).unwrap()], "{row}"),
                    None => assert_eq!(values(ok), values(shown), "{header} {row}"),
                }
            }
            assert_eq!(ok.values("X-More").next(), given.contains(&"X-More: z").then_some(&b"z"[..]), "{row}");
            for party in [&pair.alice, &pair.bob] {
                assert_eq!(party.state(), (SessionState::Confirmed, SignalingState::Stable), "{row}");
            }
        }
    }
}
