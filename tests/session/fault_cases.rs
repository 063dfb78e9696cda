//! What may be wrong with a message, and what its counter and line say: the table of `faults`.

use crate::common::draft::Draft;
use crate::common::pair::{ALICE, BOB, Stand, TO_BOB};
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::EventKind;
use sipdlg::config::{Config, Policy};
use sipdlg::flow::{Flow, Transport};

/// Bytes that alice gets, whatever they are, and what follows.
pub fn hears(stand: &mut Stand, bytes: &[u8]) {
    let remote = BOB.parse().ok();
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), remote) };
    let now = stand.alice.now();
    stand.alice.agent.receive(now, &flow, bytes).expect("a datagram is taken");
    stand.exchange();
}

pub fn says(stand: &mut Stand, draft: &Draft) {
    hears(stand, draft.text().as_bytes());
}

/// The peer says a request that is changed like this.
pub fn asks(stand: &mut Stand, method: &str, change: impl FnOnce(Draft) -> Draft) {
    let draft = change(stand.peer.request(method));
    says(stand, &draft);
}

/// The peer answers alice's INVITE with what is changed like this.
pub fn replies(stand: &mut Stand, status: u16, change: impl FnOnce(Draft) -> Draft) {
    if stand.alice.outgoing.is_none() {
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
    }
    let invite = stand.wire.trace.datagrams.iter().find(|sent| sent.from == 0).expect("an INVITE");
    let invite = crate::common::sip::Sip::parse(&invite.bytes).expect("an INVITE");
    let draft = change(stand.peer.reply(&invite, status));
    says(stand, &draft);
}

/// The peer's call stands, and has been hung up by us.
fn over(stand: &mut Stand) {
    stand.peer_calls();
    stand.alice.hangup();
    stand.exchange();
}

/// What is wrong: its settings, what happens, the counters that go up by one, what the line says.
pub type Case = (&'static str, fn(&mut Config), fn(&mut Stand), &'static str, &'static [&'static str]);

const USUAL: fn(&mut Config) = |_| {};
const STRICT: fn(&mut Config) = |config| config.tolerance = 0;

pub const CASES: &[Case] = &[
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
        &["OPTIONS | Call-ID peer-call | answered 513 | the message is longer ", "RFC 3261 21.5.7"],
    ),
    (
        "a response too long",
        |config| config.set_limits(1_500, 0, 0).unwrap(),
        |stand| replies(stand, 404, |draft| draft.content("text/plain", &"x".repeat(1_600))),
        "dropped_limit",
        &["404 to INVITE | Call-ID ", "dropped | the message is longer "],
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
        "answered_limit refused_sessions",
        &["Call-ID second | answered 503 | sessions: "],
    ),
    (
        "no more calls of peers",
        |config| config.set_admission(1, 0, 0, 0).unwrap(),
        |stand| {
            stand.alice.hold(EventKind::Invite);
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
            asks(stand, "INVITE", |draft| draft.sdp(OFFER).set("Call-ID", "second"));
        },
        "answered_limit refused_calls",
        &["Call-ID second | answered 503 | calls: the soft limit"],
    ),
    (
        "no more work",
        |config| config.set_admission(0, 1, 0, 0).unwrap(),
        |stand| {
            stand.alice.hold(EventKind::Invite);
            asks(stand, "INVITE", |draft| draft.sdp(OFFER));
            asks(stand, "OPTIONS", |draft| draft.set("Call-ID", "second"));
        },
        "answered_limit refused_unanswered",
        &["Call-ID second | answered 503 | requests without final response: "],
    ),
    (
        "too many a second",
        |config| config.set_admission(0, 0, 1, 1).unwrap(),
        |stand| {
            asks(stand, "OPTIONS", |draft| draft);
            asks(stand, "OPTIONS", |draft| draft.set("Call-ID", "second"));
        },
        "answered_limit refused_rate",
        &["Call-ID second | answered 503 | requests a second of one address: "],
    ),
    (
        "too far behind",
        USUAL,
        |stand| {
            let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), BOB.parse().ok()) };
            stand.alice.agent.too_far_behind(&flow);
        },
        "dropped_behind",
        &["bytes | Call-ID - | dropped | the agent is behind"],
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
    (
        "in a call that is over",
        USUAL,
        |stand| {
            over(stand);
            asks(stand, "INFO", |draft| draft);
        },
        "refused_unknown",
        &["INFO | ", "answered 481 | To: the session is over", "RFC 3261 15"],
    ),
    (
        "a NOTIFY in a call that is over",
        USUAL,
        |stand| {
            over(stand);
            asks(stand, "NOTIFY", |draft| draft.with("Event", "refer").with("Subscription-State", "active"));
        },
        "refused_unknown",
        &["NOTIFY | ", "answered 481 | "],
    ),
    (
        "a SUBSCRIBE in a call that is over",
        USUAL,
        |stand| {
            over(stand);
            asks(stand, "SUBSCRIBE", |draft| draft.with("Event", "refer"));
        },
        "refused_unknown",
        &["SUBSCRIBE | ", "answered 481 | "],
    ),
    (
        "an offer in a PRACK while one is open",
        USUAL,
        |stand| {
            crate::common::reliable_caller::called(stand, "Supported", OFFER);
            let options = crate::common::party::reliable("");
            crate::common::reliable_caller::progress(stand, 180, &options).expect("legal");
            let ringing = crate::common::reliable_caller::take(stand, "180 INVITE");
            let number = crate::common::reliable_caller::rseq(&ringing);
            asks(stand, "PRACK", |draft| draft.with("RAck", format!("{number} 1 INVITE")).sdp(HOLD));
        },
        "refused_state",
        &["PRACK | ", "answered 488 | Content-Type: an offer is open already", "RFC 3264 4"],
    ),
    (
        "an UPDATE that meets an offer of ours",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.reinvite(HOLD);
            stand.exchange();
            asks(stand, "UPDATE", |draft| draft.sdp(OFFER));
        },
        "refused_state",
        &["UPDATE | ", "answered 491 | CSeq: ", "RFC 3311 5.2"],
    ),
    (
        "an UPDATE behind another",
        USUAL,
        |stand| {
            stand.peer_calls();
            stand.alice.hold(EventKind::Update);
            asks(stand, "UPDATE", |draft| draft);
            asks(stand, "UPDATE", |draft| draft);
        },
        "refused_state",
        &["UPDATE | ", "answered 500 | CSeq: ", "RFC 3311 5.2"],
    ),
    (
        "no URI",
        USUAL,
        |stand| asks(stand, "OPTIONS", |draft| draft.request_uri("sip:@")),
        "refused_malformed",
        &["answered 400 | Request-URI: that is no URI", "RFC 3261 19.1.1"],
    ),
    (
        "Replaces of a call that is over",
        USUAL,
        |stand| {
            stand.peer_calls();
            let (ours, theirs) = (stand.peer.remote_tag.clone(), stand.peer.local_tag.clone());
            let call = stand.peer.call_id.clone();
            stand.alice.hangup();
            stand.exchange();
            stand.peer.remote_tag.clear();
            let replaces = format!("{call};to-tag={ours};from-tag={theirs}");
            asks(stand, "INVITE", |draft| draft.set("Call-ID", "second").with("Replaces", replaces).sdp(OFFER));
        },
        "refused_state",
        &["answered 603 | Replaces: ", "RFC 3891 3"],
    ),
];
