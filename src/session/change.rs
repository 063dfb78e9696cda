//! Changes of the session that we ask for, by re-INVITE or UPDATE: what they put into the books, and the wait of one that
//! met another (RFC 3261 §14.1, RFC 3311 §5.1).

use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::deed::{Deed, Deeds, Refusal};
use crate::session::offer_answer::{Carries, Mark, Party, Standing, StoredBody};
use crate::session::reason::Ending;
use crate::session::reinvite::Around;
use crate::slots::OutgoingId;
use smallvec::smallvec;

/// By which request the session is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An INVITE in the dialog.
    Reinvite,
    /// UPDATE.
    Update,
}

/// A request of ours that changes the session.
#[derive(Clone, Debug)]
pub struct OurChange {
    pub(super) request: OutgoingId,
    pub(super) carries: Carries,
    /// The last exchange before it.
    before: Mark,
    /// Something of it was executed before it was refused, or of what it waited instead of (RFC 6141 §3.2): only its
    /// success brings both sides together.
    executed: bool,
    /// It was refused and will be sent again: to the peer it never was.
    waits: bool,
    /// It refreshes the session, and the host knows nothing of it (RFC 4028 §10).
    refresh: bool,
    offer: Offer,
}

impl OurChange {
    fn waiting(request: OutgoingId, offer: Offer, executed: bool) -> Self {
        Self {
            request,
            carries: Carries::Nothing,
            before: Mark::default(),
            executed,
            waits: true,
            refresh: false,
            offer,
        }
    }

    /// Whether it was refused and will be sent again.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Whether it has an offer, also one that means nothing any more.
    pub(super) fn offers(&self) -> bool {
        self.carries.is_offer() || !matches!(self.offer, Offer::None)
    }

    /// Whether it is none of the host's.
    pub(super) fn is_refresh(&self) -> bool {
        self.refresh
    }
}

/// The offer in our change, which is sent again only while no description of ours came after it (RFC 3264 §8).
#[derive(Clone, Debug)]
enum Offer {
    /// It has none.
    None,
    /// None came after it; what stood when it began to wait, or when it was written.
    Fresh(Standing),
    /// One did.
    Stale,
}

/// Our changes that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Ours {
    reinvite: Option<OurChange>,
    update: Option<OurChange>,
    /// A change of the host's that waits for the end of our refresh.
    behind: Option<OutgoingId>,
}

impl Ours {
    fn slot(&mut self, by: By) -> &mut Option<OurChange> {
        match by {
            By::Reinvite => &mut self.reinvite,
            By::Update => &mut self.update,
        }
    }

    fn each(&mut self) -> impl Iterator<Item = &mut OurChange> {
        self.reinvite.iter_mut().chain(&mut self.update)
    }

    /// Whether one of them is the host's.
    pub(super) fn is_of_host(&self) -> bool {
        self.behind.is_some() || self.reinvite.iter().chain(&self.update).any(|ours| !ours.refresh)
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        let changes = self.reinvite.iter().chain(&self.update);
        size_of::<Self>() + changes.map(|change| change.carries.heap_bytes()).sum::<usize>()
    }
}

impl super::Running {
    /// Our change of this kind.
    pub(super) fn our(&self, by: By) -> Option<&OurChange> {
        let ours = self.ours.as_ref()?;
        match by {
            By::Reinvite => ours.reinvite.as_ref(),
            By::Update => ours.update.as_ref(),
        }
    }

    /// The same, to be changed.
    pub(super) fn our_mut(&mut self, by: By) -> Option<&mut OurChange> {
        self.ours.as_mut()?.slot(by).as_mut()
    }

    fn put_ours(&mut self, by: By, change: OurChange) {
        let slot = self.ours.get_or_insert_default().slot(by);
        debug_assert!(
            slot.as_ref().is_none_or(|former| former.request == change.request),
            "one of each kind at a time"
        );
        *slot = Some(change);
    }

    /// It is under way no more; one that waits stays.
    pub(super) fn take_ours(&mut self, by: By, request: OutgoingId) -> Option<OurChange> {
        self.take_ours_if(by, |ours| ours.request == request && !ours.waits)
    }

    fn take_ours_if(&mut self, by: By, is_it: impl FnOnce(&mut OurChange) -> bool) -> Option<OurChange> {
        let taken = self.ours.as_mut()?.slot(by).take_if(is_it);
        self.tidy_ours();
        taken
    }

    fn tidy_ours(&mut self) {
        self.ours.take_if(|ours| ours.reinvite.is_none() && ours.update.is_none() && ours.behind.is_none());
    }
}

impl Session {
    /// Our change goes out, with this offer; also once more. Its guard has asked.
    pub fn our_change_sent(&mut self, by: By, request: OutgoingId, offer: Option<StoredBody>) -> Deeds {
        let (before, freshness) = (self.lasting.signaling.mark(), self.freshness(offer.is_some()));
        let turn = self.lasting.signaling.turn(Party::Local).ok();
        let carries = offer.zip(turn).map(|(offer, turn)| turn.carry(offer)).unwrap_or_default();
        let executed = self.running.our(by).is_some_and(|waited| waited.executed);
        let change = OurChange { request, carries, before, executed, waits: false, refresh: false, offer: freshness };
        self.running.put_ours(by, change);
        smallvec![Deed::State]
    }

    /// A refresh of ours goes out, by re-INVITE with our description as it was: to the host nothing changes.
    pub fn our_refresh_sent(&mut self, by: By, request: OutgoingId, repeated: Option<StoredBody>) {
        let turn = self.lasting.signaling.turn_to_offer(Party::Local);
        let carries = repeated.zip(turn).map(|(repeated, turn)| turn.carry(repeated)).unwrap_or_default();
        if carries.is_offer() {
            self.lasting.signaling.hide();
        }
        let before = self.lasting.signaling.mark();
        let change =
            OurChange { request, carries, before, executed: false, waits: false, refresh: true, offer: Offer::None };
        self.running.put_ours(by, change);
    }

    /// A change of the host's waits for the end of our refresh.
    pub fn our_change_waits_behind(&mut self, request: OutgoingId) {
        self.running.ours.get_or_insert_default().behind = Some(request);
    }

    /// The change of the host's that waits for the end of our refresh.
    pub fn behind_refresh(&self) -> Option<OutgoingId> {
        self.running.ours.as_ref()?.behind
    }

    /// It waits no more.
    pub fn waits_behind_no_more(&mut self, request: OutgoingId) {
        if let Some(ours) = &mut self.running.ours {
            ours.behind.take_if(|behind| *behind == request);
            self.running.tidy_ours();
        }
    }

    /// Our refresh is over, whatever became of it.
    pub fn refresh_over(&mut self) -> Deeds {
        let free = self.refresh_under_way().is_none();
        self.behind_refresh().filter(|_| free).map(Deed::GoOn).into_iter().collect()
    }

    /// It has failed: the session is as if it had never been (§14.1). One that waits was undone when it was refused.
    pub fn our_change_undone(&mut self, by: By, request: OutgoingId) -> Deeds {
        let mut deeds = Deeds::new();
        if let Some(ours) = self.running.take_ours(by, request) {
            if by == By::Reinvite {
                self.reliable_failed();
                self.updates_undone(&ours.carries, &mut deeds);
            }
            self.lasting.signaling.undo(ours.carries);
        }
        deeds.push(Deed::State);
        deeds
    }

    /// Whether our re-INVITE has changed the session before its final response (RFC 6141 §3.2), or what it, or our UPDATE,
    /// was to repair had: if it fails, the peer may have other descriptions in use than we (§3.4).
    pub fn our_change_has_executed(&self, by: By, request: OutgoingId) -> bool {
        let ours = self.running.our(by).filter(|ours| ours.request == request && !ours.waits);
        let moved = |ours: &OurChange| by == By::Reinvite && self.lasting.signaling.has_moved_since(&ours.before);
        ours.is_some_and(|ours| ours.executed || moved(ours))
    }

    /// Whether our UPDATE, answered so, leaves both sides with what was executed before it.
    pub fn our_update_repairs_nothing(&self, request: OutgoingId, status: u16) -> bool {
        let offers = self.running.our(By::Update).is_some_and(|ours| ours.carries.is_offer());
        self.our_change_has_executed(By::Update, request) && (status >= 300 || !offers)
    }

    /// A re-INVITE has failed, and with it the offers of UPDATEs inside it that are not answered (RFC 6337 §3.4): that of
    /// the peer's is refused, the answer to ours means nothing.
    pub(super) fn updates_undone(&mut self, reinvite: &Carries, deeds: &mut Deeds) {
        if matches!(reinvite, Carries::Nothing) {
            return;
        }
        if let Some(update) = self.running.our_mut(By::Update) {
            update.carries = Carries::Nothing;
        }
        let theirs = self.running.theirs.as_mut().and_then(|theirs| theirs.update.as_mut());
        if let Some(update) = theirs.filter(|update| update.carries.is_offer()) {
            update.carries = Carries::Nothing;
            let refusal = Box::new(Refusal { status: 488, reason: None, ending: Ending::default() });
            deeds.push(Deed::Refuse(update.request, refusal));
        }
    }

    /// Whether our change may go out once more now, or at last where its way was looked up: as a new one, for to the peer
    /// it is one (RFC 3261 §14.1, RFC 3311 §5.1).
    pub fn our_change_again_guard(&self, by: By, request: OutgoingId, outside: Around) -> Result<()> {
        let offers = self.running.our(by).is_some_and(|ours| ours.request == request && ours.offers());
        let mut without = self.clone();
        if without.our_change_undone(by, request).iter().any(|deed| matches!(deed, Deed::Refuse(..))) {
            return Err(Error::state("the offer of the peer's UPDATE inside it is not answered (RFC 3264 4)"));
        }
        match by {
            By::Reinvite => without.our_reinvite_guard(offers, outside),
            By::Update => without.our_update_guard(offers, outside),
        }
    }

    /// Whether the peer takes such a change at all, now or later (RFC 3311 §5.1).
    pub fn may_take(&self, by: By) -> bool {
        by == By::Reinvite || self.lasting.peer.may_take_update()
    }

    /// It was refused for now and will be sent again (§14.1): the session is as if it had never been.
    pub fn our_change_waits(&mut self, by: By, request: OutgoingId) -> Deeds {
        let offer = self.running.our_mut(by).map(|ours| std::mem::replace(&mut ours.offer, Offer::None));
        let executed = self.our_change_has_executed(by, request);
        let deeds = self.our_change_undone(by, request);
        let offer = match offer {
            Some(Offer::Fresh(_)) => self.freshness(true),
            offer => offer.unwrap_or(Offer::None),
        };
        self.running.put_ours(by, OurChange::waiting(request, offer, executed));
        deeds
    }

    /// Whether a newer one may wait instead of those that do: the dialog takes it, and none of its kind is under way.
    pub fn takes_newer(&self, by: By) -> Result<()> {
        match by {
            By::Reinvite => self.takes_reinvite(),
            By::Update => self.takes_update(),
        }?;
        match by {
            _ if self.running.our(by).is_none_or(OurChange::waits) => Ok(()),
            By::Reinvite => Err(Error::state("our re-INVITE is pending (RFC 3261 14.1)")),
            By::Update => Err(Error::state("our UPDATE has no final response (RFC 3311 5.2)")),
        }
    }

    /// The same of one that waits for the end of our refresh, which may be of its kind.
    pub fn takes_behind_refresh(&self, by: By) -> Result<()> {
        if self.running.our(by).is_some_and(OurChange::is_refresh) {
            return match by {
                By::Reinvite => self.takes_reinvite(),
                By::Update => self.takes_update(),
            };
        }
        self.takes_newer(by)
    }

    /// A newer one waits instead of those that did. `executed`: something of them was.
    pub fn our_change_waits_instead(&mut self, by: By, request: OutgoingId, has_offer: bool, executed: bool) -> Deeds {
        let offer = self.freshness(has_offer);
        self.running.put_ours(by, OurChange::waiting(request, offer, executed));
        smallvec![Deed::State]
    }

    /// What a description of ours that is written now stands beside; none while an offer of ours is open.
    pub fn stands_beside(&self) -> Option<Standing> {
        let open = self.lasting.signaling.open_offer() == Some(Party::Local);
        (!open).then(|| self.lasting.signaling.standing())
    }

    /// A description of ours that is written now.
    fn freshness(&self, has_offer: bool) -> Offer {
        if has_offer { Offer::Fresh(self.lasting.signaling.standing()) } else { Offer::None }
    }

    /// A PRACK of our re-INVITE has brought another offer of ours.
    pub(super) fn our_reinvite_overtaken(&mut self) {
        let ours = self.running.our_mut(By::Reinvite);
        if let Some(ours) = ours.filter(|ours| matches!(ours.offer, Offer::Fresh(_))) {
            ours.offer = Offer::Stale;
        }
    }

    /// Our changes that were refused and wait to be sent again.
    pub fn retries(&self) -> impl Iterator<Item = OutgoingId> + use<'_> {
        let ours = [By::Reinvite, By::Update].into_iter().filter_map(|by| self.running.our(by));
        ours.filter(|ours| ours.waits).map(|ours| ours.request)
    }

    fn waiting(&mut self) -> impl Iterator<Item = &mut OurChange> {
        self.running.ours.iter_mut().flat_map(|ours| ours.each()).filter(|ours| ours.waits)
    }

    /// Our change that waits with an offer which is stale, as soon as no exchange is under way. To be asked after
    /// each change of the books: what was said and taken back counts as well.
    pub fn stale_retry(&mut self) -> Option<OutgoingId> {
        self.running.ours.as_ref()?;
        let (standing, open) = (self.lasting.signaling.standing(), self.lasting.signaling.open_offer().is_some());
        for ours in self.waiting() {
            if matches!(&ours.offer, Offer::Fresh(written) if *written != standing) {
                ours.offer = Offer::Stale;
            }
        }
        self.waiting().find(|ours| !open && matches!(ours.offer, Offer::Stale)).map(|ours| ours.request)
    }

    /// The host has given the one that waits a new body.
    pub fn retry_renewed(&mut self, request: OutgoingId, has_offer: bool) {
        let offer = self.freshness(has_offer);
        if let Some(ours) = self.waiting().find(|ours| ours.request == request) {
            ours.offer = offer;
        }
    }

    /// It will not be sent again. True: something of it was executed before it was refused.
    pub fn retry_called_off(&mut self, request: OutgoingId) -> bool {
        let mut executed = false;
        for by in [By::Reinvite, By::Update] {
            let ours = self.running.take_ours_if(by, |ours| ours.request == request && ours.waits);
            executed |= ours.is_some_and(|ours| ours.executed);
        }
        executed
    }
}

#[cfg(test)]
mod tests;
