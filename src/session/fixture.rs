//! What the tables beside these files stand on: sessions without an agent, and a clock that the test moves.

pub mod reliably;

use crate::attachment::Attachment;
use crate::config::TimerValues;
use crate::dialog::Dialog;
use crate::error::Result;
use crate::flow::{Flow, Transport};
use crate::message::{Body, Message};
use crate::session::Session;
use crate::session::ack::Sent2xx;
use crate::session::deed::{Clock, Deed, Deeds, Refusal, Wake};
use crate::session::invite_client::HostAcks;
use crate::session::offer_answer::{Part, StoredBody};
use crate::session::reason::{Ending, Reason};
use crate::session::reliable_server::Provisional;
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

    /// A clock that shows this.
    pub fn at(now: Time) -> Self {
        Self { now, ..Self::default() }
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

/// A message of the call; `start` is its first line, `cseq` its CSeq, `lines` what it has beside, each with its line
/// end.
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
    *Session::of_callee(dialog, incoming(), &invite, Attachment::default())
}

/// The early session of a caller, whose INVITE brought this offer ("": none).
pub fn caller(offer: &str) -> Session {
    let (invite, ringing) = (request("INVITE", 1, offer), response(180, 1, "", ""));
    let dialog = Dialog::of_caller(&invite, &ringing, false, &[]).expect("a dialog");
    *Session::of_caller(dialog, outgoing(), &invite, &ringing, Attachment::default())
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
        flow: Box::leak(Box::new(Flow::new(Transport::Udp, None, None))),
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

/// The books in a line: state, offer, answer, and whether the offer is open for what may be sent.
pub fn books(session: &Session) -> String {
    let text = |body: Option<&StoredBody>| {
        body.map_or("-".into(), |body| String::from_utf8_lossy(body.content()).into_owned())
    };
    let open = if session.open_offer().is_some() { " open" } else { "" };
    format!("{:?} {}/{}{open}", session.signaling_state(), text(session.offer()), text(session.answer()))
}

/// What follows, by name and in order.
pub fn names(deeds: &[Deed]) -> String {
    let names = deeds.iter().map(|deed| format!("{deed:?}").split('(').next().unwrap_or_default().to_owned());
    names.collect::<Vec<_>>().join(" ")
}

/// The same session, over; TERMINATED is not told.
pub fn mortal(mut session: Session) -> Session {
    session.end(Ending::because(Reason::RemoteBye), &mut FakeClock::default());
    session
}

/// The same session, with TERMINATED told.
pub fn gone(session: Session) -> Session {
    let mut session = mortal(session);
    session.terminated_told();
    session
}

/// A reliable provisional response to INVITE `number` of the caller's, whose RSeq is this.
pub fn reliable(number: u32, rseq: u32, sdp: &str) -> Arc<Message> {
    response(183, number, &format!("Require: 100rel\r\nRSeq: {rseq}\r\n"), sdp)
}

/// Deeds in words, in their order, to be compared. A reason is named where there is one.
pub fn said(deeds: &Deeds) -> String {
    let because = |reason: Reason| if reason == Reason::None { String::new() } else { format!(" {reason:?}") };
    let flag = |is_so: bool, word: &str| if is_so { format!(" {word}") } else { String::new() };
    let refusal = |refusal: &Refusal| format!("{}{}", refusal.status, because(refusal.ending.reason));
    let words = deeds.iter().map(|deed| match deed {
        Deed::State => "State".to_owned(),
        Deed::Confirmed => "Confirmed".to_owned(),
        Deed::Acknowledged(_, reason) => format!("Acknowledged{}", because(*reason)),
        Deed::AckTimedOut => "AckTimedOut".to_owned(),
        Deed::Over(id) => format!("Over {}", id.raw()),
        Deed::Refuse(id, refused) => format!("Refuse {} {}", id.raw(), refusal(refused)),
        Deed::RefuseInvite(id, refused) => format!("RefuseInvite {} {}", id.raw(), refusal(refused)),
        Deed::LeaveInvite(id, void) => format!("LeaveInvite {}{}", id.raw(), flag(*void, "void")),
        Deed::Respond(id, status, _, again) => format!("Respond {} {status}{}", id.raw(), flag(*again, "again")),
        Deed::Accept(id, status, _) => format!("Accept {} {status}", id.raw()),
        Deed::Repeat(repeated) => format!("Repeat {}", String::from_utf8_lossy(&repeated.0)),
        Deed::Left(left) => format!("Left {} {}{}", left.cseq, left.rseq, flag(left.offered, "offered")),
        Deed::Acknowledge(id) => format!("Acknowledge {}", id.raw()),
        Deed::ForkEnded(id, forgotten) => format!("ForkEnded {}{}", id.raw(), flag(*forgotten, "forgotten")),
        Deed::GiveUpRetry(id) => format!("GiveUpRetry {}", id.raw()),
        Deed::Refresh => "Refresh".to_owned(),
        Deed::GoOn(id) => format!("GoOn {}", id.raw()),
        Deed::Bye(bye) => format!("Bye{}", because(bye.ending.reason)),
        Deed::Finish => "Finish".to_owned(),
        Deed::Terminated(ending, orphan) => {
            let orphan = orphan.as_ref().map_or_else(String::new, |orphan| format!(" {}", orphan.0.raw()));
            format!("Terminated{}{orphan}", because(ending.reason))
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The books in words: the state, the offer and the answer.
pub fn exchange(session: &Session) -> String {
    let text = |body: Option<&StoredBody>| {
        body.map_or_else(|| "-".to_owned(), |body| String::from_utf8_lossy(body.content()).into_owned())
    };
    format!("{:?} {}/{}", session.signaling_state(), text(session.offer()), text(session.answer()))
}

/// The section that a refusal names, or all that it says; "": none.
pub fn section<T>(result: Result<T>) -> String {
    let Err(error) = result else { return String::new() };
    let named = error.detail.rsplit_once('(').and_then(|(_, section)| section.strip_suffix(')'));
    named.unwrap_or(&error.detail).to_owned()
}

/// The peer's re-INVITE of this number, which is its id too, waits for the host.
pub fn reinvited(session: &mut Session, number: u32, offer: &str) -> IncomingId {
    let id = IncomingId::from_raw(number.into());
    session.their_reinvite_arrived(id, &request("INVITE", number, offer));
    id
}

/// A 183 with RSeq 7 to this INVITE of the peer's, with this description of ours.
pub fn respond_reliably(
    session: &mut Session,
    number: u32,
    description: Option<(Part, &str)>,
    clock: &mut impl Clock,
) -> Deeds {
    let description = description.and_then(|(part, text)| Some((part, sdp(text)?)));
    let provisional = Provisional { rseq: 7, status: 183, response: Bytes::from(&b"183"[..]), description };
    let invite = request("INVITE", number, "");
    session.queue_reliably(IncomingId::from_raw(number.into()), &invite, provisional, clock).0
}
