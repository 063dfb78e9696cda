//! What a refused call says: a kind for programs, a sentence for people.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// The kinds that the core can refuse with; `ffi` maps each to one number of `enum sipdlg_status_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A number out of range, an unknown enumeration value, a missing argument.
    Argument,
    /// The object has ended.
    Stale,
    /// A protocol rule forbids it now; nothing was sent.
    State,
    /// A URI, header, message or text form that does not parse.
    Syntax,
    /// A header that only the library writes.
    Header,
    /// A configured limit is reached.
    Limit,
    /// This build, platform or version lacks it.
    Unsupported,
    /// The operating system refused.
    System,
    /// No transport was added that can reach the target.
    NoTransport,
    /// Not an id of this kind, or never one.
    Kind,
    /// `size` of a struct is impossible, or its unknown tail is not zero.
    Struct,
    /// The host's buffer is too small.
    Buffer,
    /// The agent is already being driven.
    Busy,
    /// Checksum, version or content of a snapshot or recording.
    Corrupt,
    /// The agent belongs to the parent process.
    Forked,
    /// Without memory.
    NoMemory,
    /// A defect of the library was caught here before.
    Defunct,
}

/// A refusal. `detail` names the argument or the RFC section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// For programs.
    pub kind: ErrorKind,
    /// For people.
    pub detail: Cow<'static, str>,
}

impl Error {
    /// An error of `kind` that says `detail`.
    pub fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The operating system refused. The text ends with the number: "(os error 98)".
    pub fn system(error: &io::Error) -> Self {
        Self::new(ErrorKind::System, error.to_string())
    }

    /// A protocol rule forbids the call now; `detail` names its section.
    pub fn state(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::State, detail)
    }

    /// Text that does not parse.
    pub fn syntax(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Syntax, detail)
    }

    /// An argument that is missing or out of range.
    pub fn argument(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Argument, detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl std::error::Error for Error {}

/// The result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;
