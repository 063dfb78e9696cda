//! What came slightly broken, and how it was meant: a response to a request of ours, and of a malformed request the
//! headers that its answer repeats.

use super::cseq::CSeq;
use super::grammar::{self, Parameters, is_token, trim, trim_end};
use super::header::HeaderId;
use super::parse::{self, line_end};
use super::via::Via;
use super::{Message, NameAddr, write};
use crate::flow::Flow;
use std::borrow::Cow;
use std::sync::Arc;

/// Stands where nobody knows who it was (RFC 3261 §8.1.1.3).
pub const ANONYMOUS: &[u8] = b"<sip:anonymous@anonymous.invalid>";

/// A response without lines that are no header, the Vias below the topmost, second To lines, what stands behind the
/// first tag of To and empty parameters before it, Max-Forwards, and what says Call-ID or CSeq once more; its From is
/// `from`, the value of the request's (RFC 3261 §8.2.6.2), whatever it said. `None`: no response, or more is wrong.
///
/// [`Message::bytes`] are those that came.
pub(super) fn response(mut data: &[u8], flow: Flow, from: &[u8], unquoted: bool) -> Option<Message> {
    while let Some(rest) = data.strip_prefix(b"\r\n") {
        data = rest;
    }
    if !data.get(..4)?.eq_ignore_ascii_case(b"SIP/") {
        return None;
    }
    let mut at = line_end(data, 0)? + 2;
    let mut out = data.get(..at)?.to_vec();
    write::header(&mut out, HeaderId::From, &[from]);
    let (mut via, mut to) = (false, false);
    let (mut call_id, mut cseq) = (None, None);
    loop {
        let rest = data.get(at..)?;
        if rest.starts_with(b"\r\n") {
            break;
        }
        let line = logical_line(rest)?;
        at += line.len() + 2;
        let line = unfolded(line);
        let Some((name, value)) = grammar::split_once(&line, b':') else { continue };
        let (name, value) = (trim_end(name), trim(value));
        match HeaderId::from_name(name) {
            _ if !is_token(name) => {}
            HeaderId::Via if !std::mem::replace(&mut via, true) => {
                write_via(&mut out, Via::split(value).0)?;
            }
            HeaderId::To if !std::mem::replace(&mut to, true) => {
                let mended = with_first_tag(value, unquoted);
                write::header(&mut out, HeaderId::To, &[mended.as_deref().unwrap_or(value)]);
            }
            // In a response the last says nothing.
            HeaderId::Via | HeaderId::To | HeaderId::From | HeaderId::MaxForwards => {}
            HeaderId::CallId if call_id.is_some() => {
                call_id.as_deref().filter(|first| *first == value)?;
            }
            HeaderId::CSeq if cseq.is_some() => {
                let again = CSeq::parse(value).ok().map(|again| (again.number, again.method.text.to_vec()));
                cseq.as_ref().filter(|first| again.as_ref() == Some(*first))?;
            }
            id => {
                match id {
                    HeaderId::CallId => call_id = Some(value.to_vec()),
                    HeaderId::CSeq => {
                        let read = CSeq::parse(value).ok()?;
                        cseq = Some((read.number, read.method.text.to_vec()));
                    }
                    _ => {}
                }
                out.extend_from_slice(&line);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    out.extend_from_slice(data.get(at..)?);
    let mut message = Arc::unwrap_or_clone(parse::receive(&out, flow, unquoted).ok()?);
    message.wire = Some(data.get(..at + 2 + message.body().len())?.into());
    Some(message)
}

/// A request whose answer repeats nothing that makes the answer malformed (RFC 3261 §8.2.6.2): each header once; Vias
/// down to the first that does not read; what stands in the place of one that cannot be mended still finds the
/// transaction, by branch and method. `None`: it finds none.
pub(super) fn request(malformed: &Message) -> Option<Message> {
    let value = |id| malformed.header(id).filter(|value| !value.is_empty());
    let cseq = cseq(value(HeaderId::CSeq)?, malformed.method_text());
    let mut out = Vec::with_capacity(512);
    write::request_line(&mut out, cseq.1, b"sip:anonymous.invalid");
    vias(&mut out, malformed)?;
    for id in [HeaderId::From, HeaderId::To] {
        write::header(&mut out, id, &[&address(value(id)?)]);
    }
    // A Call-ID has no blanks (§25.1).
    let call_id = value(HeaderId::CallId)?.split(|byte| *byte <= b' ' || *byte == 0x7f).find(|word| !word.is_empty());
    write::header(&mut out, HeaderId::CallId, &[call_id?]);
    write::cseq(&mut out, cseq.0, cseq.1);
    write::finish(&mut out, None);
    parse::parse(&out, malformed.flow().copied()).ok()
}

fn vias(out: &mut Vec<u8>, malformed: &Message) -> Option<()> {
    let mut top = true;
    for value in malformed.values(HeaderId::Via) {
        if !top && Via::parse(value).is_err() {
            break;
        }
        write_via(out, value)?;
        top = false;
    }
    (!top).then_some(())
}

/// A Via, of one that does not read what finds its transaction.
fn write_via(out: &mut Vec<u8>, value: &[u8]) -> Option<()> {
    if Via::parse(value).is_ok() {
        write::header(out, HeaderId::Via, &[value]);
        return Some(());
    }
    let via = Via::salvage(value)?;
    let branch = loose_parameter(value, b"branch");
    let (mark, branch) = branch.map_or((&b""[..], &b""[..]), |branch| (b";branch=", branch));
    write::header(out, HeaderId::Via, &[b"SIP/2.0/", via.transport, b" ", via.sent_by, mark, branch]);
    Some(())
}

fn cseq<'a>(value: &'a [u8], method: &'a [u8]) -> (u32, &'a [u8]) {
    if let Ok(cseq) = CSeq::parse(value) {
        return (cseq.number, cseq.method.text);
    }
    let (digits, rest) = grammar::take(value, grammar::DIGIT);
    let number = grammar::decimal(digits, (1 << 31) - 1).and_then(|number| u32::try_from(number).ok());
    let named = trim(rest);
    (number.unwrap_or(0), if is_token(named) { named } else { method })
}

/// A From or To that reads.
fn address(value: &[u8]) -> Cow<'_, [u8]> {
    if let Some(value) = with_first_tag(value, false) {
        return value;
    }
    match loose_parameter(value, b"tag") {
        Some(tag) => Cow::Owned([ANONYMOUS, b";tag=", tag].concat()),
        None => Cow::Borrowed(ANONYMOUS),
    }
}

/// An address that reads, or its beginning with the first tag; without empty parameters.
fn with_first_tag(value: &[u8], unquoted: bool) -> Option<Cow<'_, [u8]>> {
    if let Some(beginning) = up_to_first_tag(value, unquoted) {
        return Some(Cow::Borrowed(beginning));
    }
    let whole = without_empty_parameters(value, unquoted)?;
    up_to_first_tag(&whole, unquoted).map(|beginning| Cow::Owned(beginning.to_vec()))
}

/// An address as its parameters were meant that has nothing between two `;`. `None`: its URI does not read.
fn without_empty_parameters(value: &[u8], unquoted: bool) -> Option<Vec<u8>> {
    let parts = if unquoted { NameAddr::parts::<true>(value) } else { NameAddr::parts::<false>(value) };
    let (.., parameters) = parts.ok()?;
    let mut out = value.get(..value.len() - parameters.len())?.to_vec();
    let (start, mut quoted, mut escaped) = (out.len(), false, false);
    for byte in parameters {
        let is_open = !quoted && out.len() > start && out.ends_with(b";");
        if is_open && matches!(byte, b';' | b' ' | b'\t') {
            continue;
        }
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        out.push(*byte);
    }
    if out.len() > start && !quoted && out.ends_with(b";") {
        out.pop();
    }
    Some(out)
}

/// An address that reads, or its beginning with the first tag.
fn up_to_first_tag(value: &[u8], unquoted: bool) -> Option<&[u8]> {
    let read = if unquoted { NameAddr::read_unquoted } else { NameAddr::read };
    if read(value).is_ok() {
        return Some(value);
    }
    // Where `;tag=` stands in a display name the beginning does not read; nobody needs to write it there often.
    let tags = memchr::memchr_iter(b';', value).filter_map(|at| {
        let rest = value.get(at..)?;
        let name = grammar::trim_start(rest.get(1..)?).get(..3)?;
        name.eq_ignore_ascii_case(b"tag").then_some(rest)
    });
    tags.take(4).find_map(|rest| {
        let tag = Parameters::new(rest).next()?.ok().filter(|parameter| parameter.is(b"tag"))?.value?;
        let end = (tag.as_ptr() as usize).wrapping_sub(value.as_ptr() as usize).checked_add(tag.len())?;
        let beginning = value.get(..end)?;
        read(beginning).is_ok_and(|address| address.tag.is_some()).then_some(beginning)
    })
}

/// A parameter with a token as value, wherever it stands in what does not read.
fn loose_parameter<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    value.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let (found, value) = grammar::split_once(parameter, b'=')?;
        let value = trim(value);
        (trim(found).eq_ignore_ascii_case(name) && is_token(value)).then_some(value)
    })
}

/// The header line at the beginning with its folds (RFC 3261 §7.3.1), without its end.
fn logical_line(text: &[u8]) -> Option<&[u8]> {
    let mut end = line_end(text, 0)?;
    while let Some(b' ' | b'\t') = text.get(end + 2) {
        end = line_end(text, end + 3)?;
    }
    text.get(..end)
}

fn unfolded(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\r', line).is_none() {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    fn flow() -> Flow {
        Flow::new(Transport::Udp, None, "192.0.2.9:5070".parse().ok())
    }

    const OURS: &str = "<sip:ours@example.com>;tag=ours";

    /// What a response becomes, without its body.
    fn mended(text: &str) -> Option<(Vec<String>, Message)> {
        let message = response(text.as_bytes(), flow(), OURS.as_bytes(), false)?;
        let line = |(_, name, value): (_, &[u8], &[u8])| {
            [String::from_utf8_lossy(name), String::from_utf8_lossy(value)].join(": ")
        };
        Some((message.all_fields().map(line).collect(), message))
    }

    #[test]
    fn a_response_as_it_was_meant() {
        let text = "\r\n\r\nSIP/2.0 200 OK\r\nnothing\r\n at: all\r\nv: SIP/2.0/UDP a;branch=z9hG4bKx , no Via\r\nVia: nor this\r\n\
                    t: \"A;tag=0\" <sip:b@c;tag=u>;x;TAG = one;tag=two\r\nTo: x\r\nFROM: broken <\r\nX Y: no token\r\n: no name\r\n\
                    i: call\r\nCSeq: 1\r\n INVITE\r\nX: \u{e4}\r\nl: 2\r\n\r\nabc";
        let (lines, message) = mended(text).expect("a response");
        assert_eq!(
            lines,
            [
                "From: <sip:ours@example.com>;tag=ours",
                "Via: SIP/2.0/UDP a;branch=z9hG4bKx",
                "To: \"A;tag=0\" <sip:b@c;tag=u>;x;TAG = one",
                "i: call",
                "CSeq: 1   INVITE",
                "X: \u{e4}",
                "l: 2",
            ]
        );
        assert_eq!(message.bytes(), &text.as_bytes()[4..text.len() - 1], "as it came");
        assert_eq!(
            (message.body(), message.to_tag(), message.from_tag()),
            (&b"ab"[..], Some(&b"one"[..]), Some(&b"ours"[..]))
        );
    }

    /// What a response says twice counts where it says the same; Max-Forwards says nothing in one.
    #[test]
    fn what_stands_twice() {
        let taken = |lines: &str| {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nTo: <sip:b@c>;tag=1\r\n{lines}Content-Length: 0\r\n\r\n"
            );
            let (lines, message) = mended(&text)?;
            let count = |start: &str| lines.iter().filter(|line| line.to_ascii_lowercase().starts_with(start)).count();
            assert_eq!((count("call-id") + count("i:"), count("cseq"), count("max-forwards")), (1, 1, 0), "{text}");
            Some(format!("{} {}", String::from_utf8_lossy(message.call_id()), message.cseq_number()))
        };
        let good = "Call-ID: x\r\nCSeq: 1 INVITE\r\n";
        for (more, is_taken) in [
            ("Call-ID: x\r\n", true),
            ("i:  x \r\nCall-ID: x\r\n", true),
            ("Call-ID: X\r\n", false),
            ("Call-ID: x\r\ni: y\r\n", false),
            ("i:\r\n", false),
            ("CSeq: 1 INVITE\r\n", true),
            ("CSEQ: 01  INVITE\r\n", true),
            ("CSeq: 2 INVITE\r\n", false),
            ("CSeq: 1 invite\r\n", false),
            ("CSeq: 1\r\n", false),
            ("Max-Forwards: 70\r\nMax-Forwards: 70\r\n", true),
            ("Max-Forwards: 70\r\nMax-Forwards: 69\r\nCSeq: 1 INVITE\r\n", true),
            ("Max-Forwards: x\r\n", true),
        ] {
            for lines in [format!("{good}{more}"), format!("{more}{good}")] {
                assert_eq!(taken(&lines).as_deref(), is_taken.then_some("x 1"), "{lines}");
            }
        }
    }

    #[test]
    fn empty_parameters() {
        for (value, meant) in [
            ("<sip:a@b>;;tag=x", "<sip:a@b>;tag=x"),
            ("<sip:a@b> ; ;\t; tag=x ;; y", "<sip:a@b> ;tag=x ;y"),
            ("\"a;;b\" <sip:a;;b@c;;d>;y=\";;\\\";;\";;tag=x;", "\"a;;b\" <sip:a;;b@c;;d>;y=\";;\\\";;\";tag=x"),
            ("sip:a@b;;tag=x", "sip:a@b;tag=x"),
            ("<sip:a@b>;;tag=x;;tag=y", "<sip:a@b>;tag=x"),
            ("<sip:a@b>;;", "<sip:a@b>"),
        ] {
            let read = with_first_tag(value.as_bytes(), false).expect(value);
            assert_eq!(String::from_utf8_lossy(&read), meant, "{value}");
        }
        for value in ["<sip:a@b>;;tag=", "<sip:a@b>;;=x", "<sip:a@b>;;x=\"", "<sip:a@b;;tag=x"] {
            assert!(with_first_tag(value.as_bytes(), false).is_none(), "{value}");
        }
    }

    /// Of a Via with our branch only what finds the transaction is kept, where the rest does not read.
    #[test]
    fn a_top_via_with_broken_parameters() {
        for rest in [";", ";rport=", ";rport;rport=5060", ";received=", ";received=a;received=b"] {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a:5070;branch=z9hG4bKx{rest}\r\nTo: <sip:b@c>;tag=1\r\nCall-ID: x\r\n\
                 CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
            );
            let (lines, message) = mended(&text).expect("a response");
            assert!(lines.contains(&"Via: SIP/2.0/UDP a:5070;branch=z9hG4bKx".to_owned()), "{rest}: {lines:?}");
            assert_eq!(message.branch(), Some(&b"z9hG4bKx"[..]));
        }
    }

    #[test]
    fn what_is_broken_more_than_slightly() {
        let good = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nTo: <sip:b@c>;tag=1\r\nCall-ID: x\r\n\
                    CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
        assert!(mended(good).is_some(), "only From is missing");
        for (from, to) in [
            ("SIP/2.0 200", "INVITE sip:a@b SIP/2.0"),
            ("SIP/2.0", "SIP/3.0"),
            ("SIP/2.0/UDP a", "SIP/2.0/UDP [a"),
            ("To: <sip:b@c>", "To: <sip:b@c"),
            ("To: <sip:b@c>;tag=1", "To: <sip:b@c>;tag=;tag=1"),
            ("To:", "X:"),
            ("Call-ID: x", "Call-ID: x y"),
            ("CSeq: 1", "CSeq: x"),
            ("Length: 0", "Length: 1"),
            ("Call-ID: x\r\n", "Call-ID: x\r\nbare\nline\r\n"),
            ("\r\n\r\n", "\r\n"),
        ] {
            assert!(mended(&good.replacen(from, to, 1)).is_none(), "{to}");
        }
    }

    /// What costs: nothing grows with the square of what came.
    #[test]
    fn many_tags_are_looked_at_once() {
        let many = ";tag=".repeat(200_000);
        assert!(with_first_tag(format!("\"{many}").as_bytes(), true).is_none());
        assert!(with_first_tag(format!("<sip:a@b>{many}").as_bytes(), false).is_none());
        let empty = "; ".repeat(500_000);
        assert!(with_first_tag(format!("<sip:a@b>{empty}x=").as_bytes(), false).is_none());
    }

    #[test]
    fn what_an_answer_repeats() {
        // A header of a malformed request, and what stands in its place.
        let rows: [(&str, &str, &[&str]); 22] = [
            ("Via", "Via: SIP/2.0/UDP a;branch=z9hG4bKx;;", &["SIP/2.0/UDP a;branch=z9hG4bKx"]),
            ("Via", "Via: SIP/7.0/UDP a:1;;;x;Branch = z9hG4bKx", &["SIP/2.0/UDP a:1;branch=z9hG4bKx"]),
            ("Via", "Via: SIP/2.0/UDP a;ttl=x", &["SIP/2.0/UDP a"]),
            (
                "Via",
                "Via: SIP/2.0/UDP a;branch=z9hG4bKx;rport, b, SIP/2.0/UDP c",
                &["SIP/2.0/UDP a;branch=z9hG4bKx;rport"],
            ),
            ("Via", "Via: SIP/2.0/UDP a;ttl=x\r\nVia: SIP/2.0/TCP b", &["SIP/2.0/UDP a", "SIP/2.0/TCP b"]),
            ("From", "From: <sip:a@b>;tag=1\r\nFrom: <sip:c@d>;tag=2", &["<sip:a@b>;tag=1"]),
            ("From", "From: <sip:a@b>;tag=1;tag=2", &["<sip:a@b>;tag=1"]),
            ("From", "From: a, b <sip:a@b;tag=1", &["<sip:anonymous@anonymous.invalid>;tag=1"]),
            ("From", "From: \"a <sip:a@b>", &["<sip:anonymous@anonymous.invalid>"]),
            ("To", "To: <sip:a@b>\r\nt: <sip:c@d>;tag=2", &["<sip:a@b>"]),
            ("To", "To: <sip:a@b>;x=", &["<sip:anonymous@anonymous.invalid>"]),
            ("To", "To: <sip:a@b>;tag=7;", &["<sip:a@b>;tag=7"]),
            ("Call-ID", "Call-ID: a b", &["a"]),
            ("Call-ID", "Call-ID: a\r\ni: b", &["a"]),
            ("Call-ID", "Call-ID: \u{e4}\u{1}b", &["\u{e4}"]),
            ("CSeq", "CSeq: 1 INVITE\r\nCSeq: 2 INVITE", &["1 INVITE"]),
            ("CSeq", "CSeq: 1 BYE", &["1 BYE"]),
            ("CSeq", "CSeq: 99999999999 INVITE", &["0 INVITE"]),
            ("CSeq", "CSeq: 7", &["7 INVITE"]),
            ("CSeq", "CSeq: INVITE", &["0 INVITE"]),
            ("CSeq", "CSeq: 1 A B", &["1 INVITE"]),
            ("Max-Forwards", "Max-Forwards: 300", &[]),
        ];
        for (name, line, wanted) in rows {
            let mut lines = vec!["INVITE sip:a@b SIP/2.0"];
            let good = [
                ("Via", "Via: SIP/2.0/UDP a;branch=z9hG4bKx"),
                ("From", "From: <sip:a@b>;tag=1"),
                ("To", "To: <sip:c@d>"),
                ("Call-ID", "Call-ID: x"),
                ("CSeq", "CSeq: 1 INVITE"),
                ("Max-Forwards", "Max-Forwards: 70"),
            ];
            lines.extend(good.map(|(header, good)| if header == name { line } else { good }));
            let text = lines.join("\r\n") + "\r\n\r\n";
            let broken = parse::parse(text.as_bytes(), Some(flow())).err();
            let broken = broken.unwrap_or_else(|| panic!("{line} is good"));
            let request = broken.to_answer().unwrap_or_else(|| panic!("{line} is not answered"));
            let found: Vec<_> = request.values(name).map(String::from_utf8_lossy).collect();
            assert_eq!(found, wanted, "{line}");
            let mut out = Vec::new();
            write::response_head(&mut out, &request, 400, None, Some(b"ours"));
            write::finish(&mut out, None);
            let answer = parse::parse(&out, None).unwrap_or_else(|malformed| panic!("{line}: {malformed}"));
            assert_eq!(answer.branch().is_some(), text.contains("z9hG4bKx"), "{line}");
            assert!(answer.to_tag().is_some(), "{line}");
        }
    }
}
