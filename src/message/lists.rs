//! How long the lists of one message may be: far longer than any that is meant well, and short enough that what is made
//! of them stays small.

use super::{HeaderId, Message};

/// Header lines. RFC 3261 has no limit; every real message has far fewer.
pub const HEADER_LINES: usize = 256;
/// Values of Route and of Record-Route: Max-Forwards ends a request after 70 hops, of which few stay in the way.
pub const ROUTES: usize = 64;
/// Values of Via: one each hop.
pub const VIAS: usize = 128;
/// Parameters of one value.
pub const PARAMETERS: usize = 64;
/// Parts of one multipart body.
pub const PARTS: usize = 32;

impl Message {
    /// The list that is too long: its header, and a reason phrase; nearly always nothing is counted for that.
    pub fn too_long(&self) -> Option<(&'static str, &'static str)> {
        let (mut vias, mut routes, mut records) = (0, 0, 0);
        for field in &self.fields {
            let length = field.length as usize;
            match field.id {
                HeaderId::Via => vias += length,
                HeaderId::Route => routes += length,
                HeaderId::RecordRoute => records += length,
                HeaderId::From | HeaderId::To | HeaderId::Contact | HeaderId::ReferTo | HeaderId::ReferredBy => {}
                HeaderId::ContentType | HeaderId::ContentDisposition | HeaderId::Replaces | HeaderId::Event => {}
                _ => continue,
            }
            if length > 2 * PARAMETERS && has_many_parameters(self.value_of(field)) {
                return Some((
                    field.id.name(),
                    "Message Too Large: more than 64 parameters in one value (RFC 3261 21.5.7)",
                ));
            }
        }
        let more = |bytes: usize, header, limit: usize| bytes > limit * 4 && self.values(header).nth(limit).is_some();
        if more(vias, HeaderId::Via, VIAS) {
            return Some(("Via", "Message Too Large: more than 128 Vias (RFC 3261 21.5.7)"));
        }
        if more(routes, HeaderId::Route, ROUTES) || more(records, HeaderId::RecordRoute, ROUTES) {
            return Some(("Route", "Message Too Large: more than 64 Routes or Record-Routes (RFC 3261 21.5.7)"));
        }
        let parts = self.body_view().is_some_and(|body| body.has_too_many_parts());
        parts.then_some(("Content-Type", "Message Too Large: more than 32 parts in the body (RFC 3261 21.5.7)"))
    }
}

/// Values end at commas; whether those are in quotes does not matter here.
fn has_many_parameters(line: &[u8]) -> bool {
    line.split(|byte| *byte == b',').any(|value| memchr::memchr_iter(b';', value).count() > PARAMETERS)
}
