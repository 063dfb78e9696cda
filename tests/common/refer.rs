//! REFERs and their NOTIFYs, as an agent or a scripted peer sends them.

use super::draft::Draft;
use super::pair::Stand;
use super::party::Party;
use sipdlg::agent::{EventKind, OutgoingId, RequestOptions, SessionId};
use sipdlg::error::Result;

pub const CAROL: &str = "sip:carol@example.com";

pub fn accepts(party: &mut Party) {
    party.answers(EventKind::Refer, "");
}

pub fn refer_with(
    party: &mut Party,
    to: Option<&str>,
    replaces: Option<SessionId>,
    headers: &[&[u8]],
) -> Result<OutgoingId> {
    let options = RequestOptions { headers: headers.to_vec(), ..RequestOptions::default() };
    let (now, session) = (party.now(), party.session());
    party.agent.refer(now, session, to.map(str::as_bytes), replaces, options)
}

/// REFER of the peer in alice's call.
pub fn refer_of(stand: &mut Stand) -> Draft {
    let contact = format!("<{}>", stand.peer.contact);
    stand.peer.request("REFER").with("Contact", contact).with("Refer-To", format!("<{CAROL}>"))
}

pub fn notify_of(stand: &mut Stand, event: &str, state: &str, fragment: &str) -> Draft {
    let contact = format!("<{}>", stand.peer.contact);
    let notify = stand.peer.request("NOTIFY").with("Contact", contact).with("Event", event);
    notify.with("Subscription-State", state).content("message/sipfrag;version=2.0", fragment)
}
