//! What is explored.

use crate::acts::Act;
use sipdlg::config::{Config, Policy, Refresher, SessionTimer};

/// Who the hosts are, and what they may do.
pub struct Plan {
    pub name: &'static str,
    pub configure: fn(&mut Config, u8),
    /// Alice's INVITE has an offer; else bob makes it.
    pub offers: bool,
    /// Bob's host takes the call at once.
    pub answers_at_once: bool,
    /// Changes wait for an act; else they are accepted at once.
    pub deliberates: bool,
    pub acts: [&'static [Act]; 2],
    /// So many requests that a timer sent: then nothing new is done.
    pub by_timer: u32,
}

/// INVITE, reliable and unreliable provisional responses, CANCEL, refusal, the end at any time.
pub const SET_UP: Plan = Plan {
    name: "set-up",
    configure: |_, _| {},
    offers: true,
    answers_at_once: false,
    deliberates: false,
    acts: [&[Act::Cancel, Act::Hangup], &[Act::Ring, Act::RingReliably, Act::Accept, Act::Reject, Act::Hangup]],
    by_timer: 4,
};

/// PRACK, and UPDATE of both sides while the phone rings.
pub const EARLY: Plan = Plan {
    name: "early changes",
    configure: |_, _| {},
    offers: true,
    answers_at_once: false,
    deliberates: false,
    acts: [&[Act::Update, Act::Cancel], &[Act::RingReliably, Act::RingAgain, Act::Update, Act::Accept]],
    by_timer: 4,
};

/// re-INVITE and UPDATE of both sides, the end at any time.
pub const CHANGES: Plan = Plan {
    name: "changes",
    configure: |_, _| {},
    offers: true,
    answers_at_once: true,
    deliberates: false,
    acts: [&[Act::Reinvite, Act::Update, Act::Hangup], &[Act::Reinvite, Act::Update, Act::Hangup]],
    by_timer: 4,
};

/// The same where hosts take their time, or refuse.
pub const DELIBERATE: Plan = Plan {
    name: "changes that wait",
    configure: |_, _| {},
    offers: true,
    answers_at_once: true,
    deliberates: true,
    acts: [
        &[Act::Reinvite, Act::Cancel, Act::Hangup],
        &[Act::Update, Act::Reinvite, Act::AcceptChange, Act::RefuseChange],
    ],
    by_timer: 3,
};

/// An INVITE without an offer, and re-INVITEs without one.
pub const LATE_OFFER: Plan = Plan {
    name: "late offers",
    configure: |_, _| {},
    offers: false,
    answers_at_once: false,
    deliberates: false,
    acts: [&[Act::ReinviteBare, Act::Update, Act::Hangup], &[Act::RingReliably, Act::Accept, Act::ReinviteBare]],
    by_timer: 3,
};

/// Session timers: the callee refreshes at 45 s, beside changes and the end.
pub const REFRESH: Plan = Plan {
    name: "refresh",
    configure: refreshed_by_callee,
    offers: true,
    answers_at_once: true,
    deliberates: false,
    acts: [&[Act::Reinvite, Act::Hangup], &[Act::Update, Act::Hangup]],
    by_timer: 3,
};

/// A call that is refreshed by its caller, and ends.
pub const SIMPLE: Plan = Plan {
    name: "a simple call",
    configure: refreshed,
    acts: [&[Act::Hangup], &[Act::Hangup]],
    by_timer: 2,
    ..REFRESH
};

/// All of it.
pub const CALL: Plan = Plan {
    name: "a whole call",
    configure: refreshed,
    offers: true,
    answers_at_once: false,
    deliberates: false,
    acts: [
        &[Act::Update, Act::Reinvite, Act::Cancel, Act::Info, Act::Hangup],
        &[Act::RingReliably, Act::Accept, Act::Reject, Act::Reinvite, Act::Update, Act::Hangup],
    ],
    by_timer: 3,
};

fn refreshed(config: &mut Config, _side: u8) {
    config.session_timer = SessionTimer::new(Policy::Supported, 90, 90, Refresher::Any).expect("good numbers");
}

fn refreshed_by_callee(config: &mut Config, side: u8) {
    let refresher = [Refresher::Remote, Refresher::Local][usize::from(side)];
    config.session_timer = SessionTimer::new(Policy::Supported, 90, 90, refresher).expect("good numbers");
}
