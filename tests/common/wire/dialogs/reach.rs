//! Where a message says that its sender is reached (RFC 3261 §12.1, §12.2.1.1): an own reading of URIs, apart from that of
//! the library.

use super::Dialog;
use crate::common::sip::{Sip, behind_user, uri_of};

/// The target that the Contact of a message names; `None` when there is none, or none that a request can be sent to.
pub(super) fn target_in(sip: &Sip, routes: &[String]) -> Option<String> {
    let contact = sip.contact().filter(|uri| is_good(uri))?;
    let next = routes.first().map_or_else(|| contact.clone(), |route| uri_of(route));
    is_transport_known(&next).then(|| bare(&contact, &["method", "ttl"]))
}

/// Whether it names a Contact or a hop that no request can be sent to.
pub(super) fn leads_nowhere(sip: &Sip, routes: &[String]) -> bool {
    let bad = sip.get("contact").is_some() && target_in(sip, routes).is_none();
    bad || !routes.iter().all(|route| is_good(&uri_of(route)))
}

impl Dialog {
    /// A message moves the target, if it may.
    pub(super) fn follow(&mut self, sip: &Sip) {
        self.target = target_in(sip, &self.routes).or(self.target.take());
    }
}

/// Table 1 of RFC 3261 §19.1.1: without headers and what may not stand there.
pub(super) fn bare(uri: &str, without: &[&str]) -> String {
    let (user, rest) = uri.rsplit_once('@').map_or(("", uri), |(user, rest)| (user, rest));
    let mut pieces = rest.split('?').next().unwrap_or_default().split(';');
    let mut text = if user.is_empty() { String::new() } else { format!("{user}@") };
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let name = piece.split('=').next().unwrap_or_default().to_ascii_lowercase();
        if !without.contains(&&*name) {
            text.push_str(&format!(";{piece}"));
        }
    }
    text
}

fn is_good(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let host = host.split([';', '?']).next().unwrap_or_default();
    let (host, port) = match host.rfind(':').filter(|colon| !host[*colon..].contains(']')) {
        Some(colon) => (&host[..colon], Some(&host[colon + 1..])),
        None => (host, None),
    };
    let escaped = |text: &str| {
        text.split('%')
            .skip(1)
            .all(|piece| piece.len() > 1 && piece.chars().take(2).all(|digit| digit.is_ascii_hexdigit()))
    };
    (scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips"))
        && user.is_none_or(|user| !user.is_empty() && escaped(user) && !user.contains(['|', '^', ' ', '"', '<', '\\']))
        && !host.is_empty()
        && host.starts_with('[') == host.ends_with(']')
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_transport_known(uri: &str) -> bool {
    let rest = behind_user(uri).to_ascii_lowercase();
    let asked = rest.split(';').find_map(|piece| piece.strip_prefix("transport=").map(str::to_owned));
    let secure = uri.to_ascii_lowercase().starts_with("sips:");
    asked.is_none_or(|asked| match &*asked {
        "udp" => !secure,
        "tcp" | "tls" | "ws" | "wss" => true,
        _ => false,
    })
}
