//! The resolver against name servers that do what name servers do: cut, keep silent, lie, forget.
#![cfg(feature = "runtime")]

use simple_dns::rdata::{A, AAAA, CNAME, NAPTR, RData, SOA, SRV};
use simple_dns::{CLASS, CharacterString, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use sipdlg::flow::{Flow, Reach, Transport};
use sipdlg::runtime::{Question, Resolver};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Nothing here takes longer, unless it never ends.
const LONG: Duration = Duration::from_secs(40);
const QUICK: Duration = Duration::from_millis(1_500);

// ---------------------------------------------------------------- a name server

/// What a server does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ways {
    Usual,
    Silent,
    /// By UDP nothing but the flag; by TCP all.
    Cuts,
    /// Cuts, and takes connections that it never answers.
    CutsAndHangs,
    /// Other messages first: another id, another name, another kind, half of one, none at all; then the right one.
    LiesFirst,
    Fails,
    /// Refers to others.
    Lame,
    /// Knows no EDNS, and says so without reading on.
    Old,
    /// Gives an alias without what it leads to.
    Forgets,
    SilentAboutAaaa,
}

/// Lines by name.
type Zone = Arc<HashMap<String, Vec<String>>>;

fn zone_of(text: &str) -> Zone {
    let mut zone: HashMap<String, Vec<String>> = HashMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        zone.entry(line.split(' ').next().expect("a name").to_owned()).or_default().push(line.to_owned());
    }
    Arc::new(zone)
}

struct Server {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    ways: Arc<Mutex<Ways>>,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// `zone`: "NAME TTL TYPE DATA" a line. Of what is not there it says so for a second.
    fn new(ways: Ways, zone: &str) -> Self {
        let (datagrams, streams) = loop {
            let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
            if let Ok(streams) = TcpListener::bind(datagrams.local_addr().expect("an address")) {
                break (datagrams, streams);
            }
        };
        let address = datagrams.local_addr().expect("an address");
        datagrams.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
        streams.set_nonblocking(true).expect("not blocking");
        let (zone, ways) = (Arc::new(Mutex::new(zone_of(zone))), Arc::new(Mutex::new(ways)));
        let (asked, over) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let server = || (Arc::clone(&zone), Arc::clone(&ways), Arc::clone(&asked), Arc::clone(&over));
        let by_datagrams = {
            let (zone, ways, asked, over) = server();
            thread::spawn(move || {
                let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
                let mut buffer = [0; 2_000];
                while !over.load(Ordering::SeqCst) {
                    let Ok((len, from)) = datagrams.recv_from(&mut buffer) else { continue };
                    let (zone, ways) = (zone.lock().unwrap().clone(), *ways.lock().unwrap());
                    let messages = answers(&buffer[..len], &zone, ways, &asked, false);
                    if ways == Ways::LiesFirst {
                        // From elsewhere the right id and question are worth nothing.
                        let query = Packet::parse(&buffer[..len]).expect("a question");
                        let lying = zone_of("sip.example 60 A 192.0.2.66");
                        let lie = reply(&query, &lying);
                        stranger.send_to(&lie.build_bytes_vec().unwrap(), from).expect("sent");
                    }
                    for message in messages {
                        datagrams.send_to(&message, from).expect("sent");
                    }
                }
            })
        };
        let by_streams = {
            let (zone, ways, asked, over) = server();
            thread::spawn(move || {
                let mut kept = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    let Ok((mut stream, _)) = streams.accept() else {
                        thread::sleep(Duration::from_millis(5));
                        continue;
                    };
                    stream.set_nonblocking(false).expect("blocking");
                    let (zone, ways) = (zone.lock().unwrap().clone(), *ways.lock().unwrap());
                    if ways == Ways::CutsAndHangs {
                        kept.push(stream);
                        continue;
                    }
                    let mut length = [0; 2];
                    if stream.read_exact(&mut length).is_err() {
                        continue;
                    }
                    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut query).expect("a question");
                    for message in answers(&query, &zone, ways, &asked, true) {
                        let whole = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
                        // One byte, then the rest.
                        stream.write_all(&whole[..1]).expect("written");
                        thread::sleep(Duration::from_millis(2));
                        stream.write_all(&whole[1..]).expect("written");
                    }
                }
            })
        };
        Self { address, zone, ways, asked, over, threads: vec![by_datagrams, by_streams] }
    }

    fn set(&self, ways: Ways) {
        *self.ways.lock().unwrap() = ways;
    }

    fn load(&self, zone: &str) {
        *self.zone.lock().unwrap() = zone_of(zone);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.threads.drain(..).for_each(|thread| thread.join().expect("no panic"));
    }
}

fn answers(query: &[u8], zone: &Zone, ways: Ways, asked: &Mutex<Vec<String>>, by_stream: bool) -> Vec<Vec<u8>> {
    let query = Packet::parse(query).expect("a question");
    let question = &query.questions[0];
    let how = if by_stream { " by TCP" } else { "" };
    let edns = if query.opt().is_some() { "" } else { " without EDNS" };
    let QTYPE::TYPE(kind) = question.qtype else { panic!("{:?}", question.qtype) };
    asked.lock().unwrap().push(format!("{} {kind:?}{how}{edns}", question.qname));
    let mut right = reply(&query, zone);
    let bytes = |packet: &Packet<'_>| packet.build_bytes_vec_compressed().expect("bytes");
    match ways {
        Ways::Silent => return Vec::new(),
        Ways::SilentAboutAaaa if kind == TYPE::AAAA => return Vec::new(),
        Ways::Cuts | Ways::CutsAndHangs if !by_stream => {
            right.set_flags(PacketFlag::TRUNCATION);
            right.answers.truncate(1);
            let mut cut = bytes(&right);
            cut.truncate(cut.len() - 3);
            return vec![cut];
        }
        Ways::LiesFirst => {
            let mut lies = Vec::new();
            let lying = zone_of("sip.example 60 A 192.0.2.66");
            let mut lie = reply(&query, &lying);
            lie.set_id(query.id().wrapping_add(1));
            lies.push(bytes(&lie));
            lie.set_id(query.id());
            lie.questions[0].qname = Name::new_unchecked("other.example");
            lies.push(bytes(&lie));
            lie.questions[0].qname = question.qname.clone();
            lie.questions[0].qtype = QTYPE::TYPE(TYPE::TXT);
            lies.push(bytes(&lie));
            let whole = bytes(&right);
            lies.push(whole[..whole.len() / 2].to_vec());
            lies.push(query.id().to_be_bytes().to_vec());
            lies.push(Vec::new());
            lies.push(whole);
            return lies;
        }
        Ways::Fails => {
            right.answers.clear();
            *right.rcode_mut() = RCODE::ServerFailure;
        }
        Ways::Lame => {
            right.answers.clear();
            right.name_servers.clear();
            *right.rcode_mut() = RCODE::NoError;
            right.remove_flags(PacketFlag::RECURSION_AVAILABLE);
        }
        Ways::Old if query.opt().is_some() => {
            let [one, two] = query.id().to_be_bytes();
            return vec![vec![one, two, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]];
        }
        Ways::Forgets => {
            right.answers.truncate(1);
            right.name_servers.clear();
        }
        _ => {}
    }
    vec![bytes(&right)]
}

fn reply<'a>(query: &Packet<'a>, zone: &'a Zone) -> Packet<'a> {
    let mut packet = Packet::new_reply(query.id());
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    packet.questions = query.questions.clone();
    let QTYPE::TYPE(kind) = query.questions[0].qtype else { panic!("of one type") };
    let mut name = query.questions[0].qname.to_string();
    let mut exists = false;
    for _ in 0..200 {
        let mut alias = None;
        for line in zone.get(&name).into_iter().flatten() {
            let words: Vec<&str> = line.split(' ').collect();
            exists = true;
            let data = data(words[2], &words[3..]);
            if words[2] == "CNAME" {
                alias = Some(words[3].to_owned());
            } else if data.type_code() != kind {
                continue;
            }
            let ttl = words[1].parse().expect("a TTL");
            packet.answers.push(ResourceRecord::new(Name::new(words[0]).unwrap(), CLASS::IN, ttl, data));
        }
        match alias {
            Some(alias) => name = alias,
            None => break,
        }
    }
    if packet.answers.is_empty() {
        let name = || Name::new_unchecked("example");
        let soa = SOA { mname: name(), rname: name(), serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
        packet.name_servers.push(ResourceRecord::new(name(), CLASS::IN, 60, RData::SOA(soa)));
        *packet.rcode_mut() = if exists { RCODE::NoError } else { RCODE::NameError };
    }
    packet
}

fn data<'a>(kind: &str, words: &[&'a str]) -> RData<'a> {
    let number = |at: usize| words[at].parse::<u16>().expect("a number");
    let text = |at: usize| CharacterString::try_from(words[at]).expect("text");
    match kind {
        "A" => RData::A(A { address: words[0].parse::<std::net::Ipv4Addr>().expect("an address").into() }),
        "AAAA" => RData::AAAA(AAAA { address: words[0].parse::<std::net::Ipv6Addr>().expect("an address").into() }),
        "CNAME" => RData::CNAME(CNAME(Name::new(words[0]).unwrap())),
        "SRV" => RData::SRV(SRV {
            priority: number(0),
            weight: number(1),
            port: number(2),
            target: Name::new(words[3]).unwrap(),
        }),
        "NAPTR" => RData::NAPTR(NAPTR {
            order: number(0),
            preference: number(1),
            flags: text(2),
            services: text(3),
            regexp: CharacterString::try_from("").unwrap(),
            replacement: Name::new(words[4]).unwrap(),
        }),
        _ => panic!("{kind}"),
    }
}

// ---------------------------------------------------------------- who asks

struct Asker {
    resolver: Resolver,
    answers: Receiver<(u64, Vec<Flow>)>,
}

impl Asker {
    fn new(servers: &[&Server]) -> Self {
        Self::of(&servers.iter().map(|server| server.address).collect::<Vec<_>>())
    }

    fn of(servers: &[SocketAddr]) -> Self {
        let (sender, answers) = channel();
        let answer = move |query, flows: &[Flow]| sender.send((query, flows.to_vec())).expect("somebody waits");
        Self { resolver: Resolver::start(servers, answer, || true).expect("a thread"), answers }
    }

    fn ask(&self, query: u64, host: &str, sockets: &[&str]) -> bool {
        let mut reach = Reach::default();
        for local in sockets {
            reach.add(Transport::Udp, Some(local.parse().expect("an address")));
        }
        let (host, transport) = (host.to_owned(), None);
        self.resolver.ask(Question { query, host, port: 0, transport, secure: false, reach })
    }

    fn next(&self) -> (u64, Vec<String>) {
        let (query, flows) = self.answers.recv_timeout(LONG).expect("an answer");
        (query, flows.iter().map(|flow| flow.remote.expect("a target").to_string()).collect())
    }

    /// Where this name leads over IPv4, and how long that took.
    fn led(&self, host: &str) -> (Vec<String>, Duration) {
        let began = Instant::now();
        assert!(self.ask(1, host, &["192.0.2.1:5060"]));
        (self.next().1, began.elapsed())
    }
}

const ZONE: &str = "example.com 60 NAPTR 10 10 s SIP+D2U _sip._udp.example.com
    _sip._udp.example.com 60 SRV 10 0 5071 one.example.com
    _sip._udp.example.com 60 SRV 20 0 5072 two.example.com
    one.example.com 60 A 192.0.2.1
    one.example.com 60 AAAA 2001:db8::1
    two.example.com 60 A 192.0.2.2
    sip.example 60 A 192.0.2.3
    sip.example 60 AAAA 2001:db8::3";

#[test]
fn records_lead_to_targets() {
    let server = Server::new(Ways::Usual, ZONE);
    let asker = Asker::new(&[&server]);
    assert_eq!(asker.led("example.com").0, ["192.0.2.1:5071", "192.0.2.2:5072"]);
    let mut asked = server.asked();
    assert_eq!(asked[..2], ["example.com NAPTR", "_sip._udp.example.com SRV"]);
    asked[2..].sort();
    assert_eq!(asked[2..], ["one.example.com A", "two.example.com A"], "IPv4 alone is reached");
    // All of it is known by now, and another case is the same name.
    assert_eq!(asker.led("Example.COM.").0, ["192.0.2.1:5071", "192.0.2.2:5072"]);
    assert_eq!(server.asked(), [""; 0]);
    assert!(asker.ask(2, "example.com", &["192.0.2.9:5060", "[2001:db8::9]:5060"]));
    assert_eq!(
        asker.next(),
        (2, ["[2001:db8::1]:5071", "192.0.2.1:5071", "192.0.2.2:5072"].map(String::from).to_vec())
    );
}

#[test]
fn names_that_nobody_is_asked_for() {
    let server = Server::new(Ways::Usual, ZONE);
    let asker = Asker::new(&[&server]);
    assert_eq!(asker.led("localhost").0, ["127.0.0.1:5060"]);
    for host in ["abc123.invalid", "invalid", "INVALID.", "a..b", ""] {
        assert_eq!(asker.led(host).0, [""; 0], "{host}");
    }
    assert_eq!(server.asked(), [""; 0]);
    server.load(
        "example.com 60 NAPTR 1 1 s SIP+D2U _sip._udp.abc.invalid
        _sip._udp.example.com 60 SRV 1 1 5060 x.invalid",
    );
    assert_eq!(asker.led("example.com").0, [""; 0]);
    assert!(!server.asked().iter().any(|asked| asked.contains("invalid")));
}

#[test]
fn what_was_cut_comes_by_tcp() {
    let mut zone = String::new();
    for number in 1..=60 {
        zone += &format!("_sip._udp.example.com 60 SRV {number} 0 {} one.example.com\n", 5_000 + number);
    }
    zone += "one.example.com 60 A 192.0.2.1";
    let server = Server::new(Ways::Cuts, &zone);
    let asker = Asker::new(&[&server]);
    let (targets, _) = asker.led("example.com");
    assert_eq!((targets.len(), &*targets[0]), (16, "192.0.2.1:5001"));
    assert!(server.asked().contains(&"_sip._udp.example.com SRV by TCP".to_owned()));
    // Who hangs there holds up no more than one try.
    server.set(Ways::CutsAndHangs);
    let other = Server::new(Ways::Usual, "new.example 60 A 192.0.2.4");
    let asker = Asker::new(&[&server, &other]);
    assert_eq!(asker.led("new.example").0, ["192.0.2.4:5060"]);
}

#[test]
fn lies_are_passed_over() {
    let server = Server::new(Ways::LiesFirst, ZONE);
    let asker = Asker::new(&[&server]);
    let (targets, took) = asker.led("sip.example");
    assert_eq!(targets, ["192.0.2.3:5060"]);
    assert!(took < QUICK, "{took:?}");
}

/// Who cannot say is passed over at once; who is silent costs one try, and that once.
#[test]
fn another_server_knows() {
    let good = Server::new(Ways::Usual, ZONE);
    for ways in [Ways::Fails, Ways::Lame] {
        let bad = Server::new(ways, ZONE);
        let asker = Asker::new(&[&bad, &good]);
        let (targets, took) = asker.led("sip.example");
        assert_eq!(targets, ["192.0.2.3:5060"], "{ways:?}");
        assert!(took < QUICK, "{ways:?} {took:?}");
        assert!(!bad.asked().is_empty());
    }
    let gone = Server::new(Ways::Usual, ZONE).address;
    let asker = Asker::of(&[gone, good.address]);
    let (targets, took) = asker.led("sip.example");
    assert_eq!(targets, ["192.0.2.3:5060"], "nobody is there");
    assert!(took < QUICK, "{took:?}");

    let silent = Server::new(Ways::Silent, ZONE);
    let asker = Asker::new(&[&silent, &good]);
    let (targets, took) = asker.led("sip.example");
    assert_eq!(targets, ["192.0.2.3:5060"]);
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(4), "{took:?}");
    let (targets, took) = asker.led("example.com");
    assert_eq!(targets.len(), 2);
    assert!(took < QUICK, "the silent one is asked last for a while: {took:?}");
}

/// Nobody knows: at once where all say so; within the agent's patience where all are silent.
#[test]
fn no_server_knows() {
    let (one, two) = (Server::new(Ways::Fails, ZONE), Server::new(Ways::Lame, ZONE));
    let asker = Asker::new(&[&one, &two]);
    let (targets, took) = asker.led("sip.example");
    assert_eq!(targets, [""; 0]);
    assert!(took < QUICK, "{took:?}");
    // That was no answer to be kept.
    one.set(Ways::Usual);
    assert_eq!(asker.led("sip.example").0, ["192.0.2.3:5060"]);
    one.set(Ways::Silent);
    two.set(Ways::Silent);
    let (targets, took) = asker.led("other.example");
    assert_eq!(targets, [""; 0]);
    assert!(took > Duration::from_secs(11) && took < Duration::from_secs(32), "{took:?}");
}

#[test]
fn old_servers_are_asked_without_edns() {
    let server = Server::new(Ways::Old, ZONE);
    let asker = Asker::new(&[&server]);
    let (targets, took) = asker.led("sip.example");
    assert_eq!(targets, ["192.0.2.3:5060"]);
    assert!(took < QUICK, "{took:?}");
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| !asked.ends_with("without EDNS")).count(), 1, "{asked:?}");
}

#[test]
fn a_record_that_changes_is_seen_when_its_time_is_over() {
    let server = Server::new(Ways::Usual, "sip.example 1 A 192.0.2.1");
    let asker = Asker::new(&[&server]);
    assert_eq!(asker.led("sip.example").0, ["192.0.2.1:5060"]);
    let began = Instant::now();
    server.load("sip.example 1 A 192.0.2.2\nlate.example 60 A 192.0.2.3");
    let mut targets = asker.led("sip.example").0;
    assert!(targets == ["192.0.2.1:5060"] || began.elapsed() > Duration::from_millis(900));
    while targets == ["192.0.2.1:5060"] {
        assert!(began.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(50));
        targets = asker.led("sip.example").0;
    }
    assert_eq!(targets, ["192.0.2.2:5060"]);
    assert!(began.elapsed() > Duration::from_millis(900));
    // That there is nothing counts as long as the SOA says: a second (RFC 2308).
    server.load("sip.example 60 A 192.0.2.2");
    assert_eq!(asker.led("late.example").0, [""; 0]);
    let began = Instant::now();
    server.load("late.example 60 A 192.0.2.3");
    let before = server.asked().len();
    while asker.led("late.example").0 != ["192.0.2.3:5060"] {
        assert!(began.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(before > 0 && began.elapsed() > Duration::from_millis(900));
}

/// RFC 1034 §3.6.2 warns of them; nobody follows them for ever.
#[test]
fn aliases_are_followed_so_far() {
    let mut zone = String::from("sip.example 60 CNAME one.example\none.example 60 A 192.0.2.1\n");
    for number in 0..60 {
        zone += &format!("c{number}.example 60 CNAME c{}.example\n", number + 1);
    }
    zone += "a.example 60 CNAME b.example\nb.example 60 CNAME a.example";
    let server = Server::new(Ways::Usual, &zone);
    for ways in [Ways::Usual, Ways::Forgets] {
        server.set(ways);
        let asker = Asker::new(&[&server]);
        assert_eq!(asker.led("sip.example").0, ["192.0.2.1:5060"], "{ways:?}");
        server.asked();
        for host in ["a.example", "c0.example"] {
            assert_eq!(asker.led(host).0, [""; 0], "{host} {ways:?}");
            let asked = server.asked();
            assert!(asked.len() < 80, "{asked:?}");
        }
    }
}

/// Somebody on the way drops what he does not know: the other family does not wait for it.
#[test]
fn a_family_that_is_not_answered_holds_nothing_up() {
    let server = Server::new(Ways::SilentAboutAaaa, ZONE);
    let asker = Asker::new(&[&server]);
    let began = Instant::now();
    assert!(asker.ask(1, "sip.example", &["192.0.2.9:5060", "[2001:db8::9]:5060"]));
    assert_eq!(asker.next(), (1, vec!["192.0.2.3:5060".to_owned()]));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// A thousand at once, half of them of a domain whose server never answers: who waits holds nobody up.
#[test]
fn a_thousand_at_once() {
    let mut zone = String::new();
    for number in 0..1_000 {
        zone += &format!(
            "_sip._udp.d{number}.example 60 SRV 1 1 5061 h{number}.example\nh{number}.example 60 A 192.0.2.9\n"
        );
    }
    let good = Server::new(Ways::Usual, &zone);
    let silent = Server::new(Ways::Silent, "");
    let asker = Asker::new(&[&silent, &good]);
    let began = Instant::now();
    for number in 0..1_000 {
        assert!(asker.ask(number, &format!("d{number}.example"), &["192.0.2.1:5060"]));
    }
    assert!(!asker.ask(1_000, "d1000.example", &["192.0.2.1:5060"]), "more than may wait");
    let mut seen = vec![false; 1_000];
    for _ in 0..1_000 {
        let (query, targets) = asker.next();
        assert_eq!(targets, ["192.0.2.9:5061"], "{query}");
        assert!(!std::mem::replace(&mut seen[query as usize], true), "{query} twice");
    }
    let took = began.elapsed();
    println!("1,000 questions, the first server silent: {took:?}");
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(asker.ask(1_000, "d1.example", &["192.0.2.1:5060"]), "there is room again");
    assert_eq!(asker.next().1, ["192.0.2.9:5061"]);
}

/// The end waits for no server, and nothing goes on after it.
#[test]
fn the_end_waits_for_nobody() {
    let silent = Server::new(Ways::Silent, "");
    let asker = Asker::new(&[&silent]);
    for number in 0..100 {
        assert!(asker.ask(number, &format!("d{number}.example"), &["192.0.2.1:5060"]));
    }
    while silent.asked().is_empty() {
        thread::yield_now();
    }
    let Asker { resolver, answers } = asker;
    let began = Instant::now();
    resolver.join();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(answers.try_recv().is_err(), "no answer after the end");
}
