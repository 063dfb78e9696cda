//! Which dialogs come and go by which link, and of which client they are, so that nobody walks through all when a link is
//! lost or a client comes back.

use super::Objects;
use crate::agent::SessionId;
use crate::flow::{ByLink, Flow};
use crate::held;
use crate::message::ClientName;
use crate::session::Session;
use crate::shrink::Shrink;
use crate::transaction::key::Identity;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Dialogs of one client that are looked at: a name that more have is none.
const OF_CLIENT: usize = 1_024;

/// Where a dialog is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    /// The connection that its messages came on, also when it is lost, and the host's word; 0: none.
    links: [u64; 2],
    /// A hash of the name of the client at its end; 0: others can look it up.
    name: u64,
}

/// All dialogs that have one.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    by_link: ByLink<u64>,
    by_name: ByLink<u64>,
    of: HashMap<u64, Place, BuildHasherDefault<Identity>>,
}

impl Places {
    fn change(&mut self, who: u64, place: Place) {
        let former = self.of.get(&who).copied().unwrap_or_default();
        if former == place {
            return;
        }
        former.links.into_iter().for_each(|link| self.by_link.remove(link, who));
        place.links.into_iter().for_each(|link| self.by_link.insert(link, who));
        self.by_name.remove(former.name, who);
        self.by_name.insert(place.name, who);
        if place == Place::default() {
            self.of.remove(&who);
            self.of.ease();
        } else {
            self.of.insert(who, place);
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.by_link.bytes() + self.by_name.bytes() + held::table(&self.of)
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        self.of.fit();
    }
}

impl Objects {
    /// A dialog's messages may come or go by another link now, or it is gone.
    pub fn note_connection(&mut self, id: SessionId) {
        let links = self.holder(id).map_or([0, 0], Session::links);
        if links == [0, 0] && self.places.of.is_empty() {
            return;
        }
        let name = self.holder(id).filter(|_| links != [0, 0]).and_then(Session::client_name);
        let name = name.map_or(0, |name| self.name_key(&name));
        self.places.change(id.raw(), Place { links, name });
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

    /// Whether any dialog is of a client that nobody can look up.
    #[inline]
    pub fn has_clients(&self) -> bool {
        !self.places.by_name.is_empty()
    }

    /// The dialogs of a client. By its host alone only where that has no other client: one that several use is no name.
    pub fn dialogs_of(&self, client: &ClientName) -> Vec<SessionId> {
        let all = self.places.by_name.on(self.name_key(client)).map(SessionId::from_raw).take(OF_CLIENT + 1);
        let named = all.filter_map(|id| Some((id, self.holder(id)?.client_name()?)));
        let mine: Vec<(SessionId, ClientName)> = named.filter(|(_, name)| client.may_be(name)).collect();
        let one = mine.iter().zip(mine.iter().skip(1)).all(|((_, one), (_, other))| one == other);
        if one && mine.len() <= OF_CLIENT { mine.into_iter().map(|(id, _)| id).collect() } else { Vec::new() }
    }

    fn name_key(&self, client: &ClientName) -> u64 {
        (self.keys.key(client.host(), b"", b"") as u64).max(1)
    }
}
