//! What the host hangs on objects: user pointers, counted, and delegates.

use crate::agent::Named;
use crate::attachment::{Attachment, Opaque};
use crate::error::Result;
use crate::ffi::cell::Inner;
use crate::ffi::convert::read_struct;
use crate::ffi::guard::{OK, guard, guard_or, outside};
use crate::ffi::handle::{self, Kind};
use crate::ffi::structs::{sipdlg_delegate_t, sipdlg_release_t, sipdlg_status_t};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Release functions that are due. Objects end inside any call; the functions run where callbacks run.
#[derive(Default)]
pub(crate) struct ReleaseQueue {
    due: Mutex<Vec<Release>>,
    waiting: AtomicBool,
    disowned: AtomicBool,
}

struct Release {
    run: unsafe extern "C" fn(*mut c_void),
    user: *mut c_void,
}

// SAFETY: the pointer is only handed back to the host, who gave it for use from any thread that delivers.
unsafe impl Send for Release {}

impl ReleaseQueue {
    /// Whether functions are due.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// In a child after fork(): nothing is ever run.
    pub(crate) fn disown(&self) {
        self.disowned.store(true, Ordering::Relaxed);
    }

    /// Runs what is due. Never with a lock held.
    pub(crate) fn run(&self) {
        while self.is_waiting() {
            let due = {
                let mut due = self.due.lock();
                self.waiting.store(false, Ordering::Relaxed);
                std::mem::take(&mut *due)
            };
            for release in due {
                // SAFETY: the host promised that its function may be called once with its pointer,
                // from where callbacks run.
                outside(|| unsafe { (release.run)(release.user) });
            }
        }
    }
}

/// A user pointer of the host. All objects that share it share one of these; its release function becomes due when the
/// last has let it go.
pub(crate) struct UserData {
    pointer: *mut c_void,
    release: sipdlg_release_t,
    queue: Arc<ReleaseQueue>,
    /// False while the call that brought the pointer may still fail: then the pointer stays the host's.
    taken: AtomicBool,
}

// SAFETY: the pointer is never followed here; the host gave it for use from any thread.
unsafe impl Send for UserData {}
// SAFETY: as above; what changes is atomic.
unsafe impl Sync for UserData {}

impl UserData {
    /// Not yet taken: see [`UserData::take`].
    pub(crate) fn new(queue: &Arc<ReleaseQueue>, pointer: *mut c_void, release: sipdlg_release_t) -> Arc<Self> {
        Arc::new(Self { pointer, release, queue: Arc::clone(queue), taken: AtomicBool::new(false) })
    }

    /// The call has succeeded: from now on the release function is owed.
    pub(crate) fn take(&self) {
        self.taken.store(true, Ordering::Release);
    }

    /// The host's pointer.
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(run) = self.release
            && *self.taken.get_mut()
            && !self.queue.disowned.load(Ordering::Relaxed)
        {
            let mut due = self.queue.due.lock();
            due.push(Release { run, user: self.pointer });
            self.queue.waiting.store(true, Ordering::Relaxed);
        }
    }
}

/// A copy of a delegate of the host.
pub(crate) struct Delegate(pub(crate) sipdlg_delegate_t);

// SAFETY: its pointers are only handed back to the host, who gave them for use from any thread that delivers.
unsafe impl Send for Delegate {}
// SAFETY: as above; it never changes.
unsafe impl Sync for Delegate {}

/// The user pointer of an attachment.
pub(crate) fn user_pointer(attachment: &Attachment) -> Option<*mut c_void> {
    attachment.user.as_ref().and_then(|user| user.downcast_ref::<UserData>()).map(UserData::pointer)
}

/// The delegate of an attachment.
pub(crate) fn delegate(attachment: &Attachment) -> Option<&Delegate> {
    attachment.delegate.as_ref().and_then(|delegate| delegate.downcast_ref::<Delegate>())
}

/// A copy of a delegate of the host; of NULL none.
///
/// # Safety
/// `delegate` is NULL or readable for the `size` that stands there.
pub(crate) unsafe fn copy_delegate(delegate: *const sipdlg_delegate_t) -> Result<Option<Opaque>> {
    // SAFETY: promised by the caller.
    let delegate = unsafe { read_struct(delegate) }?;
    Ok(delegate.map(|delegate| Arc::new(Delegate(delegate)) as _))
}

/// The call that brought this user pointer has succeeded.
pub(crate) fn taken(user: Option<&Opaque>) {
    if let Some(user) = user.and_then(|user| user.downcast_ref::<UserData>()) {
        user.take();
    }
}

// --- the bodies of set_delegate, set_user and user, which agent, session, incoming and outgoing have

impl Inner {
    /// Of the object of a token that [`handle::find`] brought here.
    fn attachment_mut(&mut self, kind: Kind, token: u64) -> Result<&mut Attachment> {
        match kind {
            Kind::Agent => {
                self.check_token(token)?;
                Ok(&mut self.attachment)
            }
            Kind::Session => self.core.attachment_mut(Named::Session(self.session_id(token)?)),
            Kind::Incoming => self.core.attachment_mut(Named::Incoming(self.incoming_id(token)?)),
            Kind::Outgoing => self.core.attachment_mut(Named::Outgoing(self.outgoing_id(token)?)),
        }
    }
}

/// Gives an object a copy of the delegate; NULL removes what it had.
///
/// # Safety
/// `delegate` is NULL or readable for the `size` that stands there.
pub(crate) unsafe fn set_delegate(kind: Kind, token: u64, delegate: *const sipdlg_delegate_t) -> sipdlg_status_t {
    guard(|| {
        handle::find(token, kind)?.with(|inner, _| {
            let attachment = inner.attachment_mut(kind, token)?;
            // SAFETY: promised by the caller.
            attachment.delegate = unsafe { copy_delegate(delegate) }?;
            Ok(OK)
        })
    })
}

/// Gives an object the user pointer; it lets go of the former.
pub(crate) fn set_user(kind: Kind, token: u64, user: *mut c_void, release: sipdlg_release_t) -> sipdlg_status_t {
    guard(|| {
        handle::find(token, kind)?.with(|inner, _| {
            let user = UserData::new(&inner.releases, user, release);
            let attachment = inner.attachment_mut(kind, token)?;
            user.take();
            attachment.user = Some(user);
            Ok(OK)
        })
    })
}

/// The user pointer of an object, or NULL.
pub(crate) fn user(kind: Kind, token: u64) -> *mut c_void {
    guard_or(ptr::null_mut(), || {
        handle::find(token, kind)?
            .look(|inner| Ok(user_pointer(inner.attachment_mut(kind, token)?).unwrap_or(ptr::null_mut())))
    })
}
