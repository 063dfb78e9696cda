//! What the library did by itself can be asked for afterwards: every act has its entry with time, reason, status and
//! section, in the session that it is about, else in the log. A row for each act; every reason of the header has one.

use crate::common::pair::{Pair, Stand};
use crate::common::party::config;
use crate::common::reliable_callee::knows_password;
use crate::common::session_timer::asking;
use crate::common::{ANSWER, OFFER, ms, seconds};
use crate::ends::called::CALLED;
use crate::ends::calls::CALLS;
use crate::ends::{Row as End, alice};
use crate::explain_cases::{LINES, ROWS, USUAL, calls, refused, says};
use sipdlg::agent::event::Reason;
use sipdlg::agent::{Act, Agent, EventKind, SessionId};
use sipdlg::config::{Config, LogLevel};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Newest first.
fn acts(agent: &Agent, session: SessionId) -> Vec<Act> {
    (0..).map_while(|index| agent.session_act(session, index).expect("its token is good")).collect()
}

fn told(acts: &[Act]) -> Vec<String> {
    acts.iter().map(|act| format!("{} {} {}", act.why().reason.name(), act.status, act.why().rfc())).collect()
}

/// What the session of alice's last event says.
fn of(stand: &Stand) -> Vec<String> {
    told(&acts(&stand.alice.agent, stand.alice.session()))
}

fn words_are_good(acts: &[Act]) {
    for act in acts {
        let (text, rfc) = (act.why().text(), act.why().rfc());
        let section = rfc.strip_prefix("RFC ").and_then(|rfc| rfc.split_once(' '));
        assert!(section.is_some_and(|(number, section)| number.len() == 4 && !section.is_empty()), "{text:?} {rfc:?}");
        assert!(text.contains(' ') && text.is_ascii() && rfc.is_ascii(), "{text:?} {rfc:?}");
    }
}

fn stand_for(set: fn(&mut Config)) -> Stand {
    let mut config = alice();
    set(&mut config);
    let mut stand = Stand::with(config);
    knows_password(&mut stand);
    stand
}

/// Each act of [`ROWS`] has its entry, with the time at which it was done; nothing else has.
#[test]
fn an_act_has_an_entry() {
    let mut wrong = Vec::new();
    for (name, set, happens, expected) in ROWS {
        let mut stand = stand_for(*set);
        let before = stand.alice.now().unix_us;
        stand.advance(ms(10));
        happens(&mut stand);
        let acts = acts(&stand.alice.agent, stand.alice.session());
        words_are_good(&acts);
        let after = stand.alice.now().unix_us;
        let times: Vec<u64> = acts.iter().rev().map(|act| act.unix_us).collect();
        let in_order = times.is_sorted() && times.iter().all(|time| (before + 1..=after).contains(time));
        if told(&acts) != *expected || !in_order {
            wrong.push(format!("{name}: {:?} {times:?}", told(&acts)));
        }
        stand.end_unjudged();
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Acts and ends of a row, as the host sees them during TERMINATED.
type Seen = Rc<RefCell<Vec<(Reason, u16, Vec<Act>)>>>;

fn watch(stand: &mut Stand) -> Seen {
    let seen = Seen::default();
    let writes = Rc::clone(&seen);
    stand.alice.on(EventKind::Terminated, move |agent, _, event| {
        let acts = acts(agent, event.session.expect("TERMINATED names its session"));
        writes.borrow_mut().push((event.reason, event.status_code, acts));
    });
    seen
}

fn ends() -> impl Iterator<Item = (&'static str, fn(&mut Stand))> {
    CALLED.into_iter().chain(CALLS).map(|(name, happens, _): End| (name, happens))
}

/// The end of a session is its own word for it too: whatever ended it, the reason and status of TERMINATED, once.
#[test]
fn the_end_is_an_act() {
    for (name, happens) in ends() {
        let mut stand = Stand::with(alice());
        stand.wire.trace.allowed.push("response-to-tag");
        knows_password(&mut stand);
        let seen = watch(&mut stand);
        happens(&mut stand);
        stand.end_unjudged();
        let seen = seen.borrow();
        assert!(!seen.is_empty(), "{name}");
        for (reason, status, acts) in seen.iter() {
            words_are_good(acts);
            let ends = acts.iter().filter(|act| Some(act.why().rfc()) == rfc_of_end(*reason));
            let ends: Vec<_> = ends.map(|act| (act.why().reason, act.status)).collect();
            assert!(ends.contains(&(*reason, *status)), "{name}: {reason:?} {status} {:?}", told(acts));
        }
    }
}

fn rfc_of_end(reason: Reason) -> Option<&'static str> {
    reason.of_an_end().map(|rule| rule.rsplit_once(" (").unwrap().1.trim_end_matches(')'))
}

/// Every reason that the header names is made by some row, through messages.
#[test]
fn no_reason_is_made_nowhere() {
    let mut made = BTreeSet::new();
    let mut note = |acts: &[Act]| made.extend(acts.iter().map(|act| act.why().reason.name()));
    for (_, set, happens, _) in ROWS {
        let mut stand = stand_for(*set);
        happens(&mut stand);
        note(&acts(&stand.alice.agent, stand.alice.session()));
        stand.end_unjudged();
    }
    let refreshed: fn(&mut Stand) = |stand| {
        // A session that nobody refreshes.
        stand.alice.answers(EventKind::Invite, ANSWER);
        let lines = [("Supported", "timer"), ("Session-Expires", "600;refresher=uac")];
        let invite = lines.iter().fold(stand.peer.request("INVITE"), |draft, (name, value)| draft.with(name, *value));
        let invite = invite.sdp(OFFER);
        stand.say(invite.clone());
        stand.peer_acknowledges(&invite);
        stand.advance(seconds(600));
    };
    for happens in ends().map(|(_, happens)| happens).chain([refreshed]) {
        let mut stand = stand_for(USUAL);
        let seen = watch(&mut stand);
        happens(&mut stand);
        stand.end_unjudged();
        seen.borrow().iter().for_each(|(_, _, acts)| note(acts));
    }
    let header = include_str!("../../include/sipdlg.h");
    let names = header.lines().filter_map(|line| line.trim().strip_prefix("SIPDLG_REASON_")?.split(" = ").next());
    let named: BTreeSet<&str> = names.filter(|name| *name != "NONE").collect();
    assert_eq!(made, named);
}

/// The end keeps its place when something follows it: here its BYE is not answered.
#[test]
fn what_follows_the_end_comes_after_it() {
    let mut stand = stand_for(USUAL);
    calls(&mut stand, &[]);
    let seen = watch(&mut stand);
    let hung_up = stand.alice.now().unix_us;
    stand.alice.hangup();
    stand.exchange();
    stand.advance(seconds(20));
    assert_eq!(of(&stand), ["LOCAL_HANGUP 0 RFC 3261 15"], "before TERMINATED too");
    stand.advance(seconds(20));
    let seen = seen.borrow();
    assert_eq!(told(&seen[0].2), ["TRANSPORT 408 RFC 3261 8.1.3.1", "LOCAL_HANGUP 0 RFC 3261 15"]);
    let times: Vec<u64> = seen[0].2.iter().map(|act| (act.unix_us - hung_up) / 1_000_000).collect();
    assert_eq!(times, [32, 0]);
    drop(seen);
    // With the token the entries go.
    let session = stand.alice.session();
    assert!(stand.alice.agent.session_act(session, 0).is_err());
    stand.finish();
}

/// A call without acts holds nothing for them; with some it holds what sixteen take, however many there were.
#[test]
fn acts_are_bounded_and_counted() {
    let mut stand = Stand::peer_called();
    // What holds the last messages is as large as it gets.
    for _ in 0..300 {
        says(&mut stand, "OPTIONS", &[], None);
    }
    stand.advance(seconds(40));
    let bytes = stand.alice.agent.stats().bytes;
    says(&mut stand, "OPTIONS", &[], None);
    stand.advance(seconds(40));
    assert_eq!((of(&stand), stand.alice.agent.stats().bytes), (vec![], bytes));
    let mut held = Vec::new();
    for _ in 0..40 {
        says(&mut stand, "INFO", &[("Info-Package", "foo")], None);
        stand.advance(seconds(40));
        held.push(stand.alice.agent.stats().bytes - bytes);
    }
    let all = of(&stand);
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (16, 1));
    assert!(held[0] > 0 && held[0] < 256, "{held:?}");
    assert!(held[15..].iter().all(|now| *now == held[39]) && held[39] < 640, "{held:?}");
    stand.finish();
}

/// The usual call of two agents, with reliable responses too, makes none on either side.
#[test]
fn a_good_call_has_no_act_but_its_end() {
    let mut pair = Pair::new();
    pair.call();
    pair.alice.info();
    pair.bob.on(EventKind::Info, |agent, now, event| {
        agent.accept(now, event.incoming.unwrap(), 200, &Default::default()).unwrap();
    });
    pair.exchange();
    for party in [&pair.alice, &pair.bob] {
        assert_eq!(told(&acts(&party.agent, party.session())), [] as [&str; 0]);
    }
    let ended: Rc<RefCell<BTreeMap<&'static str, Vec<String>>>> = Rc::default();
    for party in [&mut pair.alice, &mut pair.bob] {
        let (ended, name) = (Rc::clone(&ended), party.name);
        party.on(EventKind::Terminated, move |agent, _, event| {
            ended.borrow_mut().insert(name, told(&acts(agent, event.session.unwrap())));
        });
    }
    pair.alice.hangup();
    pair.exchange();
    let row = |text: &str| vec![text.to_owned()];
    let expected = [("alice", row("LOCAL_HANGUP 0 RFC 3261 15")), ("bob", row("REMOTE_BYE 0 RFC 3261 15.1.2"))];
    assert_eq!(*ended.borrow(), BTreeMap::from(expected));
    pair.finish();
}

/// Acts without a session go to the log, one line each, with the same code.
#[test]
fn what_has_no_session_is_in_the_log() {
    for (name, happens, says) in LINES {
        let mut stand = stand_for(|config| config.log_level = LogLevel::Info);
        happens(&mut stand);
        let lines: Vec<String> = std::iter::from_fn(|| stand.alice.agent.poll_log()).map(|(_, line)| line).collect();
        let found = lines.iter().filter(|line| says.iter().all(|text| line.contains(text))).count();
        assert_eq!((found, lines.len()), (1, 1), "{name}: {lines:#?}");
        assert!(lines[0].contains(" !! "), "{lines:?}");
        stand.end_unjudged();
    }
}

/// In a session the same act has a line too, at INFO; its text and code are those of the entry.
#[test]
fn line_and_entry_say_the_same() {
    let mut config = Config { log_level: LogLevel::Info, ..config("alice") };
    config.session_timer = asking(600);
    let mut stand = Stand::with(config);
    calls(&mut stand, &[]);
    refused(&mut stand, 491, &[]);
    says(&mut stand, "INFO", &[("Info-Package", "foo")], None);
    let lines: Vec<String> = std::iter::from_fn(|| stand.alice.agent.poll_log()).map(|(_, line)| line).collect();
    let acts = acts(&stand.alice.agent, stand.alice.session());
    assert_eq!((lines.len(), acts.len()), (2, 2), "{lines:?}");
    let call_id = stand.alice.agent.session(stand.alice.session()).unwrap().call_id().to_vec();
    let named = format!(" | Call-ID {} | ", String::from_utf8(call_id).unwrap());
    for (line, act) in lines.iter().zip(acts.iter().rev()) {
        let (why, seconds) = (act.why(), act.unix_us as f64 / 1e6);
        assert!(line.ends_with(&format!("{} ({}) | {}", why.text(), why.rfc(), why.reason.name())), "{line}");
        assert!(line.starts_with(&format!("{seconds:.6} ")) && line.contains(&named), "{line} {seconds}");
    }
    stand.finish();
}
