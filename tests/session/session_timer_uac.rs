//! Session timers that we ask for (RFC 4028 §7): what our requests say, what 2xx and 422 to them mean.

use crate::common::pair::Stand;
use crate::common::session_timer::{answer, asking, called, invited, says, terms, timer, with};
use crate::common::{ANSWER, HELD, HOLD, seconds};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::{Policy, Refresher, SessionTimer};

/// §7.1: `timer` in Supported of every request but ACK.
#[test]
fn every_request_but_ack_supports_it() {
    for (policy, expected) in [(Policy::Supported, "-"), (Policy::Off, "- unsupported")] {
        let mut stand = Stand::with(with(terms(policy, 0, 0, Refresher::Any)));
        let (_, invite) = invited(&mut stand, RequestOptions::default());
        assert_eq!(says(&invite), expected);
        let ringing = stand.peer.reply(&invite, 180);
        stand.say(ringing);
        stand.alice.update("");
        stand.exchange();
        assert_eq!(says(&stand.peer_replies("UPDATE", 200, "")), expected);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(says(&stand.peer.take("ACK")), "- unsupported");
        stand.alice.info();
        stand.alice.message("hello");
        stand.alice.options();
        stand.alice.refer("sip:carol@example.com");
        stand.exchange();
        for method in ["INFO", "MESSAGE", "OPTIONS"] {
            assert_eq!(says(&stand.peer_replies(method, 200, "")), expected, "{method}");
        }
        assert_eq!(says(&stand.peer_replies("REFER", 603, "")), expected);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let reinvite = stand.peer.take("INVITE");
        assert_eq!(says(&reinvite), expected);
        let trying = stand.peer.reply(&reinvite, 100);
        stand.say(trying);
        stand.alice.cancel();
        stand.exchange();
        assert_eq!(says(&stand.peer_replies("CANCEL", 200, "")), expected);
        let over = stand.peer.reply(&reinvite, 487);
        stand.say(over);
        stand.peer.take("ACK");
        stand.alice.hangup();
        stand.exchange();
        assert_eq!(says(&stand.peer_replies("BYE", 200, "")), expected);
    }
}

/// §7.1: what an INVITE says, by the configuration and by the options of the call.
#[test]
fn what_an_invite_asks_for() {
    use Policy::{Off, Required, Supported};
    let rows = [
        (terms(Supported, 0, 0, Refresher::Local), "-"),
        (terms(Supported, 600, 0, Refresher::Any), "600"),
        (terms(Supported, 600, 120, Refresher::Local), "600;refresher=uac min 120"),
        (terms(Required, 0, 0, Refresher::Remote), "1800;refresher=uas required"),
        (terms(Off, 600, 0, Refresher::Local), "- unsupported"),
    ];
    for (asked, expected) in rows {
        for by_options in [false, true] {
            let (config, options) = match by_options {
                true => (SessionTimer::default(), Some(asked)),
                false => (asked, None),
            };
            let mut stand = Stand::with(with(config));
            let (_, invite) =
                invited(&mut stand, RequestOptions { session_timer: options, ..RequestOptions::default() });
            assert_eq!(says(&invite), expected, "{asked:?} {by_options}");
            let busy = stand.peer.reply(&invite, 486);
            stand.say(busy);
        }
    }
}

/// What the host writes stands, and counts.
#[test]
fn the_hosts_own_headers() {
    let mut stand = Stand::with(with(asking(600)));
    let headers: Vec<&[u8]> = vec![b"Session-Expires: 300;refresher=uas", b"Min-SE: 100", b"Require: timer"];
    let (_, invite) = invited(&mut stand, RequestOptions { headers, ..RequestOptions::default() });
    assert_eq!(says(&invite), "300;refresher=uas min 100 required");
    answer(&mut stand, &invite, &[]);
    assert_eq!(timer(&stand.alice), "300 local 300");
    // It writes them itself, so it answers 422 itself.
    let mut stand = Stand::new();
    let headers: Vec<&[u8]> = vec![b"x: 100"];
    let (_, invite) = invited(&mut stand, RequestOptions { headers, ..RequestOptions::default() });
    let brief = stand.peer.reply(&invite, 422).with("Min-SE", "200");
    stand.say(brief);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [422]);
    // What is no time asks for nothing.
    for (line, value) in [("X: y", "y"), ("X: 0", "0")] {
        let mut stand = Stand::with(with(asking(600)));
        stand.wire.trace.allowed.push("session-expires");
        let headers: Vec<&[u8]> = vec![line.as_bytes()];
        let (_, invite) = invited(&mut stand, RequestOptions { headers, ..RequestOptions::default() });
        assert_eq!(invite.all("session-expires"), [value]);
        answer(&mut stand, &invite, &[]);
        assert_eq!((timer(&stand.alice).as_str(), stand.alice.count(EventKind::Terminated)), ("", 0), "{value}");
    }
}

/// §7.2: what a 2xx says counts, asked for or not.
#[test]
fn what_a_2xx_makes_of_it() {
    let uas = ("Session-Expires", "600;refresher=uas");
    let uac = ("Session-Expires", "600;refresher=uac");
    let plain = SessionTimer::default();
    type Row<'a> = (SessionTimer, &'a [(&'a str, &'a str)], &'a str);
    let rows: [Row<'_>; 10] = [
        (plain, &[], ""),
        (plain, &[uac, ("Require", "timer")], "600 local 600"),
        (plain, &[uas], "600 remote 600"),
        (asking(300), &[], "300 local 300"),
        (asking(300), &[uas, ("Min-SE", "5000")], "600 remote 600"),
        (plain, &[("Session-Expires", "600")], "600 local 600"),
        (plain, &[("x", "60;refresher=uac")], "60 local 60"),
        (plain, &[("Session-Expires", "0")], ""),
        (plain, &[("Session-Expires", "4294967296")], ""),
        (terms(Policy::Off, 0, 0, Refresher::Any), &[uac, ("Require", "timer")], ""),
    ];
    for (terms, lines, expected) in rows {
        let stand = called(terms, lines);
        assert_eq!(timer(&stand.alice), expected, "{lines:?}");
    }
}

/// §7.2: it runs from the receipt of the 2xx; nothing of it in an early dialog.
#[test]
fn it_runs_from_the_2xx() {
    let mut stand = Stand::with(with(asking(600)));
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    let ringing = stand.peer.reply(&invite, 180).with("Session-Expires", "90;refresher=uas");
    stand.say(ringing);
    assert_eq!(timer(&stand.alice), "");
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer_replies("UPDATE", 200, "");
    assert_eq!((says(&update).as_str(), timer(&stand.alice).as_str()), ("-", ""));
    stand.advance(seconds(50));
    answer(&mut stand, &invite, &[("Session-Expires", "600;refresher=uas")]);
    assert_eq!(timer(&stand.alice), "600 remote 600");
    stand.advance(seconds(50));
    assert_eq!(timer(&stand.alice), "600 remote 550");
}

/// An UPDATE of the early dialog that is answered after the 2xx to the INVITE asked for nothing yet.
#[test]
fn a_late_2xx_of_the_early_dialog_turns_nothing_off() {
    let mut stand = Stand::with(with(asking(600)));
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    answer(&mut stand, &invite, &[("Session-Expires", "600;refresher=uac")]);
    let ok = stand.peer.reply(&update, 200);
    stand.say(ok);
    assert_eq!(timer(&stand.alice), "600 local 600");
}

/// §7.2, §7.4: each later 2xx, by either method, begins it anew or turns it off.
#[test]
fn each_2xx_of_ours_counts() {
    for method in ["INVITE", "UPDATE"] {
        let mut stand = called(SessionTimer::default(), &[("Session-Expires", "600;refresher=uas")]);
        let change = |stand: &mut Stand, lines: &[(&str, &str)]| {
            stand.advance(seconds(100));
            if method == "INVITE" {
                stand.alice.reinvite(HOLD);
            } else {
                stand.alice.update(HOLD);
            }
            stand.exchange();
            let request = stand.peer.take(method);
            let ok = crate::common::session_timer::with_lines(stand.peer.reply(&request, 200), lines);
            stand.say(ok.sdp(HELD));
            if method == "INVITE" {
                stand.peer.take("ACK");
            }
            says(&request)
        };
        assert_eq!(change(&mut stand, &[("Session-Expires", "300;refresher=uas")]), "600;refresher=uas");
        assert_eq!(timer(&stand.alice), "300 remote 300", "{method}");
        assert_eq!(change(&mut stand, &[]), "300;refresher=uas");
        assert_eq!(timer(&stand.alice), "300 local 300", "{method}: still wanted, so ours (§7.2)");
        let off = Some(terms(Policy::Off, 0, 0, Refresher::Any));
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let options = RequestOptions { session_timer: off, ..RequestOptions::default() };
        stand.alice.agent.update(now, session, options).expect("legal");
        stand.exchange();
        assert_eq!(says(&stand.peer_replies("UPDATE", 200, "")), "- unsupported");
        assert_eq!(timer(&stand.alice), "");
        assert_eq!(change(&mut stand, &[]), "- unsupported", "{method}: from then on");
    }
}

/// §7.3: new CSeq, same Call-ID and tag, what the 422 wants; three times at most.
#[test]
fn a_422_is_asked_for_more() {
    let mut stand = Stand::with(with(asking(100)));
    let (_, first) = invited(&mut stand, RequestOptions::default());
    let mut last = first.clone();
    for (round, least) in [(1, "200"), (2, "300"), (3, "400")] {
        let brief = stand.peer.reply(&last, 422).with("Min-SE", least);
        stand.say(brief);
        stand.peer.take("ACK");
        last = stand.peer.take("INVITE");
        assert_eq!(says(&last), format!("{least} min {least}"));
        assert_eq!(
            (last.cseq(), last.call_id(), last.from_tag()),
            (first.cseq() + round, first.call_id(), first.from_tag())
        );
        assert_eq!(last.sdp(), first.sdp());
    }
    let brief = stand.peer.reply(&last, 422).with("Min-SE", "500");
    stand.say(brief);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [422]);
    assert_eq!(stand.alice.count(EventKind::Accept), 0);
}

/// §7.4: the largest that was seen goes with what follows in the dialog.
#[test]
fn the_session_remembers_a_422() {
    let mut stand = Stand::with(with(asking(100)));
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    let brief = stand.peer.reply(&invite, 422).with("Min-SE", "200");
    stand.say(brief);
    stand.peer.take("ACK");
    let invite = stand.peer.take("INVITE");
    answer(&mut stand, &invite, &[("Session-Expires", "200;refresher=uas")]);
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    assert_eq!(says(&update), "200;refresher=uas min 200");
    let brief = stand.peer.reply(&update, 422).with("Min-SE", "300");
    stand.say(brief);
    let update = stand.peer_replies("UPDATE", 200, "");
    assert_eq!((says(&update).as_str(), timer(&stand.alice).as_str()), ("300;refresher=uas min 300", "300 local 300"));
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let reinvite = stand.peer.take("INVITE");
    assert_eq!(says(&reinvite), "300;refresher=uac min 300");
    let brief = stand.peer.reply(&reinvite, 422).with("Min-SE", "301");
    stand.say(brief);
    stand.peer.take("ACK");
    let reinvite = stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(says(&reinvite), "301;refresher=uac min 301");
    stand.peer.take("ACK");
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
}

/// A 422 that says nothing new, or nothing to be believed, is the answer.
#[test]
fn a_422_that_helps_nobody_is_handed_up() {
    let plain = RequestOptions::default;
    let stubborn = || RequestOptions { flags: request_flag::NO_RETRY, ..plain() };
    for (least, options) in [
        ("", plain()),
        ("soon", plain()),
        ("90", plain()),
        ("100", plain()),
        ("0", plain()),
        ("86401", plain()),
        ("4294967295", plain()),
        ("4294967296", plain()),
        ("200", stubborn()),
    ] {
        let mut stand = Stand::with(with(asking(100)));
        let (_, invite) = invited(&mut stand, options);
        let brief = stand.peer.reply(&invite, 422);
        stand.say(if least.is_empty() { brief } else { brief.with("Min-SE", least) });
        assert_eq!(
            (stand.alice.statuses(EventKind::Reject), stand.peer.got()),
            (vec![422], vec!["ACK".to_owned()]),
            "{least}"
        );
    }
    // Nothing was asked for.
    let mut stand = Stand::alice_called();
    stand.alice.update("");
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    let brief = stand.peer.reply(&update, 422).with("Min-SE", "200");
    stand.say(brief);
    assert_eq!((stand.alice.statuses(EventKind::Reject), stand.peer.got().len()), (vec![422], 0));
}

/// A 422 that meets our CANCEL ends the INVITE.
#[test]
fn a_cancelled_invite_asks_for_nothing_more() {
    let mut stand = Stand::with(with(asking(100)));
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    let trying = stand.peer.reply(&invite, 100);
    stand.say(trying);
    stand.alice.cancel();
    stand.exchange();
    stand.peer_replies("CANCEL", 200, "");
    let brief = stand.peer.reply(&invite, 422).with("Min-SE", "200");
    stand.say(brief);
    assert_eq!(stand.peer.got(), ["ACK"]);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [422]);
}
