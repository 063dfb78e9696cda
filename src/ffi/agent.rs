//! Section "agent" of the header.
//!
//! In the header:
//! Where the host owns sockets and loop: any number of receive(), handle_timeout() and other calls; then drain
//! poll_event() or dispatch(), and poll_transmit(), until both have nothing; then ask next_timeout(). The outputs are
//! the same as if drained after each call.

use crate::agent::Agent;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::ffi::cell::{Drive, Driver, Inner, Taps, Watching, run_releases};
use crate::ffi::clock::{Clock, Log};
use crate::ffi::config::sipdlg_config_t;
use crate::ffi::convert::{
    borrowed, bytes, fill_struct, flow as read_flow, optional_text, room, text, write_optional, write_out,
};
use crate::ffi::event::{default, deliver, function_for};
use crate::ffi::guard::{NONE, OK, guard, guard_always};
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::{set_delegate, set_user, user};
use crate::ffi::message::message;
use crate::ffi::options::{response_options, with_options};
use crate::ffi::reserve::Share;
use crate::ffi::structs::{
    sipdlg_agent_t, sipdlg_delegate_t, sipdlg_endpoint_t, sipdlg_event_t, sipdlg_flow_t, sipdlg_message_t,
    sipdlg_outgoing_t, sipdlg_release_t, sipdlg_request_options_t, sipdlg_response_options_t, sipdlg_session_t,
    sipdlg_stats_t, sipdlg_status_t, sipdlg_transmit_t,
};
use crate::flow::Flow;
use crate::time::{Now, Time};
use std::ffi::{c_char, c_void};
use std::io;
use std::sync::Arc;

/// Runs with the agent of a token.
pub(crate) fn with_agent<T>(agent: sipdlg_agent_t, run: impl FnOnce(&mut Inner, Now) -> Result<T>) -> Result<T> {
    handle::find(agent, Kind::Agent)?.with(|inner, now| {
        inner.check_token(agent)?;
        run(inner, now)
    })
}

pub(crate) fn found(some: bool) -> i32 {
    if some { OK } else { NONE }
}

/// A new agent. `config` NULL: all defaults. No socket, no thread. Free it with sipdlg_agent_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_new(config: *const sipdlg_config_t, out: *mut sipdlg_agent_t) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `config`, when not NULL, came from sipdlg_config_new().
        let config = unsafe { config.as_ref() };
        let (mut core, log) =
            config.map_or_else(|| (Config::default(), Log::NONE), |config| (config.core.clone(), Log::of(config)));
        let watching = config.map_or(Watching::NONE, |config| config.watching);
        core.log_level = core.log_level.max(watching.level());
        core.trace = watching.wants_messages();
        let taps = Taps::new(watching, core.redact);
        let security = config.and_then(|config| config.security.clone());
        let mut seed = [0; 32];
        match core.seed {
            // The test seed: the core expands it, so that its bytes are all that matters.
            Some(given) => seed[..8].copy_from_slice(&given.to_le_bytes()),
            None => getrandom::fill(&mut seed).map_err(|error| {
                let number = error.raw_os_error();
                let error = number.map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error);
                Error::new(ErrorKind::System, format!("no randomness: {error}"))
            })?,
        }
        let mut clock = if core.manual_clock { Clock::Manual(Now::default()) } else { Clock::system() };
        let now = clock.now();
        let share = Share::take(core.limits.message_bytes)?;
        let cell = handle::claim()?;
        let token = cell.move_in(Agent::new(core, seed, now), clock, log, taps, security, share);
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// Ends the agent at once: nothing is sent, sessions give no TERMINATED, release functions run. Waits for a running
/// callback of another thread; from inside a callback of ANY agent it never waits and takes effect when that callback
/// returns. To be polite first see sipdlg_agent_next_session() and sipdlg_session_hangup().
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_free(agent: sipdlg_agent_t) -> sipdlg_status_t {
    guard_always(|| handle::find(agent, Kind::Agent)?.free(agent).map(|()| OK))
}

/// Copies the delegate; NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_set_delegate(
    agent: sipdlg_agent_t,
    delegate: *const sipdlg_delegate_t,
) -> sipdlg_status_t {
    // SAFETY: promised by the caller.
    unsafe { set_delegate(Kind::Agent, agent, delegate) }
}

/// Replaces the user pointer; the former one is released.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_set_user(
    agent: sipdlg_agent_t,
    user: *mut c_void,
    release: sipdlg_release_t,
) -> sipdlg_status_t {
    set_user(Kind::Agent, agent, user, release)
}

/// The user pointer, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_user(agent: sipdlg_agent_t) -> *mut c_void {
    user(Kind::Agent, agent)
}

/// Says that the host has a socket: transport, local and link of `flow`; remote is ignored. At least one is needed.
/// sent_by: host[:port] for Via and Contact when it is not the local address (NAT). For all but UDP: a listener or, with
/// port 0, "can connect"; WS and WSS without sent_by then have a random name .invalid (RFC 7118 §5). WSS serves sip URIs
/// with transport=ws where there is no WS; TLS and WSS serve those with tcp and ws of a dialog whose messages came so.
/// Errors: ERR_STATE this transport and local is there already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_add_transport(
    agent: sipdlg_agent_t,
    flow: *const sipdlg_flow_t,
    sent_by: *const c_char,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers and text in.
        let (flow, sent_by) = unsafe { (read_flow(flow)?, optional_text(sent_by)) };
        with_agent(agent, |inner, _| inner.core.add_transport(&flow, sent_by))?;
        Ok(OK)
    })
}

/// Says that a socket or connection is gone (by link). Streams: its half message is dropped; requests in flight on it
/// go to the next target of their name (see sipdlg_agent_resolved()), or by the connection that their dialog has since, or
/// get a local 503. LINK_LOST tells each living session whose dialog's messages came on it last, or whose
/// sipdlg_session_set_flow() names it. That ends no call by itself: requests go by their URIs, until a message of the peer's
/// comes on another connection or the host names one (sipdlg_agent_move_link(), sipdlg_session_set_flow()). Of several that
/// wait for one session the last is told. SIPDLG_NONE: not known.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_link_closed(agent: sipdlg_agent_t, link: u64) -> sipdlg_status_t {
    guard(|| with_agent(agent, |inner, now| Ok(found(inner.core.link_closed(now, link)))))
}

/// Where peers see the socket that `flow` goes by (transport, and link, local or remote): sipdlg_config_set_nat(). SIPDLG_NONE:
/// at its own address, as far as anybody has said. Errors: ERR_NO_TRANSPORT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_seen_at(
    agent: sipdlg_agent_t,
    flow: *const sipdlg_flow_t,
    out: *mut sipdlg_endpoint_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers in.
        let flow = unsafe { read_flow(flow) }?;
        let seen = with_agent(agent, |inner, _| inner.core.seen_at(&flow))?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, seen.map(sipdlg_endpoint_t::from)) })
    })
}

/// Moves all dialogs of one link to another flow, for a client that comes back on a new connection: those whose messages
/// came on it last, or whose sipdlg_session_set_flow() names it, also when it is closed already. `count`: how many. A number
/// that the host uses anew is that of two connections here, so move before. A peer's message in a dialog does the same for
/// that one by itself. Errors: ERR_ARGUMENT link 0, `to` without remote; ERR_NO_TRANSPORT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_move_link(
    agent: sipdlg_agent_t,
    link: u64,
    to: *const sipdlg_flow_t,
    count: *mut usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `to` is NULL or readable.
        let to = unsafe { read_flow(to) }?;
        let moved = with_agent(agent, |inner, now| inner.core.move_link(now, link, &to))?;
        // SAFETY: the caller promises that `count`, when not NULL, is writable.
        unsafe { write_out(count, moved) };
        Ok(OK)
    })
}

/// Bytes from the network. UDP, WS, WSS: one call is one message. TCP, TLS: any piece of the stream of flow->link,
/// which must not be 0; the library finds the messages (RFC 3261 §18.3). Keep-alives are answered on all but UDP (RFC
/// 5626 §4.4.1, RFC 7118 §6). Peer's errors are not errors here. A host with more datagrams than it can hand over does
/// well, as the library's sockets do, to begin with responses and requests with a tag in To, which belong to calls, and
/// to keep the order among all others (INVITE and its CANCEL), of which it may drop some.
/// Errors: ERR_LIMIT the stream holds a message beyond the limit or half messages fill their part, ERR_SYNTAX one of unknown length (no good
/// Content-Length): close the connection; until link_closed nothing more is read from it after the latter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_receive(
    agent: sipdlg_agent_t,
    flow: *const sipdlg_flow_t,
    data: *const c_void,
    len: usize,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers and bytes in.
        let (flow, data) = unsafe { (read_flow(flow)?, bytes(data, len, "data")?) };
        with_agent(agent, |inner, now| inner.core.receive(now, &flow, data))?;
        Ok(OK)
    })
}

/// Carries out all timers that are due. Early or late calls do no harm.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_handle_timeout(agent: sipdlg_agent_t) -> sipdlg_status_t {
    guard(|| {
        with_agent(agent, |inner, now| {
            inner.core.handle_timeout(now);
            Ok(OK)
        })
    })
}

/// Microseconds from now until handle_timeout() is due; 0 when it is, or when events or transmits wait; UINT64_MAX when
/// no timer runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_next_timeout(agent: sipdlg_agent_t, delay_us: *mut u64) -> sipdlg_status_t {
    guard(|| {
        let delay = with_agent(agent, |inner, now| {
            if inner.core.has_output() || inner.releases.is_waiting() {
                return Ok(0);
            }
            let due = inner.core.next_timeout();
            Ok(due.map_or(u64::MAX, |due| due.as_micros().saturating_sub(now.monotonic.as_micros())))
        })?;
        // SAFETY: the caller promises that `delay_us`, when not NULL, is writable.
        unsafe { write_out(delay_us, delay) };
        Ok(OK)
    })
}

/// Manual clock only: monotonic time (any origin) and Unix time, in microseconds. Monotonic time never goes back
/// (ignored), Unix time may. Calls use the time last set. Then call handle_timeout().
/// Errors: ERR_STATE no manual clock.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_set_time(agent: sipdlg_agent_t, monotonic_us: u64, unix_us: u64) -> sipdlg_status_t {
    guard(|| {
        with_agent(agent, |inner, _| match &mut inner.clock {
            Clock::Manual(now) => {
                *now = Now { monotonic: now.monotonic.max(Time::from_micros(monotonic_us)), unix_us };
                Ok(OK)
            }
            Clock::System { .. } => Err(Error::state("the agent goes by the system's clock")),
        })
    })
}

/// The next message to send; SIPDLG_NONE when there is none. One thread at a time. Not with run_once or start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_poll_transmit(
    agent: sipdlg_agent_t,
    out: *mut sipdlg_transmit_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs. Before anything is taken from the queue.
        unsafe { room(out) }?.ok_or_else(|| Error::argument("out is NULL"))?;
        let cell = handle::find(agent, Kind::Agent)?;
        let transmit = cell.with(|inner, _| {
            inner.check_token(agent)?;
            if inner.is_networked() {
                return Err(Error::new(ErrorKind::Busy, "run_once or the runtime's threads send what waits"));
            }
            inner.transmit = inner.core.poll_transmit();
            if inner.transmit.is_none() {
                cell.seen(inner);
            }
            Ok(inner.transmit.as_ref().map(|transmit| sipdlg_transmit_t {
                size: size_of::<sipdlg_transmit_t>(),
                id: transmit.id,
                data: transmit.bytes.as_ptr().cast(),
                len: transmit.bytes.len(),
                flow: (&transmit.flow).into(),
                host: borrowed(transmit.host.as_deref()),
            }))
        })?;
        let Some(transmit) = transmit else { return Ok(NONE) };
        // SAFETY: the header's rule for structs.
        unsafe { fill_struct(out, &transmit) }?;
        Ok(OK)
    })
}

/// Says that a message could not be sent (no need for a datagram that is merely lost): next target or local 503 (RFC
/// 3261 §8.1.3.1), or TRANSPORT_ERROR. An INVITE that has a provisional response has arrived, and a refusal or challenge
/// stands whatever becomes of its ACK: nothing happens. SIPDLG_NONE: no one waits for it any more.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_transmit_failed(agent: sipdlg_agent_t, id: u64) -> sipdlg_status_t {
    guard(|| with_agent(agent, |inner, now| Ok(found(inner.core.transmit_failed(now, id)))))
}

/// Says by which connection a request with link 0 goes, before it is written or at once after: it is lost with that link
/// (sipdlg_agent_link_closed()), and its ACK or CANCEL goes there too. SIPDLG_NONE: no request in flight waits to hear that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_transmit_goes_by(
    agent: sipdlg_agent_t,
    id: u64,
    flow: *const sipdlg_flow_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rules for pointers in.
        let flow = unsafe { read_flow(flow) }?;
        with_agent(agent, |inner, _| Ok(found(inner.core.transmit_goes_by(id, &flow))))
    })
}

/// Answers RESOLVE, at once or later: where to, best first (RFC 3263); transport and remote of each flow count, and link
/// where it is not 0; count 0: not found. SIPDLG_NONE: no one waits any more. Unanswered for 32 s: not found.
/// A request whose target fails (sipdlg_agent_transmit_failed(), no response at all in 64*T1, 503) goes to the next one,
/// with another branch (RFC 3263 §4.3); the first 16 that a transport reaches are tried. The target that answered is
/// kept for the dialog. No further one is tried for an INVITE that was cancelled, or whose early dialogs all ended. An ACK
/// of a 2xx whose name was not found is asked for again when the 2xx is repeated; BYE follows it where the session has
/// ended meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_resolved(
    agent: sipdlg_agent_t,
    query: u64,
    targets: *const sipdlg_flow_t,
    count: usize,
) -> sipdlg_status_t {
    guard(|| {
        if targets.is_null() && count != 0 {
            return Err(Error::argument("targets is NULL and count is not 0"));
        }
        // More than anyone would try; bounds what a wrong count can do.
        if count > 1_000 {
            return Err(Error::argument("count is beyond 1,000"));
        }
        // SAFETY: the caller promises `count` readable flows; each is read where it stands.
        let targets: Vec<Flow> =
            (0..count).map(|at| unsafe { read_flow(targets.wrapping_add(at)) }).collect::<Result<_>>()?;
        with_agent(agent, |inner, now| Ok(found(inner.core.resolved(now, query, &targets))))
    })
}

/// Delivers queued events to the delegates until none is left, those that callbacks cause included. Errors: ERR_BUSY.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_dispatch(agent: sipdlg_agent_t) -> sipdlg_status_t {
    guard(|| {
        let driver = Driver::enter(agent, Drive::Events)?;
        deliver(driver.cell());
        driver.cell().send_what_waits(agent);
        Ok(OK)
    })
}

/// The next event, for hosts that want no callbacks: delegates are not looked at, and no default is done until
/// sipdlg_event_default() or the answer time-out. SIPDLG_NONE when there is none. `out->size` must be
/// set. One thread at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_poll_event(agent: sipdlg_agent_t, out: *mut sipdlg_event_t) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for structs. Before anything is taken from the queue.
        unsafe { room(out) }?.ok_or_else(|| Error::argument("out is NULL"))?;
        let cell = handle::find(agent, Kind::Agent)?;
        let (event, releases) = cell.with(|inner, now| {
            inner.check_token(agent)?;
            if inner.is_delivered() {
                return Err(Error::new(ErrorKind::Busy, "events are being delivered to the delegates"));
            }
            inner.current = None;
            let event = loop {
                let Some(event) = inner.core.poll_event() else {
                    cell.seen(inner);
                    break None;
                };
                // With sockets of its own the library resolves too, unless the host has a function for it.
                if inner.resolves_itself(&event) && function_for(inner, &event).is_none() {
                    default(cell, inner, now, &event)?;
                    continue;
                }
                let event = inner.current.insert(event).clone();
                break Some(inner.event_for_host(&event));
            };
            Ok((event, inner.releases.is_waiting().then(|| Arc::clone(&inner.releases))))
        })?;
        if let Some(releases) = &releases {
            run_releases(releases);
        }
        let Some(event) = event else { return Ok(NONE) };
        // SAFETY: the header's rule for structs.
        unsafe { fill_struct(out, &event) }?;
        Ok(OK)
    })
}

/// A file descriptor that is readable while events or transmits wait (also those made by other threads). For poll();
/// never read, write or close it. Errors: ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_event_fd(agent: sipdlg_agent_t, fd: *mut i32) -> sipdlg_status_t {
    guard(|| {
        let value = handle::find(agent, Kind::Agent)?.event_fd(agent)?;
        // SAFETY: the caller promises that `fd`, when not NULL, is writable.
        unsafe { write_out(fd, value) };
        Ok(OK)
    })
}

/// Makes a running or the next sipdlg_agent_run_once() return and the event fd readable once. May be called from a
/// signal handler.
// Not behind the guard: its thread-local would be made lazily, and there is nothing here that panics.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_wake(agent: sipdlg_agent_t) -> sipdlg_status_t {
    handle::wake(agent)
}

/// Gives memory back after a peak of calls, for hosts that drive by themselves: once, when few of its calls are left.
/// (run_once and start do so at an eighth of a peak.) Tables shrink as they empty; this gives back the last of their room
/// and the pages that the allocator keeps between what lives on (malloc_trim() where libc has it, for the whole process),
/// which takes milliseconds after a large peak.
#[unsafe(no_mangle)]
pub extern "C" fn sipdlg_agent_trim(agent: sipdlg_agent_t) -> sipdlg_status_t {
    guard(|| handle::find(agent, Kind::Agent)?.trim(agent).map(|()| OK))
}

/// INVITE (RFC 3261 §13.2). target: URI; NULL with options->refer: its Refer-To. Headers and `method` of the URI are
/// left out (§19.1.1); To, unless options say, is its scheme, user, host and `user`. With a body that is the offer;
/// without, the 2xx or a reliable 1xx brings one (NEEDS_ACK, NEEDS_PRACK). Sessions appear in PROGRESS and ACCEPT, one
/// per To tag. ACK and PRACK are sent by the library, at once, when there is nothing for the host to put into them.
/// Errors: ERR_SYNTAX, also a `method` that is not INVITE; ERR_HEADER; ERR_LIMIT; ERR_NO_TRANSPORT; ERR_UNSUPPORTED a
/// target that is neither sip nor sips without a flow or a route; ERR_ARGUMENT no target, or
/// options->refer is no REFER; ERR_STATE that REFER was refused, is over, or asks for another method.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_invite(
    agent: sipdlg_agent_t,
    target: *const c_char,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    guard(|| {
        let token = with_agent(agent, |inner, now| {
            // SAFETY: the header's rule for text in.
            let target = unsafe { optional_text(target) };
            // SAFETY: the header's rule for structs.
            let id = unsafe { with_options(options, inner, |core, options| core.invite(now, target, options)) }?;
            Ok(inner.outgoing_token(id))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// Any other request out of a dialog: "OPTIONS", "REGISTER", "MESSAGE", ... Errors: as invite; ERR_ARGUMENT for INVITE,
/// ACK, CANCEL, BYE, PRACK, UPDATE; ERR_UNSUPPORTED for SUBSCRIBE, and for REFER, which goes in a dialog
/// (sipdlg_session_refer()).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_request(
    agent: sipdlg_agent_t,
    method: *const c_char,
    target: *const c_char,
    options: *const sipdlg_request_options_t,
    out: *mut sipdlg_outgoing_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the header's rule for text in.
        let (method, target) = unsafe { (text(method, "method")?, text(target, "target")?) };
        let token = with_agent(agent, |inner, now| {
            // SAFETY: the header's rule for structs.
            let id =
                unsafe { with_options(options, inner, |core, options| core.request(now, method, target, options)) }?;
            Ok(inner.outgoing_token(id))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        unsafe { write_out(out, token) };
        Ok(OK)
    })
}

/// Answers a request without a transaction (RFC 3261 §8.2.7). `request` must have been received, not ACK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_reply_stateless(
    agent: sipdlg_agent_t,
    request: *const sipdlg_message_t,
    status_code: i32,
    options: *const sipdlg_response_options_t,
) -> sipdlg_status_t {
    guard(|| {
        // SAFETY: the caller promises that `request` is NULL or a living message.
        let request = unsafe { message(request) }?;
        let status = status(status_code)?;
        // SAFETY: the header's rule for structs.
        let options = unsafe { response_options(options) }?;
        with_agent(agent, |inner, now| inner.core.reply_stateless(now, request, status, &options))?;
        Ok(OK)
    })
}

/// A status code of a host, 0 included; what the core does not accept there it says itself.
pub(crate) fn status(status_code: i32) -> Result<u16> {
    u16::try_from(status_code)
        .ok()
        .filter(|status| *status <= 699)
        .ok_or_else(|| Error::argument(format!("status_code is {status_code}")))
}

/// The session after `previous` (0: the first), in no particular order; SIPDLG_NONE at the end. `previous` may have
/// ended; sessions may come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_next_session(
    agent: sipdlg_agent_t,
    previous: sipdlg_session_t,
    out: *mut sipdlg_session_t,
) -> sipdlg_status_t {
    guard(|| {
        let next = with_agent(agent, |inner, _| {
            let previous = if previous == 0 {
                None
            } else {
                let same = std::ptr::eq(handle::find(previous, Kind::Session)?, handle::find(agent, Kind::Agent)?);
                if !same {
                    return Err(Error::argument("previous is of another agent"));
                }
                Some(inner.session_id(previous)?)
            };
            Ok(inner.core.next_session(previous).map(|id| inner.session_token(id)))
        })?;
        // SAFETY: the caller promises that `out`, when not NULL, is writable.
        Ok(unsafe { write_optional(out, next) })
    })
}

/// Fills the part of `out` that out->size covers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sipdlg_agent_stats(agent: sipdlg_agent_t, out: *mut sipdlg_stats_t) -> sipdlg_status_t {
    guard(|| {
        let stats = with_agent(agent, |inner, _| {
            let core = inner.core.stats();
            let links = inner.links();
            Ok(sipdlg_stats_t {
                size: size_of::<sipdlg_stats_t>(),
                sessions: core.sessions,
                incoming: core.incoming,
                outgoing: core.outgoing,
                transactions: core.transactions,
                timers: core.timers,
                bytes: core.bytes,
                messages_received: core.messages_received,
                messages_sent: core.messages_sent,
                retransmissions_received: core.retransmissions_received,
                retransmissions_sent: core.retransmissions_sent,
                dropped_malformed: core.dropped_malformed,
                dropped_limit: core.dropped_limit,
                answered_limit: core.answered_limit,
                calls_placed: core.calls_placed,
                calls_received: core.calls_received,
                calls_confirmed: core.calls_confirmed,
                longest_callback_us: inner.longest_callback_us,
                quirks: core.quirks,
                maddr_ignored: core.maddr_ignored,
                refused_malformed: core.refused_malformed,
                refused_method: core.refused_method,
                refused_scheme: core.refused_scheme,
                refused_extension: core.refused_extension,
                refused_content: core.refused_content,
                refused_merged: core.refused_merged,
                refused_unknown: core.refused_unknown,
                refused_order: core.refused_order,
                refused_state: core.refused_state,
                refused_memory: core.refused_memory,
                refused_default: core.refused_default,
                dropped_response: core.dropped_response,
                dropped_ack: core.dropped_ack,
                dropped_stream: core.dropped_stream,
                ignored_challenges: core.ignored_challenges,
                refused_sessions: core.refused_sessions,
                refused_calls: core.refused_calls,
                refused_unanswered: core.refused_unanswered,
                refused_rate: core.refused_rate,
                dropped_behind: core.dropped_behind,
                trace_lost: inner.taps().lost(),
                capture_lost: inner.taps().uncaptured(),
                connections: links.connections,
                connections_refused: links.refused,
                transmits_full: links.full,
            })
        })?;
        // SAFETY: the header's rule for structs.
        unsafe { room(out)?.ok_or_else(|| Error::argument("out is NULL"))? };
        // SAFETY: as above.
        unsafe { fill_struct(out, &stats) }?;
        Ok(OK)
    })
}
