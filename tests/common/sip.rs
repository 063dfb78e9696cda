//! A second opinion on SIP messages: a small reader that shares no code with the library.

use std::net::SocketAddr;

/// Headers that are lists of values separated by commas.
const LISTS: [&str; 11] = [
    "via",
    "route",
    "record-route",
    "contact",
    "allow",
    "supported",
    "require",
    "unsupported",
    "accept",
    "recv-info",
    "warning",
];

/// A message, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    pub start: String,
    /// Names in lower case and long form; values unfolded; lists taken apart.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A Via value, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub transport: String,
    pub sent_by: String,
    pub parameters: Vec<(String, Option<String>)>,
}

impl Sip {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no empty line ends the headers")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut lines = unfolded.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        if start.split(' ').count() < 3 {
            return Err(format!("start line {start:?}"));
        }
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("header line {line:?}"))?;
            if line.contains(['\r', '\n']) {
                return Err(format!("a bare CR or LF in {line:?}"));
            }
            let name = long_form(&name.trim().to_ascii_lowercase()).to_owned();
            if LISTS.contains(&name.as_str()) && !value.trim().is_empty() {
                headers.extend(split(value, ',').into_iter().map(|value| (name.clone(), value)));
            } else {
                headers.push((name, value.trim().to_owned()));
            }
        }
        Ok(Self { start, headers, body: body.to_owned() })
    }

    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    pub fn is_request(&self) -> bool {
        self.status().is_none()
    }

    /// Of a request its own, of a response that of CSeq.
    pub fn method(&self) -> &str {
        if self.is_request() { self.start.split(' ').next().unwrap_or_default() } else { self.cseq_method() }
    }

    /// Request-URI.
    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().filter(|(header, _)| *header == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The first value of a header, or nothing.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub fn call_id(&self) -> &str {
        self.value("call-id")
    }

    // The header's name, not a conversion.
    #[allow(clippy::wrong_self_convention)]
    pub fn from_tag(&self) -> Option<String> {
        parameter(self.value("from"), "tag")
    }

    pub fn to_tag(&self) -> Option<String> {
        parameter(self.value("to"), "tag")
    }

    pub fn cseq(&self) -> u32 {
        self.value("cseq").split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
    }

    pub fn cseq_method(&self) -> &str {
        self.value("cseq").split_whitespace().nth(1).unwrap_or_default()
    }

    pub fn vias(&self) -> Vec<Via> {
        self.all("via").into_iter().filter_map(Via::parse).collect()
    }

    pub fn branch(&self) -> String {
        self.vias().first().and_then(|via| via.get("branch")).unwrap_or_default()
    }

    /// URI of the first Contact.
    pub fn contact(&self) -> Option<String> {
        self.get("contact").map(uri_of)
    }

    /// The session description, if the body is one (RFC 3261 §20.11: application/sdp means `session`)
    /// or has one among its parts (RFC 2046 §5.1).
    pub fn sdp(&self) -> Option<&str> {
        let kind = self.value("content-type");
        if !kind.to_ascii_lowercase().starts_with("multipart/") {
            let session = is_description(kind, self.value("content-disposition"));
            return Some(self.body.as_str()).filter(|body| session && !body.is_empty());
        }
        let (_, boundary) = kind.split_once("boundary=")?;
        let boundary = boundary.split(';').next()?.trim_matches('"');
        self.body.split(&format!("--{boundary}")).skip(1).find_map(|part| {
            let (head, body) = part.split_once("\r\n\r\n")?;
            let value = |name: &str| {
                let is_it = |line: &&str| line.to_ascii_lowercase().starts_with(name);
                head.lines().find(is_it).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
            };
            let session = is_description(value("content-type:"), value("content-disposition:"));
            session.then(|| body.strip_suffix("\r\n").unwrap_or(body))
        })
    }

    /// `INVITE` or `200 INVITE`.
    pub fn short(&self) -> String {
        match self.status() {
            Some(status) => format!("{status} {}", self.cseq_method()),
            None => self.method().to_owned(),
        }
    }
}

impl Via {
    fn parse(value: &str) -> Option<Self> {
        let parts = split(value, ';');
        let (first, rest) = parts.split_first()?;
        let rest_of = first.splitn(3, '/').nth(2)?.trim_start();
        let (transport, sent_by) = rest_of.split_once(char::is_whitespace)?;
        let parameters = rest.iter().map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_lowercase(), Some(value.trim().to_owned())),
            None => (part.trim().to_ascii_lowercase(), None),
        });
        Some(Self {
            transport: transport.to_owned(),
            sent_by: sent_by.trim().to_owned(),
            parameters: parameters.collect(),
        })
    }

    pub fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(parameter, _)| parameter == name)
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(parameter, _)| parameter == name)?.1.clone()
    }

    /// Without the parameters that the server adds (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn as_sent(&self) -> Self {
        let mut via = self.clone();
        via.parameters.retain(|(name, _)| name != "received" && name != "rport");
        via
    }

    /// Host and port of sent-by, where it is an address.
    pub fn address(&self) -> Option<SocketAddr> {
        address(&self.sent_by)
    }
}

/// A header or tag parameter behind the address.
pub fn parameter(value: &str, name: &str) -> Option<String> {
    let behind = match value.rfind('>') {
        Some(end) => value.get(end + 1..)?,
        None => value.split_once(';').map(|(_, rest)| rest)?,
    };
    behind.split(';').find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The URI of a name-addr or addr-spec.
pub fn uri_of(value: &str) -> String {
    // Behind the display name in quotes, if there is one.
    let quoted = value.starts_with('"').then(|| value.replace("\\\"", "  ")[1..].find('"')).flatten();
    let rest = value.get(quoted.map_or(0, |end| end + 2)..).unwrap_or_default();
    match rest.find(['<', ';']).map(|at| rest.split_at(at)) {
        Some((_, brackets)) if brackets.starts_with('<') => {
            brackets[1..].split('>').next().unwrap_or_default().to_owned()
        }
        Some((uri, _)) => uri.trim().to_owned(),
        None => rest.trim().to_owned(),
    }
}

/// Host, port, parameters and headers of a URI. No other part than the user may hold what separates them.
pub fn behind_user(uri: &str) -> &str {
    uri.rsplit_once('@').map_or(uri, |(_, rest)| rest)
}

/// Whether a Route value is of a loose router.
pub fn is_loose(route: &str) -> bool {
    behind_user(&uri_of(route))
        .split(';')
        .skip(1)
        .any(|part| part.eq_ignore_ascii_case("lr") || part.to_ascii_lowercase().starts_with("lr="))
}

/// Host and port of a URI, where the host is an address.
pub fn uri_address(uri: &str) -> Option<SocketAddr> {
    let (_, rest) = uri.split_once(':')?;
    address(behind_user(rest).split([';', '?']).next()?)
}

fn address(host_port: &str) -> Option<SocketAddr> {
    host_port.parse().ok().or_else(|| format!("{host_port}:5060").parse().ok())
}

/// At `separator` outside quotes and angle brackets.
pub fn split(value: &str, separator: char) -> Vec<String> {
    let (mut parts, mut part, mut quoted, mut escaped, mut angle) = (Vec::new(), String::new(), false, false, false);
    for letter in value.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        if letter == separator && !quoted && !angle {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(letter);
        }
    }
    parts.push(part);
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn long_form(name: &str) -> &str {
    match name {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        "c" => "content-type",
        "e" => "content-encoding",
        "k" => "supported",
        "s" => "subject",
        "o" => "event",
        "r" => "refer-to",
        "u" => "allow-events",
        "x" => "session-expires",
        other => other,
    }
}

fn is_description(kind: &str, disposition: &str) -> bool {
    let session = disposition.is_empty() || disposition.to_ascii_lowercase().starts_with("session");
    kind.to_ascii_lowercase().starts_with("application/sdp") && session
}
