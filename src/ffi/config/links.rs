//! Settings of the library's sockets.

use super::{set, sipdlg_config_t};
use crate::ffi::structs::{sipdlg_status_t, sipdlg_tls_t};
use crate::ffi::tls::security;

/// Connections of the library's sockets; 0 keeps a default. connections: at a time, 10000; beyond, the oldest that has not
/// brought one whole message goes for a newcomer or for a request of ours; where there is none, the newcomer is not taken and
/// the request gets a local 503. address_connections: those that one IP address may have made, 0 any number (a proxy is one
/// address). idle_s: when its peer has been silent for so long, one that no call and no request needs is closed; default 900, -1
/// never. connect_ms: in which a peer has to answer, and under TLS to agree, before the next target is tried; default 5000.
/// Whoever comes and has not brought a whole message after 32 s goes. What a connection does not take waits: at most 1 MiB or
/// 4096 messages, of all connections 64 MiB together; beyond, a request goes to the next target or gets a local 503.
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
