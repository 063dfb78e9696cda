//! What the library drops, refuses or passes over by itself can be found: a counter for each kind of rule, and a line at
//! WARN with header, rule and section; a flood of it costs few lines, and no line has a secret.

use crate::common::draft::Draft;
use crate::common::pair::{ALICE, BOB, Pair, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::{ANSWER, HOLD, OFFER, ms, seconds};
use sipdlg::agent::{EventKind, Stats};
use sipdlg::config::{Config, LogLevel, Policy};
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

/// Bytes that alice gets, whatever they are, and what follows.
fn hears(stand: &mut Stand, bytes: &[u8]) {
    let remote = BOB.parse().ok();
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), remote) };
    let now = stand.alice.now();
    stand.alice.agent.receive(now, &flow, bytes).expect("a datagram is taken");
    stand.exchange();
}

fn says(stand: &mut Stand, draft: &Draft) {
    hears(stand, draft.text().as_bytes());
}

/// The peer says a request that is changed like this.
fn asks(stand: &mut Stand, method: &str, change: impl FnOnce(Draft) -> Draft) {
    let draft = change(stand.peer.request(method));
    says(stand, &draft);
}

/// The peer answers alice's INVITE with what is changed like this.
fn replies(stand: &mut Stand, status: u16, change: impl FnOnce(Draft) -> Draft) {
    if stand.alice.outgoing.is_none() {
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
    }
    let invite = stand.wire.trace.datagrams.iter().find(|sent| sent.from == 0).expect("an INVITE");
    let invite = crate::common::sip::Sip::parse(&invite.bytes).expect("an INVITE");
    let draft = change(stand.peer.reply(&invite, status));
    says(stand, &draft);
}

/// What is wrong: its settings, what happens, the counters that go up by one, what the line says.
type Case = (&'static str, fn(&mut Config), fn(&mut Stand), &'static str, &'static [&'static str]);

const USUAL: fn(&mut Config) = |_| {};
const STRICT: fn(&mut Config) = |config| config.tolerance = 0;

const CASES: &[Case] = &[
    ("noise", USUAL, |stand| hears(stand, b"hello"), "dropped_malformed", &["bytes | Call-ID - | dropped | "]),
    (
        "a broken request",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| draft.set("CSeq", "1 INVITE")),
        "refused_malformed",
        &["udp 192.0.2.2:5060 OPTIONS | Call-ID peer-call | answered 400 | CSeq: ", "RFC 3261 "],
    ),
    (
        "a broken response",
        USUAL,
        |stand| replies(stand, 200, |draft| draft.without("CSeq")),
        "dropped_malformed",
        &["dropped | CSeq: "],
    ),
    (
        "too many lines",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| (0..300).fold(draft, |draft, at| draft.with(&format!("X-{at}"), "y"))),
        "answered_limit",
        &["answered 513", "256 header lines"],
    ),
    (
        "a request too long",
        |config| config.set_limits(1_500, 0, 0).unwrap(),
        |stand| asks(stand, "OPTIONS", |draft| draft.content("text/plain", &"x".repeat(1_600))),
        "answered_limit",
        &["OPTIONS | Call-ID peer-call | answered 513 | longer ", "RFC 3261 21.5.7"],
    ),
    (
        "a response too long",
        |config| config.set_limits(1_500, 0, 0).unwrap(),
        |stand| replies(stand, 404, |draft| draft.content("text/plain", &"x".repeat(1_600))),
        "dropped_limit",
        &["404 to INVITE | Call-ID ", "dropped | longer "],
    ),
    (
        "a list too long",
        USUAL,
        |stand| {
            asks(stand, "OPTIONS", |draft| {
                (0..70).fold(draft, |draft, _| draft.with("Route", "<sip:p.example.org;lr>"))
            })
        },
        "answered_limit",
        &["answered 513 | Route: more than 64"],
    ),
    (
        "a method not allowed",
        USUAL,
        |stand| asks(stand, "PUBLISH", |draft| draft),
        "refused_method",
        &["PUBLISH | ", "answered 405 | method: ", "RFC 3261 8.2.1"],
    ),
    (
        "a method unknown",
        USUAL,
        |stand| asks(stand, "FOO", |draft| draft),
        "refused_method",
        &["FOO | ", "answered 501"],
    ),
    (
        "another scheme",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| draft.request_uri("mailto:a@b.example")),
        "refused_scheme",
        &["answered 416 | Request-URI: "],
    ),
    (
        "an extension",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| draft.with("Require", "foo")),
        "refused_extension",
        &["answered 420 | Require: ", "RFC 3261 8.2.2.3"],
    ),
    (
        "without 100rel",
        |config| config.reliable = Policy::Required,
        |stand| asks(stand, "INVITE", |draft| draft.sdp(OFFER)),
        "refused_extension",
        &["answered 421 | Supported: "],
    ),
    (
        "a body of no use",
        USUAL,
        |stand| asks(stand, "INVITE", |draft| draft.content("text/plain", "hello")),
        "refused_content",
        &["answered 415 | Content-Type: "],
    ),
    (
        "a coded body",
        USUAL,
        |stand| asks(stand, "INVITE", |draft| draft.sdp(OFFER).with("Content-Encoding", "gzip")),
        "refused_content",
        &["answered 415 | Content-Encoding: "],
    ),
    (
        "two ways",
        USUAL,
        |stand| {
            stand.alice.hold(EventKind::Options);
            let request = stand.peer.request("OPTIONS");
            says(stand, &request);
            let via = stand.peer.via();
            says(stand, &request.set("Via", via));
        },
        "refused_merged",
        &["answered 482 | Via: ", "RFC 3261 8.2.2.2"],
    ),
    (
        "no Contact",
        USUAL,
        |stand| asks(stand, "INVITE", |draft| draft.without("Contact")),
        "refused_malformed",
        &["answered 400 | Contact: INVITE without a good Contact (RFC 3261 8.1.1.8, 12.1.1)"],
    ),
    (
        "Replaces elsewhere",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| draft.with("Replaces", "a;to-tag=b;from-tag=c")),
        "refused_malformed",
        &["answered 400 | Replaces: ", "RFC 3891 3"],
    ),
    (
        "Replaces of nothing",
        USUAL,
        |stand| asks(stand, "INVITE", |draft| draft.with("Replaces", "a;to-tag=b;from-tag=c")),
        "refused_unknown",
        &["answered 481 | Replaces: "],
    ),
    (
        "of no dialog",
        USUAL,
        |stand| {
            stand.peer.remote_tag = "gone".to_owned();
            asks(stand, "BYE", |draft| draft);
        },
        "refused_unknown",
        &["BYE | ", "answered 481 | To: ", "RFC 3261 12.2.2"],
    ),
    (
        "without a dialog",
        USUAL,
        |stand| asks(stand, "BYE", |draft| draft),
        "refused_unknown",
        &["answered 481 | To: no tag"],
    ),
    (
        "a CANCEL of nothing",
        USUAL,
        |stand| {
            let invite = stand.peer.request("INVITE");
            let cancel = stand.peer.cancel(&invite);
            says(stand, &cancel);
        },
        "refused_unknown",
        &["CANCEL | ", "answered 481 | Via: ", "RFC 3261 9.2"],
    ),
    (
        "a PRACK of nothing",
        STRICT,
        |stand| {
            stand.peer_calls();
            asks(stand, "PRACK", |draft| draft.with("RAck", "1 1 INVITE"));
        },
        "refused_unknown",
        &["answered 481 | RAck: ", "RFC 3262 3"],
    ),
    (
        "a broken RAck",
        USUAL,
        |stand| {
            stand.peer_calls();
            asks(stand, "PRACK", |draft| draft.with("RAck", "x"));
        },
        "refused_malformed",
        &["answered 400 | RAck: "],
    ),
    (
        "an old number",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.peer.cseq = 0;
            asks(stand, "INFO", |draft| draft);
        },
        "refused_order",
        &["INFO | ", "answered 500 | CSeq: ", "RFC 3261 12.2.2"],
    ),
    (
        "glare",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.reinvite(HOLD);
            stand.exchange();
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
        },
        "refused_state",
        &["answered 491 | CSeq: ", "RFC 3261 14.2"],
    ),
    (
        "one INVITE after the other",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Reinvite);
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
        },
        "refused_state",
        &["answered 500 | CSeq: "],
    ),
    (
        "no more sessions",
        |config| config.set_limits(0, 1, 0).unwrap(),
        |stand| {
            stand.peer_calls();
            stand.peer.remote_tag.clear();
            stand.peer.call_id = "second".to_owned();
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
        },
        "answered_limit",
        &["Call-ID second | answered 503 | sessions: "],
    ),
    (
        "no more memory",
        |config| config.limits.memory_bytes = 1,
        |stand| asks(stand, "INVITE", |draft| draft.sdp(OFFER)),
        "answered_limit refused_memory",
        &["answered 503 | the bound in bytes is reached"],
    ),
    (
        "a package that is not listed",
        USUAL,
        |stand| {
            stand.peer_calls();
            asks(stand, "INFO", |draft| draft.with("Info-Package", "foo"));
        },
        "refused_content",
        &["answered 469 | Info-Package: ", "RFC 6086 4.2.2"],
    ),
    (
        "a REFER to nobody",
        USUAL,
        |stand| {
            stand.peer_calls();
            asks(stand, "REFER", |draft| draft);
        },
        "refused_malformed",
        &["answered 400 | Refer-To: exactly one Refer-To (RFC 3515 2.4.2)"],
    ),
    (
        "nobody cares",
        USUAL,
        |stand| asks(stand, "NOTIFY", |draft| draft.with("Event", "foo").with("Subscription-State", "active")),
        "refused_default",
        &["NOTIFY | ", "the host has no answer"],
    ),
    (
        "nobody answers",
        USUAL,
        |stand| {
            stand.alice.hold(EventKind::Invite);
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
            stand.advance(seconds(200));
        },
        "refused_default",
        &["INVITE | ", "answered 480"],
    ),
    (
        "a response to nothing",
        USUAL,
        |stand| replies(stand, 404, |draft| draft.set("Via", format!("SIP/2.0/UDP {ALICE};branch=z9hG4bKnone"))),
        "dropped_response",
        &["404 to INVITE | ", "dropped | Via: ", "RFC 3261 17.1.3"],
    ),
    (
        "two Vias",
        STRICT,
        |stand| replies(stand, 404, |draft| draft.with("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKmore")),
        "dropped_response",
        &["dropped | Via: more than one", "RFC 3261 8.1.3.3"],
    ),
    (
        "a 180 without tag",
        STRICT,
        |stand| {
            replies(stand, 180, |draft| {
                let to = draft.get("To").split(';').next().unwrap_or_default().to_owned();
                draft.set("To", to)
            })
        },
        "dropped_response",
        &["180 to INVITE | ", "dropped | To: no tag"],
    ),
    (
        "a 180 without Contact",
        STRICT,
        |stand| replies(stand, 180, |draft| draft.without("Contact")),
        "dropped_response",
        &["dropped | Contact: ", "RFC 3261 12.1.1"],
    ),
    (
        "too many forks",
        |config| config.limits.early_dialogs = 1,
        |stand| {
            replies(stand, 180, |draft| draft);
            replies(stand, 180, |draft| {
                let to = format!("{}x", draft.get("To"));
                draft.set("To", to)
            });
        },
        "dropped_limit",
        &["180 to INVITE | ", "dropped | To: "],
    ),
    (
        "a gap",
        USUAL,
        |stand| {
            replies(stand, 183, |draft| draft.reliable(5));
            replies(stand, 183, |draft| draft.reliable(5));
            replies(stand, 183, |draft| draft.reliable(7));
        },
        "dropped_response",
        &["183 to INVITE | ", "dropped | RSeq: ", "RFC 3262 4"],
    ),
    (
        "an ACK of nothing",
        USUAL,
        |stand| {
            stand.peer.remote_tag = "gone".to_owned();
            asks(stand, "ACK", |draft| draft);
        },
        "dropped_ack",
        &["ACK | Call-ID peer-call | dropped | To: "],
    ),
    (
        "an ACK of no INVITE in the dialog",
        USUAL,
        |stand| {
            stand.peer_calls();
            asks(stand, "ACK", |draft| draft.set("CSeq", "77 ACK"));
        },
        "dropped_ack",
        &["ACK | Call-ID peer-call | dropped | To: "],
    ),
    (
        "a challenge by MD5",
        |config| {
            config.set_digest_minimum(Some(b"SHA-256")).unwrap();
            config.add_credentials(None, b"alice", b"wonderland", false, None).unwrap();
        },
        |stand| {
            replies(stand, 401, |draft| {
                draft.with("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", algorithm=MD5")
            })
        },
        "ignored_challenges",
        &["401 to INVITE | ", "passed over | WWW-Authenticate: ", "RFC 8760 2.4"],
    ),
    (
        "a challenge with a parameter twice",
        USUAL,
        |stand| {
            replies(stand, 407, |draft| {
                draft.with("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\", nonce=\"m\"")
            })
        },
        "ignored_challenges",
        &["passed over | Proxy-Authenticate: ", "RFC 7616 3.3"],
    ),
    (
        "a challenge without realm",
        USUAL,
        |stand| replies(stand, 401, |draft| draft.with("WWW-Authenticate", "Digest nonce=\"n\"")),
        "ignored_challenges",
        &["passed over | WWW-Authenticate: realm and nonce", "RFC 7616 3.3"],
    ),
    (
        "more than 8 challenges",
        USUAL,
        |stand| {
            replies(stand, 401, |draft| {
                (0..9).fold(draft, |draft, at| {
                    draft.with("WWW-Authenticate", format!("Digest realm=\"r{at}\", nonce=\"n\""))
                })
            })
        },
        "ignored_challenges",
        &["passed over | WWW-Authenticate: more than 8"],
    ),
    (
        "64 waiting requests",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Info);
            for _ in 0..65 {
                asks(stand, "INFO", |draft| draft);
            }
        },
        "answered_limit",
        &["INFO | ", "answered 500 | 64 requests"],
    ),
    (
        "no more memory for an address",
        |config| config.limits.address_bytes = 1,
        |stand| {
            stand.alice.hold(EventKind::Invite);
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
            asks(stand, "INVITE", |draft| draft.sdp(OFFER).set("Call-ID", "second"));
        },
        "answered_limit refused_memory",
        &["Call-ID second | answered 503 | the bound in bytes of one address is reached"],
    ),
    (
        "early-only of an answered call",
        USUAL,
        |stand| {
            stand.peer_calls();
            let (ours, theirs) = (stand.peer.remote_tag.clone(), stand.peer.local_tag.clone());
            stand.peer.remote_tag.clear();
            let replaces = format!("{};to-tag={ours};from-tag={theirs};early-only", stand.peer.call_id);
            asks(stand, "INVITE", |draft| draft.set("Call-ID", "second").with("Replaces", replaces).sdp(OFFER));
        },
        "refused_state",
        &["answered 486 | Replaces: early-only", "RFC 3891 3"],
    ),
    (
        "a 2xx beyond the forks",
        |config| config.limits.early_dialogs = 1,
        |stand| {
            replies(stand, 200, |draft| draft.sdp(ANSWER));
            replies(stand, 200, |draft| {
                let to = format!("{}x", draft.get("To"));
                draft.set("To", to).sdp(ANSWER)
            });
        },
        "dropped_limit",
        &["200 to INVITE | ", "dropped | To: "],
    ),
    (
        "maddr",
        USUAL,
        |stand| {
            asks(stand, "OPTIONS", |draft| {
                let via = format!("{};maddr=192.0.2.77", draft.get("Via"));
                draft.set("Via", via)
            })
        },
        "maddr_ignored",
        &["OPTIONS | ", "passed over | Via: maddr ", "RFC 3261 18.2.2"],
    ),
];

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
