//! Subscriptions of the peer's REFERs: we notify (RFC 3515 §2.4, RFC 6665).

use crate::agent::event::EventKind;
use crate::agent::methods::effect_of_answer;
use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::outgoing::Kind;
use crate::agent::refer::subscriber::NO_SUBSCRIPTION;
use crate::agent::theirs::incoming::{Incoming, Kind as IncomingKind, Notifier};
use crate::agent::timeout::{IncomingTimer, Timeout};
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::subscription::write_sipfrag;
use crate::message::{EventName, HeaderId, Message, Method, SubscriptionState, reason_phrase, write};
use crate::session::usage::Effect;
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

/// How long a subscription of the peer's lives unless it is refreshed (RFC 3515 §2.4.4: the choice of who accepts).
const LIFE: Duration = Duration::from_secs(600);
/// NOTIFYs of one subscription that may be on their way; what comes more replaces the one that waits.
const UNDER_WAY: u8 = 8;

/// How a subscription of the peer's goes on after a NOTIFY.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Going {
    On,
    /// The referenced request is done.
    NoResource,
    /// Expired, or ended by SUBSCRIBE.
    Timeout,
}

impl Agent {
    /// A REFER of the peer's was accepted: its subscription begins, and says so at once (RFC 3515 §2.4.4).
    pub(in crate::agent) fn start_notifying(&mut self, id: IncomingId, session: SessionId) {
        let timer = self.arm(LIFE, Timeout::Incoming(id, IncomingTimer::Subscription));
        let expires_at = self.now.monotonic.plus(LIFE);
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let Some(cseq) = incoming.cseq() else { return };
        let IncomingKind::Refer(refer) = &mut incoming.kind else { return };
        let first = refer.first;
        refer.notifier =
            Some(Notifier { timer, expires_at, last: (100, b"Trying"[..].into()), under_way: 0, waits: false });
        if let Some(referrals) = self.objects.referrals_mut(session) {
            referrals.accepted(id, cseq, first);
        }
        self.send_notify(id, Going::On);
    }

    /// The progress of what a REFER asked for (RFC 3515 §2.4.5); a final code ends the subscription.
    pub fn incoming_notify(&mut self, now: Now, id: IncomingId, status: u16, reason: Option<&[u8]>) -> Result<()> {
        self.at(now);
        if !(100..700).contains(&status) {
            return Err(Error::argument("status_code: 100 to 699"));
        }
        reason.map(write::check_line).transpose()?;
        let IncomingKind::Refer(refer) = &self.incoming(id)?.kind else {
            return Err(Error::state("not a REFER: only the subscription of one is notified (RFC 3515 2.4.4)"));
        };
        if refer.notifier.is_none() {
            return Err(Error::state("the REFER has no subscription: not accepted, or it is over (RFC 3515 2.4.4)"));
        }
        self.table.room()?;
        self.notify_progress(id, status, reason);
        Ok(())
    }

    /// The same for a REFER that may have lost its subscription.
    pub(in crate::agent) fn notify_progress(&mut self, id: IncomingId, status: u16, reason: Option<&[u8]>) {
        let Some(notifier) = self.objects.incoming.get_mut(id).and_then(Incoming::notifier_mut) else { return };
        notifier.last = (status, reason.unwrap_or_else(|| reason_phrase(status).as_bytes()).into());
        if status >= 200 {
            return self.stop_notifying(id, Some(Going::NoResource));
        }
        self.notify_in_turn(id);
    }

    /// NOTIFY now, or when one of those under way is answered.
    fn notify_in_turn(&mut self, id: IncomingId) {
        let Some(notifier) = self.objects.incoming.get_mut(id).and_then(Incoming::notifier_mut) else { return };
        notifier.waits = notifier.under_way >= UNDER_WAY;
        if !notifier.waits {
            self.send_notify(id, Going::On);
        }
    }

    /// The subscription is over; `last`: what its last NOTIFY says, `None`: nothing is sent.
    pub(in crate::agent) fn stop_notifying(&mut self, id: IncomingId, last: Option<Going>) {
        if let Some(going) = last {
            self.send_notify(id, going);
        }
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let session = incoming.session;
        let IncomingKind::Refer(refer) = &mut incoming.kind else { return };
        let Some(notifier) = refer.notifier.take() else { return };
        self.stop(Some(notifier.timer));
        if let Some(session) = session {
            if let Some(referrals) = self.objects.referrals_mut(session) {
                referrals.theirs_over(id);
            }
            self.objects.let_dialog_go(session);
        }
        self.objects.incoming_over(id);
    }

    /// NOTIFY with what was said last. One that cannot be sent is lost; expiry ends the subscription all the same.
    fn send_notify(&mut self, id: IncomingId, going: Going) {
        let now = self.now.monotonic;
        let Some(incoming) = self.objects.incoming.get_mut(id) else { return };
        let (session, Some(cseq)) = (incoming.session, incoming.cseq()) else { return };
        let IncomingKind::Refer(refer) = &mut incoming.kind else { return };
        let (Some(notifier), Some(session)) = (&mut refer.notifier, session) else { return };
        let mut fragment = Vec::with_capacity(64);
        write_sipfrag(&mut fragment, notifier.last.0, &notifier.last.1);
        // RFC 3515 §2.4.6: the second REFER of a dialog and those after it are told apart.
        let event = if refer.first { "Event: refer".to_owned() } else { format!("Event: refer;id={cseq}") };
        let state = match going {
            Going::On => {
                // A refresh is due before the end, so no less than a second.
                let left = notifier.expires_at.since(now).as_secs().max(1);
                format!("Subscription-State: active;expires={left}")
            }
            Going::NoResource => "Subscription-State: terminated;reason=noresource".to_owned(),
            Going::Timeout => "Subscription-State: terminated;reason=timeout".to_owned(),
        };
        let options = RequestOptions {
            headers: vec![event.as_bytes(), state.as_bytes()],
            body: Some(Body {
                content: &fragment,
                content_type: Some(b"message/sipfrag;version=2.0"),
                disposition: None,
            }),
            ..RequestOptions::default()
        };
        let drafted = self.draft_for_session(session, (Method::Notify, b"NOTIFY"), Kind::Notify(id), options);
        let Ok(request) = drafted else { return };
        if let Some(outgoing) = self.objects.outgoing.get_mut(request) {
            outgoing.silent = true;
        }
        self.objects.notify_leaves(id, session);
        self.launch(request);
    }

    /// A NOTIFY of a REFER's subscription has its final answer.
    pub(in crate::agent) fn notify_answered(
        &mut self,
        id: IncomingId,
        session: SessionId,
        status: u16,
        made_here: bool,
    ) {
        if let Some(referrals) = self.objects.referrals_mut(session) {
            referrals.notifies(false);
        }
        let mut go_on = false;
        if let Some(notifier) = self.objects.incoming.get_mut(id).and_then(Incoming::notifier_mut) {
            notifier.under_way = notifier.under_way.saturating_sub(1);
            go_on = std::mem::take(&mut notifier.waits);
        }
        // RFC 6665 §4.2.2: these say that nobody listens any more.
        if status >= 300 && effect_of_answer(&self.config, b"NOTIFY", status, made_here) != Effect::Transaction {
            self.stop_notifying(id, None);
        } else if go_on {
            self.send_notify(id, Going::On);
        }
        self.objects.let_dialog_go(session);
    }

    /// Its time is over (RFC 6665 §4.2.2).
    pub(in crate::agent) fn notifier_expired(&mut self, id: IncomingId) {
        self.stop_notifying(id, Some(Going::Timeout));
    }

    /// SUBSCRIBE in a dialog: refreshes or ends the subscription of a REFER (RFC 3515 §2.4.4); all else is the host's.
    pub(in crate::agent) fn subscribe_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let event = EventName::of(&request);
        let found = event.and_then(|event| self.objects.referrals(id)?.theirs_of(&event));
        let Some(refer) = found else {
            if self.objects.holder(id).is_none_or(crate::session::Session::is_terminated) {
                return self.refuse(&request, &Answer::plain(481), NO_SUBSCRIPTION);
            }
            return self.hand_up(EventKind::Subscribe, Some(id), request);
        };
        let asked =
            request.header(HeaderId::Expires).and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        let life = asked.map_or(LIFE, Duration::from_secs).min(LIFE);
        let mut lines = Vec::new();
        write::number_header(&mut lines, HeaderId::Expires, life.as_secs());
        self.settle(&request, &Answer { dialog: true, lines: &lines, ..Answer::plain(200) });
        if let Some(holder) = self.objects.holder_mut(id) {
            holder.refreshed(&request);
        }
        if life.is_zero() {
            return self.stop_notifying(refer, Some(Going::Timeout));
        }
        let timer = self.arm(life, Timeout::Incoming(refer, IncomingTimer::Subscription));
        let expires_at = self.now.monotonic.plus(life);
        let Some(notifier) = self.objects.incoming.get_mut(refer).and_then(Incoming::notifier_mut) else { return };
        let old = std::mem::replace(&mut notifier.timer, timer);
        notifier.expires_at = expires_at;
        self.stop(Some(old));
        // RFC 6665 §4.2.1.2: each SUBSCRIBE that is accepted brings a NOTIFY.
        self.notify_in_turn(refer);
    }

    /// NOTIFY by hand (RFC 6665). That of a REFER needs its subscription.
    pub fn notify(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let (mut event, mut state) = (None, None);
        for line in &options.headers {
            let (name, value) = write::split_header_line(line)?;
            match name.id() {
                HeaderId::Event => event = Some(value),
                HeaderId::SubscriptionState => state = Some(value),
                _ => {}
            }
        }
        let bad = |what: &'static str| Error::syntax(what);
        let event = event.ok_or_else(|| Error::argument("headers: a NOTIFY has an Event (RFC 6665 8.2.1)"))?;
        let event = EventName::parse(event).ok_or_else(|| bad("Event: package;id=x (RFC 6665 8.2.1)"))?;
        let state =
            state.ok_or_else(|| Error::argument("headers: a NOTIFY has a Subscription-State (RFC 6665 8.2.3)"))?;
        let state = SubscriptionState::parse(state)
            .ok_or_else(|| bad("Subscription-State: active, pending or terminated (RFC 6665 8.2.3)"))?;
        let found = self.objects.referrals(id).and_then(|referrals| referrals.theirs_of(&event));
        if event.is_refer() && found.is_none() {
            self.session(id)?;
            return Err(Error::state("Event: no REFER of the peer's has this subscription (RFC 3515 2.4.4)"));
        }
        // RFC 3515 §2.4.4: the NOTIFYs of an accepted REFER do not wait for the call.
        self.session(id)?.established(found.is_some() || self.config.takes_early())?;
        let kind = found.map_or(Kind::Other, Kind::Notify);
        let request = self.draft_for_session(id, (Method::Notify, b"NOTIFY"), kind, options)?;
        if let Some(refer) = found {
            self.objects.notify_leaves(refer, id);
        }
        self.launch(request);
        if let Some(refer) = found.filter(|_| matches!(state, SubscriptionState::Terminated(_))) {
            self.stop_notifying(refer, None);
        }
        Ok(request)
    }
}
