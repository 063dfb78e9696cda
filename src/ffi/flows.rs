//! Section "flows" of the header: what is known of a way beside the messages on it.

use crate::ffi::agent::{found, with_agent};
use crate::ffi::convert::{bytes, flow as read_flow};
use crate::ffi::guard::{OK, guard};
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_flow_t, sipdlg_status_t};
use std::ffi::c_void;

/// Keeps a flow alive (RFC 5626 §4.4): every every_s, or a little sooner (drawn anew between 80 and 100 %), CR LF CR LF goes
/// there; 0: no more. Over a connection, by its link, something has to come back within 10 s, else it is dead: requests in
/// flight on it go elsewhere, and a host with sockets of its own gets a transmit without bytes (see sipdlg_transmit_t). Over
/// UDP the bytes keep a binding of a NAT open, nothing is waited for, and there is no STUN. Ends with
/// sipdlg_agent_link_closed(). Of a connection by which a registrar answered with Flow-Timer it is done by itself.
/// Errors: ERR_ARGUMENT no remote address, a connection without link, more than 86400.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_keep_alive(
    agent: sipdlg_agent_t,
    flow: *const sipdlg_flow_t,
    every_s: u32,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers in.
        let flow = unsafe { read_flow(flow) }?;
        with_agent(agent, |inner, now| inner.core.keep_alive(now, &flow, every_s))?;
        Ok(OK)
    })
}

/// Says that a datagram of UDP did not arrive: what an error of ICMP quotes of it, and the address it was sent to in
/// flow->remote (for instance from recvmsg() with MSG_ERRQUEUE). The request whose branch stands there and that waits for
/// an answer from there goes to the next target or gets a local 503, as after sipdlg_agent_transmit_failed(); a quotation
/// that ends before the branch is nobody's, for anyone may have made it up. The library's sockets do so for unreachable
/// hosts, networks, protocols and ports, and parameter problems (RFC 3261 §18.4). SIPDLG_NONE: no one waits for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_unreachable(
    agent: sipdlg_agent_t,
    flow: *const sipdlg_flow_t,
    data: *const c_void,
    len: usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers and bytes in.
        let (flow, quoted) = unsafe { (read_flow(flow)?, bytes(data, len, "data")?) };
        with_agent(agent, |inner, now| Ok(found(inner.core.unreachable(now, &flow, quoted))))
    })
}
