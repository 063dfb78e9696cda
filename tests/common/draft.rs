//! A message that a test writes: headers in order, each replaceable.

/// Text in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Draft {
    pub fn new(start: impl Into<String>) -> Self {
        Self { start: start.into(), headers: Vec::new(), body: String::new() }
    }

    /// Adds a header line.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces all lines of a header by one, at the place of the first.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let at = self.headers.iter().position(|(header, _)| header.eq_ignore_ascii_case(name));
        self = self.without(name);
        let at = at.unwrap_or(self.headers.len());
        self.headers.insert(at, (name.to_owned(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    pub fn get(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn sdp(self, body: &str) -> Self {
        self.content("application/sdp", body)
    }

    /// A reliable provisional response (RFC 3262).
    pub fn reliable(self, rseq: u32) -> Self {
        self.with("Require", "100rel").with("RSeq", rseq.to_string())
    }

    pub fn content(mut self, kind: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.set("Content-Type", kind)
    }

    /// Another Request-URI or status line's rest.
    pub fn request_uri(mut self, uri: &str) -> Self {
        let mut parts: Vec<_> = self.start.split(' ').map(str::to_owned).collect();
        uri.clone_into(&mut parts[1]);
        self.start = parts.join(" ");
        self
    }

    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The message; Content-Length is added unless it is there.
    pub fn text(&self) -> String {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.get("Content-Length").is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text + "\r\n" + &self.body
    }
}
