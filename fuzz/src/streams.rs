//! The same bytes of a stream, cut anywhere, are the same messages, answers, events, counters and errors (RFC 3261
//! §18.3).

use crate::choices::Choices;
use sipdlg::agent::{Agent, Stats};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};

/// All that came of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<(u8, u16, Option<Vec<u8>>)>,
    messages: Vec<Vec<u8>>,
    error: Option<String>,
    stats: Stats,
}

/// The first bytes say the limit and the cuts, the others are the stream.
pub fn run(data: &[u8]) {
    let (head, stream) = data.split_at(data.len().min(8));
    let choices = Choices::new(head);
    let limit = choices.of(&[65_535, 1_300]);
    let whole = fed(limit, stream, &mut |_| stream.len().max(1));
    let steps: Vec<usize> = (0..6).map(|_| choices.below(200) + 1).collect();
    let mut turn = 0;
    let cut = fed(limit, stream, &mut |_| {
        turn += 1;
        steps[turn % steps.len()]
    });
    assert_eq!(whole, cut, "whole, and in pieces of {steps:?}");
    let single = fed(limit, stream, &mut |_| 1);
    assert_eq!(whole, single, "whole, and byte by byte");
}

/// Feeds the stream in pieces until it fails; then it is closed, as the header has it.
fn fed(limit: u32, mut stream: &[u8], step: &mut dyn FnMut(usize) -> usize) -> Outcome {
    let now = Now { monotonic: Time::from_micros(0), unix_us: 0 };
    let mut config = Config::default();
    config.set_limits(limit, 0, 0).expect("good limits");
    let mut agent = Agent::new(config, [3; 32], now);
    let address = |text: &str| text.parse().ok();
    let flow = Flow { link: 5, ..Flow::new(Transport::Tcp, address("192.0.2.1:5060"), address("192.0.2.2:5060")) };
    agent.add_transport(&flow, None).expect("a transport");
    let (mut events, mut messages, mut error) = (Vec::new(), Vec::new(), None);
    while !stream.is_empty() && error.is_none() {
        let (piece, rest) = stream.split_at(step(stream.len()).min(stream.len()));
        stream = rest;
        error = agent.receive(now, &flow, piece).err().map(|error| format!("{:?}", error.kind));
        // In the order in which they came: a default answers what a later message may ask about.
        while let Some(event) = agent.poll_event() {
            let bytes = event.message.as_ref().map(|message| message.bytes().to_vec());
            events.push((event.kind as u8, event.status_code, bytes));
        }
        messages.extend(std::iter::from_fn(|| agent.poll_transmit()).map(|out| out.bytes.to_vec()));
    }
    agent.link_closed(now, flow.link);
    while agent.poll_event().is_some() {}
    messages.extend(std::iter::from_fn(|| agent.poll_transmit()).map(|out| out.bytes.to_vec()));
    agent.trim();
    // Of queues that emptied earlier or later.
    let stats = Stats { bytes: 0, ..agent.stats() };
    Outcome { events, messages, error, stats }
}
