//! After sipdlg_agent_free() no thread and no descriptor of the library is left. Alone in its process, which it counts.
#![cfg(all(feature = "runtime", target_os = "linux"))]

use sipdlg::ffi::agent::{sipdlg_agent_event_fd, sipdlg_agent_free, sipdlg_agent_new};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_run_once, sipdlg_agent_start, sipdlg_agent_stop};
use std::ptr::null;

fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).expect("proc").count()
}

/// How many threads there are. One that was joined may stand in /proc for a moment longer:
/// the kernel says that it is over before it takes it out.
fn threads(expected: usize) -> usize {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(2);
    loop {
        let count = count("task");
        if count <= expected || std::time::Instant::now() > until {
            return count;
        }
        std::thread::yield_now();
    }
}

/// One life with sockets, descriptor and threads.
fn life(stop: bool) {
    let (mut agent, mut fd) = (0, 0);
    // SAFETY: NULL is allowed; texts and out-parameters are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        assert_eq!(sipdlg_agent_event_fd(agent, &raw mut fd), 0);
    }
    assert_eq!(sipdlg_agent_run_once(agent, 0), 0);
    assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
    if stop {
        assert_eq!(sipdlg_agent_stop(agent), 0);
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
}

#[test]
fn no_thread_and_no_descriptor_remains() {
    let alone = count("task");
    life(true);
    let before = (threads(alone), count("fd"));
    for round in 0..50 {
        life(round % 2 == 0);
        assert_eq!((threads(before.0), count("fd")), before, "after {round}");
    }
}
