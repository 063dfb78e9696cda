//! Passwords and the hashes that stand for them are in no log, no Debug text and no error, and in no memory that was
//! freed. A program of its own, whose allocator looks at all that is given back.

use sipdlg::agent::{Agent, Digest, EventKind, RequestOptions, ResponseOptions};
use sipdlg::config::{Config, LogLevel, Secret};
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

const PASSWORD: &[u8] = b"swordfish-0815";
/// alice, example.com and that password, by MD5 and SHA-256.
const HASHES: [&[u8]; 2] =
    [b"d0c4cfdd6250d28e1ca3ff0ea467bd98", b"fd004c8e94543c3146d0a6ee7aaebc6005fcbf989510a0f9f2fd6ea9e3686949"];
const REALM: &[u8] = b"example.com";

/// Blocks that were given back with a secret inside.
static FOUND: AtomicUsize = AtomicUsize::new(0);

struct Watching;

#[global_allocator]
static WATCHING: Watching = Watching;

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let byte = |at: usize| {
            // SAFETY: within the block. Nobody may have written there yet, hence volatile.
            unsafe { block.add(at).read_volatile() }
        };
        // A part is as bad: a list that grew leaves its beginning behind.
        for secret in HASHES.into_iter().map(|hash| &hash[..8]).chain([PASSWORD]) {
            let last = (layout.size() + 1).saturating_sub(secret.len());
            let found =
                (0..last).any(|at| secret.iter().enumerate().all(|(offset, wanted)| byte(at + offset) == *wanted));
            FOUND.fetch_add(usize::from(found), Ordering::Relaxed);
        }
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(block, layout) };
    }
}

fn holds_secret(text: &[u8]) -> bool {
    HASHES.into_iter().chain([PASSWORD]).any(|secret| text.windows(secret.len()).any(|window| window == secret))
}

fn now(seconds: u64) -> Now {
    Now { monotonic: Time::from_micros(seconds * 1_000_000), unix_us: seconds * 1_000_000 }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Two agents: the first calls, the second asks who it is.
struct Two {
    agents: [Agent; 2],
    said: Vec<String>,
}

impl Two {
    fn new(mut caller: Config) -> Self {
        caller.log_level = LogLevel::Debug;
        let callee = Config { log_level: LogLevel::Debug, ..Config::default() };
        let mut agents = [Agent::new(caller, [1; 32], now(1)), Agent::new(callee, [2; 32], now(1))];
        for (agent, here) in agents.iter_mut().zip(["192.0.2.1:5060", "192.0.2.2:5060"]) {
            let flow = Flow { link: 1, ..Flow::new(Transport::Udp, Some(address(here)), None) };
            agent.add_transport(&flow, None).expect("a transport");
        }
        Self { agents, said: Vec::new() }
    }

    /// Carries and answers until nothing moves; what the agents say of themselves is kept.
    fn run(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for side in 0..2 {
                while let Some(event) = self.agents[side].poll_event() {
                    busy = true;
                    self.said.push(format!("{event:?}"));
                    self.hears(side, &event);
                }
                while let Some(out) = self.agents[side].poll_transmit() {
                    busy = true;
                    let other = Flow { link: 1, local: out.flow.remote, remote: out.flow.local, ..out.flow };
                    self.agents[1 - side].receive(now(1), &other, &out.bytes).expect("a message");
                }
                while let Some((_, line)) = self.agents[side].poll_log() {
                    self.said.push(line);
                }
            }
            for agent in &self.agents {
                self.said.push(format!("{agent:?}"));
            }
        }
    }

    fn hears(&mut self, side: usize, event: &sipdlg::agent::Event) {
        let agent = &mut self.agents[side];
        match event.kind {
            EventKind::Challenge => {
                agent.authenticate(now(1), event.outgoing.expect("ours"), Some(b"alice"), PASSWORD).expect("an answer");
            }
            EventKind::Options | EventKind::Bye => {
                let secret = Secret::new(Some(REALM), b"alice", PASSWORD, false, None).expect("a secret");
                let request = event.message.as_ref().expect("a request");
                let id = event.incoming.expect("the peer's");
                match agent.check_digest(now(1), request, &secret).expect("a request") {
                    Digest::Good => {
                        agent.accept(now(1), id, 200, &ResponseOptions::default()).expect("an answer");
                    }
                    _ => agent.challenge(now(1), id, REALM, None).expect("a challenge"),
                }
            }
            _ => {}
        }
    }
}

#[test]
fn secrets_stay_secret() {
    drop(PASSWORD.to_vec());
    assert_eq!(FOUND.swap(0, Ordering::Relaxed), 1, "the allocator sees them");

    let mut with_password = Config::default();
    with_password.add_credentials(Some(REALM), b"alice", PASSWORD, false, None).expect("credentials");
    // Replaced: the former goes.
    with_password.add_credentials(Some(REALM), b"alice", PASSWORD, false, None).expect("credentials");
    let mut with_hash = Config::default();
    with_hash
        .add_credentials(Some(REALM), b"alice", &HASHES[1].to_ascii_uppercase(), true, Some(b"SHA-256"))
        .expect("credentials");
    let of_call = || Secret::new(Some(REALM), b"alice", HASHES[0], true, None).expect("a secret");
    for (config, credentials) in [
        (with_password, vec![]),
        (with_hash, vec![]),
        (Config::default(), vec![of_call()]),
        (Config::default(), vec![]),
    ] {
        let said = format!("{config:?} {credentials:?}");
        let mut two = Two::new(config);
        two.said.push(said);
        let options = RequestOptions { credentials, ..RequestOptions::default() };
        two.agents[0].request(now(1), b"OPTIONS", b"sip:bob@192.0.2.2:5060", options).expect("a request");
        two.run();
        assert!(two.said.iter().any(|text| text.contains("kind: Accept")), "{:?}", two.said);
        assert!(two.said.iter().any(|text| text.contains("OPTIONS")), "there is a log");
        let loud: Vec<_> = two.said.iter().filter(|text| holds_secret(text.as_bytes())).collect();
        assert!(loud.is_empty(), "{loud:?}");
    }
    for (realm, user, secret, is_ha1, algorithm) in [
        (&b"r"[..], &b"alice"[..], [PASSWORD, b"\r"].concat(), false, None),
        (b"r\n", b"alice", PASSWORD.to_vec(), false, None),
        (b"r", b"alice", PASSWORD.to_vec(), true, None),
        (b"r", b"alice", HASHES[0].to_vec(), true, Some(&b"SHA-256"[..])),
    ] {
        let error = Secret::new(Some(realm), user, &secret, is_ha1, algorithm).expect_err("a refusal");
        assert!(!holds_secret(format!("{error:?} {error}").as_bytes()));
        std::mem::forget(secret);
    }
    assert_eq!(FOUND.load(Ordering::Relaxed), 0, "freed, and not wiped");
}
