//! Reads a message in every way, and holds it against what an accepted message promises.

use sipdlg::flow::{Flow, Transport};
use sipdlg::message::{
    CSeq, Challenge, HeaderId, Message, NameAddr, RAck, SessionExpires, Uri, Via, session_expires, uri, write,
};

/// Reads everything in every way.
pub fn exercise(data: &[u8]) {
    let flow = Flow::new(Transport::Udp, None, "192.0.2.1:5060".parse().ok());
    let message = match Message::parse(data, Some(flow)) {
        Ok(message) => {
            accepted(&message, data);
            message
        }
        Err(malformed) => {
            let _ = (malformed.to_string(), malformed.status());
            if let Some(request) = malformed.answerable() {
                let mut out = Vec::new();
                write::response_head(&mut out, request, malformed.status(), None, Some(b"t"));
                assert!(out.ends_with(b"\r\n"));
            }
            let Some(message) = malformed.message else { return };
            *message
        }
    };
    let _ = (message.keys(), message.cseq(), message.uri(), message.reason(), message.method_text());
    let _ = (message.sent_by_host(), message.session_body(), message.body_view().map(|body| body.parts().count()));
    let ids: Vec<HeaderId> = message.all_fields().map(|(id, _, _)| id).collect();
    for id in ids {
        for value in message.values(id) {
            values(value);
        }
        let _ = (message.name_addr(id, 0), message.via(1), message.has_token(id, b"x"));
    }
    let mut out = Vec::new();
    write::ack_for(&mut out, &message, &message);
    write::cancel_for(&mut out, &message, b"");
    write::record_routes(&mut out, &message);
}

fn accepted(message: &Message, data: &[u8]) {
    assert!(data.windows(message.bytes().len()).any(|window| window == message.bytes()));
    assert!(message.bytes().ends_with(message.body()));
    assert!(
        !message.call_id().is_empty() && !message.sent_by().is_empty() && message.via(0).is_some_and(|via| via.is_ok())
    );
    assert_eq!(message.branch(), message.via(0).and_then(|via| via.ok()?.branch));
    assert_eq!(message.from_tag(), message.name_addr(HeaderId::From, 0).and_then(|from| from.ok()?.tag));
    assert_eq!(message.to_tag(), message.name_addr(HeaderId::To, 0).and_then(|to| to.ok()?.tag));
    // What was accepted is accepted again, and is the same.
    let again = Message::parse(message.bytes(), None).expect("again");
    assert_eq!((again.keys(), again.body()), (message.keys(), message.body()));
    if message.is_request() {
        let mut out = Vec::new();
        write::response_head(&mut out, message, 200, None, Some(b"tag"));
        write::finish(&mut out, None);
        let response = Message::parse(&out, None).unwrap_or_else(|m| panic!("{m}: {}", String::from_utf8_lossy(&out)));
        let (ours, theirs) = (response.keys(), message.keys());
        assert_eq!((ours.branch, ours.sent_by), (theirs.branch, theirs.sent_by));
        assert_eq!((ours.call_id, ours.from_tag, ours.cseq), (theirs.call_id, theirs.from_tag, theirs.cseq));
        assert_eq!(ours.to_tag, theirs.to_tag.or(Some(b"tag")));
    }
}

/// Reads a value as each header has it.
pub fn values(value: &[u8]) {
    if let Ok(address) = NameAddr::parse(value) {
        let _ = (address.display_text(), address.parameters().count(), address.parameter(b"q"));
        if let Ok(read) = address.parse_uri() {
            assert!(read.equivalent(&read), "{}", String::from_utf8_lossy(address.uri));
            let _ = (read.host_ip(), read.parameter(b"lr"), read.headers().count());
        }
    }
    let _ = (Via::parse(value), CSeq::parse(value), RAck::parse(value), SessionExpires::parse(value));
    let _ = (session_expires::parse_seconds(value), uri::unescape(value));
    if let Ok(challenge) = Challenge::parse(value) {
        let _ = (challenge.parameters().count(), challenge.has_qop(b"auth"), challenge.is_stale());
    }
    if let Ok(read) = Uri::parse(value) {
        assert!(read.equivalent(&read));
    }
    let _ = write::split_header_line(value);
}
