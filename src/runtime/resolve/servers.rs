//! Whom to ask: resolv.conf(5), or what the host has said; and who of them answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The port of name servers.
pub const PORT: u16 = 53;
/// Name servers and search domains that are taken.
const SERVERS: usize = 8;
const DOMAINS: usize = 16;
/// One try of a server, and rounds through all of them, where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;
/// So long one that was silent is asked after the others.
const RESTS: Duration = Duration::from_secs(30);

/// Who is asked, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub servers: Vec<SocketAddr>,
    /// What a name without a dot may be completed by.
    pub search: Vec<Arc<str>>,
    /// Of one try.
    pub timeout: Duration,
    /// Rounds through all servers.
    pub attempts: u32,
}

impl Settings {
    pub fn of(servers: Vec<SocketAddr>) -> Self {
        Self { servers, search: Vec::new(), timeout: TIMEOUT, attempts: ATTEMPTS }
    }

    /// resolv.conf(5). Where it names no server there is one here.
    pub fn parse(text: &str) -> Self {
        let mut settings = Self::of(Vec::new());
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if settings.servers.len() < SERVERS => {
                    settings.servers.extend(words.next().and_then(server));
                }
                // The last of them counts.
                Some("search" | "domain") => {
                    let domains = words.filter_map(super::wire::canonical);
                    settings.search = domains.take(DOMAINS).collect();
                }
                Some("options") => words.for_each(|word| settings.set(word)),
                _ => {}
            }
        }
        if settings.servers.is_empty() {
            settings.servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
        }
        settings
    }

    fn set(&mut self, option: &str) {
        let Some((name, Ok(number))) = option.split_once(':').map(|(name, number)| (name, number.parse::<u32>()))
        else {
            return;
        };
        match name {
            // As resolv.conf(5) caps them.
            "timeout" => self.timeout = Duration::from_secs(number.clamp(1, 30).into()),
            "attempts" => self.attempts = number.clamp(1, 5),
            _ => {}
        }
    }

    /// The names that a host stands for, the first to be tried first. Only one without a dot is completed: of another
    /// nobody but who wrote it may say what it means (RFC 1535).
    pub fn names(&self, host: &str) -> Vec<Arc<str>> {
        let Some(name) = super::wire::canonical(host) else { return Vec::new() };
        let mut names = Vec::new();
        if !host.contains('.') {
            names.extend(self.search.iter().filter_map(|domain| super::wire::canonical(&format!("{name}.{domain}"))));
        }
        names.push(name);
        names
    }
}

/// "192.0.2.53", "2001:db8::53", "fe80::1%eth0".
fn server(text: &str) -> Option<SocketAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, PORT));
    }
    let (ip, zone) = text.split_once('%')?;
    let scope = match zone.parse() {
        Ok(number) => number,
        Err(_) => interface(zone)?,
    };
    Some(SocketAddrV6::new(ip.parse().ok()?, PORT, 0, scope).into())
}

fn interface(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a text that ends with NUL.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number != 0).then_some(number)
}

/// Who of them answers.
#[derive(Debug)]
pub struct Servers {
    pub settings: Settings,
    state: Vec<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// It was silent; until then others are asked first.
    rests: Option<Instant>,
    /// It knows no EDNS.
    plain: bool,
}

impl Servers {
    pub fn new(settings: Settings) -> Self {
        let state = vec![State::default(); settings.servers.len()];
        Self { settings, state }
    }

    pub fn address(&self, index: usize) -> Option<SocketAddr> {
        self.settings.servers.get(index).copied()
    }

    /// In the order in which they are asked now.
    pub fn order(&self, now: Instant) -> Vec<usize> {
        let rests =
            |index: &usize| self.state.get(*index).and_then(|state| state.rests).is_some_and(|until| now < until);
        let mut order: Vec<usize> = (0..self.state.len()).collect();
        order.sort_by_key(rests);
        order
    }

    pub fn is_plain(&self, index: usize) -> bool {
        self.state.get(index).is_some_and(|state| state.plain)
    }

    pub fn was_silent(&mut self, index: usize, now: Instant) {
        if let Some(state) = self.state.get_mut(index) {
            state.rests = now.checked_add(RESTS);
        }
    }

    pub fn answered(&mut self, index: usize) {
        if let Some(state) = self.state.get_mut(index) {
            state.rests = None;
        }
    }

    pub fn knows_no_edns(&mut self, index: usize) {
        if let Some(state) = self.state.get_mut(index) {
            state.plain = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resolv_conf_says() {
        let settings = Settings::parse(
            "# nameserver 192.0.2.9\n; nameserver 192.0.2.8\nnameserver 192.0.2.1\nnameserver\t2001:db8::53\n\
             nameserver fe80::1%7\nnameserver nonsense\nnameserver fe80::1%no.such.interface\n\
             domain old.example\nsearch Lan.Example. example..bad example\noptions ndots:2 timeout:1 attempts:9 rotate timeout:x\n",
        );
        let servers: Vec<String> = settings.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::53]:53", "[fe80::1%7]:53"]);
        assert_eq!((settings.timeout, settings.attempts), (Duration::from_secs(1), 5));
        assert_eq!(settings.names("PBX"), ["pbx.lan.example".into(), "pbx.example".into(), Arc::<str>::from("pbx")]);
        assert_eq!(settings.names("pbx.example."), [Arc::<str>::from("pbx.example")]);
        for bad in ["", ".", "a..b", &"x".repeat(64), &["x"; 130].join(".")] {
            assert!(settings.names(bad).is_empty(), "{bad}");
        }
        let empty = Settings::parse("");
        assert_eq!(empty, Settings::of(vec!["127.0.0.1:53".parse().expect("an address")]));
        assert_eq!(Settings::parse(&"nameserver 192.0.2.1\n".repeat(99)).servers.len(), SERVERS);
    }

    #[test]
    fn who_was_silent_is_asked_last_for_a_while() {
        let servers = ["192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"].map(|text| text.parse().expect("an address"));
        let mut servers = Servers::new(Settings::of(servers.to_vec()));
        let now = Instant::now();
        assert_eq!(servers.order(now), [0, 1, 2]);
        servers.was_silent(0, now);
        assert_eq!(servers.order(now), [1, 2, 0]);
        servers.was_silent(1, now);
        servers.was_silent(2, now);
        assert_eq!(servers.order(now), [0, 1, 2]);
        servers.answered(2);
        assert_eq!(servers.order(now), [2, 0, 1]);
        assert_eq!(servers.order(now + RESTS), [0, 1, 2]);
    }
}
