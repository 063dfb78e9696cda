//! Messages in a byte stream (RFC 3261 §18.3) and keep-alives between them (RFC 5626 §4.4.1).

use crate::agent::outbox::Sender;
use crate::agent::{Agent, Bytes};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::Flow;
use crate::message::HeaderId;

/// The unread end of one connection's stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    unread: Vec<u8>,
}

/// The next thing in a stream.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// A whole message of so many bytes.
    Message(usize),
    /// CR LF CR LF between messages: a ping, wants CR LF.
    Ping,
    /// A lone CR LF between messages: a pong, or tolerated blank lines.
    Blank,
    /// Not all is there.
    Incomplete,
}

fn next_piece(unread: &[u8]) -> Piece {
    if unread.starts_with(b"\r\n\r\n") {
        return Piece::Ping;
    }
    if unread.starts_with(b"\r\n") {
        // The second half of a ping may be under way.
        return if matches!(unread.get(2..), Some(b"" | b"\r")) { Piece::Incomplete } else { Piece::Blank };
    }
    let Some(head) = memchr::memmem::find(unread, b"\r\n\r\n") else { return Piece::Incomplete };
    let body = content_length(unread.get(..head).unwrap_or_default());
    let whole = head.saturating_add(4).saturating_add(body);
    if whole <= unread.len() { Piece::Message(whole) } else { Piece::Incomplete }
}

/// Content-Length of a message's header lines; 0 without a good one, so that the parser sees what is wrong.
fn content_length(head: &[u8]) -> usize {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let values = lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = line.split_at(colon);
        (HeaderId::from_name(name.trim_ascii()) == HeaderId::ContentLength).then(|| value.get(1..).unwrap_or_default())
    });
    let digits = values.last().unwrap_or_default().trim_ascii();
    if digits.iter().all(u8::is_ascii_digit) {
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    } else {
        0
    }
}

impl Agent {
    /// A piece of a stream. Errors: limit, the stream holds a message beyond the limit.
    pub(super) fn receive_stream(&mut self, flow: &Flow, data: &[u8]) -> Result<()> {
        if flow.link == 0 {
            return Err(Error::argument("flow: a stream has a link, which is not 0"));
        }
        let mut stream = self.streams.remove(&flow.link).unwrap_or_default();
        stream.unread.extend_from_slice(data);
        let mut at = 0;
        loop {
            let unread = stream.unread.get(at..).unwrap_or_default();
            match next_piece(unread) {
                Piece::Message(len) => {
                    self.receive_message(flow, unread.get(..len).unwrap_or_default());
                    at += len;
                }
                Piece::Ping => {
                    self.outbox.transmit(Sender::Nobody, &Bytes::from(&b"\r\n"[..]), flow);
                    at += 4;
                }
                Piece::Blank => at += 2,
                Piece::Incomplete => break,
            }
        }
        stream.unread.drain(..at.min(stream.unread.len()));
        if stream.unread.len() > self.config.limits.message_bytes {
            self.counters.dropped_limit += 1;
            return Err(Error::new(
                ErrorKind::Limit,
                "the stream holds a message beyond the limit: close the connection",
            ));
        }
        if !stream.unread.is_empty() {
            self.streams.insert(flow.link, stream);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        let rows: [(&[u8], Piece); 12] = [
            (b"", Piece::Incomplete),
            (b"\r\n", Piece::Incomplete),
            (b"\r\n\r", Piece::Incomplete),
            (b"\r\n\r\n", Piece::Ping),
            (b"\r\nO", Piece::Blank),
            (b"A\r\nl: 3\r\n\r\nab", Piece::Incomplete),
            (b"A\r\nl: 3\r\n\r\nabcd", Piece::Message(14)),
            (b"A\r\nCONTENT-length : 3\r\n\r\nabcd", Piece::Message(28)),
            (b"A\r\nl: -3\r\n\r\nabcd", Piece::Message(12)),
            (b"A\r\nVia: l: 3\r\n\r\nabcd", Piece::Message(16)),
            (b"A\r\nl: 99999999999999999999999\r\n\r\n", Piece::Message(33)),
            (b"A\r\nFrom: x\r\n", Piece::Incomplete),
        ];
        for (bytes, piece) in rows {
            assert_eq!(next_piece(bytes), piece, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
