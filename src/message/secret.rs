//! Passwords and hashes that stand for them: in no log, wiped when they are freed.

use super::digest::Algorithm;
use crate::error::{Error, Result};
use std::fmt;
use std::ops::Deref;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that nobody may read who finds them in a log or in memory that was freed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<Box<[u8]>>);

impl Hidden {
    /// A copy.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Lower case hexadecimal digits of bytes that are wiped.
    pub fn hex(bytes: &mut [u8]) -> Self {
        let digit = |number: u8| if number < 10 { b'0' + number } else { b'a' + (number - 10) };
        let hex = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        bytes.zeroize();
        Self(Zeroizing::new(hex))
    }
}

impl Deref for Hidden {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hidden")
    }
}

/// Digest credentials for a realm (RFC 7616).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// `None`: any.
    pub realm: Option<Vec<u8>>,
    /// User name.
    pub user: Vec<u8>,
    /// The password, or H(A1) in lower case hexadecimal digits.
    secret: Hidden,
    /// H(A1) of this hash; `None`: a password.
    pub(crate) ha1_of: Option<Algorithm>,
}

impl Secret {
    /// `realm` `None`: any, of a password. `secret`: a password, or with `is_ha1` the hexadecimal H(A1) of `algorithm`
    /// (`None`: MD5), which was made for one realm (RFC 7616 §3.4.2). Errors: syntax for line ends, argument for an
    /// unknown algorithm and an H(A1) without realm or of the wrong length.
    pub fn new(
        realm: Option<&[u8]>,
        user: &[u8],
        secret: &[u8],
        is_ha1: bool,
        algorithm: Option<&[u8]>,
    ) -> Result<Self> {
        for (text, name) in [(realm.unwrap_or_default(), "realm"), (user, "user"), (secret, "secret")] {
            if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(Error::syntax(format!("{name}: CR, LF or NUL")));
            }
        }
        let known = Algorithm::of_host(algorithm)?;
        if is_ha1 && (secret.len() != known.hex_digits() || !secret.iter().all(u8::is_ascii_hexdigit)) {
            let digits = known.hex_digits();
            return Err(Error::argument(format!("secret: H(A1) of {} has {digits} hexadecimal digits", known.name())));
        }
        if is_ha1 && realm.is_none() {
            return Err(Error::argument("realm: an H(A1) is for one alone (RFC 7616 3.4.2)"));
        }
        let mut secret = Hidden::new(secret);
        if is_ha1 {
            secret.0.make_ascii_lowercase();
        }
        Ok(Self { realm: realm.map(<[u8]>::to_vec), user: user.to_vec(), secret, ha1_of: is_ha1.then_some(known) })
    }

    /// Whether it is for a realm.
    pub fn is_for(&self, realm: &[u8]) -> bool {
        self.realm.as_ref().is_none_or(|own| own == realm)
    }

    /// Whether it is for all that another is for.
    pub fn stands_for(&self, other: &Self) -> bool {
        self.realm.is_none() || self.realm == other.realm
    }

    /// H(A1) for a realm and hash; `None`: these credentials are for others.
    pub fn ha1(&self, realm: &[u8], algorithm: Algorithm) -> Option<Hidden> {
        if !self.is_for(realm) {
            return None;
        }
        match self.ha1_of {
            None => Some(algorithm.ha1(&self.user, realm, &self.secret)),
            Some(own) => (own == algorithm).then(|| self.secret.clone()),
        }
    }
}

/// Without the secret: it belongs into no log.
impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        write!(out, "Secret({:?}, {:?})", self.realm.as_deref().map(text), text(&self.user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_no_secret() {
        let secret = Secret::new(Some(b"r"), b"alice", b"wonderland", false, None).unwrap();
        let ha1 = secret.ha1(b"r", Algorithm::Md5).unwrap();
        let said = format!("{secret:?} {ha1:?}");
        assert_eq!(said, "Secret(Some(\"r\"), \"alice\") Hidden");
    }

    #[test]
    fn a_secret_is_for_its_realm_and_hash() {
        let ha1 = b"0123456789ABCDEF0123456789abcdef";
        type Row = (Option<&'static [u8]>, bool, &'static [u8], Algorithm, bool);
        let rows: [Row; 6] = [
            (Some(b"r"), false, b"r", Algorithm::Sha256, true),
            (Some(b"r"), false, b"R", Algorithm::Sha256, false),
            (None, false, b"x", Algorithm::Md5, true),
            (Some(b"r"), true, b"r", Algorithm::Md5, true),
            (Some(b"r"), true, b"r", Algorithm::Sha256, false),
            (Some(b"r"), true, b"x", Algorithm::Md5, false),
        ];
        for (own, is_ha1, realm, algorithm, expected) in rows {
            let secret = Secret::new(own, b"u", ha1, is_ha1, None).unwrap();
            assert_eq!(secret.ha1(realm, algorithm).is_some(), expected, "{own:?} {is_ha1} {realm:?} {algorithm:?}");
        }
        let error = Secret::new(None, b"u", ha1, true, None).unwrap_err();
        assert_eq!(error.kind, crate::error::ErrorKind::Argument, "made for one realm: answers no other");
    }
}
