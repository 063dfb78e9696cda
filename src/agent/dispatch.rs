//! Who gets this message: responses by their transaction, requests by transaction, checks (RFC 3261 §8.2) and dialog.

use crate::agent::calls::acknowledge::Acknowledging;
use crate::agent::event::{Event, EventKind};
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::theirs::admit::{Admitted, Door};
use crate::agent::theirs::stateless::{TRANSACTIONS, UNKNOWN, own_tag};
use crate::agent::wire::outbox::{Direction, Sender};
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId, OutgoingId, Reason, SessionId};
use crate::config::quirk;
use crate::dialog::target;
use crate::error::Result;
use crate::flow::{Flow, Transport};
use crate::message::{HeaderId, Malformed, Message, Method};
use crate::session::explain::Why;
use crate::time::Now;
use crate::transaction::invite_server::State as InviteServerState;
use crate::transaction::table::ServerState;
use crate::transaction::{ClientId, Outcome, ServerId, Tell, TransactionId};
use std::sync::Arc;

const RESPONSE_LOST: Why = Why::new(Reason::Transport, "a response of ours could not be sent (RFC 3261 18.4)");

impl Agent {
    /// Bytes from the network: one message, or any piece of a stream. Errors: limit, for a stream only.
    pub fn receive(&mut self, now: Now, flow: &Flow, data: &[u8]) -> Result<()> {
        self.at(now);
        if flow.transport.is_stream() {
            return self.receive_stream(flow, data);
        }
        self.receive_message(flow, data);
        Ok(())
    }

    /// A datagram is dropped unread, because too many wait already.
    pub fn too_far_behind(&mut self, flow: &Flow) {
        let rule = "the agent is behind, and the message of no call";
        self.fault_on(Some(flow), None, Fault::new(Counter::Behind, "", rule), Done::Dropped);
    }

    pub(super) fn receive_message(&mut self, flow: &Flow, data: &[u8]) {
        // RFC 7118 §6 leaves the keep-alive of RFC 5626 §3.5.1 to WebSocket clients as well.
        if flow.transport.is_websocket() {
            if !self.keep_alives.is_empty() {
                self.keep_alives.hear(flow.link);
            }
            if data.starts_with(b"\r\n\r\n") {
                self.outbox.pong(flow);
            }
        }
        // RFC 5626 §4.4.1, RFC 3261 §7.5: blank lines keep a binding alive and mean nothing.
        if data.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        self.outbox.witness(Direction::In, flow, data);
        if data.len() > self.config.limits.message_bytes {
            return self.oversize(flow, data);
        }
        match self.read_message(flow, data) {
            Ok(mut message) if message.is_request() => {
                self.table.stamp(Arc::make_mut(&mut message));
                self.request_arrived(message);
            }
            Ok(message) => self.response_arrived(flow, &message),
            Err(malformed) => match self.mended_response(flow, data) {
                Some((client, response)) => self.client_response(client, &response),
                None => self.malformed(flow, &malformed),
            },
        }
    }

    /// Reads a message as far as the quirks of its addresses are tolerated.
    pub(super) fn read_message(&self, flow: &Flow, data: &[u8]) -> std::result::Result<Arc<Message>, Malformed> {
        let mut message = Message::receive(data, *flow, self.tolerates(quirk::UNQUOTED_NAME))?;
        if !self.tolerates(quirk::HASH_IN_USER) {
            Arc::make_mut(&mut message).refuse_hash_in_user();
        }
        Ok(message)
    }

    /// The quirks of addresses, in a message that is taken for the first time.
    pub(super) fn count_odd_addresses(&mut self, message: &Message) {
        if self.tolerates(quirk::HASH_IN_USER) && target::has_hash_in_user(message) {
            self.counters.count_quirk(quirk::HASH_IN_USER);
        }
        if message.has_unquoted_name() {
            self.counters.count_quirk(quirk::UNQUOTED_NAME);
        }
    }

    /// Whether a quirk is tolerated.
    pub(super) fn tolerates(&self, quirk: u32) -> bool {
        self.config.tolerance & quirk != 0
    }

    /// Beyond the limit: 513 where it is a request that can be answered (RFC 3261 §21.5.7), else dropped. Of a
    /// message in a stream the header is enough.
    pub(super) fn oversize(&mut self, flow: &Flow, data: &[u8]) {
        const RULE: &str = "the message is longer than it may be here (RFC 3261 21.5.7)";
        let read = Message::parse(data, Some(*flow));
        let read = match read {
            Err(malformed) if flow.transport.is_stream() => malformed.to_answer().ok_or(malformed),
            read => read,
        };
        match read {
            Ok(message) if message.is_request() && message.method() != Method::Ack => {
                self.fault(Fault::new(Counter::Limit, "", RULE), &message, Done::Answered(513));
                self.reply(&message, &Answer::plain(513));
            }
            read => self.fault_on(Some(flow), read.ok().as_ref(), Fault::new(Counter::Beyond, "", RULE), Done::Dropped),
        }
    }

    fn response_arrived(&mut self, flow: &Flow, response: &Arc<Message>) {
        let Some(client) = self.table.find_client(response) else {
            let rule = "the branch is that of no request of ours (RFC 3261 17.1.3)";
            return self.fault(Fault::new(Counter::Response, "Via", rule), response, Done::Dropped);
        };
        let more_vias = response.values(HeaderId::Via).nth(1).is_some();
        if self.config.ways.own && flow.transport == Transport::Udp {
            self.seen_by(flow, response);
        }
        if self.takes_broken_responses() {
            if !more_vias && !self.has_other_from(client, response) {
                return self.client_response(client, response);
            }
            if let Some((client, response)) = self.mended_response(flow, response.bytes()) {
                return self.client_response(client, &response);
            }
        } else if !more_vias {
            return self.client_response(client, response);
        }
        let fault = if more_vias {
            Fault::new(Counter::Response, "Via", "more than one Via in a response to us (RFC 3261 8.1.3.3)")
        } else {
            Fault::new(Counter::Response, "From", "another From than in our request (RFC 3261 8.2.6.2)")
        };
        self.fault(fault, response, Done::Dropped);
    }

    fn client_response(&mut self, client: ClientId, response: &Arc<Message>) {
        let (table, mut effects) = self.transactions();
        let outcome = table.client_response(&mut effects, client, response);
        if outcome.owner == 0 {
            return;
        }
        let id = OutgoingId::from_raw(outcome.owner);
        if outcome.tell == Tell::PassUp {
            self.answered(id, response);
        }
        if outcome.ended {
            self.client_ended(id, client);
        }
    }

    /// A timer or a failed send told something of a transaction.
    pub(super) fn transaction_told(&mut self, transaction: TransactionId, outcome: Outcome) {
        if outcome.owner == 0 {
            return;
        }
        match transaction {
            TransactionId::Client(client) => {
                let id = OutgoingId::from_raw(outcome.owner);
                // That of a challenged request, which has another one since (RFC 3261 §22.2).
                if self.objects.outgoing.get(id).is_some_and(|outgoing| outgoing.client() != Some(client)) {
                    return;
                }
                match outcome.tell {
                    Tell::TimedOut => self.try_failed(id, 408),
                    Tell::TransportError => self.try_failed(id, 503),
                    // What the response said stands; a challenge is still the host's to answer.
                    Tell::Nothing | Tell::PassUp | Tell::AckFailed => {}
                }
                if outcome.ended {
                    self.client_ended(id, client);
                }
            }
            TransactionId::Server(_) => {
                if outcome.tell == Tell::TimedOut || outcome.ended {
                    self.server_ended(IncomingId::from_raw(outcome.owner));
                }
            }
        }
    }

    /// Says that a message could not be sent. False: no one waits for it any more.
    pub fn transmit_failed(&mut self, now: Now, id: u64) -> bool {
        self.at(now);
        match self.outbox.sender_of(id) {
            Some(Sender::Transaction(TransactionId::Client(client))) => {
                let (table, mut effects) = self.transactions();
                let outcome = table.client_transport_error(&mut effects, client);
                self.transaction_told(TransactionId::Client(client), outcome);
                outcome.owner != 0
            }
            Some(Sender::Transaction(TransactionId::Server(server))) => {
                let incoming = self.table.server_owner(server).map(IncomingId::from_raw);
                let incoming = incoming.filter(|id| self.objects.incoming.get(*id).is_some());
                let session =
                    incoming.and_then(|id| self.objects.incoming.get(id)).and_then(|incoming| incoming.session);
                let request = incoming.and_then(|id| self.objects.incoming.get(id)?.message().ok().cloned());
                self.act(session, RESPONSE_LOST, 0, request.as_deref());
                self.tell(Event {
                    incoming,
                    session,
                    reason: Reason::Transport,
                    ..Event::new(EventKind::TransportError)
                });
                true
            }
            Some(Sender::Ack { invite, session }) => self.ack_not_sent(Acknowledging { invite, session }, id),
            Some(Sender::Session(session)) => {
                if let Some(session) = self.objects.sessions.get_mut(session) {
                    session.repeats_lost(None);
                }
                self.act(Some(session), RESPONSE_LOST, 0, None);
                self.tell(Event {
                    session: Some(session),
                    reason: Reason::Transport,
                    ..Event::new(EventKind::TransportError)
                });
                true
            }
            Some(Sender::Nobody) | None => false,
        }
    }

    pub(super) fn request_arrived(&mut self, request: Arc<Message>) {
        match request.method() {
            Method::Ack => self.ack_arrived(&request),
            method => match self.table.find_server(&request) {
                Some(server) => {
                    let (table, mut effects) = self.transactions();
                    table.server_request(&mut effects, server, &request);
                }
                None if method == Method::Cancel => self.cancel_arrived(&request),
                None => self.new_request(request),
            },
        }
    }

    /// An ACK: to a non-2xx by its transaction, to a 2xx by its dialog (RFC 6026 §7.1: whatever its branch).
    fn ack_arrived(&mut self, ack: &Arc<Message>) {
        if let Some(server) = self.table.find_server(ack) {
            let (table, mut effects) = self.transactions();
            let outcome = table.server_request(&mut effects, server, ack);
            if outcome.tell != Tell::PassUp {
                return self.ack_absorbed(server, outcome);
            }
        }
        let dialog = self.objects.dialog_of(ack);
        if self.acks_nothing(dialog, ack) {
            let fault = Fault::new(
                Counter::Ack,
                "To",
                "the ACK belongs to no final response of ours (RFC 3261 13.3.1.4, 17.1.1.3)",
            );
            self.fault(fault, ack, Done::Dropped);
        }
        if let Some(session) = dialog {
            // What is long may stay: the answer in it.
            if let Err(fault) = self.memory_for(ack) {
                return self.fault(fault.dropped(), ack, Done::Dropped);
            }
            self.input(session, |session, clock| session.ack_arrived(ack, clock));
            self.connection_noted(session);
            if self.config.connected_identity {
                self.tell_identity(session);
            }
        }
    }

    /// Whether nothing of ours was ever to be acknowledged so. A repeat is in order, and so is the ACK of a refusal that
    /// is forgotten or had no transaction (RFC 3261 §8.2.7).
    fn acks_nothing(&self, dialog: Option<SessionId>, ack: &Message) -> bool {
        match dialog {
            Some(session) => self.objects.sessions.get(session).is_some_and(|session| session.owes_no_ack(ack)),
            None => ack.to_tag().is_none_or(|tag| !tag.eq_ignore_ascii_case(&own_tag(self.objects.keys, ack))),
        }
    }

    fn ack_absorbed(&mut self, server: ServerId, outcome: Outcome) {
        let confirmed = matches!(
            self.table.server_state(server),
            None | Some(ServerState::Invite(InviteServerState::Confirmed | InviteServerState::Terminated))
        );
        if confirmed && outcome.owner != 0 {
            self.server_ended(IncomingId::from_raw(outcome.owner));
        }
    }

    /// A request that no transaction knows, neither ACK nor CANCEL.
    fn new_request(&mut self, request: Arc<Message>) {
        if self.table.room().is_err() {
            return self.refuse_for_limit(&request, TRANSACTIONS);
        }
        if let Err(fault) = self.admission_for(&request) {
            return self.refuse_for_limit(&request, fault);
        }
        if let Err(fault) = self.memory_for(&request) {
            return self.refuse_for_limit(&request, fault);
        }
        self.count_odd_addresses(&request);
        self.client_came(&request, false);
        let sips = self.config.sips;
        let door = Door { face: &self.face, table: &self.table, objects: &self.objects, sips };
        match door.admit(&request) {
            Err(refused) => match self.objects.dialog_of(&request).filter(|_| request.method() == Method::Invite) {
                Some(session) => self.refuse_reinvite(session, &request, &refused.answer(), refused.fault),
                None => self.refuse(&request, &refused.answer(), refused.fault),
            },
            Ok(Admitted::Dialog(session)) => self.in_dialog_request(session, request),
            Ok(Admitted::Outside) => self.out_of_dialog_request(request),
            Ok(Admitted::Unknown) => {
                if !self.late_prack(&request) {
                    self.refuse(&request, &Answer::plain(481), UNKNOWN);
                }
            }
        }
    }
}
