//! A datagram of ours that did not arrive, as an error of ICMP says (RFC 3261 §18.4).

use crate::agent::Agent;
use crate::flow::Flow;
use crate::message::{HeaderId, Via, header};
use crate::time::Now;
use crate::transaction::TransactionId;

impl Agent {
    /// `quoted`: what the error repeats of the datagram. What has no branch of ours in it is nobody's: whoever is not on
    /// the way can make up addresses, but no branch. False: no request waits for an answer from there.
    pub fn unreachable(&mut self, now: Now, flow: &Flow, quoted: &[u8]) -> bool {
        self.at(now);
        let Some((request, remote)) = branch_and_method(quoted).zip(flow.remote) else { return false };
        let (table, mut effects) = self.transactions();
        let Some((client, outcome)) = table.client_unreached(&mut effects, request, remote) else { return false };
        self.transaction_told(TransactionId::Client(client), outcome);
        outcome.owner != 0
    }
}

/// Of the beginning of a request of ours, whose first line is its Via.
fn branch_and_method(quoted: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut lines = quoted.split_inclusive(|byte| *byte == b'\n');
    let (start, via) = (lines.next()?, lines.next()?);
    let method = start.split(|byte| *byte == b' ').next()?;
    // A line that is cut off may have a branch that is.
    let via = via.strip_suffix(b"\r\n")?;
    let value = header::in_lines(via, HeaderId::Via)?;
    Some((Via::parse(value).ok()?.branch?, method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted() {
        let via = "Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1";
        for (quoted, found) in [
            (format!("INVITE sip:b SIP/2.0\r\n{via}\r\n"), Some(("z9hG4bK1", "INVITE"))),
            (format!("BYE sip:b SIP/2.0\r\n{via}\r\nMax-Forw"), Some(("z9hG4bK1", "BYE"))),
            (format!("INVITE sip:b SIP/2.0\r\n{via}"), None),
            (format!("INVITE sip:b SIP/2.0\r\n{via}\r"), None),
            ("INVITE sip:b SIP/2.0\r\nMax-Forwards: 70\r\n".to_owned(), None),
            ("INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n".to_owned(), None),
            ("INVITE sip:b".to_owned(), None),
            ("\r\n\r\n".to_owned(), None),
            (String::new(), None),
        ] {
            let found = found.map(|(branch, method)| (branch.as_bytes(), method.as_bytes()));
            assert_eq!(branch_and_method(quoted.as_bytes()), found, "{quoted:?}");
        }
    }
}
