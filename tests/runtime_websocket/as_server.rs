//! Peers come to us: their upgrades, frames and pings, and what they may cost.

use crate::ends::*;
use sipdlg::ffi::config::links::*;
use sipdlg::ffi::config::*;
use std::io::{Read, Write};
use std::time::Instant;

/// One message each way is one of SIP (RFC 7118 §5.2).
#[test]
fn a_call_comes_by_a_websocket() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    peer.send(0x81, request("INVITE", 1, "").as_bytes());
    let mut text = peer.text();
    if text.starts_with("SIP/2.0 100") {
        text = peer.text();
    }
    assert!(text.starts_with("SIP/2.0 486 "), "{text}");
    assert!(text.contains("Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK-1;received=127.0.0.1"), "{text}");
    assert_eq!((ours.told(INVITE, 0), ours.connections()), (1, 1));
}

/// What is no upgrade to SIP is refused with a status that says why, and the connection ends.
#[test]
fn who_does_not_ask_for_sip_is_refused() {
    let ours = Ours::usual();
    let good = upgrade("/", "");
    for (request, status, line) in [
        (good.replace("Sec-WebSocket-Protocol: xmpp, sip\r\n", ""), 400, ""),
        (good.replace("xmpp, sip", "xmpp"), 400, ""),
        (good.replace("xmpp, sip", "sips, soap"), 400, ""),
        (good.replace("Upgrade: websocket\r\n", ""), 426, "Upgrade: websocket\r\n"),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), 426, "Upgrade: websocket\r\n"),
        (good.replace("keep-alive, Upgrade", "keep-alive"), 426, "Upgrade: websocket\r\n"),
        (good.replace("Version: 13", "Version: 8"), 426, "Sec-WebSocket-Version: 13\r\n"),
        (good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400, ""),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400, ""),
        (good.replace("GET /", "POST /"), 405, "Allow: GET\r\n"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 505, ""),
        (request("OPTIONS", 1, ""), 400, ""),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n".to_owned(), 400, ""),
        (upgrade("/", &"A: b\r\n".repeat(200)), 431, ""),
        (upgrade("/", &format!("Cookie: {}\r\n", "x".repeat(20_000))), 431, ""),
        // TLS, where there is none.
        ("\u{16}\u{3}\u{1}\u{2}\0".to_owned(), 400, ""),
    ] {
        let mut peer = ours.connect();
        peer.write(request.as_bytes());
        let head = peer.head();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains(line), "{request}\n{head}");
        // Its body, and the end.
        let mut rest = Vec::new();
        assert!(peer.peer.read_to_end(&mut rest).is_ok() && rest.len() > 1, "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", rest.len())), "{head}");
    }
    until("all have gone", || ours.connections() == 0);
    assert_eq!(ours.told(OPTIONS, 0), 0);
}

/// RFC 7118 §4.1: in whatever case; what is chosen is what was offered.
#[test]
fn the_subprotocol_is_chosen_as_offered() {
    let ours = Ours::usual();
    for (offered, chosen) in [("sip", "sip"), ("xmpp,SIP", "SIP"), ("a\r\nSec-WebSocket-Protocol: sip", "sip")] {
        let mut peer = ours.connect();
        peer.write(upgrade("/", "").replace("xmpp, sip", offered).as_bytes());
        let head = peer.head().to_lowercase();
        let line = format!("\r\nsec-websocket-protocol: {}\r\n", chosen.to_lowercase());
        assert!(head.starts_with("http/1.1 101 ") && head.contains(&line), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    }
}

/// While the connection lives the host reads where a page comes from, and who it says that it is.
#[test]
fn the_upgrade_is_readable() {
    let ours = Ours::usual();
    let mut peer = ours.connect();
    let lines = "Origin: https://phone.example\r\nCookie: session=1\r\nCookie: theme=dark\r\nX-Real-IP: 192.0.2.9\r\n";
    peer.write(upgrade("/sip?room=7", lines).as_bytes());
    peer.head();
    peer.send(0x81, request("OPTIONS", 1, "").as_bytes());
    peer.text();
    let link = ours.links(OPTIONS)[0];
    for (name, index, value) in [
        (None, 0, Ok("/sip?room=7")),
        (None, 1, Err(1)),
        (Some("Origin"), 0, Ok("https://phone.example")),
        (Some("origin"), 1, Err(1)),
        (Some("Cookie"), 0, Ok("session=1")),
        (Some("cookie"), 1, Ok("theme=dark")),
        (Some("x-real-ip"), 0, Ok("192.0.2.9")),
        (Some("Host"), 0, Ok("sip.example")),
        (Some("Authorization"), 0, Err(1)),
        (Some("no token"), 0, Err(1)),
    ] {
        assert_eq!(ours.upgrade_header(link, name, index), value.map(str::to_owned), "{name:?} {index}");
    }
    assert_eq!(ours.upgrade_header(link + 1, None, 0), Err(-2));
    drop(peer);
    until("the end is seen", || ours.connections() == 0);
    assert_eq!(ours.upgrade_header(link, None, 0), Err(-2));
}

/// Whatever pieces the bytes come in: one at a time, or all at once.
#[test]
fn pieces_of_any_size() {
    let ours = Ours::usual();
    let body = "x".repeat(200);
    let mut peer = ours.connect();
    for byte in upgrade("/", "").as_bytes() {
        peer.write(&[*byte]);
    }
    assert!(peer.head().starts_with("HTTP/1.1 101 "));
    for byte in peer.frame(0x81, request("OPTIONS", 1, &body).as_bytes()) {
        peer.write(&[byte]);
    }
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    // And a client that does not wait for the answer.
    let mut peer = ours.connect();
    let mut all = upgrade("/", "").into_bytes();
    for number in 2..202 {
        all.extend(peer.frame(0x82, request("OPTIONS", number, &body).as_bytes()));
    }
    let mut writer = peer.peer.try_clone().expect("a clone");
    let thread = std::thread::spawn(move || writer.write_all(&all).expect("written"));
    peer.head();
    for _ in 2..202 {
        assert!(peer.text().starts_with("SIP/2.0 200 "));
    }
    thread.join().expect("written");
    assert_eq!((ours.told(OPTIONS, 0), ours.connections()), (201, 2));
}

/// RFC 6455 §5.4: control frames may come between the parts of a message; parts may be empty.
#[test]
fn parts_are_put_together() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    let text = request("OPTIONS", 1, &"x".repeat(3_000));
    let (first, rest) = text.as_bytes().split_at(1_000);
    peer.send(0x01, first);
    peer.send(0x89, b"there?");
    assert_eq!(peer.next(), Some((0x8a, b"there?".to_vec())), "a ping is answered at once");
    peer.send(0x00, b"");
    peer.send(0x8a, b"");
    for part in rest.chunks(999) {
        peer.send(0x00, part);
    }
    peer.send(0x80, b"");
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    // The next begins anew.
    peer.send(0x81, request("OPTIONS", 2, "").as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    assert_eq!(ours.told(OPTIONS, 0), 2);
}

/// RFC 7118 §5.4, RFC 5626 §3.5.1.
#[test]
fn a_keep_alive_is_answered() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    for kind in [0x81, 0x82] {
        peer.send(kind, b"\r\n\r\n");
        assert_eq!(peer.next(), Some((0x81, b"\r\n".to_vec())));
    }
    // A pong, and nothing at all, are not.
    peer.send(0x81, b"\r\n");
    peer.send(0x81, b"");
    peer.send(0x81, request("OPTIONS", 1, "").as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
}

/// RFC 7118 §5.2: text is UTF-8; what is not goes and comes as binary.
#[test]
fn what_is_no_utf_8_is_binary() {
    let ours = Ours::usual();
    let mut peer = ours.open();
    let text = request("OPTIONS", 1, "").replace("<sip:alice@sip.example>;tag", "\"Zoé\" <sip:alice@sip.example>;tag");
    peer.send(0x82, text.as_bytes());
    assert!(peer.text().contains("Zoé"));
    let latin: Vec<u8> = text.replace("-1\r", "-2\r").chars().map(|letter| letter as u8).collect();
    peer.send(0x82, &latin);
    let (first, payload) = peer.next().expect("an answer");
    assert!(first == 0x82 && payload.windows(3).any(|part| part == b"Zo\xe9"));
    // As text it breaks RFC 6455 §8.1.
    peer.send(0x81, &latin);
    assert_eq!(peer.closed(), 1007);
}

/// A message or frame beyond the limit closes with 1009, as soon as it is known; one that fits does not.
#[test]
fn too_long_closes_with_1009() {
    let set = |config| assert_eq!(unsafe_limits(config, 2_000), 0);
    let ours = Ours::new("ws:127.0.0.1:0", set);
    let fits = |number: usize| {
        let head = request("OPTIONS", number, "").len();
        request("OPTIONS", number, &"x".repeat(2_000 - head))
    };
    let mut peer = ours.open();
    peer.send(0x81, fits(1).as_bytes());
    assert!(peer.text().starts_with("SIP/2.0 200 "));
    for (number, first) in [(2, 0x81), (3, 0x01)] {
        let mut peer = ours.open();
        let frame = peer.frame(first, format!("{} ", fits(number)).as_bytes());
        // Of the frame no more than its length has come.
        peer.write(&frame[..8]);
        assert_eq!(peer.closed(), 1009);
    }
    let mut peer = ours.open();
    let text = fits(4);
    peer.send(0x01, text.as_bytes());
    peer.send(0x00, b"");
    peer.send(0x80, b" ");
    assert_eq!(peer.closed(), 1009);
    // A length of 2^63 and more.
    let mut peer = ours.open();
    peer.write(&[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
    assert_eq!(peer.closed(), 1009);
    assert_eq!(ours.told(OPTIONS, 0), 1);
}

fn unsafe_limits(config: *mut sipdlg_config_t, bytes: u32) -> i32 {
    // SAFETY: the configuration lives, and is this thread's.
    unsafe { sipdlg_config_set_limits(config, bytes, 0, 0) }
}

/// RFC 6455 §5: what is no frame of a client's ends the connection, and no other.
#[test]
fn broken_frames_close_with_1002() {
    let ours = Ours::usual();
    let mut good = ours.open();
    let options = request("OPTIONS", 1, "");
    let plain = |peer: &mut Raw, first: u8, payload: &[u8]| {
        peer.masks = false;
        peer.send(first, payload);
        peer.masks = true;
    };
    let cases: [&dyn Fn(&mut Raw); 9] = [
        &|peer| plain(peer, 0x81, options.as_bytes()),
        &|peer| plain(peer, 0x89, b""),
        &|peer| peer.send(0xc1, options.as_bytes()),
        &|peer| peer.send(0x83, options.as_bytes()),
        &|peer| peer.send(0x8b, b""),
        &|peer| peer.send(0x80, options.as_bytes()),
        &|peer| peer.send(0x09, b""),
        &|peer| peer.send(0x89, &[b'x'; 126]),
        &|peer| {
            peer.send(0x01, options.as_bytes());
            peer.send(0x81, options.as_bytes());
        },
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut peer = ours.open();
        case(&mut peer);
        assert_eq!(peer.closed(), 1002, "{number}");
    }
    good.send(0x81, options.as_bytes());
    assert!(good.text().starts_with("SIP/2.0 200 "));
    until("they have gone", || ours.connections() == 1);
}

/// RFC 6455 §5.5.1: a close is answered with its code, and we end the connection.
#[test]
fn a_close_is_answered() {
    let ours = Ours::usual();
    for code in [1000_u16, 1001, 4000] {
        let mut peer = ours.open();
        peer.send(0x81, request("OPTIONS", code.into(), "").as_bytes());
        peer.text();
        peer.send(0x88, &code.to_be_bytes());
        assert_eq!(peer.closed(), code);
    }
    until("they have gone", || ours.connections() == 0);
    // Whom nobody needs is told that we go.
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1:0", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 0, 0, 1, 0), 0);
    });
    assert_eq!(ours.open().closed(), 1001);
}

/// Pings of ours find dead peers, and keep those who answer, though they say nothing.
#[test]
fn the_dead_are_found() {
    let ours = Ours::pinging("ws:127.0.0.1:0", 1);
    let (mut alive, mut dead) = (ours.open(), ours.open());
    let before = Instant::now();
    for _ in 0..3 {
        assert_eq!(alive.next(), Some((0x89, Vec::new())));
        alive.send(0x8a, b"");
    }
    assert_eq!(dead.next(), Some((0x89, Vec::new())));
    assert_eq!(dead.closed(), 1001);
    assert!((2_500..9_000).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
    // A message is an answer as well.
    assert_eq!(alive.next(), Some((0x89, Vec::new())));
    alive.send(0x81, request("OPTIONS", 1, "").as_bytes());
    alive.text();
    assert_eq!(alive.next(), Some((0x89, Vec::new())));
    assert_eq!(ours.connections(), 1);
}

/// Who says nothing makes room for newcomers, the oldest first, upgraded or not.
#[test]
fn the_silent_make_room() {
    // SAFETY: the configuration lives.
    let ours = Ours::new("ws:127.0.0.1:0", |config| unsafe {
        assert_eq!(sipdlg_config_set_connections(config, 4, 0, 0, 0), 0);
    });
    let mut speaker = ours.open();
    speaker.send(0x81, request("OPTIONS", 1, "").as_bytes());
    speaker.text();
    let mut silent: Vec<Raw> = (0..3).map(|_| ours.open()).collect();
    let mut late: Vec<Raw> = (0..3).map(|_| ours.open()).collect();
    for peer in &mut silent {
        assert_eq!(peer.closed(), 1001);
    }
    for (number, peer) in late.iter_mut().chain([&mut speaker]).enumerate() {
        peer.send(0x81, request("OPTIONS", 10 + number, "").as_bytes());
        assert!(peer.text().starts_with("SIP/2.0 200 "));
    }
}

/// Half messages take so much together and no more; who has a whole one goes on.
#[test]
fn half_messages_are_bounded() {
    let ours = Ours::usual();
    let mut good = ours.open();
    let halves: Vec<Raw> = (0..300)
        .map(|number| {
            let mut peer = ours.open();
            let mut frame = peer.frame(0x82, &[b'x'; 65_000]);
            frame.truncate(64_000);
            // One that is closed meanwhile takes no more.
            let _ = peer.peer.write_all(&frame);
            if number % 2 == 1 {
                let frame = peer.frame(0x02, &[b'x'; 60_000]);
                let mut peer = ours.open();
                let _ = peer.peer.write_all(&frame);
                return peer;
            }
            peer
        })
        .collect();
    until("some have gone", || ours.connections() < 280);
    good.send(0x81, request("OPTIONS", 1, &"x".repeat(2_000)).as_bytes());
    assert!(good.text().starts_with("SIP/2.0 200 "));
    drop(halves);
    until("all have gone", || ours.connections() == 1);
}
