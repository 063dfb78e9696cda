//! An ACK that goes out again: for a repeat of its 2xx (RFC 3261 §13.2.2.4), or to the next target of its name (RFC 3263
//! §4.3).

use crate::agent::calls::acknowledge::Acknowledging;
use crate::agent::ours::outgoing::{KeptAck, Outgoing, SentAck};
use crate::agent::wire::resolve::Located;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::dialog::id::is_same_tag;
use crate::flow::{Flow, Hop};
use crate::message::Message;
use crate::message::uri::is_sips;
use crate::session::{Resolved, Session};

impl SentAck {
    /// The 2xx came again. The first time the ACK may have been lost by chance, so it goes where it went, or where the
    /// dialog's requests go since; then a name's targets take turns, for nobody reports a silent one.
    fn repeats(&mut self, serves: Option<&Flow>) {
        self.repeats = self.repeats.saturating_add(1);
        let Some(resolved) = &mut self.resolved else { return };
        self.left = resolved.others();
        match serves {
            Some(serves) if self.repeats == 1 => resolved.prefer(serves),
            _ if self.repeats > 1 => drop(resolved.move_on()),
            _ => {}
        }
    }
}

impl Agent {
    /// Whether this 2xx was seen before: its ACK goes out again, or is still the host's to send.
    pub(in crate::agent) fn repeat_ack(&mut self, id: OutgoingId, response: &Message) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return true };
        let Some(invite) = outgoing.invite() else { return true };
        let tag = response.to_tag().unwrap_or_default();
        let is_it =
            |id: &SessionId| self.objects.sessions.get(*id).is_some_and(|known| is_same_tag(known.remote_tag(), tag));
        let session = invite.sessions.iter().copied().chain(outgoing.session).find(is_it);
        let known = session.and_then(|id| self.objects.sessions.get(id));
        let Some(at) = invite.acks.iter().position(|kept| is_same_tag(&kept.to_tag, tag)) else {
            return known.and_then(Session::owed_ack).is_some_and(|owed| owed.outgoing == id);
        };
        let serves = known.and_then(Session::resolved).and_then(Resolved::first).copied();
        let instead = known.and_then(|session| self.instead_of_lost(session, invite.acks.get(at)?.sent.as_ref()?));
        if let Some(Some(sent)) = self.kept_ack(id, at) {
            sent.repeats(serves.as_ref());
            self.outbox.retransmissions_sent += 1;
            self.send_kept_ack(Acknowledging { invite: id, session }, at, instead);
        }
        true
    }

    /// The connection that an ACK went by is gone: its repeat goes by the URI, like the dialog's other requests.
    fn instead_of_lost(&self, session: &Session, sent: &SentAck) -> Option<Hop> {
        let link = sent.hop.flow.link;
        if !sent.by_connection || session.connection().is_some_and(|connection| connection.link == link) {
            return None;
        }
        let destination = session.dialog().route_set.destination(session.remote_target());
        let secure = session.dialog().secure || is_sips(&destination.request_uri);
        match self.locate(&destination.next_hop, secure, session.way(), session.came_by(), session.resolved()).ok()? {
            Located::At(hop) => Some(hop),
            Located::Known(resolved) => resolved.hop(),
            Located::Ask(_) => None,
        }
    }

    /// A transmit of an ACK failed: its next target gets it, else the host hears. False: it went out again since.
    pub(in crate::agent) fn ack_not_sent(&mut self, of: Acknowledging, transmit: u64) -> bool {
        let invite = self.objects.outgoing.get(of.invite).and_then(Outgoing::invite);
        let is_it = |kept: &KeptAck| kept.sent.as_ref().is_some_and(|sent| sent.transmit == transmit);
        let at = invite.map(|invite| invite.acks.iter().position(is_it));
        if at == Some(None) {
            return false;
        }
        let at = at.flatten();
        if let Some(at) = at
            && self.ack_moves_on(of, at)
        {
            self.send_kept_ack(of, at, None);
            return true;
        }
        // A name that was looked up is looked up again after a failure.
        if let Some(session) = of.session.and_then(|id| self.objects.sessions.get_mut(id)) {
            session.set_resolved(None);
            self.ack_failed(of.session);
        }
        of.session.is_some()
    }

    /// Takes the next target of an ACK that failed at one; false: there is none.
    fn ack_moves_on(&mut self, of: Acknowledging, at: usize) -> bool {
        let Some(mut sent) = self.kept_ack(of.invite, at).and_then(Option::take) else { return false };
        let mut moves = false;
        if let Some(resolved) = &mut sent.resolved {
            let session = of.session.and_then(|id| self.objects.sessions.get_mut(id));
            if let (Some(session), Some(failed)) = (session, resolved.first()) {
                session.target_failed(failed);
            }
            while sent.left > 0 && !moves {
                sent.left -= 1;
                moves = resolved.move_on().is_some_and(|hop| self.transports.of_flow(&hop.flow).is_ok());
            }
        }
        self.put_back(of.invite, at, sent);
        moves
    }

    /// Sends an ACK again, written anew where it goes elsewhere: another server, another branch. `instead`: there.
    fn send_kept_ack(&mut self, of: Acknowledging, at: usize, instead: Option<Hop>) {
        let Some(mut sent) = self.kept_ack(of.invite, at).and_then(Option::take) else { return };
        let hop = instead.or_else(|| sent.resolved.as_ref()?.hop());
        let hop = hop.and_then(|hop| Some(self.transports.of_flow(&hop.flow).ok()?.hop(hop)));
        if let Some(hop) = hop.filter(|hop| hop.flow != sent.hop.flow) {
            let branch = self.token(b"z9hG4bK", 12);
            if let Ok(local) = self.transports.of_flow(&hop.flow) {
                sent.bytes = local.with_via(&sent.bytes, &branch);
                sent.hop = hop;
            }
        }
        sent.transmit = self.outbox.transmit(of.sender(), &sent.bytes, &sent.hop.flow, sent.hop.host.as_ref());
        self.put_back(of.invite, at, sent);
    }

    fn kept_ack(&mut self, id: OutgoingId, at: usize) -> Option<&mut Option<SentAck>> {
        let invite = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut)?;
        invite.acks.get_mut(at).map(|kept| &mut kept.sent)
    }

    fn put_back(&mut self, id: OutgoingId, at: usize, sent: SentAck) {
        if let Some(place) = self.kept_ack(id, at) {
            *place = Some(sent);
        }
    }
}
