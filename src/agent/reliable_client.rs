//! PRACK of the reliable provisional responses to our INVITEs (RFC 3262 §4).

use crate::agent::event::flag;
use crate::agent::options::{Body, RequestOptions, request_flag};
use crate::agent::outgoing::{Kind, Outgoing, PrackClient};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{HeaderId, Message, Method, RAck, write};
use crate::session::Session;
use crate::session::offer_answer::StoredBody;
use crate::session::reliable_client::{Acknowledged, Carried, Prack, rseq_of};
use crate::session::usage::Effect;
use crate::time::Now;

impl Agent {
    /// A provisional response in a dialog: the flags of its PROGRESS. `None`: it is repeated or out of order (§4).
    pub(super) fn provisional_in_dialog(
        &mut self,
        invite: OutgoingId,
        id: SessionId,
        response: &Message,
    ) -> Option<u32> {
        let Some(rseq) = rseq_of(response) else {
            self.note_preview(id, response);
            return Some(0);
        };
        let outgoing = self.outgoing.get(invite)?;
        let manual = self.config.manual_prack || outgoing.flags & request_flag::MANUAL_PRACK != 0;
        let offered = outgoing.invite().is_some_and(|invite| invite.offered);
        // RFC 5407 §2: a Mortal dialog sends nothing new.
        let Some(session) = self.sessions.get_mut(id).filter(|session| !session.is_terminated()) else {
            return Some(flag::RELIABLE);
        };
        let prack = session.take_reliable(response, rseq, offered, manual)?;
        self.note_state(id);
        match prack {
            Prack::ByHost => Some(flag::RELIABLE | flag::NEEDS_PRACK),
            Prack::Now(of) => {
                let options = RequestOptions::default();
                if self.send_prack(id, of, Carried::Nothing, None, options, false).is_ok() {
                    return Some(flag::RELIABLE);
                }
                // There is no room or no way now.
                if let Some(session) = self.sessions.get_mut(id) {
                    session.leave_prack_to_host(of);
                }
                Some(flag::RELIABLE | flag::NEEDS_PRACK)
            }
        }
    }

    /// PRACK of the oldest reliable response that waits for the host's.
    pub fn prack(&mut self, now: Now, id: SessionId, mut options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let session = self.session(id)?;
        let waiting = session.oldest_unacknowledged().filter(|_| !session.is_terminated());
        let waiting = waiting.ok_or_else(|| Error::state("no reliable response waits for a PRACK (RFC 3262 4)"))?;
        let body = options.body.map(Body::checked).transpose()?;
        let description = body.as_ref().and_then(StoredBody::of_local);
        let carried = session.prack_guard(&waiting, description.is_some())?;
        take_rack(&mut options.headers, waiting.of)?;
        self.send_prack(id, waiting.of, carried, description, options, true)
    }

    /// Sends a PRACK; nothing is changed when it is refused.
    fn send_prack(
        &mut self,
        id: SessionId,
        of: Acknowledged,
        carried: Carried,
        description: Option<StoredBody>,
        options: RequestOptions<'_>,
        by_host: bool,
    ) -> Result<OutgoingId> {
        let kind = Kind::Prack(Box::new(PrackClient { of, carried: carried.clone() }));
        let request = self.draft_for_session(id, (Method::Prack, b"PRACK"), kind, options)?;
        let mut rack = Vec::with_capacity(32);
        write::header(&mut rack, HeaderId::RAck, &[format!("{} {} INVITE", of.rseq, of.cseq).as_bytes()]);
        if let Some(outgoing) = self.outgoing.get_mut(request) {
            outgoing.silent = !by_host;
            if let Some(draft) = &mut outgoing.draft {
                draft.tail = [&rack[..], &draft.tail].concat().into_boxed_slice();
            }
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.pracked(request, &carried, description, by_host);
        }
        self.note_state(id);
        self.launch(request);
        Ok(request)
    }

    /// What the final response to a request of ours, or none, means where it is a PRACK.
    pub(super) fn prack_done(&mut self, id: OutgoingId, status: u16, response: Option<&Message>) {
        let Some(Outgoing { kind: Kind::Prack(prack), session: Some(session_id), silent, .. }) = self.outgoing.get(id)
        else {
            return;
        };
        let (prack, session_id) = (prack.clone(), *session_id);
        // The host's that failed by itself may be sent again (RFC 6337 §2.3); what ends the usage is `failure_in_dialog`'s.
        let again = !silent && self.effect_of_answer(b"PRACK", status, response.is_none()) == Effect::Transaction;
        if let Some(session) = self.sessions.get_mut(session_id).filter(|session| !session.is_terminated()) {
            session.prack_answered(id, prack.of, &prack.carried, response, again);
        }
        self.note_state(session_id);
    }

    /// For stacks that count by themselves: whether a provisional response is next in order, which it then is counted as.
    pub fn reliable_sequence_guard(&mut self, id: SessionId, response: &Message) -> Result<bool> {
        let session: &mut Session = self.session_mut(id)?;
        Ok(session.reliable_sequence_guard(response))
    }
}

/// RAck is the library's; the host may give it where it is right.
fn take_rack(lines: &mut Vec<&[u8]>, of: Acknowledged) -> Result<()> {
    let mut wrong = false;
    lines.retain(|line| match write::split_header_line(line) {
        Ok((name, value)) if name.id() == HeaderId::RAck => {
            let right = RAck::parse(value)
                .is_ok_and(|rack| (rack.rseq, rack.cseq, rack.method.text) == (of.rseq, of.cseq, &b"INVITE"[..]));
            wrong |= !right;
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
