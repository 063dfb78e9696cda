//! Three policies of hosts: what they do at once when an event comes.

use super::verdict::Law;
use super::world::MALLORY;
use crate::choices::Choices;
use crate::common::pair::{ALICE, BOB};
use crate::common::party::{Party, answer_sdp, with_sdp};
use crate::common::{ANSWER, HELD, HOLD, OFFER};
use sipdlg::agent::event::flag;
use sipdlg::agent::options::response_flag;
use sipdlg::agent::{Agent, Event, EventKind, RequestOptions, ResponseOptions};
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::Now;
use std::cell::Cell;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Rings and answers; says yes to all else.
    AcceptAll,
    /// Refuses, or answers later, by an act of its own.
    RefuseOrLate,
    /// By hand what can be done by hand; forks, reliable responses, what nobody asked for.
    Odd,
}

pub const BODIES: [&str; 5] = [ANSWER, "", OFFER, HOLD, HELD];

/// What a host goes by.
#[derive(Clone, Copy)]
struct Taken {
    policy: Policy,
    law: Law,
    /// Where names lead.
    other: &'static str,
}

/// Lets a party follow a policy, until all is to end.
pub fn takes_part(party: &mut Party, policy: Policy, law: Law, choices: &Choices, ending: &Rc<Cell<bool>>) {
    let other = if party.name == "alice" { BOB } else { ALICE };
    let taken = Taken { policy, law, other };
    // State and the end are told, and nothing is to be done about them.
    for kind in EventKind::ALL.into_iter().filter(|kind| !matches!(kind, EventKind::State | EventKind::Terminated)) {
        let (choices, ending) = (choices.clone(), ending.clone());
        party.on(kind, move |agent, now, event| {
            let done = !ending.get() && answers(taken, agent, now, event, &choices);
            if !done {
                // Err: it was answered meanwhile.
                drop(agent.event_default(now, event));
            }
        });
    }
}

/// False: the default.
fn answers(Taken { policy, law, other }: Taken, agent: &mut Agent, now: Now, event: &Event, choices: &Choices) -> bool {
    match event.kind {
        EventKind::Resolve => {
            let flow = |text: &str| Flow::new(Transport::Udp, None, text.parse().ok());
            let targets = [flow(other), flow(MALLORY), flow(other)];
            let count = choices.below(5);
            // 4: never answered.
            if count < 4 {
                agent.resolved(now, event.query, &targets[..3 - count]);
            }
            return true;
        }
        EventKind::Accept if event.flags & flag::NEEDS_ACK != 0 => {
            let Some(session) = event.session else { return false };
            return policy != Policy::RefuseOrLate
                && choices.below(4) < 3
                && agent.ack(now, session, &with_sdp(choices.of(&BODIES))).is_ok();
        }
        EventKind::Progress if event.flags & flag::NEEDS_PRACK != 0 => {
            let Some(session) = event.session else { return false };
            return choices.below(4) < 3 && agent.prack(now, session, with_sdp(choices.of(&BODIES))).is_ok();
        }
        EventKind::Challenge => {
            let Some(outgoing) = event.outgoing else { return false };
            return choices.yes() && agent.authenticate(now, outgoing, Some(b"user"), b"secret").is_ok();
        }
        // Left to a later act, or never done.
        EventKind::AckTimeout | EventKind::GlareRetry | EventKind::Resync => return choices.yes(),
        _ => {}
    }
    let (true, Some(incoming)) = (event.kind.is_request(), event.incoming) else { return false };
    let plain = ResponseOptions::default();
    match (policy, event.kind) {
        (Policy::AcceptAll, EventKind::Invite) => {
            if choices.yes() {
                drop(agent.progress(now, incoming, 180, &plain));
            }
            agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).is_ok()
        }
        (Policy::AcceptAll, EventKind::Prack | EventKind::Update | EventKind::Reinvite) => {
            agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).is_ok()
                || agent.accept(now, incoming, 200, &plain).is_ok()
        }
        (Policy::AcceptAll, _) => agent.accept(now, incoming, 200, &plain).is_ok(),
        (Policy::RefuseOrLate, EventKind::Prack | EventKind::Bye) => false,
        (Policy::RefuseOrLate, _) => match choices.below(6) {
            0..=2 => true,
            3 => agent.reject(now, incoming, choices.of(&[404, 480, 486, 488, 480, 503, 603]), &plain).is_ok(),
            4 => agent.redirect(now, incoming, 302, &[b"sip:carol@192.0.2.3"], &plain).is_ok(),
            _ => agent.challenge(now, incoming, b"here", None).is_ok(),
        },
        (Policy::Odd, EventKind::Invite) => {
            for _ in 0..choices.below(4) {
                let tags = [None, None, Some(&b"one"[..]), Some(b"two")];
                let to_tag = choices.of(&tags).filter(|_| law != Law::Repeats);
                let flags = if choices.yes() { response_flag::RELIABLE } else { 0 };
                let options = ResponseOptions { to_tag, flags, ..answer_sdp(choices.of(&BODIES)) };
                // A 199 of a host ends nothing here, and the judge wants the Reason of one that does.
                let status =
                    choices.of(if law == Law::Repeats { &[180, 183, 101, 180] } else { &[180, 183, 199, 101] });
                drop(agent.progress(now, incoming, status, &options));
            }
            if choices.yes() {
                drop(agent.accept(now, incoming, choices.of(&[200, 202]), &answer_sdp(choices.of(&BODIES))));
            }
            true
        }
        (Policy::Odd, EventKind::Refer) if choices.yes() => {
            let refer = Some(incoming);
            drop(agent.accept(now, incoming, 202, &plain));
            drop(agent.invite(now, None, RequestOptions { refer, ..with_sdp(OFFER) }));
            true
        }
        // One that is held is neither acknowledged nor refused to the judge, and no BYE may be refused.
        (Policy::Odd, EventKind::Prack | EventKind::Bye) if law == Law::Repeats => {
            agent.accept(now, incoming, 200, &answer_sdp(ANSWER)).is_ok()
        }
        (Policy::Odd, _) => match choices.below(4) {
            0 => true,
            1 => false,
            _ => agent.accept(now, incoming, 200, &answer_sdp(choices.of(&BODIES))).is_ok(),
        },
    }
}
