//! What the host wants sent stays within the limit of one message, like what is received. What the library adds is
//! reckoned generously, so that nothing that passes here is longer when it is written.

use crate::agent::Agent;
use crate::agent::methods::rules;
use crate::agent::ours::draft::Draft;
use crate::agent::words::response::Answer;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// Start line, CSeq, Via without sent-by, and what else has a length of its own.
const OWN_LINES: usize = 256;

impl Agent {
    /// A request of ours.
    pub(in crate::agent) fn request_fits(&self, draft: &Draft) -> Result<()> {
        within(self.config.limits.message_bytes, draft.bytes() + self.transports.longest_lines())
    }

    /// A response of ours: what it repeats of the request is not the host's fault, if the host adds nothing.
    pub(in crate::agent) fn answer_fits(&self, request: &Message, answer: &Answer<'_>) -> Result<()> {
        if rules(request.method()).refreshes_target && (101..300).contains(&answer.status) {
            answer.host.one_contact()?;
        }
        // A redirection's Contacts, and what speaks of a body.
        let of_host = (300..400).contains(&answer.status) || answer.body.is_some();
        let lines = if of_host { answer.lines.len() } else { 0 };
        let by_host = answer.host.bytes()
            + answer.body.as_ref().map_or(0, |body| body.content.len())
            + answer.reason.map_or(0, <[u8]>::len)
            + lines;
        if by_host == 0 {
            return Ok(());
        }
        let repeated = request.bytes().len().saturating_sub(request.body().len());
        let ours = self.face.bytes() + self.transports.longest_lines();
        within(self.config.limits.message_bytes, by_host + repeated + ours)
    }
}

/// Whether about so many bytes, and what the library adds, may be one message. Header lines of the host's for a CANCEL,
/// which repeats part of its INVITE, are reckoned alone.
pub(in crate::agent) fn within(limit: usize, bytes: usize) -> Result<()> {
    let bytes = bytes + OWN_LINES;
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Limit,
        format!("headers, body: about {bytes} bytes, where a message of this agent may have {limit}"),
    ))
}
