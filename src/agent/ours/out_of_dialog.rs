//! Requests of ours out of a dialog (RFC 3261 §8.1).

use crate::agent::options::{Body, RequestOptions};
use crate::agent::ours::authentication::Authentication;
use crate::agent::ours::draft::{Draft, Identity, OwnLines};
use crate::agent::ours::outgoing::{Kind, Outgoing};
use crate::agent::ours::register::Asks;
use crate::agent::words::headers::HostHeaders;
use crate::agent::{Agent, OutgoingId};
use crate::dialog::route_set::RouteSet;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{HeaderId, Method, NameAddr, Uri, write};
use crate::time::Now;

impl Agent {
    /// Any request of ours out of a dialog but those that need one, and INVITE.
    pub fn request(
        &mut self,
        now: Now,
        method: &[u8],
        target: &[u8],
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.at(now);
        write::check_token(method).map_err(|_| Error::syntax("method: a token (RFC 3261 25.1)"))?;
        let known = Method::from_name(method);
        match known {
            Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack | Method::Update => {
                return Err(Error::argument("method: has a function of its own, or needs a dialog"));
            }
            Method::Subscribe | Method::Refer => {
                let reason =
                    "method: SUBSCRIBE is none of the library's, REFER goes in a dialog (sipdlg_session_refer)";
                return Err(Error::new(ErrorKind::Unsupported, reason));
            }
            _ => {}
        }
        if options.refer.is_some() {
            return Err(Error::argument("options.refer: only an INVITE is asked for by a REFER"));
        }
        let target = host_target(target)?;
        let id = self.draft_out_of_dialog((known, method), &target, options, Kind::Other)?;
        self.launch(id);
        Ok(id)
    }

    /// Drafts a request out of a dialog (§8.1.1).
    pub(in crate::agent) fn draft_out_of_dialog(
        &mut self,
        method: (Method, &[u8]),
        target: &Uri<'_>,
        options: RequestOptions<'_>,
        kind: Kind,
    ) -> Result<OutgoingId> {
        self.table.room()?;
        if target.asks_for_other(method.1) {
            return Err(Error::syntax("target: its method is another one (RFC 3261 19.1.5)"));
        }
        let host = HostHeaders::of_request(method.0, &options.headers, false)?.and_reason(options.reason)?;
        let body = options.body.map(Body::checked).transpose()?;
        let from = checked_address(options.from.unwrap_or(&self.config.aor))?.to_vec();
        let register = (method.0 == Method::Register).then(|| options.register.unwrap_or_default());
        let to = match options.to {
            Some(to) => checked_address(to)?.into(),
            // RFC 3261 §10.2: whose bindings these are.
            None if register.is_some() => self.config.aor.clone().into(),
            None => target.as_identity(),
        };
        if let Some(call_id) = options.call_id {
            write::check_line(call_id)?;
            if call_id.is_empty() || call_id.iter().any(u8::is_ascii_whitespace) {
                return Err(Error::syntax("call_id: word [@word] (RFC 3261 25.1)"));
            }
        }
        let call_id: Box<[u8]> = options.call_id.map_or_else(|| self.token(b"", 16), Box::from);
        let from_tag = self.token(b"", 10);
        let expires_s = register.and_then(|binding| binding.expires());
        let expires_s = expires_s.or_else(|| (options.expires_ms > 0).then(|| options.expires_ms.div_ceil(1_000)));
        let (timer, timed) = self.asks(method.0, None, &host, options.session_timer);
        let flow = register.is_some_and(|binding| binding.reg_id > 0);
        let own = OwnLines { expires_s, flow, recv_info: method.0 == Method::Invite, timer, ..OwnLines::of(method.0) };
        let tail = self.tail(&host, own, body.as_ref());
        let routes = RouteSet::new(self.config.route_set.iter().map(|route| &route[..]));
        let request_uri = target.as_request_uri();
        let destination = routes.destination(&request_uri);
        let identity = Identity { from: &from, from_tag: &from_tag, to: &to, to_tag: b"", call_id: &call_id };
        let cseq = register.map_or(1, |binding| binding.cseq.max(1));
        let mut draft = Draft::new(method, &destination, &identity, cseq, &host, tail);
        if let Some(binding) = register {
            let parameters = binding.contact_parameters()?;
            if binding.asks != Asks::Query && !host.has(HeaderId::Contact) {
                draft.registers(&destination, parameters);
            }
        }
        self.request_fits(&draft)?;
        let mut outgoing = Outgoing::new(method.0, kind, draft);
        outgoing.timed = timed;
        outgoing.flags = options.flags;
        outgoing.attachment = options.attachment;
        outgoing.fixed_flow = options.flow;
        outgoing.auth = Authentication::with(&options.credentials);
        outgoing.came_by = options.refer.and_then(|refer| self.came_by_of_refer_to(refer));
        let id = self.objects.add_outgoing(outgoing)?;
        // What can be known at once is told at once.
        if let Err(error) = self.find_way(id) {
            self.objects.outgoing.remove(id);
            return Err(error);
        }
        Ok(id)
    }
}

/// What the host wants to reach.
pub(in crate::agent) fn host_target(text: &[u8]) -> Result<Uri<'_>> {
    write::check_line(text)?;
    Uri::parse(text)
}

/// A name-addr or URI without tag, for From and To.
fn checked_address(text: &[u8]) -> Result<&[u8]> {
    write::check_line(text)?;
    let (address, _) = NameAddr::of_host(text)?;
    if address.parameters.is_empty() {
        Ok(text)
    } else {
        Err(Error::syntax("from, to: a name-addr without parameters; the tag is the library's"))
    }
}
