use super::*;
use crate::runtime::resolve::hosts::Hosts;
use std::collections::HashMap;

/// A zone: "NAME TYPE DATA" a line; what it has not is not there.
struct Zone {
    records: HashMap<(String, &'static str), Vec<String>>,
    hosts: Hosts,
    /// Only what begins with one of these has been looked up.
    looked_up: Option<Vec<&'static str>>,
}

impl Zone {
    fn new(text: &str) -> Self {
        let mut records: HashMap<_, Vec<String>> = HashMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.splitn(3, ' ');
            let (name, kind, data) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let kind = ["A", "AAAA", "SRV", "NAPTR", "CNAME"].into_iter().find(|known| *known == kind).unwrap();
            records.entry((name.to_owned(), kind)).or_default().push(data.to_owned());
        }
        Self { records, hosts: Hosts::new("192.0.2.200 filed.example"), looked_up: None }
    }
}

impl Known for Zone {
    fn answer(&self, key: &Key) -> Option<Arc<Answer>> {
        let of = |kind| self.records.get(&(key.name.to_string(), kind));
        let label = ["A", "AAAA", "SRV", "NAPTR"][key.kind as usize];
        let open = format!("{} {label}", key.name);
        if self.looked_up.as_ref().is_some_and(|all| !all.iter().any(|known| open.starts_with(known))) {
            return None;
        }
        if let Some(alias) = of("CNAME") {
            return Some(Arc::new(Answer::Alias(alias[0].as_str().into())));
        }
        let number = |word: &str| word.parse::<u16>().unwrap();
        let name = |word: &str| Arc::<str>::from(word.trim_end_matches('.'));
        Some(Arc::new(match of(label) {
            None => Answer::Nothing,
            Some(data) if matches!(key.kind, Kind::A | Kind::Aaaa) => {
                Answer::Addresses(data.iter().map(|word| word.parse().unwrap()).collect())
            }
            Some(data) => {
                let rows: Vec<Vec<&str>> = data.iter().map(|line| line.split(' ').collect()).collect();
                if key.kind == Kind::Srv {
                    let service = |row: &Vec<&str>| Service {
                        priority: number(row[0]),
                        weight: number(row[1]),
                        port: number(row[2]),
                        target: name(row[3]),
                    };
                    Answer::Services(rows.iter().map(service).collect())
                } else {
                    let pointer = |row: &Vec<&str>| Pointer {
                        order: number(row[0]),
                        preference: number(row[1]),
                        flags: row[2].into(),
                        service: row[3].into(),
                        replacement: name(row[4]),
                    };
                    Answer::Pointers(rows.iter().map(pointer).collect())
                }
            }
        }))
    }

    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        self.hosts.addresses(name)
    }
}

/// "udp4 tcp4 tls6".
fn reach(text: &str) -> Reach {
    let mut reach = Reach::default();
    for word in text.split_ascii_whitespace() {
        let (transport, family) = word.split_at(word.len() - 1);
        let local = if family == "4" { "192.0.2.1:5060" } else { "[2001:db8::1]:5060" };
        let transport = Transport::named(transport.as_bytes(), false).unwrap();
        reach.add(transport, Some(local.parse().unwrap()));
    }
    reach
}

/// "sip:example.com:5070;transport=tcp".
fn question(uri: &str, sockets: &str) -> Question {
    let (scheme, rest) = uri.split_once(':').unwrap();
    let (address, transport) = rest.split_once(";transport=").map_or((rest, None), |(one, two)| (one, Some(two)));
    let (host, port) = address.split_once(':').unwrap_or((address, "0"));
    let secure = scheme == "sips";
    let transport = transport.map(|name| Transport::named(name.as_bytes(), secure).unwrap());
    let (host, port) = (host.to_owned(), port.parse().unwrap());
    Question { query: 0, host, port, transport, secure, reach: reach(sockets) }
}

fn led(zone: &Zone, question: &Question) -> Targets {
    let names = [Arc::<str>::from(question.host.as_str())];
    targets(question, &names, zone, 7)
}

fn texts(targets: &Targets) -> Vec<String> {
    let text = |flow: &Flow| format!("{} {}", flow.transport.parameter(), flow.remote.unwrap());
    targets.flows.iter().map(text).collect()
}

const ALL: &str = "udp4 tcp4 tls4 ws4 wss4";

#[test]
fn where_a_uri_leads() {
    let full = Zone::new(
        "example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com
         example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
         example.com NAPTR 100 50 s SIP+D2U _sip._udp.other.example
         example.com NAPTR 10 50 s SIP+D2S _sip._sctp.example.com
         example.com NAPTR 120 50 s SIPS+D2W _wss.example.com
         _sips._tcp.example.com SRV 0 0 5061 one.example.com.
         _sip._tcp.example.com SRV 0 0 5062 one.example.com.
         _sip._tcp.example.com SRV 1 0 5063 two.example.com.
         _sip._udp.other.example SRV 0 0 5064 two.example.com.
         _sip._udp.example.com SRV 0 0 5065 one.example.com.
         _wss.example.com SRV 0 0 443 one.example.com.
         example.com A 192.0.2.10
         one.example.com A 192.0.2.1
         two.example.com A 192.0.2.2
         two.example.com AAAA 2001:db8::2",
    );
    for (uri, sockets, expected) in [
        // NAPTR: of the services that we have the first order, and no other.
        ("sip:example.com", "udp4", &["udp 192.0.2.2:5064"][..]),
        ("sip:example.com", "udp4 tcp4", &["tcp 192.0.2.1:5062", "tcp 192.0.2.2:5063"]),
        ("sip:example.com", ALL, &["tls 192.0.2.1:5061"]),
        ("sip:example.com", "wss4", &["wss 192.0.2.1:443"]),
        ("sips:example.com", ALL, &["tls 192.0.2.1:5061"]),
        ("sips:example.com", "udp4 wss4", &["wss 192.0.2.1:443"]),
        ("sip:example.com", "udp4 udp6", &["udp [2001:db8::2]:5064", "udp 192.0.2.2:5064"]),
        ("sip:example.com", "udp6", &["udp [2001:db8::2]:5064"]),
        // A transport of the URI: its SRV, no NAPTR.
        ("sip:example.com;transport=udp", ALL, &["udp 192.0.2.1:5065"]),
        ("sip:example.com;transport=tcp", ALL, &["tcp 192.0.2.1:5062", "tcp 192.0.2.2:5063"]),
        ("sips:example.com;transport=tcp", ALL, &["tls 192.0.2.1:5061"]),
        ("sip:example.com;transport=ws", ALL, &["ws 192.0.2.10:80"]),
        // A port: addresses only.
        ("sip:example.com:5070", ALL, &["udp 192.0.2.10:5070"]),
        ("sips:example.com:5070", ALL, &["tls 192.0.2.10:5070"]),
        ("sip:example.com:5070", "tcp4", &["tcp 192.0.2.10:5070"]),
        ("sip:example.com:5070;transport=tcp", ALL, &["tcp 192.0.2.10:5070"]),
        // No records but addresses.
        ("sip:two.example.com", "udp4 udp6 tcp4", &["udp [2001:db8::2]:5060", "udp 192.0.2.2:5060"]),
        ("sip:two.example.com", "udp4 tcp4", &["udp 192.0.2.2:5060"]),
        ("sips:two.example.com", ALL, &["tls 192.0.2.2:5061"]),
        ("sip:two.example.com", "tls4", &["tls 192.0.2.2:5061"]),
        ("sip:two.example.com;transport=tcp", "udp4 tcp4 tcp6", &["tcp [2001:db8::2]:5060", "tcp 192.0.2.2:5060"]),
        ("sip:nobody.example.com", ALL, &[]),
        // Known without asking.
        ("sip:filed.example", ALL, &["udp 192.0.2.200:5060"]),
        ("sips:filed.example:5071", ALL, &["tls 192.0.2.200:5071"]),
        ("sip:localhost", "udp4 udp6", &["udp [::1]:5060", "udp 127.0.0.1:5060"]),
        ("sip:abc.invalid", ALL, &[]),
    ] {
        let targets = led(&full, &question(uri, sockets));
        assert_eq!(texts(&targets), expected, "{uri} {sockets}");
        assert!(targets.wanted.is_empty(), "{uri}: {:?}", targets.wanted);
    }
}

#[test]
fn odd_zones() {
    for (name, zone, uri, sockets, expected) in [
        (
            "without NAPTR each transport has its SRV, in our preference",
            "_sip._udp.e SRV 0 0 1 a.e
             _sip._tcp.e SRV 0 0 2 a.e
             _sips._tcp.e SRV 0 0 3 a.e
             a.e A 192.0.2.1",
            "sip:e",
            ALL,
            &["udp 192.0.2.1:1", "tcp 192.0.2.1:2", "tls 192.0.2.1:3"][..],
        ),
        (
            "one that is there is enough",
            "_sip._tcp.e SRV 0 0 2 a.e
             a.e A 192.0.2.1
             e A 192.0.2.9",
            "sip:e",
            ALL,
            &["tcp 192.0.2.1:2"],
        ),
        (
            "NAPTR for others alone counts as none",
            "e NAPTR 1 1 s SIP+D2S _sip._sctp.e
             e NAPTR 2 1 s SIP+D2T .
             e NAPTR 3 1 u E2U+sip x.e
             _sip._udp.e SRV 0 0 2 a.e
             a.e A 192.0.2.1",
            "sip:e",
            "udp4 tcp4",
            &["udp 192.0.2.1:2"],
        ),
        (
            "NAPTR that leads to no SRV",
            "e NAPTR 1 1 s SIP+D2T _sip._tcp.f
             e A 192.0.2.9",
            "sip:e",
            "udp4 tcp4",
            &["udp 192.0.2.9:5060"],
        ),
        (
            "preference decides within an order",
            "e NAPTR 1 20 s SIP+D2U _sip._udp.e
             e NAPTR 1 10 S sip+d2t _sip._tcp.e
             _sip._udp.e SRV 0 0 1 a.e
             _sip._tcp.e SRV 0 0 2 a.e
             a.e A 192.0.2.1",
            "sip:e",
            "udp4 tcp4",
            &["tcp 192.0.2.1:2", "udp 192.0.2.1:1"],
        ),
        (
            "SRV of . denies the service",
            "_sip._udp.e SRV 0 0 0 .
             e A 192.0.2.9",
            "sip:e;transport=udp",
            ALL,
            &[],
        ),
        (
            "an SRV whose target has no address is passed over, and is no reason to ask for the name's own",
            "_sip._udp.e SRV 0 0 1 gone.e
             _sip._udp.e SRV 1 0 2 a.e
             a.e A 192.0.2.1
             e A 192.0.2.9",
            "sip:e;transport=udp",
            ALL,
            &["udp 192.0.2.1:2"],
        ),
        ("an address as target", "_sip._udp.e SRV 0 0 1 192.0.2.77", "sip:e;transport=udp", ALL, &["udp 192.0.2.77:1"]),
        (
            "aliases",
            "_sip._udp.e CNAME _sip._udp.f
             _sip._udp.f SRV 0 0 1 a.f
             a.f CNAME b.f
             b.f A 192.0.2.1",
            "sip:e;transport=udp",
            ALL,
            &["udp 192.0.2.1:1"],
        ),
        ("aliases in a circle", "e CNAME f\nf CNAME e", "sip:e", ALL, &[]),
        (
            "a name that must not be asked for",
            "_sip._udp.e SRV 0 0 1 a.invalid
             a.invalid A 192.0.2.1",
            "sip:e;transport=udp",
            ALL,
            &[],
        ),
        (
            "both families in turns",
            "e A 192.0.2.1
             e AAAA 2001:db8::1
             e AAAA 2001:db8::1",
            "sip:e:9",
            "udp4 udp6",
            &["udp [2001:db8::1]:9", "udp 192.0.2.1:9"],
        ),
        (
            "a target once",
            "_sip._udp.e SRV 0 0 1 a.e\n_sip._udp.e SRV 5 0 1 a.e\na.e A 192.0.2.1",
            "sip:e;transport=udp",
            ALL,
            &["udp 192.0.2.1:1"],
        ),
    ] {
        let targets = led(&Zone::new(zone), &question(uri, sockets));
        assert_eq!(texts(&targets), expected, "{name}");
        assert!(targets.wanted.is_empty(), "{name}: {:?}", targets.wanted);
    }
}

/// What is looked up when, and from when on the best target is known.
#[test]
fn what_is_wanted_next() {
    let mut zone = Zone::new(
        "e NAPTR 1 1 s SIP+D2U _sip._udp.e
         _sip._udp.e SRV 0 0 1 a.e
         _sip._udp.e SRV 1 0 2 b.e
         a.e A 192.0.2.1
         b.e A 192.0.2.2",
    );
    let question = question("sip:e", "udp4 udp6");
    for (looked_up, wanted, flows, headed) in [
        (&[][..], &["e Naptr"][..], 0, false),
        (&["e NAPTR"], &["_sip._udp.e Srv"], 0, false),
        (&["e ", "_sip"], &["a.e A", "a.e Aaaa", "b.e A", "b.e Aaaa"], 0, false),
        (&["e ", "_sip", "b.e"], &["a.e A", "a.e Aaaa"], 1, false),
        (&["e ", "_sip", "a.e A "], &["a.e A", "a.e Aaaa", "b.e A", "b.e Aaaa"], 0, false),
        (&["e ", "_sip", "a.e"], &["b.e A", "b.e Aaaa"], 1, true),
        (&["e ", "_sip", "a.e", "b.e"], &[], 2, true),
    ] {
        zone.looked_up = Some(looked_up.to_vec());
        let targets = led(&zone, &question);
        let keys: Vec<String> = targets.wanted.iter().map(|key| format!("{} {:?}", key.name, key.kind)).collect();
        assert_eq!(keys, wanted, "{looked_up:?}");
        assert_eq!((targets.flows.len(), targets.headed), (flows, headed), "{looked_up:?}");
    }
}

/// However many records a name has, so many addresses are asked for; and which does not change meanwhile.
#[test]
fn no_question_leads_to_more_than_so_many() {
    let mut text = String::new();
    for number in 0..300 {
        text += &format!("_sip._udp.e SRV 0 1 5060 h{number}.e\nh{number}.e A 192.0.2.{}\n", number % 250);
    }
    let mut zone = Zone::new(&text);
    let question = question("sip:e;transport=udp", "udp4");
    zone.looked_up = Some(vec!["_sip"]);
    let first = led(&zone, &question);
    assert_eq!((first.wanted.len(), first.flows.len()), (HOSTS, 0));
    assert_eq!(led(&zone, &question).wanted, first.wanted);
    zone.looked_up = None;
    let all = led(&zone, &question);
    assert_eq!((all.wanted.len(), all.flows.len()), (0, HOSTS));
    let names = [Arc::<str>::from("e")];
    assert_ne!(targets(&question, &names, &zone, 8).flows, all.flows, "another seed");
}

/// A short name is each of its full names in turn, until one leads anywhere.
#[test]
fn names_of_the_search_list() {
    let zone = Zone::new("pbx.two.example A 192.0.2.2\npbx.three.example A 192.0.2.3");
    let names = ["pbx.one.example", "pbx.two.example", "pbx.three.example", "pbx"].map(Arc::<str>::from);
    let found = targets(&question("sip:pbx", "udp4"), &names, &zone, 1);
    assert_eq!(texts(&found), ["udp 192.0.2.2:5060"]);
    assert!(targets(&question("sip:pbx", "udp4"), &[], &zone, 1).flows.is_empty(), "no name at all");
}
