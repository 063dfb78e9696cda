//! Whether calls to SIPS or SIP URIs are taken (RFC 5630 §5.1.2).

use crate::common::pair::{BOB, Stand};
use crate::common::party::config;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::EventKind;
use sipdlg::config::Policy;
use sipdlg::flow::Transport;

const SIP: &str = "sip:alice@192.0.2.1:5060";
const SIPS: &str = "sips:alice@192.0.2.1:5060";
const URN: &str = "urn:service:sos";

#[test]
fn what_a_request_out_of_a_dialog_gets() {
    for (policy, uri, warning) in [
        (Policy::Off, SIPS, Some("380 sipdlg \"SIPS Not Allowed\"")),
        (Policy::Off, SIP, None),
        (Policy::Off, URN, None),
        (Policy::Supported, SIPS, None),
        (Policy::Supported, SIP, None),
        (Policy::Required, SIPS, None),
        (Policy::Required, SIP, Some("381 sipdlg \"SIPS Required\"")),
        (Policy::Required, URN, None),
    ] {
        for method in ["INVITE", "OPTIONS", "MESSAGE"] {
            let mut alice = config("alice");
            alice.sips = policy;
            let mut stand = Stand::over(Transport::Tls, alice);
            stand.peer.contact = format!("sips:peer@{BOB}");
            let request = stand.peer.request(method).request_uri(uri);
            let request = if method == "INVITE" { request.sdp(OFFER) } else { request };
            stand.say(request.clone());
            let refused: Vec<_> = stand.peer.inbox.iter().filter(|sip| sip.status() == Some(480)).cloned().collect();
            let row = format!("{policy:?} {uri} {method}");
            assert_eq!(
                refused.first().and_then(|sip| sip.get("warning").map(str::to_owned)).as_deref(),
                warning,
                "{row}"
            );
            assert_eq!(stand.alice.agent.stats().refused_scheme, u64::from(warning.is_some()), "{row}");
            if method == "INVITE" {
                let last = stand.peer.inbox.back().cloned().expect("an answer");
                assert_eq!(stand.alice.count(EventKind::Invite), usize::from(warning.is_none()), "{row}");
                let ack = stand.peer.ack(&request, &last);
                stand.say(ack);
            }
        }
    }
}

/// §5.1.1.2: what is under way goes on, whatever its scheme.
#[test]
fn dialogs_are_left_alone() {
    let mut alice = config("alice");
    alice.sips = Policy::Required;
    let mut stand = Stand::over(Transport::Tls, alice);
    stand.alice.rings_and_answers(ANSWER);
    stand.peer.contact = format!("sips:peer@{BOB}");
    let invite = stand.peer.request("INVITE").request_uri(SIPS).sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    let info = stand.peer.request("INFO").request_uri(SIP);
    stand.say(info);
    stand.peer.take("200 INFO");
}
