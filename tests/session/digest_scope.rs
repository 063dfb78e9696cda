//! How far credentials go: to which realm, hash, call and place.

use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::{config, with_sdp};
use crate::common::sip::Sip;
use crate::common::wire::Secret;
use crate::common::{ANSWER, HOLD, OFFER};
use crate::failover::{FIRST, NAMED, finds};
use sipdlg::agent::{EventKind, RequestOptions};
use sipdlg::config::{Config, Secret as Credentials};
use sipdlg::message::Challenge;
use std::net::SocketAddr;

const REALM: &str = "example.com";
const MOVED: &str = "192.0.2.77:5060";
/// H(A1) by MD5 of alice, example.com, wonderland.
const HA1: &[u8] = b"93dfce8dfebfae8af4a726982429d23a";

/// A stand whose wire checker knows the passwords.
fn stand(config: Config) -> Stand {
    let mut stand = Stand::with(config);
    for (user, password) in [("alice", "wonderland"), ("bob", "builder"), ("carol", "wrong")] {
        let [realm, user, password] = [REALM, user, password].map(str::to_owned);
        stand.wire.trace.secrets.push(Secret { realm, user, password });
    }
    stand
}

fn configured() -> Config {
    let mut config = config("alice");
    config.add_credentials(Some(REALM.as_bytes()), b"alice", b"wonderland", false, None).unwrap();
    config
}

fn of(user: &str, password: &str) -> Credentials {
    Credentials::new(Some(REALM.as_bytes()), user.as_bytes(), password.as_bytes(), false, None).unwrap()
}

fn with(text: &str, credentials: Vec<Credentials>) -> RequestOptions<'_> {
    RequestOptions { credentials, ..with_sdp(text) }
}

/// The peer challenges the last request of this kind that alice sent, wherever it went.
#[track_caller]
fn challenges(stand: &mut Stand, short: &str, status: u16, challenges: &[&str]) -> Sip {
    stand.exchange();
    let (_, request) = last(stand, short);
    stand.peer.inbox.clear();
    let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let reply = challenges.iter().fold(stand.peer.reply(&request, status), |reply, more| {
        reply.with(name, format!("Digest realm=\"{REALM}\", {more}"))
    });
    stand.say(reply);
    request
}

/// Where alice's last request of this kind went, and what it was.
#[track_caller]
fn last(stand: &Stand, short: &str) -> (SocketAddr, Sip) {
    let sent = stand.wire.trace.datagrams.iter().filter(|datagram| datagram.from == 0);
    let mut parsed = sent.map(|datagram| (datagram.target, Sip::clone(datagram.sip.as_ref().expect("a message"))));
    parsed.rfind(|(_, sip)| sip.short() == short).unwrap_or_else(|| panic!("no {short} went out"))
}

/// The peer answers the last request of this kind, wherever it went.
#[track_caller]
fn answers(stand: &mut Stand, short: &str, text: &str) -> Sip {
    let (_, request) = last(stand, short);
    stand.peer.inbox.clear();
    if short == "INVITE" {
        stand.peer.learn(&request);
    }
    let reply = stand.peer.reply(&request, 200);
    stand.say(if text.is_empty() { reply } else { reply.sdp(text) });
    request
}

/// A value of a credentials line; "" where there is none.
fn field(request: &Sip, header: &str, name: &str) -> String {
    let Some(line) = request.get(header) else { return String::new() };
    let credentials = Challenge::parse(line.as_bytes()).unwrap();
    String::from_utf8(credentials.parameter(name.as_bytes()).unwrap_or_default().into_owned()).unwrap()
}

fn user(request: &Sip) -> String {
    field(request, "authorization", "username") + &field(request, "proxy-authorization", "username")
}

/// RFC 8760 §2.4: local policy. A list without the strong challenge is answered by nobody, in a call and out of one.
#[test]
fn weak_challenges_are_left_out() {
    let md5 = "nonce=\"weak\", qop=\"auth\"";
    let sha = "nonce=\"strong\", algorithm=SHA-256, qop=\"auth\"";
    for (minimum, list, answered) in [
        ("SHA-256", vec![md5], ""),
        ("SHA-256", vec![md5, sha], "strong"),
        ("SHA-512-256", vec![md5, sha], ""),
        ("MD5", vec![md5, sha], "weak"),
    ] {
        let mut config = configured();
        config.set_digest_minimum(Some(minimum.as_bytes())).unwrap();
        let mut stand = stand(config);
        // The checker knows no policy.
        stand.wire.trace.allowed.push("digest-answer");
        stand.alice.invite(TO_BOB, OFFER);
        challenges(&mut stand, "INVITE", 407, &list);
        let (_, invite) = last(&stand, "INVITE");
        assert_eq!(field(&invite, "proxy-authorization", "nonce"), answered, "{minimum} {list:?}");
        if answered.is_empty() {
            assert_eq!(
                (stand.alice.statuses(EventKind::Reject), stand.alice.count(EventKind::Challenge)),
                (vec![407], 0)
            );
            continue;
        }
        answers(&mut stand, "INVITE", ANSWER);
        // The BYE is asked by somebody who took the list apart.
        stand.alice.hangup();
        challenges(&mut stand, "BYE", 401, &[md5]);
        let (_, bye) = last(&stand, "BYE");
        assert_eq!(bye.get("authorization").is_some(), minimum == "MD5");
        if minimum == "MD5" {
            answers(&mut stand, "BYE", "");
        }
    }
}

/// Where only a strong challenge is left and no credentials for it, the host is asked; what it gives is no way down.
#[test]
fn the_host_is_asked_for_what_is_strong_enough() {
    let mut config = config("alice");
    config.add_credentials(Some(REALM.as_bytes()), b"alice", HA1, true, None).unwrap();
    config.set_digest_minimum(Some(b"SHA-256")).unwrap();
    let mut stand = stand(config);
    stand.alice.hold(EventKind::Challenge);
    stand.wire.trace.allowed.push("digest-answer");
    let outgoing = stand.alice.invite(TO_BOB, OFFER);
    let list = ["nonce=\"weak\"", "nonce=\"strong\", algorithm=SHA-256"];
    challenges(&mut stand, "INVITE", 401, &list);
    assert_eq!(stand.alice.count(EventKind::Challenge), 1);
    let now = stand.alice.now();
    stand.alice.agent.authenticate(now, outgoing, Some(b"alice"), b"wonderland").unwrap();
    stand.exchange();
    assert_eq!(field(&last(&stand, "INVITE").1, "authorization", "nonce"), "strong");
    answers(&mut stand, "INVITE", ANSWER);
}

/// RFC 7616 §3.3: a parameter that stands there twice makes a challenge none.
#[test]
fn a_challenge_with_a_parameter_twice_is_none() {
    let twice = "nonce=\"a\", nonce=\"b\", qop=\"auth\"";
    for (list, answered) in [
        (vec![twice], ""),
        (vec!["realm=\"other\", nonce=\"a\""], ""),
        (vec!["nonce=\"a\", algorithm=SHA-256, Algorithm=MD5"], ""),
        (vec![twice, "nonce=\"c\", qop=\"auth\""], "c"),
    ] {
        let mut stand = stand(configured());
        stand.alice.invite(TO_BOB, OFFER);
        challenges(&mut stand, "INVITE", 401, &list);
        assert_eq!(field(&last(&stand, "INVITE").1, "authorization", "nonce"), answered, "{list:?}");
        match answered {
            "" => assert_eq!(stand.alice.statuses(EventKind::Reject), [401]),
            _ => drop(answers(&mut stand, "INVITE", ANSWER)),
        }
    }
}

/// RFC 7616 §3.4.3; the wire checker hashes the bodies. With and without one, and where a proxy is told unasked.
#[test]
fn auth_int_where_nothing_else_is_offered() {
    let mut stand = stand(configured());
    stand.alice.invite(TO_BOB, OFFER);
    challenges(&mut stand, "INVITE", 407, &["nonce=\"one\", algorithm=SHA-256, qop=\"auth-int\""]);
    let invite = answers(&mut stand, "INVITE", ANSWER);
    assert_eq!(field(&invite, "proxy-authorization", "qop"), "auth-int");
    stand.alice.info();
    stand.exchange();
    let info = answers(&mut stand, "INFO", "");
    assert_eq!(field(&info, "proxy-authorization", "nc"), "00000002");
    stand.alice.reinvite(HOLD);
    challenges(&mut stand, "INVITE", 401, &["nonce=\"two\", qop=\"auth-conf,auth-int\""]);
    let invite = answers(&mut stand, "INVITE", ANSWER);
    assert_eq!(field(&invite, "authorization", "qop"), "auth-int");
    stand.alice.hangup();
    challenges(&mut stand, "BYE", 401, &["nonce=\"three\", qop=\"auth-int, auth\""]);
    let bye = answers(&mut stand, "BYE", "");
    assert_eq!(
        (field(&bye, "authorization", "qop"), field(&bye, "proxy-authorization", "qop")),
        ("auth".into(), "auth-int".into())
    );
}

/// The peer moves its target with a re-INVITE.
#[track_caller]
fn moves(stand: &mut Stand) {
    stand.alice.answers(EventKind::Reinvite, ANSWER);
    stand.peer.contact = format!("sip:peer@{MOVED}");
    let reinvite = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(reinvite.clone());
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&reinvite, &ok);
    stand.say(ack);
}

/// RFC 3261 §22.3 sends proxies what they asked for before; nobody else gets it.
#[test]
fn a_moved_target_gets_nothing_unasked() {
    let mut stand = stand(configured());
    stand.alice.invite(TO_BOB, OFFER);
    challenges(&mut stand, "INVITE", 407, &["nonce=\"one\", qop=\"auth\""]);
    answers(&mut stand, "INVITE", ANSWER);
    stand.alice.info();
    stand.exchange();
    assert_eq!(field(&answers(&mut stand, "INFO", ""), "proxy-authorization", "nonce"), "one");
    moves(&mut stand);
    stand.alice.info();
    stand.exchange();
    let (target, info) = last(&stand, "INFO");
    assert_eq!((target.to_string().as_str(), info.get("proxy-authorization")), (MOVED, None));
    // It asks for itself, and is told from then on.
    challenges(&mut stand, "INFO", 407, &["nonce=\"two\", qop=\"auth\""]);
    assert_eq!(field(&answers(&mut stand, "INFO", ""), "proxy-authorization", "nonce"), "two");
    stand.alice.hangup();
    stand.exchange();
    let bye = answers(&mut stand, "BYE", "");
    assert_eq!(
        (field(&bye, "proxy-authorization", "nonce"), field(&bye, "proxy-authorization", "nc")),
        ("two".into(), "00000002".into())
    );
}

/// Nor does the next target of a name, be it the same request or one that has to take another number.
#[test]
fn the_next_target_of_a_name_gets_nothing_unasked() {
    for overtaken in [false, true] {
        let mut stand = stand(configured());
        finds(&mut stand.alice, &[FIRST, BOB]);
        stand.peer.contact = "sip:peer@gw.example".to_owned();
        stand.alice.invite(NAMED, OFFER);
        challenges(&mut stand, "INVITE", 407, &["nonce=\"one\", qop=\"auth\""]);
        answers(&mut stand, "INVITE", ANSWER);
        stand.alice.info();
        stand.exchange();
        let (target, info) = last(&stand, "INFO");
        assert_eq!((target.to_string().as_str(), user(&info).as_str()), (FIRST, "alice"));
        if overtaken {
            stand.alice.options();
            stand.exchange();
            answers(&mut stand, "OPTIONS", "");
        }
        let refusal = stand.peer.reply(&info, 503);
        stand.say(refusal);
        let (target, info) = last(&stand, "INFO");
        assert_eq!((target.to_string().as_str(), info.get("proxy-authorization")), (BOB, None));
        challenges(&mut stand, "INFO", 407, &["nonce=\"two\", qop=\"auth\""]);
        assert_eq!(field(&answers(&mut stand, "INFO", ""), "proxy-authorization", "nonce"), "two");
    }
}

/// A 2xx that leads elsewhere: its ACK and BYE.
#[test]
fn the_ack_elsewhere_has_no_credentials_of_proxies() {
    for (status, contact, kept) in [(407, MOVED, false), (407, BOB, true), (401, MOVED, true), (401, BOB, true)] {
        let mut stand = stand(configured());
        stand.peer.contact = format!("sip:peer@{contact}");
        stand.alice.invite(TO_BOB, OFFER);
        challenges(&mut stand, "INVITE", status, &["nonce=\"one\", qop=\"auth\""]);
        answers(&mut stand, "INVITE", ANSWER);
        let (target, ack) = last(&stand, "ACK");
        assert_eq!(target.to_string(), contact);
        assert_eq!(!user(&ack).is_empty(), kept, "{status} {contact}");
        // The repeat, too.
        let (_, invite) = last(&stand, "INVITE");
        let again = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.say(again);
        assert_eq!(!user(&last(&stand, "ACK").1).is_empty(), kept);
        stand.alice.hangup();
        stand.exchange();
        assert_eq!(!user(&last(&stand, "BYE").1).is_empty(), status == 407 && contact == BOB);
        answers(&mut stand, "BYE", "");
    }
}

/// A target that is far away, but by the proxy that asked: its route set.
#[test]
fn a_route_set_keeps_to_its_proxy() {
    let mut stand = stand(configured());
    stand.peer.contact = format!("sip:peer@{MOVED}");
    stand.alice.invite(TO_BOB, OFFER);
    challenges(&mut stand, "INVITE", 407, &["nonce=\"one\", qop=\"auth\""]);
    let (_, invite) = last(&stand, "INVITE");
    stand.peer.learn(&invite);
    let ok = stand.peer.reply(&invite, 200).sdp(ANSWER).with("Record-Route", format!("<sip:{BOB};lr>"));
    stand.say(ok);
    assert_eq!(user(&last(&stand, "ACK").1), "alice");
    stand.alice.hangup();
    stand.exchange();
    let (target, bye) = last(&stand, "BYE");
    assert_eq!((target.to_string().as_str(), user(&bye).as_str()), (BOB, "alice"));
    answers(&mut stand, "BYE", "");
}

/// Two trunks of one realm, in one agent that has an account there as well.
#[test]
fn each_call_has_credentials_of_its_own() {
    for (own, expected) in [(vec![of("bob", "builder")], "bob"), (vec![], "alice")] {
        let mut stand = stand(configured());
        stand.alice.invite_with(TO_BOB, with(OFFER, own));
        challenges(&mut stand, "INVITE", 401, &["nonce=\"1\", qop=\"auth\""]);
        assert_eq!(user(&answers(&mut stand, "INVITE", ANSWER)), expected);
        stand.alice.info();
        challenges(&mut stand, "INFO", 401, &["nonce=\"2\", qop=\"auth\""]);
        assert_eq!(user(&answers(&mut stand, "INFO", "")), expected);
        stand.alice.reinvite(HOLD);
        challenges(&mut stand, "INVITE", 407, &["nonce=\"3\", qop=\"auth\""]);
        assert_eq!(user(&answers(&mut stand, "INVITE", ANSWER)), expected);
        stand.alice.hangup();
        challenges(&mut stand, "BYE", 401, &["nonce=\"4\", algorithm=SHA-256"]);
        assert_eq!(field(&answers(&mut stand, "BYE", ""), "authorization", "username"), expected);
    }
}

/// They are there before anything was asked of the INVITE: for forks and for the BYE of a 2xx that nobody wants.
#[test]
fn sessions_have_them_though_nobody_asked_before() {
    let mut stand = stand(configured());
    stand.alice.invite_with(TO_BOB, with(OFFER, vec![of("bob", "builder")]));
    stand.exchange();
    answers(&mut stand, "INVITE", ANSWER);
    stand.alice.hangup();
    challenges(&mut stand, "BYE", 401, &["nonce=\"1\""]);
    assert_eq!(user(&answers(&mut stand, "BYE", "")), "bob");
    drop(stand);

    let mut stand = self::stand(configured());
    stand.alice.invite_with(TO_BOB, with(OFFER, vec![of("bob", "builder")]));
    stand.exchange();
    let (_, invite) = last(&stand, "INVITE");
    answers(&mut stand, "INVITE", ANSWER);
    let other = stand.peer.reply_as(&invite, 200, "other").sdp(ANSWER);
    stand.say(other);
    challenges(&mut stand, "BYE", 401, &["nonce=\"1\""]);
    let (_, bye) = last(&stand, "BYE");
    assert_eq!((bye.to_tag().as_deref(), user(&bye).as_str()), (Some("other"), "bob"));
    let done = stand.peer.reply_as(&bye, 200, "other");
    stand.say(done);
}

/// An account of the realm that is refused does not hand its call to another one.
#[test]
fn the_configuration_does_not_pay_for_a_call_with_its_own() {
    let mut stand = stand(configured());
    stand.alice.invite_with(TO_BOB, with(OFFER, vec![of("carol", "wrong")]));
    challenges(&mut stand, "INVITE", 401, &["nonce=\"1\""]);
    assert_eq!(user(&last(&stand, "INVITE").1), "carol");
    challenges(&mut stand, "INVITE", 401, &["nonce=\"2\""]);
    assert_eq!((stand.alice.count(EventKind::Challenge), stand.alice.statuses(EventKind::Reject)), (1, vec![401]));

    // A realm that the call has nothing for is the configuration's.
    let other = Credentials::new(Some(b"elsewhere"), b"bob", b"builder", false, None).unwrap();
    let mut stand = self::stand(configured());
    stand.alice.invite_with(TO_BOB, with(OFFER, vec![other]));
    challenges(&mut stand, "INVITE", 401, &["nonce=\"1\""]);
    assert_eq!(user(&answers(&mut stand, "INVITE", ANSWER)), "alice");
}

/// A callee has no INVITE to give them with: what it gives with a request is its session's from then on.
#[test]
fn a_request_in_a_call_gives_them_to_the_call() {
    for hangup in [false, true] {
        let mut stand = stand(configured());
        stand.peer_calls();
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let options = || with("", vec![of("bob", "builder")]);
        if hangup {
            stand.alice.agent.hangup(now, session, 0, options()).unwrap();
        } else {
            stand.alice.agent.options(now, session, options()).unwrap();
            challenges(&mut stand, "OPTIONS", 401, &["nonce=\"1\""]);
            assert_eq!(user(&answers(&mut stand, "OPTIONS", "")), "bob");
            stand.alice.hangup();
        }
        challenges(&mut stand, "BYE", 401, &["nonce=\"2\""]);
        assert_eq!(user(&answers(&mut stand, "BYE", "")), "bob");
    }
}

/// What is given later stands beside what was given for other realms: the call stays with its account there.
#[test]
fn credentials_for_one_realm_leave_those_for_others() {
    let secret = |realm: Option<&str>, user: &str, password: &str| {
        Credentials::new(realm.map(str::as_bytes), user.as_bytes(), password.as_bytes(), false, None).unwrap()
    };
    for (first, later, expected) in [
        (Some(REALM), Some("elsewhere"), "bob"),
        (None, Some("elsewhere"), "bob"),
        (Some(REALM), Some(REALM), "carol"),
        (Some(REALM), None, "carol"),
        (None, Some(REALM), "carol"),
        (None, None, "carol"),
    ] {
        let mut stand = stand(configured());
        stand.alice.invite_with(TO_BOB, with(OFFER, vec![secret(first, "bob", "builder")]));
        stand.exchange();
        answers(&mut stand, "INVITE", ANSWER);
        let (now, session) = (stand.alice.now(), stand.alice.session());
        stand.alice.agent.options(now, session, with("", vec![secret(later, "carol", "wrong")])).unwrap();
        stand.exchange();
        answers(&mut stand, "OPTIONS", "");
        stand.alice.hangup();
        challenges(&mut stand, "BYE", 401, &["nonce=\"1\""]);
        assert_eq!(user(&answers(&mut stand, "BYE", "")), expected, "{first:?} {later:?}");
    }
}

/// Out of a dialog, and only for that request.
#[test]
fn a_request_out_of_a_dialog_has_them_for_itself() {
    let mut stand = stand(configured());
    let now = stand.alice.now();
    for (own, expected) in [(vec![of("bob", "builder")], "bob"), (vec![], "alice")] {
        stand.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), with("", own)).unwrap();
        challenges(&mut stand, "OPTIONS", 401, &["nonce=\"1\""]);
        assert_eq!(user(&answers(&mut stand, "OPTIONS", "")), expected);
    }
}
