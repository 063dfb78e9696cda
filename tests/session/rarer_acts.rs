//! Acts of a host beyond those of `random_acts`: what leaves the wire legal only when the host knows what it does.

use crate::common::by_hand::ByHand;
use crate::common::party::{answer_sdp, sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use crate::random_acts::{Host, pick, sessions, tokens};
use sipdlg::agent::{RequestOptions, ResponseOptions};
use sipdlg::session::offer_answer::Party as Whose;

/// Acts beyond those that keep the wire legal whatever comes: transfer, challenges, what is done by hand.
pub fn rarer_act(host: &mut Host<'_>, dice: &mut dyn FnMut(u64) -> usize) {
    let now = host.party.now();
    let text = ["", OFFER, ANSWER, HOLD, HELD][dice(5)];
    let session = pick(&sessions(host.party), dice);
    let incoming = pick(&tokens(host.party, |event| event.incoming), dice);
    let outgoing = pick(&tokens(host.party, |event| event.outgoing), dice);
    let agent = &mut host.party.agent;
    let options = RequestOptions::default;
    let challenge: &[u8] = b"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5";
    match (dice(22), session, incoming, outgoing) {
        (0 | 1, Some(id), ..) => {
            let result = agent.refer(now, id, Some(b"sip:carol@192.0.2.3"), None, options());
            host.note("refer", result);
        }
        (2..=4, _, Some(id), _) => {
            let result = agent.incoming_notify(now, id, [100, 180, 200, 503][dice(4)], None);
            host.note("notify", result);
        }
        (5, Some(id), ..) => {
            let result = agent.message(now, id, options());
            host.note("message", result);
        }
        (6 | 7, _, Some(id), _) => {
            let options = ResponseOptions { headers: vec![challenge], ..ResponseOptions::default() };
            let result = agent.reject(now, id, 401, &options);
            host.note("challenge", result);
        }
        (8, _, Some(id), _) => {
            let result = agent.redirect(now, id, 302, &[b"sip:carol@192.0.2.3"], &ResponseOptions::default());
            host.note("redirect", result);
        }
        (9 | 20 | 21, _, _, Some(id)) => {
            let result = agent.authenticate(now, id, Some(b"alice"), b"secret");
            host.note("authenticate", result);
        }
        (10, Some(id), ..) => {
            let result = agent.confirm_session(now, id);
            host.note("confirm", result);
        }
        (11, Some(id), ..) => {
            let result = agent.rollback(now, id);
            host.note("rollback", result);
        }
        (12, Some(id), ..) => {
            let party = [Whose::Local, Whose::Remote][dice(2)];
            let result = agent.transition(now, id, party, sdp(text));
            host.note("transition", result);
        }
        (13, Some(id), ..) => {
            let result = agent.set_defer_ack(now, id, dice(2) == 0);
            host.note("defer", result);
        }
        (14, Some(id), ..) => {
            let result = agent.ack_processed(now, id);
            host.note("processed", result);
        }
        (15, Some(id), ..) if dice(3) == 0 => {
            let result = agent.dispose_session(now, id);
            host.note("dispose session", result);
        }
        (16, _, _, Some(id)) => {
            let result = agent.dispose_outgoing(now, id);
            host.note("dispose outgoing", result);
        }
        (17, _, Some(id), _) => {
            let result = agent.dispose_incoming(now, id);
            host.note("dispose incoming", result);
        }
        (18, _, Some(id), _) => {
            let to_tag = [&b"one"[..], b"two"][dice(2)];
            let options = ResponseOptions { to_tag: Some(to_tag), ..answer_sdp(text) };
            let result = agent.progress(now, id, 180, &options);
            host.note("fork", result);
        }
        (19, Some(id), ..) => {
            let flags = sipdlg::agent::options::request_flag::MANUAL_ACK;
            let result = agent.reinvite(now, id, RequestOptions { flags, ..with_sdp(text) });
            host.note("reinvite by hand", result);
        }
        _ => {}
    }
}
