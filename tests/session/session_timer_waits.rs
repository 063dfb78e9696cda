//! A change of the host's that waits: for the end of a refresh (RFC 4028 §10), and what it says when it goes out.

use crate::common::pair::Stand;
use crate::common::party::with_sdp;
use crate::common::session_timer::{WITH_UPDATE, called, says, timer};
use crate::common::{ANSWER, HELD, HOLD, NOTHING, seconds};
use crate::session_timer_refresh::{GOOD, OURS, due};
use sipdlg::agent::{EventKind, OutgoingState};
use sipdlg::config::SessionTimer;
use sipdlg::error::ErrorKind;

const LATER: &str = "v=0\r\no=alice 1 5 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// The host knows nothing of a refresh, so its change waits for the end of it.
#[test]
fn a_change_of_the_hosts_goes_out_after_a_refresh() {
    type Change = fn(&mut Stand) -> sipdlg::agent::OutgoingId;
    let changes: [(&str, Change); 2] =
        [("INVITE", |stand| stand.alice.reinvite(HOLD)), ("UPDATE", |stand| stand.alice.update(HOLD))];
    for (method, change) in changes {
        for (refresh, status) in [("INVITE", 200), ("INVITE", 488), ("UPDATE", 200), ("UPDATE", 500)] {
            let mut stand = due(if refresh == "UPDATE" { WITH_UPDATE } else { "" });
            let request = stand.peer.take(refresh);
            let id = change(&mut stand);
            stand.exchange();
            // RFC 5407 §3.3.2: beside an UPDATE without an offer a re-INVITE may go at once.
            let at_once = refresh == "UPDATE" && method == "INVITE";
            if !at_once {
                assert_eq!(stand.peer.got(), NOTHING);
                assert_eq!(stand.alice.agent.outgoing(id).expect("it lives").state(), OutgoingState::WaitingRetry);
                let (now, session) = (stand.alice.now(), stand.alice.session());
                let second = match method {
                    "INVITE" => stand.alice.agent.reinvite(now, session, with_sdp(HOLD)),
                    _ => stand.alice.agent.update(now, session, with_sdp(HOLD)),
                };
                assert_eq!(second.map_err(|error| error.kind), Err(ErrorKind::State), "one at a time");
            }
            let answer = stand.peer.reply(&request, status);
            let answer = if refresh == "INVITE" && status == 200 { answer.sdp(ANSWER) } else { answer };
            stand.say(answer);
            stand.peer.inbox.retain(|sip| sip.method() != "ACK");
            let request = stand.peer.take(method);
            assert_eq!(request.sdp(), Some(HOLD));
            let ok = stand.peer.reply(&request, 200).with(OURS.0, OURS.1).sdp(HELD);
            stand.say(ok);
            stand.peer.inbox.retain(|sip| sip.method() != "ACK");
            assert_eq!((timer(&stand.alice).as_str(), stand.alice.state()), ("600 local 600", GOOD));
            assert_eq!(stand.alice.statuses(EventKind::Accept), [200], "{method} behind {refresh} {status}");
            assert_eq!((stand.alice.count(EventKind::GlareRetry), stand.alice.count(EventKind::Reject)), (0, 0));
        }
    }
}

/// RFC 3311 §5.2: what the host has under way itself is no refresh.
#[test]
fn nothing_waits_for_an_update_of_the_hosts() {
    let mut stand = due("");
    let refresh = stand.peer.take("INVITE");
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    assert!(stand.alice.update_refused("").contains("our UPDATE"));
    let glare = stand.peer.reply(&update, 491);
    stand.say(glare);
    let ok = stand.peer.reply(&refresh, 200).with(OURS.0, OURS.1).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    stand.advance(seconds(5));
    stand.peer_replies("UPDATE", 200, "");
    assert_eq!((stand.alice.state(), stand.alice.statuses(EventKind::Accept)), (GOOD, vec![200]));
}

/// One that waits so is cancelled like another, and ends with its session.
#[test]
fn what_waits_for_a_refresh_may_end() {
    for ends in ["cancel", "hangup", "bye", "481"] {
        let mut stand = due("");
        let refresh = stand.peer.take("INVITE");
        let id = stand.alice.reinvite(HOLD);
        match ends {
            "cancel" => assert!(stand.alice.cancel()),
            "hangup" => stand.alice.hangup(),
            "bye" => {
                stand.peer.cseq = 100;
                let bye = stand.peer.request("BYE");
                stand.say(bye);
            }
            _ => {
                let gone = stand.peer.reply(&refresh, 481);
                stand.say(gone);
            }
        }
        stand.exchange();
        assert_eq!(stand.alice.statuses(EventKind::Reject), [487], "{ends}");
        assert_eq!(stand.alice.last(EventKind::Reject).outgoing, Some(id));
        assert!(!stand.peer.got().iter().any(|got| got == "INVITE"), "{ends}");
        let ok = stand.peer.reply(&refresh, 200).sdp(ANSWER);
        if ends != "481" {
            stand.say(ok);
        }
        stand.peer.inbox.clear();
    }
}

/// RFC 3264 §8: while it waited the peer came, and was answered by a later description.
#[test]
fn a_change_that_a_later_description_has_overtaken_is_refused() {
    for held in [true, false] {
        let mut stand = due(WITH_UPDATE);
        let refresh = stand.peer.take("UPDATE");
        let id = stand.alice.update(HOLD);
        stand.alice.hold(EventKind::Reinvite);
        let invite = stand.peer.request("INVITE").sdp(HELD);
        stand.say(invite.clone());
        let ok = stand.peer.reply(&refresh, 200).with(OURS.0, OURS.1);
        if held {
            stand.say(ok.clone());
        }
        stand.alice.accept(LATER);
        stand.exchange();
        stand.peer_acknowledges(&invite);
        if !held {
            stand.say(ok);
        }
        stand.advance(seconds(5));
        assert_eq!(stand.peer.got(), NOTHING, "{held}");
        let last = stand.alice.last(EventKind::Reject);
        assert_eq!((last.outgoing, last.status_code, last.message.is_none()), (Some(id), 491, true));
        assert_eq!(stand.alice.state(), GOOD);
        stand.alice.update("");
        stand.exchange();
        stand.peer_replies("UPDATE", 200, "");
    }
}

/// §7.4: what has waited asks for what holds when it goes out: the peer has begun a timer meanwhile, changed it, taken it
/// over, or wants more than before.
#[test]
fn a_change_that_waited_asks_for_what_holds_by_then() {
    let rows = [
        ("", "600;refresher=uas", "", "600;refresher=uac"),
        ("600;refresher=uac", "900;refresher=uac", "", "900;refresher=uas"),
        ("600;refresher=uac", "600;refresher=uas", "500", "600;refresher=uac min 500"),
        ("600;refresher=uac", "", "", "-"),
    ];
    for method in ["INVITE", "UPDATE"] {
        for (first, later, least, expected) in rows {
            let lines = [("Allow", WITH_UPDATE), ("Session-Expires", first)];
            let mut stand = called(SessionTimer::default(), if first.is_empty() { &lines[..1] } else { &lines });
            if method == "INVITE" {
                stand.alice.reinvite(HOLD)
            } else {
                stand.alice.update(HOLD)
            };
            stand.exchange();
            stand.peer_replies(method, 491, "");
            let mut update = stand.peer.request("UPDATE").with("Supported", "timer");
            for (name, value) in [("Session-Expires", later), ("Min-SE", least)] {
                update = if value.is_empty() { update } else { update.with(name, value) };
            }
            stand.say(update);
            stand.peer.take("200 UPDATE");
            let holds = timer(&stand.alice);
            stand.advance(seconds(5));
            let again = stand.peer.take(method);
            stand.peer.inbox.clear();
            assert_eq!(says(&again), expected, "{method} {first} {later}");
            let ok = stand.peer.reply(&again, 200).sdp(HELD);
            stand.say(if expected == "-" {
                ok
            } else {
                ok.with("Session-Expires", expected.split(' ').next().unwrap_or_default())
            });
            assert_eq!(timer(&stand.alice), holds, "{method} {first} {later}");
            stand.peer.inbox.clear();
        }
    }
    // It waited for credentials.
    let mut stand = called(SessionTimer::default(), &[("Allow", WITH_UPDATE)]);
    stand.alice.hold(EventKind::Challenge);
    let id = stand.alice.update(HOLD);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    let challenge = stand.peer.reply(&update, 401).with("WWW-Authenticate", "Digest realm=\"here\", nonce=\"n\"");
    stand.say(challenge);
    let timed = stand.peer.request("UPDATE").with("Supported", "timer").with(OURS.0, OURS.1);
    stand.say(timed);
    stand.peer.take("200 UPDATE");
    let now = stand.alice.now();
    stand.alice.agent.authenticate(now, id, Some(b"alice"), b"secret").expect("it waits");
    stand.exchange();
    assert_eq!(says(&stand.peer_replies("UPDATE", 488, "")), "600;refresher=uas");
    // Behind a refresh whose 2xx changes it; the host's own lines stand.
    for (header, expected) in [(None, "1200;refresher=uas"), (Some(&b"Session-Expires: 700"[..]), "700")] {
        let mut stand = due(WITH_UPDATE);
        let refresh = stand.peer.take("UPDATE");
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let options = sipdlg::agent::RequestOptions { headers: header.into_iter().collect(), ..with_sdp(HOLD) };
        stand.alice.agent.update(now, session, options).expect("it waits");
        let ok = stand.peer.reply(&refresh, 200).with("Session-Expires", "1200;refresher=uas");
        stand.say(ok);
        assert_eq!(says(&stand.peer.take("UPDATE")), expected);
    }
}
