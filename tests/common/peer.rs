//! A peer without any rules of its own: it sends what the test writes and keeps what it gets.

use super::draft::Draft;
use super::network::{Side, Wire};
use super::sip::{Sip, uri_of};
use sipdlg::flow::Transport;
use std::collections::VecDeque;
use std::net::SocketAddr;

pub struct Peer {
    pub name: &'static str,
    pub address: SocketAddr,
    pub call_id: String,
    pub local_tag: String,
    /// Empty: no dialog yet.
    pub remote_tag: String,
    pub local_uri: String,
    pub remote_uri: String,
    /// Request-URI of what it sends.
    pub target: String,
    /// Its own Contact.
    pub contact: String,
    pub routes: Vec<String>,
    /// CSeq number of its last request.
    pub cseq: u32,
    pub inbox: VecDeque<Sip>,
    pub now: u64,
    other: SocketAddr,
    transport: Transport,
    number: usize,
    branches: u32,
    outbox: Vec<Vec<u8>>,
}

impl Peer {
    pub fn new(name: &'static str, address: &str, other: &str, wire: &mut Wire, transport: Transport) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        Self {
            name,
            address,
            call_id: format!("{name}-call"),
            local_tag: format!("{name}-tag"),
            remote_tag: String::new(),
            local_uri: format!("sip:{name}@example.com"),
            remote_uri: "sip:alice@example.com".to_owned(),
            target: format!("sip:alice@{other}"),
            contact: format!("sip:{name}@{address}"),
            routes: Vec::new(),
            cseq: 0,
            inbox: VecDeque::new(),
            now: 0,
            other: other.parse().expect("an address"),
            transport,
            number: wire.trace.party(name, address, false),
            branches: 0,
            outbox: Vec::new(),
        }
    }

    /// Puts a message on the wire at the next drain.
    pub fn send(&mut self, draft: Draft) {
        self.send_bytes(draft.text().into_bytes());
    }

    pub fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.outbox.push(bytes);
    }

    /// Hand-written text: `${branch}` (a new one), `${call_id}`, `${local_tag}`, `${remote_tag}`, `${target}`,
    /// `${contact}`, `${cseq}` (the next) and `${address}` stand for what the peer knows; lines may end with LF.
    pub fn send_text(&mut self, text: &str) {
        self.cseq += u32::from(text.contains("${cseq}"));
        let (branch, cseq, address) = (self.branch(), self.cseq.to_string(), self.address.to_string());
        let known = [
            ("${branch}", branch.as_str()),
            ("${cseq}", &cseq),
            ("${address}", &address),
            ("${call_id}", &self.call_id),
            ("${local_tag}", &self.local_tag),
            ("${remote_tag}", &self.remote_tag),
            ("${target}", &self.target),
            ("${contact}", &self.contact),
        ];
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let text = known.iter().fold(text, |text, (name, value)| text.replace(name, value));
        assert!(!text.contains("${"), "unknown variable in {text:?}");
        self.send_bytes(text.into_bytes());
    }

    pub fn branch(&mut self) -> String {
        self.branches += 1;
        format!("z9hG4bK-{}-{}", self.name, self.branches)
    }

    pub fn via(&mut self) -> String {
        let branch = self.branch();
        format!("SIP/2.0/{} {};branch={branch};rport", self.transport.via_name(), self.address)
    }

    /// The next request: in the dialog when there is one.
    pub fn request(&mut self, method: &str) -> Draft {
        self.cseq += u32::from(!matches!(method, "ACK" | "CANCEL"));
        let (via, cseq) = (self.via(), self.cseq);
        let tag = if self.remote_tag.is_empty() { String::new() } else { format!(";tag={}", self.remote_tag) };
        let mut draft = Draft::new(format!("{method} {} SIP/2.0", self.target))
            .with("Via", via)
            .with("Max-Forwards", "70")
            .with("From", format!("<{}>;tag={}", self.local_uri, self.local_tag))
            .with("To", format!("<{}>{tag}", self.remote_uri))
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{cseq} {method}"));
        for route in &self.routes {
            draft = draft.with("Route", route.clone());
        }
        if matches!(method, "INVITE" | "UPDATE") { draft.with("Contact", format!("<{}>", self.contact)) } else { draft }
    }

    /// A response with the peer's tag and Contact.
    pub fn reply(&self, request: &Sip, status: u16) -> Draft {
        self.reply_as(request, status, &self.local_tag)
    }

    /// A response with another To tag: another fork.
    pub fn reply_as(&self, request: &Sip, status: u16, tag: &str) -> Draft {
        let mut draft = Draft::new(format!("SIP/2.0 {status} Text"));
        for via in request.all("via") {
            draft = draft.with("Via", via);
        }
        for route in request.all("record-route") {
            draft = draft.with("Record-Route", route);
        }
        let to = request.value("to").to_owned();
        let tagged = request.to_tag().is_some() || status == 100;
        let to = if tagged { to } else { format!("{to};tag={tag}") };
        let draft = draft.with("From", request.value("from")).with("To", to);
        let draft = draft.with("Call-ID", request.call_id()).with("CSeq", request.value("cseq"));
        let contact = request.method() == "INVITE" && (101..300).contains(&status);
        if contact { draft.with("Contact", format!("<{}>", self.contact)) } else { draft }
    }

    /// The ACK to a final response: same branch for a rejection, its own for a 2xx.
    pub fn ack(&mut self, invite: &Draft, response: &Sip) -> Draft {
        let rejected = response.status().is_some_and(|status| status >= 300);
        let (via, cseq) = (
            if rejected { invite.get("Via").to_owned() } else { self.via() },
            invite.get("CSeq").replace("INVITE", "ACK"),
        );
        let uri =
            if rejected { invite.start.split(' ').nth(1).unwrap_or_default().to_owned() } else { self.target.clone() };
        Draft::new(format!("ACK {uri} SIP/2.0"))
            .with("Via", via)
            .with("Max-Forwards", "70")
            .with("From", invite.get("From"))
            .with("To", response.value("to"))
            .with("Call-ID", invite.get("Call-ID"))
            .with("CSeq", cseq)
    }

    /// The CANCEL of an INVITE.
    pub fn cancel(&self, invite: &Draft) -> Draft {
        let mut cancel = Draft::new(invite.start.replace("INVITE", "CANCEL"));
        for name in ["Via", "Max-Forwards", "From", "To", "Call-ID"] {
            cancel = cancel.with(name, invite.get(name));
        }
        cancel.with("CSeq", invite.get("CSeq").replace("INVITE", "CANCEL"))
    }

    /// Takes the dialog from alice's INVITE, or from her response to its own.
    pub fn learn(&mut self, message: &Sip) {
        let (own, other) = if message.is_request() { ("to", "from") } else { ("from", "to") };
        message.call_id().clone_into(&mut self.call_id);
        self.local_uri = uri_of(message.value(own));
        self.remote_uri = uri_of(message.value(other));
        let tag = if message.is_request() { message.from_tag() } else { message.to_tag() };
        self.remote_tag = tag.unwrap_or_default();
        self.target = message.contact().unwrap_or_else(|| self.target.clone());
    }

    /// The first message got that [`Sip::short`] calls so; it leaves the inbox, what came before it too.
    #[track_caller]
    pub fn take(&mut self, short: &str) -> Sip {
        let found = self.inbox.iter().position(|sip| sip.short() == short);
        let place = found.unwrap_or_else(|| panic!("{} got no {short}, only {:?}", self.name, self.got()));
        self.inbox.drain(..=place).next_back().expect("it is there")
    }

    /// What it got and no one took.
    pub fn got(&self) -> Vec<String> {
        self.inbox.iter().map(Sip::short).collect()
    }
}

impl Side for Peer {
    fn number(&self) -> usize {
        self.number
    }

    fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    fn receive(&mut self, _: SocketAddr, bytes: &[u8]) {
        self.inbox.push_back(Sip::parse(bytes).expect("a message of the library can be read"));
    }

    fn handle_timeout(&mut self) {}

    fn next_timeout(&self) -> Option<u64> {
        None
    }

    fn drain(&mut self, wire: &mut Wire) -> bool {
        let outbox = std::mem::take(&mut self.outbox);
        for bytes in &outbox {
            wire.send(self.number, self.other, bytes.as_slice().into(), self.transport.is_reliable());
        }
        !outbox.is_empty()
    }
}
