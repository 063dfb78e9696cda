//! Challenges of our requests and what answers them (RFC 3261 §22, RFC 7616, RFC 8760).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::options::request_flag;
use crate::agent::outgoing::{Cancelling, Outgoing, OutgoingState};
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, OutgoingId};
use crate::error::{Error, Result};
use crate::message::digest::{Algorithm, Credentials, Known};
use crate::message::{Challenge, HeaderId, Message, write};
use crate::session::Session;
use crate::session::offer_answer::StoredBody;
use crate::session::reason::Ending;
use crate::time::Now;
use crate::timer::TimerId;
use std::sync::Arc;
use std::time::Duration;

/// How long the host may take to answer a challenge.
const PATIENCE: Duration = Duration::from_secs(32);

/// How often one request is sent again at most, however often its peers call a nonce stale.
const ROUNDS: u8 = 8;

/// Challenges that are read of one response, and realms that are remembered for a dialog.
const REALMS: usize = 8;

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
    /// The host is asked.
    waiting: Option<Waiting>,
}

#[derive(Clone, Debug)]
struct Waiting {
    response: Arc<Message>,
    realm: Box<[u8]>,
    timer: TimerId,
}

impl Authentication {
    /// For a request that follows one without a session of its own.
    pub(super) fn inherited(&self) -> Box<Self> {
        Box::new(Self { known: self.credentials.clone(), ..Self::default() })
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
    /// Those of a response, in order. A forking proxy gathers WWW-Authenticate and Proxy-Authenticate in one (RFC 3261 §22.3).
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
        let Known { algorithm, qop } = Known::read(challenge)?;
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
struct Given<'a> {
    realm: &'a [u8],
    user: &'a [u8],
    password: &'a [u8],
}

/// What can be done about the challenges of a response.
#[derive(Default)]
struct Answers {
    ready: Vec<Credentials>,
    /// The first realm without an answer.
    open: Option<Box<[u8]>>,
    /// What was sent for some realm is wrong.
    refused: bool,
}

fn same_space(one: &Credentials, other: &Credentials) -> bool {
    one.proxy == other.proxy && one.realm == other.realm
}

impl Agent {
    /// A 401 or 407 that is dealt with: the request went out again, or the host is asked. False: it is the final answer.
    pub(super) fn challenged(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        if !matches!(response.status(), 401 | 407) || !self.may_authenticate(id) {
            return false;
        }
        let answers = self.answers(id, response, None);
        if !answers.ready.is_empty() && !answers.refused {
            self.resubmit(id, answers.ready, response);
            return true;
        }
        let Some(realm) = answers.open else { return false };
        if self.objects.outgoing.get(id).is_none_or(|outgoing| outgoing.silent) {
            return false;
        }
        let timer = self.arm(PATIENCE, Timeout::Outgoing(id, OutgoingTimer::Challenge));
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.state = OutgoingState::WaitingRetry;
            let auth = outgoing.auth.get_or_insert_default();
            auth.waiting = Some(Waiting { response: Arc::clone(response), realm: realm.clone(), timer });
        }
        let text = Some(Arc::from(realm));
        self.tell_fate(id, Event { text, message: Some(Arc::clone(response)), ..Event::new(EventKind::Challenge) });
        true
    }

    /// Answers CHALLENGE; no user: it is given up. Errors: state, none waits, or these credentials were refused.
    pub fn authenticate(&mut self, now: Now, id: OutgoingId, user: Option<&[u8]>, password: &[u8]) -> Result<()> {
        self.at(now);
        let waiting = self.outgoing(id)?.auth.as_ref().and_then(|auth| auth.waiting.as_ref());
        let Waiting { response, realm, .. } =
            waiting.ok_or_else(|| Error::state("no challenge waits for an answer (RFC 3261 22.2)"))?.clone();
        let Some(user) = user else {
            self.challenge_given_up(id);
            return Ok(());
        };
        write::check_line(user)?;
        write::check_line(password)?;
        if !self.may_authenticate(id) {
            return Err(Error::state("the request is not sent again: its session is over"));
        }
        let answers = self.answers(id, &response, Some(&Given { realm: &realm, user, password }));
        if !answers.ready.iter().any(|ready| ready.realm == realm) {
            return Err(Error::state("these credentials were refused (RFC 3261 22.2: not the same ones again)"));
        }
        self.forget_challenge(id);
        self.resubmit(id, answers.ready, &response);
        Ok(())
    }

    /// The challenge that the host was asked about becomes the final answer. Nothing when none waits.
    pub(super) fn challenge_given_up(&mut self, id: OutgoingId) {
        let Some(response) = self.forget_challenge(id) else { return };
        if self.objects.outgoing.get(id).and_then(Outgoing::invite).is_some() {
            self.invite_rejected(id, response.status(), Some(&response));
        } else {
            self.other_answered(id, &response);
        }
    }

    /// Nothing waits for the host any more.
    pub(super) fn forget_challenge(&mut self, id: OutgoingId) -> Option<Arc<Message>> {
        let waiting = self.objects.outgoing.get_mut(id)?.auth.as_mut()?.waiting.take()?;
        self.stop(Some(waiting.timer));
        Some(waiting.response)
    }

    /// Whether a request may be sent again. In a Mortal dialog only its BYE (RFC 5407 §2); one that is to be cancelled is not.
    fn may_authenticate(&self, id: OutgoingId) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return false };
        let by_host = outgoing.draft.as_ref().is_none_or(|draft| draft.credentials_by_host);
        let rounds = outgoing.auth.as_ref().map_or(0, |auth| auth.rounds);
        let wanted = outgoing.invite().is_none_or(|invite| matches!(invite.cancelling, Cancelling::No));
        let alive = match outgoing.session.map(|session| self.objects.holder(session)) {
            None => true,
            Some(None) => false,
            Some(Some(session)) => outgoing.outlives_session() || !session.is_terminated(),
        };
        outgoing.flags & request_flag::NO_AUTH == 0 && !by_host && rounds < ROUNDS && wanted && alive
    }

    /// For each realm the topmost challenge that somebody has credentials for (RFC 8760 §2.4).
    fn answers(&self, id: OutgoingId, response: &Message, given: Option<&Given<'_>>) -> Answers {
        let mut answers = Answers::default();
        let Some(outgoing) = self.objects.outgoing.get(id) else { return answers };
        let demands = Demand::all_of(response);
        for (at, demand) in demands.iter().enumerate() {
            let same = |other: &&Demand| other.proxy == demand.proxy && other.realm == demand.realm;
            if demands.iter().take(at).any(|other| same(&other)) {
                continue;
            }
            let ready = demands.iter().skip(at).filter(same).find_map(|demand| self.answer(outgoing, demand, given));
            match ready {
                Some(ready) => answers.ready.push(ready),
                None => {
                    let sent =
                        outgoing.auth.as_ref().is_some_and(|auth| auth.credentials.iter().any(|c| demand.is_for(c)));
                    answers.refused |= sent;
                    answers.open.get_or_insert_with(|| demand.realm.clone());
                }
            }
        }
        answers
    }

    /// The first credentials for a challenge that were not refused: the host's answer, what served before in this call, the
    /// configuration's for the realm, the configuration's for any.
    fn answer(&self, outgoing: &Outgoing, demand: &Demand, given: Option<&Given<'_>>) -> Option<Credentials> {
        let given = given.filter(|given| *given.realm == *demand.realm);
        let given = given.map(|given| (given.user, demand.algorithm.ha1(given.user, &demand.realm, given.password)));
        let session = outgoing.session.and_then(|id| self.objects.holder(id));
        let of_session = session.map(Session::credentials).unwrap_or_default();
        let auth = outgoing.auth.as_deref();
        let known = auth.into_iter().flat_map(|auth| auth.credentials.iter().chain(&auth.known)).chain(of_session);
        let known = known
            .filter(|known| demand.is_for(known) && known.algorithm == demand.algorithm)
            .map(|known| (&*known.user, known.ha1.clone()));
        let configured = [true, false].into_iter().flat_map(|exact| {
            let fits = move |secret: &&crate::config::Secret| secret.realm.is_some() == exact;
            self.config.credentials.iter().filter(fits)
        });
        let configured =
            configured.filter_map(|secret| Some((&*secret.user, secret.ha1(&demand.realm, demand.algorithm)?)));
        given
            .into_iter()
            .chain(known)
            .chain(configured)
            .find(|(user, ha1)| !auth.is_some_and(|auth| auth.has_tried(demand, user, ha1)))
            .map(|(user, ha1)| demand.answered_with(user, ha1))
    }

    /// Sends a request again with credentials: a new branch, the next number of the dialog's one allocator, all else as it was
    /// (RFC 3261 §8.1.3.5, §22.2).
    fn resubmit(&mut self, id: OutgoingId, answers: Vec<Credentials>, response: &Arc<Message>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let auth = outgoing.auth.get_or_insert_default();
        auth.rounds = auth.rounds.saturating_add(1);
        for answer in answers {
            match auth.credentials.iter_mut().find(|former| same_space(former, &answer)) {
                Some(former) => {
                    let former = std::mem::replace(former, answer);
                    let renewed = auth.credentials.iter().any(|now| same_space(now, &former) && now.ha1 == former.ha1);
                    if !renewed {
                        auth.refused.push(former);
                    }
                }
                None => auth.credentials.push(answer),
            }
        }
        let (session, flow) = (outgoing.session, outgoing.flow);
        outgoing.state = OutgoingState::Resolving;
        outgoing.transaction = None;
        let forks = outgoing.invite_mut().map(|invite| std::mem::take(&mut invite.sessions)).unwrap_or_default();
        for fork in forks {
            // The challenge ended them (§13.2.2.3); the host hears why.
            let ending = Ending::by(Reason::Authenticated, response);
            self.end_and_finish(fork, ending);
        }
        let sent =
            self.objects.outgoing.get(id).filter(|outgoing| outgoing.invite().is_some()).and_then(Outgoing::message);
        if let (Some(session), Some(sent)) = (session.and_then(|id| self.objects.sessions.get_mut(id)), sent) {
            session.reinvite_restarted(sent.session_body().map(|offer| StoredBody::of_remote(&offer)));
        }
        let next = session.and_then(|id| self.objects.holder_mut(id)).map(Session::take_number);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if let Some(invite) = outgoing.invite_mut() {
            // The new INVITE makes dialogs of its own, and their tags may be the same.
            invite.ended.clear();
            invite.acks.clear();
        }
        if let Some(draft) = &mut outgoing.draft {
            draft.cseq = next.unwrap_or(draft.cseq.wrapping_add(1) & 0x7fff_ffff);
        }
        self.authorize(id);
        // The nonce is good where it came from.
        match flow {
            Some(flow) => self.send_request(id, &flow),
            None => self.launch(id),
        }
    }

    /// Writes the credentials of a drafted request: what it answers challenges with, and in a call what its proxies asked for
    /// before (RFC 3261 §22.3). Each counts its requests by nonce, so it is written once for each number.
    pub(super) fn authorize(&mut self, id: OutgoingId) {
        let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
        let known = session.and_then(|id| self.objects.holder(id)).map(Session::credentials);
        let is_asked = known.unwrap_or_default().iter().any(|known| known.proxy);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let Some(draft) = outgoing.draft.as_ref().filter(|draft| !draft.credentials_by_host) else { return };
        let mut own = outgoing.auth.as_mut().map(|auth| std::mem::take(&mut auth.credentials)).unwrap_or_default();
        if own.is_empty() && !is_asked {
            return;
        }
        let (method, uri) = (draft.method_name.clone(), draft.request_uri.clone());
        let kept = session.and_then(|id| self.objects.holder_mut(id)).map(Session::take_credentials);
        let mut kept = kept.unwrap_or_default();
        let mut lines = Vec::with_capacity(256);
        for kept in kept.iter_mut().filter(|kept| kept.proxy && !own.iter().any(|own| same_space(own, kept))) {
            kept.count = kept.count.wrapping_add(1);
            kept.write(&mut lines, &method, &uri, &self.token(b"", 10));
        }
        for own in &mut own {
            let room = session.is_some() && kept.len() < REALMS;
            let former = kept.iter_mut().find(|kept| same_space(kept, own));
            if let Some(former) = former.as_ref().filter(|former| former.nonce == own.nonce) {
                own.count = own.count.max(former.count);
            }
            own.count = own.count.wrapping_add(1);
            own.write(&mut lines, &method, &uri, &self.token(b"", 10));
            match former {
                Some(former) => *former = own.clone(),
                None if room => kept.push(own.clone()),
                None => {}
            }
        }
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.keep_credentials(kept);
        }
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            if let Some(auth) = &mut outgoing.auth {
                auth.credentials = own;
            }
            if let Some(draft) = &mut outgoing.draft {
                draft.credentials = lines.into_boxed_slice();
            }
        }
    }
}
