//! 199 Early Dialog Terminated (RFC 6228): one of several early dialogs ends, the INVITE goes on.

use crate::common::draft::Draft;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{config, sdp, with_sdp};
use crate::common::reliable_callee::called;
use crate::common::reliable_caller::{prack_of, progress, rseq};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::event::{Reason, flag};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions, ResponseOptions, SessionId};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const BUSY: &str = "SIP;cause=486;text=\"Busy Here\"";

fn ring(stand: &mut Stand, invite: &Sip, tag: &str) -> SessionId {
    let ringing = stand.peer.reply_as(invite, 180, tag);
    stand.say(ringing);
    stand.alice.last(EventKind::Progress).session.expect("an early dialog")
}

fn terminated(stand: &Stand, invite: &Sip, tag: &str) -> Draft {
    stand.peer.reply_as(invite, 199, tag).with("Reason", BUSY)
}

/// The INVITE has its final response.
fn refuse(stand: &mut Stand, invite: &Sip) {
    let busy = stand.peer.reply_as(invite, 486, "last");
    stand.say(busy);
    stand.peer.take("ACK");
}

/// The judge takes a second To tag of ours for a fault (RFC 3261 §8.2.6.2), for it knows no gateways.
fn end(mut stand: Stand) {
    stand.end_unjudged();
    assert_eq!(stand.alice.living(), [0; 5]);
}

fn events_since(stand: &Stand, from: usize) -> Vec<EventKind> {
    stand.alice.kinds().split_off(from)
}

// ------------------------------------------------------------------ caller

/// §4: its dialog ends without BYE, others and the INVITE go on; a 2xx of it makes no session.
#[test]
fn a_199_ends_its_early_dialog() {
    let (mut stand, invite) = called(OFFER);
    assert!(invite.all("supported").contains(&"199"));
    let busy = ring(&mut stand, &invite, "one");
    let other = ring(&mut stand, &invite, "two");
    let before = stand.alice.events.len();
    let draft = terminated(&stand, &invite, "one").sdp(ANSWER);
    stand.say(draft);
    let kinds = [EventKind::Progress, EventKind::State, EventKind::Terminated];
    assert_eq!(events_since(&stand, before), kinds);
    let progress = stand.alice.last(EventKind::Progress);
    assert_eq!((progress.status_code, progress.session, progress.flags), (199, Some(busy), 0));
    assert_eq!(progress.text.as_deref(), Some(BUSY.as_bytes()));
    assert_eq!(progress.signaling_state, SignalingState::HaveLocalOffer, "a 199 shows no answer");
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.session, ended.reason, ended.status_code), (Some(busy), Reason::Rejected, 486));
    assert_eq!(ended.text.as_deref(), Some(BUSY.as_bytes()));
    assert_eq!(ended.message.as_ref().map(|message| message.status()), Some(199));
    assert_eq!(stand.peer.got(), NOTHING, "no BYE");
    let again = terminated(&stand, &invite, "one");
    stand.say(again);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
    let late = stand.peer.reply_as(&invite, 200, "one").sdp(ANSWER);
    stand.say(late);
    assert_eq!(stand.peer.got(), ["ACK", "BYE"], "RFC 3261 §13.2.2.4");
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("one"));
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.agent.session(other).unwrap().state(), SessionState::Early);
    let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("two"));
    assert_eq!(stand.alice.agent.session(other).unwrap().state(), SessionState::Confirmed);
}

/// The cause that its Reason names, else its own status.
#[test]
fn the_reason_of_a_199_says_why() {
    for (reason, status) in [(BUSY, 486), ("Q.850;cause=17, SIP;cause=500", 500), ("Q.850;cause=17", 199), ("", 199)] {
        let (mut stand, invite) = called(OFFER);
        ring(&mut stand, &invite, "one");
        let draft = stand.peer.reply_as(&invite, 199, "one");
        let draft = if reason.is_empty() { draft } else { draft.with("Reason", reason) };
        stand.say(draft);
        let ended = stand.alice.last(EventKind::Terminated);
        assert_eq!((ended.reason, ended.status_code), (Reason::Rejected, status), "{reason}");
        assert_eq!(ended.text.as_deref().unwrap_or_default(), reason.as_bytes());
        refuse(&mut stand, &invite);
    }
}

/// §4: after the only early dialog has ended another fork may ring and answer, or all be refused.
#[test]
fn the_invite_goes_on_without_a_dialog() {
    for answered in [true, false] {
        let (mut stand, invite) = called(OFFER);
        ring(&mut stand, &invite, "one");
        let draft = terminated(&stand, &invite, "one");
        stand.say(draft);
        assert_eq!(stand.alice.living()[0], 0);
        if answered {
            let ok = stand.peer.reply_as(&invite, 200, "two").sdp(ANSWER);
            stand.say(ok);
            stand.peer.take("ACK");
            assert_eq!(stand.alice.state().0, SessionState::Confirmed);
        } else {
            assert!(stand.alice.cancel());
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            let terminated = stand.peer.reply_as(&invite, 487, "three");
            stand.say(terminated);
            stand.peer.take("ACK");
            assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
        }
    }
}

/// §4: an unreliable one of a dialog that is not here is dropped, one without a tag too.
#[test]
fn a_199_of_no_dialog_is_dropped() {
    let (mut stand, invite) = called(OFFER);
    let before = stand.alice.events.len();
    let draft = terminated(&stand, &invite, "one");
    stand.say(draft);
    let untagged = terminated(&stand, &invite, "one").set("To", invite.value("to"));
    stand.say(untagged);
    assert_eq!(events_since(&stand, before), []);
    assert_eq!(stand.alice.agent.stats().dropped_response, 2);
    // Of one that a 199 has ended, as each proxy on its way may say.
    ring(&mut stand, &invite, "one");
    let draft = terminated(&stand, &invite, "one");
    stand.say(draft.clone());
    let before = stand.alice.events.len();
    stand.say(draft);
    assert_eq!((events_since(&stand, before), stand.alice.agent.stats().dropped_response), (vec![], 3));
    refuse(&mut stand, &invite);
}

/// §4: a reliable one gets its PRACK from the library, of a dialog that is not here too, whatever is the host's.
#[test]
fn a_reliable_199_is_acknowledged() {
    for known in [true, false] {
        for flags in [0, request_flag::MANUAL_PRACK] {
            let (mut stand, invite) =
                crate::common::reliable_callee::called_with(RequestOptions { flags, ..with_sdp("") });
            if known {
                ring(&mut stand, &invite, "one");
            }
            let draft = terminated(&stand, &invite, "one").reliable(7);
            stand.say(draft.clone());
            let prack = stand.peer_replies("PRACK", 200, "");
            assert_eq!(prack.value("rack"), format!("7 {} INVITE", invite.cseq()));
            assert_eq!(stand.alice.last(EventKind::Progress).flags, flag::RELIABLE);
            assert_eq!(stand.alice.last(EventKind::Terminated).status_code, 486);
            let late = stand.peer.reply_as(&invite, 200, "one").sdp(OFFER);
            stand.say(late);
            stand.peer.take("ACK");
            let bye = stand.peer_replies("BYE", 200, "");
            assert!(bye.cseq() > prack.cseq(), "RFC 3261 §12.2.1.1: {} after {}", bye.cseq(), prack.cseq());
        }
    }
}

/// RFC 3262 §4: one that comes before its turn is not taken.
#[test]
fn a_reliable_199_waits_for_its_turn() {
    let (mut stand, invite) = called(OFFER);
    let early = stand.peer.reply_as(&invite, 183, "one").reliable(5);
    stand.say(early);
    stand.peer_replies("PRACK", 200, "");
    let gap = terminated(&stand, &invite, "one").reliable(7);
    stand.say(gap);
    assert_eq!((stand.alice.count(EventKind::Terminated), stand.peer.got()), (0, Vec::new()));
    let next = terminated(&stand, &invite, "one").reliable(6);
    stand.say(next);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
    refuse(&mut stand, &invite);
}

/// To a re-INVITE it is a provisional response like others (RFC 3261 §8.1.3.2).
#[test]
fn a_199_to_a_reinvite_ends_nothing() {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let draft = stand.peer.reply(&invite, 199).with("Reason", BUSY);
    stand.say(draft);
    assert_eq!(stand.alice.statuses(EventKind::Progress).last(), Some(&199));
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
}

// ------------------------------------------------------------------ callee

/// The peer's INVITE, which rings in two dialogs of alice's.
fn rung(invite: impl FnOnce(Draft) -> Draft) -> (Stand, Draft, [SessionId; 2]) {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = invite(stand.peer.request("INVITE").sdp(OFFER));
    stand.say(invite.clone());
    let sessions = ["one", "two"].map(|tag| {
        progress(&mut stand, 180, &ResponseOptions { to_tag: Some(tag.as_bytes()), ..ResponseOptions::default() })
            .expect("it is legal");
        stand.alice.session()
    });
    (stand, invite, sessions)
}

fn supported(invite: Draft) -> Draft {
    invite.with("Supported", "199")
}

fn hangup(stand: &mut Stand, session: SessionId, status: u16, options: RequestOptions<'_>) {
    let now = stand.alice.now();
    stand.alice.agent.hangup(now, session, status, options).expect("a hang-up is always legal");
    stand.exchange();
}

/// §5: the host hangs up one of several; the other goes on, the last one rejects the INVITE.
#[test]
fn a_hangup_of_one_of_several_says_199() {
    let (mut stand, invite, [one, two]) = rung(supported);
    let before = stand.alice.events.len();
    let options = RequestOptions { body: sdp(ANSWER), headers: vec![b"X-Why: so"], ..RequestOptions::default() };
    hangup(&mut stand, one, 486, options);
    let said = stand.peer.take("199 INVITE");
    assert_eq!(said.to_tag().as_deref(), Some("one"));
    assert_eq!(said.all("reason"), [BUSY]);
    assert_eq!((said.sdp(), said.get("rseq"), said.get("x-why")), (None, None, Some("so")));
    assert!(said.contact().is_some());
    assert_eq!(events_since(&stand, before), [EventKind::State, EventKind::Terminated]);
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.session, ended.reason, ended.status_code), (Some(one), Reason::LocalHangup, 486));
    hangup(&mut stand, two, 0, RequestOptions::default());
    let decline = stand.peer.take("603 INVITE");
    assert_eq!(decline.to_tag().as_deref(), Some("two"));
    let ack = stand.peer.ack(&invite, &decline);
    stand.say(ack);
    end(stand);
}

/// The one that is left may be accepted, and answers for the INVITE.
#[test]
fn the_dialog_that_is_left_is_accepted() {
    for dispose in [false, true] {
        let (mut stand, invite, [one, two]) = rung(supported);
        if dispose {
            let now = stand.alice.now();
            stand.alice.agent.dispose_session(now, two).expect("it lives");
            stand.exchange();
            assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Disposed);
        } else {
            hangup(&mut stand, two, 0, RequestOptions::default());
        }
        let said = stand.peer.take("199 INVITE");
        let cause =
            if dispose { "SIP;cause=487;text=\"Request Terminated\"" } else { "SIP;cause=603;text=\"Decline\"" };
        assert_eq!((said.to_tag().as_deref(), said.all("reason")), (Some("two"), vec![cause]));
        stand.alice.accept(ANSWER);
        stand.exchange();
        let ok = stand.peer.take("200 INVITE");
        assert_eq!(ok.to_tag().as_deref(), Some("one"));
        let ack = stand.peer.ack(&invite, &ok);
        stand.peer.learn(&ok);
        stand.say(ack);
        assert_eq!(stand.alice.agent.session(one).unwrap().state(), SessionState::Confirmed);
        end(stand);
    }
}

/// §5: a caller that does not know it is told nothing; a reason of the host's stands beside the cause or for it.
#[test]
fn who_is_told_and_what() {
    type Row = (&'static str, &'static str, &'static [&'static str]);
    let rows: [Row; 4] = [
        ("100rel", "", &[]),
        ("100rel, 199", "", &["SIP;cause=603;text=\"Decline\""]),
        ("199", "Q.850;cause=17", &["Q.850;cause=17", "SIP;cause=603;text=\"Decline\""]),
        ("199", "Q.850;cause=17, sip;cause=500", &["Q.850;cause=17, sip;cause=500"]),
    ];
    for (supported, reason, expected) in rows {
        let (mut stand, _, [one, _]) = rung(|invite| invite.with("Supported", supported));
        let reason = (!reason.is_empty()).then_some(reason.as_bytes());
        hangup(&mut stand, one, 0, RequestOptions { reason, ..RequestOptions::default() });
        assert_eq!(stand.alice.count(EventKind::Terminated), 1);
        let told: Vec<_> = stand.peer.inbox.iter().filter(|sip| sip.status() == Some(199)).collect();
        assert_eq!(told.iter().map(|sip| sip.all("reason")).collect::<Vec<_>>().concat(), expected);
        assert!(stand.peer.got().iter().all(|short| !short.starts_with("603")));
        end(stand);
    }
}

/// RFC 3262 §3: a caller that wants every one reliable gets it until its PRACK, and TERMINATED comes then.
#[test]
fn a_199_is_reliable_where_that_is_required() {
    let (mut stand, invite, [one, _]) = rung_reliably();
    hangup(&mut stand, one, 486, RequestOptions::default());
    let said = stand.peer.take("199 INVITE");
    assert_eq!((said.all("require"), said.all("reason")), (vec!["100rel"], vec![BUSY]));
    assert_eq!(stand.alice.agent.session(one).unwrap().state(), SessionState::Terminated);
    assert_eq!(stand.alice.count(EventKind::Terminated), 0);
    stand.advance(seconds(1));
    assert_eq!(stand.peer.take("199 INVITE").value("rseq"), said.value("rseq"));
    stand.peer.learn(&said);
    let prack = prack_of(&mut stand, rseq(&said), invite.get("CSeq")[..1].parse().unwrap());
    stand.say(prack);
    stand.peer.take("200 PRACK");
    assert_eq!(stand.alice.last(EventKind::Terminated).session, Some(one));
    stand.advance(seconds(8));
    assert_eq!(stand.peer.got(), NOTHING, "it is repeated no more");
    end(stand);
}

fn rung_reliably() -> (Stand, Draft, [SessionId; 2]) {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").with("Require", "100rel").with("Supported", "199").sdp(OFFER);
    stand.say(invite.clone());
    let sessions = ["one", "two"].map(|tag| {
        progress(&mut stand, 180, &ResponseOptions { to_tag: Some(tag.as_bytes()), ..ResponseOptions::default() })
            .expect("it is legal");
        let session = stand.alice.session();
        let ringing = stand.peer.take("180 INVITE");
        stand.peer.learn(&ringing);
        crate::common::reliable_caller::prack(&mut stand, &ringing);
        session
    });
    (stand, invite, sessions)
}

/// Neither PRACK nor final response: it is given up with the patience of RFC 3262 §3. The INVITE's final response ends
/// its repeats as well.
#[test]
fn a_reliable_199_ends_by_time_or_with_the_invite() {
    for refused in [false, true] {
        let (mut stand, invite, [one, two]) = rung_reliably();
        let now = stand.alice.now();
        stand.alice.agent.dispose_session(now, one).expect("it lives");
        stand.exchange();
        stand.peer.take("199 INVITE");
        if refused {
            hangup(&mut stand, two, 486, RequestOptions::default());
            let busy = stand.peer.take("486 INVITE");
            assert_eq!(stand.alice.count(EventKind::Terminated), 2);
            let ack = stand.peer.ack(&invite, &busy);
            stand.say(ack);
            stand.advance(seconds(8));
            assert_eq!(stand.peer.got(), NOTHING);
        } else {
            stand.advance(seconds(31));
            assert_eq!(stand.alice.count(EventKind::Terminated), 0);
            stand.advance(seconds(2));
            assert_eq!(stand.alice.count(EventKind::Terminated), 1);
            assert_eq!(stand.alice.agent.session(two).unwrap().state(), SessionState::Early);
        }
        end(stand);
    }
}

/// RFC 3262 §3, §4: while another one is not acknowledged the caller would not take it: it is not told.
#[test]
fn no_reliable_199_behind_an_unacknowledged_one() {
    let (mut stand, _, [one, _]) = rung_reliably();
    let invite = stand.alice.incoming;
    progress(&mut stand, 183, &ResponseOptions { to_tag: Some(b"one"), ..ResponseOptions::default() }).expect("legal");
    stand.peer.take("183 INVITE");
    hangup(&mut stand, one, 0, RequestOptions::default());
    assert_eq!((stand.peer.got(), stand.alice.count(EventKind::Terminated)), (Vec::new(), 1));
    stand.alice.incoming = invite;
    end(stand);
}

/// One whose reliable response is never acknowledged ends alone, and says so.
#[test]
fn a_dialog_without_prack_ends_alone() {
    let (mut stand, _, [_, two]) = rung(|invite| invite.with("Supported", "199, 100rel"));
    let options = ResponseOptions {
        to_tag: Some(b"one"),
        flags: sipdlg::agent::options::response_flag::RELIABLE,
        ..ResponseOptions::default()
    };
    progress(&mut stand, 183, &options).expect("it is legal");
    stand.advance(seconds(33));
    let said = stand.peer.take("199 INVITE");
    assert_eq!(said.all("reason"), ["SIP;cause=504;text=\"Server Time-out\""]);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::PrackTimeout);
    assert_eq!(stand.alice.agent.session(two).unwrap().state(), SessionState::Early);
    end(stand);
}

/// §5: the host's own 199.
#[test]
fn a_199_of_the_hosts_needs_a_caller_that_knows_it() {
    let (mut stand, ..) = rung(|invite| invite.with("Supported", "100rel"));
    let refused = progress(&mut stand, 199, &ResponseOptions::default()).expect_err("not supported");
    assert_eq!((refused.kind, refused.detail.ends_with("(RFC 6228 5)")), (ErrorKind::State, true));
    end(stand);
    let (mut stand, ..) = rung(supported);
    let options = ResponseOptions { body: sdp(ANSWER), ..ResponseOptions::default() };
    assert_eq!(progress(&mut stand, 199, &options).expect_err("it describes").kind, ErrorKind::State);
    progress(&mut stand, 199, &ResponseOptions::default()).expect("it is legal");
    stand.peer.take("199 INVITE");
    stand.advance(seconds(61));
    assert_eq!(stand.peer.got(), ["180 INVITE"], "RFC 3261 §13.3.1.1: what goes out again each minute");
    end(stand);
}

/// Both sides of it.
#[test]
fn two_agents() {
    let mut pair = Pair::with(config("alice"), config("bob"));
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        let invite = event.incoming.expect("an INVITE");
        let [one, _] = ["one", "two"].map(|tag| {
            let options = ResponseOptions { to_tag: Some(tag.as_bytes()), ..ResponseOptions::default() };
            agent.progress(now, invite, 180, &options).expect("it is legal").expect("a session")
        });
        agent.hangup(now, one, 486, RequestOptions::default()).expect("it is legal");
        agent.accept(now, invite, 200, &crate::common::party::answer_sdp(ANSWER)).expect("it is legal");
    });
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Progress), [180, 180, 199]);
    assert_eq!(pair.alice.last(EventKind::Terminated).status_code, 486);
    assert_eq!((pair.alice.state().0, pair.bob.state().0), (SessionState::Confirmed, SessionState::Confirmed));
    pair.end_unjudged();
    assert_eq!((pair.alice.living(), pair.bob.living()), ([0; 5], [0; 5]));
}
