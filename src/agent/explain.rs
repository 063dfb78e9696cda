//! What the library does by itself, said by one function: to the session that it is about, which a host can ask for it
//! (`session/explain`), and to the log, with the same code.

use crate::agent::fault::ACTS;
use crate::agent::objects::Found;
use crate::agent::ours::outgoing::Outgoing;
use crate::agent::wire::outbox::printable;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::config::LogLevel;
use crate::flow::Flow;
use crate::message::Message;
use crate::session::Session;
use crate::session::explain::{Act, Why};
use crate::time::Time;
use std::time::Duration;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Done {
    Answered(u16),
    Dropped,
    /// The message was taken without it.
    PassedOver,
    /// Something of ours, after this status; 0 none.
    After(u16),
}

/// What it is about.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::agent) struct About<'a> {
    pub session: Option<SessionId>,
    pub flow: Option<&'a Flow>,
    pub message: Option<&'a Message>,
    /// Which header is wrong, "" none.
    pub header: &'static str,
    /// The rule as the line has it.
    pub rule: &'static str,
}

/// So many lines of one kind may come at once, and so many a second from then on.
const LINES: u32 = 10;
const EACH: Duration = Duration::from_millis(100);
/// Bytes of a peer's text in a line.
const LONGEST: usize = 128;

/// The lines of one kind: a flood of another does not silence them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::agent) struct Ration {
    /// When the lines so far are paid for.
    paid: Time,
    left_out: u64,
}

impl Ration {
    /// Whether a line may be written now; it counts as written then.
    fn may_write(&mut self, now: Time) -> bool {
        let paid = self.paid.max(now);
        if paid.since(now) > EACH * (LINES - 1) {
            self.left_out += 1;
            return false;
        }
        self.paid = paid.plus(EACH);
        true
    }
}

impl Agent {
    /// The library does something by itself in a session, or in none, that is no fault of the peer's.
    pub(in crate::agent) fn act(&mut self, session: Option<SessionId>, why: Why, status: u16, by: Option<&Message>) {
        let about = About { session, message: by, flow: by.and_then(Message::flow), header: "", rule: why.rule };
        self.explain(&about, why, Done::After(status), ACTS);
    }

    /// The same for a request of ours. What is done for an INVITE goes with it to the sessions that it makes.
    pub(in crate::agent) fn act_for(&mut self, id: OutgoingId, why: Why, status: u16, response: Option<&Message>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let (session, initial) = (outgoing.session, outgoing.is_initial_invite());
        if let Some(invite) = outgoing.invite_mut().filter(|_| initial) {
            invite.acts.get_or_insert_default().add(Act::new(self.now.unix_us, why, status));
        }
        let own = || self.objects.outgoing.get(id).and_then(Outgoing::message);
        let request = if response.is_none() && self.outbox.log_level >= LogLevel::Info { own() } else { None };
        self.act(session, why, status, response.or(request.as_deref()));
    }

    /// The session that a message is about, where that is known by its names.
    pub(in crate::agent) fn session_of(&self, message: &Message) -> Option<SessionId> {
        if message.is_request() {
            return self.objects.dialog_of(message);
        }
        let owner = self.table.client_owner(self.table.find_client(message)?)?;
        let id = OutgoingId::from_raw(owner);
        let outgoing = self.objects.outgoing.get(id).filter(|_| owner != 0)?;
        outgoing.session.or_else(|| match self.objects.find_fork(id, message.to_tag()?) {
            Found::Session(session) => Some(session),
            Found::Ended { .. } | Found::No => None,
        })
    }

    /// The one place where an act gets its entry and its line. A flood costs no text: none is made below its level, nor
    /// beyond the lines of this moment.
    pub(in crate::agent) fn explain(&mut self, about: &About<'_>, why: Why, done: Done, kind: usize) {
        let (now, level) = (self.now, if matches!(done, Done::After(_)) { LogLevel::Info } else { LogLevel::Warn });
        if let Some(session) = about.session.and_then(|id| self.objects.sessions.get_mut(id)) {
            let status = match done {
                Done::Answered(status) | Done::After(status) => status,
                Done::Dropped | Done::PassedOver => about.message.map_or(0, Message::status),
            };
            session.did(Act::new(now.unix_us, why, status), now);
        }
        if self.outbox.log_level < level {
            return;
        }
        let Some(ration) = self.faults.rations.get_mut(kind) else { return };
        if ration.may_write(now.monotonic) {
            let left_out = std::mem::take(&mut ration.left_out);
            let session = about.session.and_then(|id| self.objects.sessions.get(id));
            let call_id = about.message.map(Message::call_id).or(session.map(Session::call_id)).unwrap_or_default();
            let line = line(about, call_id, why, done, left_out);
            self.outbox.log(level, "!!", about.flow, &line);
        }
    }
}

/// What, its Call-ID, what was done, header and rule, the code; what a peer wrote is cut and escaped, and no other text of
/// its than method and Call-ID stands there.
#[cold]
fn line(about: &About<'_>, call_id: &[u8], why: Why, done: Done, left_out: u64) -> String {
    let text = |text: &[u8]| printable(text, LONGEST);
    let what = match about.message {
        None if matches!(done, Done::After(_)) => "-".to_owned(),
        None => "bytes".to_owned(),
        Some(request) if request.is_request() => text(request.method_text()),
        Some(response) => format!("{} to {}", response.status(), text(response.method_text())),
    };
    let call_id = if call_id.is_empty() { "-".to_owned() } else { text(call_id) };
    let done = match done {
        Done::Answered(status) => format!("answered {status}"),
        Done::Dropped => "dropped".to_owned(),
        Done::PassedOver => "passed over".to_owned(),
        Done::After(0) => "done".to_owned(),
        Done::After(status) => format!("done after {status}"),
    };
    let colon = if about.header.is_empty() { "" } else { ": " };
    let left_out = if left_out == 0 { String::new() } else { format!(" | {left_out} more were left out before") };
    let (rule, code) = (about.rule, why.reason.name());
    format!("{what} | Call-ID {call_id} | {done} | {}{colon}{rule} | {code}{left_out}", about.header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten at once, then ten a second; time that passed unused saves up no more than ten.
    #[test]
    fn lines_are_rationed() {
        let mut ration = Ration::default();
        let mut lines = |at_ms: u64, asked: usize| {
            let now = Time::from_micros(at_ms * 1_000);
            (0..asked).filter(|_| ration.may_write(now)).count()
        };
        assert_eq!([lines(0, 1_000), lines(99, 10), lines(100, 10), lines(500, 10)], [10, 0, 1, 4]);
        assert_eq!([lines(60_000, 4), lines(60_001, 10), lines(60_600, 10)], [4, 6, 6]);
        assert_eq!(ration.left_out, 990 + 10 + 9 + 6 + 4 + 4);
    }
}
