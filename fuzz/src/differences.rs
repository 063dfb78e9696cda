//! Two opinions on the same bytes: ours, and that of the crate `sipx-sip`. Each difference that is known stands in the
//! table with its reason; any other is a fault of one of the two.

use sipdlg::message::{HeaderId, Message};
use sipx_sip::parser::{Limits, parse_datagram};
use std::borrow::Cow;

/// What both were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Is it a message? Ours says yes, the other no.
    OnlyOurs,
    /// The other says yes, ours no.
    OnlyTheirs,
    Kind,
    Method,
    Uri,
    Status,
    Body,
    Headers,
}

/// A known difference: what was asked, by what it is recognised in what the two said, why.
struct Known {
    asked: Asked,
    said: &'static str,
    #[allow(dead_code)]
    why: &'static str,
}

const fn known(asked: Asked, said: &'static str, why: &'static str) -> Known {
    Known { asked, said, why }
}

const KNOWN: &[Known] = &[
    // What ours refuses, by the rule that it names.
    known(Asked::OnlyTheirs, "RFC 3261 8.1.1", "headers that every message has are for the transaction layer there"),
    known(Asked::OnlyTheirs, "is missing", "the same"),
    known(Asked::OnlyTheirs, "stands once", "the same (RFC 3261 §7.3.1, table 2)"),
    known(Asked::OnlyTheirs, "Via: ", "values of headers are read on demand there (RFC 3261 §20.42)"),
    known(Asked::OnlyTheirs, "From: ", "the same (§20.20)"),
    known(Asked::OnlyTheirs, "To: ", "the same (§20.39)"),
    known(Asked::OnlyTheirs, "Call-ID: ", "the same (§20.8)"),
    known(Asked::OnlyTheirs, "CSeq: ", "the same (§20.16)"),
    known(Asked::OnlyTheirs, "Max-Forwards: ", "the same (§20.22)"),
    known(Asked::OnlyTheirs, "Content-Length: ", "two that agree are one there (§20.14, RFC 4475 §3.3.9)"),
    known(
        Asked::OnlyTheirs,
        "a request begins",
        "another version, and other words for it, are the layer above there (§7.1)",
    ),
    known(Asked::OnlyTheirs, "SIP-Version", "another version is the layer's above there (§7.1)"),
    known(Asked::OnlyTheirs, "lines end with CR LF", "NUL in a line is let through there (§7, §25.1)"),
    known(Asked::OnlyTheirs, "limit of this library", "limits differ"),
    known(
        Asked::OnlyTheirs,
        START_LINE_FOLDED,
        "a fold belongs to a header (§7.3.1); there the start line may have one",
    ),
    known(Asked::OnlyTheirs, "Status-Code", "another range (§7.2)"),
    // What the other refuses.
    known(Asked::OnlyOurs, "limit exceeded", "limits differ"),
    known(Asked::OnlyOurs, "bad Request-URI", "the UAS reads it, and answers 400 or 416 (§8.2.2.1)"),
    known(Asked::OnlyOurs, "malformed start line: empty", "empty lines before the start line are skipped (§7.5)"),
    known(Asked::OnlyOurs, "no header terminator", "the same: four bytes of them look like the end of the headers"),
];

/// Before what ours says of a message whose second line begins with a blank.
const START_LINE_FOLDED: &str = "the start line is folded: ";

fn folds_start_line(data: &[u8]) -> bool {
    let start = data.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    let second = data[start..].iter().position(|byte| *byte == b'\n').map_or(data.len(), |at| start + at + 1);
    matches!(data.get(second), Some(b' ' | b'\t'))
}

/// Asks both, and panics at a difference that is not known.
pub fn judge(data: &[u8]) {
    let ours = Message::parse(data, None);
    let theirs = parse_datagram(data.to_vec().into(), &Limits::datagram());
    match (&ours, &theirs) {
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => differ(Asked::OnlyOurs, data, &error.to_string()),
        (Err(error), Ok(_)) => {
            let folded = if folds_start_line(data) { START_LINE_FOLDED } else { "" };
            differ(Asked::OnlyTheirs, data, &format!("{folded}{error}"));
        }
        (Ok(ours), Ok(theirs)) => compare(data, ours, theirs),
    }
}

fn compare(data: &[u8], ours: &Message, theirs: &sipx_sip::Message) {
    let ask = |asked, ours: &[u8], theirs: &[u8]| {
        if ours != theirs {
            let said = format!("{:?} and {:?}", String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
            differ(asked, data, &said);
        }
    };
    match (theirs.as_request(), theirs.as_response()) {
        (Some(request), _) if ours.is_request() => {
            ask(Asked::Method, ours.method_text(), request.method.as_bytes());
            ask(Asked::Uri, ours.uri().unwrap_or_default(), request.uri.to_string().as_bytes());
        }
        (_, Some(response)) if !ours.is_request() => {
            ask(Asked::Status, &ours.status().to_le_bytes(), &response.status.code().to_le_bytes());
        }
        _ => ask(Asked::Kind, b"", b"other"),
    }
    ask(Asked::Body, ours.body(), theirs.body());
    let mine: Vec<(HeaderId, Vec<u8>)> = ours.all_fields().map(|(id, _, value)| (id, plain(value))).collect();
    let other: Vec<(HeaderId, Vec<u8>)> = theirs
        .headers()
        .iter()
        .map(|header| {
            let value: Cow<'_, [u8]> = header.value();
            (HeaderId::from_name(header.name().canonical()), plain(&value))
        })
        .collect();
    if mine != other {
        differ(Asked::Headers, data, &format!("{mine:?} and {other:?}"));
    }
}

/// A value without blanks at its ends, each run of others as one (RFC 3261 §7.3.1: a fold is one space).
fn plain(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match out.last() {
            Some(b' ') | None if blank => {}
            _ => out.push(if blank { b' ' } else { *byte }),
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    out
}

fn differ(asked: Asked, data: &[u8], said: &str) {
    if KNOWN.iter().any(|known| known.asked == asked && said.contains(known.said)) {
        return;
    }
    panic!("{asked:?}: {said}\n{}", String::from_utf8_lossy(data).escape_debug());
}
