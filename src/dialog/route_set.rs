//! The route set and where it leads (RFC 3261 §12.2.1.1, §16.12.1.2).

use crate::message::uri::is_sips;
use crate::message::{HeaderId, Message, NameAddr, Uri};
use std::borrow::Cow;

/// Values of a Route header, first hop first, with all their parameters.
#[derive(Clone, Debug, Default)]
pub struct RouteSet {
    /// `None`: there are none, as in most calls between phones.
    routes: Option<Box<Routes>>,
}

/// All of them in one piece, for a peer may name many.
#[derive(Clone, Debug)]
struct Routes {
    /// As one header value.
    text: Box<[u8]>,
    /// Where each value ends in it.
    ends: Box<[u32]>,
}

/// Between two values.
const COMMA: &[u8] = b", ";

/// Where a request in the dialog goes.
#[derive(Debug)]
pub struct Destination<'a> {
    /// The Request-URI.
    pub request_uri: Cow<'a, [u8]>,
    /// Values of the Route header, in order.
    pub routes: Vec<Cow<'a, [u8]>>,
    /// The URI of the element that gets the request first.
    pub next_hop: Cow<'a, [u8]>,
}

impl Destination<'_> {
    /// Whether the Request-URI or the top Route is a SIPS URI (§8.1.1.8).
    pub fn is_sips(&self) -> bool {
        let top = || self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        is_sips(&self.request_uri) || top().is_some_and(|top| is_sips(top.uri))
    }
}

impl RouteSet {
    /// From values in the order of travel.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for value in values {
            if !ends.is_empty() {
                text.extend_from_slice(COMMA);
            }
            text.extend_from_slice(value);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        if ends.is_empty() {
            return Self::default();
        }
        Self { routes: Some(Box::new(Routes { text: text.into_boxed_slice(), ends: ends.into_boxed_slice() })) }
    }

    /// Callee: Record-Route of the request, in order (§12.1.1). Caller: that of the response, reversed (§12.1.2).
    pub fn recorded_by(message: &Message) -> Self {
        if message.is_request() {
            return Self::new(message.values(HeaderId::RecordRoute));
        }
        let values: Vec<&[u8]> = message.values(HeaderId::RecordRoute).collect();
        Self::new(values.into_iter().rev())
    }

    /// The way of a request of ours out of a dialog, and its target, before a strict router among the `preloaded` took
    /// the Request-URI: where the requests of a dialog go whose peer says nothing good.
    pub fn of_own_request<'a>(request: &'a Message, preloaded: &[Vec<u8>]) -> (Self, &'a [u8]) {
        let uri = request.uri().unwrap_or_default();
        let mut sent = request.values(HeaderId::Route);
        let routes = Self::new(preloaded.iter().map(|route| &route[..]));
        if routes.strict_router().is_none() {
            return (Self::new(sent), uri);
        }
        // Behind the others, the first of which is the Request-URI.
        let target = sent.nth(preloaded.len().saturating_sub(1)).and_then(NameAddr::uri_of);
        (routes, target.unwrap_or(uri))
    }

    /// The values, first hop first.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.routes.iter().flat_map(|routes| {
            let mut start = 0;
            routes.ends.iter().map(move |end| {
                let value = routes.text.get(start..*end as usize).unwrap_or_default();
                start = *end as usize + COMMA.len();
                value
            })
        })
    }

    /// The URI of the first hop.
    pub fn first(&self) -> Option<&[u8]> {
        self.values().next().and_then(NameAddr::uri_of)
    }

    /// Whether there is no hop between.
    pub fn is_empty(&self) -> bool {
        self.routes.is_none()
    }

    /// The first hop, where it has no `lr`.
    fn strict_router(&self) -> Option<Uri<'_>> {
        // Each value was read before it came in here.
        self.first().and_then(|uri| Uri::received(uri).ok()).filter(|uri| uri.parameter(b"lr").is_none())
    }

    /// As one Route header value.
    pub fn text(&self) -> &[u8] {
        self.routes.as_ref().map_or(&[], |routes| &routes.text)
    }

    /// Where a request to `target` goes. A first hop with `lr` routes loosely; without, it is a strict router: it
    /// becomes the Request-URI and the target the last Route.
    pub fn destination<'a>(&'a self, target: &'a [u8]) -> Destination<'a> {
        let direct = || Destination {
            request_uri: Cow::Borrowed(target),
            routes: self.values().map(Cow::Borrowed).collect(),
            next_hop: Cow::Borrowed(target),
        };
        let Some(first) = self.first() else { return direct() };
        let next_hop = Cow::Borrowed(first);
        let Some(uri) = self.strict_router() else { return Destination { next_hop, ..direct() } };
        let mut last = Vec::with_capacity(target.len() + 2);
        last.push(b'<');
        last.extend_from_slice(target);
        last.push(b'>');
        let routes = self.values().skip(1).map(Cow::Borrowed).chain([Cow::Owned(last)]).collect();
        Destination { request_uri: uri.as_request_uri(), routes, next_hop }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let all = |routes: &Routes| size_of::<Routes>() + routes.text.len() + size_of_val(&*routes.ends);
        self.routes.as_deref().map_or(0, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &[u8] = b"sip:bob@192.0.2.4";

    fn shown(values: &[&[u8]]) -> (String, Vec<String>, String) {
        let set = RouteSet::new(values.iter().copied());
        let to = set.destination(TARGET);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&to.request_uri), to.routes.iter().map(|route| text(route)).collect(), text(&to.next_hop))
    }

    /// §8.1.1.8: what makes our Contact sips.
    #[test]
    fn the_request_uri_and_the_top_route_may_be_sips() {
        let (plain, sips): (&[u8], &[u8]) = (b"sip:bob@192.0.2.4", b"SIPS:bob@192.0.2.4");
        type Row = (&'static [u8], &'static [&'static [u8]], bool);
        let rows: [Row; 10] = [
            (plain, &[], false),
            (sips, &[], true),
            (plain, &[b"<sip:p1;lr>"], false),
            (plain, &[b"\"<sip:x>\" <sips:p1;lr>;x=y"], true),
            (plain, &[b"<sip:p1;lr>", b"<sips:p2;lr>"], false),
            (sips, &[b"<sip:p1;lr>"], true),
            // Strict routers: the first becomes the Request-URI, the target the last Route.
            (plain, &[b"<sips:p1>"], true),
            (plain, &[b"<sip:p1>", b"<sips:p2;lr>"], true),
            (sips, &[b"<sip:p1>"], true),
            (sips, &[b"<sip:p1>", b"<sip:p2;lr>"], false),
        ];
        for (target, values, expected) in rows {
            let set = RouteSet::new(values.iter().copied());
            let to = set.destination(target);
            assert_eq!(to.is_sips(), expected, "{to:?}");
        }
    }

    #[test]
    fn where_a_request_goes() {
        type Row = (&'static [&'static [u8]], &'static str, &'static [&'static str], &'static str);
        let rows: [Row; 6] = [
            (&[], "sip:bob@192.0.2.4", &[], "sip:bob@192.0.2.4"),
            (&[b"<sip:p1;lr>", b"<sip:p2;lr>"], "sip:bob@192.0.2.4", &["<sip:p1;lr>", "<sip:p2;lr>"], "sip:p1;lr"),
            (&[b"<sip:p1>", b"<sip:p2;lr>"], "sip:p1", &["<sip:p2;lr>", "<sip:bob@192.0.2.4>"], "sip:p1"),
            (&[b"<sip:a?b;c@p1>"], "sip:a?b;c@p1", &["<sip:bob@192.0.2.4>"], "sip:a?b;c@p1"),
            (&[b"<sip:x;lr@p1>"], "sip:x;lr@p1", &["<sip:bob@192.0.2.4>"], "sip:x;lr@p1"),
            (
                &[b"\"x\" <sip:p1;method=INVITE;transport=tcp?a=b>;q=1"],
                "sip:p1;transport=tcp",
                &["<sip:bob@192.0.2.4>"],
                "sip:p1;method=INVITE;transport=tcp?a=b",
            ),
        ];
        for (values, uri, routes, hop) in rows {
            assert_eq!(shown(values), (uri.into(), routes.iter().map(|route| route.to_string()).collect(), hop.into()));
        }
    }
}
