//! How a request or response of the host differs from the usual.

use crate::agent::ours::register::Registering;
pub use crate::attachment::Attachment;
use crate::config::{Secret, SessionTimer};
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::message;
use crate::session::offer_answer::StoredBody;
use crate::slots::IncomingId;

/// A body to send.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The bytes.
    pub content: &'a [u8],
    /// `None`: application/sdp.
    pub content_type: Option<&'a [u8]>,
    /// `None`: "session" for application/sdp, else "render" (RFC 3261 §20.11).
    pub disposition: Option<&'a [u8]>,
}

impl<'a> Body<'a> {
    /// A description of ours, to be sent again.
    pub(in crate::agent) fn as_it_was(description: &'a StoredBody) -> Self {
        let body = description.body();
        Self { content: body.content, content_type: Some(body.content_type), disposition: body.disposition }
    }

    /// Checked for what a header line can hold.
    pub fn checked(self) -> Result<message::Body<'a>> {
        self.content_type.map(message::write::check_media_type).transpose()?;
        self.disposition.map(message::write::check_line).transpose()?;
        let content_type = self.content_type.unwrap_or(b"application/sdp");
        Ok(message::Body { content_type, disposition: self.disposition, content: self.content })
    }
}

/// Bits of `enum sipdlg_request_flag_e`.
pub mod request_flag {
    /// INVITE: the host sends the ACK of every 2xx.
    pub const MANUAL_ACK: u32 = 1;
    /// INVITE: the host sends every PRACK.
    pub const MANUAL_PRACK: u32 = 2;
    /// 491, 500 with Retry-After, 422: handed up.
    pub const NO_RETRY: u32 = 4;
    /// 401, 407: handed up.
    pub const NO_AUTH: u32 = 8;
}

/// Bits of `enum sipdlg_response_flag_e`.
pub mod response_flag {
    /// 101-199 to INVITE by RFC 3262.
    pub const RELIABLE: u32 = 1;
}

/// `sipdlg_request_options_t`. All text is checked by the call that takes it.
#[derive(Clone, Debug, Default)]
pub struct RequestOptions<'a> {
    /// Bits of [`request_flag`].
    pub flags: u32,
    /// INVITE: Expires, and CANCEL by ourselves then; 0 none.
    pub expires_ms: u32,
    /// "Name: value" lines.
    pub headers: Vec<&'a [u8]>,
    /// The body.
    pub body: Option<Body<'a>>,
    /// Out of a dialog: name-addr or URI, no tag.
    pub from: Option<&'a [u8]>,
    /// Out of a dialog: the same.
    pub to: Option<&'a [u8]>,
    /// Out of a dialog.
    pub call_id: Option<&'a [u8]>,
    /// Send exactly there, resolve nothing; without remote: only choose the socket.
    pub flow: Option<Flow>,
    /// The host's.
    pub attachment: Attachment,
    /// INVITE: the REFER that asked for it.
    pub refer: Option<IncomingId>,
    /// For challenges to it, and to what follows in its session.
    pub credentials: Vec<Secret>,
    /// INVITE and UPDATE: instead of the configuration's, for the call from then on.
    pub session_timer: Option<SessionTimer>,
    /// Value of a Reason header (RFC 3326).
    pub reason: Option<&'a [u8]>,
    /// REGISTER: what it asks for.
    pub register: Option<Registering<'a>>,
}

impl RequestOptions<'_> {
    /// In a dialog its names are fixed (RFC 3261 §12.2.1.1), and no REFER asks for a request there.
    pub(super) fn check_in_dialog(&self) -> Result<()> {
        let fixed = [("from", self.from.is_some()), ("to", self.to.is_some()), ("call_id", self.call_id.is_some())];
        if let Some((name, _)) = fixed.iter().find(|(_, given)| *given) {
            return Err(Error::argument(format!("options.{name}: the dialog has it (RFC 3261 12.2.1.1)")));
        }
        if self.refer.is_some() {
            return Err(Error::argument("options.refer: only an INVITE out of a dialog is asked for by a REFER"));
        }
        Ok(())
    }
}

/// `sipdlg_response_options_t`.
#[derive(Clone, Debug, Default)]
pub struct ResponseOptions<'a> {
    /// Bits of [`response_flag`].
    pub flags: u32,
    /// "Name: value" lines.
    pub headers: Vec<&'a [u8]>,
    /// The body.
    pub body: Option<Body<'a>>,
    /// `None`: by the code.
    pub reason_phrase: Option<&'a [u8]>,
    /// First tagged response only. `None`: random.
    pub to_tag: Option<&'a [u8]>,
    /// 2xx to INVITE and UPDATE: as in a request.
    pub session_timer: Option<SessionTimer>,
    /// Value of a Reason header (RFC 3326).
    pub reason: Option<&'a [u8]>,
}
