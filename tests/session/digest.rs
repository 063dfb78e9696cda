//! Digest (RFC 3261 §22, RFC 7616, RFC 8760): what is sent again by itself, what the host is asked, what ends.

use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::wire::Secret;
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::event::Reason;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, OutgoingState, RequestOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::message::Challenge;
use sipdlg::message::digest::{Algorithm, Covered, Qop};

const REALM: &str = "example.com";

/// A peer that challenges; the wire checker knows alice's password.
fn challenger(config: Config) -> Stand {
    let mut stand = Stand::with(config);
    let [realm, user, password] = [REALM, "alice", "wonderland"].map(str::to_owned);
    stand.wire.trace.secrets.push(Secret { realm, user, password });
    stand
}

fn with_credentials() -> Config {
    let mut config = config("alice");
    config.add_credentials(Some(REALM.as_bytes()), b"alice", b"wonderland", false, None).unwrap();
    config
}

fn challenge(realm: &str, nonce: &str, more: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\"{more}")
}

/// The peer challenges the last request of this method.
#[track_caller]
fn challenges(stand: &mut Stand, short: &str, status: u16, nonce: &str, more: &str) -> Sip {
    let request = stand.peer.take(short);
    let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let reply = stand.peer.reply(&request, status).with(name, challenge(REALM, nonce, more));
    stand.say(reply);
    request
}

/// A value of a credentials line.
#[track_caller]
fn field(request: &Sip, header: &str, name: &str) -> String {
    let line = request.get(header).unwrap_or_else(|| panic!("{} has no {header}", request.short()));
    let credentials = Challenge::parse(line.as_bytes()).unwrap();
    String::from_utf8(credentials.parameter(name.as_bytes()).unwrap_or_default().into_owned()).unwrap()
}

/// The response is right for MD5 with qop auth.
#[track_caller]
fn check(request: &Sip, header: &str, nonce: &str, count: &str) {
    let field = |name: &str| field(request, header, name);
    assert_eq!((field("username").as_str(), field("nonce").as_str(), field("nc").as_str()), ("alice", nonce, count));
    assert_eq!((field("uri").as_str(), field("qop").as_str()), (request.uri(), "auth"));
    let credentials = sipdlg::message::digest::Credentials {
        proxy: false,
        realm: REALM.as_bytes().into(),
        algorithm: Algorithm::Md5,
        user: b"alice"[..].into(),
        ha1: Algorithm::Md5.ha1(b"alice", REALM.as_bytes(), b"wonderland"),
        nonce: nonce.as_bytes().into(),
        opaque: None,
        qop: Some(Qop::Auth),
        count: u32::from_str_radix(count, 16).unwrap(),
        asked_by: Flow::new(Transport::Udp, None, None),
    };
    let covered = Covered { method: request.method().as_bytes(), uri: request.uri().as_bytes(), body: b"" };
    let expected = credentials.response(covered, field("cnonce").as_bytes());
    assert_eq!(field("response").as_bytes(), &*expected);
}

/// Alice calls; the proxy challenges; the call stands.
#[track_caller]
fn called_through_a_proxy() -> Stand {
    let mut stand = challenger(with_credentials());
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    challenges(&mut stand, "INVITE", 407, "one", ", qop=\"auth,auth-int\"");
    let invite = stand.peer_replies("INVITE", 200, ANSWER);
    check(&invite, "proxy-authorization", "one", "00000001");
    let ack = stand.peer.take("ACK");
    assert_eq!(ack.value("proxy-authorization"), invite.value("proxy-authorization"), "§22.1");
    stand
}

/// §8.1.3.5, §22.2: new branch, CSeq + 1, all else as it was; one fate; the dialog counts on from the last INVITE.
#[test]
fn an_invite_goes_out_again_by_itself() {
    let mut stand = challenger(with_credentials());
    let outgoing = stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let first = challenges(&mut stand, "INVITE", 401, "one", ", qop=\"auth\", opaque=\"o\"");
    assert_eq!(stand.alice.agent.outgoing(outgoing).unwrap().state(), OutgoingState::Calling);
    stand.peer.take("ACK");
    let invite = stand.peer_replies("INVITE", 200, ANSWER);
    check(&invite, "authorization", "one", "00000001");
    assert_eq!(field(&invite, "authorization", "opaque"), "o");
    assert_eq!((first.cseq(), invite.cseq()), (1, 2));
    assert_ne!(first.branch(), invite.branch());
    assert_eq!((first.call_id(), first.from_tag()), (invite.call_id(), invite.from_tag()));
    assert_eq!(first.sdp(), invite.sdp());
    let ack = stand.peer.take("ACK");
    assert_eq!((ack.cseq(), ack.value("authorization")), (2, invite.value("authorization")));
    // The first transaction ends, the call is not touched.
    stand.advance(seconds(40));
    assert_eq!((stand.alice.count(EventKind::Accept), stand.alice.count(EventKind::Reject)), (1, 0));
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!((info.cseq(), info.get("authorization")), (3, None));
}

/// §22.3: what a proxy asked for goes with the later requests of the call; nc counts up. BYE of hangup too.
#[test]
fn a_proxys_credentials_go_with_the_call() {
    let mut stand = called_through_a_proxy();
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    check(&info, "proxy-authorization", "one", "00000002");
    stand.alice.reinvite(HOLD);
    stand.exchange();
    // RFC 7616 §3.3: stale, so the same credentials with the new nonce, counted from 1.
    let first = challenges(&mut stand, "INVITE", 407, "two", ", qop=\"auth\", stale=true");
    check(&first, "proxy-authorization", "one", "00000003");
    let invite = stand.peer_replies("INVITE", 200, ANSWER);
    check(&invite, "proxy-authorization", "two", "00000001");
    assert_eq!(invite.cseq(), first.cseq() + 1);
    stand.peer.take("ACK");
    stand.alice.hangup();
    stand.exchange();
    let bye = challenges(&mut stand, "BYE", 401, "three", ", qop=\"auth\"");
    check(&bye, "proxy-authorization", "two", "00000002");
    let again = stand.peer.take("BYE");
    assert_eq!(again.cseq(), bye.cseq() + 1);
    check(&again, "proxy-authorization", "two", "00000003");
    check(&again, "authorization", "three", "00000001");
    assert_eq!(stand.alice.count(EventKind::Terminated), 0, "TERMINATED when the BYE is done");
    let done = stand.peer.reply(&again, 200);
    stand.say(done);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

/// A BYE challenged again without stale: the end (RFC 5407 appendix D).
#[test]
fn a_bye_that_is_refused_again_ends() {
    let mut stand = called_through_a_proxy();
    stand.alice.hangup();
    stand.exchange();
    challenges(&mut stand, "BYE", 401, "two", "");
    challenges(&mut stand, "BYE", 401, "three", "");
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// Out of a dialog; a wrong password ends with REJECT, after the host had its chance.
#[test]
fn the_same_credentials_are_not_sent_twice() {
    let mut stand = challenger(with_credentials());
    let now = stand.alice.now();
    stand.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), RequestOptions::default()).unwrap();
    stand.exchange();
    let first = challenges(&mut stand, "OPTIONS", 401, "one", "");
    let second = challenges(&mut stand, "OPTIONS", 401, "two", "");
    assert_eq!((first.cseq(), second.cseq()), (1, 2));
    assert_eq!(field(&second, "authorization", "qop"), "", "none in the challenge");
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!((stand.alice.count(EventKind::Challenge), stand.alice.statuses(EventKind::Reject)), (1, vec![401]));
}

/// Nothing fits: CHALLENGE with the realm; the host answers later; what it gave serves the BYE, too.
#[test]
fn the_host_answers_a_challenge() {
    let mut stand = challenger(config("alice"));
    stand.alice.hold(EventKind::Challenge);
    let outgoing = stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    challenges(&mut stand, "INVITE", 401, "one", ", qop=\"auth\"");
    assert_eq!(stand.alice.last(EventKind::Challenge).text.as_deref(), Some(REALM.as_bytes()));
    assert_eq!(stand.alice.agent.outgoing(outgoing).unwrap().state(), OutgoingState::WaitingRetry);
    stand.advance(seconds(20));
    let now = stand.alice.now();
    stand.alice.agent.authenticate(now, outgoing, Some(b"alice"), b"wonderland").unwrap();
    assert!(stand.alice.agent.authenticate(now, outgoing, Some(b"alice"), b"wonderland").is_err(), "none waits");
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 200, ANSWER);
    check(&invite, "authorization", "one", "00000001");
    stand.peer.take("ACK");
    stand.alice.hangup();
    stand.exchange();
    challenges(&mut stand, "BYE", 401, "two", ", qop=\"auth\"");
    let bye = stand.peer_replies("BYE", 200, "");
    check(&bye, "authorization", "two", "00000001");
}

/// ... or gives up, or says nothing for 32 s, or cancels: REJECT with the 401, once.
#[test]
fn a_challenge_that_nobody_answers_is_the_answer() {
    for act in 0..4 {
        let mut stand = challenger(config("alice"));
        if act < 3 {
            stand.alice.hold(EventKind::Challenge);
        }
        let outgoing = stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        challenges(&mut stand, "INVITE", 401, "one", "");
        let now = stand.alice.now();
        match act {
            0 => stand.alice.agent.authenticate(now, outgoing, None, b"").unwrap(),
            1 => stand.advance(seconds(33)),
            2 => assert!(stand.alice.cancel()),
            _ => {}
        }
        stand.exchange();
        assert_eq!(stand.alice.statuses(EventKind::Reject), [401]);
        assert_eq!(stand.wire.trace.sent_by("alice"), ["INVITE", "ACK"]);
    }
}

/// NO_AUTH, and a host that writes the header itself: handed up.
#[test]
fn a_host_that_answers_itself_gets_the_401() {
    let line: &[u8] = b"Authorization: Digest username=\"x\", realm=\"example.com\"";
    for (flags, headers) in [(request_flag::NO_AUTH, vec![]), (0, vec![line])] {
        let mut stand = challenger(with_credentials());
        // What the host writes is the host's: here it writes nonsense.
        stand.wire.trace.allowed.extend(["digest-form", "digest-answer"]);
        stand.alice.invite_with(TO_BOB, RequestOptions { flags, headers, ..RequestOptions::default() });
        stand.exchange();
        challenges(&mut stand, "INVITE", 401, "one", "");
        assert_eq!(stand.alice.statuses(EventKind::Reject), [401]);
    }
}

/// RFC 8760 §2.4: the topmost that we know; §22.3: a forking proxy gathers realms of both kinds.
#[test]
fn several_challenges_in_one_response() {
    let mut config = with_credentials();
    config.add_credentials(None, b"other", b"secret", false, None).unwrap();
    let mut stand = challenger(config);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let request = stand.peer.take("INVITE");
    let reply = stand.peer.reply(&request, 401);
    let reply = reply.with("WWW-Authenticate", challenge(REALM, "a", ", algorithm=WHIRL-9"));
    let reply = reply.with("WWW-Authenticate", challenge(REALM, "b", ", algorithm=SHA-256, qop=\"auth\""));
    let reply = reply.with("WWW-Authenticate", challenge(REALM, "c", ", algorithm=MD5"));
    let reply = reply.with("Proxy-Authenticate", challenge("proxy", "d", ""));
    stand.say(reply);
    let invite = stand.peer.take("INVITE");
    assert_eq!(invite.all("authorization").len(), 1);
    assert_eq!(
        (field(&invite, "authorization", "nonce"), field(&invite, "authorization", "algorithm")),
        ("b".to_owned(), "SHA-256".to_owned())
    );
    assert_eq!(field(&invite, "authorization", "response").len(), 64);
    assert_eq!(field(&invite, "proxy-authorization", "username"), "other");
    let busy = stand.peer.reply(&invite, 486);
    stand.say(busy);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
}

/// §9.1: CANCEL carries no credentials; one wanted before the challenge ends the INVITE with it.
#[test]
fn cancel_and_challenge() {
    let mut stand = challenger(with_credentials());
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    challenges(&mut stand, "INVITE", 407, "one", "");
    let invite = stand.peer_replies("INVITE", 180, "");
    stand.alice.cancel();
    stand.exchange();
    let cancel = stand.peer_replies("CANCEL", 200, "");
    assert_eq!((cancel.cseq(), cancel.branch()), (invite.cseq(), invite.branch()));
    assert_eq!(cancel.get("proxy-authorization"), None);
    let over = stand.peer.reply(&invite, 487);
    stand.say(over);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
    stand.finish();

    let mut stand = challenger(with_credentials());
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.alice.cancel();
    challenges(&mut stand, "INVITE", 407, "one", "");
    assert_eq!(stand.wire.trace.sent_by("alice"), ["INVITE", "ACK"]);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [407]);
}

/// Early dialogs of a challenged INVITE end quietly; the new INVITE makes its own.
#[test]
fn early_dialogs_of_a_challenged_invite_end() {
    let mut stand = challenger(with_credentials());
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let first = stand.peer_replies("INVITE", 180, "");
    let reply = stand.peer.reply(&first, 401).with("WWW-Authenticate", challenge(REALM, "one", ""));
    stand.say(reply);
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::Authenticated);
    // The same To tag again: a dialog of its own all the same.
    stand.peer_replies("INVITE", 200, ANSWER);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.count(EventKind::Accept), 1);
    stand.alice.info();
    stand.exchange();
    let info = stand.peer_replies("INFO", 200, "");
    assert_eq!(info.cseq(), 3);
}

/// RFC 7616 §3.4.2, RFC 8760: H(A1) of the configuration serves the algorithm that it was made by, and none else; the
/// wire checker recomputes the responses from the password.
#[test]
fn stored_hashes_serve_their_algorithm() {
    let rows = [
        ("MD5", "93dfce8dfebfae8af4a726982429d23a"),
        ("SHA-256", "8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f"),
        ("SHA-512-256", "9485c7b52baa1fc08914b6e75e4adc1d5a0845968231acfbb4d364fa3e4dd28b"),
    ];
    for (algorithm, ha1) in rows {
        let mut config = config("alice");
        config
            .add_credentials(Some(REALM.as_bytes()), b"alice", ha1.as_bytes(), true, Some(algorithm.as_bytes()))
            .unwrap();
        let mut stand = challenger(config);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let more = format!(", qop=\"auth\", algorithm={algorithm}");
        challenges(&mut stand, "INVITE", 407, "one", &more);
        let invite = stand.peer_replies("INVITE", 200, ANSWER);
        assert_eq!(field(&invite, "proxy-authorization", "algorithm"), algorithm);
        stand.peer.take("ACK");
        stand.alice.hangup();
        stand.exchange();
        challenges(&mut stand, "BYE", 401, "two", &more);
        let bye = stand.peer_replies("BYE", 200, "");
        assert_eq!(field(&bye, "authorization", "nonce"), "two");

        // Another algorithm of the same realm: the hash says nothing about it.
        let other = if algorithm == "MD5" { "SHA-256" } else { "MD5" };
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        challenges(&mut stand, "INVITE", 401, "three", &format!(", algorithm={other}"));
        assert_eq!(stand.alice.statuses(EventKind::Reject), [401]);
    }
}

/// A peer that calls every nonce stale is not obeyed for ever.
#[test]
fn stale_for_ever_ends() {
    let mut stand = challenger(with_credentials());
    let now = stand.alice.now();
    stand.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), RequestOptions::default()).unwrap();
    stand.exchange();
    for round in 0..9 {
        challenges(&mut stand, "OPTIONS", 401, &format!("nonce {round}"), ", stale=true");
    }
    assert_eq!(stand.peer.got(), Vec::<String>::new());
    assert_eq!(stand.alice.statuses(EventKind::Reject), [401]);
}
