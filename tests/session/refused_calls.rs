//! Calls of the host that a rule refuses: a status, a detail that names the argument or the section; nothing sent,
//! nothing changed. Every act in every state, tried on a copy of the agent, by the table of what is legal when.

use crate::common::by_hand::ByHand;
use crate::common::pair::{Pair, Stand, TO_BOB};
use crate::common::party::{Party, config, sdp, with_sdp};
use crate::common::properties::Properties;
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::{Agent, Body, EventKind, IncomingId, RequestOptions, ResponseOptions, SessionId};
use sipdlg::error::{ErrorKind, Result};
use sipdlg::session::offer_answer::Party::{Local, Remote};
use sipdlg::session::{SessionState, SignalingState};
use sipdlg::time::Now;
use std::cell::RefCell;
use std::rc::Rc;

type Act = fn(&mut Agent, Now, SessionId, RequestOptions<'_>) -> Result<()>;

/// Acts on a session that send a request.
const REQUESTS: [(&str, Act); 9] = [
    ("bye", |agent, now, id, options| agent.bye(now, id, options).map(drop)),
    ("invite", |agent, now, id, options| agent.reinvite(now, id, options).map(drop)),
    ("info", |agent, now, id, options| agent.info(now, id, options).map(drop)),
    ("message", |agent, now, id, options| agent.message(now, id, options).map(drop)),
    ("options", |agent, now, id, options| agent.options(now, id, options).map(drop)),
    ("prack", |agent, now, id, options| agent.prack(now, id, options).map(drop)),
    ("ack", |agent, now, id, options| agent.ack(now, id, &options)),
    ("refer", |agent, now, id, options| agent.refer(now, id, Some(b"sip:carol@192.0.2.3"), None, options).map(drop)),
    ("notify", |agent, now, id, mut options| {
        options.headers.extend([&b"Event: dialog"[..], b"Subscription-State: active;expires=60"]);
        agent.notify(now, id, options).map(drop)
    }),
];

/// Acts that send none.
const BY_HAND: [(&str, Act); 6] = [
    ("hangup", |agent, now, id, options| agent.hangup(now, id, 0, options)),
    ("dispose", |agent, now, id, _| agent.dispose_session(now, id)),
    ("confirm", |agent, now, id, _| agent.confirm_session(now, id)),
    ("rollback", |agent, now, id, _| agent.rollback(now, id)),
    ("local", |agent, now, id, _| agent.transition(now, id, Local, sdp(HOLD))),
    ("remote", |agent, now, id, _| agent.transition(now, id, Remote, sdp(HOLD))),
];

/// All that a refused call must leave as it was.
fn snapshot(agent: &Agent, id: SessionId) -> (Properties, String, bool) {
    let session = Properties::of(agent.session(id).expect("it lives"));
    (session, format!("{:?} {:?}", agent.stats(), agent.next_timeout()), agent.has_output())
}

/// Tries an act on a copy: legal, or refused by ERR_STATE with nothing changed.
#[track_caller]
fn tried(
    agent: &Agent,
    now: Now,
    id: SessionId,
    state: &str,
    act: (&str, Act),
    options: RequestOptions<'_>,
    legal: bool,
) {
    let mut copy = agent.clone();
    let before = snapshot(&copy, id);
    match (act.1(&mut copy, now, id, options), legal) {
        (Ok(()), true) => {}
        (Err(error), false) => {
            assert_eq!(error.kind, ErrorKind::State, "{state}: {}: {}", act.0, error.detail);
            assert!(error.detail.len() > 5, "{state}: {}: {:?}", act.0, error.detail);
            assert_eq!(snapshot(&copy, id), before, "{state}: {}: a refused call changed something", act.0);
        }
        (result, _) => panic!("{state}: {}: legal {legal}, but {result:?}", act.0),
    }
}

/// Every act without a body; those in `legal` go, all others are refused. `invite+`: a re-INVITE with an offer.
#[track_caller]
fn only(party: &Party, state: &str, legal: &[&str]) {
    let (agent, now, id) = (&party.agent, party.now(), party.session());
    for act in REQUESTS.into_iter().chain(BY_HAND) {
        // REFER and NOTIFY go where MESSAGE goes.
        let name = if matches!(act.0, "refer" | "notify") { "message" } else { act.0 };
        tried(agent, now, id, state, act, RequestOptions::default(), legal.contains(&name));
    }
    tried(agent, now, id, state, ("invite+", REQUESTS[1].1), with_sdp(HOLD), legal.contains(&"invite+"));
    tried(agent, now, id, state, ("ack+", REQUESTS[6].1), with_sdp(ANSWER), legal.contains(&"ack+"));
    tried(agent, now, id, state, ("prack+", REQUESTS[5].1), with_sdp(ANSWER), legal.contains(&"prack+"));
}

#[test]
fn what_is_legal_when_for_the_callee() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    let (now, incoming) = (pair.bob.now(), pair.bob.incoming());
    pair.bob.session = Some(pair.bob.agent.session_for_invite(now, incoming).expect("the INVITE lives"));
    only(&pair.bob, "Initial, callee", &["hangup", "dispose", "rollback", "local"]);
    pair.bob.progress(180, "");
    pair.exchange();
    only(&pair.bob, "Early, callee", &["hangup", "dispose", "rollback", "local", "options"]);
    pair.wire.lose_next("alice", "ACK", 1);
    pair.bob.accept(ANSWER);
    pair.exchange();
    let both = ["hangup", "dispose", "confirm", "rollback", "local", "remote", "info", "message", "options"];
    only(&pair.bob, "AckWait", &both);
    pair.advance(crate::common::seconds(1));
    let all = [&both[..], &["bye", "invite", "invite+"]].concat();
    only(&pair.bob, "Confirmed, callee", &all);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let pending = ["hangup", "dispose", "confirm", "rollback", "local", "info", "message", "options", "bye"];
    only(&pair.bob, "their re-INVITE pending", &pending);
    pair.bob.accept(HELD);
    pair.flush();
    only(&pair.bob, "the ACK of their re-INVITE outstanding", &[&both[..], &["bye"]].concat());
    pair.exchange();
    only(&pair.bob, "Confirmed again", &all);
}

#[test]
fn what_is_legal_when_for_the_caller() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.bob.hold(EventKind::Reinvite);
    pair.alice.hold(EventKind::Accept);
    pair.alice.invite(TO_BOB, OFFER);
    pair.exchange();
    pair.bob.progress(180, "");
    pair.exchange();
    only(&pair.alice, "Early, caller", &["hangup", "dispose", "confirm", "rollback", "remote", "options", "bye"]);
    pair.bob.accept(ANSWER);
    pair.exchange();
    let all = [
        "hangup", "dispose", "confirm", "rollback", "local", "remote", "info", "message", "options", "bye", "invite",
        "invite+",
    ];
    only(&pair.alice, "Confirmed, caller", &all);
    pair.alice.reinvite(HOLD);
    pair.exchange();
    let pending = ["hangup", "dispose", "confirm", "rollback", "remote", "info", "message", "options", "bye"];
    only(&pair.alice, "our re-INVITE pending", &pending);
    pair.bob.reject(488);
    pair.exchange();
    only(&pair.alice, "our re-INVITE refused", &all);
    pair.alice.reinvite("");
    pair.exchange();
    pair.bob.accept(OFFER);
    pair.exchange();
    let owed = ["hangup", "dispose", "confirm", "rollback", "local", "info", "message", "options", "bye", "ack+"];
    only(&pair.alice, "an ACK with the answer owed", &owed);
    pair.alice.ack(ANSWER);
    pair.exchange();
    only(&pair.alice, "Confirmed again", &all);
}

/// In the callback of TERMINATED every property can be read and every act but hangup gives ERR_STATE; before it, in the
/// Mortal state, too.
#[test]
fn nothing_is_legal_at_the_end() {
    let mut pair = Pair::confirmed();
    let seen = Rc::new(RefCell::new(0));
    for party in [&mut pair.alice, &mut pair.bob] {
        let seen = Rc::clone(&seen);
        party.on(EventKind::Terminated, move |agent, now, event| {
            let id = event.session.expect("a session");
            let session = agent.session(id).expect("readable");
            assert_eq!(
                (session.state(), session.signaling_state()),
                (SessionState::Terminated, SignalingState::Closed)
            );
            assert!(!session.remote_target().is_empty() && !session.call_id().is_empty());
            for act in REQUESTS.into_iter().chain(BY_HAND) {
                tried(agent, now, id, "TERMINATED", act, RequestOptions::default(), act.0 == "hangup");
            }
            *seen.borrow_mut() += 1;
        });
    }
    pair.alice.bye();
    only(&pair.alice, "Mortal", &["hangup"]);
    pair.exchange();
    assert_eq!(*seen.borrow(), 2);
    // And afterwards the id is stale.
    let (now, id) = (pair.alice.now(), pair.alice.session());
    for act in REQUESTS.into_iter().chain(BY_HAND) {
        let error = act.1(&mut pair.alice.agent, now, id, RequestOptions::default()).expect_err(act.0);
        assert_eq!(error.kind, ErrorKind::Stale, "{}", act.0);
    }
}

/// What no request may carry.
fn faults(long: &str) -> Vec<(&'static str, RequestOptions<'_>, ErrorKind)> {
    let lines = |headers| RequestOptions { headers, ..RequestOptions::default() };
    let body = |body| RequestOptions { body: Some(body), ..RequestOptions::default() };
    let text = |content_type, disposition| Body { content: b"text", content_type, disposition };
    vec![
        ("a line end in a value", lines(vec![&b"X-A: 1\r\nX-B: 2"[..]]), ErrorKind::Syntax),
        ("a bare LF in a value", lines(vec![b"X-A: 1\nX-B: 2"]), ErrorKind::Syntax),
        ("a line end in a name", lines(vec![b"X-A\r\nX: 1"]), ErrorKind::Syntax),
        ("no colon", lines(vec![b"X-A"]), ErrorKind::Syntax),
        ("no name", lines(vec![b": x"]), ErrorKind::Syntax),
        ("a good line and a bad one", lines(vec![b"X-A: 1", b"X-B\r: 2"]), ErrorKind::Syntax),
        ("Via", lines(vec![b"Via: SIP/2.0/UDP h"]), ErrorKind::Header),
        ("compact Via", lines(vec![b"v: SIP/2.0/UDP h"]), ErrorKind::Header),
        ("CSeq", lines(vec![b"cseq: 1 INFO"]), ErrorKind::Header),
        ("From", lines(vec![b"From: <sip:a@b>;tag=1"]), ErrorKind::Header),
        ("Content-Length", lines(vec![b"Content-Length: 9"]), ErrorKind::Header),
        ("Route in a dialog", lines(vec![b"Route: <sip:p;lr>"]), ErrorKind::Header),
        ("Max-Forwards", lines(vec![b"Max-Forwards: 300"]), ErrorKind::Syntax),
        ("Contact", lines(vec![b"Contact: nobody"]), ErrorKind::Syntax),
        ("a type without subtype", body(text(Some(b"text"), None)), ErrorKind::Syntax),
        ("a line end in the type", body(text(Some(b"text/plain\r\nX: y"), None)), ErrorKind::Syntax),
        ("a line end in the disposition", body(text(Some(b"text/plain"), Some(b"render\r\n"))), ErrorKind::Syntax),
        (
            "a body beyond the limit",
            body(Body { content: long.as_bytes(), content_type: Some(b"a/b"), disposition: None }),
            ErrorKind::Limit,
        ),
        ("headers beyond the limit", lines(vec![long.as_bytes()]), ErrorKind::Limit),
    ]
}

/// `X-Long: xxx...`: good as a body and as a header line, but beyond 65,535 bytes with all else.
fn long() -> String {
    format!("X-Long: {}", "x".repeat(65_400))
}

/// Every request in a dialog, with everything that it must not carry.
#[test]
fn bad_options_change_nothing() {
    let mut pair = Pair::new();
    pair.bob.hold(EventKind::Invite);
    pair.alice.hold(EventKind::Accept);
    pair.alice.invite(TO_BOB, "");
    pair.exchange();
    pair.bob.accept(OFFER);
    pair.exchange();
    let long = long();
    let (now, id, sent) = (pair.alice.now(), pair.alice.session(), pair.sent());
    let refused = |act: (&str, Act), agent: &mut Agent| {
        for (fault, options, kind) in faults(&long) {
            // The answer belongs into the ACK: what is missing there is told first.
            let kind = if act.0 == "ack" && options.body.is_none_or(|body| body.content_type.is_some()) {
                None
            } else {
                Some(kind)
            };
            let before = snapshot(agent, id);
            let error = act.1(agent, now, id, options).expect_err(fault);
            assert!(kind.is_none_or(|kind| kind == error.kind), "{}: {fault}: {error:?}", act.0);
            assert!(error.detail.len() > 5 && !error.detail.contains(['\r', '\n']), "{}: {fault}: {error:?}", act.0);
            assert_eq!(snapshot(agent, id), before, "{}: {fault}", act.0);
        }
    };
    refused(REQUESTS[6], &mut pair.alice.agent);
    pair.alice.ack(ANSWER);
    pair.exchange();
    for name in ["bye", "invite", "info", "message", "options", "refer", "hangup"] {
        let act = REQUESTS.into_iter().chain(BY_HAND).find(|act| act.0 == name).expect("in the table");
        refused(act, &mut pair.alice.agent);
    }
    pair.exchange();
    assert_eq!(pair.sent(), sent + 1, "the ACK alone");
}

/// The same out of a dialog, with what stands only there.
#[test]
fn bad_requests_out_of_a_dialog() {
    let mut pair = Pair::new();
    let (now, long) = (pair.alice.now(), long());
    let empty = format!("{:?}", pair.alice.agent.stats());
    let rows = faults(&long).into_iter().filter(|(fault, ..)| *fault != "Route in a dialog");
    let field = |from, to, call_id| RequestOptions { from, to, call_id, ..RequestOptions::default() };
    let fields: Vec<(&str, RequestOptions<'_>, ErrorKind)> = vec![
        ("from", field(Some(&b"alice"[..]), None, None), ErrorKind::Syntax),
        ("from with a tag", field(Some(b"<sip:a@b>;tag=1"), None, None), ErrorKind::Syntax),
        ("to with a line end", field(None, Some(&b"sip:a@b\r\nX: y"[..]), None), ErrorKind::Syntax),
        ("call_id", field(None, None, Some(&b"a b"[..])), ErrorKind::Syntax),
        ("call_id with a line end", field(None, None, Some(b"a\r\nX: y")), ErrorKind::Syntax),
    ];
    for (fault, options, kind) in rows.chain(fields) {
        let again = options.clone();
        for (what, error) in [
            ("invite", pair.alice.agent.invite(now, Some(TO_BOB.as_bytes()), options).expect_err(fault)),
            ("request", pair.alice.agent.request(now, b"OPTIONS", TO_BOB.as_bytes(), again).expect_err(fault)),
        ] {
            assert_eq!(error.kind, kind, "{what}: {fault}: {error:?}");
            assert!(error.detail.len() > 5, "{what}: {fault}: {error:?}");
        }
    }
    for target in ["", "bob", "sip:", "sip:bob@[::1", "sip:bob@192.0.2.2\r\nX: y", "<sip:bob@192.0.2.2>"] {
        let error = pair.alice.agent.invite(now, Some(target.as_bytes()), RequestOptions::default()).expect_err(target);
        assert_eq!(error.kind, ErrorKind::Syntax, "{target}: {error:?}");
    }
    for (method, kind) in [
        ("IN VITE", ErrorKind::Syntax),
        ("", ErrorKind::Syntax),
        ("ACK", ErrorKind::Argument),
        ("BYE", ErrorKind::Argument),
    ] {
        let error = pair
            .alice
            .agent
            .request(now, method.as_bytes(), TO_BOB.as_bytes(), RequestOptions::default())
            .expect_err(method);
        assert_eq!(error.kind, kind, "{method}: {error:?}");
    }
    let error = pair.alice.agent.invite(now, None, RequestOptions::default()).expect_err("NULL");
    assert_eq!(error.kind, ErrorKind::Argument);
    assert!(error.detail.starts_with("target"));
    pair.exchange();
    assert_eq!((pair.sent(), format!("{:?}", pair.alice.agent.stats())), (0, empty));
}

type Answering = fn(&mut Agent, Now, IncomingId, u16, &ResponseOptions<'_>) -> Result<()>;

const ANSWERS: [(&str, Answering); 4] = [
    ("progress", |agent, now, id, status, options| agent.progress(now, id, status, options).map(drop)),
    ("accept", |agent, now, id, status, options| agent.accept(now, id, status, options).map(drop)),
    ("reject", |agent, now, id, status, options| agent.reject(now, id, status, options)),
    ("redirect", |agent, now, id, status, options| agent.redirect(now, id, status, &[b"sip:c@d"], options)),
];

/// Answers that cannot be: they make no session, send nothing, leave the request unanswered.
#[test]
fn bad_answers_change_nothing() {
    let mut stand = Stand::new();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    let long = long();
    let before = format!("{:?}", stand.alice.agent.stats());
    let good = || ResponseOptions { body: sdp(ANSWER), ..ResponseOptions::default() };
    let ranges = [
        ("progress", [100, 200, 1]),
        ("accept", [199, 300, 1]),
        ("reject", [399, 700, 200]),
        ("redirect", [299, 400, 200]),
    ];
    for (name, act) in ANSWERS {
        let (_, outside) = ranges.into_iter().find(|(other, _)| *other == name).expect("in the table");
        for status in outside {
            let error = act(&mut stand.alice.agent, now, incoming, status, &good()).expect_err(name);
            assert_eq!(error.kind, ErrorKind::Argument, "{name} {status}: {error:?}");
            assert!(error.detail.starts_with("status_code"), "{name} {status}: {error:?}");
        }
        let rows = faults(&long).into_iter().filter(|(fault, ..)| *fault != "Route in a dialog");
        for (fault, options, kind) in rows {
            let body = options.body.map(|body| Body { ..body }).or(if name == "accept" { sdp(ANSWER) } else { None });
            // An answer must be there before its length counts.
            let kind = if name == "accept" && options.body.is_some_and(|body| body.content_type == Some(b"a/b")) {
                ErrorKind::State
            } else {
                kind
            };
            let options = ResponseOptions { headers: options.headers, body, ..ResponseOptions::default() };
            let error = act(&mut stand.alice.agent, now, incoming, 0, &options).expect_err(fault);
            assert_eq!(error.kind, kind, "{name}: {fault}: {error:?}");
        }
        let texts = [
            (ResponseOptions { reason_phrase: Some(b"OK\r\nX: y"), ..good() }, ErrorKind::Syntax),
            (ResponseOptions { to_tag: Some(b"a b"), ..good() }, ErrorKind::Syntax),
            (ResponseOptions { to_tag: Some(b"a\r\nX: y"), ..good() }, ErrorKind::Syntax),
        ];
        for (options, kind) in texts {
            let error = act(&mut stand.alice.agent, now, incoming, 0, &options).expect_err(name);
            assert_eq!(error.kind, kind, "{name}: {error:?}");
        }
    }
    let accept = stand.alice.agent.accept(now, incoming, 0, &ResponseOptions::default());
    assert_eq!(accept.expect_err("no answer").kind, ErrorKind::State);
    let sdp_beyond = format!("{OFFER}{}", "a=x\r\n".repeat(14_000));
    let beyond = ResponseOptions { body: sdp(&sdp_beyond), ..ResponseOptions::default() };
    for (name, act) in ANSWERS {
        let error = act(&mut stand.alice.agent, now, incoming, 0, &beyond).expect_err(name);
        assert_eq!(error.kind, ErrorKind::Limit, "{name}: {error:?}");
    }
    stand.exchange();
    assert_eq!(
        (stand.peer.got(), format!("{:?}", stand.alice.agent.stats())),
        (Vec::new(), before),
        "no session, nothing sent"
    );
    stand.alice.accept(ANSWER);
    stand.exchange();
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = stand.peer.ack(&invite, &ok);
    stand.say(ack);
    // Answered is answered; and no other request has provisional responses (RFC 4320 §4.1), nor 408.
    for (name, act) in ANSWERS {
        let error = act(&mut stand.alice.agent, now, incoming, 0, &good()).expect_err(name);
        assert!(matches!(error.kind, ErrorKind::State | ErrorKind::Stale), "{name}: {error:?}");
    }
    stand.alice.hold(EventKind::Info);
    let info = stand.peer.request("INFO");
    stand.say(info);
    let (now, incoming, before) = (stand.alice.now(), stand.alice.incoming(), stand.alice.properties());
    let refused = [
        stand.alice.agent.progress(now, incoming, 180, &ResponseOptions::default()).map(drop),
        stand.alice.agent.reject(now, incoming, 408, &ResponseOptions::default()),
    ];
    for error in refused.map(Result::unwrap_err) {
        assert_eq!(error.kind, ErrorKind::State, "{error:?}");
    }
    assert_eq!(stand.alice.properties(), before);
    stand.alice.accept("");
    stand.exchange();
    stand.peer.take("200 INFO");
}

/// The bound itself: what just fits goes out whole, one byte more does not.
#[test]
fn the_longest_message_goes_out() {
    let mut narrow = config("alice");
    narrow.set_limits(2_000, 0, 0).expect("a limit");
    let mut pair = Pair::with(narrow, config("bob"));
    pair.call();
    pair.bob.answers(EventKind::Info, "");
    let (now, id) = (pair.alice.now(), pair.alice.session());
    let text = "x".repeat(2_000);
    let try_info = |length: usize| {
        let body = Body { content: &text.as_bytes()[..length], content_type: Some(b"text/plain"), disposition: None };
        let options = RequestOptions { body: Some(body), ..RequestOptions::default() };
        pair.alice.agent.clone().info(now, id, options).map(drop)
    };
    let longest = (0..2_000).rev().find(|length| try_info(*length).is_ok()).expect("something fits");
    assert!(longest > 1_000, "{longest}");
    assert_eq!(try_info(longest + 1).expect_err("too long").kind, ErrorKind::Limit);
    let body = Body { content: &text.as_bytes()[..longest], content_type: Some(b"text/plain"), disposition: None };
    pair.alice.agent.info(now, id, RequestOptions { body: Some(body), ..RequestOptions::default() }).expect("it fits");
    pair.exchange();
    assert_eq!(pair.alice.statuses(EventKind::Accept).last(), Some(&200));
    assert!(pair.wire.trace.datagrams.iter().all(|datagram| datagram.from != 0 || datagram.bytes.len() <= 2_000));
}
