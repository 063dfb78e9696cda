//! Changes of the session that go out once more, or late: each asks what a new one would be asked (RFC 3261 §14.1, RFC
//! 3311 §5.1, RFC 6337 §4.3), and waits where that says no.

use crate::common::draft::Draft;
use crate::common::pair::{BOB, Stand, TO_BOB};
use crate::common::party::{config, reliable, with_sdp};
use crate::common::reliable_callee::knows_password;
use crate::common::reliable_caller::{acknowledge, called, prack, progress, take};
use crate::common::session_timer::{answer, asking, invited, with};
use crate::common::sip::Sip;
use crate::common::{ANSWER, HELD, HOLD, NOTHING, OFFER, seconds};
use crate::failover::{FIRST, finds, first_replies, sent, to};
use sipdlg::agent::event::flag;
use sipdlg::agent::options::request_flag;
use sipdlg::agent::{EventKind, OutgoingId, OutgoingState, Reason, RequestOptions};
use sipdlg::config::Config;
use sipdlg::error::ErrorKind;
use sipdlg::session::usage::Effect;
use sipdlg::session::{SessionState, SignalingState};

const GOOD: (SessionState, SignalingState) = (SessionState::Confirmed, SignalingState::Stable);
const CHALLENGE: (&str, &str) = ("WWW-Authenticate", "Digest realm=\"example.com\", nonce=\"n1\"");
const LATER: &str = "v=0\r\no=alice 1 4 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn with_password() -> Config {
    let mut config = config("alice");
    config.add_credentials(Some(b"example.com"), b"alice", b"wonderland", false, None).expect("credentials");
    config
}

/// The peer called, and nobody but the wire checker need know alice's password.
fn called_by_peer(alice: Config) -> Stand {
    let mut stand = Stand::with(alice);
    knows_password(&mut stand);
    stand.peer_calls();
    stand
}

/// Alice's re-INVITE, and one of the peer's that met it: its 491 waits for this ACK.
struct Crossed {
    stand: Stand,
    id: OutgoingId,
    ours: Sip,
    ack: Draft,
}

fn crossed(mut stand: Stand, options: RequestOptions<'_>) -> Crossed {
    let (now, session) = (stand.alice.now(), stand.alice.session());
    let id = stand.alice.agent.reinvite(now, session, options).expect("legal");
    stand.alice.outgoing = Some(id);
    stand.exchange();
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let refused = stand.peer.take("491 INVITE");
    let ack = stand.peer.ack(&theirs, &refused);
    Crossed { stand, id, ours, ack }
}

impl Crossed {
    /// The peer's answer to alice's re-INVITE.
    fn replies(&mut self, status: u16, lines: &[(&str, &str)]) {
        let reply =
            lines.iter().fold(self.stand.peer.reply(&self.ours, status), |it, (name, value)| it.with(name, *value));
        self.stand.say(reply);
        self.stand.peer.take("ACK");
    }

    /// Nothing but the 491 comes in this time.
    #[track_caller]
    fn stays_silent(&mut self, time: u64) {
        self.stand.advance(seconds(time));
        self.stand.peer.inbox.retain(|sip| sip.status() != Some(491));
        assert_eq!(self.stand.peer.got(), NOTHING);
    }

    /// The ACK comes; the re-INVITE follows and is accepted.
    #[track_caller]
    fn goes_on(&mut self) -> Sip {
        let ack = self.ack.clone();
        self.stand.say(ack);
        assert_eq!(self.stand.peer.got(), NOTHING, "not before its wait is over");
        self.stand.advance(seconds(5));
        let again = self.stand.peer_replies("INVITE", 200, HELD);
        self.stand.peer.take("ACK");
        assert!(again.cseq() > self.ours.cseq());
        assert_eq!((again.sdp(), self.stand.alice.state()), (Some(HOLD), GOOD));
        again
    }
}

/// RFC 3261 §14.1: no INVITE while one of the peer's, also a refused one, waits for its ACK.
#[test]
fn a_challenged_reinvite_waits_for_the_ack_of_the_one_that_it_met() {
    let mut crossed = crossed(called_by_peer(with_password()), with_sdp(HOLD));
    crossed.replies(401, &[CHALLENGE]);
    crossed.stays_silent(10);
    let told = crossed.stand.alice.last(EventKind::GlareRetry);
    assert_eq!((told.status_code, told.reason, told.flags), (401, Reason::GlareRetry, 0));
    let alice = &crossed.stand.alice;
    assert_eq!(alice.agent.outgoing(crossed.id).expect("it waits").state(), OutgoingState::WaitingRetry);
    assert_eq!(alice.state(), GOOD, "the session is as if it had never been sent");
    let again = crossed.goes_on();
    assert!(again.get("authorization").is_some());
    assert_eq!(crossed.stand.alice.count(EventKind::Challenge), 0);
}

/// The same where the ACK came in time: at once, and nobody hears of a wait.
#[test]
fn a_challenged_reinvite_goes_at_once_where_it_may() {
    let mut crossed = crossed(called_by_peer(with_password()), with_sdp(HOLD));
    let ack = crossed.ack.clone();
    crossed.stand.say(ack);
    crossed.replies(401, &[CHALLENGE]);
    let again = crossed.stand.peer_replies("INVITE", 200, HELD);
    crossed.stand.peer.take("ACK");
    assert_eq!((again.cseq(), again.sdp()), (crossed.ours.cseq() + 1, Some(HOLD)));
    assert_eq!(crossed.stand.alice.count(EventKind::GlareRetry), 0);
}

/// What the host answers to its challenge counts for the request that waits.
#[test]
fn credentials_of_the_host_wait_too() {
    let mut crossed = crossed(called_by_peer(config("alice")), with_sdp(HOLD));
    crossed.stand.alice.hold(EventKind::Challenge);
    crossed.replies(401, &[CHALLENGE]);
    let now = crossed.stand.alice.now();
    crossed.stand.alice.agent.authenticate(now, crossed.id, Some(b"alice"), b"wonderland").expect("it waits");
    crossed.stays_silent(10);
    let again = crossed.goes_on();
    assert!(again.get("authorization").is_some());
    assert_eq!(crossed.stand.alice.count(EventKind::Challenge), 1);
}

/// A host that wants no retry, by request or by configuration, gets the challenge as the answer; asked for credentials, it
/// is told why not now, and may come again.
#[test]
fn without_retries_the_challenge_is_the_answer() {
    for by_request in [true, false] {
        for asked in [true, false] {
            let alice = if asked { config("alice") } else { with_password() };
            let flags = if by_request { request_flag::NO_RETRY } else { 0 };
            let stand = called_by_peer(Config { glare_retry: by_request, ..alice });
            let mut crossed = crossed(stand, RequestOptions { flags, ..with_sdp(HOLD) });
            crossed.stand.alice.hold(EventKind::Challenge);
            crossed.replies(401, &[CHALLENGE]);
            if asked {
                for _ in 0..2 {
                    let (now, alice) = (crossed.stand.alice.now(), &mut crossed.stand.alice);
                    let error = alice.agent.authenticate(now, crossed.id, Some(b"alice"), b"wonderland");
                    let error = error.expect_err("not now");
                    assert!(error.kind == ErrorKind::State && error.detail.ends_with("(RFC 3261 14.1)"), "{error}");
                }
                crossed.stays_silent(5);
                assert_eq!(crossed.stand.alice.count(EventKind::Reject), 0);
                let ack = crossed.ack.clone();
                crossed.stand.say(ack);
                let now = crossed.stand.alice.now();
                crossed.stand.alice.agent.authenticate(now, crossed.id, Some(b"alice"), b"wonderland").expect("now");
                crossed.stand.exchange();
                let again = crossed.stand.peer_replies("INVITE", 200, HELD);
                assert!(again.get("authorization").is_some());
                crossed.stand.peer.take("ACK");
            } else {
                assert_eq!(crossed.stand.alice.statuses(EventKind::Reject), [401]);
                crossed.stays_silent(5);
                let ack = crossed.ack.clone();
                crossed.stand.say(ack);
                crossed.stays_silent(5);
            }
            assert_eq!((crossed.stand.alice.count(EventKind::GlareRetry), crossed.stand.alice.state()), (0, GOOD));
        }
    }
}

/// 422 (RFC 4028 §7.3).
#[test]
fn one_that_is_to_ask_for_more_waits() {
    let mut stand = Stand::with(with(asking(1800)));
    stand.peer_calls();
    let mut crossed = crossed(stand, with_sdp(HOLD));
    crossed.replies(422, &[("Min-SE", "2000")]);
    crossed.stays_silent(10);
    let again = crossed.goes_on();
    assert_eq!((again.value("session-expires").split(';').next(), again.value("min-se")), (Some("2000"), "2000"));
}

/// The host's CANCEL, and the end of the call, while it waits.
#[test]
fn what_ends_the_wait() {
    let mut cancelled = crossed(called_by_peer(with_password()), with_sdp(HOLD));
    cancelled.replies(401, &[CHALLENGE]);
    assert!(cancelled.stand.alice.cancel());
    cancelled.stand.exchange();
    assert_eq!(cancelled.stand.alice.statuses(EventKind::Reject), [401]);
    let ack = cancelled.ack.clone();
    cancelled.stand.say(ack);
    cancelled.stays_silent(10);

    let mut over = crossed(called_by_peer(with_password()), with_sdp(HOLD));
    over.replies(407, &[("Proxy-Authenticate", CHALLENGE.1)]);
    let ack = over.ack.clone();
    over.stand.say(ack);
    let bye = over.stand.peer.request("BYE");
    over.stand.say(bye);
    over.stand.peer.take("200 BYE");
    over.stays_silent(10);
    assert_eq!(over.stand.alice.statuses(EventKind::Reject), [407]);
}

/// A later description of ours has gone out while it waits: RFC 3264 §8, so the host is asked for a new one.
#[test]
fn a_challenged_offer_becomes_stale_as_any_that_waits() {
    let mut crossed = crossed(called_by_peer(with_password()), with_sdp(HOLD));
    crossed.stand.alice.hold(EventKind::GlareRetry);
    crossed.replies(401, &[CHALLENGE]);
    let ack = crossed.ack.clone();
    crossed.stand.say(ack);
    crossed.stand.alice.answers(EventKind::Reinvite, ANSWER);
    let theirs = crossed.stand.peer.request("INVITE").sdp(OFFER);
    crossed.stand.say(theirs.clone());
    let ok = crossed.stand.peer.take("200 INVITE");
    let ack = crossed.stand.peer.ack(&theirs, &ok);
    crossed.stand.say(ack);
    let told = crossed.stand.alice.last(EventKind::GlareRetry);
    assert_eq!((told.status_code, told.flags), (401, flag::NEEDS_BODY));
    let now = crossed.stand.alice.now();
    let body = with_sdp(LATER).body.expect("a body");
    crossed.stand.alice.agent.retry(now, crossed.id, body).expect("it waits");
    crossed.stand.advance(seconds(5));
    let again = crossed.stand.peer_replies("INVITE", 200, HELD);
    assert_eq!(again.sdp(), Some(LATER));
    assert!(again.get("authorization").is_some());
    crossed.stand.peer.take("ACK");
}

// ---------------------------------------------------------------- UPDATE

/// The peer calls and alice's reliable answer is acknowledged: she may send UPDATE with an offer (RFC 3311 §5.1).
fn early(alice: Config) -> (Stand, Draft) {
    let mut stand = Stand::with(alice);
    knows_password(&mut stand);
    let invite = called(&mut stand, "Supported", OFFER);
    progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
    let response = take(&mut stand, "183 INVITE");
    prack(&mut stand, &response);
    (stand, invite)
}

/// RFC 6337 §4.3: no UPDATE while our 2xx waits for its ACK.
#[test]
fn a_challenged_update_waits_for_the_ack_of_the_invite() {
    for (offer, asked) in [(HOLD, false), (HOLD, true), ("", false), ("", true)] {
        let (mut stand, invite) = early(if asked { config("alice") } else { with_password() });
        stand.alice.hold(EventKind::Challenge);
        let id = stand.alice.update(offer);
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        let challenge = stand.peer.reply(&update, 401).with(CHALLENGE.0, CHALLENGE.1);
        if asked {
            stand.say(challenge.clone());
        }
        stand.alice.accept("");
        stand.exchange();
        if asked {
            let now = stand.alice.now();
            stand.alice.agent.authenticate(now, id, Some(b"alice"), b"wonderland").expect("it waits");
        } else {
            stand.say(challenge);
        }
        stand.advance(seconds(5));
        assert_eq!(stand.alice.last(EventKind::GlareRetry).status_code, 401);
        while stand.peer.got().len() > 1 {
            stand.peer.take("200 INVITE");
        }
        acknowledge(&mut stand, &invite);
        stand.advance(seconds(5));
        let again = stand.peer_replies("UPDATE", 200, if offer.is_empty() { "" } else { HELD });
        assert!(again.get("authorization").is_some() && again.sdp() == Some(offer).filter(|text| !text.is_empty()));
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// The same inside a re-INVITE of the peer's (RFC 6337 §4.3).
#[test]
fn a_challenged_update_waits_for_the_ack_of_the_reinvite_around_it() {
    let mut stand = called_by_peer(with_password());
    let reinvite = called(&mut stand, "Supported", HOLD);
    let held = stand.alice.incoming;
    progress(&mut stand, 183, &reliable(HELD)).expect("legal");
    let response = take(&mut stand, "183 INVITE");
    prack(&mut stand, &response);
    stand.alice.update(LATER);
    stand.exchange();
    let update = stand.peer.take("UPDATE");
    stand.alice.incoming = held;
    stand.alice.accept("");
    stand.exchange();
    let challenge = stand.peer.reply(&update, 401).with(CHALLENGE.0, CHALLENGE.1);
    stand.say(challenge);
    stand.advance(seconds(5));
    while stand.peer.got().len() > 1 {
        stand.peer.take("200 INVITE");
    }
    acknowledge(&mut stand, &reinvite);
    stand.advance(seconds(5));
    let again = stand.peer_replies("UPDATE", 200, HELD);
    assert_eq!((again.sdp(), stand.alice.state()), (Some(LATER), GOOD));
}

/// RFC 3311 §5.1: inside a re-INVITE of ours that begins anew its exchange has to be complete first.
#[test]
fn a_challenged_update_waits_for_the_exchange_of_our_reinvite() {
    for offer in [HOLD, ""] {
        let mut stand = called_by_peer(with_password());
        stand.alice.answers_in_ack(HELD);
        stand.alice.reinvite(offer);
        stand.exchange();
        let reinvite = stand.peer.take("INVITE");
        let described = stand.peer.reply(&reinvite, 183).reliable(1).sdp(if offer.is_empty() { HOLD } else { HELD });
        stand.say(described);
        if offer.is_empty() {
            let (now, session) = (stand.alice.now(), stand.alice.session());
            stand.alice.agent.prack(now, session, with_sdp(HELD)).expect("legal");
            stand.exchange();
        }
        stand.peer_replies("PRACK", 200, "");
        stand.alice.update(LATER);
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        // The re-INVITE is challenged first: it may not go before the UPDATE inside it is done.
        let challenge = stand.peer.reply(&reinvite, 401).with(CHALLENGE.0, CHALLENGE.1);
        stand.say(challenge);
        stand.peer.take("ACK");
        let challenge = stand.peer.reply(&update, 401).with(CHALLENGE.0, CHALLENGE.1);
        stand.say(challenge);
        stand.advance(seconds(20));
        let mut got = stand.peer.got();
        got.sort();
        got.dedup();
        assert_eq!(got.len(), 1, "one after the other: {got:?}");
        let first = got[0].clone();
        let text = if first == "INVITE" && offer.is_empty() { HOLD } else { HELD };
        stand.peer_replies(&first, 200, text);
        stand.peer.inbox.retain(|sip| sip.short() != "ACK");
        stand.advance(seconds(20));
        let second = if first == "INVITE" { "UPDATE" } else { "INVITE" };
        let text = if second == "INVITE" && offer.is_empty() { HOLD } else { HELD };
        stand.peer_replies(second, 200, text);
        assert_eq!(stand.alice.state(), GOOD);
    }
}

/// RFC 3311 §5.1: the peer's Allow has lost UPDATE while one of ours waited. It is not waited for ever.
#[test]
fn an_update_that_the_peer_takes_no_more_is_given_up() {
    for challenged in [true, false] {
        let mut stand = called_by_peer(with_password());
        stand.alice.update(HOLD);
        stand.exchange();
        let update = stand.peer.take("UPDATE");
        let refusal = stand.peer.reply(&update, if challenged { 401 } else { 491 });
        let refusal = if challenged { refusal.with(CHALLENGE.0, CHALLENGE.1) } else { refusal };
        if !challenged {
            stand.say(refusal.clone());
        }
        stand.alice.answers(EventKind::Update, "");
        let without = stand.peer.request("UPDATE").with("Allow", "INVITE, ACK, CANCEL, BYE");
        stand.say(without);
        stand.peer.take("200 UPDATE");
        if challenged {
            stand.say(refusal);
        }
        stand.advance(seconds(60));
        assert_eq!(stand.alice.statuses(EventKind::Reject), [if challenged { 401 } else { 491 }]);
        assert_eq!((stand.peer.got(), stand.alice.state()), (vec![], GOOD));
        assert!(stand.alice.count(EventKind::GlareRetry) <= 1);
    }
}

// ---------------------------------------------------------------- the next target, a late look-up

/// Alice's next requests go to a name with two targets, of which the first is silent or refuses. That nobody answers her
/// re-INVITE would end the call.
fn at_a_name() -> Stand {
    let mut alice = config("alice");
    alice.set_effect(b"INVITE", 0, Effect::Dialog).expect("legal");
    let mut stand = Stand::with(alice);
    stand.peer.contact = "sip:peer@gw.example".to_owned();
    finds(&mut stand.alice, &[FIRST, BOB]);
    stand.alice.invite(TO_BOB, OFFER);
    stand.exchange();
    stand.peer_replies("INVITE", 200, ANSWER);
    stand
}

/// The peer's re-INVITE meets ours, which is on its way to the first target; its 491 waits for this ACK. Then the first
/// target says 503, or never says anything.
fn fails_at_the_first(stand: &mut Stand, status: u16) -> Draft {
    stand.advance(seconds(10));
    stand.peer.cseq += 100;
    let theirs = stand.peer.request("INVITE").sdp(OFFER);
    stand.say(theirs.clone());
    let refused = stand.peer.take("491 INVITE");
    if status == 503 {
        first_replies(stand, "INVITE", 503);
    } else {
        stand.advance(seconds(23));
    }
    stand.peer.ack(&theirs, &refused)
}

fn invites(stand: &Stand) -> usize {
    sent(stand, "INVITE").len()
}

/// RFC 3263 §4.3: the try at the next target is another INVITE transaction.
#[test]
fn one_that_goes_to_the_next_target_waits() {
    for status in [503, 491] {
        let mut stand = at_a_name();
        stand.alice.reinvite(HOLD);
        let ack = fails_at_the_first(&mut stand, status);
        let before = invites(&stand);
        stand.advance(seconds(8));
        assert_eq!(invites(&stand), before, "{status}");
        let told = stand.alice.last(EventKind::GlareRetry);
        assert_eq!((told.status_code, told.flags), (status, if status == 503 { 0 } else { flag::LOCAL }));
        stand.peer.inbox.clear();
        stand.say(ack);
        stand.advance(seconds(5));
        let again = stand.peer_replies("INVITE", 200, HELD);
        assert_eq!((again.sdp(), stand.alice.state()), (Some(HOLD), GOOD), "{status}");
        stand.peer.take("ACK");
    }
}

/// Where it may not wait the last failure is told, or where there was no answer a local 491; the call goes on.
#[test]
fn without_retries_the_failure_at_the_first_target_is_told() {
    for status in [503, 491] {
        let mut stand = at_a_name();
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let options = RequestOptions { flags: request_flag::NO_RETRY, ..with_sdp(HOLD) };
        stand.alice.agent.reinvite(now, session, options).expect("legal");
        let ack = fails_at_the_first(&mut stand, status);
        let told = stand.alice.last(EventKind::Reject);
        assert_eq!((told.status_code, told.flags), (status, if status == 503 { 0 } else { flag::LOCAL }));
        stand.peer.inbox.clear();
        stand.say(ack);
        stand.advance(seconds(5));
        assert_eq!((stand.peer.got(), stand.alice.state()), (vec![], GOOD));
    }
}

/// What a name led to comes when the request may not go any more.
#[test]
fn one_whose_name_is_found_late_waits() {
    for flags in [0, request_flag::NO_RETRY] {
        let mut stand = Stand::new();
        stand.peer.contact = "sip:peer@gw.example".to_owned();
        stand.alice.hold(EventKind::Resolve);
        let invite = called(&mut stand, "Supported", OFFER);
        progress(&mut stand, 183, &reliable(ANSWER)).expect("legal");
        let response = take(&mut stand, "183 INVITE");
        prack(&mut stand, &response);
        let (now, session) = (stand.alice.now(), stand.alice.session());
        let id = stand.alice.agent.update(now, session, RequestOptions { flags, ..with_sdp(HOLD) }).expect("legal");
        stand.exchange();
        stand.alice.accept("");
        stand.exchange();
        let (now, query) = (stand.alice.now(), stand.alice.last(EventKind::Resolve).query);
        assert!(stand.alice.agent.resolved(now, query, &[to(BOB)]));
        stand.exchange();
        assert_eq!(stand.peer.got(), ["200 INVITE"]);
        if flags == 0 {
            assert_eq!(stand.alice.agent.outgoing(id).expect("it waits").state(), OutgoingState::WaitingRetry);
        } else {
            let told = stand.alice.last(EventKind::Reject);
            assert_eq!((told.status_code, told.flags, told.outgoing), (491, flag::LOCAL, Some(id)));
        }
        acknowledge(&mut stand, &invite);
        stand.advance(seconds(5));
        if flags == 0 {
            assert_eq!(stand.peer_replies("UPDATE", 200, HELD).sdp(), Some(HOLD));
            stand.peer.inbox.retain(|sip| sip.short() != "UPDATE");
        }
        assert_eq!((stand.peer.got(), stand.alice.state()), (vec![], GOOD));
    }
}

// ---------------------------------------------------------------- what is not the host's

/// A refresh does not wait: the session timer tries again (RFC 4028 §10).
#[test]
fn a_challenged_refresh_is_left_to_the_session_timer() {
    let mut alice = with(asking(1800));
    alice.add_credentials(Some(b"example.com"), b"alice", b"wonderland", false, None).expect("credentials");
    let mut stand = Stand::with(alice);
    knows_password(&mut stand);
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    answer(&mut stand, &invite, &[("Session-Expires", "1800;refresher=uac"), ("Supported", "timer")]);
    stand.advance(seconds(900));
    let ours = stand.peer.take("INVITE");
    let theirs = stand.peer.request("INVITE").sdp(HOLD);
    stand.say(theirs.clone());
    let refused = stand.peer.take("491 INVITE");
    let challenge = stand.peer.reply(&ours, 401).with(CHALLENGE.0, CHALLENGE.1);
    stand.say(challenge);
    stand.peer.take("ACK");
    stand.advance(seconds(5));
    stand.peer.inbox.retain(|sip| sip.status() != Some(491));
    assert_eq!(stand.peer.got(), NOTHING);
    assert_eq!((stand.alice.count(EventKind::GlareRetry), stand.alice.count(EventKind::Reject)), (0, 0));
    let ack = stand.peer.ack(&theirs, &refused);
    stand.say(ack);
    stand.advance(seconds(900 / 2));
    let again = stand.peer.take("INVITE");
    let challenge = stand.peer.reply(&again, 401).with(CHALLENGE.0, CHALLENGE.1);
    stand.say(challenge);
    stand.peer.take("ACK");
    let again = stand.peer.take("INVITE");
    assert!(again.get("authorization").is_some());
    let ok = stand.peer.reply(&again, 200).with("Session-Expires", "1800;refresher=uac").sdp(ANSWER);
    stand.say(ok);
    stand.peer.take("ACK");
    assert_eq!(stand.alice.state(), GOOD);
}

/// RFC 3262 §4: after the final response to its INVITE a PRACK means nothing any more, and an offer in it would stand
/// beside those of the dialog.
#[test]
fn a_challenged_prack_does_not_outlive_its_invite() {
    for offers in [true, false] {
        let mut stand = Stand::with(with_password());
        knows_password(&mut stand);
        let options = RequestOptions { flags: request_flag::MANUAL_PRACK, ..with_sdp(OFFER) };
        stand.alice.invite_with(TO_BOB, options);
        stand.exchange();
        let invite = stand.peer.take("INVITE");
        stand.peer.learn(&invite);
        let described = stand.peer.reply(&invite, 183).reliable(1).sdp(ANSWER);
        stand.say(described);
        let (now, session) = (stand.alice.now(), stand.alice.session());
        stand.alice.agent.prack(now, session, with_sdp(if offers { HOLD } else { "" })).expect("legal");
        stand.exchange();
        let ours = stand.peer.take("PRACK");
        let ok = stand.peer.reply(&invite, 200);
        stand.say(ok);
        stand.peer.take("ACK");
        let challenge = stand.peer.reply(&ours, 401).with(CHALLENGE.0, CHALLENGE.1);
        stand.say(challenge);
        assert_eq!((stand.peer.got(), stand.alice.state()), (vec![], GOOD));
        assert_eq!(stand.alice.statuses(EventKind::Reject), [401]);
        stand.alice.reinvite(HOLD);
        stand.exchange();
        stand.peer_replies("INVITE", 200, HELD);
        stand.peer.take("ACK");
    }
}
