//! Certificates of the host for the library's sockets.

use crate::error::Result;
use crate::ffi::convert::read_struct;
use crate::ffi::structs::sipdlg_tls_t;
#[cfg(feature = "tls")]
use {
    crate::error::Error,
    crate::ffi::convert::{boolean, optional_text, policy},
    crate::runtime::tls::{Settings, Tls, Verify},
    std::sync::Arc,
};

/// What connections are secured with.
#[cfg(feature = "tls")]
pub(crate) type Security = Arc<Tls>;
/// Nothing, in this build.
#[cfg(not(feature = "tls"))]
pub(crate) type Security = std::sync::Arc<std::convert::Infallible>;

/// NULL is the default: no certificate, whom the system trusts. Errors: syntax, argument, system, struct, unsupported.
///
/// # Safety
/// The header's rule for structs and texts in.
pub(crate) unsafe fn security(tls: *const sipdlg_tls_t) -> Result<Security> {
    // SAFETY: promised by the caller.
    let given = unsafe { read_struct(tls) }?;
    #[cfg(feature = "tls")]
    {
        let Some(given) = given else { return Ok(Arc::default()) };
        let verify = [Verify::Name, Verify::Wildcard, Verify::Nothing];
        let verify = verify.into_iter().find(|known| *known as i32 == given.verify);
        // SAFETY: promised by the caller.
        let settings = unsafe {
            Settings {
                certificates: optional_text(given.certificates),
                key: optional_text(given.key),
                authorities: optional_text(given.authorities),
                verify: verify.ok_or_else(|| Error::argument(format!("verify is {}", given.verify)))?,
                clients: policy(given.clients)?,
                only_13: boolean(given.only_tls13, "only_tls13")?,
            }
        };
        Ok(Arc::new(Tls::new(&settings)?))
    }
    #[cfg(not(feature = "tls"))]
    {
        let _ = given;
        Err(crate::error::Error::new(crate::error::ErrorKind::Unsupported, "this build has no TLS"))
    }
}
