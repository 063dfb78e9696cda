//! What fuzzing is made of: a driver for each target, which takes any bytes and panics where a promise is broken. They
//! share the network, the parties and the wire checker of the library's tests, and run on a stable compiler too, over
//! the committed corpus (`tests/corpus.rs`).
#![allow(missing_docs)]

#[path = "../../tests/common/mod.rs"]
pub mod common;
#[path = "../../tests/session/random_acts.rs"]
#[allow(dead_code)]
pub mod random_acts;
#[path = "../../tests/session/rarer_acts.rs"]
pub mod rarer_acts;

pub mod abi;
pub mod calls;
pub mod choices;
pub mod differences;
pub mod messages;
pub mod streams;
