//! What a registrar has answered to a REGISTER (RFC 3261 §10.2.4, RFC 5626).

use super::address::NameAddr;
use super::header::HeaderId;
use super::{Message, Uri};

/// `sipdlg_registered_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// For how long the Contact of the request is bound; 0: it is not.
    pub expires_s: u32,
    /// When to bind it again.
    pub refresh_s: u32,
    /// What a 423 asks for at least.
    pub min_expires_s: u32,
    /// Before which nothing is to be sent again.
    pub retry_after_s: u32,
    /// In which something is to come by the flow.
    pub flow_timer_s: u32,
    /// The number of the next REGISTER with the same Call-ID.
    pub next_cseq: u32,
    /// All Contacts that are bound.
    pub bindings: u32,
    /// The registrar takes the Contact for a flow.
    pub outbound: bool,
}

/// §20.10: what is no number.
const USUAL_S: u32 = 3_600;
/// 3GPP TS 24.229 §5.1.1.4.1: so long before the end, or at half of a time that is not twice that.
const EARLY_S: u32 = 600;

impl Registered {
    /// `response` `None`: there was none.
    pub fn of(response: Option<&Message>, request: &Message) -> Self {
        let next_cseq = request.cseq_number().wrapping_add(1);
        let Some(response) = response else { return Self { next_cseq, ..Self::default() } };
        let seconds = |id| response.header(id).map_or(0, seconds);
        let is_good = (200..300).contains(&response.status());
        let expires_s = if is_good { granted(response, request) } else { 0 };
        Self {
            expires_s,
            refresh_s: if expires_s > 2 * EARLY_S { expires_s - EARLY_S } else { expires_s.div_ceil(2) },
            min_expires_s: if response.status() == 423 { seconds(HeaderId::MinExpires) } else { 0 },
            retry_after_s: seconds(HeaderId::RetryAfter),
            flow_timer_s: if is_good { seconds(HeaderId::FlowTimer) } else { 0 },
            next_cseq,
            bindings: if is_good { u32::try_from(contacts(response).count()).unwrap_or(u32::MAX) } else { 0 },
            outbound: is_good && response.has_token(HeaderId::Require, b"outbound"),
        }
    }
}

/// delta-seconds, and what may stand behind.
fn seconds(value: &[u8]) -> u32 {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum: u32, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
}

fn contacts(message: &Message) -> impl Iterator<Item = NameAddr<'_>> {
    message.values(HeaderId::Contact).filter_map(|value| NameAddr::parse(value).ok())
}

/// For how long the binding that the request asked for lasts.
fn granted(response: &Message, request: &Message) -> u32 {
    let Some(ours) = contacts(request).next() else { return 0 };
    let Some(bound) = contacts(response).find(|bound| is_same(bound, &ours)) else { return 0 };
    let of_contact =
        |contact: &NameAddr<'_>| contact.parameter(b"expires").map(|found| found.value.unwrap_or_default().to_vec());
    let header = |message: &Message| message.header(HeaderId::Expires).map(<[u8]>::to_vec);
    let found =
        of_contact(&bound).or_else(|| header(response)).or_else(|| of_contact(&ours)).or_else(|| header(request));
    match found {
        Some(value) if value.first().is_some_and(u8::is_ascii_digit) => seconds(&value),
        _ => USUAL_S,
    }
}

/// A flow of an instance is the same whatever its address (RFC 5626 §4.2.1); else URIs are compared (RFC 3261 §10.2.4).
fn is_same(bound: &NameAddr<'_>, ours: &NameAddr<'_>) -> bool {
    let flow = |contact: &NameAddr<'_>| {
        let value = |name: &[u8]| contact.parameter(name).and_then(|found| Some(found.value?.to_ascii_lowercase()));
        value(b"+sip.instance").zip(value(b"reg-id"))
    };
    if let (Some(bound), Some(ours)) = (flow(bound), flow(ours)) {
        return bound == ours;
    }
    match (Uri::parse(bound.uri), Uri::parse(ours.uri)) {
        (Ok(bound), Ok(ours)) => bound.equivalent(&ours),
        _ => bound.uri == ours.uri,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(start: &str, lines: &[&str]) -> Message {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n\
             CSeq: 7 REGISTER\r\n{}Content-Length: 0\r\n\r\n",
            lines.iter().map(|line| format!("{line}\r\n")).collect::<String>()
        );
        Message::parse(text.as_bytes(), None).expect("a message")
    }

    fn of(ours: &[&str], status: u16, lines: &[&str]) -> Registered {
        let request = message("REGISTER sip:b SIP/2.0", ours);
        Registered::of(Some(&message(&format!("SIP/2.0 {status} x"), lines)), &request)
    }

    const OURS: &str = "Contact: <sip:a@192.0.2.1:5060>";
    const FLOW: &str = "Contact: <sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:A>\";reg-id=2";

    #[test]
    fn what_is_granted() {
        let other = "Contact: <sip:a@192.0.2.9:5060>;expires=77";
        #[rustfmt::skip]
        let rows: [(&[&str], &[&str], u32, u32); 15] = [
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=300"], 300, 150),
            (&[OURS], &[other, "Contact: \"A\" <sip:a@192.0.2.1:5060;ob>;q=0.5;expires=1200, <sip:x@y>;expires=9"], 1_200, 600),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=1201"], 1_201, 601),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=3600", "Expires: 60"], 3_600, 3_000),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>", "Expires: 60"], 60, 30),
            (&[OURS, "Expires: 90"], &["Contact: <sip:a@192.0.2.1:5060>"], 90, 45),
            (&["Contact: <sip:a@192.0.2.1:5060>;expires=80"], &["Contact: <sip:a@192.0.2.1:5060>"], 80, 40),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>"], 3_600, 3_000),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=soon"], 3_600, 3_000),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=1"], 1, 1),
            (&[OURS], &["Contact: <sip:a@192.0.2.1:5060>;expires=99999999999"], u32::MAX, u32::MAX - 600),
            (&[OURS], &[other], 0, 0),
            (&[OURS], &[], 0, 0),
            (&[], &[other], 0, 0),
            (&[FLOW], &["Contact: <sip:a@198.51.100.7:1024>;reg-id=1;+sip.instance=\"<urn:uuid:a>\";expires=5",
                "Contact: <sip:a@198.51.100.7:1024>;reg-id=2;+sip.instance=\"<urn:uuid:a>\";expires=500"], 500, 250),
        ];
        for (ours, lines, expires, refresh) in rows {
            let found = of(ours, 200, lines);
            assert_eq!(
                (found.expires_s, found.refresh_s, found.next_cseq),
                (expires, refresh, 8),
                "{ours:?} {lines:?}"
            );
        }
        assert_eq!(of(&[OURS], 200, &[other, OURS, "Contact: <sip:x@y>, <sip:z@y>"]).bindings, 4);
    }

    #[test]
    fn what_else_is_said() {
        let ours = &[OURS][..];
        let found = of(ours, 423, &["Min-Expires: 1800", "Retry-After: 9", OURS]);
        assert_eq!((found.min_expires_s, found.retry_after_s, found.expires_s), (1_800, 9, 0));
        let found = of(ours, 503, &["Retry-After: 120 (busy);duration=5", "Flow-Timer: 3", "Min-Expires: 5"]);
        assert_eq!((found.retry_after_s, found.flow_timer_s, found.min_expires_s), (120, 0, 0));
        let found = of(ours, 200, &["Flow-Timer: 25", "Require: path, outbound"]);
        assert_eq!((found.flow_timer_s, found.outbound), (25, true));
        assert!(!of(ours, 200, &["Supported: outbound"]).outbound);
        let none = Registered::of(None, &message("REGISTER sip:b SIP/2.0", ours));
        assert_eq!(none, Registered { next_cseq: 8, ..Registered::default() });
    }
}
