//! Section "capture" of the header: what passes, written where other programs read it.
//!
//! In the header:
//! The messages of the trace, without what sipdlg_config_set_redact() names, TLS and WebSockets in plain. Written by whichever
//! thread is inside the library, with nothing locked; what cannot be written is counted (stats.capture_lost) and harms no
//! call. ERR_UNSUPPORTED where it is not built in.

use crate::capture::{Capture, Hep, Pcap};
use crate::error::{Error, Result};
use crate::ffi::agent::with_agent;
use crate::ffi::convert::optional_text;
use crate::ffi::guard::{OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t};
use std::ffi::c_char;

/// Writes every message from now on into a new pcap file, which takes the place of one that is there; NULL: no more. TCP and
/// TLS are shown as TCP, the others as UDP. No pipe. Errors: ERR_SYSTEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_capture_pcap(agent: sipdlg_agent_t, path: *const c_char) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let path = unsafe { optional_text(path) };
        with_agent(agent, |_, _| Ok(()))?;
        let pcap = path.map(Pcap::create).transpose()?;
        change(agent, |capture| capture.set_pcap(pcap))
    })
}

/// Sends every message from now on as HEP3 over UDP to "host:port", which is looked up here; NULL: no more. password NULL:
/// none; at most 255 bytes. One of more than a datagram is cut. Errors: ERR_SYNTAX, ERR_SYSTEM, ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_capture_hep(
    agent: sipdlg_agent_t,
    address: *const c_char,
    capture_id: u32,
    password: *const c_char,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let (address, password) = unsafe { (optional_text(address), optional_text(password)) };
        with_agent(agent, |_, _| Ok(()))?;
        let open = |address: &[u8]| {
            let address = std::str::from_utf8(address).map_err(|_| Error::syntax("address is not UTF-8"))?;
            Hep::open(address, capture_id, password.unwrap_or_default())
        };
        let hep = address.map(open).transpose()?;
        change(agent, |capture| capture.set_hep(hep))
    })
}

/// What is written from now on; what was seen before goes where it went.
fn change(agent: sipdlg_agent_t, change: impl FnOnce(&mut Capture)) -> Result<i32> {
    let taps = with_agent(agent, |inner, _| Ok(inner.taps()))?;
    taps.with_capture(change);
    handle::find(agent, Kind::Agent)?.watch(agent)?;
    Ok(OK)
}
