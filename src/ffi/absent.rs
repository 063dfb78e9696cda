//! Functions of an agent that are not built in. A macro makes them, which cbindgen does not see: the header has them from
//! the module that has them in other builds.

use crate::error::{Error, ErrorKind, Result};
use crate::ffi::agent::with_agent;
use crate::ffi::structs::sipdlg_agent_t;

macro_rules! absent {
    ($why:literal; $($name:ident($($kind:ty),*);)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name(agent: sipdlg_agent_t $(, _: $kind)*) -> sipdlg_status_t {
                $crate::ffi::guard::guard(|| $crate::ffi::absent::refuse(agent, $why))
            }
        )*
    };
}
pub(super) use absent;

pub(super) fn refuse(agent: sipdlg_agent_t, why: &'static str) -> Result<i32> {
    // A wrong token is that first.
    with_agent(agent, |_, _| Err(Error::new(ErrorKind::Unsupported, why)))
}
