//! Session timers that the peer asks for (RFC 4028 §9): what our 2xx says, what is refused, and the end of a session that
//! nobody refreshes.

use crate::common::draft::Draft;
use crate::common::pair::Stand;
use crate::common::party::{answer_sdp, config, reliable};
use crate::common::session_timer::{asking, says, terms, timer, with, with_lines};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, OFFER, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{EventKind, ResponseOptions};
use sipdlg::config::{Policy, Refresher, SessionTimer};

const TIMER: (&str, &str) = ("Supported", "timer");

/// The peer's INVITE, with these lines.
fn invite(stand: &mut Stand, lines: &[(&str, &str)]) -> Draft {
    let invite = with_lines(stand.peer.request("INVITE").sdp(OFFER), lines);
    stand.say(invite.clone());
    invite
}

/// The peer has called with these lines; the 200.
#[track_caller]
fn called(terms: SessionTimer, lines: &[(&str, &str)]) -> (Stand, Sip) {
    let mut stand = Stand::with(with(terms));
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = invite(&mut stand, lines);
    let ok = stand.peer_acknowledges(&invite);
    (stand, ok)
}

/// A change of the peer's; the final response.
#[track_caller]
fn change(stand: &mut Stand, method: &str, offer: &str, lines: &[(&str, &str)]) -> Sip {
    let request = with_lines(stand.peer.request(method), lines);
    let request = if offer.is_empty() { request } else { request.sdp(offer) };
    stand.say(request.clone());
    let response = stand.peer.inbox.pop_front().expect("an answer");
    if method == "INVITE" {
        let ack = stand.peer.ack(&request, &response);
        stand.say(ack);
    }
    response
}

/// §9.
#[test]
fn what_our_2xx_says() {
    let plain = SessionTimer::default();
    type Row<'a> = (SessionTimer, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let rows: [Row<'_>; 10] = [
        (plain, &[], "-", ""),
        (plain, &[TIMER, ("Session-Expires", "1800")], "1800;refresher=uac required", "1800 remote 1800"),
        (plain, &[TIMER, ("x", "1800;refresher=uas")], "1800;refresher=uas required", "1800 local 1800"),
        (plain, &[("Require", "timer"), ("x", "900;refresher=uac")], "900;refresher=uac required", "900 remote 900"),
        (plain, &[("Session-Expires", "1800")], "1800;refresher=uas", "1800 local 1800"),
        (plain, &[("Session-Expires", "60")], "-", ""),
        (asking(600), &[TIMER, ("Session-Expires", "1800")], "600;refresher=uac required", "600 remote 600"),
        (asking(600), &[TIMER, ("x", "1800"), ("Min-SE", "900")], "900;refresher=uac required", "900 remote 900"),
        (asking(600), &[], "600;refresher=uas", "600 local 600"),
        (terms(Policy::Off, 600, 0, Refresher::Any), &[TIMER, ("x", "1800")], "- unsupported", ""),
    ];
    for (terms, lines, says_ok, runs) in rows {
        let (stand, ok) = called(terms, lines);
        assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), (says_ok, runs), "{terms:?} {lines:?}");
    }
}

/// §9, §4; RFC 3261 §21.4.16 and §8.2.2.3: nobody hears of these.
#[test]
fn what_is_refused() {
    let least = terms(Policy::Supported, 0, 300, Refresher::Any);
    let required = terms(Policy::Required, 0, 0, Refresher::Any);
    let off = terms(Policy::Off, 0, 0, Refresher::Any);
    type Row<'a> = (SessionTimer, &'a [(&'a str, &'a str)], u16, &'a str);
    let rows: [Row<'_>; 10] = [
        (SessionTimer::default(), &[TIMER, ("Session-Expires", "89")], 422, "90"),
        (SessionTimer::default(), &[TIMER, ("Session-Expires", "0")], 422, "90"),
        (least, &[("Require", "timer"), ("x", "299;refresher=uac")], 422, "300"),
        (SessionTimer::default(), &[TIMER, ("Session-Expires", "4294967296")], 400, ""),
        (SessionTimer::default(), &[("Session-Expires", "soon")], 400, ""),
        (SessionTimer::default(), &[("Session-Expires", "")], 400, ""),
        (SessionTimer::default(), &[TIMER, ("Session-Expires", "1800"), ("x", "1800")], 400, ""),
        (required, &[], 421, ""),
        (required, &[("Session-Expires", "1800")], 421, ""),
        (off, &[("Require", "timer")], 420, ""),
    ];
    for (terms, lines, status, min_se) in rows {
        let mut stand = Stand::with(with(terms));
        let request = invite(&mut stand, lines);
        let refusal = stand.peer.take(&format!("{status} INVITE"));
        assert_eq!(refusal.value("min-se"), min_se, "{lines:?}");
        assert_eq!(refusal.all("require").contains(&"timer"), status == 421, "{lines:?}");
        assert_eq!(stand.alice.events.len(), 0, "{lines:?}");
        let ack = stand.peer.ack(&request, &refusal);
        stand.say(ack);
    }
    // With it a call comes through, and gets the interval that is required.
    let (stand, ok) = called(required, &[TIMER]);
    assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), ("1800;refresher=uac required", "1800 remote 1800"));
}

/// §9: in the dialog too; the session goes on as it was.
#[test]
fn a_change_is_refused_as_well() {
    for method in ["INVITE", "UPDATE"] {
        let (mut stand, _) = called(SessionTimer::default(), &[TIMER, ("Session-Expires", "1800")]);
        stand.advance(seconds(100));
        for (value, status) in [("60", 422), ("soon", 400)] {
            let refusal = change(&mut stand, method, HOLD, &[TIMER, ("Session-Expires", value)]);
            assert_eq!(
                (refusal.status(), timer(&stand.alice).as_str()),
                (Some(status), "1800 remote 1700"),
                "{method}"
            );
        }
        assert_eq!(stand.alice.count(EventKind::Reinvite) + stand.alice.count(EventKind::Update), 0);
    }
}

/// §10: nobody refreshes.
#[test]
fn a_session_that_nobody_refreshes_ends() {
    for (interval, ends_after) in [("1800", 1768), ("90", 60)] {
        let (mut stand, _) = called(SessionTimer::default(), &[TIMER, ("Session-Expires", interval)]);
        stand.advance(seconds(ends_after - 1));
        assert_eq!(stand.peer.got(), crate::common::NOTHING);
        stand.advance(seconds(1));
        let bye = stand.peer_replies("BYE", 200, "");
        assert_eq!(bye.all("reason"), ["SIP;cause=408;text=\"Session expired\""], "RFC 3326");
        let last = stand.alice.last(EventKind::Terminated);
        assert_eq!((last.reason, last.message.is_none()), (Reason::SessionExpired, true));
    }
}

/// §9: each 2xx of ours counts, from when it is sent.
#[test]
fn each_2xx_of_ours_counts() {
    for method in ["INVITE", "UPDATE"] {
        let (mut stand, _) = called(SessionTimer::default(), &[TIMER, ("Session-Expires", "1800")]);
        stand.alice.answers(EventKind::Reinvite, HELD);
        stand.alice.answers(EventKind::Update, HELD);
        stand.advance(seconds(900));
        let ok = change(&mut stand, method, HOLD, &[TIMER, ("Session-Expires", "600;refresher=uas")]);
        assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), ("600;refresher=uas required", "600 local 600"));
        // Who refreshes stays where the peer leaves it to us.
        let ok = change(&mut stand, method, HOLD, &[TIMER, ("Session-Expires", "700")]);
        assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), ("700;refresher=uas required", "700 local 700"));
        let ok = change(&mut stand, method, HOLD, &[TIMER]);
        assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), ("-", ""), "{method}");
        let ok = change(&mut stand, method, HOLD, &[TIMER, ("Session-Expires", "800;refresher=uac")]);
        assert_eq!(
            (says(&ok).as_str(), timer(&stand.alice).as_str()),
            ("800;refresher=uac required", "800 remote 800")
        );
        // A refusal changes nothing.
        stand.alice.on(EventKind::Reinvite, |agent, now, event| {
            agent.reject(now, event.incoming.expect("one"), 488, &ResponseOptions::default()).expect("legal");
        });
        stand.alice.on(EventKind::Update, |agent, now, event| {
            agent.reject(now, event.incoming.expect("one"), 488, &ResponseOptions::default()).expect("legal");
        });
        stand.advance(seconds(100));
        let refusal = change(&mut stand, method, HOLD, &[TIMER, ("Session-Expires", "90")]);
        assert_eq!((refusal.status(), timer(&stand.alice).as_str()), (Some(488), "800 remote 700"));
    }
}

/// It runs from the 2xx, not from the INVITE; a 2xx that waits for a PRACK does not run yet.
#[test]
fn it_runs_from_our_2xx() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let request = invite(&mut stand, &[("Supported", "timer, 100rel"), ("Session-Expires", "600;refresher=uac")]);
    let (now, id) = (stand.alice.now(), stand.alice.incoming());
    stand.alice.agent.progress(now, id, 183, &reliable(ANSWER)).expect("legal");
    stand.exchange();
    let progress = stand.peer.take("183 INVITE");
    stand.peer.learn(&progress);
    assert_eq!(timer(&stand.alice), "");
    stand.advance(seconds(1));
    stand.peer.inbox.clear();
    stand.alice.accept("");
    stand.exchange();
    assert_eq!((timer(&stand.alice).as_str(), stand.peer.got()), ("", vec![]), "RFC 3262 §3: it waits");
    let rack =
        format!("{} {} INVITE", progress.value("rseq"), request.get("CSeq").split(' ').next().unwrap_or_default());
    let prack = stand.peer.request("PRACK").with("RAck", rack);
    stand.say(prack);
    stand.peer.take("200 PRACK");
    let ok = stand.peer.take("200 INVITE");
    assert_eq!((says(&ok).as_str(), timer(&stand.alice).as_str()), ("600;refresher=uac required", "600 remote 600"));
    let ack = stand.peer.ack(&request, &ok);
    stand.say(ack);
}

/// The host's own header in its 2xx stands and counts; so do its terms for the call.
#[test]
fn what_the_host_says_in_its_2xx() {
    let answered = |options: ResponseOptions<'static>| {
        let mut stand = Stand::new();
        stand.alice.on(EventKind::Invite, move |agent, now, event| {
            agent.accept(now, event.incoming.expect("one"), 200, &options).expect("legal");
        });
        let request = invite(&mut stand, &[TIMER, ("Session-Expires", "1800")]);
        let ok = stand.peer_acknowledges(&request);
        (says(&ok), timer(&stand.alice), stand)
    };
    let own: Vec<&[u8]> = vec![b"Session-Expires: 700;refresher=uas", b"Require: timer"];
    let (ok, runs, _) = answered(ResponseOptions { headers: own, ..answer_sdp(ANSWER) });
    assert_eq!((ok.as_str(), runs.as_str()), ("700;refresher=uas required", "700 local 700"));
    let terms_of = |terms| ResponseOptions { session_timer: Some(terms), ..answer_sdp(ANSWER) };
    let (ok, runs, _) = answered(terms_of(terms(Policy::Supported, 300, 0, Refresher::Local)));
    assert_eq!((ok.as_str(), runs.as_str()), ("300;refresher=uas required", "300 local 300"));
    let (ok, runs, mut stand) = answered(terms_of(terms(Policy::Off, 0, 0, Refresher::Any)));
    assert_eq!((ok.as_str(), runs.as_str()), ("- unsupported", ""));
    let ok = change(&mut stand, "UPDATE", "", &[TIMER, ("Session-Expires", "60")]);
    assert_eq!((ok.status(), says(&ok).as_str(), timer(&stand.alice).as_str()), (Some(200), "- unsupported", ""));
}

/// A refresh of the peer's by re-INVITE repeats its description: a host without a function for it keeps its call.
#[test]
fn a_repeated_description_is_answered_by_default() {
    for alice_calls in [false, true] {
        let (mut stand, theirs, ours) = match alice_calls {
            false => (called(SessionTimer::default(), &[TIMER, ("Session-Expires", "1800")]).0, OFFER, ANSWER),
            true => (crate::common::session_timer::called(asking(1800), &[("x", "1800;refresher=uas")]), ANSWER, OFFER),
        };
        stand.peer.cseq = 100;
        stand.advance(seconds(900));
        let ok = change(&mut stand, "INVITE", theirs, &[TIMER, ("Session-Expires", "1800;refresher=uac")]);
        assert_eq!((ok.status(), ok.sdp()), (Some(200), Some(ours)), "{alice_calls}");
        assert_eq!(timer(&stand.alice), "1800 remote 1800");
        for other in [HOLD, ours, ""] {
            assert_eq!(change(&mut stand, "INVITE", other, &[TIMER]).status(), Some(488), "{other:?}");
        }
        assert_eq!(timer(&stand.alice), "1800 remote 1800");
        let ok = change(&mut stand, "UPDATE", "", &[TIMER, ("Session-Expires", "1700;refresher=uac")]);
        assert_eq!((ok.status(), timer(&stand.alice).as_str()), (Some(200), "1700 remote 1700"));
    }
}

/// The end takes the timer with it, whoever ends it and in whatever state.
#[test]
fn nothing_is_left_of_it() {
    let (mut stand, _) = called(SessionTimer::default(), &[TIMER, ("Session-Expires", "1800")]);
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.run_until_idle();
    assert_eq!(stand.alice.living(), [0; 5]);
    // §13.3.1.4 of RFC 3261: the ACK never comes.
    let mut stand = Stand::with(config("alice"));
    stand.alice.answers(EventKind::Invite, ANSWER);
    invite(&mut stand, &[TIMER, ("Session-Expires", "90")]);
    stand.alice.hold(EventKind::AckTimeout);
    stand.advance(seconds(59));
    stand.peer.inbox.clear();
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got().first().map(String::as_str), Some("BYE"));
}
