//! A scripted callee whose provisional responses are reliable, and alice who acknowledges them (RFC 3262 §4, §5).

use super::NOTHING;
use super::pair::{Stand, TO_BOB};
use super::party::with_sdp;
use super::sip::Sip;
use super::wire::Secret;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{OutgoingId, RequestOptions};
use sipdlg::error::ErrorKind;
use sipdlg::session::SignalingState;

/// Header lines.
pub type Lines<'a> = &'a [(&'a str, &'a str)];

/// State, offer and answer.
pub type Books = (SignalingState, Option<String>, Option<String>);

/// The peer is called; its responses are its own affair.
pub fn called(text: &'static str) -> (Stand, Sip) {
    called_with(with_sdp(text))
}

pub fn called_with(options: RequestOptions<'_>) -> (Stand, Sip) {
    let mut stand = Stand::new();
    stand.alice.invite_with(TO_BOB, options);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (stand, invite)
}

/// The host sends every PRACK.
pub fn manually(text: &'static str) -> (Stand, Sip) {
    called_with(RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(text) })
}

/// The peer's response to alice's re-INVITE.
#[track_caller]
pub fn reinvited(text: &'static str) -> (Stand, Sip) {
    let mut stand = Stand::alice_called();
    stand.alice.reinvite(text);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    (stand, invite)
}

/// The wire checker knows alice's password.
pub fn knows_password(stand: &mut Stand) {
    let [realm, user, password] = ["example.com", "alice", "wonderland"].map(str::to_owned);
    stand.wire.trace.secrets.push(Secret { realm, user, password });
}

/// A reliable response reaches alice.
pub fn progress(stand: &mut Stand, invite: &Sip, status: u16, rseq: u32, text: &str) {
    let draft = stand.peer.reply(invite, status).reliable(rseq);
    let draft = if text.is_empty() { draft } else { draft.sdp(text) };
    stand.say(draft);
}

pub fn accept(stand: &mut Stand, invite: &Sip, text: &str) {
    let draft = stand.peer.reply(invite, 200);
    let draft = if text.is_empty() { draft } else { draft.sdp(text) };
    stand.say(draft);
}

#[track_caller]
pub fn prack(stand: &mut Stand, text: &str) -> OutgoingId {
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let outgoing = stand.alice.agent.prack(now, session, with_sdp(text)).expect("a PRACK is legal");
    stand.exchange();
    outgoing
}

/// The PRACK of the host's is refused, and nothing happens.
#[track_caller]
pub fn refused(stand: &mut Stand, options: RequestOptions<'_>) -> ErrorKind {
    let (now, id) = (stand.alice.now(), stand.alice.session());
    let before = stand.alice.agent.session(id).unwrap().state_text();
    let error = stand.alice.agent.prack(now, id, options).expect_err("the PRACK is not legal");
    stand.exchange();
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.session(id).unwrap().state_text(), before);
    error.kind
}

#[track_caller]
pub fn books(stand: &Stand) -> Books {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    let text = |body: &sipdlg::session::offer_answer::StoredBody| String::from_utf8_lossy(body.content()).into_owned();
    (session.signaling_state(), session.offer().map(text), session.answer().map(text))
}

pub fn stable(offer: &str, answer: &str) -> Books {
    (SignalingState::Stable, Some(offer.to_owned()), Some(answer.to_owned()))
}

pub fn target_of(stand: &Stand) -> String {
    let session = stand.alice.agent.session(stand.alice.session()).unwrap();
    String::from_utf8_lossy(session.remote_target()).into_owned()
}
