//! Callers that are challenged (RFC 3261 §22, RFC 7616, RFC 8760): who gets through, how often, and what hostile
//! credentials meet.

use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{answer_sdp, config, reliable, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{Agent, Digest, Event, EventKind, Reason, RequestOptions};
use sipdlg::config::{Config, Secret};
use sipdlg::error::ErrorKind;
use sipdlg::message::digest::{Algorithm, Chosen, Covered, Qop, response};
use sipdlg::message::{Challenge, Message};
use sipdlg::time::Now;
use std::cell::RefCell;
use std::rc::Rc;

const REALM: &str = "example.com";

type Verdicts = Rc<RefCell<Vec<Digest>>>;

fn alices() -> Secret {
    Secret::new(Some(REALM.as_bytes()), b"alice", b"wonderland", false, None).unwrap()
}

fn with_credentials() -> Config {
    let mut config = config("alice");
    config.add_credentials(Some(REALM.as_bytes()), b"alice", b"wonderland", false, None).unwrap();
    config
}

/// What a host does that challenges each request but those of alice.
fn at_the_door(
    algorithms: &'static str,
    accept: impl Fn(&mut Agent, Now, &Event) + 'static,
) -> (Verdicts, impl FnMut(&mut Agent, Now, &Event) + 'static) {
    let verdicts = Verdicts::default();
    let seen = Rc::clone(&verdicts);
    let door = move |agent: &mut Agent, now: Now, event: &Event| {
        let verdict = agent.check_digest(now, event.message.as_ref().unwrap(), &alices()).unwrap();
        seen.borrow_mut().push(verdict);
        match verdict {
            Digest::Good => accept(agent, now, event),
            _ => agent.challenge(now, event.incoming.unwrap(), REALM.as_bytes(), Some(algorithms.as_bytes())).unwrap(),
        }
    };
    (verdicts, door)
}

fn accepts(text: &'static str) -> impl Fn(&mut Agent, Now, &Event) {
    move |agent, now, event| {
        agent.accept(now, event.incoming.unwrap(), 200, &answer_sdp(text)).unwrap();
    }
}

/// Each algorithm has a challenge, the strongest first, and each is answered by our own side.
#[test]
fn a_caller_answers_our_challenge() {
    for (given, written) in [
        ("SHA-256, MD5", vec!["SHA-256", "MD5"]),
        ("MD5,sha-256 , SHA-512-256,MD5", vec!["SHA-512-256", "SHA-256", "MD5"]),
        ("MD5", vec!["MD5"]),
    ] {
        let mut pair = Pair::with(with_credentials(), config("bob"));
        let (verdicts, door) = at_the_door(given, accepts(ANSWER));
        pair.bob.on(EventKind::Invite, door);
        pair.alice.invite(TO_BOB, OFFER);
        pair.exchange();
        let sent = pair.wire.trace.datagrams.iter().filter_map(|datagram| datagram.sip.as_ref().ok());
        let refusal = sent.clone().find(|sip| sip.status() == Some(401)).expect("a challenge");
        let lines = refusal.all("www-authenticate");
        let parsed: Vec<_> = lines.iter().map(|line| Challenge::parse(line.as_bytes()).unwrap()).collect();
        let value = |at: usize, name: &str| {
            String::from_utf8(parsed[at].parameter(name.as_bytes()).unwrap_or_default().into_owned()).unwrap()
        };
        let algorithms: Vec<_> = (0..parsed.len()).map(|at| value(at, "algorithm")).collect();
        assert_eq!(algorithms, written);
        assert_eq!(
            (value(0, "realm"), value(0, "qop"), value(0, "stale")),
            (REALM.into(), "auth".into(), String::new())
        );
        assert_eq!(*verdicts.borrow(), [Digest::Missing, Digest::Good]);
        assert_eq!(pair.alice.count(EventKind::Accept), 1);
        let places = pair.bob.events.iter().filter(|event| event.kind == EventKind::Terminated).count();
        assert_eq!(places, 0, "no session was there yet");
    }
}

/// In a call: re-INVITE and INFO; a BYE that is challenged ends the call all the same.
#[test]
fn requests_in_a_call_are_challenged() {
    let mut pair = Pair::with(with_credentials(), config("bob"));
    let (_, door) = at_the_door("SHA-256", accepts(ANSWER));
    pair.bob.on(EventKind::Invite, door);
    let (reinvites, door) = at_the_door("SHA-256", accepts(ANSWER));
    pair.bob.on(EventKind::Reinvite, door);
    let (infos, door) = at_the_door("SHA-256", accepts(""));
    pair.bob.on(EventKind::Info, door);
    let (byes, door) = at_the_door("SHA-256", accepts(""));
    pair.bob.on(EventKind::Bye, door);
    // The call is over when its BYE is told, so that the one with credentials comes too late.
    pair.wire.trace.allowed.push("bye-answer");
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.alice.reinvite(HOLD);
    pair.exchange();
    pair.alice.info();
    pair.exchange();
    pair.alice.hangup();
    pair.exchange();
    let twice = [Digest::Missing, Digest::Good];
    assert_eq!((&reinvites.borrow()[..], &infos.borrow()[..]), (&twice[..], &twice[..]));
    assert_eq!(byes.borrow()[0], Digest::Missing);
    assert_eq!(pair.bob.last(EventKind::Terminated).reason, Reason::RemoteBye);
    assert_eq!(pair.alice.count(EventKind::Terminated), 1);
}

/// RFC 3262 §3: a PRACK that matches gets 2xx; challenged, it would come again to a response that waits no more, and
/// its 481 would end the call.
#[test]
fn a_prack_that_acknowledges_is_not_challenged() {
    let mut pair = Pair::with(with_credentials(), config("bob"));
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.progress(now, event.incoming.unwrap(), 183, &reliable(ANSWER)).unwrap();
    });
    pair.bob.on(EventKind::Prack, |agent, now, event| {
        let id = event.incoming.unwrap();
        assert_eq!(agent.challenge(now, id, REALM.as_bytes(), None).unwrap_err().kind, ErrorKind::State);
        agent.accept(now, id, 200, &answer_sdp("")).unwrap();
    });
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    let invite = pair.bob.last(EventKind::Invite).incoming.unwrap();
    let now = pair.bob.now();
    pair.bob.agent.accept(now, invite, 200, &answer_sdp("")).unwrap();
    pair.exchange();
    assert_eq!((pair.alice.count(EventKind::Accept), pair.bob.count(EventKind::Prack)), (1, 1));
}

/// One with an offer is: its response waits for another PRACK (RFC 3262 §5).
#[test]
fn a_prack_that_offers_is_challenged() {
    let mut pair = Pair::with(with_credentials(), config("bob"));
    pair.bob.on(EventKind::Invite, |agent, now, event| {
        agent.progress(now, event.incoming.unwrap(), 183, &reliable(ANSWER)).unwrap();
    });
    let (pracks, door) = at_the_door("SHA-256", accepts(ANSWER));
    pair.bob.on(EventKind::Prack, door);
    pair.alice.on(EventKind::Progress, |agent, now, event| {
        agent.prack(now, event.session.unwrap(), with_sdp(HOLD)).unwrap();
    });
    let options = RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(OFFER) };
    pair.alice.invite_with(TO_BOB, options);
    pair.exchange();
    assert_eq!(*pracks.borrow(), [Digest::Missing, Digest::Good]);
    let invite = pair.bob.last(EventKind::Invite).incoming.unwrap();
    let now = pair.bob.now();
    pair.bob.agent.accept(now, invite, 200, &answer_sdp("")).unwrap();
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Accept).last(), Some(&200));
}

/// Bob is the host that challenges; what a peer says is written by hand.
struct Door {
    stand: Stand,
    verdicts: Verdicts,
}

/// Which parts of an Authorization are how.
#[derive(Clone)]
struct Made {
    algorithm: Algorithm,
    qop: Option<Qop>,
    count: String,
    user: &'static str,
    password: &'static str,
}

impl Default for Made {
    fn default() -> Self {
        let (algorithm, qop) = (Algorithm::Sha256, Some(Qop::Auth));
        Self { algorithm, qop, count: "00000001".to_owned(), user: "alice", password: "wonderland" }
    }
}

impl Door {
    fn new() -> Self {
        let mut stand = Stand::new();
        let (verdicts, door) = at_the_door("SHA-256,MD5", accepts(""));
        stand.alice.on(EventKind::Options, door);
        Self { stand, verdicts }
    }

    /// An OPTIONS with these lines; gives the answer.
    #[track_caller]
    fn asks(&mut self, lines: &[String]) -> Sip {
        let options = lines.iter().fold(self.stand.peer.request("OPTIONS"), |it, line| it.with("Authorization", line));
        self.stand.say(options);
        let short = if self.verdicts.borrow().last() == Some(&Digest::Good) { "200 OPTIONS" } else { "401 OPTIONS" };
        self.stand.peer.take(short)
    }

    /// The nonce of the challenge by an algorithm.
    fn nonce(&mut self, algorithm: Algorithm) -> String {
        let refusal = self.asks(&[]);
        nonce_of(&refusal, algorithm)
    }

    fn line(&self, nonce: &str, made: &Made) -> String {
        let uri = &self.stand.peer.target;
        let ha1 = made.algorithm.ha1(made.user.as_bytes(), REALM.as_bytes(), made.password.as_bytes());
        let covered = Covered { method: b"OPTIONS", uri: uri.as_bytes(), body: b"" };
        let chosen = made.qop.map(|qop| Chosen { qop, count: made.count.as_bytes(), cnonce: b"c" });
        let response = response(made.algorithm, &ha1, nonce.as_bytes(), covered, chosen);
        let response = String::from_utf8(response.to_vec()).unwrap();
        let qop =
            made.qop.map_or(String::new(), |qop| format!(", qop={}, nc={}, cnonce=\"c\"", qop.name(), made.count));
        let (user, algorithm) = (made.user, made.algorithm.name());
        format!(
            "Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm={algorithm}{qop}"
        )
    }

    /// What a line is worth, and whether the answer says that the nonce was too old.
    #[track_caller]
    fn worth(&mut self, line: &str) -> (Digest, bool) {
        let answer = self.asks(&[line.to_owned()]);
        let stale = answer.all("www-authenticate").iter().any(|line| line.contains("stale=true"));
        (*self.verdicts.borrow().last().unwrap(), stale)
    }
}

fn nonce_of(refusal: &Sip, algorithm: Algorithm) -> String {
    let lines = refusal.all("www-authenticate");
    let challenges = lines.iter().map(|line| Challenge::parse(line.as_bytes()).unwrap());
    let mut nonces = challenges
        .filter(|it| it.parameter(b"algorithm").as_deref() == Some(algorithm.name().as_bytes()))
        .map(|it| String::from_utf8(it.parameter(b"nonce").unwrap().into_owned()).unwrap());
    nonces.next().expect("a challenge by this algorithm")
}

/// The same credentials do not get through twice, with whatever nc they come.
#[test]
fn a_replay_is_stale() {
    let mut door = Door::new();
    let nonce = door.nonce(Algorithm::Sha256);
    let count = |count: &str| Made { count: count.to_owned(), ..Made::default() };
    let rows = [("00000001", true), ("00000001", false), ("00000003", true), ("00000002", true), ("00000002", false)];
    for (nc, good) in rows {
        let line = door.line(&nonce, &count(nc));
        let expected = if good { (Digest::Good, false) } else { (Digest::Stale, true) };
        assert_eq!(door.worth(&line), expected, "{nc}");
    }
    // RFC 2617 without qop: no nc, so once.
    let nonce = door.nonce(Algorithm::Md5);
    let line = door.line(&nonce, &Made { algorithm: Algorithm::Md5, qop: None, ..Made::default() });
    assert_eq!(door.worth(&line), (Digest::Good, false));
    assert_eq!(door.worth(&line), (Digest::Stale, true));
    // What is wrong uses nothing up.
    let nonce = door.nonce(Algorithm::Sha256);
    let wrong = door.line(&nonce, &Made { password: "guess", ..Made::default() });
    assert_eq!(door.worth(&wrong), (Digest::Wrong, false));
    let right = door.line(&nonce, &Made::default());
    assert_eq!(door.worth(&right), (Digest::Good, false));
}

/// A nonce is good for 300 s; then it is old, which is said, and a new one is good.
#[test]
fn a_nonce_grows_old() {
    let mut door = Door::new();
    let nonce = door.nonce(Algorithm::Sha256);
    door.stand.advance(seconds(299));
    let line = door.line(&nonce, &Made::default());
    assert_eq!(door.worth(&line), (Digest::Good, false));
    door.stand.advance(seconds(1));
    let line = door.line(&nonce, &Made { count: "00000002".to_owned(), ..Made::default() });
    let answer = door.asks(&[line]);
    assert_eq!(*door.verdicts.borrow().last().unwrap(), Digest::Stale);
    let line = door.line(&nonce_of(&answer, Algorithm::Sha256), &Made::default());
    assert_eq!(door.worth(&line), (Digest::Good, false));
}

/// auth-int, which we do not offer, is taken: it covers more.
#[test]
fn what_is_right_is_good() {
    let mut door = Door::new();
    for (algorithm, qop) in
        [(Algorithm::Md5, Some(Qop::Auth)), (Algorithm::Sha256, Some(Qop::AuthInt)), (Algorithm::Sha256, None)]
    {
        let nonce = door.nonce(algorithm);
        let line = door.line(&nonce, &Made { algorithm, qop, ..Made::default() });
        assert_eq!(door.worth(&line), (Digest::Good, false), "{line}");
    }
    // Another realm's credentials beside ours, and letters that RFC 3261 wants small.
    let nonce = door.nonce(Algorithm::Sha256);
    let line = door.line(&nonce, &Made::default());
    let other = line.replace(REALM, "other").replace(", realm", ",  realm");
    let at = line.find("response=\"").unwrap() + 10;
    let loud = format!("{}{}{}", &line[..at], line[at..at + 64].to_uppercase(), &line[at + 64..]);
    let answer = door.asks(&[other, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned(), loud]);
    assert_eq!(answer.status(), Some(200));
}

#[test]
fn what_is_hostile_is_refused() {
    let mut door = Door::new();
    let nonce = door.nonce(Algorithm::Sha256);
    let good = door.line(&nonce, &Made::default());
    let weak = door.line(&nonce, &Made { algorithm: Algorithm::Md5, ..Made::default() });
    let replace = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let long = format!("{good}{}", ", x=\"y\"".repeat(2_000));
    let many = (0..8_000).fold(good.clone(), |text, number| format!("{text},a{number}=b"));
    let rows = [
        (weak, Digest::Wrong),
        (door.line(&nonce, &Made { user: "mallory", ..Made::default() }), Digest::Wrong),
        (door.line(&nonce, &Made { password: "", ..Made::default() }), Digest::Wrong),
        (door.line("", &Made::default()), Digest::Wrong),
        (door.line(&nonce[1..], &Made::default()), Digest::Wrong),
        (door.line(&nonce.replace(|_: char| true, "0"), &Made::default()), Digest::Wrong),
        (door.line(&"f".repeat(20_000), &Made::default()), Digest::Wrong),
        (door.line(&nonce, &Made { count: "00000000".to_owned(), ..Made::default() }), Digest::Wrong),
        (door.line(&nonce, &Made { count: "1".to_owned(), ..Made::default() }), Digest::Wrong),
        (door.line(&nonce, &Made { count: "+0000001".to_owned(), ..Made::default() }), Digest::Wrong),
        (door.line(&nonce, &Made { count: "\"00000001\"".to_owned(), ..Made::default() }), Digest::Wrong),
        (replace(", nc=00000001", ""), Digest::Wrong),
        (replace(", cnonce=\"c\"", ""), Digest::Wrong),
        (replace("qop=auth", "qop=auth-conf"), Digest::Wrong),
        (replace("algorithm=SHA-256", "algorithm=SHA-256-sess"), Digest::Wrong),
        (replace("algorithm=SHA-256", "algorithm=SHA-512-256"), Digest::Wrong),
        (replace(", algorithm=SHA-256", ""), Digest::Wrong),
        (replace("username=\"alice\", ", ""), Digest::Wrong),
        (replace("response=\"", "response=\"0"), Digest::Wrong),
        (replace("uri=\"sip:", "uri=\"sips:"), Digest::Wrong),
        (format!("{good}, username=\"alice\""), Digest::Wrong),
        (format!("{good}, REALM=\"{REALM}\""), Digest::Wrong),
        (format!("{good}, stale"), Digest::Wrong),
        (long, Digest::Wrong),
        (many, Digest::Wrong),
        ("Digest".to_owned(), Digest::Wrong),
        ("Digest ,,,,".to_owned(), Digest::Wrong),
        ("Digest realm=\"".to_owned(), Digest::Wrong),
        (format!("Digest realm=\"{REALM}\""), Digest::Wrong),
        ("\u{1}\u{7f}".to_owned(), Digest::Wrong),
        ("Digest realm=\"x\"".to_owned(), Digest::Missing),
        ("Bearer eyJhbGciOi.J9-_".to_owned(), Digest::Missing),
        ("Basic QWxhZGRpbjpvcGVu".to_owned(), Digest::Missing),
        ("Negotiate".to_owned(), Digest::Missing),
        (replace(REALM, "example.org"), Digest::Missing),
        (replace("Digest ", "Basic "), Digest::Missing),
    ];
    for (line, expected) in rows {
        let verdict = door.stand.alice.agent.check_digest(
            door.stand.alice.now(),
            &Message::parse(request_with(&door, &line).as_bytes(), None).unwrap(),
            &alices(),
        );
        assert_eq!(verdict.unwrap(), expected, "{}", &line[..line.len().min(300)]);
    }
    // Of many lines some are looked at.
    let lines = vec![replace("response=\"", "response=\"0"); 200];
    let answer = door.asks(&lines);
    assert_eq!(answer.status(), Some(401));
    // None of all this has used the nonce up.
    assert_eq!(door.worth(&good), (Digest::Good, false));
}

fn request_with(door: &Door, line: &str) -> String {
    format!(
        "OPTIONS {} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: hostile\r\nCSeq: 1 OPTIONS\r\nAuthorization: {line}\r\n\
         Content-Length: 0\r\n\r\n",
        door.stand.peer.target
    )
}

/// Nonces are an agent's own, and realm and user are who they are said to be.
#[test]
fn another_agents_nonce_is_none() {
    let (mut one, mut other) = (Door::new(), Door::new());
    let nonce = one.nonce(Algorithm::Sha256);
    other.stand.alice.replace_agent(config("alice"));
    other.nonce(Algorithm::Sha256);
    let line = other.line(&nonce, &Made::default());
    assert_eq!(other.worth(&line), (Digest::Wrong, false));
    // Before an agent has challenged anybody, no nonce is its own.
    let mut third = Door::new();
    let line = third.line(&nonce, &Made::default());
    assert_eq!(third.worth(&line), (Digest::Wrong, false));
}

/// RFC 3261 §22.1: ACK and CANCEL are challenged by nobody; §8.2: nor is what is answered.
#[test]
fn what_cannot_be_challenged() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Options);
    let options = stand.peer.request("OPTIONS");
    stand.say(options);
    let (now, incoming) = (stand.alice.now(), stand.alice.last(EventKind::Options).incoming.unwrap());
    let agent = &mut stand.alice.agent;
    for (realm, algorithms) in [("a\r\nX: y", None), ("a", Some("SHA-1")), ("a", Some("")), ("a", Some("MD5,,"))] {
        let refused = agent.challenge(now, incoming, realm.as_bytes(), algorithms.map(str::as_bytes));
        assert!(refused.is_err(), "{realm} {algorithms:?}");
    }
    agent.challenge(now, incoming, b"a \"quoted\\\" realm", None).unwrap();
    assert!(agent.challenge(now, incoming, b"a", None).is_err(), "answered");
    stand.exchange();
    let refusal = stand.peer.take("401 OPTIONS");
    let challenge = Challenge::parse(refusal.all("www-authenticate")[0].as_bytes()).unwrap();
    assert_eq!(challenge.parameter(b"realm").as_deref(), Some(&b"a \"quoted\\\" realm"[..]));
    for method in ["ACK", "CANCEL"] {
        let text = format!(
            "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n\
             Call-ID: c\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let message = Message::parse(text.as_bytes(), None).unwrap();
        assert!(stand.alice.agent.check_digest(now, &message, &alices()).is_err(), "{method}");
    }
}
