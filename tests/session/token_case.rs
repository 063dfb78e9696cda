//! RFC 3261 §7.3.1: tokens are the same in any case. A peer that writes tags, branches, option tags, transports and
//! parameter names in other letters than we do; and what does have a case.

use crate::common::draft::Draft;
use crate::common::pair::{Stand, TO_BOB};
use crate::common::party::{config, reliable};
use crate::common::sip::Sip;
use crate::common::wire::RULES;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, seconds};
use sipdlg::agent::{EventKind, Reason};
use sipdlg::config::Config;
use sipdlg::session::SessionState::Confirmed;
use sipdlg::session::SignalingState::Stable;

/// Other letters for tags and branches, parameter names and transports: all that follows a semicolon.
fn shout(mut draft: Draft) -> Draft {
    for (name, value) in &mut draft.headers {
        let at = match name.as_str() {
            "From" | "To" => value.rfind(";tag="),
            "Via" => Some("SIP/2.0/".len()),
            _ => None,
        };
        if let Some(at) = at {
            *value = value[..at].to_owned() + &value[at..].to_ascii_uppercase();
        }
    }
    draft
}

/// A stand that is not judged: the checker compares tags and branches byte by byte.
fn stand_with(alice: Config) -> Stand {
    let mut stand = Stand::with(alice);
    stand.wire.trace.allowed.extend(RULES.iter().map(|(name, _)| *name));
    stand
}

fn stand() -> Stand {
    stand_with(config("alice"))
}

fn shouted(stand: &mut Stand, request: &Sip, status: u16, with: impl FnOnce(Draft) -> Draft) {
    let reply = shout(with(stand.peer.reply(request, status)));
    stand.say(reply);
}

#[test]
fn a_callee_that_shouts() {
    let mut stand = stand();
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    let ringing = stand.peer.reply(&invite, 180);
    stand.say(ringing);
    // RFC 3262: its Require too.
    shouted(&mut stand, &invite, 183, |draft| draft.with("Require", "100REL").with("RSeq", "9").sdp(ANSWER));
    let prack = stand.peer.take("PRACK");
    shouted(&mut stand, &prack, 200, |draft| draft);
    assert_eq!(stand.alice.agent.stats().sessions, 1, "one early dialog");
    shouted(&mut stand, &invite, 200, |draft| draft);
    let ack = stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    assert_eq!(stand.alice.agent.stats().quirks, [0; 32], "nothing had to be tolerated");
    let again = stand.peer.reply(&invite, 200);
    stand.say(again);
    assert_eq!(stand.peer.take("ACK"), ack, "a repeat in other letters");
    // Its requests, and ours.
    stand.alice.answers(EventKind::Info, "");
    let info = shout(stand.peer.request("INFO"));
    stand.say(info.clone());
    stand.peer.take("200 INFO");
    let via = info.get("Via").to_ascii_lowercase();
    stand.say(info.set("Via", via));
    stand.peer.take("200 INFO");
    assert_eq!(stand.alice.count(EventKind::Info), 1, "a repeat in other letters");
    stand.alice.reinvite(HOLD);
    stand.exchange();
    let reinvite = stand.peer.take("INVITE");
    shouted(&mut stand, &reinvite, 200, |draft| draft.sdp(HELD));
    stand.peer.take("ACK");
    let bye = shout(stand.peer.request("BYE"));
    stand.say(bye);
    stand.peer.take("200 BYE");
    assert_eq!(stand.alice.last(EventKind::Terminated).reason, Reason::RemoteBye);
}

#[test]
fn a_caller_that_shouts() {
    let mut stand = stand();
    stand.alice.hold(EventKind::Invite);
    // What it means is in the Via of its ACK and CANCEL, in other letters.
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(invite.clone());
    stand.say(shout(invite.clone()));
    assert_eq!(stand.alice.count(EventKind::Invite), 1, "a repeat");
    stand.alice.progress(180, "");
    stand.exchange();
    let cancel = shout(stand.peer.cancel(&invite));
    stand.say(cancel);
    stand.peer.take("200 CANCEL");
    let over = stand.peer.take("487 INVITE");
    let ack = shout(stand.peer.ack(&invite, &over));
    stand.say(ack);
    stand.advance(seconds(10));
    assert_eq!(stand.peer.got(), NOTHING, "the ACK was found");
    // The ACK of a 2xx, and what follows.
    stand.alice.answers(EventKind::Invite, ANSWER);
    stand.alice.events.clear();
    stand.peer.call_id = "second".to_owned();
    let invite = stand.peer.request("INVITE").with("Supported", "100Rel").sdp(OFFER);
    stand.say(invite.clone());
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = shout(stand.peer.ack(&invite, &ok));
    stand.say(ack);
    assert_eq!(stand.alice.state(), (Confirmed, Stable));
    stand.alice.bye();
    stand.exchange();
    let bye = stand.peer.take("BYE");
    shouted(&mut stand, &bye, 200, |draft| draft);
    assert_eq!(stand.alice.count(EventKind::Terminated), 1);
}

/// A package of INFO, option tags, `handling`, a merged request, Replaces, `lr` and `transport`.
#[test]
fn other_tokens() {
    let mut alice = config("alice");
    alice.set_info_packages(Some(b"Foo")).expect("a package");
    let mut stand = stand_with(alice);
    stand.alice.answers(EventKind::Invite, ANSWER);
    stand.alice.answers(EventKind::Info, "");
    stand.peer.contact = "sip:peer@192.0.2.2:5060;Transport=UDP".to_owned();
    let invite = stand.peer.request("INVITE").sdp(OFFER);
    let invite = invite.with("Record-Route", "<sip:192.0.2.2:5060;LR>").with("Require", "REPLACES, 100rel");
    stand.say(shout(invite.clone()).without("Require"));
    let ok = stand.peer.take("200 INVITE");
    stand.peer.learn(&ok);
    let ack = shout(stand.peer.ack(&invite, &ok));
    stand.say(ack);
    let first = stand.alice.session();
    let info = stand.peer.request("INFO").with("Info-Package", "fOO").content("application/x", "y");
    stand.say(info.with("Content-Disposition", "Info-Package"));
    stand.peer.take("200 INFO");
    // RFC 3261 §20.11, with the blanks that EQUAL has.
    let update = stand.peer.request("INVITE").content("text/html", "x");
    stand.say(update.with("Content-Disposition", "render; Handling = OPTIONAL"));
    assert_eq!(stand.alice.count(EventKind::Reinvite), 1, "no 415");
    stand.advance(seconds(1));
    stand.alice.info();
    stand.exchange();
    let info = stand.peer.take("INFO");
    assert_eq!((info.uri(), info.all("route")), (&*stand.peer.contact, vec!["<sip:192.0.2.2:5060;LR>"]), "loose");
    shouted(&mut stand, &info, 200, |draft| draft);
    assert_eq!(stand.alice.statuses(EventKind::Accept), [200]);
    // RFC 3891: the dialog by its names in other letters; RFC 3261 §8.2.2.2: the same INVITE on another way.
    let replaces = format!("{};TO-TAG={};From-Tag=PEER-TAG", stand.peer.call_id, stand.peer.remote_tag.to_uppercase());
    stand.peer.remote_tag.clear();
    stand.peer.call_id = "replacing".to_owned();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").with("Require", "RePlaces").with("Replaces", replaces).sdp(OFFER);
    stand.say(invite.clone());
    assert_eq!(stand.alice.last(EventKind::Invite).replaces, Some(first));
    let via = stand.peer.via();
    stand.say(shout(invite.set("Via", via)));
    stand.peer.take("482 INVITE");
    stand.alice.reject(486);
    stand.exchange();
}

/// What has a case (RFC 3261 §7.3.1, RFC 6665 §8.2.1).
#[test]
fn what_has_a_case() {
    let mut stand = Stand::peer_called();
    // A 400 repeats the method of CSeq, whatever that of the request.
    stand.wire.trace.allowed.extend(["response-to-nothing", "non-invite-100", "final-owed"]);
    // Call-ID: no such dialog.
    let call_id = stand.peer.call_id.to_ascii_uppercase();
    let info = stand.peer.request("INFO").set("Call-ID", call_id);
    stand.say(info);
    stand.peer.take("481 INFO");
    // Methods: another one than INFO; in CSeq not that of the request.
    let info = stand.peer.request("INFO");
    let cseq = info.get("CSeq").replace("INFO", "Info");
    let other = Draft { start: info.start.replace("INFO", "Info"), ..info.clone().set("CSeq", cseq.clone()) };
    stand.say(other);
    stand.peer.take("501 Info");
    let mismatch = stand.peer.request("INFO").set("CSeq", cseq);
    stand.say(mismatch);
    let refused = stand.peer.inbox.pop_front().expect("an answer");
    assert_eq!(refused.status(), Some(400));
    // A response whose CSeq has the method in other letters belongs to nothing.
    stand.alice.info();
    stand.exchange();
    let info = stand.peer.take("INFO");
    let reply = stand.peer.reply(&info, 200);
    let other = reply.clone().set("CSeq", reply.get("CSeq").replace("INFO", "info"));
    stand.say(other);
    assert_eq!(stand.alice.count(EventKind::Accept), 0);
    stand.say(reply);
    assert_eq!(stand.alice.count(EventKind::Accept), 1);
    // The package of an event.
    let notify = stand.peer.request("NOTIFY").with("Event", "Refer").with("Subscription-State", "active");
    stand.say(notify.with("Contact", "<sip:peer@192.0.2.2:5060>"));
    stand.peer.take("489 NOTIFY");
}

/// RAck's method (RFC 3262 §7.2).
#[test]
fn the_method_of_rack() {
    let mut stand = stand();
    stand.alice.hold(EventKind::Invite);
    let invite = stand.peer.request("INVITE").with("Supported", "100REL").sdp(OFFER);
    stand.say(invite.clone());
    let (now, incoming) = (stand.alice.now(), stand.alice.incoming());
    stand.alice.agent.progress(now, incoming, 180, &reliable("")).expect("a reliable 180");
    stand.exchange();
    let ringing = stand.peer.take("180 INVITE");
    stand.peer.learn(&ringing);
    for (method, status) in [("invite", 481), ("INVITE", 200)] {
        let prack = stand.peer.request("PRACK");
        let cseq = invite.get("CSeq").split(' ').next().unwrap_or_default();
        let rack = format!("{} {cseq} {method}", ringing.value("rseq"));
        stand.say(shout(prack.with("RAck", rack)));
        stand.peer.take(&format!("{status} PRACK"));
    }
}
