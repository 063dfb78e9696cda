//! We connect: servers that agree, and those that do not.

use crate::ends::*;
use sipdlg::ffi::config::links::*;
use std::net::TcpListener;
use std::ptr::null;
use std::time::{Duration, Instant};

/// A server that takes the next connection: its request, and the connection.
fn accept(listener: &TcpListener) -> (String, Raw) {
    let (peer, _) = listener.accept().expect("a connection");
    peer.set_read_timeout(Some(LONG)).expect("a time-out");
    let mut raw = Raw { peer, masks: false };
    (raw.head(), raw)
}

/// What a server answers to a request.
fn agree(head: &str) -> String {
    let key = head.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("a key");
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
         Sec-WebSocket-Protocol: sip\r\nSet-Cookie: a=b\r\n\r\n"
    )
}

fn ok(request: &str) -> String {
    let lines = request.split("\r\n").skip(1);
    let lines =
        lines.filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)));
    let lines = lines.collect::<Vec<_>>().join("\r\n").replacen("\r\nCall-ID", ";tag=b\r\nCall-ID", 1);
    format!("SIP/2.0 200 OK\r\n{lines}\r\n\r\n")
}

/// RFC 7118 §5: masked, with the subprotocol, and a name that nobody has; one connection serves all that waits for it.
#[test]
fn we_connect() {
    let headers = [c"Origin: https://us.example".as_ptr(), c"Cookie: id=7".as_ptr(), null()];
    // SAFETY: texts and list live.
    let ours = Ours::new("ws:127.0.0.1", |config| unsafe {
        assert_eq!(sipdlg_config_set_websocket(config, c"/sip?x".as_ptr(), headers.as_ptr(), 1), 0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for _ in 0..20 {
        assert_eq!(ours.ask(peer), 0);
    }
    let (head, mut raw) = accept(&listener);
    assert!(head.starts_with("GET /sip?x HTTP/1.1\r\n"), "{head}");
    for line in [
        &format!("Host: {peer}")[..],
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: sip",
        "Origin: https://us.example",
        "Cookie: id=7",
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}\n{head}");
    }
    for byte in agree(&head).as_bytes() {
        raw.write(&[*byte]);
    }
    let mut names = Vec::new();
    for _ in 0..20 {
        let text = raw.text();
        let via =
            text.split("Via: SIP/2.0/WS ").nth(1).and_then(|via| via.split(';').next()).expect("a Via").to_owned();
        assert!(via.ends_with(".invalid"), "{text}");
        names.push(via);
        let answer = ok(&text);
        raw.send(0x81, answer.as_bytes());
    }
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    until("answered", || ours.told(ACCEPT, 200) == 20);
    assert_eq!(ours.connections(), 1);
    let link = ours.links(ACCEPT)[0];
    assert_eq!(ours.upgrade_header(link, Some("set-cookie"), 0), Ok("a=b".to_owned()));
    assert_eq!(ours.upgrade_header(link, None, 0), Err(1));
    // We ask whether it is there, too; what is silent is lost.
    assert_eq!(raw.next(), Some((0x89, Vec::new())));
    assert_eq!(ours.ask(peer), 0);
    raw.text();
    until("lost", || ours.told(REJECT, 503) == 1);
    // And the next request opens another one.
    let other = Ours::new("ws:127.0.0.1", |_| {});
    assert_eq!(other.ask(peer), 0);
    let (head, mut raw) = accept(&listener);
    assert!(head.starts_with("GET / HTTP/1.1\r\n") && !head.contains("Origin"), "{head}");
    raw.write(agree(&head).as_bytes());
    assert!(!raw.text().contains(&names[0]), "another agent has another name");
}

/// What is no WebSocket for SIP is none; what waits for it fails at once.
#[test]
fn servers_that_do_not_agree() {
    let ours = Ours::new("ws:127.0.0.1", |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    let changes: [&dyn Fn(String) -> String; 11] = [
        &|good| good.replace("Sec-WebSocket-Protocol: sip\r\n", ""),
        &|good| good.replace("Protocol: sip", "Protocol: xmpp"),
        &|good| good.replace("Protocol: sip", "Protocol: sip, xmpp"),
        &|good| good.replace("Accept: ", "Accept: x"),
        &|good| good.replace("Upgrade: websocket", "Upgrade: h2c"),
        &|good| good.replace("Connection: Upgrade", "Connection: close"),
        &|good| good.replace("Set-Cookie: a=b", "Sec-WebSocket-Extensions: permessage-deflate"),
        &|_| "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned(),
        &|_| "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned(),
        &|_| "SIP/2.0 400 Bad Request\r\n\r\n".to_owned(),
        &|_| format!("HTTP/1.1 101 Switching Protocols\r\nA: {}", "x".repeat(20_000)),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(ours.ask(peer), 0);
        let (head, mut raw) = accept(&listener);
        let before = Instant::now();
        raw.write(change(agree(&head)).as_bytes());
        until(&format!("refused {number}"), || ours.told(REJECT, 503) == number + 1);
        assert!(before.elapsed() < Duration::from_secs(2), "{number}");
        assert!(raw.next().is_none(), "nothing of ours goes there");
    }
    // A server that masks (RFC 6455 §5.1).
    assert_eq!(ours.ask(peer), 0);
    let (head, mut raw) = accept(&listener);
    raw.write(agree(&head).as_bytes());
    raw.text();
    let frame = Raw { peer: raw.peer.try_clone().expect("a clone"), masks: true }.frame(0x81, b"SIP/2.0 200 OK");
    raw.write(&frame);
    assert_eq!(raw.closed(), 1002);
    until("lost", || ours.told(REJECT, 503) == changes.len() + 1);
    assert_eq!(ours.told(ACCEPT, 200), 0);
}

/// A peer that connects, and then says nothing, gets so long and no longer.
#[test]
fn a_server_that_never_agrees() {
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 0, 0, 0, 300), 0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let before = Instant::now();
    assert_eq!(ours.ask(listener.local_addr().expect("bound")), 0);
    let (_, _raw) = accept(&listener);
    until("given up", || ours.told(REJECT, 503) == 1);
    assert!((300..5_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
}

/// What was sent or waits on a connection that ends has failed: with a last word, or without.
#[test]
fn what_never_went_out_has_failed() {
    let ours = Ours::new("ws:127.0.0.1", |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let peer = listener.local_addr().expect("bound");
    for (round, says_so) in [true, false, true].into_iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(ours.ask(peer), 0);
        }
        let (head, mut raw) = accept(&listener);
        raw.write(agree(&head).as_bytes());
        raw.text();
        let before = Instant::now();
        if says_so {
            raw.send(0x88, &1001_u16.to_be_bytes());
            while raw.next().is_some_and(|(first, _)| first != 0x88) {}
        }
        drop(raw);
        until("failed", || ours.told(REJECT, 503) == 3 * (round + 1));
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    }
}
