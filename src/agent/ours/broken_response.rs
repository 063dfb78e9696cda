//! Responses to requests of ours that are slightly broken (the quirk BROKEN_RESPONSE): taken as they were meant, so that
//! nothing hangs until its time is over.

use crate::agent::ours::outgoing::Outgoing;
use crate::agent::{Agent, OutgoingId};
use crate::config::quirk;
use crate::dialog::id::is_same_tag;
use crate::flow::Flow;
use crate::message::{ANONYMOUS, HeaderId, Message, NameAddr, header};
use crate::transaction::ClientId;
use std::sync::Arc;

impl Agent {
    /// Whether such responses are taken.
    pub(in crate::agent) fn takes_broken_responses(&self) -> bool {
        self.tolerates(quirk::BROKEN_RESPONSE)
    }

    /// The response that `data` was meant to be, when its transaction is one of ours; counted once.
    pub(in crate::agent) fn mended_response(&mut self, flow: &Flow, data: &[u8]) -> Option<(ClientId, Arc<Message>)> {
        if !self.takes_broken_responses() {
            return None;
        }
        let unquoted = self.tolerates(quirk::UNQUOTED_NAME);
        let mut read = Message::mended(data, *flow, ANONYMOUS, unquoted)?;
        let client = self.table.find_client(&read)?;
        let ours = self.our_from(client).map(up_to_line_end);
        // Without one nobody looks at the response any more.
        if let Some(ours) = ours {
            read = Message::mended(data, *flow, ours, unquoted)?;
        }
        if !self.tolerates(quirk::HASH_IN_USER) {
            read.refuse_hash_in_user();
        }
        self.counters.count_quirk(quirk::BROKEN_RESPONSE);
        Some((client, Arc::new(read)))
    }

    /// Whether its From is another than that of our request (RFC 3261 §8.2.6.2): another tag or URI.
    pub(in crate::agent) fn has_other_from(&self, client: ClientId, response: &Message) -> bool {
        let Some(ours) = self.our_from(client) else { return false };
        let theirs = response.header(HeaderId::From).unwrap_or_default();
        let same = ours.strip_prefix(theirs).is_some_and(|rest| rest.starts_with(b"\r\n"));
        !same && !is_same_address(up_to_line_end(ours), theirs)
    }

    /// From of our request and all that follows there.
    fn our_from(&self, client: ClientId) -> Option<&[u8]> {
        let owner = self.table.client_owner(client).filter(|owner| *owner != 0).map(OutgoingId::from_raw);
        let outgoing = owner.and_then(|id| self.objects.outgoing.get(id));
        if let Some(draft) = outgoing.and_then(Outgoing::draft) {
            return draft.own_from();
        }
        let sent = outgoing.and_then(Outgoing::last_sent).map(|sent| &sent.bytes);
        header::in_lines(sent.or_else(|| self.table.client_sent(client))?, HeaderId::From)
    }
}

fn up_to_line_end(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'\r').next().unwrap_or_default()
}

fn is_same_address(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (NameAddr::parse(one), NameAddr::parse(other)) else { return false };
    let same_uri = || match (one.parse_uri(), other.parse_uri()) {
        (Ok(one), Ok(other)) => one.equivalent(&other),
        _ => one.uri == other.uri,
    };
    is_same_tag(one.tag.unwrap_or_default(), other.tag.unwrap_or_default()) && same_uri()
}
