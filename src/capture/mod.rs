//! What passed, written where others read it: a pcap file, a collector of HEP3. Called with nothing of the agent's
//! locked; what cannot be written is counted and forgotten.

mod hep;
mod packet;
mod pcap;

pub use hep::Hep;
pub use pcap::Pcap;

use crate::agent::Direction;
use crate::flow::Flow;

/// A message that passed.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    /// Which way.
    pub direction: Direction,
    /// Between whom.
    pub flow: &'a Flow,
    /// When, in Unix time.
    pub unix_us: u64,
    /// What.
    pub bytes: &'a [u8],
}

/// Where the messages of one agent go.
#[derive(Debug, Default)]
pub struct Capture {
    pcap: Option<Pcap>,
    hep: Option<Hep>,
    lost: u64,
}

impl Capture {
    /// Whether they go anywhere.
    pub fn is_on(&self) -> bool {
        self.pcap.is_some() || self.hep.is_some()
    }

    /// Another file, or none.
    pub fn set_pcap(&mut self, pcap: Option<Pcap>) {
        self.flush();
        self.pcap = pcap;
    }

    /// Another collector, or none.
    pub fn set_hep(&mut self, hep: Option<Hep>) {
        self.hep = hep;
    }

    /// Nothing is written any more, nothing stays open.
    pub fn close(&mut self) {
        self.pcap = None;
        self.hep = None;
    }

    /// One message.
    pub fn write(&mut self, shot: &Shot<'_>) {
        if let Some(pcap) = &mut self.pcap {
            self.lost += pcap.write(shot);
        }
        if let Some(hep) = &mut self.hep {
            self.lost += u64::from(!hep.send(shot));
        }
    }

    /// What was collected for one write.
    pub fn flush(&mut self) {
        if let Some(pcap) = &mut self.pcap {
            self.lost += pcap.flush();
        }
    }

    /// Messages that could not be written or sent.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests;
