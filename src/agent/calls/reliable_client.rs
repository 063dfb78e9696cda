//! PRACK of the reliable provisional responses to our INVITEs (RFC 3262 §4).

use crate::agent::event::{Reason, flag};
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::methods::effect_of_answer;
use crate::agent::options::{Body, RequestOptions, request_flag};
use crate::agent::ours::outgoing::{Kind, Outgoing};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{HeaderId, Message, Method, RAck, write};
use crate::session::Session;
use crate::session::explain::Why;
use crate::session::offer_answer::StoredBody;
use crate::session::reliable_client::{Acknowledged, Prack, rseq_of};
use crate::session::usage::Effect;
use crate::time::Now;

const OUT_OF_ORDER: Fault =
    Fault::new(Counter::Response, "RSeq", "a response before it is missing, or too many wait for PRACK (RFC 3262 4)");
const NOT_AGAIN: Why = Why::new(
    Reason::PrackTimeout,
    "the PRACK was refused and does not go out again: the patience of the callee decides (RFC 3262 3)",
);

impl Agent {
    /// A provisional response in a dialog: the flags of its PROGRESS. `None`: it is repeated or out of order (§4).
    pub(in crate::agent) fn provisional_in_dialog(
        &mut self,
        invite: OutgoingId,
        id: SessionId,
        response: &Message,
    ) -> Option<u32> {
        let Some(rseq) = rseq_of(response) else {
            // RFC 6228 §4: a 199 shows nothing.
            if response.status() != 199 {
                self.input(id, |session, _| session.previewed(response));
            }
            return Some(0);
        };
        let outgoing = self.objects.outgoing.get(invite)?;
        let by_host = self.config.manual_prack || outgoing.flags & request_flag::MANUAL_PRACK != 0;
        // RFC 6228 §4: of a 199 the PRACK is all that is left to do in its dialog.
        let ends_fork = response.status() == 199 && outgoing.is_initial_invite();
        let manual = by_host && !outgoing.refresh && !ends_fork;
        // RFC 5407 §2: a Mortal dialog sends nothing new.
        let Some(session) = self.objects.sessions.get_mut(id).filter(|session| !session.is_terminated()) else {
            return Some(flag::RELIABLE);
        };
        let prack = session.take_reliable(invite, response, rseq, manual);
        self.connection_noted(id);
        let Some(prack) = prack else {
            if self.objects.sessions.get(id).is_some_and(|session| session.has_missed(response, rseq)) {
                self.fault(OUT_OF_ORDER, response, Done::Dropped);
            }
            return None;
        };
        self.note_state(id);
        match prack {
            Prack::ByHost => Some(flag::RELIABLE | flag::NEEDS_PRACK),
            Prack::Now(of) => {
                if self.send_prack(id, of, None, RequestOptions::default(), false).is_ok() {
                    return Some(flag::RELIABLE);
                }
                // There is no room or no way now.
                if let Some(session) = self.objects.sessions.get_mut(id) {
                    session.leave_prack_to_host(of);
                }
                Some(flag::RELIABLE | flag::NEEDS_PRACK)
            }
        }
    }

    /// PRACK of the oldest reliable response that waits for the host's.
    pub fn prack(&mut self, now: Now, id: SessionId, mut options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let body = options.body.map(Body::checked).transpose()?;
        let description = body.as_ref().and_then(StoredBody::of_local);
        let of = self.session(id)?.our_prack_guard(description.is_some())?;
        take_rack(&mut options.headers, of)?;
        self.send_prack(id, of, description, options, true)
    }

    /// Sends a PRACK; nothing is changed when it is refused.
    fn send_prack(
        &mut self,
        id: SessionId,
        of: Acknowledged,
        description: Option<StoredBody>,
        options: RequestOptions<'_>,
        by_host: bool,
    ) -> Result<OutgoingId> {
        let request = self.draft_for_session(id, (Method::Prack, b"PRACK"), Kind::Prack(of), options)?;
        let mut rack = Vec::with_capacity(32);
        write::header(&mut rack, HeaderId::RAck, &[format!("{} {} INVITE", of.rseq, of.cseq).as_bytes()]);
        if let Some(outgoing) = self.objects.outgoing.get_mut(request) {
            outgoing.silent = !by_host;
            if let Some(draft) = outgoing.draft_mut() {
                draft.tail = [&rack[..], &draft.tail].concat().into_boxed_slice();
            }
        }
        self.input(id, |session, _| session.our_prack_sent(request, description, by_host));
        self.launch(request);
        Ok(request)
    }

    /// What the final response to a request of ours, or none, means where it is a PRACK.
    pub(in crate::agent) fn prack_done(&mut self, id: OutgoingId, status: u16, response: Option<&Message>) {
        let Some(Outgoing { kind: Kind::Prack(of), session: Some(session), silent, .. }) =
            self.objects.outgoing.get(id)
        else {
            return;
        };
        let (of, session, silent) = (*of, *session, *silent);
        if silent && status >= 300 && self.session(session).is_ok() {
            self.act(Some(session), NOT_AGAIN, status, response);
        }
        // The host's that failed by itself may be sent again (RFC 6337 §2.3); what ends the usage is
        // `failure_in_dialog`'s.
        let again =
            !silent && effect_of_answer(&self.config, b"PRACK", status, response.is_none()) == Effect::Transaction;
        self.input(session, |session, _| session.our_prack_answered(id, of, response, again));
    }

    /// For stacks that count by themselves: whether a provisional response is next in order, which it then is counted
    /// as.
    pub fn reliable_sequence_guard(&mut self, id: SessionId, response: &Message) -> Result<bool> {
        let session: &mut Session = self.objects.sessions.living_mut(id)?;
        Ok(session.reliable_sequence_guard(response))
    }
}

/// RAck is the library's; the host may give it where it is right.
fn take_rack(lines: &mut Vec<&[u8]>, of: Acknowledged) -> Result<()> {
    let (mut wrong, mut seen) = (false, false);
    lines.retain(|line| match write::split_header_line(line) {
        Ok((name, value)) if name.id() == HeaderId::RAck => {
            let right = RAck::parse(value)
                .is_ok_and(|rack| (rack.rseq, rack.cseq, rack.method.text) == (of.rseq, of.cseq, &b"INVITE"[..]));
            wrong |= !right || std::mem::replace(&mut seen, true);
            false
        }
        _ => true,
    });
    if wrong {
        return Err(Error::new(
            ErrorKind::Header,
            format!("RAck: the response that waits is {} {} INVITE (RFC 3262 7.2)", of.rseq, of.cseq),
        ));
    }
    Ok(())
}
