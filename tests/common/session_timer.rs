//! Session timers (RFC 4028) as tests speak of them.

use super::draft::Draft;
use super::pair::{Stand, TO_BOB};
use super::party::{Party, config, with_sdp};
use super::sip::Sip;
use super::{ANSWER, OFFER};
use sipdlg::agent::{OutgoingId, RequestOptions};
use sipdlg::config::{Config, Policy, Refresher, SessionTimer};
use sipdlg::session::offer_answer::Party as Side;

/// Methods of a peer that takes UPDATE.
pub const WITH_UPDATE: &str = "INVITE, ACK, CANCEL, BYE, UPDATE";

pub fn terms(policy: Policy, interval_s: u32, min_se_s: u32, refresher: Refresher) -> SessionTimer {
    SessionTimer::new(policy, interval_s, min_se_s, refresher).expect("terms")
}

/// SUPPORTED, with this interval.
pub fn asking(interval_s: u32) -> SessionTimer {
    terms(Policy::Supported, interval_s, 0, Refresher::Any)
}

/// Alice's configuration.
pub fn with(terms: SessionTimer) -> Config {
    Config { session_timer: terms, ..config("alice") }
}

/// Interval, refresher, seconds left; "": none.
#[track_caller]
pub fn timer(party: &Party) -> String {
    let Ok(session) = party.agent.session(party.session()) else { return "over".to_owned() };
    session.interval(party.now().monotonic).map_or_else(String::new, |it| {
        let refresher = if it.agreed.refresher == Side::Local { "local" } else { "remote" };
        format!("{} {refresher} {}", it.agreed.interval_s, (it.left.as_millis() + 500) / 1_000)
    })
}

/// Alice calls; the INVITE.
#[track_caller]
pub fn invited(stand: &mut Stand, options: RequestOptions<'_>) -> (OutgoingId, Sip) {
    let outgoing = stand.alice.invite_with(TO_BOB, RequestOptions { body: with_sdp(OFFER).body, ..options });
    stand.exchange();
    let invite = stand.peer.take("INVITE");
    stand.peer.learn(&invite);
    (outgoing, invite)
}

/// The peer answers with 200, these header lines and its description.
#[track_caller]
pub fn answer(stand: &mut Stand, invite: &Sip, lines: &[(&str, &str)]) {
    let ok = lines.iter().fold(stand.peer.reply(invite, 200), |ok, (name, value)| ok.with(name, *value));
    stand.say(ok.sdp(ANSWER));
    stand.peer.take("ACK");
}

/// Alice has called under these terms and was answered with these header lines.
#[track_caller]
pub fn called(terms: SessionTimer, lines: &[(&str, &str)]) -> Stand {
    let mut stand = Stand::with(with(terms));
    let (_, invite) = invited(&mut stand, RequestOptions::default());
    answer(&mut stand, &invite, lines);
    stand
}

/// What the request says of session timers: Session-Expires, Min-SE, whether it supports and requires them.
pub fn says(message: &Sip) -> String {
    let tag = |name: &str, short: &str| {
        let lists = [message.all(name), message.all(short)].concat();
        lists.iter().any(|list| list.split(',').any(|tag| tag.trim() == "timer"))
    };
    let least = message.get("min-se").map_or_else(String::new, |least| format!(" min {least}"));
    let expires = message.get("session-expires").unwrap_or("-");
    let supported = if tag("supported", "k") { "" } else { " unsupported" };
    let required = if tag("require", "") { " required" } else { "" };
    format!("{expires}{least}{supported}{required}")
}

/// A request of the peer's with these lines.
pub fn with_lines(draft: Draft, lines: &[(&str, &str)]) -> Draft {
    lines.iter().fold(draft, |draft, (name, value)| draft.with(name, *value))
}
