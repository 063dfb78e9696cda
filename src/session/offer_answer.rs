//! Offer and answer (RFC 3264) as one table: who may send a session description now, and what it then is.
//!
//! | state            | local description | remote description | rollback         |
//! |------------------|-------------------|--------------------|------------------|
//! | Initial          | HaveLocalOffer    | HaveRemoteOffer    | -                |
//! | HaveLocalOffer   | refused           | Stable             | the state before |
//! | HaveRemoteOffer  | Stable            | refused            | the state before |
//! | Stable           | HaveLocalOffer    | HaveRemoteOffer    | -                |
//! | Closed           | refused           | refused            | -                |
//!
//! An answer that an unreliable 1xx shows is a preview: it is the answer from then on, whatever later responses say
//! (RFC 3261 §13.2.1), and the state reads Stable; but the exchange stays open for what may be sent until a reliable
//! message has closed it (RFC 6337 §3.1.1).

use crate::error::{Error, Result};
use crate::held::COUNTED;
use crate::message::{Body, BodyView};
use crate::session::SignalingState;
use std::sync::Arc;

/// A session description that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    content: Box<[u8]>,
    /// `None`: application/sdp.
    content_type: Option<Box<[u8]>>,
}

const SDP: &[u8] = b"application/sdp";

impl StoredBody {
    fn new(content: &[u8], content_type: &[u8]) -> Self {
        Self { content: content.into(), content_type: (content_type != SDP).then(|| content_type.into()) }
    }

    /// A body of ours, when it is a session description.
    pub fn of_local(body: &Body<'_>) -> Option<Self> {
        let view = body.view().session()?;
        Some(Self::new(view.content, view.content_type))
    }

    /// The session part of a message of the peer.
    pub fn of_remote(view: &BodyView<'_>) -> Self {
        Self::new(view.content, view.content_type)
    }

    /// To be sent again.
    pub fn body(&self) -> Body<'_> {
        let disposition = self.content_type.as_ref().map(|_| self.disposition());
        Body { content: &self.content, content_type: self.content_type(), disposition }
    }

    /// The bytes.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Its Content-Type.
    pub fn content_type(&self) -> &[u8] {
        self.content_type.as_deref().unwrap_or(SDP)
    }

    /// Always "session".
    pub fn disposition(&self) -> &[u8] {
        b"session"
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.content.len() + self.content_type.as_ref().map_or(0, |text| text.len())
    }
}

/// An answer that an unreliable 1xx has shown.
#[derive(Clone, Debug)]
pub enum Shown {
    /// Nothing more stood there.
    Plain(StoredBody),
    /// More did, in one of ours.
    Written(Box<Written>),
}

/// A body of ours as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    answer: StoredBody,
    body: StoredBody,
    disposition: Option<Box<[u8]>>,
    /// Further header lines that speak of it, each with its line end.
    lines: Box<[u8]>,
}

impl From<StoredBody> for Shown {
    fn from(answer: StoredBody) -> Self {
        Self::Plain(answer)
    }
}

impl Shown {
    /// By a body of ours, when it is a session description; `lines` speak of it, each has its line end.
    pub fn by_local(body: &Body<'_>, lines: &[u8]) -> Option<Self> {
        let answer = StoredBody::of_local(body)?;
        if lines.is_empty() && answer.body() == *body {
            return Some(Self::Plain(answer));
        }
        let (disposition, lines) = (body.disposition.map(Box::from), lines.into());
        let body = StoredBody::new(body.content, body.content_type);
        Some(Self::Written(Box::new(Written { answer, body, disposition, lines })))
    }

    fn answer(&self) -> &StoredBody {
        match self {
            Self::Plain(answer) => answer,
            Self::Written(written) => &written.answer,
        }
    }

    fn into_answer(self) -> StoredBody {
        match self {
            Self::Plain(answer) => answer,
            Self::Written(written) => written.answer,
        }
    }

    /// To be sent again, as it was.
    pub fn body(&self) -> Body<'_> {
        match self {
            Self::Plain(answer) => answer.body(),
            Self::Written(written) => Body { disposition: written.disposition.as_deref(), ..written.body.body() },
        }
    }

    /// The further lines that speak of it.
    pub fn lines(&self) -> &[u8] {
        match self {
            Self::Plain(_) => b"",
            Self::Written(written) => &written.lines,
        }
    }

    /// Without the lines that are `unwanted`.
    pub fn without(mut self, unwanted: impl Fn(&[u8]) -> bool) -> Self {
        if let Self::Written(written) = &mut self {
            let lines = written.lines.split_inclusive(|byte| *byte == b'\n');
            written.lines = lines.filter(|line| !unwanted(line)).collect::<Vec<_>>().concat().into();
        }
        self
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Plain(answer) => answer.heap_bytes(),
            Self::Written(written) => {
                let texts = written.disposition.as_ref().map_or(0, |text| text.len()) + written.lines.len();
                size_of::<Written>() + written.answer.heap_bytes() + written.body.heap_bytes() + texts
            }
        }
    }
}

/// Whose description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Ours.
    Local,
    /// The peer's.
    Remote,
}

/// What a description turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It opens an exchange.
    Offer,
    /// It closes one.
    Answer,
}

/// A completed exchange. It is counted, so that the books before an offer cost no copy of it.
#[derive(Clone, Debug)]
struct Exchange {
    offer: StoredBody,
    answer: StoredBody,
    /// Who offered; `None`: not known, of a dialog that was taken over.
    by: Option<Party>,
    /// The host told the answer: no message has closed it, so none undoes it.
    by_hand: bool,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Initial,
    /// `by_hand`: the host opened it, no message of ours carries it.
    Open {
        by: Party,
        offer: StoredBody,
        before: Option<Arc<Exchange>>,
        by_hand: bool,
        preview: Option<Box<Shown>>,
    },
    /// Rolled back by hand while the message that carries the offer is unanswered: what is told is what was before, but
    /// to the peer the offer is open.
    Undone {
        by: Party,
        offer: StoredBody,
        before: Option<Arc<Exchange>>,
    },
    Stable(Arc<Exchange>),
    Closed,
}

/// The books of offers and answers in one dialog.
#[derive(Clone, Debug, Default)]
pub struct OfferAnswer {
    state: State,
}

/// What is said of our side: the last exchange, and whether a description of ours has come after it. Told apart by
/// identity.
#[derive(Clone, Debug)]
pub struct Standing {
    exchange: Option<Arc<Exchange>>,
    said_more: bool,
}

/// The last exchange that was completed when it was made.
#[derive(Clone, Debug, Default)]
pub struct Mark(Option<Arc<Exchange>>);

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.exchange, &other.exchange) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same && self.said_more == other.said_more
    }
}

/// What a message has brought, kept with its request until that has ended well, and the books before it: what its
/// failure undoes (RFC 3261 §14.1, RFC 6337 §3.4).
#[derive(Clone, Debug, Default)]
pub enum Carries {
    /// It brought no description.
    #[default]
    Nothing,
    /// An offer.
    Offer(Box<OfferAnswer>),
    /// The answer to the open offer.
    Answer(Box<OfferAnswer>),
}

impl Carries {
    /// Whether it brought an offer.
    pub fn is_offer(&self) -> bool {
        matches!(self, Self::Offer(_))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Offer(before) | Self::Answer(before) => size_of::<OfferAnswer>() + before.own_bytes(),
        }
    }
}

/// The right to put one description of a party into the books now.
#[derive(Debug)]
#[must_use = "a description that is not taken does not stand in the books"]
pub struct Turn<'a> {
    books: &'a mut OfferAnswer,
    party: Party,
    part: Part,
}

impl Turn<'_> {
    /// What the description will be.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Takes it. An answer that was previewed stays as it was shown.
    pub fn take(self, body: StoredBody) {
        self.put(body, false);
    }

    /// The same of a message whose failure may have to undo it.
    pub fn carry(self, body: StoredBody) -> Carries {
        let before = Box::new(self.books.clone());
        let part = self.part;
        self.put(body, false);
        match part {
            Part::Offer => Carries::Offer(before),
            Part::Answer => Carries::Answer(before),
        }
    }

    fn put(self, body: StoredBody, by_hand: bool) {
        let by = self.party;
        // It answers what the other party has offered.
        let of = Some(if by == Party::Local { Party::Remote } else { Party::Local });
        let stable = |offer, answer| State::Stable(Arc::new(Exchange { offer, answer, by: of, by_hand }));
        self.books.state = match std::mem::take(&mut self.books.state) {
            State::Initial => State::Open { by, offer: body, before: None, by_hand, preview: None },
            State::Stable(former) => State::Open { by, offer: body, before: Some(former), by_hand, preview: None },
            State::Open { offer, preview, .. } => stable(offer, preview.map_or(body, |shown| shown.into_answer())),
            State::Undone { offer, .. } => stable(offer, body),
            State::Closed => State::Closed,
        };
    }
}

impl OfferAnswer {
    /// The name of the state.
    pub fn signaling_state(&self) -> SignalingState {
        match &self.state {
            State::Initial | State::Undone { before: None, .. } => SignalingState::Initial,
            State::Open { preview: Some(_), .. } => SignalingState::Stable,
            State::Open { by: Party::Local, .. } => SignalingState::HaveLocalOffer,
            State::Open { by: Party::Remote, .. } => SignalingState::HaveRemoteOffer,
            State::Stable(_) | State::Undone { before: Some(_), .. } => SignalingState::Stable,
            State::Closed => SignalingState::Closed,
        }
    }

    /// Who has an offer open.
    pub fn open_offer(&self) -> Option<Party> {
        match &self.state {
            State::Open { by, .. } | State::Undone { by, .. } => Some(*by),
            _ => None,
        }
    }

    /// What is said of our side now.
    pub fn standing(&self) -> Standing {
        let (exchange, said_more) = match &self.state {
            State::Initial | State::Closed => (None, false),
            State::Stable(exchange) => (Some(exchange), false),
            State::Open { by, before, preview, .. } => (before.as_ref(), *by == Party::Local || preview.is_some()),
            State::Undone { by, before, .. } => (before.as_ref(), *by == Party::Local),
        };
        Standing { exchange: exchange.cloned(), said_more }
    }

    /// What a description of `party` would be now.
    pub fn would_be(&self, party: Party) -> Result<Part> {
        match &self.state {
            State::Initial | State::Stable(_) => Ok(Part::Offer),
            State::Open { by, .. } | State::Undone { by, .. } if *by != party => Ok(Part::Answer),
            State::Open { .. } | State::Undone { .. } => {
                Err(Error::state("an offer is open and not answered yet (RFC 3264 4)"))
            }
            State::Closed => Err(Error::state("the session is over")),
        }
    }

    /// The right to put a description of `party` into the books. Errors: state, it is not its turn.
    pub fn turn(&mut self, party: Party) -> Result<Turn<'_>> {
        let part = self.would_be(party)?;
        Ok(Turn { books: self, party, part })
    }

    /// The same where the description can only be the answer; `None`: none is due, for the host has told it or gone
    /// back by hand.
    pub fn turn_to_answer(&mut self, party: Party) -> Option<Turn<'_>> {
        self.turn(party).ok().filter(|turn| turn.part == Part::Answer)
    }

    /// The same for an offer; `None`: it would be none.
    pub fn turn_to_offer(&mut self, party: Party) -> Option<Turn<'_>> {
        self.turn(party).ok().filter(|turn| turn.part == Part::Offer)
    }

    /// The message that brought this has failed: the books are what they were before it, with all that was built on it.
    /// An exchange that the host has closed by hand stands.
    pub fn undo(&mut self, carries: Carries) {
        let (Carries::Offer(before) | Carries::Answer(before)) = carries else { return };
        match &self.state {
            State::Closed => {}
            State::Stable(exchange) if exchange.by_hand => {}
            State::Open { before: Some(exchange), .. } | State::Undone { before: Some(exchange), .. }
                if exchange.by_hand =>
            {
                self.rollback();
            }
            State::Initial | State::Stable(_) | State::Open { .. } | State::Undone { .. } => *self = *before,
        }
    }

    /// Begins where another product stopped: with the last exchange, or with the open offer of our INVITE.
    pub fn resume(&mut self, offer: Option<StoredBody>, answer: Option<StoredBody>) {
        self.state = match (offer, answer) {
            (None, _) => State::Initial,
            (Some(offer), None) => State::Open { by: Party::Local, offer, before: None, by_hand: true, preview: None },
            (Some(offer), Some(answer)) => State::Stable(Arc::new(Exchange { offer, answer, by: None, by_hand: true })),
        };
    }

    /// An unreliable 1xx of `party` shows a description. Only the first that could be the answer counts.
    pub fn show(&mut self, party: Party, body: impl Into<Shown>) {
        if let State::Open { by, preview, .. } = &mut self.state
            && *by != party
        {
            preview.get_or_insert_with(|| Box::new(body.into()));
        }
    }

    /// The answer that an unreliable 1xx has shown while the offer is open.
    pub fn preview(&self) -> Option<&StoredBody> {
        self.shown().map(Shown::answer)
    }

    /// The same as it stood there.
    pub fn shown(&self) -> Option<&Shown> {
        match &self.state {
            State::Open { preview, .. } => preview.as_deref(),
            _ => None,
        }
    }

    /// Back to what was before the open offer; nothing when none is open.
    pub fn rollback(&mut self) {
        if let State::Open { before, .. } | State::Undone { before, .. } = &mut self.state {
            self.state = before.take().map_or(State::Initial, State::Stable);
        }
    }

    /// The host's rollback. Of an offer that a message carries the answer still counts when it comes or goes.
    pub fn rollback_by_hand(&mut self) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Open { by, offer, before, by_hand: false, .. } => self.state = State::Undone { by, offer, before },
            other @ (State::Initial | State::Undone { .. } | State::Stable(_) | State::Closed) => self.state = other,
            open @ State::Open { .. } => {
                self.state = open;
                self.rollback();
            }
        }
    }

    /// Takes a description that the host tells of; a refused one changes nothing. What was rolled back by hand is
    /// forgotten.
    pub fn apply_by_hand(&mut self, party: Party, body: StoredBody) -> Result<Part> {
        if matches!(self.state, State::Undone { .. }) {
            self.rollback();
        }
        let turn = self.turn(party)?;
        let part = turn.part;
        turn.put(body, true);
        Ok(part)
    }

    /// The session is over.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// The current offer.
    pub fn offer(&self) -> Option<&StoredBody> {
        match &self.state {
            State::Open { offer, .. } => Some(offer),
            State::Stable(exchange) => Some(&exchange.offer),
            State::Undone { before, .. } => before.as_deref().map(|exchange| &exchange.offer),
            State::Initial | State::Closed => None,
        }
    }

    /// The current answer, be it a preview.
    pub fn answer(&self) -> Option<&StoredBody> {
        match &self.state {
            State::Stable(exchange) => Some(&exchange.answer),
            State::Undone { before, .. } => before.as_deref().map(|exchange| &exchange.answer),
            _ => self.preview(),
        }
    }

    /// The last exchange that was completed.
    fn completed(&self) -> Option<&Arc<Exchange>> {
        match &self.state {
            State::Stable(exchange) => Some(exchange),
            State::Open { before, .. } | State::Undone { before, .. } => before.as_ref(),
            State::Initial | State::Closed => None,
        }
    }

    /// The description of `party` in the last completed exchange; `None`: there was none, or it is not known whose is
    /// which.
    pub fn described(&self, party: Party) -> Option<&StoredBody> {
        let exchange = self.completed()?;
        Some(if exchange.by? == party { &exchange.offer } else { &exchange.answer })
    }

    /// A mark of the last completed exchange, to see later whether messages have completed another one.
    pub fn mark(&self) -> Mark {
        Mark(self.completed().cloned())
    }

    /// Whether messages have completed an exchange since (RFC 6141 §3.2). What the host has told by hand is its own.
    pub fn has_moved_since(&self, mark: &Mark) -> bool {
        match (&mark.0, self.completed()) {
            (Some(then), Some(now)) => !Arc::ptr_eq(then, now) && !now.by_hand,
            (None, Some(now)) => !now.by_hand,
            (_, None) => false,
        }
    }

    /// Our description in the last exchange, where this is the peer's, byte for byte.
    pub fn local_beside(&self, remote: &StoredBody) -> Option<&StoredBody> {
        let last = self.completed()?;
        match last.by {
            Some(Party::Local) | None if last.answer == *remote => Some(&last.offer),
            Some(Party::Remote) | None if last.offer == *remote => Some(&last.answer),
            _ => None,
        }
    }

    /// The offer that was just carried repeats what stands: the host sees none. Its answer counts when it comes.
    pub fn hide(&mut self) {
        self.rollback_by_hand();
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let exchange = |exchange: &Exchange| {
            COUNTED + size_of::<Exchange>() + exchange.offer.heap_bytes() + exchange.answer.heap_bytes()
        };
        let counted = match &self.state {
            State::Open { before, .. } | State::Undone { before, .. } => before.as_deref(),
            State::Stable(stable) => Some(&**stable),
            State::Initial | State::Closed => None,
        };
        counted.map_or(0, exchange) + self.own_bytes()
    }

    /// The same without the last exchange, which books before these may share.
    fn own_bytes(&self) -> usize {
        match &self.state {
            State::Open { offer, preview, .. } => {
                offer.heap_bytes() + preview.as_deref().map_or(0, |shown| size_of::<Shown>() + shown.heap_bytes())
            }
            State::Undone { offer, .. } => offer.heap_bytes(),
            State::Stable(_) | State::Initial | State::Closed => 0,
        }
    }
}

#[cfg(test)]
mod tests;
