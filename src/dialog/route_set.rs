//! The route set and where it leads (RFC 3261 §12.2.1.1, §16.12.1.2).

use crate::held;
use crate::message::uri::is_sips;
use crate::message::{HeaderId, Message, NameAddr, Uri};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Values of a Route header, first hop first, with all their parameters.
#[derive(Clone, Debug, Default)]
pub struct RouteSet {
    /// `None`: there are none, as in most calls between phones.
    routes: Option<Box<Routes>>,
}

/// All of them in one piece, for a peer may name many.
#[derive(Clone, Debug)]
struct Routes {
    /// As one header value, or a response in which they stand.
    text: Arc<[u8]>,
    /// Where each value stands in it.
    values: Box<[Range<u32>]>,
    /// The response is held by who repeats it.
    lent: bool,
}

/// Between two values.
const COMMA: &[u8] = b", ";

/// What is longer is not held beside the response that has it too.
const LONG: usize = 1_024;

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
        let (mut text, mut places) = (Vec::new(), Vec::new());
        for value in values {
            if !places.is_empty() {
                text.extend_from_slice(COMMA);
            }
            let start = number(text.len());
            text.extend_from_slice(value);
            places.push(start..number(text.len()));
        }
        if places.is_empty() {
            return Self::default();
        }
        Self { routes: Some(Box::new(Routes { text: text.into(), values: places.into(), lent: false })) }
    }

    /// The response that repeats them is held as long as its ACK is not here: they are read in it until then, where
    /// they are long.
    pub fn lent_by(&mut self, response: &Arc<[u8]>) {
        let Some(routes) = self.routes.as_deref_mut().filter(|routes| routes.text.len() > LONG) else { return };
        let Ok(message) = Message::parse(response, None) else { return };
        // The text of a message is as long as its bytes, and its parts stand where they stand there.
        let start = message.bytes().as_ptr() as usize;
        let place = |value: &[u8]| (value.as_ptr() as usize).checked_sub(start).map(|at| at..at + value.len());
        let places: Vec<Range<usize>> = message.values(HeaderId::RecordRoute).filter_map(place).collect();
        let found = places.iter().map(|place| response.get(place.clone()));
        if found.eq(routes.values().map(Some)) {
            routes.values = places.into_iter().map(|place| number(place.start)..number(place.end)).collect();
            routes.text = Arc::clone(response);
            routes.lent = true;
        }
    }

    /// The response is let go of.
    pub fn own(&mut self) {
        if self.routes.as_deref().is_some_and(|routes| routes.lent) {
            *self = Self::new(self.values());
        }
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
        self.routes.iter().flat_map(|routes| routes.values())
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
    pub fn text(&self) -> Cow<'_, [u8]> {
        match self.routes.as_deref() {
            None => Cow::Borrowed(&[]),
            Some(routes) if !routes.lent => Cow::Borrowed(&routes.text),
            Some(routes) => Cow::Owned(routes.values().collect::<Vec<_>>().join(COMMA)),
        }
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
        let all = |routes: &Routes| {
            let text = if routes.lent { 0 } else { held::shared(&routes.text) };
            size_of::<Routes>() + text + size_of_val(&*routes.values)
        };
        self.routes.as_deref().map_or(0, all)
    }
}

impl Routes {
    fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(|place| self.text.get(place.start as usize..place.end as usize).unwrap_or_default())
    }
}

/// A message is shorter than 4 GiB.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in the response while that is there; the same before, meanwhile and after it. Short ones are not lent, nor
    /// what the response says otherwise.
    #[test]
    fn long_routes_are_lent() {
        let long = "x".repeat(700);
        let values = [format!("<sip:p1;lr;a={long}>"), "<sip:p2;lr>".to_owned(), format!("<sip:p3;b={long}>")];
        let response = |routes: &str| -> Arc<[u8]> {
            let head =
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2";
            Arc::from(format!("{head}\r\n{routes}Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n").as_bytes())
        };
        let lines = format!("Record-Route: {},{}\r\nRecord-Route: {}\r\n", values[0], values[1], values[2]);
        let mut set = RouteSet::new(values.iter().map(String::as_bytes));
        let (text, held) = (set.text().into_owned(), set.heap_bytes());
        let told = |set: &RouteSet| set.values().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let lender = response(&lines);
        set.lent_by(&lender);
        assert_eq!(Arc::strong_count(&lender), 2);
        assert!(set.heap_bytes() < 200, "{}", set.heap_bytes());
        assert_eq!((set.text().into_owned(), told(&set)), (text.clone(), values.map(String::into_bytes).to_vec()));
        set.own();
        assert_eq!((Arc::strong_count(&lender), set.heap_bytes()), (1, held));
        assert_eq!(set.text().into_owned(), text);
        let other = response("Record-Route: <sip:p2;lr>\r\n");
        set.lent_by(&other);
        let short = response("Record-Route: <sip:p2;lr>\r\n");
        RouteSet::new([&b"<sip:p2;lr>"[..]]).lent_by(&short);
        assert_eq!((Arc::strong_count(&other), Arc::strong_count(&short)), (1, 1));
    }

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
