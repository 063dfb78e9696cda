//! Header lines of the host that stand instead of the library's own: in whatever is sent, at once or later, once or
//! again; and those that may stand once.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, sdp, with_sdp};
use crate::common::sip::Sip;
use crate::common::wire::Secret;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;

const LINES: [&[u8]; 2] = [b"Max-Forwards: 10", b"User-Agent: host"];

fn with_lines(text: &str) -> RequestOptions<'_> {
    RequestOptions { headers: LINES.to_vec(), ..with_sdp(text) }
}

/// Both lines of the host's, and none of ours beside them.
#[track_caller]
fn has_lines(sip: &Sip) {
    let short = sip.short();
    assert_eq!((sip.all("max-forwards"), sip.all("user-agent")), (vec!["10"], vec!["host"]), "{short}");
}

/// CANCEL, by its function and by hang-up, before and after the first provisional response; a peer that is this library
/// takes it.
#[test]
fn in_cancel() {
    for (by_hangup, early) in [(false, true), (true, true), (false, false)] {
        let mut pair = Pair::new();
        pair.bob.hold(EventKind::Invite);
        let invite = pair.alice.invite(TO_BOB, OFFER);
        if early {
            pair.exchange();
            pair.bob.progress(180, "");
            pair.exchange();
        }
        let now = pair.alice.now();
        let options = RequestOptions { headers: LINES.to_vec(), ..RequestOptions::default() };
        if by_hangup {
            pair.alice.agent.hangup(now, pair.alice.session(), 0, options).expect("a hang-up is legal");
        } else {
            assert!(pair.alice.agent.cancel(now, invite, Some(b"SIP;cause=200"), &options).expect("a CANCEL is legal"));
        }
        pair.advance(seconds(1));
        let sent = pair.wire.trace.datagrams.iter().filter_map(|datagram| datagram.sip.as_ref().ok());
        let cancel = sent.clone().find(|sip| sip.short() == "CANCEL").expect("a CANCEL");
        has_lines(cancel);
        assert_eq!(cancel.all("reason").len(), usize::from(!by_hangup));
        assert_eq!(sent.filter(|sip| sip.short() == "200 CANCEL").count(), 1);
        assert_eq!(pair.alice.statuses(EventKind::Reject), [487]);
    }
    // Ours, where the host has none.
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.alice.cancel();
    pair.advance(seconds(1));
    let mut sent = pair.wire.trace.datagrams.iter().filter_map(|datagram| datagram.sip.as_ref().ok());
    let cancel = sent.find(|sip| sip.short() == "CANCEL").expect("a CANCEL");
    assert_eq!(cancel.all("max-forwards"), ["70"]);
}

/// The BYE of a callee waits for the ACK (RFC 3261 §15), and carries what the host gave it.
#[test]
fn in_a_bye_that_waits() {
    let mut stand = Stand::new();
    stand.wire.trace.allowed.extend(["digest-form", "digest-answer"]);
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let authorization = b"Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"d\", response=\"e\"";
    let body = sipdlg::agent::Body {
        content: b"over",
        content_type: Some(b"text/plain"),
        disposition: Some(b"render;handling=optional"),
    };
    let headers = [&LINES[..], &[authorization, b"Reason: SIP;cause=200", b"X-Last: word"]].concat();
    let options = RequestOptions { headers, body: Some(body), ..RequestOptions::default() };
    stand.alice.agent.hangup(now, session, 0, options).expect("a hang-up is legal");
    stand.exchange();
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let bye = stand.peer.take("BYE");
    has_lines(&bye);
    assert_eq!((bye.value("reason"), bye.value("x-last"), bye.body.as_str()), ("SIP;cause=200", "word", "over"));
    let about = (bye.all("content-type"), bye.all("content-disposition"), bye.all("authorization").len());
    assert_eq!(about, (vec!["text/plain"], vec!["render;handling=optional"], 1));
    let done = stand.peer.reply(&bye, 200);
    stand.say(done);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// The ACK of a late offer with its repeat, PRACK.
#[test]
fn in_ack_and_prack() {
    let mut stand = Stand::new();
    let options = RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_lines("") };
    stand.alice.invite_with(TO_BOB, options);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    has_lines(&invite);
    stand.peer.learn(&invite);
    stand.alice.hold(EventKind::Accept);
    let ringing = stand.peer.reply(&invite, 180).reliable(1);
    stand.say(ringing);
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let twice = RequestOptions { headers: vec![b"RAck: 1 1 INVITE", b"RAck: 1 1 INVITE"], ..RequestOptions::default() };
    let refused = stand.alice.agent.prack(now, session, twice).expect_err("RAck twice");
    assert_eq!(refused.kind, ErrorKind::Header);
    let headers = [&LINES[..], &[b"RAck: 1 1 INVITE"]].concat();
    let options = RequestOptions { headers, ..RequestOptions::default() };
    stand.alice.agent.prack(now, session, options).expect("a PRACK is owed");
    stand.exchange();
    let prack = stand.peer_replies("PRACK", 200, "");
    has_lines(&prack);
    assert_eq!(prack.all("rack"), ["1 1 INVITE"]);
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok.clone());
    stand.alice.agent.ack(stand.alice.now(), session, &with_lines(ANSWER)).expect("an ACK is owed");
    stand.exchange();
    let ack = stand.peer.take("ACK");
    has_lines(&ack);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK"), ack);
}

/// A challenge, another one and a glare: all that the host gave is there again, once.
#[test]
fn in_what_is_sent_again() {
    let mut alice = config("alice");
    alice.add_credentials(Some(b"example.com"), b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(alice);
    let [realm, user, password] = ["example.com", "alice", "wonderland"].map(str::to_owned);
    stand.wire.trace.secrets.push(Secret { realm, user, password });
    stand.alice.invite_with(TO_BOB, with_lines(OFFER));
    stand.exchange();
    let challenged = |stand: &mut Stand, method: &str, nonce: &str| {
        let request = stand.peer.take(method);
        has_lines(&request);
        let challenge = format!("Digest realm=\"example.com\", nonce=\"{nonce}\", stale=true");
        let refusal = stand.peer.reply(&request, 401).with("WWW-Authenticate", challenge);
        stand.say(refusal);
        request
    };
    challenged(&mut stand, "INVITE", "1");
    challenged(&mut stand, "INVITE", "2");
    has_lines(&stand.peer_replies("INVITE", 200, ANSWER));
    stand.peer.take("ACK");
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let contact: &[u8] = b"Contact: <sip:host@192.0.2.1:5060>";
    let options = RequestOptions { headers: [&LINES[..], &[contact]].concat(), ..with_sdp(HOLD) };
    stand.alice.agent.reinvite(now, session, options).expect("a re-INVITE is legal");
    stand.exchange();
    challenged(&mut stand, "INVITE", "3");
    let reinvite = stand.peer_replies("INVITE", 491, "");
    has_lines(&reinvite);
    stand.advance(seconds(5));
    let again = stand.peer_replies("INVITE", 200, HELD);
    has_lines(&again);
    assert_eq!(again.all("contact"), ["<sip:host@192.0.2.1:5060>"]);
    stand.peer.take("ACK");
    let options = RequestOptions { headers: LINES.to_vec(), ..RequestOptions::default() };
    stand.alice.agent.bye(stand.alice.now(), session, options).expect("a BYE is legal");
    stand.exchange();
    challenged(&mut stand, "BYE", "4");
    has_lines(&stand.peer_replies("BYE", 200, ""));
}

/// Every header that may stand once and is given twice, in every request and response; nothing is sent.
#[test]
fn given_twice() {
    let lines: [&[u8]; 12] = [
        b"Max-Forwards: 10",
        b"User-Agent: a",
        b"Server: a",
        b"Subject: a",
        b"Expires: 10",
        b"Date: now",
        b"Refer-To: <sip:a@b>",
        b"Referred-By: <sip:a@b>",
        b"Event: a",
        b"Subscription-State: active",
        b"Reply-To: <sip:a@b>",
        b"session-expires: 90",
    ];
    for line in lines {
        let mut stand = Stand::peer_called();
        let text = String::from_utf8_lossy(line).into_owned();
        let request = || RequestOptions { headers: vec![line, b"X: y", line], ..RequestOptions::default() };
        let response = || ResponseOptions { headers: vec![line, b"X: y", line], ..ResponseOptions::default() };
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let agent = &mut stand.alice.agent;
        let mut results = vec![
            agent.invite(now, Some(TO_BOB.as_bytes()), request()).map(drop),
            agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), request()).map(drop),
            agent.reinvite(now, session, request()).map(drop),
            agent.info(now, session, request()).map(drop),
            agent.message(now, session, request()).map(drop),
            agent.options(now, session, request()).map(drop),
            agent.refer(now, session, Some(b"sip:a@b"), None, request()).map(drop),
            agent.bye(now, session, request()).map(drop),
            agent.hangup(now, session, 0, request()).map(drop),
        ];
        stand.alice.hold(EventKind::Reinvite);
        let reinvite = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(reinvite.clone());
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let agent = &mut stand.alice.agent;
        results.extend([
            agent.progress(now, incoming, 180, &response()).map(drop),
            agent.accept(now, incoming, 200, &ResponseOptions { body: sdp(HELD), ..response() }).map(drop),
            agent.reject(now, incoming, 488, &response()),
            agent.redirect(now, incoming, 302, &[], &response()),
        ]);
        for (at, result) in results.into_iter().enumerate() {
            assert_eq!(result.expect_err(&text).kind, ErrorKind::Header, "{text} in call {at}");
        }
        stand.peer.inbox.retain(|sip| sip.status() != Some(100));
        assert_eq!(stand.peer.got(), crate::common::NOTHING, "{text}");
        stand.alice.agent.accept(now, incoming, 200, &answer_sdp(HELD)).expect("still to be answered");
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        let ack = stand.peer.ack(&reinvite, &ok);
        stand.say(ack);
    }
}

/// Lists, credentials and what nobody knows may stand more than once.
#[test]
fn given_more_than_once() {
    let mut stand = Stand::peer_called();
    stand.wire.trace.allowed.extend(["digest-form", "digest-answer"]);
    let challenge = |realm: &str| {
        format!("Authorization: Digest username=\"a\", realm=\"{realm}\", nonce=\"c\", uri=\"d\", response=\"e\"")
    };
    let (one, other) = (challenge("one"), challenge("other"));
    let headers: Vec<&[u8]> = vec![
        b"Reason: SIP;cause=200",
        b"Reason: Q.850;cause=16",
        b"Warning: 399 a \"b\"",
        b"Warning: 399 a \"c\"",
        b"X-Any: 1",
        b"X-Any: 2",
        b"Identity: a;info=<http://b>",
        b"Identity: c;info=<http://d>",
        one.as_bytes(),
        other.as_bytes(),
    ];
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let options = RequestOptions { headers, ..RequestOptions::default() };
    stand.alice.agent.info(now, session, options).expect("an INFO is legal");
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    for (name, count) in [("reason", 2), ("warning", 2), ("x-any", 2), ("identity", 2), ("authorization", 2)] {
        assert_eq!(info.all(name).len(), count, "{name}");
    }
}

/// RFC 3261 §8.1.1.8, §12.1.1: one Contact where a dialog is made or moved; lists elsewhere (§10, §21.3).
#[test]
fn one_contact() {
    let mut stand = Stand::peer_called();
    let lists: [Vec<&[u8]>; 3] = [
        vec![b"Contact: <sip:a@192.0.2.1>", b"m: <sip:b@192.0.2.1>"],
        vec![b"Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>"],
        vec![b"Contact: *"],
    ];
    for headers in lists {
        let request = || RequestOptions { headers: headers.clone(), ..RequestOptions::default() };
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let agent = &mut stand.alice.agent;
        for result in [
            agent.invite(now, Some(TO_BOB.as_bytes()), request()),
            agent.reinvite(now, session, request()),
            agent.refer(now, session, Some(b"sip:a@b"), None, request()),
        ] {
            assert_eq!(result.expect_err("more than one Contact").kind, ErrorKind::Header);
        }
        stand.alice.agent.request(now, b"REGISTER", TO_BOB.as_bytes(), request()).expect("a REGISTER goes out");
        stand.exchange();
        assert!(!stand.peer_replies("REGISTER", 200, "").all("contact").is_empty());
        stand.alice.hold(EventKind::Reinvite);
        let reinvite = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(reinvite.clone());
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let response = || ResponseOptions { headers: headers.clone(), ..answer_sdp(HELD) };
        let refused = stand.alice.agent.accept(now, incoming, 200, &response());
        assert_eq!(refused.expect_err("more than one Contact").kind, ErrorKind::Header);
        let moved = ResponseOptions { headers: headers.clone(), ..ResponseOptions::default() };
        stand.alice.agent.redirect(now, incoming, 302, &[], &moved).expect("a redirection is legal");
        stand.exchange();
        let gone = stand.peer.take("302 INVITE");
        let ack = stand.peer.ack(&reinvite, &gone);
        stand.say(ack);
    }
}
