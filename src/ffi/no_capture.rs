//! Section "capture" of the header in a library without it; as `no_runtime`.

use crate::ffi::absent::absent;
use crate::ffi::structs::{sipdlg_agent_t, sipdlg_status_t};
use std::ffi::c_char;

absent! {
    "this build has no capture";
    sipdlg_agent_capture_pcap(*const c_char);
    sipdlg_agent_capture_hep(*const c_char, u32, *const c_char);
}
