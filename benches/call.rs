//! Basic calls from the called side through the core alone: `call COUNT [RATE]`. Run it with two counts under callgrind and
//! divide the difference: user instructions a call without ABI and sockets.

use sipdlg::agent::{Agent, Body, EventKind, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

const SDP: &[u8] = b"v=0\r\no=sipp 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp:6001\r\na=sendrecv\r\n";

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (count, rate) = (arguments.next().unwrap_or(1_000), arguments.next().unwrap_or(1_000));
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let flow = Flow::new(Transport::Udp, Some(local), Some(SocketAddr::from(([127, 0, 0, 1], 5070))));
    let at = |call: u64| Now { monotonic: Time::from_micros(call * 1_000_000 / rate), unix_us: 0 };
    let mut agent = Agent::new(Config::default(), [7; 32], at(0));
    agent.add_transport(&flow, None).expect("a transport");
    for call in 0..count {
        let now = at(call);
        let via = |number| {
            format!(
                "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{call}-{number}\r\nMax-Forwards: 70\r\nFrom: \"perf\" <sip:sipp@127.0.0.1:5070>;tag=1SIPpTag00{call}\r\n"
            )
        };
        let ids = format!("Call-ID: {call}-12345@127.0.0.1\r\n");
        let contact = "Contact: <sip:sipp@127.0.0.1:5070>\r\n";
        let invite = format!(
            "INVITE sip:uas@127.0.0.1:5060 SIP/2.0\r\n{}To: <sip:uas@127.0.0.1:5060>\r\n{ids}CSeq: 1 INVITE\r\n{contact}Allow: INVITE, ACK, CANCEL, BYE, INFO, PRACK, UPDATE, OPTIONS\r\nUser-Agent: sipp-perf\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
            via(1),
            SDP.len(),
            String::from_utf8_lossy(SDP)
        );
        agent.handle_timeout(now);
        agent.receive(now, &flow, invite.as_bytes()).expect("received");
        let mut tag = String::new();
        drain(&mut agent, now, &mut tag);
        for (number, cseq, method) in [(2, 1, "ACK"), (3, 2, "BYE")] {
            let request = format!(
                "{method} sip:uas@127.0.0.1:5060 SIP/2.0\r\n{}To: <sip:uas@127.0.0.1:5060>;tag={tag}\r\n{ids}CSeq: {cseq} {method}\r\n{contact}Content-Length: 0\r\n\r\n",
                via(number)
            );
            agent.receive(now, &flow, request.as_bytes()).expect("received");
            drain(&mut agent, now, &mut String::new());
        }
    }
    let stats = agent.stats();
    assert_eq!(stats.calls_confirmed, count);
    println!("{count} calls, {} transactions live, {} sessions", stats.transactions, stats.sessions);
}

fn drain(agent: &mut Agent, now: Now, tag: &mut String) {
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
        let text = String::from_utf8_lossy(&out.bytes);
        if let Some(at) = text.find("To: <sip:uas@127.0.0.1:5060>;tag=") {
            *tag = text[at + 33..].split("\r\n").next().unwrap_or_default().to_owned();
        }
    }
}
