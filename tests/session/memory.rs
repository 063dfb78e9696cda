//! What is held for peers is bounded: in bytes, and in the length of every list.

use crate::common::pair::{ALICE, Stand};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER, seconds};
use sipdlg::agent::{Agent, EventKind};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::Now;
use std::net::SocketAddr;

const KIB: u64 = 1 << 10;

fn bounded(total: u64, address: u64) -> Config {
    let mut config = config("alice");
    config.set_memory(total, address).expect("good numbers");
    config
}

/// An INVITE with a long header, from somewhere.
fn invite(number: usize, length: usize) -> String {
    format!(
        "INVITE sip:alice@{ALICE} SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK-{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=t{number}\r\nTo: <sip:alice@example.com>\r\n\
         Call-ID: flood-{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@203.0.113.9>\r\n\
         Record-Route: <sip:p.example.org;lr;x={}>\r\nContent-Length: 0\r\n\r\n",
        "y".repeat(length)
    )
}

/// What comes from an address, and the answers to it.
fn gets(agent: &mut Agent, now: Now, from: &str, text: &str) -> Vec<Sip> {
    let remote: SocketAddr = from.parse().expect("an address");
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), Some(remote)) };
    agent.receive(now, &flow, text.as_bytes()).expect("received");
    let mut answers = Vec::new();
    loop {
        while let Some(transmit) = agent.poll_transmit() {
            answers.push(Sip::parse(&transmit.bytes).expect("a message"));
        }
        if agent.poll_event().is_none() {
            return answers;
        }
    }
}

fn statuses(answers: &[Sip]) -> Vec<u16> {
    answers.iter().filter_map(Sip::status).collect()
}

/// INVITEs that nobody answers fill it up; then 503 with Retry-After, without state. The call that stands goes on, and
/// when the flood is over all is as before.
#[test]
fn a_full_agent_refuses_new_calls_and_keeps_those_that_stand() {
    let mut stand = Stand::with(bounded(256 * KIB, 0));
    stand.peer_calls();
    stand.alice.hold(EventKind::Invite);
    let now = stand.alice.now();
    let mut taken = 0;
    let refused = loop {
        let answers = gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(taken, 2_000));
        if let Some(refused) = answers.into_iter().find(|answer| answer.status() == Some(503)) {
            break refused;
        }
        taken += 1;
    };
    assert!((40..128).contains(&taken), "{taken} INVITEs of 2.4 kB");
    assert!(refused.get("retry-after").is_some());
    let stats = stand.alice.agent.stats();
    assert!((256 * KIB..264 * KIB).contains(&stats.bytes), "{} bytes", stats.bytes);
    for number in 1_000..1_100 {
        let answers = gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(number, 2_000));
        assert_eq!(statuses(&answers), [503]);
    }
    let after = stand.alice.agent.stats();
    let state = (after.incoming, after.transactions, after.bytes, after.answered_limit);
    assert_eq!(state, (stats.incoming, stats.transactions, stats.bytes, stats.answered_limit + 100));
    let info = stand.peer.request("INFO");
    stand.say(info);
    assert_eq!(stand.peer.take("200 INFO").status(), Some(200));
    stand.advance(seconds(230));
    assert_eq!(stand.alice.agent.stats().incoming, 0);
    stand.alice.answers(EventKind::Invite, ANSWER);
    let now = stand.alice.now();
    let answers = gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(5_000, 2_000));
    assert_eq!(statuses(&answers), [100; 0], "it is the host's to answer");
    stand.exchange();
    assert_eq!(stand.alice.agent.stats().incoming, 1);
    stand.end_unjudged();
}

/// BYE ends a call however full it is; what else comes in dialogs has a reserve of a quarter, and no more.
#[test]
fn a_reserve_is_for_dialogs_that_stand() {
    let mut stand = Stand::with(bounded(128 * KIB, 0));
    stand.peer_calls();
    stand.alice.hold(EventKind::Invite);
    stand.alice.hold(EventKind::Message);
    let now = stand.alice.now();
    let mut number = 0;
    while !statuses(&gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(number, 2_000))).contains(&503) {
        number += 1;
    }
    let mut taken = 0;
    let refused = loop {
        let message = stand.peer.request("MESSAGE").content("text/plain", &"z".repeat(4_000));
        stand.say(message);
        if stand.peer.got().contains(&"503 MESSAGE".to_owned()) {
            break stand.peer.take("503 MESSAGE");
        }
        taken += 1;
    };
    assert!((4..10).contains(&taken), "{taken} MESSAGEs of 4 kB in 32 kB");
    assert!(refused.get("retry-after").is_some());
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    stand.end_unjudged();
}

/// What belongs to no call takes no part of the reserve, whatever it claims to be: BYE, CANCEL, a made-up To tag.
#[test]
fn nothing_passes_the_bound_by_its_method() {
    let mut stand = Stand::with(bounded(128 * KIB, 0));
    stand.peer_calls();
    stand.alice.hold(EventKind::Invite);
    let now = stand.alice.now();
    let mut number = 0;
    while !statuses(&gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(number, 2_000))).contains(&503) {
        number += 1;
    }
    let full = stand.alice.agent.stats();
    let tagged = |text: String| text.replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=none");
    let as_a = |method: &str, text: String| text.replace("INVITE", method);
    for at in 0..200 {
        let number = 10_000 + at;
        for text in [
            tagged(as_a("BYE", invite(number, 100))),
            tagged(as_a("INFO", invite(number, 100))),
            as_a("CANCEL", invite(number, 100)),
        ] {
            assert_eq!(statuses(&gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &text)), [503], "{text}");
        }
    }
    let after = stand.alice.agent.stats();
    assert_eq!((after.transactions, after.bytes), (full.transactions, full.bytes));
    // Those of calls are taken.
    let cancel = as_a("CANCEL", invite(0, 2_000));
    assert_eq!(statuses(&gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &cancel)), [200, 487]);
    let bye = stand.peer.request("BYE");
    stand.say(bye);
    stand.peer.take("200 BYE");
    stand.end_unjudged();
}

/// The bound opens again however often memory is given back: what is said does not rise by that.
#[test]
fn what_is_said_does_not_rise_by_trim() {
    let mut stand = Stand::with(bounded(0, 0));
    let mut said = Vec::new();
    for round in 0..5 {
        let now = stand.alice.now();
        for number in 0..100 {
            gets(
                &mut stand.alice.agent,
                now,
                "203.0.113.9:5060",
                &invite(round * 1_000 + number, 10).replace("INVITE", "OPTIONS"),
            );
        }
        stand.advance(seconds(60));
        stand.alice.agent.trim();
        said.push(stand.alice.agent.stats().bytes);
    }
    // The first rounds fill what remembers who sent what.
    assert!(said[4] <= said[2], "{said:?}");
    stand.end_unjudged();
}

/// Another dialog of a call of ours is the peer's doing: beyond the bound it is left out, the first one never.
#[test]
fn forks_keep_the_bound() {
    let mut stand = Stand::with(bounded(64 * KIB, 0));
    let mut taken = Vec::new();
    for call in 0..3 {
        stand.alice.invite(crate::common::pair::TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        for fork in 0..8 {
            let to = format!("{};tag=c{call}f{fork}", invite.value("to"));
            let route = format!("<sip:p.example.org;lr;x={}>", "y".repeat(20_000));
            let ringing = stand.peer.reply(&invite, 180).set("To", to).with("Record-Route", route);
            stand.say(ringing);
        }
        taken.push(stand.alice.agent.stats().sessions);
    }
    assert!(taken[0] < 5 && taken[1] == taken[0] + 1 && taken[2] == taken[1] + 1, "{taken:?}");
    stand.end_unjudged();
}

/// Halves of messages on connections without a call have their part.
#[test]
fn half_messages_keep_the_bound() {
    let mut stand = Stand::with(bounded(1_024 * KIB, 0));
    let now = stand.alice.now();
    let half = format!("INVITE sip:a@b SIP/2.0\r\nX: {}", "y".repeat(30_000));
    let taken = (100..300).filter(|link| {
        let flow = Flow { link: *link, ..Flow::new(Transport::Tcp, ALICE.parse().ok(), "203.0.113.9:9".parse().ok()) };
        stand.alice.agent.receive(now, &flow, half.as_bytes()).is_ok()
    });
    assert!((7..10).contains(&taken.count()));
    assert_eq!(stand.alice.agent.stats().dropped_limit, 192);
    stand.end_unjudged();
}

/// One address has its share, whatever its port; others go on. Of IPv6 a /64 is one address.
#[test]
fn an_address_has_its_share() {
    let mut stand = Stand::with(bounded(0, 64 * KIB));
    stand.alice.hold(EventKind::Invite);
    let now = stand.alice.now();
    let rows = [
        ("203.0.113.9:5060", "203.0.113.9:5999", "203.0.113.10:5060"),
        ("[2001:db8::1]:5060", "[2001:db8::ffff:9]:5060", "[2001:db8:0:1::1]:5060"),
    ];
    for (row, (first, same, other)) in rows.into_iter().enumerate() {
        let mut number = row * 10_000;
        while statuses(&gets(&mut stand.alice.agent, now, first, &invite(number, 2_000))) != [503] {
            number += 1;
        }
        assert!((10..64).contains(&(number % 10_000)), "{number} INVITEs of 2.4 kB");
        number += 1;
        assert_eq!(statuses(&gets(&mut stand.alice.agent, now, same, &invite(number, 2_000))), [503]);
        number += 1;
        assert_eq!(statuses(&gets(&mut stand.alice.agent, now, other, &invite(number, 2_000))), [0; 0]);
    }
    stand.advance(seconds(200));
    let now = stand.alice.now();
    let answers = gets(&mut stand.alice.agent, now, "203.0.113.9:5060", &invite(90_000, 2_000));
    assert_eq!(statuses(&answers), [0; 0]);
    stand.end_unjudged();
}

/// A call that was accepted and never acknowledged: the request is let go of, and the session reads its routes in the
/// response, which is repeated.
#[test]
fn a_long_header_is_held_once() {
    let mut stand = Stand::new();
    stand.alice.answers(EventKind::Invite, ANSWER);
    let mut stats = stand.alice.agent.stats().bytes;
    let long = 50_000;
    for number in 0..4 {
        let remote = "203.0.113.9:5060".parse().expect("an address");
        let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), Some(remote)) };
        let now = stand.alice.now();
        stand.alice.agent.receive(now, &flow, invite(number, long).as_bytes()).expect("received");
        stand.exchange();
        let held = stand.alice.agent.stats().bytes - std::mem::replace(&mut stats, stand.alice.agent.stats().bytes);
        // The first one fills scratch memory too.
        assert!(number == 0 || held < long as u64 + 8 * KIB, "{held} bytes");
    }
    stand.end_unjudged();
}

/// More in one list than anyone means: 513, and the answer can be read.
#[test]
fn lists_have_an_end() {
    let many = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>();
    let vias = |count| many(count, &|at| format!("SIP/2.0/UDP h{at};branch=z9hG4bK{at}"));
    let routes = |count| many(count, &|at| format!("<sip:p{at};lr>"));
    let tail = |count| many(count, &|at| format!(";p{at}=1")).concat();
    let parts = |count| {
        let part = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n";
        format!("{}--b\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--b--\r\n", part.repeat(count))
    };
    for (what, too_many) in [("within", 0), ("beyond", 1)] {
        let rows: [(&str, &str, String); 9] = [
            ("Via", "", vias(127 + too_many).join(", ")),
            ("Via", "", format!("SIP/2.0/UDP h;branch=z9hG4bK1{}, SIP/2.0/UDP i;x=y", tail(63 + too_many))),
            ("Record-Route", "", routes(64 + too_many).join(", ")),
            ("Route", "", routes(64 + too_many).join(",")),
            ("From", "", format!("<sip:x@example.org>;tag=t{}", tail(63 + too_many))),
            ("Contact", "", format!("<sip:x@203.0.113.9>{}", tail(64 + too_many))),
            ("X-Line", "lines", (246 + too_many).to_string()),
            ("X-Line", "lines first", (246 + too_many).to_string()),
            ("Content-Type", &parts(31 + too_many), "multipart/mixed;boundary=b".to_owned()),
        ]
        .map(|(name, more, value)| (name, Box::leak(more.to_owned().into_boxed_str()) as &str, value));
        for (name, more, value) in rows {
            let mut stand = Stand::new();
            stand.alice.hold(EventKind::Invite);
            let mut draft = stand.peer.request("INVITE");
            draft = match more {
                "lines" | "lines first" => {
                    let count: usize = value.parse().expect("a number");
                    let lines = (0..count).fold(String::new(), |lines, at| lines + &format!("X-{at}: y\r\n"));
                    // Beside Via, Max-Forwards, From, To, Call-ID, CSeq, Contact, and two of the body.
                    let text = draft.sdp(OFFER).text();
                    let (start, rest) = text.split_once("\r\n").expect("a start line");
                    let text = if more == "lines" {
                        let (head, body) = rest.split_once("\r\n\r\n").expect("a body");
                        format!("{start}\r\n{head}\r\n{lines}X-Last: y\r\n\r\n{body}")
                    } else {
                        format!("{start}\r\n{lines}X-Last: y\r\n{rest}")
                    };
                    stand.peer.send_bytes(text.into_bytes());
                    stand.exchange();
                    judge(&mut stand, name, what, too_many);
                    continue;
                }
                "" if name == "Via" => draft.with(name, value),
                "" if name == "From" => draft.set(name, value),
                "" if name == "Contact" => draft.set(name, value),
                "" => draft.with(name, value),
                body => draft.content(&value, body),
            };
            stand.peer.send(draft);
            stand.exchange();
            judge(&mut stand, name, what, too_many);
        }
    }
}

#[track_caller]
fn judge(stand: &mut Stand, name: &str, what: &str, too_many: usize) {
    let refused = stand.peer.inbox.iter().any(|sip| sip.status() == Some(513));
    let told = stand.alice.count(EventKind::Invite);
    assert_eq!((refused, told), (too_many == 1, 1 - too_many), "{what}: {name} {:?}", stand.peer.got());
    stand.end_unjudged();
}
