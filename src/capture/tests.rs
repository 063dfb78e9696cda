use super::packet::{Streams, packets};
use super::*;
use crate::flow::Transport;
use std::fs;
use std::net::{SocketAddr, UdpSocket};

fn flow(transport: Transport, local: &str, remote: &str) -> Flow {
    let address = |text: &str| (!text.is_empty()).then(|| text.parse::<SocketAddr>().unwrap());
    Flow::new(transport, address(local), address(remote))
}

fn shot<'a>(direction: Direction, flow: &'a Flow, bytes: &'a [u8]) -> Shot<'a> {
    Shot { direction, flow, unix_us: 1_000_002, bytes }
}

/// RFC 1071: the sum over what was summed up, its checksum included, is all ones.
fn sums_up(words: &[&[u8]]) -> bool {
    let mut sum: u32 = words
        .iter()
        .flat_map(|part| part.chunks(2))
        .map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

#[test]
fn packets_are_whole_and_their_sums_right() {
    let (v4, v6) = (("192.0.2.1:5060", "192.0.2.2:5061"), ("[2001:db8::1]:5060", "[2001:db8::2]:5061"));
    for (local, remote) in [v4, v6, ("", v6.1), (v4.0, ""), ("", ""), (v4.0, v6.1)] {
        for (transport, len) in
            [(Transport::Udp, 300), (Transport::Tcp, 301), (Transport::Wss, 1), (Transport::Tls, 70_001)]
        {
            let (flow, bytes) = (flow(transport, local, remote), vec![b'x'; len]);
            let mut streams = Streams::default();
            let mut found: Vec<u8> = Vec::new();
            packets(&shot(Direction::In, &flow, &bytes), &mut streams, |packet, missing| {
                assert_eq!(missing, 0);
                let (head, protocol) = if packet[0] >> 4 == 4 { (20, packet[9]) } else { (40, packet[6]) };
                let (addresses, data) = (&packet[head - if head == 20 { 8 } else { 32 }..head], &packet[head..]);
                assert!(
                    head == 40
                        || sums_up(&[&packet[..20]])
                            && packet.len() == usize::from(u16::from_be_bytes([packet[2], packet[3]]))
                );
                let len = (data.len() as u16).to_be_bytes();
                assert!(head == 20 || packet[4..6] == len);
                assert!(sums_up(&[addresses, &[0, protocol], &len, data]), "{transport:?} {local}");
                found.extend(&data[if protocol == 17 { 8 } else { 20 }..]);
            });
            assert_eq!(found, bytes);
        }
    }
}

#[test]
fn the_numbers_of_a_stream_go_on() {
    let flow = flow(Transport::Tcp, "192.0.2.1:5060", "192.0.2.2:5061");
    let mut streams = Streams::default();
    let mut numbers = Vec::new();
    for (direction, len) in [(Direction::Out, 10), (Direction::In, 65_001), (Direction::Out, 5)] {
        packets(&shot(direction, &flow, &vec![0; len]), &mut streams, |packet, _| {
            let number = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
            numbers.push((number(24), number(28)));
        });
    }
    assert_eq!(numbers, [(1, 1), (1, 11), (65_001, 11), (11, 65_002)]);
}

/// A file, and one that takes nothing: counted, and nobody is hurt.
#[test]
fn a_file_of_packets() {
    let path = std::env::temp_dir().join(format!("sipdlg-capture-{}.pcap", std::process::id()));
    let name = path.to_str().unwrap().as_bytes();
    let flow = flow(Transport::Udp, "192.0.2.1:5060", "192.0.2.2:5061");
    let mut capture = Capture::default();
    capture.set_pcap(Some(Pcap::create(name).unwrap()));
    for _ in 0..3 {
        capture.write(&shot(Direction::Out, &flow, b"abc"));
    }
    capture.flush();
    let file = fs::read(&path).unwrap();
    assert_eq!((file.len(), capture.lost()), (24 + 3 * (16 + 20 + 8 + 3), 0));
    assert_eq!(file[24..40], [1, 2, 31, 31].map(u32::to_ne_bytes).concat());
    capture.set_pcap(None);
    assert!(!capture.is_on());
    fs::remove_file(&path).unwrap();
    assert!(Pcap::create(b"/nowhere/at/all").is_err());
    assert!(Pcap::create(b"/dev/full").is_err());
}

/// What a full disk took half goes on when there is room; what did not begin is lost.
#[test]
fn half_a_record_goes_on() {
    let flow = flow(Transport::Udp, "192.0.2.1:5060", "192.0.2.2:5061");
    let mut pcap = Pcap::create(b"/dev/null").unwrap();
    pcap.write(&shot(Direction::Out, &flow, b"abc"));
    pcap.write(&shot(Direction::Out, &flow, b"abc"));
    pcap.write(&shot(Direction::Out, &flow, b"abc"));
    let whole = 16 + 31;
    assert_eq!(pcap.settle(whole + 10), 1, "the third did not begin");
    assert_eq!((pcap.unwritten(), pcap.settle(0)), (whole - 10, 0));
    pcap.write(&shot(Direction::Out, &flow, b"abc"));
    assert_eq!((pcap.settle(5), pcap.unwritten()), (1, whole - 15));
    assert_eq!((pcap.settle(whole - 15), pcap.unwritten()), (0, 0));
    pcap.write(&shot(Direction::Out, &flow, b"abc"));
    assert_eq!((pcap.settle(0), pcap.unwritten()), (1, 0));
    assert_eq!(pcap.flush(), 0);
}

#[test]
fn a_collector_that_refuses_is_counted() {
    let there = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = there.local_addr().unwrap().to_string();
    let mut capture = Capture::default();
    capture.set_hep(Some(Hep::open(&address, 7, b"secret").unwrap()));
    let flow = flow(Transport::Tls, "[2001:db8::1]:5061", "[2001:db8::2]:40000");
    capture.write(&shot(Direction::In, &flow, &vec![b'x'; 70_000]));
    let mut packet = vec![0; 70_000];
    let (len, _) = there.recv_from(&mut packet).unwrap();
    assert_eq!((len, &packet[..4], u16::from_be_bytes([packet[4], packet[5]])), (65_507, &b"HEP3"[..], 65_507));
    drop(there);
    for _ in 0..50 {
        capture.write(&shot(Direction::In, &flow, b"x"));
    }
    assert!(capture.lost() > 0);
    for (address, syntax) in
        [("127.0.0.1", true), ("127.0.0.1:0", true), (":9060", true), ("127.0.0.1:x", true), ("\0:1", false)]
    {
        let error = Hep::open(address, 0, b"").unwrap_err();
        assert_eq!(error.kind == crate::error::ErrorKind::Syntax, syntax, "{address}");
    }
    assert!(Hep::open("127.0.0.1:9060", 0, &[b'x'; 256]).is_err());
}
