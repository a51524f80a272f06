//! What was parsed at arrival, kept for the worker: it does not read and check the stored body again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use provost_domain::ids::{DeliveryId, Digest};

use super::notice::Notice;

/// Most bytes the bodies of these deliveries have together. Parsed they take several times as much; what comes beyond is
/// read from the store, as is what an earlier process left.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A delivery that was parsed at arrival.
#[derive(Debug)]
struct ParsedDelivery {
    notice: Notice,
    /// The pack its fields were checked against.
    pack: Digest,
    bytes: usize,
}

#[derive(Debug, Default)]
struct ParsedById {
    deliveries: HashMap<DeliveryId, ParsedDelivery>,
    bytes: usize,
}

/// The deliveries that were parsed at arrival and not yet worked on.
#[derive(Debug, Default)]
pub(super) struct ParsedDeliveries(Mutex<ParsedById>);

impl ParsedDeliveries {
    fn lock(&self) -> MutexGuard<'_, ParsedById> {
        // A panic elsewhere cannot leave a half-done change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one until it is taken, unless that is over the bound.
    pub(super) fn put(&self, id: DeliveryId, notice: Notice, pack: Digest, bytes: usize) {
        let mut parsed = self.lock();
        let sum = parsed.bytes.saturating_add(bytes);
        if sum <= BYTES_MAX {
            parsed.bytes = sum;
            parsed.deliveries.insert(id, ParsedDelivery { notice, pack, bytes });
        }
    }

    /// Takes one out. `None` also when its fields were checked against another pack than this one.
    pub(super) fn take(&self, id: &DeliveryId, pack: Option<Digest>) -> Option<Notice> {
        let mut parsed = self.lock();
        let found = parsed.deliveries.remove(id)?;
        parsed.bytes = parsed.bytes.saturating_sub(found.bytes);
        (Some(found.pack) == pack).then_some(found.notice)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::reading::Repetition;
    use super::*;

    fn notice() -> Notice {
        Notice {
            group: Digest::of(b"g"),
            alerts: Vec::new(),
            openings: BTreeMap::new(),
            repetition: Repetition::StillFires,
        }
    }

    #[test]
    fn one_is_taken_once_and_only_for_the_pack_it_was_checked_against() {
        let (parsed, a, b) = (ParsedDeliveries::default(), DeliveryId::new("a"), DeliveryId::new("b"));
        let (pack, other) = (Some(Digest::of(b"1")), Some(Digest::of(b"2")));
        for id in [&a, &b] {
            parsed.put(id.clone(), notice(), Digest::of(b"1"), 10);
        }
        assert_eq!(parsed.take(&a, pack), Some(notice()));
        assert_eq!((parsed.take(&a, pack), parsed.take(&b, other), parsed.take(&b, pack)), (None, None, None));
        assert_eq!(parsed.lock().bytes, 0);
    }

    #[test]
    fn what_is_over_the_bound_is_not_kept() {
        let (parsed, pack) = (ParsedDeliveries::default(), Digest::of(b"1"));
        parsed.put(DeliveryId::new("a"), notice(), pack, BYTES_MAX);
        parsed.put(DeliveryId::new("b"), notice(), pack, 1);
        assert_eq!(parsed.take(&DeliveryId::new("b"), Some(pack)), None);
        assert_eq!(parsed.take(&DeliveryId::new("a"), Some(pack)), Some(notice()));
        parsed.put(DeliveryId::new("b"), notice(), pack, 1);
        assert_eq!(parsed.take(&DeliveryId::new("b"), Some(pack)), Some(notice()));
    }
}
