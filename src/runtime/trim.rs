//! When a peak of calls is over, so that memory goes back to the system.

/// Below this many living objects there is nothing worth giving back.
const WORTH: usize = 1_000;
/// A fall to this part of the peak is the end of it.
const PART: usize = 8;

/// The highest number of living sessions and transactions since memory was last given back.
#[derive(Debug, Default)]
pub(super) struct Peak {
    high: usize,
}

impl Peak {
    /// Takes note of how many live now; whether a peak has just ended.
    pub(super) fn ended(&mut self, live: usize) -> bool {
        self.high = self.high.max(live);
        if self.high < WORTH || live > self.high / PART {
            return false;
        }
        self.high = live;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_ends_once() {
        let mut peak = Peak::default();
        let lives = [10, 900, 0, 8_000, 1_001, 1_000, 999, 126, 125, 124, 0, 2_000, 0];
        let told: Vec<usize> = lives.into_iter().filter(|live| peak.ended(*live)).collect();
        assert_eq!(told, [1_000, 125, 0]);
    }
}
