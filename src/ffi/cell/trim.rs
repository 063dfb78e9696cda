//! Memory back to the system after a peak of calls.

use super::AgentCell;
use crate::error::Result;

impl AgentCell {
    /// sipdlg_agent_trim().
    pub(crate) fn trim(&'static self, token: u64) -> Result<()> {
        self.with(|inner, _| {
            inner.check_token(token)?;
            inner.core.trim();
            Ok(())
        })?;
        give_back_pages();
        Ok(())
    }
}

/// The allocator keeps what many small objects leave free between the few that live on. GNU's gives whole pages back
/// when asked; others do by themselves, or cannot.
pub(super) fn give_back_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no pointers; any thread may call it.
    unsafe {
        libc::malloc_trim(0);
    }
}
