//! Requests of the peer that were let in: in a dialog and out of one, kept and handed to the host.

use crate::agent::event::{Event, EventKind};
use crate::agent::fault::{Counter, Fault};
use crate::agent::methods::{Inside, Outside, rules};
use crate::agent::theirs::incoming::Kind as IncomingKind;
use crate::agent::theirs::stateless::OVER;
use crate::agent::words::response::{Answer, retry_after_line};
use crate::agent::{Agent, IncomingId, SessionId};
use crate::message::{HeaderId, Message};
use crate::session::Session;
use crate::session::reason::{Ending, Reason};
use std::sync::Arc;

/// How many requests of the peer may wait for the host in one dialog.
const PENDING_REQUESTS: usize = 64;

/// One of a dialog, which a To tag names.
const STRAY: Fault = Fault::new(Counter::Unknown, "To", "no tag: the request belongs to no dialog (RFC 3261 12.2.2)");

impl Agent {
    /// A request of the peer without a To tag.
    pub(in crate::agent) fn out_of_dialog_request(&mut self, request: Arc<Message>) {
        match rules(request.method()).outside {
            Outside::Invite => self.invite_arrived(request),
            Outside::Stray => self.refuse(&request, &Answer::plain(481), STRAY),
            Outside::Refer => self.stray_refer_arrived(request),
            Outside::Notify => self.stray_notify_arrived(request),
            Outside::HandUp(event) => self.hand_up(event, None, request),
        }
    }

    /// A request that belongs to a dialog of ours.
    pub(in crate::agent) fn in_dialog_request(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.objects.holder_mut(id) else { return };
        let inside = rules(request.method()).inside;
        if inside == Inside::Options {
            if session.is_terminated() {
                return self.refuse(&request, &Answer::plain(481), OVER);
            }
            // What was heard before may be the echo of another.
            if session.is_newer(&request) {
                session.came_on(request.flow());
                self.connection_noted(id);
            }
            return self.hand_up(EventKind::Options, Some(id), request);
        }
        if !session.in_order(&request) {
            let fault = Fault::new(
                Counter::Order,
                "CSeq",
                "the number is not higher than that of the request before (RFC 3261 12.2.2)",
            );
            return match inside {
                Inside::Reinvite => self.refuse_reinvite(id, &request, &Answer::plain(500), fault),
                _ => self.refuse(&request, &Answer::plain(500), fault),
            };
        }
        match inside {
            Inside::Notify | Inside::Subscribe => {
                session.came_on(request.flow());
                self.connection_noted(id);
                return match inside {
                    Inside::Notify => self.notify_arrived(id, request),
                    _ => self.subscribe_arrived(id, request),
                };
            }
            _ if session.is_terminated() => {
                let crossing = inside == Inside::Bye && !session.is_gone();
                if !self.farewell_prack(id, &request) && !self.late_prack(&request) {
                    // RFC 5407 §3.2: crossing BYE 200, everything else 481.
                    match crossing {
                        true => self.settle(&request, &Answer::plain(200)),
                        false => self.refuse(&request, &Answer::plain(481), OVER),
                    }
                }
                return;
            }
            _ => {
                session.came_on(request.flow());
                self.connection_noted(id);
            }
        }
        if let (Inside::Reinvite | Inside::Update, Some(session)) = (&inside, self.objects.sessions.get_mut(id)) {
            session.learn_min_se_of(&request);
        }
        match inside {
            Inside::Bye => self.bye_arrived(id, request),
            Inside::Reinvite => self.reinvite_arrived(id, request),
            Inside::Prack => self.prack_arrived(id, request),
            Inside::Update => self.update_arrived(id, request),
            Inside::Info => self.info_arrived(id, request),
            Inside::Refer => self.refer_arrived(id, request),
            Inside::HandUp(event) => self.hand_up(event, Some(id), request),
            // Dealt with above.
            Inside::Options | Inside::Notify | Inside::Subscribe => {}
        }
    }

    /// A request that the host answers.
    pub(in crate::agent) fn hand_up(&mut self, kind: EventKind, session: Option<SessionId>, request: Arc<Message>) {
        self.hand_up_as(Event::new(kind), session, request, IncomingKind::Other);
    }

    /// The same of another kind; `about`: what its event says beyond the request. False: it was refused.
    pub(in crate::agent) fn hand_up_as(
        &mut self,
        about: Event,
        session: Option<SessionId>,
        request: Arc<Message>,
        kind: IncomingKind,
    ) -> bool {
        let Some(incoming) = self.take_in(&request, kind, session) else { return false };
        self.tell(Event { incoming: Some(incoming), session, message: Some(request), ..about });
        true
    }

    /// Stores a request that the host answers; where too many wait in its dialog it is answered 500.
    pub(in crate::agent) fn take_in(
        &mut self,
        request: &Arc<Message>,
        kind: IncomingKind,
        session: Option<SessionId>,
    ) -> Option<IncomingId> {
        let waiting = session.and_then(|id| self.objects.holder(id)).map_or(0, Session::pending);
        if waiting >= PENDING_REQUESTS {
            let lines = retry_after_line(&mut self.random);
            let fault = Fault::new(Counter::Limit, "", "64 requests of the dialog wait for the host (RFC 3261 21.5.1)");
            self.refuse(request, &Answer { lines: &lines, ..Answer::plain(500) }, fault);
            return None;
        }
        let incoming = self.add_incoming(request, kind, session)?;
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.waits(incoming, request.method());
        }
        Some(incoming)
    }

    /// RFC 3261 §15.1.2: the session is over; its pending requests are answered 487; the BYE itself is the host's, and
    /// told before what follows from it.
    fn bye_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(incoming) = self.add_incoming(&request, IncomingKind::Other, Some(id)) else { return };
        let ending = Ending::by(Reason::RemoteBye, &request);
        let Some(mut deeds) = self.decide(id, |session, clock| session.end(ending, clock)) else { return };
        self.tell(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Bye)
        });
        self.carry_out(id, &mut deeds);
    }

    /// RFC 6086 §4.2.2: an INFO of a package that we do not list gets 469 at once.
    fn info_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        if let Some(package) = request.header(HeaderId::InfoPackage) {
            let name = package.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let listed = self.config.info_packages.iter().flatten().any(|known| known.eq_ignore_ascii_case(name));
            if !listed {
                let lines = self.face.recv_info_of_469();
                let fault =
                    Fault::new(Counter::Content, "Info-Package", "a package that is not listed (RFC 6086 4.2.2)");
                return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(469) }, fault);
            }
        }
        self.hand_up(EventKind::Info, Some(id), request);
    }
}
