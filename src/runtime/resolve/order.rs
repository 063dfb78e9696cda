//! In which order servers are tried: by priority, and among equals by weight and chance (RFC 2782).

use super::record::Service;
use crate::random::Random;

/// All of them, the first to be tried first.
pub fn ordered<'a>(services: &'a [Service], random: &mut Random) -> Vec<&'a Service> {
    let mut left: Vec<&Service> = services.iter().collect();
    shuffle(&mut left, random);
    // Stable: those with weight 0 stand at the beginning, else in any order.
    left.sort_by_key(|service| (service.priority, service.weight != 0));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = first.priority;
        let equals = || left.iter().enumerate().take_while(|(_, service)| service.priority == priority);
        let sum: u64 = equals().map(|(_, service)| u64::from(service.weight)).sum();
        let drawn = random.below(sum + 1);
        let mut running = 0;
        let chosen = equals().find(|(_, service)| {
            running += u64::from(service.weight);
            running >= drawn
        });
        let at = chosen.map_or(0, |(at, _)| at);
        ordered.push(left.remove(at));
    }
    ordered
}

/// In any order, each as likely.
pub fn shuffle<T>(all: &mut [T], random: &mut Random) {
    for last in (1..all.len()).rev() {
        all.swap(last, random.below(last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(priority: u16, weight: u16, port: u16) -> Service {
        Service { priority, weight, port, target: "sip.example".into() }
    }

    fn ports(services: &[Service], random: &mut Random) -> Vec<u16> {
        ordered(services, random).iter().map(|service| service.port).collect()
    }

    #[test]
    fn lower_priorities_first_each_once() {
        let mut random = Random::from_seed([1; 32]);
        let services = [service(20, 9, 4), service(0, 0, 1), service(20, 0, 5), service(10, 1, 2), service(10, 1, 3)];
        for _ in 0..100 {
            let mut seen = ports(&services, &mut random);
            assert_eq!(seen[0], 1);
            seen[1..3].sort_unstable();
            seen[3..].sort_unstable();
            assert_eq!(seen, [1, 2, 3, 4, 5]);
        }
        assert!(ports(&[], &mut random).is_empty());
    }

    /// The first is chosen by its share of the weights, and the second by its share of what is left.
    #[test]
    fn weights_are_shares() {
        const ROUNDS: u32 = 60_000;
        let mut random = Random::from_seed([2; 32]);
        let services = [service(1, 0, 0), service(1, 10, 1), service(1, 20, 2), service(1, 30, 3)];
        let (mut first, mut second_after_3) = ([0_u32; 4], [0_u32; 4]);
        for _ in 0..ROUNDS {
            let seen = ports(&services, &mut random);
            first[usize::from(seen[0])] += 1;
            if seen[0] == 3 {
                second_after_3[usize::from(seen[1])] += 1;
            }
        }
        // Drawn of 0 to 60, so that what has weight 0 has its small chance.
        for (at, of_61) in [1, 10, 20, 30].into_iter().enumerate() {
            let expected = ROUNDS * of_61 / 61;
            assert!(first[at].abs_diff(expected) < expected / 10 + 60, "{first:?}");
        }
        let all: u32 = second_after_3.iter().sum();
        for (at, of_31) in [1, 10, 20].into_iter().enumerate() {
            let expected = all * of_31 / 31;
            assert!(second_after_3[at].abs_diff(expected) < expected / 10 + 60, "{second_after_3:?}");
        }
    }

    /// Without weights each is as likely to be the first.
    #[test]
    fn equals_without_weight_take_turns() {
        let mut random = Random::from_seed([3; 32]);
        let services = [service(1, 0, 0), service(1, 0, 1), service(1, 0, 2)];
        let mut first = [0_u32; 3];
        for _ in 0..3_000 {
            first[usize::from(ports(&services, &mut random)[0])] += 1;
        }
        assert!(first.iter().all(|count| (900..1_100).contains(count)), "{first:?}");
    }
}
