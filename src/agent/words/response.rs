//! Responses of ours: what every one carries, and how they go out.

use crate::agent::options::{Body, ResponseOptions};
use crate::agent::wire::transport::ContactKind;
use crate::agent::words::face::TIMER;
use crate::agent::words::headers::HostHeaders;
use crate::agent::{Agent, Bytes, IncomingId};
use crate::config::SessionTimer;
use crate::dialog::target;
use crate::error::{Error, Result};
use crate::message::write;
use crate::message::{self, HeaderId, Message, Method, Refresher, SessionExpires};
use crate::random::Random;
use crate::session::offer_answer::{Party, Shown};
use crate::session::session_timer::Answered;
use crate::transaction::ServerId;

/// A response to be written.
#[derive(Debug, Default)]
pub(in crate::agent) struct Answer<'a> {
    pub status: u16,
    pub reason: Option<&'a [u8]>,
    /// Contact and Record-Route: it makes or refreshes a dialog (RFC 3261 §12.1.1).
    pub dialog: bool,
    /// Allow and Supported.
    pub abilities: bool,
    /// Accept.
    pub accept: bool,
    /// Recv-Info (RFC 6086 §5.2.2).
    pub recv_info: bool,
    /// Further lines of ours, each with its line end.
    pub lines: &'a [u8],
    pub host: HostHeaders<'a>,
    pub body: Option<message::Body<'a>>,
    /// What holds for the call's session timer, where that is not the configuration's.
    pub terms: Option<SessionTimer>,
    /// Session-Expires (RFC 4028 §9).
    pub session_timer: Option<Answered>,
}

impl<'a> Answer<'a> {
    /// A plain one, made here.
    pub(in crate::agent) fn plain(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// With what the host wants in it.
    pub(in crate::agent) fn of_host(status: u16, options: &ResponseOptions<'a>, in_dialog: bool) -> Result<Self> {
        Self::with_headers(status, options, HostHeaders::read(&options.headers, in_dialog)?)
    }

    /// The same for a 101 to 199, in which the host may write RSeq.
    pub(in crate::agent) fn provisional(status: u16, options: &ResponseOptions<'a>) -> Result<Self> {
        Self::with_headers(status, options, HostHeaders::read_numbered(&options.headers, true, Some(HeaderId::RSeq))?)
    }

    /// With the answer that was shown, where there is one to be repeated.
    pub(in crate::agent) fn or_shown(self, shown: Option<&'a Shown>) -> Self {
        match shown {
            Some(shown) => Self { body: Some(shown.body()), lines: shown.lines(), ..self },
            None => self,
        }
    }

    fn with_headers(status: u16, options: &ResponseOptions<'a>, host: HostHeaders<'a>) -> Result<Self> {
        if let Some(reason) = options.reason_phrase {
            write::check_line(reason)?;
        }
        Ok(Self {
            status,
            reason: options.reason_phrase,
            host: host.and_reason(options.reason)?,
            body: options.body.map(Body::checked).transpose()?,
            terms: options.session_timer,
            ..Self::default()
        })
    }
}

impl Agent {
    /// Writes a response to `request`. `to_tag`: for a request without one.
    pub(in crate::agent) fn write_response(
        &mut self,
        request: &Message,
        answer: &Answer<'_>,
        to_tag: Option<&[u8]>,
    ) -> Bytes {
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        write::response_head(&mut out, request, answer.status, answer.reason, to_tag);
        let host = &answer.host;
        if answer.dialog {
            write::record_routes(&mut out, request);
            if let Some(flow) = request.flow().filter(|_| !host.has(HeaderId::Contact)) {
                let sips = target::wants_sips(request) || self.is_of_sips_dialog(request);
                let kind = ContactKind::of(flow.transport, sips, || target::says_tls(request));
                self.transports.write_contact(&mut out, &self.config, flow, kind);
            }
        }
        if answer.abilities && !host.has(HeaderId::Allow) {
            out.extend_from_slice(&self.face.allow_line);
        }
        match (answer.abilities, host.is_empty() && answer.terms.is_none()) {
            (true, true) => out.extend_from_slice(&self.face.supported_line),
            (false, true) => {}
            (abilities, false) => {
                let timer = answer.terms.unwrap_or(self.config.session_timer).is_on();
                host.write(&mut out, if abilities { self.face.supported(timer) } else { b"" });
            }
        }
        if let Some(Answered { agreed, required }) = answer.session_timer {
            let refresher = if agreed.refresher == Party::Local { Refresher::Uas } else { Refresher::Uac };
            write_session_expires(&mut out, SessionExpires { seconds: agreed.interval_s, refresher: Some(refresher) });
            if required && !host.requires(TIMER) {
                write::header(&mut out, HeaderId::Require, &[TIMER]);
            }
        }
        if answer.accept && !host.has(HeaderId::Accept) {
            write::header(&mut out, HeaderId::Accept, &[b"application/sdp"]);
        }
        if answer.recv_info && !host.has(HeaderId::RecvInfo) {
            out.extend_from_slice(&self.face.recv_info_line);
        }
        out.extend_from_slice(answer.lines);
        if !host.has(HeaderId::Server) {
            out.extend_from_slice(&self.face.server_line);
        }
        write::finish(&mut out, answer.body.as_ref());
        let bytes = Bytes::from(&out[..]);
        self.scratch = out;
        bytes
    }

    /// RFC 5630 §5.1.1.2: what sips made stays so, whatever the peer writes later.
    fn is_of_sips_dialog(&self, request: &Message) -> bool {
        let dialog = request.to_tag().and_then(|_| self.objects.dialog_of(request));
        dialog.and_then(|id| self.objects.holder(id)).is_some_and(|holder| holder.dialog().secure)
    }

    /// Sends a response in its transaction.
    pub(in crate::agent) fn respond(&mut self, transaction: ServerId, status: u16, bytes: Bytes) -> Result<()> {
        if self.table.has_stranded() {
            self.response_has_way(transaction);
        }
        let (table, mut effects) = self.transactions();
        table.respond(&mut effects, transaction, status, bytes).map(|_| ())
    }

    /// Answers a request that waits, finally or not.
    pub(in crate::agent) fn respond_to(
        &mut self,
        id: IncomingId,
        answer: &Answer<'_>,
        to_tag: Option<&[u8]>,
    ) -> Result<Bytes> {
        let incoming = self.incoming(id)?;
        let request = std::sync::Arc::clone(incoming.message()?);
        self.answer_fits(&request, answer)?;
        let transaction =
            incoming.transaction.ok_or_else(|| Error::state("the request has no transaction any more"))?;
        let bytes = self.write_response(&request, answer, to_tag);
        self.respond(transaction, answer.status, Bytes::clone(&bytes))?;
        if (200..300).contains(&answer.status) {
            self.client_came(&request, true);
        }
        Ok(bytes)
    }
}

/// Session-Expires (RFC 4028 §4).
pub(in crate::agent) fn write_session_expires(out: &mut Vec<u8>, interval: SessionExpires) {
    let refresher = match interval.refresher {
        None => "",
        Some(Refresher::Uac) => ";refresher=uac",
        Some(Refresher::Uas) => ";refresher=uas",
    };
    write::header(out, HeaderId::SessionExpires, &[format!("{}{refresher}", interval.seconds).as_bytes()]);
}

/// Whether `status` is one that the call may give.
pub(in crate::agent) fn checked_status(status: u16, default: u16, range: std::ops::RangeInclusive<u16>) -> Result<u16> {
    match status {
        0 => Ok(default),
        status if range.contains(&status) => Ok(status),
        _ => Err(Error::argument(format!("status_code: {} to {}", range.start(), range.end()))),
    }
}

/// RFC 6086 §5.2.2: Recv-Info goes into responses to an INVITE or UPDATE that had it, never else.
pub(in crate::agent) fn wants_recv_info(request: &Message) -> bool {
    matches!(request.method(), Method::Invite | Method::Update) && request.header(HeaderId::RecvInfo).is_some()
}

/// Retry-After of 1 to 10 s: random in 0..10 by RFC 3261 §14.2, but the header is a positive number (§20.33).
pub(in crate::agent) fn retry_after_line(random: &mut Random) -> Vec<u8> {
    let mut line = Vec::new();
    write::number_header(&mut line, HeaderId::RetryAfter, 1 + random.below(10));
    line
}
