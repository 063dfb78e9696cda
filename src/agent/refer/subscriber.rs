//! Subscriptions of our REFERs: the peer notifies (RFC 3515 §2.4, RFC 6665).

use crate::agent::event::{Event, EventKind, Reason, flag};
use crate::agent::fault::{Counter, Fault};
use crate::agent::ours::outgoing::{Kind, OutgoingState, Subscribed};
use crate::agent::theirs::incoming::Kind as IncomingKind;
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::words::response::Answer;
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::config::quirk;
use crate::message::subscription::sipfrag_status;
use crate::message::{EventName, HeaderId, Message, SubscriptionState};
use std::sync::Arc;
use std::time::Duration;

/// The longest that we believe in one of ours, whatever its NOTIFYs say.
const LONGEST: Duration = Duration::from_secs(86_400);
/// What we take where its NOTIFYs say nothing, which RFC 6665 §4.2.2 forbids.
const UNSAID: Duration = Duration::from_secs(3_600);
/// How long the final NOTIFY is waited for after one that said "terminated" too early.
const TERMINATED_EARLY: Duration = Duration::from_secs(600);

/// How a subscription of ours goes on after a NOTIFY.
enum Next {
    /// It lives for so long.
    Living(Duration),
    Over,
    /// The NOTIFY does not say.
    Unsaid,
}

/// Of a dialog whose session is over.
pub(super) const NO_SUBSCRIPTION: Fault =
    Fault::new(Counter::Unknown, "Event", "the NOTIFY names no subscription of the dialog (RFC 6665 4.1.3)");

impl Agent {
    /// A REFER of ours has its final answer.
    pub(in crate::agent) fn refer_answered(&mut self, id: OutgoingId, response: Option<&Arc<Message>>) {
        let granted = response.filter(|response| response.status() < 300);
        // RFC 4488 §4: no subscription only where the 2xx says so.
        let refused = |response: &Arc<Message>| response.header(HeaderId::ReferSub).is_some_and(is_false);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let silent = outgoing.silent;
        let Kind::Refer(subscriber) = &mut outgoing.kind else { return };
        let lives = granted.is_some_and(|response| !(refused(response) && subscriber.unwanted))
            && !matches!(subscriber.state, Subscribed::Over)
            && !silent;
        if !lives {
            return self.subscriber_over(id);
        }
        if matches!(subscriber.state, Subscribed::Asked) {
            subscriber.state = Subscribed::Accepted;
            // RFC 6665 §4.1.2.4: timer N, for the NOTIFY that has to come.
            self.expect_notify(id, self.config.timers.patience());
        }
    }

    fn expect_notify(&mut self, id: OutgoingId, span: Duration) {
        let timer = self.arm(span, Timeout::Outgoing(id, OutgoingTimer::Subscription));
        let Some(Kind::Refer(subscriber)) = self.objects.outgoing.get_mut(id).map(|outgoing| &mut outgoing.kind) else {
            return;
        };
        let old = subscriber.timer.replace(timer);
        self.stop(old);
    }

    /// The subscription of a REFER of ours is over, and with it the request.
    pub(in crate::agent) fn subscriber_over(&mut self, id: OutgoingId) {
        let Some(session) = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session) else { return };
        if let Some(referrals) = self.objects.referrals_mut(session) {
            referrals.ours_over(id);
        }
        self.objects.let_dialog_go(session);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let waits = outgoing.state() != OutgoingState::Completed;
        let Kind::Refer(subscriber) = &mut outgoing.kind else { return };
        subscriber.state = Subscribed::Over;
        let timer = subscriber.timer.take();
        self.stop(timer);
        if !waits {
            self.outgoing_over(id);
        }
    }

    /// It has ended without a NOTIFY that says so, which the host has to hear: no NOTIFY came in time, or the dialog is
    /// gone.
    pub(in crate::agent) fn subscription_lost(&mut self, id: OutgoingId, reason: Reason) {
        let Some(session) = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session) else { return };
        let delegate = self.objects.delegate_of_gone(session);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let Kind::Refer(subscriber) = &mut outgoing.kind else { return };
        subscriber.heard_by.delegate = delegate;
        if !outgoing.silent {
            let session = Some(session);
            let event =
                Event { session, outgoing: Some(id), reason, flags: flag::LAST, ..Event::new(EventKind::Notify) };
            self.tell(event);
        }
        self.subscriber_over(id);
    }

    /// A NOTIFY in a dialog. What it does to the subscription it does at arrival; how it is answered is the host's.
    pub(in crate::agent) fn notify_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let event = EventName::of(&request);
        let cseq_of = |refer: OutgoingId| Some(self.objects.outgoing.get(refer)?.message()?.cseq_number());
        let refer = event.and_then(|event| self.objects.referrals(id)?.ours_of(&event, cseq_of));
        if refer.is_none() && self.objects.holder(id).is_none_or(crate::session::Session::is_terminated) {
            return self.refuse(&request, &Answer::plain(481), NO_SUBSCRIPTION);
        }
        let default = default_of(event.as_ref(), refer.is_some());
        let about = about_notify(&request);
        let next = match refer {
            Some(_) => self.next_after(&request, about.status_code),
            None => Next::Unsaid,
        };
        let flags = if matches!(next, Next::Over) { flag::LAST } else { 0 };
        let about = Event { outgoing: refer, flags, ..about };
        let handed = self.hand_up_as(about, Some(id), request, IncomingKind::Notify { default });
        // The event names the REFER, which may go with this.
        if let Some(refer) = refer.filter(|_| handed) {
            self.notified(refer, &next);
        }
    }

    /// What a NOTIFY says of its subscription. The quirk: "terminated" beside a provisional response, for no reason or
    /// for that which a final one has (RFC 3515 §2.4.5), is said too early.
    fn next_after(&mut self, request: &Message, status: u16) -> Next {
        match request.header(HeaderId::SubscriptionState).and_then(SubscriptionState::parse) {
            Some(SubscriptionState::Terminated(reason)) => {
                let early = (100..200).contains(&status)
                    && reason.is_none_or(|reason| reason.eq_ignore_ascii_case(b"noresource"))
                    && self.tolerates(quirk::EARLY_TERMINATED);
                if !early {
                    return Next::Over;
                }
                self.counters.count_quirk(quirk::EARLY_TERMINATED);
                Next::Living(TERMINATED_EARLY)
            }
            Some(SubscriptionState::Living(seconds)) => {
                Next::Living(seconds.map_or(UNSAID, |seconds| Duration::from_secs(u64::from(seconds))).min(LONGEST))
            }
            None => Next::Unsaid,
        }
    }

    fn notified(&mut self, refer: OutgoingId, next: &Next) {
        match next {
            Next::Over => self.subscriber_over(refer),
            Next::Living(span) => {
                if let Some(Kind::Refer(subscriber)) =
                    self.objects.outgoing.get_mut(refer).map(|outgoing| &mut outgoing.kind)
                {
                    subscriber.state = Subscribed::Notified;
                }
                // The last NOTIFY, which says that it has expired, is given time to arrive.
                self.expect_notify(refer, span.saturating_add(self.config.timers.patience()));
            }
            Next::Unsaid => {}
        }
    }

    /// The dialog is gone, and all subscriptions with it.
    pub(in crate::agent) fn end_referrals(&mut self, id: SessionId) {
        let Some((ours, theirs)) = self.objects.referrals(id).map(crate::session::refer::Referrals::all) else {
            return;
        };
        for refer in ours {
            self.subscription_lost(refer, Reason::DialogGone);
        }
        for refer in theirs {
            self.stop_notifying(refer, None);
        }
    }

    /// A NOTIFY out of every dialog.
    pub(in crate::agent) fn stray_notify_arrived(&mut self, request: Arc<Message>) {
        let default = default_of(EventName::of(&request).as_ref(), false);
        self.hand_up_as(about_notify(&request), None, request, IncomingKind::Notify { default });
    }
}

/// What the event of a NOTIFY says beyond the request: what its sipfrag does, whoever subscribed.
fn about_notify(request: &Message) -> Event {
    Event { status_code: sipfrag_status(request).unwrap_or(0), ..Event::new(EventKind::Notify) }
}

/// The default answer to a NOTIFY: 489 to a package that nobody knows (RFC 6665 §4.1.3), 481 where nobody subscribed.
fn default_of(event: Option<&EventName<'_>>, subscribed: bool) -> u16 {
    match event {
        Some(event) if event.is_refer() && subscribed => 200,
        Some(event) if event.is_refer() => 481,
        _ => 489,
    }
}

/// A Refer-Sub value (RFC 4488 §4).
pub(in crate::agent) fn is_false(value: &[u8]) -> bool {
    value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().eq_ignore_ascii_case(b"false")
}
