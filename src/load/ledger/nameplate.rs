//! What a connector can draw by what the site says, and for how long what it said before counts.

use super::{Entry, Tenths, Trust};

impl Entry {
    /// The site says what the connector can draw. Where the station was told that it may have more, that counts until
    /// it has accepted less; of one that takes no profiles, or was told nothing, the site knows all there is to know.
    pub fn rate(&mut self, nameplate: Tenths) {
        let before = self.full();
        let told = self.default.is_some() || !self.default_sent.is_empty() || !self.held.is_empty();
        let counts = before > nameplate && self.trust != Trust::Unable && (told || self.most.is_some());
        self.outgrown = counts.then_some(before);
        self.nameplate = nameplate;
    }

    /// The station has accepted what the site says now: what it said before counts no longer, unless a limit that may
    /// be in force allows more. Whether anything changed.
    pub fn outgrow(&mut self) -> bool {
        let held = self.held.iter().map(|held| held.limit.max(held.then)).max().unwrap_or(0);
        let settling = self.settling.map_or(0, |settling| settling.limit);
        let done = self.outgrown.is_some() && held.max(settling).max(self.fallback()) <= self.nameplate;
        if done {
            self.outgrown = None;
        }
        done
    }

    /// What it can draw by what the site says, and by what it said before as long as that counts.
    pub(super) fn full(&self) -> Tenths {
        self.nameplate.max(self.outgrown.unwrap_or(0))
    }
}
