//! A file of libpcap: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>.

use super::Shot;
use super::packet::{Streams, packets};
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Microseconds, packets that begin with IP (LINKTYPE_RAW).
const HEADER: [u32; 6] = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 262_144, 101];
/// What stands before each packet.
const RECORD: usize = 16;
/// So much is collected for one write.
const COLLECTED: usize = 64 << 10;

/// An open file.
#[derive(Debug)]
pub struct Pcap {
    file: File,
    /// Whole records, but for the first, whose beginning may be in the file already.
    unwritten: Vec<u8>,
    /// How much of the first record is to be written yet.
    first: usize,
    streams: Streams,
}

impl Pcap {
    /// A new file, which takes the place of another; only its owner may read it. Errors: system.
    pub fn create(path: &[u8]) -> Result<Self> {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let mut options = OpenOptions::new();
        // A pipe without a reader must not hold anybody up, and one that loses its reader would end the process.
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(libc::O_NONBLOCK);
        let mut file = options.open(path).map_err(|error| Error::system(&error))?;
        if file.metadata().map_err(|error| Error::system(&error))?.file_type().is_fifo() {
            return Err(Error::system(&io::Error::from_raw_os_error(libc::ESPIPE)));
        }
        file.write_all(&HEADER.map(u32::to_ne_bytes).concat()).map_err(|error| Error::system(&error))?;
        Ok(Self { file, unwritten: Vec::new(), first: 0, streams: Streams::default() })
    }

    /// A message. How many were lost of those that waited.
    pub(super) fn write(&mut self, shot: &Shot<'_>) -> u64 {
        let unwritten = &mut self.unwritten;
        packets(shot, &mut self.streams, |packet, missing| {
            let number = |number: u64| (number as u32).to_ne_bytes();
            unwritten.extend(number(shot.unix_us / 1_000_000));
            unwritten.extend(number(shot.unix_us % 1_000_000));
            unwritten.extend(number(packet.len() as u64));
            unwritten.extend(number(packet.len().saturating_add(missing) as u64));
            unwritten.extend(packet);
        });
        if unwritten.len() >= COLLECTED { self.flush() } else { 0 }
    }

    /// Writes what was collected; how many packets did not go into the file. One that went in half goes on next time, so
    /// that a disk that was full breaks nothing.
    pub(super) fn flush(&mut self) -> u64 {
        let mut written = 0;
        while let Some(rest) = self.unwritten.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.settle(written)
    }

    /// So many bytes are in the file, and no more go in now.
    pub(super) fn settle(&mut self, written: usize) -> u64 {
        let (mut at, mut lost) = (self.first, 0);
        while at < written {
            at += self.record_at(at);
        }
        // Up to here goes what has begun.
        let begun = at;
        while at < self.unwritten.len() {
            at += self.record_at(at);
            lost += 1;
        }
        self.first = begun - written;
        self.unwritten.truncate(begun);
        self.unwritten.drain(..written.min(begun));
        if self.unwritten.capacity() > 2 * COLLECTED {
            self.unwritten.shrink_to(COLLECTED);
        }
        lost
    }

    /// Bytes of a record that has begun.
    #[cfg(test)]
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// How long the record is that begins here.
    fn record_at(&self, at: usize) -> usize {
        let len = self.unwritten.get(at + 8..at + 12).and_then(|len| len.try_into().ok()).map_or(0, u32::from_ne_bytes);
        RECORD + len as usize
    }
}
