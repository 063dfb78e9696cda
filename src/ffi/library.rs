//! Section "library" of the header: what needs no agent.

use crate::error::{Error, ErrorKind};
use crate::ffi::convert::{self, bytes, give_text, text, write_out};
use crate::ffi::guard::{OK, guard, status_of, with_last_error};
use crate::ffi::sockaddr as platform;
use crate::ffi::structs::{sipdlg_endpoint_t, sipdlg_status_t};
use std::ffi::{CStr, c_char, c_void};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// SIPDLG_ABI_VERSION of the header.
pub(crate) const ABI_VERSION: u32 = 0;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// "0.1.0". Static.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_version() -> *const c_char {
    VERSION.as_ptr()
}

/// SIPDLG_ABI_VERSION of the library; refuse to run when it differs from the header's.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_abi_version() -> u32 {
    ABI_VERSION
}

/// The name and meaning of a status, "SIPDLG_ERR_STATE: a protocol rule forbids it now". Static, total, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_status_text(status: sipdlg_status_t) -> *const c_char {
    status_text(status).as_ptr()
}

fn status_text(status: sipdlg_status_t) -> &'static CStr {
    match status {
        0 => c"SIPDLG_OK: done",
        1 => c"SIPDLG_NONE: there is nothing to give",
        -1 => c"SIPDLG_ERR_ARGUMENT: NULL, a number out of range, or an unknown enumeration value",
        -2 => c"SIPDLG_ERR_STALE: the object has ended",
        -3 => c"SIPDLG_ERR_KIND: not a token of this kind, or never one",
        -4 => c"SIPDLG_ERR_STATE: a protocol rule forbids it now",
        -5 => c"SIPDLG_ERR_SYNTAX: a URI, header, message or text form does not parse",
        -6 => c"SIPDLG_ERR_HEADER: a header that only the library writes, or one given twice",
        -7 => c"SIPDLG_ERR_STRUCT: the size of a struct is impossible, or its unknown tail is not zero",
        -8 => c"SIPDLG_ERR_BUFFER: the buffer is too small",
        -9 => c"SIPDLG_ERR_LIMIT: a configured limit is reached",
        -10 => c"SIPDLG_ERR_BUSY: the agent is already being driven",
        -11 => c"SIPDLG_ERR_UNSUPPORTED: this build or this platform lacks it",
        -12 => c"SIPDLG_ERR_SYSTEM: the operating system refused",
        -13 => c"SIPDLG_ERR_NO_TRANSPORT: no transport was added that can reach the target",
        -14 => c"SIPDLG_ERR_CORRUPT: a snapshot or recording is damaged or of another version",
        -15 => c"SIPDLG_ERR_FORKED: the agent belongs to the parent process",
        -16 => c"SIPDLG_ERR_NO_MEMORY: without memory",
        -17 => c"SIPDLG_ERR_DEFUNCT: the agent caught a defect of its own and does nothing any more",
        2.. => c"a value, not a status",
        ..=-18 => c"unknown status",
    }
}

/// The calling thread's last failure in words: the argument, the RFC section. For people only. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_last_error(
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text out.
        let given = with_last_error(|detail| unsafe { give_text(detail, buffer, capacity, needed) });
        // A buffer that is too small must not replace the text that was asked for.
        Ok(given.map_or_else(|error| status_of(error.kind), |()| OK))
    })
}

/// What a response to a request in a dialog ends by RFC 5057 §5: enum sipdlg_effect_e. status_code 0: no response, a
/// time-out (a failed transport counts as 503, RFC 3261 §8.1.3.1). For 3xx it says DIALOG, as the table does; an
/// agent lets a 3xx end nothing unless sipdlg_config_set_effect() says so. Errors: ERR_ARGUMENT method NULL or
/// status_code neither 0 nor 300-699.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_effect_of(method: *const c_char, status_code: i32) -> i32 {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let method = unsafe { text(method, "method") }?;
        let status = u16::try_from(status_code)
            .ok()
            .filter(|status| matches!(status, 0 | 300..=699))
            .ok_or_else(|| Error::argument(format!("status_code {status_code} is neither 0 nor a failure")))?;
        Ok(crate::agent::effect_of(method, status) as i32)
    })
}

/// "192.0.2.1:5060", "[2001:db8::1%2]:5060" to an endpoint. No port: 0. Errors: ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_endpoint_parse(text: *const c_char, out: *mut sipdlg_endpoint_t) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let text = unsafe { convert::text(text, "text") }?;
        let address = std::str::from_utf8(text)
            .ok()
            .and_then(parse_endpoint)
            .ok_or_else(|| Error::syntax("not an IP address with or without port"))?;
        // SAFETY: the header's rule for out-parameters.
        unsafe { write_out(out, address.into()) };
        Ok(OK)
    })
}

/// An address with or without port; an IPv6 address may stand without brackets when it has none.
fn parse_endpoint(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => text,
    };
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return (ip.is_ipv6() || bare.len() == text.len()).then(|| SocketAddr::new(ip, 0));
    }
    let (ip, scope) = bare.split_once('%')?;
    Some(SocketAddr::V6(SocketAddrV6::new(ip.parse().ok()?, 0, 0, scope.parse().ok()?)))
}

/// The reverse. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_endpoint_text(
    endpoint: *const sipdlg_endpoint_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `endpoint`, when not NULL, is readable.
        let text = unsafe { endpoint_address(endpoint) }?.to_string();
        // SAFETY: the header's rule for text out.
        unsafe { give_text(text.as_bytes(), buffer, capacity, needed) }?;
        Ok(OK)
    })
}

/// # Safety
/// `endpoint` is NULL or readable.
unsafe fn endpoint_address(endpoint: *const sipdlg_endpoint_t) -> Result<SocketAddr, Error> {
    if endpoint.is_null() {
        return Err(Error::argument("endpoint is NULL"));
    }
    // SAFETY: promised by the caller.
    unsafe { endpoint.read_unaligned() }.address()?.ok_or_else(|| Error::argument("endpoint: it holds no address"))
}

/// From a struct sockaddr_in or _in6. Errors: ERR_ARGUMENT another family, or too short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_endpoint_from_sockaddr(
    sockaddr: *const c_void,
    len: usize,
    out: *mut sipdlg_endpoint_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises `len` readable bytes.
        let bytes = unsafe { bytes(sockaddr, len, "sockaddr") }?;
        let address = platform::read(bytes).ok_or_else(|| Error::argument("sockaddr: another family, or too short"))?;
        // SAFETY: the header's rule for out-parameters.
        unsafe { write_out(out, address.into()) };
        Ok(OK)
    })
}

/// To a struct sockaddr_in or _in6 of the host (a sockaddr_storage is enough); `len` gets its length. Errors:
/// ERR_BUFFER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_endpoint_to_sockaddr(
    endpoint: *const sipdlg_endpoint_t,
    sockaddr: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `endpoint`, when not NULL, is readable.
        let address = unsafe { endpoint_address(endpoint) }?;
        platform::write(address, |bytes| {
            if sockaddr.is_null() {
                return Err(Error::argument("sockaddr is NULL"));
            }
            if capacity < bytes.len() {
                let detail = format!("the address needs {} bytes, not {capacity}", bytes.len());
                return Err(Error::new(ErrorKind::Buffer, detail));
            }
            // SAFETY: the caller promises `capacity` writable bytes, of which there are enough, and `len`.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), sockaddr.cast::<u8>(), bytes.len());
                write_out(len, bytes.len());
            }
            Ok(OK)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::enums::sipdlg_status_e;
    use std::ptr;

    #[test]
    fn every_status_has_its_text() {
        let named = [
            (sipdlg_status_e::SIPDLG_OK, "SIPDLG_OK: "),
            (sipdlg_status_e::SIPDLG_NONE, "SIPDLG_NONE: "),
            (sipdlg_status_e::SIPDLG_ERR_ARGUMENT, "SIPDLG_ERR_ARGUMENT: "),
            (sipdlg_status_e::SIPDLG_ERR_STRUCT, "SIPDLG_ERR_STRUCT: "),
            (sipdlg_status_e::SIPDLG_ERR_NO_TRANSPORT, "SIPDLG_ERR_NO_TRANSPORT: "),
            (sipdlg_status_e::SIPDLG_ERR_DEFUNCT, "SIPDLG_ERR_DEFUNCT: "),
        ];
        for (status, start) in named {
            assert!(status_text(status as i32).to_str().unwrap().starts_with(start), "{status:?}");
        }
        let mut texts: Vec<_> = (-17..=1).map(|status| status_text(status).to_str().unwrap()).collect();
        assert!(texts.iter().all(|text| text.starts_with("SIPDLG_")));
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 19);
        for status in [i32::MIN, -18, 2, i32::MAX] {
            assert!(!status_text(status).is_empty());
        }
    }

    #[test]
    fn endpoints_from_text_and_back() {
        for (given, gives) in [
            ("192.0.2.1:5060", Some("192.0.2.1:5060")),
            ("192.0.2.1", Some("192.0.2.1:0")),
            ("[2001:db8::1]:5061", Some("[2001:db8::1]:5061")),
            ("[2001:db8::1]", Some("[2001:db8::1]:0")),
            ("2001:db8::1", Some("[2001:db8::1]:0")),
            ("[fe80::1%2]:5060", Some("[fe80::1%2]:5060")),
            ("[fe80::1%2]", Some("[fe80::1%2]:0")),
            ("[192.0.2.1]:5060", None),
            ("[192.0.2.1]", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:65536", None),
            ("example.com:5060", None),
            ("[::1", None),
            ("", None),
        ] {
            assert_eq!(parse_endpoint(given).map(|address| address.to_string()).as_deref(), gives, "{given}");
        }
    }

    #[test]
    fn effects_through_the_abi() {
        // SAFETY: NUL-terminated text, or NULL.
        let effect = |method: *const c_char, status| unsafe { sipdlg_effect_of(method, status) };
        assert_eq!(effect(c"INVITE".as_ptr(), 481), 1);
        assert_eq!(effect(c"INFO".as_ptr(), 0), 1);
        assert_eq!(effect(c"OPTIONS".as_ptr(), 404), 2);
        for status in [-1, 1, 100, 200, 299, 700, 66_036] {
            assert_eq!(effect(c"INVITE".as_ptr(), status), -1, "{status}");
        }
        assert_eq!(effect(ptr::null(), 481), -1);
    }
}
