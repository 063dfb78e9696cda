//! Calls with a peer that is scripted line by line: races, repeats, and ends in states where few calls end.

use sipdlg::agent::{
    Agent, Body, Event, EventKind, IncomingId, OutgoingId, Reason, RequestOptions, ResponseOptions, SessionId,
};
use sipdlg::config::{Config, ForkPolicy};
use sipdlg::error::ErrorKind;
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::SignalingState;
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

const SDP: Body<'static> = Body { content: b"v=0\r\n", content_type: None, disposition: None };
const LINK: u64 = 7;

/// One agent; the peer is the test itself.
struct Rig {
    agent: Agent,
    ms: u64,
    sent: Vec<String>,
    events: Vec<Event>,
}

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 9], 5060))
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name));
    message.split("\r\n").find_map(value).map_or("", |(_, value)| value)
}

/// A response of the peer; `more`: further header lines, each with its line end.
fn response(request: &str, status: u16, tag: &str, more: &str, body: &str) -> String {
    let lines: String = (["Via", "From", "Call-ID", "CSeq"].iter())
        .map(|name| format!("{name}: {}\r\n", header(request, name)))
        .collect();
    let to = header(request, "To");
    let tag = if to.contains(";tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("SIP/2.0 {status} X\r\n{lines}To: {to}{tag}\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

const CONTACT: &str = "Contact: <sip:bob@192.0.2.9>\r\n";

impl Rig {
    fn new(config: Config) -> Self {
        let mut agent = Agent::new(config, [1; 32], Now { monotonic: Time::from_micros(0), unix_us: 0 });
        let local = SocketAddr::from(([192, 0, 2, 1], 5060));
        let flow = Flow { link: LINK, ..Flow::new(Transport::Udp, Some(local), None) };
        agent.add_transport(&flow, None).expect("transport");
        Self { agent, ms: 0, sent: Vec::new(), events: Vec::new() }
    }

    fn now(&self) -> Now {
        Now { monotonic: Time::from_micros(self.ms * 1_000), unix_us: self.ms * 1_000 }
    }

    fn drain(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        while let Some(out) = self.agent.poll_transmit() {
            self.sent.push(String::from_utf8_lossy(&out.bytes).into_owned());
        }
    }

    /// The peer sends.
    fn receive(&mut self, text: &str) {
        let local = SocketAddr::from(([192, 0, 2, 1], 5060));
        let flow = Flow { link: LINK, ..Flow::new(Transport::Udp, Some(local), Some(peer())) };
        self.agent.receive(self.now(), &flow, text.as_bytes()).expect("received");
        self.drain();
    }

    /// Time passes.
    fn run(&mut self, ms: u64) {
        let end = self.ms + ms;
        while let Some(at) = self.agent.next_timeout().filter(|at| at.as_micros() <= end * 1_000) {
            self.agent.handle_timeout(Now { monotonic: at, unix_us: at.as_micros() });
            self.drain();
        }
        self.ms = end;
    }

    /// Everything ends by itself, sessions with one TERMINATED which is their last event.
    #[track_caller]
    fn settle(&mut self) {
        self.drain();
        self.run(400_000);
        let stats = self.agent.stats();
        let living = (stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers);
        assert_eq!(living, (0, 0, 0, 0, 0), "sessions, incoming, outgoing, transactions, timers live on");
        for event in self.events.iter().filter(|event| event.kind == EventKind::Terminated) {
            let last = self.events.iter().rposition(|other| other.session == event.session);
            assert_eq!(last.map(|at| self.events[at].id), Some(event.id), "an event behind TERMINATED");
        }
    }

    fn starts(&self) -> Vec<&str> {
        self.sent.iter().map(|message| message.split([' ', '\r']).next().unwrap_or_default()).collect()
    }

    /// The messages that we sent whose start line begins so.
    fn sent(&self, start: &str) -> Vec<String> {
        self.sent.iter().filter(|message| message.starts_with(start)).cloned().collect()
    }

    fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    #[track_caller]
    fn last(&self, kind: EventKind) -> &Event {
        self.events.iter().rfind(|event| event.kind == kind).unwrap_or_else(|| panic!("no {kind:?}"))
    }

    /// Final fates of a request of ours.
    fn fates(&self, id: OutgoingId) -> Vec<(EventKind, u16)> {
        let finals = [EventKind::Accept, EventKind::Redirect, EventKind::Reject];
        (self.events.iter())
            .filter(|event| event.outgoing == Some(id) && finals.contains(&event.kind))
            .map(|event| (event.kind, event.status_code))
            .collect()
    }

    fn invite(&mut self, body: Option<Body<'_>>) -> (OutgoingId, String) {
        let options = RequestOptions { body, ..RequestOptions::default() };
        let id = self.agent.invite(self.now(), Some(b"sip:bob@192.0.2.9"), options).expect("invite");
        self.drain();
        (id, self.sent("INVITE").pop().expect("INVITE"))
    }

    /// A call of ours that stands.
    fn call(&mut self) -> SessionId {
        let (_, invite) = self.invite(Some(SDP));
        self.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
        self.last(EventKind::Accept).session.expect("session")
    }

    /// A request of the peer; `to` with our tag, `from` with its own.
    fn request(&mut self, method: &str, cseq: u32, to: &str, contact: &str, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{method}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:carol@192.0.2.9>;tag=c\r\nTo: {to}\r\nCall-ID: theirs\r\n\
             CSeq: {cseq} {method}\r\n{contact}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.receive(&text);
        text
    }

    fn incoming(&mut self, contact: &str, body: &str) -> (IncomingId, String) {
        let text = self.request("INVITE", 1, "<sip:us@192.0.2.1>", contact, body);
        (self.last(EventKind::Invite).incoming.expect("incoming"), text)
    }

    fn accept(&mut self, id: IncomingId) -> sipdlg::error::Result<Option<SessionId>> {
        let options = ResponseOptions { body: Some(SDP), ..ResponseOptions::default() };
        let result = self.agent.accept(self.now(), id, 0, &options);
        self.drain();
        result
    }

    /// A call of the peer that stands; gives the To that its requests carry.
    fn called(&mut self, contact: &str) -> (SessionId, String) {
        let (id, _) = self.incoming(contact, "v=0\r\n");
        let session = self.accept(id).expect("accepted").expect("session");
        let to = header(&self.sent("SIP/2.0 200").pop().expect("200"), "To").to_owned();
        self.request("ACK", 1, &to, "", "");
        (session, to)
    }

    /// Answers the newest RESOLVE.
    fn resolve(&mut self, found: bool) {
        let query = self.last(EventKind::Resolve).query;
        let target = [Flow::new(Transport::Udp, None, Some(peer()))];
        assert!(self.agent.resolved(self.now(), query, if found { &target } else { &[] }));
        self.drain();
    }
}

const NAMED: &str = "Contact: <sip:carol@carol.example>\r\n";

#[test]
fn a_reinvite_cancelled_before_it_went_out_leaves_the_call_alone() {
    let mut rig = Rig::new(Config::default());
    let (session, _) = rig.called(NAMED);
    let options = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    let id = rig.agent.reinvite(rig.now(), session, options).expect("re-INVITE");
    rig.drain();
    assert!(rig.agent.cancel(rig.now(), id, None, &RequestOptions::default()).expect("cancelled"));
    rig.drain();
    assert_eq!(rig.fates(id), [(EventKind::Reject, 487)]);
    let now = rig.agent.session(session).expect("lives");
    assert!(!now.is_terminated());
    assert_eq!(now.signaling_state(), SignalingState::Stable);
    rig.agent.dispose_session(rig.now(), session).expect("disposed");
    rig.settle();
}

#[test]
fn a_2xx_repeated_while_the_way_of_its_ack_is_looked_up_is_one_2xx() {
    let mut rig = Rig::new(Config::default());
    let (session, _) = rig.called(NAMED);
    let options = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    let id = rig.agent.reinvite(rig.now(), session, options).expect("re-INVITE");
    rig.drain();
    rig.resolve(true);
    let invite = rig.sent("INVITE").pop().expect("re-INVITE");
    let ok = response(&invite, 200, "", "Contact: <sip:carol@elsewhere.example>\r\n", "v=0\r\n");
    rig.receive(&ok);
    rig.receive(&ok);
    assert_eq!(rig.fates(id), [(EventKind::Accept, 200)]);
    assert_eq!(rig.agent.session(session).expect("lives").signaling_state(), SignalingState::Stable);
    assert_eq!(rig.count(EventKind::Resolve), 2);
    rig.resolve(true);
    assert_eq!(rig.sent("ACK").len(), 1);
    rig.receive(&ok);
    assert_eq!(rig.sent("ACK").len(), 2);
    rig.agent.dispose_session(rig.now(), session).expect("disposed");
    rig.settle();
}

#[test]
fn an_ack_that_finds_no_way_is_told() {
    let mut rig = Rig::new(Config::default());
    let (id, invite) = rig.invite(Some(SDP));
    let ok = response(&invite, 200, "b", "Contact: <sip:bob@nowhere.example>\r\n", "v=0\r\n");
    rig.receive(&ok);
    rig.resolve(false);
    assert_eq!(rig.last(EventKind::TransportError).session, rig.last(EventKind::Accept).session);
    rig.receive(&ok);
    assert_eq!(rig.fates(id).len(), 1);
    let session = rig.last(EventKind::Accept).session.expect("session");
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.settle();
    assert_eq!(rig.count(EventKind::Terminated), 1);
}

#[test]
fn a_refused_bye_sends_nothing_and_changes_nothing() {
    let mut rig = Rig::new(Config::default());
    let (_, invite) = rig.invite(None);
    rig.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
    let session = rig.last(EventKind::Accept).session.expect("session");
    let options = RequestOptions { headers: vec![b"Via: x"], ..RequestOptions::default() };
    assert_eq!(rig.agent.bye(rig.now(), session, options).expect_err("refused").kind, ErrorKind::Header);
    rig.drain();
    assert_eq!(rig.starts(), ["INVITE"]);
    let answer = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    rig.agent.ack(rig.now(), session, &answer).expect("the ACK is still owed");
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.settle();
    assert_eq!(rig.starts()[..3], ["INVITE", "ACK", "BYE"]);
}

#[test]
fn hang_up_ends_the_call_when_no_transport_is_left() {
    let mut rig = Rig::new(Config::default());
    let session = rig.call();
    assert!(rig.agent.link_closed(rig.now(), LINK));
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.drain();
    assert_eq!(rig.last(EventKind::Terminated).reason, Reason::LocalHangup);
    rig.settle();
    assert_eq!(rig.count(EventKind::Terminated), 1);
}

#[test]
fn a_2xx_whose_ack_is_owed_is_acknowledged_when_the_peer_ends_the_call() {
    let mut rig = Rig::new(Config::default());
    let (_, invite) = rig.invite(None);
    rig.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
    let (from, to) = (header(&invite, "To"), header(&invite, "From"));
    let bye = format!(
        "BYE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n\
         From: {from};tag=b\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        header(&invite, "Call-ID")
    );
    rig.receive(&bye);
    assert_eq!(rig.sent("ACK").len(), 1);
    rig.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
    assert_eq!(rig.sent("ACK").len(), 2);
    rig.settle();
    assert_eq!(rig.count(EventKind::Terminated), 1);
}

#[test]
fn an_invite_whose_only_dialog_was_ended_by_bye_still_gets_its_fate() {
    let mut rig = Rig::new(Config::default());
    let (id, invite) = rig.invite(Some(SDP));
    rig.receive(&response(&invite, 180, "b", CONTACT, ""));
    let session = rig.last(EventKind::Progress).session.expect("early");
    rig.agent.bye(rig.now(), session, RequestOptions::default()).expect("BYE");
    rig.drain();
    let bye = rig.sent("BYE").pop().expect("BYE");
    rig.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
    rig.receive(&response(&bye, 200, "", "", ""));
    assert_eq!(rig.sent("ACK").len(), 1);
    rig.settle();
    assert_eq!(rig.fates(id), [(EventKind::Reject, 487)]);
    assert_eq!(rig.count(EventKind::Terminated), 1);
}

#[test]
fn a_2xx_for_a_forgotten_early_dialog_revives_nothing() {
    for delivered in [true, false] {
        let mut rig = Rig::new(Config::default());
        let (id, invite) = rig.invite(Some(SDP));
        rig.receive(&response(&invite, 180, "b", CONTACT, ""));
        let session = rig.last(EventKind::Progress).session.expect("early");
        rig.agent.dispose_session(rig.now(), session).expect("disposed");
        if delivered {
            rig.drain();
        }
        rig.receive(&response(&invite, 200, "b", CONTACT, "v=0\r\n"));
        rig.settle();
        assert_eq!(rig.starts()[..3], ["INVITE", "ACK", "BYE"], "forgotten, so nobody else ends it");
        assert_eq!((rig.count(EventKind::Terminated), rig.count(EventKind::Accept)), (1, 0));
        assert_eq!(rig.fates(id), [(EventKind::Reject, 487)]);
    }
}

#[test]
fn a_cancelled_invite_has_one_fate_however_many_forks_answer() {
    let mut rig = Rig::new(Config { fork_policy: ForkPolicy::All, ..Config::default() });
    let (id, invite) = rig.invite(Some(SDP));
    rig.receive(&response(&invite, 180, "b", CONTACT, ""));
    assert!(rig.agent.cancel(rig.now(), id, None, &RequestOptions::default()).expect("cancelled"));
    for tag in ["b", "d", "e"] {
        rig.receive(&response(&invite, 200, tag, CONTACT, "v=0\r\n"));
    }
    rig.settle();
    assert_eq!(rig.fates(id), [(EventKind::Reject, 487)]);
    assert_eq!(rig.sent("ACK").len(), 3);
}

#[test]
fn two_hundred_answers_of_two_hundred_forks_are_too_many() {
    for fork_policy in [ForkPolicy::First, ForkPolicy::All] {
        let mut rig = Rig::new(Config { fork_policy, ..Config::default() });
        let (_, invite) = rig.invite(Some(SDP));
        for fork in 0..200 {
            rig.receive(&response(&invite, 200, &format!("b{fork}"), CONTACT, "v=0\r\n"));
        }
        let limit = Config::default().limits.early_dialogs;
        assert!(rig.sent("ACK").len() <= limit, "{} ACKs", rig.sent("ACK").len());
        let mut at = None;
        while let Some(session) = rig.agent.next_session(at) {
            let _ = rig.agent.hangup(rig.now(), session, 0, RequestOptions::default());
            at = Some(session);
        }
        rig.settle();
    }
}

#[test]
fn an_invite_is_accepted_after_one_of_its_early_dialogs_was_forgotten() {
    let mut rig = Rig::new(Config::default());
    let (id, _) = rig.incoming(CONTACT, "v=0\r\n");
    let mut early = Vec::new();
    for tag in [&b"one"[..], b"two"] {
        let options = ResponseOptions { to_tag: Some(tag), ..ResponseOptions::default() };
        early.push(rig.agent.progress(rig.now(), id, 0, &options).expect("180").expect("early"));
    }
    rig.drain();
    rig.agent.dispose_session(rig.now(), early[0]).expect("disposed");
    let gone = ResponseOptions { to_tag: Some(b"one"), body: Some(SDP), ..ResponseOptions::default() };
    assert_eq!(rig.agent.accept(rig.now(), id, 0, &gone).expect_err("gone").kind, ErrorKind::State);
    rig.drain();
    assert_eq!(rig.accept(id).expect("the other is there"), Some(early[1]));
    rig.request("ACK", 1, "<sip:us@192.0.2.1>;tag=two", "", "");
    rig.agent.hangup(rig.now(), early[1], 0, RequestOptions::default()).expect("hang up");
    rig.settle();
    assert_eq!(rig.count(EventKind::Terminated), 2);
}

#[test]
fn a_refused_reinvite_whose_ack_was_lost_does_not_bar_the_next() {
    let mut rig = Rig::new(Config::default());
    let (session, to) = rig.called(CONTACT);
    rig.request("INVITE", 2, &to, CONTACT, "v=0\r\n");
    let first = rig.last(EventKind::Reinvite).incoming.expect("re-INVITE");
    rig.agent.reject(rig.now(), first, 488, &ResponseOptions::default()).expect("488");
    rig.request("INVITE", 3, &to, CONTACT, "v=0\r\n");
    let second = rig.last(EventKind::Reinvite).incoming.expect("re-INVITE");
    assert_ne!(first, second);
    rig.accept(second).expect("200");
    rig.request("ACK", 3, &to, "", "");
    rig.run(40_000);
    assert_eq!(rig.agent.session(session).expect("lives").reinvite_server(), None);
    rig.request("BYE", 4, &to, "", "");
    rig.settle();
}

#[test]
fn a_reinvite_that_nobody_answers_is_declined_without_ending_the_call() {
    let mut rig = Rig::new(Config::default());
    let (_, to) = rig.called(CONTACT);
    rig.request("INVITE", 2, &to, CONTACT, "v=0\r\n");
    rig.run(200_000);
    // RFC 5057 §5.1: a 480 would end the usage.
    assert!(rig.sent("SIP/2.0 480").is_empty());
    assert!(!rig.sent("SIP/2.0 488").is_empty());
    rig.request("BYE", 3, &to, "", "");
    rig.settle();
}

#[test]
fn a_reinvite_that_only_rang_ends_after_its_session() {
    let mut rig = Rig::new(Config::default());
    let session = rig.call();
    let options = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    let id = rig.agent.reinvite(rig.now(), session, options).expect("re-INVITE");
    rig.drain();
    let invite = rig.sent("INVITE").pop().expect("re-INVITE");
    rig.receive(&response(&invite, 100, "", "", ""));
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.settle();
    assert_eq!(rig.fates(id).len(), 1);
}

#[test]
fn the_answer_of_a_reinvite_may_come_in_its_provisional_response() {
    let mut rig = Rig::new(Config::default());
    let session = rig.call();
    let options = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    rig.agent.reinvite(rig.now(), session, options).expect("re-INVITE");
    rig.drain();
    let invite = rig.sent("INVITE").pop().expect("re-INVITE");
    rig.receive(&response(&invite, 183, "", CONTACT, "v=1\r\n"));
    rig.receive(&response(&invite, 200, "", CONTACT, ""));
    let now = rig.agent.session(session).expect("lives");
    assert_eq!(now.answer().map(|answer| answer.content()), Some(&b"v=1\r\n"[..]));
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.settle();
}

#[test]
fn a_hang_up_that_waited_for_the_ack_is_sent_as_it_was_given() {
    let mut rig = Rig::new(Config::default());
    let (id, _) = rig.incoming(CONTACT, "");
    let session = rig.accept(id).expect("200").expect("session");
    let to = header(&rig.sent("SIP/2.0 200").pop().expect("200"), "To").to_owned();
    let options = RequestOptions { headers: vec![b"Reason: SIP;cause=200"], ..RequestOptions::default() };
    rig.agent.hangup(rig.now(), session, 0, options).expect("hang up");
    // The ACK owes an answer and has none: the call ends in any case, by the host's BYE.
    rig.request("ACK", 1, &to, "", "");
    assert_eq!(rig.sent("BYE").len(), 1);
    assert_eq!(header(&rig.sent("BYE")[0], "Reason"), "SIP;cause=200");
    rig.settle();
    assert_eq!(rig.last(EventKind::Terminated).reason, Reason::LocalHangup);
}

#[test]
fn one_dialog_may_not_have_ever_more_requests_unanswered() {
    let mut rig = Rig::new(Config::default());
    let (_, to) = rig.called(CONTACT);
    for cseq in 2..1_002 {
        rig.request("INFO", cseq, &to, "", "");
    }
    assert!(rig.count(EventKind::Info) <= 128, "{} INFO wait", rig.count(EventKind::Info));
    assert!(!rig.sent("SIP/2.0 500").is_empty());
    rig.request("BYE", 1_002, &to, "", "");
    rig.settle();
}

#[test]
fn the_contact_of_an_invite_is_one_sip_uri() {
    // RFC 3261 §8.1.1.8.
    for contact in ["Contact: <tel:+123>\r\n", "Contact: <sip:a@192.0.2.9>, <sip:b@192.0.2.9>\r\n", ""] {
        let mut rig = Rig::new(Config::default());
        rig.request("INVITE", 1, "<sip:us@192.0.2.1>", contact, "v=0\r\n");
        assert_eq!((rig.count(EventKind::Invite), rig.sent("SIP/2.0 400").len()), (0, 1), "{contact}");
        rig.settle();
    }
}

#[test]
fn what_waits_for_a_look_up_does_not_go_out_behind_the_bye() {
    let mut rig = Rig::new(Config::default());
    let (session, to) = rig.called(NAMED);
    let options = RequestOptions { body: Some(SDP), ..RequestOptions::default() };
    let reinvite = rig.agent.reinvite(rig.now(), session, options).expect("re-INVITE");
    let info = rig.agent.info(rig.now(), session, RequestOptions::default()).expect("INFO");
    rig.drain();
    let questions: Vec<u64> =
        rig.events.iter().filter(|event| event.kind == EventKind::Resolve).map(|event| event.query).collect();
    rig.request("BYE", 2, &to, "", "");
    for query in questions {
        let target = [Flow::new(Transport::Udp, None, Some(peer()))];
        assert!(rig.agent.resolved(rig.now(), query, &target));
    }
    rig.settle();
    assert!(rig.sent("INVITE").is_empty() && rig.sent("INFO").is_empty());
    assert_eq!((rig.fates(reinvite).len(), rig.fates(info).len()), (1, 1));
}

#[test]
fn a_2xx_beyond_the_limit_of_early_dialogs_is_acknowledged() {
    let mut config = Config::default();
    config.limits.early_dialogs = 2;
    let mut rig = Rig::new(config);
    let (id, invite) = rig.invite(Some(SDP));
    for tag in ["b", "d", "e"] {
        rig.receive(&response(&invite, 180, tag, CONTACT, ""));
    }
    assert_eq!(rig.count(EventKind::Progress), 2);
    rig.receive(&response(&invite, 200, "e", CONTACT, "v=0\r\n"));
    assert_eq!((rig.sent("ACK").len(), rig.fates(id)), (1, vec![(EventKind::Accept, 200)]));
    let session = rig.last(EventKind::Accept).session.expect("session");
    rig.agent.hangup(rig.now(), session, 0, RequestOptions::default()).expect("hang up");
    rig.settle();
}
