//! The floods, each of a size that may be ten times another.

use crate::house::{Answers, CONTACT, House, Result, TO, request, value, with_sdp};
use sipdlg::config::Config;

/// `size`: how many there are of what may not make the others dear. `messages`: how many come.
pub type Flood = fn(size: usize) -> Result;

/// Name, flood, the smaller of two sizes, what the size counts.
pub const FLOODS: [(&str, Flood, usize, &str); 17] = [
    ("calls that never ACK", never_acknowledged, 20_000, "calls"),
    ("the same beside room for all", all_never_acknowledged, 8_000, "calls"),
    ("calls that wait, events never polled", never_polled, 5_000, "events"),
    ("early dialogs of one INVITE", early_dialogs, 1_000, "forks"),
    ("reliable ones", reliable_early_dialogs, 1_000, "forks"),
    ("2xx of as many callees", many_callees, 1_000, "forks"),
    ("retransmissions beside calls", retransmissions, 1_000, "dialogs"),
    ("CANCEL storm", |size| storm("CANCEL", "", size), 1_000, "requests"),
    ("PRACK storm", |size| storm("PRACK", "RAck: 1 1 INVITE\r\n", size), 1_000, "requests"),
    ("SUBSCRIBE storm", |size| storm("SUBSCRIBE", "Event: refer\r\n", size), 1_000, "requests"),
    ("REFER storm", |size| storm("REFER", "Refer-To: <sip:c@203.0.113.9>\r\n", size), 1_000, "requests"),
    ("NOTIFY storm", |size| storm("NOTIFY", "Event: refer\r\nSubscription-State: active\r\n", size), 1_000, "requests"),
    ("re-INVITE storm", |size| storm("INVITE", CONTACT, size), 1_000, "requests"),
    ("UPDATE storm", |size| storm("UPDATE", CONTACT, size), 1_000, "requests"),
    ("INFO that nobody answers", unanswered_infos, 1_000, "requests"),
    ("links beside calls", links, 8_000, "calls"),
    ("halves of messages", halves, 1_000, "links"),
];

/// A hundred and one microseconds apart, so that the timers of no two tens of them are due at the same moment.
fn new_call(at: usize) -> (u64, Vec<u8>) {
    (1, with_sdp(&request("INVITE", &format!("n{at}"), TO, 1, CONTACT)).into_bytes())
}

fn never_acknowledged(size: usize) -> Result {
    let mut house = House::new();
    house.flood(size, 101, &mut new_call);
    house.end()
}

fn all_never_acknowledged(size: usize) -> Result {
    let mut config = Config::default();
    config.set_limits(0, 1_000_000, 0).expect("a good number");
    let mut house = House::with(config);
    house.flood(size, 101, &mut new_call);
    house.end()
}

fn never_polled(size: usize) -> Result {
    let mut house = House::new();
    house.polls = false;
    house.answers = Answers::Waits;
    house.flood(size, 101, &mut new_call);
    house.end()
}

/// A response of fork `at` to an INVITE of ours.
fn fork(invite: &str, status: u16, at: usize, more: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=fork{at}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}\
         Contact: <sip:bob{at}@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
        value(invite, "Via"),
        value(invite, "From"),
        value(invite, "To"),
        value(invite, "Call-ID"),
        value(invite, "CSeq"),
    )
    .into_bytes()
}

fn forks(size: usize, status: u16, more: &str) -> Result {
    let mut house = House::new();
    let invite = house.invite();
    // The same number of messages, of more and more forks.
    house.flood(10_000, 100, &mut |at| (1, fork(&invite, status, at % size, more)));
    house.hang_up_others();
    house.receive(1, &fork(&invite, 487, 0, ""));
    house.end()
}

fn early_dialogs(size: usize) -> Result {
    forks(size, 180, "")
}

fn reliable_early_dialogs(size: usize) -> Result {
    forks(size, 183, "Require: 100rel\r\nRSeq: 1\r\n")
}

fn many_callees(size: usize) -> Result {
    forks(size, 200, "")
}

/// Repeats of an INVITE that rings, of one that is refused, of one that is accepted and of an INFO, beside so many calls.
fn retransmissions(size: usize) -> Result {
    let mut house = House::new();
    let to = house.call("twice", 1);
    for number in 0..size {
        house.call(&format!("beside{number}"), 1);
    }
    house.pass(40_000_000);
    let info = request("INFO", "twice", &to, 2, "");
    let mut repeats = vec![info];
    for (answers, name) in [(Answers::Rings, "rings"), (Answers::Rejects, "refused"), (Answers::Accepts, "accepted")] {
        repeats.push(with_sdp(&request("INVITE", name, TO, 1, CONTACT)));
        house.answers = answers;
        house.receive(1, repeats.last().expect("one").as_bytes());
        house.settle();
    }
    house.flood(100_000, 100, &mut |at| (1, repeats[at % repeats.len()].clone().into_bytes()));
    house.hang_up_others();
    house.end()
}

/// Requests of one method in one dialog, as fast as they come.
fn storm(method: &str, more: &str, size: usize) -> Result {
    let mut house = House::new();
    let to = house.call("storm", 1);
    let sdp = method == "INVITE";
    house.flood(size, 100, &mut |at| {
        let text = request(method, "storm", &to, 2 + at as u32, more);
        (1, if sdp { with_sdp(&text) } else { text }.into_bytes())
    });
    house.hang_up_others();
    house.end()
}

/// In-dialog requests that the host never looks at.
fn unanswered_infos(size: usize) -> Result {
    let mut house = House::new();
    let to = house.call("storm", 1);
    house.polls = false;
    house.flood(size, 100, &mut |at| (1, request("INFO", "storm", &to, 2 + at as u32, "").into_bytes()));
    house.polls = true;
    house.settle();
    house.hang_up_others();
    house.end()
}

/// Connections that bring a request and close, and connections of calls that break and come anew, beside so many calls
/// of which each has one.
fn links(size: usize) -> Result {
    let mut house = House::new();
    let mut calls = Vec::with_capacity(size);
    for number in 0..size {
        calls.push(house.call(&format!("beside{number}"), 1_000 + number as u64));
    }
    house.pass(40_000_000);
    for round in 0..2_000 {
        let link = 1_000_000 + round as u64;
        house.flood(1, 100, &mut |_| (link, request("OPTIONS", &format!("o{round}"), TO, 1, "").into_bytes()));
        house.close(link);
        let call = round * 3 % size;
        house.close(1_000 + call as u64);
        let text = request("INFO", &format!("beside{call}"), &calls[call], 2, "");
        house.flood(1, 100, &mut |_| (1_000 + call as u64, text.clone().into_bytes()));
    }
    drop(calls);
    house.hang_up_others();
    house.end()
}

/// Streams that never end their message.
fn halves(size: usize) -> Result {
    let mut house = House::new();
    house.flood(20 * size, 100, &mut |at| (1_000 + (at % size) as u64, b"INVITE sip:a@b SIP/2.0\r\nX: ".repeat(20)));
    for link in 0..size {
        house.close(1_000 + link as u64);
    }
    house.end()
}
