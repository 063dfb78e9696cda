#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sipdlg_fuzz::streams::run(data));
