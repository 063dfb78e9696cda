//! What agents with threads cost while they idle, and what they leave. Alone in its process, whose memory it measures.
#![cfg(all(feature = "runtime", target_os = "linux"))]

use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_start};
use std::ptr::null;

/// Resident memory, in kB.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("proc");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4
}

fn started() -> u64 {
    let mut agent = 0;
    // SAFETY: NULL is allowed; text and out-parameter are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
    }
    assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
    agent
}

/// An allocator clears what it gives out again: an agent that is made after the end of another must cost no more than
/// the first, whose buffers nobody had touched, and must give all of it back.
#[test]
fn an_agent_after_another_costs_as_little() {
    assert_eq!(sipdlg_agent_free(started()), 0);
    let before = resident();
    for round in 0..3 {
        let agents: Vec<u64> = (0..100).map(|_| started()).collect();
        let peak = resident().saturating_sub(before);
        for agent in agents {
            assert_eq!(sipdlg_agent_free(agent), 0);
        }
        let rest = resident().saturating_sub(before);
        assert!(peak < 100 * 400, "round {round}: {peak} kB of a hundred agents");
        assert!(rest < 100 * 200, "round {round}: {rest} kB are left of a hundred agents");
    }
}
