//! Digest: hashes and the text of credentials (RFC 7616 §3.4, RFC 8760; RFC 2617 for a challenge without qop).

use super::challenge::Challenge;
use super::secret::Hidden;
use crate::error::{Error, Result};
use crate::flow::Flow;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// The hash of a challenge, the stronger the greater. The `-sess` variants are not used in SIP (RFC 8760 §2.2 registers
/// the plain ones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Algorithm {
    Md5,
    Sha256,
    Sha512_256,
}

impl Algorithm {
    /// By name, in any case; none is MD5 (RFC 7616 §3.3).
    pub fn from_name(name: Option<&[u8]>) -> Option<Self> {
        let Some(name) = name else { return Some(Self::Md5) };
        [Self::Md5, Self::Sha256, Self::Sha512_256]
            .into_iter()
            .find(|known| known.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The same for what the host says. Errors: argument.
    pub fn of_host(name: Option<&[u8]>) -> Result<Self> {
        Self::from_name(name).ok_or_else(|| Error::argument("algorithm: MD5, SHA-256 or SHA-512-256 (RFC 8760)"))
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    /// Hexadecimal digits of a hash: 32, or 64 for both SHAs (RFC 8760 §2.3).
    pub fn hex_digits(self) -> usize {
        if self == Self::Md5 { 32 } else { 64 }
    }

    /// H(parts joined by ":"), in lower case hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> Hidden {
        match self {
            Self::Md5 => hashed::<Md5>(parts),
            Self::Sha256 => hashed::<Sha256>(parts),
            Self::Sha512_256 => hashed::<Sha512_256>(parts),
        }
    }

    /// H(A1) (RFC 7616 §3.4.2).
    pub fn ha1(self, user: &[u8], realm: &[u8], password: &[u8]) -> Hidden {
        self.hash(&[user, realm, password])
    }
}

/// Piece by piece, so that no text holds a password.
fn hashed<D: Digest>(parts: &[&[u8]]) -> Hidden {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    Hidden::hex(hash.finalize().as_mut_slice())
}

/// What the hash covers beyond method and URI (RFC 7616 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// Nothing.
    Auth,
    /// The body.
    AuthInt,
}

impl Qop {
    /// By name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|known| known.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// The request that credentials are made for.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Covered<'a> {
    pub method: &'a [u8],
    pub uri: &'a [u8],
    pub body: &'a [u8],
}

/// What its sender counted and chose; `None`: the challenge had no qop.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// What is covered.
    pub qop: Qop,
    /// nc: 8 hexadecimal digits.
    pub count: &'a [u8],
    /// The client's nonce.
    pub cnonce: &'a [u8],
}

/// The value of response (RFC 7616 §3.4.1; without qop RFC 2617 §3.2.2.1).
pub fn response(
    algorithm: Algorithm,
    ha1: &[u8],
    nonce: &[u8],
    covered: Covered<'_>,
    chosen: Option<Chosen<'_>>,
) -> Hidden {
    let Covered { method, uri, body } = covered;
    let ha2 = match chosen.map(|chosen| chosen.qop) {
        Some(Qop::AuthInt) => algorithm.hash(&[method, uri, &algorithm.hash(&[body])]),
        Some(Qop::Auth) | None => algorithm.hash(&[method, uri]),
    };
    match chosen {
        Some(Chosen { qop, count, cnonce }) => {
            algorithm.hash(&[ha1, nonce, count, cnonce, qop.name().as_bytes(), &ha2])
        }
        None => algorithm.hash(&[ha1, nonce, &ha2]),
    }
}

/// What one challenge is answered with, request after request with its nonce.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Of a 407: Proxy-Authorization; else Authorization.
    pub proxy: bool,
    /// Whose.
    pub realm: Box<[u8]>,
    /// The hash.
    pub algorithm: Algorithm,
    /// The user name.
    pub user: Box<[u8]>,
    /// H(A1) in hexadecimal digits.
    pub ha1: Hidden,
    /// The server's.
    pub nonce: Box<[u8]>,
    /// The server's, if it gave one: it goes back as it came.
    pub opaque: Option<Box<[u8]>>,
    /// What was chosen of what the challenge offers.
    pub qop: Option<Qop>,
    /// How many requests were sent with this nonce (RFC 7616 §3.4: nc).
    pub count: u32,
    /// Where the challenge came from; they go nowhere else.
    pub asked_by: Flow,
}

impl Credentials {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let texts = [&self.realm, &self.user, &self.nonce].into_iter().chain(&self.opaque);
        self.ha1.len() + texts.map(|text| text.len()).sum::<usize>()
    }

    /// The value of response.
    pub fn response(&self, covered: Covered<'_>, cnonce: &[u8]) -> Hidden {
        let count = self.nc();
        let chosen = self.qop.map(|qop| Chosen { qop, count: count.as_bytes(), cnonce });
        response(self.algorithm, &self.ha1, &self.nonce, covered, chosen)
    }

    fn nc(&self) -> String {
        format!("{:08x}", self.count)
    }

    /// Writes the header line. qop and nc are not quoted; without qop in the challenge none of qop, nc, cnonce is there
    /// (RFC 3261 §22.4).
    pub fn write(&self, out: &mut Vec<u8>, covered: Covered<'_>, cnonce: &[u8]) {
        let name: &[u8] = if self.proxy { b"Proxy-Authorization: Digest " } else { b"Authorization: Digest " };
        out.extend_from_slice(name);
        quoted(out, b"username=", &self.user);
        quoted(out, b", realm=", &self.realm);
        quoted(out, b", nonce=", &self.nonce);
        quoted(out, b", uri=", covered.uri);
        quoted(out, b", response=", &self.response(covered, cnonce));
        out.extend_from_slice(b", algorithm=");
        out.extend_from_slice(self.algorithm.name().as_bytes());
        if let Some(qop) = self.qop {
            quoted(out, b", cnonce=", cnonce);
            out.extend_from_slice(format!(", qop={}, nc={}", qop.name(), self.nc()).as_bytes());
        }
        if let Some(opaque) = &self.opaque {
            quoted(out, b", opaque=", opaque);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A challenge that can be answered.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its hash.
    pub algorithm: Algorithm,
    /// "auth" where it offers that, "auth-int" where nothing else.
    pub qop: Option<Qop>,
}

impl Known {
    /// `None`: another scheme, hash or quality, or a parameter is missing: it is passed over (RFC 8760 §2.4).
    pub fn read(challenge: &Challenge<'_>) -> Option<Self> {
        if !challenge.is_scheme(b"Digest") || challenge.parameter(b"nonce").is_none() {
            return None;
        }
        challenge.parameter(b"realm")?;
        let algorithm = Algorithm::from_name(challenge.parameter(b"algorithm").as_deref())?;
        let qop = [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| challenge.has_qop(qop.name().as_bytes()));
        (qop.is_some() || challenge.parameter(b"qop").is_none()).then_some(Self { algorithm, qop })
    }
}

/// `name"value"`, escaped.
pub fn quoted(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.push(b'"');
    for byte in value {
        // What came from a header or was checked holds none; a line never ends here.
        if matches!(byte, b'\r' | b'\n' | 0) {
            continue;
        }
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    fn credentials(algorithm: Algorithm, user: &str, realm: &str, password: &str, nonce: &str) -> Credentials {
        Credentials {
            proxy: false,
            realm: realm.as_bytes().into(),
            algorithm,
            user: user.as_bytes().into(),
            ha1: algorithm.ha1(user.as_bytes(), realm.as_bytes(), password.as_bytes()),
            nonce: nonce.as_bytes().into(),
            opaque: None,
            qop: Some(Qop::Auth),
            count: 1,
            asked_by: Flow::new(Transport::Udp, None, None),
        }
    }

    fn response(credentials: &Credentials, uri: &str, cnonce: &str) -> String {
        let covered = Covered { method: b"GET", uri: uri.as_bytes(), body: b"" };
        String::from_utf8(credentials.response(covered, cnonce.as_bytes()).to_vec()).unwrap()
    }

    /// RFC 7616 §3.9.1: one challenge for both hashes.
    #[test]
    fn example_of_rfc_7616_3_9_1() {
        let rows = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, expected) in rows {
            let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
            let credentials = credentials(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life", nonce);
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            assert_eq!(response(&credentials, "/dir/index.html", cnonce), expected);
        }
    }

    /// RFC 7616 §3.9.2 with its erratum 4897: SHA-512/256 (FIPS 180-4), not a cut SHA-512.
    #[test]
    fn example_of_rfc_7616_3_9_2() {
        let nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK";
        let user = "J\u{e4}s\u{f8}n Doe";
        let credentials = credentials(Algorithm::Sha512_256, user, "api@example.org", "Secret, or not?", nonce);
        let expected = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        assert_eq!(response(&credentials, "/doe.json", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"), expected);
    }

    /// RFC 2617 §3.5, and the same challenge without qop.
    #[test]
    fn example_of_rfc_2617_3_5() {
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let mut credentials = credentials(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life", nonce);
        assert_eq!(response(&credentials, "/dir/index.html", "0a4f113b"), "6629fae49393a05397450978507c4ef1");
        credentials.qop = None;
        assert_eq!(response(&credentials, "/dir/index.html", ""), "670fd8c2df070c60b045671b8b24ff02");
    }

    /// RFC 7616 §3.4.3: A2 has the hash of the body; computed by hand with another implementation.
    #[test]
    fn auth_int_covers_the_body() {
        let rows = [
            (Algorithm::Md5, "0050d4d8e8af1aa9b6e27948fe19287d"),
            (Algorithm::Sha256, "3e8396a2a5c713afb9df6725803e7036a742600697895dcc5c1818a6d8f1a353"),
        ];
        for (algorithm, expected) in rows {
            let mut credentials = credentials(algorithm, "bob", "biloxi.com", "zanzibar", "n0nce");
            credentials.qop = Some(Qop::AuthInt);
            let covered = Covered { method: b"INVITE", uri: b"sip:bob@biloxi.com", body: b"v=0\r\n" };
            assert_eq!(&*credentials.response(covered, b"c"), expected.as_bytes());
            let mut line = Vec::new();
            credentials.write(&mut line, covered, b"c");
            assert!(String::from_utf8(line).unwrap().contains(", qop=auth-int, nc=00000001"));
        }
    }

    const INVITE: Covered<'_> = Covered { method: b"INVITE", uri: b"sip:b@c", body: b"" };

    #[test]
    fn the_line_quotes_what_the_rfc_quotes() {
        let mut credentials = credentials(Algorithm::Sha256, "a\"b\\", "r", "p", "n");
        credentials.opaque = Some(Box::from(&b""[..]));
        credentials.count = 0x1a;
        let mut out = Vec::new();
        credentials.write(&mut out, INVITE, b"cn");
        let line = String::from_utf8(out).unwrap();
        assert!(
            line.starts_with(
                "Authorization: Digest username=\"a\\\"b\\\\\", realm=\"r\", nonce=\"n\", uri=\"sip:b@c\""
            )
        );
        assert!(line.ends_with(", algorithm=SHA-256, cnonce=\"cn\", qop=auth, nc=0000001a, opaque=\"\"\r\n"), "{line}");
        (credentials.qop, credentials.proxy, credentials.opaque) = (None, true, None);
        let mut out = Vec::new();
        credentials.write(&mut out, INVITE, b"cn");
        let line = String::from_utf8(out).unwrap();
        assert!(
            line.starts_with("Proxy-Authorization: Digest ") && line.ends_with(", algorithm=SHA-256\r\n"),
            "{line}"
        );
    }

    #[test]
    fn challenges_that_can_be_answered() {
        type Row = (&'static [u8], Option<(Algorithm, Option<Qop>)>);
        let rows: [Row; 11] = [
            (b"Digest realm=\"r\", nonce=\"n\"", Some((Algorithm::Md5, None))),
            (b"digest realm=r, nonce=n, qop=\"auth-int, auth\"", Some((Algorithm::Md5, Some(Qop::Auth)))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=sha-256", Some((Algorithm::Sha256, None))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=\"SHA-512-256\"", Some((Algorithm::Sha512_256, None))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", None),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", None),
            (b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", Some((Algorithm::Md5, Some(Qop::AuthInt)))),
            (b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-conf\"", None),
            (b"Digest realm=\"r\"", None),
            (b"Digest nonce=\"n\"", None),
            (b"Basic realm=\"r\", nonce=\"n\"", None),
        ];
        for (text, expected) in rows {
            let known = Known::read(&Challenge::parse(text).unwrap()).map(|known| (known.algorithm, known.qop));
            assert_eq!(known, expected, "{}", String::from_utf8_lossy(text));
        }
    }
}
