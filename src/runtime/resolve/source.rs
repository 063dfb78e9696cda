//! Where the resolver's settings come from: files of the system, read again when they change, or the host.

use super::hosts::Hosts;
use super::servers::{Servers, Settings};
use std::fs::{self, File};
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// So often files are looked at when somebody asks.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes that are read of one.
const LONGEST: u64 = 16 << 20;

/// A file and what it was when it was read.
struct Watched {
    path: PathBuf,
    seen: Option<Stamp>,
}

/// Another one, or changed since.
type Stamp = (u64, u64, i64, i64, u64);

impl Watched {
    fn new(path: &str) -> Self {
        Self { path: path.into(), seen: None }
    }

    /// What is in it, where it is another than before; one that cannot be read is empty.
    fn changed(&mut self, first: bool) -> Option<String> {
        let stamp = fs::metadata(&self.path)
            .ok()
            .map(|file| (file.dev(), file.ino(), file.mtime(), file.mtime_nsec(), file.size()));
        if stamp == self.seen && !first {
            return None;
        }
        self.seen = stamp;
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(&self.path) {
            let _ = file.take(LONGEST).read_to_end(&mut bytes);
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Name servers and hosts, as of now.
pub struct Source {
    hosts_file: Watched,
    /// `None`: the host has said whom to ask.
    servers_file: Option<Watched>,
    hosts: Hosts,
    servers: Servers,
    looked: Option<Instant>,
}

impl Source {
    /// `servers`: none, the system's.
    pub fn new(servers: &[SocketAddr]) -> Self {
        Self {
            hosts_file: Watched::new("/etc/hosts"),
            servers_file: servers.is_empty().then(|| Watched::new("/etc/resolv.conf")),
            hosts: Hosts::default(),
            servers: Servers::new(Settings::of(servers.to_vec())),
            looked: None,
        }
    }

    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    pub fn servers_mut(&mut self) -> &mut Servers {
        &mut self.servers
    }

    /// Looks whether a file has changed. True: there are other servers.
    pub fn refresh(&mut self, now: Instant) -> bool {
        let first = self.looked.is_none();
        if self.looked.is_some_and(|looked| now < looked + EVERY) {
            return false;
        }
        self.looked = Some(now);
        if let Some(text) = self.hosts_file.changed(first) {
            self.hosts = Hosts::new(&text);
        }
        let settings =
            self.servers_file.as_mut().and_then(|file| file.changed(first)).map(|text| Settings::parse(&text));
        match settings.filter(|settings| *settings != self.servers.settings) {
            Some(settings) => {
                self.servers = Servers::new(settings);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_again_when_they_change() {
        let folder = std::env::temp_dir().join(format!("sipdlg-resolve-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut source = Source::new(&[]);
        source.hosts_file.path = folder.join("hosts");
        source.servers_file.as_mut().expect("the system's").path = folder.join("resolv.conf");
        let now = Instant::now();
        assert!(source.refresh(now), "nothing is there");
        assert_eq!(source.servers().settings, Settings::parse(""));
        fs::write(folder.join("hosts"), "192.0.2.1 pbx.example").expect("written");
        fs::write(folder.join("resolv.conf"), "nameserver 192.0.2.53").expect("written");
        assert!(!source.refresh(now + EVERY / 2), "too early to look");
        assert!(source.refresh(now + EVERY));
        assert_eq!(source.servers().address(0), Some("192.0.2.53:53".parse().expect("an address")));
        assert!(source.hosts().addresses("pbx.example").is_some());
        fs::write(folder.join("hosts"), "# nobody").expect("written");
        assert!(!source.refresh(now + EVERY * 2), "the servers are the same");
        assert!(source.hosts().addresses("pbx.example").is_none());
        // As a DHCP client does it: another file takes its place.
        fs::write(folder.join("new"), "nameserver 192.0.2.54").expect("written");
        fs::rename(folder.join("new"), folder.join("resolv.conf")).expect("renamed");
        assert!(source.refresh(now + EVERY * 3));
        assert_eq!(source.servers().address(0), Some("192.0.2.54:53".parse().expect("an address")));
        fs::remove_dir_all(folder).expect("removed");
        let mut given = Source::new(&["192.0.2.55:5353".parse().expect("an address")]);
        assert!(!given.refresh(now));
        assert_eq!(given.servers().settings.servers.len(), 1);
    }
}
