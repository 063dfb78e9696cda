//! What is known of the challenges of one request, and who has credentials that answer them (RFC 3261 §22, RFC 7616,
//! RFC 8760).

use crate::agent::fault::{Counter, Fault};
use crate::config::{Config, Secret};
use crate::flow::Flow;
use crate::held;
use crate::message::digest::{self, Algorithm, Credentials, Qop};
use crate::message::secret::Hidden;
use crate::message::{Challenge, HeaderId, Message};
use std::sync::Arc;

/// How often one request is sent again at most, however often its peers call a nonce stale.
const ROUNDS: u8 = 8;

/// Challenges that are read of one response, and realms that are remembered for a dialog.
pub const REALMS: usize = 8;

/// What was done about the challenges of a request of ours.
#[derive(Clone, Debug, Default)]
pub struct Authentication {
    /// What it carries now.
    pub credentials: Vec<Credentials>,
    /// What was refused.
    refused: Vec<Credentials>,
    /// What served for this request elsewhere, or for the request before it: not tried yet.
    known: Vec<Credentials>,
    /// What the host gave with the request.
    given: Option<Arc<[Secret]>>,
    rounds: u8,
}

impl Authentication {
    /// Bytes held; what the host gave is its own.
    pub fn held(&self) -> usize {
        let lists = [&self.credentials, &self.refused, &self.known];
        let texts = lists.into_iter().flatten().map(Credentials::heap_bytes).sum::<usize>();
        size_of::<Self>() + lists.into_iter().map(held::list).sum::<usize>() + texts
    }

    /// Of a request with credentials of its own; `None`: it has none.
    pub fn with(given: &[Secret]) -> Option<Box<Self>> {
        (!given.is_empty()).then(|| Box::new(Self { given: Some(given.into()), ..Self::default() }))
    }

    /// For a request that follows one without a session of its own.
    pub fn inherited(&self) -> Box<Self> {
        Box::new(Self { known: self.credentials.clone(), given: self.given.clone(), ..Self::default() })
    }

    /// What the host gave.
    pub fn given(&self) -> Option<&Arc<[Secret]>> {
        self.given.as_ref()
    }

    /// It goes out to there: what was asked for elsewhere stays away, and counts for what is asked there as known, not
    /// as tried (RFC 7616 §3.4: a nonce is good where it came from).
    pub fn goes_to(&mut self, flow: &Flow) {
        if self.credentials.iter().any(|own| !own.asked_by.ends_with(flow)) {
            *self = *self.inherited();
        }
    }

    /// Whether it may be answered once more, however often a nonce is called stale.
    pub fn may_go_on(&self) -> bool {
        self.rounds < ROUNDS
    }

    /// These answer the last challenge. Those of the same realm that they replace were refused, unless only the nonce
    /// is new.
    pub fn answered(&mut self, answers: Vec<Credentials>) {
        self.rounds = self.rounds.saturating_add(1);
        for answer in answers {
            match self.credentials.iter_mut().find(|former| same_space(former, &answer)) {
                Some(former) => {
                    let former = std::mem::replace(former, answer);
                    let renewed = self.credentials.iter().any(|now| same_space(now, &former) && now.ha1 == former.ha1);
                    if !renewed {
                        self.refused.push(former);
                    }
                }
                None => self.credentials.push(answer),
            }
        }
    }

    /// RFC 3261 §22.2: not the same credentials again.
    fn has_tried(&self, demand: &Demand, user: &[u8], ha1: &Hidden) -> bool {
        let same = |tried: &Credentials| {
            demand.is_for(tried) && *tried.user == *user && (tried.algorithm != demand.algorithm || tried.ha1 == *ha1)
        };
        // RFC 7616 §3.3: stale says that they were right, and the nonce was too old; a new one comes with it.
        let renewed = |tried: &Credentials| demand.stale && tried.nonce != demand.nonce;
        self.refused.iter().any(same) || self.credentials.iter().any(|tried| same(tried) && !renewed(tried))
    }
}

/// A challenge that could be answered.
struct Demand {
    proxy: bool,
    realm: Box<[u8]>,
    algorithm: Algorithm,
    qop: Option<Qop>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    stale: bool,
    asked_by: Flow,
}

impl Demand {
    /// Those of a response to a request that went there, in order, without those by a hash that is too weak. A forking
    /// proxy gathers WWW-Authenticate and Proxy-Authenticate in one (RFC 3261 §22.3).
    /// `left_out`: those that are broken, weak or too many.
    fn all_of(response: &Message, asked_by: Flow, minimum: Algorithm, left_out: &mut Vec<Fault>) -> Vec<Self> {
        let mut all = Vec::new();
        for (header, proxy) in [(HeaderId::WwwAuthenticate, false), (HeaderId::ProxyAuthenticate, true)] {
            let mut leave = |rule| left_out.push(Fault::new(Counter::Challenge, header.name(), rule));
            for value in response.fields(header).take(REALMS) {
                // What we do not know is the peer's to offer.
                if Challenge::is_of_others(value) {
                    continue;
                }
                let Ok(challenge) = Challenge::parse(value) else {
                    leave("no challenge, or a parameter stands there twice (RFC 7616 3.3)");
                    continue;
                };
                match Self::read(&challenge, proxy, asked_by) {
                    Some(demand) if demand.algorithm < minimum => {
                        leave("a weaker hash than is wanted here (RFC 8760 2.4)");
                    }
                    Some(demand) => all.push(demand),
                    None if [&b"realm"[..], b"nonce"].iter().any(|name| challenge.parameter(name).is_none()) => {
                        leave("realm and nonce are missing (RFC 7616 3.3)");
                    }
                    None => {}
                }
            }
            if response.fields(header).nth(REALMS).is_some() {
                leave("more than 8 challenges (RFC 7616 3.7)");
            }
        }
        all
    }

    fn read(challenge: &Challenge<'_>, proxy: bool, asked_by: Flow) -> Option<Self> {
        let digest::Known { algorithm, qop } = digest::Known::read(challenge)?;
        let text = |name: &[u8]| challenge.parameter(name).map(|value| Box::from(&*value));
        Some(Self {
            proxy,
            realm: text(b"realm")?,
            algorithm,
            qop,
            nonce: text(b"nonce")?,
            opaque: text(b"opaque"),
            stale: challenge.is_stale(),
            asked_by,
        })
    }

    fn is_for(&self, credentials: &Credentials) -> bool {
        self.proxy == credentials.proxy && self.realm == credentials.realm
    }

    fn answered_with(&self, user: &[u8], ha1: Hidden) -> Credentials {
        Credentials {
            proxy: self.proxy,
            realm: self.realm.clone(),
            algorithm: self.algorithm,
            user: user.into(),
            ha1,
            nonce: self.nonce.clone(),
            opaque: self.opaque.clone(),
            qop: self.qop,
            count: 0,
            asked_by: self.asked_by,
        }
    }
}

/// What the host gives for a realm.
pub struct Given<'a> {
    pub realm: &'a [u8],
    pub user: &'a [u8],
    pub password: &'a [u8],
}

/// What can be done about the challenges of a response.
#[derive(Default)]
pub struct Answers {
    pub ready: Vec<Credentials>,
    /// The first realm without an answer.
    pub open: Option<Box<[u8]>>,
    /// What was sent for some realm is wrong.
    pub refused: bool,
    /// Challenges that are passed over.
    pub left_out: Vec<Fault>,
}

pub fn same_space(one: &Credentials, other: &Credentials) -> bool {
    one.proxy == other.proxy && one.realm == other.realm
}

/// Who may have credentials for a challenge.
pub struct Known<'a> {
    /// The host's answer.
    pub answer: Option<&'a Given<'a>>,
    /// What the request has done so far.
    pub auth: Option<&'a Authentication>,
    /// What served before in this call.
    pub of_session: &'a [Credentials],
    /// What the host gave for this call.
    pub of_call: &'a [Secret],
    /// What it gave for all.
    pub config: &'a Config,
    /// Where the request went.
    pub asked_by: Flow,
}

impl Known<'_> {
    /// For each realm the topmost challenge that somebody has credentials for (RFC 8760 §2.4).
    pub fn answers(&self, response: &Message) -> Answers {
        let mut answers = Answers::default();
        let demands = Demand::all_of(response, self.asked_by, self.config.digest_minimum, &mut answers.left_out);
        for (at, demand) in demands.iter().enumerate() {
            let same = |other: &&Demand| other.proxy == demand.proxy && other.realm == demand.realm;
            if demands.iter().take(at).any(|other| same(&other)) {
                continue;
            }
            match demands.iter().skip(at).filter(same).find_map(|demand| self.answer(demand)) {
                Some(ready) => answers.ready.push(ready),
                None => {
                    let sent = self.auth.is_some_and(|auth| auth.credentials.iter().any(|sent| demand.is_for(sent)));
                    answers.refused |= sent;
                    answers.open.get_or_insert_with(|| demand.realm.clone());
                }
            }
        }
        answers
    }

    /// The first credentials for a challenge that were not refused: the host's answer, what served before in this call,
    /// the host's for the call; where it gave none for the realm, the configuration's for the realm, then for any.
    fn answer(&self, demand: &Demand) -> Option<Credentials> {
        let answer = self.answer.filter(|given| *given.realm == *demand.realm);
        let answer = answer.map(|given| (given.user, demand.algorithm.ha1(given.user, &demand.realm, given.password)));
        let of_request = self.auth.into_iter().flat_map(|auth| auth.credentials.iter().chain(&auth.known));
        let known = of_request
            .chain(self.of_session)
            .filter(|known| demand.is_for(known) && known.algorithm == demand.algorithm)
            .map(|known| (&*known.user, known.ha1.clone()));
        // Another account of the realm is not tried: it would pay for the call.
        let covered = self.of_call.iter().any(|secret| secret.is_for(&demand.realm));
        let secrets = if covered { self.of_call } else { &self.config.credentials };
        let given = [true, false].into_iter().flat_map(|exact| {
            let fits = move |secret: &&Secret| secret.realm.is_some() == exact;
            secrets.iter().filter(fits)
        });
        let given = given.filter_map(|secret| Some((&*secret.user, secret.ha1(&demand.realm, demand.algorithm)?)));
        answer
            .into_iter()
            .chain(known)
            .chain(given)
            .find(|(user, ha1)| !self.auth.is_some_and(|auth| auth.has_tried(demand, user, ha1)))
            .map(|(user, ha1)| demand.answered_with(user, ha1))
    }
}
