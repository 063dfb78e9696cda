//! A re-INVITE of which something was executed before it failed (RFC 6141 §3).

use crate::common::pair::Stand;
use crate::common::party::{config, reliable};
use crate::common::reliable_callee::progress;
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, reliable_caller, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
const LATER: &str = "v=0\r\no=bob 1 4 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const LATEST: &str = "v=0\r\no=alice 1 4 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// By which exchange the peer's re-INVITE is executed.
#[derive(Clone, Copy, Debug)]
enum By {
    /// Offer in the re-INVITE, answer in a reliable response that is acknowledged.
    Answer,
    /// Offer in a reliable response, answer in PRACK.
    Prack,
    /// That of the re-INVITE, and then one by UPDATE whose offer is still open.
    Update,
}

/// The peer's re-INVITE, executed, and alice's host holds it.
fn executed(by: By) -> Stand {
    let mut stand = Stand::peer_called();
    let offer = if matches!(by, By::Prack) { "" } else { HOLD };
    reliable_caller::called(&mut stand, "Supported", offer);
    let description = if matches!(by, By::Prack) { HOLD } else { HELD };
    reliable_caller::progress(&mut stand, 183, &reliable(description)).expect("legal");
    let response = reliable_caller::take(&mut stand, "183 INVITE");
    let held = stand.alice.incoming;
    let prack = reliable_caller::prack_of(&mut stand, reliable_caller::rseq(&response), response.cseq());
    stand.say(if matches!(by, By::Prack) { prack.sdp(HELD) } else { prack });
    stand.peer.take("200 PRACK");
    if matches!(by, By::Update) {
        stand.alice.hold(EventKind::Update);
        let update = stand.peer.request("UPDATE").sdp(LATER);
        stand.say(update);
    }
    stand.alice.incoming = held;
    stand
}

/// §3.3: an error would say that nothing was changed.
#[test]
fn the_host_cannot_refuse_what_was_executed() {
    for by in [By::Answer, By::Prack, By::Update] {
        let mut stand = executed(by);
        let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
        let options = ResponseOptions::default();
        let rejected = stand.alice.agent.reject(now, incoming, 488, &options);
        let redirected = stand.alice.agent.redirect(now, incoming, 302, &[b"sip:c@192.0.2.9"], &options);
        for result in [rejected, redirected] {
            let error = result.expect_err("it is not legal");
            assert!(error.kind == ErrorKind::State && error.detail.ends_with("(RFC 6141 3.3)"), "{by:?} {error}");
        }
        stand.exchange();
        assert!(!stand.peer.got().iter().any(|short| short.ends_with("INVITE")), "{by:?}");
        let accepted = stand.alice.agent.accept(now, incoming, 200, &options);
        accepted.unwrap_or_else(|error| panic!("{by:?} {error}"));
        stand.exchange();
        stand.peer.take("200 INVITE");
        stand.end_unjudged();
    }
}

/// What was not executed is refused as ever: the answer waits for its PRACK, or there is none.
#[test]
fn what_was_not_executed_is_refused() {
    for answered in [false, true] {
        let mut stand = Stand::peer_called();
        let invite = reliable_caller::called(&mut stand, "Supported", HOLD);
        if answered {
            reliable_caller::progress(&mut stand, 183, &reliable(HELD)).expect("legal");
        }
        stand.alice.reject(488);
        stand.exchange();
        let refused = stand.peer.take("488 INVITE");
        let ack = stand.peer.ack(&invite, &refused);
        stand.say(ack);
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// §3.3, §3.8: CANCEL, no answer of the host, a PRACK that never comes.
#[test]
fn what_was_executed_is_accepted_in_the_end() {
    for ending in ["CANCEL", "time", "PRACK"] {
        let mut stand = executed(By::Answer);
        match ending {
            "CANCEL" => {
                let mut cancel = stand.peer.request("CANCEL");
                let branch = stand.wire.trace.messages("peer", "INVITE").last().expect("one").value("via").to_owned();
                stand.peer.cseq = 2;
                cancel = cancel.set("Via", branch).set("CSeq", "2 CANCEL");
                stand.say(cancel);
                stand.peer.take("200 CANCEL");
            }
            "time" => stand.advance(seconds(181)),
            _ => {
                reliable_caller::progress(&mut stand, 180, &reliable("")).expect("legal");
                stand.advance(seconds(33));
            }
        }
        stand.peer.take("200 INVITE");
        assert_eq!(stand.alice.count(EventKind::Terminated), 0, "{ending}");
        stand.end_unjudged();
    }
}

/// Our re-INVITE, executed by a reliable answer, and by UPDATE too.
fn ours(resync: bool, allow: &str, update: bool) -> (Stand, Sip) {
    let mut config = config("alice");
    config.resync = resync;
    let mut stand = Stand::with(config);
    stand.alice.invite("sip:bob@192.0.2.2", OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(if allow.is_empty() { ok } else { ok.with("Allow", allow) });
    stand.peer.take("ACK");
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    progress(&mut stand, &invite, 183, 1, HELD);
    stand.peer_replies("PRACK", 200, "");
    if update {
        stand.alice.update(LATEST);
        stand.exchange();
        stand.peer_replies("UPDATE", 200, HELD);
    }
    (stand, invite)
}

#[track_caller]
fn refuse(stand: &mut Stand, invite: &Sip, status: u16) {
    let refused = stand.peer.reply(invite, status);
    stand.say(refused);
    stand.peer.take("ACK");
}

fn offered(stand: &Stand) -> String {
    let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
    String::from_utf8_lossy(session.offer().expect("an offer").content()).into_owned()
}

/// §3.4: both sides may use other descriptions now, so the host hears of it, after REJECT.
#[test]
fn a_failure_after_execution_is_told() {
    for (update, status) in [(false, 488), (true, 488), (false, 500)] {
        let (mut stand, invite) = ours(false, "", update);
        stand.alice.events.clear();
        refuse(&mut stand, &invite, status);
        assert_eq!(stand.alice.kinds(), [EventKind::Reject, EventKind::Resync], "{status}");
        assert_eq!((stand.alice.state(), offered(&stand)), (GOOD, OFFER.to_owned()));
        assert_eq!(stand.peer.got(), NOTHING);
        let session = stand.alice.session();
        assert_eq!(stand.alice.last(EventKind::Resync).session, Some(session));
        stand.advance(seconds(20));
        assert_eq!(stand.peer.got(), NOTHING, "RFC 5407 3.3.1: no retry");
    }
}

/// A retry brings both sides together by itself; one that is called off does not.
#[test]
fn a_retry_that_is_called_off_is_told() {
    let (mut stand, invite) = ours(false, "", false);
    refuse(&mut stand, &invite, 491);
    assert_eq!((stand.alice.count(EventKind::GlareRetry), stand.alice.count(EventKind::Resync)), (1, 0));
    stand.alice.events.clear();
    assert!(stand.alice.cancel());
    stand.exchange();
    assert_eq!(stand.alice.kinds(), [EventKind::Reject, EventKind::Resync]);
}

/// Nor does one that fails in its turn.
#[test]
fn a_retry_that_fails_is_told() {
    let (mut stand, invite) = ours(false, "", false);
    refuse(&mut stand, &invite, 491);
    stand.advance(seconds(5));
    let again = stand.peer.take("INVITE");
    stand.peer.inbox.clear();
    stand.alice.events.clear();
    refuse(&mut stand, &again, 488);
    assert_eq!(stand.alice.kinds(), [EventKind::State, EventKind::Reject, EventKind::Resync]);
    assert_eq!((stand.alice.state(), offered(&stand)), (GOOD, OFFER.to_owned()));
}

/// A newer wish that waits in its place is to bring both sides together; what comes when it does not.
#[test]
fn a_newer_wish_repairs_it() {
    for resync in [false, true] {
        for (method, status) in [("INVITE", 200), ("INVITE", 488), ("UPDATE", 200), ("UPDATE", 488)] {
            let (mut stand, invite) = ours(resync, "INVITE, UPDATE, ACK, BYE, PRACK", false);
            refuse(&mut stand, &invite, 491);
            stand.alice.events.clear();
            if method == "INVITE" {
                stand.alice.reinvite(LATEST)
            } else {
                stand.alice.update(LATEST)
            };
            stand.exchange();
            assert_eq!(stand.alice.kinds(), [EventKind::Reject, EventKind::GlareRetry], "{method} {resync}");
            assert_eq!(stand.peer.got(), NOTHING);
            stand.advance(seconds(5));
            let newer = stand.peer.take(method);
            assert_eq!(newer.sdp(), Some(LATEST));
            stand.peer.inbox.clear();
            let answer = stand.peer.reply(&newer, status);
            stand.say(if status == 200 { answer.sdp(HELD) } else { answer });
            stand.peer.inbox.retain(|sip| sip.method() != "ACK");
            let fails = status != 200;
            assert_eq!(stand.alice.count(EventKind::Resync), usize::from(fails), "{method} {status}");
            if fails && resync {
                assert_eq!(stand.peer_replies("UPDATE", 200, ANSWER).sdp(), Some(OFFER));
            }
            assert_eq!(stand.peer.got(), NOTHING);
            assert_eq!((stand.alice.state(), offered(&stand)), (GOOD, if fails { OFFER } else { LATEST }.to_owned()));
        }
    }
    // Without an offer it repairs nothing.
    let (mut stand, invite) = ours(true, "INVITE, UPDATE, ACK, BYE, PRACK", false);
    refuse(&mut stand, &invite, 491);
    stand.alice.update("");
    stand.advance(seconds(5));
    let newer = stand.peer.take("UPDATE");
    stand.peer.inbox.clear();
    let ok = stand.peer.reply(&newer, 200);
    stand.say(ok);
    assert_eq!(stand.alice.last(EventKind::Resync).session, stand.alice.session);
    assert_eq!(stand.peer_replies("UPDATE", 200, ANSWER).sdp(), Some(OFFER));
}

/// Nothing was executed: nothing is to be done.
#[test]
fn a_failure_before_execution_needs_nothing() {
    for shown in ["", "183", "180"] {
        let mut stand = Stand::alice_called();
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        match shown {
            "183" => {
                let shown = stand.peer.reply(&invite, 183).sdp(HELD);
                stand.say(shown);
            }
            "180" => {
                progress(&mut stand, &invite, 180, 1, "");
                stand.peer_replies("PRACK", 200, "");
            }
            _ => {}
        }
        refuse(&mut stand, &invite, 488);
        assert_eq!(stand.alice.count(EventKind::Resync), 0, "{shown}");
    }
}

/// RFC 5057: there is nobody to come together with.
#[test]
fn no_resync_of_a_call_that_ends() {
    let (mut stand, invite) = ours(true, "", false);
    refuse(&mut stand, &invite, 481);
    assert_eq!(stand.alice.count(EventKind::Resync), 0);
    stand.peer_replies("BYE", 481, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
}

/// §3.4: by UPDATE where the peer lists it, else by re-INVITE; our part of what was before, whoever offered it.
#[test]
fn the_library_sends_what_was_before() {
    for (allow, method) in [("INVITE, UPDATE, ACK, BYE, PRACK", "UPDATE"), ("", "INVITE"), ("INVITE, ACK", "INVITE")] {
        let (mut stand, invite) = ours(true, allow, false);
        stand.alice.events.clear();
        refuse(&mut stand, &invite, 488);
        let resync = stand.peer_replies(method, 200, ANSWER);
        assert_eq!(resync.sdp(), Some(OFFER), "{allow}");
        if method == "INVITE" {
            stand.peer.take("ACK");
        }
        assert_eq!(stand.alice.count(EventKind::Accept), 0, "the host hears nothing of it");
        assert_eq!(stand.alice.state(), GOOD);
    }
    // We had answered.
    let mut config = config("alice");
    config.resync = true;
    let mut stand = Stand::with(config);
    stand.peer_calls();
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    progress(&mut stand, &invite, 183, 1, HELD);
    stand.peer_replies("PRACK", 200, "");
    refuse(&mut stand, &invite, 488);
    assert_eq!(stand.peer_replies("INVITE", 200, OFFER).sdp(), Some(ANSWER));
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// It meets one of the peer's: it comes again, and nobody need know.
#[test]
fn what_is_sent_then_meets_glare() {
    let (mut stand, invite) = ours(true, "UPDATE", false);
    refuse(&mut stand, &invite, 488);
    stand.alice.events.clear();
    stand.peer_replies("UPDATE", 491, "");
    stand.advance(seconds(5));
    assert_eq!(stand.peer_replies("UPDATE", 200, ANSWER).sdp(), Some(OFFER));
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::GlareRetry)), (GOOD, 0));
}

/// What is sent then fails in its turn: the host hears of it once more, and nothing is sent again.
#[test]
fn what_is_sent_then_fails() {
    for (allow, method) in [("UPDATE", "UPDATE"), ("", "INVITE")] {
        for status in [488, 603, 408] {
            let (mut stand, invite) = ours(true, allow, false);
            refuse(&mut stand, &invite, 488);
            stand.alice.events.clear();
            stand.peer_replies(method, status, "");
            stand.peer.inbox.retain(|sip| sip.method() != "ACK");
            let told = usize::from(status != 408);
            assert_eq!(
                (stand.alice.count(EventKind::Resync), stand.alice.count(EventKind::Reject)),
                (told, 0),
                "{method}"
            );
            stand.advance(seconds(20));
            assert!(stand.peer.got().iter().all(|got| got == "BYE"), "{method} {status}");
            stand.peer.inbox.clear();
        }
    }
}

/// It may not go out yet: our UPDATE is not answered, or the peer's re-INVITE that we refused not acknowledged.
#[test]
fn what_is_sent_then_waits_for_its_turn() {
    let (mut stand, invite) = ours(true, "UPDATE", false);
    stand.alice.update(LATEST);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    stand.alice.events.clear();
    refuse(&mut stand, &invite, 488);
    stand.advance(seconds(5));
    stand.peer.inbox.clear();
    let ok = stand.peer.reply(&update, 200).sdp(HELD);
    stand.say(ok);
    stand.advance(seconds(5));
    assert_eq!(stand.peer_replies("UPDATE", 200, ANSWER).sdp(), Some(OFFER));
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::Resync)), (GOOD, 1));

    let (mut stand, invite) = ours(true, "", false);
    let own = stand.peer.request("INVITE").sdp(HELD);
    stand.say(own.clone());
    let refused = stand.peer.take("491 INVITE");
    refuse(&mut stand, &invite, 488);
    let ack = stand.peer.ack(&own, &refused);
    stand.say(ack);
    stand.advance(seconds(5));
    assert_eq!(stand.peer_replies("INVITE", 200, ANSWER).sdp(), Some(OFFER));
    stand.peer.take("ACK");
    assert_eq!((stand.alice.state(), stand.alice.count(EventKind::Resync)), (GOOD, 1));
}

/// While it waits both sides come together by another exchange, the host's or the peer's: then it is not sent.
#[test]
fn what_is_sent_then_may_be_needless() {
    for by_host in [true, false] {
        let (mut stand, invite) = ours(true, "", false);
        let own = stand.peer.request("INVITE").sdp(HELD);
        stand.say(own.clone());
        let refused = stand.peer.take("491 INVITE");
        refuse(&mut stand, &invite, 488);
        stand.alice.events.clear();
        if by_host {
            stand.alice.update(LATEST);
            stand.exchange();
            stand.peer_replies("UPDATE", 200, HELD);
        } else {
            stand.alice.answers(EventKind::Update, LATEST);
            let update = stand.peer.request("UPDATE").sdp(LATER);
            stand.say(update);
            stand.peer.take("200 UPDATE");
        }
        let ack = stand.peer.ack(&own, &refused);
        stand.say(ack);
        stand.advance(seconds(20));
        assert_eq!(stand.peer.got(), NOTHING, "{by_host}");
        assert_eq!(stand.alice.count(EventKind::Resync), 0, "{by_host}");
        assert_eq!(stand.alice.state(), GOOD);
    }
}
