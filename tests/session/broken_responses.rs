//! Slightly broken responses to requests of ours (the quirk BROKEN_RESPONSE): the call goes on, and each is counted.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::config;
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::{EventKind, Reason, RequestOptions};
use sipdlg::config::quirk;
use sipdlg::flow::Transport;
use sipdlg::message::{HeaderId, Message};
use sipdlg::session::SessionState::Confirmed;
use sipdlg::session::SignalingState::Stable;

/// A way in which a response is broken: the header, or "" for a line of its own; what happens to it.
type Way = (&'static str, &'static str, fn(&str) -> String);

/// What stands instead of a header line, or of the first Via and what follows it.
const WAYS: [Way; 21] = [
    ("two tags in To", "To", |line| format!("{line};tag=other")),
    ("the same tag twice in To", "To", |line| format!("{line};tag=peer-tag")),
    ("what follows the tag of To is no parameter", "To", |line| format!("{line};")),
    ("two tags in To, parameters between", "To", |line| format!("{line};x=y;TAG=other;z")),
    ("two To", "To", |line| format!("{line}\r\nTo: <sip:other@example.com>;tag=other")),
    ("an empty parameter in To", "To", |line| line.replace(";tag", "; ;tag")),
    ("Call-ID twice", "Call-ID", |line| format!("{line}\r\ni:{}", &line["Call-ID:".len()..])),
    ("CSeq twice", "CSeq", |line| format!("{line}\r\n{line}")),
    ("Max-Forwards twice", "Call-ID", |line| format!("Max-Forwards: 70\r\n{line}\r\nMax-Forwards: 69")),
    ("no From", "From", |_| "X: y".to_owned()),
    ("another tag in From", "From", |line| format!("{line}x")),
    ("no tag in From", "From", |line| line.split(';').next().unwrap_or_default().to_owned()),
    ("another URI in From", "From", |line| line.replace("alice", "carol")),
    ("two From", "From", |line| format!("{line}\r\n{line}")),
    ("a From that does not read", "From", |line| line.replace('>', "")),
    ("a Via line below ours", "Via", |line| format!("{line}\r\nVia: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx")),
    ("a Via below ours in its line", "Via", |line| format!("{line}, SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx")),
    ("no Via below ours in its line", "Via", |line| format!("{line}, unknown")),
    ("a line without colon", "Call-ID", |line| format!("X-Broken\r\n{line}")),
    ("a folded line without colon", "Call-ID", |line| format!("{line}\r\nno colon here\r\n but: there")),
    ("a line whose name is no token", "CSeq", |line| format!("X Y: z\r\n{line}\r\n: w")),
];

/// Breaks a response.
fn broken(way: Way, draft: &Draft) -> Vec<u8> {
    let (_, header, change) = way;
    let text = draft.text();
    let start = text.find(&format!("\r\n{header}: ")).expect("the header") + 2;
    let end = start + text[start..].find("\r\n").expect("its end");
    [&text[..start], &change(&text[start..end]), &text[end..]].concat().into_bytes()
}

struct Broken {
    stand: Stand,
    way: Way,
    said: u64,
}

impl Broken {
    /// A stand whose checker cannot read what this peer says.
    fn new(way: Way) -> Self {
        let mut stand = Stand::new();
        stand.wire.trace.allowed.extend(["ack-unprovoked", "ack-form", "ack-owed", "cancel-after-1xx", "timer-a"]);
        stand.wire.trace.allowed.extend([
            "timer-e",
            "prack-order",
            "prack-owed",
            "prack-rack",
            "no-dialog-481",
            "dialog-exists",
        ]);
        Self { stand, way, said: 0 }
    }

    /// The peer answers, and it is broken.
    #[track_caller]
    fn replies(&mut self, request: &Sip, status: u16, with: impl FnOnce(Draft) -> Draft) {
        let bytes = broken(self.way, &with(self.stand.peer.reply(request, status)));
        self.stand.peer.send_bytes(bytes.clone());
        self.stand.exchange();
        self.said += 1;
        assert_eq!(self.counted(), self.said, "{}", self.way.0);
        if let Some(told) = self.stand.alice.events.iter().rev().find_map(|event| event.message.as_ref()) {
            assert_eq!(told.bytes(), bytes, "as it came: {}", self.way.0);
            self.is_mended(told, request);
        }
    }

    /// What the host reads is what counts.
    #[track_caller]
    fn is_mended(&self, told: &Message, request: &Sip) {
        let way = self.way.0;
        assert_eq!(told.header(HeaderId::From), Some(request.value("from").as_bytes()), "{way}");
        assert_eq!(told.from_tag(), request.from_tag().as_deref().map(str::as_bytes), "{way}");
        assert_eq!(told.to_tag(), Some(&b"peer-tag"[..]), "{way}");
        for id in [HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq] {
            assert_eq!(told.values(id).count(), 1, "{way}: {id:?}");
        }
        assert!(Message::parse(told.bytes(), None).is_err() || way.contains("Via") || way.contains("From"), "{way}");
    }

    fn counted(&self) -> u64 {
        self.stand.alice.agent.stats().quirks[7]
    }
}

fn as_it_is(draft: Draft) -> Draft {
    draft
}

#[test]
fn a_whole_call() {
    for way in WAYS {
        let name = way.0;
        let mut broken = Broken::new(way);
        broken.stand.alice.invite(TO_BOB, OFFER);
        broken.stand.exchange();
        let invite = broken.stand.peer.take("INVITE");
        broken.stand.peer.learn(&invite);
        broken.replies(&invite, 180, as_it_is);
        broken.replies(&invite, 200, |draft| draft.sdp(ANSWER));
        let ack = broken.stand.peer.take("ACK");
        assert_eq!((ack.value("from"), ack.to_tag().as_deref()), (invite.value("from"), Some("peer-tag")), "{name}");
        assert_eq!(broken.stand.alice.state(), (Confirmed, Stable), "{name}");
        assert_eq!(broken.stand.alice.properties().remote_tag, "peer-tag", "{name}");
        // The 2xx again: the same ACK.
        broken.stand.alice.events.clear();
        broken.replies(&invite, 200, |draft| draft.sdp(ANSWER));
        assert_eq!(broken.stand.peer.take("ACK"), ack, "{name}");
        broken.stand.alice.info();
        broken.stand.exchange();
        let info = broken.stand.peer.take("INFO");
        broken.replies(&info, 200, as_it_is);
        assert_eq!(broken.stand.alice.statuses(EventKind::Accept), [200], "{name}");
        broken.stand.alice.reinvite(HOLD);
        broken.stand.exchange();
        let reinvite = broken.stand.peer.take("INVITE");
        broken.replies(&reinvite, 200, |draft| draft.sdp(HELD));
        broken.stand.peer.take("ACK");
        assert_eq!(broken.stand.alice.properties().answer.as_deref(), Some(HELD), "{name}");
        // The peer's requests still find the dialog.
        broken.stand.alice.answers(EventKind::Info, "");
        let theirs = broken.stand.peer.request("INFO");
        broken.stand.say(theirs);
        broken.stand.peer.take("200 INFO");
        broken.stand.alice.bye();
        broken.stand.exchange();
        let bye = broken.stand.peer.take("BYE");
        broken.stand.alice.events.clear();
        broken.replies(&bye, 200, as_it_is);
        assert_eq!(broken.stand.alice.count(EventKind::Terminated), 1, "at once: {name}");
        assert_eq!(broken.stand.alice.agent.stats().dropped_malformed, 0, "{name}");
    }
}

/// A stream frames them as any other message (RFC 3261 §18.3).
#[test]
fn over_tcp() {
    for way in WAYS {
        let mut stand = Stand::over(Transport::Tcp, config("alice"));
        stand.wire.trace.allowed.extend(["ack-unprovoked", "ack-form", "ack-owed", "dialog-exists", "no-dialog-481"]);
        stand.alice.invite("sip:bob@192.0.2.2:5060;transport=tcp", OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        stand.peer.contact += ";transport=tcp";
        let ok = broken(way, &stand.peer.reply(&invite, 200).sdp(ANSWER));
        let ringing = broken(way, &stand.peer.reply(&invite, 180));
        stand.peer.send_bytes(ringing);
        stand.peer.send_bytes(ok);
        stand.exchange();
        stand.peer.take("ACK");
        assert_eq!(stand.alice.state(), (Confirmed, Stable), "{}", way.0);
        assert_eq!(stand.alice.agent.stats().quirks[7], 2, "{}", way.0);
    }
}

/// A rejection, its ACK and its repeat; CANCEL with its 200 and the 487.
#[test]
fn refused_and_cancelled() {
    for way in WAYS {
        let name = way.0;
        let mut broken = Broken::new(way);
        broken.stand.alice.invite(TO_BOB, OFFER);
        broken.stand.exchange();
        let invite = broken.stand.peer.take("INVITE");
        broken.replies(&invite, 486, as_it_is);
        assert_eq!(broken.stand.alice.statuses(EventKind::Reject), [486], "{name}");
        let ack = broken.stand.peer.take("ACK");
        assert_eq!(ack.all("to"), [format!("{};tag=peer-tag", invite.value("to"))], "the first tag: {name}");
        assert_eq!(ack.all("from"), [invite.value("from")], "{name}");
        broken.stand.alice.events.clear();
        broken.replies(&invite, 486, as_it_is);
        assert_eq!(broken.stand.peer.take("ACK"), ack, "{name}");
        broken.stand.alice.invite(TO_BOB, OFFER);
        broken.stand.exchange();
        let invite = broken.stand.peer.take("INVITE");
        broken.replies(&invite, 180, as_it_is);
        broken.stand.alice.cancel();
        broken.stand.exchange();
        let cancel = broken.stand.peer.take("CANCEL");
        broken.stand.alice.events.clear();
        broken.replies(&cancel, 200, |draft| {
            let to = draft.get("To").to_owned() + if draft.get("To").contains("tag") { "" } else { ";tag=peer-tag" };
            draft.set("To", to)
        });
        broken.stand.advance(seconds(2));
        assert_eq!(broken.stand.peer.got(), NOTHING, "the CANCEL is answered: {name}");
        broken.replies(&invite, 487, as_it_is);
        broken.stand.peer.take("ACK");
        assert_eq!(broken.stand.alice.last(EventKind::Terminated).reason, Reason::Cancelled, "{name}");
    }
}

/// PRACK, and a request out of a dialog.
#[test]
fn reliable_and_out_of_a_dialog() {
    for way in WAYS {
        let name = way.0;
        let mut broken = Broken::new(way);
        broken.stand.alice.invite(TO_BOB, OFFER);
        broken.stand.exchange();
        let invite = broken.stand.peer.take("INVITE");
        broken.stand.peer.learn(&invite);
        broken.replies(&invite, 183, |draft| draft.reliable(7).sdp(ANSWER));
        let prack = broken.stand.peer.take("PRACK");
        assert_eq!((prack.value("rack"), prack.to_tag().as_deref()), ("7 1 INVITE", Some("peer-tag")), "{name}");
        broken.stand.alice.events.clear();
        broken.replies(&prack, 200, as_it_is);
        broken.stand.advance(seconds(2));
        assert_eq!(broken.stand.peer.got(), NOTHING, "the PRACK is answered: {name}");
        broken.replies(&invite, 200, as_it_is);
        broken.stand.peer.take("ACK");
        let (now, options) = (broken.stand.alice.now(), RequestOptions::default());
        broken.stand.alice.agent.request(now, b"REGISTER", TO_BOB.as_bytes(), options).expect("a REGISTER goes out");
        broken.stand.exchange();
        let register = broken.stand.peer.take("REGISTER");
        broken.stand.alice.events.clear();
        broken.replies(&register, 200, as_it_is);
        assert_eq!(broken.stand.alice.statuses(EventKind::Accept), [200], "{name}");
    }
}

/// A challenge is answered, a glare is waited for.
#[test]
fn what_is_sent_again() {
    for way in WAYS {
        let name = way.0;
        let mut broken = Broken::new(way);
        broken.stand.alice.invite(TO_BOB, OFFER);
        broken.stand.exchange();
        let invite = broken.stand.peer.take("INVITE");
        broken.stand.peer.learn(&invite);
        broken.replies(&invite, 200, |draft| draft.sdp(ANSWER));
        broken.stand.peer.take("ACK");
        broken.stand.alice.events.clear();
        broken.stand.alice.reinvite(HOLD);
        broken.stand.exchange();
        let reinvite = broken.stand.peer.take("INVITE");
        broken.replies(&reinvite, 491, as_it_is);
        broken.stand.peer.take("ACK");
        assert_eq!(broken.stand.alice.count(EventKind::GlareRetry), 1, "{name}");
        broken.stand.advance(seconds(5));
        let again = broken.stand.peer.take("INVITE");
        broken.replies(&again, 200, |draft| draft.sdp(HELD));
        broken.stand.peer.take("ACK");
    }
}

/// Off: what does not read is dropped and counted as such, a second Via discarded (RFC 3261 §8.1.3.3), another From
/// taken without a word.
#[test]
fn without_the_quirk() {
    for way in WAYS {
        let (name, header, _) = way;
        let mut alice = config("alice");
        alice.set_tolerance(quirk::ALL & !quirk::BROKEN_RESPONSE & !quirk::OFF).expect("known bits");
        let mut stand = Stand::with(alice);
        stand.wire.trace.allowed.extend(["ack-unprovoked", "timer-a"]);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.peer.send_bytes(broken(way, &ok));
        stand.exchange();
        let taken = ["another tag in From", "another URI in From", "no tag in From"].contains(&name);
        assert_eq!(stand.alice.count(EventKind::Accept), usize::from(taken), "{name}");
        let malformed = !taken && !["a Via line below ours", "a Via below ours in its line"].contains(&name);
        let stats = stand.alice.agent.stats();
        assert_eq!((stats.quirks[7], stats.dropped_malformed), (0, u64::from(malformed)), "{name} {header}");
        if !taken {
            stand.say(ok);
        }
    }
}

/// What names no transaction of ours, and what is broken more than slightly, is not taken with it on either.
#[test]
fn what_stays_dropped() {
    let no_colon = ("a line without colon", "Call-ID", WAYS[18].2);
    let ways: [Way; 9] = [
        ("another top Via", "Via", |line| format!("Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx\r\n{line}\r\nnothing")),
        ("another branch", "Via", |line| line.replace("branch=", "branch=x") + "\r\nnothing"),
        ("no To", "To", |_| "X: y".to_owned()),
        ("a To that does not read", "To", |line| line.replace('>', "")),
        ("no Call-ID", "Call-ID", |_| "nothing".to_owned()),
        ("another method in CSeq", "CSeq", |line| line.replace("INVITE", "INFO") + "\r\nnothing"),
        ("no number in CSeq", "CSeq", |line| line.replace('1', "x")),
        ("a body too short", "Content-Length", |_| "Content-Length: 9999".to_owned()),
        ("two Content-Length", "Content-Length", |line| format!("{line}\r\n{line}")),
    ];
    for way in ways {
        let mut stand = Stand::new();
        // The 400 to a To with two tags has the first one only.
        stand.wire.trace.allowed.extend(["response-to-tag", "ack-owed"]);
        stand.alice.invite(TO_BOB, OFFER);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let ok = stand.peer.reply(&invite, 200).sdp(ANSWER);
        stand.peer.send_bytes(broken(way, &ok));
        stand.exchange();
        let stats = stand.alice.agent.stats();
        assert_eq!((stats.quirks[7], stats.dropped_malformed), (0, 1), "{}", way.0);
        assert_eq!(stand.alice.count(EventKind::Accept), 0, "{}", way.0);
        // A request of the peer that is broken so gets 400.
        let options = broken(no_colon, &stand.peer.request("OPTIONS"));
        stand.peer.send_bytes(options);
        stand.exchange();
        assert_eq!(stand.peer.got(), NOTHING, "lines that cannot be told apart get no answer");
        let options = broken(WAYS[0], &stand.peer.request("OPTIONS").set("To", "<sip:alice@example.com>;tag=x"));
        stand.peer.send_bytes(options);
        stand.exchange();
        assert_eq!(stand.peer.take("400 OPTIONS").value("to"), "<sip:alice@example.com>;tag=x");
        assert_eq!(stand.alice.agent.stats().quirks[7], 0, "{}", way.0);
        stand.say(ok);
        stand.peer.take("ACK");
    }
}

/// The first tag counts: two forks whose responses have both tags, in another order, are two.
#[test]
fn two_tags_and_two_forks() {
    let mut stand = Stand::new();
    stand.wire.trace.allowed.extend(["ack-form", "ack-unprovoked"]);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    for (tag, other) in [("a", "b"), ("b", "a")] {
        let ringing = stand.peer.reply_as(&invite, 180, &format!("{tag};tag={other}"));
        stand.say(ringing);
    }
    assert_eq!(stand.alice.agent.stats().sessions, 2);
    let ok = stand.peer.reply_as(&invite, 200, "a;tag=b").sdp(ANSWER);
    stand.say(ok);
    assert_eq!(stand.peer.take("ACK").to_tag().as_deref(), Some("a"));
    assert_eq!(stand.alice.properties().remote_tag, "a");
    assert_eq!(stand.alice.agent.stats().quirks[7], 3);
}
