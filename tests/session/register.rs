//! REGISTER of ours (RFC 3261 §10.2, RFC 5626 §4.2): what it carries, what its connection is from then on, how long to wait
//! after one that failed.

use crate::common::pair::{ALICE, BOB, Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{OFFER, seconds};
use sipdlg::agent::{Agent, Asks, EventKind, Registering, RequestOptions};
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};

const URN: &[u8] = b"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

fn register(stand: &mut Stand, binding: Registering<'_>, options: RequestOptions<'_>) -> Sip {
    let now = stand.alice.now();
    stand.alice.agent.register(now, TO_BOB.as_bytes(), binding, options).expect("registers");
    stand.exchange();
    stand.peer_replies("REGISTER", 200, "")
}

#[test]
fn what_it_carries() {
    let flow = Registering { expires_s: 300, instance: Some(URN), reg_id: 1, ..Default::default() };
    let urn = "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";
    #[rustfmt::skip]
    let rows: [(Registering<'_>, &str, Option<&str>, &[&str]); 6] = [
        (Registering::default(), "", None, &[]),
        (Registering { expires_s: 60, ..Default::default() }, "", Some("60"), &[]),
        (Registering { asks: Asks::Unbind, expires_s: 60, ..Default::default() }, "", Some("0"), &[]),
        (flow, &format!(";{urn};reg-id=1"), Some("300"), &["path", "outbound"]),
        (Registering { reg_id: 0, ..flow }, &format!(";{urn}"), Some("300"), &[]),
        (Registering { asks: Asks::Unbind, ..flow }, &format!(";{urn};reg-id=1"), Some("0"), &["path", "outbound"]),
    ];
    for (transport, parameter) in
        [(Transport::Udp, ""), (Transport::Tcp, ";transport=tcp"), (Transport::Tls, ";transport=tcp")]
    {
        for outbound in [false, true] {
            for (binding, parameters, expires, supported) in &rows {
                let mut config = config("alice");
                config.outbound = outbound;
                let mut stand = Stand::over(transport, config);
                let sip = register(&mut stand, *binding, RequestOptions::default());
                let contact = format!("<sip:alice@{ALICE}{parameter}>{parameters}");
                assert_eq!(sip.all("contact"), [contact.as_str()], "{transport:?} {outbound}");
                assert_eq!(sip.get("expires"), *expires);
                for tag in ["path", "outbound"] {
                    let has =
                        sip.all("supported").iter().any(|value| value.split(',').any(|known| known.trim() == tag));
                    assert_eq!(has, supported.contains(&tag), "{tag}");
                }
                // RFC 3261 §10.2: whose bindings these are, and no user in the registrar's URI but the host's.
                let address = |name: &str| {
                    sip.get(name).expect("it is there").split(";tag").next().expect("an address").to_owned()
                };
                assert_eq!(
                    (address("to"), address("from")),
                    ("<sip:alice@example.com>".into(), "<sip:alice@example.com>".into())
                );
                assert!(!sip.get("to").expect("To").contains("tag="));
            }
        }
    }
}

/// §10.2: one Call-ID, each higher than the one before.
#[test]
fn one_after_the_other() {
    let mut stand = Stand::new();
    for cseq in [0, 7, 8] {
        let binding = Registering { cseq, ..Default::default() };
        let options = RequestOptions { call_id: Some(b"boot-1"), ..Default::default() };
        let sip = register(&mut stand, binding, options);
        assert_eq!(
            (sip.get("call-id"), sip.get("cseq")),
            (Some("boot-1"), Some(&*format!("{} REGISTER", cseq.max(1))))
        );
    }
}

#[test]
fn a_query_has_no_contact_and_the_hosts_own_stands() {
    let mut stand = Stand::new();
    let query =
        register(&mut stand, Registering { asks: Asks::Query, ..Default::default() }, RequestOptions::default());
    assert_eq!((query.all("contact").len(), query.get("expires")), (0, None));
    for contact in ["Contact: *", "Contact: <sip:other@192.0.2.9>;q=0.1"] {
        let options = RequestOptions { headers: vec![contact.as_bytes(), b"Expires: 5"], ..Default::default() };
        let sip = register(&mut stand, Registering { expires_s: 60, ..Default::default() }, options);
        assert_eq!((sip.all("contact"), sip.all("expires")), (vec![&contact[9..]], vec!["5"]));
    }
    let now = stand.alice.now();
    stand.alice.agent.request(now, b"REGISTER", TO_BOB.as_bytes(), RequestOptions::default()).expect("registers");
    stand.exchange();
    assert_eq!(stand.peer_replies("REGISTER", 200, "").all("contact").len(), 1, "by the general function too");
}

#[test]
fn what_it_cannot_carry() {
    let mut stand = Stand::new();
    let now = stand.alice.now();
    for (instance, reg_id) in
        [(None, 1), (Some(&b"uuid:1"[..]), 0), (Some(b"urn:x\"y"), 0), (Some(b"urn:x y"), 0), (Some(b""), 1)]
    {
        let binding = Registering { instance, reg_id, ..Default::default() };
        assert!(stand.alice.agent.register(now, TO_BOB.as_bytes(), binding, RequestOptions::default()).is_err());
    }
    assert_eq!(stand.alice.living(), [0; 5]);
}

/// RFC 5626 §4.3: in what makes or moves a dialog, on both sides.
#[test]
fn the_contact_of_a_dialog_says_ob() {
    let mut config = config("alice");
    config.outbound = true;
    let mut stand = Stand::with(config);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer_replies("INVITE", 486, "");
    assert_eq!(invite.get("contact"), Some(&*format!("<sip:alice@{ALICE};ob>")));
}

fn at(seconds: u64) -> Now {
    Now { monotonic: Time::from_micros(seconds * 1_000_000), unix_us: 0 }
}

/// An agent whose REGISTER by a connection was answered so.
fn registered(transport: Transport, asks: Asks, lines: &str) -> (Agent, Flow) {
    let address = |text: &str| Some(text.parse().expect("an address"));
    let mut agent = Agent::new(config("alice"), [1; 32], at(0));
    agent.add_transport(&Flow { link: 5, ..Flow::new(transport, address(ALICE), None) }, None).expect("a transport");
    let flow = Flow { link: 7, ..Flow::new(transport, address(ALICE), address(BOB)) };
    answer(&mut agent, flow, asks, lines);
    (agent, flow)
}

fn answer(agent: &mut Agent, flow: Flow, asks: Asks, lines: &str) {
    let binding = Registering { asks, expires_s: 300, ..Default::default() };
    let options = RequestOptions { flow: Some(flow), ..Default::default() };
    agent.register(at(0), b"sip:example.com", binding, options).expect("registers");
    let sent = agent.poll_transmit().expect("a REGISTER").bytes;
    let text = String::from_utf8(sent.to_vec()).expect("text");
    let kept = ["Via", "From", "To", "Call-ID", "CSeq"];
    let head = text.split("\r\n").filter(|line| kept.iter().any(|name| line.starts_with(&format!("{name}:"))));
    let contact = text.split("\r\n").find(|line| line.starts_with("Contact:")).expect("a Contact");
    let lines = lines.replace("OURS", contact);
    let text =
        format!("SIP/2.0 200 OK\r\n{}\r\n{lines}Content-Length: 0\r\n\r\n", head.collect::<Vec<_>>().join("\r\n"));
    agent.receive(at(0), &flow, text.as_bytes()).expect("taken");
    while agent.poll_event().is_some() {}
}

/// RFC 5626 §4.4: as the registrar wants it, over connections.
#[test]
fn flow_timer_keeps_the_connection_alive() {
    for (transport, lines, timers) in [
        (Transport::Tcp, "OURS\r\nFlow-Timer: 25\r\n", 1),
        (Transport::Wss, "OURS\r\nFlow-Timer: 25\r\n", 1),
        (Transport::Tcp, "OURS\r\n", 0),
        (Transport::Tcp, "OURS\r\nFlow-Timer: 0\r\n", 0),
        (Transport::Tcp, "OURS\r\nFlow-Timer: soon\r\n", 0),
        (Transport::Tcp, "Flow-Timer: 25\r\n", 0),
    ] {
        let (mut agent, flow) = registered(transport, Asks::Bind, lines);
        agent.handle_timeout(at(19));
        assert_eq!(agent.poll_transmit().map(|out| out.bytes.len()), None, "{lines}");
        agent.handle_timeout(at(25));
        assert_eq!(
            agent.poll_transmit().map(|out| (out.bytes.to_vec(), out.flow)),
            (timers == 1).then(|| (b"\r\n\r\n".to_vec(), flow))
        );
    }
}

/// The host hears when the registrar can reach it no more by what it has registered.
#[test]
fn the_loss_of_its_connection_is_told() {
    let lost = |agent: &mut Agent, flow: Flow| {
        agent.link_closed(at(1), flow.link);
        std::iter::from_fn(|| agent.poll_event())
            .map(|event| (event.kind, event.session, event.query))
            .collect::<Vec<_>>()
    };
    let (mut agent, flow) = registered(Transport::Tcp, Asks::Bind, "OURS;expires=300\r\n");
    assert!(agent.needs_link(flow.link), "it is not idle");
    assert_eq!(lost(&mut agent, flow), [(EventKind::LinkLost, None, flow.link)]);
    assert_eq!(lost(&mut agent, flow), [], "once");
    for (asks, lines) in [(Asks::Bind, ""), (Asks::Unbind, ""), (Asks::Bind, "Contact: <sip:other@192.0.2.9>\r\n")] {
        let (mut agent, flow) = registered(Transport::Tcp, asks, lines);
        assert_eq!((agent.needs_link(flow.link), lost(&mut agent, flow)), (false, vec![]), "{asks:?} {lines}");
    }
    let (mut agent, flow) = registered(Transport::Tcp, Asks::Bind, "OURS\r\n");
    answer(&mut agent, flow, Asks::Unbind, "");
    assert_eq!(lost(&mut agent, flow), [], "it is taken back");
}

/// RFC 5626 §4.5.
#[test]
fn backoff() {
    let (mut agent, _) = registered(Transport::Tcp, Asks::Bind, "");
    for (failures, base, most, longest) in [
        (0, 0, 0, 30),
        (1, 0, 0, 60),
        (5, 0, 0, 960),
        (6, 0, 0, 1_800),
        (u32::MAX, 0, 0, 1_800),
        (3, 1, 100, 8),
        (9, 1, 100, 100),
    ] {
        let mut waits: Vec<u128> = (0..200).map(|_| agent.backoff(failures, base, most).as_millis()).collect();
        waits.sort_unstable();
        let (first, last) = (waits[0], waits[199]);
        assert!(first >= longest * 500 && last <= longest * 1_000, "{failures}: {first} to {last}");
        assert!(last - first > longest * 400, "{failures}: {first} to {last}");
    }
}

/// A registrar that is not there is a refusal made here.
#[test]
fn a_registrar_that_says_nothing() {
    let mut stand = Stand::new();
    stand.wire.lose_all("alice", "REGISTER");
    let now = stand.alice.now();
    stand
        .alice
        .agent
        .register(now, TO_BOB.as_bytes(), Registering::default(), RequestOptions::default())
        .expect("registers");
    stand.advance(seconds(33));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
}
