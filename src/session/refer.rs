//! REFERs of a dialog and the subscriptions that they make in it (RFC 3515 §2.4, RFC 6665): usages beside the INVITE's,
//! which outlive it (RFC 5057 §5.5). Where such a transfer leads: who comes to take its place.

use crate::held;
use crate::message::EventName;
use crate::slots::{IncomingId, OutgoingId};

/// How many subscriptions a peer may hold in one dialog.
const MOST: usize = 16;

/// A REFER of ours that waits for its answer, or whose subscription lives.
#[derive(Clone, Copy, Debug)]
struct Ours {
    request: OutgoingId,
    /// The first of the dialog: its NOTIFYs may come without id (RFC 3515 §2.4.6).
    first: bool,
}

/// A REFER of the peer's whose subscription lives.
#[derive(Clone, Copy, Debug)]
struct Theirs {
    request: IncomingId,
    cseq: u32,
    first: bool,
}

/// What a dialog knows of REFERs.
#[derive(Clone, Debug, Default)]
pub struct Referrals {
    ours: Vec<Ours>,
    theirs: Vec<Theirs>,
    /// REFERs sent and received, whatever became of them.
    sent: u32,
    received: u32,
    /// NOTIFYs of ours on their way.
    notifies: u32,
    /// The last INVITE that came to take its place (RFC 3891).
    pub heir: Option<IncomingId>,
}

impl Referrals {
    /// Bytes held.
    pub fn held(&self) -> usize {
        size_of::<Self>() + held::list(&self.ours) + held::list(&self.theirs)
    }

    /// Whether the dialog is still needed for them.
    pub fn is_alive(&self) -> bool {
        !self.ours.is_empty() || !self.theirs.is_empty() || self.notifies > 0
    }

    /// A REFER of ours goes out.
    pub fn sent(&mut self, request: OutgoingId) {
        self.ours.push(Ours { request, first: self.sent == 0 });
        self.sent = self.sent.saturating_add(1);
    }

    /// A REFER of the peer's came; gives whether it is the first.
    pub fn received(&mut self) -> bool {
        self.received = self.received.saturating_add(1);
        self.received == 1
    }

    /// Whether one more subscription of the peer's has room.
    pub fn has_room(&self) -> bool {
        self.theirs.len() < MOST
    }

    /// A REFER of the peer's was accepted.
    pub fn accepted(&mut self, request: IncomingId, cseq: u32, first: bool) {
        self.theirs.push(Theirs { request, cseq, first });
    }

    /// The subscription of a REFER of ours is over.
    pub fn ours_over(&mut self, request: OutgoingId) {
        self.ours.retain(|ours| ours.request != request);
    }

    /// The subscription of a REFER of the peer's is over.
    pub fn theirs_over(&mut self, request: IncomingId) {
        self.theirs.retain(|theirs| theirs.request != request);
    }

    /// A NOTIFY of ours goes out, or is answered.
    pub fn notifies(&mut self, more: bool) {
        self.notifies = if more { self.notifies.saturating_add(1) } else { self.notifies.saturating_sub(1) };
    }

    /// REFERs of ours and of the peer's, all that live.
    pub fn all(&self) -> (Vec<OutgoingId>, Vec<IncomingId>) {
        (self.ours.iter().map(|ours| ours.request).collect(), self.theirs.iter().map(|theirs| theirs.request).collect())
    }

    /// Our REFER that a NOTIFY of this Event belongs to; `cseq_of` gives the number that a REFER went out with last.
    /// The id is that number (RFC 3515 §2.4.6). Without an id it is the first REFER's, or that of the only one: peers
    /// that know one REFER a dialog write none.
    pub fn ours_of(&self, event: &EventName<'_>, cseq_of: impl Fn(OutgoingId) -> Option<u32>) -> Option<OutgoingId> {
        let found = match event.id {
            _ if !event.is_refer() => None,
            Some(id) => self.ours.iter().find(|ours| cseq_of(ours.request).is_some_and(|cseq| is_number(id, cseq))),
            None => self.ours.iter().find(|ours| ours.first).or(match &self.ours[..] {
                [only] => Some(only),
                _ => None,
            }),
        };
        found.map(|ours| ours.request)
    }

    /// The peer's REFER that a SUBSCRIBE, or a NOTIFY of ours, with this Event belongs to.
    pub fn theirs_of(&self, event: &EventName<'_>) -> Option<IncomingId> {
        let is_it = |theirs: &&Theirs| event.id.map_or(theirs.first, |id| is_number(id, theirs.cseq));
        self.theirs.iter().filter(|_| event.is_refer()).find(is_it).map(|theirs| theirs.request)
    }
}

/// Byte by byte (RFC 6665 §8.2.1).
fn is_number(id: &[u8], number: u32) -> bool {
    let mut text = Vec::with_capacity(10);
    crate::message::write::number(&mut text, u64::from(number));
    *id == *text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> EventName<'_> {
        EventName::parse(text.as_bytes()).unwrap()
    }

    /// RFC 3515 §2.4.6: the id is the REFER's CSeq number; only the first may go without.
    #[test]
    fn notifies_find_their_refer() {
        let mut referrals = Referrals::default();
        let (first, second) = (OutgoingId::from_raw(5), OutgoingId::from_raw(6));
        referrals.sent(first);
        referrals.sent(second);
        let cseq_of = |request: OutgoingId| Some(if request == first { 10 } else { 20 });
        for (text, found) in [
            ("refer", Some(first)),
            ("refer;id=10", Some(first)),
            ("refer;id=20", Some(second)),
            ("refer;id=020", None),
            ("refer;id=30", None),
            ("REFER", None),
            ("dialog", None),
        ] {
            assert_eq!(referrals.ours_of(&event(text), cseq_of), found, "{text}");
        }
        referrals.ours_over(first);
        assert_eq!(referrals.ours_of(&event("refer"), cseq_of), Some(second), "the only one");
        assert!(referrals.is_alive());
        referrals.ours_over(second);
        assert!(!referrals.is_alive());
    }

    #[test]
    fn subscribes_find_their_refer() {
        let mut referrals = Referrals::default();
        let (refused, second) = (IncomingId::from_raw(5), IncomingId::from_raw(6));
        assert!(referrals.received());
        assert!(!referrals.received());
        referrals.accepted(second, 20, false);
        assert_eq!(referrals.theirs_of(&event("refer;id=20")), Some(second));
        assert_eq!(referrals.theirs_of(&event("refer")), None);
        referrals.theirs_over(refused);
        assert!(referrals.is_alive());
        referrals.notifies(true);
        referrals.theirs_over(second);
        assert!(referrals.is_alive(), "a NOTIFY is on its way");
        referrals.notifies(false);
        assert!(!referrals.is_alive());
    }
}
