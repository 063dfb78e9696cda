//! What is written, byte for byte.

use sipdlg::flow::{Flow, Transport};
use sipdlg::message::{Body, HeaderId, HeaderName, Message, write};

const INVITE: &str = "INVITE sip:bob@b.example SIP/2.0\r\n\
                      Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport\r\n\
                      v: SIP/2.0/TCP c.example;branch=z9hG4bK0\r\n\
                      Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
                      Route: <sip:p3;lr>\r\n\
                      Record-Route: <sip:p9;lr>\r\n\
                      Max-Forwards: 70\r\n\
                      Timestamp: 54\r\n\
                      f: \"A\" <sip:a@a.example>;tag=1\r\n\
                      To: <sip:bob@b.example>\r\n\
                      Call-ID: 1@a\r\n\
                      CSeq: 7 INVITE\r\n\
                      Contact: <sip:a@a.example>\r\n\
                      Record-Route: <sip:p8;lr>\r\n\
                      Content-Length: 0\r\n\r\n";

fn message(text: &str, remote: Option<&str>) -> Message {
    let flow = remote.map(|remote| Flow::new(Transport::Udp, None, Some(remote.parse().unwrap())));
    Message::parse(text.as_bytes(), flow).unwrap_or_else(|malformed| panic!("{malformed}"))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn response_head_repeats_the_request() {
    let invite = message(INVITE, Some("192.0.2.9:4444"));
    let head = written(|out| write::response_head(out, &invite, 180, None, Some(b"9")));
    assert_eq!(
        head,
        "SIP/2.0 180 Ringing\r\n\
         Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;received=192.0.2.9;rport=4444\r\n\
         Via: SIP/2.0/TCP c.example;branch=z9hG4bK0\r\n\
         From: \"A\" <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@b.example>;tag=9\r\n\
         Call-ID: 1@a\r\n\
         CSeq: 7 INVITE\r\n"
    );
    let trying = written(|out| write::response_head(out, &invite, 100, Some(b"Wait"), None));
    assert!(trying.starts_with("SIP/2.0 100 Wait\r\n") && trying.contains("\r\nTimestamp: 54\r\n"));
    assert!(trying.contains("To: <sip:bob@b.example>\r\n"));
    // RFC 3261 §20.38: once, and a number.
    for (value, repeated) in [("54\r\nTimestamp: 55", 1), ("5.4 1.0", 1), ("now", 0)] {
        let invite = message(&INVITE.replace("Timestamp: 54", &format!("Timestamp: {value}")), None);
        let trying = written(|out| write::response_head(out, &invite, 100, None, None));
        assert_eq!(trying.matches("Timestamp").count(), repeated, "{value}");
    }
    let routes = written(|out| write::record_routes(out, &invite));
    assert_eq!(routes, "Record-Route: <sip:p9;lr>\r\nRecord-Route: <sip:p8;lr>\r\n");
    let tagged = message(&INVITE.replace("To: <sip:bob@b.example>", "To: <sip:bob@b.example>;tag=old"), None);
    assert!(written(|out| write::response_head(out, &tagged, 200, None, Some(b"9"))).contains(";tag=old\r\n"));
    let response = head + "Content-Length: 0\r\n\r\n";
    assert_eq!(message(&response, None).to_tag(), Some(&b"9"[..]));
}

/// RFC 3261 §18.2.1 and RFC 3581 §4.
#[test]
fn the_top_via_tells_where_the_request_came_from() {
    for (via, remote, completed) in [
        ("SIP/2.0/UDP a.example;branch=1", Some("192.0.2.9:4444"), "SIP/2.0/UDP a.example;branch=1;received=192.0.2.9"),
        ("SIP/2.0/UDP 192.0.2.9;branch=1", Some("192.0.2.9:4444"), "SIP/2.0/UDP 192.0.2.9;branch=1"),
        ("SIP/2.0/UDP 192.0.2.8;branch=1", Some("192.0.2.9:4444"), "SIP/2.0/UDP 192.0.2.8;branch=1;received=192.0.2.9"),
        (
            "SIP/2.0/UDP 192.0.2.9 ; rport;x=\"a;b\" ; branch=1",
            Some("192.0.2.9:4444"),
            "SIP/2.0/UDP 192.0.2.9;x=\"a;b\";branch=1;received=192.0.2.9;rport=4444",
        ),
        (
            "SIP/2.0/UDP 192.0.2.9;received=10.0.0.1;branch=1, SIP/2.0/UDP z;rport",
            Some("192.0.2.9:4444"),
            "SIP/2.0/UDP 192.0.2.9;branch=1, SIP/2.0/UDP z;rport",
        ),
        (
            "SIP/2.0/UDP z;received=10.0.0.1;rport=9",
            Some("[2001:db8::1]:99"),
            "SIP/2.0/UDP z;received=2001:db8::1;rport=99",
        ),
        ("SIP/2.0/UDP [2001:db8:0::1]", Some("[2001:db8::1]:99"), "SIP/2.0/UDP [2001:db8:0::1]"),
        ("SIP/2.0/UDP 192.0.2.9", Some("[::ffff:192.0.2.9]:99"), "SIP/2.0/UDP 192.0.2.9"),
        ("SIP/2.0/UDP z;rport", None, "SIP/2.0/UDP z;rport"),
    ] {
        let text = INVITE.replace("SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport", via);
        let head = written(|out| write::response_head(out, &message(&text, remote), 200, None, None));
        assert_eq!(head.lines().nth(1), Some(&*format!("Via: {completed}")), "{via}");
    }
}

#[test]
fn malformed_requests_are_answered() {
    let text = INVITE.replace("CSeq: 7 INVITE", "CSeq: 7 BYE");
    let malformed = Message::parse(text.as_bytes(), None).unwrap_err();
    let request = malformed.answerable().unwrap();
    let head = written(|out| write::response_head(out, request, malformed.status(), None, Some(b"x")));
    assert!(head.starts_with("SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP a.example:5060"));
    assert!(head.ends_with("To: <sip:bob@b.example>;tag=x\r\nCall-ID: 1@a\r\nCSeq: 7 BYE\r\n"));
}

/// RFC 3261 §17.1.1.3 and §9.1.
#[test]
fn ack_and_cancel_are_of_the_invite() {
    let invite = message(INVITE, None);
    let mut response = Vec::new();
    write::response_head(&mut response, &invite, 486, None, Some(b"9"));
    write::finish(&mut response, None);
    let response = Message::parse(&response, None).unwrap();
    assert_eq!(
        written(|out| write::ack_for(out, &invite, &response)),
        "ACK sip:bob@b.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport\r\n\
         Max-Forwards: 70\r\n\
         Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
         Route: <sip:p3;lr>\r\n\
         From: \"A\" <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@b.example>;tag=9\r\n\
         Call-ID: 1@a\r\n\
         CSeq: 7 ACK\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let cancel = written(|out| write::cancel_for(out, &invite, b"Reason: SIP;cause=200\r\n"));
    assert_eq!(
        cancel,
        "CANCEL sip:bob@b.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport\r\n\
         Max-Forwards: 70\r\n\
         Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
         Route: <sip:p3;lr>\r\n\
         From: \"A\" <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@b.example>\r\n\
         Call-ID: 1@a\r\n\
         CSeq: 7 CANCEL\r\n\
         Reason: SIP;cause=200\r\n\
         Content-Length: 0\r\n\r\n"
    );
    assert_eq!(message(&cancel, None).keys().branch, invite.branch());
}

#[test]
fn a_request_from_nothing() {
    let text = written(|out| {
        write::request_line(out, b"INVITE", b"sip:b@c");
        write::via(out, b"UDP", b"192.0.2.1:5060", b"z9hG4bK1", true);
        write::number_header(out, HeaderId::MaxForwards, 70);
        write::header(out, HeaderId::From, &[b"<sip:a@b>;tag=", b"1"]);
        write::header(out, HeaderId::To, &[b"<sip:b@c>"]);
        write::header(out, HeaderId::CallId, &[b"1"]);
        write::cseq(out, 0, b"INVITE");
        write::header(out, HeaderId::Contact, &[b"<sip:[2001:db8::1]:5070>"]);
        write::header(out, b"X-Y", &[b"z"]);
        let sdp = Body { content_type: b"application/sdp", disposition: None, content: b"v=0\r\n" };
        write::finish(out, Some(&sdp));
    });
    assert_eq!(
        text,
        "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: 1\r\nCSeq: 0 INVITE\r\n\
         Contact: <sip:[2001:db8::1]:5070>\r\nX-Y: z\r\n\
         Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    );
    let message = message(&text, None);
    assert_eq!(message.session_body().map(|body| body.content), Some(&b"v=0\r\n"[..]));
    let body = Body { content_type: b"text/plain", disposition: Some(b"session"), content: b"x" };
    assert_eq!(
        written(|out| write::finish(out, Some(&body))),
        "Content-Type: text/plain\r\nContent-Disposition: session\r\nContent-Length: 1\r\n\r\nx"
    );
    for (number, digits) in [(0, "0"), (10, "10"), (u64::MAX, "18446744073709551615")] {
        assert_eq!(written(|out| write::number(out, number)), digits);
    }
}

#[test]
fn text_of_the_host_is_checked() {
    for bad in ["a\rb", "a\nb", "a\0b", "\r\n"] {
        assert!(write::check_line(bad.as_bytes()).is_err());
        assert!(write::split_header_line(format!("X: {bad}").as_bytes()).is_err());
    }
    assert!(write::check_line("J\u{fc}rgen \t".as_bytes()).is_ok());
    for (text, good) in [("a.b", true), ("", false), ("a b", false), ("a;b", false), ("\u{fc}", false)] {
        assert_eq!(write::check_token(text.as_bytes()).is_ok(), good, "{text}");
    }
    for (line, id, name, value) in [
        ("X-A:  b: c ", HeaderId::Other, "X-A", "b: c"),
        ("m : <sip:a>", HeaderId::Contact, "Contact", "<sip:a>"),
        ("subject:", HeaderId::Subject, "Subject", ""),
    ] {
        let (read, text) = write::split_header_line(line.as_bytes()).unwrap();
        assert_eq!((read.id(), read.text(), text), (id, name.as_bytes(), value.as_bytes()));
        assert!(matches!(read, HeaderName::Known(_)) || id == HeaderId::Other);
    }
    for line in ["", "x", ": y", "a b: c", " x: y", "x\ty: z"] {
        assert!(write::split_header_line(line.as_bytes()).is_err(), "{line}");
    }
}
