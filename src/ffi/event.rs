//! Section "event and delegate" of the header: events to the host, the look-up of functions, defaults.

use crate::agent::{Agent, Attachment, Event, EventKind};
use crate::error::{Error, Result};
use crate::ffi::cell::{AgentCell, Inner, callback, run_releases};
use crate::ffi::clock::micros;
use crate::ffi::convert::{borrowed, read_struct};
use crate::ffi::guard::{OK, guard};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{Delegate, delegate, user_pointer};
use crate::ffi::reserve;
use crate::ffi::structs::{sipdlg_callback_t, sipdlg_delegate_t, sipdlg_event_t, sipdlg_status_t};
use crate::time::Now;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// Does the default of an event, as if no function had been found. For hosts that poll, and from a callback that
/// declines. Nothing happens when the request was answered meanwhile. Errors: ERR_STATE done already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_event_default(event: *const sipdlg_event_t) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs.
        let event = unsafe { read_struct(event) }?.ok_or_else(|| Error::argument("event is NULL"))?;
        let cell = handle::find(event.agent, Kind::Agent)?;
        cell.with(|inner, now| {
            inner.check_token(event.agent)?;
            let event = inner.event_again(&event)?;
            default(cell, inner, now, &event)
        })?;
        Ok(OK)
    })
}

/// What happens when no function is found: the core's default, or with the runtime its resolver.
pub(crate) fn default(cell: &'static AgentCell, inner: &mut Inner, now: Now, event: &Event) -> Result<()> {
    let takes_calls = takes_calls(inner);
    inner.core.set_takes_calls(takes_calls);
    #[cfg(feature = "runtime")]
    if event.kind == EventKind::Resolve
        && let Some(network) = inner.network.as_ref().filter(|network| network.is_open())
    {
        let host = event.text.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let (port, transport, secure) = (event.port, event.transport, event.secure);
        let reach = inner.core.reach();
        let question = crate::runtime::Question { query: event.query, host, port, transport, secure, reach };
        let token = inner.token;
        let servers = &inner.core.config().name_servers;
        let asked = network.resolve(cell, servers, question, move |query, targets| {
            // The agent may be gone by now.
            let _ = crate::ffi::guard::contain(|| {
                cell.with(|inner, now| {
                    inner.check_token(token)?;
                    inner.core.resolved(now, query, targets);
                    Ok(())
                })
            });
        });
        if !asked {
            inner.core.resolved(now, event.query, &[]);
        }
        return Ok(());
    }
    let _ = cell;
    inner.core.event_default(now, event)
}

/// A callback that took so long lets no message wait for those after it.
const SLOW_US: u64 = 1_000;

/// An event as the host sees it, and who is to be called for it.
pub(crate) struct Delivery {
    event: sipdlg_event_t,
    function: unsafe extern "C" fn(*mut c_void, *const sipdlg_event_t),
    user: *mut c_void,
}

/// Delivers until nothing waits. Only the agent's driver calls it, with nothing locked.
pub(crate) fn deliver(cell: &'static AgentCell) {
    let mut took = None;
    // Without memory the host could answer none of them.
    while reserve::is_whole() {
        let step = cell.with(|inner, now| {
            inner.current = None;
            if let Some(took) = took.take() {
                inner.longest_callback_us = inner.longest_callback_us.max(took);
            }
            let delivery = if inner.is_ending() { None } else { next_delivery(cell, inner, now) };
            if delivery.is_none() {
                cell.seen(inner);
            }
            Ok((delivery, inner.token, inner.releases.is_waiting().then(|| Arc::clone(&inner.releases))))
        });
        let Ok((delivery, token, releases)) = step else { return };
        if let Some(releases) = &releases {
            run_releases(releases);
        }
        let Some(delivery) = delivery else { return };
        let before = micros(libc::CLOCK_MONOTONIC);
        // SAFETY: the host promised that its function takes its pointer and an event, where callbacks run.
        callback(token, || unsafe { (delivery.function)(delivery.user, &raw const delivery.event) });
        let duration = micros(libc::CLOCK_MONOTONIC).saturating_sub(before);
        took = Some(duration);
        // What quick ones make goes out together at the end.
        if duration >= SLOW_US {
            cell.send_what_waits(token);
        }
    }
}

/// The next event that has a function; defaults of those before it are done.
fn next_delivery(cell: &'static AgentCell, inner: &mut Inner, now: Now) -> Option<Delivery> {
    while let Some(event) = inner.core.poll_event() {
        let Some((function, user)) = function_for(inner, &event) else {
            // Refused when the request was answered or has ended meanwhile: then there is nothing to do.
            let _ = default(cell, inner, now, &event);
            continue;
        };
        let event = inner.current.insert(event).clone();
        return Some(Delivery { event: inner.event_for_host(&event), function, user });
    }
    None
}

/// Whether a new call would reach a function, or a host that polls and has no delegate.
fn takes_calls(inner: &Inner) -> bool {
    match delegate(&inner.attachment) {
        Some(Delegate(found)) => slot(found, EventKind::Invite).is_some(),
        None => !inner.is_delivered(),
    }
}

type Function = unsafe extern "C" fn(*mut c_void, *const sipdlg_event_t);

/// The look-up: the fate of a request of ours only in its own delegate, all else in request, session, agent.
pub(crate) fn function_for(inner: &Inner, event: &Event) -> Option<(Function, *mut c_void)> {
    let core = &inner.core;
    let of = |attachment: &Attachment| {
        let Delegate(found) = delegate(attachment)?;
        Some((slot(found, event.kind)?, found.user))
    };
    if event.kind.is_fate() {
        return of(core.outgoing(event.outgoing?).ok()?.attachment());
    }
    let of_incoming = || of(core.incoming(event.incoming?).ok()?.attachment());
    let of_refer = || of(core.outgoing(event.outgoing?).ok()?.subscriber_attachment()?);
    let of_session = || of(core.session(event.session?).ok()?.attachment());
    of_incoming().or_else(of_refer).or_else(of_session).or_else(|| of(&inner.attachment))
}

/// User pointer of the request, else of the session.
fn user_for(core: &Agent, event: &Event) -> Option<*mut c_void> {
    let of_incoming = || user_pointer(core.incoming(event.incoming?).ok()?.attachment());
    let of_outgoing = || user_pointer(core.outgoing(event.outgoing?).ok()?.attachment());
    let of_session = || user_pointer(core.session(event.session?).ok()?.attachment());
    of_incoming().or_else(of_outgoing).or_else(of_session)
}

fn slot(delegate: &sipdlg_delegate_t, kind: EventKind) -> sipdlg_callback_t {
    match kind {
        EventKind::Invite => delegate.on_invite,
        EventKind::Reinvite => delegate.on_reinvite,
        EventKind::Update => delegate.on_update,
        EventKind::Prack => delegate.on_prack,
        EventKind::Bye => delegate.on_bye,
        EventKind::Info => delegate.on_info,
        EventKind::Message => delegate.on_message,
        EventKind::Notify => delegate.on_notify,
        EventKind::Refer => delegate.on_refer,
        EventKind::Subscribe => delegate.on_subscribe,
        EventKind::Register => delegate.on_register,
        EventKind::Options => delegate.on_options,
        EventKind::Request => delegate.on_request,
        EventKind::Ack => delegate.on_ack,
        EventKind::Cancel => delegate.on_cancel,
        EventKind::Trying => delegate.on_trying,
        EventKind::Progress => delegate.on_progress,
        EventKind::Accept => delegate.on_accept,
        EventKind::Redirect => delegate.on_redirect,
        EventKind::Reject => delegate.on_reject,
        EventKind::Challenge => delegate.on_challenge,
        EventKind::State => delegate.on_state,
        EventKind::AckTimeout => delegate.on_ack_timeout,
        EventKind::GlareRetry => delegate.on_glare_retry,
        EventKind::Terminated => delegate.on_terminated,
        EventKind::Resolve => delegate.on_resolve,
        EventKind::TransportError => delegate.on_transport_error,
        EventKind::Resync => delegate.on_resync,
        EventKind::LinkLost => delegate.on_link_lost,
    }
}

impl Inner {
    /// The event in the host's words. What it points to is `current`'s.
    pub(crate) fn event_for_host(&mut self, event: &Event) -> sipdlg_event_t {
        sipdlg_event_t {
            size: size_of::<sipdlg_event_t>(),
            kind: event.kind as i32,
            flags: event.flags,
            id: event.id,
            agent: self.token,
            session: event.session.map_or(0, |id| self.session_token(id)),
            incoming: event.incoming.map_or(0, |id| self.incoming_token(id)),
            outgoing: event.outgoing.map_or(0, |id| self.outgoing_token(id)),
            replaces: event.replaces.map_or(0, |id| self.session_token(id)),
            user: user_for(&self.core, event).unwrap_or(ptr::null_mut()),
            message: event.message.as_ref().map_or(ptr::null(), |message| Arc::as_ptr(message).cast()),
            method: event.method.map_or(0, |method| method as i32),
            status_code: event.status_code.into(),
            reason: event.reason as i32,
            session_state: event.session_state as i32,
            signaling_state: event.signaling_state as i32,
            transport: event.transport.map_or(0, |transport| transport as i32),
            delay_us: event.delay_us,
            query: event.query,
            text: borrowed(event.text.as_deref()),
            reserved: 0,
            port: event.port,
            secure: event.secure.into(),
        }
    }

    /// The core's event of one that the host hands back: the current one, or a copy of one long gone.
    fn event_again(&self, event: &sipdlg_event_t) -> Result<Event> {
        if let Some(current) = self.current.as_ref().filter(|current| current.id == event.id) {
            return Ok(current.clone());
        }
        let kind = EventKind::ALL.into_iter().find(|kind| *kind as i32 == event.kind);
        let mut again = Event::new(kind.ok_or_else(|| Error::argument("event: kind is unknown"))?);
        let some = |token| if token == 0 { None } else { Some(token) };
        again.id = event.id;
        again.flags = event.flags;
        again.session = some(event.session).map(|token| self.session_id(token)).transpose()?;
        again.incoming = some(event.incoming).map(|token| self.incoming_id(token)).transpose()?;
        again.outgoing = some(event.outgoing).map(|token| self.outgoing_id(token)).transpose()?;
        again.query = event.query;
        again.status_code = u16::try_from(event.status_code).unwrap_or(0);
        Ok(again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_function() {
        unsafe extern "C" fn function(_: *mut c_void, _: *const sipdlg_event_t) {}
        // The 29 functions stand one after the other, behind `size` and `user`.
        let offset = size_of::<usize>() * 2;
        assert_eq!(size_of::<sipdlg_delegate_t>(), offset + EventKind::ALL.len() * size_of::<usize>());
        for (at, kind) in EventKind::ALL.into_iter().enumerate() {
            // SAFETY: all zero is a delegate without functions.
            let mut delegate: sipdlg_delegate_t = unsafe { std::mem::zeroed() };
            // SAFETY: within the struct, at a field of this type.
            unsafe {
                let place = (&raw mut delegate).cast::<u8>().add(offset + at * size_of::<usize>());
                place.cast::<sipdlg_callback_t>().write(Some(function));
            }
            let found = EventKind::ALL.into_iter().filter(|other| slot(&delegate, *other).is_some());
            assert_eq!(found.collect::<Vec<_>>(), [kind]);
        }
    }
}
