//! Requests of the peer that are challenged, and their credentials (RFC 3261 §22.2, RFC 7616, RFC 8760).

use crate::agent::theirs::incoming::{Acknowledges, Kind};
use crate::agent::theirs::nonces::Nonces;
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId};
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::message::authorization::{Authorization, Presented};
use crate::message::digest::{Algorithm, quoted};
use crate::message::{Message, Method, list_of, write};
use crate::session::reason::{Ending, Reason};
use crate::time::Now;
use std::sync::Arc;

/// What the credentials of a request are worth; the numbers are those of `enum sipdlg_digest_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Digest {
    /// Right.
    Good = 0,
    /// Right, but of a nonce that is too old, or was used with this count.
    Stale = 1,
    /// Of somebody else, for a nonce that is none of ours, without the password, or broken.
    Wrong = 2,
    /// There are none for the realm.
    Missing = 3,
}

impl Agent {
    /// 401 with a challenge for each algorithm of the comma list (`None`: SHA-256 and MD5), the strongest first (RFC
    /// 8760 §2.4). stale where the request has credentials for a nonce of ours that is too old or used. Errors: state;
    /// argument, an unknown algorithm; syntax.
    pub fn challenge(&mut self, now: Now, id: IncomingId, realm: &[u8], algorithms: Option<&[u8]>) -> Result<()> {
        self.at(now);
        let incoming = self.open_request(id)?;
        if matches!(incoming.kind, Kind::Prack(Acknowledges::Response)) {
            let session = incoming.session.and_then(|id| self.objects.sessions.get(id));
            if !session.is_some_and(|session| session.is_offering(id)) {
                // Its response waits no more, so that the PRACK with credentials would meet 481.
                return Err(Error::state("a PRACK that acknowledges a response gets 2xx (RFC 3262 3)"));
            }
        }
        let request = Arc::clone(incoming.message()?);
        write::check_line(realm)?;
        let mut algorithms = list_of(algorithms.unwrap_or(b"SHA-256, MD5"))
            .map(|name| Algorithm::of_host(Some(name)))
            .collect::<Result<Vec<_>>>()?;
        if algorithms.is_empty() {
            return Err(Error::argument("algorithms: none"));
        }
        algorithms.sort_unstable_by(|one, other| other.cmp(one));
        algorithms.dedup();
        let random = &mut self.random;
        let nonces = self.nonces.get_or_insert_with(|| Box::new(Nonces::new(random)));
        let stale = Authorization::all_for(&request, realm).any(|presented| match presented {
            Presented::Read(own) => nonces
                .read(&own.nonce, realm, own.algorithm)
                .is_some_and(|nonce| nonces.is_stale(nonce, own.count, now.monotonic)),
            Presented::Broken => false,
        });
        let mut lines = Vec::with_capacity(256);
        for algorithm in algorithms {
            quoted(&mut lines, b"WWW-Authenticate: Digest realm=", realm);
            let nonce = nonces.make(random, now.monotonic, realm, algorithm);
            quoted(&mut lines, b", nonce=", nonce.as_bytes());
            lines.extend_from_slice(format!(", algorithm={}, qop=\"auth\"", algorithm.name()).as_bytes());
            lines.extend_from_slice(if stale { b", stale=true\r\n" } else { b"\r\n" });
        }
        let ending = Ending { status_code: 401, ..Ending::because(Reason::Rejected) };
        self.refuse_request(id, Answer { lines: &lines, ..Answer::plain(401) }, None, ending)
    }

    /// What the credentials of a request are worth, when `secret` is the caller's: a realm, a user and a password. A
    /// request is good once. Errors: argument, it is a response, or an ACK or CANCEL, which nobody may challenge (RFC
    /// 3261 §22.1).
    pub fn check_digest(&mut self, now: Now, request: &Message, secret: &Secret) -> Result<Digest> {
        self.at(now);
        if !request.is_request() || matches!(request.method(), Method::Ack | Method::Cancel) {
            return Err(Error::argument("message: a request other than ACK and CANCEL (RFC 3261 22.1)"));
        }
        let realm = secret.realm.as_deref().unwrap_or_default();
        let nonces = self.nonces.as_deref_mut();
        let Some(nonces) = nonces else {
            let any = Authorization::all_for(request, realm).next().is_some();
            return Ok(if any { Digest::Wrong } else { Digest::Missing });
        };
        let worth = |presented| match presented {
            Presented::Read(own) => worth(nonces, &own, request, secret, now),
            Presented::Broken => Digest::Wrong,
        };
        Ok(Authorization::all_for(request, realm).map(worth).min().unwrap_or(Digest::Missing))
    }
}

fn worth(nonces: &mut Nonces, own: &Authorization<'_>, request: &Message, secret: &Secret, now: Now) -> Digest {
    // First what costs least.
    let Some(nonce) = nonces.read(&own.nonce, own.realm(), own.algorithm) else { return Digest::Wrong };
    let ha1 = secret.ha1(own.realm(), own.algorithm).filter(|_| *own.user == *secret.user);
    match ha1 {
        Some(ha1) if own.is_right(request, &ha1) => {
            if nonces.spend(nonce, own.count, now.monotonic) {
                Digest::Good
            } else {
                Digest::Stale
            }
        }
        _ => Digest::Wrong,
    }
}
