//! The thread of the network sleeps while events wait for whoever takes them.
#![cfg(feature = "runtime")]

use sipdlg::agent::Agent;
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::runtime::{Host, Network};
use sipdlg::time::{Now, Time};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: Now = Now { monotonic: Time::from_micros(1_000_000), unix_us: 0 };

/// Counts how often the runtime looks at the agent.
struct Place {
    agent: Mutex<Agent>,
    looks: AtomicUsize,
    left: Sender<bool>,
}

impl Host for Place {
    fn with_agent<T>(&'static self, run: impl FnOnce(&mut Agent, Now) -> T) -> Option<T> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Some(run(&mut self.agent.lock().expect("no panic before"), NOW))
    }

    fn deliver(&'static self) {}

    fn log(&'static self) {}

    fn trim(&'static self) {}

    fn has_memory(&self) -> bool {
        true
    }

    fn is_owed(&'static self) -> bool {
        false
    }

    fn leave(&'static self, delivered: bool) {
        self.left.send(delivered).expect("a listener");
    }

    fn is_woken(&self) -> bool {
        false
    }

    fn clear_woken(&self) {}
}

#[test]
fn events_that_wait_do_not_keep_the_network_thread_awake() {
    let (left, gone): (_, Receiver<bool>) = channel();
    let mut agent = Agent::new(Config::default(), [7; 32], NOW);
    let [ours, theirs] = ["127.0.0.1:5060", "127.0.0.1:5070"].map(|address| address.parse().expect("an address"));
    let flow = Flow::new(Transport::Udp, Some(ours), Some(theirs));
    agent.add_transport(&flow, None).expect("added");
    let request = "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=a\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: one\r\n\
         CSeq: 1 OPTIONS\r\nContact: <sip:alice@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n";
    agent.receive(NOW, &flow, request.as_bytes()).expect("received");
    assert!(agent.has_events() && !agent.has_transmits());
    let place: &Place = Box::leak(Box::new(Place { agent: Mutex::new(agent), looks: AtomicUsize::new(0), left }));
    let network = Arc::new(Network::new(&Config::default()).expect("a network"));
    let threads = network.start(place, false);
    // As long as a host may take for one callback.
    assert!(gone.recv_timeout(Duration::from_millis(300)).is_err(), "the thread has left");
    let looks = place.looks.load(Ordering::SeqCst);
    network.stop();
    assert_eq!(gone.recv(), Ok(false));
    threads.join();
    assert!(looks < 20, "{looks} looks in 300 ms");
}
