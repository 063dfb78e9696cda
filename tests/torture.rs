//! The messages of RFC 4475 (SIP torture tests) and RFC 5118 (IPv6), byte for byte:
//! what the parser and an agent make of them.

use Parser::{Accepted, Malformed};
use Uas::{Answered, Dropped, Told};
use sipdlg::agent::{Agent, EventKind};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::message::{HeaderId, Message, Uri, uri};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

/// What [`Message::parse`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parser {
    Accepted,
    /// The header at fault; empty for the start line.
    Malformed(&'static str),
}

/// What an agent does that may be asked for everything but subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uas {
    /// By a rule, without the host.
    Answered(u16),
    /// The host gets the event, and this is the default answer.
    Told(EventKind, u16),
    Dropped,
}

/// Section, name, verdict, answer; in a comment what the RFC says beyond that and why we differ.
type Row = (&'static str, &'static str, Parser, Uas);

const OPTIONS: Uas = Told(EventKind::Options, 200);
const INVITE: Uas = Told(EventKind::Invite, 486);
/// The host may be a registrar; the library is none: 405, as §3.3.7 has it for endpoints.
const REGISTER: Uas = Told(EventKind::Register, 405);

const RFC4475: [Row; 49] = [
    // Well-formed; its To has a tag, and there is no such dialog (RFC 3261 §12.2.2).
    ("3.1.1.1", "wsinv", Accepted, Answered(481)),
    ("3.1.1.2", "intmeth", Accepted, Answered(501)),
    ("3.1.1.3", "esc01", Accepted, INVITE),
    ("3.1.1.4", "escnull", Accepted, REGISTER),
    ("3.1.1.5", "esc02", Accepted, Answered(501)),
    ("3.1.1.6", "lwsdisp", Accepted, OPTIONS),
    ("3.1.1.7", "longreq", Accepted, INVITE),
    ("3.1.1.8", "dblreq", Accepted, REGISTER),
    ("3.1.1.9", "semiuri", Accepted, OPTIONS),
    ("3.1.1.10", "transports", Accepted, OPTIONS),
    ("3.1.1.11", "mpart01", Accepted, Told(EventKind::Message, 200)),
    // Responses to nothing.
    ("3.1.1.12", "unreason", Accepted, Dropped),
    ("3.1.1.13", "noreason", Accepted, Dropped),
    ("3.1.2.1", "badinv01", Malformed("Via"), Answered(400)),
    ("3.1.2.2", "clerr", Malformed("Content-Length"), Answered(400)),
    ("3.1.2.3", "ncl", Malformed("Content-Length"), Answered(400)),
    ("3.1.2.4", "scalar02", Malformed("CSeq"), Answered(400)),
    ("3.1.2.5", "scalarlg", Malformed("CSeq"), Dropped),
    ("3.1.2.6", "quotbal", Malformed("To"), Answered(400)),
    ("3.1.2.7", "ltgtruri", Malformed(""), Answered(400)),
    ("3.1.2.8", "lwsruri", Malformed(""), Answered(400)),
    ("3.1.2.9", "lwsstart", Malformed(""), Answered(400)),
    ("3.1.2.10", "trws", Malformed(""), Answered(400)),
    // 400 is "acceptable", and so is to ignore the headers, as here: they never become headers of the request.
    ("3.1.2.11", "escruri", Accepted, INVITE),
    // A UAS does not use Date, and should not refuse it then.
    ("3.1.2.12", "baddate", Accepted, INVITE),
    // 400 is "reasonable": Contact of a REGISTER is the registrar's, that is, the host's to read (and does not read).
    ("3.1.2.13", "regbadct", Accepted, REGISTER),
    ("3.1.2.14", "badaspec", Malformed("To"), Answered(400)),
    // The quirk UNQUOTED_NAME: "an element could attempt to infer", here it does.
    ("3.1.2.15", "baddn", Malformed("From"), OPTIONS),
    ("3.1.2.16", "badvers", Malformed(""), Answered(505)),
    ("3.1.2.17", "mismatch01", Malformed("CSeq"), Answered(400)),
    // 501 "has better future-proof characteristics", 400 is acceptable:
    // the parser, which comes first, knows no methods.
    ("3.1.2.18", "mismatch02", Malformed("CSeq"), Answered(400)),
    ("3.1.2.19", "bigcode", Malformed(""), Dropped),
    // 400 or the transaction matching of RFC 2543: the latter.
    ("3.2.1", "badbranch", Accepted, OPTIONS),
    // "Ideally" 400, but a response repeats From, To and Call-ID (RFC 3261 §8.2.6.2), and none of them is there.
    ("3.3.1", "insuf", Malformed("From"), Dropped),
    ("3.3.2", "unkscm", Accepted, Answered(416)),
    ("3.3.3", "novelsc", Accepted, Answered(416)),
    // The 400 is that of a registrar.
    ("3.3.4", "unksm2", Accepted, REGISTER),
    ("3.3.5", "bext01", Accepted, Answered(420)),
    ("3.3.6", "invut", Accepted, Answered(415)),
    ("3.3.7", "regaut01", Accepted, REGISTER),
    ("3.3.8", "multi01", Malformed("CSeq"), Answered(400)),
    ("3.3.9", "mcl01", Malformed("Content-Length"), Answered(400)),
    ("3.3.10", "bcast", Accepted, Dropped),
    ("3.3.11", "zeromf", Accepted, OPTIONS),
    ("3.3.12", "cparam01", Accepted, REGISTER),
    ("3.3.13", "cparam02", Accepted, REGISTER),
    ("3.3.14", "regescrt", Accepted, REGISTER),
    // "Could" be 406 or 400: what a response to an INVITE holds is the host's to say.
    ("3.3.15", "sdp01", Accepted, INVITE),
    // "Should be accepted" for compatibility: it parses, but without Contact no dialog can be made (RFC 3261 §12.1.1).
    ("3.4.1", "inv2543", Accepted, Answered(400)),
];

/// More comes in the datagram than Content-Length says: a request,
/// and the end of the last line of session descriptions.
const CUT: [&str; 3] = ["dblreq", "mult-ip-in-sdp", "ipv4-mapped-ipv6"];

const RFC5118: [Row; 12] = [
    ("4.1", "ipv6-good", Accepted, REGISTER),
    // The Request-URI is read by the UAS only.
    ("4.2", "ipv6-bad", Accepted, Answered(400)),
    ("4.3", "port-ambiguous", Accepted, REGISTER),
    ("4.4", "port-unambiguous", Accepted, REGISTER),
    ("4.5", "via-received-param-with-delim", Accepted, Answered(481)),
    ("4.5", "via-received-param-no-delim", Accepted, OPTIONS),
    ("4.6", "ipv6-in-sdp", Accepted, INVITE),
    ("4.7", "mult-ip-in-header", Accepted, Answered(481)),
    ("4.8", "mult-ip-in-sdp", Accepted, INVITE),
    ("4.9", "ipv4-mapped-ipv6", Accepted, INVITE),
    ("4.10", "ipv6-bug-abnf-3-colons", Accepted, OPTIONS),
    ("4.10", "ipv6-correct-abnf-2-colons", Accepted, OPTIONS),
];

fn now() -> Now {
    Now { monotonic: Time::from_micros(1_000_000), unix_us: 0 }
}

/// As the archive has it.
fn archived(folder: &str, section: &str, name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{folder}/{section}-{name}.dat", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// As it was meant, where the archives slipped. RFC 5118: LF for CR LF everywhere, no empty line behind the headers of
/// §4.10, in §4.6 a Content-Length beyond the body. RFC 4475: no empty line behind the headers of baddn.
fn data(folder: &str, section: &str, name: &str) -> Vec<u8> {
    let mut data = archived(folder, section, name);
    if folder == "ipv6" {
        data = String::from_utf8(data).expect("ASCII").replace('\n', "\r\n").into_bytes();
    }
    if name == "ipv6-in-sdp" {
        data = String::from_utf8(data).expect("ASCII").replace("268", "251").into_bytes();
    }
    if name == "baddn" || section == "4.10" {
        data.extend(b"\r\n");
    }
    data
}

fn torture(name: &str) -> Vec<u8> {
    let (section, ..) = RFC4475.into_iter().find(|row| row.1 == name).expect("a row");
    data("torture", section, name)
}

fn rows() -> impl Iterator<Item = (Row, Vec<u8>)> {
    let rows = RFC4475.map(|row| (row, "torture")).into_iter().chain(RFC5118.map(|row| (row, "ipv6")));
    rows.map(|(row, folder)| (row, data(folder, row.0, row.1)))
}

fn flow(transport: Transport) -> Flow {
    let address = |text: &str| text.parse::<SocketAddr>().ok();
    let flow = Flow::new(transport, address("192.0.2.253:5060"), address("192.0.2.99:5060"));
    Flow { link: 7, ..flow }
}

fn agent(flow: &Flow) -> Agent {
    let mut config = Config::default();
    config.set_allow(b"INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, MESSAGE, REGISTER").expect("methods");
    let mut agent = Agent::new(config, [1; 32], now());
    agent.add_transport(flow, None).expect("a transport");
    agent
}

/// What the agent sends, and the status of the first of it.
fn sent(agent: &mut Agent) -> Option<(u16, Vec<u8>)> {
    let out = agent.poll_transmit()?;
    assert!(out.bytes.starts_with(b"SIP/2.0 "));
    let status = std::str::from_utf8(&out.bytes[8..11]).expect("digits").parse().expect("a status");
    assert!(agent.poll_transmit().is_none(), "one answer");
    Some((status, out.bytes.to_vec()))
}

/// The first thing that comes of what was received.
fn outcome(agent: &mut Agent) -> (Uas, Vec<u8>) {
    let Some(event) = agent.poll_event() else {
        return sent(agent).map_or((Dropped, Vec::new()), |(status, bytes)| (Answered(status), bytes));
    };
    assert!(agent.poll_transmit().is_none(), "the host answers");
    agent.event_default(now(), &event).expect("a default");
    let (status, bytes) = sent(agent).expect("an answer");
    (Told(event.kind, status), bytes)
}

#[test]
fn every_section_is_there() {
    let mut sections = Vec::new();
    for (group, count) in [("3.1.1", 13), ("3.1.2", 19), ("3.2", 1), ("3.3", 15), ("3.4", 1)] {
        sections.extend((1..=count).map(|section| format!("{group}.{section}")));
    }
    assert_eq!(sections, RFC4475.map(|row| row.0));
    let mut sections: Vec<_> = RFC5118.map(|row| row.0.to_string()).into();
    sections.dedup();
    assert_eq!(sections, (1..=10).map(|section| format!("4.{section}")).collect::<Vec<_>>());
    for (folder, count) in [("torture", RFC4475.len()), ("ipv6", RFC5118.len())] {
        let folder = format!("{}/tests/data/{folder}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), count, "{folder}");
    }
    for ((section, ..), data) in rows() {
        assert!(!data.is_empty(), "{section}");
    }
}

/// What is no message for its framing is dropped without an answer.
#[test]
fn the_archives_with_their_slips_are_refused() {
    let flow = flow(Transport::Udp);
    let slips = RFC5118.map(|row| ("ipv6", row.0, row.1)).into_iter().chain([("torture", "3.1.2.15", "baddn")]);
    for (folder, section, name) in slips {
        let data = archived(folder, section, name);
        let malformed = Message::parse(&data, None).expect_err(name);
        assert!(malformed.header.is_empty() && malformed.message.is_none(), "{section} {name}");
        let mut agent = agent(&flow);
        agent.receive(now(), &flow, &data).expect("a datagram is never an error");
        assert_eq!(outcome(&mut agent).0, Dropped, "{section} {name}");
    }
}

#[test]
fn the_parser_accepts_or_names_the_header() {
    let mut wrong = Vec::new();
    for ((section, name, parser, _), data) in rows() {
        let found = match Message::parse(&data, None) {
            Ok(message) => {
                // Nothing is lost, and nothing beyond Content-Length kept (§3.1.1.8).
                assert!(data.starts_with(message.bytes()), "{section} {name}");
                let cut = message.bytes().len() < data.len();
                assert_eq!(cut, CUT.contains(&name), "{section} {name}");
                Accepted
            }
            Err(malformed) => Malformed(malformed.header),
        };
        if found != parser {
            wrong.push(format!("{section} {name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_uas_answers_tells_or_drops() {
    let flow = flow(Transport::Udp);
    let mut wrong = Vec::new();
    for ((section, name, parser, uas), data) in rows() {
        let mut agent = agent(&flow);
        agent.receive(now(), &flow, &data).expect("a datagram is never an error");
        let (found, answer) = outcome(&mut agent);
        if found != uas {
            wrong.push(format!("{section} {name}: {found:?}"));
        } else if uas != Dropped {
            // Nothing that it repeats makes it malformed, but what was tolerated (RFC 3261 §8.2.6.2).
            let answer = Message::receive(&answer, flow, name == "baddn")
                .unwrap_or_else(|malformed| panic!("{name}: {malformed}"));
            if parser != Accepted {
                continue;
            }
            let request = Message::parse(&data, None).expect("accepted");
            assert_eq!(answer.call_id(), request.call_id(), "{section} {name}");
            assert_eq!(answer.fields(HeaderId::Via).count(), request.fields(HeaderId::Via).count(), "{section} {name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn next_in_stream() -> &'static [u8] {
    b"OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/TCP c.example;branch=z9hG4bKnext\r\nMax-Forwards: 70\r\n\
      From: <sip:c@d.example>;tag=1\r\nTo: <sip:a@b.example>\r\nCall-ID: next\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
}

/// The answer is the same when the message comes in a stream, in pieces of any size, and the next message is heard.
#[test]
fn in_a_stream_the_next_message_is_heard() {
    let flow = flow(Transport::Tcp);
    for ((section, name, _, uas), data) in rows() {
        // What the stream makes of these is below. The body of a message without Content-Length is not told apart.
        if CUT.contains(&name) || ["clerr", "ncl", "mcl01", "inv2543"].contains(&name) {
            continue;
        }
        for size in [1, 7, 4_096] {
            let mut agent = agent(&flow);
            for piece in data.chunks(size) {
                agent.receive(now(), &flow, piece).expect("framing is good");
            }
            assert_eq!(outcome(&mut agent).0, uas, "{section} {name} in pieces of {size}");
            while agent.poll_event().is_some() {}
            agent.receive(now(), &flow, next_in_stream()).expect("framing is good");
            assert_eq!(outcome(&mut agent).0, OPTIONS, "after {section} {name} in pieces of {size}");
        }
    }
}

/// §3.1.1.8: what is noise in a datagram is the next message of a stream.
#[test]
fn extra_octets_are_a_message_in_a_stream() {
    let flow = flow(Transport::Tcp);
    let mut agent = agent(&flow);
    agent.receive(now(), &flow, &torture("dblreq")).expect("framing is good");
    let kinds: Vec<_> = std::iter::from_fn(|| agent.poll_event()).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Register]);
    // The INVITE has no Contact.
    assert_eq!(sent(&mut agent).map(|(status, _)| status), Some(400));
}

/// §3.1.2.2: not much that one can do but wait.
#[test]
fn a_body_too_short_is_waited_for_in_a_stream() {
    let flow = flow(Transport::Tcp);
    let mut agent = agent(&flow);
    agent.receive(now(), &flow, &torture("clerr")).expect("framing is good");
    agent.receive(now(), &flow, next_in_stream()).expect("framing is good");
    assert_eq!(outcome(&mut agent).0, Dropped);
    assert!(agent.link_closed(now(), flow.link), "the half message goes with the connection");
}

/// §3.1.2.3, §3.3.9: the framing error is not recoverable, and the connection should be closed.
#[test]
fn a_stream_without_good_length_is_lost() {
    let flow = flow(Transport::Tcp);
    for name in ["ncl", "mcl01"] {
        for size in [1, 4_096] {
            let mut agent = agent(&flow);
            let whole = [torture(name), next_in_stream().to_vec()].concat();
            let refused = whole.chunks(size).filter(|piece| agent.receive(now(), &flow, piece).is_err()).count();
            assert!(refused > 0, "{name}: the host hears of it");
            assert_eq!(outcome(&mut agent).0, Answered(400), "{name}");
            assert!(agent.receive(now(), &flow, next_in_stream()).is_err(), "{name}");
            assert_eq!(outcome(&mut agent).0, Dropped, "{name}: nothing behind it is read");
            assert!(agent.link_closed(now(), flow.link));
            agent.receive(now(), &flow, next_in_stream()).expect("a new connection");
            assert_eq!(outcome(&mut agent).0, OPTIONS, "{name}");
        }
    }
}

fn accepted(name: &str) -> Message {
    Message::parse(&torture(name), None).unwrap_or_else(|malformed| panic!("{name}: {malformed}"))
}

/// What the RFC's text names of each message.
#[test]
fn parts_are_read_as_the_text_says() {
    let wsinv = accepted("wsinv");
    assert_eq!(wsinv.header(b"unknownheaderwithunusualvalue"), Some(&b";;,,;;,;"[..]));
    assert_eq!((wsinv.header(HeaderId::Subject), wsinv.cseq_number()), (Some(&b""[..]), 9));
    assert_eq!(wsinv.values(HeaderId::Via).count(), 3);
    let contact = wsinv.name_addr(HeaderId::Contact, 0).expect("one").expect("reads");
    assert_eq!(&*contact.display_text(), br#"Quoted string """#);

    let esc01 = Uri::parse(b"sip:sips%3Auser%40example.com@example.net").expect("a URI");
    assert_eq!(accepted("esc01").uri(), Some(esc01.text));
    assert_eq!(
        (&*uri::unescape(esc01.user.expect("user")), esc01.host),
        (&b"sips:user@example.com"[..], &b"example.net"[..])
    );

    let escnull = accepted("escnull");
    let [one, two] = [0, 1].map(|index| escnull.name_addr(HeaderId::Contact, index).expect("two").expect("reads"));
    let (one, two) = (one.parse_uri().expect("a URI"), two.parse_uri().expect("a URI"));
    assert!(!one.equivalent(&two), "two distinct contacts");
    assert_eq!(
        (&*uri::unescape(one.user.expect("user")), &*uri::unescape(two.user.expect("user"))),
        (&b"\0"[..], &b"\0\0"[..])
    );

    assert_eq!(accepted("esc02").values(HeaderId::Contact).count(), 2);
    let semiuri = accepted("semiuri");
    let user = Uri::parse(semiuri.uri().expect("a request")).expect("a URI").user.expect("user");
    assert_eq!(&*uri::unescape(user), b"user;par=u@example.net");
    assert_eq!(accepted("mpart01").body_view().expect("a body").parts().count(), 2);
    assert_eq!(accepted("noreason").reason(), Some(&b""[..]));
    assert!(Uri::parse(accepted("intmeth").uri().expect("a request")).is_ok());
    assert!(accepted("regbadct").name_addr(HeaderId::Contact, 0).expect("one").is_err());

    let contact = |name: &str| {
        let message = accepted(name);
        let contact = message.name_addr(HeaderId::Contact, 0).expect("one").expect("reads");
        let of_uri = contact.parse_uri().expect("a URI").parameter(b"unknownparam").is_some();
        (contact.parameter(b"unknownparam").is_some(), of_uri)
    };
    assert_eq!((contact("cparam01"), contact("cparam02")), ((true, false), (false, true)));
}

/// RFC 5118 §4.3, §4.4, §4.5, §4.9, §4.10.
#[test]
fn ipv6_references_are_read() {
    let message = |section: &str, name: &str| Message::parse(&data("ipv6", section, name), None).expect("accepted");
    let host = |section: &str, name: &str| {
        let message = message(section, name);
        let uri = Uri::parse(message.uri().expect("a request")).expect("a URI");
        (uri.host_ip().expect("an address").to_string(), uri.port)
    };
    assert_eq!(host("4.3", "port-ambiguous"), ("2001:db8::10:5070".into(), None));
    assert_eq!(host("4.4", "port-unambiguous"), ("2001:db8::10".into(), Some(5070)));
    for name in ["ipv6-bug-abnf-3-colons", "ipv6-correct-abnf-2-colons"] {
        assert_eq!(host("4.10", name), ("2001:db8::c000:201".into(), None), "{name}");
    }
    for (name, received) in [("with", "[2001:db8::9:255]"), ("no", "2001:db8::9:255")] {
        let message = message("4.5", &format!("via-received-param-{name}-delim"));
        assert_eq!(message.via(0).expect("one").expect("reads").received, Some(received.as_bytes()));
    }
    let mapped = message("4.9", "ipv4-mapped-ipv6");
    assert_eq!((mapped.sent_by_host(), mapped.sent_by_port()), (&b"[::ffff:192.0.2.10]"[..], Some(19_823)));
}
