//! Event, Subscription-State (RFC 6665 §8) and message/sipfrag (RFC 3420), as far as a REFER needs them (RFC 3515).

use super::grammar::{self, Parameter, Parameters, decimal_u32, is_token, trim};
use super::{HeaderId, Message, write};

/// An Event value: a package and which of its subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName<'a> {
    /// The package, to be compared byte by byte (RFC 6665 §8.2.1).
    pub package: &'a [u8],
    /// The id, likewise.
    pub id: Option<&'a [u8]>,
}

impl<'a> EventName<'a> {
    /// Reads a value; `None` when it is none.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (package, parameters) = head_and_parameters(value)?;
        let id = Parameters::new(parameters).find(b"id").and_then(|parameter| parameter.value);
        Some(Self { package, id })
    }

    /// Of a message that has exactly one.
    pub fn of(message: &'a Message) -> Option<Self> {
        let mut fields = message.fields(HeaderId::Event);
        let value = fields.next()?;
        if fields.next().is_some() { None } else { Self::parse(value) }
    }

    /// Whether it is the package of REFER (RFC 3515 §3).
    pub fn is_refer(&self) -> bool {
        self.package == b"refer"
    }
}

/// A Subscription-State value (RFC 6665 §8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState<'a> {
    /// active, pending, or one that we do not know: it lives, for so many seconds when it says so.
    Living(Option<u32>),
    /// terminated, and why.
    Terminated(Option<&'a [u8]>),
}

impl<'a> SubscriptionState<'a> {
    /// Reads a value; `None` when it is none.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (state, parameters) = head_and_parameters(value)?;
        if state.eq_ignore_ascii_case(b"terminated") {
            return Some(Self::Terminated(Parameters::new(parameters).find(b"reason").and_then(|reason| reason.value)));
        }
        let seconds = |parameter: Parameter<'_>| parameter.value.and_then(decimal_u32);
        Some(Self::Living(Parameters::new(parameters).find(b"expires").and_then(seconds)))
    }
}

fn head_and_parameters(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, parameters) = value.split_at_checked(grammar::find(b';', value).unwrap_or(value.len()))?;
    let head = trim(head);
    is_token(head).then_some((head, parameters))
}

/// The status code in the status line that a message/sipfrag body begins with (RFC 3515 §2.4.5); the version in any case
/// (RFC 3261 §7.1).
pub fn sipfrag_status(message: &Message) -> Option<u16> {
    let view = message.body_view()?;
    if !view.is_type(b"message", b"sipfrag") {
        return None;
    }
    let (version, rest) = view.content.split_at_checked(8)?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0 ") {
        return None;
    }
    let (digits, after) = rest.split_at_checked(3)?;
    let ends = after.first().is_none_or(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let status = digits.iter().all(u8::is_ascii_digit).then(|| decimal_u32(digits))??;
    u16::try_from(status).ok().filter(|status| ends && (100..700).contains(status))
}

/// Writes the status line that a message/sipfrag body of ours is.
pub fn write_sipfrag(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    out.extend_from_slice(b"SIP/2.0 ");
    write::number(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event() {
        type Wanted = Option<(&'static str, Option<&'static str>)>;
        let rows: [(&str, Wanted); 7] = [
            ("refer", Some(("refer", None))),
            ("refer;id=93809824", Some(("refer", Some("93809824")))),
            ("refer ; x=1 ; ID=a", Some(("refer", Some("a")))),
            ("Refer", Some(("Refer", None))),
            ("message-summary;id", Some(("message-summary", None))),
            ("", None),
            ("a b", None),
        ];
        for (text, wanted) in rows {
            let wanted =
                wanted.map(|(package, id)| EventName { package: package.as_bytes(), id: id.map(str::as_bytes) });
            assert_eq!(EventName::parse(text.as_bytes()), wanted, "{text}");
        }
        assert!(!EventName { package: b"Refer", id: None }.is_refer(), "RFC 6665 8.2.1: byte by byte");
    }

    #[test]
    fn subscription_state() {
        use SubscriptionState::{Living, Terminated};
        let rows = [
            ("active;expires=60", Some(Living(Some(60)))),
            ("active", Some(Living(None))),
            ("pending;expires=x", Some(Living(None))),
            ("Terminated;reason=noresource", Some(Terminated(Some(b"noresource")))),
            ("terminated ; x=y", Some(Terminated(None))),
            ("other", Some(Living(None))),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(SubscriptionState::parse(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn sipfrag() {
        let notify = |kind: &str, body: &str| {
            let text = format!(
                "NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
                 Call-ID: x\r\nCSeq: 1 NOTIFY\r\nMax-Forwards: 70\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            sipfrag_status(&Message::parse(text.as_bytes(), None).unwrap())
        };
        for (body, status) in [
            ("SIP/2.0 200 OK", Some(200)),
            ("SIP/2.0 100 Trying\r\nX: y\r\n", Some(100)),
            ("SIP/2.0 603", Some(603)),
            ("sip/2.0 200 OK\r\n", Some(200)),
            ("Sip/2.0 180 Ringing\n", Some(180)),
            ("SIP/2.0 486\n", Some(486)),
            ("SIP/3.0 200 OK", None),
            ("SIP/2.0200 OK", None),
            ("SIP/2.0 6031 x", None),
            ("SIP/2.0 099 x", None),
            ("SIP/2.0 7", None),
            ("INVITE sip:a@b SIP/2.0", None),
            ("", None),
        ] {
            assert_eq!(notify("message/sipfrag;version=2.0", body), status, "{body}");
        }
        for (kind, read) in [
            ("message/sipfrag", true),
            ("Message/SipFrag; version=\"2.0\"", true),
            ("message / sipfrag ;x=y", true),
            ("message/sipfragment", false),
            ("message/sip", false),
            ("text/plain", false),
        ] {
            assert_eq!(notify(kind, "sip/2.0 200 OK").is_some(), read, "{kind}");
        }
        let mut out = Vec::new();
        write_sipfrag(&mut out, 180, b"Ringing");
        assert_eq!(out, b"SIP/2.0 180 Ringing\r\n");
    }
}
