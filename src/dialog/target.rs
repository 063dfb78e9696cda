//! Where the peer says that it is reached: the remote target and the hops before it (RFC 3261 §12, RFC 6141 §4). Only a
//! URI that was read becomes one of them.

use crate::dialog::route_set::RouteSet;
use crate::flow::Transport;
use crate::message::lists::ROUTES;
use crate::message::uri::is_sips;
use crate::message::{HeaderId, Message, NameAddr, Uri, next_hop};
use std::borrow::Cow;

/// What a message says of the remote target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact<'a> {
    /// Nothing.
    Missing,
    /// This URI, without what may not stand in a target (§19.1.1, table 1).
    At(Cow<'a, [u8]>),
    /// A URI that no request can be sent to.
    Nowhere,
}

/// Where the sender of a message that makes a dialog is reached, and by which hops.
pub fn reach_of(message: &Message) -> (RouteSet, Contact<'_>) {
    let routes = RouteSet::recorded_by(message);
    let good = are_hops_good(message) && !message.leads_nowhere();
    let contact = if good { contact_by(message, &routes) } else { Contact::Nowhere };
    (routes, contact)
}

/// The first Contact, as the routes of a dialog lead there. The next hop's transport must be one that there is.
pub(super) fn contact_by<'a>(message: &'a Message, routes: &RouteSet) -> Contact<'a> {
    let Some(value) = message.values(HeaderId::Contact).next() else { return Contact::Missing };
    // Slightly broken parameters behind a good URI harm nobody.
    let Some(uri) = NameAddr::uri_of(value).and_then(|uri| sip_uri(message, uri)) else { return Contact::Nowhere };
    let known = match routes.first() {
        Some(hop) => Uri::received(hop).is_ok_and(|hop| is_transport_known(&hop)),
        None => is_transport_known(&uri),
    };
    if known { Contact::At(uri.as_target()) } else { Contact::Nowhere }
}

/// A sip or sips URI of the message.
fn sip_uri<'a>(message: &Message, text: &'a [u8]) -> Option<Uri<'a>> {
    message.read_uri(text).ok().filter(Uri::is_sip)
}

/// Whether each hop of Record-Route is one that a request can name, and there are not too many of them.
fn are_hops_good(message: &Message) -> bool {
    let good = |value| NameAddr::uri_of(value).is_some_and(|uri| sip_uri(message, uri).is_some());
    let mut hops = message.values(HeaderId::RecordRoute);
    hops.by_ref().take(ROUTES).all(good) && hops.next().is_none()
}

/// Whether a next hop asks for a transport that there is (RFC 3261 §19.1.1).
fn is_transport_known(uri: &Uri<'_>) -> bool {
    next_hop::transport(uri).is_none_or(|name| Transport::named(name, uri.is_sips()).is_some())
}

/// Whether a URI that the message brings has an unescaped `#` in its user.
pub fn has_hash_in_user(message: &Message) -> bool {
    // Nearly no message has one at all.
    if !message.has_hash() {
        return false;
    }
    let addresses = [HeaderId::Contact, HeaderId::RecordRoute].into_iter().flat_map(|header| message.values(header));
    let all =
        addresses.filter_map(NameAddr::uri_of).chain(message.uri()).chain(message.from_uri()).chain(message.to_uri());
    all.filter(|uri| uri.contains(&b'#')).any(|uri| Uri::received(uri).is_ok_and(|uri| uri.hash_in_user))
}

/// Whether the Contact of a response to `request` is a SIPS URI: by the Request-URI, the top Record-Route, or Contact
/// where nobody records a route (§12.1.1). The transport does not count (RFC 5630 §5.1.1.2).
pub fn wants_sips(request: &Message) -> bool {
    let first = |header| request.values(header).next();
    let top = || first(HeaderId::RecordRoute).or_else(|| first(HeaderId::Contact));
    request.uri().is_some_and(is_sips) || top().is_some_and(names_sips)
}

/// Whether its sender says `transport=tls` of a hop between us or of itself, and so understands it.
pub fn says_tls(request: &Message) -> bool {
    let first = |header| request.values(header).next().and_then(NameAddr::uri_of);
    let uris = [request.uri(), first(HeaderId::RecordRoute), first(HeaderId::Contact)];
    uris.into_iter().flatten().any(next_hop::says_tls)
}

fn names_sips(address: &[u8]) -> bool {
    // The usual one is told at a glance.
    !address.starts_with(b"<sip:") && NameAddr::parse(address).is_ok_and(|address| is_sips(address.uri))
}
