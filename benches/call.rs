//! Basic calls from the called side through the core alone: `call COUNT [RATE]`. Run it with two counts under callgrind
//! and divide the difference: user instructions a call without ABI and sockets. The peer's messages are written once
//! and only their numbers patched, so that the figure is the core's.

use sipdlg::agent::{Agent, Body, EventKind, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

const SDP: &[u8] = b"v=0\r\no=sipp 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp:6001\r\na=sendrecv\r\n";

/// Where the number of the call goes.
const NUMBER: &str = "########";
/// Where our To tag goes, as long as the agent's tags are.
const TAG: &str = "@@@@@@@@@@@@@@@@";
const BEFORE_TAG: &[u8] = b"To: <sip:uas@127.0.0.1:5060>;tag=";

/// A message of the peer, and where it changes from call to call.
struct Template {
    text: Vec<u8>,
    numbers: Vec<usize>,
    tags: Vec<usize>,
}

impl Template {
    fn new(text: String) -> Self {
        let places = |mark| text.match_indices(mark).map(|(at, _)| at).collect();
        Self { numbers: places(NUMBER), tags: places(TAG), text: text.into_bytes() }
    }

    fn fill(&mut self, number: &[u8], tag: &[u8]) -> &[u8] {
        for (places, text) in [(&self.numbers, number), (&self.tags, tag)] {
            for at in places {
                self.text[*at..*at + text.len()].copy_from_slice(text);
            }
        }
        &self.text
    }
}

fn messages() -> [Template; 3] {
    let message = |number, cseq: &str, to_tag: &str, tail: &str| {
        let method = &cseq[2..];
        Template::new(format!(
            "{method} sip:uas@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{NUMBER}-{number}\r\n\
             Max-Forwards: 70\r\nFrom: \"perf\" <sip:sipp@127.0.0.1:5070>;tag=1SIPpTag00{NUMBER}\r\n\
             To: <sip:uas@127.0.0.1:5060>{to_tag}\r\nCall-ID: {NUMBER}-12345@127.0.0.1\r\nCSeq: {cseq}\r\n\
             Contact: <sip:sipp@127.0.0.1:5070>\r\n{tail}"
        ))
    };
    let offer = format!(
        "Allow: INVITE, ACK, CANCEL, BYE, INFO, PRACK, UPDATE, OPTIONS\r\nUser-Agent: sipp-perf\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        SDP.len(),
        String::from_utf8_lossy(SDP)
    );
    let (tag, empty) = (format!(";tag={TAG}"), "Content-Length: 0\r\n\r\n");
    [message(1, "1 INVITE", "", &offer), message(2, "1 ACK", &tag, empty), message(3, "2 BYE", &tag, empty)]
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (count, rate) = (arguments.next().unwrap_or(1_000), arguments.next().unwrap_or(1_000));
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let flow = Flow::new(Transport::Udp, Some(local), Some(SocketAddr::from(([127, 0, 0, 1], 5070))));
    let at = |call: u64| Now { monotonic: Time::from_micros(call * 1_000_000 / rate), unix_us: 0 };
    let mut agent = Agent::new(Config::default(), [7; 32], at(0));
    agent.add_transport(&flow, None).expect("a transport");
    let mut messages = messages();
    let mut tag = Tag { text: [0; TAG.len()], at: 0 };
    for call in 0..count {
        let now = at(call);
        let mut number = [b'0'; NUMBER.len()];
        let mut left = call;
        for digit in number.iter_mut().rev() {
            *digit += (left % 10) as u8;
            left /= 10;
        }
        agent.handle_timeout(now);
        for message in &mut messages {
            agent.receive(now, &flow, message.fill(&number, &tag.text)).expect("received");
            drain(&mut agent, now, &mut tag);
        }
    }
    let stats = agent.stats();
    assert_eq!(stats.calls_confirmed, count);
    println!("{count} calls, {} transactions live, {} sessions", stats.transactions, stats.sessions);
}

/// The agent's To tag, which stands at the same place in the 180 of every call.
struct Tag {
    text: [u8; TAG.len()],
    at: usize,
}

fn drain(agent: &mut Agent, now: Now, tag: &mut Tag) {
    while let Some(event) = agent.poll_event() {
        match (event.kind, event.incoming) {
            (EventKind::Invite, Some(incoming)) => {
                let answer = Body { content: SDP, content_type: None, disposition: None };
                agent.progress(now, incoming, 180, &ResponseOptions::default()).expect("180");
                let options = ResponseOptions { body: Some(answer), ..ResponseOptions::default() };
                agent.accept(now, incoming, 200, &options).expect("200");
            }
            _ => agent.event_default(now, &event).expect("default"),
        }
    }
    while let Some(out) = agent.poll_transmit() {
        if !out.bytes.starts_with(b"SIP/2.0 180") {
            continue;
        }
        if tag.at == 0 {
            let windows = out.bytes.windows(BEFORE_TAG.len());
            tag.at = BEFORE_TAG.len() + windows.clone().position(|window| window == BEFORE_TAG).expect("a To tag");
        }
        assert!(out.bytes[..tag.at].ends_with(BEFORE_TAG), "the tag has its place");
        tag.text.copy_from_slice(&out.bytes[tag.at..tag.at + TAG.len()]);
    }
}
