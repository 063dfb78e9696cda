//! The remote target and who moves it (RFC 3261 §12, RFC 6141 §4).

use crate::message::{HeaderId, Message, Method};

/// Whether a request of this method may move the peer's target (RFC 6141 §4; RFC 3311 §5.1, RFC 6665 §3, RFC 4488 §4).
pub fn refreshes_target(method: Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}

/// The URI in the first Contact, when there is a good one.
pub fn contact_uri(message: &Message) -> Option<&[u8]> {
    message.name_addr(HeaderId::Contact, 0)?.ok().map(|contact| contact.uri)
}
