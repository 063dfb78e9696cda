//! What of a URI decides where it leads (RFC 3263 §4).

use super::Uri;
use super::grammar::host_ip;

/// The host that is looked for: maddr counts more.
pub(crate) fn host<'a>(uri: &Uri<'a>) -> &'a [u8] {
    uri.parameter(b"maddr").and_then(|parameter| parameter.value).unwrap_or(uri.host)
}

/// What it asks to be sent by (RFC 3261 §19.1.1).
pub(crate) fn transport<'a>(uri: &Uri<'a>) -> Option<&'a [u8]> {
    uri.parameter(b"transport")?.value
}

/// Whether it asks for `transport=tls`, as many do who know no other way to say it.
pub(crate) fn says_tls(uri: &[u8]) -> bool {
    Uri::received(uri).is_ok_and(|uri| transport(&uri).is_some_and(|name| name.eq_ignore_ascii_case(b"tls")))
}

/// The name of who is asked for, which its certificate has to have (RFC 5922 §7); `None`: the URI has addresses only.
pub(crate) fn name<'a>(uri: &Uri<'a>) -> Option<&'a [u8]> {
    [host(uri), uri.host].into_iter().find(|host| !host.is_empty() && host_ip(host).is_none())
}

/// Whether nobody can look the host up: RFC 2606 §2; RFC 7118 §5 has the Contact of a WebSocket client so.
pub(crate) fn is_nowhere(host: &[u8]) -> bool {
    let mut labels = host.strip_suffix(b".").unwrap_or(host).rsplit(|byte| *byte == b'.');
    labels.next().is_some_and(|last| last.eq_ignore_ascii_case(b"invalid"))
}

/// Whether one look-up serves both.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let (Ok(one), Ok(other)) = (Uri::received(one), Uri::received(other)) else { return false };
    let transport = |uri: &Uri<'_>| transport(uri).map(<[u8]>::to_ascii_lowercase);
    one.is_sip()
        && one.scheme == other.scheme
        && one.port == other.port
        && host(&one).eq_ignore_ascii_case(host(&other))
        && transport(&one) == transport(&other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_look_up_serves() {
        let rows = [
            ("sip:a@gw.example", "sip:a@gw.example", true),
            ("sip:1#2@gw.example", "sip:gw.example", true),
            ("sip:a@gw.example", "sip:b@GW.example;user=phone?x=y", true),
            ("sip:gw.example;transport=tcp;lr", "SIP:a@gw.example;transport=TCP", true),
            ("sip:a@x;maddr=gw.example", "sip:gw.example", true),
            ("sip:a@gw.example", "sips:a@gw.example", false),
            ("sip:a@gw.example", "sip:a@gw.example:5060", false),
            ("sip:a@gw.example", "sip:a@gw.example;transport=udp", false),
            ("sip:a@gw.example", "sip:a@other.example", false),
            ("tel:+123", "tel:+124", false),
        ];
        for (one, other, same) in rows {
            assert_eq!(is_same(one.as_bytes(), other.as_bytes()), same, "{one} {other}");
        }
    }

    #[test]
    fn who_is_nowhere() {
        for (host, nowhere) in [
            ("abc.invalid", true),
            ("abc.INVALID.", true),
            ("invalid", true),
            ("invalid.example", false),
            ("notinvalid", false),
            ("192.0.2.1", false),
            ("", false),
        ] {
            assert_eq!(is_nowhere(host.as_bytes()), nowhere, "{host}");
        }
    }

    #[test]
    fn who_is_asked_for() {
        let rows = [
            ("sips:a@gw.example:5071", Some("gw.example")),
            ("sip:192.0.2.1", None),
            ("sip:[2001:db8::1]:5060", None),
            ("sips:gw.example;maddr=192.0.2.1", Some("gw.example")),
            ("sips:gw.example;maddr=one.example", Some("one.example")),
            ("tel:+123", None),
        ];
        for (uri, expected) in rows {
            let uri = Uri::parse(uri.as_bytes()).expect("a URI");
            assert_eq!(name(&uri), expected.map(str::as_bytes), "{uri:?}");
        }
    }
}
