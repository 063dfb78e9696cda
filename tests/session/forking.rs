//! One INVITE, several To tags (RFC 3261 §12.1, §13.2.2.4).

use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, SessionId};
use sipdlg::config::ForkPolicy;
use sipdlg::session::SessionState;

fn called() -> (Stand, Sip) {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (stand, invite)
}

fn ring(stand: &mut Stand, invite: &Sip, tag: &str) -> SessionId {
    let ringing = stand.peer.reply_as(invite, 180, tag);
    stand.say(ringing);
    stand.alice.last(EventKind::Progress).session.expect("an early dialog")
}

#[test]
fn each_to_tag_is_an_early_dialog() {
    let (mut stand, invite) = called();
    let first = ring(&mut stand, &invite, "one");
    let second = ring(&mut stand, &invite, "two");
    let again = ring(&mut stand, &invite, "one");
    assert_ne!(first, second);
    assert_eq!(first, again);
    for (session, tag) in [(first, "one"), (second, "two")] {
        let session = stand.alice.agent.session(session).unwrap();
        assert_eq!(session.remote_tag(), tag.as_bytes());
        assert_eq!(session.state(), SessionState::Early);
    }
    let busy = stand.peer.reply_as(&invite, 486, "one");
    stand.say(busy);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.count(EventKind::Terminated), 2, "a final response ends all of them at once");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Rejected);
}

/// RFC 3261 §13.2.2.4: the others end 64*T1 after the first 2xx.
#[test]
fn losers_end_64_t1_after_the_first_2xx() {
    let (mut stand, invite) = called();
    let loser = ring(&mut stand, &invite, "one");
    let winner = ring(&mut stand, &invite, "two");
    let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.agent.session(winner).unwrap().state(), SessionState::Confirmed);
    stand.advance(seconds(31));
    assert_eq!(stand.alice.agent.session(loser).unwrap().state(), SessionState::Early);
    stand.advance(seconds(2));
    assert!(stand.alice.agent.session(loser).is_err());
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.session, ended.reason), (Some(loser), Reason::ForkLost));
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "no BYE for a fork that lost");
}

/// A second 2xx is acknowledged, then ended with BYE.
#[test]
fn a_second_2xx_is_acknowledged_and_ended() {
    let (mut stand, invite) = called();
    ring(&mut stand, &invite, "one");
    let ok = stand.peer.reply_as(&invite, 200, "one").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("one"));
    let second = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(second.clone());
    assert_eq!(stand.peer.got(), ["ACK", "BYE"]);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!((bye.to_tag().as_deref(), bye.cseq()), (Some("two"), invite.cseq() + 1));
    stand.say(second);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"), "its repeats are acknowledged too");
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200]);
}

/// With FORK_ALL every 2xx is a call of its own, with its own CSeq space.
#[test]
fn with_fork_all_both_calls_stand() {
    let mut stand = Stand::with({
        let mut config = config("alice");
        config.fork_policy = ForkPolicy::All;
        config
    });
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    for tag in ["one", "two"] {
        let ok = stand.peer.reply_as(&invite, 200, tag).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some(tag));
    }
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200, 200]);
    let sessions: Vec<_> = stand
        .alice
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Accept)
        .filter_map(|event| event.session)
        .collect();
    for session in sessions {
        stand.alice.session = Some(session);
        assert_eq!(stand.alice.state().0, SessionState::Confirmed);
        stand.alice.bye();
        stand.exchange();
        let bye = stand.peer_replies("BYE", 200, "");
        assert_eq!(bye.cseq(), invite.cseq() + 1);
    }
}

/// The 2xx may come with a To tag that no provisional response had.
#[test]
fn a_2xx_with_a_new_tag_makes_its_own_dialog() {
    let (mut stand, invite) = called();
    ring(&mut stand, &invite, "one");
    ring(&mut stand, &invite, "two");
    let ok = stand.peer.reply_as(&invite, 200, "three").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("three"));
    let accepted = stand.alice.last(EventKind::Accept).session.unwrap();
    assert_eq!(stand.alice.agent.session(accepted).unwrap().remote_tag(), b"three");
}

/// More early dialogs than the limit: no growth without bound.
#[test]
fn early_dialogs_are_bounded() {
    let (mut stand, invite) = called();
    for fork in 0..100 {
        let ringing = stand.peer.reply_as(&invite, 180, &format!("fork{fork}"));
        stand.say(ringing);
    }
    assert_eq!(stand.alice.living()[0], 32);
    let ok = stand.peer.reply_as(&invite, 200, "fork99").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("fork99"));
}
