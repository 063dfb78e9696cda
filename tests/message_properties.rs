//! Whatever bytes come, nothing panics, and what is accepted keeps its promises.

#[path = "common/views.rs"]
mod views;

use proptest::prelude::*;
use sipdlg::message::redact;
use views::{exercise, values};

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

/// Redaction: nothing that a peer makes a line of costs more than by its length: 64 kB of each would take minutes.
#[test]
fn no_redacted_line_is_quadratic() {
    let pieces = [
        "sip:",
        "x=",
        "a,",
        "  ,",
        "=\"",
        "<sip:",
        "sip:@",
        "%40=",
        "inline:",
        "a=b,",
        "\\\"",
        ";",
        "sip:a:b@c ",
        "\r\n ",
        "tel:",
        "x=%40",
        "\"<sip:a>",
        ":",
        "\r",
        "Authorization:",
    ];
    let began = std::time::Instant::now();
    for piece in pieces {
        for start in ["", "From: ", "Authorization: Digest ", "a=crypto:", "From: \"", "\r\n\r\n", "a: ", "x sip:"] {
            let message = start.to_owned() + &piece.repeat(65_000 / piece.len());
            for what in [redact::CREDENTIALS, redact::IDENTITIES, redact::ALL] {
                redact::redact(message.as_bytes(), what);
            }
        }
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
}
