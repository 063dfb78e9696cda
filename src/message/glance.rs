//! A look at a message that nobody has read.

use memchr::memchr;

/// To stands in so much of a message, or is not looked for.
const SEARCHED: usize = 4_096;

/// Whether a message is of a call or a request of ours, by a look at it: a response, or To has a tag. INVITE, its repeats
/// and its CANCEL have none, so they stay in their order. Whoever makes a tag up gains a place in the queue, no more.
pub fn comes_first(message: &[u8]) -> bool {
    if message.starts_with(b"SIP/2.0 ") {
        return true;
    }
    let mut rest = message.get(..SEARCHED).unwrap_or(message);
    while let Some(end) = memchr(b'\n', rest) {
        rest = rest.get(end + 1..).unwrap_or_default();
        let name = match rest {
            [b't' | b'T', b'o' | b'O', value @ ..] | [b't' | b'T', value @ ..] => value,
            [b'\r' | b'\n', ..] => return false,
            _ => continue,
        };
        if let Some(value) = name.trim_ascii_start().strip_prefix(b":") {
            let line = value.get(..memchr(b'\n', value).unwrap_or(value.len())).unwrap_or(value);
            // Parameters stand behind the last `>`; a tag in a URI or a name is none.
            let parameters = line.rsplit(|byte| *byte == b'>').next().unwrap_or(line);
            return parameters.split(|byte| *byte == b';').skip(1).any(|parameter| {
                let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
                name.trim_ascii().eq_ignore_ascii_case(b"tag")
            });
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_calls_is_seen_at_a_glance() {
        let request =
            |to: &str| format!("INFO sip:a@b SIP/2.0\r\nVia: x\r\nTimestamp: 1;tag=t\r\n{to}\r\nCSeq: 1 INFO\r\n\r\n");
        for (message, first) in [
            ("SIP/2.0 200 OK\r\nTo: <sip:a@b>\r\n\r\n".to_owned(), true),
            (request("To: <sip:a@b>;tag=1"), true),
            (request("t:<sip:a@b>;x;TAG = 1"), true),
            (request("tO : \"t;tag=1\" <sip:a@b>; tag=1"), true),
            (request("To: sip:a@b;tag=1"), true),
            (request("To: <sip:a@b>"), false),
            (request("To: <sip:a@b;tag=1>"), false),
            (request("To: <sip:a@b>;tagged=1"), false),
            (request("From: <sip:a@b>;tag=1"), false),
            (request("").replace("\r\n\r\n", "\r\n\r\nTo: <sip:a@b>;tag=1\r\n"), false),
            ("\r\n\r\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(comes_first(message.as_bytes()), first, "{message:?}");
        }
        let late = format!("INFO sip:a@b SIP/2.0\r\nX: {}\r\nTo: <sip:a@b>;tag=1\r\n\r\n", "y".repeat(SEARCHED));
        assert!(!comes_first(late.as_bytes()));
    }
}
