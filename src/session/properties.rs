//! What the getters of a session tell: SIP.js's properties, and what follows from its phase.

use crate::error::{Error, Result};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::{Origin, Phase, Role, Session, SessionState, SignalingState};
use std::borrow::Cow;

impl Session {
    /// Who called.
    pub fn role(&self) -> Role {
        self.lasting.role
    }

    /// The INVITE that made it, while it lives.
    pub fn origin(&self) -> Option<Origin> {
        self.running.origin
    }

    /// SessionState.
    pub fn state(&self) -> SessionState {
        match self.lasting.phase {
            Phase::Initial => SessionState::Initial,
            Phase::Early => SessionState::Early,
            Phase::AckWait(_) => SessionState::AckWait,
            Phase::Confirmed => SessionState::Confirmed,
            Phase::Mortal(_) | Phase::Due(_) | Phase::Gone(_) => SessionState::Terminated,
        }
    }

    /// Callee: the first 2xx still waits for its ACK. After 64*T1 it does not, though the state stays AckWait (RFC 3261
    /// §13.3.1.4).
    pub fn waits_for_ack(&self) -> bool {
        matches!(self.lasting.phase, Phase::AckWait(Some(_)))
    }

    /// SignalingState: the committed one.
    pub fn signaling_state(&self) -> SignalingState {
        self.lasting.signaling.signaling_state()
    }

    /// What STATE has to tell; `None`: that was told.
    pub fn news(&mut self) -> Option<(SessionState, SignalingState)> {
        let state = (self.state(), self.signaling_state());
        if self.lasting.told == Some(state) || self.is_gone() {
            return None;
        }
        self.lasting.told = Some(state);
        Some(state)
    }

    /// Whether no 2xx has confirmed it.
    pub fn is_early(&self) -> bool {
        matches!(self.lasting.phase, Phase::Initial | Phase::Early)
    }

    /// Whether it is over.
    pub fn is_terminated(&self) -> bool {
        matches!(self.lasting.phase, Phase::Mortal(_) | Phase::Due(_) | Phase::Gone(_))
    }

    /// Whether TERMINATED was told.
    pub fn is_gone(&self) -> bool {
        matches!(self.lasting.phase, Phase::Gone(_))
    }

    /// Established by sips over TLS (RFC 3261 §12.1).
    pub fn is_secure(&self) -> bool {
        self.lasting.dialog.secure
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        self.lasting.dialog.names.call_id()
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        self.lasting.dialog.names.local_tag()
    }

    /// The peer's tag, empty when it has none.
    pub fn remote_tag(&self) -> &[u8] {
        self.lasting.dialog.names.remote_tag()
    }

    /// Our URI.
    pub fn local_uri(&self) -> &[u8] {
        self.lasting.dialog.names.local_uri()
    }

    /// The peer's URI.
    pub fn remote_uri(&self) -> &[u8] {
        self.lasting.dialog.names.remote_uri()
    }

    /// Where the peer wants its requests.
    pub fn remote_target(&self) -> &[u8] {
        &self.lasting.dialog.remote_target
    }

    /// A Route header value.
    pub fn route_set(&self) -> Cow<'_, [u8]> {
        self.lasting.dialog.route_set.text()
    }

    /// Call-ID + local tag + remote tag.
    pub fn id(&self) -> Vec<u8> {
        self.lasting.dialog.id()
    }

    /// Of our last request; empty is not zero.
    pub fn local_sequence_number(&self) -> Option<u32> {
        self.lasting.dialog.local.last()
    }

    /// Of the peer's last request.
    pub fn remote_sequence_number(&self) -> Option<u32> {
        self.lasting.dialog.remote.last()
    }

    /// The current offer.
    pub fn offer(&self) -> Option<&StoredBody> {
        self.lasting.signaling.offer()
    }

    /// The current answer.
    pub fn answer(&self) -> Option<&StoredBody> {
        self.lasting.signaling.answer()
    }

    /// Our description in the last exchange; `None`: there was none, or it is not known which is ours.
    pub fn local_description(&self) -> Option<&StoredBody> {
        self.lasting.signaling.described(Party::Local)
    }

    /// The peer's.
    pub fn remote_description(&self) -> Option<&StoredBody> {
        self.lasting.signaling.described(Party::Remote)
    }

    /// Whether it is over, or its BYE waits for an ACK.
    pub fn is_leaving(&self) -> bool {
        self.is_terminated() || self.lasting.deferred_bye.is_some()
    }

    /// Who has an offer open.
    pub fn open_offer(&self) -> Option<Party> {
        self.lasting.signaling.open_offer()
    }

    /// Why it ended.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.lasting.phase {
            Phase::Mortal(ending) | Phase::Due(ending) | Phase::Gone(ending) => Some(ending),
            _ => None,
        }
    }

    /// All properties in one line, for logs.
    pub fn state_text(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        format!(
            "{:?} {:?} {:?} call-id={} local-tag={} remote-tag={} local-uri={} remote-uri={} remote-target={} \
             route-set=[{}] cseq={}/{} secure={} early={} reinvite={}",
            self.role(),
            self.state(),
            self.signaling_state(),
            text(self.call_id()),
            text(self.local_tag()),
            text(self.remote_tag()),
            text(self.local_uri()),
            text(self.remote_uri()),
            text(self.remote_target()),
            text(&self.route_set()),
            number(self.local_sequence_number()),
            number(self.remote_sequence_number()),
            self.is_secure(),
            self.is_early(),
            match (self.reinvite_of_host(), self.reinvite_server()) {
                (None, None) => "none",
                (Some(_), None) => "ours",
                (None, Some(_)) => "theirs",
                (Some(_), Some(_)) => "both",
            },
        )
    }

    /// There is a dialog to send in; an early one only where that is allowed.
    pub fn established(&self, early_too: bool) -> Result<()> {
        match self.state() {
            SessionState::Terminated => Err(Error::state("the session is over")),
            SessionState::Initial => Err(Error::state("there is no dialog yet (RFC 3261 12)")),
            SessionState::Early if !early_too => {
                Err(Error::state("the dialog is early; the quirk REQUESTS_IN_EARLY allows it"))
            }
            _ => Ok(()),
        }
    }
}
