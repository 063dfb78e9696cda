//! Calls whose connection is lost.

use crate::ends::*;
use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::incoming::*;
use sipdlg::ffi::structs::*;
use std::ffi::c_void;
use std::mem;
use std::ptr::null_mut;

const ACK: i32 = 14;
const TERMINATED: i32 = 33;
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

unsafe extern "C" fn take(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: all zero is a set of options; the description is static.
    unsafe {
        let mut options: sipdlg_response_options_t = mem::zeroed();
        options.size = size_of::<sipdlg_response_options_t>();
        options.body.data = SDP.as_ptr().cast();
        options.body.len = SDP.len();
        assert_eq!(sipdlg_incoming_accept((*event).incoming, 200, &raw const options, null_mut()), 0);
        hear(user, event);
    }
}

unsafe extern "C" fn hear(user: *mut c_void, event: *const sipdlg_event_t) {
    // SAFETY: `user` is leaked, `event` is the library's.
    unsafe { (*user.cast::<Told>()).0.lock().expect("no panic before").push(((*event).kind, 0, 0)) };
}

/// Takes calls, with short timers: 64*T1 is 1.28 s.
fn callee() -> Ours {
    // SAFETY: the configuration lives.
    let set = |config| unsafe { assert_eq!(sipdlg_config_set_timers(config, 20, 40, 50), 0) };
    let mut ours = Ours::new("ws:127.0.0.1:0", set);
    ours.delegate.on_invite = Some(take);
    ours.delegate.on_ack = Some(hear);
    ours.delegate.on_terminated = Some(hear);
    // SAFETY: it lives for the call.
    assert_eq!(unsafe { sipdlg_agent_set_delegate(ours.agent, &raw const ours.delegate) }, 0);
    ours
}

fn in_dialog(method: &str, number: usize, sequence: usize, tag: &str) -> String {
    let text = request(method, number, "")
        .replace("To: <sip:bob@sip.example>", &format!("To: <sip:bob@sip.example>;tag={tag}"));
    let text = text.replace("CSeq: 1 ", &format!("CSeq: {sequence} "));
    text.replace(";branch=z9hG4bK-", &format!(";branch=z9hG4bK-{method}-")).replace("Content-Type: text/plain\r\n", "")
}

fn tag(response: &str) -> String {
    response
        .split("To: <sip:bob@sip.example>;tag=")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next())
        .expect("a tag")
        .to_owned()
}

/// The 200, and all that comes before it.
fn answer(peer: &mut Raw) -> String {
    loop {
        let text = peer.text();
        if text.starts_with("SIP/2.0 200 ") {
            return text;
        }
    }
}

/// A page that is loaded anew goes on by another connection, whatever the former one had half said.
#[test]
fn calls_outlive_their_connection() {
    let ours = callee();
    for (number, (ack_on_first, half_a_bye)) in [(false, false), (true, false), (true, true)].into_iter().enumerate() {
        let mut first = ours.open();
        first.send(0x81, request("INVITE", number, SDP).replace("text/plain", "application/sdp").as_bytes());
        let tag = tag(&answer(&mut first));
        if ack_on_first {
            first.send(0x81, in_dialog("ACK", number, 1, &tag).as_bytes());
            until("confirmed", || ours.told(ACK, 0) == number + 1);
        }
        if half_a_bye {
            let frame = first.frame(0x81, in_dialog("BYE", number, 2, &tag).as_bytes());
            first.write(&frame[..frame.len() / 2]);
        }
        drop(first);
        until("the end is seen", || ours.connections() == 0);
        let mut second = ours.open();
        if !ack_on_first {
            second.send(0x81, in_dialog("ACK", number, 1, &tag).as_bytes());
            until("confirmed", || ours.told(ACK, 0) == number + 1);
        }
        second.send(0x81, in_dialog("BYE", number, 2, &tag).as_bytes());
        assert!(answer(&mut second).contains("CSeq: 2 BYE"));
        until("over", || ours.told(TERMINATED, 0) == number + 1);
        drop(second);
        until("the end is seen", || ours.connections() == 0);
    }
}

/// Nobody comes back: half an INVITE is none, and a call without ACK ends at its time.
#[test]
fn calls_whose_peer_is_gone() {
    let ours = callee();
    let invite = request("INVITE", 1, SDP).replace("text/plain", "application/sdp");
    let mut peer = ours.open();
    let frame = peer.frame(0x81, invite.as_bytes());
    peer.write(&frame[..frame.len() - 1]);
    drop(peer);
    until("the end is seen", || ours.connections() == 0);
    assert_eq!(ours.told(INVITE, 0), 0);
    let mut peer = ours.open();
    peer.send(0x81, invite.as_bytes());
    drop(peer);
    until("over", || ours.told(TERMINATED, 0) == 1);
    assert_eq!((ours.told(INVITE, 0), ours.told(ACK, 0)), (1, 0));
}
