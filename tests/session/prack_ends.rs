//! What ends around a PRACK: it fails, or its INVITE or re-INVITE does (RFC 3262, RFC 5057, RFC 3261 §14.1).

use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::reliable_callee::{
    accept, books, called, knows_password, prack, progress, refused, reinvited, stable, target_of,
};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, ms};
use sipdlg::agent::event::Reason;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions, SessionId};
use sipdlg::error::ErrorKind;
use sipdlg::session::{SessionState, SignalingState};

/// RFC 5057, RFC 3261 §12.2.1.2: 481 ends the usage; the caller may leave an early dialog by BYE (§15),
/// the INVITE goes on for other forks.
#[test]
fn a_481_to_a_prack_ends_its_early_dialog() {
    let (mut stand, invite) = called(OFFER);
    let ringing = stand.peer.reply_as(&invite, 180, "other");
    stand.say(ringing);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    stand.peer_replies("PRACK", 481, "");
    let bye = stand.peer_replies("BYE", 200, "");
    assert_eq!(bye.to_tag(), Some(stand.peer.local_tag.clone()));
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code), (Reason::DialogGone, 481));
    assert_eq!(stand.alice.count(EventKind::Reject), 0, "the automatic PRACK is silent");
    let ok = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("other"));
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

/// A PRACK that nobody answers.
#[test]
fn a_prack_that_times_out_ends_its_early_dialog() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 183, 1, ANSWER);
    stand.advance(ms(31_900));
    assert_eq!(stand.alice.state().0, SessionState::Early);
    assert!(stand.peer.got().iter().all(|short| short == "PRACK"));
    stand.advance(ms(200));
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
}

/// The INVITE has its 2xx meanwhile: the session is confirmed, and a PRACK that was never answered ends it.
#[test]
fn a_prack_that_fails_after_the_2xx_ends_the_session() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    let prack = stand.peer.take("PRACK");
    accept(&mut stand, &invite, ANSWER);
    stand.peer.take("ACK");
    let gone = stand.peer.reply(&prack, 481);
    stand.say(gone);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
}

/// RFC 5057: the PRACK of a re-INVITE belongs to the INVITE usage.
#[test]
fn a_408_to_the_prack_of_a_reinvite_ends_the_session() {
    let (mut stand, invite) = reinvited(HOLD);
    progress(&mut stand, &invite, 183, 1, HELD);
    stand.peer_replies("PRACK", 408, "");
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::DialogGone);
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
}

/// RFC 3261 §9.1: the CANCEL does not touch the dialog; what comes before its 487 is acknowledged.
#[test]
fn reliable_responses_are_acknowledged_after_a_cancel() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    stand.peer_replies("PRACK", 200, "");
    stand.alice.hangup();
    stand.exchange();
    stand.peer_replies("CANCEL", 200, "");
    progress(&mut stand, &invite, 183, 2, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state().0, SessionState::Terminated);
}

/// RFC 5407 §2: an early dialog that was ended by BYE sends nothing new.
#[test]
fn a_dialog_that_was_left_acknowledges_nothing() {
    let (mut stand, invite) = called(OFFER);
    progress(&mut stand, &invite, 180, 1, "");
    stand.peer_replies("PRACK", 200, "");
    let session: SessionId = stand.alice.session();
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    progress(&mut stand, &invite, 183, 2, ANSWER);
    let ok = stand.peer.reply(&bye, 200);
    stand.say(ok);
    progress(&mut stand, &invite, 183, 3, ANSWER);
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.prack(stand.alice.now(), session, with_sdp("")).unwrap_err().kind, ErrorKind::Stale);
    let gone = stand.peer.reply(&invite, 487);
    stand.say(gone);
    stand.peer.take("ACK");
}

/// RFC 3261 §14.1, RFC 6337 §3.4: a re-INVITE that fails leaves the session as it was, even after exchanges were
/// complete. RFC 6141 §4.4: the target stays where the reliable response has moved it.
#[test]
fn a_reinvite_that_fails_after_its_exchange_is_undone() {
    for further in ["", "a=further\r\n"] {
        let (mut stand, invite) = {
            let mut stand = Stand::alice_called();
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let options = RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(HOLD) };
            stand.alice.agent.reinvite(now, session, options).expect("a re-INVITE is legal");
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            (stand, invite)
        };
        stand.peer.contact = format!("sip:moved@{BOB}");
        progress(&mut stand, &invite, 183, 1, HELD);
        prack(&mut stand, further);
        stand.peer_replies("PRACK", 200, further);
        let no = stand.peer.reply(&invite, 488);
        stand.say(no);
        stand.peer.take("ACK");
        assert_eq!(books(&stand), stable(OFFER, ANSWER));
        assert_eq!(target_of(&stand), format!("sip:moved@{BOB}"));
        assert_eq!(stand.alice.state().0, SessionState::Confirmed);
    }
}

/// The same with an offer that nobody has answered yet.
#[test]
fn a_reinvite_that_fails_while_its_offer_waits_is_undone() {
    let (mut stand, invite) = reinvited("");
    progress(&mut stand, &invite, 183, 1, HOLD);
    let no = stand.peer.reply(&invite, 500);
    stand.say(no);
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(OFFER, ANSWER));
    assert_eq!(refused(&mut stand, with_sdp(HELD)), ErrorKind::State);
}

/// RFC 3261 §22.2: a 401 after the exchange: the re-INVITE goes out again with its offer, which is open again.
#[test]
fn a_reinvite_that_is_challenged_after_its_exchange_begins_anew() {
    let mut config = config("alice");
    config.add_credentials(None, b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    knows_password(&mut stand);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    accept(&mut stand, &invite, ANSWER);
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let first = stand.peer.take("INVITE");
    progress(&mut stand, &first, 183, 10, ANSWER);
    stand.peer_replies("PRACK", 200, "");
    assert_eq!(books(&stand), stable(HOLD, ANSWER));
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let draft = stand.peer.reply(&first, 401).with("WWW-Authenticate", challenge);
    stand.say(draft);
    let again = stand.peer.take("INVITE");
    assert_eq!(again.sdp(), Some(HOLD));
    assert_eq!(books(&stand), (SignalingState::HaveLocalOffer, Some(HOLD.to_owned()), None));
    progress(&mut stand, &again, 183, 4, HELD);
    assert_eq!(stand.peer_replies("PRACK", 200, "").value("rack"), format!("4 {} INVITE", again.cseq()));
    accept(&mut stand, &again, "");
    stand.peer.take("ACK");
    assert_eq!(books(&stand), stable(HOLD, HELD));
}
