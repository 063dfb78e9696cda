//! Which URI scheme our Contact has (RFC 3261 §8.1.1.8, §12.1.1, RFC 5630 §5.1.1.2), and the way to a Contact that was
//! written over TLS or WSS.

use crate::common::draft::Draft;
use crate::common::pair::{BOB, Pair, Stand};
use crate::common::party::{config, with_sdp};
use crate::common::refer::{refer_of, refer_with};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::Config;
use sipdlg::error::ErrorKind;
use sipdlg::flow::Flow;
use sipdlg::flow::Transport::{self, Tcp, Tls, Udp, Ws, Wss};

const SIP: &str = "sip:bob@192.0.2.2:5060";
const SIPS: &str = "sips:bob@192.0.2.2:5060";
const ALL: [Transport; 5] = [Udp, Tcp, Tls, Ws, Wss];

/// Alice's Contact by transport. No transport=tls or wss (RFC 5630 §3.1.4, RFC 7118 §5) to who does not write it.
fn contact_of(transport: Transport, sips: bool) -> String {
    let scheme = if sips { "sips" } else { "sip" };
    let parameter = match transport {
        Udp => "",
        Tls if sips => "",
        Tcp | Tls => ";transport=tcp",
        Ws | Wss => ";transport=ws",
    };
    format!("<{scheme}:alice@192.0.2.1:5060{parameter}>")
}

fn routed(route: &str) -> Config {
    let mut config = config("alice");
    config.set_route_set(route.as_bytes()).expect("a route");
    config
}

/// The peer's way back is the connection; UDP and sips do not go together, so there the host says the way.
fn options(transport: Transport) -> RequestOptions<'static> {
    RequestOptions { flow: Some(Flow::new(transport, None, BOB.parse().ok())), ..with_sdp(OFFER) }
}

#[test]
fn the_contact_of_a_caller_goes_by_request_uri_and_top_route() {
    let rows = [
        (SIP, "", false),
        (SIPS, "", true),
        ("SIPS:bob@192.0.2.2:5060", "", true),
        (SIP, "<sip:192.0.2.2:5060;lr>", false),
        (SIP, "<sips:192.0.2.2:5060;lr>", true),
        (SIPS, "<sip:192.0.2.2:5060;lr>", true),
        // Only the top one counts.
        (SIP, "<sip:192.0.2.2:5060;lr>, <sips:192.0.2.3;lr>", false),
        (SIP, "\"<sips:x>\" <sip:192.0.2.2:5060;lr>", false),
        (SIP, "\"<sip:x>\" <sips:192.0.2.2:5060;lr>", true),
        // RFC 3261 §12.2.1.1: a strict router becomes the Request-URI, the target the last Route.
        (SIP, "<sips:192.0.2.2:5060>", true),
        (SIP, "<sip:192.0.2.2:5060>, <sips:192.0.2.2:5060;lr>", true),
        (SIPS, "<sip:192.0.2.2:5060>", true),
        (SIP, "<sip:192.0.2.2:5060>", false),
        // A sips that is none.
        ("sip:sips:x@192.0.2.2:5060", "", false),
    ];
    for transport in ALL {
        for (target, route, sips) in rows {
            let mut stand = Stand::over(transport, if route.is_empty() { config("alice") } else { routed(route) });
            stand.alice.invite_with(target, options(transport));
            stand.exchange();
            let invite = stand.peer_replies("INVITE", 486, "");
            assert_eq!(invite.value("contact"), contact_of(transport, sips), "{transport:?} {target} by {route:?}");
            stand.peer.take("ACK");
        }
    }
}

/// An INVITE that was challenged goes out again with the Contact that it had.
#[test]
fn the_contact_stays_when_a_request_goes_out_again() {
    for target in [SIP, SIPS] {
        let mut config = config("alice");
        config.add_credentials(None, b"alice", b"secret", false, None).expect("credentials");
        let mut stand = Stand::over(Tls, config);
        stand.alice.invite(target, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"");
        stand.say(challenge);
        let again = stand.peer_replies("INVITE", 486, "");
        assert_eq!(again.value("contact"), invite.value("contact"));
        assert_eq!(again.value("contact"), contact_of(Tls, target == SIPS));
    }
}

/// Alice called and then changes the call: what refreshes the target carries what the INVITE carried.
#[test]
fn every_refresh_of_a_caller_has_the_contact_of_its_invite() {
    for (transport, target, peer) in [
        (Tls, SIP, "sip:peer@192.0.2.2:5060"),
        (Wss, SIP, "sip:peer@192.0.2.2:5060;transport=ws"),
        (Tls, SIPS, "sips:peer@192.0.2.2:5060"),
        // RFC 5630 §5.1.1.2: what sips made stays so, though the peer writes sip.
        (Tls, SIPS, "sip:peer@192.0.2.2:5060"),
        (Wss, SIPS, "sip:peer@192.0.2.2:5060;transport=ws"),
    ] {
        let expected = contact_of(transport, target == SIPS);
        let mut stand = Stand::over(transport, config("alice"));
        stand.peer.contact = peer.to_owned();
        stand.alice.invite(target, OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 200, ANSWER);
        let ack = stand.peer.take("ACK");
        assert_eq!(ack.get("contact"), None);
        assert_eq!(stand.alice.properties().secure, target == SIPS);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        assert_eq!(stand.peer_replies("INVITE", 491, "").value("contact"), expected, "{transport:?} {target} {peer}");
        stand.peer.take("ACK");
        stand.advance(seconds(5));
        let again = stand.peer_replies("INVITE", 200, HELD);
        assert_eq!(again.value("contact"), expected, "after a 491: {transport:?} {target} {peer}");
        stand.peer.take("ACK");
        refer_with(&mut stand.alice, Some("sip:carol@example.com"), None, &[]).expect("a REFER");
        stand.exchange();
        assert_eq!(stand.peer_replies("REFER", 603, "").value("contact"), expected);
        // And as callee of the peer's re-INVITE, whatever the peer wrote.
        stand.alice.answers(EventKind::Reinvite, ANSWER);
        let reinvite = stand.peer.request("INVITE").request_uri("sip:alice@192.0.2.1:5060").sdp(OFFER);
        stand.say(reinvite.clone());
        let ok = stand.peer.take("200 INVITE");
        assert_eq!(ok.value("contact"), expected, "200 to a re-INVITE: {transport:?} {target} {peer}");
        let ack = stand.peer.ack(&reinvite, &ok);
        stand.say(ack);
    }
}

fn invite_of(stand: &mut Stand, uri: &str, record_route: &str, contact: &str) -> Draft {
    stand.peer.contact = contact.to_owned();
    let invite = stand.peer.request("INVITE").request_uri(uri).sdp(OFFER);
    if record_route.is_empty() { invite } else { invite.with("Record-Route", record_route) }
}

#[test]
fn the_contact_of_a_callee_goes_by_request_uri_then_record_route_then_contact() {
    let (sip, sips) = ("sip:peer@192.0.2.2:5060", "sips:peer@192.0.2.2:5060");
    let (us, securely) = ("sip:alice@192.0.2.1:5060", "sips:alice@192.0.2.1:5060");
    let rows = [
        (us, "", sip, false),
        (us, "", sips, true),
        (securely, "", sips, true),
        (us, "<sips:192.0.2.2:5060;lr>", sip, true),
        (us, "<sip:192.0.2.2:5060;lr>", sip, false),
        // Where there is a Record-Route, Contact does not count, and of several the top one counts.
        (us, "<sip:192.0.2.2:5060;lr>", sips, false),
        (us, "<sip:192.0.2.2:5060;lr>, <sips:192.0.2.3;lr>", sip, false),
        (us, "<sips:192.0.2.2:5060;lr>, <sip:192.0.2.3;lr>", sip, true),
        (securely, "<sip:192.0.2.2:5060;lr>", sips, true),
    ];
    for transport in ALL {
        for (uri, record_route, contact, expected) in rows {
            let row = format!("{transport:?} {uri} {record_route:?} {contact}");
            let mut stand = Stand::over(transport, config("alice"));
            stand.alice.rings_and_answers(ANSWER);
            let invite = invite_of(&mut stand, uri, record_route, contact);
            stand.say(invite.clone());
            let expected = contact_of(transport, expected);
            assert_eq!(stand.peer.take("180 INVITE").value("contact"), expected, "{row}");
            let ok = stand.peer.take("200 INVITE");
            assert_eq!(ok.value("contact"), expected, "{row}");
            stand.peer.learn(&ok);
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
            if !transport.is_secure() && (record_route.starts_with("<sips") || contact.starts_with("sips")) {
                // Alice has no way to a sips URI; her BYE is for nobody.
                let bye = stand.peer.request("BYE");
                stand.say(bye);
            }
        }
    }
}

/// Alice's to who writes transport=tls.
fn tls_contact_of(transport: Transport) -> String {
    contact_of(transport, false).replace("tcp", if transport == Tls { "tls" } else { "tcp" })
}

/// Who says transport=tls of himself, of us or of the proxy between us knows no other way to TLS.
#[test]
fn a_callee_says_tls_to_who_says_it() {
    let (us, us_tls) = ("sip:alice@192.0.2.1:5060", "sip:alice@192.0.2.1:5060;transport=TLS");
    let (peer, peer_tls) = ("sip:peer@192.0.2.2:5060", "sip:peer@192.0.2.2:5060;transport=tls");
    for transport in [Tls, Tcp] {
        for (uri, record_route, contact, says) in [
            (us_tls, "", peer, true),
            (us, "", peer_tls, true),
            (us, "<sip:192.0.2.2:5060;transport=tls;lr>", peer, true),
            (us, "<sip:192.0.2.2:5060;lr>, <sip:192.0.2.3;transport=tls;lr>", peer, false),
            ("sip:alice@192.0.2.1:5060;x=transport=tls", "", peer, false),
            ("sips:alice@192.0.2.1:5060", "", "sips:peer@192.0.2.2:5060;transport=tls", false),
        ] {
            if transport == Tcp && !says {
                continue;
            }
            let row = format!("{transport:?} {uri} {record_route:?} {contact}");
            let mut stand = Stand::over(transport, config("alice"));
            stand.alice.answers(EventKind::Invite, ANSWER);
            let invite = invite_of(&mut stand, uri, record_route, contact);
            stand.say(invite.clone());
            let ok = stand.peer.take("200 INVITE");
            let sips = uri.starts_with("sips");
            let expected = if says { tls_contact_of(transport) } else { contact_of(transport, sips) };
            assert_eq!(ok.value("contact"), expected, "{row}");
            stand.peer.learn(&ok);
            let ack = stand.peer.ack(&invite, &ok);
            stand.say(ack);
        }
    }
}

/// As caller: to where the host or the peer says transport=tls, and in every refresh.
#[test]
fn a_caller_says_tls_to_where_it_is_said() {
    let mut stand = Stand::over(Tls, config("alice"));
    stand.peer.contact = format!("{SIP};transport=tls");
    stand.alice.invite(&format!("{SIP};transport=tls"), OFFER);
    stand.exchange();
    let expected = tls_contact_of(Tls);
    assert_eq!(stand.peer_replies("INVITE", 200, ANSWER).value("contact"), expected);
    stand.peer.take("ACK");
    stand.alice.reinvite(HOLD);
    stand.exchange();
    assert_eq!(stand.peer_replies("INVITE", 200, HELD).value("contact"), expected);
    stand.peer.take("ACK");
    stand.alice.answers(EventKind::Reinvite, ANSWER);
    let reinvite = stand.peer.request("INVITE").request_uri("sip:alice@192.0.2.1:5060;transport=tls").sdp(OFFER);
    stand.say(reinvite.clone());
    let ok = stand.peer.take("200 INVITE");
    assert_eq!(ok.value("contact"), expected);
    let ack = stand.peer.ack(&reinvite, &ok);
    stand.say(ack);
}

/// The callee's own requests, and its answers to the peer's.
#[test]
fn every_refresh_of_a_callee_has_the_contact_of_its_answer() {
    for (uri, contact, expected) in [
        ("sip:alice@192.0.2.1:5060", "sip:peer@192.0.2.2:5060", contact_of(Tls, false)),
        ("sips:alice@192.0.2.1:5060", "sips:peer@192.0.2.2:5060", contact_of(Tls, true)),
        ("sip:alice@192.0.2.1:5060", "sips:peer@192.0.2.2:5060", contact_of(Tls, true)),
    ] {
        let mut stand = Stand::over(Tls, config("alice"));
        stand.alice.answers(EventKind::Invite, ANSWER);
        stand.alice.answers(EventKind::Refer, "");
        let invite = invite_of(&mut stand, uri, "", contact);
        stand.say(invite.clone());
        let ok = stand.peer.take("200 INVITE");
        stand.peer.learn(&ok);
        let ack = stand.peer.ack(&invite, &ok);
        stand.say(ack);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        assert_eq!(stand.peer_replies("INVITE", 200, HELD).value("contact"), expected, "{uri} {contact}");
        stand.peer.take("ACK");
        let refer = refer_of(&mut stand);
        stand.say(refer);
        assert_eq!(stand.peer.take("200 REFER").value("contact"), expected, "{uri} {contact}");
        assert_eq!(stand.peer_replies("NOTIFY", 200, "").value("contact"), expected, "{uri} {contact}");
        stand.alice.notify(200);
        stand.exchange();
        assert_eq!(stand.peer_replies("NOTIFY", 200, "").value("contact"), expected, "{uri} {contact}");
    }
}

/// What the host wrote is neither changed nor judged.
#[test]
fn a_contact_of_the_hosts_stays_as_it_is() {
    let own: &[u8] = b"Contact: <sips:me@b2bua.example.com>";
    for (configured, header, target, expected) in [
        (Some("sip:me@b2bua.example.com"), None, SIPS, "<sip:me@b2bua.example.com>"),
        (Some("sips:me@b2bua.example.com"), None, SIP, "<sips:me@b2bua.example.com>"),
        (None, Some(own), SIP, "<sips:me@b2bua.example.com>"),
    ] {
        let mut config = config("alice");
        if let Some(contact) = configured {
            config.set_contact(contact.as_bytes()).expect("a Contact");
        }
        let mut stand = Stand::over(Tls, config);
        let headers = header.into_iter().collect();
        stand.alice.invite_with(target, RequestOptions { headers, ..with_sdp(OFFER) });
        stand.exchange();
        assert_eq!(stand.peer_replies("INVITE", 486, "").value("contact"), expected);
    }
}

/// SIPS in a message that goes in the clear, to a proxy of the same machine say: TLS is where our TLS socket is.
#[test]
fn a_sips_contact_leads_to_a_socket_with_tls() {
    let mut stand = Stand::with(routed("<sip:192.0.2.2:5060;lr>"));
    for (transport, local) in [(Tls, "[2001:db8::1]:5061"), (Tls, "192.0.2.1:5061")] {
        let flow = Flow { link: 2, ..Flow::new(transport, local.parse().ok(), None) };
        stand.alice.agent.add_transport(&flow, None).expect("a transport");
    }
    for (target, expected) in [(SIPS, "<sips:alice@192.0.2.1:5061>"), (SIP, "<sip:alice@192.0.2.1:5060>")] {
        stand.alice.invite_with(target, options(Udp));
        stand.exchange();
        assert_eq!(stand.peer_replies("INVITE", 486, "").value("contact"), expected);
        stand.peer.take("ACK");
    }
}

// ------------------------------------------------------------------ the way to such a Contact

fn via(sip: &Sip) -> &str {
    sip.value("via").split(' ').next().unwrap_or_default()
}

/// RFC 7118 §5: `transport=ws` is said of WSS too. `tcp` alone does not tell whether TLS is meant.
#[test]
fn a_uri_is_reached_over_wss_where_that_is_all_there_is() {
    let (ws, tcp) = ("sip:bob@192.0.2.2:5060;transport=ws", "sip:bob@192.0.2.2:5060;transport=tcp");
    let name = "sip:bob@phone.example.com;transport=WS";
    for (first, second, target, expected) in [
        (Wss, None, ws, Some("SIP/2.0/WSS")),
        (Wss, None, name, Some("SIP/2.0/WSS")),
        (Wss, Some(Ws), ws, Some("SIP/2.0/WS")),
        (Ws, Some(Wss), ws, Some("SIP/2.0/WS")),
        (Ws, None, ws, Some("SIP/2.0/WS")),
        (Tls, None, ws, None),
        (Udp, Some(Wss), ws, Some("SIP/2.0/WSS")),
        (Wss, None, tcp, None),
        (Tls, None, tcp, None),
        (Tls, Some(Tcp), tcp, Some("SIP/2.0/TCP")),
    ] {
        let mut stand = Stand::over(first, config("alice"));
        if let Some(second) = second {
            let flow = Flow { link: 2, ..Flow::new(second, "192.0.2.1:5070".parse().ok(), None) };
            stand.alice.agent.add_transport(&flow, None).expect("a transport");
        }
        stand.alice.on(EventKind::Resolve, |agent, now, event| {
            let transport = event.transport.expect("the URI's");
            agent.resolved(now, event.query, &[Flow::new(transport, None, BOB.parse().ok())]);
        });
        let row = format!("{first:?} {second:?} {target}");
        let now = stand.alice.now();
        let called = stand.alice.agent.invite(now, Some(target.as_bytes()), with_sdp(OFFER));
        stand.exchange();
        let Some(expected) = expected else {
            assert_eq!(called.expect_err(&row).kind, ErrorKind::NoTransport, "{row}");
            assert_eq!(stand.peer.got(), NOTHING);
            continue;
        };
        called.expect(&row);
        let invite = stand.peer_replies("INVITE", 486, "");
        assert_eq!((via(&invite), invite.uri()), (expected, target), "{row}");
    }
}

/// The port that a URI over WSS means is that of WSS.
#[test]
fn the_port_of_a_uri_over_wss() {
    let mut stand = Stand::over(Wss, config("alice"));
    let now = stand.alice.now();
    stand.alice.agent.invite(now, Some(b"sip:bob@192.0.2.2;transport=ws"), with_sdp(OFFER)).expect("a way");
    let sent = stand.alice.agent.poll_transmit().expect("an INVITE");
    assert_eq!(sent.flow.remote, "192.0.2.2:443".parse().ok());
    assert_eq!(sent.flow.transport, Wss);
}

/// A connection has gone; the dialog's messages came encrypted, so its URIs are reached that way, in the role of caller and callee,
/// with a route set and without.
#[test]
fn a_dialog_goes_on_encrypted_when_its_connection_is_gone() {
    for (transport, parameter, expected) in
        [(Tls, "tcp", "SIP/2.0/TLS"), (Wss, "ws", "SIP/2.0/WSS"), (Tcp, "tcp", "SIP/2.0/TCP"), (Ws, "ws", "SIP/2.0/WS")]
    {
        for (caller, route) in [(true, false), (true, true), (false, false), (false, true)] {
            for other in [None, Some(if parameter == "tcp" { Tcp } else { Ws })] {
                let row = format!("{transport:?} caller {caller} route {route} beside {other:?}");
                let mut stand = Stand::over(transport, config("alice"));
                let hop = format!("<sip:192.0.2.2:5060;transport={parameter};lr>");
                stand.peer.contact = format!("sip:peer@192.0.2.2:5060;transport={parameter}");
                if caller {
                    stand.alice.invite(SIP, OFFER);
                    stand.exchange();
                    let invite = stand.peer.take("INVITE");
                    stand.peer.learn(&invite);
                    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
                    stand.say(if route { ok.with("Record-Route", hop) } else { ok });
                    assert_eq!(via(&stand.peer.take("ACK")), expected, "{row}");
                } else {
                    stand.alice.answers(EventKind::Invite, ANSWER);
                    let invite = stand.peer.request("INVITE").sdp(OFFER);
                    let invite = if route { invite.with("Record-Route", hop) } else { invite };
                    stand.say(invite.clone());
                    let ok = stand.peer.take("200 INVITE");
                    stand.peer.learn(&ok);
                    let ack = stand.peer.ack(&invite, &ok);
                    stand.say(ack);
                }
                let now = stand.alice.now();
                assert!(stand.alice.agent.link_closed(now, 1));
                for (kind, port) in other
                    .filter(|other| *other != transport)
                    .map(|other| (other, 5070))
                    .into_iter()
                    .chain([(transport, 5060)])
                {
                    let local = format!("192.0.2.1:{port}").parse().ok();
                    let flow = Flow { link: 1, ..Flow::new(kind, local, None) };
                    stand.alice.agent.add_transport(&flow, None).expect("a transport");
                }
                stand.alice.reinvite(HOLD);
                stand.exchange();
                assert_eq!(via(&stand.peer_replies("INVITE", 200, HELD)), expected, "{row}");
                assert_eq!(via(&stand.peer.take("ACK")), expected, "{row}");
            }
        }
    }
}

/// A 2xx that no session is made for is acknowledged and ended on the way that it came.
#[test]
fn a_stranger_is_answered_encrypted() {
    for route in [false, true] {
        let mut stand = Stand::over(Tls, config("alice"));
        stand.alice.invite(SIP, OFFER);
        stand.exchange();
        let invite = stand.peer_replies("INVITE", 200, ANSWER);
        stand.peer.take("ACK");
        stand.peer.contact = "sip:other@192.0.2.2:5060;transport=tcp".to_owned();
        let late = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
        stand.say(if route { late.with("Record-Route", "<sip:192.0.2.2:5060;transport=tcp;lr>") } else { late });
        assert_eq!(via(&stand.peer.take("ACK")), "SIP/2.0/TLS");
        assert_eq!(via(&stand.peer_replies("BYE", 200, "")), "SIP/2.0/TLS");
    }
}

/// A transfer to a Contact that was written over TLS or WSS (RFC 3515 §2.1).
#[test]
fn a_refer_to_is_read_as_its_refer_came() {
    for (transport, other, parameter, expected) in [
        (Tls, None, "tcp", "SIP/2.0/TLS"),
        (Wss, None, "ws", "SIP/2.0/WSS"),
        // Who has TCP as well takes the URI by its word (RFC 3263 §4.1).
        (Tls, Some(Tcp), "tcp", "SIP/2.0/TCP"),
    ] {
        for subscribed in [true, false] {
            let mut stand = Stand::over(transport, config("alice"));
            if let Some(other) = other {
                let flow = Flow { link: 2, ..Flow::new(other, "192.0.2.1:5070".parse().ok(), None) };
                stand.alice.agent.add_transport(&flow, None).expect("a transport");
            }
            stand.peer_calls();
            stand.alice.on(EventKind::Refer, |agent, now, event| {
                let options = RequestOptions { refer: event.incoming, ..with_sdp(OFFER) };
                agent.invite(now, None, options).expect("a way to the Refer-To");
            });
            let to = format!("<sip:carol@192.0.2.2:5060;transport={parameter}>");
            let contact = format!("<{}>", stand.peer.contact);
            let refer = stand.peer.request("REFER").with("Contact", contact).with("Refer-To", to);
            stand.say(if subscribed { refer } else { refer.with("Refer-Sub", "false") });
            let invite = stand.peer.take("INVITE");
            assert_eq!(via(&invite), expected, "{transport:?} {other:?}");
            let busy = stand.peer.reply(&invite, 486);
            stand.say(busy);
            assert_eq!(via(&stand.peer.take("ACK")), expected);
        }
    }
}

/// Each reaches the other by the Contact that it wrote, also without the connection.
#[test]
fn two_agents_reach_each_other() {
    for transport in [Tls, Wss] {
        let mut pair = Pair::over(transport, config("alice"), config("bob"), 1);
        pair.call();
        for party in [&mut pair.alice, &mut pair.bob] {
            let now = party.now();
            party.agent.link_closed(now, 1);
            let flow = Flow { link: 1, ..Flow::new(transport, Some(party.address), None) };
            party.agent.add_transport(&flow, None).expect("a transport");
        }
        pair.bob.hangup();
        pair.run_until_idle();
        assert_eq!(pair.alice.count(EventKind::Bye), 1, "{transport:?}");
    }
}

/// RFC 3261 §26.2.2: no request of a sips call goes in the clear, whatever Contact or Record-Route say, and though there
/// is a socket for it; also when the connection is gone.
#[test]
fn a_sips_call_never_leaves_tls() {
    for (contact, route) in [("sip:evil@192.0.2.2:5060", None), ("sips:b@192.0.2.2", Some("<sip:192.0.2.2:5060;lr>"))] {
        let mut stand = Stand::over(Tls, config("alice"));
        let clear = Flow { link: 9, ..Flow::new(Udp, "192.0.2.1:5060".parse().ok(), None) };
        stand.alice.agent.add_transport(&clear, None).expect("a transport");
        stand.alice.invite(SIPS, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).set("Contact", format!("<{contact}>")).sdp(ANSWER);
        stand.say(match route {
            Some(route) => ok.with("Record-Route", route),
            None => ok,
        });
        let now = stand.alice.now();
        stand.alice.agent.link_closed(now, 1);
        let session = stand.alice.session();
        let _ = stand.alice.agent.message(now, session, Default::default());
        let mut secret = 0;
        while let Some(transmit) = stand.alice.agent.poll_transmit() {
            assert!(transmit.flow.transport.is_secure(), "{contact} {route:?}: {:?}", transmit.flow);
            secret += 1;
        }
        assert!(secret < 3);
        stand.end_unjudged();
    }
}
