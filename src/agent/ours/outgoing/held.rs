//! What a request of ours holds.

use super::{AckCourse, Behind, Cancelling, Course, Glare, InviteClient, Kind, Outgoing, Sent, Waiting};
use crate::agent::ours::draft::Draft;
use crate::held::{self, Held};

impl Held for Outgoing {
    fn held(&self) -> usize {
        let sent = |sent: Option<&Sent>| sent.map_or(0, |sent| held::shared(&sent.bytes));
        let course = match &self.course {
            Course::Resolving { draft, sent: last } => draft.held() + sent(last.as_ref()),
            Course::Sent { draft, sent: last, .. } => draft.held() + sent(Some(last)),
            Course::Waiting { draft, sent: last, why, .. } => draft.held() + sent(last.as_ref()) + why.held(),
            Course::Done { sent: last, .. } => sent(last.as_ref()),
        };
        let kind = match &self.kind {
            Kind::Invite(invite) | Kind::Reinvite(invite) => invite.held(),
            Kind::Refer(subscriber) => size_of_val(&**subscriber),
            Kind::Update | Kind::Bye | Kind::Prack(_) | Kind::Notify(_) | Kind::Other => 0,
        };
        size_of::<Self>()
            + course
            + kind
            + self.resolved.as_ref().map_or(0, |resolved| resolved.held())
            + self.auth.as_ref().map_or(0, |auth| auth.held())
            + self.datagram.as_ref().map_or(0, |datagram| size_of_val(&**datagram))
            + self.timed.as_ref().map_or(0, |timed| size_of_val(&**timed))
    }
}

impl InviteClient {
    fn held(&self) -> usize {
        let acks = self.acks.iter().map(|kept| {
            let course = match &kept.course {
                AckCourse::Never => 0,
                AckCourse::Drafted(draft) => draft.held(),
                AckCourse::Sent(sent) => {
                    let datagram = sent.datagram.as_ref().map_or(0, |datagram| size_of_val(&**datagram));
                    held::shared(&sent.bytes) + datagram + sent.resolved.as_ref().map_or(0, |resolved| resolved.held())
                }
            };
            kept.to_tag.len() + course
        });
        let cancelling = match &self.cancelling {
            Cancelling::Wanted(lines) => lines.len(),
            Cancelling::No | Cancelling::Sent | Cancelling::Abandoned => 0,
        };
        size_of::<Self>()
            + held::spilled(&self.sessions)
            + held::spilled(&self.acks)
            + acks.sum::<usize>()
            + held::list(&self.ended)
            + self.ended.iter().map(|fork| fork.to_tag.len()).sum::<usize>()
            + self.orphaned.as_ref().map_or(0, |dialog| size_of_val(&**dialog) + dialog.heap_bytes())
            + self.acts.as_ref().map_or(0, |acts| acts.held())
            + cancelling
    }
}

impl Waiting {
    fn held(&self) -> usize {
        let inner = match self {
            Self::Challenge { response, realm, .. } => response.held() + realm.len(),
            Self::Glare(Glare { refusal, offer, .. }) => {
                refusal.as_ref().map_or(0, |refusal| refusal.held())
                    + offer.as_ref().map_or(0, |offer| offer.heap_bytes())
            }
            Self::Refresh(Behind { offer, .. }) => offer.as_ref().map_or(0, |offer| offer.heap_bytes()),
        };
        size_of::<Self>() + inner
    }
}

impl Draft {
    /// Bytes held.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.bytes() + self.next_hop.len()
    }
}
