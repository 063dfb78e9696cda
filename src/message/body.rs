//! Bodies: type, disposition, and the session part of a multipart (RFC 3261 §20.11, RFC 5621, RFC 2046 §5.1).

use super::grammar::{BLANK, Parameters, TOKEN, split_once, take, trim, trim_start};
use super::header::HeaderId;
use super::lists::PARTS;

/// How deep multiparts may stand in each other.
const MAX_DEPTH: usize = 4;

/// A body to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body<'a> {
    /// Content-Type.
    pub content_type: &'a [u8],
    /// Content-Disposition; `None` says nothing, which means `session` for application/sdp and `render` for others.
    pub disposition: Option<&'a [u8]>,
    /// The bytes.
    pub content: &'a [u8],
}

impl<'a> Body<'a> {
    /// As the peer will see it.
    pub fn view(&self) -> BodyView<'a> {
        BodyView::new(self.content, self.content_type, self.disposition)
    }
}

/// A body received or kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyView<'a> {
    /// The bytes.
    pub content: &'a [u8],
    /// Content-Type as written; empty when the message had none.
    pub content_type: &'a [u8],
    /// The disposition type; inferred when the message had none.
    pub disposition: &'a [u8],
}

impl<'a> BodyView<'a> {
    /// `disposition` is the value of Content-Disposition.
    pub(super) fn new(content: &'a [u8], content_type: &'a [u8], disposition: Option<&'a [u8]>) -> Self {
        let disposition = match disposition.map(|value| take(value, TOKEN).0) {
            Some(given) if !given.is_empty() => given,
            _ if is_sdp(content_type) => b"session",
            _ => b"render",
        };
        Self { content, content_type, disposition }
    }

    /// Whether Content-Type is `main/sub`, parameters aside.
    pub fn is_type(&self, main: &[u8], sub: &[u8]) -> bool {
        is_type(self.content_type, main, sub)
    }

    /// Whether Content-Type is `application/sdp`.
    pub fn is_sdp(&self) -> bool {
        is_sdp(self.content_type)
    }

    /// The part whose disposition is `session`: itself, or one inside it. Of a multipart/alternative the last session
    /// description that is SDP, for the last is the preferred one (RFC 2046 §5.1.4); of another multipart the first.
    pub fn session(&self) -> Option<BodyView<'a>> {
        self.session_at(MAX_DEPTH)
    }

    fn session_at(&self, depth: usize) -> Option<BodyView<'a>> {
        if self.content_type == SDP && self.disposition == b"session" {
            return Some(*self);
        }
        let Some((main, sub)) =
            media_type(self.content_type).filter(|(main, _)| main.eq_ignore_ascii_case(b"multipart"))
        else {
            return self.disposition.eq_ignore_ascii_case(b"session").then_some(*self);
        };
        debug_assert!(main.eq_ignore_ascii_case(b"multipart"));
        let depth = depth.checked_sub(1)?;
        let mut sessions = self.parts().filter_map(|part| part.session_at(depth));
        if !sub.eq_ignore_ascii_case(b"alternative") {
            return sessions.next();
        }
        let (mut last, mut last_sdp) = (None, None);
        for session in sessions {
            last = Some(session);
            if session.is_sdp() {
                last_sdp = last;
            }
        }
        last_sdp.or(last)
    }

    /// Whether there are more of them than are looked at.
    pub fn has_too_many_parts(&self) -> bool {
        let mut parts = self.parts();
        while parts.next().is_some() {}
        parts.rest.is_some_and(|rest| !rest.starts_with(b"--"))
    }

    /// The parts of a multipart body; none of another.
    pub fn parts(&self) -> Parts<'a> {
        let boundary = Some(self.content_type)
            .filter(|content_type| media_type(content_type).is_some_and(|(m, _)| m.eq_ignore_ascii_case(b"multipart")))
            .and_then(|content_type| memchr::memchr(b';', content_type).and_then(|at| content_type.get(at..)))
            .and_then(|parameters| Parameters::new(parameters).find(b"boundary"))
            .and_then(|boundary| boundary.value)
            // A boundary is at most 70 characters, none of which needs an escape (RFC 2046 §5.1.1).
            .map(|value| value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value))
            .filter(|boundary| !boundary.is_empty() && boundary.len() <= 70);
        let rest = boundary.and_then(|boundary| after_boundary(self.content, boundary)).map(|(_, rest)| rest);
        Parts { boundary: boundary.unwrap_or_default(), rest, left: PARTS }
    }
}

/// The parts of a multipart. Made by [`BodyView::parts`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    boundary: &'a [u8],
    /// Behind the last delimiter; `None` at the end.
    rest: Option<&'a [u8]>,
    left: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = BodyView<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let rest = self.rest.take()?;
        self.left -= 1;
        // `--boundary--` is the end.
        if rest.starts_with(b"--") {
            return None;
        }
        let (_, rest) = take(rest, BLANK);
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
        // A part without a closing delimiter is a truncated one: not handed out.
        let (part, rest) = after_boundary(rest, self.boundary)?;
        self.rest = Some(rest);
        Some(read_part(part))
    }
}

/// What is before and behind the next delimiter line; the line end before the delimiter belongs to it.
fn after_boundary<'a>(content: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(content.get(from..)?, b"--")?;
        let rest = content.get(at + 2..)?;
        let before = content.get(..at)?;
        if (before.is_empty() || before.ends_with(b"\n")) && rest.starts_with(boundary) {
            let after = rest.get(boundary.len()..)?;
            // Not a longer boundary of an inner multipart.
            if matches!(after.first(), None | Some(b'\r' | b'\n' | b' ' | b'\t' | b'-')) {
                let part = before.strip_suffix(b"\n").unwrap_or(before);
                return Some((part.strip_suffix(b"\r").unwrap_or(part), after));
            }
        }
        from = at + 1;
    }
}

fn read_part(part: &[u8]) -> BodyView<'_> {
    let (mut content_type, mut disposition) = (&b""[..], None);
    let mut rest = part;
    while let Some((line, after)) = split_once(rest, b'\n') {
        rest = after;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = split_once(line, b':') else { continue };
        match HeaderId::from_name(trim(name)) {
            HeaderId::ContentType => content_type = trim(value),
            HeaderId::ContentDisposition => disposition = Some(trim(value)),
            _ => {}
        }
    }
    BodyView::new(rest, content_type, disposition)
}

/// The usual type as nearly everybody writes it; all that says it otherwise is read by the grammar.
const SDP: &[u8] = b"application/sdp";

/// Main type and subtype.
fn media_type(content_type: &[u8]) -> Option<(&[u8], &[u8])> {
    let (main, rest) = take(content_type, TOKEN);
    let (sub, _) = take(trim_start(trim_start(rest).strip_prefix(b"/")?), TOKEN);
    Some((main, sub))
}

fn is_sdp(content_type: &[u8]) -> bool {
    content_type == SDP || is_type(content_type, b"application", b"sdp")
}

fn is_type(content_type: &[u8], main: &[u8], sub: &[u8]) -> bool {
    media_type(content_type).is_some_and(|(m, s)| m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view<'a>(content_type: &'a str, disposition: Option<&'a str>, content: &'a str) -> BodyView<'a> {
        BodyView::new(content.as_bytes(), content_type.as_bytes(), disposition.map(str::as_bytes))
    }

    #[test]
    fn disposition_is_inferred() {
        for (content_type, given, disposition) in [
            ("application/sdp", None, "session"),
            ("Application / SDP;x=y", None, "session"),
            ("text/plain", None, "render"),
            ("application/sdp", Some("early-session; handling=optional"), "early-session"),
            ("text/plain", Some("session"), "session"),
            ("", None, "render"),
        ] {
            assert_eq!(view(content_type, given, "x").disposition, disposition.as_bytes(), "{content_type}");
        }
    }

    #[test]
    fn the_session_part_of_a_multipart() {
        let mixed = "preamble --b1\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhi --b1\r\n--b12\r\n--b1 \r\n\
                     Content-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b1--\r\nepilogue";
        let body = view("multipart/mixed; boundary=b1", None, mixed);
        let parts: Vec<_> = body.parts().map(|part| String::from_utf8_lossy(part.content).into_owned()).collect();
        assert_eq!(parts, ["hi --b1\r\n--b12", "v=0\r\n"]);
        assert_eq!(body.session().map(|part| part.content), Some(&b"v=0\r\n"[..]));

        let alternative = "--x\r\nc: application/sdp\r\n\r\n1\r\n--x\r\nc: application/sdp\r\n\r\n2\r\n--x\r\nc: a/b\r\n\
                           content-disposition: session\r\n\r\n3\r\n--x--";
        assert_eq!(
            view("multipart/alternative;boundary=\"x\"", None, alternative).session().map(|p| p.content),
            Some(&b"2"[..])
        );
        assert_eq!(
            view("multipart/mixed;boundary=\"x\"", None, alternative).session().map(|p| p.content),
            Some(&b"1"[..])
        );

        let nested = format!(
            "--out\r\nContent-Type: text/x\r\n\r\nn\r\n--out\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n{alternative}\r\n--out--"
        );
        assert_eq!(view("multipart/mixed;boundary=out", None, &nested).session().map(|p| p.content), Some(&b"2"[..]));
    }

    #[test]
    fn what_is_no_multipart_has_no_session_part() {
        for (content_type, content) in [
            ("multipart/mixed", "--b\r\nc: application/sdp\r\n\r\n1\r\n--b--"),
            ("multipart/mixed;boundary=b", "--b\r\nc: application/sdp\r\n\r\n1"),
            ("multipart/mixed;boundary=b", "--b--"),
            ("multipart/mixed;boundary=b", "--b"),
            ("multipart/mixed;boundary=\"\"", "--\r\n\r\n--"),
            ("text/plain", "v=0"),
        ] {
            assert_eq!(view(content_type, None, content).session(), None, "{content}");
        }
        let mut deep = "--b\r\nc: application/sdp\r\n\r\n1\r\n--b--".to_string();
        for level in 0..9 {
            let inner = if level == 0 { "b".to_string() } else { format!("b{level}") };
            let outer = format!("b{}", level + 1);
            deep = format!("--{outer}\r\nc: multipart/mixed;boundary={inner}\r\n\r\n{deep}\r\n--{outer}--");
        }
        assert_eq!(view("multipart/mixed;boundary=b9", None, &deep).session(), None);
    }
}
