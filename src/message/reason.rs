//! Reason (RFC 3326): what protocols say of why something was sent.

use super::grammar::{self, Parameters, decimal, trim};
use super::{HeaderId, Message};

/// The protocol of a value.
pub fn protocol_of(value: &[u8]) -> &[u8] {
    trim(value.get(..grammar::find(b';', value).unwrap_or(value.len())).unwrap_or_default())
}

/// The final response that a message has in the place of a cause: that of protocol SIP (§2).
pub fn sip_cause(message: &Message) -> Option<u16> {
    let mut values = message.values(HeaderId::Reason);
    let value = values.find(|value| protocol_of(value).eq_ignore_ascii_case(b"SIP"))?;
    let parameters = value.get(grammar::find(b';', value)?..)?;
    let cause = Parameters::new(parameters).find(b"cause")?.value?;
    decimal(cause, 699).and_then(|cause| u16::try_from(cause).ok()).filter(|cause| *cause >= 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_protocol_sip() {
        for (lines, expected) in [
            ("", None),
            ("Reason: SIP;cause=486;text=\"Busy Here\"\r\n", Some(486)),
            ("Reason: sip ; Cause = 486\r\n", Some(486)),
            ("Reason: Q.850;cause=17\r\n", None),
            // §2: one value a protocol, in one list or on lines of their own.
            ("Reason: Q.850;cause=17;text=\"a, SIP;cause=500\", SIP;cause=486\r\n", Some(486)),
            ("Reason: Q.850;cause=17\r\nReason: SIP;cause=603\r\n", Some(603)),
            // What is no final response that ends a dialog.
            ("Reason: SIP;cause=200\r\n", None),
            ("Reason: SIP;cause=700\r\n", None),
            ("Reason: SIP;cause=4294967782\r\n", None),
            ("Reason: SIP;cause=busy\r\n", None),
            ("Reason: SIP;cause\r\n", None),
            ("Reason: SIP\r\n", None),
        ] {
            let text = format!(
                "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n"
            );
            let message = Message::parse(text.as_bytes(), None).expect("good");
            assert_eq!(sip_cause(&message), expected, "{lines}");
        }
    }
}
