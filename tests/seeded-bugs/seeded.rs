//! Which deliberate defect is on: the one that SIPDLG_SEEDED names. A module of the copy that `tests/seeded_bugs.sh` makes.

use std::sync::OnceLock;

/// Whether it is this one.
pub fn on(name: &str) -> bool {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("SIPDLG_SEEDED").ok()).as_deref() == Some(name)
}
