//! Whatever bytes come, nothing panics, and what is accepted keeps its promises.

use proptest::prelude::*;
use sipdlg::flow::{Flow, Transport};
use sipdlg::message::{
    CSeq, Challenge, HeaderId, Message, NameAddr, RAck, SessionExpires, Uri, Via, session_expires, uri, write,
};

const SEEDS: [&str; 4] = [
    include_str!("../benches/messages/invite.txt"),
    include_str!("../benches/messages/ok200.txt"),
    "OPTIONS sip:b SIP/2.0\r\nv:SIP / 2.0 / UDP [::1]:5;rport , SIP/2.0/TCP b\r\nf:\"A\\\"\r\n B\" <sip:a@b;x=%20>;tag=x\r\nt:sip:b;tag=y\r\n\
     i:1@a\r\nCSeq: 7\r\n OPTIONS\r\nx-y : z\r\nl:0\r\n\r\n",
    "REFER sips:a:b@[::1]:5061;lr?X=y SIP/2.0\r\nVia: SIP/2.0/UDP a;maddr=1.2.3.4;ttl=1;branch=z9hG4bK\r\nFrom: <tel:+1-2;isub=3>;tag=1\r\n\
     To: *\r\nCall-ID: x\r\nCSeq: 1 REFER\r\nRefer-To: <sip:b?Replaces=1%3bto-tag%3d2>\r\nRAck: 1 2 INVITE\r\nSession-Expires: 90;refresher=uas\r\n\
     WWW-Authenticate: Digest realm=\"a\", qop=\"auth,auth-int\"\r\nContent-Type: multipart/mixed;boundary=\"x\"\r\n\r\n\
     --x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x\r\nc: multipart/alternative;boundary=y\r\n\r\n--y\r\n\r\nz\r\n--y--\r\n--x--",
];

/// Reads everything in every way.
fn exercise(data: &[u8]) {
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

fn values(value: &[u8]) {
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

/// A change of a message: at a place (of 1000), remove some bytes, insert some.
fn mutations() -> impl Strategy<Value = Vec<(usize, usize, Vec<u8>)>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        5 => proptest::sample::select(b"\r\n \t\0\"\\<>;,:=@%()[]?&/0Az*-".to_vec()),
    ];
    proptest::collection::vec((0..1000usize, 0..4usize, proptest::collection::vec(byte, 0..4)), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&data);
        values(&data);
    }

    #[test]
    fn mutated_messages(seed in 0..SEEDS.len(), changes in mutations()) {
        let mut data = SEEDS[seed].as_bytes().to_vec();
        for (place, remove, insert) in changes {
            let at = data.len() * place / 1000;
            let end = (at + remove).min(data.len());
            data.splice(at..end, insert);
        }
        exercise(&data);
    }

    #[test]
    fn any_value(value in "[ -~\t\u{80}-\u{90}]{0,40}") {
        values(value.as_bytes());
    }

    #[test]
    fn value_of_grammar(value in "(\"[a\\\\\"]{0,3}\")? ?<?(sips?|tel|x):([a%2:;]{0,4}@)?[a1.\\[\\]:]{0,6}(;[a=\"%]{0,3}){0,2}(\\?[a=&]{0,3})?>?(;[a=\"]{0,4}){0,2}") {
        values(value.as_bytes());
    }
}
