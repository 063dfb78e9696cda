//! The INVITE that a REFER asks for, and what becomes of it (RFC 3515 §2.4.5, RFC 3892).

use crate::agent::event::{Event, EventKind, flag};
use crate::agent::options::{RequestOptions, ResponseOptions};
use crate::agent::ours::outgoing::Outgoing;
use crate::agent::refer::request::refer_target;
use crate::agent::theirs::incoming::Incoming;
use crate::agent::{Agent, IncomingId, OutgoingId};
use crate::error::{Error, Result};
use crate::flow::Transport;
use crate::message::uri::{is_named, unescape};
use crate::message::{HeaderId, Method, Replaces, write};

/// What a REFER asks an INVITE for.
pub(in crate::agent) struct Asked {
    /// The Request-URI and To.
    pub target: Vec<u8>,
    /// Replaces and Referred-By, as header lines.
    pub lines: Vec<Vec<u8>>,
}

impl Agent {
    /// What the INVITE takes from the REFER that asked for it.
    pub(in crate::agent) fn asked_by(&self, id: IncomingId, options: &RequestOptions<'_>) -> Result<Asked> {
        let incoming = self.incoming(id)?;
        let refused = incoming.answered && incoming.notifier().is_none();
        if incoming.method != Method::Refer {
            return Err(Error::argument("options.refer: not a REFER"));
        }
        if refused {
            return Err(Error::state("options.refer: the REFER was refused, or its subscription is over"));
        }
        let request = incoming.message()?;
        let uri = refer_target(request)?;
        if uri.asks_for_other(b"INVITE") {
            return Err(Error::state("options.refer: its Refer-To asks for another method (RFC 3515 2.1)"));
        }
        let given = |id: HeaderId| {
            options.headers.iter().any(|line| write::split_header_line(line).is_ok_and(|(name, _)| name.id() == id))
        };
        let mut lines = Vec::new();
        for header in uri.headers().filter(|header| is_named(header, b"Replaces") && !given(HeaderId::Replaces)) {
            let value = unescape(header.value.unwrap_or_default());
            Replaces::parse(&value)?;
            write::check_line(&value)?;
            lines.push([b"Replaces: ", &*value].concat());
        }
        // RFC 3892 §2.2: unchanged.
        if let Some(referred_by) = request.header(HeaderId::ReferredBy).filter(|_| !given(HeaderId::ReferredBy)) {
            lines.push([b"Referred-By: ", referred_by].concat());
        }
        Ok(Asked { target: uri.as_request_uri().into_owned(), lines })
    }

    /// How the peer's Refer-To is read: it is a Contact of its side, so `tcp` in it means TLS where the REFER came over
    /// that; who has TCP as well cannot tell.
    pub(in crate::agent) fn came_by_of_refer_to(&self, id: IncomingId) -> Option<Transport> {
        let flow = self.objects.incoming.get(id)?.message().ok()?.flow()?;
        Some(flow.transport).filter(|_| !self.transports.has(Transport::Tcp))
    }

    /// An INVITE of ours goes out because of a REFER, which is accepted with it.
    pub(in crate::agent) fn tie_to_refer(&mut self, id: OutgoingId, refer: IncomingId) -> Result<()> {
        if !self.incoming(refer)?.answered {
            self.accept_refer(refer, 200, &ResponseOptions::default())?;
        }
        // A REFER that wants no subscription hears nothing.
        let hears = self.objects.incoming.get(refer).is_some_and(|incoming| incoming.notifier().is_some());
        if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
            invite.refer = Some(refer).filter(|_| hears);
        }
        Ok(())
    }

    /// What becomes of the INVITE is told to who asked for it (RFC 3515 §2.4.5).
    pub(in crate::agent) fn tell_referrer(&mut self, id: OutgoingId, event: &Event) {
        let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) else { return };
        let Some(refer) = invite.refer else { return };
        let status = match event.kind {
            EventKind::Trying | EventKind::Progress => event.status_code,
            EventKind::Accept | EventKind::Redirect | EventKind::Reject => {
                invite.refer = None;
                // No answer at all: it failed.
                if event.flags & flag::LOCAL != 0 && event.status_code == 408 { 503 } else { event.status_code }
            }
            _ => return,
        };
        let said = self
            .objects
            .incoming
            .get(refer)
            .and_then(Incoming::notifier)
            .is_some_and(|notifier| notifier.last.0 == status);
        if !said {
            self.notify_progress(refer, status, event.message.as_ref().and_then(|message| message.reason()));
        }
    }
}
