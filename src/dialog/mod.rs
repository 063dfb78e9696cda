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
use std::borrow::Cow;
use target::Contact;

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
        let (route_set, Contact::At(contact)) = target::reach_of(request) else {
            return Err(Error::syntax("Contact, Record-Route: URIs that a request can be sent to (RFC 3261 12.1.1)"));
        };
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
            remote_target: contact.into(),
            route_set,
            secure: sips && request.flow().is_some_and(|flow| flow.transport.is_secure()),
        })
    }

    /// The caller's side, made by receiving `response` to `request` (§12.1.2). `secure`: the request went over TLS to a
    /// sips URI; `preloaded`: the routes that it was given. A response without Contact leaves the target of the request,
    /// one that names no way or no good one the routes too.
    pub fn of_caller(request: &Message, response: &Message, secure: bool, preloaded: &[Vec<u8>]) -> Result<Self> {
        let names = Names::new(
            request.call_id(),
            request.from_tag().unwrap_or_default(),
            response.to_tag().unwrap_or_default(),
            AddressText::of_from(request)?,
            AddressText::of_to(request)?,
        );
        let own = || RouteSet::of_own_request(request, preloaded);
        let (route_set, target) = match target::reach_of(response) {
            (routes, Contact::At(target)) => (routes, target),
            (routes, Contact::Missing) if !routes.is_empty() => (routes, Cow::Borrowed(own().1)),
            (_, Contact::Missing | Contact::Nowhere) => {
                let (routes, target) = own();
                (routes, Cow::Borrowed(target))
            }
        };
        Ok(Self {
            names,
            local: LocalSequence::starting_at(request.cseq_number()),
            remote: RemoteSequence::EMPTY,
            route_set,
            remote_target: target.into(),
            secure,
        })
    }

    /// A 2xx confirms the caller's early dialog: the route set is computed again (§13.2.2.4), the target follows the
    /// 2xx (RFC 6141 §4.7), sequence numbers stay. One that names no way leaves all as it was; false: so does one that
    /// names none that a request can go.
    #[must_use]
    pub fn confirm_by(&mut self, response: &Message) -> bool {
        let (routes, contact) = target::reach_of(response);
        match contact {
            Contact::Nowhere => return false,
            Contact::Missing if routes.is_empty() => {}
            Contact::Missing | Contact::At(_) => self.route_set = routes,
        }
        self.move_target(contact);
        true
    }

    /// Moves the remote target to the Contact of `message`; without a good one it stays. True: it is another now.
    pub fn refresh_target(&mut self, message: &Message) -> bool {
        self.move_target(self.target_in(message))
    }

    /// What a message in the dialog says of the target.
    pub fn target_in<'a>(&self, message: &'a Message) -> Contact<'a> {
        target::contact_by(message, &self.route_set)
    }

    fn move_target(&mut self, contact: Contact<'_>) -> bool {
        match contact {
            Contact::At(target) if *target != *self.remote_target => {
                self.remote_target = target.into();
                true
            }
            _ => false,
        }
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
