//! Reliable provisional responses, the caller's side (RFC 3262 §4, §5): a callee that says what the test writes.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::agent::event::flag;
use sipdlg::session::{SessionState, SignalingState};

/// The peer is called; its responses are its own affair.
fn called(text: &'static str) -> (Stand, Sip) {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, text);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (stand, invite)
}

fn reliable(draft: Draft, rseq: u32) -> Draft {
    draft.with("Require", "100rel").with("RSeq", rseq.to_string())
}

/// A reliable response reaches alice; her PRACK, which is answered 200.
#[track_caller]
fn acknowledged(stand: &mut Stand, response: Draft) -> Sip {
    stand.say(response);
    let prack = stand.peer.take("PRACK");
    let ok = stand.peer.reply(&prack, 200);
    stand.say(ok);
    prack
}

/// §4: RAck from RSeq and CSeq of the response; an ordinary request in the dialog.
#[test]
fn a_reliable_183_with_the_answer_is_acknowledged_at_once() {
    let (mut stand, invite) = called(OFFER);
    let progress = reliable(stand.peer.reply(&invite, 183), 4_711).sdp(ANSWER);
    let prack = acknowledged(&mut stand, progress);
    assert_eq!(prack.value("rack"), format!("4711 {} INVITE", invite.cseq()));
    assert_eq!((prack.cseq(), prack.to_tag()), (invite.cseq() + 1, Some(stand.peer.local_tag.clone())));
    assert_eq!(prack.body, "");
    let event = stand.alice.last(EventKind::Progress);
    assert_eq!((event.flags, event.signaling_state), (flag::RELIABLE, SignalingState::Stable));
    assert_eq!(stand.alice.state(), (SessionState::Early, SignalingState::Stable));
    let ok = stand.peer.reply(&invite, 200);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").body, "");
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
    assert_eq!(stand.alice.count(EventKind::Accept), 1, "nobody hears of an automatic PRACK's 200");
}
