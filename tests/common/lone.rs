//! An agent without network and peer: it gets what the test writes, and its host hears what the test wants.

use super::sip::Sip;
use sipdlg::agent::{Agent, Event};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};

/// What a host does with an event.
pub trait Hears {
    fn hear(&mut self, agent: &mut Agent, now: Now, event: Event);
}

/// It keeps them, and leaves everything alone until the test says otherwise.
impl Hears for Vec<Event> {
    fn hear(&mut self, _: &mut Agent, _: Now, event: Event) {
        self.push(event);
    }
}

pub struct Lone<H> {
    pub agent: Agent,
    pub host: H,
    micros: u64,
}

impl<H: Hears> Lone<H> {
    /// With a socket at each of these; the first is link 1.
    pub fn with_host(config: Config, sockets: &[(Transport, &str)], host: H) -> Self {
        let mut agent = Agent::new(config, [7; 32], Now::default());
        for (link, (transport, local)) in (1..).zip(sockets) {
            let flow = Flow { link, ..Flow::new(*transport, local.parse().ok(), None) };
            agent.add_transport(&flow, None).expect("a transport");
        }
        Self { agent, host, micros: 0 }
    }

    pub fn now(&self) -> Now {
        Now { monotonic: Time::from_micros(self.micros), unix_us: self.micros }
    }

    /// What it sends; its host has heard all.
    pub fn settle(&mut self) -> Vec<Sip> {
        let mut sent = Vec::new();
        loop {
            while let Some(transmit) = self.agent.poll_transmit() {
                sent.push(Sip::parse(&transmit.bytes).expect("a message"));
            }
            let Some(event) = self.agent.poll_event() else { return sent };
            let now = self.now();
            self.host.hear(&mut self.agent, now, event);
        }
    }

    pub fn pass(&mut self, millis: u64) {
        let end = self.micros + millis * 1_000;
        while let Some(due) = self.agent.next_timeout().map(Time::as_micros).filter(|due| *due <= end) {
            self.micros = self.micros.max(due);
            let now = self.now();
            self.agent.handle_timeout(now);
            self.settle();
        }
        self.micros = end;
    }
}
