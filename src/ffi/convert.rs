//! Between the host's memory and Rust's values: text, bytes, structs with a size, addresses, flows, results.
//!
//! The one promise that all of it rests on is the header's: a pointer that is not NULL points to what its type says,
//! for the time of the call.

use crate::config::{Policy, Refresher, SessionTimer};
use crate::error::{Error, ErrorKind, Result};
use crate::ffi::guard::{NONE, OK};
use crate::ffi::structs::{
    sipdlg_delegate_t, sipdlg_dialog_state_t, sipdlg_endpoint_t, sipdlg_event_t, sipdlg_explain_entry_t, sipdlg_flow_t,
    sipdlg_register_t, sipdlg_registered_t, sipdlg_request_options_t, sipdlg_response_options_t,
    sipdlg_session_timer_t, sipdlg_stats_t, sipdlg_status_t, sipdlg_str_t, sipdlg_tls_t, sipdlg_trace_entry_t,
    sipdlg_transmit_t,
};
use crate::flow::{Flow, Transport};
use std::ffi::{CStr, c_char, c_void};
use std::mem::{align_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ptr;
use std::slice;

/// No struct of this header will ever be longer: a larger `size` is a mistake, not a newer header.
const LONGEST_STRUCT: usize = 4096;

/// A struct of the header that begins with `size` and may grow.
///
/// # Safety
/// The type is `#[repr(C)]`, its first field is the `usize` size, and all-zero bytes are a value of it.
pub(crate) unsafe trait SizeFirst: Copy {
    /// Its C name, for people.
    const NAME: &'static str;
}

macro_rules! size_first {
    ($($name:ident)*) => {
        $(
            // SAFETY: `repr(C)`, `size: usize` first, and every field is a number, a pointer, an optional function or
            // a struct of these.
            unsafe impl SizeFirst for $name {
                const NAME: &'static str = stringify!($name);
            }
        )*
    };
}
size_first! {
    sipdlg_event_t sipdlg_delegate_t sipdlg_request_options_t sipdlg_response_options_t sipdlg_transmit_t
    sipdlg_stats_t sipdlg_dialog_state_t sipdlg_explain_entry_t sipdlg_trace_entry_t sipdlg_tls_t
    sipdlg_register_t sipdlg_registered_t
}

fn structure(detail: String) -> Error {
    Error::new(ErrorKind::Struct, detail)
}

/// All zeros but `size`: what the _INIT macros make.
#[cfg(test)]
pub(crate) fn zeroed<T: SizeFirst>() -> T {
    // SAFETY: `SizeFirst` says that zeros are a value and that `size` stands first.
    unsafe {
        let mut value = std::mem::zeroed::<T>();
        (&raw mut value).cast::<usize>().write(size_of::<T>());
        value
    }
}

/// Reads `size` and refuses what no compiler gives: less than the field itself, a part of a field, more than any
/// struct has.
///
/// # Safety
/// `pointer` is readable for a `usize`.
unsafe fn size_of_struct<T: SizeFirst>(pointer: *const T) -> Result<usize> {
    // SAFETY: promised by the caller; the field stands first.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    if size < size_of::<usize>() || size > LONGEST_STRUCT || size % align_of::<T>() != 0 {
        return Err(structure(format!("{}.size is {size}; set it by the _INIT macro or by sizeof", T::NAME)));
    }
    Ok(size)
}

/// Reads a struct that the host filled: a shorter one is filled up with zeros, a longer one must have a tail of zeros.
/// NULL is `None`.
///
/// # Safety
/// `pointer` is NULL or readable for the `size` that stands there.
pub(crate) unsafe fn read_struct<T: SizeFirst>(pointer: *const T) -> Result<Option<T>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    let size = unsafe { size_of_struct(pointer) }?;
    if let Some(more) = size.checked_sub(size_of::<T>()) {
        // SAFETY: the caller promises `size` readable bytes, of which these are the last `more`.
        let tail = unsafe { slice::from_raw_parts(pointer.cast::<u8>().add(size_of::<T>()), more) };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(structure(format!("{} holds something that this version does not know", T::NAME)));
        }
    }
    // SAFETY: `SizeFirst` says that zeros are a value; the copy stays within both sizes, which do not overlap.
    let value = unsafe {
        let mut value = std::mem::zeroed::<T>();
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast::<u8>(), size.min(size_of::<T>()));
        value
    };
    Ok(Some(value))
}

/// How much of a struct the host has room for; ERR_STRUCT before anything is done that the host would then not see.
/// NULL is `None`.
///
/// # Safety
/// `out` is NULL or readable for a `usize`.
pub(crate) unsafe fn room<T: SizeFirst>(out: *const T) -> Result<Option<usize>> {
    if out.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    unsafe { size_of_struct(out) }.map(Some)
}

/// Fills a struct of the host as far as its `size` goes, which it keeps. NULL does nothing.
///
/// # Safety
/// `out` is NULL or writable for the `size` that stands there.
pub(crate) unsafe fn fill_struct<T: SizeFirst>(out: *mut T, value: &T) -> Result<()> {
    // SAFETY: promised by the caller.
    let Some(room) = (unsafe { room(out) })? else { return Ok(()) };
    let count = room.min(size_of::<T>()) - size_of::<usize>();
    // SAFETY: `room` bytes are writable, all of `value` is readable, and the two do not overlap; `size` is skipped.
    unsafe {
        let from = ptr::from_ref(value).cast::<u8>().add(size_of::<usize>());
        ptr::copy_nonoverlapping(from, out.cast::<u8>().add(size_of::<usize>()), count);
    }
    Ok(())
}

/// Writes a result where the host wants one. NULL does nothing.
///
/// # Safety
/// `out` is NULL or writable.
pub(crate) unsafe fn write_out<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: promised by the caller; unaligned, because a host of another language may not care.
        unsafe { out.write_unaligned(value) }
    }
}

/// Writes what may not be there: [`NONE`] then, and nothing is written.
///
/// # Safety
/// `out` is NULL or writable.
pub(crate) unsafe fn write_optional<T>(out: *mut T, value: Option<T>) -> sipdlg_status_t {
    match value {
        Some(value) => {
            // SAFETY: promised by the caller.
            unsafe { write_out(out, value) };
            OK
        }
        None => NONE,
    }
}

/// Text of the host. NULL is `None`.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and stays as it is for `'a`.
pub(crate) unsafe fn optional_text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: promised by the caller.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Text of the host that must be there; `name` is the parameter's.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &'static str) -> Result<&'a [u8]> {
    // SAFETY: promised by the caller.
    unsafe { optional_text(text) }.ok_or_else(|| Error::argument(format!("{name} is NULL")))
}

/// Bytes of the host; `name` is the parameter's. NULL is good for none.
///
/// # Safety
/// `data` is NULL or readable for `len` bytes, and stays as it is for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &'static str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::argument(format!("{name} is NULL and its length is not 0")));
    }
    if isize::try_from(len).is_err() {
        return Err(Error::argument(format!("the length of {name} is beyond all memory")));
    }
    // SAFETY: not NULL, of a possible length, and readable as the caller promises.
    Ok(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
}

/// A list of texts that ends with NULL. NULL is an empty one.
///
/// # Safety
/// `list` is NULL or an array of texts that ends with NULL, and stays as it is for `'a`.
pub(crate) unsafe fn text_list<'a>(list: *const *const c_char) -> Vec<&'a [u8]> {
    let mut texts = Vec::new();
    if list.is_null() {
        return texts;
    }
    let mut next = list;
    // SAFETY: the caller promises that every entry up to the NULL is readable and a text.
    while let Some(text) = unsafe { optional_text(next.read_unaligned()) } {
        texts.push(text);
        // SAFETY: the entry was not the NULL at the end, so there is one more.
        next = unsafe { next.add(1) };
    }
    texts
}

/// Gives text by the rule of `snprintf`: at most `capacity - 1` bytes and a NUL; `needed` always.
///
/// # Safety
/// `buffer` is NULL or writable for `capacity` bytes; `needed` is NULL or writable.
pub(crate) unsafe fn give_text(text: &[u8], buffer: *mut c_char, capacity: usize, needed: *mut usize) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe { write_out(needed, text.len()) };
    if buffer.is_null() {
        // Asking for the length is not a failure.
        return if capacity == 0 { Ok(()) } else { Err(Error::argument("buffer is NULL and capacity is not 0")) };
    }
    if let Some(most) = capacity.checked_sub(1) {
        let count = text.len().min(most);
        // SAFETY: `count + 1` is at most `capacity`.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), count);
            buffer.cast::<u8>().add(count).write(0);
        }
    }
    if text.len() >= capacity {
        return Err(Error::new(
            ErrorKind::Buffer,
            format!("{} bytes do not fit into {capacity} with their NUL", text.len()),
        ));
    }
    Ok(())
}

/// Borrowed bytes for the host; NULL when there are none, and not when they are empty.
pub(crate) fn borrowed(bytes: Option<&[u8]>) -> sipdlg_str_t {
    match bytes {
        // Rust's empty slice may point nowhere.
        Some([]) => sipdlg_str_t { data: c"".as_ptr(), len: 0 },
        Some(bytes) => sipdlg_str_t { data: bytes.as_ptr().cast(), len: bytes.len() },
        None => sipdlg_str_t { data: ptr::null(), len: 0 },
    }
}

/// What to do with a mechanism.
pub(crate) fn policy(number: i32) -> Result<Policy> {
    let policies = [Policy::Off, Policy::Supported, Policy::Required];
    let known = policies.into_iter().find(|known| *known as i32 == number);
    known.ok_or_else(|| Error::argument(format!("policy is {number}")))
}

/// Terms of session timers.
pub(crate) fn session_timer(terms: sipdlg_session_timer_t) -> Result<SessionTimer> {
    let sipdlg_session_timer_t { policy: number, interval_s, min_se_s, refresher } = terms;
    let refreshers = [Refresher::Any, Refresher::Local, Refresher::Remote];
    let known = refreshers.into_iter().find(|known| *known as i32 == refresher);
    let refresher = known.ok_or_else(|| Error::argument(format!("refresher is {refresher}")))?;
    SessionTimer::new(policy(number)?, interval_s, min_se_s, refresher)
}

/// A boolean: 0 or 1; `name` is the parameter's.
pub(crate) fn boolean(value: i32, name: &'static str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::argument(format!("{name} is {other}; it must be 0 or 1"))),
    }
}

impl sipdlg_endpoint_t {
    /// No address.
    pub(crate) const NONE: Self = Self { ip: [0; 16], scope: 0, port: 0, family: 0 };

    /// The address, if it is one. Errors: an unknown family.
    pub(crate) fn address(&self) -> Result<Option<SocketAddr>> {
        let [a, b, c, d, ..] = self.ip;
        match self.family {
            0 => Ok(None),
            4 => Ok(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), self.port))),
            6 => Ok(Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(self.ip), self.port, 0, self.scope)))),
            other => Err(Error::argument(format!("endpoint: family {other}; it must be 0, 4 or 6"))),
        }
    }
}

impl From<SocketAddr> for sipdlg_endpoint_t {
    fn from(address: SocketAddr) -> Self {
        let mut endpoint = Self { port: address.port(), ..Self::NONE };
        match address {
            SocketAddr::V4(address) => {
                let [a, b, c, d] = address.ip().octets();
                endpoint.ip[..4].copy_from_slice(&[a, b, c, d]);
                endpoint.family = 4;
            }
            SocketAddr::V6(address) => {
                endpoint.ip = address.ip().octets();
                endpoint.scope = address.scope_id();
                endpoint.family = 6;
            }
        }
        endpoint
    }
}

impl From<Option<SocketAddr>> for sipdlg_endpoint_t {
    fn from(address: Option<SocketAddr>) -> Self {
        address.map_or(Self::NONE, Self::from)
    }
}

impl sipdlg_flow_t {
    /// The flow. Errors: transport 0 or unknown, an unknown family, `reserved` not 0.
    pub(crate) fn flow(&self) -> Result<Flow> {
        if self.reserved != 0 {
            return Err(Error::argument("flow: reserved is not 0"));
        }
        let transport = Transport::from_number(self.transport).ok_or_else(|| {
            Error::argument(format!("flow: transport is {}; it must be 1 (UDP) to 5 (WSS)", self.transport))
        })?;
        Ok(Flow { transport, link: self.link, local: self.local.address()?, remote: self.remote.address()? })
    }
}

impl From<&Flow> for sipdlg_flow_t {
    fn from(flow: &Flow) -> Self {
        Self {
            transport: flow.transport as i32,
            reserved: 0,
            link: flow.link,
            local: flow.local.into(),
            remote: flow.remote.into(),
        }
    }
}

/// A flow of the host. NULL is `None`.
///
/// # Safety
/// `flow` is NULL or readable.
pub(crate) unsafe fn optional_flow(flow: *const sipdlg_flow_t) -> Result<Option<Flow>> {
    if flow.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    unsafe { flow.read_unaligned() }.flow().map(Some)
}

/// A flow of the host that must be there.
///
/// # Safety
/// `flow` is NULL or readable.
pub(crate) unsafe fn flow(flow: *const sipdlg_flow_t) -> Result<Flow> {
    // SAFETY: promised by the caller.
    unsafe { optional_flow(flow) }?.ok_or_else(|| Error::argument("flow is NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct as a host of another version would hold it: `size` bytes, of which `fill` makes the content.
    fn foreign(size: usize, fill: impl Fn(&mut [u8])) -> Vec<u64> {
        let mut words = vec![0u64; size.div_ceil(8).max(1)];
        // SAFETY: the vector's own bytes.
        let bytes = unsafe { slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), words.len() * 8) };
        bytes[..8].copy_from_slice(&size.to_ne_bytes());
        fill(bytes);
        words
    }

    fn read(words: &[u64]) -> Result<Option<sipdlg_response_options_t>> {
        // SAFETY: the vector is as long as its size field says.
        unsafe { read_struct(words.as_ptr().cast()) }
    }

    #[test]
    fn structs_of_other_versions() {
        let ours = size_of::<sipdlg_response_options_t>();
        // SAFETY: NULL is allowed.
        assert!(unsafe { read_struct::<sipdlg_response_options_t>(ptr::null()) }.unwrap().is_none());
        let short = read(&foreign(16, |bytes| bytes[8] = 1)).unwrap().unwrap();
        assert_eq!((short.flags, short.headers.is_null(), short.to_tag.is_null()), (1, true, true));
        assert!(read(&foreign(ours, |_| ())).unwrap().is_some());
        assert!(read(&foreign(ours + 64, |_| ())).unwrap().is_some());
        let tail = read(&foreign(ours + 64, |bytes| bytes[ours + 63] = 1)).unwrap_err();
        assert_eq!(tail.kind, ErrorKind::Struct);
        for size in [0, 4, 7, 12, ours - 1, LONGEST_STRUCT + 8, usize::MAX] {
            let words = [size as u64, 0];
            assert_eq!(read(&words).unwrap_err().kind, ErrorKind::Struct, "{size}");
        }
    }

    #[test]
    fn filling_keeps_to_the_room() {
        // SAFETY: all-zero is a value.
        let mut value: sipdlg_stats_t = unsafe { std::mem::zeroed() };
        (value.size, value.sessions, value.incoming) = (1, 2, 3);
        let mut words = [16u64, 77, 78];
        // SAFETY: 16 bytes are there.
        unsafe { fill_struct(words.as_mut_ptr().cast(), &value) }.unwrap();
        assert_eq!(words, [16, 2, 78]);
        words[0] = 12;
        // SAFETY: a size is there.
        assert!(unsafe { fill_struct::<sipdlg_stats_t>(words.as_mut_ptr().cast(), &value) }.is_err());
        assert_eq!(words, [12, 2, 78]);
    }

    #[test]
    fn text_out_is_snprintf() {
        let give = |text: &[u8], capacity: usize| {
            let mut buffer = [b'#'; 8];
            let mut needed = 99;
            // SAFETY: capacity is at most the buffer's.
            let result = unsafe { give_text(text, buffer.as_mut_ptr().cast(), capacity, &mut needed) };
            (result.map_err(|error| error.kind), buffer, needed)
        };
        assert_eq!(give(b"abc", 4), (Ok(()), *b"abc\0####", 3));
        assert_eq!(give(b"abc", 3), (Err(ErrorKind::Buffer), *b"ab\0#####", 3));
        assert_eq!(give(b"abc", 1), (Err(ErrorKind::Buffer), *b"\0#######", 3));
        assert_eq!(give(b"abc", 0), (Err(ErrorKind::Buffer), *b"########", 3));
        // SAFETY: NULL is allowed.
        let asked = unsafe { give_text(b"abc", ptr::null_mut(), 0, ptr::null_mut()) };
        assert_eq!(asked, Ok(()));
        // SAFETY: NULL is looked at first.
        let wrong = unsafe { give_text(b"abc", ptr::null_mut(), 9, ptr::null_mut()) };
        assert_eq!(wrong.unwrap_err().kind, ErrorKind::Argument);
    }

    #[test]
    fn endpoints_and_flows_there_and_back() {
        for text in ["192.0.2.1:5060", "[2001:db8::1]:5061", "[fe80::1%7]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(sipdlg_endpoint_t::from(address).address().unwrap(), Some(address));
        }
        assert_eq!(sipdlg_endpoint_t::NONE.address().unwrap(), None);
        assert!(sipdlg_endpoint_t { family: 5, ..sipdlg_endpoint_t::NONE }.address().is_err());
        let flow = Flow { link: 9, ..Flow::new(Transport::Ws, Some("192.0.2.1:80".parse().unwrap()), None) };
        let c = sipdlg_flow_t::from(&flow);
        assert_eq!(c.flow().unwrap(), flow);
        assert!(sipdlg_flow_t { transport: 0, ..c }.flow().is_err());
        assert!(sipdlg_flow_t { transport: 6, ..c }.flow().is_err());
        assert!(sipdlg_flow_t { reserved: 1, ..c }.flow().is_err());
    }

    #[test]
    fn lists_end_with_null() {
        let list = [c"a: b".as_ptr(), c"c: d".as_ptr(), ptr::null()];
        // SAFETY: ends with NULL.
        assert_eq!(unsafe { text_list(list.as_ptr()) }, [&b"a: b"[..], b"c: d"]);
        // SAFETY: NULL is allowed.
        assert!(unsafe { text_list(ptr::null()) }.is_empty());
    }
}
