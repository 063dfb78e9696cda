//! What is asked of a name server, and what it knows.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Types of records that lead to a SIP server (RFC 3263 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Srv,
    Naptr,
}

/// What one look-up asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// In lower case, without the last dot.
    pub name: Arc<str>,
    pub kind: Kind,
}

impl Key {
    #[cfg(test)]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Empty: the service is not to be had there.
    pub target: Arc<str>,
}

/// RFC 3403, as far as RFC 3263 §4.1 has it: what has a regular expression is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub order: u16,
    pub preference: u16,
    pub flags: Box<str>,
    pub service: Box<str>,
    pub replacement: Arc<str>,
}

/// What there is of one kind at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Addresses(Vec<IpAddr>),
    Services(Vec<Service>),
    Pointers(Vec<Pointer>),
    /// Another name has it (CNAME).
    Alias(Arc<str>),
    /// Nothing of this kind, or nobody could say.
    Nothing,
}

impl Answer {
    /// Bytes that it holds.
    pub fn held(&self) -> usize {
        let beside = match self {
            Self::Addresses(all) => all.capacity() * size_of::<IpAddr>(),
            Self::Services(all) => {
                let names: usize = all.iter().map(|one| one.target.len() + 16).sum();
                names + all.capacity() * size_of::<Service>()
            }
            Self::Pointers(all) => {
                let texts = all
                    .iter()
                    .map(|one| one.flags.len() + one.service.len() + one.replacement.len() + 16)
                    .sum::<usize>();
                texts + all.capacity() * size_of::<Pointer>()
            }
            Self::Alias(name) => name.len() + 16,
            Self::Nothing => 0,
        };
        size_of::<Self>() + beside
    }
}

/// An answer, and how long it may be kept; `None`: it counts for who waits for it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub answer: Arc<Answer>,
    pub ttl: Option<Duration>,
}
