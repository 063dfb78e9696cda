//! What peers may begin is limited where the host says so: beyond, 503 with a drawn Retry-After and no state; what stands
//! is never refused.

use crate::common::lone::Lone;
use crate::common::party::{config, with_sdp};
use crate::common::sip::Sip;
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::{Body, Event, EventKind, IncomingId, RequestOptions, ResponseOptions, SessionId, Stats};
use sipdlg::flow::{Flow, Transport};
use std::collections::BTreeSet;
use std::net::SocketAddr;

const PEER: &str = "203.0.113.9:5060";
const TO: &str = "<sip:alice@example.com>";

/// Calls, unanswered, requests a second of an address, at once.
type Limits = (u32, u32, u32, u32);

type House = Lone<Vec<Event>>;

impl House {
    fn new((calls, unanswered, rate, burst): Limits) -> Self {
        Self::with_sessions(0, (calls, unanswered, rate, burst))
    }

    fn with_sessions(sessions: u32, (calls, unanswered, rate, burst): Limits) -> Self {
        let mut config = config("alice");
        config.set_limits(0, sessions, 0).expect("a good number");
        config.set_admission(calls, unanswered, rate, burst).expect("good numbers");
        let sockets = [(Transport::Udp, "192.0.2.1:5060"), (Transport::Udp, "[2001:db8::1]:5060")];
        Self::with_host(config, &sockets, Vec::new())
    }

    fn gets_from(&mut self, from: &str, text: &str) -> Vec<Sip> {
        let remote: SocketAddr = from.parse().expect("an address");
        let (link, local) = if remote.is_ipv6() { (2, "[2001:db8::1]:5060") } else { (1, "192.0.2.1:5060") };
        let flow = Flow { link, ..Flow::new(Transport::Udp, local.parse().ok(), Some(remote)) };
        let now = self.now();
        self.agent.receive(now, &flow, text.as_bytes()).expect("a datagram is taken");
        self.settle()
    }

    fn gets(&mut self, text: &str) -> Vec<Sip> {
        self.gets_from(PEER, text)
    }

    /// The final status that a request gets at once; 0: none.
    #[track_caller]
    fn status(&mut self, text: &str) -> u16 {
        let finals: Vec<u16> = self.gets(text).iter().filter_map(Sip::status).filter(|status| *status >= 200).collect();
        assert!(finals.len() < 2, "{finals:?}");
        finals.first().copied().unwrap_or(0)
    }

    fn incoming(&self) -> IncomingId {
        self.host.iter().rev().find_map(|event| event.incoming).expect("a request")
    }

    fn reject(&mut self, id: IncomingId) {
        let now = self.now();
        self.agent.reject(now, id, 486, &ResponseOptions::default()).expect("it may be rejected");
        self.settle();
    }

    fn accept(&mut self, id: IncomingId, description: Option<&str>) -> (Option<SessionId>, Vec<Sip>) {
        let now = self.now();
        let body = description.map(|text| Body { content: text.as_bytes(), content_type: None, disposition: None });
        let options = ResponseOptions { body, ..ResponseOptions::default() };
        let session = self.agent.accept(now, id, 200, &options).expect("it may be accepted");
        (session, self.settle())
    }

    /// A call of the peer's stands; its session and the To of its dialog.
    fn call(&mut self, name: &str) -> (SessionId, String) {
        self.gets(&with_offer(&invite(name)));
        let (session, sent) = self.accept(self.incoming(), Some(ANSWER));
        let session = session.expect("a session");
        let to = sent.iter().find(|sip| sip.status() == Some(200)).expect("200").value("to").to_owned();
        assert_eq!(self.status(&request("ACK", name, &to, 1)), 0);
        (session, to)
    }

    fn counts(&self) -> [u64; 5] {
        let Stats { answered_limit, refused_sessions, refused_calls, refused_unanswered, refused_rate, .. } =
            self.agent.stats();
        [answered_limit, refused_sessions, refused_calls, refused_unanswered, refused_rate]
    }
}

fn request(method: &str, call: &str, to: &str, cseq: u32) -> String {
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK-{call}-{cseq}-{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=f{call}\r\nTo: {to}\r\nCall-ID: {call}\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:x@203.0.113.9>\r\nContent-Length: 0\r\n\r\n"
    )
}

fn invite(call: &str) -> String {
    request("INVITE", call, TO, 1)
}

fn with_offer(request: &str) -> String {
    let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}", OFFER.len());
    request.replace("Content-Length: 0\r\n\r\n", &body)
}

fn with(request: &str, line: &str) -> String {
    request.replace("Content-Length", &format!("{line}\r\nContent-Length"))
}

fn cancel_of(call: &str) -> String {
    request("CANCEL", call, TO, 1).replace("1-CANCEL", "1-INVITE")
}

/// The soft limit is for peers; the host's own calls and their forks have all that set_limits leaves.
#[test]
fn beyond_the_soft_limit_only_the_host_begins_calls() {
    let mut house = House::with_sessions(5, (2, 0, 0, 0));
    house.call("one");
    assert_eq!(house.status(&invite("two")), 0, "it waits for the host, and counts");
    let waits = house.incoming();
    assert_eq!([house.status(&invite("three")), house.status(&invite("four"))], [503, 503]);
    assert_eq!(house.counts(), [2, 0, 2, 0, 0]);
    // Other requests of peers begin no call.
    assert_eq!(house.status(&request("OPTIONS", "o", TO, 1)), 0);
    let now = house.now();
    house.agent.invite(now, Some(b"sip:bob@203.0.113.9"), with_sdp(OFFER)).expect("the host's own");
    let ours = house.settle().into_iter().find(|sip| sip.method() == "INVITE").expect("it goes out");
    for fork in ["a", "b", "c"] {
        let via = ours.value("via");
        house.gets(&format!(
            "SIP/2.0 180 Ringing\r\nVia: {via}\r\nFrom: {}\r\nTo: {};tag={fork}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:bob@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
            ours.value("from"),
            ours.value("to"),
            ours.call_id(),
            ours.value("cseq"),
        ));
    }
    assert_eq!(house.agent.stats().sessions, 4, "one call and three forks");
    // With the one that waits these are five.
    let now = house.now();
    house.agent.invite(now, Some(b"sip:bob@203.0.113.9"), with_sdp(OFFER)).expect_err("the hard limit");
    assert_eq!(house.status(&invite("five")), 503);
    assert_eq!(house.counts(), [3, 0, 3, 0, 0]);
    // A place is free again when a call is over.
    house.reject(waits);
    let mut session = None;
    while let Some(id) = house.agent.next_session(session) {
        let now = house.now();
        house.agent.hangup(now, id, 0, RequestOptions::default()).expect("always legal");
        session = Some(id);
    }
    house.pass(300_000);
    assert_eq!((house.agent.stats().sessions, house.status(&invite("six"))), (0, 0));
}

/// The hard limit alone.
#[test]
fn the_hard_limit_has_a_counter_of_its_own() {
    let mut house = House::with_sessions(1, (0, 0, 0, 0));
    assert_eq!([house.status(&invite("one")), house.status(&invite("two"))], [0, 503]);
    assert_eq!(house.counts(), [1, 1, 0, 0, 0]);
    // The soft one is looked at first.
    let mut house = House::with_sessions(1, (1, 0, 0, 0));
    assert_eq!([house.status(&invite("one")), house.status(&invite("two"))], [0, 503]);
    assert_eq!(house.counts(), [1, 0, 1, 0, 0]);
}

/// A burst, then so many a second; what is not used up is not saved beyond the burst. Repeats of what was taken are free.
#[test]
fn an_address_may_send_so_many_requests_a_second() {
    let mut house = House::new((0, 0, 2, 5));
    let mut sent = 0;
    let mut taken = |house: &mut House, tries: u32| {
        let good = (0..tries).filter(|_| {
            sent += 1;
            let method = ["OPTIONS", "INVITE", "MESSAGE"][sent % 3];
            house.status(&request(method, &format!("r{sent}"), TO, 1)) == 0
        });
        good.count()
    };
    assert_eq!(taken(&mut house, 20), 5);
    assert_eq!(taken(&mut house, 20), 0);
    let again = request("INVITE", "r1", TO, 1);
    assert_eq!(house.status(&again), 0, "its transaction has it");
    house.pass(499);
    assert_eq!(taken(&mut house, 20), 0);
    house.pass(1);
    assert_eq!(taken(&mut house, 20), 1);
    house.pass(1_000);
    assert_eq!(taken(&mut house, 20), 2);
    house.pass(60_000);
    assert_eq!(taken(&mut house, 20), 5);
    assert_eq!(house.counts()[4], 15 + 20 + 20 + 19 + 18 + 15);
    assert_eq!(house.counts()[0], house.counts()[4]);
    // A burst of 0 is that of a second.
    let mut house = House::new((0, 0, 3, 0));
    assert_eq!(taken(&mut house, 20), 3);
}

/// What belongs to nothing counts, whatever it claims to be: a made-up To tag, a CANCEL.
#[test]
fn no_method_and_no_tag_passes_the_rate() {
    let mut house = House::new((0, 0, 1, 3));
    let made_up = format!("{TO};tag=none");
    assert_eq!(house.status(&request("BYE", "a", &made_up, 1)), 481);
    assert_eq!(house.status(&cancel_of("b")), 481);
    assert_eq!(house.status(&request("INFO", "c", &made_up, 1)), 481);
    for text in [request("BYE", "d", &made_up, 1), cancel_of("e"), request("OPTIONS", "f", TO, 1)] {
        assert_eq!(house.status(&text), 503, "{text}");
    }
    assert_eq!((house.counts(), house.agent.stats().refused_unknown), ([3, 0, 0, 0, 3], 3));
}

/// An address is one of IPv4, however it is written, or a /64 of IPv6; ports do not matter.
#[test]
fn a_network_of_ipv6_is_one_address() {
    for (one, other, same) in [
        ("203.0.113.9:5060", "203.0.113.9:6000", true),
        ("203.0.113.9:5060", "203.0.113.10:5060", false),
        ("203.0.113.9:5060", "[::ffff:203.0.113.9]:5060", true),
        ("[2001:db8:1:2::1]:5060", "[2001:db8:1:2:ffff::9]:5060", true),
        ("[2001:db8:1:2::1]:5060", "[2001:db8:1:3::1]:5060", false),
    ] {
        let mut house = House::new((0, 0, 1, 1));
        let mut refused = |from: &str, call: &str| {
            let answers = house.gets_from(from, &request("OPTIONS", call, TO, 1));
            answers.iter().any(|sip| sip.status() == Some(503))
        };
        assert!(!refused(one, "a") && refused(one, "b"));
        assert_eq!(refused(other, "c"), same, "{one} and {other}");
    }
}

/// Made-up addresses neither make the agent grow nor push a debtor out.
#[test]
fn addresses_that_are_made_up_change_nothing() {
    let mut house = House::new((0, 0, 1, 10));
    for number in 0..10 {
        assert_eq!(house.status(&request("BYE", &format!("b{number}"), TO, 1)), 481);
    }
    house.pass(2_000);
    for number in 0..2 {
        assert_eq!(house.status(&request("BYE", &format!("c{number}"), TO, 1)), 481);
    }
    assert_eq!(house.status(&request("BYE", "d", TO, 1)), 503);
    let bytes = |house: &mut House| {
        house.agent.trim();
        house.agent.stats().bytes
    };
    let mut refused = 0;
    let before = bytes(&mut house);
    for number in 0..50_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let text = "ACK".to_owned() + &request("BYE", &format!("x{number}"), TO, 1)[3..];
        // ACKs are none of its business.
        house.gets_from(&format!("10.{a}.{b}.{c}:5060"), &text);
        let text = request("BYE", &format!("y{number}"), TO, 1);
        let answers = house.gets_from(&format!("10.{a}.{b}.{c}:5060"), &text);
        refused += usize::from(answers.iter().any(|sip| sip.status() == Some(503)));
    }
    assert_eq!((refused, house.status(&request("BYE", "e", TO, 1))), (0, 503));
    house.pass(40_000);
    assert!(bytes(&mut house) <= before, "{before}");
    assert_eq!(house.status(&request("BYE", "f", TO, 1)), 481);
}

/// What waits for its final response, ringing calls too; each way to get one, or to end, makes room.
#[test]
fn so_many_requests_may_wait_for_their_answer() {
    type Ends = fn(&mut House, IncomingId);
    let ends: [(&str, Ends); 7] = [
        ("rejected", House::reject),
        ("accepted", |house, id| {
            house.accept(id, Some(ANSWER));
        }),
        ("cancelled", |house, _| {
            let answers = house.gets(&cancel_of("two"));
            assert_eq!(answers.iter().filter_map(Sip::status).collect::<Vec<_>>(), [200, 487]);
        }),
        ("left alone", |house, _| house.pass(181_000)),
        ("by default", |house, id| {
            let now = house.now();
            house.agent.dispose_incoming(now, id).expect("living");
            house.settle();
        }),
        ("redirected", |house, id| {
            let now = house.now();
            house.agent.redirect(now, id, 302, &[b"<sip:c@example.org>"], &Default::default()).expect("redirected");
            house.settle();
        }),
        ("its session is hung up", |house, id| {
            let now = house.now();
            let session = house.agent.session_for_invite(now, id).expect("a session");
            house.agent.hangup(now, session, 486, RequestOptions::default()).expect("always legal");
            house.settle();
        }),
    ];
    for (name, end) in ends {
        let mut house = House::new((0, 2, 0, 0));
        assert_eq!(house.status(&request("OPTIONS", "one", TO, 1)), 0);
        let options = house.incoming();
        assert_eq!(house.status(&invite("two")), 0);
        let (now, invited) = (house.now(), house.incoming());
        house.agent.progress(now, invited, 180, &ResponseOptions::default()).expect("it rings");
        house.settle();
        for method in ["INVITE", "OPTIONS", "MESSAGE"] {
            assert_eq!(house.status(&request(method, &format!("m{method}"), TO, 1)), 503, "{name}");
        }
        // Those to which the host has nothing to say.
        let made_up = format!("{TO};tag=none");
        for text in [
            request("BYE", "four", TO, 1),
            request("INVITE", "four", &made_up, 2),
            request("MESSAGE", "four", &made_up, 3),
            cancel_of("four"),
        ] {
            assert_eq!(house.status(&text), 481, "{name}: {text}");
        }
        assert_eq!(house.counts(), [3, 0, 0, 3, 0], "{name}");
        end(&mut house, invited);
        let left = if name == "left alone" { 2 } else { 1 };
        for number in 0..left {
            assert_eq!(house.status(&invite(&format!("five{number}"))), 0, "{name}");
        }
        assert_eq!(house.status(&invite("six")), 503, "{name}");
        if left == 1 {
            house.reject(options);
            assert_eq!(house.status(&invite("seven")), 0, "{name}");
        }
    }
}

/// 5 to 15 s, each of them; a repeat gets the same bytes, and nothing is left behind.
#[test]
fn those_who_are_refused_do_not_come_again_together() {
    type Fills = fn() -> House;
    let full: [(&str, Fills); 4] = [
        ("soft", || {
            let mut house = House::new((1, 0, 0, 0));
            house.gets(&invite("first"));
            house
        }),
        ("hard", || {
            let mut house = House::with_sessions(1, (0, 0, 0, 0));
            house.gets(&invite("first"));
            house
        }),
        ("unanswered", || {
            let mut house = House::new((0, 1, 0, 0));
            house.gets(&invite("first"));
            house
        }),
        ("rate", || {
            let mut house = House::new((0, 0, 1, 1));
            house.gets(&invite("first"));
            house
        }),
    ];
    for (name, fill) in full {
        let mut house = fill();
        let state = |house: &House| {
            let stats = house.agent.stats();
            (stats.sessions, stats.incoming, stats.transactions, stats.timers)
        };
        let before = state(&house);
        let mut waits = BTreeSet::new();
        for number in 0..300 {
            let text = invite(&format!("n{number}"));
            let refused = house.gets(&text).pop().expect("an answer");
            assert_eq!(refused.status(), Some(503), "{name}");
            waits.insert(refused.value("retry-after").parse::<u32>().expect("a number"));
            let again = house.gets(&text).pop().expect("an answer");
            assert_eq!(again.value("retry-after"), refused.value("retry-after"), "{name}");
            assert_eq!(again.value("to"), refused.value("to"), "{name}");
            // It is acknowledged, and nobody minds.
            house.gets(&request("ACK", &format!("n{number}"), refused.value("to"), 1).replace("1-ACK", "1-INVITE"));
        }
        assert_eq!(waits, (5..=15).collect(), "{name}");
        assert_eq!((state(&house), house.agent.stats().dropped_ack), (before, 0), "{name}");
    }
}

/// However full the house is: requests in dialogs, ACK, CANCEL of what is here, and an INVITE that replaces a call.
#[test]
fn what_stands_is_never_refused() {
    let mut house = House::new((2, 1, 1, 3));
    let (session, to) = house.call("call");
    let (_, other) = house.call("other");
    assert_eq!(house.status(&invite("full")), 503);
    house.pass(10_000);
    house.gets(&with(&invite("waits"), "Subject: no"));
    assert_eq!(house.counts()[2], 2);
    let (tag, from) = (other.split_once("tag=").expect("a tag").1.to_owned(), "fother");
    let replaces = |call: &str| with(&invite(call), &format!("Replaces: other;to-tag={tag};from-tag={from}"));
    assert_eq!(house.status(&replaces("heir")), 0);
    let replaced = house.host.last().expect("an event").replaces;
    assert!(replaced.is_some());
    // That one waits: one is all that may, and calls and requests a second are used up too.
    for number in 0..5 {
        assert_eq!(house.status(&request("OPTIONS", &format!("o{number}"), TO, 1)), 503);
        let unknown = replaces(&format!("u{number}")).replace("Replaces: other", "Replaces: unknown");
        assert_eq!(house.status(&unknown), 503);
    }
    let mut cseq = 1;
    for round in 0..20 {
        for method in ["INFO", "OPTIONS", "MESSAGE", "UPDATE", "INVITE"] {
            cseq += 1;
            let status = house.status(&request(method, "call", &to, cseq));
            assert_eq!(status, 0, "{method}");
            let (now, id) = (house.now(), house.incoming());
            let body = Body { content: ANSWER.as_bytes(), content_type: None, disposition: None };
            let body = (method == "INVITE").then_some(body);
            house
                .agent
                .accept(now, id, 200, &ResponseOptions { body, ..ResponseOptions::default() })
                .expect("accepted");
            let sent = house.settle();
            assert_eq!(sent.iter().filter_map(Sip::status).collect::<Vec<_>>(), [200], "{method} {round}");
            if method == "INVITE" {
                let ack = request("ACK", "call", &to, cseq);
                let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{ANSWER}", ANSWER.len());
                house.gets(&ack.replace("Content-Length: 0\r\n\r\n", &body));
            }
        }
    }
    let statuses = |answers: &[Sip]| answers.iter().filter_map(Sip::status).collect::<Vec<_>>();
    assert_eq!(statuses(&house.gets(&cancel_of("heir"))), [200, 487]);
    let bye = request("BYE", "call", &to, cseq + 1);
    house.gets(&bye);
    let told = house.host.iter().rev().find(|event| event.kind == EventKind::Bye);
    let id = told.and_then(|event| event.incoming).expect("a BYE");
    assert_eq!(statuses(&house.accept(id, None).1), [200]);
    let told = house.host.iter().any(|event| event.kind == EventKind::Terminated && event.session == Some(session));
    assert!(told, "{:?}", house.host);
}

/// Who is in one call cannot begin as many as it likes by naming it: one INVITE at a time may come to take its place.
#[test]
fn a_call_has_one_heir_at_a_time() {
    for (limits, refused) in [((1, 0, 0, 0), 2), ((0, 1, 0, 0), 3), ((0, 0, 1, 1), 4)] {
        let mut house = House::new(limits);
        let (_, to) = house.call("call");
        let tag = to.split_once("tag=").expect("a tag").1.to_owned();
        if refused == 3 {
            assert_eq!(house.status(&request("OPTIONS", "waits", TO, 1)), 0);
        }
        let heir = |name: &str| with(&invite(name), &format!("Replaces: call;to-tag={tag};from-tag=fcall"));
        assert_eq!(house.status(&heir("first")), 0, "{limits:?}");
        let first = house.incoming();
        assert_eq!([house.status(&heir("second")), house.status(&heir("third"))], [503, 503], "{limits:?}");
        assert_eq!(house.counts()[refused], 2, "{limits:?}");
        house.reject(first);
        assert_eq!([house.status(&heir("fourth")), house.status(&heir("fifth"))], [0, 503], "{limits:?}");
        house.gets(&cancel_of("fourth"));
        assert_eq!(house.status(&heir("sixth")), 0, "{limits:?}");
        // The rules of RFC 3891 hold too: what could not take its place is nobody's heir.
        let early = format!("{};early-only", heir("seventh").split("\r\nContent-Length").next().expect("lines"));
        house.reject(house.incoming());
        assert_eq!(house.status(&format!("{early}\r\nContent-Length: 0\r\n\r\n")), 503, "{limits:?}");
        assert_eq!(house.status(&with_offer(&heir("eighth"))), 0, "{limits:?}");
        house.accept(house.incoming(), Some(ANSWER)).0.expect("a session");
    }
}

/// Off by default: one address may begin as much as it likes.
#[test]
fn nothing_is_limited_by_default() {
    let mut house = House::new((0, 0, 0, 0));
    for number in 0..5_000 {
        assert_eq!(house.status(&invite(&format!("n{number}"))), 0);
    }
    assert_eq!(house.counts(), [0; 5]);
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let mut config = config("alice");
    for (limits, good) in [
        ((0, 0, 0, 0), true),
        ((4_194_303, 4_194_303, 1_000_000, 1_000_000), true),
        ((4_194_304, 0, 0, 0), false),
        ((0, 4_194_304, 0, 0), false),
        ((0, 0, 1_000_001, 0), false),
        ((0, 0, 1, 1_000_001), false),
        ((0, 0, 0, 1), false),
    ] {
        assert_eq!(config.set_admission(limits.0, limits.1, limits.2, limits.3).is_ok(), good, "{limits:?}");
    }
    assert_eq!(config.admission.address_burst, 1_000_000, "what is refused changes nothing");
}

/// A host that is behind hears of its calls first, of a call in order, and of no request's end before its beginning.
#[test]
fn a_host_that_is_behind_hears_of_its_calls_first() {
    let mut house = House::new((0, 0, 0, 0));
    let (session, to) = house.call("call");
    house.host.clear();
    let now = house.now();
    let receive = |house: &mut House, text: &str| {
        let flow = Flow { link: 1, ..Flow::new(Transport::Udp, "192.0.2.1:5060".parse().ok(), PEER.parse().ok()) };
        house.agent.receive(now, &flow, text.as_bytes()).expect("a datagram is taken");
    };
    for number in 0..200 {
        receive(&mut house, &invite(&format!("n{number}")));
        receive(&mut house, &cancel_of(&format!("n{number}")));
    }
    for cseq in 2..20 {
        receive(&mut house, &request("INFO", "call", &to, cseq));
    }
    receive(&mut house, &request("BYE", "call", &to, 20));
    house.settle();
    let of_call: Vec<_> = (0..).zip(&house.host).filter(|(_, event)| event.session == Some(session)).collect();
    let kinds: Vec<_> = of_call.iter().map(|(_, event)| event.kind).collect();
    assert_eq!(kinds[..19], [[EventKind::Info; 18].as_slice(), &[EventKind::Bye]].concat());
    assert!(of_call.windows(2).all(|pair| pair[0].1.id < pair[1].1.id), "a call's events come in their order");
    // 8 of the call, then one of the others.
    assert_eq!(
        of_call.iter().map(|(at, _)| *at).take(18).collect::<Vec<i32>>(),
        [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19]
    );
    let mut begun = BTreeSet::new();
    for event in &house.host {
        match event.kind {
            EventKind::Invite => assert!(begun.insert(event.incoming.expect("a request").raw())),
            EventKind::Cancel => assert!(begun.contains(&event.incoming.expect("a request").raw())),
            _ => {}
        }
    }
    assert_eq!(begun.len(), 200);
}
