//! Every committed input, on a stable compiler: what was ever found bad stays good.

use std::fs;
use std::path::Path;

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    inputs.sort();
    inputs
}

/// Runs all, and names the inputs that fail.
fn replay(target: &str, run: fn(&[u8])) {
    let inputs = inputs(target);
    assert!(!inputs.is_empty(), "{target} has no corpus");
    let fails = |data: &[u8]| std::panic::catch_unwind(|| run(data)).is_err();
    let failed: Vec<_> = inputs.iter().filter(|(_, data)| fails(data)).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "of {} inputs these fail: {failed:#?}", inputs.len());
}

#[test]
fn messages() {
    replay("messages", sipdlg_fuzz::messages::run);
}

#[test]
fn streams() {
    replay("streams", sipdlg_fuzz::streams::run);
}

#[test]
fn calls() {
    replay("calls", sipdlg_fuzz::calls::run);
}

#[test]
fn abi() {
    replay("abi", sipdlg_fuzz::abi::run);
}
