//! An ACK that goes out again: for a repeat of its 2xx (RFC 3261 §13.2.2.4), or to the next target of its name (RFC 3263
//! §4.3).

use crate::agent::calls::acknowledge::Acknowledging;
use crate::agent::event::Reason;
use crate::agent::ours::failover::Next;
use crate::agent::ours::outgoing::{AckCourse, KeptAck, Outgoing, SentAck};
use crate::agent::wire::resolve::{Located, Question};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::dialog::id::is_same_tag;
use crate::dialog::sequence::LocalSequence;
use crate::flow::{Flow, Hop};
use crate::message::uri::is_sips;
use crate::message::{HeaderId, Message, header};
use crate::session::explain::Why;
use crate::session::{Resolved, Session};
use std::sync::Arc;

const NEXT_TARGET: Why = Why::new(Reason::Transport, "the ACK goes on to the next target of its name (RFC 3263 4.3)");

impl SentAck {
    /// The 2xx came again. The first time the ACK may have been lost by chance, so it goes where it went, or where the
    /// dialog's requests go since; then a name's targets take turns, for nobody reports a silent one. Whether it has
    /// moved on to another.
    fn repeats(&mut self, serves: Option<&Flow>) -> bool {
        self.repeats = self.repeats.saturating_add(1);
        let Some(resolved) = &mut self.resolved else { return false };
        self.left = resolved.others();
        match serves {
            Some(serves) if self.repeats == 1 => resolved.prefer(serves),
            _ if self.repeats > 1 => return self.left > 0 && resolved.move_on().is_some(),
            _ => {}
        }
        false
    }

    /// Its connection is gone: it goes by name.
    fn goes_by_name(&mut self, resolved: Resolved) {
        self.by_connection = false;
        self.left = resolved.others();
        self.resolved = Some(Box::new(resolved));
    }
}

impl Agent {
    /// Whether this 2xx was seen before: its ACK goes out again, or is still the host's to send.
    pub(in crate::agent) fn repeat_ack(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return true };
        let Some(invite) = outgoing.invite() else { return true };
        let tag = response.to_tag().unwrap_or_default();
        let is_it =
            |id: &SessionId| self.objects.sessions.get(*id).is_some_and(|known| is_same_tag(known.remote_tag(), tag));
        let session = invite.sessions.iter().copied().chain(outgoing.session).find(is_it);
        if !invite.acks.iter().any(|kept| is_same_tag(&kept.to_tag, tag)) {
            let known = session.and_then(|id| self.objects.sessions.get(id));
            return known.and_then(Session::owed_ack).is_some_and(|owed| owed.outgoing == id);
        }
        if let Some((id, session)) = session.and_then(|id| Some((id, self.objects.sessions.get_mut(id)?))) {
            session.came_on(response.flow());
            self.connection_noted(id);
        }
        self.ack_again(Acknowledging { invite: id, session }, tag, response);
        true
    }

    fn ack_again(&mut self, of: Acknowledging, tag: &[u8], response: &Arc<Message>) {
        match self.take_ack(of.invite, tag) {
            Some(AckCourse::Drafted(draft)) => {
                let dialog = self.dialog_of_ack(of, Some(response));
                match dialog.and_then(|dialog| self.send_drafted_ack(of, tag, &draft, &dialog, Some(response))) {
                    Ok(None) => {}
                    Ok(Some(question)) => self.ask_for_drafted_ack(of, tag, draft, question),
                    Err(_) => self.objects.keep_ack(of.invite, tag, AckCourse::Drafted(draft)),
                }
                // Nobody is there for the call, and its BYE had no way either: without one the ACK would keep it up.
                if of.session.is_none() && self.objects.outgoing.get(of.invite).is_some_and(Outgoing::is_initial_invite)
                {
                    let numbers = LocalSequence::starting_at(response.cseq_number());
                    self.bye_to_stranger(of.invite, response, numbers);
                }
            }
            Some(AckCourse::Sent(mut sent)) => {
                let known = of.session.and_then(|id| self.objects.sessions.get(id));
                if sent.repeats(known.and_then(Session::resolved).and_then(Resolved::first)) {
                    self.act(of.session, NEXT_TARGET, 0, Some(response));
                }
                self.outbox.retransmissions_sent += 1;
                match self.connection_now(of, &mut sent, response) {
                    Ok(instead) => self.send_ack_again(of, tag, sent, instead),
                    Err((next_hop, question)) => {
                        self.objects.keep_ack(of.invite, tag, AckCourse::Sent(sent));
                        self.ask_for_ack(of, tag, next_hop, question);
                    }
                }
            }
            Some(AckCourse::Never) | None => {}
        }
    }

    /// Where an ACK goes that went by the connection of its dialog, or to an address by a socket that is gone: by the
    /// connection on which the 2xx came again, else like the dialog's other requests. Error: somebody must look up a name
    /// first.
    fn connection_now(
        &self,
        of: Acknowledging,
        sent: &mut SentAck,
        response: &Message,
    ) -> std::result::Result<Option<Hop>, (Box<[u8]>, Question)> {
        let is_lost = sent.by_connection || (sent.resolved.is_none() && self.transports.is_gone(&sent.hop.flow));
        let Some(dialog) = self.dialog_of_ack(of, Some(response)).ok().filter(|_| is_lost) else { return Ok(None) };
        let destination = dialog.route_set.destination(&dialog.remote_target);
        let next_hop = &destination.next_hop;
        match self.way_of_ack(of, &dialog, Some(response), (next_hop, is_sips(&destination.request_uri))) {
            Ok((Located::At(hop), by_connection)) => {
                sent.by_connection = by_connection;
                Ok(Some(hop))
            }
            Ok((Located::Known(resolved), _)) => {
                sent.goes_by_name(resolved.clone());
                Ok(None)
            }
            Ok((Located::Ask(question), _)) => Err((next_hop.as_ref().into(), question)),
            Err(_) => Ok(None),
        }
    }

    /// The name in the way of an ACK was looked up; `None`: it has no target, and is asked for with the next repeat of
    /// the 2xx.
    pub(in crate::agent) fn ack_resolved(&mut self, of: Acknowledging, tag: &[u8], answer: Option<Resolved>) {
        if let Some(kept) = self.objects.kept_ack(of.invite, tag) {
            kept.asked = false;
        }
        let Some(resolved) = answer else { return self.ack_failed(of.session) };
        self.objects.note_resolved(of.session, &resolved);
        match self.take_ack(of.invite, tag) {
            Some(AckCourse::Drafted(draft)) => {
                if self.send_ack_by_name(of, tag, &draft, resolved).is_err() {
                    self.objects.keep_ack(of.invite, tag, AckCourse::Drafted(draft));
                    self.ack_failed(of.session);
                }
            }
            Some(AckCourse::Sent(mut sent)) => {
                sent.goes_by_name(resolved);
                self.send_ack_again(of, tag, sent, None);
            }
            // The INVITE is over; nobody repeats the 2xx either.
            Some(AckCourse::Never) | None => self.ack_failed(of.session),
        }
    }

    /// The dialog of an ACK that waited for that has a connection.
    pub(in crate::agent) fn ack_has_way(&mut self, of: Acknowledging, tag: &[u8]) {
        if let Some(kept) = self.objects.kept_ack(of.invite, tag) {
            kept.asked = false;
        }
        match self.take_ack(of.invite, tag) {
            Some(AckCourse::Drafted(draft)) => {
                let dialog = self.dialog_of_ack(of, None);
                let sent = dialog.and_then(|dialog| self.send_drafted_ack(of, tag, &draft, &dialog, None));
                if !matches!(sent, Ok(None)) {
                    self.objects.keep_ack(of.invite, tag, AckCourse::Drafted(draft));
                    self.ack_failed(of.session);
                }
            }
            Some(AckCourse::Sent(sent)) => {
                let way = of.session.and_then(|id| self.objects.sessions.get(id)).and_then(Session::way).copied();
                let instead = way.map(|flow| Hop { flow, host: sent.hop.host.clone() });
                self.send_ack_again(of, tag, sent, instead);
            }
            Some(AckCourse::Never) | None => {}
        }
    }

    /// A transmit of an ACK failed: its next target gets it, else the host hears. False: it went out again since.
    pub(in crate::agent) fn ack_not_sent(&mut self, of: Acknowledging, transmit: u64) -> bool {
        let invite = self.objects.outgoing.get(of.invite).and_then(Outgoing::invite);
        let is_it = |kept: &&KeptAck| matches!(&kept.course, AckCourse::Sent(sent) if sent.transmit == transmit);
        let failed = invite.map(|invite| invite.acks.iter().find(is_it).map(|kept| kept.to_tag.clone()));
        match failed {
            Some(None) => return false,
            Some(Some(tag)) if self.ack_moves_on(of, &tag) => return true,
            _ => {}
        }
        // A name that was looked up is looked up again after a failure.
        if let Some(session) = of.session.and_then(|id| self.objects.sessions.get_mut(id)) {
            session.set_resolved(None);
            self.ack_failed(of.session);
        }
        of.session.is_some()
    }

    /// Sends an ACK that failed at one target to the next; false: there is none.
    fn ack_moves_on(&mut self, of: Acknowledging, tag: &[u8]) -> bool {
        let Some(AckCourse::Sent(mut sent)) = self.take_ack(of.invite, tag) else { return false };
        let mut instead = None;
        let moves = if let Some(datagram) = sent.datagram.take() {
            self.takes_no_tcp(&datagram);
            instead = Some(*datagram);
            true
        } else if sent.by_connection {
            match self.ack_leaves_connection(of, &sent.hop.flow) {
                Some((_, Next::Target(hop))) => {
                    instead = Some(hop);
                    true
                }
                Some((_, Next::Name(resolved))) => {
                    sent.goes_by_name(*resolved);
                    true
                }
                Some((next_hop, Next::Ask(question))) => {
                    self.objects.keep_ack(of.invite, tag, AckCourse::Sent(sent));
                    self.ask_for_ack(of, tag, next_hop, question);
                    return true;
                }
                None => false,
            }
        } else {
            self.takes_next_target(of, &mut sent)
        };
        if moves {
            self.act(of.session, NEXT_TARGET, 0, None);
            self.send_ack_again(of, tag, sent, instead);
        } else {
            self.objects.keep_ack(of.invite, tag, AckCourse::Sent(sent));
        }
        moves
    }

    /// The next target of its name that a socket of ours reaches; false: there is none.
    fn takes_next_target(&mut self, of: Acknowledging, sent: &mut SentAck) -> bool {
        let Some(resolved) = &mut sent.resolved else { return false };
        let session = of.session.and_then(|id| self.objects.sessions.get_mut(id));
        if let (Some(session), Some(failed)) = (session, resolved.first()) {
            session.target_failed(failed);
        }
        let mut moves = false;
        while sent.left > 0 && !moves {
            sent.left -= 1;
            moves = resolved.move_on().is_some_and(|hop| self.transports.of_flow(&hop.flow).is_ok());
        }
        moves
    }

    /// What the name in the session's way offers beside its connection.
    fn ack_leaves_connection(&mut self, of: Acknowledging, failed: &Flow) -> Option<(Box<[u8]>, Next)> {
        let id = of.session?;
        let dialog = self.objects.sessions.get(id)?.dialog();
        let destination = dialog.route_set.destination(&dialog.remote_target);
        let next_hop: Box<[u8]> = destination.next_hop.as_ref().into();
        let sips = is_sips(&destination.request_uri);
        let next = match self.way_since(id, (&next_hop, sips), failed) {
            Some(hop) => Next::Target(hop),
            None => self.beside_connection(id, (&next_hop, sips), failed)?,
        };
        Some((next_hop, next))
    }

    /// Sends an ACK again, written anew where it goes elsewhere: another server, another branch. `instead`: there.
    fn send_ack_again(&mut self, of: Acknowledging, tag: &[u8], mut sent: SentAck, instead: Option<Hop>) {
        let hop = instead.or_else(|| sent.resolved.as_ref()?.hop());
        let hop = hop.and_then(|hop| Some(self.transports.of_flow(&hop.flow).ok()?.hop(hop)));
        if let Some(hop) = hop.filter(|hop| hop.flow != sent.hop.flow) {
            let branch = self.token(b"z9hG4bK", 12);
            if let Ok(local) = self.transports.of_flow(&hop.flow) {
                sent.bytes = local.with_via(&sent.bytes, &branch);
                if self.goes_elsewhere(of.invite, &hop.flow) {
                    sent.bytes = header::without(&sent.bytes, HeaderId::ProxyAuthorization).into();
                }
                sent.hop = hop;
            }
        }
        sent.transmit = self.outbox.transmit(of.sender(), &sent.bytes, &sent.hop.flow, sent.hop.host.as_ref());
        self.objects.keep_ack(of.invite, tag, AckCourse::Sent(sent));
    }

    /// Takes an ACK whose way nobody is looking up.
    fn take_ack(&mut self, invite: OutgoingId, tag: &[u8]) -> Option<AckCourse> {
        let kept = self.objects.kept_ack(invite, tag).filter(|kept| !kept.asked)?;
        Some(std::mem::replace(&mut kept.course, AckCourse::Never))
    }
}
