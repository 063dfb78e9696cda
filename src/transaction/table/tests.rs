//! The table with a wheel of virtual time beneath and a wire that only remembers.

use std::time::Duration;

use super::*;
use crate::flow::Transport;
use crate::time::Time;
use crate::timer::Wheel;

/// What went onto the wire: milliseconds, start line, whether it was a repeat.
type Sent = (u64, String, bool);

struct World {
    table: Table,
    floor: Floor,
    told: Vec<(u64, Outcome)>,
}

/// The floor above.
struct Floor {
    now: Time,
    wheel: Wheel<Timer>,
    sent: Vec<Sent>,
    bytes: Vec<Bytes>,
}

impl Sink for Floor {
    fn send(&mut self, _: TransactionId, bytes: &Bytes, _: &Flow, _: Option<&Arc<[u8]>>, retransmission: bool) {
        let line = String::from_utf8_lossy(bytes).lines().next().unwrap().to_owned();
        self.sent.push((self.now.as_micros() / 1_000, line, retransmission));
        self.bytes.push(Arc::clone(bytes));
    }
    fn arm(&mut self, after: Duration, timer: Timer) -> TimerId {
        self.wheel.arm(self.now.plus(after), timer)
    }
    fn stop(&mut self, timer: TimerId) {
        assert!(self.wheel.stop(timer), "a timer is stopped once, and never after it came due");
    }
}

impl World {
    fn new() -> Self {
        Self::with_limit(100_000)
    }

    fn with_limit(limit: usize) -> Self {
        let now = Time::from_micros(0);
        Self {
            table: Table::new(&mut Random::from_seed([9; 32]), TimerValues::default(), limit),
            floor: Floor { now, wheel: Wheel::new(now), sent: Vec::new(), bytes: Vec::new() },
            told: Vec::new(),
        }
    }

    /// Lets time pass, timer by timer.
    fn advance(&mut self, millis: u64) {
        let end = self.floor.now.plus(Duration::from_millis(millis));
        while let Some((at, timer)) = self.floor.wheel.pop_due(end) {
            self.floor.now = at;
            let outcome = self.table.timer_due(&mut self.floor, timer);
            if outcome.ended || outcome.tell != Tell::Nothing {
                self.told.push((at.as_micros() / 1_000, outcome));
            }
        }
        self.floor.now = end;
    }

    /// The times at which a message with this start line was sent since the last look.
    fn times(&mut self, start: &str) -> Vec<u64> {
        let sent = std::mem::take(&mut self.floor.sent);
        assert!(sent.iter().all(|(_, line, _)| line.starts_with(start)), "{sent:?}");
        sent.into_iter().map(|(at, _, _)| at).collect()
    }

    fn client(&mut self, request: &str, flow: Flow, owner: u64) -> ClientId {
        let message = Message::parse(request.as_bytes(), None).unwrap();
        let branch = message.branch().unwrap();
        let method = message.method_text();
        self.table
            .start_client(&mut self.floor, request.as_bytes().into(), branch, method, Hop { flow, host: None }, owner)
            .unwrap()
    }

    fn response(&mut self, id: ClientId, response: &str) -> Outcome {
        let response = Message::parse(response.as_bytes(), None).unwrap();
        self.table.client_response(&mut self.floor, id, &response)
    }

    fn server(&mut self, request: &str, flow: Flow, owner: u64) -> ServerId {
        let request = Arc::new(received(request, flow));
        assert_eq!(self.table.find_server(&request), None);
        self.table.start_server(&mut self.floor, &request, flow, owner).unwrap()
    }

    fn request(&mut self, id: ServerId, request: &str) -> Outcome {
        let request = received(request, UDP);
        self.table.server_request(&mut self.floor, id, &request)
    }

    fn find(&self, request: &str) -> Option<ServerId> {
        self.table.find_server(&received(request, UDP))
    }

    fn respond(&mut self, id: ServerId, status: u16) -> Result<Outcome> {
        let bytes = response_bytes(status);
        self.table.respond(&mut self.floor, id, status, bytes)
    }

    /// Nothing lives, nothing runs.
    fn assert_empty(&self) {
        assert_eq!((self.table.len(), self.floor.wheel.len()), (0, 0));
        assert!(self.table.client_by_key.is_empty() && self.table.server_by_key.is_empty());
        assert!(self.table.server_by_merged.is_empty());
    }
}

const UDP: Flow = Flow { transport: Transport::Udp, link: 1, local: None, remote: None };
const TCP: Flow = Flow { transport: Transport::Tcp, link: 2, local: None, remote: None };

fn received(text: &str, flow: Flow) -> Message {
    Message::parse(text.as_bytes(), Some(flow)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A request with this top Via and these tags.
fn request(method: &str, via: &str, cseq: u32, to_tag: &str) -> String {
    let number_method = method;
    format!(
        "{method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nRoute: <sip:p1.example.com;lr>\r\n\
         Route: <sip:p2.example.com;lr>\r\nMax-Forwards: 70\r\nFrom: Alice <sip:alice@example.com>;tag=1928\r\n\
         To: Bob <sip:bob@example.com>{to_tag}\r\nCall-ID: a84b4c76\r\nCSeq: {cseq} {number_method}\r\n\
         Contact: <sip:alice@pc33.example.com>\r\nContent-Length: 0\r\n\r\n"
    )
}

const VIA: &str = "pc33.example.com;branch=z9hG4bK776";

fn invite() -> String {
    request("INVITE", VIA, 1, "")
}

fn ack() -> String {
    request("ACK", VIA, 1, ";tag=a6c8")
}

fn response_text(status: u16, method: &str, branch: &str) -> String {
    format!(
        "SIP/2.0 {status} Text\r\nVia: SIP/2.0/UDP pc33.example.com;branch={branch}\r\n\
         From: Alice <sip:alice@example.com>;tag=1928\r\nTo: Bob <sip:bob@example.com>;tag=a6c8\r\n\
         Call-ID: a84b4c76\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn response(status: u16) -> String {
    response_text(status, "INVITE", "z9hG4bK776")
}

fn response_bytes(status: u16) -> Bytes {
    response(status).as_bytes().into()
}

fn told(owner: u64, tell: Tell) -> Outcome {
    Outcome { owner, tell, ended: false }
}

fn ended(owner: u64, tell: Tell) -> Outcome {
    Outcome { owner, tell, ended: true }
}

/// §17.1.1.2: seven INVITEs, then the user is told.
#[test]
fn an_unanswered_invite_is_repeated_and_times_out() {
    let mut world = World::new();
    world.client(&invite(), UDP, 7);
    world.advance(40_000);
    assert_eq!(world.floor.sent.iter().filter(|sent| sent.2).count(), 6);
    assert_eq!(world.times("INVITE"), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(world.told, [(32_000, ended(7, Tell::TimedOut))]);
    assert_eq!(world.table.counters().retransmissions_sent, 6);
    world.assert_empty();
}

#[test]
fn an_invite_over_tcp_is_sent_once() {
    let mut world = World::new();
    world.client(&invite(), TCP, 7);
    world.advance(40_000);
    assert_eq!(world.times("INVITE"), [0]);
    assert_eq!(world.told, [(32_000, ended(7, Tell::TimedOut))]);
    world.assert_empty();
}

/// §17.1.1.3: the ACK has the branch, Request-URI, From, Call-ID, CSeq number and Routes of the INVITE, the To of the
/// response; it is sent for every repeat, and only the first response goes up.
#[test]
fn a_rejected_invite_is_acknowledged_here() {
    let mut world = World::new();
    let id = world.client(&invite(), UDP, 7);
    assert_eq!(world.response(id, &response(180)), told(7, Tell::PassUp));
    world.advance(60_000);
    assert_eq!(world.response(id, &response(486)), told(7, Tell::PassUp));
    world.advance(1_000);
    assert_eq!(world.response(id, &response(486)), told(7, Tell::Nothing));
    assert_eq!(
        world.floor.sent,
        [
            (0, "INVITE sip:bob@example.com SIP/2.0".into(), false),
            (60_000, "ACK sip:bob@example.com SIP/2.0".into(), false),
            (61_000, "ACK sip:bob@example.com SIP/2.0".into(), true),
        ]
    );
    assert_eq!(world.floor.bytes[1], world.floor.bytes[2]);
    let ack = Message::parse(&world.floor.bytes[1], None).unwrap();
    assert_eq!((ack.branch(), ack.to_tag()), (Some(&b"z9hG4bK776"[..]), Some(&b"a6c8"[..])));
    assert_eq!((ack.from_tag(), ack.call_id(), ack.cseq_number()), (Some(&b"1928"[..]), &b"a84b4c76"[..], 1));
    let routes: Vec<&[u8]> = ack.values(crate::message::HeaderId::Route).collect();
    assert_eq!(routes, [&b"<sip:p1.example.com;lr>"[..], b"<sip:p2.example.com;lr>"]);
    assert_eq!(world.table.counters(), Counters { retransmissions_sent: 1, retransmissions_received: 1 });
    world.advance(40_000);
    assert_eq!(world.told, [(92_000, ended(7, Tell::Nothing))]);
    world.assert_empty();
}

/// Timer D is zero on reliable transports: the final response is the end.
#[test]
fn a_rejected_invite_over_tcp_ends_at_once() {
    let mut world = World::new();
    let id = world.client(&invite(), TCP, 7);
    assert_eq!(world.response(id, &response(486)), ended(7, Tell::PassUp));
    assert_eq!(world.floor.sent.last().unwrap().1, "ACK sip:bob@example.com SIP/2.0");
    world.assert_empty();
    assert_eq!(world.response(id, &response(486)), Outcome::default());
}

/// RFC 6026: every 2xx goes up until timer M, none is acknowledged here, and a transport error does not matter.
#[test]
fn an_accepted_invite_passes_every_2xx_up() {
    let mut world = World::new();
    let id = world.client(&invite(), UDP, 7);
    assert_eq!(world.response(id, &response(200)), told(7, Tell::PassUp));
    world.advance(31_000);
    assert_eq!(world.response(id, &response(200)), told(7, Tell::PassUp));
    assert_eq!(world.response(id, &response(180)), told(7, Tell::Nothing));
    assert_eq!(world.table.client_transport_error(&mut world.floor, id), told(7, Tell::Nothing));
    world.advance(1_000);
    assert_eq!(world.told, [(32_000, ended(7, Tell::Nothing))]);
    assert_eq!(world.times("INVITE"), [0]);
    world.assert_empty();
}

/// §17.1.2.2, with a 100 between the second and the third repeat.
#[test]
fn a_non_invite_is_repeated_up_to_t2() {
    let mut world = World::new();
    let id = world.client(&request("INFO", VIA, 1, ";tag=a6c8"), UDP, 7);
    world.advance(2_000);
    assert_eq!(world.response(id, &response_text(100, "INFO", "z9hG4bK776")), told(7, Tell::PassUp));
    world.advance(14_000);
    assert_eq!(world.times("INFO"), [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500]);
    let ok = response_text(200, "INFO", "z9hG4bK776");
    assert_eq!(world.response(id, &ok), told(7, Tell::PassUp));
    assert_eq!(world.response(id, &ok), told(7, Tell::Nothing));
    assert_eq!(world.table.counters().retransmissions_received, 1);
    world.advance(10_000);
    assert_eq!(world.told, [(21_000, ended(7, Tell::Nothing))]);
    assert!(world.times("INFO").is_empty());
    world.assert_empty();
}

#[test]
fn a_non_invite_over_tcp_ends_with_its_response() {
    let mut world = World::new();
    let id = world.client(&request("BYE", VIA, 1, ";tag=a6c8"), TCP, 7);
    assert_eq!(world.response(id, &response_text(200, "BYE", "z9hG4bK776")), ended(7, Tell::PassUp));
    world.assert_empty();
}

#[test]
fn a_transport_error_ends_a_client_transaction() {
    let mut world = World::new();
    for text in [invite(), request("BYE", VIA, 2, ";tag=a6c8")] {
        let id = world.client(&text, UDP, 7);
        assert_eq!(world.table.client_transport_error(&mut world.floor, id), ended(7, Tell::TransportError));
        world.assert_empty();
    }
}

/// §17.1.3, §9.1: a CANCEL has the branch of its INVITE; the responses find each its own.
#[test]
fn responses_find_their_request_by_branch_and_method() {
    let mut world = World::new();
    let call = world.client(&invite(), UDP, 1);
    let cancel = world.client(&request("CANCEL", VIA, 1, ""), UDP, 2);
    let find = |world: &World, text: &str| world.table.find_client(&received(text, UDP));
    assert_eq!(find(&world, &response(487)), Some(call));
    assert_eq!(find(&world, &response_text(200, "CANCEL", "z9hG4bK776")), Some(cancel));
    assert_eq!(find(&world, &response_text(200, "INVITE", "z9hG4bK777")), None);
    // 64*T1 later no 487 came.
    assert!(world.table.give_up(&mut world.floor, call));
    assert!(!world.table.give_up(&mut world.floor, call));
    assert_eq!(find(&world, &response(487)), None);
    assert!(world.table.give_up(&mut world.floor, cancel));
    world.assert_empty();
}

/// §17.2.1: 100 after 200 ms; repeats get what was sent last; nothing before.
#[test]
fn the_100_comes_by_itself_and_repeats_are_absorbed() {
    let mut world = World::new();
    let id = world.server(&invite(), UDP, 3);
    assert_eq!(world.find(&invite()), Some(id));
    assert_eq!(world.request(id, &invite()), told(3, Tell::Nothing));
    assert!(world.floor.sent.is_empty());
    world.advance(300);
    assert_eq!(world.floor.sent, [(200, "SIP/2.0 100 Trying".into(), false)]);
    let trying = Message::parse(&world.floor.bytes[0], None).unwrap();
    assert_eq!((trying.to_tag(), trying.branch()), (None, Some(&b"z9hG4bK776"[..])));
    world.request(id, &invite());
    assert_eq!(world.respond(id, 180), Ok(told(3, Tell::Nothing)));
    world.request(id, &invite());
    let lines: Vec<(&str, bool)> = world.floor.sent.iter().map(|sent| (sent.1.as_str(), sent.2)).collect();
    assert_eq!(
        lines,
        [
            ("SIP/2.0 100 Trying", false),
            ("SIP/2.0 100 Trying", true),
            ("SIP/2.0 180 Text", false),
            ("SIP/2.0 180 Text", true),
        ]
    );
    assert_eq!(world.table.counters(), Counters { retransmissions_sent: 2, retransmissions_received: 3 });
}

#[test]
fn a_quick_answer_needs_no_100() {
    let mut world = World::new();
    let id = world.server(&invite(), UDP, 3);
    world.respond(id, 180).unwrap();
    world.advance(10_000);
    assert_eq!(world.times("SIP/2.0 180"), [0]);
}

/// RFC 6026: after a 2xx INVITEs are absorbed without an answer, ACKs go up, the session repeats the 2xx through here.
#[test]
fn an_accepted_invite_absorbs_repeats_and_passes_acks_up() {
    let mut world = World::new();
    let id = world.server(&invite(), UDP, 3);
    world.respond(id, 200).unwrap();
    assert_eq!(world.request(id, &invite()), told(3, Tell::Nothing));
    world.advance(500);
    world.respond(id, 200).unwrap();
    assert_eq!(world.request(id, &ack()), told(3, Tell::PassUp));
    assert_eq!(world.request(id, &ack()), told(3, Tell::PassUp));
    assert_eq!(world.respond(id, 486).unwrap_err().kind, ErrorKind::State);
    assert_eq!(world.times("SIP/2.0 200"), [0, 500]);
    world.advance(40_000);
    assert_eq!(world.told, [(32_000, ended(3, Tell::Nothing))]);
    world.assert_empty();
}

/// §17.2.1: timer G from 500 ms up to T2; the ACK ends it, further ACKs are absorbed until timer I.
#[test]
fn a_rejection_is_repeated_until_its_ack() {
    let mut world = World::new();
    let id = world.server(&invite(), UDP, 3);
    world.respond(id, 486).unwrap();
    world.advance(12_000);
    world.request(id, &invite());
    assert_eq!(world.times("SIP/2.0 486"), [0, 500, 1_500, 3_500, 7_500, 11_500, 12_000]);
    assert_eq!(world.find(&ack()), Some(id));
    assert_eq!(world.request(id, &ack()), told(3, Tell::Nothing));
    assert_eq!(world.request(id, &ack()), told(3, Tell::Nothing));
    world.advance(10_000);
    assert!(world.times("SIP/2.0 486").is_empty());
    assert_eq!(world.told, [(17_000, ended(3, Tell::Nothing))]);
    world.assert_empty();
}

#[test]
fn a_rejection_without_ack_is_told_after_timer_h() {
    for (flow, repeats) in [(UDP, 10), (TCP, 0)] {
        let mut world = World::new();
        let id = world.server(&invite(), flow, 3);
        world.respond(id, 486).unwrap();
        world.advance(40_000);
        assert_eq!(world.floor.sent.len(), 1 + repeats);
        assert_eq!(world.told, [(32_000, ended(3, Tell::TimedOut))]);
        world.assert_empty();
    }
}

#[test]
fn over_tcp_the_ack_and_the_final_response_end_a_server_transaction() {
    let mut world = World::new();
    let id = world.server(&invite(), TCP, 3);
    world.respond(id, 486).unwrap();
    assert_eq!(world.request(id, &ack()), ended(3, Tell::Nothing));
    let id = world.server(&request("BYE", VIA, 2, ";tag=a6c8"), TCP, 4);
    assert_eq!(world.respond(id, 200), Ok(ended(4, Tell::Nothing)));
    assert_eq!(world.respond(id, 200).unwrap_err().kind, ErrorKind::Stale);
    world.assert_empty();
}

/// RFC 4320: silence for 3.5 s, then 100 on any transport; never 408; repeats get the final response until timer J.
#[test]
fn a_non_invite_gets_its_100_late_and_never_408() {
    let info = request("INFO", VIA, 2, ";tag=a6c8");
    for flow in [UDP, TCP] {
        let mut world = World::new();
        world.server(&info, flow, 3);
        world.advance(10_000);
        assert_eq!(world.times("SIP/2.0 100"), [3_500]);
    }
    let mut world = World::new();
    let id = world.server(&info, UDP, 3);
    world.advance(1_000);
    world.request(id, &info);
    for status in [100, 180, 408] {
        assert_eq!(world.respond(id, status).unwrap_err().kind, ErrorKind::State);
    }
    assert!(world.floor.sent.is_empty());
    world.respond(id, 200).unwrap();
    world.advance(5_000);
    world.request(id, &info);
    assert_eq!(world.times("SIP/2.0 200"), [1_000, 6_000]);
    world.advance(40_000);
    assert_eq!(world.told, [(33_000, ended(3, Tell::Nothing))]);
    world.assert_empty();
}

/// §17.2.3: the same branch of another sent-by, or with another method, is another transaction.
#[test]
fn a_branch_is_unique_only_with_its_sent_by_and_method() {
    let mut world = World::new();
    let one = world.server(&invite(), UDP, 1);
    let two = world.server(&request("INVITE", "evil.example.com;branch=z9hG4bK776", 1, ""), UDP, 2);
    let three = world.server(&request("INVITE", "pc33.example.com:5062;branch=z9hG4bK776", 1, ""), UDP, 3);
    let four = world.server(&request("INFO", VIA, 1, ";tag=a6c8"), UDP, 4);
    assert!(one != two && two != three && three != four);
    for (via, id) in [
        ("PC33.Example.COM:5060;branch=z9hG4bK776", Some(one)),
        ("pc33.example.com : 5060;branch=z9hG4bK776", Some(one)),
        ("evil.example.com;branch=z9hG4bK776", Some(two)),
        ("pc33.example.com:5062;branch=z9hG4bK776", Some(three)),
        ("[::1]:5062;branch=z9hG4bK776", None),
    ] {
        assert_eq!(world.find(&request("INVITE", via, 1, "")), id, "{via}");
        assert_eq!(world.find(&request("ACK", via, 1, ";tag=x")), id, "{via}");
    }
    let again = Arc::new(received(&invite(), UDP));
    let error = world.table.start_server(&mut world.floor, &again, UDP, 5).unwrap_err();
    assert_eq!(error.kind, ErrorKind::State);
}

#[test]
fn an_ipv6_sent_by_has_a_port_only_after_its_bracket() {
    let mut world = World::new();
    let one = world.server(&request("INVITE", "[2001:db8::1]:5060;branch=z9hG4bK1", 1, ""), UDP, 1);
    assert_eq!(world.find(&request("INVITE", "[2001:DB8::1];branch=z9hG4bK1", 1, "")), Some(one));
    assert_eq!(world.find(&request("INVITE", "[2001:db8::1]:5061;branch=z9hG4bK1", 1, "")), None);
}

/// §9.2: a CANCEL finds its INVITE, and is a transaction of its own.
#[test]
fn a_cancel_finds_its_invite() {
    let mut world = World::new();
    let call = world.server(&invite(), UDP, 1);
    let cancel = request("CANCEL", VIA, 1, "");
    assert_eq!(world.table.find_cancelled(&received(&cancel, UDP)), Some(call));
    assert_eq!(world.find(&cancel), None);
    let id = world.server(&cancel, UDP, 2);
    assert_eq!(world.find(&cancel), Some(id));
    let other = request("CANCEL", "pc33.example.com;branch=z9hG4bK777", 1, "");
    assert_eq!(world.table.find_cancelled(&received(&other, UDP)), None);
}

/// §17.2.3, without the magic cookie: Request-URI, tags, Call-ID, CSeq, top Via; the ACK has our response's To tag.
#[test]
fn old_peers_are_matched_by_the_old_rules() {
    let mut world = World::new();
    for via in ["pc33.example.com", "pc33.example.com;branch=1"] {
        let invite = request("INVITE", via, 1, "");
        let ack = request("ACK", via, 1, ";tag=a6c8");
        let id = world.server(&invite, UDP, 1);
        assert_eq!(world.find(&invite), Some(id));
        assert_eq!(world.find(&request("INVITE", via, 2, "")), None);
        assert_eq!(world.find(&request("INVITE", "pc34.example.com", 1, "")), None);
        assert_eq!(world.table.find_cancelled(&received(&request("CANCEL", via, 1, ""), UDP)), Some(id));
        assert_eq!(world.find(&ack), None);
        world.respond(id, 486).unwrap();
        assert_eq!(world.find(&ack), Some(id));
        assert_eq!(world.find(&request("ACK", via, 1, ";tag=other")), None);
        assert_eq!(world.find(&invite), Some(id));
        assert_eq!(world.request(id, &ack), told(1, Tell::Nothing));
        assert!(matches!(world.table.server_state(id), Some(ServerState::Invite(invite_server::State::Confirmed))));
        world.advance(5_000);
        assert_eq!((world.find(&ack), world.find(&invite)), (None, None));
        world.assert_empty();
    }
    // A re-INVITE has our tag from the start: one key serves both.
    let id = world.server(&request("INVITE", "pc33.example.com", 2, ";tag=a6c8"), UDP, 2);
    world.respond(id, 486).unwrap();
    assert_eq!(world.find(&request("ACK", "pc33.example.com", 2, ";tag=a6c8")), Some(id));
    world.request(id, &request("ACK", "pc33.example.com", 2, ";tag=a6c8"));
    world.advance(5_000);
    world.assert_empty();
}

/// §8.2.2.2: the same request on two paths, while the first lives.
#[test]
fn a_request_that_came_on_another_path_is_merged() {
    let mut world = World::new();
    let first = world.server(&invite(), UDP, 1);
    let other = "proxy2.example.com;branch=z9hG4bK99";
    let merged = |world: &World, text: &str| world.table.find_merged(&received(text, UDP));
    assert!(merged(&world, &request("INVITE", other, 1, "")));
    assert!(!merged(&world, &request("INVITE", other, 2, "")));
    assert!(!merged(&world, &request("INVITE", other, 1, ";tag=a6c8")));
    assert!(!merged(&world, &request("CANCEL", other, 1, "")));
    assert!(!merged(&world, &request("ACK", other, 1, "")));
    // The one that was answered 482 ends first and takes nothing away.
    let second = world.server(&request("INVITE", other, 1, ""), UDP, 2);
    world.respond(second, 482).unwrap();
    world.request(second, &request("ACK", other, 1, ";tag=a6c8"));
    world.advance(5_000);
    assert_eq!(world.table.server_state(second), None);
    assert!(merged(&world, &request("INVITE", other, 1, "")));
    world.respond(first, 200).unwrap();
    world.advance(32_000);
    assert!(!merged(&world, &request("INVITE", other, 1, "")));
    world.assert_empty();
}

#[test]
fn the_limit_counts_both_kinds() {
    let mut world = World::with_limit(2);
    world.client(&invite(), UDP, 1);
    let id = world.server(&request("BYE", VIA, 2, ";tag=a6c8"), TCP, 2);
    let next = Arc::new(received(&invite(), UDP));
    let error = world.table.start_server(&mut world.floor, &next, UDP, 3).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit);
    let bytes: Bytes = invite().as_bytes().into();
    let start = |world: &mut World, branch: &[u8]| {
        world.table.start_client(
            &mut world.floor,
            Arc::clone(&bytes),
            branch,
            b"INVITE",
            Hop { flow: UDP, host: None },
            4,
        )
    };
    assert_eq!(start(&mut world, b"z9hG4bKx").unwrap_err().kind, ErrorKind::Limit);
    world.respond(id, 200).unwrap();
    assert_eq!(start(&mut world, b"z9hG4bK776").unwrap_err().kind, ErrorKind::State);
    assert!(start(&mut world, b"z9hG4bKx").is_ok());
}

/// What a transaction keeps: nothing that it cannot have to send again.
#[test]
fn bytes_are_dropped_when_they_cannot_be_needed() {
    let mut world = World::new();
    let shared: Bytes = response_bytes(200);
    let id = world.server(&invite(), UDP, 1);
    world.table.respond(&mut world.floor, id, 200, Arc::clone(&shared)).unwrap();
    world.floor.bytes.clear();
    assert_eq!(Arc::strong_count(&shared), 1);
    let info = Arc::new(received(&request("INFO", VIA, 2, ";tag=a6c8"), UDP));
    let id = world.table.start_server(&mut world.floor, &info, UDP, 2).unwrap();
    assert_eq!(Arc::strong_count(&info), 2);
    world.table.respond(&mut world.floor, id, 200, Arc::clone(&shared)).unwrap();
    world.floor.bytes.clear();
    assert_eq!((Arc::strong_count(&info), Arc::strong_count(&shared)), (1, 2));
    let sent: Bytes = request("BYE", VIA, 3, ";tag=a6c8").as_bytes().into();
    let id = world
        .table
        .start_client(&mut world.floor, Arc::clone(&sent), b"z9hG4bK776", b"BYE", Hop { flow: UDP, host: None }, 3)
        .unwrap();
    world.floor.bytes.clear();
    assert_eq!(Arc::strong_count(&sent), 2);
    world.response(id, &response_text(200, "BYE", "z9hG4bK776"));
    assert_eq!(Arc::strong_count(&sent), 1);
}

#[test]
fn memory_is_given_back_after_a_peak() {
    let mut world = World::new();
    for number in 0..5_000 {
        let via = format!("pc33.example.com;branch=z9hG4bK{number}");
        let id = world.server(&request("BYE", &via, number, ""), UDP, 1);
        world.respond(id, 200).unwrap();
        world.client(&request("BYE", &via, number, ""), UDP, 2);
    }
    assert!(world.table.server_by_key.capacity() >= 5_000 && world.table.clients.capacity() >= 5_000);
    world.advance(32_000);
    world.assert_empty();
    let table = &world.table;
    for capacity in [table.client_by_key.capacity(), table.server_by_key.capacity(), table.server_by_merged.capacity()]
    {
        assert!(capacity <= 256, "{capacity}");
    }
    assert!(table.clients.capacity() <= 64 && table.servers.capacity() <= 64);
}

/// The same calls give the same bytes at the same times.
#[test]
fn two_tables_of_one_seed_do_the_same() {
    let run = || {
        let mut world = World::new();
        for number in 0..50 {
            let via = format!("pc33.example.com;branch=z9hG4bK{number}");
            world.client(&request("BYE", &via, number, ""), UDP, u64::from(number));
            let id = world.server(&request("INVITE", &via, number, ""), UDP, 100 + u64::from(number));
            world.respond(id, if number % 2 == 0 { 486 } else { 180 }).unwrap();
        }
        world.advance(33_000);
        (world.floor.sent, world.told)
    };
    assert_eq!(run(), run());
}
