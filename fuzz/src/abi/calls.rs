//! One call of each function, with what comes to hand.
// Each pointer is NULL or a room of `hand`, as long as its function may believe.
#![allow(clippy::undocumented_unsafe_blocks, unused_unsafe, clippy::let_and_return)]

use super::hand::{Hand, ROOM, released, seen};
use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::*;
use sipdlg::ffi::incoming::*;
use sipdlg::ffi::library::*;
use sipdlg::ffi::message::*;
use sipdlg::ffi::outgoing::*;
use sipdlg::ffi::session::birth::*;
use sipdlg::ffi::session::by_hand::*;
use sipdlg::ffi::session::properties::*;
use sipdlg::ffi::session::requests::*;
use sipdlg::ffi::structs::*;
use sipdlg::ffi::trace::*;
use std::ptr::null_mut;

/// Functions in the table; higher numbers are what a call needs most, and so comes more often.
const TABLE: usize = 123;

impl Hand {
    fn transmit(&mut self) -> *mut sipdlg_transmit_t {
        let empty = unsafe { std::mem::zeroed() };
        self.sized(empty)
    }

    fn trace_entry(&mut self) -> *mut sipdlg_trace_entry_t {
        let empty = unsafe { std::mem::zeroed() };
        self.sized(empty)
    }

    fn stats(&mut self) -> *mut sipdlg_stats_t {
        let empty = unsafe { std::mem::zeroed() };
        self.sized(empty)
    }
}

/// Makes one call; what it gives is documented.
pub fn turn(h: &mut Hand) {
    let what = h.choices.below(256);
    let given = if what < TABLE { of_table(h, what) } else { usual(h, what) };
    // Getters give a number, and a status where there is none.
    assert!(given >= -17, "call {what} gave {given}");
    assert_ne!(given, -17, "call {what}: a defect of the library: {}", last_error());
}

/// What makes a call go on.
fn usual(h: &mut Hand, what: usize) -> i32 {
    match what % 10 {
        0..=2 => h.poll(),
        3..=5 => {
            let (agent, flow) = (h.agent(), h.flow());
            let (data, len) = h.bytes();
            status(unsafe { sipdlg_agent_receive(agent, flow, data, len) })
        }
        6 => {
            h.now = h.now.saturating_add(h.choices.of(&[1_000, 500_000, 40_000_000, 0]));
            let (agent, now) = (h.agent(), h.now);
            status(sipdlg_agent_set_time(agent, now, now));
            status(sipdlg_agent_handle_timeout(agent))
        }
        7 => match h.event.take() {
            Some(event) => status(unsafe { sipdlg_event_default(&raw const *event) }),
            None => 0,
        },
        8 => rare(h),
        _ => {
            let (agent, out) = (h.agent(), h.transmit());
            status(unsafe { sipdlg_agent_poll_transmit(agent, out) })
        }
    }
}

/// What makes or ends what the program owns.
fn rare(h: &mut Hand) -> i32 {
    match h.choices.below(8) {
        0 => {
            let (data, len) = h.bytes();
            let out = h.out();
            let given = unsafe { sipdlg_message_parse(data, len, out) };
            keep_message(h, given, out)
        }
        1 => {
            let (incoming, out) = (h.incoming(), h.out());
            let given = unsafe { sipdlg_incoming_message(incoming, out) };
            keep_message(h, given, out)
        }
        2 => {
            let (outgoing, out) = (h.outgoing(), h.out());
            let given = unsafe { sipdlg_outgoing_message(outgoing, out) };
            keep_message(h, given, out)
        }
        3 => match h.messages.pop() {
            Some(message) => {
                unsafe {
                    assert_eq!(sipdlg_message_retain(message), 0);
                    sipdlg_message_release(message);
                    sipdlg_message_release(message);
                }
                0
            }
            None => 0,
        },
        4 if h.configs.len() < 3 => {
            h.new_config();
            0
        }
        5 => status(h.new_agent()),
        6 if h.agents.len() > 1 => {
            let agent = h.agents.remove(h.choices.below(h.agents.len()));
            assert_eq!(sipdlg_agent_free(agent), 0);
            status(sipdlg_agent_free(agent))
        }
        _ => {
            let (session, flow) = (h.session(), h.flow());
            let (data, len) = h.bytes();
            status(unsafe { sipdlg_session_receive_request(session, flow, data, len) })
        }
    }
}

fn keep_message(h: &mut Hand, given: i32, out: *mut *const sipdlg_message_t) -> i32 {
    if given == 0 && !out.is_null() {
        h.messages.push(unsafe { out.read() });
    }
    status(given)
}

/// One of `enum sipdlg_status_e`.
fn status(given: i32) -> i32 {
    assert!((-17..=1).contains(&given), "{given} is no status");
    given
}

/// What was the matter with the last call.
fn last_error() -> String {
    let mut text = vec![0_u8; ROOM];
    unsafe { sipdlg_last_error(text.as_mut_ptr().cast(), text.len(), null_mut()) };
    String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned()
}

#[rustfmt::skip]
fn of_table(h: &mut Hand, what: usize) -> i32 {
    match what {
        0 => { let a0 = h.agent(); let a1 = h.delegate(); unsafe { sipdlg_agent_set_delegate(a0, a1) } }
        1 => { let a0 = h.agent(); unsafe { sipdlg_agent_set_user(a0, null_mut(), Some(released)) } }
        2 => { let a0 = h.agent(); let a1 = h.flow(); let a2 = h.text(); unsafe { sipdlg_agent_add_transport(a0, a1, a2) } }
        3 => { let a0 = h.agent(); let a1 = h.large(); unsafe { sipdlg_agent_link_closed(a0, a1) } }
        4 => { let a0 = h.agent(); unsafe { sipdlg_agent_handle_timeout(a0) } }
        5 => { let a0 = h.agent(); let a1 = h.out(); unsafe { sipdlg_agent_next_timeout(a0, a1) } }
        6 => { let a0 = h.agent(); let a1 = h.transmit(); unsafe { sipdlg_agent_poll_transmit(a0, a1) } }
        7 => { let a0 = h.agent(); let a1 = h.large(); unsafe { sipdlg_agent_transmit_failed(a0, a1) } }
        8 => { let a0 = h.agent(); unsafe { sipdlg_agent_dispatch(a0) } }
        9 => { let a0 = h.agent(); unsafe { sipdlg_agent_wake(a0) } }
        10 => { let a0 = h.agent(); unsafe { sipdlg_agent_trim(a0) } }
        11 => { let a0 = h.agent(); let a1 = h.stats(); unsafe { sipdlg_agent_stats(a0, a1) } }
        12 => { let a0 = h.agent(); let a1 = h.large(); let a2 = h.flow(); unsafe { sipdlg_agent_resolved(a0, a1, a2, usize::from(!a2.is_null())) } }
        13 => { let a0 = h.agent(); let a1 = h.message(); let a2 = h.signed(); let a3 = h.response_options(); unsafe { sipdlg_agent_reply_stateless(a0, a1, a2, a3) } }
        14 => { let (at, room, needed) = h.buffer(); unsafe { sipdlg_last_error(at, room, needed) } }
        15 => { let a0 = h.text(); let a1 = h.signed(); unsafe { sipdlg_effect_of(a0, a1) } }
        16 => { let a0 = h.text(); let a1 = h.out(); unsafe { sipdlg_endpoint_parse(a0, a1) } }
        17 => { let a0 = h.endpoint_pointer(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_endpoint_text(a0, at, room, needed) } }
        18 => { let a0 = h.message(); unsafe { sipdlg_message_status_code(a0) } }
        19 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_method(a0, a1) } }
        20 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_uri(a0, a1) } }
        21 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_reason_phrase(a0, a1) } }
        22 => { let a0 = h.message(); let a1 = h.text(); unsafe { sipdlg_message_header_count(a0, a1) } }
        23 => { let a0 = h.message(); let a1 = h.text(); let a2 = h.number(); let a3 = h.out(); unsafe { sipdlg_message_header(a0, a1, a2, a3) } }
        24 => { let a0 = h.message(); let a1 = h.text(); let a2 = h.number(); let a3 = h.out(); unsafe { sipdlg_message_name_addr(a0, a1, a2, a3) } }
        25 => { let a0 = h.message(); let a1 = h.out(); let a2 = h.out(); unsafe { sipdlg_message_cseq(a0, a1, a2) } }
        26 => { let a0 = h.message(); let a1 = h.number(); let a2 = h.out(); unsafe { sipdlg_message_via(a0, a1, a2) } }
        27 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_body(a0, a1) } }
        28 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_session_body(a0, a1) } }
        29 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_bytes(a0, a1) } }
        30 => { let a0 = h.message(); let a1 = h.text(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_message_digest_username(a0, a1, at, room, needed) } }
        31 => { let a0 = h.message(); let a1 = h.text(); let a2 = h.text(); let a3 = h.text(); let a4 = h.signed(); let a5 = h.text(); let a6 = h.agent(); unsafe { sipdlg_message_check_digest(a0, a1, a2, a3, a4, a5, a6) } }
        32 => { let a0 = h.message(); let a1 = h.out(); unsafe { sipdlg_message_flow(a0, a1) } }
        33 => { let a0 = h.incoming(); let a1 = h.delegate(); unsafe { sipdlg_incoming_set_delegate(a0, a1) } }
        34 => { let a0 = h.incoming(); unsafe { sipdlg_incoming_set_user(a0, null_mut(), Some(released)) } }
        35 => { let a0 = h.incoming(); let a1 = h.response_options(); unsafe { sipdlg_incoming_trying(a0, a1) } }
        36 => { let a0 = h.incoming(); let a1 = h.signed(); let a2 = h.texts(); let a3 = h.response_options(); unsafe { sipdlg_incoming_redirect(a0, a1, a2, a3) } }
        37 => { let a0 = h.incoming(); let a1 = h.signed(); let a2 = h.response_options(); unsafe { sipdlg_incoming_reject(a0, a1, a2) } }
        38 => { let a0 = h.incoming(); let a1 = h.text(); let a2 = h.text(); unsafe { sipdlg_incoming_challenge(a0, a1, a2) } }
        39 => { let a0 = h.incoming(); let a1 = h.signed(); let a2 = h.text(); unsafe { sipdlg_incoming_notify(a0, a1, a2) } }
        40 => { let a0 = h.incoming(); unsafe { sipdlg_incoming_dispose(a0) } }
        41 => { let a0 = h.outgoing(); let a1 = h.delegate(); unsafe { sipdlg_outgoing_set_delegate(a0, a1) } }
        42 => { let a0 = h.outgoing(); unsafe { sipdlg_outgoing_set_user(a0, null_mut(), Some(released)) } }
        43 => { let a0 = h.outgoing(); unsafe { sipdlg_outgoing_state(a0) } }
        44 => { let a0 = h.outgoing(); let a1 = h.text(); let a2 = h.request_options(); unsafe { sipdlg_outgoing_cancel(a0, a1, a2) } }
        45 => { let a0 = h.outgoing(); let a1 = h.body_pointer(); unsafe { sipdlg_outgoing_retry(a0, a1) } }
        46 => { let a0 = h.outgoing(); let a1 = h.text(); let a2 = h.text(); unsafe { sipdlg_outgoing_authenticate(a0, a1, a2) } }
        47 => { let a0 = h.outgoing(); unsafe { sipdlg_outgoing_dispose(a0) } }
        48 => { let a0 = h.session(); let a1 = h.signed(); unsafe { sipdlg_session_set_defer_ack(a0, a1) } }
        49 => { let a0 = h.session(); unsafe { sipdlg_session_ack_processed(a0) } }
        50 => { let a0 = h.session(); unsafe { sipdlg_session_confirm(a0) } }
        51 => { let a0 = h.session(); unsafe { sipdlg_session_reconfirm(a0) } }
        52 => { let a0 = h.session(); unsafe { sipdlg_session_signaling_state_rollback(a0) } }
        53 => { let a0 = h.session(); let a1 = h.body_pointer(); let a2 = h.signed(); unsafe { sipdlg_session_signaling_state_transition(a0, a1, a2) } }
        54 => { let a0 = h.session(); let a1 = h.delegate(); unsafe { sipdlg_session_set_delegate(a0, a1) } }
        55 => { let a0 = h.session(); unsafe { sipdlg_session_set_user(a0, null_mut(), Some(released)) } }
        56 => { let a0 = h.session(); unsafe { sipdlg_session_state(a0) } }
        57 => { let a0 = h.session(); unsafe { sipdlg_session_signaling_state(a0) } }
        58 => { let a0 = h.session(); unsafe { sipdlg_session_early(a0) } }
        59 => { let a0 = h.session(); unsafe { sipdlg_session_secure(a0) } }
        60 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_state_text(a0, at, room, needed) } }
        61 => { let a0 = h.session(); let a1 = h.out(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_offer(a0, a1, at, room, needed) } }
        62 => { let a0 = h.session(); let a1 = h.out(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_answer(a0, a1, at, room, needed) } }
        63 => { let a0 = h.session(); let a1 = h.out(); let a2 = h.out(); let a3 = h.out(); unsafe { sipdlg_session_interval(a0, a1, a2, a3) } }
        64 => { let a0 = h.session(); let a1 = h.out(); unsafe { sipdlg_session_reinvite_client(a0, a1) } }
        65 => { let a0 = h.session(); let a1 = h.out(); unsafe { sipdlg_session_reinvite_server(a0, a1) } }
        66 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_id(a0, at, room, needed) } }
        67 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_call_id(a0, at, room, needed) } }
        68 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_local_tag(a0, at, room, needed) } }
        69 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_remote_tag(a0, at, room, needed) } }
        70 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_local_uri(a0, at, room, needed) } }
        71 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_remote_uri(a0, at, room, needed) } }
        72 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_remote_target(a0, at, room, needed) } }
        73 => { let a0 = h.session(); let (at, room, needed) = h.buffer(); unsafe { sipdlg_session_route_set(a0, at, room, needed) } }
        74 => { let a0 = h.session(); let a1 = h.out(); unsafe { sipdlg_session_local_sequence_number(a0, a1) } }
        75 => { let a0 = h.session(); let a1 = h.out(); unsafe { sipdlg_session_remote_sequence_number(a0, a1) } }
        76 => { let a0 = h.session(); let a1 = h.flow(); unsafe { sipdlg_session_set_flow(a0, a1) } }
        77 => { let a0 = h.session(); let a1 = h.signed(); let a2 = h.request_options(); unsafe { sipdlg_session_hangup(a0, a1, a2) } }
        78 => { let a0 = h.session(); let a1 = h.request_options(); unsafe { sipdlg_session_ack(a0, a1) } }
        79 => { let a0 = h.session(); unsafe { sipdlg_session_dispose(a0) } }
        80 => { let a0 = h.session(); let a1 = h.message(); unsafe { sipdlg_session_reliable_sequence_guard(a0, a1) } }
        81 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_aor(a0, a1) } }
        82 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_contact(a0, a1) } }
        83 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_user_agent(a0, a1) } }
        84 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_supported(a0, a1) } }
        85 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_allow(a0, a1) } }
        86 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_route_set(a0, a1) } }
        87 => { let a0 = h.config(); let a1 = h.number(); let a2 = h.number(); let a3 = h.number(); unsafe { sipdlg_config_set_timers(a0, a1, a2, a3) } }
        88 => { let a0 = h.config(); let a1 = h.number(); let a2 = h.number(); unsafe { sipdlg_config_set_answer_timeouts(a0, a1, a2) } }
        89 => { let a0 = h.config(); let a1 = h.number(); let a2 = h.number(); let a3 = h.number(); unsafe { sipdlg_config_set_limits(a0, a1, a2, a3) } }
        90 => { let a0 = h.config(); let a1 = h.large(); let a2 = h.large(); unsafe { sipdlg_config_set_memory(a0, a1, a2) } }
        91 => { let a0 = h.config(); let a1 = h.signed(); let a2 = h.signed(); unsafe { sipdlg_config_set_reliable(a0, a1, a2) } }
        92 => { let a0 = h.config(); let a1 = h.signed(); let a2 = h.number(); let a3 = h.number(); let a4 = h.signed(); unsafe { sipdlg_config_set_session_timer(a0, a1, a2, a3, a4) } }
        93 => { let a0 = h.config(); let a1 = h.signed(); unsafe { sipdlg_config_set_fork_policy(a0, a1) } }
        94 => { let a0 = h.config(); let a1 = h.signed(); unsafe { sipdlg_config_set_resync(a0, a1) } }
        95 => { let a0 = h.config(); let a1 = h.signed(); unsafe { sipdlg_config_set_glare_retry(a0, a1) } }
        96 => { let a0 = h.config(); let a1 = h.signed(); unsafe { sipdlg_config_set_connected_identity(a0, a1) } }
        97 => { let a0 = h.config(); let a1 = h.signed(); unsafe { sipdlg_config_set_sips(a0, a1) } }
        98 => { let a0 = h.config(); let a1 = h.text(); let a2 = h.text(); let a3 = h.text(); let a4 = h.signed(); let a5 = h.text(); unsafe { sipdlg_config_add_credentials(a0, a1, a2, a3, a4, a5) } }
        99 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_digest_minimum(a0, a1) } }
        100 => { let a0 = h.config(); let a1 = h.text(); unsafe { sipdlg_config_set_info_packages(a0, a1) } }
        101 => { let a0 = h.config(); let a1 = h.number(); unsafe { sipdlg_config_set_tolerance(a0, a1) } }
        102 => { let a0 = h.config(); let a1 = h.text(); let a2 = h.signed(); let a3 = h.signed(); unsafe { sipdlg_config_set_effect(a0, a1, a2, a3) } }
        103 => { let a0 = h.agent(); let a1 = h.text(); let a2 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_agent_invite(a0, a1, a2, out) }; h.keep(3, status, out); status }
        104 => { let a0 = h.agent(); let a1 = h.text(); let a2 = h.text(); let a3 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_agent_request(a0, a1, a2, a3, out) }; h.keep(3, status, out); status }
        105 => { let a0 = h.agent(); let a1 = h.session(); let out = h.out(); let status = unsafe { sipdlg_agent_next_session(a0, a1, out) }; h.keep(1, status, out); status }
        106 => { let a0 = h.incoming(); let out = h.out(); let status = unsafe { sipdlg_incoming_session(a0, out) }; h.keep(1, status, out); status }
        107 => { let a0 = h.incoming(); let a1 = h.signed(); let a2 = h.response_options(); let out = h.out(); let status = unsafe { sipdlg_incoming_progress(a0, a1, a2, out) }; h.keep(1, status, out); status }
        108 => { let a0 = h.incoming(); let a1 = h.signed(); let a2 = h.response_options(); let out = h.out(); let status = unsafe { sipdlg_incoming_accept(a0, a1, a2, out) }; h.keep(1, status, out); status }
        109 => { let a0 = h.agent(); let a1 = h.incoming(); let a2 = h.dialog_state(); let a3 = h.delegate(); let out = h.out(); let status = unsafe { sipdlg_session_new(a0, a1, a2, a3, out) }; h.keep(1, status, out); status }
        110 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_bye(a0, a1, out) }; h.keep(3, status, out); status }
        111 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_invite(a0, a1, out) }; h.keep(3, status, out); status }
        112 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_update(a0, a1, out) }; h.keep(3, status, out); status }
        113 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_info(a0, a1, out) }; h.keep(3, status, out); status }
        114 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_message(a0, a1, out) }; h.keep(3, status, out); status }
        115 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_options(a0, a1, out) }; h.keep(3, status, out); status }
        116 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_notify(a0, a1, out) }; h.keep(3, status, out); status }
        117 => { let a0 = h.session(); let a1 = h.text(); let a2 = h.session(); let a3 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_refer(a0, a1, a2, a3, out) }; h.keep(3, status, out); status }
        118 => { let a0 = h.session(); let a1 = h.request_options(); let out = h.out(); let status = unsafe { sipdlg_session_prack(a0, a1, out) }; h.keep(3, status, out); status }
        119 => { let a0 = h.config(); unsafe { sipdlg_config_set_trace(a0, Some(seen), null_mut()) } }
        120 => { let a0 = h.config(); let a1 = h.number(); let a2 = h.signed(); let a3 = h.number(); let a4 = h.number(); unsafe { sipdlg_config_set_trace_ring(a0, a1, a2, a3, a4) } }
        121 => { let a0 = h.config(); let a1 = h.number(); unsafe { sipdlg_config_set_redact(a0, a1) } }
        122 => { let a0 = h.agent(); let a1 = h.trace_entry(); unsafe { sipdlg_agent_poll_trace(a0, a1) } }
        _ => 0,
    }
}
