//! RFC 3261 §22, RFC 7616, RFC 8760: the credentials that requests carry, and the challenges that they answer.

use super::View;
use crate::common::sip::{Sip, split};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use std::collections::HashMap;
use std::fmt::Write;

/// A password that the checker knows; what it does not know it cannot recompute.
#[derive(Clone, Debug)]
pub struct Secret {
    pub realm: String,
    pub user: String,
    pub password: String,
}

/// A Digest challenge, or Digest credentials.
struct Line {
    proxy: bool,
    /// Name, value without quotes, whether it had them.
    parameters: Vec<(String, String, bool)>,
}

impl Line {
    fn read(value: &str, proxy: bool) -> Option<Self> {
        let (scheme, rest) = value.split_once(' ')?;
        let parameters = split(rest, ',').into_iter().filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            Some(match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
                Some(inner) => (name, unescaped(inner), true),
                None => (name, value.to_owned(), false),
            })
        });
        scheme.eq_ignore_ascii_case("Digest").then(|| Self { proxy, parameters: parameters.collect() })
    }

    fn all(sip: &Sip, names: [&str; 2]) -> Vec<Self> {
        let read = |name, proxy| sip.all(name).into_iter().filter_map(move |value| Self::read(value, proxy));
        read(names[0], false).chain(read(names[1], true)).collect()
    }

    fn credentials(request: &Sip) -> Vec<Self> {
        Self::all(request, ["authorization", "proxy-authorization"])
    }

    fn challenges(response: &Sip) -> Vec<Self> {
        Self::all(response, ["www-authenticate", "proxy-authenticate"])
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, ..)| known == name).map(|(_, value, _)| value.as_str())
    }

    fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    fn is_quoted(&self, name: &str) -> bool {
        self.parameters.iter().any(|(known, _, quoted)| known == name && *quoted)
    }

    /// RFC 7616 §3.3: none is MD5.
    fn algorithm(&self) -> String {
        self.get("algorithm").unwrap_or("MD5").to_ascii_uppercase()
    }

    fn same_space(&self, other: &Self) -> bool {
        self.proxy == other.proxy && self.value("realm") == other.value("realm")
    }

    /// What is chosen of the qop that it offers: auth-int where nothing else is there.
    fn best_qop(&self) -> Option<&'static str> {
        let offers = |known: &&str| self.value("qop").split(',').any(|qop| qop.trim().eq_ignore_ascii_case(known));
        ["auth", "auth-int"].into_iter().find(offers)
    }

    /// A challenge that the library says it can answer.
    fn is_known(&self) -> bool {
        let twice = |at: usize| self.parameters[..at].iter().any(|(name, ..)| *name == self.parameters[at].0);
        !(0..self.parameters.len()).any(twice)
            && matches!(self.algorithm().as_str(), "MD5" | "SHA-256" | "SHA-512-256")
            && (self.get("qop").is_none() || self.best_qop().is_some())
    }

    fn is_stale(&self) -> bool {
        self.value("stale").eq_ignore_ascii_case("true")
    }
}

fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    let mut out = String::new();
    while let Some(letter) = letters.next() {
        out.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    out
}

pub fn judge(view: &mut View<'_>) {
    let mut counts = HashMap::<(bool, String, String), u32>::new();
    for client in 0..view.clients.len() {
        let line = view.clients[client].sends[0];
        let request = view.sip(line);
        let credentials = Line::credentials(request);
        if request.method() == "CANCEL" {
            let bare = request.get("authorization").is_none() && request.get("proxy-authorization").is_none();
            if !bare {
                view.blame("digest-cancel", line, "credentials in CANCEL, which nobody may challenge");
            }
            continue;
        }
        for (place, own) in credentials.iter().enumerate() {
            judge_form(view, line, own);
            if credentials[..place].iter().any(|other| other.same_space(own)) {
                view.blame("digest-form", line, format!("two credentials for the realm {}", own.value("realm")));
            }
            judge_answer(view, line, own);
            judge_response(view, line, own);
            if own.get("nc").is_some() {
                let key = (own.proxy, own.value("realm").to_owned(), own.value("nonce").to_owned());
                let count = counts.entry(key).or_default();
                *count += 1;
                if u32::from_str_radix(own.value("nc"), 16) != Ok(*count) {
                    let nonce = own.value("nonce");
                    let detail = format!("nc={} in request {count} with the nonce {nonce}", own.value("nc"));
                    view.blame("digest-nc", line, detail);
                }
            }
        }
        judge_resubmission(view, client);
    }
    judge_acks(view);
}

/// RFC 7616 §3.4, RFC 3261 §22.4: what is there, what is quoted.
fn judge_form(view: &mut View<'_>, line: usize, own: &Line) {
    let mut faults = Vec::new();
    for name in ["username", "realm", "nonce", "uri", "response"] {
        if !own.is_quoted(name) {
            faults.push(format!("{name} is missing or not quoted"));
        }
    }
    if own.value("uri") != view.sip(line).uri() {
        faults.push(format!("uri {:?} is not the Request-URI", own.value("uri")));
    }
    let digits = if own.algorithm() == "MD5" { 32 } else { 64 };
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if own.value("response").len() != digits || !is_hex(own.value("response")) {
        faults.push(format!("response {:?}", own.value("response")));
    }
    let with_qop = ["qop", "nc", "cnonce"].map(|name| own.get(name).is_some());
    if with_qop != [true; 3] && with_qop != [false; 3] {
        faults.push(format!("qop, nc, cnonce: {with_qop:?}"));
    }
    if own.is_quoted("qop") || own.is_quoted("nc") || own.is_quoted("algorithm") {
        faults.push("qop, nc or algorithm is quoted".to_owned());
    }
    if own.get("nc").is_some_and(|count| count.len() != 8 || !is_hex(count)) {
        faults.push(format!("nc {:?}", own.value("nc")));
    }
    for fault in faults {
        view.blame("digest-form", line, fault);
    }
}

/// RFC 7616 §3.4, RFC 8760 §2.4: the credentials answer the topmost challenge of their realm that can be answered,
/// in a response that came before.
fn judge_answer(view: &mut View<'_>, line: usize, own: &Line) {
    let responses = (0..line).rev().filter(|other| !view.seen[*other].out && matches!(view.status(*other), 401 | 407));
    let mut challenges = responses.map(|other| (other, Line::challenges(view.sip(other))));
    let wanted = |challenge: &Line| challenge.same_space(own) && challenge.value("nonce") == own.value("nonce");
    let Some((response, challenges)) = challenges.find(|(_, all)| all.iter().any(wanted)) else {
        return view.blame("digest-answer", line, format!("no challenge had the nonce {:?}", own.value("nonce")));
    };
    let Some(topmost) = challenges.iter().find(|challenge| challenge.same_space(own) && challenge.is_known()) else {
        return view.blame("digest-answer", line, "no challenge of the realm could be answered");
    };
    if topmost.value("nonce") != own.value("nonce") || topmost.algorithm() != own.algorithm() {
        view.blame("digest-answer", line, "another challenge of the realm stands above the one that is answered");
    } else if topmost.get("opaque") != own.get("opaque") {
        view.blame("digest-answer", line, "opaque is not the challenge's");
    } else if topmost.best_qop() != own.get("qop") {
        view.blame("digest-answer", line, format!("qop {:?} for {:?}", own.get("qop"), topmost.get("qop")));
    }
    let asked = (0..view.clients.len()).find(|client| view.final_to(*client) == Some(response));
    let asked_by = asked.map(|client| view.seen[view.clients[client].sends[0]].target);
    if asked_by.is_some_and(|asked_by| asked_by != view.seen[line].target) {
        view.blame("digest-elsewhere", line, format!("{asked_by:?} asked for them"));
    }
}

/// RFC 7616 §3.4.1, recomputed.
fn judge_response(view: &mut View<'_>, line: usize, own: &Line) {
    let secrets = &view.trace.secrets;
    let mut of_user = secrets.iter().filter(|it| it.realm == own.value("realm") && it.user == own.value("username"));
    let request = view.sip(line);
    let algorithm = own.algorithm();
    let fits = |secret: &Secret| {
        let first = hash(&algorithm, &[&secret.user, &secret.realm, &secret.password]);
        let second = match own.get("qop") {
            Some("auth-int") => {
                let body = hash_bytes(&algorithm, request.body.as_bytes());
                hash(&algorithm, &[request.method(), own.value("uri"), &body])
            }
            _ => hash(&algorithm, &[request.method(), own.value("uri")]),
        };
        let parts = match own.get("qop") {
            Some(qop) => vec![&*first, own.value("nonce"), own.value("nc"), own.value("cnonce"), qop, &*second],
            None => vec![&*first, own.value("nonce"), &*second],
        };
        hash(&algorithm, &parts) == own.value("response")
    };
    if of_user.clone().next().is_some() && !of_user.any(fits) {
        view.blame("digest-response", line, format!("response {:?} by {algorithm}", own.value("response")));
    }
}

fn hash(algorithm: &str, parts: &[&str]) -> String {
    hash_bytes(algorithm, parts.join(":").as_bytes())
}

fn hash_bytes(algorithm: &str, text: &[u8]) -> String {
    let bytes = match algorithm {
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-512-256" => Sha512_256::digest(text).to_vec(),
        _ => Md5::digest(text).to_vec(),
    };
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The request that was sent again for a challenge to this one.
fn successor(view: &View<'_>, client: usize) -> Option<(usize, Vec<Line>)> {
    let answer = view.final_to(client).filter(|line| matches!(view.status(*line), 401 | 407))?;
    let request = view.sip(view.clients[client].sends[0]);
    let challenges = Line::challenges(view.sip(answer));
    let next = (client + 1..view.clients.len()).find(|other| {
        let line = view.clients[*other].sends[0];
        let sip = view.sip(line);
        let same = sip.method() == request.method() && sip.from_tag() == request.from_tag();
        let answers =
            |own: &Line| challenges.iter().any(|it| it.same_space(own) && it.value("nonce") == own.value("nonce"));
        line > answer && same && sip.to_tag() == request.to_tag() && Line::credentials(sip).iter().any(answers)
    })?;
    Some((next, challenges))
}

/// RFC 3261 §8.1.3.5 and §22.2: the next CSeq, all else as it was; credentials that were refused are not sent again.
fn judge_resubmission(view: &mut View<'_>, client: usize) {
    let Some((next, challenges)) = successor(view, client) else { return };
    let (former, line) = (view.sip(view.clients[client].sends[0]), view.clients[next].sends[0]);
    let sip = view.sip(line);
    let in_dialog = former.to_tag().is_some();
    // §12.2.1.1: in a dialog From and To are what it has now (RFC 4916 §4), which is judged there.
    let kept: &[&str] =
        if in_dialog { &["content-type", "contact"] } else { &["from", "to", "content-type", "contact"] };
    let same = kept.iter().all(|name| sip.all(name) == former.all(name));
    // A change of the session may have waited for its turn, and been given a new body.
    let waited = in_dialog && view.final_to(client).is_some_and(|answer| view.at(answer) < view.at(line));
    let renewed = waited && matches!(sip.method(), "INVITE" | "UPDATE");
    if !same || !renewed && sip.body != former.body {
        view.blame("digest-resubmission", line, "From, To, Contact or body is not that of the challenged request");
    }
    // In a dialog other requests may have come between; its numbers are judged there.
    if !in_dialog && sip.cseq() != former.cseq() + 1 {
        view.blame("digest-resubmission", line, format!("CSeq {} after {}", sip.cseq(), former.cseq()));
    }
    // What a request carried from the start may have been too old; what was made for it is known to be wrong.
    let asked = (0..client).find_map(|first| successor(view, first).filter(|(then, _)| *then == client));
    let Some((_, answered)) = asked else { return };
    let (before, after) = (Line::credentials(former), Line::credentials(sip));
    for challenge in &challenges {
        let own = |lines: &[Line]| {
            lines.iter().find(|own| own.same_space(challenge)).map(|own| own.value("username").to_owned())
        };
        let made_for_it = answered.iter().any(|it| it.same_space(challenge));
        let again = own(&before).is_some() && own(&before) == own(&after);
        if made_for_it && again && !challenge.is_stale() {
            view.blame("digest-again", line, format!("the realm {} had refused them", challenge.value("realm")));
        }
    }
}

/// RFC 3261 §22.1: the ACK to a 2xx repeats the credentials of its INVITE; those of proxies where it goes to them, too.
fn judge_acks(view: &mut View<'_>) {
    for line in view.acks_out.clone() {
        let ack = view.sip(line);
        // The same number may have gone to more than one target of a name (RFC 3263 §4.3); the last one was accepted.
        let mut tries =
            view.clients.iter().map(|client| (client.sends[0], view.sip(client.sends[0]))).filter(|(_, sip)| {
                sip.method() == "INVITE" && sip.cseq() == ack.cseq() && sip.from_tag() == ack.from_tag()
            });
        if tries.clone().any(|(_, invite)| invite.branch() == ack.branch()) {
            continue;
        }
        let Some((sent, invite)) = tries.next_back() else { continue };
        let elsewhere = view.seen[sent].target != view.seen[line].target;
        let mut proxies = invite.all("proxy-authorization");
        proxies.retain(|_| !elsewhere);
        if ack.all("authorization") != invite.all("authorization") || ack.all("proxy-authorization") != proxies {
            view.blame("digest-ack", line, "the credentials are not those of the INVITE");
        }
    }
}
