//! Connections that the library opens and keeps alive by its settings (RFC 5626 §4.4.1).
#![cfg(feature = "runtime")]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::runtime::*;
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

/// What comes by the connection of a request within three seconds, where each ping gets a pong.
fn heard(every_s: u32) -> String {
    let peer = TcpListener::bind("127.0.0.1:0").expect("a listener");
    peer.set_nonblocking(true).expect("it does not block");
    let target = format!("sip:bob@{};transport=tcp", peer.local_addr().expect("bound"));
    let target = CString::new(target).expect("text");
    let (config, mut agent) = (sipdlg_config_new(), 0);
    // SAFETY: pointers are ours; the configuration is freed once.
    unsafe {
        assert_eq!(sipdlg_config_set_keep_alive(config, every_s), 0);
        assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
        sipdlg_config_free(config);
        assert_eq!(sipdlg_agent_listen(agent, c"tcp:127.0.0.1".as_ptr()), 0);
        assert_eq!(sipdlg_agent_request(agent, c"OPTIONS".as_ptr(), target.as_ptr(), null(), null_mut()), 0);
    }
    let (begin, mut text, mut connection) = (Instant::now(), String::new(), None);
    while begin.elapsed() < Duration::from_millis(3_100) {
        assert_eq!(sipdlg_agent_run_once(agent, 20), 0);
        if connection.is_none() {
            connection = peer.accept().ok().map(|(connection, _)| connection);
        }
        let Some(connection) = &mut connection else { continue };
        connection.set_nonblocking(true).expect("it does not block");
        let mut piece = [0; 4_096];
        if let Ok(length) = connection.read(&mut piece) {
            text += &String::from_utf8_lossy(&piece[..length]);
            if piece[..length].ends_with(b"\r\n\r\n\r\n\r\n") || &piece[..length] == b"\r\n\r\n" {
                connection.write_all(b"\r\n").expect("written");
            }
        }
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
    text
}

#[test]
fn a_connection_of_ours_is_kept_alive_where_it_is_wished() {
    for (every_s, pings) in [(0, 0..=0), (1, 3..=3)] {
        let text = heard(every_s);
        let (request, rest) = text.split_once("\r\n\r\n").expect("a request");
        assert!(request.starts_with("OPTIONS "), "{text}");
        assert!(pings.contains(&rest.matches("\r\n\r\n").count()), "{every_s}: {rest:?}");
    }
}
