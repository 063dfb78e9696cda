//! Section "message" of the header: what a message says.
//!
//! In the header:
//! Read-only; any thread. SIPDLG_NONE: the message has no such thing.

use crate::config::Secret;
use crate::error::{Error, Result};
use crate::ffi::convert::{boolean, borrowed, bytes, give_text, optional_text, text, write_optional, write_out};
use crate::ffi::guard::{NONE, OK, guard, guard_or};
use crate::ffi::handle::{self, Kind};
use crate::ffi::structs::{
    sipdlg_agent_t, sipdlg_body_view_t, sipdlg_flow_t, sipdlg_message_t, sipdlg_name_addr_t, sipdlg_status_t,
    sipdlg_str_t, sipdlg_via_t,
};
use crate::message::authorization::Authorization;
use crate::message::{BodyView, Message, NameAddr, Rport, Via};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// The message behind a pointer of the host.
///
/// # Safety
/// `message` is NULL, or was given by this library and is still borrowed or retained for `'a`.
pub(crate) unsafe fn message<'a>(message: *const sipdlg_message_t) -> Result<&'a Message> {
    // SAFETY: every message that we give is the pointer of an `Arc<Message>`.
    unsafe { message.cast::<Message>().as_ref() }.ok_or_else(|| Error::argument("message is NULL"))
}

/// A message that the host must release.
pub(crate) fn given(message: Arc<Message>) -> *const sipdlg_message_t {
    Arc::into_raw(message).cast()
}

/// Keeps a borrowed message; as many sipdlg_message_release() as retain and parse. May outlive the agent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_retain(message: *const sipdlg_message_t) -> sipdlg_status_t {
    guard(|| {
        if message.is_null() {
            return Err(Error::argument("message is NULL"));
        }
        // SAFETY: the caller promises that the message lives, so its count is at least one.
        unsafe { Arc::increment_strong_count(message.cast::<Message>()) };
        Ok(OK)
    })
}

/// NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_release(message: *const sipdlg_message_t) {
    guard_or((), || {
        if !message.is_null() {
            // SAFETY: the caller promises that this is one of the counts which he was given.
            unsafe { Arc::decrement_strong_count(message.cast::<Message>()) };
        }
        Ok(())
    });
}

/// Parses bytes into a message that the host must release. Errors: ERR_SYNTAX names header and rule in
/// sipdlg_last_error().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_parse(
    data: *const c_void,
    len: usize,
    out: *mut *const sipdlg_message_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises `len` readable bytes.
        let data = unsafe { bytes(data, len, "data") }?;
        let message = Message::parse(data, None).map_err(|malformed| Error::syntax(malformed.to_string()))?;
        if !out.is_null() {
            // SAFETY: the caller promises that `out` is writable.
            unsafe { write_out(out, given(Arc::new(message))) };
        }
        Ok(OK)
    })
}

/// 0 for a request, else 100-699.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_status_code(message: *const sipdlg_message_t) -> i32 {
    // SAFETY: the caller promises that the message lives.
    guard(|| Ok(unsafe { self::message(message) }?.status().into()))
}

/// Method of a request; of a response: that of CSeq.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_method(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(Some(borrowed(Some(message.method_text()))))) })
}

/// Request-URI.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_uri(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(message.uri().map(|uri| borrowed(Some(uri))))) })
}

/// Reason phrase of a response.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_reason_phrase(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(message.reason().map(|reason| borrowed(Some(reason))))) })
}

/// How many values a header has (comma lists counted by value where the grammar allows lists). Any
/// case, compact or long name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_header_count(message: *const sipdlg_message_t, name: *const c_char) -> i32 {
    guard(|| {
        // SAFETY: the caller promises that the message lives, and the header's rule for text in.
        let (message, name) = unsafe { (self::message(message)?, text(name, "name")?) };
        Ok(i32::try_from(message.values(name).count()).unwrap_or(i32::MAX))
    })
}

/// The index-th value of a header, unfolded: a line end in it is spaces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_header(
    message: *const sipdlg_message_t,
    name: *const c_char,
    index: u32,
    out: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let name = unsafe { text(name, "name") }?;
        let value = |message: &Message| Ok(message.values(name).nth(index as usize).map(|value| borrowed(Some(value))));
        // SAFETY: the caller's promises are those of `give`.
        unsafe { give(message, out, value) }
    })
}

/// The index-th value of a header with addresses, as its parts: the display name without quotes, escapes as written.
/// Without <> parameters are the header's (RFC 3261 §20). What it tells of a Refer-To is what options->refer dials: one
/// without <> that has headers is all URI; where its `?`, `;` or `,` could be part of a user REFER was answered 400.
/// Errors: ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_name_addr(
    message: *const sipdlg_message_t,
    name: *const c_char,
    index: u32,
    out: *mut sipdlg_name_addr_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let name = unsafe { text(name, "name") }?;
        let address = |message: &Message| {
            message.name_addr(name, index as usize).map(|address| address_view(message, &address?)).transpose()
        };
        // SAFETY: the caller's promises are those of `give`.
        unsafe { give(message, out, address) }
    })
}

/// CSeq number and method.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_cseq(
    message: *const sipdlg_message_t,
    number: *mut u32,
    method: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that the message lives.
        let cseq = unsafe { self::message(message) }?.cseq();
        // SAFETY: the header's rule for out-parameters.
        unsafe {
            write_out(number, cseq.number);
            write_out(method, borrowed(Some(cseq.method.text)));
        }
        Ok(OK)
    })
}

/// The index-th Via, 0 the topmost. Errors: ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_via(
    message: *const sipdlg_message_t,
    index: u32,
    out: *mut sipdlg_via_t,
) -> sipdlg_status_t {
    let via = |message: &Message| message.via(index as usize).map(|via| Ok(via_view(&via?))).transpose();
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, via) })
}

/// The body, all of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_body(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_body_view_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(message.body_view().map(|body| body_view(&body)))) })
}

/// The part of the body with disposition "session" (in a multipart, that part), else SIPDLG_NONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_session_body(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_body_view_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(message.session_body().map(|body| body_view(&body)))) })
}

/// The bytes as they were on the wire.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_bytes(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_str_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(Some(borrowed(Some(message.bytes()))))) })
}

/// The user name in the Digest credentials (Authorization) of a request for a realm, without quotes. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_digest_username(
    message: *const sipdlg_message_t,
    realm: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that the message lives, and the header's rule for text in.
        let (message, realm) = unsafe { (self::message(message)?, text(realm, "realm")?) };
        let Some(user) = Authorization::user_for(message, realm) else { return Ok(NONE) };
        // SAFETY: the header's rule for text out.
        unsafe { give_text(&user, buffer, capacity, needed) }?;
        Ok(OK)
    })
}

/// What the Digest credentials of a request for a realm are worth, when its user has this secret: enum sipdlg_digest_e.
/// The secret is a password, or with is_ha1 the hex HA1 of `algorithm` (NULL: MD5), good for that alone. `agent` is the
/// one that challenged, see sipdlg_incoming_challenge(); it answers GOOD once for a request, for it remembers what was
/// used: the nc of 65,536 nonces (of each the last 64); beyond, the oldest nonces count as too old. Without qop a nonce
/// is good once. That `uri` is the Request-URI is not asked for (RFC 3261 §22.4). Not in constant time is which users
/// there are: for one that is unknown check with any secret. Errors: ERR_ARGUMENT a response, ACK or CANCEL (RFC 3261
/// §22.1); ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_check_digest(
    message: *const sipdlg_message_t,
    realm: *const c_char,
    user: *const c_char,
    secret: *const c_char,
    is_ha1: i32,
    algorithm: *const c_char,
    agent: sipdlg_agent_t,
) -> i32 {
    guard(|| {
        let is_ha1 = boolean(is_ha1, "is_ha1")?;
        // SAFETY: the caller promises that the message lives, and the header's rule for text in.
        let (message, secret) = unsafe {
            let (realm, user, secret) = (text(realm, "realm")?, text(user, "user")?, text(secret, "secret")?);
            let secret = Secret::new(Some(realm), user, secret, is_ha1, optional_text(algorithm))?;
            (self::message(message)?, secret)
        };
        let worth =
            handle::find(agent, Kind::Agent)?.with(|inner, now| inner.core.check_digest(now, message, &secret))?;
        Ok(worth as i32)
    })
}

/// The flow on which it was received.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_flow(
    message: *const sipdlg_message_t,
    out: *mut sipdlg_flow_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `give`.
    guard(|| unsafe { give(message, out, |message| Ok(message.flow().map(sipdlg_flow_t::from))) })
}

/// Gives what `read` finds in a message; NONE when it finds nothing.
///
/// # Safety
/// As [`message`]; `out` is NULL or writable.
unsafe fn give<T>(
    message: *const sipdlg_message_t,
    out: *mut T,
    read: impl FnOnce(&Message) -> Result<Option<T>>,
) -> Result<i32> {
    // SAFETY: promised by the caller.
    let message = unsafe { self::message(message) }?;
    // SAFETY: promised by the caller.
    Ok(unsafe { write_optional(out, read(message)?) })
}

/// What may be empty where there is none.
fn optional(part: &[u8]) -> sipdlg_str_t {
    borrowed(Some(part).filter(|part| !part.is_empty()))
}

fn address_view(message: &Message, address: &NameAddr<'_>) -> Result<sipdlg_name_addr_t> {
    let uri = message.read_uri(address.uri)?;
    let name = address.display_name;
    Ok(sipdlg_name_addr_t {
        display_name: optional(name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)),
        uri: borrowed(Some(uri.text)),
        scheme: borrowed(Some(uri.scheme_text)),
        user: borrowed(uri.user),
        host: optional(uri.host),
        uri_parameters: optional(uri.parameters),
        uri_headers: optional(uri.headers),
        parameters: optional(address.parameters),
        tag: borrowed(address.tag),
        port: uri.port.unwrap_or(0).into(),
        reserved: 0,
    })
}

fn via_view(via: &Via<'_>) -> sipdlg_via_t {
    let rport = if let Rport::Port(port) = via.rport { port } else { 0 };
    sipdlg_via_t {
        transport: borrowed(Some(via.transport)),
        host: borrowed(Some(via.host)),
        branch: borrowed(via.branch),
        received: borrowed(via.received),
        port: via.port.unwrap_or(0).into(),
        rport: rport.into(),
    }
}

pub(crate) fn body_view(body: &BodyView<'_>) -> sipdlg_body_view_t {
    sipdlg_body_view_t {
        content: borrowed(Some(body.content)),
        content_type: optional(body.content_type),
        disposition: borrowed(Some(body.disposition)),
    }
}

// Every unsafe call here has a living message, text with its NUL, and places of the right type.
#[cfg(test)]
#[allow(clippy::undocumented_unsafe_blocks)]
mod tests {
    use super::*;
    use std::mem::MaybeUninit;
    use std::ptr;

    const INVITE: &[u8] = b"INVITE sip:bob@b.example SIP/2.0\r\n\
        v: SIP/2.0/UDP a.example:5070;branch=z9hG4bK1;received=192.0.2.1;rport=7000, SIP/2.0/TCP [::1];branch=z9hG4bK0\r\n\
        From: \"A \\\"l\\\" ice\" <sip:alice@a.example:5070;transport=udp?x=y>;tag=1;q\r\nTo: tel:+1-201\r\n\
        Call-ID: c\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\nSupported: a , b\r\nSupported:\r\n c\r\nSubject: x, y\r\n\
        Contact: bad\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\r";

    struct Held(*const sipdlg_message_t);

    impl Held {
        fn parse(data: &[u8]) -> Result<Self, i32> {
            let mut out = ptr::null();
            // SAFETY: a slice and a place.
            match unsafe { sipdlg_message_parse(data.as_ptr().cast(), data.len(), &raw mut out) } {
                OK => Ok(Self(out)),
                status => Err(status),
            }
        }

        fn get<T>(&self, read: impl FnOnce(*const sipdlg_message_t, *mut T) -> i32) -> Result<T, i32> {
            let mut out = MaybeUninit::uninit();
            match read(self.0, out.as_mut_ptr()) {
                // SAFETY: written on OK.
                OK => Ok(unsafe { out.assume_init() }),
                status => Err(status),
            }
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            // SAFETY: parse gave it.
            unsafe { sipdlg_message_release(self.0) };
        }
    }

    fn bytes_of<'a>(text: sipdlg_str_t) -> Option<&'a str> {
        if text.data.is_null() {
            assert_eq!(text.len, 0);
            return None;
        }
        // SAFETY: borrowed from a message that lives in the test.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(text.data.cast(), text.len) }).ok()
    }

    #[test]
    fn everything_that_an_invite_says() {
        let message = Held::parse(INVITE).unwrap();
        let header = |name: &std::ffi::CStr, index| {
            message.get(|m, out| unsafe { sipdlg_message_header(m, name.as_ptr(), index, out) }).map(bytes_of)
        };
        let count = |name: &std::ffi::CStr| unsafe { sipdlg_message_header_count(message.0, name.as_ptr()) };
        assert_eq!(unsafe { sipdlg_message_status_code(message.0) }, 0);
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_method(m, out) }).map(bytes_of), Ok(Some("INVITE")));
        let uri = message.get(|m, out| unsafe { sipdlg_message_uri(m, out) }).map(bytes_of);
        assert_eq!(uri, Ok(Some("sip:bob@b.example")));
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_reason_phrase(m, out) }).map(bytes_of), Err(NONE));
        assert_eq!(
            (count(c"k"), count(c"SUPPORTED"), count(c"Subject"), count(c"X-None"), count(c"via")),
            (3, 3, 1, 0, 2)
        );
        assert_eq!((header(c"supported", 2), header(c"k", 3)), (Ok(Some("c")), Err(NONE)));
        assert_eq!(header(c"subject", 0), Ok(Some("x, y")));

        let address =
            |name: &std::ffi::CStr| message.get(|m, out| unsafe { sipdlg_message_name_addr(m, name.as_ptr(), 0, out) });
        let from = address(c"f").unwrap();
        assert_eq!(bytes_of(from.display_name), Some("A \\\"l\\\" ice"));
        assert_eq!(bytes_of(from.uri), Some("sip:alice@a.example:5070;transport=udp?x=y"));
        assert_eq!((bytes_of(from.scheme), bytes_of(from.user)), (Some("sip"), Some("alice")));
        assert_eq!((bytes_of(from.host), from.port, from.reserved), (Some("a.example"), 5070, 0));
        assert_eq!((bytes_of(from.uri_parameters), bytes_of(from.uri_headers)), (Some(";transport=udp"), Some("x=y")));
        assert_eq!((bytes_of(from.parameters), bytes_of(from.tag)), (Some(";tag=1;q"), Some("1")));
        let to = address(c"To").unwrap();
        assert_eq!((bytes_of(to.user), bytes_of(to.host), bytes_of(to.tag)), (Some("+1-201"), None, None));
        assert_eq!(address(c"Contact").unwrap_err(), -5);
        assert_eq!(address(c"Route").unwrap_err(), NONE);

        let via = |index| message.get(|m, out| unsafe { sipdlg_message_via(m, index, out) });
        let top = via(0).unwrap();
        assert_eq!((bytes_of(top.transport), bytes_of(top.host), top.port), (Some("UDP"), Some("a.example"), 5070));
        assert_eq!((bytes_of(top.received), top.rport), (Some("192.0.2.1"), 7000));
        assert_eq!(bytes_of(top.branch), Some("z9hG4bK1"));
        let second = via(1).unwrap();
        assert_eq!((bytes_of(second.host), second.port, bytes_of(second.received)), (Some("[::1]"), 0, None));
        assert_eq!(via(2).unwrap_err(), NONE);

        let mut number = 0;
        let method = message.get(|m, out| unsafe { sipdlg_message_cseq(m, &raw mut number, out) }).map(bytes_of);
        assert_eq!((number, method), (7, Ok(Some("INVITE"))));
        let body = message.get(|m, out| unsafe { sipdlg_message_session_body(m, out) }).unwrap();
        assert_eq!((bytes_of(body.content), bytes_of(body.disposition)), (Some("v=0\r"), Some("session")));
        assert_eq!(bytes_of(body.content_type), Some("application/sdp"));
        let wire = message.get(|m, out| unsafe { sipdlg_message_bytes(m, out) }).map(bytes_of);
        assert_eq!(wire, Ok(std::str::from_utf8(INVITE).ok()));
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_flow(m, out) }).unwrap_err(), NONE);
    }

    #[test]
    fn a_response_without_body() {
        let message = Held::parse(
            b"SIP/2.0 404 \r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n\
            Call-ID: c\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n",
        )
        .unwrap();
        assert_eq!(unsafe { sipdlg_message_status_code(message.0) }, 404);
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_method(m, out) }).map(bytes_of), Ok(Some("BYE")));
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_uri(m, out) }).unwrap_err(), NONE);
        let reason = message.get(|m, out| unsafe { sipdlg_message_reason_phrase(m, out) }).map(bytes_of);
        assert_eq!(reason, Ok(Some("")));
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_body(m, out) }).unwrap_err(), NONE);
        assert_eq!(message.get(|m, out| unsafe { sipdlg_message_session_body(m, out) }).unwrap_err(), NONE);
    }

    #[test]
    fn counting_and_refusing() {
        assert_eq!(Held::parse(b"INVITE sip:a SIP/2.0\r\n\r\n").map(|_| ()), Err(-5));
        assert_eq!(Held::parse(b"").map(|_| ()), Err(-5));
        let message = Held::parse(INVITE).unwrap();
        unsafe {
            assert_eq!(sipdlg_message_retain(message.0), OK);
            sipdlg_message_release(message.0);
            assert_eq!(sipdlg_message_status_code(message.0), 0);
            assert_eq!(sipdlg_message_retain(ptr::null()), -1);
            sipdlg_message_release(ptr::null());
            assert_eq!(sipdlg_message_status_code(ptr::null()), -1);
            assert_eq!(sipdlg_message_header_count(message.0, ptr::null()), -1);
            assert_eq!(sipdlg_message_bytes(message.0, ptr::null_mut()), OK);
            assert_eq!(sipdlg_message_parse(INVITE.as_ptr().cast(), INVITE.len(), ptr::null_mut()), OK);
            assert_eq!(sipdlg_message_parse(ptr::null(), 5, ptr::null_mut()), -1);
        }
    }
}
