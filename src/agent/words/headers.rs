//! Header lines of the host: refused, instead of ours, united with ours, or added (the list at
//! `sipdlg_request_options_t`).

use crate::agent::methods::rules;
use crate::error::{Error, ErrorKind, Result};
use crate::message::reason::protocol_of;
use crate::message::{HeaderId, HeaderName, Method, list_of, write};
use smallvec::SmallVec;

/// What is written for the host: lines that stand instead of ours or are added, and tags to unite.
#[derive(Clone, Debug, Default)]
pub struct HostHeaders<'a> {
    lines: Vec<(HeaderName<'a>, &'a [u8])>,
}

impl<'a> HostHeaders<'a> {
    /// Reads and checks the lines. `in_dialog`: Route is the dialog's.
    pub fn read(lines: &[&'a [u8]], in_dialog: bool) -> Result<Self> {
        Self::read_numbered(lines, in_dialog, None)
    }

    /// The same of a request of ours.
    pub fn of_request(method: Method, lines: &[&'a [u8]], in_dialog: bool) -> Result<Self> {
        let read = Self::read(lines, in_dialog)?;
        if rules(method).refreshes_target {
            read.one_contact()?;
        }
        Ok(read)
    }

    /// The same where the host may write RSeq or RAck itself (RFC 3262); whether its number is right is the caller's to
    /// judge.
    pub fn read_numbered(lines: &[&'a [u8]], in_dialog: bool, number: Option<HeaderId>) -> Result<Self> {
        let mut read = Self::default();
        for line in lines {
            let (name, value) = write::split_header_line(line)?;
            let id = name.id();
            let refused = match id {
                HeaderId::Via
                | HeaderId::CSeq
                | HeaderId::ContentLength
                | HeaderId::ContentType
                | HeaderId::ContentDisposition
                | HeaderId::RecordRoute
                | HeaderId::From
                | HeaderId::To
                | HeaderId::CallId => true,
                HeaderId::Route => in_dialog,
                HeaderId::RSeq | HeaderId::RAck => Some(id) != number || read.has(id),
                _ => false,
            };
            if refused {
                let name = String::from_utf8_lossy(name.text()).into_owned();
                return Err(Error::new(ErrorKind::Header, format!("{name}: only the library writes this header")));
            }
            if id.stands_once() && read.has(id) {
                return Err(once(name));
            }
            write::check_value(id, value)?;
            read.lines.push((name, value));
        }
        Ok(read)
    }

    /// With a Reason header of this value behind them (RFC 3326 §2).
    pub fn and_reason(mut self, reason: Option<&'a [u8]>) -> Result<Self> {
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            write::check_line(reason)?;
            self.lines.push((HeaderId::Reason.into(), reason));
        }
        Ok(self)
    }

    /// RFC 3261 §8.1.1.8, §12.1: exactly one Contact makes a dialog or moves its target.
    pub fn one_contact(&self) -> Result<()> {
        let mut lines = self.lines.iter().filter(|(name, _)| name.id() == HeaderId::Contact);
        match (lines.next(), lines.next()) {
            (None, _) => Ok(()),
            (Some((_, value)), None) if list_of(value).count() == 1 && *value != b"*" => Ok(()),
            (Some((name, _)), _) => Err(once(*name)),
        }
    }

    /// Whether the host gives none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Bytes of the lines.
    pub fn bytes(&self) -> usize {
        self.lines.iter().map(|(name, value)| name.text().len() + value.len() + 4).sum()
    }

    /// Whether the host gives this header itself.
    pub fn has(&self, id: HeaderId) -> bool {
        self.lines.iter().any(|(name, _)| name.id() == id)
    }

    /// The value of a header that the host gives.
    pub fn get(&self, id: HeaderId) -> Option<&'a [u8]> {
        self.lines.iter().find(|(name, _)| name.id() == id).map(|(_, value)| *value)
    }

    /// Whether the host gives a reason of this protocol (RFC 3326 §2).
    pub fn gives_reason_of(&self, protocol: &[u8]) -> bool {
        let mut lines = self.lines.iter().filter(|(name, _)| name.id() == HeaderId::Reason);
        lines.any(|(_, value)| list_of(value).any(|value| protocol_of(value).eq_ignore_ascii_case(protocol)))
    }

    /// The lines that speak of the body, each with its line end.
    pub fn of_body(&self) -> Vec<u8> {
        const OF_BODY: [HeaderId; 4] =
            [HeaderId::ContentEncoding, HeaderId::ContentLanguage, HeaderId::MimeVersion, HeaderId::ContentId];
        let mut out = Vec::new();
        for (name, value) in self.lines.iter().filter(|(name, _)| OF_BODY.contains(&name.id())) {
            write::header(&mut out, *name, &[*value]);
        }
        out
    }

    /// Whether the host's Require names `tag`.
    pub fn requires(&self, tag: &[u8]) -> bool {
        let mut lines = self.lines.iter().filter(|(name, _)| name.id() == HeaderId::Require);
        lines.any(|(_, value)| tags(value).any(|known| known.eq_ignore_ascii_case(tag)))
    }

    /// Writes the lines, and Supported united with `ours` (comma separated).
    pub fn write(&self, out: &mut Vec<u8>, ours: &[u8]) {
        self.write_supported(out, ours);
        for (name, value) in &self.lines {
            if name.id() != HeaderId::Supported {
                write::header(out, *name, &[*value]);
            }
        }
    }

    fn write_supported(&self, out: &mut Vec<u8>, ours: &[u8]) {
        let theirs =
            self.lines.iter().filter(|(name, _)| name.id() == HeaderId::Supported).flat_map(|(_, value)| tags(value));
        let mut all: SmallVec<[&[u8]; 8]> = SmallVec::new();
        for tag in tags(ours).chain(theirs) {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
                all.push(tag);
            }
        }
        if !all.is_empty() {
            write::header(out, HeaderId::Supported, &[&all.join(&b", "[..])]);
        }
    }
}

fn once(name: HeaderName<'_>) -> Error {
    let name = String::from_utf8_lossy(name.text()).into_owned();
    Error::new(ErrorKind::Header, format!("{name}: stands once (RFC 3261 7.3.1)"))
}

/// The values of a comma separated list of tokens.
pub fn tags(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|tag| !tag.is_empty())
}
