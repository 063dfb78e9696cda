//! Digest: hashes and the text of credentials (RFC 7616 §3.4, RFC 8760; RFC 2617 for a challenge without qop).

use super::challenge::Challenge;
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

/// The hash of a challenge. The `-sess` variants are not used in SIP (RFC 8760 §2.2 registers the plain ones).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    fn hash(self, parts: &[&[u8]]) -> Box<[u8]> {
        let text = parts.join(&b":"[..]);
        match self {
            Self::Md5 => hex(&Md5::digest(&text)),
            Self::Sha256 => hex(&Sha256::digest(&text)),
            Self::Sha512_256 => hex(&Sha512_256::digest(&text)),
        }
    }

    /// H(A1) (RFC 7616 §3.4.2).
    pub fn ha1(self, user: &[u8], realm: &[u8], password: &[u8]) -> Box<[u8]> {
        self.hash(&[user, realm, password])
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
    pub ha1: Box<[u8]>,
    /// The server's.
    pub nonce: Box<[u8]>,
    /// The server's, if it gave one: it goes back as it came.
    pub opaque: Option<Box<[u8]>>,
    /// Whether the challenge offered qop "auth"; auth-int is never chosen.
    pub qop: bool,
    /// How many requests were sent with this nonce (RFC 7616 §3.4: nc).
    pub count: u32,
}

impl Credentials {
    /// The value of response (RFC 7616 §3.4.1; without qop RFC 2617 §3.2.2.1).
    pub fn response(&self, method: &[u8], uri: &[u8], cnonce: &[u8]) -> Box<[u8]> {
        let ha2 = self.algorithm.hash(&[method, uri]);
        if self.qop {
            let count = format!("{:08x}", self.count);
            self.algorithm.hash(&[&self.ha1, &self.nonce, count.as_bytes(), cnonce, b"auth", &ha2])
        } else {
            self.algorithm.hash(&[&self.ha1, &self.nonce, &ha2])
        }
    }

    /// Writes the header line. qop and nc are not quoted; without qop in the challenge none of qop, nc, cnonce is there
    /// (RFC 3261 §22.4).
    pub fn write(&self, out: &mut Vec<u8>, method: &[u8], uri: &[u8], cnonce: &[u8]) {
        let name: &[u8] = if self.proxy { b"Proxy-Authorization: Digest " } else { b"Authorization: Digest " };
        out.extend_from_slice(name);
        quoted(out, b"username=", &self.user);
        quoted(out, b", realm=", &self.realm);
        quoted(out, b", nonce=", &self.nonce);
        quoted(out, b", uri=", uri);
        quoted(out, b", response=", &self.response(method, uri, cnonce));
        out.extend_from_slice(b", algorithm=");
        out.extend_from_slice(self.algorithm.name().as_bytes());
        if self.qop {
            quoted(out, b", cnonce=", cnonce);
            out.extend_from_slice(format!(", qop=auth, nc={:08x}", self.count).as_bytes());
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
    /// Whether it offers qop "auth".
    pub qop: bool,
}

impl Known {
    /// `None`: another scheme, hash or quality, or a parameter is missing: it is passed over (RFC 8760 §2.4).
    pub fn read(challenge: &Challenge<'_>) -> Option<Self> {
        if !challenge.is_scheme(b"Digest") || challenge.parameter(b"nonce").is_none() {
            return None;
        }
        challenge.parameter(b"realm")?;
        let algorithm = Algorithm::from_name(challenge.parameter(b"algorithm").as_deref())?;
        let qop = challenge.has_qop(b"auth");
        (qop || challenge.parameter(b"qop").is_none()).then_some(Self { algorithm, qop })
    }
}

fn quoted(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
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

fn hex(bytes: &[u8]) -> Box<[u8]> {
    let digit = |number: u8| if number < 10 { b'0' + number } else { b'a' + (number - 10) };
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(algorithm: Algorithm, user: &str, realm: &str, password: &str, nonce: &str) -> Credentials {
        Credentials {
            proxy: false,
            realm: realm.as_bytes().into(),
            algorithm,
            user: user.as_bytes().into(),
            ha1: algorithm.ha1(user.as_bytes(), realm.as_bytes(), password.as_bytes()),
            nonce: nonce.as_bytes().into(),
            opaque: None,
            qop: true,
            count: 1,
        }
    }

    fn response(credentials: &Credentials, uri: &str, cnonce: &str) -> String {
        String::from_utf8(credentials.response(b"GET", uri.as_bytes(), cnonce.as_bytes()).into_vec()).unwrap()
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
        credentials.qop = false;
        assert_eq!(response(&credentials, "/dir/index.html", ""), "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn the_line_quotes_what_the_rfc_quotes() {
        let mut credentials = credentials(Algorithm::Sha256, "a\"b\\", "r", "p", "n");
        credentials.opaque = Some(Box::from(&b""[..]));
        credentials.count = 0x1a;
        let mut out = Vec::new();
        credentials.write(&mut out, b"INVITE", b"sip:b@c", b"cn");
        let line = String::from_utf8(out).unwrap();
        assert!(
            line.starts_with(
                "Authorization: Digest username=\"a\\\"b\\\\\", realm=\"r\", nonce=\"n\", uri=\"sip:b@c\""
            )
        );
        assert!(line.ends_with(", algorithm=SHA-256, cnonce=\"cn\", qop=auth, nc=0000001a, opaque=\"\"\r\n"), "{line}");
        (credentials.qop, credentials.proxy, credentials.opaque) = (false, true, None);
        let mut out = Vec::new();
        credentials.write(&mut out, b"INVITE", b"sip:b@c", b"cn");
        let line = String::from_utf8(out).unwrap();
        assert!(
            line.starts_with("Proxy-Authorization: Digest ") && line.ends_with(", algorithm=SHA-256\r\n"),
            "{line}"
        );
    }

    #[test]
    fn challenges_that_can_be_answered() {
        type Row = (&'static [u8], Option<(Algorithm, bool)>);
        let rows: [Row; 10] = [
            (b"Digest realm=\"r\", nonce=\"n\"", Some((Algorithm::Md5, false))),
            (b"digest realm=r, nonce=n, qop=\"auth-int, auth\"", Some((Algorithm::Md5, true))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=sha-256", Some((Algorithm::Sha256, false))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=\"SHA-512-256\"", Some((Algorithm::Sha512_256, false))),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", None),
            (b"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", None),
            (b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", None),
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
