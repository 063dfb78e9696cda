//! Challenges of our requests and what answers them (RFC 3261 §22, RFC 7616, RFC 8760).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::fault::Done;
use crate::agent::options::request_flag;
use crate::agent::ours::authentication::{Answers, Authentication, Given, Known, REALMS, same_space};
use crate::agent::ours::outgoing::{Cancelling, Outgoing, Waiting};
use crate::agent::ours::retry::Turn;
use crate::agent::timeout::{OutgoingTimer, Timeout};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::message::digest::{Covered, Credentials};
use crate::message::{Message, write};
use crate::session::Session;
use crate::session::explain::Why;
use crate::session::offer_answer::StoredBody;
use crate::session::reason::Ending;
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

/// How long the host may take to answer a challenge.
const PATIENCE: Duration = Duration::from_secs(32);

const AUTHENTICATED: Why =
    Why::new(Reason::Authenticated, "the request was sent again with credentials (RFC 3261 22.2)");

impl Agent {
    /// A 401 or 407 that is dealt with: the request went out again, or the host is asked. False: it is the final
    /// answer.
    pub(in crate::agent) fn challenged(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        if !matches!(response.status(), 401 | 407) || !self.may_authenticate(id) {
            return false;
        }
        let answers = self.answers(id, response, None);
        for fault in &answers.left_out {
            self.fault(*fault, response, Done::PassedOver);
        }
        if !answers.ready.is_empty() && !answers.refused {
            return self.resubmit(id, answers.ready, response).is_ok();
        }
        let Some(realm) = answers.open else { return false };
        if self.objects.outgoing.get(id).is_none_or(|outgoing| outgoing.silent) {
            return false;
        }
        let timer = self.arm(PATIENCE, Timeout::Outgoing(id, OutgoingTimer::Challenge));
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            let challenge = Waiting::Challenge { response: Arc::clone(response), realm: realm.clone(), timer };
            outgoing.wait(challenge);
        }
        let text = Some(Arc::from(realm));
        self.tell_fate(id, Event { text, message: Some(Arc::clone(response)), ..Event::new(EventKind::Challenge) });
        true
    }

    /// Answers CHALLENGE; no user: it is given up. Errors: state, none waits, or these credentials were refused, or the
    /// request may neither go out now nor wait for that.
    pub fn authenticate(&mut self, now: Now, id: OutgoingId, user: Option<&[u8]>, password: &[u8]) -> Result<()> {
        self.at(now);
        let Some(Waiting::Challenge { response, realm, .. }) = self.outgoing(id)?.waiting().cloned() else {
            return Err(Error::state("no challenge waits for an answer (RFC 3261 22.2)"));
        };
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
        self.resubmit(id, answers.ready, &response)
    }

    /// The challenge that the host was asked about becomes the final answer. Nothing when none waits.
    pub(in crate::agent) fn challenge_given_up(&mut self, id: OutgoingId) {
        let Some(response) = self.forget_challenge(id) else { return };
        if self.objects.outgoing.get(id).and_then(Outgoing::invite).is_some() {
            self.invite_rejected(id, response.status(), Some(&response));
        } else {
            self.other_answered(id, &response);
        }
    }

    /// Nothing waits for the host any more.
    pub(in crate::agent) fn forget_challenge(&mut self, id: OutgoingId) -> Option<Arc<Message>> {
        let outgoing = self.objects.outgoing.get_mut(id)?;
        let Waiting::Challenge { .. } = outgoing.waiting()? else { return None };
        let Some(Waiting::Challenge { response, timer, .. }) = outgoing.wait_over() else { return None };
        self.stop(Some(timer));
        Some(response)
    }

    /// Whether a request may be sent again with credentials; one that is to be cancelled is not.
    fn may_authenticate(&self, id: OutgoingId) -> bool {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return false };
        let by_host = outgoing.draft().is_none_or(|draft| draft.credentials_by_host);
        let again = outgoing.auth.as_ref().is_none_or(|auth| auth.may_go_on());
        let wanted = outgoing.invite().is_none_or(|invite| matches!(invite.cancelling, Cancelling::No));
        let alive = self.objects.may_go_out(outgoing);
        outgoing.flags & request_flag::NO_AUTH == 0 && !by_host && again && wanted && alive
    }

    /// What answers the challenges of a response.
    fn answers(&self, id: OutgoingId, response: &Message, answer: Option<&Given<'_>>) -> Answers {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return Answers::default() };
        let Some(sent) = outgoing.last_sent() else { return Answers::default() };
        let session = outgoing.session.and_then(|id| self.objects.holder(id));
        let of_session = session.map(Session::credentials).unwrap_or_default();
        let auth = outgoing.auth.as_deref();
        let of_call = auth.and_then(Authentication::given).or(session.and_then(Session::given_credentials));
        let of_call = of_call.map(|given| &given[..]).unwrap_or_default();
        let asked_by = sent.hop.flow;
        Known { answer, auth, of_session, of_call, config: &self.config, asked_by }.answers(response)
    }

    /// Sends a request again with credentials: a new branch, the next number of the dialog's one allocator, all else as
    /// it was (RFC 3261 §8.1.3.5, §22.2). They are kept for one that may not go now and waits. Errors: state, it may not
    /// wait; then nothing is changed.
    fn resubmit(&mut self, id: OutgoingId, answers: Vec<Credentials>, response: &Arc<Message>) -> Result<()> {
        let turn = self.turn_of(id);
        if let Turn::Never(error) = turn {
            return Err(error);
        }
        let asked = self.forget_challenge(id).is_some();
        if let Some(outgoing) = self.objects.outgoing.get_mut(id) {
            outgoing.auth.get_or_insert_default().answered(answers);
        }
        if let Turn::Later(by, session) = turn {
            self.wait_for_turn(by, id, session, Some(response));
            return Ok(());
        }
        if asked {
            self.asks_anew(id);
        }
        // The nonce is good where it came from.
        self.send_once_more(id, &Ending::by(Reason::Authenticated, response));
        self.act_for(id, AUTHENTICATED, response.status(), Some(response));
        Ok(())
    }

    /// Sends a request that was refused again, to the same place: a new branch, the next number. The refusal ended its
    /// dialogs (§13.2.2.3); the host hears why.
    pub(in crate::agent) fn send_once_more(&mut self, id: OutgoingId, ending: &Ending) {
        let Some(outgoing) = self.objects.outgoing.get(id) else { return };
        let (session, hop) = (outgoing.session, outgoing.last_sent().map(|sent| sent.hop.clone()));
        self.start_anew(id, ending);
        match session {
            Some(session) => self.number_anew(id, session),
            None => {
                if let Some(draft) = self.objects.outgoing.get_mut(id).and_then(Outgoing::draft_mut) {
                    draft.cseq = draft.cseq.wrapping_add(1) & 0x7fff_ffff;
                }
            }
        }
        match hop {
            Some(hop) => self.send_request(id, hop),
            None => self.launch(id),
        }
    }

    /// A request of a dialog becomes the next one there, between whom the dialog is now.
    pub(in crate::agent) fn number_anew(&mut self, id: OutgoingId, session: SessionId) {
        let next = self.objects.holder_mut(session).map(Session::take_number);
        if let (Some(next), Some(draft)) = (next, self.objects.outgoing.get_mut(id).and_then(Outgoing::draft_mut)) {
            draft.cseq = next;
        }
        self.rename(id, session);
    }

    /// Its From and To are the dialog's of now.
    pub(in crate::agent) fn rename(&mut self, id: OutgoingId, session: SessionId) {
        let names = self.objects.holder(session).map(|holder| holder.dialog().names.clone());
        if let (Some(names), Some(draft)) = (names, self.objects.outgoing.get_mut(id).and_then(Outgoing::draft_mut)) {
            draft.rename(&names);
        }
    }

    /// A request is to go out once more: what its responses made so far is over.
    pub(in crate::agent) fn start_anew(&mut self, id: OutgoingId, ending: &Ending) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        outgoing.again();
        let session = outgoing.session;
        let Some(invite) = outgoing.invite_mut() else { return };
        for fork in std::mem::take(&mut invite.sessions) {
            self.end_and_finish(fork, ending.clone());
        }
        let sent = self.objects.outgoing.get(id).and_then(Outgoing::message);
        if let (Some(session), Some(sent)) = (session.and_then(|id| self.objects.sessions.get_mut(id)), sent) {
            session.our_reinvite_restarted(sent.session_body().map(|offer| StoredBody::of_remote(&offer)));
        }
        if let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut) {
            // The new INVITE makes dialogs of its own, and their tags may be the same.
            invite.ended.clear();
            invite.acks.clear();
        }
    }

    /// Writes the credentials of a request that goes out now: what it answers challenges with, and in a call what its
    /// proxies asked for before (RFC 3261 §22.3), each to where it was asked for and nowhere else. Each counts its
    /// requests by nonce, so it is written once for each transaction.
    pub(in crate::agent) fn authorize(&mut self, id: OutgoingId, to: &Flow) {
        let session = self.objects.outgoing.get(id).and_then(|outgoing| outgoing.session);
        let known = session.and_then(|id| self.objects.holder(id)).map(Session::credentials).unwrap_or_default();
        let goes_unasked = |known: &Credentials| known.proxy && known.asked_by.ends_with(to);
        let is_asked = known.iter().any(goes_unasked);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if let Some(auth) = &mut outgoing.auth {
            auth.goes_to(to);
        }
        let own = outgoing.auth.as_ref().map(|auth| auth.credentials.clone()).unwrap_or_default();
        let Some(draft) = outgoing.draft_mut().filter(|draft| !draft.credentials_by_host) else { return };
        draft.credentials = Box::default();
        if own.is_empty() && !is_asked {
            return;
        }
        let (method, uri, body) = (draft.method_name.clone(), draft.request_uri.clone(), Box::from(draft.body()));
        let covered = Covered { method: &method, uri: &uri, body: &body };
        let kept = session.and_then(|id| self.objects.holder_mut(id)).map(Session::take_credentials);
        let (mut kept, mut own) = (kept.unwrap_or_default(), own);
        let mut lines = Vec::with_capacity(256);
        for kept in kept.iter_mut().filter(|kept| goes_unasked(kept) && !own.iter().any(|own| same_space(own, kept))) {
            kept.count = kept.count.wrapping_add(1);
            kept.write(&mut lines, covered, &self.token(b"", 10));
        }
        for own in &mut own {
            let room = session.is_some() && kept.len() < REALMS;
            let former = kept.iter_mut().find(|kept| same_space(kept, own));
            if let Some(former) = former.as_ref().filter(|former| former.nonce == own.nonce) {
                own.count = own.count.max(former.count);
            }
            own.count = own.count.wrapping_add(1);
            own.write(&mut lines, covered, &self.token(b"", 10));
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
            if let Some(draft) = outgoing.draft_mut() {
                draft.credentials = lines.into_boxed_slice();
            }
        }
    }
}
