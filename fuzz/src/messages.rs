//! The parser and its views, whatever bytes come: what is accepted keeps its promises, is accepted again, and means the
//! same to a parser of other people, but for the differences of a table. What our writer writes, our parser reads.

use crate::choices::Choices;
use crate::common::views;
use crate::differences;
use sipdlg::agent::{Agent, Body, RequestOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::message::{HeaderId, Message};
use sipdlg::time::{Now, Time};

pub fn run(data: &[u8]) {
    views::exercise(data);
    views::values(data);
    differences::judge(data);
    written(data);
}

/// What a host asks for stands in the request, once and unchanged, or the request is refused.
fn written(data: &[u8]) {
    let choices = Choices::new(data);
    let piece = |most: usize| -> Vec<u8> { (0..choices.below(most)).map(|_| choices.byte()).collect() };
    let (name, value, user, phrase) = (piece(12), piece(40), piece(12), piece(60));
    let now = Now { monotonic: Time::from_micros(0), unix_us: 0 };
    let mut agent = Agent::new(Config::default(), [5; 32], now);
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, "192.0.2.1:5060".parse().ok(), None) };
    agent.add_transport(&flow, None).expect("a transport");
    let target = [b"sip:", &user[..], b"@192.0.2.2"].concat();
    let line = [&name[..], b": ", &value].concat();
    let body = Body { content: &phrase, content_type: Some(b"text/plain"), disposition: None };
    let options = RequestOptions { headers: vec![&line], body: Some(body), ..RequestOptions::default() };
    if agent.invite(now, Some(&target), options).is_err() {
        assert!(agent.poll_transmit().is_none(), "what is refused is not sent");
        return;
    }
    let Some(sent) = agent.poll_transmit() else { return };
    let read = Message::parse(&sent.bytes, None).unwrap_or_else(|error| panic!("{error} in {:?}", lossy(&sent.bytes)));
    assert_eq!(read.bytes(), &sent.bytes[..], "nothing stands behind it");
    assert_eq!(read.uri(), Some(&target[..]));
    assert_eq!(read.body(), &phrase[..]);
    // Blanks may stand before the colon (RFC 3261 §7.3.1), and the first one ends the name.
    let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(0));
    let (name, wanted) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
    if HeaderId::from_name(name) == HeaderId::Other {
        let same = |(_, of, given): &(HeaderId, &[u8], &[u8])| of.eq_ignore_ascii_case(name) && *given == wanted;
        assert!(read.all_fields().any(|field| same(&field)), "{:?} stands in {:?}", lossy(&line), lossy(&sent.bytes));
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
