//! Bodies of offers and answers to the host.

use crate::error::{Error, ErrorKind, Result};
use crate::ffi::convert::write_out;
use crate::ffi::guard::{NONE, OK};
use crate::ffi::structs::{sipdlg_body_view_t, sipdlg_str_t};
use crate::session::offer_answer::StoredBody;
use std::ffi::c_char;
use std::ptr;

/// Copies content, content type and disposition into the buffer, a NUL behind each, and points `out` there.
///
/// # Safety
/// `buffer` is NULL or writable for `capacity` bytes; `out` and `needed` are NULL or writable.
pub(crate) unsafe fn give_body(
    body: Option<&StoredBody>,
    out: *mut sipdlg_body_view_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> Result<i32> {
    let Some(body) = body else { return Ok(NONE) };
    let parts = [body.content(), body.content_type(), body.disposition()];
    // As with text: all of it without the last NUL.
    let total = parts.iter().map(|part| part.len() + 1).sum::<usize>() - 1;
    // SAFETY: promised by the caller.
    unsafe { write_out(needed, total) };
    if buffer.is_null() {
        return if capacity == 0 { Ok(OK) } else { Err(Error::argument("buffer is NULL and capacity is not 0")) };
    }
    if total >= capacity {
        return Err(Error::new(ErrorKind::Buffer, format!("{total} bytes do not fit into {capacity} with their NUL")));
    }
    let mut at = buffer;
    let views = parts.map(|part| {
        let view = sipdlg_str_t { data: at, len: part.len() };
        // SAFETY: all parts with their NULs are `total + 1` bytes, at most `capacity`.
        unsafe {
            ptr::copy_nonoverlapping(part.as_ptr(), at.cast::<u8>(), part.len());
            at = at.add(part.len());
            at.write(0);
            at = at.add(1);
        }
        view
    });
    let [content, content_type, disposition] = views;
    // SAFETY: promised by the caller.
    unsafe { write_out(out, sipdlg_body_view_t { content, content_type, disposition }) };
    Ok(OK)
}
