//! Section "registration" of the header: REGISTER of ours.
//!
//! In the header:
//! The library writes REGISTER and reads what came of it; when it goes out again, and over what, is the host's:
//! sipdlg_agent_register() with options->call_id always the same; on ACCEPT sipdlg_message_registered() says when to do so
//! again; on REJECT with 423 ask for min_expires_s; on any other wait sipdlg_agent_backoff(), and retry_after_s at least; at the
//! end SIPDLG_REGISTER_UNBIND. See examples-c/phone.c.

#![allow(non_camel_case_types)]

use crate::agent::{Agent, Asks, Registering, RequestOptions};
use crate::error::{Error, Result};
use crate::ffi::agent::with_agent;
use crate::ffi::convert::{fill_struct, give_text, optional_text, read_struct, room, text, write_out};
use crate::ffi::guard::{OK, guard};
use crate::ffi::message::message;
use crate::ffi::options::with_options;
use crate::ffi::structs::{
    sipdlg_agent_t, sipdlg_message_t, sipdlg_outgoing_t, sipdlg_register_t, sipdlg_registered_t,
    sipdlg_request_options_t, sipdlg_status_t,
};
use crate::message::{Message, Registered};
use std::ffi::c_char;
use std::io;

/// What a REGISTER asks for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sipdlg_register_asks_e {
    /// our Contact is bound to the AOR, or stays so
    SIPDLG_REGISTER_BIND = 0,
    /// its binding ends
    SIPDLG_REGISTER_UNBIND = 1,
    /// all that is bound is asked for, and nothing changed (no Contact)
    SIPDLG_REGISTER_QUERY = 2,
}

/// # Safety
/// `binding` is NULL or readable for its `size`, and so are its texts, for `'a`.
unsafe fn registering<'a>(binding: *const sipdlg_register_t) -> Result<Registering<'a>> {
    // SAFETY: promised by the caller.
    let Some(given) = (unsafe { read_struct(binding) })? else { return Ok(Registering::default()) };
    let asks = Asks::from_number(given.asks)
        .ok_or_else(|| Error::argument(format!("register.asks is {}; it must be 0 to 2", given.asks)))?;
    // SAFETY: promised by the caller.
    let instance = unsafe { optional_text(given.instance) };
    Ok(Registering { asks, expires_s: given.expires_s, cseq: given.cseq, reg_id: given.reg_id, instance })
}

/// REGISTER (RFC 3261 §10.2). registrar: the URI of the domain, "sip:example.com". To and From are the AOR unless options say
/// otherwise. Contact is ours as in a dialog, of the way that the request goes, with what `binding` (NULL: all usual) says of
/// it, unless the host writes one; so it is in a REGISTER of sipdlg_agent_request(). A 2xx with Flow-Timer keeps its connection
/// alive (sipdlg_agent_keep_alive()). Errors: as sipdlg_agent_request(); ERR_SYNTAX instance is no URN;
/// ERR_ARGUMENT a reg_id without instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_register(
    agent: sipdlg_agent_t,
    registrar: *const c_char,
    binding: *const sipdlg_register_t,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for text in and structs.
        let (registrar, binding) = unsafe { (text(registrar, "registrar")?, registering(binding)?) };
        let token = with_agent(agent, |inner, now| {
            let register =
                |core: &mut Agent, options: RequestOptions<'_>| core.register(now, registrar, binding, options);
            // SAFETY: the header's rule for structs.
            let id = unsafe { with_options(options, inner, register) }?;
            Ok(inner.outgoing_token(id))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// What came of a REGISTER: `request` as it was sent (sipdlg_outgoing_message()), `response` its final one; NULL: there was
/// none. `out->size` must be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_message_registered(
    response: *const sipdlg_message_t,
    request: *const sipdlg_message_t,
    out: *mut sipdlg_registered_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs. Before anything else is wrong.
        unsafe { room(out) }?;
        // SAFETY: the caller promises that the messages live.
        let (request, response) =
            unsafe { (message(request)?, if response.is_null() { None } else { Some(message(response)?) }) };
        if !request.is_request() {
            return Err(Error::argument("request is a response"));
        }
        if response.is_some_and(Message::is_request) {
            return Err(Error::argument("response is a request"));
        }
        let found = Registered::of(response, request);
        let registered = sipdlg_registered_t {
            size: size_of::<sipdlg_registered_t>(),
            expires_s: found.expires_s,
            refresh_s: found.refresh_s,
            min_expires_s: found.min_expires_s,
            retry_after_s: found.retry_after_s,
            flow_timer_s: found.flow_timer_s,
            next_cseq: found.next_cseq,
            bindings: found.bindings,
            outbound: i32::from(found.outbound),
        };
        // SAFETY: the header's rule for structs.
        unsafe { fill_struct(out, &registered) }?;
        Ok(OK)
    })
}

/// How long to wait after `failures` registrations in a row that failed, in milliseconds: drawn between a half and the whole of
/// base_s, doubled for each, and most_s at most, so that those who failed together do not come again together (RFC 5626
/// §4.5). 0: 30 and 1800 s; 90 is the base where another flow still works.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_backoff(
    agent: sipdlg_agent_t,
    failures: u32,
    base_s: u32,
    most_s: u32,
    delay_ms: *mut u64,
) -> sipdlg_status_t {
    guard(|| {
        let delay = with_agent(agent, |inner, _| Ok(inner.core.backoff(failures, base_s, most_s)))?;
        // SAFETY: the caller promises that `delay_ms`, when not NULL, is writable.
        unsafe { write_out(delay_ms, u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)) };
        Ok(OK)
    })
}

/// A new "urn:uuid:..." (RFC 4122 §4.4) for sipdlg_register_t.instance. A device has one for ever: the host keeps it. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_instance_new(
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::system(&io::Error::other(error.to_string())))?;
        // Version 4, and the variant of that RFC.
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
        (*version, *variant) = (*version & 0x0f | 0x40, *variant & 0x3f | 0x80);
        let mut urn = "urn:uuid:".to_owned();
        for (at, byte) in bytes.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            urn += &format!("{dash}{byte:02x}");
        }
        // SAFETY: the header's rule for text out.
        unsafe { give_text(urn.as_bytes(), buffer, capacity, needed) }?;
        Ok(OK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_core() {
        use sipdlg_register_asks_e::*;
        for (core, c) in [
            (Asks::Bind, SIPDLG_REGISTER_BIND),
            (Asks::Unbind, SIPDLG_REGISTER_UNBIND),
            (Asks::Query, SIPDLG_REGISTER_QUERY),
        ] {
            assert_eq!((core as i32, Asks::from_number(c as i32)), (c as i32, Some(core)));
        }
        assert_eq!(Asks::from_number(3), None);
    }
}
