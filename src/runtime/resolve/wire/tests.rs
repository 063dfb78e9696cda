use super::*;
use proptest::prelude::*;
use simple_dns::rdata::{A, AAAA, CNAME, NAPTR, NS, SOA, SRV};
use simple_dns::{CharacterString, TYPE};

const ID: u16 = 4_711;

fn name(text: &'static str) -> Name<'static> {
    Name::new(text).expect("a name")
}

fn record(owner: &'static str, ttl: u32, data: RData<'static>) -> ResourceRecord<'static> {
    ResourceRecord::new(name(owner), CLASS::IN, ttl, data)
}

fn address(owner: &'static str, ttl: u32, last: u8) -> ResourceRecord<'static> {
    record(owner, ttl, RData::A(A { address: u32::from_be_bytes([192, 0, 2, last]) }))
}

fn alias(owner: &'static str, ttl: u32, to: &'static str) -> ResourceRecord<'static> {
    record(owner, ttl, RData::CNAME(CNAME(name(to))))
}

fn authority(ttl: u32, minimum: u32) -> ResourceRecord<'static> {
    let (mname, rname) = (name("ns.example"), name("root.example"));
    let soa = SOA { mname, rname, serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
    record("example", ttl, RData::SOA(soa))
}

fn reply(asked: &'static str, kind: TYPE) -> Packet<'static> {
    let mut packet = Packet::new_reply(ID);
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    packet.questions.push(Question::new(name(asked), QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet
}

fn read_packet(packet: &Packet<'_>, key: &Key) -> Verdict {
    read(&packet.build_bytes_vec_compressed().expect("bytes"), ID, key, true)
}

fn found(answer: Answer, ttl: Option<u64>) -> Verdict {
    Verdict::Found(Found { answer: Arc::new(answer), ttl: ttl.map(Duration::from_secs) })
}

fn addresses(last: &[u8]) -> Answer {
    Answer::Addresses(last.iter().map(|last| [192, 0, 2, *last].into()).collect())
}

#[test]
fn a_question_is_read_as_it_was_asked() {
    for (edns, kind) in [(true, Kind::Naptr), (false, Kind::Srv), (true, Kind::A), (false, Kind::Aaaa)] {
        let bytes = query(ID, &Key::new("_sip._udp.example.com", kind), edns).expect("a question");
        let packet = Packet::parse(&bytes).expect("a packet");
        assert_eq!((packet.id(), packet.questions.len()), (ID, 1));
        assert_eq!(packet.questions[0].qname, name("_sip._udp.example.com"));
        assert_eq!(packet.questions[0].qtype, QTYPE::TYPE(kind_of(kind)));
        assert!(packet.has_flags(PacketFlag::RECURSION_DESIRED) && !packet.has_flags(PacketFlag::RESPONSE));
        assert_eq!(packet.opt().map(|opt| opt.udp_packet_size), edns.then_some(DATAGRAM));
    }
    assert_eq!(query(ID, &Key::new(&"x".repeat(64), Kind::A), true), None);
}

#[test]
fn names_as_they_are_compared() {
    for (text, canonical_text) in [
        ("Example.COM", Some("example.com")),
        ("example.com.", Some("example.com")),
        ("a", Some("a")),
        ("", None),
        (".", None),
        ("a..b", None),
        ("a b", None),
        ("\u{e4}.example", None),
    ] {
        assert_eq!(canonical(text).as_deref(), canonical_text, "{text}");
    }
}

#[test]
fn what_an_answer_says() {
    let key = Key::new("sip.example", Kind::A);
    let row = |what: &str, expected: Verdict, make: &dyn Fn(&mut Packet<'static>)| {
        let mut packet = reply("Sip.Example", TYPE::A);
        make(&mut packet);
        assert_eq!(read_packet(&packet, &key), expected, "{what}");
    };
    row("addresses, by the shortest TTL", found(addresses(&[1, 2]), Some(60)), &|packet| {
        packet.answers = vec![address("sip.example", 300, 1), address("SIP.example", 60, 2)];
    });
    row("of others nothing is taken", found(addresses(&[1]), Some(300)), &|packet| {
        packet.answers = vec![address("other.example", 1, 9), address("sip.example", 300, 1)];
        packet.additional_records = vec![address("sip.example", 1, 8)];
    });
    row("nor of another type", found(Answer::Nothing, None), &|packet| {
        packet.answers = vec![record("sip.example", 9, RData::AAAA(AAAA { address: 1 }))];
    });
    row("TTL 0 is for now", found(addresses(&[1]), None), &|packet| {
        packet.answers = vec![address("sip.example", 0, 1)];
    });
    row("a TTL with the highest bit is 0", found(addresses(&[1]), None), &|packet| {
        packet.answers = vec![address("sip.example", 1 << 31, 1)];
    });
    row("nothing is believed for ever", found(addresses(&[1]), Some(86_400)), &|packet| {
        packet.answers = vec![address("sip.example", i32::MAX as u32, 1)];
    });
    row("aliases", found(addresses(&[1]), Some(20)), &|packet| {
        let (one, two) = (alias("sip.example", 20, "one.example"), alias("one.example", 30, "two.example"));
        packet.answers = vec![address("two.example", 40, 1), two, one];
    });
    row("an alias whose address is left out", found(Answer::Alias("one.example".into()), Some(20)), &|packet| {
        packet.answers = vec![alias("sip.example", 20, "one.example")];
    });
    row("an alias to nothing", found(Answer::Nothing, Some(5)), &|packet| {
        packet.answers = vec![alias("sip.example", 20, "one.example")];
        packet.name_servers = vec![authority(60, 5)];
    });
    row("aliases in a circle", found(Answer::Nothing, Some(20)), &|packet| {
        packet.answers = vec![alias("sip.example", 20, "one.example"), alias("one.example", 30, "sip.example")];
    });
    row("no such name, for as long as the SOA says", found(Answer::Nothing, Some(30)), &|packet| {
        *packet.rcode_mut() = RCODE::NameError;
        packet.name_servers = vec![authority(600, 30)];
    });
    row("or its own TTL", found(Answer::Nothing, Some(20)), &|packet| {
        packet.name_servers = vec![authority(20, 30)];
    });
    row("and an hour at most", found(Answer::Nothing, Some(3_600)), &|packet| {
        packet.name_servers = vec![authority(86_400, 86_400)];
    });
    row("nothing, and nobody says for how long", found(Answer::Nothing, None), &|_| ());
    row("a referral", Verdict::Failed, &|packet| {
        packet.remove_flags(PacketFlag::RECURSION_AVAILABLE);
        packet.name_servers = vec![record("example", 9, RData::NS(NS(name("ns.example"))))];
    });
    for rcode in [RCODE::ServerFailure, RCODE::Refused] {
        row("it cannot say", Verdict::Failed, &|packet| *packet.rcode_mut() = rcode);
    }
    for rcode in [RCODE::FormatError, RCODE::NotImplemented, RCODE::BADVERS] {
        row("it knows no EDNS", Verdict::Plain, &|packet| {
            *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: 512, version: 0 });
            *packet.rcode_mut() = rcode;
        });
    }
    row("cut", Verdict::Truncated, &|packet| packet.set_flags(PacketFlag::TRUNCATION));
    row("another id", Verdict::Foreign, &|packet| packet.set_id(ID + 1));
    row("a question", Verdict::Foreign, &|packet| packet.remove_flags(PacketFlag::RESPONSE));
    row("another name", Verdict::Foreign, &|packet| packet.questions = reply("sip.example.com", TYPE::A).questions);
    row("another type", Verdict::Foreign, &|packet| packet.questions = reply("sip.example", TYPE::AAAA).questions);
    row("two questions", Verdict::Foreign, &|packet| packet.questions.extend(reply("b.example", TYPE::A).questions));
    row("no question", Verdict::Foreign, &|packet| packet.questions.clear());
    row("a refusal of what was not read", Verdict::Plain, &|packet| {
        packet.questions.clear();
        *packet.rcode_mut() = RCODE::FormatError;
    });
}

#[test]
fn services_and_pointers() {
    let mut packet = reply("_sip._udp.example", TYPE::SRV);
    let srv = |priority, weight, port, target| RData::SRV(SRV { priority, weight, port, target: name(target) });
    packet.answers = vec![
        record("_sip._udp.example", 60, srv(1, 2, 3, "One.Example")),
        record("_sip._udp.example", 60, srv(4, 5, 6, ".")),
    ];
    let service = |priority, weight, port, target: &str| Service { priority, weight, port, target: target.into() };
    let expected = Answer::Services(vec![service(1, 2, 3, "one.example"), service(4, 5, 6, "")]);
    assert_eq!(read_packet(&packet, &Key::new("_sip._udp.example", Kind::Srv)), found(expected, Some(60)));

    let naptr = |order, regexp: &'static str, replacement| {
        let text = |text: &'static str| CharacterString::try_from(text).expect("text");
        let (flags, services, regexp) = (text("s"), text("SIP+D2U"), text(regexp));
        RData::NAPTR(NAPTR { order, preference: 7, flags, services, regexp, replacement: name(replacement) })
    };
    let key = Key::new("example", Kind::Naptr);
    let mut packet = reply("example", TYPE::NAPTR);
    packet.answers = vec![
        record("example", 60, naptr(1, "!^.*$!sip:a@example!", ".")),
        record("example", 60, naptr(2, "", "_SIP._udp.example")),
    ];
    let pointer = Pointer {
        order: 2,
        preference: 7,
        flags: "s".into(),
        service: "SIP+D2U".into(),
        replacement: "_sip._udp.example".into(),
    };
    assert_eq!(read_packet(&packet, &key), found(Answer::Pointers(vec![pointer]), Some(60)));
}

/// Names that point at themselves, at each other or forward; counts that lie; every cut.
#[test]
fn messages_that_no_server_sends() {
    let key = Key::new("sip.example", Kind::A);
    let mut packet = reply("sip.example", TYPE::A);
    packet.answers = vec![address("sip.example", 60, 1), alias("sip.example", 60, "a.example")];
    let whole = packet.build_bytes_vec_compressed().expect("bytes");
    for end in 0..whole.len() {
        assert_eq!(read(&whole[..end], ID, &key, true), Verdict::Foreign, "{end} bytes");
    }
    // The owner of the first answer stands behind the question.
    let owner = HEADER + "sip.example".len() + 2 + 4;
    for target in [owner, owner + 1, owner + 2, whole.len() - 2, 0x3fff] {
        let mut looped = whole.clone();
        looped[owner..owner + 2].copy_from_slice(&(0xc000 | target as u16).to_be_bytes());
        assert_eq!(read(&looped, ID, &key, true), Verdict::Foreign, "a pointer to {target}");
    }
    for counter in [4, 6, 8, 10] {
        let mut lying = whole.clone();
        lying[counter..counter + 2].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(read(&lying, ID, &key, true), Verdict::Foreign, "a count at {counter}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2_000 } else { 20_000 }))]

    #[test]
    fn no_message_does_harm(changes in prop::collection::vec((0_usize..200, any::<u8>()), 1..8), cut in 0_usize..200) {
        let mut packet = reply("sip.example", TYPE::A);
        packet.answers = vec![alias("sip.example", 20, "one.example"), address("one.example", 40, 1)];
        packet.name_servers = vec![authority(60, 5)];
        *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: 512, version: 0 });
        let mut bytes = packet.build_bytes_vec_compressed().expect("bytes");
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(100)));
        for kind in [Kind::A, Kind::Naptr] {
            read(&bytes, ID, &Key::new("sip.example", kind), true);
        }
    }
}
