//! A station's line of orders: it answers one call at a time, so what waits can still be replaced.

use crate::load::control::{Ask, Order};
use std::collections::VecDeque;

/// The line.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: VecDeque<Order>,
    busy: bool,
}

impl Desk {
    /// Puts an order in the line: what lowers before what does not. Gives back what it replaces, which is never
    /// sent.
    pub(super) fn put(&mut self, order: Order) -> Vec<Order> {
        let (replaced, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| is_same(&waiting.ask, &order.ask));
        self.waiting = kept.into();
        let lowers = |order: &Order| {
            matches!(order.ask, Ask::Grant { .. } | Ask::StationMost { .. } | Ask::Default { .. })
                && !order.raises
        };
        let place = if lowers(&order) {
            self.waiting.iter().take_while(|waiting| lowers(waiting)).count()
        } else {
            self.waiting.len()
        };
        self.waiting.insert(place, order);
        replaced
    }

    /// The next order to send, if the station is free; it is busy then.
    pub(super) fn next(&mut self) -> Option<Order> {
        if self.busy {
            return None;
        }
        let next = self.waiting.pop_front();
        self.busy = next.is_some();
        next
    }

    /// The station has answered, or will not.
    pub(super) fn free(&mut self) {
        self.busy = false;
    }

    /// Gives back all that waits: its station has gone.
    pub(super) fn clear(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.waiting).into()
    }
}

/// Whether one order makes the other useless.
fn is_same(old: &Ask, new: &Ask) -> bool {
    match (old, new) {
        (Ask::Grant { leaf: old, .. }, Ask::Grant { leaf: new, .. })
        | (Ask::Default { leaf: old, .. }, Ask::Default { leaf: new, .. })
        | (Ask::Composite { leaf: old }, Ask::Composite { leaf: new })
        | (Ask::Meter { leaf: old }, Ask::Meter { leaf: new }) => old == new,
        (Ask::StationMost { .. }, Ask::StationMost { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(seq: u64, leaf: usize, raises: bool) -> Order {
        let ask = Ask::Grant { leaf, transaction: 1, limit: 60, until: 0, then: 0 };
        Order { seq, station: 0, ask, raises }
    }

    #[test]
    fn what_lowers_goes_first_and_the_newest_word_replaces_the_one_before() {
        let mut desk = Desk::default();
        assert!(desk.put(grant(1, 0, true)).is_empty());
        assert!(desk.put(grant(2, 1, false)).is_empty());
        assert!(
            desk.put(Order { seq: 3, station: 0, ask: Ask::Meter { leaf: 0 }, raises: false }).is_empty()
        );
        let replaced: Vec<u64> = desk.put(grant(4, 0, false)).iter().map(|order| order.seq).collect();
        assert_eq!(replaced, [1]);
        assert_eq!(desk.next().map(|order| order.seq), Some(2));
        assert!(desk.next().is_none(), "a station answers one call at a time");
        desk.free();
        assert_eq!(desk.next().map(|order| order.seq), Some(4));
        assert_eq!(desk.clear().len(), 1);
    }
}
