//! What an agent says it holds is what it holds: against an allocator that counts, for each kind of object.

#![allow(missing_docs)]

mod common;

use common::counting::{Counting, held};
use common::draft::Draft;
use common::network::Wire;
use common::pair::{ALICE, BOB, Stand, TO_BOB};
use common::party::{answer_sdp, config, reliable};
use common::{ANSWER, HOLD, OFFER, seconds};
use sipdlg::agent::{Agent, EventKind};
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What goes with an agent, and what it says.
fn freed(agent: Agent) -> (isize, isize) {
    let (said, before) = (agent.stats().bytes, held());
    drop(agent);
    (before - held(), isize::try_from(said).expect("a number"))
}

fn empty() -> Agent {
    let now = Now { monotonic: Time::from_micros(0), unix_us: 0 };
    let mut agent = Agent::new(config("alice"), [1; 32], now);
    let flow = Flow { link: 1, ..Flow::new(Transport::Udp, ALICE.parse().ok(), None) };
    agent.add_transport(&flow, None).expect("a transport");
    agent
}

/// So many of each kind.
const MANY: usize = 100;

/// `make` gives alice something to hold, MANY times; what that is beyond an empty agent is what she says.
#[track_caller]
fn holds(what: &str, make: impl Fn(&mut Stand)) -> isize {
    let mut stand = Stand::new();
    for number in 0..MANY {
        let fresh = (format!("call-{number}"), String::new(), 0, "sip:alice@example.com".to_owned());
        (stand.peer.call_id, stand.peer.remote_tag, stand.peer.cseq, stand.peer.remote_uri) = fresh;
        make(&mut stand);
        stand.exchange();
        stand.peer.inbox.clear();
    }
    let agent = std::mem::replace(&mut stand.alice.agent, empty());
    // The tests have books of their own.
    stand.alice.events.clear();
    stand.wire = Wire::new(1);
    let (nothing, said_of_nothing) = freed(empty());
    let (real, said) = freed(agent);
    std::mem::forget(stand);
    let (real, said) = (real - nothing, said - said_of_nothing);
    println!("{what}: {} bytes each, said {}", real / MANY as isize, said / MANY as isize);
    assert!((real - said).abs() <= real / 200, "{what}: {real} bytes, said {said}");
    real / MANY as isize
}

/// The peer calls, by three proxies.
fn call(stand: &mut Stand) -> Draft {
    stand.alice.hold(EventKind::Invite);
    answer(stand)
}

/// The same, as alice's script has it.
fn answer(stand: &mut Stand) -> Draft {
    let mut invite = stand.peer.request("INVITE");
    for proxy in 1..=3 {
        invite = invite.with("Record-Route", format!("<sip:p{proxy}.example.com;lr>"));
    }
    let invite = invite.sdp(OFFER);
    stand.say(invite.clone());
    invite
}

fn talk(stand: &mut Stand) {
    stand.alice.answers(EventKind::Invite, ANSWER);
    let invite = answer(stand);
    stand.peer_acknowledges(&invite);
}

#[test]
fn calls_of_the_peer() {
    holds("a new call", |stand| {
        call(stand);
    });
    holds("one that rings", |stand| {
        call(stand);
        stand.alice.progress(180, "");
    });
    holds("one with early media", |stand| {
        call(stand);
        stand.alice.progress(183, ANSWER);
    });
    holds("one that waits for PRACK", |stand| {
        stand.alice.hold(EventKind::Invite);
        let invite = stand.peer.request("INVITE").with("Supported", "100rel").sdp(OFFER);
        stand.say(invite);
        for status in [183, 180] {
            let (now, id) = (stand.alice.now(), stand.alice.incoming());
            stand
                .alice
                .agent
                .progress(now, id, status, &reliable(if status == 183 { ANSWER } else { "" }))
                .expect("sent");
        }
    });
    holds("one that waits for ACK", |stand| {
        stand.alice.answers(EventKind::Invite, ANSWER);
        answer(stand);
    });
    holds("one that was refused", |stand| {
        call(stand);
        stand.alice.reject(486);
    });
    holds("one that has just begun", talk);
}

/// A session timer costs little, none nothing.
#[test]
fn calls_with_a_session_timer() {
    let talk_for = |lines: &'static str| {
        holds(lines, move |stand| {
            stand.alice.answers(EventKind::Invite, ANSWER);
            let invite = stand.peer.request("INVITE").sdp(OFFER).with("Supported", "timer");
            let invite = if lines.is_empty() { invite } else { invite.with("Session-Expires", lines) };
            stand.say(invite.clone());
            stand.peer_acknowledges(&invite);
            stand.wire.advance(&mut [&mut stand.alice, &mut stand.peer], seconds(33));
        })
    };
    let plain = talk_for("");
    // A call stands for some time here, so their timers are far.
    for timer in ["1000000;refresher=uac", "1000000;refresher=uas"] {
        let more = talk_for(timer) - plain;
        assert!((40..=88).contains(&more), "{timer}: {more} bytes more, and 8 in every call");
    }
}

#[test]
fn calls_that_stand() {
    holds("a call", |stand| {
        talk(stand);
        stand.advance(seconds(33));
    });
    holds("one with an INFO that waits", |stand| {
        talk(stand);
        stand.alice.hold(EventKind::Info);
        let info = stand.peer.request("INFO").content("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
        stand.say(info);
    });
    holds("one with the peer's offer", |stand| {
        talk(stand);
        stand.alice.hold(EventKind::Reinvite);
        let reinvite = stand.peer.request("INVITE").sdp(HOLD);
        stand.say(reinvite);
    });
    holds("one with our offer", |stand| {
        talk(stand);
        stand.alice.reinvite(HOLD);
    });
    holds("one with a subscription of the peer's", |stand| {
        talk(stand);
        stand.alice.hold(EventKind::Refer);
        let refer =
            stand.peer.request("REFER").with("Refer-To", "<sip:carol@example.com>").with("Contact", "<sip:x@y>");
        stand.say(refer);
        let (now, id) = (stand.alice.now(), stand.alice.incoming());
        stand.alice.agent.accept(now, id, 200, &answer_sdp("")).expect("accepted");
    });
    holds("one that ends", |stand| {
        talk(stand);
        stand.alice.bye();
    });
}

#[test]
fn calls_of_ours() {
    holds("one that was sent", |stand| {
        stand.alice.invite(TO_BOB, OFFER);
    });
    holds("one that waits for a name", |stand| {
        stand.alice.hold(EventKind::Resolve);
        stand.alice.invite("sip:bob@gw.example", OFFER);
    });
    holds("one that rings", |stand| {
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 183, ANSWER);
    });
    holds("one that has just begun", |stand| {
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 200, ANSWER);
    });
    holds("one that was refused", |stand| {
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        stand.peer_replies("INVITE", 486, "");
    });
    holds("one that waits for credentials", |stand| {
        stand.alice.hold(EventKind::Challenge);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"");
        stand.say(challenge);
    });
}

#[test]
fn requests_out_of_dialogs() {
    holds("a MESSAGE of the peer's", |stand| {
        stand.alice.hold(EventKind::Message);
        let message = stand.peer.request("MESSAGE").content("text/plain", "hello");
        stand.say(message);
    });
    holds("what a rule refuses", |stand| {
        let subscribe = stand.peer.request("SUBSCRIBE");
        stand.say(subscribe);
    });
    holds("half a message", |stand| {
        let number = stand.peer.call_id.trim_start_matches("call-").parse::<u64>().expect("a number");
        let flow = Flow { link: 100 + number, ..Flow::new(Transport::Tcp, ALICE.parse().ok(), BOB.parse().ok()) };
        let now = stand.alice.now();
        let half = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n".repeat(10);
        stand.alice.agent.receive(now, &flow, half.as_bytes()).expect("received");
    });
}
