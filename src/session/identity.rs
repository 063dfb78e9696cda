//! Connected identity (RFC 4916): who answered tells its identity by UPDATE, and the peer's may change. A dialog is found
//! by its tags alone, so that whatever URIs the peer writes are good.

use crate::dialog::id::{AddressText, Names};
use crate::message::Message;
use crate::session::change::By;
use crate::session::{Session, SessionState};

impl Session {
    /// The caller is to be told who we are once its call stands (§4).
    pub fn owe_identity(&mut self) {
        self.lasting.owes_identity = true;
    }

    /// The same is not to be told now. Whether it was.
    pub fn hold_identity(&mut self) -> bool {
        std::mem::take(&mut self.lasting.owes_identity)
    }

    /// Whether it is to be told now, which it then is: not beside an UPDATE of ours (RFC 3311 §5.2), but after it. The
    /// library sends UPDATE by itself only to who lists it.
    pub fn identity_due(&mut self) -> bool {
        let stands = self.state() == SessionState::Confirmed && self.running.our(By::Update).is_none();
        let due = stands && std::mem::take(&mut self.lasting.owes_identity);
        due && self.lasting.peer.takes_update() && self.takes_update().is_ok()
    }

    /// Its requests come from this address from now on. Gives the names that it had.
    pub fn come_from(&mut self, address: AddressText<'_>) -> Names {
        let names = self.lasting.dialog.names.with_local_address(address);
        self.go_by(names)
    }

    /// Goes by these names.
    pub fn go_by(&mut self, names: Names) -> Names {
        std::mem::replace(&mut self.lasting.dialog.names, names)
    }

    /// The peer has accepted a request of ours, and with it where that came from.
    pub fn our_identity_taken(&mut self, request: &Message) {
        let from = AddressText::of_from(request).ok().filter(|from| *from.uri != *self.local_uri());
        if let Some(from) = from {
            self.come_from(from);
        }
    }

    /// We have accepted a re-INVITE or UPDATE of the peer's, and with it where that came from: To of our requests from now
    /// on. Only another URI is another identity.
    pub(super) fn take_their_identity(&mut self, request: &Message) {
        let changed = request.from_uri().is_some_and(|uri| *uri != *self.remote_uri());
        if let (true, Ok(from)) = (changed, AddressText::of_from(request)) {
            let names = self.lasting.dialog.names.with_remote_address(from);
            self.go_by(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    fn update(from: &str) -> Message {
        let mut text = String::from_utf8(fixture::request("UPDATE", 2, "").bytes().to_vec()).expect("text");
        let line = text.lines().find(|line| line.starts_with("From:")).expect("a From").to_owned();
        text = text.replace(&line, &format!("From: {from};tag=peer"));
        Message::parse(text.as_bytes(), None).expect("good")
    }

    #[test]
    fn whose_name_counts() {
        for (from, expected) in [
            ("<sip:carol@h>", "<sip:carol@h>"),
            ("\"Carol\" <sip:carol@h>", "\"Carol\" <sip:carol@h>"),
            ("sip:carol@h", "sip:carol@h"),
        ] {
            let mut session = fixture::confirmed_callee();
            let before = session.dialog().names.clone();
            session.take_their_identity(&update(from));
            let names = &session.dialog().names;
            assert_eq!((names.remote_uri(), names.remote_address()), (&b"sip:carol@h"[..], expected.as_bytes()));
            let kept = |names: &Names| {
                [names.call_id(), names.local_tag(), names.remote_tag(), names.local_address()].map(<[u8]>::to_vec)
            };
            assert_eq!(kept(names), kept(&before));
            // The same URI with another name is the same identity.
            session.take_their_identity(&update("\"C\" <sip:carol@h>"));
            assert_eq!(session.dialog().names.remote_address(), expected.as_bytes());
        }
    }
}
