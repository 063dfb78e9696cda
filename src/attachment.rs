//! What the host hung on an object.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Something of the host's: carried, counted and let go of, never looked into.
pub type Opaque = Arc<dyn Any + Send + Sync>;

/// What the host hung on an object. A session starts with that of its INVITE; a request in a dialog starts with the
/// user data of its session. Counting is `Arc`'s: what is shared goes when the last holder has ended.
#[derive(Clone, Default)]
pub struct Attachment {
    /// Who hears of it.
    pub delegate: Option<Opaque>,
    /// The host's own.
    pub user: Option<Opaque>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Attachment({}, {})", self.delegate.is_some(), self.user.is_some())
    }
}
