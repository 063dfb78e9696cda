//! The state of a dialog (RFC 3261 §12): names, sequence numbers, route set, remote target.

pub mod id;
pub mod route_set;
pub mod sequence;
pub mod target;
pub mod text;

use crate::error::{Error, Result};
use crate::message::Message;
use crate::message::uri::is_sips;
use id::{AddressText, Names};
use route_set::RouteSet;
use sequence::{LocalSequence, RemoteSequence};

/// A dialog, early or confirmed; which of the two is the session's to know.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Call-ID, tags, addresses.
    pub names: Names,
    /// Numbers of our requests.
    pub local: LocalSequence,
    /// Numbers of the peer's.
    pub remote: RemoteSequence,
    /// The hops between.
    pub route_set: RouteSet,
    /// Where the peer wants its requests.
    pub remote_target: Box<[u8]>,
    /// Sips over TLS (§12.1).
    pub secure: bool,
}

impl Dialog {
    /// The callee's side, made by sending a response with `local_tag` to `request` (§12.1.1).
    pub fn of_callee(request: &Message, local_tag: &[u8]) -> Result<Self> {
        let contact = target::contact_uri(request)
            .ok_or_else(|| Error::syntax("Contact: an INVITE carries exactly one SIP URI (RFC 3261 8.1.1.8)"))?;
        let names = Names::new(
            request.call_id(),
            local_tag,
            request.from_tag().unwrap_or_default(),
            AddressText::of_to(request)?,
            AddressText::of_from(request)?,
        );
        let sips = request.uri().is_some_and(is_sips);
        Ok(Self {
            names,
            local: LocalSequence::EMPTY,
            remote: RemoteSequence::starting_at(request.cseq_number()),
            route_set: RouteSet::of_request(request),
            remote_target: contact.into(),
            secure: sips && request.flow().is_some_and(|flow| flow.transport.is_secure()),
        })
    }

    /// The caller's side, made by receiving `response` to `request` (§12.1.2). `secure`: the request went over TLS to a
    /// sips URI. A provisional response without Contact (a tolerated deviation) leaves the Request-URI as target.
    pub fn of_caller(request: &Message, response: &Message, secure: bool) -> Result<Self> {
        let names = Names::new(
            request.call_id(),
            request.from_tag().unwrap_or_default(),
            response.to_tag().unwrap_or_default(),
            AddressText::of_from(request)?,
            AddressText::of_to(request)?,
        );
        Ok(Self {
            names,
            local: LocalSequence::starting_at(request.cseq_number()),
            remote: RemoteSequence::EMPTY,
            route_set: RouteSet::of_response(response),
            remote_target: target::contact_uri(response).or(request.uri()).unwrap_or_default().into(),
            secure,
        })
    }

    /// A 2xx confirms the caller's early dialog: the route set is computed again (§13.2.2.4), the target follows the
    /// 2xx (RFC 6141 §4.7), sequence numbers stay.
    pub fn confirm_by(&mut self, response: &Message) {
        self.route_set = RouteSet::of_response(response);
        self.refresh_target(response);
    }

    /// Moves the remote target to the Contact of `message`; without one it stays. True: it is another now.
    pub fn refresh_target(&mut self, message: &Message) -> bool {
        let contact = target::contact_uri(message).filter(|contact| **contact != *self.remote_target);
        if let Some(contact) = contact {
            self.remote_target = contact.into();
        }
        contact.is_some()
    }

    /// Call-ID + local tag + remote tag, as SIP.js names a dialog.
    pub fn id(&self) -> Vec<u8> {
        [self.names.call_id(), self.names.local_tag(), self.names.remote_tag()].concat()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.names.heap_bytes() + self.route_set.heap_bytes() + self.remote_target.len()
    }
}
