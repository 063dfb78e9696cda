//! Which dialogs come and go by which link, so that nobody walks through all when one is lost or comes back.

use super::Objects;
use crate::agent::SessionId;
use crate::flow::{ByLink, Flow};
use crate::held;
use crate::session::Session;
use crate::shrink::Shrink;
use crate::transaction::key::Identity;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Dialogs by link, and their links by dialog, for those that have any: the connection that their messages came on, also
/// when it is lost, and the host's word.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    by_link: ByLink<u64>,
    links_of: HashMap<u64, [u64; 2], BuildHasherDefault<Identity>>,
}

impl Places {
    fn change(&mut self, who: u64, links: [u64; 2]) {
        let former = self.links_of.get(&who).copied().unwrap_or_default();
        if former == links {
            return;
        }
        former.into_iter().for_each(|link| self.by_link.remove(link, who));
        links.into_iter().for_each(|link| self.by_link.insert(link, who));
        if links == [0, 0] {
            self.links_of.remove(&who);
            self.links_of.ease();
        } else {
            self.links_of.insert(who, links);
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.by_link.bytes() + held::table(&self.links_of)
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        self.links_of.fit();
    }
}

impl Objects {
    /// A dialog's messages may come or go by another link now, or it is gone.
    pub fn note_connection(&mut self, id: SessionId) {
        let links = self.holder(id).map_or([0, 0], Session::links);
        if links != [0, 0] || !self.places.links_of.is_empty() {
            self.places.change(id.raw(), links);
        }
    }

    /// Whether a dialog's messages come or go by this link.
    pub fn is_on_link(&self, link: u64) -> bool {
        let mut all = self.places.by_link.on(link).map(SessionId::from_raw);
        all.any(|id| self.holder(id).is_some_and(|holder| holder.is_on(link)))
    }

    /// Dialogs whose messages came or went by a link that is gone go by their URIs again: these.
    pub fn link_closed(&mut self, link: u64) -> Vec<SessionId> {
        let mut lost: Vec<SessionId> = self.places.by_link.on(link).map(SessionId::from_raw).collect();
        lost.retain(|id| self.holder_mut(*id).is_some_and(|holder| holder.link_closed(link)));
        lost.iter().for_each(|id| self.note_connection(*id));
        lost
    }

    /// Dialogs that come and go by a link, or did when it was lost, do so by that flow: these.
    pub fn move_link(&mut self, link: u64, to: &Flow) -> Vec<SessionId> {
        let mut moved: Vec<SessionId> = self.places.by_link.on(link).map(SessionId::from_raw).collect();
        moved.retain(|id| self.holder_mut(*id).is_some_and(|holder| holder.moves(link, to)));
        moved.iter().for_each(|id| self.note_connection(*id));
        moved
    }
}
