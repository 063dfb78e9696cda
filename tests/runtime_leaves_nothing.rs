//! After sipdlg_agent_free() no thread and no descriptor of the library is left. Alone in its process, which it counts.
#![cfg(all(feature = "runtime", target_os = "linux"))]

use sipdlg::ffi::agent::{sipdlg_agent_event_fd, sipdlg_agent_free, sipdlg_agent_new, sipdlg_agent_request};
use sipdlg::ffi::config::links::sipdlg_config_set_resolver;
use sipdlg::ffi::config::{sipdlg_config_free, sipdlg_config_new};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_run_once, sipdlg_agent_start, sipdlg_agent_stop};
use std::ffi::CString;
use std::net::UdpSocket;
use std::ptr::{null, null_mut};

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
fn life(stop: bool, server: &UdpSocket) {
    let (mut agent, mut fd) = (0, 0);
    // SAFETY: NULL is allowed; texts and out-parameters are ours.
    unsafe {
        let config = sipdlg_config_new();
        let servers = CString::new(server.local_addr().expect("an address").to_string()).expect("text");
        assert_eq!(sipdlg_config_set_resolver(config, servers.as_ptr()), 0);
        assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
        sipdlg_config_free(config);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        assert_eq!(sipdlg_agent_event_fd(agent, &raw mut fd), 0);
        // Its name is looked up for as long as it lives: a thread, with descriptors, that waits for a silent server.
        let target = c"sip:bob@sip.example".as_ptr();
        assert_eq!(sipdlg_agent_request(agent, c"OPTIONS".as_ptr(), target, null(), null_mut()), 0);
    }
    assert_eq!(sipdlg_agent_run_once(agent, 0), 0);
    server.recv(&mut [0; 2_000]).expect("a question");
    assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
    if stop {
        assert_eq!(sipdlg_agent_stop(agent), 0);
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
}

#[test]
fn no_thread_and_no_descriptor_remains() {
    let alone = count("task");
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("a time-out");
    life(true, &server);
    let before = (threads(alone), count("fd"));
    for round in 0..50 {
        life(round % 2 == 0, &server);
        assert_eq!((threads(before.0), count("fd")), before, "after {round}");
    }
}
