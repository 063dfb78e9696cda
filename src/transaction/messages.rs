//! What a transaction reads from messages, and the two that it makes itself: the 100 and the ACK to 300-699.

use super::Bytes;
use super::key::{RequestFields, is_unique};
use crate::message::{HeaderId, Message, write};

/// The fields that identify the transaction of a request.
pub fn fields(request: &Message) -> RequestFields<'_> {
    let branch = request.branch();
    let via = match branch {
        Some(branch) if is_unique(branch) => b"",
        _ => request.values(HeaderId::Via).next().unwrap_or_default(),
    };
    RequestFields {
        method: request.method_text(),
        request_uri: request.uri().unwrap_or_default(),
        branch,
        host: request.sent_by_host(),
        port: request.sent_by_port(),
        default_port: request.flow().map_or(5060, |flow| flow.transport.default_port()),
        via,
        from_tag: request.from_tag(),
        to_tag: request.to_tag(),
        call_id: request.call_id(),
        cseq: request.cseq_number(),
    }
}

/// The 100 (Trying) to a request (§8.2.6.1): no To tag of ours.
pub fn trying(request: &Message) -> Bytes {
    let mut out = Vec::with_capacity(512);
    write::response_head(&mut out, request, 100, None, None);
    write::finish(&mut out, None);
    out.into()
}

/// The ACK to a final response other than 2xx (§17.1.1.3), made from the INVITE as it was sent.
pub fn ack(invite: &[u8], response: &Message) -> Option<Bytes> {
    let invite = Message::parse(invite, None).ok()?;
    let mut out = Vec::with_capacity(512);
    write::ack_for(&mut out, &invite, response);
    Some(out.into())
}

/// The tag that our own response has in To.
pub fn to_tag(response: &[u8]) -> Option<Vec<u8>> {
    Message::parse(response, None).ok()?.to_tag().map(<[u8]>::to_vec)
}
