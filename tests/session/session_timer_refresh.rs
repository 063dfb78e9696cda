//! Refreshes (RFC 4028 §10): by UPDATE or re-INVITE at half the interval, unseen by the host; what they meet.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{Party, config};
use crate::common::session_timer::{WITH_UPDATE, asking, called, says, timer, with};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{Attachment, EventKind, OutgoingState};
use sipdlg::config::SessionTimer;
use sipdlg::session::{SessionState, SignalingState};
use std::time::Duration;

pub const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
pub const OURS: (&str, &str) = ("Session-Expires", "600;refresher=uac");

/// A call of alice's that she refreshes each 300 s, up to the moment of the first refresh; events are forgotten.
#[track_caller]
pub fn due(allow: &str) -> Stand {
    let lines = [OURS, ("Allow", allow)];
    let mut stand = called(SessionTimer::default(), if allow.is_empty() { &lines[..1] } else { &lines });
    stand.alice.events.clear();
    stand.advance(seconds(299));
    assert_eq!(stand.peer.got(), NOTHING);
    stand.advance(seconds(1));
    stand
}

/// The peer answers a refresh with 200 and Session-Expires.
#[track_caller]
fn refreshed(stand: &mut Stand, method: &str) -> Sip {
    let request = stand.peer.take(method);
    let ok = stand.peer.reply(&request, 200).with(OURS.0, OURS.1);
    stand.say(if method == "INVITE" { ok.sdp(ANSWER) } else { ok });
    if method == "INVITE" {
        stand.peer.take("ACK");
    }
    assert_eq!(timer(&stand.alice), "600 local 600");
    request
}

/// Nobody hears of a refresh.
#[track_caller]
fn silent(stand: &Stand) {
    assert_eq!(stand.alice.kinds(), [], "the host hears of it");
    assert_eq!(stand.alice.state(), GOOD);
}

#[track_caller]
fn ended_by(stand: &mut Stand, reason: Reason, status: u16) {
    stand.peer_replies("BYE", 200, "");
    let last = stand.alice.last(EventKind::Terminated);
    assert_eq!((last.reason, last.status_code), (reason, status));
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
}

/// §7.4: UPDATE without an offer where the peer's Allow has it.
#[test]
fn by_update_where_the_peer_takes_it() {
    let mut stand = due(WITH_UPDATE);
    for _ in 0..3 {
        let update = refreshed(&mut stand, "UPDATE");
        assert_eq!((says(&update).as_str(), update.sdp()), ("600;refresher=uac", None));
        silent(&stand);
        stand.advance(seconds(300));
        stand.exchange();
    }
    refreshed(&mut stand, "UPDATE");
}

/// §7.4: else re-INVITE with the description as it was, whoever made the offer.
#[test]
fn by_reinvite_as_it_was() {
    for allow in ["", "INVITE, ACK, CANCEL, BYE"] {
        let mut stand = due(allow);
        assert_eq!(stand.alice.state(), GOOD);
        let now = stand.alice.agent.session(stand.alice.session()).expect("it lives");
        assert_eq!((now.offer().map(|it| it.content()), now.reinvite_of_host()), (Some(OFFER.as_bytes()), None));
        let invite = refreshed(&mut stand, "INVITE");
        assert_eq!((says(&invite).as_str(), invite.sdp()), ("600;refresher=uac", Some(OFFER)));
        silent(&stand);
    }
    // We were called.
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER).with("Session-Expires", "600");
    stand.say(invite.clone());
    stand.peer_acknowledges(&invite);
    stand.alice.events.clear();
    stand.advance(seconds(300));
    let invite = stand.peer.take("INVITE");
    assert_eq!((says(&invite).as_str(), invite.sdp()), ("600;refresher=uac", Some(ANSWER)));
    let ok = stand.peer.reply(&invite, 200).sdp(OFFER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(timer(&stand.alice), "600 local 600", "§7.2: asked for and not refused");
    silent(&stand);
}

/// RFC 6141 §3.4: what a refresh had exchanged when it failed was ours as it is, so nothing is to be repaired.
#[test]
fn a_refresh_that_fails_after_execution_needs_nothing() {
    let mut stand = due("");
    let invite = stand.peer.take("INVITE");
    crate::common::reliable_callee::progress(&mut stand, &invite, 183, 1, HELD);
    stand.peer_replies("PRACK", 200, "");
    let busy = stand.peer.reply(&invite, 500);
    stand.say(busy);
    stand.peer.take("ACK");
    silent(&stand);
    stand.advance(seconds(151));
    refreshed(&mut stand, "INVITE");
}

/// The host has to know where the peer's media are.
#[test]
fn another_answer_is_told() {
    let mut stand = due("");
    let invite = stand.peer.take("INVITE");
    let ok = stand.peer.reply(&invite, 200).with(OURS.0, OURS.1).sdp(HELD);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.kinds(), [EventKind::State]);
    let last = stand.alice.last(EventKind::State);
    assert_eq!((last.reason, last.message.as_ref().map(|ok| ok.status())), (Reason::Refreshed, Some(200)));
    let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
    assert_eq!(
        [session.offer(), session.answer()].map(|it| it.map(|it| it.content())),
        [Some(OFFER.as_bytes()), Some(HELD.as_bytes())]
    );
}

/// §7.2: what the 2xx says counts, also who refreshes from now on.
#[test]
fn the_peer_may_take_it_over() {
    let mut stand = due(WITH_UPDATE);
    let update = stand.peer.take("UPDATE");
    let ok = stand.peer.reply(&update, 200).with("Session-Expires", "900;refresher=uas");
    stand.say(ok);
    assert_eq!(timer(&stand.alice), "900 remote 900");
    stand.advance(seconds(868));
    stand.exchange();
    ended_by(&mut stand, Reason::SessionExpired, 0);
}

/// RFC 3261 §21.4.6: an UPDATE that is not taken after all is followed by a re-INVITE at once, and never tried again.
#[test]
fn reinvite_instead_of_an_update_that_is_not_taken() {
    for status in [405, 501] {
        let mut stand = due(WITH_UPDATE);
        stand.peer_replies("UPDATE", status, "");
        let invite = refreshed(&mut stand, "INVITE");
        assert_eq!(invite.sdp(), Some(OFFER));
        stand.advance(seconds(300));
        refreshed(&mut stand, "INVITE");
        silent(&stand);
    }
}

/// Of a dialog that was taken over nobody knows which description is ours: where the peer takes no UPDATE nothing can be
/// repeated, and a re-INVITE without an offer would end the call by the offer that nobody answers.
#[test]
fn nothing_is_asked_where_nothing_can_be_repeated() {
    let mut stand = Stand::alice_called();
    let before = stand.alice.properties();
    stand.alice.replace_agent(config("alice"));
    let now = stand.alice.now();
    let session = stand.alice.agent.take_over(now, &before.foreign(true), Attachment::default()).expect("it is good");
    stand.alice.session = Some(session);
    let timed = stand.peer.request("UPDATE").with("Supported", "timer").with("Allow", "INVITE, ACK, BYE");
    stand.say(timed.with("Session-Expires", "90;refresher=uas"));
    stand.peer.take("200 UPDATE");
    assert_eq!(timer(&stand.alice), "90 local 90");
    stand.advance(seconds(80));
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.count(EventKind::Terminated), 0);
    stand.end_unjudged();
}

/// §10: 408, 481 and no answer end the session.
#[test]
fn the_dialog_is_gone() {
    for method in ["UPDATE", "INVITE"] {
        for status in [408, 481] {
            let mut stand = due(if method == "UPDATE" { WITH_UPDATE } else { "" });
            stand.peer_replies(method, status, "");
            if method == "INVITE" {
                stand.peer.take("ACK");
            }
            ended_by(&mut stand, Reason::DialogGone, status);
        }
        let mut stand = due(if method == "UPDATE" { WITH_UPDATE } else { "" });
        stand.advance(seconds(33));
        stand.peer.inbox.retain(|sip| sip.method() == "BYE");
        ended_by(&mut stand, Reason::DialogGone, 408);
    }
}

/// §10: other refusals are tried again while time is left.
#[test]
fn refused_for_now() {
    for (status, retry_after, waits) in
        [(491, "", 5), (500, "7", 8), (503, "20", 21), (500, "", 151), (503, "600", 151), (403, "", 151)]
    {
        let mut stand = due(WITH_UPDATE);
        let update = stand.peer.take("UPDATE");
        let refusal = stand.peer.reply(&update, status);
        stand.say(if retry_after.is_empty() { refusal } else { refusal.with("Retry-After", retry_after) });
        assert_eq!(stand.peer.got(), NOTHING, "{status}: not at once");
        stand.advance(seconds(waits));
        let again = refreshed(&mut stand, "UPDATE");
        assert!(again.cseq() > update.cseq());
        silent(&stand);
    }
}

/// Refused for ever: a few tries, then the session expires.
#[test]
fn refused_for_ever() {
    for (method, status) in [("UPDATE", 500), ("INVITE", 488), ("INVITE", 503), ("UPDATE", 491), ("UPDATE", 422)] {
        let mut stand = due(if method == "UPDATE" { WITH_UPDATE } else { "" });
        let mut tries = 0;
        while stand.alice.state() == GOOD {
            while stand.peer.got().iter().any(|got| got == method) {
                stand.peer_replies(method, status, "");
                stand.peer.inbox.retain(|sip| sip.method() != "ACK");
                tries += 1;
            }
            stand.advance(ms(500));
        }
        assert!((3..=30).contains(&tries), "{method} {status}: {tries}");
        ended_by(&mut stand, Reason::SessionExpired, 0);
        assert_eq!(stand.peer.now / 1_000_000, 600, "{method} {status}");
    }
}

/// §7.3: a 422 is asked for more.
#[test]
fn a_refresh_of_which_more_is_wanted() {
    for method in ["UPDATE", "INVITE"] {
        let mut stand = due(if method == "UPDATE" { WITH_UPDATE } else { "" });
        let request = stand.peer.take(method);
        let brief = stand.peer.reply(&request, 422).with("Min-SE", "1000");
        stand.say(brief);
        if method == "INVITE" {
            stand.peer.take("ACK");
        }
        let again = stand.peer.take(method);
        assert_eq!((says(&again).as_str(), again.sdp()), ("1000;refresher=uac min 1000", request.sdp()));
        let ok = stand.peer.reply(&again, 200);
        stand.say(if method == "INVITE" { ok.sdp(ANSWER) } else { ok });
        if method == "INVITE" {
            stand.peer.take("ACK");
        }
        assert_eq!(timer(&stand.alice), "1000 local 1000");
        silent(&stand);
    }
}

/// RFC 3261 §22: a challenge is answered, with what the configuration has; nobody is asked.
#[test]
fn a_challenged_refresh() {
    for known in [true, false] {
        for method in ["UPDATE", "INVITE"] {
            let mut config = config("alice");
            if known {
                config.add_credentials(Some(b"here"), b"alice", b"secret", false, None).expect("credentials");
            }
            let mut stand = Stand::with(config);
            stand.alice.invite(TO_BOB, OFFER);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            stand.peer.learn(&invite);
            let ok = stand.peer.reply(&invite, 200).with(OURS.0, OURS.1).sdp(ANSWER);
            stand.say(if method == "UPDATE" { ok.with("Allow", WITH_UPDATE) } else { ok });
            stand.peer.take("ACK");
            stand.alice.events.clear();
            stand.advance(seconds(300));
            let request = stand.peer.take(method);
            let challenge = stand.peer.reply(&request, 401);
            stand.say(challenge.with("WWW-Authenticate", "Digest realm=\"here\", nonce=\"n\""));
            stand.peer.inbox.retain(|sip| sip.method() != "ACK");
            if known {
                assert!(refreshed(&mut stand, method).get("authorization").is_some());
            } else {
                stand.advance(seconds(151));
                refreshed(&mut stand, method);
            }
            silent(&stand);
        }
    }
}

/// §10: a message that cannot be sent is no answer of the peer's; it is tried again.
#[test]
fn a_refresh_that_cannot_be_sent() {
    let mut stand = called(SessionTimer::default(), &[OURS, ("Allow", WITH_UPDATE)]);
    stand.alice.events.clear();
    stand.advance(seconds(299));
    stand.wire.unreachable.push(stand.peer.address);
    stand.advance(seconds(100));
    silent(&stand);
    stand.wire.unreachable.clear();
    stand.advance(seconds(60));
    refreshed(&mut stand, "UPDATE");
    silent(&stand);
}

/// What the host has under way refreshes too; where that fails ours follows.
#[test]
fn no_refresh_beside_a_change_of_the_hosts() {
    for status in [200, 488] {
        let mut stand = called(SessionTimer::default(), &[OURS, ("Allow", WITH_UPDATE)]);
        stand.advance(seconds(299));
        stand.alice.reinvite(HOLD);
        stand.advance(seconds(20));
        let invite = stand.peer.take("INVITE");
        stand.peer.inbox.retain(|sip| sip.method() != "INVITE");
        assert_eq!((says(&invite).as_str(), stand.peer.got()), ("600;refresher=uac", vec![]));
        let answer = stand.peer.reply(&invite, status);
        stand.say(if status == 200 { answer.with(OURS.0, OURS.1).sdp(HELD) } else { answer });
        stand.peer.take("ACK");
        if status == 200 {
            assert_eq!(timer(&stand.alice), "600 local 600");
        } else {
            stand.advance(seconds(11));
            refreshed(&mut stand, "UPDATE");
        }
    }
}

/// §10: who does not refresh ends the session a third of a short interval early; ours comes before, whatever is under way.
#[test]
fn a_short_interval_is_refreshed_before_the_peer_ends_it() {
    for (interval, due, ends) in [(90, 45, 60), (96, 48, 64), (120, 60, 88), (128, 64, 96)] {
        let expires = format!("{interval};refresher=uac");
        let lines = [("Session-Expires", expires.as_str()), ("Allow", WITH_UPDATE)];
        let mut stand = called(SessionTimer::default(), &lines);
        stand.advance(seconds(due - 5));
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let ringing = stand.peer.reply(&invite, 180);
        stand.say(ringing);
        stand.advance(seconds(ends - due));
        assert_eq!(says(&stand.peer_replies("UPDATE", 200, "")), expires, "beside the host's re-INVITE");
        let busy = stand.peer.reply(&invite, 488);
        stand.say(busy);

        let mut stand = called(SessionTimer::default(), &lines);
        stand.advance(seconds(due));
        stand.peer_replies("UPDATE", 403, "");
        stand.advance(seconds(ends - due - 1));
        assert_eq!(says(&stand.peer_replies("UPDATE", 200, "")), expires, "after a refusal");
    }
}

/// A retry of the host's that waits goes first, and keeps its place.
#[test]
fn a_waiting_retry_goes_first() {
    let mut stand = called(SessionTimer::default(), &[OURS, ("Allow", WITH_UPDATE)]);
    stand.advance(seconds(299));
    let update = stand.alice.update(HOLD);
    stand.exchange();
    let request = stand.peer.take("UPDATE");
    let later = stand.peer.reply(&request, 500).with("Retry-After", "30");
    stand.say(later);
    stand.advance(seconds(29));
    assert_eq!(stand.peer.got(), NOTHING);
    stand.advance(seconds(2));
    let again = stand.peer.take("UPDATE");
    assert_eq!(again.sdp(), Some(HOLD));
    assert_eq!(stand.alice.agent.outgoing(update).expect("it lives").state(), OutgoingState::Calling);
    let ok = stand.peer.reply(&again, 200).with(OURS.0, OURS.1).sdp(HELD);
    stand.say(ok);
    assert_eq!(stand.alice.statuses(EventKind::Accept).last(), Some(&200));
}

/// A re-INVITE of the peer's meets our refresh: 491, and both come through.
#[test]
fn refreshes_that_cross() {
    let mut alice = with(asking(600));
    alice.allow = config("x").allow.into_iter().filter(|method| method != b"UPDATE").collect();
    let bob = sipdlg::config::Config { allow: alice.allow.clone(), ..config("bob") };
    let mut pair = Pair::with(alice, bob);
    pair.wire.delay = (50_000, 50_000);
    pair.bob.answers(EventKind::Reinvite, ANSWER);
    pair.call();
    pair.forget_events();
    pair.advance(seconds(300) - Duration::from_millis(120));
    pair.bob.reinvite(HELD);
    pair.alice.answers(EventKind::Reinvite, HOLD);
    pair.advance(seconds(10));
    assert_eq!((pair.alice.state(), pair.bob.state()), (GOOD, GOOD));
    assert_eq!(pair.alice.count(EventKind::GlareRetry) + pair.alice.count(EventKind::Reject), 0);
    assert_eq!(pair.bob.statuses(EventKind::Accept), [200]);
}

/// A day, and what is held when nothing is under way then.
fn a_day(pair: &mut Pair) -> u64 {
    pair.wire.loss = 200;
    pair.advance(seconds(24 * 3_600));
    pair.wire.loss = 0;
    pair.advance(seconds(40));
    for _ in 0..1_000 {
        if pair.alice.living()[3] + pair.bob.living()[3] == 0 {
            return pair.alice.agent.stats().bytes + pair.bob.agent.stats().bytes;
        }
        pair.advance(seconds(1));
    }
    panic!("something is always under way");
}

/// Fifty calls of two days each: what is refreshed in vain, as one of a hundred thousand is, ends by BYE.
fn two_days_at_a_fifth_lost(seed: u64) -> usize {
    const CALLS: u64 = 50;
    let mut pair = Pair::over(sipdlg::flow::Transport::Udp, with(asking(1_800)), config("bob"), seed);
    pair.wire.delay = (1_000, 100_000);
    (0..CALLS).for_each(|_| pair.call());
    pair.forget_events();
    let (first, second) = (a_day(&mut pair), a_day(&mut pair));
    assert!(second <= first + first / 50, "{first} bytes held after a day, {second} after another");
    let terminated = |party: &Party| {
        let ends = party.events.iter().filter(|event| event.kind == EventKind::Terminated);
        assert!(ends.clone().all(|end| matches!(end.reason, Reason::DialogGone | Reason::RemoteBye)));
        ends.count()
    };
    let (gone, others) = (terminated(&pair.alice), pair.alice.kinds());
    assert!(others.iter().all(|kind| matches!(kind, EventKind::State | EventKind::Terminated | EventKind::Bye)));
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(party.living()[0], CALLS - u64::try_from(terminated(party)).expect("few"));
    }
    gone
}

#[test]
fn fifty_calls_of_two_days() {
    assert_eq!(two_days_at_a_fifth_lost(1), 0);
}

/// The same of a thousand.
#[test]
#[ignore = "minutes; `make soak` runs it"]
fn a_thousand_calls_of_two_days() {
    let gone: usize = (1..=20).map(two_days_at_a_fifth_lost).sum();
    assert!(gone < 10, "{gone} calls of a thousand");
}
