//! What the parser accepts, what it finds, and what it refuses with which rule.

use sipdlg::message::{HeaderId, Malformed, Message, Method, Scheme};

const INVITE: &str = include_str!("../benches/messages/invite.txt");
const OK: &str = include_str!("../benches/messages/ok200.txt");

fn parse(text: impl AsRef<[u8]>) -> Message {
    Message::parse(text.as_ref(), None).unwrap_or_else(|malformed| panic!("{malformed}"))
}

fn refused(text: impl AsRef<[u8]>) -> Malformed {
    Message::parse(text.as_ref(), None).expect_err("this is no message")
}

/// A request with the lines that every request has, some of them replaced, and others behind them.
fn request(replaced: &[(&str, &str)], more: &str) -> String {
    let mut text = String::new();
    for (name, line) in [
        ("start", "OPTIONS sip:bob@b.example SIP/2.0"),
        ("Via", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK1"),
        ("Max-Forwards", "Max-Forwards: 70"),
        ("From", "From: <sip:alice@a.example>;tag=1"),
        ("To", "To: <sip:bob@b.example>"),
        ("Call-ID", "Call-ID: 1@a.example"),
        ("CSeq", "CSeq: 1 OPTIONS"),
    ] {
        let line = replaced.iter().find(|(other, _)| *other == name).map_or(line, |(_, line)| line);
        if !line.is_empty() {
            text += line;
            text += "\r\n";
        }
    }
    text + more + "\r\n"
}

#[test]
fn a_request() {
    let message = parse(INVITE);
    assert!(message.is_request());
    assert_eq!((message.method(), message.method_text(), message.status()), (Method::Invite, &b"INVITE"[..], 0));
    assert_eq!(message.uri(), Some(&b"sip:bob@biloxi.example.com"[..]));
    assert_eq!(message.reason(), None);
    let keys = message.keys();
    assert_eq!(keys.branch, Some(&b"z9hG4bK2d4790.1"[..]));
    assert_eq!(keys.sent_by, b"192.0.2.111:5060");
    assert_eq!((message.sent_by_host(), message.sent_by_port()), (&b"192.0.2.111"[..], Some(5060)));
    assert_eq!((keys.from_tag, keys.to_tag), (Some(&b"9fxced76sl"[..]), None));
    assert_eq!(keys.call_id, b"3848276298220188511@atlanta.example.com");
    assert_eq!((keys.cseq, keys.cseq_method.method), (314_159, Method::Invite));
    assert_eq!(message.cseq().method.text, b"INVITE");
    assert_eq!(message.body().len(), 255);
    assert_eq!(message.content_type(), Some(&b"application/sdp"[..]));
    assert_eq!(message.session_body().map(|body| body.content), Some(message.body()));
    assert_eq!(message.bytes(), INVITE.as_bytes());
    assert_eq!(message.fields(HeaderId::Via).count(), 2);
    assert_eq!(message.via(1).unwrap().unwrap().host, b"192.0.2.101");
    assert!(message.via(2).is_none());
    assert_eq!(message.values(HeaderId::Allow).count(), 10);
    assert!(message.has_token(HeaderId::Supported, b"100REL"));
    assert!(!message.has_token(HeaderId::Supported, b"100"));
    assert!(!message.has_token(HeaderId::Require, b"100rel"));
    let from = message.name_addr(HeaderId::From, 0).unwrap().unwrap();
    assert_eq!((&*from.display_text(), from.tag), (&b"Alice"[..], Some(&b"9fxced76sl"[..])));
    assert_eq!(message.name_addr(HeaderId::Contact, 0).unwrap().unwrap().parse_uri().unwrap().scheme, Scheme::Sip);
}

#[test]
fn a_response() {
    let message = parse(OK);
    assert!(!message.is_request());
    assert_eq!((message.method(), message.method_text(), message.status()), (Method::Invite, &b"INVITE"[..], 200));
    assert_eq!((message.reason(), message.uri()), (Some(&b"OK"[..]), None));
    assert_eq!(message.to_tag(), Some(&b"314159-b"[..]));
    for (line, status, reason) in
        [("SIP/2.0 200 ", 200, ""), ("sip/2.0 404 Not  Found", 404, "Not  Found"), ("SIP/2.0 699", 699, "")]
    {
        let message = parse(request(&[("start", line)], ""));
        assert_eq!((message.status(), message.reason()), (status, Some(reason.as_bytes())), "{line}");
    }
    for line in [
        "SIP/2.0",
        "SIP/2.0 ",
        "SIP/2.0 20",
        "SIP/2.0 2000",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0  200 x",
        "SIP/2.0 2x0 x",
    ] {
        assert!(refused(request(&[("start", line)], "")).message.is_none(), "{line}");
    }
    assert_eq!(refused(request(&[("start", "SIP/2.1 200 OK")], "")).status(), 505);
}

#[test]
fn compact_names_any_case_blanks_and_folds() {
    let text = "\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\
                v :  SIP/2.0/UDP a.example;branch=z9hG4bK1 , SIP/2.0/TCP b.example\r\n\
                fROM\t: \"A\r\n   B\" <sip:a@b>\r\n\t;tag=x\r\n\
                T:<sip:b>;tag=y\r\n\
                i:   1@a  \r\n\
                cseq: 0007\r\n  OPTIONS\r\n\
                s:\r\n\
                X-Unknown:a\r\n b\r\n\
                k: a,b\r\n\
                SUPPORTED: c;x , \"d,e\"\r\n\
                l: 3\r\n\r\nabcdef";
    let message = parse(text);
    let keys = message.keys();
    assert_eq!((keys.branch, keys.sent_by), (Some(&b"z9hG4bK1"[..]), &b"a.example"[..]));
    assert_eq!((keys.from_tag, keys.to_tag), (Some(&b"x"[..]), Some(&b"y"[..])));
    assert_eq!((keys.call_id, keys.cseq), (&b"1@a"[..], 7));
    assert_eq!(message.header(HeaderId::From), Some(&b"\"A     B\" <sip:a@b>  \t;tag=x"[..]));
    assert_eq!(message.header(HeaderId::Subject), Some(&b""[..]));
    assert_eq!(message.header(b"x-uNKNOWN"), Some(&b"a   b"[..]));
    assert_eq!(message.via(1).unwrap().unwrap().transport, b"TCP");
    let supported: Vec<_> = message.values("k").collect();
    assert_eq!(supported, [&b"a"[..], b"b", b"c;x", b"\"d,e\""]);
    assert!(message.has_token("Supported", b"C"));
    assert_eq!(message.body(), b"abc");
    // The wire's bytes, without the line ends before and what is beyond Content-Length.
    assert_eq!(message.bytes(), &text.as_bytes()[4..text.len() - 3]);
}

#[test]
fn values_are_taken_apart_only_where_the_grammar_has_lists() {
    let more = "Subject: a, b\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\nUser-Agent: x (a, b)\r\n\
                WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nX-List: a, b\r\n\
                Contact: \"x, y\" <sip:a@b,c?d=e,f>;q=1, <sip:g@h>\r\nContact: sip:i(j@k\r\n\
                Warning: 370 dev \"a, b\" , 399 x (c,d) \"e\"\r\nSupported: ,a,,b ,\r\nRequire:\r\n";
    let message = parse(request(&[], more));
    for (name, count) in [
        ("Subject", 1),
        ("Date", 1),
        ("User-Agent", 1),
        ("WWW-Authenticate", 1),
        ("x-list", 1),
        ("m", 3),
        ("Warning", 2),
        ("Supported", 2),
        ("Require", 0),
        ("X-None", 0),
    ] {
        assert_eq!(message.values(name).count(), count, "{name}");
        assert!(message.name_addr(name, count).is_none(), "{name}");
    }
    assert_eq!(message.name_addr("Contact", 1).unwrap().unwrap().uri, b"sip:g@h");
    assert_eq!(message.values(HeaderId::Contact).count(), 3);
}

#[test]
fn unknown_headers_and_bytes_beyond_utf8_survive() {
    let mut text = request(&[], "X-A:  \u{fc}, \"x\" ; y \r\nx-a: 2\r\nZ: !\r\n").into_bytes();
    let at = text.windows(2).position(|pair| pair == "\u{fc}".as_bytes()).unwrap();
    text[at] = 0xff;
    text.extend(b"\x00\xff\r\n\n");
    let message = parse(&text);
    assert_eq!(message.bytes(), text);
    let all: Vec<u8> =
        message.all_fields().flat_map(|(_, name, value)| [name, b": ", value, b"\r\n"].concat()).collect();
    assert!(all.ends_with(b"X-A: \xff\xbc, \"x\" ; y\r\nx-a: 2\r\nZ: !\r\n"));
    assert_eq!(message.named(b"X-A").count(), 2);
    assert_eq!(message.body(), b"\x00\xff\r\n\n");
}

#[test]
fn content_length() {
    for (line, body, kept) in
        [("", "abc", "abc"), ("l: 3\r\n", "abc", "abc"), ("Content-Length: 002\r\n", "abc", "ab"), ("l:0\r\n", "x", "")]
    {
        let message = parse(request(&[], line) + body);
        assert_eq!(message.body(), kept.as_bytes(), "{line}");
        assert!(message.bytes().ends_with(message.body()));
    }
    for (line, rule) in [
        ("l: 4\r\n", "not above"),
        ("l: +3\r\n", "without sign"),
        ("l: -1\r\n", "without sign"),
        ("l: 3 3\r\n", "without sign"),
        ("l:\r\n", "without sign"),
        ("l: 4294967296\r\n", "without sign"),
        ("l: 3\r\nContent-Length: 3\r\n", "once"),
        ("l: 3\r\nContent-Length: 2\r\n", "once"),
    ] {
        let malformed = refused(request(&[], line) + "abc");
        assert_eq!(malformed.header, "Content-Length", "{line}");
        assert!(malformed.rule.contains(rule), "{line}: {malformed}");
        assert!(malformed.answerable().is_some(), "{line}");
    }
}

#[test]
fn framing() {
    let good = request(&[], "");
    for text in [
        "".to_string(),
        "\r\n".to_string(),
        "\r\n\r\n\r\n".to_string(),
        "OPTIONS".to_string(),
        good.replace("\r\n", "\n"),
        good.replace("\r\n", "\r"),
        good.replacen("\r\n", "\n", 1),
        good.replace("70\r\n", "70\n"),
        good.replace("70\r\n", "7\r0\r\n"),
        good.replace("70\r\n", "7\n0\r\n"),
        good.replace("70\r\n", "70\0\r\n"),
        good.replace("70\r\n", "70\r\r\n"),
        good.replace("Max-Forwards: 70", "Max-Forwards 70"),
        good.replace("Max-Forwards: 70", ": 70"),
        good.replace("Max-Forwards: 70", "X Y: 70"),
        good.replace("Max-Forwards: 70", "X\u{1}: 70"),
        good.replace("Max-Forwards: 70", "x"),
        good.trim_end().to_string(),
        format!("{}\r\n", good.trim_end()),
        format!("{}\r\n\r", good.trim_end()),
        format!("\n{good}"),
        format!(" {good}"),
    ] {
        let malformed = refused(&text);
        assert!(malformed.message.is_none() && malformed.header.is_empty(), "{text:?}");
        assert!(malformed.answerable().is_none());
    }
    assert_eq!(parse(request(&[], &"Z: y\r\n".repeat(250))).all_fields().count(), 256);
    // RFC 3261 §21.5.7: too many lines are answered, wherever those stand that the answer repeats.
    let many = "Z: y\r\n".repeat(251);
    let first = good.replacen("\r\n", &format!("\r\n{many}"), 1);
    for text in [request(&[], &many), first] {
        let malformed = refused(&text);
        assert_eq!((malformed.status(), malformed.to_answer().is_some()), (513, true), "{malformed}");
    }
    // RFC 3261 §25.1 quoted-pair.
    assert_eq!(parse(request(&[], "Z: \"\\\0\"\r\n")).header("z"), Some(&b"\"\\\0\""[..]));
    // A tab and other control characters in a value are no line ends.
    assert_eq!(parse(request(&[], "Z: a\tb\u{1}c\u{7f}\r\n")).header("z"), Some(&b"a\tb\x01c\x7f"[..]));
}

#[test]
fn start_lines_of_requests() {
    for line in [
        "NEW.method tel:+1 SIP/2.0",
        "OPTIONS urn:service:sos SIP/2.0",
        "OPTIONS sip:bob@b.example sip/2.0",
        "OPTIONS nobodyknows:x SIP/2.0",
    ] {
        let method = line.split(' ').next().unwrap();
        let message = parse(request(&[("start", line), ("CSeq", &format!("CSeq: 1 {method}"))], ""));
        assert_eq!(message.method_text(), method.as_bytes());
    }
    for line in [
        "OPTIONS",
        "OPTIONS sip:b",
        "OPT@ONS sip:b SIP/2.0",
        "OPTIONS\tsip:b SIP/2.0",
        "OPTIONS sip:b HTTP/1.1",
        "OPTIONS sip:b SIP/x.y",
        "OPTIONS sip:b SIP",
        " OPTIONS sip:b SIP/2.0",
    ] {
        let malformed = refused(request(&[("start", line)], ""));
        assert!(malformed.message.is_none() && malformed.header.is_empty(), "{line}");
    }
    // RFC 4475 §3.1.2.7 to §3.1.2.10: no request, but its sender is told so.
    for line in [
        "OPTIONS  sip:b SIP/2.0",
        "OPTIONS sip:b  SIP/2.0",
        "OPTIONS sip:b SIP/2.0 ",
        "OPTIONS <sip:b> SIP/2.0",
        "OPTIONS sip: SIP/2.0",
        "OPTIONS b SIP/2.0",
        "OPTIONS sip:a b SIP/2.0",
    ] {
        let malformed = refused(request(&[("start", line)], ""));
        assert_eq!((malformed.header, malformed.status(), malformed.answerable().is_some()), ("", 400, true), "{line}");
    }
    for line in ["OPTIONS sip:b SIP/7.0", "OPTIONS sip:b SIP/2.00"] {
        let malformed = refused(request(&[("start", line)], ""));
        assert_eq!((malformed.status(), malformed.answerable().is_some()), (505, true), "{line}");
    }
}

/// Each broken header of a request is named, and the request answered 400 where everything that
/// the answer repeats is there.
#[test]
fn broken_headers_are_named_and_answerable() {
    for (header, line, answerable) in [
        ("Via", "", false),
        ("Via", "Via: SIP/2.0/UDP", false),
        ("Via", "Via:", false),
        ("Via", "Via: SIP/2.0/UDP a.example;branch=x;;", true),
        ("Via", "Via: SIP/2.0/UDP a.example:x;branch=x", false),
        ("Via", "Via: SIP/3.0/UDP a.example;branch=x", true),
        ("Via", "Via: HTTP/2.0/UDP a.example;branch=x", false),
        ("Via", "Via: SIP/2.0/UDP a.example;branch=x, SIP/2.0/UDP", true),
        ("Via", "Via: SIP/2.0/UDP a.example;branch=x,", true),
        ("From", "", false),
        ("From", "From:", false),
        ("From", "From: alice", true),
        ("From", "From: <sip:a@b>;tag=1\r\nf: <sip:a@b>;tag=1", true),
        ("From", "From: <sip:a@b>;tag=1;tag=2", true),
        ("To", "", false),
        ("To", "To: \"Bob <sip:b>", true),
        ("To", "To: <sip:b>, <sip:c>", true),
        ("To", "To: <sip:b>\r\nTo: <sip:b>", true),
        ("Call-ID", "", false),
        ("Call-ID", "Call-ID: a b", true),
        ("Call-ID", "Call-ID: a\u{1}b", true),
        ("Call-ID", "Call-ID: ", false),
        ("Call-ID", "Call-ID: a\r\ni: a", true),
        ("CSeq", "", false),
        ("CSeq", "CSeq: 1 INVITE", true),
        ("CSeq", "CSeq: 1 options", true),
        ("CSeq", "CSeq: OPTIONS", true),
        ("CSeq", "CSeq: 2147483648 OPTIONS", true),
        ("CSeq", "CSeq: 4294967297 OPTIONS", true),
        ("CSeq", "CSeq: 1 OPTIONS\r\nCSeq: 1 OPTIONS", true),
        ("Max-Forwards", "Max-Forwards: 256", true),
        ("Max-Forwards", "Max-Forwards: x", true),
        ("Max-Forwards", "Max-Forwards: 1\r\nMax-Forwards: 1", true),
    ] {
        let malformed = refused(request(&[(header, line)], ""));
        assert_eq!((malformed.header, malformed.status()), (header, 400), "{line}");
        assert!(malformed.rule.contains("(RFC "), "{malformed}");
        assert!(malformed.message.is_some());
        assert_eq!(malformed.answerable().is_some(), answerable, "{header} {line}");
        // The same headers in a response are nothing to answer.
        let start = "SIP/2.0 200 OK";
        if !line.starts_with("CSeq: 1 ") || line.contains('\r') {
            assert!(refused(request(&[(header, line), ("start", start)], "")).message.is_none(), "{line}");
        }
    }
    assert!(Message::parse(request(&[("Max-Forwards", "")], "").as_bytes(), None).is_ok(), "tolerated");
    let ack = refused(request(&[("start", "ACK sip:b SIP/2.0"), ("CSeq", "CSeq: x ACK")], ""));
    assert!(ack.message.is_some() && ack.answerable().is_none(), "an ACK is never answered");
}

#[test]
fn messages_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Message>();
}
