//! Floods beside calls that stand: those go on, and nothing of the flood is left after it.

use crate::common::ANSWER;
use crate::common::lone::{Hears, Lone};
use crate::common::party::{answer_sdp, config};
use crate::common::sip::Sip;
use sipdlg::agent::{Agent, Event, EventKind};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::Now;

const CALLS: usize = 100;

/// It answers calls, or not.
struct Answers(bool);

type Host = Lone<Answers>;

impl Hears for Answers {
    fn hear(&mut self, agent: &mut Agent, now: Now, event: Event) {
        if event.kind != EventKind::Invite {
            let _ = agent.event_default(now, &event);
        } else if let Some(id) = event.incoming.filter(|_| self.0) {
            let _ = agent.accept(now, id, 200, &answer_sdp(ANSWER));
        }
    }
}

impl Host {
    fn new(config: Config) -> Self {
        let local = "192.0.2.1:5060";
        Self::with_host(config, &[(Transport::Udp, local), (Transport::Tcp, local)], Answers(true))
    }

    fn gets(&mut self, transport: Transport, link: u64, text: &[u8]) -> Vec<Sip> {
        let [local, remote] = ["192.0.2.1:5060", "203.0.113.9:5060"].map(|text| text.parse().ok());
        let flow = Flow { link, ..Flow::new(transport, local, remote) };
        let now = self.now();
        let _ = self.agent.receive(now, &flow, text);
        self.settle()
    }
}

fn request(method: &str, call: &str, to: &str, cseq: u32, more: &str) -> String {
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK-{call}-{cseq}-{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=f{call}\r\nTo: {to}\r\nCall-ID: {call}\r\n\
         CSeq: {cseq} {method}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

const TO: &str = "<sip:alice@example.com>";
const CONTACT: &str = "Contact: <sip:x@203.0.113.9>\r\n";

/// A message of a flood, by its number.
type Flood = fn(usize) -> Vec<u8>;

#[test]
fn calls_go_on_beside_floods() {
    let long = |number: usize| {
        let routes: String =
            (0..60).map(|at| format!("Record-Route: <sip:p{at}.example;lr;x={}>\r\n", "y".repeat(900))).collect();
        request("INVITE", &format!("l{number}"), TO, 1, &(routes + CONTACT)).into_bytes()
    };
    let floods: [(&str, bool, Transport, Flood); 9] = [
        ("calls that are accepted", true, Transport::Udp, |at| {
            request("INVITE", &format!("a{at}"), TO, 1, CONTACT).into_bytes()
        }),
        ("long ones", true, Transport::Udp, long),
        ("calls that wait", false, Transport::Udp, |at| {
            request("INVITE", &format!("w{at}"), TO, 1, CONTACT).into_bytes()
        }),
        ("calls without a good Contact", false, Transport::Udp, |at| {
            request("INVITE", &format!("c{at}"), TO, 1, "Contact: <sip:[>\r\n").into_bytes()
        }),
        ("unknown dialogs", false, Transport::Udp, |at| {
            request("MESSAGE", &format!("d{at}"), "<sip:a@b>;tag=none", 1, "").into_bytes()
        }),
        ("too many lines", false, Transport::Udp, |at| {
            request("OPTIONS", &format!("o{at}"), TO, 1, &"X: y\r\n".repeat(400)).into_bytes()
        }),
        ("forged credentials", false, Transport::Udp, |at| {
            let lines = format!(
                "Authorization: Digest realm=\"r\", nonce=\"{at}\", username=\"u\", uri=\"sip:a\", response=\"00\"\r\n"
            );
            request("MESSAGE", &format!("m{at}"), TO, 1, &lines).into_bytes()
        }),
        ("no messages", false, Transport::Udp, |at| vec![0xff, 0, b'\r', u8::try_from(at % 256).unwrap_or(0), b'I']),
        ("halves of messages", false, Transport::Tcp, |_| b"INVITE sip:a@b SIP/2.0\r\nX: ".repeat(20)),
    ];
    let mut config = config("alice");
    config.set_memory(8 << 20, 0).expect("a good number");
    let mut host = Host::new(config);
    let mut tags = Vec::new();
    for number in 0..CALLS {
        let call = format!("call-{number}");
        let sent = host.gets(Transport::Udp, 1, request("INVITE", &call, TO, 1, CONTACT).as_bytes());
        let to = sent.iter().find(|sip| sip.status() == Some(200)).expect("it is accepted").value("to").to_owned();
        // Our 2xx brings the offer.
        let answer = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{ANSWER}", ANSWER.len());
        let ack = request("ACK", &call, &to, 1, "").replace("Content-Length: 0\r\n\r\n", &answer);
        host.gets(Transport::Udp, 1, ack.as_bytes());
        tags.push(to);
    }
    for (round, (name, answers, transport, make)) in floods.into_iter().enumerate() {
        host.host.0 = answers;
        let cseq = u32::try_from(round).expect("few") + 2;
        for number in 0..1_000 {
            let link = if transport == Transport::Udp { 1 } else { 100 + number as u64 };
            host.gets(transport, link, &make(number));
            if number % 10 == 0 {
                let call = number / 10;
                let info = request("INFO", &format!("call-{call}"), &tags[call], cseq, "");
                let sent = host.gets(Transport::Udp, 1, info.as_bytes());
                assert!(sent.iter().any(|sip| sip.short() == "200 INFO"), "{name}: the INFO of call {call}");
            }
            host.pass(1);
        }
        assert!(host.agent.stats().bytes < (8 << 20) * 5 / 4, "{name}: {} bytes", host.agent.stats().bytes);
        for link in 100..1_100 {
            let now = host.now();
            host.agent.link_closed(now, link);
        }
        host.pass(300_000);
        let stats = host.agent.stats();
        let left = (stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers);
        assert_eq!(left, (CALLS as u64, 0, 0, 0, 0), "{name}");
        host.agent.trim();
        assert!(host.agent.stats().bytes < 256 << 10, "{name}: {} bytes", host.agent.stats().bytes);
    }
}
