//! How everything ends when nothing new is done: the link delivers, hosts answer at once as they do, time passes. Then
//! either nothing is left, or the call stands; one that stands is hung up, and nothing is left.

use crate::acts::{NAMES, Step};
use crate::side::Stock;
use crate::state::Scribe;
use crate::world::World;
use std::collections::HashSet;

/// All that may take so long: an INVITE or re-INVITE that nobody answers takes three minutes, and some follow each other.
const PATIENCE: u64 = 1_000_000_000;

/// Where a world stands when nothing new is done.
pub enum Standing {
    /// This comes next.
    Goes(Step),
    /// The call stands, and nothing is under way.
    Quiet,
    /// Nothing is left.
    Empty,
    /// Something is left, and nothing will ever happen.
    Stuck(String),
}

pub fn standing(world: &World) -> Standing {
    if let Some(to) = (0..2u8).find(|to| !world.link[usize::from(*to)].is_empty()) {
        return Standing::Goes(Step::Deliver(to));
    }
    if !world.late.is_empty() {
        return Standing::Goes(Step::Late(0));
    }
    if !world.closing && world.sides.iter().all(|side| side.is_quiet) {
        return Standing::Quiet;
    }
    if let Some(tick) = world.ticks().next() {
        return Standing::Goes(tick);
    }
    let left: Vec<String> = (world.sides.iter().zip(NAMES))
        .filter(|(side, _)| side.living != [0; 5])
        .map(|(side, name)| {
            format!("{name} keeps sessions, incoming, outgoing, transactions, timers {:?}", side.living)
        })
        .collect();
    if left.is_empty() { Standing::Empty } else { Standing::Stuck(left.join("; ")) }
}

/// Goes on to the end. `good`: states that are known to end well. Gives the time that it took.
pub fn drain(
    world: &mut World,
    stock: &Stock<'_>,
    good: &mut HashSet<u128>,
    scribe: &mut Scribe,
    trail: &mut Vec<Step>,
) -> Result<(), String> {
    let start = world.now;
    let mut passed = Vec::new();
    let messages = world.past.messages();
    loop {
        let fingerprint = world.fingerprint();
        if good.contains(&fingerprint) {
            break;
        }
        if world.now - start > PATIENCE || passed.len() > 2_000 {
            return Err("it does not end".to_owned());
        }
        passed.push(fingerprint);
        match standing(world) {
            Standing::Goes(step) => {
                trail.push(step);
                world.step(step, stock, scribe);
            }
            Standing::Quiet => {
                agreement(world)?;
                world.hang_up(0, stock, scribe);
            }
            Standing::Empty => break,
            Standing::Stuck(text) => return Err(text),
        }
    }
    if world.past.messages() > messages {
        (0..2).try_for_each(|side| stock.judge(side, world.now, &world.past))?;
    }
    good.extend(passed);
    Ok(())
}

/// What each side sends is what the other believes.
fn agreement(world: &World) -> Result<(), String> {
    let [Some([alice_local, alice_remote]), Some([bob_local, bob_remote])] =
        world.sides.each_ref().map(|side| side.descriptions())
    else {
        return Err("a call without a session".to_owned());
    };
    if alice_local == bob_remote && alice_remote == bob_local {
        return Ok(());
    }
    let line = |body: &Option<Vec<u8>>| {
        let text = body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        text.lines().nth(1).unwrap_or_default().to_owned()
    };
    Err(format!(
        "the sides do not agree: alice has {} / {}, bob {} / {}",
        line(&alice_local),
        line(&alice_remote),
        line(&bob_local),
        line(&bob_remote)
    ))
}
