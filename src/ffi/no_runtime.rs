//! Section "runtime" of the header in a library without it: the functions are there, so that one header fits every
//! build, and say ERR_UNSUPPORTED. A macro makes them, which cbindgen does not see: the header has them from `runtime`.

use crate::error::{Error, ErrorKind, Result};
use crate::ffi::agent::with_agent;
use crate::ffi::guard::guard;
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t};
use std::ffi::c_char;

macro_rules! absent {
    ($($name:ident($($kind:ty),*);)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name(agent: sipdlg_agent_t $(, _: $kind)*) -> sipdlg_status_t {
                guard(|| absent(agent))
            }
        )*
    };
}
absent! {
    sipdlg_agent_listen(*const c_char);
    sipdlg_agent_local_address(u32, *mut c_char, usize, *mut usize);
    sipdlg_agent_run_once(i32);
    sipdlg_agent_start(u32, i32);
    sipdlg_agent_stop();
}

fn absent(agent: sipdlg_agent_t) -> Result<i32> {
    // A wrong token is that first.
    with_agent(agent, |_, _| {
        Err(Error::new(ErrorKind::Unsupported, "this build has no runtime: drive the agent yourself"))
    })
}
