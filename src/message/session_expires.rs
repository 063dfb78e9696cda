//! Session-Expires and Min-SE (RFC 4028 §4, §5).

use super::grammar::{DIGIT, Parameters, decimal_u32, take, trim_start};
use super::{HeaderId, Message};
use crate::error::{Error, Result};

/// Who refreshes, in the words of the wire: the client or the server of the request that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answers it.
    Uas,
}

impl Refresher {
    /// As it stands in the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// A Session-Expires value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The interval.
    pub seconds: u32,
    /// `None`: not said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads a value.
    pub fn parse(value: &[u8]) -> Result<Self> {
        let bad = || Error::syntax("Session-Expires: seconds, refresher uac or uas (RFC 4028 4)");
        let (digits, rest) = take(value, DIGIT);
        let seconds = decimal_u32(digits).ok_or_else(bad)?;
        let mut refresher = None;
        for parameter in Parameters::new(trim_start(rest)) {
            let parameter = parameter.map_err(|_| bad())?;
            if parameter.is(b"refresher") {
                refresher = match parameter.value {
                    _ if refresher.is_some() => return Err(bad()),
                    Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
                    Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
                    _ => return Err(bad()),
                };
            }
        }
        Ok(Self { seconds, refresher })
    }

    /// What a request asks for. A refresher that is no word of the RFC's is as if unsaid. Errors: syntax, more than one
    /// header, or no number that fits.
    pub fn asked_by(request: &Message) -> Result<Option<Self>> {
        let mut fields = request.fields(HeaderId::SessionExpires);
        match (fields.next(), fields.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Self::leniently(value).map(Some),
            (Some(_), Some(_)) => Err(Error::syntax("Session-Expires: stands once (RFC 4028 4)")),
        }
    }

    /// What a response says: the first that can be read and is a time.
    pub fn said_by(response: &Message) -> Option<Self> {
        let mut said = response.fields(HeaderId::SessionExpires).filter_map(|value| Self::leniently(value).ok());
        said.find(|said| said.seconds > 0)
    }

    fn leniently(value: &[u8]) -> Result<Self> {
        match Self::parse(value) {
            Ok(read) => Ok(read),
            Err(_) => Ok(Self { seconds: parse_seconds(value)?, refresher: None }),
        }
    }
}

/// The least interval that a message takes; `None`: it says none that can be read.
pub fn min_se_of(message: &Message) -> Option<u32> {
    message.fields(HeaderId::MinSe).find_map(|value| parse_seconds(value).ok())
}

/// Reads a value that is seconds and parameters: Min-SE, Expires, Min-Expires, and Retry-After without its comment.
pub fn parse_seconds(value: &[u8]) -> Result<u32> {
    let bad = || Error::syntax("seconds below 2^32, then parameters (RFC 3261 25.1 delta-seconds)");
    let (digits, rest) = take(value, DIGIT);
    let seconds = decimal_u32(digits).ok_or_else(bad)?;
    let rest = trim_start(rest);
    if !matches!(rest.first(), None | Some(b';' | b'(')) {
        return Err(bad());
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_expires() {
        for (text, seconds, refresher) in [
            ("1800", 1800, None),
            ("1800;refresher=uac", 1800, Some(Refresher::Uac)),
            ("90 ; x ; Refresher = UAS", 90, Some(Refresher::Uas)),
        ] {
            assert_eq!(SessionExpires::parse(text.as_bytes()), Ok(SessionExpires { seconds, refresher }));
        }
        for bad in
            ["", "x", "1800 s", "1800;refresher", "1800;refresher=me", "1800;refresher=uac;refresher=uas", "4294967296"]
        {
            assert!(SessionExpires::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds() {
        for (text, seconds) in [("90", 90), ("5 (busy)", 5), ("5;duration=3", 5)] {
            assert_eq!(parse_seconds(text.as_bytes()), Ok(seconds));
        }
        for bad in ["", "-1", "1.5", "5 s", "99999999999"] {
            assert!(parse_seconds(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
