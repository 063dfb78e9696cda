//! INVITE with Replaces (RFC 3891 §3).

use crate::common::pair::{Pair, Stand, TO_ALICE, TO_BOB};
use crate::common::party::{Party, config, with_sdp};
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::event::flag;
use sipdlg::agent::{EventKind, Reason, RequestOptions, SessionId};
use sipdlg::error::ErrorKind;
use sipdlg::session::SessionState;

/// Replaces, for whoever has this session.
fn names(party: &Party, session: SessionId) -> String {
    let session = party.agent.session(session).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (call_id, own, other) = (text(session.call_id()), text(session.local_tag()), text(session.remote_tag()));
    format!("{call_id};to-tag={own};from-tag={other}")
}

/// Confirmed: the 2xx, then BYE on the old one.
#[test]
fn a_confirmed_call_is_replaced() {
    let mut pair = Pair::confirmed();
    let old = pair.bob.session();
    let replaces = format!("Replaces: {}", names(&pair.bob, old));
    let options = RequestOptions { headers: vec![replaces.as_bytes(), b"Require: replaces"], ..with_sdp(OFFER) };
    pair.alice.invite_with(TO_BOB, options);
    pair.exchange();
    assert_eq!(pair.bob.last(EventKind::Invite).replaces, Some(old));
    assert_eq!(pair.bob.last(EventKind::Invite).flags & flag::EARLY_ONLY, 0);
    let ended = pair.bob.last(EventKind::Terminated);
    assert_eq!((ended.session, ended.reason), (Some(old), Reason::Replaced));
    assert_eq!(pair.alice.last(EventKind::Terminated).reason, Reason::RemoteBye);
    assert_eq!(pair.bob.living()[0], 1);
}

/// Refused by the host: the old dialog is as it was.
#[test]
fn a_refusal_leaves_the_old_call() {
    let mut pair = Pair::confirmed();
    let (old, now) = (pair.bob.session(), pair.alice.now());
    let before = pair.bob.agent.session(old).unwrap().state_text();
    let replaces = format!("Replaces: {}", names(&pair.bob, old));
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.reject(now, event.incoming.unwrap(), 403, &Default::default()).unwrap();
    });
    let options = RequestOptions { headers: vec![replaces.as_bytes()], ..with_sdp(OFFER) };
    pair.alice.agent.invite(now, Some(TO_BOB.as_bytes()), options).unwrap();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Reject), [403]);
    assert_eq!(pair.bob.agent.session(old).unwrap().state_text(), before);
}

/// The rows that the library answers by itself.
#[test]
fn what_cannot_be_replaced() {
    let mut stand = Stand::peer_called();
    let good = names(&stand.alice, stand.alice.session());
    let events = stand.alice.count(EventKind::Invite);
    let (call_id, tag) = (stand.peer.call_id.clone(), std::mem::take(&mut stand.peer.remote_tag));
    let other = format!("other;{}", good.split_once(';').unwrap().1);
    let early = format!("{good};early-only");
    let twice = [good.as_str(), good.as_str()];
    let rows: [(&[&str], u16); 5] =
        [(&[&other], 481), (&[&early], 486), (&twice, 400), (&["x;to-tag=1"], 400), (&["x"], 400)];
    for (at, (values, status)) in rows.into_iter().enumerate() {
        stand.peer.call_id = format!("new-{at}");
        let invite = values
            .iter()
            .fold(stand.peer.request("INVITE"), |invite, value| invite.with("Replaces", *value))
            .sdp(OFFER);
        stand.say(invite.clone());
        let answer = stand.peer.take(&format!("{status} INVITE"));
        let ack = stand.peer.ack(&invite, &answer);
        stand.say(ack);
    }
    stand.peer.call_id = "message".to_owned();
    let message = stand.peer.request("MESSAGE").with("Replaces", good);
    stand.say(message);
    stand.peer.take("400 MESSAGE");
    assert_eq!(stand.alice.count(EventKind::Invite), events);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    (stand.peer.call_id, stand.peer.remote_tag) = (call_id, tag);
}

/// A dialog that is over: 603, while it is still known.
#[test]
fn a_call_that_is_over() {
    let mut stand = Stand::peer_called();
    let good = names(&stand.alice, stand.alice.session());
    stand.alice.hangup();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let (call_id, tag) = (stand.peer.call_id.clone(), std::mem::take(&mut stand.peer.remote_tag));
    stand.peer.call_id = "new".to_owned();
    let invite = stand.peer.request("INVITE").with("Replaces", good).sdp(OFFER);
    stand.say(invite.clone());
    let answer = stand.peer.take("603 INVITE");
    let ack = stand.peer.ack(&invite, &answer);
    stand.say(ack);
    (stand.peer.call_id, stand.peer.remote_tag) = (call_id, tag);
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
}

/// Early: who called accepts, then CANCEL on the old one; who is called answers 481.
#[test]
fn an_early_call_is_replaced_at_its_caller_only() {
    for at_caller in [true, false] {
        let mut pair = Pair::with(config("alice"), config("bob"));
        pair.bob.on(EventKind::Invite, |agent, now, event| {
            agent.progress(now, event.incoming.unwrap(), 180, &Default::default()).unwrap();
        });
        pair.alice.answers(EventKind::Invite, ANSWER);
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        let ringing = pair.bob.incoming();
        let (alice, bob) = (pair.alice.session(), pair.bob.session());
        let named = if at_caller { names(&pair.alice, alice) } else { names(&pair.bob, bob) };
        let replaces = format!("Replaces: {named};early-only");
        let options = RequestOptions { headers: vec![replaces.as_bytes()], ..with_sdp(OFFER) };
        if at_caller {
            pair.bob.invite_with(TO_ALICE, options);
            pair.exchange();
            let came = pair.alice.last(EventKind::Invite);
            assert_eq!((came.replaces, came.flags), (Some(alice), flag::EARLY_ONLY));
            assert_eq!(pair.wire.trace.messages("alice", "CANCEL").len(), 1);
            assert_eq!(pair.alice.last(EventKind::Terminated).reason, Reason::Replaced);
        } else {
            pair.alice.invite_with(TO_BOB, options);
            pair.exchange();
            assert_eq!(pair.wire.trace.messages("bob", "481 INVITE").len(), 1);
            assert_eq!(pair.bob.count(EventKind::Invite), 1);
            pair.bob.incoming = Some(ringing);
            pair.bob.reject(486);
        }
    }
}

/// early-only, and the old call is answered while the host thinks: too late.
#[test]
fn early_only_is_checked_again() {
    let mut pair = Pair::with(config("alice"), config("bob"));
    pair.bob.hold(EventKind::Invite);
    pair.alice.hold(EventKind::Invite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    let ringing = pair.bob.incoming();
    pair.exchange();
    let replaces = format!("Replaces: {};early-only", names(&pair.alice, pair.alice.session()));
    let options = RequestOptions { headers: vec![replaces.as_bytes()], ..with_sdp(OFFER) };
    pair.bob.invite_with(TO_ALICE, options);
    pair.exchange();
    pair.bob.incoming = Some(ringing);
    pair.bob.accept(ANSWER);
    pair.exchange();
    let (now, waiting) = (pair.alice.now(), pair.alice.incoming());
    let late = pair.alice.agent.accept(now, waiting, 200, &crate::common::party::answer_sdp(ANSWER)).unwrap_err();
    assert_eq!(late.kind, ErrorKind::State);
    pair.alice.reject(486);
    pair.exchange();
}
