//! Tables of the end: a row is a state, an input, and what follows.

use super::*;
use crate::attachment::Attachment;
use crate::session::SignalingState;
use crate::session::ack::tests::{accepted, ack, give_up, owing, reaccept};
use crate::session::change::By;
use crate::session::deed::Wanted;
use crate::session::fixture::{self, FakeClock, callee, caller, confirmed_callee, confirmed_caller, said, section};
use crate::session::invite_client::HostAcks;
use crate::session::offer_answer::Part;
use crate::session::prack_server::Prack;
use crate::slots::{IncomingId, OutgoingId};
use crate::transaction::Bytes;

fn ending(reason: Reason) -> Ending {
    Ending::because(reason)
}

/// A session whose dialog was made elsewhere.
fn taken_over(early: bool) -> Session {
    let dialog = confirmed_caller().dialog().clone();
    *Session::taken_over(dialog, Role::Caller, early, None, None, Attachment::default())
}

fn ended(mut session: Session, reason: Reason) -> Session {
    session.end(ending(reason), &mut FakeClock::default());
    session
}

fn early_callee() -> Session {
    let mut session = callee("offer");
    session.early(None);
    session
}

/// What is asked by role and state.
#[test]
fn what_role_and_state_allow() {
    use Hangup::{Bye, ByeLater, Cancel, Nothing, Reject};
    struct Row {
        state: &'static str,
        session: Session,
        /// Where a CANCEL would end this dialog, others too, none.
        hangup: [Hangup; 3],
        bye: &'static str,
        /// Where an early dialog serves, and where it does not.
        established: [&'static str; 2],
        usage_failed: &'static str,
    }
    let mut clock = FakeClock::default();
    let timed_out = {
        let mut session = accepted("offer", "answer", &mut clock);
        give_up(&mut session, &mut clock);
        session
    };
    const OVER: &str = "the session is over";
    const EARLY: &str = "the dialog is early; the quirk REQUESTS_IN_EARLY allows it";
    const GONE: &str = "Bye DialogGone";
    const REFUSED: &str = "RefuseInvite 1 500 DialogGone";
    const NO_DIALOG: &str = "RFC 3261 12";
    const NO_BYE: &str = "RFC 3261 15";
    let row = |state, session, hangup, bye, established, usage_failed| Row {
        state,
        session,
        hangup,
        bye,
        established,
        usage_failed,
    };
    let rows = [
        // RFC 3261 §15: the callee's early dialog ends with the INVITE.
        row("callee, Initial", callee("offer"), [Reject; 3], NO_BYE, [NO_DIALOG; 2], REFUSED),
        row("callee, Early", early_callee(), [Reject; 3], NO_BYE, ["", EARLY], REFUSED),
        // §15: no BYE before the ACK or 64*T1.
        row("callee, AckWait", accepted("offer", "answer", &mut clock), [ByeLater; 3], NO_BYE, [""; 2], ""),
        row("callee, AckWait, 64*T1 are over", timed_out, [Bye; 3], "", [""; 2], GONE),
        row("callee, Confirmed", confirmed_callee(), [Bye; 3], "", [""; 2], GONE),
        row("callee, Terminated", ended(confirmed_callee(), Reason::RemoteBye), [Nothing; 3], OVER, [OVER; 2], ""),
        // §9.1, and §15: a BYE ends one early dialog, a CANCEL all of them, and none once the INVITE is answered.
        row("caller, Early", caller("offer"), [Cancel, Bye, Bye], "", ["", EARLY], GONE),
        row("caller, Confirmed", confirmed_caller(), [Bye; 3], "", [""; 2], GONE),
        row("caller, Confirmed, taken over", taken_over(false), [Bye; 3], "", [""; 2], GONE),
        row("caller, Terminated", ended(caller("offer"), Reason::Rejected), [Nothing; 3], OVER, [OVER; 2], ""),
        row(
            "a dialog of a subscription",
            {
                let refer = fixture::request("REFER", 1, "");
                *Session::of_subscription(confirmed_callee().dialog().clone(), &refer, Attachment::default())
            },
            [Nothing; 3],
            OVER,
            [OVER; 2],
            "",
        ),
    ];
    for Row { state, mut session, hangup, bye, established, usage_failed } in rows {
        let cancels = [Cancels::This, Cancels::Others, Cancels::Nothing];
        assert_eq!(cancels.map(|cancels| session.hangup(cancels)), hangup, "{state}");
        assert_eq!(section(session.bye_guard()), bye, "{state}");
        assert_eq!([true, false].map(|early_too| section(session.established(early_too))), established, "{state}");
        assert_eq!(said(&session.usage_failed(ending(Reason::DialogGone))), usage_failed, "RFC 5057: {state}");
        let waits = session.lasting.deferred_bye.is_some();
        assert_eq!(waits, hangup[0] == ByeLater, "RFC 5057: it is left once BYE is legal: {state}");
    }
}

/// §15: at once, or with the ACK, or after 64*T1; the first reason and its header lines count.
#[test]
fn it_is_left_by_bye_once_that_is_legal() {
    let wanted = |text: &[u8]| Some(Wanted { body: Some(text.into()), ..Wanted::default() });
    let bye = |reason, text| DeferredBye { ending: ending(reason), wanted: wanted(text) };
    type Then = fn(&mut Session, &mut FakeClock) -> Deeds;
    let acknowledged: Then = |session, clock| session.ack_arrived(&fixture::request("ACK", 1, ""), clock);
    let timed_out: Then = |session, clock| {
        loop {
            let deeds = session.woken(clock.wait(), clock);
            if !matches!(&deeds[..], [Deed::Repeat(_)]) {
                return deeds;
            }
        }
    };
    for (rule, before, then) in [
        ("with the ACK", false, acknowledged),
        ("after 64*T1", false, timed_out),
        ("at once when the ACK is here", true, acknowledged),
        ("at once after 64*T1", true, timed_out),
    ] {
        let mut clock = FakeClock::default();
        let mut session = accepted("offer", "answer", &mut clock);
        if before {
            then(&mut session, &mut clock);
        }
        let mut deeds = session.leave_with(bye(Reason::SessionExpired, b"first"));
        assert_eq!(deeds.len(), usize::from(before), "{rule}");
        if !before {
            assert_eq!(said(&session.leave_with(bye(Reason::LocalHangup, b"second"))), "", "{rule}");
            deeds = then(&mut session, &mut clock);
        }
        let Some(Deed::Bye(sent)) = deeds.last() else { panic!("{rule}: {deeds:?}") };
        assert_eq!((sent.ending.reason, &sent.wanted), (Reason::SessionExpired, &wanted(b"first")), "{rule}");
        assert!(session.deferred_bye().is_none(), "{rule}: once");
    }
}

#[test]
fn what_ends_with_a_session() {
    use Reason::{Disposed, LocalHangup, Rejected, RemoteBye};
    const INVITE_2: u64 = 2;
    type Row = (&'static str, fn(&mut FakeClock) -> Session, Reason, &'static str, usize);
    // What is under way; why it ends; what follows; the timers that run on.
    let rows: [Row; 25] = [
        ("RFC 5407 appendix A: the INVITE is unanswered", |_| callee("offer"), LocalHangup, "LeaveInvite 1, State", 0),
        ("RFC 5407 appendix A: the same early", |_| early_callee(), LocalHangup, "LeaveInvite 1, State", 0),
        (
            "RFC 3262 3: a response waits for its PRACK",
            |clock| {
                let mut session = callee("offer");
                fixture::respond_reliably(&mut session, 1, None, clock);
                session
            },
            LocalHangup,
            "Left 1 7, LeaveInvite 1, State",
            0,
        ),
        (
            "RFC 3262 3: a 2xx is held",
            |clock| {
                let mut session = callee("offer");
                fixture::respond_reliably(&mut session, 1, Some((Part::Answer, "answer")), clock);
                assert!(session.hold_2xx(fixture::incoming(), 200, &Bytes::from(&b"2xx"[..])));
                session
            },
            LocalHangup,
            "Left 1 7, LeaveInvite 1 void, State",
            0,
        ),
        (
            "RFC 3261 13.3.1.4: a 2xx waits for its ACK",
            |clock| accepted("offer", "answer", clock),
            Disposed,
            "Over 1, LeaveInvite 1, State",
            0,
        ),
        (
            "RFC 5407 3.1.3: the same, and the peer's BYE",
            |clock| accepted("offer", "answer", clock),
            RemoteBye,
            "LeaveInvite 1, State",
            1,
        ),
        (
            "RFC 3261 14.2: a 2xx to a re-INVITE too",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                reaccept(&mut session, 2, ["", ""], clock);
                session
            },
            LocalHangup,
            "Over 1, Over 2, LeaveInvite 1, State",
            0,
        ),
        (
            "RFC 5407 3.1.3: both, and the peer's BYE",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                reaccept(&mut session, 2, ["", ""], clock);
                session
            },
            RemoteBye,
            "LeaveInvite 1, State",
            2,
        ),
        (
            "RFC 3261 15: a BYE waits",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                session.leave(ending(LocalHangup));
                session
            },
            RemoteBye,
            "LeaveInvite 1, State",
            1,
        ),
        ("the callee's, nothing is under way", |_| confirmed_callee(), RemoteBye, "State", 0),
        (
            "RFC 3261 15.1.2: requests wait for an answer",
            |_| {
                let mut session = confirmed_callee();
                session.waits(IncomingId::from_raw(2), Method::Info);
                session.waits(IncomingId::from_raw(3), Method::Update);
                session
            },
            RemoteBye,
            "Refuse 2 487 RemoteBye, Refuse 3 487 RemoteBye, State",
            0,
        ),
        (
            "RFC 5057 5.3: NOTIFY is of another usage",
            |_| {
                let mut session = confirmed_callee();
                session.waits(IncomingId::from_raw(4), Method::Notify);
                session.waits(IncomingId::from_raw(2), Method::Info);
                session
            },
            LocalHangup,
            "Refuse 2 487 LocalHangup, State",
            0,
        ),
        (
            "RFC 3261 15.1.2: a re-INVITE of the peer's",
            |_| {
                let mut session = confirmed_callee();
                fixture::reinvited(&mut session, 2, "second");
                session
            },
            RemoteBye,
            "Refuse 2 487 RemoteBye, State",
            0,
        ),
        (
            "RFC 3262 3: with a reliable response",
            |clock| {
                let mut session = confirmed_callee();
                fixture::reinvited(&mut session, 2, "");
                fixture::respond_reliably(&mut session, 2, Some((Part::Offer, "second")), clock);
                session
            },
            RemoteBye,
            "Left 2 7 offered, Refuse 2 487 RemoteBye, State",
            0,
        ),
        (
            "RFC 3262 5: and a PRACK whose offer waits",
            |clock| {
                let mut session = confirmed_callee();
                fixture::reinvited(&mut session, 2, "second");
                fixture::respond_reliably(&mut session, 2, Some((Part::Answer, "third")), clock);
                let prack = IncomingId::from_raw(3);
                session.waits(prack, Method::Prack);
                session.their_prack_arrived(prack, &fixture::request("PRACK", 3, "fourth"), Prack::Offers(true), clock);
                session
            },
            RemoteBye,
            "Left 2 7, Refuse 2 487 RemoteBye, Refuse 3 487 RemoteBye, State",
            0,
        ),
        ("RFC 3261 15: an early dialog of our INVITE", |_| caller("offer"), LocalHangup, "ForkEnded 1, State", 0),
        ("RFC 6228 4: a 199 ends it", |_| caller("offer"), Rejected, "ForkEnded 1 forgotten, State", 0),
        ("the host forgets it", |_| caller("offer"), Disposed, "ForkEnded 1 forgotten, State", 0),
        ("the host forgets it, confirmed", |_| confirmed_caller(), Disposed, "ForkEnded 1, State", 0),
        ("the same of one taken over", |_| taken_over(true), Disposed, "State", 0),
        (
            "RFC 3261 13.2.2.4: the host owes the ACK",
            |_| owing("", "offer"),
            LocalHangup,
            "ForkEnded 1, Acknowledge 1, State",
            0,
        ),
        (
            "RFC 3261 14.1: our re-INVITE waits to be sent again",
            |_| {
                let mut session = confirmed_callee();
                session.our_change_waits(By::Reinvite, OutgoingId::from_raw(INVITE_2));
                session
            },
            RemoteBye,
            "GiveUpRetry 2, State",
            0,
        ),
        (
            "RFC 5407 3.2.3: our re-INVITE goes on",
            |_| {
                let mut session = confirmed_callee();
                session.our_change_sent(By::Reinvite, OutgoingId::from_raw(INVITE_2), fixture::sdp("second"));
                session
            },
            RemoteBye,
            "State",
            0,
        ),
        (
            "RFC 3262 4: reliable responses of the callee",
            |_| {
                let mut session = caller("offer");
                let response = fixture::response(183, 1, "Require: 100rel\r\nRSeq: 1\r\n", "answer");
                assert!(session.take_reliable(fixture::outgoing(), &response, 1, true).is_some());
                session
            },
            LocalHangup,
            "ForkEnded 1, State",
            0,
        ),
        ("it is over: the first reason counts", |_| ended(caller("offer"), LocalHangup), RemoteBye, "", 0),
    ];
    for (rule, session, reason, expected, timers) in rows {
        let mut clock = FakeClock::default();
        let mut session = session(&mut clock);
        let notifies = session.running.pending.iter().filter(|one| one.method == Method::Notify).count();
        assert_eq!(said(&session.end(ending(reason), &mut clock)), expected, "{rule}");
        assert_eq!(clock.timers(), timers, "{rule}");
        let signaling = session.signaling_state();
        assert_eq!((session.state(), signaling), (SessionState::Terminated, SignalingState::Closed), "{rule}");
        assert_eq!(session.pending(), notifies, "{rule}");
        let because = if expected.is_empty() { LocalHangup } else { reason };
        assert_eq!(session.ending().map(|ending| ending.reason), Some(because), "{rule}");
        assert!(session.running.reliable_client.is_none() && session.lasting.deferred_bye.is_none(), "{rule}");
        assert!(session.owed_ack().is_none() && session.responding_reliably_to().is_none(), "{rule}");
        assert_eq!(said(&session.end(ending(reason), &mut clock)), "", "{rule}: once");
    }
}

/// TERMINATED: once, and not before the ACK of every 2xx of ours.
#[test]
fn the_last_word() {
    use Reason::{LocalHangup, RemoteBye};
    const AFTER_1: &str = "State, Over 1, Finish";
    const AFTER_2: &str = "State, Over 2, Finish";
    const BYE: &str = "Terminated RemoteBye";
    type Row =
        (&'static str, fn(&mut FakeClock) -> Session, &'static str, &'static [(u32, &'static str, &'static str)]);
    // What is under way; what is said; each ACK that comes then, what it does and what is said then.
    let rows: [Row; 9] = [
        ("it is not over", |_| confirmed_callee(), "", &[]),
        ("nothing is under way", |_| ended(confirmed_callee(), RemoteBye), BYE, &[]),
        (
            "RFC 5407 3.1.3: a 2xx waits",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                session.end(ending(RemoteBye), clock);
                session
            },
            "",
            &[(1, AFTER_1, BYE)],
        ),
        (
            "RFC 5407 3.1.4: two of them do",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                reaccept(&mut session, 2, ["", ""], clock);
                session.end(ending(RemoteBye), clock);
                session
            },
            "",
            &[(2, AFTER_2, ""), (1, AFTER_1, BYE)],
        ),
        (
            "RFC 3261 13.3.1.4: those that are given up do not",
            |clock| {
                let mut session = accepted("offer", "answer", clock);
                session.end(ending(LocalHangup), clock);
                session
            },
            "Terminated LocalHangup",
            &[],
        ),
        (
            "RFC 5407 3.2.3: our re-INVITE goes on without it",
            |clock| {
                let mut session = confirmed_callee();
                session.our_change_sent(By::Reinvite, OutgoingId::from_raw(2), None);
                session.end(ending(LocalHangup), clock);
                session
            },
            "Terminated LocalHangup 2",
            &[],
        ),
        (
            "RFC 3261 14.1: that was given up does not",
            |clock| {
                let mut session = confirmed_callee();
                session.our_change_waits(By::Reinvite, OutgoingId::from_raw(2));
                session.end(ending(LocalHangup), clock);
                session
            },
            "Terminated LocalHangup",
            &[],
        ),
        (
            "RFC 5407 3.2.3: the host owes the ACK of its 2xx",
            |clock| {
                let mut session = confirmed_callee();
                session.our_change_sent(By::Reinvite, OutgoingId::from_raw(2), None);
                session.end(ending(LocalHangup), clock);
                session.our_reinvite_accepted(
                    OutgoingId::from_raw(2),
                    &fixture::response(200, 2, "", ""),
                    HostAcks::All,
                );
                session
            },
            "Acknowledge 2, Terminated LocalHangup",
            &[],
        ),
        (
            "RFC 3515 2.4.4: a dialog of a subscription",
            |_| {
                let refer = fixture::request("REFER", 1, "");
                *Session::of_subscription(confirmed_callee().dialog().clone(), &refer, Attachment::default())
            },
            "",
            &[],
        ),
    ];
    for (rule, session, expected, acks) in rows {
        let mut clock = FakeClock::default();
        let mut session = session(&mut clock);
        assert_eq!(said(&session.finish()), expected, "{rule}");
        for (number, follows, then) in acks {
            assert_eq!(ack(&mut session, *number, "", &mut clock), *follows, "{rule}: ACK {number}");
            assert_eq!(said(&session.finish()), *then, "{rule}: ACK {number}");
        }
        let (was_over, state) = (session.is_terminated(), session.state());
        session.terminated_told();
        assert_eq!((session.is_gone(), session.state()), (was_over, state), "{rule}");
        assert_eq!(said(&session.finish()), "", "{rule}: once");
    }
}
