//! `stop` waits for the run that it saw, whoever starts the next one meanwhile. Its own process, which it counts.
#![cfg(all(feature = "runtime", target_os = "linux"))]

use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new};
use sipdlg::ffi::runtime::{sipdlg_agent_start, sipdlg_agent_stop};
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const OK: i32 = 0;
const STATE: i32 = -4;

fn agent() -> u64 {
    let mut agent = 0;
    // SAFETY: NULL is allowed, and the out-parameter is ours.
    assert_eq!(unsafe { sipdlg_agent_new(null(), &raw mut agent) }, OK);
    agent
}

/// Threads of the library in this process.
fn ours() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("proc");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("sipdlg-")).count()
}

#[test]
fn stop_returns_though_others_start_again_at_once() {
    for (starters, stoppers, deliver) in [(1, 1, 1), (1, 1, 0), (2, 2, 1)] {
        let agent = agent();
        let over = Arc::new(AtomicBool::new(false));
        let starters: Vec<_> = (0..starters)
            .map(|_| {
                let over = Arc::clone(&over);
                thread::spawn(move || {
                    while !over.load(Ordering::SeqCst) {
                        let status = sipdlg_agent_start(agent, 1, deliver);
                        assert!([OK, STATE].contains(&status), "{status}");
                    }
                })
            })
            .collect();
        let (told, ended) = channel();
        for _ in 0..stoppers {
            let told = told.clone();
            thread::spawn(move || {
                for _ in 0..200 {
                    assert_eq!(sipdlg_agent_stop(agent), OK);
                }
                told.send(()).expect("a listener");
            });
        }
        for _ in 0..stoppers {
            ended.recv_timeout(Duration::from_secs(60)).expect("stop hangs");
        }
        over.store(true, Ordering::SeqCst);
        starters.into_iter().for_each(|starter| starter.join().expect("no panic"));
        // Whichever start or stop has them, the threads of all those runs are joined.
        assert_eq!(sipdlg_agent_free(agent), OK);
        let until = std::time::Instant::now() + Duration::from_secs(2);
        while ours() > 0 {
            // One that was joined may stand in /proc for a moment longer.
            assert!(std::time::Instant::now() < until, "{} threads are left", ours());
            thread::yield_now();
        }
    }
}
