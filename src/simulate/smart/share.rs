//! How a station shares its own limit among its connectors (OCPP 1.6, 3.13.3): evenly, and none below the least
//! current of a charge.

/// What a connector could use, in the unit of [`Level::each`](super::Level::each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The most on each phase.
    pub most: u64,
    /// Below it nothing can flow.
    pub least: u64,
    /// The phases of the station that it is on.
    pub phases: [bool; 3],
}

/// Shares what each phase may carry among connectors, those before others that came first; without a limit each
/// gets what it could use. Who would get less than the least gets nothing.
#[must_use]
pub fn share(each_phase: Option<u64>, wishes: &[Wish]) -> Vec<u64> {
    let mut admitted: Vec<bool> =
        wishes.iter().map(|wish| wish.most > 0 && wish.most >= wish.least).collect();
    loop {
        let shares = fill(each_phase.unwrap_or(u64::MAX / 4), wishes, &admitted);
        let too_little = |(index, wish): (usize, &Wish)| {
            let has = shares.get(index).copied().unwrap_or(0);
            admitted.get(index).copied().unwrap_or(false) && (has == 0 || has < wish.least)
        };
        let last = wishes.iter().enumerate().rev().find(|(index, wish)| too_little((*index, wish)));
        match last.and_then(|(index, _)| admitted.get_mut(index)) {
            Some(admitted) => *admitted = false,
            None => return shares,
        }
    }
}

/// Raises all that are admitted together until each has what it could use or meets a phase that is full.
fn fill(each_phase: u64, wishes: &[Wish], admitted: &[bool]) -> Vec<u64> {
    let mut left = [each_phase; 3];
    let mut shares = vec![0; wishes.len()];
    let mut rising: Vec<bool> = admitted.to_vec();
    loop {
        let on = |phase: usize, wish: &Wish| wish.phases.get(phase).copied().unwrap_or(false);
        let risers = || wishes.iter().zip(&rising).filter(|(_, rises)| **rises).map(|(wish, _)| wish);
        let count =
            |phase: usize| u64::try_from(risers().filter(|wish| on(phase, wish)).count()).unwrap_or(0);
        let counts = [count(0), count(1), count(2)];
        let by_phase =
            left.iter().zip(counts).filter(|(_, count)| *count > 0).map(|(left, count)| left / count);
        let by_wish = wishes.iter().zip(&rising).zip(&shares).filter(|((_, rises), _)| **rises);
        let by_wish = by_wish.map(|((wish, _), share)| wish.most.saturating_sub(*share));
        let Some(step) = by_phase.chain(by_wish).min() else { return shares };
        for (left, count) in left.iter_mut().zip(counts) {
            *left = left.saturating_sub(step * count);
        }
        let full = [0, 1, 2].map(|phase: usize| {
            let (left, count) =
                (left.get(phase).copied().unwrap_or(0), counts.get(phase).copied().unwrap_or(0));
            left < count
        });
        for ((wish, rises), share) in wishes.iter().zip(&mut rising).zip(&mut shares) {
            if *rises {
                *share += step;
                let blocked = wish.phases.iter().zip(full).any(|(on, full)| *on && full);
                *rises = *share < wish.most && !blocked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [bool; 3] = [true; 3];

    fn wish(most: u64, phases: [bool; 3]) -> Wish {
        Wish { most, least: 60, phases }
    }

    #[test]
    fn shares_are_even_and_never_below_the_least() {
        assert_eq!(share(None, &[wish(160, ALL), wish(320, ALL)]), [160, 320]);
        assert_eq!(share(Some(200), &[wish(160, ALL), wish(160, ALL)]), [100, 100]);
        assert_eq!(share(Some(200), &[wish(70, ALL), wish(160, ALL)]), [70, 130]);
        // Not enough for both: the one that came first goes on.
        assert_eq!(share(Some(100), &[wish(160, ALL), wish(160, ALL)]), [100, 0]);
        assert_eq!(share(Some(50), &[wish(160, ALL)]), [0]);
        assert_eq!(share(Some(200), &[wish(50, ALL), wish(160, ALL)]), [0, 160]);
        let (first, second) = ([true, false, false], [false, true, false]);
        assert_eq!(share(Some(160), &[wish(160, first), wish(160, second), wish(160, first)]), [80, 160, 80]);
        assert_eq!(share(Some(0), &[Wish { least: 0, ..wish(160, ALL) }]), [0]);
        assert!(share(Some(9), &[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_phase_is_over_its_limit(
            cap in 0..500_u64,
            wishes in prop::collection::vec((0..400_u64, any::<[bool; 3]>()), 0..6),
        ) {
            let wishes: Vec<Wish> = wishes.into_iter().map(|(most, phases)| wish(most, phases)).collect();
            let shares = share(Some(cap), &wishes);
            for phase in 0..3 {
                let sum: u64 =
                    shares.iter().zip(&wishes).filter(|(_, wish)| wish.phases[phase]).map(|(share, _)| share).sum();
                prop_assert!(sum <= cap);
            }
            for (share, wish) in shares.iter().zip(&wishes) {
                prop_assert!(*share == 0 || (wish.least..=wish.most).contains(share));
            }
        }
    }
}
