//! All properties of a session, as its getters tell them: to compare, and to take the dialog over elsewhere.

use super::party::sdp;
use sipdlg::agent::{ForeignDialog, IncomingId, OutgoingId, Session};
use sipdlg::dialog::text::DialogText;
use sipdlg::session::{SessionState, SignalingState};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    pub state: SessionState,
    pub signaling_state: SignalingState,
    pub early: bool,
    pub secure: bool,
    pub offer: Option<String>,
    pub answer: Option<String>,
    pub reinvite_client: Option<OutgoingId>,
    pub reinvite_server: Option<IncomingId>,
    pub id: String,
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
    pub local_uri: String,
    pub remote_uri: String,
    pub remote_target: String,
    pub route_set: String,
    pub local_sequence_number: Option<u32>,
    pub remote_sequence_number: Option<u32>,
    pub state_text: String,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

impl Properties {
    pub fn of(session: &Session) -> Self {
        Self {
            state: session.state(),
            signaling_state: session.signaling_state(),
            early: session.is_early(),
            secure: session.is_secure(),
            offer: session.offer().map(|body| text(body.content())),
            answer: session.answer().map(|body| text(body.content())),
            reinvite_client: session.reinvite_client(),
            reinvite_server: session.reinvite_server(),
            id: text(&session.id()),
            call_id: text(session.call_id()),
            local_tag: text(session.local_tag()),
            remote_tag: text(session.remote_tag()),
            local_uri: text(session.local_uri()),
            remote_uri: text(session.remote_uri()),
            remote_target: text(session.remote_target()),
            route_set: text(&session.route_set()),
            local_sequence_number: session.local_sequence_number(),
            remote_sequence_number: session.remote_sequence_number(),
            state_text: session.state_text(),
        }
    }

    /// The same dialog for another agent.
    pub fn foreign(&self, caller: bool) -> ForeignDialog<'_> {
        ForeignDialog {
            dialog: DialogText {
                call_id: self.call_id.as_bytes(),
                local_tag: self.local_tag.as_bytes(),
                remote_tag: self.remote_tag.as_bytes(),
                local_uri: self.local_uri.as_bytes(),
                remote_uri: self.remote_uri.as_bytes(),
                remote_target: self.remote_target.as_bytes(),
                route_set: self.route_set.as_bytes(),
                local_sequence_number: self.local_sequence_number,
                remote_sequence_number: self.remote_sequence_number,
                secure: self.secure,
            },
            early: self.early,
            caller,
            offer: self.offer.as_deref().and_then(sdp),
            answer: self.answer.as_deref().and_then(sdp),
        }
    }
}
