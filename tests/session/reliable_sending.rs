//! The callee's reliable responses: when there are any, their numbers, their repeats,
//! and what ends those (RFC 3262 §3).

use crate::common::pair::Stand;
use crate::common::party::{config, reliable};
use crate::common::reliable_caller::{called, prack, prack_of, progress, rseq, take};
use crate::common::{ANSWER, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::{EventKind, Reason, ResponseOptions};
use sipdlg::config::{Policy, quirk};
use sipdlg::error::ErrorKind;
use sipdlg::flow::Transport;

/// §3: an INVITE that requires 100rel has every provisional response reliable; one that does not know it none.
#[test]
fn what_the_invite_says_decides() {
    let mut stand = Stand::new();
    called(&mut stand, "Require", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    let ringing = take(&mut stand, "180 INVITE");
    prack(&mut stand, &ringing);
    stand.finish();

    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    assert!(stand.peer.take("180 INVITE").all("require").is_empty(), "nobody asked for it");
    stand.finish();

    let mut stand = Stand::new();
    called(&mut stand, "X-Other", OFFER);
    let refused = progress(&mut stand, 183, &reliable(ANSWER)).unwrap_err();
    assert!(refused.kind == ErrorKind::State && refused.detail.contains("3262"), "{refused:?}");
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!(stand.alice.agent.stats().sessions, 0, "a refused call changes nothing");
}

#[test]
fn policies() {
    let set = |policy| {
        let mut config = config("alice");
        config.reliable = policy;
        Stand::with(config)
    };
    let mut stand = set(Policy::Required);
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &ResponseOptions::default()).expect("180 is legal");
    let ringing = take(&mut stand, "180 INVITE");
    prack(&mut stand, &ringing);
    stand.finish();

    let mut stand = set(Policy::Required);
    called(&mut stand, "X-Other", OFFER);
    let refused = stand.peer.take("421 INVITE");
    assert_eq!(refused.all("require"), ["100rel"]);
    stand.finish();

    let mut stand = set(Policy::Off);
    called(&mut stand, "Require", OFFER);
    assert_eq!(stand.peer.take("420 INVITE").all("unsupported"), ["100rel"]);
    stand.finish();

    let mut stand = set(Policy::Off);
    called(&mut stand, "Supported", OFFER);
    assert_eq!(progress(&mut stand, 180, &reliable("")).unwrap_err().kind, ErrorKind::State);
    stand.finish();

    // Where Allow lacks PRACK nothing could be acknowledged.
    let mut config = config("alice");
    config.set_allow(b"INVITE, ACK, CANCEL, BYE").expect("methods");
    let mut stand = Stand::with(config);
    called(&mut stand, "Supported", OFFER);
    assert_eq!(progress(&mut stand, 180, &reliable("")).unwrap_err().kind, ErrorKind::State);
    assert!(!stand.wire.trace.messages_from("alice").iter().any(|sip| sip.all("supported").contains(&"100rel")));
}

/// §3: 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, no cap at T2, on any transport; then 5xx.
#[test]
fn it_is_repeated_until_64_t1_and_then_the_invite_is_rejected() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut stand = Stand::over(transport, config("alice"));
        called(&mut stand, "Supported", OFFER);
        progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let first = take(&mut stand, "183 INVITE");
        let mut at = 0;
        for due in [500, 1_500, 3_500, 7_500, 15_500, 31_500] {
            stand.advance(ms(due - at - 10));
            assert_eq!(stand.peer.got(), NOTHING, "before {due}");
            stand.advance(ms(20));
            assert_eq!(stand.peer.take("183 INVITE"), first, "at {due}");
            at = due + 10;
        }
        stand.advance(ms(32_010 - at));
        stand.peer.take("504 INVITE");
        let end = stand.alice.last(EventKind::Terminated);
        assert_eq!((end.reason, end.status_code), (Reason::PrackTimeout, 504));
        stand.finish();
    }
}

#[test]
fn the_prack_stops_the_repeats() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    stand.advance(seconds(2));
    assert_eq!(stand.peer.got(), ["183 INVITE", "183 INVITE"]);
    stand.peer.inbox.clear();
    prack(&mut stand, &first);
    stand.advance(seconds(40));
    assert_eq!(stand.peer.got(), NOTHING);
}

/// §3: dialog, RSeq, CSeq number and method, each counts; else 481, and the response goes on being repeated.
#[test]
fn a_prack_of_nothing_is_answered_481() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let first = take(&mut stand, "183 INVITE");
    let (good, cseq) = (rseq(&first), first.cseq());
    for rack in [
        format!("{} {cseq} INVITE", good + 1),
        format!("{good} {} INVITE", cseq + 1),
        format!("{good} {cseq} invite"),
        format!("{good} {cseq} UPDATE"),
    ] {
        let prack = stand.peer.request("PRACK").with("RAck", rack.clone());
        stand.say(prack);
        assert_eq!(stand.peer.got(), ["481 PRACK"], "{rack}");
        stand.peer.inbox.clear();
    }
    for rack in ["", "1", "1 2", "x 1 INVITE", "1 x INVITE"] {
        let prack = stand.peer.request("PRACK").with("RAck", rack);
        stand.say(prack);
        assert_eq!(stand.peer.got(), ["400 PRACK"], "{rack}");
        stand.peer.inbox.clear();
    }
    let bare = stand.peer.request("PRACK");
    stand.say(bare);
    stand.peer.take("481 PRACK");
    assert_eq!(stand.alice.count(EventKind::Prack), 0);
    stand.advance(ms(500));
    stand.peer.take("183 INVITE");
    prack(&mut stand, &first);
    let again = prack_of(&mut stand, good, cseq);
    stand.say(again);
    stand.peer.take("481 PRACK");
}

/// The quirk PRACK_UNASKED: the host sees it; 481 by default.
#[test]
fn a_prack_of_nothing_reaches_a_host_that_wants_it() {
    let mut config = config("alice");
    config.tolerance |= quirk::PRACK_UNASKED;
    let mut stand = Stand::with(config);
    stand.wire.trace.allowed.push("prack-481");
    stand.peer_calls();
    let prack = prack_of(&mut stand, 1, 1);
    stand.say(prack);
    stand.peer.take("481 PRACK");
    stand.alice.answers(EventKind::Prack, "");
    let prack = prack_of(&mut stand, 1, 1);
    stand.say(prack);
    stand.peer.take("200 PRACK");
    assert_eq!(stand.alice.agent.stats().quirks[3], 2);
}

/// §3: a host may number them where the numbers are right.
#[test]
fn the_hosts_own_numbers_are_checked() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    let with = |lines: &[&'static str]| ResponseOptions {
        headers: lines.iter().map(|line| line.as_bytes()).collect(),
        ..ResponseOptions::default()
    };
    for lines in [
        &["Require: 100rel", "RSeq: 0"][..],
        &["Require: 100rel", "RSeq: 2147483648"],
        &["Require: 100rel", "RSeq: x"],
        &["Require: 100rel", "RSeq: 1", "RSeq: 1"],
        &["RSeq: 1"],
        &["RAck: 1 1 INVITE"],
    ] {
        assert_eq!(progress(&mut stand, 180, &with(lines)).unwrap_err().kind, ErrorKind::Header, "{lines:?}");
    }
    assert_eq!(stand.peer.got(), NOTHING);
    progress(&mut stand, 180, &with(&["Require: 100rel", "RSeq: 7"])).expect("any number to begin with");
    for wrong in ["RSeq: 7", "RSeq: 9"] {
        let refused = progress(&mut stand, 180, &with(&["Require: 100rel", wrong])).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Header);
    }
    progress(&mut stand, 181, &with(&["RSeq: 8", "Require: 100rel, 100rel"])).expect("one more");
    let first = take(&mut stand, "180 INVITE");
    assert_eq!(rseq(&first), 7);
    prack(&mut stand, &first);
    assert_eq!(rseq(&stand.peer.take("181 INVITE")), 8);
}

/// §3, RFC 3261 §13.3.1.1: where they are reliable, one in two and a half minutes keeps the proxies patient.
#[test]
fn a_waiting_invite_gets_a_new_one_after_two_and_a_half_minutes() {
    let mut stand = Stand::new();
    called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 180, &reliable("")).expect("legal");
    let first = take(&mut stand, "180 INVITE");
    prack(&mut stand, &first);
    stand.advance(seconds(149));
    assert_eq!(stand.peer.got(), NOTHING);
    stand.advance(seconds(2));
    let second = take(&mut stand, "180 INVITE");
    assert_eq!(rseq(&second), rseq(&first) + 1);
    prack(&mut stand, &second);
}
