//! Dialogs that outlive their sessions, by the raw id that each had, and what they hold.

use crate::held::{self, Held};
use crate::session::Session;
use crate::shrink::Shrink;
use crate::slots::SessionId;
use crate::transaction::key::Identity;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

#[derive(Clone, Debug)]
struct Remain {
    holder: Box<Session>,
    /// What is known that it holds, and whether that may have changed.
    held: usize,
    stale: bool,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Remains {
    all: HashMap<u64, Remain, BuildHasherDefault<Identity>>,
    /// What they hold, but for these that were handed out to be changed.
    held: usize,
    stale: Vec<u64>,
}

impl Remains {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn insert(&mut self, id: SessionId, holder: Box<Session>) {
        self.all.insert(id.raw(), Remain { holder, held: 0, stale: true });
        self.stale.push(id.raw());
    }

    pub fn remove(&mut self, id: SessionId) {
        let Some(remain) = self.all.remove(&id.raw()) else { return };
        self.held -= remain.held;
        self.all.ease();
        // Where nobody asks what is held.
        if self.stale.len() > 64 && self.stale.len() > 2 * self.all.len() {
            self.stale.retain(|id| self.all.contains_key(id));
        }
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.all.get(&id.raw()).map(|remain| &*remain.holder)
    }

    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let remain = self.all.get_mut(&id.raw())?;
        if !std::mem::replace(&mut remain.stale, true) {
            self.stale.push(id.raw());
        }
        Some(&mut remain.holder)
    }

    /// What they hold now.
    pub fn held(&mut self) -> usize {
        for id in self.stale.drain(..) {
            let Some(remain) = self.all.get_mut(&id) else { continue };
            self.held -= remain.held;
            (remain.held, remain.stale) = (remain.holder.held(), false);
            self.held += remain.held;
        }
        self.held
    }

    /// The same, which leaves all as it is.
    pub fn would_hold(&self) -> usize {
        let stale = self.stale.iter().filter_map(|id| self.all.get(id));
        stale.fold(self.held, |sum, remain| sum - remain.held + remain.holder.held())
    }

    /// The same, reckoned anew from each.
    pub fn bytes(&self) -> usize {
        self.all.values().map(|remain| remain.holder.held()).sum()
    }

    /// The table without them.
    pub fn own_bytes(&self) -> usize {
        held::table(&self.all) + held::list(&self.stale)
    }

    /// Gives back the room that nothing needs now.
    pub fn trim(&mut self) {
        self.held();
        self.all.fit();
        self.stale.shrink_to_fit();
    }
}
