//! What is known of the challenges of one request, and who has credentials that answer them (RFC 3261 §22, RFC 7616,
//! RFC 8760).

use crate::config::Secret;
use crate::message::digest::{self, Algorithm, Credentials};
use crate::message::{Challenge, HeaderId, Message};

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
    /// What the request before it carried: not tried yet.
    known: Vec<Credentials>,
    rounds: u8,
}

impl Authentication {
    /// For a request that follows one without a session of its own.
    pub fn inherited(&self) -> Box<Self> {
        Box::new(Self { known: self.credentials.clone(), ..Self::default() })
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
    fn has_tried(&self, demand: &Demand, user: &[u8], ha1: &[u8]) -> bool {
        let same = |tried: &Credentials| {
            demand.is_for(tried) && *tried.user == *user && (tried.algorithm != demand.algorithm || *tried.ha1 == *ha1)
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
    qop: bool,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    stale: bool,
}

impl Demand {
    /// Those of a response, in order. A forking proxy gathers WWW-Authenticate and Proxy-Authenticate in one (RFC 3261
    /// §22.3).
    fn all_of(response: &Message) -> Vec<Self> {
        let mut all = Vec::new();
        for (header, proxy) in [(HeaderId::WwwAuthenticate, false), (HeaderId::ProxyAuthenticate, true)] {
            for value in response.fields(header).take(REALMS) {
                all.extend(Challenge::parse(value).ok().and_then(|challenge| Self::read(&challenge, proxy)));
            }
        }
        all
    }

    fn read(challenge: &Challenge<'_>, proxy: bool) -> Option<Self> {
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
        })
    }

    fn is_for(&self, credentials: &Credentials) -> bool {
        self.proxy == credentials.proxy && self.realm == credentials.realm
    }

    fn answered_with(&self, user: &[u8], ha1: Box<[u8]>) -> Credentials {
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
}

pub fn same_space(one: &Credentials, other: &Credentials) -> bool {
    one.proxy == other.proxy && one.realm == other.realm
}

/// Who may have credentials for a challenge.
pub struct Known<'a> {
    /// The host's answer.
    pub given: Option<&'a Given<'a>>,
    /// What the request has done so far.
    pub auth: Option<&'a Authentication>,
    /// What served before in this call.
    pub of_session: &'a [Credentials],
    /// The configuration's.
    pub configured: &'a [Secret],
}

impl Known<'_> {
    /// For each realm the topmost challenge that somebody has credentials for (RFC 8760 §2.4).
    pub fn answers(&self, response: &Message) -> Answers {
        let mut answers = Answers::default();
        let demands = Demand::all_of(response);
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
    /// the configuration's for the realm, the configuration's for any.
    fn answer(&self, demand: &Demand) -> Option<Credentials> {
        let given = self.given.filter(|given| *given.realm == *demand.realm);
        let given = given.map(|given| (given.user, demand.algorithm.ha1(given.user, &demand.realm, given.password)));
        let of_request = self.auth.into_iter().flat_map(|auth| auth.credentials.iter().chain(&auth.known));
        let known = of_request
            .chain(self.of_session)
            .filter(|known| demand.is_for(known) && known.algorithm == demand.algorithm)
            .map(|known| (&*known.user, known.ha1.clone()));
        let configured = [true, false].into_iter().flat_map(|exact| {
            let fits = move |secret: &&Secret| secret.realm.is_some() == exact;
            self.configured.iter().filter(fits)
        });
        let configured =
            configured.filter_map(|secret| Some((&*secret.user, secret.ha1(&demand.realm, demand.algorithm)?)));
        given
            .into_iter()
            .chain(known)
            .chain(configured)
            .find(|(user, ha1)| !self.auth.is_some_and(|auth| auth.has_tried(demand, user, ha1)))
            .map(|(user, ha1)| demand.answered_with(user, ha1))
    }
}
