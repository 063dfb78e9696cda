//! What a host does by itself.

use super::host::BODIES;
use super::verdict::Law;
use super::world::World;
use crate::common::pair::{TO_ALICE, TO_BOB};
use crate::common::party::{answer_sdp, sdp, with_sdp};
use crate::common::{HOLD, OFFER};
use crate::random_acts::{Host, pick, sessions, tokens};
use crate::rarer_acts::rarer_act;
use sipdlg::agent::options::{request_flag, response_flag};
use sipdlg::agent::{RequestOptions, ResponseOptions};
use std::collections::BTreeMap;

/// One act of alice or bob.
pub fn act(world: &mut World) {
    let (choices, law) = (world.choices.clone(), world.law);
    let bob = choices.yes();
    let target = if bob { TO_ALICE } else { TO_BOB };
    let mut done = BTreeMap::new();
    let mut dice = {
        let choices = choices.clone();
        move |below: u64| choices.below(usize::try_from(below).expect("small"))
    };
    let mut host = Host { party: world.party(bob), target, done: &mut done };
    match choices.below(3) {
        0 => host.act(&mut dice),
        1 if law == Law::None => rarer_act(&mut host, &mut dice),
        _ => more(&mut host, &mut dice, law),
    }
    let name = host.party.name;
    world.note(format!("{name} does {done:?}"));
}

/// Acts that the tests of the session do not choose from.
fn more(host: &mut Host<'_>, dice: &mut dyn FnMut(u64) -> usize, law: Law) {
    let now = host.party.now();
    let text = BODIES[dice(5)];
    let session = pick(&sessions(host.party), dice);
    let incoming = pick(&tokens(host.party, |event| event.incoming), dice);
    let outgoing = pick(&tokens(host.party, |event| event.outgoing), dice);
    let done = &mut *host.done;
    let mut take = |act, ok: bool| *done.entry(if ok { act } else { "refused" }).or_default() += 1;
    let agent = &mut host.party.agent;
    let (plain, options) = (ResponseOptions::default(), RequestOptions::default);
    match (dice(24), session, incoming, outgoing) {
        (0 | 1, Some(id), ..) => take("update", agent.update(now, id, with_sdp([OFFER, "", HOLD][dice(3)])).is_ok()),
        (2, Some(id), ..) => take("refer", agent.refer(now, id, Some(b"sip:carol@192.0.2.3"), None, options()).is_ok()),
        (3, Some(id), ..) => take("message", agent.message(now, id, with_sdp(OFFER)).is_ok()),
        (4 | 5, _, Some(id), _) => {
            take("incoming_notify", agent.incoming_notify(now, id, [100, 180, 200, 503][dice(4)], None).is_ok())
        }
        // A BYE that is challenged comes again to a dialog that has ended.
        (6, _, Some(id), _) if law != Law::Repeats => {
            take("challenge", agent.challenge(now, id, b"here", None).is_ok())
        }
        // That of a PRACK is legal only for who refuses its offer.
        (7, _, Some(id), _) if law != Law::Repeats => {
            take("redirect", agent.redirect(now, id, 302, &[b"sip:carol@192.0.2.3"], &plain).is_ok())
        }
        (8, _, _, Some(id)) => take("authenticate", agent.authenticate(now, id, Some(b"user"), b"secret").is_ok()),
        // Its peer is told nothing, so that it gets 481.
        (9, Some(id), ..) if law != Law::Repeats => take("dispose_session", agent.dispose_session(now, id).is_ok()),
        (10, _, _, Some(id)) => take("dispose_outgoing", agent.dispose_outgoing(now, id).is_ok()),
        (11, _, Some(id), _) => take("dispose_incoming", agent.dispose_incoming(now, id).is_ok()),
        // A fork has a tag of its own, which the judge of all rules does not take from one and the same party.
        (12, _, Some(id), _) if law != Law::Repeats => {
            let to_tag = [&b"one"[..], b"two", b"three"][dice(3)];
            let flags = [0, response_flag::RELIABLE][dice(2)];
            let options = ResponseOptions { to_tag: Some(to_tag), flags, ..answer_sdp(text) };
            take("progress", agent.progress(now, id, [180, 183, 199][dice(3)], &options).is_ok());
        }
        (13, Some(id), ..) => {
            let flags = [request_flag::MANUAL_ACK, request_flag::NO_RETRY, request_flag::NO_AUTH][dice(3)];
            take("reinvite", agent.reinvite(now, id, RequestOptions { flags, ..with_sdp(text) }).is_ok());
        }
        (14, _, _, Some(id)) => {
            if let Some(body) = sdp(HOLD) {
                take("retry", agent.retry(now, id, body).is_ok());
            }
        }
        (15, ..) => {
            // The judge of all rules takes the two ends of a call for two parties.
            let (known, other) = match law {
                Law::Repeats => (host.target, host.target),
                _ => ("sip:alice@192.0.2.1", "sip:x@192.0.2.2;transport=tcp"),
            };
            let target = ["sip:bob@gw.example.org", known, other];
            let flags = [0, request_flag::MANUAL_ACK, request_flag::MANUAL_PRACK][dice(3)];
            let expires_ms = [0, 0, 3_000][dice(3)];
            let options = RequestOptions { flags, expires_ms, ..with_sdp([OFFER, ""][dice(2)]) };
            take("invite", agent.invite(now, Some(target[dice(3)].as_bytes()), options).is_ok());
        }
        (16, _, Some(id), _) => take("session_for_invite", agent.session_for_invite(now, id).is_ok()),
        (17, _, Some(id), _) => take("trying", agent.trying(now, id, &plain).is_ok()),
        (18, Some(id), ..) => {
            let status = [0, 486, 600, 302][dice(4)];
            take("hangup", agent.hangup(now, id, status, options()).is_ok());
        }
        (19, Some(id), ..) => {
            let replaces = Some(id);
            take("refer", agent.refer(now, id, None, replaces, options()).is_ok());
        }
        (20, Some(id), ..) => take(
            "notify",
            agent
                .notify(
                    now,
                    id,
                    RequestOptions { headers: vec![b"Event: keys", b"Subscription-State: active"], ..options() },
                )
                .is_ok(),
        ),
        (21, _, Some(id), _) => take("accept", agent.accept(now, id, 200, &answer_sdp(text)).is_ok()),
        (22, Some(id), ..) if law == Law::None => take("set_flow", agent.set_flow(id, None).is_ok()),
        (23, ..) if law == Law::None => agent.trim(),
        _ => {}
    }
}
