//! Messages in a byte stream (RFC 3261 §18.3) and keep-alives between them (RFC 5626 §4.4.1).

use crate::agent::Agent;
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::wire::outbox::Direction;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::Flow;
use crate::held;
use crate::message::HeaderId;

/// The unread end of one connection's stream.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Stream {
    unread: Vec<u8>,
    /// Up to here no header ends, so that a peer who sends byte by byte has nothing read twice.
    searched: usize,
    /// How long the message is that begins here; 0 not known.
    wanted: usize,
    /// Where the next message begins is not known any more; nothing is read until the connection is closed.
    lost: bool,
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
    /// The header, of so many bytes, of a message whose length is not known: what follows cannot be told apart.
    Lost(usize),
    /// Not all is there, of so many bytes; 0 not known.
    Incomplete(usize),
}

/// `searched`: where the end of the header is looked for.
fn next_piece(unread: &[u8], searched: usize) -> Piece {
    if unread.starts_with(b"\r\n\r\n") {
        return Piece::Ping;
    }
    if unread.starts_with(b"\r\n") {
        // The second half of a ping may be under way.
        return if matches!(unread.get(2..), Some(b"" | b"\r")) { Piece::Incomplete(0) } else { Piece::Blank };
    }
    let Some(end) = memchr::memmem::find(unread.get(searched..).unwrap_or_default(), b"\r\n\r\n") else {
        return Piece::Incomplete(0);
    };
    let head = searched.saturating_add(end);
    let Some(body) = content_length(unread.get(..head).unwrap_or_default()) else {
        return Piece::Lost(head.saturating_add(4));
    };
    let whole = head.saturating_add(4).saturating_add(body);
    if whole <= unread.len() { Piece::Message(whole) } else { Piece::Incomplete(whole) }
}

/// Content-Length of a message's header lines, 0 without one. `None`: it is no number, or stands twice, as for the
/// parser.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut length = None;
    let start = memchr::memchr(b'\n', head).map_or(head.len(), |at| at + 1);
    let mut rest = head.get(start..).unwrap_or_default();
    while !rest.is_empty() {
        // A line goes on in the next one that begins with a blank (RFC 3261 §7.3.1).
        let folded = |at: &usize| matches!(rest.get(at + 1), Some(b' ' | b'\t'));
        let end = memchr::memchr_iter(b'\n', rest).find(|at| !folded(at)).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let Some((name, value)) = memchr::memchr(b':', line).and_then(|colon| line.split_at_checked(colon)) else {
            continue;
        };
        if HeaderId::from_name(name.trim_ascii_end()) != HeaderId::ContentLength {
            continue;
        }
        let digits = value.get(1..).unwrap_or_default().trim_ascii();
        if length.is_some() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        length = Some(std::str::from_utf8(digits).ok()?.parse::<u32>().ok()?);
    }
    usize::try_from(length.unwrap_or(0)).ok()
}

/// RFC 4475 §3.1.2.3, §3.3.9.
fn lost() -> Error {
    Error::syntax("the stream holds a message of unknown length: close the connection (RFC 3261 18.3)")
}

impl Agent {
    /// A piece of a stream. Errors: limit, the stream holds a message beyond the limit; syntax, it holds one of unknown
    /// length.
    pub(in crate::agent) fn receive_stream(&mut self, flow: &Flow, data: &[u8]) -> Result<()> {
        if flow.link == 0 {
            return Err(Error::argument("flow: a stream has a link, which is not 0"));
        }
        let mut stream = self.take_stream(flow.link).unwrap_or_default();
        if stream.lost {
            self.streams.insert(flow.link, stream);
            return Err(lost());
        }
        let pong = !self.keep_alives.is_empty() && self.keep_alives.hear(flow.link);
        stream.unread.extend_from_slice(data);
        let mut at = 0;
        let mut searched = std::mem::take(&mut stream.searched);
        while stream.unread.len() - at >= stream.wanted {
            let unread = stream.unread.get(at..).unwrap_or_default();
            let piece = next_piece(unread, std::mem::take(&mut searched));
            stream.wanted = 0;
            match piece {
                // Known from its header on, so that it does not matter in which pieces it comes.
                Piece::Message(len) | Piece::Incomplete(len) | Piece::Lost(len)
                    if len > self.config.limits.message_bytes =>
                {
                    return Err(self.beyond(flow, unread));
                }
                Piece::Message(len) => {
                    self.receive_message(flow, unread.get(..len).unwrap_or_default());
                    at += len;
                }
                Piece::Lost(len) => {
                    // The parser refuses it, so that it is answered.
                    self.receive_message(flow, unread.get(..len).unwrap_or_default());
                    let rule = "of unknown length: the connection is not read on (RFC 3261 18.3)";
                    self.fault_on(Some(flow), None, Fault::new(Counter::Stream, "Content-Length", rule), Done::Dropped);
                    self.streams.insert(flow.link, Stream { lost: true, ..Stream::default() });
                    return Err(lost());
                }
                Piece::Ping => {
                    self.outbox.pong(flow);
                    at += 4;
                }
                Piece::Blank => at += 2,
                // A pong: else the next would make a ping of it.
                Piece::Incomplete(_) if pong && unread == b"\r\n" => at += 2,
                Piece::Incomplete(wanted) => {
                    stream.wanted = wanted;
                    // The last three bytes may begin the blank line.
                    stream.searched = if wanted == 0 { unread.len().saturating_sub(3) } else { 0 };
                    break;
                }
            }
        }
        stream.unread.drain(..at.min(stream.unread.len()));
        if stream.unread.len() > self.config.limits.message_bytes {
            return Err(self.beyond(flow, &stream.unread));
        }
        if !stream.unread.is_empty() {
            // What a large message took is not kept for the beginning of a small one.
            if stream.unread.capacity() > stream.unread.len().saturating_mul(4).max(4_096) {
                stream.unread.shrink_to(stream.unread.len().max(stream.wanted));
            }
            if !self.memory_for_half(flow.link, held::list(&stream.unread)) {
                let rule = "half messages of connections without a call fill their part of the bound (RFC 3261 18.3)";
                self.fault_on(Some(flow), None, Fault::new(Counter::Beyond, "", rule), Done::Dropped);
                return Err(Error::new(
                    ErrorKind::Limit,
                    "half messages fill their part of the memory: close the connection",
                ));
            }
            self.half_messages += held::list(&stream.unread);
            self.streams.insert(flow.link, stream);
        }
        Ok(())
    }

    /// A message that begins here is longer than one may be: 513, where its header is not (RFC 3261 §21.5.7).
    #[cold]
    fn beyond(&mut self, flow: &Flow, unread: &[u8]) -> Error {
        let limit = self.config.limits.message_bytes;
        let head = memchr::memmem::find(unread, b"\r\n\r\n").map_or(usize::MAX, |end| end.saturating_add(4));
        self.outbox.show(Direction::In, flow, unread.get(..head.min(limit)).unwrap_or(unread));
        match unread.get(..head).filter(|head| head.len() <= limit) {
            Some(head) => self.oversize(flow, head),
            None => {
                let rule = "a message in a stream is longer than it may be here (RFC 3261 18.3)";
                self.fault_on(Some(flow), None, Fault::new(Counter::Beyond, "", rule), Done::Dropped);
            }
        }
        Error::new(ErrorKind::Limit, "the stream holds a message beyond the limit: close the connection")
    }

    /// Takes what is unread of a stream; `None`: nothing.
    pub(in crate::agent) fn take_stream(&mut self, link: u64) -> Option<Stream> {
        let stream = self.streams.remove(&link)?;
        self.half_messages -= held::list(&stream.unread);
        Some(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        let rows: [(&[u8], Piece); 18] = [
            (b"", Piece::Incomplete(0)),
            (b"\r\n", Piece::Incomplete(0)),
            (b"\r\n\r", Piece::Incomplete(0)),
            (b"\r\n\r\n", Piece::Ping),
            (b"\r\nO", Piece::Blank),
            (b"A\r\nl: 3\r\n\r\nab", Piece::Incomplete(14)),
            (b"A\r\nl: 3\r\n\r\nabcd", Piece::Message(14)),
            (b"A\r\nCONTENT-length : 3\r\n\r\nabcd", Piece::Message(28)),
            (b"A\r\nl: -3\r\n\r\nabcd", Piece::Lost(12)),
            (b"A\r\nl: 1\r\nl: 1\r\n\r\nabcd", Piece::Lost(17)),
            (b"A\r\nl:\r\n\r\nabcd", Piece::Lost(9)),
            (b"A\r\nl: 1\r\n 2\r\n\r\nabcd", Piece::Lost(15)),
            (b"A\r\nl:\r\n\t3\r\n\r\nabcd", Piece::Message(16)),
            (b"A\r\nX: y\r\n l: 3\r\n\r\nabcd", Piece::Message(18)),
            (b"A\r\nl: 1\r\nX: y\r\n l: 3\r\n\r\nabcd", Piece::Message(25)),
            (b"A\r\nVia: l: 3\r\n\r\nabcd", Piece::Message(16)),
            (b"A\r\nl: 99999999999999999999999\r\n\r\n", Piece::Lost(33)),
            (b"A\r\nFrom: x\r\n", Piece::Incomplete(0)),
        ];
        for (bytes, piece) in rows {
            assert_eq!(next_piece(bytes, 0), piece, "{}", String::from_utf8_lossy(bytes));
        }
    }

    /// RFC 3261 §18.3; what was read is not read again for each piece.
    #[test]
    fn byte_by_byte() {
        let now = crate::time::Now { monotonic: crate::time::Time::from_micros(0), unix_us: 0 };
        let local = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
        let flow = Flow::new(crate::flow::Transport::Tcp, Some(local), Some(local));
        let flow = Flow { link: 3, ..flow };
        let mut agent = Agent::new(crate::config::Config::default(), [0; 32], now);
        agent.add_transport(&flow, None).expect("transport");
        let message = |branch: u32| {
            format!(
                "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
                 From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\n\
                 Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
            )
        };
        let text = ["\r\n", &message(1), &message(2), "\r\n\r\n", &message(3)].concat();
        for step in [1, 2, 3, 5, 7, 64, text.len()] {
            let mut agent = agent.clone();
            for piece in text.as_bytes().chunks(step) {
                agent.receive(now, &flow, piece).expect("received");
            }
            let events = std::iter::from_fn(|| agent.poll_event()).count();
            assert_eq!((events, agent.stats().messages_received), (3, 3), "pieces of {step}");
            assert_eq!(agent.poll_transmit().map(|out| out.bytes.to_vec()), Some(b"\r\n".to_vec()));
            assert!(agent.streams.is_empty());
        }
    }

    /// RFC 3261 §18.3, §21.5.7: a message beyond the limit is answered once and ends the stream, in whatever pieces it
    /// comes; one whose header alone is too long is not read at all.
    #[test]
    fn a_message_beyond_the_limit_in_any_pieces() {
        let now = crate::time::Now { monotonic: crate::time::Time::from_micros(0), unix_us: 0 };
        let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
        let flow = Flow { link: 3, ..Flow::new(crate::flow::Transport::Tcp, Some(address), Some(address)) };
        let mut config = crate::config::Config::default();
        config.set_limits(1_300, 0, 0).expect("good limits");
        let options = |more: &str, body: usize| {
            format!(
                "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:c@d>;tag=1\r\n\
                 To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n{more}Content-Type: text/plain\r\nContent-Length: {body}\r\n\r\n{}",
                "x".repeat(body)
            )
        };
        let long = format!("X: {}\r\n", "y".repeat(1_300));
        let lost = options(&format!("{long}l: x\r\n"), 0);
        let too_long = [(options("", 1_301), Some("SIP/2.0 513")), (options(&long, 0), None), (lost, None)];
        let rows = too_long.into_iter().chain([(options("", 2), Some(""))]);
        for (text, answer) in rows {
            let text = text + &options("", 2);
            for step in [1, 7, 400, 1_299, text.len()] {
                let mut agent = Agent::new(config.clone(), [0; 32], now);
                agent.add_transport(&flow, None).expect("transport");
                let mut pieces = text.as_bytes().chunks(step);
                let error = pieces.find_map(|piece| agent.receive(now, &flow, piece).err());
                let sent = agent.poll_transmit().map(|out| String::from_utf8_lossy(&out.bytes).into_owned());
                let events = std::iter::from_fn(|| agent.poll_event()).count();
                if answer == Some("") {
                    // The second repeats the first.
                    assert_eq!((error.is_none(), sent, events), (true, None, 1), "pieces of {step}");
                    continue;
                }
                assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Limit), "pieces of {step}");
                assert_eq!(sent.as_deref().and_then(|sent| sent.get(..11)), answer, "pieces of {step}");
                assert_eq!((events, agent.poll_transmit().is_none()), (0, true), "pieces of {step}");
            }
        }
    }
}
