//! Connected identity (RFC 4916): who answered says so, and the peer may change its From.

use super::failover;
use crate::common::draft::Draft;
use crate::common::pair::{BOB, Pair, Stand, TO_BOB};
use crate::common::party::{config, reliable};
use crate::common::refer::{accepts, refer_of};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, reliable_caller};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::{Config, Policy, Refresher, SessionTimer};
use sipdlg::session::SessionState;

const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, UPDATE";

fn telling(name: &str) -> Config {
    let mut config = config(name);
    config.connected_identity = true;
    config
}

/// The peer calls somebody else than alice's AOR says; she answers.
fn answered(alice: Config, supported: &str, allow: &str, called: &str) -> (Stand, Draft) {
    let mut stand = Stand::with(alice);
    stand.alice.rings_and_answers(ANSWER);
    called.clone_into(&mut stand.peer.remote_uri);
    let invite = stand.peer.request("INVITE").with("Supported", supported).sdp(OFFER);
    let invite = if allow.is_empty() { invite } else { invite.with("Allow", allow) };
    stand.say(invite.clone());
    (stand, invite)
}

/// Its ACK.
fn acknowledged(mut stand: Stand, invite: &Draft) -> Stand {
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(invite, &ok);
    stand.say(ack);
    stand
}

/// §4: once its call stands, and only then; From of what follows is the new one when the caller has accepted it.
#[test]
fn the_caller_is_told_who_answered() {
    for accepted in [true, false] {
        let (mut stand, invite) = answered(telling("alice"), "from-change", ALLOW, "sip:sales@example.com");
        assert!(stand.peer.take("180 INVITE").all("supported").contains(&"from-change"));
        stand.advance(crate::common::ms(1_000));
        assert!(!stand.peer.got().contains(&"UPDATE".to_owned()), "the ACK is not here");
        let mut stand = acknowledged(stand, &invite);
        let before = stand.alice.events.len();
        let update = stand.peer_replies("UPDATE", if accepted { 200 } else { 403 }, "");
        assert!(update.value("from").starts_with("<sip:alice@example.com>;tag="), "{}", update.value("from"));
        assert!(update.value("to").starts_with("<sip:peer@example.com>;tag="));
        assert_eq!(update.sdp(), None);
        assert_eq!(stand.alice.events.len(), before, "the host is not told");
        let uri = if accepted { "sip:alice@example.com" } else { "sip:sales@example.com" };
        assert_eq!(stand.alice.agent.session(stand.alice.session()).unwrap().local_uri(), uri.as_bytes());
        stand.alice.reinvite(HOLD);
        stand.exchange();
        let reinvite = stand.peer_replies("INVITE", 200, HELD);
        assert!(reinvite.value("from").starts_with(&format!("<{uri}>;tag=")));
        stand.peer.take("ACK");
        // §4: what the peer knows us by meanwhile is its affair.
        for to in ["sip:alice@example.com", "sip:sales@example.com", "sip:elsewhere@example.com"] {
            to.clone_into(&mut stand.peer.remote_uri);
            let options = stand.peer.request("INFO");
            stand.say(options);
            stand.peer.take("200 INFO");
        }
    }
}

/// Who is not told: a caller that does not take it or could not answer, one that called us by that name; by none where
/// we have none, or do not want to.
#[test]
fn who_is_not_told() {
    let nobody = || Config { connected_identity: true, ..Config::default() };
    for (why, alice, supported, allow, called) in [
        ("off", config("alice"), "from-change", ALLOW, "sip:sales@example.com"),
        ("not supported", telling("alice"), "100rel", ALLOW, "sip:sales@example.com"),
        ("no UPDATE", telling("alice"), "from-change", "INVITE, ACK, BYE", "sip:sales@example.com"),
        ("UPDATE not listed", telling("alice"), "from-change", "", "sip:sales@example.com"),
        ("called by it", telling("alice"), "from-change", ALLOW, "sip:alice@example.com"),
        ("no identity", nobody(), "from-change", ALLOW, "sip:sales@example.com"),
    ] {
        let (stand, invite) = answered(alice, supported, allow, called);
        let stand = acknowledged(stand, &invite);
        assert_eq!(stand.peer.got(), NOTHING, "{why}");
    }
}

/// The hang-up that waited for the ACK is all that goes out.
#[test]
fn nobody_is_told_at_the_end() {
    let (mut stand, invite) = answered(telling("alice"), "from-change", ALLOW, "sip:sales@example.com");
    stand.alice.hangup();
    let mut stand = acknowledged(stand, &invite);
    stand.peer_replies("BYE", 200, "");
    assert_eq!(stand.peer.got(), NOTHING);
}

/// An ACK that comes again tells nothing again.
#[test]
fn it_is_told_once() {
    let (stand, invite) = answered(telling("alice"), "from-change", ALLOW, "sip:sales@example.com");
    let mut stand = acknowledged(stand, &invite);
    stand.peer_replies("UPDATE", 200, "");
    let ok = stand.peer.reply_as(
        &crate::common::sip::Sip::parse(invite.text().as_bytes()).unwrap(),
        200,
        &stand.peer.remote_tag,
    );
    let ack = stand.peer.ack(&invite, &crate::common::sip::Sip::parse(ok.text().as_bytes()).unwrap());
    stand.say(ack);
    assert_eq!(stand.peer.got(), NOTHING);
}

/// §4: a changed From in a re-INVITE or UPDATE is the peer's identity from our 2xx on, whatever the setting.
#[test]
fn the_peers_identity_changes_with_our_2xx() {
    for (method, accepted, on) in [
        ("INVITE", true, false),
        ("UPDATE", true, false),
        ("UPDATE", true, true),
        ("INVITE", false, false),
        ("UPDATE", false, true),
    ] {
        let mut stand = Stand::with(if on { telling("alice") } else { config("alice") });
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        assert_eq!(invite.all("supported").contains(&"from-change"), on);
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(ok);
        stand.peer.take("ACK");
        let kind = if method == "INVITE" { EventKind::Reinvite } else { EventKind::Update };
        stand.alice.hold(kind);
        let before = stand.peer.local_uri.clone();
        "sip:carol@example.com".clone_into(&mut stand.peer.local_uri);
        let change = stand.peer.request(method);
        let change = if method == "INVITE" { change.sdp(HOLD) } else { change };
        let from = change.get("From").replace('<', "\"Carol\" <");
        let change = change.set("From", from);
        stand.say(change.clone());
        let event = stand.alice.last(kind).message.as_ref().expect("a request").from_uri().map(<[u8]>::to_vec);
        assert_eq!(event.as_deref(), Some(&b"sip:carol@example.com"[..]));
        let remote = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().remote_uri().to_vec();
        assert_eq!(remote(&stand), before.as_bytes(), "RFC 4916 §4: not before our 2xx");
        if accepted {
            stand.alice.accept(if method == "INVITE" { HELD } else { "" });
        } else {
            stand.alice.reject(488);
        }
        stand.exchange();
        let answer = stand.peer.take(&format!("{} {method}", if accepted { 200 } else { 488 }));
        if method == "INVITE" {
            let ack = stand.peer.ack(&change, &answer);
            stand.say(ack);
        }
        let expected = if accepted { "sip:carol@example.com".to_owned() } else { before };
        assert_eq!(remote(&stand), expected.as_bytes());
        stand.alice.bye();
        stand.exchange();
        let bye = stand.peer_replies("BYE", 200, "");
        let to = if accepted { "\"Carol\" <sip:carol@example.com>;tag=" } else { "<sip:bob@192.0.2.2>;tag=" };
        assert!(bye.value("to").starts_with(to), "{}", bye.value("to"));
    }
}

/// Both sides of it: a call that was sent elsewhere.
#[test]
fn two_agents() {
    let mut pair = Pair::with(telling("alice"), telling("bob"));
    pair.call();
    assert_eq!(pair.since(4), ["bob UPDATE", "alice 200 UPDATE"], "the AOR is not what was called");
    assert_eq!(pair.alice.agent.session(pair.alice.session()).unwrap().remote_uri(), b"sip:bob@example.com");
    assert_eq!(pair.bob.agent.session(pair.bob.session()).unwrap().local_uri(), b"sip:bob@example.com");
    assert_eq!(pair.bob.state().0, SessionState::Confirmed);
    let (now, session) = (pair.alice.now(), pair.alice.session());
    pair.alice.agent.bye(now, session, RequestOptions::default()).expect("it is legal");
    pair.exchange();
    pair.finish();
}

/// RFC 3311 §5.2: an UPDATE of the host's that is not answered, or waits to be sent again, comes first.
#[test]
fn it_is_told_after_an_update_of_the_hosts() {
    for status in [200, 491] {
        let mut stand = Stand::with(telling("alice"));
        "sip:sales@example.com".clone_into(&mut stand.peer.remote_uri);
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").with("Supported", "100rel, from-change").with("Allow", ALLOW);
        let invite = invite.sdp(OFFER);
        stand.say(invite.clone());
        stand.peer.inbox.clear();
        reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let response = reliable_caller::take(&mut stand, "183 INVITE");
        reliable_caller::prack(&mut stand, &response);
        stand.alice.update(HOLD);
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        if status == 491 {
            let glare = stand.peer.reply(&update, 491);
            stand.say(glare);
        }
        stand.alice.accept("");
        stand.exchange();
        reliable_caller::acknowledge(&mut stand, &invite);
        assert_eq!(stand.peer.got(), NOTHING, "{status}");
        let update = if status == 491 {
            stand.advance(crate::common::seconds(4));
            stand.peer.take("UPDATE")
        } else {
            update
        };
        assert_eq!(update.sdp(), Some(HOLD));
        stand.peer.inbox.clear();
        let ok = stand.peer.reply(&update, 200).sdp(HELD);
        stand.say(ok);
        let telling = stand.peer_replies("UPDATE", 200, "");
        assert!(telling.value("from").starts_with("<sip:alice@example.com>;tag="));
        let session = stand.alice.agent.session(stand.alice.session()).expect("it lives");
        assert_eq!(
            (session.local_uri(), session.offer().map(|it| it.content())),
            (&b"sip:alice@example.com"[..], Some(HOLD.as_bytes()))
        );
    }
}

/// RFC 3311 §5.2: where the host lets a newer request take over the wait of an UPDATE, that comes first if it is an UPDATE.
#[test]
fn it_is_told_after_the_update_that_takes_over_a_wait() {
    for newer in ["UPDATE", "INVITE"] {
        let mut stand = Stand::with(telling("alice"));
        "sip:sales@example.com".clone_into(&mut stand.peer.remote_uri);
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").with("Supported", "100rel, from-change").with("Allow", ALLOW);
        let invite = invite.sdp(OFFER);
        stand.say(invite.clone());
        stand.peer.inbox.clear();
        reliable_caller::progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let response = reliable_caller::take(&mut stand, "183 INVITE");
        reliable_caller::prack(&mut stand, &response);
        stand.alice.update(HOLD);
        stand.exchange();
        stand.peer_replies("UPDATE", 491, "");
        stand.alice.accept("");
        stand.exchange();
        reliable_caller::acknowledge(&mut stand, &invite);
        let tells = |update: &Sip| update.value("from").starts_with("<sip:alice@example.com>;tag=");
        match newer {
            "UPDATE" => stand.alice.update(OFFER),
            _ => stand.alice.reinvite(OFFER),
        };
        stand.exchange();
        if newer == "INVITE" {
            let telling = stand.peer_replies("UPDATE", 200, "");
            assert!(tells(&telling), "no UPDATE of ours is in its way");
        }
        assert_eq!(stand.peer.got(), NOTHING, "{newer}");
        stand.advance(crate::common::seconds(4));
        let again = stand.peer.take(newer);
        assert_eq!((again.sdp(), tells(&again)), (Some(OFFER), newer == "INVITE"), "{newer}");
        stand.peer.inbox.clear();
        let ok = stand.peer.reply(&again, 200).sdp(ANSWER);
        stand.say(ok);
        stand.peer.inbox.retain(|message| message.method() != "ACK");
        if newer == "UPDATE" {
            let telling = stand.peer_replies("UPDATE", 200, "");
            assert!(tells(&telling) && telling.sdp().is_none());
        }
        assert_eq!(stand.peer.got(), NOTHING, "{newer}");
    }
}

/// RFC 5057 §5.5: NOTIFYs outlive the call, and come from who the peer then knows us as: also where its 2xx to the UPDATE
/// comes after the BYE.
#[test]
fn a_notify_after_the_call_comes_from_the_identity_that_was_accepted() {
    for (status, from) in [(200, "sip:alice@example.com"), (403, "sip:sales@example.com")] {
        let (stand, invite) = answered(telling("alice"), "from-change", ALLOW, "sip:sales@example.com");
        let mut stand = acknowledged(stand, &invite);
        let update = stand.peer.take("UPDATE");
        accepts(&mut stand.alice);
        let refer = refer_of(&mut stand);
        stand.say(refer);
        stand.peer_replies("NOTIFY", 200, "");
        let referred = stand.alice.incoming();
        let bye = stand.peer.request("BYE");
        stand.say(bye);
        stand.peer.take("200 BYE");
        let late = stand.peer.reply(&update, status);
        stand.say(late);
        let now = stand.alice.now();
        stand.alice.agent.incoming_notify(now, referred, 200, None).expect("it outlives the call");
        stand.exchange();
        let notify = stand.peer_replies("NOTIFY", 200, "");
        assert!(notify.value("from").starts_with(&format!("<{from}>;tag=")), "{status} {}", notify.value("from"));
    }
}

/// To of a request that waited to be sent again is the peer's identity of then.
#[test]
fn a_retry_goes_to_the_new_identity() {
    for method in ["INVITE", "UPDATE"] {
        let mut stand = Stand::alice_called();
        if method == "INVITE" {
            stand.alice.reinvite(HOLD)
        } else {
            stand.alice.update(HOLD)
        };
        stand.exchange();
        stand.peer_replies(method, 491, "");
        "sip:carol@example.com".clone_into(&mut stand.peer.local_uri);
        let update = stand.peer.request("UPDATE");
        stand.say(update);
        stand.peer.take("200 UPDATE");
        stand.peer.inbox.clear();
        stand.advance(crate::common::seconds(4));
        let again = stand.peer.take(method);
        assert!(again.value("to").starts_with("<sip:carol@example.com>;tag="), "{method} {}", again.value("to"));
        stand.peer.inbox.clear();
        let ok = stand.peer.reply(&again, 200).sdp(HELD);
        stand.say(ok);
        stand.peer.inbox.clear();
    }
}

fn with_credentials(mut config: Config) -> Config {
    config.add_credentials(None, b"user", b"secret", false, None).expect("credentials");
    config
}

/// What the peer says to a request, so that it comes again.
fn refuses(stand: &mut Stand, request: &Sip, status: u16) {
    let refusal = stand.peer.reply(request, status);
    let refusal = match status {
        401 => refusal.with("WWW-Authenticate", "Digest realm=\"here\", nonce=\"n\", qop=\"auth\""),
        422 => refusal.with("Min-SE", "4000"),
        500 => refusal.with("Retry-After", "1"),
        _ => refusal,
    };
    stand.say(refusal);
    stand.advance(crate::common::seconds(4));
}

/// RFC 3261 §12.2.1.1: From of a request that goes out again after the caller took our identity is that one; RFC 4916 §4:
/// the former would tell it back.
#[test]
fn what_comes_again_comes_from_the_identity_that_was_accepted() {
    for (method, status) in
        [("INVITE", 491), ("INVITE", 500), ("INVITE", 401), ("INVITE", 422), ("INFO", 401), ("OPTIONS", 401)]
    {
        for accepted in [true, false] {
            let mut alice = with_credentials(telling("alice"));
            alice.session_timer = SessionTimer::new(Policy::Supported, 1_800, 90, Refresher::Any).expect("good");
            let (stand, invite) = answered(alice, "from-change", ALLOW, "sip:sales@example.com");
            let mut stand = acknowledged(stand, &invite);
            let update = stand.peer.take("UPDATE");
            match method {
                "INVITE" => stand.alice.reinvite(HOLD),
                "INFO" => stand.alice.info(),
                _ => stand.alice.options(),
            };
            stand.exchange();
            let request = stand.peer.take(method);
            assert!(request.value("from").starts_with("<sip:sales@example.com>;tag="), "{method} {status}");
            let answer = stand.peer.reply(&update, if accepted { 200 } else { 403 });
            stand.say(answer);
            refuses(&mut stand, &request, status);
            stand.peer.inbox.retain(|message| message.method() != "ACK");
            let again = stand.peer_replies(method, 200, if method == "INVITE" { HELD } else { "" });
            let from = if accepted { "<sip:alice@example.com>;tag=" } else { "<sip:sales@example.com>;tag=" };
            assert!(again.value("from").starts_with(from), "{method} {status}: {}", again.value("from"));
            stand.peer.inbox.clear();
        }
    }
}

/// The UPDATE that tells it tells it again.
#[test]
fn the_identity_that_is_told_again_is_the_same() {
    for status in [491, 500, 401] {
        let (stand, invite) =
            answered(with_credentials(telling("alice")), "from-change", ALLOW, "sip:sales@example.com");
        let mut stand = acknowledged(stand, &invite);
        let update = stand.peer.take("UPDATE");
        refuses(&mut stand, &update, status);
        let local = |stand: &Stand| stand.alice.agent.session(stand.alice.session()).unwrap().local_uri().to_vec();
        assert_eq!(local(&stand), b"sip:sales@example.com", "{status}");
        let again = stand.peer_replies("UPDATE", 200, "");
        assert!(again.value("from").starts_with("<sip:alice@example.com>;tag="), "{status}: {}", again.value("from"));
        assert_eq!(local(&stand), b"sip:alice@example.com", "{status}");
    }
}

/// To of a request that waited for anything is the peer's identity of then: a challenge, the next target of a name that
/// comes after a later request, the way itself.
#[test]
fn what_goes_out_late_goes_to_the_new_identity() {
    let changes = |stand: &mut Stand| {
        "sip:carol@example.com".clone_into(&mut stand.peer.local_uri);
        let update = stand.peer.request("UPDATE");
        stand.say(update);
        stand.peer.take("200 UPDATE");
    };
    let goes_to_carol = |stand: &mut Stand, why: &str| {
        let again = stand.peer_replies("INFO", 200, "");
        assert!(again.value("to").starts_with("<sip:carol@example.com>;tag="), "{why}: {}", again.value("to"));
    };
    let mut stand = Stand::with(with_credentials(config("alice")));
    stand.peer_calls();
    stand.alice.info();
    stand.exchange();
    let info = stand.peer.take("INFO");
    changes(&mut stand);
    refuses(&mut stand, &info, 401);
    goes_to_carol(&mut stand, "challenge");

    let mut stand = failover::stand();
    stand.peer_calls();
    stand.alice.info();
    stand.exchange();
    changes(&mut stand);
    stand.alice.options();
    stand.exchange();
    failover::first_replies(&mut stand, "INFO", 503);
    goes_to_carol(&mut stand, "next target");
    failover::first_replies(&mut stand, "OPTIONS", 503);
    stand.peer_replies("OPTIONS", 200, "");

    let mut stand = Stand::new();
    stand.peer.contact = "sip:peer@gw.example".to_owned();
    stand.alice.hold(EventKind::Resolve);
    stand.peer_calls();
    stand.alice.info();
    stand.exchange();
    changes(&mut stand);
    let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
    assert!(stand.alice.agent.resolved(now, query, &[failover::to(BOB)]));
    stand.exchange();
    goes_to_carol(&mut stand, "its way");
}
