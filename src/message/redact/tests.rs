use super::*;
use crate::message::Message;
use proptest::prelude::*;

fn text(message: &str, what: u32) -> String {
    String::from_utf8(redact(message.as_bytes(), what).into_owned()).expect("text")
}

/// A line in the header, and one in the body, where the length stays.
#[test]
fn what_is_left_out_of_a_line() {
    const C: u32 = CREDENTIALS;
    const I: u32 = IDENTITIES;
    let rows = [
        (
            C,
            "Authorization: Digest username=\"a\", realm=\"r, s\", nonce=\"n\", uri=\"sip:b\", response=\"dead\", algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001, opaque=\"o\"",
            "Authorization: Digest username=\"a\", realm=\"r, s\", nonce=\"n\", uri=\"sip:b\", response=\"redacted\", algorithm=MD5, cnonce=\"redacted\", qop=auth, nc=00000001, opaque=\"o\"",
        ),
        (
            C | I,
            "Proxy-Authorization: Digest username=\"a\",uri=\"sip:u:p@b\",response=dead",
            "Proxy-Authorization: Digest username=\"redacted\", uri=\"sip:redacted:redacted@b\", response=\"redacted\"",
        ),
        (C, "AUTHORIZATION :Digest response = \"dead\"", "AUTHORIZATION :Digest response=\"redacted\""),
        (C, "Authorization:\tBasic YTpi", "Authorization:\tBasic redacted"),
        (C, "Authorization: Bearer YTpi.x", "Authorization: Bearer redacted"),
        (C, "Authorization: YTpi", "Authorization: redacted"),
        (C, "Authorization Digest response=\"dead\"", "Authorization Digest response=\"redacted\""),
        (C, "X-Authorization: Digest dead", "X-Authorization: Digest x=\"redacted\""),
        (
            C,
            "Authorization: Digest realm=\"r, response=\"dead\", x",
            "Authorization: Digest x=\"redacted\", x=\"redacted\", x=\"redacted\"",
        ),
        (C, "Authorization: Digest realm=\"\\\", response=\\\"dead\"", "Authorization: Digest x=\"redacted\""),
        (C, "Authorization: Digest dead==, =dead", "Authorization: Digest x=\"redacted\", x=\"redacted\""),
        (
            C,
            "Authorization: Digest nonce=\"n\",\r\n response=\r\n\t\"dead\"",
            "Authorization: Digest nonce=\"n\", response=\"redacted\"",
        ),
        (C, "Authorization: Digest nonce=\"n\",\r\nresponse=\"dead\"", "Authorization: Digest nonce=\"n\"\r\nredacted"),
        (C, "Authorization: Basic\r\nYTpi", "Authorization: Basic\r\nredacted"),
        (C, "X: y\nresponse=dead;cnonce = \"dead", "X: y\nresponse=redacted;cnonce = \"redacted"),
        (
            C,
            "Authentication-Info: rspauth=\"dead\", cnonce=\"dead\", nc=1",
            "Authentication-Info: rspauth=\"redacted\", cnonce=\"redacted\", nc=1",
        ),
        (C, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\""),
        (C, "From: \"A\" <sip:a:dead@b>;tag=1", "From: \"A\" <sip:a:redacted@b>;tag=1"),
        (C, "Contact: <SIPS:a:de@d@b>, sip:c:dead@d", "Contact: <SIPS:a:redacted@b>, sip:c:redacted@d"),
        (C, "Contact: sip:c:dead@d,sip:e:dead@f;x", "Contact: sip:c:redacted@d,sip:e:redacted@f;x"),
        (C, "Contact: <sip:b:5060>", "Contact: <sip:b:5060>"),
        (C, "Refer-To: <sip:a@b?Authorization=Basic%20dead&x=y>", "Refer-To: <sip:a@b?Authorization=redacted&x=y>"),
        (
            I,
            "Authorization: Digest username=\"a\", response=\"dead\"",
            "Authorization: Digest username=\"redacted\", response=\"dead\"",
        ),
        (I, "From: \"Alice, B\" <sip:a@b>;tag=1", "From: \"redacted\" <sip:redacted@b>;tag=1"),
        (I, "f:Alice<sip:a@b>", "f:\"redacted\"<sip:redacted@b>"),
        (I, "From: Smith, Alice <sip:a@b>", "From: \"redacted\" <sip:redacted@b>"),
        (I, "From: \"Alice <sip:a@b>;tag=1", "From: \"redacted\" <sip:redacted@b>;tag=1"),
        (I, "From: \"x <sip:y>\" <sip:a@b>", "From: \"redacted\" <sip:redacted@b>"),
        (I, "From: \"x \\\" y\" <sip:a@b>", "From: \"redacted\" <sip:redacted@b>"),
        (I, "From: \"x \\\", <sip:y> \\\"\" <sip:a@b>", "From: \"redacted\" <sip:redacted@b>"),
        (I, "From: sip:a@b;tag=1", "From: sip:redacted@b;tag=1"),
        (I, "From: Alice sip:a@b;tag=1", "From: \"redacted\" sip:redacted@b;tag=1"),
        (I, "To: alice@b;tag=1", "To: \"redacted\";tag=1"),
        (I, "To: <alice@b>;tag=1", "To: \"redacted\";tag=1"),
        (I, "To: <sip:b>", "To: <sip:b>"),
        (I, "Contact: *", "Contact: *"),
        (
            I,
            "Contact: A <sip:a:p@b>;q=1, \"B\"\r\n <sip:c@d>, sip:e@f",
            "Contact: \"redacted\" <sip:redacted:redacted@b>;q=1, \"redacted\"\r\n <sip:redacted@d>, sip:redacted@f",
        ),
        (
            I,
            "P-Asserted-Identity: \"A\" <tel:+123;x=y>, sip:a@b",
            "P-Asserted-Identity: \"redacted\" <tel:0;x=y>, sip:redacted@b",
        ),
        (
            I,
            "Remote-Party-ID: A <sip:a@b>;party=calling",
            "Remote-Party-ID: \"redacted\" <sip:redacted@b>;party=calling",
        ),
        (I, "Referred-By: <sip:a@b>;x=\"<sip:c@d>\"", "Referred-By: <sip:redacted@b>;x=\"<sip:redacted@d>\""),
        (
            I,
            "Refer-To: <sip:a@b?Replaces=x%40y%3Bto-tag%3Dz&From=sip%3Ac%40d>",
            "Refer-To: <sip:redacted@b?Replaces=x%40y%3Bto-tag%3Dz&From=redacted>",
        ),
        (I, "Identity: eyJ.a;info=<https://x>;alg=ES256", "Identity: redacted;info=<https://x>;alg=ES256"),
        (I, "y: eyJ", "y: redacted"),
        (I, "X-Sip: Bob", "X-Sip: Bob"),
        (I, "Via: SIP/2.0/UDP a:5060;branch=z", "Via: SIP/2.0/UDP a:5060;branch=z"),
        (I, "Call-ID: a@b", "Call-ID: a@b"),
        (KEYS, "X: inline:dead|2^20", "X: inline:redacted|2^20"),
        (
            ALL,
            "From: \"A\" <sip:a:p@b>;x=inline:dead",
            "From: \"redacted\" <sip:redacted:redacted@b>;x=inline:redacted",
        ),
    ];
    for (what, line, expected) in rows {
        for (before, after) in [("OPTIONS sip:b SIP/2.0\r\n", "\r\n\r\n"), ("OPTIONS sip:b SIP/2.0\r\n", "")] {
            assert_eq!(text(&format!("{before}{line}{after}"), what), format!("{before}{expected}{after}"));
        }
    }
    let body = [
        (
            KEYS,
            "a=crypto:1 AES inline:dead|2^20|1:32;inline:dead FEC",
            "a=crypto:1 AES inline:XXXX|2^20|1:32;inline:XXXX FEC",
        ),
        (KEYS, "A=Crypto:1 AES INLINE:dead", "A=Crypto:1 AES INLINE:XXXX"),
        (KEYS, "a=crypto:1 AES inlne:dead", "a=crypto:1 AES XXXXXXXXXX"),
        (KEYS, "a=crypto:1 dead", "a=crypto:1 XXXX"),
        (KEYS, " a=crypto:dead", " a=crypto:XXXX"),
        (KEYS, "k=clear:dead", "k=clear:XXXX"),
        (KEYS, "k=dead", "k=XXXX"),
        (KEYS, "a=key-mgmt:mikey dead", "a=key-mgmt:mikey XXXX"),
        (KEYS, "a=ice-pwd:dead", "a=ice-pwd:XXXX"),
        (KEYS, "a=rtpmap:0 PCMU/8000", "a=rtpmap:0 PCMU/8000"),
        (CREDENTIALS, "Authorization: Digest response=\"dead\"", "Authorization: Digest XXXXXXXXXXXXXXX"),
        (CREDENTIALS, "From: <sip:a:dead@b>", "From: <sip:a:XXXX@b>"),
        (IDENTITIES, "From: \"Al\" <sip:bob@b>;tag=1", "From: \"XX\" <sip:XXX@b>;tag=1"),
        (IDENTITIES, "x <tel:+12>", "X <tel:000>"),
        (IDENTITIES, "o=bob 1 1 IN IP4 a", "o=XXX 1 1 IN IP4 a"),
        (IDENTITIES, "o=- 1 1 IN IP4 a", "o=- 1 1 IN IP4 a"),
        (IDENTITIES, "e=a@b", "e=XXX"),
    ];
    for (what, line, expected) in body {
        let head = format!("\r\n\r\nA sip:b SIP/2.0\r\nl: {}\r\n\r\nv=0\r\n", line.len() + 7);
        assert_eq!(text(&format!("{head}{line}\r\n"), what), format!("{head}{expected}\r\n"));
    }
    assert_eq!(text("INVITE sip:a:b@c SIP/2.0\r\n\r\n", CREDENTIALS), "INVITE sip:a:redacted@c SIP/2.0\r\n\r\n");
    let blank = "\r\n\r\nINVITE sip:a:dead@c SIP/2.0\r\n";
    assert_eq!(
        text(blank, CREDENTIALS),
        blank.replace("dead", "redacted"),
        "blank lines before a message end no header"
    );
    assert_eq!(text("INVITE sip:a:b@c SIP/2.0", IDENTITIES), "INVITE sip:redacted:redacted@c SIP/2.0");
    assert!(matches!(redact(b"INVITE sip:a:b@c SIP/2.0", 0), Cow::Borrowed(_)));
}

const INVITE: &str = "INVITE sip:bob:S3CR3T@b.example;x=y SIP/2.0\r\n\
    Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: \"Wh0\" <sip:Wh0:S3CR3T@a.example>;tag=1\r\nTo: Wh0 <sip:Wh0@b.example>\r\n\
    Call-ID: 1@a\r\nCSeq: 1 INVITE\r\nContact: <sip:Wh0@192.0.2.1:5060;transport=udp>\r\n\
    P-Asserted-Identity: \"Wh0\" <sip:Wh0@a.example>, <tel:+1>\r\n\
    Authorization: Digest username=\"Wh0\", realm=\"a.example\", nonce=\"n\", uri=\"sip:b.example\",\r\n \
    response=\"S3CR3T\", cnonce=\"S3CR3T\", qop=auth, nc=00000001\r\n\
    Proxy-Authorization: Digest username=\"Wh0\",realm=\"p\",nonce=\"n\",uri=\"sip:b.example\",response=\"S3CR3T\"\r\n\
    Content-Type: application/sdp\r\nContent-Length: 113\r\n\r\n\
    v=0\r\no=Wh0 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3CR3T|2^20\r\n";

fn has(text: &[u8], word: &str) -> bool {
    memchr::memmem::find(text, word.as_bytes()).is_some()
}

#[test]
fn a_message_stays_one() {
    for what in 0..=ALL {
        let redacted = redact(INVITE.as_bytes(), what);
        let message = Message::parse(&redacted, None).expect("a message");
        assert_eq!(message.body().len(), 113);
        assert_eq!((message.call_id(), message.from_tag()), (&b"1@a"[..], Some(&b"1"[..])));
        for id in [HeaderId::From, HeaderId::To, HeaderId::Contact, HeaderId::PAssertedIdentity] {
            assert!(message.name_addr(id, 0).expect("one").is_ok(), "{id:?}");
        }
        assert_eq!(has(&redacted, "S3CR3T"), what & (CREDENTIALS | KEYS) != CREDENTIALS | KEYS);
        assert_eq!(has(&redacted, "Wh0"), what & IDENTITIES == 0);
        assert_eq!(redact(&redacted, what), redacted, "twice is once");
    }
}

proptest! {
    /// Whatever breaks between the secrets, none comes through but where the break took away what told it from a text.
    #[test]
    fn broken_messages_are_redacted(cuts in prop::collection::vec((0usize..INVITE.len(), 0u8..6), 0..6)) {
        let mut message = INVITE.as_bytes().to_vec();
        for (at, how) in cuts {
            // Inside a secret, or of the word that tells one, nobody could know it again.
            let at = at.min(message.len());
            let near = &message[at.saturating_sub(16)..(at + 16).min(message.len())];
            if ["S3", "CR3", "resp", "nonce", "inli", "crypto", "Authori", "sip:", ":S", "T@"].iter().any(|word| has(near, word)) {
                continue;
            }
            match how {
                0 => message.insert(at, b'\n'),
                1 => message.insert(at, b'"'),
                2 => message.insert(at, b'\r'),
                3 => message.insert(at, 0xff),
                4 => message.truncate(at),
                _ => { if at < message.len() { message.remove(at); } }
            }
        }
        let redacted = redact(&message, ALL);
        prop_assert!(!has(&redacted, "S3CR3T"), "{}", String::from_utf8_lossy(&redacted));
    }

    #[test]
    fn any_bytes(message in prop::collection::vec(any::<u8>(), 0..300), what in 0u32..16) {
        redact(&message, what);
    }

    #[test]
    fn any_text(message in "([\"<>:=;,@ \r\nsip]|sip:|<sip:|a=crypto|inline:|Authorization: Digest |From: |response=|\r\n){0,40}", what in 0u32..8) {
        redact(message.as_bytes(), what);
    }
}
