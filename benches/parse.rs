//! Parses one message many times into [`Message`] and reads its keys, as the agent does with each datagram.
//!
//! `parse FILE COUNT [REPEATS [allocs]]`: COUNT messages without timing when REPEATS is 0 (for instruction counts),
//! else the least time of REPEATS rounds of COUNT messages. `allocs` prints allocations a message instead.

use sipdlg::message::Message;
use std::ffi::c_void;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
}

/// In the place of libc's, for the allocator is the library's.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(size as u64, Relaxed);
    // SAFETY: any size may be asked for.
    unsafe { __libc_malloc(size) }
}

fn once(data: &[u8]) {
    match Message::parse(black_box(data), None) {
        Ok(message) => {
            black_box(black_box(&message).keys());
        }
        Err(malformed) => {
            eprintln!("{malformed}");
            std::process::exit(1);
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/messages/invite.txt").to_string();
    let file = arguments.first().unwrap_or(&default);
    let number = |index: usize, otherwise: u64| {
        arguments.get(index).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("a number: {text}")))
    };
    let (count, repeats) = (number(1, 10_000), number(2, 20));
    let data = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    if arguments.get(3).is_some_and(|word| word == "allocs") {
        let before = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
        for _ in 0..count {
            once(&data);
        }
        let parsed = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
        for _ in 0..count {
            black_box(Message::parse(black_box(&data), None).map(Arc::new).ok());
        }
        let shared = ALLOCATIONS.load(Relaxed);
        println!(
            "{} allocations a message ({} bytes; the copy of the datagram is {}), {} as Arc<Message> of {} bytes",
            (parsed.0 - before.0) as f64 / count as f64,
            (parsed.1 - before.1) / count,
            data.len(),
            (shared - parsed.0) as f64 / count as f64,
            size_of::<Message>(),
        );
        return;
    }
    if repeats == 0 {
        (0..count).for_each(|_| once(&data));
        return;
    }
    let least = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            (0..count).for_each(|_| once(&data));
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{} ns a message, the least of {repeats} rounds of {count}", least.as_nanos() / u128::from(count.max(1)));
}
