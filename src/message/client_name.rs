//! How a client names itself that nobody can look up (RFC 7118 §5): by a random name, in Contact and in Via.

use super::next_hop::is_nowhere;
use super::{HeaderId, Message, NameAddr, Uri};

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// In lower case.
    host: Vec<u8>,
    /// `None`: the Via names no user.
    user: Option<Vec<u8>>,
}

impl ClientName {
    /// Of a Contact's URI.
    pub fn of_uri(uri: &[u8]) -> Option<Self> {
        // Most URIs are told at a glance.
        if !uri.windows(8).any(|piece| piece.eq_ignore_ascii_case(b".invalid")) {
            return None;
        }
        let uri = Uri::received(uri).ok().filter(|uri| is_nowhere(uri.host))?;
        Some(Self { host: uri.host.to_ascii_lowercase(), user: Some(uri.user.unwrap_or_default().to_vec()) })
    }

    /// Of a request: its Contact says most.
    pub fn of_request(request: &Message) -> Option<Self> {
        let contact = request.values(HeaderId::Contact).next().and_then(NameAddr::uri_of);
        contact.and_then(Self::of_uri).or_else(|| {
            let via = request.via(0)?.ok().filter(|via| is_nowhere(via.host))?;
            Some(Self { host: via.host.to_ascii_lowercase(), user: None })
        })
    }

    /// The name.
    pub fn host(&self) -> &[u8] {
        &self.host
    }

    /// Whether a Contact's URI may be this client's.
    pub fn may_be(&self, other: &Self) -> bool {
        self.host == other.host && (self.user.is_none() || self.user == other.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clients() {
        let name = |uri: &str| ClientName::of_uri(uri.as_bytes());
        let x = name("sip:x@abc.invalid;transport=ws").expect("a client");
        for (uri, same) in [
            ("sip:x@ABC.invalid;transport=ws;ob", Some(true)),
            ("sips:x@abc.invalid", Some(true)),
            ("sip:y@abc.invalid", Some(false)),
            ("sip:abc.invalid", Some(false)),
            ("sip:x@other.invalid", Some(false)),
            ("sip:x@abc.invalid.example", None),
            ("sip:x.invalid@192.0.2.1", None),
            ("sip:x@192.0.2.1", None),
        ] {
            assert_eq!(name(uri).map(|other| x.may_be(&other)), same, "{uri}");
        }
    }

    /// The Contact counts; without one, or with one that others can reach, the Via, which names all clients of its host.
    #[test]
    fn names_in_requests() {
        let name = |via: &str, contact: &str| {
            let text = format!(
                "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/WSS {via};branch=z9hG4bK1\r\n\
                 From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n{contact}\r\n"
            );
            ClientName::of_request(&Message::parse(text.as_bytes(), None).expect("a message"))
        };
        let (x, y) = (ClientName::of_uri(b"sip:x@abc.invalid"), ClientName::of_uri(b"sip:y@abc.invalid"));
        let (x, y) = (x.expect("a client"), y.expect("a client"));
        let by_contact =
            name("other.invalid", "Contact: \"A\" <sip:x@abc.invalid;ob>;expires=600\r\n").expect("a name");
        assert!(by_contact.may_be(&x) && !by_contact.may_be(&y));
        for contact in ["", "Contact: *\r\n", "Contact: <sip:x@example.com;gr=1>\r\n"] {
            let by_via = name("Abc.invalid", contact).expect("a name");
            assert!(by_via.may_be(&x) && by_via.may_be(&y), "{contact}");
        }
        assert_eq!(name("192.0.2.1:5060", "Contact: <sip:x@192.0.2.1>\r\n"), None);
    }
}
