//! An agent whose host has connections of its own, and a client that comes on them, goes, and comes back on others.

use super::draft::Draft;
use super::network::{Side, Wire};
use super::pair::{ALICE, BOB};
use super::party::Party;
use super::peer::Peer;
use super::sip::Sip;
use super::{ANSWER, OFFER};
use sipdlg::agent::{Event, EventKind};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::Time;
use std::time::Duration;

/// A message as the host gets it to be sent.
#[derive(Debug)]
pub struct Out {
    pub id: u64,
    pub flow: Flow,
    pub sip: Sip,
    len: usize,
}

impl Out {
    /// Bytes of the message.
    pub fn sip_len(&self) -> usize {
        self.len
    }
}

pub struct Linked {
    pub alice: Party,
    pub peer: Peer,
    pub transport: Transport,
    /// What was sent and not taken.
    pub sent: Vec<Out>,
    micros: u64,
}

impl Linked {
    /// Alice listens on `transport`; over connections the client names nobody in its Contact.
    pub fn over(transport: Transport, config: Config) -> Self {
        let mut wire = Wire::new(1);
        let alice = Party::new("alice", ALICE, config, &mut wire, transport);
        let mut peer = Peer::new("peer", BOB, ALICE, &mut wire, transport);
        if transport != Transport::Udp {
            peer.contact = format!("sip:x@abcdefgh0123.invalid;transport={}", transport.parameter());
        }
        Self { alice, peer, transport, sent: Vec::new(), micros: 0 }
    }

    /// A connection of the client's; each comes from another port.
    pub fn connection(&self, link: u64) -> Flow {
        let mut remote: std::net::SocketAddr = BOB.parse().expect("an address");
        remote.set_port(40_000 + u16::try_from(link).expect("few links"));
        Flow { link, ..Flow::new(self.transport, ALICE.parse().ok(), Some(remote)) }
    }

    pub fn settle(&mut self) {
        loop {
            let mut more = false;
            while let Some(transmit) = self.alice.agent.poll_transmit() {
                let sip = Sip::parse(&transmit.bytes).expect("a message of the library can be read");
                self.sent.push(Out { id: transmit.id, flow: transmit.flow, sip, len: transmit.bytes.len() });
                more = true;
            }
            while let Some(event) = self.alice.agent.poll_event() {
                self.alice.hear(event);
                more = true;
            }
            if !more {
                return;
            }
        }
    }

    pub fn pass(&mut self, span: Duration) {
        let end = self.micros + u64::try_from(span.as_micros()).expect("a span that fits");
        while let Some(due) = self.alice.agent.next_timeout().map(Time::as_micros).filter(|due| *due <= end) {
            self.micros = self.micros.max(due);
            self.alice.set_now(self.micros);
            self.alice.handle_timeout();
            self.settle();
        }
        self.micros = end;
        self.alice.set_now(end);
    }

    /// A message comes by a flow.
    pub fn comes_by(&mut self, flow: &Flow, draft: &Draft) {
        let now = self.alice.now();
        self.alice.agent.receive(now, flow, draft.clone().text().as_bytes()).expect("received");
        self.settle();
    }

    /// A message comes on a connection.
    pub fn comes(&mut self, link: u64, draft: &Draft) {
        let flow = self.connection(link);
        self.comes_by(&flow, draft);
    }

    /// The host says that a link is gone.
    pub fn lose(&mut self, link: u64) -> bool {
        let now = self.alice.now();
        let known = self.alice.agent.link_closed(now, link);
        self.settle();
        known
    }

    /// The first message of this name that nobody has taken.
    #[track_caller]
    pub fn take(&mut self, short: &str) -> Out {
        let at = self.sent.iter().position(|out| out.sip.short() == short);
        let at = at.unwrap_or_else(|| panic!("no {short}, only {:?}", self.names()));
        self.sent.remove(at)
    }

    /// What nobody has taken.
    pub fn names(&self) -> Vec<String> {
        self.sent.iter().map(|out| out.sip.short()).collect()
    }

    /// The links that messages of this name went by; takes them.
    pub fn went(&mut self, short: &str) -> Vec<u64> {
        let (these, others) =
            std::mem::take(&mut self.sent).into_iter().partition(|out: &Out| out.sip.short() == short);
        self.sent = others;
        these.iter().map(|out| out.flow.link).collect()
    }

    /// The client calls on a connection, alice answers, and is acknowledged on it.
    #[track_caller]
    pub fn call(&mut self, link: u64) {
        self.alice.answers(EventKind::Invite, ANSWER);
        let invite = self.peer.request("INVITE").sdp(OFFER);
        self.comes(link, &invite);
        let ok = self.take("200 INVITE").sip;
        self.peer.learn(&ok);
        let ack = self.peer.ack(&invite, &ok);
        self.comes(link, &ack);
        self.sent.clear();
    }

    /// Another client with another dialog is next.
    pub fn another(&mut self, name: &'static str) {
        self.peer.call_id = format!("{name}-call");
        self.peer.local_tag = format!("{name}-tag");
        self.peer.remote_tag = String::new();
        self.peer.target = format!("sip:alice@{ALICE}");
    }

    /// The client answers a request of alice's.
    pub fn replies(&mut self, link: u64, request: &Sip, status: u16) {
        let reply = self.peer.reply(request, status);
        self.comes(link, &reply);
    }

    /// What the library did last by itself in the last session.
    #[track_caller]
    pub fn act(&self) -> &'static str {
        let act = self.alice.agent.session_act(self.alice.session(), 0).expect("a session");
        act.expect("an act").why().text()
    }

    pub fn events(&self, kind: EventKind) -> Vec<&Event> {
        self.alice.events.iter().filter(|event| event.kind == kind).collect()
    }
}
