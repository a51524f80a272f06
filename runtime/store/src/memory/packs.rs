//! Packs as their files, in memory.

use std::collections::HashMap;

use provost_domain::ids::Digest;
use provost_domain::port::KeptPack;

/// All packs that were kept.
#[derive(Debug, Default)]
pub(super) struct PackTable(HashMap<Digest, KeptPack>);

impl PackTable {
    pub(super) fn keep(&mut self, packs: &[KeptPack]) {
        for pack in packs {
            self.0.entry(pack.digest).or_insert_with(|| pack.clone());
        }
    }

    /// Those whose digest is wanted.
    pub(super) fn wanted(&self, is_wanted: impl Fn(Digest) -> bool) -> Vec<KeptPack> {
        self.0.values().filter(|pack| is_wanted(pack.digest)).cloned().collect()
    }
}
