//! What the tables beside these files stand on: sessions without an agent, and a clock that the test moves.
#![allow(dead_code)]

use crate::attachment::Attachment;
use crate::config::TimerValues;
use crate::dialog::Dialog;
use crate::flow::{Flow, Transport};
use crate::message::{Body, Message};
use crate::session::ack::Sent2xx;
use crate::session::deed::{Clock, Deed, Wake};
use crate::session::invite_client::HostAcks;
use crate::session::offer_answer::{Part, StoredBody};
use crate::session::prack_server::Prack;
use crate::session::reliable_server::Provisional;
use crate::session::{Session, SignalingState};
use crate::slots::{IncomingId, OutgoingId};
use crate::time::Time;
use crate::timer::{TimerId, Wheel};
use crate::transaction::Bytes;
use std::sync::Arc;

/// The INVITE of a callee's session, and that of a caller's.
pub fn incoming() -> IncomingId {
    IncomingId::from_raw(1)
}

/// The same of a caller.
pub fn outgoing() -> OutgoingId {
    OutgoingId::from_raw(1)
}

/// Time that stands still until it is told to pass.
pub struct FakeClock {
    wheel: Wheel<Wake>,
    now: Time,
    values: TimerValues,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self { wheel: Wheel::new(Time::default()), now: Time::default(), values: TimerValues::default() }
    }
}

impl FakeClock {
    /// Lets time pass to the next timer.
    #[track_caller]
    pub fn wait(&mut self) -> Wake {
        self.now = self.wheel.next().expect("a timer runs");
        self.wheel.pop_due(self.now).expect("it is due").1
    }

    /// Lets time pass, whatever is due.
    pub fn pass(&mut self, milliseconds: u64) {
        self.now = self.now.plus(std::time::Duration::from_millis(milliseconds));
    }

    /// Since the start.
    pub fn milliseconds(&self) -> u128 {
        self.now.since(Time::default()).as_millis()
    }

    /// Timers that run.
    pub fn timers(&self) -> usize {
        self.wheel.len()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Time {
        self.now
    }

    fn values(&self) -> &TimerValues {
        &self.values
    }

    fn arm(&mut self, at: Time, wake: Wake) -> TimerId {
        self.wheel.arm(at, wake)
    }

    fn stop(&mut self, timer: TimerId) {
        self.wheel.stop(timer);
    }
}

/// A description.
pub fn sdp(text: &str) -> Option<StoredBody> {
    let body = Body { content: text.as_bytes(), content_type: b"application/sdp", disposition: None };
    (!text.is_empty()).then(|| StoredBody::of_local(&body).expect("a session description"))
}

/// A message of the call; `start` is its first line, `cseq` its CSeq, `lines` what it has beside, each with its line end.
pub fn message(start: &str, cseq: &str, lines: &str, sdp: &str) -> Arc<Message> {
    let typed = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let to_tag = if start.starts_with("INVITE") && cseq.starts_with("1 ") { "" } else { ";tag=2" };
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>{to_tag}\r\n\
         Call-ID: i\r\nCSeq: {cseq}\r\n{lines}{typed}Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    Arc::new(Message::parse(text.as_bytes(), None).expect("a message"))
}

/// A request of the call's caller.
pub fn request(method: &str, number: u32, sdp: &str) -> Arc<Message> {
    let contact = if method == "INVITE" { "Contact: <sip:a@h>\r\n" } else { "" };
    message(&format!("{method} sip:c@d SIP/2.0"), &format!("{number} {method}"), contact, sdp)
}

/// A response to INVITE `number` of the caller's; `lines` beside Contact.
pub fn response(status: u16, number: u32, lines: &str, sdp: &str) -> Arc<Message> {
    let lines = format!("Contact: <sip:c@h>\r\n{lines}");
    message(&format!("SIP/2.0 {status} Whatever"), &format!("{number} INVITE"), &lines, sdp)
}

/// The session of a callee, whose INVITE brought this offer ("": none).
pub fn callee(offer: &str) -> Session {
    let invite = request("INVITE", 1, offer);
    let dialog = Dialog::of_callee(&invite, b"2").expect("a dialog");
    Session::of_callee(dialog, incoming(), &invite, Attachment::default())
}

/// The early session of a caller, whose INVITE brought this offer ("": none).
pub fn caller(offer: &str) -> Session {
    let (invite, ringing) = (request("INVITE", 1, offer), response(180, 1, "", ""));
    let dialog = Dialog::of_caller(&invite, &ringing, false).expect("a dialog");
    Session::of_caller(dialog, outgoing(), &invite, &ringing, Attachment::default())
}

/// The first 2xx of a callee, with this description ("": none).
pub fn sent_2xx(description: &str) -> Sent2xx<'static> {
    sent_2xx_to(incoming(), 1, description)
}

/// The 2xx to an INVITE of the peer's.
pub fn sent_2xx_to(incoming: IncomingId, number: u32, description: &str) -> Sent2xx<'static> {
    Sent2xx {
        incoming,
        request: Box::leak(Box::new(request("INVITE", number, ""))),
        response: Bytes::from(&b"2xx"[..]),
        flow: Flow::new(Transport::Udp, None, None),
        description: sdp(description),
    }
}

/// A callee's confirmed session with one exchange behind it.
pub fn confirmed_callee() -> Session {
    let mut clock = FakeClock::default();
    let mut session = callee("offer");
    session.accepted(sent_2xx("answer"), &mut clock);
    session.ack_arrived(&request("ACK", 1, ""), &mut clock);
    session
}

/// A caller's confirmed session with one exchange behind it.
pub fn confirmed_caller() -> Session {
    let mut session = caller("offer");
    session.confirmed_by(outgoing(), &response(200, 1, "", "answer"), HostAcks::Answers);
    session
}

/// The callee's session with a re-INVITE of the peer's under way: `incoming` 2, CSeq 2.
pub fn reinvited(offer: &str) -> Session {
    let mut session = confirmed_callee();
    session.reinvite_arrived(IncomingId::from_raw(2), &request("INVITE", 2, offer));
    session
}

/// The caller's session with a re-INVITE of ours under way: `outgoing` 2, CSeq 2.
pub fn reinviting(offer: &str) -> Session {
    let mut session = confirmed_caller();
    session.reinvite_sent(OutgoingId::from_raw(2), sdp(offer));
    session
}

/// The books: the name of their state, the offer and the answer ("": none).
pub fn books(session: &Session) -> (SignalingState, String, String) {
    let text = |body: Option<&StoredBody>| {
        body.map_or_else(String::new, |body| String::from_utf8_lossy(body.content()).into_owned())
    };
    (session.signaling_state(), text(session.offer()), text(session.answer()))
}

/// What follows from an input, in words: "Respond 183/7; State".
pub fn follows(deeds: &[Deed]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let one = |deed: &Deed| match deed {
        Deed::State => "State".to_owned(),
        Deed::Respond(_, _, response, false) => format!("Respond {}", text(response)),
        Deed::Respond(_, _, response, true) => format!("Again {}", text(response)),
        Deed::Accept(_, status, response) => format!("Accept {status} {}", text(response)),
        Deed::Refuse(_, refusal) => format!("Refuse {}", refusal.status),
        Deed::RefuseInvite(_, refusal) => format!("RefuseInvite {} {:?}", refusal.status, refusal.ending.reason),
        Deed::Left(left) => format!("Left {} {}{}", left.rseq, left.cseq, if left.offered { " offered" } else { "" }),
        other => format!("{other:?}"),
    };
    deeds.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A reliable response to the peer's INVITE with this number goes out, or is queued: 183 with `rseq` and a description.
pub fn queue(
    session: &mut Session,
    number: u32,
    rseq: u32,
    said: Option<(Part, &str)>,
    clock: &mut FakeClock,
) -> String {
    let response = Bytes::from(format!("183/{rseq}").as_bytes());
    let description = said.map(|(part, text)| (part, sdp(text).expect("a description")));
    let provisional = Provisional { rseq, status: 183, response, description };
    let incoming = IncomingId::from_raw(number.into());
    follows(&session.queue_reliably(incoming, &request("INVITE", number, ""), provisional, clock).0)
}

/// A PRACK (`incoming` 9) with this description arrives and gets its 2xx, with `answer`.
pub fn pracked(
    session: &mut Session,
    number: u32,
    prack: Prack,
    said: &str,
    answer: &str,
    clock: &mut FakeClock,
) -> String {
    let id = IncomingId::from_raw(9);
    session.prack_arrived(id, &request("PRACK", 9, said), prack, clock);
    follows(&session.prack_accepted(id, Some(&request("INVITE", number, "")), sdp(answer), clock))
}
