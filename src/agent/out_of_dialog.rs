//! Requests that belong to no dialog, both ways.

use crate::agent::event::EventKind;
use crate::agent::options::RequestOptions;
use crate::agent::outgoing::Kind;
use crate::agent::response::Answer;
use crate::agent::{Agent, OutgoingId};
use crate::error::{Error, ErrorKind, Result};
use crate::message::write;
use crate::message::{Message, Method};
use crate::time::Now;
use std::sync::Arc;

impl Agent {
    /// Any request of ours out of a dialog but those that need one, and INVITE.
    pub fn request(
        &mut self,
        now: Now,
        method: &[u8],
        target: &[u8],
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.at(now);
        write::check_token(method)?;
        let known = Method::from_name(method);
        match known {
            Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack | Method::Update => {
                return Err(Error::argument("method: has a function of its own, or needs a dialog"));
            }
            Method::Subscribe | Method::Refer => {
                return Err(Error::new(ErrorKind::Unsupported, "method: its subscription (RFC 6665) is not there yet"));
            }
            _ => {}
        }
        self.start_out_of_dialog((known, method), target, options, Kind::Other)
    }

    /// A request of the peer without a To tag.
    pub(super) fn out_of_dialog_request(&mut self, request: Arc<Message>) {
        match request.method() {
            Method::Invite => self.invite_arrived(request),
            // RFC 3261 §15.1.2; RFC 6086 §4.2.2, RFC 3262 §3, RFC 3311 §5.2: these live in a dialog only.
            Method::Bye | Method::Info | Method::Prack | Method::Update => self.refuse(&request, &Answer::plain(481)),
            Method::Message => self.hand_up(EventKind::Message, None, request),
            Method::Subscribe => self.hand_up(EventKind::Subscribe, None, request),
            Method::Register => self.hand_up(EventKind::Register, None, request),
            Method::Options => self.hand_up(EventKind::Options, None, request),
            _ => self.hand_up(EventKind::Request, None, request),
        }
    }
}
