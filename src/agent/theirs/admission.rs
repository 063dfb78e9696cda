//! What peers may begin while the agent could still carry it. What stands is never refused here: requests in dialogs, and
//! what belongs to a transaction.

use crate::agent::Agent;
use crate::agent::fault::{Counter, Fault};
use crate::agent::methods::{Outside, rules};
use crate::agent::objects::Objects;
use crate::config;
use crate::held::{self, share_of};
use crate::message::{Message, Method};
use crate::random::Random;
use crate::session::Session;
use crate::time::Time;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::net::IpAddr;

const CALLS: Fault = Fault::new(Counter::Calls, "", "calls: the soft limit is reached (RFC 3261 21.5.4)");
const UNANSWERED: Fault =
    Fault::new(Counter::Unanswered, "", "requests without final response: the limit is reached (RFC 3261 21.5.4)");
const RATE: Fault =
    Fault::new(Counter::Rate, "", "requests a second of one address: the limit is reached (RFC 3261 21.5.4)");

/// The limits that are set.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Admission {
    limits: config::Admission,
    rates: Option<Rates>,
}

impl Admission {
    /// `None`: all is let in, which costs nothing.
    pub fn new(limits: config::Admission, random: &mut Random) -> Option<Box<Self>> {
        if limits == config::Admission::default() {
            return None;
        }
        let rates = (limits.address_requests > 0).then(|| Rates::new(limits, random));
        Some(Box::new(Self { limits, rates }))
    }

    /// Bytes held, from the first moment on.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.rates.as_ref().map_or(0, |rates| held::list(&rates.buckets))
    }

    /// Why a request that would begin something is not let in. It counts for its address in any case.
    fn refuses(&mut self, request: &Message, objects: &Objects, now: Time) -> Option<Fault> {
        let peer = request.flow().and_then(|flow| flow.remote);
        if let Some((rates, peer)) = self.rates.as_mut().zip(peer)
            && !rates.takes(peer.ip(), now)
        {
            return Some(RATE);
        }
        // To those the host has nothing to say.
        if request.to_tag().is_some() || request.method() == Method::Cancel {
            return None;
        }
        let outside = rules(request.method()).outside;
        if outside == Outside::Stray {
            return None;
        }
        let reached = |limit: usize, number: usize| limit > 0 && number >= limit;
        if outside == Outside::Invite && reached(self.limits.calls, objects.calls()) {
            return Some(CALLS);
        }
        reached(self.limits.unanswered, objects.unanswered()).then_some(UNANSWERED)
    }
}

impl Agent {
    /// Whether a request that no transaction knows may come in. An INVITE that takes the place of a call that is here
    /// (RFC 3891) is that call's, as what comes in its dialog, but one at a time.
    pub(in crate::agent) fn admission_for(&mut self, request: &Message) -> Result<(), Fault> {
        let Some(admission) = self.admission.as_deref_mut() else { return Ok(()) };
        if self.objects.dialog_of(request).is_some() {
            return Ok(());
        }
        match admission.refuses(request, &self.objects, self.now.monotonic) {
            Some(fault) if !self.is_heir(request) => Err(fault),
            _ => Ok(()),
        }
    }

    fn is_heir(&self, request: &Message) -> bool {
        let replaced = if request.method() == Method::Invite { self.replaced_by(request) } else { Ok(None) };
        let session = replaced.ok().flatten().and_then(|replaced| self.objects.sessions.get(replaced.session));
        let waits = |session: &Session| session.referrals().and_then(|known| known.heir);
        session.is_some_and(|session| waits(session).is_none_or(|heir| self.objects.is_answered(heir)))
    }
}

/// Of one address, or network of IPv6: when all that it sent is paid for, in requests of a millionth. That what was not
/// used up is forgotten, or the poorest debtor, harms nobody but us, by a burst.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    share: u128,
    paid: u128,
}

/// Addresses whose buckets may stand at one place of the table.
const WAYS: usize = 8;
/// Places. The table is as large from the first moment on, so that nobody makes it grow.
const PLACES: usize = 1_024;
/// A request, in the measure of [`Bucket::paid`].
const REQUEST: u128 = 1_000_000;

/// How much each address has sent lately.
#[derive(Clone, Debug)]
struct Rates {
    /// Secret: nobody can choose addresses that push each other out.
    keys: (u64, u64),
    buckets: Vec<Bucket>,
    /// A second.
    rate: u128,
    /// What may be owed beyond one request.
    credit: u128,
}

impl Rates {
    fn new(limits: config::Admission, random: &mut Random) -> Self {
        Self {
            keys: random.hash_keys(),
            buckets: vec![Bucket::default(); WAYS * PLACES],
            rate: limits.address_requests.into(),
            credit: u128::from(limits.address_burst.saturating_sub(1)) * REQUEST,
        }
    }

    /// Whether one more request of an address is taken, which counts then.
    fn takes(&mut self, peer: IpAddr, now: Time) -> bool {
        // So that no rate is rounded, time is counted in what it pays for.
        let now = u128::from(now.as_micros()) * self.rate;
        let share = share_of(peer);
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_u128(share);
        let place = (hasher.finish() as usize % PLACES) * WAYS;
        let Some(ways) = self.buckets.get_mut(place..place + WAYS) else { return true };
        let known = ways.iter().position(|bucket| bucket.share == share && bucket.paid > now);
        // Whoever is not known takes the place of whom it costs least to forget.
        let poorest = || ways.iter().enumerate().min_by_key(|(_, bucket)| bucket.paid).map(|(at, _)| at);
        let Some(bucket) = known.or_else(poorest).and_then(|at| ways.get_mut(at)) else { return true };
        let owed = if known.is_some() { bucket.paid - now } else { 0 };
        // More than can be owed: the host's clock went back.
        let owed = if owed > self.credit + REQUEST { 0 } else { owed };
        if owed > self.credit {
            return false;
        }
        *bucket = Bucket { share, paid: now + owed + REQUEST };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(rate: u32, burst: u32) -> Rates {
        let limits = config::Admission { address_requests: rate, address_burst: burst, ..Default::default() };
        Rates::new(limits, &mut Random::from_seed([1; 32]))
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// Asked all the time, exactly so many are taken in the long run.
    #[test]
    fn no_rate_is_rounded() {
        for (rate, burst) in [(1, 1), (3, 7), (7_000, 2), (999_999, 10), (1_000_000, 1_000_000)] {
            let mut rates = rates(rate, burst);
            let mut taken = 0;
            for micros in 0..=1_000_000 {
                let tries = if micros == 0 { burst + 1 } else { 2 };
                taken += (0..tries).filter(|_| rates.takes(PEER, Time::from_micros(5_000_000_000 + micros))).count();
            }
            assert_eq!(taken, (rate + burst) as usize, "{rate} a second, {burst} at once");
        }
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out() {
        let mut rates = rates(1, 2);
        let mut takes = |seconds: u64| rates.takes(PEER, Time::from_micros(seconds * 1_000_000));
        assert_eq!([takes(7_200), takes(7_200), takes(7_200)], [true, true, false]);
        assert_eq!([takes(3_600), takes(3_600), takes(3_600)], [true, true, false]);
        assert_eq!([takes(3_601), takes(3_601)], [true, false]);
    }
}
