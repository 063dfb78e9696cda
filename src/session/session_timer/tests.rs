use super::*;
use crate::config::{Policy, SessionTimer as Terms};
use crate::session::fixture::{self, FakeClock, confirmed_callee, confirmed_caller, message, said, sdp};
use std::sync::Arc;

fn terms(policy: Policy, interval_s: u32, min_se_s: u32, refresher: Wish) -> Terms {
    Terms::new(policy, interval_s, min_se_s, refresher).expect("terms")
}

fn invite(lines: &str) -> Arc<Message> {
    message("INVITE sip:c@d SIP/2.0", "1 INVITE", &format!("Contact: <sip:a@h>\r\n{lines}"), "")
}

const LOCAL: fn(u32) -> Agreed = |interval_s| Agreed { interval_s, refresher: Party::Local };
const REMOTE: fn(u32) -> Agreed = |interval_s| Agreed { interval_s, refresher: Party::Remote };

/// RFC 4028 §9 and its table 2.
#[test]
fn what_our_2xx_says() {
    use Policy::{Off, Required, Supported};
    let plain = Terms::default();
    let wishes = |refresher| terms(Supported, 0, 0, refresher);
    let asks = |interval_s| terms(Supported, interval_s, 0, Wish::Any);
    let timer = "Supported: timer\r\n";
    // Our terms; header lines of the request; Session-Expires and Require.
    type Row = (Terms, &'static str, Option<(Agreed, bool)>);
    let rows: [Row; 24] = [
        (plain, "", None),
        (plain, timer, None),
        (plain, "Session-Expires: 1800\r\n", Some((LOCAL(1800), false))),
        // Not allowed, so it means nothing.
        (plain, "Session-Expires: 1800;refresher=uac\r\n", Some((LOCAL(1800), false))),
        (plain, "Supported: timer\r\nSession-Expires: 1800\r\n", Some((REMOTE(1800), true))),
        (plain, "Require: timer\r\nSession-Expires: 1800\r\n", Some((REMOTE(1800), true))),
        (plain, "k: TIMER\r\nx: 1800;refresher=uac\r\n", Some((REMOTE(1800), true))),
        (plain, "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n", Some((LOCAL(1800), true))),
        (plain, "Supported: timer\r\nSession-Expires: 1800;refresher=me\r\n", Some((REMOTE(1800), true))),
        (wishes(Wish::Local), "Supported: timer\r\nSession-Expires: 1800\r\n", Some((LOCAL(1800), true))),
        (wishes(Wish::Remote), "Supported: timer\r\nSession-Expires: 1800\r\n", Some((REMOTE(1800), true))),
        (
            wishes(Wish::Remote),
            "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n",
            Some((LOCAL(1800), true)),
        ),
        // It may be lowered, not below Min-SE, and is never raised.
        (asks(600), "Supported: timer\r\nSession-Expires: 1800\r\n", Some((REMOTE(600), true))),
        (asks(600), "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n", Some((REMOTE(900), true))),
        (asks(600), "Supported: timer\r\nSession-Expires: 300\r\n", Some((REMOTE(300), true))),
        (asks(600), "Supported: timer\r\nSession-Expires: 90\r\nMin-SE: 4294967296\r\n", Some((REMOTE(90), true))),
        // One of ours, where the request has none.
        (asks(600), timer, Some((REMOTE(600), true))),
        (asks(600), "Supported: timer\r\nMin-SE: 900\r\n", Some((REMOTE(900), true))),
        (asks(600), "", Some((LOCAL(600), false))),
        (terms(Required, 0, 0, Wish::Any), timer, Some((REMOTE(1800), true))),
        // §4: less than 90 of one who knows no 422.
        (plain, "Session-Expires: 89\r\n", None),
        (plain, "Session-Expires: 0\r\n", None),
        (terms(Supported, 0, 300, Wish::Any), "Session-Expires: 100\r\n", Some((LOCAL(100), false))),
        (terms(Off, 600, 0, Wish::Any), "Supported: timer\r\nSession-Expires: 1800\r\n", None),
    ];
    for (terms, lines, expected) in rows {
        let got = fixture::callee("").answers_with(&terms, &invite(lines));
        assert_eq!(got.map(|got| (got.agreed, got.required)), expected, "{terms:?} {lines:?}");
    }
}

/// §7.2.
#[test]
fn what_a_2xx_to_us_means() {
    let plain = Terms::default();
    let asked = |seconds, refresher| Asked::For(SessionExpires { seconds, refresher });
    let rows: [(Asked, &str, Verdict); 18] = [
        (Asked::Nothing, "", Verdict::Off),
        (Asked::Early, "", Verdict::Stays),
        (asked(1800, None), "", Verdict::On(LOCAL(1800))),
        (asked(1800, Some(Refresher::Uas)), "", Verdict::On(LOCAL(1800))),
        (asked(1800, None), "Session-Expires: 600;refresher=uac\r\n", Verdict::On(LOCAL(600))),
        (asked(1800, None), "Session-Expires: 600;refresher=uas\r\n", Verdict::On(REMOTE(600))),
        // As given, whatever was asked for, and asked for or not.
        (asked(1800, Some(Refresher::Uac)), "Session-Expires: 600;refresher=uas\r\n", Verdict::On(REMOTE(600))),
        (asked(600, None), "Session-Expires: 1800;refresher=uas\r\n", Verdict::On(REMOTE(1800))),
        (Asked::Nothing, "Session-Expires: 600;refresher=uac\r\n", Verdict::On(LOCAL(600))),
        // Nobody is named: who refreshes in vain does no harm.
        (Asked::Nothing, "Session-Expires: 600\r\n", Verdict::On(LOCAL(600))),
        (Asked::Nothing, "Session-Expires: 600;refresher=me\r\n", Verdict::On(LOCAL(600))),
        // Below 90.
        (Asked::Nothing, "Session-Expires: 60;refresher=uac\r\n", Verdict::On(LOCAL(60))),
        (Asked::Nothing, "Session-Expires: 1;refresher=uac\r\n", Verdict::On(LOCAL(10))),
        (Asked::Nothing, "Session-Expires: 60;refresher=uas\r\n", Verdict::On(REMOTE(90))),
        // No time: as if it was not there.
        (Asked::Nothing, "Session-Expires: 0\r\n", Verdict::Off),
        (asked(1800, None), "Session-Expires: 4294967296\r\n", Verdict::On(LOCAL(1800))),
        (Asked::Nothing, "Session-Expires: soon\r\nSession-Expires: 600;refresher=uas\r\n", Verdict::On(REMOTE(600))),
        // Not allowed there.
        (asked(1800, None), "Min-SE: 3600\r\nSession-Expires: 600;refresher=uac\r\n", Verdict::On(LOCAL(600))),
    ];
    for (asked, lines, verdict) in rows {
        assert_eq!(read_2xx(&plain, asked, &fixture::response(200, 1, lines, "")), verdict, "{asked:?} {lines:?}");
    }
    let off = terms(Policy::Off, 0, 0, Wish::Any);
    let response = fixture::response(200, 1, "Session-Expires: 600;refresher=uac\r\n", "");
    assert_eq!(read_2xx(&off, Asked::Nothing, &response), Verdict::Off);
}

/// §7.1, §7.4.
#[test]
fn what_we_ask_for() {
    use Policy::{Off, Required, Supported};
    let said = |(asking, _): (Asking, Asked)| {
        let refresher = |who: Refresher| format!(";{}", who.name());
        let interval = asking.interval.map(|it| format!("{}{}", it.seconds, it.refresher.map_or("".into(), refresher)));
        format!("{} {}", interval.unwrap_or_else(|| "-".into()), asking.min_se_s)
    };
    for (terms, expected) in [
        (Terms::default(), "- 0"),
        (terms(Supported, 0, 90, Wish::Local), "- 0"),
        (terms(Supported, 600, 0, Wish::Any), "600 0"),
        (terms(Supported, 600, 300, Wish::Local), "600;uac 300"),
        (terms(Required, 0, 0, Wish::Remote), "1800;uas 0"),
        (terms(Off, 600, 300, Wish::Local), "- 0"),
    ] {
        assert_eq!(said(Asking::at_first(&terms)), expected, "{terms:?}");
    }
    let mut clock = FakeClock::default();
    let plain = Terms::default();
    let running = |agreed, learned, clock: &mut FakeClock| {
        let mut session = confirmed_caller();
        session.learn_min_se(learned);
        session.session_timer_is(Verdict::On(agreed), clock);
        session
    };
    for (agreed, learned, expected) in [
        (LOCAL(600), None, "600;uac 0"),
        (REMOTE(600), None, "600;uas 0"),
        (LOCAL(60), None, "90;uac 0"),
        // §7.4: the larger of Min-SE and the interval; Min-SE goes with it once it was seen.
        (LOCAL(600), Some(90), "600;uac 90"),
        (LOCAL(600), Some(900), "900;uac 900"),
    ] {
        let session = running(agreed, learned, &mut clock);
        assert_eq!(said(session.asks_for_refresh(&plain, false)), expected, "{agreed:?} {learned:?}");
    }
    let session = running(LOCAL(600), None, &mut clock);
    assert_eq!(said(session.asks_for_refresh(&terms(Supported, 300, 0, Wish::Remote), true)), "300;uas 0");
    assert_eq!(said(session.asks_for_refresh(&terms(Supported, 0, 0, Wish::Any), true)), "600;uac 0");
    let off = session.asks_for_refresh(&terms(Off, 0, 0, Wish::Any), true);
    assert_eq!((said(off), off.1), ("- 0".to_owned(), Asked::Nothing));
    assert_eq!(fixture::caller("offer").asks_for_refresh(&plain, false).1, Asked::Early);
}

/// §10: half the interval where we refresh; the interval less the smaller of 32 s and a third where the peer does.
#[test]
fn when_it_is_due() {
    for (agreed, due_s, what, until_s) in [
        (LOCAL(1800), 900, "Refresh", 1800),
        (LOCAL(90), 45, "Refresh", 90),
        (REMOTE(1800), 1768, "Bye SessionExpired", 1768),
        (REMOTE(96), 64, "Bye SessionExpired", 64),
        (REMOTE(90), 60, "Bye SessionExpired", 60),
    ] {
        let mut clock = FakeClock::default();
        let mut session = confirmed_callee();
        session.session_timer_is(Verdict::On(agreed), &mut clock);
        assert_eq!(session.interval(clock.now()).map(|it| (it.agreed, it.left.as_secs())), {
            Some((agreed, agreed.interval_s.into()))
        });
        let wake = clock.wait();
        assert_eq!(clock.milliseconds(), due_s * 1_000, "{agreed:?}");
        assert_eq!(said(&session.woken(wake, &mut clock)), what, "{agreed:?}");
        if what == "Refresh" {
            let wake = clock.wait();
            assert_eq!(said(&session.woken(wake, &mut clock)), "Bye SessionExpired", "{agreed:?}");
        }
        assert_eq!((clock.milliseconds(), clock.timers()), (until_s * 1_000, 0), "{agreed:?}");
        assert!(session.interval(clock.now()).is_none());
    }
}

/// §10: other refusals are tried again within the time that is left, and not for ever.
#[test]
fn a_refused_refresh() {
    let refused = |by, status, wait: Option<u64>, clock: &mut FakeClock, session: &mut Session| {
        let deeds = session.refresh_failed(by, status, wait.map(Duration::from_secs), clock);
        said(&deeds)
    };
    let fresh = |clock: &mut FakeClock| {
        let mut session = confirmed_caller();
        session.session_timer_is(Verdict::On(LOCAL(1800)), clock);
        let wake = clock.wait();
        session.woken(wake, clock);
        session
    };
    let mut clock = FakeClock::default();
    let mut session = fresh(&mut clock);
    assert_eq!(refused(By::Update, 405, None, &mut clock, &mut session), "Refresh");
    assert_eq!(refused(By::Update, 501, None, &mut clock, &mut session), "Refresh");
    let mut tries = Vec::new();
    loop {
        assert_eq!(refused(By::Reinvite, 488, None, &mut clock, &mut session), "");
        let wake = clock.wait();
        tries.push(clock.milliseconds() / 1_000);
        if said(&session.woken(wake, &mut clock)) != "Refresh" {
            break;
        }
    }
    assert_eq!(tries, [1334, 1551, 1659, 1713, 1740, 1754, 1761, 1800]);
    assert_eq!(clock.timers(), 0);
    // What the refusal says counts, sixteen times.
    let mut clock = FakeClock::default();
    let mut session = fresh(&mut clock);
    let mut tries = Vec::new();
    for _ in 0..18 {
        refused(By::Update, 491, Some(2), &mut clock, &mut session);
        let wake = clock.wait();
        session.woken(wake, &mut clock);
        tries.push(clock.milliseconds() / 1_000);
    }
    assert_eq!((tries[0], tries[15], tries[16], tries[17]), (902, 932, 1350, 1559));
    // Not the peer's.
    let mut session = confirmed_caller();
    session.session_timer_is(Verdict::On(REMOTE(1800)), &mut clock);
    assert_eq!(refused(By::Update, 405, None, &mut clock, &mut session), "");
}

/// §7.2: each 2xx begins it anew or ends it; nothing is left of it where there is nothing to know.
#[test]
fn one_timer_at_most() {
    let mut clock = FakeClock::default();
    let mut session = confirmed_callee();
    for agreed in [LOCAL(90), REMOTE(90), LOCAL(600)] {
        session.session_timer_is(Verdict::On(agreed), &mut clock);
        assert_eq!(clock.timers(), 1);
    }
    session.session_timer_is(Verdict::Stays, &mut clock);
    assert_eq!((clock.timers(), session.interval(clock.now()).map(|it| it.agreed)), (1, Some(LOCAL(600))));
    session.session_timer_is(Verdict::Off, &mut clock);
    assert_eq!((clock.timers(), session.lasting.timer.is_some()), (0, false));
    session.session_timer_is(Verdict::On(LOCAL(600)), &mut clock);
    session.end(Ending::because(Reason::RemoteBye), &mut clock);
    assert_eq!((clock.timers(), session.lasting.timer.is_some()), (0, false));
    session.session_timer_is(Verdict::On(LOCAL(600)), &mut clock);
    let mut early = fixture::caller("offer");
    early.session_timer_is(Verdict::On(LOCAL(600)), &mut clock);
    assert_eq!(clock.timers(), 0, "neither in an early dialog nor in one that is over");
}

/// To the host nothing changes while our refresh is out; the peer's offer would meet ours.
#[test]
fn a_refresh_is_hidden_from_the_host() {
    let mut session = confirmed_caller();
    let (refresh, before) = (OutgoingId::from_raw(2), fixture::exchange(&session));
    let repeated = session.local_description().cloned();
    assert_eq!(repeated, sdp("offer"));
    session.our_refresh_sent(By::Reinvite, refresh, repeated.clone());
    assert_eq!((fixture::exchange(&session), session.open_offer()), (before.clone(), Some(Party::Local)));
    assert_eq!((session.refresh_under_way(), session.reinvite_of_host()), (Some(refresh), None));
    let response = fixture::response(200, 2, "", "moved");
    session.our_reinvite_accepted(refresh, &response, crate::session::invite_client::HostAcks::Answers);
    assert_eq!(fixture::exchange(&session), "Stable offer/moved");
    assert_eq!((session.refresh_under_way(), session.open_offer()), (None, None));
    session.our_refresh_sent(By::Reinvite, refresh, repeated);
    session.our_change_undone(By::Reinvite, refresh);
    assert_eq!((fixture::exchange(&session).as_str(), session.open_offer()), ("Stable offer/moved", None));
    // Of a callee ours is the answer.
    assert_eq!(confirmed_callee().local_description().cloned(), sdp("answer"));
}

/// What answers a re-INVITE that repeats.
#[test]
fn only_its_own_description_is_a_repeat() {
    let answer = |session: &Session, offer| session.answer_to_repeat(&fixture::request("INVITE", 2, offer));
    let callee = confirmed_callee();
    assert_eq!(answer(&callee, "offer"), sdp("answer"));
    assert_eq!((answer(&callee, "offer "), answer(&callee, "answer"), answer(&callee, "")), (None, None, None));
    assert_eq!(answer(&confirmed_caller(), "answer"), sdp("offer"));
}
