//! What the library drops, refuses or passes over by itself can be found: a counter for each kind of rule, and a line at
//! WARN with header, rule and section; a flood of it costs few lines, and no line has a secret.

use crate::common::pair::{ALICE, BOB, Pair, Stand};
use crate::common::party::config;
use crate::common::{ANSWER, OFFER, ms, seconds};
use crate::fault_cases::{CASES, asks, hears, says};
use sipdlg::agent::{EventKind, Stats};
use sipdlg::config::{Config, LogLevel};
use sipdlg::flow::{Flow, Transport};

/// The counters that are not 0.
fn counted(stats: &Stats) -> Vec<(&'static str, u64)> {
    let all = [
        ("dropped_malformed", stats.dropped_malformed),
        ("dropped_limit", stats.dropped_limit),
        ("answered_limit", stats.answered_limit),
        ("maddr_ignored", stats.maddr_ignored),
        ("refused_malformed", stats.refused_malformed),
        ("refused_method", stats.refused_method),
        ("refused_scheme", stats.refused_scheme),
        ("refused_extension", stats.refused_extension),
        ("refused_content", stats.refused_content),
        ("refused_merged", stats.refused_merged),
        ("refused_unknown", stats.refused_unknown),
        ("refused_order", stats.refused_order),
        ("refused_state", stats.refused_state),
        ("refused_memory", stats.refused_memory),
        ("refused_default", stats.refused_default),
        ("dropped_response", stats.dropped_response),
        ("dropped_ack", stats.dropped_ack),
        ("dropped_stream", stats.dropped_stream),
        ("ignored_challenges", stats.ignored_challenges),
        ("refused_sessions", stats.refused_sessions),
        ("refused_calls", stats.refused_calls),
        ("refused_unanswered", stats.refused_unanswered),
        ("refused_rate", stats.refused_rate),
        ("dropped_behind", stats.dropped_behind),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn warned() -> Config {
    Config { log_level: LogLevel::Warn, ..config("alice") }
}

fn lines(stand: &mut Stand) -> Vec<String> {
    std::iter::from_fn(|| stand.alice.agent.poll_log())
        .map(|(level, line)| {
            assert_eq!(level, LogLevel::Warn);
            line
        })
        .collect()
}

/// Each goes up in its counter by one, in no other, and writes one line.
#[test]
fn what_is_dropped_or_refused_has_a_counter_and_a_line() {
    let mut wrong = Vec::new();
    for (name, set, happens, counters, says) in CASES {
        let mut config = warned();
        set(&mut config);
        let mut stand = Stand::with(config);
        happens(&mut stand);
        let expected: Vec<_> = counters.split(' ').map(|counter| (counter, 1)).collect();
        let (counted, lines) = (counted(&stand.alice.agent.stats()), lines(&mut stand));
        let from = " !! udp 192.0.2.2:5060 ";
        let told = lines.len() == 1 && says.iter().chain([&from]).all(|text| lines[0].contains(text));
        if counted != expected || !told || !lines[0].is_ascii() {
            wrong.push(format!("{name}: {counted:?} {lines:?}"));
        }
        if let Some(invite) = stand.alice.outgoing {
            // Err: it is over. What rang without a word to the host is not ended by it otherwise.
            let now = stand.alice.now();
            drop(stand.alice.agent.cancel(now, invite, None, &Default::default()));
        }
        stand.end_unjudged();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A call with all that goes with it, lost and repeated messages too, counts nothing.
#[test]
fn a_good_call_writes_no_line() {
    let mut pair = Pair::with(warned(), Config { log_level: LogLevel::Warn, ..config("bob") });
    pair.call();
    pair.alice.hangup();
    pair.advance(seconds(40));
    for party in [&mut pair.alice, &mut pair.bob] {
        assert_eq!((counted(&party.agent.stats()), party.agent.poll_log()), (vec![], None));
    }
    pair.finish();
    let mut stand = Stand::with(warned());
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    stand.say(invite.clone());
    stand.advance(ms(600));
    stand.peer_acknowledges(&invite);
    let again = stand.peer.request("ACK").set("CSeq", "1 ACK");
    says(&mut stand, &again);
    assert_eq!(counted(&stand.alice.agent.stats()), []);
    // The ACK of a refusal without transaction, and one that comes too late (RFC 3261 8.2.7).
    let mut config = warned();
    config.limits.memory_bytes = 1;
    let mut full = Stand::with(config);
    let invite = full.peer.request("INVITE").sdp(OFFER);
    says(&mut full, &invite);
    let refusal = full.peer.take("503 INVITE");
    let ack = full.peer.ack(&invite, &refusal);
    says(&mut full, &ack);
    assert_eq!(full.alice.agent.stats().dropped_ack, 0);
    stand.end_unjudged();
    full.end_unjudged();
}

/// Ten lines at once and ten a second; the next one says how many there might have been. All are counted.
#[test]
fn a_flood_writes_few_lines() {
    let mut stand = Stand::with(warned());
    for _ in 0..1_000 {
        hears(&mut stand, b"hello");
    }
    let first = lines(&mut stand);
    stand.advance(ms(200));
    hears(&mut stand, b"hello");
    hears(&mut stand, b"hello");
    hears(&mut stand, b"hello");
    let second = lines(&mut stand);
    assert_eq!((first.len(), second.len()), (10, 2), "{first:?} {second:?}");
    assert!(first.iter().chain(&second[1..]).all(|line| !line.contains("left out")), "{first:?} {second:?}");
    assert!(second[0].ends_with(" | 990 more were left out before"), "{second:?}");
    assert_eq!(counted(&stand.alice.agent.stats()), [("dropped_malformed", 1_003)]);
    let mut quiet = Stand::with(Config { log_level: LogLevel::Error, ..config("alice") });
    hears(&mut quiet, b"hello");
    assert_eq!((quiet.alice.agent.poll_log(), quiet.alice.agent.stats().dropped_malformed), (None, 1));
    stand.end_unjudged();
    quiet.end_unjudged();
}

/// A flood of one kind does not hide another.
#[test]
fn a_flood_of_one_kind_hides_no_other() {
    let mut stand = Stand::with(warned());
    for _ in 0..1_000 {
        hears(&mut stand, b"hello");
    }
    lines(&mut stand);
    asks(&mut stand, "OPTIONS", |draft| draft.set("CSeq", "1 INVITE"));
    let lines = lines(&mut stand);
    assert!(lines.len() == 1 && lines[0].contains("answered 400") && !lines[0].contains("left out"), "{lines:?}");
    stand.end_unjudged();
}

/// What a peer writes cannot end a line nor make it long, and no secret stands there.
#[test]
fn no_line_has_a_secret_or_lets_a_peer_write_it() {
    let mut stand = Stand::with(warned());
    for call_id in ["a\u{1b}[2Jb", &"c".repeat(5_000), "d\u{e4}"] {
        asks(&mut stand, "OPTIONS", |draft| {
            let draft = draft.set("Call-ID", call_id).set("CSeq", "1 INVITE").request_uri("sip:a:topsecret@192.0.2.1");
            draft
                .with("Authorization", "Digest username=\"u\", response=\"topsecret\"")
                .content("text/plain", "topsecret")
        });
    }
    let lines = lines(&mut stand);
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        assert!(line.len() < 400 && !line.contains("topsecret") && !line.chars().any(char::is_control), "{line:?}");
    }
    stand.end_unjudged();
}

/// A stream that is not read on: the message is answered, and the connection has a line of its own.
#[test]
fn a_lost_stream_is_told() {
    let mut stand = Stand::over(Transport::Tcp, warned());
    let flow = Flow { link: 9, ..Flow::new(Transport::Tcp, ALICE.parse().ok(), BOB.parse().ok()) };
    let text = stand.peer.request("OPTIONS").with("Content-Length", "x").text();
    let now = stand.alice.now();
    stand.alice.agent.receive(now, &flow, text.as_bytes()).expect_err("it is lost");
    assert_eq!(counted(&stand.alice.agent.stats()), [("refused_malformed", 1), ("dropped_stream", 1)]);
    let lines = lines(&mut stand);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("dropped | Content-Length: of unknown length"), "{lines:?}");
    stand.end_unjudged();
}
