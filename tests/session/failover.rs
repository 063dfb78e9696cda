//! The targets of a name, one after the other (RFC 3263 §4.3, RFC 3261 §8.1.3.1): INVITE and requests out of a dialog.
//! Those in a dialog are in `failover_dialog`.

use crate::common::pair::{ALICE, BOB, Stand};
use crate::common::party::{Party, config};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HOLD, NOTHING, OFFER, ms, seconds};
use sipdlg::agent::event::flag;
use sipdlg::agent::{EventKind, Outgoing, OutgoingState, Reason, RequestOptions};
use sipdlg::flow::{Flow, Transport};
use sipdlg::session::{SessionState, SignalingState};
use std::net::SocketAddr;

pub const NAMED: &str = "sip:bob@gw.example";
pub const FIRST: &str = "192.0.2.71:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A way to an address, by any socket.
pub fn to(text: &str) -> Flow {
    Flow::new(Transport::Udp, None, Some(address(text)))
}

/// Alice finds these for every name.
pub fn finds(party: &mut Party, targets: &[&str]) {
    let targets: Vec<Flow> = targets.iter().map(|text| to(text)).collect();
    party.on(EventKind::Resolve, move |agent, now, event| {
        assert!(agent.resolved(now, event.query, &targets));
    });
}

/// Alice, for whom every name has two targets: one that is nobody's, and the peer.
pub fn stand() -> Stand {
    let mut stand = Stand::new();
    finds(&mut stand.alice, &[FIRST, BOB]);
    stand.peer.contact = "sip:peer@gw.example".to_owned();
    stand
}

/// The same; what goes to the first target is refused at once.
pub fn refusing() -> Stand {
    let mut stand = stand();
    stand.wire.unreachable.push(address(FIRST));
    stand
}

/// What alice sent of this kind, and whether it went to the first target.
pub fn sent(stand: &Stand, short: &str) -> Vec<(bool, Sip)> {
    let sent = stand.wire.trace.datagrams.iter().filter(|datagram| datagram.from == 0);
    let parsed =
        sent.map(|datagram| (datagram.target == address(FIRST), Sip::clone(datagram.sip.as_ref().expect("a message"))));
    parsed.filter(|(_, sip)| sip.short() == short).collect()
}

/// Whether each went to the first target.
pub fn went(stand: &Stand, short: &str) -> Vec<bool> {
    sent(stand, short).iter().map(|(first, _)| *first).collect()
}

/// The peer replies to the last of these that went to the first target, as if it stood there.
#[track_caller]
pub fn first_replies(stand: &mut Stand, short: &str, status: u16) {
    let all = sent(stand, short);
    let (_, request) = all.iter().rev().find(|(first, _)| *first).expect("one went to the first target");
    let reply = stand.peer.reply(request, status);
    stand.say(reply);
}

/// The same request but for its branch.
#[track_caller]
fn same_but_for_the_branch(one: &Sip, other: &Sip) {
    for name in ["from", "to", "call-id", "cseq", "contact", "max-forwards"] {
        assert_eq!(one.get(name), other.get(name), "{name}");
    }
    assert_eq!((one.uri(), one.sdp()), (other.uri(), other.sdp()));
    assert_ne!(one.branch(), other.branch());
}

fn is_call(stand: &Stand) {
    assert_eq!(stand.alice.state(), (SessionState::Confirmed, SignalingState::Stable));
}

#[test]
fn an_invite_that_the_first_refuses_goes_to_the_next() {
    let mut stand = refusing();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    assert_eq!(went(&stand, "INVITE"), [true, false]);
    let all = sent(&stand, "INVITE");
    same_but_for_the_branch(&all[0].1, &all[1].1);
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    // Who answered is kept for the dialog, and nothing is looked up again.
    assert_eq!(went(&stand, "ACK"), [false]);
    stand.alice.options();
    stand.exchange();
    assert_eq!((went(&stand, "OPTIONS"), stand.alice.count(EventKind::Resolve)), (vec![false], 1));
    stand.peer_replies("OPTIONS", 200, "");
}

/// Timer B without any response.
#[test]
fn an_invite_that_the_first_never_answers_goes_to_the_next() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.advance(seconds(31));
    assert!(went(&stand, "INVITE").iter().all(|first| *first));
    stand.advance(seconds(2));
    let all = sent(&stand, "INVITE");
    same_but_for_the_branch(&all[0].1, &all[all.len() - 1].1);
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
}

/// §17.1.1.3: the ACK of the 503 follows its INVITE; Retry-After is that server's alone (§21.5.4).
#[test]
fn an_invite_that_the_first_cannot_serve_goes_to_the_next() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let first = sent(&stand, "INVITE").remove(0).1;
    let unavailable = stand.peer.reply(&first, 503).with("Retry-After", "120");
    stand.say(unavailable);
    assert_eq!((went(&stand, "ACK"), went(&stand, "INVITE")), (vec![true], vec![true, false]));
    let all = sent(&stand, "INVITE");
    same_but_for_the_branch(&all[0].1, &all[1].1);
    assert_eq!(sent(&stand, "ACK")[0].1.branch(), first.branch());
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
}

/// §13.2.2.3: a 503 ends the dialogs of its INVITE; the next target makes its own, with the same tag if it likes.
#[test]
fn early_dialogs_of_a_target_that_gives_up_end() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    first_replies(&mut stand, "INVITE", 180);
    let early = stand.alice.session();
    first_replies(&mut stand, "INVITE", 503);
    let ended = stand.alice.last(EventKind::Terminated);
    assert_eq!((ended.reason, ended.status_code), (Reason::Rejected, 503));
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    stand.peer_replies("INVITE", 200, ANSWER);
    assert_ne!(stand.alice.session(), early);
    is_call(&stand);
}

/// Who has answered provisionally is there: a time-out says nothing against it.
#[test]
fn a_target_that_has_answered_is_not_left_for_its_silence() {
    let mut stand = stand();
    let now = stand.alice.now();
    stand.alice.agent.request(now, b"MESSAGE", NAMED.as_bytes(), RequestOptions::default()).expect("a MESSAGE");
    stand.exchange();
    first_replies(&mut stand, "MESSAGE", 100);
    stand.advance(seconds(40));
    assert!(went(&stand, "MESSAGE").iter().all(|first| *first));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);
}

#[test]
fn requests_out_of_a_dialog_go_to_the_next() {
    for method in ["OPTIONS", "MESSAGE", "REGISTER", "PUBLISH", "FOO"] {
        let mut stand = refusing();
        let now = stand.alice.now();
        let method_name = method.as_bytes();
        stand.alice.agent.request(now, method_name, NAMED.as_bytes(), RequestOptions::default()).expect(method);
        stand.exchange();
        assert_eq!(went(&stand, method), [true, false]);
        stand.peer_replies(method, 503, "");
        assert_eq!(stand.alice.statuses(EventKind::Reject), [503], "there is no third");
        assert!(stand.alice.last(EventKind::Reject).message.is_some());
    }
}

/// Each target once, however often it is named; what no socket reaches is passed over; the last failure is told.
#[test]
fn when_all_have_failed_the_request_has() {
    let other = "192.0.2.72:5060";
    for (silent, status) in [(false, 503), (true, 408)] {
        let mut stand = Stand::new();
        finds(&mut stand.alice, &[FIRST, FIRST, "[2001:db8::1]:5060", other, FIRST]);
        if !silent {
            stand.wire.unreachable = vec![address(FIRST), address(other)];
        }
        stand.alice.invite(NAMED, OFFER);
        stand.advance(seconds(if silent { 70 } else { 1 }));
        let targets: Vec<_> = sent(&stand, "INVITE").iter().map(|(_, sip)| sip.branch()).collect();
        let mut branches = targets.clone();
        branches.dedup();
        assert_eq!(branches.len(), 2);
        let reject = stand.alice.last(EventKind::Reject);
        assert_eq!((reject.status_code, reject.flags & flag::LOCAL), (status, flag::LOCAL));
        assert_eq!((stand.alice.count(EventKind::Reject), stand.alice.living()), (1, [0; 5]));
    }
}

/// RFC 3261 §26.2.2: of the targets of a sips URI those without TLS are passed over.
#[test]
fn only_secure_targets_count_for_sips() {
    let mut stand = Stand::over(Transport::Tls, config("alice"));
    let secure = Flow { transport: Transport::Tls, ..to(BOB) };
    stand.alice.on(EventKind::Resolve, move |agent, now, event| {
        assert!(agent.resolved(now, event.query, &[to(FIRST), secure, to(FIRST)]));
    });
    stand.alice.invite("sips:bob@gw.example", OFFER);
    stand.exchange();
    assert_eq!(went(&stand, "INVITE"), [false]);
    stand.peer_replies("INVITE", 503, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
}

/// Nothing more is tried for an INVITE that the host has called off; its CANCEL goes where the INVITE went.
#[test]
fn a_cancelled_invite_goes_to_nobody_else() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    stand.alice.cancel();
    stand.advance(seconds(33));
    assert!(went(&stand, "INVITE").iter().all(|first| *first));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [408]);

    let mut stand = self::stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    first_replies(&mut stand, "INVITE", 100);
    stand.alice.cancel();
    stand.exchange();
    assert_eq!(went(&stand, "CANCEL"), [true]);
    first_replies(&mut stand, "CANCEL", 200);
    first_replies(&mut stand, "INVITE", 503);
    assert_eq!((went(&stand, "INVITE"), went(&stand, "ACK")), (vec![true], vec![true]));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [503]);
}

#[test]
fn a_cancel_follows_the_try_that_is_under_way() {
    let mut stand = refusing();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 180, "");
    stand.alice.cancel();
    stand.exchange();
    assert_eq!(went(&stand, "CANCEL"), [false]);
    assert_eq!(sent(&stand, "CANCEL")[0].1.branch(), sent(&stand, "INVITE")[1].1.branch());
    stand.peer.take("CANCEL");
    let invite = sent(&stand, "INVITE").remove(1).1;
    let terminated = stand.peer.reply(&invite, 487);
    stand.say(terminated);
    assert_eq!(went(&stand, "ACK"), [false]);
    assert_eq!(stand.alice.statuses(EventKind::Reject), [487]);
}

/// The number of a transmit is that of one try.
#[test]
fn the_failure_of_an_old_try_comes_too_late() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let number = stand
        .alice
        .order
        .iter()
        .rev()
        .find_map(|(number, out)| matches!(out, crate::common::party::Out::Message(_)).then_some(*number));
    stand.advance(seconds(33));
    assert!(went(&stand, "INVITE").contains(&false));
    let now = stand.alice.now();
    assert!(!stand.alice.agent.transmit_failed(now, number.expect("a transmit")), "no one waits for it any more");
    assert!(!stand.alice.agent.transmit_failed(now, number.expect("a transmit")));
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Reject), 0);
    stand.peer_replies("INVITE", 486, "");
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
}

/// §22.2: the nonce is good where it came from.
#[test]
fn credentials_go_to_the_target_that_asked_for_them() {
    let mut config = config("alice");
    config.add_credentials(Some(b"x"), b"alice", b"secret", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    finds(&mut stand.alice, &[FIRST, BOB]);
    stand.wire.unreachable.push(address(FIRST));
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"");
    stand.say(challenge);
    assert_eq!(went(&stand, "INVITE"), [true, false, false]);
    let again = sent(&stand, "INVITE").remove(2).1;
    assert!(again.get("authorization").is_some());
    assert_eq!(again.cseq(), invite.cseq() + 1);
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
}

/// What a target was told with its challenge is not told to the next one, which asks for itself and is answered.
#[test]
fn each_target_has_challenges_of_its_own() {
    let mut config = config("alice");
    config.add_credentials(Some(b"x"), b"alice", b"secret", false, None).expect("credentials");
    let mut stand = Stand::with(config);
    finds(&mut stand.alice, &[FIRST, BOB]);
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    let asks = |nonce: &str| format!("Digest realm=\"x\", qop=\"auth\", nonce=\"{nonce}\"");
    let (_, invite) = sent(&stand, "INVITE").remove(0);
    let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", asks("first"));
    stand.say(challenge);
    let answered =
        |stand: &Stand| sent(stand, "INVITE").pop().expect("an INVITE").1.get("authorization").map(str::to_owned);
    assert!(answered(&stand).expect("an answer").contains("\"first\""));
    first_replies(&mut stand, "INVITE", 503);
    assert_eq!(answered(&stand), None, "the second has asked for nothing");
    let invite = stand.peer.take("INVITE");
    let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", asks("second"));
    stand.say(challenge);
    let answer = answered(&stand).expect("an answer");
    assert!(answer.contains("\"second\"") && answer.contains("nc=00000001"), "{answer}");
    stand.peer_replies("INVITE", 200, ANSWER);
    is_call(&stand);
}

/// What becomes of the ACK to a challenge changes nothing of what it asks for (RFC 3261 §17.1.1.2: the user is told, and
/// it is for the user to decide): the host still answers it. The INVITE that follows may move on.
#[test]
fn a_challenge_outlives_its_ack() {
    let targets: [&[&str]; 2] = [&[FIRST, BOB], &[FIRST]];
    for targets in targets {
        let mut stand = stand();
        finds(&mut stand.alice, targets);
        stand.alice.hold(EventKind::Challenge);
        let id = stand.alice.invite(NAMED, OFFER);
        stand.exchange();
        let (_, invite) = sent(&stand, "INVITE").remove(0);
        stand.wire.unreachable.push(address(FIRST));
        let challenge = stand.peer.reply(&invite, 401).with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"");
        stand.say(challenge);
        assert_eq!((went(&stand, "ACK"), went(&stand, "INVITE")), (vec![true], vec![true]));
        assert_eq!(stand.alice.agent.outgoing(id).map(Outgoing::state), Ok(OutgoingState::WaitingRetry));
        let now = stand.alice.now();
        stand.alice.agent.authenticate(now, id, Some(b"alice"), b"secret").expect("the challenge is still there");
        stand.exchange();
        let all = sent(&stand, "INVITE");
        assert!(all[1].0 && all[1].1.get("authorization").is_some());
        if targets.len() == 1 {
            assert_eq!((all.len(), stand.alice.statuses(EventKind::Reject)), (2, vec![503]));
            continue;
        }
        assert_eq!((went(&stand, "INVITE"), all[2].1.get("authorization")), (vec![true, true, false], None));
        stand.peer_replies("INVITE", 200, ANSWER);
        is_call(&stand);
    }
}

/// Nor is a refused INVITE called back to life when its ACK cannot be sent.
#[test]
fn a_refusal_outlives_its_ack() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    stand.wire.unreachable.push(address(FIRST));
    first_replies(&mut stand, "INVITE", 486);
    assert_eq!((went(&stand, "ACK"), went(&stand, "INVITE")), (vec![true], vec![true]));
    assert_eq!(stand.alice.statuses(EventKind::Reject), [486]);
}

/// RFC 3261 figure 5: no failed transmit leads out of Proceeding. An INVITE that rings has arrived, so the host that
/// hears late of a repeat that was refused calls nobody else; the one that rings is answered.
#[test]
fn a_ringing_target_is_not_left_for_a_failed_repeat() {
    for uri in [NAMED, "sip:bob@192.0.2.71"] {
        let mut stand = stand();
        stand.alice.invite(uri, OFFER);
        stand.advance(ms(600));
        assert_eq!(went(&stand, "INVITE"), [true, true]);
        let repeat = stand.alice.last_transmit();
        first_replies(&mut stand, "INVITE", 180);
        let now = stand.alice.now();
        assert!(stand.alice.agent.transmit_failed(now, repeat));
        stand.advance(seconds(40));
        assert_eq!((went(&stand, "INVITE"), stand.alice.count(EventKind::Reject)), (vec![true, true], 0));
        let (_, invite) = sent(&stand, "INVITE").remove(1);
        stand.peer.learn(&invite);
        stand.peer.contact = format!("sip:peer@{BOB}");
        let answer = stand.peer.reply(&invite, 200).set("Contact", format!("<sip:peer@{BOB}>")).sdp(ANSWER);
        stand.say(answer);
        is_call(&stand);
    }
}

/// Several names, each with its own targets and failures.
#[test]
fn names_do_not_mix() {
    let mut stand = refusing();
    let now = stand.alice.now();
    for name in ["sip:a@one.example", "sip:b@two.example", "sip:c@one.example"] {
        stand.alice.agent.request(now, b"OPTIONS", name.as_bytes(), RequestOptions::default()).expect("OPTIONS");
    }
    stand.exchange();
    assert_eq!(stand.alice.count(EventKind::Resolve), 3, "each is told by its own RESOLVE");
    assert_eq!(went(&stand, "OPTIONS").iter().filter(|first| !**first).count(), 3);
    for _ in 0..3 {
        stand.peer_replies("OPTIONS", 200, "");
    }
    assert_eq!(stand.alice.count(EventKind::Accept), 3);
}

/// The host has said where to, by an address or a flow.
#[test]
fn an_address_has_no_other_target() {
    let mut stand = Stand::new();
    finds(&mut stand.alice, &[BOB]);
    stand.wire.unreachable.push(address(FIRST));
    stand.alice.invite("sip:bob@192.0.2.71", OFFER);
    stand.exchange();
    assert_eq!((stand.alice.statuses(EventKind::Reject), stand.alice.count(EventKind::Resolve)), (vec![503], 0));
    let fixed = RequestOptions { flow: Some(to(FIRST)), ..RequestOptions::default() };
    stand.alice.invite_with(NAMED, fixed);
    stand.exchange();
    assert_eq!((stand.alice.statuses(EventKind::Reject), stand.alice.count(EventKind::Resolve)), (vec![503, 503], 0));
    assert_eq!(stand.peer.got(), NOTHING);
}

/// A socket that the host has chosen has one address family: what it cannot reach is no target.
#[test]
fn a_chosen_socket_reaches_its_own_family() {
    let mut stand = Stand::new();
    finds(&mut stand.alice, &["[2001:db8::2]:5060", BOB]);
    let chosen = Flow::new(Transport::Udp, Some(address(ALICE)), None);
    stand.alice.invite_with(NAMED, RequestOptions { flow: Some(chosen), ..RequestOptions::default() });
    stand.exchange();
    let targets: Vec<_> = stand.wire.trace.datagrams.iter().map(|datagram| datagram.target).collect();
    assert_eq!((targets, stand.alice.count(EventKind::Reject)), (vec![address(BOB)], 0));
}

/// The host has ended what rang: nobody else is called for it.
#[test]
fn a_deserted_invite_goes_to_nobody_else() {
    let mut stand = stand();
    stand.alice.invite(NAMED, OFFER);
    stand.exchange();
    first_replies(&mut stand, "INVITE", 180);
    stand.alice.bye();
    stand.exchange();
    first_replies(&mut stand, "INVITE", 503);
    assert_eq!((went(&stand, "INVITE"), stand.alice.statuses(EventKind::Reject)), (vec![true], vec![503]));
}

/// Whoever has to open a connection reads the name beside each message of a request (RFC 5922 §7): INVITE, its CANCEL and
/// ACK, later requests of the dialog. A response goes back where its request came from.
#[test]
fn the_name_that_was_asked_for_goes_with_every_message() {
    let stand_at = |contact: &str| {
        let mut stand = Stand::over(Transport::Tls, config("alice"));
        let target = Flow { transport: Transport::Tls, ..to(BOB) };
        stand
            .alice
            .on(EventKind::Resolve, move |agent, now, event| assert!(agent.resolved(now, event.query, &[target])));
        contact.clone_into(&mut stand.peer.contact);
        stand
    };
    let stand = || stand_at("sips:peer@one.example");
    let named = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
    let mut cancelled = stand();
    cancelled.alice.invite("sips:bob@gw.example", OFFER);
    cancelled.exchange();
    cancelled.peer_replies("INVITE", 180, "");
    cancelled.alice.cancel();
    cancelled.exchange();
    let invite = sent(&cancelled, "INVITE").remove(0).1;
    let over = cancelled.peer.reply(&invite, 487);
    cancelled.say(over);
    assert_eq!(cancelled.alice.hosts, named(&["gw.example", "gw.example", "gw.example"]), "INVITE, CANCEL, ACK");
    // The second has what the quirk HASH_IN_USER tolerates.
    for contact in ["sips:peer@one.example", "sips:1#2@one.example"] {
        let mut call = stand_at(contact);
        call.alice.invite("sips:bob@gw.example", OFFER);
        call.exchange();
        call.peer_replies("INVITE", 200, ANSWER);
        call.alice.bye();
        call.exchange();
        call.peer_replies("BYE", 200, "");
        assert_eq!(call.alice.hosts, named(&["gw.example", "one.example", "one.example"]), "INVITE, ACK, BYE");
    }
    let mut options = stand();
    let asks = options.peer.request("OPTIONS");
    options.say(asks);
    assert_eq!(options.alice.hosts, [None]);
    for (uri, name) in
        [("sips:bob@192.0.2.2:5060", None), ("sips:bob@gw.example:5060;maddr=192.0.2.2", Some("gw.example"))]
    {
        for flow in [None, Some(Flow { transport: Transport::Tls, ..to(BOB) })] {
            let mut stand = stand();
            let now = stand.alice.now();
            let options = RequestOptions { flow, ..RequestOptions::default() };
            stand.alice.agent.request(now, b"OPTIONS", uri.as_bytes(), options).expect("OPTIONS");
            stand.exchange();
            assert_eq!(stand.alice.hosts, [name.map(str::to_owned)], "{uri} {flow:?}");
            stand.peer_replies("OPTIONS", 200, "");
        }
    }
}

/// The name of the top Route: for the INVITE, and for the dialog while its Record-Route is the same, whatever its target.
#[test]
fn a_route_by_name_stays_with_the_target_that_answered() {
    let mut config = config("alice");
    config.set_route_set(b"<sip:gw.example;lr>").expect("a route");
    let mut stand = Stand::with(config);
    finds(&mut stand.alice, &[FIRST, BOB]);
    stand.wire.unreachable.push(address(FIRST));
    stand.alice.invite("sip:bob@far.example", OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let answer = stand.peer.reply(&invite, 200).with("Record-Route", "<sip:gw.example;lr>").sdp(ANSWER);
    stand.say(answer);
    stand.peer.routes = vec![];
    let moved = stand.peer.request("INVITE").set("Contact", "<sip:peer@elsewhere.example>").sdp(HOLD);
    stand.alice.answers(EventKind::Reinvite, ANSWER);
    stand.say(moved.clone());
    let ok = stand.peer.take("200 INVITE");
    let ack = stand.peer.ack(&moved, &ok);
    stand.say(ack);
    stand.alice.bye();
    stand.exchange();
    assert_eq!(
        (went(&stand, "ACK"), went(&stand, "BYE"), stand.alice.count(EventKind::Resolve)),
        (vec![false], vec![false], 1)
    );
    assert_eq!(stand.alice.hosts.last(), Some(&Some("gw.example".to_owned())));
    stand.peer_replies("BYE", 200, "");
}
