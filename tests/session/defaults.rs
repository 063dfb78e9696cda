//! What the library answers for a host that has no function for an event:
//! by default, on request, and when time is over.

use crate::common::draft::Draft;
use crate::common::pair::Stand;
use crate::common::party::config;
use crate::common::peer::Peer;
use crate::common::{HOLD, OFFER, seconds};
use sipdlg::agent::EventKind;
use sipdlg::session::SessionState;

type Make = fn(&mut Peer) -> Draft;

struct Row {
    make: Make,
    event: EventKind,
    status: u16,
    /// Headers that the answer carries.
    carries: &'static [&'static str],
}

/// In a confirmed dialog; BYE last.
const IN_DIALOG: [Row; 11] = [
    // RFC 6086 §4.2.2: it asks for nothing, so it is in order.
    Row { make: |peer| peer.request("INFO"), event: EventKind::Info, status: 200, carries: &[] },
    Row {
        make: |peer| peer.request("INFO").with("Content-Type", "application/dtmf-relay"),
        event: EventKind::Info,
        status: 200,
        carries: &[],
    },
    Row {
        make: |peer| peer.request("INFO").content("application/dtmf-relay", "Signal=5\r\n"),
        event: EventKind::Info,
        status: 469,
        carries: &["recv-info"],
    },
    Row {
        make: |peer| {
            peer.request("INFO").with("Info-Package", "dtmf").content("application/dtmf-relay", "Signal=5\r\n")
        },
        event: EventKind::Info,
        status: 469,
        carries: &["recv-info"],
    },
    Row {
        make: |peer| peer.request("INFO").with("Info-Package", "dtmf"),
        event: EventKind::Info,
        status: 469,
        carries: &["recv-info"],
    },
    Row {
        make: |peer| peer.request("MESSAGE").content("text/plain", "x"),
        event: EventKind::Message,
        status: 200,
        carries: &[],
    },
    Row { make: |peer| peer.request("OPTIONS"), event: EventKind::Options, status: 200, carries: &["allow", "accept"] },
    Row {
        make: |peer| peer.request("INVITE").sdp(HOLD),
        event: EventKind::Reinvite,
        status: 488,
        carries: &["warning"],
    },
    Row { make: |peer| peer.request("INVITE"), event: EventKind::Reinvite, status: 488, carries: &["warning"] },
    Row { make: |peer| peer.request("PUBLISH"), event: EventKind::Request, status: 405, carries: &["allow"] },
    Row { make: |peer| peer.request("BYE"), event: EventKind::Bye, status: 200, carries: &[] },
];

/// Out of one.
const OUT_OF_DIALOG: [Row; 6] = [
    Row { make: |peer| peer.request("INVITE").sdp(OFFER), event: EventKind::Invite, status: 486, carries: &[] },
    Row {
        make: |peer| peer.request("MESSAGE").content("text/plain", "x"),
        event: EventKind::Message,
        status: 200,
        carries: &[],
    },
    Row { make: |peer| peer.request("OPTIONS"), event: EventKind::Options, status: 200, carries: &["allow", "accept"] },
    Row {
        make: |peer| peer.request("SUBSCRIBE").with("Event", "dialog").with("Contact", "<sip:peer@192.0.2.2>"),
        event: EventKind::Subscribe,
        status: 489,
        carries: &[],
    },
    Row { make: |peer| peer.request("REGISTER"), event: EventKind::Register, status: 405, carries: &["allow"] },
    Row { make: |peer| peer.request("PUBLISH"), event: EventKind::Request, status: 405, carries: &["allow"] },
];

/// Who brings the default about.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Delivery,
    Dispose,
    Time,
}

fn stand() -> Stand {
    let mut config = config("alice");
    config
        .set_allow(b"INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, MESSAGE, SUBSCRIBE, REGISTER, PUBLISH")
        .expect("methods");
    config.set_info_packages(Some(b"dtmf")).expect("packages");
    let mut stand = Stand::with(config);
    // PUBLISH and REGISTER stand in Allow by the host's word; then it has no function for them.
    stand.wire.trace.allowed.push("allow-405");
    stand
}

#[track_caller]
fn answered(stand: &mut Stand, row: &Row, way: Way) {
    let before = stand.alice.count(row.event);
    if way != Way::Delivery {
        stand.alice.hold(row.event);
    }
    let request = (row.make)(&mut stand.peer);
    let method = request.get("CSeq").split(' ').nth(1).unwrap_or_default().to_owned();
    stand.say(request.clone());
    assert_eq!(stand.alice.count(row.event), before + 1, "{method}: the host is asked");
    let invite = row.event == EventKind::Invite;
    match way {
        Way::Delivery => {}
        Way::Dispose => {
            let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
            stand.alice.agent.dispose_incoming(now, incoming).expect("unanswered");
            stand.exchange();
        }
        Way::Time => {
            stand.advance(seconds(if matches!(row.event, EventKind::Invite | EventKind::Reinvite) { 181 } else { 17 }));
        }
    }
    // An INVITE that nobody answers in time is not busy but unavailable.
    let status = if invite && way == Way::Time { 480 } else { row.status };
    let answer = stand.peer.take(&format!("{status} {method}"));
    for header in row.carries {
        assert!(answer.get(header).is_some(), "{method}: {status} without {header}");
    }
    assert!(answer.body.is_empty());
    if method == "INVITE" {
        let ack = stand.peer.ack(&request, &answer);
        stand.say(ack);
    }
}

#[test]
fn in_a_dialog() {
    for way in [Way::Delivery, Way::Dispose, Way::Time] {
        let mut stand = stand();
        stand.peer_calls();
        for row in &IN_DIALOG {
            answered(&mut stand, row, way);
        }
        assert_eq!((stand.alice.count(EventKind::Terminated), stand.alice.state().0), (1, SessionState::Terminated));
    }
}

#[test]
fn out_of_a_dialog() {
    for way in [Way::Delivery, Way::Dispose, Way::Time] {
        let mut stand = stand();
        for row in &OUT_OF_DIALOG {
            stand.peer.call_id.push('x');
            answered(&mut stand, row, way);
        }
        assert_eq!(stand.alice.agent.stats().sessions, 0);
    }
}

/// What has no default to wait for: an unlisted package, an unknown method.
#[test]
fn answered_before_any_host() {
    let mut stand = stand();
    stand.peer_calls();
    let events = stand.alice.events.len();
    let info = stand.peer.request("INFO").with("Info-Package", "other");
    stand.say(info);
    assert_eq!(stand.peer.take("469 INFO").value("recv-info"), "dtmf");
    let fetch = stand.peer.request("FETCH");
    stand.say(fetch);
    stand.peer.take("501 FETCH");
    assert_eq!(stand.alice.events.len(), events);
}
