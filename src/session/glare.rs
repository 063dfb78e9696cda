//! When a request that met another is sent again (RFC 3261 §14.1; §21.5.1 for the one that came too early).

use crate::message::{HeaderId, Message};
use crate::random::Random;
use crate::session::Role;
use std::time::Duration;

/// The unit of the waits after a 491.
const STEP: Duration = Duration::from_millis(10);

/// A Retry-After beyond this is the host's to wait for.
const LONGEST_WAIT: u64 = 32;

/// How long to wait before a refused request is sent again; `None`: its refusal is no reason to.
pub fn wait(role: Role, refusal: &Message, random: &mut Random) -> Option<Duration> {
    match refusal.status() {
        491 => Some(after_491(role, random)),
        500 | 503 => retry_after(refusal),
        _ => None,
    }
}

/// §14.1: 2.10 to 4.00 s for the owner of the Call-ID, 0 to 2.00 s for the other, so that they do not meet again.
pub fn after_491(role: Role, random: &mut Random) -> Duration {
    let steps = match role {
        Role::Caller => 210 + random.below(191),
        Role::Callee => random.below(201),
    };
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// The seconds of a Retry-After, before its parameters and comment; 0 is not in its grammar (§20.33) but in §14.2.
fn retry_after(refusal: &Message) -> Option<Duration> {
    let value = refusal.header(HeaderId::RetryAfter)?.trim_ascii();
    let digits = value.split(|byte| matches!(byte, b';' | b'(' | b' ' | b'\t')).next()?;
    let seconds: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (seconds <= LONGEST_WAIT).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, retry_after: &str) -> Message {
        let text = format!(
            "SIP/2.0 {status} No\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
             Call-ID: i\r\nCSeq: 2 INVITE\r\n{retry_after}Content-Length: 0\r\n\r\n"
        );
        Message::parse(text.as_bytes(), None).expect("a response")
    }

    #[test]
    fn the_windows_of_14_1_and_their_ends() {
        let mut random = Random::from_seed([5; 32]);
        for (role, first, last) in [(Role::Caller, 2_100, 4_000), (Role::Callee, 0, 2_000)] {
            let waits: Vec<_> = (0..20_000).map(|_| after_491(role, &mut random).as_millis()).collect();
            assert!(waits.iter().all(|wait| wait % 10 == 0));
            assert_eq!((waits.iter().min(), waits.iter().max()), (Some(&first), Some(&last)));
        }
    }

    #[test]
    fn retry_after_as_it_may_be_written() {
        let mut random = Random::from_seed([6; 32]);
        let rows = [
            ("", None),
            ("Retry-After: 0\r\n", Some(0)),
            ("Retry-After: 7\r\n", Some(7)),
            ("Retry-After: 7;duration=3600\r\n", Some(7)),
            ("Retry-After: 7 (soon)\r\n", Some(7)),
            ("Retry-After: 32\r\n", Some(32)),
            ("Retry-After: 33\r\n", None),
            ("Retry-After: 99999999999999999999\r\n", None),
            ("Retry-After: -1\r\n", None),
            ("Retry-After: soon\r\n", None),
        ];
        for (line, seconds) in rows {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(wait(Role::Caller, &refusal(500, line), &mut random), expected, "{line}");
            assert_eq!(wait(Role::Caller, &refusal(503, line), &mut random), expected, "{line}");
            assert_eq!(wait(Role::Caller, &refusal(480, line), &mut random), None);
        }
        assert!(wait(Role::Callee, &refusal(491, "Retry-After: 9\r\n"), &mut random) <= Some(Duration::from_secs(2)));
    }
}
