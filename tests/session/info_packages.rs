//! Packages of INFO in re-INVITE and UPDATE (RFC 6086 §5.2).

use crate::common::pair::Stand;
use crate::common::party::{config, with_sdp};
use crate::common::reliable_caller;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;

/// Alice, who takes packages, called; the peer takes "old".
fn called() -> Stand {
    let mut alice = config("alice");
    alice.set_info_packages(Some(b"own")).expect("packages");
    let mut stand = Stand::with(alice);
    stand.alice.invite(crate::common::pair::TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    assert_eq!(invite.all("recv-info"), ["own"]);
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).with("Recv-Info", "old").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    stand
}

/// Which of the packages alice may send.
#[track_caller]
fn takes(stand: &mut Stand) -> Vec<&'static str> {
    ["old", "new"]
        .into_iter()
        .filter(|package| {
            let line = format!("Info-Package: {package}");
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let options = RequestOptions { headers: vec![line.as_bytes()], ..RequestOptions::default() };
            let sent = stand.alice.agent.info(now, session, options);
            stand.exchange();
            match sent {
                Ok(_) => {
                    stand.peer_replies("INFO", 200, "");
                    true
                }
                Err(error) => {
                    assert_eq!(error.kind, ErrorKind::State);
                    false
                }
            }
        })
        .collect()
}

/// §5.2: what the peer's re-INVITE or UPDATE says counts when it succeeds, and ours stands in its 2xx.
#[test]
fn those_of_the_peers_change() {
    for method in ["INVITE", "UPDATE"] {
        for (listed, accepted, expected) in [
            (Some("new"), true, &["new"][..]),
            (Some("new"), false, &["old"]),
            (Some(""), true, &[]),
            (None, true, &["old"]),
        ] {
            let mut stand = called();
            let kind = if method == "INVITE" { EventKind::Reinvite } else { EventKind::Update };
            stand.alice.hold(kind);
            let mut change = stand.peer.request(method);
            if let Some(listed) = listed {
                change = change.with("Recv-Info", listed);
            }
            let change = if method == "INVITE" { change.sdp(HOLD) } else { change };
            stand.say(change.clone());
            if accepted {
                stand.alice.accept(if method == "INVITE" { HELD } else { "" });
            } else {
                stand.alice.reject(488);
            }
            stand.exchange();
            let answer = stand.peer.take(&format!("{} {method}", if accepted { 200 } else { 488 }));
            let own = if listed.is_some() && accepted { vec!["own"] } else { vec![] };
            assert_eq!(answer.all("recv-info"), own, "{method} {listed:?} {accepted}");
            if method == "INVITE" {
                let ack = stand.peer.ack(&change, &answer);
                stand.say(ack);
            }
            assert_eq!(takes(&mut stand), expected, "{method} {listed:?} {accepted}");
        }
    }
}

/// §5.2: the same of the 2xx to ours; ours carry what the host says, or nothing.
#[test]
fn those_of_its_answers_change() {
    for method in ["INVITE", "UPDATE"] {
        for (by_host, status, expected) in
            [(None, 200, &["new"][..]), (Some("Recv-Info: other"), 200, &["new"]), (None, 488, &["old"])]
        {
            let mut stand = called();
            let headers: Vec<&[u8]> = by_host.iter().map(|line: &&str| line.as_bytes()).collect();
            let (now, session) = (stand.alice.now(), stand.alice.session());
            let options = RequestOptions { headers, ..with_sdp(HOLD) };
            if method == "INVITE" {
                stand.alice.agent.reinvite(now, session, options).expect("it is legal");
            } else {
                stand.alice.agent.update(now, session, options).expect("it is legal");
            }
            stand.exchange();
            let request = stand.peer.take(method);
            assert_eq!(request.all("recv-info"), by_host.map_or(NOTHING.to_vec(), |_| vec!["other"]));
            let answer = stand.peer.reply(&request, status).with("Recv-Info", "new");
            let answer = if status == 200 { answer.sdp(HELD) } else { answer };
            stand.say(answer);
            assert_eq!(takes(&mut stand), expected, "{method} {by_host:?} {status}");
        }
    }
}

/// §5.2: a reliable response to a re-INVITE that is refused in the end has changed nothing.
#[test]
fn a_refused_reinvite_changes_none() {
    for (status, expected) in [(488, ["old"]), (200, ["new"])] {
        let mut stand = called();
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let progress = stand.peer.reply(&invite, 183).reliable(1).with("Recv-Info", "new").sdp(HELD);
        stand.say(progress);
        stand.peer_replies("PRACK", 200, "");
        let answer = stand.peer.reply(&invite, status).with("Recv-Info", "new");
        stand.say(answer);
        stand.peer.take("ACK");
        assert_eq!(takes(&mut stand), expected);
    }
}

/// §5.2.2: all reliable responses to one that had it.
#[test]
fn reliable_responses_carry_ours() {
    let mut alice = config("alice");
    alice.set_info_packages(Some(b"own")).expect("packages");
    let mut stand = Stand::with(alice);
    stand.alice.rings_and_answers(ANSWER);
    stand.peer_calls();
    let reinvite = stand.peer.request("INVITE").with("Supported", "100rel").with("Recv-Info", "new").sdp(HOLD);
    stand.alice.hold(EventKind::Reinvite);
    stand.say(reinvite.clone());
    reliable_caller::progress(&mut stand, 183, &crate::common::party::reliable(HELD)).expect("it is legal");
    let progress = reliable_caller::take(&mut stand, "183 INVITE");
    assert_eq!(progress.all("recv-info"), ["own"]);
    reliable_caller::prack(&mut stand, &progress);
    reliable_caller::accept(&mut stand, "").expect("it is legal");
    assert_eq!(stand.peer.inbox.iter().find(|sip| sip.short() == "200 INVITE").unwrap().all("recv-info"), ["own"]);
    reliable_caller::acknowledge(&mut stand, &reinvite);
}
