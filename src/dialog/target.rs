//! The remote target (RFC 3261 §12, RFC 6141 §4).

use crate::message::{HeaderId, Message};

/// The URI in the first Contact, when there is a good one.
pub fn contact_uri(message: &Message) -> Option<&[u8]> {
    message.name_addr(HeaderId::Contact, 0)?.ok().map(|contact| contact.uri)
}
