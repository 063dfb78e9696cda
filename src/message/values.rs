//! Walking over the lines and values of one header.

use super::grammar::{list_value, trim};
use super::header::{Grammar, HeaderId, HeaderName};
use super::{Field, Message, NameAddr};
use crate::error::{Error, Result};

/// The values of the lines of a header. Made by [`Message::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'m, 'n> {
    message: &'m Message,
    rest: std::slice::Iter<'m, Field>,
    name: HeaderName<'n>,
}

impl<'m, 'n> Fields<'m, 'n> {
    #[inline]
    pub(super) fn new(message: &'m Message, name: HeaderName<'n>) -> Self {
        let absent = message.present & name.id().bit() == 0;
        let fields = if absent { &[][..] } else { &message.fields[..] };
        Self { message, rest: fields.iter(), name }
    }
}

impl<'m> Iterator for Fields<'m, '_> {
    type Item = &'m [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let message = self.message;
        let field = match self.name {
            HeaderName::Known(id) => self.rest.find(|field| field.id == id),
            HeaderName::Other(name) => {
                self.rest.find(|field| field.id == HeaderId::Other && message.name_of(field).eq_ignore_ascii_case(name))
            }
        }?;
        Some(message.value_of(field))
    }
}

/// The single values of a header. Made by [`Message::values`]. Empty list elements are left out.
#[derive(Clone, Debug)]
pub struct Values<'m, 'n> {
    fields: Fields<'m, 'n>,
    rest: &'m [u8],
    grammar: Grammar,
}

impl<'m, 'n> Values<'m, 'n> {
    pub(super) fn new(message: &'m Message, name: HeaderName<'n>) -> Self {
        Self { fields: Fields::new(message, name), rest: b"", grammar: name.id().grammar() }
    }
}

impl<'m> Iterator for Values<'m, '_> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<Self::Item> {
        // No header that is a list of addresses has comments, and a URI without <> may hold parentheses.
        let comments = match self.grammar {
            Grammar::Single | Grammar::Address => return self.fields.next(),
            Grammar::List => true,
            Grammar::Addresses => false,
        };
        loop {
            while self.rest.is_empty() {
                self.rest = self.fields.next()?;
                if self.rest.is_empty() {
                    // `Supported:` with nothing is a list of none.
                    continue;
                }
            }
            let end = list_value(self.rest, comments).min(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            let value = trim(value);
            if !value.is_empty() {
                return Some(value);
            }
        }
    }
}

/// The values of a comma list of the host's; commas in quotes and in <> are none.
pub(crate) fn list_of(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let (value, rest) = text.split_at_checked(list_value(text, false))?;
        // What stands behind a comma is a value, and be it empty.
        text = rest.get(1..).map_or(b"", |rest| if rest.is_empty() { b" " } else { rest });
        Some(value.trim_ascii())
    })
}

/// The values of a Route header of the host's, first hop first; none of an empty one.
pub(crate) fn routes_of(text: &[u8]) -> Result<Vec<&[u8]>> {
    let routes: Vec<&[u8]> = list_of(text).collect();
    for route in &routes {
        if !NameAddr::parse(route)?.parse_uri()?.is_sip() || !route.contains(&b'<') {
            return Err(Error::syntax("route set: sip or sips URIs in <> (RFC 3261 20.34)"));
        }
    }
    Ok(routes)
}
