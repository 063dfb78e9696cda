//! The next target of a name after one that failed (RFC 3263 §4.3, RFC 3261 §8.1.3.1).

use crate::agent::ours::outgoing::{Cancelling, Outgoing, OutgoingState};
use crate::agent::ours::retry::{NOT_NOW, Turn};
use crate::agent::ours::size::BY_DATAGRAM;
use crate::agent::wire::resolve::{Located, Question};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::flow::{Flow, Hop};
use crate::message::Message;
use crate::session::Resolved;
use crate::session::explain::Why;
use crate::session::reason::{Ending, Reason};
use std::sync::Arc;

/// Where a request goes whose try failed.
pub(in crate::agent) enum Next {
    /// To the next of its targets.
    Target(Hop),
    /// Its dialog's connection failed: to these.
    Name(Box<Resolved>),
    /// The same, but nobody has looked the name up.
    Ask(Question),
}

const NEXT_TARGET: Why =
    Why::new(Reason::Transport, "the request goes on to the next target of its name (RFC 3263 4.3)");

const MOVED: Why =
    Why::new(Reason::Transport, "the request goes by the way that its dialog has since (RFC 3261 8.1.3.1)");

impl Agent {
    /// A try of a request got no answer, 408 (time-out) or 503 (transport): the next target gets it, or that is its
    /// end.
    pub(in crate::agent) fn try_failed(&mut self, id: OutgoingId, status: u16) {
        // A target that has answered provisionally is there.
        let is_there = |known: &Outgoing| status == 408 && known.state() == OutgoingState::Proceeding;
        let answered = self.objects.outgoing.get(id).is_some_and(is_there);
        if !answered && (self.tries_next(id, status, None) || status == 503 && self.waits_for_another(id)) {
            return;
        }
        self.request_failed(id, status);
    }

    /// A final response: 503 says that this target cannot do it, whatever its Retry-After (RFC 3261 §21.5.4). False: it
    /// is the final answer.
    pub(in crate::agent) fn unavailable(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        response.status() == 503 && self.tries_next(id, 503, Some(response))
    }

    fn tries_next(&mut self, id: OutgoingId, status: u16, response: Option<&Arc<Message>>) -> bool {
        let datagram = self.by_datagram_after_all(id, status, response.is_some());
        let datagram = datagram.filter(|_| self.is_wanted(id)).map(|hop| (Next::Target(hop), BY_DATAGRAM));
        let Some((next, why)) = datagram.or_else(|| self.next_target(id)) else { return false };
        match self.turn_of(id) {
            Turn::Now => {}
            // It will be sent to the next one, which serves the dialog by now.
            Turn::Later(by, session) => {
                self.forget_challenge(id);
                self.wait_for_turn(by, id, session, response);
                return true;
            }
            Turn::Never(_) if response.is_some() => return false,
            Turn::Never(_) => {
                self.request_failed(id, NOT_NOW);
                return true;
            }
        }
        self.forget_challenge(id);
        let message = response.cloned();
        self.start_anew(id, &Ending { reason: Reason::Rejected, status_code: status, message, ended_ms: 0 });
        self.act_for(id, why, status, response.map(|response| &**response));
        self.renumber(id);
        match next {
            Next::Target(hop) => self.send_request(id, hop),
            Next::Name(resolved) => self.send_to_first(id, resolved),
            Next::Ask(question) => {
                if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
                    outgoing.failed = status;
                }
                self.ask(id, question);
            }
        }
        true
    }

    /// Takes the next target of a request that failed at one. Nothing where it may not go out again.
    fn next_target(&mut self, id: OutgoingId) -> Option<(Next, Why)> {
        let outgoing = self.objects.outgoing.get(id)?;
        outgoing.draft()?;
        let session = outgoing.session;
        let wanted = self.is_wanted(id);
        if wanted && let Some(hop) = self.moved(id) {
            return Some((Next::Target(hop), MOVED));
        }
        let outgoing = self.objects.outgoing.get(id)?;
        if outgoing.by_connection {
            let next = if wanted { self.instead_of_connection(id) } else { None };
            return next.map(|next| (next, NEXT_TARGET));
        }
        if let Some(failed) = outgoing.resolved.as_ref().and_then(|resolved| resolved.first()).copied()
            && let Some(session) = session.and_then(|id| self.objects.holder_mut(id))
        {
            session.target_failed(&failed);
        }
        let outgoing = self.objects.outgoing.get_mut(id).filter(|_| wanted)?;
        outgoing.left = outgoing.left.checked_sub(1)?;
        outgoing.resolved.as_mut()?.move_on().map(|hop| (Next::Target(hop), NEXT_TARGET))
    }

    /// Whether a request may still go out.
    fn is_wanted(&self, id: OutgoingId) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id).filter(|outgoing| outgoing.draft().is_some()) else {
            return false;
        };
        let wanted = outgoing
            .invite()
            .is_none_or(|invite| matches!(invite.cancelling, Cancelling::No) && !self.objects.is_deserted(invite));
        wanted && self.objects.may_go_out(outgoing)
    }

    /// The way of its dialog is another by now, and the request goes there.
    fn moved(&mut self, id: OutgoingId) -> Option<Hop> {
        let outgoing = self.objects.outgoing.get(id).filter(|outgoing| outgoing.fixed_flow.is_none())?;
        let (failed, draft) = (outgoing.last_sent()?.hop.flow, outgoing.draft()?);
        let hop = self.way_since(outgoing.session?, (&draft.next_hop, draft.is_sips()), &failed)?;
        let by_connection = self.objects.holder(outgoing.session?)?.goes_by_connection();
        let outgoing = self.objects.outgoing.get_mut(id)?;
        (outgoing.by_connection, outgoing.resolved, outgoing.left) = (by_connection, None, 0);
        Some(hop)
    }

    /// A request of a dialog went by its connection, and that failed.
    fn instead_of_connection(&mut self, id: OutgoingId) -> Option<Next> {
        let outgoing = self.objects.outgoing.get(id)?;
        let failed = outgoing.last_sent()?.hop.flow;
        let draft = outgoing.draft()?;
        let (next_hop, sips) = (draft.next_hop.clone(), draft.is_sips());
        let next = self.beside_connection(outgoing.session?, (&next_hop, sips), &failed)?;
        self.objects.outgoing.get_mut(id)?.by_connection = false;
        Some(next)
    }

    /// Where requests of the dialog go by now, whatever their URI says, if that is another than the failed one.
    pub(in crate::agent) fn way_since(
        &self,
        holder: SessionId,
        (next_hop, sips): (&[u8], bool),
        failed: &Flow,
    ) -> Option<Hop> {
        let session = self.objects.holder(holder)?;
        let way = session.way().filter(|way| way.remote.is_some() && !is_same(way, failed))?;
        match self.locate(next_hop, sips || session.dialog().secure, Some(way), None, None).ok()? {
            Located::At(hop) => Some(hop),
            _ => None,
        }
    }

    /// What the name of the next hop offers beside the connection that the dialog's messages came on. That is left for
    /// good, where there is another way.
    pub(in crate::agent) fn beside_connection(
        &mut self,
        holder: SessionId,
        (next_hop, sips): (&[u8], bool),
        failed: &Flow,
    ) -> Option<Next> {
        let session = self.objects.holder(holder)?;
        let next = match session.resolved().filter(|known| known.serves(next_hop)) {
            Some(known) => Next::Name(Box::new(known.without(failed)?)),
            None => match self.locate(next_hop, sips || session.dialog().secure, None, session.came_by(), None).ok()? {
                Located::Ask(question) if !question.is_nowhere() => Next::Ask(question),
                // Before anything waits for another connection it is looked for where the peer says.
                Located::At(hop) if !self.config.ways.reconnect.is_zero() => Next::Target(hop),
                _ => return None,
            },
        };
        let session = self.objects.holder_mut(holder)?;
        session.connection_failed();
        session.target_failed(failed);
        self.objects.note_connection(holder);
        Some(next)
    }

    /// The same request has the same number (RFC 3263 §4.3), unless a later one of the dialog was sent since: then its
    /// own would be out of order (RFC 3261 §12.2.2).
    pub(in crate::agent) fn renumber(&mut self, id: OutgoingId) {
        let outgoing = self.objects.outgoing.get(id);
        let Some((session, number)) = outgoing.and_then(|known| Some((known.session?, known.draft()?.cseq))) else {
            return;
        };
        let last = self.objects.holder(session).and_then(|session| session.dialog().local.last());
        if last == Some(number) {
            return;
        }
        self.number_anew(id, session);
    }
}

/// Whether both are one link; of link 0 the way counts.
fn is_same(one: &Flow, other: &Flow) -> bool {
    one.link == other.link && (one.link != 0 || one.ends_with(other))
}
