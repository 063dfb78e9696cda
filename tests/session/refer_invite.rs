//! What a REFER asks for: its Refer-To, and the INVITE that follows, with Replaces too (RFC 3515 §2.1, RFC 5589).

use crate::common::pair::{Pair, Stand, TO_ALICE};
use crate::common::party::{Party, config, with_sdp};
use crate::common::refer::{refer_of, refer_with};
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::flow::Transport;

/// What may stand in Refer-To; a refused call sends nothing and takes no number.
#[test]
fn refer_to_is_checked() {
    let mut pair = Pair::confirmed();
    let before = pair.alice.agent.session(pair.alice.session()).unwrap().state_text();
    let syntax = ErrorKind::Syntax;
    type Row = (Option<&'static str>, &'static [&'static [u8]], ErrorKind);
    let rows: [Row; 10] = [
        (Some("sip:c@d?Replaces=a@b%3Bto-tag%3D1%3Bfrom-tag%3D2"), &[], syntax),
        (None, &[b"Refer-To: <sip:c@d?Replaces=a%40b;to-tag=1;from-tag=2>"], syntax),
        (None, &[], ErrorKind::Argument),
        (Some(""), &[], syntax),
        (Some("carol"), &[], syntax),
        (Some("<sip:a@b>, <sip:c@d>"), &[], syntax),
        (Some("sip:a@b\r\nX: y"), &[], syntax),
        (Some("<sip:a@b"), &[], syntax),
        (None, &[b"Refer-To: <sip:a@b>", b"Refer-To: <sip:c@d>"], ErrorKind::Header),
        (None, &[b"Refer-To: x"], syntax),
    ];
    for (to, headers, kind) in rows {
        let refused = refer_with(&mut pair.alice, to, None, headers).unwrap_err();
        assert_eq!(refused.kind, kind, "{to:?} {headers:?}: {}", refused.detail);
    }
    assert_eq!(pair.alice.agent.session(pair.alice.session()).unwrap().state_text(), before);
    assert!(!pair.alice.agent.has_output());
    refer_with(&mut pair.alice, Some("sip:c@d?Subject=x"), None, &[]).unwrap();
    refer_with(&mut pair.alice, Some("\"Carol\" <sip:c@d>"), None, &[]).unwrap();
    refer_with(&mut pair.alice, None, None, &[b"Refer-To: <tel:+1-201-555>", b"Referred-By: <sip:alice@example.com>"])
        .unwrap();
    pair.exchange();
    let sent: Vec<_> =
        pair.wire.trace.messages("alice", "REFER").iter().map(|refer| refer.value("refer-to").to_owned()).collect();
    assert_eq!(sent, ["<sip:c@d?Subject=x>", "\"Carol\" <sip:c@d>", "<tel:+1-201-555>"]);
}

/// RFC 3515 §2.1, RFC 3892: the INVITE that a REFER asks for, and its progress.
#[test]
fn an_invite_is_tied_to_its_refer() {
    let mut pair = Pair::confirmed();
    let call = pair.alice.session();
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        let options = RequestOptions { refer: event.incoming, ..with_sdp(OFFER) };
        agent.invite(now, None, options).unwrap();
    });
    pair.alice.on(EventKind::Invite, |agent, now, event| {
        let incoming = event.incoming.unwrap();
        agent.progress(now, incoming, 180, &ResponseOptions::default()).unwrap();
        agent.accept(now, incoming, 200, &crate::common::party::answer_sdp(ANSWER)).unwrap();
    });
    let to = format!("<{TO_ALICE};method=INVITE>");
    refer_with(&mut pair.alice, Some(&to), None, &[b"Referred-By: <sip:alice@example.com>;x=y"]).unwrap();
    pair.exchange();
    let wire = &pair.wire.trace;
    let invite = &wire.messages("bob", "INVITE")[0];
    assert_eq!(invite.uri(), TO_ALICE);
    assert_eq!(invite.value("referred-by"), "<sip:alice@example.com>;x=y");
    assert_eq!(wire.messages("bob", "200 REFER").len(), 1);
    let bodies: Vec<_> = wire.messages("bob", "NOTIFY").iter().map(|notify| notify.body.clone()).collect();
    assert_eq!(bodies, ["SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n"]);
    assert_eq!(pair.alice.statuses(EventKind::Notify), [100, 180, 200]);
    assert!(pair.alice.events.iter().filter(|e| e.kind == EventKind::Notify).all(|e| e.session == Some(call)));
}

/// RFC 3891 §6.1 in RFC 3261 §19.1.1: peers leave the `@` of the Call-ID and the `;` of the tags as they are.
#[test]
fn replaces_in_refer_to_as_peers_write_it() {
    let wanted = "abc@192.0.2.7;to-tag=1;from-tag=2;early-only";
    for (refer_to, target) in [
        (
            "<sip:carol@192.0.2.2?Replaces=abc%40192.0.2.7%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only>",
            "sip:carol@192.0.2.2",
        ),
        (
            "<sip:carol@192.0.2.2?Replaces=abc@192.0.2.7%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only>",
            "sip:carol@192.0.2.2",
        ),
        ("<sip:carol@192.0.2.2?replaces=abc%40192.0.2.7;to-tag=1;from-tag=2;early-only>", "sip:carol@192.0.2.2"),
        (
            "\"C\" <sip:carol@192.0.2.2;x=y?Replaces=abc@192.0.2.7;to-tag=1;from-tag=2;early-only>",
            "sip:carol@192.0.2.2;x=y",
        ),
        ("<sip:carol@192.0.2.2?X=y&Replaces=abc@192.0.2.7;to-tag=1;from-tag=2;early-only&Y=z>", "sip:carol@192.0.2.2"),
        ("sip:carol@192.0.2.2?Replaces=abc@192.0.2.7;to-tag=1;from-tag=2;early-only", "sip:carol@192.0.2.2"),
    ] {
        let mut stand = Stand::peer_called();
        stand.alice.on(EventKind::Refer, |agent, now, event| {
            agent.invite(now, None, RequestOptions { refer: event.incoming, ..with_sdp(OFFER) }).unwrap();
        });
        let refer = refer_of(&mut stand).set("Refer-To", refer_to);
        stand.say(refer);
        let invite = stand.peer.take("INVITE");
        assert_eq!((invite.uri(), invite.value("replaces")), (target, wanted), "{refer_to}");
        let busy = stand.peer.reply(&invite, 486);
        stand.say(busy);
    }
    // In no other header, in no parameter.
    for refer_to in ["<sip:carol@192.0.2.2?X=a@b>", "<sip:carol@192.0.2.2?X=a;b>", "<sip:carol@192.0.2.2;Replaces=a@b>"]
    {
        let mut stand = Stand::peer_called();
        let refer = refer_of(&mut stand).set("Refer-To", refer_to);
        stand.say(refer);
        stand.peer.take("400 REFER");
    }
}

/// It fails: rejected, unanswered, cancelled. Each is the last NOTIFY.
#[test]
fn the_failure_of_a_tied_invite_is_told() {
    for (uri, fragment) in
        [(TO_ALICE, "SIP/2.0 486 Busy Here\r\n"), ("sip:nobody@192.0.2.77", "SIP/2.0 503 Service Unavailable\r\n")]
    {
        let mut pair = Pair::confirmed();
        pair.bob.on(EventKind::Refer, |agent, now, event| {
            agent.invite(now, None, RequestOptions { refer: event.incoming, ..with_sdp(OFFER) }).unwrap();
        });
        pair.alice.refer(uri);
        pair.advance(seconds(40));
        let last = pair.wire.trace.messages("bob", "NOTIFY").pop().unwrap();
        assert_eq!((last.body.as_str(), last.value("subscription-state")), (fragment, "terminated;reason=noresource"));
        assert_eq!(pair.bob.living()[1], 0);
    }
}

/// What options.refer is refused for; nothing is sent, the REFER waits on.
#[test]
fn a_wrong_refer_is_refused() {
    let mut pair = Pair::confirmed();
    pair.bob.hold(EventKind::Refer);
    pair.bob.hold(EventKind::Info);
    pair.alice.refer("<sip:a@b;method=BYE>");
    pair.exchange();
    let (now, refer) = (pair.bob.now(), pair.bob.incoming());
    pair.alice.info();
    pair.exchange();
    let info = pair.bob.incoming();
    let tied = |refer| RequestOptions { refer: Some(refer), ..with_sdp(OFFER) };
    assert_eq!(pair.bob.agent.invite(now, None, tied(refer)).unwrap_err().kind, ErrorKind::State);
    assert_eq!(pair.bob.agent.invite(now, None, tied(info)).unwrap_err().kind, ErrorKind::Argument);
    assert_eq!(pair.bob.agent.invite(now, None, with_sdp(OFFER)).unwrap_err().kind, ErrorKind::Argument);
    assert!(!pair.bob.agent.has_output());
    pair.bob.incoming = Some(refer);
    pair.bob.reject(0);
    assert_eq!(pair.bob.agent.invite(now, Some(b"sip:a@b"), tied(refer)).unwrap_err().kind, ErrorKind::Stale);
    pair.bob.incoming = Some(info);
    pair.bob.accept("");
}

/// RFC 3891 §6.1, RFC 5589 §7: the tags as the target of the transfer sees them; escaped.
#[test]
fn attended_transfer_puts_replaces_into_refer_to() {
    let mut pair = Pair::confirmed();
    let first = pair.alice.session();
    pair.call();
    let consulted = pair.alice.session();
    pair.alice.session = Some(first);
    assert_eq!(refer_with(&mut pair.alice, None, Some(first), &[]).unwrap_err().kind, ErrorKind::Argument);
    refer_with(&mut pair.alice, None, Some(consulted), &[]).unwrap();
    refer_with(&mut pair.alice, Some("<sip:bob@example.com?Subject=x>"), Some(consulted), &[]).unwrap();
    pair.exchange();
    let session = pair.alice.agent.session(consulted).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (call_id, theirs, ours) = (text(session.call_id()), text(session.remote_tag()), text(session.local_tag()));
    let replaces = format!("Replaces={call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}");
    let target = text(session.remote_target());
    let refers = pair.wire.trace.messages("alice", "REFER");
    assert_eq!(refers[0].value("refer-to"), format!("<{target}?{replaces}>"));
    assert_eq!(refers[1].value("refer-to"), format!("<sip:bob@example.com?Subject=x&{replaces}>"));
}

/// The whole of an attended transfer (RFC 5589 §7): bob takes alice's place in her call to carol.
#[test]
fn an_attended_transfer_ends_both_calls_of_the_transferor() {
    let mut pair = Pair::confirmed();
    let first = pair.alice.session();
    let mut carol = Party::new("carol", "192.0.2.3:5060", config("carol"), &mut pair.wire, Transport::Udp);
    carol.answers(EventKind::Invite, ANSWER);
    pair.bob.on(EventKind::Refer, |agent, now, event| {
        agent.invite(now, None, RequestOptions { refer: event.incoming, ..with_sdp(OFFER) }).unwrap();
    });
    pair.alice.invite("sip:carol@192.0.2.3:5060", OFFER);
    pair.wire.exchange(&mut [&mut pair.alice, &mut pair.bob, &mut carol]);
    let second = pair.alice.session();
    assert_ne!(first, second);
    pair.alice.session = Some(first);
    refer_with(&mut pair.alice, None, Some(second), &[]).unwrap();
    pair.wire.exchange(&mut [&mut pair.alice, &mut pair.bob, &mut carol]);
    assert_eq!(pair.alice.statuses(EventKind::Notify).last(), Some(&200));
    assert_eq!(carol.last(EventKind::Terminated).reason, sipdlg::agent::Reason::Replaced);
    assert_eq!(pair.alice.last(EventKind::Terminated).session, Some(second), "the call that was replaced is over");
    assert_eq!(pair.wire.trace.messages("bob", "INVITE").len(), 1);
    assert_eq!(carol.living()[0], 1);
    pair.alice.hangup_all();
    pair.bob.hangup_all();
    pair.wire.run_until_idle(&mut [&mut pair.alice, &mut pair.bob, &mut carol], seconds(700));
    assert_eq!(carol.living(), [0; 5]);
}
