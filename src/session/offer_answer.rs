//! Offer and answer (RFC 3264) as one table: who may send a session description now, and what it then is.
//!
//! | state            | local description | remote description | rollback         |
//! |------------------|-------------------|--------------------|------------------|
//! | Initial          | HaveLocalOffer    | HaveRemoteOffer    | -                |
//! | HaveLocalOffer   | refused           | Stable             | the state before |
//! | HaveRemoteOffer  | Stable            | refused            | the state before |
//! | Stable           | HaveLocalOffer    | HaveRemoteOffer    | -                |
//! | Closed           | refused           | refused            | -                |

use crate::error::{Error, Result};
use crate::message::{Body, BodyView};
use crate::session::SignalingState;

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

    fn heap_bytes(&self) -> usize {
        self.content.len() + self.content_type.as_ref().map_or(0, |text| text.len())
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

#[derive(Clone, Debug)]
struct Exchange {
    offer: StoredBody,
    answer: StoredBody,
}

#[derive(Clone, Debug)]
enum State {
    Initial,
    Open { by: Party, offer: StoredBody, before: Option<Box<Exchange>> },
    Stable(Box<Exchange>),
    Closed,
}

/// The state of the exchange in one dialog.
#[derive(Clone, Debug)]
pub struct OfferAnswer {
    state: State,
}

impl Default for OfferAnswer {
    fn default() -> Self {
        Self { state: State::Initial }
    }
}

impl OfferAnswer {
    /// The name of the state.
    pub fn signaling_state(&self) -> SignalingState {
        match &self.state {
            State::Initial => SignalingState::Initial,
            State::Open { by: Party::Local, .. } => SignalingState::HaveLocalOffer,
            State::Open { by: Party::Remote, .. } => SignalingState::HaveRemoteOffer,
            State::Stable(_) => SignalingState::Stable,
            State::Closed => SignalingState::Closed,
        }
    }

    /// Who has an offer open.
    pub fn open_offer(&self) -> Option<Party> {
        match &self.state {
            State::Open { by, .. } => Some(*by),
            _ => None,
        }
    }

    /// What a description of `party` would be now.
    pub fn would_be(&self, party: Party) -> Result<Part> {
        match &self.state {
            State::Initial | State::Stable(_) => Ok(Part::Offer),
            State::Open { by, .. } if *by != party => Ok(Part::Answer),
            State::Open { .. } => Err(Error::state("an offer is open and not answered yet (RFC 3264 4)")),
            State::Closed => Err(Error::state("the session is over")),
        }
    }

    /// Takes a description of `party`; a refused one changes nothing.
    pub fn apply(&mut self, party: Party, body: StoredBody) -> Result<Part> {
        let part = self.would_be(party)?;
        let old = std::mem::replace(&mut self.state, State::Closed);
        self.state = match old {
            State::Initial => State::Open { by: party, offer: body, before: None },
            State::Stable(exchange) => State::Open { by: party, offer: body, before: Some(exchange) },
            State::Open { offer, .. } => State::Stable(Box::new(Exchange { offer, answer: body })),
            State::Closed => State::Closed,
        };
        Ok(part)
    }

    /// Begins where another product stopped: with the last exchange, or with the open offer of our INVITE.
    pub fn resume(&mut self, offer: Option<StoredBody>, answer: Option<StoredBody>) {
        self.state = match (offer, answer) {
            (None, _) => State::Initial,
            (Some(offer), None) => State::Open { by: Party::Local, offer, before: None },
            (Some(offer), Some(answer)) => State::Stable(Box::new(Exchange { offer, answer })),
        };
    }

    /// Back to what was before the open offer; nothing when none is open.
    pub fn rollback(&mut self) {
        if let State::Open { before, .. } = &mut self.state {
            self.state = before.take().map_or(State::Initial, State::Stable);
        }
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
            State::Initial | State::Closed => None,
        }
    }

    /// The current answer.
    pub fn answer(&self) -> Option<&StoredBody> {
        match &self.state {
            State::Stable(exchange) => Some(&exchange.answer),
            _ => None,
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let exchange =
            |exchange: &Exchange| size_of::<Exchange>() + exchange.offer.heap_bytes() + exchange.answer.heap_bytes();
        match &self.state {
            State::Open { offer, before, .. } => offer.heap_bytes() + before.as_deref().map_or(0, exchange),
            State::Stable(stable) => exchange(stable),
            State::Initial | State::Closed => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Party::{Local, Remote};

    fn body(text: &str) -> StoredBody {
        StoredBody::new(text.as_bytes(), SDP)
    }

    #[test]
    fn the_table() {
        use SignalingState::{Closed, HaveLocalOffer, HaveRemoteOffer, Initial, Stable};
        type Row = (&'static [Party], Party, Result<SignalingState, ()>, SignalingState);
        let rows: [Row; 8] = [
            (&[], Local, Ok(HaveLocalOffer), Initial),
            (&[], Remote, Ok(HaveRemoteOffer), Initial),
            (&[Local], Local, Err(()), Initial),
            (&[Local], Remote, Ok(Stable), Stable),
            (&[Remote], Local, Ok(Stable), Stable),
            (&[Remote], Remote, Err(()), Initial),
            (&[Local, Remote], Local, Ok(HaveLocalOffer), Stable),
            (&[Local, Remote], Remote, Ok(HaveRemoteOffer), Stable),
        ];
        for (before, party, expected, after_rollback) in rows {
            let mut exchange = OfferAnswer::default();
            for earlier in before {
                exchange.apply(*earlier, body("v=0")).expect("legal");
            }
            let was = exchange.signaling_state();
            let got = exchange.apply(party, body("v=1"));
            match expected {
                Ok(state) => assert_eq!((got.is_ok(), exchange.signaling_state()), (true, state)),
                Err(()) => assert_eq!((got.is_ok(), exchange.signaling_state()), (false, was)),
            }
            exchange.rollback();
            assert_eq!(exchange.signaling_state(), after_rollback, "{before:?} {party:?}");
            exchange.close();
            assert_eq!(exchange.signaling_state(), Closed);
            assert!(exchange.apply(Local, body("v=0")).is_err() && exchange.apply(Remote, body("v=0")).is_err());
        }
    }

    #[test]
    fn rollback_gives_the_former_exchange_back() {
        let mut exchange = OfferAnswer::default();
        for (party, text) in [(Local, "offer"), (Remote, "answer"), (Remote, "second")] {
            exchange.apply(party, body(text)).expect("legal");
        }
        assert_eq!((exchange.offer(), exchange.answer()), (Some(&body("second")), None));
        exchange.rollback();
        assert_eq!((exchange.offer(), exchange.answer()), (Some(&body("offer")), Some(&body("answer"))));
    }
}
