//! A peer of RFC 2543: no magic cookie in its branches, no tags. A whole call each way, a rejection, a CANCEL.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::session::SessionState::Confirmed;
use sipdlg::session::SignalingState::Stable;

/// As such a peer writes it.
fn old(stand: &Stand, draft: Draft) -> Draft {
    let bare = |text: &str| text.replace(&format!(";tag={}", stand.peer.local_tag), "").replace("z9hG4bK", "");
    let mut draft = draft;
    for name in ["Via", "From"] {
        let value = bare(draft.get(name));
        draft = draft.set(name, value);
    }
    draft
}

fn old_reply(stand: &Stand, request: &Sip, status: u16) -> Draft {
    let reply = stand.peer.reply(request, status);
    let to = reply.get("To").replace(&format!(";tag={}", stand.peer.local_tag), "");
    reply.set("To", to)
}

/// A stand whose checker knows that this peer keeps other rules.
fn stand() -> Stand {
    let mut stand = Stand::new();
    stand.wire.trace.allowed.extend(["no-dialog-481", "dialog-exists"]);
    stand
}

#[test]
fn an_old_caller() {
    let mut stand = stand();
    stand.alice.rings_and_answers(ANSWER);
    stand.alice.answers(EventKind::Reinvite, HELD);
    stand.alice.answers(EventKind::Info, "");
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let invite = old(&stand, invite);
    stand.say(invite.clone());
    stand.peer.take("180 INVITE");
    let ok = stand.peer.take("200 INVITE");
    assert_eq!((ok.from_tag(), ok.to_tag().is_some()), (None, true));
    assert!(!ok.value("via").contains("z9hG4bK"));
    // Repeated: the same transaction.
    stand.say(invite.clone());
    assert_eq!(stand.alice.count(EventKind::Invite), 1);
    stand.peer.remote_tag = ok.to_tag().expect("ours");
    stand.peer.target = ok.contact().expect("a Contact");
    let ack = stand.peer.ack(&invite, &ok);
    let ack = old(&stand, ack);
    stand.say(ack);
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    assert_eq!(stand.alice.properties().remote_tag, "");
    let info = stand.peer.request("INFO");
    let info = old(&stand, info);
    stand.say(info.clone());
    stand.say(info);
    assert_eq!(stand.alice.count(EventKind::Info), 1);
    stand.peer.take("200 INFO");
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    let reinvite = old(&stand, reinvite);
    stand.say(reinvite.clone());
    let held = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&reinvite, &held);
    let ack = old(&stand, ack);
    stand.say(ack);
    assert_eq!(stand.alice.properties().answer.as_deref(), Some(HELD));
    // Ours to it: To without a tag.
    stand.alice.info();
    stand.exchange();
    let info = stand.peer.take("INFO");
    assert_eq!((info.to_tag(), info.from_tag().is_some()), (None, true));
    let done = old_reply(&stand, &info, 200);
    stand.say(done);
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200]);
    let bye = stand.peer.request("BYE");
    let bye = old(&stand, bye);
    stand.say(bye);
    stand.peer.take("200 BYE");
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// RFC 3261 §12.1.2: a response without a To tag makes a dialog whose remote tag is null; a 1xx without one makes none.
#[test]
fn an_old_callee() {
    let mut stand = stand();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = old_reply(&stand, &invite, 180);
    stand.say(ringing);
    assert_eq!((stand.alice.last(EventKind::Progress).session, stand.alice.agent.stats().sessions), (None, 0));
    let ok = old_reply(&stand, &invite, 200).sdp(ANSWER);
    stand.say(ok.clone());
    let ack = stand.peer.take("ACK");
    assert_eq!((ack.to_tag(), ack.from_tag()), (None, invite.from_tag()));
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK"), ack, "the same ACK for the repeat");
    assert_eq!((stand.alice.state(), stand.alice.properties().remote_tag.as_str()), ((Confirmed, Stable), ""));
    stand.alice.answers(EventKind::Info, "");
    let info = stand.peer.request("INFO");
    let info = old(&stand, info);
    stand.say(info);
    stand.peer.take("200 INFO");
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    assert_eq!(bye.to_tag(), None);
    let done = old_reply(&stand, &bye, 200);
    stand.say(done);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// RFC 3261 §17.2.3: its ACK to a rejection has the To tag of ours, and is found by it; so is a repeat of the INVITE.
#[test]
fn an_old_caller_that_is_rejected() {
    let mut stand = stand();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let invite = old(&stand, invite);
    stand.say(invite.clone());
    stand.alice.reject(486);
    stand.exchange();
    let busy = stand.peer.take("486 INVITE");
    stand.say(invite.clone());
    assert_eq!(stand.peer.take("486 INVITE"), busy);
    let ack = stand.peer.ack(&invite, &busy);
    let ack = old(&stand, ack);
    stand.say(ack);
    stand.run_until_idle();
    assert_eq!(stand.peer.got(), Vec::<String>::new(), "the ACK stopped the repeats");
}

#[test]
fn an_old_caller_cancels() {
    let mut stand = stand();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let invite = old(&stand, invite);
    stand.say(invite.clone());
    stand.alice.progress(180, "");
    stand.exchange();
    let cancel = stand.peer.cancel(&invite);
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
    let gone = stand.peer.take("487 INVITE");
    let ack = stand.peer.ack(&invite, &gone);
    let ack = old(&stand, ack);
    stand.say(ack);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}
