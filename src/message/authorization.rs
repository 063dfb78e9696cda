//! Authorization: the credentials that a request of the peer carries (RFC 3261 §22.4, RFC 7616 §3.4).

use super::challenge::Challenge;
use super::digest::{self, Algorithm, Chosen, Covered, Qop};
use super::{HeaderId, Message};
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// Lines that are read of one request: one a realm, and more than any request needs.
const LINES: usize = 16;

/// Digest credentials for a realm.
#[derive(Debug)]
pub struct Authorization<'a> {
    /// Whose they say that they are.
    pub user: Cow<'a, [u8]>,
    /// Of a challenge.
    pub nonce: Cow<'a, [u8]>,
    /// The hash.
    pub algorithm: Algorithm,
    /// nc; 0: the client knows none (RFC 2617 §3.2.2: without qop).
    pub count: u32,
    realm: Cow<'a, [u8]>,
    uri: Cow<'a, [u8]>,
    response: Cow<'a, [u8]>,
    qop: Option<Qop>,
    /// With a qop: the count as written, and the client's nonce.
    nc: Cow<'a, [u8]>,
    cnonce: Cow<'a, [u8]>,
}

/// What a request has for a realm.
#[derive(Debug)]
pub enum Presented<'a> {
    /// Credentials that can be checked.
    Read(Authorization<'a>),
    /// Something that can not.
    Broken,
}

impl<'a> Authorization<'a> {
    /// Those of a request for a realm, and all that nobody can read, in order.
    pub fn all_for(request: &'a Message, realm: &[u8]) -> impl Iterator<Item = Presented<'a>> {
        request.fields(HeaderId::Authorization).take(LINES).filter_map(move |value| {
            if Challenge::is_of_others(value) {
                return None;
            }
            let Ok(line) = Challenge::parse(value) else { return Some(Presented::Broken) };
            if line.parameter(b"realm")? != realm {
                return None;
            }
            Some(Self::read(&line).map_or(Presented::Broken, Presented::Read))
        })
    }

    fn read(line: &Challenge<'a>) -> Option<Self> {
        let algorithm = Algorithm::from_name(line.parameter(b"algorithm").as_deref())?;
        let (mut qop, mut nc, mut cnonce, mut count) = (None, Cow::default(), Cow::default(), 0);
        if let Some(name) = line.parameter(b"qop") {
            (qop, nc, cnonce) = (Some(Qop::from_name(&name)?), line.parameter(b"nc")?, line.parameter(b"cnonce")?);
            // 8LHEX.
            let is_number = nc.len() == 8 && nc.iter().all(u8::is_ascii_hexdigit);
            let digits = std::str::from_utf8(&nc).ok().filter(|_| is_number)?;
            count = u32::from_str_radix(digits, 16).ok().filter(|count| *count > 0)?;
        }
        Some(Self {
            user: line.parameter(b"username")?,
            nonce: line.parameter(b"nonce")?,
            algorithm,
            count,
            realm: line.parameter(b"realm")?,
            uri: line.parameter(b"uri")?,
            response: line.parameter(b"response")?,
            qop,
            nc,
            cnonce,
        })
    }

    /// The user name of the first that can be read.
    pub fn user_for(request: &'a Message, realm: &[u8]) -> Option<Vec<u8>> {
        Self::all_for(request, realm).find_map(|presented| match presented {
            Presented::Read(own) => Some(own.user.into_owned()),
            Presented::Broken => None,
        })
    }

    /// Whose they are for.
    pub fn realm(&self) -> &[u8] {
        &self.realm
    }

    /// Whether whoever made them knows the secret behind H(A1). Not that `uri` is the Request-URI: a proxy may have
    /// changed that since (RFC 3261 §22.4). In constant time.
    pub fn is_right(&self, request: &Message, ha1: &[u8]) -> bool {
        let covered = Covered { method: request.method_text(), uri: &self.uri, body: request.body() };
        let chosen = self.qop.map(|qop| Chosen { qop, count: &self.nc, cnonce: &self.cnonce });
        let expected = digest::response(self.algorithm, ha1, &self.nonce, covered, chosen);
        self.response.to_ascii_lowercase().ct_eq(&expected).into()
    }
}
