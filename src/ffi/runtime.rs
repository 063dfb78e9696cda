//! Section "runtime" of the header: sockets and threads of the library.
//!
//! In the header:
//! Sockets and threads of the library; ERR_UNSUPPORTED where they are not built in.

use crate::error::{Error, ErrorKind};
use crate::ffi::agent::with_agent;
use crate::ffi::cell::{Drive, Driver};
use crate::ffi::convert::{boolean, give_text, optional_text, text};
use crate::ffi::guard::{NONE, OK, guard, guard_always};
use crate::ffi::handle::{self, Kind};
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t, sipdlg_tls_t};
use crate::ffi::tls::security;
use std::ffi::c_char;
use std::time::Duration;

/// Opens a socket: "udp:127.0.0.1:5070", "tcp:[::]:0", "tls:", "ws:", "wss:" likewise. Connections to peers need one of their
/// transport and address family: one with a port to be reached at, or without ("tcp:192.0.2.1", "tcp:[::]"), from where they are
/// only opened. One connection serves all calls to a peer; see sipdlg_config_set_connections(). At a WebSocket's port who does not
/// offer the subprotocol sip is refused (400); without a port our sent-by and Contact there are a random name .invalid (RFC 7118
/// §5). Errors: ERR_SYNTAX, ERR_SYSTEM, ERR_STATE tls or wss without certificates; ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_listen(agent: sipdlg_agent_t, address: *const c_char) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let address = unsafe { text(address, "address") }?;
        let address = std::str::from_utf8(address).map_err(|_| Error::syntax("address is not UTF-8"))?;
        let network = handle::find(agent, Kind::Agent)?.network(agent)?;
        let flow = network.listen(address)?;
        let added = with_agent(agent, |inner, _| inner.core.add_transport(&flow, None));
        if added.is_err() {
            network.unlisten(&flow);
        }
        added?;
        Ok(OK)
    })
}

/// The index-th address that is listened on, "udp:127.0.0.1:40712", as far as it was given without port "tcp:192.0.2.1";
/// SIPDLG_NONE beyond. Text out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_local_address(
    agent: sipdlg_agent_t,
    index: u32,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        let address = with_agent(agent, |inner, _| {
            Ok(inner.network.as_ref().and_then(|network| network.local_address(index as usize)))
        })?;
        let Some(address) = address else { return Ok(NONE) };
        // SAFETY: the header's rule for text out.
        unsafe { give_text(address.as_bytes(), buffer, capacity, needed) }?;
        Ok(OK)
    })
}

/// Other certificates from now on, as sipdlg_config_set_tls(): new connections have them, what is connected stays, no call
/// ends. On an error those before remain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_set_tls(agent: sipdlg_agent_t, tls: *const sipdlg_tls_t) -> sipdlg_status_t {
    guard(|| {
        let cell = handle::find(agent, Kind::Agent)?;
        // Nothing is read with the agent locked.
        with_agent(agent, |_, _| Ok(()))?;
        // SAFETY: the header's rule for structs.
        let security = unsafe { security(tls) }?;
        #[cfg(feature = "tls")]
        cell.network(agent)?.set_tls(security);
        #[cfg(not(feature = "tls"))]
        let _ = (cell, security);
        Ok(OK)
    })
}

/// Whom the certificate of the peer at a connection (`link` of sipdlg_message_flow()) names, the index-th: "sip:example.com" or
/// "example.com" (RFC 5922 §7.1). Authorities vouch for it where verify and clients ask for them. SIPDLG_NONE: beyond, or
/// it has shown none. Text out. Errors: ERR_STALE the connection is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_peer_name(
    agent: sipdlg_agent_t,
    link: u64,
    index: u32,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        let name = handle::find(agent, Kind::Agent)?.network(agent)?.peer_name(link, index as usize)?;
        let Some(name) = name else { return Ok(NONE) };
        // SAFETY: the header's rule for text out.
        unsafe { give_text(name.as_bytes(), buffer, capacity, needed) }?;
        Ok(OK)
    })
}

/// A header of the request by which a peer has opened the WebSocket `link` (sipdlg_message_flow()): "Origin", "Cookie", the
/// index-th of its name; name NULL: the path with its query. Of one that we have opened: of the peer's response. SIPDLG_NONE:
/// there is none. Text out. Errors: ERR_STALE the connection is gone; ERR_SYNTAX no UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_upgrade_header(
    agent: sipdlg_agent_t,
    link: u64,
    name: *const c_char,
    index: u32,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let name = unsafe { optional_text(name) }.map(std::str::from_utf8).transpose();
        let name = name.map_err(|_| Error::syntax("name is not UTF-8"))?;
        let value = handle::find(agent, Kind::Agent)?.network(agent)?.upgrade_header(link, name, index as usize)?;
        let Some(value) = value else { return Ok(NONE) };
        // SAFETY: the header's rule for text out.
        unsafe { give_text(&value, buffer, capacity, needed) }?;
        Ok(OK)
    })
}

/// Waits at most timeout_ms (-1: for ever) for network, timers or events, handles all that is there, delivers. On the
/// caller's thread. Returns early on a signal. Errors: ERR_BUSY.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_run_once(agent: sipdlg_agent_t, timeout_ms: i32) -> sipdlg_status_t {
    guard(|| {
        let timeout = match timeout_ms {
            -1 => None,
            other => Some(Duration::from_millis(
                u64::try_from(other)
                    .map_err(|_| Error::argument(format!("timeout_ms is {other}; it must be -1 or not negative")))?,
            )),
        };
        let network = handle::find(agent, Kind::Agent)?.network(agent)?;
        let driver = Driver::enter(agent, Drive::Both)?;
        let turned = network.run_once(driver.cell(), timeout);
        driver.cell().still_works()?;
        turned?;
        Ok(OK)
    })
}

/// The same on threads of the library: `workers` for the network and, with deliver 1, one that runs the callbacks; with
/// 0 the host dispatches or polls, woken by the event fd. All signals are blocked in them. Errors: ERR_STATE started
/// already; manual clock; ERR_UNSUPPORTED more than one worker, in this version.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_start(agent: sipdlg_agent_t, workers: u32, deliver: i32) -> sipdlg_status_t {
    guard(|| {
        let deliver = boolean(deliver, "deliver")?;
        match workers {
            0 => return Err(Error::argument("workers is 0")),
            1 => {}
            _ => return Err(Error::new(ErrorKind::Unsupported, "this version has one worker")),
        }
        handle::find(agent, Kind::Agent)?.start(agent, deliver)?;
        Ok(OK)
    })
}

/// Ends the threads that run now and waits for them, whoever starts the next ones meanwhile; sessions stay. From a
/// callback it takes effect when that returns.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_stop(agent: sipdlg_agent_t) -> sipdlg_status_t {
    guard_always(|| {
        handle::find(agent, Kind::Agent)?.stop(agent)?;
        Ok(OK)
    })
}
