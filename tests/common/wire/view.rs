//! What one party saw and did, in order, sorted into transactions.

use super::{Entry, Timers, Trace, Violation, What};
use crate::common::sip::Sip;
use std::collections::HashMap;
use std::net::SocketAddr;

/// A message as one party met it. Its place in the order is its index in [`View::seen`].
pub struct Seen<'a> {
    pub at: u64,
    pub out: bool,
    pub datagram: usize,
    pub sip: &'a Sip,
    pub bytes: &'a [u8],
    pub source: SocketAddr,
    pub target: SocketAddr,
    pub reliable: bool,
    pub failed: bool,
}

/// A request of ours with its repeats and responses (indexes into [`View::seen`]).
pub struct Client {
    pub sends: Vec<usize>,
    pub responses: Vec<usize>,
}

/// A request of theirs with its repeats and our responses.
#[derive(Default)]
pub struct Server {
    pub receipts: Vec<usize>,
    pub responses: Vec<usize>,
    /// ACKs of an INVITE that came, of whatever final.
    pub acks: Vec<usize>,
}

/// Everything from where one party stands.
pub struct View<'a> {
    pub trace: &'a Trace,
    pub timers: Timers,
    pub party: usize,
    pub end: u64,
    pub seen: Vec<Seen<'a>>,
    pub clients: Vec<Client>,
    pub servers: Vec<Server>,
    /// Index into `clients` or `servers` of each line in `seen`.
    pub of: Vec<Option<usize>>,
    pub acks_out: Vec<usize>,
    pub found: Vec<Violation>,
}

impl<'a> View<'a> {
    /// From what `party` sent and got among `entries`.
    pub fn new(trace: &'a Trace, party: usize, entries: &[Entry]) -> Self {
        let mut view = Self {
            trace,
            timers: trace.timers,
            party,
            end: trace.end,
            seen: Vec::new(),
            clients: Vec::new(),
            servers: Vec::new(),
            of: Vec::new(),
            acks_out: Vec::new(),
            found: Vec::new(),
        };
        for entry in entries {
            let datagram = &trace.datagrams[entry.datagram];
            let out = match entry.what {
                What::Sent if datagram.from == party => true,
                What::Delivered if datagram.to == Some(party) => false,
                _ => continue,
            };
            match &datagram.sip {
                Ok(sip) => view.seen.push(Seen {
                    at: entry.at,
                    out,
                    datagram: entry.datagram,
                    sip,
                    bytes: &datagram.bytes,
                    source: trace.parties[datagram.from].address,
                    target: datagram.target,
                    reliable: datagram.reliable,
                    failed: datagram.failed,
                }),
                Err(error) if out => view.found.push(Violation {
                    party: trace.parties[party].name.clone(),
                    rule: "parses",
                    detail: error.clone(),
                    datagram: Some(entry.datagram),
                    call_id: String::new(),
                }),
                Err(_) => {}
            }
        }
        view.sort();
        view
    }

    /// Notes a broken rule at a line.
    pub fn blame(&mut self, rule: &'static str, line: usize, detail: impl Into<String>) {
        debug_assert!(super::RULES.iter().any(|(name, _)| *name == rule), "{rule} is not listed");
        let seen = &self.seen[line];
        let party = self.trace.parties[self.party].name.clone();
        let (datagram, call_id) = (Some(seen.datagram), seen.sip.call_id().to_owned());
        self.found.push(Violation { party, rule, detail: detail.into(), datagram, call_id });
    }

    pub fn sip(&self, line: usize) -> &'a Sip {
        self.seen[line].sip
    }

    pub fn at(&self, line: usize) -> u64 {
        self.seen[line].at
    }

    /// Sorts lines into transactions (RFC 3261 §17.1.3, §17.2.3).
    fn sort(&mut self) {
        let mut clients = HashMap::<(String, String), usize>::new();
        let mut servers = HashMap::<(String, String, String), usize>::new();
        let mut acked = HashMap::<(String, Option<String>, Option<String>, u32), usize>::new();
        for line in 0..self.seen.len() {
            let (out, sip) = (self.seen[line].out, self.seen[line].sip);
            let method = sip.method().to_owned();
            let via = sip.vias().into_iter().next();
            let sent_by = via.map(|via| via.sent_by.to_ascii_lowercase()).unwrap_or_default();
            let branch = sip.branch();
            let mut of = None;
            match (out, sip.is_request()) {
                (true, true) if method == "ACK" => self.acks_out.push(line),
                (true, true) => {
                    let at = *clients.entry((branch, method)).or_insert_with(|| {
                        self.clients.push(Client { sends: Vec::new(), responses: Vec::new() });
                        self.clients.len() - 1
                    });
                    self.clients[at].sends.push(line);
                    of = Some(at);
                }
                // RFC 3261 §8.1.3.3: a response with several Vias is not for us.
                (false, false) => {
                    of = clients.get(&(branch, method)).copied().filter(|_| sip.vias().len() == 1);
                    if let Some(at) = of {
                        self.clients[at].responses.push(line);
                    }
                }
                (false, true) if method == "ACK" => {
                    let by_branch = servers.get(&(branch, sent_by, "INVITE".to_owned())).copied();
                    let rejected =
                        by_branch.filter(|at| self.final_of(*at).is_some_and(|line| self.status(line) >= 300));
                    let dialog = (sip.call_id().to_owned(), sip.from_tag(), sip.to_tag(), sip.cseq());
                    of = rejected.or_else(|| acked.get(&dialog).copied());
                    if let Some(at) = of {
                        self.servers[at].acks.push(line);
                    }
                }
                (false, true) => {
                    let key = (branch, sent_by, method);
                    let known = servers.get(&key).copied().filter(|known| !self.is_over(*known, line));
                    let at = known.unwrap_or_else(|| {
                        self.servers.push(Server::default());
                        self.servers.len() - 1
                    });
                    servers.insert(key, at);
                    self.servers[at].receipts.push(line);
                    of = Some(at);
                }
                (true, false) => {
                    of = servers.get(&(branch, sent_by, method.clone())).copied();
                    if let Some(at) = of {
                        self.servers[at].responses.push(line);
                        if method == "INVITE" && (200..300).contains(&self.status(line)) {
                            acked.insert((sip.call_id().to_owned(), sip.from_tag(), sip.to_tag(), sip.cseq()), at);
                        }
                    }
                }
            }
            self.of.push(of);
        }
    }

    /// Whether a server transaction had ended by then, so that its request is a new one: timers H, J and L
    /// (RFC 3261 §17.2, RFC 6026 §7.1).
    fn is_over(&self, server: usize, line: usize) -> bool {
        self.final_of(server).is_some_and(|last| self.at(line) > self.at(last) + self.timers.patience())
    }

    pub fn status(&self, line: usize) -> u16 {
        self.seen[line].sip.status().unwrap_or(0)
    }

    /// The first final response of a server transaction.
    pub fn final_of(&self, server: usize) -> Option<usize> {
        self.servers[server].responses.iter().copied().find(|line| self.status(*line) >= 200)
    }

    /// The first final response to a client transaction.
    pub fn final_to(&self, client: usize) -> Option<usize> {
        self.clients[client].responses.iter().copied().find(|line| self.status(*line) >= 200)
    }

    /// Whether a request is the one that failed elsewhere, now on its way to another target: the same but for its
    /// branch (RFC 3263 §4.3).
    pub fn moved_on(&self, line: usize) -> bool {
        let (seen, sip) = (&self.seen[line], self.seen[line].sip);
        let is_same = |other: &Sip| {
            (other.method(), other.uri(), other.value("cseq"), other.call_id(), other.sdp())
                == (sip.method(), sip.uri(), sip.value("cseq"), sip.call_id(), sip.sdp())
                && (other.from_tag(), other.to_tag()) == (sip.from_tag(), sip.to_tag())
                && other.branch() != sip.branch()
        };
        (0..line).any(|other| {
            let former = &self.seen[other];
            former.out
                && former.sip.is_request()
                && former.target != seen.target
                && is_same(former.sip)
                && self.is_lost(other, line)
        })
    }

    /// Whether a request had failed by then: not sent, 503, or silence; of an ACK nobody knows.
    fn is_lost(&self, line: usize, by: usize) -> bool {
        let Some(client) = self.of[line] else { return true };
        let refused = self.final_to(client).is_some_and(|last| last < by && self.status(last) == 503);
        let silent = self.clients[client].responses.is_empty()
            && self.at(by) + super::TOLERANCE >= self.at(self.clients[client].sends[0]) + self.timers.patience();
        self.seen[line].failed || refused || silent
    }

    /// Whether a line is the first of its request (not a repeat).
    pub fn is_first(&self, line: usize) -> bool {
        let (seen, Some(of)) = (&self.seen[line], self.of[line]) else { return true };
        if seen.sip.method() == "ACK" {
            return true;
        }
        let lines = if seen.out { &self.clients[of].sends } else { &self.servers[of].receipts };
        lines.first() == Some(&line)
    }
}
