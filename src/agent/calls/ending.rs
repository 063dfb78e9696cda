//! Hang-up, BYE, and the INVITE of the peer's that a session leaves behind (RFC 3261 §15); what an end does to a
//! session is in
//! `session/terminate`.

use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::outgoing::Kind;
use crate::agent::theirs::stateless::Tag;
use crate::agent::words::headers::HostHeaders;
use crate::agent::words::response::{Answer, checked_status};
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::config::Policy;
use crate::error::{Error, Result};
use crate::message::status::reason_phrase;
use crate::message::{HeaderId, Message, Method, write};
use crate::session::deed::{DeferredBye, Wanted};
use crate::session::reason::{Ending, Reason};
use crate::session::reliable_server::{Provisional, TAG as RELIABLE, Wish, next_rseq, wish_of};
use crate::session::terminate::Hangup;
use crate::session::{Origin, SessionState};
use crate::time::Now;
use std::sync::Arc;

impl Agent {
    /// Ends the call, whatever its state (`session/terminate` has the table). TERMINATED always comes; a second call
    /// does nothing.
    pub fn hangup(&mut self, now: Now, id: SessionId, status: u16, options: RequestOptions<'_>) -> Result<()> {
        self.at(now);
        // Checked before anything is done, whatever will be sent.
        options.check_in_dialog()?;
        let host = HostHeaders::read(&options.headers, true)?.and_reason(options.reason)?;
        let body = options.body.map(Body::checked).transpose()?;
        if status != 0 && !(400..=699).contains(&status) {
            return Err(Error::argument("status_code: 0 or 400 to 699"));
        }
        let session = self.session(id)?;
        if !host.is_empty() || body.is_some() {
            // As in the BYE, which is the longest of what may be sent.
            self.draft_in_dialog(session.dialog(), (Method::Bye, b"BYE"), 1, &options)?;
        }
        // For the BYE, now or later.
        self.give_credentials(id, &options);
        let session = self.session(id)?;
        let ending = Ending::because(Reason::LocalHangup);
        match session.hangup(self.objects.cancels(id)) {
            Hangup::Nothing => {}
            Hangup::Bye => {
                if self.start_bye(id, options, ending.clone(), true).is_err() {
                    // What the host gave is good, so there is no room or no way: the peer will not hear of it.
                    self.end_and_finish(id, ending);
                }
            }
            Hangup::Reject => {
                let Some(invite) = session.origin().and_then(Origin::incoming) else { return Ok(()) };
                let status = checked_status(status, 603, 400..=699)?;
                let ending = Ending { status_code: status, ..ending };
                if self.objects.other_dialog(invite, id).is_some() {
                    self.end_fork(id, invite, ending, &host);
                } else {
                    let answer = Answer { status, host, body, ..Answer::default() };
                    self.refuse_request(invite, answer, None, ending)?;
                }
            }
            Hangup::ByeLater => {
                let wanted = Some(wanted_of(&options));
                self.input(id, |session, _| session.leave_with(DeferredBye { ending, wanted }));
            }
            Hangup::Cancel => {
                let Some(invite) = session.origin().and_then(|origin| origin.outgoing()) else { return Ok(()) };
                let mut lines = Vec::new();
                host.write(&mut lines, b"");
                self.cancel_with(invite, lines.into_boxed_slice(), Reason::LocalHangup)?;
            }
        }
        Ok(())
    }

    /// BYE, strictly (§15.1.1).
    pub fn bye(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.bye_guard()?;
        self.start_bye(id, options, Ending::because(Reason::LocalHangup), false)
    }

    /// Sends BYE; the session is over from now on, and says so when the BYE is done. `silent`: the host hears nothing
    /// of the request itself.
    fn start_bye(
        &mut self,
        id: SessionId,
        options: RequestOptions<'_>,
        ending: Ending,
        silent: bool,
    ) -> Result<OutgoingId> {
        let request = self.draft_for_session(id, (Method::Bye, b"BYE"), Kind::Bye, options)?;
        if let Some(outgoing) = self.objects.outgoing.get_mut(request) {
            outgoing.silent = silent;
        }
        self.watch_deserted_invite(id);
        self.end_session(id, ending);
        self.launch(request);
        Ok(request)
    }

    /// BYE by a decision of the library, of which the host hears TERMINATED only.
    pub(in crate::agent) fn leave_by_bye(&mut self, id: SessionId, ending: Ending, wanted: Option<Wanted>) {
        let options = wanted.as_ref().map(options_of).unwrap_or_default();
        // It goes out, whatever it may say of why.
        let sent = self.start_bye(id, options, ending.clone(), true);
        if sent.or_else(|_| self.start_bye(id, RequestOptions::default(), ending.clone(), true)).is_err() {
            self.end_and_finish(id, ending);
        }
    }

    /// The session ends by a decision of the library, as soon as BYE is legal.
    pub(in crate::agent) fn end_with_bye(&mut self, id: SessionId, ending: Ending) {
        self.input(id, |session, _| session.leave(ending));
    }

    /// The session is over, and so is its INVITE, unless another dialog of it lives, in which that goes on. `accepted`:
    /// its 2xx was held; the host may answer again, in its time.
    pub(in crate::agent) fn leave_invite(&mut self, id: SessionId, invite: IncomingId, accepted: bool) {
        if self.objects.is_answered(invite) {
            return;
        }
        let Some(other) = self.objects.other_dialog(invite, id) else {
            let ending =
                self.objects.sessions.get(id).and_then(|session| session.ending()).cloned().unwrap_or_default();
            let _ = self.refuse_request(invite, Answer::plain(487), None, ending);
            return;
        };
        if let Some(incoming) = self.objects.incoming.get_mut(invite).filter(|incoming| incoming.session == Some(id)) {
            incoming.session = Some(other);
        }
        if accepted {
            self.restart_answer_timer(invite);
        }
    }

    /// Forgets the session: no BYE.
    pub fn dispose_session(&mut self, now: Now, id: SessionId) -> Result<()> {
        self.at(now);
        let session = self.session(id)?;
        if session.is_terminated() {
            return Err(Error::state("the session is over"));
        }
        let ending = Ending::because(Reason::Disposed);
        let invite = session.origin().and_then(Origin::incoming);
        match invite.filter(|invite| self.objects.other_dialog(*invite, id).is_some()) {
            Some(invite) => {
                self.end_referrals(id);
                self.end_fork(id, invite, ending, &HostHeaders::default());
            }
            None => {
                self.end_session(id, ending);
                self.end_referrals(id);
                self.finish_session(id);
            }
        }
        Ok(())
    }

    /// One of several dialogs of the peer's INVITE ends, and the others go on: a caller that knows 199 is told (RFC 6228
    /// §5).
    pub(in crate::agent) fn end_fork(
        &mut self,
        id: SessionId,
        invite: IncomingId,
        ending: Ending,
        host: &HostHeaders<'_>,
    ) {
        let farewell = self.say_farewell(id, invite, &ending, host);
        self.end_session(id, ending);
        if let Some((request, farewell)) = farewell {
            self.input(id, |session, clock| session.farewell(invite, &request, farewell, clock));
        }
        self.finish_session(id);
    }

    /// The 199 goes out; a reliable one is given, to be sent by the session. None where the caller would not understand
    /// it, knows no such dialog, or has ended it.
    fn say_farewell(
        &mut self,
        id: SessionId,
        invite: IncomingId,
        ending: &Ending,
        host: &HostHeaders<'_>,
    ) -> Option<(Arc<Message>, Provisional)> {
        let session = self.objects.sessions.get(id).filter(|session| session.state() == SessionState::Early)?;
        let request = Arc::clone(self.objects.incoming.get(invite)?.message().ok()?);
        if matches!(ending.reason, Reason::RemoteBye | Reason::DialogGone) || !knows_199(&request) {
            return None;
        }
        let tag: Tag = session.local_tag().into();
        let reliable = wish_of(&request) == Wish::Required && self.face.reliable != Policy::Off;
        let former = if reliable { session.farewell_after(invite, &request)? } else { None };
        let mut lines = Vec::with_capacity(64);
        if !host.gives_reason_of(b"SIP") {
            let status = if ending.status_code < 300 { 487 } else { ending.status_code };
            let reason = format!("SIP;cause={status};text=\"{}\"", reason_phrase(status));
            write::header(&mut lines, HeaderId::Reason, &[reason.as_bytes()]);
        }
        let mut answer = Answer { status: 199, dialog: true, host: host.clone(), ..Answer::default() };
        if !reliable {
            answer.lines = &lines;
            // Where it is too long the caller is not told, which it need not be.
            let _ = self.respond_to(invite, &answer, Some(&tag));
            return None;
        }
        let rseq = next_rseq(former, None, &mut self.random).ok()?;
        write::header(&mut lines, HeaderId::Require, &[RELIABLE]);
        write::number_header(&mut lines, HeaderId::RSeq, u64::from(rseq));
        answer.lines = &lines;
        self.answer_fits(&request, &answer).ok()?;
        let response = self.write_response(&request, &answer, Some(&tag));
        Some((request, Provisional { rseq, status: 199, response, description: None }))
    }
}

/// Whether a caller knows 199 (RFC 6228 §4).
pub(in crate::agent) fn knows_199(invite: &Message) -> bool {
    invite.has_token(HeaderId::Supported, b"199")
}

/// What a BYE that waits will carry for the host.
fn wanted_of(options: &RequestOptions<'_>) -> Wanted {
    let reason = options.reason.map(|reason| [b"Reason: ", reason].concat().into_boxed_slice());
    Wanted {
        headers: options.headers.iter().map(|line| Box::from(*line)).chain(reason).collect(),
        body: options.body.map(|body| body.content.into()),
        content_type: options.body.and_then(|body| body.content_type).map(Box::from),
        disposition: options.body.and_then(|body| body.disposition).map(Box::from),
    }
}

fn options_of(wanted: &Wanted) -> RequestOptions<'_> {
    let body = wanted.body.as_deref().map(|content| Body {
        content,
        content_type: wanted.content_type.as_deref(),
        disposition: wanted.disposition.as_deref(),
    });
    RequestOptions { headers: wanted.headers.iter().map(|line| &**line).collect(), body, ..RequestOptions::default() }
}
