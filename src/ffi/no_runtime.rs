//! Section "runtime" of the header in a library without it: the functions are there, so that one header fits every
//! build, and say ERR_UNSUPPORTED. See `absent`.

use crate::ffi::absent::absent;
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t, sipdlg_tls_t};
use std::ffi::c_char;

absent! {
    "this build has no runtime: drive the agent yourself";
    sipdlg_agent_listen(*const c_char);
    sipdlg_agent_local_address(u32, *mut c_char, usize, *mut usize);
    sipdlg_agent_set_tls(*const sipdlg_tls_t);
    sipdlg_agent_peer_name(u64, u32, *mut c_char, usize, *mut usize);
    sipdlg_agent_upgrade_header(u64, *const c_char, u32, *mut c_char, usize, *mut usize);
    sipdlg_agent_run_once(i32);
    sipdlg_agent_start(u32, i32);
    sipdlg_agent_stop();
}
