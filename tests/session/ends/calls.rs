//! The end of a call that alice makes.

use super::called::{info_fails, peer_says, peer_takes_bye};
use super::{Row, begin};
use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::with_sdp;
use crate::common::reliable_callee::progress;
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions};

fn calling(stand: &mut Stand, text: &str) -> Sip {
    stand.alice.invite(TO_BOB, text);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    invite
}

fn replies(stand: &mut Stand, invite: &Sip, status: u16, tag: &str) {
    let draft = stand.peer.reply_as(invite, status, tag);
    stand.say(if status == 200 { draft.sdp(ANSWER) } else { draft });
}

fn ringing(stand: &mut Stand) -> Sip {
    let invite = calling(stand, OFFER);
    replies(stand, &invite, 180, "one");
    begin(stand);
    invite
}

fn calls(stand: &mut Stand) {
    let invite = calling(stand, OFFER);
    replies(stand, &invite, 200, "peer-tag");
    stand.peer.take("ACK");
    begin(stand);
}

fn bye_early(stand: &mut Stand) -> (Sip, Draft) {
    let invite = ringing(stand);
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    let ok = stand.peer.reply(&bye, 200);
    (invite, ok)
}

pub const CALLS: [Row; 23] = [
    (
        "its INVITE is rejected",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 486, "one");
        },
        "Reject State Terminated",
    ),
    (
        "its INVITE is redirected",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 302, "one");
        },
        "Redirect State Terminated",
    ),
    (
        "its INVITE is rejected, and it has two early dialogs",
        |stand| {
            let invite = calling(stand, OFFER);
            for tag in ["one", "two"] {
                replies(stand, &invite, 180, tag);
            }
            begin(stand);
            replies(stand, &invite, 486, "one");
        },
        "Reject State Terminated State Terminated",
    ),
    (
        "its INVITE is challenged, and answered with the credentials",
        |stand| {
            let invite = ringing(stand);
            let challenge = "Digest realm=\"example.com\", nonce=\"n\", algorithm=MD5";
            let draft = stand.peer.reply_as(&invite, 401, "one").with("WWW-Authenticate", challenge);
            stand.say(draft);
            stand.peer.take("ACK");
            stand.peer_replies("INVITE", 486, "");
        },
        "State Terminated Reject",
    ),
    (
        "its INVITE is not answered in the time that it says",
        |stand| {
            let options = RequestOptions { expires_ms: 1_000, ..with_sdp(OFFER) };
            stand.alice.invite_with(TO_BOB, options);
            stand.exchange();
            let invite = stand.peer.take("INVITE");
            stand.peer.learn(&invite);
            replies(stand, &invite, 180, "one");
            begin(stand);
            stand.advance(seconds(2));
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated",
    ),
    (
        "the PRACK is refused so that the dialog is gone",
        |stand| {
            let invite = calling(stand, OFFER);
            progress(stand, &invite, 183, 1, ANSWER);
            let prack = stand.peer.take("PRACK");
            begin(stand);
            let gone = stand.peer.reply(&prack, 481);
            stand.say(gone);
            peer_takes_bye(stand);
            replies(stand, &invite, 487, "peer-tag");
        },
        "State Terminated Reject",
    ),
    (
        "the host cancels",
        |stand| {
            let invite = ringing(stand);
            stand.alice.cancel();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated",
    ),
    (
        "the host hangs up, early",
        |stand| {
            let invite = ringing(stand);
            stand.alice.hangup();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated",
    ),
    (
        "the host cancels, and the 2xx crosses",
        |stand| {
            let invite = ringing(stand);
            stand.alice.cancel();
            stand.exchange();
            stand.peer_replies("CANCEL", 200, "");
            replies(stand, &invite, 200, "one");
            peer_takes_bye(stand);
        },
        "State Reject State Terminated",
    ),
    (
        "the host sends BYE, early; 487 follows",
        |stand| {
            let (invite, ok) = bye_early(stand);
            stand.say(ok);
            replies(stand, &invite, 487, "one");
        },
        "State Accept Terminated Reject",
    ),
    (
        "the host sends BYE, early; 487 comes first",
        |stand| {
            let (invite, ok) = bye_early(stand);
            replies(stand, &invite, 487, "one");
            stand.say(ok);
        },
        "State Reject Accept Terminated",
    ),
    (
        "another fork is answered",
        |stand| {
            let invite = ringing(stand);
            replies(stand, &invite, 200, "two");
            begin(stand);
            stand.advance(seconds(33));
        },
        "State Terminated",
    ),
    (
        "another fork is answered, then this one",
        |stand| {
            let invite = calling(stand, OFFER);
            for (status, tag) in [(180, "one"), (180, "two"), (200, "two")] {
                replies(stand, &invite, status, tag);
            }
            begin(stand);
            replies(stand, &invite, 200, "one");
            peer_takes_bye(stand);
        },
        "State Terminated",
    ),
    (
        "the 2xx lacks the answer",
        |stand| {
            let invite = ringing(stand);
            let draft = stand.peer.reply_as(&invite, 200, "one");
            stand.wire.trace.allowed.push("offer-answer");
            stand.say(draft);
            peer_takes_bye(stand);
        },
        "State Accept State Terminated",
    ),
    (
        "nobody gives the answer that the ACK has to bring",
        |stand| {
            stand.alice.hold(EventKind::Accept);
            let invite = calling(stand, "");
            let draft = stand.peer.reply(&invite, 200).sdp(OFFER);
            stand.say(draft);
            begin(stand);
            stand.wire.trace.allowed.push("offer-answer");
            stand.advance(seconds(33));
            peer_takes_bye(stand);
        },
        "State Terminated",
    ),
    (
        "a request of its own fails, early",
        |stand| {
            let invite = ringing(stand);
            info_fails(stand);
            peer_takes_bye(stand);
            replies(stand, &invite, 487, "one");
        },
        "Reject State Terminated Reject",
    ),
    (
        "the peer's BYE, early",
        |stand| {
            let invite = ringing(stand);
            stand.wire.trace.allowed.push("bye-from-early-callee");
            "one".clone_into(&mut stand.peer.local_tag);
            peer_says(stand, "BYE");
            replies(stand, &invite, 487, "one");
        },
        "Bye State Terminated Reject",
    ),
    (
        "the peer's BYE",
        |stand| {
            calls(stand);
            peer_says(stand, "BYE");
        },
        "Bye State Terminated",
    ),
    (
        "the host sends BYE",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            peer_takes_bye(stand);
        },
        "State Accept Terminated",
    ),
    (
        "the host sends BYE, which is refused",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            stand.peer_replies("BYE", 481, "");
        },
        "State Reject Terminated",
    ),
    (
        "the host sends BYE, which nobody answers",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.advance(seconds(33));
        },
        "State Reject Terminated",
    ),
    (
        "the host sends BYE, and the peer's crosses",
        |stand| {
            calls(stand);
            stand.alice.bye();
            stand.exchange();
            let bye = stand.peer.take("BYE");
            peer_says(stand, "BYE");
            let ok = stand.peer.reply(&bye, 200);
            stand.say(ok);
        },
        "State Accept Terminated",
    ),
    (
        "the host hangs up, and the BYE cannot be sent",
        |stand| {
            calls(stand);
            stand.wire.fail = Some(Box::new(|_, sip| sip.method() == "BYE"));
            stand.alice.hangup();
            stand.exchange();
        },
        "State Terminated",
    ),
];
