use super::*;

fn same(left: &str, right: &str) -> bool {
    let (left, right) = (Uri::parse(left.as_bytes()).unwrap(), Uri::parse(right.as_bytes()).unwrap());
    assert_eq!(left.equivalent(&right), right.equivalent(&left), "equivalence is symmetric");
    left.equivalent(&right)
}

/// The table of RFC 3261 §19.1.4, and one row for each of its rules.
#[test]
fn equivalence() {
    let equal = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("SIP:a@b", "sip:a@b"),
        ("sip:[2001:db8::1]", "sip:[2001:DB8:0::1]"),
        ("sip:a%40b@c", "sip:a%40b@c"),
        ("tel:+1-201-555", "tel:+1201555"),
        ("tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22"),
        ("tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358-555-1234567;isub=1411;postd=pp22"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"),
        ("tel:863-1234;phone-context=+1-914-555", "tel:8631234;phone-context=+1914555"),
        ("tel:7042;phone-context=example.com", "TEL:7042;phone-context=EXAMPLE.com"),
        ("tel:+1-201;ext=1-2", "tel:+1201;EXT=12"),
        ("urn:service:sos", "URN:service:sos"),
    ];
    for (left, right) in equal {
        assert!(same(left, right), "{left} {right}");
    }
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
        ("sip:a:p@b", "sip:a@b"),
        ("sip:a:p@b", "sip:a:P@b"),
        ("sip:a@b", "sip:a@b;user=phone"),
        ("sip:a@b", "sip:a@b;ttl=1"),
        ("sip:a@b", "sip:a@b;method=INVITE"),
        ("sip:a@b", "sip:a@b;maddr=1.2.3.4"),
        ("sip:a%3bb@c", "sip:a;b@c"),
        ("sip:a@b;lr", "sip:a@b;lr=true"),
        ("tel:+1201", "tel:1201"),
        ("tel:1201;phone-context=a", "tel:1201"),
        ("tel:1201;phone-context=a-b.example", "tel:1201;phone-context=ab.example"),
        ("tel:1201;phone-context=+1", "tel:1201;phone-context=1"),
        ("tel:+1201;ext=12", "tel:+1201"),
        ("urn:service:sos", "urn:service:SOS"),
    ];
    for (left, right) in different {
        assert!(!same(left, right), "{left} {right}");
    }
}

#[test]
fn parts() {
    let uri =
        Uri::parse(b"sips:al%20ice;x=1:s%3acret@[2001:db8::1]:5061;transport=tcp;lr?Subject=a%20b&Priority=").unwrap();
    assert_eq!(uri.scheme, Scheme::Sips);
    assert_eq!((uri.user, uri.password), (Some(&b"al%20ice;x=1"[..]), Some(&b"s%3acret"[..])));
    assert_eq!((uri.host, uri.port), (&b"[2001:db8::1]"[..], Some(5061)));
    assert_eq!(uri.host_ip(), "2001:db8::1".parse().ok());
    assert_eq!((uri.parameters, uri.headers), (&b";transport=tcp;lr"[..], &b"Subject=a%20b&Priority="[..]));
    assert_eq!(uri.parameter(b"Transport").and_then(|p| p.value), Some(&b"tcp"[..]));
    assert_eq!(uri.parameter(b"lr"), Some(Parameter { name: b"lr", value: None }));
    assert_eq!(uri.parameter(b"maddr"), None);
    assert_eq!(uri.headers().count(), 2);
    assert_eq!(&*unescape(uri.user.unwrap()), b"al ice;x=1");
    let uri = Uri::parse(b"tel:7042;phone-context=example.com").unwrap();
    assert_eq!((uri.scheme, uri.user, uri.host), (Scheme::Tel, Some(&b"7042"[..]), &b""[..]));
    let uri = Uri::parse(b"urn:service:sos?x").unwrap();
    assert_eq!((uri.scheme, uri.opaque), (Scheme::Other, &b"service:sos?x"[..]));
    assert_eq!(Uri::parse(b"sip:host").unwrap().user, None);
}

#[test]
fn good_and_bad() {
    for good in [
        "sip:a@b",
        "sip:b",
        "sip:1_2@b_c.d",
        "sip:user;par=u%40example.net@example.com",
        "sip:a@b;lr;x=[y]",
        "sip:a@b?X=",
        "sip:a@b;maddr=[::1];maddr=h",
        "tel:*21#",
        "sip:j\u{fc}@b",
        "sip:+1(2)3@b;user=phone",
        "mailto:a@b",
        "sip:a:@b",
        // Tolerated: separators behind which nothing stands.
        "sip:a@b;",
        "sip:a@b?",
        "tel:1;",
    ] {
        assert!(Uri::parse(good.as_bytes()).is_ok(), "{good}");
    }
    for bad in [
        "",
        "sip",
        "sip:",
        ":a",
        "a b:c",
        "sip:@b",
        "sip:a@",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:",
        "sip:a@b:5x",
        "sip:a@b@c",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a@b;;x",
        "sip:a@b;=1",
        "sip:a@b;x=",
        "sip:a@b?x",
        "sip:a@b?=1",
        "sip:a@[::1",
        "sip:a@[x]",
        "sip:a b@c",
        "sip:a\"@c",
        "tel:",
        "tel:+",
        "tel:+1a",
        "tel:x-y",
        "sip:a@b/c",
        "sip:a[@b",
        "sip:a@b;maddr",
        "sip:a@b;maddr=[::1",
        "sip:a@b;maddr=192.0.2.66:9",
        "sip:a@b;x;MADDR=a%20b",
        "sip:a@b;maddr=$&/",
    ] {
        assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

/// RFC 3261 §19.1.1, table 1: what is kept as Request-URI, as target, as To.
#[test]
fn what_may_stand_where() {
    let rows = [
        ["sip:a@b", "sip:a@b", "sip:a@b", "sip:a@b"],
        ["sip:a?b;c@h:5070", "sip:a?b;c@h:5070", "sip:a?b;c@h:5070", "sip:a?b;c@h"],
        [
            "sips:x;method=q:p@[::1]:5061;METHOD=BYE;ttl=1;lr;user=phone;maddr=h;x=y?A=b&C=d",
            "sips:x;method=q:p@[::1]:5061;ttl=1;lr;user=phone;maddr=h;x=y",
            "sips:x;method=q:p@[::1]:5061;lr;user=phone;maddr=h;x=y",
            "sips:x;method=q@[::1];user=phone",
        ],
        ["sip:b?A=b", "sip:b", "sip:b", "sip:b"],
        ["sip:b;x?", "sip:b;x", "sip:b;x", "sip:b"],
        ["sip:b;method", "sip:b", "sip:b", "sip:b"],
        ["tel:1;phone-context=x;method=y", "tel:1;phone-context=x;method=y", "", ""],
        ["urn:service:sos?x;method=y", "urn:service:sos?x;method=y", "", ""],
    ];
    for [text, request_uri, target, identity] in rows {
        let uri = Uri::parse(text.as_bytes()).unwrap();
        let or_all = |wanted: &'static str| if wanted.is_empty() { text } else { wanted };
        for (got, wanted) in
            [(uri.as_request_uri(), request_uri), (uri.as_target(), target), (uri.as_identity(), identity)]
        {
            assert_eq!(String::from_utf8_lossy(&got), or_all(wanted), "{text}");
        }
    }
}

#[test]
fn a_hash_in_the_user_is_only_received() {
    for text in ["sip:1#2@h", "sip:#@h", "sip:#1#2#:p@h;x?A=b", "sips:a%23#b@h"] {
        assert!(Uri::parse(text.as_bytes()).is_err(), "{text}");
        assert!(Uri::received(text.as_bytes()).unwrap().hash_in_user, "{text}");
    }
    for text in ["sip:a#%zz@h", "sip:a@h#b", "sip:a@h;x#", "sip:a:p#@h", "sip:a#|@h", "sip:#"] {
        assert!(Uri::received(text.as_bytes()).is_err(), "{text}");
    }
    assert!(!Uri::received(b"sip:a%23b@h").unwrap().hash_in_user);
}

#[test]
fn many_parameters_are_not_compared() {
    let text = |last: &str| format!("sip:b{}{last}", (0..65).map(|i| format!(";p{i}")).collect::<String>());
    assert!(same(&text(";x"), &text(";x")));
    assert!(!same(&text(";x"), &text(";y")));
}

#[test]
fn escaping_is_undone_by_unescaping() {
    let every: Vec<u8> = (0..=255).collect();
    let mut out = Vec::new();
    escape_header(&mut out, &every);
    assert_eq!(&*unescape(&out), every);
    assert!(out.iter().all(|byte| byte.is_ascii_graphic()));
    out.splice(0..0, *b"sip:b?Replaces=");
    let uri = Uri::parse(&out).unwrap();
    assert_eq!(&*unescape(uri.headers().next().unwrap().value.unwrap()), every);
}

/// RFC 3261 §19.1.4: what is escaped is what it stands for, in names too.
#[test]
fn escaped_names() {
    let uri = Uri::parse(b"sip:a@b;%6Dethod=BYE;x=y;t%54l=1;l%72?%52eplac%65s=c@d;to-tag=1").unwrap();
    assert_eq!(&*uri.as_request_uri(), b"sip:a@b;x=y;t%54l=1;l%72");
    assert_eq!(&*uri.as_target(), b"sip:a@b;x=y;l%72");
    assert!(uri.asks_for_other(b"INVITE") && !uri.asks_for_other(b"BYE"));
    assert!(uri.parameter(b"lr").is_some() && uri.header(b"Replaces").is_some());
    assert!(uri.parameter(b"l").is_none() && uri.parameter(b"l%72").is_some());
    let same = |one: &[u8], other: &[u8]| Uri::parse(one).unwrap().equivalent(&Uri::parse(other).unwrap());
    for (one, other, expected) in [
        (&b"sip:a@b;%75ser=phone?%58=y"[..], &b"sip:a@b;user=phone?X=y"[..], true),
        (b"sip:a@b;%75ser=phone", b"sip:a@b", false),
        (b"sip:a@b;%75ser=phone", b"sip:a@b;user=ip", false),
        (b"sip:a@b?%58=y", b"sip:a@b?X=z", false),
    ] {
        assert_eq!((same(one, other), same(other, one)), (expected, expected));
    }
    assert!(Uri::parse(b"sip:a@b;m%61ddr=x@y").is_err(), "maddr is a host");
}
