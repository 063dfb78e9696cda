//! Room that a peak of calls has left. Tables give it back by themselves as they empty, but for the last of it.

use crate::agent::Agent;
use crate::shrink::Shrink;

impl Agent {
    /// Gives back all room that nothing needs now; what lives stays where it is found.
    pub fn trim(&mut self) {
        self.objects.trim();
        self.table.trim();
        self.wheel.trim();
        self.outbox.trim();
        self.queries.trim();
        self.left_responses.trim();
        self.streams.fit();
        if let Some(nonces) = &mut self.nonces {
            nonces.trim(self.now.monotonic);
        }
        self.scratch = Vec::new();
    }
}
