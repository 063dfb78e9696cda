//! A Contact or Record-Route that no request can be sent to never becomes a target (RFC 3261 §12.1, §12.2.1.1). What may
//! not stand in a target (table 1), and the quirk HASH_IN_USER.

use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::reliable_callee::target_of;
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::{EventKind, Reason};
use sipdlg::config::quirk;
use sipdlg::session::SessionState;

/// URIs that no request can be sent to.
const NOWHERE: [&str; 12] = [
    "sip:bob@192.0.2.2:99999",
    "sip:bob@192.0.2.2:0",
    "sip:bob@",
    "sip:@192.0.2.2",
    "sip:bob@[2001:db8::9",
    "sip:x|y^z@192.0.2.2",
    "sip:%zz@192.0.2.2",
    "sip:a b@192.0.2.2",
    "sip:bob@192.0.2.2;transport=sctp",
    "sips:bob@192.0.2.2;transport=udp",
    "tel:+1-201-555-0123",
    "mailto:bob@example.com",
];

/// Alice calls; `early`: the peer rings first, with a good Contact.
fn called(early: bool) -> (Stand, crate::common::sip::Sip) {
    let mut stand = Stand::new();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    if early {
        let ringing = stand.peer.reply(&invite, 180).set("Contact", "<sip:early@192.0.2.2:5060>");
        stand.say(ringing);
    }
    (stand, invite)
}

/// RFC 3261 §13.2.2.4: such a 2xx is acknowledged, and BYE follows, both to what works.
#[test]
fn a_2xx_that_leads_nowhere() {
    for bad in NOWHERE {
        for (early, header) in [(false, "Contact"), (true, "Contact"), (false, "Record-Route"), (true, "Record-Route")]
        {
            if header == "Record-Route" && bad.contains("transport=") && !bad.starts_with("sips") {
                // Of a hop that is not the next one it is nobody's business here; below.
                continue;
            }
            let (mut stand, invite) = called(early);
            let value = format!("<{bad}>");
            let ok = match header {
                "Contact" => stand.peer.reply(&invite, 200).set("Contact", value),
                _ => stand.peer.reply(&invite, 200).with("Record-Route", value),
            };
            stand.say(ok.clone().sdp(ANSWER));
            let works = if early { "sip:early@192.0.2.2:5060" } else { TO_BOB };
            let case = format!("{header} {bad}, early {early}");
            assert_eq!(stand.peer.take("ACK").uri(), works, "{case}");
            let bye = stand.peer.inbox.front().unwrap_or_else(|| panic!("{case}: no BYE")).clone();
            assert_eq!((bye.method(), bye.uri()), ("BYE", works), "{case}");
            // A repeat is answered by the same ACK.
            stand.say(ok.sdp(ANSWER));
            stand.peer_replies("BYE", 200, "");
            assert_eq!(stand.peer.got(), ["ACK"], "{case}");
            let end = stand.alice.last(EventKind::Terminated);
            assert_eq!((end.reason, end.status_code), (Reason::RefusedByRule, 200), "{case}");
            let ends = [EventKind::Accept, EventKind::State, EventKind::Terminated];
            assert!(stand.alice.kinds().ends_with(&ends), "{case}: {:?}", stand.alice.kinds());
            assert_eq!(stand.alice.count(EventKind::TransportError), 0);
            stand.finish();
        }
    }
}

/// What is wrong behind a good URI, in a Contact or a Record-Route, is nobody's business.
#[test]
fn parameters_behind_a_good_uri() {
    for parameters in [";", ";expires=", ";;q=1", ";isfocus;", ";+sip.instance=<urn:x:1>", ";tag=a;tag=b", " x"] {
        let contact = format!("<sip:good@192.0.2.2:5060>{parameters}");
        let (mut stand, invite) = called(false);
        let ok = stand.peer.reply(&invite, 200).set("Contact", &*contact).sdp(ANSWER);
        stand.say(ok.with("Record-Route", format!("<sip:192.0.2.2;lr>{parameters}")));
        assert_eq!(stand.peer.take("ACK").uri(), "sip:good@192.0.2.2:5060", "{parameters}");
        assert_eq!(stand.alice.state().0, SessionState::Confirmed, "{parameters}");
        stand.alice.bye();
        stand.exchange();
        stand.peer_replies("BYE", 200, "");
        stand.end_unjudged();
        let mut stand = Stand::new();
        stand.alice.answers(EventKind::Invite, ANSWER);
        let invite = stand.peer.request("INVITE").set("Contact", &*contact).sdp(OFFER);
        stand.say(invite);
        assert_eq!((stand.peer.got(), &*target_of(&stand)), (vec!["200 INVITE".to_owned()], "sip:good@192.0.2.2:5060"));
    }
}

/// A way that no socket of ours goes is none: ACK and BYE go where the INVITE went.
#[test]
fn a_2xx_that_asks_for_a_transport_that_we_lack() {
    for contact in
        ["sip:b@192.0.2.2;transport=tcp", "sips:b@192.0.2.2", "sip:b@[2001:db8::9]", "sip:b@192.0.2.2;transport=ws"]
    {
        let (mut stand, invite) = called(false);
        let ok = stand.peer.reply(&invite, 200).set("Contact", format!("<{contact}>")).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").uri(), TO_BOB, "{contact}");
        assert_eq!(stand.peer_replies("BYE", 200, "").uri(), TO_BOB, "{contact}");
        assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::RefusedByRule, "{contact}");
        stand.end_unjudged();
    }
}

/// What is preloaded to the way of a call, and whom it is for.
const PRELOADED: [(&str, &str); 6] = [
    ("", TO_BOB),
    ("<sip:192.0.2.2;lr>", "sip:bob@192.0.2.9"),
    ("<sip:192.0.2.2>", "sip:bob@192.0.2.9"),
    ("<sip:192.0.2.2;transport=udp>, <sip:p2.example.com;lr>", "sip:bob@192.0.2.9"),
    ("\"P\" <sip:a?b;lr,c@192.0.2.2;method=INVITE?x=y>;z, <sip:192.0.2.3>", "sip:*67?5,lr;lr@192.0.2.9;lr;x=y"),
    ("<sip:192.0.2.2;lr>, <sip:192.0.2.3>", "sip:bob@192.0.2.9;x=y"),
];

fn calls_by(routes: &str, target: &str) -> (Stand, crate::common::sip::Sip) {
    let mut alice = config("alice");
    alice.set_route_set(routes.as_bytes()).unwrap();
    let mut stand = Stand::with(alice);
    stand.alice.invite(target, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (stand, invite)
}

/// What the peer has got next goes the way of the INVITE.
#[track_caller]
fn goes_as(stand: &mut Stand, method: &str, invite: &crate::common::sip::Sip) {
    let sent = stand.peer.take(method);
    assert_eq!((sent.uri(), sent.all("route")), (invite.uri(), invite.all("route")), "{method}");
    if method != "ACK" {
        let ok = stand.peer.reply(&sent, 200).without("Contact");
        stand.say(ok);
    }
}

/// What works is the way of the INVITE: its routes, and the target that a strict router had put behind them.
#[test]
fn what_works_is_the_way_of_the_invite() {
    let bad = Some("<sip:bob@192.0.2.2:99999>");
    for (routes, target) in PRELOADED {
        for (early, contact) in [(None, bad), (None, None), (Some(bad), bad), (Some(None), None), (Some(bad), None)] {
            let (mut stand, invite) = calls_by(routes, target);
            let with = |draft: crate::common::draft::Draft, contact: Option<&str>| match contact {
                Some(contact) => draft.set("Contact", contact),
                None => draft.without("Contact"),
            };
            if let Some(contact) = early {
                let progress = stand.peer.reply(&invite, 183).reliable(1).sdp(ANSWER);
                stand.say(with(progress, contact));
                goes_as(&mut stand, "PRACK", &invite);
                assert_eq!(target_of(&stand), target, "{routes}");
            }
            let ok = stand.peer.reply(&invite, 200);
            let ok = if early.is_some() { ok } else { ok.sdp(ANSWER) };
            stand.say(with(ok, contact));
            goes_as(&mut stand, "ACK", &invite);
            if contact.is_none() {
                assert_eq!((&*target_of(&stand), stand.alice.state().0), (target, SessionState::Confirmed), "{routes}");
                stand.alice.reinvite(HOLD);
                stand.exchange();
                let again = stand.peer.take("INVITE");
                assert_eq!((again.uri(), again.all("route")), (invite.uri(), invite.all("route")));
                let ok = stand.peer.reply(&again, 200).without("Contact").sdp(ANSWER);
                stand.say(ok);
                goes_as(&mut stand, "ACK", &invite);
                stand.alice.hangup();
                stand.exchange();
            }
            goes_as(&mut stand, "BYE", &invite);
            stand.run_until_idle();
            let reason = if contact.is_none() { Reason::LocalHangup } else { Reason::RefusedByRule };
            assert_eq!(stand.alice.last(EventKind::Terminated).reason, reason, "{routes}");
            // Whom a strict router is told of is nothing that the judge could know.
            stand.end_unjudged();
        }
    }
}

/// Forks beside the first, and one that was ended early, go that way too.
#[test]
fn forks_that_say_nothing_good_go_the_way_of_the_invite() {
    for (routes, target) in PRELOADED {
        for contact in ["<sip:bob@192.0.2.2:99999>", ""] {
            let (mut stand, invite) = calls_by(routes, target);
            let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
            stand.say(ok);
            stand.peer.take("ACK");
            let other = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
            stand.say(if contact.is_empty() { other.without("Contact") } else { other.set("Contact", contact) });
            goes_as(&mut stand, "ACK", &invite);
            goes_as(&mut stand, "BYE", &invite);
            assert_eq!(stand.alice.state().0, SessionState::Confirmed);
            stand.end_unjudged();
        }
    }
}

/// What the peer does say counts: its Record-Route, and what an earlier response said.
#[test]
fn a_response_without_contact_takes_back_nothing() {
    for (routes, target) in PRELOADED {
        let recorded = "<sip:192.0.2.2;lr;own=1>";
        let (mut stand, invite) = calls_by(routes, target);
        let ok = stand.peer.reply(&invite, 200).without("Contact").with("Record-Route", recorded).sdp(ANSWER);
        stand.say(ok);
        let ack = stand.peer.take("ACK");
        assert_eq!((ack.uri(), ack.all("route")), (target, vec![recorded]));
        stand.end_unjudged();
        let (mut stand, invite) = calls_by(routes, target);
        let ringing = stand.peer.reply(&invite, 180).with("Record-Route", recorded);
        stand.say(ringing);
        let ok = stand.peer.reply(&invite, 200).without("Contact").sdp(ANSWER);
        stand.say(ok);
        let ack = stand.peer.take("ACK");
        assert_eq!((ack.uri(), ack.all("route")), ("sip:peer@192.0.2.2:5060", vec![recorded]));
        stand.end_unjudged();
    }
}

/// Without Contact a 2xx leaves the Request-URI; that call lives.
#[test]
fn a_2xx_without_contact() {
    let (mut stand, invite) = called(false);
    let ok = stand.peer.reply(&invite, 200).without("Contact").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").uri(), TO_BOB);
    stand.alice.bye();
    stand.exchange();
    assert_eq!(stand.peer_replies("BYE", 200, "").uri(), TO_BOB);
}

/// A second 2xx that leads nowhere, of another fork: ACK and BYE go out too.
#[test]
fn a_fork_that_leads_nowhere() {
    let (mut stand, invite) = called(false);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    let other = stand.peer.reply_as(&invite, 200, "other").set("Contact", "<sip:bob@>").sdp(ANSWER);
    stand.say(other);
    assert_eq!(stand.peer.take("ACK").uri(), TO_BOB);
    assert_eq!(stand.peer_replies("BYE", 200, "").uri(), TO_BOB);
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

/// A provisional response that leads nowhere is one without Contact: the quirk decides, the Request-URI is the target.
#[test]
fn a_1xx_that_leads_nowhere() {
    for (header, tolerated) in [("Contact", true), ("Record-Route", true), ("Contact", false), ("Record-Route", false)]
    {
        let mut alice = config("alice");
        if !tolerated {
            alice.set_tolerance(quirk::ALL & !quirk::ONE_XX_WITHOUT_CONTACT).unwrap();
        }
        let mut stand = Stand::with(alice);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let ringing = stand.peer.reply(&invite, 180);
        let bad = "<sip:bob@192.0.2.2:99999>";
        stand.say(if header == "Contact" { ringing.set(header, bad) } else { ringing.with(header, bad) });
        assert_eq!(stand.alice.count(EventKind::Progress), usize::from(tolerated), "{header}");
        assert_eq!(stand.alice.agent.stats().quirks[0], u64::from(tolerated));
        if tolerated {
            assert_eq!(target_of(&stand), TO_BOB);
        }
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").uri(), "sip:peer@192.0.2.2:5060");
    }
}

#[test]
fn an_invite_that_leads_nowhere() {
    for bad in NOWHERE {
        for header in ["Contact", "Record-Route"] {
            let mut stand = Stand::new();
            stand.alice.hold(EventKind::Invite);
            let invite = stand.peer.request("INVITE").sdp(OFFER);
            let value = format!("<{bad}>");
            let invite = if header == "Contact" { invite.set(header, value) } else { invite.with(header, value) };
            stand.say(invite);
            assert_eq!(stand.peer.got(), ["400 INVITE"], "{header} {bad}");
            assert_eq!(stand.alice.count(EventKind::Invite), 0);
        }
    }
}

/// What would move a target and leads nowhere is refused, and the next good one moves it.
#[test]
fn a_refresh_that_leads_nowhere() {
    for bad in NOWHERE {
        let mut stand = Stand::peer_called();
        for kind in [EventKind::Reinvite, EventKind::Refer, EventKind::Notify] {
            stand.alice.hold(kind);
        }
        let target = target_of(&stand);
        for method in ["INVITE", "REFER", "NOTIFY", "SUBSCRIBE"] {
            let request = stand.peer.request(method).set("Contact", format!("<{bad}>")).with("Event", "refer");
            stand.say(request.with("Refer-To", "<sip:c@d>").with("Subscription-State", "active"));
            stand.peer.take(&format!("400 {method}"));
            assert_eq!(target_of(&stand), target, "{method} {bad}");
        }
        // What moves no target may say what it likes.
        for method in ["INFO", "OPTIONS"] {
            let request = stand.peer.request(method).with("Contact", format!("<{bad}>"));
            stand.say(request);
            assert!(stand.peer.got().iter().all(|short| !short.starts_with("400")), "{method} {bad}");
        }
        stand.alice.answers(EventKind::Reinvite, ANSWER);
        let good = stand.peer.request("INVITE").set("Contact", "<sip:new@192.0.2.2>").sdp(HOLD);
        stand.say(good);
        assert_eq!(target_of(&stand), "sip:new@192.0.2.2");
    }
}

/// The 2xx to our own re-INVITE: nothing moves, the call goes on where it was.
#[test]
fn our_reinvite_is_answered_from_nowhere() {
    for bad in NOWHERE {
        let mut stand = Stand::alice_called();
        let target = target_of(&stand);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let ok = stand.peer.reply(&invite, 200).set("Contact", format!("<{bad}>")).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").uri(), target, "{bad}");
        assert_eq!((target_of(&stand), stand.alice.state().0), (target.clone(), SessionState::Confirmed));
        stand.alice.hangup();
        stand.exchange();
        assert_eq!(stand.peer_replies("BYE", 200, "").uri(), target);
    }
}

/// Behind a loose router the transport of the target is the router's to know.
#[test]
fn the_target_behind_a_router_may_ask_for_any_transport() {
    let (mut stand, invite) = called(false);
    let ok = stand.peer.reply(&invite, 200).set("Contact", "<sip:b@192.0.2.9;transport=sctp>");
    stand.say(ok.with("Record-Route", "<sip:192.0.2.2;lr>").sdp(ANSWER));
    assert_eq!(stand.peer.take("ACK").uri(), "sip:b@192.0.2.9;transport=sctp");
    assert_eq!(stand.alice.state().0, SessionState::Confirmed);
}

/// RFC 3261 §19.1.1, table 1: `method`, `ttl` and headers do not stand in a target.
#[test]
fn what_stands_in_a_target() {
    let contact = "<sip:p?q;method=x@192.0.2.2;method=BYE;ttl=3;x=y?Route=%3Csip:evil%3E>";
    let wanted = "sip:p?q;method=x@192.0.2.2;x=y";
    let (mut stand, invite) = called(false);
    let ok = stand.peer.reply(&invite, 200).set("Contact", contact).sdp(ANSWER);
    stand.say(ok);
    assert_eq!((stand.peer.take("ACK").uri(), &*target_of(&stand)), (wanted, wanted));
    let mut stand = Stand::peer_called();
    stand.alice.answers(EventKind::Reinvite, ANSWER);
    let again = stand.peer.request("INVITE").set("Contact", contact).sdp(HOLD);
    stand.say(again);
    assert_eq!(target_of(&stand), wanted);
}

/// What the host reads is what the library reads, in every header with addresses: quotes come before brackets.
#[test]
fn addresses_as_the_host_reads_them() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let value = "\"A <sip:evil@e>, \\\"B\\\"\" <sip:x@h>;y=\"<z>\"";
    let bare = "sip:x@h;y=\"<z>,\"";
    let headers = ["Reply-To", "Referred-By", "P-Asserted-Identity", "Diversion", "History-Info", "X-Own"];
    let mut invite = stand.peer.request("INVITE").sdp(OFFER);
    for header in headers {
        invite = invite.with(header, value);
    }
    invite = invite.with("P-Preferred-Identity", format!("{bare}, {value}"));
    stand.say(invite);
    let message = stand.alice.last(EventKind::Invite).message.clone().unwrap();
    for header in headers {
        let read = message.name_addr(header.as_bytes(), 0).unwrap().unwrap();
        assert_eq!((read.uri, read.parameters), (&b"sip:x@h"[..], &b";y=\"<z>\""[..]), "{header}");
    }
    for index in 0..2 {
        let read = message.name_addr(&b"P-Preferred-Identity"[..], index).unwrap().unwrap();
        assert_eq!(read.uri, b"sip:x@h", "value {index}");
    }
    assert!(message.name_addr(&b"P-Preferred-Identity"[..], 2).is_none());
}

/// The quirk: taken, counted once a message, passed on as it came. Without it: no good URI.
#[test]
fn a_hash_in_a_user() {
    let hash = "sip:PBX#1000#9@192.0.2.2:5060";
    let counted = |stand: &Stand| stand.alice.agent.stats().quirks[5];
    for tolerated in [true, false] {
        let alice = || {
            let mut alice = config("alice");
            if !tolerated {
                alice.set_tolerance(quirk::ALL & !quirk::HASH_IN_USER).unwrap();
            }
            alice
        };
        // As caller, by the Contact of the 2xx.
        let mut stand = Stand::with(alice());
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let ok = stand.peer.reply(&invite, 200).set("Contact", format!("<{hash}>")).sdp(ANSWER);
        stand.say(ok);
        assert_eq!(stand.peer.take("ACK").uri(), if tolerated { hash } else { TO_BOB });
        assert_eq!((stand.peer.got().is_empty(), counted(&stand)), (tolerated, u64::from(tolerated)));
        if !tolerated {
            stand.end_unjudged();
        }
        // As callee: each place of an INVITE where it may stand.
        for place in ["Contact", "Record-Route", "Request-URI"] {
            let mut stand = Stand::with(alice());
            stand.alice.answers(EventKind::Invite, ANSWER);
            let invite = stand.peer.request("INVITE").sdp(OFFER);
            stand.say(match place {
                "Contact" => invite.set("Contact", format!("<{hash}>")),
                "Record-Route" => invite.with("Record-Route", format!("<{hash};lr>")),
                _ => invite.request_uri("sip:7#8@192.0.2.1"),
            });
            assert_eq!(stand.peer.got(), [if tolerated { "200 INVITE" } else { "400 INVITE" }], "{place}");
            assert_eq!(counted(&stand), u64::from(tolerated), "{place}");
            if tolerated {
                stand.advance(seconds(1));
                stand.alice.hangup();
                let ok = stand.peer.take("200 INVITE");
                stand.peer.learn(&ok);
                let target = if place == "Contact" { hash } else { "sip:peer@192.0.2.2:5060" };
                assert_eq!(target_of(&stand), target);
            }
        }
    }
}
