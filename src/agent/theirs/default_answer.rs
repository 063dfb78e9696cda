//! The default of every event: what is done when no function of the host's is found.

use crate::agent::event::{Event, EventKind, flag};
use crate::agent::methods::{Unanswered, rules};
use crate::agent::options::ResponseOptions;
use crate::agent::theirs::answer::NO_ANSWER;
use crate::agent::theirs::incoming::{Acknowledges, Kind};
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId};
use crate::error::{Error, Result};
use crate::message::{EventName, HeaderId, Method, write};
use crate::session::explain::Why;
use crate::session::reason::{Ending, Reason};
use crate::time::Now;

const ACCEPTED: Why =
    Why::new(Reason::DefaultAnswer, "nobody else answered, and nothing speaks against it (RFC 3261 8.2)");

impl Agent {
    /// Does the default of an event. Nothing happens when its request was answered meanwhile. Errors: state, it was
    /// done.
    pub fn event_default(&mut self, now: Now, event: &Event) -> Result<()> {
        self.at(now);
        if self.delivering.id == event.id && std::mem::replace(&mut self.delivering.defaulted, true) {
            return Err(Error::state("the default of this event was done already"));
        }
        match event.kind {
            EventKind::Accept => {
                let Some(session) = event.session.filter(|id| self.objects.sessions.get(*id).is_some()) else {
                    return Ok(());
                };
                // A 2xx whose ACK nobody sends: ACK, then BYE.
                let owed = self.session(session)?.owed_ack();
                if owed.is_some_and(|owed| Some(owed.outgoing) == event.outgoing && owed.answer_due) {
                    self.end_with_bye(session, Ending::because(Reason::DefaultAnswer));
                }
                Ok(())
            }
            EventKind::AckTimeout => {
                if let Some(session) = event.session {
                    self.input(session, |session, _| session.ack_never_came());
                }
                Ok(())
            }
            EventKind::Challenge => {
                if let Some(outgoing) = event.outgoing {
                    self.challenge_given_up(outgoing);
                }
                Ok(())
            }
            EventKind::GlareRetry => {
                if let Some(outgoing) =
                    event.outgoing.filter(|id| event.flags & flag::NEEDS_BODY != 0 && self.needs_body(*id))
                {
                    self.retry_given_up(outgoing);
                }
                Ok(())
            }
            EventKind::Resolve => {
                if self.query_answered(event.query, &[]) {
                    Ok(())
                } else {
                    Err(Error::state("RESOLVE was answered"))
                }
            }
            _ => {
                if let Some(id) =
                    event.incoming.filter(|_| !matches!(event.kind, EventKind::Cancel | EventKind::TransportError))
                {
                    if event.kind == EventKind::Reinvite && self.accept_repeat(id) {
                        self.accepted_by_default(id);
                    } else {
                        self.default_answer(id);
                    }
                }
                Ok(())
            }
        }
    }

    /// A default that accepts, told where a host may wonder about it: not of what is part of any call, or asks whether
    /// we are here.
    fn accepted_by_default(&mut self, id: IncomingId) {
        let Some(incoming) = self.objects.incoming.get(id) else { return };
        if matches!(incoming.method, Method::Bye | Method::Prack | Method::Options) {
            return;
        }
        let (session, request) = (incoming.session, incoming.message().ok().cloned());
        self.act(session, ACCEPTED, 200, request.as_deref());
    }

    /// The default answer to a request of the peer that waits; nothing when it is answered.
    pub(in crate::agent) fn default_answer(&mut self, id: IncomingId) {
        if self.objects.is_answered(id) || self.objects.has_accepted(id) {
            return;
        }
        if self.accept_executed(id) {
            return;
        }
        let Some(incoming) = self.objects.incoming.get(id) else { return };
        let Ok(request) = incoming.message() else { return };
        let offers = incoming
            .session
            .and_then(|id| self.objects.sessions.get(id))
            .is_some_and(|session| session.is_offering(id));
        let updates = self.objects.is_offered_by_update(id);
        let mut lines = Vec::new();
        let mut answer = match rules(incoming.method).unanswered {
            Unanswered::Plain(status) => Answer::plain(status),
            Unanswered::Prack => match incoming.kind {
                Kind::Prack(Acknowledges::Nothing) => Answer::plain(481),
                _ if offers => {
                    write::header(&mut lines, HeaderId::Warning, &[b"399 sipdlg \"no further offer is wanted\""]);
                    Answer::plain(488)
                }
                _ => Answer::plain(200),
            },
            Unanswered::Invite if matches!(incoming.kind, Kind::Invite(_)) => Answer::plain(486),
            Unanswered::Update if !updates => {
                // Nothing is asked for that a host could refuse (RFC 3311 §5.2).
                let now = self.now;
                self.accepted_by_default(id);
                let result = self.accept(now, id, 200, &ResponseOptions::default());
                debug_assert!(result.is_ok(), "{result:?}");
                return;
            }
            Unanswered::Invite | Unanswered::Update => {
                // §21.4.26: 488 says in Warning what is wrong.
                write::header(&mut lines, HeaderId::Warning, &[b"399 sipdlg \"no session change is wanted\""]);
                Answer::plain(488)
            }
            // RFC 6086 §4.2.2: nothing is asked for, so it is in order. It keeps calls alive.
            Unanswered::Info if request.body().is_empty() && request.header(HeaderId::InfoPackage).is_none() => {
                Answer::plain(200)
            }
            Unanswered::Info => {
                lines = self.face.recv_info_of_469();
                Answer::plain(469)
            }
            Unanswered::Options => {
                // §11.2: out of a dialog it gets what an INVITE would get.
                let status = if incoming.session.is_some() || self.takes_calls { 200 } else { 486 };
                Answer { abilities: true, accept: true, ..Answer::plain(status) }
            }
            Unanswered::Notify => match incoming.kind {
                Kind::Notify { default: status } if status != 489 => Answer::plain(status),
                _ => self.face.bad_event(&mut lines),
            },
            Unanswered::Subscribe if EventName::of(request).is_some_and(|event| event.is_refer()) => Answer::plain(403),
            Unanswered::Subscribe => self.face.bad_event(&mut lines),
            Unanswered::NotAllowed => Answer { abilities: true, ..Answer::plain(405) },
        };
        answer.lines = &lines;
        let acknowledged = incoming.session.filter(|_| matches!(incoming.kind, Kind::Prack(Acknowledges::Response)));
        let result = if answer.status < 300 {
            self.accepted_by_default(id);
            let result = self.finish(id, answer, None);
            if let Some(session) = acknowledged {
                self.prack_answered(session, id, None);
            }
            result
        } else {
            let ending = Ending { status_code: answer.status, ..Ending::because(Reason::DefaultAnswer) };
            self.unanswered(id, answer.status, NO_ANSWER);
            self.refuse_request(id, answer, None, ending)
        };
        // The request is unanswered, so its transaction takes the answer.
        debug_assert!(result.is_ok(), "{result:?}");
    }
}
