use super::*;
use crate::error::ErrorKind;

/// What `set` makes of a text: the kind of the refusal, and whether a refusal left everything as it was.
fn refused(texts: &[&str], set: impl Fn(&mut Config, &[u8]) -> Result<()>) {
    let before = format!("{:?}", Config::default());
    for text in texts {
        let mut config = Config::default();
        let error = set(&mut config, text.as_bytes()).expect_err(text);
        assert_eq!(error.kind, ErrorKind::Syntax, "{text}");
        assert_eq!(format!("{config:?}"), before, "{text}");
    }
}

fn texts(list: &[Vec<u8>]) -> Vec<&str> {
    list.iter().map(|text| std::str::from_utf8(text).unwrap()).collect()
}

#[test]
fn identity() {
    let mut config = Config::default();
    for text in
        ["sip:alice@example.com", "sip:*67?5@b;c", "\"A, B\" <sips:a@b;x=y>", "<tel:+1-201>", "  Alice <sip:a@b> "]
    {
        config.set_aor(text.as_bytes()).unwrap();
        assert_eq!(config.aor, text.trim().as_bytes());
    }
    refused(
        &[
            "",
            "alice",
            "<sip:a@b>;tag=1",
            "<sip:a@b>;x=1",
            "sip:a@b\r\nX: y",
            "\"a\nb\" <sip:a@b>",
            "sip:a@b\0",
            "sip:",
            "<sip:a@b",
            "*",
        ],
        Config::set_aor,
    );
    config.set_contact(b"<sip:a@192.0.2.1:5070;transport=tcp>;x").unwrap();
    assert_eq!(config.contact.as_deref(), Some(&b"<sip:a@192.0.2.1:5070;transport=tcp>;x"[..]));
    refused(&["", "*", "tel:+1", "<sip:a@b>, <sip:c@d>", "sip:a@b\n"], Config::set_contact);
    config.set_user_agent(b"My phone/1.0 (\xfc)").unwrap();
    assert_eq!(config.user_agent, b"My phone/1.0 (\xfc)");
    config.set_user_agent(b"").unwrap();
    assert!(config.user_agent.is_empty());
    refused(&["a\r\nb", "a\n"], Config::set_user_agent);
}

#[test]
fn lists() {
    let mut config = Config::default();
    config.set_supported(b" path ,outbound,PATH").unwrap();
    assert_eq!(texts(&config.supported), ["path", "outbound"]);
    config.set_supported(b"").unwrap();
    assert!(config.supported.is_empty());
    config.set_allow(b"INVITE,ACK, BYE,invite,BYE").unwrap();
    assert_eq!(texts(&config.allow), ["INVITE", "ACK", "BYE", "invite"]);
    assert_eq!(config.info_packages, None);
    config.set_info_packages(Some(b"dtmf, conference")).unwrap();
    assert_eq!(texts(config.info_packages.as_deref().unwrap()), ["dtmf", "conference"]);
    config.set_info_packages(Some(b"")).unwrap();
    assert_eq!(config.info_packages, Some(Vec::new()));
    config.set_info_packages(None).unwrap();
    assert_eq!(config.info_packages, None);
    let bad = ["a b", ",", "a,", ",a", "a,,b", "a;b", "a\r\n", "\"a\"", "\u{fc}"];
    refused(&bad, Config::set_supported);
    refused(&bad, Config::set_allow);
    refused(&bad, |config, text| config.set_info_packages(Some(text)));
}

#[test]
fn routes() {
    let mut config = Config::default();
    config.set_route_set(b"<sip:p1.example;lr>, \"a, b\" <sips:a,b@p2.example>;y").unwrap();
    assert_eq!(texts(&config.route_set), ["<sip:p1.example;lr>", "\"a, b\" <sips:a,b@p2.example>;y"]);
    config.set_route_set(b"").unwrap();
    assert!(config.route_set.is_empty());
    let bad = ["sip:p1;lr", "<tel:1>", "<sip:a>,", "<sip:a>,,<sip:b>", ",<sip:a>", "<sip:a>\r\n", "<sip:a", "x"];
    refused(&bad, Config::set_route_set);
}

#[test]
fn numbers() {
    let mut config = Config::default();
    config.set_timers(100, 0, 1).unwrap();
    let seconds = Duration::from_secs;
    assert_eq!((config.timers.t1, config.timers.t2), (Duration::from_millis(100), seconds(4)));
    assert_eq!(config.timers.t4, Duration::from_millis(1));
    assert_eq!(config.set_timers(5_000, 0, 0).unwrap_err().kind, ErrorKind::Argument);
    assert_eq!(config.timers.t1, Duration::from_millis(100));
    config.set_timers(u32::MAX, u32::MAX, u32::MAX).unwrap();
    config.set_answer_timeouts(0, 2_000).unwrap();
    assert_eq!((config.invite_answer_timeout, config.other_answer_timeout), (seconds(180), seconds(2)));
    config.set_limits(0, 5, (1 << 22) - 1).unwrap();
    assert_eq!((config.limits.message_bytes, config.limits.sessions), (65_535, 5));
    assert_eq!(config.limits.transactions, 4_194_303);
    let before = config.limits;
    for (bytes, sessions, transactions, name) in [
        (1_299, 0, 0, "message_bytes"),
        ((16 << 20) + 1, 0, 0, "message_bytes"),
        (u32::MAX, 1, 1, "message_bytes"),
        (2_000, 1 << 22, 0, "sessions"),
        (2_000, 7, u32::MAX, "transactions"),
    ] {
        let error = config.set_limits(bytes, sessions, transactions).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Argument);
        assert!(error.detail.starts_with(name), "{}", error.detail);
        assert_eq!(config.limits, before);
    }
    config.set_limits(1_300, 1, 1).unwrap();
    config.set_limits(16 << 20, 0, 0).unwrap();
    config.set_tolerance(31).unwrap();
    assert_eq!(config.set_tolerance(1024).unwrap_err().kind, ErrorKind::Argument);
    assert_eq!(config.tolerance, 31);
}
