//! The upgrade of a connection to a WebSocket (RFC 6455 §4) that carries SIP (RFC 7118 §4).

use crate::config::WebSocket;
use crate::flow::Flow;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::create_response;
use tungstenite::handshake::{client, derive_accept_key, server};
use tungstenite::http::{HeaderMap, HeaderValue};

/// A request or response is at most so long: cookies may be long.
pub(super) const HEAD: usize = 16 << 10;

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const SIP: &str = "sip";

/// What the peer's half comes to.
pub(super) enum Head {
    /// Not all is there.
    Incomplete,
    /// It is so long, and this is answered.
    Good(usize, Vec<u8>),
    /// It is answered so, and nothing more.
    Refused(Vec<u8>),
}

/// What is answered to the request that begins here.
pub(super) fn answer(unread: &[u8]) -> Head {
    match server::Request::try_parse(unread) {
        Ok(None) if unread.len() <= HEAD => Head::Incomplete,
        Ok(Some((end, request))) if end <= HEAD => answer_to(&request, end),
        Ok(_) => refuse(&Error::Capacity(CapacityError::TooManyHeaders)),
        Err(error) => refuse(&error),
    }
}

fn answer_to(request: &server::Request, end: usize) -> Head {
    let mut response = match create_response(request) {
        Ok(response) => response,
        Err(error) => return refuse(&error),
    };
    // RFC 7118 §4.1: it has to be among what the client offers. ABNF takes it in either case; it gets back its own.
    let Some(ours) = protocols(request.headers()).find(|offered| offered.eq_ignore_ascii_case(SIP)) else {
        return refusal("400 Bad Request", "", "Sec-WebSocket-Protocol: sip is missing (RFC 7118 4)");
    };
    if let Ok(ours) = HeaderValue::from_str(ours) {
        response.headers_mut().insert(PROTOCOL, ours);
    }
    let mut bytes = Vec::new();
    match server::write_response(&mut bytes, &response) {
        Ok(()) => Head::Good(end, bytes),
        Err(error) => refuse(&error),
    }
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',').map(str::trim))
}

fn refuse(error: &Error) -> Head {
    let (status, lines) = match error {
        Error::Protocol(ProtocolError::WrongHttpMethod) => ("405 Method Not Allowed", "Allow: GET\r\n"),
        Error::Protocol(ProtocolError::WrongHttpVersion) => ("505 HTTP Version Not Supported", ""),
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => ("426 Upgrade Required", "Upgrade: websocket\r\n"),
        // RFC 6455 §4.4.
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            ("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        }
        Error::Capacity(_) => ("431 Request Header Fields Too Large", ""),
        _ => ("400 Bad Request", ""),
    };
    refusal(status, lines, &error.to_string())
}

/// The body is for who debugs.
fn refusal(status: &str, lines: &str, body: &str) -> Head {
    let upgrade = if lines.starts_with("Upgrade") { ", Upgrade" } else { "" };
    let response = format!(
        "HTTP/1.1 {status}\r\n{lines}Connection: close{upgrade}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}\n",
        body.len() + 1
    );
    Head::Refused(response.into_bytes())
}

/// A request of ours, and the key that its answer must fit.
pub(super) fn request(settings: &WebSocket, host: Option<&[u8]>, flow: &Flow) -> (Vec<u8>, String) {
    let key = client::generate_key();
    let mut text = b"GET ".to_vec();
    text.extend_from_slice(&settings.path);
    text.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    match (host, flow.remote) {
        (Some(host), _) => text.extend_from_slice(host),
        (None, Some(SocketAddr::V6(remote))) => text.extend_from_slice(format!("[{}]", remote.ip()).as_bytes()),
        (None, remote) => text.extend(remote.iter().flat_map(|remote| remote.ip().to_string().into_bytes())),
    }
    if let Some(port) = flow.remote.map(|remote| remote.port()).filter(|port| *port != flow.transport.default_port()) {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    let rest = format!(
        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         {PROTOCOL}: {SIP}\r\n"
    );
    text.extend_from_slice(rest.as_bytes());
    for header in &settings.headers {
        text.extend_from_slice(header);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    (text, key)
}

/// Whether the response that begins here is that to a request with this key (RFC 6455 §4.1). Errors: it is not.
pub(super) fn check(unread: &[u8], key: &str) -> io::Result<Head> {
    let read = client::Response::try_parse(unread).map_err(no)?;
    let Some((end, response)) = read else {
        return if unread.len() > HEAD { Err(no("the response is too long")) } else { Ok(Head::Incomplete) };
    };
    let headers = response.headers();
    let says = |name: &str, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    let accept = headers.get("Sec-WebSocket-Accept");
    if response.status().as_u16() != 101 {
        return Err(no(response.status()));
    }
    if !says("Upgrade", "websocket") || !says("Connection", "Upgrade") {
        return Err(no("no upgrade"));
    }
    if accept.is_none_or(|accept| accept.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(no("Sec-WebSocket-Accept"));
    }
    // None was asked for.
    if headers.contains_key("Sec-WebSocket-Extensions") {
        return Err(no("Sec-WebSocket-Extensions"));
    }
    // RFC 7118 §4.1.
    let mut chosen = protocols(headers);
    if !chosen.next().is_some_and(|chosen| chosen.eq_ignore_ascii_case(SIP)) || chosen.next().is_some() {
        return Err(no("no Sec-WebSocket-Protocol: sip"));
    }
    Ok(Head::Good(end, Vec::new()))
}

fn no(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::ConnectionRefused, format!("upgrade: {why}"))
}

/// A header of the head that the peer sent, the index-th of its name; without a name: the path that it asked for.
pub(super) fn header(head: &[u8], name: Option<&str>, index: usize) -> Option<Vec<u8>> {
    let (path, headers) = match server::Request::try_parse(head) {
        Ok(Some((_, request))) => {
            let (parts, ()) = request.into_parts();
            (parts.uri.path_and_query().map(|path| path.as_str().as_bytes().to_vec()), parts.headers)
        }
        _ => (None, client::Response::try_parse(head).ok()??.1.into_parts().0.headers),
    };
    match name {
        Some(name) => headers.get_all(name).iter().nth(index).map(|value| value.as_bytes().to_vec()),
        None => path.filter(|_| index == 0),
    }
}
