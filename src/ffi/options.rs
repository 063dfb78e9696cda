//! Section "options" of the header: how a request or response differs from the usual. Exports nothing: the structs are
//! read here for the sections that take them.

use crate::agent::{Agent, Attachment, Body, IncomingId, RequestOptions, ResponseOptions};
use crate::config::Secret;
use crate::config::SessionTimer;
use crate::error::{Error, Result};
use crate::ffi::cell::Inner;
use crate::ffi::convert::{boolean, bytes, optional_flow, optional_text, read_struct, session_timer, text, text_list};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{ReleaseQueue, UserData, copy_delegate, taken};
use crate::ffi::structs::{
    sipdlg_body_t, sipdlg_credentials_t, sipdlg_incoming_t, sipdlg_request_options_t, sipdlg_response_options_t,
    sipdlg_session_timer_t,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bits of `enum sipdlg_request_flag_e`.
const REQUEST_FLAGS: u32 = 15;
/// As many realms as are remembered of one call are enough for all.
const CREDENTIALS: usize = 8;
/// Bits of `enum sipdlg_response_flag_e`.
const RESPONSE_FLAGS: u32 = 1;

/// Reads the options of a request of this agent and acts with them. The user pointer among them is taken when the act
/// succeeds; else it stays the host's.
///
/// # Safety
/// `options` is NULL or readable for the `size` that stands there, and so is all that it points to.
pub(crate) unsafe fn with_options<T>(
    options: *const sipdlg_request_options_t,
    inner: &mut Inner,
    act: impl FnOnce(&mut Agent, RequestOptions<'_>) -> Result<T>,
) -> Result<T> {
    // SAFETY: promised by the caller.
    let options = unsafe { request_options(options, inner) }?;
    taking_user(options, |options| act(&mut inner.core, options))
}

fn taking_user<'a, T>(options: RequestOptions<'a>, act: impl FnOnce(RequestOptions<'a>) -> Result<T>) -> Result<T> {
    let user = options.attachment.user.clone();
    let result = act(options)?;
    taken(user.as_ref());
    Ok(result)
}

/// # Safety
/// As [`with_options`], for `'a`.
unsafe fn request_options<'a>(options: *const sipdlg_request_options_t, inner: &Inner) -> Result<RequestOptions<'a>> {
    let refer = |token| {
        // The REFER of another agent is none here.
        if handle::find(token, Kind::Incoming)?.token.load(Ordering::Relaxed) != inner.token {
            return Err(Error::argument("options.refer is of another agent"));
        }
        inner.incoming_id(token)
    };
    // SAFETY: promised by the caller.
    unsafe { read_request(options, &inner.releases, refer) }
}

/// # Safety
/// As [`request_options`].
unsafe fn read_request<'a>(
    options: *const sipdlg_request_options_t,
    releases: &Arc<ReleaseQueue>,
    refer: impl FnOnce(sipdlg_incoming_t) -> Result<IncomingId>,
) -> Result<RequestOptions<'a>> {
    // SAFETY: promised by the caller.
    let Some(given) = (unsafe { read_struct(options) })? else { return Ok(RequestOptions::default()) };
    check_flags(given.flags, REQUEST_FLAGS)?;
    // SAFETY: the caller promises that `delegate`, when not NULL, is a struct of its size.
    let mut attachment = Attachment { delegate: unsafe { copy_delegate(given.delegate) }?, user: None };
    if !given.user.is_null() || given.release.is_some() {
        attachment.user = Some(UserData::new(releases, given.user, given.release));
    }
    // SAFETY: the caller promises that the text, the list, the body and the flow are readable for 'a.
    unsafe {
        Ok(RequestOptions {
            flags: given.flags,
            expires_ms: given.expires_ms,
            headers: text_list(given.headers),
            body: body(&given.body)?,
            from: optional_text(given.from),
            to: optional_text(given.to),
            call_id: optional_text(given.call_id),
            flow: optional_flow(given.flow)?,
            attachment,
            refer: if given.refer == 0 { None } else { Some(refer(given.refer)?) },
            credentials: credentials(given.credentials, given.credentials_count)?,
            session_timer: optional_terms(given.session_timer)?,
            reason: optional_text(given.reason),
            register: None,
        })
    }
}

/// # Safety
/// `list` is NULL or readable for `count` of them, and so are their texts.
unsafe fn credentials(list: *const sipdlg_credentials_t, count: usize) -> Result<Vec<Secret>> {
    if count > CREDENTIALS {
        return Err(Error::argument(format!("options.credentials_count: at most {CREDENTIALS}")));
    }
    if list.is_null() && count != 0 {
        return Err(Error::argument("options.credentials is NULL and their count is not 0"));
    }
    // SAFETY: promised by the caller.
    (0..count).map(|at| unsafe { secret(&list.add(at).read_unaligned()) }).collect()
}

/// # Safety
/// Its texts are readable.
unsafe fn secret(given: &sipdlg_credentials_t) -> Result<Secret> {
    if given.reserved != 0 {
        return Err(Error::argument("options.credentials: reserved is not 0"));
    }
    let is_ha1 = boolean(given.is_ha1, "options.credentials: is_ha1")?;
    // SAFETY: promised by the caller.
    unsafe {
        let (user, secret) = (text(given.user, "user")?, text(given.secret, "secret")?);
        Secret::new(optional_text(given.realm), user, secret, is_ha1, optional_text(given.algorithm))
    }
}

/// Options of a response.
///
/// # Safety
/// `options` is NULL or readable for the `size` that stands there, and so is all that it points to, for `'a`.
pub(crate) unsafe fn response_options<'a>(options: *const sipdlg_response_options_t) -> Result<ResponseOptions<'a>> {
    // SAFETY: promised by the caller.
    let Some(given) = (unsafe { read_struct(options) })? else { return Ok(ResponseOptions::default()) };
    check_flags(given.flags, RESPONSE_FLAGS)?;
    if given.reserved != 0 {
        return Err(Error::argument("options.reserved is not 0"));
    }
    // SAFETY: the caller promises that the text, the list and the body are readable for 'a.
    unsafe {
        Ok(ResponseOptions {
            flags: given.flags,
            headers: text_list(given.headers),
            body: body(&given.body)?,
            reason_phrase: optional_text(given.reason_phrase),
            to_tag: optional_text(given.to_tag),
            session_timer: optional_terms(given.session_timer)?,
            reason: optional_text(given.reason),
        })
    }
}

/// # Safety
/// `given` is NULL or readable.
unsafe fn optional_terms(given: *const sipdlg_session_timer_t) -> Result<Option<SessionTimer>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    session_timer(unsafe { given.read_unaligned() }).map(Some)
}

/// A body of the host; one without bytes is none.
///
/// # Safety
/// Its data and texts are readable for `'a`.
pub(crate) unsafe fn body<'a>(body: &sipdlg_body_t) -> Result<Option<Body<'a>>> {
    // SAFETY: promised by the caller.
    let content = unsafe { bytes(body.data, body.len, "body.data") }?;
    if content.is_empty() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    unsafe {
        Ok(Some(Body {
            content,
            content_type: optional_text(body.content_type),
            disposition: optional_text(body.disposition),
        }))
    }
}

/// # Safety
/// `given` is NULL or readable, and so is all that it points to, for `'a`.
pub(crate) unsafe fn optional_body<'a>(given: *const sipdlg_body_t) -> Result<Option<Body<'a>>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    unsafe { body(&given.read_unaligned()) }
}

fn check_flags(flags: u32, known: u32) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(Error::argument(format!("options.flags: unknown bits {unknown:#x}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::options::{request_flag, response_flag};
    use crate::error::ErrorKind;
    use crate::ffi::convert::zeroed;
    use crate::ffi::structs::{sipdlg_delegate_t, sipdlg_endpoint_t, sipdlg_flow_t};
    use std::ffi::c_void;
    use std::ptr;
    use std::sync::atomic::AtomicU32;

    fn request(options: &sipdlg_request_options_t) -> Result<RequestOptions<'_>> {
        let refer = |token| Ok(IncomingId::from_raw(token));
        // SAFETY: all that the tests point to lives as long as the options.
        unsafe { read_request(options, &Arc::default(), refer) }
    }

    #[test]
    fn all_flags_are_known() {
        use request_flag::{MANUAL_ACK, MANUAL_PRACK, NO_AUTH, NO_RETRY};
        assert_eq!(REQUEST_FLAGS, MANUAL_ACK | MANUAL_PRACK | NO_RETRY | NO_AUTH);
        assert_eq!(RESPONSE_FLAGS, response_flag::RELIABLE);
    }

    #[test]
    fn a_plain_request() {
        // SAFETY: NULL is allowed.
        let none = unsafe { read_request(ptr::null(), &Arc::default(), |_| Err(Error::argument("none"))) }.unwrap();
        let zeroed = zeroed();
        let plain = request(&zeroed).unwrap();
        assert_eq!(format!("{none:?}"), format!("{plain:?}"));
    }

    #[test]
    fn a_request_with_everything() {
        let headers = [c"A: b".as_ptr(), c"C: d".as_ptr(), ptr::null()];
        let delegate: sipdlg_delegate_t = zeroed();
        let flow = sipdlg_flow_t {
            transport: 1,
            reserved: 0,
            link: 7,
            local: sipdlg_endpoint_t::NONE,
            remote: sipdlg_endpoint_t::NONE,
        };
        let mut options: sipdlg_request_options_t = zeroed();
        (options.flags, options.expires_ms, options.refer) = (15, 9, 3);
        options.headers = headers.as_ptr();
        (options.body.data, options.body.len) = (c"v=0".as_ptr().cast(), 3);
        options.body.content_type = c"text/plain".as_ptr();
        (options.from, options.to, options.call_id) = (c"sip:a".as_ptr(), c"sip:b".as_ptr(), c"c".as_ptr());
        options.reason = c"Q.850;cause=16".as_ptr();
        (options.flow, options.delegate, options.user) =
            (&raw const flow, &raw const delegate, ptr::without_provenance_mut(8));
        let (user, secret) = (c"alice".as_ptr(), c"wonderland".as_ptr());
        let terms = sipdlg_session_timer_t { policy: 2, interval_s: 300, min_se_s: 0, refresher: 1 };
        options.session_timer = &raw const terms;
        let known = [sipdlg_credentials_t { user, secret, ..zeroed_credentials() }];
        (options.credentials, options.credentials_count) = (known.as_ptr(), 1);
        let read = request(&options).unwrap();
        assert_eq!(format!("{:?}", read.credentials), "[Secret(None, \"alice\")]");
        assert_eq!((read.flags, read.expires_ms, read.headers), (15, 9, vec![&b"A: b"[..], b"C: d"]));
        let body = read.body.unwrap();
        assert_eq!((body.content, body.content_type, body.disposition), (&b"v=0"[..], Some(&b"text/plain"[..]), None));
        assert_eq!((read.from, read.to, read.call_id), (Some(&b"sip:a"[..]), Some(&b"sip:b"[..]), Some(&b"c"[..])));
        assert_eq!(read.reason, Some(&b"Q.850;cause=16"[..]));
        assert_eq!((read.flow.unwrap().link, read.refer), (7, Some(IncomingId::from_raw(3))));
        assert_eq!(read.session_timer.and_then(|terms| terms.wanted_s()), Some(300));
        assert!(read.attachment.delegate.is_some() && read.attachment.user.is_some());
    }

    fn zeroed_credentials() -> sipdlg_credentials_t {
        let null = ptr::null();
        sipdlg_credentials_t { realm: null, user: null, secret: null, algorithm: null, is_ha1: 0, reserved: 0 }
    }

    #[test]
    fn refusals() {
        let refused = |change: &dyn Fn(&mut sipdlg_request_options_t)| {
            let mut options = zeroed();
            change(&mut options);
            request(&options).unwrap_err().kind
        };
        assert_eq!(refused(&|options| options.flags = 16), ErrorKind::Argument);
        assert_eq!(refused(&|options| options.body.len = 1), ErrorKind::Argument);
        assert_eq!(refused(&|options| options.size = 4), ErrorKind::Struct);
        assert_eq!(refused(&|options| options.credentials_count = 1), ErrorKind::Argument);
        let known = sipdlg_credentials_t { user: c"u".as_ptr(), secret: c"s".as_ptr(), ..zeroed_credentials() };
        let with = |known: sipdlg_credentials_t, count| {
            refused(&|options| (options.credentials, options.credentials_count) = (&raw const known, count))
        };
        assert_eq!(with(known, CREDENTIALS + 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { user: ptr::null(), ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { secret: ptr::null(), ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { is_ha1: 1, ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { is_ha1: 2, ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { reserved: 1, ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { algorithm: c"SHA-1".as_ptr(), ..known }, 1), ErrorKind::Argument);
        assert_eq!(with(sipdlg_credentials_t { realm: c"a\n".as_ptr(), ..known }, 1), ErrorKind::Syntax);
        let terms = sipdlg_session_timer_t { policy: 1, interval_s: 0, min_se_s: 89, refresher: 0 };
        assert_eq!(refused(&|options| options.session_timer = &raw const terms), ErrorKind::Argument);
        let mut response: sipdlg_response_options_t = zeroed();
        response.flags = 2;
        // SAFETY: a struct of its size.
        assert_eq!(unsafe { response_options(&raw const response) }.unwrap_err().kind, ErrorKind::Argument);
        (response.flags, response.reserved) = (1, 1);
        // SAFETY: as above.
        assert_eq!(unsafe { response_options(&raw const response) }.unwrap_err().kind, ErrorKind::Argument);
    }

    /// The release function is owed only when the call succeeded.
    #[test]
    fn a_refused_call_does_not_take_the_user_pointer() {
        static RELEASED: AtomicU32 = AtomicU32::new(0);
        unsafe extern "C" fn release(_user: *mut c_void) {
            RELEASED.fetch_add(1, Ordering::Relaxed);
        }
        let queue = Arc::new(ReleaseQueue::default());
        let mut options: sipdlg_request_options_t = zeroed();
        options.release = Some(release);
        // SAFETY: a struct of its size.
        let read = || unsafe { read_request(&raw const options, &queue, |_| Err(Error::argument("none"))) }.unwrap();
        assert!(taking_user(read(), |_| Err::<(), _>(Error::state("refused"))).is_err());
        queue.run();
        assert_eq!(RELEASED.load(Ordering::Relaxed), 0);
        taking_user(read(), |_| Ok(())).unwrap();
        assert_eq!(RELEASED.load(Ordering::Relaxed), 0);
        queue.run();
        assert_eq!(RELEASED.load(Ordering::Relaxed), 1);
    }
}
