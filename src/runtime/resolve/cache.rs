//! What has been looked up, for as long as it may be believed, within bounds.

use super::record::{Answer, Found, Key};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Answers, and bytes of them.
const MOST: usize = 4_096;
const BYTES: usize = 1 << 20;

#[derive(Default)]
pub struct Cache {
    kept: HashMap<Key, Kept>,
    /// By when they end; those of one moment by number.
    ends: BTreeSet<(Instant, u64)>,
    keys: HashMap<u64, Key>,
    last: u64,
    bytes: usize,
}

struct Kept {
    answer: Arc<Answer>,
    until: Instant,
    number: u64,
}

impl Cache {
    pub fn get(&self, key: &Key, now: Instant) -> Option<Arc<Answer>> {
        self.kept.get(key).filter(|kept| now < kept.until).map(|kept| Arc::clone(&kept.answer))
    }

    /// Keeps what may be kept. Where there is no room, what would end first goes.
    pub fn put(&mut self, key: &Key, found: &Found, now: Instant) {
        self.forget(key);
        let Some(until) = found.ttl.filter(|ttl| *ttl > Duration::ZERO).and_then(|ttl| now.checked_add(ttl)) else {
            return;
        };
        self.last += 1;
        let number = self.last;
        self.bytes += weight(key, &found.answer);
        self.ends.insert((until, number));
        self.keys.insert(number, key.clone());
        self.kept.insert(key.clone(), Kept { answer: Arc::clone(&found.answer), until, number });
        while self.kept.len() > MOST || self.bytes > BYTES || self.ends.first().is_some_and(|(end, _)| *end <= now) {
            let Some(first) = self.ends.first().and_then(|(_, number)| self.keys.get(number)).cloned() else { break };
            self.forget(&first);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.bytes -= weight(key, &kept.answer);
            self.ends.remove(&(kept.until, kept.number));
            self.keys.remove(&kept.number);
        }
    }

    /// The network may be another one.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Bytes of an answer with its places in the tables.
fn weight(key: &Key, answer: &Answer) -> usize {
    key.name.len() + answer.held() + 200
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::resolve::record::Kind;

    fn found(ttl: u64) -> Found {
        let answer = Arc::new(Answer::Addresses(vec![[192, 0, 2, 1].into()]));
        Found { answer, ttl: (ttl > 0).then(|| Duration::from_secs(ttl)) }
    }

    #[test]
    fn an_answer_counts_until_its_ttl_is_over() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let key = Key::new("sip.example", Kind::A);
        cache.put(&key, &found(0), now);
        assert!(cache.get(&key, now).is_none());
        cache.put(&key, &found(2), now);
        assert!(cache.get(&key, now + Duration::from_millis(1_999)).is_some());
        assert!(cache.get(&key, now + Duration::from_secs(2)).is_none());
        assert!(cache.get(&Key::new("sip.example", Kind::Aaaa), now).is_none());
        cache.put(&key, &found(9), now + Duration::from_secs(2));
        assert!(cache.get(&key, now + Duration::from_secs(10)).is_some());
        // What is not to be kept takes the place of what was.
        cache.put(&key, &found(0), now + Duration::from_secs(3));
        assert!(cache.get(&key, now + Duration::from_secs(4)).is_none());
        assert_eq!((cache.bytes, cache.ends.len(), cache.keys.len()), (0, 0, 0));
    }

    #[test]
    fn it_holds_so_many_and_no_more() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for number in 0..20_000_u64 {
            cache.put(&Key::new(&format!("host{number}.example"), Kind::A), &found(60 + number), now);
            assert!(cache.kept.len() <= MOST && cache.bytes <= BYTES);
        }
        assert!(cache.kept.len() > MOST / 2);
        assert!(cache.get(&Key::new("host19999.example", Kind::A), now).is_some());
        assert!(cache.get(&Key::new("host0.example", Kind::A), now).is_none());
        let later = now + Duration::from_secs(30_000);
        cache.put(&Key::new("new.example", Kind::A), &found(1), later);
        assert_eq!((cache.kept.len(), cache.ends.len(), cache.keys.len()), (1, 1, 1));
    }
}
