//! Settings of the library's sockets.

use super::{set, sipdlg_config_t};
use crate::error::{Error, ErrorKind};
use crate::ffi::convert::{boolean, optional_text, text_list};
use crate::ffi::structs::{sipdlg_status_t, sipdlg_tls_t};
use crate::ffi::tls::security;
use std::ffi::c_char;

/// Connections of the library's sockets; 0 keeps a default. connections: at a time, 10000; beyond, the oldest that has not
/// brought one whole message goes for a newcomer or for a request of ours; where there is none, the newcomer is not taken and
/// the request gets a local 503. address_connections: those that one IP address, or network of IPv6 (64 bits), may have made, 0
/// any number (a proxy is one address). idle_s: when its peer has been silent for so long, one that no call and no request needs
/// is closed; default 900, -1 never. connect_ms: in which a peer has to answer, and to agree on TLS and WebSocket, before the
/// next target is tried; default 5000. Whoever comes and has not brought a whole message after 32 s goes; at a WebSocket, where
/// pages wait for calls: has not upgraded, or answers no ping. What a connection does not take waits: at most 1 MiB or 4096
/// messages, of all connections 64 MiB together; beyond, a request goes to the next target or gets a local 503.
/// Errors: ERR_ARGUMENT connections above 1048576, idle_s below -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_connections(
    config: *mut sipdlg_config_t,
    connections: u32,
    address_connections: u32,
    idle_s: i32,
    connect_ms: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_connections(connections, address_connections, idle_s, connect_ms)) }
}

/// What becomes of calls whose link is lost. wait_ms: so long a request of ours in such a dialog waits for another one (a
/// message of the peer on a connection, sipdlg_agent_move_link(), sipdlg_session_set_flow()) before it gets its local 503,
/// where its target cannot be reached otherwise: a host `*.invalid`, or an address that takes no connection. Default 0: none
/// waits. by_name: whether a client with such a host (RFC 7118) takes its dialogs with it when it comes back with any
/// request, whose Contact (user and host), or where that names nobody else whose Via names it: at once those whose link is
/// lost, others when the host gives the request a 2xx; never from TLS or WSS to the clear. Default 1. For either the name is
/// what a stranger would have to guess: clients draw it at random. Errors: ERR_ARGUMENT wait_ms above 3600000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_reconnect(
    config: *mut sipdlg_config_t,
    wait_ms: u32,
    by_name: i32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_reconnect(wait_ms, boolean(by_name, "by_name")?)) }
}

/// most: requests of ours with more bytes go by TCP where they would go by UDP, if there is a TCP transport (RFC 3261
/// §18.1.1); back by UDP when no connection is to be had there, which is then not tried again for ten minutes. Not where the
/// URI has transport=udp, or a flow was given or learned. Default 1300; 0: none does. Errors: ERR_ARGUMENT below 548, above
/// 65535.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_datagram_bytes(config: *mut sipdlg_config_t, most: u32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_datagram_bytes(most)) }
}

/// NAT over UDP; connections need nothing. own: our Contact, unless it was given, says where we are seen: `received` and
/// `rport` (RFC 3581) of the last response to a REGISTER that came to the socket, before there is one of any response. Who
/// has registered does so again when sipdlg_agent_seen_at() changes. peers: requests in a dialog go where its last message
/// came from, whatever its Contact says, while that is the next hop. Default 0, 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_nat(config: *mut sipdlg_config_t, own: i32, peers: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_nat(boolean(own, "own")?, boolean(peers, "peers")?)) }
}

/// Packets of the library's sockets, of UDP and of connections; NULL and 0 leave it to the system. interface: the name of the
/// network interface that all of them come and go by ("eth0"); an address to listen on is chosen in sipdlg_agent_listen().
/// dscp: 1 to 63, as routers know it (RFC 2474; 40 for signalling, RFC 4594). priority: 1 to 6 in the queues of this host
/// (SO_PRIORITY). What the system does not grant is ERR_SYSTEM of sipdlg_agent_listen(), whose text names it.
/// Errors: ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_sockets(
    config: *mut sipdlg_config_t,
    interface: *const c_char,
    dscp: u32,
    priority: u32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`, and the header's rule for text in.
    unsafe { set(config, |config| config.core.set_sockets(optional_text(interface), dscp, priority)) }
}

/// Keeps each connection that the library opens alive, as sipdlg_agent_keep_alive() does one: the seconds; 0, and default:
/// none but those of which a registrar says so. For peers that answer (RFC 5626, RFC 6223), for one that does not is taken for
/// dead. What is kept alive is never idle. Errors: ERR_ARGUMENT above 86400.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_keep_alive(config: *mut sipdlg_config_t, every_s: u32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe { set(config, |config| config.core.set_keep_alive(every_s)) }
}

/// 1: our Contact in dialogs, where the host has not set one, says `ob`: a registrar's or proxy's edge sends what comes in them
/// by the flow that it came by (RFC 5626 §4.3), for those who are reached by no other. Default 0.
/// Errors: ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_outbound(config: *mut sipdlg_config_t, on: i32) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`.
    unsafe {
        set(config, |config| {
            config.core.outbound = boolean(on, "on")?;
            Ok(())
        })
    }
}

/// Certificates for TLS of the library's sockets. NULL, and default: none, so that connections are only opened; whom the system
/// trusts; VERIFY_NAME. Errors: ERR_SYNTAX what is no PEM; ERR_SYSTEM a file that cannot be read; ERR_ARGUMENT a key that is
/// not the certificate's or one without the other, no authority that can be used, `clients` without certificates;
/// ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_tls(
    config: *mut sipdlg_config_t,
    tls: *const sipdlg_tls_t,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`, and the header's rule for structs.
    unsafe {
        set(config, |config| {
            config.security = Some(security(tls)?);
            Ok(())
        })
    }
}

/// Name servers that the library's sockets have the names of RESOLVE from: "127.0.0.1:5353,[::1]:53", 1 to 8, the port 53 where
/// none is given. NULL, and default: those of /etc/resolv.conf with its search list (for names without a dot), timeout and
/// attempts, read again when it changes. A name in /etc/hosts has its addresses there and no records; nobody is asked for
/// localhost and what ends in .invalid. Answers are kept by their TTL. Errors: ERR_SYNTAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_resolver(
    config: *mut sipdlg_config_t,
    addresses: *const c_char,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`; text as the header says.
    unsafe { set(config, |config| config.core.set_name_servers(optional_text(addresses))) }
}

/// WebSockets of the library's sockets (RFC 7118). path and headers ("Name: value" strings, NULL at the end; Origin, Cookie,
/// Authorization) are those of the request that opens one of ours; default "/" and none. ping_s: how often a peer is asked
/// whether it is there (RFC 6455 §5.5.2), of either side's making; one that has been silent until it would be asked again is
/// lost. 0 keeps the default of 25, -1 never: then who comes and brings no message goes as over TCP.
/// Errors: ERR_SYNTAX, also a header that the library writes itself; ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_config_set_websocket(
    config: *mut sipdlg_config_t,
    path: *const c_char,
    headers: *const *const c_char,
    ping_s: i32,
) -> sipdlg_status_t {
    // SAFETY: the caller's promises are those of `set`, and the header's rules for texts in.
    unsafe {
        set(config, |config| {
            if !cfg!(feature = "websocket") {
                return Err(Error::new(ErrorKind::Unsupported, "this build has no WebSocket"));
            }
            config.core.set_websocket(optional_text(path), &text_list(headers), ping_s)
        })
    }
}
