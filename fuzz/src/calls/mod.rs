//! Two agents whose hosts, network and enemies do what the bytes say. After each input: nothing panicked, counters are
//! sane, what the agents sent is legal, everything ended, nothing is held, and the same input gives the same bytes.

mod acts;
mod host;
mod lies;
mod verdict;
mod world;

use world::World;

/// Longest run: more bytes add no new state that fewer could not reach.
const STEPS: usize = 80;

/// Plays the bytes, and of every fourth input once more.
pub fn run(data: &[u8]) {
    let first = play(data);
    let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if sum % 4 == 0 {
        assert_eq!(first, play(data), "the same input gives the same bytes, events and counters");
    }
}

/// Plays the bytes; a digest of all that came out.
pub fn play(data: &[u8]) -> u64 {
    let mut world = World::new(data);
    for _ in 0..STEPS {
        if world.is_over() {
            break;
        }
        world.step();
        world.check_counters();
    }
    world.end();
    world.judge();
    world.digest()
}

/// What a run does, whatever became of it.
pub fn story(data: &[u8]) -> String {
    let mut world = World::new(data);
    for _ in 0..STEPS {
        if world.is_over() {
            break;
        }
        world.step();
    }
    world.story()
}
