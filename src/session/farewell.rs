//! The 199 with which one of several early dialogs of the peer's INVITE ends (RFC 6228 §5), where the caller wants every
//! provisional response reliable: it is repeated until its PRACK, in a dialog that is over (RFC 3262 §3).

use crate::message::Message;
use crate::message::rack::RAck;
use crate::session::Session;
use crate::session::deed::{Clock, Deeds, also};
use crate::session::reliable_server::Provisional;
use crate::slots::IncomingId;

impl Session {
    /// The number of the last reliable response, behind which a reliable 199 may go out. Errors as `None`: the caller
    /// would not take it, for one before it is not acknowledged, or the offer that the INVITE lacks did not come before
    /// (RFC 3262 §3, §5). The number is `None` where it is the first.
    pub fn farewell_after(&self, invite: IncomingId, request: &Message) -> Option<Option<u32>> {
        match self.reliable_server(invite) {
            Some(server) => server.is_idle().then(|| Some(server.last_rseq())),
            None => request.session_body().is_some().then_some(None),
        }
    }

    /// The session has ended, and its 199 goes out until the PRACK.
    pub fn farewell(
        &mut self,
        invite: IncomingId,
        request: &Message,
        farewell: Provisional,
        clock: &mut impl Clock,
    ) -> Deeds {
        self.queue_reliably(invite, request, farewell, clock).0
    }

    /// A PRACK in a dialog that is over: that of the 199. `None`: it is not.
    pub fn farewell_acknowledged(&mut self, rack: &RAck<'_>, clock: &mut impl Clock) -> Option<Deeds> {
        let server = self.running.reliable_server.as_mut().filter(|server| server.meant_by(rack).is_some())?;
        server.acknowledged(clock);
        Some(self.farewell_over(clock))
    }

    /// It is repeated no more: acknowledged, given up, or the INVITE has its final response.
    pub fn farewell_over(&mut self, clock: &mut impl Clock) -> Deeds {
        let mut deeds = Deeds::new();
        if self.is_terminated() && self.reliable_over(&mut deeds, clock).is_some() {
            also(&mut deeds, self.finish_if_due());
        }
        deeds
    }
}
