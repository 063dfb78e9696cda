//! Writing messages into a caller's buffer. What is copied from a message is copied from its ranges.
//!
//! Text of the host must have passed [`check_line`] (or [`check_token`], [`split_header_line`]) before it comes here.

use super::address::NameAddr;
use super::body::Body;
use super::grammar::{self, BLANK, DIGIT, is, is_token, trim, trim_end};
use super::header::{HeaderId, HeaderName};
use super::method::Method;
use super::status::reason_phrase;
use super::via::{Rport, Via};
use super::{Field, Message};
use crate::error::{Error, Result};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// `METHOD uri SIP/2.0`.
pub fn request_line(out: &mut Vec<u8>, method: &[u8], uri: &[u8]) {
    put(out, &[method, b" ", uri, b" SIP/2.0\r\n"]);
}

/// A header line; `parts` are written one after the other.
#[inline]
pub fn header<'n>(out: &mut Vec<u8>, name: impl Into<HeaderName<'n>>, parts: &[&[u8]]) {
    put(out, &[name.into().text(), b": "]);
    put(out, parts);
    out.extend_from_slice(b"\r\n");
}

/// A header line whose value is a number.
pub fn number_header<'n>(out: &mut Vec<u8>, name: impl Into<HeaderName<'n>>, value: u64) {
    put(out, &[name.into().text(), b": "]);
    number(out, value);
    out.extend_from_slice(b"\r\n");
}

/// `Via: SIP/2.0/UDP host:port;branch=...;rport` (RFC 3261 §18.1.1, RFC 3581 §3).
pub fn via(out: &mut Vec<u8>, transport: &[u8], sent_by: &[u8], branch: &[u8], rport: bool) {
    let rport: &[u8] = if rport { b";rport\r\n" } else { b"\r\n" };
    put(out, &[b"Via: SIP/2.0/", transport, b" ", sent_by, b";branch=", branch, rport]);
}

/// `CSeq: number METHOD`.
pub fn cseq(out: &mut Vec<u8>, value: u32, method: &[u8]) {
    out.extend_from_slice(b"CSeq: ");
    number(out, u64::from(value));
    put(out, &[b" ", method, b"\r\n"]);
}

/// A decimal number.
pub fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// An IP address without brackets, as in `received`. An IPv4 address mapped into IPv6 is written as IPv4.
pub fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            number(out, u64::from(a));
            for octet in [b, c, d] {
                out.push(b'.');
                number(out, u64::from(octet));
            }
        }
        // Writing into a Vec cannot fail.
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
}

/// The beginning of a response (RFC 3261 §8.2.6.2): status line, every Via of the request, From, To, Call-ID, CSeq; of
/// a 100 the Timestamp (§8.2.6.1). `reason` `None` is the default phrase. `to_tag` is added where the request had none.
///
/// The top Via gets `received` and `rport` from the remote address of the request's flow (§18.2.1, RFC 3581 §4); what
/// it had of them is replaced.
pub fn response_head(out: &mut Vec<u8>, request: &Message, status: u16, reason: Option<&[u8]>, to_tag: Option<&[u8]>) {
    out.extend_from_slice(b"SIP/2.0 ");
    number(out, u64::from(status));
    put(out, &[b" ", reason.unwrap_or_else(|| reason_phrase(status).as_bytes()), b"\r\n"]);
    let mut top = true;
    for field in &request.fields {
        match field.id {
            HeaderId::Via if top => {
                top = false;
                out.extend_from_slice(b"Via: ");
                let value = request.value_of(field);
                if request.via_stands() {
                    out.extend_from_slice(value);
                } else {
                    top_via(out, value, request.flow().and_then(|flow| flow.remote));
                }
                out.extend_from_slice(b"\r\n");
            }
            HeaderId::To if to_tag.is_none() || request.to_tag().is_some() => copy_line(out, request, field),
            HeaderId::To => header(out, HeaderId::To, &[request.value_of(field), b";tag=", to_tag.unwrap_or_default()]),
            HeaderId::Via | HeaderId::From | HeaderId::CallId | HeaderId::CSeq => {
                copy_line(out, request, field);
            }
            _ => {}
        }
    }
    // §20.38; one that is none would make the answer malformed.
    if status == 100
        && let Some(value) = request.header(HeaderId::Timestamp)
        && value.iter().all(|byte| is(*byte, DIGIT | BLANK) || *byte == b'.')
    {
        header(out, HeaderId::Timestamp, &[value]);
    }
}

/// The first line of Via with its first value completed.
fn top_via(out: &mut Vec<u8>, field: &[u8], remote: Option<SocketAddr>) {
    let (first, rest) = Via::split(field);
    let (Some(remote), Ok(via)) = (remote, Via::parse(first)) else {
        return out.extend_from_slice(field);
    };
    let asked = via.rport != Rport::Absent;
    let received = asked || !via.is_sent_by(remote.ip());
    if !asked && !received && via.received.is_none() {
        return out.extend_from_slice(field);
    }
    let head = first.len() - via.parameters.len();
    out.extend_from_slice(trim_end(first.get(..head).unwrap_or_default()));
    for parameter in super::Parameters::new(via.parameters).flatten() {
        if parameter.is(b"received") || parameter.is(b"rport") {
            continue;
        }
        put(out, &[b";", parameter.name]);
        if let Some(value) = parameter.value {
            put(out, &[b"=", value]);
        }
    }
    if received {
        out.extend_from_slice(b";received=");
        ip(out, remote.ip());
    }
    if asked {
        out.extend_from_slice(b";rport=");
        number(out, u64::from(remote.port()));
    }
    out.extend_from_slice(rest);
}

/// Every line of a header of `message`, as it was written, but by its long name.
pub fn copy_lines(out: &mut Vec<u8>, message: &Message, id: HeaderId) {
    for field in message.fields.iter().filter(|field| field.id == id) {
        copy_line(out, message, field);
    }
}

#[inline]
fn copy_line(out: &mut Vec<u8>, message: &Message, field: &Field) {
    match message.whole_line_of(field) {
        // RFC 3261 §7.3.3: either form is right; we write one only.
        _ if field.name_length == 1 => header(out, field.id, &[message.value_of(field)]),
        Some(line) => out.extend_from_slice(line),
        None => put(out, &[message.line_of(field), b"\r\n"]),
    }
}

/// Every Record-Route of the request, whole and in order (RFC 3261 §12.1.1).
pub fn record_routes(out: &mut Vec<u8>, request: &Message) {
    copy_lines(out, request, HeaderId::RecordRoute);
}

/// The end of a message: Content-Type and Content-Disposition of the body, Content-Length, empty line, body.
pub fn finish(out: &mut Vec<u8>, body: Option<&Body<'_>>) {
    let Some(body) = body.filter(|body| !body.content.is_empty()) else {
        return out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    };
    header(out, HeaderId::ContentType, &[body.content_type]);
    if let Some(disposition) = body.disposition {
        header(out, HeaderId::ContentDisposition, &[disposition]);
    }
    number_header(out, HeaderId::ContentLength, body.content.len() as u64);
    put(out, &[b"\r\n", body.content]);
}

/// The whole ACK to a non-2xx final `response` to `invite`, which is the INVITE as it was sent (RFC 3261 §17.1.1.3).
pub fn ack_for(out: &mut Vec<u8>, invite: &Message, response: &Message) {
    same_transaction(out, invite, b"ACK", response, b"");
    finish(out, None);
}

/// The whole CANCEL of `invite`, which is the INVITE as it was sent (RFC 3261 §9.1). `lines` are further header lines
/// (Reason), each with its CR LF; a Max-Forwards among them stands.
pub fn cancel_for(out: &mut Vec<u8>, invite: &Message, lines: &[u8]) {
    same_transaction(out, invite, Method::Cancel.name().as_bytes(), invite, lines);
    finish(out, None);
}

/// Request-URI, topmost Via, every Route, From, Call-ID and CSeq number of the INVITE, To of another message, and
/// further lines.
fn same_transaction(out: &mut Vec<u8>, invite: &Message, method: &[u8], to: &Message, lines: &[u8]) {
    request_line(out, method, invite.uri().unwrap_or_default());
    if let Some(field) = invite.header(HeaderId::Via) {
        header(out, HeaderId::Via, &[Via::split(field).0]);
    }
    if super::header::in_lines(lines, HeaderId::MaxForwards).is_none() {
        out.extend_from_slice(b"Max-Forwards: 70\r\n");
    }
    copy_lines(out, invite, HeaderId::Route);
    copy_lines(out, invite, HeaderId::From);
    copy_lines(out, to, HeaderId::To);
    copy_lines(out, invite, HeaderId::CallId);
    cseq(out, invite.cseq_number(), method);
    out.extend_from_slice(lines);
}

/// Refuses text that would end a line: CR, LF, NUL.
pub fn check_line(text: &[u8]) -> Result<()> {
    match memchr::memchr3(b'\r', b'\n', 0, text) {
        None => Ok(()),
        Some(_) => Err(Error::syntax("text for a message holds no CR, LF or NUL")),
    }
}

/// Refuses what is no token (RFC 3261 §25.1): tags, methods, option tags.
pub fn check_token(text: &[u8]) -> Result<()> {
    if is_token(text) { Ok(()) } else { Err(Error::syntax("a token (RFC 3261 25.1)")) }
}

/// Refuses a tag of the host that is none.
pub fn check_to_tag(text: &[u8]) -> Result<()> {
    if is_token(text) { Ok(()) } else { Err(Error::syntax("to_tag: a token (RFC 3261 25.1)")) }
}

/// Refuses what is no `type/subtype` with parameters (RFC 3261 §25.1 media-type).
pub fn check_media_type(text: &[u8]) -> Result<()> {
    let bare = text.split(|byte| *byte == b';').next().unwrap_or_default();
    match grammar::split_once(bare, b'/') {
        Some((main, sub)) if is_token(trim(main)) && is_token(trim(sub)) => check_line(text),
        _ => Err(Error::syntax("body.content_type: type/subtype (RFC 3261 20.15)")),
    }
}

/// Refuses a value of the host that stands instead of ours and that no peer could read.
pub fn check_value(id: HeaderId, value: &[u8]) -> Result<()> {
    match id {
        HeaderId::MaxForwards if grammar::decimal(value, 255).is_none() => {
            Err(Error::syntax("Max-Forwards: 0 to 255 (RFC 3261 20.22)"))
        }
        // RFC 3261 §20.10: of a REGISTER.
        HeaderId::Contact if value != b"*" => {
            let mut rest = value;
            loop {
                let (first, after) = rest.split_at(grammar::list_value(rest, false).min(rest.len()));
                NameAddr::parse(trim(first))
                    .and_then(|address| address.parse_uri())
                    .map_err(|error| Error::syntax(format!("Contact: {}", error.detail)))?;
                match after.get(1..) {
                    Some(next) => rest = next,
                    None => return Ok(()),
                }
            }
        }
        _ => Ok(()),
    }
}

/// Takes a host's `Name: value` apart: a token, and a value that [`check_line`] lets through, without blanks around it.
pub fn split_header_line(line: &[u8]) -> Result<(HeaderName<'_>, &[u8])> {
    check_line(line)?;
    let (name, value) = grammar::split_once(line, b':').ok_or_else(|| Error::syntax("a header line is Name: value"))?;
    let name = trim_end(name);
    if !is_token(name) {
        return Err(Error::syntax("a header name is a token (RFC 3261 25.1)"));
    }
    Ok((HeaderName::from(name), trim(value)))
}

#[inline]
fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}
