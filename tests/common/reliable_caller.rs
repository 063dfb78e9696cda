//! A scripted caller, and alice whose provisional responses to it are reliable (RFC 3262 §3).

use super::draft::Draft;
use super::pair::Stand;
use super::party::answer_sdp;
use super::sip::Sip;
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::error::Result;
use sipdlg::session::SessionState;

pub const EARLY: SessionState = SessionState::Early;

pub fn progress(stand: &mut Stand, status: u16, options: &ResponseOptions<'_>) -> Result<()> {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let done = stand.alice.agent.progress(now, incoming, status, options);
    stand.exchange();
    done.map(drop)
}

pub fn accept(stand: &mut Stand, text: &str) -> Result<()> {
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let done = stand.alice.agent.accept(now, incoming, 200, &answer_sdp(text));
    stand.exchange();
    done.map(drop)
}

/// The peer's INVITE with `tag` in a header, held by alice's host.
pub fn called(stand: &mut Stand, header: &str, text: &str) -> Draft {
    stand.alice.hold(EventKind::Invite);
    stand.alice.hold(EventKind::Reinvite);
    let mut invite = stand.peer.request("INVITE").with(header, "100rel");
    if !text.is_empty() {
        invite = invite.sdp(text);
    }
    stand.say(invite.clone());
    stand.peer.inbox.retain(|sip| sip.status() != Some(100));
    invite
}

/// Takes a reliable response, from which the peer learns the dialog.
#[track_caller]
pub fn take(stand: &mut Stand, short: &str) -> Sip {
    let sip = stand.peer.take(short);
    assert_eq!(sip.all("require"), ["100rel"], "RFC 3262 §3");
    stand.peer.learn(&sip);
    sip
}

pub fn rseq(sip: &Sip) -> u32 {
    sip.value("rseq").parse().expect("a RSeq")
}

pub fn prack_of(stand: &mut Stand, rseq: u32, cseq: u32) -> Draft {
    stand.peer.request("PRACK").with("RAck", format!("{rseq} {cseq} INVITE"))
}

/// PRACK of a response, and what it is answered.
#[track_caller]
pub fn prack(stand: &mut Stand, response: &Sip) {
    let prack = prack_of(stand, rseq(response), response.cseq());
    let invite = stand.alice.incoming;
    stand.say(prack);
    stand.alice.incoming = invite;
    let done = stand.peer.inbox.iter().position(|sip| sip.short() == "200 PRACK");
    stand.peer.inbox.remove(done.unwrap_or_else(|| panic!("no 200 to the PRACK, only {:?}", stand.peer.got())));
}

#[track_caller]
pub fn acknowledge(stand: &mut Stand, invite: &Draft) {
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(invite, &ok);
    stand.say(ack);
}
