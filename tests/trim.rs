//! A host that drives by itself is, after a peak of calls, back near where it began. Alone in its process, whose memory
//! it counts.
#![cfg(target_os = "linux")]

use sipdlg::ffi::agent::*;
use sipdlg::ffi::config::*;
use sipdlg::ffi::event::sipdlg_event_default;
use sipdlg::ffi::incoming::sipdlg_incoming_accept;
use sipdlg::ffi::structs::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::mem;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does all; sizes are counted beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const OK: i32 = 0;
const STALE: i32 = -2;
const CALLS: usize = 50_000;
/// Of these so many stay.
const LONG: usize = 50;
const MIB: usize = 1 << 20;

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// Pages of the process that stand in memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("proc");
    statm.split(' ').nth(1).expect("a second field").parse::<usize>().expect("a number") * 4_096
}

struct Host {
    agent: sipdlg_agent_t,
    flow: sipdlg_flow_t,
    seconds: u64,
}

impl Host {
    fn new() -> Self {
        let endpoint = |last, port| sipdlg_endpoint_t {
            ip: [192, 0, 2, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            scope: 0,
            port,
            family: 4,
        };
        let flow =
            sipdlg_flow_t { transport: 1, reserved: 0, link: 7, local: endpoint(1, 5060), remote: endpoint(2, 5060) };
        let mut agent = 0;
        // SAFETY: a new configuration; the out-parameter is ours; a flow of ours, no sent-by.
        unsafe {
            let config = sipdlg_config_new();
            assert_eq!(sipdlg_config_set_manual_clock(config, 1), OK);
            assert_eq!(sipdlg_agent_new(config, &raw mut agent), OK);
            sipdlg_config_free(config);
            assert_eq!(sipdlg_agent_add_transport(agent, &raw const flow, null()), OK);
        }
        Self { agent, flow, seconds: 0 }
    }

    fn receive(&self, text: &str) {
        // SAFETY: flow and bytes of ours.
        let status =
            unsafe { sipdlg_agent_receive(self.agent, &raw const self.flow, text.as_ptr().cast(), text.len()) };
        assert_eq!(status, OK);
    }

    /// Takes events, accepting each INVITE, and messages; the last To tag that was sent.
    fn drain(&self) -> Option<String> {
        // SAFETY: all zero is an event, a transmit, and options but for their size, which is set.
        let (mut event, mut transmit, mut options): (sipdlg_event_t, sipdlg_transmit_t, sipdlg_response_options_t) =
            unsafe { mem::zeroed() };
        event.size = mem::size_of_val(&event);
        transmit.size = mem::size_of_val(&transmit);
        options.size = mem::size_of_val(&options);
        options.body.data = c"v=0\r\n".as_ptr().cast();
        options.body.len = 5;
        let mut tag = None;
        // SAFETY: sizes are set; what is borrowed is read before the next call.
        unsafe {
            while sipdlg_agent_poll_event(self.agent, &raw mut event) == OK {
                if event.kind == 1 {
                    assert_eq!(sipdlg_incoming_accept(event.incoming, 200, &raw const options, null_mut()), OK);
                } else {
                    sipdlg_event_default(&raw const event);
                }
            }
            while sipdlg_agent_poll_transmit(self.agent, &raw mut transmit) == OK {
                let text = std::slice::from_raw_parts(transmit.data.cast::<u8>(), transmit.len);
                let text = std::str::from_utf8(text).expect("text");
                let to = text.lines().find(|line| line.starts_with("To:")).expect("To");
                tag = to.split_once(";tag=").map(|(_, tag)| tag.to_owned());
            }
        }
        tag
    }

    fn request(&self, method: &str, call: usize, cseq: u32, tag: &str, body: &str) {
        let name = if method == "ACK" { "a" } else { method };
        self.receive(&format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{name}{call}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b{call}\r\nTo: <sip:alice@example.com>{tag}\r\n\
             Call-ID: call-{call}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bob@192.0.2.2>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    /// A call up to its ACK; our tag.
    fn call(&self, call: usize) -> String {
        self.request("INVITE", call, 1, "", "v=0\r\n");
        let tag = format!(";tag={}", self.drain().expect("a tag"));
        self.request("ACK", call, 1, &tag, "");
        self.drain();
        tag
    }

    fn hang_up(&self, call: usize, tag: &str) {
        self.request("BYE", call, 2, tag, "");
        self.drain();
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        assert_eq!(sipdlg_agent_set_time(self.agent, self.seconds * 1_000_000, 0), OK);
        assert_eq!(sipdlg_agent_handle_timeout(self.agent), OK);
        self.drain();
    }

    fn stats(&self) -> sipdlg_stats_t {
        // SAFETY: all zero are counters; the size is set.
        let mut stats: sipdlg_stats_t = unsafe { mem::zeroed() };
        stats.size = mem::size_of_val(&stats);
        // SAFETY: as above.
        assert_eq!(unsafe { sipdlg_agent_stats(self.agent, &raw mut stats) }, OK);
        stats
    }
}

#[test]
fn a_host_that_drives_by_itself_is_back_near_the_start_after_a_peak() {
    let mut host = Host::new();
    let tag = host.call(CALLS);
    host.hang_up(CALLS, &tag);
    host.pass(100);
    assert_eq!(sipdlg_agent_trim(host.agent), OK);
    let (start, start_resident) = (held(), resident());
    {
        let tags: Vec<String> = (0..CALLS).map(|call| host.call(call)).collect();
        let (peak, peak_resident) = (held(), resident());
        assert_eq!(host.stats().sessions, CALLS as u64);
        assert!(peak > start + 30 * MIB, "{peak}");
        // The last of them live on, where the tables are highest.
        for (call, tag) in tags.iter().enumerate().take(CALLS - LONG) {
            host.hang_up(call, tag);
        }
        host.pass(100);
        let mut tags: Vec<String> = tags.into_iter().skip(CALLS - LONG).collect();
        tags.shrink_to_fit();
        assert_eq!((host.stats().sessions, host.stats().transactions), (LONG as u64, 0));
        // By themselves, but for what is behind the last that live.
        let few = held();
        assert!(few < start + (peak - start) / 25, "{start}, {peak}, {few} bytes held");
        for (tag, call) in tags.iter().zip(CALLS - LONG..) {
            host.hang_up(call, tag);
        }
        host.pass(100);
        drop(tags);
        let emptied = held();
        assert!(emptied < start + MIB / 2, "{start}, {peak}, {emptied} bytes held after all calls ended");
        assert_eq!(sipdlg_agent_trim(host.agent), OK);
        let trimmed = held();
        assert!(trimmed < start + 32 * 1_024, "{start}, {peak}, {emptied}, {trimmed} bytes held after trim");
        let resident = resident();
        println!(
            "held: {start}, {peak}, {few}, {emptied}, {trimmed}; resident: {start_resident}, {peak_resident}, {resident}"
        );
        if cfg!(target_env = "gnu") {
            let (grown, left) = (peak_resident - start_resident, resident.saturating_sub(start_resident));
            assert!(left < grown / 20, "of {grown} bytes that the peak took {left} are left in memory");
        }
    }
    // It goes on as before.
    let tag = host.call(CALLS + 1);
    assert_eq!(sipdlg_agent_trim(host.agent), OK);
    host.hang_up(CALLS + 1, &tag);
    host.pass(100);
    assert_eq!((host.stats().sessions, host.stats().calls_confirmed), (0, CALLS as u64 + 2));
    assert_eq!(sipdlg_agent_free(host.agent), OK);
    assert_eq!(sipdlg_agent_trim(host.agent), STALE);
}
