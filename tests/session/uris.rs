//! URIs are cut by their parts (RFC 3261 §19.1.1): `?`, `;` and what looks like a parameter are legal in a user. What
//! stands in a Request-URI, a target and To (table 1), and what of a Refer-To counts (§19.1.5).

use crate::common::pair::Stand;
use crate::common::party::{config, with_sdp};
use crate::common::refer::{refer_of, refer_with};
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::error::ErrorKind;

/// Users that hold what would end a user, were a URI cut as text.
const ODD_USERS: [&str; 7] =
    ["*67?5550100", "a?b;c", "+15550100;method=x", "a;lr?b", "a,b/c;d=e", "a?b&c=d", "x;ttl=1"];

fn out_of_dialog(stand: &mut Stand, method: &str, target: &str) -> Result<(), ErrorKind> {
    let now = stand.alice.now();
    let sent = match method {
        "INVITE" => stand.alice.agent.invite(now, Some(target.as_bytes()), with_sdp(OFFER)),
        _ => stand.alice.agent.request(now, method.as_bytes(), target.as_bytes(), RequestOptions::default()),
    };
    sent.map(|_| ()).map_err(|error| error.kind)
}

#[test]
fn what_is_asked_for_is_dialled() {
    for method in ["INVITE", "MESSAGE", "OPTIONS"] {
        for user in ODD_USERS {
            for (rest, kept) in
                [("", ""), (";transport=udp", ";transport=udp"), ("?Subject=x", ""), (";method=METHOD", "")]
            {
                let mut stand = Stand::new();
                let rest = rest.replace("METHOD", method);
                out_of_dialog(&mut stand, method, &format!("sip:{user}@192.0.2.2{rest}")).unwrap();
                stand.exchange();
                let sent = stand.peer.take(method);
                assert_eq!(sent.uri(), format!("sip:{user}@192.0.2.2{kept}"), "{method} {user} {rest}");
                assert_eq!(sent.value("to"), format!("<sip:{user}@192.0.2.2>"));
            }
        }
    }
}

/// RFC 3261 §19.1.1, table 1: each part of a URI in the Request-URI and in To.
#[test]
fn what_stands_in_request_uri_and_to() {
    let rows = [
        (
            "sip:b:secret@192.0.2.2:5060;user=phone",
            "sip:b:secret@192.0.2.2:5060;user=phone",
            "sip:b@192.0.2.2;user=phone",
        ),
        (
            "sip:b@192.0.2.2;transport=udp;maddr=192.0.2.2;ttl=1;lr;x=y?Route=%3Csip:evil%3E&X=y",
            "sip:b@192.0.2.2;transport=udp;maddr=192.0.2.2;ttl=1;lr;x=y",
            "sip:b@192.0.2.2",
        ),
        ("SIP:192.0.2.2;METHOD=%49NVITE;USER=ip", "SIP:192.0.2.2;USER=ip", "SIP:192.0.2.2;USER=ip"),
        ("sip:b@192.0.2.2?", "sip:b@192.0.2.2", "sip:b@192.0.2.2"),
        ("sip:192.0.2.2;%6dethod=INVITE;%75SER=ip;%6Cr", "sip:192.0.2.2;%75SER=ip;%6Cr", "sip:192.0.2.2;%75SER=ip"),
    ];
    for (target, uri, to) in rows {
        let mut stand = Stand::new();
        out_of_dialog(&mut stand, "INVITE", target).unwrap();
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        assert_eq!((invite.uri(), invite.value("to")), (uri, &*format!("<{to}>")), "{target}");
        for header in ["route", "x"] {
            assert!(invite.all(header).is_empty(), "{target}: a header of the URI became one of the request");
        }
    }
}

#[test]
fn a_method_of_the_target_is_that_of_the_request() {
    let mut stand = Stand::new();
    for (method, asked) in [("INVITE", "BYE"), ("INVITE", "invite"), ("INVITE", ""), ("MESSAGE", "INVITE")] {
        let parameter = if asked.is_empty() { ";method".to_owned() } else { format!(";method={asked}") };
        let sent = out_of_dialog(&mut stand, method, &format!("sip:b@192.0.2.2{parameter}"));
        assert_eq!(sent, Err(ErrorKind::Syntax), "{method} {parameter}");
    }
    let sent = out_of_dialog(&mut stand, "INVITE", "sip:b@192.0.2.2;%6D%65thod=BYE");
    assert_eq!(sent, Err(ErrorKind::Syntax));
    assert!(!stand.alice.agent.has_output());
}

/// What the host gives obeys the grammar, though it came so from the peer (HASH_IN_USER); escaped it is the same user.
#[test]
fn a_hash_in_a_user_of_the_hosts_is_escaped() {
    let mut stand = Stand::peer_called();
    for method in ["INVITE", "MESSAGE"] {
        assert_eq!(out_of_dialog(&mut stand, method, "sip:1#2@192.0.2.2"), Err(ErrorKind::Syntax), "{method}");
        out_of_dialog(&mut stand, method, "sip:1%232@192.0.2.2").unwrap();
        stand.exchange();
        assert_eq!(stand.peer_replies(method, 486, "").uri(), "sip:1%232@192.0.2.2");
    }
    let refused = refer_with(&mut stand.alice, Some("sip:1#2@h"), None, &[]).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Syntax);
    refer_with(&mut stand.alice, Some("sip:1%232@h"), None, &[]).unwrap();
    stand.exchange();
    assert_eq!(stand.peer_replies("REFER", 403, "").value("refer-to"), "<sip:1%232@h>");
}

/// Without brackets no other header has a URI with `?`, and a `;` ends the URI: nobody reads another one there.
#[test]
fn addresses_without_brackets() {
    for address in ["sip:b@192.0.2.2?X=y", "sip:a?b@192.0.2.2", "sip:203.0.113.66;x@192.0.2.2", "sip:a,b@192.0.2.2"] {
        let mut stand = Stand::new();
        stand.alice.hold(EventKind::Invite);
        let headers = ["Reply-To", "Referred-By", "P-Asserted-Identity", "Diversion"];
        let invite =
            headers.iter().fold(stand.peer.request("INVITE").sdp(OFFER), |draft, name| draft.with(name, address));
        stand.say(invite);
        let message = stand.alice.last(EventKind::Invite).message.clone().unwrap();
        for name in headers {
            let seen = message.name_addr(name.as_bytes(), 0).unwrap();
            assert!(seen.is_err() || address.contains(','), "{name}: {address}");
        }
        stand.alice.reject(486);
        if !address.contains(";x@") {
            let mut stand = Stand::new();
            let invite = stand.peer.request("INVITE").set("Contact", address).sdp(OFFER);
            stand.say(invite);
            assert_eq!(stand.peer.got(), ["400 INVITE"], "{address}");
        }
    }
}

/// RFC 3261 §12.2.1.1: a strict router's URI becomes the Request-URI, of a dialog and of a preloaded route.
#[test]
fn a_strict_router_has_an_odd_user() {
    for user in ODD_USERS {
        let router = format!("sip:{user}@192.0.2.2;transport=udp");
        let recorded = format!("<{router};method=INVITE?X=y>");
        let mut stand = Stand::new();
        stand.alice.answers(EventKind::Invite, ANSWER);
        let invite = stand.peer.request("INVITE").with("Record-Route", &*recorded).sdp(OFFER);
        stand.say(invite.clone());
        stand.peer_acknowledges(&invite);
        stand.alice.bye();
        stand.exchange();
        let bye = stand.peer_replies("BYE", 200, "");
        assert_eq!((bye.uri(), bye.all("route")), (&*router, vec!["<sip:peer@192.0.2.2:5060>"]));
        let mut routed = config("alice");
        routed.set_route_set(recorded.as_bytes()).unwrap();
        let mut preloaded = Stand::with(routed);
        out_of_dialog(&mut preloaded, "INVITE", "sip:a?b@192.0.2.9").unwrap();
        preloaded.exchange();
        let invite = preloaded.peer.take("INVITE");
        assert_eq!((invite.uri(), invite.all("route")), (&*router, vec!["<sip:a?b@192.0.2.9>"]));
    }
}

/// What the host reads of a Refer-To is what is dialled, and only Replaces counts of its headers.
#[test]
fn what_a_refer_asks_for() {
    let replaces = "Replaces=c%40h%3Bto-tag%3D1%3Bfrom-tag%3D2";
    let rows = [
        ("<sip:a?b@192.0.2.2>".to_owned(), "sip:a?b@192.0.2.2", 0),
        (format!("<sip:a?b@192.0.2.2?{replaces}>"), "sip:a?b@192.0.2.2", 1),
        (format!("<sip:a;b?{replaces}@192.0.2.2>"), "sip:a;b?Replaces=c%40h%3Bto-tag%3D1%3Bfrom-tag%3D2@192.0.2.2", 0),
        ("<sip:203.0.113.66?x@192.0.2.2>".to_owned(), "sip:203.0.113.66?x@192.0.2.2", 0),
        ("<sip:a@203.0.113.66:5060;x=y?z@192.0.2.2>".to_owned(), "", 0),
        ("sip:good@192.0.2.2;maddr=203.0.113.66".to_owned(), "sip:good@192.0.2.2", 0),
        ("sip:good@192.0.2.2;x=\"<sip:evil@203.0.113.66>\"".to_owned(), "sip:good@192.0.2.2", 0),
        ("\"<sip:evil@203.0.113.66>\" <sip:good@192.0.2.2>".to_owned(), "sip:good@192.0.2.2", 0),
        // Without brackets: what reads in one way.
        (format!("sip:a@192.0.2.2?{replaces}"), "sip:a@192.0.2.2", 1),
        (format!("sip:a@192.0.2.2;x=y?X=y&{replaces}"), "sip:a@192.0.2.2;x=y", 1),
        (format!("sip:192.0.2.2?{replaces}"), "sip:192.0.2.2", 1),
        ("sip:a@192.0.2.2?Replaces=c@h;to-tag=1;from-tag=2".to_owned(), "sip:a@192.0.2.2", 1),
        ("sip:192.0.2.2?Replaces=c;to-tag=1;from-tag=2".to_owned(), "sip:192.0.2.2", 1),
        ("sip:203.0.113.66?x@192.0.2.2".to_owned(), "", 0),
        ("sip:203.0.113.66?Replaces=c@192.0.2.2;to-tag=1;from-tag=2".to_owned(), "", 0),
        ("sip:203.0.113.66;x@192.0.2.2".to_owned(), "", 0),
        ("sip:203.0.113.66;x=y?z@192.0.2.2".to_owned(), "", 0),
        ("sip:a,x@192.0.2.2".to_owned(), "", 0),
        ("sip:a,x@192.0.2.2?X=y".to_owned(), "", 0),
        ("sip:a@192.0.2.2?x".to_owned(), "", 0),
        ("sip:a@192.0.2.2?X=y@203.0.113.66".to_owned(), "", 0),
        ("sip:a@192.0.2.2;x=\"<sip:b@203.0.113.66?y=z>\"?X=y".to_owned(), "", 0),
        ("sip:a@192.0.2.2:0?X=y".to_owned(), "", 0),
        // Escaped names are those that they stand for (RFC 3261 §19.1.4).
        ("<sip:a@192.0.2.2;%6dethod=INVITE?%52eplaces=c;to-tag=1;from-tag=2>".to_owned(), "sip:a@192.0.2.2", 1),
        (
            format!(
                "<sip:a@192.0.2.2;method=INVITE?Route=%3Csip:203.0.113.66%3Blr%3E&Via=x&From=x&Call-ID=mine&CSeq=7%20INVITE\
                 &Record-Route=%3Csip:203.0.113.66%3E&Contact=%3Csip:203.0.113.66%3E&Max-Forwards=0&{replaces}&body=x>"
            ),
            "sip:a@192.0.2.2",
            1,
        ),
    ];
    for (refer_to, dialled, replaced) in rows {
        let mut stand = Stand::peer_called();
        stand.alice.on(EventKind::Refer, |agent, now, event| {
            let options = RequestOptions { refer: event.incoming, ..with_sdp(OFFER) };
            agent.invite(now, None, options).unwrap();
        });
        let refer = refer_of(&mut stand).set("Refer-To", &*refer_to);
        stand.say(refer);
        if dialled.is_empty() {
            stand.peer.take("400 REFER");
            let refused = sipdlg::message::NameAddr::of_refer_to(refer_to.as_bytes());
            let seen = refused.and_then(|address| address.parse_uri().map(|_| ()));
            assert!(seen.is_err(), "the host would see {refer_to}");
            continue;
        }
        let host = stand.alice.last(EventKind::Refer).message.clone().unwrap();
        let seen = host.name_addr(sipdlg::message::HeaderId::ReferTo, 0).unwrap().unwrap().uri.to_vec();
        let invite = stand.peer.take("INVITE");
        assert_eq!(invite.uri(), dialled, "{refer_to}");
        assert!(seen.starts_with(dialled.as_bytes()), "the host saw {}", String::from_utf8_lossy(&seen));
        assert_eq!(invite.all("replaces").len(), replaced, "{refer_to}");
        let ours = ["<sip:alice@192.0.2.1:5060>"];
        assert_eq!((invite.all("contact"), invite.all("max-forwards")), (ours.to_vec(), vec!["70"]));
        assert_eq!((invite.all("via").len(), invite.all("route").len(), invite.all("record-route").len()), (1, 0, 0));
        assert!(invite.call_id() != "mine" && invite.value("cseq") == "1 INVITE" && invite.value("from") != "x");
    }
}

/// A Refer-To with Replaces is put together from parts too; other schemes have no headers.
#[test]
fn an_attended_transfer_to_an_odd_user() {
    let replaced = Stand::peer_called;
    for (to, wanted) in [
        ("sip:a?b@h", "<sip:a?b@h?Replaces="),
        ("sip:a?b@h?", "<sip:a?b@h?Replaces="),
        ("\"A <b>\" <sip:a?b@h;x=y?Subject=z>", "<sip:a?b@h;x=y?Subject=z&Replaces="),
    ] {
        let mut stand = replaced();
        let other = stand.alice.session();
        let second = stand.alice.invite("sip:peer@192.0.2.2", OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 200, ANSWER);
        let session = stand.alice.session();
        assert_ne!(session, other, "{second:?}");
        refer_with(&mut stand.alice, Some(to), Some(other), &[]).unwrap();
        stand.exchange();
        let refer = stand.peer.take("REFER");
        assert!(refer.value("refer-to").starts_with(wanted), "{}", refer.value("refer-to"));
        let number = refer_with(&mut stand.alice, Some("tel:+1-201"), Some(other), &[]).unwrap_err();
        assert_eq!(number.kind, ErrorKind::Syntax);
    }
}

/// What the host gives for an address: a URI with all that may stand in one, or a name-addr.
#[test]
fn addresses_of_the_host() {
    let mut stand = Stand::new();
    let now = stand.alice.now();
    for (from, wanted) in
        [("sip:*67?5@h;x=y", "<sip:*67?5@h;x=y>"), ("\"a <sip:b@c>\" <sip:d?e@h>", "\"a <sip:b@c>\" <sip:d?e@h>")]
    {
        let options = RequestOptions { from: Some(from.as_bytes()), to: Some(from.as_bytes()), ..with_sdp(OFFER) };
        stand.alice.agent.invite(now, Some(b"sip:b@192.0.2.2"), options).unwrap();
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        assert_eq!(invite.value("to"), wanted);
        assert!(invite.value("from").starts_with(&format!("{wanted};tag=")), "{}", invite.value("from"));
    }
    for from in ["sip:a@b;x=\"<y>\"", "<sip:a@b>;x=y", "sip:1#2@h"] {
        let options = RequestOptions { from: Some(from.as_bytes()), ..with_sdp(OFFER) };
        assert_eq!(
            stand.alice.agent.invite(now, Some(b"sip:b@192.0.2.2"), options).unwrap_err().kind,
            ErrorKind::Syntax,
            "{from}"
        );
    }
}

/// Contacts of a redirection are URIs or name-addr of the host's, each written so that it can be read.
#[test]
fn a_redirection_to_an_odd_user() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite);
    let (now, id) = (stand.alice.now(), stand.alice.incoming());
    let contacts: [&[u8]; 3] = [b"sip:a?b@h", b"\"x <y>\" <sip:c@d>;q=0.5", b"sip:e@f"];
    stand.alice.agent.redirect(now, id, 302, &contacts, &Default::default()).unwrap();
    stand.exchange();
    let moved = stand.peer.take("302 INVITE");
    assert_eq!(moved.all("contact"), ["<sip:a?b@h>", "\"x <y>\" <sip:c@d>;q=0.5", "sip:e@f"]);
}
